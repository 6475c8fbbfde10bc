//! `--tui` in a real terminal: what it draws, what its keys do, and how it leaves the terminal.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use common::PATIENCE;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Termios, Winsize, tcgetattr, tcsetwinsize},
};
use snapbox::cmd::cargo_bin;

/// What a terminal shows, of the sequences that the page sends.
struct Grid {
    cells: Vec<Vec<char>>,
    at: (usize, usize),
    /// What came of a sequence that is not whole.
    rest: Vec<u8>,
    is_other_screen: bool,
}

impl Grid {
    fn new(columns: usize, rows: usize) -> Self {
        Self {
            cells: vec![vec![' '; columns]; rows],
            at: (0, 0),
            rest: Vec::new(),
            is_other_screen: false,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(used) = self.step() {
            self.rest.drain(..used);
        }
    }

    /// Does the next thing, and says how many bytes it took; nothing if it is not whole.
    fn step(&mut self) -> Option<usize> {
        match *self.rest.first()? {
            0x1b if *self.rest.get(1)? == b'[' => {
                let end = self.rest[2..]
                    .iter()
                    .position(|byte| (0x40..0x7f).contains(byte))?
                    + 2;
                let text = String::from_utf8(self.rest[2..end].to_vec()).unwrap();
                self.sequence(&text, self.rest[end]);
                Some(end + 1)
            }
            0x1b => Some(2),
            b'\r' => {
                self.at.1 = 0;
                Some(1)
            }
            b'\n' => {
                self.at.0 += 1;
                Some(1)
            }
            first => {
                let length = match first {
                    0..0x80 => 1,
                    0x80..0xe0 => 2,
                    0xe0..0xf0 => 3,
                    _ => 4,
                };
                let text = std::str::from_utf8(self.rest.get(..length)?).unwrap();
                let cell = self
                    .cells
                    .get_mut(self.at.0)
                    .and_then(|row| row.get_mut(self.at.1));
                if let Some(cell) = cell {
                    *cell = text.chars().next().unwrap();
                }
                self.at.1 += 1;
                Some(length)
            }
        }
    }

    fn sequence(&mut self, text: &str, end: u8) {
        let mut numbers = text
            .split(';')
            .map(|number| number.parse().unwrap_or(1_usize));
        match (end, text) {
            (b'H', _) => {
                let (row, column) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
                self.at = (row - 1, column - 1);
            }
            (b'J', _) => self.cells.iter_mut().flatten().for_each(|cell| *cell = ' '),
            (b'h', "?1049") => self.is_other_screen = true,
            (b'l', "?1049") => self.is_other_screen = false,
            _ => {}
        }
    }

    fn text(&self) -> String {
        let rows = self.cells.iter().map(|row| row.iter().collect::<String>());
        rows.map(|row| row.trim_end().to_owned() + "\n").collect()
    }
}

/// A person at a terminal in which the program runs.
struct Person {
    child: Child,
    /// Where keys go in, and the screen comes out.
    master: Option<File>,
    client_end: OwnedFd,
    before: Termios,
    grid: Grid,
}

impl Person {
    fn starts(args: &[&str]) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let client_end = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 30,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&client_end, size).unwrap();
        let before = tcgetattr(&client_end).unwrap();
        let end = || Stdio::from(client_end.try_clone().unwrap());
        let child = Command::new(cargo_bin!("veschub-sim"))
            .args(args)
            .args(["--tui", "--listen", "127.0.0.1:0"])
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        Self {
            child,
            master: Some(File::from(master)),
            client_end,
            before,
            grid: Grid::new(100, 30),
        }
    }

    fn presses(&mut self, keys: &str) {
        let master = self.master.as_mut().unwrap();
        master.write_all(keys.as_bytes()).unwrap();
    }

    /// Takes in what the screen shows next; whether something came in time.
    fn looks(&mut self, patience: Duration) -> bool {
        let master = self.master.as_mut().unwrap();
        let mut ends = [PollFd::new(&*master, PollFlags::IN)];
        let patience = Timespec::try_from(patience).unwrap();
        if poll(&mut ends, Some(&patience)).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 4096];
        let count = master.read(&mut bytes).unwrap();
        self.grid.take(&bytes[..count]);
        true
    }

    /// Waits until the screen is as wanted.
    fn sees(&mut self, what: &str, is_there: impl Fn(&Grid) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_there(&self.grid) {
            // The time in the header goes on, so something comes every second.
            let patience = end.saturating_duration_since(Instant::now());
            let came = self.looks(patience);
            assert!(came, "no {what}:\n{}", self.grid.text());
        }
    }

    fn reads(&mut self, text: &str) {
        self.sees(text, |grid| grid.text().contains(text));
    }

    fn ends(&mut self) -> ExitStatus {
        self.sees("end of the page", |grid| !grid.is_other_screen);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            self.looks(Duration::from_millis(20));
        };
        while self.looks(Duration::ZERO) {}
        let after = tcgetattr(&self.client_end).unwrap();
        let modes = |of: &Termios| {
            (
                of.input_modes,
                of.output_modes,
                of.local_modes,
                of.control_modes,
            )
        };
        assert_eq!(
            modes(&after),
            modes(&self.before),
            "the terminal is as it was"
        );
        status
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_person_looks_at_a_pack_breaks_the_link_and_ends_the_hub() {
    let mut person = Person::starts(&["serve", "--demo", "--control", "127.0.0.1:0"]);
    person.sees("page", |grid| grid.is_other_screen);
    person.reads("20 cells");
    let text = person.grid.text();
    let (_, control) = text.split_once("control on http://").unwrap();
    let address = control.split('/').next().unwrap().to_owned();

    person.presses("3");
    person.reads("[ ] bandwidth");
    person.presses("\u{1b}[F ");
    person.reads("[x] truncate");
    let faults = get(&address, "/v1/faults");
    assert!(faults.contains("\"name\":\"truncate\""), "{faults}");
    person.presses(" ");
    person.reads("[ ] truncate");
    let faults = get(&address, "/v1/faults");
    assert!(!faults.contains("truncate"), "{faults}");

    person.presses("2");
    person.reads("steered: fault 1 off: truncate");
    person.presses("q");
    assert!(person.ends().success());
}

