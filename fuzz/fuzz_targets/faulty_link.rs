//! A link with faults and a stream of any bytes: `cargo fuzz run faulty_link`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_hub::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::faulty_link(data));
