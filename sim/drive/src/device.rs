//! The other side: a device that logs in at somebody else's hub and comes back whenever that closes.
//!
//! It goes on as a VESC Express does (`EX main/comm_wifi.c:223-310`). To the device, the far hub is simply the one
//! connection that it has, so half a frame from before a reconnect is still in its parser afterwards.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, sleep},
};
use veschub_wire::LoginLine;

use super::{
    driver::Driver,
    stream::{ByteStream, write},
};
use veschub_hub::{hub::Hub, journal::JournalEntry};

/// From the end of a connection to the next attempt.
pub const RECONNECT_PAUSE: Duration = Duration::from_millis(10);
/// From a name that could not be looked up to the next attempt.
pub const LOOKUP_PAUSE: Duration = Duration::from_secs(1);
/// Time between signs of life, and of silence before the first; a dead hub is noticed after four of them.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// Signs of life without an answer until the connection counts as dead.
const KEEPALIVE_PROBES: u32 = 3;

/// What becomes of a device's way to the hub.
#[derive(Debug)]
pub enum News {
    /// It is connected and has said who it is; a hub does not answer, so nobody knows whether it is welcome.
    Connected(SocketAddr),
    /// It could not connect, and will try again.
    NotConnected(io::Error),
    /// The connection is over, and it will connect again.
    Ended {
        /// How long it was connected.
        after: Duration,
    },
    /// Something happened between the hub and the device.
    Happened(JournalEntry),
}

/// Why an attempt to connect failed.
enum Failed {
    Lookup(io::Error),
    Connect(io::Error),
}

/// Plays a device at the hub at `address`, a host and a port, until `shutdown` is ready.
///
/// `device` is one made with [`Hub::direct`]; its connections are those to the far hub, one after the other.
pub async fn play(
    address: &str,
    login: &LoginLine,
    device: Hub,
    report: impl Fn(News),
    shutdown: impl Future<Output = ()>,
) {
    tokio::select! {
        biased;
        () = shutdown => {}
        () = keep_connected(address, login, device, report) => {}
    }
}

async fn keep_connected(address: &str, login: &LoginLine, device: Hub, report: impl Fn(News)) {
    let mut driver = Driver::new(device, |entry: JournalEntry| report(News::Happened(entry)));
    let mut pause = Duration::ZERO;
    loop {
        driver.turn_until_reachable().await;
        let attempt = async {
            sleep(pause).await;
            connect(address, login).await
        };
        // The device's own time goes on while it is not connected.
        pause = match driver.turn_until(attempt).await {
            Ok((stream, hub)) => {
                let since = Instant::now();
                report(News::Connected(hub));
                let conn = driver.open(stream);
                driver.turn_while_open(conn).await;
                let after = since.elapsed();
                report(News::Ended { after });
                RECONNECT_PAUSE
            }
            Err(Failed::Connect(error)) => {
                report(News::NotConnected(error));
                RECONNECT_PAUSE
            }
            Err(Failed::Lookup(error)) => {
                report(News::NotConnected(error));
                LOOKUP_PAUSE
            }
        };
    }
}

async fn connect(address: &str, login: &LoginLine) -> Result<(TcpStream, SocketAddr), Failed> {
    let found = lookup_host(address).await.map_err(Failed::Lookup)?;
    let addresses: Vec<SocketAddr> = found.collect();
    let stream = TcpStream::connect(&addresses[..])
        .await
        .map_err(Failed::Connect)?;
    let hub = stream.peer_addr().map_err(Failed::Connect)?;
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE)
        .with_retries(KEEPALIVE_PROBES);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    log_in(&stream, login).await.map_err(Failed::Connect)?;
    Ok((stream, hub))
}

/// Says who it is in one write, the NUL included that ends the text in an Express' memory.
async fn log_in(stream: &impl ByteStream, login: &LoginLine) -> io::Result<()> {
    let mut line = login.encode();
    line.push(0);
    write(stream, &line).await
}
