//! `veschub-harness fuzz`: changes what a hub sends until a client crashes, hangs, or reports what nobody sent.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use veschub_hub::rng::Seed;
use veschub_transcript::foreign::visible_lines;

use super::{
    error::{CliError, TROUBLE, written},
    progress,
    run::{default_jobs, duration, find, tell},
};
use crate::{
    family::Means,
    fuzz::{self, Finding, FuzzError, Process, Report, Settings},
    outside::{command::Template, link::Link},
    report::reproduce,
    run::{Program, RunError},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing was found, 1 something was, 2 bad usage or unreadable input, \
    3 your client can do no task, 4 trouble of the harness or the machine\n\n\
    A client that prints {\"again\": true} and connects anew is tried much faster; see docs/fuzzing.md"
)]
pub(super) struct FuzzArgs {
    /// More sessions to change: scenario files, or folders with scenario files; those of the battery are always used
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The client, as for `run`
    #[arg(long, value_name = "COMMAND", value_parser = Template::parse)]
    client: Template,
    /// How long to try; what is found is made smaller after that
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    time: Duration,
    /// How often to try at most
    #[arg(long, value_name = "N")]
    tries: Option<u64>,
    /// The seed of every change: the same seed gives the same tries
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How the program reaches the device: hub, or direct, which is faster, as there is no login to wait for
    #[arg(long, value_name = "LINK", value_parser = tcp, default_value = "hub")]
    link: Link,
    /// How many clients to run at the same time; by default 8 for each core but at most 16
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// A client that is not done after this long hangs; by default as long as its task can take
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time_limit: Option<Duration>,
    /// How long the client may take to end after SIGTERM; after that it gets SIGKILL
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    grace: Duration,
    /// How much more memory than before the client may take in one try, MiB
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    memory: u64,
    /// Save findings as DIR/<finding>.yaml and DIR/<finding>.pcapng
    #[arg(long, value_name = "DIR", default_value = "findings")]
    save: PathBuf,
    /// Write over findings of an earlier run
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn tcp(text: &str) -> Result<Link, String> {
    match text {
        "hub" => Ok(Link::Hub),
        "direct" => Ok(Link::Direct),
        _ => Err("hub or direct; a fuzzer needs connections".to_owned()),
    }
}

/// Tries out a client; returns the exit code.
pub(super) fn run(args: &FuzzArgs) -> Result<u8, CliError> {
    args.client.check(args.link)?;
    let mut scenarios = Vec::new();
    if !args.paths.is_empty() {
        for path in find(&args.paths)? {
            match veschub_disk::open(&path, &[]) {
                Ok(loaded) => scenarios.push((path.display().to_string(), loaded)),
                Err(error) => {
                    tell(&path, &RunError::Scenario(error));
                    return Ok(2);
                }
            }
        }
    }
    let program = Program {
        command: args.client.clone(),
        link: args.link,
        supervisor: std::env::current_exe().map_err(CliError::NoSupervisor)?,
        limit: args.time_limit,
        grace: args.grace,
        means: Means::All,
    };
    let settings = Settings {
        seed: Seed(args.seed),
        time: Some(args.time),
        tries: args.tries,
        jobs: args.jobs.unwrap_or_else(default_jobs),
        most_kib: args.memory << 10,
        most_findings: fuzz::MOST_FINDINGS,
    };
    let bar = progress(args.time.as_secs().max(1));
    let player = || Process::new(program.clone());
    let report = fuzz::run(&settings, &scenarios, &player, &|now| {
        bar.set_position(bar.elapsed().as_secs());
        bar.set_message(format!("s, {} tries, {} found", now.tries, now.findings));
    });
    bar.finish_and_clear();
    let report = match report {
        Ok(report) => report,
        Err(error @ FuzzError::NeverConnects(_)) => {
            eprintln!("error: {}", visible_lines(&error.to_string()));
            return Ok(3);
        }
        Err(error) => {
            eprintln!("error: {}", visible_lines(&error.to_string()));
            return Ok(TROUBLE);
        }
    };
    save(args, &report)?;
    written(print(args, &report))?;
    Ok(match report.findings.len() {
        0 if report.can.is_empty() => 3,
        0 => 0,
        _ => 1,
    })
}

fn path(args: &FuzzArgs, finding: &Finding, ending: &str) -> PathBuf {
    args.save.join(format!("{}.{ending}", finding.name))
}

fn save(args: &FuzzArgs, report: &Report) -> Result<(), CliError> {
    if report.findings.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(&args.save).map_err(CliError::write(&args.save))?;
    for finding in &report.findings {
        for (ending, bytes) in [
            ("yaml", finding.scenario.as_bytes()),
            ("pcapng", &finding.capture),
        ] {
            let path = path(args, finding, ending);
            veschub_disk::write_whole(&path, bytes, args.force).map_err(CliError::write(&path))?;
        }
    }
    Ok(())
}

fn print(args: &FuzzArgs, report: &Report) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if args.json {
        let json = serde_json::to_string(report).map_err(io::Error::other)?;
        return writeln!(stdout, "{json}");
    }
    let mut text = report.to_string();
    if !report.findings.is_empty() {
        text.push_str("; see each of them again with\n");
        for finding in &report.findings {
            let path = path(args, finding, "yaml");
            let mut words = reproduce::words("run", Some(args.client.text()), args.link, 0);
            words.push(reproduce::quoted(&path.display().to_string()));
            text.push_str(&format!("  {}\n", words.join(" ")));
        }
    }
    // The texts of clients are in it.
    writeln!(stdout, "{}", visible_lines(text.trim_end()))
}
