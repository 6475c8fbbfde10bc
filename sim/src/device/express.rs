//! A VESC Express: the radio module that logs in to hubs, with a BMS and a CAN bus behind it.
//!
//! Ordinary commands are answered one after the other. PING_CAN runs in a worker for seconds; meanwhile other
//! commands are answered, and a second one is dropped without a word (`EX main/commands.c:1088-1099`). Commands that
//! an Express does not handle are ignored: there is no error reply in this protocol.

use std::{collections::VecDeque, time::Duration};

use veschub_wire::{
    CommandId, Reply, Request,
    command::{CustomConfig, ExpressConfig, FwVersion},
};

use super::{CanBus, Device, DeviceOutput, bms::Bms, queue::Queue};
use crate::time::Time;

/// Stands for the order and types of the config's fields. Ours, so that nobody takes it for a real firmware's.
const CONFIG_SIGNATURE: u32 = 0x5653_494D;

/// Who an Express says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressIdentity {
    /// The reply to FW_VERSION.
    pub firmware: FwVersion,
    /// The reply to GET_CUSTOM_CONFIG.
    pub config: ExpressConfig,
    /// From a request's arrival at the hub to the reply's departure: the way to the device and back, and its work.
    pub reply_after: Duration,
}

/// A simulated VESC Express.
pub struct Express {
    identity: ExpressIdentity,
    bms: Bms,
    can: CanBus,
    jobs: Queue<Job>,
    scanning: bool,
    output: VecDeque<DeviceOutput>,
}

enum Job {
    Answer(Request),
    /// The CAN scan ends.
    Scanned,
    /// A node answers what FORWARD_CAN brought it.
    Forwarded {
        can_id: u8,
        request: Request,
    },
}

impl Express {
    /// An Express with its BMS and its bus.
    #[must_use]
    pub fn new(identity: ExpressIdentity, bms: Bms, can: CanBus) -> Self {
        Self {
            identity,
            bms,
            can,
            jobs: Queue::default(),
            scanning: false,
            output: VecDeque::new(),
        }
    }

    fn ignore(&mut self, at: Time, command: CommandId, why: impl Into<String>) {
        self.output.push_back(DeviceOutput::Ignored {
            at,
            command,
            why: why.into(),
        });
    }

    /// False, and the request ignored, when too much waits already.
    fn schedule(&mut self, now: Time, due: Time, command: CommandId, job: Job) -> bool {
        let has_room = self.jobs.push(due, job);
        if !has_room {
            self.ignore(now, command, "too many requests wait for an answer");
        }
        has_room
    }

    fn scan(&mut self, now: Time) {
        if self.scanning {
            self.ignore(
                now,
                CommandId::PING_CAN,
                "a scan is running, the worker is busy",
            );
            return;
        }
        let due = now + self.can.scan_time() + self.identity.reply_after;
        self.scanning = self.schedule(now, due, CommandId::PING_CAN, Job::Scanned);
    }

    fn forward(&mut self, now: Time, can_id: u8, request: Request) {
        // The bus adds about 2 ms for a reply of a few frames.
        let due = now + self.identity.reply_after + Duration::from_millis(2);
        let command = request.id();
        self.schedule(now, due, command, Job::Forwarded { can_id, request });
    }

    fn answer(&mut self, at: Time, request: &Request) {
        let identity = &self.identity;
        let config = || CustomConfig {
            index: 0,
            signature: CONFIG_SIGNATURE,
            data: identity.config.pack(),
        };
        let reply = match request {
            Request::FwVersion => Reply::FwVersion(identity.firmware.clone()),
            Request::GetCustomConfig { index: 0 } => Reply::CustomConfig(config()),
            Request::GetCustomConfigDefault { index: 0 } => Reply::CustomConfigDefault(config()),
            Request::BmsGetValues => Reply::BmsValues(self.bms.values(at)),
            Request::GetCustomConfig { .. } | Request::GetCustomConfigDefault { .. } => {
                return self.ignore(at, request.id(), "there is no config but number 0");
            }
            _ => return self.ignore(at, request.id(), "an Express does not handle it"),
        };
        self.output.push_back(DeviceOutput::reply(at, reply));
    }

    fn answer_on_can(&mut self, at: Time, can_id: u8, request: &Request) {
        let mut why = format!("nobody on the CAN bus has the id {can_id}");
        let mut answered = false;
        for node in self.can.addressed(can_id) {
            match node.answer(at, request) {
                Some(reply) => {
                    answered = true;
                    self.output.push_back(DeviceOutput::reply(at, reply));
                }
                None => why = format!("CAN node {} does not handle it", node.can_id()),
            }
        }
        if !answered {
            self.ignore(at, request.id(), why);
        }
    }
}

impl Device for Express {
    fn handle(&mut self, now: Time, payload: &[u8]) {
        let request = match Request::decode(payload) {
            Ok(request) => request.body,
            Err(error) => {
                let command = payload.first().copied().map_or(CommandId(0), CommandId);
                return self.ignore(now, command, error.to_string());
            }
        };
        match (request.forwarded(), &request) {
            (_, Request::PingCan) => self.scan(now),
            (Some(Ok(inner)), &Request::ForwardCan { can_id, .. }) => {
                self.forward(now, can_id, inner.body);
            }
            (Some(Err(error)), _) => self.ignore(now, request.id(), error.to_string()),
            _ => {
                let due = now + self.identity.reply_after;
                self.schedule(now, due, request.id(), Job::Answer(request));
            }
        }
    }

    fn poll_output(&mut self) -> Option<DeviceOutput> {
        self.output.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.jobs.next_due()
    }

    fn handle_timeout(&mut self, now: Time) {
        while let Some((at, job)) = self.jobs.pop(now) {
            match job {
                Job::Answer(request) => self.answer(at, &request),
                Job::Scanned => {
                    self.scanning = false;
                    let can_ids = self.can.ids();
                    self.output
                        .push_back(DeviceOutput::reply(at, Reply::PingCan { can_ids }));
                }
                Job::Forwarded { can_id, request } => self.answer_on_can(at, can_id, &request),
            }
        }
    }
}
