//! What a device says: payloads for the tool, with what they were made from.

use veschub_wire::{CommandId, Reply, command::Opaque};

use super::profile::Profile;

/// A payload for the tool and, where that is known, what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) payload: Vec<u8>,
    pub(super) truth: Option<Box<Reply>>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            payload: reply.encode(),
            truth: Some(Box::new(reply)),
        }
    }
}

impl Answer {
    /// A payload that somebody wrote byte by byte; what it says is its truth, if it says something.
    pub(super) fn raw(payload: &[u8]) -> Self {
        let decoded = Reply::decode(payload).ok();
        let truth = decoded.filter(|reply| reply.trailing.is_empty());
        Self {
            payload: payload.to_vec(),
            truth: truth.map(|reply| Box::new(reply.body)),
        }
    }
}

/// FW_INFO: version and test number, then the hash of the firmware and that of the user's code
/// (`EX main/commands.c:1050-1086`).
pub(super) fn fw_info(profile: &Profile) -> Reply {
    let mut arguments = vec![profile.major as u8, profile.minor as u8, 0];
    arguments.extend(b"simulated\0\0");
    Reply::Other(Opaque {
        id: CommandId::FW_INFO,
        arguments,
    })
}

/// GET_QML_UI_APP with nothing stored: no bytes of none, from none (`EX main/commands.c`).
pub(super) fn no_qml_app() -> Reply {
    Reply::Other(Opaque {
        id: CommandId::GET_QML_UI_APP,
        arguments: vec![0; 8],
    })
}
