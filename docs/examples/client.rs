//! A client of VESC devices for veschub-harness, in Rust without a crate. ../clients.md says what it is told.
//!
//! rustc -O client.rs, or as an example of this project: cargo build --package veschub-harness --example client

use std::{
    env,
    fs::OpenOptions,
    io::{Read, Write},
    net::TcpStream,
    process::exit,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

const FW_VERSION: u8 = 0;
const FORWARD_CAN: u8 = 34;
const PING_CAN: u8 = 62;
const GET_CUSTOM_CONFIG: u8 = 93;
const BMS_GET_VALUES: u8 = 96;
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
        _ => exit(77),
    };
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
