//! Texts and numbers as they stand in a scenario that a person is to edit.

use std::time::Duration;

use veschub_scenario::duration;

/// Words that YAML takes for something else than text.
const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text as a YAML scalar, quoted only where it must be; right in blocks and between braces.
pub(super) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " _./-".contains(c))
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text between double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // YAML wants these escaped, and people cannot see them.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}') => {
                quoted += &format!("\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text in a comment: it ends where the line does, whatever is in it.
pub(super) fn in_comment(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}') {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

/// A payload as a scenario writes it.
pub(super) fn hex(payload: &[u8]) -> String {
    let pairs: Vec<String> = payload.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{}\"", pairs.join(" "))
}

/// A moment of the recording, as `decode` shows it: seconds.
pub(super) fn moment(at: Duration) -> String {
    format!("{:.3} s", at.as_secs_f64())
}

/// A measured time, for people.
pub(super) fn span(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    } else {
        moment(time)
    }
}

/// A duration as a scenario writes it, to the millisecond.
pub(super) fn duration(time: Duration) -> String {
    let nanos = u64::try_from(rounded(time).as_nanos()).unwrap_or(u64::MAX);
    duration::Duration(nanos).to_string()
}

/// The whole milliseconds nearest to a time, as virtual time counts.
pub(super) fn rounded(time: Duration) -> Duration {
    let millis = (time.as_nanos() + 500_000) / 1_000_000;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// The median of some times.
pub(super) fn median(times: impl IntoIterator<Item = Duration>) -> Option<Duration> {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}

/// `1 reply`, `2 replies`: a count with its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_reads_back_as_the_text_that_it_is() {
        for text in [
            "VESC Express T",
            "DEMO-0001",
            "off",
            "No",
            "",
            " lead",
            "trail ",
            "5.02",
            "a: b",
            "a #b",
            "-x",
            "{n}",
            "[1]",
            "say \"so\"",
            "back\\slash",
            "tab\there",
            "line\nfeed",
            "bell\u{7}",
            "next\u{85}line",
            "\u{FEFF}bom",
            "ümlaut",
            "~",
            "null",
            "@at",
            "%p",
            "*a",
            "&a",
            "!t",
            "|",
            ">",
            "'",
            "a,b",
            "1e3",
            "\u{2028}",
        ] {
            for yaml in [
                format!("k: {}", scalar(text)),
                format!("{{ k: {}, l: 1 }}", scalar(text)),
            ] {
                let read: serde_yaml::Value = serde_yaml::from_str(&yaml).unwrap();
                assert_eq!(read["k"].as_str(), Some(text), "{yaml}");
            }
        }
    }

    #[test]
    fn a_comment_stays_on_its_line() {
        assert_eq!(
            in_comment("a\nb\r\u{85}\u{2028}c"),
            "a\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}c"
        );
    }

    #[test]
    fn a_median_is_one_of_the_times() {
        let ms = Duration::from_millis;
        assert_eq!(median([ms(9), ms(1), ms(3)]), Some(ms(3)));
        assert_eq!(median([ms(9), ms(1)]), Some(ms(1)));
        assert_eq!(median([]), None);
    }
}
