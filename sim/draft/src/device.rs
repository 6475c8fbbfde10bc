//! One recorded device as the lines of a scenario.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use veschub_wire::{
    CommandId, Reply, Request,
    command::{ExpressConfig, FwVersion, hardware_type_name},
};

use super::{
    bms::{self, Grid, Pack, Reading},
    cadence::{Cadence, cadence, reply_after, usual_latencies},
    can::{self, decoded, usable_name},
    evidence::name,
    probe::{self, Answers},
    session::{Exchange, Recorded, Session, command},
    text::{count, duration, hex, in_comment, median, moment, quoted, rounded, scalar, span},
};
use veschub_hub::device::{bms::ReplyEnd, profile::Profile};

/// What stands in place of every password.
const PASSWORD: &str = "not-a-secret";
/// The longest hardware name that an Express can have here.
const MAX_HARDWARE: usize = 36;
/// The most readings that a draft takes over; more belong in a replay.
const MAX_READINGS: usize = 100_000;
/// The most replies that a draft writes byte by byte, and the most bytes in them: a scenario has its limits.
const MAX_SCRIPTED: usize = 200;
const MAX_SCRIPTED_BYTES: usize = 100_000;
/// A latency that is this much away from the device's own is written down.
const OWN_LATENCY: Duration = Duration::from_millis(20);
/// What the reference client waits after its login line.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// What a draft says about a device.
pub(super) struct DeviceDraft<'a> {
    pub(super) recorded: &'a Recorded,
    pub(super) id: String,
    pub(super) fw: Option<(FwVersion, &'a Exchange)>,
    config: Option<ExpressConfig>,
    reply_after: Option<Duration>,
    pub(super) readings: Vec<Reading>,
    /// Polls with a reply of another shape.
    other_readings: usize,
    pub(super) cadence: Option<Cadence>,
    folder: String,
    series: bool,
    pinned: BTreeSet<usize>,
    /// Replies byte by byte: request, replies, latency, why.
    scripted: Vec<Scripted>,
    notes: Vec<String>,
}

struct Scripted {
    request: Vec<u8>,
    reply: Option<Vec<u8>>,
    after: Option<Duration>,
    why: String,
}

impl<'a> DeviceDraft<'a> {
    pub(super) fn new(recorded: &'a Recorded, id: String) -> Self {
        let fw = recorded
            .of(&[CommandId::FW_VERSION.0])
            .filter_map(|one| match decoded(one)? {
                Reply::FwVersion(version) => Some((version, one)),
                _ => None,
            });
        let config = recorded
            .exchanges()
            .filter_map(|one| match (one.command(), decoded(one)?) {
                (CommandId::GET_CUSTOM_CONFIG, Reply::CustomConfig(config)) => config.express(),
                _ => None,
            });
        let (mut readings, other_readings) = bms::usual_shape(readings(recorded));
        readings.truncate(MAX_READINGS);
        let reply_after = reply_after(recorded);
        let mut this = Self {
            recorded,
            id,
            fw: fw.last(),
            config: config.last(),
            reply_after,
            cadence: cadence(recorded, reply_after),
            readings,
            other_readings,
            folder: String::new(),
            series: false,
            pinned: BTreeSet::new(),
            scripted: Vec::new(),
            notes: Vec::new(),
        };
        this.note_what_is_odd();
        this
    }

    /// The same with values that changed as series in files of this folder.
    pub(super) fn with_series(mut self, series: bool, folder: String) -> Self {
        self.series = series;
        self.folder = folder;
        self
    }

    fn note_what_is_odd(&mut self) {
        if let Some((version, _)) = &self.fw
            && version.hardware_type != Some(2)
        {
            let kind = version
                .hardware_type
                .and_then(hardware_type_name)
                .unwrap_or("device of unknown type");
            self.notes.push(format!(
                "It is a {kind}. A scenario has only Expresses at the hub: this one answers as it did, where that was recorded."
            ));
        }
        if self.other_readings > 0 {
            let replies = count(
                self.other_readings,
                "reply of the BMS is",
                "replies of the BMS are",
            );
            self.notes.push(format!(
                "{replies} left out: another number of cells or sensors, or another end."
            ));
        }
        let missing: u64 = self
            .recorded
            .sessions
            .iter()
            .map(|session| session.missing_bytes)
            .sum();
        if missing > 0 {
            self.notes.push(format!(
                "{missing} bytes were not recorded: what seems unanswered may have been answered."
            ));
        }
    }

