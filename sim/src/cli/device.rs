//! `veschub-sim device`: the devices of a scenario at somebody else's hub.

use std::{future::Future, net::SocketAddr, time::Duration};

use tokio::{sync::mpsc, task::JoinSet};
use veschub_wire::{LoginKind, LoginLine};

use super::{
    DeviceArgs, Failure, TalkArgs,
    outlet::Outlet,
    process::{announce, draw_seed, interrupted, runtime},
    teller::is_rare,
};
use veschub_drive::device::{News, RECONNECT_PAUSE, play};
use veschub_hub::{
    hub::Hub,
    journal::{JournalEntry, JournalEvent},
    rng::Seed,
};
use veschub_scenario::{Loaded, World};

/// A connection that ends sooner is shown once only, until one lasts: a hub that refuses a login ends very many.
const SHORT: Duration = Duration::from_secs(1);

pub(super) fn device(args: &DeviceArgs) -> Result<(), Failure> {
    let loaded = match &args.scenario {
        Some(path) => veschub_disk::open(path, &args.set.settings)?,
        None => Loaded::demo_with(&args.set.settings)?,
    };
    let seed = args.seed.unwrap_or_else(draw_seed);
    let devices = devices(loaded.build(Seed(seed))?)?;
    let ids = devices.iter().map(|(login, _)| login.id.clone());
    let mut watch = Watch::new(args.talk, ids)?;
    if !args.talk.quiet {
        watch.stderr.say(format_args!("seed {seed}"));
    }
    let runtime = runtime()?;
    let result = runtime.block_on(async { play_all(args, devices, watch, interrupted()?).await });
    // A name that is being looked up would hold up the end.
    runtime.shutdown_background();
    result
}

/// Each device of the world as a program of its own, with what it logs in with.
fn devices(world: World) -> Result<Vec<(LoginLine, Hub)>, Failure> {
    let World {
        config,
        residents,
        targets,
        faults,
        seed,
        is_direct,
    } = world;
    if is_direct {
        return Err(Failure::text(
            "the device has neither id nor password, so it cannot log in to a hub: give it both, or use `serve`",
        ));
    }
    let mut devices = Vec::new();
    for (resident, target) in residents.into_iter().zip(targets) {
        let id = target.id;
        let Some(password) = target.password else {
            return Err(Failure::Text(format!(
                "device {id}: its recording has no password for the login: give the device a `password`"
            )));
        };
        let login = LoginLine::new(LoginKind::Device, &id, password);
        let device = Hub::direct(config.clone(), resident);
        devices.push((login, device.with_faults(faults.clone(), seed)));
    }
    Ok(devices)
}

async fn play_all(
    args: &DeviceArgs,
    devices: Vec<(LoginLine, Hub)>,
    mut watch: Watch,
    interrupted: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let (to_us, mut news) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for (index, (login, device)) in devices.into_iter().enumerate() {
        let (to_us, hub) = (to_us.clone(), args.hub.clone());
        let report = move |news| {
            let _ = to_us.send((index, news));
        };
        tasks.spawn(async move {
            play(&hub, &login, device, report, std::future::pending()).await;
        });
    }
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            biased;
            () = &mut interrupted => break,
            Some((index, news)) = news.recv() => watch.hear(index, news)?,
        }
    }
    // Nobody can be told that nobody reads.
    let _ = watch.stderr.finish();
    Ok(())
}

/// What a person has been told of the devices.
struct Watch {
    talk: TalkArgs,
    stderr: Outlet,
    devices: Vec<Seen>,
}

struct Seen {
    id: String,
    /// It has logged in at least once.
    was_there: bool,
    /// The last attempt to connect failed, and was shown.
    unreachable: bool,
    /// The last connection was short, and was shown.
    short: bool,
}

impl Watch {
    fn new(talk: TalkArgs, ids: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let devices = ids
            .map(|id| Seen {
                id,
                was_there: false,
                unreachable: false,
                short: false,
            })
            .collect();
        Ok(Self {
            talk,
            stderr: Outlet::stderr()?,
            devices,
        })
    }

    fn hear(&mut self, index: usize, news: News) -> Result<(), Failure> {
        let (talk, stderr) = (self.talk, &mut self.stderr);
        let Some(device) = self.devices.get_mut(index) else {
            return Ok(());
        };
        match news {
            News::Connected(hub) => {
                let first = device.connected(hub, talk, stderr);
                if first && self.devices.iter().all(|device| device.was_there) {
                    announce(format_args!("connected to {hub}"))?;
                }
            }
            News::NotConnected(error) => device.not_connected(&error, stderr),
            News::Ended { after } => device.ended(after, talk, stderr),
            News::Happened(entry) => device.happened(&entry, talk, stderr),
        }
        Ok(())
    }
}

impl Seen {
    /// Says whether it is the first time.
    fn connected(&mut self, hub: SocketAddr, talk: TalkArgs, stderr: &mut Outlet) -> bool {
        let first = !self.was_there;
        if !talk.quiet && !self.short {
            stderr.say(format_args!("{} connected to {hub}", self.id));
        }
        self.was_there = true;
        self.unreachable = false;
        first
    }

    fn not_connected(&mut self, error: &std::io::Error, stderr: &mut Outlet) {
        if !self.unreachable {
            stderr.say(format_args!(
                "{} cannot connect and keeps trying: {error}",
                self.id
            ));
        }
        self.unreachable = true;
    }

    fn ended(&mut self, after: Duration, talk: TalkArgs, stderr: &mut Outlet) {
        let id = &self.id;
        let short = after < SHORT;
        if short && !self.short {
            let (after, pause) = (after.as_millis(), RECONNECT_PAUSE.as_millis());
            stderr.say(format_args!(
                "{id} was disconnected after {after} ms: the hub probably refused its login; \
                 it tries again every {pause} ms"
            ));
        } else if !short && !talk.quiet {
            let after = after.as_secs_f64();
            stderr.say(format_args!("{id} was disconnected after {after:.1} s"));
        }
        self.short = short;
    }

    fn happened(&self, entry: &JournalEntry, talk: TalkArgs, stderr: &mut Outlet) {
        // Who comes and goes is told as news.
        let told = matches!(
            entry.event,
            JournalEvent::Opened | JournalEvent::Attached | JournalEvent::Closed(_)
        );
        if !talk.quiet && (talk.verbose || (is_rare(&entry.event) && !told)) {
            stderr.say(format_args!("{}  {entry}", self.id));
        }
    }
}
