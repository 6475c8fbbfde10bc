//! The reference client's side of a scenario: it logs in and does its task.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
};
use veschub_scenario::{ScenarioError, Target, duration::Duration as Lasting, schema};
use veschub_wire::{CommandId, LoginKind, LoginLine, Request, TOOL_MAX_PAYLOAD};

use super::kept::{LONGEST, MAX_BYTES, MAX_ENTRIES};
use crate::{
    client::{
        self, Ask, Options, Outcome, Pace, Session,
        drive::{Drive, Keep},
        session::deadline,
    },
    judge::OwnView,
};

/// How long the hub may take to notice that the client is gone.
pub(crate) const FAREWELL: Duration = Duration::from_millis(20);

/// Why a scenario could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario has a mistake.
    #[error("{0}")]
    Scenario(ScenarioError),
    /// The task is one that only the reference client can do.
    #[error("only the reference client can do this task")]
    OnlyReference,
    /// The scenario goes on and on.
    #[error(
        "the run is not over after {} hours of its own time; give the client less to do, e.g. a shorter `for`",
        LONGEST.as_secs() / 3600
    )]
    TooLong,
    /// The scenario does more than a journal can hold.
    #[error(
        "more happens in the run than is kept: {MAX_ENTRIES} entries of the journal, {} MiB; give the client less to do, \
         e.g. a shorter `for` or a longer `every`",
        MAX_BYTES >> 20
    )]
    TooMuch,
    /// The operating system reports an error.
    #[error("cannot run the scenario: {0}")]
    Io(#[from] io::Error),
}

/// One session of the reference client.
pub(crate) async fn visit<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    target: Option<&Target>,
    client: &schema::Client,
) -> OwnView {
    let max_payload = longest_reply(client);
    visit_with(stream, target, client, max_payload, &Notify::new()).await
}

/// The longest payload that the reference client must accept: files come in longer ones than anything else.
pub(crate) fn longest_reply(client: &schema::Client) -> usize {
    let reads_file = |request: &Request| {
        let inner = request.forwarded().and_then(Result::ok);
        let request = inner.map_or_else(|| request.id(), |inner| inner.body.id());
        request == CommandId::FILE_READ
    };
    let reads_files = match client {
        schema::Client::Send(task) => task.requests.iter().any(|words| reads_file(&words.0)),
        schema::Client::Read(task) => reads_file(&task.request.0),
        _ => false,
    };
    match reads_files {
        true => TOOL_MAX_PAYLOAD,
        false => Options::default().max_payload,
    }
}

/// One session of the reference client that accepts payloads of up to this many bytes, and may be told to end.
pub(crate) async fn visit_with<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    target: Option<&Target>,
    client: &schema::Client,
    max_payload: usize,
    told: &Notify,
) -> OwnView {
    let start = tokio::time::Instant::now();
    let login = target.map(|target| login_line(target, client.login()));
    let default = Options::default();
    let options = Options {
        pause_after_login: client
            .login()
            .pause_after
            .map_or(default.pause_after_login, lasting),
        reply_timeout: client
            .give_up_after()
            .map_or(default.reply_timeout, lasting),
        max_payload,
        ..default
    };
    match Session::open(stream, login, options).await {
        Ok(mut session) => {
            let outcome = perform(&mut session, target, client, told).await;
            OwnView {
                took: start.elapsed(),
                received: session.received().cloned().collect(),
                forgotten: session.forgotten(),
                noise_bytes: session.noise_bytes(),
                outcome: Ok(outcome),
            }
        }
        Err(error) => OwnView {
            took: start.elapsed(),
            received: Vec::new(),
            forgotten: 0,
            noise_bytes: 0,
            outcome: Err(error),
        },
    }
}

fn lasting(duration: Lasting) -> Duration {
    Duration::from_nanos(duration.0)
}

fn again(every: Option<Lasting>, lasts: Option<Lasting>) -> Option<client::task::Again> {
    Some((lasting(every?), lasting(lasts?)))
}

fn login_line(target: &Target, login: &schema::Login) -> LoginLine {
    let id = login.id.as_deref().unwrap_or(&target.id);
    let password = login.password.as_deref().or(target.password.as_deref());
    LoginLine::new(LoginKind::Tool, id, password.unwrap_or_default())
}

