//! A number that all processes of one client have and no other process has.

use std::{
    fmt, fs, process,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

/// The mark of a client's processes: their hard limit on resident memory (`RLIMIT_RSS`).
///
/// Linux has not heeded this limit since 2.4.30, so it does nothing. But each process inherits it, whatever it does to
/// its environment, its session and its pipes; everybody can read it; and only root can raise it again. A process that
/// lowers its own limit loses the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u64);

/// The largest mark, far above the memory of any machine.
const MOST: u64 = u64::MAX >> 2;
/// The smallest one.
const LEAST: u64 = 1 << 52;

static COUNT: AtomicU64 = AtomicU64::new(0);

impl Mark {
    /// One that no other client has; none where the limit is low already, or does not exist.
    pub(crate) fn new() -> Option<Self> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xFFFF;
        let unique = (u64::from(process::id()) << 16 | count) + 1;
        // A harness that is itself a client under test has a mark already. It can only lower it.
        let own = hard_limit("self")?.min(MOST);
        own.checked_sub(unique)
            .filter(|mark| *mark >= LEAST)
            .map(Self)
    }

    /// Puts the mark on this process, and so on all that it starts.
    #[cfg(target_os = "linux")]
    pub(crate) fn put_on(self) -> rustix::io::Result<()> {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let soft = getrlimit(Resource::Rss).current;
        let mark = Rlimit {
            current: Some(soft.map_or(self.0, |soft| soft.min(self.0))),
            maximum: Some(self.0),
        };
        setrlimit(Resource::Rss, mark)
    }

    /// Whether a process has the mark and has not ended.
    pub(super) fn is_on(self, id: i32) -> bool {
        hard_limit(id) == Some(self.0) && crate::proc::is_alive(id)
    }

    /// Kills a process if it has the mark; returns whether it had it.
    #[cfg(target_os = "linux")]
    pub(super) fn kill(self, id: i32) -> bool {
        use rustix::{
            io::Errno,
            process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
        };
        let Some(pid) = Pid::from_raw(id) else {
            return false;
        };
        // First hold on to the process, then look at it: then the signal reaches the one that was looked at, or none.
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => self.is_on(id) && pidfd_send_signal(process, Signal::KILL).is_ok(),
            Err(Errno::SRCH) => false,
            // Some sandboxes and Linux before 5.3 have none.
            Err(_) => self.is_on(id) && kill_process(pid, Signal::KILL).is_ok(),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn kill(self, _id: i32) -> bool {
        false
    }
}

/// The hard limit on the resident memory of a process.
fn hard_limit(id: impl fmt::Display) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max resident set"))?;
    match line.split_whitespace().nth(1)? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Mark {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn no_two_clients_have_the_same_mark_and_no_other_process_has_one() {
        let (one, other) = (Mark::new().unwrap(), Mark::new().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.to_string().parse(), Ok(one));
        let own = process::id().cast_signed();
        assert!(!one.is_on(own) && !one.kill(own));
    }
}
