//! Drafts of sessions that lack something or are out of the ordinary, and `veschub-sim draft` at the command line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;

use snapbox::{
    cmd::{Command, cargo_bin},
    str,
};
use tempfile::TempDir;
use veschub_draft::{Draft, DraftError, DraftOptions, Evidence, Finding, draft};
use veschub_hub::rng::Seed;
use veschub_scenario::{Loaded, schema};
use veschub_transcript::{
    Options,
    Side::{Initiator, Responder},
    Transcript,
    write::{Endpoints, SessionWriter, begin},
};
use veschub_wire::{
    Reply,
    command::BmsValues,
    encode,
    number::{F16, F32},
};

const MS: u64 = 1_000_000;
const LOGIN: &str = "VESCTOOL:demo-0001:my-own-secret\n";

/// What is said: when in milliseconds, by the tool or not, and what.
type Said<'a> = (u64, bool, &'a [u8]);

fn write(out: Vec<u8>, host: u8, login: Option<&str>, said: &[Said<'_>]) -> Vec<u8> {
    let device = format!("198.51.100.{host}:65101").parse().unwrap();
    let tool = format!("192.0.2.10:{}", 40_000 + u16::from(host))
        .parse()
        .unwrap();
    let mut session = SessionWriter::within(out, Endpoints::new(tool, device), 0);
    session.open(0).unwrap();
    if let Some(line) = login {
        session.data(10 * MS, Initiator, line.as_bytes()).unwrap();
    }
    for (at, asks, payload) in said {
        let side = if *asks { Initiator } else { Responder };
        session
            .data(at * MS, side, &encode(payload).unwrap())
            .unwrap();
    }
    session.finish().unwrap()
}

fn capture(login: Option<&str>, said: &[Said<'_>]) -> Vec<u8> {
    let mut file = Vec::new();
    begin(&mut file).unwrap();
    write(file, 20, login, said)
}

fn read(capture: &[u8]) -> Transcript {
    Transcript::from_capture(capture, &Options::default()).unwrap()
}

/// The draft with pinned values, which must be a scenario without oddities.
fn pinned(capture: &[u8]) -> Draft {
    let options = DraftOptions {
        series: false,
        ..DraftOptions::default()
    };
    let draft = draft(&read(capture), &options).unwrap();
    let loaded = Loaded::parse("draft", &draft.yaml);
    let loaded = loaded.unwrap_or_else(|error| panic!("{}\n{}", error.render(false), draft.yaml));
    assert_eq!(loaded.warnings().unwrap().len(), 0, "{}", draft.yaml);
    draft.build(Seed(0)).unwrap();
    draft
}

fn express(draft: &Draft, index: usize) -> schema::Express {
    let loaded = Loaded::parse("draft", &draft.yaml).unwrap();
    match &loaded.scenario.devices[index] {
        schema::Device::Express(express) => express.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

fn told<'a>(draft: &'a Draft, quirk: &str) -> &'a Evidence {
    draft
        .evidence
        .iter()
        .find(|one| one.quirk == quirk)
        .unwrap()
}

fn firmware(name: &str, hardware_type: u8) -> Vec<u8> {
    let mut payload = vec![0, 6, 5];
    payload.extend(name.as_bytes());
    payload.push(0);
    payload.extend([7; 12]);
    payload.extend([0, 0, hardware_type, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    payload
}

fn bms(cells: &[i16]) -> Vec<u8> {
    Reply::BmsValues(BmsValues {
        total_voltage_v: F32::truncated(12.5),
        cell_voltages_v: cells.iter().map(|&raw| F16::from_raw(raw)).collect(),
        balancing: vec![0; cells.len()],
        state_of_charge: Some(F16::default()),
        state_of_health: Some(F16::default()),
        can_id: Some(255),
        totals: Some(veschub_wire::command::BmsTotals::default()),
        pressure_pa: Some(veschub_wire::number::Scaled::default()),
        ..BmsValues::default()
    })
    .encode()
}

#[test]
fn a_capture_without_a_request_makes_no_draft_and_says_what_was_there() {
    let replies = capture(Some(LOGIN), &[(100, false, &[62, 84])]);
    let error = draft(&read(&replies), &DraftOptions::default()).unwrap_err();
    assert!(
        matches!(error, DraftError::NoRequest { replies: 1, .. }),
        "{error}"
    );
    let cut = capture(None, &[(100, true, &[0])]);
    let error = draft(&read(&cut[..cut.len() - 4]), &DraftOptions::default()).unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("no request to a VESC device was recorded"),
        "{told}"
    );
    assert!(
        told.contains("connects; "),
        "it does not say where the file breaks off: {told}"
    );
}

#[test]
fn what_was_cut_off_is_not_taken_for_silence() {
    let draft = pinned(&capture(
        Some(LOGIN),
        &[
            (50, true, &[0]),
            (100, false, &firmware("X", 2)),
            (150, true, &[157]),
        ],
    ));
    assert!(express(&draft, 0).replies.is_empty(), "{}", draft.yaml);
    assert!(!draft.yaml.contains("no-reply-to"), "{}", draft.yaml);
}

#[test]
fn without_a_login_the_id_is_a_placeholder_and_no_password_is_ever_taken_over() {
    let said: &[Said<'_>] = &[(50, true, &[0]), (100, false, &firmware("X", 2))];
    let without = pinned(&capture(None, said));
    assert_eq!(express(&without, 0).id, "DRAFT-0001");
    let with = pinned(&capture(Some(LOGIN), said));
    assert_eq!(express(&with, 0).id, "DEMO-0001");
    assert_eq!(express(&with, 0).password, "not-a-secret");
    assert!(!with.yaml.contains("my-own-secret"));
}

#[test]
fn several_devices_are_several_entries_and_sessions_with_one_id_are_one() {
    let mut file = Vec::new();
    begin(&mut file).unwrap();
    let (one, two) = (firmware("ONE", 2), firmware("TWO", 2));
    file = write(
        file,
        20,
        Some(LOGIN),
        &[(50, true, &[0]), (100, false, &one)],
    );
    file = write(file, 21, None, &[(250, true, &[0]), (300, false, &two)]);
    file = write(
        file,
        22,
        Some(LOGIN),
        &[(450, true, &[62]), (3100, false, &[62, 84])],
    );
    file = write(file, 23, None, &[(550, true, &[0]), (600, false, &two)]);
    let draft = pinned(&file);
    let ids: Vec<&str> = draft
        .devices
        .iter()
        .map(|device| device.id.as_str())
        .collect();
    assert_eq!(ids, ["DEMO-0001", "DRAFT-0001", "DRAFT-0002"]);
    assert_eq!(draft.devices[0].sessions, 2);
    assert_eq!(express(&draft, 0).can.len(), 1);
    assert_eq!(express(&draft, 1).hardware, "TWO");
}

#[test]
fn without_firmware_version_or_bms_there_is_a_draft_all_the_same() {
    let draft = pinned(&capture(None, &[(50, true, &[62]), (90, false, &[62])]));
    assert!(draft.yaml.contains("a guess: FW_VERSION was not answered"));
    let express = express(&draft, 0);
    assert!(express.bms.is_none() && express.can.is_empty());
    assert_eq!(express.bus, schema::Bus::Off);
    let only_silence = pinned(&capture(
        None,
        &[(50, true, &[0]), (9000, true, &[0]), (20_000, true, &[0])],
    ));
    assert!(
        only_silence.yaml.contains("no-reply-to: FW_VERSION"),
        "{}",
        only_silence.yaml
    );
}

#[test]
fn a_motor_controller_on_the_bus_has_its_values_and_one_at_the_hub_answers_byte_by_byte() {
    let mut values = vec![4];
    values.extend([0; 73]);
    values[27..29].copy_from_slice(&[0x03, 0x22]);
    let (fw, motor) = (firmware("X", 2), firmware("FRONT, \"left\"", 0));
    let draft = pinned(&capture(
        Some(LOGIN),
        &[
            (50, true, &[0]),
            (100, false, &fw),
            (200, true, &[62]),
            (2800, false, &[62, 2, 9]),
            (2900, true, &[34, 2, 0]),
            (3000, false, &motor),
            (3100, true, &[34, 2, 4]),
            (3200, false, &values),
            (3300, true, &[34, 9, 0]),
            (8000, true, &[34, 9, 0]),
            (15_000, true, &[0]),
            (15_100, false, &fw),
        ],
    ));
    let device = express(&draft, 0);
    assert_ne!(device.can_id, 2, "the node has it");
    let [schema::CanNode::Motor(node), schema::CanNode::Motor(silent)] = &device.can[..] else {
        panic!("{}", draft.yaml);
    };
    assert_eq!(
        (node.hardware.as_str(), node.input_voltage_v),
        ("FRONT, \"left\"", Some(80.2))
    );
    assert_eq!(silent.can_id, 9);
    assert_eq!(told(&draft, "late-pong").finding, Finding::Supported);

    let at_the_hub = pinned(&capture(
        Some(LOGIN),
        &[
            (50, true, &[0]),
            (100, false, &motor),
            (200, true, &[4]),
            (300, false, &values),
        ],
    ));
    let replies = express(&at_the_hub, 0).replies;
    assert_eq!(replies.len(), 2, "{}", at_the_hub.yaml);
    assert_eq!(replies[1].reply[0].0, values);
}

#[test]
fn quirks_that_show_are_supported() {
    let fw = firmware("X", 2);
    let pack = bms(&[4100, 4100]);
    let draft = pinned(&capture(
        Some(LOGIN),
        &[
            (10, true, &[0]),
            (20, false, &pack),
            (1500, true, &[0]),
            (1600, false, &fw),
            (2000, true, &[93, 0]),
            (4000, true, &[62]),
            (4500, true, &[62]),
            (6700, false, &[62, 84]),
            (10_000, true, &[96]),
            (12_000, true, &[96]),
            (19_000, true, &[0]),
            (19_100, false, &fw),
        ],
    ));
    for (quirk, finding) in [
        ("session-reset", Finding::Supported),
        ("needs-setup", Finding::NoWord),
        ("stale-reply", Finding::Supported),
        ("config-goes-elsewhere", Finding::Supported),
        ("login_swallows", Finding::Supported),
        ("blocking-command-dropped", Finding::Supported),
        ("unknown-commands-are-ignored", Finding::Supported),
        ("half_frames_stay", Finding::NoWord),
    ] {
        assert_eq!(
            told(&draft, quirk).finding,
            finding,
            "{quirk}: {}",
            told(&draft, quirk).why
        );
    }
}

#[test]
fn quirks_that_cannot_be_are_contradicted() {
    let pack = bms(&[4100, 4100]);
    let draft = pinned(&capture(
        Some(LOGIN),
        &[
            (10, true, &[96]),
            (90, false, &pack),
            (200, true, &[62]),
            (300, true, &[62]),
            (2800, false, &[62, 84]),
            (2900, false, &[62, 84]),
        ],
    ));
    for quirk in ["needs-setup", "login_swallows", "blocking-command-dropped"] {
        assert_eq!(
            told(&draft, quirk).finding,
            Finding::Contradicted,
            "{quirk}"
        );
    }
    // Without a set-up there was none to forget.
    assert_eq!(told(&draft, "session-reset").finding, Finding::NoWord);
}

#[test]
fn whatever_is_recorded_there_is_a_draft_or_a_reason() {
    let mut state: u32 = 1;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let ids = [
        0, 4, 20, 21, 34, 36, 47, 62, 92, 93, 95, 96, 97, 128, 157, 200,
    ];
    for _ in 0..60 {
        let mut said: Vec<(u64, bool, Vec<u8>)> = Vec::new();
        let mut at = 20;
        for _ in 0..random(25) {
            at += u64::from(random(2500));
            let mut payload = vec![ids[random(16) as usize]];
            let len = random(90);
            payload.extend((0..len).map(|_| random(256) as u8));
            said.push((at, random(2) == 0, payload));
        }
        let said: Vec<Said<'_>> = said
            .iter()
            .map(|(at, asks, payload)| (*at, *asks, payload.as_slice()))
            .collect();
        let file = capture(Some(LOGIN), &said);
        for series in [true, false] {
            let options = DraftOptions {
                series,
                ..DraftOptions::default()
            };
            match draft(&read(&file), &options) {
                Ok(draft) => assert!(Loaded::parse("draft", &draft.yaml).is_ok()),
                Err(DraftError::NoRequest { .. }) => assert!(said.iter().all(|(_, asks, _)| !asks)),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn sim(folder: &TempDir, args: &[&str]) -> Command {
    Command::new(cargo_bin!("veschub-sim"))
        .current_dir(folder.path())
        .args(args)
}

/// A folder with a session in which the pack changes.
fn recorded() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (high, low) = (bms(&[4100, 4101]), bms(&[4100, 4099]));
    let said: &[Said<'_>] = &[
        (50, true, &[0]),
        (150, false, &firmware("X", 2)),
        (200, true, &[96]),
        (280, false, &high),
        (300, true, &[96]),
        (380, false, &low),
    ];
    fs::write(
        folder.path().join("ride.pcapng"),
        capture(Some(LOGIN), said),
    )
    .unwrap();
    folder
}

#[test]
fn files_are_written_together_and_never_overwritten_unasked() {
    let folder = recorded();
    let drafted = ["draft", "ride.pcapng", "-o", "out/ride.yaml"];
    sim(&folder, &drafted).assert().success().stdout_eq("").stderr_eq(str![[r#"
wrote out/ride.yaml and a CSV file beside it

DEMO-0001
  FW_VERSION: 1 time, 30 bytes, after 100.0 ms
  BMS_GET_VALUES: 2 times, 64 bytes, after 80.0 ms
  needs-setup: contradicted: 2 polls were answered without a set-up
    at 0.200 s: BMS_GET_VALUES without GET_CUSTOM_CONFIG and PING_CAN before it, answered
    at 0.300 s: BMS_GET_VALUES without GET_CUSTOM_CONFIG and PING_CAN before it, answered
  stale-reply: not seen: every reply in 1 session was asked for
  late_replies: not seen: every reply in 1 session was asked for
  unknown-commands-are-ignored: not seen: every kind of request was answered at least once
  nothing about session-reset, config-goes-elsewhere, reconnect-reset, login_swallows, silent_connection_stalls, replacement_deletes, keeps_early_bytes, half_frames_stay, blocking-command-dropped, late-pong

"#]]);
    let series = fs::read_to_string(folder.path().join("out/ride/cell_voltages_v-1.csv")).unwrap();
    assert_eq!(series, "time_s,value\n0,4.101\n0.26,4.101\n0.26,4.099\n");
    sim(&folder, &["check", "--strict", "out/ride.yaml"])
        .assert()
        .success();
    sim(&folder, &drafted).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: out/ride/cell_voltages_v-1.csv exists already: choose another name, or add --force to overwrite it

"#]]);
    sim(&folder, &drafted).arg("--force").assert().success();
}

#[test]
fn what_needs_other_files_is_not_printed_and_what_does_not_is() {
    let folder = recorded();
    sim(&folder, &["draft", "ride.pcapng"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: ride.pcapng: a value of the BMS changed and needs a CSV file: name the scenario's file with -o, or use --pin to keep only the last reading

"#]]);
    let printed = sim(&folder, &["draft", "ride.pcapng", "--pin"])
        .assert()
        .success();
    let yaml = String::from_utf8(printed.get_output().stdout.clone()).unwrap();
    Loaded::parse("draft", &yaml).unwrap();
    assert!(yaml.contains("cell_voltages_v: [4.1, 4.099]"), "{yaml}");
}

#[test]
fn programs_get_the_evidence_as_json() {
    let folder = recorded();
    let printed = sim(
        &folder,
        &["draft", "ride.pcapng", "-o", "ride.yaml", "--json"],
    )
    .assert()
    .success();
    let report: serde_json::Value = serde_json::from_slice(&printed.get_output().stdout).unwrap();
    assert_eq!(report["files"][0], "ride.yaml");
    assert_eq!(report["devices"][0]["bms_readings"], 2);
    let evidence = report["evidence"].as_array().unwrap();
    let needs_setup = evidence
        .iter()
        .find(|one| one["quirk"] == "needs-setup")
        .unwrap();
    assert_eq!(
        (&needs_setup["finding"], &needs_setup["seen"][0]["at_s"]),
        (&"contradicted".into(), &0.2.into())
    );
}

/// Seven polls of a BMS. The third reply from the end is damaged, and its bytes read on like the start of a long frame.
fn polls_with_a_damaged_reply() -> Vec<u8> {
    let mut file = Vec::new();
    begin(&mut file).unwrap();
    let device = "198.51.100.20:65101".parse().unwrap();
    let tool = "192.0.2.10:40020".parse().unwrap();
    let mut session = SessionWriter::within(file, Endpoints::new(tool, device), 0);
    session.open(0).unwrap();
    session.data(10 * MS, Initiator, LOGIN.as_bytes()).unwrap();
    for poll in 0..7 {
        let at = (100 + 500 * poll) * MS;
        session
            .data(at, Initiator, &encode(&[96]).unwrap())
            .unwrap();
        // 03 1f 00: a frame of 7,936 bytes.
        let mut reply = encode(&bms(&[0x031F, 0x0010])).unwrap();
        if poll == 4 {
            let checksum = reply.len() - 2;
            reply[checksum] ^= 1;
        }
        session.data(at + 90 * MS, Responder, &reply).unwrap();
    }
    session.finish().unwrap()
}

#[test]
fn of_a_damaged_reply_only_that_one_is_missing() {
    let capture = polls_with_a_damaged_reply();
    let counts = read(&capture).count();
    assert_eq!((counts.frames, counts.late_frames), (13, 2));
    let draft = pinned(&capture);
    assert!(
        draft.yaml.starts_with("# Drafted from ") && draft.yaml.contains("7 requests in"),
        "{}",
        draft.yaml
    );
    assert!(draft.yaml.contains(", 6 answered"), "{}", draft.yaml);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("damaged.pcapng");
    fs::write(&path, capture).unwrap();
    Command::new(cargo_bin!("veschub-sim"))
        .args(["decode", "--stats"])
        .arg(path)
        .assert()
        .success()
        .stdout_eq(str![[r#"
way       command                count  bytes  answered  min ms  median ms  p95 ms  max ms  period ms
> device  BMS_GET_VALUES             7     42         6    90.0       90.0   590.0   590.0      500.0
< tool    BMS_GET_VALUES             6    414         -       -          -       -       -      500.0
< tool    noise: wrong-checksum      1     69         -       -          -       -       -          -
1 login, 13 frames (2 behind one that never ended), 69 noise bytes (wrong-checksum 1); to device: BMS_GET_VALUES 7; to tool: BMS_GET_VALUES 6

"#]]);
}
