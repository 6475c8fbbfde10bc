//! What docs/reports.md shows is what the program prints, block by block in one folder; only wall times differ.

#![cfg(unix)]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// `seed 0, 0.2 s.` takes another time each time.
fn steady(text: &str) -> String {
    let without = |line: &str| match line.rsplit_once("; seed 0, ") {
        Some((before, _)) => before.to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(without).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_console_block_of_the_page_is_what_the_command_prints() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reports.md");
    let page = fs::read_to_string(page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let blocks: Vec<&str> = page.split("```console\n").skip(1).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let block = block.split("\n```\n").next().unwrap();
        let (command, shown) = block.split_once('\n').unwrap_or((block, ""));
        let output = Command::new("bash")
            .arg("-c")
            .arg(format!(
                "exec 2>&1\n{}",
                command.strip_prefix("$ ").unwrap()
            ))
            .current_dir(folder.path())
            .env("PATH", &path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(steady(&printed), steady(shown), "{command}");
    }
}

#[test]
fn every_link_of_the_page_leads_to_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = fs::read_to_string(folder.join("reports.md")).unwrap();
    let links: Vec<&str> = page
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert!(links.len() >= 6);
    for link in links {
        assert!(folder.join(link).exists(), "{link}");
    }
}
