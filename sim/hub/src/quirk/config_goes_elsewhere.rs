//! `config-goes-elsewhere`: replies to GET_CUSTOM_CONFIG go to another interface.
//!
//! From the source: an Express sends them to the interface of the last command from anywhere
//! (`vesc_express main/commands.c:421`). With Bluetooth or USB in use as well, a tool at the hub misses some of them.

use veschub_wire::CommandId;

use super::{Definition, Provenance, Quirk, Ruling, Shown, Trace, definition::quirk};
use crate::{definition::written, time::Time};

/// The requests for a config.
const CONFIGS: [CommandId; 2] = [
    CommandId::GET_CUSTOM_CONFIG,
    CommandId::GET_CUSTOM_CONFIG_DEFAULT,
];

quirk! {
    /// Replies to GET_CUSTOM_CONFIG go to another interface.
    ConfigGoesElsewhere {
        /// Of so many configs one goes elsewhere, the first one first.
        #[serde(default = "each")]
        every: u32,
    }
    state {
        asked: u32,
    }
}

fn each() -> u32 {
    1
}

impl Definition for ConfigGoesElsewhere {
    const NAME: &'static str = "config-goes-elsewhere";
    const PROVENANCE: Provenance = Provenance::Source;
    const SEEN: &'static str = "vesc_express main/commands.c:421";
    const DEFAULTS: &'static str = "{ every: 1 }";
    const SHOWN_BY: Shown = Shown::Scenario("the-config-goes-elsewhere");
    const COMMANDS: &'static [CommandId] = &CONFIGS;
    const TRACE: Trace = Trace::LostConfigs;
}

impl Quirk for ConfigGoesElsewhere {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn parameters(&self) -> serde_json::Value {
        written(self)
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        self.asked = 0;
        Vec::new()
    }

    fn request(&mut self, _now: Time, payload: &[u8]) -> Ruling {
        let is_config = |&id: &u8| CONFIGS.contains(&CommandId(id));
        if !payload.first().is_some_and(is_config) {
            return Ruling::Pass;
        }
        let elsewhere = self.asked.is_multiple_of(self.every.max(1));
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
        let mut quirk = ConfigGoesElsewhere::with(2);
        quirk.session_begins(Time::ZERO);
        let mut lost = || quirk.request(Time::ZERO, &[93, 0]) != Ruling::Pass;
        assert_eq!([lost(), lost(), lost(), lost()], [true, false, true, false]);
        assert_eq!(quirk.request(Time::ZERO, &[96]), Ruling::Pass);
    }
}
