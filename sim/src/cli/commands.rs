//! `veschub-sim commands`: every command, which firmware has it, and what is decoded, played and judged of it.
//!
//! Nothing of it is written by hand: the rows are wire's ids, what is decoded are wire's tables, firmware and play come
//! from the lists that the devices go by, and the cases from those of the battery. `judged.txt` beside this file is made of
//! the battery by a test of the harness, which this program does not depend on.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::{Failure, written};
use veschub_hub::device::{
    coverage::{Coverage, Play, coverage},
    profile::Kind,
};
use veschub_wire::{
    CommandId, Firmware,
    command::{reply_parts, request_parts},
};

/// A case and a command that it looks at in each line, in the order of the cases.
const JUDGED: &str = include_str!("judged.txt");

#[derive(Debug, Args)]
pub(super) struct CommandsArgs {
    /// Print a JSON array instead of text
    #[arg(long)]
    json: bool,
}

/// Stands for the oldest firmware of a kind that was read.
const OLDEST: Firmware = Firmware::new(0, 0);

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row {
    id: u8,
    name: &'static str,
    /// Whether the fields of the request are known.
    request: bool,
    /// Whether the fields of the reply are known.
    reply: bool,
    /// The devices that handle it.
    devices: Vec<Device>,
    /// The cases of the battery that look at it.
    judged: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Device {
    kind: &'static str,
    play: &'static str,
    /// The first firmware that handles it; `oldest` if the oldest that was read does.
    since: Option<String>,
    /// The firmware that no longer handles it.
    dropped: Option<String>,
}

impl Device {
    /// Since when, and until when, in a word.
    fn time(&self) -> String {
        let since = self.since.as_deref().unwrap_or("-");
        match &self.dropped {
            Some(dropped) => format!("{since} to {dropped}"),
            None => since.to_owned(),
        }
    }
}

impl From<Coverage> for Device {
    fn from(coverage: Coverage) -> Self {
        Self {
            kind: kind_name(coverage.kind),
            play: match coverage.play {
                Play::Played => "played",
                Play::Taken => "taken",
                Play::Sent => "sent",
                Play::NotPlayed => "not-played",
            },
            since: coverage.since.map(|since| match since {
                OLDEST => "oldest".to_owned(),
                since => since.to_string(),
            }),
            dropped: coverage.dropped.map(|dropped| dropped.to_string()),
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Motor => "motor",
        Kind::Express => "express",
        Kind::Bms => "bms",
    }
}

fn rows() -> impl Iterator<Item = Row> {
    CommandId::named().map(|id| {
        let name = id.name().unwrap_or_default();
        let judged = JUDGED.lines().filter_map(|line| line.split_once(' '));
        Row {
            id: id.0,
            name,
            request: request_parts(id).is_some(),
            reply: reply_parts(id).is_some(),
            devices: coverage(id).into_iter().map(Into::into).collect(),
            judged: judged
                .filter(|(_, command)| *command == name)
                .map(|(case, _)| case)
                .collect(),
        }
    })
}

pub(super) fn commands(args: &CommandsArgs) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    if args.json {
        let rows: Vec<Row> = rows().collect();
        let json = serde_json::to_string_pretty(&rows).unwrap_or_default();
        return written(writeln!(stdout, "{json}"));
    }
    written(text(&mut stdout))
}

#[rustfmt::skip]
const HEAD: [&str; 10] =
    ["id", "name", "decoded", "motor", "since", "express", "since", "bms", "since", "judged"];

fn text(out: &mut impl Write) -> io::Result<()> {
    let mut lines = vec![HEAD.map(str::to_owned)];
    let (mut decoded, mut played, mut judged) = (0, 0, 0);
    for row in rows() {
        decoded += usize::from(row.request || row.reply);
        played += usize::from(row.devices.iter().any(|device| device.play != "not-played"));
        judged += usize::from(!row.judged.is_empty());
        let on = |kind| {
            let device = row.devices.iter().find(|device| device.kind == kind);
            device.map_or("-", |device| device.play).to_owned()
        };
        let since = |kind| {
            let device = row.devices.iter().find(|device| device.kind == kind);
            device.map_or_else(|| "-".to_owned(), Device::time)
        };
        let fields = match (row.request, row.reply) {
            (true, true) => "both",
            (true, false) => "request",
            (false, true) => "reply",
            (false, false) => "-",
        };
        let cases = match row.judged.as_slice() {
            [] => "-".to_owned(),
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first} {second} {third} and {} more", rest.len())
            }
            cases => cases.join(" "),
        };
        lines.push([
            row.id.to_string(),
            row.name.to_owned(),
            fields.to_owned(),
            on("motor"),
            since("motor"),
            on("express"),
            since("express"),
            on("bms"),
            since("bms"),
            cases,
        ]);
    }
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(String::len).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let count = lines.len() - 1;
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    writeln!(
        out,
        "{count} commands: {decoded} with known fields, {played} played, taken or sent by some device, {judged} judged"
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn every_command_has_its_row() {
        let ids: Vec<u8> = rows().map(|row| row.id).collect();
        assert_eq!(ids, (0..160).collect::<Vec<u8>>());
        assert!(rows().all(|row| !row.name.is_empty()));
    }

    #[test]
    fn each_command_with_known_fields_is_used_by_a_scenario() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        let text: String = files
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let words: BTreeSet<&str> = text
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .collect();
        let typed = rows().filter(|row| row.request || row.reply);
        let open = typed
            .map(|row| row.name)
            .filter(|name| !words.contains(name));
        assert_eq!(open.collect::<Vec<&str>>(), [""; 0]);
    }

    #[test]
    fn what_is_known_of_a_command_comes_from_where_it_is_decided() {
        let row = |name: &str| rows().find(|row| row.name == name).unwrap();
        let plays = |name: &str| {
            let devices = row(name).devices.into_iter();
            let told = devices.map(|device| format!("{} {}", device.kind, device.play));
            told.collect::<Vec<String>>()
        };
        let values = row("BMS_GET_VALUES");
        assert!(values.request && values.reply && !values.judged.is_empty());
        assert_eq!(plays("GET_VALUES"), ["motor played"]);
        assert_eq!(
            plays("PING_CAN"),
            ["motor played", "express played", "bms played"]
        );
        assert_eq!(plays("SET_BLE_PIN"), ["motor taken"]);
        assert_eq!(plays("PLOT_INIT"), ["motor sent"]);
        assert_eq!(plays("PINLOCK1"), [""; 0]);
        assert!(!row("DETECT_HALL_FOC").request && !row("DETECT_HALL_FOC").reply);
        assert_eq!(plays("DETECT_HALL_FOC"), ["motor not-played"]);
        // A command that newer firmware dropped is told by the one that has it.
        assert_eq!(plays("GET_DECODED_BALANCE"), ["motor played"]);
    }

    #[test]
    fn it_is_told_since_when_a_command_is_handled_and_when_it_was_dropped() {
        let times = |name: &str| {
            let row = rows().find(|row| row.name == name).unwrap();
            let devices = row.devices.iter();
            let told = devices.map(|device| format!("{} {}", device.kind, device.time()));
            told.collect::<Vec<String>>()
        };
        assert_eq!(times("GET_VALUES"), ["motor oldest"]);
        assert_eq!(times("GET_VALUES_SETUP"), ["motor 3.48"]);
        assert_eq!(times("GET_DECODED_BALANCE"), ["motor 3.67 to 6.05"]);
        assert_eq!(
            times("PING_CAN"),
            ["motor 3.48", "express oldest", "bms oldest"]
        );
        assert_eq!(times("PLOT_INIT"), ["motor -"]);
    }

    #[test]
    fn what_the_battery_judges_are_commands() {
        let names: BTreeSet<&str> = CommandId::named().filter_map(CommandId::name).collect();
        for line in JUDGED.lines() {
            let (case, command) = line.split_once(' ').unwrap();
            assert!(case.contains('/') && names.contains(command), "{line}");
        }
    }
}
