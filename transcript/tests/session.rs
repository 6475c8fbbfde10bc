//! A session from the wire to what people and programs read, told the same however it was recorded.

mod common;

use common::{LOGIN, bms_reply, endpoints, frame, pcap, read, records, said, session};
use etherparse::PacketBuilder;
use veschub_transcript::Side::{self, Initiator, Responder};
use veschub_transcript::read::link::LinkType;
use veschub_transcript::read::pcap::Record;
use veschub_transcript::read::read_capture;
use veschub_transcript::render::{Stats, TextOptions, json_lines, summary, text};
use veschub_transcript::write::SessionWriter;
use veschub_transcript::{Direction, Kind, Options, Transcript};

fn shown(transcript: &Transcript, options: &TextOptions) -> String {
    let mut out = Vec::new();
    text(&mut out, transcript, options).expect("memory takes all");
    String::from_utf8(out).expect("text")
}

fn json(transcript: &Transcript) -> String {
    let mut out = Vec::new();
    json_lines(&mut out, transcript).expect("memory takes all");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_session_reads_like_a_page() {
    let transcript = read(&session(endpoints())).unwrap();
    insta::assert_snapshot!(shown(&transcript, &TextOptions::default()), @r##"
      0.000            opened          192.0.2.10:40000 -> 198.51.100.20:65101
      0.104  > device  login           type="VESCTOOL" id="DEMO-0001" password=***
      0.154  > device  FW_VERSION
      0.301  < tool    FW_VERSION      firmware="6.05" hardware="demo" uuid=0102030405060708090a0b0c paired=false test_version=0 hardware_type=2 custom_configs=1
      0.305  > device  FORWARD_CAN     can_id=84 command="FW_VERSION"
      0.400  < tool    FW_VERSION      undecoded="FW_VERSION: `minor` at offset 2 needs 1 bytes, 0 are there"
      0.500  > device  noise           2 bytes: 0d0a
      0.501  > device  0xc8            arguments=0102
      1.000  > device  BMS_GET_VALUES
      1.090  < tool    BMS_GET_VALUES  total_voltage_v=80 charge_voltage_v=0 current_a=0 chip_current_a=0 counter_ah=0 counter_wh=0 cell_voltages_v=[] balancing=[] temperatures_c=[] chip_temperature_c=0 humidity_temperature_c=0 humidity_percent=0 highest_cell_temperature_c=0 state_of_charge=0 state_of_health=0 can_id=255 total_charged_ah=0 total_charged_wh=0 total_discharged_ah=0 total_discharged_wh=0 pressure_pa=0
          …            4 more BMS_GET_VALUES exchanges until 1.490
      2.000  < tool    PRINT           text="some text some text some text some text some text some text some"…
      2.100  > device  noise           3 bytes: 02c801; a frame that never ended: 3 of 205 bytes
      2.200  > device  closed          fin
      2.236  < tool    closed          fin
    1 login, 16 frames, 5 noise bytes (never-ended 1); to device: FW_VERSION 1, FORWARD_CAN 1, BMS_GET_VALUES 5, 0xc8 1; to tool: FW_VERSION 2, PRINT 1, BMS_GET_VALUES 5
    "##);
}

#[test]
fn unfolded_every_exchange_has_its_lines() {
    let transcript = read(&session(endpoints())).unwrap();
    let options = TextOptions {
        fold: false,
        ..TextOptions::default()
    };
    let page = shown(&transcript, &options);
    assert_eq!(page.lines().count(), transcript.entries.len() + 1);
    assert_eq!(page.matches("BMS_GET_VALUES").count(), 10 + 2);
}

#[test]
fn a_session_is_one_json_object_a_line() {
    let transcript = read(&session(endpoints())).unwrap();
    let lines = json(&transcript);
    for line in lines.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            object.get("at").is_some() && object.get("kind").is_some(),
            "{line}"
        );
    }
    let without_polls: Vec<&str> = lines
        .lines()
        .filter(|line| !line.contains("BMS_GET_VALUES"))
        .collect();
    insta::assert_snapshot!(without_polls.join("\n"), @r##"
    {"at":0.0,"kind":"opened","fields":{"from":"192.0.2.10:40000","to":"198.51.100.20:65101"}}
    {"at":0.104,"direction":"to-device","offset":0,"kind":"login","fields":{"type":"VESCTOOL","id":"DEMO-0001","password":"***"}}
    {"at":0.154,"direction":"to-device","offset":32,"kind":"frame","command":"FW_VERSION","payload":"00","fields":{}}
    {"at":0.301,"direction":"to-tool","offset":0,"kind":"frame","command":"FW_VERSION","payload":"00060564656d6f000102030405060708090a0b0c00000201","fields":{"firmware":"6.05","hardware":"demo","uuid":"0102030405060708090a0b0c","paired":false,"test_version":0,"hardware_type":2,"custom_configs":1}}
    {"at":0.305,"direction":"to-device","offset":38,"kind":"frame","command":"FORWARD_CAN","payload":"225400","fields":{"can_id":84,"command":"FW_VERSION"}}
    {"at":0.4,"direction":"to-tool","offset":29,"kind":"frame","command":"FW_VERSION","payload":"0006","fields":{"undecoded":"FW_VERSION: `minor` at offset 2 needs 1 bytes, 0 are there"}}
    {"at":0.5,"direction":"to-device","offset":46,"kind":"noise","payload":"0d0a"}
    {"at":0.501,"direction":"to-device","offset":48,"kind":"frame","command":"0xc8","payload":"c80102","fields":{"arguments":"0102"}}
    {"at":2.0,"direction":"to-tool","offset":351,"kind":"frame","command":"PRINT","payload":"15736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420736f6d65207465787420","fields":{"text":"some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text some text "}}
    {"at":2.1,"direction":"to-device","offset":86,"kind":"noise","payload":"02c801","fields":{"nearly":"never-ended","why":"a frame that never ended: 3 of 205 bytes","unfinished":3}}
    {"at":2.2,"direction":"to-device","offset":89,"kind":"closed","fields":{"how":"fin"}}
    {"at":2.236,"direction":"to-tool","offset":658,"kind":"closed","fields":{"how":"fin"}}
    "##);
}

#[test]
fn payloads_in_json_are_those_of_the_wire() {
    let lines = json(&read(&session(endpoints())).unwrap());
    let hex: String = bms_reply(80)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(lines.contains(&format!("\"payload\":\"{hex}\"")));
}

#[test]
fn the_password_is_kept_and_not_shown() {
    let transcript = read(&session(endpoints())).unwrap();
    let login = transcript.logins().next().unwrap();
    assert_eq!(login.raw.reveal(), LOGIN);
    let line = login.line.as_ref().unwrap();
    assert_eq!(
        (line.id.as_str(), line.password.reveal()),
        ("DEMO-0001", "not-a-secret")
    );
    for shown in [
        shown(&transcript, &TextOptions::default()),
        json(&transcript),
        format!("{transcript:?}"),
    ] {
        assert!(!shown.contains("not-a-secret"));
    }
}

#[test]
fn a_login_that_a_hub_refuses_does_not_show_its_password_either() {
    for line in [
        &b"VESCTOOL:ab:not-a-secret\n"[..],
        b"VESC:abc:not-a-secret:x\n",
        b"VESCTOOL:abc:not-a-secret",
    ] {
        let transcript = Transcript::from_raw(line, Direction::ToDevice, 512);
        let shown = shown(&transcript, &TextOptions::default()) + &json(&transcript);
        assert!(
            shown.contains("refused") && !shown.contains("secret"),
            "{shown}"
        );
    }
}

/// Only what was said, not who opened or closed what.
fn assert_same(records: &[Record], wanted: &Transcript, case: &str) {
    let transcript = read(&pcap(records, false, true)).expect("a capture");
    assert_eq!(said(&transcript), said(wanted), "{case}");
    assert_eq!(transcript.count().missing_bytes, 0, "{case}");
}

#[test]
fn repeated_packets_change_nothing() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    let twice: Vec<Record> = records(&file)
        .into_iter()
        .flat_map(|record| [record.clone(), record])
        .collect();
    assert_same(&twice, &wanted, "each twice");
    let all = records(&file);
    assert_same(
        &[&all[..], &all[3..20]].concat(),
        &wanted,
        "the middle again",
    );
}

