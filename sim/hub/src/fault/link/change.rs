//! Faults that come and go while a link is in use.

use veschub_wire::Decoder;

use super::{Link, LinkOutput, Stage, State};
use crate::{
    fault::{Armed, Behaviour, Chunk, FaultId},
    time::Time,
};

impl Link {
    /// Adds a fault behind those that are there. Its time begins now.
    pub fn add(&mut self, now: Time, armed: Armed) {
        self.handle_timeout(now);
        if self.output == State::Broken {
            return;
        }
        if self.decoder.is_none() && needs_frames(&armed) {
            self.decoder = Some(Decoder::new(self.max_payload));
        }
        if self.did.is_none() && armed.trigger.client.is_some() {
            self.did = Some(Behaviour::default());
        }
        let mut stage = Stage::new(armed, self.armed, now, self.seed);
        self.armed += 1;
        // What is on its way already stays before what it is given.
        stage.begin_behind(self.queue.back().map_or(now, LinkOutput::at));
        self.stages.push(stage);
    }

    /// Removes a fault; whether it was there. What it holds comes out now. If it made something later that is still to
    /// go out, all that waits to go out does so now, also what other faults made later: nobody can tell them apart.
    pub fn remove(&mut self, now: Time, id: FaultId) -> bool {
        self.handle_timeout(now);
        let is_it = |stage: &Stage| stage.id == Some(id);
        let Some(index) = self.stages.iter().position(is_it) else {
            return false;
        };
        let mut stage = self.stages.remove(index);
        let held = stage.fault.finish().into_iter();
        let held = held.map(|chunk| Chunk { at: now, ..chunk }).collect();
        self.run(now, index, held);
        let in_use = |stage: &Stage| stage.fault.needs_frames() || stage.trigger.needs_frames();
        if !self.stages.iter().any(in_use)
            && let Some(mut decoder) = self.decoder.take()
            && let Some(tail) = decoder.finish()
        {
            self.run(now, 0, vec![Chunk::bytes(now, tail.bytes)]);
        }
        if !self
            .stages
            .iter()
            .any(|stage| stage.trigger.client.is_some())
        {
            self.did = None;
        }
        if stage.made_later_than(now) {
            self.hurry(now);
        }
        true
    }

    /// Lets go out now what waits to go out. The pieces of a carrier keep their distance.
    fn hurry(&mut self, now: Time) {
        for stage in &mut self.stages {
            stage.catch_up(now);
        }
        let by = match &mut self.carrier {
            None => None,
            Some(carrier) => {
                let by = self.queue.front().map_or(now, LinkOutput::at) - now;
                carrier.hurry(by);
                Some(by)
            }
        };
        for output in &mut self.queue {
            let at = output.at();
            let sooner = match by {
                None => at.min(now),
                Some(by) => at.min(now.max(at.earlier(by))),
            };
            match output {
                LinkOutput::Bytes(at, _) | LinkOutput::Fin(at) | LinkOutput::Reset(at) => {
                    *at = sooner;
                }
            }
        }
    }
}

/// Whether a fault or its trigger looks at frames.
pub(super) fn needs_frames(armed: &Armed) -> bool {
    armed.fault.needs_frames() || armed.trigger.needs_frames()
}
