//! The text form: one line an entry, columns aligned, repeats folded, a summary at the end.
//!
//! ```text
//!   0.154  > device  FW_VERSION
//!   0.302  < tool    FW_VERSION      version=6.05 hardware="demo" ...
//!   6.706  > device  BMS_GET_VALUES
//!   6.849  < tool    BMS_GET_VALUES  total_voltage_v=83.774 ...
//!       …            138 more BMS_GET_VALUES exchanges until 27.854
//! ```

use std::io::{self, Write};

use veschub_wire::Nearly;
use veschub_wire::view::{Fields, Value, hex};

use super::fold::{Folded, Folder, Repeats, Step, Timed};
use super::hexdump;
use super::naming::Naming;
use super::tally::{Tally, counted};
use super::timing::{Clock, Timing};
use super::unit::tenths_of_ms;
use crate::can::{Heard, SendType};
use crate::entry::{Direction, Entry, Kind};
use crate::masking::Masking;
use crate::transcript::{Connection, EntrySink, Transcript};

/// How a transcript is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether repeats are counted instead of shown.
    pub fold: bool,
    /// Whether gaps and the latency of replies have columns.
    pub timing: bool,
    /// Whether the bytes of an entry stand below it; never those of a login or of a payload with secrets.
    pub hex: bool,
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
            timing: false,
            hex: false,
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
    let mut writer = TextWriter::new(out, *options);
    for connection in &transcript.connections {
        writer.connection(connection)?;
    }
    for entry in &transcript.entries {
        writer.entry(entry.clone())?;
    }
    writer.finish()
}

/// One entry as a line of its own, for a session that is still going on: columns have a usual width. Its noise is shown as
/// it is: see [`Masking`].
#[must_use]
pub fn text_line(entry: &Entry, options: &TextOptions) -> String {
    let page = Page {
        options: *options,
        time: options.decimals + 5,
        connection: 0,
        name: USUAL_NAME,
        naming: Naming::default(),
    };
    page.line(entry, Timing::default()).trim_end().to_owned()
}

/// Writes text as the entries come.
///
/// The first of them are held back until it shows how wide the columns must be; later ones can only make them wider.
#[derive(Debug)]
pub struct TextWriter<W> {
    out: W,
    page: Page,
    clock: Clock,
    folder: Folder,
    tally: Tally,
    masking: Masking<u32>,
    /// How many connections there are.
    connections: usize,
    /// Not written yet.
    steps: Vec<Step>,
    /// What those take, in bytes; `None` once the columns are set.
    held: Option<usize>,
}

/// So many steps, or bytes in them, decide on the columns.
const LOOK_AHEAD: usize = 4096;
const LOOK_AHEAD_BYTES: usize = 1 << 20;

impl<W: Write> TextWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W, options: TextOptions) -> Self {
        Self {
            out,
            page: Page {
                options,
                // One blank in front, so that the columns do not jump at ten seconds.
                time: options.decimals + 4,
                connection: 0,
                name: 0,
                naming: Naming::default(),
            },
            clock: Clock::default(),
            folder: Folder::new(options.fold),
            tally: Tally::default(),
            masking: Masking::default(),
            connections: 0,
            steps: Vec::new(),
            held: Some(0),
        }
    }

    /// With configurations by the names of their fields, a line each below the entry.
    #[must_use]
    pub fn with_naming(mut self, naming: Naming) -> Self {
        self.page.naming = naming;
        self
    }

    /// Writes what was held back, and the summary.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<()> {
        self.folder.finish(&mut self.steps);
        self.write_steps()?;
        writeln!(self.out, "{}", self.tally.line())?;
        self.out.flush()
    }

    fn write_steps(&mut self) -> io::Result<()> {
        for step in self.steps.drain(..) {
            match step {
                Step::Show(Timed { entry, timing }) => {
                    writeln!(self.out, "{}", self.page.line(&entry, timing).trim_end())?;
                    self.page.write_named(&mut self.out, &entry)?;
                    if self.page.options.hex {
                        hexdump::write(&mut self.out, &entry)?;
                    }
                }
                Step::Fold(folded) => {
                    writeln!(self.out, "{}", self.page.folded(&folded).trim_end())?;
                }
            }
        }
        Ok(())
    }
}

