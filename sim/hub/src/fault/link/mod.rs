//! One direction of one session: bytes in, faults in their order, bytes out in the order of time.

mod change;
mod stage;

use std::collections::VecDeque;

use veschub_wire::{CommandId, Decoder, Frame, Item};

use self::{change::needs_frames, stage::Stage};
use super::{Armed, Behaviour, Chunk, End, FaultFired, Harm};
use crate::{carrier::Carrier, rng::Seed, time::Time};

/// The most bytes that a link holds back; beyond it, it breaks the connection off.
pub const MAX_HELD_BYTES: usize = 4 * 1024 * 1024;

/// The most pieces that a link holds back; beyond it, it breaks the connection off.
pub const MAX_HELD_CHUNKS: usize = 256 * 1024;

/// What stands in place of a fault's name when a link breaks the connection off because it holds too much.
pub const OVERFULL: &str = "overfull";

/// What stands in place of a fault's name when what carries the bytes loses some of them.
pub const CUT_OFF: &str = "cut-off";

/// The most chunks that are handed from fault to fault at one time.
const MAX_STEPS: usize = 2 * MAX_HELD_CHUNKS;

/// The most reports that wait to be read; further ones are lost.
const MAX_REPORTS: usize = 64 * 1024;

/// What comes out of a link, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkOutput {
    /// Write these bytes; other bytes are other writes, even at the same time.
    Bytes(Time, Vec<u8>),
    /// Send nothing more: FIN. The other direction stays open.
    Fin(Time),
    /// Break the connection off: RST.
    Reset(Time),
}

impl LinkOutput {
    /// When it is due.
    #[must_use]
    pub fn at(&self) -> Time {
        match self {
            Self::Bytes(at, _) | Self::Fin(at) | Self::Reset(at) => *at,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(_, bytes) => bytes.len(),
            Self::Fin(_) | Self::Reset(_) => 0,
        }
    }
}

/// One direction of one session with its faults.
pub struct Link {
    seed: Seed,
    max_payload: usize,
    stages: Vec<Stage>,
    /// How many faults it was given, and the number of the next one.
    armed: usize,
    /// There if a fault or a trigger looks at frames: then bytes are held to the frame's edge.
    decoder: Option<Decoder>,
    /// Kept only where a trigger asks for it.
    did: Option<Behaviour>,
    input_ended: bool,
    output: State,
    /// What cuts into pieces what comes out; none for a stream.
    carrier: Option<Carrier>,
    queue: VecDeque<LinkOutput>,
    queued_bytes: usize,
    fired: VecDeque<FaultFired>,
}

/// What may still be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Only a reset.
    Finished,
    Broken,
}

impl Link {
    /// A link with its faults, in the order in which bytes meet them. Frames with more than `max_payload` bytes of
    /// payload are not recognised as such.
    #[must_use]
    pub fn new(faults: Vec<Armed>, max_payload: usize, start: Time, seed: Seed) -> Self {
        let decoder = faults
            .iter()
            .any(needs_frames)
            .then(|| Decoder::new(max_payload));
        let watches = faults.iter().any(|armed| armed.trigger.client.is_some());
        Self {
            seed,
            max_payload,
            armed: faults.len(),
            stages: faults
                .into_iter()
                .enumerate()
                .map(|(index, armed)| Stage::new(armed, index, start, seed))
                .collect(),
            decoder,
            did: watches.then(Behaviour::default),
            input_ended: false,
            output: State::Open,
            carrier: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            fired: VecDeque::new(),
        }
    }

    /// The same link over something that cuts into pieces what the faults have left.
    #[must_use]
    pub fn carried_by(mut self, carrier: Option<Carrier>) -> Self {
        self.carrier = carrier;
        self
    }

