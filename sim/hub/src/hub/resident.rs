//! A device of our own behind the hub: its parser, the quirks before it, and what it answers.

use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, Ear};

use super::{
    relay::{from_device, owned},
    stops::{Stop, Stops},
};
use crate::{
    carrier::LinkKeys,
    conn::ConnId,
    device::{Device, DeviceEvent, Origin, Out},
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
    /// What carries its bytes, where that cuts them into pieces.
    pub link: Option<LinkKeys>,
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
    pub(super) device: Box<dyn Device>,
    pub(super) quirks: Vec<Mounted>,
    ear: Ear,
    /// A tap for the journal: what a scenario makes the device send as it is.
    said: Ear,
    pub(super) out: Out,
}

/// A quirk at its device.
pub(super) struct Mounted {
    pub(super) quirk: Box<dyn Quirk>,
    pub(super) by: Origin,
    /// How often it did something.
    pub(super) fired: u64,
}

impl Mounted {
    pub(super) fn new(quirk: Box<dyn Quirk>, by: Origin) -> Self {
        Self {
            quirk,
            by,
            fired: 0,
        }
    }
}

/// Whose request it is, and who may hold it.
pub(super) struct Gate<'a> {
    pub(super) device: &'a str,
    pub(super) conn: Option<ConnId>,
    pub(super) stops: &'a mut Stops,
}

impl Virtual {
    pub(super) fn new(resident: Resident) -> Self {
        let quirks = resident.quirks.into_iter();
        let quirks = quirks.map(|quirk| Mounted::new(quirk, Origin::Scenario));
        Self {
            device: resident.device,
            quirks: quirks.collect(),
            ear: Ear::eager(DEVICE_MAX_PAYLOAD),
            said: Ear::eager(DEVICE_MAX_PAYLOAD),
            out: Out::default(),
        }
    }

    pub(super) fn session_begins(&mut self, now: Time) {
        self.said = Ear::eager(DEVICE_MAX_PAYLOAD);
        self.device.session_begins(now);
        for Mounted { quirk, fired, .. } in &mut self.quirks {
            for left_behind in quirk.session_begins(now) {
                *fired += 1;
                let event = JournalEvent::QuirkFired {
                    quirk: quirk.name(),
                    command: Some(CommandId(left_behind.first().copied().unwrap_or_default())),
                    why: "an earlier tool asked for it and is gone".to_owned(),
                };
                self.out.push(now, DeviceEvent::Note(event));
                self.device.handle(now, &left_behind, &mut self.out);
            }
        }
    }

    pub(super) fn session_ends(&mut self, now: Time) {
        for mounted in &mut self.quirks {
            mounted.quirk.session_ends(now);
        }
    }

    /// Why the device breaks off a connection that comes, or that waited for the tool to leave.
    pub(super) fn turns_away(&mut self, now: Time, waited: bool) -> Option<JournalEvent> {
        self.quirks
            .iter_mut()
            .find_map(|Mounted { quirk, fired, .. }| {
                let why = quirk.turns_away(now, waited)?;
                *fired += 1;
                Some(JournalEvent::QuirkFired {
                    quirk: quirk.name(),
                    command: None,
                    why,
                })
            })
    }

    /// What the parser still holds of a tool that leaves: noise that was not told yet, and an unfinished frame.
    pub(super) fn tool_left(&mut self) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        self.ear.pause(&mut |heard| {
            if let Err((bytes, nearly)) = owned(heard) {
                events.push(JournalEvent::Noise { bytes, nearly });
            }
        });
        self.said
            .pause(&mut |heard| events.push(from_device(heard)));
        let bytes = self.ear.waiting().len();
        if bytes > 0 {
            events.push(JournalEvent::PartialFrameLeft {
                bytes,
                missing: self.ear.missing(),
                hidden: self.ear.hidden(),
            });
        }
        events
    }

    /// Somebody listens to its CAN bus from now on.
    pub(super) fn listen_to_can(&mut self) {
        self.device.listen_to_can();
    }

    /// How many bytes wait for the rest of a frame.
    pub(super) fn waiting(&self) -> usize {
        self.ear.waiting().len()
    }

    /// What bytes say that the device sends as they are.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        self.said
            .bytes(bytes, &mut |heard| events.push(from_device(heard)));
        events
    }

    /// Forgets half a frame, as no real device does.
    pub(super) fn flush_parser(&mut self) {
        self.ear = Ear::eager(DEVICE_MAX_PAYLOAD);
    }

    /// Forgets what was asked so far, as no real device does.
    pub(super) fn drop_pending(&mut self) {
        self.device.drop_pending();
    }

    pub(super) fn bytes(&mut self, now: Time, bytes: &[u8], gate: &mut Gate<'_>) {
        let mut requests = Vec::new();
        self.ear
            .bytes(bytes, &mut |heard| requests.push(owned(heard)));
        for request in requests {
            match request {
                Ok(payload) => self.request(now, &payload, gate),
                Err((bytes, nearly)) => self.note(now, JournalEvent::Noise { bytes, nearly }),
            }
        }
    }

    fn request(&mut self, now: Time, payload: &[u8], gate: &mut Gate<'_>) {
        self.note(now, JournalEvent::Request(payload.to_vec()));
        if !gate.stops.is_empty() {
            let (device, conn) = (gate.device, gate.conn);
            match gate.stops.meet(now, device, conn, payload) {
                Stop::No => {}
                Stop::Held(id) => {
                    let command = CommandId(payload.first().copied().unwrap_or_default());
                    let held = id.0;
                    return self.note(now, JournalEvent::Held { held, command });
                }
                Stop::Full(id) => {
                    let text =
                        format!("breakpoint {id} lets a request pass: as many are held as can be");
                    self.note(now, JournalEvent::Steered { text });
                }
            }
        }
        self.go_on(now, payload);
    }

    /// A request goes on to the quirks and the device.
    pub(super) fn go_on(&mut self, now: Time, payload: &[u8]) {
        for Mounted { quirk, fired, .. } in &mut self.quirks {
            if let Ruling::Withhold { why } = quirk.request(now, payload) {
                *fired += 1;
                let event = JournalEvent::QuirkFired {
                    quirk: quirk.name(),
                    command: Some(CommandId(payload.first().copied().unwrap_or_default())),
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
