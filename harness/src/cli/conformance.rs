//! `veschub-harness conformance`: the battery on the command line.

use std::{
    fs,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::Args;

use super::progress;
use crate::{
    conformance::{
        self, Battery, Outcome, Player, Report, catalogue,
        known::KnownDefects,
        select::{self, Pick, Selection, Shard},
        text,
    },
    outside::command::Template,
};

#[derive(Debug, Args)]
#[command(
    after_help = "Without --client, the reference client is judged in virtual time.\n\n\
        Exit codes: 0 something was judged and all that counts passed, 1 something that counts failed, or an entry \
        of the known defects does not fit, 2 bad usage or unreadable input, 3 nothing was judged. MUST counts, with \
        --strict SHOULD as well, MAY never."
)]
pub(super) struct ConformanceArgs {
    /// Sections or cases, as 2 or 2/12; all if none is named
    #[arg(value_name = "SECTION[/N]")]
    picks: Vec<Pick>,
    /// Print the cases, one a line, instead of running them
    #[arg(long)]
    list: bool,
    /// Print the scenario of the one case that is named, for veschub-sim serve
    #[arg(long, conflicts_with = "list")]
    show: bool,
    /// Count SHOULD as well as MUST
    #[arg(long)]
    strict: bool,
    /// Stop at the first case that fails and counts
    #[arg(long)]
    fail_fast: bool,
    /// Print the report as JSON; veschub-harness schema conformance tells its form
    #[arg(long)]
    json: bool,
    /// Decides all that is random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many cases to run at a time; by default one for each core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Run the Kth of N shares of the cases; all shares together are all cases
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Write the ids of the cases that failed to this file, one a line
    #[arg(long, value_name = "FILE")]
    failed: Option<PathBuf>,
    /// Run only cases that this file lists, such as one that --failed has written
    #[arg(long, value_name = "FILE")]
    only_from: Option<PathBuf>,
    /// What the client is known to get wrong, TOML with [[defect]] case, reason and place; an entry that does not fit
    /// fails the run
    #[arg(long, value_name = "FILE")]
    known_defects: Option<PathBuf>,
    /// Save what went over the wire in each case as DIR/<section>-<number>.pcapng, for Wireshark and `veschub-sim decode`
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    #[command(flatten)]
    outputs: super::report::Outputs,
    #[cfg(unix)]
    #[command(flatten)]
    program: ProgramArgs,
}

#[cfg(unix)]
#[derive(Debug, Args)]
struct ProgramArgs {
    /// Judge this program, over loopback in real time; see docs/clients.md for what it is told and has to print
    #[arg(long, value_name = "COMMAND", value_parser = Template::parse)]
    client: Option<Template>,
    /// How long the program may run in a case; by default as long as its task can take
    #[arg(long, value_name = "TIME", value_parser = super::outside::duration, requires = "client")]
    time_limit: Option<Duration>,
    /// How long the program may take to end after SIGTERM, before it is killed
    #[arg(long, value_name = "TIME", value_parser = super::outside::duration, default_value = "1s")]
    grace: Duration,
}

/// Runs the battery, or tells of it.
pub(super) fn run(args: &ConformanceArgs) -> ExitCode {
    match attempt(args) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn attempt(args: &ConformanceArgs) -> Result<u8, String> {
    let only = match &args.only_from {
        Some(path) => {
            let list = select::read_list(&read(path)?);
            Some(list.map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => None,
    };
    let selection = Selection {
        picks: args.picks.clone(),
        only,
        shard: args.shard,
    };
    let cases = select::select(&selection)?;
    if args.list {
        let ids: Vec<_> = cases.iter().map(|case| case.id()).collect();
        let list = text::list(catalogue::sections()?, |case| ids.contains(&case.id()));
        return print(&list).map(|()| 0);
    }
    if args.show {
        return match cases[..] {
            [case] => print(&case.yaml()).map(|()| 0),
            _ => Err("--show wants one case, as in --show 2/12".to_owned()),
        };
    }
    let known = match &args.known_defects {
        Some(path) => {
            let list = KnownDefects::parse(&read(path)?);
            list.map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => KnownDefects::default(),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let battery = Battery {
        player: player(args)?,
        seed: args.seed,
        strict: args.strict,
        fail_fast: args.fail_fast,
        jobs: args.jobs.unwrap_or(cores),
        cases,
    };
    let mut report = battle(&battery)?;
    known.apply(&mut report);
    if let Some(path) = &args.failed {
        write_failed(path, &report)?;
    }
    let captures = report.cases.iter().map(|case| {
        let name = case.id.to_string().replace('/', "-");
        (name, &*case.capture.0)
    });
    super::save(args.save.as_deref(), captures)?;
    args.outputs.write(&report)?;
    tell(args, &report)?;
    Ok(report.exit_code())
}

fn player(args: &ConformanceArgs) -> Result<Player, String> {
    #[cfg(unix)]
    if let Some(command) = &args.program.client {
        let supervisor = std::env::current_exe().map_err(|error| {
            format!("cannot find this program again, to supervise the client: {error}")
        })?;
        return Ok(Player::Program(crate::run::Program {
            command: command.clone(),
            supervisor,
            limit: args.program.time_limit,
            grace: args.program.grace,
        }));
    }
    #[cfg(not(unix))]
    let _ = args;
    Ok(Player::Reference)
}

/// Runs all cases, with a bar that grows.
fn battle(battery: &Battery) -> Result<Report, String> {
    let bar = progress(battery.cases.len() as u64);
    let done = |id: catalogue::Id, count: usize| {
        bar.set_length(count as u64);
        bar.set_message(id.to_string());
        bar.inc(1);
    };
    let report = conformance::run(battery, &done);
    bar.finish_and_clear();
    report.map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write_failed(path: &Path, report: &Report) -> Result<(), String> {
    let failed = report.cases.iter();
    let lines: String = failed
        .filter(|case| case.outcome == Outcome::Failed)
        .map(|case| format!("{}  {}\n", case.id, case.title))
        .collect();
    fs::write(path, lines).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn tell(args: &ConformanceArgs, report: &Report) -> Result<(), String> {
    if args.json {
        let json = serde_json::to_string(report).map_err(|error| error.to_string())?;
        return print(&format!("{json}\n"));
    }
    // NO_COLOR and pipes are seen to by the stream.
    let told = text::text(report);
    let stdout = anstream::AutoStream::new(io::stdout(), colour());
    written(write!(io::BufWriter::new(stdout), "{told}"))
}

fn colour() -> anstream::ColorChoice {
    match io::stdout().is_terminal() {
        true => anstream::AutoStream::choice(&io::stdout()),
        false => anstream::ColorChoice::Never,
    }
}

fn print(text: &str) -> Result<(), String> {
    written(io::stdout().lock().write_all(text.as_bytes()))
}

/// A reader that has seen enough is no failure.
fn written(result: io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {error}"))
        }
        _ => Ok(()),
    }
}
