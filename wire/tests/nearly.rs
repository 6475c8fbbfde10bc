//! What noise nearly was, and the frames behind it.

use std::cell::{Cell, RefCell};

use veschub_wire::{
    DEVICE_MAX_PAYLOAD, Ear, Heard, TOOL_MAX_PAYLOAD, crc16, diagnose, encode, frame::encode_as,
    from_hex_text, view::Value,
};

/// The request GET_VALUES.
const GOOD: &[u8] = b"\x02\x01\x04\x40\x84\x03";
/// The same with another checksum.
const WRONG: &[u8] = b"\x02\x01\x04\xF7\x29\x03";
const WRONG_IS: &str = "length 1, checksum f729, should be 4084";

fn why(bytes: &[u8]) -> String {
    diagnose(bytes, DEVICE_MAX_PAYLOAD).to_string()
}

/// A frame whose checksum is this.
fn with_checksum(payload: &[u8], checksum: u16) -> Vec<u8> {
    let mut frame = encode(payload).expect("a payload that a frame can hold");
    let at = frame.len() - 3;
    frame[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    frame
}

/// What an ear tells: frames by their payload in hex, with `+N` behind one that a parser still waits for; noise by its
/// length and what it nearly was.
fn told(mut ear: Ear, pieces: &[&[u8]], finish: bool) -> Vec<String> {
    let mut told = Vec::new();
    let mut hear = |heard: Heard<'_>| {
        told.push(match heard {
            Heard::Frame { frame, waits_for } => {
                let payload: String = frame
                    .payload
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                match waits_for {
                    0 => payload,
                    more => format!("{payload} +{more}"),
                }
            }
            Heard::Noise {
                bytes,
                nearly,
                unfinished,
                ..
            } => {
                let why = nearly.map_or_else(String::new, |nearly| format!(": {nearly}"));
                format!("noise {}/{unfinished}{why}", bytes.len())
            }
        });
    };
    for piece in pieces {
        ear.bytes(piece, &mut hear);
    }
    if finish {
        ear.finish(&mut hear);
    }
    told
}

fn ear() -> Ear {
    Ear::new(DEVICE_MAX_PAYLOAD)
}

#[test]
fn a_wrong_checksum_is_told_with_the_right_one() {
    assert_eq!(why(WRONG), WRONG_IS);
    assert_eq!(
        why(b"\x02\x04\x2f\x01\x02\x03\x82\x90\x03"),
        "length 4, checksum 8290, should be 8291"
    );
}

#[test]
fn a_checksum_of_another_kind_is_recognised() {
    for (checksum, what) in [
        (
            0x8440,
            "its two bytes are swapped: the high byte comes first",
        ),
        (
            crc16(b"\x02\x01\x04"),
            "it is that of header and payload: only the payload counts",
        ),
        // CRC-16/CCITT-FALSE of the one byte 04.
        (
            0xA174,
            "it was computed from ffff on, as CCITT-FALSE: right is XMODEM, from 0 on",
        ),
    ] {
        assert_eq!(
            why(&with_checksum(&[4], checksum)),
            format!("length 1, checksum {checksum:04x}, should be 4084 ({what})")
        );
    }
}

