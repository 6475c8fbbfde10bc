//! Tests clients of VESC devices against the simulated hub, and judges what they send and what they understand.
//!
//! * [`client`]: the reference client, generic over its stream; [`read`]: the command that shows a pack.
//! * [`outside`]: clients in any other language: how they are started, and what they print.
//! * [`judge`]: what a client did and printed go in, a verdict comes out.
//! * [`run`]: runs a scenario in virtual or real time; [`Hub`]: a hub for the tests of a client that is written in Rust.
//! * [`conformance`]: the conformance battery; [`defective`]: a client with defects, which tests the battery.
//! * `fuzz`: changes what a hub sends until a client crashes, hangs, or reports what nobody sent.
//! * [`soak`]: tools of every temper at hubs in this process, for a long time.
//! * [`report`]: results for people and for programs; `cli`: the commands of `veschub-harness`.
//!
//! The simulator and the reference client use the same codec, so their agreement does not prove that the codec is
//! right. Recorded sessions and sample payloads test the codec.

mod blow;
#[cfg(feature = "program")]
pub mod cli;
pub mod client;
pub mod conformance;
pub mod defective;
#[cfg(unix)]
pub mod family;
#[cfg(all(unix, feature = "program"))]
pub mod fuzz;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod judge;
pub mod outside;
mod parallel;
#[cfg_attr(
    not(feature = "program"),
    expect(
        dead_code,
        reason = "the fuzzer of clients asks for more than the others"
    )
)]
mod proc;
pub mod read;
pub mod report;
pub mod run;
pub mod soak;
#[cfg(unix)]
pub mod supervise;

pub use run::Hub;
