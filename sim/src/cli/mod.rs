//! The command line: what is asked for, and the exit codes.
//!
//! stdout carries data, stderr carries messages. Exit code 0: success; 2: the input or the command line is wrong.

mod can_log;
mod capture;
mod commands;
mod control;
mod decode;
mod description;
mod device;
mod draft;
mod encode;
mod journal;
mod lists;
mod live;
mod outlet;
mod process;
mod record;
mod replay;
mod scenarios;
mod screen;
mod scrub;
pub mod shell;
mod teller;
mod voice;
mod watch;

use std::{
    ffi::OsString, fmt, io, io::Write, net::SocketAddr, num::NonZeroUsize, path::PathBuf,
    process::ExitCode, sync::mpsc, thread,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use veschub_drive::clock::SCALES;
use veschub_scenario::ScenarioError;
use veschub_transcript::foreign::visible_lines;

/// The port of the public hub (`VT datatypes.h:1262-1264`).
const HUB_PORT: u16 = 65101;
/// The port of an Express' own TCP server (`EX main/comm_wifi.c:247`).
const DIRECT_PORT: u16 = 65102;

#[derive(Debug, Parser)]
#[command(
    name = "veschub-sim",
    version,
    max_term_width = 100,
    help_expected = true,
    about = "A fake VESCHub for testing clients of VESC devices",
    long_about = "A fake VESCHub for testing clients of VESC devices: it plays devices that a YAML file \
                  describes, or the device side of a recorded session.",
    after_help = "A first session, in two terminals:\n  \
        veschub-sim serve --demo\n  \
        veschub-harness read --hub 127.0.0.1:65101 --id demo-0001 --password not-a-secret\n\n\
        Exit codes: 0 success, 2 the input or the command line is wrong."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the devices of a scenario until Ctrl-C
    Serve(ServeArgs),
    /// Serve the device side of a recorded session until Ctrl-C
    Replay(ReplayArgs),
    /// Play the devices of a scenario at somebody else's hub until Ctrl-C
    Device(DeviceArgs),
    /// Record a client's session with a real hub or device into a capture file
    Record(RecordArgs),
    /// Show the logins, frames and fields in a capture or in raw bytes
    Decode(decode::DecodeArgs),
    /// Write a first scenario from a recorded session: it runs unchanged, and you can edit it
    Draft(DraftArgs),
    /// Copy a capture without its logins, keys, names, addresses and dates
    Scrub(scrub::ScrubArgs),
    /// Check scenarios without running them, and captures for secrets
    Check(CheckArgs),
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Print a request as a frame in hex
    Encode(EncodeArgs),
    /// List the odd behaviours of real hubs and devices, and where each was seen
    Quirks,
    /// List the ways to harm a link, with their parameters
    Faults,
    /// List every command: which devices have it, and what is decoded, played and judged of it
    Commands(commands::CommandsArgs),
    /// Print completions for a shell, to be sourced or put where the shell looks for them
    Completions(shell::CompletionsArgs),
    /// Write man pages into a folder
    Man(shell::ManArgs),
}

/// Where a live hub listens, what it saves and what it prints.
#[derive(Debug, Args)]
struct ListenArgs {
    /// Address and port to listen on; port 0 picks a free one [default: 127.0.0.1:65101]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// The most connections at a time; further ones are closed at once [default: as many as the system allows this
    /// process]
    #[arg(long, value_name = "N")]
    max_connections: Option<NonZeroUsize>,
    #[command(flatten)]
    control: control::ControlArgs,
    /// Show the hub in this terminal while it runs, and steer it with keys: its devices, the wire, faults and quirks;
    /// what would go to stderr is shown there
    #[arg(long, conflicts_with = "until_stdin_ends")]
    tui: bool,
    #[command(flatten)]
    save: SaveArgs,
    /// Also stop when stdin is closed, so that the hub ends together with the program that started it
    #[arg(long)]
    until_stdin_ends: bool,
    #[command(flatten)]
    talk: TalkArgs,
}

