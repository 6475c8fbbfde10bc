//! Custom configs: reading the XML that describes them, reading and writing them.
//!
//! ```text
//! →  5C | index i8 | length i32 | offset i32           ←  5C | index u8 | total i32 | offset i32 | data
//! →  5D (5E: default) | index i8                       ←  5D (5E) | index u8 | signature u32 | fields
//! →  5F | index i8 | signature u32 | fields            ←  5F
//! ```
//!
//! What the fields are depends on the firmware that the signature stands for. The Express' own config has kept
//! one order (`vesc_express main/config/confparser.c:8-42`); it is recognised by fitting exactly. It carries Wi-Fi keys and
//! the hub password in clear, which a view masks.

use super::prelude::*;
use crate::{number::Text, view::Value};

body! {
    /// A part of a config's XML, as GET_CUSTOM_CONFIG_XML asks for it.
    #[derive(Copy)]
    pub struct ConfigXmlRequest {
        always {
            /// Which config; 0 is the only one there is.
            index: i8,
            /// Bytes wanted.
            length: i32,
            /// Where they start.
            offset: i32,
        }
    }
}

body! {
    /// A part of a config's XML, compressed as a whole.
    pub struct ConfigXml {
        always {
            /// Which config.
            index: u8,
            /// Size of the whole, in bytes.
            total: i32,
            /// Where this part starts.
            offset: i32,
            /// The part.
            data: Vec<u8> = Rest::Bytes,
        }
    }
}

body! {
    /// A config: as GET_CUSTOM_CONFIG and its default are answered, and as SET_CUSTOM_CONFIG sends it.
    pub struct CustomConfig {
        always {
            /// Which config; 0 is the only one there is.
            index: u8,
            /// Stands for names, types and order of the fields.
            signature: u32,
            /// The fields, packed.
            data: Vec<u8> = Rest::Config,
        }
    }
}

impl CustomConfig {
    /// The fields of an Express, if these are some.
    #[must_use]
    pub fn express(&self) -> Option<ExpressConfig> {
        ExpressConfig::parse(&self.data)
    }
}

body! {
    /// The config of an Express, in the order of `vesc_express main/config/confparser.c:8-42`.
    pub struct ExpressConfig {
        always {
            /// Its own CAN id.
            can_id: i16,
            /// Index of the CAN baud rate: 2 is 500 kbit/s.
            can_baud_index: u8,
            /// How often it sends its status on CAN, Hz.
            status_rate_hz: i16,
            /// Wi-Fi: 0 off, 1 station, 2 access point.
            wifi_mode: u8,
            /// The network that it joins.
            station_ssid: Text,
            /// The key of that network; secret.
            station_key: Text = Shown::Secret,
            /// The network that it offers.
            access_point_ssid: Text,
            /// The key of that network; secret.
            access_point_key: Text = Shown::Secret,
            /// Whether its own TCP server runs.
            local_tcp: u8 = Shown::Flag,
            /// Whether it logs in to a hub.
            hub: u8 = Shown::Flag,
            /// Host name of the hub.
            hub_url: Text,
            /// Port of the hub.
            hub_port: u16,
            /// Its id at the hub.
            hub_id: Text,
            /// Its password at the hub; secret.
            hub_password: Text = Shown::Secret,
            /// Bluetooth: 0 off, 1 open, 2 encrypted.
            ble_mode: u8,
            /// Its Bluetooth name.
            ble_name: Text,
            /// The Bluetooth pin; secret.
            ble_pin: u32 = Shown::Secret,
            /// How many Bluetooth services scripts may add.
            ble_service_capacity: u32,
            /// How many Bluetooth characteristics and descriptors scripts may add.
            ble_attribute_capacity: u32,
        }
    }
}

impl ExpressConfig {
    /// Reads packed fields; `None` unless they fit exactly.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(CommandId::GET_CUSTOM_CONFIG, data, 0);
        let config = Self::read(&mut reader).ok()?;
        (reader.left() == 0).then_some(config)
    }

    /// The packed fields.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

/// The fields of an Express; other bytes may hold secrets.
pub(super) fn show(name: &'static str, data: &[u8], fields: &mut Fields) {
    match ExpressConfig::parse(data) {
        Some(config) => fields.push("config", config.fields()),
        None => fields.push(name, Value::Masked),
    }
}
