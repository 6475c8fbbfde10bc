//! The only file that knows sockets and the time of day: it carries bytes between a [`Hub`] and TCP.
//!
//! One task owns the hub and turns reads, writes and timers into events; each connection has a task of its own. The
//! caller binds, so that a test can bind port 0 and a program can announce its address before anything connects.

use std::{collections::HashMap, future::Future, io, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    hub::{ConnId, Event, Hub, Output},
    journal::JournalEntry,
    time::Time,
};

/// The most connections at a time; further ones are closed at once.
pub const MAX_CONNECTIONS: usize = 1024;
/// The most bytes that one read hands over.
const MAX_READ: usize = 256 * 1024;
/// How long a connection that we ended may take to end its side, so that what was sent last is not lost.
const LINGER: Duration = Duration::from_secs(1);
/// How long not to accept when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a connection's task reports.
enum Input {
    Bytes(Vec<u8>),
    Flushed(usize),
    Eof,
    Reset,
}

/// Serves a hub until `shutdown` is ready; `observe` sees every journal entry.
///
/// Connections that are open then are dropped.
pub async fn serve(
    listener: TcpListener,
    hub: Hub,
    observe: impl FnMut(JournalEntry),
    shutdown: impl Future<Output = ()>,
) {
    let (inputs_to, inputs) = mpsc::channel(256);
    let server = Server {
        hub,
        observe,
        start: Instant::now(),
        peers: HashMap::new(),
        last: 0,
        inputs_to,
    };
    server.run(listener, inputs, shutdown).await;
}

struct Server<O> {
    hub: Hub,
    observe: O,
    start: Instant,
    peers: HashMap<ConnId, Peer>,
    last: u32,
    inputs_to: mpsc::Sender<(ConnId, Input)>,
}

struct Peer {
    outputs: mpsc::UnboundedSender<Output>,
    break_off: oneshot::Sender<()>,
    task: AbortHandle,
}

