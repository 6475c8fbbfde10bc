//! `veschub-harness read`: reads a pack with the reference client, from a simulated or a real hub, and shows a table.
//!
//! stdout gets the values: the table, lines or JSON. stderr gets the messages: what the program does, what the device
//! prints, what went wrong and what to check. The password is never printed. It may come from the environment, so that
//! it does not show in a list of processes.

use std::{
    fmt::Display,
    fs::File,
    io::{self, IsTerminal as _, Read as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anstream::{eprintln, stdout};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};
use veschub_scenario::duration::{NoDuration, parse_duration};
use veschub_transcript::foreign::{excerpt, visible_lines, visible_styled};
use veschub_wire::{LoginKind, LoginLine, Reply, Request, login::Password};

use crate::{
    client::{Ask, ClientError, Options, Outcome, Reading, Session, json, task},
    report::{
        motor::{self, Motor},
        pack::{self, Pack},
    },
};

/// The environment variable with the password, if `--password` is not given.
pub const PASSWORD_VARIABLE: &str = "VESC_PASSWORD";

/// Moves to the upper left corner and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

const AFTER_HELP: &str = "\
Examples:
  A simulated device (the first line in another terminal):
    veschub-sim serve --demo --listen 127.0.0.1:65101
    veschub-harness read --hub 127.0.0.1:65101 --id demo-0001 --password not-a-secret

  Your own device, once a second, without the password on the command line:
    read -rs VESC_PASSWORD; export VESC_PASSWORD
    veschub-harness read --hub veschub.vedder.se:65101 --id YOUR-ID --watch

  Without a hub, in the network of the device:
    veschub-harness read --hub 192.168.1.50:65102 --direct

  A motor controller on a link of its own is shown with its motor:
    veschub-sim serve --demo-motor --direct
    veschub-harness read --hub 127.0.0.1:65102 --direct

Exit codes: 0 the device was read, 1 the device did not answer, 2 bad usage or no connection.";

/// Read a pack, or a motor controller, once or again and again, and show it as a table.
#[derive(Clone, Debug, clap::Args)]
#[command(
    override_usage = "veschub-harness read --hub HOST:PORT {--id ID [--password P] | --direct} [OPTIONS]",
    after_help = AFTER_HELP
)]
pub struct ReadArgs {
    /// The address of the hub; with --direct, the address of the device
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    pub hub: String,
    /// The id with which the device logged in to the hub
    #[arg(long, required_unless_present = "direct", conflicts_with = "direct")]
    pub id: Option<String>,
    /// The password of that id; by default the value of VESC_PASSWORD
    #[arg(long, value_name = "P", value_parser = password, conflicts_with = "direct")]
    pub password: Option<Password>,
    /// A file whose first line is the password; unlike --password, other users of the machine cannot see it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["direct", "password"])]
    pub password_file: Option<PathBuf>,
    /// Connect to the device itself, without a hub and without a login
    #[arg(long)]
    pub direct: bool,
    /// Send each request only after the reply to the one before, instead of all at once
    #[arg(long)]
    pub one_at_a_time: bool,
    /// Read again and again, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// With --watch, the time from one reading to the next
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    pub every: Duration,
    /// How long to wait for the connection and for each reply
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub timeout: Duration,
    /// Print one JSON object for each reading: {"at": seconds, "command": name, "fields": {...}}
    #[arg(long)]
    pub json: bool,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The arguments do not make a valid login.
    #[error("{0}")]
    Usage(String),
    /// The name of the host is unknown.
    #[error("the host of `{hub}` was not found: {error}; check the name and the network")]
    UnknownHost {
        /// As it was given.
        hub: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// Nothing accepted the connection.
    #[error(
        "no connection to {hub}: {error}; check the address and the port, and that the hub is running there"
    )]
    NoConnection {
        /// As it was given.
        hub: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The connection works, but the device sent no values.
    #[error("{error}")]
    Unanswered {
        /// The error of the request for the values.
        error: ClientError,
        /// Whether the device left all other requests unanswered too.
        silent: bool,
    },
    /// The hub or the device did not answer as it should.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl ReadError {
    /// 1: the device did not answer; 2: bad usage or no connection; 0: the reader of the output closed the pipe.
    fn code(&self) -> u8 {
        match self {
            Self::Client(error) if !error.is_refusal() => 1,
            Self::Unanswered { .. } => 1,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) => 1,
            _ => 2,
        }
    }

    /// What to check.
    fn hint(&self) -> Option<&'static str> {
        let Self::Unanswered { silent, .. } = self else {
            return None;
        };
        Some(if *silent {
            "the device answered no request at all: check that it is switched on and connected to its network"
        } else {
            "the device answers other requests, but not BMS_GET_VALUES: check its firmware, \
             and try with and without --one-at-a-time"
        })
    }

    /// Says what went wrong.
    fn tell(&self) {
        say(format_args!("error: {self}"));
        if let Some(hint) = self.hint() {
            say(format_args!("hint: {hint}"));
        }
    }
}

