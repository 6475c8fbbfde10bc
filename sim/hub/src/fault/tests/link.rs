//! What a link promises, whatever its faults.

use super::*;
use crate::fault::{ClientDid, MAX_FAULTS, MAX_HELD_BYTES, MAX_HELD_CHUNKS, OVERFULL};

fn after(fault: impl Definition, after: u64) -> Armed {
    let trigger = Trigger {
        after: Some(millis(after)),
        ..Trigger::default()
    };
    Armed::new(fault, trigger)
}

fn on(fault: impl Definition, command: CommandId) -> Armed {
    let trigger = Trigger {
        command: Some(CommandName(command)),
        ..Trigger::default()
    };
    Armed::new(fault, trigger)
}

#[test]
fn without_faults_bytes_pass_unchanged_at_once() {
    let mut link = link(Vec::new());
    assert!(link.is_clear());
    assert!(!link.watches_client());
    for (at, bytes) in [(0, &b"\x02"[..]), (0, b"\xFFnoise"), (9, b"\x03")] {
        push(&mut link, at, bytes);
        assert_eq!(link.poll_timeout(), Some(ms(at)));
        assert_eq!(link.poll_output(ms(at)), Some(wrote(at, bytes)));
        assert_eq!(link.poll_timeout(), None);
    }
    link.eof(ms(10));
    assert_eq!(link.poll_output(ms(10)), Some(fin(10)));
    push(&mut link, 11, b"too late");
    assert_eq!(link.poll_output(ms(11)), None);
    assert_eq!(reports(&mut link), []);
}

#[test]
fn without_faults_there_is_no_limit_but_the_peer() {
    let mut link = link(Vec::new());
    push(&mut link, 0, &vec![0; MAX_HELD_BYTES + 1]);
    let out = outputs(&mut link, 0);
    assert_eq!(stream(&out).len(), MAX_HELD_BYTES + 1);
}

#[test]
fn nothing_comes_out_before_its_time() {
    let mut link = link(vec![always(Delay::with(millis(20)))]);
    push(&mut link, 5, b"x");
    assert_eq!(link.poll_timeout(), Some(ms(25)));
    assert_eq!(link.poll_output(ms(24)), None);
    assert_eq!(link.poll_output(ms(25)), Some(wrote(25, b"x")));
}

#[test]
fn bytes_are_held_to_the_frame_edge_only_if_a_fault_looks_at_frames() {
    let (head, tail) = (&bms(0)[..3], &bms(0)[3..]);
    let mut free = link(vec![always(Delay::with(millis(0)))]);
    push(&mut free, 0, head);
    assert_eq!(outputs(&mut free, 0), [wrote(0, head)]);

    for armed in [always(Duplicate::with(1)), nth(Delay::with(millis(0)), 1)] {
        let mut held = link(vec![armed]);
        push(&mut held, 0, head);
        assert_eq!(outputs(&mut held, 0), []);
        assert_eq!(held.held(), 3);
        push(&mut held, 1, tail);
        assert_eq!(outputs(&mut held, 1)[0], wrote(1, bms(0)));
        assert_eq!(held.held(), 0);
        assert_eq!(reports(&mut held).len(), 1);
    }
}

#[test]
fn half_a_frame_comes_out_when_the_stream_ends() {
    let out = play(
        vec![always(DropFrame::with())],
        &[(3, bms(0)[..4].to_vec())],
    );
    assert_eq!(out, [wrote(3, &bms(0)[..4]), fin(3)]);
}

#[test]
fn noise_waits_for_nothing_and_is_not_harmed() {
    let mut link = link(vec![always(DropFrame::with())]);
    push(&mut link, 0, b"hello\r\n");
    assert_eq!(outputs(&mut link, 0), [wrote(0, b"hello\r\n")]);
    push(&mut link, 1, &[&b"junk"[..], &bms(0), b"\0\0"].concat());
    assert_eq!(outputs(&mut link, 1), [wrote(1, b"junk"), wrote(1, [0, 0])]);
}

#[test]
fn frames_come_out_as_they_were_in_all_forms() {
    let mut long_255 = encode(&[7; 255]).unwrap();
    long_255.splice(..2, [3, 0, 255]);
    let frames = [
        encode(&[7; 255]).unwrap(),
        long_255,
        encode(&[7; 300]).unwrap(),
        encode(&[7; 70_000]).unwrap(),
    ];
    let faults = vec![on(DropFrame::with(), BMS)];
    let mut link = Link::new(faults, 100_000, Time::ZERO, Seed(0));
    for frame in &frames {
        for piece in frame.chunks(1000) {
            push(&mut link, 0, piece);
        }
        assert_eq!(outputs(&mut link, 0), [wrote(0, frame)]);
    }
}

