//! The capture of the rebuilt session: made of its table of facts, and as the real session was.
//!
//! The real one is not part of the repository; where `VESCHUB_EXTRA_CAPTURES` names a folder with
//! `vesctool-session.pcap` the two are compared, without printing what the real one says.

mod rebuild;

use std::fs::{self, File};
use std::path::Path;

use rebuild::{build, path};
use veschub_transcript::{Direction, Entry, Kind, Options, Transcript};
use veschub_wire::command::BmsValues;
use veschub_wire::{CommandId, Reply, encode};

const COMMAND: &str = "cargo run -p veschub-transcript --example rebuild_session";

fn table() -> String {
    fs::read_to_string(path("csv")).expect("the table of facts")
}

fn capture() -> Vec<u8> {
    fs::read(path("pcapng")).expect("the capture")
}

fn rebuilt() -> Transcript {
    Transcript::from_capture(&capture()[..], &Options::default()).expect("a readable capture")
}

/// The real session, if it is there.
fn real() -> Option<Transcript> {
    let file = std::env::var_os("VESCHUB_EXTRA_CAPTURES")
        .map(|folder| Path::new(&folder).join("vesctool-session.pcap"))
        .filter(|file| file.exists());
    let Some(file) = file else {
        println!("skipped: VESCHUB_EXTRA_CAPTURES names no folder with vesctool-session.pcap");
        return None;
    };
    let file = File::open(file).expect("a readable file");
    Some(Transcript::from_capture(file, &Options::default()).expect("a readable capture"))
}

fn is(entry: &Entry, direction: Direction, command: CommandId) -> bool {
    entry.direction == Some(direction)
        && entry
            .frame()
            .is_some_and(|frame| frame.command() == command)
}

fn bms_replies(transcript: &Transcript) -> Vec<&[u8]> {
    let entries = transcript.entries.iter();
    entries
        .filter(|entry| is(entry, Direction::ToTool, CommandId::BMS_GET_VALUES))
        .filter_map(|entry| entry.frame().map(|frame| &frame.payload[..]))
        .collect()
}

#[test]
fn the_committed_capture_is_what_the_table_makes() {
    let built = build(&table()).expect("the table is sound");
    // Not assert_eq: nobody reads 69 kB.
    assert!(
        built == capture(),
        "the capture and its table differ; make it anew with `{COMMAND}`"
    );
}

#[test]
fn one_login_and_288_frames_without_noise() {
    let transcript = rebuilt();
    assert_eq!(transcript.truncated, None);
    assert_eq!(transcript.connections.len(), 1);
    assert!(transcript.connections[0].from_start && transcript.connections[0].by_login);
    let counts = transcript.count();
    assert_eq!((counts.logins, counts.refused_logins), (1, 0));
    assert_eq!(
        (counts.frames, counts.noise_bytes, counts.missing_bytes),
        (288, 0, 0)
    );
    for entry in &transcript.entries {
        let fields = entry.fields();
        assert!(
            fields.get("undecoded").is_none() && fields.get("trailing").is_none(),
            "{entry:?}"
        );
        assert!(!matches!(entry.kind, Kind::Notice(_)), "{entry:?}");
    }
}