/// How much is printed on stderr.
#[derive(Clone, Copy, Debug, Args)]
struct TalkArgs {
    /// Show every request and reply on stderr, not only who comes and goes
    #[arg(long, short)]
    verbose: bool,
    /// Show nothing on stderr but errors
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
}

/// Where to save the traffic and the hub's journal.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("saved").multiple(true)))]
struct SaveArgs {
    /// Save all traffic as a pcapng file, which Wireshark and `decode` can read
    #[arg(long, value_name = "FILE", group = "saved")]
    save: Option<PathBuf>,
    /// Write each event as it happens, one JSON object per line, each reply with the values that the device held;
    /// `-` writes to stdout, after the line that says where the hub listens
    #[arg(long, value_name = "FILE", group = "saved")]
    journal: Option<PathBuf>,
    /// Save passwords and keys unmasked: in login lines, in configs, and in the first line and the payloads of a journal
    #[arg(long, requires = "saved")]
    keep_credentials: bool,
    /// Overwrite files that exist
    #[arg(long, requires = "saved")]
    force: bool,
}

/// Values of a scenario that are replaced.
#[derive(Debug, Args)]
struct SetArgs {
    /// Replace a value of the scenario, e.g. devices.0.express.bms.cells=12; can be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
}

fn seed(text: &str) -> Result<u64, String> {
    let wanted = || format!("wanted a whole number from 0 to {}", u64::MAX);
    text.parse().map_err(|_| wanted())
}

/// A file name that says what the log of a CAN bus is to be.
fn can_log(text: &str) -> Result<PathBuf, String> {
    let wanted = || "wanted a name that ends in .log, .pcap or .pcapng".to_owned();
    can_log::format(text)
        .map(|_| text.into())
        .ok_or_else(wanted)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wanted = "wanted an IP address and a port, e.g. 127.0.0.1:65101 or [::1]:0";
    text.parse().map_err(|_| wanted.to_owned())
}

