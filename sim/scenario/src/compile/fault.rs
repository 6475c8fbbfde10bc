//! Faults: their checks, and the plan that links are armed from.

use veschub_transcript::Direction;

use super::duration;
use crate::{
    duration::Duration,
    error::{Mistakes, ScenarioError},
    schema::{self, Fault, When},
    source::{Place, Source},
};
use veschub_hub::fault::{
    Bandwidth, ClientDid, Corrupt, Cut, Delay, DropFrame, Duplicate, FaultPlan, Garbage, HalfClose,
    Jitter, Junk, MAX_FAULTS, MAX_GARBAGE, MAX_MERGED, MAX_RECENT, MAX_TIMES, Merge, Part,
    Position, Reorder, Reset, SlowClose, Split, Stall, Trigger, Truncate,
};

/// How much garbage there is where nobody says.
const GARBAGE_BYTES: usize = 8;

/// The most pieces that a frame can be cut into by request.
const MAX_PIECES: usize = 65_536;

/// No frame has fewer bytes: two of header, one of payload, two of CRC, one of stop.
const SHORTEST_FRAME: usize = 6;

/// The faults of a scenario, ready to arm any number of links.
#[must_use]
pub fn fault_plan(faults: &[Fault]) -> FaultPlan {
    let mut plan = FaultPlan::default();
    for fault in faults {
        add(&mut plan, fault);
    }
    plan
}

fn add(plan: &mut FaultPlan, fault: &Fault) {
    let (_, direction, when) = fault.parts();
    let to = match direction {
        schema::FaultDirection::ToTool => Direction::ToTool,
        schema::FaultDirection::ToDevice => Direction::ToDevice,
    };
    let when = trigger(when);
    match fault {
        Fault::Bandwidth(fault) => plan.add(to, Bandwidth::new(fault.bytes_per_second), when),
        Fault::Corrupt(fault) => plan.add(to, Corrupt::new(part(fault.part)), when),
        Fault::Delay(fault) => plan.add(to, Delay::new(duration(fault.by)), when),
        Fault::Drop(_) => plan.add(to, DropFrame, when),
        Fault::Duplicate(fault) => plan.add(to, Duplicate::new(fault.times), when),
        Fault::Garbage(fault) => plan.add(to, garbage(fault), when),
        Fault::HalfClose(fault) => plan.add(to, HalfClose::new(fault.keep), when),
        Fault::Jitter(fault) => plan.add(to, Jitter::new(duration(fault.up_to)), when),
        Fault::Merge(fault) => {
            plan.add(
                to,
                Merge::new(fault.frames, fault.within.map(duration)),
                when,
            );
        }
        Fault::Reorder(fault) => {
            plan.add(
                to,
                Reorder::new(fault.behind, fault.within.map(duration)),
                when,
            );
        }
        Fault::Reset(fault) => plan.add(to, Reset::new(fault.keep), when),
        Fault::SlowClose(fault) => plan.add(to, SlowClose::new(duration(fault.by)), when),
        Fault::Split(fault) => plan.add(to, Split::new(cut(fault), duration(fault.gap)), when),
        Fault::Stall(fault) => plan.add(to, Stall::new(fault.lasts.map(duration)), when),
        Fault::Truncate(fault) => plan.add(to, Truncate::new(fault.keep), when),
    }
}

fn trigger(when: &When) -> Trigger {
    let client = when.client.clone().unwrap_or_default();
    Trigger {
        command: when.command.map(|command| command.0),
        nth: when.nth,
        every: when.every,
        after: when.after.map(duration),
        lasts: when.lasts.map(duration),
        probability: when.probability,
        client: ClientDid {
            too_slow: client.too_slow.map(duration),
            too_chatty: client
                .too_chatty
                .map(|chatty| (chatty.more_than, duration(chatty.within))),
            wrote_with_login: client.wrote_with_login,
            polled_before_firmware: client.polled_before_firmware,
            attached_twice: client.attached_twice,
            session: client.session,
        },
    }
}

fn part(part: schema::Part) -> Part {
    match part {
        schema::Part::Payload => Part::Payload,
        schema::Part::Crc => Part::Crc,
        schema::Part::Length => Part::Length,
        schema::Part::Stop => Part::Stop,
    }
}

