//! Payloads of any bytes as commands: `cargo fuzz run command_round_trip`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_wire::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::command_round_trip(data));
