//! A device of our own behind the hub: its parser, the quirks before it, and what it answers.

use std::collections::VecDeque;

use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, Decoder, Item};

use super::Resident;
use crate::{
    device::{Device, DeviceOutput},
    journal::JournalEvent,
    quirk::{Quirk, Ruling},
    time::Time,
};

/// A device with its parser, which belongs to the device and not to a connection: half a frame that a tool leaves
/// behind delays the next tool's requests (`EX main/comm_wifi.c:206-221`).
pub(super) struct Virtual {
    device: Box<dyn Device>,
    quirks: Vec<Box<dyn Quirk>>,
    decoder: Decoder,
    said: VecDeque<(Time, Said)>,
}

/// What comes of a request, or out of the device by itself.
pub(super) enum Said {
    /// Something for the tool.
    Output(DeviceOutput),
    /// Something for the journal alone.
    Note(JournalEvent),
}

impl Virtual {
    pub(super) fn new(resident: Resident) -> Self {
        Self {
            device: resident.device,
            quirks: resident.quirks,
            decoder: Decoder::new(DEVICE_MAX_PAYLOAD),
            said: VecDeque::new(),
        }
    }

    pub(super) fn session_begins(&mut self, now: Time) {
        self.device.session_begins(now);
        for quirk in &mut self.quirks {
            for left_behind in quirk.session_begins(now) {
                let what = JournalEvent::Fired {
                    quirk: quirk.name(),
                    command: CommandId(left_behind.first().copied().unwrap_or_default()),
                    why: "an earlier tool asked for it and is gone".to_owned(),
                };
                self.said.push_back((now, Said::Note(what)));
                self.device.handle(now, &left_behind);
            }
        }
        self.drain_device();
    }

    /// Bytes of a started frame that the parser holds.
    pub(super) fn half_frame(&self) -> usize {
        self.decoder.waiting()
    }

    /// Forgets half a frame, as no real device does.
    pub(super) fn flush_parser(&mut self) {
        self.decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    }

    /// Forgets what was asked so far, as no real device does.
    pub(super) fn drop_pending(&mut self) {
        self.device.drop_pending();
    }

    pub(super) fn bytes(&mut self, now: Time, mut bytes: &[u8]) {
        let mut requests = Vec::new();
        while let Some(item) = self.decoder.next(&mut bytes) {
            match item {
                Item::Frame(frame) => requests.push(Ok(frame.payload.to_vec())),
                Item::Noise(noise) => requests.push(Err(noise.bytes.to_vec())),
            }
        }
        for request in requests {
            match request {
                Ok(payload) => self.request(now, &payload),
                Err(noise) => self.note(now, JournalEvent::Noise(noise)),
            }
        }
    }

    fn request(&mut self, now: Time, payload: &[u8]) {
        self.note(now, JournalEvent::Request(payload.to_vec()));
        for quirk in &mut self.quirks {
            if let Ruling::Withhold { why } = quirk.request(now, payload) {
                let what = JournalEvent::Fired {
                    quirk: quirk.name(),
                    command: CommandId(payload.first().copied().unwrap_or_default()),
                    why,
                };
                return self.note(now, what);
            }
        }
        self.device.handle(now, payload);
        self.drain_device();
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.device.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        self.device.handle_timeout(now);
        self.drain_device();
    }

    pub(super) fn poll_said(&mut self) -> Option<(Time, Said)> {
        self.said.pop_front()
    }

    fn drain_device(&mut self) {
        while let Some(output) = self.device.poll_output() {
            let at = output.at();
            self.said.push_back((at, Said::Output(output)));
        }
    }

    fn note(&mut self, at: Time, what: JournalEvent) {
        self.said.push_back((at, Said::Note(what)));
    }
}