#[test]
fn packets_that_overtake_each_other_change_nothing() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    let all = records(&file);
    for at in 0..all.len() - 1 {
        let mut swapped = all.clone();
        swapped.swap(at, at + 1);
        assert_same(&swapped, &wanted, &format!("packets {at} and {}", at + 1));
    }
}

#[test]
fn the_size_of_segments_changes_nothing() {
    let wanted = read(&session(endpoints())).unwrap();
    for mss in [1, 2, 7, 60, 536] {
        let mut ends = endpoints();
        ends.mss = mss;
        let transcript = read(&session(ends)).unwrap();
        assert_eq!(transcript.entries, wanted.entries, "segments of {mss}");
    }
}

#[test]
fn sequence_numbers_that_wrap_change_nothing() {
    let wanted = read(&session(endpoints())).unwrap();
    for back in [0, 1, 20, 40, 60, 200] {
        let mut ends = endpoints();
        ends.initiator_seq = 0u32.wrapping_sub(back);
        ends.responder_seq = 0u32.wrapping_sub(3 * back);
        assert_eq!(
            read(&session(ends)).unwrap().entries,
            wanted.entries,
            "{back} before the end"
        );
    }
}

#[test]
fn a_recording_without_the_opening_says_so_and_tells_the_same() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    let later = &records(&file)[3..];
    assert_same(later, &wanted, "without the handshake");
    let transcript = read(&pcap(later, false, true)).unwrap();
    assert!(!transcript.connections[0].from_start);
    assert!(matches!(&transcript.entries[0].kind, Kind::Notice(text) if text.contains("middle")));
}

