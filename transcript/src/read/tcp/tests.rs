use std::collections::BTreeMap;

use super::half::{MAX_WAITING_BYTES, MAX_WAITING_PIECES};
use super::*;

const CLIENT: &str = "10.0.0.1:40000";
const HUB: &str = "10.0.0.2:65101";

/// Builds segments of one connection and plays them into a reassembler.
struct Wire {
    tcp: Reassembler,
    events: Vec<Event<'static>>,
    /// Where segments were said to begin: the connection, the side, the position and the bytes.
    segments: Vec<(u32, Side, u64, Vec<u8>)>,
    record: u64,
}

fn segment<'a>(source: &str, seq: u32, payload: &'a [u8]) -> Segment<'a> {
    let destination = if source == CLIENT { HUB } else { CLIENT };
    Segment {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        seq,
        ack: None,
        syn: false,
        fin: false,
        rst: false,
        payload,
        cut: 0,
    }
}

impl Wire {
    fn new() -> Self {
        Self {
            tcp: Reassembler::new(),
            events: Vec::new(),
            segments: Vec::new(),
            record: 0,
        }
    }

    /// With a handshake whose first bytes have the sequence numbers 100 and 500.
    fn open() -> Self {
        let mut wire = Self::new();
        wire.handshake(99);
        wire
    }

    fn handshake(&mut self, isn: u32) {
        self.push(Segment {
            syn: true,
            ..segment(CLIENT, isn, b"")
        });
        let ack = Some(isn.wrapping_add(1));
        self.push(Segment {
            syn: true,
            ack,
            ..segment(HUB, 499, b"")
        });
        self.push(Segment {
            ack: Some(500),
            ..segment(CLIENT, isn.wrapping_add(1), b"")
        });
    }

    fn push(&mut self, segment: Segment<'_>) {
        self.record += 1;
        let stamp = Stamp {
            record: self.record,
            at_ns: self.record * 10,
        };
        let (events, segments) = (&mut self.events, &mut self.segments);
        self.tcp
            .push(stamp, &segment, &mut |event| match event.kind {
                EventKind::Segment { side, position } => {
                    let bytes = segment.payload.to_vec();
                    segments.push((event.connection, side, position, bytes));
                }
                _ => events.push(kept(event)),
            });
    }

    fn client(&mut self, seq: u32, payload: &[u8]) {
        self.push(segment(CLIENT, seq, payload));
    }

    fn hub_acks(&mut self, ack: u32) {
        self.push(Segment {
            ack: Some(ack),
            ..segment(HUB, 500, b"")
        });
    }

    fn finish(mut self) -> Vec<Event<'static>> {
        let events = &mut self.events;
        self.tcp.finish(&mut |event| events.push(kept(event)));
        assert_eq!(self.tcp.waiting, 0);
        self.events
    }
}

