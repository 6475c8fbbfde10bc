//! Quirks that a recording speaks for or against.
//!
//! A quirk that is a state machine is asked itself: it is shown the recorded requests at their recorded times, and what
//! it would have withheld is compared with what was answered.

mod setup;

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use veschub_wire::{CommandId, Reply, Request};

use super::{
    session::{Exchange, Recorded, command},
    text::{count, span},
};
use veschub_hub::{
    catalogue::quirks,
    quirk::{QuirkInfo, Trace},
};

/// What is sent this soon after the login line may be read together with it.
const WITH_LOGIN: Duration = Duration::from_millis(1);
/// More observations than these are counted and not listed.
const LISTED: usize = 5;

/// What a recording says of a quirk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// What was recorded cannot have happened with it.
    Contradicted,
    /// What was recorded is what it would do; something else may have done it as well.
    Supported,
    /// It had the occasion and did not show.
    NotSeen,
    /// It had no occasion, or a recording at a tool cannot show it.
    NoWord,
}

impl Finding {
    /// The finding in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::Supported => "supported",
            Self::NotSeen => "not seen",
            Self::NoWord => "no word of it",
        }
    }
}

/// Something in the recording that speaks for or against a quirk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observation {
    /// When it began, in seconds since the start of the recording.
    pub at_s: f64,
    /// How long it took, in seconds, where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasted_s: Option<f64>,
    /// What was seen.
    pub what: String,
}

/// A quirk and what the recording of a device says of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The device's id in the draft.
    pub device: String,
    /// The quirk, by its name in `veschub-sim quirks`, or `late-pong`.
    pub quirk: &'static str,
    /// What the recording says.
    pub finding: Finding,
    /// Why, in a sentence.
    pub why: String,
    /// The first few observations that it rests on, the weightiest first.
    pub seen: Vec<Observation>,
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.quirk, self.finding.as_str(), self.why)
    }
}

impl std::fmt::Display for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {:.3} s: {}", self.at_s, self.what)
    }
}

struct Told {
    finding: Finding,
    why: String,
    seen: Vec<Observation>,
}

impl Told {
    fn new(finding: Finding, why: impl Into<String>) -> Self {
        Self {
            finding,
            why: why.into(),
            seen: Vec::new(),
        }
    }

    fn with(mut self, seen: Vec<Observation>) -> Self {
        self.seen = seen;
        self.seen.truncate(LISTED);
        self
    }
}

fn observe(at: Duration, lasted: Option<Duration>, what: String) -> Observation {
    Observation {
        at_s: seconds(at),
        lasted_s: lasted.map(seconds),
        what,
    }
}

/// To the microsecond: finer than any recording of a network means.
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// What the recording says of every quirk of the catalogue, in its order, and of late PONGs.
pub(super) fn evidence(device: &Recorded, id: &str) -> Vec<Evidence> {
    let quirks = quirks().map(|info| (info.name, weigh(info, device)));
    let late_pong = ("late-pong", late_pong(device));
    quirks
        .chain([late_pong])
        .map(|(quirk, told)| Evidence {
            device: id.to_owned(),
            quirk,
            finding: told.finding,
            why: told.why,
            seen: told.seen,
        })
        .collect()
}

fn weigh(info: &QuirkInfo, device: &Recorded) -> Told {
    match info.trace {
        Trace::PollsAfterAGap => setup::session_reset(device),
        Trace::PollsWithoutSetup => setup::needs_setup(device),
        Trace::UnaskedReplies => stale_reply(device),
        Trace::LostConfigs => config_goes_elsewhere(device),
        Trace::RequestsWithTheLogin => login_swallows(device),
        Trace::SecondScans => blocking_dropped(device),
        Trace::IgnoredCommands => ignored(device),
        Trace::None => Told::new(
            Finding::NoWord,
            "it takes several connections, and shows at the hub or at a device, not in a tool's session",
        ),
    }
}

