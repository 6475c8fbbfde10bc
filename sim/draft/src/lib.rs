//! A first scenario inferred from a recorded session: text to be edited, which runs as it is.
//!
//! ```text
//!  Transcript -> session: who was asked what, and what came back, by device
//!                   |-> device: identity, latencies, replies     bms: readings as pins and series     can: the bus
//!                   |-> probe: what the device so far answers; what it lacks is written byte by byte
//!                   |-> evidence: what the recording says for or against each quirk
//!                   \-> client: a task with the recorded cadence, and what must be seen
//! ```
//!
//! Nothing here reads or writes a file. Passwords are never taken over, nor are configs, which hold keys in clear.

mod bms;
mod cadence;
mod can;
mod client;
mod device;
mod evidence;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod probe;
mod session;
mod text;

use std::{collections::BTreeSet, error::Error, fmt::Write as _, time::Duration};

use serde::Serialize;
use veschub_transcript::{Direction, Kind, Transcript};

use self::{
    device::DeviceDraft,
    session::Recorded,
    text::{count, in_comment, median, quoted, span},
};
pub use evidence::{Evidence, Finding, Observation};

use veschub_hub::{device::Device, rng::Seed};
use veschub_scenario::{Loaded, ScenarioError, World, compile::login_problem};

/// How a scenario is drafted.
#[derive(Clone, Debug)]
pub struct DraftOptions {
    /// What the recording is called in comments.
    pub source: String,
    /// Whether values that changed become series in files; if not, they are pinned to the last reading.
    pub series: bool,
    /// The folder of the files, seen from the scenario's.
    pub folder: String,
}

impl Default for DraftOptions {
    fn default() -> Self {
        Self {
            source: "a recording".to_owned(),
            series: true,
            folder: "draft".to_owned(),
        }
    }
}

/// A drafted scenario.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The scenario.
    pub yaml: String,
    /// The series: file names, relative to the scenario, and contents.
    pub tables: Vec<(String, String)>,
    /// The devices, in the order of the scenario.
    pub devices: Vec<DraftedDevice>,
    /// What the recording says for or against each quirk, device by device.
    pub evidence: Vec<Evidence>,
}

/// What a drafted device was inferred from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DraftedDevice {
    /// Its id in the scenario.
    pub id: String,
    /// How many connections there were to it.
    pub sessions: usize,
    /// How many readings of its BMS were taken over.
    pub bms_readings: usize,
    /// What it was asked.
    pub commands: Vec<CommandSummary>,
}

/// A request and what came of it over a whole recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommandSummary {
    /// The command; inside FORWARD_CAN, with its node.
    pub request: String,
    /// How often it was asked.
    pub asked: usize,
    /// How often it was answered.
    pub answered: usize,
    /// Lengths of the replies' payloads, in bytes, ascending.
    pub reply_lengths: Vec<usize>,
    /// Median time from the request to the reply, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_s: Option<f64>,
}

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// Nothing was asked.
    #[error(
        "no request to a VESC device was recorded ({replies} replies, {noise_bytes} bytes of no frame, \
         {missing_bytes} bytes missing), so there is nothing to draft from: record from before the tool connects{truncated}"
    )]
    NoRequest {
        /// Frames in the other direction.
        replies: usize,
        /// Bytes that belong to no frame.
        noise_bytes: u64,
        /// Bytes that were not recorded.
        missing_bytes: u64,
        /// Where the recording broke off, in words, or nothing.
        truncated: String,
    },
    /// What was recorded does not fit into a scenario.
    #[error("what was recorded makes no scenario, so replay the capture instead: {0}")]
    Unusable(#[from] ScenarioError),
}

impl Draft {
    /// Makes the drafted devices without any file; for a draft without series.
    ///
    /// # Errors
    /// If it has series, whose files only the caller can write.
    pub fn build(&self, seed: Seed) -> Result<World, ScenarioError> {
        Loaded::parse("draft", &self.yaml)?.build(seed)
    }
}

