//! `veschub-sim record`, and `--save` of the live commands: sessions into a capture file while they go on.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use tokio::sync::Notify;
use veschub_transcript::{
    Direction, Entry, Kind, Listener, Side,
    listen::Heard,
    live::LiveCapture,
    masking::Masking,
    render::{TextOptions, text_line},
};
use veschub_wire::{DEVICE_MAX_PAYLOAD, TOOL_MAX_PAYLOAD};

use super::{
    DIRECT_PORT, Failure, RecordArgs, SaveArgs,
    outlet::Outlet,
    process::{announce, bind, counted, interrupted, now_ns, runtime},
};
use veschub_drive::record::{RelayEvent, Relayed, pass_on};

pub(super) fn record(args: &RecordArgs) -> Result<(), Failure> {
    let save = SaveArgs {
        save: Some(args.output.clone()),
        journal: None,
        keep_credentials: args.keep_credentials,
        force: args.force,
    };
    let port = args
        .upstream
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let Some(mut capture) = save.create(port.unwrap_or(DIRECT_PORT))? else {
        return Ok(());
    };
    let mut watch = Watch::new(args)?;
    let mut result = Ok(());
    runtime()?.block_on(async {
        let listener = bind(args.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Text(format!("cannot listen: {error}")))?;
        let interrupted = interrupted()?;
        announce(format_args!("listening on {address}"))?;
        let full = Notify::new();
        let report = |passed: Relayed| {
            if result.is_err() {
                return;
            }
            if let Some(event) = passed.event.for_capture() {
                result = capture.event(passed.at.as_nanos(), passed.connection, event);
            }
            match result {
                // Only what is in the file is told and counted.
                Ok(()) => watch.tell(&passed),
                Err(_) => full.notify_one(),
            }
        };
        let stop = async {
            tokio::select! {
                biased;
                () = interrupted => {}
                () = full.notified() => {}
            }
        };
        pass_on(listener, &args.upstream, report, stop).await;
        Ok::<(), Failure>(())
    })?;
    let path = args.output.display();
    watch.sum_up(&path);
    save.finish(capture, result)
}

impl SaveArgs {
    /// A new capture file, if one is wanted.
    pub(super) fn create(&self, port: u16) -> Result<Option<LiveCapture<File>>, Failure> {
        let Some(path) = &self.save else {
            return Ok(None);
        };
        let failed =
            |error: io::Error| Failure::Text(format!("cannot write {}: {error}", path.display()));
        let file = self.open(path)?;
        let capture = LiveCapture::new(file, port, now_ns()).map_err(failed)?;
        Ok(Some(if self.keep_credentials {
            capture.keeping_credentials()
        } else {
            capture
        }))
    }

    /// A new file to write, or an old one if that is to be overwritten.
    pub(super) fn open(&self, path: &Path) -> Result<File, Failure> {
        // Another program may add to it as well: a client its readings to the journal.
        let mut options = OpenOptions::new();
        options.append(true);
        let opened = match self.force {
            true => File::create(path).and_then(|_| options.open(path)),
            false => options.create_new(true).open(path),
        };
        opened.map_err(|error| {
            let shown = path.display();
            match error.kind() {
                io::ErrorKind::AlreadyExists => Failure::Text(format!(
                    "{shown} exists already: choose another name, or add --force to overwrite it"
                )),
                _ => Failure::Text(format!("cannot write {shown}: {error}")),
            }
        })
    }

    /// Closes the file and reports the first error of writing it.
    pub(super) fn finish(
        &self,
        capture: LiveCapture<File>,
        result: io::Result<()>,
    ) -> Result<(), Failure> {
        let path = self
            .save
            .as_deref()
            .unwrap_or_else(|| Path::new("the capture"))
            .display();
        result
            .and_then(|()| capture.finish().map(drop))
            .map_err(|error| {
                Failure::Text(format!(
                    "{path} ends early: {error}; what was written before can be read"
                ))
            })
    }
}

