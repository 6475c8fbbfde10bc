//! What a scenario expects, held against what happened.
//!
//! What the hub can see is judged by the journal. `value` and `trend` are about what the client understood, so they are
//! judged by its readings; a client that never reads the value has not shown that it can.

use std::time::Duration;

use veschub_hub::journal::JournalEvent;
use veschub_scenario::{
    Scenario, Target,
    schema::{self, Client, Expectation, Expected},
};
use veschub_wire::{CommandId, view::Value};

use super::{
    Difference,
    compare::Understood,
    facts::Facts,
    nearest,
    values::{Found, as_number, read_in, values, wanted},
};

/// How much longer than it should a session may take by the real clock, as a busy machine takes a part of it.
const BUSY: Duration = Duration::from_secs(2);

/// What became of the expectations of a scenario.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// What is wrong with what the client sent.
    pub(super) sent: Vec<Difference>,
    /// What is wrong with what it understood.
    pub(super) understood: Vec<Difference>,
    /// Why requests were not answered, and what could not be judged.
    pub(super) notes: Vec<String>,
    /// Why the client does not show what the scenario is about.
    pub(super) unjudged: Option<String>,
}

/// Checks all expectations. Without `readings`, a `value` or `trend` is judged by the replies that reached the client,
/// whatever it made of them.
pub(super) fn check(
    scenario: &Scenario,
    target: Option<&Target>,
    facts: &Facts<'_>,
    readings: Option<&[Understood]>,
) -> Met {
    let mut check = Check {
        facts,
        scenario,
        target,
        readings,
        met: Met {
            notes: facts.notes(),
            ..Met::default()
        },
    };
    for expectation in &scenario.expect {
        check.one(expectation);
    }
    check.met
}

struct Check<'a> {
    facts: &'a Facts<'a>,
    scenario: &'a Scenario,
    target: Option<&'a Target>,
    readings: Option<&'a [Understood]>,
    met: Met,
}

impl<'a> Check<'a> {
    fn one(&mut self, expectation: &Expectation) {
        let is_about_readings =
            matches!(expectation, Expectation::Value(_) | Expectation::Trend(_));
        let wrong = match expectation {
            Expectation::Value(value) => self.value(value),
            Expectation::Trend(trend) => self.trend(trend),
            other => self.session(other),
        };
        let Some(mut wrong) = wrong else {
            return;
        };
        wrong.nearest = nearest::nearest(expectation, self.facts, self.readings);
        if is_about_readings && self.readings.is_some() {
            self.met.understood.push(wrong);
        } else {
            self.met.sent.push(wrong);
        }
    }

    /// What the hub can see.
    fn session(&mut self, expectation: &Expectation) -> Option<Difference> {
        match expectation {
            Expectation::Value(_) | Expectation::Trend(_) => None,
            Expectation::Requests(wanted) => {
                let wanted: Vec<CommandId> = wanted.iter().map(|name| name.0).collect();
                let seen: Vec<CommandId> = self.facts.commands().map(|(_, id)| id).collect();
                let why = "the client sent other requests, or in another order";
                (seen != wanted)
                    .then(|| Difference::new("requests", names(&wanted), names(&seen), why))
            }
            Expectation::RequestCount(count) => {
                let seen = self.facts.commands().filter(|(_, id)| *id == count.of.0);
                count_differs("request-count", count, seen.count())
            }
            Expectation::Unanswered(count) => {
                if self.facts.is_order_unknown {
                    self.only_the_client_knows(format!("unanswered {}", count.of.0));
                    return None;
                }
                let in_vain = self.facts.unanswered.iter();
                let seen = in_vain.filter(|request| request.reply_id() == Some(count.of.0));
                count_differs("unanswered", count, seen.count())
            }
            Expectation::ReplyOrder(wanted) => {
                if self.facts.is_order_unknown {
                    self.only_the_client_knows("reply-order".to_owned());
                    return None;
                }
                self.reply_order(wanted)
            }
            Expectation::ReplyLength(length) => self.reply_length(length),
            Expectation::ReplyTo(name) => {
                let why = || self.facts.why_unanswered(name.0).unwrap_or_default();
                let is_there = self.facts.replies(name.0).next().is_some();
                (!is_there).then(|| {
                    Difference::new(format!("reply-to {}", name.0), "a reply", "none", why())
                })
            }
            Expectation::NoReplyTo(name) => self.no_reply(name.0),
            Expectation::Within(limit) => {
                let limit = Duration::from_nanos(limit.0);
                let allowed = match self.facts.is_real_time {
                    true => limit + BUSY,
                    false => limit,
                };
                (self.facts.took > allowed).then(|| {
                    let (limit, took) = (format!("{limit:?}"), format!("{:?}", self.facts.took));
                    Difference::new("within", limit, took, "the client took longer")
                })
            }
            Expectation::Fired(fired) => self.fired(fired),
            Expectation::Journal(text) => {
                let mut entries = self.facts.journal.iter();
                let is_there = entries.any(|entry| entry.to_string().contains(text.as_str()));
                let why = "no entry of the journal contains this text";
                (!is_there)
                    .then(|| Difference::new("journal", format!("{text:?}"), "no such entry", why))
            }
            Expectation::LoginRefused => (!self.facts.refused).then(|| {
                let why = "the hub accepted the login";
                Difference::new("login-refused", "refused", "accepted", why)
            }),
            Expectation::SameAsRecording => self.recording(),
        }
    }

