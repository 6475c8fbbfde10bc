//! A hub inside a test, for clients written in Rust: they need no process of their own.

use std::{
    cell::RefCell,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, runtime, sync::oneshot, time::sleep};
use veschub_drive::server;
use veschub_hub::{
    journal::{JournalEntry, JournalEvent},
    rng::Seed,
};
use veschub_scenario::{Loaded, Target};
use veschub_wire::{CommandId, Request};

use super::RunError;
use crate::{
    judge::{self, Assignment, Difference, Outcome, Played, Verdict},
    outside::{ending::ProcessEnd, output::Line},
    report::differences,
};

/// How long the hub may take to notice the last bytes of the client.
const FAREWELL: Duration = Duration::from_millis(50);

/// A hub on a free loopback port, with a thread of its own: any number of them can run at once.
///
/// When it is dropped, it stops and **checks the client**: it panics with the whole report if an expectation of the
/// scenario was not met or a reading was wrong, unless the thread is panicking already. [`Hub::finish`] returns the
/// verdict instead.
///
/// ```
/// use std::{io::{Read, Write}, net::TcpStream};
/// use veschub_harness::Hub;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hub = Hub::builder()
///     .yaml("{ version: 1, hub: { profile: ideal }, devices: [express: { id: demo-0001, password: not-a-secret, bus: 'off' }], \
///             expect: [requests: [PING_CAN]] }")
///     .start()?;
///
/// // Your client scans the bus here: it logs in, sends a frame and reads one. (A hub without `profile: ideal`
/// // behaves like the real hub, which needs a pause after the login.)
/// let mut client = TcpStream::connect(hub.address())?;
/// writeln!(client, "VESCTOOL:{}:{}", hub.id(), hub.password())?;
/// client.write_all(&[2, 1, 62, 0xD7, 0x9D, 3])?;
/// let mut reply = [0; 6];
/// client.read_exact(&mut reply)?;
/// assert_eq!(reply[2], 62);
///
/// // The hub compares what your client understood with what the device sent.
/// hub.reading(r#"{ "command": "PING_CAN", "fields": { "can_ids": [] } }"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Hub {
    loaded: Loaded,
    target: Option<Target>,
    address: SocketAddr,
    start: Instant,
    journal: Arc<Mutex<Vec<JournalEntry>>>,
    lines: Mutex<Vec<Line>>,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// Describes a [`Hub`] before it is started.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    source: Source,
    settings: Vec<String>,
    seed: u64,
    is_direct: bool,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Demo,
    File(PathBuf),
    Text(String),
}

impl Builder {
    /// Takes the hub of a scenario file. Of the task of the scenario's client, only one that drives a motor is judged:
    /// otherwise your client decides what to do.
    #[must_use]
    pub fn scenario(mut self, path: impl AsRef<Path>) -> Self {
        self.source = Source::File(path.as_ref().to_owned());
        self
    }

    /// Takes the hub of a scenario in YAML; relative paths in it start at the current directory.
    #[must_use]
    pub fn yaml(mut self, text: impl Into<String>) -> Self {
        self.source = Source::Text(text.into());
        self
    }

    /// Replaces a value of the scenario: `devices.0.express.bms.cells`, `12`.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl std::fmt::Display) -> Self {
        self.settings.push(format!("{path}={value}"));
        self
    }

    /// Says what your client is going to do, as scenarios do: `drive: { current_a: 5, for: 1s }`. Then the hub also judges
    /// what your client sets: its unit, how often, and that it stops the motor at the end.
    #[must_use]
    pub fn task(mut self, task: impl std::fmt::Display) -> Self {
        self.settings.push(format!("client={{ {task} }}"));
        self
    }

    /// Leaves out the hub: your client talks to the first device without a login, as to a controller's own TCP server.
    #[must_use]
    pub fn direct(mut self) -> Self {
        self.is_direct = true;
        self
    }

    /// Sets the seed of everything random; the default is 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Starts the hub, which listens when this returns.
    ///
    /// # Errors
    /// If the scenario cannot be read or compiled, or no socket or thread can be created.
    pub fn start(self) -> Result<Hub, RunError> {
        let loaded = match &self.source {
            Source::Demo => Loaded::demo_with(&self.settings)?,
            Source::File(path) => veschub_disk::open(path, &self.settings)?,
            Source::Text(text) => {
                veschub_disk::parse("scenario", text, Path::new("."), &self.settings)?
            }
        };
        // A port of 0 is a free one.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let journal = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let thread = {
            let (loaded, journal) = (loaded.clone(), Arc::clone(&journal));
            let (seed, is_direct) = (Seed(self.seed), self.is_direct);
            let serve = move || {
                serve(
                    &loaded, seed, is_direct, listener, &journal, stopped, &ready,
                )
            };
            thread::Builder::new()
                .name("veschub".to_owned())
                .spawn(serve)?
        };
        let target = started
            .recv()
            .map_err(|_| io::Error::other("the hub's thread ended"))??;
        Ok(Hub {
            loaded,
            target,
            address,
            start: Instant::now(),
            journal,
            lines: Mutex::new(Vec::new()),
            serving: Some((stop, thread)),
        })
    }
}

