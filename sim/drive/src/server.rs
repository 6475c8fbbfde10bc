//! The hub, or a device that serves directly, as a TCP server.
//!
//! The caller binds, so that a test can bind port 0 and a program can announce its address before anything connects.

use std::{future::Future, time::Duration};

use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use super::driver::{Driver, wait_until};
use crate::observe::Observer;
use veschub_hub::hub::Hub;

/// The most connections at a time; further ones are closed at once.
pub const MAX_CONNECTIONS: usize = 1024;
/// How long not to accept when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves a hub until `shutdown` is ready; `observe` sees all that happens.
///
/// Connections that are open then are dropped.
pub async fn serve(
    listener: TcpListener,
    hub: Hub,
    observe: impl Observer,
    shutdown: impl Future<Output = ()>,
) {
    let driver = Driver::new(hub, observe);
    serve_with(driver, listener, shutdown).await;
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
    take_in(&mut driver, first);
    serve_with(driver, listener, shutdown).await;
}

async fn serve_with(
    mut driver: Driver<impl Observer>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    tokio::pin!(shutdown);
    // While the system has no room for another connection, those that are there are served.
    let mut accept_after = None;
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            () = wait_until(accept_after), if accept_after.is_some() => accept_after = None,
            accepted = listener.accept(), if accept_after.is_none() => match accepted {
                Ok((stream, _)) => take_in(&mut driver, stream),
                Err(_) => accept_after = Some(Instant::now() + ACCEPT_PAUSE),
            },
            () = driver.turn() => {}
        }
    }
}

fn take_in(driver: &mut Driver<impl Observer>, stream: TcpStream) {
    if driver.connections() >= MAX_CONNECTIONS {
        return;
    }
    // The reference hub sets both; without the first, small frames would wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_keepalive(true);
    driver.open(stream);
}
