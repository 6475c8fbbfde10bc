//! Finds what repeats, so that a minute of polling is one line.
//!
//! A unit is an exchange (a request and, right behind it, its reply) or a single frame. Units repeat
//! when their requests are the same byte for byte; replies may differ, since they are why one asks.
//! Pieces of noise that follow each other are folded too.

use veschub_wire::CommandId;

use crate::entry::{Direction, Entry, FrameEntry, Kind};

/// A unit must repeat at least this often, beyond the first, to be folded.
const WORTH_FOLDING: usize = 2;

/// What is shown in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// One entry, by its index.
    Show(usize),
    /// Repeats of what was shown right before.
    Fold(Folded),
}

/// Repeats that are counted instead of shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folded {
    /// The index of the last entry in them.
    pub(super) last: usize,
    /// How many units.
    pub(super) count: usize,
    /// What they are.
    pub(super) what: Repeated,
}

/// What repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    /// A request and its reply; named by the command, for FORWARD_CAN with the one inside.
    Exchanges(String),
    /// A frame that stands alone, named in the same way.
    Frames(String),
    /// Pieces of noise, this many bytes in all.
    Noise(u64),
}

/// All entries as steps.
pub(super) fn steps(entries: &[Entry], fold: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < entries.len() {
        let width = unit(&entries[at..]);
        steps.extend((at..at + width).map(Step::Show));
        let first = at;
        at += width;
        let mut count = 0;
        if fold {
            while repeats(entries, first, at + count * width, width) {
                count += 1;
            }
        }
        if count >= WORTH_FOLDING {
            at += count * width;
            steps.push(Step::Fold(Folded {
                last: at - 1,
                count,
                what: repeated(&entries[first..at], width),
            }));
        }
    }
    steps
}

/// How many entries at the front belong together.
fn unit(entries: &[Entry]) -> usize {
    match entries {
        [request, reply, ..] if is_exchange(request, reply) => 2,
        _ => 1,
    }
}

fn repeats(entries: &[Entry], first: usize, next: usize, width: usize) -> bool {
    let Some(rest) = entries.get(next..) else {
        return false;
    };
    let (Some(a), Some(b)) = (entries.get(first), rest.first()) else {
        return false;
    };
    let alike = match (&a.kind, &b.kind) {
        (Kind::Frame(a), Kind::Frame(b)) => a.payload == b.payload,
        (Kind::Noise(_), Kind::Noise(_)) => true,
        _ => false,
    };
    alike && a.connection == b.connection && a.direction == b.direction && unit(rest) == width
}

/// What a unit and its repeats are, without the unit itself.
fn repeated(entries: &[Entry], width: usize) -> Repeated {
    match entries[0].frame() {
        Some(request) if width == 2 => Repeated::Exchanges(name(request)),
        Some(frame) => Repeated::Frames(name(frame)),
        None => Repeated::Noise(
            entries[1..]
                .iter()
                .map(|entry| entry.kind.stream_len())
                .sum(),
        ),
    }
}

fn is_exchange(request: &Entry, reply: &Entry) -> bool {
    let (Some(asked), Some(answer)) = (request.frame(), reply.frame()) else {
        return false;
    };
    request.connection == reply.connection
        && request.direction == Some(Direction::ToDevice)
        && reply.direction == Some(Direction::ToTool)
        && reply_id(asked) == answer.command()
}

fn reply_id(request: &FrameEntry) -> CommandId {
    match request.payload.as_slice() {
        [forward, _, inner, ..] if CommandId(*forward) == CommandId::FORWARD_CAN => {
            CommandId(*inner)
        }
        _ => request.command(),
    }
}

/// The command, for FORWARD_CAN with the command inside.
fn name(request: &FrameEntry) -> String {
    let command = request.command();
    let inner = reply_id(request);
    if inner == command {
        command.to_string()
    } else {
        format!("{command}({inner})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::NoiseEntry;

    fn entry(direction: Direction, payload: &[u8]) -> Entry {
        Entry {
            at_ns: None,
            connection: 1,
            direction: Some(direction),
            offset: 0,
            kind: Kind::Frame(FrameEntry {
                payload: payload.to_vec(),
                start: 2,
            }),
        }
    }

    fn ask(payload: &[u8]) -> Entry {
        entry(Direction::ToDevice, payload)
    }

    fn reply(payload: &[u8]) -> Entry {
        entry(Direction::ToTool, payload)
    }

    fn told(entries: &[Entry]) -> String {
        let told = steps(entries, true).into_iter().map(|step| match step {
            Step::Show(index) => index.to_string(),
            Step::Fold(folded) => match folded.what {
                Repeated::Exchanges(name) => format!("{} x {name}!", folded.count),
                Repeated::Frames(name) => format!("{} x {name}", folded.count),
                Repeated::Noise(bytes) => format!("{} x noise of {bytes}", folded.count),
            },
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn exchanges_are_folded_although_their_replies_differ() {
        let polls: Vec<Entry> = (0..4).flat_map(|n| [ask(&[96]), reply(&[96, n])]).collect();
        assert_eq!(told(&polls), "0, 1, 3 x BMS_GET_VALUES!");
    }

    #[test]
    fn a_reply_from_the_can_bus_belongs_to_its_forward_can() {
        let polls: Vec<Entry> = (0..3)
            .flat_map(|n| [ask(&[34, 84, 4]), reply(&[4, n])])
            .collect();
        assert_eq!(told(&polls), "0, 1, 2 x FORWARD_CAN(GET_VALUES)!");
    }

    #[test]
    fn requests_without_replies_are_folded_and_different_texts_are_not() {
        let alive = vec![ask(&[30]); 5];
        assert_eq!(told(&alive), "0, 4 x ALIVE");
        let prints = [reply(b"\x15a"), reply(b"\x15b"), reply(b"\x15c")];
        assert_eq!(told(&prints), "0, 1, 2");
    }

    #[test]
    fn a_flood_of_noise_is_one_line_more() {
        let noise = Entry {
            kind: Kind::Noise(NoiseEntry {
                bytes: vec![0; 100],
                unfinished: 0,
            }),
            ..ask(&[])
        };
        assert_eq!(told(&vec![noise; 5]), "0, 4 x noise of 400");
    }

    #[test]
    fn what_interrupts_ends_the_fold() {
        let mut polls: Vec<Entry> = (0..6).flat_map(|n| [ask(&[96]), reply(&[96, n])]).collect();
        polls.insert(6, reply(&[21]));
        assert_eq!(
            told(&polls),
            "0, 1, 2 x BMS_GET_VALUES!, 6, 7, 8, 2 x BMS_GET_VALUES!"
        );
    }

    #[test]
    fn a_single_repeat_is_shown() {
        let polls: Vec<Entry> = (0..2).flat_map(|n| [ask(&[96]), reply(&[96, n])]).collect();
        assert_eq!(told(&polls), "0, 1, 2, 3");
    }
}
