//! A draft of a recording runs as it is, and the client reads from it what the recorded client read.
//!
//! Runs over every capture in `captures/` and over a user's own in the folder that `VESCHUB_EXTRA_CAPTURES` names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use veschub_draft::{Draft, DraftOptions, Finding, draft};
use veschub_harness::{
    judge::{OwnView, Run},
    run::{self, Mode},
};
use veschub_hub::rng::Seed;
use veschub_transcript::{
    Direction, Options,
    Side::{Initiator, Responder},
    Transcript,
    write::{Endpoints, SessionWriter},
};
use veschub_wire::{
    CommandId, Reply,
    command::{BmsTotals, BmsValues},
    encode,
    number::{F16, F32, Float, Text},
};

const MS: u64 = 1_000_000;

fn captures_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "pcap" || ending == "pcapng")
        })
        .collect()
}

/// The captures of this project, and the user's own.
fn captures() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut captures = captures_in(&here.join("captures"));
    assert!(!captures.is_empty(), "there are no captures");
    match std::env::var_os("VESCHUB_EXTRA_CAPTURES") {
        Some(folder) => captures.extend(captures_in(&here.join(folder))),
        None => println!("VESCHUB_EXTRA_CAPTURES names no folder"),
    }
    captures
}

fn read(path: &Path) -> Transcript {
    Transcript::from_capture(File::open(path).unwrap(), &Options::default()).unwrap()
}

/// Writes a draft with its files and runs it.
fn run_draft(draft: &Draft) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("drafted.yaml");
    fs::write(&scenario, &draft.yaml).unwrap();
    for (name, text) in &draft.tables {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let warnings = veschub_disk::open(&scenario, &[])
        .unwrap()
        .warnings()
        .unwrap();
    let warnings: Vec<&str> = warnings.iter().map(|warning| warning.message()).collect();
    assert!(warnings.is_empty(), "{warnings:?}\n{}", draft.yaml);
    let run = run::run_file(&scenario, Seed(7), Mode::Virtual)
        .unwrap_or_else(|error| panic!("{error}\n{}", draft.yaml));
    assert!(run.verdict.passed(), "{:?}\n{}", run.verdict, draft.yaml);
    run
}

fn own(run: &Run) -> &OwnView {
    run.played.as_ref().unwrap().own.as_ref().unwrap()
}

fn recorded_readings(transcript: &Transcript) -> Vec<BmsValues> {
    let replies = transcript.entries.iter().filter_map(|entry| {
        let frame = entry
            .frame()
            .filter(|_| entry.direction == Some(Direction::ToTool))?;
        bms(&frame.payload)
    });
    replies.collect()
}

fn bms(payload: &[u8]) -> Option<BmsValues> {
    match Reply::decode(payload).ok()?.body {
        Reply::BmsValues(values) => Some(values),
        _ => None,
    }
}

fn drafted_readings(run: &Run) -> Vec<BmsValues> {
    let readings = &own(run).outcome.as_ref().unwrap().readings;
    readings
        .iter()
        .filter_map(|reading| bms(&reading.payload))
        .collect()
}

/// Every number of a reading as the integer on the wire, each with its name; packed floats by their bits.
fn counts(values: &BmsValues) -> Vec<(String, i64)> {
    let mut counts: Vec<(String, i64)> = Vec::new();
    let mut push = |name: &str, count: i64| counts.push((name.to_owned(), count));
    push("total_voltage_v", values.total_voltage_v.raw().into());
    push("charge_voltage_v", values.charge_voltage_v.raw().into());
    push("current_a", values.current_a.raw().into());
    push("chip_current_a", values.chip_current_a.raw().into());
    push("counter_ah", values.counter_ah.raw().into());
    push("counter_wh", values.counter_wh.raw().into());
    for (index, cell) in values.cell_voltages_v.iter().enumerate() {
        push(&format!("cell_voltages_v[{index}]"), cell.raw().into());
    }
    for (index, &flag) in values.balancing.iter().enumerate() {
        push(&format!("balancing[{index}]"), flag.into());
    }
    for (index, sensor) in values.temperatures_c.iter().enumerate() {
        push(&format!("temperatures_c[{index}]"), sensor.raw().into());
    }
    push("chip_temperature_c", values.chip_temperature_c.raw().into());
    push(
        "humidity_temperature_c",
        values.humidity_temperature_c.raw().into(),
    );
    push("humidity_percent", values.humidity_percent.raw().into());
    push(
        "highest_cell_temperature_c",
        values.highest_cell_temperature_c.raw().into(),
    );
    push(
        "state_of_charge",
        values.state_of_charge.map_or(-1, |v| v.raw().into()),
    );
    push(
        "state_of_health",
        values.state_of_health.map_or(-1, |v| v.raw().into()),
    );
    push("can_id", values.can_id.map_or(-1, i64::from));
    let totals = values.totals.map(|totals: BmsTotals| {
        [
            totals.charged_ah,
            totals.charged_wh,
            totals.discharged_ah,
            totals.discharged_wh,
        ]
    });
    for (index, total) in totals.iter().flatten().enumerate() {
        push(&format!("totals[{index}]"), total.bits().into());
    }
    push(
        "pressure_pa",
        values.pressure_pa.map_or(-1, |v| v.raw().into()),
    );
    push("data_version", values.data_version.map_or(-1, i64::from));
    counts
}