    /// What stands before the replies that are written byte by byte is asked, and what it lacks is written down.
    pub(super) fn complete(&mut self, answers: &Answers) {
        self.pin_cells(answers);
        for request in self.recorded.requests() {
            if let Some(scripted) = self.lacking(request, answers) {
                self.scripted.push(scripted);
            }
        }
        let mut bytes = 0;
        let fits = self.scripted.iter().take(MAX_SCRIPTED).take_while(|one| {
            bytes += one.request.len() + one.reply.as_ref().map_or(0, Vec::len);
            bytes <= MAX_SCRIPTED_BYTES
        });
        let kept = fits.count();
        if kept < self.scripted.len() {
            let left_out = self.scripted.len() - kept;
            self.scripted.truncate(kept);
            self.notes.push(format!(
                "{left_out} more requests were answered: replay the capture to have all of them."
            ));
        }
    }

    fn pin_cells(&mut self, answers: &Answers) {
        let drafted = answers
            .get(&[CommandId::BMS_GET_VALUES.0][..])
            .and_then(|replies| replies.first());
        let drafted = drafted.and_then(|payload| Reply::decode(payload).ok());
        if let (Some(Reply::BmsValues(drafted)), Some(last)) =
            (drafted.map(|reply| reply.body), self.readings.last())
        {
            let cells = drafted
                .cell_voltages_v
                .iter()
                .zip(&last.values.cell_voltages_v)
                .enumerate();
            let wrong = cells.filter(|(_, (drafted, recorded))| drafted != recorded);
            self.pinned = wrong.map(|(cell, _)| cell).collect();
        }
    }

    fn lacking(&mut self, request: &[u8], answers: &Answers) -> Option<Scripted> {
        let drafted = answers.get(request)?;
        let asked = self.recorded.of(request);
        let Some((at, reply)) = asked.clone().filter_map(|one| one.reply.as_ref()).last() else {
            let given_up = asked.clone().all(|one| one.given_up);
            return (given_up && !drafted.is_empty()).then(|| Scripted {
                request: request.to_vec(),
                reply: None,
                after: None,
                why: format!(
                    "{}, asked {}, never answered",
                    name(request),
                    count(asked.count(), "time", "times")
                ),
            });
        };
        if drafted
            .iter()
            .any(|drafted| probe::is_alike(reply, drafted))
        {
            return None;
        }
        if is_about_configs(request) {
            self.notes.push(format!(
                "{} was answered at {}, and is not here: configs hold Wi-Fi keys and passwords.",
                name(request),
                moment(*at)
            ));
            return None;
        }
        let usual = self.reply_after.unwrap_or_default();
        let latency = median(asked.filter_map(Exchange::latency)).map(rounded);
        // The client's first poll counts from this one's reply.
        let is_first = request == [CommandId::FW_VERSION.0];
        let after = latency.filter(|latency| !is_first && latency.abs_diff(usual) > OWN_LATENCY);
        Some(Scripted {
            request: request.to_vec(),
            reply: Some(reply.clone()),
            after,
            why: format!("{}, as at {}", name(request), moment(*at)),
        })
    }

    /// When the client of a draft reads the BMS.
    fn grid(&self) -> Option<Grid> {
        let usual = Duration::from_millis(55);
        let reply_after = self.reply_after.unwrap_or(usual);
        let every = self.cadence?.every;
        self.series.then_some(Grid {
            first: PAUSE + reply_after * 2,
            every,
        })
    }

    fn bms_end(&self) -> ReplyEnd {
        match self.firmware() {
            "6.05" => Profile::EXPRESS_6_05.bms_end,
            _ => Profile::EXPRESS_6_06.bms_end,
        }
    }

