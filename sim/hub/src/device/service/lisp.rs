//! Scripts in LispBM: the one that is stored, the one that runs, and the texts that it prints.
//!
//! Nothing is evaluated here. A scenario says what a script prints, what its variables hold, and what expressions give.

mod repl;
mod settings;

use std::time::Duration as Span;

use veschub_wire::{
    CommandId, Reply, Request,
    command::{LispCommand, LispReply, LispStats, LispStream, StoredCode},
    number::{F16, Float, Text},
};

pub use settings::{LispPrint, LispSettings, ReplAnswer};

use super::{MotorState, Service, flash::CodeStore};
use crate::{
    Silence,
    device::{
        answer::{Answer, Answers},
        queue::Queue,
    },
    time::Time,
};

/// The commands about scripts.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::LISP_READ_CODE,
    CommandId::LISP_WRITE_CODE,
    CommandId::LISP_ERASE_CODE,
    CommandId::LISP_SET_RUNNING,
    CommandId::LISP_GET_STATS,
    CommandId::LISP_REPL_CMD,
    CommandId::LISP_STREAM_CODE,
];

/// How much code a motor controller stores (`VT codeloader.cpp:375-390`).
const MOTOR_CAPACITY: usize = 128 * 1024 - 6;
/// How much code an Express stores.
const EXPRESS_CAPACITY: usize = 512 * 1024 - 6;
/// How long erasing takes: a sector of 128 KiB takes an STM32F4 about 1 s, and 512 KiB an ESP32 about 2 s; inferred.
const MOTOR_ERASE: Span = Span::from_secs(1);
const EXPRESS_ERASE: Span = Span::from_secs(2);
/// The size that tells an Express to erase without stopping the script (`EX main/commands.c`).
const GO_ON: i32 = -2;
/// Behind so many bytes no further variable is reported (`EX main/lispif.c`).
const STATS_BYTES: usize = 300;
/// The garbage behind an answer that is two bytes too long; really what the stack holds (`MC lispBM/lispif.c:515-592`).
const GARBAGE: [u8; 2] = [0, 0];

/// Which device has a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LispOn {
    /// A motor controller.
    Motor,
    /// An Express.
    Express,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no interpreter.
    Stopped,
    /// It waits.
    Paused,
    Running,
}

/// A script that is sent piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    /// There is none.
    None,
    /// It reads on.
    Open,
    /// It has read all that was announced.
    Done,
}

/// The scripts of a device.
#[derive(Debug)]
pub(in crate::device) struct Lisp {
    on: LispOn,
    settings: LispSettings,
    store: CodeStore,
    state: State,
    channel: Channel,
    /// The offset of the last piece of a stream, and what became of it.
    last: Option<(i32, i16)>,
    /// What the script will print.
    prints: Queue<Answer>,
    /// When an expression was last evaluated.
    evaluated: Option<Time>,
    verbose: bool,
}

impl Lisp {
    /// As it is when the device starts.
    pub(in crate::device) fn new(on: LispOn, settings: LispSettings) -> Self {
        let code = settings.code.as_deref();
        let code = code.map(|text| StoredCode::script(text.as_bytes()));
        let capacity = match on {
            LispOn::Motor => MOTOR_CAPACITY,
            LispOn::Express => EXPRESS_CAPACITY,
        };
        let mut lisp = Self {
            on,
            store: CodeStore::new(capacity, code.as_ref()),
            settings,
            state: State::Stopped,
            channel: Channel::None,
            last: None,
            prints: Queue::default(),
            evaluated: None,
            verbose: false,
        };
        lisp.boot(Time::ZERO);
        lisp
    }

    /// A device starts with its script, if it stores one.
    fn boot(&mut self, at: Time) {
        self.stop();
        if self.settings.running {
            self.start(at, true);
        }
    }

    fn stop(&mut self) {
        self.state = State::Stopped;
        self.channel = Channel::None;
        self.prints = Queue::default();
    }

    /// Starts anew, with the stored script or without any; false where there is none.
    fn start(&mut self, at: Time, with_code: bool) -> bool {
        if with_code && self.store.code().is_none() {
            return false;
        }
        self.stop();
        self.state = State::Running;
        if with_code {
            self.run(at);
        }
        true
    }

    /// A script begins: what it prints is due.
    fn run(&mut self, at: Time) {
        self.prints = Queue::default();
        for print in &self.settings.prints {
            self.prints.push(at + print.after.get(), said(&print.text));
        }
    }

