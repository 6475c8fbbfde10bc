//! The XML that describes the config of a simulated Express, so that VESC Tool can show and edit it.
//!
//! ```text
//!  table of fields -> XML -> u32 size, zlib data (Qt's qCompress)  -> GET_CUSTOM_CONFIG_XML, in parts
//!                 \-> signature                                    -> GET_CUSTOM_CONFIG, SET_CUSTOM_CONFIG
//! ```
//!
//! Names, texts and limits are this simulator's own; only the order and the types are those of
//! [`ExpressConfig`](veschub_wire::command::ExpressConfig). The signature is a CRC-32C over name, type, wire type and
//! choices of every field (`VT configparams.cpp:1005-1021`), so it is ours as well and taken for no firmware's.

use std::{fmt::Write as _, io::Write as _, sync::LazyLock};

use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, Crc};
use flate2::{Compression, write::ZlibEncoder};

/// The most bytes of XML that one reply holds (`EX main/commands.c:458-484`).
const MAX_PART: usize = 502;

/// What a field holds; the numbers behind it are VESC Tool's (`VT datatypes.h`).
enum Holds {
    /// A whole number of one of the wire types, and its limits.
    Int(WireType, i64, i64),
    /// A text of at most so many characters.
    Text(usize),
    /// One of these.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Flag,
}

#[derive(Clone, Copy)]
enum WireType {
    U16 = 3,
    I16 = 4,
    U32 = 5,
}

impl Holds {
    fn type_number(&self) -> u8 {
        match self {
            Self::Int(..) => 2,
            Self::Text(_) => 3,
            Self::Choice(_) => 4,
            Self::Flag => 5,
        }
    }

    fn wire_type_number(&self) -> u8 {
        match self {
            Self::Int(wire_type, ..) => *wire_type as u8,
            _ => 0,
        }
    }

    fn choices(&self) -> &'static [&'static str] {
        match self {
            Self::Choice(choices) => choices,
            _ => &[],
        }
    }
}

struct Field {
    group: &'static str,
    name: &'static str,
    title: &'static str,
    holds: Holds,
    about: &'static str,
}

const fn field(
    group: &'static str,
    name: &'static str,
    title: &'static str,
    holds: Holds,
    about: &'static str,
) -> Field {
    Field {
        group,
        name,
        title,
        holds,
        about,
    }
}

const RADIO: &[&str] = &["Off", "Joins a network", "Offers a network"];
const BAUD: &[&str] = &[
    "125 kbit/s",
    "250 kbit/s",
    "500 kbit/s",
    "1000 kbit/s",
    "10 kbit/s",
    "20 kbit/s",
    "50 kbit/s",
    "75 kbit/s",
    "100 kbit/s",
];
const BLUETOOTH: &[&str] = &["Off", "Open", "With pin"];

/// The fields in the order of the wire, a line each.
#[rustfmt::skip]
const FIELDS: [Field; 19] = {
    use Holds::{Choice, Flag, Int, Text};
    use WireType::{I16, U16, U32};
    [
        field("CAN", "can_id", "CAN id", Int(I16, 0, 254), "The id of this device on the CAN bus."),
        field("CAN", "can_baud_index", "Bit rate", Choice(BAUD), "All devices on a bus need the same."),
        field("CAN", "status_rate_hz", "Status rate", Int(I16, 0, 1000), "How often a status is sent, Hz."),
        field("Wi-Fi", "wifi_mode", "Mode", Choice(RADIO), "What the radio does."),
        field("Wi-Fi", "station_ssid", "Network to join", Text(32), "Its name."),
        field("Wi-Fi", "station_key", "Key of that network", Text(63), "Secret."),
        field("Wi-Fi", "access_point_ssid", "Network to offer", Text(32), "Its name."),
        field("Wi-Fi", "access_point_key", "Key of the offered network", Text(63), "Secret."),
        field("Hub", "local_tcp", "Own TCP server", Flag, "Whether tools may connect without a hub."),
        field("Hub", "hub", "Log in to a hub", Flag, "Whether tools may connect through a hub."),
        field("Hub", "hub_url", "Host", Text(35), "Where the hub is."),
        field("Hub", "hub_port", "Port", Int(U16, 0, 65_535), "Where the hub listens."),
        field("Hub", "hub_id", "Id", Text(25), "What this device is called at the hub."),
        field("Hub", "hub_password", "Password", Text(25), "What tools must know."),
        field("Bluetooth", "ble_mode", "Mode", Choice(BLUETOOTH), "What the radio does."),
        field("Bluetooth", "ble_name", "Name", Text(8), "What phones see."),
        field("Bluetooth", "ble_pin", "Pin", Int(U32, 0, 999_999), "What phones are asked for."),
        field("Bluetooth", "ble_service_capacity", "Services", Int(U32, 0, 64), "How many scripts may add."),
        field("Bluetooth", "ble_attribute_capacity", "Attributes", Int(U32, 0, 256), "How many scripts may add."),
    ]
};