#[derive(Debug, Args)]
#[command(
    override_usage = "veschub-sim serve [OPTIONS] [SCENARIO]\n       veschub-sim serve [OPTIONS] --demo\n       veschub-sim serve [OPTIONS] --demo-motor"
)]
#[command(
    after_help = "Prints `listening on ADDR:PORT` on stdout when it is ready, and nothing else; with --pty it is\n\
    `listening on PATH`, a terminal that clients can open and close at any time. With --control\n\
    a second line says `control on http://ADDR:PORT/`, and with --journal - the journal follows.\n\
    With --tui both are in the terminal before the page, and in the page: q ends it, ? lists its keys.\n\
    Without a scenario it serves an empty hub: devices log in with `VESC:ID:PASSWORD`, tools with\n\
    `VESCTOOL:ID:PASSWORD`, and the hub passes their bytes on unchanged.\n\
    The demo's device has the id demo-0001 and the password not-a-secret.\n\
    A scenario whose only device has neither id nor password is served as with --direct."
)]
struct ServeArgs {
    /// The scenario, a YAML file; without one, the hub is empty and relays between devices and tools that log in
    #[arg(value_name = "SCENARIO")]
    scenario: Option<PathBuf>,
    /// Serve a built-in device: a 20-cell battery in use
    #[arg(long, conflicts_with = "scenario")]
    demo: bool,
    /// Serve a built-in motor controller without a hub: a motor that turns, and that clients can drive
    #[arg(long, conflicts_with_all = ["scenario", "demo"])]
    demo_motor: bool,
    /// Serve one device as its own TCP server, without a hub and a login: the first, or the one with this id;
    /// listens at port 65102 by default
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, default_missing_value = "")]
    direct: Option<String>,
    /// Without a hub: serve on a pseudo-terminal, for clients that speak serial; prints its path
    #[arg(long, conflicts_with_all = ["listen", "journal", "until_stdin_ends", "tui"])]
    pty: bool,
    /// Without a hub: announce the device to apps, as an Express does, with a UDP datagram every second to this
    /// address [default: 127.0.0.1:65109]
    #[arg(
        long,
        value_name = "ADDR:PORT",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:65109",
        value_parser = address,
        conflicts_with = "pty"
    )]
    discover: Option<SocketAddr>,
    /// Write what goes over the CAN bus of the first device, or of the one with --direct: a file that ends in `.log` is
    /// text as candump writes it, one that ends in `.pcap` or `.pcapng` is a capture for Wireshark; `decode` reads both
    #[arg(long, value_name = "FILE", value_parser = can_log, group = "saved")]
    can_log: Option<PathBuf>,
    /// The seed of everything that is random; without it, a seed is drawn and printed
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: Option<u64>,
    /// How many times as fast as the clock on the wall the time of the hub and its devices goes: 0.001 to 1000
    #[arg(
        long,
        value_name = "FACTOR",
        value_parser = time_scale,
        default_value = "1",
        conflicts_with = "pty"
    )]
    time_scale: f64,
    /// Take the scenario anew when one of its files is saved, or at SIGHUP: its devices and faults are exchanged, and
    /// their tools are disconnected. A file with a mistake changes nothing
    #[arg(long, requires = "scenario", conflicts_with_all = ["pty", "can_log"])]
    watch: bool,
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    listen: ListenArgs,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "veschub-sim device [OPTIONS] --hub <HOST:PORT> <SCENARIO>\n       \
                      veschub-sim device [OPTIONS] --hub <HOST:PORT> --demo",
    after_help = "Prints `connected to ADDR:PORT` on stdout once every device has sent its login line\n\
    `VESC:ID:PASSWORD`. A hub does not confirm a login: it closes the connection if it refuses one. Like a VESC Express, a device connects again 10 ms after a connection has ended, and\n\
    1 s after a name that could not be looked up."
)]
struct DeviceArgs {
    /// The scenario, a YAML file
    #[arg(value_name = "SCENARIO", required_unless_present = "demo")]
    scenario: Option<PathBuf>,
    /// Play a built-in device: a 20-cell battery in use
    #[arg(long, conflicts_with = "scenario")]
    demo: bool,
    /// Where the hub listens
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    hub: String,
    /// The seed of everything that is random; without it, a seed is drawn and printed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    talk: TalkArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Prints `listening on ADDR:PORT` on stdout when it is ready, and nothing else. Point the client there.\n\
    Bytes pass unchanged. The file is written during the session: after Ctrl-C or a crash it can be\n\
    read up to the last packet. The IP addresses in it are placeholders. Passwords and keys are\n\
    masked, in login lines and in configs; names and ids are not: run `veschub-sim scrub` before you\n\
    give the file away."
)]
struct RecordArgs {
    /// The hub or the device to record
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    upstream: String,
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", value_parser = address, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The capture file to write, a pcapng
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Save passwords and keys unmasked, in login lines and in configs
    #[arg(long)]
    keep_credentials: bool,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    talk: TalkArgs,
}

fn host_and_port(text: &str) -> Result<String, String> {
    let wanted = "wanted a host and a port, e.g. 127.0.0.1:65101 or localhost:65101";
    let (host, port) = text.rsplit_once(':').ok_or(wanted)?;
    let port = port.parse::<u16>();
    if host.is_empty() || !port.is_ok_and(|port| port > 0) {
        return Err(wanted.to_owned());
    }
    Ok(text.to_owned())
}

