//! `session-reset` and `needs-setup`: whether the BMS was polled without a set-up, or after a gap that should have
//! made the device forget it.

use std::{collections::BTreeMap, time::Duration};

use veschub_wire::CommandId;

use super::{Finding, Observation, Told, observe};
use crate::{
    session::{Exchange, Recorded, Session},
    text::{count, span},
};
use veschub_hub::{
    quirk::{NeedsSetup, Quirk, Ruling, SessionReset},
    time::Time,
};

/// The `max_gap` that `session-reset` has by default.
const MAX_GAP: Duration = Duration::from_millis(250);

/// Each poll of the BMS that a quirk would have withheld.
fn withheld<'a>(session: &'a Session, quirk: &mut dyn Quirk) -> Vec<&'a Exchange> {
    quirk.session_begins(Time::ZERO);
    let exchanges = session.exchanges.iter();
    exchanges
        .filter(|one| quirk.request(Time::from(one.at), &one.request) != Ruling::Pass)
        .filter(|one| one.command() == CommandId::BMS_GET_VALUES)
        .collect()
}

struct Gap {
    from: Duration,
    lasted: Duration,
    silence: Duration,
    between: (CommandId, CommandId),
}

/// The gaps between requests that are longer than the quirk allows and lie before this poll, with no set-up after them.
fn gaps_before(session: &Session, poll: &Exchange) -> Vec<Gap> {
    let asked = session.exchanges.iter().take_while(|one| one.at <= poll.at);
    let asked: Vec<&Exchange> = asked.collect();
    let gap = |pair: &[&Exchange]| Gap {
        from: pair[0].at,
        lasted: pair[1].at.saturating_sub(pair[0].at),
        silence: session.silence(pair[0].at, pair[1].at),
        between: (pair[0].command(), pair[1].command()),
    };
    asked
        .windows(2)
        .map(gap)
        .filter(|gap| gap.lasted > MAX_GAP)
        .collect()
}

pub(super) fn session_reset(device: &Recorded) -> Told {
    let mut gaps: BTreeMap<Duration, Gap> = BTreeMap::new();
    let (mut answered, mut unanswered, mut strongest) = (0, Vec::new(), Duration::ZERO);
    for session in &device.sessions {
        let mut allowing = NeedsSetup::with();
        let without_setup: Vec<Duration> = withheld(session, &mut allowing)
            .iter()
            .map(|poll| poll.at)
            .collect();
        for poll in withheld(
            session,
            &mut SessionReset::with(veschub_hub::duration::Duration(MAX_GAP.as_nanos() as u64)),
        ) {
            if without_setup.contains(&poll.at) {
                // It says nothing of gaps: there was no set-up that could be forgotten.
                continue;
            }
            if poll.reply.is_some() {
                answered += 1;
                for gap in gaps_before(session, poll) {
                    strongest = strongest.max(gap.lasted);
                    gaps.insert(gap.from, gap);
                }
            } else if poll.given_up {
                unanswered.push(observe(
                    poll.at,
                    None,
                    "BMS_GET_VALUES after a gap, never answered".to_owned(),
                ));
            }
        }
    }
    let mut gaps: Vec<Gap> = gaps.into_values().collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.lasted));
    let seen = gaps
        .iter()
        .map(|gap| {
            let (after, before) = gap.between;
            let silence = span(gap.silence);
            let what = format!(
                "{} between {after} and {before}, {silence} of it in silence",
                span(gap.lasted)
            );
            observe(gap.from, Some(gap.lasted), what)
        })
        .collect();
    if answered > 0 {
        let polls = count(answered, "poll of the BMS was", "polls of the BMS were");
        let many = count(gaps.len(), "gap", "gaps");
        return Told::new(
            Finding::Contradicted,
            format!(
                "{polls} answered after {many} of more than {} between requests, with no new set-up; no max_gap below {} fits",
                span(MAX_GAP),
                span(strongest)
            ),
        )
        .with(seen);
    }
    if !unanswered.is_empty() {
        let polls = count(unanswered.len(), "poll", "polls");
        return Told::new(
            Finding::Supported,
            format!("{polls} after a gap went unanswered"),
        )
        .with(unanswered);
    }
    Told::new(
        Finding::NoWord,
        "the BMS was never polled after a gap that would have made the device forget a set-up",
    )
}

pub(super) fn needs_setup(device: &Recorded) -> Told {
    let polls = device
        .sessions
        .iter()
        .flat_map(|session| withheld(session, &mut NeedsSetup::with()));
    let polls: Vec<&Exchange> = polls.collect();
    let tell = |poll: &&Exchange| {
        let came = if poll.reply.is_some() {
            "answered"
        } else {
            "never answered"
        };
        observe(
            poll.at,
            None,
            format!("BMS_GET_VALUES without GET_CUSTOM_CONFIG and PING_CAN before it, {came}"),
        )
    };
    let answered: Vec<Observation> = polls
        .iter()
        .filter(|poll| poll.reply.is_some())
        .map(tell)
        .collect();
    if !answered.is_empty() {
        let polls = count(answered.len(), "poll was", "polls were");
        return Told::new(
            Finding::Contradicted,
            format!("{polls} answered without a set-up"),
        )
        .with(answered);
    }
    let unanswered: Vec<Observation> = polls
        .iter()
        .filter(|poll| poll.given_up)
        .map(tell)
        .collect();
    if !unanswered.is_empty() {
        let polls = count(unanswered.len(), "poll", "polls");
        return Told::new(
            Finding::Supported,
            format!("{polls} without a set-up went unanswered"),
        )
        .with(unanswered);
    }
    Told::new(
        Finding::NoWord,
        "GET_CUSTOM_CONFIG and PING_CAN were sent before every poll of the BMS, or there was none",
    )
}
