//! Output that never keeps a hub waiting, whether somebody reads it or not.

use std::{
    fmt::Display,
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, fstat},
};

use veschub_transcript::foreign::visible_lines;

use super::Failure;

/// How many lines may wait for their reader.
const MAX_LINES: usize = 8192;
/// How many bytes of them.
const MAX_BYTES: usize = 8 << 20;
/// How long a reader has for the rest when the program ends.
pub(super) const REST: Duration = Duration::from_secs(1);

/// How much a pipe takes at once without waiting, if it takes anything: POSIX's `PIPE_BUF` on Linux.
const PIPE_BUF: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Lines on their way to a pipe, a terminal or a file. What its reader does not take in time is left out, and a line in
/// its place says how many.
///
/// A line is in a pipe that has room for it before [`Outlet::line`] returns: so who has received a reply finds it in
/// the journal. The thread writes only what a pipe had no room for, and what goes elsewhere.
#[derive(Debug)]
pub(super) struct Outlet {
    /// The output once more, if it is a pipe.
    pipe: Option<File>,
    /// Until it has ended.
    lines: Option<SyncSender<Vec<u8>>>,
    waiting: Arc<AtomicUsize>,
    left_out: u64,
    /// The same at the end, for the thread to tell.
    left_at_end: Arc<AtomicU64>,
    /// The line that says so.
    tell: fn(u64) -> Vec<u8>,
    end: Receiver<io::Result<()>>,
}

impl Outlet {
    /// Starts to write in a thread of its own; `tell` makes the line that says how many lines were left out.
    pub(super) fn new(
        mut out: impl Write + AsFd + Send + 'static,
        tell: fn(u64) -> Vec<u8>,
    ) -> io::Result<Self> {
        let pipe = is_pipe(&out).then(|| out.as_fd().try_clone_to_owned());
        let (lines, to_write) = mpsc::sync_channel(MAX_LINES);
        let (ended, end) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        let left_at_end = Arc::new(AtomicU64::new(0));
        let left = Arc::clone(&left_at_end);
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                let result = write_all(&mut out, &to_write, &written);
                let result = result.and_then(|()| match left.load(Ordering::Acquire) {
                    0 => Ok(()),
                    count => out.write_all(&tell(count)).and_then(|()| out.flush()),
                });
                drop(out);
                ended.send(result)
            })?;
        Ok(Self {
            pipe: pipe.transpose()?.map(File::from),
            lines: Some(lines),
            waiting,
            left_out: 0,
            left_at_end,
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

    /// Takes a line of text for a person.
    pub(super) fn say(&mut self, text: impl Display) {
        let text = visible_lines(&text.to_string()) + "\n";
        self.line(text.into_bytes());
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

    fn push(&self, mut line: Vec<u8>) -> bool {
        let Some(lines) = &self.lines else {
            return true;
        };
        if self.waiting.load(Ordering::Acquire) == 0 {
            line.drain(..self.written_at_once(&line));
            if line.is_empty() {
                return true;
            }
        }
        let length = line.len();
        if self.waiting.fetch_add(length, Ordering::Relaxed) + length <= MAX_BYTES {
            match lines.try_send(line) {
                Ok(()) => return true,
                // Nobody reads any more, and nobody will ask what was left out.
                Err(mpsc::TrySendError::Disconnected(_)) => return true,
                Err(mpsc::TrySendError::Full(_)) => {}
            }
        }
        self.waiting.fetch_sub(length, Ordering::Relaxed);
        false
    }

    /// How much of a line went into a pipe without waiting, while the thread has nothing to write.
    fn written_at_once(&self, line: &[u8]) -> usize {
        let Some(mut pipe) = self.pipe.as_ref() else {
            return 0;
        };
        let mut written = 0;
        for piece in line.chunks(PIPE_BUF) {
            if !has_room(pipe) {
                break;
            }
            match pipe.write(piece) {
                Ok(length) => written += length,
                // The thread meets the same error and tells it at the end.
                Err(_) => break,
            }
        }
        written
    }

    /// Takes nothing more. What was left out is told after all that waits.
    fn close(&mut self) {
        self.left_at_end.store(self.left_out, Ordering::Release);
        self.lines = None;
        self.pipe = None;
    }

    /// Waits a moment until everything is written.
    ///
    /// # Errors
    /// The first error of the output, or a time-out if its reader does not read.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.close();
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

/// A message that comes after this one is not to overtake what waits here.
impl Drop for Outlet {
    fn drop(&mut self) {
        if self.lines.is_some() {
            let _ = self.finish();
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

fn is_pipe(out: impl AsFd) -> bool {
    fstat(out).is_ok_and(|about| FileType::from_raw_mode(about.st_mode) == FileType::Fifo)
}

/// Whether [`PIPE_BUF`] bytes can be written to a pipe without waiting. One without a reader has room: it takes nothing,
/// but says so at once.
fn has_room(pipe: &File) -> bool {
    let now = Timespec::default();
    let mut pipes = [PollFd::new(pipe, PollFlags::OUT)];
    poll(&mut pipes, Some(&now)).is_ok_and(|ready| ready == 1)
}

fn write_all(
    out: &mut impl Write,
    lines: &Receiver<Vec<u8>>,
    waiting: &AtomicUsize,
) -> io::Result<()> {
    for line in lines {
        out.write_all(&line)?;
        out.flush()?;
        waiting.fetch_sub(line.len(), Ordering::Release);
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
    fn a_line_is_in_the_pipe_before_anything_else_happens() {
        let (reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, tell).unwrap();
        for line in ["a line\n".to_owned(), "long ".repeat(4000)] {
            outlet.line(line.clone().into_bytes());
            // The thread may not have run yet.
            let there = rustix::io::ioctl_fionread(&reader).unwrap();
            assert_eq!(there, line.len() as u64);
            let mut taken = vec![0; line.len()];
            (&reader).read_exact(&mut taken).unwrap();
            assert_eq!(taken, line.as_bytes());
        }
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_learns_what_it_missed() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, tell).unwrap();
        let line = [&[b'x'; 999][..], b"\n"].concat();
        let (told, is_told) = mpsc::channel();
        thread::spawn(move || {
            // More than the pipe and the queue hold; this returns at once.
            for _ in 0..20_000 {
                outlet.line(line.clone());
            }
            let _ = told.send(outlet);
        });
        let mut outlet = is_told
            .recv_timeout(Duration::from_secs(30))
            .expect("it waits for its reader");
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
    fn what_was_left_out_is_told_though_the_queue_is_full_at_the_end() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, tell).unwrap();
        while outlet.left_out < 7 {
            outlet.line(b"\n".to_vec());
        }
        outlet.close();
        let reading = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        outlet.finish().unwrap();
        let text = reading.join().unwrap();
        assert!(text.ends_with("\n7 left out\n"));
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
