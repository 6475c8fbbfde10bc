//! What came nearest to an expectation that was not met. Also how often something was asked and answered, and how the
//! connection ended.

use std::time::Duration;

use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::schema::{self, Expectation, Expected};
use veschub_wire::{CommandId, Request, view::Value};

use super::{
    compare::Understood,
    facts::{Arrived, Facts},
    values::{self, Found},
};

/// How many candidates are shown.
const CANDIDATES: usize = 3;

/// Something that happened and is close to what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// When it happened.
    pub at: Duration,
    /// What it is: `request`, `reply`, `entry`.
    pub what: &'static str,
    /// What was wanted and what was found, field by field.
    pub fields: Vec<CandidateField>,
}

/// A field of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateField {
    /// Its name.
    pub field: String,
    /// What was wanted.
    pub wanted: String,
    /// What was found.
    pub found: String,
    /// Whether that is good enough.
    pub fits: bool,
}

/// What is known about an expectation that was not met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nearest {
    /// What came nearest, at most three, the nearest first.
    pub candidates: Vec<Candidate>,
    /// How often something was asked and answered, and how the connection ended.
    pub circumstances: Vec<String>,
}

impl CandidateField {
    fn new(field: &str, wanted: impl ToString, found: impl ToString) -> Self {
        let (wanted, found) = (wanted.to_string(), found.to_string());
        Self {
            field: field.to_owned(),
            fits: wanted == found,
            wanted,
            found,
        }
    }
}

/// What came nearest to an expectation.
pub(super) fn nearest(
    expectation: &Expectation,
    facts: &Facts<'_>,
    readings: Option<&[Understood]>,
) -> Nearest {
    let look = Look { facts, readings };
    let (candidates, command) = match expectation {
        Expectation::Value(value) => (look.values(value), Some(value.of.0)),
        Expectation::Trend(trend) => (look.trend(trend), Some(trend.of.0)),
        Expectation::Requests(wanted) => (look.order(wanted), None),
        Expectation::RequestCount(count) | Expectation::Unanswered(count) => {
            (look.requests(count.of.0), Some(count.of.0))
        }
        Expectation::ReplyTo(name) | Expectation::NoReplyTo(name) => {
            (look.requests(name.0), Some(name.0))
        }
        Expectation::ReplyLength(length) => (look.lengths(length), Some(length.of.0)),
        Expectation::Fired(fired) => (look.fired(fired), None),
        Expectation::Journal(text) => (look.entries(text), None),
        Expectation::Within(_) => (look.gaps(), None),
        Expectation::ReplyOrder(_) | Expectation::LoginRefused | Expectation::SameAsRecording => {
            (Vec::new(), None)
        }
    };
    Nearest {
        candidates,
        circumstances: look.circumstances(command),
    }
}

struct Look<'a> {
    facts: &'a Facts<'a>,
    readings: Option<&'a [Understood]>,
}

