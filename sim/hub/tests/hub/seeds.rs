//! The same seed gives the same bytes at the same times, for every fault; and what the catalogue says is so.

use veschub_hub::{
    fault::{Behaviour, FaultFired, FaultPlan, Link, LinkOutput, catalogue},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_transcript::Direction;
use veschub_wire::{CommandId, encode};

const MAX_PAYLOAD: usize = 512;

fn ms(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// Frames with the numbers 0, 1, 2..., one every 100 ms.
fn numbered(count: u8) -> impl Iterator<Item = (u64, Vec<u8>)> {
    let frame = |number| encode(&[CommandId::BMS_GET_VALUES.0, number]).unwrap();
    (0..count).map(move |number| (u64::from(number) * 100, frame(number)))
}

/// Everything that is due by a time, fetched when it is due.
fn outputs(link: &mut Link, until: u64) -> Vec<LinkOutput> {
    let mut outputs = Vec::new();
    while let Some(due) = link.poll_timeout().filter(|&due| due <= ms(until)) {
        link.handle_timeout(due);
        outputs.extend(std::iter::from_fn(|| link.poll_output(due)));
    }
    outputs
}

/// A fault as a scenario writes it, and whether another seed makes a difference to it.
const TABLE: &[(&str, bool)] = &[
    ("bandwidth: { bytes_per_second: 200 }", false),
    ("corrupt: { part: payload }", true),
    ("corrupt: { part: crc }", true),
    ("corrupt: { part: length }", true),
    ("corrupt: { part: stop }", true),
    ("delay: { by: 7ms }", false),
    ("delay: { by: 7ms, when: { probability: 0.5 } }", true),
    ("drop: { when: { every: 3 } }", false),
    ("drop: { when: { probability: 0.5 } }", true),
    ("duplicate: { times: 2 }", false),
    ("garbage: { kind: random }", true),
    ("garbage: { kind: nuls, position: after }", false),
    ("garbage: { kind: false-start }", false),
    ("garbage: { hex: \"02 ff\" }", false),
    ("half-close: { when: { nth: 5 } }", false),
    ("half-close: { when: { probability: 0.1 } }", true),
    ("jitter: { up_to: 50ms }", true),
    ("merge: { frames: 3 }", false),
    ("merge: { within: 150ms }", false),
    ("reorder: { when: { probability: 0.5 } }", true),
    ("reset: { when: { nth: 5 } }", false),
    ("reset: { when: { probability: 0.1 } }", true),
    ("slow-close: { by: 1s }", false),
    ("split: { at: [1, 4] }", false),
    ("split: { every_byte: true }", false),
    ("split: { pieces: 3 }", true),
    ("stall: { for: 1s, when: { after: 300ms } }", false),
    ("stall: { when: { probability: 0.1 } }", true),
    ("truncate: { keep: 3, when: { nth: 4 } }", false),
];

fn plan(faults: &str) -> FaultPlan {
    let text = format!(
        "version: 1\ndevices:\n- express: {{ id: demo-0001, password: not-a-secret }}\nfaults:\n{faults}\n"
    );
    let loaded = Loaded::parse("test.yaml", &text).unwrap();
    FaultPlan::from(loaded.scenario.faults)
}

fn session(plan: &FaultPlan, seed: u64) -> (Vec<LinkOutput>, Vec<FaultFired>) {
    let mut link = Link::new(
        plan.arm(Direction::ToTool),
        MAX_PAYLOAD,
        Time::ZERO,
        Seed(seed),
    );
    let mut out = Vec::new();
    for (at, bytes) in numbered(40) {
        link.push(ms(at), &bytes, &Behaviour::default());
        out.extend(outputs(&mut link, at));
    }
    link.eof(ms(4000));
    out.extend(outputs(&mut link, 1_000_000));
    (out, std::iter::from_fn(|| link.poll_fired()).collect())
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_the_same_times() {
    for (fault, random) in TABLE {
        let plan = plan(&format!("- {fault}"));
        let first = session(&plan, 1);
        assert_eq!(session(&plan, 1), first, "{fault}");
        let same = (2..6).all(|seed| session(&plan, seed) == first);
        assert_eq!(same, !random, "{fault}");
    }
}

#[test]
fn all_faults_together_are_reproducible_too() {
    let lines: Vec<_> = TABLE
        .iter()
        .filter(|(fault, _)| !fault.contains("split"))
        .collect();
    let all: String = lines
        .iter()
        .map(|(fault, _)| format!("- {fault}\n"))
        .collect();
    let plan = plan(&all);
    assert_eq!(session(&plan, 1), session(&plan, 1));
}

#[test]
fn two_faults_of_one_kind_draw_differently() {
    let plan =
        plan("- garbage: { kind: random, bytes: 32 }\n- garbage: { kind: random, bytes: 32 }");
    let (out, _) = session(&plan, 1);
    let garbage = |output: &LinkOutput| match output {
        LinkOutput::Bytes(_, bytes) if bytes.len() == 32 => Some(bytes.clone()),
        _ => None,
    };
    let all: Vec<_> = out.iter().filter_map(garbage).collect();
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), different.len()), (80, 80));
}

#[test]
fn every_fault_stands_in_the_table_and_in_the_catalogue() {
    let mut names: Vec<_> = TABLE
        .iter()
        .filter_map(|(fault, _)| fault.split(':').next())
        .collect();
    names.dedup();
    let catalogued: Vec<_> = catalogue().iter().map(|info| info.name).collect();
    assert_eq!(catalogued, names);
    assert!(catalogued.is_sorted());
}

#[test]
fn the_examples_of_the_catalogue_are_scenarios() {
    for info in catalogue() {
        let plan = plan(info.example);
        let names: Vec<_> = plan.names().collect();
        assert_eq!(names, [(Direction::ToTool, info.name)]);
        assert_eq!(plan.arm(Direction::ToTool).len(), 1);
        assert_eq!(plan.arm(Direction::ToDevice).len(), 0);
    }
}

#[test]
fn a_direction_gets_only_its_own_faults() {
    let plan = plan(
        "- drop: { direction: to-device }\n- delay: { by: 1ms }\n- jitter: { direction: to-device, up_to: 1ms }",
    );
    let names = |direction| {
        let armed = plan.arm(direction).into_iter();
        armed.map(|armed| armed.info.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Direction::ToDevice), ["drop", "jitter"]);
    assert_eq!(names(Direction::ToTool), ["delay"]);
    assert!(!plan.is_empty());
    assert!(FaultPlan::default().is_empty());
}
