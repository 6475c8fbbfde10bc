//! A device on a UDP port: one frame a datagram.
//!
//! Each sender is a connection to the device, though UDP knows none: it has no login and no end. The hub decides who is
//! answered; a real server answers the sender of the last datagram (`vesc_tool udpserversimple.cpp:77-88`).

use std::{
    collections::VecDeque,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::{net::UdpSocket, sync::Notify};
use veschub_hub::hub::Hub;

use super::{driver::Driver, stream::ByteStream};
use crate::observe::Observer;

/// The most senders at a time; for another one, that which was heard of first is forgotten.
const MAX_SENDERS: usize = 64;
/// The most datagrams of a sender that wait for the device; further ones are lost, as they would be.
const MAX_WAITING: usize = 256;
/// The largest datagram.
const MAX_DATAGRAM: usize = 65_536;

/// Serves a device, made with [`Hub::direct`], until `shutdown` is ready; `observe` sees all that happens.
///
/// # Errors
/// If the system takes the socket away.
pub async fn serve(
    socket: UdpSocket,
    device: Hub,
    observe: impl Observer,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::select! {
        biased;
        () = shutdown => Ok(()),
        result = serve_senders(Arc::new(socket), Driver::new(device, observe)) => result,
    }
}

async fn serve_senders(
    socket: Arc<UdpSocket>,
    mut driver: Driver<impl Observer>,
) -> io::Result<()> {
    let mut senders: VecDeque<(SocketAddr, Weak<Inbox>)> = VecDeque::new();
    let mut datagram = vec![0; MAX_DATAGRAM];
    loop {
        let received = driver.turn_until(socket.recv_from(&mut datagram)).await;
        let (length, from) = match received {
            Ok(received) => received,
            // Somebody whom we answered has closed its port: that is nothing to us.
            Err(error) if is_about_a_peer(&error) => continue,
            Err(error) => return Err(error),
        };
        let bytes = datagram[..length].to_vec();
        let known = senders.iter().position(|(sender, _)| *sender == from);
        let inbox = known.and_then(|index| senders[index].1.upgrade());
        if let Some(inbox) = inbox.filter(|inbox| inbox.is_open()) {
            inbox.put(bytes);
            continue;
        }
        if let Some(index) = known {
            senders.remove(index);
        }
        if senders.len() >= MAX_SENDERS
            && let Some((_, oldest)) = senders.pop_front()
            && let Some(oldest) = oldest.upgrade()
        {
            oldest.close();
        }
        let inbox = Arc::new(Inbox::default());
        inbox.put(bytes);
        senders.push_back((from, Arc::downgrade(&inbox)));
        let socket = Arc::clone(&socket);
        driver.open(Sender {
            socket,
            peer: from,
            inbox,
        });
    }
}

/// Whether an error of the socket only tells what became of a datagram that was sent.
fn is_about_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable
    )
}

/// What a sender has sent and the device has not read.
#[derive(Default)]
struct Inbox {
    state: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    datagrams: VecDeque<Vec<u8>>,
    closed: bool,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        !self.state().closed
    }

    /// Whether there is a datagram, or the end.
    fn has_news(&self) -> bool {
        let state = self.state();
        state.closed || !state.datagrams.is_empty()
    }

    fn put(&self, datagram: Vec<u8>) {
        let mut state = self.state();
        if state.datagrams.len() < MAX_WAITING && !datagram.is_empty() {
            state.datagrams.push_back(datagram);
        }
        drop(state);
        self.changed.notify_one();
    }

    fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }
}

/// One sender of datagrams.
struct Sender {
    socket: Arc<UdpSocket>,
    peer: SocketAddr,
    inbox: Arc<Inbox>,
}

impl ByteStream for Sender {
    async fn readable(&self) -> io::Result<()> {
        while !self.inbox.has_news() {
            self.inbox.changed.notified().await;
        }
        Ok(())
    }

    fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let mut state = self.inbox.state();
        match state.datagrams.pop_front() {
            Some(datagram) => {
                bytes.extend_from_slice(&datagram);
                Ok(datagram.len())
            }
            None if state.closed => Ok(0),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.socket.try_send_to(bytes, self.peer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            // What cannot be sent is lost, and nobody is told.
            _ => Ok(bytes.len()),
        }
    }

    fn end_writing(&self) {
        self.inbox.close();
    }

    fn break_off(&self) {
        self.inbox.close();
    }
}