fn garbage(fault: &schema::Garbage) -> Garbage {
    let count = fault.bytes.unwrap_or(GARBAGE_BYTES);
    let junk = match fault.kind {
        Some(schema::GarbageKind::Random) => Junk::Random(count),
        Some(schema::GarbageKind::Nuls) => Junk::Nuls(count),
        Some(schema::GarbageKind::FalseStart) => Junk::FalseStart,
        None => {
            let hex = fault.hex.as_deref().unwrap_or_default();
            Junk::Bytes(read_hex(hex).unwrap_or_default())
        }
    };
    let position = match fault.position {
        schema::Position::Before => Position::Before,
        schema::Position::After => Position::After,
    };
    Garbage::new(junk, position)
}

fn cut(fault: &schema::Split) -> Cut {
    match (&fault.at, fault.pieces) {
        (Some(at), _) => Cut::At(at.clone()),
        (None, Some(pieces)) => Cut::Pieces(pieces),
        (None, None) => Cut::EveryByte,
    }
}

/// Bytes written as pairs of hex digits, with or without blanks between the pairs.
fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| Some(c.to_digit(16)? as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

/// The mistakes in a list of faults that stands at `place`, one a fault.
pub(super) fn check_faults(
    faults: &[Fault],
    place: &Place,
    source: &Source,
    mistakes: &mut Mistakes,
) {
    if faults.len() > MAX_FAULTS {
        let message = format!("{} faults are too many: {MAX_FAULTS} at most", faults.len());
        mistakes.push(source.error_at(place, message));
    }
    for (index, fault) in faults.iter().enumerate() {
        let (_, _, when) = fault.parts();
        let at = At {
            place: place.clone().index(index).only(),
            source,
        };
        mistakes.note(
            check_when(when, &at.inside("when"))
                .and_then(|()| check_parameters(fault, &at))
                .and_then(|()| check_order(&faults[..index], fault, place, &at)),
        );
    }
}

/// Where in the text a check looks.
struct At<'a> {
    place: Place,
    source: &'a Source,
}

type Checked = Result<(), ScenarioError>;

