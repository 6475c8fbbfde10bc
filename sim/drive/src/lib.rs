//! Everything that waits for a hub: sockets, ttys, the time of day and virtual time.
//!
//! Every way for bytes to reach a device is made of the same parts, and none of them decides anything:
//!
//! ```text
//!  server     TCP connections that come in  --\
//!  device     a TCP connection to a far hub ---+-- stream: one connection -- driver: the Hub and its timers
//!  pty        a tty that is opened          --+
//!  udp        senders of datagrams          --/
//!
//!  clock      the hub's time: that of the machine, faster or slower, or standing still
//!  remote     orders from elsewhere, which the driver carries out between two events
//!
//!  virtual_time  the Hub and its clients joined in memory, on a paused clock
//!
//!  discovery  datagrams that say where a device listens
//!  record     between a client and a hub of somebody else's
//! ```

mod alarm;
pub mod clock;
pub mod device;
pub mod discovery;
mod driver;
pub mod observe;
pub mod pty;
pub mod record;
pub mod remote;
pub mod server;
mod stream;
pub mod udp;
pub mod virtual_time;
