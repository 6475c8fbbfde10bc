//! Writes `captures/vesctool-session-rebuilt.pcapng` anew, from the table of facts beside it.
//!
//! `cargo run -p veschub-transcript --example rebuild_session`

#[path = "../tests/rebuild/mod.rs"]
mod rebuild;

use std::fs;
use std::process::ExitCode;

use rebuild::{build, path};

fn main() -> ExitCode {
    let (table, capture) = (path("csv"), path("pcapng"));
    let file = fs::read_to_string(&table)
        .map_err(|error| error.to_string())
        .and_then(|csv| build(&csv).map_err(|error| error.to_string()));
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            eprintln!("{}: {error}", table.display());
            return ExitCode::from(2);
        }
    };
    if let Err(error) = fs::write(&capture, &file) {
        eprintln!("{}: {error}", capture.display());
        return ExitCode::from(2);
    }
    println!("{}: {} bytes", capture.display(), file.len());
    ExitCode::SUCCESS
}
