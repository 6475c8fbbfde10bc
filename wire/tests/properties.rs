//! What holds for any bytes: nothing is lost, the pieces do not matter, and frames are found where and when a
//! plain retelling of the reference parser finds them.

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed},
};
use veschub_wire::{
    Decoder, Ear, Heard as Told, Item, Nearly, Reply, Request, diagnose, encode,
    number::{F16, F32, Float},
    view::View,
};

/// The same cases every time; nothing is written.
fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x5645_5343),
        ..Config::default()
    }
}

/// The reference parser, told byte by byte: a buffer, and how many bytes it still waits for.
struct Reference {
    limit: usize,
    unread: Vec<u8>,
    bytes_left: usize,
}

impl Reference {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            unread: Vec::new(),
            bytes_left: 0,
        }
    }

    /// Takes one byte and hands out the payloads that it completes.
    fn push(&mut self, byte: u8) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        if self.unread.len() >= self.limit + 8 {
            self.unread.clear();
        }
        self.unread.push(byte);
        if self.bytes_left > 1 {
            self.bytes_left -= 1;
            return payloads;
        }
        loop {
            match self.try_decode() {
                Verdict::Wait(bytes_left) => {
                    self.bytes_left = bytes_left;
                    return payloads;
                }
                Verdict::DropOne => {
                    self.unread.remove(0);
                }
                Verdict::Take { header, len } => {
                    payloads.push(self.unread[header..header + len].to_vec());
                    self.unread.drain(..header + len + 3);
                }
            }
        }
    }

    fn try_decode(&self) -> Verdict {
        let bytes = &self.unread;
        if bytes.is_empty() {
            return Verdict::Wait(1);
        }
        let header = match bytes[0] {
            2 => 2,
            3 => 3,
            4 if self.limit > 65_535 => 4,
            _ => return Verdict::DropOne,
        };
        if bytes.len() < header {
            return Verdict::Wait(header - bytes.len());
        }
        let mut len = 0;
        for byte in &bytes[1..header] {
            len = len * 256 + *byte as usize;
        }
        let too_short = match header {
            2 => len < 1,
            3 => len < 255,
            _ => len < 65_535,
        };
        if too_short || len > self.limit {
            return Verdict::DropOne;
        }
        if bytes.len() < header + len + 3 {
            return Verdict::Wait(header + len + 3 - bytes.len());
        }
        if bytes[header + len + 2] != 3 {
            return Verdict::DropOne;
        }
        let crc = bytes[header + len] as u16 * 256 + bytes[header + len + 1] as u16;
        if crc != bitwise_crc(&bytes[header..header + len]) {
            return Verdict::DropOne;
        }
        Verdict::Take { header, len }
    }
}

enum Verdict {
    Wait(usize),
    DropOne,
    Take { header: usize, len: usize },
}

fn bitwise_crc(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in bytes {
        crc ^= (*byte as u16) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

#[derive(Debug, PartialEq)]
struct Heard {
    offset: u64,
    /// The bytes on the wire, which for a frame begin with its start byte.
    bytes: Vec<u8>,
    frame: bool,
}

/// All items of a stream that arrives in pieces of these sizes, over and over.
fn listen(limit: usize, mut stream: &[u8], pieces: &[usize]) -> Vec<Heard> {
    let mut decoder = Decoder::new(limit);
    let mut heard = Vec::new();
    for size in pieces.iter().cycle() {
        let (mut piece, rest) = stream.split_at((*size).min(stream.len()));
        stream = rest;
        while let Some(item) = decoder.next(&mut piece) {
            heard.push(match item {
                Item::Frame(frame) => Heard {
                    offset: frame.offset,
                    bytes: frame.bytes.to_vec(),
                    frame: true,
                },
                Item::Noise(noise) => Heard {
                    offset: noise.offset,
                    bytes: noise.bytes.to_vec(),
                    frame: false,
                },
            });
        }
        if stream.is_empty() {
            break;
        }
    }
    heard.extend(decoder.finish().map(|tail| Heard {
        offset: tail.offset,
        bytes: tail.bytes,
        frame: false,
    }));
    heard
}

/// What an ear tells of it: the bytes, whether they are a frame, and what they nearly were.
type TellTale = (u64, Vec<u8>, bool, Option<Nearly>);

fn tell(mut ear: Ear, mut stream: &[u8], pieces: &[usize]) -> Vec<TellTale> {
    let mut told = Vec::new();
    let mut hear = |heard: Told<'_>| {
        told.push(match heard {
            Told::Frame { frame, .. } => (frame.offset, frame.bytes.to_vec(), true, None),
            Told::Noise {
                offset,
                bytes,
                nearly,
                ..
            } => (offset, bytes.to_vec(), false, nearly),
        });
    };
    for size in pieces.iter().cycle() {
        let (piece, rest) = stream.split_at((*size).min(stream.len()));
        stream = rest;
        ear.bytes(piece, &mut hear);
        if stream.is_empty() {
            break;
        }
    }
    ear.finish(&mut hear);
    told
}

/// A frame in any form, sound or with one thing wrong.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![6 => 1..40_usize, 2 => 250..260_usize, 1 => 500..520_usize];
    (bytes(len), 0..12_u8, any::<prop::sample::Index>()).prop_map(|(payload, what, at)| {
        let mut frame = encode(&payload).expect("a payload of 1 to 519 bytes");
        match what {
            // The long form whatever the length.
            0 if frame[0] == 2 => {
                frame[0] = 3;
                frame.insert(1, 0);
            }
            1 => {
                let at = at.index(frame.len());
                frame[at] ^= 1 + what;
            }
            2 => frame.truncate(1 + at.index(frame.len())),
            3 => frame.extend_from_within(1 + at.index(frame.len() - 1)..),
            _ => {}
        }
        frame
    })
}

