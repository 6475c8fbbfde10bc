//! The device side of a recording, replayed to a client that asks as the recorded one did, gives the recording again.
//!
//! Runs over every capture in `captures/` and over a user's own in the folder that `VESCHUB_EXTRA_CAPTURES` names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use veschub_harness::run::{self, Mode, Way};
use veschub_hub::{journal, rng::Seed};
use veschub_transcript::{Direction, Entry, Kind, Options, Transcript};

/// Virtual time has a grain of 1 ms, once for the request and once for the reply.
const GRAIN: Duration = Duration::from_millis(2);

fn captures_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "pcap" || ending == "pcapng")
        })
        .collect()
}

fn frames(transcript: &Transcript, direction: Direction) -> Vec<(Duration, Vec<u8>)> {
    let start = transcript
        .entries
        .iter()
        .find(|entry| matches!(entry.kind, Kind::Login(_) | Kind::Frame(_)))
        .and_then(|entry| entry.at_ns)
        .unwrap_or_default();
    let told = |entry: &Entry| {
        let frame = entry
            .frame()
            .filter(|_| entry.direction == Some(direction))?;
        let at = Duration::from_nanos(entry.at_ns? - start);
        Some((at, frame.payload.clone()))
    };
    transcript.entries.iter().filter_map(told).collect()
}

fn replays_as_it_was_recorded(path: &Path) {
    let recorded = File::open(path).unwrap();
    let recorded = Transcript::from_capture(recorded, &Options::default()).unwrap();
    let text = format!(
        "version: 1\ndevices:\n  - replay: {{ capture: {:?}, id: replayed, password: not-a-secret }}\n\
         client: {{ play-recording: {{}} }}\nexpect: [same-as-recording]\n",
        path.display().to_string()
    );
    let loaded = veschub_disk::parse("parity.yaml", &text, Path::new(""), &[]).unwrap();
    let run = run::run("parity", &loaded, &Way::reference(Seed(0), Mode::Virtual)).unwrap();
    assert!(
        run.verdict.passed(),
        "{}: {:?}",
        path.display(),
        run.verdict
    );
    let replayed = journal::transcript(&run.played.unwrap().journal);
    for direction in [Direction::ToDevice, Direction::ToTool] {
        let (before, after) = (frames(&recorded, direction), frames(&replayed, direction));
        assert_eq!(before.len(), after.len());
        for ((then, payload), (now, again)) in before.iter().zip(&after) {
            assert_eq!(payload, again);
            assert!(
                now.abs_diff(*then) <= GRAIN,
                "{direction}: {then:?} became {now:?}"
            );
        }
    }
}

#[test]
fn our_captures_replay_as_they_were_recorded() {
    let captures = captures_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures"));
    assert!(!captures.is_empty(), "there are no captures");
    for capture in captures {
        replays_as_it_was_recorded(&capture);
    }
}

#[test]
fn extra_captures_replay_as_they_were_recorded() {
    let Some(folder) = std::env::var_os("VESCHUB_EXTRA_CAPTURES") else {
        println!("skipped: VESCHUB_EXTRA_CAPTURES names no folder");
        return;
    };
    // A relative folder starts at the workspace, where people set the variable.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    for capture in captures_in(&folder) {
        replays_as_it_was_recorded(&capture);
    }
}
