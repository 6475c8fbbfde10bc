//! Everything that waits: the only files that know sockets, ttys and the time of day.
//!
//! Every way for bytes to reach a device is made of the same parts, and none of them decides anything:
//!
//! ```text
//!  server     TCP connections that come in  --\
//!  device     a TCP connection to a far hub ---+-- stream: one connection -- driver: the Hub and its timers
//!  pty        a tty that is opened          --/
//!
//!  discovery  datagrams that say where a device listens
//!  record     between a client and a hub of somebody else's
//! ```

pub mod device;
pub mod discovery;
mod driver;
pub mod observe;
pub mod pty;
pub mod record;
pub mod server;
mod stream;
