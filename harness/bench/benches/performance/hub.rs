//! Exchanges between devices and tools that are connected to the hub over sockets: a request of 6 bytes, and a reply of
//! 171 bytes.

use std::{
    borrow::Cow,
    error::Error,
    fs::File,
    future::pending,
    io::{self, BufWriter, Write},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use tempfile::tempfile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
};
use veschub_bench::bare_relay;
use veschub_control::{About, Control, Watch};
use veschub_drive::{
    clock::Clock,
    observe::Observer,
    remote::{Steering, remote},
    server,
};
use veschub_hub::{
    hub::{ConnId, Event, Hub, Output},
    journal::{JournalEntry, Masked, json},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_wire::encode;

use crate::{
    is_wanted,
    table::{self, Delays},
};

/// How many devices and tools there are at a time.
pub(crate) const PAIRS: [usize; 5] = [1, 10, 50, 100, 1000];
/// A device and a tool, which are joined.
struct Pair {
    device: TcpStream,
    tool: TcpStream,
}

impl Pair {
    /// One of the pairs that connect at the same time. The more they are, the longer the relay needs for all of them.
    async fn connect(relay: SocketAddr, number: usize, count: usize) -> io::Result<Self> {
        let patience = Duration::from_millis(200 + 2 * count as u64);
        let mut device = TcpStream::connect(relay).await?;
        device.set_nodelay(true)?;
        device
            .write_all(format!("VESC:pair-{number:04}:not-a-secret\n").as_bytes())
            .await?;
        // The relay answers a device with nothing, so there is nothing to wait for but time.
        tokio::time::sleep(patience).await;
        let mut tool = TcpStream::connect(relay).await?;
        tool.set_nodelay(true)?;
        tool.write_all(format!("VESCTOOL:pair-{number:04}:not-a-secret\n").as_bytes())
            .await?;
        tokio::time::sleep(patience).await;
        Ok(Self { device, tool })
    }

    /// So many exchanges, one after the other, and how long each took.
    async fn exchange(mut self, count: u64) -> io::Result<(Self, Vec<Duration>)> {
        let request = encode(&[0x60]).unwrap_or_default();
        let mut payload = [0x55; 166];
        payload[0] = 0x60;
        let reply = encode(&payload).unwrap_or_default();
        let mut took = Vec::new();
        let (mut asked, mut answered) = (vec![0; request.len()], vec![0; reply.len()]);
        let device = async {
            for _ in 0..count {
                self.device.read_exact(&mut asked).await?;
                self.device.write_all(&reply).await?;
            }
            Ok::<_, io::Error>(())
        };
        let tool = async {
            for _ in 0..count {
                let start = Instant::now();
                self.tool.write_all(&request).await?;
                self.tool.read_exact(&mut answered).await?;
                took.push(start.elapsed());
            }
            Ok::<_, io::Error>(())
        };
        tokio::try_join!(device, tool)?;
        Ok((self, took))
    }
}

/// All pairs at once.
async fn exchange_all(pairs: &mut Vec<Pair>, count: u64) -> io::Result<(Duration, Vec<Duration>)> {
    let start = Instant::now();
    let mut tasks: JoinSet<_> = pairs.drain(..).map(|pair| pair.exchange(count)).collect();
    let mut took = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (pair, times) = done.map_err(io::Error::other)??;
        pairs.push(pair);
        took.extend(times);
    }
    Ok((start.elapsed(), took))
}

