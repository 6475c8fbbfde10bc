//! The firmwares that a scenario can choose: one table, in which each differs from the one before it.
//!
//! Where several builds tell the same version, the plain number is the release, or the last of them where there was no
//! release. The others are named by the month of their first commit. Facts: `docs/protocol-motor.md`, sections 2 and 10.

#![expect(
    clippy::inconsistent_digit_grouping,
    reason = "dates: year, month and day"
)]

use serde::Deserialize;

use super::{FwVersionEnd, Kind, LatePong, Profile};
use crate::device::bms::ReplyEnd;

/// The lowest bits of a mask.
const fn bits(count: u32) -> u32 {
    (1 << count) - 1
}

/// Makes an enum of the firmwares of a kind, with the profile of each.
macro_rules! firmwares {
    ($(#[$doc:meta])* $name:ident {$(
        $(#[$firmware_doc:meta])*
        $firmware:ident $text:literal => $profile:ident,
    )+}) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {$(
            $(#[$firmware_doc])*
            #[serde(rename = $text)]
            $firmware,
        )+}

        impl $name {
            /// All of them, the oldest first.
            pub const ALL: &'static [Self] = &[$(Self::$firmware),+];

            /// What it sends, and which commands it handles.
            #[must_use]
            pub fn profile(self) -> Profile {
                match self {
                    $(Self::$firmware => Profile::$profile,)+
                }
            }

            /// Its name in a scenario.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$firmware => $text,)+
                }
            }
        }
    };
}

firmwares! {
    /// Firmware of a motor controller.
    MotorFirmware {
        /// 2.18: FW_VERSION has 3 bytes, and GET_VALUES a layout of its own, with seven temperatures of the board.
        V2_18 "2.18" => MOTOR_2_18,
        /// 3.40: temperatures of transistors and motor, CAN id; hardware name and UUID.
        V3_40 "3.40" => MOTOR_3_40,
        /// 3.66: voltages of the field-oriented control, selective values, values of the vehicle, IMU.
        V3_66 "3.66" => MOTOR_3_66,
        /// 4.02: new ids, the same replies.
        V4_02 "4.02" => MOTOR_4_02,
        /// 5.01: the number of a test firmware.
        V5_01 "5.01" => MOTOR_5_01,
        /// 5.02: hardware type and odometer; the first that tells the values of a BMS.
        V5_02 "5.02" => MOTOR_5_02,
        /// 5.03: time-out flags and uptime, statistics, lifetime totals of the BMS.
        V5_03 "5.03" => MOTOR_5_03,
        /// 6.00: the firmware's name.
        V6_00 "6.00" => MOTOR_6_00,
        /// 6.02: likewise.
        V6_02 "6.02" => MOTOR_6_02,
        /// 6.05: a CRC of the config, the CAN id behind the IMU's data, the pressure at the BMS.
        #[default]
        V6_05 "6.05" => MOTOR_6_05,
        /// 6.06: FW_INFO, change of all baud rates, emergency stop; data version and status of the BMS.
        V6_06 "6.06" => MOTOR_6_06,
        /// 7.00: likewise, with more fault codes.
        V7_00 "7.00" => MOTOR_7_00,
        /// 7.01: likewise.
        V7_01 "7.01" => MOTOR_7_01,
    }
}

firmwares! {
    /// Firmware of an Express.
    ExpressFirmware {
        /// A build of 6.05 from before 2024-01-31: FW_VERSION ends after the QML flags, GET_IMU_DATA is not known.
        V6_05_2023_03 "6.05-2023-03" => EXPRESS_6_05_2023_03,
        /// A build of 6.05 from 2024-01-31 to 2024-03-09: GET_IMU_DATA is known.
        V6_05_2024_01 "6.05-2024-01" => EXPRESS_6_05_2024_01,
        /// The release 6.05: BMS replies end after the pressure, FW_INFO is not known.
        #[default]
        V6_05 "6.05" => EXPRESS_6_05,
        /// A build of 6.06 from 2024-08-19 to 2024-12-10: all as in the release 6.05.
        V6_06_2024_08 "6.06-2024-08" => EXPRESS_6_06_2024_08,
        /// The last build of 6.06, of which there was no release: BMS replies end with data version and status, FW_INFO is
        /// known.
        V6_06 "6.06" => EXPRESS_6_06,
        /// 7.00: likewise.
        V7_00 "7.00" => EXPRESS_7_00,
    }
}