/// An event with bytes of its own.
fn kept(event: Event<'_>) -> Event<'static> {
    Event {
        connection: event.connection,
        slot: event.slot,
        stamp: event.stamp,
        kind: event.kind.into_owned(),
    }
}

/// The stream of the client, gaps as `[3]`, its end as `.` or `!`.
fn told(events: &[Event<'_>]) -> String {
    let mut told = String::new();
    let mut at = 0;
    for event in events {
        match &event.kind {
            EventKind::Data {
                side: Side::Initiator,
                offset,
                bytes,
                ..
            } => {
                assert_eq!(*offset, at);
                at += bytes.len() as u64;
                told += &String::from_utf8_lossy(bytes);
            }
            EventKind::Gap {
                side: Side::Initiator,
                offset,
                len,
            } => {
                assert_eq!(*offset, at);
                at += len;
                told += &format!("[{len}]");
            }
            EventKind::Closed {
                side: Side::Initiator,
                how,
                offset,
            } => {
                assert_eq!(*offset, at);
                told += if *how == Close::Fin { "." } else { "!" };
            }
            _ => {}
        }
    }
    told
}

fn opened(events: &[Event<'_>]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Opened { .. }))
        .count()
}

#[test]
fn segments_in_order_become_a_stream_that_ends() {
    let mut wire = Wire::open();
    wire.client(100, b"abc");
    wire.push(Segment {
        fin: true,
        ..segment(CLIENT, 103, b"de")
    });
    let events = wire.finish();
    assert_eq!(told(&events), "abcde.");
    assert!(matches!(
        events[0].kind,
        EventKind::Opened { initiator, from_start: true, .. } if initiator == CLIENT.parse().unwrap()
    ));
}

#[test]
fn early_segments_wait_and_carry_the_time_of_what_they_waited_for() {
    let mut wire = Wire::open();
    wire.client(106, b"g");
    wire.client(103, b"def");
    wire.client(100, b"abc");
    let last = wire.record;
    let events = wire.finish();
    assert_eq!(told(&events), "abcdefg");
    for event in events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Data { .. }))
    {
        assert_eq!((event.stamp.record, event.stamp.at_ns), (last, last * 10));
    }
}

#[test]
fn of_bytes_that_are_sent_twice_the_first_stay() {
    let mut wire = Wire::open();
    wire.client(104, b"EF");
    wire.client(102, b"cdefgh");
    wire.client(100, b"abXXXXXX");
    wire.client(100, b"????????i");
    assert_eq!(told(&wire.finish()), "abcdEFghi");
}

#[test]
fn sequence_numbers_wrap() {
    let mut wire = Wire::new();
    wire.handshake(u32::MAX - 2);
    wire.client(1, b"d");
    wire.client(u32::MAX - 1, b"ab");
    wire.client(0, b"c");
    wire.client(u32::MAX - 1, b"ab");
    assert_eq!(told(&wire.finish()), "abcd");
}

#[test]
fn a_long_stream_may_wrap_more_than_once() {
    let mut wire = Wire::open();
    let piece = vec![b'x'; 1 << 20];
    let mut seq = 100u32;
    let mut len = 0u64;
    for _ in 0..9_000 {
        // The stream is stepped through with gaps, so that the test stays small.
        wire.push(Segment {
            cut: 999_999,
            ..segment(CLIENT, seq, &piece[..1])
        });
        seq = seq.wrapping_add(1_000_000);
        len += 1_000_000;
        wire.hub_acks(seq);
    }
    let last = wire
        .finish()
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Data { offset, .. } => Some(offset),
            _ => None,
        });
    assert_eq!(last.max(), Some(len - 1_000_000));
    assert!(len > 2 << 32);
}

#[test]
fn a_hole_is_given_up_when_the_other_side_has_what_was_in_it() {
    let mut wire = Wire::open();
    wire.client(100, b"ab");
    wire.client(105, b"f");
    assert_eq!(told(&wire.events), "ab");
    wire.hub_acks(106);
    wire.client(106, b"g");
    assert_eq!(told(&wire.events), "ab[3]fg");
    wire.client(102, b"cde");
    assert_eq!(told(&wire.finish()), "ab[3]fg");
}

#[test]
fn an_acknowledgement_may_be_recorded_before_what_it_is_for() {
    let mut wire = Wire::open();
    wire.client(103, b"def");
    wire.hub_acks(106);
    wire.client(100, b"abc");
    assert_eq!(told(&wire.finish()), "abcdef");
}

#[test]
fn a_hole_is_given_up_when_too_much_waits_behind_it() {
    let mut wire = Wire::open();
    for index in 0..=MAX_WAITING_PIECES as u32 {
        wire.client(102 + 2 * index, b"x");
    }
    assert!(told(&wire.events).starts_with("[2]x"));
    let mut wire = Wire::open();
    wire.client(101, &vec![b'x'; MAX_WAITING_BYTES + 1]);
    assert!(told(&wire.events).starts_with("[1]x"));
}

#[test]
fn holes_that_are_left_at_the_end_are_told() {
    let mut wire = Wire::open();
    wire.client(102, b"c");
    wire.client(105, b"f");
    wire.push(Segment {
        fin: true,
        ..segment(CLIENT, 108, b"")
    });
    assert_eq!(told(&wire.finish()), "[2]c[2]f[2].");
}

