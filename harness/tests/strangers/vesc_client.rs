//! A stranger for the conformance battery: framing and motor values by the crate `vesc` 0.4, which knows no BMS and no
//! frame of more than 255 bytes. Sockets, login and timing are this driver's.

use std::{
    env, io,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vesc::{Command, CommandReply, Decoder};

/// The exit code for a task that cannot be done.
const UNSUPPORTED: u8 = 77;

fn main() -> ExitCode {
    if variable("VESC_TASK") != "read-motor" {
        return ExitCode::from(UNSUPPORTED);
    }
    match read_motor() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn read_motor() -> io::Result<()> {
    let can_id: u8 = variable("VESC_CAN_ID").parse().map_err(io::Error::other)?;
    let timeout: u64 = variable("VESC_TIMEOUT_MS")
        .parse()
        .map_err(io::Error::other)?;
    let address = format!("{}:{}", variable("VESC_HOST"), variable("VESC_PORT"));
    let mut hub = TcpStream::connect(address)?;
    let (id, password) = (variable("VESC_ID"), variable("VESC_PASSWORD"));
    hub.write_all(format!("VESCTOOL:{id}:{password}\n").as_bytes())?;
    thread::sleep(Duration::from_millis(120));
    let mut decoder = Decoder::default();
    let mut all_came = true;
    for command in [Command::FwVersion, Command::GetValues] {
        let mut buffer = [0; 64];
        let request = Command::ForwardCan(can_id, &command);
        let length = vesc::encode(request, &mut buffer)
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        hub.write_all(&buffer[..length])?;
        let until = Instant::now() + Duration::from_millis(timeout);
        all_came &= wait(&mut hub, &mut decoder, &command, can_id, until)?;
    }
    all_came
        .then_some(())
        .ok_or_else(|| io::Error::other("no reply"))
}

/// Waits for the reply to a command and tells it; says whether it came.
fn wait(
    hub: &mut TcpStream,
    decoder: &mut Decoder,
    command: &Command<'_>,
    can_id: u8,
    until: Instant,
) -> io::Result<bool> {
    let mut buffer = [0; 256];
    loop {
        for reply in decoder.by_ref() {
            if let Some(line) = told(command, &reply, can_id) {
                println!("{line}");
                return Ok(true);
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        hub.set_read_timeout(Some(left))?;
        let count = match hub.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let taken = decoder
                .feed(rest)
                .map_err(|error| io::Error::other(format!("{error:?}")))?;
            rest = &rest[taken..];
        }
    }
}

/// The reading of a reply, if it is to this command.
fn told(command: &Command<'_>, reply: &CommandReply, can_id: u8) -> Option<Value> {
    match (command, reply) {
        (Command::FwVersion, CommandReply::FwVersion(version)) => Some(json!({
            "command": "FW_VERSION", "can_id": can_id,
            "fields": { "firmware": format!("{}.{:02}", version.major, version.minor), "hardware": version.hw_name() },
        })),
        (Command::GetValues, CommandReply::GetValues(values)) => Some(json!({
            "command": "GET_VALUES", "can_id": can_id,
            "fields": { "input_voltage_v": values.voltage_in, "erpm": values.rpm, "duty": values.duty_cycle },
        })),
        _ => None,
    }
}
