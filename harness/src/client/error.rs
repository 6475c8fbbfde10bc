//! Why the client did not get what it waited for.
//!
//! A hub that refuses a login sends nothing, and so does a device that does not know a request: the client cannot tell
//! the two apart. So the messages say what the client waited for, what came instead, and what to check.

use std::{io, time::Duration};

use veschub_wire::{CommandId, DecodeError};

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The other side closed the connection.
    Closed,
    /// The other side reset the connection.
    Reset,
    /// Reading or writing failed.
    Failed {
        /// What kind of failure.
        kind: io::ErrorKind,
        /// The message of the operating system.
        message: String,
    },
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset => Self::Reset,
            kind => Self::Failed {
                kind,
                message: error.to_string(),
            },
        }
    }
}

/// Why the client did not get what it waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nothing came within the time limit.
    #[error(
        "{awaited} did not come within {:?}{}; ask again or allow more time",
        Duration::from_millis(after.as_millis() as u64),
        meanwhile(.seen, *.junk)
    )]
    TimedOut {
        /// What the client waited for: `the reply to BMS_GET_VALUES`.
        awaited: String,
        /// How long it waited.
        after: Duration,
        /// The commands of the frames that came meanwhile, in order.
        seen: Vec<CommandId>,
        /// Bytes that came meanwhile and belong to no complete frame.
        junk: u64,
    },
    /// The connection ended.
    #[error("the other side {} the connection before {awaited} came; connect again", how(*.reset))]
    Closed {
        /// What the client waited for.
        awaited: String,
        /// Whether the connection was reset, not closed.
        reset: bool,
    },
    /// The connection ended after the login and before the first frame.
    #[error(
        "the hub {} the connection before any reply came; most likely it refused the login: \
         check the id, the password and that the device is connected to the hub",
        how(*.reset)
    )]
    ClosedEarly {
        /// What the client waited for.
        awaited: String,
        /// Whether the connection was reset, not closed.
        reset: bool,
    },
    /// The connection ended in the pause after the login.
    #[error(
        "the hub refused the login: it closed the connection without an answer; \
         check the id, the password and that the device is connected to the hub"
    )]
    LoginRefused,
    /// Reading or writing failed.
    #[error("{awaited} did not come: {message}; connect again")]
    Io {
        /// What the client waited for.
        awaited: String,
        /// What kind of failure.
        kind: io::ErrorKind,
        /// The message of the operating system.
        message: String,
    },
    /// A reply came but cannot be read.
    #[error(
        "the reply to {command} cannot be read: {error}; if real firmware sent it, please report it with its bytes"
    )]
    Undecodable {
        /// The command.
        command: CommandId,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The request is too long for a frame.
    #[error("the request {command} has {len} bytes, more than a frame can hold; send less")]
    TooLong {
        /// The command.
        command: CommandId,
        /// The size of its payload, in bytes.
        len: usize,
    },
}

impl ClientError {
    /// The error for a client that was waiting when the connection ended; `early`: after a login, before any frame.
    pub(super) fn ended(ending: &Ending, awaited: String, early: bool) -> Self {
        let reset = match ending {
            Ending::Closed => false,
            Ending::Reset => true,
            Ending::Failed { kind, message } => {
                return Self::Io {
                    awaited,
                    kind: *kind,
                    message: message.clone(),
                };
            }
        };
        if early {
            Self::ClosedEarly { awaited, reset }
        } else {
            Self::Closed { awaited, reset }
        }
    }

    /// Whether the connection has ended, so that further requests make no sense.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Closed { .. } | Self::ClosedEarly { .. } | Self::LoginRefused | Self::Io { .. }
        )
    }

    /// Whether the hub seems to have refused the login.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::LoginRefused | Self::ClosedEarly { .. })
    }
}

fn how(reset: bool) -> &'static str {
    if reset { "reset" } else { "closed" }
}

/// ` (meanwhile: PRINT ×3, PING_CAN, 12 bytes outside of frames)`, or nothing.
fn meanwhile(seen: &[CommandId], junk: u64) -> String {
    let mut parts: Vec<String> = seen
        .chunk_by(|a, b| a == b)
        .map(|run| match run.len() {
            1 => run[0].to_string(),
            count => format!("{} ×{count}", run[0]),
        })
        .collect();
    if junk > 0 {
        parts.push(format!("{junk} bytes outside of frames"));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(" (meanwhile: {})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_says_what_was_awaited_and_what_came() {
        let error = ClientError::TimedOut {
            awaited: "the reply to BMS_GET_VALUES".into(),
            after: Duration::from_secs(5),
            seen: vec![CommandId::PING_CAN, CommandId::PRINT, CommandId::PRINT],
            junk: 171,
        };
        assert_eq!(
            error.to_string(),
            "the reply to BMS_GET_VALUES did not come within 5s \
             (meanwhile: PING_CAN, PRINT ×2, 171 bytes outside of frames); ask again or allow more time"
        );
    }
}