/// The XML, packed as VESC Tool wants it.
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| pack(&xml()));

/// Identifies the XML: VESC Tool keeps it by this number and asks for it again when the number is another one.
static CACHE_KEY: LazyLock<u32> =
    LazyLock::new(|| Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(xml().as_bytes()));

static SIGNATURE: LazyLock<u32> = LazyLock::new(|| {
    let mut told = String::new();
    for Field { name, holds, .. } in &FIELDS {
        told += name;
        told += &holds.type_number().to_string();
        told += &holds.wire_type_number().to_string();
        told.extend(holds.choices().iter().copied());
    }
    Crc::<u32>::new(&CRC_32_ISCSI).checksum(told.as_bytes())
});

/// Stands for order, names and types of the fields.
pub(super) fn signature() -> u32 {
    *SIGNATURE
}

/// A number that changes with the XML and is not 0.
pub fn cache_key() -> u32 {
    *CACHE_KEY
}

/// Size of the packed XML, in bytes.
pub(super) fn size() -> usize {
    PACKED.len()
}

/// A part of the packed XML; none where firmware stays silent (`EX main/commands.c:458-484`). What it does with
/// negative numbers is undefined; here it is silence.
pub(super) fn part(length: i32, offset: i32) -> Option<&'static [u8]> {
    let length = usize::try_from(length).ok().filter(|&l| l <= MAX_PART)?;
    let offset = usize::try_from(offset).ok()?;
    PACKED.get(offset..)?.get(..length)
}

fn pack(xml: &str) -> Vec<u8> {
    let size = u32::try_from(xml.len()).unwrap_or(u32::MAX);
    let mut packed = size.to_be_bytes().to_vec();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    if encoder.write_all(xml.as_bytes()).is_ok()
        && let Ok(data) = encoder.finish()
    {
        packed.extend(data);
    }
    packed
}

fn xml() -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ConfigParams><Params>\n");
    // VESC Tool shows the config under this name; it is not part of the fields.
    xml += "<hw_name><longName>Hardware</longName><type>3</type><transmittable>0</transmittable>";
    xml += "<valString>Simulated Express</valString></hw_name>\n";
    for field in &FIELDS {
        describe(&mut xml, field);
    }
    xml += "</Params>\n<SerOrder>\n";
    for field in &FIELDS {
        let _ = write!(xml, "<ser>{}</ser>", field.name);
    }
    xml += "\n</SerOrder>\n<Grouping>\n";
    for members in FIELDS.chunk_by(|one, next| one.group == next.group) {
        let group = members.first().map_or("", |field| field.group);
        let _ = write!(xml, "<group><groupName>{group}</groupName><subgroup>");
        xml += "<subgroupName>General</subgroupName><subgroupParams>";
        for field in members {
            let _ = write!(xml, "<param>{}</param>", field.name);
        }
        xml += "</subgroupParams></subgroup></group>\n";
    }
    xml += "</Grouping></ConfigParams>\n";
    xml
}