#[test]
fn without_a_login_the_frames_tell_who_is_the_tool() {
    // Recorded from the first reply on, so that the device is seen first.
    let file = session(endpoints());
    let all = records(&file);
    let transcript = read(&pcap(&all[6..], false, true)).unwrap();
    let [connection] = transcript.connections[..] else {
        panic!("{:?}", transcript.connections);
    };
    assert_eq!(connection.tool.to_string(), "192.0.2.10:40000");
    assert!(!connection.by_login && !connection.from_start);
    assert_eq!(transcript.count().logins, 0);
    assert_eq!(
        transcript.count().frames,
        read(&file).unwrap().count().frames - 1
    );
}

#[test]
fn who_logs_in_as_a_device_sends_replies() {
    let mut writer = SessionWriter::new(Vec::new(), endpoints(), 0).unwrap();
    writer.open(0).unwrap();
    writer
        .data(1, Initiator, b"VESC:demo-0001:not-a-secret\n\0")
        .unwrap();
    writer.data(2, Responder, &frame(&[96])).unwrap();
    writer.data(3, Initiator, &frame(&bms_reply(80))).unwrap();
    let transcript = read(&writer.finish().unwrap()).unwrap();
    let told: Vec<_> = transcript
        .entries
        .iter()
        .filter_map(|entry| Some((entry.direction?, entry.kind_name(), entry.offset)))
        .collect();
    assert_eq!(
        told,
        [
            (Direction::ToTool, "login", 0),
            (Direction::ToTool, "noise", 28),
            (Direction::ToDevice, "frame", 0),
            (Direction::ToTool, "frame", 29),
        ]
    );
    assert!(transcript.connections[0].by_login);
}

#[test]
fn a_lost_packet_is_a_gap_and_reading_goes_on_behind_it() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    let mut all = records(&file);
    // The first BMS reply.
    let lost = all.remove(13);
    let transcript = read(&pcap(&all, false, true)).unwrap();
    let len = lost.data.len() as u64 - 54;
    assert_eq!(transcript.count().missing_bytes, len);
    assert_eq!(transcript.count().frames, wanted.count().frames - 1);
    let gap = transcript
        .entries
        .iter()
        .find(|entry| matches!(entry.kind, Kind::Gap { .. }))
        .unwrap();
    assert_eq!(gap.direction, Some(Direction::ToTool));
    let behind = transcript
        .entries
        .iter()
        .find(|entry| entry.direction == gap.direction && entry.offset == gap.offset + len)
        .unwrap();
    assert!(behind.frame().is_some());
}

