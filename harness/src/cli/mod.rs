//! The command line of `veschub-harness`: commands, options and exit codes.
//!
//! Results go to stdout, messages to stderr.

mod conformance;
mod error;
#[cfg(unix)]
mod from_crash;
#[cfg(unix)]
mod fuzz;
mod judge;
mod matrix;
mod report;
mod run;
mod soak;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{self, Read as _, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use clap::{CommandFactory as _, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use veschub_sim::cli::shell;

use self::error::{CliError, written};
use crate::{
    defective::{self, Defect},
    read::{self, ReadArgs},
};

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
    Run(run::RunArgs),
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
    /// Change what a hub sends until a client crashes, hangs, or reports a value that nobody sent
    #[cfg(unix)]
    Fuzz(fuzz::FuzzArgs),
    /// Turn an input on which `cargo fuzz` crashed into a regression input, a scenario and a capture
    #[cfg(unix)]
    FromCrash(from_crash::FromCrashArgs),
    /// Let tools of every temper come to hubs in this process for minutes or hours, and count what goes wrong
    Soak(soak::SoakArgs),
    /// Print a JSON Schema: that of a reading, or that of a conformance report
    Schema {
        /// Which schema to print
        #[arg(value_enum)]
        what: SchemaOf,
    },
    /// Print completions for a shell, to be sourced or put where the shell looks for them
    Completions(shell::CompletionsArgs),
    /// Write man pages into a folder
    Man(shell::ManArgs),
    /// Run `veschub-sim`; tests use this, so that they need not build that program as well
    #[command(hide = true, disable_help_flag = true)]
    Sim {
        /// The arguments of `veschub-sim`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run the harness's second client, which reads its task from the environment and can have defects on purpose
    #[command(hide = true)]
    Client {
        /// A defect; may be given several times
        #[arg(long, value_name = "NAME")]
        defect: Vec<Defect>,
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

/// Runs `veschub-harness` with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let cli: Cli = match shell::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let code = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Read(args) => return read_pack(&args),
        Command::Sim { args } => {
            return veschub_sim::cli::main_with(["veschub-sim".into()].into_iter().chain(args));
        }
        Command::Conformance(args) => conformance::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Client { defect } => {
            defective::main(defect.into_iter().collect()).map_err(CliError::Start)
        }
        #[cfg(unix)]
        Command::Fuzz(args) => fuzz::run(&args),
        #[cfg(unix)]
        Command::FromCrash(args) => from_crash::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::Schema { what } => print_schema(what),
        Command::Completions(args) => written(args.print(Cli::command())).map(|()| 0),
        Command::Man(args) => args
            .write(Cli::command())
            .map(|()| 0)
            .map_err(CliError::write(args.folder())),
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
        SchemaOf::Reading => crate::judge::schema::json_schema().clone(),
        SchemaOf::Conformance => crate::report::model::json_schema(),
    };
    written(writeln!(io::stdout().lock(), "{schema:#}"))?;
    Ok(0)
}

/// Saves the captures under the names of their scenarios, if the user named a folder. A capture of an earlier run is
/// replaced; any other file stays, and two scenarios with one name get files of their own.
fn save<'a>(
    folder: Option<&Path>,
    captures: impl Iterator<Item = (String, &'a [u8])>,
) -> Result<(), CliError> {
    let Some(folder) = folder else {
        return Ok(());
    };
    fs::create_dir_all(folder).map_err(CliError::write(folder))?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (name, capture) in captures.filter(|(_, capture)| !capture.is_empty()) {
        let count = names.entry(name.clone()).or_default();
        *count += 1;
        let path = folder.join(match count {
            1 => format!("{name}.pcapng"),
            count => format!("{name}-{count}.pcapng"),
        });
        write_capture(&path, capture).map_err(CliError::write(&path))?;
    }
    Ok(())
}

/// Writes a capture, but over no file that is none.
fn write_capture(path: &Path, capture: &[u8]) -> io::Result<()> {
    /// How a pcapng file begins.
    const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_file()) {
        let mut start = [0; 4];
        let read = fs::File::open(path)?.read(&mut start)?;
        if read > 0 && start != MAGIC {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a file of that name that is no capture; move it away or choose another folder",
            ));
        }
    }
    veschub_disk::write_whole(path, capture, true)
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
