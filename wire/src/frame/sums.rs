//! Whether a CRC fits, for every candidate of a stretch in a fixed number of steps.
//!
//! A parser that was misled looks for the next frame one byte on. Noise can hold a candidate at every byte, each with a
//! CRC over hundreds of bytes, so that reading it would cost the square of the frame size. The CRC is linear, which
//! makes it the difference of two sums: once the CRC of one candidate did not fit, the bytes from there on are summed
//! up, each byte once, and every further candidate among them costs a comparison.
//!
//! The sum up to byte `n` is that of `byte[i] * x^(-8i)` over all `i < n`, modulo the CRC's polynomial. A payload with
//! its CRC behind it has the remainder 0, at whatever power of x the first byte stands. So a CRC fits exactly if the sum
//! before the payload equals the sum behind the CRC.

use alloc::vec::Vec;

use super::TRAILER;
use crate::crc::crc16;

/// x^16 + x^12 + x^5 + 1 without its highest term.
const POLYNOMIAL: u16 = 0x1021;

/// How many weights are made side by side, as each comes of an earlier one.
const LANES: usize = 4;

/// The weights of the first few bytes: `x^(-8i)`.
const FIRST: [u16; LANES] = {
    let mut weights = [1; LANES];
    let mut index = 1;
    while index < LANES {
        weights[index] = divided(weights[index - 1], 8);
        index += 1;
    }
    weights
};

/// What the low and the high byte of a weight become in the weight that is [`LANES`] bytes on.
const LOW: [u16; 256] = advanced(0);
const HIGH: [u16; 256] = advanced(8);

const fn advanced(shift: u32) -> [u16; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value < 256 {
        table[value] = divided((value as u16) << shift, 8 * LANES);
        value += 1;
    }
    table
}

/// A value divided by x, so many times.
const fn divided(mut value: u16, mut times: usize) -> u16 {
    while times > 0 {
        let borrow = value & 1;
        // The polynomial's own lowest bit makes up for the one that is missing.
        value = (value >> 1) ^ (borrow * (0x8000 | POLYNOMIAL >> 1));
        times -= 1;
    }
    value
}

/// How many bytes are summed up in one go: side by side, in loops that compilers turn into vector instructions.
const BLOCK: usize = 64;
/// How many bytes more are summed up than the candidate at hand needs, because the next ones need them.
const AHEAD: usize = 4 * BLOCK;

/// Sums over a stretch of a stream.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    /// The place of the first byte that is summed up.
    from: u64,
    /// The sums before each byte of the stretch and behind the last one; empty if there is no stretch.
    sums: Vec<u16>,
    /// The weights of the next bytes.
    weights: [u16; LANES],
}

impl Sums {
    pub(super) const fn new() -> Self {
        Self {
            from: 0,
            sums: Vec::new(),
            weights: FIRST,
        }
    }

    /// Whether the CRC fits of a frame that is whole but for that. `bytes` starts with it, and `at` bytes came before.
    #[inline]
    pub(super) fn fits(&mut self, at: u64, bytes: &[u8], header: usize, len: usize) -> bool {
        let end = header + len + TRAILER - 1;
        let index = at.wrapping_sub(self.from) as usize;
        if let Some(sums) = self.sums.get(index..)
            && let Some(&behind) = sums.get(end)
        {
            return sums[header] == behind;
        }
        self.fits_beyond(at, bytes, header, end)
    }

    /// The same, if the candidate is not within the stretch, or not wholly.
    #[cold]
    fn fits_beyond(&mut self, at: u64, bytes: &[u8], header: usize, end: usize) -> bool {
        let index = at
            .checked_sub(self.from)
            .and_then(|index| usize::try_from(index).ok());
        let Some(index) = index.filter(|&index| index < self.summed()) else {
            // Bytes are summed up only behind a CRC that did not fit, as this costs more than the CRC of one frame.
            let (payload, crc) = bytes[header..end].split_at(end - 2 - header);
            let fits = crc16(payload).to_be_bytes() == crc;
            self.clear();
            if !fits {
                self.from = at;
                self.sums.push(0);
                self.extend(&bytes[..end]);
            }
            return fits;
        };
        // Only when at least as much is thrown away as is moved: so the work for each byte is constant.
        let index = if index > self.sums.len() / 2 {
            self.sums.drain(..index);
            self.from = at;
            0
        } else {
            index
        };
        let summed = self.summed() - index;
        let wanted = bytes.len().min(end + AHEAD);
        self.extend(bytes.get(summed..wanted).unwrap_or_default());
        self.sums[index + header] == self.sums[index + end]
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.sums.clear();
        self.weights = FIRST;
    }

