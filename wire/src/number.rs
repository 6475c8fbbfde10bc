//! Numbers as they stand in payloads: integers that count fractions of a unit, and a packed float.
//!
//! Everything is big endian (`vesc_express main/buffer.c`, read by `vesc_tool vbytearray.cpp`). A value keeps its raw integer, so
//! that it can be written again bit for bit; the physical value is computed from it on demand. The firmware
//! multiplies in single precision and cuts off the fraction, VESC Tool rounds: both are here.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use crate::{
    error::DecodeError,
    kind::Kind,
    reader::{Reader, Wire},
};

/// An integer type that carries a scaled number.
pub trait Raw: Copy + Into<f64> + sealed::Sealed {
    /// The nearest representable integer, cut off at the ends of the range.
    fn saturating(value: f64) -> Self;

    /// The nearest integer, halves away from zero, cut off at the ends of the range.
    #[must_use]
    fn nearest(value: f64) -> Self {
        // What `f64::round` does; that is not in `core`.
        let whole = value as i64 as f64;
        let away = match (value - whole).abs() >= 0.5 {
            true => 1_f64.copysign(value),
            false => 0.0,
        };
        Self::saturating(whole + away)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i16 {}
    impl Sealed for i32 {}
}

impl Raw for i16 {
    fn saturating(value: f64) -> Self {
        value as Self
    }
}

impl Raw for i32 {
    fn saturating(value: f64) -> Self {
        value as Self
    }
}

/// A physical value as an integer: `PER_UNIT` counts make `UNITS` units.
///
/// `Scaled<i16, 1000>` counts thousandths; `Scaled<i16, 1, 10>` counts tens.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scaled<R, const PER_UNIT: u32, const UNITS: u32 = 1>(R);

/// A 16-bit scaled number: "float16" in the firmware.
pub type F16<const PER_UNIT: u32> = Scaled<i16, PER_UNIT>;
/// A 32-bit scaled number: "float32" in the firmware.
pub type F32<const PER_UNIT: u32> = Scaled<i32, PER_UNIT>;

impl<R: Raw, const PER_UNIT: u32, const UNITS: u32> Scaled<R, PER_UNIT, UNITS> {
    /// The number with this raw integer.
    pub fn from_raw(raw: R) -> Self {
        Self(raw)
    }

    /// The raw integer that is on the wire.
    #[must_use]
    pub fn raw(self) -> R {
        self.0
    }

    /// The physical value, in units.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0.into() * f64::from(UNITS) / f64::from(PER_UNIT)
    }

    /// What one count is worth, in units.
    #[must_use]
    pub fn step() -> f64 {
        f64::from(UNITS) / f64::from(PER_UNIT)
    }

    /// Encodes as firmware does (`vesc_express main/buffer.c:71-77`): multiplied in single precision, the fraction
    /// cut off. Out of range is undefined there; here it stops at the end of the range, and NaN is 0.
    pub fn truncated(value: f64) -> Self {
        let scale = (f64::from(PER_UNIT) / f64::from(UNITS)) as f32;
        Self(R::saturating(f64::from(value as f32 * scale)))
    }

    /// Encodes as VESC Tool does (`vesc_tool vbytearray.cpp:24-28`): rounded, halves away from zero.
    pub fn rounded(value: f64) -> Self {
        Self(R::nearest(value * f64::from(PER_UNIT) / f64::from(UNITS)))
    }
}

impl<R: Raw, const PER_UNIT: u32, const UNITS: u32> fmt::Display for Scaled<R, PER_UNIT, UNITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f
            .precision()
            .unwrap_or_else(|| PER_UNIT.checked_ilog10().unwrap_or(0) as usize);
        let value = self.value();
        // `pad` would take the precision for a maximum width.
        f.pad_integral(value >= 0.0, "", &format!("{:.decimals$}", value.abs()))
    }
}

impl<R: Raw, const PER_UNIT: u32, const UNITS: u32> fmt::Debug for Scaled<R, PER_UNIT, UNITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A physical value as an integer of 64 bits, "double64" in the firmware: this many counts make a unit.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct F64<const PER_UNIT: u64>(i64);

impl<const PER_UNIT: u64> F64<PER_UNIT> {
    /// The number with this raw integer.
    #[must_use]
    pub fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// The raw integer that is on the wire.
    #[must_use]
    pub fn raw(self) -> i64 {
        self.0
    }

    /// The physical value, in units.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0 as f64 / PER_UNIT as f64
    }

    /// Encodes as firmware does: the fraction is cut off. Out of range it stops at the end of the range, and NaN is 0.
    #[must_use]
    pub fn truncated(value: f64) -> Self {
        Self((value * PER_UNIT as f64) as i64)
    }
}

