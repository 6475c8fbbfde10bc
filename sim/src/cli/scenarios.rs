//! `veschub-sim check`: scenarios read and built, but not run; `schema`: their language, for editors.

use std::io::{self, Write};

use super::{CheckArgs, Failure, scrub, tell, written};
use veschub_scenario::{Code, ScenarioError, json_schema};
use veschub_transcript::foreign::visible;

pub(super) fn check(args: &CheckArgs) -> Result<(), Failure> {
    if let Some(id) = &args.explain {
        return explain(id);
    }
    let mut stdout = io::stdout().lock();
    let mut failed = false;
    for path in &args.scenarios {
        // All mistakes of a file are one error, each warning is one.
        let findings = match scrub::is_capture(path) {
            true => scrub::findings(path),
            false => veschub_disk::open(path, &args.set.settings)
                .and_then(|loaded| loaded.warnings())
                .unwrap_or_else(|error| vec![error]),
        };
        let refused = |finding: &ScenarioError| args.strict || !finding.code().is_warning();
        let fails = findings.iter().any(refused);
        failed |= fails;
        for finding in &findings {
            if !args.json {
                tell(&finding.clone().into());
                continue;
            }
            for finding in finding.each() {
                written(writeln!(stdout, "{}", finding.json()))?;
            }
        }
        if !args.json && !fails {
            let warnings = match findings.len() {
                0 => String::new(),
                1 => ", 1 warning".to_owned(),
                count => format!(", {count} warnings"),
            };
            let name = visible(&path.display().to_string());
            written(writeln!(stdout, "{name}: ok{warnings}"))?;
        }
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

fn explain(id: &str) -> Result<(), Failure> {
    let Some(code) = Code::find(id) else {
        let known: Vec<&str> = Code::all().map(Code::id).collect();
        return Err(Failure::Text(format!(
            "there is no code {id}; the codes are {}",
            known.join(", ")
        )));
    };
    let mut stdout = io::stdout().lock();
    let (title, explanation) = (code.title(), code.explanation());
    written(writeln!(stdout, "{code}: {title}\n\n{explanation}"))
}

pub(super) fn schema() -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(writeln!(stdout, "{:#}", json_schema()))
}
