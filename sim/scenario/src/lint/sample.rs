//! What the simulated device answers, found out by asking it: the surest way to know the fields of a reply.

use std::time::Duration;

use veschub_wire::{
    CommandId, Firmware, Reply, Request,
    view::{Fields, View},
};

use veschub_hub::{
    device::{Device, DeviceEvent, Out},
    time::Time,
};

/// When a client asks first, after its login.
const FIRST: Duration = Duration::from_millis(50);

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A device that has more to do than this is not waited for any longer.
const MAX_STEPS: usize = 10_000;

/// Requests, and all replies that came.
pub(super) struct Sample {
    requests: Vec<Request>,
    answers: Vec<Answer>,
    firmware: Option<Firmware>,
}

/// A reply as a client understands it.
pub(super) struct Answer {
    pub(super) id: CommandId,
    pub(super) fields: Fields,
}

impl Sample {
    /// Asks a device, at first everything at once, then one after the other: whatever the client's manner is, what is
    /// never answered here is not answered there. Nothing comes of requests that change the device.
    pub(super) fn ask(device: &mut dyn Device, requests: &[Request]) -> Option<Self> {
        if requests.iter().any(Request::is_never_answered) {
            return None;
        }
        let mut sample = Self {
            requests: requests.to_vec(),
            answers: Vec::new(),
            firmware: None,
        };
        let mut out = Out::default();
        device.session_begins(Time::ZERO);
        let mut now = sample.listen(device, &mut out, Time::ZERO, Time::ZERO + FIRST);
        for request in requests {
            device.handle(now, &request.encode(), &mut out);
        }
        now = sample.listen(device, &mut out, now, now + PATIENCE);
        for request in requests {
            device.handle(now, &request.encode(), &mut out);
            now = sample.listen(device, &mut out, now, now + PATIENCE);
        }
        Some(sample)
    }

    /// Lets a device do what it has to until then.
    fn listen(
        &mut self,
        device: &mut dyn Device,
        out: &mut Out,
        mut now: Time,
        until: Time,
    ) -> Time {
        for _ in 0..MAX_STEPS {
            while let Some((_, event)) = out.pop() {
                self.understand(&event);
            }
            let due = device.poll_timeout().filter(|due| *due <= until);
            let Some(due) = due else {
                break;
            };
            now = now.max(due);
            device.handle_timeout(now, out);
        }
        until
    }

    /// The replies that had a command.
    pub(super) fn answers(&self, id: CommandId) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(move |answer| answer.id == id)
    }

    /// The requests that nothing came back for.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Request> {
        let answered =
            |request: &&Request| Some(self.answers(request.reply_id()?).next().is_some());
        let silent = self.requests.iter();
        silent.filter(move |request| answered(request) == Some(false))
    }

    /// The firmware that the device told.
    pub(super) fn firmware(&self) -> Option<Firmware> {
        self.firmware
    }

    /// Only these requests are sent after all.
    pub(super) fn only(&mut self, requests: &[Request]) {
        self.requests.retain(|request| requests.contains(request));
    }

    fn understand(&mut self, event: &DeviceEvent) {
        let DeviceEvent::Reply { payload, .. } = event else {
            return;
        };
        let Some(&id) = payload.first() else {
            return;
        };
        let reply = Reply::decode(payload).ok().map(|reply| reply.body);
        if let Some(Reply::FwVersion(version)) = &reply {
            self.firmware = Some(version.firmware());
        }
        self.answers.push(Answer {
            id: CommandId(id),
            fields: reply.map(|reply| reply.fields()).unwrap_or_default(),
        });
    }
}
