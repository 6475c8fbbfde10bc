//! Firmware profiles: where each firmware ends its replies, and how it goes about a scan.
//!
//! All that differs between the firmwares of a kind stands in the table of `firmwares`; which commands each of them
//! handles stands in that of `commands`. What becomes of a command is in the module `fate` beside this one.

mod commands;
mod firmwares;

use veschub_wire::{
    Firmware, Reply,
    command::{FwVersion, OldValues, Values, ValuesSetup},
};

pub use self::{
    commands::handled_since,
    firmwares::{BmsFirmware, ExpressFirmware, MotorFirmware},
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
    /// After the minor version: up to 3.00.
    Minor,
    /// After the hardware name: 3.07.
    Hardware,
    /// After the UUID: 3.09.
    Uuid,
    /// After the paired flag: 3.48.
    Paired,
    /// After the test number: 5.00.
    TestVersion,
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
    /// The day of the build, as `2024_08_05`, where several builds tell the same version; else 0.
    pub build: u32,
    /// Where the reply to FW_VERSION ends.
    pub fw_version_end: FwVersionEnd,
    /// The bits of GET_VALUES that it knows; up to 3.00 it has a layout without bits.
    pub values: u32,
    /// The bits of GET_VALUES_SETUP that it knows; before 3.48 it knows no such command.
    pub values_setup: u32,
    /// The highest fault code that it has (`MC datatypes.h` of each tag).
    pub highest_fault: u8,
    /// Whether GET_QML_UI_APP and LISP_READ_CODE are answered with zeros where nothing is stored: since 6.00 test 4
    /// (`MC` 9527f94c); 5.03 is silent then.
    pub tells_that_nothing_is_stored: bool,
    /// Where the reply to BMS_GET_VALUES ends.
    pub bms_end: ReplyEnd,
    /// Whether GET_IMU_DATA ends with the CAN id: on motor controllers since 6.05 (`MC` e0bc1154), on an Express always.
    pub imu_tells_can_id: bool,
    /// What becomes of a late PONG.
    pub late_pong: LatePong,
    /// The longest packet of a PRINT, in bytes (`EX main/commands.c:1148-1156`, `BM commands.c:637-645`; `MC`: 255 up to
    /// 5.03, 400 since).
    pub max_print: usize,
}

impl Profile {
    /// The version.
    #[must_use]
    pub fn firmware(&self) -> Firmware {
        Firmware::new(self.major, self.minor)
    }

    /// Cuts off what this firmware does not send yet.
    #[must_use]
    pub fn cut_fw_version(&self, mut version: FwVersion) -> FwVersion {
        fn keep<T>(field: &mut Option<T>, reached: bool) {
            *field = field.take().filter(|_| reached);
        }
        version.major = self.major;
        version.minor = self.minor;
        let reaches = |part| self.fw_version_end >= part;
        keep(&mut version.hardware, reaches(FwVersionEnd::Hardware));
        keep(&mut version.uuid, reaches(FwVersionEnd::Uuid));
        keep(&mut version.paired, reaches(FwVersionEnd::Paired));
        keep(
            &mut version.test_version,
            reaches(FwVersionEnd::TestVersion),
        );
        keep(
            &mut version.hardware_type,
            reaches(FwVersionEnd::CustomConfigs),
        );
        keep(
            &mut version.custom_configs,
            reaches(FwVersionEnd::CustomConfigs),
        );
        keep(&mut version.phase_filters, reaches(FwVersionEnd::Qml));
        keep(&mut version.qml_hardware, reaches(FwVersionEnd::Qml));
        keep(&mut version.qml_app, reaches(FwVersionEnd::Qml));
        keep(&mut version.nrf_flags, reaches(FwVersionEnd::FirmwareName));
        keep(
            &mut version.firmware_name,
            reaches(FwVersionEnd::FirmwareName),
        );
        keep(&mut version.config_crc, reaches(FwVersionEnd::ConfigCrc));
        version
    }

