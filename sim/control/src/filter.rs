//! Which entries of the journal are wanted, and what is nearly one of them.

use serde::{
    Deserialize,
    de::value::{Error as WordError, StrDeserializer},
};
use veschub_hub::{
    command_named,
    journal::{EventKind, JournalEntry, JournalEvent},
};
use veschub_transcript::Direction;
use veschub_wire::{CommandId, login::normalise_id};

use crate::error::{Refusal, Refused};

/// What a request writes of the entries that it wants. All that is given must fit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) device: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) connection: Option<u32>,
    pub(crate) direction: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) text: Option<String>,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    device: Option<String>,
    command: Option<CommandId>,
    kind: Option<EventKind>,
    connection: Option<u32>,
    direction: Option<Direction>,
    name: Option<String>,
    text: Option<String>,
}

/// A key of a filter that an entry does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) key: &'static str,
    pub(crate) wanted: String,
    pub(crate) found: Option<String>,
}

impl Words {
    /// What they mean.
    pub(crate) fn read(self) -> Result<Filter, Refusal> {
        let command = self.command.as_deref().map(command).transpose()?;
        let kind = self.kind.as_deref().map(kind).transpose()?;
        let direction = match self.direction.as_deref() {
            None => None,
            Some("to-device") => Some(Direction::ToDevice),
            Some("to-tool") => Some(Direction::ToTool),
            Some(other) => {
                return Err(Refusal::bad(format!("there is no direction `{other}`"))
                    .help("write `to-device` or `to-tool`"));
            }
        };
        Ok(Filter {
            device: self.device.as_deref().map(normalise_id),
            command,
            kind,
            connection: self.connection,
            direction,
            name: self.name,
            text: self.text,
        })
    }
}

/// A command by its name or number.
pub(crate) fn command(name: &str) -> Result<CommandId, Refusal> {
    command_named(name).map_err(|message| match message.split_once("\nhelp: ") {
        Some((message, help)) => Refusal::bad(message).help(help),
        None => Refusal::bad(message),
    })
}

fn kind(name: &str) -> Result<EventKind, Refusal> {
    EventKind::deserialize(StrDeserializer::<WordError>::new(name)).map_err(|error| {
        let refusal = Refusal::bad(format!("no kind of event is called `{name}`"));
        match error.to_string().split_once(", expected ") {
            Some((_, expected)) => refusal.help(format!("it is {expected}")),
            None => refusal,
        }
    })
}

impl Filter {
    /// Whether an entry is wanted.
    pub(crate) fn fits(&self, entry: &JournalEntry) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, found: impl FnOnce() -> Option<T>) -> bool {
            wanted.is_none_or(|wanted| found().as_ref() == Some(wanted))
        }
        self.device
            .as_ref()
            .is_none_or(|device| entry.device.as_deref() == Some(device))
            && fits(self.connection.as_ref(), || entry.conn.map(|conn| conn.0))
            && fits(self.kind.as_ref(), || Some(EventKind::from(&entry.event)))
            && fits(self.command.as_ref(), || command_of(&entry.event))
            && fits(self.direction.as_ref(), || direction_of(&entry.event))
            && fits(self.name.as_ref(), || name_of(&entry.event))
            && self
                .text
                .as_ref()
                .is_none_or(|text| entry.event.to_string().contains(text))
    }

    /// What keeps an entry from being wanted.
    pub(crate) fn differences(&self, entry: &JournalEntry) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |key, wanted: Option<String>, is: Option<String>| {
            if let Some(wanted) = wanted
                && is.as_ref() != Some(&wanted)
            {
                found.push(Difference {
                    key,
                    wanted,
                    found: is,
                });
            }
        };
        compare(
            "device",
            self.device.clone(),
            entry.device.as_deref().map(str::to_owned),
        );
        compare(
            "connection",
            self.connection.map(|number| number.to_string()),
            entry.conn.map(|conn| conn.0.to_string()),
        );
        compare(
            "kind",
            self.kind.map(|kind| kind.to_string()),
            Some(EventKind::from(&entry.event).to_string()),
        );
        compare(
            "command",
            self.command.map(|command| command.to_string()),
            command_of(&entry.event).map(|command| command.to_string()),
        );
        let shown = |direction: Direction| direction.as_str().to_owned();
        compare(
            "direction",
            self.direction.map(shown),
            direction_of(&entry.event).map(shown),
        );
        compare("name", self.name.clone(), name_of(&entry.event));
        if let Some(text) = &self.text {
            let said = entry.event.to_string();
            if !said.contains(text) {
                compare("text", Some(text.clone()), Some(said));
            }
        }
        found
    }

    /// How many keys are given.
    pub(crate) fn keys(&self) -> usize {
        [
            self.device.is_some(),
            self.command.is_some(),
            self.kind.is_some(),
            self.connection.is_some(),
            self.direction.is_some(),
            self.name.is_some(),
            self.text.is_some(),
        ]
        .into_iter()
        .filter(|is_given| *is_given)
        .count()
    }
}

/// The command that an entry is about.
pub(crate) fn command_of(event: &JournalEvent) -> Option<CommandId> {
    match event {
        JournalEvent::Request(payload)
        | JournalEvent::Reply { payload, .. }
        | JournalEvent::ReplyDiscarded(payload) => {
            Some(CommandId(payload.first().copied().unwrap_or_default()))
        }
        JournalEvent::NotAnswered { command, .. } => Some(*command),
        JournalEvent::QuirkFired { command, .. } => *command,
        JournalEvent::FaultFired(fired) => fired.command,
        _ => None,
    }
}

