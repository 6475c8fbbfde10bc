//! A device on a pseudo-terminal: for clients that speak serial first.
//!
//! A session lasts from somebody's opening the terminal until the last one has closed it. As on a serial line there
//! is no login, and what the device says while nobody listens is lost.

use std::{
    ffi::OsString,
    future::Future,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr},
};
use tokio::{io::Interest, net::unix::pipe, time::sleep};

use super::{driver::Driver, stream::ByteStream};
use crate::{hub::Hub, journal::JournalEntry};

/// How often to look whether somebody has opened the terminal: the system does not report it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The device's end of a pseudo-terminal.
#[derive(Debug)]
pub struct Pty {
    device_end: OwnedFd,
    path: PathBuf,
}

impl Pty {
    /// Makes a pseudo-terminal that passes bytes on unchanged.
    ///
    /// # Errors
    /// If the system has none left, or does not let us have one.
    pub fn open() -> io::Result<Self> {
        let device_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&device_end, true)?;
        grantpt(&device_end)?;
        unlockpt(&device_end)?;
        let path = ptsname(&device_end, Vec::new())?;
        let pty = Self {
            device_end,
            path: OsString::from_vec(path.into_bytes()).into(),
        };
        pty.make_ready()?;
        Ok(pty)
    }

    /// Where a client opens it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Prepares for the next client: no editing of lines, and nothing left to read from before.
    ///
    /// Opening and closing the client's end also leaves it in the state in which [`is_open`](Self::is_open) sees
    /// that nobody is there, which a new terminal is not in.
    fn make_ready(&self) -> io::Result<()> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let client_end = rustix::fs::open(&self.path, flags, Mode::empty())?;
        let mut mode = tcgetattr(&client_end)?;
        mode.make_raw();
        tcsetattr(&client_end, OptionalActions::Now, &mode)?;
        tcflush(&client_end, QueueSelector::IFlush)?;
        Ok(())
    }

    /// Waits until somebody opens the terminal, or has already written to it.
    async fn opened(&self) {
        while !self.is_open() {
            sleep(LOOK_AGAIN).await;
        }
    }

    fn is_open(&self) -> bool {
        let mut ends = [PollFd::new(&self.device_end, PollFlags::IN)];
        let now = Timespec::default();
        let polled = poll(&mut ends, Some(&now));
        let seen = ends[0].revents();
        polled.is_ok() && (seen.contains(PollFlags::IN) || !seen.contains(PollFlags::HUP))
    }

    /// The terminal for one session; tokio's pipes carry whatever can be polled.
    fn session(&self) -> io::Result<Session> {
        let from_client = self.device_end.try_clone()?;
        let to_client = self.device_end.try_clone()?;
        Ok(Session {
            from_client: pipe::Receiver::from_owned_fd_unchecked(from_client)?,
            to_client: pipe::Sender::from_owned_fd_unchecked(to_client)?,
            closed: AtomicBool::new(false),
        })
    }
}

/// Serves a device, made with [`Hub::direct`], until `shutdown` is ready; `observe` sees every journal entry.
///
/// # Errors
/// If the system takes the terminal away.
pub async fn serve(
    pty: &Pty,
    device: Hub,
    observe: impl FnMut(JournalEntry),
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::select! {
        biased;
        () = shutdown => Ok(()),
        result = serve_sessions(pty, device, observe) => result,
    }
}

async fn serve_sessions(
    pty: &Pty,
    device: Hub,
    observe: impl FnMut(JournalEntry),
) -> io::Result<()> {
    let mut driver = Driver::new(device, observe);
    loop {
        driver.turn_until(pty.opened()).await;
        let conn = driver.open(pty.session()?);
        driver.turn_while_open(conn).await;
        pty.make_ready()?;
    }
}

/// The terminal from when it is opened until it is closed.
struct Session {
    from_client: pipe::Receiver,
    to_client: pipe::Sender,
    /// The client's end was closed at least once, and this session is over even if somebody else has opened it since.
    closed: AtomicBool,
}

impl ByteStream for Session {
    async fn readable(&self) -> io::Result<()> {
        let ready = self.from_client.ready(Interest::READABLE).await?;
        if ready.is_read_closed() {
            self.closed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        match self.from_client.try_read_buf(bytes) {
            Err(error) if is_closed(&error) => Ok(0),
            Err(error) if is_empty(&error) && self.closed.load(Ordering::Relaxed) => Ok(0),
            read => read,
        }
    }

    async fn writable(&self) -> io::Result<()> {
        self.to_client.writable().await
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.to_client.try_write(bytes) {
            // Nobody listens, which a serial line does not notice.
            Err(error) if is_closed(&error) => Ok(bytes.len()),
            written => written,
        }
    }

    fn end_writing(&self) {}

    fn break_off(&self) {}
}

/// What Linux says when nobody has the client's end open.
fn is_closed(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

fn is_empty(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
