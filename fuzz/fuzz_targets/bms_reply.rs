//! A reply to BMS_GET_VALUES with any values: `cargo fuzz run bms_reply`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_wire::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::bms_reply(data));
