//! Values of a configuration that a client reads by their names.
//!
//! The reply has a signature and packed bytes. The names come from the descriptions that the scenario gives its devices;
//! the one with the reply's signature says where each value stands. Without it nothing can be said of a name.

use std::{borrow::Cow, sync::Arc};

use serde_json::Value as Json;
use veschub_wire::{command::ConfigKind, description::ConfigDescription};

use super::{Delivered, FieldUnderstood, Judgement, Mistake, Tolerance};
use crate::judge::config_layout::{self, Said, Used};

/// The packed bytes of a configuration behind command and signature, and what describes them, if that is known.
fn configuration<'a>(
    reply: &Delivered<'a>,
    tolerance: &'a Tolerance,
) -> Option<(&'a [u8], Option<&'a Arc<ConfigDescription>>)> {
    // Others acknowledge with one byte.
    ConfigKind::of_command(reply.command)?;
    let (signature, data) = reply.payload.get(1..)?.split_first_chunk()?;
    let signature = u32::from_be_bytes(*signature);
    let mut known = tolerance.configs.iter();
    Some((data, known.find(|one| one.signature() == signature)))
}

fn said(reply: &Delivered<'_>, tolerance: &Tolerance, name: &str, given: &Json) -> Option<Said> {
    let (data, described) = configuration(reply, tolerance)?;
    config_layout::said(data, described?, name, given)
}

/// Whether a configuration has this value under this name.
pub(super) fn is_right(
    reply: &Delivered<'_>,
    tolerance: &Tolerance,
    name: &str,
    given: &Json,
) -> bool {
    said(reply, tolerance, name, given).is_some_and(|said| said.is_right)
}

/// What became of a value that a client read by name; `None` if the reply is no configuration.
pub(super) fn judge(
    reply: &Delivered<'_>,
    tolerance: &Tolerance,
    name: &str,
    given: &Json,
) -> Option<FieldUnderstood> {
    let (_, described) = configuration(reply, tolerance)?;
    let said = said(reply, tolerance, name, given);
    let judgement = match (&said, described) {
        (_, None) => Judgement::NotJudged,
        _ if given.is_null() => Judgement::Missing,
        (Some(said), _) if said.is_right => Judgement::Right,
        (Some(_), _) => Judgement::Wrong(None),
        (None, Some(_)) => Judgement::Invented(None),
    };
    Some(FieldUnderstood {
        field: Cow::Owned(name.to_owned()),
        truth: said.map(|said| said.truth),
        decoded: Some(given.clone()),
        judgement,
    })
}

/// Names the mistake behind the wrong values of a configuration: the layout of another firmware, or bytes beside the
/// right place.
pub(super) fn name(fields: &mut [FieldUnderstood], reply: &Delivered<'_>, tolerance: &Tolerance) {
    let Some((data, Some(device))) = configuration(reply, tolerance) else {
        return;
    };
    let is_own = |field: &FieldUnderstood| reply.fields.get(&field.field).is_none();
    let values: Vec<(&str, f64)> = fields
        .iter()
        .filter(|field| is_own(field))
        .filter_map(|field| {
            let given = field.decoded.as_ref()?;
            // A text is a number in the layout that has this choice.
            let named = tolerance.configs.iter();
            let number = given.as_f64().or_else(|| {
                let mut said =
                    named.filter_map(|one| config_layout::said(data, one, &field.field, given));
                said.find_map(|said| said.number)
            });
            Some((&*field.field, number?))
        })
        .collect();
    let Some(mistake) = config_layout::explain(data, device, &tolerance.configs, &values) else {
        return;
    };
    let mistake = match mistake.used {
        Used::Layout(used) => Mistake::OtherConfig {
            used,
            right: mistake.right,
        },
        Used::Shift(by) => Mistake::Shifted(by),
    };
    for field in fields.iter_mut() {
        if reply.fields.get(&field.field).is_some() {
            continue;
        }
        match &mut field.judgement {
            Judgement::Wrong(why) | Judgement::Invented(why) => *why = Some(mistake),
            _ => {}
        }
    }
}
