//! Scrubbing: no secret is left, and all that is not secret stays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../../tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{frame, pcap, read, records, session};
use etherparse::PacketBuilder;
use proptest::prelude::*;
use veschub_scrub::{
    Dropped, Keep, Location, START_NS, ScrubError, Secret, Unparsed, audit, is_placeholder, scrub,
};
use veschub_transcript::Side::{self, Initiator, Responder};
use veschub_transcript::read::pcap::Record;
use veschub_transcript::write::{Endpoints, SessionWriter};
use veschub_transcript::{Direction, Kind, Transcript};
use veschub_wire::command::{CustomConfig, ExpressConfig, FwVersion};
use veschub_wire::{Reply, Request};

const MS: u64 = 1_000_000;
const ID: &str = "Bike-4711";
const PASSWORD: &str = "hunter2-hunter2";
const SSID: &str = "Elm Street 5";
const KEY: &str = "correct horse battery";
const AP_KEY: &str = "1234abcd";
const HOST: &str = "hub.my-own.org";
const BLE: &str = "MyBike";
const PIN: u32 = 271_828;
const MAC: [u8; 6] = [0xA4, 0xE5, 0x7C, 0x11, 0x22, 0x33];
const UUID: [u8; 12] = *b"\x37\x00\x41\x00\x0FQ90\x36384";
const TOOL_IP: &str = "192.168.178.21";
const HUB_IP: &str = "10.8.0.7";

fn endpoints(mss: u16) -> Endpoints {
    let tool = format!("{TOOL_IP}:40000").parse().unwrap();
    let hub = format!("{HUB_IP}:65101").parse().unwrap();
    Endpoints {
        mss,
        ..Endpoints::new(tool, hub)
    }
}

fn config() -> CustomConfig {
    let config = ExpressConfig {
        can_id: 2,
        station_ssid: SSID.into(),
        station_key: KEY.into(),
        access_point_ssid: "".into(),
        access_point_key: AP_KEY.into(),
        hub_url: HOST.into(),
        hub_port: 65_101,
        hub_id: ID.into(),
        hub_password: PASSWORD.into(),
        ble_name: BLE.into(),
        ble_pin: PIN,
        ..ExpressConfig::default()
    };
    CustomConfig {
        index: 0,
        signature: 7,
        data: config.pack(),
    }
}

fn version(uuid: [u8; 12]) -> Vec<u8> {
    let version = FwVersion {
        major: 6,
        minor: 5,
        hardware: Some("VESC Express T".into()),
        uuid: Some(uuid),
        paired: Some(0),
        ..FwVersion::default()
    };
    Reply::FwVersion(version).encode()
}

/// What is said, by whom; secrets in every place where they may stand.
fn said() -> Vec<(Side, Vec<u8>)> {
    let mut express = [0; 12];
    express[..6].copy_from_slice(&MAC);
    let set = Request::forward(9, &Request::SetCustomConfig(config()));
    let print = format!(
        "\x15joined {SSID} with {KEY} as {TOOL_IP}, id {}",
        ID.to_uppercase()
    );
    let mac = "\x15card A4:E5:7C:11:22:33, pin 271828, a4e57c112233".to_owned();
    let mut broken = frame(&Reply::CustomConfig(config()).encode());
    let last = broken.len() - 2;
    broken[last] ^= 1;
    vec![
        (
            Initiator,
            format!("VESCTOOL:{ID}:{PASSWORD}\n").into_bytes(),
        ),
        (Initiator, frame(&[0])),
        (Responder, frame(&version(express))),
        (Initiator, frame(&[93, 0])),
        (Responder, frame(&Reply::CustomConfig(config()).encode())),
        (Initiator, frame(&[34, 84, 0])),
        (Responder, frame(&version(UUID))),
        (Initiator, frame(&set.encode())),
        (Responder, frame(&[95])),
        (Responder, frame(print.as_bytes())),
        (Responder, frame(mac.as_bytes())),
        (
            Initiator,
            frame(&Request::TerminalCmd(format!("wifi {KEY}").into()).encode()),
        ),
        (Responder, broken),
        (Initiator, frame(b"\xC8an unknown command")),
        (Initiator, frame(&[96])),
        (Responder, frame(&common::bms_reply(80))),
    ]
}

