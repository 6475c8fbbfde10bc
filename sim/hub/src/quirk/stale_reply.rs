//! `stale-reply`: a reply to an earlier tool's request comes in the new tool's session.
//!
//! From the source: the hub's pipe has no owners (`vesc_tool tcphub.cpp:140-150`) and replies carry neither numbers nor
//! addresses, so whatever the device still had to say to the earlier tool reaches the next one.

use veschub_wire::{CommandId, Request};

use super::{Definition, Provenance, Quirk, Ruling, Shown, Trace, definition::quirk};
use crate::{command_name::CommandName, definition::written, time::Time};

quirk! {
    /// A reply to an earlier tool's request comes in the new tool's session.
    StaleReply {
        /// What the earlier tool asked, right before it left; commands that take arguments get the usual ones.
        #[serde(default = "bms_get_values")]
        command: CommandName,
    }
}

fn bms_get_values() -> CommandName {
    CommandName(CommandId::BMS_GET_VALUES)
}

impl Definition for StaleReply {
    const NAME: &'static str = "stale-reply";
    const PROVENANCE: Provenance = Provenance::Source;
    const SEEN: &'static str = "vesc_tool tcphub.cpp:140-150";
    const DEFAULTS: &'static str = "{ command: BMS_GET_VALUES }";
    const SHOWN_BY: Shown = Shown::Scenario("a-reply-to-an-earlier-tool-comes-first");
    const COMMANDS: &'static [CommandId] = &[];
    const TRACE: Trace = Trace::UnaskedReplies;
    const MAKES_UP_REPLIES: bool = true;

    fn command(&self) -> Option<(&'static str, CommandId)> {
        Some(("command", self.command.0))
    }
}

impl Quirk for StaleReply {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn parameters(&self) -> serde_json::Value {
        written(self)
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        let request = Request::from_args(self.command.0, &[]);
        let payload = request.map_or_else(|_| vec![self.command.0.0], |request| request.encode());
        vec![payload]
    }

    fn request(&mut self, _now: Time, _payload: &[u8]) -> Ruling {
        Ruling::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_begins_with_the_earlier_tools_request() {
        let mut quirk = StaleReply::with(CommandName(CommandId::GET_CUSTOM_CONFIG));
        for _ in 0..2 {
            assert_eq!(quirk.session_begins(Time::ZERO), [[93, 0]]);
        }
        assert_eq!(quirk.request(Time::ZERO, &[93, 0]), Ruling::Pass);
    }
}
