//! The processes of a client as their supervisor sees them: its children, and the orphans that it adopts.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use rustix::{
    io::Errno,
    process::{WaitOptions, WaitStatus, wait},
};

use super::{KILLING, PAUSE, cgroup::Cgroup};
use crate::{outside::ending::ProcessEnd, proc};

/// How often to check whether something has happened.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// How many processes are reaped at a time, so that a client whose processes die all the time does not keep the
/// supervisor busy past the time limit.
const REAPED: usize = 1000;

/// The client and all processes that it started.
pub(crate) struct Family {
    client: Pid,
    /// The control group of the client, if there is one and this process is not in it.
    group: Option<Cgroup>,
    /// How the client itself ended, once it has.
    how: Option<ProcessEnd>,
    /// The processes that got SIGTERM.
    told: BTreeSet<Pid>,
    /// The processes that got SIGKILL.
    killed: BTreeSet<Pid>,
}

impl Family {
    pub(crate) fn new(client: Pid, group: Option<Cgroup>) -> Self {
        Self {
            client,
            group,
            how: None,
            told: BTreeSet::new(),
            killed: BTreeSet::new(),
        }
    }

    /// How the client itself ended, if it has.
    pub(crate) fn how(&mut self) -> Option<ProcessEnd> {
        self.reap();
        self.how.clone()
    }

    /// Reaps processes that have ended; returns whether any process may be left.
    fn reap(&mut self) -> bool {
        for _ in 0..REAPED {
            match wait(WaitOptions::NOHANG) {
                Ok(None) => return true,
                Ok(Some((pid, status))) => self.note(Pid::from_raw(pid.as_raw_pid()), status),
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn note(&mut self, pid: Pid, status: WaitStatus) {
        // The id may now be given to another process.
        self.told.remove(&pid);
        self.killed.remove(&pid);
        // Such a process may also get the client's id.
        if pid == self.client && self.how.is_none() {
            self.how = status.exit_status().map_or_else(
                || status.terminating_signal().map(killed_by),
                |code| Some(ProcessEnd::Exited { code }),
            );
        }
    }

    /// Waits for the other processes to end by themselves; returns how many did not.
    pub(crate) fn see_off(&mut self, patience: Duration) -> usize {
        let time_up = Instant::now() + patience;
        while self.reap() {
            if Instant::now() >= time_up {
                return self.count().max(1);
            }
            thread::sleep(TICK);
        }
        0
    }

    /// Ends all processes; returns whether some did not end after SIGTERM.
    pub(crate) fn end(&mut self, grace: Duration) -> bool {
        let time_up = Instant::now() + grace;
        let mut is_first = true;
        while self.reap() {
            if Instant::now() >= time_up {
                self.kill();
                return true;
            }
            if is_first {
                self.signal_group(Signal::SIGTERM);
                self.signal_group(Signal::SIGCONT);
                is_first = false;
            }
            for child in children() {
                if self.told.insert(child) {
                    let _ = kill(child, Signal::SIGTERM);
                    // One that is stopped hears the other signal only when it goes on.
                    let _ = kill(child, Signal::SIGCONT);
                }
            }
            thread::sleep(TICK);
        }
        false
    }

    fn kill(&mut self) {
        let time_up = Instant::now() + KILLING;
        if let Some(group) = &self.group {
            let _ = group.kill();
        }
        while self.reap() && Instant::now() < time_up {
            self.signal_group(Signal::SIGKILL);
            let mut is_new = false;
            for child in children() {
                is_new |= self.killed.insert(child);
                let _ = kill(child, Signal::SIGKILL);
            }
            // Where all that are left are about to end, they need the processor more than this loop. Where each look
            // finds another process, that one is gone by the time that a pause is over.
            if !is_new {
                thread::sleep(PAUSE);
            }
        }
    }

    /// How many processes are left.
    pub(crate) fn count(&self) -> usize {
        let is_alive = |pid: &Pid| proc::is_alive(pid.as_raw());
        children().iter().filter(|pid| is_alive(pid)).count()
    }

    /// Signals all processes in the client's process group.
    fn signal_group(&self, signal: Signal) {
        // Once the client is reaped, its id may be that of another group. Then only a system where children cannot be
        // found has reason to take that risk.
        if self.how.is_none() || cfg!(not(target_os = "linux")) {
            let _ = killpg(self.client, signal);
        }
    }
}

fn killed_by(number: i32) -> ProcessEnd {
    let signal = Signal::try_from(number).map_or("a real-time signal", Signal::as_str);
    ProcessEnd::Killed {
        signal: signal.to_owned(),
        number,
    }
}

/// The children of this process: the client, and the orphans that were adopted.
fn children() -> Vec<Pid> {
    let ids = proc::children(Pid::this().as_raw()).into_iter();
    ids.map(Pid::from_raw).collect()
}
