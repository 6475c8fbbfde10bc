//! Saved reports of any bytes: `cargo fuzz run report_file`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_harness::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::report_file(data));
