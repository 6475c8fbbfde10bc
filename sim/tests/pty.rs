//! A device on a pseudo-terminal, as a client on a serial port sees it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::{fd::OwnedFd, unix::fs::FileTypeExt},
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
};
use snapbox::{
    cmd::{Command, cargo_bin},
    str,
};
use tokio::sync::oneshot;
use veschub_drive::pty::{self, Pty};
use veschub_hub::{
    device::{Device, Out},
    hub::{Access, Hub, HubConfig, Resident},
    journal::{Closed, JournalEntry, JournalEvent},
    time::Time,
};
use veschub_transcript::{Options, Transcript};
use veschub_wire::{Decoder, Item, TOOL_MAX_PAYLOAD, encode};

/// Far above what anything here takes; what takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
const BMS: u8 = 96;

/// Says every request again at once.
struct Parrot;

impl Device for Parrot {
    fn handle(&mut self, now: Time, payload: &[u8], out: &mut Out) {
        out.reply(now, payload.to_vec(), None);
    }

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn handle_timeout(&mut self, _now: Time, _out: &mut Out) {}
}

/// A parrot on a terminal.
struct Port {
    path: PathBuf,
    journal: mpsc::Receiver<JournalEntry>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Port {
    fn open() -> Self {
        let resident = Resident {
            id: "demo-0001".to_owned(),
            access: Access::Anyone,
            device: Box::new(Parrot),
            link: None,
            quirks: Vec::new(),
        };
        let device = Hub::direct(HubConfig::default(), resident);
        let pty = Pty::open().unwrap();
        let path = pty.path().to_owned();
        let (entries, journal) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let task = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let observe = |entry| {
                let _ = entries.send(entry);
            };
            let shutdown = async {
                let _ = stopped.await;
            };
            let serving = pty::serve(&pty, device, observe, shutdown);
            runtime.block_on(serving).unwrap();
        });
        Self {
            path,
            journal,
            stop: Some(stop),
            task: Some(task),
        }
    }

    fn happens(&self, wanted: &JournalEvent) {
        while self.journal.recv_timeout(PATIENCE).unwrap().event != *wanted {}
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.task.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|task| task.is_ok()));
    }
}

/// A client that has the port open, in whatever mode it found it.
struct Client {
    port: OwnedFd,
    decoder: Decoder,
}

impl Client {
    fn opens(path: &Path) -> Self {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        Self {
            port: rustix::fs::open(path, flags, Mode::empty()).unwrap(),
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
        }
    }

    fn send(&self, payload: &[u8]) {
        let frame = encode(payload).unwrap();
        let written = rustix::io::write(&self.port, &frame).unwrap();
        assert_eq!(written, frame.len());
    }

    fn waits_for_bytes(&self) {
        let mut ends = [PollFd::new(&self.port, PollFlags::IN)];
        let patience = Timespec::try_from(PATIENCE).unwrap();
        assert_eq!(poll(&mut ends, Some(&patience)), Ok(1), "no bytes came");
    }

    fn hears(&mut self) -> Vec<u8> {
        loop {
            self.waits_for_bytes();
            let mut byte = [0];
            assert_eq!(rustix::io::read(&self.port, &mut byte), Ok(1));
            match self.decoder.next(&mut &byte[..]) {
                Some(Item::Frame(frame)) => return frame.payload.to_vec(),
                Some(Item::Noise(noise)) => unreachable!("{noise:?}"),
                None => {}
            }
        }
    }

    fn asks(&mut self, payload: &[u8]) -> Vec<u8> {
        self.send(payload);
        self.hears()
    }
}

#[test]
fn a_request_on_the_terminal_is_answered() {
    let port = Port::open();
    let mut client = Client::opens(&port.path);
    assert_eq!(client.asks(&[BMS]), [BMS]);
    assert_eq!(client.asks(&[BMS, 1]), [BMS, 1]);
}

#[test]
fn every_byte_passes_unchanged() {
    let port = Port::open();
    let mut client = Client::opens(&port.path);
    let all: Vec<u8> = (0..=255).collect();
    for _ in 0..20 {
        assert_eq!(client.asks(&all), all);
    }
}

