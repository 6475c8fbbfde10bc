//! The supervisor: a small process for each client under test, which ends all processes that the client started.
//!
//! The harness starts itself again with a hidden command. That process adopts every orphan below it (it is their
//! "sub-reaper"), so it also finds a child that leaves the process group or the session, and it never confuses two
//! clients that run at the same time. It starts the client and waits until the client ends, the time limit is reached,
//! or the harness closes the socket. Then it ends all processes that are left, and reports.
//!
//! ```text
//!  harness --(fd 0: a socket; closing it means "end it")--> supervisor --+-- client -- children ...
//!          <-------------- one line of JSON at the end -----             +-- orphans of all of them
//! ```
//!
//! The supervisor signals only its direct children, and only it reaps them: so the system cannot have given their
//! process ids to other processes. When a parent ends, the supervisor adopts its children, so after a few rounds it has
//! reached all of them. On a Unix without sub-reapers (all but Linux), it misses a child that leaves the process group.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        resource::{UsageWho, getrusage},
        signal::{Signal, kill, killpg},
        time::TimeVal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::outside::ending::{ProcessEnd, ProcessReport};

/// The hidden command that starts a supervisor.
pub const COMMAND: &str = "supervise-client";

/// How often the supervisor checks whether something has happened.
const TICK: Duration = Duration::from_millis(5);
/// How long children may run after the client before they count as left behind.
const FAREWELL: Duration = Duration::from_millis(100);
/// How long the supervisor tries to kill processes that do not end.
const KILLING: Duration = Duration::from_secs(5);

/// The arguments of a supervisor.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Orders {
    /// How long the client may run, in milliseconds
    #[arg(long)]
    pub limit_ms: u64,
    /// How long a process may take to end after SIGTERM, in milliseconds
    #[arg(long)]
    pub grace_ms: u64,
    /// The client
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Runs a client until it ends, or ends it. The exit code is 2 if the harness could not be told how it ended.
#[must_use]
pub fn main(orders: &Orders) -> ExitCode {
    let told = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map(UnixStream::from)
        .and_then(|mut harness| {
            let report = supervise(orders, &mut harness)?;
            let line = serde_json::to_string(&report)?;
            writeln!(harness, "{line}")
        });
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot supervise the client: {error}");
            ExitCode::from(2)
        }
    }
}

fn supervise(orders: &Orders, harness: &mut UnixStream) -> io::Result<ProcessReport> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    let limit = Duration::from_millis(orders.limit_ms);
    let grace = Duration::from_millis(orders.grace_ms);
    let Some((program, arguments)) = orders.command.split_first() else {
        return Err(io::Error::other("there is no command"));
    };
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn();
    let client = match started {
        Ok(child) => Pid::from_raw(child.id().cast_signed()),
        Err(error) => {
            return Ok(ProcessReport::new(ProcessEnd::NotStarted {
                error: error.to_string(),
            }));
        }
    };
    let mut family = Family {
        client,
        how: None,
        told: BTreeSet::new(),
    };
    harness.set_read_timeout(Some(TICK))?;
    let time_up = Instant::now() + limit;
    let how = loop {
        family.reap();
        if let Some(how) = family.how.take() {
            break how;
        }
        if Instant::now() >= time_up {
            break ProcessEnd::TimeUp;
        }
        if hung_up(harness) {
            break ProcessEnd::Stopped;
        }
    };
    let left_behind = match how {
        ProcessEnd::TimeUp | ProcessEnd::Stopped => 0,
        _ => family.see_off(FAREWELL),
    };
    let killed = family.end(grace);
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(ProcessReport {
        left_behind,
        killed,
        user_us: microseconds(usage.user_time()),
        system_us: microseconds(usage.system_time()),
        ..ProcessReport::new(how)
    })
}

/// Waits for a tick; returns whether the harness has closed the socket.
fn hung_up(harness: &mut UnixStream) -> bool {
    match harness.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
        ),
    }
}

#[cfg_attr(
    target_os = "linux",
    expect(
        clippy::useless_conversion,
        reason = "elsewhere it is a smaller integer"
    )
)]
fn microseconds(time: TimeVal) -> u64 {
    let micros = time.tv_sec() * 1_000_000 + i64::from(time.tv_usec());
    u64::try_from(micros).unwrap_or_default()
}

/// The client and all processes that it started.
struct Family {
    client: Pid,
    /// How the client itself ended, once it has.
    how: Option<ProcessEnd>,
    /// The processes that got SIGTERM.
    told: BTreeSet<Pid>,
}

impl Family {
    /// Reaps the processes that have ended; returns whether any process is left.
    fn reap(&mut self) -> bool {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return true,
                Ok(status) => self.note(status),
                Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn note(&mut self, status: WaitStatus) {
        if let Some(pid) = status.pid() {
            // The id may now be given to another process.
            self.told.remove(&pid);
        }
        let how = match status {
            WaitStatus::Exited(pid, code) if pid == self.client => ProcessEnd::Exited { code },
            WaitStatus::Signaled(pid, signal, _) if pid == self.client => ProcessEnd::Killed {
                signal: signal.as_str().to_owned(),
                number: signal as i32,
            },
            _ => return,
        };
        self.how = Some(how);
    }

    /// Waits for the other processes to end by themselves; returns how many did not.
    fn see_off(&mut self, patience: Duration) -> usize {
        let time_up = Instant::now() + patience;
        while self.reap() {
            if Instant::now() >= time_up {
                return children().len().max(1);
            }
            thread::sleep(TICK);
        }
        0
    }

    /// Ends all processes; returns whether some did not end after SIGTERM.
    fn end(&mut self, grace: Duration) -> bool {
        let time_up = Instant::now() + grace;
        let mut group = Some(Signal::SIGTERM);
        while self.reap() {
            if Instant::now() >= time_up {
                self.kill();
                return true;
            }
            if let Some(signal) = group.take() {
                let _ = killpg(self.client, signal);
            }
            for child in children() {
                if self.told.insert(child) {
                    let _ = kill(child, Signal::SIGTERM);
                }
            }
            thread::sleep(TICK);
        }
        false
    }

    fn kill(&mut self) {
        let time_up = Instant::now() + KILLING;
        while self.reap() && Instant::now() < time_up {
            let _ = killpg(self.client, Signal::SIGKILL);
            for child in children() {
                let _ = kill(child, Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The children of this process: the client, and the orphans that were adopted.
fn children() -> Vec<Pid> {
    let own = Pid::this().as_raw();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|id| parent(*id) == Some(own));
    ids.map(Pid::from_raw).collect()
}

/// The parent of a process, if the process still runs and is not only waiting to be reaped.
fn parent(id: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // `id (name) state parent ...`, and the name may hold blanks and brackets.
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    match words.next()? {
        "Z" | "X" => None,
        _ => words.next()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_a_process_is_found_whatever_its_name() {
        let own = Pid::this().as_raw();
        assert_eq!(parent(own), Some(Pid::parent().as_raw()));
        assert_eq!(parent(0), None);
    }
}
