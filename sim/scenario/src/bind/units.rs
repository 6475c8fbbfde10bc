//! Numbers that were written with their unit: `4180mV` where volts are wanted is `4.180`.

/// Units by how they are written and by how keys end, in lower case.
const UNITS: [(&str, &str); 13] = [
    ("v", "v"),
    ("a", "a"),
    ("ah", "ah"),
    ("wh", "wh"),
    ("w", "w"),
    ("ohm", "ohm"),
    ("ω", "ohm"),
    ("pa", "pa"),
    ("hz", "hz"),
    ("c", "c"),
    ("°c", "c"),
    ("%", "percent"),
    ("m/s", "m_s"),
];

/// How many places the decimal point moves for each prefix.
const PREFIXES: [(&str, i32); 6] = [
    ("µ", -6),
    ("μ", -6),
    ("u", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
];

/// The number to write for a number with a unit, under this key; `None` if the text is no such thing.
pub(super) fn bare_number(text: &str, key: &str) -> Option<String> {
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(number.len()..)?.trim_start();
    let is_unit = |c: char| c.is_alphabetic() || "%°/".contains(c);
    if unit.is_empty() || !unit.chars().all(is_unit) || number.parse::<f64>().is_err() {
        return None;
    }
    let written = prefixed(unit, |name| {
        let name = name.to_lowercase();
        Some(UNITS.iter().find(|(written, _)| *written == name)?.1)
    });
    let Some((from, unit)) = written else {
        return Some(number.to_owned());
    };
    let of_key = key.rsplit_once('_').map_or("", |(_, last)| last);
    let wanted = prefixed(of_key, |name| {
        Some(UNITS.iter().find(|(_, of_key)| *of_key == name)?.1)
    });
    let to = match wanted {
        // A share of one is what a key without a unit wants.
        None if unit == "percent" => return Some(moved(number, -2)),
        None => 0,
        Some((to, wanted)) if wanted == unit => to,
        Some(_) => return Some(number.to_owned()),
    };
    Some(moved(number, from - to))
}

/// Splits a unit into its prefix and itself.
fn prefixed<'a>(text: &str, unit: impl Fn(&str) -> Option<&'a str>) -> Option<(i32, &'a str)> {
    if let Some(unit) = unit(text) {
        return Some((0, unit));
    }
    PREFIXES
        .iter()
        .find_map(|(prefix, places)| Some((*places, unit(text.strip_prefix(prefix)?)?)))
}

/// A decimal number with its point moved to the right, digit for digit.
fn moved(number: &str, places: i32) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.trim_start_matches('+')),
    };
    if places == 0 || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return number.to_owned();
    }
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    let point = whole.len() as i32 + places;
    let shifted = if point <= 0 {
        format!("0.{}{all}", "0".repeat(point.unsigned_abs() as usize))
    } else {
        let point = point.unsigned_abs() as usize;
        let filled = format!("{all:0<point$}");
        let (whole, part) = filled.split_at(point);
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        match part {
            "" => whole.to_owned(),
            _ => format!("{whole}.{part}"),
        }
    };
    format!("{sign}{shifted}")
}

#[cfg(test)]
mod tests {
    use super::bare_number;

    #[test]
    fn a_number_is_meant_in_the_unit_of_its_key() {
        for (text, key, number) in [
            ("5mV", "within", "0.005"),
            ("4180mV", "cell_voltage_v", "4.180"),
            ("4.18V", "cell_voltage_v", "4.18"),
            ("4.18 V", "cell_voltage_v", "4.18"),
            ("0.008V", "spread_mv", "8"),
            ("8mV", "spread_mv", "8"),
            ("-1.5kA", "current_a", "-1500"),
            ("500mAh", "capacity_ah", "0.500"),
            ("80%", "state_of_charge", "0.80"),
            ("41.5%", "humidity_percent", "41.5"),
            ("25°C", "ambient_c", "25"),
            ("12mΩ", "resistance_mohm", "12"),
            ("20cells", "cells", "20"),
            ("3A", "cell_voltage_v", "3"),
        ] {
            assert_eq!(bare_number(text, key).as_deref(), Some(number), "{text}");
        }
        for text in ["soon", "20", "1.2.3V", "V", "4;V"] {
            assert_eq!(bare_number(text, "within"), None, "{text}");
        }
    }
}