#[test]
fn every_check_of_the_parser_has_its_words() {
    for (bytes, text) in [
        (
            &b"\x02\x01\x04\x40\x84\x00"[..],
            "length 1, stop byte 00 instead of 03",
        ),
        (
            b"\x02\x01\x04\xF7\x29\x00",
            "length 1, checksum f729, should be 4084, stop byte 00 instead of 03",
        ),
        (
            b"\x02\x00\x00\x00\x03",
            "length 0: a frame must have a payload",
        ),
        (
            b"\x03\x00\x01\x04\x40\x84\x03",
            "length 1 in a long form, which begins at 255",
        ),
        (
            b"\x02\x17\x32\x00",
            "a frame that never ended: 4 of 28 bytes",
        ),
        (
            b"VESCTOOL:DEMO-0001:not-a-secret\n",
            "a login line in the middle of a session, where no hub reads it",
        ),
        (
            b"02 01 04 40 84 03",
            "looks like hex written as text: 6 bytes",
        ),
        (b"020104f72903", "looks like hex written as text: 6 bytes"),
        (
            b"020104f72903\r\n",
            "looks like hex written as text: 6 bytes",
        ),
    ] {
        assert_eq!(why(bytes), text, "{bytes:?}");
    }
    let longest = with_checksum(&[7; DEVICE_MAX_PAYLOAD], 0);
    assert!(why(&longest).starts_with("length 512, checksum 0000, should be"));
    let long = encode(&[7; 9824]).unwrap();
    assert_eq!(why(&long), "length 9,824 exceeds 512");
    assert!(diagnose(&long, TOOL_MAX_PAYLOAD).is_empty());
}

#[test]
fn the_first_three_are_named_and_the_others_are_counted() {
    assert_eq!(why(&WRONG.repeat(100)), format!("{WRONG_IS} (100 times)"));
    let others: Vec<u8> = (1..=5).flat_map(|id| with_checksum(&[id], 0)).collect();
    assert_eq!(
        why(&others),
        "length 1, checksum 0000, should be 1021; length 1, checksum 0000, should be 2042; \
         length 1, checksum 0000, should be 3063; 2 more"
    );
    let flood = diagnose(&WRONG.repeat(10_000), DEVICE_MAX_PAYLOAD);
    assert_eq!(flood.unseen, 60_000 - (16 << 10));
}

#[test]
fn of_plain_junk_nothing_is_said() {
    for junk in [
        &b"\r\n"[..],
        b"",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:65102\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"x\x02\x10abc",
        b"\x02",
        b"\x03\x26\x60 junk",
        b"123456789012345678",
        b"deadbeef cafe",
        b"02 17 32",
        b"VESC: ready\n",
    ] {
        assert_eq!(why(junk), "", "{junk:?}");
    }
}

#[test]
fn good_frames_around_a_damaged_one_are_left_alone() {
    let stream = [GOOD, WRONG, GOOD, b"\x02", GOOD].concat();
    assert_eq!(why(&stream), WRONG_IS);
    assert_eq!(why(&[b"xx", WRONG].concat()), WRONG_IS);
}

#[test]
fn a_login_is_told_at_the_start_of_a_line_and_nowhere_else() {
    const LOGIN: &str = "a login line in the middle of a session, where no hub reads it";
    let line = b"VESCTOOL:DEMO-0001:not-a-secret\n";
    assert_eq!(why(&[b"x\n", &line[..]].concat()), LOGIN);
    assert_eq!(why(&[b"xy", &line[..]].concat()), "");
    assert_eq!(
        why(&[&line[..], line].concat()),
        format!("{LOGIN} (2 times)")
    );
    assert_eq!(
        told(ear(), &[line, GOOD], true),
        [&format!("noise 32/0: {LOGIN}"), "04"]
    );
}

#[test]
fn a_frame_without_a_payload_in_the_long_form_is_told_as_the_long_form() {
    assert_eq!(
        why(b"\x03\x00\x00\x00\x00\x03"),
        "length 0 in a long form, which begins at 255"
    );
}

#[test]
fn a_start_behind_junk_or_with_a_length_that_no_frame_has_is_no_frame_that_never_ended() {
    for junk in [
        &b"x\x02\x17\x32\x00"[..],
        b"\x03\x00\x17\x32\x00",
        // Neither checksum nor stop byte is right, and it does not stand alone.
        b"\x02\x01\x04\xF7\x29\x00junk",
        b"\x02\x00\x12\x34\x03",
    ] {
        assert_eq!(why(junk), "", "{junk:?}");
    }
}