#[test]
fn the_139_bms_replies_are_consumed_exactly_and_hold_the_known_values() {
    let transcript = rebuilt();
    let replies: Vec<BmsValues> = bms_replies(&transcript)
        .into_iter()
        .map(|payload| {
            assert_eq!(payload.len(), 166);
            let told = Reply::decode(payload).expect("a BMS reply");
            assert!(told.trailing.is_empty());
            assert_eq!(told.body.encode(), payload);
            let Reply::BmsValues(values) = told.body else {
                panic!("{:?}", told.body);
            };
            values
        })
        .collect();
    assert_eq!(replies.len(), 139);

    let (first, last) = (&replies[0], &replies[138]);
    for (values, voltages, current, cells, temperatures, chip) in [
        (
            first,
            "83.774000 84.000000",
            "0.145000",
            "4.182 4.184 4.186 4.192 4.192 4.190 4.190 4.189 4.190 4.188 \
             4.188 4.190 4.188 4.190 4.190 4.188 4.190 4.187 4.190 4.190",
            "28.00 27.18 27.00 99.00",
            "44.32",
        ),
        (
            last,
            "83.769008 84.000000",
            "0.141562",
            "4.182 4.184 4.185 4.192 4.192 4.189 4.190 4.188 4.190 4.188 \
             4.188 4.190 4.188 4.190 4.190 4.188 4.190 4.186 4.190 4.189",
            "27.99 27.17 26.98 99.00",
            "44.56",
        ),
    ] {
        let words = |list: Vec<String>| list.join(" ");
        assert_eq!(
            format!("{} {}", values.total_voltage_v, values.charge_voltage_v),
            voltages
        );
        assert_eq!(values.current_a.raw(), 0);
        assert_eq!(values.chip_current_a.to_string(), current);
        let told = values.cell_voltages_v.iter().map(ToString::to_string);
        assert_eq!(words(told.collect()), cells);
        assert_eq!(values.balancing, [1; 20]);
        let (measured, filler) = values.temperatures_c.split_at(4);
        let told = measured.iter().map(ToString::to_string);
        assert_eq!(words(told.collect()), temperatures);
        assert!(filler.len() == 20 && filler.iter().all(|filler| filler.raw() == 0));
        assert_eq!(values.chip_temperature_c.to_string(), chip);
        assert_eq!(values.can_id, Some(255));
        assert!(
            values
                .pressure_pa
                .is_some_and(|pressure| pressure.raw() == 0)
        );
        assert_eq!((values.data_version, &values.status), (None, &None));
    }
}

#[test]
fn the_session_keeps_its_times_and_lengths() {
    use Direction::{ToDevice, ToTool};
    let transcript = rebuilt();
    let told: Vec<(u64, Direction, String, usize)> = transcript
        .entries
        .iter()
        .filter_map(|entry| {
            let frame = entry.frame()?;
            let ms = (entry.at_ns? + 500_000) / 1_000_000;
            let name = frame.command().to_string();
            Some((ms, entry.direction?, name, frame.payload.len()))
        })
        .collect();
    let wanted = [
        (154, ToDevice, "FW_VERSION", 1),
        (302, ToTool, "FW_VERSION", 43),
        (305, ToDevice, "GET_CUSTOM_CONFIG", 2),
        (332, ToDevice, "PING_CAN", 1),
        (396, ToTool, "GET_CUSTOM_CONFIG", 129),
        (2964, ToTool, "PING_CAN", 2),
        (2965, ToDevice, "FORWARD_CAN", 3),
        (3154, ToTool, "FW_VERSION", 35),
        (3175, ToDevice, "FW_VERSION", 1),
        (3282, ToTool, "FW_VERSION", 43),
        (6706, ToDevice, "BMS_GET_VALUES", 1),
        (6849, ToTool, "BMS_GET_VALUES", 166),
    ];
    for (told, (ms, direction, name, len)) in told.iter().zip(wanted) {
        assert_eq!(*told, (ms, direction, name.to_owned(), len));
    }
    let (ms, direction, name, len) = told.last().expect("frames");
    assert_eq!(
        (*ms, *direction, &name[..], *len),
        (27_854, ToTool, "BMS_GET_VALUES", 166)
    );
    // Every request waits for the reply before it.
    assert!(told[10..].chunks(2).all(|pair| {
        matches!(pair, [(_, ToDevice, asked, 1), (_, ToTool, answered, 166)] if asked == answered)
    }));

    let ms_of = |kind: &str| {
        let entries = transcript.entries.iter();
        let times = entries.filter(|entry| entry.kind_name() == kind);
        let times = times.map(|entry| (entry.at_ns.expect("a time") + 500_000) / 1_000_000);
        times.collect::<Vec<_>>()
    };
    assert_eq!(ms_of("opened"), [0]);
    assert_eq!(ms_of("login"), [104]);
    assert_eq!(ms_of("closed"), [29_629, 29_665]);
}