/// Says on stderr what may name what others have chosen.
fn say(text: impl Display) {
    eprintln!("{}", visible_lines(&text.to_string()));
}

/// Runs the command, and prints errors on stderr.
pub async fn run(args: &ReadArgs) -> ExitCode {
    let mut screen = Screen {
        out: stdout(),
        json: args.json,
        redraw: args.watch && !args.json && io::stdout().is_terminal(),
    };
    let result = tokio::select! {
        biased;
        // Ctrl-C is the normal end of `--watch` only.
        _ = tokio::signal::ctrl_c(), if args.watch => Ok(()),
        result = connect_and_read(args, &mut screen) => result,
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let code = error.code();
    if code != 0 {
        error.tell();
    }
    ExitCode::from(code)
}

async fn connect_and_read<W: Write>(
    args: &ReadArgs,
    screen: &mut Screen<W>,
) -> Result<(), ReadError> {
    let login = login(args, std::env::var(PASSWORD_VARIABLE).ok())?;
    let stream = connect(&args.hub, args.timeout).await?;
    match &login {
        Some(login) => say(format_args!(
            "connected to {}, logging in as {}",
            args.hub, login.id
        )),
        None => say(format_args!("connected to {}", args.hub)),
    }
    read(stream, login, args, screen).await
}

/// Reads once, or with `--watch` again and again, over a given stream.
async fn read<S: AsyncRead + AsyncWrite + Unpin, W: Write>(
    stream: S,
    login: Option<LoginLine>,
    args: &ReadArgs,
    screen: &mut Screen<W>,
) -> Result<(), ReadError> {
    let options = Options {
        reply_timeout: args.timeout,
        ..Options::default()
    };
    let is_direct = login.is_none();
    let mut session = Session::open(stream, login, options).await?;
    if is_direct && let Some(motor) = motor_alone(&mut session, screen).await? {
        return read_motor(session, motor, args, screen).await;
    }
    let ask = match args.one_at_a_time {
        true => Ask::OneAtATime,
        false => Ask::RapidFire,
    };
    let outcome = task::read_bms(&mut session, ask, !args.watch).await;
    let mut pack = Pack::default();
    for reading in &outcome.readings {
        pack.note(&reading.reply.body);
        screen.reading(reading)?;
    }
    tell_prints(&mut session, &mut pack, screen).await?;
    let result = judge(outcome);
    // A refused login leaves nothing to show.
    if !matches!(&result, Err(ReadError::Client(error)) if error.is_refusal()) {
        screen.pack(&pack)?;
    }
    match result {
        Err(error @ ReadError::Unanswered { .. }) if args.watch => error.tell(),
        result => result?,
    }
    if args.watch {
        return watch(&mut session, &mut pack, args, screen).await;
    }
    session.close().await;
    Ok(())
}

/// The motor controller that this is, without a hub; none if it is something else, or does not say.
async fn motor_alone<S: AsyncRead + AsyncWrite + Unpin, W: Write>(
    session: &mut Session<S>,
    screen: &mut Screen<W>,
) -> Result<Option<Motor>, ReadError> {
    let request = Request::FwVersion;
    let result = session.ask(&request).await;
    let reading = match result.and_then(|received| Reading::new(&request, received)) {
        Ok(reading) => reading,
        Err(error) if error.is_end() => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    match &reading.reply.body {
        Reply::FwVersion(firmware) if Motor::is_motor(firmware) => {
            let mut motor = Motor::default();
            motor.note(&reading.reply.body);
            screen.reading(&reading)?;
            Ok(Some(motor))
        }
        _ => Ok(None),
    }
}

/// Reads a motor controller once, or with `--watch` again and again.
async fn read_motor<S: AsyncRead + AsyncWrite + Unpin, W: Write>(
    mut session: Session<S>,
    mut motor: Motor,
    args: &ReadArgs,
    screen: &mut Screen<W>,
) -> Result<(), ReadError> {
    let every = args.every.max(Duration::from_millis(10));
    let mut next = Instant::now();
    let mut is_first = true;
    loop {
        for request in [Request::GetValues, Request::GetValuesSetup] {
            let result = session.ask(&request).await;
            match result.and_then(|received| Reading::new(&request, received)) {
                Ok(reading) => {
                    motor.note(&reading.reply.body);
                    screen.reading(&reading)?;
                }
                Err(error) if error.is_end() => return Err(error.into()),
                Err(error) if request == Request::GetValues && !args.watch => {
                    let silent = false;
                    return Err(ReadError::Unanswered { error, silent });
                }
                Err(error) => say(format_args!("note: {error}")),
            }
        }
        screen.motor(&motor, is_first, session.elapsed())?;
        is_first = false;
        if !args.watch {
            session.close().await;
            return Ok(());
        }
        while next <= Instant::now() {
            next += every;
        }
        session.idle(next).await;
    }
}

/// Prints which requests were not answered; an error if BMS_GET_VALUES is one of them.
fn judge(outcome: Outcome) -> Result<(), ReadError> {
    let silent = outcome.readings.is_empty();
    let mut result = Ok(());
    for (request, error) in outcome.unanswered {
        if error.is_end() {
            result = Err(error.into());
        } else if request == Request::BmsGetValues {
            result = Err(ReadError::Unanswered { error, silent });
        } else {
            say(format_args!("note: {error}"));
        }
    }
    result
}

/// Polls at fixed times until the connection ends.
async fn watch<S: AsyncRead + AsyncWrite + Unpin, W: Write>(
    session: &mut Session<S>,
    pack: &mut Pack,
    args: &ReadArgs,
    screen: &mut Screen<W>,
) -> Result<(), ReadError> {
    // With a period of 0 this loop would leave no time for anything else.
    let every = args.every.max(Duration::from_millis(10));
    let mut next = Instant::now();
    loop {
        while next <= Instant::now() {
            next += every;
        }
        session.idle(next).await;
        let result = session.ask(&Request::BmsGetValues).await;
        tell_prints(session, pack, screen).await?;
        match result.and_then(|received| Reading::new(&Request::BmsGetValues, received)) {
            Ok(reading) => {
                pack.note(&reading.reply.body);
                screen.reading(&reading)?;
                screen.again(pack, reading.at)?;
            }
            Err(error) if error.is_end() => return Err(error.into()),
            Err(error) => say(format_args!("note: {error}")),
        }
    }
}

/// Shows what came unasked or late: texts that the device prints, and the result of a scan.
async fn tell_prints<S: AsyncRead + AsyncWrite + Unpin, W: Write>(
    session: &mut Session<S>,
    pack: &mut Pack,
    screen: &mut Screen<W>,
) -> Result<(), ReadError> {
    while let Ok(received) = session.receive(Instant::now()).await {
        let Ok(reading) = Reading::new(&Request::PingCan, received) else {
            continue;
        };
        match &reading.reply.body {
            Reply::Print(text) => {
                let text: String = text.iter().copied().map(char::from).collect();
                let text = excerpt(text.trim_end(), 400);
                say(format_args!("the device printed: {text}"));
            }
            reply @ Reply::PingCan { .. } => {
                pack.note(reply);
                screen.reading(&reading)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where readings are shown. Colours are always written; the stream removes them where they are not wanted.
struct Screen<W> {
    out: W,
    json: bool,
    redraw: bool,
}

impl<W: Write> Screen<W> {
    /// Prints a reading as JSON, with `--json`.
    fn reading(&mut self, reading: &Reading) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", json::line(reading))?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Prints the table of a pack.
    fn pack(&mut self, pack: &Pack) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        if self.redraw {
            // Written to stdout itself, as the colour filter would remove it.
            io::stdout().write_all(CLEAR.as_bytes())?;
        }
        write!(self.out, "{}", visible_styled(&pack::table(pack, true)))?;
        self.out.flush()
    }

    /// Shows a motor controller: a table, and later one line below it, or the table again where it replaces the first.
    fn motor(&mut self, motor: &Motor, is_first: bool, at: Duration) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        if self.redraw {
            io::stdout().write_all(CLEAR.as_bytes())?;
        }
        match &motor.values {
            Some(values) if !is_first && !self.redraw => {
                let line = motor::line(values);
                writeln!(self.out, "{:8.1} s  {line}", at.as_secs_f64())?;
            }
            _ => write!(self.out, "{}", visible_styled(&motor::table(motor)))?,
        }
        self.out.flush()
    }

    /// Shows a pack again: replaces the table, or adds one line below it.
    fn again(&mut self, pack: &Pack, at: Duration) -> io::Result<()> {
        if self.redraw {
            return self.pack(pack);
        }
        if let Some(bms) = &pack.bms
            && !self.json
        {
            writeln!(
                self.out,
                "{:8.1} s  {}",
                at.as_secs_f64(),
                pack::line(bms, true)
            )?;
            self.out.flush()?;
        }
        Ok(())
    }
}

/// The password in a file.
fn first_line(path: &Path) -> Result<String, ReadError> {
    /// No password is longer.
    const MAX: u64 = 4096;
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX).read_to_string(&mut text));
    let line = text.lines().next().unwrap_or_default().to_owned();
    match read {
        Ok(_) => Ok(line),
        Err(error) => Err(ReadError::Usage(format!(
            "--password-file: cannot read {}: {error}",
            path.display()
        ))),
    }
}

/// The login line, `None` for a direct connection; refused here if no hub could accept it.
fn login(args: &ReadArgs, environment: Option<String>) -> Result<Option<LoginLine>, ReadError> {
    let Some(id) = &args.id else {
        return Ok(None);
    };
    let given = args
        .password
        .as_ref()
        .map(|password| password.reveal().to_owned());
    let filed = args.password_file.as_deref().map(first_line).transpose()?;
    let Some(password) = given.or(filed).or(environment) else {
        return Err(ReadError::Usage(format!(
            "there is no password; set {PASSWORD_VARIABLE}, or give --password-file or --password"
        )));
    };
    if password.contains('\n') {
        return Err(ReadError::Usage(
            "the password contains a line feed, which would end the login line; remove it"
                .to_owned(),
        ));
    }
    let login = LoginLine::new(LoginKind::Tool, id, password);
    let line = login.encode();
    match LoginLine::parse(line.strip_suffix(b"\n").unwrap_or(&line)) {
        Ok(_) => Ok(Some(login)),
        Err(refusal) => Err(ReadError::Usage(format!(
            "no hub would accept this login: {refusal}"
        ))),
    }
}

async fn connect(hub: &str, limit: Duration) -> Result<TcpStream, ReadError> {
    let unknown = |error| ReadError::UnknownHost {
        hub: hub.to_owned(),
        error,
    };
    let no_connection = |error| ReadError::NoConnection {
        hub: hub.to_owned(),
        error,
    };
    let late = || {
        io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer within {limit:?}"),
        )
    };
    let addresses = timeout(limit, lookup_host(hub)).await;
    let addresses: Vec<_> = addresses
        .map_err(|_| unknown(late()))?
        .map_err(unknown)?
        .collect();
    let stream = timeout(limit, TcpStream::connect(&addresses[..])).await;
    let stream = stream
        .map_err(|_| no_connection(late()))?
        .map_err(no_connection)?;
    // Each request is sent at once, in a TCP segment of its own.
    stream.set_nodelay(true).map_err(no_connection)?;
    Ok(stream)
}

fn host_and_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err("this must be a host and a port, such as 127.0.0.1:65101".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, NoDuration> {
    parse_duration(text).map(Duration::from_nanos)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "clap wants a parser that could fail"
)]
fn password(text: &str) -> Result<Password, String> {
    Ok(Password::new(text))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use tokio::{join, net::TcpListener};
    use veschub_wire::CommandId;

    use super::*;
    use crate::client::testing::{Peer, pair};

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        read: ReadArgs,
    }

    fn parse(line: &str) -> Result<ReadArgs, clap::Error> {
        Line::try_parse_from(line.split(' ')).map(|line| line.read)
    }

    fn direct(more: &str) -> ReadArgs {
        parse(format!("read --hub localhost:65102 --direct {more}").trim()).unwrap()
    }

    /// Runs the command against a made-up device without answers to some commands.
    async fn against(args: &ReadArgs, silent: &[CommandId]) -> (Result<(), ReadError>, String) {
        let (stream, peer) = pair();
        let mut screen = Screen {
            out: Vec::new(),
            json: args.json,
            redraw: false,
        };
        let delay = |request: &Request| {
            let answered = !silent.contains(&request.id());
            answered.then_some(Duration::from_millis(100))
        };
        let (_, result) = join!(peer.serve(delay), read(stream, None, args, &mut screen));
        let text = String::from_utf8(screen.out).unwrap();
        (result, anstream::adapter::strip_str(&text).to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_pack_is_read_once_and_shown_as_a_table() {
        for more in ["", "--one-at-a-time"] {
            let (result, text) = against(&direct(more), &[]).await;
            assert!(result.is_ok(), "{result:?}");
            assert!(text.starts_with("VESC Express T, firmware 6.05"), "{text}");
            assert!(text.contains("agrees with the cells' sum"), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn json_is_one_object_a_reading() {
        let (result, text) = against(&direct("--json"), &[]).await;
        assert!(result.is_ok(), "{result:?}");
        let commands: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|object| object["command"].as_str().unwrap_or_default().to_owned())
            .collect();
        let expected = [
            "FW_VERSION",
            "GET_CUSTOM_CONFIG",
            "PING_CAN",
            "BMS_GET_VALUES",
        ];
        assert_eq!(commands, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_does_not_answer_is_exit_code_1_and_shows_what_is_known() {
        let silent = [CommandId::BMS_GET_VALUES];
        let (result, text) = against(&direct(""), &silent).await;
        assert_eq!(result.unwrap_err().code(), 1);
        assert!(text.contains("BMS_GET_VALUES was not answered"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_scan_does_not_spoil_a_reading() {
        let (result, text) = against(&direct(""), &[CommandId::PING_CAN]).await;
        assert!(result.is_ok(), "{result:?}");
        assert!(text.contains("CAN bus            not reported"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_goes_on_line_by_line_until_the_connection_ends() {
        let (stream, peer) = pair();
        let args = direct("--watch --every 500ms");
        let mut screen = Screen {
            out: Vec::new(),
            json: false,
            redraw: false,
        };
        let three_seconds = Duration::from_secs(3);
        let result = {
            let device = peer.serve(|_| Some(Duration::from_millis(100)));
            let device = timeout(three_seconds, device);
            join!(device, read(stream, None, &args, &mut screen)).1
        };
        assert_eq!(result.unwrap_err().code(), 1);
        let text = String::from_utf8(screen.out).unwrap();
        assert_eq!(text.matches(" s  83.708 V").count(), 5, "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_exit_code_2() {
        let (stream, mut peer): (_, Peer) = pair();
        let args = parse("read --hub h:1 --id demo-0001 --password not-a-secret").unwrap();
        let login = login(&args, None).unwrap();
        let mut screen = Screen {
            out: Vec::new(),
            json: false,
            redraw: false,
        };
        let (_, result) = join!(
            async move { peer.login().await },
            read(stream, login, &args, &mut screen),
        );
        assert_eq!(result.unwrap_err().code(), 2);
        assert!(screen.out.is_empty());
    }

    #[tokio::test]
    async fn a_closed_port_is_exit_code_2_and_names_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hub = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = connect(&hub, Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(
            error
                .to_string()
                .starts_with(&format!("no connection to {hub}: "))
        );
    }

    #[test]
    fn a_login_that_no_hub_accepts_is_refused_before_connecting() {
        let with = |more: &str| parse(&format!("read --hub h:1 --id {more}")).unwrap();
        for (args, says) in [
            (with("demo-0001"), "set VESC_PASSWORD"),
            (with("ab --password x"), "fewer than 3 characters"),
            (with("demo-0001 --password a:b"), "and has 4"),
        ] {
            let error = login(&args, None).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(error.to_string().contains(says), "{error}");
        }
        let from_environment = login(&with("demo-0001"), Some("not-a-secret".into())).unwrap();
        assert_eq!(from_environment.unwrap().password.reveal(), "not-a-secret");
    }

    #[test]
    fn a_password_comes_from_the_first_line_of_a_file_too() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"not-a-secret\r\nmore\n").unwrap();
        let path = file.path().display();
        let args = parse(&format!(
            "read --hub h:1 --id demo-0001 --password-file {path}"
        ));
        let login = login(&args.unwrap(), Some("another".into())).unwrap();
        assert_eq!(login.unwrap().password.reveal(), "not-a-secret");
    }

    #[test]
    fn a_password_is_not_in_the_arguments_debug_text() {
        let args = parse("read --hub h:1 --id demo-0001 --password not-a-secret").unwrap();
        assert!(!format!("{args:?}").contains("secret"));
    }

    #[test]
    fn contradicting_arguments_are_refused() {
        for line in [
            "read",
            "read --hub h:1",
            "read --hub h --direct",
            "read --hub h:1 --direct --id demo-0001",
            "read --hub h:1 --direct --password x",
            "read --hub h:1 --direct --every 5",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
