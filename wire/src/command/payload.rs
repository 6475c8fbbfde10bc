//! Whole payloads: a command id and what follows it.

use super::{Reply, Request, parts::known_lengths, prelude::*};
use crate::view::Value;

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

impl Request {
    /// Whether no firmware ever answers this request, or the one inside FORWARD_CAN.
    #[must_use]
    pub fn is_never_answered(&self) -> bool {
        let is_silent = |id| Self::parts(id).is_some() && Reply::parts(id).is_none();
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