/// Starts a relay, which lives as long as the process.
fn start<F>(
    runtime: io::Result<Runtime>,
    serve: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> io::Result<SocketAddr>
where
    F: Future<Output = io::Result<()>>,
{
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = runtime?;
    thread::spawn(move || {
        runtime.block_on(async { serve(TcpListener::from_std(listener)?).await })
    });
    Ok(address)
}

fn one_thread() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The hub as `veschub-sim serve --quiet` runs it, with its journal in a file or without one.
async fn hub(listener: TcpListener, journal: Option<File>) -> io::Result<()> {
    let most = server::most_connections();
    let observe = Written(journal.map(BufWriter::new));
    server::serve(listener, demo()?, most, observe, pending()).await;
    Ok(())
}

/// Writes a journal, as the program does.
struct Written(Option<BufWriter<File>>);

impl Observer for Written {
    fn happened(&mut self, entry: JournalEntry) {
        if let Some(file) = &mut self.0 {
            let _ = json::write(file, &entry);
        }
    }

    fn told(&mut self) {
        if let Some(file) = &mut self.0 {
            let _ = file.flush();
        }
    }
}

/// It has a device of its own, which nobody asks.
fn demo() -> io::Result<Hub> {
    Loaded::demo()
        .and_then(|loaded| loaded.build(Seed(0)))
        .map(|world| world.into_hub())
        .map_err(|error| io::Error::other(error.to_string()))
}

/// The hub as `veschub-sim serve --quiet --control` runs it; nobody uses the control API.
async fn steered_hub(listener: TcpListener) -> io::Result<()> {
    let address = listener.local_addr()?;
    let control = Control::bind((Ipv4Addr::LOCALHOST, 0).into(), None, address.port())?;
    let observe = Watched {
        masked: Masked::default(),
        watch: control.watch(),
    };
    let (remote, orders) = remote();
    let about = About {
        version: String::new(),
        seed: None,
        scenario: None,
        direct: false,
    };
    let _running = control.start(remote, about, address)?;
    let steering = Steering {
        clock: Clock::starting_now(1.0),
        orders: Some(orders),
    };
    let most = server::most_connections();
    server::serve_steered(listener, demo()?, most, observe, steering, pending()).await;
    Ok(())
}

/// Hands everything to the control API, as the program does.
struct Watched {
    masked: Masked,
    watch: Watch,
}

impl Observer for Watched {
    fn happened(&mut self, unmasked: JournalEntry) {
        let masked = match self.masked.entry(&unmasked) {
            Cow::Borrowed(_) => None,
            Cow::Owned(entry) => Some(entry),
        };
        self.watch.happened(masked.unwrap_or(unmasked));
    }

    fn came(&mut self, at: Time, conn: ConnId, event: &Event<'_>) {
        self.watch.came(at, conn, event);
    }

    fn goes(&mut self, at: Time, conn: ConnId, output: &Output) {
        self.watch.goes(at, conn, output);
    }
}

/// The relays that are compared, each started anew.
fn relays() -> io::Result<[(&'static str, SocketAddr); 4]> {
    Ok([
        ("bare relay", start(Runtime::new(), bare_relay::serve)?),
        ("ours", start(one_thread(), |listener| hub(listener, None))?),
        (
            "ours with the control API",
            start(one_thread(), steered_hub)?,
        ),
        ("ours with a journal", {
            let journal = tempfile()?;
            start(one_thread(), |listener| hub(listener, Some(journal)))?
        }),
    ])
}

/// How often each relay has its turn. The median of so many counts: a machine is not as fast at every moment.
const ROUNDS: usize = 21;
/// How long a turn takes, about.
const TURN: Duration = Duration::from_millis(250);

/// The relays take turns, so that all of them meet the same moments of the machine. Keeps what an exchange of all pairs
/// takes where criterion keeps its results, and adds what it measures of delays to `delays`.
pub(crate) fn measure(results: &Path, delays: &mut Vec<Delays>) -> Result<(), Box<dyn Error>> {
    let (relays, runtime) = (relays()?, one_thread()?);
    for count in PAIRS {
        let group = format!("relay/{count} pairs");
        if !is_wanted(&group) {
            continue;
        }
        let mut joined = Vec::new();
        for (_, address) in relays {
            joined.push(runtime.block_on(join_all(address, count))?);
        }
        let mut exchange = |index: usize, each| {
            let pairs = joined.get_mut(index).ok_or("no such relay")?;
            Ok::<_, Box<dyn Error>>(runtime.block_on(exchange_all(pairs, each))?)
        };
        let (first, _) = exchange(0, TRIAL)?;
        let each = TURN.as_secs_f64() * TRIAL as f64 / first.as_secs_f64();
        let each = each.max(1.0) as u64;
        let mut seconds: [Vec<f64>; 4] = Default::default();
        let mut took: [Vec<Duration>; 4] = Default::default();
        for round in 0..ROUNDS {
            for turn in 0..relays.len() {
                // Nobody always comes behind the same one.
                let index = (round + turn) % relays.len();
                let (time, times) = exchange(index, each)?;
                seconds[index].push(time.as_secs_f64() / each as f64);
                took[index].extend(times);
            }
        }
        for (((name, _), seconds), took) in relays.iter().zip(&mut seconds).zip(took) {
            seconds.sort_by(f64::total_cmp);
            let median = seconds.get(ROUNDS / 2).ok_or("no round")?;
            println!("{group}/{name}: {:.0} exchanges/s", count as f64 / median);
            table::put(results, &group, name, *median)?;
            delays.extend(Delays::of(format!("{count} pairs, {name}"), took));
        }
    }
    Ok(())
}

/// How many exchanges show how many fit into a turn.
const TRIAL: u64 = 20;

/// How long a simulated device takes for a reply.
const REPLY_AFTER: Duration = Duration::from_millis(57);
const POLLS: usize = 200;

/// How much later than its device means it a reply comes.
pub(crate) fn measure_lateness(delays: &mut Vec<Delays>) -> io::Result<()> {
    if !is_wanted("lateness") {
        return Ok(());
    }
    let text = format!(
        "version: 1\ndevices:\n  - express: {{ id: demo-0001, password: x, reply_after: {}ms }}\n",
        REPLY_AFTER.as_millis()
    );
    let hub = Loaded::parse("late", &text)
        .and_then(|loaded| loaded.build(Seed(0)))
        .map(|world| world.into_hub())
        .map_err(|error| io::Error::other(error.to_string()))?;
    let address = start(one_thread(), |listener| async {
        let most = server::most_connections();
        server::serve(listener, hub, most, |_| {}, pending()).await;
        Ok(())
    })?;
    let late = one_thread()?.block_on(async {
        let mut tool = TcpStream::connect(address).await?;
        tool.set_nodelay(true)?;
        tool.write_all(b"VESCTOOL:demo-0001:x\n").await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let request = encode(&[0]).unwrap_or_default();
        let mut late = Vec::new();
        for _ in 0..POLLS {
            let start = Instant::now();
            tool.write_all(&request).await?;
            if tool.read(&mut [0; 512]).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            late.push(start.elapsed().saturating_sub(REPLY_AFTER));
        }
        Ok::<_, io::Error>(late)
    })?;
    let what = "what a simulated device's 57 ms become longer".to_owned();
    delays.extend(Delays::of(what, late));
    Ok(())
}

async fn join_all(relay: SocketAddr, count: usize) -> io::Result<Vec<Pair>> {
    let mut tasks: JoinSet<_> = (0..count)
        .map(|number| Pair::connect(relay, number, count))
        .collect();
    let mut pairs = Vec::new();
    while let Some(pair) = tasks.join_next().await {
        pairs.push(pair.map_err(io::Error::other)??);
    }
    Ok(pairs)
}