/// A synthetic device in the place of a recorded one, to answer what nobody asked it: the one with this id, or the
/// first; its values are those of the last reading.
///
/// # Errors
/// If nothing was asked in the recording, or what was recorded makes no scenario.
pub fn stand_in(
    transcript: &Transcript,
    id: Option<&str>,
    seed: Seed,
) -> Result<Box<dyn Device>, Box<dyn Error>> {
    let options = DraftOptions {
        series: false,
        ..DraftOptions::default()
    };
    let draft = draft(transcript, &options)?;
    let mut residents = draft.build(seed)?.residents;
    let same = residents.iter().position(|one| id == Some(one.id.as_str()));
    Ok(residents.swap_remove(same.unwrap_or(0)).device)
}

/// Drafts a scenario.
///
/// # Errors
/// If nothing was asked in the recording.
pub fn draft(transcript: &Transcript, options: &DraftOptions) -> Result<Draft, DraftError> {
    let recorded = session::devices(transcript);
    if recorded.is_empty() {
        return Err(no_request(transcript));
    }
    let ids = ids(&recorded);
    let mut devices = Vec::new();
    for (index, (recorded, id)) in recorded.iter().zip(&ids).enumerate() {
        // Files of several devices must not meet.
        let folder = match index {
            0 => options.folder.clone(),
            _ => format!("{}/device-{}", options.folder, index + 1),
        };
        // What is still lacking is seen without files; of the last reading, as there is no time in it.
        let mut bare = DeviceDraft::new(recorded, id.clone());
        let yaml = assemble_devices(&[bare.lines(&bare.pack())]);
        let answers = probe::ask(&format!("version: 1\n{yaml}"), &recorded.requests())?;
        bare.complete(&answers);
        devices.push(bare.with_series(options.series, folder));
    }
    let evidence: Vec<Evidence> = recorded
        .iter()
        .zip(&ids)
        .flat_map(|(recorded, id)| evidence::evidence(recorded, id))
        .collect();
    let packs: Vec<bms::Pack> = devices.iter().map(DeviceDraft::pack).collect();
    let lines: Vec<Vec<String>> = devices
        .iter()
        .zip(&packs)
        .map(|(one, pack)| one.lines(pack))
        .collect();
    let summaries: Vec<DraftedDevice> = devices.iter().map(summary).collect();
    let mut yaml = head(transcript, options, &summaries);
    yaml += &assemble_devices(&lines);
    yaml += &quirks(&evidence, ids.len() > 1);
    for line in devices.first().map(client::client).unwrap_or_default() {
        yaml += &line;
        yaml.push('\n');
    }
    // A mistake in what was written shows here and not at the reader's.
    Loaded::parse("draft", &yaml)?;
    Ok(Draft {
        yaml,
        tables: packs.into_iter().flat_map(|pack| pack.tables).collect(),
        devices: summaries,
        evidence,
    })
}

fn no_request(transcript: &Transcript) -> DraftError {
    let replies = transcript.entries.iter().filter(|entry| {
        matches!(entry.kind, Kind::Frame(_)) && entry.direction == Some(Direction::ToTool)
    });
    let counts = transcript.count();
    let truncated = transcript.truncated.as_ref();
    DraftError::NoRequest {
        replies: replies.count(),
        noise_bytes: counts.noise_bytes,
        missing_bytes: counts.missing_bytes,
        truncated: truncated.map_or_else(String::new, |where_| format!("; {where_}")),
    }
}

/// The recorded ids, and made-up ones for devices without a login or with an id that a scenario cannot have.
fn ids(devices: &[Recorded]) -> Vec<String> {
    let is_usable = |id: &&String| login_problem(id, "id").is_none() && !id.contains(['{', '}']);
    let mut taken: BTreeSet<String> = devices.iter().filter_map(|one| one.id.clone()).collect();
    let mut made_up = (1..).map(|number: u32| format!("DRAFT-{number:04}"));
    devices
        .iter()
        .map(|device| match device.id.as_ref().filter(is_usable) {
            Some(id) => id.clone(),
            None => {
                let free = made_up.find(|id| !taken.contains(id)).unwrap_or_default();
                taken.insert(free.clone());
                free
            }
        })
        .collect()
}

