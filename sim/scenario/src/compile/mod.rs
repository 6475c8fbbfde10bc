//! What a scenario means: checks that need more than one key, and the making of hub and devices.

mod check;
mod configs;
mod definition;
mod device;
mod fault;
mod id_pattern;
#[cfg(test)]
mod pack_tests;
mod series;

use std::{
    collections::BTreeMap,
    io::{self, BufReader},
    path::Path,
    time::Duration,
};

use veschub_transcript::{Options, Transcript, live::is_masked};
use veschub_wire::login::normalise_id;

use super::{
    error::ScenarioError,
    files::Files,
    schema::{self, QuirkEntry, Scenario},
    source::{Place, Source},
};
pub(super) use check::check;
pub use check::login_problem;
use check::take_id;
use configs::load_configs;
pub(super) use device::packs;
use series::read_series;
use veschub_hub::{
    carrier::LinkKeys,
    device::{Device, Replay, bms::Series, replay::Recording},
    fault::FaultPlan,
    hub::{Access, Hub, HubConfig, Resident},
    rng::Seed,
};

/// What a hub is made of, and what a client needs to know of it.
pub struct World {
    /// How the hub behaves.
    pub config: HubConfig,
    /// The devices, ids normalised, in the order of the scenario.
    pub residents: Vec<Resident>,
    /// The devices as a client sees them, in the same order.
    pub targets: Vec<Target>,
    /// Harm to the links of every session.
    pub faults: FaultPlan,
    /// Decides what is random about the harm.
    pub seed: Seed,
    /// Whether there is no hub: clients are connected to the only device, without a login.
    pub is_direct: bool,
}

impl World {
    /// The hub with all its devices.
    #[must_use]
    pub fn into_hub(self) -> Hub {
        Hub::new(self.config, self.residents).with_faults(self.faults, self.seed)
    }

    /// What clients connect to: the hub with all its devices, or the only device, if there is no hub.
    #[must_use]
    pub fn into_server(self) -> Hub {
        match (self.is_direct, self.residents.is_empty()) {
            (true, false) => {
                let Self {
                    config,
                    mut residents,
                    faults,
                    seed,
                    ..
                } = self;
                Hub::direct(config, residents.swap_remove(0)).with_faults(faults, seed)
            }
            _ => self.into_hub(),
        }
    }

    /// The first device as its own server, without a hub; `None` if there is no device.
    #[must_use]
    pub fn into_device(self) -> Option<Hub> {
        let first = self.residents.into_iter().next()?;
        Some(Hub::direct(self.config, first).with_faults(self.faults, self.seed))
    }
}

/// A device as a client sees it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The id to log in with.
    pub id: String,
    /// The password to log in with; any will do where there is none.
    pub password: Option<String>,
    /// What was recorded, for a device made from a recording.
    pub recording: Option<Recording>,
}

