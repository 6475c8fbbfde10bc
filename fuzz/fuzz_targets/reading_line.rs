//! Whatever a client prints: `cargo fuzz run reading_line`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_harness::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::reading_line(data));
