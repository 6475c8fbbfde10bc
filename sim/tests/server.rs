//! The hub on real sockets: what only TCP can show.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    collections::VecDeque,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use veschub_sim::{
    device::{
        Device, DeviceOutput, Replay,
        replay::{Pace, Recording},
    },
    hub::{Access, Hub, HubConfig, Resident},
    journal::{Closed, Happening, JournalEntry},
    server,
    time::Time,
};
use veschub_transcript::{Options, Transcript};
use veschub_wire::{Decoder, Item, LoginKind, LoginLine, TOOL_MAX_PAYLOAD, encode};

/// Far above what anything here takes; what takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
const BMS: u8 = 96;

fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

/// Says every request again at once, this many times over in one payload.
struct Parrot {
    times: usize,
    output: VecDeque<DeviceOutput>,
}

impl Device for Parrot {
    fn handle(&mut self, now: Time, payload: &[u8]) {
        self.output.push_back(DeviceOutput::Reply {
            at: now,
            payload: payload.repeat(self.times),
            truth: None,
        });
    }

    fn poll_output(&mut self) -> Option<DeviceOutput> {
        self.output.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn handle_timeout(&mut self, _now: Time) {}
}

fn parrot(id: &str, times: usize) -> Resident {
    Resident {
        id: id.to_owned(),
        access: Access::Password("not-a-secret".to_owned()),
        device: Box::new(Parrot {
            times,
            output: VecDeque::new(),
        }),
        quirks: Vec::new(),
    }
}

/// A hub that is being served, with its journal as it is written.
struct House {
    address: SocketAddr,
    journal: mpsc::UnboundedReceiver<JournalEntry>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl House {
    async fn open() -> Self {
        let residents = vec![parrot("demo-0001", 1), parrot("demo-0002", 1)];
        Self::with(HubConfig::default(), residents).await
    }

    async fn with(config: HubConfig, residents: Vec<Resident>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (entries, journal) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let observe = move |entry| {
            let _ = entries.send(entry);
        };
        let task = tokio::spawn(server::serve(
            listener,
            Hub::new(config, residents),
            observe,
            shutdown,
        ));
        Self {
            address,
            journal,
            stop,
            task,
        }
    }

    /// The next journal entry that is of interest.
    async fn happens(&mut self, of_interest: impl Fn(&Happening) -> bool) -> JournalEntry {
        let wait = async {
            loop {
                let entry = self.journal.recv().await.unwrap();
                if of_interest(&entry.what) {
                    return entry;
                }
            }
        };
        timeout(PATIENCE, wait).await.unwrap()
    }

    async fn connect(&self) -> Tool {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Tool {
            stream,
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
            replies: VecDeque::new(),
        }
    }

    /// A tool that is attached: success is silence, so the journal has to tell.
    async fn login(&mut self, line: &[u8]) -> Tool {
        let mut tool = self.connect().await;
        tool.send(line).await;
        self.happens(|what| *what == Happening::Attached).await;
        tool
    }

    async fn shut_down(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

struct Tool {
    stream: TcpStream,
    decoder: Decoder,
    replies: VecDeque<Vec<u8>>,
}

impl Tool {
    async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap()
            .unwrap();
    }

    async fn reply(&mut self) -> Vec<u8> {
        let mut bytes = [0; 4096];
        while self.replies.is_empty() {
            let count = timeout(PATIENCE, self.stream.read(&mut bytes))
                .await
                .unwrap()
                .unwrap();
            assert!(count > 0, "closed instead of a reply");
            let mut input = &bytes[..count];
            while let Some(item) = self.decoder.next(&mut input) {
                match item {
                    Item::Frame(frame) => self.replies.push_back(frame.payload.to_vec()),
                    Item::Noise(noise) => panic!("{noise:?}"),
                }
            }
        }
        self.replies.pop_front().unwrap()
    }

    async fn asks(&mut self, payload: &[u8]) -> Vec<u8> {
        self.send(&frame(payload)).await;
        self.reply().await
    }

    /// All bytes until the hub ends the connection.
    async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut bytes))
            .await
            .unwrap()?;
        Ok(bytes)
    }
}

fn garbage() -> Vec<u8> {
    let byte = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..1_000_000)
        .map(byte)
        .filter(|&byte| byte != b'\n')
        .collect()
}