    /// Whether bytes come out as they went in and when they went in, because there is no fault and nothing cuts them.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.stages.is_empty() && self.carrier.is_none() && self.output == State::Open
    }

    /// Whether a trigger looks at what the client does; if not, any [`Behaviour`] will do.
    #[must_use]
    pub fn watches_client(&self) -> bool {
        self.did.is_some()
    }

    /// Takes in bytes of the stream, after what was due by then.
    pub fn push(&mut self, now: Time, bytes: &[u8], did: &Behaviour) {
        self.handle_timeout(now);
        if self.input_ended || bytes.is_empty() || self.output == State::Broken {
            return;
        }
        if let Some(kept) = &mut self.did {
            kept.clone_from(did);
        }
        if self.stages.is_empty() {
            self.deliver(now, Chunk::bytes(now, bytes.to_vec()));
            // Without pieces everything is due at once, and the peer is the only limit.
            if self.carrier.is_some() {
                self.check_queue(now);
            }
        } else if bytes.len() > MAX_HELD_BYTES {
            self.give_up(now);
        } else {
            let chunks = match &mut self.decoder {
                Some(decoder) => cut(decoder, now, bytes),
                None => vec![Chunk {
                    frame: only_frame(bytes, self.max_payload),
                    ..Chunk::bytes(now, bytes.to_vec())
                }],
            };
            self.run(now, 0, chunks);
        }
    }

    /// The stream ended: what is held comes out, then the end.
    pub fn eof(&mut self, now: Time) {
        self.handle_timeout(now);
        if std::mem::replace(&mut self.input_ended, true) {
            return;
        }
        let tail = self.decoder.as_mut().and_then(Decoder::finish);
        let mut chunks = Vec::from_iter(tail.map(|tail| Chunk::bytes(now, tail.bytes)));
        chunks.push(Chunk::end(now, End::Fin));
        self.run(now, 0, chunks);
    }

    /// The next output that is due by `now`.
    pub fn poll_output(&mut self, now: Time) -> Option<LinkOutput> {
        self.queue.front().filter(|output| output.at() <= now)?;
        let output = self.queue.pop_front()?;
        self.queued_bytes -= output.len();
        Some(output)
    }

    /// When there will be output, or [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let output = self.queue.front().map(LinkOutput::at);
        let due = self.next_due().map(|(due, _)| due);
        output.into_iter().chain(due).min()
    }

    /// Does what was due by `now`, each at its own time.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((due, index)) = self.next_due().filter(|&(due, _)| due <= now) {
            let nothing = Behaviour::default();
            let Some(stage) = self.stages.get_mut(index) else {
                return;
            };
            let did = self.did.as_ref().unwrap_or(&nothing);
            let (chunks, report) = stage.wake(due, did);
            self.report(report);
            self.run(due, index + 1, chunks);
        }
    }

    /// The next fault that was done. What nobody reads is kept up to a limit.
    pub fn poll_fired(&mut self) -> Option<FaultFired> {
        self.fired.pop_front()
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        let faults: usize = self.stages.iter().map(|stage| stage.fault.held()).sum();
        let decoder = self.decoder.as_ref().map_or(0, Decoder::waiting);
        let carrier = self.carrier.as_ref().map_or(0, Carrier::held);
        self.queued_bytes + faults + decoder + carrier
    }

    fn next_due(&self) -> Option<(Time, usize)> {
        let due = |(index, stage): (usize, &Stage)| Some((stage.poll_timeout()?, index));
        self.stages.iter().enumerate().filter_map(due).min()
    }

    /// Hands chunks to the fault at `first` and what comes out of it to the next one, each chunk all the way before
    /// the one behind it: so every fault sees them in order.
    fn run(&mut self, now: Time, first: usize, chunks: Vec<Chunk>) {
        let mut todo: Vec<(usize, Chunk)> = Vec::new();
        todo.extend(chunks.into_iter().rev().map(|chunk| (first, chunk)));
        let nothing = Behaviour::default();
        for _ in 0..MAX_STEPS {
            let Some((index, chunk)) = todo.pop() else {
                return self.check_held(now);
            };
            let Some(stage) = self.stages.get_mut(index) else {
                self.deliver(now, chunk);
                if self.check_queue(now) {
                    return;
                }
                continue;
            };
            let did = self.did.as_ref().unwrap_or(&nothing);
            let (out, report) = stage.take(now, chunk, did);
            let held = stage.fault.held();
            todo.extend(out.into_iter().rev().map(|chunk| (index + 1, chunk)));
            self.report(report);
            if held > MAX_HELD_BYTES {
                return self.give_up(now);
            }
        }
        self.give_up(now);
    }

    fn deliver(&mut self, now: Time, chunk: Chunk) {
        if !chunk.bytes.is_empty() && self.output == State::Open {
            let (pieces, lost) = match &mut self.carrier {
                Some(carrier) => {
                    let pieces = carrier.carry(chunk.at, &chunk.bytes);
                    let lost = carrier.take_lost();
                    let command = (lost > 0).then(|| only_frame(&chunk.bytes, self.max_payload));
                    (pieces, command.map(|command| (lost, command)))
                }
                None => (vec![(chunk.at, chunk.bytes)], None),
            };
            for (at, bytes) in pieces {
                self.queued_bytes += bytes.len();
                self.queue.push_back(LinkOutput::Bytes(at, bytes));
            }
            if let Some((lost, command)) = lost {
                self.report(Some(FaultFired {
                    at: now,
                    id: None,
                    fault: CUT_OFF,
                    harm: Harm::Broken,
                    command,
                    why: format!("{lost} bytes are more than fit into the pieces of the link"),
                }));
            }
        }
        match (chunk.end, self.output) {
            (Some(End::Fin), State::Open) => {
                self.output = State::Finished;
                // Behind the pieces that are still to go out.
                let last = self.queue.back().map_or(chunk.at, LinkOutput::at);
                self.queue.push_back(LinkOutput::Fin(chunk.at.max(last)));
            }
            (Some(End::Reset), State::Open | State::Finished) => {
                self.output = State::Broken;
                // Pieces that have not gone out are lost.
                while self.queue.back().is_some_and(|last| last.at() > chunk.at) {
                    let lost = self.queue.pop_back().map_or(0, |last| last.len());
                    self.queued_bytes -= lost;
                }
                self.queue.push_back(LinkOutput::Reset(chunk.at));
            }
            _ => {}
        }
    }

    /// Gives up if too much waits to go out; whether it did.
    fn check_queue(&mut self, now: Time) -> bool {
        let too_much = self.queue.len() > MAX_HELD_CHUNKS || self.queued_bytes > MAX_HELD_BYTES;
        if too_much {
            self.give_up(now);
        }
        too_much
    }

    fn check_held(&mut self, now: Time) {
        if !self.stages.is_empty() && self.held() > MAX_HELD_BYTES {
            self.give_up(now);
        }
    }

    /// Breaks the connection off and forgets what was held: a peer that is kept waiting must not fill the memory.
    fn give_up(&mut self, now: Time) {
        self.stages.clear();
        self.decoder = None;
        self.queue.clear();
        self.queued_bytes = 0;
        self.output = State::Broken;
        self.queue.push_back(LinkOutput::Reset(now));
        // Told whatever the limit: it is the last report.
        self.fired.push_back(FaultFired {
            at: now,
            id: None,
            fault: OVERFULL,
            harm: Harm::Disorder,
            command: None,
            why: format!(
                "the faults held back more than {MAX_HELD_BYTES} bytes or {MAX_HELD_CHUNKS} pieces"
            ),
        });
    }

    /// Keeps a report, unless it only repeats the one before: the pieces of a frame are not told one by one.
    fn report(&mut self, report: Option<FaultFired>) {
        let Some(report) = report else {
            return;
        };
        let repeats = report.command.is_none() && self.fired.back() == Some(&report);
        if !repeats && self.fired.len() < MAX_REPORTS {
            self.fired.push_back(report);
        }
    }
}