impl<W: Write> EntrySink for TextWriter<W> {
    fn connection(&mut self, connection: &Connection) -> io::Result<()> {
        self.connections += 1;
        let width = 1 + connection.number.to_string().len();
        if self.connections > 1 {
            self.page.connection = self.page.connection.max(width);
        }
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.tally.add(&entry);
        let entry = self.masking.entry(entry);
        self.page.widen(&entry);
        let timing = self.clock.time(&entry);
        let size = size_of::<Step>() + entry.kind.stream_len() as usize;
        self.folder.push(Timed { entry, timing }, &mut self.steps);
        if let Some(held) = &mut self.held {
            *held += size;
            if self.steps.len() < LOOK_AHEAD && *held < LOOK_AHEAD_BYTES {
                return Ok(());
            }
            self.held = None;
        }
        self.write_steps()
    }
}

/// Column widths, and what every line needs.
#[derive(Clone, Debug)]
struct Page {
    options: TextOptions,
    time: usize,
    /// 0 if the connection is not shown.
    connection: usize,
    name: usize,
    naming: Naming,
}

const ARROWS: usize = 8;
/// As wide as GET_CUSTOM_CONFIG.
const USUAL_NAME: usize = 17;
/// As wide as a latency of just under ten seconds.
const LATENCY: usize = 9;

impl Page {
    fn widen(&mut self, entry: &Entry) {
        self.time = self
            .time
            .max(time(entry.at_ns, self.options.decimals).len());
        if !matches!(entry.kind, Kind::Notice(_)) {
            self.name = self.name.max(name(entry).len());
        }
    }

    fn line(&self, entry: &Entry, timing: Timing) -> String {
        let between;
        let arrow = match (entry.direction, &entry.kind) {
            (Some(Direction::ToDevice), _) => "> device",
            (Some(Direction::ToTool), _) => "< tool",
            (None, Kind::Notice(_)) => "!",
            (None, Kind::Can(heard)) => {
                between = heard.between();
                &between
            }
            (None, _) => "",
        };
        let at = time(entry.at_ns, self.options.decimals);
        let gap = match timing.gap_ns {
            Some(ns) => format!("+{}", time(Some(ns), self.options.decimals)),
            None => String::new(),
        };
        let front = self.front(&at, &gap, entry.connection, arrow);
        let latency = match timing.answers {
            _ if !self.options.timing => String::new(),
            Some((_, ns)) => format!("  {:>LATENCY$}", milliseconds(ns)),
            None => format!("  {:LATENCY$}", ""),
        };
        match &entry.kind {
            Kind::Notice(text) => format!("{front}  {}", one_line(text)),
            _ => format!(
                "{front}  {:width$}{latency}  {}",
                name(entry),
                self.summary(entry),
                width = self.name
            ),
        }
    }

    fn folded(&self, folded: &Folded) -> String {
        let mut until = match folded.until_ns {
            Some(_) => format!(" until {}", time(folded.until_ns, self.options.decimals)),
            None => String::new(),
        };
        if let Some((least, most)) = folded.latency_ns.filter(|_| self.options.timing) {
            until += &format!(
                ", answered in {} to {}",
                milliseconds(least),
                milliseconds(most)
            );
        }
        let what = match (&folded.what, folded.direction) {
            (Repeats::Exchanges(name), _) => format!("{name} exchanges"),
            (Repeats::Frames(name), Some(Direction::ToTool)) => format!("{name} alike"),
            (Repeats::Frames(name), _) => format!("{name} without a reply"),
            (Repeats::Noise(bytes), _) => format!("pieces of noise, {}", counted(*bytes, "byte")),
            (Repeats::Again(bytes), _) => format!("sent again, {}", counted(*bytes, "byte")),
            (Repeats::Discovery, _) => "alike".to_owned(),
            (Repeats::Can(name), _) => name.clone(),
        };
        let front = self.front("…", "", folded.connection, "");
        format!("{front}  {} more {what}{until}", folded.count)
    }

