//! How a client drives a motor: what it sets, how often, and whether it stops the motor at its end.
//!
//! ```text
//!  journal -> commands to motors -> value     the extreme of what was set, beside what the client was told
//!                                -> astray   which motor was driven, beside the one that was meant
//!                                -> rate      bytes in the busiest moment; a motor that timed out meanwhile
//!                                -> end       nothing behind the stop, and a stop at all
//!                                -> death     what still comes when the client is dead or has lost its link
//! ```
//!
//! No client is accused because of one number: a client may approach its value by a ramp, so only the value that lies
//! farthest out is held against what it was told, and a known mistake is named only if that value was sent again, and
//! no other mistake explains it.

pub(crate) mod command;
mod end;
mod explain;
#[cfg(test)]
mod tests;

use std::time::Duration;

use veschub_hub::journal::JournalEntry;
use veschub_scenario::{
    Scenario,
    schema::{Client, KeepBy, Setting},
};

pub(crate) use self::end::{Death, after, has_driven};
use self::{
    command::{Effect, Quantity, Sent, meant, sent},
    end::{left_running, lost, stretches},
};
use super::{Difference, node::Node};

/// The time after which a controller lets go of a motor that nobody feeds, unless it is told otherwise
/// (`docs/protocol-motor.md`, section 3.2).
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);
/// What a serial line of 115200 baud carries in a second, bytes: the slowest link that motor controllers have by default
/// (`docs/protocol-motor.md`, section 8).
const CARRIES: usize = 11_520;
/// The time over which bytes are counted.
const WINDOW: Duration = Duration::from_millis(200);
/// How many times as often as it was told a client may set something.
const TOO_OFTEN: usize = 10;
/// How far off the value that lies farthest out may be, as a share of it.
const TOLERANCE: f64 = 0.02;
/// How much longer than its task a client may drive in virtual time, and by the real clock.
const SLACK: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// What something wrong is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The value: unit, sign, bytes, and whether it is ever reached.
    Value,
    /// More than what the client was told, and no mistake that explains it.
    Limit,
    /// How often: faster than the link carries.
    Rate,
    /// How often: so seldom that the motor stops meanwhile.
    Feed,
    /// What is set after the task's end.
    End,
    /// That the motor is stopped at the task's end.
    Stop,
    /// That nothing is set by a client that only reads.
    Idle,
}

/// Something wrong, and what it is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    /// What it is about.
    pub(crate) kind: Kind,
    /// What it is.
    pub(crate) difference: Difference,
}

/// What a client was told to do with a motor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Order {
    setting: Setting,
    /// The node on the CAN bus; `None` for the device itself.
    can_id: Option<u8>,
    every: Duration,
    lasts: Duration,
}

impl Order {
    /// What the task of a scenario tells a client; `None` if it tells it to drive nothing.
    pub(crate) fn of(client: &Client) -> Option<Self> {
        let (setting, can_id, every, lasts) = match client {
            Client::Drive(drive) => (drive.setting()?, drive.can_id, drive.every, drive.lasts),
            Client::KeepAlive(keep) => {
                // One that sends ALIVE sets once.
                let every = match keep.by {
                    KeepBy::Alive => keep.lasts,
                    KeepBy::Set => keep.every,
                };
                (keep.setting()?, keep.can_id, every, keep.lasts)
            }
            _ => return None,
        };
        Some(Self {
            setting,
            can_id,
            every: Duration::from_nanos(every.0),
            lasts: Duration::from_nanos(lasts.0),
        })
    }

    /// Takes away what drives another motor than the one that was meant, and tells the first such command: what is left
    /// is judged as if it were all.
    fn astray(&self, scenario: &Scenario, sent: &mut Vec<Sent<'_>>) -> Option<Finding> {
        let node = Node::of(scenario, self.can_id)?;
        let is_astray = |one: &mut Sent<'_>| one.drives() && !node.is_it(one.can_id);
        let first = sent.extract_if(.., is_astray).collect::<Vec<_>>();
        let first = first.first()?;
        Some(finding(
            Kind::Value,
            "set commands",
            format!("only to {}", node.name()),
            format!("{first} to {}", node.name_of(first.can_id)),
            format!(
                "a motor that nobody meant may start to turn: {}",
                node.advice()
            ),
        ))
    }
}

