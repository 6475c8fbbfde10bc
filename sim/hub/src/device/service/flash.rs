//! Memory that is erased as a whole and written piece by piece, as devices store code and new firmware.

use std::{collections::BTreeMap, ops::Range};

use veschub_wire::command::{CodeAck, CodePart, CodeRequest, CodeWrite, StoredCode};

use crate::Silence;

/// Bytes that are kept together. A page takes memory only when something is written to it, so that a request for the
/// last byte costs no more than one for the first.
const PAGE: usize = 512;
/// What an erased byte reads.
const ERASED: u8 = 0xFF;
/// The most code that one reply holds (`EX main/commands.c`, `MC comm/commands.c:1387`).
const MAX_PART: i32 = 502;

/// A range of flash memory.
#[derive(Clone, Debug)]
pub(super) struct Flash {
    capacity: usize,
    pages: BTreeMap<usize, [u8; PAGE]>,
}

impl Flash {
    /// Erased memory of so many bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            pages: BTreeMap::new(),
        }
    }

    /// How many bytes there are.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes the bytes of this range of pages read as erased.
    pub(super) fn erase(&mut self, range: Range<usize>) {
        let outside = |page: usize| !range.contains(&(page * PAGE));
        self.pages.retain(|&page, _| outside(page));
    }

    /// Writes bytes, and says whether there is room. Writing can only clear bits: what was written before stays in it.
    pub(super) fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        if start.saturating_add(data.len()) > self.capacity {
            return false;
        }
        for (at, &byte) in (start..).zip(data) {
            let page = self.pages.entry(at / PAGE).or_insert([ERASED; PAGE]);
            if let Some(there) = page.get_mut(at % PAGE) {
                *there &= byte;
            }
        }
        true
    }

    /// So many bytes from here on; erased ones behind the end.
    pub(super) fn read(&self, start: usize, len: usize) -> impl Iterator<Item = u8> {
        (start..start.saturating_add(len)).map(|at| {
            let page = self.pages.get(&(at / PAGE));
            page.and_then(|page| page.get(at % PAGE))
                .copied()
                .unwrap_or(ERASED)
        })
    }

    /// The bytes up to the last that was written.
    fn written(&self) -> Vec<u8> {
        let end = self
            .pages
            .last_key_value()
            .map_or(0, |(page, _)| (page + 1) * PAGE);
        self.read(0, end).collect()
    }
}

/// Stored code: a script, or a page in QML.
#[derive(Clone, Debug)]
pub(super) struct CodeStore {
    flash: Flash,
    /// What can be read of it, once somebody asked.
    known: Option<Option<StoredCode>>,
}

impl CodeStore {
    /// Room for so many bytes, with this code in it.
    pub(super) fn new(capacity: usize, code: Option<&StoredCode>) -> Self {
        let mut store = Self {
            flash: Flash::new(capacity),
            known: None,
        };
        if let Some(code) = code {
            store.flash.write(0, &code.pack());
        }
        store
    }

    /// The code; none unless it is whole.
    pub(super) fn code(&mut self) -> Option<&StoredCode> {
        let flash = &self.flash;
        self.known
            .get_or_insert_with(|| StoredCode::unpack(&flash.written()))
            .as_ref()
    }

    /// A part of the code.
    pub(super) fn read(&mut self, asked: CodeRequest) -> Result<CodePart, Silence> {
        let CodeRequest { length, offset } = asked;
        let Some(code) = self.code().map(|code| &code.code) else {
            return Ok(CodePart::default());
        };
        let part = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(length).ok().filter(|_| length <= MAX_PART))
            .and_then(|(start, len)| code.get(start..start.checked_add(len)?));
        match part {
            Some(part) => Ok(CodePart {
                total: i32::try_from(code.len()).unwrap_or(i32::MAX),
                offset,
                data: part.to_vec(),
            }),
            None => Err(Silence::NoSuchCode { size: code.len() }),
        }
    }

    /// Writes a piece of it.
    pub(super) fn write(&mut self, piece: &CodeWrite) -> CodeAck {
        self.known = None;
        CodeAck {
            ok: self.flash.write(piece.offset, &piece.data).into(),
            offset: piece.offset,
        }
    }

    /// Erases it.
    pub(super) fn erase(&mut self) {
        self.known = None;
        self.flash.erase(0..usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(offset: u32, data: &[u8]) -> CodeWrite {
        CodeWrite {
            offset,
            data: data.to_vec(),
        }
    }

    #[test]
    fn a_write_clears_bits_a_repeat_changes_nothing_and_erasing_sets_them() {
        let mut flash = Flash::new(2000);
        assert!(flash.write(510, &[0xF0, 0x0F, 0xAA]));
        assert!(flash.write(510, &[0xF0, 0x0F, 0xAA]));
        let read = |flash: &Flash| flash.read(509, 5).collect::<Vec<_>>();
        assert_eq!(read(&flash), [0xFF, 0xF0, 0x0F, 0xAA, 0xFF]);
        assert!(flash.write(511, &[0xF3]));
        assert_eq!(read(&flash)[2], 0x03);
        flash.erase(512..1024);
        assert_eq!(read(&flash), [0xFF, 0xF0, 0x03, 0xFF, 0xFF]);
        flash.erase(0..512);
        assert_eq!(read(&flash), [0xFF; 5]);
    }

    #[test]
    fn there_is_room_up_to_the_last_byte_and_a_write_far_out_takes_one_page() {
        let mut flash = Flash::new(2000);
        assert!(flash.write(1999, &[1]) && flash.write(2000, &[]));
        assert!(!flash.write(1999, &[1, 2]) && !flash.write(u32::MAX, &[1]));
        assert_eq!(flash.pages.len(), 1);
    }

    #[test]
    fn code_is_read_in_parts_that_are_there_and_fit_a_reply() {
        let code = StoredCode::script(&[b'x'; 600]);
        let mut store = CodeStore::new(10_000, Some(&code));
        let mut read = |length, offset| store.read(CodeRequest { length, offset });
        assert_eq!(
            read(10, 0).map(|part| (part.total, part.data)),
            Ok((603, vec![b'x'; 10]))
        );
        assert_eq!(read(3, 600).map(|part| part.data), Ok(vec![0, 0, 0]));
        assert!(read(502, 0).is_ok() && read(0, 603).is_ok());
        for (length, offset) in [(503, 0), (4, 600), (-1, 0), (1, -1), (i32::MAX, i32::MAX)] {
            assert_eq!(read(length, offset), Err(Silence::NoSuchCode { size: 603 }));
        }
    }

    #[test]
    fn code_is_there_when_its_last_piece_is_and_no_longer_when_it_is_erased() {
        let packed = StoredCode::script(b"(print 1)").pack();
        let mut store = CodeStore::new(64, None);
        let whole = CodeRequest {
            length: 0,
            offset: 0,
        };
        assert_eq!(store.read(whole), Ok(CodePart::default()));
        assert_eq!(store.write(&piece(0, &packed[..10])).ok, 1);
        assert!(store.code().is_none());
        assert_eq!(store.write(&piece(10, &packed[10..])).ok, 1);
        assert_eq!(store.read(whole).map(|part| part.total), Ok(12));
        // The same again changes nothing, other bytes spoil it, and too many are refused.
        store.write(&piece(0, &packed));
        assert!(store.code().is_some());
        assert_eq!(
            store.write(&piece(60, b"12345")),
            CodeAck { ok: 0, offset: 60 }
        );
        store.write(&piece(8, b"#"));
        assert!(store.code().is_none());
        store.erase();
        store.write(&piece(0, &packed));
        assert!(store.code().is_some());
    }
}
