//! A cursor over a payload that names the field it was asked for, and its counterpart for writing.

use crate::{
    command::CommandId,
    error::DecodeError,
    number::{Float, Raw, Scaled, Text},
};

/// Reads the fields of one payload in order.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    command: CommandId,
    payload: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts behind the command id, which must be there.
    pub(crate) fn new(command: CommandId, payload: &'a [u8]) -> Self {
        Self {
            command,
            payload,
            at: 1,
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.payload.len().saturating_sub(self.at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left() == 0
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.payload.get(self.at..).unwrap_or_default();
        self.at = self.payload.len();
        rest
    }

    pub(crate) fn bytes(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<&'a [u8], DecodeError> {
        let have = self.left();
        if have < count {
            return Err(DecodeError::Short {
                command: self.command,
                field,
                offset: self.at,
                wanted: count,
                have,
            });
        }
        let bytes = &self.payload[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(field, N)?);
        Ok(array)
    }

    /// An integer, or a scaled one, or a float: whatever the caller's field is.
    pub(crate) fn get<T: Wire>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        T::read(self, field)
    }

    /// The same for an optional tail: absent when fewer bytes are left than it needs.
    pub(crate) fn tail<T: Wire>(&mut self, field: &'static str) -> Result<Option<T>, DecodeError> {
        if self.left() < T::SIZE {
            return Ok(None);
        }
        self.get(field).map(Some)
    }

    /// A text up to its NUL, which is consumed.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<Text, DecodeError> {
        let rest = self.payload.get(self.at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|&byte| byte == 0) else {
            return Err(DecodeError::Unterminated {
                command: self.command,
                field,
                offset: self.at,
            });
        };
        self.at += end + 1;
        Ok(Text::from_bytes(&rest[..end]))
    }

    /// A text in an optional tail: absent when no NUL closes it.
    pub(crate) fn tail_text(&mut self, field: &'static str) -> Option<Text> {
        self.text(field).ok()
    }
}

/// A value of fixed size, big endian.
pub(crate) trait Wire: Sized {
    const SIZE: usize;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError>;
    fn write(&self, out: &mut Vec<u8>);
}

macro_rules! wire_integers {
    ($($int:ty),*) => {$(
        impl Wire for $int {
            const SIZE: usize = size_of::<Self>();
            fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
                reader.array(field).map(Self::from_be_bytes)
            }
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
wire_integers!(u8, i8, u16, i16, u32, i32);

impl<R: Raw + Wire, const PER_UNIT: u32, const UNITS: u32> Wire for Scaled<R, PER_UNIT, UNITS> {
    const SIZE: usize = R::SIZE;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        R::read(reader, field).map(Self::from_raw)
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.raw().write(out);
    }
}

impl Wire for Float {
    const SIZE: usize = 4;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        u32::read(reader, field).map(Self::from_bits)
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.bits().write(out);
    }
}

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    const SIZE: usize = N * T::SIZE;
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

/// Writes an optional tail, if it is there.
pub(crate) fn write_tail<T: Wire>(value: &Option<T>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        value.write(out);
    }
}