#[test]
fn a_client_that_leaves_is_noticed_and_the_next_one_is_served() {
    let port = Port::open();
    for number in 0..3 {
        let mut client = Client::opens(&port.path);
        assert_eq!(client.asks(&[BMS, number]), [BMS, number]);
        drop(client);
        port.happens(&JournalEvent::Closed(Closed::Peer));
    }
}

#[test]
fn a_client_that_comes_at_once_after_another_is_served_too() {
    let port = Port::open();
    for number in 0..100 {
        let mut client = Client::opens(&port.path);
        assert_eq!(client.asks(&[BMS, number]), [BMS, number]);
    }
}

#[test]
fn half_a_frame_is_completed_by_the_next_client() {
    let port = Port::open();
    let frame = encode(&[BMS, 1, 2]).unwrap();
    let (half, rest) = frame.split_at(4);
    let client = Client::opens(&port.path);
    assert_eq!(rustix::io::write(&client.port, half), Ok(4));
    drop(client);
    port.happens(&JournalEvent::PartialFrameLeft {
        bytes: 4,
        missing: 4,
        hidden: 0,
    });
    let mut client = Client::opens(&port.path);
    assert_eq!(rustix::io::write(&client.port, rest), Ok(rest.len()));
    assert_eq!(client.hears(), [BMS, 1, 2]);
}

#[test]
fn what_a_client_did_not_read_is_not_kept_for_the_next_one() {
    let port = Port::open();
    let client = Client::opens(&port.path);
    client.send(&[BMS, 1]);
    client.waits_for_bytes();
    drop(client);
    port.happens(&JournalEvent::Closed(Closed::Peer));
    let mut client = Client::opens(&port.path);
    port.happens(&JournalEvent::Attached);
    assert_eq!(client.asks(&[BMS, 2]), [BMS, 2]);
}

#[test]
fn a_client_that_never_reads_stops_nobody_for_good() {
    let port = Port::open();
    let client = Client::opens(&port.path);
    // More than a terminal holds.
    for _ in 0..100 {
        client.send(&[BMS; 200]);
    }
    drop(client);
    port.happens(&JournalEvent::Closed(Closed::Peer));
    let mut client = Client::opens(&port.path);
    port.happens(&JournalEvent::Attached);
    assert_eq!(client.asks(&[BMS, 2]), [BMS, 2]);
}

#[test]
fn the_command_announces_the_path_and_saves_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("session.pcapng");
    let mut child = Process::new(cargo_bin!("veschub-sim"))
        .args(["serve", "--demo", "--direct", "--pty", "--quiet", "--save"])
        .arg(&saved)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let path = line.trim_end().strip_prefix("listening on ").unwrap();
    assert!(fs::metadata(path).unwrap().file_type().is_char_device());
    let mut client = Client::opens(Path::new(path));
    assert_eq!(client.asks(&[0])[..3], [0, 6, 6]);

    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    line.clear();
    assert_eq!(stdout.read_line(&mut line).unwrap(), 0, "{line}");
    let saved = fs::read(saved).unwrap();
    let told = Transcript::from_capture(&saved[..], &Options::default()).unwrap();
    assert_eq!(told.count().frames, 2);
}

#[test]
fn a_terminal_has_no_address_and_no_hub() {
    let refuses = |args: &[&str], message| {
        Command::new(cargo_bin!("veschub-sim"))
            .args(["serve", "--demo", "--pty"])
            .args(args)
            .assert()
            .code(2)
            .stdout_eq("")
            .stderr_eq(message);
    };
    refuses(
        &[],
        str![[r#"
error: --pty is for one device without a hub: add --direct for the first device, or --direct ID

"#]],
    );
    refuses(
        &["--direct", "--listen", "127.0.0.1:0"],
        str![[r#"
error: the argument '--pty' cannot be used with '--listen <ADDR>'

Usage: veschub-sim serve [OPTIONS] [SCENARIO]
       veschub-sim serve [OPTIONS] --demo
       veschub-sim serve [OPTIONS] --demo-motor

For more information, try '--help'.

"#]],
    );
    refuses(
        &["--direct", "--discover"],
        str![[r#"
error: the argument '--pty' cannot be used with '--discover [<ADDR:PORT>]'

Usage: veschub-sim serve [OPTIONS] [SCENARIO]
       veschub-sim serve [OPTIONS] --demo
       veschub-sim serve [OPTIONS] --demo-motor

For more information, try '--help'.

"#]],
    );
}
