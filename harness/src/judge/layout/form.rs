//! How the numbers of a payload are written, and what a table of layouts is made of.

use veschub_wire::{CommandId, Firmware};

/// How a number is written in a payload, always big endian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// One byte.
    U8,
    /// One signed byte.
    I8,
    /// One byte, a flag: every value except 0 means yes.
    Flag,
    /// 16 bits, signed; this many counts are one unit.
    I16(f64),
    /// 16 bits.
    U16,
    /// 32 bits, signed; this many counts are one unit.
    I32(f64),
    /// 32 bits.
    U32,
    /// The firmware's packed float, which has the bits of an IEEE single.
    Float,
}

impl Form {
    /// How many bytes it takes.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Flag => 1,
            Self::I16(_) | Self::U16 => 2,
            Self::I32(_) | Self::U32 | Self::Float => 4,
        }
    }

    /// How many counts are one unit.
    #[must_use]
    pub fn per_unit(self) -> f64 {
        match self {
            Self::I16(per_unit) | Self::I32(per_unit) => per_unit,
            _ => 1.0,
        }
    }

    /// The bytes at an offset, as a number without a sign.
    #[must_use]
    pub fn raw(self, payload: &[u8], offset: usize) -> Option<u32> {
        let bytes = payload.get(offset..offset.checked_add(self.size())?)?;
        Some(
            bytes
                .iter()
                .fold(0, |raw, &byte| raw << 8 | u32::from(byte)),
        )
    }

    /// The value that a raw number stands for.
    #[must_use]
    pub fn value(self, raw: u32) -> f64 {
        match self {
            Self::U8 => f64::from(raw as u8),
            Self::I8 => f64::from(raw as u8 as i8),
            Self::Flag => f64::from(u8::from(raw != 0)),
            Self::I16(per_unit) => f64::from(raw as u16 as i16) / per_unit,
            Self::I32(per_unit) => f64::from(raw.cast_signed()) / per_unit,
            Self::U16 => f64::from(raw as u16),
            Self::U32 => f64::from(raw),
            Self::Float => f64::from(f32::from_bits(raw)),
        }
    }

    /// What one count is worth; 0 where a value is exact.
    #[must_use]
    pub fn step(self) -> f64 {
        match self {
            Self::I16(per_unit) | Self::I32(per_unit) => 1.0 / per_unit,
            _ => 0.0,
        }
    }
}

/// A number of a reply, with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// The field that it belongs to.
    pub field: &'static str,
    /// Where it starts in the payload.
    pub offset: usize,
    /// How it is written.
    pub form: Form,
}

impl Slot {
    /// Its value in this payload, even if the payload is that of another command.
    #[must_use]
    pub fn read(&self, payload: &[u8]) -> Option<f64> {
        Some(self.form.value(self.form.raw(payload, self.offset)?))
    }
}

/// The fields of the reply to a command, and their descriptions in the schema of readings.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The command.
    pub command: CommandId,
    /// The name of its fields in the schema.
    pub name: &'static str,
    /// The description of them in the schema.
    pub about: &'static str,
    /// The mask at the start that chooses among the fields, one bit for each.
    pub mask: Option<Item>,
    /// The contents of the payload, from offset 1 or behind the mask. A group is there as a whole or not at all.
    pub groups: &'static [Group],
    /// What follows the fields that a mask chooses.
    pub behind: &'static [Group],
    /// The layout of old firmware, where that is another one.
    pub old: Option<Old>,
}

/// A layout that all firmware before a version has, and no later one. All of it is always there.
#[derive(Clone, Copy, Debug)]
pub struct Old {
    /// The first firmware without it.
    pub before: Firmware,
    /// The contents of the payload, from offset 1.
    pub items: &'static [Item],
}

/// Items that came together with a firmware.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The first firmware of a motor controller that sends them.
    pub since: Firmware,
    /// The items.
    pub items: &'static [Item],
}

/// A piece of a reply.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The name of its field.
    pub name: &'static str,
    /// How it is written.
    pub written: Written,
    /// What it means.
    pub about: &'static str,
}

/// How a piece of a reply is written.
#[derive(Clone, Copy, Debug)]
pub enum Written {
    /// A number.
    Number(Form),
    /// A whole number of 32 bits with a sign.
    Whole,
    /// This many numbers.
    Fixed(usize, Form),
    /// A signed count of the lists that follow; below 0, the count is a field and nothing follows it.
    Count,
    /// As many numbers as the last count says.
    List(Form),
    /// Numbers up to the end of the payload.
    Rest(Form),
    /// Text up to a NUL.
    Text,
    /// This many bytes, which a reading gives as text.
    Skip(usize),
    /// A byte of flags, of which this is the lowest.
    Flags,
    /// The same bytes as the item before it, read in another way.
    Also(Type),
}

/// The type of a value in a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Yes or no.
    Flag,
    /// Names of fields.
    Names,
    /// Fields within a field.
    Object,
}

impl Item {
    /// How many bytes it takes at least.
    #[must_use]
    pub fn size(self) -> usize {
        match self.written {
            Written::Number(form) => form.size(),
            Written::Whole => 4,
            Written::Fixed(count, form) => count * form.size(),
            Written::Count | Written::Flags => 1,
            Written::Skip(count) => count,
            Written::List(_) | Written::Rest(_) | Written::Text | Written::Also(_) => 0,
        }
    }

    /// Whether it has bytes of its own, and so a bit in a mask.
    #[must_use]
    pub fn is_sent(self) -> bool {
        !matches!(self.written, Written::Also(_))
    }
}

impl Old {
    /// How long the whole payload is.
    #[must_use]
    pub fn length(&self) -> usize {
        1 + self.items.iter().map(|item| item.size()).sum::<usize>()
    }
}

impl Table {
    /// All items that some firmware sends, each name once.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let newer = self.groups.iter().chain(self.behind);
        let newer = newer.flat_map(|group| group.items).copied();
        let old = self.old.map_or(&[][..], |old| old.items).iter().copied();
        let groups = self.groups;
        let is_new = move |item: &Item| {
            let mut known = groups.iter().flat_map(|group| group.items);
            !known.any(|one| one.name == item.name)
        };
        self.mask.into_iter().chain(newer).chain(old.filter(is_new))
    }

    /// The items that the mask can choose, or that all replies have, with the bit of each.
    pub fn with_bits(&self) -> impl Iterator<Item = (u32, Item)> {
        let items = self.groups.iter().flat_map(|group| group.items).copied();
        items.scan(0, |next, item| {
            *next += u32::from(item.is_sent());
            // An item without bytes of its own has the bit of the one before it.
            Some((*next - 1, item))
        })
    }
}