#[tokio::test]
async fn a_tool_logs_in_asks_and_is_answered() {
    let mut house = House::open().await;
    let mut tool = house.login(LOGIN).await;
    assert_eq!(tool.asks(&[BMS]).await, [BMS]);
    assert_eq!(tool.asks(&[7; 512]).await, [7; 512]);
    house.shut_down().await;
}

#[tokio::test]
async fn a_ping_is_answered_and_ended() {
    let house = House::open().await;
    let mut peer = house.connect().await;
    peer.send(b"PING:demo-0001:0\n").await;
    assert_eq!(peer.rest().await.unwrap(), b"PONG\n");
    house.shut_down().await;
}

#[tokio::test]
async fn a_refused_login_is_a_clean_end() {
    let house = House::open().await;
    let mut tool = house.connect().await;
    tool.send(b"VESCTOOL:demo-0001:wrong\n").await;
    assert_eq!(tool.rest().await.unwrap(), b"");
    house.shut_down().await;
}

#[tokio::test]
async fn a_refused_login_is_a_clean_end_also_when_more_was_sent_with_it() {
    let house = House::open().await;
    let mut tool = house.connect().await;
    tool.send(b"VESCTOOL:demo-0001:wrong\n").await;
    for _ in 0..10 {
        tool.send(&[0x55; 50_000]).await;
    }
    assert_eq!(tool.rest().await.unwrap(), b"");
    house.shut_down().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_ended_at_the_limit() {
    let limit = Duration::from_millis(80);
    let config = HubConfig {
        login_timeout: limit,
        ..HubConfig::default()
    };
    let house = House::with(config, vec![parrot("demo-0001", 1)]).await;
    let start = Instant::now();
    let mut silent = house.connect().await;
    assert_eq!(silent.rest().await.unwrap(), b"");
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    house.shut_down().await;
}

#[tokio::test]
async fn a_megabyte_of_garbage_stops_nobody_else() {
    let mut house = House::open().await;
    let mut other = house.login(b"VESCTOOL:demo-0002:not-a-secret\n").await;

    let mut before_login = house.connect().await;
    // The hub may have enough before all is sent.
    let _ = before_login.stream.write_all(&garbage()).await;
    let refused = house
        .happens(|what| matches!(what, Happening::LoginRefused { .. }))
        .await;
    assert!(refused.to_string().contains("no line feed"), "{refused}");
    assert_eq!(other.asks(&[BMS, 1]).await, [BMS, 1]);

    let mut after_login = house.login(LOGIN).await;
    after_login.send(&garbage()).await;
    assert_eq!(other.asks(&[BMS, 2]).await, [BMS, 2]);
    // Once what looked like the head of a frame is filled up, the same tool is served too.
    after_login.send(&[0; 520]).await;
    after_login.send(&frame(&[BMS, 3])).await;
    while after_login.reply().await != [BMS, 3] {}
    house.shut_down().await;
}

#[tokio::test]
async fn leaving_in_the_middle_of_a_frame_stops_nobody_else() {
    let mut house = House::open().await;
    let mut leaver = house.login(LOGIN).await;
    leaver.send(&frame(&[BMS])[..4]).await;
    drop(leaver);
    house
        .happens(|what| *what == Happening::HalfFrameLeft { bytes: 4 })
        .await;
    house
        .happens(|what| matches!(what, Happening::Closed(_)))
        .await;
    let mut next = house.login(LOGIN).await;
    assert_eq!(next.asks(&[BMS]).await, [BMS]);
    house.shut_down().await;
}

#[tokio::test]
async fn a_newer_tool_takes_over() {
    let mut house = House::open().await;
    let mut older = house.login(LOGIN).await;
    assert_eq!(older.asks(&[1]).await, [1]);
    let mut newer = house.login(LOGIN).await;
    assert_eq!(older.rest().await.unwrap(), b"");
    assert_eq!(newer.asks(&[2]).await, [2]);
    house.shut_down().await;
}

#[tokio::test]
async fn a_peer_that_floods_and_never_reads_is_dropped() {
    let config = HubConfig {
        max_unsent: 1024 * 1024,
        ..HubConfig::default()
    };
    let mut house = House::with(
        config,
        vec![parrot("demo-0001", 100), parrot("demo-0002", 1)],
    )
    .await;
    let mut flooder = house.login(LOGIN).await;
    let request = frame(&[BMS; 500]);
    // The system's own buffers take some megabytes before anything is unsent.
    let flood = async { while flooder.stream.write_all(&request).await.is_ok() {} };
    let dropped = house.happens(|what| *what == Happening::Closed(Closed::Flooded));
    timeout(PATIENCE, async { tokio::join!(flood, dropped) })
        .await
        .unwrap();
    let mut other = house.login(b"VESCTOOL:demo-0002:not-a-secret\n").await;
    assert_eq!(other.asks(&[BMS]).await, [BMS]);
    house.shut_down().await;
}

#[tokio::test]
async fn many_that_come_and_go_leave_nothing_behind() {
    let mut house = House::open().await;
    for _ in 0..server::MAX_CONNECTIONS + 10 {
        let mut peer = house.connect().await;
        peer.send(b"PING:demo-0001:0\n").await;
        assert_eq!(peer.rest().await.unwrap(), b"PONG\n");
    }
    let mut tool = house.login(LOGIN).await;
    assert_eq!(tool.asks(&[BMS]).await, [BMS]);
    house.shut_down().await;
}

#[tokio::test]
async fn shutting_down_ends_every_connection() {
    let mut house = House::open().await;
    let mut tool = house.login(LOGIN).await;
    let mut silent = house.connect().await;
    house.happens(|what| *what == Happening::Opened).await;
    let address = house.address;
    house.shut_down().await;
    for peer in [&mut tool, &mut silent] {
        assert!(peer.rest().await.is_ok_and(|bytes| bytes.is_empty()));
    }
    assert!(TcpStream::connect(address).await.is_err());
}

/// Our own captures and those in the folder that the user names.
fn captures() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    let extra = std::env::var_os("VESCHUB_EXTRA_CAPTURES").map(PathBuf::from);
    if extra.is_none() {
        eprintln!("skipped: VESCHUB_EXTRA_CAPTURES names no folder with more captures");
    }
    let folders = [Some(own), extra].into_iter().flatten();
    let files = folders
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let paths = files.map(|file| file.unwrap().path());
    let mut captures: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "pcap" || ending == "pcapng")
        })
        .collect();
    captures.sort();
    captures
}

