//! Scrubbed capture files of any bytes: `cargo fuzz run scrub`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_scrub::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::scrub_capture(data));