/// The hub's thread: builds the world, reports the first device, and serves until it is told to stop.
fn serve(
    loaded: &Loaded,
    seed: Seed,
    is_direct: bool,
    listener: std::net::TcpListener,
    journal: &Mutex<Vec<JournalEntry>>,
    stopped: oneshot::Receiver<()>,
    ready: &mpsc::Sender<Result<Option<Target>, RunError>>,
) {
    let built = loaded
        .build(seed)
        .map_err(RunError::from)
        .and_then(|world| {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            Ok((world, runtime))
        });
    let (world, runtime) = match built {
        Ok(built) => built,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                let _ = ready.send(Err(error.into()));
                return;
            }
        };
        let target = world.targets.first().cloned();
        let hub = match is_direct {
            true => world.into_device(),
            false => Some(world.into_server()),
        };
        let Some(hub) = hub else {
            let _ = ready.send(Err(io::Error::other("there is no device").into()));
            return;
        };
        let _ = ready.send(Ok(target));
        let journal = RefCell::new(journal);
        let observe = |entry| locked(*journal.borrow_mut()).push(entry);
        let shutdown = async {
            // An error means that the sender was dropped, which also means the end.
            let _ = stopped.await;
            sleep(FAREWELL).await;
        };
        server::serve(listener, hub, server::most_connections(), observe, shutdown).await;
    });
}

/// The data behind a mutex, even if a thread panicked while it held the lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// Describes a hub; without further calls, it is the hub of `veschub-sim serve --demo`.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The address of the hub: 127.0.0.1 and a free port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the first device.
    #[must_use]
    pub fn id(&self) -> &str {
        self.target.as_ref().map_or("", |target| &target.id)
    }

    /// The password of the first device.
    #[must_use]
    pub fn password(&self) -> &str {
        let password = self
            .target
            .as_ref()
            .and_then(|target| target.password.as_deref());
        password.unwrap_or_default()
    }

    /// What has happened so far.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        locked(&self.journal).clone()
    }

    /// The requests that have reached a device so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let decode = |entry: &JournalEntry| match &entry.event {
            JournalEvent::Request(payload) => Request::decode(payload).ok(),
            _ => None,
        };
        let journal = locked(&self.journal);
        journal
            .iter()
            .filter_map(decode)
            .map(|request| request.body)
            .collect()
    }

    /// How often a command has reached a device so far.
    #[must_use]
    pub fn count(&self, command: CommandId) -> usize {
        let requests = self.requests();
        requests
            .iter()
            .filter(|request| request.id() == command)
            .count()
    }

    /// Adds a reading of your client now: a line of JSON as an outside client prints it. It is judged at the end.
    ///
    /// A reading passes only if it says something. A line without any value, a name that no field has, and a null for a
    /// field that the device sent are mistakes; leave out what your client does not read.
    pub fn reading(&self, line: &str) {
        let after = locked(&self.journal).len();
        let mut lines = locked(&self.lines);
        let number = lines.len() + 1;
        lines.push(Line {
            number,
            at: self.start.elapsed(),
            after,
            text: line.as_bytes().to_vec(),
            cut: false,
        });
    }

    /// Stops the hub and returns the verdict.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        self.stop();
        self.judge()
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.serving.take() {
            drop(stop);
            // If the thread panicked, it has already printed why.
            let _ = thread.join();
        }
    }

    fn judge(&self) -> Verdict {
        let lines = locked(&self.lines).clone();
        let played = Played::of(self.journal(), lines, ProcessEnd::Exited { code: 0 });
        let assignment = Assignment {
            scenario: &self.loaded.scenario,
            target: self.target.as_ref(),
            task: "this",
            password: self.password(),
            is_told: false,
        };
        let mut verdict = judge::judge(&assignment, &played);
        verdict.demand_values();
        verdict
    }
}

impl Drop for Hub {
    #[expect(
        clippy::panic,
        reason = "a test must fail if its client did not pass the checks"
    )]
    fn drop(&mut self) {
        if self.serving.is_none() {
            return;
        }
        self.stop();
        let verdict = self.judge();
        if verdict.outcome() == Outcome::Failed && !thread::panicking() {
            let all: Vec<Difference> = verdict.differences().cloned().collect();
            panic!(
                "the client did not pass the checks of its hub:\n{}",
                differences::table(&all)
            );
        }
    }
}
