//! The text form: one line an entry, columns aligned, repeats folded, a summary at the end.
//!
//! ```text
//!   0.154  > device  FW_VERSION
//!   0.302  < tool    FW_VERSION      version=6.05 hardware="demo" ...
//!   6.706  > device  BMS_GET_VALUES
//!   6.849  < tool    BMS_GET_VALUES  total_voltage_v=83.774 ...
//!       …            138 more BMS_GET_VALUES exchanges until 27.854
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use veschub_wire::CommandId;
use veschub_wire::view::{Fields, Value, hex};

use super::fold::{self, Folded, Repeated, Step};
use crate::entry::{Direction, Entry, Kind};
use crate::transcript::Transcript;

/// How a transcript is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether repeats are counted instead of shown.
    pub fold: bool,
    /// Digits behind the decimal point of a time, at most 9.
    pub decimals: usize,
    /// Values of a list, bytes of noise and letters of a text that are shown before it is cut; `None`
    /// shows all.
    pub preview: Option<Preview>,
}

/// How much of something long is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Values of a list.
    pub values: usize,
    /// Bytes, and letters of a text.
    pub bytes: usize,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            fold: true,
            decimals: 3,
            preview: Some(Preview {
                values: 4,
                bytes: 32,
            }),
        }
    }
}

/// Writes a transcript as text, the summary as its last line.
///
/// # Errors
/// When the output refuses bytes.
pub fn text(
    out: &mut impl Write,
    transcript: &Transcript,
    options: &TextOptions,
) -> io::Result<()> {
    let page = Page::new(transcript, options);
    for step in fold::steps(&transcript.entries, options.fold) {
        let line = match step {
            Step::Show(index) => page.line(&transcript.entries[index]),
            Step::Fold(folded) => page.folded(transcript, &folded),
        };
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "{}", summary(transcript))
}

/// One entry as a line of its own, for a session that is still going on: columns have a usual width.
#[must_use]
pub fn text_line(entry: &Entry, options: &TextOptions) -> String {
    let page = Page {
        options,
        time: options.decimals + 5,
        connection: 0,
        name: USUAL_NAME,
    };
    page.line(entry).trim_end().to_owned()
}

/// Column widths, and what every line needs.
struct Page<'a> {
    options: &'a TextOptions,
    time: usize,
    /// 0 where the connection is not told.
    connection: usize,
    name: usize,
}

const ARROWS: usize = 8;
/// As wide as GET_CUSTOM_CONFIG.
const USUAL_NAME: usize = 17;

impl<'a> Page<'a> {
    fn new(transcript: &Transcript, options: &'a TextOptions) -> Self {
        let entries = &transcript.entries;
        let latest = entries.iter().filter_map(|entry| entry.at_ns).max();
        let connection = if transcript.has_several_connections() {
            1 + transcript.connections.len().to_string().len()
        } else {
            0
        };
        Self {
            options,
            // One blank in front, so that the columns do not jump at ten seconds.
            time: time(latest, options.decimals)
                .len()
                .max(options.decimals + 4),
            connection,
            name: entries
                .iter()
                .filter(|entry| !matches!(entry.kind, Kind::Notice(_)))
                .map(|entry| name(entry).len())
                .max()
                .unwrap_or(0),
        }
    }

    fn line(&self, entry: &Entry) -> String {
        let arrow = match (entry.direction, &entry.kind) {
            (Some(Direction::ToDevice), _) => "> device",
            (Some(Direction::ToTool), _) => "< tool",
            (None, Kind::Notice(_)) => "!",
            (None, _) => "",
        };
        let at = time(entry.at_ns, self.options.decimals);
        let front = self.front(&at, entry.connection, arrow);
        match &entry.kind {
            Kind::Notice(text) => format!("{front}  {}", one_line(text)),
            _ => format!(
                "{front}  {:width$}  {}",
                name(entry),
                self.summary(entry),
                width = self.name
            ),
        }
    }

    fn folded(&self, transcript: &Transcript, folded: &Folded) -> String {
        let last = &transcript.entries[folded.last];
        let until = match last.at_ns {
            Some(_) => format!(" until {}", time(last.at_ns, self.options.decimals)),
            None => String::new(),
        };
        let what = match (&folded.what, last.direction) {
            (Repeated::Exchanges(name), _) => format!("{name} exchanges"),
            (Repeated::Frames(name), Some(Direction::ToTool)) => format!("{name} alike"),
            (Repeated::Frames(name), _) => format!("{name} without a reply"),
            (Repeated::Noise(bytes), _) => format!("pieces of noise, {}", counted(*bytes, "byte")),
        };
        let front = self.front("…", last.connection, "");
        format!("{front}  {} more {what}{until}", folded.count)
    }

    fn front(&self, at: &str, connection: u32, arrow: &str) -> String {
        let at = format!("{at:>width$}", width = self.time);
        let arrow = format!("{arrow:ARROWS$}");
        match (self.connection, connection) {
            (0, _) => format!("{at}  {arrow}"),
            (width, 0) => format!("{at}  {:width$}  {arrow}", ""),
            (width, number) => format!("{at}  {:width$}  {arrow}", format!("#{number}")),
        }
    }

