//! A device made from a recording: it answers requests as the recorded device answered them.
//!
//! Not packets are replayed but messages: a client may ask in another order, at another pace and in other pieces.
//! The key of a request is its whole payload. The k-th time it is asked in a session, its k-th recorded reply
//! comes. A reply belongs to the oldest unanswered request that has its command id, inside FORWARD_CAN if need be,
//! because replies come back unwrapped. What came unasked comes as long after the login as it did.

mod recording;

use std::{collections::BTreeMap, fmt, time::Duration};

use veschub_wire::CommandId;

use super::{
    Silence, answer,
    output::{Device, Out},
    queue::Queue,
    steer::About,
};
use crate::time::Time;
use recording::Answer;
pub use recording::Recording;

/// How a recording is played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rules {
    /// When replies are sent.
    pub pace: Pace,
    /// Which requests are answered.
    pub order: Order,
    /// What is answered beyond the end.
    pub at_end: AtEnd,
}

impl From<Pace> for Rules {
    fn from(pace: Pace) -> Self {
        Self {
            pace,
            ..Self::default()
        }
    }
}

/// When recorded replies are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// As long after the request as in the recording.
    #[default]
    Recorded,
    /// So many times as fast; more than 0.
    Scaled(f64),
    /// At once; what came unasked comes with the request that it came after.
    Immediate,
}

impl Pace {
    fn time(self, recorded: Duration) -> Duration {
        match self {
            Self::Recorded => recorded,
            Self::Scaled(speed) => {
                Duration::try_from_secs_f64(recorded.as_secs_f64() / speed).unwrap_or(Duration::MAX)
            }
            Self::Immediate => Duration::ZERO,
        }
    }
}

/// Which requests are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Every request that was recorded, in any order.
    #[default]
    ByRequest,
    /// Only the request that came next in the recording.
    Strict,
}

/// What is answered when a request is asked more often than in the recording, or the recording is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// The last answer again.
    #[default]
    Hold,
    /// The first answer again, and so on.
    Wrap,
    /// Nothing.
    Silent,
}

/// A device that answers from a recording.
pub struct Replay {
    recording: Recording,
    rules: Rules,
    /// How often each request was asked in this session.
    asked: BTreeMap<Vec<u8>, usize>,
    /// How many requests of the recording were asked in this session, if they must come in its order.
    position: usize,
    /// When this session began, and how much of what came unasked was said in it.
    session: Option<(Time, usize)>,
    jobs: Queue<Vec<u8>>,
    /// Answers requests that were not recorded.
    stand_in: Option<Box<dyn Device>>,
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("rules", &self.rules)
            .field("recording", &self.recording)
            .field("asked", &self.asked)
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

impl Replay {
    /// The device of a recording; a [`Pace`] is a way of playing it as well.
    #[must_use]
    pub fn new(recording: Recording, rules: impl Into<Rules>) -> Self {
        Self {
            recording,
            rules: rules.into(),
            asked: BTreeMap::new(),
            position: 0,
            session: None,
            jobs: Queue::default(),
            stand_in: None,
        }
    }

    /// The same with another device that answers what was not recorded.
    #[must_use]
    pub fn with_stand_in(mut self, device: Box<dyn Device>) -> Self {
        self.stand_in = Some(device);
        self
    }

    /// What is answered to a request that was recorded, or why nothing is.
    fn answer(&mut self, payload: &[u8]) -> Result<Answer, Silence> {
        let Some(turns) = self.recording.answers(payload) else {
            return Err(Silence::NotRecorded);
        };
        if self.rules.order == Order::Strict {
            let requests = &self.recording.requests;
            if self.position == requests.len() && self.rules.at_end == AtEnd::Wrap {
                self.position = 0;
                self.asked.clear();
            }
            let next = requests.get(self.position);
            if let Some((_, next)) = next.filter(|(_, next)| next != payload) {
                let next = CommandId(next.first().copied().unwrap_or_default());
                return Err(Silence::OutOfOrder(next));
            }
            self.position += usize::from(next.is_some());
        }
        let asked = self.asked.entry(payload.to_vec()).or_default();
        let turn = *asked;
        *asked += 1;
        let answer = match self.rules.at_end {
            _ if turn < turns.len() => turns.get(turn),
            // The recording's end may have cut off the very last answer.
            AtEnd::Hold => turns
                .iter()
                .rfind(|answer| !answer.is_empty())
                .or_else(|| turns.last()),
            AtEnd::Wrap => turns.get(turn % turns.len()),
            AtEnd::Silent => return Err(Silence::RecordingOver),
        };
        let mut answer = answer.cloned().unwrap_or_default();
        answer.retain(|said| !said.unasked || self.rules.pace == Pace::Immediate);
        if answer.is_empty() {
            return Err(Silence::RecordedSilence);
        }
        Ok(answer)
    }

    /// When the next thing comes that nobody asks for, and what it is.
    fn next_unasked(&self) -> Option<(Time, &[u8])> {
        let (began, said) = self.session?;
        if self.rules.pace == Pace::Immediate {
            return None;
        }
        let (since, payload) = self.recording.unasked.get(said)?;
        Some((began + self.rules.pace.time(*since), payload))
    }
}

impl Device for Replay {
    fn about(&self) -> About {
        About::of_kind("replay")
    }

    fn drop_pending(&mut self) {
        self.jobs = Queue::default();
        if let Some(device) = &mut self.stand_in {
            device.drop_pending();
        }
    }

    fn session_begins(&mut self, now: Time) {
        self.asked.clear();
        self.position = 0;
        self.session = Some((now, 0));
        if let Some(device) = &mut self.stand_in {
            device.session_begins(now);
        }
    }

    fn handle(&mut self, now: Time, payload: &[u8], out: &mut Out) {
        if let Some(device) = &mut self.stand_in
            && self.recording.answers(payload).is_none()
        {
            return device.handle(now, payload, out);
        }
        let command = CommandId(payload.first().copied().unwrap_or_default());
        match self.answer(payload) {
            Err(why) => out.silent(now, command, why),
            Ok(answer) => {
                for said in answer {
                    let at = now + self.rules.pace.time(said.delay);
                    if !self.jobs.push(at, said.payload) {
                        return out.silent(now, command, Silence::Crowded);
                    }
                }
            }
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        let stand_in = self.stand_in.as_ref();
        let due = [
            self.jobs.next_due(),
            self.next_unasked().map(|(at, _)| at),
            stand_in.and_then(|device| device.poll_timeout()),
        ];
        due.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Time, out: &mut Out) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            if let Some(device) = &mut self.stand_in {
                device.handle_timeout(due, out);
            }
            while let Some((at, payload)) = self.next_unasked().filter(|&(at, _)| at <= due) {
                out.say(at, answer::Answer::raw(payload));
                if let Some((_, said)) = &mut self.session {
                    *said += 1;
                }
            }
            while let Some((at, payload)) = self.jobs.pop(due) {
                out.say(at, answer::Answer::raw(&payload));
            }
        }
    }
}
