//! The capture that a command is given: a file or standard input.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use super::Failure;

pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let fail = |error: io::Error| {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => {
                "no such file: check the path; a relative path starts at the current directory"
                    .to_owned()
            }
            _ => format!("cannot open it: {error}"),
        };
        Failure::Text(format!("{}: {advice}", path.display()))
    };
    let file = File::open(path).map_err(fail)?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(Failure::Text(format!(
            "{} is a directory: name a capture in it",
            path.display()
        )));
    }
    Ok(Box::new(BufReader::new(file)))
}