fn direction_of(event: &JournalEvent) -> Option<Direction> {
    match event {
        JournalEvent::Login(_) | JournalEvent::Request(_) | JournalEvent::Noise { .. } => {
            Some(Direction::ToDevice)
        }
        JournalEvent::Reply { .. }
        | JournalEvent::ReplyDiscarded(_)
        | JournalEvent::DeviceNoise { .. } => Some(Direction::ToTool),
        _ => None,
    }
}

fn name_of(event: &JournalEvent) -> Option<String> {
    match event {
        JournalEvent::QuirkFired { quirk, .. } => Some((*quirk).to_owned()),
        JournalEvent::FaultFired(fired) => Some(fired.fault.to_owned()),
        JournalEvent::Noise { nearly, .. } | JournalEvent::DeviceNoise { nearly, .. } => {
            nearly.as_ref().map(|nearly| nearly.kind().to_owned())
        }
        _ => None,
    }
}

/// Entries as a person asks for them: `device=`, `command=` and the other keys of a query, and words that must be in
/// the line or in the names of its device, command and kind.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    filter: Filter,
    words: Vec<String>,
}

impl Typed {
    /// What the text asks for; nothing asks for all entries.
    ///
    /// # Errors
    /// If a key, or what stands behind it, is not known.
    pub fn read(text: &str) -> Result<Self, Refused> {
        let (mut keys, mut words) = (Words::default(), Vec::new());
        for word in text.split_whitespace() {
            let Some((key, value)) = word.split_once('=') else {
                words.push(plain(word));
                continue;
            };
            let value = value.to_owned();
            let slot = match key {
                "device" => &mut keys.device,
                "command" => &mut keys.command,
                "kind" => &mut keys.kind,
                "direction" => &mut keys.direction,
                "name" => &mut keys.name,
                "text" => &mut keys.text,
                "connection" => {
                    let number = value.trim_start_matches('#').parse();
                    keys.connection = Some(number.map_err(|_| {
                        Refusal::bad(format!("`{value}` is not the number of a connection"))
                    })?);
                    continue;
                }
                _ => {
                    let refusal = Refusal::bad(format!("unknown key `{key}`"));
                    return Err(refusal
                        .help("known are device, command, kind, connection, direction, name, text")
                        .into());
                }
            };
            *slot = Some(value);
        }
        Ok(Self {
            filter: keys.read()?,
            words,
        })
    }

    /// Whether an entry is asked for.
    #[must_use]
    pub fn fits(&self, entry: &JournalEntry) -> bool {
        if !self.filter.fits(entry) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        let command = command_of(&entry.event).map(|command| command.to_string());
        let line = format!(
            "{} {} {} {}",
            EventKind::from(&entry.event),
            entry.device.as_deref().unwrap_or_default(),
            command.unwrap_or_default(),
            entry
        );
        let line = plain(&line);
        self.words.iter().all(|word| line.contains(word))
    }
}

/// A text whose spelling does not count: `bms-get-values` is `BMS_GET_VALUES`.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use veschub_hub::{hub::ConnId, time::Time};

    use super::*;

    fn request(device: &str, command: CommandId) -> JournalEntry {
        JournalEntry {
            at: Time::ZERO,
            conn: Some(ConnId(1)),
            device: Some(device.into()),
            event: JournalEvent::Request(vec![command.0]),
        }
    }

    fn filter(device: &str, command: &str) -> Filter {
        let words = Words {
            device: Some(device.to_owned()),
            command: Some(command.to_owned()),
            direction: Some("to-device".to_owned()),
            ..Words::default()
        };
        words.read().unwrap()
    }

    #[test]
    fn all_keys_must_fit_and_ids_and_names_are_read_as_everywhere() {
        let wanted = filter("demo-0001", "bms-get-values");
        assert!(wanted.fits(&request("DEMO-0001", CommandId::BMS_GET_VALUES)));
        let other = request("DEMO-0002", CommandId::FW_VERSION);
        assert!(!wanted.fits(&other));
        let keys: Vec<&str> = wanted
            .differences(&other)
            .iter()
            .map(|one| one.key)
            .collect();
        assert_eq!(keys, ["device", "command"]);
        assert_eq!(wanted.keys(), 3);
    }

    #[test]
    fn what_a_person_types_is_words_and_keys_in_any_spelling() {
        let entry = request("DEMO-0001", CommandId::BMS_GET_VALUES);
        for fits in [
            "",
            "demo-0001",
            "bms-get 0001",
            "device=demo-0001 #1",
            "command=96",
        ] {
            assert!(Typed::read(fits).unwrap().fits(&entry), "{fits}");
        }
        for other in [
            "demo-0002",
            "device=demo-0002",
            "bms fw_version",
            "direction=to-tool",
        ] {
            assert!(!Typed::read(other).unwrap().fits(&entry), "{other}");
        }
        let wrong = Typed::read("devise=demo-0001").unwrap_err();
        assert!(
            wrong
                .to_string()
                .contains("unknown key `devise`; known are device,")
        );
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_closest_one() {
        let words = Words {
            command: Some("BMS_GET_VALUE".to_owned()),
            ..Words::default()
        };
        let refusal = words.read().unwrap_err();
        assert!(refusal.body.help.unwrap().contains("BMS_GET_VALUES"));
        let words = Words {
            kind: Some("frames".to_owned()),
            ..Words::default()
        };
        let refusal = words.read().unwrap_err();
        assert!(refusal.body.help.unwrap().contains("`not-answered`"));
    }
}
