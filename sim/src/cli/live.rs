//! `veschub-sim serve` and `replay`: a hub on a socket.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    net::SocketAddr,
};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use veschub_transcript::{Options, Transcript};
use veschub_wire::login::normalise_id;

use super::{DIRECT_PORT, Failure, HUB_PORT, ListenArgs, PaceArg, ReplayArgs, ServeArgs, capture};
use crate::{
    device::{
        self,
        replay::{Pace, Recording},
    },
    hub::{Access, Hub, HubConfig, Resident},
    journal::{Happening, JournalEntry},
    rng::Seed,
    scenario::{
        Loaded, World,
        build::{login_problem, replay_target},
    },
    server,
};

/// The id of a replayed device whose recording does not hold one.
const REPLAY_ID: &str = "REPLAY";

pub(super) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let loaded = match &args.scenario {
        Some(path) => Loaded::open(path)?,
        None if args.demo => Loaded::demo()?,
        None if args.direct.is_some() => {
            return Err(Failure::text("--direct needs a scenario, or --demo"));
        }
        None => {
            if !args.listen.quiet {
                say(format_args!("an empty hub: devices and tools may log in"));
            }
            let hub = Hub::new(HubConfig::default(), Vec::new());
            return run(hub, &args.listen, HUB_PORT);
        }
    };
    let seed = args.seed.unwrap_or_else(draw_seed);
    let world = loaded.build(Seed(seed))?;
    if !args.listen.quiet {
        say(format_args!("seed {seed}"));
        for resident in &world.residents {
            say(format_args!("device {}", resident.id));
        }
    }
    match &args.direct {
        None => run(world.into_hub(), &args.listen, HUB_PORT),
        Some(id) => run(direct(world, id)?, &args.listen, DIRECT_PORT),
    }
}

/// One device of the world as its own server: the first, or the one with this id.
fn direct(world: World, id: &str) -> Result<Hub, Failure> {
    let ids: Vec<String> = world.residents.iter().map(|one| one.id.clone()).collect();
    let wanted = normalise_id(id);
    let mut residents = world.residents.into_iter();
    match residents.find(|one| wanted.is_empty() || one.id == wanted) {
        Some(resident) => Ok(Hub::direct(world.config, resident)),
        None => {
            let ids = ids.join(", ");
            Err(Failure::Text(format!(
                "no device has the id {wanted}: there are {ids}"
            )))
        }
    }
}

/// Small, so that it is easily typed again.
fn draw_seed() -> u64 {
    RandomState::new().hash_one(()) % 1_000_000
}

pub(super) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let name = args.capture.display();
    for (given, key) in [(&args.id, "id"), (&args.password, "password")] {
        if let Some((problem, why)) = given.as_deref().and_then(|text| login_problem(text, key)) {
            return Err(Failure::Text(format!("--{key}: {problem}; {why}")));
        }
    }
    let input = capture::open(&args.capture)?;
    let transcript = Transcript::from_capture(input, &Options::default())
        .map_err(|error| Failure::Text(format!("{name}: {error}")))?;
    let quiet = args.listen.quiet;
    if let Some(truncated) = &transcript.truncated {
        say(format_args!("warning: {name}: {truncated}"));
    }
    let recording = Recording::from_transcript(&transcript);
    if recording.requests.is_empty() {
        return Err(Failure::Text(format!(
            "{name}: no request to a VESC device in it; `veschub-sim decode {name}` shows what there is"
        )));
    }
    let (requests, replies) = (recording.requests.len(), recording.replies.len());
    let id = args.id.as_deref();
    let target = replay_target(recording.clone(), id, args.password.as_deref())
        .or_else(|| replay_target(recording.clone(), Some(REPLAY_ID), args.password.as_deref()));
    let Some(target) = target else {
        return Err(Failure::Text(format!("{name}: no id to log in with")));
    };
    if !quiet {
        let requests = counted(requests, "request", "requests");
        let replies = counted(replies, "reply", "replies");
        say(format_args!("{requests} and {replies} recorded"));
        let password = match (&args.password, &target.password) {
            (Some(_), _) => "the given password",
            (None, Some(_)) => "the recorded password",
            (None, None) => "any password, as the recording holds no login",
        };
        say(format_args!(
            "tools log in as {} with {password}",
            target.id
        ));
    }
    let pace = match args.pace {
        PaceArg::Recorded => Pace::Recorded,
        PaceArg::Immediate => Pace::Immediate,
    };
    let resident = Resident {
        id: target.id,
        access: target.password.map_or(Access::Anyone, Access::Password),
        device: Box::new(device::Replay::new(recording, pace)),
        quirks: Vec::new(),
    };
    run(
        Hub::new(HubConfig::default(), vec![resident]),
        &args.listen,
        HUB_PORT,
    )
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Serves until Ctrl-C or SIGTERM.
fn run(hub: Hub, args: &ListenArgs, port: u16) -> Result<(), Failure> {
    let listen = args
        .listen
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], port)));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Text(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        let listener = bind(listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Text(format!("cannot listen: {error}")))?;
        let mut interrupt = watch(SignalKind::interrupt())?;
        let mut terminate = watch(SignalKind::terminate())?;
        announce(address)?;
        let shutdown = async {
            tokio::select! {
                biased;
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        let (verbose, quiet) = (args.verbose, args.quiet);
        let observe = |entry: JournalEntry| {
            if !quiet && (verbose || is_rare(&entry.what)) {
                say(&entry);
            }
        };
        server::serve(listener, hub, observe, shutdown).await;
        Ok(())
    })
}

/// Talks to a person on stderr; a server goes on when nobody listens any more.
fn say(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "the port is in use: end the other program, or take `--listen 127.0.0.1:0` for a free port"
            }
            io::ErrorKind::PermissionDenied => "not allowed: take a port above 1023",
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
            _ => "check the address",
        };
        Failure::Text(format!("cannot listen at {address}: {advice} ({error})"))
    })
}

fn watch(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::Text(format!("cannot watch for signals: {error}")))
}

/// The one line on stdout, at once: whoever started us waits for it.
fn announce(address: SocketAddr) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {address}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::Text(format!("cannot write to stdout: {error}")))
}

/// What a person wants to see of a hub that runs for hours.
fn is_rare(what: &Happening) -> bool {
    !matches!(
        what,
        Happening::Opened
            | Happening::Request(_)
            | Happening::Reply { .. }
            | Happening::Noise(_)
            | Happening::NobodyThere(_)
    )
}
