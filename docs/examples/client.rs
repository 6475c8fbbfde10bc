//! A client of VESC devices for veschub-harness, in Rust without a crate. ../clients.md says what it is told.
//!
//! rustc -O client.rs, or as an example of this project: cargo build --package veschub-harness --example client

use std::{
    convert::Infallible,
    env,
    fs::OpenOptions,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Stdio, exit},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

const FW_VERSION: u8 = 0;
const FORWARD_CAN: u8 = 34;
const PING_CAN: u8 = 62;
const GET_CUSTOM_CONFIG: u8 = 93;
const BMS_GET_VALUES: u8 = 96;
const GET_VALUES: u8 = 4;
const SET_DUTY: u8 = 5;
const SET_CURRENT: u8 = 6;
const SET_RPM: u8 = 8;
const GET_MCCONF: u8 = 14;
const GET_APPCONF: u8 = 17;
const ALIVE: u8 = 30;
const CUSTOM_APP_DATA: u8 = 36;
const GET_VALUES_SETUP: u8 = 47;
/// The fields of GET_VALUES in their order, each with its type and what it is divided by. Older firmware sends fewer.
const VALUES: &str = "fet_temperature_c:h10 motor_temperature_c:h10 motor_current_a:i100 input_current_a:i100 \
    id_current_a:i100 iq_current_a:i100 duty:h1000 erpm:i1 input_voltage_v:h10 drawn_ah:i10000 charged_ah:i10000 \
    drawn_wh:i10000 charged_wh:i10000 tachometer:i1 tachometer_absolute:i1 fault:B1 pid_position_deg:i1000000 can_id:B1 \
    fet_temperatures_c:3h10 vd_v:i1000 vq_v:i1000 status:B1";
/// The same of GET_VALUES_SETUP.
const SETUP: &str = "fet_temperature_c:h10 motor_temperature_c:h10 total_motor_current_a:i100 total_input_current_a:i100 \
    duty:h1000 erpm:i1 speed_m_s:i1000 input_voltage_v:h10 battery_level:h1000 total_ah:i10000 total_charged_ah:i10000 \
    total_wh:i10000 total_charged_wh:i10000 distance_m:i1000 distance_absolute_m:i1000 pid_position_deg:i1000000 fault:B1 \
    can_id:B1 vesc_count:B1 battery_left_wh:i1000 odometer_m:I1 uptime_ms:I1";
/// No device sends a longer payload, so a greater length is not the start of a frame.
const LARGEST: usize = 512;

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn milliseconds(name: &str) -> Duration {
    Duration::from_millis(variable(name).parse().unwrap_or_default())
}

/// The end of a frame: CRC-16/XMODEM and the stop byte.
fn tail(payload: &[u8]) -> [u8; 3] {
    let mut crc: u16 = 0;
    for &byte in payload {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x1021
            };
        }
    }
    let [high, low] = crc.to_be_bytes();
    [high, low, 3]
}

struct Link {
    writer: Box<dyn Write>,
    chunks: Receiver<Vec<u8>>,
    data: Vec<u8>,
    inbox: Vec<Vec<u8>>,
    timeout: Duration,
    /// What went wrong, after which nothing more is done.
    problem: Option<&'static str>,
}

impl Link {
    fn open() -> std::io::Result<Self> {
        let (reader, writer): (Box<dyn Read + Send>, Box<dyn Write>) =
            if variable("VESC_LINK") == "pty" {
                let terminal = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .open(variable("VESC_PTY"))?;
                (Box::new(terminal.try_clone()?), Box::new(terminal))
            } else {
                let stream = TcpStream::connect(format!(
                    "{}:{}",
                    variable("VESC_HOST"),
                    variable("VESC_PORT")
                ))?;
                stream.set_nodelay(true)?;
                (Box::new(stream.try_clone()?), Box::new(stream))
            };
        let (sender, chunks) = channel();
        thread::spawn(move || {
            let (mut reader, mut buffer) = (reader, [0; 4096]);
            // When this ends, the sender goes, which the other side notices.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let timeout = milliseconds("VESC_TIMEOUT_MS");
        let mut link = Self {
            writer,
            chunks,
            data: Vec::new(),
            inbox: Vec::new(),
            timeout,
            problem: None,
        };
        if variable("VESC_LINK") == "hub" {
            link.write(
                format!(
                    "VESCTOOL:{}:{}\n",
                    variable("VESC_ID"),
                    variable("VESC_PASSWORD")
                )
                .as_bytes(),
            );
            // The hub throws away what arrives together with the login line.
            let pause = Instant::now() + Duration::from_millis(120);
            while Instant::now() < pause && link.problem.is_none() {
                link.listen(pause);
            }
        }
        Ok(link)
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.writer.write_all(bytes).is_err() {
            self.problem = Some("the connection was closed");
        }
    }

    fn send(&mut self, payload: &[u8]) {
        let frame = [&[2, payload.len() as u8], payload, &tail(payload)].concat();
        self.write(&frame);
    }

    /// Waits for bytes, at most until then, and puts whole payloads into the inbox; says whether bytes came.
    fn listen(&mut self, until: Instant) -> bool {
        match self
            .chunks
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            Ok(chunk) => self.data.extend(chunk),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                self.problem = Some("the connection was closed");
                return false;
            }
        }
        while let Some(&start) = self.data.first() {
            // The start byte is the length of the header.
            let head = if start == 2 || start == 3 {
                usize::from(start)
            } else {
                0
            };
            if self.data.len() < head {
                break;
            }
            let size = self.data.get(1..head).unwrap_or_default();
            let size = size
                .iter()
                .fold(0, |size, &byte| size << 8 | usize::from(byte));
            let least = if head == 2 { 1 } else { 255 };
            let mut good = head > 0 && (least..=LARGEST).contains(&size);
            if good && self.data.len() < head + size + 3 {
                break;
            }
            if good {
                let payload = self.data[head..head + size].to_vec();
                good = self.data[head + size..head + size + 3] == tail(&payload);
                if good {
                    self.inbox.push(payload);
                }
            }
            // After anything that is no frame, look again one byte on: a good frame may begin there.
            self.data.drain(..if good { head + size + 3 } else { 1 });
        }
        true
    }

