//! A hub on a real socket, its journal, and the peers that talk to it.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use veschub_drive::{observe::Observer, remote::Steering, server};
use veschub_hub::{
    device::{Device, Out},
    hub::{Access, Hub, HubConfig, Resident},
    journal::{JournalEntry, JournalEvent},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_wire::{Decoder, Item, TOOL_MAX_PAYLOAD, encode};

/// Far above what anything here takes; what takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
pub(crate) const BMS: u8 = 96;
/// The most connections at a time.
pub(crate) const MOST: usize = 20;

pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

/// Says every request again at once, this many times over in one payload.
pub(crate) struct Parrot {
    times: usize,
}

impl Device for Parrot {
    fn handle(&mut self, now: Time, payload: &[u8], out: &mut Out) {
        out.reply(now, payload.repeat(self.times), None);
    }

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn handle_timeout(&mut self, _now: Time, _out: &mut Out) {}
}

/// Answers nothing.
struct Deaf;

impl Device for Deaf {
    fn handle(&mut self, _now: Time, _payload: &[u8], _out: &mut Out) {}

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn handle_timeout(&mut self, _now: Time, _out: &mut Out) {}
}

pub(crate) fn deaf(id: &str) -> Resident {
    Resident {
        device: Box::new(Deaf),
        ..parrot(id, 0)
    }
}

pub(crate) fn parrot(id: &str, times: usize) -> Resident {
    Resident {
        id: id.to_owned(),
        access: Access::Password("not-a-secret".to_owned()),
        device: Box::new(Parrot { times }),
        link: None,
        quirks: Vec::new(),
    }
}

struct Watcher {
    entries: mpsc::UnboundedSender<JournalEntry>,
    refused: Arc<AtomicUsize>,
}

impl Observer for Watcher {
    fn happened(&mut self, entry: JournalEntry) {
        let _ = self.entries.send(entry);
    }

    fn refused(&mut self, _at: Time, _most: usize) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// A hub that is being served, with its journal as it is written.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    journal: mpsc::UnboundedReceiver<JournalEntry>,
    /// How many connections were refused, as there were too many.
    refused: Arc<AtomicUsize>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl House {
    pub(crate) async fn open() -> Self {
        let residents = vec![parrot("demo-0001", 1), parrot("demo-0002", 1)];
        Self::with(HubConfig::default(), residents).await
    }

    pub(crate) async fn with(config: HubConfig, residents: Vec<Resident>) -> Self {
        Self::of(Hub::new(config, residents)).await
    }

    /// A hub as a scenario has it.
    pub(crate) async fn of_scenario(text: &str) -> Self {
        let loaded = Loaded::parse("test.yaml", text)
            .unwrap_or_else(|error| unreachable!("{}", error.render(false)));
        Self::of(loaded.build(Seed(1)).unwrap().into_hub()).await
    }

    pub(crate) async fn of(hub: Hub) -> Self {
        Self::steered(hub, Steering::default()).await
    }

    pub(crate) async fn steered(hub: Hub, steering: Steering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (entries, journal) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let refused = Arc::new(AtomicUsize::new(0));
        let observe = Watcher {
            entries,
            refused: Arc::clone(&refused),
        };
        let serving = server::serve_steered(listener, hub, MOST, observe, steering, shutdown);
        let task = tokio::spawn(serving);
        Self {
            address,
            journal,
            refused,
            stop,
            task,
        }
    }

    /// The next journal entry that is of interest.
    pub(crate) async fn happens(
        &mut self,
        of_interest: impl Fn(&JournalEvent) -> bool,
    ) -> JournalEntry {
        let wait = async {
            loop {
                let entry = self.journal.recv().await.unwrap();
                if of_interest(&entry.event) {
                    return entry;
                }
            }
        };
        timeout(PATIENCE, wait).await.unwrap()
    }

    /// How many connections were refused so far.
    pub(crate) async fn refused(&self) -> usize {
        // The peer may see its end before the hub says so.
        let wait = async {
            while self.refused.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap();
        self.refused.load(Ordering::Relaxed)
    }

    /// Forgets the requests that were noted by now.
    pub(crate) fn forget_requests(&mut self) {
        while self.journal.try_recv().is_ok() {}
    }

    /// How many requests come before this one.
    pub(crate) async fn requests_until(&mut self, payload: &[u8]) -> usize {
        let mut others = 0;
        loop {
            let entry = self
                .happens(|what| matches!(what, JournalEvent::Request(_)))
                .await;
            match entry.event {
                JournalEvent::Request(asked) if asked == payload => return others,
                _ => others += 1,
            }
        }
    }

    pub(crate) async fn connect(&self) -> Tool {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Tool {
            stream,
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
            replies: VecDeque::new(),
        }
    }

    /// A tool that is attached: success is silence, so the journal has to tell.
    pub(crate) async fn login(&mut self, line: &[u8]) -> Tool {
        let tool = self.says(line).await;
        self.happens(|what| *what == JournalEvent::Attached).await;
        tool
    }

    /// A device from outside that is taken in.
    pub(crate) async fn register(&mut self, line: &[u8]) -> Tool {
        let device = self.says(line).await;
        self.happens(|what| *what == JournalEvent::Registered).await;
        device
    }

    /// A new connection that says this in one write.
    pub(crate) async fn says(&self, line: &[u8]) -> Tool {
        let mut peer = self.connect().await;
        peer.send(line).await;
        peer
    }

    pub(crate) async fn shut_down(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

pub(crate) struct Tool {
    pub(crate) stream: TcpStream,
    decoder: Decoder,
    replies: VecDeque<Vec<u8>>,
}

impl Tool {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap()
            .unwrap();
    }

    /// So many bytes, whatever they are.
    pub(crate) async fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let read = self.stream.read_exact(&mut bytes);
        timeout(PATIENCE, read).await.unwrap().unwrap();
        bytes
    }

    /// Whether there is nothing to read right now.
    pub(crate) fn hears_nothing(&self) -> bool {
        let read = self.stream.try_read(&mut [0; 64]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    pub(crate) async fn reply(&mut self) -> Vec<u8> {
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
                    Item::Noise(noise) => unreachable!("{noise:?}"),
                }
            }
        }
        self.replies.pop_front().unwrap()
    }

    pub(crate) async fn asks(&mut self, payload: &[u8]) -> Vec<u8> {
        self.send(&frame(payload)).await;
        self.reply().await
    }

    /// All bytes until the hub ends the connection.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut bytes))
            .await
            .unwrap()?;
        Ok(bytes)
    }
}
