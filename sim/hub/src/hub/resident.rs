//! A device of our own behind the hub: its parser, the quirks before it, and what it answers.

use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, Decoder, Item};

use crate::{
    device::{Device, DeviceEvent, Out},
    journal::JournalEvent,
    quirk::{Quirk, Ruling},
    time::Time,
};

/// A device of our own at the hub, and what it takes to talk to it.
pub struct Resident {
    /// The id that tools log in with; normalised when the hub takes it in.
    pub id: String,
    /// Who may talk to it.
    pub access: Access,
    /// The device itself.
    pub device: Box<dyn Device>,
    /// Odd behaviour between the hub and the device, applied in this order.
    pub quirks: Vec<Box<dyn Quirk>>,
}

/// Who may talk to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever knows the password.
    Password(String),
    /// Whoever knows the id: for a recording that does not say what the password was.
    Anyone,
}

impl Access {
    pub(super) fn allows(&self, password: &str) -> bool {
        match self {
            Self::Password(wanted) => wanted == password,
            Self::Anyone => true,
        }
    }
}

/// A device with its parser, which belongs to the device and not to a connection: half a frame that a tool leaves
/// behind delays the next tool's requests (`EX main/comm_wifi.c:206-221`).
pub(super) struct Virtual {
    device: Box<dyn Device>,
    quirks: Vec<Box<dyn Quirk>>,
    decoder: Decoder,
    out: Out,
}

impl Virtual {
    pub(super) fn new(resident: Resident) -> Self {
        Self {
            device: resident.device,
            quirks: resident.quirks,
            decoder: Decoder::new(DEVICE_MAX_PAYLOAD),
            out: Out::default(),
        }
    }

    pub(super) fn session_begins(&mut self, now: Time) {
        self.device.session_begins(now);
        for quirk in &mut self.quirks {
            for left_behind in quirk.session_begins(now) {
                let event = JournalEvent::QuirkFired {
                    quirk: quirk.name(),
                    command: CommandId(left_behind.first().copied().unwrap_or_default()),
                    why: "an earlier tool asked for it and is gone".to_owned(),
                };
                self.out.push(now, DeviceEvent::Note(event));
                self.device.handle(now, &left_behind, &mut self.out);
            }
        }
    }

    /// How many bytes of an unfinished frame the parser holds.
    pub(super) fn partial_frame(&self) -> usize {
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
                let event = JournalEvent::QuirkFired {
                    quirk: quirk.name(),
                    command: CommandId(payload.first().copied().unwrap_or_default()),
                    why,
                };
                return self.note(now, event);
            }
        }
        self.device.handle(now, payload, &mut self.out);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.device.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        self.device.handle_timeout(now, &mut self.out);
    }

    /// What came out of the device next.
    pub(super) fn poll_event(&mut self) -> Option<(Time, DeviceEvent)> {
        self.out.pop()
    }

    fn note(&mut self, at: Time, event: JournalEvent) {
        self.out.push(at, DeviceEvent::Note(event));
    }
}
