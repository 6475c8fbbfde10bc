//! What each program that runs for a while needs of the system: a runtime, signals, a port, a date, a seed, and a way to
//! talk to whoever started it.

use std::{
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    net::SocketAddr,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use veschub_transcript::foreign::visible_lines;

use super::Failure;

/// The signal that the system sends at its limit for the size of a file, on Linux and macOS.
const SIGXFSZ: i32 = 25;

/// With one thread: a hub passes what comes from one connection on to another, and waking a second thread for that takes
/// longer than the work itself.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Text(format!("cannot start: {error}")))
}

/// Ready at Ctrl-C or SIGTERM, which do not end the program by themselves any more.
pub(super) fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    // At a limit for the size of a file, a write fails instead of ending the program.
    let too_large = watch(SignalKind::from_raw(SIGXFSZ))?;
    let mut interrupt = watch(SignalKind::interrupt())?;
    let mut terminate = watch(SignalKind::terminate())?;
    Ok(async move {
        let _too_large = too_large;
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when stdin ends, if that is to count.
pub(super) fn stdin_ended(counts: bool) -> Result<impl Future<Output = ()>, Failure> {
    let (ended, end) = oneshot::channel();
    if counts {
        // A thread of its own: the runtime would wait for one that it has lent.
        let wait = move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = ended.send(());
        };
        thread::Builder::new()
            .spawn(wait)
            .map_err(|error| Failure::Text(format!("cannot watch stdin: {error}")))?;
    }
    Ok(async move {
        if !counts || end.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn watch(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::Text(format!("cannot watch for signals: {error}")))
}

/// Talks to a person on stderr; a server goes on when nobody listens any more.
pub(super) fn say(text: impl fmt::Display) {
    let text = visible_lines(&text.to_string());
    let _ = writeln!(io::stderr().lock(), "{text}");
}

pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "the port is in use: stop the other program, or use `--listen 127.0.0.1:0` for a free port"
            }
            io::ErrorKind::PermissionDenied => "not allowed: take a port above 1023",
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
            _ => "check the address",
        };
        Failure::Text(format!("cannot listen at {address}: {advice} ({error})"))
    })
}

/// The one line on stdout, at once: whoever started us waits for it.
pub(super) fn announce(line: impl fmt::Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::Text(format!("cannot write to stdout: {error}")))
}

/// The date of a file that is written: nanoseconds since the epoch.
pub(super) fn now_ns() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

/// Small, so that it is easily typed again.
pub(super) fn draw_seed() -> u64 {
    RandomState::new().hash_one(()) % 1_000_000
}

/// How many there are, in words.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