/// A request to a node, or to the device itself.
fn at(can_id: Option<u8>, request: Request) -> Request {
    match can_id {
        Some(can_id) => Request::forward(can_id, &request),
        None => request,
    }
}

/// What drives a motor; `None` if nothing is set, which a check of the scenario rules out.
fn driving(setting: Option<schema::Setting>, can_id: Option<u8>) -> Option<Drive> {
    let request = |setting: schema::Setting| {
        let decoded = Request::decode(&setting.payload()).ok()?;
        Some(decoded.body)
    };
    Some(Drive {
        can_id,
        set: request(setting?)?,
        // A current of 0 lets go of the motor, whatever drove it.
        stop: request(schema::Setting::CurrentA(0.0))?,
        keeps: Keep::SetAndRead,
        every: Duration::ZERO,
        lasts: Duration::ZERO,
    })
}

async fn perform<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    target: Option<&Target>,
    client: &schema::Client,
    told: &Notify,
) -> Outcome {
    use client::task;
    match client {
        schema::Client::ReadBms(read) => {
            let ask = match read.ask {
                schema::Ask::RapidFire => Ask::RapidFire,
                schema::Ask::OneAtATime => Ask::OneAtATime,
            };
            task::read_bms(session, ask, true).await
        }
        schema::Client::PollBms(poll) => {
            task::poll_bms(session, lasting(poll.every), lasting(poll.lasts)).await
        }
        schema::Client::ReadMotor(read) => {
            task::read_motor(session, read.can_id, again(read.every, read.lasts)).await
        }
        schema::Client::Drive(order) => match driving(order.setting(), order.can_id) {
            Some(plan) => {
                let plan = Drive {
                    every: lasting(order.every),
                    lasts: lasting(order.lasts),
                    ..plan
                };
                client::drive::drive(session, &plan, told).await
            }
            None => Outcome::default(),
        },
        schema::Client::KeepAlive(order) => match driving(order.setting(), order.can_id) {
            Some(plan) => {
                let plan = Drive {
                    keeps: match order.by {
                        schema::KeepBy::Alive => Keep::Alive,
                        schema::KeepBy::Set => Keep::Set,
                    },
                    every: lasting(order.every),
                    lasts: lasting(order.lasts),
                    ..plan
                };
                client::drive::drive(session, &plan, told).await
            }
            None => Outcome::default(),
        },
        schema::Client::ReadConfig(read) => match read.request() {
            Some(request) => task::read(session, &at(read.can_id, request), None).await,
            None => Outcome::default(),
        },
        schema::Client::ReadApp(read) => match read.request() {
            Some(request) => {
                let again = again(read.every, read.lasts);
                task::read(session, &at(read.can_id, request), again).await
            }
            None => Outcome::default(),
        },
        schema::Client::Read(read) => {
            task::read(session, &read.sent(), again(read.every, read.lasts)).await
        }
        schema::Client::ScanCan(_) => task::scan_can(session).await,
        schema::Client::PlayRecording(play) => {
            let recording = target.and_then(|target| target.recording.as_ref());
            let recorded = recording.map_or(&[][..], |recording| &recording.requests);
            let decode = |(offset, payload): &(Duration, Vec<u8>)| {
                Some((*offset, Request::decode(payload).ok()?.body))
            };
            let requests: Vec<_> = recorded.iter().filter_map(decode).collect();
            let pace = match play.pace {
                schema::Pace::Recorded => Pace::AtOffsets,
                schema::Pace::Immediate => Pace::AsAnswered,
            };
            task::ask_each(session, &requests, pace).await
        }
        schema::Client::Send(send) => {
            // The first goes out now: the pause after the login is over.
            let first = session.elapsed();
            let every = send.every.map(lasting);
            let offset = |index: usize| {
                let ticks = u32::try_from(index).unwrap_or(u32::MAX);
                first.saturating_add(every.unwrap_or_default().saturating_mul(ticks))
            };
            let requests = send.requests.iter().enumerate();
            let requests: Vec<_> = requests
                .map(|(index, words)| (offset(index), words.0.clone()))
                .collect();
            let pace = match every {
                Some(_) => Pace::AtOffsets,
                None => Pace::AsAnswered,
            };
            let outcome = task::ask_each(session, &requests, pace).await;
            if let Some(stay) = send.stay_for {
                session.idle(deadline(lasting(stay))).await;
            }
            outcome
        }
    }
}
