//! Secrets in other forms than that of their field: in compressed XML, in another case, split, as hex, base64 or numbers,
//! as an IPv6 address in any notation; and what packet headers tell of a host.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../../tests/common/mod.rs"]
mod common;

use std::io::{Read as _, Write as _};
use std::net::Ipv6Addr;

use common::{frame, pcap, read, records};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use veschub_scrub::{Keep, Location, Scrubbed, Secret, audit, is_placeholder, scrub};
use veschub_transcript::Side::{self, Initiator, Responder};
use veschub_transcript::read::pcap::Record;
use veschub_transcript::write::{Endpoints, SessionWriter};
use veschub_transcript::{Kind, Transcript};
use veschub_wire::command::{ConfigXml, CustomConfig, ExpressConfig};
use veschub_wire::{CommandId, Reply};

const ID: &str = "Bike-4711";
const PASSWORD: &str = "hunter2-hunter2";
const KEY: &str = "correct <horse> & battery";
const ONLY_IN_XML: &str = "a key of its own";
const MAC: [u8; 6] = [0xA4, 0xE5, 0x7C, 0x11, 0x02, 0x33];
const LOGIN: &[u8] = b"VESCTOOL:Bike-4711:hunter2-hunter2\n";

fn session(said: &[(Side, Vec<u8>)]) -> Vec<u8> {
    let tool = "192.168.178.21:40000".parse().unwrap();
    let ends = Endpoints::new(tool, "10.8.0.7:65101".parse().unwrap());
    let mut session = SessionWriter::new(Vec::new(), ends, 1_700_000_000_000_000_000).unwrap();
    session.open(0).unwrap();
    for (index, (side, bytes)) in said.iter().enumerate() {
        session
            .data(index as u64 * 1_000_000, *side, bytes)
            .unwrap();
    }
    session.finish().unwrap()
}

fn config() -> Vec<u8> {
    let config = ExpressConfig {
        station_key: KEY.into(),
        hub_id: ID.into(),
        hub_password: PASSWORD.into(),
        ..ExpressConfig::default()
    };
    let config = CustomConfig {
        index: 0,
        signature: 7,
        data: config.pack(),
    };
    frame(&Reply::CustomConfig(config).encode())
}

fn version() -> Vec<u8> {
    let mut payload = b"\0\x06\x05VESC Express T\0".to_vec();
    payload.extend(MAC);
    payload.extend([0; 8]);
    frame(&payload)
}

fn print(text: &[u8]) -> Vec<u8> {
    frame(&[&[CommandId::PRINT.0], text].concat())
}

/// A login, a config, a version and what else is said.
fn with(said: impl IntoIterator<Item = (Side, Vec<u8>)>) -> Vec<u8> {
    let mut all = vec![
        (Initiator, LOGIN.to_vec()),
        (Responder, config()),
        (Responder, version()),
    ];
    all.extend(said);
    session(&all)
}

/// Scrubs, and says that scrubbing again changes nothing.
fn scrubbed(file: &[u8]) -> Scrubbed {
    let new = scrub(file, Keep::default()).unwrap();
    assert!(scrub(new.file.as_slice(), Keep::default()).unwrap().file == new.file);
    assert!(audit(new.file.as_slice()).unwrap().is_clean());
    let shape = |file: &[u8]| -> Vec<_> {
        let told = read(file).unwrap().entries.into_iter();
        told.map(|entry| (entry.offset, entry.kind.stream_len(), entry.kind_name()))
            .collect()
    };
    assert_eq!(shape(file), shape(&new.file));
    new
}

