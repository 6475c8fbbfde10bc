//! What a device says: payloads for the tool, with what they were made from.

use std::time::Duration;

use veschub_wire::{CommandId, Reply, command::Opaque};

use super::profile::Profile;

/// A payload for the tool and, where that is known, what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) payload: Vec<u8>,
    pub(super) truth: Option<Box<Reply>>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            payload: reply.encode(),
            truth: Some(Box::new(reply)),
        }
    }
}

impl Answer {
    /// A payload that somebody wrote byte by byte; what it says is its truth, if it says something.
    pub(super) fn raw(payload: &[u8]) -> Self {
        let decoded = Reply::decode(payload).ok();
        let truth = decoded.filter(|reply| reply.trailing.is_empty());
        Self {
            payload: payload.to_vec(),
            truth: truth.map(|reply| Box::new(reply.body)),
        }
    }
}

/// The replies to one request, each with the time from the normal reply to its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answers {
    said: Vec<(Duration, Answer)>,
    releases: bool,
    waits: bool,
}

impl<A: Into<Answer>> From<A> for Answers {
    fn from(answer: A) -> Self {
        Self::default().later(Duration::ZERO, answer)
    }
}

impl Answers {
    /// Nothing is said, though the request was done.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// One more, so long after the normal reply.
    pub(super) fn later(mut self, after: Duration, answer: impl Into<Answer>) -> Self {
        self.said.push((after, answer.into()));
        self
    }

    /// What was asked for releases the motor, as every write to flash does.
    pub(super) fn releasing(mut self) -> Self {
        self.releases = true;
        self
    }

    /// The same, and before anything is written the motor must stand.
    pub(super) fn once_it_stands(mut self) -> Self {
        self.waits = true;
        self.releasing()
    }

    /// Whether the motor must stand first.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// The same, all of it later.
    pub(super) fn delayed(mut self, by: Duration) -> Self {
        for (after, _) in &mut self.said {
            *after += by;
        }
        self
    }

    /// Whether the motor is released.
    pub(super) fn releases(&self) -> bool {
        self.releases
    }

    /// The same without some answers.
    pub(super) fn without(mut self, drops: impl Fn(&Answer) -> bool) -> Self {
        self.said.retain(|(_, answer)| !drops(answer));
        self
    }

    /// The time from the normal reply to the last one.
    pub(super) fn last(&self) -> Duration {
        let times = self.said.iter().map(|(after, _)| *after);
        times.max().unwrap_or_default()
    }
}

impl IntoIterator for Answers {
    type Item = (Duration, Answer);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.said.into_iter()
    }
}

/// FW_INFO: version and test number, then the hash of the firmware and that of the user's code
/// (`EX main/commands.c:1050-1086`).
pub(super) fn fw_info(profile: &Profile) -> Reply {
    let mut arguments = vec![profile.major as u8, profile.minor as u8, 0];
    arguments.extend(b"simulated\0\0");
    Reply::Other(Opaque {
        id: CommandId::FW_INFO,
        arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_keep_their_times_and_say_whether_the_motor_is_released() {
        let second = Duration::from_secs(1);
        let print = || Reply::Print(b"said".to_vec());
        let answers = Answers::from(print()).later(second, print());
        assert_eq!((answers.last(), answers.releases()), (second, false));
        assert!(Answers::none().releasing().releases());
        let times: Vec<Duration> = answers.into_iter().map(|(after, _)| after).collect();
        assert_eq!(times, [Duration::ZERO, second]);
    }
}