    fn summary(&self, entry: &Entry) -> String {
        match &entry.kind {
            Kind::Noise(noise) => {
                let bytes = self.bytes(&noise.bytes);
                let length = counted(noise.bytes.len() as u64, "byte");
                match noise.unfinished {
                    0 => format!("{length}: {bytes}"),
                    _ => format!("{length}: {bytes} (perhaps the start of a frame)"),
                }
            }
            Kind::Gap { len } => format!("{} not recorded", counted(*len, "byte")),
            Kind::Opened {
                initiator,
                responder,
            } => format!("{initiator} -> {responder}"),
            Kind::Closed { how } => how.as_str().to_owned(),
            _ => self.fields(&entry.fields()),
        }
    }

    fn fields(&self, fields: &Fields) -> String {
        let told: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", self.value(value)))
            .collect();
        told.join(" ")
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::List(values) if is_flags(values) && self.options.preview.is_some() => {
                let set = values.iter().filter(|value| **value == Value::Bool(true));
                format!("{} of {}", set.count(), values.len())
            }
            Value::List(values) => {
                let shown = self.options.preview.map_or(usize::MAX, |cut| cut.values);
                let told: Vec<String> = values
                    .iter()
                    .take(shown)
                    .map(|value| self.value(value))
                    .collect();
                match values.len() > shown {
                    true => format!("[{} … {} in all]", told.join(" "), values.len()),
                    false => format!("[{}]", told.join(" ")),
                }
            }
            Value::Fields(fields) => format!("{{{}}}", self.fields(fields)),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Text(text) => {
                let shown = self.options.preview.map_or(usize::MAX, |cut| cut.bytes * 2);
                let start: String = text.chars().take(shown).collect();
                match start.len() < text.len() {
                    true => format!("{start:?}…"),
                    false => format!("{start:?}"),
                }
            }
            other => other.to_string(),
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        match self.options.preview {
            Some(cut) if bytes.len() > cut.bytes => format!("{}…", hex(&bytes[..cut.bytes])),
            _ => hex(bytes),
        }
    }
}

/// What a transcript adds up to, in one line: logins, frames, noise, and frames by command.
#[must_use]
pub fn summary(transcript: &Transcript) -> String {
    let counts = transcript.count();
    let mut line = format!(
        "{}, {}, {}",
        counted(counts.logins, "login"),
        counted(counts.frames, "frame"),
        counted(counts.noise_bytes, "noise byte"),
    );
    if counts.refused_logins > 0 {
        line += &format!(", {}", counted(counts.refused_logins, "refused login"));
    }
    if counts.missing_bytes > 0 {
        line += &format!(", {} not recorded", counted(counts.missing_bytes, "byte"));
    }
    for (direction, title) in [
        (Direction::ToDevice, "to device"),
        (Direction::ToTool, "to tool"),
    ] {
        let mut commands: BTreeMap<CommandId, u64> = BTreeMap::new();
        for entry in &transcript.entries {
            if let Some(frame) = entry.frame().filter(|_| entry.direction == Some(direction)) {
                *commands.entry(frame.command()).or_default() += 1;
            }
        }
        let told: Vec<String> = commands
            .iter()
            .map(|(command, count)| format!("{command} {count}"))
            .collect();
        if !told.is_empty() {
            line += &format!("; {title}: {}", told.join(", "));
        }
    }
    line
}

/// The command, or what else the entry is.
fn name(entry: &Entry) -> String {
    entry.frame().map_or_else(
        || entry.kind_name().to_owned(),
        |frame| frame.command().to_string(),
    )
}

/// Seconds, rounded; `-` where no time is known.
fn time(at_ns: Option<u64>, decimals: usize) -> String {
    let Some(ns) = at_ns else {
        return "-".to_owned();
    };
    let digits = decimals.min(9);
    let second = 10u64.pow(digits as u32);
    let unit = 1_000_000_000 / second;
    let units = ns / unit + u64::from(ns % unit >= unit.div_ceil(2) && unit > 1);
    match digits {
        0 => units.to_string(),
        _ => format!("{}.{:0digits$}", units / second, units % second),
    }
}

fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// Flags in a row are told by how many are set.
fn is_flags(values: &[Value]) -> bool {
    !values.is_empty() && values.iter().all(|value| matches!(value, Value::Bool(_)))
}

/// A notice quotes nothing, but should one ever hold a line feed, it must not break the columns.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::NoiseEntry;

    #[test]
    fn times_are_rounded_to_their_digits() {
        let time_of = |ns, decimals| time(Some(ns), decimals);
        assert_eq!(time_of(1_999_499_999, 3), "1.999");
        assert_eq!(time_of(1_999_500_000, 3), "2.000");
        assert_eq!(time_of(1_234_567_891, 9), "1.234567891");
        assert_eq!(time_of(1_500_000_000, 0), "2");
        assert_eq!(time_of(u64::MAX, 20), "18446744073.709551615");
        assert_eq!(time(None, 3), "-");
    }

    #[test]
    fn one_entry_stands_as_a_line_of_its_own() {
        let entry = Entry {
            at_ns: Some(1_500_000_000),
            connection: 1,
            direction: Some(Direction::ToTool),
            offset: 0,
            kind: Kind::Noise(NoiseEntry {
                bytes: vec![7; 40],
                unfinished: 0,
            }),
        };
        assert_eq!(
            text_line(&entry, &TextOptions::default()),
            format!(
                "   1.500  < tool    noise              40 bytes: {}…",
                "07".repeat(32)
            )
        );
    }
}
