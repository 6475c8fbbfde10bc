//! A device made from a recording: it answers requests as the recorded device answered them.
//!
//! Not packets are replayed but messages: a client may ask in another order, at another pace and in other pieces.
//! The key of a request is its whole payload. The k-th time it is asked in a session, its k-th recorded reply
//! comes, then the last one again. A reply belongs to the oldest unanswered request that has its command id, inside
//! FORWARD_CAN if need be, because replies come back unwrapped. What came unasked follows the request that it came after.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use veschub_transcript::{Direction, Kind, Transcript};
use veschub_wire::{CommandId, LoginKind, LoginLine, Reply, Request};

use super::{Device, DeviceOutput, queue::Queue};
use crate::time::Time;

/// When recorded replies are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As long after the request as in the recording.
    #[default]
    Recorded,
    /// At once.
    Immediate,
}

/// What a recording holds of one device.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The login of the recorded tool, if it was recorded.
    pub login: Option<LoginLine>,
    /// Each request with its time since the first login or request, in order.
    pub requests: Vec<(Duration, Vec<u8>)>,
    /// All that the device said, in order.
    pub replies: Vec<Vec<u8>>,
    /// Replies before the first request, which nobody asked for.
    pub dropped: usize,
    answers: BTreeMap<Vec<u8>, Vec<Answer>>,
}

/// What came back the k-th time that a request was asked: replies with their delays, or nothing.
type Answer = Vec<(Duration, Vec<u8>)>;

/// A request of the recording, while replies are looked for.
struct Asking {
    key: Vec<u8>,
    /// Which asking of this key it is, from 0.
    turn: usize,
    at: Time,
}

impl Recording {
    /// What one connection of a transcript holds: the first that carries requests.
    #[must_use]
    pub fn from_transcript(transcript: &Transcript) -> Self {
        let mut this = Self::default();
        let requests = transcript.entries.iter().find(|entry| {
            entry.direction == Some(Direction::ToDevice) && matches!(entry.kind, Kind::Frame(_))
        });
        let Some(connection) = requests.map(|entry| entry.connection) else {
            return this;
        };
        let entries = transcript.entries.iter();
        let mut start = None;
        let mut unanswered: Vec<Asking> = Vec::new();
        let mut last: Option<Asking> = None;
        for entry in entries.filter(|entry| entry.connection == connection) {
            let at = Time::from_nanos(entry.at_ns.unwrap_or_default());
            match (&entry.kind, entry.direction) {
                (Kind::Login(login), _) => {
                    start.get_or_insert(at);
                    let tool = login.line.as_ref().ok();
                    this.login = tool.filter(|line| line.kind == LoginKind::Tool).cloned();
                }
                (Kind::Frame(frame), Some(Direction::ToDevice)) => {
                    let since = at - *start.get_or_insert(at);
                    let asking = this.ask(since, at, frame.payload.clone());
                    last = Some(Asking {
                        key: asking.key.clone(),
                        ..asking
                    });
                    unanswered.push(asking);
                }
                (Kind::Frame(frame), Some(Direction::ToTool)) => {
                    let id = frame.command();
                    let oldest = unanswered
                        .iter()
                        .position(|asking| expected_reply(&asking.key) == Some(id));
                    let asking = oldest.map(|index| unanswered.remove(index));
                    this.answer(asking.as_ref().or(last.as_ref()), at, &frame.payload);
                }
                _ => {}
            }
        }
        this
    }

    fn ask(&mut self, since: Duration, at: Time, key: Vec<u8>) -> Asking {
        self.requests.push((since, key.clone()));
        let turns = self.answers.entry(key.clone()).or_default();
        turns.push(Answer::new());
        Asking {
            key,
            turn: turns.len() - 1,
            at,
        }
    }

    fn answer(&mut self, asking: Option<&Asking>, at: Time, payload: &[u8]) {
        let turns = asking.and_then(|asking| Some((asking, self.answers.get_mut(&asking.key)?)));
        self.replies.push(payload.to_vec());
        match turns {
            Some((asking, turns)) => {
                turns[asking.turn].push((at - asking.at, payload.to_vec()));
            }
            None => self.dropped += 1,
        }
    }

    /// What comes back when a request is asked for the `turn`-th time, counted from 0.
    fn answer_to(&self, key: &[u8], turn: usize) -> Option<&Answer> {
        let turns = self.answers.get(key)?;
        // Beyond the recording the last answer is given again; its end may have cut off the very last one.
        turns
            .get(turn)
            .or_else(|| turns.iter().rfind(|answer| !answer.is_empty()))
            .or_else(|| turns.last())
    }
}

fn expected_reply(request: &[u8]) -> Option<CommandId> {
    Request::decode(request).ok()?.body.reply_id()
}

/// A device that answers from a recording.
#[derive(Debug)]
pub struct Replay {
    recording: Recording,
    pace: Pace,
    /// How often each request was asked in this session.
    asked: BTreeMap<Vec<u8>, usize>,
    jobs: Queue<Vec<u8>>,
    output: VecDeque<DeviceOutput>,
}

impl Replay {
    /// The device of a recording.
    #[must_use]
    pub fn new(recording: Recording, pace: Pace) -> Self {
        Self {
            recording,
            pace,
            asked: BTreeMap::new(),
            jobs: Queue::default(),
            output: VecDeque::new(),
        }
    }
}

impl Device for Replay {
    fn drop_pending(&mut self) {
        self.jobs = Queue::default();
    }

    fn session_begins(&mut self, _now: Time) {
        self.asked.clear();
    }

    fn handle(&mut self, now: Time, payload: &[u8]) {
        let ignore = |why: &str| DeviceOutput::Ignored {
            at: now,
            command: CommandId(payload.first().copied().unwrap_or_default()),
            why: why.to_owned(),
        };
        let turn = match self.asked.get_mut(payload) {
            Some(turn) => {
                *turn += 1;
                *turn
            }
            // Requests that were never recorded are not counted: a client could invent any number of them.
            None => 0,
        };
        let Some(answer) = self.recording.answer_to(payload, turn) else {
            return self
                .output
                .push_back(ignore("the recording has no such request"));
        };
        if turn == 0 {
            self.asked.insert(payload.to_vec(), 0);
        }
        if answer.is_empty() {
            return self
                .output
                .push_back(ignore("it was not answered in the recording"));
        }
        for (delay, reply) in answer {
            let delay = match self.pace {
                Pace::Recorded => *delay,
                Pace::Immediate => Duration::ZERO,
            };
            if !self.jobs.push(now + delay, reply.clone()) {
                return self
                    .output
                    .push_back(ignore("too many requests wait for an answer"));
            }
        }
    }

    fn poll_output(&mut self) -> Option<DeviceOutput> {
        self.output.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.jobs.next_due()
    }

    fn handle_timeout(&mut self, now: Time) {
        while let Some((at, payload)) = self.jobs.pop(now) {
            let decoded = Reply::decode(&payload).ok();
            let truth = decoded.filter(|reply| reply.trailing.is_empty());
            self.output.push_back(DeviceOutput::Reply {
                at,
                truth: truth.map(|reply| Box::new(reply.body)),
                payload,
            });
        }
    }
}
