//! Which bytes are a frame, and when a parser finds it.

use veschub_wire::{
    DEVICE_MAX_PAYLOAD, Decoder, Item, TOOL_MAX_PAYLOAD, crc16, encode, frame::NOISE_PIECE,
};

const FW_VERSION: &[u8] = b"\x02\x01\x00\x00\x00\x03";
const BMS_GET_VALUES: &[u8] = b"\x02\x01\x60\x6C\xA6\x03";

/// The payloads that a decoder hands out for one more piece of a stream.
fn feed(decoder: &mut Decoder, mut piece: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while let Some(item) = decoder.next(&mut piece) {
        if let Item::Frame(frame) = item {
            payloads.push(frame.payload.to_vec());
        }
    }
    payloads
}

fn payloads(limit: usize, stream: &[u8]) -> Vec<Vec<u8>> {
    feed(&mut Decoder::new(limit), stream)
}

fn counting(len: usize) -> Vec<u8> {
    (0..len).map(|index| index as u8).collect()
}

/// A frame whose form the caller chooses, correct but for that.
fn in_form(start: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = vec![start];
    frame.extend_from_slice(&length[length.len() + 1 - usize::from(start)..]);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc16(payload).to_be_bytes());
    frame.push(3);
    frame
}

#[test]
fn the_encoder_chooses_the_shortest_form() {
    for (len, head, tail) in [
        (255, &b"\x02\xFF"[..], b"\x05\x30\x03"),
        (256, b"\x03\x01\x00", b"\x7E\x55\x03"),
        (512, b"\x03\x02\x00", b"\x40\xDA\x03"),
    ] {
        let frame = encode(&counting(len)).unwrap();
        assert_eq!(frame.len(), head.len() + len + tail.len());
        assert!(frame.starts_with(head) && frame.ends_with(tail), "{len}");
        assert_eq!(payloads(DEVICE_MAX_PAYLOAD, &frame), [counting(len)]);
    }
    assert_eq!(encode(&counting(65_535)).unwrap()[0], 3);
    assert_eq!(encode(&counting(65_536)).unwrap()[..4], [4, 1, 0, 0]);
}

#[test]
fn what_no_encoder_sends_is_not_encoded() {
    assert_eq!(encode(b""), None);
    assert_eq!(encode(&vec![0; 0x100_0000]), None);
}

#[test]
fn a_payload_of_255_bytes_is_accepted_in_both_forms_and_254_in_the_short_one_only() {
    for (start, len, accepted) in [
        (2, 254, true),
        (2, 255, true),
        (3, 255, true),
        (3, 254, false),
    ] {
        let found = payloads(DEVICE_MAX_PAYLOAD, &in_form(start, &counting(len)));
        assert_eq!(
            found.len(),
            usize::from(accepted),
            "start {start}, {len} bytes"
        );
    }
}

#[test]
fn the_limit_is_the_largest_payload_that_is_accepted() {
    for limit in [1, 254, 255, 256, 512, 10_000, 65_535, 65_536, 70_000] {
        for (len, accepted) in [(limit, 1), (limit + 1, 0)] {
            let frame = encode(&vec![0xA5; len]).unwrap();
            let found = payloads(limit, &frame).len();
            assert_eq!(found, accepted, "limit {limit}, {len} bytes");
        }
    }
}

#[test]
fn start_byte_4_counts_only_where_the_limit_does_not_fit_16_bits() {
    for (limit, len, accepted) in [
        (70_000, 65_534, false),
        (70_000, 65_535, true),
        (65_536, 65_536, true),
        (65_535, 65_535, false),
        (65_536, 65_537, false),
    ] {
        let found = payloads(limit, &in_form(4, &vec![0xA5; len]));
        assert_eq!(!found.is_empty(), accepted, "limit {limit}, {len} bytes");
    }
    // Where it does not count it is noise like any other byte, and delays nothing.
    let mut decoder = Decoder::new(TOOL_MAX_PAYLOAD);
    assert!(feed(&mut decoder, b"\x04").is_empty());
    assert_eq!(decoder.waiting(), 0);
}

#[test]
fn an_empty_payload_is_no_frame() {
    let stream = [b"\x02\x00\x00\x00\x03", FW_VERSION].concat();
    assert_eq!(payloads(DEVICE_MAX_PAYLOAD, &stream), [b"\x00"]);
}

#[test]
fn any_damaged_byte_makes_noise_of_the_frame_and_the_next_ones_are_found() {
    for damaged in 0..BMS_GET_VALUES.len() {
        let mut stream = BMS_GET_VALUES.to_vec();
        stream[damaged] ^= 0x40;
        stream.extend(FW_VERSION.repeat(12));
        let found = payloads(DEVICE_MAX_PAYLOAD, &stream);
        assert_eq!(found, vec![[0]; 12], "byte {damaged}");
    }
}

#[test]
fn noise_before_a_frame_is_skipped() {
    let zeros = [0; 10];
    for noise in [
        &zeros[..],
        b"\r\n",
        b"VESCTOOL:DEMO-0001:not-a-secret\n",
        b"\xFF\x00\x01",
    ] {
        let stream = [noise, BMS_GET_VALUES].concat();
        let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
        let mut input = &stream[..];
        let Some(Item::Noise(found)) = decoder.next(&mut input) else {
            panic!("{noise:?} is not noise");
        };
        assert_eq!((found.offset, found.bytes), (0, noise));
        let Some(Item::Frame(frame)) = decoder.next(&mut input) else {
            panic!("no frame after {noise:?}");
        };
        assert_eq!(frame.offset, noise.len() as u64);
        assert_eq!(
            (frame.payload, frame.bytes),
            (&b"\x60"[..], &b"\x02\x01\x60\x6C\xA6\x03"[..])
        );
    }
}

