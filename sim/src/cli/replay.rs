//! `veschub-sim replay`: recorded devices answer again.

use std::path::Path;

use veschub_hub::{
    device::{
        self, Device,
        replay::{AtEnd, Order, Pace, Recording, Rules},
    },
    hub::{Access, Hub, HubConfig, Resident},
    rng::Seed,
};
use veschub_scenario::compile::{login_problem, replay_target};
use veschub_transcript::{Options, Transcript};

use super::{
    AtEndArg, Failure, HUB_PORT, OrderArg, PaceArg, ReplayArgs, TalkArgs, UnknownArg, capture,
    journal::About,
    live::{How, run},
    process::counted,
    voice::Voice,
};

/// The id of a replayed device whose recording does not hold one.
const REPLAY_ID: &str = "REPLAY";

pub(super) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    args.listen.check_tui()?;
    let voice = Voice::stderr()?;
    let given = args.ids.iter().map(|id| (id, "id"));
    for (text, key) in given.chain(args.password.iter().map(|text| (text, "password"))) {
        if let Some((problem, why)) = login_problem(text, key) {
            return Err(Failure::Text(format!("--{key}: {problem}; {why}")));
        }
    }
    let mut ids = args.ids.iter();
    let mut residents: Vec<Resident> = Vec::new();
    for path in &args.captures {
        let transcript = transcript(path, args.listen.talk, &voice)?;
        for recording in recordings(path, &transcript)? {
            let stand_in = stand_in(args, path, &transcript, &recording)?;
            let id = ids.next().map(String::as_str);
            let resident = recorded_device(args, path, recording, id, stand_in, &voice)?;
            if residents.iter().any(|other| other.id == resident.id) {
                return Err(Failure::Text(format!(
                    "{}: another device has the id {} already; give each its own: repeat --id once per device",
                    path.display(),
                    resident.id
                )));
            }
            residents.push(resident);
        }
    }
    if let Some(id) = ids.next() {
        return Err(Failure::Text(format!(
            "--id {id}: there is no device for it, only {}",
            counted(residents.len(), "device", "devices")
        )));
    }
    let about = About::new(None, &residents);
    if !args.direct {
        let hub = Hub::new(HubConfig::default(), residents);
        return run(hub, about, &args.listen, How::at(HUB_PORT), voice);
    }
    let count = residents.len();
    match (count, residents.pop()) {
        (1, Some(alone)) => run(
            Hub::direct(HubConfig::default(), alone),
            about,
            &args.listen,
            How::direct(),
            voice,
        ),
        _ => Err(Failure::Text(format!(
            "--direct serves one device, and {count} were recorded: leave it out, and give each an id with --id"
        ))),
    }
}

fn transcript(path: &Path, talk: TalkArgs, voice: &Voice) -> Result<Transcript, Failure> {
    let name = path.display();
    let input = capture::open(path)?;
    let transcript = Transcript::from_capture(input, &Options::default())
        .map_err(|error| Failure::Text(format!("{name}: {error}")))?;
    if let Some(truncated) = transcript.truncated.as_ref().filter(|_| !talk.quiet) {
        voice.say(format_args!("warning: {name}: {truncated}"));
    }
    Ok(transcript)
}

/// What a capture holds of each device.
fn recordings(path: &Path, transcript: &Transcript) -> Result<Vec<Recording>, Failure> {
    let recordings = Recording::devices(transcript);
    if recordings.is_empty() {
        let name = path.display();
        return Err(Failure::Text(format!(
            "{name} has no request to a VESC device; `veschub-sim decode {name}` shows what it contains"
        )));
    }
    Ok(recordings)
}

/// Who answers what was not recorded, if anybody is to.
fn stand_in(
    args: &ReplayArgs,
    path: &Path,
    transcript: &Transcript,
    recording: &Recording,
) -> Result<Option<Box<dyn Device>>, Failure> {
    if args.unknown == UnknownArg::Silent {
        return Ok(None);
    }
    let id = recording.login.as_ref().map(|login| login.id.as_str());
    // The recording is played as it is each time, and so is who stands in for it.
    let device = veschub_draft::stand_in(transcript, id, Seed(0)).map_err(|error| {
        Failure::Text(format!("{}: --unknown synthetic: {error}", path.display()))
    })?;
    Ok(Some(device))
}

fn recorded_device(
    args: &ReplayArgs,
    path: &Path,
    recording: Recording,
    id: Option<&str>,
    stand_in: Option<Box<dyn Device>>,
    voice: &Voice,
) -> Result<Resident, Failure> {
    let (requests, replies) = (recording.requests.len(), recording.replies.len());
    let has_login = recording.login.is_some();
    let password = args.password.as_deref();
    let target = replay_target(recording.clone(), id, password)
        .or_else(|| replay_target(recording.clone(), Some(REPLAY_ID), password));
    let Some(target) = target else {
        return Err(Failure::Text(format!(
            "{}: no id to log in with",
            path.display()
        )));
    };
    if !args.listen.talk.quiet {
        let requests = counted(requests, "request", "requests");
        let replies = counted(replies, "reply", "replies");
        voice.say(format_args!("{requests} and {replies} recorded"));
        let password = match (&args.password, &target.password, has_login) {
            (Some(_), _, _) => "the given password",
            (None, Some(_), _) => "the recorded password",
            (None, None, true) => {
                "any password, as the recorded one is masked; --password sets one"
            }
            (None, None, false) => {
                "any password, as the recording holds no login; --direct serves it without one"
            }
        };
        if !args.direct {
            voice.say(format_args!(
                "tools log in as {} with {password}",
                target.id
            ));
        }
    }
    let mut device = device::Replay::new(recording, args.rules());
    if let Some(stand_in) = stand_in {
        device = device.with_stand_in(stand_in);
    }
    Ok(Resident {
        id: target.id,
        access: target.password.map_or(Access::Anyone, Access::Password),
        device: Box::new(device),
        link: None,
        quirks: Vec::new(),
    })
}

impl ReplayArgs {
    fn rules(&self) -> Rules {
        Rules {
            pace: match (self.pace, self.speed) {
                (_, Some(speed)) => Pace::Scaled(speed),
                (PaceArg::Recorded, None) => Pace::Recorded,
                (PaceArg::Immediate, None) => Pace::Immediate,
            },
            order: match self.order {
                OrderArg::ByRequest => Order::ByRequest,
                OrderArg::Strict => Order::Strict,
            },
            at_end: match self.at_end {
                AtEndArg::Hold => AtEnd::Hold,
                AtEndArg::Wrap => AtEnd::Wrap,
                AtEndArg::Silent => AtEnd::Silent,
            },
        }
    }
}