/// Everything that is wrong with how a client drove, or with that it did although it was only to read.
pub(crate) fn findings(
    scenario: &Scenario,
    journal: &[JournalEntry],
    is_real_time: bool,
) -> Vec<Finding> {
    let client = &scenario.client;
    let mut sent = sent(journal);
    match (Order::of(client), client) {
        (Some(order), _) => {
            let astray = order.astray(scenario, &mut sent);
            let drive = Driven {
                order: &order,
                sent: &sent,
                journal,
                slack: SLACK[usize::from(is_real_time)],
            };
            let found = [
                // Who drove another motor did not forget to drive this one.
                astray.or_else(|| drive.value()),
                drive.rate(),
                drive.feed(),
                drive.end(),
                drive.stop(),
            ];
            found.into_iter().flatten().collect()
        }
        // Such a client sends what the scenario says.
        (None, Client::Send(_) | Client::PlayRecording(_)) => Vec::new(),
        (None, _) => idle(&sent).into_iter().collect(),
    }
}

fn finding(
    kind: Kind,
    field: &str,
    truth: impl Into<String>,
    decoded: impl Into<String>,
    why: impl Into<String>,
) -> Finding {
    Finding {
        kind,
        difference: Difference::new(field, truth, decoded, why),
    }
}

fn idle(sent: &[Sent<'_>]) -> Option<Finding> {
    let first = sent.iter().find(|one| one.drives())?;
    let why = format!(
        "at {:.3} s; the client was told to read, and a motor that starts to turn can hurt somebody",
        first.at.as_secs_f64()
    );
    Some(finding(
        Kind::Idle,
        "set commands",
        "none",
        first.to_string(),
        why,
    ))
}

struct Driven<'a> {
    order: &'a Order,
    sent: &'a [Sent<'a>],
    journal: &'a [JournalEntry],
    slack: Duration,
}

