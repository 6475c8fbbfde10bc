//! Drives a [`Hub`]: turns reads, writes and timers into events, and hands on what it has to say.
//!
//! One task owns the hub; each connection has a task of its own, which ends with the driver.

use std::{collections::HashMap, future::Future, sync::Arc};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::stream::{ByteStream, Input, ToHub, attend};
use crate::{
    alarm::Alarm,
    clock::{Clock, ClockChange},
    observe::Observer,
    remote::{ListenWish, Orders, Steering, Wish},
};
use veschub_hub::{
    hub::{ConnId, Event, Hub, Output},
    time::Time,
};

/// How many reports may wait for the hub before connections are not read.
const MAX_WAITING: usize = 256;
/// How many of them the hub takes before what it has to say leaves, and before it looks at timers, wishes and new
/// connections again: with 50 busy pairs, to look for each report took a fifth of this task's time.
const BURST: usize = 16;

/// A hub at work.
pub(super) struct Driver<O> {
    hub: Hub,
    observe: O,
    clock: Clock,
    alarm: Alarm,
    orders: Option<Orders>,
    /// What somebody wants of whoever listens.
    listen: Option<ListenWish>,
    peers: HashMap<ConnId, Peer>,
    last: u32,
    tasks: JoinSet<()>,
    inputs_to: ToHub,
    inputs: mpsc::Receiver<(ConnId, Input)>,
}

struct Peer {
    outputs: mpsc::UnboundedSender<Output>,
    /// Told when the hub has taken what the connection said, and the next share may come.
    taken: Arc<Notify>,
    break_off: oneshot::Sender<()>,
}

impl<O: Observer> Driver<O> {
    /// A hub without connections; `observe` sees all that happens.
    pub(super) fn new(hub: Hub, observe: O) -> Self {
        let (inputs_to, inputs) = mpsc::channel(MAX_WAITING);
        Self {
            hub,
            observe,
            clock: Clock::starting_now(1.0),
            alarm: Alarm::default(),
            orders: None,
            listen: None,
            peers: HashMap::new(),
            last: 0,
            tasks: JoinSet::new(),
            inputs_to,
            inputs,
        }
    }

    /// The same hub, steered from elsewhere.
    pub(super) fn steered(mut self, steering: Steering) -> Self {
        self.clock = steering.clock;
        self.orders = steering.orders;
        self
    }

    /// Tells the hub of a connection and carries its bytes from now on.
    pub(super) fn open(&mut self, stream: impl ByteStream) -> ConnId {
        self.last += 1;
        let conn = ConnId(self.last);
        let (outputs, from_hub) = mpsc::unbounded_channel();
        let (break_off, broken_off) = oneshot::channel();
        let taken = Arc::new(Notify::new());
        self.tasks.spawn(attend(
            stream,
            conn,
            from_hub,
            self.inputs_to.clone(),
            Arc::clone(&taken),
            broken_off,
        ));
        let peer = Peer {
            outputs,
            taken,
            break_off,
        };
        self.peers.insert(conn, peer);
        self.handle(conn, Event::Opened);
        self.deliver();
        conn
    }

    /// Tells the observer that a connection was refused, as there are this many.
    pub(super) fn refuse(&mut self, most: usize) {
        let now = self.now();
        self.observe.refused(now, most);
    }

    /// How many connections there are, those included that are about to end.
    pub(super) fn connections(&mut self) -> usize {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.len()
    }

    /// Does the next thing that is due, or what was reported. Nothing is lost if this is dropped halfway.
    pub(super) async fn turn(&mut self) {
        let due = self.hub.poll_timeout().and_then(|due| self.clock.when(due));
        tokio::select! {
            biased;
            () = self.alarm.wait_until(due) => {
                self.hub.handle_timeout(self.now());
                self.deliver();
            }
            Some(wish) = next(&mut self.orders) => self.grant(wish),
            Some((conn, input)) = self.inputs.recv() => {
                self.take(conn, input);
                for _ in 1..BURST {
                    let Ok((conn, input)) = self.inputs.try_recv() else {
                        break;
                    };
                    self.take(conn, input);
                }
                self.deliver();
            }
        }
        self.count();
    }