#[test]
fn a_good_frame_inside_a_broken_one_is_found_and_inside_a_good_one_is_not() {
    let good = in_form(2, &[b"\x15nested: ", BMS_GET_VALUES].concat());
    let whole = payloads(DEVICE_MAX_PAYLOAD, &good);
    assert_eq!(whole, [&good[2..good.len() - 3]]);
    for (what, from_end) in [("stop byte", 1), ("CRC", 2)] {
        let mut broken = good.clone();
        let at = broken.len() - from_end;
        broken[at] ^= 0x55;
        let found = payloads(DEVICE_MAX_PAYLOAD, &broken);
        assert_eq!(found, [b"\x60"], "bad {what}");
    }
}

#[test]
fn a_bogus_header_delays_frames_and_loses_none() {
    let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    assert!(feed(&mut decoder, b"\x02\xC8").is_empty());
    for poll in 1..34 {
        assert!(feed(&mut decoder, BMS_GET_VALUES).is_empty(), "poll {poll}");
        assert_eq!(decoder.waiting(), 2 + 6 * poll);
    }
    assert_eq!(feed(&mut decoder, BMS_GET_VALUES), vec![[0x60]; 34]);
    assert_eq!(feed(&mut decoder, FW_VERSION), [[0]]);
}

#[test]
fn half_a_frame_of_an_earlier_session_swallows_67_polls_and_the_68th_releases_all() {
    let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    let half = &encode(&counting(400)).unwrap()[..3];
    assert!(feed(&mut decoder, half).is_empty());
    for poll in 1..68 {
        assert!(feed(&mut decoder, BMS_GET_VALUES).is_empty(), "poll {poll}");
    }
    assert_eq!(feed(&mut decoder, BMS_GET_VALUES), vec![[0x60]; 68]);
}

#[test]
fn a_truncated_frame_delays_the_next_ones_until_its_length_is_full() {
    let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    let long = in_form(2, &counting(45));
    let short = in_form(2, &[5; 5]);
    assert_eq!((long.len(), short.len()), (50, 10));
    assert!(feed(&mut decoder, &long[..30]).is_empty());
    assert!(feed(&mut decoder, &short).is_empty());
    assert_eq!(feed(&mut decoder, &short), [[5; 5], [5; 5]]);
    assert_eq!(feed(&mut decoder, &short), [[5; 5]]);
}

#[test]
fn after_520_zeros_no_head_of_a_frame_holds_back_a_device_parser() {
    for len in 1..=DEVICE_MAX_PAYLOAD {
        let frame = encode(&vec![7; len]).unwrap();
        for kept in 1..frame.len().min(5) {
            let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
            assert!(feed(&mut decoder, &frame[..kept]).is_empty());
            assert!(feed(&mut decoder, &[0; 520]).is_empty());
            let found = feed(&mut decoder, BMS_GET_VALUES);
            assert_eq!(found, [[0x60]], "{kept} of {len} bytes");
        }
    }
}

#[test]
fn a_stray_stop_byte_is_harmless_to_a_device_and_stalls_a_tool() {
    let stream = [b"\x03", FW_VERSION].concat();
    assert_eq!(payloads(DEVICE_MAX_PAYLOAD, &stream), [[0]]);

    // 03 02 01 reads as the head of a frame with 513 bytes of payload: 519 bytes in all.
    let mut tool = Decoder::new(TOOL_MAX_PAYLOAD);
    assert!(feed(&mut tool, &stream).is_empty());
    assert!(feed(&mut tool, &FW_VERSION.repeat(85)).is_empty());
    assert_eq!(tool.waiting(), 517);
    assert!(feed(&mut tool, &FW_VERSION[..1]).is_empty());
    assert_eq!(feed(&mut tool, &FW_VERSION[1..2]).len(), 86);
}

#[test]
fn a_flood_of_noise_comes_out_in_bounded_pieces() {
    let noise = vec![b'x'; 100_000];
    let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    let mut input = &noise[..];
    let mut offset = 0;
    while let Some(item) = decoder.next(&mut input) {
        let Item::Noise(found) = item else {
            panic!("a frame in noise");
        };
        assert_eq!((found.offset, found.bytes.len()), (offset, NOISE_PIECE));
        offset += NOISE_PIECE as u64;
    }
    assert_eq!(decoder.waiting(), 0);
    let tail = decoder.finish().unwrap();
    assert_eq!((tail.offset, tail.unfinished), (offset, 0));
    assert_eq!(tail.bytes.len(), 100_000 % NOISE_PIECE);
}

#[test]
fn the_end_of_a_stream_tells_noise_and_how_much_of_it_was_waited_on() {
    let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    assert_eq!(feed(&mut decoder, FW_VERSION), [[0]]);
    assert!(feed(&mut decoder, b"junk\x02\x05abc").is_empty());
    let tail = decoder.finish().unwrap();
    assert_eq!((tail.offset, tail.unfinished), (6, 5));
    assert_eq!(tail.bytes, b"junk\x02\x05abc");
    assert_eq!(decoder.finish(), None);
}

#[test]
fn after_a_gap_the_stream_goes_on_at_a_later_offset_without_what_waited() {
    for finished in [true, false] {
        let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
        assert!(feed(&mut decoder, b"junk\x02\x05abc").is_empty());
        if finished {
            decoder.finish();
        }
        decoder.skip(91);
        let mut input = FW_VERSION;
        let Some(Item::Frame(frame)) = decoder.next(&mut input) else {
            panic!("no frame behind the gap");
        };
        assert_eq!(frame.offset, 100);
    }
}
