//! What happened in a session, as far as the expectations of a scenario ask: told by the hub's journal, and by the
//! client itself if it is the reference client.

use std::{borrow::Cow, time::Duration};

use veschub_hub::{
    fault::{FaultFired, Harm},
    journal::{JournalEntry, JournalEvent},
};
use veschub_scenario::{
    Scenario,
    schema::{self, Expectation},
};
use veschub_transcript::{
    exchange::{Exchanges, Policy},
    firmwares::Firmwares,
};
use veschub_wire::{
    CommandId, DecodeError, Decoded, Reply, Request,
    command::Opaque,
    view::{Fields, Value, View as _},
};

use super::{Difference, OwnView, Played};
use crate::client::{ClientError, Outcome};

/// What happened in a session.
pub(super) struct Facts<'a> {
    /// What happened at the hub.
    pub(super) journal: &'a [JournalEntry],
    /// The replies that reached the client, in order.
    pub(super) received: Vec<Arrived<'a>>,
    /// The requests that were not answered.
    pub(super) unanswered: Vec<Request>,
    /// Whether the login was refused.
    pub(super) refused: bool,
    /// How long the session took.
    pub(super) took: Duration,
    /// Whether it ran by the real clock, where a client may be a little early or late.
    pub(super) is_real_time: bool,
    /// Whether only the client could tell when each reply came: a fault held some back, and the client does not tell.
    pub(super) is_order_unknown: bool,
}

/// A reply that reached the client.
pub(super) struct Arrived<'a> {
    /// When.
    pub(super) at: Duration,
    /// Its payload.
    pub(super) payload: &'a [u8],
    reply: Cow<'a, Result<Decoded<Reply>, DecodeError>>,
}

impl Arrived<'_> {
    /// Its fields, or why it has none.
    pub(super) fn fields(&self) -> Fields {
        match &*self.reply {
            Ok(reply) => reply.fields(),
            Err(error) => {
                let mut fields = Fields::new();
                fields.push("undecoded", Value::Text(error.to_string()));
                fields
            }
        }
    }

    pub(super) fn command(&self) -> CommandId {
        CommandId(self.payload.first().copied().unwrap_or_default())
    }
}

/// Whether a fault acted on the link, or the device sent what is no frame.
fn is_harmed(journal: &[JournalEntry]) -> bool {
    is_held_up(journal) || any(journal, |what| matches!(what, JournalEvent::FaultFired(_)))
}

/// Whether something may have held up or doubled the replies that arrived. A frame that is lost as a whole does not.
pub(super) fn is_held_up(journal: &[JournalEntry]) -> bool {
    any(journal, |what| match what {
        JournalEvent::FaultFired(fired) => fired.harm != Harm::Lost,
        // It may drop its link in the middle of a frame.
        JournalEvent::DeviceNoise { .. } | JournalEvent::LinkDown => true,
        _ => false,
    })
}

fn any(journal: &[JournalEntry], pick: impl Fn(&JournalEvent) -> bool) -> bool {
    journal.iter().any(|entry| pick(&entry.event))
}

/// Whether a fault took away a reply, sent at this time with this command, and no other.
pub(super) fn takes(fired: &FaultFired, at: Duration, command: CommandId) -> bool {
    fired.harm.takes_the_frame() && fired.at.since_start() == at && fired.command == Some(command)
}

impl<'a> Facts<'a> {
    /// What happened in this session.
    pub(super) fn of(played: &'a Played) -> Self {
        match &played.own {
            Some(own) => Self::of_client(played, own),
            None => Self {
                is_real_time: played.is_real_time,
                ..Self::of_hub(&played.journal)
            },
        }
    }

    /// As the reference client tells it.
    fn of_client(played: &'a Played, own: &'a OwnView) -> Self {
        let received = own.received.iter();
        let (unanswered, refused) = match &own.outcome {
            Err(error) => (Vec::new(), error.is_refusal()),
            Ok(outcome) => {
                let requests = outcome.unanswered.iter();
                let mut errors = outcome.unanswered.iter().map(|(_, error)| error);
                (
                    requests.map(|(request, _)| request.clone()).collect(),
                    errors.any(ClientError::is_refusal),
                )
            }
        };
        Self {
            journal: &played.journal,
            received: received
                .map(|one| Arrived {
                    at: one.at,
                    payload: &one.payload,
                    reply: Cow::Borrowed(&one.reply),
                })
                .collect(),
            unanswered,
            refused,
            took: own.took,
            is_real_time: played.is_real_time,
            is_order_unknown: false,
        }
    }

