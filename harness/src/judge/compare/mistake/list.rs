//! Lists of the wrong length, and which elements are missing.

use std::fmt;

use super::{super::near, Mistake, own::Case};
use crate::judge::layout::Form;

/// Which elements of a list a client leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Those below 0.
    Negative,
    /// Those that are 0.
    Zero,
    /// Those that are 0 or below.
    NotPositive,
    /// Those above 100.
    Above100,
    /// No rule fits.
    Unknown,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Negative => "all that are negative are left out",
            Self::Zero => "all that are 0 are left out",
            Self::NotPositive => "all that are 0 or negative are left out",
            Self::Above100 => "all above 100 are left out",
            Self::Unknown => "they are left out, and so the later ones move up",
        })
    }
}

/// Whether a rule leaves a value out.
type LeavesOut = fn(f64) -> bool;

/// Tries what a list of the wrong length can come from.
pub(super) fn lengths(case: &Case<'_>, found: &mut Vec<Mistake>) {
    let (given, sent) = (case.values.len(), case.slots.len());
    if given == 0 && sent > 0 {
        found.push(Mistake::EmptyList);
        return;
    }
    let truth: Vec<f64> = case
        .slots
        .iter()
        .filter_map(|slot| slot.read(case.payload))
        .collect();
    let step = case.slots.first().map_or(0.0, |slot| slot.form.step());
    let same = |truth: &f64, value: &f64| near(*truth, *value, step);
    let starts_right = truth
        .iter()
        .zip(case.values)
        .all(|(truth, value)| same(truth, value));
    let are_flags = case.slots.iter().all(|slot| slot.form == Form::Flag);
    if given < sent && !are_flags {
        found.extend(by_rule(&truth, case.values, &same));
    }
    if starts_right && given < sent {
        found.push(Mistake::Capped(given));
    } else if given < sent && !are_flags {
        found.extend(somewhere(&truth, case.values, &same));
    }
    if starts_right && given > sent {
        found.push(Mistake::Padded(given));
    }
    let masked = (0..given).all(|index| {
        let value = case.values.get(index);
        let lost = index >= 32 && (value == Some(&0.0) || value == truth.get(index % 32));
        value == truth.get(index) || lost
    });
    if are_flags && given == sent && sent > 32 && masked {
        found.push(Mistake::MaskOf32);
    }
}

/// Whether leaving out all elements of a kind gives the client's list.
fn by_rule(truth: &[f64], given: &[f64], same: &impl Fn(&f64, &f64) -> bool) -> Option<Mistake> {
    let rules: [(Rule, LeavesOut); 4] = [
        (Rule::Negative, |value| value < 0.0),
        (Rule::Zero, |value| value == 0.0),
        (Rule::NotPositive, |value| value <= 0.0),
        (Rule::Above100, |value| value > 100.0),
    ];
    let gives = |leaves_out: LeavesOut| {
        let kept: Vec<f64> = truth
            .iter()
            .copied()
            .filter(|value| !leaves_out(*value))
            .collect();
        kept.len() == given.len()
            && kept
                .iter()
                .zip(given)
                .all(|(truth, value)| same(truth, value))
    };
    let (rule, leaves_out) = rules
        .into_iter()
        .find(|(_, leaves_out)| gives(*leaves_out))?;
    let first = truth.iter().position(|value| leaves_out(*value))?;
    let count = truth.len() - given.len();
    Some(Mistake::Dropped { rule, count, first })
}

/// Whether the client's list is the device's with some elements left out.
fn somewhere(truth: &[f64], given: &[f64], same: &impl Fn(&f64, &f64) -> bool) -> Option<Mistake> {
    let mut wanted = given.iter().peekable();
    let mut first = None;
    for (index, truth) in truth.iter().enumerate() {
        if wanted.next_if(|value| same(truth, value)).is_none() && first.is_none() {
            first = Some(index);
        }
    }
    let all_found = wanted.peek().is_none();
    let first = first.filter(|_| all_found)?;
    let count = truth.len() - given.len();
    let rule = Rule::Unknown;
    Some(Mistake::Dropped { rule, count, first })
}
