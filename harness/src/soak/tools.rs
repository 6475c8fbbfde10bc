//! The tools of a soak: each of them comes to its device again and again until the time is up.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{Rng as _, RngExt as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use veschub_hub::rng::Rng;
use veschub_wire::{
    CommandId, LoginKind, LoginLine, Reply, Request,
    view::{Value, View as _},
};

use super::{
    plan::{self, PASSWORD, Temper, Visitor, Whose},
    slow::Slow,
    tally::{Flaw, Tally},
};
use crate::client::{ClientError, Options, Received, Session};

/// How long a reply is waited for that nothing may lose. A scan of the CAN bus takes 2.5 s, and a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a reply is waited for that may be lost.
const LESS_PATIENCE: Duration = Duration::from_millis(600);
/// How many rounds a session has.
const ROUNDS: u32 = 40;
/// In one of so many sessions the CAN bus is scanned, which takes seconds.
const SCANS: u32 = 4;

/// A tool with all that it needs to know.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) visitor: Visitor,
    pub(super) address: SocketAddr,
    /// Whether all replies must arrive at this hub.
    pub(super) keeps_all: bool,
    /// How many devices there are.
    pub(super) devices: usize,
    pub(super) until: Instant,
    pub(super) tally: Arc<Mutex<Tally>>,
}