    /// As the hub tells it: what the client must have seen.
    pub(super) fn of_hub(journal: &'a [JournalEntry]) -> Self {
        // Each with its place in the journal.
        let mut received: Vec<(usize, Arrived<'a>)> = Vec::new();
        let mut asked: Vec<(usize, Request)> = Vec::new();
        let mut firmwares = Firmwares::default();
        let mut silent = Vec::new();
        for (place, entry) in journal.iter().enumerate() {
            let at = entry.at.since_start();
            match &entry.event {
                JournalEvent::Request(payload) => {
                    firmwares.ask(at, payload);
                    asked.extend(Request::decode(payload).map(|request| (place, request.body)));
                }
                JournalEvent::FaultFired(fired) if fired.harm == Harm::Silence => {
                    silent.push(entry.conn);
                }
                JournalEvent::Reply { .. } if silent.contains(&entry.conn) => {}
                JournalEvent::Reply { payload, .. } => {
                    let reply = Reply::decode_from(payload, firmwares.answer(at, payload));
                    let arrived = Arrived {
                        at,
                        payload,
                        reply: Cow::Owned(reply),
                    };
                    received.push((place, arrived));
                }
                JournalEvent::FaultFired(fired) if fired.harm.takes_the_frame() => {
                    let is_lost =
                        |(_, one): &(usize, Arrived<'_>)| takes(fired, one.at, one.command());
                    match received.iter().rposition(is_lost) {
                        Some(index) => {
                            received.remove(index);
                        }
                        // Then it is a request that was lost on the way there, of which only the command is known.
                        None => asked.extend(fired.command.map(|id| (place, bare_request(id)))),
                    }
                }
                _ => {}
            }
        }
        let refused = any(journal, |what| {
            matches!(what, JournalEvent::LoginRefused { .. })
        });
        let late = |what: &JournalEvent| matches!(what, JournalEvent::FaultFired(fired) if !fired.harm.takes_the_frame());
        let times = journal.iter().map(|entry| entry.at.since_start());
        let (first, last) = (times.clone().min(), times.max());
        Self {
            journal,
            unanswered: if refused {
                Vec::new()
            } else {
                in_vain(asked, &received)
            },
            received: received.into_iter().map(|(_, reply)| reply).collect(),
            refused,
            took: last
                .unwrap_or_default()
                .saturating_sub(first.unwrap_or_default()),
            is_real_time: false,
            is_order_unknown: any(journal, late),
        }
    }

    /// The events of one kind, each with its time.
    pub(super) fn events<T>(
        &self,
        pick: impl Fn(&'a JournalEvent) -> Option<T>,
    ) -> impl Iterator<Item = (Duration, T)> {
        let journal = self.journal.iter();
        journal.filter_map(move |entry| Some((entry.at.since_start(), pick(&entry.event)?)))
    }

    /// The requests that reached a device, in order.
    pub(super) fn requests(&self) -> impl Iterator<Item = (Duration, Request)> {
        self.events(|what| match what {
            JournalEvent::Request(payload) => Request::decode(payload).ok(),
            _ => None,
        })
        .map(|(at, request)| (at, request.body))
    }

    /// The commands of the requests that reached a device, in order; those that cannot be decoded too.
    pub(super) fn commands(&self) -> impl Iterator<Item = (Duration, CommandId)> {
        self.events(|what| match what {
            JournalEvent::Request(payload) => payload.first().copied().map(CommandId),
            _ => None,
        })
    }

    /// Whether a command was asked, inside FORWARD_CAN or not, and even if the request was lost.
    pub(super) fn was_asked(&self, id: CommandId) -> bool {
        let wants = |request: &Request| request.id() == id || request.reply_id() == Some(id);
        self.requests().any(|(_, request)| wants(&request)) || self.unanswered.iter().any(wants)
    }

    /// The replies to a command that reached the client.
    pub(super) fn replies(&self, id: CommandId) -> impl Iterator<Item = &Arrived<'a>> {
        self.received.iter().filter(move |one| one.command() == id)
    }

    /// Why a command was not answered, as the hub reports it.
    pub(super) fn why_unanswered(&self, id: CommandId) -> Option<String> {
        let reasons = self.events(|what| match what {
            JournalEvent::QuirkFired {
                command,
                quirk,
                why,
            } if *command == Some(id) => Some(format!("{quirk}: {why}")),
            JournalEvent::NotAnswered { command, why } if *command == id => Some(why.to_string()),
            JournalEvent::LoginRefused { reason } => {
                Some(format!("the hub refused the login: {reason}"))
            }
            _ => None,
        });
        reasons.last().map(|(_, why)| why)
    }

    /// What the hub has to say about the session, each thing once.
    pub(super) fn notes(&self) -> Vec<String> {
        let told = self.events(|what| match what {
            JournalEvent::QuirkFired { .. }
            | JournalEvent::NotAnswered { .. }
            | JournalEvent::LoginRefused { .. }
            | JournalEvent::LoginBytesDiscarded { .. }
            | JournalEvent::FaultFired(_) => Some(what.to_string()),
            _ => None,
        });
        let mut notes = Vec::new();
        for (_, note) in told {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// Checks what the reference client says of the session: it must have received nothing but what was sent, and each
    /// request must be answered unless the scenario says otherwise.
    pub(super) fn check_own(&self, own: &OwnView, scenario: &Scenario) -> Vec<Difference> {
        let mut found = self.check_received(own);
        let refused = |one: &Expectation| matches!(one, Expectation::LoginRefused);
        if scenario.expect.iter().any(refused) {
            return found;
        }
        match &own.outcome {
            Err(error) => {
                found.push(Difference::new(
                    "login",
                    "accepted",
                    "refused",
                    error.to_string(),
                ));
            }
            Ok(outcome) => found.extend(self.check_answered(outcome, scenario)),
        }
        found
    }

    fn check_received(&self, own: &OwnView) -> Vec<Difference> {
        let mut found = Vec::new();
        let sent: Vec<&[u8]> = self
            .events(|what| match what {
                JournalEvent::Reply { payload, .. } => Some(payload.as_slice()),
                _ => None,
            })
            .map(|(_, payload)| payload)
            .collect();
        let harmed = is_harmed(self.journal);
        // Forgotten frames are the oldest ones.
        let forgotten = usize::try_from(own.forgotten).unwrap_or(usize::MAX);
        for (index, one) in own.received.iter().enumerate() {
            let is_there = if harmed {
                sent.contains(&&*one.payload)
            } else {
                sent.get(index + forgotten) == Some(&&*one.payload)
            };
            if !is_there {
                let what = format!("{} of {} bytes", one.command(), one.payload.len());
                let why = "the client reports a reply that no device sent in this place";
                found.push(Difference::new("a reply", "nothing was sent", what, why));
            }
        }
        if own.noise_bytes > 0 && !harmed {
            let seen = format!("{} bytes", own.noise_bytes);
            let why = "the client found bytes that belong to no frame";
            found.push(Difference::new("noise", "0 bytes", seen, why));
        }
        found
    }

    fn check_answered(&self, outcome: &Outcome, scenario: &Scenario) -> Vec<Difference> {
        let mut found = Vec::new();
        for (request, error) in &outcome.unanswered {
            let id = request.reply_id().unwrap_or_else(|| request.id());
            let expected = scenario.expect.iter().any(|expectation| {
                matches!(expectation, Expectation::NoReplyTo(name) | Expectation::Unanswered(schema::RequestCount { of: name, .. })
                    if name.0 == id || name.0 == request.id())
            });
            if !expected {
                let why = self.why_unanswered(id).unwrap_or_else(|| error.to_string());
                let field = format!("reply to {id}");
                found.push(Difference::new(field, "a reply", "none", why));
            }
        }
        found
    }
}

/// A request of which only the command is known.
fn bare_request(id: CommandId) -> Request {
    let bare = Request::decode(&[id.0]).map(|request| request.body);
    bare.unwrap_or_else(|_| {
        Request::Other(Opaque {
            id,
            arguments: Vec::new(),
        })
    })
}

/// The requests to which no reply was sent.
fn in_vain(asked: Vec<(usize, Request)>, received: &[(usize, Arrived<'_>)]) -> Vec<Request> {
    let mut open = Exchanges::new(Policy::patient());
    let mut replies = received.iter().peekable();
    for (place, request) in asked {
        while let Some((_, reply)) = replies.next_if(|(other, _)| *other < place) {
            open.answer(reply.at, reply.payload);
        }
        open.ask(Duration::ZERO, &request.encode(), (place, request));
    }
    for (_, reply) in replies {
        open.answer(reply.at, reply.payload);
    }
    let mut open: Vec<(usize, Request)> = open.into_open().map(|open| open.attached).collect();
    open.sort_by_key(|(place, _)| *place);
    let requests = open.into_iter().map(|(_, request)| request);
    requests
        .filter(|request| request.reply_id().is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use veschub_hub::rng::Seed;

    use super::super::expect;
    use crate::run::{Mode, find_scenarios, run_file};

    use super::*;

    /// What is lost with the login is never seen to be a request; no outside client is asked to do this. The names in a
    /// configuration are the client's: the hub sees bytes.
    const NOT_TOLD_BY_THE_HUB: [&str; 2] = [
        "a-configuration-is-read-by-name",
        "a-request-with-the-login-is-lost",
    ];

    #[test]
    fn the_hub_tells_the_same_of_every_scenario_as_the_reference_client() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let mut others = Vec::new();
        for path in find_scenarios(&folder).unwrap() {
            let loaded = veschub_disk::open(&path, &[]).unwrap();
            let target = loaded.build(Seed(0)).unwrap().targets.into_iter().next();
            let run = run_file(&path, Seed(0), Mode::Virtual).unwrap();
            let played = run.played.unwrap();
            let facts = Facts::of_hub(&played.journal);
            let met = expect::check(&loaded.scenario, target.as_ref(), &facts, None);
            if !met.sent.is_empty() {
                others.push((run.name, met.sent));
            }
        }
        let names: Vec<&String> = others.iter().map(|(name, _)| name).collect();
        assert_eq!(names, NOT_TOLD_BY_THE_HUB, "{others:#?}");
    }
}
