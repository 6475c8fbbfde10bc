//! `stale-reply`: a reply to an earlier tool's request comes in the new tool's session.
//!
//! From the source: the hub's pipe has no owners (`VT tcphub.cpp:140-150`) and replies carry neither numbers nor
//! addresses, so whatever the device still had to say to the earlier tool reaches the next one.

use veschub_wire::{CommandId, Request};

use super::{Provenance, Quirk, Ruling};
use crate::time::Time;

/// The quirk with the request that the earlier tool left behind.
#[derive(Clone, Debug)]
pub struct StaleReply {
    command: CommandId,
}

impl StaleReply {
    /// An earlier tool asked this right before it left; commands that take arguments get the usual ones.
    #[must_use]
    pub fn new(command: CommandId) -> Self {
        Self { command }
    }
}

impl Quirk for StaleReply {
    fn name(&self) -> &'static str {
        "stale-reply"
    }

    fn provenance(&self) -> Provenance {
        Provenance::Source
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        let request = Request::from_args(self.command, &[]);
        let payload = request.map_or_else(|_| vec![self.command.0], |request| request.encode());
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
        let mut quirk = StaleReply::new(CommandId::GET_CUSTOM_CONFIG);
        for _ in 0..2 {
            assert_eq!(quirk.session_begins(Time::ZERO), [[93, 0]]);
        }
        assert_eq!(quirk.request(Time::ZERO, &[93, 0]), Ruling::Pass);
    }
}