fn describe(xml: &mut String, field: &Field) {
    let (name, title, about) = (field.name, field.title, field.about);
    let number = field.holds.type_number();
    let _ = write!(
        xml,
        "<{name}><longName>{title}</longName><type>{number}</type>"
    );
    let _ = write!(
        xml,
        "<transmittable>1</transmittable><description>{about}</description>"
    );
    let _ = write!(xml, "<cDefine>SIM_{}</cDefine>", name.to_uppercase());
    match field.holds {
        Holds::Int(wire_type, least, most) => {
            let _ = write!(xml, "<maxInt>{most}</maxInt><minInt>{least}</minInt>");
            let wire_type = wire_type as u8;
            let _ = write!(
                xml,
                "<stepInt>1</stepInt><valInt>{least}</valInt><vTx>{wire_type}</vTx>"
            );
        }
        Holds::Text(length) => {
            let _ = write!(xml, "<valString></valString><maxLen>{length}</maxLen>");
        }
        Holds::Choice(choices) => {
            *xml += "<valInt>0</valInt>";
            for choice in choices {
                let _ = write!(xml, "<enumNames>{choice}</enumNames>");
            }
        }
        Holds::Flag => *xml += "<valInt>0</valInt>",
    }
    let _ = writeln!(xml, "</{name}>");
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;
    use veschub_wire::{command::ExpressConfig, view::View};

    use super::*;

    fn unpacked() -> String {
        let (size, data) = PACKED.split_at(4);
        let mut text = String::new();
        ZlibDecoder::new(data).read_to_string(&mut text).unwrap();
        assert_eq!(size, (text.len() as u32).to_be_bytes());
        text
    }

    /// The texts of all elements of a name.
    fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let after_open = xml.split(open.as_str()).skip(1);
        after_open
            .map(|rest| rest.split(close.as_str()).next().unwrap())
            .collect()
    }

    #[test]
    fn the_packed_xml_unpacks_to_the_elements_that_vesc_tool_wants() {
        let xml = unpacked();
        for element in ["ConfigParams", "Params", "SerOrder", "Grouping", "hw_name"] {
            assert_eq!(texts(&xml, element).len(), 1, "{element}");
        }
        assert_eq!(xml.matches('<').count(), xml.matches('>').count());
        assert_eq!(xml.matches("</").count() * 2 + 1, xml.matches('<').count());
    }

    #[test]
    fn the_order_is_that_of_the_fields_on_the_wire() {
        let fields = ExpressConfig::default().fields();
        let wire: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
        assert_eq!(texts(&unpacked(), "ser"), wire);
        assert_eq!(texts(&unpacked(), "param"), wire, "each stands in a group");
    }

    #[test]
    fn the_signature_computed_from_the_xml_is_the_one_that_is_sent() {
        let xml = unpacked();
        let mut told = String::new();
        for name in texts(&xml, "ser") {
            let body = texts(&xml, name)[0];
            told += name;
            told += texts(body, "type")[0];
            told += texts(body, "vTx").first().copied().unwrap_or("0");
            told.extend(texts(body, "enumNames"));
        }
        let crc = Crc::<u32>::new(&CRC_32_ISCSI);
        assert_eq!(crc.checksum(told.as_bytes()), signature());
        assert_eq!(crc.checksum(b"123456789"), 0xE306_9283, "it is CRC-32C");
    }

    #[test]
    fn parts_join_to_the_whole_and_impossible_ones_get_no_answer() {
        let mut joined: Vec<u8> = Vec::new();
        while joined.len() < size() {
            let length = 400.min(size() - joined.len());
            joined.extend(part(length as i32, joined.len() as i32).unwrap());
        }
        assert_eq!(joined, *PACKED);
        let size = size() as i32;
        for (length, offset) in [(503, 0), (10, size - 9), (-1, 0), (1, -1), (0, size + 1)] {
            assert_eq!(part(length, offset), None, "{length} at {offset}");
        }
        assert_eq!(part(0, size), Some(&[][..]));
        assert!(part(502, 0).is_some());
    }
}