fn write(said: &[(Side, Vec<u8>)], mss: u16) -> Vec<u8> {
    let at = 1_700_000_123_456_789_000;
    let mut session = SessionWriter::new(Vec::new(), endpoints(mss), at).unwrap();
    session.open(0).unwrap();
    for (index, (side, bytes)) in said.iter().enumerate() {
        let at = (index as u64 + 1) * 37 * MS + index as u64 * 1_000;
        session.data(at, *side, bytes).unwrap();
        session.ack(at + MS, side.other()).unwrap();
    }
    session.close(3_000 * MS, Initiator).unwrap();
    session.close(3_001 * MS, Responder).unwrap();
    session.ack(3_001 * MS, Initiator).unwrap();
    session.finish().unwrap()
}

/// The session as an Ethernet pcap between two real cards.
fn recorded(mss: u16) -> Vec<u8> {
    let mut records = records(&write(&said(), mss));
    for record in &mut records {
        let (to, from) = record.data[..12].split_at_mut(6);
        for mac in [to, from] {
            let last = mac[5];
            mac.copy_from_slice(&MAC);
            mac[5] = if last == 1 { MAC[5] } else { 0x99 };
        }
    }
    pcap(&records, false, false)
}

fn secrets() -> Vec<Vec<u8>> {
    let texts = [
        ID,
        &ID.to_uppercase(),
        PASSWORD,
        SSID,
        KEY,
        AP_KEY,
        HOST,
        BLE,
        TOOL_IP,
        HUB_IP,
        "271828",
        "A4:E5:7C:11:22:33",
        "a4e57c112233",
        "unknown command",
    ]
    .map(|text| text.as_bytes().to_vec());
    let raw = [
        &MAC[..],
        &UUID,
        &PIN.to_be_bytes(),
        &[192, 168, 178, 21],
        &[10, 8, 0, 7],
    ];
    texts.into_iter().chain(raw.map(<[u8]>::to_vec)).collect()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn scrubbed(file: &[u8]) -> Vec<u8> {
    scrub(file, Keep::default()).unwrap().file
}

/// All that scrubbing must leave as it is.
fn shape(transcript: &Transcript) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    // Noise comes in pieces, whose borders depend on its contents; what lies between has offsets.
    let told = transcript.entries.iter();
    let told = told.filter(|entry| !matches!(entry.kind, Kind::Noise(_)));
    let told = told.map(|entry| {
        let command = entry.frame().map(|frame| frame.command());
        (
            (entry.at_ns, entry.connection, entry.direction, entry.offset),
            (entry.kind_name(), command, entry.kind.stream_len()),
        )
    });
    told.collect()
}

fn assert_no_secret_in(file: &[u8]) {
    let mut streams = vec![file.to_vec()];
    for entry in read(file).unwrap().entries {
        streams.push(match entry.kind {
            Kind::Frame(frame) => frame.payload,
            Kind::Login(login) => login.raw.reveal().to_vec(),
            Kind::Noise(noise) => noise.bytes,
            _ => continue,
        });
    }
    for secret in secrets() {
        for stream in &streams {
            assert!(!contains(stream, &secret), "{}", secret.escape_ascii());
        }
    }
}

#[test]
fn no_secret_is_left_however_the_segments_are_cut() {
    for mss in [1460, 61, 7, 1] {
        let file = recorded(mss);
        let new = scrubbed(&file);
        assert_eq!(new.len(), file.len());
        assert_no_secret_in(&new);
        let (before, after) = (read(&file).unwrap(), read(&new).unwrap());
        assert_eq!(shape(&before), shape(&after), "{mss}");
        assert_eq!(after.start_ns, Some(START_NS));
    }
}

#[test]
fn the_same_secret_gets_the_same_placeholder_everywhere() {
    let new = read(&scrubbed(&recorded(1460))).unwrap();
    let login = new.logins().next().unwrap().line.clone().unwrap();
    let mut configs = Vec::new();
    let mut prints = Vec::new();
    for entry in &new.entries {
        let Some(frame) = entry.frame() else { continue };
        if entry.direction == Some(Direction::ToTool) {
            match Reply::decode(&frame.payload).unwrap().body {
                Reply::CustomConfig(config) => configs.push(config.express().unwrap()),
                Reply::Print(text) => prints.push(String::from_utf8(text).unwrap()),
                _ => {}
            }
        } else if let Some(Ok(inner)) = Request::decode(&frame.payload).unwrap().body.forwarded()
            && let Request::SetCustomConfig(config) = inner.body
        {
            configs.push(config.express().unwrap());
        }
    }
    let [config, set] = &configs[..] else {
        panic!("{} configs", configs.len());
    };
    assert_eq!(config, set);
    assert_eq!(config.hub_id.to_string().to_uppercase(), login.id);
    assert_eq!(config.hub_password.to_string(), login.password.reveal());
    let tool = new.connections[0].tool.ip();
    assert_eq!(
        prints[0],
        format!(
            "joined {} with {} as {tool}, id {}",
            config.station_ssid, config.station_key, config.hub_id
        )
    );
    assert_eq!(
        prints[1],
        "card 02:DE:30:00:00:01, pin 111111, 02de30000001"
    );
    for text in [
        &config.station_ssid,
        &config.station_key,
        &config.access_point_key,
    ] {
        assert!(is_placeholder(text.as_bytes()), "{text}");
    }
    assert_eq!(config.access_point_ssid.as_bytes(), b"");
}