fn prints(transcript: &Transcript) -> Vec<u8> {
    let frames = transcript.entries.iter().filter_map(|entry| entry.frame());
    let prints = frames.filter(|frame| frame.command() == CommandId::PRINT);
    prints
        .flat_map(|frame| frame.payload[1..].to_vec())
        .collect()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// What is printed of a text once it is scrubbed.
fn printed(text: &str) -> String {
    let new = scrubbed(&with([(Responder, print(text.as_bytes()))]));
    String::from_utf8(prints(&read(&new.file).unwrap())).unwrap()
}

fn pairs(text: &[u8], separator: &str) -> String {
    let pairs: Vec<String> = text.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(separator)
}

fn numbers(bytes: &[u8], separator: &str) -> String {
    let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    numbers.join(separator)
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (0..(bytes.len() * 8).div_ceil(6))
        .map(|letter| (0..6).fold(0, |sum, at| sum << 1 | bit(letter * 6 + at)))
        .map(|value: u8| char::from(LETTERS[usize::from(value)]))
        .collect()
}

#[test]
fn an_id_is_found_in_any_case_and_with_blanks() {
    for id in ["bIkE-4711", "BIKE-4711", "bike-4711", "Bike - 47 11"] {
        let told = printed(&format!("I am {id}."));
        let told = told.replace(' ', "");
        assert_eq!(told, "Iamdemo-0001.", "{id}");
    }
    assert_eq!(printed("HUNTER2-hunter2"), "not-a-000000001");
}

#[test]
fn a_secret_is_found_as_hex_as_base64_and_as_a_list_of_numbers() {
    let hex = |text: &str| pairs(text.as_bytes(), "");
    assert_eq!(printed(&hex(ID)), hex("demo-0001"));
    assert_eq!(
        printed(&format!("a{}f", hex(ID))),
        format!("a{}f", hex("demo-0001"))
    );
    assert_eq!(
        printed(&hex(ID).to_uppercase()),
        hex("demo-0001").to_uppercase()
    );
    for separator in [" ", ":", ", ", ", 0x", "\\x"] {
        let told = printed(&pairs(PASSWORD.as_bytes(), separator));
        assert_eq!(told, pairs(b"not-a-000000001", separator));
    }
    for before in ["", "a", "bc", "xyz", "VESCTOOL:"] {
        let told = printed(&base64(format!("{before}{PASSWORD}:").as_bytes()));
        assert_eq!(
            told,
            base64(format!("{before}not-a-000000001:").as_bytes()),
            "{before}"
        );
    }
    let told = printed(&format!("({})", numbers(ID.as_bytes(), " ")));
    assert_eq!(told.len(), 2 + numbers(ID.as_bytes(), " ").len());
    let bytes: Vec<u8> = told[1..told.len() - 1]
        .split(' ')
        .map(|one| one.parse().unwrap())
        .collect();
    assert!(bytes == b"demo-0001" || bytes == [0; 9], "{told}");
}

#[test]
fn a_mac_address_is_found_in_every_notation() {
    assert_eq!(printed("A4E57C110233"), "02DE30000001");
    assert_eq!(printed("a4:e5:7c:11:2:33"), "02:de:30:00:0:01");
    assert_eq!(
        printed("card 164, 229, 124, 17, 2, 51"),
        "card 002, 222, 048, 00, 0, 01"
    );
    assert_eq!(printed("164.229.124.17.2.51"), "002.222.048.00.0.01");
    // As a part of an IPv6 address.
    let told = printed("fe80::a6e5:7cff:fe11:233");
    assert_eq!(
        told.parse::<Ipv6Addr>().unwrap(),
        "fe80::de:30ff:fe00:1".parse::<Ipv6Addr>().unwrap()
    );
}

#[test]
fn a_secret_that_is_split_over_two_prints_is_found() {
    let forms = [
        PASSWORD.to_owned(),
        ID.to_lowercase(),
        pairs(PASSWORD.as_bytes(), ""),
        pairs(ID.as_bytes(), " "),
        base64(PASSWORD.as_bytes()),
        "164 229 124 17 2 51".to_owned(),
    ];
    for form in forms {
        for cut in 1..form.len() {
            let (one, two) = form.split_at(cut);
            let said = [
                (Responder, print(format!("so {one}").as_bytes())),
                (Responder, frame(&common::bms_reply(80))),
                (Responder, print(format!("{two} it is").as_bytes())),
            ];
            let new = scrubbed(&with(said));
            let told = prints(&read(&new.file).unwrap());
            assert!(!contains(&told, form.as_bytes()), "{form} cut at {cut}");
            // Not even most of it.
            assert!(
                !contains(&told, &form.as_bytes()[cut / 2..][..form.len() / 2]),
                "{form} cut at {cut}"
            );
        }
    }
    // With an end of line where it is split.
    let said = [
        (Responder, print(b"hunter2-hu\r\n\0")),
        (Responder, print(b"nter2\n")),
    ];
    let told = prints(&read(&scrubbed(&with(said)).file).unwrap());
    assert_eq!(told, b"not-a-0000\r\n\0\x30\x30\x30\x30\x31\n");
}

fn xml() -> String {
    let escaped = KEY
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<ConfigParams><Params>\n");
    let values = [
        ("wifi_sta_key", escaped.as_str()),
        ("wifi_ap_key", ONLY_IN_XML),
        ("tcp_hub_pass", PASSWORD),
        ("hw_name", "VESC Express T"),
    ];
    for (name, value) in values {
        xml += &format!(
            "<{name}><longName>{name}</longName><type>3</type><description>What {name} is.</description>\
             <valString>{value}</valString></{name}>\n"
        );
    }
    xml += &format!("<note><description>of {ID}</description></note></Params></ConfigParams>\n");
    xml
}

fn packed(xml: &str, level: u32) -> Vec<u8> {
    let mut packed = (xml.len() as u32).to_be_bytes().to_vec();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(xml.as_bytes()).unwrap();
    packed.extend(encoder.finish().unwrap());
    packed
}

fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    ZlibDecoder::new(&packed[4..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(packed[..4], (text.len() as u32).to_be_bytes());
    text
}

/// The replies with an XML: as VESC Tool asks for it, the first bytes and then parts.
fn xml_replies(packed: &[u8], size: usize) -> Vec<(Side, Vec<u8>)> {
    let mut at = 0;
    let mut replies = Vec::new();
    while at < packed.len() {
        let len = if at == 0 { 10 } else { size };
        let data = packed[at..packed.len().min(at + len)].to_vec();
        let part = ConfigXml {
            index: 0,
            total: packed.len() as i32,
            offset: at as i32,
            data,
        };
        at += part.data.len();
        replies.push((Responder, frame(&Reply::CustomConfigXml(part).encode())));
    }
    replies
}

/// The XML that a capture holds.
fn xml_of(transcript: &Transcript) -> Vec<u8> {
    let mut all = Vec::new();
    for frame in transcript.entries.iter().filter_map(|entry| entry.frame()) {
        if frame.command() == CommandId::GET_CUSTOM_CONFIG_XML
            && let Reply::CustomConfigXml(part) = Reply::decode(&frame.payload).unwrap().body
        {
            all.resize(part.total as usize, 0xEE);
            all[part.offset as usize..][..part.data.len()].copy_from_slice(&part.data);
        }
    }
    all
}

#[test]
fn secrets_in_the_compressed_xml_of_a_config_are_replaced_and_it_keeps_its_size() {
    for (level, size) in [(1, 400), (6, 400), (9, 400), (9, 37), (9, 1)] {
        let old = packed(&xml(), level);
        let new = scrubbed(&with(xml_replies(&old, size)));
        let transcript = read(&new.file).unwrap();
        let told = xml_of(&transcript);
        assert_eq!(told.len(), old.len(), "{level}");
        let text = unpacked(&told);
        for secret in [PASSWORD, "horse", ONLY_IN_XML, ID] {
            assert!(!text.contains(secret), "{level}: {text}");
        }
        // The same placeholders as everywhere.
        let login = transcript.logins().next().unwrap().line.clone().unwrap();
        let password = login.password.reveal();
        assert!(text.contains(&format!("<valString>{password}</valString>")));
        let config = transcript
            .entries
            .iter()
            .filter_map(|entry| entry.frame())
            .find_map(|frame| match Reply::decode(&frame.payload).unwrap().body {
                Reply::CustomConfig(config) => config.express(),
                _ => None,
            });
        let key = config.unwrap().station_key.to_string();
        assert!(is_placeholder(key.as_bytes()));
        assert!(
            text.contains(&format!("<valString>{key}</valString>")),
            "{text}"
        );
        assert!(text.contains("<valString>VESC Express T</valString>"));
        let found = new
            .report
            .replaced
            .iter()
            .filter(|found| found.place == Location::ConfigXml);
        assert!(found.count() >= 2);
    }
}

#[test]
fn an_xml_that_cannot_be_read_becomes_zeros() {
    let old = packed(&xml(), 9);
    let mut replies = xml_replies(&old, 50);
    replies.remove(2);
    let new = scrubbed(&with(replies));
    let frames = read(&new.file).unwrap().entries.into_iter();
    for frame in frames.filter_map(|entry| entry.frame().cloned()) {
        if frame.command() == CommandId::GET_CUSTOM_CONFIG_XML {
            assert!(frame.payload[10..].iter().all(|&byte| byte == 0));
        }
    }
    // One without a secret stays to the byte.
    let old = packed("<ConfigParams><Params></Params></ConfigParams>", 9);
    let new = scrubbed(&with(xml_replies(&old, 50)));
    assert_eq!(xml_of(&read(&new.file).unwrap()), old);
}

/// The packets with other bytes before what TCP carries.
fn with_headers(file: &[u8], head: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Vec<u8> {
    let changed = records(file).into_iter().map(|record| {
        let data = head(&record.data[..34], &record.data[34..]);
        Record {
            link: veschub_transcript::read::link::LinkType::ETHERNET,
            original_len: data.len() as u32,
            data,
            ..record
        }
    });
    let changed: Vec<Record> = changed.collect();
    pcap(&changed, false, true)
}

#[test]
fn ipv6_addresses_are_found_in_every_notation() {
    let tool: Ipv6Addr = "2a02:8070:0:1:0:0:ab:cd".parse().unwrap();
    let hub: Ipv6Addr = "2a00:1450:4001:802::200e".parse().unwrap();
    let notations = [
        "2a02:8070:0:1::ab:cd",
        "2a02:8070:0000:0001:0000:0000:00ab:00cd",
        "2A02:8070:0:1:0:0:AB:CD",
        "2a02:8070::1:0:0:ab:cd",
        "2a02:8070:0:1:0:0:0.171.0.205",
        "2a021450",
    ];
    let text = format!(
        "at {} or [{}]:65101",
        notations.join(" or "),
        "2a00:1450:4001:0802::200E"
    );
    let file = with([(Responder, print(text.as_bytes()))]);
    let file = with_headers(&file, |head, tcp| {
        let is_tool = head[26..30] == [192, 168, 178, 21];
        let (from, to) = if is_tool { (tool, hub) } else { (hub, tool) };
        let mut data = head[..12].to_vec();
        // Version, flow label, length, TCP, hops.
        data.extend([0x86, 0xDD, 0x60, 0x03, 0x12, 0x34]);
        data.extend((tcp.len() as u16).to_be_bytes());
        data.extend([6, 64]);
        data.extend(from.octets());
        data.extend(to.octets());
        data.extend(tcp);
        data
    });
    let new = scrubbed(&file);
    let told = String::from_utf8(prints(&read(&new.file).unwrap())).unwrap();
    assert_eq!(told.len(), text.len());
    for notation in notations[..5].iter().chain(&["2a00:1450:4001:0802::200E"]) {
        assert!(!told.contains(notation), "{told}");
    }
    let is_of = |part: &str| {
        part.parse::<Ipv6Addr>()
            .is_ok_and(|ip| ip.segments()[..2] == [0x2001, 0xDB8])
    };
    let parts = told.split([' ', '[', ']']).filter(|part| is_of(part));
    assert!(parts.count() >= 6, "{told}");
    for record in records(&new.file) {
        assert_eq!(record.data[14..18], [0x60, 0, 0, 0]);
    }
    let found = |what| new.report.replaced.iter().any(|found| found.what == what);
    assert!(found(Secret::PacketNumber));
}

#[test]
fn the_clock_and_the_packet_numbers_of_a_host_are_removed() {
    let clock = b"\x01\x01\x08\x0A\x12\x34\x56\x78\x9A\xBC\xDE\xF0";
    let file = with_headers(&with([]), |head, tcp| {
        let mut head = head.to_vec();
        let len = u16::from_be_bytes([head[16], head[17]]) + clock.len() as u16;
        head[16..18].copy_from_slice(&len.to_be_bytes());
        head[18..20].copy_from_slice(b"\x47\x11");
        let options = usize::from(tcp[12] >> 4) * 4;
        let mut tcp = tcp.to_vec();
        tcp[12] += (clock.len() as u8 / 4) << 4;
        tcp.splice(options..options, clock.iter().copied());
        [head, tcp].concat()
    });
    assert!(!audit(file.as_slice()).unwrap().is_clean());
    let new = scrubbed(&file);
    for record in records(&new.file) {
        assert_eq!(record.data[18..20], [0, 0]);
        assert!(!contains(&record.data, &clock[4..8]) && !contains(&record.data, &clock[8..]));
    }
    for what in [Secret::HostClock, Secret::PacketNumber] {
        assert!(
            new.report.replaced.iter().any(|found| found.what == what),
            "{what}"
        );
    }
    let logins = read(&new.file).unwrap().entries.into_iter();
    assert_eq!(
        logins
            .filter(|entry| matches!(entry.kind, Kind::Login(_)))
            .count(),
        1
    );
}