#[test]
fn faults_apply_in_the_order_in_which_they_are_written() {
    let delay = || always(Delay::with(millis(50)));
    let part_of_time = |fault| {
        let trigger = Trigger {
            lasts: Some(millis(50)),
            ..Trigger::default()
        };
        Armed::new(fault, trigger)
    };
    let corrupt = || part_of_time(Corrupt::with(Part::Crc));
    // Behind the delay, the frame comes too late to be harmed.
    let late = play(vec![delay(), corrupt()], &numbered(1));
    assert_eq!(late, [wrote(50, bms(0)), fin(50)]);
    let early = play(vec![corrupt(), delay()], &numbered(1));
    assert_eq!(early[0].at(), ms(50));
    assert!(heard(&stream(&early)).is_empty());

    let duplicate = || always(Duplicate::with(1));
    let drop_first = || nth(DropFrame::with(), 1);
    let both = play(vec![duplicate(), drop_first()], &numbered(1));
    assert_eq!(heard(&stream(&both)), [0]);
    let none = play(vec![drop_first(), duplicate()], &numbered(1));
    assert_eq!(none, [fin(0)]);
}

#[test]
fn a_harmed_frame_is_still_a_frame_to_the_next_fault() {
    let mut link = link(vec![
        on(Corrupt::with(Part::Stop), BMS),
        on(Delay::with(millis(9)), BMS),
    ]);
    push(&mut link, 0, &bms(0));
    let fired: Vec<_> = reports(&mut link)
        .into_iter()
        .map(|report| report.fault)
        .collect();
    assert_eq!(fired, ["corrupt", "delay"]);
}

#[test]
fn a_report_names_fault_frame_time_and_reason() {
    let trigger = Trigger {
        command: Some(CommandName(BMS)),
        nth: Some(2),
        ..Trigger::default()
    };
    let mut link = link(vec![Armed::new(Corrupt::with(Part::Crc), trigger)]);
    for (at, bytes) in [
        (0, frame(CommandId::PING_CAN, 0)),
        (10, bms(0)),
        (20, bms(1)),
    ] {
        push(&mut link, at, &bytes);
    }
    let expected = FaultFired {
        at: ms(20),
        id: None,
        fault: "corrupt",
        harm: Harm::Broken,
        command: Some(BMS),
        why: "the 2nd BMS_GET_VALUES".into(),
    };
    assert_eq!(reports(&mut link), [expected]);
}

#[test]
fn a_frame_that_comes_alone_is_named_even_where_nothing_looks_at_frames() {
    let mut link = link(vec![always(Delay::with(millis(1)))]);
    for bytes in [bms(0), [bms(1), bms(2)].concat(), bms(3)[..4].to_vec()] {
        push(&mut link, 0, &bytes);
    }
    let named: Vec<_> = reports(&mut link)
        .into_iter()
        .map(|report| report.command)
        .collect();
    assert_eq!(named, [Some(BMS), None]);
}

#[test]
fn the_pieces_of_a_frame_are_reported_together() {
    let faults = vec![
        always(single_bytes(millis(1))),
        always(Delay::with(millis(1))),
    ];
    let mut link = link(faults);
    push(&mut link, 0, &bms(0));
    let fired: Vec<_> = reports(&mut link)
        .into_iter()
        .map(|report| report.fault)
        .collect();
    assert_eq!(fired, ["split", "delay"]);
}

#[test]
fn a_time_alone_sets_off_what_needs_nothing_on_the_link() {
    let mut broken = link(vec![after(Reset::with(0), 700)]);
    assert_eq!(broken.poll_timeout(), Some(ms(700)));
    assert_eq!(outputs(&mut broken, 9999), [reset(700)]);
    let why = reports(&mut broken).swap_remove(0).why;
    assert_eq!(why, "from 700ms after the session began");

    let mut closed = link(vec![after(HalfClose::with(None), 700)]);
    push(&mut closed, 0, b"x");
    assert_eq!(outputs(&mut closed, 9999), [wrote(0, b"x"), fin(700)]);

    let silent = after(Stall::with(Some(millis(300))), 150);
    let out = play(vec![silent], &numbered(6));
    let expected = [(0, 0), (100, 1), (450, 2), (450, 3), (450, 4), (500, 5)];
    assert_eq!(
        out[..6],
        expected.map(|(at, number)| wrote(at, bms(number)))
    );
}

