//! The program `veschub-sim`: a fake VESCHub that plays devices from scenarios and from recorded sessions.

pub mod cli;
