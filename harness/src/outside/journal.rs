//! A journal as `veschub-sim serve --journal` writes it, read back, with readings of a client in between.

use std::{io::BufRead, time::Duration};

use serde::Deserialize;
use veschub_hub::{
    fault::{FaultFired, catalogue},
    journal::{JournalEntry, JournalEvent, json::VERSION},
    time::Time,
};

use super::output::{Line, MAX_LINE};

/// What happened, and what a client said meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Requests, replies and faults; nothing else bears on a reading.
    pub journal: Vec<JournalEntry>,
    /// The client's lines, each with its place in the journal.
    pub lines: Vec<Line>,
}

/// What is read of a journal's line.
#[derive(Deserialize)]
struct Entry {
    kind: Option<String>,
    journal: Option<u32>,
    at: Option<f64>,
    direction: Option<String>,
    payload: Option<String>,
    name: Option<String>,
}

/// Reads lines up to the end: those with a `kind` are the journal's, all others the client's.
///
/// # Errors
/// If the input cannot be read, is of another version, or has an entry that is not whole: in words, with the line.
pub fn read(input: impl BufRead) -> Result<Told, String> {
    let mut told = Told::default();
    let mut at = Duration::ZERO;
    for (index, line) in input.split(b'\n').enumerate() {
        let failed = |why: String| format!("line {}: {why}", index + 1);
        let mut text = line.map_err(|error| failed(format!("cannot be read: {error}")))?;
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
            return Err(failed(format!(
                "a journal of version {version}, not {VERSION}: take both programs from one release"
            )));
        }
        if let Some(seconds) = entry.at {
            at = Duration::try_from_secs_f64(seconds)
                .map_err(|error| failed(format!("`at` is no time: {error}")))?;
        }
        if let Some(what) = happening(&kind, &entry, at).map_err(failed)? {
            told.journal.push(JournalEntry {
                at: Time::from(at),
                conn: None,
                device: None,
                what,
            });
        }
    }
    Ok(told)
}

fn happening(kind: &str, entry: &Entry, at: Duration) -> Result<Option<JournalEvent>, String> {
    match (kind, entry.direction.as_deref()) {
        ("frame", Some("to-device")) => Ok(Some(JournalEvent::Request(payload(entry)?))),
        ("frame", Some("to-tool")) => Ok(Some(JournalEvent::Reply {
            payload: payload(entry)?,
            truth: None,
        })),
        ("frame", _) => Err("a frame without a direction".to_owned()),
        ("fault", _) => {
            let mut known = catalogue().iter();
            let fault = known.find(|info| Some(info.name) == entry.name.as_deref());
            let fault = fault.ok_or("a fault that is not known")?;
            Ok(Some(JournalEvent::FaultFired(FaultFired {
                at: Time::from(at),
                fault: fault.name,
                harm: fault.harm,
                command: None,
                why: String::new(),
            })))
        }
        _ => Ok(None),
    }
}

fn payload(entry: &Entry) -> Result<Vec<u8>, String> {
    let digits = entry.payload.as_deref().unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|_| pair.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    bytes.ok_or_else(|| "a payload that is not hex".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Told, String> {
        read(text.as_bytes())
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
        assert_eq!(told.journal[0].what, JournalEvent::Request(vec![62]));
    }

    #[test]
    fn what_is_not_whole_is_told_with_its_line() {
        for (line, why) in [
            (r#"{"kind":"start","journal":2}"#, "version 2, not 1"),
            (r#"{"kind":"frame","payload":"3e"}"#, "without a direction"),
            (
                r#"{"kind":"frame","direction":"to-tool","payload":"3"}"#,
                "not hex",
            ),
            (r#"{"kind":"fault","name":"gremlin"}"#, "not known"),
            (r#"{"kind":"closed","at":-1}"#, "no time"),
        ] {
            let error = told(&format!("{{}}\n{line}\n")).unwrap_err();
            assert!(
                error.starts_with("line 2: ") && error.contains(why),
                "{error}"
            );
        }
    }
}
