//! The tasks of the client: functions that use a [`Session`] and return readings.
//!
//! A task never fails as a whole. If a request gets no reply, the task notes the reason and sends the next request, as
//! long as the connection works. So a table can show all values that came, and a verdict can say which are missing.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use veschub_wire::{Decoded, Firmware, Reply, Request};

use super::{
    error::ClientError,
    inbox::{Received, Ticket},
    session::{Session, deadline},
};

/// After this long without a reply, a poll is asked again (`docs/protocol.md`, section 6.1).
pub const POLL_GUARD: Duration = Duration::from_secs(1);

/// How several requests are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    /// All at once; then the client collects the replies.
    #[default]
    RapidFire,
    /// Each after the previous one was answered or given up.
    OneAtATime,
}

/// When each of a list of requests is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At its offset from the start of the session, even if the previous one was not answered.
    AtOffsets,
    /// As soon as the previous one was answered or given up.
    AsAnswered,
}

/// A reply and its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When the request was sent, since the start of the session.
    pub asked_at: Duration,
    /// When the reply came, since the start of the session.
    pub at: Duration,
    /// The request.
    pub request: Request,
    /// The reply, and the bytes after its last known field.
    pub reply: Decoded<Reply>,
    /// The payload of the reply.
    pub payload: Vec<u8>,
}

/// The result of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The replies, in the order in which they came.
    pub readings: Vec<Reading>,
    /// The requests without a usable reply, and why.
    pub unanswered: Vec<(Request, ClientError)>,
    /// The requests whose reply did not come before the others, and which the task did not wait for.
    pub not_awaited: Vec<Request>,
    /// How many ticks of a poll were skipped because a reply was still pending.
    pub skipped_ticks: u64,
}

impl Outcome {
    /// Takes over what a later part of the task came to.
    fn append(&mut self, later: Self) {
        self.readings.extend(later.readings);
        self.unanswered.extend(later.unanswered);
        self.not_awaited.extend(later.not_awaited);
        self.skipped_ticks += later.skipped_ticks;
    }

    pub(super) fn note(&mut self, request: &Request, result: Result<Received, ClientError>) {
        match result.and_then(|received| Reading::new(request, received)) {
            Ok(reading) => self.readings.push(reading),
            Err(error) => self.unanswered.push((request.clone(), error)),
        }
    }

    pub(super) fn conclude<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
        ticket: &Ticket,
    ) {
        let result = session.conclude(ticket);
        self.note(ticket.request(), result);
    }

    /// Sorts the readings by the time at which they came; readings of the same time keep the order of their requests.
    fn in_order(mut self) -> Self {
        self.readings.sort_by_key(|reading| reading.at);
        self
    }

    /// The first reply that `pick` accepts.
    pub fn find<'a, T>(&'a self, pick: impl Fn(&'a Reply) -> Option<T>) -> Option<T> {
        self.readings
            .iter()
            .find_map(|reading| pick(&reading.reply.body))
    }
}

impl Reading {
    /// A received frame as the reply to this request.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub fn new(request: &Request, received: Received) -> Result<Self, ClientError> {
        let command = received.command();
        let reply = received
            .reply
            .map_err(|error| ClientError::Undecodable { command, error })?;
        Ok(Self {
            asked_at: received.asked_at.unwrap_or(received.at),
            at: received.at,
            request: request.clone(),
            reply,
            payload: received.payload,
        })
    }
}

/// The four requests that VESC Tool sends before it shows a pack, in its order.
#[must_use]
pub fn bms_requests() -> [Request; 4] {
    [
        Request::FwVersion,
        Request::GetCustomConfig { index: 0 },
        Request::PingCan,
        Request::BmsGetValues,
    ]
}