impl Tool {
    /// Comes again and again.
    pub(super) async fn live(self) {
        for visit in 0.. {
            let mut rng = self.visitor.seed.stream(visit);
            // Not all at the same moment.
            sleep(Duration::from_millis(rng.random_range(0..200))).await;
            if self.is_over() {
                return;
            }
            // The hub is in this process; where it takes no connection, the counts show it.
            if let Ok(stream) = TcpStream::connect(self.address).await {
                let _ = stream.set_nodelay(true);
                {
                    let mut tally = self.tally();
                    tally.sessions += 1;
                    *tally.tempers.entry(self.visitor.temper.name()).or_default() += 1;
                }
                self.visit(stream, &mut rng).await;
            }
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether each of its requests must be answered, and its session be ended by nobody else.
    fn is_alone(&self) -> bool {
        self.keeps_all && self.visitor.temper != Temper::Sharing
    }

    fn login(&self) -> LoginLine {
        LoginLine::new(LoginKind::Tool, &plan::id(self.visitor.device), PASSWORD)
    }

    async fn visit(&self, stream: TcpStream, rng: &mut Rng) {
        match self.visitor.temper {
            Temper::Good | Temper::Sharing => self.ask(stream, ROUNDS, rng).await,
            Temper::Slow => self.ask(Slow::new(stream), 2, rng).await,
            Temper::Reconnecting => {
                if rng.random_ratio(1, 3) {
                    // Then the connection is broken off at the end.
                    let _ = stream.set_zero_linger();
                }
                self.ask(stream, 1, rng).await;
            }
            Temper::Silent => self.say_nothing(stream, rng).await,
            Temper::HalfOpen => self.stop_halfway(stream).await,
            Temper::Garbage => self.talk_nonsense(stream, rng).await,
        }
    }

    /// A session that is judged.
    async fn ask<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, rounds: u32, rng: &mut Rng) {
        let options = Options {
            reply_timeout: if self.keeps_all {
                PATIENCE
            } else {
                LESS_PATIENCE
            },
            ..Options::default()
        };
        let mut session = match Session::open(stream, Some(self.login()), options).await {
            Ok(session) => session,
            Err(error) => return self.ended(&error),
        };
        let scans = rng.random_ratio(1, SCANS);
        for round in 0..rounds {
            let requests = self.round(scans && round == 0, rng);
            let results = if rng.random_ratio(1, 2) {
                session.ask_all(&requests).await
            } else {
                let mut results = Vec::new();
                for request in &requests {
                    results.push(session.ask(request).await);
                }
                results
            };
            let mut is_over = self.is_over();
            for (request, result) in requests.iter().zip(results) {
                is_over |= !self.note(request, result);
            }
            if is_over {
                break;
            }
            session
                .idle(Instant::now() + Duration::from_millis(rng.random_range(0..30)))
                .await;
        }
        for received in session.received() {
            self.look_at(received);
        }
        if self.is_alone() {
            let count = session.received().len() as u64 + session.forgotten();
            *self.tally().arrived.entry(self.visitor.device).or_default() += count;
        }
        if self.keeps_all && session.noise_bytes() > 0 {
            let noise = session.noise_bytes();
            self.wrong(Flaw::Wrong, || {
                format!("{noise} bytes that belong to no frame")
            });
        }
        session.close().await;
    }

    /// The requests of a round, in an order in which no quirk withholds a reply if they go out at once.
    fn round(&self, scan: bool, rng: &mut Rng) -> Vec<Request> {
        let mut requests = vec![Request::FwVersion];
        if scan {
            requests.extend([Request::GetCustomConfig { index: 0 }, Request::PingCan]);
        }
        if rng.random_ratio(4, 5) {
            requests.push(Request::BmsGetValues);
        }
        // Its reply looks like that of the device: one of the two at a time.
        if rng.random_ratio(1, 2) {
            let node = plan::can_ids(self.visitor.device)[usize::from(rng.random_ratio(1, 2))];
            requests[0] = Request::forward(node, &Request::FwVersion);
        }
        requests
    }

    /// Judges the answer to a request; returns false if the session is over.
    fn note(&self, request: &Request, result: Result<Received, ClientError>) -> bool {
        self.tally().requests += 1;
        match result {
            Ok(received) => {
                if self.is_alone() {
                    self.look_who(request, &received);
                }
                true
            }
            Err(ClientError::Undecodable { .. }) => true, // It is among the received, and looked at there.
            Err(error @ ClientError::TimedOut { .. }) if self.keeps_all => {
                self.wrong(Flaw::Lost, || error.to_string());
                true
            }
            Err(ClientError::TimedOut { .. }) => {
                self.tally().may_be_lost += 1;
                true
            }
            Err(error) => {
                self.ended(&error);
                false
            }
        }
    }

    /// The connection ended, or the login was refused.
    fn ended(&self, error: &ClientError) {
        if self.is_alone() {
            self.wrong(Flaw::Lost, || error.to_string());
        } else {
            self.tally().may_be_lost += 1;
        }
    }

    /// Compares the values of a frame with what the device holds.
    fn look_at(&self, received: &Received) {
        self.tally().replies += 1;
        let command = received.command();
        match &received.reply {
            Err(error) => self.wrong(Flaw::Wrong, || format!("{command}: {error}")),
            Ok(reply) => match plan::whose(&reply.body, self.devices) {
                Some(Whose::Anybody) => {}
                Some(Whose::Device(device)) if device == self.visitor.device => {}
                Some(Whose::Device(other)) => {
                    self.wrong(Flaw::Misplaced, || {
                        format!("{command} has the values of {}", plan::id(other))
                    });
                }
                None => self.wrong(Flaw::Wrong, || {
                    format!("{command} has values that no device holds")
                }),
            },
        }
    }

    /// Compares the hardware's name in a reply with that of whom the request was for: the device, or one of its nodes.
    fn look_who(&self, request: &Request, received: &Received) {
        let Ok(reply) = &received.reply else { return };
        if !matches!(reply.body, Reply::FwVersion(_)) {
            return;
        }
        let id = plan::id(self.visitor.device);
        let wanted = match request {
            Request::ForwardCan { can_id, .. }
                if *can_id == plan::can_ids(self.visitor.device)[0] =>
            {
                format!("{id}-A")
            }
            Request::ForwardCan { .. } => format!("{id}-B"),
            _ => id,
        };
        let fields = reply.body.fields();
        let seen = match fields.get("hardware") {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        if seen != wanted {
            self.wrong(Flaw::Misplaced, || {
                format!("the reply of {wanted} has the values of {seen}")
            });
        }
    }

    fn wrong(&self, flaw: Flaw, words: impl FnOnce() -> String) {
        let (temper, id) = (self.visitor.temper.name(), plan::id(self.visitor.device));
        self.tally()
            .note(flaw, || format!("a {temper} tool at {id}: {}", words()));
    }

    /// Stays for a while, logged in or not, and reads what comes, which is nothing.
    async fn say_nothing(&self, mut stream: TcpStream, rng: &mut Rng) {
        if rng.random_ratio(1, 2) {
            let _ = stream.write_all(&self.login().encode()).await;
        }
        let stay = Duration::from_millis(rng.random_range(100..1500));
        let mut buffer = [0; 256];
        let reading = async { while let Ok(1..) = stream.read(&mut buffer).await {} };
        let _ = timeout(stay, reading).await;
    }

    /// Asks, ends its side, and does not read what comes.
    async fn stop_halfway(&self, mut stream: TcpStream) {
        let mut bytes = self.login().encode();
        let ask = veschub_wire::encode(&[CommandId::BMS_GET_VALUES.0]).unwrap_or_default();
        bytes.extend(ask.repeat(20));
        let _ = stream.write_all(&bytes).await;
        sleep(Duration::from_millis(60)).await;
        let _ = stream.write_all(&ask).await;
        let _ = stream.shutdown().await;
        sleep(Duration::from_millis(500)).await;
    }

    /// Sends bytes that are drawn, and frames that are not whole, with a login before them or without.
    async fn talk_nonsense(&self, mut stream: TcpStream, rng: &mut Rng) {
        if rng.random_ratio(2, 3) {
            let _ = stream.write_all(&self.login().encode()).await;
            sleep(Duration::from_millis(30)).await;
        }
        for _ in 0..rng.random_range(1..8) {
            let mut bytes = vec![0; rng.random_range(1..300)];
            rng.fill_bytes(&mut bytes);
            if rng.random_ratio(1, 2) {
                // It looks like the start of a long frame.
                bytes[0] = 3;
            }
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(rng.random_range(0..50))).await;
        }
    }
}