impl<const PER_UNIT: u64> fmt::Display for F64<PER_UNIT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

impl<const PER_UNIT: u64> fmt::Debug for F64<PER_UNIT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The firmware's packed float, "float32_auto" (`vesc_express main/buffer.c:123-146, 225-243`).
///
/// For every finite value of at least 1.5e-38 its bits are those of an IEEE-754 single. Smaller values and NaN
/// are written as 0, infinities as ±0.5.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Float(u32);

/// Below this, the firmware writes 0 because it cannot handle subnormal numbers.
const SMALLEST: f32 = 1.5e-38;

impl Float {
    /// The float with these bits on the wire.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits on the wire.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Packs a value as the firmware does.
    #[must_use]
    pub fn packed(value: f64) -> Self {
        let single = value as f32;
        Self(if single.is_infinite() {
            0.5_f32.copysign(single).to_bits()
        } else if single.is_nan() || single.abs() < SMALLEST {
            0
        } else {
            single.to_bits()
        })
    }

    /// The value as the firmware unpacks it: an IEEE single, but for the subnormal patterns, which it
    /// reads with an implied leading 1, and the patterns of the highest exponent, which are infinite.
    #[must_use]
    pub fn value(self) -> f64 {
        let exponent = self.0 >> 23 & 0xFF;
        let fraction = self.0 & 0x7F_FFFF;
        let magnitude = match exponent {
            0 if fraction == 0 => 0.0,
            0 => (f64::from(fraction) / f64::from(1 << 24) + 0.5) * f64::from(f32::MIN_POSITIVE),
            0xFF => f64::INFINITY,
            _ => f64::from(f32::from_bits(self.0 & 0x7FFF_FFFF)),
        };
        if self.0 >> 31 == 1 {
            -magnitude
        } else {
            magnitude
        }
    }
}

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A single has at most 9 significant digits: print the shortest text that names it.
        fmt::Display::fmt(&(self.value() as f32), f)
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The firmware's packed double, "float64_auto": a packed float of the value, and one of what that leaves out
/// (`vesc_express main/buffer.c:148-153`).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Double {
    near: Float,
    rest: Float,
}

impl Double {
    /// Packs a value as the firmware does.
    #[must_use]
    pub fn packed(value: f64) -> Self {
        let near = value as f32;
        Self {
            near: Float::packed(near.into()),
            rest: Float::packed(value - f64::from(near)),
        }
    }

    /// The value as the firmware unpacks it.
    #[must_use]
    pub fn value(self) -> f64 {
        let near = self.near.value();
        match near.is_infinite() {
            true => near,
            false => near + self.rest.value(),
        }
    }
}

impl fmt::Display for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text in a payload; usually ASCII, but the bytes are kept whatever they are.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// The text with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes of the text, without a closing NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl<R: Raw + Wire, const PER_UNIT: u32, const UNITS: u32> Wire for Scaled<R, PER_UNIT, UNITS> {
    const KIND: Kind = match R::KIND {
        Kind::I16 => Kind::Scaled16 {
            counts: PER_UNIT,
            units: UNITS,
        },
        _ => Kind::Scaled32 {
            counts: PER_UNIT,
            units: UNITS,
        },
    };
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        R::read(reader, field).map(Self::from_raw)
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.raw().write(out);
    }
}

impl<const PER_UNIT: u64> Wire for F64<PER_UNIT> {
    const KIND: Kind = Kind::Scaled64 { counts: PER_UNIT };
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        i64::read(reader, field).map(Self::from_raw)
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.raw().write(out);
    }
}

impl Wire for Float {
    const KIND: Kind = Kind::Float;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        u32::read(reader, field).map(Self::from_bits)
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.bits().write(out);
    }
}

impl Wire for Double {
    const KIND: Kind = Kind::Double;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let bits = u64::from_be_bytes(reader.array(field)?);
        Ok(Self {
            near: Float::from_bits((bits >> 32) as u32),
            rest: Float::from_bits(bits as u32),
        })
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.near.write(out);
        self.rest.write(out);
    }
}