/// Reads a pack: FW_VERSION, GET_CUSTOM_CONFIG(0), PING_CAN and BMS_GET_VALUES.
///
/// The scan of PING_CAN takes seconds; without `wait_for_scan` the task ends when the other three are answered.
pub async fn read_bms<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    ask: Ask,
    wait_for_scan: bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut open = Vec::new();
    for request in bms_requests() {
        let ticket = match session.begin(&request).await {
            Ok(ticket) => ticket,
            Err(error) => {
                outcome.unanswered.push((request, error));
                continue;
            }
        };
        let awaited = wait_for_scan || request != Request::PingCan;
        if ask == Ask::OneAtATime && awaited {
            let time_up = deadline(session.options().reply_timeout);
            session.settle([&ticket], time_up).await;
            outcome.conclude(session, &ticket);
        } else {
            open.push((ticket, awaited));
        }
    }
    let awaited = open.iter().filter(|(_, awaited)| *awaited);
    let time_up = deadline(session.options().reply_timeout);
    session
        .settle(awaited.map(|(ticket, _)| ticket), time_up)
        .await;
    for (ticket, awaited) in &open {
        if *awaited || session.is_answered(ticket) {
            outcome.conclude(session, ticket);
        } else {
            outcome.not_awaited.push(ticket.request().clone());
        }
    }
    outcome.in_order()
}

/// Polls a pack as VESC Tool's page does: FW_VERSION, then BMS_GET_VALUES at fixed times.
///
/// At most one request is pending: a tick is skipped if the previous reply has not come, until [`POLL_GUARD`] has
/// passed. The ticks are at 0, `every`, 2 × `every` and so on, before `lasting` has passed.
pub async fn poll_bms<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    every: Duration,
    lasting: Duration,
) -> Outcome {
    let mut outcome = Outcome::default();
    let result = session.ask(&Request::FwVersion).await;
    outcome.note(&Request::FwVersion, result);
    poll(
        session,
        &mut outcome,
        &Request::BmsGetValues,
        every,
        lasting,
    )
    .await;
    outcome
}

/// Sends one request at fixed times, as [`poll_bms`] does.
async fn poll<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    outcome: &mut Outcome,
    request: &Request,
    every: Duration,
    lasting: Duration,
) {
    let mut open: Option<(Ticket, Instant)> = None;
    for tick in ticks(Instant::now(), every, lasting) {
        wait_for_tick(session, outcome, &mut open, tick).await;
        if open.is_some() && session.ending().is_some() {
            break;
        }
        match open.take() {
            Some((ticket, asked)) if tick < asked + POLL_GUARD => {
                outcome.skipped_ticks += 1;
                open = Some((ticket, asked));
                continue;
            }
            Some((ticket, _)) => outcome.conclude(session, &ticket),
            None => {}
        }
        match session.begin(request).await {
            Ok(ticket) => open = Some((ticket, tick)),
            Err(error) => {
                outcome.unanswered.push((request.clone(), error));
                break;
            }
        }
    }
    if let Some((ticket, asked)) = open {
        session.settle([&ticket], asked + POLL_GUARD).await;
        outcome.conclude(session, &ticket);
    }
}

/// The instants of the ticks.
fn ticks(start: Instant, every: Duration, lasting: Duration) -> impl Iterator<Item = Instant> {
    // With a period of 0 this would never end.
    let every = every.max(Duration::from_millis(1));
    std::iter::successors(Some(Duration::ZERO), move |offset| {
        offset.checked_add(every)
    })
    .take_while(move |offset| *offset < lasting)
    .map(move |offset| start + offset)
}

/// Receives frames until the tick, and notes the pending poll as soon as it is answered.
async fn wait_for_tick<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    outcome: &mut Outcome,
    open: &mut Option<(Ticket, Instant)>,
    tick: Instant,
) {
    if let Some((ticket, asked)) = open.take() {
        if session.settle([&ticket], tick).await {
            outcome.conclude(session, &ticket);
        } else {
            *open = Some((ticket, asked));
        }
    }
    session.idle(tick).await;
}

/// How often a request is sent: the time from one to the next, and how long this goes on.
pub type Again = (Duration, Duration);

