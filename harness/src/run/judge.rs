//! Judges a run: compares what the client understood with what the devices held, and checks what the scenario expects.
//!
//! *Truth* is what a device held when it answered, before the reply was encoded. Two things are checked in every run:
//! each field that the client decoded must have the true value, and each request that the client waits for must be
//! answered, unless the scenario expects no reply.

use std::time::Duration;

use veschub_hub::journal::JournalEvent;
use veschub_scenario::{
    Target,
    schema::{self, Expectation, Expected, Scenario},
};
use veschub_wire::{
    CommandId, Reply, Request,
    view::{Fields, Value, View, hex},
};

use super::{
    Mode, Seen,
    nearest::{self, Nearest},
};
use crate::client::Received;

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// What is wrong; empty if the scenario passed.
    pub differences: Vec<Difference>,
    /// What the devices held and what the client decoded, reply by reply.
    pub compared: Vec<Compared>,
    /// Why requests were not answered, as the hub reports it.
    pub notes: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where: a field of a reply, or an expectation.
    pub field: String,
    /// What would have been right.
    pub truth: String,
    /// What was seen instead.
    pub decoded: String,
    /// Why, as far as that is known.
    pub why: String,
    /// What came nearest to an expectation that was not met.
    pub nearest: Nearest,
}

impl Difference {
    /// A difference without anything that came near.
    pub fn new(
        field: impl Into<String>,
        truth: impl Into<String>,
        decoded: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            truth: truth.into(),
            decoded: decoded.into(),
            why: why.into(),
            nearest: Nearest::default(),
        }
    }
}

/// A reply: what the device held, and what the client decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// When it was sent.
    pub at: Duration,
    /// The reply's command.
    pub command: CommandId,
    /// What the device held; `None` if only the bytes of the reply are known.
    pub truth: Option<Fields>,
    /// What the client decoded.
    pub decoded: Option<Fields>,
}

/// A reply that the hub sent.
struct Sent<'a> {
    at: Duration,
    payload: &'a [u8],
    truth: Option<&'a Reply>,
}

/// How much longer than it should a session may take by the real clock, as a busy machine takes a part of it.
const BUSY: Duration = Duration::from_secs(2);

pub(super) fn judge(
    scenario: &Scenario,
    target: Option<&Target>,
    seen: &Seen,
    mode: Mode,
) -> Verdict {
    let mut judge = Judge {
        seen,
        mode,
        sent: sent(seen),
        verdict: Verdict::default(),
    };
    judge.verdict.notes = notes(seen);
    judge.compare_replies();
    judge.check_answered(&scenario.expect);
    judge.check_all(&scenario.expect, target);
    judge.verdict
}

/// Checks only what the scenario expects: `seen` then holds what the hub saw of a client that keeps its own time.
pub(super) fn judge_expectations(
    scenario: &Scenario,
    target: Option<&Target>,
    seen: &Seen,
) -> Verdict {
    let mut judge = Judge {
        seen,
        mode: Mode::Real,
        sent: Vec::new(),
        verdict: Verdict::default(),
    };
    judge.verdict.notes = notes(seen);
    judge.check_all(&scenario.expect, target);
    judge.verdict
}

fn sent(seen: &Seen) -> Vec<Sent<'_>> {
    let replies = seen.journal.iter().filter_map(|entry| match &entry.event {
        JournalEvent::Reply { payload, truth } => Some(Sent {
            at: entry.at.since_start(),
            payload,
            truth: truth.as_deref(),
        }),
        _ => None,
    });
    replies.collect()
}

