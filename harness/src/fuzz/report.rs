//! What a campaign found, in words.

use std::fmt;

use serde::Serialize;
use veschub_wire::{CommandId, Request};

use super::{
    case::{Case, Said, spaced},
    verdict::Kind,
};

/// How many bytes are shown.
const SHOWN: usize = 32;

/// Something that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its name, and that of its files.
    pub name: String,
    /// What the client does.
    pub kind: Kind,
    /// The number of the try; none where nothing was changed.
    #[serde(rename = "try")]
    pub number: Option<u64>,
    /// Whether it happened again with a client of its own.
    pub is_repeated: bool,
    /// What happened, in words.
    pub words: String,
    /// What is unlike the session without changes, in words.
    pub changes: Vec<String>,
    /// How many bytes the device sent when it was found.
    pub bytes_before: usize,
    /// How many bytes it sends now.
    pub bytes: usize,
    /// The scenario that shows it.
    #[serde(skip)]
    pub scenario: String,
    /// The traffic, as a pcapng file.
    #[serde(skip)]
    pub capture: Vec<u8>,
}

/// What came of a campaign.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many tries there were.
    pub tries: u64,
    /// How long they took, seconds.
    pub tried_for_s: f64,
    /// How many sessions were changed.
    pub sessions: usize,
    /// The tasks that the client can do.
    pub can: Vec<&'static str>,
    /// Those that it cannot do, wholly or in part.
    pub cannot: Vec<&'static str>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.tries as f64 / self.tried_for_s.max(0.001);
        writeln!(
            f,
            "{} tries in {:.1} s, {rate:.0} a second: changes of {} sessions, seed {}",
            self.tries, self.tried_for_s, self.sessions, self.seed
        )?;
        if !self.can.is_empty() {
            writeln!(f, "tasks: {}", self.can.join(", "))?;
        }
        if !self.cannot.is_empty() {
            writeln!(f, "your client cannot do: {}", self.cannot.join(", "))?;
        }
        for finding in &self.findings {
            write!(f, "\n{finding}")?;
        }
        match self.findings.len() {
            0 => f.write_str("\nnothing found"),
            count => write!(f, "\n{count} found"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.number {
            Some(number) => format!("try {number}"),
            None => "without any change".to_owned(),
        };
        writeln!(f, "{}: {} ({when})", self.name, self.words)?;
        for change in &self.changes {
            writeln!(f, "  {change}")?;
        }
        if self.number.is_some() && self.bytes < self.bytes_before {
            writeln!(
                f,
                "  made smaller: from {} bytes to {}",
                self.bytes_before, self.bytes
            )?;
        }
        if !self.is_repeated {
            writeln!(
                f,
                "  it did not happen again with a client of its own, so it may depend on earlier sessions or on time"
            )?;
        }
        Ok(())
    }
}

/// What is unlike the session without changes, in words.
pub(super) fn changes(case: &Case, base: &Case) -> Vec<String> {
    let mut told = Vec::new();
    for answer in &case.answers {
        let before = base
            .answers
            .iter()
            .find(|one| one.request == answer.request);
        let request = command(&answer.request);
        if before.is_none_or(|before| before.said != answer.said) {
            let said = match &answer.said[..] {
                [] => "nothing".to_owned(),
                said => said.iter().map(piece).collect::<Vec<_>>().join(", then "),
            };
            told.push(format!("to {request} the device says {said}"));
        }
        if answer.restart {
            told.push(format!(
                "after that answer to {request} the device restarts, and the connection ends"
            ));
        }
    }
    if !case.gap.is_zero() {
        told.push(format!(
            "{} ms pass between two pieces",
            case.gap.as_millis()
        ));
    }
    told
}

fn command(request: &[u8]) -> String {
    match Request::decode(request) {
        Ok(request) => match request.body.reply_id() {
            Some(reply) if reply != request.body.id() => {
                format!("{} of {reply}", request.body.id())
            }
            _ => request.body.id().to_string(),
        },
        Err(_) => request
            .first()
            .map_or_else(|| "any request".to_owned(), |id| CommandId(*id).to_string()),
    }
}

fn piece(said: &Said) -> String {
    let (what, bytes) = match said {
        Said::Payload(payload) => ("the payload", payload),
        Said::Bytes(bytes) => ("the bytes", bytes),
    };
    let rest = if bytes.len() > SHOWN { " ..." } else { "" };
    let shown = spaced(&bytes[..bytes.len().min(SHOWN)]);
    format!("{what} {shown}{rest} ({} in all)", bytes.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::case::{Answer, Job},
        *,
    };

    #[test]
    fn what_is_unlike_before_is_told() {
        let answer = |said| Answer {
            request: vec![96],
            said,
            restart: false,
        };
        let case = |said| Case {
            job: Job::ReadBms,
            answers: vec![answer(said)],
            gap: Duration::ZERO,
        };
        let base = case(vec![Said::Payload(vec![96, 0])]);
        assert_eq!(changes(&base, &base), [""; 0]);
        let other = case(vec![Said::Bytes(vec![2; 40]), Said::Payload(vec![96])]);
        let told = changes(&other, &base);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("to BMS_GET_VALUES the device says the bytes 02 02"),
            "{told:?}"
        );
        assert!(
            told[0].ends_with("02 ... (40 in all), then the payload 60 (1 in all)"),
            "{told:?}"
        );
    }
}
