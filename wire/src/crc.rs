//! CRC-16/XMODEM, as every VESC parser computes it over a payload.
//!
//! Polynomial 0x1021, initial value 0, nothing reflected, nothing inverted
//! (`vesc_express main/crc.c:53-59`). Because it starts at 0, a payload of zeros has the CRC 0.

use crc::{CRC_16_XMODEM, Crc, Table};

static XMODEM: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

#[cfg(test)]
std::thread_local! {
    /// How many bytes were summed up for a CRC, by whatever way.
    pub(crate) static SUMMED: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// The CRC of a payload.
#[must_use]
pub fn crc16(payload: &[u8]) -> u16 {
    #[cfg(test)]
    SUMMED.set(SUMMED.get() + payload.len());
    XMODEM.checksum(payload)
}

#[cfg(test)]
mod tests {
    use super::crc16;

    #[test]
    fn agrees_with_the_published_check_values() {
        for (input, crc) in [
            (&b"123456789"[..], 0x31C3),
            (b"", 0),
            (b"\0", 0),
            (b"\xFF", 0x1EF0),
            (b"A", 0x58E5),
        ] {
            assert_eq!(crc16(input), crc, "{input:?}");
        }
    }
}
