//! The command line: what is asked for, and the exit codes.
//!
//! stdout is data, stderr is talk.

mod conformance;
mod judge;
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

use crate::{
    defective::{self, Defect},
    read::{self, ReadArgs},
    report::scenarios,
    run::{self, Mode, Run, RunError},
};

/// Where scenarios are looked for.
const SCENARIOS: &str = "scenarios";
/// Runs that are over sooner show no progress.
const PATIENCE: Duration = Duration::from_millis(1500);

#[derive(Debug, Parser)]
#[command(
    name = "veschub-harness",
    version,
    max_term_width = 100,
    help_expected = true,
    about = "Drives clients of VESC devices against a fake hub and judges what they understood",
    after_help = "Examples:\n  \
        veschub-harness run                                  all scenarios below scenarios/\n  \
        veschub-harness run --verbose scenarios/my-pack.yaml   one scenario, told in full\n  \
        veschub-harness run --client './my-client {host} {port}'  your own client; see harness/CLIENTS.md\n  \
        veschub-harness read --hub 127.0.0.1:65101 --id demo-0001 --password not-a-secret"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and compare what the client decoded with what the devices held
    Run(RunArgs),
    /// Judge a client by the cases of the conformance battery
    Conformance(conformance::ConformanceArgs),
    /// Show a saved report of the conformance battery in other forms: HTML, JUnit XML, Markdown, annotations
    Report(report::ReportArgs),
    /// Read a pack through any hub, simulated or real, and show it
    Read(ReadArgs),
    /// Compare what a client understood with what a hub's journal says was sent
    Judge(judge::JudgeArgs),
    /// Print the JSON Schema of something that programs write or read
    Schema {
        /// What: a line that a client under test prints, or the report of the conformance battery
        #[arg(value_enum)]
        what: SchemaOf,
    },
    /// The simulator's own command line, for tests that must not wait for its program to be built
    #[command(hide = true, disable_help_flag = true)]
    Sim {
        /// What `veschub-sim` is given
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// The battery's second client: takes its orders from the environment, and can be made defective on purpose
    #[command(hide = true)]
    Client {
        /// What it gets wrong
        #[arg(long, value_name = "NAME")]
        defect: Option<Defect>,
    },
    /// Run a client under test and end all its processes; the harness starts itself with this
    #[cfg(unix)]
    #[command(hide = true, name = crate::supervise::COMMAND)]
    Supervise(crate::supervise::Orders),
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SchemaOf {
    /// What a client under test prints, line by line
    Reading,
    /// What `conformance --json` prints
    Conformance,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all scenarios passed, 1 one did not, 2 bad usage or unreadable input, \
        3 nothing was judged as all were skipped."
)]
struct RunArgs {
    /// Scenarios, or folders with scenarios; all below scenarios/ if none is given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON object per scenario and a last one with the counts
    #[arg(long)]
    json: bool,
    /// Tell each scenario in full: all that was said, and truth beside decoded
    #[arg(long, short, conflicts_with = "json")]
    verbose: bool,
    /// Replace a value in every scenario, e.g. devices.0.express.bms.cells=12; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
    /// Decides all that is random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Use loopback sockets and the real clock instead of memory and virtual time
    #[arg(long)]
    real_time: bool,
    /// Save what went over the wire in each scenario as DIR/<scenario>.pcapng, for Wireshark and `veschub-sim decode`
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
    match Cli::parse().command {
        Command::Run(args) => run_scenarios(&args),
        Command::Read(args) => read_pack(&args),
        Command::Sim { args } => {
            veschub_sim::cli::main_with(["veschub-sim".into()].into_iter().chain(args))
        }
        Command::Conformance(args) => conformance::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Client { defect } => match defective::main(defect) {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                eprintln!("error: cannot start: {error}");
                ExitCode::from(2)
            }
        },
        Command::Schema { what } => print_schema(what),
        Command::Judge(args) => judge::judge(&args),
        #[cfg(unix)]
        Command::Supervise(orders) => crate::supervise::main(&orders),
    }
}

fn read_pack(args: &ReadArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(read::run(args)),
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

fn print_schema(what: SchemaOf) -> ExitCode {
    let schema = match what {
        SchemaOf::Reading => crate::outside::schema::json_schema().clone(),
        SchemaOf::Conformance => crate::conformance::report::json_schema(),
    };
    match writeln!(io::stdout().lock(), "{schema:#}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write to stdout: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn run_scenarios(args: &RunArgs) -> ExitCode {
    let paths = match find(&args.paths) {
        Ok(paths) => paths,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
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
    let mut unreadable = false;
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
                unreadable = true;
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
    if let Err(message) = save(args.save.as_deref(), captures) {
        eprintln!("error: {message}");
        return ExitCode::from(2);
    }
    let told = tell_runs(&runs, args);
    if let Err(error) = told
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write to stdout: {error}");
        return ExitCode::from(2);
    }
    if unreadable {
        ExitCode::from(2)
    } else if runs.iter().all(|run| run.verdict.passed()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// Saves captures by the names of their scenarios, if they are to be saved.
fn save<'a>(
    folder: Option<&Path>,
    captures: impl Iterator<Item = (String, &'a [u8])>,
) -> Result<(), String> {
    let Some(folder) = folder else {
        return Ok(());
    };
    let failed = |path: &Path, error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, capture) in captures.filter(|(_, capture)| !capture.is_empty()) {
        let path = folder.join(format!("{name}.pcapng"));
        fs::write(&path, capture).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let default = [PathBuf::from(SCENARIOS)];
    let roots = if paths.is_empty() {
        &default[..]
    } else {
        paths
    };
    let mut found = Vec::new();
    for root in roots {
        let below = run::find_scenarios(root).map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::NotFound => "no such file or folder".to_owned(),
                _ => format!("cannot read it: {error}"),
            };
            format!(
                "{}: {advice}; name a scenario, or a folder with some",
                root.display()
            )
        })?;
        found.extend(below);
    }
    if found.is_empty() {
        let roots: Vec<String> = roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        return Err(format!(
            "no scenario below {}: scenarios end in .yaml",
            roots.join(", ")
        ));
    }
    Ok(found)
}

/// A bar on a terminal, drawn once the runs take long enough to wonder.
fn progress(count: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let shown = bar.clone();
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        if !shown.is_finished() {
            shown.set_draw_target(ProgressDrawTarget::stderr());
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