firmwares! {
    /// Firmware of a VESC BMS.
    BmsFirmware {
        /// 5.03: replies end with the lifetime totals.
        V5_03 "5.03" => BMS_5_03,
        /// The release 6.00: they end with the pressure.
        #[default]
        V6_00 "6.00" => BMS_6_00,
        /// What came after the release and still says 6.00: FW_INFO and the change of all baud rates are known.
        V6_00Main "6.00-main" => BMS_6_00_MAIN,
    }
}

impl Profile {
    /// Motor controller 2.18.
    pub const MOTOR_2_18: Self = Self {
        name: "motor controller 2.18",
        kind: Kind::Motor,
        major: 2,
        minor: 18,
        build: 0,
        fw_version_end: FwVersionEnd::Minor,
        values: 0,
        values_setup: 0,
        highest_fault: 6,
        tells_that_nothing_is_stored: false,
        bms_end: ReplyEnd::HighestCellTemperature,
        imu_tells_can_id: false,
        late_pong: LatePong::Ignored,
        max_print: 255,
    };
    /// Motor controller 3.40: GET_VALUES as all later firmware lays it out, up to the CAN id.
    pub const MOTOR_3_40: Self = Self {
        name: "motor controller 3.40",
        major: 3,
        minor: 40,
        fw_version_end: FwVersionEnd::Uuid,
        values: bits(18),
        ..Self::MOTOR_2_18
    };
    /// Motor controller 3.66: transistor temperatures, vd and vq; GET_VALUES_SETUP up to the energy left.
    pub const MOTOR_3_66: Self = Self {
        name: "motor controller 3.66",
        minor: 66,
        fw_version_end: FwVersionEnd::Paired,
        values: bits(21),
        values_setup: bits(20),
        highest_fault: 18,
        ..Self::MOTOR_3_40
    };
    /// Motor controller 4.02: the same replies, more fault codes.
    pub const MOTOR_4_02: Self = Self {
        name: "motor controller 4.02",
        major: 4,
        minor: 2,
        highest_fault: 22,
        ..Self::MOTOR_3_66
    };
    /// Motor controller 5.01: test number (`MC` 7391330f).
    pub const MOTOR_5_01: Self = Self {
        name: "motor controller 5.01",
        major: 5,
        minor: 1,
        fw_version_end: FwVersionEnd::TestVersion,
        ..Self::MOTOR_4_02
    };
    /// Motor controller 5.02: hardware type and custom configs (`MC` c77f9247), odometer, SoC and SoH (`MC` 6509065c).
    pub const MOTOR_5_02: Self = Self {
        name: "motor controller 5.02",
        minor: 2,
        fw_version_end: FwVersionEnd::CustomConfigs,
        values_setup: bits(21),
        highest_fault: 25,
        bms_end: ReplyEnd::StateOfHealth,
        ..Self::MOTOR_5_01
    };
    /// Motor controller 5.03: QML flags (`MC` 5767b703), flags, uptime, BMS totals (`MC` 101f2933).
    pub const MOTOR_5_03: Self = Self {
        name: "motor controller 5.03",
        minor: 3,
        fw_version_end: FwVersionEnd::Qml,
        values: bits(22),
        values_setup: bits(22),
        highest_fault: 26,
        bms_end: ReplyEnd::Totals,
        ..Self::MOTOR_5_02
    };
    /// Motor controller 6.00: NRF flags (`MC` c0a928e0) and firmware name (`MC` d290f61d).
    pub const MOTOR_6_00: Self = Self {
        name: "motor controller 6.00",
        major: 6,
        minor: 0,
        fw_version_end: FwVersionEnd::FirmwareName,
        highest_fault: 29,
        tells_that_nothing_is_stored: true,
        max_print: 400,
        ..Self::MOTOR_5_03
    };
    /// Motor controller 6.02: the same replies.
    pub const MOTOR_6_02: Self = Self {
        name: "motor controller 6.02",
        minor: 2,
        ..Self::MOTOR_6_00
    };
    /// Motor controller 6.05: config CRC (`MC` 341a7e67), BMS pressure (`MC` da955e42), CAN id of the IMU (`MC` e0bc1154).
    pub const MOTOR_6_05: Self = Self {
        name: "motor controller 6.05",
        minor: 5,
        fw_version_end: FwVersionEnd::ConfigCrc,
        bms_end: ReplyEnd::Pressure,
        imu_tells_can_id: true,
        ..Self::MOTOR_6_02
    };
    /// Motor controller 6.06: BMS data version (`MC` 3c04fdfd) and status (`MC` 567f7f52).
    pub const MOTOR_6_06: Self = Self {
        name: "motor controller 6.06",
        minor: 6,
        bms_end: ReplyEnd::Status,
        ..Self::MOTOR_6_05
    };
    /// Motor controller 7.00.
    pub const MOTOR_7_00: Self = Self {
        name: "motor controller 7.00",
        major: 7,
        minor: 0,
        highest_fault: 33,
        ..Self::MOTOR_6_06
    };
    /// Motor controller 7.01.
    pub const MOTOR_7_01: Self = Self {
        name: "motor controller 7.01",
        minor: 1,
        ..Self::MOTOR_7_00
    };

