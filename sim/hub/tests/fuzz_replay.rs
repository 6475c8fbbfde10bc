//! Every seed of a link with faults and every input that once broke something, on the stable toolchain.

use std::{fs, io, path::Path};

use veschub_hub::fault::fuzzing;

/// Runs the target's body over every file of a folder; says how many there were.
fn replay(name: &str) -> io::Result<usize> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz")
        .join(name);
    let mut count = 0;
    for entry in fs::read_dir(folder.join("faulty_link"))? {
        let path = entry?.path();
        if !path.ends_with(".gitkeep") {
            // Shown only if the body panics.
            println!("replaying {}", path.display());
            fuzzing::faulty_link(&fs::read(path)?);
            count += 1;
        }
    }
    Ok(count)
}

#[test]
fn links_with_faults_pass_their_seeds_and_regressions() -> io::Result<()> {
    assert_ne!(replay("seeds")?, 0, "there are no seeds");
    replay("regressions")?;
    Ok(())
}
