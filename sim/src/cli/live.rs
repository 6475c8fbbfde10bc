//! `veschub-sim serve`: a hub, or one device alone, on a socket or on a tty.

use std::{net::SocketAddr, num::NonZeroUsize};

use tokio::net::UdpSocket;
use veschub_control::Control;
use veschub_wire::login::normalise_id;

use super::{
    DIRECT_PORT, Failure, HUB_PORT, ListenArgs, ServeArgs, TalkArgs,
    can_log::CanLog,
    control::{self, Steered},
    journal::About,
    process::{announce, bind, draw_seed, interrupted, runtime, stdin_ended},
    screen::{Screen, Shown},
    teller::Teller,
    voice::Voice,
    watch::{Watch, Watched},
};
use veschub_disk::Opened;
use veschub_drive::{
    discovery::Discovery,
    observe::Saving,
    pty::{self, Pty},
    server, udp,
};
use veschub_hub::{
    carrier::LinkKeys,
    hub::{Hub, HubConfig},
    rng::Seed,
};
use veschub_scenario::{Loaded, World};

/// What a hub without a scenario is.
const EMPTY: &str = "an empty hub: devices and tools can log in";

pub(super) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    args.listen.check_tui()?;
    let voice = Voice::stderr()?;
    let files = Opened::default();
    let loaded = match &args.scenario {
        Some(path) => veschub_disk::open_noting(path, &args.set.settings, &files)?,
        None if args.demo => Loaded::demo_with(&args.set.settings)?,
        None if args.demo_motor => Loaded::demo_motor_with(&args.set.settings)?,
        None if !args.set.settings.is_empty() => {
            return Err(Failure::text("--set needs a scenario, or --demo"));
        }
        None if args.direct.is_some() => {
            return Err(Failure::text("--direct needs a scenario, or --demo"));
        }
        None => {
            args.check_hub()?;
            if !args.listen.talk.quiet {
                voice.say(EMPTY);
            }
            let hub = Hub::new(HubConfig::default(), Vec::new());
            if args.can_log.is_some() {
                return Err(Failure::text("--can-log needs a scenario, or --demo"));
            }
            let how = How {
                time_scale: args.time_scale,
                hints: vec![EMPTY.to_owned()],
                ..How::at(HUB_PORT)
            };
            return run(hub, About::default(), &args.listen, how, voice);
        }
    };
    let seed = args.seed.unwrap_or_else(draw_seed);
    let world = loaded.build(Seed(seed))?;
    let direct_id = match (&args.direct, world.is_direct) {
        (Some(id), _) => Some(id.as_str()),
        (None, true) => Some(""),
        (None, false) => None,
    };
    if direct_id.is_none() {
        args.check_hub()?;
    }
    if !args.listen.talk.quiet {
        voice.say(format_args!("seed {seed}"));
        for resident in &world.residents {
            voice.say(format_args!("device {}", resident.id));
        }
    }
    let hint = to_try(args).map(|command| format!("to see its values: {command}"));
    if let Some(hint) = hint.as_ref().filter(|_| !args.listen.talk.quiet) {
        voice.say(hint);
    }
    let mut about = About::new(Some(seed), &world.residents);
    about.scenario = Some(loaded);
    let watched = args.scenario.as_ref().filter(|_| args.watch);
    let watched = watched.map(|path| Watched {
        path: path.clone(),
        settings: args.set.settings.clone(),
        seed: Seed(seed),
        files,
    });
    let log = args.can_log.as_deref();
    let log = log.map(|path| CanLog::create(path, &args.listen.save));
    let log = log.transpose()?;
    let listening = |hub: Hub, id: &str| match log {
        Some(_) => hub.listening_to_can(id),
        None => hub,
    };
    match direct_id {
        None => {
            let first = about.devices.first().map(|device| device.id.clone());
            let hub = listening(world.into_hub(), &first.unwrap_or_default());
            let how = How {
                time_scale: args.time_scale,
                can_log: log,
                watched,
                hints: hint.into_iter().collect(),
                ..How::at(HUB_PORT)
            };
            run(hub, about, &args.listen, how, voice)
        }
        Some(id) => {
            let Alone {
                name,
                device,
                is_udp,
            } = direct(world, id)?;
            let device = listening(device, &name);
            if args.pty {
                return run_on_pty(device, &args.listen, log, voice);
            }
            about.devices.retain(|device| device.id == name);
            let discover = args.discover.map(|to| Discover { name, to });
            match is_udp {
                true if args.time_scale != 1.0 => Err(Failure::text(
                    "--time-scale: a device on a UDP port has the time of the machine",
                )),
                true if watched.is_some() => Err(Failure::text(
                    "--watch: a device on a UDP port is not taken anew",
                )),
                true => run_on_udp(device, about, &args.listen, log, voice),
                false => {
                    let how = How {
                        is_direct: true,
                        time_scale: args.time_scale,
                        discover,
                        can_log: log,
                        watched,
                        hints: hint.into_iter().collect(),
                        ..How::at(DIRECT_PORT)
                    };
                    run(device, about, &args.listen, how, voice)
                }
            }
        }
    }
}

