//! Which firmware each device of a session has, as its replies to FW_VERSION told.
//!
//! Firmware up to 3.00 lays out GET_VALUES in its own way, and a payload does not say which firmware sent it. So whoever
//! reads the replies of a session feeds its frames in here, one [`Firmwares`] for each connection, and reads each reply
//! by what [`Firmwares::answer`] gives. Devices behind FORWARD_CAN are told apart by their CAN id; which request a reply
//! answers, and so which device it came from, [`exchange`](crate::exchange) decides.

use std::collections::BTreeMap;
use std::time::Duration;

use veschub_wire::{CommandId, Firmware, Reply};

use crate::entry::{Direction, Entry, Kind};
use crate::exchange::{Asked, Exchanges, Policy};

/// How many requests are open at most. The dissector for Wireshark has the same rule.
const MOST_OPEN: usize = 64;

/// A device: its CAN id, or none for the one that the connection leads to.
type Device = Option<u8>;

/// The firmware of each device of one connection, as far as it was told.
///
/// ```
/// use std::time::Duration;
/// use veschub_transcript::firmwares::Firmwares;
/// use veschub_wire::{Firmware, Reply};
///
/// let mut firmwares = Firmwares::default();
/// firmwares.ask(Duration::ZERO, &[34, 84, 0]);
/// firmwares.answer(Duration::ZERO, &[0, 2, 18]);
/// firmwares.ask(Duration::ZERO, &[34, 84, 4]);
/// let values = [&[4][..], &[0; 55]].concat();
/// let firmware = firmwares.answer(Duration::ZERO, &values);
/// assert_eq!(firmware, Some(Firmware::new(2, 18)));
/// assert!(matches!(Reply::decode_from(&values, firmware).map(|told| told.body), Ok(Reply::OldValues(_))));
/// ```
#[derive(Debug)]
pub struct Firmwares {
    open: Exchanges<Device>,
    told: BTreeMap<Device, Firmware>,
}

impl Default for Firmwares {
    fn default() -> Self {
        Self {
            open: Exchanges::new(Policy::as_a_tool().with_limit(MOST_OPEN)),
            told: BTreeMap::new(),
        }
    }
}

impl Firmwares {
    /// Takes the payload of a request.
    pub fn ask(&mut self, at: Duration, request: &[u8]) {
        let asked = Asked::by(request);
        if matters(asked.reply()) {
            let behind = asked.inner.and_then(|_| request.get(1)).copied();
            self.open.ask(at, request, behind);
        }
    }

    /// Takes the payload of a reply. Gives the firmware of the device that sent it, if that device told it before and the
    /// reply is one that different firmware lays out differently.
    pub fn answer(&mut self, at: Duration, reply: &[u8]) -> Option<Firmware> {
        let id = reply.first().copied().map(CommandId)?;
        if !matters(id) {
            return None;
        }
        let device = self.open.answer(at, reply)?.attached;
        if id != CommandId::FW_VERSION {
            return self.told.get(&device).copied();
        }
        if let Ok(Reply::FwVersion(version)) = Reply::decode(reply).map(|told| told.body) {
            self.told.insert(device, version.firmware());
        }
        None
    }

    /// Takes an entry of the connection, and writes the sender's firmware into the frame if it matters.
    pub fn hear(&mut self, entry: &mut Entry) {
        let at = Duration::from_nanos(entry.at_ns.unwrap_or_default());
        let Kind::Frame(frame) = &mut entry.kind else {
            return;
        };
        match entry.direction {
            Some(Direction::ToDevice) => self.ask(at, &frame.payload),
            Some(Direction::ToTool) => frame.firmware = self.answer(at, &frame.payload),
            None => {}
        }
    }
}

/// The commands that tell a firmware, and those whose replies depend on it.
fn matters(reply: CommandId) -> bool {
    matches!(reply, CommandId::FW_VERSION | CommandId::GET_VALUES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: &[u8] = &[4; 56];

    /// What is known of who sent the last reply. A request is marked by `>`.
    fn last(said: &[(char, &[u8])]) -> Option<Firmware> {
        let mut firmwares = Firmwares::default();
        let mut known = None;
        for (turn, (way, payload)) in said.iter().enumerate() {
            let at = Duration::from_millis(turn as u64);
            match way {
                '>' => firmwares.ask(at, payload),
                _ => known = firmwares.answer(at, payload),
            }
        }
        known
    }

    #[test]
    fn each_device_of_a_session_has_its_own_firmware() {
        let told: &[(char, &[u8])] = &[
            ('>', &[0]),
            ('<', &[0, 6, 5]),
            ('>', &[34, 84, 0]),
            ('<', &[0, 2, 18]),
        ];
        let asked = |request: &'static [u8]| {
            let more = [('>', request), ('<', VALUES)];
            last(&[told, &more].concat())
        };
        assert_eq!(asked(&[4]), Some(Firmware::new(6, 5)));
        assert_eq!(asked(&[34, 84, 4]), Some(Firmware::new(2, 18)));
        assert_eq!(asked(&[34, 85, 4]), None);
    }

    #[test]
    fn the_last_word_of_a_device_counts_and_who_was_not_asked_is_unknown() {
        let updated: &[(char, &[u8])] = &[
            ('>', &[0]),
            ('<', &[0, 2, 18]),
            ('>', &[0]),
            ('<', &[0, 3, 40]),
            ('>', &[4]),
            ('<', VALUES),
        ];
        assert_eq!(last(updated), Some(Firmware::new(3, 40)));
        assert_eq!(
            last(&[('<', &[0, 2, 18]), ('>', &[4]), ('<', VALUES)]),
            None
        );
        assert_eq!(
            last(&[('>', &[0]), ('<', &[0, 2, 18]), ('<', VALUES)]),
            None
        );
    }
}
