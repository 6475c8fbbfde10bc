//! Mistakes in faults: what a fault says of its own parameters, at its place in the text, and what takes the whole list.

use crate::{
    error::{Mistakes, ScenarioError},
    schema::FaultEntry,
    source::{Place, Source},
};
use veschub_hub::fault::{Leaves, MAX_FAULTS};

use super::definition::check_definition;

/// Notes the mistakes in a list of faults that stands at `place`.
pub(super) fn check_faults(
    faults: &[FaultEntry],
    place: &Place,
    source: &Source,
    mistakes: &mut Mistakes,
) {
    if faults.len() > MAX_FAULTS {
        let message = format!("{} faults are too many: {MAX_FAULTS} at most", faults.len());
        mistakes.push(ScenarioError::at(source, place, message));
    }
    for (index, fault) in faults.iter().enumerate() {
        let at = |index: usize| place.clone().index(index).only();
        check_definition(&at(index), source, mistakes, |mistakes| {
            fault.check(mistakes);
        });
        mistakes.note(check_order(&faults[..index], fault, &at, source));
    }
}

/// Refuses a fault that looks at frames behind one that leaves none whole.
fn check_order(
    before: &[FaultEntry],
    fault: &FaultEntry,
    at: &dyn Fn(usize) -> Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let cutter = before.iter().position(|other| {
        other.direction() == fault.direction() && other.leaves() == Leaves::Pieces
    });
    let Some(index) = cutter.filter(|_| fault.needs_frames()) else {
        return Ok(());
    };
    let (name, cutter) = (fault.info().name, before[index].info().name);
    let message = format!("`{name}` can never fire here, because `{cutter}` leaves no frame whole");
    Err(
        ScenarioError::at(source, at(before.len()).at_key(), message)
            .also(at(index).at_key(), "comes before it")
            .help(format!("write `{name}` before `{cutter}`")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Loaded,
        duration::Duration,
        schema::{ClientDid, CommandName, Trigger},
    };
    use veschub_hub::fault::TooChatty;
    use veschub_wire::CommandId;

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
    fn every_condition_of_the_language_reaches_the_trigger() {
        let fault = "drop: { when: { command: PING_CAN, nth: 2, every: 3, after: 1s, for: 2s, probability: 0.5, \
                     client: { too_slow: 1s, too_chatty: { more_than: 9, within: 3s }, wrote_with_login: true, \
                     polled_before_firmware: false, attached_twice: true, session: 4 } } }";
        let loaded = load(&[fault]).unwrap();
        let second = Duration::from_millis(1000);
        let expected = Trigger {
            command: Some(CommandName(CommandId::PING_CAN)),
            nth: Some(2),
            every: Some(3),
            after: Some(second),
            lasts: Some(Duration(2 * second.0)),
            probability: Some(0.5),
            client: Some(ClientDid {
                too_slow: Some(second),
                too_chatty: Some(TooChatty {
                    more_than: 9,
                    within: Duration(3 * second.0),
                }),
                wrote_with_login: Some(true),
                polled_before_firmware: Some(false),
                attached_twice: Some(true),
                session: Some(4),
            }),
        };
        assert_eq!(loaded.scenario.faults[0].when(), &expected);
    }
}
