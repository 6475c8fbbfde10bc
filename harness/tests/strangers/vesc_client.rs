//! A stranger for the conformance battery: framing, motor values and set commands by the crate `vesc` 0.4, which knows
//! no BMS and no frame of more than 255 bytes. Links, login and timing are this driver's.

use std::{
    env, io,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use vesc::{Command, CommandReply, Decoder};

/// The exit code for a task that cannot be done.
const UNSUPPORTED: u8 = 77;

/// Whether SIGTERM has come.
static TOLD: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let task = match variable("VESC_TASK").as_str() {
        "read-motor" => Driver::read_motor,
        "drive" | "keep-alive" => Driver::drive,
        _ => return ExitCode::from(UNSUPPORTED),
    };
    match Driver::open().and_then(|mut driver| task(&mut driver)) {
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

/// A number from the environment.
fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    variable(name).parse().ok()
}

fn milliseconds(name: &str) -> Duration {
    Duration::from_millis(number(name).unwrap_or_default())
}

struct Driver {
    link: TcpStream,
    decoder: Decoder,
    can_id: Option<u8>,
}

impl Driver {
    fn open() -> io::Result<Self> {
        let address = format!("{}:{}", variable("VESC_HOST"), variable("VESC_PORT"));
        let mut link = TcpStream::connect(address)?;
        link.set_nodelay(true)?;
        if variable("VESC_LINK") == "hub" {
            let (id, password) = (variable("VESC_ID"), variable("VESC_PASSWORD"));
            link.write_all(format!("VESCTOOL:{id}:{password}\n").as_bytes())?;
            thread::sleep(Duration::from_millis(120));
        }
        Ok(Self {
            link,
            decoder: Decoder::default(),
            can_id: number("VESC_CAN_ID"),
        })
    }

    /// Sends a command to the node that is to be asked, or to the device itself.
    fn send(&mut self, command: &Command<'_>) -> io::Result<()> {
        let mut buffer = [0; 64];
        let length = match self.can_id {
            Some(can_id) => vesc::encode(Command::ForwardCan(can_id, command), &mut buffer),
            None => vesc::encode(*command, &mut buffer),
        };
        let length = length.map_err(|error| io::Error::other(format!("{error:?}")))?;
        self.link.write_all(&buffer[..length])
    }

    fn read_motor(&mut self) -> io::Result<()> {
        let mut all_came = true;
        for command in [Command::FwVersion, Command::GetValues] {
            let (count, period) = match command {
                Command::GetValues => (
                    number("VESC_COUNT").unwrap_or(1u32),
                    milliseconds("VESC_PERIOD_MS"),
                ),
                _ => (1, Duration::ZERO),
            };
            let start = Instant::now();
            for tick in 0..count {
                thread::sleep((start + period * tick).saturating_duration_since(Instant::now()));
                self.send(&command)?;
                let until = Instant::now() + milliseconds("VESC_TIMEOUT_MS");
                all_came &= self.wait(&command, until, 1)? > 0;
            }
        }
        all_came
            .then_some(())
            .ok_or_else(|| io::Error::other("no reply"))
    }

    /// Sets what it is told to set, and stops the motor on every way out but a lost link.
    fn drive(&mut self) -> io::Result<()> {
        let value: f32 = number("VESC_VALUE").unwrap_or_default();
        let setting = match variable("VESC_SET").as_str() {
            "duty" => Command::SetDuty(value),
            "erpm" => Command::SetRpm(number("VESC_VALUE").unwrap_or_default()),
            _ => Command::SetCurrent(value),
        };
        let (reads, alive) = (
            variable("VESC_TASK") == "drive",
            variable("VESC_KEEP") == "alive",
        );
        catch_sigterm();
        let heard = self.feed(&setting, reads, alive);
        self.send(&Command::SetCurrent(0.0))?;
        match heard? > 0 || !reads || TOLD.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(io::Error::other("no reply")),
        }
    }

    /// Sends the command again and again, or once and then ALIVE, until the time is up; says how many replies came.
    fn feed(&mut self, setting: &Command<'_>, reads: bool, alive: bool) -> io::Result<usize> {
        let (start, period) = (Instant::now(), milliseconds("VESC_PERIOD_MS"));
        let mut heard = 0;
        for tick in 0..number("VESC_COUNT").unwrap_or(1u32) {
            if TOLD.load(Ordering::Relaxed) {
                break;
            }
            self.send(if tick > 0 && alive {
                &Command::Alive
            } else {
                setting
            })?;
            if reads {
                self.send(&Command::GetValues)?;
            }
            let due = start + period * (tick + 1);
            while Instant::now() < due && !TOLD.load(Ordering::Relaxed) {
                let until = due.min(Instant::now() + Duration::from_millis(50));
                heard += self.wait(&Command::GetValues, until, usize::MAX)?;
            }
        }
        Ok(heard)
    }

    /// Waits for replies to a command and tells them, at most so many; says how many came.
    fn wait(&mut self, command: &Command<'_>, until: Instant, most: usize) -> io::Result<usize> {
        let (mut buffer, mut came) = ([0; 256], 0);
        loop {
            for reply in self.decoder.by_ref() {
                if let Some(line) = told(command, &reply, self.can_id) {
                    println!("{line}");
                    came += 1;
                    if came == most {
                        return Ok(came);
                    }
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(came);
            }
            self.link.set_read_timeout(Some(left))?;
            let count = match self.link.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error)
                    if matches!(
                        error.kind(),
                        // A signal interrupts what waits.
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::TimedOut
                            | io::ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut rest = &buffer[..count];
            while !rest.is_empty() {
                let taken = self
                    .decoder
                    .feed(rest)
                    .map_err(|error| io::Error::other(format!("{error:?}")))?;
                rest = &rest[taken..];
            }
        }
    }
}

/// Notices SIGTERM, in a thread of its own.
fn catch_sigterm() {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            if let Ok(mut told) = signal(SignalKind::terminate()) {
                told.recv().await;
                TOLD.store(true, Ordering::Relaxed);
            }
        });
    });
}

/// The reading of a reply, if it is to this command.
fn told(command: &Command<'_>, reply: &CommandReply, can_id: Option<u8>) -> Option<Value> {
    match (command, reply) {
        (Command::FwVersion, CommandReply::FwVersion(version)) => Some(json!({
            "command": "FW_VERSION", "can_id": can_id,
            "fields": { "firmware": format!("{}.{:02}", version.major, version.minor), "hardware": version.hw_name() },
        })),
        (Command::GetValues, CommandReply::GetValues(values)) => Some(json!({
            "command": "GET_VALUES", "can_id": can_id,
            "fields": {
                "fet_temperature_c": values.temp_mosfet, "motor_temperature_c": values.temp_motor,
                "motor_current_a": values.avg_current_motor, "input_current_a": values.avg_current_input,
                "id_current_a": values.avg_current_d, "iq_current_a": values.avg_current_q,
                "duty": values.duty_cycle, "erpm": values.rpm, "input_voltage_v": values.voltage_in,
                "drawn_ah": values.amp_hours, "charged_ah": values.amp_hours_charged,
                "drawn_wh": values.watt_hours, "charged_wh": values.watt_hours_charged,
                "tachometer": values.tachometer, "tachometer_absolute": values.tachometer_abs,
                "pid_position_deg": values.pid_pos, "can_id": values.controller_id,
                "fet_temperatures_c": [values.temp_mosfet1, values.temp_mosfet2, values.temp_mosfet3],
                "vd_v": values.avg_voltage_d, "vq_v": values.avg_voltage_q,
            },
        })),
        _ => None,
    }
}
