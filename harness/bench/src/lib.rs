//! Peers: what another author would write for the same job, to measure against in the same run.

pub mod bare_relay;
pub mod byte_machine;
pub mod long_capture;
