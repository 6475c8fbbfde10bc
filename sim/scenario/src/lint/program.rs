//! What a client sends at most, as far as its task decides that.

use veschub_wire::{CommandId, Request};

use crate::{duration::Duration, schema::Client};

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
                let forward = |request| Request::forward(read.can_id, &request);
                let polls = polls(read.every, read.lasts);
                Some(Self(vec![
                    (forward(Request::FwVersion), 1),
                    (forward(Request::GetValues), polls),
                    (forward(Request::GetValuesSetup), 1),
                ]))
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
