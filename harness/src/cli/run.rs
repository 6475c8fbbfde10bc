//! `veschub-harness run`: runs scenarios with the reference client, or with a program, several at the same time.

use std::{
    fmt::Write as _,
    io::{self, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use veschub_hub::rng::Seed;
use veschub_scenario::duration::{NoDuration, parse_duration};
use veschub_transcript::foreign::{visible, visible_lines};

use super::{
    error::{CliError, TROUBLE, written},
    progress, save,
};
#[cfg(unix)]
use crate::{family::Means, outside::command::Template, run::Program};
use crate::{
    judge::{Outcome, Run},
    outside::link::Link,
    parallel,
    report::{reproduce, scenario_json, scenarios},
    run::{self, Mode, RunError, Way, player::Player},
};

/// The folder that is searched for scenarios if the user names none.
const SCENARIOS: &str = "scenarios";

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all scenarios passed, 1 a scenario failed, 2 bad usage or unreadable input, \
        3 fewer scenarios were judged than --min-judged wants, at least one, 4 trouble of the harness or the machine, \
        such as no free port, which says nothing about the client."
)]
pub(super) struct RunArgs {
    /// Scenario files, or folders with scenario files; without any, all below scenarios/
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON object for each scenario, and a last one with the counts
    #[arg(long)]
    json: bool,
    /// Show each session in full, and what the device sent beside what the client decoded
    #[arg(long, short, conflicts_with = "json")]
    verbose: bool,
    /// Replace a value in every scenario, e.g. devices.0.express.bms.cells=12; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
    /// The seed of everything random: the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Use loopback sockets and the real clock instead of memory and virtual time
    #[arg(long)]
    real_time: bool,
    /// Save the traffic of each scenario as DIR/<scenario>.pcapng, for Wireshark and `veschub-sim decode`
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Stop at the first scenario that fails
    #[arg(long)]
    fail_fast: bool,
    /// Exit with 3, not 0, if fewer scenarios than this were judged
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_judged: usize,
    #[command(flatten)]
    outputs: super::report::Outputs,
    #[cfg(unix)]
    #[command(flatten)]
    client: ClientArgs,
}

#[cfg(unix)]
#[derive(Debug, Args)]
#[command(next_help_heading = "Options with --client")]
struct ClientArgs {
    /// Run this program as the client, over loopback in real time; {host}, {port}, {pty}, {id}, {password}, {timeout_ms},
    /// {task} and {link} are replaced by their values, which are also in VESC_HOST and so on; no shell is started
    #[arg(long, value_name = "COMMAND", value_parser = Template::parse, conflicts_with = "real_time")]
    client: Option<Template>,
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

pub(super) fn duration(text: &str) -> Result<Duration, NoDuration> {
    parse_duration(text).map(Duration::from_nanos)
}

/// Runs all scenarios; returns the exit code.
pub(super) fn run(args: &RunArgs) -> Result<u8, CliError> {
    let start = Instant::now();
    let paths = find(&args.paths)?;
    let way = way(args)?;
    let (runs, errors) = run_all(&way, &paths, args);
    for (path, error) in &errors {
        tell(path, error);
    }
    let captures = runs.iter().map(|run| (run.name.clone(), run.capture()));
    save(args.save.as_deref(), captures)?;
    let client = way.player.name();
    let reproduce = |run: &Run| reproduce(&way, args, &paths, run);
    let report = scenarios::report(&runs, &client, args.seed, start.elapsed(), &reproduce);
    args.outputs.write(&report)?;
    written(tell_runs(&runs, args))?;
    let is_input = |(_, error): &(&Path, RunError)| {
        matches!(
            error,
            RunError::Scenario(_) | RunError::TooLong | RunError::TooMuch
        )
    };
    Ok(match &errors[..] {
        [] if runs.iter().any(|run| run.outcome().is_failure()) => 1,
        [] if scenarios::count(&runs, Outcome::Passed) < args.min_judged.max(1) => 3,
        [] => 0,
        errors if errors.iter().any(is_input) => 2,
        _ => TROUBLE,
    })
}

fn way(args: &RunArgs) -> Result<Way, CliError> {
    let mode = if args.real_time {
        Mode::Real
    } else {
        Mode::Virtual
    };
    let way = Way::reference(Seed(args.seed), mode);
    #[cfg(unix)]
    if let Some(template) = &args.client.client {
        template.check(args.client.link)?;
        let supervisor = std::env::current_exe().map_err(CliError::NoSupervisor)?;
        return Ok(Way {
            player: Player::Program(Program {
                command: template.clone(),
                link: args.client.link,
                supervisor,
                limit: args.client.time_limit,
                grace: args.client.grace,
                means: Means::All,
            }),
            link: args.client.link,
            longest: args.client.longest,
            ..way
        });
    }
    Ok(way)
}

/// The command that runs the scenario again.
fn reproduce(way: &Way, args: &RunArgs, paths: &[PathBuf], run: &Run) -> String {
    let mut words = reproduce::words("run", way.player.command(), way.link, way.seed.0);
    if way.mode == Mode::Real {
        words.push("--real-time".to_owned());
    }
    words.extend(
        args.settings
            .iter()
            .map(|one| format!("--set {}", reproduce::quoted(one))),
    );
    let named = |path: &&PathBuf| path.file_stem().is_some_and(|stem| *stem == *run.name);
    let path = paths
        .iter()
        .find(named)
        .map(|path| path.display().to_string());
    words.push(path.unwrap_or_else(|| run.name.clone()));
    words.join(" ")
}

type Errors<'a> = Vec<(&'a Path, RunError)>;