#[test]
fn bytes_that_were_confirmed_and_never_seen_are_a_gap_at_the_end() {
    let mut wire = Wire::open();
    wire.client(100, b"a");
    wire.hub_acks(111);
    assert_eq!(told(&wire.finish()), "a[10]");
}

#[test]
fn a_reset_ends_both_directions_once() {
    let mut wire = Wire::open();
    wire.client(101, b"b");
    wire.push(Segment {
        rst: true,
        ..segment(CLIENT, 102, b"")
    });
    wire.push(Segment {
        rst: true,
        ..segment(CLIENT, 102, b"")
    });
    assert_eq!(told(&wire.finish()), "[1]b!");
}

#[test]
fn a_keep_alive_adds_nothing() {
    let mut wire = Wire::open();
    wire.client(100, b"ab");
    wire.hub_acks(102);
    wire.client(101, b"\0");
    wire.client(101, b"");
    wire.client(102, b"c");
    assert_eq!(told(&wire.finish()), "abc");
}

/// What was sent again by the client: offset, length, bytes that differ.
fn repeated(events: &[Event<'_>]) -> Vec<(u64, u64, u64)> {
    let repeated = events.iter().filter_map(|event| match event.kind {
        EventKind::Repeated {
            side: Side::Initiator,
            offset,
            len,
            differing,
        } => Some((offset, len, differing)),
        _ => None,
    });
    repeated.collect()
}

#[test]
fn what_is_sent_again_is_told_with_what_differs() {
    let mut wire = Wire::open();
    wire.client(100, b"abcdef");
    wire.client(100, b"abcdef");
    wire.client(104, b"eXgh");
    wire.client(110, b"kl");
    wire.client(107, b"hijKlm");
    let events = wire.finish();
    assert_eq!(told(&events), "abcdefghijklm");
    assert_eq!(repeated(&events), [(0, 6, 0), (4, 2, 1), (7, 3, 1)]);
}

#[test]
fn what_was_said_long_ago_is_only_known_to_be_sent_again() {
    let mut wire = Wire::open();
    wire.client(100, b"abc");
    let much = vec![b'x'; 20_000];
    wire.client(103, &much);
    wire.client(100, b"ABC");
    wire.client(103 + 19_999, b"y");
    let events = wire.finish();
    assert_eq!(repeated(&events), [(0, 3, 0), (20_002, 1, 1)]);
}

#[test]
fn keep_alives_are_not_taken_for_something_sent_again() {
    let mut wire = Wire::open();
    wire.client(100, b"ab");
    wire.hub_acks(102);
    for _ in 0..3 {
        wire.client(101, b"\0");
    }
    assert_eq!(repeated(&wire.finish()), []);
}

#[test]
fn probes_of_a_closed_window_are_part_of_the_stream() {
    let mut wire = Wire::open();
    wire.client(100, b"ab");
    wire.hub_acks(102);
    // One byte at a time is tried until the window opens; then all is sent.
    wire.client(102, b"c");
    wire.client(102, b"c");
    wire.hub_acks(102);
    wire.client(102, b"cdef");
    let events = wire.finish();
    assert_eq!(told(&events), "abcdef");
    assert_eq!(repeated(&events), [(2, 1, 0), (2, 1, 0)]);
}

#[test]
fn connections_do_not_mix() {
    let mut wire = Wire::new();
    for index in 0..3u32 {
        for port in [40_000, 40_001, 40_002] {
            let payload = [b'a' + index as u8];
            wire.push(Segment {
                source: format!("10.0.0.1:{port}").parse().unwrap(),
                ack: Some(1),
                ..segment(CLIENT, 100 + index, &payload)
            });
        }
    }
    let events = wire.finish();
    assert_eq!(opened(&events), 3);
    for number in 1..=3 {
        let own = events.iter().filter(|event| event.connection == number);
        let own: Vec<Event> = own.cloned().collect();
        assert_eq!(told(&own), "abc");
    }
}

#[test]
fn connections_beyond_the_limit_are_told_to_their_end_and_forgotten() {
    let mut wire = Wire::new();
    let count = 3 * MAX_CONNECTIONS as u32;
    for index in 0..count {
        let source = format!("10.1.{}.{}:40000", index >> 8, index & 255);
        wire.push(Segment {
            source: source.parse().unwrap(),
            syn: true,
            ..segment(CLIENT, 99, b"")
        });
        // A byte behind a hole, so that something waits.
        wire.push(Segment {
            source: source.parse().unwrap(),
            ..segment(CLIENT, 101, b"b")
        });
        assert!(wire.tcp.latest.len() <= MAX_CONNECTIONS);
    }
    let events = wire.finish();
    let count_of = |wanted: fn(&EventKind<'_>) -> bool| {
        let found = events.iter().filter(|event| wanted(&event.kind));
        found.count() as u32
    };
    assert_eq!(opened(&events) as u32, count);
    assert_eq!(
        count_of(|kind| matches!(kind, EventKind::Data { .. })),
        count
    );
    assert_eq!(count_of(|kind| *kind == EventKind::Forgotten), count);
    assert!(events.iter().all(|event| event.slot < MAX_CONNECTIONS));
}

#[test]
fn what_waits_in_all_connections_together_has_a_limit() {
    let mut wire = Wire::new();
    let much = vec![b'x'; MAX_WAITING_BYTES];
    for index in 0..40u32 {
        let source = format!("10.1.0.{index}:40000");
        wire.push(Segment {
            source: source.parse().unwrap(),
            syn: true,
            ..segment(CLIENT, 99, b"")
        });
        wire.push(Segment {
            source: source.parse().unwrap(),
            ..segment(CLIENT, 101, &much)
        });
        assert!(
            wire.tcp.waiting <= MAX_WAITING_TOTAL,
            "{}",
            wire.tcp.waiting
        );
    }
}

#[test]
fn what_is_ignored_is_not_told_and_keeps_nothing() {
    let mut wire = Wire::open();
    wire.client(101, b"b");
    assert!(wire.tcp.waiting > 0);
    wire.tcp.ignore(0);
    assert_eq!(wire.tcp.waiting, 0);
    wire.client(100, b"abc");
    assert_eq!(told(&wire.events), "");
    wire.handshake(7_000);
    wire.client(7_001, b"new");
    let events = wire.finish();
    let new: Vec<Event> = events
        .into_iter()
        .filter(|event| event.connection == 2)
        .collect();
    assert_eq!(told(&new), "new");
}

#[test]
fn a_recording_may_start_in_the_middle_and_out_of_order() {
    let mut wire = Wire::new();
    wire.hub_acks(200);
    wire.client(199, b"\0");
    wire.client(203, b"def");
    wire.client(200, b"abc");
    wire.hub_acks(206);
    wire.client(206, b"g");
    let events = wire.finish();
    assert!(matches!(
        events[0].kind,
        EventKind::Opened {
            from_start: false,
            ..
        }
    ));
    // The hub was seen first, so the client is the responder here.
    let stream: Vec<u8> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Data {
                side: Side::Responder,
                bytes,
                ..
            } => Some(bytes.to_vec()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(stream, b"abcdefg");
}

#[test]
fn a_new_opening_on_the_same_ports_is_a_new_connection() {
    let mut wire = Wire::open();
    wire.client(100, b"old");
    wire.handshake(7_000);
    wire.client(7_001, b"new");
    let events = wire.finish();
    assert_eq!(opened(&events), 2);
    let new: Vec<Event> = events
        .into_iter()
        .filter(|event| event.connection == 2)
        .collect();
    assert_eq!(told(&new), "new");
}

#[test]
fn a_repeated_opening_is_the_same_connection() {
    let mut wire = Wire::new();
    wire.push(Segment {
        syn: true,
        ..segment(CLIENT, 99, b"")
    });
    wire.handshake(99);
    wire.client(100, b"abc");
    wire.push(Segment {
        syn: true,
        ..segment(CLIENT, 99, b"")
    });
    let events = wire.finish();
    assert_eq!((opened(&events), told(&events).as_str()), (1, "abc"));
}

#[test]
fn an_answer_before_the_opening_tells_who_opened() {
    let mut wire = Wire::new();
    wire.push(Segment {
        syn: true,
        ack: Some(100),
        ..segment(HUB, 499, b"")
    });
    wire.push(Segment {
        syn: true,
        ..segment(CLIENT, 99, b"")
    });
    wire.client(100, b"abc");
    let events = wire.finish();
    assert_eq!((opened(&events), told(&events).as_str()), (1, "abc"));
}

#[test]
fn a_stray_reset_opens_nothing() {
    let mut wire = Wire::new();
    wire.push(Segment {
        rst: true,
        ..segment(HUB, 0, b"")
    });
    assert_eq!(wire.finish(), []);
}

#[test]
fn every_order_of_overlapping_pieces_gives_the_same_stream() {
    let stream = b"abcdefghij";
    let pieces = [(0, 3), (2, 6), (5, 8), (8, 10), (7, 9)];
    for seed in 0..120 {
        let mut order: Vec<_> = pieces.to_vec();
        let mut rest = seed;
        for left in (1..=order.len()).rev() {
            let index = rest % left;
            rest /= left;
            order.swap(index, left - 1);
        }
        let mut wire = Wire::open();
        for (from, to) in order {
            wire.client(100 + from as u32, &stream[from..to]);
        }
        assert_eq!(told(&wire.finish()), "abcdefghij", "order {seed}");
    }
}

#[test]
fn whatever_comes_the_streams_have_no_holes_but_gaps_and_every_byte_came_in_a_segment() {
    let mut state = 7u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for _ in 0..300 {
        let mut wire = Wire::new();
        let base = draw(1 << 24).wrapping_mul(1 << 8);
        for _ in 0..60 {
            let source = if draw(2) == 0 { CLIENT } else { HUB };
            let seq = match draw(20) {
                0 => draw(1 << 24) << 8,
                _ => base.wrapping_add(draw(40)),
            };
            let payload = [draw(256) as u8; 12];
            let ack = (draw(3) > 0).then(|| match draw(20) {
                0 => draw(1 << 24) << 8,
                _ => base.wrapping_add(draw(50)),
            });
            wire.push(Segment {
                ack,
                syn: draw(25) == 0,
                fin: draw(30) == 0,
                rst: draw(40) == 0,
                cut: draw(10) / 9,
                ..segment(source, seq, &payload[..draw(13) as usize])
            });
        }
        let mut ends = BTreeMap::new();
        let mut stamps = BTreeMap::new();
        let segments = std::mem::take(&mut wire.segments);
        for event in wire.finish() {
            if let EventKind::Data {
                side,
                position,
                bytes,
                ..
            } = &event.kind
            {
                let carried = |at: u64, byte: u8| {
                    segments.iter().any(|(connection, from, start, sent)| {
                        let index = at.checked_sub(*start).map(|index| index as usize);
                        let found = index.and_then(|index| sent.get(index));
                        (*connection, *from) == (event.connection, *side) && found == Some(&byte)
                    })
                };
                for (at, &byte) in (*position..).zip(bytes.iter()) {
                    assert!(carried(at, byte), "no segment has this byte");
                }
            }
            let (side, at, len) = match event.kind {
                EventKind::Opened { .. }
                | EventKind::Segment { .. }
                | EventKind::Repeated { .. }
                | EventKind::Forgotten => {
                    continue;
                }
                EventKind::Data {
                    side,
                    offset,
                    bytes,
                    ..
                } => (side, offset, bytes.len() as u64),
                EventKind::Gap { side, offset, len } => (side, offset, len),
                EventKind::Closed { side, offset, .. } => (side, offset, 0),
            };
            let end = ends.entry((event.connection, side)).or_insert(0);
            assert_eq!(at, *end);
            *end += len;
            let stamp = stamps
                .entry((event.connection, side))
                .or_insert(event.stamp);
            assert!(event.stamp >= *stamp, "{:?} after {stamp:?}", event.stamp);
            *stamp = event.stamp;
        }
    }
}