    fn only_the_client_knows(&mut self, what: String) {
        self.met.notes.push(format!(
            "{what} is not judged: after such a fault, only the client knows when each reply came"
        ));
    }

    fn reply_order(&self, wanted: &[schema::CommandName]) -> Option<Difference> {
        let wanted: Vec<CommandId> = wanted.iter().map(|name| name.0).collect();
        let seen: Vec<CommandId> = self
            .facts
            .received
            .iter()
            .map(super::facts::Arrived::command)
            .collect();
        let mut left = wanted.iter().peekable();
        for id in &seen {
            left.next_if(|wanted| *wanted == id);
        }
        left.peek()?;
        let why = "the client received the replies in another order";
        Some(Difference::new(
            "reply-order",
            names(&wanted),
            names(&seen),
            why,
        ))
    }

    fn reply_length(&self, length: &schema::ReplyLength) -> Option<Difference> {
        let id = length.of.0;
        let replies = self.facts.replies(id);
        let lengths: Vec<usize> = replies.map(|reply| reply.payload.len()).collect();
        let wrong = lengths.is_empty() || lengths.iter().any(|&seen| seen != length.is);
        wrong.then(|| {
            let wanted = format!("{} bytes", length.is);
            Difference::new(
                format!("reply-length {id}"),
                wanted,
                format!("{lengths:?}"),
                "",
            )
        })
    }

    fn no_reply(&self, id: CommandId) -> Option<Difference> {
        let field = format!("no-reply-to {id}");
        if !self.facts.was_asked(id) {
            let why = "the client never sent the request";
            Some(Difference::new(field, "asked", "not asked", why))
        } else if self.facts.replies(id).next().is_some() {
            Some(Difference::new(
                field,
                "no reply",
                "a reply",
                "the device answered",
            ))
        } else {
            None
        }
    }

    fn fired(&self, fired: &schema::Fired) -> Option<Difference> {
        let did = |what: &JournalEvent| {
            let did = match what {
                JournalEvent::QuirkFired { quirk, .. } => fired.quirk.as_deref() == Some(*quirk),
                JournalEvent::FaultFired(harm) => fired.fault.as_deref() == Some(harm.fault),
                _ => false,
            };
            did.then_some(())
        };
        let count = self.facts.events(did).count();
        let least = fired
            .at_least
            .unwrap_or_else(|| usize::from(fired.at_most.is_none()));
        let most = fired.at_most.unwrap_or(usize::MAX);
        if (least..=most).contains(&count) {
            return None;
        }
        let name = fired.quirk.as_ref().or(fired.fault.as_ref());
        let field = format!("fired {}", name.map_or("", String::as_str));
        let wanted = between(fired.at_least, fired.at_most);
        let why = match count {
            0 => "nothing happened that triggers it",
            _ => "",
        };
        Some(Difference::new(
            field,
            wanted,
            format!("{count} times"),
            why,
        ))
    }

    fn recording(&self) -> Option<Difference> {
        let Some(recording) = self.target.and_then(|target| target.recording.as_ref()) else {
            return Some(Difference::new(
                "same-as-recording",
                "a recording",
                "none",
                "",
            ));
        };
        let received = || self.facts.received.iter().map(|received| &received.payload);
        if received().eq(&recording.replies) {
            return None;
        }
        let pairs = received().zip(&recording.replies);
        let same = pairs
            .take_while(|(seen, recorded)| seen == recorded)
            .count();
        let wanted = format!("{} replies", recording.replies.len());
        let seen = format!("{} replies", self.facts.received.len());
        let why = format!("only the first {same} replies are the same, byte for byte");
        Some(Difference::new("same-as-recording", wanted, seen, why))
    }