#[test]
fn what_is_said_and_when_is_as_in_the_real_session() {
    let Some(real) = real() else { return };
    let rebuilt = rebuilt();
    assert_eq!(rebuilt.entries.len(), real.entries.len());
    for (ours, theirs) in rebuilt.entries.iter().zip(&real.entries) {
        let head = |entry: &Entry| (entry.at_ns, entry.direction, entry.kind_name());
        assert_eq!(head(ours), head(theirs));
        let (Some(our_frame), Some(their_frame)) = (ours.frame(), theirs.frame()) else {
            continue;
        };
        assert_eq!(our_frame.start, their_frame.start, "{ours:?}");
        assert_eq!(our_frame.command(), their_frame.command(), "{ours:?}");
        let names_somebody = is(ours, Direction::ToTool, CommandId::FW_VERSION)
            || is(ours, Direction::ToTool, CommandId::GET_CUSTOM_CONFIG);
        // Not assert_eq: payloads are not printed.
        let same = match names_somebody {
            true => our_frame.payload.len() == their_frame.payload.len(),
            false => our_frame.payload == their_frame.payload,
        };
        assert!(same, "at {:?}: {ours:?} and {theirs:?}", ours.at_ns);
    }
    let (ours, theirs) = (bms_replies(&rebuilt), bms_replies(&real));
    let as_frames = |replies: &[&[u8]]| replies.iter().filter_map(|reply| encode(reply)).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = (as_frames(&ours), as_frames(&theirs));
    assert_eq!(ours.len(), 139);
    assert!(ours == theirs, "the BMS replies differ");
}

#[test]
fn nothing_of_who_was_there_is_taken_over() {
    let Some(real) = real() else { return };
    let mut theirs: Vec<(&str, Vec<u8>)> = Vec::new();
    for login in real.logins() {
        let line = login
            .line
            .as_ref()
            .expect("only lines that parse are listed");
        theirs.push(("login id", line.id.clone().into_bytes()));
        theirs.push(("login password", line.password.reveal().into()));
    }
    for connection in &real.connections {
        for (name, end) in [("tool", connection.tool), ("hub", connection.device)] {
            match end.ip() {
                std::net::IpAddr::V4(ip) => theirs.push((name, ip.octets().into())),
                std::net::IpAddr::V6(ip) => theirs.push((name, ip.octets().into())),
            }
        }
    }
    let (mut versions, mut configs) = (0, 0);
    for frame in real.entries.iter().filter_map(Entry::frame) {
        match Reply::decode(&frame.payload).map(|told| told.body) {
            Ok(Reply::FwVersion(version)) => {
                versions += 1;
                theirs.extend(version.uuid.map(|uuid| ("UUID", uuid.into())));
                let crc = version.config_crc.map(u32::to_be_bytes);
                theirs.extend(crc.map(|crc| ("config CRC", crc.into())));
            }
            Ok(Reply::CustomConfig(config)) => {
                let Some(config) = config.express() else {
                    continue;
                };
                configs += 1;
                theirs.push(("Bluetooth pin", config.ble_pin.to_be_bytes().into()));
                for (name, text) in [
                    ("station SSID", &config.station_ssid),
                    ("station key", &config.station_key),
                    ("access point SSID", &config.access_point_ssid),
                    ("access point key", &config.access_point_key),
                    ("hub URL", &config.hub_url),
                    ("hub id", &config.hub_id),
                    ("hub password", &config.hub_password),
                    ("Bluetooth name", &config.ble_name),
                ] {
                    theirs.push((name, text.as_bytes().into()));
                }
            }
            _ => {}
        }
    }
    assert_eq!((real.logins().count(), versions, configs), (1, 3, 1));

    for file in [path("csv"), path("pcapng")] {
        let bytes = fs::read(&file).expect("a readable file");
        for (name, value) in &theirs {
            let mut windows = bytes.windows(value.len().max(1));
            let found = windows.any(|window| window.eq_ignore_ascii_case(value));
            assert!(!found, "{} holds the real {name}", file.display());
        }
    }
}

