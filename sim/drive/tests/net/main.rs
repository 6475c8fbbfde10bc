//! The hub on real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod dialogues;
mod faults;
mod house;
mod server;
mod steered;
mod udp;