#[test]
fn scrubbing_again_changes_nothing() {
    let sources = [
        recorded(1460),
        recorded(3),
        write(&said(), 1460),
        session(common::endpoints()),
    ];
    for file in sources {
        let once = scrubbed(&file);
        let again = scrub(once.as_slice(), Keep::default()).unwrap();
        assert!(again.file == once);
        assert!(again.report.is_clean(), "{:?}", again.report);
        assert_eq!(again.report.blanked_bytes, []);
        assert!(!audit(file.as_slice()).unwrap().is_clean());
    }
}

/// A session without its beginning, which reads differently once some of it is blanked.
#[test]
fn a_session_that_reads_differently_once_it_is_scrubbed_is_scrubbed_to_its_end() {
    let hub = format!("{HUB_IP}:80").parse().unwrap();
    let ends = Endpoints::new(format!("{TOOL_IP}:40000").parse().unwrap(), hub);
    let mut session = SessionWriter::new(Vec::new(), ends, START_NS).unwrap();
    let said = [
        (
            Responder,
            &b"\0\x60:\x5d\x60\0\xff\x03\x04\x60\x60\x60\x01\x03:\x60"[..],
        ),
        (
            Responder,
            b"\x02:\0\x03\x03\nV\x01V\x01V\n\x01\x04\nV\x04\0\0\xff\x60\0\x02",
        ),
        (Initiator, b"\x15bike-4711"),
    ];
    for (at, (side, payload)) in (0..).zip(said) {
        session.data(at * MS, side, &frame(payload)).unwrap();
    }
    let once = scrubbed(&session.finish().unwrap());
    let again = scrub(once.as_slice(), Keep::default()).unwrap();
    assert_eq!(again.report.blanked_bytes, []);
    assert!(again.file == once);
}

#[test]
fn segments_that_come_twice_in_other_pieces_or_in_another_order_are_scrubbed_too() {
    let mut mixed: Vec<Record> = [1460, 5, 11]
        .into_iter()
        .flat_map(|mss| records(&recorded(mss)))
        .collect();
    mixed.sort_by_key(|record| record.at_ns);
    let file = pcap(&mixed, true, true);
    let new = scrubbed(&file);
    assert_eq!(new.len(), file.len());
    assert_no_secret_in(&new);
    assert_eq!(shape(&read(&file).unwrap()), shape(&read(&new).unwrap()));
    // Each copy of a byte is the same: without the whole segments the others say the same.
    let sizes: Vec<usize> = records(&recorded(1460))
        .iter()
        .map(|r| r.data.len())
        .collect();
    let mut small = records(&new);
    small.retain(|record| record.data.len() <= 54 + 11 || !sizes.contains(&record.data.len()));
    let payloads = |file: &[u8]| -> Vec<Vec<u8>> {
        let told = read(file).unwrap().entries;
        let frames = told.iter().filter_map(|entry| entry.frame());
        frames.map(|frame| frame.payload.clone()).collect()
    };
    assert_eq!(payloads(&pcap(&small, true, true)), payloads(&new));
    // And swapped pairs, where the reader still finds the order.
    let mut swapped = records(&recorded(5));
    for pair in swapped[4..].chunks_mut(2) {
        pair.reverse();
    }
    let file = pcap(&swapped, false, true);
    let new = scrubbed(&file);
    assert_no_secret_in(&new);
    assert_eq!(shape(&read(&file).unwrap()), shape(&read(&new).unwrap()));
}

