//! Runs over every capture in the folder that `VESCHUB_EXTRA_CAPTURES` names: a user's own
//! recordings, which are not part of the repository. What must hold for any of them is checked, and
//! nothing of what they say is printed or kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use veschub_transcript::read::pcap::Records;
use veschub_transcript::render::{TextOptions, json_lines, text};
use veschub_transcript::{Direction, Kind, Options, Transcript};
use veschub_wire::{CommandId, Reply};

fn captures() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("VESCHUB_EXTRA_CAPTURES") else {
        println!("skipped: VESCHUB_EXTRA_CAPTURES names no folder with captures");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("VESCHUB_EXTRA_CAPTURES must name a folder")
        .map(|file| file.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "pcap" || end == "pcapng")
        })
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> Transcript {
    let file = File::open(path).expect("a readable file");
    let transcript = Transcript::from_capture(file, &Options::default());
    assert!(transcript.is_ok(), "{}: {transcript:?}", path.display());
    transcript.expect("just checked")
}

#[test]
fn the_entries_cover_every_stream_exactly() {
    for path in captures() {
        let transcript = read(&path);
        let mut ends: BTreeMap<(u32, Option<Direction>), u64> = BTreeMap::new();
        let mut at = 0;
        for entry in transcript
            .entries
            .iter()
            .filter(|entry| entry.direction.is_some())
        {
            let end = ends.entry((entry.connection, entry.direction)).or_default();
            assert_eq!(entry.offset, *end, "{}: {entry:?}", path.display());
            *end += entry.kind.stream_len();
            let now = entry.at_ns.expect("a recording knows its times");
            assert!(now >= at, "{}: times go back at {entry:?}", path.display());
            at = now;
        }
    }
}

#[test]
fn reading_twice_gives_the_same_text_and_json() {
    for path in captures() {
        let (first, second) = (read(&path), read(&path));
        for show in [show_text, show_json] {
            assert!(show(&first) == show(&second), "{}", path.display());
        }
    }
}

#[test]
fn no_password_is_shown() {
    for path in captures() {
        let transcript = read(&path);
        let shown = show_text(&transcript) + &format!("{transcript:?}");
        for login in transcript.logins() {
            let line = login
                .line
                .as_ref()
                .expect("only lines that parse are listed");
            let password = line.password.reveal();
            assert!(
                password.len() < 4 || !shown.contains(password),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn the_vesc_tool_session_is_read_without_a_byte_left_over() {
    for path in captures() {
        if path
            .file_name()
            .is_none_or(|name| name != "vesctool-session.pcap")
        {
            continue;
        }
        let records: Vec<_> = Records::new(File::open(&path).expect("a readable file"))
            .expect("a capture")
            .collect::<Result<_, _>>()
            .expect("all records are readable");
        assert_eq!(records.len(), 514);
        assert!(records.iter().all(|record| record.link.0 == 276));

        let transcript = read(&path);
        assert_eq!(transcript.truncated, None);
        assert_eq!(transcript.connections.len(), 1);
        let counts = transcript.count();
        assert_eq!((counts.logins, counts.refused_logins), (1, 0));
        assert_eq!(
            (counts.frames, counts.noise_bytes, counts.missing_bytes),
            (288, 0, 0)
        );
        let replies = transcript.entries.iter().filter(|entry| {
            entry.direction == Some(Direction::ToTool)
                && entry
                    .frame()
                    .is_some_and(|frame| frame.command() == CommandId::BMS_GET_VALUES)
        });
        let exact = replies.filter(|entry| {
            let told = Reply::decode(&entry.frame().expect("a frame").payload);
            told.is_ok_and(|told| told.trailing.is_empty())
        });
        assert_eq!(exact.count(), 139);
        let undecoded = transcript.entries.iter().filter(|entry| {
            let fields = entry.fields();
            fields.get("undecoded").is_some() || fields.get("trailing").is_some()
        });
        assert_eq!(undecoded.count(), 0);
        assert!(
            transcript
                .entries
                .iter()
                .all(|entry| !matches!(entry.kind, Kind::Notice(_)))
        );
    }
}

fn show_text(transcript: &Transcript) -> String {
    let mut out = Vec::new();
    text(&mut out, transcript, &TextOptions::default()).expect("memory takes all");
    String::from_utf8(out).expect("text")
}

fn show_json(transcript: &Transcript) -> String {
    let mut out = Vec::new();
    json_lines(&mut out, transcript).expect("memory takes all");
    String::from_utf8(out).expect("text")
}
