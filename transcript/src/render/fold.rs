//! Finds what repeats, so that a minute of polling is one line.
//!
//! A unit is an exchange (a request and, right behind it, its reply) or a single frame. Units repeat
//! when their requests are the same byte for byte; replies may differ, since they are why one asks.
//! Pieces of noise that follow each other are folded too, if the same is to say about them.

use std::collections::{BTreeMap, VecDeque};

use super::timing::Timing;
use crate::can::Heard;
use crate::entry::{Direction, Entry, Kind};
use crate::exchange::Asked;

/// A unit must repeat at least this often, beyond the first, to be folded.
const WORTH_FOLDING: usize = 2;

/// An entry and its times.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    pub(super) entry: Entry,
    pub(super) timing: Timing,
}

/// What is shown in one step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Show(Timed),
    /// Repeats of what was shown right before.
    Fold(Folded),
}

/// Repeats that are counted instead of shown.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    /// When the last of them was.
    pub(super) until_ns: Option<u64>,
    pub(super) connection: u32,
    pub(super) direction: Option<Direction>,
    /// How many units.
    pub(super) count: usize,
    /// What they are.
    pub(super) what: Repeats,
    /// The shortest and the longest time that a reply took.
    pub(super) latency_ns: Option<(u64, u64)>,
}

impl Folded {
    fn new(connection: u32, what: Repeats) -> Self {
        Self {
            until_ns: None,
            connection,
            direction: None,
            count: 0,
            what,
            latency_ns: None,
        }
    }
}

/// What repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// A request and its reply.
    Exchanges(Asked),
    /// A frame that stands alone.
    Frames(Asked),
    /// Pieces of noise, this many bytes in all.
    Noise(u64),
    /// Bytes that were sent again, this many in all.
    Again(u64),
    /// The same announcement.
    Discovery,
    /// The same kind of thing on a CAN bus: for a frame, the packet and the node, whatever it holds.
    Can(String),
}

/// Takes entries one by one and gives steps as soon as they are certain; keeps no more than two units.
#[derive(Debug)]
pub(super) struct Folder {
    fold: bool,
    /// Entries that do not make a unit for certain yet.
    ahead: VecDeque<Timed>,
    run: Option<Run>,
    /// Frames of a CAN bus that were shown, by their ids. They repeat in turn and not one behind the other, and so they
    /// are counted up to the end.
    can: BTreeMap<u32, Folded>,
}

/// Beyond so many different ids, every frame of a CAN bus is shown.
const MAX_CAN_IDS: usize = 4096;

#[derive(Debug)]
struct Run {
    /// The entry that the unit begins with.
    first: Entry,
    width: usize,
    /// Repeats that are too few to fold.
    kept: Vec<Timed>,
    folded: Folded,
}

impl Folder {
    pub(super) fn new(fold: bool) -> Self {
        Self {
            fold,
            ahead: VecDeque::new(),
            run: None,
            can: BTreeMap::new(),
        }
    }

    pub(super) fn push(&mut self, timed: Timed, steps: &mut Vec<Step>) {
        if self.fold && self.was_on_the_bus(&timed.entry) {
            return;
        }
        self.ahead.push_back(timed);
        while self.ahead.len() > 1 {
            self.step(steps);
        }
    }

    pub(super) fn finish(&mut self, steps: &mut Vec<Step>) {
        while !self.ahead.is_empty() {
            self.step(steps);
        }
        self.close_run(steps);
        let can = std::mem::take(&mut self.can).into_values();
        steps.extend(can.filter(|folded| folded.count > 0).map(Step::Fold));
    }

    /// Counts a frame of a CAN bus that was shown before.
    fn was_on_the_bus(&mut self, entry: &Entry) -> bool {
        let Kind::Can(heard) = &entry.kind else {
            return false;
        };
        let Heard::Frame(frame) = &**heard else {
            return false;
        };
        if let Some(folded) = self.can.get_mut(&frame.id()) {
            folded.count += 1;
            folded.until_ns = entry.at_ns;
            return true;
        }
        if self.can.len() < MAX_CAN_IDS {
            let between = heard.between();
            let name = match between.is_empty() {
                true => heard.name(),
                false => format!("{} ({between})", heard.name()),
            };
            self.can
                .insert(frame.id(), Folded::new(0, Repeats::Can(name)));
        }
        false
    }

    /// Takes the unit at the front.
    fn step(&mut self, steps: &mut Vec<Step>) {
        let width = match (self.ahead.front(), self.ahead.get(1)) {
            (Some(request), Some(reply)) if is_exchange(&request.entry, &reply.entry) => 2,
            _ => 1,
        };
        let unit: Vec<Timed> = self.ahead.drain(..width).collect();
        let Some(first) = unit.first() else {
            return;
        };
        if let Some(run) = &mut self.run
            && self.fold
            && run.width == width
            && repeats(&run.first, &first.entry)
        {
            run.add(unit);
            return;
        }
        let run = Run::new(&first.entry, width);
        self.close_run(steps);
        self.run = Some(run);
        steps.extend(unit.into_iter().map(Step::Show));
    }

    fn close_run(&mut self, steps: &mut Vec<Step>) {
        let Some(run) = self.run.take() else {
            return;
        };
        match run.folded.count {
            WORTH_FOLDING.. => steps.push(Step::Fold(run.folded)),
            _ => steps.extend(run.kept.into_iter().map(Step::Show)),
        }
    }
}

