//! What a page shows of the command line.
//!
//! The `console` blocks of a page are run in their order, in a folder with the scenarios, the captures, and the client
//! that `docs/clients.md` shows. A line `...` stands for any number of lines. Wall times are not compared, nor the port
//! that a server gets. What goes to stderr is compared where nothing goes to stdout.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{blocks, is_update, read, root};

/// The programs under the names that people know. One program is both, as a test of one package builds no other.
const PRELUDE: &str = "
    veschub-sim() { veschub-harness sim \"$@\"; }
    cargo() { local part=$1; shift; case $part in harness) part=;; esac; veschub-harness $part \"$@\"; }
";
/// Where a hub listens on a page, and where a device without a hub does.
const ADDRESSES: [&str; 2] = ["127.0.0.1:65101", "127.0.0.1:65102"];

/// A hub that a page started; it ends with the page.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs every command that the page shows; how many there were.
pub(super) fn check(name: &str) -> usize {
    let page = read(name);
    let folder = workplace();
    let mut updated = page.clone();
    let mut server = None;
    let mut count = 0;
    for block in blocks(&page, "console") {
        let (command, shown) = block.split_once('\n').unwrap();
        let command = command.strip_prefix("$ ").unwrap();
        let printed = if command.contains(" serve ") {
            let (started, printed) = serve(command, folder.path());
            server = Some(started);
            printed
        } else {
            let mut command = command.to_owned();
            if let Some(server) = &server {
                for address in ADDRESSES {
                    command = command.replace(address, &server.address);
                }
            }
            run(&command, folder.path())
        };
        if is_update() && !shown.lines().any(|line| line == "...") {
            updated = updated.replacen(block, &format!("$ {command}\n{printed}"), 1);
        } else {
            assert_shows(shown, &printed, &format!("{name}: {command}"));
        }
        count += 1;
    }
    // Only wall times and ports may differ, and those would change with every update.
    let is_same = page.lines().map(steady).eq(updated.lines().map(steady));
    if is_update() && !is_same {
        fs::write(root().join(name), updated).unwrap();
    }
    count
}

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = root().canonicalize().unwrap();
    for name in ["captures", "scenarios"] {
        symlink(root.join(name), folder.path().join(name)).unwrap();
    }
    let page = read("docs/clients.md");
    let client = blocks(&page, "python")[0];
    fs::write(folder.path().join("my_client.py"), client).unwrap();
    folder
}

fn run(command: &str, folder: &Path) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("{PRELUDE}\n{command}"))
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = match output.stdout.is_empty() {
        true => output.stderr,
        false => output.stdout,
    };
    String::from_utf8(said).unwrap()
}

/// A hub on a port of its own, and the line that it prints.
fn serve(command: &str, folder: &Path) -> (Server, String) {
    let free = ["--listen", "127.0.0.1:0"];
    let words = command.split_whitespace().map(|word| match word {
        address if ADDRESSES.contains(&address) => "127.0.0.1:0",
        word => word,
    });
    let has_port = command.contains(" --listen ");
    let mut child = Command::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .arg("sim")
        .args(words.skip_while(|&word| word != "serve"))
        .args(if has_port { &[][..] } else { &free })
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line.rsplit(' ').next().unwrap().trim_end().to_owned();
    (Server { child, address }, line)
}

/// A line without what differs from run to run: wall times, ports, and column widths, which depend on the names.
fn steady(line: &str) -> String {
    let line = match line.rsplit_once("; seed 0, ") {
        Some((before, _)) => before,
        None => line,
    };
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
