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
    error::{CliError, TROUBLE, written},
    progress, save, tell,
};
use crate::{
    outside::{command::Template, link::Link, verdict::Outcome},
    report::outside,
    run::{OutsideRun, Program, RunError, run_outside_file},
};

#[derive(Debug, Args)]
#[command(next_help_heading = "Options with --client")]
pub(super) struct ClientArgs {
    /// Run this program as the client, over loopback in real time; {host}, {port}, {pty}, {id}, {password}, {timeout_ms},
    /// {task} and {link} are replaced by their values, which are also in VESC_HOST and so on; no shell is started
    #[arg(long, value_name = "COMMAND", value_parser = Template::parse, conflicts_with = "real_time")]
    pub(super) client: Option<Template>,
    /// How the program reaches the device
    #[arg(
        long,
        value_name = "LINK",
        value_enum,
        default_value_t,
        requires = "client"
    )]
    link: Link,
    /// How many scenarios to run at the same time; by default 8 for each core but at most 16, as a client mostly waits
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
    parse_duration(text).map(Duration::from_nanos)
}

/// Runs all scenarios with the program; returns the exit code.
pub(super) fn run(template: &Template, paths: &[PathBuf], args: &RunArgs) -> Result<u8, CliError> {
    template.check(args.client.link)?;
    let supervisor = std::env::current_exe().map_err(CliError::NoSupervisor)?;
    let program = Program {
        command: template.clone(),
        link: args.client.link,
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
    let is_input = |(_, error): &(&Path, RunError)| matches!(error, RunError::Scenario(_));
    let failed = runs.iter().any(|run| run.verdict.outcome().is_failure());
    Ok(match &errors[..] {
        [] if failed => 1,
        [] if outside::count(&runs, Outcome::Passed) > 0 => 0,
        [] => 3,
        errors if errors.iter().any(is_input) => 2,
        _ => TROUBLE,
    })
}

type Errors<'a> = Vec<(&'a Path, RunError)>;

/// How many programs run at the same time unless the user says so. They mostly wait, so it is more than there are cores.
pub(super) fn default_jobs() -> usize {
    const FOR_EACH_CORE: usize = 8;
    const AT_MOST: usize = 16;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (cores * FOR_EACH_CORE).min(AT_MOST)
}

/// The runs in the order of the paths, whichever ended first.
fn run_all<'a>(
    program: &Program,
    paths: &'a [PathBuf],
    args: &RunArgs,
) -> (Vec<OutsideRun>, Errors<'a>) {
    let jobs = args
        .client
        .jobs
        .unwrap_or_else(default_jobs)
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
                .map_or(true, |run| run.verdict.outcome().is_failure());
            if failed && args.fail_fast {
                stop.store(true, Ordering::Relaxed);
            }
            progress.set_message(path.display().to_string());
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
        writeln!(stdout, "{}", outside::json_counts(runs))?;
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
    for run in runs.iter().filter(|run| run.verdict.outcome().is_failure()) {
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
