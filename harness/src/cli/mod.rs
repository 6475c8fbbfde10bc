//! The command line of `veschub-harness`: commands, options and exit codes.
//!
//! Results go to stdout, messages to stderr.

mod conformance;
mod error;
mod judge;
mod matrix;
#[cfg(unix)]
mod outside;
mod report;

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use veschub_hub::rng::Seed;

use self::error::{CliError, TROUBLE, written};
use crate::{
    defective::{self, Defect},
    read::{self, ReadArgs},
    report::scenarios,
    run::{self, Mode, Run, RunError},
};

/// The folder that is searched for scenarios if the user names none.
const SCENARIOS: &str = "scenarios";
/// A run that ends sooner shows no progress bar.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How often the progress bar is drawn anew.
const TICK: Duration = Duration::from_millis(250);

#[derive(Debug, Parser)]
#[command(
    name = "veschub-harness",
    version,
    max_term_width = 100,
    help_expected = true,
    about = "Tests clients of VESC devices against a simulated hub: what they send, and what they understand",
    after_help = "Examples:\n  \
        veschub-harness run                                  all scenarios below scenarios/\n  \
        veschub-harness run --verbose scenarios/my-pack.yaml   one scenario in every detail\n  \
        veschub-harness run --client './my-client {host} {port}'  your own client; see docs/clients.md\n  \
        veschub-harness read --hub 127.0.0.1:65101 --id demo-0001 --password not-a-secret"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios, and compare what the client decoded with what the devices sent
    Run(RunArgs),
    /// Test a client with the cases of the conformance battery
    Conformance(conformance::ConformanceArgs),
    /// Turn a saved conformance report into HTML, JUnit XML, Markdown or GitHub annotations
    Report(report::ReportArgs),
    /// Put the saved conformance reports of several clients beside each other, as HTML, Markdown or JSON
    Matrix(matrix::MatrixArgs),
    /// Read a battery pack through a simulated or a real hub, and show its values
    Read(ReadArgs),
    /// Compare the readings of a client with the replies in a hub's journal
    Judge(judge::JudgeArgs),
    /// Print a JSON Schema: that of a reading, or that of a conformance report
    Schema {
        /// Which schema to print
        #[arg(value_enum)]
        what: SchemaOf,
    },
    /// Run `veschub-sim`; tests use this, so that they need not build that program as well
    #[command(hide = true, disable_help_flag = true)]
    Sim {
        /// The arguments of `veschub-sim`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run the harness's second client, which reads its task from the environment and can have a defect on purpose
    #[command(hide = true)]
    Client {
        /// The defect
        #[arg(long, value_name = "NAME")]
        defect: Option<Defect>,
    },
    /// Run a client under test and end all its processes; the harness starts itself with this command
    #[cfg(unix)]
    #[command(hide = true, name = crate::supervise::COMMAND)]
    Supervise(crate::supervise::Orders),
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SchemaOf {
    /// One line that a client under test prints
    Reading,
    /// The report that `conformance --json` prints
    Conformance,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all scenarios passed, 1 a scenario failed, 2 bad usage or unreadable input, \
        3 all scenarios were skipped or not applicable, 4 trouble of the harness or the machine, such as no free \
        port, which says nothing about the client."
)]
struct RunArgs {
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
    #[cfg(unix)]
    #[command(flatten)]
    client: outside::ClientArgs,
}

/// Runs `veschub-harness` with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Run(args) => run_scenarios(&args),
        Command::Read(args) => return read_pack(&args),
        Command::Sim { args } => {
            return veschub_sim::cli::main_with(["veschub-sim".into()].into_iter().chain(args));
        }
        Command::Conformance(args) => conformance::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Client { defect } => defective::main(defect).map_err(CliError::Start),
        Command::Schema { what } => print_schema(what),
        Command::Judge(args) => judge::judge(&args),
        #[cfg(unix)]
        Command::Supervise(orders) => return crate::supervise::main(&orders),
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => error.tell(),
    }
}

fn read_pack(args: &ReadArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(read::run(args)),
        Err(error) => CliError::Start(error).tell(),
    }
}

