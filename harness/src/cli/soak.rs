//! `veschub-harness soak`: tools of every temper at hubs in this process, for as long as you like.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use clap::Args;
use veschub_hub::rng::Seed;

use super::{
    error::{CliError, written},
    progress,
};
use crate::{
    run::RunError,
    soak::{self, LEAST_DEVICES, MOST_DEVICES, MOST_TOOLS, Size},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing was wrong, 1 something was, 2 bad usage, \
    4 trouble of the harness or the machine"
)]
pub(super) struct SoakArgs {
    /// How long, in minutes; fractions are allowed
    #[arg(long, value_name = "M", default_value = "1", value_parser = minutes)]
    minutes: Duration,
    /// How many devices there are, over all hubs
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = number(LEAST_DEVICES, MOST_DEVICES))]
    devices: usize,
    /// How many tools there are at a time, over all hubs
    #[arg(long, value_name = "N", default_value_t = 36, value_parser = number(1, MOST_TOOLS))]
    tools: usize,
    /// The seed of every choice: who goes where, what is asked, which faults act
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The longest soak: a year.
const LONGEST_MINUTES: f64 = 365.0 * 24.0 * 60.0;

fn minutes(text: &str) -> Result<Duration, String> {
    let problem = || format!("a number of minutes above 0, at most {LONGEST_MINUTES}, e.g. 0.5");
    let minutes: f64 = text.parse().map_err(|_| problem())?;
    if minutes > 0.0 && minutes <= LONGEST_MINUTES {
        Ok(Duration::from_secs_f64(minutes * 60.0))
    } else {
        Err(problem())
    }
}

fn number(
    least: usize,
    most: usize,
) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a whole number from {least} to {most}")),
    }
}

/// Runs a soak; returns the exit code.
pub(super) fn run(args: &SoakArgs) -> Result<u8, CliError> {
    let size = Size {
        devices: args.devices,
        tools: args.tools,
        seed: Seed(args.seed),
    };
    let bar = progress(args.minutes.as_secs());
    let report = soak::run(size, args.minutes, |now| {
        bar.set_position(now.elapsed.as_secs().min(args.minutes.as_secs()));
        bar.set_message(format!(
            "s, {} replies, {} mistakes",
            now.replies, now.mistaken
        ));
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| match error {
        RunError::Io(error) => CliError::Start(error),
        error => CliError::Start(io::Error::other(error)),
    })?;
    let mut stdout = io::stdout().lock();
    written(if args.json {
        serde_json::to_string(&report)
            .map_err(io::Error::other)
            .and_then(|json| writeln!(stdout, "{json}"))
    } else {
        writeln!(stdout, "{report}")
    })?;
    Ok(u8::from(!report.passed))
}