fn assert_same_readings(recorded: &[BmsValues], drafted: &[BmsValues]) {
    assert_eq!(recorded.len(), drafted.len());
    for (poll, (recorded, drafted)) in recorded.iter().zip(drafted).enumerate() {
        let (told, seen) = (counts(recorded), counts(drafted));
        assert_eq!(told.len(), seen.len(), "poll {poll}");
        for ((name, told), (_, seen)) in told.iter().zip(&seen) {
            assert!(
                (told - seen).abs() <= 1,
                "poll {poll}, {name}: {told} became {seen}"
            );
        }
        assert_eq!(recorded.status, drafted.status, "poll {poll}");
    }
}

#[test]
fn a_drafted_capture_reads_like_the_capture() {
    for path in captures() {
        let transcript = read(&path);
        let drafted = draft(&transcript, &DraftOptions::default()).unwrap();
        let run = run_draft(&drafted);
        assert_same_readings(&recorded_readings(&transcript), &drafted_readings(&run));
    }
}

#[test]
fn a_pinned_draft_needs_no_file_and_reads_like_the_last_reply() {
    for path in captures() {
        let transcript = read(&path);
        let options = DraftOptions {
            series: false,
            ..DraftOptions::default()
        };
        let drafted = draft(&transcript, &options).unwrap();
        assert!(drafted.tables.is_empty());
        drafted.build(Seed(0)).unwrap();
        let run = run_draft(&drafted);
        let recorded = recorded_readings(&transcript);
        let last = recorded.last().unwrap();
        let drafted = drafted_readings(&run);
        assert_same_readings(&vec![last.clone(); drafted.len()], &drafted);
    }
}

#[test]
fn the_recorded_session_contradicts_the_reset_of_sessions() {
    for path in captures() {
        let drafted = draft(&read(&path), &DraftOptions::default()).unwrap();
        let told = drafted
            .evidence
            .iter()
            .find(|one| one.quirk == "session-reset")
            .unwrap();
        assert_eq!(told.finding, Finding::Contradicted);
        // The same two pauses in the recording and in what was rebuilt of it.
        let gaps: Vec<(String, &str)> = told.seen[..2]
            .iter()
            .map(|seen| (format!("{:.1}", seen.at_s), seen.what.as_str()))
            .collect();
        assert_eq!(
            gaps,
            [
                (
                    "3.2".to_owned(),
                    "3.531 s between FW_VERSION and BMS_GET_VALUES, 3.424 s of it in silence"
                ),
                (
                    "0.3".to_owned(),
                    "2.633 s between PING_CAN and FORWARD_CAN, 2.568 s of it in silence"
                ),
            ]
        );
        assert!(
            drafted
                .yaml
                .contains("#   session-reset: contradicted: 139 polls"),
            "{}",
            drafted.yaml
        );
    }
}

/// A session in which a device is asked and answers, each at its time in milliseconds.
fn session(said: &[(u64, bool, Vec<u8>)]) -> Transcript {
    let ends = Endpoints::new(
        "192.0.2.10:40000".parse().unwrap(),
        "198.51.100.20:65101".parse().unwrap(),
    );
    let mut session = SessionWriter::new(Vec::new(), ends, 0).unwrap();
    session.open(0).unwrap();
    session
        .data(10 * MS, Initiator, b"VESCTOOL:made-up-1:secret-of-mine\n")
        .unwrap();
    for (at, asks, payload) in said {
        let side = if *asks { Initiator } else { Responder };
        session
            .data(at * MS, side, &encode(payload).unwrap())
            .unwrap();
    }
    Transcript::from_capture(&session.finish().unwrap()[..], &Options::default()).unwrap()
}

