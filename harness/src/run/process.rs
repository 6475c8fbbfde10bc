//! Runs an outside client: a hub or a device on a free loopback port or a pseudo-terminal, in real time, and the
//! program under its supervisor.
//!
//! Lines of the program and events at the hub are ordered by cause, not by clock: before each step of the hub, the
//! program's pipe is emptied. So a line that was printed before a request was sent comes before that request, even if
//! a busy machine handles both late.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    fs::File,
    future::Future,
    io,
    net::Ipv4Addr,
    os::fd::{AsFd as _, OwnedFd},
    os::unix::{net::UnixStream as StdUnixStream, process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::LazyLock,
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream, unix::pipe},
    runtime,
    sync::{Semaphore, oneshot},
    time::{Instant, sleep},
};
use veschub_drive::observe::Observer;
use veschub_drive::{
    pty::{self, Pty},
    server,
};
use veschub_hub::{
    hub::Hub,
    journal::{JournalEntry, JournalEvent},
};
use veschub_scenario::World;

use super::{
    Second,
    errand::Errand,
    kept::Kept,
    tape::Tape,
    to_be_struck,
    watch::{Held, Pipes, Record, finish, watch},
};
use crate::{
    family::{Means, Signs},
    judge::{Played, driving},
    outside::{
        Variable,
        command::Template,
        link::{Address, Link},
        output::Lines,
        task::{Task, VARIABLES},
    },
    proc, supervise,
};

/// How long the hub may take to notice that the client is gone.
const FAREWELL: Duration = Duration::from_millis(20);
/// How much longer than the client's time a supervisor may take that nobody has killed or stopped.
pub(super) const SUPERVISOR: Duration = Duration::from_secs(15);

/// Lets one client for each core start at a time. Starting is what keeps a machine busy: then a hub reads late, and could
/// take two writes of a client for one.
static STARTING: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(cores)
});

/// An outside client, and how it is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its command.
    pub command: Template,
    /// How it reaches the device.
    pub link: Link,
    /// The program that supervises it: `veschub-harness`.
    pub supervisor: PathBuf,
    /// How long it may run, if not as long as its task can take.
    pub limit: Option<Duration>,
    /// How long it may take to end after SIGTERM.
    pub grace: Duration,
    /// By what means its processes are ended.
    pub means: Means,
}

/// Runs the program against the world, while a second tool or device connects, or a signal strikes the program.
///
/// # Errors
/// If no socket can be opened, or the supervisor cannot be started.
pub(crate) fn witness_with(
    world: World,
    errand: &Errand<'_>,
    task: &Task,
    program: &Program,
) -> io::Result<Played> {
    // One thread, so that the hub, the pipe and the journal are never used at the same time.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let target = world.targets.first().cloned();
        let place = Place::open(program.link).await?;
        let address = place.address()?;
        let environment = task.environment(&address, target.as_ref());
        let no_device = || io::Error::other("there is no device that could serve without a hub");
        let hub = program.link.server(world).ok_or_else(no_device)?;
        let limit = program.limit.unwrap_or_else(|| task.limit());
        let secret = task.password(target.as_ref());
        let starting = STARTING.acquire().await.ok();
        let memory = proc::out_of_memory();
        let signs = Held(Signs::new(program.means));
        let client = Client::start(program, limit, &environment, &signs)?;
        let record = RefCell::new(Record {
            start: Instant::now(),
            starting,
            tap: client.tap,
            journal: Kept::default(),
            lines: Lines::default(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // An error means that the sender was dropped, which also means the end.
            let _ = stopped.await;
        };
        let struck = Cell::new(None);
        let mut tape = Tape::new()?;
        let observe = tape.watch(|entry| {
            let mut record = record.borrow_mut();
            record.drain();
            if record.journal.is_empty() {
                // The hub's time starts with the first connection; lines are told by the same clock.
                record.start = Instant::now();
                record.starting = None;
            }
            record.journal.push(entry);
        });
        let serving = place.serve(hub, observe, shutdown);
        let watching = async {
            let time = limit + program.grace + SUPERVISOR;
            let has_driven = || driving::has_driven(&record.borrow().journal);
            let strike = async {
                let blow = to_be_struck(errand.strike, has_driven).await;
                struck.set(Some(record.borrow().start.elapsed()));
                blow
            };
            let seen = watch(client.pipes, &signs, time, &record, &secret, strike).await;
            sleep(FAREWELL).await;
            drop(stop);
            seen
        };
        let session = async {
            tokio::select! {
                biased;
                seen = watching => seen,
                never = intrude(errand.second, &address, &record) => match never {},
                never = let_others_start(&record) => match never {},
            }
        };
        let (served, (told, stderr)) = tokio::join!(serving, session);
        let mut report = finish(client.supervisor, told, memory)?;
        served?;
        report.how = report.how.explained(&stderr.text());
        let mut record = record.into_inner();
        record.drain();
        let (at, after) = (record.start.elapsed(), record.journal.len());
        record.lines.finish(at, after);
        Ok(Played {
            forgotten_lines: record.lines.forgotten(),
            forgotten_entries: record.journal.left_out(),
            journal: record.journal.into_entries(),
            lines: record.lines.lines,
            printed: record.lines.excerpt.total(),
            stderr,
            report,
            idle_reads: None,
            limit,
            is_real_time: true,
            capture: tape.finish(),
            struck: struck.get(),
            own: None,
        })
    })
}