/// Makes the hub and its devices.
pub(super) fn compile(
    scenario: &Scenario,
    source: &Source,
    (folder, files): (&Path, &dyn Files),
    seed: Seed,
) -> Result<World, ScenarioError> {
    let mut residents = Vec::new();
    let mut targets = Vec::new();
    let mut ids = BTreeMap::new();
    let mut series = Series::new();
    let mut add =
        |index: usize, target: Target, device: Box<dyn Device>, link: Option<LinkKeys>| {
            // A recording brings its own id, which no check of the text can know.
            let place = Place::root().key("devices").index(index).only().key("id");
            take_id(&mut ids, target.id.clone(), place, source)?;
            let access = target
                .password
                .clone()
                .map_or(Access::Anyone, Access::Password);
            residents.push(Resident {
                id: target.id.clone(),
                access,
                device,
                link,
                quirks: scenario.quirks.iter().map(QuirkEntry::arm).collect(),
            });
            targets.push(target);
            Ok(())
        };
    for (index, device) in scenario.devices.iter().enumerate() {
        if let Some(outfit) = device.outfit() {
            let place = Place::root().key("devices").index(index).key(outfit.kind);
            if let schema::Device::Motor(motor) = device {
                load_configs(&motor.node, &place, source, (folder, files))?;
            }
            for (index, node) in outfit.can.iter().enumerate() {
                let place = place.clone().key("can").index(index).only();
                load_configs(node.settings(), &place, source, (folder, files))?;
            }
            for (named, place) in device::files(&outfit, device, &place) {
                read_series(&named, &mut series, &place, source, (folder, files))?;
            }
            let mut ids = device::ids(&outfit);
            if ids.is_empty() {
                ids.push(outfit.kind.to_owned());
            }
            for id in ids {
                let target = Target {
                    id: normalise_id(&id),
                    password: outfit.password.map(str::to_owned),
                    recording: None,
                };
                let seed = seed.derive(&target.id);
                if let Some(board) = device::board(device, &id, seed, &series) {
                    add(index, target, Box::new(board), outfit.link.cloned())?;
                }
            }
        }
        if let schema::Device::Replay(replay) = device {
            let place = Place::root().key("devices").index(index).key("replay");
            let wrong =
                |message: String| ScenarioError::at(source, place.clone().key("capture"), message);
            let (transcript, recording) = open_recording(files, &folder.join(&replay.capture))
                .map_err(|error| wrong(error.to_string()))?;
            let target = replay_target(
                recording.clone(),
                replay.id.as_deref(),
                replay.password.as_deref(),
            )
            .ok_or_else(|| {
                ScenarioError::at(
                    source,
                    place.clone(),
                    "the recording holds no login, so the device has no id",
                )
                .help("give it an `id`")
            })?;
            let id = recording.login.as_ref().map(|login| login.id.clone());
            let mut device = Replay::new(recording, device::replay_rules(replay));
            if replay.unknown == schema::Unknown::Synthetic {
                let stand_in = files
                    .stand_in(&transcript, id.as_deref(), seed)
                    .map_err(|error| wrong(error.to_string()))?;
                device = device.with_stand_in(stand_in);
            }
            add(index, target, Box::new(device), None)?;
        }
    }
    Ok(World {
        config: scenario.hub.config(),
        residents,
        targets,
        faults: FaultPlan::from(scenario.faults.clone()),
        is_direct: scenario.is_direct(),
        seed: seed.derive("faults"),
    })
}

/// Why a capture cannot be replayed.
#[derive(Debug, thiserror::Error)]
enum RecordingError {
    #[error("cannot open {0}: {1}; a relative path starts at the scenario's folder")]
    Open(String, io::Error),
    #[error("cannot read {0}: {1}")]
    Read(String, veschub_transcript::CaptureError),
    #[error("{0} holds no request to a VESC device")]
    NoRequest(String),
}

/// The recording in a capture file.
fn open_recording(
    files: &dyn Files,
    path: &Path,
) -> Result<(Transcript, Recording), RecordingError> {
    let shown = || path.display().to_string();
    let file = files
        .open(path)
        .map_err(|error| RecordingError::Open(shown(), error))?;
    let transcript = Transcript::from_capture(BufReader::new(file), &Options::default())
        .map_err(|error| RecordingError::Read(shown(), error))?;
    let recording = Recording::from_transcript(&transcript);
    if recording.requests.is_empty() {
        return Err(RecordingError::NoRequest(shown()));
    }
    Ok((transcript, recording))
}

/// Who may talk to a replayed device: as recorded, unless said otherwise; `None` without any id.
#[must_use]
pub fn replay_target(
    recording: Recording,
    id: Option<&str>,
    password: Option<&str>,
) -> Option<Target> {
    let login = recording.login.as_ref();
    // What was recorded with the password masked does not tell which one it was, so that any will do.
    let recorded = login
        .map(|login| login.password.reveal())
        .filter(|password| !is_masked(password));
    Some(Target {
        id: id.map(normalise_id).or_else(|| Some(login?.id.clone()))?,
        password: password.or(recorded).map(str::to_owned),
        recording: Some(recording),
    })
}

fn duration(duration: super::duration::Duration) -> Duration {
    duration.get()
}