    /// The firmware of an Express that comes nearest.
    fn firmware(&self) -> &'static str {
        let ends_late = |reading: &Reading| bms::end(&reading.values) > Some(ReplyEnd::Pressure);
        match self
            .fw
            .as_ref()
            .map(|(version, _)| (version.major, version.minor))
        {
            Some((7.., _)) => "7.00",
            Some((6, 6..)) => "6.06",
            None if self.readings.first().is_some_and(ends_late) => "6.06",
            _ => "6.05",
        }
    }

    pub(super) fn pack(&self) -> Pack {
        bms::pack(
            &self.readings,
            self.bms_end(),
            self.grid(),
            &self.folder,
            self.pinned.clone(),
        )
    }

    /// Whether the draft answers this request.
    pub(super) fn is_silenced(&self, request: &[u8]) -> bool {
        self.scripted
            .iter()
            .any(|one| one.request == request && one.reply.is_none())
    }

    /// The entry under `devices`, without its indentation.
    pub(super) fn lines(&self, pack: &Pack) -> Vec<String> {
        let mut lines: Vec<String> = self
            .notes
            .iter()
            .map(|note| format!("# {}", in_comment(note)))
            .collect();
        lines.extend(
            pack.left_out
                .iter()
                .map(|note| format!("# {}", in_comment(note))),
        );
        lines.push("- express:".to_owned());
        let mut keys = self.identity();
        if !self.readings.is_empty() {
            keys.extend(self.bms(pack));
        }
        let bus = can::bus(self.recorded, self.config.as_ref());
        keys.extend(bus.own_id);
        keys.extend(bus.lines);
        keys.extend(self.replies());
        keys.extend(self.terminal());
        lines.extend(keys.into_iter().map(|key| format!("    {key}")));
        lines
    }

    fn identity(&self) -> Vec<String> {
        let login = self
            .recorded
            .sessions
            .iter()
            .find_map(|session| session.login_at);
        let from = match (&self.recorded.id, login) {
            (Some(_), Some(at)) => format!("as in the login at {}", moment(at)),
            _ => "made up: no login was recorded".to_owned(),
        };
        let mut keys = vec![
            format!("id: {} # {from}", scalar(&self.id)),
            format!("password: {PASSWORD} # a placeholder: passwords are never taken over"),
        ];
        let firmware = self.firmware();
        match &self.fw {
            Some((version, one)) => {
                let at = one.reply.as_ref().map_or(one.at, |(at, _)| *at);
                let told = version.version();
                let nearest = if told == firmware {
                    String::new()
                } else {
                    format!(", the nearest to {told}")
                };
                keys.push(format!(
                    "firmware: \"{firmware}\" # FW_VERSION at {}{nearest}",
                    moment(at)
                ));
                if let Some(hardware) = usable_name(version.hardware.as_ref(), MAX_HARDWARE) {
                    keys.push(format!("hardware: {}", scalar(&hardware)));
                }
                if version.custom_configs == Some(0) {
                    keys.push("custom_configs: 0".to_owned());
                }
            }
            None => keys.push(format!(
                "firmware: \"{firmware}\" # a guess: FW_VERSION was not answered"
            )),
        }
        if let Some(reply_after) = self.reply_after {
            keys.push(format!(
                "reply_after: {} # {}",
                duration(reply_after),
                self.latencies()
            ));
        }
        keys
    }

    /// What `reply_after` is the median of.
    fn latencies(&self) -> String {
        let latencies: Vec<Duration> = usual_latencies(self.recorded).collect();
        let (least, most) = (latencies.iter().min(), latencies.iter().max());
        let range = least
            .zip(most)
            .map(|(least, most)| format!(", {} to {}", span(*least), span(*most)));
        format!(
            "median of {}{}",
            count(latencies.len(), "reply", "replies"),
            range.unwrap_or_default()
        )
    }

    fn bms(&self, pack: &Pack) -> Vec<String> {
        let (first, last) = (self.readings.first(), self.readings.last());
        let from = first.zip(last).map_or_else(String::new, |(first, last)| {
            format!(
                "{}, {} to {}",
                count(self.readings.len(), "reading", "readings"),
                moment(first.at),
                moment(last.at)
            )
        });
        let mut lines = vec![format!("bms: # {from}")];
        if !self.series && self.readings.len() > 1 {
            lines.push("  # Pinned to the last reading.".to_owned());
        }
        lines.extend(pack.keys.iter().map(|key| format!("  {key}")));
        if !pack.set.is_empty() {
            if let (Some(grid), false) = (self.grid(), pack.tables.is_empty()) {
                lines.push(format!(
                    "  # A series has a step where the recorded polls saw one, on the grid of this file's client: poll 1 at {}.",
                    span(grid.first)
                ));
            }
            lines.push("  set:".to_owned());
            lines.extend(pack.set.iter().map(|entry| format!("    {entry}")));
        }
        lines
    }

    fn replies(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.scripted.is_empty() {
            lines.push("replies:".to_owned());
        }
        for one in &self.scripted {
            let reply = one
                .reply
                .as_ref()
                .map_or_else(String::new, |reply| hex(reply));
            let after = one
                .after
                .map_or_else(String::new, |after| format!(", after: {}", duration(after)));
            lines.push(format!("  # {}", in_comment(&one.why)));
            lines.push(format!(
                "  - {{ request: {}, reply: [{reply}]{after} }}",
                hex(&one.request)
            ));
        }
        lines
    }

    /// Commands of the terminal with what was printed after them, the echo left out.
    fn terminal(&self) -> Vec<String> {
        let mut known: BTreeMap<Vec<u8>, (Duration, Vec<String>)> = BTreeMap::new();
        for session in &self.recorded.sessions {
            for one in session
                .exchanges
                .iter()
                .filter(|one| one.command() == CommandId::TERMINAL_CMD)
            {
                let prints = prints_after(session, one);
                if let (Some(line), false) = (one.request.get(1..), prints.is_empty()) {
                    known.insert(line.to_vec(), (one.at, prints));
                }
            }
        }
        let mut lines = Vec::new();
        for (line, (at, prints)) in known {
            let Ok(line) = String::from_utf8(line) else {
                continue;
            };
            if lines.is_empty() {
                lines.push("terminal:".to_owned());
            }
            let prints: Vec<String> = prints.iter().map(|text| quoted(text)).collect();
            let prints = prints.join(", ");
            lines.push(format!(
                "  - {{ command: {}, prints: [{prints}] }} # at {}",
                quoted(&line),
                moment(at)
            ));
        }
        lines
    }
}

