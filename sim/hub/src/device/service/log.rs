//! The log of an Express: numbers that others measure, which it writes to its card, a line at a time
//! (`EX main/log.c:27-520`).

use std::{fmt::Write as _, time::Duration};

use veschub_wire::{
    command::{LogCommand, LogField, LogStart},
    number::Text,
};

use super::tree::Tree;
use crate::time::Time;

/// The most fields (`EX main/log.c:44`).
const MAX_FIELDS: usize = 120;
/// How many bytes of a field's three names are kept (`EX main/log.c:32-35`).
const MAX_KEY: usize = 24;
const MAX_NAME: usize = 29;
const MAX_UNIT: usize = 9;
/// Lines a second, where a log says none.
const USUAL_HZ: f64 = 10.0;
/// Slower than this is none.
const SLOWEST_HZ: f64 = 0.1;
/// Faster than this the task does not get its turn: it waits at least a tick.
const FASTEST_HZ: f64 = 1000.0;
/// Names of logs without a date that are tried.
const MAX_NUMBER: usize = 999;

#[derive(Clone, Debug, Default)]
struct Field {
    told: Option<LogField>,
    /// What came since the last line.
    value: Option<f64>,
}

/// A log that is being written.
#[derive(Debug)]
struct Running {
    fields: usize,
    period: Duration,
    with_time: bool,
    with_position: bool,
    next: Option<Time>,
    /// The file, once it is open.
    path: Option<Vec<u8>>,
}

/// The log, and what its fields are; that is kept from log to log.
#[derive(Debug, Default)]
pub(super) struct Log {
    fields: Vec<Field>,
    running: Option<Running>,
}

impl Log {
    /// Does a command; without a card, nothing is written.
    pub(super) fn take(&mut self, at: Time, command: &LogCommand, mut tree: Option<&mut Tree>) {
        self.handle_timeout(at, tree.as_deref_mut());
        match command {
            LogCommand::Start(start) => self.start(at, start, tree),
            LogCommand::Stop => self.running = None,
            LogCommand::Field(field) => {
                if let Some(known) = self.field(field.index) {
                    known.told = Some(cut(field));
                }
            }
            LogCommand::Values(new) => {
                let values = new.values.iter().map(|value| value.value());
                self.values(new.first, values);
            }
            LogCommand::Doubles(new) => {
                let values = new.values.iter().map(|value| value.value());
                self.values(new.first, values);
            }
        }
    }

    /// A log begins, unless one is being written.
    fn start(&mut self, at: Time, start: &LogStart, tree: Option<&mut Tree>) {
        let fields = usize::try_from(start.fields).unwrap_or(0);
        let (Some(tree), None, 1..) = (tree, &self.running, fields) else {
            return;
        };
        for directory in [&b"log_can"[..], b"log_can/date", b"log_can/no_date"] {
            tree.make_directory(directory);
        }
        let rate = match start.rate_hz.value() {
            rate if rate >= SLOWEST_HZ => rate.min(FASTEST_HZ),
            _ => USUAL_HZ,
        };
        self.running = Some(Running {
            fields: fields.min(MAX_FIELDS),
            period: Duration::from_secs_f64(1.0 / rate),
            with_time: start.time != 0,
            with_position: start.gnss != 0 || start.gnss_time != 0,
            next: Some(at),
            path: None,
        });
    }

    fn field(&mut self, index: i16) -> Option<&mut Field> {
        let index = usize::try_from(index).ok().filter(|&at| at < MAX_FIELDS)?;
        if self.fields.len() <= index {
            self.fields.resize(index + 1, Field::default());
        }
        self.fields.get_mut(index)
    }

    fn values(&mut self, first: i16, values: impl Iterator<Item = f64>) {
        for (index, value) in (first..).zip(values) {
            let Some(field) = self.field(index) else {
                return;
            };
            field.value = Some(value);
        }
    }

    /// When the next line is due.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.running.as_ref()?.next
    }

    /// Writes the lines that are due.
    pub(super) fn handle_timeout(&mut self, now: Time, tree: Option<&mut Tree>) {
        let Some(tree) = tree else {
            return;
        };
        while let Some(at) = self.poll_timeout().filter(|&at| at <= now) {
            let goes_on = self.line(at, tree);
            if let Some(running) = &mut self.running {
                running.next = goes_on.then(|| at + running.period);
            }
        }
    }

    /// Opens the file, if it is not open, and writes a line; false if that cannot be done, now and later.
    fn line(&mut self, at: Time, tree: &mut Tree) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        // An Express waits for its receiver to tell the date, which never comes here.
        if running.with_position {
            return false;
        }
        let mut text = String::new();
        let separator = |index: usize| if index > 0 { ";" } else { "" };
        if running.path.is_none() {
            let names = (0..MAX_NUMBER).map(|n| format!("log_can/no_date/log_{n:03}.csv"));
            let path = names
                .map(String::into_bytes)
                .find(|path| !tree.exists(path));
            let Some(path) = path.filter(|path| tree.create(path)) else {
                return false;
            };
            running.path = Some(path);
            for index in 0..running.fields {
                text += separator(index);
                let told = self.fields.get(index).and_then(|field| field.told.as_ref());
                text += &told.map_or_else(|| head(&unnamed(index)), head);
            }
            text += if running.with_time {
                ";t_day:Time:s:3:0:1\n"
            } else {
                "\n"
            };
        }
        for index in 0..running.fields {
            text += separator(index);
            let Some(field) = self.fields.get_mut(index) else {
                continue;
            };
            if let Some(value) = field.value.take() {
                let precision = field.told.as_ref().map_or(2, |told| told.precision);
                let precision = usize::from(precision.min(17));
                // Writing to a text does not fail.
                let _ = write!(text, "{value:.precision$}");
            }
        }
        if running.with_time {
            let day = at.as_secs_f64() % (24.0 * 3600.0);
            let _ = write!(text, ";{day:.3}");
        }
        text += "\n";
        let path = running.path.as_deref().unwrap_or_default();
        tree.append(path, text.as_bytes())
    }
}

/// What an Express takes a field for that nobody told it about.
fn unnamed(index: usize) -> LogField {
    LogField {
        key: Text::from(format!("key_h{index}").as_str()),
        name: Text::from(format!("name_h{index}").as_str()),
        precision: 2,
        ..LogField::default()
    }
}

/// A field with its names cut.
fn cut(field: &LogField) -> LogField {
    let cut = |text: &Text, most: usize| {
        let bytes = text.as_bytes();
        Text::from_bytes(&bytes[..bytes.len().min(most)])
    };
    LogField {
        key: cut(&field.key, MAX_KEY),
        name: cut(&field.name, MAX_NAME),
        unit: cut(&field.unit, MAX_UNIT),
        ..field.clone()
    }
}

/// How a field stands in the first line.
fn head(field: &LogField) -> String {
    let LogField {
        key,
        name,
        unit,
        precision,
        ..
    } = field;
    let flag = |flag: u8| u8::from(flag != 0);
    let (relative, timestamp) = (flag(field.relative), flag(field.timestamp));
    format!("{key}:{name}:{unit}:{precision}:{relative}:{timestamp}")
}
