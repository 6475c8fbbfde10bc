//! What a client sends at most, as far as its task decides that.

use veschub_wire::{CommandId, Firmware, Request};

use crate::{
    duration::Duration,
    schema::{Client, KeepBy, Setting},
};

/// Requests with how often each is sent at most.
pub(super) struct Program(Vec<(Request, usize)>);

impl Program {
    /// What a task sends; nothing where something else decides that, such as a recording.
    pub(super) fn of(client: &Client) -> Option<Self> {
        let once = |requests: Vec<Request>| {
            let requests = requests.into_iter().map(|request| (request, 1));
            Some(Self(requests.collect()))
        };
        match client {
            Client::ReadBms(_) => once(vec![
                Request::FwVersion,
                Request::GetCustomConfig { index: 0 },
                Request::PingCan,
                Request::BmsGetValues,
            ]),
            Client::PollBms(poll) => {
                let polls = polls(Some(poll.every), Some(poll.lasts));
                Some(Self(vec![
                    (Request::FwVersion, 1),
                    (Request::BmsGetValues, polls),
                ]))
            }
            Client::ReadMotor(read) => {
                let forward = |request| at(read.can_id, request);
                let polls = polls(read.every, read.lasts);
                Some(Self(vec![
                    (forward(Request::FwVersion), 1),
                    (forward(Request::GetValues), polls),
                    (forward(Request::GetValuesSetup), 1),
                ]))
            }
            Client::Drive(drive) => {
                let often = polls(Some(drive.every), Some(drive.lasts));
                let set = drive.setting().and_then(|set| decoded(&set.payload()));
                let mut all = vec![(at(drive.can_id, Request::FwVersion), 1)];
                // It stops the motor behind the last one, and reads what became of it.
                all.push((
                    at(drive.can_id, Request::GetValues),
                    often.saturating_add(1),
                ));
                all.extend(set.map(|set| (at(drive.can_id, set), often)));
                all.extend(released(drive.can_id));
                Some(Self(all))
            }
            Client::KeepAlive(keep) => {
                let often = polls(Some(keep.every), Some(keep.lasts));
                let set = keep.setting().and_then(|set| decoded(&set.payload()));
                let (sets, alive) = match keep.by {
                    KeepBy::Alive => (1, often),
                    KeepBy::Set => (often, 0),
                };
                let mut all = vec![(at(keep.can_id, Request::Alive), alive)];
                all.retain(|(_, often)| *often > 0);
                all.extend(set.map(|set| (at(keep.can_id, set), sets)));
                all.extend(released(keep.can_id));
                Some(Self(all))
            }
            Client::ReadConfig(read) => once(
                read.request()
                    .into_iter()
                    .map(|request| at(read.can_id, request))
                    .collect(),
            ),
            Client::ReadApp(read) => {
                let request = read.request().map(|request| at(read.can_id, request));
                let often = polls(read.every, read.lasts);
                Some(Self(request.into_iter().map(|one| (one, often)).collect()))
            }
            Client::Read(read) => Some(Self(vec![(read.sent(), polls(read.every, read.lasts))])),
            // Whom the scan finds is asked who it is; no bus has more ids than 255.
            Client::ScanCan(_) => Some(Self(vec![
                (Request::PingCan, 1),
                (Request::forward(0, &Request::FwVersion), 255),
            ])),
            Client::Send(send) => {
                let requests = send.requests.iter().map(|words| words.0.clone());
                once(requests.collect())
            }
            Client::PlayRecording(_) => None,
        }
    }

    /// The client has read this firmware, and does not send what that does not know.
    pub(super) fn spare(&mut self, firmware: Firmware) {
        if firmware < Firmware::FIRST_WITH_VALUES_SETUP {
            let setup = CommandId::GET_VALUES_SETUP;
            self.0
                .retain(|(request, _)| request.reply_id() != Some(setup));
        }
    }

    /// Each request once.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.0.iter().map(|(request, _)| request.clone()).collect()
    }

    /// How often a command is sent at most, itself and not inside of FORWARD_CAN.
    pub(super) fn sends(&self, id: CommandId) -> usize {
        let same = self.0.iter().filter(|(request, _)| request.id() == id);
        total(same)
    }

    /// How many requests are sent at most.
    pub(super) fn length(&self) -> usize {
        total(self.0.iter())
    }

    /// Whether the reply to one of the requests has this command.
    pub(super) fn replies(&self, id: CommandId) -> bool {
        self.0
            .iter()
            .any(|(request, _)| request.reply_id() == Some(id))
    }

    /// Whether a command is asked for, itself or inside of FORWARD_CAN.
    pub(super) fn asks(&self, id: CommandId) -> bool {
        self.sends(id) > 0 || self.replies(id)
    }

    /// The commands that are sent, for a message.
    pub(super) fn listed(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for (request, _) in &self.0 {
            let name = request.id().to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }

    /// The commands of the replies, for a message.
    pub(super) fn replies_listed(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for id in self.0.iter().filter_map(|(request, _)| request.reply_id()) {
            let name = id.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }
}

/// A request to a node, or to the device itself.
fn at(can_id: Option<u8>, request: Request) -> Request {
    match can_id {
        Some(can_id) => Request::forward(can_id, &request),
        None => request,
    }
}

/// The command that ends each drive: a current of 0.
fn released(can_id: Option<u8>) -> Option<(Request, usize)> {
    let stop = decoded(&Setting::CurrentA(0.0).payload())?;
    Some((at(can_id, stop), 1))
}

fn decoded(payload: &[u8]) -> Option<Request> {
    Request::decode(payload).ok().map(|decoded| decoded.body)
}

/// How often a client asks at most; once, if nobody says for how long.
fn polls(every: Option<Duration>, lasts: Option<Duration>) -> usize {
    let (Some(every), Some(lasts)) = (every, lasts) else {
        return 1;
    };
    // The client's grid is no finer than 1 ms.
    usize::try_from(lasts.0.div_ceil(every.0.max(1_000_000))).unwrap_or(usize::MAX)
}

fn total<'a>(requests: impl Iterator<Item = &'a (Request, usize)>) -> usize {
    requests.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}
