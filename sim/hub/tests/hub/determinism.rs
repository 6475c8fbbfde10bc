//! The same scenario and seed give the same bytes at the same virtual times: for every scenario with a fault, and so
//! for every fault.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use veschub_hub::{
    fault,
    hub::{ConnId, Event, Hub, Output},
    journal::JournalEvent,
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;

use super::{bench::frame, bench::ms};

const CONN: ConnId = ConnId(1);

/// What a tool sees, to the nanosecond and the byte, and which faults fired.
#[derive(Debug, PartialEq)]
struct Seen {
    outputs: Vec<(Time, Output)>,
    fired: Vec<&'static str>,
}

/// Drives a hub through one fixed session: the four requests of a setup, then BMS_GET_VALUES at uneven times.
fn session(mut hub: Hub, login: &[u8]) -> Seen {
    let mut script = vec![(ms(0), login.to_vec())];
    let setup = [&[0][..], &[93, 0], &[62], &[96]];
    script.extend(setup.map(|payload| (ms(60), frame(payload))));
    let polls = (1..30).map(|n| (ms(60 + 130 * n + 7 * (n % 3)), frame(&[96])));
    script.extend(polls);
    let mut seen = Seen {
        outputs: Vec::new(),
        fired: Vec::new(),
    };
    hub.handle(Time::ZERO, CONN, Event::Opened);
    let mut is_open = true;
    for (at, bytes) in script {
        seen.until(&mut hub, at);
        is_open &= !seen.ended();
        if is_open {
            hub.handle(at, CONN, Event::Bytes(&bytes));
            seen.take(&mut hub, at);
        }
    }
    seen.until(&mut hub, ms(12_000));
    seen
}

impl Seen {
    fn until(&mut self, hub: &mut Hub, then: Time) {
        while let Some(due) = hub.poll_timeout().filter(|&due| due <= then) {
            hub.handle_timeout(due);
            self.take(hub, due);
        }
    }

    fn take(&mut self, hub: &mut Hub, now: Time) {
        while let Some((conn, output)) = hub.poll_output() {
            assert_eq!(conn, CONN);
            if let Output::Write(bytes) = &output {
                hub.handle(now, conn, Event::Flushed(bytes.len()));
            }
            self.outputs.push((now, output));
        }
        while let Some(entry) = hub.poll_journal() {
            if let JournalEvent::FaultFired(fired) = entry.event {
                self.fired.push(fired.fault);
            }
        }
    }

    fn ended(&self) -> bool {
        let last = self.outputs.last();
        last.is_some_and(|(_, output)| matches!(output, Output::Close | Output::Abort))
    }
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .filter(|path| fs::read_to_string(path).unwrap().contains("\nfaults:"))
        .collect();
    files.sort();
    files
}

fn play(path: &Path, seed: u64) -> Seen {
    let loaded = Loaded::parse("test.yaml", &fs::read_to_string(path).unwrap()).unwrap();
    let hub = loaded.build(Seed(seed)).unwrap().into_hub();
    session(hub, b"VESCTOOL:demo-0001:not-a-secret\n")
}

#[test]
fn every_fault_harms_the_same_bytes_at_the_same_times_twice() {
    let mut fired = BTreeSet::new();
    for path in scenarios() {
        let (once, twice) = (play(&path, 7), play(&path, 7));
        assert_eq!(once, twice, "{}", path.display());
        fired.extend(once.fired);
    }
    let all: BTreeSet<&str> = fault::catalogue().iter().map(|info| info.name).collect();
    let missing: Vec<_> = all.difference(&fired).collect();
    assert!(missing.is_empty(), "never fired: {missing:?}");
}

#[test]
fn another_seed_harms_other_bytes_where_something_is_drawn() {
    let draws = ["corrupt", "jitter", "split", "garbage"];
    let mut differ = BTreeSet::new();
    for path in scenarios() {
        let (one, other) = (play(&path, 7), play(&path, 8));
        if one.outputs != other.outputs {
            differ.extend(one.fired);
        }
    }
    for fault in draws {
        assert!(differ.contains(fault), "{fault} draws nothing");
    }
}
