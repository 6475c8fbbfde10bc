//! The stream decoder beside a plain model: `cargo fuzz run decoder_model`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_wire::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::decoder_model(data));
