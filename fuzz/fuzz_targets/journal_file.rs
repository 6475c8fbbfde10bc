//! Journals of any bytes: `cargo fuzz run journal_file`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_harness::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::journal_file(data));
