//! What the simulated device answers, found out by asking it: the surest way to know the fields of a reply.

use veschub_wire::{
    CommandId, Reply, Request,
    view::{Fields, View},
};

use crate::{
    device::{Device, DeviceOutput},
    time::Time,
};

/// A device that has so much to do after a request does more than answer it.
const MAX_STEPS: usize = 10_000;

/// Requests, each with the replies that it had.
pub(super) struct Sample(Vec<(Request, Vec<Answer>)>);

/// A reply as a client understands it.
pub(super) struct Answer {
    pub(super) id: CommandId,
    pub(super) fields: Fields,
}

impl Sample {
    /// Asks a device one request after the other, each when the device has done all that the former one caused.
    pub(super) fn ask(device: &mut dyn Device, requests: &[Request]) -> Self {
        let mut now = Time::ZERO;
        device.session_begins(now);
        let ask = |request: &Request| {
            device.handle(now, &request.encode());
            let mut answers = Vec::new();
            for _ in 0..MAX_STEPS {
                while let Some(output) = device.poll_output() {
                    answers.extend(understood(&output));
                }
                let Some(due) = device.poll_timeout() else {
                    break;
                };
                now = now.max(due);
                device.handle_timeout(now);
            }
            (request.clone(), answers)
        };
        Self(requests.iter().map(ask).collect())
    }

    /// The replies that had a command.
    pub(super) fn answers(&self, id: CommandId) -> impl Iterator<Item = &Answer> {
        let answers = self.0.iter().flat_map(|(_, answers)| answers);
        answers.filter(move |answer| answer.id == id)
    }

    /// The requests that nothing came back for.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Request> {
        let silent = self.0.iter().filter(|(request, answers)| {
            let wanted = request.reply_id();
            !answers.iter().any(|answer| Some(answer.id) == wanted)
        });
        silent.map(|(request, _)| request)
    }
}

fn understood(output: &DeviceOutput) -> Option<Answer> {
    let DeviceOutput::Reply { payload, .. } = output else {
        return None;
    };
    let reply = Reply::decode(payload).ok()?.body;
    Some(Answer {
        id: reply.id(),
        fields: reply.fields(),
    })
}
