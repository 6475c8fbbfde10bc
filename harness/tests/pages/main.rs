//! The pages of the project: what they show is what the programs print, their links lead somewhere, and what cites the
//! protocol can be followed.
//!
//! `VESCHUB_UPDATE=1 cargo test -p veschub-harness --test pages` writes outputs that are shown in full, and the picture
//! of a session, anew.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod links;
mod picture;
mod shown;

use std::{
    fs,
    path::{Path, PathBuf},
};

use veschub_wire::{CommandId, frame};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_update() -> bool {
    std::env::var_os("VESCHUB_UPDATE").is_some()
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| unreachable!("{page}: {error}"))
}

/// The README and the pages in `docs/`: what they show is run.
fn run_pages() -> Vec<String> {
    let mut pages = all_pages();
    pages.retain(|page| page == "README.md" || page.starts_with("docs/"));
    pages
}

/// Every page of the project, wherever it is.
fn all_pages() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            let is_ours = !name.starts_with('.')
                && !["target", "corpus", "node_modules"].contains(&name.as_str());
            if entry.file_type().unwrap().is_dir() && is_ours {
                folders.push(path);
            } else if name.ends_with(".md") {
                pages.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort();
    pages
}

/// The blocks of one language: their text without the fences.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let rests = page.split(fence.as_str()).skip(1);
    rests
        .map(|rest| &rest[..rest.find("```").unwrap()])
        .collect()
}

#[test]
fn every_console_block_is_what_the_command_prints() {
    let mut ran = 0;
    for page in run_pages() {
        ran += shown::check(&page);
    }
    assert!(ran >= 12, "the pages show too little: {ran} commands");
}

#[test]
fn the_scenario_in_the_readme_is_the_one_in_the_folder() {
    let file = read("scenarios/waiting-resets-the-session.yaml");
    // The line that editors read is of no use to people.
    let told: String = file
        .split_inclusive('\n')
        .filter(|line| !line.starts_with('#'))
        .collect();
    let readme = read("README.md");
    assert_eq!(blocks(&readme, "yaml").first(), Some(&told.as_str()));
}

#[test]
fn every_piece_of_a_scenario_can_be_used_as_it_stands() {
    let base = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret }\n";
    let mut read_so_far = 0;
    for name in run_pages() {
        let page = read(&name);
        for block in blocks(&page, "yaml") {
            let text = match block.contains("version: 1") {
                true => block.to_owned(),
                false => format!("{base}{block}"),
            };
            if let Err(error) = veschub_disk::parse(&name, &text, &root().join("scenarios"), &[]) {
                panic!("{name}\n{error}");
            }
            read_so_far += 1;
        }
    }
    assert!(read_so_far >= 8, "{read_so_far}");
}

#[test]
fn the_commands_of_the_protocol_page_have_the_names_of_the_code() {
    let page = read("docs/protocol.md");
    let cells = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches('|').count() == 10)
        .flat_map(|line| line.trim_matches('|').split('|').map(str::trim));
    let cells: Vec<&str> = cells.collect();
    let mut listed: Vec<(u8, &str)> = cells
        .chunks(3)
        .filter_map(|row| Some((row[0].parse().ok()?, row[1])))
        .collect();
    listed.sort_unstable();
    let named: Vec<(u8, &str)> = CommandId::named()
        .filter_map(|id| Some((id.0, id.name()?)))
        .collect();
    assert_eq!(listed, named);
}

#[test]
fn the_frames_of_the_protocol_page_are_frames() {
    let page = read("docs/protocol.md");
    let (_, vectors) = page.split_once("<a id=\"s9\"></a>").unwrap();
    let (vectors, _) = vectors.split_once("<a id=\"s10\"></a>").unwrap();
    let mut checked = 0;
    for line in vectors.lines().filter(|line| line.starts_with("| ")) {
        let Some(hex) = line.split('`').nth(1) else {
            continue;
        };
        let bytes: Vec<u8> = hex
            .split(' ')
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        let payload = &bytes[2..bytes.len() - 3];
        assert_eq!(frame::encode(payload), Some(bytes.clone()), "{line}");
        checked += 1;
    }
    assert!(checked > 10, "{checked}");
}
