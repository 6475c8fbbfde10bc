//! Firmware profiles: where each firmware ends its replies, and how it goes about a scan.
//!
//! All that differs between the firmwares of a kind stands in this table; which commands a kind handles at all
//! stands in the module `fate` beside it.

use veschub_wire::{
    CommandId,
    command::{FwVersion, Values, ValuesSetup},
};

use super::bms::ReplyEnd;

/// What kind of device a firmware is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A VESC Express, the radio module.
    Express,
    /// A motor controller.
    Motor,
    /// A VESC BMS.
    Bms,
}

/// Where the reply to FW_VERSION ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FwVersionEnd {
    /// After the number of custom configs: 5.02, and BMS firmware to this day.
    CustomConfigs,
    /// After the two QML flags: 5.03.
    Qml,
    /// After the firmware name: 6.00.
    FirmwareName,
    /// After the CRC of the hardware config: 6.05.
    ConfigCrc,
}

/// What becomes of a PONG that comes after the 10 ms in which a scan waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatePong {
    /// It counts for the id that is being asked by then, or for the next one
    /// (`EX main/comm_can.c:299-307, 1142`).
    ForTheNextId,
    /// The same, but what came between two questions is forgotten (`BM comm_can.c:519-538`).
    ForTheIdAsked,
    /// Nothing: the id in it is compared (`MC comm/comm_can.c:1847-1856`).
    Ignored,
}

/// A firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name: `Express 6.05`.
    pub name: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// Major version.
    pub major: i8,
    /// Minor version, decimal: 6.05 is minor 5.
    pub minor: i8,
    /// Where the reply to FW_VERSION ends.
    pub fw_version_end: FwVersionEnd,
    /// The bits of GET_VALUES that it knows.
    pub values: u32,
    /// The bits of GET_VALUES_SETUP that it knows.
    pub values_setup: u32,
    /// Where the reply to BMS_GET_VALUES ends.
    pub bms_end: ReplyEnd,
    /// Whether GET_IMU_DATA ends with the CAN id: since 2023-10-15 (`EX main/commands.c:975-1048`).
    pub imu_tells_can_id: bool,
    /// What becomes of a late PONG.
    pub late_pong: LatePong,
    /// The longest packet of a PRINT, in bytes (`EX main/commands.c:1148-1156`, `BM commands.c:637-645`).
    pub max_print: usize,
    /// Commands of its kind that came with later versions.
    pub(in crate::device) lacks: &'static [CommandId],
}

/// All 22 bits of GET_VALUES; the flags are the last (`MC comm/commands.c:384-483`).
const ALL_VALUES: u32 = (1 << 22) - 1;
/// All 22 bits of GET_VALUES_SETUP; the uptime is the last (`MC comm/commands.c:797-890`).
const ALL_SETUP: u32 = (1 << 22) - 1;

const EXPRESS: Profile = Profile {
    name: "Express",
    kind: Kind::Express,
    major: 6,
    minor: 5,
    fw_version_end: FwVersionEnd::ConfigCrc,
    values: 0,
    values_setup: 0,
    bms_end: ReplyEnd::Status,
    imu_tells_can_id: true,
    late_pong: LatePong::ForTheNextId,
    max_print: 400,
    lacks: &[],
};

const MOTOR: Profile = Profile {
    name: "motor controller",
    kind: Kind::Motor,
    values: ALL_VALUES,
    values_setup: ALL_SETUP,
    late_pong: LatePong::Ignored,
    ..EXPRESS
};

/// GET_STATS came with 5.03; FW_INFO and the change of all baud rates are the newest ids (`MC CHANGELOG.md`).
const SINCE_6_05: &[CommandId] = &[CommandId::FW_INFO, CommandId::CAN_UPDATE_BAUD_ALL];
const SINCE_5_03: &[CommandId] = &[
    CommandId::GET_STATS,
    CommandId::RESET_STATS,
    CommandId::FW_INFO,
    CommandId::CAN_UPDATE_BAUD_ALL,
];

