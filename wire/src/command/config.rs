//! Custom configs: reading the XML that describes them, reading and writing them.
//!
//! ```text
//! →  5C | index i8 | length i32 | offset i32           ←  5C | index u8 | total i32 | offset i32 | data
//! →  5D (5E: default) | index i8                       ←  5D (5E) | index u8 | signature u32 | fields
//! →  5F | index i8 | signature u32 | fields            ←  5F
//! ```
//!
//! What the fields are depends on the firmware that the signature stands for. The Express' own config has kept
//! one order (`EX main/config/confparser.c:8-42`); it is recognised by fitting exactly. It carries Wi-Fi keys and
//! the hub password in clear, which a view masks.

use crate::{
    command::CommandId,
    error::DecodeError,
    number::Text,
    reader::{Reader, Wire},
    view::{Fields, Value, View},
};

/// A part of a config's XML, as GET_CUSTOM_CONFIG_XML asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigXmlRequest {
    /// Which config; 0 is the only one there is.
    pub index: i8,
    /// Bytes wanted.
    pub length: i32,
    /// Where they start.
    pub offset: i32,
}

impl ConfigXmlRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            index: reader.get("index")?,
            length: reader.get("length")?,
            offset: reader.get("offset")?,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.index.write(out);
        self.length.write(out);
        self.offset.write(out);
    }
}

impl View for ConfigXmlRequest {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("index", self.index);
        fields.push("length", self.length);
        fields.push("offset", self.offset);
        fields
    }
}

/// A part of a config's XML, compressed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigXml {
    /// Which config.
    pub index: u8,
    /// Size of the whole, in bytes.
    pub total: i32,
    /// Where this part starts.
    pub offset: i32,
    /// The part.
    pub data: Vec<u8>,
}

impl ConfigXml {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            index: reader.get("index")?,
            total: reader.get("total")?,
            offset: reader.get("offset")?,
            data: reader.rest().to_vec(),
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.index.write(out);
        self.total.write(out);
        self.offset.write(out);
        out.extend_from_slice(&self.data);
    }
}

impl View for ConfigXml {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("index", self.index);
        fields.push("total", self.total);
        fields.push("offset", self.offset);
        fields.push("data", Value::Bytes(self.data.clone()));
        fields
    }
}

/// A config: as GET_CUSTOM_CONFIG and its default are answered, and as SET_CUSTOM_CONFIG sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomConfig {
    /// Which config; 0 is the only one there is.
    pub index: u8,
    /// Stands for names, types and order of the fields.
    pub signature: u32,
    /// The fields, packed.
    pub data: Vec<u8>,
}

impl CustomConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            index: reader.get("index")?,
            signature: reader.get("signature")?,
            data: reader.rest().to_vec(),
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.index.write(out);
        self.signature.write(out);
        out.extend_from_slice(&self.data);
    }

    /// The fields of an Express, if these are some.
    #[must_use]
    pub fn express(&self) -> Option<ExpressConfig> {
        ExpressConfig::parse(&self.data)
    }
}

impl View for CustomConfig {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("index", self.index);
        fields.push("signature", self.signature);
        match self.express() {
            Some(config) => fields.push("config", config.fields()),
            // Unknown fields may hold secrets.
            None => fields.push("data", Value::Masked),
        }
        fields
    }
}

/// The config of an Express, in the order of `EX main/config/confparser.c:8-42`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpressConfig {
    /// Its own CAN id.
    pub can_id: i16,
    /// Index of the CAN baud rate: 2 is 500 kbit/s.
    pub can_baud_index: u8,
    /// How often it sends its status on CAN, Hz.
    pub status_rate_hz: i16,
    /// Wi-Fi: 0 off, 1 station, 2 access point.
    pub wifi_mode: u8,
    /// The network that it joins.
    pub station_ssid: Text,
    /// The key of that network; secret.
    pub station_key: Text,
    /// The network that it offers.
    pub access_point_ssid: Text,
    /// The key of that network; secret.
    pub access_point_key: Text,
    /// Whether its own TCP server runs.
    pub local_tcp: u8,
    /// Whether it logs in to a hub.
    pub hub: u8,
    /// Host name of the hub.
    pub hub_url: Text,
    /// Port of the hub.
    pub hub_port: u16,
    /// Its id at the hub.
    pub hub_id: Text,
    /// Its password at the hub; secret.
    pub hub_password: Text,
    /// Bluetooth: 0 off, 1 open, 2 encrypted.
    pub ble_mode: u8,
    /// Its Bluetooth name.
    pub ble_name: Text,
    /// The Bluetooth pin; secret.
    pub ble_pin: u32,
    /// How many Bluetooth services scripts may add.
    pub ble_service_capacity: u32,
    /// How many Bluetooth characteristics and descriptors scripts may add.
    pub ble_attribute_capacity: u32,
}

