//! Plays an outside client against one hub after the other. A client that can do its task again stays up: it prints
//! `{"again": true}` and connects anew. One that ends is started anew.
//!
//! ```text
//!  listener -+- hub 1 <- connection ... client prints again -+- hub 2 <- connection ... -+- hub 3
//! ```
//!
//! The listener outlives the hubs. A hub is told to stop before it looks for the next connection: the client prints
//! before it connects, so its next connection waits in the listener for the next hub.

use std::{
    cell::RefCell,
    io,
    net::{Ipv4Addr, TcpListener as StdTcpListener},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    runtime::{self, Runtime},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use veschub_drive::server;
use veschub_hub::journal::JournalEvent;
use veschub_scenario::World;

use super::{
    kept::Kept,
    process::{Client, Program, SUPERVISOR},
    tape::Tape,
    watch::{Held, Pipes, Told, finish},
};
use crate::{
    family::Signs,
    judge::Played,
    outside::{
        Variable,
        ending::{ProcessEnd, ProcessReport},
        link::{Address, Link},
        output::{Excerpt, Lines, MAX_STDOUT},
        task::{AGAIN, Task},
    },
    proc,
};

/// How long a client may live, however often it does its task.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How often memory is looked at while a client runs.
const LOOK: Duration = Duration::from_millis(50);

/// A session that was played.
#[derive(Debug)]
pub(crate) struct Round {
    /// What was seen.
    pub(crate) played: Played,
    /// The CPU time that the client took.
    pub(crate) cpu: Duration,
    /// How long it took.
    pub(crate) wall: Duration,
    /// The most memory that the client has taken so far, KiB; 0 if nobody knows.
    pub(crate) peak_kib: u64,
    /// Whether the client runs on and does its task again.
    pub(crate) stays: bool,
}

/// A client that is played against one hub after the other.
pub(crate) struct Again {
    program: Program,
    limit: Duration,
    secret: String,
    environment: Vec<Variable>,
    listener: StdTcpListener,
    live: Option<Live>,
    // Last, so that all that belongs to it is dropped before.
    runtime: Runtime,
}

/// A client that runs.
struct Live {
    client: Client,
    /// How its processes are found.
    signs: Held,
    /// How often the system had run out of memory when it started.
    memory: Option<u64>,
    /// Its processes.
    ids: Vec<u32>,
}

/// What is noted while a session is played.
struct Notes {
    start: Instant,
    journal: Kept,
    lines: Lines,
    peak_kib: u64,
}

/// Why a session is over.
enum Over {
    /// The client does its task again.
    Again,
    /// The client's supervisor reports that it ended.
    Ended(Option<ProcessReport>),
    /// The client takes too long or prints too much.
    TooMuch,
}

impl Again {
    /// Prepares a client with this task, at the device of this world.
    ///
    /// # Errors
    /// If there is no port.
    pub(crate) fn new(program: &Program, task: &Task, world: &World) -> io::Result<Self> {
        let listener = StdTcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let address = match program.link.to(world) {
            Link::Hub => Address::Hub(port),
            Link::Direct | Link::Pty => Address::Direct(port),
        };
        let target = world.targets.first();
        let mut environment = task.environment(&address, target);
        environment.push((AGAIN, "1".to_owned()));
        Ok(Self {
            program: program.clone(),
            limit: program.limit.unwrap_or_else(|| task.limit()),
            secret: task.password(target),
            environment,
            listener,
            live: None,
            runtime: runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })
    }

    /// Plays one session.
    ///
    /// # Errors
    /// If the client or its supervisor cannot be started, or the supervisor does not report.
    pub(crate) fn play(&mut self, world: World) -> io::Result<Round> {
        let live = self.live.take();
        let (round, live) = self.runtime.block_on(self.session(world, live))?;
        self.live = live;
        Ok(round)
    }

    async fn session(&self, world: World, live: Option<Live>) -> io::Result<(Round, Option<Live>)> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        let no_device = || io::Error::other("there is no device that could serve without a hub");
        let hub = self.program.link.server(world).ok_or_else(no_device)?;
        let mut live = match live {
            Some(live) => live,
            None => {
                let memory = proc::out_of_memory();
                let signs = Held(Signs::new(self.program.means));
                Live {
                    client: Client::start(&self.program, LIFE, &self.environment, &signs)?,
                    signs,
                    memory,
                    ids: Vec::new(),
                }
            }
        };
        let begun = Instant::now();
        let cpu_before = proc::cpu(&live.ids);
        let notes = RefCell::new(Notes {
            start: begun,
            journal: Kept::default(),
            lines: Lines::default(),
            peak_kib: 0,
        });
        let stderr = RefCell::new(Excerpt::hiding(&self.secret));
        let over = RefCell::new(Over::TooMuch);
        let mut tape = Tape::new()?;
        let observe = tape.watch(|entry| {
            let mut notes = notes.borrow_mut();
            if notes.journal.is_empty() {
                notes.start = Instant::now();
            }
            notes.journal.push(entry);
        });
        let stop = async {
            let watching = timeout(self.limit, watch(&mut live, &notes, &stderr));
            if let Ok(reason) = watching.await {
                over.replace(reason);
            }
        };
        server::serve_from_the_first(listener, hub, observe, stop).await;
        // What it took is known before it ends.
        let wall = begun.elapsed();
        if live.ids.is_empty() {
            live.ids = proc::descendants(live.client.supervisor.id());
        }
        let mut cpu = proc::cpu(&live.ids).saturating_sub(cpu_before);
        let peak_kib = notes.borrow().peak_kib.max(proc::peak_kib(&live.ids));
        let (mut report, live) = match over.into_inner() {
            Over::Again => (
                ProcessReport::new(ProcessEnd::Exited { code: 0 }),
                Some(live),
            ),
            Over::Ended(report) => {
                let report = ended(live, report)?;
                cpu = cpu.max(report.cpu().saturating_sub(cpu_before));
                (report, None)
            }
            Over::TooMuch => {
                let printed = notes.borrow().lines.excerpt.total();
                let mut report = end(live, &stderr).await?;
                if printed < MAX_STDOUT {
                    report.how = ProcessEnd::TimeUp;
                }
                (report, None)
            }
        };
        report.how = report.how.explained(&stderr.borrow().text());
        let mut notes = notes.into_inner();
        notes
            .lines
            .finish(notes.start.elapsed(), notes.journal.len());
        let played = Played {
            forgotten_lines: notes.lines.forgotten(),
            forgotten_entries: notes.journal.left_out(),
            printed: notes.lines.excerpt.total(),
            stderr: stderr.into_inner(),
            report,
            limit: self.limit,
            capture: tape.finish(),
            ..Played::of(
                notes.journal.into_entries(),
                notes.lines.lines,
                ProcessEnd::Stopped,
            )
        };
        let round = Round {
            played,
            cpu,
            wall,
            peak_kib,
            stays: live.is_some(),
        };
        Ok((round, live))
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            let nobody = RefCell::new(Excerpt::default());
            let _ = self.runtime.block_on(end(live, &nobody));
        }
    }
}

