//! `serve --watch`: the hub takes a scenario anew when one of its files is saved, or at SIGHUP.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::{
    signal::unix::{Signal, SignalKind},
    sync::mpsc,
    time::sleep,
};
use veschub_control::Running;
use veschub_drive::remote::{Ended, Remote};
use veschub_hub::rng::Seed;

use super::{Failure, voice::Voice};
use veschub_disk::Opened;

/// How long to wait for further changes: an editor saves a file in several steps.
const REST: Duration = Duration::from_millis(100);

/// The file of a scenario, and what is needed to read it as at the start.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) path: PathBuf,
    pub(super) settings: Vec<String>,
    pub(super) seed: Seed,
    /// What the scenario was made of when it was read last.
    pub(super) files: Opened,
}

/// Waits for changes, and brings them to the hub.
pub(super) struct Watch {
    watched: Watched,
    /// What the files held when they were read last.
    held: BTreeMap<PathBuf, Option<Vec<u8>>>,
    folders: BTreeSet<PathBuf>,
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<()>,
    hangup: Signal,
    voice: Voice,
}

impl Watch {
    /// Begins to watch the files of a scenario.
    pub(super) fn new(watched: Watched, voice: Voice) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| {
            Failure::Text(format!("--watch {}: {error}", watched.path.display()))
        };
        let (changed, changes) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |_| {
            // Whoever is gone needs no word.
            let _ = changed.send(());
        })
        .map_err(|error| failed(&error))?;
        let hangup = tokio::signal::unix::signal(SignalKind::hangup()).map_err(|e| failed(&e))?;
        let mut watch = Self {
            held: BTreeMap::new(),
            folders: BTreeSet::new(),
            watched,
            watcher,
            changes,
            hangup,
            voice,
        };
        watch.look().map_err(|error| {
            Failure::Text(format!("--watch {}: {error}", watch.watched.path.display()))
        })?;
        Ok(watch)
    }

    /// Notes what the files hold, and watches their folders: an editor puts a new file in the place of the old one.
    fn look(&mut self) -> notify::Result<()> {
        self.held = self
            .watched
            .files
            .paths()
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).ok()))
            .collect();
        for path in self.held.keys() {
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            if folder.is_dir() && self.folders.insert(folder.to_owned()) {
                self.watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }

    /// Whether a file holds something else than when it was read.
    fn has_changed(&self) -> bool {
        let mut held = self.held.iter();
        held.any(|(path, held)| fs::read(path).ok() != *held)
    }

    /// Brings each change to the hub, and tells the control API of it, for as long as the hub is at work.
    pub(super) async fn run(mut self, remote: Remote, control: Option<&Running>) {
        loop {
            let asked = tokio::select! {
                biased;
                came = self.hangup.recv() => came.is_some(),
                came = self.changes.recv() => {
                    if came.is_none() {
                        return;
                    }
                    sleep(REST).await;
                    while self.changes.try_recv().is_ok() {}
                    false
                }
            };
            if (asked || self.has_changed()) && self.take_anew(&remote, control).await == Err(Ended)
            {
                return;
            }
        }
    }

    /// Reads the scenario anew; one with a mistake changes nothing.
    async fn take_anew(&mut self, remote: &Remote, control: Option<&Running>) -> Result<(), Ended> {
        let Watched {
            path,
            settings,
            seed,
            files,
        } = &self.watched;
        let loaded = veschub_disk::open_noting(path, settings, files);
        let made = loaded.and_then(|loaded| Ok((loaded.build(*seed)?, loaded)));
        if let Err(error) = self.look() {
            self.voice.say(format_args!("warning: --watch: {error}"));
        }
        match made {
            Err(error) => {
                self.voice.show(&error);
                self.voice.say("the devices stay as they are");
            }
            Ok((world, loaded)) => {
                let faults = loaded.scenario.faults.clone();
                let renewed = remote
                    .ask(move |hub, now| hub.renew(now, world.residents, faults))
                    .await?;
                if let Some(control) = control {
                    control.took_anew(&loaded);
                }
                self.voice.say(format_args!(
                    "{} was read again",
                    self.watched.path.display()
                ));
                if let Err(problem) = renewed {
                    self.voice.say(format_args!("warning: {problem}"));
                }
            }
        }
        Ok(())
    }
}