impl ExpressConfig {
    /// Reads packed fields; `None` unless they fit exactly.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        // The reader counts from a command id that is not part of the fields.
        let mut payload = vec![CommandId::GET_CUSTOM_CONFIG.0];
        payload.extend_from_slice(data);
        let reader = &mut Reader::new(CommandId::GET_CUSTOM_CONFIG, &payload);
        let config = Self::read(reader).ok()?;
        reader.is_empty().then_some(config)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            can_id: reader.get("can_id")?,
            can_baud_index: reader.get("can_baud_index")?,
            status_rate_hz: reader.get("status_rate_hz")?,
            wifi_mode: reader.get("wifi_mode")?,
            station_ssid: reader.text("station_ssid")?,
            station_key: reader.text("station_key")?,
            access_point_ssid: reader.text("access_point_ssid")?,
            access_point_key: reader.text("access_point_key")?,
            local_tcp: reader.get("local_tcp")?,
            hub: reader.get("hub")?,
            hub_url: reader.text("hub_url")?,
            hub_port: reader.get("hub_port")?,
            hub_id: reader.text("hub_id")?,
            hub_password: reader.text("hub_password")?,
            ble_mode: reader.get("ble_mode")?,
            ble_name: reader.text("ble_name")?,
            ble_pin: reader.get("ble_pin")?,
            ble_service_capacity: reader.get("ble_service_capacity")?,
            ble_attribute_capacity: reader.get("ble_attribute_capacity")?,
        })
    }

    /// The packed fields.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let out = &mut Vec::new();
        self.can_id.write(out);
        self.can_baud_index.write(out);
        self.status_rate_hz.write(out);
        self.wifi_mode.write(out);
        self.station_ssid.write_terminated(out);
        self.station_key.write_terminated(out);
        self.access_point_ssid.write_terminated(out);
        self.access_point_key.write_terminated(out);
        self.local_tcp.write(out);
        self.hub.write(out);
        self.hub_url.write_terminated(out);
        self.hub_port.write(out);
        self.hub_id.write_terminated(out);
        self.hub_password.write_terminated(out);
        self.ble_mode.write(out);
        self.ble_name.write_terminated(out);
        self.ble_pin.write(out);
        self.ble_service_capacity.write(out);
        self.ble_attribute_capacity.write(out);
        std::mem::take(out)
    }
}

impl View for ExpressConfig {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("can_id", self.can_id);
        fields.push("can_baud_index", self.can_baud_index);
        fields.push("status_rate_hz", self.status_rate_hz);
        fields.push("wifi_mode", self.wifi_mode);
        fields.push("station_ssid", &self.station_ssid);
        fields.push("station_key", Value::Masked);
        fields.push("access_point_ssid", &self.access_point_ssid);
        fields.push("access_point_key", Value::Masked);
        fields.push("local_tcp", self.local_tcp != 0);
        fields.push("hub", self.hub != 0);
        fields.push("hub_url", &self.hub_url);
        fields.push("hub_port", self.hub_port);
        fields.push("hub_id", &self.hub_id);
        fields.push("hub_password", Value::Masked);
        fields.push("ble_mode", self.ble_mode);
        fields.push("ble_name", &self.ble_name);
        fields.push("ble_pin", Value::Masked);
        fields.push("ble_service_capacity", self.ble_service_capacity);
        fields.push("ble_attribute_capacity", self.ble_attribute_capacity);
        fields
    }
}
