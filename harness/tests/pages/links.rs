//! Links lead to a file and to a place in it, and what cites the protocol cites a section that is there.

use std::{collections::BTreeSet, fs, path::Path};

use super::{all_pages, read, root};

/// The text outside of code.
fn prose(page: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let ends = |start: &str, end: char| -> Vec<String> {
        let rests = prose.split(start).skip(1);
        rests
            .map(|rest| rest.split(end).next().unwrap().to_owned())
            .collect()
    };
    [ends("](", ')'), ends("src=\"", '"')].concat()
}

/// The places of a page that a link can name: those with an id, and headings.
fn places(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let mut places: BTreeSet<String> = prose
        .split("<a id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    for line in prose.lines().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let place = kept.collect::<String>().to_lowercase().replace(' ', "-");
        assert!(places.insert(place), "two places with one name: {line}");
    }
    places
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for name in all_pages() {
        let page = read(&name);
        for link in links(&page) {
            if link.contains("://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(&name).parent().unwrap();
            let target = match file {
                "" => name.clone(),
                file => folder.join(file).to_string_lossy().into_owned(),
            };
            let path = root().join(&target);
            assert!(path.exists(), "{name}: no file {link}");
            assert!(
                place.is_empty() || places(&read(&target)).contains(place),
                "{name}: no place {link}"
            );
            followed += 1;
        }
    }
    assert!(followed > 50, "{followed}");
}

#[test]
fn every_page_in_the_folder_is_in_its_index() {
    let index = links(&read("docs/README.md"));
    for name in super::run_pages() {
        let file = name.trim_start_matches("docs/");
        assert!(
            name == "docs/README.md"
                || name == "README.md"
                || index.iter().any(|link| link == file),
            "{name}"
        );
    }
}

#[test]
fn every_section_that_a_case_cites_is_on_the_protocol_page() {
    let mut places = places(&read("docs/protocol.md"));
    places.extend(self::places(&read("docs/protocol-motor.md")));
    let mut cited = 0;
    for entry in fs::read_dir(root().join("harness/conformance")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let Some(source) = line.trim().strip_prefix("source: ") else {
                continue;
            };
            for section in source.trim_matches('"').split(", ") {
                let number = section.split(' ').next().unwrap();
                let number = number.replace('.', "-");
                let place = match number.starts_with('m') {
                    true => number,
                    false => format!("s{number}"),
                };
                assert!(places.contains(&place), "{}: {line}", path.display());
                cited += 1;
            }
        }
    }
    assert!(cited > 100, "{cited}");
}

#[test]
fn every_short_name_of_a_source_is_in_the_table() {
    let page = read("docs/protocol.md") + &read("docs/protocol-motor.md");
    for short in ["EX", "MC", "BM", "VT", "HA", "RF", "N52", "N51"] {
        assert!(page.contains(&format!("\n| {short} | ")), "{short}");
    }
}
