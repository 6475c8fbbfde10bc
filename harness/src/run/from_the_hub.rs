//! What an outside client sent, judged by the journal alone.

use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::{Scenario, Target, schema::Expectation};
use veschub_wire::{CommandId, Reply, Request, command::Opaque};

use super::{Difference, Seen, judge};
use crate::{
    client::{ClientError, Outcome, Received},
    outside::verdict::Conduct,
};

/// Faults after which a frame does not arrive as it was sent.
const LOSING: [&str; 4] = ["drop", "corrupt", "truncate", "reset"];

/// The fault after which a connection brings nothing more.
const SILENCING: &str = "half-close";

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
    let late = journal.iter().any(|entry| match &entry.what {
        JournalEvent::FaultFired(fired) => !LOSING.contains(&fired.fault),
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
            "{what} is not judged: after such a fault only the client knows what came when"
        ));
        false
    });
    (judged, notes)
}

/// What a client must have seen, told from the hub's side.
fn from_the_hub(journal: &[JournalEntry]) -> Seen {
    let mut received: Vec<Received> = Vec::new();
    let mut asked: Vec<Request> = Vec::new();
    let mut silent = Vec::new();
    for entry in journal {
        let at = entry.at.since_start();
        match &entry.what {
            JournalEvent::Request(payload) => {
                asked.extend(Request::decode(payload).map(|request| request.body));
            }
            JournalEvent::FaultFired(fired) if fired.fault == SILENCING => silent.push(entry.conn),
            JournalEvent::Reply { .. } if silent.contains(&entry.conn) => {}
            JournalEvent::Reply { payload, .. } => received.push(Received {
                at,
                asked_at: None,
                payload: payload.clone(),
                reply: Reply::decode(payload),
            }),
            JournalEvent::FaultFired(fired) if LOSING.contains(&fired.fault) => {
                let lost = fired.at.since_start();
                let is_lost =
                    |one: &Received| one.at == lost && Some(one.command()) == fired.command;
                match received.iter().rposition(is_lost) {
                    Some(index) => {
                        received.remove(index);
                    }
                    // Then it is a request that was lost on the way there, of which only the command is known.
                    None => asked.extend(fired.command.map(bare_request)),
                }
            }
            _ => {}
        }
    }
    let refused = journal
        .iter()
        .any(|entry| matches!(entry.what, JournalEvent::LoginRefused { .. }));
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
        received,
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

/// The requests to which no reply was sent, the later ones first.
fn in_vain(asked: Vec<Request>, received: &[Received]) -> Vec<(Request, ClientError)> {
    let mut replies: Vec<CommandId> = received.iter().map(Received::command).collect();
    let mut open = Vec::new();
    for request in asked {
        let Some(id) = request.reply_id() else {
            continue;
        };
        match replies.iter().position(|reply| *reply == id) {
            Some(index) => {
                replies.remove(index);
            }
            None => {
                let awaited = format!("the reply to {id}");
                open.push((
                    request,
                    ClientError::Closed {
                        awaited,
                        reset: false,
                    },
                ));
            }
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use veschub_hub::rng::Seed;

    use super::{super::*, *};
    use crate::outside::ending::{How, Report};

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
            let report = Report::new(How::Exited { code: 0 });
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