#[tokio::test]
async fn a_replayed_capture_gives_back_its_replies_byte_for_byte() {
    let captures = captures();
    if captures.is_empty() {
        eprintln!("skipped: there is no capture");
    }
    for path in captures {
        let name = path.display();
        let file = fs::read(&path).unwrap();
        let transcript = Transcript::from_capture(&file[..], &Options::default()).unwrap();
        let recording = Recording::from_transcript(&transcript);
        if recording.requests.is_empty() {
            eprintln!("skipped: {name} holds no request");
            continue;
        }
        let count = replay(&recording).await;
        eprintln!("{name}: {count} replies came again");
    }
}

/// Asks what was asked, one request after the other, and compares what comes back.
async fn replay(recording: &Recording) -> usize {
    let recorded = recording.login.clone();
    let login =
        recorded.unwrap_or_else(|| LoginLine::new(LoginKind::Tool, "demo-0001", "not-a-secret"));
    let resident = Resident {
        id: login.id.clone(),
        access: Access::Password(login.password.reveal().to_owned()),
        device: Box::new(Replay::new(recording.clone(), Pace::Immediate)),
        quirks: Vec::new(),
    };
    let mut house = House::with(HubConfig::default(), vec![resident]).await;
    let mut tool = house.login(&login.encode()).await;
    let mut count = 0;
    for (_, request) in &recording.requests {
        tool.send(&frame(request)).await;
        let outcome = house
            .happens(|what| matches!(what, Happening::Reply { .. } | Happening::Ignored { .. }));
        count += usize::from(matches!(outcome.await.what, Happening::Reply { .. }));
    }
    let wanted = &recording.replies[recording.dropped..];
    assert!(count <= wanted.len());
    let mut got = Vec::new();
    for _ in wanted {
        got.push(tool.reply().await);
    }
    // Replies of different commands may have overtaken one another in the recording; asked one by one, they cannot.
    let by_command = |replies: &[Vec<u8>]| {
        let mut replies = replies.to_vec();
        replies.sort_by_key(|reply| reply.first().copied());
        replies
    };
    assert_eq!(by_command(&got), by_command(wanted));
    house.shut_down().await;
    got.len()
}
