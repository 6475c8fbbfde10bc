//! A login behind any bytes: `cargo fuzz run masking`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_hub::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::masking(data));
