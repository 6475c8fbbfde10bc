//! Whole payloads: a command id and what follows it.

use super::{
    OldValues, Reply, Request,
    parts::{answered_as, known_lengths},
    prelude::*,
};
use crate::{Firmware, view::Value};

/// A body and what stood behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<T> {
    /// What was understood.
    pub body: T,
    /// Bytes behind the last known field, usually none.
    pub trailing: Vec<u8>,
}

impl<T: View> View for Decoded<T> {
    fn fields(&self) -> Fields {
        let mut fields = self.body.fields();
        if !self.trailing.is_empty() {
            let trailing = match self.body.is_about_secrets() {
                true => Value::Masked,
                false => Value::Bytes(self.trailing.clone()),
            };
            fields.push("trailing", trailing);
        }
        fields
    }
}

macro_rules! payloads {
    ($($direction:ident: $to:literal, $lengths:expr;)*) => {$(
        impl $direction {
            #[doc = concat!("Reads a payload that goes to a ", $to, ".")]
            ///
            /// # Errors
            /// If the payload is empty, ends before a field that its command always has, or has a length that fits no
            /// layout which is known.
            pub fn decode(payload: &[u8]) -> Result<Decoded<Self>, DecodeError> {
                let &id = payload.first().ok_or(DecodeError::Empty)?;
                let id = CommandId(id);
                let mut reader = Reader::new(id, payload, 1);
                let body = match Self::read(id, &mut reader)? {
                    Some(body) => body,
                    None => Self::Other(Opaque {
                        id,
                        arguments: reader.rest().to_vec(),
                    }),
                };
                let trailing = reader.rest().to_vec();
                if !trailing.is_empty() {
                    check_length(id, payload.len(), $lengths(id))?;
                }
                Ok(Decoded { body, trailing })
            }

            /// The payload.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut out = vec![self.id().0];
                self.write(&mut out);
                out
            }

            /// The command id.
            #[must_use]
            pub fn id(&self) -> CommandId {
                Commands::id(self)
            }
        }

        impl View for $direction {
            fn is_about_secrets(&self) -> bool {
                is_about_config(self.id())
            }

            fn fields(&self) -> Fields {
                let mut fields = Fields::new();
                self.show(&mut fields);
                fields
            }
        }
    )*};
}
payloads! {
    Request: "device", no_lengths;
    Reply: "tool", known_lengths;
}

/// Every request has one layout.
fn no_lengths(_: CommandId) -> Option<Vec<usize>> {
    None
}

/// Refuses a payload that ends between two of the lengths that are known.
fn check_length(
    command: CommandId,
    have: usize,
    known: Option<Vec<usize>>,
) -> Result<(), DecodeError> {
    match known {
        Some(known) if known.last().is_some_and(|&longest| have < longest) => {
            Err(DecodeError::Length {
                command,
                have,
                known,
            })
        }
        // A firmware that is newer than this crate may send more.
        _ => Ok(()),
    }
}

impl Reply {
    /// Reads a payload that goes to a tool, from a device whose firmware is known: GET_VALUES is read as that firmware
    /// lays it out. Where nobody knows the firmware, this is [`decode`](Self::decode), which goes by the length.
    ///
    /// ```
    /// use veschub_wire::{Firmware, Reply};
    ///
    /// let mut payload = [0; 56];
    /// payload[0] = 4;
    /// assert!(Reply::decode_from(&payload, Some(Firmware::new(2, 18))).is_ok());
    /// assert!(Reply::decode_from(&payload, Some(Firmware::new(3, 40))).is_err());
    /// ```
    ///
    /// # Errors
    /// Those of [`decode`](Self::decode), and if the length of GET_VALUES fits only the layout of other firmware.
    pub fn decode_from(
        payload: &[u8],
        firmware: Option<Firmware>,
    ) -> Result<Decoded<Self>, DecodeError> {
        let is_values = payload.first() == Some(&CommandId::GET_VALUES.0);
        let Some(firmware) = firmware.filter(|_| is_values) else {
            return Self::decode(payload);
        };
        let (command, have) = (CommandId::GET_VALUES, payload.len());
        let is_old = have == OldValues::LENGTH;
        if firmware.has_old_values() == is_old {
            return Self::decode(payload);
        }
        let mut known = known_lengths(command).unwrap_or_default();
        known.retain(|&length| (length == OldValues::LENGTH) == firmware.has_old_values());
        Err(DecodeError::Length {
            command,
            have,
            known,
        })
    }
}

impl Request {
    /// Whether no firmware ever answers this request, or the one inside FORWARD_CAN.
    #[must_use]
    pub fn is_never_answered(&self) -> bool {
        // A frame of the CAN bus comes unasked: it answers none that was put there.
        let is_silent = |id| {
            let comes_unasked = id == CommandId::CAN_FWD_FRAME;
            let unanswered = answered_as(id).is_none_or(|id| Reply::parts(id).is_none());
            Self::parts(id).is_some() && (unanswered || comes_unasked)
        };
        // One level: any number of FORWARD_CANs may be nested.
        match self.forwarded() {
            Some(Ok(inner)) if inner.body.forwarded().is_none() => is_silent(inner.body.id()),
            Some(_) => false,
            None => is_silent(self.id()),
        }
    }
}

/// Custom configs carry passwords and keys.
pub(super) fn is_about_config(id: CommandId) -> bool {
    (CommandId::GET_CUSTOM_CONFIG..=CommandId::SET_CUSTOM_CONFIG).contains(&id)
}

/// A command whose body is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opaque {
    /// Which command.
    pub id: CommandId,
    /// What follows the id.
    pub arguments: Vec<u8>,
}

impl Commands for Opaque {
    fn id(&self) -> CommandId {
        self.id
    }

    /// Never: any id could be one of these, so who asks must decide.
    fn read(_: CommandId, _: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(None)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.arguments);
    }

    fn show(&self, fields: &mut Fields) {
        if !self.arguments.is_empty() {
            fields.push("arguments", Value::Bytes(self.arguments.clone()));
        }
    }

    fn parts(_: CommandId) -> Option<Vec<Part>> {
        None
    }
}

/// A payload that is all text.
impl Body for Vec<u8> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(reader.rest().to_vec())
    }

    fn write(&self, out: &mut Self) {
        out.extend_from_slice(self);
    }

    fn show(&self, fields: &mut Fields) {
        Rest::Text.show("text", self, fields);
    }

    fn parts() -> Vec<Part> {
        Rest::Text.parts("text")
    }
}