/// Whether the client connected in this session.
pub(crate) fn connected(played: &Played) -> bool {
    let opened = |event: &JournalEvent| matches!(event, JournalEvent::Opened);
    played.journal.iter().any(|entry| opened(&entry.event))
}

/// Reads what the client prints until it says that it does its task again, ends, or prints too much.
async fn watch(live: &mut Live, notes: &RefCell<Notes>, stderr: &RefCell<Excerpt>) -> Over {
    let Client {
        supervisor,
        pipes:
            Pipes {
                link,
                stdout,
                stderr: errors,
                ..
            },
        ..
    } = &mut live.client;
    let ids = &mut live.ids;
    let reading = async {
        let mut buffer = vec![0; 64 << 10];
        while stdout.readable().await.is_ok() {
            match stdout.try_read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let mut notes = notes.borrow_mut();
                    if notes.take(&buffer[..count]) {
                        return Over::Again;
                    }
                    if notes.lines.excerpt.total() >= MAX_STDOUT {
                        return Over::TooMuch;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        // Its stdout is closed; its supervisor says the rest.
        std::future::pending().await
    };
    let reading_errors = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = errors.read(&mut buffer).await {
            stderr.borrow_mut().push(&buffer[..count]);
        }
    };
    let reporting = async {
        let mut told = Vec::new();
        let _ = link.read_to_end(&mut told).await;
        Over::Ended(serde_json::from_slice(&told).ok())
    };
    let measuring = async {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if ids.is_empty() {
                *ids = proc::descendants(supervisor.id());
            }
            let peak = proc::peak_kib(ids);
            let mut notes = notes.borrow_mut();
            notes.peak_kib = notes.peak_kib.max(peak);
        }
    };
    let errors_to_the_end = async {
        reading_errors.await;
        std::future::pending::<Over>().await
    };
    let ended = tokio::select! {
        biased;
        over = reading => return over,
        over = errors_to_the_end => over,
        over = reporting => over,
        () = measuring => Over::TooMuch,
    };
    // The pipes hold the last words.
    while let Ok(count @ 1..) = stdout_rest(stdout, notes) {
        let _ = count;
    }
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = errors.try_read(&mut buffer) {
        stderr.borrow_mut().push(&buffer[..count]);
    }
    ended
}

