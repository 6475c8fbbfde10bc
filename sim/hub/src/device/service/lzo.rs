//! LZO1X, as VESC Tool compresses new firmware: reading it.
//!
//! The format is a row of instructions. Each copies bytes that were written before, some bytes back, and then up to three
//! bytes that stand in the input:
//!
//! | first byte | copies | from how far back |
//! |---|---|---|
//! | 0 to 15, nothing copied from the input before | 3 + L, or 18 + a longer count, bytes of the input | |
//! | 0 to 15, behind one to three bytes of the input | 2 | 1 to 1,024 |
//! | 0 to 15, behind more of them | 3 | 2,049 to 3,072 |
//! | 16 to 31 | 2 + L, or 9 + a longer count | 16,384 to 49,151; 16,384 itself is the end |
//! | 32 to 63 | 2 + L, or 33 + a longer count | 1 to 16,384 |
//! | 64 to 127 | 3 or 4 | 1 to 2,048 |
//! | 128 to 255 | 5 to 8 | 1 to 2,048 |
//!
//! A longer count is 255 for each 0 byte, and the byte behind them. A stream may begin with 18 to 255: so many bytes less
//! 17 of the input come first. Written from public descriptions of the format alone.

/// Why bytes are no LZO1X.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoLzo {
    /// They end before the end is marked.
    #[error("it ends too early")]
    Short,
    /// They copy from before the beginning.
    #[error("it copies from before its beginning")]
    TooFarBack,
    /// More comes out than was said.
    #[error("more comes out of it than it says")]
    TooLong,
    /// Bytes follow the end.
    #[error("bytes follow its end")]
    Trailing,
}

/// The bytes that were compressed, no more than `limit`.
pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, NoLzo> {
    let mut stream = Stream {
        input,
        output: Vec::new(),
        limit,
    };
    // How many bytes of the input were copied last: 4 stands for 4 and more.
    let mut literals = 0;
    if let &[first, ..] = stream.input
        && first > 17
    {
        stream.byte()?;
        let count = usize::from(first) - 17;
        stream.copy_input(count)?;
        literals = count.min(4);
    }
    loop {
        let first = usize::from(stream.byte()?);
        let (back, count, next) = match first {
            0..=15 if literals == 0 => {
                let count = stream.count(first, 15)?;
                stream.copy_input(3 + count)?;
                literals = 4;
                continue;
            }
            0..=15 => {
                let high = usize::from(stream.byte()?);
                let back = (high << 2) + (first >> 2) + 1;
                match literals {
                    4 => (back + 2048, 3, first & 3),
                    _ => (back, 2, first & 3),
                }
            }
            16..=31 => {
                let count = 2 + stream.count(first & 7, 7)?;
                let pair = stream.pair()?;
                let back = 16_384 + ((first & 8) << 11) + (pair >> 2);
                if back == 16_384 {
                    return stream.end();
                }
                (back, count, pair & 3)
            }
            32..=63 => {
                let count = 2 + stream.count(first & 31, 31)?;
                let pair = stream.pair()?;
                ((pair >> 2) + 1, count, pair & 3)
            }
            _ => {
                let high = usize::from(stream.byte()?);
                let back = (high << 3) + (first >> 2 & 7) + 1;
                let count = match first {
                    64..=127 => 3 + (first >> 5 & 1),
                    _ => 5 + (first >> 5 & 3),
                };
                (back, count, first & 3)
            }
        };
        stream.copy_output(back, count)?;
        stream.copy_input(next)?;
        literals = next;
    }
}

struct Stream<'a> {
    input: &'a [u8],
    output: Vec<u8>,
    limit: usize,
}

