//! Reads a line that a client printed: a reading, a message that the client cannot do the task, or a mistake.
//!
//! A mistake costs as little as possible. A line that is no JSON is lost, and the other lines are read. A number that is
//! none (`NaN`) and a name that no field has cost their field, and the other fields of the line are compared.

use std::{fmt, time::Duration};

use serde_json::{Map, Value};
use veschub_transcript::foreign;
use veschub_wire::{CommandId, command::UnknownCommand};

use super::schema;
use crate::outside::output::{Line, MAX_LINE};

/// How much of a line is shown.
const SHOWN: usize = 160;

/// What a client understood of a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The number of the line, counted from 1.
    pub line: usize,
    /// When the line came, since the start of the run.
    pub at: Duration,
    /// How many journal entries there were before the line.
    pub after: usize,
    /// The reply's command, if the client names it.
    pub command: Option<CommandId>,
    /// The CAN id of the device that was asked through another, if the client names it.
    pub can_id: Option<u8>,
    /// The value of each field, with the client's own names, of which some may be wrong. Null means that the client
    /// does not show the field. `NaN`, `Infinity` and `-Infinity`, which are no JSON, stand here as text.
    pub fields: Map<String, Value>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsedLine {
    /// Something was read.
    Reading(Reading),
    /// The task cannot be done.
    Unsupported(String),
    /// Nothing: an empty line.
    Nothing,
}

/// A line that is not a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Which line, counted from 1.
    pub number: usize,
    /// The start of the line.
    pub text: String,
    /// What is wrong with the line.
    pub why: String,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is too long.
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// It is not JSON.
    #[error("not JSON ({0}); print only readings on stdout, and everything else on stderr")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The object has a key that a reading does not have.
    #[error("unknown key `{key}`; {advice}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What to do.
        advice: String,
    },
    /// The command is unknown.
    #[error("`command`: {0}")]
    Command(#[from] UnknownCommand),
    /// A key has a value of the wrong type.
    #[error("`{key}` must be {wanted}, not {found}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What its value must be.
        wanted: &'static str,
        /// Its value.
        found: Value,
    },
    /// It has no value: there is no field, or every field is null.
    #[error(
        "an empty reading: it has no field with a value; print a line only for what your client shows"
    )]
    Empty,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.number, self.why, self.text)
    }
}

/// Reads a line.
///
/// # Errors
/// If it is not JSON, or not what the schema of a reading says.
pub fn read(line: &Line) -> Result<ParsedLine, BadLine> {
    parse(line).map_err(|why| BadLine {
        number: line.number,
        text: excerpt(&line.text),
        why: why.to_string(),
    })
}

fn parse(line: &Line) -> Result<ParsedLine, LineError> {
    if line.cut {
        return Err(LineError::TooLong);
    }
    if line.text.trim_ascii().is_empty() {
        return Ok(ParsedLine::Nothing);
    }
    let Value::Object(mut keys) = json(&line.text)? else {
        return Err(LineError::NotAnObject);
    };
    keys.retain(|_, value| !value.is_null());
    if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let advice = if schema::commands().any(|command| schema::has_name(command, unknown)) {
            "it belongs in `fields`".to_owned()
        } else {
            format!("the keys are {}", KEYS.join(", "))
        };
        let key = unknown.clone();
        return Err(LineError::UnknownKey { key, advice });
    }
    if let Some(task) = keys.get("unsupported") {
        let name = task.as_str();
        let name = name.ok_or_else(|| wrong_type("unsupported", "the name of a task", task))?;
        return Ok(ParsedLine::Unsupported(name.to_owned()));
    }
    let command = keys.get("command").map(command).transpose()?;
    let can_id = keys.get("can_id").map(can_id).transpose()?;
    let fields = match keys.remove("fields") {
        Some(Value::Object(fields)) => fields,
        Some(other) => return Err(wrong_type("fields", "an object", &other)),
        None => Map::new(),
    };
    if fields.values().all(Value::is_null) {
        return Err(LineError::Empty);
    }
    Ok(ParsedLine::Reading(Reading {
        line: line.number,
        at: line.at,
        after: line.after,
        command,
        can_id,
        fields,
    }))
}

const KEYS: [&str; 5] = ["command", "fields", "can_id", "at", "unsupported"];

fn wrong_type(key: &'static str, wanted: &'static str, found: &Value) -> LineError {
    LineError::WrongType {
        key,
        wanted,
        found: found.clone(),
    }
}

fn command(value: &Value) -> Result<CommandId, LineError> {
    let word = match value {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    Ok(word.parse()?)
}

fn can_id(value: &Value) -> Result<u8, LineError> {
    let id = value.as_u64().and_then(|id| u8::try_from(id).ok());
    id.ok_or_else(|| wrong_type("can_id", "a number from 0 to 255", value))
}

/// What JSON has no number for, as Python's `json` and C's `printf` print it; longer words first.
pub(super) const NOT_NUMBERS: [&str; 7] =
    ["-Infinity", "Infinity", "NaN", "-inf", "inf", "-nan", "nan"];

/// Reads JSON, in which a number may be missing: `NaN` and the like are read as text, and cost their field alone.
fn json(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| {
        let quoted = quoted(text);
        // The place in the line is right in the first error only.
        serde_json::from_slice(&quoted).map_err(|_| error)
    })
}