#[test]
fn the_page_follows_the_size_of_the_terminal_and_ctrl_c_ends_it() {
    let mut person = Person::starts(&["serve", "--demo-motor"]);
    person.reads("Duty");
    let size = Winsize {
        ws_row: 12,
        ws_col: 50,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    person.grid = Grid::new(50, 12);
    person.grid.is_other_screen = true;
    tcsetwinsize(&person.client_end, size).unwrap();
    person.sees("keys in the last line", |grid| {
        grid.cells[11].contains(&'q')
    });
    person.presses("\u{3}");
    assert!(person.ends().success());
}

#[test]
fn what_is_said_while_the_page_is_up_is_printed_behind_it() {
    let mut person = Person::starts(&["serve", "--demo", "--max-connections", "1"]);
    person.reads("listening on 127.0.0.1:");
    person.reads("20 cells");
    let text = person.grid.text();
    let (_, address) = text.split_once("listening on ").unwrap();
    let address = address.split([',', '\n']).next().unwrap().trim().to_owned();
    let _first = TcpStream::connect(&address).unwrap();
    let _second = TcpStream::connect(&address).unwrap();
    person.reads("warning: connections are refused");
    person.reads("(m shows all)");
    kill_process(Pid::from_child(&person.child), Signal::TERM).unwrap();
    assert!(person.ends().success());
}

#[test]
fn a_terminal_that_is_gone_ends_the_hub() {
    let mut person = Person::starts(&["serve", "--demo"]);
    person.reads("20 cells");
    drop(person.master.take());
    assert_eq!(person.child.wait().unwrap().code(), Some(2));
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let output = Command::new(cargo_bin!("veschub-sim"))
        .args(["serve", "--demo", "--tui", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("stdout is none") && said.contains("--control"),
        "{said}"
    );
    assert!(output.stdout.is_empty());
}
