//! Login lines of any bytes: `cargo fuzz run login_line`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veschub_wire::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::login_line(data));
