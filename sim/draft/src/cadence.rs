//! How often the BMS was polled, and how long replies took.

use std::time::Duration;

use veschub_wire::CommandId;

use super::{
    session::{Exchange, Recorded},
    text::{median, rounded},
};

/// Polls that lie further apart than this many usual periods are a pause.
const PAUSE_PERIODS: u32 = 10;

/// How the BMS was polled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cadence {
    /// The time from one poll to the next in a draft.
    pub(super) every: Duration,
    /// The recorded median.
    pub(super) median: Duration,
    /// The recorded mean, pauses left out.
    pub(super) mean: Duration,
}

/// The latencies of what a device answers at once: of the polls, or of everything where there are none.
pub(super) fn usual_latencies(recorded: &Recorded) -> impl Iterator<Item = Duration> {
    let polls = |one: &&Exchange| one.command() == CommandId::BMS_GET_VALUES;
    let any = recorded
        .exchanges()
        .filter(polls)
        .any(|one| one.reply.is_some());
    recorded
        .exchanges()
        .filter(move |one| {
            if any {
                polls(one)
            } else {
                one.command() != CommandId::PING_CAN
            }
        })
        .filter_map(Exchange::latency)
}

/// The latency of a device: the median of what it answers at once.
pub(super) fn reply_after(recorded: &Recorded) -> Option<Duration> {
    median(usual_latencies(recorded)).map(rounded)
}

/// How the BMS was polled, if it was; a poll never overtakes the reply before it.
pub(super) fn cadence(recorded: &Recorded, reply_after: Option<Duration>) -> Option<Cadence> {
    let mut periods = Vec::new();
    for session in &recorded.sessions {
        let polls = session
            .exchanges
            .iter()
            .filter(|one| one.command() == CommandId::BMS_GET_VALUES);
        let at: Vec<Duration> = polls.map(|one| one.at).collect();
        periods.extend(at.windows(2).map(|pair| pair[1].saturating_sub(pair[0])));
    }
    let median = median(periods.iter().copied())?;
    periods.retain(|&period| period <= median.saturating_mul(PAUSE_PERIODS));
    let polls = u32::try_from(periods.len())
        .ok()
        .filter(|&polls| polls > 0)?;
    let mean = periods.iter().sum::<Duration>() / polls;
    let least = reply_after.unwrap_or_default() + Duration::from_millis(5);
    Some(Cadence {
        every: rounded(mean).max(least),
        median,
        mean,
    })
}
