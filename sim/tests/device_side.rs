//! Devices of ours at a hub that is not: how they log in, come back, and are read through it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command as Process, Stdio},
    sync::mpsc as std_mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use snapbox::{
    cmd::{Command, cargo_bin},
    str,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use veschub_drive::{
    device::{LOOKUP_PAUSE, News, RECONNECT_PAUSE, play},
    server,
};
use veschub_hub::{
    device::{Device, Out},
    hub::{Access, Hub, HubConfig, Resident},
    journal::{Closed, JournalEntry, JournalEvent},
    time::Time,
};
use veschub_wire::{Decoder, Item, LoginKind, LoginLine, TOOL_MAX_PAYLOAD, encode};

/// Far above what anything here takes; what takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a device of ours says first: the NUL is an Express'.
const DEVICE_LOGIN: &[u8] = b"VESC:DEMO-0001:not-a-secret\n\0";
const BMS: u8 = 96;

fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

async fn patiently<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.unwrap()
}

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

fn direct() -> Hub {
    let resident = Resident {
        id: "demo-0001".to_owned(),
        access: Access::Password("not-a-secret".to_owned()),
        device: Box::new(Parrot),
        link: None,
        quirks: Vec::new(),
    };
    Hub::direct(HubConfig::default(), resident)
}

/// A device of ours, playing at the hub at this address.
struct Player {
    news: mpsc::UnboundedReceiver<News>,
    _task: JoinSet<()>,
}

impl Player {
    fn at(hub: impl ToString) -> Self {
        let hub = hub.to_string();
        let (to_us, news) = mpsc::unbounded_channel();
        let report = move |news| {
            let _ = to_us.send(news);
        };
        let mut task = JoinSet::new();
        task.spawn(async move {
            let login = LoginLine::new(LoginKind::Device, "demo-0001", "not-a-secret");
            play(&hub, &login, direct(), report, std::future::pending()).await;
        });
        Self { news, _task: task }
    }

    async fn hears<T>(&mut self, of_interest: impl Fn(News) -> Option<T>) -> T {
        patiently(async {
            loop {
                let news = self.news.recv().await.unwrap();
                if let Some(found) = of_interest(news) {
                    return found;
                }
            }
        })
        .await
    }
}

/// A hub of ours, or a device that serves directly, with its journal as it is written.
struct House {
    address: SocketAddr,
    journal: mpsc::UnboundedReceiver<JournalEntry>,
    _task: JoinHandle<()>,
}

impl House {
    async fn of(hub: Hub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (entries, journal) = mpsc::unbounded_channel();
        let observe = move |entry| {
            let _ = entries.send(entry);
        };
        let task = tokio::spawn(server::serve(
            listener,
            hub,
            8,
            observe,
            std::future::pending(),
        ));
        Self {
            address,
            journal,
            _task: task,
        }
    }

    async fn empty() -> Self {
        Self::of(Hub::new(HubConfig::default(), Vec::new())).await
    }

    async fn happens(&mut self, wanted: &JournalEvent) {
        patiently(async { while self.journal.recv().await.unwrap().event != *wanted {} }).await;
    }

    async fn connect(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).await.unwrap())
    }

    async fn tool(&mut self, id: &str) -> Peer {
        let mut tool = self.connect().await;
        let line = format!("VESCTOOL:{id}:not-a-secret\n");
        tool.send(line.as_bytes()).await;
        self.happens(&JournalEvent::Attached).await;
        tool
    }
}

/// A connection as a test sees it.
struct Peer {
    stream: TcpStream,
    decoder: Decoder,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
        }
    }

    /// A device that has come to a hub which is only a socket, its login read.
    async fn accepted(hub: &TcpListener) -> Self {
        let mut peer = Self::new(patiently(hub.accept()).await.unwrap().0);
        let mut line = [0; DEVICE_LOGIN.len()];
        patiently(peer.stream.read_exact(&mut line)).await.unwrap();
        assert_eq!(line, DEVICE_LOGIN);
        peer
    }

    async fn send(&mut self, bytes: &[u8]) {
        patiently(self.stream.write_all(bytes)).await.unwrap();
    }

    async fn reply(&mut self) -> Vec<u8> {
        loop {
            let mut byte = [0];
            patiently(self.stream.read_exact(&mut byte)).await.unwrap();
            if let Some(Item::Frame(frame)) = self.decoder.next(&mut &byte[..]) {
                return frame.payload.to_vec();
            }
        }
    }

    async fn asks(&mut self, payload: &[u8]) -> Vec<u8> {
        self.send(&frame(payload)).await;
        self.reply().await
    }

    /// All bytes until the other side ends the connection.
    async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        patiently(self.stream.read_to_end(&mut bytes))
            .await
            .unwrap();
        bytes
    }
}

mod at_a_hub {
    use super::*;

