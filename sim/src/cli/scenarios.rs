//! `veschub-sim check`: scenarios read and built, but not run.

use std::io::{self, Write};

use super::{CheckArgs, Failure, tell, written};
use crate::{rng::Seed, scenario::Loaded};

pub(super) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let mut failed = false;
    for path in &args.scenarios {
        match Loaded::open(path).and_then(|loaded| loaded.build(Seed(0))) {
            Ok(_) => written(writeln!(stdout, "{}: ok", path.display()))?,
            Err(error) => {
                tell(&error.into());
                failed = true;
            }
        }
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}
