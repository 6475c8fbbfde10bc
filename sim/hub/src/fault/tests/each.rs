//! What each fault does to bytes and times.

use super::*;

#[test]
fn delay_shifts_everything_by_the_same_time() {
    let out = play(vec![always(Delay::with(millis(30)))], &numbered(2));
    assert_eq!(out, [wrote(30, bms(0)), wrote(130, bms(1)), fin(130)]);
}

#[test]
fn a_delayed_frame_holds_up_what_comes_behind_it() {
    let out = play(vec![nth(Delay::with(millis(250)), 1)], &numbered(4));
    let expected = [(250, 0), (250, 1), (250, 2), (300, 3)];
    let expected = expected.map(|(at, number)| wrote(at, bms(number)));
    assert_eq!(out[..4], expected);
}

#[test]
fn jitter_stays_within_its_limit_and_is_not_always_the_same() {
    let out = play(vec![always(Jitter::with(millis(90)))], &numbered(50));
    let late = |(index, output): (usize, &LinkOutput)| output.at() - ms(index as u64 * 100);
    let late: Vec<_> = out[..50].iter().enumerate().map(late).collect();
    assert!(late.iter().all(|late| *late <= millis(90).get()));
    assert!(late.iter().any(|late| *late < millis(30).get()));
    assert!(late.iter().any(|late| *late > millis(60).get()));
}

#[test]
fn bandwidth_lets_no_byte_through_before_its_time() {
    // 1000 bytes/s: ten bytes every 10 ms, and what comes early waits for what came before.
    let bytes: Vec<u8> = (0..25).collect();
    let out = play(
        vec![always(Bandwidth::with(1000))],
        &[(0, bytes.clone()), (5, b"late".to_vec())],
    );
    let expected = [
        wrote(10, &bytes[..10]),
        wrote(20, &bytes[10..20]),
        wrote(25, &bytes[20..]),
        wrote(29, b"late"),
        fin(29),
    ];
    assert_eq!(out, expected);
}

#[test]
fn bandwidth_costs_an_idle_link_only_the_time_of_the_bytes() {
    let out = play(
        vec![always(Bandwidth::with(8000))],
        &[(0, vec![1; 8]), (500, vec![2; 8])],
    );
    assert_eq!(out[..2], [wrote(1, [1; 8]), wrote(501, [2; 8])]);
}

#[test]
fn split_cuts_at_the_offsets_it_was_given() {
    let fault = cut_at(&[4, 1, 4, 99], millis(2));
    let out = play(vec![always(fault)], &[(0, bms(7))]);
    let whole = bms(7);
    let expected = [
        wrote(0, &whole[..1]),
        wrote(2, &whole[1..4]),
        wrote(4, &whole[4..]),
    ];
    assert_eq!(out[..3], expected);
}

#[test]
fn split_into_single_bytes_leaves_a_gap_between_any_two() {
    let fault = single_bytes(millis(3));
    let out = play(vec![always(fault)], &[(0, bms(7))]);
    let bytes = bms(7).into_iter().enumerate();
    let mut expected: Vec<_> = bytes.map(|(i, byte)| wrote(i as u64 * 3, [byte])).collect();
    expected.push(fin(18));
    assert_eq!(out, expected);
}

#[test]
fn split_into_drawn_pieces_gives_that_many_and_loses_nothing() {
    for (count, expected) in [(2, 2), (5, 5), (7, 7), (100, 7)] {
        let fault = pieces(count);
        let out = play(vec![always(fault)], &[(0, bms(7))]);
        assert_eq!(out.len() - 1, expected);
        assert_eq!(stream(&out), bms(7));
    }
}

#[test]
fn drawn_cuts_reach_every_place() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut link = Link::new(vec![always(pieces(2))], MAX_PAYLOAD, Time::ZERO, Seed(seed));
        push(&mut link, 0, &bms(7));
        let out = outputs(&mut link, 100);
        let [LinkOutput::Bytes(_, first), LinkOutput::Bytes(_, _)] = &out[..] else {
            panic!("{out:?}");
        };
        seen.insert(first.len());
    }
    assert!(seen.into_iter().eq(1..bms(7).len()));
}

#[test]
fn merge_holds_until_there_are_enough_frames() {
    let out = play(vec![always(Merge::with(Some(2), None))], &numbered(5));
    let expected = [
        wrote(100, [bms(0), bms(1)].concat()),
        wrote(300, [bms(2), bms(3)].concat()),
        wrote(400, bms(4)),
        fin(400),
    ];
    assert_eq!(out, expected);
}

#[test]
fn merge_lets_go_when_the_first_has_waited_long_enough() {
    let merge = Merge::with(Some(10), Some(millis(150)));
    let out = play(vec![always(merge)], &numbered(4));
    let expected = [
        wrote(150, [bms(0), bms(1)].concat()),
        wrote(300, [bms(2), bms(3)].concat()),
        fin(300),
    ];
    assert_eq!(out, expected);
}

