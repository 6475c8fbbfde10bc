//! `session-reset`: a session that is too slow between two requests is forgotten.
//!
//! The device answers BMS_GET_VALUES only after GET_CUSTOM_CONFIG and PING_CAN were sent, and forgets that they
//! were when the gap between two requests exceeds `max_gap`. Rapid fire works, waiting for replies does not.
//!
//! Inferred: it is what a client's authors concluded from a capture. The capture itself contradicts it (pauses of
//! 2.6 s and 3.4 s are followed by answered requests), no hub or firmware source has such a state, and the likelier
//! cause is a client that cannot read replies of 128 bytes or more. Clients are built around it all the same.

use std::time::Duration as Span;

use veschub_wire::CommandId;

use super::{
    Definition, Provenance, Quirk, Ruling, Shown, Trace, definition::quirk, needs_setup::Setup,
};
use crate::{definition::written, duration::Duration, time::Time};

quirk! {
    /// A session that is too slow between two requests is forgotten.
    SessionReset {
        /// The longest gap between two requests that the session survives.
        #[serde(default = "max_gap")]
        max_gap: Duration,
    }
    state {
        setup: Setup,
        last: Option<(Time, CommandId)>,
        /// The gap that made the device forget, for the report.
        forgot: Option<Gap>,
    }
}

fn max_gap() -> Duration {
    Duration::from_millis(250)
}

impl Definition for SessionReset {
    const NAME: &'static str = "session-reset";
    const PROVENANCE: Provenance = Provenance::Inferred;
    const SEEN: &'static str =
        "concluded by a client's authors; the one public recording contradicts it";
    const DEFAULTS: &'static str = "{ max_gap: 250ms }";
    const SHOWN_BY: Shown = Shown::Scenario("waiting-resets-the-session");
    const COMMANDS: &'static [CommandId] = &[CommandId::BMS_GET_VALUES];
    const TRACE: Trace = Trace::PollsAfterAGap;
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    after: CommandId,
    before: CommandId,
    lasted: Span,
}

impl SessionReset {
    fn why(&self, missing: &str) -> String {
        match self.forgot {
            Some(gap) => format!(
                "{:.3} s passed between {} and {}, more than max_gap {:.3} s, and the device forgot {missing}",
                gap.lasted.as_secs_f64(),
                gap.after,
                gap.before,
                self.max_gap.get().as_secs_f64(),
            ),
            None => format!("{missing} must be sent first"),
        }
    }
}

impl Quirk for SessionReset {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn parameters(&self) -> serde_json::Value {
        written(self)
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        *self = Self::with(self.max_gap);
        Vec::new()
    }

    fn request(&mut self, now: Time, payload: &[u8]) -> Ruling {
        let Some(&id) = payload.first() else {
            return Ruling::Pass;
        };
        let id = CommandId(id);
        if let Some((then, after)) = self.last.replace((now, id))
            && now - then > self.max_gap.get()
        {
            self.setup = Setup::default();
            self.forgot = Some(Gap {
                after,
                before: id,
                lasted: now - then,
            });
        }
        self.setup.note(id);
        if id == CommandId::BMS_GET_VALUES
            && let Some(missing) = self.setup.missing()
        {
            let why = self.why(&missing);
            return Ruling::Withhold { why };
        }
        Ruling::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FW_VERSION: u8 = 0;
    const PING_CAN: u8 = 62;
    const CONFIG: u8 = 93;
    const BMS: u8 = 96;

    fn play(steps: &[(u64, u8)]) -> Vec<Ruling> {
        let mut quirk = SessionReset::with(Duration::from_millis(250));
        quirk.session_begins(Time::ZERO);
        let ask = |&(ms, id): &(u64, u8)| quirk.request(Time::from_nanos(ms * 1_000_000), &[id]);
        steps.iter().map(ask).collect()
    }

    #[test]
    fn rapid_fire_passes() {
        let rulings = play(&[
            (0, FW_VERSION),
            (0, CONFIG),
            (0, PING_CAN),
            (0, BMS),
            (250, BMS),
        ]);
        assert_eq!(rulings, vec![Ruling::Pass; 5]);
    }

    #[test]
    fn a_gap_longer_than_allowed_makes_the_device_forget() {
        let rulings = play(&[
            (0, CONFIG),
            (100, PING_CAN),
            (351, BMS),
            (400, CONFIG),
            (450, PING_CAN),
            (500, BMS),
        ]);
        let Ruling::Withhold { why } = &rulings[2] else {
            panic!("{rulings:?}");
        };
        assert_eq!(
            why,
            "0.251 s passed between PING_CAN and BMS_GET_VALUES, more than max_gap 0.250 s, \
             and the device forgot GET_CUSTOM_CONFIG and PING_CAN"
        );
        assert_eq!(rulings[5], Ruling::Pass, "asked again, it answers again");
    }

    #[test]
    fn without_the_requests_before_it_the_bms_is_not_asked() {
        let rulings = play(&[(0, PING_CAN), (10, BMS)]);
        assert_eq!(
            rulings[1],
            Ruling::Withhold {
                why: "GET_CUSTOM_CONFIG must be sent first".into()
            }
        );
    }
}
