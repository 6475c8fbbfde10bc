//! Capture files of any bytes: `cargo fuzz run capture_file`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_transcript::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::capture_file(data));