/// Bytes cut at the edges of frames; what may be the start of one stays in the decoder.
fn cut(decoder: &mut Decoder, now: Time, mut bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    while let Some(item) = decoder.next(&mut bytes) {
        chunks.push(match item {
            Item::Frame(frame) => whole(now, &frame),
            Item::Noise(noise) => Chunk::bytes(now, noise.bytes.to_vec()),
        });
    }
    // Without the start of a frame behind it, noise has nothing to wait for.
    if decoder.waiting() == 0 {
        chunks.extend(decoder.finish().map(|tail| Chunk::bytes(now, tail.bytes)));
    }
    chunks
}

/// The command of the frame that the bytes are, if they are one frame and nothing else.
fn only_frame(mut bytes: &[u8], max_payload: usize) -> Option<CommandId> {
    let mut decoder = Decoder::new(max_payload);
    let command = match decoder.next(&mut bytes)? {
        Item::Frame(frame) => command_of(&frame),
        Item::Noise(_) => return None,
    };
    bytes.is_empty().then_some(command)
}

fn command_of(frame: &Frame<'_>) -> CommandId {
    CommandId(frame.payload.first().copied().unwrap_or_default())
}

fn whole(now: Time, frame: &Frame<'_>) -> Chunk {
    Chunk::frame(now, command_of(frame), frame.bytes.to_vec())
}
