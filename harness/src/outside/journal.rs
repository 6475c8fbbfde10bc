//! Reads a journal that `veschub-sim serve --journal` wrote, with the readings of a client between its entries.

use std::{
    io::{self, BufRead},
    time::{Duration, TryFromFloatSecsError},
};

use serde::Deserialize;
use veschub_hub::{
    fault::{FaultFired, catalogue},
    journal::{JournalEntry, JournalEvent, json::VERSION},
    time::Time,
};

use super::output::{Line, MAX_LINE};

/// The input of `veschub-harness judge`: the entries of a journal, and the lines of a client.
#[derive(Clone, Debug, Default)]
pub struct JudgeInput {
    /// Requests, replies and faults; other entries do not matter for a reading.
    pub journal: Vec<JournalEntry>,
    /// The client's lines, each with its place in the journal.
    pub lines: Vec<Line>,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct JournalError {
    /// The number of the line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: JournalProblem,
}

/// What is wrong with a line of a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalProblem {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Another version of the simulator wrote it.
    #[error(
        "this journal has version {0}, but this program reads version {VERSION}: use both programs from one release"
    )]
    Version(u32),
    /// Its time is not a time.
    #[error("`at` is not a time: {0}")]
    Time(#[from] TryFromFloatSecsError),
    /// A frame does not say which way it went.
    #[error("a frame without a direction")]
    NoDirection,
    /// A fault has a name that this program does not know.
    #[error("an unknown fault")]
    UnknownFault,
    /// A payload is not hex.
    #[error("a payload that is not hex")]
    NotHex,
}

/// The keys of a journal line that matter here.
#[derive(Deserialize)]
struct Entry {
    kind: Option<String>,
    journal: Option<u32>,
    at: Option<f64>,
    direction: Option<String>,
    payload: Option<String>,
    name: Option<String>,
}

/// Reads all lines: those with a `kind` are entries of the journal, all others are lines of the client.
///
/// # Errors
/// If the input cannot be read, has another version, or has an incomplete entry.
pub fn read(input: impl BufRead) -> Result<JudgeInput, JournalError> {
    let mut told = JudgeInput::default();
    let mut at = Duration::ZERO;
    for (index, line) in input.split(b'\n').enumerate() {
        let failed = |problem| JournalError {
            line: index + 1,
            problem,
        };
        let mut text = line.map_err(|error| failed(error.into()))?;
        let entry: Option<Entry> = serde_json::from_slice(&text).ok();
        let Some((entry, kind)) = entry.and_then(|mut one| one.kind.take().map(|kind| (one, kind)))
        else {
            let cut = text.len() > MAX_LINE;
            text.truncate(MAX_LINE);
            told.lines.push(Line {
                number: told.lines.len() + 1,
                at,
                after: told.journal.len(),
                text,
                cut,
            });
            continue;
        };
        if let Some(version) = entry.journal.filter(|version| *version != VERSION) {
            return Err(failed(JournalProblem::Version(version)));
        }
        if let Some(seconds) = entry.at {
            at = Duration::try_from_secs_f64(seconds).map_err(|error| failed(error.into()))?;
        }
        if let Some(event) = event(&kind, &entry, at).map_err(failed)? {
            told.journal.push(JournalEntry {
                at: Time::from(at),
                conn: None,
                device: None,
                event,
            });
        }
    }
    Ok(told)
}

fn event(kind: &str, entry: &Entry, at: Duration) -> Result<Option<JournalEvent>, JournalProblem> {
    match (kind, entry.direction.as_deref()) {
        ("frame", Some("to-device")) => Ok(Some(JournalEvent::Request(payload(entry)?))),
        ("frame", Some("to-tool")) => Ok(Some(JournalEvent::Reply {
            payload: payload(entry)?,
            truth: None,
        })),
        ("frame", _) => Err(JournalProblem::NoDirection),
        ("fault", _) => {
            let mut known = catalogue().iter();
            let fault = known.find(|info| Some(info.name) == entry.name.as_deref());
            let fault = fault.ok_or(JournalProblem::UnknownFault)?;
            Ok(Some(JournalEvent::FaultFired(FaultFired {
                at: Time::from(at),
                id: None,
                fault: fault.name,
                harm: fault.harm,
                command: None,
                why: String::new(),
            })))
        }
        _ => Ok(None),
    }
}

fn payload(entry: &Entry) -> Result<Vec<u8>, JournalProblem> {
    let digits = entry.payload.as_deref().unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|_| pair.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    bytes.ok_or(JournalProblem::NotHex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<JudgeInput, String> {
        read(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn readings_keep_their_place_between_entries() {
        let text = "{\"kind\":\"start\",\"journal\":1}\n\
            {\"at\":0.5,\"kind\":\"frame\",\"direction\":\"to-device\",\"payload\":\"3e\"}\n\
            {\"fields\":{}}\n\
            {\"at\":1.0,\"kind\":\"frame\",\"direction\":\"to-tool\",\"payload\":\"3e54\"}\n\
            {\"at\":1.5,\"kind\":\"fault\",\"name\":\"duplicate\"}\n\
            no JSON\n\
            {\"at\":2.0,\"kind\":\"closed\"}\n";
        let told = told(text).unwrap();
        let places: Vec<usize> = told.lines.iter().map(|line| line.after).collect();
        assert_eq!(places, [1, 3]);
        assert_eq!(told.lines[1].at, Duration::from_millis(1500));
        assert_eq!(told.journal.len(), 3);
        assert_eq!(told.journal[0].event, JournalEvent::Request(vec![62]));
    }

    #[test]
    fn what_is_not_whole_is_told_with_its_line() {
        for (line, why) in [
            (r#"{"kind":"start","journal":2}"#, "version 2, but"),
            (r#"{"kind":"frame","payload":"3e"}"#, "without a direction"),
            (
                r#"{"kind":"frame","direction":"to-tool","payload":"3"}"#,
                "not hex",
            ),
            (r#"{"kind":"fault","name":"gremlin"}"#, "unknown"),
            (r#"{"kind":"closed","at":-1}"#, "not a time"),
        ] {
            let error = told(&format!("{{}}\n{line}\n")).unwrap_err();
            assert!(
                error.starts_with("line 2: ") && error.contains(why),
                "{error}"
            );
        }
    }
}
