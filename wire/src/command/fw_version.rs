//! FW_VERSION: who is there.
//!
//! ```text
//! →  00
//! ←  00 | major i8 | minor i8 | hardware str | uuid 12 | paired u8 | test u8 | hardware type u8
//!       | custom configs u8 | phase filters u8 | QML hardware u8 | QML app u8 | NRF flags u8
//!       | firmware name str | config CRC u32
//! ```
//!
//! The reply has grown from left to right and may end after any of these (`MC comm/commands.c:231-296`,
//! `EX main/commands.c:238-290`, `BM commands.c:94-124`); the field docs say since when each one is sent.

use super::CommandId;
use crate::{
    error::DecodeError,
    number::Text,
    reader::{Reader, Wire, write_tail},
    view::{Fields, Value, View},
};

/// The reply to FW_VERSION; what the device did not send is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FwVersion {
    /// Major version.
    pub major: i8,
    /// Minor version, decimal: 6.05 is minor 5.
    pub minor: i8,
    /// Hardware name.
    pub hardware: Option<Text>,
    /// Unique id of the chip; since 3.9.
    pub uuid: Option<[u8; 12]>,
    /// Whether the device talks to paired apps only; since 3.48.
    pub paired: Option<u8>,
    /// Number of the test firmware, 0 for a release; since 5.00.
    pub test_version: Option<u8>,
    /// What the device is: see [`hardware_type_name`]; since 5.02.
    pub hardware_type: Option<u8>,
    /// How many custom configs it has; since 5.02.
    pub custom_configs: Option<u8>,
    /// Whether it has phase filters; since 5.03.
    pub phase_filters: Option<u8>,
    /// QML user interface of the hardware: 0 none, 1 yes, 2 full screen; since 5.03.
    pub qml_hardware: Option<u8>,
    /// QML user interface of the app, the same way; since 5.03.
    pub qml_app: Option<u8>,
    /// Bit 0: the radio's name, bit 1: its pin can be set; since 6.00.
    pub nrf_flags: Option<u8>,
    /// Firmware name, usually empty; since 6.00.
    pub firmware_name: Option<Text>,
    /// CRC of the hardware config, by which VESC Tool caches it; since 6.05.
    pub config_crc: Option<u32>,
}

/// The name of a hardware type (`VT datatypes.h:87-91`).
#[must_use]
pub fn hardware_type_name(hardware_type: u8) -> Option<&'static str> {
    Some(match hardware_type {
        0 => "VESC",
        1 => "VESC BMS",
        2 => "custom module",
        _ => return None,
    })
}

impl FwVersion {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut this = Self {
            major: reader.get("major")?,
            minor: reader.get("minor")?,
            ..Self::default()
        };
        this.hardware = reader.tail_text("hardware");
        if this.hardware.is_none() || reader.left() < 12 {
            return Ok(this);
        }
        this.uuid = Some(reader.array("uuid")?);
        this.paired = reader.tail("paired")?;
        this.test_version = reader.tail("test_version")?;
        this.hardware_type = reader.tail("hardware_type")?;
        this.custom_configs = reader.tail("custom_configs")?;
        this.phase_filters = reader.tail("phase_filters")?;
        // Both QML bytes or neither.
        if reader.left() < 2 {
            return Ok(this);
        }
        this.qml_hardware = reader.tail("qml_hardware")?;
        this.qml_app = reader.tail("qml_app")?;
        this.nrf_flags = reader.tail("nrf_flags")?;
        this.firmware_name = reader.tail_text("firmware_name");
        if this.firmware_name.is_some() {
            this.config_crc = reader.tail("config_crc")?;
        }
        Ok(this)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.major.write(out);
        self.minor.write(out);
        if let Some(hardware) = &self.hardware {
            hardware.write_terminated(out);
        }
        if let Some(uuid) = &self.uuid {
            out.extend_from_slice(uuid);
        }
        for byte in [
            self.paired,
            self.test_version,
            self.hardware_type,
            self.custom_configs,
            self.phase_filters,
            self.qml_hardware,
            self.qml_app,
            self.nrf_flags,
        ] {
            write_tail(&byte, out);
        }
        if let Some(name) = &self.firmware_name {
            name.write_terminated(out);
        }
        write_tail(&self.config_crc, out);
    }

    pub(super) const ID: CommandId = CommandId::FW_VERSION;

    /// The version as people write it: `6.05`.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}.{:02}", self.major, self.minor)
    }
}

impl View for FwVersion {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("firmware", Value::Text(self.version()));
        fields.push_some("hardware", self.hardware.as_ref());
        fields.push_some("uuid", self.uuid.map(|uuid| Value::Bytes(uuid.to_vec())));
        fields.push_some("paired", self.paired.map(|flag| flag != 0));
        fields.push_some("test_version", self.test_version);
        fields.push_some("hardware_type", self.hardware_type);
        fields.push_some("custom_configs", self.custom_configs);
        fields.push_some("phase_filters", self.phase_filters.map(|flag| flag != 0));
        fields.push_some("qml_hardware", self.qml_hardware);
        fields.push_some("qml_app", self.qml_app);
        fields.push_some("nrf_flags", self.nrf_flags);
        fields.push_some("firmware_name", self.firmware_name.as_ref());
        fields.push_some("config_crc", self.config_crc);
        fields
    }
}