/// Takes in what is in the pipe; says how many bytes that was.
fn stdout_rest(
    stdout: &tokio::net::unix::pipe::Receiver,
    notes: &RefCell<Notes>,
) -> io::Result<usize> {
    let mut buffer = vec![0; 64 << 10];
    let count = stdout.try_read(&mut buffer)?;
    notes.borrow_mut().take(&buffer[..count]);
    Ok(count)
}

impl Notes {
    /// Takes in what the client printed; says whether it does its task again.
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.lines
            .push(bytes, self.start.elapsed(), self.journal.len());
        let says_again = self
            .lines
            .lines
            .last()
            .is_some_and(|line| is_again(&line.text));
        if says_again {
            self.lines.lines.pop();
        }
        says_again
    }
}

/// Whether a line says that the client does its task again.
fn is_again(line: &[u8]) -> bool {
    let said: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    said.and_then(|said| said.get("again")?.as_bool())
        .unwrap_or(false)
}

/// Has the supervisor end the client.
async fn end(mut live: Live, stderr: &RefCell<Excerpt>) -> io::Result<ProcessReport> {
    let Pipes {
        link,
        stdout,
        stderr: errors,
        ..
    } = &mut live.client.pipes;
    let _ = link.shutdown().await;
    let mut told = Vec::new();
    let reading = async {
        let mut buffer = vec![0; 16 << 10];
        // Both pipes are emptied, or the client could wait for them for ever.
        let out = async {
            let mut buffer = vec![0; 16 << 10];
            while stdout.readable().await.is_ok() {
                match stdout.try_read(&mut buffer) {
                    Ok(0) => return,
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                    _ => {}
                }
            }
        };
        let err = async {
            while let Ok(count @ 1..) = errors.read(&mut buffer).await {
                stderr.borrow_mut().push(&buffer[..count]);
            }
        };
        let report = async {
            let _ = link.read_to_end(&mut told).await;
        };
        tokio::join!(out, err, report);
    };
    let _ = timeout(SUPERVISOR, reading).await;
    ended(live, serde_json::from_slice(&told).ok())
}

/// What the supervisor reported of the client's end. If it did not, ends the client's processes in its place.
fn ended(live: Live, report: Option<ProcessReport>) -> io::Result<ProcessReport> {
    let told = report.map_or_else(
        || Told::Gone {
            survivors: live.signs.0.end(),
        },
        Told::Report,
    );
    finish(live.client.supervisor, told, live.memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_that_says_so_means_again() {
        assert!(is_again(br#"{"again": true}"#));
        assert!(
            !is_again(br#"{"again": false}"#)
                && !is_again(br#"{"fields": {}}"#)
                && !is_again(b"again")
        );
    }
}
