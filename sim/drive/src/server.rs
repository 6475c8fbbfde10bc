//! The hub, or a device that serves directly, as a TCP server.
//!
//! The caller binds, so that a test can bind port 0 and a program can announce its address before anything connects.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use super::driver::{Driver, wait_until};
use crate::{
    observe::Observer,
    remote::{ListenWish, Steering},
};
use veschub_hub::hub::Hub;

/// The most descriptors that are left for everything but connections.
const SPARE: u64 = 64;
/// The most connections where the system sets no limit.
const MOST: usize = 1 << 20;
/// How long not to accept when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The most connections that this process can have at a time: what the system allows, less a few for other files.
#[must_use]
pub fn most_connections() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let most = limit.map_or(MOST, |limit| {
        usize::try_from(limit - SPARE.min(limit / 16)).unwrap_or(MOST)
    });
    most.clamp(1, MOST)
}

/// Serves a hub until `shutdown` is ready; `observe` sees all that happens.
///
/// Connections that are open then are dropped. Of more than `most` connections at a time, further ones are closed at once,
/// and the observer is told.
pub async fn serve(
    listener: TcpListener,
    hub: Hub,
    most: usize,
    observe: impl Observer,
    shutdown: impl Future<Output = ()>,
) {
    serve_steered(listener, hub, most, observe, Steering::default(), shutdown).await;
}

/// Serves a hub as [`serve`] does, and carries out what others want of it.
pub async fn serve_steered(
    listener: TcpListener,
    hub: Hub,
    most: usize,
    observe: impl Observer,
    steering: Steering,
    shutdown: impl Future<Output = ()>,
) {
    let driver = Driver::new(hub, observe).steered(steering);
    serve_with(driver, listener, most, shutdown).await;
}

/// Serves a hub as [`serve`] does, but its time starts with the first connection, as it does in virtual time: however
/// long a client takes to start, it finds the devices as they are at the start.
pub async fn serve_from_the_first(
    listener: TcpListener,
    hub: Hub,
    observe: impl Observer,
    shutdown: impl Future<Output = ()>,
) {
    tokio::pin!(shutdown);
    let first = loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => break stream,
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
        }
    };
    let mut driver = Driver::new(hub, observe);
    let most = most_connections();
    take_in(&mut driver, first, most);
    serve_with(driver, listener, most, shutdown).await;
}

async fn serve_with(
    mut driver: Driver<impl Observer>,
    listener: TcpListener,
    most: usize,
    shutdown: impl Future<Output = ()>,
) {
    tokio::pin!(shutdown);
    let mut port = Port::of(listener);
    // While the system has no room for another connection, those that are there are served.
    let mut accept_after = None;
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            () = wait_until(accept_after), if accept_after.is_some() => accept_after = None,
            accepted = port.accept(), if accept_after.is_none() => match accepted {
                Ok((stream, _)) => take_in(&mut driver, stream, most),
                Err(_) => accept_after = Some(Instant::now() + ACCEPT_PAUSE),
            },
            () = driver.turn() => {}
        }
        if let Some(wish) = driver.listen_wish() {
            port.grant(wish, &mut driver).await;
        }
    }
}

/// Where the hub listens, unless somebody has stopped it.
struct Port {
    listener: Option<TcpListener>,
    /// The same address again; none, if the system did not tell it.
    address: Option<SocketAddr>,
}

impl Port {
    fn of(listener: TcpListener) -> Self {
        Self {
            address: listener.local_addr().ok(),
            listener: Some(listener),
        }
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.listener {
            Some(listener) => listener.accept().await,
            None => std::future::pending().await,
        }
    }

    async fn grant(&mut self, wish: ListenWish, driver: &mut Driver<impl Observer>) {
        match wish {
            ListenWish::Stop {
                drop_connections,
                done,
            } => {
                if self.listener.take().is_some() {
                    driver.tell("listens no longer".to_owned());
                }
                if drop_connections {
                    driver.drop_connections();
                }
                let _ = done.send(());
            }
            ListenWish::Start(done) => {
                let result = self.start().await;
                if let Ok((address, true)) = &result {
                    driver.tell(format!("listens again at {address}"));
                }
                let _ = done.send(result.map(|(address, _)| address));
            }
            ListenWish::Ask(done) => {
                let listens = self.listener.is_some();
                let _ = done.send(self.address.filter(|_| listens));
            }
        }
    }

    /// Listens at the same address, and whether it did not before.
    async fn start(&mut self) -> io::Result<(SocketAddr, bool)> {
        let address = self.address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        if self.listener.is_some() {
            return Ok((address, false));
        }
        // tokio reuses the address, although connections of the socket before may still be ending.
        self.listener = Some(TcpListener::bind(address).await?);
        Ok((address, true))
    }
}

fn take_in(driver: &mut Driver<impl Observer>, stream: TcpStream, most: usize) {
    if driver.connections() >= most {
        return driver.refuse(most);
    }
    // The reference hub sets both; without the first, small frames would wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_keepalive(true);
    driver.open(stream);
}