/// Packets of a session that may be none of ours, between ports of its own.
fn foreign(port: u16, said: &[(bool, Vec<u8>)]) -> Vec<Record> {
    let mut seq = [1u32, 1];
    let mut out = Vec::new();
    for (index, (from_client, bytes)) in said.iter().enumerate() {
        let side = usize::from(!from_client);
        let mut data = Vec::new();
        let (from, to) = if *from_client {
            (port, 443)
        } else {
            (443, port)
        };
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv6([side as u8 + 1; 16], [2 - side as u8; 16], 64)
            .tcp(from, to, seq[side], 1_000)
            .ack(seq[1 - side])
            .write(&mut data, bytes)
            .expect("memory takes all");
        seq[side] += bytes.len() as u32;
        out.push(Record {
            number: 0,
            at_ns: common::START_NS + 120_000_000 + index as u64,
            link: LinkType::ETHERNET,
            original_len: data.len() as u32,
            data,
        });
    }
    out
}

#[test]
fn connections_that_say_nothing_of_ours_are_left_out_with_a_notice() {
    let mut all = records(&session(endpoints()));
    let web = foreign(
        50_000,
        &[
            (true, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
            (false, vec![2; 70]),
        ],
    );
    all.splice(4..4, web);
    let transcript = read(&pcap(&all, false, true)).unwrap();
    assert_eq!(transcript.connections.len(), 1);
    let Kind::Notice(notice) = &transcript.entries.last().unwrap().kind else {
        panic!("no notice");
    };
    assert_eq!(
        notice,
        "1 connection left out, without a login or a frame: \
         #2 [101:101:101:101:101:101:101:101]:50000 - [202:202:202:202:202:202:202:202]:443 (88 bytes)"
    );
}

#[test]
fn a_long_foreign_connection_is_forgotten_before_its_end() {
    let said: Vec<_> = (0..900).map(|_| (true, vec![b'x'; 1_400])).collect();
    let transcript = read(&pcap(&foreign(50_000, &said), false, true)).unwrap();
    assert!(transcript.connections.is_empty());
    assert_eq!(summary(&transcript), "0 logins, 0 frames, 0 noise bytes");
}

#[test]
fn several_connections_are_numbered_and_told_by_time() {
    let mut all = records(&session(endpoints()));
    let other = foreign(
        50_001,
        &[(true, frame(&[96])), (false, frame(&bms_reply(50)))],
    );
    all.splice(5..5, other);
    let transcript = read(&pcap(&all, false, true)).unwrap();
    assert_eq!(transcript.connections.len(), 2);
    assert_eq!(transcript.connections[1].tool.port(), 50_001);
    let order: Vec<u32> = transcript.entries[..7]
        .iter()
        .map(|entry| entry.connection)
        .collect();
    assert_eq!(order, [1, 1, 2, 2, 2, 1, 1]);
    assert!(
        json(&transcript)
            .lines()
            .all(|line| line.contains("\"connection\":"))
    );
    assert!(shown(&transcript, &TextOptions::default()).contains("#2  > device"));
}

#[test]
fn a_bare_stream_is_told_without_times() {
    let bytes = [LOGIN, &[0], &frame(&[96]), b"\x02"].concat();
    let transcript = Transcript::from_raw(&bytes, Direction::ToDevice, 512);
    insta::assert_snapshot!(json(&transcript), @r##"
    {"at":null,"direction":"to-device","offset":0,"kind":"login","fields":{"type":"VESCTOOL","id":"DEMO-0001","password":"***"}}
    {"at":null,"direction":"to-device","offset":32,"kind":"noise","payload":"00"}
    {"at":null,"direction":"to-device","offset":33,"kind":"frame","command":"BMS_GET_VALUES","payload":"60","fields":{}}
    {"at":null,"direction":"to-device","offset":39,"kind":"noise","payload":"02","fields":{"unfinished":1}}
    "##);
    insta::assert_snapshot!(shown(&transcript, &TextOptions::default()), @r##"
          -  > device  login           type="VESCTOOL" id="DEMO-0001" password=***
          -  > device  noise           1 byte: 00
          -  > device  BMS_GET_VALUES
          -  > device  noise           1 byte: 02 (perhaps the start of a frame)
    1 login, 1 frame, 2 noise bytes; to device: BMS_GET_VALUES 1
    "##);
}

#[test]
fn a_bare_stream_to_a_tool_has_no_login() {
    let transcript = Transcript::from_raw(LOGIN, Direction::ToTool, 10_000);
    let counts = transcript.count();
    assert_eq!((counts.logins, counts.noise_bytes), (0, LOGIN.len() as u64));
}

#[test]
fn what_does_not_decode_keeps_its_payload_and_says_why() {
    let transcript = Transcript::from_raw(&frame(&[0, 6]), Direction::ToTool, 10_000);
    let line = json(&transcript);
    assert!(line.contains("\"payload\":\"0006\""), "{line}");
    assert!(
        line.contains("\"fields\":{\"undecoded\":\"FW_VERSION: "),
        "{line}"
    );
}

#[test]
fn the_limit_decides_what_is_a_frame() {
    let long = frame(&[21; 600]);
    let count = |limit| {
        Transcript::from_raw(&long, Direction::ToTool, limit)
            .count()
            .frames
    };
    assert_eq!((count(512), count(10_000)), (0, 1));
    let file = {
        let mut writer = SessionWriter::new(Vec::new(), endpoints(), 0).unwrap();
        writer.open(0).unwrap();
        writer.data(1, Initiator, &long).unwrap();
        writer.data(1, Responder, &long).unwrap();
        writer.reset(2, Responder).unwrap();
        writer.finish().unwrap()
    };
    let count = |options| {
        Transcript::from_capture(&file[..], &options)
            .unwrap()
            .count()
            .frames
    };
    assert_eq!(
        (count(Options::default()), count(Options::both(10_000))),
        (1, 2)
    );
}

#[test]
fn statistics_of_a_pipelined_poll_give_the_latency_that_its_client_measured() {
    const MS: u64 = 1_000_000;
    const PERIOD: u64 = 20 * MS;
    const LATENCY: u64 = 57 * MS;
    let mut events: Vec<(u64, Side)> = (0..200)
        .flat_map(|poll| {
            let at = poll * PERIOD;
            // Of one poll the reply is lost.
            let reply = (poll != 100).then_some((at + LATENCY, Responder));
            [Some((at, Initiator)), reply]
        })
        .flatten()
        .collect();
    events.sort_by_key(|&(at, _)| at);
    let write = || -> std::io::Result<Vec<u8>> {
        let mut session = SessionWriter::new(Vec::new(), endpoints(), common::START_NS)?;
        session.open(0)?;
        for (at, side) in events {
            let bytes = match side {
                Initiator => frame(&[96]),
                Responder => frame(&bms_reply(80)),
            };
            session.data(at, side, &bytes)?;
        }
        session.finish()
    };
    let file = write().unwrap();
    let mut stats = Stats::default();
    read_capture(&file[..], &Options::default(), &mut stats).unwrap();
    let rows = stats.rows();
    let latency = rows[0].latency.unwrap();
    assert_eq!((rows[0].count, rows[0].answered), (200, Some(199)));
    assert_eq!((latency.min_ns, latency.median_ns), (LATENCY, LATENCY));
    // Until the loss shows, replies seem to answer the request before their own.
    assert_eq!(latency.max_ns, LATENCY + PERIOD);
}

#[test]
fn a_long_session_of_one_side_whose_beginning_is_not_there_is_decoded() {
    const COUNT: usize = 5000;
    let mut session = SessionWriter::new(Vec::new(), endpoints(), 0).unwrap();
    let said = frame(&[0x24; 400]);
    for at in 0..COUNT as u64 {
        session.data(at, Initiator, &said).unwrap();
    }
    let transcript = read(&session.finish().unwrap()).unwrap();
    let entries = transcript.entries.iter();
    assert_eq!(
        entries.filter(|entry| entry.frame().is_some()).count(),
        COUNT
    );
}