/// The table with one row changed, and what is wrong with it then.
fn refusal(row: usize, from: &str, to: &str) -> String {
    let table = table();
    let mut rows: Vec<String> = table.lines().map(str::to_owned).collect();
    assert!(rows[row - 1].contains(from), "row {row} has no `{from}`");
    rows[row - 1] = rows[row - 1].replacen(from, to, 1);
    build(&rows.join("\n"))
        .expect_err("a malformed table")
        .to_string()
}

#[test]
fn a_malformed_table_is_refused_with_its_place() {
    for (row, from, to, wanted) in [
        (1, "current_a", "amps", "row 1: the columns must be time_s,"),
        (2, "SYN", "ACK", "row 2: a session starts with SYN"),
        (
            4,
            "0.036641",
            "0.0366",
            "row 4, column time_s: `0.0366` is no number of seconds",
        ),
        (
            4,
            "0.036641",
            "0.036566",
            "row 4, column time_s: this is before the row above",
        ),
        (4, ",,", ",", "row 4: it has 23 columns, wanted 24"),
        (
            5,
            "to-device",
            "to-hub",
            "row 5, column direction: `to-hub` is neither",
        ),
        (
            6,
            "FW_VERSION",
            "FM_VERSION",
            "row 6, column message: no command is called `FM_VERSION`",
        ),
        (
            8,
            "CONFIG 0",
            "CONFIG x",
            "row 8, column message: GET_CUSTOM_CONFIG: `index` is `x`",
        ),
        (
            9,
            "PING_CAN,",
            "PING_CAN,1",
            "row 9, column total_voltage_v: only a BMS_GET_VALUES",
        ),
        (
            11,
            "84",
            "256",
            "row 11, column message: `256` is no CAN id",
        ),
        (
            13,
            "from 84",
            "from 83",
            "row 13, column message: `FW_VERSION from 83` is no reply",
        ),
        (
            17,
            "84.000000",
            "",
            "row 17, column charge_voltage_v: this value is missing",
        ),
        (
            17,
            "84.000000",
            "5000.0",
            "row 17, column charge_voltage_v: `5000.0` does not fit",
        ),
        (
            17,
            "84.000000",
            "NaN",
            "row 17, column charge_voltage_v: `NaN` is no number",
        ),
        (
            17,
            "4.182",
            "4.1825",
            "row 17, column cell_voltages_v: `4.1825` does not fit: the field has steps of 0.001",
        ),
        (
            17,
            "1111",
            "111",
            "row 17, column balancing: 19 digits for 20 cells",
        ),
        (
            17,
            "1111",
            "1112",
            "row 17, column balancing: `2` is neither 0 nor 1",
        ),
        (
            17,
            "20*",
            "47*",
            "row 17, column temperatures_c: more than 50 values",
        ),
        (
            17,
            "20*",
            "x*",
            "row 17, column temperatures_c: `x*0.00` is no number",
        ),
        (
            17,
            ",255,",
            ",256,",
            "row 17, column can_id: this is no CAN id",
        ),
    ] {
        let told = refusal(row, from, to);
        assert!(told.starts_with(wanted), "{from} -> {to}: {told}");
    }
    let header = table().lines().next().expect("a header").to_owned();
    let told = build(&header)
        .expect_err("a table without rows")
        .to_string();
    assert_eq!(told, "row 2: there are no messages");
    assert!(build("").is_err());
}
