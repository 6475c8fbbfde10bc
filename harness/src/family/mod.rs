//! Ends a client and all processes that it started, by what the system offers.
//!
//! Two processes know how to do this. The supervisor ([`crate::supervise`]) is the parent of the client, and adopts all
//! orphans below it. The harness is the parent of the supervisor, and takes over if the client kills or stops the
//! supervisor. Both use these means, in this order. Each reaches what the one before it misses.
//!
//! 1. **A control group** (cgroup v2, Linux 5.14). The client starts in a group of its own, and one write to
//!    `cgroup.kill` ends all that is in it. No process can fork its way out of that. It needs a control group in which
//!    the harness may make another: root mostly has one, and so has a user whose session systemd manages.
//! 2. **The process group** of the client, while the client runs: one signal reaches every process that has not left it.
//! 3. **The children** (only the supervisor): it kills its children, adopts theirs, and kills those, until there are
//!    none. Only the supervisor reaps its children, so the system cannot have given their ids to other processes.
//! 4. **The mark** (only the harness): each process below a supervisor has inherited a number from it
//!    (`mark.rs`). The harness looks through `/proc` for that number, and above all at the processes that were born
//!    last, because a chain of processes that fork and exit is gone from the rest of the list before it is read. It
//!    signals through a pidfd, so that it never hits a process that got the id of one that has just ended.
//!
//! The last two use SIGKILL and nothing before it: a process that has it cannot fork any more, as if it were frozen.
//! Both stop after a second, whatever is left, and count what is left.

pub(crate) mod below;
pub(crate) mod cgroup;
pub(crate) mod mark;

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::proc;
use cgroup::Cgroup;
use mark::Mark;

/// How long to try to kill processes that do not end.
pub(crate) const KILLING: Duration = Duration::from_secs(1);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(1);
/// After so many looks that find nothing, nothing is left.
const QUIET: usize = 3;
/// How often one look asks which processes were born last, as long as there are new ones.
const HUNTS: usize = 16;
/// How many of those it looks at.
const NEWEST: i32 = 4;

/// What may be used to end the processes of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Means {
    /// Whatever the system offers.
    #[default]
    All,
    /// What every Linux offers: no control group.
    WithoutCgroup,
}

/// How the processes of one client can be told from all others, also by somebody who is not their parent.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Signs {
    /// The control group of the client
    #[arg(long = "cgroup", value_name = "DIR")]
    pub(crate) group: Option<Cgroup>,
    /// The number that the client inherits
    #[arg(long, value_name = "NUMBER")]
    pub(crate) mark: Option<Mark>,
}

impl Signs {
    /// Signs for one more client: what the system lets us have of them.
    pub(crate) fn new(means: Means) -> Self {
        let group = match means {
            Means::All => Cgroup::create(),
            Means::WithoutCgroup => None,
        };
        let mark = Mark::new();
        Self { group, mark }
    }

    /// The arguments of a supervisor that knows these signs.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let group = self.group.as_ref().map(|group| format!("--cgroup={group}"));
        let mark = self.mark.map(|mark| format!("--mark={mark}"));
        group.into_iter().chain(mark).collect()
    }

    /// Kills every process with a sign; returns how many are left.
    pub(crate) fn end(&self) -> usize {
        let time_up = Instant::now() + KILLING;
        if let Some(group) = &self.group {
            group.end(time_up);
        }
        let Some(mark) = self.mark else {
            return 0;
        };
        let mut quiet = 0;
        while quiet < QUIET {
            if Instant::now() >= time_up {
                return proc::all().into_iter().filter(|id| mark.is_on(*id)).count();
            }
            match look(mark) {
                0 => quiet += 1,
                _ => quiet = 0,
            }
            if quiet > 0 {
                thread::sleep(PAUSE);
            }
        }
        0
    }

    /// Removes the control group; ends what is left in it.
    pub(crate) fn remove(&self) {
        if let Some(group) = &self.group {
            group.end(Instant::now() + KILLING);
        }
    }
}

/// Kills all processes that have the mark and can be found; returns how many.
fn look(mark: Mark) -> usize {
    let old = proc::all().into_iter();
    let old = old.filter(|id| mark.is_on(*id) && mark.kill(*id)).count();
    let mut seen = None;
    let mut young = 0;
    for _ in 0..HUNTS {
        let last = proc::newest();
        if last == seen {
            break;
        }
        seen = last;
        let ids = last.map_or(0..=0, |last| last.saturating_sub(NEWEST)..=last);
        young += ids.rev().filter(|id| mark.kill(*id)).count();
    }
    old + young
}
