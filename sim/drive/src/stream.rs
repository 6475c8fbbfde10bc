//! Carries the bytes of one connection between the hub and the operating system, whatever it is made of.

use std::{
    cell::RefCell,
    future::Future,
    io::{self, Read},
    net::Shutdown,
    sync::Arc,
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::Interest,
    net::TcpStream,
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};

use veschub_hub::hub::{ConnId, Output};

/// The most bytes that one read hands over.
const MAX_READ: usize = 256 * 1024;
/// The most bytes that one call reads.
pub(super) const PIECE: usize = 8192;
/// The most bytes that the hub takes of one connection before the next one has its turn.
const SHARE: usize = 1024;
/// How long a connection that we ended may take to end its side, so that what was sent last is not lost.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection's task reports.
pub(super) enum Input {
    Bytes(Vec<u8>),
    Flushed(usize),
    Eof,
    Reset,
    /// The connection is closed on our side too; nothing more comes of it.
    Ended,
}

/// A connection as the operating system has it: what a socket and a tty have in common.
pub(super) trait ByteStream: Send + Sync + 'static {
    /// Waits until there is something to read, or the end.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;
    /// Reads what is there, as far as one call does; 0 is the end.
    fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize>;
    /// Waits until there is room to write.
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;
    /// Writes as much as there is room for.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Says that nothing more will be written.
    fn end_writing(&self);
    /// Makes the close that follows look like a broken connection.
    fn break_off(&self);
}

impl ByteStream for TcpStream {
    async fn readable(&self) -> io::Result<()> {
        Self::readable(self).await
    }

    fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        PIECES.with_borrow_mut(|piece| {
            let mut count = 0;
            let read = self.try_io(Interest::READABLE, || {
                count = (&*SockRef::from(self)).read(piece)?;
                // If there was room for more, nothing is left: this spares the call that finds nothing.
                match count > 0 && count < piece.len() {
                    true => Err(io::ErrorKind::WouldBlock.into()),
                    false => Ok(()),
                }
            });
            bytes.extend_from_slice(&piece[..count]);
            match read {
                Err(error) if count == 0 => Err(error),
                _ => Ok(count),
            }
        })
    }

    async fn writable(&self) -> io::Result<()> {
        Self::writable(self).await
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }

    fn end_writing(&self) {
        let _ = SockRef::from(self).shutdown(Shutdown::Write);
    }

    fn break_off(&self) {
        // Without lingering, the peer sees a reset and not an orderly end.
        let _ = self.set_zero_linger();
    }
}

thread_local! {
    /// Where one connection after the other reads to: what came is much shorter than the room for it.
    static PIECES: RefCell<[u8; PIECE]> = const { RefCell::new([0; PIECE]) };
}

/// Where a connection's task reports to.
pub(super) type ToHub = mpsc::Sender<(ConnId, Input)>;

/// Carries one connection's bytes until it ends, or until the hub breaks it off. `taken` says that the hub has taken the
/// bytes that were handed over last.
pub(super) async fn attend(
    stream: impl ByteStream,
    conn: ConnId,
    mut from_hub: mpsc::UnboundedReceiver<Output>,
    to_hub: ToHub,
    taken: Arc<Notify>,
    broken_off: oneshot::Receiver<()>,
) {
    tokio::select! {
        biased;
        Ok(()) = broken_off => {
            send_at_once(&stream, &mut from_hub);
            stream.break_off();
        }
        () = carry(&stream, conn, &mut from_hub, &to_hub, &taken) => {}
    }
    drop(stream);
    let _ = to_hub.send((conn, Input::Ended)).await;
}

/// Sends what the system takes without waiting: a reset ends a connection in the middle of what is said.
fn send_at_once(stream: &impl ByteStream, from_hub: &mut mpsc::UnboundedReceiver<Output>) {
    while let Ok(Output::Write(bytes)) = from_hub.try_recv() {
        if !stream
            .try_write(&bytes)
            .is_ok_and(|sent| sent == bytes.len())
        {
            return;
        }
    }
}