#[test]
fn a_recording_from_the_middle_with_gaps_is_scrubbed() {
    let all = records(&recorded(40));
    for skipped in 1..all.len() - 4 {
        let mut some = all[skipped..].to_vec();
        some.remove(some.len() / 2);
        let file = pcap(&some, false, true);
        let new = match scrub(file.as_slice(), Keep::default()) {
            Ok(new) => new.file,
            Err(ScrubError::NothingOfOurs { .. }) => continue,
            Err(error) => panic!("{skipped}: {error}"),
        };
        // Not those that a free text tells while no field does.
        for secret in [PASSWORD, AP_KEY, HOST, TOOL_IP] {
            assert!(!contains(&new, secret.as_bytes()), "{skipped}");
        }
        // Who is who is only guessed here, and may be guessed better once unknown bytes are zeros.
        let frames = |file: &[u8]| -> Vec<(Option<u64>, u64, u64)> {
            let told = read(file).unwrap().entries;
            let frames = told.iter().filter(|entry| entry.frame().is_some());
            let frames = frames.map(|entry| (entry.at_ns, entry.offset, entry.kind.stream_len()));
            frames.collect()
        };
        assert_eq!(frames(&file), frames(&new), "{skipped}");
        assert!(scrubbed(&new) == new);
    }
}

#[test]
fn what_was_done_is_told_without_the_secrets() {
    let report = scrub(recorded(1460).as_slice(), Keep::default())
        .unwrap()
        .report;
    let count = |what, place| {
        let mut found = report.replaced.iter();
        let found = found.find(|found| found.what == what && found.place == place);
        found.map(|found| (found.distinct, found.count))
    };
    assert_eq!(count(Secret::LoginId, Location::Login), Some((1, 1)));
    assert_eq!(count(Secret::LoginId, Location::Config), Some((1, 2)));
    assert_eq!(count(Secret::LoginId, Location::Payload), Some((1, 1)));
    assert_eq!(count(Secret::NetworkKey, Location::Config), Some((2, 4)));
    assert_eq!(count(Secret::Uuid, Location::FwVersion), Some((2, 2)));
    assert_eq!(count(Secret::Mac, Location::Payload), Some((1, 2)));
    assert_eq!(count(Secret::Pin, Location::Payload), Some((1, 1)));
    assert_eq!(
        count(Secret::Date, Location::Times),
        Some((1, report.packets))
    );
    let blanked: Vec<Unparsed> = report
        .blanked_bytes
        .iter()
        .map(|blank| blank.what)
        .collect();
    assert_eq!(blanked, [Unparsed::Noise, Unparsed::Unknown]);
    let json = serde_json::to_string(&report).unwrap();
    for secret in secrets() {
        assert!(
            !contains(json.as_bytes(), &secret),
            "{}",
            secret.escape_ascii()
        );
    }
}

#[test]
fn what_is_not_understood_can_be_kept_but_for_known_secrets() {
    let keep = Keep {
        noise: true,
        unknown: true,
    };
    let new = scrub(recorded(9).as_slice(), keep).unwrap();
    let transcript = read(&new.file).unwrap();
    let unknown = transcript.entries.iter().filter_map(|entry| entry.frame());
    let mut unknown = unknown.filter(|frame| frame.payload[0] == 200);
    assert_eq!(unknown.next().unwrap().payload, b"\xC8an unknown command");
    for entry in &transcript.entries {
        if let Kind::Noise(noise) = &entry.kind {
            assert!(noise.bytes.iter().any(|byte| *byte != 0));
            for secret in [KEY, PASSWORD, SSID, HOST] {
                assert!(!contains(&noise.bytes, secret.as_bytes()));
            }
        }
    }
}

fn ethernet(packet: impl FnOnce(&mut Vec<u8>)) -> Record {
    let mut data = Vec::new();
    packet(&mut data);
    Record {
        number: 0,
        at_ns: 1_600_000_000_000_000_000,
        link: veschub_transcript::read::link::LinkType::ETHERNET,
        original_len: data.len() as u32,
        data,
    }
}

fn udp(to: u16, text: &[u8]) -> Record {
    let from = [0xA4, 0xE5, 0x7C, 0x11, 0x22, 0x33];
    ethernet(|out| {
        PacketBuilder::ethernet2(from, [0xFF; 6])
            .ipv4([192, 168, 178, 44], [255; 4], 64)
            .udp(5000, to)
            .write(out, text)
            .unwrap();
    })
}