    fn front(&self, at: &str, gap: &str, connection: u32, arrow: &str) -> String {
        let mut front = format!("{at:>width$}", width = self.time);
        if self.options.timing {
            front += &format!("  {gap:>width$}", width = self.options.decimals + 4);
        }
        if self.connection > 0 {
            let number = match connection {
                0 => String::new(),
                number => format!("#{number}"),
            };
            front += &format!("  {number:width$}", width = self.connection);
        }
        format!("{front}  {arrow:ARROWS$}")
    }

    fn summary(&self, entry: &Entry) -> String {
        match &entry.kind {
            Kind::Noise(noise) => {
                let bytes = match noise.nearly {
                    // It has a password.
                    Some(Nearly::Login) => "***".to_owned(),
                    _ => self.bytes(&noise.bytes),
                };
                let length = counted(noise.bytes.len() as u64, "byte");
                match (&noise.nearly, noise.unfinished) {
                    // Its length would be that of the password.
                    (Some(nearly @ Nearly::Login), _) => format!("{bytes}; {nearly}"),
                    (Some(nearly), _) => format!("{length}: {bytes}; {nearly}"),
                    (None, 0) => format!("{length}: {bytes}"),
                    (None, _) => format!("{length}: {bytes} (perhaps the start of a frame)"),
                }
            }
            Kind::Gap { len } => format!("{} not recorded", counted(*len, "byte")),
            Kind::Repeated { len, differing: 0 } => {
                format!("{} sent again", counted(*len, "byte"))
            }
            Kind::Repeated { len, differing } => format!(
                "{} sent again, {differing} of them changed; those of the first time count",
                counted(*len, "byte")
            ),
            Kind::Opened {
                initiator,
                responder,
            } => format!("{initiator} -> {responder}"),
            Kind::Closed { how } => how.as_str().to_owned(),
            Kind::Can(heard) => self.heard(heard),
            Kind::Frame(frame) if frame.waits_for > 0 => {
                let fields = self.fields(&self.naming.fields(entry));
                let blank = if fields.is_empty() { "" } else { " " };
                let more = counted(frame.waits_for as u64, "byte");
                format!(
                    "{fields}{blank}(before it, a parser still waits for {more} that never came)"
                )
            }
            _ => self.fields(&self.naming.fields(entry)),
        }
    }

    /// What was heard on a CAN bus; a command that is neither a plain request nor a reply says what it is.
    fn heard(&self, heard: &Heard) -> String {
        let fields = self.fields(&heard.fields());
        match heard {
            Heard::Noise { bytes, misfit, .. } => {
                format!("{}: {misfit}", counted(*bytes as u64, "byte"))
            }
            Heard::Command(command)
                if ![SendType::REQUEST, SendType::REPLY].contains(&command.send_type) =>
            {
                let blank = if fields.is_empty() { "" } else { " " };
                format!("{fields}{blank}({})", command.send_type)
            }
            _ => fields,
        }
    }

    /// The fields of a configuration, a line each.
    fn write_named(&self, out: &mut impl Write, entry: &Entry) -> io::Result<()> {
        fn within(fields: &Fields) -> Option<&[(String, Value)]> {
            fields.iter().find_map(|(_, value)| match value {
                Value::Named(named) => Some(&named[..]),
                Value::Fields(inner) => within(inner),
                _ => None,
            })
        }
        let fields = self.naming.fields(entry);
        let named = within(&fields).unwrap_or_default();
        let width = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in named {
            writeln!(out, "{:20}{name:width$}  {}", "", self.value(value))?;
        }
        Ok(())
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
            Value::Named(named) => counted(named.len() as u64, "field"),
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

/// The command, or what else the entry is.
fn name(entry: &Entry) -> String {
    match &entry.kind {
        Kind::Frame(frame) => frame.command().to_string(),
        Kind::Can(heard) => heard.name(),
        _ => entry.kind_name().to_owned(),
    }
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

/// A duration for people, to a tenth of a millisecond.
fn milliseconds(ns: u64) -> String {
    format!("{} ms", tenths_of_ms(ns))
}

/// Of a list of flags, only the number of those that are set is shown.
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
                nearly: None,
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
