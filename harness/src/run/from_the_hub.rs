//! What an outside client sent, judged by the journal alone.

use std::time::Duration;

use veschub_hub::{
    fault::Harm,
    journal::{JournalEntry, JournalEvent},
};
use veschub_scenario::{Scenario, Target, schema::Expectation};
use veschub_transcript::exchange::{Exchanges, Policy};
use veschub_wire::{CommandId, Reply, Request, command::Opaque};

use super::{Difference, Seen, judge};
use crate::{
    client::{ClientError, Outcome, Received},
    outside::verdict::Conduct,
};

/// Judges a session by what was expected of it; with it, why requests were not answered.
pub(crate) fn judge_session(
    scenario: &Scenario,
    target: Option<&Target>,
    journal: &[JournalEntry],
    conduct: &Conduct<'_>,
) -> (Vec<Difference>, Vec<String>) {
    if let Some(contact) = conduct.contact() {
        // Nothing that was expected could happen; saying so for each thing would hide why.
        return (vec![contact], Vec::new());
    }
    let (judged, untold) = split(scenario, journal);
    let expected = judge::judge_expectations(&judged, target, &from_the_hub(journal));
    let mut notes = expected.notes;
    notes.extend(untold);
    (expected.differences, notes)
}

/// The scenario with what the hub can tell, and a note for each expectation that only the client could.
fn split(scenario: &Scenario, journal: &[JournalEntry]) -> (Scenario, Vec<String>) {
    let late = journal.iter().any(|entry| match &entry.event {
        JournalEvent::FaultFired(fired) => fired.harm != Harm::Lost,
        _ => false,
    });
    let mut judged = scenario.clone();
    let mut notes = Vec::new();
    judged.expect.retain(|expectation| {
        let what = match expectation {
            Expectation::Unanswered(count) if late => format!("unanswered {}", count.of.0),
            Expectation::ReplyOrder(_) if late => "reply-order".to_owned(),
            _ => return true,
        };
        notes.push(format!(
            "{what} is not judged: after such a fault, only the client knows when each reply came"
        ));
        false
    });
    (judged, notes)
}

/// What a client must have seen, told from the hub's side.
fn from_the_hub(journal: &[JournalEntry]) -> Seen {
    // Each with its place in the journal.
    let mut received: Vec<(usize, Received)> = Vec::new();
    let mut asked: Vec<(usize, Request)> = Vec::new();
    let mut silent = Vec::new();
    for (place, entry) in journal.iter().enumerate() {
        let at = entry.at.since_start();
        match &entry.event {
            JournalEvent::Request(payload) => {
                asked.extend(Request::decode(payload).map(|request| (place, request.body)));
            }
            JournalEvent::FaultFired(fired) if fired.harm == Harm::Silence => {
                silent.push(entry.conn)
            }
            JournalEvent::Reply { .. } if silent.contains(&entry.conn) => {}
            JournalEvent::Reply { payload, .. } => {
                let reply = Received {
                    at,
                    asked_at: None,
                    payload: payload.clone(),
                    reply: Reply::decode(payload),
                };
                received.push((place, reply));
            }
            JournalEvent::FaultFired(fired) if fired.harm == Harm::Lost => {
                let lost = fired.at.since_start();
                let is_lost = |(_, one): &(usize, Received)| {
                    one.at == lost && Some(one.command()) == fired.command
                };
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
    let refused = journal
        .iter()
        .any(|entry| matches!(entry.event, JournalEvent::LoginRefused { .. }));
    let outcome = if refused {
        Err(ClientError::LoginRefused)
    } else {
        Ok(Outcome {
            unanswered: in_vain(asked, &received),
            ..Outcome::default()
        })
    };
    let times = journal.iter().map(|entry| entry.at.since_start());
    let (first, last) = (times.clone().min(), times.max());
    Seen {
        journal: journal.to_vec(),
        received: received.into_iter().map(|(_, reply)| reply).collect(),
        forgotten: 0,
        noise_bytes: 0,
        outcome,
        capture: Vec::new(),
        took: last
            .unwrap_or_default()
            .saturating_sub(first.unwrap_or_default()),
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
fn in_vain(
    asked: Vec<(usize, Request)>,
    received: &[(usize, Received)],
) -> Vec<(Request, ClientError)> {
    let mut open = Exchanges::new(Policy::patient());
    let mut replies = received.iter().peekable();
    for (place, request) in asked {
        while let Some((_, reply)) = replies.next_if(|(other, _)| *other < place) {
            open.answer(reply.at, &reply.payload);
        }
        open.ask(Duration::ZERO, &request.encode(), (place, request));
    }
    for (_, reply) in replies {
        open.answer(reply.at, &reply.payload);
    }
    let mut open: Vec<(usize, Request)> = open.into_open().map(|open| open.attached).collect();
    open.sort_by_key(|(place, _)| *place);
    open.into_iter()
        .filter_map(|(_, request)| {
            let awaited = format!("the reply to {}", request.reply_id()?);
            let error = ClientError::Closed {
                awaited,
                reset: false,
            };
            Some((request, error))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use veschub_hub::rng::Seed;
    use veschub_sim::disk;

    use super::{super::*, *};
    use crate::outside::ending::{ProcessEnd, ProcessReport};

    /// No outside client is asked to do this: what is lost with the login is never seen to be a request.
    const NOT_TOLD_BY_THE_HUB: [&str; 1] = ["a-request-with-the-login-is-lost"];

    #[test]
    fn the_hub_tells_the_same_of_every_scenario_as_the_reference_client() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let mut others = Vec::new();
        for path in find_scenarios(&folder).unwrap() {
            let loaded = disk::open(&path, &[]).unwrap();
            let target = loaded.build(Seed(0)).unwrap().targets.into_iter().next();
            let run = run_file(&path, Seed(0), Mode::Virtual).unwrap();
            let report = ProcessReport::new(ProcessEnd::Exited { code: 0 });
            let conduct = Conduct {
                report: &report,
                limit: String::new(),
                printed: 0,
                forgotten_lines: 0,
                journal: &run.seen.journal,
                expect: &loaded.scenario.expect,
            };
            let judged = judge_session(
                &loaded.scenario,
                target.as_ref(),
                &run.seen.journal,
                &conduct,
            );
            if !judged.0.is_empty() {
                others.push(format!("{}: {:?}", run.name, judged.0));
            }
        }
        let unknown: Vec<&String> = others
            .iter()
            .filter(|told| {
                !NOT_TOLD_BY_THE_HUB
                    .iter()
                    .any(|name| told.starts_with(&format!("{name}:")))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
        assert_eq!(others.len(), NOT_TOLD_BY_THE_HUB.len(), "{others:#?}");
    }
}
