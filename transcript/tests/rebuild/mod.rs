//! Makes `captures/vesctool-session-rebuilt.pcapng` of `captures/vesctool-session-rebuilt.csv`.
//!
//! Times, requests and BMS values come from the table ([`table`]), everything about who they are from
//! [`identity`]. Each message is one segment. Between them each side acknowledges what it got, if it has said
//! nothing itself for a while; what it says acknowledges, too.

pub(crate) mod identity;
pub(crate) mod table;

use std::io;
use std::path::PathBuf;

use table::{Act, TableError};
use veschub_transcript::Side;
use veschub_transcript::write::SessionWriter;

/// How long after a segment of the tool the hub's acknowledgement is seen: the way there and back.
const HUB_ACK_NS: u64 = 36_300_000;
/// How long the tool's system waits for something to send along with an acknowledgement.
const TOOL_ACK_NS: u64 = 40_000_000;

/// The table, or the capture that is made of it.
pub(crate) fn path(extension: &str) -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../captures"));
    folder.join(format!("vesctool-session-rebuilt.{extension}"))
}

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// The capture that a table tells of.
pub(crate) fn build(csv: &str) -> Result<Vec<u8>, BuildError> {
    let steps = table::read(csv)?;
    let mut session = SessionWriter::new(Vec::new(), identity::endpoints(), identity::START_NS)?;
    let mut owed = Owed::default();
    for step in steps {
        owed.pay(&mut session, step.at_ns)?;
        owed.said(step.side);
        match step.act {
            Act::Syn => session.syn(step.at_ns)?,
            Act::SynAck => session.syn_ack(step.at_ns)?,
            Act::Ack => session.ack(step.at_ns, step.side)?,
            Act::Fin => session.close(step.at_ns, step.side)?,
            Act::Data(bytes) => {
                session.data(step.at_ns, step.side, &bytes)?;
                owed.got(step.side.other(), step.at_ns);
            }
        }
    }
    owed.pay(&mut session, u64::MAX)?;
    Ok(session.finish()?)
}

/// The acknowledgements that have not been sent yet, at most one a side, and when they are due.
#[derive(Default)]
struct Owed(Vec<(u64, Side)>);

impl Owed {
    fn got(&mut self, side: Side, at_ns: u64) {
        self.said(side);
        let wait = match side {
            Side::Initiator => TOOL_ACK_NS,
            Side::Responder => HUB_ACK_NS,
        };
        self.0.push((at_ns.saturating_add(wait), side));
    }

    fn said(&mut self, side: Side) {
        self.0.retain(|&(_, owing)| owing != side);
    }

    fn pay(&mut self, session: &mut SessionWriter<Vec<u8>>, now_ns: u64) -> io::Result<()> {
        self.0.sort_by_key(|&(due_ns, _)| due_ns);
        while let Some(&(due_ns, side)) = self.0.first()
            && due_ns < now_ns
        {
            session.ack(due_ns, side)?;
            self.0.remove(0);
        }
        Ok(())
    }
}
