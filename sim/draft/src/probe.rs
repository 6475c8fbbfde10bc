//! What the drafted device answers, found out by asking it: the surest way to know what a draft still lacks.

use std::{collections::BTreeMap, time::Duration};

use veschub_wire::{
    CommandId, Reply, Request,
    view::{Fields, View},
};

use veschub_hub::{
    device::{Device, DeviceEvent, Out},
    rng::Seed,
    time::Time,
};
use veschub_scenario::{Loaded, ScenarioError};

/// How long an answer is waited for: longer than a scan takes.
const PATIENCE: Duration = Duration::from_secs(6);
/// A device that has more to do than this is not waited for any longer.
const MAX_STEPS: usize = 10_000;

/// Replies by request.
pub(super) type Answers = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

/// Asks the first device of a scenario, one request after the other. Requests that only act are left out.
pub(super) fn ask(yaml: &str, requests: &[&[u8]]) -> Result<Answers, ScenarioError> {
    let loaded = Loaded::parse("draft", yaml)?;
    let mut world = loaded.build(Seed(0))?;
    let mut answers = Answers::new();
    let Some(resident) = world.residents.first_mut() else {
        return Ok(answers);
    };
    let device = resident.device.as_mut();
    let mut now = Time::ZERO;
    let mut out = Out::default();
    device.session_begins(now);
    for &request in requests {
        let acts = Request::decode(request).is_ok_and(|request| request.body.is_never_answered());
        if !acts {
            device.handle(now, request, &mut out);
            let replies = listen(device, &mut out, &mut now);
            answers.insert(request.to_vec(), replies);
        }
    }
    Ok(answers)
}

fn listen(device: &mut dyn Device, out: &mut Out, now: &mut Time) -> Vec<Vec<u8>> {
    let until = *now + PATIENCE;
    let mut replies = Vec::new();
    for _ in 0..MAX_STEPS {
        while let Some((_, event)) = out.pop() {
            if let DeviceEvent::Reply { payload, .. } = event {
                replies.push(payload);
            }
        }
        let Some(due) = device.poll_timeout().filter(|due| *due <= until) else {
            break;
        };
        *now = (*now).max(due);
        device.handle_timeout(*now, out);
    }
    *now = until;
    replies
}

/// Whether a drafted reply says what the recorded one said, as far as a simulated device can.
pub(super) fn is_alike(recorded: &[u8], drafted: &[u8]) -> bool {
    if recorded.first() != drafted.first() {
        return false;
    }
    match CommandId(recorded.first().copied().unwrap_or_default()) {
        // The device has a config of its own, for the recorded one holds Wi-Fi keys and the password for the hub.
        CommandId::GET_CUSTOM_CONFIG_XML
        | CommandId::GET_CUSTOM_CONFIG
        | CommandId::GET_CUSTOM_CONFIG_DEFAULT
        | CommandId::SET_CUSTOM_CONFIG => true,
        // Measurements differ from one moment to the next.
        CommandId::GET_VALUES
        | CommandId::GET_VALUES_SETUP
        | CommandId::GET_VALUES_SELECTIVE
        | CommandId::GET_VALUES_SETUP_SELECTIVE
        | CommandId::GET_IMU_DATA
        | CommandId::GET_STATS
        | CommandId::BMS_GET_VALUES => recorded.len() == drafted.len(),
        CommandId::FW_VERSION => identity(recorded) == identity(drafted),
        _ => recorded == drafted,
    }
}

/// Who a device says it is, without what is each device's own.
fn identity(payload: &[u8]) -> Option<Fields> {
    let reply = Reply::decode(payload)
        .ok()
        .filter(|reply| reply.trailing.is_empty())?;
    let Reply::FwVersion(mut version) = reply.body else {
        return None;
    };
    version.uuid = version.uuid.map(|_| [0; 12]);
    version.config_crc = version.config_crc.map(|_| 0);
    Some(version.fields())
}
