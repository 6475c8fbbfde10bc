//! Ten thousand tools at ten thousand simulated devices, each of which asks once a second: what the hub serves, how
//! late, and what a pair costs.
//!
//! ```text
//! cargo build --release
//! cargo run --release -p veschub-bench --example crowd -- [PAIRS [SECONDS]]
//! ```
//!
//! The hub is a process of its own, and so is the load for every 2,500 tools: a process may not open enough sockets for
//! all of them.

use std::{
    error::Error,
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Builder,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, Decoder, Item, encode};

const PAIRS: usize = 10_000;
const SECONDS: u64 = 20;
/// The tools of one process.
const SHARE: usize = 2_500;
const EVERY: Duration = Duration::from_secs(1);
/// How long a tool waits for a reply.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the simulated devices take for their replies.
const REPLY_AFTER: Duration = Duration::from_millis(60);

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Result<Vec<u64>, _> = std::env::args().skip(1).map(|arg| arg.parse()).collect();
    match numbers?[..] {
        [port, first, count, seconds] => load(port, first, count, seconds),
        [] => crowd(PAIRS, SECONDS),
        [pairs] => crowd(usize::try_from(pairs)?, SECONDS),
        [pairs, seconds, ..] => crowd(usize::try_from(pairs)?, seconds),
    }
}

/// Starts the hub and the load, and prints what came of it.
fn crowd(pairs: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (hub, port) = start_hub(folder.path(), pairs)?;
    let (alone, idle) = (memory_kib(&hub)?, processor(&hub)?);
    let loads = (0..pairs).step_by(SHARE).map(|first| {
        let numbers = [
            port.into(),
            first as u64,
            SHARE.min(pairs - first) as u64,
            seconds,
        ];
        Command::new(std::env::current_exe()?)
            .args(numbers.map(|number| number.to_string()))
            .stdout(Stdio::piped())
            .spawn()
    });
    let loads = loads.collect::<io::Result<Vec<Child>>>()?;
    thread::sleep(Duration::from_secs(seconds / 2));
    let (with_tools, half) = (memory_kib(&hub)?, processor(&hub)?);
    let mut late: Vec<u64> = Vec::new();
    let (mut unanswered, mut served) = (0, 0);
    for load in loads {
        let told = load.wait_with_output()?.stdout;
        let numbers = told.chunks_exact(8).map(|number| {
            let number: [u8; 8] = number.try_into().unwrap_or_default();
            u64::from_le_bytes(number)
        });
        let numbers: Vec<u64> = numbers.collect();
        let [answered, open, more @ ..] = &numbers[..] else {
            return Err("a load ended early".into());
        };
        served += answered;
        unanswered += open;
        late.extend(more);
    }
    let took = processor(&hub)? - half;
    late.sort_unstable();
    let at = |share: usize| {
        late.get(late.len() * share / 100)
            .map_or(0.0, |us| *us as f64 / 1e3)
    };
    println!("{pairs} tools at {pairs} simulated devices, one request a second each, {seconds} s");
    println!("tools that got a reply to every request: {served}");
    println!(
        "requests without a reply: {unanswered} of {}",
        late.len() + unanswered as usize
    );
    println!(
        "a reply came after the {} ms of its device: median {:.1} ms, p99 {:.1} ms",
        REPLY_AFTER.as_millis(),
        at(50),
        at(99)
    );
    let per = |kib: u64| kib as f64 / pairs as f64;
    println!(
        "memory for each pair: {:.1} KiB, of it the device without a tool {:.1} KiB",
        per(with_tools),
        per(alone)
    );
    println!("processor time of the hub: {idle:.1} s to start, {took:.1} s for the second half");
    Ok(())
}

struct Hub(
    Child,
    #[expect(dead_code, reason = "the hub ends when nobody can read")] ChildStdout,
);

