//! A session with a device, through a hub or directly: the one part of the client that waits.
//!
//! ```text
//!  write login line | pause | request ... request ...
//!                   | <- a refused login is closed here, or with the first request
//! ```
//!
//! Why the pause: a hub discards everything that it has received together with the login line, so a request that
//! arrives with it is lost (`docs/protocol.md`, section 2.3). In VESC Tool, its timers decide: it happens to wait 0 to
//! 80 ms. This client must always work, so it waits on purpose.
//!
//! All waiting uses tokio's clock, so that a test can pause it. Times in results count from the start of the session.

use std::{
    fmt::Write as _,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::{Instant, timeout_at},
};
use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, LoginLine, Request, encode};

use super::{
    error::{ClientError, Ending},
    inbox::{Inbox, Received, Ticket},
};

/// Bytes taken from the stream at once.
const READ_SIZE: usize = 4096;
/// What one read can bring must fit: the smallest frame has 6 bytes.
const LEAST_KEPT: usize = READ_SIZE / 6 + 1;
/// Used instead of "for ever", where a deadline would overflow.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// How a session behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long nothing is sent after the login line; not used without a login.
    pub pause_after_login: Duration,
    /// How long to wait for a reply, and how long the other side may take to accept a request.
    pub reply_timeout: Duration,
    /// The largest payload that is accepted, in bytes.
    ///
    /// Firmware sends at most 512 bytes, except for files. A larger limit, such as VESC Tool's 10,000, has a drawback:
    /// after a broken frame, its stop byte and the header of the next short frame, `03 02 xx`, look like the header of
    /// a frame of 512 to 767 bytes, and the client understands nothing until that many bytes have come.
    pub max_payload: usize,
    /// How many received frames are kept; the oldest are forgotten first. What one read can bring is always kept.
    pub max_kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pause_after_login: Duration::from_millis(50),
            reply_timeout: Duration::from_secs(5),
            max_payload: DEVICE_MAX_PAYLOAD,
            max_kept: 4096,
        }
    }
}

/// A session with a device.
#[derive(Debug)]
pub struct Session<S> {
    stream: S,
    options: Options,
    started: Instant,
    logged_in: bool,
    inbox: Inbox,
    ending: Option<Ending>,
}

/// Why waiting ended without a result.
enum Stop {
    TimeUp,
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Starts a session: logs in, if a login is given, and pauses.
    ///
    /// # Errors
    /// [`ClientError::LoginRefused`] if the hub closes the connection during the pause. If it closes the connection
    /// later, the first request fails. Other errors if the login line cannot be written.
    pub async fn open(
        stream: S,
        login: Option<LoginLine>,
        options: Options,
    ) -> Result<Self, ClientError> {
        let mut session = Self {
            stream,
            started: Instant::now(),
            logged_in: login.is_some(),
            inbox: Inbox::new(options.max_payload, options.max_kept.max(LEAST_KEPT)),
            ending: None,
            options,
        };
        if let Some(login) = login {
            session.log_in(&login).await?;
        }
        Ok(session)
    }

    async fn log_in(&mut self, login: &LoginLine) -> Result<(), ClientError> {
        let written = self.write(&login.encode()).await;
        if written.is_ok() {
            let pause = deadline(self.options.pause_after_login);
            self.wait_until(pause, |_| false).await;
        }
        match &self.ending {
            None => Ok(()),
            Some(Ending::Closed | Ending::Reset) => Err(ClientError::LoginRefused),
            Some(failed) => Err(ClientError::ended(failed, "the login".to_owned(), false)),
        }
    }