#[test]
fn frames_behind_a_start_without_an_end_are_found_when_the_stream_ends() {
    let bad = b"\x02\x04\x2f\x01\x02\x03\x82\x90\x03";
    let good = b"\x02\x02\x24\x03\xfa\x41\x03";
    assert_eq!(
        told(Ear::new(TOOL_MAX_PAYLOAD), &[bad, good], true),
        [
            "noise 9/0: length 4, checksum 8290, should be 8291",
            "2403 +512"
        ]
    );
}

#[test]
fn what_is_only_begun_when_the_stream_ends_is_no_frame() {
    assert_eq!(
        told(ear(), &[GOOD, b"junk\x02\x05abc"], true),
        ["04", "noise 9/5"]
    );
    assert_eq!(
        told(ear(), &[b"\x02\xC8", GOOD, GOOD, b"\x02\x05abc"], true),
        [
            "noise 2/0: a frame that never ended: 2 of 205 bytes",
            "04 +186",
            "04 +186",
            "noise 5/5: a frame that never ended: 5 of 10 bytes",
        ]
    );
}

#[test]
fn damaged_frames_are_told_one_by_one() {
    let wrong = format!("noise 6/0: {WRONG_IS}");
    let stream = WRONG.repeat(3);
    assert_eq!(told(ear(), &[&stream], true), vec![&wrong[..]; 3]);
    assert_eq!(
        told(ear(), &[b"\r\n", &stream, b"\r\n", GOOD], false),
        ["noise 2/0", &wrong, &wrong, &wrong, "noise 2/0", "04"]
    );
}

#[test]
fn an_eager_ear_tells_a_damaged_frame_although_nothing_follows_it() {
    let eager = || Ear::eager(DEVICE_MAX_PAYLOAD);
    let without_stop_byte = format!("noise 5/0: {WRONG_IS}");
    let wrong = format!("noise 6/0: {WRONG_IS}");
    // The stop byte may be a start, so it comes out with what follows it.
    assert_eq!(told(ear(), &[WRONG], false), Vec::<String>::new());
    assert_eq!(told(eager(), &[WRONG], false), [&without_stop_byte[..]]);
    assert_eq!(
        told(eager(), &[WRONG, WRONG, GOOD], false),
        [&without_stop_byte[..], &wrong, "noise 1/0", "04"]
    );
    assert_eq!(
        told(eager(), &[&[WRONG, WRONG].concat()], false),
        [&wrong[..], &without_stop_byte]
    );
    // A good frame that comes in pieces is not called bad meanwhile.
    assert_eq!(told(eager(), &[&GOOD[..5], &GOOD[5..]], false), ["04"]);
}

#[test]
fn an_ear_that_pauses_tells_what_is_decided_and_goes_on_waiting() {
    let mut ear = Ear::eager(DEVICE_MAX_PAYLOAD);
    let lens = RefCell::new(Vec::new());
    let mut hear = |heard: Heard<'_>| {
        lens.borrow_mut().push(match heard {
            Heard::Noise { offset, bytes, .. } => (offset, bytes.len()),
            Heard::Frame { frame, .. } => (frame.offset, frame.bytes.len()),
        });
    };
    ear.bytes(b"junk\x02\x01", &mut hear);
    ear.pause(&mut hear);
    assert_eq!(lens.take(), [(0, 4)]);
    assert_eq!((ear.waiting(), ear.missing()), (&b"\x02\x01"[..], 4));
    ear.bytes(b"\x04\x40\x84\x03", &mut hear);
    assert_eq!(lens.take(), [(4, 6)]);
}