    /// Express 6.05 in its first months: FW_VERSION ends after the QML flags (`EX` c9da422).
    pub const EXPRESS_6_05_2023_03: Self = Self {
        name: "Express 6.05 of 2023-03",
        kind: Kind::Express,
        build: 2023_03_31,
        fw_version_end: FwVersionEnd::Qml,
        values: 0,
        values_setup: 0,
        highest_fault: 0,
        late_pong: LatePong::ForTheNextId,
        ..Self::MOTOR_6_05
    };
    /// Express 6.05 with GET_IMU_DATA (`EX` f0f7397).
    pub const EXPRESS_6_05_2024_01: Self = Self {
        name: "Express 6.05 of 2024-01",
        build: 2024_01_31,
        ..Self::EXPRESS_6_05_2023_03
    };
    /// Express 6.05 as released (`EX` release_6_05, 4a2fcd9): FW_VERSION up to the config CRC (`EX` aadb76c); BMS replies
    /// end after the pressure (`EX` a48ecc2).
    pub const EXPRESS_6_05: Self = Self {
        name: "Express 6.05",
        build: 2024_08_05,
        fw_version_end: FwVersionEnd::ConfigCrc,
        ..Self::EXPRESS_6_05_2024_01
    };
    /// Express 6.06 in its first months (`EX` 7c3c28b): the release 6.05 under a new number.
    pub const EXPRESS_6_06_2024_08: Self = Self {
        name: "Express 6.06 of 2024-08",
        minor: 6,
        build: 2024_08_19,
        ..Self::EXPRESS_6_05
    };
    /// Express 6.06 before it became 7.00 (`EX` 112422c): with data version (`EX` 5c56123) and status (`EX` 561ebcc).
    pub const EXPRESS_6_06: Self = Self {
        name: "Express 6.06",
        build: 2026_03_25,
        bms_end: ReplyEnd::Status,
        ..Self::EXPRESS_6_06_2024_08
    };
    /// Express 7.00: the same.
    pub const EXPRESS_7_00: Self = Self {
        name: "Express 7.00",
        major: 7,
        minor: 0,
        build: 0,
        ..Self::EXPRESS_6_06
    };

    /// VESC BMS 5.03 (`BM commands.c:94-124` at release_5_03). That BMS replies end with the totals is inferred from the
    /// motor controller's 5.03.
    pub const BMS_5_03: Self = Self {
        name: "BMS 5.03",
        kind: Kind::Bms,
        major: 5,
        minor: 3,
        build: 0,
        fw_version_end: FwVersionEnd::CustomConfigs,
        bms_end: ReplyEnd::Totals,
        late_pong: LatePong::ForTheIdAsked,
        max_print: 255,
        ..Self::EXPRESS_6_05
    };
    /// VESC BMS 6.00 as released (`BM` release_6_00, 36cedd7).
    pub const BMS_6_00: Self = Self {
        name: "BMS 6.00",
        major: 6,
        minor: 0,
        bms_end: ReplyEnd::Pressure,
        ..Self::BMS_5_03
    };
    /// VESC BMS after that release, which still says 6.00 (`BM` f870f4c2).
    pub const BMS_6_00_MAIN: Self = Self {
        name: "BMS 6.00 after its release",
        build: 2025_01_26,
        ..Self::BMS_6_00
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_firmware_of_a_scenario_has_the_version_of_its_name() {
        let all = [
            MotorFirmware::ALL
                .iter()
                .map(|one| (one.name(), one.profile()))
                .collect::<Vec<_>>(),
            ExpressFirmware::ALL
                .iter()
                .map(|one| (one.name(), one.profile()))
                .collect(),
            BmsFirmware::ALL
                .iter()
                .map(|one| (one.name(), one.profile()))
                .collect(),
        ];
        assert_eq!(all[0].len(), 13);
        for (name, profile) in all.concat() {
            let version = name.split('-').next().unwrap();
            assert_eq!(profile.firmware().to_string(), version);
            assert!(profile.name.contains(version), "{name}: {}", profile.name);
        }
        for firmwares in &all {
            let ages = firmwares
                .iter()
                .map(|(_, profile)| (profile.firmware(), profile.build));
            assert!(ages.is_sorted());
        }
    }
}
