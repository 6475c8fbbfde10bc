//! Values in another unit, and scales in words: what a factor means for a field of this name.

use super::{super::Delivered, Mistake, own::Case};
use crate::judge::layout::Form;

/// The most pole pairs that are tried.
const PAIRS: u32 = 30;

/// The unit in which a field is, as its name says. Longer endings come first.
const UNITS: [(&str, &str); 14] = [
    ("_m_s", "m/s"),
    ("_percent", "%"),
    ("_ms", "ms"),
    ("_ah", "Ah"),
    ("_wh", "Wh"),
    ("_pa", "Pa"),
    ("_deg", "degrees"),
    ("_v", "V"),
    ("_a", "A"),
    ("_c", "°C"),
    ("_m", "m"),
    ("state_of_charge", RATIO),
    ("state_of_health", RATIO),
    ("battery_level", RATIO),
];
const RATIO: &str = "parts of 1";

/// Units that are a power of ten away.
const POWERS: [(&str, i32, &str); 16] = [
    ("V", 3, "mV"),
    ("A", 3, "mA"),
    ("Ah", 3, "mAh"),
    ("Wh", 3, "mWh"),
    ("Wh", -3, "kWh"),
    ("Pa", -2, "hPa"),
    ("Pa", -3, "kPa"),
    ("Pa", -5, "bar"),
    ("%", -2, RATIO),
    (RATIO, 2, "%"),
    ("m", 2, "cm"),
    ("m", 3, "mm"),
    ("m", -3, "km"),
    ("ms", -3, "s"),
    ("m/s", 2, "cm/s"),
    ("m/s", 3, "mm/s"),
];

/// Units that are another factor away, and what is added.
const FACTORS: [(&str, f64, f64, &str); 6] = [
    ("°C", 1.8, 32.0, "°F"),
    ("°C", 1.0, 273.15, "K"),
    ("m/s", 3.6, 0.0, "km/h"),
    ("m/s", 3.6 / 1.609_344, 0.0, "mph"),
    ("m", 1.0 / 1609.344, 0.0, "miles"),
    ("degrees", std::f64::consts::PI / 180.0, 0.0, "radians"),
];

fn unit(field: &str) -> Option<&'static str> {
    if field == "duty" {
        return Some(RATIO);
    }
    // Lists have the names of several things: `cell_voltages_v`.
    let ends = |(ending, _): &&(&str, &str)| field.ends_with(ending);
    UNITS.iter().find(ends).map(|(_, unit)| *unit)
}

/// Tries other units and the mechanical speed.
pub(super) fn converted(field: &str, case: &Case<'_>, found: &mut Vec<Mistake>) {
    for (right, factor, more, shown) in FACTORS {
        if unit(field) == Some(right)
            && case.rounds_to(|slot| Some(slot.read(case.payload)? * factor + more))
        {
            found.push(Mistake::Unit { shown, right });
        }
    }
    if field == "erpm" {
        let fits = |pairs: &u32| {
            let divided = |slot: &crate::judge::layout::Slot| {
                Some(slot.read(case.payload)? / f64::from(*pairs))
            };
            case.rounds_to(divided) || case.comes_out(|slot| divided(slot).map(f64::trunc))
        };
        found.extend((2..=PAIRS).find(fits).map(Mistake::PolePairs));
    }
}

/// The same mistake in the words of the field: another unit, or another divisor of its raw number.
pub(super) fn precise(mistake: Mistake, field: &str, reply: &Delivered<'_>) -> Mistake {
    let Mistake::Scale(power) = mistake else {
        return mistake;
    };
    let other = POWERS
        .iter()
        .find(|(right, by, _)| unit(field) == Some(right) && *by == power);
    if let Some(&(right, _, shown)) = other {
        return Mistake::Unit { shown, right };
    }
    let form = reply.slots(field).first().map(|slot| slot.form);
    let Some(Form::I16(right) | Form::I32(right)) = form else {
        return mistake;
    };
    let used = right / 10_f64.powi(power);
    match (whole(used), whole(right)) {
        (Some(used), Some(right)) => Mistake::Divisor { used, right },
        _ => mistake,
    }
}

fn whole(number: f64) -> Option<u32> {
    let rounded = number.round();
    let is_whole = (number - rounded).abs() < 1e-6 && (1.0..=1e9).contains(&rounded);
    is_whole.then_some(rounded as u32)
}