    /// Tells the observer how much there is, if it wants to know.
    fn count(&mut self) {
        if self.observe.counts() {
            self.observe.rests(self.hub.load());
        }
    }

    /// Drives the hub until something else is done.
    pub(super) async fn turn_until<T>(&mut self, done: impl Future<Output = T>) -> T {
        tokio::pin!(done);
        loop {
            tokio::select! {
                biased;
                result = &mut done => return result,
                () = self.turn() => {}
            }
        }
    }

    /// Drives the hub until this connection is over.
    pub(super) async fn turn_while_open(&mut self, conn: ConnId) {
        while self.peers.contains_key(&conn) {
            self.turn().await;
        }
    }

    /// Drives the hub until its one device has a link again, which it loses for a while when it restarts.
    pub(super) async fn turn_until_reachable(&mut self) {
        while !self.hub.device_is_here() {
            self.turn().await;
        }
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    /// What somebody wants of whoever listens, since this was asked last.
    pub(super) fn listen_wish(&mut self) -> Option<ListenWish> {
        self.listen.take()
    }

    /// Tells the journal that the hub listens no longer, or again.
    pub(super) fn tell(&mut self, text: String) {
        self.hub.tell(self.now(), text);
        self.deliver();
    }

    /// Ends all connections in an orderly way.
    pub(super) fn drop_connections(&mut self) {
        let mut open: Vec<ConnId> = self.peers.keys().copied().collect();
        open.sort_unstable();
        for conn in open {
            // One that is over already is not the hub's any more.
            let _ = self.hub.kick(self.now(), conn);
        }
        self.deliver();
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Order(order) => {
                let now = self.now();
                order(&mut self.hub, now);
            }
            Wish::Clock(change, done) => {
                self.change_clock(&change);
                let _ = done.send(self.clock.view());
            }
            Wish::Listen(wish) => self.listen = Some(wish),
        }
        self.deliver();
    }

    fn change_clock(&mut self, change: &ClockChange) {
        let words = change.words();
        if words.is_empty() {
            return;
        }
        self.hub.tell(self.now(), words);
        self.clock.change(change);
        // What was due meanwhile happens before anything else does.
        self.hub.handle_timeout(self.now());
    }

    fn take(&mut self, conn: ConnId, input: Input) {
        match input {
            Input::Bytes(bytes) => {
                self.handle(conn, Event::Bytes(&bytes));
                if let Some(peer) = self.peers.get(&conn) {
                    peer.taken.notify_one();
                }
            }
            Input::Flushed(count) => self.handle(conn, Event::Flushed(count)),
            Input::Eof => self.handle(conn, Event::Eof),
            Input::Reset => self.handle(conn, Event::Reset),
            Input::Ended => {
                self.peers.remove(&conn);
            }
        }
    }

    fn handle(&mut self, conn: ConnId, event: Event<'_>) {
        let now = self.now();
        self.observe.came(now, conn, &event);
        self.hub.handle(now, conn, event);
        self.tell_all();
    }

    /// Tells what happened.
    fn tell_all(&mut self) {
        while let Some(entry) = self.hub.poll_journal() {
            self.observe.happened(entry);
        }
        while let Some((at, frame)) = self.hub.poll_can() {
            self.observe.on_can(at, &frame);
        }
    }

    /// Tells what happened, then hands on what the hub has to say: who reads along knows of a reply before its tool.
    fn deliver(&mut self) {
        self.tell_all();
        self.observe.told();
        let now = self.now();
        while let Some((conn, output)) = self.hub.poll_output() {
            self.observe.goes(now, conn, &output);
            if output == Output::Abort {
                if let Some(peer) = self.peers.remove(&conn) {
                    let _ = peer.break_off.send(());
                }
            } else if let Some(peer) = self.peers.get(&conn) {
                // A task that is gone has reported it, and the hub will hear of it.
                let _ = peer.outputs.send(output);
            }
        }
    }
}

/// The next wish; for ever none, if nobody has any.
async fn next(orders: &mut Option<Orders>) -> Option<Wish> {
    match orders {
        Some(orders) => orders.0.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits until a moment; for ever, if there is none.
pub(super) async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
