//! FORWARD_CAN: a request for another device on the CAN bus, whose reply comes back bare.
//!
//! ```text
//! →  22 | CAN id u8, 255 for all | the request          ←  the reply, without an envelope
//! ```
//!
//! `vesc_express main/commands.c:375-378`.

use alloc::string::ToString;

use super::{Decoded, Request, parts::answered_as, payload::is_about_config};
use crate::{
    command::CommandId,
    error::DecodeError,
    view::{Fields, Value, View},
};

impl Request {
    /// Wraps a request for another device on the CAN bus.
    ///
    /// ```
    /// use veschub_wire::Request;
    ///
    /// let request = Request::forward(84, &Request::BmsGetValues);
    /// assert_eq!(request.encode(), [0x22, 84, 0x60]);
    /// ```
    #[must_use]
    pub fn forward(can_id: u8, request: &Self) -> Self {
        Self::ForwardCan {
            can_id,
            payload: request.encode(),
        }
    }

    /// The request inside FORWARD_CAN, decoded on demand: any number of them may be nested.
    #[must_use]
    pub fn forwarded(&self) -> Option<Result<Decoded<Self>, DecodeError>> {
        match self {
            Self::ForwardCan { payload, .. } => Some(Self::decode(payload)),
            _ => None,
        }
    }

    /// The id that the reply to this request will have: for FORWARD_CAN that of the command inside. See [`answered_as`];
    /// a command that nobody answers has its own.
    #[must_use]
    pub fn reply_id(&self) -> Option<CommandId> {
        let id = match self {
            Self::ForwardCan { payload, .. } => payload.first().copied().map(CommandId)?,
            other => other.id(),
        };
        Some(answered_as(id).unwrap_or(id))
    }
}

/// The command inside, and its fields or its bytes.
pub(super) fn show(name: &'static str, payload: &[u8], fields: &mut Fields) {
    if let Some(&id) = payload.first() {
        fields.push("command", Value::Text(CommandId(id).to_string()));
    }
    match Request::decode(payload) {
        // One level is shown in full, deeper ones as bytes.
        Ok(inner) if !matches!(inner.body, Request::ForwardCan { .. }) => {
            let inner = inner.fields();
            if !inner.is_empty() {
                fields.push("fields", inner);
            }
        }
        _ if carries_config(payload) => fields.push(name, Value::Masked),
        _ => fields.push(name, Value::Bytes(payload.to_vec())),
    }
}

/// Whether there is a command about a custom config under any number of FORWARD_CANs.
fn carries_config(mut payload: &[u8]) -> bool {
    while let [id, _, inner @ ..] = payload
        && CommandId(*id) == CommandId::FORWARD_CAN
    {
        payload = inner;
    }
    let id = payload.first().copied().map(CommandId);
    id.is_some_and(is_about_config)
}