/// Reads a motor controller, the device itself or one behind it: FW_VERSION, GET_VALUES and GET_VALUES_SETUP, one at a
/// time. GET_VALUES is sent once, or again and again.
pub async fn read_motor<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    can_id: Option<u8>,
    again: Option<Again>,
) -> Outcome {
    let forward = |request: Request| match can_id {
        Some(can_id) => Request::forward(can_id, &request),
        None => request,
    };
    let values = forward(Request::GetValues);
    let mut outcome = one_at_a_time(session, &[forward(Request::FwVersion)]).await;
    match again {
        None => outcome.append(one_at_a_time(session, &[values]).await),
        Some((every, lasting)) => {
            poll(session, &mut outcome, &values, every, lasting).await;
        }
    }
    let firmware = outcome.find(|reply| match reply {
        Reply::FwVersion(version) => Some(version.firmware()),
        _ => None,
    });
    // Older firmware does not know the request, and stays silent.
    if firmware.is_none_or(|firmware| firmware >= Firmware::FIRST_WITH_VALUES_SETUP) {
        outcome.append(one_at_a_time(session, &[forward(Request::GetValuesSetup)]).await);
    }
    outcome
}

/// Sends one request, once or again and again, and reads its reply.
pub async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    request: &Request,
    again: Option<Again>,
) -> Outcome {
    let Some((every, lasting)) = again else {
        return one_at_a_time(session, std::slice::from_ref(request)).await;
    };
    let mut outcome = Outcome::default();
    poll(session, &mut outcome, request, every, lasting).await;
    outcome
}

/// Scans the CAN bus, then asks each node for its FW_VERSION, one at a time.
pub async fn scan_can<S: AsyncRead + AsyncWrite + Unpin>(session: &mut Session<S>) -> Outcome {
    let mut outcome = one_at_a_time(session, &[Request::PingCan]).await;
    let can_ids = outcome.find(|reply| match reply {
        Reply::PingCan { can_ids } => Some(can_ids.clone()),
        _ => None,
    });
    let requests: Vec<Request> = can_ids
        .unwrap_or_default()
        .into_iter()
        .map(|can_id| Request::forward(can_id, &Request::FwVersion))
        .collect();
    let answers = one_at_a_time(session, &requests).await;
    outcome.readings.extend(answers.readings);
    outcome.unanswered.extend(answers.unanswered);
    outcome
}

/// Sends the given requests, each with its offset from the start of the session: plays a recorded session.
pub async fn ask_each<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    requests: &[(Duration, Request)],
    pace: Pace,
) -> Outcome {
    match pace {
        Pace::AtOffsets => at_offsets(session, requests).await,
        Pace::AsAnswered => {
            let requests: Vec<Request> = requests
                .iter()
                .map(|(_, request)| request.clone())
                .collect();
            one_at_a_time(session, &requests).await
        }
    }
}

async fn one_at_a_time<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    requests: &[Request],
) -> Outcome {
    let mut outcome = Outcome::default();
    for request in requests {
        if request.is_never_answered() {
            send_only(session, request, &mut outcome).await;
        } else {
            let result = session.ask(request).await;
            outcome.note(request, result);
        }
    }
    outcome
}

async fn at_offsets<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    requests: &[(Duration, Request)],
) -> Outcome {
    let mut outcome = Outcome::default();
    let timeout = session.options().reply_timeout;
    let mut open = Vec::new();
    for (offset, request) in requests {
        let due = session.started() + *offset;
        // Requests that time out before this one is due are closed first, so that a late reply to one of them is not
        // taken for the reply to this one.
        conclude_before(session, &mut open, Some(due), &mut outcome).await;
        session.idle(due).await;
        if request.is_never_answered() {
            send_only(session, request, &mut outcome).await;
            continue;
        }
        match session.begin(request).await {
            Ok(ticket) => open.push((ticket, deadline(timeout))),
            Err(error) => outcome.unanswered.push((request.clone(), error)),
        }
    }
    conclude_before(session, &mut open, None, &mut outcome).await;
    outcome.in_order()
}

