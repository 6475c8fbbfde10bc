//! What the README shows is what the programs print: every `console` block is run and compared.
//!
//! A line `...` stands for any number of lines. Wall times are not compared, nor the port that a server gets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use veschub_sim::disk;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The blocks of one language: their text without the fences.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    readme
        .split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("cargo"), "{command}");
    let part: &[&str] = match words.next() {
        Some("harness") => &[],
        // The same as the other program, which a test of one package does not build.
        Some("sim") => &["sim"],
        other => unreachable!("{other:?} in {command}"),
    };
    let args = words.map(|word| match word {
        "127.0.0.1:65101" => "127.0.0.1:0",
        word => word,
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .args(part)
        .args(args)
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut out = String::new();
    // A server prints one line and goes on.
    let serves = command.contains("serve");
    for line in lines.by_ref().take(if serves { 1 } else { usize::MAX }) {
        out.push_str(&line.unwrap());
        out.push('\n');
    }
    if serves {
        child.kill().unwrap();
    }
    child.wait().unwrap();
    out
}

/// A line without what differs from run to run: wall times, ports, and column widths, which depend on the names.
fn steady(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if words.last() == Some(&"ms") {
        words.truncate(words.len() - 2);
    }
    let line = words.join(" ");
    match line.split_once("listening on 127.0.0.1:") {
        Some(_) => "listening".to_owned(),
        None => line,
    }
}

fn assert_shows(shown: &str, printed: &str, command: &str) {
    let printed: Vec<String> = printed.lines().map(steady).collect();
    let mut rest = &printed[..];
    let mut anywhere = false;
    for line in shown.lines() {
        if line == "..." {
            anywhere = true;
            continue;
        }
        let line = steady(line);
        let found = rest.iter().position(|printed| *printed == line);
        match found {
            Some(index) if anywhere || index == 0 => rest = &rest[index + 1..],
            _ => unreachable!(
                "`{command}` does not print this line, or not here: {line}\n{}",
                printed.join("\n")
            ),
        }
        anywhere = false;
    }
    assert!(
        anywhere || rest.is_empty(),
        "`{command}` prints more: {rest:?}"
    );
}

#[test]
fn every_console_block_of_the_readme_is_what_the_command_prints() {
    let blocks = blocks("console");
    assert!(blocks.len() >= 3, "the README shows too little");
    for block in blocks {
        let (command, shown) = block.split_once('\n').unwrap();
        let command = command.strip_prefix("$ ").unwrap();
        assert_shows(shown, &run(command), command);
    }
}

#[test]
fn the_scenario_in_the_readme_is_the_one_in_the_folder() {
    let file = root().join("scenarios/waiting-resets-the-session.yaml");
    let file = fs::read_to_string(file).unwrap();
    // The line that editors read is of no use to people.
    let told: String = file
        .split_inclusive('\n')
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(blocks("yaml").first(), Some(&told));
}

#[test]
fn the_parts_of_scenarios_in_the_readme_can_be_used_as_they_stand() {
    let base = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret }\n";
    for block in &blocks("yaml")[1..] {
        let text = format!("{base}{block}");
        if let Err(error) = disk::parse("README.md", &text, &root(), &[]) {
            panic!("{error}");
        }
    }
}