#[test]
fn a_time_that_the_link_sleeps_through_counts_from_when_it_was_due() {
    let mut link = link(vec![after(Reset::with(0), 700)]);
    push(&mut link, 5000, b"x");
    assert_eq!(link.poll_output(ms(5000)), Some(reset(700)));
    assert_eq!(link.poll_output(ms(5000)), None);
    assert_eq!(reports(&mut link)[0].at, ms(700));
}

#[test]
fn times_count_from_the_start_of_the_session() {
    let faults = vec![after(Reset::with(0), 700)];
    let mut link = Link::new(faults, MAX_PAYLOAD, ms(10_000), Seed(0));
    assert_eq!(outputs(&mut link, 99_999), [reset(10_700)]);
}

#[test]
fn chance_can_spare_a_fault_that_a_time_sets_off() {
    let trigger = Trigger {
        after: Some(millis(10)),
        probability: Some(0.0),
        ..Trigger::default()
    };
    let mut link = link(vec![Armed::new(Reset::with(0), trigger)]);
    push(&mut link, 50, b"x");
    assert_eq!(outputs(&mut link, 99), [wrote(50, b"x")]);
    assert_eq!(reports(&mut link), []);
}

#[test]
fn a_reset_may_follow_a_half_close() {
    let faults = vec![nth(HalfClose::with(None), 1), after(Reset::with(0), 400)];
    let mut link = link(faults);
    push(&mut link, 0, &bms(0));
    push(&mut link, 1, &bms(1));
    let out = outputs(&mut link, 9999);
    assert_eq!(out, [wrote(0, bms(0)), fin(0), reset(400)]);
}

#[test]
fn a_fault_answers_to_what_the_client_did() {
    let trigger = Trigger {
        client: Some(ClientDid {
            too_slow: Some(millis(500)),
            ..ClientDid::default()
        }),
        ..Trigger::default()
    };
    let mut link = link(vec![Armed::new(Reset::with(0), trigger)]);
    assert!(link.watches_client());
    let mut did = Behaviour::attached(1, false);
    for (at, number) in [(0, 0), (500, 1), (1001, 2)] {
        did.note_request(ms(at), &[BMS.0]);
        link.push(ms(at + 55), &bms(number), &did);
    }
    let out = outputs(&mut link, 9999);
    assert_eq!(out, [wrote(55, bms(0)), wrote(555, bms(1)), reset(1056)]);
    let report = reports(&mut link).swap_remove(0);
    assert_eq!((report.fault, report.command), ("reset", Some(BMS)));
    assert_eq!(
        report.why,
        "501ms passed between two requests, more than 500ms"
    );
}

#[test]
fn what_is_released_by_a_time_meets_the_faults_behind() {
    let faults = vec![
        always(Merge::with(None, Some(millis(40)))),
        always(Delay::with(millis(5))),
    ];
    let mut link = link(faults);
    push(&mut link, 0, b"a");
    push(&mut link, 10, b"b");
    assert_eq!(link.poll_timeout(), Some(ms(40)));
    assert_eq!(outputs(&mut link, 99), [wrote(45, b"ab")]);
}

#[test]
fn whoever_calls_late_gets_the_same_times() {
    let faults = || vec![always(Merge::with(None, Some(millis(40))))];
    let (mut prompt, mut late) = (link(faults()), link(faults()));
    push(&mut prompt, 0, b"a");
    let mut in_time = outputs(&mut prompt, 60);
    push(&mut prompt, 60, b"b");
    in_time.extend(outputs(&mut prompt, 500));
    push(&mut late, 0, b"a");
    push(&mut late, 60, b"b");
    late.handle_timeout(ms(500));
    let at_last: Vec<_> = std::iter::from_fn(|| late.poll_output(ms(500))).collect();
    assert_eq!(at_last, in_time);
}

#[test]
fn a_link_that_holds_too_much_breaks_off_and_says_so() {
    let hours = millis(3_600_000);
    for fault in [
        always(Delay::with(hours)),
        always(Merge::with(None, Some(hours))),
        nth(Stall::with(Some(hours)), 1),
    ] {
        let mut link = link(vec![fault]);
        let frame = encode(&[96; 500]).unwrap().repeat(16);
        let mut pushed = 0;
        while link.poll_timeout() != Some(ms(7)) {
            assert!(link.held() <= MAX_HELD_BYTES);
            assert!(pushed <= MAX_HELD_BYTES);
            push(&mut link, 7, &frame);
            pushed += frame.len();
        }
        assert!(pushed > MAX_HELD_BYTES);
        assert_eq!(link.held(), 0);
        assert_eq!(outputs(&mut link, 7), [reset(7)]);
        let report = reports(&mut link).pop().unwrap();
        assert_eq!(report.fault, OVERFULL);
        assert!(report.why.contains("4194304 bytes"), "{}", report.why);
        push(&mut link, 8, &frame);
        assert_eq!(link.poll_timeout(), None);
    }
}