    /// The reply to GET_VALUES as this firmware lays it out: without what it does not send yet.
    #[must_use]
    pub fn values_reply(&self, values: Values) -> Reply {
        match self.firmware().has_old_values() {
            true => Reply::OldValues(old_values(&values)),
            false => Reply::Values(self.cut_values(values)),
        }
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

/// What old firmware tells of the same measurements: it has sensors all over its board, and none in the motor.
fn old_values(values: &Values) -> OldValues {
    let board = values.fet_temperature_c.unwrap_or_default();
    OldValues {
        board_temperatures_c: [board; 6],
        pcb_temperature_c: board,
        motor_current_a: values.motor_current_a.unwrap_or_default(),
        input_current_a: values.input_current_a.unwrap_or_default(),
        duty: values.duty.unwrap_or_default(),
        erpm: values.erpm.unwrap_or_default(),
        input_voltage_v: values.input_voltage_v.unwrap_or_default(),
        drawn_ah: values.drawn_ah.unwrap_or_default(),
        charged_ah: values.charged_ah.unwrap_or_default(),
        drawn_wh: values.drawn_wh.unwrap_or_default(),
        charged_wh: values.charged_wh.unwrap_or_default(),
        tachometer: values.tachometer.unwrap_or_default(),
        tachometer_absolute: values.tachometer_absolute.unwrap_or_default(),
        fault: values.fault.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::{CommandId, Reply, number::Text};

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
        let name = "HW".len();
        for (profile, length) in [
            (Profile::MOTOR_2_18, 3),
            (Profile::MOTOR_3_40, 16 + name),
            (Profile::MOTOR_3_66, 17 + name),
            (Profile::MOTOR_4_02, 17 + name),
            (Profile::MOTOR_5_01, 18 + name),
            (Profile::MOTOR_5_02, 20 + name),
            (Profile::MOTOR_5_03, 23 + name),
            (Profile::MOTOR_6_00, 25 + name),
            (Profile::MOTOR_6_02, 25 + name),
            (Profile::MOTOR_6_05, 29 + name),
            (Profile::MOTOR_6_06, 29 + name),
            (Profile::MOTOR_7_00, 29 + name),
            (Profile::MOTOR_7_01, 29 + name),
            (Profile::BMS_5_03, 20 + name),
            (Profile::BMS_6_00, 20 + name),
            (Profile::BMS_6_00_MAIN, 20 + name),
            (Profile::EXPRESS_6_05_2023_03, 23 + name),
            (Profile::EXPRESS_6_05_2024_01, 23 + name),
            (Profile::EXPRESS_6_05, 29 + name),
            (Profile::EXPRESS_6_06_2024_08, 29 + name),
            (Profile::EXPRESS_6_06, 29 + name),
            (Profile::EXPRESS_7_00, 29 + name),
        ] {
            let version = profile.cut_fw_version(full_version());
            let payload = Reply::FwVersion(version).encode();
            assert_eq!(payload.len(), length, "{}", profile.name);
            let version = [profile.major as u8, profile.minor as u8];
            assert_eq!(payload[1..3], version, "{}", profile.name);
        }
    }

    #[test]
    fn values_end_where_each_firmware_ends_them() {
        let full = |id: u8, len: usize| {
            let zeros = vec![0; len - 1];
            Reply::decode(&[&[id][..], &zeros].concat()).unwrap().body
        };
        let Reply::Values(values) = full(4, 74) else {
            panic!("another reply");
        };
        let Reply::ValuesSetup(setup) = full(47, 70) else {
            panic!("another reply");
        };
        for (profile, length, setup_length) in [
            (Profile::MOTOR_2_18, 56, None),
            (Profile::MOTOR_3_40, 59, None),
            (Profile::MOTOR_3_66, 73, Some(62)),
            (Profile::MOTOR_4_02, 73, Some(62)),
            (Profile::MOTOR_5_01, 73, Some(62)),
            (Profile::MOTOR_5_02, 73, Some(66)),
            (Profile::MOTOR_5_03, 74, Some(70)),
            (Profile::MOTOR_6_00, 74, Some(70)),
            (Profile::MOTOR_6_02, 74, Some(70)),
            (Profile::MOTOR_6_05, 74, Some(70)),
            (Profile::MOTOR_6_06, 74, Some(70)),
            (Profile::MOTOR_7_00, 74, Some(70)),
            (Profile::MOTOR_7_01, 74, Some(70)),
        ] {
            let reply = profile.values_reply(values).encode();
            assert_eq!(reply.len(), length, "{}", profile.name);
            assert!(Reply::decode_from(&reply, Some(profile.firmware())).is_ok());
            let knows_setup = profile.handles(CommandId::GET_VALUES_SETUP);
            assert_eq!(knows_setup, setup_length.is_some(), "{}", profile.name);
            if let Some(setup_length) = setup_length {
                let reply = Reply::ValuesSetup(profile.cut_setup(setup)).encode();
                assert_eq!(reply.len(), setup_length, "{}", profile.name);
            }
        }
    }
}