    /// Sends a request without waiting for its reply, which will count as unasked.
    ///
    /// # Errors
    /// If the connection has ended, or the other side does not accept the request in time.
    pub async fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        let ticket = self.begin(request).await?;
        self.inbox.close(&ticket);
        Ok(())
    }

    /// Sends a request whose reply is to be fetched by [`finish`](Self::finish).
    ///
    /// Frames that have already arrived are taken in first: they cannot be the reply.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn begin(&mut self, request: &Request) -> Result<Ticket, ClientError> {
        let payload = request.encode();
        let Some(frame) = encode(&payload) else {
            return Err(ClientError::TooLong {
                command: request.id(),
                len: payload.len(),
            });
        };
        poll_fn(|cx| {
            self.take_what_is_there(cx);
            Poll::Ready(())
        })
        .await;
        if self.ending.is_some() {
            return Err(self.ended(awaited(request)));
        }
        let ticket = self.inbox.ask(self.elapsed(), request);
        if self.write(&frame).await.is_err() {
            self.inbox.close(&ticket);
            return Err(self.ended(awaited(request)));
        }
        Ok(ticket)
    }

    /// Waits for the reply to a request that [`begin`](Self::begin) sent.
    ///
    /// # Errors
    /// If it does not come before the deadline, the connection ends, or it cannot be decoded.
    pub async fn finish(
        &mut self,
        ticket: Ticket,
        deadline: Instant,
    ) -> Result<Received, ClientError> {
        self.settle([&ticket], deadline).await;
        self.conclude(&ticket)
    }

    /// Sends a request and waits for its reply; whatever else comes meanwhile is kept.
    ///
    /// # Errors
    /// If the reply does not come in time, the connection ends, or the reply cannot be decoded.
    pub async fn ask(&mut self, request: &Request) -> Result<Received, ClientError> {
        let ticket = self.begin(request).await?;
        self.finish(ticket, deadline(self.options.reply_timeout))
            .await
    }

    /// Rapid fire: sends every request as a frame of its own without waiting, then collects the replies, in
    /// whatever order they come, until all are there or the time is up.
    ///
    /// Two requests with the same reply id are answered in order. The results are in the order of the requests.
    pub async fn ask_all(&mut self, requests: &[Request]) -> Vec<Result<Received, ClientError>> {
        let mut asked = Vec::with_capacity(requests.len());
        for request in requests {
            asked.push(self.begin(request).await);
        }
        let time_up = deadline(self.options.reply_timeout);
        self.settle(asked.iter().flatten(), time_up).await;
        asked
            .into_iter()
            .map(|ticket| self.conclude(&ticket?))
            .collect()
    }

    /// The next frame that answers no pending request: it came unasked or too late. Each frame is returned once.
    ///
    /// # Errors
    /// If none comes before the deadline, or the connection ends.
    pub async fn receive(&mut self, deadline: Instant) -> Result<Received, ClientError> {
        let begun = Instant::now();
        loop {
            if let Some(received) = self.inbox.next_unasked() {
                return Ok(received);
            }
            match self.read(deadline).await {
                Ok(()) => {}
                Err(Stop::Ended) => return Err(self.ended("a frame".to_owned())),
                Err(Stop::TimeUp) => {
                    return Err(ClientError::TimedOut {
                        awaited: "a frame".to_owned(),
                        after: begun.elapsed(),
                        seen: Vec::new(),
                        junk: 0,
                    });
                }
            }
        }
    }

    /// Closes the sending direction; frames that were received are kept.
    pub async fn close(&mut self) {
        // An error means that the other side has already gone.
        let _ = timeout_at(deadline(self.options.reply_timeout), self.stream.shutdown()).await;
    }

    /// Waits until all these requests are answered; false if the deadline or the end came first.
    pub(super) async fn settle<'t>(
        &mut self,
        tickets: impl IntoIterator<Item = &'t Ticket>,
        deadline: Instant,
    ) -> bool {
        let tickets: Vec<&Ticket> = tickets.into_iter().collect();
        self.wait_until(deadline, |inbox| {
            tickets.iter().all(|ticket| inbox.is_answered(ticket))
        })
        .await
    }

    /// Receives frames until an instant; returns earlier only if the connection ends.
    pub async fn idle(&mut self, until: Instant) {
        self.wait_until(until, |_| false).await;
    }

    pub(super) fn is_answered(&self, ticket: &Ticket) -> bool {
        self.inbox.is_answered(ticket)
    }

    /// The reply to a request, or why there is none.
    pub(super) fn conclude(&mut self, ticket: &Ticket) -> Result<Received, ClientError> {
        if let Some(answer) = self.inbox.close(ticket) {
            return match &answer.reply {
                Ok(_) => Ok(answer),
                Err(error) => Err(ClientError::Undecodable {
                    command: answer.command(),
                    error: error.clone(),
                }),
            };
        }
        let awaited = awaited(ticket.request());
        if self.ending.is_some() {
            return Err(self.ended(awaited));
        }
        let (seen, junk) = self.inbox.since(ticket);
        Err(ClientError::TimedOut {
            awaited,
            after: self.elapsed().saturating_sub(ticket.asked_at()),
            seen,
            junk,
        })
    }

    /// Receives frames until a condition is true; returns false if the deadline or the end came first.
    async fn wait_until(&mut self, deadline: Instant, done: impl Fn(&Inbox) -> bool) -> bool {
        while !done(&self.inbox) {
            if self.read(deadline).await.is_err() {
                return done(&self.inbox);
            }
        }
        true
    }

    /// Reads once.
    async fn read(&mut self, deadline: Instant) -> Result<(), Stop> {
        if self.ending.is_some() {
            return Err(Stop::Ended);
        }
        timeout_at(deadline, poll_fn(|cx| self.poll_read(cx)))
            .await
            .map_err(|_| Stop::TimeUp)?;
        // If the other side sends without a pause, the time-out above is never checked.
        if Instant::now() > deadline {
            return Err(Stop::TimeUp);
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; READ_SIZE];
        let mut buffer = ReadBuf::new(&mut space);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => self.end(Ending::Closed),
            Ok(()) => self.inbox.take_in(self.started.elapsed(), buffer.filled()),
            Err(error) => self.end(error.into()),
        }
        Poll::Ready(())
    }

    fn take_what_is_there(&mut self, cx: &mut Context<'_>) {
        while self.ending.is_none() && self.poll_read(cx).is_ready() {}
    }

    /// Writes and flushes, and reads meanwhile: otherwise both sides could wait for each other for ever.
    ///
    /// An error ends the session, as half a frame may have been sent.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), ()> {
        let mut rest = bytes;
        let written = timeout_at(
            deadline(self.options.reply_timeout),
            poll_fn(|cx| {
                let written = self.poll_write(cx, &mut rest);
                if written.is_pending() {
                    self.take_what_is_there(cx);
                }
                written
            }),
        )
        .await;
        match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => self.end(error.into()),
            Err(_) => self.end(Ending::Failed {
                kind: io::ErrorKind::TimedOut,
                message: "the other side does not accept what the client sends".to_owned(),
            }),
        }
        Err(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, rest: &mut &[u8]) -> Poll<io::Result<()>> {
        while !rest.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *rest = &rest[count..];
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl<S> Session<S> {
    /// Every frame that came, in order, except those that were forgotten.
    pub fn received(&self) -> impl DoubleEndedIterator<Item = &Received> + ExactSizeIterator {
        self.inbox.kept().iter()
    }

    /// The frames that answer no request that was pending.
    pub fn unasked(&self) -> impl DoubleEndedIterator<Item = &Received> {
        self.received()
            .filter(|received| received.asked_at.is_none())
    }

    /// How many of the oldest frames were forgotten to limit the memory.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.inbox.forgotten()
    }

    /// How many bytes came that belong to no frame.
    #[must_use]
    pub fn noise_bytes(&self) -> u64 {
        self.inbox.noise_bytes()
    }

    /// How the connection ended, if it did.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Time since the start of the session.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// When the session started, right before the login line.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// How the session behaves.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn end(&mut self, ending: Ending) {
        self.inbox.end();
        self.ending.get_or_insert(ending);
    }

    fn ended(&self, awaited: String) -> ClientError {
        let early = self.logged_in && self.inbox.frames() == 0;
        let ending = self.ending.as_ref().unwrap_or(&Ending::Closed);
        ClientError::ended(ending, awaited, early)
    }
}