    /// How many bytes are summed up.
    fn summed(&self) -> usize {
        self.sums.len().saturating_sub(1)
    }

    fn extend(&mut self, bytes: &[u8]) {
        #[cfg(test)]
        crate::crc::SUMMED.set(crate::crc::SUMMED.get() + bytes.len());
        let mut sum = self.sums.last().copied().unwrap_or_default();
        for block in bytes.chunks(BLOCK) {
            let mut weights = [0; BLOCK + LANES];
            let mut next = self.weights;
            for lanes in weights.chunks_exact_mut(LANES) {
                lanes.copy_from_slice(&next);
                for weight in &mut next {
                    let [low, high] = weight.to_le_bytes();
                    *weight = LOW[usize::from(low)] ^ HIGH[usize::from(high)];
                }
            }
            self.weights
                .copy_from_slice(&weights[block.len()..][..LANES]);
            let mut products = [0; BLOCK];
            for ((product, &byte), &weight) in products.iter_mut().zip(block).zip(&weights) {
                *product = times(byte, weight);
            }
            self.sums
                .extend(products[..block.len()].iter().map(|product| {
                    sum ^= product;
                    sum
                }));
        }
    }

    /// How many bytes this takes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.sums.capacity() * size_of::<u16>()
    }
}

/// The product, modulo the polynomial, without a branch and without a table.
fn times(byte: u8, weight: u16) -> u16 {
    let all_bits_if_highest_is_set = |value: u16| (value.cast_signed() >> 15).cast_unsigned();
    let byte = u16::from(byte) << 8;
    (0..8).fold(0, |sum, bit| {
        let carry = POLYNOMIAL & all_bits_if_highest_is_set(sum);
        sum << 1 ^ carry ^ weight & all_bits_if_highest_is_set(byte << bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crc::SUMMED;

    #[test]
    fn a_sum_agrees_with_the_crc_at_every_place() {
        let stream: Vec<u8> = (0..600u32)
            .map(|index| ((index * index) >> 3) as u8)
            .collect();
        for payload in [1, 2, 7, 255] {
            let mut sums = Sums::new();
            let mut looked = 0;
            for at in 0..300 {
                let mut bytes = stream[at..].to_vec();
                let crc = crc16(&bytes[2..2 + payload]).to_be_bytes();
                let right = bytes[2 + payload..][..2] == crc;
                assert_eq!(
                    sums.fits(at as u64, &bytes, 2, payload),
                    right,
                    "{payload} at {at}"
                );
                looked += 1;
                // With its own CRC it fits, whatever was summed up before.
                bytes[2 + payload..][..2].copy_from_slice(&crc);
                let mut sums = Sums::new();
                sums.from = at as u64;
                sums.sums = [0x1234].to_vec();
                sums.weights = FIRST.map(|weight| divided(weight, 5));
                sums.extend(&bytes[..2 + payload + 2]);
                assert!(sums.fits(at as u64, &bytes, 2, payload));
                assert!(sums.sums.len() > 1, "it was compared, not computed");
            }
            assert_eq!(looked, 300);
        }
    }

    #[test]
    fn each_byte_is_summed_up_once() {
        let stream = [3; 100_000];
        let mut sums = Sums::new();
        let before = SUMMED.get();
        for at in 0..90_000 {
            assert!(!sums.fits(at, &stream[at as usize..], 3, 0x0303));
        }
        let summed = SUMMED.get() - before;
        assert!(summed < 92_000, "{summed}");
        assert!(sums.memory() < 8 * 0x0303);
    }
}
