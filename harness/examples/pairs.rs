//! Runs the second client with every pair of defects through the conformance battery. A case that fails with both
//! defects, although neither fails it alone, does not look at its own subject only. Exit code 1 if there is one.
//!
//! ```text
//! cargo run --release -p veschub-harness --example pairs [CASE | SECTION | DEFECT]...
//! ```
//!
//! Named defects leave the pairs with one of them, or the one pair if there are two.

#![expect(clippy::print_stdout, reason = "a program")]

use std::{
    io::{self, Write as _},
    process::ExitCode,
    thread,
};

use veschub_harness::{
    conformance::{
        catalogue::Case,
        pairs,
        select::{self, Selection},
    },
    defective::Defect,
};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let named = |name: &String| Defect::ALL.iter().copied().find(|one| one.name() == name);
    let (defects, wanted): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|name| named(name).is_some());
    let defects: Vec<Defect> = defects.iter().filter_map(named).collect();
    let mut pairs = pairs::all();
    pairs.retain(|pair| match defects[..] {
        [_, _, ..] => pair.iter().all(|one| defects.contains(one)),
        _ => defects.iter().all(|one| pair.contains(one)),
    });
    let is_wanted = |case: &&Case| {
        let id = case.id();
        let names = [id.to_string(), id.section.to_string()];
        wanted.is_empty() || wanted.iter().any(|one| names.contains(one))
    };
    let mut cases = select::select(&Selection::default())?;
    cases.retain(|case| is_wanted(&&**case));
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let done = |ran: usize, all: usize, found: &[pairs::Violation]| {
        for one in found {
            let [first, second] = one.pair.map(|defect| defect.name());
            println!("{ran}/{all}: {first} and {second} fail {}", one.case);
        }
        if ran.is_multiple_of(100) || ran == all {
            println!("{ran}/{all}");
        }
        // An error means that nobody reads this.
        let _ = io::stdout().flush();
    };
    let found = pairs::run(&cases, &pairs, jobs, &done)?;
    println!("\n{}\n{} violations", pairs::text(&found), found.len());
    Ok(ExitCode::from(u8::from(!found.is_empty())))
}