    fn value(&mut self, value: &schema::Value) -> Option<Difference> {
        let field = match value.item {
            Some(item) => format!("{}.{}[{item}]", value.of.0, value.field),
            None => format!("{}.{}", value.of.0, value.field),
        };
        let wanted = wanted(value);
        let Some(found) = self.values(value.of.0, &value.field).pop() else {
            return self.never_read(field, wanted, value.of.0);
        };
        let found = match found {
            Found::Value(found) => found,
            Found::NotThere(known) if self.is_shown(value.of.0, &value.field) => {
                let why = format!("the reply has only {}", known.join(", "));
                return Some(Difference::new(field, wanted, "not there", why));
            }
            Found::NotThere(_) => {
                self.not_shown(&field);
                return None;
            }
        };
        let found = match (value.item, found) {
            (Some(item), Value::List(items)) => items.get(item).cloned(),
            (Some(_), _) => None,
            (None, found) => Some(found),
        };
        let why = "the scenario expects a different value";
        let Some(found) = found else {
            return Some(Difference::new(field, wanted, "not there", why));
        };
        let slack = self.drift(value, &found);
        (!holds(value, &found, slack))
            .then(|| Difference::new(field, wanted, found.to_string(), why))
    }

    /// How far off a value may be because of when it was read: in virtual time not at all; by the real clock as far as
    /// it changed since the reply before, as a client may ask a little earlier or later than the scenario was written
    /// for. A value that stands still must be exact.
    fn drift(&self, value: &schema::Value, last: &Value) -> f64 {
        let number = |found: &Found| match (found, value.item) {
            (Found::Value(Value::List(items)), Some(item)) => items.get(item).and_then(as_number),
            (Found::Value(found), _) => as_number(found),
            (Found::NotThere(_), _) => None,
        };
        let values = self.values(value.of.0, &value.field);
        let values: Vec<f64> = values.iter().filter_map(number).collect();
        match (as_number(last), values.len().checked_sub(2)) {
            (Some(last), Some(before)) if self.facts.is_real_time => values
                .get(before)
                .map_or(0.0, |before| (last - before).abs()),
            _ => 0.0,
        }
    }

    fn trend(&mut self, trend: &schema::Trend) -> Option<Difference> {
        let field = format!("{}.{}", trend.of.0, trend.field);
        let found = self.values(trend.of.0, &trend.field);
        if found.is_empty() {
            return self.never_read(field, "a trend".to_owned(), trend.of.0);
        }
        let values: Vec<f64> = found
            .iter()
            .filter_map(|found| match found {
                Found::Value(value) => as_number(value),
                Found::NotThere(_) => None,
            })
            .collect();
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            if self.is_shown(trend.of.0, &trend.field) {
                let why = "no reply has the field as a number";
                return Some(Difference::new(field, "a trend", "no values", why));
            }
            self.not_shown(&field);
            return None;
        };
        let fall = first - last;
        // See `drift`: here both ends may lie a little earlier or later.
        let slack = match (self.facts.is_real_time, &values[..]) {
            (true, [first, second, .., before, last]) => {
                (second - first).abs() + (last - before).abs()
            }
            _ => 0.0,
        };
        let far_enough = |moved: f64, by: f64| moved >= by || (moved > 0.0 && moved + slack >= by);
        let (wanted, holds) = match (trend.falls_by, trend.rises_by) {
            (Some(by), _) => (format!("falls by {by}"), far_enough(fall, by)),
            (_, by) => {
                let by = by.unwrap_or_default();
                (format!("rises by {by}"), far_enough(-fall, by))
            }
        };
        let why = "the value moved the other way, or not far enough";
        (!holds).then(|| Difference::new(field, wanted, format!("{first} to {last}"), why))
    }

    fn values(&self, of: CommandId, field: &str) -> Vec<Found> {
        let found = values(self.facts, self.readings, of, field);
        found.map(|(_, found)| found).collect()
    }

    /// Whether the client reads the field in one of the replies; true where they do not have it at all, by themselves or
    /// by a description of what they hold.
    fn is_shown(&self, of: CommandId, field: &str) -> bool {
        let Some(readings) = self.readings else {
            return true;
        };
        let mut about = readings
            .iter()
            .filter(|reading| reading.command == Some(of));
        let mut replies = self.facts.replies(of);
        let sent = replies.any(|reply| reply.fields().get(field).is_some())
            || self.scenario.describes(of, field);
        !sent || about.any(|reading| matches!(read_in(reading, field), Found::Value(_)))
    }

    fn not_shown(&mut self, field: &str) {
        self.met.unjudged = Some(format!("your client does not show {field}"));
    }

    /// The client printed no reading of the command.
    fn never_read(&mut self, field: String, wanted: String, of: CommandId) -> Option<Difference> {
        let Some(readings) = self.readings else {
            let why = self.facts.why_unanswered(of);
            let why = why.unwrap_or_else(|| "the device did not answer the command".to_owned());
            return Some(Difference::new(field, wanted, "no reply", why));
        };
        let was_answered = self.facts.replies(of).next().is_some();
        if !subjects(&self.scenario.client).is_none_or(|all| all.contains(&of)) {
            // The client was asked to read something else, and may leave this out.
            self.met.notes.push(format!(
                "{field} is not judged: your client prints no reading of {of}, which its task does not ask for"
            ));
            return None;
        }
        if was_answered && readings.is_empty() {
            self.met.unjudged = Some(
                "your client prints no readings, so what it understood cannot be judged".to_owned(),
            );
            return None;
        }
        let why = match (self.facts.why_unanswered(of), was_answered) {
            (_, true) => {
                format!("your client printed no reading of {of}, although it was answered")
            }
            (Some(why), false) => why,
            (None, false) if self.facts.was_asked(of) => "the device did not answer".to_owned(),
            (None, false) => format!("your client never asked for {of}"),
        };
        Some(Difference::new(field, wanted, "never read", why))
    }
}

