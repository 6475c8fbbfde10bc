//! Expectations that can never be met, and requests that nobody answers.

use veschub_wire::{CommandId, Request, view::Value as Seen};

use super::{Admission, Lint};
use crate::{
    code::Code,
    duration::Duration,
    schema::{Client, CommandName, Expectation, Expected, RequestCount, Value},
    source::Place,
    suggest::closest,
};

/// What the client waits after its login line, if nothing else is said, so that it cannot be done before.
const PAUSE: Duration = Duration(50_000_000);

/// What a judge calls the content of a reply that cannot be read.
const UNDECODED: &str = "undecoded";

impl Lint<'_> {
    pub(super) fn check_expectations(&mut self) {
        let scenario = self.scenario;
        for (index, expectation) in scenario.expect.iter().enumerate() {
            let place = Place::root().key("expect").index(index);
            self.check_expectation(expectation, place.only());
        }
    }

    fn check_expectation(&mut self, expectation: &Expectation, place: Place) {
        match expectation {
            Expectation::Value(value) => {
                let at = self.at_command(&place);
                if self.check_reply(value.of.0, at) {
                    self.check_value(value, &place);
                }
            }
            Expectation::Trend(trend) => {
                let at = self.at_command(&place);
                if self.check_reply(trend.of.0, at) {
                    self.check_field(trend.of.0, &trend.field, &place);
                }
            }
            Expectation::ReplyLength(length) => {
                self.check_reply(length.of.0, place.key("of"));
            }
            Expectation::ReplyTo(name) => {
                self.check_reply(name.0, place);
            }
            Expectation::ReplyOrder(names) => {
                for (index, name) in names.iter().enumerate() {
                    if !self.check_reply(name.0, place.clone().index(index)) {
                        break;
                    }
                }
            }
            Expectation::Requests(names) => self.check_requests(names, &place),
            Expectation::RequestCount(count) => {
                self.check_count(count.of.0, count.at_least, &place);
            }
            Expectation::NoReplyTo(name) => self.check_asked(name.0, place),
            Expectation::Within(limit) => self.check_within(*limit, place),
            Expectation::LoginRefused => self.check_refused(place),
            // Whether the others are met, only the run can tell.
            _ => {}
        }
    }

    /// The command of an expectation, or the expectation where the command is not written down.
    fn at_command(&self, place: &Place) -> Place {
        let of = place.clone().key("of");
        if self.source.has(&of) {
            of
        } else {
            place.clone()
        }
    }

    /// Whether a reply of a command may come.
    fn check_reply(&mut self, id: CommandId, place: Place) -> bool {
        if self.facts.login == Admission::Refused {
            let finding = self
                .odd(
                    Code::NeverMet,
                    place,
                    format!("{id} is never answered: the hub refuses this client's login"),
                )
                .help("expect `login-refused`, or correct the `login` of the client");
            self.found.push(finding);
            return false;
        }
        if self.facts.may_be_replied(id) {
            return true;
        }
        let answered = self.facts.program.as_ref();
        let answered = answered.map(|program| program.replies_listed());
        let finding = self
            .odd(
                Code::NeverMet,
                place,
                format!("no reply to {id} ever comes: this client does not ask for it"),
            )
            .help(format!("it asks for {}", answered.unwrap_or_default()));
        self.found.push(finding);
        false
    }

    fn check_field(&mut self, id: CommandId, field: &str, place: &Place) -> bool {
        let Some(sample) = &self.facts.sample else {
            return true;
        };
        if self.facts.surprises || field == UNDECODED {
            return true;
        }
        let mut known: Vec<&str> = Vec::new();
        for answer in sample.answers(id) {
            // Each poll has the same fields, and a longer reply has some more.
            for (name, _) in answer.fields.iter() {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
        let is_known = known.is_empty() || known.contains(&field);
        if is_known || self.scenario.describes(id, field) {
            return true;
        }
        let message = format!("the reply to {id} has no field `{field}` here");
        let finding = self.odd(Code::NeverMet, place.clone().key("field"), message);
        let finding = match closest(field, known.iter().copied()) {
            Some(meant) => finding.help(format!("did you mean `{meant}`?")),
            None => finding,
        };
        let finding = finding.help(format!("at this firmware it has `{}`", known.join("`, `")));
        self.found.push(finding);
        false
    }

    fn check_value(&mut self, value: &Value, place: &Place) {
        if !self.check_field(value.of.0, &value.field, place) || self.facts.surprises {
            return;
        }
        let Some(sample) = &self.facts.sample else {
            return;
        };
        let seen: Vec<&Seen> = sample
            .answers(value.of.0)
            .filter_map(|answer| answer.fields.get(&value.field))
            .collect();
        let problem = seen.iter().map(|seen| never_equal(value, seen));
        // One reply that may have it is enough.
        let Some(problems) = problem.collect::<Option<Vec<_>>>() else {
            return;
        };
        if let Some((key, message)) = problems.into_iter().next() {
            let message = format!("`{}` {message}", value.field);
            let finding = self.odd(Code::NeverMet, place.clone().key(key), message);
            self.found.push(finding);
        }
    }

    fn check_requests(&mut self, names: &[CommandName], place: &Place) {
        let Some(program) = &self.facts.program else {
            return;
        };
        if self.facts.requests_harmed {
            return;
        }
        let problem = names.iter().enumerate().find_map(|(index, name)| {
            let count = names[..=index]
                .iter()
                .filter(|other| *other == name)
                .count();
            let most = program.sends(name.0);
            (count > most).then(|| (index, times(name.0, most)))
        });
        if let Some((index, problem)) = problem {
            let help = format!("it sends {}", program.listed());
            let finding = self.odd(Code::NeverMet, place.clone().index(index), problem);
            self.found.push(finding.help(help));
        }
    }

    fn check_count(&mut self, id: CommandId, least: Option<usize>, place: &Place) {
        let (Some(program), Some(least)) = (&self.facts.program, least) else {
            return;
        };
        let most = program.sends(id);
        if least > most && !self.facts.requests_harmed {
            let place = place.clone().key("at_least");
            let finding = self.odd(Code::NeverMet, place, times(id, most));
            self.found.push(finding);
        }
    }

    fn check_asked(&mut self, id: CommandId, place: Place) {
        let Some(program) = &self.facts.program else {
            return;
        };
        if !program.asks(id) {
            let message = format!("{id} cannot stay unanswered: this client never sends it");
            let help = format!("it asks for {}", program.replies_listed());
            let finding = self.odd(Code::NeverMet, place, message).help(help);
            self.found.push(finding);
        }
    }

    fn check_within(&mut self, limit: Duration, place: Place) {
        let refused = |expectation: &Expectation| matches!(expectation, Expectation::LoginRefused);
        if self.scenario.expect.iter().any(refused) {
            return;
        }
        let pause = self.scenario.client.login().pause_after.unwrap_or(PAUSE);
        let least = match &self.scenario.client {
            // The last poll is sent on the last tick before the time is over, unless the connection breaks off.
            Client::PollBms(poll) if self.nothing_harms() => {
                let ticks = poll.lasts.0.saturating_sub(1) / poll.every.0.max(1_000_000);
                let grid = ticks.saturating_mul(poll.every.0.max(1_000_000));
                Duration(pause.0.saturating_add(grid))
            }
            _ => pause,
        };
        if limit < least {
            let message = format!(
                "the client cannot be done within {limit}: it takes {least} alone to send its requests"
            );
            let finding = self.odd(Code::NeverMet, place, message);
            self.found.push(finding);
        }
    }

    fn nothing_harms(&self) -> bool {
        self.scenario.faults.is_empty() && self.scenario.quirks.is_empty() && !self.facts.surprises
    }

    fn check_refused(&mut self, place: Place) {
        if self.facts.login == Admission::Accepted && self.scenario.faults.is_empty() {
            let finding = self
                .odd(
                    Code::NeverMet,
                    place,
                    "the login is not refused: id and password are the device's",
                )
                .help("give the client another one: `login: { password: wrong }`");
            self.found.push(finding);
        }
    }

    /// Warns of requests that the client waits for in vain without expecting it.
    pub(super) fn check_answers(&mut self) {
        let Some(sample) = &self.facts.sample else {
            return;
        };
        // What a scan asks is made up here, and a refused client asks nothing.
        if matches!(self.scenario.client, Client::ScanCan(_))
            || self.facts.login == Admission::Refused
        {
            return;
        }
        let expected = |request: &Request| {
            self.scenario.expect.iter().any(|expectation| {
                matches!(expectation, Expectation::NoReplyTo(name) | Expectation::Unanswered(RequestCount { of: name, .. })
                    if Some(name.0) == request.reply_id() || name.0 == request.id())
            })
        };
        let silent: Vec<String> = sample
            .unanswered()
            .filter(|request| !request.is_never_answered() && !expected(request))
            .map(told)
            .collect();
        if let Some(first) = silent.first() {
            let client = Place::root().key("client");
            let place = if self.source.has(&client) {
                client
            } else {
                Place::root().key("expect").at_key()
            };
            let message = format!("nobody answers {first}, and the client waits for it");
            let finding = self
                .odd(Code::NobodyAnswers, place, message)
                .help("say so with `no-reply-to` under `expect`, or add what is to answer");
            self.found.push(finding);
        }
    }
}

fn told(request: &Request) -> String {
    match request {
        Request::ForwardCan { can_id, .. } => {
            let inner = request.reply_id().unwrap_or_else(|| request.id());
            format!("{inner} at CAN id {can_id}")
        }
        _ => request.id().to_string(),
    }
}

fn times(id: CommandId, most: usize) -> String {
    match most {
        0 => format!("this client never sends {id}"),
        1 => format!("this client sends {id} only once"),
        _ => format!("this client sends {id} only {most} times"),
    }
}

/// Why a field that was once seen like this can never be as it is expected: the key at fault, and what is wrong.
fn never_equal(value: &Value, seen: &Seen) -> Option<(&'static str, String)> {
    let seen = match (value.item, seen) {
        (Some(item), Seen::List(items)) => match items.get(item) {
            Some(seen) => seen,
            // Whom a scan finds may differ from run to run; all other lists keep their length.
            None if value.of.0 == CommandId::PING_CAN => return None,
            None => return Some(("item", format!("has {} items, the first is 0", items.len()))),
        },
        (Some(_), _) => return Some(("item", "is no list".to_owned())),
        (None, seen) => seen,
    };
    match (&value.is, seen) {
        (None, Seen::List(_) | Seen::Text(_)) => None,
        (None, Seen::Bool(_) | Seen::Int(_) | Seen::Number(_)) => {
            Some(("length", "has no length".to_owned()))
        }
        (Some(Expected::Bool(_)), Seen::Bool(_))
        | (Some(Expected::Text(_)), Seen::Text(_))
        | (Some(Expected::Number(_)), Seen::Int(_) | Seen::Number(_)) => None,
        (Some(_), Seen::Bool(_)) => Some(("is", "is `true` or `false`".to_owned())),
        (Some(_), Seen::Text(_)) => Some(("is", "is a text".to_owned())),
        (Some(_), Seen::Int(_) | Seen::Number(_)) => Some(("is", "is a number".to_owned())),
        (Some(_), Seen::List(_)) => Some((
            "is",
            "is a list: name an `item`, or compare its `length`".to_owned(),
        )),
        _ => None,
    }
}