impl ServeArgs {
    /// Refuses what only a device without a hub can do.
    fn check_hub(&self) -> Result<(), Failure> {
        let given = [("--pty", self.pty), ("--discover", self.discover.is_some())];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Failure::Text(format!(
                "{option} is for one device without a hub: add --direct for the first device, or --direct ID"
            ))),
            None => Ok(()),
        }
    }
}

/// The command that shows the values of a built-in device. Its password is no secret.
fn to_try(args: &ServeArgs) -> Option<String> {
    let is_direct = args.direct.is_some() || args.demo_motor;
    let (port, login) = match (args.demo || args.demo_motor, is_direct) {
        (false, _) => return None,
        _ if args.pty => return None,
        (true, true) => (DIRECT_PORT, "--direct"),
        (true, false) => (HUB_PORT, "--id demo-0001 --password not-a-secret"),
    };
    let listen = args.listen.listen;
    let address = match listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], port))) {
        any if any.port() == 0 => "ADDRESS".to_owned(),
        address => address.to_string(),
    };
    Some(format!("veschub-harness read --hub {address} {login}"))
}

/// A device that serves without a hub.
struct Alone {
    name: String,
    device: Hub,
    is_udp: bool,
}

/// Who is to be told that a device listens, and by what name.
struct Discover {
    name: String,
    to: SocketAddr,
}

/// One device of the world as its own server, with its id: the first, or the one with this id.
fn direct(world: World, id: &str) -> Result<Alone, Failure> {
    let ids: Vec<String> = world.residents.iter().map(|one| one.id.clone()).collect();
    let wanted = normalise_id(id);
    let mut residents = world.residents.into_iter();
    match residents.find(|one| wanted.is_empty() || one.id == wanted) {
        Some(resident) => {
            let name = resident.id.clone();
            let is_udp = resident.link.as_ref().is_some_and(LinkKeys::is_udp);
            let device = Hub::direct(world.config, resident);
            Ok(Alone {
                name,
                device: device.with_faults(world.faults, world.seed),
                is_udp,
            })
        }
        None => {
            let ids = ids.join(", ");
            Err(Failure::Text(format!(
                "no device has the id {wanted}: the scenario has {ids}"
            )))
        }
    }
}

/// How a hub is served.
pub(super) struct How {
    /// The port unless another is asked for.
    port: u16,
    /// Whether it is one device without a hub.
    is_direct: bool,
    time_scale: f64,
    discover: Option<Discover>,
    can_log: Option<CanLog>,
    /// The scenario, if its files are watched.
    watched: Option<Watched>,
    /// What a newcomer may try.
    hints: Vec<String>,
}

impl How {
    /// One device without a hub.
    pub(super) fn direct() -> Self {
        Self {
            is_direct: true,
            ..Self::at(DIRECT_PORT)
        }
    }

    /// A hub that nobody is told about.
    pub(super) fn at(port: u16) -> Self {
        Self {
            port,
            is_direct: false,
            time_scale: 1.0,
            discover: None,
            can_log: None,
            watched: None,
            hints: Vec::new(),
        }
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(
    hub: Hub,
    about: About,
    args: &ListenArgs,
    how: How,
    voice: Voice,
) -> Result<(), Failure> {
    let How {
        port,
        is_direct,
        time_scale,
        discover,
        can_log,
        watched,
        hints,
    } = how;
    let listen = args
        .listen
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], port)));
    let mut capture = args.save.create(port)?;
    let mut saved = Ok(());
    let journal = args.save.journal()?;
    let (teller, shown) = runtime()?.block_on(async {
        let listener = bind(listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Text(format!("cannot listen: {error}")))?;
        let discovery = match discover {
            Some(discover) => Some(discovery(discover, address, args.talk, &voice).await?),
            None => None,
        };
        let interrupted = interrupted()?;
        let ended = stdin_ended(args.until_stdin_ends)?;
        let control = args.control.bind(address)?;
        let url = control.as_ref().and_then(Control::address);
        let url = url.map(|control| format!("http://{control}/"));
        let screen = args.screen(hints);
        let voice = voice.or_page(screen.as_ref().and_then(Screen::notices));
        let control =
            control.or_else(|| screen.as_ref().map(|_| Control::in_process(address.port())));
        let mut teller = Teller::new(args.talk, journal, voice.clone())
            .with_can_log(can_log)
            .with_watch(control.as_ref().map(Control::watch));
        let failed = teller.saving_failed();
        announce(format_args!("listening on {address}"))?;
        if let Some(url) = &url {
            announce(format_args!("control on {url}"))?;
        }
        let known = veschub_control::About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: about.seed,
            scenario: about.scenario.clone(),
            direct: is_direct,
        };
        teller.start(address.to_string(), about, args.save.keep_credentials);
        let watch = watched
            .map(|watched| Watch::new(watched, voice))
            .transpose()?;
        let Steered {
            running,
            remote,
            steering,
        } = control::start(control, known, address, time_scale, watch.is_some())?;
        let mut shown = match (screen, &running) {
            (Some(screen), Some(running)) => Some(screen.show(running, url.as_deref())?),
            _ => None,
        };
        let quit = shown.as_mut().map(Shown::quit);
        let quit = async {
            match quit {
                Some(quit) => quit.await,
                None => std::future::pending().await,
            }
        };
        let stop = async {
            tokio::select! {
                biased;
                () = interrupted => {}
                () = ended => {}
                () = failed => {}
                () = quit => {}
            }
        };
        let most = args.max_connections.map_or_else(
            || control::most_connections(server::most_connections(), &args.control),
            NonZeroUsize::get,
        );
        let told = &mut teller;
        let serving = async {
            match &mut capture {
                None => server::serve_steered(listener, hub, most, told, steering, stop).await,
                Some(capture) => {
                    let saving = Saving::new(capture, &mut saved, told);
                    server::serve_steered(listener, hub, most, saving, steering, stop).await;
                }
            }
        };
        let beside = async {
            match (watch, remote) {
                (Some(watch), Some(remote)) => watch.run(remote, running.as_ref()).await,
                _ => std::future::pending().await,
            }
        };
        let discovering = async {
            match discovery {
                Some(discovery) => discovery.run().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = serving => {}
            () = beside => {}
            never = discovering => match never {},
        }
        let shown = shown.map_or(Ok(()), Shown::finish);
        drop(running);
        Ok::<_, Failure>((teller, shown))
    })?;
    let told = teller.finish().and(shown);
    match capture {
        None => told,
        Some(capture) => args.save.finish(capture, saved).and(told),
    }
}

