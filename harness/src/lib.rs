//! Drives VESC clients against the simulated hub and judges what they understood.
//!
//! * [`client`]: the reference client, generic over its stream; [`read`]: the command that shows a pack.
//! * [`Hub`]: a hub for the tests of a client written in Rust; [`outside`]: clients in any other language.
//! * [`run`]: a scenario run in virtual or real time, and the judgement of what was seen.
//! * [`report`]: results for people and for programs; [`cli`]: the commands of `veschub-harness`.
//!
//! The simulator and the reference client share a codec, so their agreement says nothing about the codec: recorded
//! sessions and composed sample payloads are its witnesses.

pub mod cli;
pub mod client;
pub mod conformance;
pub mod defective;
pub mod outside;
pub mod read;
pub mod report;
pub mod run;
#[cfg(unix)]
pub mod supervise;

pub use run::Hub;