async fn conclude_before<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    open: &mut Vec<(Ticket, Instant)>,
    due: Option<Instant>,
    outcome: &mut Outcome,
) {
    let count = open.partition_point(|(_, time_up)| due.is_none_or(|due| *time_up <= due));
    for (ticket, time_up) in open.drain(..count) {
        session.settle([&ticket], time_up).await;
        outcome.conclude(session, &ticket);
    }
}

async fn send_only<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    request: &Request,
    outcome: &mut Outcome,
) {
    match session.send(request).await {
        Ok(()) => outcome.not_awaited.push(request.clone()),
        Err(error) => outcome.unanswered.push((request.clone(), error)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::DuplexStream, join};
    use veschub_wire::CommandId;

    use super::{
        super::{
            session::Options,
            testing::{pair, reply_to},
        },
        *,
    };

    const MS: Duration = Duration::from_millis(1);

    /// Runs a task against a made-up device that answers each request after a delay, or not at all.
    async fn against<F>(
        delay: impl FnMut(&Request) -> Option<Duration>,
        task: impl FnOnce(Session<DuplexStream>) -> F,
    ) -> (Vec<(Duration, Request)>, Outcome)
    where
        F: Future<Output = Outcome>,
    {
        let (stream, peer) = pair();
        let session = Session::open(stream, None, Options::default()).await;
        join!(peer.serve(delay), task(session.unwrap()))
    }

    fn slow_scan(request: &Request) -> Option<Duration> {
        Some(match request {
            Request::PingCan => 2600 * MS,
            _ => 100 * MS,
        })
    }

    fn commands(outcome: &Outcome) -> Vec<(Duration, CommandId)> {
        let reading = |reading: &Reading| (reading.at, reading.reply.body.id());
        outcome.readings.iter().map(reading).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn rapid_fire_sends_all_at_once_and_waits_for_the_scan() {
        let (log, outcome) = against(slow_scan, |mut session| async move {
            read_bms(&mut session, Ask::RapidFire, true).await
        })
        .await;
        assert_eq!(log.iter().map(|(at, _)| *at).max(), Some(Duration::ZERO));
        assert_eq!(
            commands(&outcome),
            [
                (100 * MS, CommandId::FW_VERSION),
                (100 * MS, CommandId::GET_CUSTOM_CONFIG),
                (100 * MS, CommandId::BMS_GET_VALUES),
                (2600 * MS, CommandId::PING_CAN),
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_scan_need_not_be_waited_for() {
        for ask in [Ask::RapidFire, Ask::OneAtATime] {
            let (_, outcome) = against(slow_scan, |mut session| async move {
                let outcome = read_bms(&mut session, ask, false).await;
                assert!(session.elapsed() <= 300 * MS);
                outcome
            })
            .await;
            assert_eq!(outcome.readings.len(), 3);
            assert_eq!(outcome.not_awaited, [Request::PingCan]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_asks_each_after_the_former_was_answered() {
        let (log, outcome) = against(slow_scan, |mut session| async move {
            read_bms(&mut session, Ask::OneAtATime, true).await
        })
        .await;
        let asked_at: Vec<_> = log.iter().map(|(at, _)| *at).collect();
        assert_eq!(asked_at, [Duration::ZERO, 100 * MS, 200 * MS, 2800 * MS]);
        assert_eq!(outcome.readings.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unanswered_request_is_noted_and_the_next_is_asked() {
        let silent = |request: &Request| (*request != Request::PingCan).then_some(MS);
        let (_, outcome) = against(silent, |mut session| async move {
            read_bms(&mut session, Ask::OneAtATime, true).await
        })
        .await;
        assert_eq!(outcome.readings.len(), 3);
        let [(Request::PingCan, ClientError::TimedOut { after, .. })] = &outcome.unanswered[..]
        else {
            panic!("{:?}", outcome.unanswered);
        };
        assert_eq!(*after, 5000 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_at_10_hz_is_600_polls_on_a_grid() {
        let prompt = |_: &Request| Some(97 * MS);
        let (log, outcome) = against(prompt, |mut session| async move {
            poll_bms(&mut session, 100 * MS, 60_000 * MS).await
        })
        .await;
        assert_eq!(outcome.readings.len(), 601);
        assert_eq!(outcome.skipped_ticks, 0);
        assert!(
            log[1..]
                .windows(2)
                .all(|pair| pair[1].0 - pair[0].0 == 100 * MS)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_reply_skips_a_tick_and_never_two_polls_are_open() {
        let mut polls = 0;
        let third_is_late = |request: &Request| {
            polls += u32::from(*request == Request::BmsGetValues);
            Some(if polls == 3 { 250 * MS } else { 50 * MS })
        };
        let (log, outcome) = against(third_is_late, |mut session| async move {
            poll_bms(&mut session, 100 * MS, 800 * MS).await
        })
        .await;
        let polled_at: Vec<_> = log[1..].iter().map(|(at, _)| at.as_millis()).collect();
        // The firmware was answered at 50; the poll of 250 is answered at 500, so 350 and 450 are left out.
        assert_eq!(polled_at, [50, 150, 250, 550, 650, 750]);
        assert_eq!(outcome.skipped_ticks, 2);
        assert!(outcome.unanswered.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_unanswered_poll_is_asked_again_after_a_second() {
        let silent = |request: &Request| (*request == Request::FwVersion).then_some(Duration::ZERO);
        let (log, outcome) = against(silent, |mut session| async move {
            poll_bms(&mut session, 100 * MS, 2500 * MS).await
        })
        .await;
        let polled_at: Vec<_> = log[1..].iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(polled_at, [0, 1000, 2000]);
        assert_eq!(outcome.unanswered.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn polling_ends_when_the_connection_does() {
        let (stream, mut peer) = pair();
        let session = Session::open(stream, None, Options::default()).await;
        let mut session = session.unwrap();
        let (_, outcome) = join!(
            async move {
                let request = peer.request().await.unwrap();
                peer.say(&[reply_to(&request)]).await;
                peer.request().await;
            },
            poll_bms(&mut session, 100 * MS, 60_000 * MS),
        );
        assert_eq!(session.elapsed(), Duration::ZERO);
        assert_eq!(outcome.unanswered.len(), 1);
        assert!(outcome.unanswered[0].1.is_end());
    }

    #[tokio::test(start_paused = true)]
    async fn a_scan_asks_everyone_who_they_are() {
        let (log, outcome) = against(slow_scan, |mut session| async move {
            scan_can(&mut session).await
        })
        .await;
        let requests: Vec<_> = log.into_iter().map(|(_, request)| request).collect();
        assert_eq!(
            requests,
            [
                Request::PingCan,
                Request::forward(62, &Request::FwVersion),
                Request::forward(84, &Request::FwVersion),
            ]
        );
        assert_eq!(outcome.readings.len(), 3);
        assert_eq!(outcome.readings[2].request, requests[2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_recorded_session_is_played_at_its_offsets_or_as_answered() {
        let script = [
            (50 * MS, Request::FwVersion),
            (200 * MS, Request::PingCan),
            (226 * MS, Request::BmsGetValues),
            (400 * MS, Request::Alive),
            (9000 * MS, Request::BmsGetValues),
        ];
        for (pace, expected) in [
            (Pace::AtOffsets, [50, 200, 226, 400, 9000]),
            (Pace::AsAnswered, [0, 100, 2700, 2800, 2800]),
        ] {
            let (log, outcome) = against(
                |request| (*request != Request::Alive).then(|| slow_scan(request))?,
                |mut session| {
                    let script = &script;
                    async move { ask_each(&mut session, script, pace).await }
                },
            )
            .await;
            let asked_at: Vec<_> = log.iter().map(|(at, _)| at.as_millis()).collect();
            assert_eq!(asked_at, expected, "{pace:?}");
            assert_eq!(outcome.readings.len(), 4);
            assert_eq!(outcome.not_awaited, [Request::Alive]);
        }
    }
}
