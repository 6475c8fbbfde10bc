//! A line that a client printed, read: a reading, the word that it cannot do the task, or what is wrong with it.

use std::{fmt, time::Duration};

use serde_json::{Map, Value};
use veschub_wire::CommandId;

use super::{output::Line, schema};

/// How much of a line is shown.
const SHOWN: usize = 160;

/// What a client says that it understood of a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The line that says so, counted from 1.
    pub line: usize,
    /// When the line came, since the start of the run.
    pub at: Duration,
    /// How many journal entries there were before.
    pub after: usize,
    /// The reply's command, if the client names it.
    pub command: Option<CommandId>,
    /// The CAN id of the device that was asked through another, if the client names it.
    pub can_id: Option<u8>,
    /// What the client says of each field; null, which says nothing, is left out.
    pub fields: Map<String, Value>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Something was read.
    Reading(Reading),
    /// The task cannot be done.
    Unsupported(String),
    /// Nothing: an empty line.
    Nothing,
}

/// A line that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Which line, counted from 1.
    pub number: usize,
    /// Its start.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
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
pub fn read(line: &Line) -> Result<Said, BadLine> {
    said(line).map_err(|why| BadLine {
        number: line.number,
        text: excerpt(&line.text),
        why,
    })
}

fn said(line: &Line) -> Result<Said, String> {
    if line.cut {
        return Err(format!("longer than {} bytes", super::output::MAX_LINE));
    }
    if line.text.trim_ascii().is_empty() {
        return Ok(Said::Nothing);
    }
    let value: Value = serde_json::from_slice(&line.text).map_err(|error| {
        format!("no JSON ({error}); only readings belong on stdout, all else on stderr")
    })?;
    let Value::Object(mut keys) = value else {
        return Err("no JSON object".to_owned());
    };
    keys.retain(|_, value| !value.is_null());
    if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let advice = if schema::commands().any(|command| schema::has_name(command, unknown)) {
            "it belongs in `fields`".to_owned()
        } else {
            format!("there are {}", KEYS.join(", "))
        };
        return Err(format!("unknown key `{unknown}`; {advice}"));
    }
    if let Some(task) = keys.get("unsupported") {
        let task = task
            .as_str()
            .ok_or("`unsupported` wants the name of a task as text")?;
        return Ok(Said::Unsupported(task.to_owned()));
    }
    let command = keys.get("command").map(command).transpose()?;
    let can_id = keys.get("can_id").map(can_id).transpose()?;
    let mut fields = match keys.remove("fields") {
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err("`fields` wants an object".to_owned()),
        None => Map::new(),
    };
    fields.retain(|_, value| !value.is_null());
    for name in fields.keys() {
        check_name(command, name)?;
    }
    Ok(Said::Reading(Reading {
        line: line.number,
        at: line.at,
        after: line.after,
        command,
        can_id,
        fields,
    }))
}

const KEYS: [&str; 5] = ["command", "fields", "can_id", "at", "unsupported"];

fn command(value: &Value) -> Result<CommandId, String> {
    let word = match value {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    word.parse().map_err(|error| format!("`command`: {error}"))
}

fn can_id(value: &Value) -> Result<u8, String> {
    let id = value.as_u64().and_then(|id| u8::try_from(id).ok());
    id.ok_or_else(|| format!("`can_id` wants a number from 0 to 255, not {value}"))
}

/// Whether a field can be of this command, or of any that is known, if the client does not say of which.
fn check_name(command: Option<CommandId>, name: &str) -> Result<(), String> {
    let known: Vec<CommandId> = match command {
        // Of other commands the replies themselves say what they have.
        Some(command) if !schema::commands().any(|known| known == command) => {
            return Ok(());
        }
        Some(command) => vec![command],
        None => schema::commands().collect(),
    };
    if known.iter().any(|command| schema::has_name(*command, name)) {
        return Ok(());
    }
    let names = known.into_iter().filter_map(schema::names).flatten();
    let close = names
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, known)| distance * 3 <= known.len().max(name.len()))
        .min();
    let advice = match close {
        Some((_, close)) => format!("did you mean `{close}`?"),
        None => "`veschub-harness schema reading` tells the names".to_owned(),
    };
    let of = command
        .map(|command| format!(" of {command}"))
        .unwrap_or_default();
    Err(format!("unknown field `{name}`{of}; {advice}"))
}

/// The start of a line, fit for a terminal.
fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    let clean = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let mut shown: String = text.chars().take(SHOWN).map(clean).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
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
            Ok(Said::Reading(reading)) => reading,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_reading_may_leave_out_everything() {
        assert_eq!(reading("{}").command, None);
        let one = reading(r#"{"command": 96, "fields": {"current_a": -1.5, "status": null}}"#);
        assert_eq!(one.command, Some(CommandId::BMS_GET_VALUES));
        assert_eq!(one.fields.len(), 1);
    }

    #[test]
    fn what_read_prints_is_a_reading() {
        let text = r#"{"at":0.1,"command":"FW_VERSION","can_id":84,"fields":{"firmware":"6.05","paired":false}}"#;
        assert_eq!(reading(text).can_id, Some(84));
    }

    #[test]
    fn an_empty_line_and_an_unsupported_task_are_no_readings() {
        assert_eq!(read(&line("  \r")), Ok(Said::Nothing));
        let said = read(&line(r#"{"unsupported": "scan-can"}"#));
        assert_eq!(said, Ok(Said::Unsupported("scan-can".to_owned())));
    }

    #[test]
    fn a_bad_line_is_told_with_its_number_and_what_to_do() {
        for (text, told) in [
            (
                "connected!",
                "line 7: no JSON (expected value at line 1 column 1); only readings",
            ),
            ("[1]", "no JSON object"),
            (
                r#"{"total_voltage_v": 83}"#,
                "unknown key `total_voltage_v`; it belongs in `fields`",
            ),
            (r#"{"cmd": 96}"#, "there are command, fields"),
            (
                r#"{"fields": {"total_voltage": 83}}"#,
                "did you mean `total_voltage_v`?",
            ),
            (
                r#"{"command": "PING_CAN", "fields": {"current_a": 1}}"#,
                "of PING_CAN; `veschub-harness schema",
            ),
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