    #[tokio::test]
    async fn a_device_of_ours_is_read_through_a_hub_that_relays() {
        let mut hub = House::empty().await;
        let _device = Player::at(hub.address);
        hub.happens(&JournalEvent::Registered).await;
        let mut tool = hub.tool("demo-0001").await;
        assert_eq!(tool.asks(&[BMS, 1]).await, [BMS, 1]);
        assert_eq!(tool.asks(&[7; 500]).await, [7; 500]);
    }

    #[tokio::test]
    async fn it_says_who_it_is_with_the_nul_of_an_express() {
        let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut device = Player::at(hub.local_addr().unwrap());
        let mut peer = Peer::accepted(&hub).await;
        assert_eq!(peer.asks(&[BMS]).await, [BMS]);
        let told = device
            .hears(|news| match news {
                News::Connected(hub) => Some(hub),
                _ => None,
            })
            .await;
        assert_eq!(told, hub.local_addr().unwrap());
    }

    #[tokio::test]
    async fn it_is_back_ten_milliseconds_after_the_hub_has_dropped_it() {
        let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut device = Player::at(hub.local_addr().unwrap());
        for _ in 0..3 {
            let mut peer = Peer::accepted(&hub).await;
            assert_eq!(peer.asks(&[BMS]).await, [BMS]);
            let dropped = Instant::now();
            drop(peer);
            device
                .hears(|news| matches!(news, News::Ended { .. }).then_some(()))
                .await;
            let mut again = Peer::accepted(&hub).await;
            assert!(dropped.elapsed() >= RECONNECT_PAUSE);
            assert_eq!(again.asks(&[BMS]).await, [BMS]);
        }
    }

    #[tokio::test]
    async fn it_comes_back_after_a_broken_connection_too() {
        let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut device = Player::at(hub.local_addr().unwrap());
        let peer = Peer::accepted(&hub).await;
        peer.stream.set_zero_linger().unwrap();
        drop(peer);
        let reset = JournalEvent::Closed(Closed::PeerReset);
        device
            .hears(|news| match news {
                News::Happened(entry) if entry.event == reset => Some(()),
                _ => None,
            })
            .await;
        assert_eq!(Peer::accepted(&hub).await.asks(&[BMS]).await, [BMS]);
    }

    #[tokio::test]
    async fn half_a_frame_is_still_there_after_the_reconnect() {
        let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _device = Player::at(hub.local_addr().unwrap());
        let request = frame(&[BMS, 1, 2, 3]);
        let (half, rest) = request.split_at(4);
        let mut peer = Peer::accepted(&hub).await;
        peer.send(half).await;
        drop(peer);
        let mut again = Peer::accepted(&hub).await;
        again.send(rest).await;
        assert_eq!(again.reply().await, [BMS, 1, 2, 3]);
    }

    #[tokio::test]
    async fn a_hub_that_is_not_there_is_tried_until_it_is() {
        let early = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = early.local_addr().unwrap();
        drop(early);
        let mut device = Player::at(address);
        device
            .hears(|news| matches!(news, News::NotConnected(_)).then_some(()))
            .await;
        let hub = TcpListener::bind(address).await.unwrap();
        assert_eq!(Peer::accepted(&hub).await.asks(&[BMS]).await, [BMS]);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_looked_up_is_looked_up_again_after_a_second() {
        // Without a port it is refused before anybody is asked.
        let mut device = Player::at("no-port");
        let start = Instant::now();
        for _ in 0..2 {
            device
                .hears(|news| matches!(news, News::NotConnected(_)).then_some(()))
                .await;
        }
        assert!(start.elapsed() >= LOOKUP_PAUSE);
    }

    #[tokio::test]
    async fn two_devices_with_one_id_evict_each_other() {
        let mut hub = House::empty().await;
        let mut first = Player::at(hub.address);
        hub.happens(&JournalEvent::Registered).await;
        let mut second = Player::at(hub.address);
        for device in [&mut first, &mut second] {
            device
                .hears(|news| matches!(news, News::Ended { .. }).then_some(()))
                .await;
        }
    }
}

mod alone {
    use super::*;

    #[tokio::test]
    async fn a_direct_device_needs_no_login() {
        let house = House::of(direct()).await;
        let mut tool = house.connect().await;
        assert_eq!(tool.asks(&[BMS]).await, [BMS]);
    }

    #[tokio::test]
    async fn a_second_connection_is_not_read_and_dropped_when_the_first_one_ends() {
        let mut house = House::of(direct()).await;
        let mut first = house.connect().await;
        assert_eq!(first.asks(&[1]).await, [1]);
        let mut second = house.connect().await;
        second.send(&frame(&[2])).await;
        house.happens(&JournalEvent::NotServed).await;
        assert_eq!(first.asks(&[3]).await, [3]);
        drop(first);
        assert_eq!(second.rest().await, b"");
        let mut third = house.connect().await;
        assert_eq!(third.asks(&[4]).await, [4]);
    }
}

mod the_command {
    use super::*;