#[test]
fn what_merge_holds_goes_before_a_frame_that_is_not_merged() {
    let out = play(vec![nth(Merge::with(Some(9), None), 1)], &numbered(2));
    assert_eq!(out, [wrote(100, bms(0)), wrote(100, bms(1)), fin(100)]);
}

#[test]
fn corrupt_makes_exactly_one_frame_undecodable_whatever_the_part() {
    for part in [Part::Payload, Part::Crc, Part::Length, Part::Stop] {
        for seed in 0..300 {
            let faults = vec![nth(Corrupt::with(part), 2)];
            let mut link = Link::new(faults, MAX_PAYLOAD, Time::ZERO, Seed(seed));
            let clean: Vec<u8> = (0..4).flat_map(bms).collect();
            push(&mut link, 0, &clean);
            let out = outputs(&mut link, 0);
            let harmed = stream(&out);
            let flipped = clean.iter().zip(&harmed).map(|(a, b)| (a ^ b).count_ones());
            assert_eq!(flipped.sum::<u32>(), 1, "{part:?}");
            assert_eq!(
                heard(&flushed(&out)),
                [0, 2, 3],
                "{part:?} with seed {seed}"
            );
        }
    }
}

#[test]
fn corrupt_hits_the_part_that_was_named_in_frames_of_both_forms() {
    let short = encode(&[96; 40]).unwrap();
    let long = encode(&[96; 300]).unwrap();
    for (frame, part, range) in [
        (&short, Part::Length, 1..2),
        (&short, Part::Payload, 2..42),
        (&short, Part::Crc, 42..44),
        (&short, Part::Stop, 44..45),
        (&long, Part::Length, 1..3),
        (&long, Part::Payload, 3..303),
        (&long, Part::Crc, 303..305),
        (&long, Part::Stop, 305..306),
    ] {
        let mut hit = std::collections::BTreeSet::new();
        for seed in 0..400 {
            let faults = vec![always(Corrupt::with(part))];
            let mut link = Link::new(faults, MAX_PAYLOAD, Time::ZERO, Seed(seed));
            push(&mut link, 0, frame);
            let harmed = stream(&outputs(&mut link, 0));
            hit.extend((0..frame.len()).filter(|&at| frame[at] != harmed[at]));
        }
        assert!(hit.iter().all(|at| range.contains(at)), "{part:?}: {hit:?}");
        let (first, last) = (hit.first(), hit.last());
        assert!(range.len() > 40 || (first, last) == (Some(&range.start), Some(&(range.end - 1))));
    }
}

#[test]
fn drop_takes_one_frame_out() {
    let out = play(vec![nth(DropFrame::with(), 2)], &numbered(3));
    assert_eq!(out, [wrote(0, bms(0)), wrote(200, bms(2)), fin(200)]);
}

#[test]
fn duplicate_sends_copies_right_behind() {
    let out = play(vec![nth(Duplicate::with(2), 1)], &numbered(2));
    assert_eq!(heard(&stream(&out)), [0, 0, 0, 1]);
    assert_eq!(out[..3], [0, 0, 0].map(|at| wrote(at, bms(0))));
}

#[test]
fn reorder_puts_a_frame_behind_the_next_ones() {
    let out = play(vec![nth(Reorder::with(2, None), 1)], &numbered(4));
    let expected = [(100, 1), (200, 2), (200, 0), (300, 3)];
    assert_eq!(
        out[..4],
        expected.map(|(at, number)| wrote(at, bms(number)))
    );
}

#[test]
fn reorder_without_a_trigger_swaps_pairs() {
    let out = play(vec![always(Reorder::with(1, None))], &numbered(4));
    assert_eq!(heard(&stream(&out)), [1, 0, 3, 2]);
}

#[test]
fn a_reordered_frame_comes_out_when_its_time_is_over_or_the_stream_ends() {
    let fault = || Reorder::with(9, Some(millis(150)));
    let out = play(vec![nth(fault(), 1)], &numbered(3));
    let expected = [(100, 1), (150, 0), (200, 2)];
    assert_eq!(
        out[..3],
        expected.map(|(at, number)| wrote(at, bms(number)))
    );
    let out = play(vec![nth(fault(), 2)], &numbered(2));
    assert_eq!(out, [wrote(0, bms(0)), wrote(100, bms(1)), fin(100)]);
}

#[test]
fn truncate_keeps_the_first_bytes_and_a_parser_waits_for_the_rest() {
    let out = play(vec![nth(Truncate::with(3), 2)], &numbered(4));
    assert_eq!(out[1], wrote(100, &bms(1)[..3]));
    assert_eq!(heard(&stream(&out)), [0]);
    assert_eq!(heard(&flushed(&out)), [0, 2, 3]);
}

#[test]
fn truncate_does_nothing_to_a_frame_that_is_short_already() {
    let mut link = link(vec![always(Truncate::with(7))]);
    push(&mut link, 0, &bms(0));
    assert_eq!(outputs(&mut link, 0), [wrote(0, bms(0))]);
    assert_eq!(reports(&mut link), []);
}