fn assemble_devices(devices: &[Vec<String>]) -> String {
    let mut text = String::from("devices:\n");
    for line in devices.iter().flatten() {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// What the file is about, and what was asked in the recording.
fn head(transcript: &Transcript, options: &DraftOptions, devices: &[DraftedDevice]) -> String {
    let source = in_comment(&options.source);
    let asked: usize = devices
        .iter()
        .flat_map(|one| &one.commands)
        .map(|one| one.asked)
        .sum();
    let answered: usize = devices
        .iter()
        .flat_map(|one| &one.commands)
        .map(|one| one.answered)
        .sum();
    let lasted = transcript
        .entries
        .iter()
        .filter_map(|entry| entry.at_ns)
        .max()
        .map(Duration::from_nanos);
    let mut text = format!(
        "# Drafted from {source}: {} in {}, {answered} answered.\n\
         # Times in comments are those of `veschub-sim decode`.\n",
        count(asked, "request", "requests"),
        span(lasted.unwrap_or_default()),
    );
    if let Some(truncated) = &transcript.truncated {
        let _ = writeln!(
            text,
            "# The recording is not whole: {}",
            in_comment(&truncated.to_string())
        );
    }
    for device in devices {
        let _ = writeln!(text, "#\n# Asked of {}:", in_comment(&device.id));
        for one in &device.commands {
            let _ = writeln!(text, "#   {one}");
        }
    }
    let about = quoted(&format!(
        "What a tool saw in {}, drafted from the recording.",
        options.source
    ));
    let _ = write!(text, "version: 1\nabout: {about}\n");
    text
}

impl std::fmt::Display for CommandSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {}",
            self.request,
            count(self.asked, "time", "times")
        )?;
        match (self.answered, self.latency_s) {
            (0, _) => return f.write_str(", never answered"),
            (answered, _) if answered < self.asked => write!(f, ", {answered} answered")?,
            _ => {}
        }
        let lengths: Vec<String> = self.reply_lengths.iter().map(ToString::to_string).collect();
        write!(f, ", {} bytes", lengths.join(" or "))?;
        match self.latency_s {
            Some(latency) => write!(f, ", after {}", span(Duration::from_secs_f64(latency))),
            None => Ok(()),
        }
    }
}

fn summary(device: &DeviceDraft<'_>) -> DraftedDevice {
    let commands = device.recorded.requests().into_iter().map(|request| {
        let all = || device.recorded.of(request);
        let payloads = all().filter_map(session::Exchange::payload);
        let lengths: BTreeSet<usize> = payloads.map(<[u8]>::len).collect();
        let latency = median(all().filter_map(session::Exchange::latency));
        CommandSummary {
            request: evidence::name(request),
            asked: all().count(),
            answered: all().filter(|one| one.reply.is_some()).count(),
            reply_lengths: lengths.into_iter().collect(),
            latency_s: latency.map(|latency| latency.as_micros() as f64 / 1e6),
        }
    });
    DraftedDevice {
        id: device.id.clone(),
        sessions: device.recorded.sessions.len(),
        bms_readings: device.readings.len(),
        commands: commands.collect(),
    }
}

/// The quirks that the recording speaks about, as comments where they would stand.
fn quirks(evidence: &[Evidence], several: bool) -> String {
    let mut text = String::from(
        "# What the recording says of quirks (`veschub-sim quirks` lists them); none is switched on here.\n",
    );
    for one in evidence.iter().filter(|one| one.finding != Finding::NoWord) {
        let device = if several {
            format!("{}: ", one.device)
        } else {
            String::new()
        };
        let _ = writeln!(text, "#   {}", in_comment(&format!("{device}{one}")));
        for seen in &one.seen {
            let _ = writeln!(text, "#     {}", in_comment(&seen.to_string()));
        }
    }
    text
}