/// How many programs run at the same time unless the user says so. They mostly wait, so it is more than there are cores.
#[cfg(unix)]
pub(super) fn default_jobs() -> usize {
    const FOR_EACH_CORE: usize = 8;
    const AT_MOST: usize = 16;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (cores * FOR_EACH_CORE).min(AT_MOST)
}

/// How many scenarios to run at the same time.
fn jobs(args: &RunArgs, way: &Way) -> usize {
    #[cfg(unix)]
    if let Some(jobs) = args.client.jobs {
        return jobs;
    }
    #[cfg(not(unix))]
    let _ = args;
    match way.player {
        // They share nothing, but take no time either.
        Player::Reference | Player::ReferenceWithLimit(_) | Player::Defective(_) => 1,
        #[cfg(unix)]
        Player::Program(_) => default_jobs(),
    }
}

/// The runs in the order of the paths.
fn run_all<'a>(way: &Way, paths: &'a [PathBuf], args: &RunArgs) -> (Vec<Run>, Errors<'a>) {
    let progress = progress(paths.len() as u64);
    let results = parallel::each(paths, jobs(args, way), |path| {
        progress.set_message(visible(&path.display().to_string()));
        let result = run::run_file_with(path, &args.settings, way);
        progress.inc(1);
        let failed = match &result {
            Ok(run) => run.outcome().is_failure(),
            Err(_) => true,
        };
        match failed && args.fail_fast {
            true => ControlFlow::Break(result),
            false => ControlFlow::Continue(result),
        }
    });
    progress.finish_and_clear();
    let (mut runs, mut errors) = (Vec::new(), Vec::new());
    for (path, result) in paths.iter().zip(results) {
        match result {
            Ok(run) => runs.push(run),
            Err(error) => errors.push((path.as_path(), error)),
        }
    }
    (runs, errors)
}

pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let default = [PathBuf::from(SCENARIOS)];
    let roots = if paths.is_empty() {
        &default[..]
    } else {
        paths
    };
    let mut found = Vec::new();
    for root in roots {
        let below = run::find_scenarios(root).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CliError::NoSuchPath(root.clone()),
            _ => CliError::read(root)(error),
        })?;
        found.extend(below);
    }
    if found.is_empty() {
        let roots: Vec<String> = roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        return Err(CliError::NoScenarios(roots.join(", ")));
    }
    Ok(found)
}

pub(super) fn tell(path: &Path, error: &RunError) {
    let mut stderr = anstream::stderr().lock();
    let _ = match error {
        RunError::Scenario(error) => writeln!(stderr, "{}", error.render(true)),
        error => writeln!(
            stderr,
            "error: {}",
            visible_lines(&format!("{}: {error}", path.display()))
        ),
    };
}

fn tell_runs(runs: &[Run], args: &RunArgs) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    if args.json {
        for run in runs {
            writeln!(stdout, "{}", scenario_json::json_line(run))?;
        }
        writeln!(stdout, "{}", scenario_json::counts(runs))?;
        return stdout.flush();
    }
    let mut text = String::new();
    if args.verbose {
        for run in runs {
            let _ = writeln!(text, "{}", scenarios::story(run));
        }
    }
    if !runs.is_empty() {
        let _ = writeln!(text, "{}\n", scenarios::table(runs));
    }
    for run in runs.iter().filter(|run| run.outcome().is_failure()) {
        let _ = writeln!(text, "{}", scenarios::failure(run));
    }
    let skipped: Vec<String> = runs.iter().filter_map(scenarios::skipped).collect();
    for line in &skipped {
        let _ = writeln!(text, "{line}");
    }
    if !skipped.is_empty() {
        text.push('\n');
    }
    let unread = scenarios::unread(runs);
    if !unread.is_empty() {
        let _ = writeln!(text, "{unread}");
    }
    let _ = writeln!(text, "{}", scenarios::summary(runs));
    // The texts of clients, scenarios and file names are in it.
    stdout.write_all(visible_lines(&text).as_bytes())?;
    stdout.flush()
}
