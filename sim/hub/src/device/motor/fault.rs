//! Faults of a motor controller: what raises them, and how they go away.
//!
//! A fault releases the motor. It stays for 500 ms after its cause has ended and then goes by itself; until then commands
//! that would turn the motor are ignored (`bldc motor/mc_interface.c:2587-2594, 2959-3050`).

use std::{fmt, sync::Arc, time::Duration as Span};

use serde::{Deserialize, Deserializer, de};
use veschub_wire::command::fault_name;

use crate::{duration::Duration, suggest::closest, time::Time};

/// How long a fault stays after its cause (`bldc motor/mcconf_default.h:536`).
const STAYS: Span = Span::from_millis(500);
/// How many faults are remembered.
const REMEMBERED: usize = 25;
/// One above the last code that is known.
const CODES: u8 = 34;

/// A fault code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCode(pub u8);

impl FaultCode {
    pub(super) const OVER_VOLTAGE: Self = Self(1);
    pub(super) const UNDER_VOLTAGE: Self = Self(2);
    pub(super) const ABS_OVER_CURRENT: Self = Self(4);
    pub(super) const OVER_TEMP_FET: Self = Self(5);
    pub(super) const OVER_TEMP_MOTOR: Self = Self(6);

    fn named(name: &str) -> Option<Self> {
        let mut codes = 0..CODES;
        codes.find(|&code| fault_name(code) == Some(name)).map(Self)
    }

    fn names() -> impl Iterator<Item = &'static str> {
        (0..CODES).filter_map(fault_name)
    }
}

/// A fault that a scenario causes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FaultAt {
    /// Which: its name, such as OVER_VOLTAGE, or its number.
    pub fault: FaultCode,
    /// When its cause begins, from the start of the run.
    pub at: Duration,
    /// How long its cause lasts; the fault stays 500 ms longer.
    #[serde(default)]
    pub lasts: Duration,
}

/// The faults of a controller.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    now: FaultCode,
    /// Whether its cause is there.
    is_held: bool,
    /// When it goes, after its cause has ended.
    goes_at: Option<Time>,
    /// What a scenario causes.
    planned: Arc<[FaultAt]>,
    /// What happened, the oldest first.
    happened: Vec<(Time, FaultCode)>,
}

impl Faults {
    pub(super) fn new(planned: &[FaultAt]) -> Self {
        Self {
            planned: planned.into(),
            ..Self::default()
        }
    }

    /// The fault that is shown.
    pub(super) fn now(&self) -> FaultCode {
        self.now
    }

    /// Whether the cause of a fault is there.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// What happened since the start, the oldest first.
    pub(super) fn happened(&self) -> &[(Time, FaultCode)] {
        &self.happened
    }

    /// Forgets all but what a scenario plans.
    pub(super) fn restart(&mut self) {
        *self = Self::new(&self.planned);
    }

    fn show(&mut self, at: Time, fault: FaultCode) {
        if self.now != fault {
            self.now = fault;
            if self.happened.len() == REMEMBERED {
                self.happened.remove(0);
            }
            self.happened.push((at, fault));
        }
    }

    /// When something changes after this moment.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let begins = self.planned.iter().map(begins);
        let ends = self.planned.iter().map(ends);
        let times = begins.chain(ends).chain(self.goes_at);
        times.filter(|&at| at > now).min()
    }

    /// Looks for causes, of which `found` is one that the scenario did not plan; whether there is a fault.
    pub(super) fn look(&mut self, now: Time, found: Option<FaultCode>) -> bool {
        let planned = self
            .planned
            .iter()
            .find(|fault| begins(fault) <= now && now < ends(fault));
        let cause = found.or_else(|| planned.map(|fault| fault.fault));
        let short = self
            .planned
            .iter()
            .find(|fault| begins(fault) == now && now == ends(fault));
        if let Some(fault) = cause {
            self.show(now, fault);
            self.is_held = true;
            self.goes_at = None;
        } else if let Some(fault) = short.map(|fault| fault.fault) {
            self.show(now, fault);
            self.is_held = false;
            self.goes_at = Some(now + STAYS);
        } else if self.is_held {
            self.is_held = false;
            self.goes_at = Some(now + STAYS);
        } else if self.goes_at.is_some_and(|at| at <= now) {
            self.now = FaultCode::default();
            self.goes_at = None;
        }
        self.now != FaultCode::default()
    }
}

fn begins(fault: &FaultAt) -> Time {
    fault.at.get().into()
}

fn ends(fault: &FaultAt) -> Time {
    begins(fault) + fault.lasts.get()
}

impl<'de> Deserialize<'de> for FaultCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = FaultCode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a fault, such as OVER_VOLTAGE, or its number")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<FaultCode, E> {
                let code = u8::try_from(value).map(FaultCode);
                code.map_err(|_| E::custom(format!("{value} is no fault code: wanted 0 to 255")))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<FaultCode, E> {
                FaultCode::named(name).ok_or_else(|| {
                    let help = match closest(name, FaultCode::names()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "the names are {}; a number will do as well",
                            FaultCode::names().collect::<Vec<_>>().join(", ")
                        ),
                    };
                    E::custom(format!("no fault is called `{name}`\nhelp: {help}"))
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for FaultCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::names().collect();
        schemars::json_schema!({
            "description": "A fault of a motor controller: its name or its number.",
            "anyOf": [
                { "enum": names },
                { "type": "integer", "minimum": 0, "maximum": 255 },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Time {
        Time::ZERO + Span::from_millis(count)
    }

    #[test]
    fn a_fault_stays_half_a_second_after_its_cause() {
        let mut faults = Faults::new(&[FaultAt {
            fault: FaultCode::OVER_VOLTAGE,
            at: Duration::from_millis(1000),
            lasts: Duration::from_millis(200),
        }]);
        assert_eq!(faults.next(Time::ZERO), Some(ms(1000)));
        assert!(!faults.look(ms(999), None));
        assert!(faults.look(ms(1000), None));
        assert_eq!(faults.next(ms(1000)), Some(ms(1200)));
        assert!(faults.look(ms(1200), None));
        assert_eq!(faults.next(ms(1200)), Some(ms(1700)));
        assert!(faults.look(ms(1699), None));
        assert!(!faults.look(ms(1700), None));
        assert_eq!(faults.next(ms(1700)), None);
        assert_eq!(faults.happened(), [(ms(1000), FaultCode::OVER_VOLTAGE)]);
    }

    #[test]
    fn a_cause_without_a_length_makes_a_fault_of_half_a_second() {
        let mut faults = Faults::new(&[FaultAt {
            fault: FaultCode(3),
            at: Duration::from_millis(10),
            lasts: Duration(0),
        }]);
        assert!(faults.look(ms(10), None));
        assert_eq!(faults.next(ms(10)), Some(ms(510)));
        assert!(!faults.look(ms(510), None));
    }

    #[test]
    fn every_code_up_to_the_last_has_a_name() {
        for code in 0..CODES {
            let name = fault_name(code).unwrap();
            assert_eq!(FaultCode::named(name), Some(FaultCode(code)));
        }
        assert_eq!(fault_name(CODES), None);
    }
}
