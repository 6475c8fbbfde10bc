//! Walks through a payload from its start to its end, as a table tells.

use veschub_wire::Firmware;

use super::form::{
    Form, Group, Item, Slot, Table,
    Written::{Also, Count, Fixed, Flags, List, Number, Rest, Skip, Text, Whole},
};

/// What was found on the way.
pub(super) struct Page<'a> {
    payload: &'a [u8],
    at: usize,
    /// The last count.
    count: usize,
    pub(super) slots: Vec<Slot>,
    pub(super) counts: Vec<usize>,
    pub(super) texts: Vec<(&'static str, &'a [u8])>,
}

/// Which fields a reply is read with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    /// Those that its length allows, and the old layout if exactly its length is there.
    ByLength,
    /// Those that a firmware sends.
    Of(Firmware),
    /// All of them, one after the other, whatever the mask says.
    WithoutMask,
}

impl<'a> Page<'a> {
    /// Reads a payload; the layout ends where the payload ends.
    pub(super) fn read(table: Option<&Table>, payload: &'a [u8], reader: Reader) -> Self {
        let mut page = Self {
            payload,
            at: 1,
            count: 0,
            slots: Vec::new(),
            counts: Vec::new(),
            texts: Vec::new(),
        };
        let _ = table.and_then(|table| page.table(table, reader));
        page
    }

    /// `None` means that the payload has ended.
    fn table(&mut self, table: &Table, reader: Reader) -> Option<()> {
        if let Some(old) = table.old
            && match reader {
                Reader::ByLength => self.payload.len() == old.length(),
                Reader::Of(firmware) => firmware < old.before,
                Reader::WithoutMask => false,
            }
        {
            return old.items.iter().try_for_each(|item| self.item(*item));
        }
        let is_sent = |group: &&Group| match reader {
            Reader::Of(firmware) => firmware >= group.since,
            _ => true,
        };
        match table.mask {
            None => {
                let mut groups = table.groups.iter().filter(is_sent);
                groups.try_for_each(|group| self.group(group))?;
            }
            Some(mask) => {
                let Number(form) = mask.written else {
                    return None;
                };
                let chosen = match reader {
                    Reader::WithoutMask => u32::MAX,
                    _ => form.raw(self.payload, self.at)?,
                };
                self.item(mask)?;
                let known = table.groups.iter().filter(is_sent);
                let known: usize = known.map(|group| group.items.len()).sum();
                let mut items = table.with_bits().take(known);
                items.try_for_each(|(bit, item)| match chosen >> bit & 1 {
                    1 => self.item(item),
                    _ => Some(()),
                })?;
            }
        }
        let mut behind = table.behind.iter().filter(is_sent);
        behind.try_for_each(|group| self.group(group))
    }

    fn group(&mut self, group: &Group) -> Option<()> {
        let size: usize = group.items.iter().map(|item| item.size()).sum();
        if self.payload.len() < self.at + size {
            return None;
        }
        group.items.iter().try_for_each(|item| self.item(*item))
    }

    fn item(&mut self, item: Item) -> Option<()> {
        let field = item.name;
        match item.written {
            Number(form) => self.list(1, field, form),
            Whole => self.list(1, field, Form::I32(1.0)),
            Fixed(count, form) => self.list(count, field, form),
            List(form) => self.list(self.count, field, form),
            Rest(form) => {
                let left = self.payload.len().saturating_sub(self.at);
                self.list(left / form.size(), field, form)
            }
            Count => {
                let count = Form::I8.raw(self.payload, self.at)? as u8 as i8;
                self.count = usize::try_from(count).unwrap_or(0);
                self.counts.push(self.at);
                if count < 0 {
                    return self.list(1, field, Form::I8);
                }
                self.at += 1;
                Some(())
            }
            Text => {
                let rest = self.payload.get(self.at..)?;
                let end = rest.iter().position(|&byte| byte == 0)?;
                self.texts.push((field, &rest[..end]));
                self.at += end + 1;
                Some(())
            }
            Skip(_) | Flags | Also(_) => {
                self.at += item.size();
                Some(())
            }
        }
    }

    fn list(&mut self, count: usize, field: &'static str, form: Form) -> Option<()> {
        for _ in 0..count {
            form.raw(self.payload, self.at)?;
            let offset = self.at;
            self.slots.push(Slot {
                field,
                offset,
                form,
            });
            self.at += form.size();
        }
        Some(())
    }
}