/// Where the hub or the device is found.
enum Place {
    Port(TcpListener, Link),
    Terminal(Pty),
}

impl Place {
    async fn open(link: Link) -> io::Result<Self> {
        let problem = |what: &'static str| {
            move |error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"))
        };
        match link {
            Link::Hub | Link::Direct => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let listener =
                    listener.map_err(problem("no port of 127.0.0.1 can be listened on"))?;
                Ok(Self::Port(listener, link))
            }
            Link::Pty => Ok(Self::Terminal(
                Pty::open().map_err(problem("no pseudo-terminal can be opened"))?,
            )),
        }
    }

    fn address(&self) -> io::Result<Address> {
        Ok(match self {
            Self::Port(listener, Link::Direct) => Address::Direct(listener.local_addr()?.port()),
            Self::Port(listener, _) => Address::Hub(listener.local_addr()?.port()),
            Self::Terminal(pty) => Address::Pty(pty.path().to_owned()),
        })
    }

    async fn serve(
        self,
        hub: Hub,
        observe: impl Observer,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        match self {
            Self::Port(listener, _) => {
                server::serve_from_the_first(listener, hub, observe, shutdown).await;
                Ok(())
            }
            Self::Terminal(pty) => pty::serve_from_the_first(&pty, hub, observe, shutdown).await,
        }
    }
}

/// How long a client that does not connect keeps others from starting.
const START: Duration = Duration::from_secs(1);

async fn let_others_start(record: &RefCell<Record>) -> Infallible {
    sleep(START).await;
    record.borrow_mut().starting = None;
    std::future::pending().await
}

/// How often it is checked whether the client is attached.
const LOOK: Duration = Duration::from_millis(5);

async fn intrude(
    second: Option<&Second>,
    address: &Address,
    record: &RefCell<Record>,
) -> Infallible {
    // Without a hub there is nothing that a second one could connect to.
    let (Some(second), &Address::Hub(port)) = (second, address) else {
        return std::future::pending().await;
    };
    let attached = |entry: &JournalEntry| matches!(entry.event, JournalEvent::Attached);
    while !record.borrow().journal.iter().any(attached) {
        sleep(LOOK).await;
    }
    sleep(second.after).await;
    // The hub is in this process. If it cannot be reached, the journal shows that nothing connected.
    if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        let _ = stream.write_all(&second.login).await;
        let mut buffer = [0; 512];
        while let Ok(1..) = stream.read(&mut buffer).await {}
    }
    std::future::pending().await
}

/// A client that was started.
pub(super) struct Client {
    pub(super) supervisor: Child,
    pub(super) pipes: Pipes,
    /// The pipe of stdout, which can be emptied at any moment.
    tap: File,
}

impl Client {
    pub(super) fn start(
        program: &Program,
        limit: Duration,
        environment: &[Variable],
        signs: &Held,
    ) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let mut supervisor = Command::new(&program.supervisor);
        // What the harness does not tell the client, the client does not inherit from the user's shell either.
        for name in VARIABLES {
            supervisor.env_remove(name);
        }
        let mut supervisor = supervisor
            .arg(supervise::COMMAND)
            .args(["--limit-ms", &limit.as_millis().to_string()])
            .args(["--grace-ms", &program.grace.as_millis().to_string()])
            .args(signs.0.arguments())
            .arg("--")
            .args(program.command.fill(environment))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C ends the harness; the supervisor notices and can still do its work.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                let path = program.supervisor.display();
                io::Error::new(error.kind(), format!("cannot start {path}: {error}"))
            })?;
        ours.set_nonblocking(true)?;
        let gone = || io::Error::other("a pipe is missing");
        let stdout = OwnedFd::from(supervisor.stdout.take().ok_or_else(gone)?);
        let stderr = OwnedFd::from(supervisor.stderr.take().ok_or_else(gone)?);
        let stdout = pipe::Receiver::from_owned_fd(stdout)?;
        let id = supervisor.id();
        Ok(Self {
            supervisor,
            tap: File::from(stdout.as_fd().try_clone_to_owned()?),
            pipes: Pipes {
                supervisor: id,
                link: UnixStream::from_std(ours)?,
                stdout,
                stderr: pipe::Receiver::from_owned_fd(stderr)?,
            },
        })
    }
}