/// Replies to what was not asked in their session, or not before them.
fn stale_reply(device: &Recorded) -> Told {
    let mut seen = Vec::new();
    for session in &device.sessions {
        for (at, payload) in &session.unasked {
            let id = command(payload);
            if is_said_unasked(id) {
                continue;
            }
            let asked = session
                .exchanges
                .iter()
                .any(|one| one.at <= *at && one.reply_id() == Some(id));
            if !asked {
                let what = format!(
                    "{id} of {} bytes, which this tool had not asked for",
                    payload.len()
                );
                seen.push(observe(*at, None, what));
            }
        }
    }
    if seen.is_empty() {
        let sessions = count(device.sessions.len(), "session", "sessions");
        return Told::new(
            Finding::NotSeen,
            format!("every reply in {sessions} was asked for"),
        );
    }
    let replies = count(seen.len(), "reply", "replies");
    Told::new(
        Finding::Supported,
        format!("{replies} came that nobody in the session had asked for"),
    )
    .with(seen)
}

/// What devices say of their own accord.
fn is_said_unasked(id: CommandId) -> bool {
    matches!(id.0, 21..=23 | 36 | 75..=78 | 85 | 113 | 135 | 145..=148 | 151)
}

fn config_goes_elsewhere(device: &Recorded) -> Told {
    let is_config = |one: &&Exchange| {
        matches!(
            one.command(),
            CommandId::GET_CUSTOM_CONFIG | CommandId::GET_CUSTOM_CONFIG_DEFAULT
        )
    };
    let asked: Vec<&Exchange> = device.exchanges().filter(is_config).collect();
    let lost = asked.iter().filter(|one| one.given_up);
    let lost: Vec<Observation> = lost
        .map(|one| observe(one.at, None, format!("{}, never answered", one.command())))
        .collect();
    let answered = asked.iter().filter(|one| one.reply.is_some()).count();
    match (asked.len(), lost.len()) {
        (0, _) => Told::new(Finding::NoWord, "no config was asked for"),
        (all, 0) => Told::new(
            Finding::NotSeen,
            format!(
                "{answered} of {} answered",
                count(
                    all,
                    "request for a config was",
                    "requests for a config were"
                )
            ),
        ),
        (all, gone) => Told::new(
            Finding::Supported,
            format!(
                "{gone} of {} never answered",
                count(
                    all,
                    "request for a config was",
                    "requests for a config were"
                )
            ),
        )
        .with(lost),
    }
}

fn login_swallows(device: &Recorded) -> Told {
    let (mut lost, mut kept, mut soonest) = (Vec::new(), Vec::new(), None);
    for session in &device.sessions {
        let (Some(login_at), Some(first)) = (session.login_at, session.exchanges.first()) else {
            continue;
        };
        let after = first.at.saturating_sub(login_at);
        soonest = soonest.map_or(Some(after), |so_far: Duration| Some(so_far.min(after)));
        if after > WITH_LOGIN {
            continue;
        }
        let told = |what: &str| {
            observe(
                first.at,
                None,
                format!("{} together with the login line, {what}", first.command()),
            )
        };
        if first.reply.is_some() {
            kept.push(told("answered"));
        } else if first.given_up {
            lost.push(told("never answered"));
        }
    }
    match (lost.is_empty(), kept.is_empty(), soonest) {
        (false, ..) => Told::new(
            Finding::Supported,
            "what was sent with the login line went unanswered",
        )
        .with(lost),
        (_, false, _) => Told::new(
            Finding::Contradicted,
            "what was sent with the login line was answered, if one read took both",
        )
        .with(kept),
        (_, _, Some(soonest)) => Told::new(
            Finding::NoWord,
            format!(
                "the first request came {} after the login line",
                span(soonest)
            ),
        ),
        _ => Told::new(Finding::NoWord, "no login was recorded"),
    }
}

fn is_blocking(one: &Exchange) -> bool {
    matches!(
        one.command(),
        CommandId::PING_CAN | CommandId::CAN_UPDATE_BAUD_ALL
    )
}

