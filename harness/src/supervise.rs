//! The supervisor: a small process for each client under test, which ends all processes that the client started.
//!
//! The harness starts itself again with a hidden command. That process adopts every orphan below it (it is their
//! "sub-reaper"), so it also finds a child that leaves the process group or the session, and it never confuses two
//! clients that run at the same time. It starts the client and waits until the client ends, the time limit is reached,
//! or the harness closes the socket. Then it ends all processes that are left, and reports. [`family`](crate::family)
//! tells how.
//!
//! ```text
//!  harness --(fd 0: a socket; closing it means "end it")--> supervisor --+-- client -- children ...
//!          <-------------- one line of JSON at the end -----             +-- orphans of all of them
//! ```
//!
//! A client may kill or stop the supervisor: it is the client's parent. The harness notices that and takes over. On a Unix without sub-reapers (all but Linux), the supervisor misses a child that
//! leaves the process group.

use std::{
    ffi::OsString,
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::{
        resource::{UsageWho, getrusage},
        signal::{Signal, kill},
        time::TimeVal,
    },
    unistd::Pid,
};

use crate::{
    blow::{Blow, WAKE},
    family::{
        Signs,
        below::{Family, TICK},
        cgroup::Cgroup,
    },
    outside::ending::{ProcessEnd, ProcessReport},
};

/// The hidden command that starts a supervisor.
pub const COMMAND: &str = "supervise-client";

/// How long what a client started may take to stop a motor when the client was struck.
const LAST_ACT: Duration = Duration::from_millis(500);
/// How long children may run after the client before they count as left behind.
const FAREWELL: Duration = Duration::from_millis(100);

/// The arguments of a supervisor.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Orders {
    /// How long the client may run, in milliseconds
    #[arg(long)]
    pub limit_ms: u64,
    /// How long a process may take to end after SIGTERM, in milliseconds
    #[arg(long)]
    pub grace_ms: u64,
    /// How others can find the processes of the client
    #[command(flatten)]
    pub signs: Signs,
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
    {
        nix::sys::prctl::set_child_subreaper(true)?;
        // Only root can attach a debugger to it now.
        nix::sys::prctl::set_dumpable(false)?;
        orders.signs.mark.map_or(Ok(()), |mark| mark.put_on())?;
    }
    let limit = Duration::from_millis(orders.limit_ms);
    let grace = Duration::from_millis(orders.grace_ms);
    let Some((program, arguments)) = orders.command.split_first() else {
        return Err(io::Error::other("there is no command"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0);
    let (started, group) = start(&mut command, orders.signs.group.as_ref());
    let client = match started {
        Ok(child) => Pid::from_raw(child.id().cast_signed()),
        Err(error) => {
            return Ok(ProcessReport::new(ProcessEnd::NotStarted {
                error: error.to_string(),
            }));
        }
    };
    let mut struck: Option<Blow> = None;
    let mut family = Family::new(client, group);
    harness.set_read_timeout(Some(TICK))?;
    let time_up = Instant::now() + limit;
    let how = loop {
        if let Some(how) = family.how() {
            break how;
        }
        if Instant::now() >= time_up {
            break ProcessEnd::TimeUp;
        }
        match heard(harness) {
            Heard::Nothing => {}
            Heard::HungUp => break ProcessEnd::Stopped,
            // A client that has ended is found out above.
            Heard::Strike(blow) => {
                struck = Some(blow);
                let signal = match blow {
                    Blow::Kill => Signal::SIGKILL,
                    Blow::Term => Signal::SIGTERM,
                };
                let _ = kill(client, signal);
            }
        }
    };
    let how = match (how, struck) {
        (ProcessEnd::Killed { signal, .. }, Some(blow)) if signal == blow.name() => {
            ProcessEnd::Struck { signal }
        }
        (how, _) => how,
    };
    if struck == Some(Blow::Kill) {
        // What the client started may go on, and the harness looks what it does.
        let until = Instant::now() + WAKE;
        while Instant::now() < until && !matches!(heard(harness), Heard::HungUp) {}
    }
    let left_behind = match how {
        ProcessEnd::TimeUp | ProcessEnd::Stopped => 0,
        // Whom nobody lets tidy up leaves things behind, which may still stop the motor.
        ProcessEnd::Struck { .. } => {
            family.see_off(LAST_ACT);
            0
        }
        _ => family.see_off(FAREWELL),
    };
    let killed = family.end(grace);
    // If the harness is gone, nobody else does this.
    orders.signs.remove();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(ProcessReport {
        left_behind,
        killed,
        survivors: family.count(),
        user_us: microseconds(usage.user_time()),
        system_us: microseconds(usage.system_time()),
        ..ProcessReport::new(how)
    })
}

/// Starts the client in its control group; returns the group if this process could leave it again.
fn start(command: &mut Command, group: Option<&Cgroup>) -> (io::Result<Child>, Option<Cgroup>) {
    // What this process starts is where this process is.
    let Some(group) = group.filter(|group| group.enter().is_ok()) else {
        return (command.spawn(), None);
    };
    let started = command.spawn();
    let apart = group.leave().is_ok().then(|| group.clone());
    (started, apart)
}

/// What comes from the harness.
enum Heard {
    Nothing,
    /// It has closed the socket.
    HungUp,
    /// It wants the client to get a signal.
    Strike(Blow),
}

/// The byte by which the harness has a client struck.
pub(crate) fn order(blow: Blow) -> u8 {
    match blow {
        Blow::Kill => b'K',
        Blow::Term => b'T',
    }
}

/// Waits for a tick; returns what the harness wants.
fn heard(harness: &mut UnixStream) -> Heard {
    let mut byte = [0];
    match harness.read(&mut byte) {
        Ok(0) => Heard::HungUp,
        Ok(_) => {
            let blows = [Blow::Kill, Blow::Term];
            let wanted = blows.into_iter().find(|&blow| order(blow) == byte[0]);
            wanted.map_or(Heard::Nothing, Heard::Strike)
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
            ) =>
        {
            Heard::Nothing
        }
        Err(_) => Heard::HungUp,
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
