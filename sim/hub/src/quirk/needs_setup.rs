//! `needs-setup`: BMS_GET_VALUES is answered only after GET_CUSTOM_CONFIG and PING_CAN were sent in the session.
//!
//! Inferred: clients send the two first because VESC Tool does. No firmware source asks for it (`vesc_express main/bms.c:298-360`
//! answers at any time), and recorded replies came while the scan of PING_CAN was still running.

use veschub_wire::CommandId;

use super::{Definition, Provenance, Quirk, Ruling, Shown, Trace, definition::quirk};
use crate::{definition::written, time::Time};

/// What must have been sent before BMS_GET_VALUES is answered.
pub(super) const NEEDED: [CommandId; 2] = [CommandId::GET_CUSTOM_CONFIG, CommandId::PING_CAN];

/// What of it was sent in a session.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setup([bool; NEEDED.len()]);

impl Setup {
    /// A command was sent.
    pub(super) fn note(&mut self, id: CommandId) {
        if let Some(index) = NEEDED.iter().position(|&needed| needed == id) {
            self.0[index] = true;
        }
    }

    /// What is missing, in words; nothing if all was sent.
    pub(super) fn missing(self) -> Option<String> {
        let missing = NEEDED.iter().zip(self.0).filter(|(_, sent)| !sent);
        let names: Vec<String> = missing.map(|(id, _)| id.to_string()).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    }
}

quirk! {
    /// The BMS answers only after GET_CUSTOM_CONFIG and PING_CAN were sent.
    NeedsSetup {}
    state {
        setup: Setup,
    }
}

impl Definition for NeedsSetup {
    const NAME: &'static str = "needs-setup";
    const PROVENANCE: Provenance = Provenance::Inferred;
    const SEEN: &'static str =
        "VESC Tool sends them first; vesc_express main/bms.c:298-360 does not ask for it";
    const DEFAULTS: &'static str = "{}";
    const SHOWN_BY: Shown = Shown::Scenario("the-bms-needs-a-setup");
    const COMMANDS: &'static [CommandId] = &[CommandId::BMS_GET_VALUES];
    const TRACE: Trace = Trace::PollsWithoutSetup;
}

impl Quirk for NeedsSetup {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn parameters(&self) -> serde_json::Value {
        written(self)
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        *self = Self::with();
        Vec::new()
    }

    fn request(&mut self, _now: Time, payload: &[u8]) -> Ruling {
        let Some(&id) = payload.first() else {
            return Ruling::Pass;
        };
        self.setup.note(CommandId(id));
        match self.setup.missing() {
            Some(missing) if CommandId(id) == CommandId::BMS_GET_VALUES => Ruling::Withhold {
                why: format!("{missing} must be sent first"),
            },
            _ => Ruling::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_pace_do_not_matter_but_all_must_be_sent_again_in_each_session() {
        let mut quirk = NeedsSetup::with();
        let mut ask =
            |seconds: u64, id: u8| quirk.request(Time::from_nanos(seconds * 1_000_000_000), &[id]);
        let missing = |what: &str| Ruling::Withhold {
            why: format!("{what} must be sent first"),
        };
        assert_eq!(ask(0, 96), missing("GET_CUSTOM_CONFIG and PING_CAN"));
        assert_eq!(ask(1, 62), Ruling::Pass);
        assert_eq!(ask(2, 96), missing("GET_CUSTOM_CONFIG"));
        assert_eq!(ask(1000, 93), Ruling::Pass);
        assert_eq!(ask(2000, 96), Ruling::Pass);
        quirk.session_begins(Time::ZERO);
        assert_ne!(quirk.request(Time::ZERO, &[96]), Ruling::Pass);
    }
}