fn blocking_dropped(device: &Recorded) -> Told {
    let (mut dropped, mut answered) = (Vec::new(), Vec::new());
    for session in &device.sessions {
        let blocking: Vec<&Exchange> = session
            .exchanges
            .iter()
            .filter(|one| is_blocking(one))
            .collect();
        for (index, one) in blocking.iter().enumerate() {
            let busy = blocking[..index].iter().any(|other| match &other.reply {
                Some((done, _)) => *done > one.at,
                None => false,
            });
            if busy {
                let told = |what: &str| {
                    observe(
                        one.at,
                        None,
                        format!("{} while another one ran, {what}", one.command()),
                    )
                };
                match one.reply {
                    Some(_) => answered.push(told("answered")),
                    None if one.given_up => dropped.push(told("never answered")),
                    None => {}
                }
            }
        }
    }
    match (dropped.is_empty(), answered.is_empty()) {
        (false, _) => Told::new(
            Finding::Supported,
            "a second command that takes seconds was dropped",
        )
        .with(dropped),
        (_, false) => Told::new(
            Finding::Contradicted,
            "a second command that takes seconds was answered",
        )
        .with(answered),
        _ => Told::new(Finding::NoWord, "no second PING_CAN was sent while one ran"),
    }
}

fn ignored(device: &Recorded) -> Told {
    let mut seen: BTreeMap<Vec<u8>, (usize, Duration)> = BTreeMap::new();
    for one in device.exchanges().filter(|one| one.given_up) {
        let is_known_silent =
            Request::decode(&one.request).is_ok_and(|request| request.body.is_never_answered());
        if !is_known_silent && device.of(&one.request).all(|other| other.reply.is_none()) {
            seen.entry(one.request.clone()).or_insert((0, one.at)).0 += 1;
        }
    }
    if seen.is_empty() {
        return Told::new(
            Finding::NotSeen,
            "every kind of request was answered at least once",
        );
    }
    let kinds = count(seen.len(), "request was", "requests were");
    let seen = seen
        .into_iter()
        .map(|(request, (times, at))| {
            let (name, times) = (name(&request), count(times, "time", "times"));
            observe(at, None, format!("{name}, asked {times}, never answered"))
        })
        .collect();
    Told::new(Finding::Supported, format!("{kinds} never answered")).with(seen)
}

/// A request by its command and, inside FORWARD_CAN, its node.
pub(super) fn name(request: &[u8]) -> String {
    match Request::decode(request).map(|request| request.body) {
        Ok(Request::ForwardCan { can_id, payload }) => {
            format!("FORWARD_CAN {can_id} {}", command(&payload))
        }
        _ => command(request).to_string(),
    }
}

/// Ids of a scan that answer nothing may be the id before, credited to the next one; GET_VALUES tells the true id.
fn late_pong(device: &Recorded) -> Told {
    let (mut found, mut confirmed, mut suspect) = (0, 0, Vec::new());
    for scan in device
        .exchanges()
        .filter(|one| one.command() == CommandId::PING_CAN)
    {
        let Some(Ok(Reply::PingCan { can_ids })) = scan
            .payload()
            .map(|payload| Reply::decode(payload).map(|reply| reply.body))
        else {
            continue;
        };
        found += can_ids.len();
        for &id in &can_ids {
            let asked: Vec<&Exchange> = device
                .exchanges()
                .filter(|one| one.request.starts_with(&[CommandId::FORWARD_CAN.0, id]))
                .collect();
            if asked.iter().any(|one| one.reply.is_some()) {
                confirmed += 1;
            } else if asked.iter().any(|one| one.given_up) {
                let before = id.wrapping_sub(1);
                let what =
                    format!("the scan found {id}, which never answered: the node may be {before}");
                suspect.push(observe(scan.at, scan.latency(), what));
            }
        }
    }
    match (found, suspect.is_empty()) {
        (0, _) => Told::new(Finding::NoWord, "no scan found anybody"),
        (_, false) => {
            Told::new(Finding::Supported, "ids that a scan found never answered").with(suspect)
        }
        _ if confirmed > 0 => Told::new(
            Finding::NotSeen,
            format!("{confirmed} of {found} found ids answered under that id"),
        ),
        _ => Told::new(
            Finding::NoWord,
            "nothing was asked of the ids that were found",
        ),
    }
}
