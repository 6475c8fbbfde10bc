//! A CAN bus in files: read, written, put together and shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use proptest::{collection::vec, prelude::*, sample::Index};
use veschub_transcript::{
    Kind, Options, Transcript,
    can::{
        Assembler, Command, Frame, Heard, LogFormat, LogWriter, Packet, SendType, fragments,
        measured,
    },
    read::read_capture,
    render::{JsonWriter, TextOptions, TextWriter},
};

const MS: u64 = 1_000_000;
/// 2023-11-14 22:13:20 UTC.
const START_NS: u64 = 1_700_000_000_000_000_000;

/// An Express (2) asks a motor (84) for its values, while the motor and a BMS (10) tell theirs.
fn bus() -> Vec<(u64, Frame)> {
    let values = [&[4, 1, 44, 1, 94][..], &[0; 60]].concat();
    let mut frames = Vec::new();
    for tick in 0..3 {
        let at = tick * 20 * MS;
        frames.extend([
            (at, measured(Packet::STATUS, 84, &[3200.0, 12.3, 0.25])),
            (at, measured(Packet::STATUS_4, 84, &[31.0, 40.5, 3.1, 0.0])),
            (at, measured(Packet::BMS_V_TOT, 10, &[83.774, 0.0])),
            (
                at,
                Frame::new(Packet::BMS_BAL, 10, &[20, 0, 0, 0, 0, 0, 0, 5]),
            ),
        ]);
    }
    let mut say = |at: u64, sent: Vec<Frame>| {
        let sent = sent.into_iter().enumerate();
        frames.extend(sent.map(|(index, frame)| (at + index as u64 * 300_000, frame)));
    };
    say(61 * MS, vec![Frame::new(Packet::PING, 84, &[2])]);
    say(62 * MS, vec![Frame::new(Packet::PONG, 2, &[84, 0])]);
    say(70 * MS, fragments(2, 84, SendType::REQUEST, &[4]));
    say(72 * MS, fragments(84, 2, SendType::REPLY, &values));
    say(80 * MS, fragments(254, 255, SendType::NO_REPLY, &[30]));
    say(81 * MS, vec![measured(Packet::SET_CURRENT, 84, &[5.0])]);
    // A fragment is lost, then a bit is flipped.
    let mut lost = fragments(84, 2, SendType::REPLY, &values);
    lost.remove(3);
    say(90 * MS, lost);
    let mut flipped = fragments(84, 2, SendType::REPLY, &values);
    flipped[4] = Frame::new(Packet::FILL_RX_BUFFER, 2, &[28, 1, 0, 0, 0, 0, 0, 0]);
    say(100 * MS, flipped);
    let mut open = fragments(84, 2, SendType::REPLY, &values);
    open.pop();
    say(110 * MS, open);
    frames
}

fn written(format: LogFormat, frames: &[(u64, Frame)]) -> Vec<u8> {
    let mut log = LogWriter::new(Vec::new(), format, "vcan0", START_NS).unwrap();
    for (at, frame) in frames {
        log.frame(*at, frame).unwrap();
    }
    log.finish().unwrap()
}

fn text(file: &[u8], options: TextOptions) -> String {
    let mut page = Vec::new();
    let mut writer = TextWriter::new(&mut page, options);
    read_capture(file, &Options::default(), &mut writer).unwrap();
    writer.finish().unwrap();
    String::from_utf8(page).unwrap()
}

fn json(file: &[u8]) -> String {
    let mut page = Vec::new();
    let mut writer = JsonWriter::new(&mut page);
    read_capture(file, &Options::default(), &mut writer).unwrap();
    writer.finish().unwrap();
    String::from_utf8(page).unwrap()
}

#[test]
fn a_bus_is_shown_with_its_values_its_commands_and_what_is_wrong_with_others() {
    let log = written(LogFormat::Candump, &bus());
    insta::assert_snapshot!("bus", text(&log, TextOptions::default()));
    insta::assert_snapshot!("bus_as_json", json(&log));
}

#[test]
fn text_and_capture_tell_the_same() {
    let (log, capture) = (
        written(LogFormat::Candump, &bus()),
        written(LogFormat::Pcapng, &bus()),
    );
    assert_eq!(json(&log), json(&capture));
    let options = TextOptions {
        fold: false,
        hex: true,
        ..TextOptions::default()
    };
    assert_eq!(text(&log, options), text(&capture, options));
}

