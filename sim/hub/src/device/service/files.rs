//! The memory card of an Express: its files, and the log that it writes there.

use veschub_wire::{
    CommandId, Reply, Request,
    command::{FileCommand, FileList, FileReply},
    number::Text,
};

use super::{
    MotorState, Service,
    log::Log,
    tree::{FileSettings, Tree},
};
use crate::{
    Silence,
    device::answer::{Answer, Answers},
    time::Time,
};

/// The commands about files and about a log.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::FILE_LIST,
    CommandId::FILE_READ,
    CommandId::FILE_WRITE,
    CommandId::FILE_MKDIR,
    CommandId::FILE_REMOVE,
    CommandId::LOG_START,
    CommandId::LOG_STOP,
    CommandId::LOG_CONFIG_FIELD,
    CommandId::LOG_DATA_F32,
    CommandId::LOG_DATA_F64,
];

/// How much of a file goes into a reply over Wi-Fi (`EX main/commands.c:563-640`); over other links it is 400.
pub(in crate::device) const READ_OVER_WIFI: usize = 3900;
/// When a packet with a list of files is full (`EX main/commands.c:515`).
const LIST_BYTES: usize = 400;

/// A file that is open, and where it goes on.
#[derive(Debug)]
struct Open {
    path: Vec<u8>,
    next: i32,
}

/// A memory card.
#[derive(Debug)]
pub(in crate::device) struct Card {
    /// What is on it; none without a card.
    tree: Option<Tree>,
    reads: Option<Open>,
    writes: Option<Open>,
    log: Log,
    /// How much of a file goes into a reply.
    part: usize,
}

impl Card {
    /// A card with these files; without a list of them, none, and every file is missing.
    pub(in crate::device) fn new(files: Option<&[FileSettings]>, part: usize) -> Self {
        Self {
            tree: files.map(Tree::new),
            reads: None,
            writes: None,
            log: Log::default(),
            part,
        }
    }

    fn list(&self, path: &Text, from: &Text) -> FileList {
        let tree = self.tree.as_ref();
        let listed = tree.and_then(|tree| tree.list(path.as_bytes()));
        let from = from.as_bytes();
        let mut found = from.is_empty();
        let mut list = FileList::default();
        let mut bytes = 2;
        for entry in listed.unwrap_or_default() {
            if !found {
                found = entry.name == from;
                continue;
            }
            if bytes + entry.name.len() >= LIST_BYTES {
                list.more = 1;
                break;
            }
            bytes += 1 + 4 + entry.name.len() + 1;
            list.directory.push(entry.is_directory.into());
            list.sizes
                .push(i32::try_from(entry.size).unwrap_or(i32::MAX));
            list.names.push(Text::from_bytes(&entry.name));
        }
        list
    }

    /// A part of a file. As long as it goes on where the last one ended, nobody looks at the path.
    fn read(&mut self, path: &Text, offset: i32) -> FileReply {
        let nothing = FileReply::Read {
            offset,
            size: 0,
            data: Vec::new(),
        };
        let Some(tree) = &self.tree else {
            return nothing;
        };
        if self.reads.as_ref().is_none_or(|open| open.next != offset) {
            let is_there = tree.file(path.as_bytes()).is_some();
            self.reads = is_there.then(|| Open {
                path: path.as_bytes().to_vec(),
                next: offset,
            });
        }
        let file = self.reads.as_ref().and_then(|open| tree.file(&open.path));
        let Some((open, file)) = self.reads.as_mut().zip(file) else {
            return nothing;
        };
        let size = i32::try_from(file.len()).unwrap_or(i32::MAX);
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(file.len());
        let data = &file[start..file.len().min(start + self.part)];
        open.next = offset.saturating_add(i32::try_from(data.len()).unwrap_or(i32::MAX));
        if open.next == size {
            self.reads = None;
        }
        FileReply::Read {
            offset,
            size,
            data: data.to_vec(),
        }
    }

