//! The two ends of a TCP connection, and how each ends it.

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that opened the connection; where the opening was not recorded, the end that was seen sending first.
    Initiator,
    /// The other end.
    Responder,
}

impl Side {
    /// The other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// How one end of a connection ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// It had no more to send.
    Fin,
    /// It reset the connection.
    Reset,
}

impl Close {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Reset => "reset",
        }
    }
}
