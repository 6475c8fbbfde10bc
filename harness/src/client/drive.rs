//! The tasks that drive a motor: set something, read back, and stop the motor on every way out.
//!
//! The motor is stopped when the time is up and when the client is told to end (SIGTERM). When the link is lost, the
//! controller stops it: the client neither connects again nor sets anything again.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::Instant,
};
use veschub_wire::Request;

use super::{error::ClientError, inbox::Ticket, session::Session, task::Outcome};

/// What a client drives, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drive {
    /// The node that is driven; `None` for the device itself.
    pub can_id: Option<u8>,
    /// The request that sets something.
    pub set: Request,
    /// The request that lets go of the motor.
    pub stop: Request,
    /// What is sent behind the first set command.
    pub keeps: Keep,
    /// The time from one command to the next.
    pub every: Duration,
    /// How long the client drives.
    pub lasts: Duration,
}

/// What keeps the motor running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The set command, again and again, and GET_VALUES behind each.
    SetAndRead,
    /// The set command, again and again.
    Set,
    /// ALIVE.
    Alive,
}

/// Drives a motor until the time is up, the client is told to end, or the link is lost. Stops the motor unless the link
/// is lost.
pub async fn drive<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    drive: &Drive,
    told: &Notify,
) -> Outcome {
    let mut outcome = Outcome::default();
    let at = |request: &Request| match drive.can_id {
        Some(can_id) => Request::forward(can_id, request),
        None => request.clone(),
    };
    let reads = drive.keeps == Keep::SetAndRead;
    if reads {
        let request = at(&Request::FwVersion);
        let result = session.ask(&request).await;
        outcome.note(&request, result);
    }
    let start = Instant::now();
    let end = start + drive.lasts;
    let every = drive.every.max(Duration::from_millis(1));
    let mut due = start;
    let mut pending: Option<Ticket> = None;
    while due < end && session.ending().is_none() {
        let feed = match drive.keeps {
            Keep::Alive if due > start => Request::Alive,
            _ => drive.set.clone(),
        };
        outcome.sent(&at(&feed), session.send(&at(&feed)).await);
        if let Some(ticket) = pending.take_if(|ticket| session.is_answered(ticket)) {
            outcome.conclude(session, &ticket);
        }
        if reads && pending.is_none() {
            let request = at(&Request::GetValues);
            match session.begin(&request).await {
                Ok(ticket) => pending = Some(ticket),
                Err(error) => outcome.unanswered.push((request, error)),
            }
        }
        due = (due + every).min(end);
        let is_told = tokio::select! {
            biased;
            () = told.notified() => true,
            () = session.idle(due) => false,
        };
        if is_told {
            break;
        }
    }
    outcome.sent(&at(&drive.stop), session.send(&at(&drive.stop)).await);
    if let Some(ticket) = pending {
        let time_up = super::session::deadline(session.options().reply_timeout);
        session.settle([&ticket], time_up).await;
        outcome.conclude(session, &ticket);
    }
    if reads && session.ending().is_none() {
        let request = at(&Request::GetValues);
        let result = session.ask(&request).await;
        outcome.note(&request, result);
    }
    outcome
}

impl Outcome {
    /// Notes a request that nobody answers.
    fn sent(&mut self, request: &Request, result: Result<(), ClientError>) {
        match result {
            Ok(()) => self.not_awaited.push(request.clone()),
            Err(error) => self.unanswered.push((request.clone(), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::join;
    use veschub_wire::CommandId;

    use super::{
        super::{session::Options, testing::pair},
        *,
    };

    const MS: Duration = Duration::from_millis(1);

    fn order(keeps: Keep) -> Drive {
        let request = |bytes: &[u8]| Request::decode(bytes).unwrap().body;
        Drive {
            can_id: None,
            set: request(&[6, 0, 0, 0x13, 0x88]),
            stop: request(&[6, 0, 0, 0, 0]),
            keeps,
            every: 100 * MS,
            lasts: 300 * MS,
        }
    }

    /// What reaches the device, with the time; it answers at once.
    async fn sent(keeps: Keep, told: Option<Duration>) -> Vec<(u128, Vec<u8>)> {
        let (stream, peer) = pair();
        let mut session = Session::open(stream, None, Options::default())
            .await
            .unwrap();
        let notify = Notify::new();
        let playing = async {
            let telling = async {
                if let Some(at) = told {
                    tokio::time::sleep(at).await;
                    notify.notify_one();
                }
            };
            let order = order(keeps);
            let (outcome, ()) = join!(drive(&mut session, &order, &notify), telling);
            drop(session);
            outcome
        };
        let answers = |request: &Request| {
            let is_asked = matches!(request, Request::FwVersion | Request::GetValues);
            is_asked.then_some(MS)
        };
        let (log, _) = join!(peer.serve(answers), playing);
        log.into_iter()
            .map(|(at, request)| (at.as_millis(), request.encode()))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_set_is_read_back_and_the_last_command_stops_the_motor() {
        let log = sent(Keep::SetAndRead, None).await;
        let sets: Vec<u128> = log
            .iter()
            .filter(|(_, payload)| payload[0] == CommandId::SET_CURRENT.0)
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(sets.len(), 4, "{log:?}");
        let last = log.iter().rfind(|(_, payload)| payload[0] == 6).unwrap();
        assert_eq!(last.1, [6, 0, 0, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn alive_is_sent_behind_one_set_command() {
        let log = sent(Keep::Alive, None).await;
        let ids: Vec<u8> = log.iter().map(|(_, payload)| payload[0]).collect();
        assert_eq!(ids, [6, 30, 30, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_told_to_end_stops_the_motor_at_once() {
        let log = sent(Keep::Set, Some(150 * MS)).await;
        assert_eq!(log.len(), 3, "{log:?}");
        assert_eq!(log[2], (150, vec![6, 0, 0, 0, 0]));
    }
}