#[derive(Debug, Args)]
#[command(
    after_help = "Tools log in with the recorded id and password, unless --id or --password say otherwise. The hub has\n\
    every device that received a request in one of the captures.\n\
    A request matches a recorded one if the whole payload is equal. When a client sends it for the\n\
    k-th time in a session, the device sends the k-th recorded reply. Replies that nobody asked for\n\
    come as long after the login as in the recording.\n\
    Prints `listening on ADDR:PORT` on stdout when it is ready, and nothing else."
)]
struct ReplayArgs {
    /// The recorded sessions, pcap or pcapng files
    #[arg(value_name = "CAPTURE", required = true)]
    captures: Vec<PathBuf>,
    /// Serve the device as its own TCP server, without a hub and a login; listens at port 65102 by default
    #[arg(long, conflicts_with_all = ["ids", "password"])]
    direct: bool,
    /// The id that tools log in with; with several devices, give it once for each, in their order
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// The password that tools log in with
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// When replies are sent
    #[arg(long, value_name = "PACE", value_enum, default_value_t = PaceArg::Recorded)]
    pace: PaceArg,
    /// Play faster or slower than recorded by this factor, e.g. 2 or 0.5
    #[arg(long, value_name = "FACTOR", value_parser = speed, conflicts_with = "pace")]
    speed: Option<f64>,
    /// Which requests are answered
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = OrderArg::ByRequest)]
    order: OrderArg,
    /// The reply when a request comes more often than in the recording
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = AtEndArg::Hold)]
    at_end: AtEndArg,
    /// How requests that were not recorded are handled
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = UnknownArg::Silent)]
    unknown: UnknownArg,
    #[command(flatten)]
    listen: ListenArgs,
}

fn time_scale(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok();
    let factor = factor.filter(|factor: &f64| SCALES.contains(factor));
    factor.ok_or_else(|| {
        let (least, most) = (SCALES.start(), SCALES.end());
        format!("wanted a number from {least} to {most}, e.g. 10 for ten times as fast")
    })
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|&speed: &f64| speed > 0.0 && speed.is_finite());
    speed.ok_or_else(|| "wanted a number above 0, e.g. 2 for twice as fast".to_owned())
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderArg {
    /// Every request that was recorded, in any order
    ByRequest,
    /// Only the request that came next in the recording
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UnknownArg {
    /// They get no reply
    Silent,
    /// A synthetic device of the same kind and firmware answers them, with the values recorded last
    Synthetic,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AtEndArg {
    /// The last reply again
    Hold,
    /// The recorded replies again, from the first
    Wrap,
    /// Nothing
    Silent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PaceArg {
    /// As long after the request as in the recording
    Recorded,
    /// At once
    Immediate,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The scenario plays what was recorded: the device's identity, its BMS and CAN bus, its reply times,\n\
    and, byte by byte, replies that a simulated device does not give by itself. Its client polls as\n\
    often as the recorded one did. Readings that changed go into CSV files, in a folder beside the\n\
    scenario and with its name. stderr and the scenario's comments say what the recording shows for\n\
    or against each known quirk. Passwords are not copied: they become `not-a-secret`. Replies that\n\
    are written byte by byte are as recorded, and may name a device."
)]
struct DraftArgs {
    /// The recorded session, a pcap or pcapng file; `-` reads stdin
    #[arg(value_name = "CAPTURE")]
    capture: PathBuf,
    /// The scenario to write; without it, the scenario is printed, if it needs no other file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Set the BMS to its last reading, so that no CSV file is needed
    #[arg(long)]
    pin: bool,
    /// Overwrite files that exist
    #[arg(long, requires = "output")]
    force: bool,
    /// Print what was found as a JSON object
    #[arg(long, requires = "output")]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "veschub-sim check [OPTIONS] <SCENARIO>...\n       veschub-sim check --explain <CODE>",
    after_help = "A scenario with mistakes (codes that start with E) exits with 2; one with warnings (W) only does with\n\
    --strict. Codes never change their meaning.\n\
    A capture that was not scrubbed gives a warning, so this command refuses one:\n  \
    veschub-sim check --strict captures/*.pcap*"
)]
struct CheckArgs {
    /// The scenarios, YAML files, and captures, whose names end in .pcap or .pcapng
    #[arg(value_name = "SCENARIO", required_unless_present = "explain")]
    scenarios: Vec<PathBuf>,
    /// Treat warnings as mistakes
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per finding, and nothing else
    #[arg(long)]
    json: bool,
    /// Explain a code
    #[arg(long, value_name = "CODE", conflicts_with_all = ["scenarios", "strict", "json", "settings"])]
    explain: Option<String>,
    #[command(flatten)]
    set: SetArgs,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "veschub-sim encode [OPTIONS] <COMMAND> [ARGS]...\n       veschub-sim encode --list"
)]
#[command(after_help = "Examples:\n  \
    veschub-sim encode BMS_GET_VALUES\n  \
    veschub-sim encode FORWARD_CAN 84 GET_VALUES\n  \
    veschub-sim encode --config-description parameters_mcconf.xml SET_MCCONF l_current_max=60\n  \
    veschub-sim encode --list\n\n\
    A request by hand, to a hub that runs `serve --demo` (wait after the login line: a hub throws\n\
    away what arrives together with it):\n  \
    (printf 'VESCTOOL:demo-0001:not-a-secret\\n'; sleep 1\n   \
    veschub-sim encode --binary BMS_GET_VALUES; sleep 1) | nc 127.0.0.1 65101 \\\n   \
    | veschub-sim decode --raw to-tool -")]
