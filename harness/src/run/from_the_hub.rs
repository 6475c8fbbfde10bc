//! What an outside client sent, judged by the journal alone.

use veschub_sim::{
    journal::{Happening, JournalEntry},
    scenario::{Scenario, Target},
};
use veschub_wire::{CommandId, Reply, Request};

use super::{Difference, Seen, judge};
use crate::{
    client::{ClientError, Outcome, Received},
    outside::verdict::Conduct,
};

/// Faults after which a frame does not arrive as it was sent.
const LOSING: [&str; 4] = ["drop", "corrupt", "truncate", "reset"];

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
    let expected = judge::judge_expectations(scenario, target, &from_the_hub(journal));
    (expected.differences, expected.notes)
}

/// What a client must have seen, told from the hub's side.
fn from_the_hub(journal: &[JournalEntry]) -> Seen {
    let mut received: Vec<Received> = Vec::new();
    let mut asked: Vec<Request> = Vec::new();
    for entry in journal {
        let at = entry.at.since_start();
        match &entry.what {
            Happening::Request(payload) => {
                asked.extend(Request::decode(payload).map(|request| request.body));
            }
            Happening::Reply { payload, .. } => received.push(Received {
                at,
                asked_at: None,
                payload: payload.clone(),
                reply: Reply::decode(payload),
            }),
            Happening::FaultFired(fired) if LOSING.contains(&fired.fault) => {
                let lost = fired.at.since_start();
                let is_lost =
                    |one: &Received| one.at == lost && Some(one.command()) == fired.command;
                match received.iter().rposition(is_lost) {
                    Some(index) => {
                        received.remove(index);
                    }
                    // Then it is a request that was lost on the way there, of which only the command is known.
                    None => asked.extend(fired.command.and_then(bare_request)),
                }
            }
            _ => {}
        }
    }
    let refused = journal
        .iter()
        .any(|entry| matches!(entry.what, Happening::LoginRefused { .. }));
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
        took: last
            .unwrap_or_default()
            .saturating_sub(first.unwrap_or_default()),
    }
}

fn bare_request(command: CommandId) -> Option<Request> {
    Request::decode(&[command.0])
        .ok()
        .map(|request| request.body)
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
