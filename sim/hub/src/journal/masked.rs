//! A journal as it may be shown: without passwords, keys and pins in payloads and noise.

use std::{borrow::Cow, sync::Arc};

use veschub_transcript::{Direction, masking::Masking};

use super::event::{JournalEntry, JournalEvent};
use crate::conn::ConnId;

/// Reads along with a journal and masks its entries. It must see every entry, as a password may come in pieces.
#[derive(Debug, Default)]
pub struct Masked {
    bytes: Masking<(Option<ConnId>, Option<Arc<str>>)>,
}

impl Masked {
    /// The next entry, masked. Its words and lengths are those of what is left.
    pub fn entry<'a>(&mut self, entry: &'a JournalEntry) -> Cow<'a, JournalEntry> {
        let key = || (entry.conn, entry.device.clone());
        let bytes = &mut self.bytes;
        let event = match &entry.event {
            JournalEvent::Request(payload) => {
                match bytes.frame(key, Direction::ToDevice, payload) {
                    Cow::Owned(payload) => JournalEvent::Request(payload),
                    Cow::Borrowed(_) => return Cow::Borrowed(entry),
                }
            }
            JournalEvent::Reply { payload, truth } => {
                match bytes.frame(key, Direction::ToTool, payload) {
                    Cow::Owned(payload) => JournalEvent::Reply {
                        payload,
                        truth: truth.clone(),
                    },
                    Cow::Borrowed(_) => return Cow::Borrowed(entry),
                }
            }
            JournalEvent::ReplyDiscarded(payload) => {
                match bytes.frame(key, Direction::ToTool, payload) {
                    Cow::Owned(payload) => JournalEvent::ReplyDiscarded(payload),
                    Cow::Borrowed(_) => return Cow::Borrowed(entry),
                }
            }
            JournalEvent::Noise {
                bytes: noise,
                nearly,
            } => JournalEvent::Noise {
                bytes: bytes
                    .noise(key(), Direction::ToDevice, noise, nearly.as_ref())
                    .into_owned(),
                nearly: nearly.clone(),
            },
            JournalEvent::DeviceNoise {
                bytes: noise,
                nearly,
            } => JournalEvent::DeviceNoise {
                bytes: bytes
                    .noise(key(), Direction::ToTool, noise, nearly.as_ref())
                    .into_owned(),
                nearly: nearly.clone(),
            },
            JournalEvent::Closed(_) => {
                bytes.closed(key());
                return Cow::Borrowed(entry);
            }
            _ => return Cow::Borrowed(entry),
        };
        Cow::Owned(JournalEntry {
            event,
            ..entry.clone()
        })
    }
}
