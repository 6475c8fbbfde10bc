//! When a motor was driven, and what a client leaves behind at its end.

use std::{collections::BTreeMap, time::Duration};

use veschub_hub::journal::{Closed, JournalEntry, JournalEvent};

use super::{
    Finding, Kind,
    command::{Effect, Sent, sent},
    finding,
};

/// How long what a client has sent before its death may be on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(300);
/// How long a client may take to stop the motor after SIGTERM.
const LAST_ACT: Duration = Duration::from_secs(1);
/// The faults that end a connection.
const ENDS: [&str; 3] = ["half-close", "reset", "slow-close"];

/// When the client's connection ended through no fault of its own.
pub(super) fn lost(journal: &[JournalEntry]) -> Option<Duration> {
    let cut = |entry: &&JournalEntry| match &entry.event {
        JournalEvent::Closed(closed) => matches!(
            closed,
            Closed::Replaced { .. } | Closed::DeviceLeft | Closed::BrokenOff | Closed::Flooded
        ),
        JournalEvent::FaultFired(fired) => ENDS.contains(&fired.fault),
        JournalEvent::LinkDown => true,
        _ => false,
    };
    journal.iter().find(cut).map(|entry| entry.at.since_start())
}

/// The motor runs on when the client is gone.
pub(super) fn left_running(sent: &[Sent<'_>]) -> Option<Finding> {
    let open = stretches(sent, None)
        .into_iter()
        .find(|one| one.to.is_none())?;
    let last = sent.get(open.last)?;
    Some(finding(
        Kind::Stop,
        "at the end",
        "a command that stops the motor, such as SET_CURRENT 0 A (06 00 00 00 00)",
        format!("nothing behind {last}"),
        "the client ended and left the motor running: a controller without a time-out drives it for ever; stop it on every \
         way out",
    ))
}

/// A time in which a motor was driven.
pub(super) struct Stretch {
    /// Until when; `None` if nothing ended it.
    pub(super) to: Option<Duration>,
    /// Whether the controller ended it because nothing came.
    pub(super) timed_out: bool,
    /// The last command that drove or fed it.
    pub(super) last: usize,
}

/// When motors were driven, as far as the commands tell; `timeout` is that of the controllers, if they have one.
pub(super) fn stretches(sent: &[Sent<'_>], timeout: Option<Duration>) -> Vec<Stretch> {
    let mut done = Vec::new();
    // For each motor that is driven: the last command that fed it.
    let mut open: BTreeMap<Option<u8>, usize> = BTreeMap::new();
    let fed_until = |last: usize| Some(sent.get(last)?.at + timeout?);
    for (index, one) in sent.iter().enumerate() {
        if let Some(&last) = open.get(&one.can_id)
            && let Some(until) = fed_until(last).filter(|&until| until < one.at)
        {
            open.remove(&one.can_id);
            done.push(Stretch {
                to: Some(until),
                timed_out: true,
                last,
            });
        }
        match one.effect {
            Effect::Drives => drop(open.insert(one.can_id, index)),
            Effect::Feeds => {
                open.entry(one.can_id).and_modify(|last| *last = index);
            }
            Effect::Stops => {
                if let Some(last) = open.remove(&one.can_id) {
                    done.push(Stretch {
                        to: Some(one.at),
                        timed_out: false,
                        last,
                    });
                }
            }
            Effect::Short => {}
        }
    }
    done.extend(open.into_values().map(|last| Stretch {
        to: fed_until(last),
        timed_out: timeout.is_some(),
        last,
    }));
    done
}

/// How the client came to its end in a case about that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// It was killed at this time.
    Killed(Duration),
    /// It was told to end at this time.
    Told(Duration),
    /// It ended by itself.
    Itself,
    /// It lost its link.
    Lost,
}

/// What a client does to the motor after its death, or leaves undone.
pub(crate) fn after(death: Death, journal: &[JournalEntry]) -> Option<Finding> {
    let sent = sent(journal);
    match death {
        Death::Killed(at) => {
            let late = sent
                .iter()
                .find(|one| one.feeds() && one.at > at + ON_ITS_WAY)?;
            let count = sent
                .iter()
                .filter(|one| one.feeds() && one.at > at + ON_ITS_WAY);
            let seen = format!(
                "{late} {:.3} s after its death, and {} more",
                (late.at - at).as_secs_f64(),
                count.count() - 1
            );
            let why = "something that your client started goes on without it, so the controller never stops the motor: only \
                       what decides about the motor may send ALIVE, or it must end with its parent process";
            Some(finding(
                Kind::Stop,
                "after the client was killed",
                "nothing",
                seen,
                why,
            ))
        }
        Death::Told(at) => {
            let open = stretches(&sent, None)
                .into_iter()
                .find(|one| one.to.is_none_or(|to| to > at + LAST_ACT))?;
            let last = sent.get(open.last)?;
            let seen = match open.to {
                None => format!("nothing behind {last}"),
                Some(to) => format!("a stop {:.3} s later", (to - at).as_secs_f64()),
            };
            let wanted = "a command that stops the motor, such as SET_CURRENT 0 A (06 00 00 00 00)";
            let why = "a controller without a time-out drives the motor for ever: catch SIGTERM, stop the motor, then end";
            Some(finding(Kind::Stop, "after SIGTERM", wanted, seen, why))
        }
        Death::Itself => left_running(&sent),
        Death::Lost => {
            let at = lost(journal)?;
            let again = sent.iter().find(|one| one.drives() && one.at > at)?;
            let seen = format!("{again} {:.3} s later", (again.at - at).as_secs_f64());
            let why = "the motor has stopped meanwhile, and nobody expects it to start again: after a loss, wait until the \
                       user sets something anew";
            Some(finding(
                Kind::Stop,
                "after the link was lost",
                "nothing that drives",
                seen,
                why,
            ))
        }
    }
}

/// Whether the client ever drove a motor.
pub(crate) fn has_driven(journal: &[JournalEntry]) -> bool {
    sent(journal).iter().any(Sent::drives)
}
