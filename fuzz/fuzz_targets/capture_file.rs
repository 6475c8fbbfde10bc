//! Capture files of any bytes, and scenarios drafted from them: `cargo fuzz run capture_file`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    veschub_transcript::fuzzing::capture_file(data);
    veschub_draft::fuzzing::capture_file(data);
});
