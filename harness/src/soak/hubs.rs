//! The hubs of a soak: a thread of their own that serves all of them, and what is seen of them.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
};

use serde::Serialize;
use tokio::{
    net::TcpListener,
    runtime::{self, Handle},
    sync::watch,
    task::LocalSet,
};
use veschub_drive::{observe::Observer, server};
use veschub_hub::{
    hub::{Hub, Load},
    journal::{JournalEntry, JournalEvent},
    rng::Seed,
};

use super::plan::{self, Plan};
use crate::run::RunError;

/// What a hub held and did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HubSeen {
    /// The hub's name in the soak.
    pub name: &'static str,
    /// Replies that its devices sent to tools.
    pub replies: u64,
    /// Faults that acted on its links, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests that quirks withheld or replies that they made up, by name.
    pub quirks: BTreeMap<&'static str, u64>,
    /// The most connections at a time.
    pub most_connections: usize,
    /// The most bytes that waited to be sent.
    pub most_unsent_bytes: usize,
    /// What it held last: connections, connections about to end, bytes, and events that nobody took.
    pub left: usize,
    /// Replies to tools, for each device.
    #[serde(skip)]
    pub(super) sent: BTreeMap<String, u64>,
}

/// Counts what a hub does, and keeps nothing of it.
struct Counter(Arc<Mutex<HubSeen>>);

impl Observer for Counter {
    fn happened(&mut self, entry: JournalEntry) {
        let mut seen = locked(&self.0);
        match entry.event {
            JournalEvent::Reply { .. } => {
                seen.replies += 1;
                *seen
                    .sent
                    .entry(entry.device.as_deref().unwrap_or_default().to_owned())
                    .or_default() += 1;
            }
            JournalEvent::FaultFired(fired) => *seen.faults.entry(fired.fault).or_default() += 1,
            JournalEvent::QuirkFired { quirk, .. } => *seen.quirks.entry(quirk).or_default() += 1,
            _ => {}
        }
    }

    fn rests(&mut self, holds: Load) {
        let mut seen = locked(&self.0);
        seen.most_connections = seen.most_connections.max(holds.connections);
        seen.most_unsent_bytes = seen.most_unsent_bytes.max(holds.unsent);
        seen.left = holds.connections
            + holds.waiting
            + holds.draining
            + holds.ending
            + holds.unsent
            + holds.outputs;
    }

    fn counts(&self) -> bool {
        true
    }
}

fn locked(seen: &Mutex<HubSeen>) -> MutexGuard<'_, HubSeen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hubs at work.
#[derive(Debug)]
pub(super) struct Hubs {
    pub(super) addresses: Vec<SocketAddr>,
    seen: Vec<Arc<Mutex<HubSeen>>>,
    runtime: Handle,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Hubs {
    /// Starts them, each on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If a device cannot be made, or there is no port or thread.
    pub(super) fn start(plan: &Plan, seed: Seed) -> Result<Self, RunError> {
        let (mut addresses, mut seen, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for house in &plan.houses {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            addresses.push(listener.local_addr()?);
            let one = Arc::new(Mutex::new(HubSeen {
                name: house.name,
                ..HubSeen::default()
            }));
            seen.push(Arc::clone(&one));
            // A device is made in the thread that it lives in.
            all.push((listener, house.loaded.clone(), one));
        }
        let (stop, stopped) = watch::channel(false);
        let (ready, started) = mpsc::channel();
        let serve = move || {
            let made = || {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                let mut hubs = Vec::new();
                for (listener, loaded, seen) in all {
                    hubs.push((listener, loaded.build(seed)?.into_hub(), seen));
                }
                Ok::<_, RunError>((runtime, hubs))
            };
            match made() {
                Ok((runtime, hubs)) => {
                    let _ = ready.send(Ok(runtime.handle().clone()));
                    runtime.block_on(serve_all(hubs, &stopped));
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        };
        let thread = thread::Builder::new()
            .name("hubs".to_owned())
            .spawn(serve)?;
        let runtime = started
            .recv()
            .map_err(|_| io::Error::other("the hubs' thread ended"))??;
        Ok(Self {
            addresses,
            seen,
            runtime,
            stop,
            thread,
        })
    }

    /// How many tasks carry connections now.
    pub(super) fn tasks(&self) -> usize {
        // Each hub is a task too, which lives as long as the soak.
        let hubs = self.seen.len();
        self.runtime
            .metrics()
            .num_alive_tasks()
            .saturating_sub(hubs)
    }

    /// What they hold now that should be gone when the last tool is.
    pub(super) fn left(&self) -> usize {
        self.seen.iter().map(|one| locked(one).left).sum()
    }

    /// Replies that a device sent to tools.
    pub(super) fn sent(&self, house: usize, device: usize) -> u64 {
        let found = self.seen.get(house).map(|one| {
            let seen = locked(one);
            seen.sent
                .get(&plan::id(device))
                .copied()
                .unwrap_or_default()
        });
        found.unwrap_or_default()
    }

    /// Ends them, and says what was seen of each.
    pub(super) fn end(self) -> Vec<HubSeen> {
        let _ = self.stop.send(true);
        // If the thread panicked, it has already printed why.
        let _ = self.thread.join();
        self.seen.iter().map(|one| locked(one).clone()).collect()
    }
}

/// Serves all hubs until it is told to stop.
async fn serve_all(
    hubs: Vec<(std::net::TcpListener, Hub, Arc<Mutex<HubSeen>>)>,
    stopped: &watch::Receiver<bool>,
) {
    let local = LocalSet::new();
    for (listener, hub, seen) in hubs {
        let mut stopped = stopped.clone();
        local.spawn_local(async move {
            // It was made non-blocking, so this works.
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            let shutdown = async {
                // An error means that the sender was dropped, which also means the end.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            server::serve(
                listener,
                hub,
                server::most_connections(),
                Counter(seen),
                shutdown,
            )
            .await;
        });
    }
    local.await;
}
