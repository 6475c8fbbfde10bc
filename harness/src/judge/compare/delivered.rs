//! The replies that the hub sent to a client: what a reading can have been made from.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_transcript::{
    exchange::{Exchanges, Policy},
    firmwares::Firmwares,
};
use veschub_wire::{
    CommandId, Reply, Request,
    view::{Fields, Value, View as _},
};

use crate::judge::{
    SentReply, facts,
    layout::{Slot, layout_by},
};

/// A reply that the hub sent to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered<'a> {
    /// Its place in the journal.
    pub entry: usize,
    /// When it was sent.
    pub at: Duration,
    /// Which reply to its command it is, counted from 1.
    pub number: usize,
    /// Its command.
    pub command: CommandId,
    /// The CAN id of the device that was asked, if through FORWARD_CAN.
    pub can_id: Option<u8>,
    /// All whose reply it can be. If one of them never answers, nobody knows which.
    asked: Vec<u8>,
    /// Whether a fault took it away.
    pub(super) is_lost: bool,
    /// The bytes, the truth about all fields.
    pub payload: &'a [u8],
    /// What the device held, or what the bytes say; nothing, if they cannot be decoded.
    pub fields: Arc<Fields>,
    /// What the device held, if that is known.
    truth: Option<Arc<Fields>>,
    /// Where its numbers stand.
    pub layout: Vec<Slot>,
    /// What one count of each of its fields is worth; 0 where a value is exact.
    pub(super) steps: Vec<f64>,
}

/// The replies in a journal, in order.
#[must_use]
pub fn delivered(journal: &[JournalEntry]) -> Vec<Delivered<'_>> {
    let mut open = Exchanges::new(Policy::patient());
    let mut firmwares = Firmwares::default();
    let mut replies: Vec<Delivered<'_>> = Vec::new();
    let mut numbers: BTreeMap<u8, usize> = BTreeMap::new();
    // By the command of the reply, who was asked through FORWARD_CAN and how often, without those that answered.
    let mut pending: BTreeMap<CommandId, BTreeMap<u8, usize>> = BTreeMap::new();
    for (entry, happened) in journal.iter().enumerate() {
        match &happened.event {
            JournalEvent::Request(payload) => {
                let Ok(request) = Request::decode(payload) else {
                    continue;
                };
                let can_id = match request.body {
                    Request::ForwardCan { can_id, .. } => Some(can_id),
                    _ => None,
                };
                if let (Some(id), Some(reply)) = (can_id, request.body.reply_id()) {
                    *pending.entry(reply).or_default().entry(id).or_default() += 1;
                }
                open.ask(happened.at.since_start(), payload, can_id);
                firmwares.ask(happened.at.since_start(), payload);
            }
            JournalEvent::Reply { payload, truth } => {
                let command = CommandId(payload.first().copied().unwrap_or_default());
                let asked = open.answer(happened.at.since_start(), payload);
                let can_id = asked.and_then(|asked| asked.attached);
                let waiting = pending.entry(command).or_default();
                let asked = waiting.keys().copied().collect();
                if let Some(left) = can_id.and_then(|id| waiting.get_mut(&id)) {
                    *left = left.saturating_sub(1);
                }
                waiting.retain(|_, left| *left > 0);
                let firmware = firmwares.answer(happened.at.since_start(), payload);
                let number = numbers.entry(command.0).or_insert(0);
                *number += 1;
                let layout = layout_by(command, payload, firmware);
                let truth = truth.as_ref().map(|truth| Arc::new(truth.fields()));
                let fields = match (&truth, firmware) {
                    // What a scenario's reply says, its device's firmware decides.
                    (Some(truth), None) => Arc::clone(truth),
                    _ => Reply::decode_from(payload, firmware)
                        .map(|reply| Arc::new(reply.fields()))
                        .unwrap_or_default(),
                };
                replies.push(Delivered {
                    entry,
                    at: happened.at.since_start(),
                    number: *number,
                    command,
                    can_id,
                    asked,
                    is_lost: false,
                    payload,
                    steps: steps(&fields, &layout),
                    layout,
                    fields,
                    truth,
                });
            }
            JournalEvent::FaultFired(fired) => {
                let taken = |one: &&mut Delivered<'_>| facts::takes(fired, one.at, one.command);
                if let Some(reply) = replies.iter_mut().rev().find(taken) {
                    reply.is_lost = true;
                }
            }
            _ => {}
        }
    }
    replies
}

fn steps(fields: &Fields, layout: &[Slot]) -> Vec<f64> {
    // Both are in the order of the wire, so the next slot is most often the one.
    let mut next = 0;
    let mut step = |(name, _): (&str, &Value)| {
        let (before, behind) = layout.split_at_checked(next).unwrap_or((&[], layout));
        let mut slots = behind.iter().chain(before);
        match slots.position(|slot| slot.field == name) {
            Some(further) => {
                next = (next + further) % layout.len();
                layout[next].form.step()
            }
            None => 0.0,
        }
    };
    fields.iter().map(&mut step).collect()
}

impl Delivered<'_> {
    /// Whether it can be the reply of this node, which was asked through FORWARD_CAN.
    pub(in crate::judge) fn can_be_of(&self, can_id: u8) -> bool {
        self.can_id == Some(can_id) || self.asked.contains(&can_id)
    }

    /// Whether it answers the same request as another one: its values take the place of the other's.
    pub(in crate::judge) fn is_like(&self, other: &Self) -> bool {
        (self.command, self.can_id) == (other.command, other.can_id)
            && self.fields.get("mask") == other.fields.get("mask")
    }

    /// Whether no fault took it away.
    pub(in crate::judge) fn reached_the_client(&self) -> bool {
        !self.is_lost
    }

    /// The reply without its bytes.
    pub(in crate::judge) fn sent(&self) -> SentReply {
        SentReply {
            entry: self.entry,
            at: self.at,
            command: self.command,
            truth: self.truth.clone(),
        }
    }

    /// The places of a field's numbers.
    pub(in crate::judge) fn slots(&self, field: &str) -> Vec<Slot> {
        let slots = self.layout.iter().filter(|slot| slot.field == field);
        slots.copied().collect()
    }

    /// What one count of a field is worth; 0 where a value is exact.
    pub(in crate::judge) fn step(&self, field: &str) -> f64 {
        let slot = self.layout.iter().find(|slot| slot.field == field);
        slot.map_or(0.0, |slot| slot.form.step())
    }
}