async fn carry(
    stream: &impl ByteStream,
    conn: ConnId,
    from_hub: &mut mpsc::UnboundedReceiver<Output>,
    to_hub: &ToHub,
    taken: &Notify,
) {
    let writing = write_all(stream, conn, from_hub, to_hub);
    tokio::pin!(writing);
    tokio::select! {
        biased;
        () = &mut writing => {
            // We ended it. A socket that is closed with unread input resets the connection and may destroy
            // what was sent last, so read on for a while.
            let _ = timeout(LINGER, discard(stream)).await;
        }
        end = read_all(stream, conn, to_hub, taken) => {
            let _ = to_hub.send((conn, end)).await;
            let _ = timeout(LINGER, writing).await;
        }
    }
}

async fn write_all(
    stream: &impl ByteStream,
    conn: ConnId,
    from_hub: &mut mpsc::UnboundedReceiver<Output>,
    to_hub: &ToHub,
) {
    while let Some(output) = from_hub.recv().await {
        let input = match output {
            Output::Write(bytes) => match write(stream, &bytes).await {
                Ok(()) => Input::Flushed(bytes.len()),
                Err(_) => Input::Reset,
            },
            Output::Shutdown => {
                stream.end_writing();
                continue;
            }
            Output::Close | Output::Abort => break,
        };
        if to_hub.send((conn, input)).await.is_err() {
            return;
        }
    }
    stream.end_writing();
}

/// Writes all of these bytes.
pub(super) async fn write(stream: &impl ByteStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads all that is there at once, like the reference hub, which reads until its buffer is empty. What comes first, and
/// may be a login with more behind it, is handed over in one piece. Further bytes are handed over in shares, each when the
/// hub has taken the one before, so that a connection that floods the hub waits for the others and not they for it.
async fn read_all(stream: &impl ByteStream, conn: ConnId, to_hub: &ToHub, taken: &Notify) -> Input {
    let mut share = MAX_READ;
    loop {
        if stream.readable().await.is_err() {
            return Input::Reset;
        }
        let mut bytes = Vec::new();
        let end = read_available(stream, &mut bytes);
        while !bytes.is_empty() {
            let is_first = share == MAX_READ;
            if !is_first {
                taken.notified().await;
            }
            let later = bytes.split_off(bytes.len().min(share));
            if to_hub.send((conn, Input::Bytes(bytes))).await.is_err() {
                return Input::Reset;
            }
            bytes = later;
            share = SHARE;
        }
        if let Some(end) = end {
            return end;
        }
    }
}

/// Reads until nothing is left or there is enough; says how the connection ended, if it did.
fn read_available(stream: &impl ByteStream, bytes: &mut Vec<u8>) -> Option<Input> {
    while bytes.len() < MAX_READ {
        match stream.try_read(bytes) {
            Ok(0) => return Some(Input::Eof),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => return Some(Input::Reset),
        }
    }
    None
}

async fn discard(stream: &impl ByteStream) {
    while stream.readable().await.is_ok() {
        if read_available(stream, &mut Vec::new()).is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that has always more to say.
    struct Flood;

    impl ByteStream for Flood {
        async fn readable(&self) -> io::Result<()> {
            Ok(())
        }

        fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
            bytes.resize(bytes.len() + 4096, 0);
            Ok(4096)
        }

        async fn writable(&self) -> io::Result<()> {
            Ok(())
        }

        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn end_writing(&self) {}

        fn break_off(&self) {}
    }

    #[tokio::test]
    async fn who_floods_the_hub_hands_over_one_share_a_turn() {
        let (to_hub, mut inputs) = mpsc::channel(16);
        let taken = Notify::new();
        let hub = async {
            let mut sizes = Vec::new();
            for _ in 0..1000 {
                let Some((_, Input::Bytes(bytes))) = inputs.recv().await else {
                    unreachable!("the flood has no end");
                };
                sizes.push(bytes.len());
                assert!(inputs.is_empty(), "more than one share waits");
                taken.notify_one();
            }
            sizes
        };
        let sizes = tokio::select! {
            biased;
            sizes = hub => sizes,
            _ = read_all(&Flood, ConnId(1), &to_hub, &taken) => unreachable!("it has no end"),
        };
        // What comes first may be a login with more behind it.
        assert!(sizes[0] <= MAX_READ);
        let most = sizes[1..].iter().max();
        assert_eq!(most, Some(&SHARE));
    }
}