/// This long from now.
pub(crate) fn deadline(after: Duration) -> Instant {
    Instant::now() + after.min(FOR_EVER)
}

/// `the reply to FW_VERSION (CAN device 84)`.
fn awaited(request: &Request) -> String {
    let id = request.reply_id().unwrap_or(CommandId::FORWARD_CAN);
    let mut text = format!("the reply to {id}");
    if let Request::ForwardCan { can_id, .. } = request {
        let _ = write!(text, " of CAN device {can_id}");
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{join, time::sleep};
    use veschub_wire::{Reply, command::CommandId};

    use super::{
        super::testing::{Peer, firmware, frames, login, pack, pair, reply_to},
        *,
    };

    const MS: Duration = Duration::from_millis(1);

    async fn direct() -> (Session<tokio::io::DuplexStream>, Peer) {
        let (stream, peer) = pair();
        let session = Session::open(stream, None, Options::default()).await;
        (session.unwrap(), peer)
    }

    fn bms() -> Reply {
        Reply::BmsValues(pack())
    }

    fn print(text: &str) -> Reply {
        Reply::Print(text.as_bytes().to_vec())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_is_matched_by_its_id_although_another_came_first() {
        let (mut session, mut peer) = direct().await;
        let ((), reply) = join!(
            async {
                peer.request().await;
                peer.say(&[print("hello")]).await;
                peer.say(&[Reply::PingCan { can_ids: vec![84] }]).await;
                sleep(3 * MS).await;
                peer.say(&[bms()]).await;
            },
            session.ask(&Request::BmsGetValues),
        );
        let reply = reply.unwrap();
        assert_eq!(reply.reply.unwrap().body, bms());
        assert_eq!((reply.asked_at, reply.at), (Some(Duration::ZERO), 3 * MS));
        let unasked: Vec<_> = session.unasked().map(Received::command).collect();
        assert_eq!(unasked, [CommandId::PRINT, CommandId::PING_CAN]);
        let next = session.receive(Instant::now()).await.unwrap();
        assert_eq!(next.command(), CommandId::PRINT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_in_single_bytes_is_put_together() {
        let (mut session, mut peer) = direct().await;
        let ((), reply) = join!(
            async {
                peer.request().await;
                for byte in frames(&[bms()]) {
                    peer.bytes(&[byte]).await;
                    sleep(MS).await;
                }
            },
            session.ask(&Request::BmsGetValues),
        );
        // 166 payload bytes and 5 of the frame, the first of them at 0.
        assert_eq!(reply.unwrap().at, 170 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn merged_frames_are_told_apart() {
        let (mut session, mut peer) = direct().await;
        let requests = [Request::FwVersion, Request::BmsGetValues];
        let ((), replies) = join!(
            async {
                while peer.request().await != Some(Request::BmsGetValues) {}
                peer.say(&[Reply::FwVersion(firmware()), bms()]).await;
            },
            session.ask_all(&requests),
        );
        let replies: Vec<_> = replies
            .into_iter()
            .map(|r| r.unwrap().reply.unwrap().body)
            .collect();
        assert_eq!(replies, [Reply::FwVersion(firmware()), bms()]);
    }

    #[tokio::test(start_paused = true)]
    async fn rapid_fire_collects_replies_out_of_order() {
        let (mut session, peer) = direct().await;
        let requests = super::super::task::bms_requests();
        let serve = peer.serve(|request| {
            Some(match request {
                Request::PingCan => 2600 * MS,
                Request::GetCustomConfig { .. } => 90 * MS,
                _ => 60 * MS,
            })
        });
        let (log, times) = join!(serve, async {
            let replies = session.ask_all(&requests).await;
            session.close().await;
            drop(session);
            replies
                .into_iter()
                .map(|reply| reply.unwrap().at)
                .collect::<Vec<_>>()
        });
        assert_eq!(times, [60 * MS, 90 * MS, 2600 * MS, 60 * MS]);
        let asked_at: Vec<_> = log.iter().map(|(at, _)| *at).collect();
        assert_eq!(asked_at, [Duration::ZERO; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn two_requests_with_one_id_are_answered_in_order() {
        let (mut session, mut peer) = direct().await;
        let requests = [
            Request::forward(84, &Request::FwVersion),
            Request::FwVersion,
        ];
        let ((), replies) = join!(
            async {
                for request in &requests {
                    peer.request().await;
                    peer.say(&[reply_to(request)]).await;
                }
            },
            session.ask_all(&requests),
        );
        for (request, reply) in requests.iter().zip(replies) {
            assert_eq!(reply.unwrap().reply.unwrap().body, reply_to(request));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_with_a_bad_crc_is_skipped_and_counted_as_noise() {
        let (mut session, mut peer) = direct().await;
        let ((), reply) = join!(
            async {
                peer.request().await;
                let mut broken = frames(&[bms()]);
                broken[20] ^= 1;
                peer.bytes(&broken).await;
                peer.say(&[bms()]).await;
            },
            session.ask(&Request::BmsGetValues),
        );
        assert_eq!(reply.unwrap().reply.unwrap().body, bms());
        assert_eq!(session.noise_bytes(), 171);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_after_the_time_out_is_kept_as_unasked() {
        let (mut session, mut peer) = direct().await;
        let ((), error) = join!(
            async {
                peer.request().await;
                sleep(5001 * MS).await;
                peer.say(&[bms()]).await;
            },
            session.ask(&Request::BmsGetValues),
        );
        assert!(
            matches!(error, Err(ClientError::TimedOut { .. })),
            "{error:?}"
        );
        let late = session.receive(deadline(MS)).await.unwrap();
        assert_eq!(
            (late.command(), late.asked_at),
            (CommandId::BMS_GET_VALUES, None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_came_before_the_request_is_not_its_reply() {
        let (mut session, mut peer) = direct().await;
        peer.say(&[Reply::PingCan { can_ids: vec![1] }]).await;
        let ((), reply) = join!(
            async {
                peer.request().await;
                peer.say(&[Reply::PingCan {
                    can_ids: vec![62, 84],
                }])
                .await;
            },
            session.ask(&Request::PingCan),
        );
        assert_eq!(reply.unwrap().payload, [62, 62, 84]);
        assert_eq!(session.unasked().next().unwrap().payload, [62, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_says_what_was_awaited_and_what_came_instead() {
        let (mut session, mut peer) = direct().await;
        session.send(&Request::Alive).await.unwrap();
        peer.say(&[print("before")]).await;
        let request = Request::forward(84, &Request::FwVersion);
        let ((), error) = join!(
            async {
                while peer.request().await != Some(request.clone()) {}
                peer.say(&[print("a"), print("b")]).await;
                peer.bytes(b"\x02\xC8half of a frame").await;
            },
            session.ask(&request),
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "the reply to FW_VERSION of CAN device 84 did not come within 5s \
             (meanwhile: PRINT ×2, 17 bytes outside of frames); ask again or allow more time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_undecodable_reply_answers_its_request_with_the_reason() {
        let (mut session, mut peer) = direct().await;
        let ((), error) = join!(
            async {
                peer.request().await;
                peer.bytes(&encode(&[96, 0, 0]).unwrap()).await;
            },
            session.ask(&Request::BmsGetValues),
        );
        assert!(
            matches!(
                error,
                Err(ClientError::Undecodable {
                    command: CommandId::BMS_GET_VALUES,
                    ..
                })
            ),
            "{error:?}"
        );
        assert!(session.received().next().unwrap().reply.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_request_waits_for_the_pause_after_the_login() {
        let (stream, mut peer) = pair();
        let (came_at, session) = join!(
            async {
                assert_eq!(peer.login().await.id, "DEMO-0001");
                let started = Instant::now();
                peer.request().await;
                started.elapsed()
            },
            async {
                let mut session = Session::open(stream, Some(login()), Options::default()).await?;
                session.send(&Request::FwVersion).await?;
                Ok::<_, ClientError>(session)
            },
        );
        assert_eq!(came_at, 50 * MS);
        assert_eq!(session.unwrap().elapsed(), 50 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_right_after_the_login_is_a_refusal() {
        let (stream, mut peer) = pair();
        let (_, session) = join!(
            async move { peer.login().await },
            Session::open(stream, Some(login()), Options::default()),
        );
        assert_eq!(session.err(), Some(ClientError::LoginRefused));
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_before_any_reply_is_most_likely_a_refusal() {
        let (stream, mut peer) = pair();
        let ((), error) = join!(
            async move {
                peer.login().await;
                sleep(80 * MS).await;
            },
            async {
                let mut session = Session::open(stream, Some(login()), Options::default()).await?;
                session.ask(&Request::FwVersion).await
            },
        );
        let error = error.unwrap_err();
        assert!(error.is_refusal(), "{error:?}");
        assert!(!error.to_string().contains("secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_before_the_end_is_an_answer_and_the_rest_is_closed_at_once() {
        let (mut session, mut peer) = direct().await;
        let requests = [Request::FwVersion, Request::BmsGetValues];
        let ((), replies) = join!(
            async move {
                peer.request().await;
                peer.say(&[Reply::FwVersion(firmware())]).await;
                peer.bytes(&frames(&[bms()])[..100]).await;
            },
            session.ask_all(&requests),
        );
        assert!(replies[0].is_ok());
        let closed = ClientError::Closed {
            awaited: "the reply to BMS_GET_VALUES".into(),
            reset: false,
        };
        assert_eq!(replies[1], Err(closed.clone()));
        assert_eq!(session.noise_bytes(), 100);
        assert_eq!(session.ask(&Request::BmsGetValues).await, Err(closed));
        assert!(session.receive(deadline(1000 * MS)).await.is_err());
        assert_eq!(session.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_does_not_grow_what_is_kept() {
        let (stream, mut peer) = pair();
        let options = Options {
            max_kept: 0,
            ..Options::default()
        };
        let mut session = Session::open(stream, None, options).await.unwrap();
        let flood = async {
            for _ in 0..100 {
                peer.say(&vec![print(""); 100]).await;
                peer.bytes(&[0x55; 10_000]).await;
            }
            peer.say(&[bms()]).await;
        };
        let ((), reply) = join!(flood, session.ask(&Request::BmsGetValues));
        assert!(reply.is_ok());
        assert_eq!(session.received().len(), LEAST_KEPT);
        assert_eq!(session.forgotten(), 10_001 - LEAST_KEPT as u64);
        assert_eq!(session.noise_bytes(), 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (stream, _peer) = tokio::io::duplex(8);
        let mut session = Session::open(stream, None, Options::default())
            .await
            .unwrap();
        let long = Request::TerminalCmd(vec![b'x'; 100]);
        let error = session.ask(&long).await.unwrap_err();
        assert!(
            matches!(
                error,
                ClientError::Io {
                    kind: io::ErrorKind::TimedOut,
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(session.elapsed(), 5000 * MS);
    }
}