    const TWO_DEVICES: &str = "version: 1\ndevices:\n\
        - express: { id: demo-0001, password: not-a-secret }\n\
        - express: { id: demo-0002, password: not-a-secret }\n";

    /// `veschub-sim device` at work, with what it says line by line.
    struct Running {
        child: Child,
        stdout: std_mpsc::Receiver<String>,
        stderr: thread::JoinHandle<String>,
    }

    impl Running {
        fn with(args: &[&str]) -> Self {
            let mut child = Process::new(cargo_bin!("veschub-sim"))
                .arg("device")
                .args(args)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let stdout = BufReader::new(child.stdout.take().unwrap());
            let mut stderr = child.stderr.take().unwrap();
            let (lines, lines_read) = std_mpsc::channel();
            thread::spawn(move || {
                for line in stdout.lines() {
                    let _ = lines.send(line.unwrap());
                }
            });
            let stderr = thread::spawn(move || {
                let mut text = String::new();
                stderr.read_to_string(&mut text).unwrap();
                text
            });
            Self {
                child,
                stdout: lines_read,
                stderr,
            }
        }

        fn line(&self) -> String {
            self.stdout.recv_timeout(PATIENCE).unwrap()
        }

        /// Ends it as a service manager does, and says what it has said on stderr.
        fn end(mut self) -> String {
            kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
            assert!(self.child.wait().unwrap().success());
            assert!(self.stdout.recv().is_err(), "only one line on stdout");
            self.stderr.join().unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn says_once_that_all_devices_are_connected() {
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("two.yaml");
        std::fs::write(&scenario, TWO_DEVICES).unwrap();
        let mut hub = House::empty().await;
        let address = hub.address.to_string();
        let scenario = scenario.to_str().unwrap();
        let running = Running::with(&[scenario, "--hub", &address, "--seed", "1"]);
        assert_eq!(running.line(), format!("connected to {address}"));
        for _ in 0..2 {
            hub.happens(&JournalEvent::Registered).await;
        }
        let mut tool = hub.tool("demo-0002").await;
        assert_eq!(tool.asks(&[0]).await[..3], [0, 6, 5]);

        let stderr = running.end();
        let mut lines: Vec<&str> = stderr.lines().collect();
        lines.sort_unstable();
        let wanted = [
            format!("DEMO-0001 connected to {address}"),
            format!("DEMO-0002 connected to {address}"),
            "seed 1".to_owned(),
        ];
        assert_eq!(lines, wanted);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn tells_once_of_a_hub_that_refuses_every_login() {
        let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = hub.local_addr().unwrap().to_string();
        let running = Running::with(&["--demo", "--hub", &address]);
        for _ in 0..5 {
            Peer::accepted(&hub).await;
        }
        assert_eq!(running.line(), format!("connected to {address}"));
        let stderr = running.end();
        assert_eq!(
            stderr.matches("refused its login").count(),
            1,
            "in\n{stderr}"
        );
        assert_eq!(stderr.matches(" connected to").count(), 1, "in\n{stderr}");
    }

    #[test]
    fn wants_a_host_and_a_port() {
        for hub in ["localhost", ":65101", "localhost:0", "localhost:x"] {
            Command::new(cargo_bin!("veschub-sim"))
                .args(["device", "--demo", "--hub", hub])
                .assert()
                .code(2)
                .stdout_eq("")
                .stderr_eq(str![[r#"
error: invalid value '[..]' for '--hub <HOST:PORT>': wanted a host and a port, e.g. 127.0.0.1:65101 or localhost:65101

For more information, try '--help'.

"#]]);
        }
    }

    #[test]
    fn explains_itself() {
        Command::new(cargo_bin!("veschub-sim"))
            .env("COLUMNS", "100")
            .args(["device", "--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(str![[r#"
Play the devices of a scenario at somebody else's hub until Ctrl-C

Usage: veschub-sim device [OPTIONS] --hub <HOST:PORT> <SCENARIO>
       veschub-sim device [OPTIONS] --hub <HOST:PORT> --demo

Arguments:
  [SCENARIO]  The scenario, a YAML file

Options:
      --demo              Play a built-in device: a 20-cell battery in use
      --hub <HOST:PORT>   Where the hub listens
      --seed <N>          The seed of everything that is random; without it, a seed is drawn and
                          printed
      --set <PATH=VALUE>  Replace a value of the scenario, e.g. devices.0.express.bms.cells=12; can
                          be repeated
  -v, --verbose           Show every request and reply on stderr, not only who comes and goes
  -q, --quiet             Show nothing on stderr but errors
  -h, --help              Print help

Prints `connected to ADDR:PORT` on stdout once every device has sent its login line
`VESC:ID:PASSWORD`. A hub does not confirm a login: it closes the connection if it refuses one. Like
a VESC Express, a device connects again 10 ms after a connection has ended, and
1 s after a name that could not be looked up.

"#]]);
    }
}
