//! A fault in its place in a link, with its trigger and what it has seen.

use crate::{
    fault::{Armed, Behaviour, Chunk, End, Fault, FaultFired, FaultId, FaultInfo, Moment, Trigger},
    rng::Seed,
    time::Time,
};

/// A fault in its place in a link.
pub(super) struct Stage {
    pub(super) id: Option<FaultId>,
    info: FaultInfo,
    pub(super) fault: Box<dyn Fault>,
    pub(super) trigger: Trigger,
    /// When it is set off by time alone; then nothing else sets it off.
    alone: Option<Alone>,
    /// When its time began: with the session, or when it was added.
    start: Time,
    seed: Seed,
    /// How many chunks came, and the number of the next draw.
    seen: u64,
    /// How many of them met the trigger's conditions.
    met: u64,
    /// What came out last; nothing comes out before it.
    floor: Time,
    /// What it made later goes out until then.
    late_until: Time,
}

#[derive(Clone, Copy, Debug)]
enum Alone {
    DueAt(Time),
    Done,
}

impl Stage {
    pub(super) fn new(armed: Armed, index: usize, start: Time, seed: Seed) -> Self {
        let Armed {
            id,
            info,
            fault,
            trigger,
        } = armed;
        let alone = trigger.time_alone().filter(|_| fault.acts_alone());
        Self {
            alone: alone.map(|after| Alone::DueAt(start + after)),
            seed: seed.derive(&format!("fault {index} {}", info.name)),
            id,
            info,
            fault,
            trigger,
            start,
            seen: 0,
            met: 0,
            floor: Time::ZERO,
            late_until: Time::ZERO,
        }
    }

    /// Nothing comes out of it before this moment.
    pub(super) fn begin_behind(&mut self, floor: Time) {
        self.floor = floor;
    }

    /// Whether something goes out later than now because of it.
    pub(super) fn made_later_than(&self, now: Time) -> bool {
        self.late_until > now
    }

    /// What it let out for a later moment goes out now.
    pub(super) fn catch_up(&mut self, now: Time) {
        self.floor = self.floor.min(now);
        self.late_until = self.late_until.min(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let alone = match self.alone {
            Some(Alone::DueAt(at)) => Some(at),
            _ => None,
        };
        alone.into_iter().chain(self.fault.poll_timeout()).min()
    }

    pub(super) fn wake(&mut self, now: Time, did: &Behaviour) -> (Vec<Chunk>, Option<FaultFired>) {
        match self.alone {
            Some(Alone::DueAt(at)) if at <= now => {
                self.alone = Some(Alone::Done);
                let chunk = Chunk::bytes(now, Vec::new());
                let why = self.trigger_fires(&chunk, did);
                self.act(now, chunk, why)
            }
            _ => {
                let chunks = self.fault.handle_timeout(now);
                (self.settle(now, chunks), None)
            }
        }
    }

    pub(super) fn take(
        &mut self,
        now: Time,
        chunk: Chunk,
        did: &Behaviour,
    ) -> (Vec<Chunk>, Option<FaultFired>) {
        let held = match chunk.end {
            Some(End::Fin) => self.fault.finish(),
            _ => Vec::new(),
        };
        let harmless = self.alone.is_some()
            || self.fault.needs_frames() && chunk.frame.is_none()
            || !self.fault.takes_ends() && chunk.end.is_some();
        let why = match harmless {
            true => None,
            false => self.trigger_fires(&chunk, did),
        };
        let mut out = self.settle(now, held);
        let (chunks, report) = self.act(now, chunk, why);
        out.extend(chunks);
        (out, report)
    }

    fn trigger_fires(&mut self, chunk: &Chunk, did: &Behaviour) -> Option<String> {
        let moment = Moment {
            elapsed: chunk.at - self.start,
            frame: chunk.frame,
            did,
        };
        let rng = || self.seed.derive("trigger").stream(self.seen);
        self.trigger.fires(moment, &mut self.met, rng)
    }

    fn act(
        &mut self,
        now: Time,
        chunk: Chunk,
        why: Option<String>,
    ) -> (Vec<Chunk>, Option<FaultFired>) {
        let number = self.seen;
        self.seen += 1;
        let came = chunk.at.max(now);
        let Some(why) = why.filter(|_| self.fault.suits(&chunk)) else {
            let chunks = self.fault.pass(now, chunk);
            return (self.settle_late(now, came, chunks), None);
        };
        let report = FaultFired {
            at: now,
            id: self.id,
            fault: self.info.name,
            harm: self.info.harm,
            command: chunk.frame,
            why,
        };
        let mut rng = self.seed.derive("harm").stream(number);
        let chunks = self.fault.apply(now, chunk, &mut rng);
        (self.settle_late(now, came, chunks), Some(report))
    }

    /// [`settle`](Self::settle), and remembers what goes out later than it came.
    fn settle_late(&mut self, now: Time, came: Time, chunks: Vec<Chunk>) -> Vec<Chunk> {
        let chunks = self.settle(now, chunks);
        if let Some(last) = chunks.last().filter(|last| last.at > came) {
            self.late_until = self.late_until.max(last.at);
        }
        chunks
    }

    /// Keeps the order: nothing overtakes, and nothing comes before now.
    fn settle(&mut self, now: Time, mut chunks: Vec<Chunk>) -> Vec<Chunk> {
        for chunk in &mut chunks {
            self.floor = self.floor.max(chunk.at).max(now);
            chunk.at = self.floor;
        }
        chunks.retain(|chunk| !chunk.bytes.is_empty() || chunk.end.is_some());
        chunks
    }
}
