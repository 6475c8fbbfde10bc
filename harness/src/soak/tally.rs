//! What the tools of a soak saw, counted.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many mistakes are told one by one.
const TOLD: usize = 10;

/// What is wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It did not come, although nothing on its way may lose it.
    Lost,
    /// It has values that no device holds, or cannot be decoded.
    Wrong,
    /// It has the values of another device or node.
    Misplaced,
    /// The device sent more or fewer replies than arrived.
    Miscounted,
}

/// What the tools of a soak saw.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Sessions that began.
    pub sessions: u64,
    /// Requests of tools that are judged.
    pub requests: u64,
    /// Replies whose values were compared with what the device holds.
    pub replies: u64,
    /// Requests that nobody answered where a fault, a quirk or another tool may be why.
    pub may_be_lost: u64,
    /// Requests that nobody answered although nothing may lose a reply there.
    pub lost: u64,
    /// Replies with values that no device holds, or that cannot be decoded.
    pub wrong: u64,
    /// Replies with the values of another device or node.
    pub misplaced: u64,
    /// Replies that a device sent and its only tool did not get, or the other way around.
    pub miscounted: u64,
    /// Sessions for each temper of a tool.
    pub tempers: BTreeMap<&'static str, u64>,
    /// The first mistakes, in words.
    pub mistakes: Vec<String>,
    /// Replies that arrived, for each device whose tools must get them all.
    #[serde(skip)]
    pub(super) arrived: BTreeMap<usize, u64>,
}

impl Tally {
    /// Notes a mistake, told by `words`.
    pub(super) fn note(&mut self, flaw: Flaw, words: impl FnOnce() -> String) {
        let (count, name) = match flaw {
            Flaw::Lost => (&mut self.lost, "lost"),
            Flaw::Wrong => (&mut self.wrong, "wrong"),
            Flaw::Misplaced => (&mut self.misplaced, "misplaced"),
            Flaw::Miscounted => (&mut self.miscounted, "miscounted"),
        };
        *count += 1;
        if self.mistakes.len() < TOLD {
            self.mistakes.push(format!("{name}: {}", words()));
        }
    }

    /// How many mistakes there are.
    #[must_use]
    pub fn mistaken(&self) -> u64 {
        self.lost + self.wrong + self.misplaced + self.miscounted
    }
}
