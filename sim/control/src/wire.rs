//! What went over the wire, bounded, as a pcapng file for whoever asks.
//!
//! The hub's thread copies bytes into an inbox. Another thread turns them into packets, masked as `--save` masks them:
//! when somebody asks, and before the inbox grows large. It must read everything in order, as a password may come in
//! pieces. What is too much is dropped packet by packet, the oldest first.

use std::{
    collections::VecDeque,
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;
use veschub_hub::{
    hub::{ConnId, Event, Output},
    time::Time,
};
use veschub_transcript::{
    Side,
    live::{self, LiveCapture},
};

/// The most bytes of packets that are kept.
const MOST_KEPT: usize = 32 << 20;
/// From how many bytes on the inbox is to be read by the other thread: so few that they stay near the processor.
const LARGE: usize = 256 << 10;
/// From how many bytes on the hub's thread reads the inbox itself, as the other thread does not come to it.
const TOO_LARGE: usize = 24 << 20;

/// What went over the wire, shared by the hub's thread and those who ask.
#[derive(Debug)]
pub(crate) struct Wire {
    inbox: Mutex<Inbox>,
    file: Mutex<Option<LiveCapture<Blocks>>>,
    blocks: Blocks,
    is_large: Notify,
}

#[derive(Debug, Default)]
struct Inbox {
    events: Vec<Came>,
    bytes: Vec<u8>,
    to_device: u64,
    to_tool: u64,
    /// What was read before, empty: to be filled again without asking the system for memory.
    spare: (Vec<Came>, Vec<u8>),
}

#[derive(Debug)]
struct Came {
    at_ns: u64,
    conn: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Opened,
    Data(Side, usize),
    Closed(Side),
    Reset(Side),
}

/// How many bytes went over the wire since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// From tools, and from devices that log in themselves, to the hub.
    pub(crate) received: u64,
    /// From the hub.
    pub(crate) sent: u64,
}

impl Wire {
    /// Nothing yet; the hub listens at `port`.
    pub(crate) fn new(port: u16) -> Self {
        Self::bounded(port, MOST_KEPT)
    }

