//! Where each field of a reply is in its payload, and how it is written there.
//!
//! These tables are written from the protocol facts alone, without the decoder of the wire crate, as a second opinion. A
//! test compares the two on every sample. The harness uses them to find mistakes and to mark fields in a hex dump.
//!
//! Replies have grown with the firmware, and GET_VALUES once changed its layout: a table knows since when each of its
//! groups is sent, and so how each firmware of [`FIRMWARES`] lays out a reply.

mod form;
mod groups;
mod motor;
mod page;
mod tables;

use veschub_wire::{CommandId, Firmware};

pub use self::{
    form::{Form, Group, Item, Old, Slot, Table, Type, Written},
    tables::TABLES,
};
use self::{
    page::{Page, Reader},
    tables::table_of,
};

/// The firmwares of motor controllers that a client is likely to meet, the oldest first.
pub const FIRMWARES: [Firmware; 13] = [
    Firmware::new(2, 18),
    Firmware::new(3, 40),
    Firmware::new(3, 66),
    Firmware::new(4, 2),
    Firmware::new(5, 1),
    Firmware::new(5, 2),
    Firmware::new(5, 3),
    Firmware::new(6, 0),
    Firmware::new(6, 2),
    Firmware::new(6, 5),
    Firmware::new(6, 6),
    Firmware::new(7, 0),
    Firmware::new(7, 1),
];

/// The numbers of a reply to a command, in order, without texts and unknown parts. Nobody knows the firmware of the
/// device: its layout is that which has the payload's length.
#[must_use]
pub fn layout(command: CommandId, payload: &[u8]) -> Vec<Slot> {
    Page::read(table_of(command), payload, Reader::ByLength).slots
}

/// The same of a reply from a device whose firmware may be known. As far as the layout is concerned, it decides; what is
/// there of it, the payload's length decides.
#[must_use]
pub fn layout_by(command: CommandId, payload: &[u8], firmware: Option<Firmware>) -> Vec<Slot> {
    let old = table_of(command).and_then(|table| table.old);
    let told = firmware
        .zip(old)
        .map(|(firmware, old)| firmware < old.before);
    match (told, old) {
        (Some(true), _) => layout_of(command, payload, Firmware::new(0, 0)),
        // Newer firmware never has the old length, so the reply is none that is known.
        (Some(false), Some(old)) if payload.len() == old.length() => Vec::new(),
        _ => layout(command, payload),
    }
}

/// The numbers of a reply to a command, as a client reads them that was made for this firmware.
#[must_use]
pub fn layout_of(command: CommandId, payload: &[u8], firmware: Firmware) -> Vec<Slot> {
    Page::read(table_of(command), payload, Reader::Of(firmware)).slots
}

/// The numbers of a selective reply, as a client reads them that takes all fields for chosen.
#[must_use]
pub fn layout_without_mask(command: CommandId, payload: &[u8]) -> Vec<Slot> {
    match table_of(command) {
        Some(table) if table.mask.is_some() => {
            Page::read(Some(table), payload, Reader::WithoutMask).slots
        }
        _ => Vec::new(),
    }
}

/// Whether a firmware sends this field in the reply to a command, with the mask that this payload has if the command has
/// one, however long the payload is.
#[must_use]
pub fn sends(command: CommandId, payload: &[u8], field: &str, firmware: Firmware) -> bool {
    let Some(table) = table_of(command) else {
        return false;
    };
    let has_it = |items: &[Item]| items.iter().any(|item| item.name == field);
    if let Some(old) = table.old.filter(|old| firmware < old.before) {
        return has_it(old.items);
    }
    let is_sent = |group: &&Group| firmware >= group.since && has_it(group.items);
    let chosen = match table.mask.map(|mask| mask.written) {
        Some(Written::Number(form)) => form.raw(payload, 1).unwrap_or_default(),
        _ => u32::MAX,
    };
    let mut bits = table.with_bits().filter(|(_, item)| item.name == field);
    table.behind.iter().any(|group| is_sent(&group))
        || table.groups.iter().any(|group| is_sent(&group))
            && (table.mask.is_none() || bits.any(|(bit, _)| chosen >> bit & 1 == 1))
}

/// The texts of a reply to a command, as far as they are closed by a NUL.
#[must_use]
pub fn texts(command: CommandId, payload: &[u8]) -> Vec<(&'static str, &[u8])> {
    Page::read(table_of(command), payload, Reader::ByLength).texts
}

/// Where the counts of its lists are in a reply to a command.
#[must_use]
pub fn counts(command: CommandId, payload: &[u8]) -> Vec<usize> {
    Page::read(table_of(command), payload, Reader::ByLength).counts
}

/// The name of a field of the reply to a command, if the tables have it.
#[must_use]
pub fn known_name(command: CommandId, field: &str) -> Option<&'static str> {
    let mut items = table_of(command)?.items();
    items.find(|item| item.name == field).map(|item| item.name)
}

/// The field that says the same as this one in another way: a code and its name.
#[must_use]
pub fn twin(command: CommandId, field: &str) -> Option<&'static str> {
    let items: Vec<Item> = table_of(command)?.items().collect();
    items
        .windows(2)
        .filter_map(|pair| match pair {
            [code, text] => match (code.written, text.written) {
                (Written::Number(_), Written::Also(Type::Text)) => Some((code.name, text.name)),
                _ => None,
            },
            _ => None,
        })
        .find_map(|(code, text)| match field {
            _ if field == code => Some(text),
            _ if field == text => Some(code),
            _ => None,
        })
}

#[cfg(test)]
mod tests;
