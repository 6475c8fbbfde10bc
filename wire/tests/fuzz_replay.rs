//! Every seed and every input that once broke something, on the stable toolchain.

use std::{fs, io, path::Path};

use veschub_wire::fuzzing;

/// Runs a target's body over every file of a folder; says how many there were.
fn replay(folder: &str, body: fn(&[u8])) -> io::Result<usize> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut files = Vec::new();
    for entry in fs::read_dir(fuzz.join(folder))? {
        let path = entry?.path();
        if !path.ends_with(".gitkeep") {
            files.push(path);
        }
    }
    files.sort();
    for path in &files {
        // Shown only if the body panics.
        println!("replaying {}", path.display());
        body(&fs::read(path)?);
    }
    Ok(files.len())
}

#[test]
fn the_stream_decoder_passes_its_seeds_and_regressions() {
    let seeds = replay("seeds/stream_decoder", fuzzing::stream_decoder);
    assert_ne!(seeds.unwrap(), 0, "there are no seeds");
    replay("regressions/stream_decoder", fuzzing::stream_decoder).unwrap();
}
