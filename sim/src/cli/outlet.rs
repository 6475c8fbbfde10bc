//! Output that never keeps a hub waiting, whether somebody reads it or not.

use std::{
    fmt::Display,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use super::Failure;

/// How many lines may wait for their reader.
const MAX_LINES: usize = 8192;
/// How many bytes of them.
const MAX_BYTES: usize = 8 << 20;
/// How long the reader has for the rest when the program ends.
const REST: Duration = Duration::from_secs(1);

/// Lines on their way to a pipe, a terminal or a file. What its reader does not take in time is left out, and a line in
/// its place says how many.
#[derive(Debug)]
pub(super) struct Outlet {
    lines: SyncSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    left_out: u64,
    /// The line that says so.
    tell: fn(u64) -> Vec<u8>,
    end: Receiver<io::Result<()>>,
}

impl Outlet {
    /// Starts to write in a thread of its own; `tell` makes the line that says how many lines were left out.
    pub(super) fn new(
        out: impl Write + Send + 'static,
        tell: fn(u64) -> Vec<u8>,
    ) -> io::Result<Self> {
        let (lines, to_write) = mpsc::sync_channel(MAX_LINES);
        let (ended, end) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || ended.send(write_all(out, &to_write, &written)))?;
        Ok(Self {
            lines,
            waiting,
            left_out: 0,
            tell,
            end,
        })
    }

    /// Lines for a person on stderr.
    pub(super) fn stderr() -> Result<Self, Failure> {
        let tell = |count| format!("({count} lines left out, as nobody read them)\n").into_bytes();
        Self::new(io::stderr(), tell)
            .map_err(|error| Failure::Text(format!("cannot start: {error}")))
    }

    /// Takes a line of text.
    pub(super) fn say(&mut self, text: impl Display) {
        self.line(format!("{text}\n").into_bytes());
    }

    /// Takes a line, or counts it if there is no room for it.
    pub(super) fn line(&mut self, line: Vec<u8>) {
        if self.left_out > 0 && self.push((self.tell)(self.left_out)) {
            self.left_out = 0;
        }
        if self.left_out > 0 || !self.push(line) {
            self.left_out += 1;
        }
    }

    fn push(&self, line: Vec<u8>) -> bool {
        let length = line.len();
        if self.waiting.fetch_add(length, Ordering::Relaxed) + length <= MAX_BYTES {
            match self.lines.try_send(line) {
                Ok(()) => return true,
                // Nobody reads any more, and nobody will ask what was left out.
                Err(mpsc::TrySendError::Disconnected(_)) => return true,
                Err(mpsc::TrySendError::Full(_)) => {}
            }
        }
        self.waiting.fetch_sub(length, Ordering::Relaxed);
        false
    }

    /// Waits a moment until everything is written.
    ///
    /// # Errors
    /// The first error of the output, or a time-out if its reader does not read.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.left_out > 0 && self.push((self.tell)(self.left_out)) {
            self.left_out = 0;
        }
        drop(self.lines);
        match self.end.recv_timeout(REST) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "its reader does not read",
            )),
            Err(RecvTimeoutError::Disconnected) => Ok(()),
        }
    }
}

/// Each write is a line.
impl Write for Outlet {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(
    mut out: impl Write,
    lines: &Receiver<Vec<u8>>,
    waiting: &AtomicUsize,
) -> io::Result<()> {
    for line in lines {
        out.write_all(&line)?;
        out.flush()?;
        waiting.fetch_sub(line.len(), Ordering::Relaxed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn tell(count: u64) -> Vec<u8> {
        format!("{count} left out\n").into_bytes()
    }

    #[test]
    fn a_reader_that_reads_gets_everything() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, tell).unwrap();
        outlet.line(b"one\n".to_vec());
        outlet.line(b"two\n".to_vec());
        outlet.finish().unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_learns_what_it_missed() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, tell).unwrap();
        let line = [&[b'x'; 999][..], b"\n"].concat();
        // More than the pipe and the queue hold; this returns at once.
        for _ in 0..20_000 {
            outlet.line(line.clone());
        }
        let missed = outlet.left_out;
        assert!(missed > 10_000, "{missed}");
        let reading = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        while outlet.left_out > 0 {
            // The next line finds room as soon as the reader has read.
            outlet.line(b"later\n".to_vec());
            thread::yield_now();
        }
        outlet.finish().unwrap();
        let text = reading.join().unwrap();
        let told: Vec<&str> = text
            .lines()
            .filter(|line| line.ends_with("left out"))
            .collect();
        let count = |line: &str| line.split(' ').next().unwrap().parse::<u64>().unwrap();
        assert!(told.iter().map(|line| count(line)).sum::<u64>() >= missed);
        assert!(text.ends_with("later\n"));
    }

    #[test]
    fn at_the_end_a_reader_that_does_not_read_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, tell).unwrap();
        outlet.line(vec![b'x'; 1 << 20]);
        let error = outlet.finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(reader);
    }
}