#[test]
fn other_traffic_is_left_out_and_discovery_is_scrubbed() {
    let mut all = records(&recorded(1460));
    all.push(udp(65_109, b"MyBike::192.168.178.44::65102\0"));
    all.push(udp(53, b"who is Elm Street 5"));
    all.push(ethernet(|out| {
        out.extend([0xFF; 12]);
        out.extend([8, 6]);
        out.extend(b"arp of my house");
    }));
    all.push(ethernet(|out| {
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([1, 2, 3, 4], [5, 6, 7, 8], 64)
            .tcp(1000, 80, 1, 100)
            .write(out, b"GET /my-house HTTP/1.1\r\n\r\n")
            .unwrap();
    }));
    let new = scrub(pcap(&all, false, true).as_slice(), Keep::default()).unwrap();
    let dropped: Vec<(Dropped, u64)> = new
        .report
        .dropped_packets
        .iter()
        .map(|dropped| (dropped.what, dropped.count))
        .collect();
    assert_eq!(
        dropped,
        [
            (Dropped::OtherConnections, 1),
            (Dropped::OtherDatagrams, 1),
            (Dropped::OtherProtocols, 1)
        ]
    );
    assert!(!contains(&new.file, b"my-house") && !contains(&new.file, b"MyBike"));
    let kept = records(&new.file);
    let datagram = &kept.last().unwrap().data[42..];
    let text = String::from_utf8(datagram.to_vec()).unwrap();
    let parts: Vec<&str> = text.split("::").collect();
    assert_eq!(
        (parts[0].len(), parts[1].len(), parts[2]),
        (6, 14, "65102\0")
    );
    // The announced address is the one that the datagram comes from.
    let source: [u8; 4] = kept.last().unwrap().data[26..30].try_into().unwrap();
    assert_eq!(parts[1], std::net::Ipv4Addr::from(source).to_string());
    assert!(scrubbed(&new.file) == new.file);
}

fn ng_block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let total = (padded as u32 + 12).to_le_bytes();
    let mut out = [&kind.to_le_bytes()[..], &total, body].concat();
    out.resize(8 + padded, 0);
    out.extend(total);
    out
}

#[test]
fn what_a_pcapng_says_around_its_packets_is_left_out_and_counted() {
    let mut section = [0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0].to_vec();
    section.extend([0xFF; 8]);
    for (code, text) in [
        (1u16, "my comment"),
        (2, "my hardware"),
        (3, "my system"),
        (4, "my app"),
    ] {
        section.extend(code.to_le_bytes());
        section.extend((text.len() as u16).to_le_bytes());
        section.extend(text.as_bytes());
        section.resize(section.len().next_multiple_of(4), 0);
    }
    let mut file = ng_block(0x0A0D_0D0A, &section);
    file.extend(ng_block(4, b"\x01\0\x08\0\x0A\0\0\x01my-h\0\0\0\0"));
    file.extend(ng_block(10, b"my key log"));
    file.extend(&write(&said(), 1460)[28..]);
    assert!(!audit(file.as_slice()).unwrap().is_clean());
    let new = scrub(file.as_slice(), Keep::default()).unwrap();
    for text in [
        "my comment",
        "my hardware",
        "my system",
        "my app",
        "my-h",
        "my key log",
    ] {
        assert!(contains(&file, text.as_bytes()), "{text}");
        assert!(!contains(&new.file, text.as_bytes()), "{text}");
    }
    assert_eq!(new.report.removed.len(), 6, "{:?}", new.report.removed);
    assert!(new.file.starts_with(&file[..4]));
    assert_no_secret_in(&new.file);
}

#[test]
fn a_file_with_nothing_of_ours_is_refused() {
    let file = pcap(&[udp(53, b"a name")], false, false);
    let error = scrub(file.as_slice(), Keep::default()).unwrap_err();
    assert!(matches!(error, ScrubError::NothingOfOurs { packets: 1 }));
    assert!(matches!(
        scrub(&b""[..], Keep::default()),
        Err(ScrubError::Capture(_))
    ));
}

#[test]
fn a_file_cut_or_damaged_anywhere_is_no_crash() {
    let file = recorded(200);
    for len in (0..file.len()).step_by(19) {
        let _ = scrub(&file[..len], Keep::default());
    }
    for at in (0..file.len()).step_by(17) {
        let mut damaged = file.clone();
        damaged[at] ^= 0xFF;
        if let Ok(new) = scrub(damaged.as_slice(), Keep::default()) {
            assert!(scrubbed(&new.file) == new.file, "{at}");
        }
    }
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_capture = |path: &PathBuf| {
        let end = path.extension().unwrap_or_default();
        end == "pcap" || end == "pcapng"
    };
    files.filter(is_capture).collect()
}

