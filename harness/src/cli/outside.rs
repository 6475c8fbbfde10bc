//! `veschub-harness run --client`: runs the scenarios with a program as the client, several at the same time.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use clap::Args;
use veschub_hub::rng::Seed;
use veschub_scenario::duration::parse_duration;

use super::{
    RunArgs,
    error::{CliError, written},
    progress, save, tell,
};
use crate::{
    outside::{command::Template, verdict::Outcome},
    report::outside,
    run::{OutsideRun, Program, RunError, run_outside_file},
};

#[derive(Debug, Args)]
#[command(next_help_heading = "Options with --client")]
pub(super) struct ClientArgs {
    /// Run this program as the client, over loopback in real time; {host}, {port}, {id}, {password}, {timeout_ms} and
    /// {task} are replaced by their values, which are also in VESC_HOST and so on; no shell is started
    #[arg(long, value_name = "COMMAND", value_parser = Template::parse, conflicts_with = "real_time")]
    pub(super) client: Option<Template>,
    /// How many scenarios to run at the same time; by default one for each core
    #[arg(long, value_name = "N", requires = "client")]
    jobs: Option<usize>,
    /// How long the program may run in each scenario; by default as long as its task can take
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "client")]
    time_limit: Option<Duration>,
    /// How long the program may take to end after SIGTERM; after that it gets SIGKILL
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    grace: Duration,
    /// Skip scenarios whose task takes longer than this
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    longest: Duration,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let nanos = parse_duration(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_nanos(nanos))
}

/// Runs all scenarios with the program; returns the exit code.
pub(super) fn run(template: &Template, paths: &[PathBuf], args: &RunArgs) -> Result<u8, CliError> {
    let supervisor = std::env::current_exe().map_err(CliError::NoSupervisor)?;
    let program = Program {
        command: template.clone(),
        supervisor,
        limit: args.client.time_limit,
        grace: args.client.grace,
    };
    let (runs, errors) = run_all(&program, paths, args);
    for (path, error) in &errors {
        tell(path, error);
    }
    let captures = runs.iter().map(|run| (run.name.clone(), run.capture()));
    save(args.save.as_deref(), captures)?;
    written(tell_runs(&runs, args, template.text()))?;
    let [passed, failed, _] = outside::counts(&runs);
    Ok(match (errors.is_empty(), failed, passed) {
        (false, ..) => 2,
        (true, 1.., _) => 1,
        (true, 0, 0) => 3,
        (true, 0, _) => 0,
    })
}

type Errors<'a> = Vec<(&'a Path, RunError)>;

/// The runs in the order of the paths, whichever ended first.
fn run_all<'a>(
    program: &Program,
    paths: &'a [PathBuf],
    args: &RunArgs,
) -> (Vec<OutsideRun>, Errors<'a>) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = args
        .client
        .jobs
        .unwrap_or(cores)
        .clamp(1, paths.len().max(1));
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done = Mutex::new(Vec::new());
    let progress = progress(paths.len() as u64);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(index) else {
                return;
            };
            let longest = args.client.longest;
            let result = run_outside_file(path, &args.settings, Seed(args.seed), program, longest);
            let failed = result
                .as_ref()
                .map_or(true, |run| run.verdict.outcome() == Outcome::Failed);
            if failed && args.fail_fast {
                stop.store(true, Ordering::Relaxed);
            }
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((index, result));
            progress.inc(1);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    progress.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    let (mut runs, mut errors) = (Vec::new(), Vec::new());
    for (index, result) in done {
        match (result, paths.get(index)) {
            (Ok(run), _) => runs.push(run),
            (Err(error), path) => errors.extend(path.map(|path| (path.as_path(), error))),
        }
    }
    (runs, errors)
}

fn tell_runs(runs: &[OutsideRun], args: &RunArgs, command: &str) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    if args.json {
        for run in runs {
            writeln!(stdout, "{}", outside::json_line(run, command))?;
        }
        let [passed, failed, skipped] = outside::counts(runs);
        let counts = serde_json::json!({ "passed": passed, "failed": failed, "skipped": skipped });
        writeln!(stdout, "{counts}")?;
        return stdout.flush();
    }
    if args.verbose {
        for run in runs {
            writeln!(stdout, "{}", outside::story(run))?;
        }
    }
    if !runs.is_empty() {
        writeln!(stdout, "{}\n", outside::table(runs))?;
    }
    for run in runs
        .iter()
        .filter(|run| run.verdict.outcome() == Outcome::Failed)
    {
        writeln!(stdout, "{}", outside::failure(run))?;
    }
    let skipped: Vec<String> = runs.iter().filter_map(outside::skipped).collect();
    for line in &skipped {
        writeln!(stdout, "{line}")?;
    }
    if !skipped.is_empty() {
        writeln!(stdout)?;
    }
    writeln!(stdout, "{}", outside::summary(runs))?;
    stdout.flush()
}
