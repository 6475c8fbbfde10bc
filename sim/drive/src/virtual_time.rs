//! A hub and its clients joined in memory, in virtual time: what `driver` is for sockets and the time of day.
//!
//! The clock is tokio's, paused: it jumps to the next timer when every task waits, so minutes of protocol pass in
//! milliseconds. Its timers have a grain of 1 ms. What a client writes is therefore handed to the hub 1 ms later but
//! with the time at which it was written: all bytes of one instant are one read, different instants never merge.
//! The journal's times come from the hub's own schedule, exact to the nanosecond.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::Instant,
};
use veschub_hub::{
    hub::{ConnId, Event, Hub, Output},
    time::Time,
};

use crate::{driver::wait_until, observe::Observer};

/// How long what was written at one instant may still grow.
const GRAIN: Duration = Duration::from_millis(1);

/// The connections between a hub and its clients.
#[derive(Clone)]
pub struct Network(Rc<Shared>);

struct Shared {
    start: Instant,
    state: RefCell<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    last: u32,
    /// How often a client has read on behind an end.
    idle_reads: u64,
    /// What clients did, in the order in which they did it.
    events: VecDeque<(Time, ConnId, Did)>,
    ends: BTreeMap<ConnId, End>,
}

/// What a client did.
enum Did {
    Open,
    Write(Vec<u8>),
    /// Ended its side, or let the connection go.
    Shutdown,
}

/// The client's end of a connection.
#[derive(Default)]
struct End {
    unread: VecDeque<u8>,
    closed: bool,
    aborted: bool,
    waker: Option<Waker>,
}

impl Network {
    /// A network that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(Shared {
            start: Instant::now(),
            state: RefCell::default(),
            changed: Notify::new(),
        }))
    }

    /// Connects a client to the hub.
    #[must_use]
    pub fn connect(&self) -> Connection {
        let mut state = self.0.state.borrow_mut();
        state.last += 1;
        let conn = ConnId(state.last);
        state.ends.insert(conn, End::default());
        drop(state);
        self.did(conn, Did::Open);
        Connection {
            network: self.clone(),
            conn,
        }
    }

    /// Time since the start, as clients see it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// How often clients have read where nothing comes any more. Once is how an end is found out.
    #[must_use]
    pub fn idle_reads(&self) -> u64 {
        self.0.state.borrow().idle_reads
    }

    /// Time since the start.
    #[must_use]
    fn now(&self) -> Time {
        Time::from(self.0.start.elapsed())
    }

    /// Carries bytes between the hub and the clients for ever; `observe` sees all that happens.
    pub async fn drive(&self, hub: &mut Hub, mut observe: impl Observer) -> Infallible {
        loop {
            self.catch_up(hub, &mut observe);
            while let Some(entry) = hub.poll_journal() {
                observe.happened(entry);
            }
            while let Some((at, frame)) = hub.poll_can() {
                observe.on_can(at, &frame);
            }
            let due = self.next_due(hub);
            tokio::select! {
                biased;
                () = self.0.changed.notified() => {}
                () = wait_until(due) => {}
            }
        }
    }

    /// Does everything that is due, in the order of time.
    fn catch_up(&self, hub: &mut Hub, observe: &mut impl Observer) {
        let now = self.now();
        loop {
            let event = self.first_event().filter(|&written| written + GRAIN <= now);
            let timeout = hub.poll_timeout().filter(|&due| due <= now);
            match (event, timeout) {
                (Some(written), due) if due.is_none_or(|due| written < due) => {
                    self.take_event(hub, observe);
                    self.deliver(written, hub, observe);
                }
                (_, Some(due)) => {
                    hub.handle_timeout(due);
                    self.deliver(due, hub, observe);
                }
                _ => break,
            }
        }
    }

    fn first_event(&self) -> Option<Time> {
        let state = self.0.state.borrow();
        state.events.front().map(|&(at, _, _)| at)
    }

    fn take_event(&self, hub: &mut Hub, observe: &mut impl Observer) {
        let mut state = self.0.state.borrow_mut();
        let Some((at, conn, did)) = state.events.pop_front() else {
            return;
        };
        let written;
        let event = match did {
            Did::Open => Event::Opened,
            Did::Shutdown => Event::Eof,
            Did::Write(mut bytes) => {
                while let Some((then, other, Did::Write(more))) = state.events.front()
                    && (*then, *other) == (at, conn)
                {
                    bytes.extend(more);
                    state.events.pop_front();
                }
                written = bytes;
                Event::Bytes(&written)
            }
        };
        drop(state);
        observe.came(at, conn, &event);
        hub.handle(at, conn, event);
    }

    /// Hands the hub's output of a moment to the clients.
    fn deliver(&self, at: Time, hub: &mut Hub, observe: &mut impl Observer) {
        let mut flushed = Vec::new();
        let mut state = self.0.state.borrow_mut();
        while let Some((conn, output)) = hub.poll_output() {
            observe.goes(at, conn, &output);
            let Some(end) = state.ends.get_mut(&conn) else {
                continue;
            };
            match output {
                Output::Write(bytes) => {
                    flushed.push((conn, bytes.len()));
                    end.unread.extend(bytes);
                }
                Output::Shutdown | Output::Close => end.closed = true,
                Output::Abort => end.aborted = true,
            }
            if let Some(waker) = end.waker.take() {
                waker.wake();
            }
        }
        drop(state);
        for (conn, count) in flushed {
            hub.handle(self.now(), conn, Event::Flushed(count));
        }
    }

    fn next_due(&self, hub: &Hub) -> Option<Instant> {
        let event = self.first_event().map(|written| written + GRAIN);
        let due = event.into_iter().chain(hub.poll_timeout()).min()?;
        Some(self.0.start + due.since_start())
    }

    fn did(&self, conn: ConnId, did: Did) {
        let at = self.now();
        self.0.state.borrow_mut().events.push_back((at, conn, did));
        self.0.changed.notify_one();
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// A client's connection to the hub. Dropping it ends it.
pub struct Connection {
    network: Network,
    conn: ConnId,
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.network.0.state.borrow_mut();
        let end = state.ends.entry(self.conn).or_default();
        if end.aborted {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let is_over = end.unread.is_empty() && end.closed;
        if end.unread.is_empty() && !end.closed {
            end.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let (first, _) = end.unread.as_slices();
        let count = first.len().min(buffer.remaining());
        buffer.put_slice(&first[..count]);
        end.unread.drain(..count);
        if is_over {
            state.idle_reads += 1;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.network.did(self.conn, Did::Write(bytes.to_vec()));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.network.did(self.conn, Did::Shutdown);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.network.did(self.conn, Did::Shutdown);
    }
}
