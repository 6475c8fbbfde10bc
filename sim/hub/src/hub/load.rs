//! What a hub holds, counted: for whoever must see that it is bounded, whatever peers do.

/// How much a hub holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Connections that are open on our side.
    pub connections: usize,
    /// Connections that have not logged in yet, and readers whose peer is gone.
    pub lobby: usize,
    /// Bytes of login lines, and of what came behind them.
    pub login_bytes: usize,
    /// Connections that are logged in.
    pub members: usize,
    /// Connections that wait for a device which serves somebody else.
    pub waiting: usize,
    /// Tools that are disconnected as soon as a fault lets go of what was sent to them.
    pub draining: usize,
    /// Replaced devices whose connections have not ended yet.
    pub ending: usize,
    /// Bytes that have not left for the network.
    pub unsent: usize,
    /// Device ids that tools can log in with.
    pub rooms: usize,
    /// Sessions that are attached.
    pub sessions: usize,
    /// Bytes that links hold back, of sessions and of draining tools.
    pub held: usize,
    /// Bytes that are kept of outside devices until their first tools come.
    pub early: usize,
    /// Bytes in parsers that wait for the rest of a frame.
    pub unparsed: usize,
    /// Things to do to connections that nobody has taken yet.
    pub outputs: usize,
}
