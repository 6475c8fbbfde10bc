//! The client of a case: the reference client, a client that is defective on purpose, or a program.
//!
//! The first two talk to the hub in memory, in virtual time; programs talk to it over loopback in real time. The
//! results of all have the same form and are judged in the same way.

use std::{cell::RefCell, convert::Infallible, time::Duration};

use tokio::runtime;
use veschub_drive::virtual_time::{Connection, Network};
use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::{Loaded, Target, World};
use veschub_wire::{LoginKind, LoginLine};

use super::catalogue::{Role, Second};
#[cfg(unix)]
use crate::run::{
    Program,
    process::{self, witness_with},
};
use crate::{
    client::Options,
    defective::{self, Defect, Orders},
    outside::{
        ending::{ProcessEnd, ProcessReport},
        output::Line,
        task::Task,
    },
    report::json,
    run::{
        RunError,
        play::{FAREWELL, visit_with},
        tape::Tape,
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
    /// The small second client, with a defect or without one.
    Defective(Option<Defect>),
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
            Self::Defective(None) => "the second client".to_owned(),
            Self::Defective(Some(defect)) => format!("the second client with {}", defect.name()),
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

/// What was seen of a client in a case.
#[derive(Debug)]
pub struct PlayedCase {
    /// What happened at the hub.
    pub journal: Vec<JournalEntry>,
    /// What the client printed, line by line.
    pub lines: Vec<Line>,
    /// Lines that are not kept because there were too many.
    pub forgotten_lines: usize,
    /// How many bytes it printed.
    pub printed: u64,
    /// What it wrote to stderr; only the start and the end if that is long.
    pub stderr: String,
    /// How it ended.
    pub report: ProcessReport,
    /// How often it read after the end of its connection; not known for a program.
    pub idle_reads: Option<u64>,
    /// How long it was allowed to run.
    pub limit: Duration,
    /// What went over the wire, as a pcapng file.
    pub capture: Vec<u8>,
}

/// Runs a client in a case.
///
/// # Errors
/// If no socket or process can be created.
pub(super) fn play(
    loaded: &Loaded,
    world: World,
    task: &Task,
    second: Option<Second>,
    player: &Player,
) -> Result<PlayedCase, RunError> {
    let target = world.targets.first().cloned();
    let login = second.map(|second| (second.after(), login_of(second.role, target.as_ref())));
    match player {
        #[cfg(unix)]
        Player::Program(program) => {
            let second = login.map(|(after, login)| process::Second { after, login });
            let seen = witness_with(world, task, program, second.as_ref())?;
            Ok(PlayedCase {
                journal: seen.journal,
                lines: seen.lines,
                forgotten_lines: seen.forgotten_lines,
                printed: seen.stdout.total(),
                stderr: seen.stderr.text(),
                report: seen.report,
                idle_reads: None,
                limit: seen.limit,
                capture: seen.capture,
            })
        }
        Player::Reference | Player::ReferenceWithLimit(_) => {
            in_memory(world, login, task.limit(), async |network, printer| {
                let client = &loaded.scenario.client;
                let limit = match player {
                    Player::ReferenceWithLimit(limit) => *limit,
                    _ => Options::default().max_payload,
                };
                let seen = visit_with(network.connect(), target.as_ref(), client, limit).await;
                let Ok(outcome) = seen.outcome else {
                    return 1;
                };
                for reading in &outcome.readings {
                    printer.print_as_of(reading.at, &json::line(reading));
                }
                u8::from(!outcome.unanswered.is_empty())
            })
        }
        Player::Defective(defect) => {
            in_memory(world, login, task.limit(), async |network, printer| {
                let environment = task.environment(0, target.as_ref());
                let orders = Orders::from_variables(|name| {
                    let found = environment.iter().find(|(one, _)| *one == name);
                    found.map(|(_, value)| value.clone())
                });
                let dial = Memory { network };
                defective::run(&dial, &orders, *defect, &mut |line| printer.print(line)).await
            })
        }
    }
}

fn login_of(role: Role, target: Option<&Target>) -> Vec<u8> {
    let id = target.map_or("", |target| &target.id);
    let password = target.and_then(|target| target.password.as_deref());
    let kind = match role {
        Role::Tool => LoginKind::Tool,
        Role::Device => LoginKind::Device,
    };
    LoginLine::new(kind, id, password.unwrap_or_default()).encode()
}

/// Connections in memory, for the second client.
struct Memory<'a> {
    network: &'a Network,
}

impl defective::Dial for Memory<'_> {
    type Stream = Connection;
    /// In virtual time, a client that reads after the end would never stop.
    const IDLE_READS: Option<u64> = Some(10_000);

    async fn dial(&self) -> std::io::Result<Connection> {
        Ok(self.network.connect())
    }
}

/// Notes what a client in memory prints.
struct Printer<'a> {
    network: &'a Network,
    journal: &'a RefCell<Vec<JournalEntry>>,
    lines: RefCell<Vec<Line>>,
}

impl Printer<'_> {
    fn print(&self, text: &str) {
        let after = self.journal.borrow().len();
        self.push(self.network.elapsed(), after, text);
    }

    /// Prints a reading that was made earlier, as if it had been printed then.
    fn print_as_of(&self, at: Duration, text: &str) {
        let before = |entry: &&JournalEntry| entry.at.since_start() <= at;
        let after = self.journal.borrow().iter().take_while(before).count();
        self.push(at, after, text);
    }

    fn push(&self, at: Duration, after: usize, text: &str) {
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
    second: Option<(Duration, Vec<u8>)>,
    limit: Duration,
    client: impl AsyncFnOnce(&Network, &Printer<'_>) -> u8,
) -> Result<PlayedCase, RunError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let mut hub = world.into_hub();
        let journal = RefCell::new(Vec::new());
        let network = Network::new();
        let printer = Printer {
            network: &network,
            journal: &journal,
            lines: RefCell::default(),
        };
        let playing = async {
            let playing = tokio::time::timeout(limit, client(&network, &printer));
            let how = match playing.await {
                Ok(code) => ProcessEnd::Exited { code: code.into() },
                Err(_) => ProcessEnd::TimeUp,
            };
            tokio::time::sleep(FAREWELL).await;
            how
        };
        let mut tape = Tape::new()?;
        let observe = tape.watch(|entry| journal.borrow_mut().push(entry));
        let how = tokio::select! {
            biased;
            how = playing => how,
            never = network.drive(&mut hub, observe) => match never {},
            never = intrude(&network, second, &journal) => match never {},
        };
        let lines = printer.lines.into_inner();
        Ok(PlayedCase {
            forgotten_lines: 0,
            printed: lines.iter().map(|line| line.text.len() as u64).sum(),
            lines,
            stderr: String::new(),
            report: ProcessReport::new(how),
            idle_reads: Some(network.idle_reads()),
            limit,
            capture: tape.finish(),
            journal: journal.into_inner(),
        })
    })
}

/// Connects as the second tool or device after the client is attached, and stays.
async fn intrude(
    network: &Network,
    second: Option<(Duration, Vec<u8>)>,
    journal: &RefCell<Vec<JournalEntry>>,
) -> Infallible {
    use tokio::io::AsyncWriteExt as _;
    let Some((after, login)) = second else {
        return std::future::pending().await;
    };
    let attached = |entry: &JournalEntry| matches!(entry.event, JournalEvent::Attached);
    while !journal.borrow().iter().any(attached) {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(after).await;
    let mut connection = network.connect();
    // Writing to memory cannot fail; the connection lasts as long as this future.
    let _ = connection.write_all(&login).await;
    std::future::pending().await
}