    fn bounded(port: u16, most: usize) -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let start_ns = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let blocks = Blocks::new(most);
        Self {
            inbox: Mutex::new(Inbox::default()),
            // Writing to memory cannot fail.
            file: Mutex::new(LiveCapture::new(blocks.clone(), port, start_ns).ok()),
            blocks,
            is_large: Notify::new(),
        }
    }

    /// A connection did something.
    pub(crate) fn came(&self, at: Time, conn: ConnId, event: &Event<'_>) {
        match event {
            Event::Opened => self.put(at, conn, What::Opened, &[]),
            Event::Bytes(bytes) => {
                self.put(at, conn, What::Data(Side::Initiator, bytes.len()), bytes);
            }
            Event::Eof => self.put(at, conn, What::Closed(Side::Initiator), &[]),
            Event::Reset => self.put(at, conn, What::Reset(Side::Initiator), &[]),
            Event::Flushed(_) => {}
        }
    }

    /// Something is done to a connection.
    pub(crate) fn goes(&self, at: Time, conn: ConnId, output: &Output) {
        match output {
            Output::Write(bytes) => {
                self.put(at, conn, What::Data(Side::Responder, bytes.len()), bytes);
            }
            Output::Shutdown | Output::Close => {
                self.put(at, conn, What::Closed(Side::Responder), &[]);
            }
            Output::Abort => self.put(at, conn, What::Reset(Side::Responder), &[]),
        }
    }

    fn put(&self, at: Time, conn: ConnId, what: What, bytes: &[u8]) {
        let mut inbox = lock(&self.inbox);
        inbox.events.push(Came {
            at_ns: at.as_nanos(),
            conn: conn.0,
            what,
        });
        inbox.bytes.extend_from_slice(bytes);
        match what {
            What::Data(Side::Initiator, count) => inbox.to_device += count as u64,
            What::Data(Side::Responder, count) => inbox.to_tool += count as u64,
            _ => {}
        }
        let size = inbox.bytes.len() + inbox.events.len() * size_of::<Came>();
        let was = size - bytes.len() - size_of::<Came>();
        drop(inbox);
        if was < LARGE && size >= LARGE {
            self.is_large.notify_one();
        }
        if size >= TOO_LARGE {
            self.read();
        }
    }

    /// Turns what came into packets.
    fn read(&self) {
        // First the file, so that two who read do so in order.
        let mut file = lock(&self.file);
        let (mut events, mut bytes) = {
            let mut inbox = lock(&self.inbox);
            let (events, bytes) = mem::take(&mut inbox.spare);
            (
                mem::replace(&mut inbox.events, events),
                mem::replace(&mut inbox.bytes, bytes),
            )
        };
        let Some(file) = &mut *file else {
            return;
        };
        let mut rest = &bytes[..];
        for came in events.drain(..) {
            let event = match came.what {
                What::Opened => live::Event::Opened,
                What::Data(side, count) => {
                    let (data, later) = rest.split_at(count.min(rest.len()));
                    rest = later;
                    live::Event::Data(side, data)
                }
                What::Closed(side) => live::Event::Closed(side),
                What::Reset(side) => live::Event::Reset(side),
            };
            // Writing to memory cannot fail.
            let _ = file.event(came.at_ns, came.conn, event);
        }
        if bytes.capacity() <= 4 * LARGE {
            bytes.clear();
            lock(&self.inbox).spare = (events, bytes);
        }
    }

    /// Reads the inbox whenever it is large, for ever.
    pub(crate) async fn keep_reading(&self) {
        loop {
            self.is_large.notified().await;
            self.read();
        }
    }

    /// What went over the wire since the start.
    pub(crate) fn traffic(&self) -> Traffic {
        let inbox = lock(&self.inbox);
        Traffic {
            received: inbox.to_device,
            sent: inbox.to_tool,
        }
    }

    /// All packets that are kept as a pcapng file, and how many were dropped, as there were too many.
    pub(crate) fn file(&self) -> (Vec<u8>, u64) {
        self.read();
        self.blocks.file()
    }

    /// Forgets all packets.
    pub(crate) fn forget(&self) {
        self.read();
        self.blocks.forget();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pcapng file in memory that drops its oldest packets.
#[derive(Clone, Debug)]
struct Blocks(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    most: usize,
    /// What came of a block that is not whole.
    part: Vec<u8>,
    /// The blocks before the first packet, which describe the file.
    head: Vec<u8>,
    packets: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
}

/// The block types of pcapng that describe a file: its section, its interfaces and its names.
const HEAD: [u32; 3] = [0x0A0D_0D0A, 1, 4];

impl Blocks {
    fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            most,
            part: Vec::new(),
            head: Vec::new(),
            packets: VecDeque::new(),
            bytes: 0,
            dropped: 0,
        })))
    }

    fn file(&self) -> (Vec<u8>, u64) {
        let kept = lock(&self.0);
        let mut file = kept.head.clone();
        file.reserve(kept.bytes);
        kept.packets
            .iter()
            .for_each(|block| file.extend_from_slice(block));
        (file, kept.dropped)
    }

    fn forget(&self) {
        let mut kept = lock(&self.0);
        kept.packets.clear();
        (kept.bytes, kept.dropped) = (0, 0);
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = lock(&self.0);
        // Most often a block comes as a whole.
        if kept.part.is_empty() && whole_block(bytes) == Some(bytes.len()) {
            kept.take(bytes.to_vec());
            return Ok(bytes.len());
        }
        kept.part.extend_from_slice(bytes);
        while let Some(len) = whole_block(&kept.part) {
            let rest = kept.part.split_off(len);
            let block = mem::replace(&mut kept.part, rest);
            kept.take(block);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn take(&mut self, block: Vec<u8>) {
        if number(&block, 0).is_some_and(|kind| HEAD.contains(&kind)) {
            return self.head.extend_from_slice(&block);
        }
        self.bytes += block.len();
        self.packets.push_back(block);
        while self.bytes > self.most {
            let Some(oldest) = self.packets.pop_front() else {
                return;
            };
            self.bytes -= oldest.len();
            self.dropped += 1;
        }
    }
}

/// How long the block is that these bytes begin with, if all of it is there.
fn whole_block(bytes: &[u8]) -> Option<usize> {
    let len = number(bytes, 4)? as usize;
    // A shorter one cannot be: it would never end.
    (len >= 12 && bytes.len() >= len).then_some(len)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use veschub_transcript::{Options, Transcript};

    use super::*;

    const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";

    fn at(ms: u64) -> Time {
        Time::ZERO + Duration::from_millis(ms)
    }

    fn frames(file: &[u8]) -> usize {
        let transcript = Transcript::from_capture(file, &Options::default()).unwrap();
        let entries = transcript.entries.iter();
        entries
            .filter(|entry| matches!(entry.kind, veschub_transcript::Kind::Frame(_)))
            .count()
    }

    #[test]
    fn a_session_can_be_read_as_a_capture_without_its_password() {
        let wire = Wire::new(65101);
        let conn = ConnId(1);
        wire.came(at(0), conn, &Event::Opened);
        // In pieces, with somebody asking between them.
        wire.came(at(1), conn, &Event::Bytes(&LOGIN[..24]));
        let (early, _) = wire.file();
        wire.came(at(2), conn, &Event::Bytes(&LOGIN[24..]));
        let request = veschub_wire::encode(&[0]).unwrap();
        wire.came(at(60), conn, &Event::Bytes(&request));
        wire.goes(at(70), conn, &Output::Write(request.clone()));
        let (file, dropped) = wire.file();
        assert_eq!((frames(&file), dropped), (2, 0));
        for part in [&b"not-a"[..], b"secret"] {
            let tells = |file: &[u8]| file.windows(part.len()).any(|bytes| bytes == part);
            assert!(!tells(&file) && !tells(&early));
        }
        let traffic = wire.traffic();
        assert_eq!(traffic.sent as usize, request.len());
        assert_eq!(traffic.received as usize, LOGIN.len() + request.len());
    }

    #[test]
    fn the_oldest_packets_are_dropped_and_the_rest_is_still_a_capture() {
        let wire = Wire::bounded(65101, 4096);
        let conn = ConnId(1);
        wire.came(at(0), conn, &Event::Opened);
        wire.came(at(1), conn, &Event::Bytes(LOGIN));
        let request = veschub_wire::encode(&[0]).unwrap();
        for index in 0..200 {
            wire.came(at(60 + index), conn, &Event::Bytes(&request));
        }
        let (file, dropped) = wire.file();
        assert!(
            file.len() < 8192 && dropped > 100,
            "{} {dropped}",
            file.len()
        );
        assert!(frames(&file) > 10);
        wire.forget();
        wire.came(at(300), conn, &Event::Bytes(&request));
        let (file, dropped) = wire.file();
        assert_eq!((frames(&file), dropped), (1, 0));
    }
}
