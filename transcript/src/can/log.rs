//! A CAN bus written to a file while it goes on: a text log as candump writes it, or a capture with link type 227.

use std::io::{self, Write};

use super::frame::Frame;
use crate::write;

/// How a CAN bus is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// The text of `candump -L`, which `canplayer` plays.
    Candump,
    /// A pcapng file that Wireshark reads.
    Pcapng,
}

impl LogFormat {
    /// What a file with this name is to hold: text for `.log`, a capture for `.pcap` and `.pcapng`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "log" => Some(Self::Candump),
            "pcap" | "pcapng" => Some(Self::Pcapng),
            _ => None,
        }
    }
}

/// Writes frames with their times.
#[derive(Debug)]
pub struct LogWriter<W> {
    out: W,
    format: LogFormat,
    interface: String,
    start_ns: u64,
}

impl<W: Write> LogWriter<W> {
    /// Writes what the file begins with; `start_ns` is when its times start, since the epoch. The text names an interface
    /// in each line.
    ///
    /// # Errors
    /// When the output refuses bytes; the same holds for every other function here.
    pub fn new(mut out: W, format: LogFormat, interface: &str, start_ns: u64) -> io::Result<Self> {
        if format == LogFormat::Pcapng {
            write::begin_with(&mut out, write::CAN_SOCKETCAN)?;
        }
        Ok(Self {
            out,
            format,
            interface: interface.to_owned(),
            start_ns,
        })
    }

    /// The next frame, `at_ns` after the start: one write.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn frame(&mut self, at_ns: u64, frame: &Frame) -> io::Result<()> {
        let at = self.start_ns.saturating_add(at_ns);
        match self.format {
            LogFormat::Candump => {
                let line = candump_line(at, &self.interface, frame) + "\n";
                self.out.write_all(line.as_bytes())
            }
            LogFormat::Pcapng => {
                let packet = write::enhanced_packet(at, &frame.to_socketcan());
                self.out.write_all(&packet)
            }
        }
    }

    /// Flushes the output and gives it back.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A frame as a line of `candump -L`, without the line feed: `(1700000000.250000) vcan0 00000954#000003E8000A0064`.
#[must_use]
pub fn candump_line(at_ns: u64, interface: &str, frame: &Frame) -> String {
    let (seconds, micros) = (at_ns / 1_000_000_000, at_ns / 1_000 % 1_000_000);
    format!(
        "({seconds:010}.{micros:06}) {interface} {}",
        frame.to_candump()
    )
}

/// Reads such a line, or one that candump shows on a screen; the time in nanoseconds, if there is one.
pub(crate) fn read_line(line: &str) -> Option<(Option<u64>, Frame)> {
    let mut words = line.split_ascii_whitespace().peekable();
    let at = match words.next_if(|word| word.starts_with('(')) {
        Some(word) => Some(time(word)?),
        None => None,
    };
    let _interface = words.next()?;
    // `candump -x` tells of each frame whether it was received, and how.
    while words
        .next_if(|word| matches!(*word, "RX" | "TX" | "-" | "B" | "E"))
        .is_some()
    {}
    let word = words.next()?;
    let frame = match word.contains('#') {
        true => Frame::from_candump(word)?,
        false => {
            let len = match words.next()? {
                // `[ 8]`, where there are frames of CAN FD.
                "[" => format!("[{}", words.next()?),
                len => len.to_owned(),
            };
            Frame::from_columns(word, &len, words)?
        }
    };
    Some((at, frame))
}

fn time(word: &str) -> Option<u64> {
    let number = word.strip_prefix('(')?.strip_suffix(')')?;
    let (seconds, fraction) = number.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: u64 = format!("{fraction:0<9}").parse().ok()?;
    let seconds: u64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::can::Packet;

    #[test]
    fn every_form_of_a_line_is_read() {
        let frame = Frame::new(Packet::STATUS, 84, &[0, 0, 3, 232, 0, 10, 0, 100]);
        let at = Some(1_700_000_000_250_000_000);
        for (line, at) in [
            ("(1700000000.250000) vcan0 00000954#000003E8000A0064", at),
            ("(1700000000.250000) can0 00000954#000003e8000a0064 R", at),
            (
                " (1700000000.250000)  vcan0  00000954   [8]  00 00 03 E8 00 0A 00 64",
                at,
            ),
            (
                "(1700000000.250000)  vcan0  RX - -  00000954   [8]  00 00 03 E8 00 0A 00 64   '.......d'",
                at,
            ),
            ("  vcan0  00000954   [8]  00 00 03 E8 00 0A 00 64", None),
            ("vcan0  00000954   [ 8]  00 00 03 E8 00 0A 00 64", None),
        ] {
            assert_eq!(read_line(line), Some((at, frame.clone())), "{line}");
        }
        assert_eq!(
            candump_line(1_700_000_000_250_000_999, "vcan0", &frame),
            "(1700000000.250000) vcan0 00000954#000003E8000A0064"
        );
    }

    #[test]
    fn other_text_is_not_read() {
        for line in [
            "",
            "GET / HTTP/1.1",
            "(now) vcan0 00000954#00",
            "(99999999999999999999.0) vcan0 00000954#00",
            "(1.0000000000) vcan0 00000954#00",
            "(1.0) vcan0",
            "(1.0) vcan0 00000954 [2] 00",
            "(1.0) vcan0 00000954 [",
        ] {
            assert_eq!(read_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_name_of_a_file_says_what_it_holds() {
        assert_eq!(LogFormat::of_name("a/bus.log"), Some(LogFormat::Candump));
        assert_eq!(LogFormat::of_name("bus.PCAP"), Some(LogFormat::Pcapng));
        assert_eq!(LogFormat::of_name("bus"), None);
        assert_eq!(LogFormat::of_name("bus.txt"), None);
    }
}
