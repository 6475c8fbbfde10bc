//! Watches an outside client while it runs: reads what it prints, hears from its supervisor how it ended, and takes over
//! from a supervisor that is lost.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read as _},
    os::unix::process::ExitStatusExt as _,
    pin::pin,
    process::{Child, ExitStatus},
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixStream, unix::pipe},
    sync::{Notify, SemaphorePermit},
    task,
    time::{Instant, sleep, timeout},
};

use super::{Blow, kept::Kept};
use crate::{
    family::Signs,
    outside::{
        ending::{ProcessEnd, ProcessReport},
        output::{Excerpt, Lines, MAX_STDOUT},
    },
    proc, supervise,
};

/// How often it is checked whether the supervisor is stopped.
const GLANCE: Duration = Duration::from_millis(20);
/// How long to read on when all processes have ended. Only one that could not be found holds a pipe open.
const PIPES: Duration = Duration::from_millis(500);

/// The signs of a client's processes. When this is dropped, nothing that has a control group as its sign is left.
pub(super) struct Held(pub(super) Signs);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// What comes from a client and its supervisor.
pub(super) struct Pipes {
    /// The process id of the supervisor.
    pub(super) supervisor: u32,
    pub(super) link: UnixStream,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
}

/// Everything that is noted while a client runs.
pub(super) struct Record {
    pub(super) start: Instant,
    /// Held until the client connects.
    pub(super) starting: Option<SemaphorePermit<'static>>,
    pub(super) tap: File,
    pub(super) journal: Kept,
    pub(super) lines: Lines,
}

impl Record {
    /// Takes in what the client has printed by now.
    pub(super) fn drain(&mut self) {
        let mut buffer = [0; 16 << 10];
        // Before a step of the hub, read at most what a pipe holds.
        for _ in 0..8 {
            // The pipe does not block: an error means that it is empty.
            match (&self.tap).read(&mut buffer) {
                Ok(count) if count > 0 => self.take(&buffer[..count]),
                _ => return,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let at = self.start.elapsed();
        self.lines.push(bytes, at, self.journal.len());
    }
}

/// What the harness hears of a client's end.
pub(super) enum Told {
    /// The supervisor has reported.
    Report(ProcessReport),
    /// The supervisor ended without a report.
    Gone { survivors: usize },
    /// Somebody stopped the supervisor.
    Stopped { survivors: usize },
    /// The supervisor still runs, and does not report.
    Nothing,
}

/// Reads all that the client prints until its supervisor reports. If the supervisor is lost, ends the client's processes
/// in its place. Has the supervisor strike the client when `strike` says so.
pub(super) async fn watch(
    pipes: Pipes,
    signs: &Held,
    time: Duration,
    record: &RefCell<Record>,
    secret: &str,
    strike: impl Future<Output = Blow>,
) -> (Told, Excerpt) {
    let Pipes {
        supervisor,
        link,
        stdout,
        mut stderr,
    } = pipes;
    let (flood, end) = (Notify::new(), Notify::new());
    let excerpt = RefCell::new(Excerpt::hiding(secret));
    let reading_stdout = async {
        let mut buffer = vec![0; 64 << 10];
        while stdout.readable().await.is_ok() {
            match stdout.try_read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let mut record = record.borrow_mut();
                    if record.lines.excerpt.total() < MAX_STDOUT {
                        record.take(&buffer[..count]);
                    } else {
                        flood.notify_one();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    };
    let reading_stderr = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
            excerpt.borrow_mut().push(&buffer[..count]);
        }
    };
    let reading = async {
        let both = async { tokio::join!(reading_stdout, reading_stderr) };
        tokio::select! {
            _ = both => {}
            () = async { end.notified().await; sleep(PIPES).await } => {}
        }
    };
    let listening = async {
        let told = timeout(time, listen(link, supervisor, &flood, strike)).await;
        let mut told = told.unwrap_or(Told::Nothing);
        if !matches!(told, Told::Report(_)) {
            let signs = signs.0.clone();
            let left = task::spawn_blocking(move || signs.end()).await;
            if let Told::Gone { survivors } | Told::Stopped { survivors } = &mut told {
                *survivors = left.unwrap_or_default();
            }
        }
        end.notify_one();
        told
    };
    let (told, ()) = tokio::join!(listening, reading);
    (told, excerpt.into_inner())
}

/// Waits until the supervisor reports or is lost. If the client prints too much, tells the supervisor to end it.
async fn listen(
    mut link: UnixStream,
    supervisor: u32,
    flood: &Notify,
    strike: impl Future<Output = Blow>,
) -> Told {
    let mut strike = pin!(strike);
    let mut is_struck = false;
    let (from, mut to) = link.split();
    let mut lines = BufReader::new(from).lines();
    loop {
        tokio::select! {
            biased;
            line = lines.next_line() => {
                let line = line.ok().flatten().unwrap_or_default();
                let report = serde_json::from_str(&line);
                return report.map_or(Told::Gone { survivors: 0 }, Told::Report);
            }
            () = flood.notified() => {
                let _ = to.shutdown().await;
            }
            blow = &mut strike, if !is_struck => {
                is_struck = true;
                // If the supervisor is gone, that is told above.
                let _ = to.write_all(&[supervise::order(blow)]).await;
            }
            () = sleep(GLANCE) => {
                if proc::is_stopped(supervisor) {
                    return Told::Stopped { survivors: 0 };
                }
            }
        }
    }
}

/// Waits for the supervisor to end. Who killed or stopped a supervisor was the client: nobody else has to do with it. Any
/// other supervisor that did not report is trouble of the harness and says nothing about the client.
pub(super) fn finish(
    mut supervisor: Child,
    told: Told,
    out_of_memory: Option<u64>,
) -> io::Result<ProcessReport> {
    if !matches!(told, Told::Gone { .. }) {
        // It has nothing to do any more.
        let _ = supervisor.kill();
    }
    let status = supervisor.wait()?;
    let unwatched = |signal, survivors| ProcessReport {
        killed: true,
        survivors,
        ..ProcessReport::new(ProcessEnd::Unwatched { signal })
    };
    let report = match told {
        Told::Report(report) => Some(report),
        Told::Stopped { survivors } => Some(unwatched(None, survivors)),
        Told::Gone { survivors } => sent(status, out_of_memory)
            .map(|signal| unwatched(Some(signal.as_str().to_owned()), survivors)),
        Told::Nothing => None,
    };
    report.ok_or_else(|| {
        io::Error::other(format!(
            "the supervisor of the client did not report how the client ended; {status}"
        ))
    })
}

/// The signal that ended a process, if another process sent it.
fn sent(status: ExitStatus, out_of_memory: Option<u64>) -> Option<Signal> {
    use Signal::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSYS, SIGTRAP};
    match Signal::try_from(status.signal()?).ok()? {
        // The process may have crashed.
        SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP => None,
        // The system has killed some process, as memory ran out.
        SIGKILL if proc::out_of_memory() != out_of_memory => None,
        signal => Some(signal),
    }
}