impl Stream<'_> {
    fn byte(&mut self) -> Result<u8, NoLzo> {
        let (&byte, rest) = self.input.split_first().ok_or(NoLzo::Short)?;
        self.input = rest;
        Ok(byte)
    }

    /// Two bytes, the low one first.
    fn pair(&mut self) -> Result<usize, NoLzo> {
        let low = self.byte()?;
        let high = self.byte()?;
        Ok(u16::from_le_bytes([low, high]).into())
    }

    /// A count of some bits; 0 stands for `most` and a longer count behind it.
    fn count(&mut self, bits: usize, most: usize) -> Result<usize, NoLzo> {
        if bits != 0 {
            return Ok(bits);
        }
        let mut count = most;
        loop {
            match self.byte()? {
                0 => count += 255,
                last => return Ok(count + usize::from(last)),
            }
        }
    }

    fn room_for(&self, count: usize) -> Result<(), NoLzo> {
        match self.output.len() + count > self.limit {
            true => Err(NoLzo::TooLong),
            false => Ok(()),
        }
    }

    fn copy_input(&mut self, count: usize) -> Result<(), NoLzo> {
        let (copied, rest) = self.input.split_at_checked(count).ok_or(NoLzo::Short)?;
        self.room_for(count)?;
        self.output.extend_from_slice(copied);
        self.input = rest;
        Ok(())
    }

    /// The bytes may be among those that this writes.
    fn copy_output(&mut self, back: usize, count: usize) -> Result<(), NoLzo> {
        self.room_for(count)?;
        let start = self.output.len().checked_sub(back);
        let start = start.ok_or(NoLzo::TooFarBack)?;
        for at in start..start + count {
            let byte = *self.output.get(at).ok_or(NoLzo::TooFarBack)?;
            self.output.push(byte);
        }
        Ok(())
    }

    fn end(self) -> Result<Vec<u8>, NoLzo> {
        match self.input.is_empty() {
            true => Ok(self.output),
            false => Err(NoLzo::Trailing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use rand::RngExt;

    const END: [u8; 3] = [0x11, 0, 0];

    fn read(instructions: &[&[u8]]) -> Result<Vec<u8>, NoLzo> {
        decompress(&[&instructions.concat()[..], &END].concat(), 10_000)
    }

    #[test]
    fn each_instruction_copies_what_it_says() {
        let abc: &[u8] = b"\x14abc";
        let long: &[u8] = b"\x15abcd";
        for (instructions, text) in [
            // At the beginning: 3 bytes; 4 bytes.
            (vec![abc], &b"abc"[..]),
            (vec![long], b"abcd"),
            // 0 to 15 without anything copied before: 3 + 2; 3 + 15 + 1.
            (vec![b"\x02abcde"], b"abcde"),
            (vec![b"\x00\x01abcdefghijklmnopqrs"], b"abcdefghijklmnopqrs"),
            // Behind three bytes: 2 bytes from 2 back, then one of the input.
            (vec![abc, b"\x05\x00x"], b"abcbcx"),
            // 32 to 63: 2 + 1 bytes from 3 back, then two of the input.
            (vec![abc, b"\x21\x0A\x00yz"], b"abcabcyz"),
            // A count of 31 + 4, from 1 back.
            (
                vec![abc, b"\x20\x04\x00\x00"],
                b"abcccccccccccccccccccccccccccccccccccccc"[..40].as_ref(),
            ),
            // 64 to 127: 3 bytes from 3 back, 4 from 2 back.
            (vec![long, b"\x48\x00"], b"abcdbcd"),
            (vec![long, b"\x64\x00"], b"abcdcdcd"),
            // 128 to 255: 5 to 8 bytes from 4 back.
            (vec![long, b"\x8C\x00"], b"abcdabcda"),
            (vec![long, b"\xEC\x00"], b"abcdabcdabcd"),
        ] {
            assert_eq!(
                read(&instructions).as_deref(),
                Ok(text),
                "{instructions:02x?}"
            );
        }
    }

    #[test]
    fn far_copies_reach_back_as_far_as_they_say() {
        // 20,000 bytes of the input, none like its neighbours.
        let far: Vec<u8> = (0..20_000_u32).map(|at| ((at * 7919) >> 5) as u8).collect();
        let rest = far.len() - 18;
        let literals = [&vec![0; rest / 255][..], &[(rest % 255) as u8], &far].concat();
        let behind = |instruction: &[u8]| {
            let input = [&[0], &literals[..], instruction, &END].concat();
            let mut output = decompress(&input, 30_000).unwrap();
            output.split_off(far.len())
        };
        // Behind more than three bytes: 3 bytes, 2,049 + 4 + 1 back.
        assert_eq!(behind(b"\x04\x01"), far[20_000 - 2054..][..3]);
        // 16 to 31: 2 + 3 bytes, 16,384 + 5 back.
        assert_eq!(behind(b"\x13\x14\x00"), far[20_000 - 16_389..][..5]);
    }

    #[test]
    fn what_is_no_lzo_has_its_reason() {
        let run = b"\x20\x00\x00\x00\x00\xFF\x00\x00";
        for (input, why) in [
            (&b""[..], NoLzo::Short),
            (b"\x14ab", NoLzo::Short),
            (b"\x14abc", NoLzo::Short),
            (b"\x14abc\x11\0", NoLzo::Short),
            (b"\x14abc\x21\x10\0\x11\0\0", NoLzo::TooFarBack),
            (b"\x14abc\x11\0\0x", NoLzo::Trailing),
            (&[&b"\x14abc"[..], run, &END].concat(), NoLzo::TooLong),
        ] {
            assert_eq!(decompress(input, 1000), Err(why), "{input:02x?}");
        }
        assert_eq!(decompress(b"\x14abc\x11\0\0", 2), Err(NoLzo::TooLong));
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_give_no_more_than_they_may() {
        let seed = 7;
        let mut rng = Seed(seed).stream(0);
        for _ in 0..20_000 {
            let len = rng.random_range(0..40);
            let input: Vec<u8> = (0..len)
                .map(|_| match rng.random_range(0..4) {
                    0 => 0,
                    1 => rng.random_range(0..64),
                    _ => rng.random(),
                })
                .collect();
            if let Ok(output) = decompress(&input, 300) {
                assert!(output.len() <= 300, "seed {seed}: {input:02x?}");
            }
        }
    }
}
