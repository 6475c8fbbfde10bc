//! A parser that takes one byte at a time, as firmware and most clients have it.

/// The CRC of every byte.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ ((crc >> 15) * 0x1021);
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// What the next byte is.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Start,
    /// This many bytes of the length are missing.
    Length(u8),
    Payload,
    /// This many bytes of the CRC are missing.
    Crc(u8),
    Stop,
}

/// Finds frames in a stream, and does not look back after an error.
#[derive(Debug, Default)]
pub struct ByteMachine {
    limit: usize,
    state: State,
    length: usize,
    payload: Vec<u8>,
    crc: u16,
    told: u16,
}

impl ByteMachine {
    /// A parser that accepts payloads of up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Takes a byte; the payload, if a frame ends with it.
    pub fn take(&mut self, byte: u8) -> Option<&[u8]> {
        self.state = match self.state {
            State::Start => match byte {
                2 | 3 => {
                    self.length = 0;
                    State::Length(byte - 1)
                }
                _ => State::Start,
            },
            State::Length(missing) => {
                self.length = self.length << 8 | usize::from(byte);
                if missing > 1 {
                    State::Length(missing - 1)
                } else if self.length == 0 || self.length > self.limit {
                    State::Start
                } else {
                    self.payload.clear();
                    self.crc = 0;
                    State::Payload
                }
            }
            State::Payload => {
                self.payload.push(byte);
                self.crc = self.crc << 8 ^ TABLE[usize::from((self.crc >> 8) as u8 ^ byte)];
                if self.payload.len() < self.length {
                    State::Payload
                } else {
                    self.told = 0;
                    State::Crc(2)
                }
            }
            State::Crc(missing) => {
                self.told = self.told << 8 | u16::from(byte);
                if missing > 1 {
                    State::Crc(missing - 1)
                } else {
                    State::Stop
                }
            }
            State::Stop => {
                self.state = State::Start;
                return (byte == 3 && self.told == self.crc).then_some(&self.payload);
            }
        };
        None
    }
}
