//! Peers: what another author would write for the same job, to measure against in the same run.

pub mod byte_machine;
