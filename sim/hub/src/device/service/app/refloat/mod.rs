//! Refloat, an app for self-balancing boards (`RF src/main.c`): what a client of it can ask.
//!
//! The motor's part of its values comes from the motor, the rest from the scenario. All requests and answers begin with
//! the app's number, 101, and a command. It does not answer a wrong number, less than two bytes and commands that it
//! does not know, and neither those that only change something: they are taken and forgotten here, but for the lights,
//! the lock, the test by hand, and for clearing a fatal error.

mod data;
mod lists;
mod ride;
pub mod settings;

use crate::{device::motor_state::MotorState, time::Time};

pub use settings::RefloatSettings;

use ride::{Changed, Ride};
use settings::{RefloatVersion, RideMode, RideState};

/// The app's number, with which all its messages begin.
const APP: u8 = 101;
/// The clock's ticks in a second.
const TICKS_PER_S: u64 = 10_000;

/// What a client can ask, by number (`RF src/main.c:1246-1269`); all others are silent.
mod command {
    pub(super) const INFO: u8 = 0;
    pub(super) const GET_RTDATA: u8 = 1;
    pub(super) const GET_ALLDATA: u8 = 10;
    pub(super) const LOCK: u8 = 12;
    pub(super) const HANDTEST: u8 = 13;
    pub(super) const LIGHTS_CONTROL: u8 = 20;
    pub(super) const REALTIME_DATA_INTERNAL: u8 = 31;
    pub(super) const REALTIME_DATA_IDS: u8 = 32;
    pub(super) const REALTIME_DATA: u8 = 33;
    pub(super) const ALERTS_LIST: u8 = 35;
    pub(super) const ALERTS_CONTROL: u8 = 36;
    /// LIGHTS_CONTROL in 1.0 and 1.1.
    pub(super) const OLD_LIGHTS_CONTROL: u8 = 202;
}

/// A running Refloat.
#[derive(Debug)]
pub(super) struct Refloat {
    settings: RefloatSettings,
    /// Bit 0 the LEDs, bit 1 the headlights.
    lights: u8,
    changed: Changed,
}

impl Refloat {
    pub(super) fn new(settings: RefloatSettings) -> Self {
        Self {
            lights: settings.lights & 3,
            changed: Changed::default(),
            settings,
        }
    }

    /// It starts anew; the lights and the lock are as they were stored.
    pub(super) fn restart(&mut self) {
        self.lights = self.settings.lights & 3;
        self.changed = Changed {
            locked: self.changed.locked,
            ..Changed::default()
        };
    }

    /// The answer to some bytes; none keeps it silent.
    pub(super) fn answer(&mut self, at: Time, data: &[u8], motor: &MotorState) -> Option<Vec<u8>> {
        let &[APP, id, ref arguments @ ..] = data else {
            return None;
        };
        let version = self.settings.version;
        let since = |first| version >= first;
        let ride = Ride::new(&self.settings, self.changed, at, motor);
        match id {
            command::INFO => Some(self.info(arguments)),
            command::GET_RTDATA => Some(data::rt_data(&ride)),
            command::GET_ALLDATA => match arguments {
                // Exactly three bytes.
                &[mode] => Some(data::all_data(&ride, mode)),
                _ => None,
            },
            command::LOCK => {
                if let Some(&on) = arguments.first().filter(|_| !ride.is_running()) {
                    self.changed.locked = Some(on != 0);
                }
                None
            }
            command::HANDTEST => {
                let may = ride.state == RideState::Ready
                    && matches!(ride.mode, RideMode::Normal | RideMode::Handtest);
                if let Some(&on) = arguments.first().filter(|_| may) {
                    self.changed.by_hand = Some(on != 0);
                }
                None
            }
            command::LIGHTS_CONTROL if since(RefloatVersion::V1_2) => {
                Some(self.control_lights(id, 4, arguments))
            }
            command::OLD_LIGHTS_CONTROL if !since(RefloatVersion::V1_2) => {
                Some(self.control_lights(id, 1, arguments))
            }
            command::REALTIME_DATA_INTERNAL if since(RefloatVersion::V1_1) => {
                Some(lists::internal(&ride))
            }
            command::REALTIME_DATA_IDS if since(RefloatVersion::V1_1) => Some(lists::ids(&ride)),
            command::REALTIME_DATA if since(RefloatVersion::V1_3) => {
                data::realtime(&ride, arguments)
            }
            command::ALERTS_LIST if since(RefloatVersion::V1_2) => {
                Some(lists::alerts(&ride, arguments))
            }
            command::ALERTS_CONTROL if since(RefloatVersion::V1_2) => {
                self.changed.cleared |= arguments.first().is_some_and(|flags| flags & 1 == 1);
                None
            }
            _ => None,
        }
    }

    /// Who it is: in the short form for clients that do not name a version, or name the first.
    fn info(&self, arguments: &[u8]) -> Vec<u8> {
        let settings = &self.settings;
        let (major, minor) = settings.version.numbers();
        let wanted = arguments.first().copied().unwrap_or(1);
        if wanted == 1 {
            let leds = settings.leds.in_version_1();
            return vec![APP, command::INFO, major * 10 + minor, 1, leds];
        }
        let flags = arguments.get(1).copied().unwrap_or_default();
        let mut out = vec![APP, command::INFO, 2, flags];
        push_padded(&mut out, "Refloat");
        out.extend([major, minor, settings.patch]);
        push_padded(&mut out, &settings.suffix);
        // A hash of the sources, which are not there.
        out.extend(0_u32.to_be_bytes());
        out.extend((TICKS_PER_S as u32).to_be_bytes());
        out.extend(settings.leds.capabilities().to_be_bytes());
        out.push(0);
        out
    }

    /// Switches what the mask names, and tells what is on.
    fn control_lights(&mut self, id: u8, mask_size: usize, arguments: &[u8]) -> Vec<u8> {
        if let Some((mask, [flags, ..])) = arguments.split_at_checked(mask_size) {
            let mask = mask.last().copied().unwrap_or_default();
            self.lights = (self.lights & !mask | flags & mask) & 3;
        }
        vec![APP, id, self.lights]
    }
}

/// A text in a field of 20 bytes, with zeros behind it.
fn push_padded(out: &mut Vec<u8>, text: &str) {
    let mut field = [0; 20];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    out.extend(field);
}

#[cfg(test)]
mod tests;