#[test]
fn an_ear_goes_on_at_a_later_place_of_the_stream() {
    let mut ear = ear();
    assert_eq!(ear.limit(), DEVICE_MAX_PAYLOAD);
    let mut told = Vec::new();
    let mut hear = |heard: Heard<'_>| match heard {
        Heard::Noise { offset, bytes, .. } => told.push((offset, bytes.to_vec())),
        Heard::Frame { frame, .. } => told.push((frame.offset, frame.payload.to_vec())),
    };
    // What nobody asked for before the gap is lost with it.
    ear.bytes(&[b'x'; 600], &mut hear);
    ear.skip(100);
    ear.bytes(GOOD, &mut hear);
    ear.bytes(b"!", &mut hear);
    ear.finish(&mut hear);
    assert_eq!(told, [(700, vec![4]), (706, b"!".to_vec())]);
}

#[test]
fn an_ear_knows_how_many_frames_a_parser_does_not_see_yet() {
    let mut ear = ear();
    ear.bytes(GOOD, &mut |_| {});
    assert_eq!(ear.hidden(), 0);
    // A start that promises 200 bytes hides them.
    ear.bytes(&[b"\x02\xC8", GOOD, GOOD].concat(), &mut |_| {});
    assert_eq!(ear.hidden(), 2);
}

#[test]
fn noise_without_an_end_is_told_when_16_kib_of_it_are_there() {
    let mut ear = ear();
    let heard = Cell::new(0);
    for _ in 0..2 {
        let mut hear = |one: Heard<'_>| match one {
            Heard::Noise { bytes, nearly, .. } => {
                assert!(nearly.is_none() && bytes.len() <= 512);
                heard.set(heard.get() + bytes.len());
            }
            Heard::Frame { .. } => unreachable!("there is none"),
        };
        ear.bytes(&[b'x'; (16 << 10) - 1], &mut hear);
        assert_eq!(heard.get(), 0);
        ear.bytes(b"x", &mut hear);
        assert_eq!(heard.take(), 16 << 10);
    }
}

#[test]
fn what_noise_nearly_is_has_a_name_for_programs() {
    let names = |bytes: &[u8]| {
        let found = diagnose(bytes, DEVICE_MAX_PAYLOAD).found;
        let [(nearly, 1)] = &found[..] else {
            unreachable!("{found:?}");
        };
        let fields = nearly.fields();
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        assert_eq!(fields.get("nearly"), text(nearly.kind()).as_ref());
        assert_eq!(fields.get("why"), text(&nearly.to_string()).as_ref());
        nearly.kind()
    };
    assert_eq!(names(WRONG), "wrong-checksum");
    assert_eq!(names(b"\x02\x01\x04\x40\x84\x00"), "wrong-stop-byte");
    assert_eq!(names(&encode(&[7; 600]).unwrap()), "too-long");
    assert_eq!(names(b"\x02\x00\x00\x00\x03"), "empty");
    assert_eq!(names(b"\x03\x00\x01\x04\x40\x84\x03"), "long-form");
    assert_eq!(names(b"\x02\x17\x32\x00"), "never-ended");
    assert_eq!(names(b"02 01 04 40 84 03"), "hex-text");
    assert_eq!(names(b"VESCTOOL:DEMO-0001:not-a-secret\n"), "login");
    assert!(!diagnose(WRONG, DEVICE_MAX_PAYLOAD).is_empty());
}

#[test]
fn a_long_frame_without_an_end_stays_in_one_piece() {
    let long = encode_as(3, &[7; 5000]).unwrap();
    let stream = [&[b'x'; 1000], &long[..4000]].concat();
    assert_eq!(
        told(Ear::new(TOOL_MAX_PAYLOAD), &[&stream], true),
        ["noise 512/0", "noise 4488/4000"]
    );
}

#[test]
fn hex_text_is_read_with_its_usual_ornaments() {
    let bytes = from_hex_text("# a request\n0x02, 0x01 04:40\n8403").unwrap();
    assert_eq!(bytes, GOOD);
    let error = from_hex_text("02 01\n0 4").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: `0` is not made of pairs of hex digits"
    );
    assert!(from_hex_text("02 0x 01").is_err());
}
