//! A connection over which only a few bytes go at a time, in both directions.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The most bytes that one read brings.
const READ: usize = 7;
/// The pause after each write of one byte and each read.
const PAUSE: Duration = Duration::from_millis(1);

/// A stream that is read and written in small pieces with pauses between them.
#[derive(Debug)]
pub(super) struct Slow<S> {
    stream: S,
    read_after: Pin<Box<Sleep>>,
    write_after: Pin<Box<Sleep>>,
}

impl<S> Slow<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            read_after: Box::pin(sleep(Duration::ZERO)),
            write_after: Box::pin(sleep(Duration::ZERO)),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Slow<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.read_after.as_mut().poll(cx));
        let mut space = [0; READ];
        let room = buffer.remaining().min(READ);
        let mut few = ReadBuf::new(&mut space[..room]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut few))?;
        buffer.put_slice(few.filled());
        self.read_after.set(sleep(PAUSE));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Slow<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_after.as_mut().poll(cx));
        let first = &bytes[..bytes.len().min(1)];
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, first))?;
        self.write_after.set(sleep(PAUSE));
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