fn notes(seen: &Seen) -> Vec<String> {
    let told = |what: &JournalEvent| match what {
        JournalEvent::QuirkFired { .. }
        | JournalEvent::NotAnswered { .. }
        | JournalEvent::LoginRefused { .. }
        | JournalEvent::LoginBytesDiscarded { .. }
        | JournalEvent::FaultFired(_) => Some(what.to_string()),
        _ => None,
    };
    let mut notes = Vec::new();
    for note in seen.journal.iter().filter_map(|entry| told(&entry.event)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

struct Judge<'a> {
    seen: &'a Seen,
    mode: Mode,
    sent: Vec<Sent<'a>>,
    verdict: Verdict,
}

impl<'a> Judge<'a> {
    fn differ(
        &mut self,
        field: impl Into<String>,
        truth: impl Into<String>,
        decoded: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.verdict
            .differences
            .push(Difference::new(field, truth, decoded, why));
    }

    /// The client must have received and understood every reply, in order. If a fault harmed the link, the client must
    /// at least have received nothing that was not sent.
    fn compare_replies(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        let harmed = self
            .seen
            .journal
            .iter()
            .any(|entry| matches!(entry.event, JournalEvent::FaultFired(_)));
        // Forgotten frames are the oldest ones.
        let forgotten = usize::try_from(self.seen.forgotten).unwrap_or(usize::MAX);
        let mut received: Vec<Option<&Received>> = self.seen.received.iter().map(Some).collect();
        for (index, sent) in sent.iter().enumerate().skip(forgotten) {
            let arrived = if harmed {
                let same = |one: &&mut Option<&Received>| {
                    one.is_some_and(|one| one.payload == sent.payload)
                };
                received.iter_mut().find(same).and_then(Option::take)
            } else {
                received.get_mut(index - forgotten).and_then(Option::take)
            };
            self.compare_reply(sent, arrived);
        }
        for received in received.into_iter().flatten() {
            let again = sent.iter().any(|sent| sent.payload == received.payload);
            if !(harmed && again) {
                let what = format!("{} of {} bytes", received.command(), received.payload.len());
                self.differ(
                    "a reply",
                    "nothing was sent",
                    what,
                    "the client reports a reply that no device sent",
                );
            }
        }
        if self.seen.noise_bytes > 0 && !harmed {
            let seen = format!("{} bytes", self.seen.noise_bytes);
            self.differ(
                "noise",
                "0 bytes",
                seen,
                "the client found bytes that belong to no frame",
            );
        }
        self.sent = sent;
    }

    fn compare_reply(&mut self, sent: &Sent<'_>, received: Option<&Received>) {
        let command = CommandId(sent.payload.first().copied().unwrap_or_default());
        let decoded = received.map(understood);
        let differences = self.verdict.differences.len();
        let truth = sent.truth.map(View::fields);
        if let Some(truth) = &truth {
            self.compare(command, truth, decoded.as_ref());
        }
        self.note_compared(sent, command, truth, decoded);
        // Masked fields always compare equal, so the bytes are compared as well.
        if let Some(received) = received
            && received.payload != sent.payload
            && self.verdict.differences.len() == differences
        {
            let (truth, seen) = (hex(sent.payload), hex(&received.payload));
            self.differ(
                command.to_string(),
                truth,
                seen,
                "the client received other bytes than the device sent",
            );
        }
    }

    fn note_compared(
        &mut self,
        sent: &Sent<'_>,
        command: CommandId,
        truth: Option<Fields>,
        decoded: Option<Fields>,
    ) {
        self.verdict.compared.push(Compared {
            at: sent.at,
            command,
            truth,
            decoded,
        });
    }

    fn compare(&mut self, command: CommandId, truth: &Fields, decoded: Option<&Fields>) {
        let Some(decoded) = decoded else {
            // The reply was still on its way when the client left, which is no mistake.
            return;
        };
        for (name, true_value) in truth.iter() {
            let field = format!("{command}.{name}");
            match decoded.get(name) {
                Some(value) if value == true_value => {}
                Some(value) => self.differ(
                    field,
                    true_value.to_string(),
                    value.to_string(),
                    "the client decoded a different value",
                ),
                None => self.differ(
                    field,
                    true_value.to_string(),
                    "",
                    "the client did not report this field",
                ),
            }
        }
        for (name, value) in decoded.iter() {
            if truth.get(name).is_none() {
                let field = format!("{command}.{name}");
                self.differ(
                    field,
                    "",
                    value.to_string(),
                    "the device did not send this field",
                );
            }
        }
    }

    /// If a request was not answered, the scenario must expect that.
    fn check_answered(&mut self, expectations: &[Expectation]) {
        let refused = expectations
            .iter()
            .any(|expectation| matches!(expectation, Expectation::LoginRefused));
        if refused {
            return;
        }
        match &self.seen.outcome {
            Err(error) => self.differ("login", "accepted", "refused", error.to_string()),
            Ok(outcome) => {
                for (request, error) in &outcome.unanswered {
                    let id = request.reply_id().unwrap_or_else(|| request.id());
                    let expected = expectations.iter().any(|expectation| {
                        matches!(expectation, Expectation::NoReplyTo(name) | Expectation::Unanswered(schema::RequestCount { of: name, .. })
                            if name.0 == id || name.0 == request.id())
                    });
                    if !expected {
                        let why = self.why_unanswered(id).unwrap_or_else(|| error.to_string());
                        self.differ(format!("reply to {id}"), "a reply", "none", why);
                    }
                }
            }
        }
    }

    /// Why a request was not answered, as the hub reports it.
    fn why_unanswered(&self, id: CommandId) -> Option<String> {
        self.seen
            .journal
            .iter()
            .rev()
            .find_map(|entry| match &entry.event {
                JournalEvent::QuirkFired {
                    command,
                    quirk,
                    why,
                } if *command == id => Some(format!("{quirk}: {why}")),
                JournalEvent::NotAnswered { command, why } if *command == id => {
                    Some(why.to_string())
                }
                JournalEvent::LoginRefused { reason } => {
                    Some(format!("the hub refused the login: {reason}"))
                }
                _ => None,
            })
    }

    fn check_all(&mut self, expectations: &[Expectation], target: Option<&Target>) {
        for expectation in expectations {
            let before = self.verdict.differences.len();
            self.check(expectation, target);
            if let Some(unmet) = self.verdict.differences.get_mut(before..)
                && !unmet.is_empty()
            {
                let nearest = nearest::nearest(expectation, self.seen);
                for difference in unmet {
                    difference.nearest = nearest.clone();
                }
            }
        }
    }

    fn check(&mut self, expectation: &Expectation, target: Option<&Target>) {
        match expectation {
            Expectation::Value(value) => self.check_value(value),
            Expectation::Trend(trend) => self.check_trend(trend),
            Expectation::Requests(wanted) => {
                let wanted: Vec<CommandId> = wanted.iter().map(|name| name.0).collect();
                let seen = self.requests();
                if seen != wanted {
                    let (wanted, seen) = (names(&wanted), names(&seen));
                    self.differ(
                        "requests",
                        wanted,
                        seen,
                        "the client sent other requests, or in another order",
                    );
                }
            }
            Expectation::RequestCount(count) => {
                let seen = self
                    .requests()
                    .iter()
                    .filter(|&&id| id == count.of.0)
                    .count();
                self.check_count("request-count", count, seen);
            }
            Expectation::Unanswered(count) => {
                let outcome = self.seen.outcome.iter();
                let unanswered = outcome.flat_map(|outcome| &outcome.unanswered);
                let in_vain = |(request, _): &&(Request, _)| request.reply_id() == Some(count.of.0);
                let seen = unanswered.filter(in_vain).count();
                self.check_count("unanswered", count, seen);
            }
            Expectation::ReplyOrder(wanted) => {
                let wanted: Vec<CommandId> = wanted.iter().map(|name| name.0).collect();
                let mut left = wanted.iter().peekable();
                for received in &self.seen.received {
                    left.next_if(|&&id| id == received.command());
                }
                if left.peek().is_some() {
                    let seen: Vec<CommandId> =
                        self.seen.received.iter().map(Received::command).collect();
                    let (wanted, seen) = (names(&wanted), names(&seen));
                    self.differ(
                        "reply-order",
                        wanted,
                        seen,
                        "the client received the replies in another order",
                    );
                }
            }
            Expectation::ReplyLength(length) => self.check_length(length),
            Expectation::ReplyTo(name) => {
                if self.fields_of(name.0).next().is_none() {
                    let why = self.why_unanswered(name.0).unwrap_or_default();
                    self.differ(format!("reply-to {}", name.0), "a reply", "none", why);
                }
            }
            Expectation::NoReplyTo(name) => self.check_no_reply(name.0),
            Expectation::Within(limit) => {
                let limit = Duration::from_nanos(limit.0);
                let allowed = match self.mode {
                    Mode::Virtual => limit,
                    Mode::Real => limit + BUSY,
                };
                if self.seen.took > allowed {
                    let (limit, took) = (format!("{limit:?}"), format!("{:?}", self.seen.took));
                    self.differ("within", limit, took, "the client took longer");
                }
            }
            Expectation::Fired(fired) => self.check_fired(fired),
            Expectation::Journal(text) => {
                let mut entries = self.seen.journal.iter();
                if !entries.any(|entry| entry.to_string().contains(text.as_str())) {
                    let wanted = format!("{text:?}");
                    self.differ(
                        "journal",
                        wanted,
                        "no such entry",
                        "no entry of the journal contains this text",
                    );
                }
            }
            Expectation::LoginRefused => self.check_refused(),
            Expectation::SameAsRecording => self.check_recording(target),
        }
    }

    fn requests(&self) -> Vec<CommandId> {
        let requests = self
            .seen
            .journal
            .iter()
            .filter_map(|entry| match &entry.event {
                JournalEvent::Request(payload) => payload.first().copied().map(CommandId),
                _ => None,
            });
        requests.collect()
    }

    /// What the client decoded of each reply to a command, in order.
    fn fields_of(&self, id: CommandId) -> impl Iterator<Item = Fields> + use<'a> {
        let received = self.seen.received.iter();
        received
            .filter(move |received| received.command() == id)
            .map(understood)
    }

    fn check_value(&mut self, value: &schema::Value) {
        let field = match value.item {
            Some(item) => format!("{}.{}[{item}]", value.of.0, value.field),
            None => format!("{}.{}", value.of.0, value.field),
        };
        let wanted = match (&value.is, value.length) {
            (Some(Expected::Number(number)), _) if value.within > 0.0 => {
                format!("{number} ± {}", value.within)
            }
            (Some(Expected::Number(number)), _) => number.to_string(),
            (Some(Expected::Bool(flag)), _) => flag.to_string(),
            (Some(Expected::Text(text)), _) => format!("{text:?}"),
            (None, length) => format!("{} elements", length.unwrap_or_default()),
        };
        let Some(fields) = self.fields_of(value.of.0).last() else {
            let why = self.why_unanswered(value.of.0);
            let why = why.unwrap_or_else(|| "the device did not answer the command".to_owned());
            return self.differ(field, wanted, "no reply", why);
        };
        let found = fields.get(&value.field).and_then(|found| match value.item {
            Some(item) => match found {
                Value::List(items) => items.get(item),
                _ => None,
            },
            None => Some(found),
        });
        let Some(found) = found else {
            let known: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
            let why = format!("the reply has only {}", known.join(", "));
            return self.differ(field, wanted, "not there", why);
        };
        let holds = match (&value.is, value.length, found) {
            (Some(Expected::Bool(flag)), _, Value::Bool(found)) => flag == found,
            (Some(Expected::Text(text)), _, Value::Text(found)) => text == found,
            (Some(Expected::Number(number)), _, found) => as_number(found).is_some_and(|found| {
                (found - number).abs() <= value.within + self.drift(value, found)
            }),
            (None, Some(length), Value::List(items)) => items.len() == length,
            (None, Some(length), Value::Text(text)) => text.chars().count() == length,
            _ => false,
        };
        if !holds {
            self.differ(
                field,
                wanted,
                found.to_string(),
                "the scenario expects a different value",
            );
        }
    }

    /// How far off a value may be because of when it was read: in virtual time not at all; by the real clock as far as
    /// it changed since the reply before, as a client may ask a little earlier or later than the scenario was written
    /// for. A value that stands still must be exact.
    fn drift(&self, value: &schema::Value, last: f64) -> f64 {
        let number = |fields: &Fields| match (fields.get(&value.field)?, value.item) {
            (Value::List(items), Some(item)) => items.get(item).and_then(as_number),
            (found, _) => as_number(found),
        };
        let values: Vec<f64> = self
            .fields_of(value.of.0)
            .filter_map(|fields| number(&fields))
            .collect();
        match (self.mode, values.len().checked_sub(2)) {
            (Mode::Real, Some(before)) => (last - values[before]).abs(),
            _ => 0.0,
        }
    }

    fn check_trend(&mut self, trend: &schema::Trend) {
        let values: Vec<f64> = self
            .fields_of(trend.of.0)
            .filter_map(|fields| fields.get(&trend.field).and_then(as_number))
            .collect();
        let field = format!("{}.{}", trend.of.0, trend.field);
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            return self.differ(
                field,
                "a trend",
                "no values",
                "no reply has the field as a number",
            );
        };
        let fall = first - last;
        // See `drift`: here both ends may lie a little earlier or later.
        let slack = match (self.mode, &values[..]) {
            (Mode::Real, [first, second, .., before, last]) => {
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
        if !holds {
            let seen = format!("{first} to {last}");
            self.differ(
                field,
                wanted,
                seen,
                "the value moved the other way, or not far enough",
            );
        }
    }

    fn check_count(&mut self, name: &str, count: &schema::RequestCount, seen: usize) {
        let least = count.at_least.unwrap_or_default();
        let most = count.at_most.unwrap_or(usize::MAX);
        if !(least..=most).contains(&seen) {
            let wanted = between(count.at_least, count.at_most);
            self.differ(
                format!("{name} {}", count.of.0),
                wanted,
                format!("{seen} times"),
                "",
            );
        }
    }

    fn check_length(&mut self, length: &schema::ReplyLength) {
        let id = length.of.0;
        let lengths = self.seen.received.iter();
        let lengths: Vec<usize> = lengths
            .filter(|received| received.command() == id)
            .map(|received| received.payload.len())
            .collect();
        if lengths.is_empty() || lengths.iter().any(|&seen| seen != length.is) {
            let wanted = format!("{} bytes", length.is);
            self.differ(
                format!("reply-length {id}"),
                wanted,
                format!("{lengths:?}"),
                "",
            );
        }
    }

    fn check_no_reply(&mut self, id: CommandId) {
        let waited = self.seen.outcome.iter().any(|outcome| {
            let mut unanswered = outcome.unanswered.iter();
            unanswered.any(|(request, _)| request.reply_id() == Some(id))
        });
        if !waited && !self.requests_and_forwarded().contains(&id) {
            let field = format!("no-reply-to {id}");
            self.differ(
                field,
                "asked",
                "not asked",
                "the client never sent the request",
            );
        } else if self.fields_of(id).next().is_some() {
            let field = format!("no-reply-to {id}");
            self.differ(field, "no reply", "a reply", "the device answered");
        }
    }

    /// The commands that were asked, inside FORWARD_CAN or not.
    fn requests_and_forwarded(&self) -> Vec<CommandId> {
        let requests = self
            .seen
            .journal
            .iter()
            .filter_map(|entry| match &entry.event {
                JournalEvent::Request(payload) => Request::decode(payload).ok(),
                _ => None,
            });
        requests
            .flat_map(|request| [Some(request.body.id()), request.body.reply_id()])
            .flatten()
            .collect()
    }

    fn check_fired(&mut self, fired: &schema::Fired) {
        let did = |what: &JournalEvent| match what {
            JournalEvent::QuirkFired { quirk, .. } => fired.quirk.as_deref() == Some(*quirk),
            JournalEvent::FaultFired(harm) => fired.fault.as_deref() == Some(harm.fault),
            _ => false,
        };
        let count = self
            .seen
            .journal
            .iter()
            .filter(|entry| did(&entry.event))
            .count();
        let least = fired
            .at_least
            .unwrap_or_else(|| usize::from(fired.at_most.is_none()));
        let most = fired.at_most.unwrap_or(usize::MAX);
        if !(least..=most).contains(&count) {
            let name = fired.quirk.as_ref().or(fired.fault.as_ref());
            let field = format!("fired {}", name.map_or("", String::as_str));
            let wanted = between(fired.at_least, fired.at_most);
            let why = if count == 0 {
                "nothing happened that triggers it"
            } else {
                ""
            };
            self.differ(field, wanted, format!("{count} times"), why);
        }
    }

    fn check_refused(&mut self) {
        let refused = match &self.seen.outcome {
            Err(error) => error.is_refusal(),
            Ok(outcome) => outcome
                .unanswered
                .iter()
                .any(|(_, error)| error.is_refusal()),
        };
        if !refused {
            self.differ(
                "login-refused",
                "refused",
                "accepted",
                "the hub accepted the login",
            );
        }
    }

    fn check_recording(&mut self, target: Option<&Target>) {
        let Some(recording) = target.and_then(|target| target.recording.as_ref()) else {
            return self.differ("same-as-recording", "a recording", "none", "");
        };
        let received = || self.seen.received.iter().map(|received| &received.payload);
        if received().eq(&recording.replies) {
            return;
        }
        let same = received()
            .zip(&recording.replies)
            .take_while(|(received, recorded)| received == recorded)
            .count();
        let wanted = format!("{} replies", recording.replies.len());
        let seen = format!("{} replies", self.seen.received.len());
        let why = format!("only the first {same} replies are the same, byte for byte");
        self.differ("same-as-recording", wanted, seen, why);
    }
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

/// What the client decoded of a frame.
pub(super) fn understood(received: &Received) -> Fields {
    match &received.reply {
        Ok(reply) => reply.fields(),
        Err(error) => {
            let mut fields = Fields::new();
            fields.push("undecoded", Value::Text(error.to_string()));
            fields
        }
    }
}

pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        _ => None,
    }
}

fn names(ids: &[CommandId]) -> String {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    names.join(" ")
}