/// A pack on a newer firmware, under way: everything changes, some of it out of the ordinary.
fn under_way(poll: i16) -> BmsValues {
    let float = |value: f64| Float::packed(value + f64::from(poll));
    BmsValues {
        total_voltage_v: F32::truncated(61.25 - f64::from(poll) / 7.0),
        charge_voltage_v: F32::truncated(f64::from(poll) * 0.3),
        current_a: F32::truncated(f64::from(poll % 5) * 3.3 - 7.7),
        chip_current_a: F32::truncated(-0.25 * f64::from(poll)),
        counter_ah: F32::from_raw(1234 + i32::from(poll)),
        counter_wh: F32::from_raw(-77),
        cell_voltages_v: [4002, 4250, 3999, 4015 - poll, -3]
            .map(F16::from_raw)
            .to_vec(),
        balancing: vec![0, 1, 0, u8::from(poll % 2 == 0), 0],
        temperatures_c: [2800 + poll, 9900, -28_100, 3105]
            .map(F16::from_raw)
            .to_vec(),
        chip_temperature_c: F16::from_raw(4101 - poll),
        humidity_temperature_c: F16::from_raw(2199),
        humidity_percent: F16::from_raw(4111 + poll),
        highest_cell_temperature_c: F16::from_raw(3105),
        state_of_charge: Some(F16::from_raw(811 - poll)),
        state_of_health: Some(F16::from_raw(987)),
        can_id: Some(10),
        totals: Some(BmsTotals {
            charged_ah: float(100.1),
            charged_wh: float(5000.7),
            discharged_ah: Float::packed(99.9),
            discharged_wh: float(0.0),
        }),
        pressure_pa: Some(veschub_wire::number::Scaled::from_raw(10_093)),
        data_version: Some(1),
        status: Some(Text::from("riding: \"fast\" # yes")),
        ..BmsValues::default()
    }
}

#[test]
fn a_pack_in_which_everything_changes_is_read_as_it_was() {
    let mut said = vec![
        (60, true, vec![0]),
        (150, false, b"\0\x07\0VESC Express T\0".to_vec()),
    ];
    for poll in 0..40_u8 {
        let at = 300 + u64::from(poll) * 110 + u64::from(poll % 3) * 9;
        said.push((at, true, vec![CommandId::BMS_GET_VALUES.0]));
        said.push((
            at + 80,
            false,
            Reply::BmsValues(under_way(poll.into())).encode(),
        ));
    }
    let transcript = session(&said);
    let drafted = draft(&transcript, &DraftOptions::default()).unwrap();
    assert!(!drafted.yaml.contains("secret-of-mine"), "{}", drafted.yaml);
    let run = run_draft(&drafted);
    assert_same_readings(&recorded_readings(&transcript), &drafted_readings(&run));
}

#[test]
fn what_no_simulated_device_says_comes_byte_by_byte() {
    let unknown = [200, 1, 2];
    let transcript = session(&[
        (60, true, vec![0]),
        (100, false, b"\0\x06\x05VESC Express T\0".to_vec()),
        (200, true, vec![36, 1]),
        (500, false, vec![36, 0xFF]),
        (1000, true, unknown.to_vec()),
        (1050, false, vec![200, 9]),
        (2000, true, vec![4]),
        (4000, true, vec![65, 0, 0]),
        (6000, true, vec![0]),
        (6040, false, b"\0\x06\x05VESC Express T\0".to_vec()),
    ]);
    let drafted = draft(&transcript, &DraftOptions::default()).unwrap();
    assert!(
        drafted
            .yaml
            .contains(r#"{ request: "24 01", reply: ["24 ff"], after: 300ms }"#),
        "{}",
        drafted.yaml
    );
    assert!(
        drafted
            .yaml
            .contains(r#"{ request: "c8 01 02", reply: ["c8 09"] }"#),
        "{}",
        drafted.yaml
    );
    // GET_IMU_DATA, which a simulated device would answer.
    assert!(
        drafted
            .yaml
            .contains(r#"{ request: "41 00 00", reply: [] }"#),
        "{}",
        drafted.yaml
    );
    let run = run_draft(&drafted);
    let readings = &own(&run).outcome.as_ref().unwrap().readings;
    assert!(readings.iter().any(|reading| reading.payload == [36, 0xFF]));
    let unanswered = &own(&run).outcome.as_ref().unwrap().unanswered;
    let unanswered: Vec<CommandId> = unanswered.iter().map(|(request, _)| request.id()).collect();
    assert_eq!(unanswered, [CommandId::GET_VALUES, CommandId::GET_IMU_DATA]);
}