    /// Tells the replies to these commands as they come; the last of them, or `None` if one does not come in time.
    fn wait(&mut self, mut commands: Vec<u8>, patience: Duration) -> Option<Vec<u8>> {
        let until = Instant::now() + patience;
        let mut last = None;
        loop {
            for payload in std::mem::take(&mut self.inbox) {
                if let Some(index) = commands.iter().position(|&command| command == payload[0]) {
                    commands.remove(index);
                    if tell(&payload).is_none() {
                        self.problem = Some("a reply ends too early");
                    }
                    last = Some(payload);
                }
            }
            if self.problem.is_some() {
                return None;
            }
            if commands.is_empty() {
                return last;
            }
            if Instant::now() >= until {
                return None;
            }
            self.listen(until);
        }
    }

    fn ask(&mut self, payload: &[u8], patience: Duration) -> Option<Vec<u8>> {
        while self.listen(Instant::now()) {}
        // What came before the request does not answer it.
        self.inbox.clear();
        self.send(payload);
        let command = if payload[0] == FORWARD_CAN {
            payload[2]
        } else {
            payload[0]
        };
        self.wait(vec![command], patience)
    }

    fn poll(&mut self) -> bool {
        let (timeout, period) = (self.timeout, milliseconds("VESC_PERIOD_MS"));
        let mut done = self.ask(&[FW_VERSION], timeout).is_some();
        let start = Instant::now();
        for tick in 0..variable("VESC_COUNT").parse().unwrap_or(1) {
            let due = start + period * tick;
            if tick > 0 && due + period < Instant::now() {
                // The reply before came so late that this poll is left out.
                continue;
            }
            while Instant::now() < due && self.problem.is_none() {
                self.listen(due);
            }
            done &= self
                .ask(&[BMS_GET_VALUES], timeout.min(Duration::from_secs(1)))
                .is_some();
        }
        done
    }

    fn read(&mut self) -> bool {
        let timeout = self.timeout;
        let requests: [&[u8]; 4] = [
            &[FW_VERSION],
            &[GET_CUSTOM_CONFIG, 0],
            &[PING_CAN],
            &[BMS_GET_VALUES],
        ];
        if variable("VESC_ASK") == "one-at-a-time" {
            return requests
                .map(|request| self.ask(request, timeout))
                .iter()
                .all(Option::is_some);
        }
        for request in requests {
            self.send(request);
        }
        self.wait(requests.map(|request| request[0]).to_vec(), timeout)
            .is_some()
    }

    /// Asks as often as it is told.
    fn again(&mut self, payload: &[u8]) -> bool {
        let (timeout, period) = (self.timeout, milliseconds("VESC_PERIOD_MS"));
        let patience = match period.is_zero() {
            true => timeout,
            false => timeout.min(Duration::from_secs(1)),
        };
        let start = Instant::now();
        let mut done = true;
        for tick in 0..variable("VESC_COUNT").parse().unwrap_or(1) {
            let due = start + period * tick;
            if tick > 0 && due + period < Instant::now() {
                // The reply before came so late that this poll is left out.
                continue;
            }
            while Instant::now() < due && self.problem.is_none() {
                self.listen(due);
            }
            done &= self.ask(&node(payload), patience).is_some();
        }
        done
    }

