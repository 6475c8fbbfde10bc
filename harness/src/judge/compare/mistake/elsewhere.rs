//! Mistakes in reading bytes that are not the field's own: of another field, another reply or another device.

use serde_json::Value as Json;
use veschub_wire::{CommandId, view::Value};

use super::{
    super::{Delivered, FieldUnderstood, same},
    Mistake,
    own::Case,
};
use crate::judge::layout::{self, Slot, layout};

/// How far from its place a field is looked for, in bytes.
const SHIFTS: i32 = 8;
/// How many replies to other commands are tried.
const OTHERS: usize = 32;

/// Another field of the same reply that has the value.
pub(super) fn other_field(
    field: &FieldUnderstood,
    given: &Json,
    reply: &Delivered<'_>,
    found: &mut Vec<Mistake>,
) {
    let has_it = |(name, truth): &(&str, &Value)| *name != field.field && same(truth, given, 0.0);
    let names = reply.fields.iter().filter(has_it).map(|(name, _)| name);
    found.extend(
        names
            .filter_map(|name| layout::known_name(reply.command, name))
            .map(Mistake::OtherField),
    );
}

/// The same field of an earlier reply, or of another device's.
pub(super) fn other_reply(
    field: &FieldUnderstood,
    given: &Json,
    reply: &Delivered<'_>,
    before: &[Delivered<'_>],
    found: &mut Vec<Mistake>,
) {
    let has_it = |other: &Delivered<'_>| {
        let truth = other.fields.get(&field.field);
        truth.is_some_and(|truth| same(truth, given, other.step(&field.field)))
    };
    let others = || {
        before
            .iter()
            .rev()
            .filter(|other| other.command == reply.command)
    };
    let earlier = others()
        .find(|other| other.can_id == reply.can_id && other.entry < reply.entry && has_it(other));
    found.extend(earlier.map(|earlier| Mistake::Stale(earlier.number)));
    let foreign = others().find(|other| other.can_id != reply.can_id && has_it(other));
    found.extend(foreign.map(|foreign| Mistake::OtherDevice(foreign.can_id)));
}

/// Tries whether the reply to another command, read as if it were this one, gives the value.
pub(super) fn another_reply(
    field: &str,
    case: &Case<'_>,
    command: CommandId,
    before: &[Delivered<'_>],
    found: &mut Vec<Mistake>,
) {
    let others = before
        .iter()
        .rev()
        .filter(|other| other.command != command)
        .take(OTHERS);
    for other in others {
        let slots: Vec<Slot> = layout(command, other.payload)
            .into_iter()
            .filter(|slot| slot.field == field)
            .collect();
        let misread = Case {
            slots,
            payload: other.payload,
            values: case.values,
        };
        let mistake = Mistake::AnotherReply(other.command);
        if misread.comes_out(|slot| slot.read(other.payload)) && !found.contains(&mistake) {
            found.push(mistake);
        }
    }
}

/// Tries the places around the right one.
pub(super) fn shifted(case: &Case<'_>, found: &mut Vec<Mistake>) {
    for by in (1..=SHIFTS).flat_map(|by| [by, -by]) {
        let shift = |slot: &Slot| {
            let offset = slot.offset.checked_add_signed(isize::try_from(by).ok()?)?;
            Slot { offset, ..*slot }.read(case.payload)
        };
        if case.comes_out(shift) {
            found.push(Mistake::Shifted(by));
        }
    }
}
