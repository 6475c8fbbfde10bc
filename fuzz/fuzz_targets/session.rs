//! Connections that do anything at a hub: `cargo fuzz run session`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_hub::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::session(data));
