//! The commands that move a motor, as their bytes say: the judge's own table, written from `docs/protocol-motor.md`,
//! section 3.1, and not from the codec.

use std::{fmt, time::Duration};

use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::schema::Setting;
use veschub_wire::{CommandId, view::hex};

use crate::judge::node::address;

/// What a command sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Current,
    Duty,
    Erpm,
    Brake,
    Handbrake,
    Position,
    Share,
}

/// A command that sets something: its id, what it sets, and by how much its number is multiplied.
const SETTERS: [(CommandId, Quantity, f64); 7] = [
    (CommandId::SET_DUTY, Quantity::Duty, 1e5),
    (CommandId::SET_CURRENT, Quantity::Current, 1e3),
    (CommandId::SET_CURRENT_BRAKE, Quantity::Brake, 1e3),
    (CommandId::SET_RPM, Quantity::Erpm, 1.0),
    (CommandId::SET_POS, Quantity::Position, 1e6),
    (CommandId::SET_HANDBRAKE, Quantity::Handbrake, 1e3),
    (CommandId::SET_CURRENT_REL, Quantity::Share, 1e5),
];

impl Quantity {
    /// Its unit, with a blank before it; nothing for a bare number.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Current | Self::Brake | Self::Handbrake => " A",
            Self::Erpm => " ERPM",
            Self::Position => " degrees",
            Self::Duty | Self::Share => "",
        }
    }

    /// By how much the number is multiplied.
    pub(crate) fn scale(self) -> f64 {
        let setter = SETTERS.iter().find(|(_, quantity, _)| *quantity == self);
        setter.map_or(1.0, |(_, _, scale)| *scale)
    }

    /// The command that sets it.
    pub(crate) fn command(self) -> CommandId {
        let setter = SETTERS.iter().find(|(_, quantity, _)| *quantity == self);
        setter.map_or(CommandId::SET_CURRENT, |(id, _, _)| *id)
    }

    /// The quantity of a setting, and its value.
    pub(crate) fn of(setting: Setting) -> (Self, f64) {
        match setting {
            Setting::CurrentA(current) => (Self::Current, current),
            Setting::Duty(duty) => (Self::Duty, duty),
            Setting::Erpm(erpm) => (Self::Erpm, f64::from(erpm)),
        }
    }
}

/// What a command does to a motor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// It drives the motor, or holds it in a place.
    Drives,
    /// It lets go of the motor or brakes it.
    Stops,
    /// It only keeps the motor doing what it does.
    Feeds,
    /// It has no number, or not all bytes of one: the controller takes what was in its memory.
    Short,
}

/// A command to a motor that reached the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'a> {
    /// When.
    pub(crate) at: Duration,
    /// The node that it is for; `None` for the device itself.
    pub(crate) can_id: Option<u8>,
    /// Its payload, without FORWARD_CAN around it.
    pub(crate) payload: &'a [u8],
    /// How many bytes it has on the wire.
    pub(crate) on_the_wire: usize,
    /// What it sets, and the number as it is sent.
    pub(crate) set: Option<(Quantity, i32)>,
    /// What it does.
    pub(crate) effect: Effect,
}

/// The commands to motors in a journal, in order.
pub(crate) fn sent(journal: &[JournalEntry]) -> Vec<Sent<'_>> {
    let each = journal.iter();
    each.filter_map(|entry| match &entry.event {
        JournalEvent::Request(payload) => read(entry.at.since_start(), payload),
        _ => None,
    })
    .collect()
}

fn read(at: Duration, whole: &[u8]) -> Option<Sent<'_>> {
    let (can_id, payload) = address(whole);
    Some(Sent {
        at,
        can_id,
        payload,
        // Start byte, length, CRC and stop byte.
        on_the_wire: whole.len() + if whole.len() < 256 { 5 } else { 6 },
        set: set(payload),
        effect: effect(payload)?,
    })
}

fn effect(payload: &[u8]) -> Option<Effect> {
    let (&id, arguments) = payload.split_first()?;
    match CommandId(id) {
        CommandId::ALIVE => return Some(Effect::Feeds),
        CommandId::MOTOR_ESTOP | CommandId::REBOOT => return Some(Effect::Stops),
        CommandId::TERMINAL_CMD if arguments.trim_ascii() == b"stop" => return Some(Effect::Stops),
        _ => {}
    }
    SETTERS.iter().find(|(one, ..)| one.0 == id)?;
    let Some((quantity, raw)) = set(payload) else {
        return Some(Effect::Short);
    };
    // A controller lets go of its motor below 0.05 A already. Who sends such a value means something else.
    let is_stop = match quantity {
        Quantity::Brake | Quantity::Handbrake => true,
        Quantity::Current | Quantity::Erpm | Quantity::Duty | Quantity::Share => raw == 0,
        Quantity::Position => false,
    };
    Some(match is_stop {
        true => Effect::Stops,
        false => Effect::Drives,
    })
}

/// What a payload sets, and the number as it is sent; `None` if it sets nothing, or is too short.
fn set(payload: &[u8]) -> Option<(Quantity, i32)> {
    let (&id, arguments) = payload.split_first()?;
    let (_, quantity, _) = *SETTERS.iter().find(|(one, ..)| one.0 == id)?;
    Some((quantity, i32::from_be_bytes(*arguments.first_chunk()?)))
}

impl Sent<'_> {
    /// Whether it keeps a motor running that a time-out would stop.
    pub(crate) fn feeds(&self) -> bool {
        matches!(self.effect, Effect::Drives | Effect::Feeds)
    }

    /// Whether it drives the motor.
    pub(crate) fn drives(&self) -> bool {
        self.effect == Effect::Drives
    }
}

/// Its command, value and bytes: `SET_CURRENT 5 A (06 00 00 13 88)`.
impl fmt::Display for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = CommandId(self.payload.first().copied().unwrap_or_default());
        let bytes = spaced(self.payload);
        match self.set {
            Some((quantity, raw)) => {
                let value = f64::from(raw) / quantity.scale();
                write!(f, "{id} {value}{} ({bytes})", quantity.unit())
            }
            None => write!(f, "{id} ({bytes})"),
        }
    }
}

/// The command that sets a value, as it should be sent: `SET_CURRENT 5 A (06 00 00 13 88)`.
pub(crate) fn meant(setting: Setting) -> String {
    let (quantity, value) = Quantity::of(setting);
    let (id, unit) = (quantity.command(), quantity.unit());
    format!("{id} {value}{unit} ({})", spaced(&setting.payload()))
}

/// Bytes as people write them: `02 3a 60`.
pub(crate) fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
    pairs.join(" ")
}