impl Run {
    fn new(first: &Entry, width: usize) -> Self {
        let what = match (&first.kind, first.frame()) {
            (_, Some(frame)) if width == 2 => Repeats::Exchanges(Asked::by(&frame.payload)),
            (_, Some(frame)) => Repeats::Frames(Asked::by(&frame.payload)),
            (Kind::Repeated { .. }, _) => Repeats::Again(0),
            (Kind::Discovery(_), _) => Repeats::Discovery,
            (Kind::Can(heard), _) => Repeats::Can(heard.name()),
            _ => Repeats::Noise(0),
        };
        Self {
            first: first.clone(),
            width,
            kept: Vec::new(),
            folded: Folded::new(first.connection, what),
        }
    }

    fn add(&mut self, unit: Vec<Timed>) {
        let folded = &mut self.folded;
        folded.count += 1;
        for timed in &unit {
            folded.until_ns = timed.entry.at_ns;
            folded.direction = timed.entry.direction;
            match (&mut folded.what, &timed.entry.kind) {
                (Repeats::Noise(total), Kind::Noise(noise)) => *total += noise.bytes.len() as u64,
                (Repeats::Again(total), Kind::Repeated { len, .. }) => *total += len,
                _ => {}
            }
            if let Some((_, latency)) = timed.timing.answers {
                let (least, most) = folded.latency_ns.unwrap_or((latency, latency));
                folded.latency_ns = Some((least.min(latency), most.max(latency)));
            }
        }
        match folded.count {
            WORTH_FOLDING.. => self.kept.clear(),
            _ => self.kept = unit,
        }
    }
}

fn repeats(first: &Entry, next: &Entry) -> bool {
    let alike = match (&first.kind, &next.kind) {
        (Kind::Frame(a), Kind::Frame(b)) => a.payload == b.payload && a.waits_for == b.waits_for,
        (Kind::Noise(a), Kind::Noise(b)) => a.nearly == b.nearly,
        // Those that brought something else stand out.
        (Kind::Repeated { differing: 0, .. }, Kind::Repeated { differing: 0, .. }) => true,
        (Kind::Discovery(a), Kind::Discovery(b)) => a == b,
        (Kind::Can(a), Kind::Can(b)) => a.is_like(b),
        _ => false,
    };
    alike && first.connection == next.connection && first.direction == next.direction
}

fn is_exchange(request: &Entry, reply: &Entry) -> bool {
    let (Some(asked), Some(answer)) = (request.frame(), reply.frame()) else {
        return false;
    };
    request.connection == reply.connection
        && request.direction == Some(Direction::ToDevice)
        && reply.direction == Some(Direction::ToTool)
        && Asked::by(&asked.payload).reply() == answer.command()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::can::{Packet, measured};
    use crate::entry::{FrameEntry, NoiseEntry};

    fn entry(direction: Direction, payload: &[u8]) -> Entry {
        Entry {
            at_ns: None,
            connection: 1,
            direction: Some(direction),
            offset: 0,
            kind: Kind::Frame(FrameEntry {
                payload: payload.to_vec(),
                start: 2,
                waits_for: 0,
                firmware: None,
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
        let mut folder = Folder::new(true);
        let mut steps = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            // The index takes the place of the time.
            let entry = Entry {
                at_ns: Some(index as u64),
                ..entry.clone()
            };
            let timing = Timing::default();
            folder.push(Timed { entry, timing }, &mut steps);
        }
        folder.finish(&mut steps);
        let told = steps.into_iter().map(|step| match step {
            Step::Show(timed) => timed.entry.at_ns.unwrap().to_string(),
            Step::Fold(folded) => match folded.what {
                Repeats::Exchanges(name) => format!("{} x {name}!", folded.count),
                Repeats::Frames(name) => format!("{} x {name}", folded.count),
                Repeats::Noise(bytes) => format!("{} x noise of {bytes}", folded.count),
                Repeats::Again(bytes) => format!("{} x again {bytes}", folded.count),
                Repeats::Discovery => format!("{} x discovery", folded.count),
                Repeats::Can(name) => format!("{} x {name}", folded.count),
            },
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_is_sent_again_is_folded_unless_it_differs() {
        let again = |differing| Entry {
            kind: Kind::Repeated { len: 6, differing },
            ..ask(&[])
        };
        assert_eq!(told(&vec![again(0); 4]), "0, 3 x again 18");
        assert_eq!(told(&vec![again(1); 4]), "0, 1, 2, 3");
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
                nearly: None,
                unfinished: 0,
            }),
            ..ask(&[])
        };
        assert_eq!(told(&vec![noise; 5]), "0, 4 x noise of 400");
    }

    #[test]
    fn frames_of_a_bus_that_come_in_turn_are_counted_by_node_and_packet() {
        let status = |node, packet| Entry {
            connection: 0,
            direction: None,
            kind: Kind::Can(Box::new(Heard::Frame(measured(packet, node, &[1.0; 4])))),
            ..ask(&[])
        };
        let turn = [
            status(84, Packet::STATUS),
            status(84, Packet::STATUS_4),
            status(85, Packet::STATUS),
        ];
        let mut bus = vec![turn; 10].concat();
        bus.insert(7, ask(&[96]));
        assert_eq!(
            told(&bus),
            "0, 1, 2, 7, 9 x STATUS (84 >), 9 x STATUS (85 >), 9 x STATUS_4 (84 >)"
        );
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