impl<O: FnMut(JournalEntry)> Server<O> {
    async fn run(
        mut self,
        listener: TcpListener,
        mut inputs: mpsc::Receiver<(ConnId, Input)>,
        shutdown: impl Future<Output = ()>,
    ) {
        tokio::pin!(shutdown);
        // While the system has no room for another connection, those that are there are served.
        let mut accept_after = None;
        loop {
            self.deliver();
            let due = self
                .hub
                .poll_timeout()
                .map(|due| self.start + due.since_start());
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = wait_until(due) => self.hub.handle_timeout(self.now()),
                () = wait_until(accept_after), if accept_after.is_some() => accept_after = None,
                accepted = listener.accept(), if accept_after.is_none() => match accepted {
                    Ok((stream, _)) => self.accept(stream),
                    Err(_) => accept_after = Some(Instant::now() + ACCEPT_PAUSE),
                },
                Some((conn, input)) = inputs.recv() => self.take(conn, input),
            }
        }
        for peer in self.peers.into_values() {
            peer.task.abort();
        }
    }

    fn now(&self) -> Time {
        Time::from(self.start.elapsed())
    }

    fn accept(&mut self, stream: TcpStream) {
        self.peers.retain(|_, peer| !peer.task.is_finished());
        if self.peers.len() >= MAX_CONNECTIONS {
            return;
        }
        // A device's hub sets it too; without it, small frames would wait for acknowledgements.
        let _ = stream.set_nodelay(true);
        self.last += 1;
        let conn = ConnId(self.last);
        let (outputs, from_hub) = mpsc::unbounded_channel();
        let (break_off, broken_off) = oneshot::channel();
        let attending = attend(stream, conn, from_hub, self.inputs_to.clone(), broken_off);
        let peer = Peer {
            outputs,
            break_off,
            task: tokio::spawn(attending).abort_handle(),
        };
        self.peers.insert(conn, peer);
        self.hub.handle(self.now(), conn, Event::Opened);
    }

    fn take(&mut self, conn: ConnId, input: Input) {
        let event = match &input {
            Input::Bytes(bytes) => Event::Bytes(bytes),
            Input::Flushed(count) => Event::Flushed(*count),
            Input::Eof => Event::Eof,
            Input::Reset => Event::Reset,
        };
        self.hub.handle(self.now(), conn, event);
    }

    /// Hands on what the hub has to say.
    fn deliver(&mut self) {
        while let Some((conn, output)) = self.hub.poll_output() {
            if output == Output::Abort {
                if let Some(peer) = self.peers.remove(&conn) {
                    let _ = peer.break_off.send(());
                }
            } else if let Some(peer) = self.peers.get(&conn) {
                // A task that is gone has reported it, and the hub will hear of it.
                let _ = peer.outputs.send(output);
            }
        }
        while let Some(entry) = self.hub.poll_journal() {
            (self.observe)(entry);
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Carries one connection's bytes until it ends, or until the hub breaks it off.
async fn attend(
    stream: TcpStream,
    conn: ConnId,
    mut from_hub: mpsc::UnboundedReceiver<Output>,
    to_hub: mpsc::Sender<(ConnId, Input)>,
    broken_off: oneshot::Receiver<()>,
) {
    let (reader, mut writer) = stream.into_split();
    tokio::select! {
        biased;
        Ok(()) = broken_off => {
            // Without lingering, the peer sees a reset and not an orderly end.
            let _ = reader.as_ref().set_zero_linger();
        }
        () = carry(&reader, &mut writer, conn, &mut from_hub, &to_hub) => {}
    }
}

async fn carry(
    reader: &OwnedReadHalf,
    writer: &mut OwnedWriteHalf,
    conn: ConnId,
    from_hub: &mut mpsc::UnboundedReceiver<Output>,
    to_hub: &mpsc::Sender<(ConnId, Input)>,
) {
    let writing = write_all(writer, conn, from_hub, to_hub);
    tokio::pin!(writing);
    tokio::select! {
        biased;
        () = &mut writing => {
            // We ended it. A socket that is closed with unread input resets the connection and may destroy
            // what was sent last, so read on for a while.
            let _ = timeout(LINGER, discard(reader)).await;
        }
        end = read_all(reader, conn, to_hub) => {
            let _ = to_hub.send((conn, end)).await;
            let _ = timeout(LINGER, writing).await;
        }
    }
}

async fn write_all(
    writer: &mut OwnedWriteHalf,
    conn: ConnId,
    from_hub: &mut mpsc::UnboundedReceiver<Output>,
    to_hub: &mpsc::Sender<(ConnId, Input)>,
) {
    while let Some(output) = from_hub.recv().await {
        let input = match output {
            Output::Write(bytes) => match writer.write_all(&bytes).await {
                Ok(()) => Input::Flushed(bytes.len()),
                Err(_) => Input::Reset,
            },
            Output::Shutdown => {
                let _ = writer.shutdown().await;
                continue;
            }
            Output::Close | Output::Abort => break,
        };
        if to_hub.send((conn, input)).await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}

/// Reports all that is there as one read, like the reference hub, which reads until its buffer is empty.
async fn read_all(
    reader: &OwnedReadHalf,
    conn: ConnId,
    to_hub: &mpsc::Sender<(ConnId, Input)>,
) -> Input {
    loop {
        if reader.readable().await.is_err() {
            return Input::Reset;
        }
        let mut bytes = Vec::with_capacity(8192);
        let end = read_available(reader, &mut bytes);
        if !bytes.is_empty() && to_hub.send((conn, Input::Bytes(bytes))).await.is_err() {
            return Input::Reset;
        }
        if let Some(end) = end {
            return end;
        }
    }
}

/// Reads until nothing is left or there is enough; says how the connection ended, if it did.
fn read_available(reader: &OwnedReadHalf, bytes: &mut Vec<u8>) -> Option<Input> {
    while bytes.len() < MAX_READ {
        match reader.try_read_buf(bytes) {
            Ok(0) => return Some(Input::Eof),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => return Some(Input::Reset),
        }
    }
    None
}

async fn discard(reader: &OwnedReadHalf) {
    let mut scratch = [0; 4096];
    while reader.readable().await.is_ok() {
        match reader.try_read(&mut scratch) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
