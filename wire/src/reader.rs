//! A cursor over a payload, and the values of fixed form that it reads.

use alloc::vec::Vec;

use crate::{error::DecodeError, id::CommandId, kind::Kind};

/// Reads the fields of one payload in order. Every error names the field that did not fit.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    command: CommandId,
    payload: &'a [u8],
    at: usize,
    /// Whether a group of fields was missing, so that nothing behind it can be there either.
    ended: bool,
}

impl<'a> Reader<'a> {
    /// Starts at this offset of the payload.
    pub(crate) fn new(command: CommandId, payload: &'a [u8], at: usize) -> Self {
        Self {
            command,
            payload,
            at,
            ended: false,
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.payload.len().saturating_sub(self.at)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.payload.get(self.at..).unwrap_or_default();
        self.at = self.payload.len();
        rest
    }

    /// A value of a type of fixed form.
    pub(crate) fn get<T: Wire>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        T::read(self, field)
    }

    /// Fields that came together with a firmware: all of them, or none if the payload ends before.
    pub(crate) fn group<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Option<T> {
        if self.ended {
            return None;
        }
        let mut ahead = self.clone();
        let group = read(&mut ahead).ok();
        match group {
            Some(_) => *self = ahead,
            None => self.ended = true,
        }
        group
    }

    /// Whether the next byte is this one; if so, it is consumed.
    pub(crate) fn is_next(&mut self, byte: u8) -> bool {
        let is_next = self.payload.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// A count byte, which is signed on the device: below 0, nothing follows it.
    pub(crate) fn count(
        &mut self,
        field: &'static str,
    ) -> Result<(usize, Option<i8>), DecodeError> {
        let count: i8 = self.get(field)?;
        Ok(usize::try_from(count).map_or((0, Some(count)), |count| (count, None)))
    }

    /// This many values.
    pub(crate) fn list<T: Wire>(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<Vec<T>, DecodeError> {
        // Single bytes are missed as a whole.
        if T::KIND.size() == Some(1) {
            self.clone().bytes(field, count)?;
        }
        (0..count).map(|_| self.get(field)).collect()
    }

    fn bytes(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.payload.get(self.at..).unwrap_or_default();
        let Some(bytes) = rest.get(..count) else {
            return Err(DecodeError::Short {
                command: self.command,
                field,
                offset: self.at,
                wanted: count,
                have: rest.len(),
            });
        };
        self.at += count;
        Ok(bytes)
    }

    /// This many bytes, which are there together or not at all.
    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(field, N)?);
        Ok(array)
    }

    /// A text up to its NUL, which is consumed.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let rest = self.payload.get(self.at..).unwrap_or_default();
        let mut parts = rest.splitn(2, |&byte| byte == 0);
        let (Some(text), Some(_)) = (parts.next(), parts.next()) else {
            return Err(DecodeError::Unterminated {
                command: self.command,
                field,
                offset: self.at,
            });
        };
        self.at += text.len() + 1;
        Ok(text)
    }
}

/// A value whose type alone says how it is written.
pub(crate) trait Wire: Clone {
    const KIND: Kind;
    /// How many values of that kind follow each other.
    const COUNT: usize = 1;

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError>;
    fn write(&self, out: &mut Vec<u8>);
}

macro_rules! wire_integers {
    ($($int:ty: $kind:ident),*) => {$(
        impl Wire for $int {
            const KIND: Kind = Kind::$kind;
            fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
                reader.array(field).map(Self::from_be_bytes)
            }
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
/// A number of 64 bits, of which nothing but [`F64`](crate::number::F64) is made.
impl Wire for i64 {
    const KIND: Kind = Kind::Scaled64 { counts: 1 };
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        reader.array(field).map(Self::from_be_bytes)
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
}
wire_integers!(u8: U8, i8: I8, u16: U16, i16: I16, u32: U32, i32: I32);

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    const KIND: Kind = T::KIND;
    const COUNT: usize = N;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let mut array = [T::default(); N];
        for element in &mut array {
            *element = T::read(reader, field)?;
        }
        Ok(array)
    }
    fn write(&self, out: &mut Vec<u8>) {
        for element in self {
            element.write(out);
        }
    }
}