/// The commands that a task is about; `None` if it is about all that it asks.
fn subjects(client: &Client) -> Option<&'static [CommandId]> {
    match client {
        Client::ReadBms(_) | Client::PollBms(_) => Some(&[CommandId::BMS_GET_VALUES]),
        Client::ReadMotor(_) | Client::Drive(_) => Some(&[CommandId::GET_VALUES]),
        // It need not read anything.
        Client::KeepAlive(_) => Some(&[]),
        Client::ReadConfig(_) => Some(&[CommandId::GET_MCCONF, CommandId::GET_APPCONF]),
        Client::ReadApp(_) => Some(&[CommandId::CUSTOM_APP_DATA]),
        Client::ScanCan(_) => Some(&[CommandId::PING_CAN]),
        Client::PlayRecording(_) | Client::Send(_) | Client::Read(_) => None,
    }
}

fn holds(value: &schema::Value, found: &Value, slack: f64) -> bool {
    match (&value.is, value.length, found) {
        (Some(Expected::Bool(flag)), _, Value::Bool(found)) => flag == found,
        (Some(Expected::Text(text)), _, Value::Text(found)) => text == found,
        (Some(Expected::Number(number)), _, found) => {
            as_number(found).is_some_and(|found| (found - number).abs() <= value.within + slack)
        }
        (None, Some(length), Value::List(items)) => items.len() == length,
        (None, Some(length), Value::Text(text)) => text.chars().count() == length,
        _ => false,
    }
}

fn count_differs(name: &str, count: &schema::RequestCount, seen: usize) -> Option<Difference> {
    let least = count.at_least.unwrap_or_default();
    let most = count.at_most.unwrap_or(usize::MAX);
    if (least..=most).contains(&seen) {
        return None;
    }
    let field = format!("{name} {}", count.of.0);
    let wanted = between(count.at_least, count.at_most);
    Some(Difference::new(field, wanted, format!("{seen} times"), ""))
}

/// The wanted count, in words.
fn between(least: Option<usize>, most: Option<usize>) -> String {
    match (least, most) {
        (Some(least), Some(most)) if least == most => format!("{least} times"),
        (Some(least), Some(most)) => format!("{least} to {most} times"),
        (None, Some(most)) => format!("at most {most} times"),
        (least, None) => format!("at least {} times", least.unwrap_or(1)),
    }
}

/// How many commands are named, of a client that may have sent any number.
const NAMED: usize = 60;

fn names(ids: &[CommandId]) -> String {
    let names: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match ids.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.join(" ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_client_that_sent_any_number_of_requests_a_few_are_named() {
        assert_eq!(names(&[CommandId::FW_VERSION; 2]), "FW_VERSION FW_VERSION");
        let many = names(&[CommandId::FW_VERSION; 100_000]);
        assert!(many.len() < 1000, "{}", many.len());
        assert!(many.ends_with("FW_VERSION and 99940 more"), "{many}");
    }
}