/// The same JSON with quotes around each word that stands for a number that is none.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let (mut in_text, mut at) = (false, 0);
    while let Some(&byte) = text.get(at) {
        let word = NOT_NUMBERS
            .iter()
            .find(|word| !in_text && text[at..].starts_with(word.as_bytes()));
        if let Some(word) = word {
            out.push(b'"');
            out.extend_from_slice(word.as_bytes());
            out.push(b'"');
            at += word.len();
            continue;
        }
        out.push(byte);
        at += 1;
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                out.extend(text.get(at));
                at += 1;
            }
            _ => {}
        }
    }
    out
}

/// The start of a line without control characters, so that a terminal can show it.
fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    foreign::excerpt(&text, SHOWN + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line {
            number: 7,
            at: Duration::ZERO,
            after: 0,
            text: text.as_bytes().to_vec(),
            cut: false,
        }
    }

    fn reading(text: &str) -> Reading {
        match read(&line(text)) {
            Ok(ParsedLine::Reading(reading)) => reading,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_reading_may_leave_out_everything_but_a_value() {
        assert_eq!(reading(r#"{"fields": {"current_a": 1}}"#).command, None);
        let one = reading(r#"{"command": 96, "fields": {"current_a": -1.5, "status": null}}"#);
        assert_eq!(one.command, Some(CommandId::BMS_GET_VALUES));
        assert_eq!(one.fields["status"], Value::Null);
        for empty in [
            "{}",
            r#"{"command": 96, "fields": {}}"#,
            r#"{"command": 96, "fields": {"current_a": null, "total_voltage_v": null}}"#,
        ] {
            let error = read(&line(empty)).unwrap_err().to_string();
            assert!(error.contains("an empty reading"), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_kept_as_a_word_and_the_rest_of_the_line_is_read() {
        let text = r#"{"fields": {"current_a": NaN, "cell_voltages_v": [4.1, -Infinity], "counter_ah":Infinity, "status": "a \"NaN\" in text", "counter_wh": 2.5}}"#;
        let fields = reading(text).fields;
        assert_eq!(fields["current_a"], "NaN");
        assert_eq!(fields["cell_voltages_v"][1], "-Infinity");
        assert_eq!(fields["counter_ah"], "Infinity");
        assert_eq!(fields["status"], "a \"NaN\" in text");
        assert_eq!(fields["counter_wh"], 2.5);
    }

    #[test]
    fn a_line_that_is_broken_elsewhere_too_is_told_with_the_place_in_the_line_as_it_came() {
        let error = read(&line(r#"{"fields": {"current_a": NaN, oops}}"#)).unwrap_err();
        assert!(error.why.contains("column 26"), "{error}");
        let control = read(&line("{\"fields\": {\"status\": \"a\u{1}b\"}}")).unwrap_err();
        assert!(control.why.contains("control character"), "{control}");
    }

    #[test]
    fn what_read_prints_is_a_reading() {
        let text = r#"{"at":0.1,"command":"FW_VERSION","can_id":84,"fields":{"firmware":"6.05","paired":false}}"#;
        assert_eq!(reading(text).can_id, Some(84));
    }

    #[test]
    fn an_empty_line_and_an_unsupported_task_are_no_readings() {
        assert_eq!(read(&line("  \r")), Ok(ParsedLine::Nothing));
        let said = read(&line(r#"{"unsupported": "scan-can"}"#));
        assert_eq!(said, Ok(ParsedLine::Unsupported("scan-can".to_owned())));
    }

    #[test]
    fn a_bad_line_is_told_with_its_number_and_what_to_do() {
        for (text, told) in [
            (
                "connected!",
                "line 7: not JSON (expected value at line 1 column 1); print only readings",
            ),
            ("[1]", "not a JSON object"),
            (
                r#"{"total_voltage_v": 83}"#,
                "unknown key `total_voltage_v`; it belongs in `fields`",
            ),
            (r#"{"cmd": 96}"#, "the keys are command, fields"),
            (r#"{"command": "BMS_VALUES"}"#, "`command`: "),
            (r#"{"can_id": 256}"#, "from 0 to 255, not 256"),
        ] {
            let error = read(&line(text)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_hostile_line_is_shown_short_and_clean() {
        let shown = read(&line(&format!("\x1b[31m{}", "é".repeat(5000)))).unwrap_err();
        assert!(shown.text.chars().count() <= SHOWN + 1 && !shown.text.contains('\x1b'));
    }
}