fn print_schema(what: SchemaOf) -> Result<u8, CliError> {
    let schema = match what {
        SchemaOf::Reading => crate::outside::schema::json_schema().clone(),
        SchemaOf::Conformance => crate::conformance::report::json_schema(),
    };
    written(writeln!(io::stdout().lock(), "{schema:#}"))?;
    Ok(0)
}

fn run_scenarios(args: &RunArgs) -> Result<u8, CliError> {
    let paths = find(&args.paths)?;
    #[cfg(unix)]
    if let Some(client) = &args.client.client {
        return outside::run(client, &paths, args);
    }
    let mode = if args.real_time {
        Mode::Real
    } else {
        Mode::Virtual
    };
    let progress = progress(paths.len() as u64);
    let mut runs = Vec::new();
    let (mut unreadable, mut trouble) = (false, false);
    for path in &paths {
        progress.set_message(path.display().to_string());
        match run::run_file_with(path, &args.settings, Seed(args.seed), mode) {
            Ok(run) => {
                let stop = args.fail_fast && !run.verdict.passed();
                runs.push(run);
                if stop {
                    break;
                }
            }
            Err(error) => {
                match error {
                    RunError::Scenario(_) => unreadable = true,
                    RunError::Io(_) => trouble = true,
                }
                progress.suspend(|| tell(path, &error));
                if args.fail_fast {
                    break;
                }
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let captures = runs
        .iter()
        .map(|run| (run.name.clone(), &*run.seen.capture));
    save(args.save.as_deref(), captures)?;
    written(tell_runs(&runs, args))?;
    let failed = runs.iter().any(|run| !run.verdict.passed());
    Ok(match (unreadable, trouble) {
        (true, _) => 2,
        (false, true) => TROUBLE,
        (false, false) => u8::from(failed),
    })
}

/// Saves the captures under the names of their scenarios, if the user named a folder.
fn save<'a>(
    folder: Option<&Path>,
    captures: impl Iterator<Item = (String, &'a [u8])>,
) -> Result<(), CliError> {
    let Some(folder) = folder else {
        return Ok(());
    };
    fs::create_dir_all(folder).map_err(CliError::write(folder))?;
    for (name, capture) in captures.filter(|(_, capture)| !capture.is_empty()) {
        let path = folder.join(format!("{name}.pcapng"));
        fs::write(&path, capture).map_err(CliError::write(&path))?;
    }
    Ok(())
}

fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
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

/// A progress bar on the terminal, which is drawn only if the runs take long.
fn progress(count: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let shown = bar.clone();
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        if !shown.is_finished() {
            // It is drawn only if stderr is a terminal, without colours, and goes when the runs end.
            shown.set_draw_target(ProgressDrawTarget::stderr());
            shown.enable_steady_tick(TICK);
        }
    });
    bar
}

fn tell(path: &Path, error: &RunError) {
    let mut stderr = anstream::stderr().lock();
    let _ = match error {
        RunError::Scenario(error) => writeln!(stderr, "{}", error.render(true)),
        error => writeln!(stderr, "error: {}: {error}", path.display()),
    };
}

fn tell_runs(runs: &[Run], args: &RunArgs) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    if args.json {
        for run in runs {
            writeln!(stdout, "{}", scenarios::json_line(run))?;
        }
        let passed = runs.iter().filter(|run| run.verdict.passed()).count();
        let failed = runs.len() - passed;
        writeln!(stdout, r#"{{"passed":{passed},"failed":{failed}}}"#)?;
        return stdout.flush();
    }
    if args.verbose {
        for run in runs {
            writeln!(stdout, "{}", scenarios::story(run))?;
        }
    }
    if !runs.is_empty() {
        writeln!(stdout, "{}\n", scenarios::table(runs))?;
    }
    for run in runs.iter().filter(|run| !run.verdict.passed()) {
        writeln!(stdout, "{}", scenarios::failure(run))?;
    }
    writeln!(stdout, "{}", scenarios::summary(runs))?;
    stdout.flush()
}