async fn discovery(
    discover: Discover,
    listening: SocketAddr,
    talk: TalkArgs,
    voice: &Voice,
) -> Result<Discovery, Failure> {
    let to = discover.to;
    let discovery = Discovery::new(&discover.name, listening, to)
        .await
        .map_err(|error| Failure::Text(format!("cannot announce the device to {to}: {error}")))?;
    if !talk.quiet {
        voice.say(format_args!(
            "announces itself to {to} every second: {}",
            discovery.text()
        ));
    }
    Ok(discovery)
}

/// Serves a device on a UDP port until Ctrl-C or SIGTERM.
fn run_on_udp(
    device: Hub,
    about: About,
    args: &ListenArgs,
    can_log: Option<CanLog>,
    voice: Voice,
) -> Result<(), Failure> {
    args.control.needs_tcp("a UDP port")?;
    args.tui_needs_tcp("a UDP port")?;
    let listen = args
        .listen
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], DIRECT_PORT)));
    let failed = |error| Failure::Text(format!("cannot serve datagrams at {listen}: {error}"));
    let mut capture = args.save.create(DIRECT_PORT)?;
    let mut saved = Ok(());
    let journal = args.save.journal()?;
    let teller = runtime()?.block_on(async {
        let socket = UdpSocket::bind(listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let interrupted = interrupted()?;
        let ended = stdin_ended(args.until_stdin_ends)?;
        let mut teller = Teller::new(args.talk, journal, voice).with_can_log(can_log);
        let full = teller.saving_failed();
        let stop = async {
            tokio::select! {
                biased;
                () = interrupted => {}
                () = ended => {}
                () = full => {}
            }
        };
        announce(format_args!("listening on {address} (UDP)"))?;
        teller.start(address.to_string(), about, args.save.keep_credentials);
        let told = &mut teller;
        match &mut capture {
            None => udp::serve(socket, device, told, stop).await,
            Some(capture) => {
                let saving = Saving::new(capture, &mut saved, told);
                udp::serve(socket, device, saving, stop).await
            }
        }
        .map_err(failed)?;
        Ok::<_, Failure>(teller)
    })?;
    let told = teller.finish();
    match capture {
        None => told,
        Some(capture) => args.save.finish(capture, saved).and(told),
    }
}

/// Serves a device on a tty until Ctrl-C or SIGTERM.
fn run_on_pty(
    device: Hub,
    args: &ListenArgs,
    can_log: Option<CanLog>,
    voice: Voice,
) -> Result<(), Failure> {
    args.control.needs_tcp("a pseudo-terminal")?;
    let failed = |error| Failure::Text(format!("cannot serve on a pseudo-terminal: {error}"));
    let mut capture = args.save.create(DIRECT_PORT)?;
    let mut saved = Ok(());
    runtime()?.block_on(async {
        let pty = Pty::open().map_err(failed)?;
        let interrupted = interrupted()?;
        announce(format_args!("listening on {}", pty.path().display()))?;
        let mut teller = Teller::new(args.talk, None, voice).with_can_log(can_log);
        let full = teller.saving_failed();
        let interrupted = async {
            tokio::select! {
                biased;
                () = interrupted => {}
                () = full => {}
            }
        };
        let told = &mut teller;
        match &mut capture {
            None => pty::serve(&pty, device, told, interrupted).await,
            Some(capture) => {
                let saving = Saving::new(capture, &mut saved, told);
                pty::serve(&pty, device, saving, interrupted).await
            }
        }
        .map_err(failed)?;
        teller.finish()
    })?;
    match capture {
        None => Ok(()),
        Some(capture) => args.save.finish(capture, saved),
    }
}
