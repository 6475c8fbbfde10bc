//! Plays a client against a hub: the reference client, a client that is defective on purpose, or a program.
//!
//! The first two talk to the hub in memory, in virtual time (the reference client also over loopback); programs talk to
//! it over loopback in real time. What is seen of all has the same form and is judged in the same way.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{Notify, oneshot},
};
use veschub_drive::{
    server,
    virtual_time::{Connection, Network},
};
use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::World;

#[cfg(unix)]
use super::process::{Program, witness_with};
use super::{
    Mode, RunError, Second,
    errand::{Errand, Prints},
    kept::Kept,
    play::{FAREWELL, longest_reply, visit, visit_with},
    tape::Tape,
    to_be_struck,
};
use crate::{
    blow::{Blow, WAKE},
    client::json,
    defective::{self, Defects, Orders},
    judge::{OwnView, Played, driving},
    outside::{
        ending::ProcessEnd,
        link::{Address, Link},
        output::Line,
        task::Task,
    },
};

/// How often it is checked whether the client is attached.
const LOOK: Duration = Duration::from_millis(5);

/// The client of a case.
#[derive(Clone, Debug)]
pub enum Player {
    /// The reference client.
    Reference,
    /// The reference client with another limit for the length of a payload, in bytes.
    ReferenceWithLimit(usize),
    /// The small second client, with any number of defects.
    Defective(Defects),
    /// A program of any language.
    #[cfg(unix)]
    Program(Program),
}

impl Player {
    /// Its name in a report.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Reference => "the reference client".to_owned(),
            Self::ReferenceWithLimit(limit) => {
                format!("the reference client with a limit of {limit} bytes")
            }
            Self::Defective(Defects::NONE) => "the second client".to_owned(),
            Self::Defective(defects) => format!("the second client with {defects}"),
            #[cfg(unix)]
            Self::Program(program) => program.command.text().to_owned(),
        }
    }

    /// Its command, if it is a program.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match self {
            #[cfg(unix)]
            Self::Program(program) => Some(program.command.text()),
            _ => None,
        }
    }
}

/// Plays a client. `mode` is for the reference client; a defective one is always in memory, a program never.
///
/// # Errors
/// If no socket or process can be created, or a program is to do what only the reference client can.
pub(crate) fn play(
    world: World,
    errand: &Errand<'_>,
    player: &Player,
    mode: Mode,
) -> Result<Played, RunError> {
    let errand = &Errand {
        link: errand.link.to(&world),
        ..*errand
    };
    let target = world.targets.first().cloned();
    let limit = errand.task.map(Task::limit);
    match (player, errand.task) {
        #[cfg(unix)]
        (Player::Program(program), Some(task)) => {
            let program = Program {
                link: errand.link,
                ..program.clone()
            };
            Ok(witness_with(world, errand, task, &program)?)
        }
        (Player::Reference, _) if mode == Mode::Real => over_tcp(world, errand),
        (Player::Reference | Player::ReferenceWithLimit(_), _) => {
            let max_payload = match player {
                Player::ReferenceWithLimit(limit) => *limit,
                _ => longest_reply(errand.client),
            };
            let own = RefCell::new(None);
            let mut played = in_memory(world, errand, limit, async |network, _, fate| {
                let target = target.as_ref().filter(|_| errand.link == Link::Hub);
                let (stream, client) = (network.connect(), errand.client);
                let seen = visit_with(stream, target, client, max_payload, &fate.told).await;
                let code = exit_code(&seen);
                own.replace(Some(seen));
                code
            })?;
            played.own = own.into_inner();
            print(&mut played, errand);
            Ok(played)
        }
        (Player::Defective(defects), Some(task)) => {
            in_memory(world, errand, limit, async |network, printer, fate| {
                let address = match errand.link {
                    Link::Hub => Address::Hub(0),
                    Link::Direct | Link::Pty => Address::Direct(0),
                };
                let environment = task.environment(&address, target.as_ref());
                let orders = Orders::from_variables(|name| {
                    let found = environment.iter().find(|(one, _)| *one == name);
                    found.map(|(_, value)| value.clone())
                });
                let dial = Memory { network, fate };
                defective::run(&dial, &orders, *defects, &mut |line| printer.print(line)).await
            })
        }
        (_, None) => Err(RunError::OnlyReference),
    }
}