impl At<'_> {
    fn inside(&self, key: &str) -> Self {
        Self {
            place: self.place.clone().key(key),
            source: self.source,
        }
    }

    fn wrong(&self, message: impl Into<String>) -> ScenarioError {
        self.source.error_at(&self.place, message)
    }

    fn wrong_at(&self, key: &str, message: impl Into<String>) -> ScenarioError {
        self.inside(key).wrong(message)
    }

    /// Refuses a number that is given and outside of a range.
    fn range(&self, key: &str, given: Option<usize>, least: usize, most: usize) -> Checked {
        match given {
            Some(number) if !(least..=most).contains(&number) => Err(self.wrong_at(
                key,
                format!("{number} is out of range: wanted {least} to {most}"),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a count of nothing.
    fn counted(&self, key: &str, given: Option<u64>) -> Checked {
        match given {
            Some(0) => Err(self
                .wrong_at(key, format!("`{key}` counts from 1, so 0 never comes"))
                .help("the first one is 1")),
            _ => Ok(()),
        }
    }

    /// Refuses a time of no length, `so` that nothing comes of it.
    fn lasting(&self, key: &str, given: Option<Duration>, so: &str) -> Checked {
        match given {
            Some(Duration(0)) => Err(self.wrong_at(key, format!("a time of 0 s {so}"))),
            _ => Ok(()),
        }
    }

    /// Refuses two keys that are given and exclude each other.
    fn not_both(&self, keys: [(&str, bool); 2]) -> Checked {
        let [(first, first_given), (second, second_given)] = keys;
        if !first_given || !second_given {
            return Ok(());
        }
        let place = |key: &str| self.place.clone().key(key).at_key();
        let message = format!("`{first}` and `{second}` contradict each other");
        Err(self
            .source
            .error_at(place(second), message)
            .also(place(first), "the other one")
            .help("keep one of them"))
    }
}

fn check_when(when: &When, at: &At<'_>) -> Checked {
    at.counted("nth", when.nth)?;
    at.counted("every", when.every)?;
    at.lasting("for", when.lasts, "is over before it begins")?;
    if let Some(chance) = when.probability
        && !(0.0..=1.0).contains(&chance)
    {
        let message = format!("{chance} is out of range: wanted 0 to 1");
        return Err(at
            .wrong_at("probability", message)
            .help("0.2 is one time out of five"));
    }
    match &when.client {
        Some(client) => check_client(client, &at.inside("client")),
        None => Ok(()),
    }
}

fn check_client(client: &schema::ClientDid, at: &At<'_>) -> Checked {
    let given = [
        client.too_slow.is_some(),
        client.too_chatty.is_some(),
        client.wrote_with_login.is_some(),
        client.polled_before_firmware.is_some(),
        client.attached_twice.is_some(),
        client.session.is_some(),
    ];
    if !given.contains(&true) {
        return Err(at
            .wrong("`client` does not say what the client did")
            .help("e.g. `client: { too_slow: 500ms }`"));
    }
    if let Some(chatty) = &client.too_chatty {
        let at = at.inside("too_chatty");
        at.range("more_than", Some(chatty.more_than), 1, MAX_RECENT - 1)?;
        at.lasting("within", Some(chatty.within), "holds one request only")?;
    }
    at.counted("session", client.session.map(u64::from))?;
    match (client.session, client.attached_twice) {
        (Some(session), Some(twice)) if (session > 1) != twice => Err(at
            .wrong_at(
                "session",
                format!("session {session} and `attached_twice: {twice}` contradict each other"),
            )
            .also(
                at.place.clone().key("attached_twice"),
                "is true from the second session on",
            )
            .help("keep one of them")),
        _ => Ok(()),
    }
}

fn check_parameters(fault: &Fault, at: &At<'_>) -> Checked {
    const NO_HARM: &str = "does no harm";
    match fault {
        Fault::Bandwidth(fault) if fault.bytes_per_second == 0 => Err(at
            .wrong_at("bytes_per_second", "a link with 0 bytes per second is dead")
            .help("`stall: {}` says that")),
        Fault::Delay(fault) => at.lasting("by", Some(fault.by), NO_HARM),
        Fault::Duplicate(fault) => at.range("times", Some(fault.times), 1, MAX_TIMES),
        Fault::Garbage(fault) => check_garbage(fault, at),
        Fault::Jitter(fault) => at.lasting("up_to", Some(fault.up_to), NO_HARM),
        Fault::Merge(fault) => {
            if fault.frames.is_none() && fault.within.is_none() {
                return Err(at.wrong("`merge` wants `frames`, `within` or both").help(
                    "`frames` says how many come together, `within` how long to wait for them",
                ));
            }
            at.range("frames", fault.frames, 2, MAX_MERGED)?;
            at.lasting("within", fault.within, "merges nothing")
        }
        Fault::Reorder(fault) => {
            at.range("behind", Some(fault.behind), 1, MAX_MERGED)?;
            at.lasting("within", fault.within, "reorders nothing")
        }
        Fault::SlowClose(fault) => {
            at.lasting("by", Some(fault.by), NO_HARM)?;
            let when = &fault.when;
            let counts = [
                ("command", when.command.is_some()),
                ("nth", when.nth.is_some()),
                ("every", when.every.is_some()),
            ];
            match counts.into_iter().find(|(_, given)| *given) {
                Some((key, _)) => Err(at.inside("when").wrong_at(
                    key,
                    "the end of a stream is no frame, so this can never be met",
                )),
                None => Ok(()),
            }
        }
        Fault::Split(fault) => check_split(fault, at),
        Fault::Stall(fault) => at.lasting("for", fault.lasts, NO_HARM),
        Fault::Truncate(fault) if fault.keep == 0 => Err(at
            .wrong_at("keep", "nothing is left of the frame")
            .help("`drop` says that")),
        Fault::Bandwidth(_)
        | Fault::Corrupt(_)
        | Fault::Drop(_)
        | Fault::HalfClose(_)
        | Fault::Reset(_)
        | Fault::Truncate(_) => Ok(()),
    }
}

fn check_garbage(fault: &schema::Garbage, at: &At<'_>) -> Checked {
    use schema::GarbageKind::{Nuls, Random};
    at.not_both([("kind", fault.kind.is_some()), ("hex", fault.hex.is_some())])?;
    at.range("bytes", fault.bytes, 1, MAX_GARBAGE)?;
    let counted = matches!(fault.kind, Some(Random | Nuls));
    if fault.bytes.is_some() && !counted {
        return Err(at
            .wrong_at(
                "bytes",
                "`bytes` counts what is `random` or `nuls`, and this is neither",
            )
            .help("leave it out"));
    }
    let Some(hex) = &fault.hex else {
        return match fault.kind {
            Some(_) => Ok(()),
            None => Err(at
                .wrong("`garbage` wants one of `kind` and `hex`")
                .help("e.g. `kind: random`, or `hex: \"02 ff\"`")),
        };
    };
    match read_hex(hex) {
        Some(bytes) if bytes.is_empty() => Err(at.wrong_at("hex", "there is no garbage in it")),
        Some(bytes) if bytes.len() > MAX_GARBAGE => {
            let message = format!("{} bytes are too many: {MAX_GARBAGE} at most", bytes.len());
            Err(at.wrong_at("hex", message))
        }
        Some(_) => Ok(()),
        None => Err(at
            .wrong_at("hex", format!("`{hex}` is not hex"))
            .help("write two digits a byte, e.g. `\"02 ff\"`")),
    }
}

fn check_split(fault: &schema::Split, at: &At<'_>) -> Checked {
    let ways = [
        ("at", fault.at.is_some()),
        ("every_byte", fault.every_byte),
        ("pieces", fault.pieces.is_some()),
    ];
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
        at.not_both([ways[first], ways[second]])?;
    }
    if !ways.iter().any(|(_, given)| *given) {
        return Err(at
            .wrong("`split` wants one of `at`, `every_byte` and `pieces`")
            .help("e.g. `every_byte: true`"));
    }
    at.range("pieces", fault.pieces, 2, MAX_PIECES)?;
    let offsets = fault.at.as_deref();
    if offsets.is_some_and(<[usize]>::is_empty) {
        return Err(at.wrong_at("at", "there is no offset to cut at"));
    }
    match offsets.and_then(|offsets| offsets.iter().position(|&offset| offset == 0)) {
        Some(index) => Err(at
            .source
            .error_at(
                at.place.clone().key("at").index(index),
                "a cut before byte 0 cuts nothing off",
            )
            .help("1 cuts behind the first byte")),
        None => Ok(()),
    }
}

/// Refuses a fault that looks at frames behind one that leaves none whole.
fn check_order(before: &[Fault], fault: &Fault, faults: &Place, at: &At<'_>) -> Checked {
    let (name, direction, when) = fault.parts();
    let looks_at_frames = trigger(when).needs_frames()
        || match fault {
            Fault::Corrupt(_)
            | Fault::Drop(_)
            | Fault::Duplicate(_)
            | Fault::Garbage(_)
            | Fault::Reorder(_)
            | Fault::Truncate(_) => true,
            Fault::Merge(merge) => merge.frames.is_some(),
            Fault::Split(split) => split.at.is_some(),
            _ => false,
        };
    let cutter = before
        .iter()
        .position(|other| other.parts().1 == direction && leaves_no_frame(other));
    match cutter {
        Some(index) if looks_at_frames => {
            let (cutter, ..) = before[index].parts();
            Err(at
                .source
                .error_at(
                    at.place.clone().at_key(),
                    format!(
                        "`{name}` can never fire here, because `{cutter}` leaves no frame whole"
                    ),
                )
                .also(
                    faults.clone().index(index).only().at_key(),
                    "comes before it",
                )
                .help(format!("write `{name}` before `{cutter}`")))
        }
        _ => Ok(()),
    }
}

fn leaves_no_frame(fault: &Fault) -> bool {
    let (_, _, when) = fault.parts();
    let cuts_short = |at: usize| (1..SHORTEST_FRAME).contains(&at);
    trigger(when) == Trigger::default()
        && match fault {
            Fault::Split(schema::Split { at: Some(at), .. }) => at.iter().any(|&at| cuts_short(at)),
            Fault::Split(_) => true,
            Fault::Truncate(truncate) => cuts_short(truncate.keep),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loaded;

    /// Where the list of faults begins in the scenarios below.
    const FIRST_LINE: usize = 5;

    fn load(faults: &[&str]) -> Result<Loaded, ScenarioError> {
        let device = "version: 1\ndevices:\n- express: { id: demo-0001, password: not-a-secret }\n";
        let faults: String = faults.iter().map(|fault| format!("- {fault}\n")).collect();
        let text = format!("{device}faults:\n{faults}");
        Loaded::parse("test.yaml", &text)
    }

    /// The message, and the text from the place that is pointed at to the end of the line.
    fn refused(faults: &[&str]) -> (String, String) {
        let Err(error) = load(faults) else {
            panic!("accepted: {faults:?}");
        };
        let line = faults[error.line().unwrap() - FIRST_LINE];
        let column = error.column().unwrap() - "- ".len();
        (error.message().to_owned(), line[column - 1..].to_owned())
    }

    #[test]
    fn a_parameter_out_of_range_or_without_effect_is_refused_where_it_stands() {
        for (fault, place, message) in [
            (
                "bandwidth: { bytes_per_second: 0 }",
                "0 }",
                "a link with 0 bytes per second is dead",
            ),
            ("delay: { by: 0s }", "0s }", "a time of 0 s does no harm"),
            (
                "jitter: { up_to: 0s }",
                "0s }",
                "a time of 0 s does no harm",
            ),
            (
                "slow-close: { by: 0s }",
                "0s }",
                "a time of 0 s does no harm",
            ),
            ("stall: { for: 0s }", "0s }", "a time of 0 s does no harm"),
            (
                "duplicate: { times: 0 }",
                "0 }",
                "0 is out of range: wanted 1 to 16",
            ),
            (
                "duplicate: { times: 17 }",
                "17 }",
                "17 is out of range: wanted 1 to 16",
            ),
            (
                "merge: { frames: 1 }",
                "1 }",
                "1 is out of range: wanted 2 to 4096",
            ),
            (
                "merge: { within: 0s }",
                "0s }",
                "a time of 0 s merges nothing",
            ),
            (
                "reorder: { behind: 0 }",
                "0 }",
                "0 is out of range: wanted 1 to 4096",
            ),
            (
                "reorder: { within: 0s }",
                "0s }",
                "a time of 0 s reorders nothing",
            ),
            (
                "truncate: { keep: 0 }",
                "0 }",
                "nothing is left of the frame",
            ),
            (
                "split: { pieces: 1 }",
                "1 }",
                "1 is out of range: wanted 2 to 65536",
            ),
            ("split: { at: [] }", "[] }", "there is no offset to cut at"),
            (
                "split: { at: [3, 0] }",
                "0] }",
                "a cut before byte 0 cuts nothing off",
            ),
            (
                "garbage: { kind: nuls, bytes: 0 }",
                "0 }",
                "0 is out of range: wanted 1 to 65536",
            ),
            (
                "garbage: { hex: \"\" }",
                "\"\" }",
                "there is no garbage in it",
            ),
            (
                "garbage: { hex: \"02 f\" }",
                "\"02 f\" }",
                "`02 f` is not hex",
            ),
            ("garbage: { hex: xy }", "xy }", "`xy` is not hex"),
        ] {
            assert_eq!(
                refused(&[fault]),
                (message.to_owned(), place.to_owned()),
                "{fault}"
            );
        }
    }

    #[test]
    fn keys_that_contradict_each_other_or_are_missing_are_refused() {
        for (fault, place, message) in [
            (
                "split: { every_byte: true, pieces: 3 }",
                "pieces: 3 }",
                "`every_byte` and `pieces` contradict each other",
            ),
            (
                "split: { at: [1], every_byte: true }",
                "every_byte: true }",
                "`at` and `every_byte` contradict each other",
            ),
            (
                "split: { gap: 2ms }",
                "{ gap: 2ms }",
                "`split` wants one of `at`, `every_byte` and `pieces`",
            ),
            (
                "garbage: { kind: nuls, hex: \"00\" }",
                "hex: \"00\" }",
                "`kind` and `hex` contradict each other",
            ),
            (
                "garbage: {}",
                "{}",
                "`garbage` wants one of `kind` and `hex`",
            ),
            (
                "garbage: { kind: false-start, bytes: 3 }",
                "3 }",
                "`bytes` counts what is `random` or `nuls`, and this is neither",
            ),
            (
                "merge: {}",
                "{}",
                "`merge` wants `frames`, `within` or both",
            ),
        ] {
            assert_eq!(
                refused(&[fault]),
                (message.to_owned(), place.to_owned()),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_trigger_that_cannot_be_is_refused() {
        for (when, place, message) in [
            ("nth: 0", "0 } }", "`nth` counts from 1, so 0 never comes"),
            (
                "every: 0",
                "0 } }",
                "`every` counts from 1, so 0 never comes",
            ),
            (
                "for: 0s",
                "0s } }",
                "a time of 0 s is over before it begins",
            ),
            (
                "probability: 1.5",
                "1.5 } }",
                "1.5 is out of range: wanted 0 to 1",
            ),
            (
                "probability: -1",
                "-1 } }",
                "-1 is out of range: wanted 0 to 1",
            ),
            (
                "probability: .nan",
                ".nan } }",
                "NaN is out of range: wanted 0 to 1",
            ),
            (
                "client: {}",
                "{} } }",
                "`client` does not say what the client did",
            ),
            (
                "client: { session: 0 }",
                "0 } } }",
                "`session` counts from 1, so 0 never comes",
            ),
            (
                "client: { session: 2, attached_twice: false }",
                "2, attached_twice: false } } }",
                "session 2 and `attached_twice: false` contradict each other",
            ),
            (
                "client: { too_chatty: { more_than: 5000, within: 1s } }",
                "5000, within: 1s } } } }",
                "5000 is out of range: wanted 1 to 4095",
            ),
            (
                "client: { too_chatty: { more_than: 5, within: 0s } }",
                "0s } } } }",
                "a time of 0 s holds one request only",
            ),
        ] {
            let fault = format!("drop: {{ when: {{ {when} }} }}");
            assert_eq!(
                refused(&[&fault]),
                (message.to_owned(), place.to_owned()),
                "{fault}"
            );
        }
    }

    #[test]
    fn the_end_of_a_stream_is_no_frame() {
        for when in ["nth: 1", "every: 1", "command: BMS_GET_VALUES"] {
            let fault = format!("slow-close: {{ by: 1s, when: {{ {when} }} }}");
            let (message, _) = refused(&[&fault]);
            let expected = "the end of a stream is no frame, so this can never be met";
            assert_eq!(message, expected);
        }
        load(&["slow-close: { by: 1s, when: { probability: 0.5, after: 1s } }"]).unwrap();
    }

    #[test]
    fn what_looks_at_frames_may_not_stand_behind_what_leaves_none() {
        let cutters = [
            ("split", "split: { every_byte: true }"),
            ("split", "split: { pieces: 2 }"),
            ("split", "split: { at: [40, 3] }"),
            ("truncate", "truncate: { keep: 5 }"),
        ];
        let lookers = [
            ("corrupt", "corrupt: { part: crc }"),
            ("reset", "reset: { when: { nth: 3 } }"),
            ("merge", "merge: { frames: 2 }"),
        ];
        for (cutter, cut) in cutters {
            for (looker, look) in lookers {
                let (message, place) = refused(&[cut, look]);
                let expected = format!(
                    "`{looker}` can never fire here, because `{cutter}` leaves no frame whole"
                );
                assert_eq!((message, place.as_str()), (expected, look));
                load(&[look, cut]).unwrap();
            }
            load(&[cut, "delay: { by: 1s }"]).unwrap();
            load(&[cut, "corrupt: { part: crc, direction: to-device }"]).unwrap();
        }
        let sometimes = "split: { every_byte: true, when: { probability: 0.5 } }";
        load(&[sometimes, "corrupt: { part: crc }"]).unwrap();
        load(&["split: { at: [6] }", "corrupt: { part: crc }"]).unwrap();
    }

    #[test]
    fn so_many_faults_and_no_more() {
        load(&["drop: {}"; MAX_FAULTS]).unwrap();
        let error = load(&["drop: {}"; MAX_FAULTS + 1]).unwrap_err();
        assert_eq!(error.message(), "33 faults are too many: 32 at most");
    }

    #[test]
    fn hex_is_read_with_and_without_blanks() {
        for text in ["02ffA0", "02 ff a0", " 02 FFa0\t"] {
            assert_eq!(read_hex(text), Some(vec![0x02, 0xFF, 0xA0]), "{text}");
        }
        for text in ["2", "0x02", "g0", "02-ff"] {
            assert_eq!(read_hex(text), None, "{text}");
        }
    }

    #[test]
    fn every_condition_of_the_language_reaches_the_trigger() {
        let fault = "drop: { when: { command: PING_CAN, nth: 2, every: 3, after: 1s, for: 2s, probability: 0.5, \
                     client: { too_slow: 1s, too_chatty: { more_than: 9, within: 3s }, wrote_with_login: true, \
                     polled_before_firmware: false, attached_twice: true, session: 4 } } }";
        let loaded = load(&[fault]).unwrap();
        let armed = fault_plan(&loaded.scenario.faults).arm(Direction::ToTool);
        let second = std::time::Duration::from_secs(1);
        let expected = Trigger {
            command: Some(veschub_wire::CommandId::PING_CAN),
            nth: Some(2),
            every: Some(3),
            after: Some(second),
            lasts: Some(2 * second),
            probability: Some(0.5),
            client: ClientDid {
                too_slow: Some(second),
                too_chatty: Some((9, 3 * second)),
                wrote_with_login: Some(true),
                polled_before_firmware: Some(false),
                attached_twice: Some(true),
                session: Some(4),
            },
        };
        assert_eq!(armed[0].trigger, expected);
    }
}