#[test]
fn the_captures_of_this_repository_are_scrubbed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let files = captures(&folder);
    assert!(!files.is_empty());
    for path in files {
        let report = audit(fs::File::open(&path).unwrap()).unwrap();
        assert!(
            report.is_clean(),
            "{}: {report:?}; run `veschub-sim scrub` on it",
            path.display()
        );
    }
}

#[test]
fn recordings_of_a_user_decode_to_the_same_once_scrubbed() {
    let Some(folder) = std::env::var_os("VESCHUB_EXTRA_CAPTURES") else {
        println!("skipped: VESCHUB_EXTRA_CAPTURES names no folder with captures");
        return;
    };
    for path in captures(Path::new(&folder)) {
        let file = fs::read(&path).unwrap();
        let new = scrub(file.as_slice(), Keep::default()).unwrap();
        let (before, after) = (read(&file).unwrap(), read(&new.file).unwrap());
        assert!(shape(&before) == shape(&after), "{}", path.display());
        for (one, other) in before.entries.iter().zip(&after.entries) {
            let (Some(one), Some(other)) = (one.frame(), other.frame()) else {
                continue;
            };
            // What says nothing about anybody stays to the byte.
            if !matches!(one.payload[0], 0 | 34 | 93..=95) {
                assert!(one.payload == other.payload, "{}", path.display());
            }
        }
        assert!(audit(new.file.as_slice()).unwrap().is_clean());
        assert!(scrubbed(&new.file) == new.file);
        // Known from the recording itself, and never printed.
        for login in before.logins() {
            let line = login.line.as_ref().unwrap();
            for secret in [line.id.as_bytes(), line.password.reveal().as_bytes()] {
                assert!(is_placeholder(secret) || !contains(&new.file, secret));
            }
        }
        assert_checksums_are_valid(&new.file);
    }
}

/// Asks tshark, if it is there; `VESCHUB_NEED_TSHARK` makes it a must.
fn assert_checksums_are_valid(file: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scrubbed");
    fs::write(&path, file).unwrap();
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path);
    for protocol in ["ip", "tcp", "udp"] {
        tshark.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
    }
    tshark.args(["-T", "fields", "-E", "separator=,"]);
    for field in ["ip", "tcp", "udp"] {
        tshark.args(["-e", &format!("{field}.checksum.status")]);
    }
    let output = tshark.output();
    if output.is_err() && std::env::var_os("VESCHUB_NEED_TSHARK").is_none() {
        println!("skipped: tshark is not there");
        return;
    }
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), records(file).len(), "{text}");
    for line in text.lines() {
        assert!(matches!(line, "1,1," | "1,,1"), "{line}");
    }
}

#[test]
fn an_outside_witness_finds_all_checksums_valid() {
    let mut all = records(&recorded(7));
    all.push(udp(65_109, b"MyBike::192.168.178.44::65102"));
    for record in &mut all {
        // As a card that computes them itself leaves them.
        record.data[24..26].fill(0);
        let udp = record.data[23] == 17;
        let at = if udp { 40 } else { 50 };
        record.data[at..at + 2].fill(0xEE);
    }
    assert_checksums_are_valid(&scrubbed(&pcap(&all, false, false)));
    assert_checksums_are_valid(&scrubbed(&write(&said(), 1460)));
}

/// Any bytes, and now and then something of ours.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 1..300).prop_map(|payload| frame(&payload)),
        prop::sample::select(said()).prop_map(|(_, bytes)| bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lengths_frames_and_distances_stay(
        pieces in prop::collection::vec((any::<bool>(), piece()), 1..20),
        mss in 1u16..400,
    ) {
        let mut session = vec![(Initiator, format!("VESCTOOL:{ID}:{PASSWORD}\n").into_bytes())];
        session.extend(pieces.into_iter().map(|(by_tool, bytes)| {
            (if by_tool { Initiator } else { Responder }, bytes)
        }));
        let file = write(&session, mss);
        let new = scrub(file.as_slice(), Keep::default()).unwrap();
        let lengths = |file: &[u8]| -> Vec<(u64, usize)> {
            let records = records(file);
            let first = records[0].at_ns;
            records.iter().map(|record| (record.at_ns - first, record.data.len())).collect()
        };
        prop_assert_eq!(lengths(&file), lengths(&new.file));
        prop_assert_eq!(shape(&read(&file).unwrap()), shape(&read(&new.file).unwrap()));
        prop_assert!(!contains(&new.file, PASSWORD.as_bytes()));
        prop_assert!(scrubbed(&new.file) == new.file);
    }
}