fn exit_code(own: &OwnView) -> u8 {
    match &own.outcome {
        Ok(outcome) => u8::from(!outcome.unanswered.is_empty()),
        Err(_) => 1,
    }
}

/// Adds the lines that the reference client prints, each at its place in the journal.
fn print(played: &mut Played, errand: &Errand<'_>) {
    let Some(own) = &played.own else {
        return;
    };
    let texts: Vec<(Duration, usize, String)> = match (errand.prints, &own.outcome) {
        (Prints::Everything, _) => {
            // The client knows which frame it read, so its line stands right behind the reply with these bytes.
            let mut places: BTreeMap<&[u8], VecDeque<usize>> = BTreeMap::new();
            for (place, entry) in played.journal.iter().enumerate() {
                if let JournalEvent::Reply { payload, .. } = &entry.event {
                    places.entry(payload).or_default().push_back(place + 1);
                }
            }
            let received = own.received.iter().filter_map(|received| {
                let place = places
                    .get_mut(&*received.payload)
                    .and_then(VecDeque::pop_front);
                let place = place.unwrap_or(played.journal.len());
                let line = json::frame_line(received, errand.configs)?;
                Some((received.at, place, line))
            });
            received.collect()
        }
        (Prints::Answers, Ok(outcome)) => {
            let readings = outcome.readings.iter().map(|reading| {
                let before = |entry: &&JournalEntry| entry.at.since_start() <= reading.at;
                let after = played.journal.iter().take_while(before).count();
                (reading.at, after, json::line_with(reading, errand.configs))
            });
            readings.collect()
        }
        (Prints::Answers, Err(_)) => Vec::new(),
    };
    for (at, after, text) in texts {
        played.printed += text.len() as u64;
        played.lines.push(Line {
            number: played.lines.len() + 1,
            at,
            after,
            text: text.into_bytes(),
            cut: false,
        });
    }
}

/// The reference client over loopback, on the real clock.
fn over_tcp(world: World, errand: &Errand<'_>) -> Result<Played, RunError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let target = world.targets.first().cloned();
        let target = target.filter(|_| errand.link == Link::Hub);
        let hub = world.into_server();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let journal = RefCell::new(Kept::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // An error means that the sender was dropped, which also means the end.
            let _ = stopped.await;
        };
        let mut tape = Tape::new()?;
        let observe = tape.watch(|entry| journal.borrow_mut().push(entry));
        let serving = server::serve(listener, hub, server::most_connections(), observe, shutdown);
        let visiting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let own = visit(stream, target.as_ref(), errand.client).await;
            tokio::time::sleep(FAREWELL).await;
            drop(stop);
            Ok::<_, RunError>(own)
        };
        let ((), own) = tokio::join!(serving, visiting);
        let own = own?;
        let how = ProcessEnd::Exited {
            code: exit_code(&own).into(),
        };
        let journal = journal.into_inner();
        let forgotten_entries = journal.left_out();
        let mut played = Played::of(journal.into_entries(), Vec::new(), how);
        played.forgotten_entries = forgotten_entries;
        played.own = Some(own);
        played.capture = tape.finish();
        print(&mut played, errand);
        Ok(played)
    })
}

/// Connections in memory, for the second client.
struct Memory<'a> {
    network: &'a Network,
    fate: &'a Fate,
}

/// How a client in memory comes to its end before its time.
#[derive(Default)]
struct Fate {
    /// Tells it to end, as SIGTERM does.
    told: Notify,
    /// Kills it, but not its child.
    killed: Notify,
    /// Whether it has started a child, which goes on without it.
    has_child: Cell<bool>,
}

impl defective::Dial for Memory<'_> {
    type Stream = Connection;
    /// In virtual time, a client that reads after the end would never stop.
    const IDLE_READS: Option<u64> = Some(10_000);

    async fn dial(&self) -> std::io::Result<Connection> {
        Ok(self.network.connect())
    }

    async fn told_to_end(&self) {
        self.fate.told.notified().await;
    }

    async fn killed(&self) {
        self.fate.killed.notified().await;
    }

    fn start_child(&self, _: &Connection, _: &[u8]) -> std::io::Result<()> {
        self.fate.has_child.set(true);
        Ok(())
    }
}