struct EncodeArgs {
    /// The command: a name such as BMS_GET_VALUES, or a number
    #[arg(value_name = "COMMAND", required_unless_present = "list")]
    command: Option<String>,
    /// The command's arguments; `--list` shows them
    #[arg(value_name = "ARGS", allow_hyphen_values = true)]
    args: Vec<String>,
    /// With SET_MCCONF, SET_APPCONF or SET_APPCONF_NO_STORE: the arguments are NAME=VALUE, and this parameter file of
    /// VESC Tool describes the fields; one that is not named has its default
    #[arg(
        long = "config-description",
        value_name = "XML",
        conflicts_with = "list"
    )]
    description: Option<PathBuf>,
    /// Write the bytes themselves instead of hex
    #[arg(long)]
    binary: bool,
    /// List all commands with their arguments
    #[arg(long, conflicts_with_all = ["command", "args", "binary"])]
    list: bool,
}

/// Why a command could not be carried out.
#[derive(Debug)]
enum Failure {
    /// A mistake in a scenario, with its place.
    Scenario(ScenarioError),
    /// Anything else, in words.
    Text(String),
    /// The message was printed already.
    Told,
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Self::Scenario(error)
    }
}

impl Failure {
    fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }
}

/// Runs `veschub-sim` with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// Runs `veschub-sim` with these arguments, the first of which is its name.
#[must_use]
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli: Cli = match shell::parse(args) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let result = match cli.command {
        Command::Serve(args) => live::serve(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Device(args) => device::device(&args),
        Command::Record(args) => record::record(&args),
        Command::Decode(args) => decode::decode(&args),
        Command::Draft(args) => draft::draft(&args),
        Command::Scrub(args) => scrub::scrub(&args),
        Command::Check(args) => scenarios::check(&args),
        Command::Schema => scenarios::schema(),
        Command::Encode(args) => encode::encode(&args),
        Command::Quirks => lists::quirks(),
        Command::Faults => lists::faults(),
        Command::Commands(args) => commands::commands(&args),
        Command::Completions(args) => written(args.print(Cli::command())),
        Command::Man(args) => args.write(Cli::command()).map_err(|error| {
            Failure::Text(format!("cannot write {}: {error}", args.folder().display()))
        }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure);
            ExitCode::from(2)
        }
    }
}

/// Says on stderr what went wrong; colours are taken away where they are not wanted. Somebody who does not read it does
/// not keep the program from its end.
fn tell(failure: &Failure) {
    let text = match failure {
        Failure::Scenario(error) => error.render(true),
        Failure::Text(text) => format!("error: {}", visible_lines(text)),
        Failure::Told => return,
    };
    let (told, is_told) = mpsc::channel();
    let tell = move || {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
        let _ = told.send(());
    };
    if thread::Builder::new().spawn(tell).is_ok() {
        let _ = is_told.recv_timeout(outlet::REST);
    }
}

/// A reader that stops early, such as `head`, is not a failure.
fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Text(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
