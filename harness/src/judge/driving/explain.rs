//! Which known mistake explains a number that a client sets.

use veschub_wire::CommandId;

use super::command::Quantity;

/// How many pole pairs a motor may have.
const POLE_PAIRS: std::ops::RangeInclusive<i32> = 2..=30;

/// The mistake behind a number, with what to do about it; `None` if no known mistake explains it, or more than one does.
///
/// `raw` is what was sent and `value` what was meant.
pub(super) fn explain(quantity: Quantity, value: f64, raw: i32) -> Option<String> {
    let mut found = [
        sign(quantity, value, raw),
        scale(quantity, value, raw),
        pole_pairs(quantity, value, raw),
        byte_order(quantity, value, raw),
        float(quantity, value, raw),
    ]
    .into_iter()
    .flatten();
    // What two mistakes explain, neither does.
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Whether a number is this one, up to rounding.
fn is(raw: i32, right: f64) -> bool {
    let slack = (right.abs() * 0.001).max(1.0);
    right.abs() >= 1.0 && (f64::from(raw) - right).abs() <= slack
}

fn sign(quantity: Quantity, value: f64, raw: i32) -> Option<String> {
    is(raw, -value * quantity.scale()).then(|| {
        let word = if value < 0.0 { "lost" } else { "turned" };
        format!(
            "the sign is {word}, so the motor turns the other way: send a signed 32-bit integer, {}",
            right(quantity, value)
        )
    })
}

fn scale(quantity: Quantity, value: f64, raw: i32) -> Option<String> {
    let power = (-6..=6)
        .find(|&power| power != 0 && is(raw, value * quantity.scale() * 10_f64.powi(power)))?;
    let times = 10_f64.powi(power.abs());
    let way = if power > 0 { "large" } else { "small" };
    let sent = match (quantity, power) {
        (Quantity::Current, 3) => "; it was sent in microamperes",
        (Quantity::Current, -3) => "; it was sent in amperes",
        (Quantity::Current, -1) => "; it was sent with the scale of GET_VALUES, hundredths",
        (Quantity::Duty, 2) => "; it was sent in percent",
        (Quantity::Duty, -2) => "; it was sent with the scale of GET_VALUES, thousandths",
        _ => "",
    };
    Some(format!(
        "{times} times too {way}{sent}: {}",
        right(quantity, value)
    ))
}

fn pole_pairs(quantity: Quantity, value: f64, raw: i32) -> Option<String> {
    if quantity != Quantity::Erpm {
        return None;
    }
    // Ten is a power of ten as well.
    let pairs = |pairs: &i32| *pairs != 10;
    let divided = POLE_PAIRS
        .filter(pairs)
        .find(|&pairs| is(raw, value / f64::from(pairs)));
    let multiplied = POLE_PAIRS
        .filter(pairs)
        .find(|&pairs| is(raw, value * f64::from(pairs)));
    if let Some(pairs) = divided {
        return Some(format!(
            "{pairs} times too small: this is the speed of a motor with {pairs} pole pairs, and SET_RPM wants the electrical \
             speed; multiply by the pole pairs"
        ));
    }
    let pairs = multiplied?;
    Some(format!(
        "{pairs} times too large: the speed was electrical already, and was multiplied by {pairs} pole pairs"
    ))
}

fn byte_order(quantity: Quantity, value: f64, raw: i32) -> Option<String> {
    is(raw.swap_bytes(), value * quantity.scale()).then(|| {
        "the bytes stand in the wrong order: send the highest byte first, big endian".to_owned()
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float of 32 bits is what a client would have sent"
)]
fn float(quantity: Quantity, value: f64, raw: i32) -> Option<String> {
    let bits = |value: f64| (value as f32).to_bits().cast_signed();
    let is_float = raw == bits(value) || raw == bits(value * quantity.scale());
    (is_float && value != 0.0).then(|| {
        format!(
            "this is an IEEE float, and the command wants a 32-bit integer: {}",
            right(quantity, value)
        )
    })
}

/// What is right, for a programmer.
fn right(quantity: Quantity, value: f64) -> String {
    let (scale, unit) = (quantity.scale(), quantity.unit());
    let number = value * scale;
    match quantity.command() {
        CommandId::SET_RPM => format!("send {number} for {value}{unit}"),
        _ => format!(
            "multiply by {scale} and send {} for {value}{unit}",
            number.round()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(quantity: Quantity, value: f64, raw: i32) -> String {
        explain(quantity, value, raw).unwrap_or_else(|| "unknown".to_owned())
    }

    #[test]
    fn a_current_in_another_unit_is_named() {
        let of = |raw| told(Quantity::Current, 5.0, raw);
        assert!(of(5_000_000).starts_with("1000 times too large; it was sent in microamperes"));
        assert!(of(5).starts_with("1000 times too small; it was sent in amperes"));
        assert!(
            of(500).starts_with("10 times too small; it was sent with the scale of GET_VALUES")
        );
        assert!(of(-5000).starts_with("the sign is turned"), "{}", of(-5000));
        assert!(of(5_f32.to_bits().cast_signed()).starts_with("this is an IEEE float"));
        assert!(of(5000_i32.swap_bytes()).starts_with("the bytes stand in the wrong order"));
    }

    #[test]
    fn the_speed_of_the_motor_is_not_the_electrical_one() {
        let of = |raw| told(Quantity::Erpm, 21_000.0, raw);
        assert!(of(3000).starts_with("7 times too small"));
        assert!(of(147_000).starts_with("7 times too large"));
    }

    #[test]
    fn what_nothing_or_more_than_one_mistake_explains_is_not_named() {
        assert_eq!(explain(Quantity::Current, 5.0, 4200), None);
        assert_eq!(explain(Quantity::Duty, 0.2, 19_000), None);
        // A value of 0 has any scale and any sign.
        assert_eq!(explain(Quantity::Current, 0.0, 0), None);
    }
}
