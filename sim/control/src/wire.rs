//! What went over the wire, bounded, as a pcapng file for whoever asks.
//!
//! The hub's thread copies what is said into chunks. Packets are made of them only when somebody asks, masked as `--save`
//! masks them. A chunk that is too old by then is read without making packets: a password may begin in it and come to
//! its end in the next, and what follows in the file needs the right sequence numbers. Chunks and packets are dropped
//! the oldest first, and counted.

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

use crate::chunks::{Bytes, Chunk, Chunks};

/// The most bytes of packets that are kept.
const MOST_KEPT: usize = 32 << 20;
/// What is kept comes in so many chunks.
const CHUNKS: usize = 64;
/// What a packet adds to the bytes that it carries: its block, and the headers of Ethernet, IP and TCP.
const PACKET: usize = 32 + 54;

/// What went over the wire, shared by the hub's thread and those who ask.
#[derive(Debug)]
pub(crate) struct Wire {
    inbox: Mutex<Inbox>,
    file: Mutex<Option<LiveCapture<Blocks>>>,
    blocks: Blocks,
    is_too_much: Notify,
}

/// What came since somebody last asked.
#[derive(Debug)]
struct Inbox {
    /// They count the bytes of their packets, about.
    events: Chunks<Came>,
    to_device: u64,
    to_tool: u64,
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
    Data(Side),
    Closed(Side),
    Reset(Side),
    Gone,
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
            inbox: Mutex::new(Inbox {
                events: Chunks::new(most / CHUNKS, usize::MAX),
                to_device: 0,
                to_tool: 0,
            }),
            // Writing to memory cannot fail.
            file: Mutex::new(LiveCapture::new(blocks.clone(), port, start_ns).ok()),
            blocks,
            is_too_much: Notify::new(),
        }
    }

    /// A connection did something.
    pub(crate) fn came(&self, at: Time, conn: ConnId, event: &Event<'_>) {
        match event {
            Event::Opened => self.put(at, conn, What::Opened, &[]),
            Event::Bytes(bytes) => {
                self.put(at, conn, What::Data(Side::Initiator), bytes);
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
                self.put(at, conn, What::Data(Side::Responder), bytes);
            }
            Output::Shutdown => self.put(at, conn, What::Closed(Side::Responder), &[]),
            Output::Close => self.put(at, conn, What::Gone, &[]),
            Output::Abort => self.put(at, conn, What::Reset(Side::Responder), &[]),
        }
    }

    fn put(&self, at: Time, conn: ConnId, what: What, bytes: &[u8]) {
        let came = Came {
            at_ns: at.as_nanos(),
            conn: conn.0,
            what,
        };
        let chunks = {
            let mut inbox = lock(&self.inbox);
            match what {
                What::Data(Side::Initiator) => inbox.to_device += bytes.len() as u64,
                What::Data(Side::Responder) => inbox.to_tool += bytes.len() as u64,
                _ => {}
            }
            let size = bytes.len() + PACKET;
            let bytes = match what {
                What::Data(Side::Responder) => Bytes::Again(bytes),
                _ => Bytes::New(bytes),
            };
            inbox.events.add(came, bytes, size);
            inbox.events.len()
        };
        if chunks > CHUNKS + 1 {
            self.is_too_much.notify_one();
        }
        // The other thread does not come to it.
        if chunks > CHUNKS + CHUNKS / 2 {
            self.leave_out_old();
        }
    }

    /// Reads all chunks and makes packets of them.
    fn read(&self) {
        self.read_until(0, false);
    }

    /// Reads the chunks that are too old, and makes no packets of them.
    fn leave_out_old(&self) {
        self.read_until(CHUNKS + 1, true);
    }

    fn read_until(&self, most_chunks: usize, leave_out: bool) {
        // First the file, so that two who read do so in order.
        let mut file = lock(&self.file);
        let Some(file) = &mut *file else {
            return;
        };
        file.leave_out_data(leave_out);
        loop {
            let oldest = {
                let mut inbox = lock(&self.inbox);
                match inbox.events.len() > most_chunks {
                    true => inbox.events.take_oldest(),
                    false => None,
                }
            };
            let Some(mut chunk) = oldest else {
                return;
            };
            chunk.read(file);
            if leave_out {
                self.blocks.drop_all(file.take_left_out());
            }
            chunk.clear();
            lock(&self.inbox).events.reuse(chunk);
        }
    }

    /// Reads the chunks that are too old as soon as there are some, for ever.
    pub(crate) async fn keep_bounded(&self) {
        loop {
            self.is_too_much.notified().await;
            self.leave_out_old();
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
    pub(crate) fn file(&self, now: Time) -> (Vec<u8>, u64) {
        self.read();
        if let Some(file) = &mut *lock(&self.file) {
            // Writing to memory cannot fail.
            let _ = file.pass(now.as_nanos());
        }
        self.blocks.file()
    }

    /// Forgets all packets.
    pub(crate) fn forget(&self) {
        self.read();
        self.blocks.forget();
    }
}

impl Chunk<Came> {
    /// Hands all of it over.
    fn read(&self, file: &mut LiveCapture<Blocks>) {
        for (came, data) in self.iter_from(0) {
            let event = match came.what {
                What::Opened => live::Event::Opened,
                What::Data(side) => live::Event::Data(side, data),
                What::Closed(side) => live::Event::Closed(side),
                What::Reset(side) => live::Event::Reset(side),
                What::Gone => live::Event::Gone,
            };
            // Writing to memory cannot fail.
            let _ = file.event(came.at_ns, came.conn, event);
        }
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
    /// One block behind the other, in memory that is used again and again.
    packets: VecDeque<u8>,
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
            dropped: 0,
        })))
    }

    fn file(&self) -> (Vec<u8>, u64) {
        let kept = lock(&self.0);
        let (first, second) = kept.packets.as_slices();
        ([&kept.head, first, second].concat(), kept.dropped)
    }

    /// Drops all packets, as later ones were left out.
    fn drop_all(&self, left_out: u64) {
        let mut kept = lock(&self.0);
        while kept.drop_oldest() {}
        kept.dropped += left_out;
    }

    fn forget(&self) {
        let mut kept = lock(&self.0);
        kept.packets.clear();
        kept.dropped = 0;
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = lock(&self.0);
        // Most often a block comes as a whole.
        if kept.part.is_empty() && whole_block(bytes) == Some(bytes.len()) {
            kept.take(bytes);
            return Ok(bytes.len());
        }
        kept.part.extend_from_slice(bytes);
        while let Some(len) = whole_block(&kept.part) {
            let rest = kept.part.split_off(len);
            let block = mem::replace(&mut kept.part, rest);
            kept.take(&block);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn take(&mut self, block: &[u8]) {
        if number(block, 0).is_some_and(|kind| HEAD.contains(&kind)) {
            return self.head.extend_from_slice(block);
        }
        while self.packets.len() + block.len() > self.most && self.drop_oldest() {}
        self.packets.extend(block);
    }

    fn drop_oldest(&mut self) -> bool {
        let length = [4, 5, 6, 7].map(|at| self.packets.get(at).copied());
        let [Some(a), Some(b), Some(c), Some(d)] = length else {
            return false;
        };
        let length = u32::from_le_bytes([a, b, c, d]);
        self.packets.drain(..length as usize);
        self.dropped += 1;
        true
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
        let (early, _) = wire.file(at(0));
        wire.came(at(2), conn, &Event::Bytes(&LOGIN[24..]));
        let request = veschub_wire::encode(&[0]).unwrap();
        wire.came(at(60), conn, &Event::Bytes(&request));
        wire.goes(at(70), conn, &Output::Write(request.clone()));
        let (file, dropped) = wire.file(at(0));
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
    fn a_part_of_a_frame_is_in_the_file_after_a_while_although_nothing_happens() {
        let wire = Wire::new(65101);
        let conn = ConnId(1);
        wire.came(at(0), conn, &Event::Opened);
        wire.came(at(1), conn, &Event::Bytes(LOGIN));
        wire.came(at(2), conn, &Event::Bytes(&[2, 5, 0x55, 0x54]));
        let has_it = |now| {
            let (file, _) = wire.file(at(now));
            file.windows(4).any(|bytes| bytes == [2, 5, 0x55, 0x54])
        };
        assert!(!has_it(1000) && has_it(6000));
    }

    #[test]
    fn what_is_too_old_is_read_without_packets_and_its_password_stays_unknown() {
        let wire = Wire::bounded(65101, 64 * 128);
        let conn = ConnId(1);
        wire.came(at(0), conn, &Event::Opened);
        let request = veschub_wire::encode(&[0]).unwrap();
        // The password comes in two pieces: the first is too old when somebody asks.
        wire.came(at(1), conn, &Event::Bytes(&LOGIN[..24]));
        for index in 0..300 {
            wire.goes(at(60 + index), conn, &Output::Write(request.clone()));
        }
        wire.came(at(400), conn, &Event::Bytes(&LOGIN[24..]));
        wire.came(at(401), conn, &Event::Bytes(&request));
        let (file, dropped) = wire.file(at(0));
        assert!(!file.windows(6).any(|bytes| bytes == b"secret"));
        let kept = frames(&file);
        assert!((64..90).contains(&kept), "{kept}");
        // The handshake, the two pieces, of which the second is kept, and the frames.
        assert_eq!(dropped as usize + kept + 1, 3 + 2 + 301);
        // What was asked for is dropped once later packets were left out.
        for index in 0..300 {
            wire.goes(at(500 + index), conn, &Output::Write(request.clone()));
        }
        let (file, later) = wire.file(at(0));
        assert_eq!(later as usize + frames(&file), 3 + 2 + 601);
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
        let (file, dropped) = wire.file(at(0));
        assert!(
            file.len() < 8192 && dropped > 100,
            "{} {dropped}",
            file.len()
        );
        assert!(frames(&file) > 10);
        wire.forget();
        wire.came(at(300), conn, &Event::Bytes(&request));
        let (file, dropped) = wire.file(at(0));
        assert_eq!((frames(&file), dropped), (1, 0));
    }
}