    fn read_motor(&mut self) -> bool {
        let timeout = self.timeout;
        let mut done = self.ask(&node(&[FW_VERSION]), timeout).is_some();
        done &= self.again(&[GET_VALUES]);
        done & self.ask(&node(&[GET_VALUES_SETUP]), timeout).is_some()
    }

    fn read_request(&mut self) -> bool {
        self.again(&bytes(&variable("VESC_REQUEST")))
    }

    /// Sets what it is told to set, and stops the motor on every way out but a lost link.
    fn drive(&mut self) -> bool {
        let (command, scale) = match variable("VESC_SET").as_str() {
            "duty" => (SET_DUTY, 1e5),
            "erpm" => (SET_RPM, 1.0),
            _ => (SET_CURRENT, 1e3),
        };
        let value: f64 = variable("VESC_VALUE").parse().unwrap_or(0.0);
        let number = ((value * scale).round() as i32).to_be_bytes();
        let setting = node(&[&[command][..], &number].concat());
        let (reads, alive) = (
            variable("VESC_TASK") == "drive",
            variable("VESC_KEEP") == "alive",
        );
        let (start, period) = (Instant::now(), milliseconds("VESC_PERIOD_MS"));
        let mut heard = 0;
        watch_the_parent();
        for tick in 0..variable("VESC_COUNT").parse().unwrap_or(1) {
            if is_told() || self.problem.is_some() {
                break;
            }
            if tick > 0 && alive {
                self.send(&node(&[ALIVE]));
            } else {
                self.send(&setting);
            }
            if reads {
                self.send(&node(&[GET_VALUES]));
            }
            let due = start + period * (tick + 1);
            while Instant::now() < due && !is_told() && self.problem.is_none() {
                self.listen(due.min(Instant::now() + Duration::from_millis(50)));
                for payload in std::mem::take(&mut self.inbox) {
                    if payload[0] == GET_VALUES && tell(&payload).is_some() {
                        heard += 1;
                    }
                }
            }
        }
        self.send(&node(&[SET_CURRENT, 0, 0, 0, 0]));
        self.problem.is_none() && (heard > 0 || !reads || is_told())
    }

    fn scan(&mut self) -> bool {
        let timeout = self.timeout;
        let Some(found) = self.ask(&[PING_CAN], timeout) else {
            return false;
        };
        let mut done = true;
        for &id in &found[1..] {
            done &= self.ask(&[FORWARD_CAN, id, FW_VERSION], timeout).is_some();
        }
        done
    }
}

/// A request to the node that is to be asked, or to the device itself.
fn node(payload: &[u8]) -> Vec<u8> {
    match variable("VESC_CAN_ID").parse() {
        Ok(can_id) => [&[FORWARD_CAN, can_id], payload].concat(),
        Err(_) => payload.to_vec(),
    }
}

/// Bytes from hex.
fn bytes(text: &str) -> Vec<u8> {
    let pairs = (0..text.len() / 2).filter_map(|pair| text.get(2 * pair..2 * pair + 2));
    pairs
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}

/// The fields of a motor's reply, as JSON.
fn motor_fields(reply: &[u8], fields: &str) -> String {
    let (mut told, mut at) = (Vec::new(), 1);
    for item in fields.split_whitespace() {
        let Some((name, form)) = item.split_once(':') else {
            continue;
        };
        let (count, form) = form.strip_prefix('3').map_or((1, form), |form| (3, form));
        let (kind, divisor) = form.split_at(1);
        let divisor: f64 = divisor.parse().unwrap_or(1.0);
        let size = match kind {
            "h" => 2,
            "B" => 1,
            _ => 4,
        };
        let Some(part) = reply.get(at..at + count * size) else {
            break;
        };
        at += count * size;
        let values: Vec<f64> = part
            .chunks(size)
            .map(|raw| {
                let unsigned = raw.iter().fold(0, |all, &byte| all << 8 | i64::from(byte));
                let is_negative = raw[0] > 127 && matches!(kind, "h" | "i");
                let raw = unsigned - if is_negative { 1 << (8 * size) } else { 0 };
                raw as f64 / divisor
            })
            .collect();
        match (name, &values[..]) {
            ("status", [flags]) => {
                let flags = *flags as u8;
                told.push(format!("\"timeout_active\": {}", flags & 1 != 0));
                told.push(format!("\"kill_switch_active\": {}", flags & 2 != 0));
            }
            (_, [value]) => told.push(format!("\"{name}\": {value}")),
            (_, values) => told.push(format!("\"{name}\": {values:?}")),
        }
    }
    told.join(", ")
}

