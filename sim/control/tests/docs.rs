//! The page of the documentation: each command in it prints what stands below it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Served;

/// The scenario of `serve --demo`.
const DEMO: &str = include_str!("../../scenario/src/demo.yaml");

#[test]
fn every_command_of_the_page_does_what_it_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/control.md");
    let page = std::fs::read_to_string(path).unwrap();
    let served = Served::of(DEMO, None);
    let mut commands = 0;
    for block in page.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for shown in block.split("$ curl -s ").skip(1) {
            let (command, shown) = shown.split_once('\n').unwrap();
            let printed = curl(&served, command);
            match shown.trim_end() {
                "..." => assert!(!printed.is_empty(), "{command}"),
                shown => match shown.strip_suffix("...") {
                    Some(start) => assert!(printed.starts_with(start), "{command}: {printed}"),
                    None => assert_eq!(printed.trim_end(), shown, "{command}"),
                },
            }
            commands += 1;
        }
    }
    assert!(commands > 10, "{commands} commands");
}

/// Every route is in the table.
#[test]
fn the_page_names_every_path() {
    let page = include_str!("../../../docs/control.md");
    let document: serde_json::Value =
        serde_json::from_str(&veschub_control::openapi_json()).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        let path = path.replace("/page/{file}", "/");
        let (start, end) = path.rsplit_once('/').unwrap();
        let is_there = page.contains(&path)
            || (page.contains(&format!("{start}/")) && page.contains(&format!("`{end}`")))
            || page.contains(&format!(".../{end}`"));
        assert!(is_there, "{path} is not on the page");
    }
}

/// What a command prints; an error is printed as any answer is.
fn curl(served: &Served, command: &str) -> String {
    let (mut method, mut body, mut url) = ("GET".to_owned(), String::new(), String::new());
    let mut words = words(command).into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-X" => method = words.next().unwrap(),
            "-d" => body = words.next().unwrap(),
            _ => url = word,
        }
    }
    let path = url.strip_prefix("http://127.0.0.1:8080").unwrap();
    let answer = served.send(&method, path, &body, &[]);
    answer.text().to_owned()
}

/// The words of a command, some of which are in quotes.
fn words(command: &str) -> Vec<String> {
    let pieces = command.split('\'').enumerate();
    pieces
        .flat_map(|(index, piece)| match index % 2 {
            0 => piece.split_whitespace().map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        })
        .collect()
}
