//! A crash of our own fuzzer becomes something that stays: a small input for the regression test, a scenario that says
//! the same bytes to any client, and a capture of that.

use std::{
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;
use veschub_wire::fuzzing::stream_decoder;

use super::case::{Answer, Case, Job, Said};
use crate::run::{self, Mode, RunError, Way};

/// How many bytes behind the stream say how it is run; `wire/src/fuzzing.rs` describes them.
const PLAN: usize = 8;
/// In so many pieces a client gets the stream at most.
const MOST_PIECES: usize = 64;
/// The time from one piece to the next, so that each comes with a read of its own.
const GAP: Duration = Duration::from_millis(5);
/// How often the input is run to make it smaller.
const BUDGET: usize = 20_000;

/// What an input of the fuzzer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// An input of the target `stream_decoder`: a stream, and eight bytes that say how it is run
    StreamDecoder,
    /// A stream and nothing else
    Bytes,
}

/// What became of a crash.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The input, made smaller if it still crashes.
    pub input: Vec<u8>,
    /// What the crash says, if it still happens.
    pub panic: Option<String>,
    /// The scenario that says these bytes to a client.
    pub scenario: String,
    /// The session of the reference client in that scenario, as a pcapng file.
    pub capture: Vec<u8>,
}

/// Makes a regression input, a scenario and a capture of an input.
///
/// # Errors
/// If the scenario cannot be run, which a test rules out.
pub fn keep(input: &[u8], target: Target, name: &str) -> Result<Kept, RunError> {
    let (input, panic) = match target {
        Target::StreamDecoder => {
            // The runtime would print each panic.
            let hook = panic::take_hook();
            panic::set_hook(Box::new(|_| {}));
            let crash = crash(input);
            let small = match &crash {
                Some(_) => smaller(input, &mut |input| crash_is_there(input)),
                None => input.to_vec(),
            };
            panic::set_hook(hook);
            (small, crash)
        }
        Target::Bytes => (input.to_vec(), None),
    };
    let case = case(&input, target);
    let scenario = case.yaml(&format!(
        "The device says the bytes of the fuzzer's finding {name}."
    ));
    let loaded = Loaded::parse(name, &scenario)?;
    let played = run::run(name, &loaded, &Way::reference(Seed(0), Mode::Virtual))?;
    Ok(Kept {
        input,
        panic,
        scenario,
        capture: played.capture().to_vec(),
    })
}

/// The stream of an input in the pieces in which it arrives.
fn case(input: &[u8], target: Target) -> Case {
    let (stream, sizes) = match target {
        Target::Bytes => (input, Vec::new()),
        Target::StreamDecoder => {
            let (stream, plan) = input.split_at(input.len().saturating_sub(PLAN));
            // The first byte of the plan is the limit of our own reader.
            let sizes = plan.iter().skip(1).map(|size| usize::from(*size) + 1);
            (stream, sizes.collect())
        }
    };
    let mut pieces: Vec<&[u8]> = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle().take(MOST_PIECES + 1) {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    if !rest.is_empty() || pieces.len() > MOST_PIECES {
        pieces = vec![stream];
    }
    let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    Case {
        job: Job::ReadBms,
        answers: vec![Answer {
            request: Vec::new(),
            said: pieces.map(|piece| Said::Bytes(piece.to_vec())).collect(),
            restart: true,
        }],
        gap: GAP,
    }
}

/// What the crash says; nothing, if there is none.
fn crash(input: &[u8]) -> Option<String> {
    let payload = panic::catch_unwind(AssertUnwindSafe(|| stream_decoder(input))).err()?;
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
    Some(text.unwrap_or_else(|| "it does not say why".to_owned()))
}

fn crash_is_there(input: &[u8]) -> bool {
    crash(input).is_some()
}

/// Takes away halves, quarters and so on of the stream, as long as the crash stays; the plan behind it stays whole.
fn smaller(input: &[u8], still: &mut dyn FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut left = BUDGET;
    let mut size = best.len().saturating_sub(PLAN).div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < best.len().saturating_sub(PLAN) && left > 0 {
            let end = (from + size).min(best.len() - PLAN);
            let mut shorter = best.clone();
            shorter.drain(from..end);
            left -= 1;
            if still(&shorter) {
                best = shorter;
            } else {
                from = end;
            }
        }
        size /= 2;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_input_only_what_crashes_stays() {
        let input: Vec<u8> = (0..=255).chain([9; PLAN]).collect();
        let mut runs = 0;
        let small = smaller(&input, &mut |input| {
            runs += 1;
            input[..input.len() - PLAN]
                .windows(2)
                .any(|pair| pair == [100, 101])
                && input.contains(&200)
        });
        assert_eq!(small, [&[100, 101, 200][..], &[9; PLAN]].concat());
        assert!(runs < 200, "{runs}");
    }

    #[test]
    fn a_stream_is_said_in_the_pieces_of_its_plan() {
        let input = [&[1, 2, 3, 4, 5][..], &[4, 1, 0, 1, 0, 1, 0, 1]].concat();
        let said = case(&input, Target::StreamDecoder).answers.remove(0).said;
        let pieces: [&[u8]; 4] = [&[1, 2], &[3], &[4, 5], &[]];
        let pieces = pieces.iter().filter(|piece| !piece.is_empty());
        assert!(
            said.into_iter()
                .eq(pieces.map(|piece| Said::Bytes(piece.to_vec())))
        );
        let long = [&[7; 1000][..], &[0; PLAN]].concat();
        assert_eq!(
            case(&long, Target::StreamDecoder).answers[0].said,
            [Said::Bytes(vec![7; 1000])]
        );
        assert_eq!(
            case(b"ab", Target::Bytes).answers[0].said,
            [Said::Bytes(b"ab".to_vec())]
        );
    }

    #[test]
    fn every_seed_of_the_fuzzer_becomes_a_scenario() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/stream_decoder");
        let mut count = 0;
        for seed in std::fs::read_dir(folder).unwrap() {
            let input = std::fs::read(seed.unwrap().path()).unwrap();
            let kept = keep(&input, Target::StreamDecoder, "seed").unwrap();
            assert_eq!((kept.input, kept.panic), (input, None));
            assert!(!kept.capture.is_empty());
            count += 1;
        }
        assert!(count > 20);
    }
}