/// Tells a reply; nothing, if it ends too early.
fn tell(reply: &[u8]) -> Option<()> {
    let int = |at: usize| {
        let bytes = reply.get(at..at + 4)?.try_into().ok()?;
        Some(f64::from(i32::from_be_bytes(bytes)) / 1e6)
    };
    let shorts = |count: usize, at: usize, scale: f64| {
        let bytes = reply.get(at..at + 2 * count)?.chunks(2);
        let short = |pair: &[u8]| f64::from(i16::from_be_bytes([pair[0], pair[1]])) / scale;
        Some(bytes.map(short).collect::<Vec<_>>())
    };
    // Counts are signed bytes, and one below zero stands for none.
    let count = |at: usize| Some(usize::try_from(*reply.get(at)? as i8).unwrap_or(0));
    if reply[0] == PING_CAN {
        println!(
            "{{\"command\": \"PING_CAN\", \"fields\": {{\"can_ids\": {:?}}}}}",
            &reply[1..]
        );
    } else if reply[0] == GET_VALUES {
        let fields = motor_fields(reply, VALUES);
        println!("{{\"command\": \"GET_VALUES\", \"fields\": {{{fields}}}}}");
    } else if reply[0] == GET_VALUES_SETUP {
        let fields = motor_fields(reply, SETUP);
        println!("{{\"command\": \"GET_VALUES_SETUP\", \"fields\": {{{fields}}}}}");
    } else if reply[0] == GET_MCCONF || reply[0] == GET_APPCONF {
        // The layout of the rest depends on the signature.
        let signature = u32::from_be_bytes(reply.get(1..5)?.try_into().ok()?);
        let name = if reply[0] == GET_MCCONF {
            "GET_MCCONF"
        } else {
            "GET_APPCONF"
        };
        println!("{{\"command\": \"{name}\", \"fields\": {{\"signature\": {signature}}}}}");
    } else if reply[0] == CUSTOM_APP_DATA {
        let data: String = reply[1..]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        println!("{{\"command\": \"CUSTOM_APP_DATA\", \"fields\": {{\"data\": \"{data}\"}}}}");
    } else if reply[0] == BMS_GET_VALUES {
        let cells = count(25)?;
        let sensors = count(26 + 3 * cells)?;
        let balancing: Vec<bool> = reply
            .get(26 + 2 * cells..26 + 3 * cells)?
            .iter()
            .map(|&flag| flag != 0)
            .collect();
        println!(
            "{{\"command\": \"BMS_GET_VALUES\", \"fields\": {{\"total_voltage_v\": {}, \"charge_voltage_v\": {}, \
             \"current_a\": {}, \"cell_voltages_v\": {:?}, \"balancing\": {balancing:?}, \"temperatures_c\": {:?}}}}}",
            int(1)?,
            int(5)?,
            int(9)?,
            shorts(cells, 26, 1e3)?,
            shorts(sensors, 27 + 3 * cells, 1e2)?,
        );
    }
    Some(())
}

/// Whether the process that started this one is gone.
static TOLD: AtomicBool = AtomicBool::new(false);

fn is_told() -> bool {
    TOLD.load(Ordering::Relaxed)
}

/// Drives in a child process. Rust's library cannot catch SIGTERM, but the child's stdin ends with this process,
/// whatever ended it, and then the child stops the motor.
fn drive_in_a_child() -> Result<Infallible, std::io::Error> {
    let mut child = Command::new(env::current_exe()?)
        .env("VESC_IS_CHILD", "")
        .stdin(Stdio::piped())
        .spawn()?;
    // The pipe must live until the child has ended by itself.
    let _pipe = child.stdin.take();
    exit(child.wait()?.code().unwrap_or(1))
}

/// In the child: notices the end of the process that started it.
fn watch_the_parent() {
    thread::spawn(|| {
        while let Ok(1..) = std::io::stdin().read(&mut [0; 16]) {}
        TOLD.store(true, Ordering::Relaxed);
    });
}

/// One session, from the connection to its end; what went wrong, if something did.
fn session(task: fn(&mut Link) -> bool) -> Option<String> {
    match Link::open() {
        Ok(mut link) => {
            let is_done = task(&mut link);
            let why = link.problem.unwrap_or("a reply did not come");
            (!is_done).then(|| why.to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

fn main() {
    let task = match variable("VESC_TASK").as_str() {
        "read-bms" => Link::read,
        "poll-bms" => Link::poll,
        "scan-can" => Link::scan,
        "read-motor" => Link::read_motor,
        "drive" | "keep-alive" => Link::drive,
        "read-config" | "read-app" => Link::read_request,
        _ => exit(77),
    };
    let drives = ["drive", "keep-alive"].contains(&variable("VESC_TASK").as_str());
    if drives && env::var_os("VESC_IS_CHILD").is_none() {
        let Err(error) = drive_in_a_child();
        eprintln!("{error}");
        exit(1)
    }
    let mut problem = session(task);
    // A fuzzer wants many sessions of one client.
    while env::var_os("VESC_AGAIN").is_some() {
        println!("{{\"again\": true}}");
        problem = session(task);
    }
    if let Some(why) = problem {
        eprintln!("{why}");
        exit(1)
    }
}
