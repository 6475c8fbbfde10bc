//! The picture of a session that the README shows: a program's output, drawn as a terminal.

use std::{fmt::Write as _, fs, process::Command};

use super::{is_update, root};

const COMMAND: &str = "cargo sim decode captures/vesctool-session-rebuilt.pcapng";
const PICTURE: &str = "docs/session.svg";
/// How many characters of a line are drawn.
const COLUMNS: usize = 112;
/// Of one character, in pixels.
const WIDTH: f64 = 7.8;
const HEIGHT: usize = 19;

fn clipped(line: &str) -> String {
    match line.chars().count() > COLUMNS {
        true => line.chars().take(COLUMNS - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

/// Blanks that follow each other would become one.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace(' ', "\u{a0}")
}

fn drawn(lines: &[String]) -> String {
    let width = COLUMNS as f64 * WIDTH + 32.0;
    let height = (lines.len() + 1) * HEIGHT + 20;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height}\" width=\"{width:.0}\" \
         height=\"{height}\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#14181d\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"13\">\n"
    );
    let prompt = format!("$ {COMMAND}");
    let all = std::iter::once(&prompt).chain(lines);
    for (index, line) in all.enumerate() {
        let colour = if index == 0 {
            "#ffffff"
        } else if line.contains("> device") {
            "#7cc7ff"
        } else if line.contains("< tool") {
            "#8fdf8f"
        } else {
            "#a8b3bd"
        };
        let y = 29 + index * HEIGHT;
        // A font of another width must not make the columns run out of the picture.
        let length = line.chars().count() as f64 * WIDTH;
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{y}\" fill=\"{colour}\" textLength=\"{length:.0}\" \
             lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            escaped(line)
        );
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

#[test]
fn the_picture_of_a_session_is_what_the_program_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .arg("sim")
        .args(COMMAND.split(' ').skip(2))
        .current_dir(root())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<String> = printed.lines().map(clipped).collect();
    assert!(lines.len() > 10, "{printed}");
    let picture = drawn(&lines);
    let path = root().join(PICTURE);
    if is_update() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(
        fs::read_to_string(path).is_ok_and(|found| found == picture),
        "{PICTURE} is not up to date: run this with VESCHUB_UPDATE=1"
    );
}
