//! Times for people and for programs.

/// Nanoseconds as milliseconds with one digit behind the point, rounded.
pub(super) fn tenths_of_ms(ns: u64) -> String {
    let tenths = ns / 100_000 + u64::from(ns % 100_000 >= 50_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Nanoseconds as seconds; exact to the nanosecond for the first hundred days.
pub(super) fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
