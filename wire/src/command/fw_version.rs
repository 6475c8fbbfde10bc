//! FW_VERSION: who is there.
//!
//! ```text
//! →  00
//! ←  00 | major i8 | minor i8 | hardware str | uuid 12 | paired u8 | test u8 | hardware type u8
//!       | custom configs u8 | phase filters u8 | QML hardware u8 | QML app u8 | NRF flags u8
//!       | firmware name str | config CRC u32
//! ```
//!
//! The reply has grown from left to right and may end after any of these (`bldc comm/commands.c:231-296`,
//! `vesc_express main/commands.c:238-290`, `vesc_bms_fw commands.c:94-124`); the field docs say since when each one is sent.

use super::{form::version, prelude::*};
use crate::{Firmware, number::Text};
use alloc::string::{String, ToString as _};

body! {
    /// The reply to FW_VERSION; what the device did not send is `None`.
    pub struct FwVersion {
        always {
            /// Major version.
            major: i8 = Shown::Hidden,
            /// Minor version, decimal: 6.05 is minor 5.
            minor: i8 = version(major),
        }
        since "3.07" {
            /// Hardware name; since 3.07.
            hardware: Text,
        }
        since "3.09" {
            /// Unique id of the chip; since 3.09.
            uuid: [u8; 12] = Shown::Hex,
        }
        since "3.48" {
            /// Whether the device talks to paired apps only; since 3.48.
            paired: u8 = Shown::Flag,
        }
        since "5.00" {
            /// Number of the test firmware, 0 for a release; since 5.00.
            test_version: u8,
        }
        since "5.02" {
            /// What the device is: see [`hardware_type_name`]; since 5.02.
            hardware_type: u8,
        }
        since "5.02" {
            /// How many custom configs it has; since 5.02.
            custom_configs: u8,
        }
        since "5.03" {
            /// Whether it has phase filters; since 5.03.
            phase_filters: u8 = Shown::Flag,
        }
        since "5.03" {
            /// QML user interface of the hardware: 0 none, 1 yes, 2 full screen; since 5.03.
            qml_hardware: u8,
            /// QML user interface of the app, the same way; since 5.03.
            qml_app: u8,
        }
        since "6.00" {
            /// Bit 0: the radio's name, bit 1: its pin can be set; since 6.00.
            nrf_flags: u8,
        }
        since "6.00" {
            /// Firmware name, usually empty; since 6.00.
            firmware_name: Text,
        }
        since "6.05" {
            /// CRC of the hardware config, by which VESC Tool caches it; since 6.05.
            config_crc: u32,
        }
    }
}

impl FwVersion {
    /// The version, by which other replies of the device are read.
    #[must_use]
    pub fn firmware(&self) -> Firmware {
        Firmware::new(self.major, self.minor)
    }

    /// The version as people write it: `6.05`.
    #[must_use]
    pub fn version(&self) -> String {
        self.firmware().to_string()
    }
}

/// The name of a hardware type (`vesc_tool datatypes.h:87-91`).
#[must_use]
pub fn hardware_type_name(hardware_type: u8) -> Option<&'static str> {
    Some(match hardware_type {
        0 => "VESC",
        1 => "VESC BMS",
        2 => "custom module",
        _ => return None,
    })
}
