//! A reply that was read with another layout than its own: with that of another firmware, or as if its mask chose all
//! fields.
//!
//! One field proves little, so all fields of the reading have a say: those that are wrong or that the reply does not have
//! speak for a layout if they come out of it, and one that is right speaks against it if it would not.

use serde_json::Value as Json;

use super::{
    super::{Delivered, FieldUnderstood, Judgement},
    Mistake, evidence,
    own::{self, Case},
};
use crate::judge::layout::{FIRMWARES, Slot, layout_of, layout_without_mask, sends};

/// What it tells that a client shows a field which only another layout has.
const INVENTED: u32 = 2;

/// A layout that explains fields of a reading.
pub(super) struct Explained {
    pub(super) mistake: Mistake,
    /// The places of the fields in the reading, and how much each tells.
    pub(super) fields: Vec<(usize, u32)>,
}

impl Explained {
    fn total(&self) -> u32 {
        self.fields.iter().map(|(_, weight)| weight).sum()
    }
}

/// The other layout that explains most. Of firmwares with the same layout, and of those whose layouts explain as much, it
/// is the oldest.
pub(super) fn other_layout(fields: &[FieldUnderstood], reply: &Delivered<'_>) -> Option<Explained> {
    let all = FIRMWARES.map(Mistake::OtherLayout);
    let mut best: Option<Explained> = None;
    for mistake in all.into_iter().chain([Mistake::IgnoredMask]) {
        let Some(found) = explain(mistake, fields, reply) else {
            continue;
        };
        let most = best.as_ref().map_or(0, Explained::total);
        if found.total() > most {
            best = Some(found);
        }
    }
    best.filter(|best| best.total() >= evidence::needed(best.mistake))
}

/// What this layout explains; nothing, if a right field speaks against it.
fn explain(
    mistake: Mistake,
    fields: &[FieldUnderstood],
    reply: &Delivered<'_>,
) -> Option<Explained> {
    let slots = match mistake {
        Mistake::OtherLayout(firmware) => layout_of(reply.command, reply.payload, firmware),
        _ => layout_without_mask(reply.command, reply.payload),
    };
    let has_it = |field: &str| match mistake {
        Mistake::OtherLayout(firmware) => sends(reply.command, reply.payload, field, firmware),
        _ => false,
    };
    let mut explained = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let Some(given) = field.decoded.as_ref().filter(|given| !given.is_null()) else {
            continue;
        };
        let comes_out = comes_out(&slots, &field.field, given, reply);
        match (&field.judgement, comes_out) {
            (Judgement::Right, Some(false)) => return None,
            (Judgement::Wrong(_) | Judgement::Invented(_), Some(true)) => {
                let digits = evidence::given_digits(given);
                let is_invented = matches!(field.judgement, Judgement::Invented(_));
                let weight = match is_invented && has_it(&field.field) {
                    true => digits.max(INVENTED),
                    false => digits,
                };
                explained.push((index, weight));
            }
            // It would stand behind the end of this reply, so nobody knows what a client makes of it.
            (Judgement::Invented(_), None) if has_it(&field.field) => {
                explained.push((index, INVENTED));
            }
            _ => {}
        }
    }
    Some(Explained {
        mistake,
        fields: explained,
    })
}

/// Whether a layout gives the client's value for a field; `None` where it has no numbers for it in this payload.
fn comes_out(slots: &[Slot], field: &str, given: &Json, reply: &Delivered<'_>) -> Option<bool> {
    let slots: Vec<Slot> = slots
        .iter()
        .copied()
        .filter(|slot| slot.field == field)
        .collect();
    if slots.is_empty() {
        return None;
    }
    let values = own::numbers(given).unwrap_or_default();
    let case = Case {
        slots,
        payload: reply.payload,
        values: &values,
    };
    // What a right value may be off by, this one may be too.
    let step = reply.step(field);
    let near = |slot: &Slot| {
        let value = slot.read(reply.payload)?;
        let given = values.iter().copied();
        let nearest = given.min_by(|a, b| (a - value).abs().total_cmp(&(b - value).abs()))?;
        Some(match (nearest - value).abs() <= step {
            true => nearest,
            false => value,
        })
    };
    Some(case.comes_out(near))
}
