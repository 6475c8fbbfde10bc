//! Tells what happens at a hub: a person on stderr, and a program in the journal.

use std::{borrow::Cow, collections::HashMap, future::Future, io, sync::Arc};

use tokio::sync::Notify;

use veschub_control::Watch;
use veschub_drive::observe::Observer;
use veschub_hub::{
    hub::{ConnId, Event, Output},
    journal::{JournalEntry, JournalEvent, Masked},
    time::Time,
};
use veschub_transcript::can::Frame;

use super::{
    Failure, TalkArgs,
    can_log::CanLog,
    journal::{About, Journal},
    voice::Voice,
};

/// How many lines a second a person gets about one connection.
const LINES: u32 = 200;

/// Tells what happens while a hub is served.
pub(super) struct Teller {
    talk: TalkArgs,
    voice: Voice,
    journal: Option<Journal>,
    can_log: Option<CanLog>,
    /// What the control API sees.
    watch: Option<Watch>,
    masked: Masked,
    shares: HashMap<Option<ConnId>, Share>,
    /// Told when what is saved cannot go on, which ends the program.
    saving_failed: Arc<Notify>,
    /// The second in which a refused connection was last told.
    refused: Option<u64>,
}

/// What was told of one connection in a second.
#[derive(Default)]
struct Share {
    second: u64,
    lines: u32,
    left_out: u64,
}

impl Teller {
    /// Tells a person with this voice.
    pub(super) fn new(talk: TalkArgs, journal: Option<Journal>, voice: Voice) -> Self {
        Self {
            talk,
            voice,
            journal,
            can_log: None,
            watch: None,
            masked: Masked::default(),
            shares: HashMap::new(),
            saving_failed: Arc::new(Notify::new()),
            refused: None,
        }
    }

    /// The same, writing what goes over a CAN bus, if that is wanted.
    pub(super) fn with_can_log(mut self, log: Option<CanLog>) -> Self {
        self.can_log = log;
        self
    }

    /// The same, telling the control API, if there is one.
    pub(super) fn with_watch(mut self, watch: Option<Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// Begins the journal, if there is one.
    pub(super) fn start(&mut self, listening: String, about: About, keep_credentials: bool) {
        if let Some(journal) = &mut self.journal {
            journal.start(listening, about, keep_credentials);
        }
        let mut teller = self;
        teller.told();
    }

    /// Ready when what is saved cannot go on.
    pub(super) fn saving_failed(&self) -> impl Future<Output = ()> + use<> {
        let failed = Arc::clone(&self.saving_failed);
        async move { failed.notified().await }
    }

    /// Ends the output.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.voice.finish();
        let logged = self.can_log.map_or(Ok(()), CanLog::finish);
        self.journal.map_or(Ok(()), Journal::finish).and(logged)
    }

    /// Says it unless there was enough about this connection in this second.
    fn say_of(&mut self, entry: &JournalEntry) {
        if self.voice.is_page() {
            return;
        }
        let second = entry.at.as_nanos() / 1_000_000_000;
        let share = self.shares.entry(entry.conn).or_default();
        let is_last = matches!(entry.event, JournalEvent::Closed(_));
        if share.second != second || is_last {
            let left_out = std::mem::take(&mut share.left_out);
            *share = Share {
                second,
                ..Share::default()
            };
            if let (1.., Some(conn)) = (left_out, entry.conn) {
                self.voice.say(format_args!(
                    "({left_out} lines about connection #{} left out)",
                    conn.0
                ));
            }
        }
        if is_last {
            self.shares.remove(&entry.conn);
        } else if let Some(share) = self.shares.get_mut(&entry.conn) {
            share.lines += 1;
            if share.lines > LINES {
                share.left_out += 1;
                return;
            }
        }
        self.voice.say(entry);
    }
}

impl Observer for &mut Teller {
    fn happened(&mut self, unmasked: JournalEntry) {
        let entry = self.masked.entry(&unmasked);
        if let Some(journal) = &mut self.journal {
            journal.entry(&unmasked, &entry);
        }
        if !self.talk.quiet && (self.talk.verbose || is_rare(&entry.event)) {
            self.say_of(&entry);
        }
        if let Some(watch) = &self.watch {
            watch.happened(match entry {
                Cow::Borrowed(_) => unmasked,
                Cow::Owned(entry) => entry,
            });
        }
    }

    fn told(&mut self) {
        let journal = self.journal.as_mut();
        if let Some(error) = journal.and_then(Journal::told).map(copied) {
            self.saving_failed(&error);
        }
    }

    fn came(&mut self, at: Time, conn: ConnId, event: &Event<'_>) {
        if let Some(watch) = &self.watch {
            watch.came(at, conn, event);
        }
    }

    fn goes(&mut self, at: Time, conn: ConnId, output: &Output) {
        if let Some(watch) = &self.watch {
            watch.goes(at, conn, output);
        }
    }

    fn on_can(&mut self, at: Time, frame: &Frame) {
        let log = self.can_log.as_mut();
        let failed = log.and_then(|log| log.frame(at, frame));
        if let Some(error) = failed.map(copied) {
            self.saving_failed(&error);
        }
    }

    fn refused(&mut self, at: Time, most: usize) {
        let second = at.as_nanos() / 1_000_000_000;
        if self.refused.replace(second) != Some(second) {
            self.voice.say(format_args!(
                "warning: connections are refused: there are {most}, and --max-connections allows no more"
            ));
        }
    }

    fn saving_failed(&mut self, error: &io::Error) {
        self.voice.say(format_args!(
            "error: saving has stopped: {error}; what happens from now on is not in the file, so the program ends"
        ));
        self.saving_failed.notify_one();
    }
}

/// The same error; the first is kept for the end.
fn copied(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// What a person wants to see of a hub that runs for hours.
pub(super) fn is_rare(what: &JournalEvent) -> bool {
    !matches!(
        what,
        JournalEvent::Opened
            | JournalEvent::Request(_)
            | JournalEvent::Reply { .. }
            | JournalEvent::Noise { .. }
            | JournalEvent::ReplyDiscarded(_)
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::outlet::Outlet;

    #[test]
    fn a_connection_gets_so_many_lines_a_second_and_the_rest_is_counted() {
        let (reader, writer) = io::pipe().unwrap();
        let talk = TalkArgs {
            verbose: true,
            quiet: false,
        };
        let outlet = Outlet::new(writer, |_| Vec::new()).unwrap();
        let mut teller = Teller::new(talk, None, outlet.into());
        let entry = |ms: u64, event| JournalEntry {
            at: Time::ZERO + Duration::from_millis(ms),
            conn: Some(ConnId(1)),
            device: None,
            event,
        };
        for ms in 0..1000 {
            (&mut teller).happened(entry(ms, JournalEvent::Request(vec![0])));
        }
        (&mut teller).happened(entry(1000, JournalEvent::Request(vec![0])));
        (&mut teller).refused(Time::ZERO, 7);
        (&mut teller).refused(Time::ZERO, 7);
        teller.finish().unwrap();
        let text = io::read_to_string(reader).unwrap();
        assert_eq!(text.lines().count(), 200 + 3, "{text}");
        assert!(text.contains("(800 lines about connection #1 left out)"));
    }
}
