//! The supervisor: a small process per client under test that ends the client's whole family.
//!
//! The harness starts itself again with a hidden command. That process adopts every orphan below it (it is their
//! "sub-reaper"), so a child that leaves the process group or the session is found all the same, and two clients that
//! run at the same time cannot be mixed up. It starts the client, waits for its end, for the time limit or for the
//! harness to hang up, ends what is left, and reports.
//!
//! ```text
//!  harness --(fd 0: a socket; hanging up means "end it")--> supervisor --+-- client -- children ...
//!          <-------------- one line of JSON at the end -----             +-- orphans of all of them
//! ```
//!
//! Only direct children are signalled, and the process that signals is the one that reaps: no process id can have been
//! given to somebody else. A parent that ends hands its children up, so in a few rounds all are reached.
//! Where there are no sub-reapers (Unix other than Linux), what leaves the process group is not found.

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

use crate::outside::ending::{How, Report};

/// The hidden command that starts a supervisor.
pub const COMMAND: &str = "supervise-client";

/// How often it is looked whether something has happened.
const TICK: Duration = Duration::from_millis(5);
/// How long children may outlive the client before they count as left behind.
const FAREWELL: Duration = Duration::from_millis(100);
/// How long it is tried to kill what does not want to die.
const KILLING: Duration = Duration::from_secs(5);

/// What a supervisor is told, as words of its command line.
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

/// Runs a client to its end, or ends it; the exit code is 2 if nobody could be told how it went.
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
            eprintln!("error: cannot supervise: {error}");
            ExitCode::from(2)
        }
    }
}

fn supervise(orders: &Orders, harness: &mut UnixStream) -> io::Result<Report> {
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
            return Ok(Report::new(How::NotStarted {
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
            break How::TimeUp;
        }
        if hung_up(harness) {
            break How::Stopped;
        }
    };
    let left_behind = match how {
        How::TimeUp | How::Stopped => 0,
        _ => family.see_off(FAREWELL),
    };
    let killed = family.end(grace);
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Report {
        left_behind,
        killed,
        user_us: microseconds(usage.user_time()),
        system_us: microseconds(usage.system_time()),
        ..Report::new(how)
    })
}

/// Waits for a tick; whether the harness has nothing more to say, or is gone.
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

/// The client and all that came of it.
struct Family {
    client: Pid,
    /// How the client itself ended, once it has.
    how: Option<How>,
    /// Who was asked to end.
    told: BTreeSet<Pid>,
}

impl Family {
    /// Takes in who has ended; whether anybody is left.
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
            WaitStatus::Exited(pid, code) if pid == self.client => How::Exited { code },
            WaitStatus::Signaled(pid, signal, _) if pid == self.client => How::Killed {
                signal: signal.as_str().to_owned(),
            },
            _ => return,
        };
        self.how = Some(how);
    }

    /// Lets the others end by themselves; how many did not.
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

    /// Ends all; whether some did not do so when they were asked.
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

/// Our children: those that we started and the orphans that we adopted.
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

/// The parent of a process, if that is still there and not merely waiting to be reaped.
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
