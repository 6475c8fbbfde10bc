//! A child of the second client, which goes on sending when the client is dead; and the signal that tells the client to
//! end.

#[cfg(unix)]
use std::{
    cell::RefCell,
    io::{self, Write as _},
    os::fd::BorrowedFd,
    process::{Child, Command, Stdio},
};

/// The variable that makes the program such a child: what it sends, in hex.
#[cfg(unix)]
pub(super) const PAYLOAD: &str = "VESCHUB_CHILD_SENDS";

/// Waits for SIGTERM.
pub(super) async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut told) = signal(SignalKind::terminate())
            && told.recv().await.is_some()
        {
            return;
        }
    }
    std::future::pending().await
}

/// The child, which a client that ends by itself ends too. One that is killed cannot do that.
#[derive(Debug, Default)]
pub(super) struct Held {
    #[cfg(unix)]
    child: RefCell<Option<Child>>,
}

#[cfg(unix)]
impl Held {
    /// Starts a child that sends a payload on this connection again and again.
    pub(super) fn start(&self, stream: BorrowedFd<'_>, payload: &[u8]) -> io::Result<()> {
        // The child's stdin is the connection: it writes there.
        let child = Command::new(std::env::current_exe()?)
            .arg("client")
            .env(PAYLOAD, veschub_wire::view::hex(payload))
            .stdin(Stdio::from(stream.try_clone_to_owned()?))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.child.replace(Some(child));
        Ok(())
    }
}

#[cfg(unix)]
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(child) = self.child.get_mut() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The child: sends until nobody takes it.
#[cfg(unix)]
pub(super) fn main(payload: &[u8]) -> u8 {
    use std::{fs::File, os::fd::AsFd as _};
    let frame = super::framing::frame(payload, super::Defects::NONE);
    let Ok(stream) = io::stdin().as_fd().try_clone_to_owned() else {
        return 1;
    };
    let mut stream = File::from(stream);
    while stream.write_all(&frame).is_ok() {
        std::thread::sleep(super::drive::CHILD);
    }
    0
}
