//! What connections do to the hub, and what the hub does to connections.

/// What a connection can do to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A peer connected.
    Opened,
    /// One read's worth of bytes came in; what was read together is handed over together.
    Bytes(&'a [u8]),
    /// This many bytes of earlier output left for the network.
    Flushed(usize),
    /// The peer ended its direction.
    Eof,
    /// The connection is gone.
    Reset,
}

/// What the hub can do to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Write(Vec<u8>),
    /// Send what is still unsent, then say that nothing more will come; what the peer says is still heard.
    Shutdown,
    /// Send what is still unsent, then end the connection in an orderly way.
    Close,
    /// Drop the connection and what is unsent; the peer sees it broken off.
    Abort,
}