impl Driven<'_> {
    /// The value that lies farthest out, beside the one that the client was told.
    fn value(&self) -> Option<Finding> {
        let setting = self.order.setting;
        let (wanted, value) = Quantity::of(setting);
        let name = wanted.command().to_string();
        if let Some(short) = self.sent.iter().find(|one| one.effect == Effect::Short) {
            let why = "the command ends too early, and the controller takes what was in its memory: send 4 bytes behind the id";
            return Some(finding(
                Kind::Value,
                &name,
                meant(setting),
                short.to_string(),
                why,
            ));
        }
        let of = |one: &Sent<'_>| match one.set {
            Some((quantity, raw)) if quantity == wanted && raw != 0 => Some(raw),
            _ => None,
        };
        let raws: Vec<i32> = self.sent.iter().filter_map(of).collect();
        let Some(&extreme) = raws.iter().max_by_key(|raw| raw.unsigned_abs()) else {
            return self.never_set(&name);
        };
        let seen = self
            .sent
            .iter()
            .find(|one| of(one) == Some(extreme))
            .map_or_else(String::new, ToString::to_string);
        let right = value * wanted.scale();
        let slack = (right.abs() * TOLERANCE).max(2.0);
        let times = raws.iter().filter(|raw| **raw == extreme).count();
        if (f64::from(extreme) - right).abs() > slack {
            // A number that was sent once among others may be a slip, or a step of a ramp.
            let is_plateau = times > 1 || raws.len() == 1;
            let named = is_plateau.then(|| explain::explain(wanted, value, extreme));
            let named = named.flatten();
            // Without a mistake that explains it, more than what was asked for is just that.
            let kind = match f64::from(extreme).abs() > right.abs() && named.is_none() {
                true => Kind::Limit,
                false => Kind::Value,
            };
            let why = named.unwrap_or_else(|| self.why(extreme, right));
            return Some(finding(kind, &name, meant(setting), seen, why));
        }
        let other = raws
            .iter()
            .find(|raw| f64::from(**raw) * right < 0.0 && f64::from(raw.unsigned_abs()) > slack)?;
        let backwards = self.sent.iter().find(|one| of(one) == Some(*other))?;
        let why = "the client also drove the other way, which it was not told";
        Some(finding(
            Kind::Value,
            &name,
            meant(setting),
            backwards.to_string(),
            why,
        ))
    }

    /// Why no known mistake is named.
    fn why(&self, extreme: i32, right: f64) -> String {
        let (quantity, value) = Quantity::of(self.order.setting);
        let (limit, unit) = (value, quantity.unit());
        match f64::from(extreme).abs() > right.abs() {
            true => format!(
                "the client was told {limit}{unit} and set more: never exceed what the user asked for, not even on the way there"
            ),
            false => format!("the client was told {limit}{unit} and never set as much"),
        }
    }

    fn never_set(&self, name: &str) -> Option<Finding> {
        if self.was_cut_off().is_some() {
            return None;
        }
        let other = self.sent.iter().find(|one| one.drives());
        let (seen, why) = match other {
            Some(other) => (
                other.to_string(),
                "the client sets something else than it was told",
            ),
            None => (
                "never".to_owned(),
                "no command that drives the motor reached it",
            ),
        };
        let setting = self.order.setting;
        Some(finding(Kind::Value, name, meant(setting), seen, why))
    }

    /// More than the link carries, or far more often than it was told.
    fn rate(&self) -> Option<Finding> {
        let fed: Vec<&Sent<'_>> = self
            .sent
            .iter()
            .filter(|one| one.feeds() || one.effect == Effect::Stops)
            .collect();
        let (mut first, mut bytes) = (0, 0);
        let most = CARRIES * WINDOW.as_millis() as usize / 1000;
        for (last, one) in fed.iter().enumerate() {
            bytes += one.on_the_wire;
            while fed[first].at + WINDOW < one.at {
                bytes -= fed[first].on_the_wire;
                first += 1;
            }
            if bytes > most {
                let seen = format!(
                    "{} commands of {} bytes in {:.0} ms, such as {one}",
                    last + 1 - first,
                    one.on_the_wire,
                    (one.at - fed[first].at).as_secs_f64() * 1e3
                );
                let wanted = format!(
                    "every {:?}; at most {CARRIES} bytes in a second",
                    self.order.every
                );
                let why = "a serial line of 115200 baud carries no more: the commands queue up, and a stop comes late; wait \
                           between two commands";
                return Some(finding(Kind::Rate, "set commands", wanted, seen, why));
            }
        }
        let told = self.order.lasts.as_nanos() / self.order.every.as_nanos().max(1);
        let told = usize::try_from(told).unwrap_or(usize::MAX).max(5);
        let count = self.sent.iter().filter(|one| one.drives()).count();
        (count > told.saturating_mul(TOO_OFTEN)).then(|| {
            let wanted = format!("every {:?}", self.order.every);
            let seen = format!("{count} in {:?}", self.order.lasts);
            let why = format!("more than {TOO_OFTEN} times as often as the client was told");
            finding(Kind::Rate, "set commands", wanted, seen, why)
        })
    }

    /// A motor that the controller let go of because nothing came, while the client was to drive it.
    fn feed(&self) -> Option<Finding> {
        let first = self.sent.iter().find(|one| one.drives())?;
        let lost = self.was_cut_off();
        let until = first.at + self.order.lasts;
        let until = lost.map_or(until, |lost| until.min(lost));
        let stretches = stretches(self.sent, Some(TIMEOUT));
        // What lasts as long as the task needs to be fed only until then.
        let released = stretches
            .iter()
            .find(|one| one.timed_out && one.to.is_some_and(|to| to + self.slack < until))?;
        let at = released.to.unwrap_or_default();
        let seen = format!(
            "nothing from {:.3} s on",
            (at.saturating_sub(TIMEOUT)).as_secs_f64()
        );
        let why = format!(
            "the controller stops the motor when nothing comes for {TIMEOUT:?}: repeat the set command, or send ALIVE, at \
             least every 500 ms"
        );
        let wanted = format!("a command at least every {TIMEOUT:?}");
        Some(finding(Kind::Feed, "set commands", wanted, seen, why))
    }

    /// What is set after the stop, or long after the task's end.
    fn end(&self) -> Option<Finding> {
        let first = self.sent.iter().find(|one| one.drives())?;
        let mut has_driven = false;
        let mut stopped: Option<&Sent<'_>> = None;
        for one in self.sent {
            match one.effect {
                Effect::Drives if stopped.is_some() => {
                    let after = stopped.map_or_else(String::new, ToString::to_string);
                    let why = format!(
                        "it came {:.3} s after {after}, and the motor turns again: send nothing that drives behind the stop",
                        (one.at - stopped.map_or(one.at, |stop| stop.at)).as_secs_f64(),
                    );
                    let field = "after the stop";
                    return Some(finding(Kind::End, field, "nothing", one.to_string(), why));
                }
                Effect::Drives => has_driven = true,
                Effect::Stops if has_driven => stopped = Some(one),
                _ => {}
            }
        }
        let until = first.at + self.order.lasts + self.slack;
        let late = self
            .sent
            .iter()
            .find(|one| one.drives() && one.at > until)?;
        let wanted = format!("nothing later than {:?}", self.order.lasts);
        let seen = format!(
            "{late} {:.3} s after the first command",
            (late.at - first.at).as_secs_f64()
        );
        let why = "the client drives on after its task is over";
        Some(finding(Kind::End, "set commands", wanted, seen, why))
    }

    /// A motor that the client leaves running.
    fn stop(&self) -> Option<Finding> {
        if self.was_cut_off().is_some() {
            return None;
        }
        left_running(self.sent)
    }

    /// When a fault, or somebody else, ended the client's connection.
    fn was_cut_off(&self) -> Option<Duration> {
        lost(self.journal)
    }
}
