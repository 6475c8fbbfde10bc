//! What was heard on a bus, as the renderers show it.

use veschub_wire::{
    CommandId, Firmware, Reply, Request,
    command::vesc_tool_reads,
    view::{Fields, Value, View},
};

use super::{
    assemble::{Heard, Misfit},
    packet::{Packet, Way},
};

/// A payload as named fields; one that does not decode gives one field, `undecoded`. `note` says what VESC Tool makes of
/// the end of a reply, where that is something else. A reply is read as this firmware writes it, if it is known.
pub(crate) fn payload_fields(payload: &[u8], is_reply: bool, firmware: Option<Firmware>) -> Fields {
    let fields = match is_reply {
        false => Request::decode(payload).map(|told| told.fields()),
        true => Reply::decode_from(payload, firmware).map(|told| told.fields()),
    };
    let mut fields = fields.unwrap_or_else(|error| {
        let mut fields = Fields::new();
        fields.push("undecoded", Value::Text(error.to_string()));
        fields
    });
    if is_reply {
        fields.push_some("note", vesc_tool_reads(payload).map(Value::Text));
    }
    fields
}

impl Heard {
    /// The name of the kind in JSON.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Frame(_) => "can",
            Self::Command(_) => "can-command",
            Self::Noise { .. } => "can-noise",
        }
    }

    /// The packet of a frame, or the command that was put together; `frame` where it is none of a VESC.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Frame(frame) => match frame.vesc() {
                Some((packet, _)) => packet.to_string(),
                None if frame.is_error() => "error".to_owned(),
                None => "frame".to_owned(),
            },
            Self::Command(command) => {
                CommandId(command.payload.first().copied().unwrap_or_default()).to_string()
            }
            Self::Noise { .. } => "noise".to_owned(),
        }
    }

    /// Who sent it, if that is known.
    #[must_use]
    pub fn from(&self) -> Option<u8> {
        match self {
            Self::Frame(frame) => match frame.vesc()? {
                (packet, node) if packet.way() == Way::From => Some(node),
                (Packet::PING | Packet::PONG, _) => frame.data().first().copied(),
                _ => None,
            },
            Self::Command(command) => Some(command.from),
            Self::Noise { .. } => None,
        }
    }

    /// Who is meant, if it is somebody; 255 are all.
    #[must_use]
    pub fn to(&self) -> Option<u8> {
        match self {
            Self::Frame(frame) => match frame.vesc()? {
                (packet, node) if packet.way() == Way::To => Some(node),
                _ => None,
            },
            Self::Command(command) => Some(command.to),
            Self::Noise { to, .. } => Some(*to),
        }
    }

    /// Both of them: `2 > 84`.
    #[must_use]
    pub(crate) fn between(&self) -> String {
        let shown = |id: Option<u8>| id.map(|id| id.to_string()).unwrap_or_default();
        match (self.from(), self.to()) {
            (None, None) => String::new(),
            (from, to) => format!("{} > {}", shown(from), shown(to)).trim().to_owned(),
        }
    }

    /// The data of a frame, or the payload of a command.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Frame(frame) => Some(frame.data()),
            Self::Command(command) => Some(&command.payload),
            Self::Noise { .. } => None,
        }
    }

    /// Why it is noise.
    #[must_use]
    pub fn misfit(&self) -> Option<Misfit> {
        match self {
            Self::Noise { misfit, .. } => Some(*misfit),
            _ => None,
        }
    }

    /// The content as named fields, safe to print.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        match self {
            Self::Frame(frame) => match frame.vesc() {
                Some((packet, _)) => return packet.fields(frame.data()),
                None => {
                    fields.push("id", i64::from(frame.number()));
                    if frame.is_remote() {
                        fields.push("remote", true);
                    }
                    if !frame.data().is_empty() {
                        fields.push("data", Value::Bytes(frame.data().to_vec()));
                    }
                }
            },
            Self::Command(command) => {
                let is_reply = command.send_type.is_reply();
                return payload_fields(&command.payload, is_reply, None);
            }
            Self::Noise { bytes, .. } => fields.push("bytes", *bytes as i64),
        }
        fields
    }

    /// Whether it says the same kind of thing of the same node: a node that tells its speed ten times a second says the
    /// same kind of thing each time. A command must be the same byte for byte, but a reply may differ.
    #[must_use]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let alike = match (self, other) {
            (Self::Frame(a), Self::Frame(b)) => match (a.vesc(), b.vesc()) {
                (None, None) => a.number() == b.number(),
                (a, b) => a == b,
            },
            (Self::Command(a), Self::Command(b)) => a == b,
            (Self::Noise { misfit: a, .. }, Self::Noise { misfit: b, .. }) => {
                std::mem::discriminant(a) == std::mem::discriminant(b)
            }
            _ => false,
        };
        alike && self.to() == other.to() && self.from() == other.from()
    }
}