/// Bytes among which start and stop bytes are common; drawn at once, because one by one is slow.
fn bytes(len: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<u8>> {
    len.prop_perturb(|len, mut rng| {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        for byte in &mut bytes {
            if *byte & 1 == 0 {
                *byte = *byte / 2 % 6;
            }
        }
        bytes
    })
}

/// Frames, half ones, heads that promise too much, and noise.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        5 => frame(),
        1 => bytes(0..30_usize),
        1 => (0..4_u8, any::<u8>()).prop_map(|(high, low)| vec![3, high, low]),
        1 => any::<u8>().prop_map(|len| vec![2, len]),
        1 => (0..700_usize).prop_map(|len| vec![0; len]),
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn limit() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1, 30, 254, 255, 256, 512, 10_000, 65_535, 70_000])
}

/// A payload whose id has a body, more often than not with counts that can be.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        0, 4, 20, 21, 29, 30, 34, 47, 50, 51, 62, 65, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101,
        128, 1, 2, 3, 59, 60, 61, 73, 74, 81, 82, 102, 103, 104, 105, 106, 107, 108, 109, 117, 118,
        120, 121, 130, 131, 132, 133, 134, 135, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147,
        148, 151,
    ];
    let id = prop_oneof![8 => prop::sample::select(known), 1 => any::<u8>()];
    let counts = (0..6_usize, prop_oneof![8 => 0..6_u8, 1 => any::<u8>()]);
    let rest = prop_oneof![9 => bytes(0..120_usize), 1 => bytes(Just(55_usize))];
    (id, rest, counts).prop_map(|(id, rest, (cells, sensors))| {
        let mut payload = [&[id], &rest[..]].concat();
        if id == 96 {
            for (at, count) in [(25, cells as u8), (26 + 3 * cells, sensors)] {
                if let Some(byte) = payload.get_mut(at) {
                    *byte = count;
                }
            }
        }
        payload
    })
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn items_cover_the_stream_once_and_in_order(stream in stream(), limit in limit()) {
        let mut at = 0;
        for heard in listen(limit, &stream, &[usize::MAX]) {
            prop_assert_eq!(heard.offset, at as u64);
            prop_assert_eq!(&heard.bytes, &stream[at..][..heard.bytes.len()]);
            at += heard.bytes.len();
        }
        prop_assert_eq!(at, stream.len());
    }

    #[test]
    fn the_pieces_of_a_stream_do_not_matter(
        stream in stream(),
        limit in limit(),
        pieces in vec(1..40_usize, 1..8),
    ) {
        let whole = listen(limit, &stream, &[usize::MAX]);
        prop_assert_eq!(&listen(limit, &stream, &pieces), &whole);
        prop_assert_eq!(&listen(limit, &stream, &[1]), &whole);
    }

    #[test]
    fn an_ear_tells_every_byte_once_and_misses_no_frame_of_the_decoder(
        stream in stream(),
        limit in limit(),
        pieces in vec(1..40_usize, 1..8),
    ) {
        let whole = tell(Ear::new(limit), &stream, &[usize::MAX]);
        prop_assert_eq!(&tell(Ear::new(limit), &stream, &pieces), &whole);
        let frames: Vec<_> = listen(limit, &stream, &[usize::MAX])
            .into_iter()
            .filter_map(|heard| heard.frame.then_some((heard.offset, heard.bytes)))
            .collect();
        for told in [whole, tell(Ear::eager(limit), &stream, &pieces)] {
            let mut at = 0;
            for (offset, bytes, _, _) in &told {
                prop_assert_eq!(*offset, at as u64);
                prop_assert_eq!(bytes, &stream[at..][..bytes.len()]);
                at += bytes.len();
            }
            prop_assert_eq!(at, stream.len());
            let mut found = told.into_iter().filter(|told| told.2).map(|told| (told.0, told.1));
            // Those that were found because the stream ended come behind them.
            for frame in &frames {
                prop_assert_eq!(found.next(), Some(frame.clone()));
            }
        }
    }

    #[test]
    fn good_frames_are_never_called_bad(payloads in vec(vec(any::<u8>(), 1..60), 1..6)) {
        let stream: Vec<u8> = payloads.iter().filter_map(|payload| encode(payload)).flatten().collect();
        prop_assert!(diagnose(&stream, 512).is_empty());
    }

    #[test]
    fn frames_are_found_at_the_byte_at_which_the_reference_parser_finds_them(
        stream in stream(),
        limit in limit(),
    ) {
        let mut reference = Reference::new(limit);
        let mut decoder = Decoder::new(limit);
        for (at, byte) in stream.iter().enumerate() {
            let mut payloads = Vec::new();
            let mut piece = std::slice::from_ref(byte);
            while let Some(item) = decoder.next(&mut piece) {
                if let Item::Frame(frame) = item {
                    payloads.push(frame.payload.to_vec());
                }
            }
            prop_assert_eq!(payloads, reference.push(*byte), "at byte {}", at);
            prop_assert_eq!(decoder.waiting(), reference.unread.len(), "at byte {}", at);
        }
    }

    #[test]
    fn a_sound_frame_in_clean_surroundings_comes_through(payload in vec(any::<u8>(), 1..512)) {
        let frame = encode(&payload).expect("1 to 511 bytes");
        let noise = b"\r\nlogin\0".to_vec();
        let stream = [noise.clone(), frame.clone(), noise.clone()].concat();
        let heard: Vec<_> = listen(512, &stream, &[7]).into_iter().map(|heard| heard.bytes).collect();
        prop_assert_eq!(heard, [noise.clone(), frame, noise]);
    }

    #[test]
    fn a_payload_that_decodes_encodes_to_itself(payload in payload()) {
        if let Ok(decoded) = Request::decode(&payload) {
            let _ = decoded.fields().to_string();
            prop_assert_eq!(decoded.body.id().0, payload[0]);
            let again = [decoded.body.encode(), decoded.trailing].concat();
            prop_assert_eq!(&again, &payload);
        }
        if let Ok(decoded) = Reply::decode(&payload) {
            let _ = decoded.fields().to_string();
            prop_assert_eq!(decoded.body.id().0, payload[0]);
            let again = [decoded.body.encode(), decoded.trailing].concat();
            prop_assert_eq!(&again, &payload);
        }
    }

    #[test]
    fn a_body_decodes_to_itself(payload in payload()) {
        if let Ok(decoded) = Request::decode(&payload) {
            let again = Request::decode(&decoded.body.encode());
            prop_assert_eq!(again.map(|again| again.body), Ok(decoded.body));
        }
        if let Ok(decoded) = Reply::decode(&payload) {
            let again = Reply::decode(&decoded.body.encode());
            prop_assert_eq!(again.map(|again| again.body), Ok(decoded.body));
        }
    }

    #[test]
    fn rounding_a_decoded_number_gives_its_raw_integer(short in any::<i16>(), long in any::<i32>()) {
        prop_assert_eq!(F16::<1000>::rounded(F16::<1000>::from_raw(short).value()).raw(), short);
        prop_assert_eq!(F16::<10>::rounded(F16::<10>::from_raw(short).value()).raw(), short);
        let long = F32::<1_000_000>::from_raw(long);
        prop_assert_eq!(F32::rounded(long.value()), long);
    }

    #[test]
    fn packing_is_the_single_itself_but_for_tiny_values(bits in any::<u32>()) {
        let single = f32::from_bits(bits);
        let packed = Float::packed(f64::from(single));
        if single.is_finite() && single.abs() >= 1.5e-38 {
            prop_assert_eq!(packed.bits(), bits);
            prop_assert_eq!(packed.value(), f64::from(single));
        } else {
            prop_assert!(matches!(packed.bits(), 0 | 0x3F00_0000 | 0xBF00_0000));
        }
    }
}
