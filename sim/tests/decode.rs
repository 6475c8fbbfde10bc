//! `veschub-sim decode` as a person and as a program meet it: the page, the table, the bytes, the choice.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{net::SocketAddrV4, path::Path};

use snapbox::{cmd::Command, str};
use veschub_transcript::{
    Side::{self, Initiator, Responder},
    write::{Endpoints, SessionWriter},
};
use veschub_wire::encode;

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
const MS: u64 = 1_000_000;

fn decode(args: &[&str], capture: &[u8]) -> snapbox::cmd::OutputAssert {
    Command::new(env!("CARGO_BIN_EXE_veschub-sim"))
        .arg("decode")
        .args(args)
        .arg("-")
        .stdin(capture.to_vec())
        .assert()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

fn ends(port: u16) -> Endpoints {
    let initiator: SocketAddrV4 = "192.0.2.10:40000".parse().unwrap();
    let mut responder: SocketAddrV4 = "198.51.100.20:65101".parse().unwrap();
    responder.set_port(port);
    Endpoints::new(initiator, responder)
}

/// A session that says these things at these milliseconds, as a pcapng file.
fn session(port: u16, said: &[(u64, Side, Vec<u8>)]) -> Vec<u8> {
    let mut session = SessionWriter::new(Vec::new(), ends(port), 1_700_000_000_000 * MS).unwrap();
    session.open(0).unwrap();
    for (at, side, bytes) in said {
        session.data(at * MS, *side, bytes).unwrap();
    }
    let end = said.last().map_or(0, |(at, ..)| at + 10) * MS;
    session.close(end, Initiator).unwrap();
    session.close(end, Responder).unwrap();
    session.finish().unwrap()
}

/// Four polls, the third unanswered, a scan of the bus in between.
fn polls(port: u16) -> Vec<u8> {
    session(
        port,
        &[
            (100, Initiator, LOGIN.to_vec()),
            (150, Initiator, frame(&[0])),
            (300, Responder, frame(&[0, 6, 5])),
            (400, Initiator, frame(&[62])),
            (500, Initiator, frame(&[30])),
            (600, Initiator, frame(&[30])),
            (700, Initiator, frame(&[30])),
            (900, Responder, frame(&[62, 84])),
            (1_000, Initiator, frame(&[34, 84, 0])),
            (1_090, Responder, frame(&[0, 6, 5])),
            (1_100, Responder, b"junk".to_vec()),
        ],
    )
}

/// The same capture with some packets put in again behind others: `(of, behind)`.
fn with_packets_again(capture: &[u8], again: &[(usize, usize)]) -> Vec<u8> {
    let mut blocks: Vec<&[u8]> = Vec::new();
    let mut rest = capture;
    while let Some(len) = rest.get(4..8) {
        let (block, behind) = rest.split_at(u32::from_le_bytes(len.try_into().unwrap()) as usize);
        blocks.push(block);
        rest = behind;
    }
    // Section header and interface come before the first packet; its time stands in twelve bytes.
    let packets = blocks.split_off(2);
    let mut out = blocks.concat();
    for (index, block) in packets.iter().enumerate() {
        out.extend_from_slice(block);
        for (of, _) in again.iter().filter(|(_, behind)| *behind == index) {
            let mut repeat = packets[*of].to_vec();
            repeat[12..20].copy_from_slice(&block[12..20]);
            out.extend(repeat);
        }
    }
    out
}

#[test]
fn the_page_has_gaps_and_latencies() {
    decode(&[], &polls(65_101))
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
  0.000                     opened                  192.0.2.10:40000 -> 198.51.100.20:65101
  0.100           > device  login                   type="VESCTOOL" id="DEMO-0001" password=***
  0.150   +0.050  > device  FW_VERSION
  0.300   +0.150  < tool    FW_VERSION    150.0 ms  firmware="6.05"
  0.400   +0.100  > device  PING_CAN
  0.500   +0.100  > device  ALIVE
      …                     2 more ALIVE without a reply until 0.700
  0.900   +0.200  < tool    PING_CAN      500.0 ms  can_ids=[84]
  1.000   +0.100  > device  FORWARD_CAN             can_id=84 command="FW_VERSION"
  1.090   +0.090  < tool    FW_VERSION     90.0 ms  firmware="6.05"
  1.100   +0.010  < tool    noise                   4 bytes: 6a756e6b
  1.110           > device  closed                  fin
  1.110           < tool    closed                  fin
1 login, 9 frames, 4 noise bytes; to device: FW_VERSION 1, ALIVE 3, FORWARD_CAN 1, PING_CAN 1; to tool: FW_VERSION 2, PING_CAN 1

"#]]);
}

#[test]
fn the_table_adds_up_each_command() {
    decode(&["--stats"], &polls(65_101))
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
way       command                  count  bytes  answered  min ms  median ms  p95 ms  max ms  period ms
> device  FW_VERSION                   1      6         1   150.0      150.0   150.0   150.0          -
> device  ALIVE                        3     18         0       -          -       -       -      100.0
> device  FORWARD_CAN(FW_VERSION)      1      8         1    90.0       90.0    90.0    90.0          -
> device  PING_CAN                     1      6         1   500.0      500.0   500.0   500.0          -
< tool    FW_VERSION                   2     16         -       -          -       -       -      790.0
< tool    PING_CAN                     1      7         -       -          -       -       -          -
< tool    noise                        1      4         -       -          -       -       -          -
1 login, 9 frames, 4 noise bytes; to device: FW_VERSION 1, ALIVE 3, FORWARD_CAN 1, PING_CAN 1; to tool: FW_VERSION 2, PING_CAN 1

"#]]);
}

#[test]
fn the_table_is_there_for_programs_too() {
    decode(&["--stats", "--json"], &polls(65_101))
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
{"direction":"to-device","command":"FW_VERSION","count":1,"bytes":6,"answered":1,"latency":{"min":0.15,"median":0.15,"p95":0.15,"max":0.15},"period":null}
{"direction":"to-device","command":"ALIVE","count":3,"bytes":18,"answered":0,"latency":null,"period":0.1}
{"direction":"to-device","command":"FORWARD_CAN(FW_VERSION)","count":1,"bytes":8,"answered":1,"latency":{"min":0.09,"median":0.09,"p95":0.09,"max":0.09},"period":null}
{"direction":"to-device","command":"PING_CAN","count":1,"bytes":6,"answered":1,"latency":{"min":0.5,"median":0.5,"p95":0.5,"max":0.5},"period":null}
{"direction":"to-tool","command":"FW_VERSION","count":2,"bytes":16,"answered":null,"latency":null,"period":0.79}
{"direction":"to-tool","command":"PING_CAN","count":1,"bytes":7,"answered":null,"latency":null,"period":null}
{"direction":"to-tool","command":"noise","count":1,"bytes":4,"answered":null,"latency":null,"period":null}

"#]]);
}

#[test]
fn bytes_stand_below_their_entry_and_secrets_do_not() {
    let config = [&[93, 0][..], &[0; 40]].concat();
    let capture = session(
        65_101,
        &[
            (100, Initiator, LOGIN.to_vec()),
            (150, Initiator, frame(&[93, 0])),
            (200, Responder, frame(&config)),
            (300, Responder, [&frame(&[21; 30])[..], &[0, 1, 2]].concat()),
        ],
    );
    decode(&["--hex"], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
  0.000                     opened                        192.0.2.10:40000 -> 198.51.100.20:65101
  0.100           > device  login                         type="VESCTOOL" id="DEMO-0001" password=***
          bytes with a password in them, not shown
  0.150   +0.050  > device  GET_CUSTOM_CONFIG             index=0
          00000020  02 02 5d 00 78 e3 03                             ..].x..
  0.200   +0.050  < tool    GET_CUSTOM_CONFIG    50.0 ms  index=0 signature=0 data=***
          47 bytes with a secret in them, not shown
  0.300   +0.100  < tool    PRINT                         text="/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}/u{15}"
          0000002f  02 1e 15 15 15 15 15 15 15 15 15 15 15 15 15 15  ................
          0000003f  15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15  ................
          0000004f  3e 5e 03                                         >^.
  0.300   +0.000  < tool    noise                         3 bytes: 000102 (perhaps the start of a frame)
          00000052  00 01 02                                         ...
  0.310           > device  closed                        fin
  0.310           < tool    closed                        fin
1 login, 3 frames, 3 noise bytes; to device: GET_CUSTOM_CONFIG 1; to tool: PRINT 1, GET_CUSTOM_CONFIG 1

"#]]);
}

#[test]
fn packets_that_were_sent_again_are_told_and_counted() {
    let capture = with_packets_again(&polls(65_101), &[(4, 4), (4, 5), (4, 6), (4, 6), (4, 6)]);
    decode(&[], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
  0.000                     opened                  192.0.2.10:40000 -> 198.51.100.20:65101
  0.100           > device  login                   type="VESCTOOL" id="DEMO-0001" password=***
  0.150   +0.050  > device  FW_VERSION
  0.150           > device  repeated                6 bytes sent again
  0.300   +0.150  < tool    FW_VERSION    150.0 ms  firmware="6.05"
  0.300           > device  repeated                6 bytes sent again
  0.400   +0.100  > device  PING_CAN
  0.400           > device  repeated                6 bytes sent again
      …                     2 more sent again, 12 bytes until 0.400
  0.500   +0.100  > device  ALIVE
      …                     2 more ALIVE without a reply until 0.700
  0.900   +0.200  < tool    PING_CAN      500.0 ms  can_ids=[84]
  1.000   +0.100  > device  FORWARD_CAN             can_id=84 command="FW_VERSION"
  1.090   +0.090  < tool    FW_VERSION     90.0 ms  firmware="6.05"
  1.100   +0.010  < tool    noise                   4 bytes: 6a756e6b
  1.110           > device  closed                  fin
  1.110           < tool    closed                  fin
1 login, 9 frames, 4 noise bytes, 30 bytes sent again; to device: FW_VERSION 1, ALIVE 3, FORWARD_CAN 1, PING_CAN 1; to tool: FW_VERSION 2, PING_CAN 1

"#]]);
    let json = decode(&["--json"], &capture).success();
    let text = String::from_utf8_lossy(&json.get_output().stdout).into_owned();
    assert_eq!(text.matches(r#""kind":"repeated""#).count(), 5);
    assert!(
        text.contains(r#""kind":"repeated","connection":1,"length":6}"#),
        "{text}"
    );
}

#[test]
fn a_port_chooses_and_one_that_is_not_there_is_an_error() {
    let capture = polls(7_000);
    let everything = decode(&[], &capture).success();
    let chosen = decode(&["--port", "7000"], &capture).success();
    assert_eq!(everything.get_output().stdout, chosen.get_output().stdout);
    decode(&["--port", "7001"], &capture)
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: standard input: no TCP connection to or from port 7001; without --port, connections are recognised by their content

"#]]);
}

#[test]
fn a_connection_that_was_left_out_can_be_chosen_by_the_number_it_was_named_with() {
    let capture = session(
        443,
        &[(100, Initiator, b"neither login nor frame".to_vec())],
    );
    decode(&[], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
      -           !         1 connection left out, without a login or a frame: #1 192.0.2.10:40000 - 198.51.100.20:443 (23 bytes)
0 logins, 0 frames, 0 noise bytes

"#]]);
    decode(&["--connection", "1"], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
  0.000                     opened             192.0.2.10:40000 -> 198.51.100.20:443
  0.100           > device  noise              23 bytes: 6e656974686572206c6f67696e206e6f72206672616d65
  0.110           > device  closed             fin
  0.110           < tool    closed             fin
0 logins, 0 frames, 23 noise bytes

"#]]);
    decode(&["--connection", "2"], &capture)
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: standard input: no TCP connection has the number 2; without --connection, `decode` shows those with a login or a frame and lists the numbers of the others

"#]]);
}

#[test]
fn ways_to_show_and_to_choose_that_exclude_each_other_are_refused() {
    for args in [
        &["--port", "1", "--connection", "1"][..],
        &["--hex", "--json"],
        &["--stats", "--unfold"],
        &["--raw", "to-tool", "--port", "1"],
        &["--connection", "0"],
    ] {
        decode(args, b"").code(2).stdout_eq("");
    }
}

#[test]
fn the_recorded_session_adds_up_to_what_was_measured() {
    let capture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/vesctool-session-rebuilt.pcapng");
    decode(&["--stats"], &std::fs::read(capture).unwrap())
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
way       command                  count  bytes  answered  min ms  median ms  p95 ms  max ms  period ms
> device  FW_VERSION                   2     12         2   107.1      107.1   147.7   147.7     3020.8
> device  FORWARD_CAN(FW_VERSION)      1      8         1   189.4      189.4   189.4   189.4          -
> device  PING_CAN                     1      6         1  2632.4     2632.4  2632.4  2632.4          -
> device  GET_CUSTOM_CONFIG            1      7         1    90.5       90.5    90.5    90.5          -
> device  BMS_GET_VALUES             139    834       139    84.9       97.3   153.2   476.3      101.0
< tool    FW_VERSION                   3    136         -       -          -       -       -      127.9
< tool    PING_CAN                     1      7         -       -          -       -       -          -
< tool    GET_CUSTOM_CONFIG            1    134         -       -          -       -       -          -
< tool    BMS_GET_VALUES             139  23769         -       -          -       -       -      111.2
1 login, 288 frames, 0 noise bytes; to device: FW_VERSION 2, FORWARD_CAN 1, PING_CAN 1, GET_CUSTOM_CONFIG 1, BMS_GET_VALUES 139; to tool: FW_VERSION 3, PING_CAN 1, GET_CUSTOM_CONFIG 1, BMS_GET_VALUES 139

"#]]);
}

/// One reply with a damaged byte and four good ones.
const BAD_CRC_HIDES_THE_REST: &str = include_str!("inputs/bad-crc-hides-the-rest.hex");
/// Three times the request GET_VALUES with another checksum.
const ONLY_BAD_CRC: &str = include_str!("inputs/only-bad-crc.hex");
/// A reply with a wrong checksum, and a good one.
const FRAME_AFTER_BAD_CRC: &str = include_str!("inputs/frame-after-bad-crc.hex");

#[test]
fn good_frames_behind_a_damaged_one_are_found_when_the_stream_ends() {
    let raw = ["--raw", "to-tool", "--from-hex"];
    let shown = decode(&raw, BAD_CRC_HIDES_THE_REST.as_bytes());
    shown.success().stderr_eq("").stdout_eq(str![[r#"
      -  < tool    noise                 28 bytes: 0217320002a18a00000000000afffff6d50176ffffb5000414924603; length 23, checksum 9246, should be 3013
      -  < tool    GET_VALUES_SELECTIVE  mask=172426 motor_temperature_c=0 input_current_a=0.1 erpm=-2347 input_voltage_v=37.4 tachometer=-18982 fault=4 fault_name="ABS_OVER_CURRENT" can_id=20 (before it, a parser still waits for 30 bytes that never came)
      …            3 more GET_VALUES_SELECTIVE alike
0 logins, 4 frames (4 behind one that never ended), 28 noise bytes (wrong-checksum 1); to tool: GET_VALUES_SELECTIVE 4

"#]]);
    let stats = decode(
        &[&raw[..], &["--stats"]].concat(),
        BAD_CRC_HIDES_THE_REST.as_bytes(),
    );
    stats.success().stderr_eq("").stdout_eq(str![[r#"
way     command                count  bytes  answered  min ms  median ms  p95 ms  max ms  period ms
< tool  GET_VALUES_SELECTIVE       4    112         -       -          -       -       -          -
< tool  noise: wrong-checksum      1     28         -       -          -       -       -          -
0 logins, 4 frames (4 behind one that never ended), 28 noise bytes (wrong-checksum 1); to tool: GET_VALUES_SELECTIVE 4

"#]]);
    let json = decode(
        &[&raw[..], &["--json"]].concat(),
        FRAME_AFTER_BAD_CRC.as_bytes(),
    );
    json.success().stderr_eq("").stdout_eq(str![[r#"
{"at":null,"direction":"to-tool","offset":0,"kind":"noise","payload":"02042f010203829003","fields":{"nearly":"wrong-checksum","why":"length 4, checksum 8290, should be 8291"}}
{"at":null,"direction":"to-tool","offset":9,"kind":"frame","command":"CUSTOM_APP_DATA","payload":"2403","fields":{"data":"03"},"waits_for":512}

"#]]);
    let stats = decode(
        &[&raw[..], &["--stats", "--json"]].concat(),
        FRAME_AFTER_BAD_CRC.as_bytes(),
    );
    stats.success().stderr_eq("").stdout_eq(str![[r#"
{"direction":"to-tool","command":"CUSTOM_APP_DATA","count":1,"bytes":7,"answered":null,"latency":null,"period":null,"late":1}
{"direction":"to-tool","command":"noise: wrong-checksum","count":1,"bytes":9,"answered":null,"latency":null,"period":null}

"#]]);
}

/// A reply of firmware 2.18 to GET_VALUES, as a public dump has it.
const FW218_GET_VALUES: &str = include_str!("inputs/fw218-get-values.hex");

#[test]
fn values_of_old_firmware_are_told_by_their_length_where_nobody_told_the_firmware() {
    let raw = ["--raw", "to-tool", "--from-hex", "--json"];
    let told = decode(&raw, FW218_GET_VALUES.as_bytes());
    told.success().stderr_eq("").stdout_eq(str![[r#"
{"at":null,"direction":"to-tool","offset":0,"kind":"frame","command":"GET_VALUES","payload":"040114011401140114011401140114000000180000000601100000247500ef0000000b0000000000000109000000000000ecbf0000ecbf00","fields":{"board_temperatures_c":[27.6,27.6,27.6,27.6,27.6,27.6],"pcb_temperature_c":27.6,"motor_current_a":0.24,"input_current_a":0.06,"duty":0.272,"erpm":9333.0,"input_voltage_v":23.9,"drawn_ah":0.0011,"charged_ah":0.0,"drawn_wh":0.0265,"charged_wh":0.0,"tachometer":60607,"tachometer_absolute":60607,"fault":0,"fault_name":"NONE"}}

"#]]);
}

/// A tool asks a motor controller on the CAN bus, then the device that it is connected to.
#[test]
fn the_firmware_that_a_device_told_decides_how_its_values_are_read() {
    let values = |len: usize| [&[4][..], &vec![0; len - 1]].concat();
    let said = |node: &[u8], first: usize, second: usize| {
        session(
            65101,
            &[
                (100, Initiator, LOGIN.to_vec()),
                (150, Initiator, frame(&[34, 84, 0])),
                (200, Responder, frame(node)),
                (250, Initiator, frame(&[34, 84, 4])),
                (300, Responder, frame(&values(first))),
                (350, Initiator, frame(&[4])),
                (400, Responder, frame(&values(second))),
            ],
        )
    };
    let fields = |capture: &[u8]| {
        let told = decode(&["--json"], capture).success();
        let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
        let of_values = |line: &&str| line.contains("\"GET_VALUES\"") && line.contains("to-tool");
        let lines: Vec<String> = told
            .lines()
            .filter(of_values)
            .map(ToOwned::to_owned)
            .collect();
        <[String; 2]>::try_from(lines).unwrap()
    };
    // The node has 2.18; the other device never told.
    let [node, other] = fields(&said(&[0, 2, 18], 56, 54));
    assert!(node.contains("\"pcb_temperature_c\":0"), "{node}");
    assert!(other.contains("\"motor_temperature_c\":0"), "{other}");
    // A reply of newer length from old firmware, and the other way round.
    let [node, other] = fields(&said(&[0, 2, 18], 54, 56));
    assert!(
        node.contains("54 bytes fit no layout that is known (known: 56)"),
        "{node}"
    );
    assert!(other.contains("\"pcb_temperature_c\":0"), "{other}");
    let [node, _] = fields(&said(&[0, 3, 40], 56, 54));
    assert!(
        node.contains("56 bytes fit no layout that is known (known: 54, 58"),
        "{node}"
    );
}

#[test]
fn requests_with_a_wrong_checksum_are_told_one_by_one() {
    let raw = ["--raw", "to-device", "--from-hex"];
    let shown = decode(&[&raw[..], &["--unfold"]].concat(), ONLY_BAD_CRC.as_bytes());
    shown.success().stderr_eq("").stdout_eq(str![[r#"
      -  > device  noise  6 bytes: 020104f72903; length 1, checksum f729, should be 4084
      -  > device  noise  6 bytes: 020104f72903; length 1, checksum f729, should be 4084
      -  > device  noise  6 bytes: 020104f72903; length 1, checksum f729, should be 4084
0 logins, 0 frames, 18 noise bytes (wrong-checksum 3)

"#]]);
    let folded = decode(&raw, ONLY_BAD_CRC.as_bytes());
    folded.success().stderr_eq("").stdout_eq(str![[r#"
      -  > device  noise  6 bytes: 020104f72903; length 1, checksum f729, should be 4084
      …            2 more pieces of noise, 12 bytes
0 logins, 0 frames, 18 noise bytes (wrong-checksum 3)

"#]]);
}

#[test]
fn hex_written_as_text_is_noticed_and_can_be_read() {
    let shown = decode(&["--raw", "to-device"], b"02 01 04 40 84 03\n");
    shown.success().stderr_eq(str![[r#"
standard input: looks like hex written as text; `--from-hex` reads it

"#]]).stdout_eq(str![[r#"
      -  > device  noise  18 bytes: 30322030312030342034302038342030330a; looks like hex written as text: 6 bytes
0 logins, 0 frames, 18 noise bytes (hex-text 1)

"#]]);
    let read = decode(
        &["--raw", "to-device", "--from-hex"],
        b"02 01 04 40 84 03\n",
    );
    read.success().stderr_eq("").stdout_eq(str![[r#"
      -  > device  GET_VALUES
0 logins, 1 frame, 0 noise bytes; to device: GET_VALUES 1

"#]]);
    let wrong = decode(&["--raw", "to-device", "--from-hex"], b"02 01\n04 zz\n");
    wrong.code(2).stdout_eq("").stderr_eq(str![[r#"
error: standard input: line 2: `zz` is not made of pairs of hex digits

"#]]);
}

#[test]
fn a_login_line_out_of_place_does_not_show_its_password() {
    let stream = [&frame(&[0])[..], LOGIN, &frame(&[96])].concat();
    for option in ["--hex", "--full"] {
        let shown = decode(&["--raw", "to-device", option], &stream).success();
        let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
        assert!(shown.contains("a login line in the middle"), "{shown}");
        assert!(
            !shown.contains("6e6f742d612d") && !shown.contains("not-a"),
            "{shown}"
        );
    }
}
