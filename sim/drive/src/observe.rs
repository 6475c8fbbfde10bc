//! Who watches a hub at work: the journal says what it means, the wire what it was.

use std::io::{self, Write};

use veschub_transcript::{
    Side,
    can::Frame,
    live::{self, LiveCapture},
};

use veschub_hub::{
    hub::{ConnId, Event, Load, Output},
    journal::JournalEntry,
    time::Time,
};

/// Watches a hub at work. A closure that takes journal entries is one.
pub trait Observer {
    /// Something happened at the hub.
    fn happened(&mut self, entry: JournalEntry);

    /// All that has happened was told, and what the hub has to say to it leaves next.
    fn told(&mut self) {}

    /// A connection did something.
    fn came(&mut self, _at: Time, _conn: ConnId, _event: &Event<'_>) {}

    /// Something is done to a connection.
    fn goes(&mut self, _at: Time, _conn: ConnId, _output: &Output) {}

    /// A frame went over the CAN bus that is listened to.
    fn on_can(&mut self, _at: Time, _frame: &Frame) {}

    /// A connection was closed at once, because there are as many as there may be.
    fn refused(&mut self, _at: Time, _most: usize) {}

    /// The hub has done all that was due, and holds this much.
    fn rests(&mut self, _holds: Load) {}

    /// Whether [`rests`](Self::rests) is to be told: to count costs time.
    fn counts(&self) -> bool {
        false
    }

    /// What is saved ends here: the file takes nothing more.
    fn saving_failed(&mut self, _error: &io::Error) {}
}

impl<F: FnMut(JournalEntry)> Observer for F {
    fn happened(&mut self, entry: JournalEntry) {
        self(entry);
    }
}

/// Writes what goes over the wire into a capture file, faults included, and passes the journal on.
#[derive(Debug)]
pub struct Saving<'a, W, O> {
    capture: &'a mut LiveCapture<W>,
    result: &'a mut io::Result<()>,
    then: O,
}

impl<'a, W: Write, O: Observer> Saving<'a, W, O> {
    /// `result` is the first error of the file, after which nothing more is written.
    pub fn new(capture: &'a mut LiveCapture<W>, result: &'a mut io::Result<()>, then: O) -> Self {
        Self {
            capture,
            result,
            then,
        }
    }

    fn write(&mut self, at: Time, conn: ConnId, event: live::Event<'_>) {
        if self.result.is_ok() {
            *self.result = self.capture.event(at.as_nanos(), conn.0, event);
            if let Err(error) = &self.result {
                self.then.saving_failed(error);
            }
        }
    }
}

impl<W: Write, O: Observer> Observer for Saving<'_, W, O> {
    fn happened(&mut self, entry: JournalEntry) {
        self.then.happened(entry);
    }

    fn told(&mut self) {
        self.then.told();
    }

    fn on_can(&mut self, at: Time, frame: &Frame) {
        self.then.on_can(at, frame);
    }

    fn refused(&mut self, at: Time, most: usize) {
        self.then.refused(at, most);
    }

    fn rests(&mut self, holds: Load) {
        self.then.rests(holds);
    }

    fn counts(&self) -> bool {
        self.then.counts()
    }

    fn came(&mut self, at: Time, conn: ConnId, event: &Event<'_>) {
        self.then.came(at, conn, event);
        let event = match event {
            Event::Opened => live::Event::Opened,
            Event::Bytes(bytes) => live::Event::Data(Side::Initiator, bytes),
            Event::Eof => live::Event::Closed(Side::Initiator),
            Event::Reset => live::Event::Reset(Side::Initiator),
            Event::Flushed(_) => return,
        };
        self.write(at, conn, event);
    }

    fn goes(&mut self, at: Time, conn: ConnId, output: &Output) {
        self.then.goes(at, conn, output);
        let event = match output {
            Output::Write(bytes) => live::Event::Data(Side::Responder, bytes),
            Output::Shutdown => live::Event::Closed(Side::Responder),
            Output::Close => live::Event::Gone,
            Output::Abort => live::Event::Reset(Side::Responder),
        };
        self.write(at, conn, event);
    }
}
