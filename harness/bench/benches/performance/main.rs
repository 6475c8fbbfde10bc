//! Measures the project and its peers in one run, prints how they compare, and keeps that in `docs/performance.md`.
//!
//! ```text
//! cargo bench                          measures and prints
//! cargo bench -- decode                only what has this in its name
//! VESCHUB_UPDATE=1 cargo bench         also writes the table and the drawing in docs/
//! ```

use std::{error::Error, path::PathBuf};

use criterion::Criterion;

mod captures;
mod decode;
mod fuzz;
mod growth;
mod hub;
mod start;
mod table;
mod virtual_time;

fn main() -> Result<(), Box<dyn Error>> {
    let results = results()?;
    let mut criterion = Criterion::default()
        .output_directory(&results)
        .configure_from_args();
    let mut delays = Vec::new();
    decode::measure(&mut criterion);
    virtual_time::measure(&mut criterion);
    hub::measure(&results, &mut delays)?;
    hub::measure_lateness(&mut delays)?;
    captures::measure(&mut criterion)?;
    start::measure(&mut criterion);
    fuzz::measure(&mut criterion);
    criterion.final_summary();
    let table = table::table(&results, &delays);
    println!("{table}");
    if std::env::var_os("VESCHUB_UPDATE").is_some() {
        table::keep(&table)?;
        growth::draw(&results)?;
    }
    Ok(())
}

/// Whether the command line asks for what has this name: it has no words, or one of them is
/// in the name, or the other way round.
fn is_wanted(name: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .peekable();
    words.peek().is_none() || words.any(|word| name.contains(&word) || word.contains(name))
}

/// Where criterion keeps its results: in cargo's target folder.
fn results() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).ok_or("no target folder")?;
    Ok(target.join("criterion"))
}