#[test]
fn a_link_that_holds_too_many_pieces_breaks_off() {
    let mut link = link(vec![always(single_bytes(millis(1)))]);
    for _ in 0..MAX_HELD_CHUNKS / 32_768 {
        push(&mut link, 0, &[0; 32_768]);
    }
    assert_eq!(link.held(), MAX_HELD_CHUNKS);
    push(&mut link, 0, b"x");
    assert_eq!(outputs(&mut link, 0), [reset(0)]);
}

#[test]
fn copies_of_copies_come_to_an_end() {
    let faults = (0..MAX_FAULTS).map(|_| always(Duplicate::with(MAX_TIMES)));
    let mut copied = link(faults.collect());
    push(&mut copied, 0, &bms(0));
    assert_eq!(outputs(&mut copied, 0), [reset(0)]);
    let mut faults: Vec<_> = (0..8).map(|_| always(Duplicate::with(MAX_TIMES))).collect();
    faults.push(always(DropFrame::with()));
    let mut dropped = link(faults);
    push(&mut dropped, 0, &bms(0));
    assert_eq!(outputs(&mut dropped, 0), [reset(0)]);
}

#[test]
fn what_nobody_reads_of_the_reports_does_not_pile_up() {
    let mut link = link(vec![always(DropFrame::with())]);
    for number in 0..70_000 {
        push(&mut link, number, &bms(0));
    }
    push(&mut link, 70_000, &vec![0; MAX_HELD_BYTES + 1]);
    let told = reports(&mut link);
    assert_eq!(told.len(), 65_537);
    assert_eq!(told.last().map(|report| report.fault), Some(OVERFULL));
}

#[test]
fn the_end_is_no_occasion_for_a_fault_that_harms_bytes() {
    for armed in [
        always(Reset::with(0)),
        always(HalfClose::with(None)),
        always(Merge::with(None, Some(millis(40)))),
        always(Stall::with(None)),
        always(Bandwidth::with(1)),
    ] {
        let mut link = link(vec![armed]);
        link.eof(ms(5));
        assert_eq!(outputs(&mut link, 9999), [fin(5)]);
        assert_eq!(reports(&mut link), []);
    }
}

#[test]
fn what_never_comes_is_not_harmed_further() {
    for ending in [
        nth(Reset::with(0), 1),
        nth(HalfClose::with(Some(0)), 1),
        nth(Stall::with(None), 1),
    ] {
        let name = ending.info.name;
        let mut link = link(vec![ending, always(Duplicate::with(1))]);
        push(&mut link, 0, &[bms(0), bms(1)].concat());
        push(&mut link, 1, &bms(2));
        let fired: Vec<_> = reports(&mut link)
            .into_iter()
            .map(|report| report.fault)
            .collect();
        assert_eq!(fired, [name]);
    }
}

#[test]
fn conditions_of_time_count_from_the_start_of_the_session_too() {
    let trigger = Trigger {
        after: Some(millis(100)),
        lasts: Some(millis(100)),
        ..Trigger::default()
    };
    let faults = vec![Armed::new(DropFrame::with(), trigger)];
    let mut link = Link::new(faults, MAX_PAYLOAD, ms(5000), Seed(0));
    for (at, bytes) in numbered(4) {
        push(&mut link, 5000 + at, &bytes);
    }
    assert_eq!(heard(&stream(&outputs(&mut link, 9999))), [0, 2, 3]);
}

#[test]
fn what_is_on_its_way_to_a_later_time_is_not_merged_with_what_waits_until_then() {
    let faults = vec![
        nth(Delay::with(millis(500)), 2),
        always(Merge::with(None, Some(millis(40)))),
    ];
    let mut link = link(faults);
    push(&mut link, 0, &bms(0));
    push(&mut link, 10, &bms(1));
    let expected = [wrote(40, bms(0)), wrote(550, bms(1))];
    assert_eq!(outputs(&mut link, 9999), expected);
}

#[test]
fn a_frame_that_only_passes_a_held_one_is_not_reported() {
    let mut link = link(vec![always(Reorder::with(1, None))]);
    push(&mut link, 0, &[bms(0), bms(1), bms(2), bms(3)].concat());
    assert_eq!(reports(&mut link).len(), 2);
}