impl Look<'_> {
    /// The requests that reached the device, each with its command, or with the command inside FORWARD_CAN.
    fn asked(&self) -> Vec<(Duration, CommandId, Option<u8>)> {
        let told = |(at, request): (Duration, Request)| {
            let (command, can_id) = match &request {
                Request::ForwardCan { can_id, .. } => (request.reply_id(), Some(*can_id)),
                request => (Some(request.id()), None),
            };
            (at, command.unwrap_or(CommandId::FORWARD_CAN), can_id)
        };
        self.facts.requests().map(told).collect()
    }

    fn requests(&self, wanted: CommandId) -> Vec<Candidate> {
        let mut asked = self.asked();
        let distance = |command: CommandId| {
            if command == wanted {
                return 0;
            }
            strsim::damerau_levenshtein(&command.to_string(), &wanted.to_string())
        };
        asked.sort_by_key(|(_, command, _)| distance(*command));
        let candidate = |(at, command, can_id): (Duration, CommandId, Option<u8>)| {
            let mut fields = vec![CandidateField::new("command", wanted, command)];
            fields.extend(can_id.map(|id| CandidateField::new("through CAN id", "none", id)));
            Candidate {
                at,
                what: "request",
                fields,
            }
        };
        asked.into_iter().take(CANDIDATES).map(candidate).collect()
    }

    /// The requests, starting with the first one that is not the wanted one.
    fn order(&self, wanted: &[schema::CommandName]) -> Vec<Candidate> {
        let seen: Vec<_> = self.facts.commands().collect();
        let same = seen
            .iter()
            .zip(wanted)
            .take_while(|((_, seen), wanted)| *seen == wanted.0)
            .count();
        let rest = seen.iter().enumerate().skip(same).take(CANDIDATES);
        rest.map(|(index, (at, command))| {
            let wanted = wanted
                .get(index)
                .map_or_else(|| "none".to_owned(), |wanted| wanted.0.to_string());
            let field = format!("request {}", index + 1);
            Candidate {
                at: *at,
                what: "request",
                fields: vec![CandidateField::new(&field, wanted, command)],
            }
        })
        .collect()
    }

    fn values(&self, value: &schema::Value) -> Vec<Candidate> {
        let field = match value.item {
            Some(item) => format!("{}[{item}]", value.field),
            None => value.field.clone(),
        };
        let wanted = values::wanted(value);
        let mut found: Vec<(f64, Candidate)> = Vec::new();
        for (at, one) in values::values(self.facts, self.readings, value.of.0, &value.field) {
            let one = match one {
                Found::Value(one) => Some(one),
                Found::NotThere(_) => None,
            };
            let there = match (value.item, one) {
                (Some(item), Some(Value::List(items))) => items.get(item).cloned(),
                (Some(_), _) => None,
                (None, one) => one,
            };
            let shown = match (&there, value.length) {
                (None, _) => "not there".to_owned(),
                (Some(Value::List(items)), Some(_)) => format!("{} elements", items.len()),
                (Some(found), _) => found.to_string(),
            };
            let distance = match (&value.is, there.as_ref().and_then(values::as_number)) {
                (Some(Expected::Number(wanted)), Some(found)) => (found - wanted).abs(),
                _ => f64::from(u8::from(shown != wanted)),
            };
            let mut field = CandidateField::new(&field, &wanted, shown);
            field.fits |= distance <= value.within;
            let command = CandidateField::new("command", value.of.0, value.of.0);
            let candidate = Candidate {
                at,
                what: self.what(),
                fields: vec![command, field],
            };
            found.push((distance, candidate));
        }
        found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        found
            .into_iter()
            .take(CANDIDATES)
            .map(|(_, candidate)| candidate)
            .collect()
    }

    fn trend(&self, trend: &schema::Trend) -> Vec<Candidate> {
        let (way, by) = match (trend.falls_by, trend.rises_by) {
            (Some(by), _) => ("falls by", by),
            (None, by) => ("rises by", by.unwrap_or_default()),
        };
        let all: Vec<(Duration, Found)> =
            values::values(self.facts, self.readings, trend.of.0, &trend.field).collect();
        let last = all.last().filter(|_| all.len() > 1);
        let candidate = |(at, one): &(Duration, Found)| {
            let found = match one {
                Found::Value(value) => value.to_string(),
                Found::NotThere(_) => "not there".to_owned(),
            };
            Candidate {
                at: *at,
                what: self.what(),
                fields: vec![CandidateField::new(
                    &trend.field,
                    format!("{way} {by}"),
                    found,
                )],
            }
        };
        all.first().into_iter().chain(last).map(candidate).collect()
    }

    /// What a value is looked for in.
    fn what(&self) -> &'static str {
        match self.readings {
            Some(_) => "reading",
            None => "reply",
        }
    }

    fn lengths(&self, length: &schema::ReplyLength) -> Vec<Candidate> {
        let mut replies: Vec<&Arrived> = self.facts.replies(length.of.0).collect();
        replies.sort_by_key(|reply| reply.payload.len().abs_diff(length.is));
        let candidate = |reply: &Arrived| Candidate {
            at: reply.at,
            what: "reply",
            fields: vec![CandidateField::new("bytes", length.is, reply.payload.len())],
        };
        replies
            .into_iter()
            .take(CANDIDATES)
            .map(candidate)
            .collect()
    }

    fn fired(&self, fired: &schema::Fired) -> Vec<Candidate> {
        let (field, wanted) = match (&fired.quirk, &fired.fault) {
            (Some(quirk), _) => ("quirk", quirk.as_str()),
            (None, fault) => ("fault", fault.as_deref().unwrap_or_default()),
        };
        let mut found: Vec<_> = self
            .facts
            .events(|what| match what {
                JournalEvent::QuirkFired { quirk, why, .. } => Some((*quirk, why)),
                JournalEvent::FaultFired(fired) => Some((fired.fault, &fired.why)),
                _ => None,
            })
            .collect();
        found.sort_by_key(|(_, (name, _))| strsim::damerau_levenshtein(name, wanted));
        let candidate = |(at, (name, why)): (Duration, (&str, &String))| Candidate {
            at,
            what: "entry",
            fields: vec![
                CandidateField::new(field, wanted, name),
                CandidateField::new("because", why, why),
            ],
        };
        found.into_iter().take(CANDIDATES).map(candidate).collect()
    }

    fn entries(&self, wanted: &str) -> Vec<Candidate> {
        let mut texts: Vec<(Duration, String)> =
            self.facts.events(|what| Some(what.to_string())).collect();
        texts.sort_by(|(_, a), (_, b)| likeness(b, wanted).total_cmp(&likeness(a, wanted)));
        let candidate = |(at, text): (Duration, String)| Candidate {
            at,
            what: "entry",
            fields: vec![CandidateField::new("text", wanted, text)],
        };
        texts.into_iter().take(CANDIDATES).map(candidate).collect()
    }

    /// The longest times in which nothing happened.
    fn gaps(&self) -> Vec<Candidate> {
        let mut gaps: Vec<(Duration, &JournalEntry)> = Vec::new();
        for pair in self.facts.journal.windows(2) {
            if let [before, after] = pair {
                gaps.push((after.at - before.at, after));
            }
        }
        gaps.sort_by_key(|(gap, _)| std::cmp::Reverse(*gap));
        let candidate = |(gap, entry): (Duration, &JournalEntry)| {
            let found = format!("{:.3} s before: {}", gap.as_secs_f64(), entry.event);
            Candidate {
                at: entry.at.since_start(),
                what: "entry",
                fields: vec![CandidateField::new("waited", "less", found)],
            }
        };
        gaps.into_iter().take(CANDIDATES).map(candidate).collect()
    }

    fn circumstances(&self, command: Option<CommandId>) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(command) = command {
            let asked = self
                .asked()
                .iter()
                .filter(|(_, asked, _)| *asked == command)
                .count();
            let answered = self.facts.replies(command).count();
            told.push(format!(
                "{command} was asked {} and answered {}",
                times(asked),
                times(answered)
            ));
        }
        let ended = self.facts.events(|what| match what {
            JournalEvent::Closed(_) => Some(what.to_string()),
            _ => None,
        });
        if let Some((at, how)) = ended.last() {
            told.push(format!(
                "the connection ended at {:.3} s: {how}",
                at.as_secs_f64()
            ));
        }
        told
    }
}

/// How similar a text is to the wanted one, by common words and by characters.
fn likeness(text: &str, wanted: &str) -> f64 {
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let there = words.iter().filter(|word| text.contains(**word)).count();
    there as f64 / words.len().max(1) as f64 + strsim::normalized_damerau_levenshtein(text, wanted)
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
