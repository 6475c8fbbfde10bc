//! Relays connections between clients and somebody else's hub or device, unchanged, and reports what passes.

use std::{future::Future, io, net::SocketAddr};

use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::Instant,
};
use veschub_transcript::{Side, live::Event};

use super::stream::{ByteStream, write};
use veschub_hub::time::Time;

/// How many reports may wait before connections are not read.
const MAX_WAITING: usize = 256;
/// The most bytes that are passed on in one go.
const MAX_READ: usize = 64 * 1024;

/// Something that passed through the relay.
#[derive(Debug)]
pub struct Relayed {
    /// When it was read, counted from the start.
    pub at: Time,
    /// On which connection, counted from 1 in the order of arrival.
    pub connection: u32,
    /// What happened.
    pub event: RelayEvent,
}

/// What can happen on a relayed connection.
#[derive(Debug)]
pub enum RelayEvent {
    /// A client connected, and the relay connected to the other side.
    Opened,
    /// A client connected; the relay could not reach the other side and closed the connection.
    Unreachable(io::Error),
    /// One side sent bytes.
    Said(Side, Vec<u8>),
    /// One side ended its direction.
    Ended(Side),
    /// One side reset the connection.
    BrokenOff(Side),
}

impl RelayEvent {
    /// The same for a capture file, if there is something to write.
    #[must_use]
    pub fn for_capture(&self) -> Option<Event<'_>> {
        match self {
            Self::Opened => Some(Event::Opened),
            Self::Unreachable(_) => None,
            Self::Said(side, bytes) => Some(Event::Data(*side, bytes)),
            Self::Ended(side) => Some(Event::Closed(*side)),
            Self::BrokenOff(side) => Some(Event::Reset(*side)),
        }
    }
}

/// Passes connections on to `upstream`, a host and a port, until `shutdown` is ready; `report` is told what passed, in
/// the order of time.
pub async fn pass_on(
    listener: TcpListener,
    upstream: &str,
    mut report: impl FnMut(Relayed),
    shutdown: impl Future<Output = ()>,
) {
    let start = Instant::now();
    let (passed_to, mut passed) = mpsc::channel::<Relayed>(MAX_WAITING);
    let mut tasks = JoinSet::new();
    let mut connections = 0;
    let mut last = Time::ZERO;
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(mut one) = passed.recv() => {
                // Two tasks may report in another order than they read.
                last = last.max(one.at);
                one.at = last;
                report(one);
            }
            Ok((client, _)) = listener.accept() => {
                connections += 1;
                let reporter = Reporter { start, connection: connections, to: passed_to.clone() };
                tasks.spawn(pass(client, upstream.to_owned(), reporter));
                while tasks.try_join_next().is_some() {}
            }
        }
    }
    tasks.shutdown().await;
    passed.close();
    while let Some(one) = passed.recv().await {
        report(one);
    }
}

struct Reporter {
    start: Instant,
    connection: u32,
    to: mpsc::Sender<Relayed>,
}

impl Reporter {
    fn now(&self) -> Time {
        Time::from(self.start.elapsed())
    }

    async fn tell(&self, at: Time, event: RelayEvent) {
        let connection = self.connection;
        let _ = self
            .to
            .send(Relayed {
                at,
                connection,
                event,
            })
            .await;
    }
}

/// One side broke off, and the other is to see it.
struct BrokenOff;

async fn pass(client: TcpStream, upstream: String, reporter: Reporter) {
    let hub = match connect(&upstream).await {
        Ok(hub) => hub,
        Err(error) => {
            client.break_off();
            return reporter
                .tell(reporter.now(), RelayEvent::Unreachable(error))
                .await;
        }
    };
    let _ = client.set_nodelay(true);
    let _ = hub.set_nodelay(true);
    reporter.tell(reporter.now(), RelayEvent::Opened).await;
    let passed = tokio::try_join!(
        pass_one_way(&client, &hub, Side::Initiator, &reporter),
        pass_one_way(&hub, &client, Side::Responder, &reporter),
    );
    if passed.is_err() {
        client.break_off();
        hub.break_off();
    }
}

async fn connect(upstream: &str) -> io::Result<TcpStream> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host(upstream).await?.collect();
    TcpStream::connect(&found[..]).await
}

async fn pass_one_way(
    from: &TcpStream,
    to: &TcpStream,
    side: Side,
    reporter: &Reporter,
) -> Result<(), BrokenOff> {
    loop {
        let mut bytes = Vec::with_capacity(MAX_READ);
        let read = match from.readable().await {
            Ok(()) => from.try_read_buf(&mut bytes),
            Err(error) => Err(error),
        };
        let at = reporter.now();
        match read {
            Ok(0) => {
                reporter.tell(at, RelayEvent::Ended(side)).await;
                let _ = SockRef::from(to).shutdown(std::net::Shutdown::Write);
                return Ok(());
            }
            Ok(_) => {
                let written = write(to, &bytes).await;
                reporter.tell(at, RelayEvent::Said(side, bytes)).await;
                if written.is_err() {
                    reporter.tell(at, RelayEvent::BrokenOff(side.other())).await;
                    return Err(BrokenOff);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => {
                reporter.tell(at, RelayEvent::BrokenOff(side)).await;
                return Err(BrokenOff);
            }
        }
    }
}
