//! Scenarios of any bytes, which are run: `cargo fuzz run scenario_file`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_harness::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::scenario_file(data));
