//! `veschub-harness conformance`: the battery on the command line.

use std::{
    fs,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::Args;

use super::{
    error::{CliError, written},
    progress,
};
use crate::{
    conformance::{
        self, Battery, Carrier, catalogue,
        known::KnownDefects,
        select::{self, Pick, Selection, Shard},
    },
    family::Means,
    outside::{command::Template, link::Link},
    report::{model::Report, text, visible_styled},
    run::player::Player,
};

#[derive(Debug, Args)]
#[command(
    after_help = "Without --client, the harness tests its own reference client, in virtual time.\n\n\
        Exit codes: 0 every case that counts passed, 1 a case that counts failed, or an entry of the known defects \
        is out of date, 2 bad usage or unreadable input, 3 no case was judged, 4 trouble of the harness or the \
        machine, such as no free port, which says nothing about the client. A client that crashes or is still running \
        at the time limit fails the case. MUST cases count; SHOULD cases count \
        with --strict; MAY cases never count."
)]
pub(super) struct ConformanceArgs {
    /// Sections or cases to run, such as 2 or 2/12; without any, all
    #[arg(value_name = "SECTION[/N]")]
    picks: Vec<Pick>,
    /// Print the cases, one a line, instead of running them
    #[arg(long)]
    list: bool,
    /// Print the scenario of the named case, for veschub-sim serve
    #[arg(long, conflicts_with = "list")]
    show: bool,
    /// Count SHOULD cases as well as MUST cases
    #[arg(long)]
    strict: bool,
    /// Stop at the first failed case that counts
    #[arg(long)]
    fail_fast: bool,
    /// Print the report as JSON; `veschub-harness schema conformance` prints its schema
    #[arg(long)]
    json: bool,
    /// The seed of everything random: the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many cases to run at the same time; by default one for each core, or with --client 8 for each core but at
    /// most 16, as a client mostly waits
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Run only share K of N of the cases, so that N machines can divide the work
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Write the ids of the failed cases to this file, one a line
    #[arg(long, value_name = "FILE")]
    failed: Option<PathBuf>,
    /// Run only the cases that this file lists, such as a file that --failed wrote
    #[arg(long, value_name = "FILE")]
    only_from: Option<PathBuf>,
    /// A TOML file with the known defects of the client: [[defect]] entries with case, reason and place; an entry
    /// fails the run if its case passes or is not judged
    #[arg(long, value_name = "FILE")]
    known_defects: Option<PathBuf>,
    /// How the client reaches the device; cases that the link cannot show are not applicable
    #[arg(long, value_name = "LINK", value_enum, default_value_t)]
    link: Link,
    /// The client's name in reports
    #[arg(long, value_name = "NAME")]
    client_name: Option<String>,
    /// The client's version or commit, for reports
    #[arg(long, value_name = "TEXT")]
    client_version: Option<String>,
    /// Save the traffic of each case as DIR/<section>-<number>.pcapng, for Wireshark and `veschub-sim decode`
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
    /// Test this program, over loopback in real time; docs/clients.md says what it is told and must print
    #[arg(long, value_name = "COMMAND", value_parser = Template::parse)]
    client: Option<Template>,
    /// How long the program may run in each case; by default as long as its task can take
    #[arg(long, value_name = "TIME", value_parser = super::run::duration, requires = "client")]
    time_limit: Option<Duration>,
    /// How long the program may take to end after SIGTERM; after that it gets SIGKILL
    #[arg(long, value_name = "TIME", value_parser = super::run::duration, default_value = "1s")]
    grace: Duration,
}

/// Runs the battery, or prints its cases; returns the exit code.
pub(super) fn run(args: &ConformanceArgs) -> Result<u8, CliError> {
    let only = match &args.only_from {
        Some(path) => {
            let list = select::read_list(&read(path)?);
            let path = path.clone();
            Some(list.map_err(|error| CliError::List { path, error })?)
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
        let list = catalogue::list(catalogue::sections()?, |case| ids.contains(&case.id()));
        return print(&list).map(|()| 0);
    }
    if args.show {
        return match cases[..] {
            [case] => print(&case.yaml(Carrier::Bms)).map(|()| 0),
            _ => Err(CliError::ShowOne),
        };
    }
    let known = match &args.known_defects {
        Some(path) => {
            let list = KnownDefects::parse(&read(path)?);
            let path = path.clone();
            list.map_err(|error| CliError::KnownDefects { path, error })?
        }
        None => KnownDefects::default(),
    };
    let player = player(args)?;
    let jobs = match player.command() {
        #[cfg(unix)]
        Some(_) => super::run::default_jobs(),
        _ => thread::available_parallelism().map_or(1, usize::from),
    };
    let battery = Battery {
        player,
        link: args.link,
        seed: args.seed,
        carrier: None,
        strict: args.strict,
        fail_fast: args.fail_fast,
        jobs: args.jobs.unwrap_or(jobs),
        cases,
    };
    let mut report = run_cases(&battery)?;
    report.client_name.clone_from(&args.client_name);
    report.client_version.clone_from(&args.client_version);
    known.apply(&mut report);
    if let Some(path) = &args.failed {
        write_failed(path, &report)?;
    }
    let captures = report.cases.iter().map(|case| {
        let name = case.id.slug();
        (name, &*case.capture.0)
    });
    super::save(args.save.as_deref(), captures)?;
    args.outputs.write(&report)?;
    tell(args, &report)?;
    Ok(report.exit_code())
}

fn player(args: &ConformanceArgs) -> Result<Player, CliError> {
    #[cfg(unix)]
    if let Some(command) = &args.program.client {
        command.check(args.link)?;
        let supervisor = std::env::current_exe().map_err(CliError::NoSupervisor)?;
        return Ok(Player::Program(crate::run::Program {
            command: command.clone(),
            link: args.link,
            supervisor,
            limit: args.program.time_limit,
            grace: args.program.grace,
            means: Means::All,
        }));
    }
    match args.link {
        Link::Pty => Err(CliError::NeedsClient(args.link)),
        Link::Hub | Link::Direct => Ok(Player::Reference),
    }
}

/// Runs all cases, with a progress bar.
fn run_cases(battery: &Battery) -> Result<Report, CliError> {
    let bar = progress(battery.cases.len() as u64);
    let done = |id: catalogue::Id, count: usize| {
        bar.set_length(count as u64);
        bar.set_message(id.to_string());
        bar.inc(1);
    };
    let report = conformance::run(battery, &done);
    bar.finish_and_clear();
    Ok(report?)
}

fn read(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(CliError::read(path))
}

fn write_failed(path: &Path, report: &Report) -> Result<(), CliError> {
    let failed = report.cases.iter();
    let lines: String = failed
        .filter(|case| case.outcome.is_failure())
        .map(|case| format!("{}  {}\n", case.id, case.title))
        .collect();
    fs::write(path, lines).map_err(CliError::write(path))
}

fn tell(args: &ConformanceArgs, report: &Report) -> Result<(), CliError> {
    if args.json {
        let json = serde_json::to_string(report)?;
        return print(&format!("{json}\n"));
    }
    // The stream respects NO_COLOR and pipes.
    let told = visible_styled(&text::text(report));
    let stdout = anstream::AutoStream::new(io::stdout(), colour());
    written(write!(io::BufWriter::new(stdout), "{told}"))
}

fn colour() -> anstream::ColorChoice {
    match io::stdout().is_terminal() {
        true => anstream::AutoStream::choice(&io::stdout()),
        false => anstream::ColorChoice::Never,
    }
}

fn print(text: &str) -> Result<(), CliError> {
    written(io::stdout().lock().write_all(text.as_bytes()))
}