impl Drop for Hub {
    fn drop(&mut self) {
        // It ends with its stdin.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn start_hub(folder: &Path, pairs: usize) -> Result<(Hub, u16), Box<dyn Error>> {
    let scenario = folder.join("crowd.yaml");
    let after = REPLY_AFTER.as_millis();
    fs::write(
        &scenario,
        format!(
            "version: 1\ndevices:\n  - express: {{ id: \"crowd-{{n}}\", password: not-a-secret, count: {pairs}, \
             reply_after: {after}ms, bms: {{ cells: 20 }} }}\n"
        ),
    )?;
    let mut hub = Command::new(program()?)
        .arg("serve")
        .arg(&scenario)
        .args(["--listen", "127.0.0.1:0", "--quiet", "--until-stdin-ends"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut out = BufReader::new(hub.stdout.take().ok_or("no output")?);
    let mut line = String::new();
    out.read_line(&mut line)?;
    let address = line.split_whitespace().find_map(|word| word.parse().ok());
    let address: SocketAddr = address.ok_or_else(|| format!("no address in `{line}`"))?;
    Ok((Hub(hub, out.into_inner()), address.port()))
}

/// The program that `cargo build --release` makes.
fn program() -> Result<PathBuf, Box<dyn Error>> {
    let here = std::env::current_exe()?;
    let folder = here.ancestors().nth(2).ok_or("no target folder")?;
    Ok(folder.join("veschub-sim"))
}

/// What a process holds in memory.
fn memory_kib(hub: &Hub) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{}/status", hub.0.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS")?.parse()?)
}

/// The processor time that a process has taken, in seconds.
fn processor(hub: &Hub) -> Result<f64, Box<dyn Error>> {
    let mut stat = String::new();
    fs::File::open(format!("/proc/{}/stat", hub.0.id()))?.read_to_string(&mut stat)?;
    let (_, numbers) = stat.rsplit_once(')').ok_or("no name in stat")?;
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    let [user, system] = [11, 12].map(|at| numbers.get(at).and_then(|n| n.parse::<f64>().ok()));
    // Linux counts in hundredths on every platform that matters.
    Ok((user.ok_or("no utime")? + system.ok_or("no stime")?) / 100.0)
}

/// Some of the tools. Writes how many got every reply, how many requests stayed open, and how late each reply was in
/// microseconds, as numbers of eight bytes.
fn load(port: u64, first: u64, count: u64, seconds: u64) -> Result<(), Box<dyn Error>> {
    let hub = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port)?));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut told: Vec<u64> = vec![0, 0];
    runtime.block_on(async {
        let mut tools = JoinSet::new();
        for number in first..first + count {
            // All over the second, as they would be.
            let start = Instant::now() + EVERY.mul_f64((number - first) as f64 / count as f64);
            tools.spawn(async move {
                let mut late = Vec::new();
                let ended = tool(hub, number + 1, start, end, &mut late).await;
                if let Err(error) = &ended {
                    eprintln!("tool {number}, after {} replies: {error}", late.len());
                }
                (ended.is_ok(), late)
            });
        }
        while let Some(Ok((got_all, late))) = tools.join_next().await {
            told[0] += u64::from(got_all);
            told[1] += u64::from(!got_all);
            told.extend(late);
        }
    });
    let bytes: Vec<u8> = told
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    io::stdout().write_all(&bytes)?;
    Ok(())
}

/// Logs in and asks once a second.
async fn tool(
    hub: SocketAddr,
    number: u64,
    start: Instant,
    end: Instant,
    late: &mut Vec<u64>,
) -> io::Result<()> {
    tokio::time::sleep_until(start).await;
    let mut stream = TcpStream::connect(hub).await?;
    stream.set_nodelay(true)?;
    stream
        .write_all(format!("VESCTOOL:crowd-{number}:not-a-secret\n").as_bytes())
        .await?;
    let request = encode(&[CommandId::BMS_GET_VALUES.0]).unwrap_or_default();
    let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
    // A hub loses what comes in one piece with the login, so the first request waits.
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut buffer = [0; 1024];
    while Instant::now() < end {
        ticks.tick().await;
        let asked = Instant::now();
        stream.write_all(&request).await?;
        timeout(PATIENCE, async {
            loop {
                let count = stream.read(&mut buffer).await?;
                if count == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                let mut bytes = &buffer[..count];
                while let Some(item) = decoder.next(&mut bytes) {
                    if let Item::Frame(frame) = item
                        && frame.payload.first() == Some(&CommandId::BMS_GET_VALUES.0)
                    {
                        return Ok(());
                    }
                }
            }
        })
        .await
        .map_err(io::Error::other)??;
        let took = asked.elapsed().saturating_sub(REPLY_AFTER);
        late.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
    Ok(())
}
