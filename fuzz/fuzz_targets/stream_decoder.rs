//! Frames and payloads in a stream of any bytes: `cargo fuzz run stream_decoder`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_wire::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::stream_decoder(data));