/// Notes what a client in memory prints.
struct Printer<'a> {
    network: &'a Network,
    journal: &'a RefCell<Kept>,
    lines: RefCell<Vec<Line>>,
}

impl Printer<'_> {
    fn print(&self, text: &str) {
        let (at, after) = (self.network.elapsed(), self.journal.borrow().len());
        let mut lines = self.lines.borrow_mut();
        let number = lines.len() + 1;
        lines.push(Line {
            number,
            at,
            after,
            text: text.as_bytes().to_vec(),
            cut: false,
        });
    }
}

/// Runs a client that is a function, in virtual time. The function returns its exit code.
fn in_memory(
    world: World,
    errand: &Errand<'_>,
    limit: Option<Duration>,
    client: impl AsyncFnOnce(&Network, &Printer<'_>, &Fate) -> u8,
) -> Result<Played, RunError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let no_device =
            || std::io::Error::other("there is no device that could serve without a hub");
        let mut hub = errand.link.server(world).ok_or_else(no_device)?;
        let journal = RefCell::new(Kept::within(errand.bounds));
        let network = Network::new();
        let printer = Printer {
            network: &network,
            journal: &journal,
            lines: RefCell::default(),
        };
        let fate = Fate::default();
        let struck = Cell::new(None);
        let striking = async {
            let has_driven = || driving::has_driven(&journal.borrow());
            let blow = to_be_struck(errand.strike, has_driven).await;
            struck.set(Some(network.elapsed()));
            match blow {
                Blow::Term => fate.told.notify_one(),
                Blow::Kill if fate.has_child.get() => {
                    fate.killed.notify_one();
                    tokio::time::sleep(WAKE).await;
                    return blow;
                }
                Blow::Kill => return blow,
            }
            std::future::pending().await
        };
        let playing = async {
            let playing = async {
                let playing = client(&network, &printer, &fate);
                let code = match limit {
                    Some(limit) => tokio::time::timeout(limit, playing).await.ok(),
                    None => Some(playing.await),
                };
                match code {
                    Some(code) => ProcessEnd::Exited { code: code.into() },
                    None => ProcessEnd::TimeUp,
                }
            };
            let how = tokio::select! {
                biased;
                how = playing => how,
                blow = striking => ProcessEnd::Struck { signal: blow.name().to_owned() },
            };
            if matches!(how, ProcessEnd::Struck { .. }) {
                tokio::time::sleep(WAKE).await;
            }
            tokio::time::sleep(FAREWELL).await;
            how
        };
        let mut tape = Tape::new()?;
        let full = Notify::new();
        let observe = tape.watch(|entry| {
            let mut journal = journal.borrow_mut();
            journal.push(entry);
            if journal.left_out() > 0 {
                full.notify_one();
            }
        });
        let how = tokio::select! {
            biased;
            how = playing => how,
            () = full.notified() => return Err(RunError::TooMuch),
            () = tokio::time::sleep(errand.bounds.longest) => return Err(RunError::TooLong),
            never = network.drive(&mut hub, observe) => match never {},
            never = intrude(&network, errand.second, &journal) => match never {},
        };
        let lines = printer.lines.into_inner();
        let journal = journal.into_inner();
        Ok(Played {
            forgotten_entries: journal.left_out(),
            idle_reads: Some(network.idle_reads()),
            limit: limit.unwrap_or_default(),
            is_real_time: false,
            capture: tape.finish(),
            struck: struck.get(),
            ..Played::of(journal.into_entries(), lines, how)
        })
    })
}

/// Connects as the second tool or device after the client is attached, and stays.
async fn intrude(
    network: &Network,
    second: Option<&Second>,
    journal: &RefCell<Kept>,
) -> Infallible {
    use tokio::io::AsyncWriteExt as _;
    let Some(second) = second else {
        return std::future::pending().await;
    };
    let attached = |entry: &JournalEntry| matches!(entry.event, JournalEvent::Attached);
    while !journal.borrow().iter().any(attached) {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(second.after).await;
    let mut connection = network.connect();
    // Writing to memory cannot fail; the connection lasts as long as this future.
    let _ = connection.write_all(&second.login).await;
    std::future::pending().await
}