#[test]
fn lines_of_something_else_are_left_out_and_counted() {
    let log = written(LogFormat::Candump, &bus()[..2]);
    let lines = String::from_utf8(log).unwrap();
    let long = "x".repeat(10_000);
    let odd = format!("\n{lines}# a comment\r\n{long}\n(1700000001.000000) vcan0 00001154#02");
    let transcript = Transcript::from_capture(odd.as_bytes(), &Options::default()).unwrap();
    let kinds: Vec<String> = transcript
        .entries
        .iter()
        .map(|entry| match &entry.kind {
            Kind::Can(heard) => heard.name(),
            Kind::Notice(text) => text.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "STATUS",
            "STATUS_4",
            "PING",
            "2 lines left out that candump does not write (first: line 4)"
        ]
    );
}

#[test]
fn other_text_is_no_capture() {
    for text in [
        "hello",
        "(1.0) vcan0 nothing",
        "# a comment\n(1.0) vcan0 00000954#00",
    ] {
        assert!(Transcript::from_capture(text.as_bytes(), &Options::default()).is_err());
    }
}

#[test]
fn a_config_that_travels_on_the_bus_is_masked() {
    let key = b"my-secret-key";
    let config = [
        &[93, 0, 1, 2, 3, 4, 0, 2, 2, 0, 20, 1][..],
        b"net\0",
        key,
        b"\0",
    ]
    .concat();
    let frames: Vec<(u64, Frame)> = fragments(2, 254, SendType::REPLY, &config)
        .into_iter()
        .map(|frame| (0, frame))
        .collect();
    let log = written(LogFormat::Candump, &frames);
    let options = TextOptions {
        hex: true,
        ..TextOptions::default()
    };
    let shown = text(&log, options);
    assert!(!shown.contains("my-secret"), "{shown}");
    assert!(shown.contains("not shown"), "{shown}");
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let near = prop_oneof![5..=8_u8, any::<u8>()];
    (near, 0..3_u8, vec(any::<u8>(), 0..=8))
        .prop_map(|(packet, node, data)| Frame::new(Packet(packet), node, &data))
}

proptest! {
    #[test]
    fn any_frames_in_any_order_give_no_panic_and_no_command_with_a_wrong_checksum(
        frames in vec(any_frame(), 0..200),
    ) {
        let mut assembler = Assembler::new();
        for frame in &frames {
            if let Some(Heard::Command(command)) = assembler.push(frame) {
                prop_assert!(!command.payload.is_empty());
                prop_assert!(command.payload.len() <= 512);
            }
        }
        let left = assembler.finish();
        prop_assert!(left.len() <= 3 * 3);
        prop_assert!(assembler.finish().is_empty());
    }

    #[test]
    fn however_fragments_are_lost_doubled_and_mixed_a_command_is_whole_or_noise(
        payloads in vec(vec(any::<u8>(), 1..80), 1..6),
        changes in vec((any::<Index>(), any::<Index>(), 0..3_u8), 0..12),
    ) {
        let mut frames: Vec<Frame> = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            frames.extend(fragments(index as u8, 84, SendType::REQUEST, payload));
        }
        for (one, other, what) in changes {
            if frames.is_empty() {
                break;
            }
            let (one, other) = (one.index(frames.len()), other.index(frames.len()));
            match what {
                0 => drop(frames.remove(one)),
                1 => frames.insert(other, frames[one].clone()),
                _ => frames.swap(one, other),
            }
        }
        let mut assembler = Assembler::new();
        for frame in &frames {
            if let Some(Heard::Command(Command { from, payload, .. })) = assembler.push(frame) {
                // A checksum of 16 bits lets one mix of a great many through.
                prop_assert_eq!(&payload, &payloads[usize::from(from)]);
            }
        }
    }

    #[test]
    fn a_command_is_put_together_again_whatever_it_holds(
        payload in vec(any::<u8>(), 1..=512),
        from in any::<u8>(),
        to in any::<u8>(),
    ) {
        let mut assembler = Assembler::new();
        let sent = fragments(from, to, SendType::REPLY, &payload);
        let frames = sent.len();
        let heard: Vec<Heard> = sent.iter().filter_map(|frame| assembler.push(frame)).collect();
        let send_type = SendType::REPLY;
        prop_assert_eq!(heard, [Heard::Command(Command { from, to, send_type, frames, payload })]);
    }
}