    fn do_command(&mut self, at: Time, command: &LispCommand) -> Option<Result<Answers, Silence>> {
        Some(match command {
            LispCommand::Read(asked) => self
                .store
                .read(*asked)
                .map(|part| lisp_reply(LispReply::Read(part)).into()),
            LispCommand::Write(piece) => {
                let ack = self.store.write(piece);
                Ok(Answers::from(lisp_reply(LispReply::Written(ack))).releasing())
            }
            LispCommand::Erase(asked) => {
                // An Express that is asked for so many bytes lets the script run.
                if self.on == LispOn::Motor || asked.size != Some(GO_ON) {
                    self.stop();
                }
                self.store.erase();
                let took = match self.on {
                    LispOn::Motor => MOTOR_ERASE,
                    LispOn::Express => EXPRESS_ERASE,
                };
                let erased = lisp_reply(LispReply::Erased { ok: 1 });
                Ok(Answers::none().later(took, erased).releasing())
            }
            LispCommand::SetRunning { running } => {
                let ok = self.set_running(at, *running != 0);
                Ok(lisp_reply(LispReply::SetRunning { ok: ok.into() }).into())
            }
            LispCommand::Stats(asked) => self.stats(asked.all.is_none_or(|all| all != 0)),
            LispCommand::Repl { text } => self.repl(at, text),
            LispCommand::Stream(piece) => Ok(self.stream(at, piece)),
            _ => return None,
        })
    }

    fn set_running(&mut self, at: Time, running: bool) -> bool {
        if running {
            return self.start(at, true);
        }
        if self.state == State::Running {
            self.state = State::Paused;
        }
        true
    }

    fn stats(&self, all: bool) -> Result<Answers, Silence> {
        if self.state == State::Stopped {
            return Err(Silence::NoScript);
        }
        let settings = &self.settings;
        let cpu = match self.state {
            State::Running => settings.cpu_percent,
            _ => 0.0,
        };
        let on_motor = self.on == LispOn::Motor;
        let mut stats = LispStats {
            cpu_percent: F16::truncated(cpu),
            heap_percent: F16::truncated(settings.heap_percent),
            memory_percent: F16::truncated(settings.memory_percent),
            stack_percent: F16::truncated(if on_motor {
                settings.stack_percent
            } else {
                0.0
            }),
            result: match on_motor {
                true => Text::from(settings.result.as_str()),
                false => Text::default(),
            },
            names: Vec::new(),
            values: Vec::new(),
        };
        let mut bytes = 1 + 8 + stats.result.as_bytes().len() + 1;
        for (name, value) in &settings.variables {
            if bytes > STATS_BYTES {
                break;
            }
            if all || name.starts_with("vt") {
                bytes += name.len() + 1 + 4;
                stats.names.push(Text::from(name.as_str()));
                stats.values.push(Float::packed(*value));
            }
        }
        Ok(lisp_reply(LispReply::Stats(stats)).into())
    }

    /// A piece of a script that is not stored.
    fn stream(&mut self, at: Time, piece: &LispStream) -> Answers {
        let offset = piece.offset;
        if offset == 0 {
            let with_code = piece.mode == 2;
            if self.state == State::Stopped || with_code || piece.mode == 1 {
                self.start(at, with_code);
            }
        }
        // A repeat is answered and not executed.
        if let Some((last, result)) = self.last
            && last == offset
        {
            return streamed(offset, result, true);
        }
        self.last = None;
        if self.state == State::Stopped {
            return streamed(offset, -1, true);
        }
        if offset == 0 {
            self.channel = Channel::Open;
        }
        match self.channel {
            Channel::None => return streamed(offset, -15, true),
            Channel::Done => return streamed(offset, -6, false).with(said("Stream closed")),
            Channel::Open => {}
        }
        let len = i32::try_from(piece.data.len()).unwrap_or(i32::MAX);
        let answers = streamed(offset, 0, false);
        if offset.saturating_add(len) != piece.total {
            self.last = Some((offset, 0));
            return answers;
        }
        self.channel = Channel::Done;
        self.state = State::Running;
        self.run(at);
        answers.with(said("Stream done, starting"))
    }
}

impl Service for Lisp {
    fn request(
        &mut self,
        at: Time,
        request: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        match request {
            Request::Lisp(command) => self.do_command(at, command),
            _ => None,
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Running => self.prints.next_due(),
            _ => None,
        }
    }

    fn handle_timeout(&mut self, now: Time, _: &MotorState) -> Vec<(Time, Answer)> {
        let mut said = Vec::new();
        while self.state == State::Running
            && let Some(print) = self.prints.pop(now)
        {
            said.push(print);
        }
        said
    }

    fn restart(&mut self, at: Time) {
        self.boot(at);
    }
}

fn lisp_reply(reply: LispReply) -> Reply {
    Reply::Lisp(reply)
}

/// A text that a script, or what runs it, prints. It is cut where firmware cuts it (`EX main/commands.c`).
fn said(text: &str) -> Answer {
    const ROOM: usize = 399;
    let mut text = crate::device::script::latin1(text);
    text.truncate(ROOM);
    lisp_reply(LispReply::Print { text }).into()
}

/// The answer to a piece of a stream. Some are two bytes too long (`MC lispBM/lispif.c:515-592`).
fn streamed(offset: i32, result: i16, too_long: bool) -> Answers {
    let mut answer = Answer::from(lisp_reply(LispReply::Streamed { offset, result }));
    if too_long {
        answer.payload.extend(GARBAGE);
        // Nobody meant these bytes.
        answer.truth = None;
    }
    answer.into()
}

impl Answers {
    /// One more, right behind the others.
    fn with(self, answer: Answer) -> Self {
        let after = self.last();
        self.later(after, answer)
    }
}

#[cfg(test)]
mod tests;