/// What was printed between a command and the next one, without the echo that an Express gives by itself.
fn prints_after(session: &Session, one: &Exchange) -> Vec<String> {
    let next = session
        .exchanges
        .iter()
        .filter(|other| other.command() == CommandId::TERMINAL_CMD);
    let until = next
        .map(|other| other.at)
        .find(|&at| at > one.at)
        .unwrap_or(Duration::MAX);
    let texts = session.unasked.iter().filter_map(|(at, payload)| {
        let is_print = command(payload) == CommandId::PRINT && (one.at..until).contains(at);
        is_print.then(|| {
            payload
                .iter()
                .skip(1)
                .map(|&byte| char::from(byte))
                .collect::<String>()
        })
    });
    texts.filter(|text| !text.starts_with("-> ")).collect()
}

/// Configs and their descriptions, inside FORWARD_CAN or not.
fn is_about_configs(request: &[u8]) -> bool {
    let id = Request::decode(request)
        .ok()
        .and_then(|request| request.body.reply_id());
    matches!(
        id,
        Some(
            CommandId::GET_CUSTOM_CONFIG_XML
                | CommandId::GET_CUSTOM_CONFIG
                | CommandId::GET_CUSTOM_CONFIG_DEFAULT
                | CommandId::SET_CUSTOM_CONFIG
        )
    )
}

fn readings(recorded: &Recorded) -> Vec<Reading> {
    let polls = recorded.of(&[CommandId::BMS_GET_VALUES.0]);
    polls
        .filter_map(|one| {
            let (at, payload) = one.reply.as_ref()?;
            let reply = Reply::decode(payload)
                .ok()
                .filter(|reply| reply.trailing.is_empty())?;
            match reply.body {
                Reply::BmsValues(values) => Some(Reading {
                    at: *at,
                    values,
                    len: payload.len(),
                }),
                _ => None,
            }
        })
        .collect()
}