#[test]
fn garbage_stands_where_it_was_put() {
    for (position, expected) in [
        (Position::Before, [wrote(0, [0; 3]), wrote(0, bms(0))]),
        (Position::After, [wrote(0, bms(0)), wrote(0, [0; 3])]),
    ] {
        let fault = Garbage::with(Some(GarbageKind::Nuls), None, Some(3), position);
        let out = play(vec![nth(fault, 1)], &numbered(1));
        assert_eq!(out[..2], expected);
    }
}

#[test]
fn garbage_is_of_the_kind_that_was_asked_for() {
    let first = |kind, hex: Option<&str>, bytes| {
        let fault = Garbage::with(kind, hex.map(str::to_owned), bytes, Position::Before);
        let out = play(vec![always(fault)], &numbered(1));
        let all = stream(&out);
        all[..all.len() - bms(0).len()].to_vec()
    };
    assert_eq!(first(None, Some("ab 03"), None), [0xAB, 3]);
    assert_eq!(
        first(Some(GarbageKind::FalseStart), None, None),
        [0x02, 0xFF]
    );
    let random = first(Some(GarbageKind::Random), None, Some(64));
    assert_eq!(random.len(), 64);
    assert!(random.iter().any(|&byte| byte != random[0]));
}

#[test]
fn a_false_start_delays_a_real_parser_and_loses_nothing() {
    let fault = Garbage::with(Some(GarbageKind::FalseStart), None, None, Position::Before);
    let out = play(vec![nth(fault, 2)], &numbered(60));
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    let mut heard_at = vec![None; 60];
    for output in &out {
        let LinkOutput::Bytes(at, bytes) = output else {
            continue;
        };
        let mut input = &bytes[..];
        while let Some(item) = decoder.next(&mut input) {
            if let Item::Frame(frame) = item {
                heard_at[usize::from(frame.payload[1])] = Some(*at);
            }
        }
    }
    // 02 ff promises 260 bytes in all: two of them are there, and each frame brings seven.
    let released = ms(100 + 100 * ((260_u64 - 2).div_ceil(7) - 1));
    assert_eq!(heard_at[0], Some(ms(0)));
    assert_eq!(heard_at[1], Some(released));
    assert_eq!(heard_at[30], Some(released));
    assert_eq!(heard_at[59], Some(ms(5900)));
    assert!(heard_at.iter().all(Option::is_some));
}

#[test]
fn stall_keeps_everything_for_a_time() {
    let out = play(vec![nth(Stall::with(Some(millis(250))), 2)], &numbered(5));
    let expected = [(0, 0), (350, 1), (350, 2), (350, 3), (400, 4)];
    assert_eq!(
        out[..5],
        expected.map(|(at, number)| wrote(at, bms(number)))
    );
}

#[test]
fn a_stall_that_is_set_off_again_and_again_lets_through_between() {
    let out = play(vec![always(Stall::with(Some(millis(150))))], &numbered(4));
    let expected = [(150, 0), (150, 1), (350, 2), (350, 3)];
    assert_eq!(
        out[..4],
        expected.map(|(at, number)| wrote(at, bms(number)))
    );
}

#[test]
fn a_stall_for_ever_swallows_even_the_end() {
    let out = play(vec![nth(Stall::with(None), 2)], &numbered(5));
    assert_eq!(out, [wrote(0, bms(0))]);
}

#[test]
fn reset_breaks_off_instead_of_the_frame_and_nothing_follows() {
    let out = play(vec![nth(Reset::with(0), 2)], &numbered(4));
    assert_eq!(out, [wrote(0, bms(0)), reset(100)]);
    let out = play(vec![nth(Reset::with(3), 2)], &numbered(4));
    assert_eq!(out[1..], [wrote(100, &bms(1)[..3]), reset(100)]);
}

#[test]
fn half_close_ends_behind_the_frame_and_nothing_follows() {
    let out = play(vec![nth(HalfClose::with(None), 2)], &numbered(4));
    assert_eq!(out, [wrote(0, bms(0)), wrote(100, bms(1)), fin(100)]);
    let out = play(vec![nth(HalfClose::with(Some(4)), 2)], &numbered(4));
    assert_eq!(out[1..], [wrote(100, &bms(1)[..4]), fin(100)]);
    let out = play(vec![nth(HalfClose::with(Some(0)), 2)], &numbered(4));
    assert_eq!(out[1..], [fin(100)]);
}

#[test]
fn slow_close_delays_the_end_and_nothing_else() {
    let out = play(vec![always(SlowClose::with(millis(500)))], &numbered(2));
    assert_eq!(out, [wrote(0, bms(0)), wrote(100, bms(1)), fin(600)]);
}

#[test]
fn slow_close_delays_the_end_that_another_fault_makes() {
    let faults = vec![
        nth(HalfClose::with(None), 1),
        always(SlowClose::with(millis(500))),
    ];
    let out = play(faults, &numbered(2));
    assert_eq!(out, [wrote(0, bms(0)), fin(500)]);
}