    /// Writes a part of a file. A repeat of what was just written is acknowledged again.
    fn write(&mut self, path: &Text, offset: i32, size: i32, data: &[u8]) -> FileReply {
        let mut ok = false;
        let len = i32::try_from(data.len()).unwrap_or(i32::MAX);
        if let Some(tree) = &mut self.tree {
            if offset == 0 {
                let path = path.as_bytes();
                self.writes = tree.create(path).then(|| Open {
                    path: path.to_vec(),
                    next: 0,
                });
            }
            if let Some(open) = &mut self.writes {
                let mut closes = false;
                if open.next == offset {
                    ok = tree.append(&open.path, data);
                    open.next = offset.saturating_add(len);
                    closes = !ok;
                } else {
                    // Nobody remembers what was written: a piece of the same size is taken for the same.
                    ok = open.next.checked_sub(len) == Some(offset);
                }
                if closes || open.next == size {
                    self.writes = None;
                }
            }
        }
        FileReply::Written {
            offset,
            ok: ok.into(),
        }
    }

    fn do_command(&mut self, command: &FileCommand) -> FileReply {
        let tree = self.tree.as_mut();
        match command {
            FileCommand::List { path, from } => FileReply::List(self.list(path, from)),
            FileCommand::Read { path, offset } => self.read(path, *offset),
            FileCommand::Write {
                path,
                offset,
                size,
                data,
            } => self.write(path, *offset, *size, data),
            FileCommand::MakeDirectory { path } => {
                let ok = tree.is_some_and(|tree| tree.make_directory(path.as_bytes()));
                FileReply::DirectoryMade { ok: ok.into() }
            }
            FileCommand::Remove { path } => {
                let ok = tree.is_some_and(|tree| tree.remove(path.as_bytes()));
                FileReply::Removed { ok: ok.into() }
            }
        }
    }
}

