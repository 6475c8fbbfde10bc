//! How a value is written.

/// How a value is written. All numbers are big endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One byte.
    U8,
    /// One byte with a sign.
    I8,
    /// 16 bits.
    U16,
    /// 16 bits with a sign.
    I16,
    /// 32 bits.
    U32,
    /// 32 bits with a sign.
    I32,
    /// 16 bits with a sign, a physical value: this many counts make this many units.
    Scaled16 {
        /// The counts.
        counts: u32,
        /// The units, usually 1.
        units: u32,
    },
    /// The same in 32 bits.
    Scaled32 {
        /// The counts.
        counts: u32,
        /// The units, usually 1.
        units: u32,
    },
    /// The same in 64 bits; the units are always 1.
    Scaled64 {
        /// The counts.
        counts: u64,
    },
    /// The firmware's packed float, in 32 bits: see [`Float`](crate::number::Float).
    Float,
    /// The firmware's packed double, in 64 bits: see [`Double`](crate::number::Double).
    Double,
    /// Text up to a NUL.
    Text,
}

impl Kind {
    /// How many bytes a value takes; `None` for text.
    #[must_use]
    pub const fn size(self) -> Option<usize> {
        match self {
            Self::U8 | Self::I8 => Some(1),
            Self::U16 | Self::I16 | Self::Scaled16 { .. } => Some(2),
            Self::U32 | Self::I32 | Self::Scaled32 { .. } | Self::Float => Some(4),
            Self::Double | Self::Scaled64 { .. } => Some(8),
            Self::Text => None,
        }
    }
}
