//! A device on a pseudo-terminal: for clients that speak serial first.
//!
//! A session lasts from somebody's opening the terminal until the last one has closed it. As on a serial line there
//! is no login, and what the device says while nobody listens is lost.

use std::{
    ffi::OsString,
    future::Future,
    io, mem,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
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

use super::{
    driver::Driver,
    stream::{ByteStream, PIECE},
};
use crate::observe::Observer;
use veschub_hub::hub::Hub;

/// How often to look whether somebody has opened the terminal: the system does not report it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// The most bytes that are read of a client that has left; a terminal holds less.
const MAX_REST: usize = 256 * 1024;

/// The device's end of a pseudo-terminal.
#[derive(Debug)]
pub struct Pty {
    device_end: OwnedFd,
    path: PathBuf,
    early: Early,
}

/// Bytes that were read before the session they belong to began.
type Early = Arc<Mutex<Vec<u8>>>;

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
            early: Early::default(),
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
        let seen = look(&self.device_end);
        let gone = seen.contains(PollFlags::HUP) && !seen.contains(PollFlags::IN);
        !gone || !lock(&self.early).is_empty()
    }

    /// The terminal for one session; tokio's pipes carry whatever can be polled.
    fn session(&self) -> io::Result<Session> {
        let from_client = self.device_end.try_clone()?;
        let to_client = self.device_end.try_clone()?;
        Ok(Session {
            from_client: pipe::Receiver::from_owned_fd_unchecked(from_client)?,
            to_client: pipe::Sender::from_owned_fd_unchecked(to_client)?,
            closed: AtomicBool::new(false),
            full: AtomicBool::new(false),
            early: Arc::clone(&self.early),
        })
    }
}

/// Serves a device, made with [`Hub::direct`], until `shutdown` is ready; `observe` sees all that happens.
///
/// # Errors
/// If the system takes the terminal away.
pub async fn serve(
    pty: &Pty,
    device: Hub,
    observe: impl Observer,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::select! {
        biased;
        () = shutdown => Ok(()),
        result = serve_sessions(pty, Driver::new(device, observe)) => result,
    }
}

/// Serves a device as [`serve`] does, but its time starts when the terminal is first opened, as it does in virtual
/// time.
///
/// # Errors
/// As [`serve`].
pub async fn serve_from_the_first(
    pty: &Pty,
    device: Hub,
    observe: impl Observer,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let serving = async {
        pty.opened().await;
        serve_sessions(pty, Driver::new(device, observe)).await
    };
    tokio::select! {
        biased;
        () = shutdown => Ok(()),
        result = serving => result,
    }
}

async fn serve_sessions(pty: &Pty, mut driver: Driver<impl Observer>) -> io::Result<()> {
    loop {
        driver.turn_until_reachable().await;
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
    /// The client's end was seen closed: this session is over, even if somebody else has opened it since. Tokio
    /// does not forget it, so that waiting for the end that saw it does not wait from then on.
    closed: AtomicBool,
    /// The last bytes did not fit.
    full: AtomicBool,
    early: Early,
}

impl Session {
    /// Reads what the client has left; 0 is the end.
    fn read_rest(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let mut rest = Vec::new();
        while rest.len() < MAX_REST
            && self
                .from_client
                .try_read_buf(&mut rest)
                .is_ok_and(|n| n > 0)
        {}
        if look(&self.from_client).contains(PollFlags::HUP) {
            bytes.extend_from_slice(&rest);
            Ok(rest.len())
        } else {
            // Somebody else has opened it, and the bytes may be theirs.
            lock(&self.early).append(&mut rest);
            Ok(0)
        }
    }
}

impl ByteStream for Session {
    async fn readable(&self) -> io::Result<()> {
        if !lock(&self.early).is_empty() {
            return Ok(());
        }
        let ready = self.from_client.ready(Interest::READABLE).await?;
        if ready.is_read_closed() {
            self.closed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let early = mem::take(&mut *lock(&self.early));
        if !early.is_empty() {
            bytes.extend_from_slice(&early);
            return Ok(early.len());
        }
        if self.closed.load(Ordering::Relaxed) {
            return self.read_rest(bytes);
        }
        bytes.reserve(PIECE);
        match self.from_client.try_read_buf(bytes) {
            Err(error) if is_closed(&error) => Ok(0),
            read => read,
        }
    }

    async fn writable(&self) -> io::Result<()> {
        let ready = self.to_client.ready(Interest::WRITABLE).await?;
        if self.full.swap(false, Ordering::Relaxed) && ready.is_write_closed() {
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        // That nobody listens any more, a serial line does not notice.
        if self.closed.load(Ordering::Relaxed) {
            return Ok(bytes.len());
        }
        match self.to_client.try_write(bytes) {
            Err(error) if is_closed(&error) => Ok(bytes.len()),
            Err(error) => {
                self.full.store(true, Ordering::Relaxed);
                Err(error)
            }
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

fn lock(early: &Early) -> MutexGuard<'_, Vec<u8>> {
    early.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What there is to see at the device's end right now: bytes to read, and whether nobody has the other end open.
fn look(device_end: &impl AsFd) -> PollFlags {
    let mut ends = [PollFd::new(device_end, PollFlags::IN)];
    match poll(&mut ends, Some(&Timespec::default())) {
        Ok(_) => ends[0].revents(),
        Err(_) => PollFlags::HUP,
    }
}
