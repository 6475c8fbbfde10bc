//! Parameter files of VESC Tool, which name the fields of configurations.

use std::{fs::File, io::Read as _, path::Path};

use veschub_wire::description::{ConfigDescription, MAX_XML};

use super::Failure;

pub(super) fn read(path: &Path) -> Result<ConfigDescription, Failure> {
    let fail = |problem: String| Failure::Text(format!("{}: {problem}", path.display()));
    let file = File::open(path).map_err(|error| fail(format!("cannot open it: {error}")))?;
    let mut text = String::new();
    // One byte more than is read, so that a file that is too large is noticed.
    file.take(MAX_XML as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| fail(format!("cannot read it as text: {error}")))?;
    ConfigDescription::from_xml(&text).map_err(|error| fail(error.to_string()))
}