impl Wire for Text {
    const KIND: Kind = Kind::Text;
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        reader.text(field).map(Self::from_bytes)
    }
    /// The bytes up to the first NUL, then a NUL.
    fn write(&self, out: &mut Vec<u8>) {
        let text = self.as_bytes().split(|&byte| byte == 0).next();
        out.extend_from_slice(text.unwrap_or_default());
        out.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_numbers_are_truncated_as_in_the_firmware() {
        assert_eq!(F16::<1000>::truncated(4.1899).raw(), 0x105D);
        assert_eq!(F16::<1000>::truncated(-0.0009).raw(), 0);
        assert_eq!(F16::<1000>::truncated(-1.2349).raw(), -1234);
        assert_eq!(F16::<100>::truncated(-281.0).raw() as u16, 0x923C);
        assert_eq!(Scaled::<i16, 1, 10>::truncated(101_325.0).raw(), 0x2794);
        assert_eq!(F32::<1_000_000>::truncated(-0.3).raw(), -300_000);
        assert_eq!(F32::<1_000_000>::truncated(83.774).raw(), 83_774_000);
    }

    #[test]
    fn the_firmware_loses_a_count_of_some_values_and_vesc_tool_does_not() {
        let lost = |mv: i16| F16::<1000>::truncated(f64::from(mv as f32 / 1000.0)).raw() != mv;
        assert!(lost(4002) && lost(4015));
        assert!(!lost(3999) && !lost(4182));
        assert_eq!((i16::MIN..=i16::MAX).filter(|&mv| lost(mv)).count(), 740);
        assert_eq!(F16::<1000>::rounded(4.0016).raw(), 4002);
        assert_eq!(F16::<1000>::rounded(-0.0005).raw(), -1);
    }

    #[test]
    fn a_count_is_worth_as_much_as_one_number_more_on_the_wire() {
        assert_eq!(F16::<1000>::step(), 0.001);
        assert_eq!(Scaled::<i16, 1, 10>::step(), 10.0);
        assert_eq!(Scaled::<i16, 1, 10>::rounded(101_325.0).raw(), 10_133);
        assert_eq!(F64::<1000>::truncated(-1.2349).raw(), -1234);
    }

    #[test]
    fn numbers_and_texts_show_what_they_are() {
        let wide = F64::<1000>::from_raw(-1500);
        assert_eq!(format!("{wide} {wide:?}"), "-1.5 -1.5");
        let cell = F16::<1000>::from_raw(4100);
        assert_eq!(format!("{cell:?}"), "4.100");
        let float = Float::packed(83.774);
        assert_eq!(format!("{float} {float:?}"), "83.774 83.774");
        let double = Double::packed(0.5);
        assert_eq!(format!("{double} {double:?}"), "0.5 0.5");
        let text = Text::from("a \"b\"");
        assert_eq!(format!("{text} {text:?}"), r#"a "b" "a \"b\"""#);
    }

    #[test]
    fn a_precision_is_a_number_of_decimals() {
        let cell = F16::<1000>::from_raw(-4100);
        assert_eq!(
            format!("{cell} {cell:.1} {cell:8.2}|"),
            "-4.100 -4.1    -4.10|"
        );
    }

    #[test]
    fn out_of_range_stops_at_the_end_of_the_range() {
        assert_eq!(F32::<1_000_000>::truncated(5000.0).raw(), i32::MAX);
        assert_eq!(F16::<100>::truncated(-400.0).raw(), i16::MIN);
        assert_eq!(F16::<100>::truncated(f64::NAN).raw(), 0);
    }

    #[test]
    fn the_packed_float_matches_its_vectors() {
        for (value, bits) in [
            (1.0, 0x3F80_0000),
            (-1.5, 0xBFC0_0000),
            (83.774, 0x42A7_8C4A),
            (1.5e-38, 0x00A3_55E6),
            (1e-38, 0),
            (-0.0, 0),
            (f64::NAN, 0),
            (f64::INFINITY, 0x3F00_0000),
            (f64::NEG_INFINITY, 0xBF00_0000),
        ] {
            assert_eq!(Float::packed(value).bits(), bits, "{value}");
        }
        assert_eq!(Float::from_bits(0x7F80_0000).value(), f64::INFINITY);
        assert_eq!(Float::from_bits(0xFF80_0001).value(), f64::NEG_INFINITY);
        assert!((Float::from_bits(1).value() - 5.9e-39).abs() < 1e-40);
    }

    #[test]
    fn the_packed_double_holds_what_a_float_leaves_out() {
        for value in [
            0.0,
            1.0,
            -1.5,
            83.774,
            1_700_000_000.125,
            57.708_870_1,
            -1e-20,
        ] {
            let off = (Double::packed(value).value() - value).abs();
            assert!(off <= value.abs() * 1e-14, "{value} is {off} off");
        }
        assert!((Float::packed(1_700_000_000.125).value() - 1_700_000_000.125).abs() > 0.1);
    }

    #[test]
    fn the_packed_float_round_trips_every_value_it_can_hold() {
        // 0 is the only other pattern that a firmware writes.
        for bits in (0x00A3_55E6..0x7F80_0000_u32).step_by(99_991) {
            for bits in [bits, bits | 1 << 31] {
                assert_eq!(Float::packed(Float::from_bits(bits).value()).bits(), bits);
            }
        }
    }
}