impl Service for Card {
    fn request(
        &mut self,
        at: Time,
        request: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        match request {
            Request::File(command) => Some(Ok(Reply::File(self.do_command(command)).into())),
            Request::Log(command) => {
                self.log.take(at, command, self.tree.as_mut());
                Some(Err(Silence::Logged))
            }
            _ => None,
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.log.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Time, _: &MotorState) -> Vec<(Time, Answer)> {
        self.log.handle_timeout(now, self.tree.as_mut());
        Vec::new()
    }

    /// What is on the card stays.
    fn restart(&mut self, _: Time) {
        self.reads = None;
        self.writes = None;
        self.log = Log::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use veschub_wire::{
        command::{LogCommand, LogField, LogStart, LogValues},
        number::Float,
    };

    use super::*;

    fn card(files: &[(&str, usize)]) -> Card {
        let files: Vec<FileSettings> = files
            .iter()
            .map(|&(path, size)| FileSettings {
                path: path.to_owned(),
                size: Some(size),
                ..FileSettings::default()
            })
            .collect();
        Card::new(Some(&files), 400)
    }

    fn at(ms: u64) -> Time {
        Time::ZERO + Duration::from_millis(ms)
    }

    fn read(card: &mut Card, path: &str, offset: i32) -> (i32, Vec<u8>) {
        match card.read(&path.into(), offset) {
            FileReply::Read { size, data, .. } => (size, data),
            other => panic!("{other:?}"),
        }
    }

    fn write(card: &mut Card, offset: i32, size: i32, data: &[u8]) -> bool {
        let reply = card.write(&"new.bin".into(), offset, size, data);
        matches!(reply, FileReply::Written { ok: 1, .. })
    }

    #[test]
    fn a_file_is_read_in_parts_and_a_repeated_offset_gives_the_same_again() {
        let mut card = card(&[("a.bin", 1000)]);
        let (size, first) = read(&mut card, "a.bin", 0);
        assert_eq!((size, first.len(), first[399]), (1000, 400, 399_u32 as u8));
        assert_eq!(read(&mut card, "a.bin", 400).1[0], 400_u32 as u8);
        assert_eq!(read(&mut card, "a.bin", 400).1[0], 400_u32 as u8);
        assert_eq!(read(&mut card, "a.bin", 800).1.len(), 200);
        assert_eq!(read(&mut card, "none", 0), (0, vec![]));
        assert_eq!(read(&mut card, "a.bin", 2000), (1000, vec![]));
        assert_eq!(read(&mut card, "a.bin", -5).0, 1000);
    }

    #[test]
    fn while_the_offset_goes_on_the_path_is_not_looked_at() {
        let mut card = card(&[("a.bin", 1000), ("b.bin", 500)]);
        read(&mut card, "a.bin", 0);
        assert_eq!(read(&mut card, "b.bin", 400).0, 1000);
        // The same offset again opens the file of the path.
        assert_eq!(read(&mut card, "b.bin", 400).0, 500);
        // A file that was read to its end is closed.
        read(&mut card, "a.bin", 800);
        assert_eq!(read(&mut card, "b.bin", 1000).0, 500);
    }

    #[test]
    fn a_repeated_piece_is_acknowledged_and_not_written_twice_but_the_last_one_fails() {
        let mut card = card(&[]);
        assert!(write(&mut card, 0, 8, b"abc"));
        assert!(write(&mut card, 3, 8, b"def"));
        assert!(write(&mut card, 3, 8, b"def"));
        assert!(!write(&mut card, 2, 8, b"def"));
        assert!(write(&mut card, 6, 8, b"gh"));
        assert_eq!(read(&mut card, "new.bin", 0).1, b"abcdefgh");
        // It was closed with its last byte.
        assert!(!write(&mut card, 6, 8, b"gh"));
        assert!(!write(&mut card, 8, 8, b""));
    }

    #[test]
    fn a_long_directory_is_listed_in_parts_and_none_is_an_empty_list() {
        let paths: Vec<String> = (0..60).map(|n| format!("file-{n:03}.csv")).collect();
        let files: Vec<(&str, usize)> = paths.iter().map(|path| (&path[..], 1)).collect();
        let card = card(&files);
        let mut from = Text::default();
        let mut names = Vec::new();
        loop {
            let list = card.list(&"".into(), &from);
            let payload = Reply::File(FileReply::List(list.clone())).encode();
            assert!(payload.len() <= LIST_BYTES + 6);
            from = list.names.last().unwrap().clone();
            names.extend(list.names);
            if list.more == 0 {
                break;
            }
        }
        assert_eq!(names.len(), 60);
        assert_eq!(card.list(&"none".into(), &"".into()), FileList::default());
        assert_eq!(card.list(&"".into(), &"none".into()), FileList::default());
        let no_card = Card::new(None, 400);
        assert_eq!(no_card.list(&"".into(), &"".into()), FileList::default());
    }

    #[test]
    fn a_log_becomes_a_file_that_can_be_read() {
        let mut card = card(&[]);
        let none = MotorState::default();
        let ask = |card: &mut Card, ms, command| {
            let answer = card.request(at(ms), &Request::Log(command), &none);
            assert_eq!(answer, Some(Err(Silence::Logged)));
        };
        let field = LogField {
            index: 0,
            key: "v_in".into(),
            name: "Input Voltage".into(),
            unit: "V".into(),
            precision: 2,
            ..LogField::default()
        };
        ask(&mut card, 0, LogCommand::Field(field));
        let start = LogStart {
            fields: 1,
            rate_hz: Float::packed(10.0),
            time: 1,
            ..LogStart::default()
        };
        ask(&mut card, 0, LogCommand::Start(start));
        let values = LogValues {
            first: 0,
            values: vec![Float::packed(50.25)],
        };
        ask(&mut card, 150, LogCommand::Values(values));
        while card.poll_timeout().is_some_and(|due| due <= at(300)) {
            let due = card.poll_timeout().unwrap();
            assert!(card.handle_timeout(due, &none).is_empty());
        }
        ask(&mut card, 301, LogCommand::Stop);
        assert_eq!(card.poll_timeout(), None);
        let text = read(&mut card, "log_can/no_date/log_000.csv", 0).1;
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "v_in:Input Voltage:V:2:0:0;t_day:Time:s:3:0:1\n;0.000\n;0.100\n50.25;0.200\n;0.300\n"
        );
        // The next one gets the next name.
        ask(&mut card, 400, LogCommand::Start(start));
        card.handle_timeout(at(400), &none);
        assert!(card.tree.unwrap().exists(b"log_can/no_date/log_001.csv"));
    }
}
