//! `config-goes-elsewhere`: replies to GET_CUSTOM_CONFIG go to another interface.
//!
//! From the source: an Express sends them to the interface of the last command from anywhere (`EX main/commands.c:421`).
//! With Bluetooth or USB in use as well, a tool at the hub misses some of them.

use veschub_wire::CommandId;

use super::{Provenance, Quirk, Ruling};
use crate::time::Time;

/// The quirk: every so many configs are lost.
#[derive(Clone, Debug)]
pub struct ConfigGoesElsewhere {
    every: u32,
    asked: u32,
}

impl ConfigGoesElsewhere {
    /// Of the configs that are asked for in a session, the first and then each one of `every` goes elsewhere.
    #[must_use]
    pub fn new(every: u32) -> Self {
        Self {
            every: every.max(1),
            asked: 0,
        }
    }
}

impl Quirk for ConfigGoesElsewhere {
    fn name(&self) -> &'static str {
        "config-goes-elsewhere"
    }

    fn provenance(&self) -> Provenance {
        Provenance::Source
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        self.asked = 0;
        Vec::new()
    }

    fn request(&mut self, _now: Time, payload: &[u8]) -> Ruling {
        let id = payload.first().copied().map(CommandId);
        if !matches!(
            id,
            Some(CommandId::GET_CUSTOM_CONFIG | CommandId::GET_CUSTOM_CONFIG_DEFAULT)
        ) {
            return Ruling::Pass;
        }
        let elsewhere = self.asked.is_multiple_of(self.every);
        self.asked = self.asked.wrapping_add(1);
        if elsewhere {
            Ruling::Withhold {
                why: "another interface sent the last command, and the reply went there".to_owned(),
            }
        } else {
            Ruling::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_config_and_then_each_one_of_so_many_is_lost() {
        let mut quirk = ConfigGoesElsewhere::new(2);
        quirk.session_begins(Time::ZERO);
        let mut lost = || quirk.request(Time::ZERO, &[93, 0]) != Ruling::Pass;
        assert_eq!([lost(), lost(), lost(), lost()], [true, false, true, false]);
        assert_eq!(quirk.request(Time::ZERO, &[96]), Ruling::Pass);
    }
}