/// Tells a person what passes.
struct Watch {
    stderr: Outlet,
    verbose: bool,
    quiet: bool,
    upstream: String,
    connections: BTreeMap<u32, Connection>,
    masking: Masking<u32>,
    frames: [usize; 2],
    noise: usize,
    opened: usize,
}

struct Connection {
    sides: [Listener<()>; 2],
}

impl Watch {
    fn new(args: &RecordArgs) -> Result<Self, Failure> {
        Ok(Self {
            stderr: Outlet::stderr()?,
            verbose: args.talk.verbose,
            quiet: args.talk.quiet,
            upstream: args.upstream.clone(),
            connections: BTreeMap::new(),
            masking: Masking::default(),
            frames: [0; 2],
            noise: 0,
            opened: 0,
        })
    }

    fn tell(&mut self, passed: &Relayed) {
        let number = passed.connection;
        let told = match &passed.event {
            RelayEvent::Opened => {
                self.opened += 1;
                let sides = [
                    Listener::with_login(DEVICE_MAX_PAYLOAD).eagerly(),
                    Listener::new(TOOL_MAX_PAYLOAD).eagerly(),
                ];
                self.connections.insert(number, Connection { sides });
                "connected".to_owned()
            }
            RelayEvent::Unreachable(error) => {
                format!("closed: cannot connect to {}: {error}", self.upstream)
            }
            RelayEvent::Said(side, bytes) => {
                return self.hear(passed, *side, |listener, heard| {
                    listener.bytes((), bytes, heard);
                });
            }
            RelayEvent::Ended(side) => {
                self.hear(passed, *side, Listener::finish);
                format!("closed by {}", who(*side))
            }
            RelayEvent::BrokenOff(side) => {
                self.hear(passed, *side, Listener::finish);
                self.hear(passed, side.other(), Listener::finish);
                format!("reset by {}", who(*side))
            }
        };
        self.line(passed, &told);
    }

    /// What is heard when one side says or ends something.
    fn hear(
        &mut self,
        passed: &Relayed,
        side: Side,
        listen: impl FnOnce(&mut Listener<()>, &mut Vec<Heard<()>>),
    ) {
        let Some(connection) = self.connections.get_mut(&passed.connection) else {
            return;
        };
        let mut heard: Vec<Heard<()>> = Vec::new();
        listen(&mut connection.sides[side as usize], &mut heard);
        for one in heard {
            let direction = match side {
                Side::Initiator => Direction::ToDevice,
                Side::Responder => Direction::ToTool,
            };
            // What is counted is what may be told as well.
            let entry = self.masking.entry(Entry {
                at_ns: Some(passed.at.as_nanos()),
                connection: passed.connection,
                direction: Some(direction),
                offset: one.offset,
                kind: one.kind,
            });
            match &entry.kind {
                Kind::Frame(_) => self.frames[side as usize] += 1,
                Kind::Noise(noise) => self.noise += noise.bytes.len(),
                _ => {}
            }
            let is_login = matches!(entry.kind, Kind::Login(_));
            if (self.verbose || is_login) && !self.quiet {
                self.stderr.say(text_line(&entry, &TextOptions::default()));
            }
        }
    }

    fn line(&mut self, passed: &Relayed, told: &str) {
        if !self.quiet {
            let at = passed.at.as_secs_f64();
            self.stderr.say(format_args!(
                "{at:>7.3}  !         #{} {told}",
                passed.connection
            ));
        }
    }

    fn sum_up(mut self, path: &impl std::fmt::Display) {
        if !self.quiet {
            let [requests, replies] = self.frames;
            self.stderr.say(format_args!(
                "{path}: {}, {}, {}, {}",
                counted(self.opened, "connection", "connections"),
                counted(requests, "request", "requests"),
                counted(replies, "reply", "replies"),
                counted(self.noise, "noise byte", "noise bytes"),
            ));
        }
        // Nobody can be told that nobody reads.
        let _ = self.stderr.finish();
    }
}

fn who(side: Side) -> &'static str {
    match side {
        Side::Initiator => "the client",
        Side::Responder => "the other side",
    }
}