impl Profile {
    /// Express 6.05: BMS replies end after the pressure (`EX` a48ecc2).
    pub const EXPRESS_6_05: Self = Self {
        name: "Express 6.05",
        bms_end: ReplyEnd::Pressure,
        ..EXPRESS
    };
    /// Express 6.06: with data version (`EX` 5c56123) and status (`EX` 561ebcc).
    pub const EXPRESS_6_06: Self = Self {
        name: "Express 6.06",
        minor: 6,
        ..EXPRESS
    };
    /// Express 7.00: the same.
    pub const EXPRESS_7_00: Self = Self {
        name: "Express 7.00",
        major: 7,
        minor: 0,
        ..EXPRESS
    };
    /// Motor controller 5.02: hardware type and custom configs (`MC` c77f9247), odometer, SoC and SoH (`MC` 6509065c).
    pub const MOTOR_5_02: Self = Self {
        name: "motor controller 5.02",
        major: 5,
        minor: 2,
        fw_version_end: FwVersionEnd::CustomConfigs,
        values: ALL_VALUES & !(1 << 21),
        values_setup: ALL_SETUP & !(1 << 21),
        bms_end: ReplyEnd::StateOfHealth,
        imu_tells_can_id: false,
        lacks: SINCE_5_03,
        ..MOTOR
    };
    /// Motor controller 5.03: QML flags (`MC` 5767b703), flags, uptime, BMS totals (`MC` 101f2933).
    pub const MOTOR_5_03: Self = Self {
        name: "motor controller 5.03",
        major: 5,
        minor: 3,
        fw_version_end: FwVersionEnd::Qml,
        bms_end: ReplyEnd::Totals,
        imu_tells_can_id: false,
        lacks: SINCE_6_05,
        ..MOTOR
    };
    /// Motor controller 6.00: NRF flags (`MC` c0a928e0) and firmware name (`MC` d290f61d).
    pub const MOTOR_6_00: Self = Self {
        name: "motor controller 6.00",
        minor: 0,
        fw_version_end: FwVersionEnd::FirmwareName,
        bms_end: ReplyEnd::Totals,
        imu_tells_can_id: false,
        lacks: SINCE_6_05,
        ..MOTOR
    };
    /// Motor controller 6.05: config CRC (`MC` 341a7e67) and BMS pressure (`MC` da955e42).
    pub const MOTOR_6_05: Self = Self {
        name: "motor controller 6.05",
        bms_end: ReplyEnd::Pressure,
        ..MOTOR
    };
    /// Motor controller 7.01: BMS data version (`MC` 3c04fdfd) and status (`MC` 567f7f52).
    pub const MOTOR_7_01: Self = Self {
        name: "motor controller 7.01",
        major: 7,
        minor: 1,
        ..MOTOR
    };
    /// VESC BMS 6.00 (`BM commands.c:94-124, 257-317`).
    pub const BMS_6_00: Self = Self {
        name: "BMS 6.00",
        kind: Kind::Bms,
        minor: 0,
        fw_version_end: FwVersionEnd::CustomConfigs,
        bms_end: ReplyEnd::Pressure,
        late_pong: LatePong::ForTheIdAsked,
        max_print: 255,
        ..EXPRESS
    };
}

impl Profile {
    /// Cuts off what this firmware does not send yet.
    #[must_use]
    pub fn cut_fw_version(&self, mut version: FwVersion) -> FwVersion {
        version.major = self.major;
        version.minor = self.minor;
        if self.fw_version_end < FwVersionEnd::Qml {
            version.phase_filters = None;
            version.qml_hardware = None;
            version.qml_app = None;
        }
        if self.fw_version_end < FwVersionEnd::FirmwareName {
            version.nrf_flags = None;
            version.firmware_name = None;
        }
        if self.fw_version_end < FwVersionEnd::ConfigCrc {
            version.config_crc = None;
        }
        version
    }

    /// Cuts off what this firmware does not send yet.
    #[must_use]
    pub fn cut_values(&self, values: Values) -> Values {
        values.select(self.values)
    }

    /// Cuts off what this firmware does not send yet.
    #[must_use]
    pub fn cut_setup(&self, values: ValuesSetup) -> ValuesSetup {
        values.select(self.values_setup)
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::{Reply, number::Text};

    use super::*;

    fn full_version() -> FwVersion {
        FwVersion {
            major: 0,
            minor: 0,
            hardware: Some(Text::from("HW")),
            uuid: Some([0; 12]),
            paired: Some(0),
            test_version: Some(0),
            hardware_type: Some(0),
            custom_configs: Some(0),
            phase_filters: Some(0),
            qml_hardware: Some(0),
            qml_app: Some(0),
            nrf_flags: Some(0),
            firmware_name: Some(Text::default()),
            config_crc: Some(1),
        }
    }

    #[test]
    fn fw_version_ends_where_each_firmware_ends_it() {
        for (profile, length) in [
            (Profile::MOTOR_5_02, 20),
            (Profile::MOTOR_5_03, 23),
            (Profile::MOTOR_6_00, 25),
            (Profile::MOTOR_6_05, 29),
            (Profile::MOTOR_7_01, 29),
            (Profile::BMS_6_00, 20),
            (Profile::EXPRESS_6_05, 29),
            (Profile::EXPRESS_7_00, 29),
        ] {
            let version = profile.cut_fw_version(full_version());
            let payload = Reply::FwVersion(version).encode();
            assert_eq!(payload.len(), length + "HW".len(), "{}", profile.name);
        }
    }

    #[test]
    fn values_end_where_each_firmware_ends_them() {
        let all = ALL_VALUES;
        for (profile, values, setup) in [
            (Profile::MOTOR_5_02, 73, 66),
            (Profile::MOTOR_5_03, 74, 70),
            (Profile::MOTOR_7_01, 74, 70),
        ] {
            let Reply::ValuesSelective { values: full, .. } =
                Reply::decode(&[&[50][..], &all.to_be_bytes(), &[0; 73]].concat())
                    .unwrap()
                    .body
            else {
                panic!("another reply");
            };
            let Reply::ValuesSetup(full_setup) =
                Reply::decode(&[&[47][..], &[0; 69]].concat()).unwrap().body
            else {
                panic!("another reply");
            };
            let cut = Reply::Values(profile.cut_values(full)).encode();
            let cut_setup = Reply::ValuesSetup(profile.cut_setup(full_setup)).encode();
            assert_eq!(
                (cut.len(), cut_setup.len()),
                (values, setup),
                "{}",
                profile.name
            );
        }
    }
}
