//! What a client understood: its lines, sorted by kind, and what is wrong with its readings.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use veschub_hub::journal::JournalEntry;
use veschub_scenario::{Scenario, schema::Expectation};
use veschub_wire::{CommandId, view::Value};

use super::{
    Difference, Unread, Verdict,
    compare::{self, FieldUnderstood, Judgement, Tolerance, Understood},
    facts, late, layout,
    reading::{self, BadLine, ParsedLine, Reading},
    repeats,
};
use crate::outside::{
    ending::{ProcessEnd, UNSUPPORTED},
    output::Line,
};

/// How many bad lines are shown one by one.
const BAD_LINES: usize = 5;
/// How much of a value is shown.
const SHOWN: usize = 60;

/// The lines that a client printed, sorted by kind.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    /// Its readings.
    pub readings: Vec<Reading>,
    /// Lines that are not readings.
    pub bad_lines: Vec<BadLine>,
    /// The task that it says it cannot do.
    pub unsupported: Option<String>,
}

/// Sorts the lines that a client printed by kind.
#[must_use]
pub fn sort(lines: &[Line]) -> Printed {
    let mut printed = Printed::default();
    for line in lines {
        match reading::read(line) {
            Ok(ParsedLine::Reading(reading)) => printed.readings.push(reading),
            Ok(ParsedLine::Unsupported(task)) => printed.unsupported = Some(task),
            Ok(ParsedLine::Nothing) => {}
            Err(bad) => printed.bad_lines.push(bad),
        }
    }
    printed
}

/// Why a client that says that it cannot do its task is skipped.
#[must_use]
pub fn unsupported(printed: &Printed, how: &ProcessEnd, task: &str) -> Option<String> {
    match (&printed.unsupported, how) {
        (Some(task), _) => Some(format!("the client says that it cannot do {task}")),
        (None, ProcessEnd::Exited { code: UNSUPPORTED }) => Some(format!(
            "the client cannot do {task}: exit code {UNSUPPORTED}"
        )),
        _ => None,
    }
}

/// Compares what a client printed with the replies that were delivered to it.
pub fn understand(
    verdict: &mut Verdict,
    printed: Printed,
    journal: &[JournalEntry],
    tolerance: &Tolerance,
) {
    let held_up = facts::is_held_up(journal);
    let delivered = compare::delivered(journal);
    verdict.replies = delivered.iter().map(compare::Delivered::sent).collect();
    verdict.readings = printed
        .readings
        .iter()
        .map(|reading| compare::compare(reading, &delivered, held_up, tolerance))
        .collect();
    late::excuse(&mut verdict.readings, &delivered);
    if tolerance.once && !held_up {
        repeats::mark(&mut verdict.readings, &printed.readings, &delivered);
    }
    verdict.bad_lines = printed.bad_lines;
    verdict.unread = unread(&verdict.readings);
    verdict.understood = misunderstood(&verdict.readings, &verdict.bad_lines);
}

/// What no reading shows of the replies that it is about. Of a code and its name, one is enough.
#[must_use]
pub fn unread<'a>(readings: impl IntoIterator<Item = &'a Understood>) -> Vec<Unread> {
    // The fields of each command in their order, and whether a reading shows them.
    let mut seen: Vec<(CommandId, Vec<(&str, bool)>)> = Vec::new();
    for reading in readings {
        let (Some(command), Some(_)) = (reading.command, reading.reply) else {
            continue;
        };
        let index = seen.iter().position(|(known, _)| *known == command);
        let index = index.unwrap_or_else(|| {
            seen.push((command, Vec::new()));
            seen.len() - 1
        });
        let Some((_, fields)) = seen.get_mut(index) else {
            continue;
        };
        let is_judged = |field: &&FieldUnderstood| {
            field.truth.is_some() && field.judgement != Judgement::NotJudged
        };
        for (place, field) in reading.fields.iter().filter(is_judged).enumerate() {
            let is_shown = !field.is_unread();
            let is_it = |(name, _): &(&str, bool)| *name == field.field;
            // Most readings have the same fields in the same order.
            let known = match fields.get(place).is_some_and(is_it) {
                true => Some(place),
                false => fields.iter().position(is_it),
            };
            match known.and_then(|place| fields.get_mut(place)) {
                Some((_, shown)) => *shown |= is_shown,
                None => fields.push((&field.field, is_shown)),
            }
        }
    }
    let unread = seen.into_iter().map(|(command, fields)| {
        let is_shown = |name: &str| fields.iter().any(|(known, shown)| *known == name && *shown);
        let names = fields
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !is_shown(name) && !layout::twin(command, name).is_some_and(&is_shown));
        Unread {
            command,
            fields: names.map(ToOwned::to_owned).collect(),
        }
    });
    unread.filter(|unread| !unread.fields.is_empty()).collect()
}

/// How far off a value may be: one count, or more if the scenario allows it.
#[must_use]
pub fn tolerance(scenario: &Scenario) -> Tolerance {
    let allowed = scenario
        .expect
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::Value(value) if value.item.is_none() => {
                Some((Some(value.of.0), value.field.clone(), value.within))
            }
            _ => None,
        });
    Tolerance {
        fields: allowed.collect(),
        configs: scenario.descriptions(),
        ..Tolerance::default()
    }
}

/// The mistakes, each one once, with the number of readings that have it.
fn misunderstood(readings: &[Understood], bad_lines: &[BadLine]) -> Vec<Difference> {
    let mut found: Vec<(Difference, usize, usize)> = Vec::new();
    let mut numbers: BTreeMap<Option<CommandId>, usize> = BTreeMap::new();
    for reading in readings {
        *numbers.entry(reading.command).or_default() += 1;
    }
    for reading in readings {
        let of = numbers.get(&reading.command).copied().unwrap_or_default();
        for difference in wrong_in(reading) {
            let same = |(known, ..): &&mut (Difference, usize, usize)| {
                known.field == difference.field && known.why == difference.why
            };
            match found.iter_mut().find(same) {
                Some((_, count, _)) => *count += 1,
                None => found.push((difference, 1, of)),
            }
        }
    }
    let mut differences: Vec<Difference> = found
        .into_iter()
        .map(|(mut difference, count, of)| {
            if of > 1 {
                difference
                    .why
                    .push_str(&format!(" (in {count} of {of} readings)"));
            }
            difference
        })
        .collect();
    for bad in bad_lines.iter().take(BAD_LINES) {
        let field = format!("line {}", bad.number);
        differences.push(Difference::new(
            field,
            "a reading",
            shorten(&bad.text),
            &*bad.why,
        ));
    }
    if bad_lines.len() > BAD_LINES {
        let more = format!("{} more", bad_lines.len() - BAD_LINES);
        differences.push(Difference::new(
            "lines",
            "readings",
            more,
            "these lines are not readings either",
        ));
    }
    differences
}

fn wrong_in(reading: &Understood) -> Vec<Difference> {
    let command = reading
        .command
        .map_or_else(|| "a reading".to_owned(), |command| command.to_string());
    let Some(reply) = reading.reply else {
        let names: Vec<&str> = reading.fields.iter().map(|field| &*field.field).collect();
        let none = Difference::new(
            command.clone(),
            "nothing",
            shorten(&names.join(" ")),
            NO_SUCH_REPLY,
        );
        let mut differences = vec![none];
        let misnamed =
            |field: &&FieldUnderstood| matches!(field.judgement, Judgement::UnknownName(_));
        let fields = reading.fields.iter().filter(misnamed);
        differences.extend(fields.filter_map(|field| wrong_field(&command, field)));
        return differences;
    };
    let mut differences = Vec::new();
    if reply.repeated {
        let again = format!("reply {} again", reply.number);
        differences.push(Difference::new(&*command, "nothing", again, REPEATED));
    } else if reply.stale {
        let (latest, this) = (
            format!("reply {}", reply.latest),
            format!("reply {}", reply.number),
        );
        let why = "stale: a newer reply had been sent when the client printed this line";
        differences.push(Difference::new(command.clone(), latest, this, why));
    }
    let fields = reading.fields.iter();
    differences.extend(fields.filter_map(|field| wrong_field(&command, field)));
    differences
}

fn wrong_field(command: &str, field: &FieldUnderstood) -> Option<Difference> {
    let why = why(&field.judgement)?;
    let (item, truth, decoded) = shown(field.truth.as_ref(), field.decoded.as_ref());
    let name = format!("{command}.{}{item}", field.field);
    Some(Difference::new(name, truth, decoded, why))
}

/// Why a reading is wrong that has no reply.
pub(crate) const NO_SUCH_REPLY: &str =
    "the device had sent no such reply when the client printed this line";

/// Why a reading is wrong whose reply was told before.
pub(crate) const REPEATED: &str = "repeated: the client had told of every reply before, so this line shows an old value as if it were a new one";

/// Why a field is wrong, if it is.
pub(crate) fn why(judgement: &Judgement) -> Option<String> {
    match judgement {
        Judgement::Wrong(Some(mistake)) => Some(mistake.to_string()),
        Judgement::Wrong(None) => {
            Some("a different value; it fits none of the known mistakes".to_owned())
        }
        Judgement::Invented(mistake) => Some(match mistake {
            Some(mistake) => format!("the reply does not have this field: {mistake}"),
            None => "the reply does not have this field".to_owned(),
        }),
        Judgement::UnknownName(nearest) => {
            let advice = match nearest {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`veschub-harness schema reading` prints all names".to_owned(),
            };
            Some(format!("no reply has a field of this name; {advice}"))
        }
        _ => None,
    }
}

/// The true value and the client's value; for lists, the first item that differs.
pub(crate) fn shown(truth: Option<&Value>, decoded: Option<&Json>) -> (String, String, String) {
    if let (Some(Value::List(truth)), Some(Json::Array(decoded))) = (truth, decoded) {
        if truth.len() != decoded.len() {
            let length = |length| format!("{length} elements");
            return (String::new(), length(truth.len()), length(decoded.len()));
        }
        let differs = |(truth, decoded): &(&Value, &Json)| !compare::same(truth, decoded, 0.0);
        let pairs = || truth.iter().zip(decoded);
        // A difference that single precision explains does not count.
        if let Some(index) = pairs().position(|pair| differs(&pair))
            && let Some((truth, decoded)) = pairs().nth(index)
        {
            return (
                format!("[{index}]"),
                shorten(&truth.to_string()),
                shorten(&decoded.to_string()),
            );
        }
    }
    let truth = truth.map(Value::to_string).unwrap_or_default();
    let decoded = decoded.map(Json::to_string).unwrap_or_default();
    (String::new(), shorten(&truth), shorten(&decoded))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use veschub_hub::time::Time;
    use veschub_scenario::Loaded;

    use super::{
        super::{Outcome, Played, conduct::Conduct},
        *,
    };
    use veschub_hub::journal::JournalEvent;

    fn lines(texts: &[&str]) -> Vec<Line> {
        let line = |(index, text): (usize, &&str)| Line {
            number: index + 1,
            at: Duration::ZERO,
            after: usize::MAX,
            text: text.as_bytes().to_vec(),
            cut: false,
        };
        texts.iter().enumerate().map(line).collect()
    }

    fn scenario() -> Scenario {
        let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: x }\n";
        Loaded::parse("test", text).unwrap().scenario
    }

    fn scan() -> Vec<JournalEntry> {
        let entry = |event| JournalEntry {
            at: Time::ZERO,
            conn: None,
            device: None,
            event,
        };
        let reply = JournalEvent::Reply {
            payload: vec![62, 7, 84],
            truth: None,
        };
        vec![entry(JournalEvent::Request(vec![62])), entry(reply)]
    }

    fn verdict_on(texts: &[&str]) -> Verdict {
        let mut verdict = Verdict::default();
        understand(
            &mut verdict,
            sort(&lines(texts)),
            &scan(),
            &tolerance(&scenario()),
        );
        verdict
    }

    fn conduct(how: ProcessEnd, journal: &[JournalEntry]) -> Vec<Difference> {
        let played = Played::of(journal.to_vec(), Vec::new(), how);
        let conduct = Conduct::new(&played, &[]);
        let mut found: Vec<_> = conduct.exit_code().into_iter().collect();
        found.extend(conduct.process());
        found.extend(conduct.contact());
        found
    }

    #[test]
    fn a_client_that_prints_nothing_is_not_judged_by_what_it_understood() {
        assert_eq!(verdict_on(&[]).outcome(), Outcome::Passed);
    }

    #[test]
    fn what_is_wrong_is_told_once_with_how_often() {
        let capped = r#"{"command": "PING_CAN", "fields": {"can_ids": [7]}}"#;
        let right = r#"{"command": "PING_CAN", "fields": {"can_ids": [7, 84]}}"#;
        let verdict = verdict_on(&[capped, right, capped]);
        let [one] = &verdict.understood[..] else {
            unreachable!("{:?}", verdict.understood);
        };
        assert_eq!(one.field, "PING_CAN.can_ids");
        assert_eq!([&one.truth, &one.decoded], ["2 elements", "1 elements"]);
        assert_eq!(
            one.why,
            "the list ends too early, at 1 (in 2 of 3 readings)"
        );
    }

    #[test]
    fn a_misspelt_field_costs_itself_and_is_told_with_the_name_that_is_meant() {
        let verdict = verdict_on(&[r#"{"fields": {"can_idss": [7], "can_ids": [7, 84]}}"#]);
        let [one] = &verdict.understood[..] else {
            unreachable!("{:?}", verdict.understood);
        };
        assert_eq!(one.field, "PING_CAN.can_idss");
        assert!(one.why.contains("did you mean `can_ids`?"), "{}", one.why);
    }

    #[test]
    fn a_reading_without_a_value_is_no_reading_and_fails() {
        for empty in [
            r#"{"command": "PING_CAN", "fields": {}}"#,
            r#"{"command": "PING_CAN", "fields": {"can_ids": null}}"#,
        ] {
            let verdict = verdict_on(&[empty]);
            assert_eq!(verdict.readings, []);
            assert_eq!(verdict.outcome(), Outcome::Failed);
        }
    }

    #[test]
    fn what_no_reading_shows_is_a_finding_and_no_mistake() {
        let entry = |event| JournalEntry {
            at: Time::ZERO,
            conn: None,
            device: None,
            event,
        };
        let payload = b"\x00\x06\x05hardware\x00abcdefghijkl\x01".to_vec();
        let journal = [
            entry(JournalEvent::Request(vec![0])),
            entry(JournalEvent::Reply {
                payload,
                truth: None,
            }),
        ];
        let judged = |texts: &[&str]| {
            let mut verdict = Verdict::default();
            let tolerance = tolerance(&scenario());
            understand(&mut verdict, sort(&lines(texts)), &journal, &tolerance);
            verdict
        };
        let verdict = judged(&[
            r#"{"fields": {"firmware": "6.05", "uuid": null}}"#,
            r#"{"fields": {"hardware": "hardware"}}"#,
        ]);
        assert_eq!(verdict.outcome(), Outcome::Passed);
        let [unread] = &verdict.unread[..] else {
            unreachable!("{:?}", verdict.unread);
        };
        assert_eq!(unread.command, CommandId::FW_VERSION);
        assert_eq!(unread.fields, ["uuid", "paired"]);
        // In a test of its own client, a null is not what somebody meant.
        let mut stated = verdict;
        stated.demand_values();
        assert_eq!(stated.outcome(), Outcome::Failed);
        assert_eq!(stated.understood[0].field, "FW_VERSION.uuid");
        assert_eq!(judged(&[]).unread, []);
    }

    #[test]
    fn a_field_that_is_no_number_is_wrong_and_the_others_count() {
        let verdict = verdict_on(&[r#"{"fields": {"can_ids": [7, NaN]}}"#]);
        let [one] = &verdict.understood[..] else {
            unreachable!("{:?}", verdict.understood);
        };
        assert_eq!(one.why, "the client printed NaN, which is not a number");
        assert!(verdict.bad_lines.is_empty());
    }

    #[test]
    fn of_a_list_the_item_that_differs_is_shown() {
        let value = json!([1.0, 2.5]);
        let truth = Value::from(vec![1_u8, 2]);
        assert_eq!(shown(Some(&truth), Some(&value)).0, "[1]");
    }

    #[test]
    fn many_bad_lines_are_told_in_part() {
        let texts = ["oops"; 9];
        let told = verdict_on(&texts).understood;
        assert_eq!(told.len(), BAD_LINES + 1);
        assert_eq!(told[BAD_LINES].decoded, "4 more");
    }

    #[test]
    fn a_client_that_cannot_do_its_task_says_so_in_one_of_two_ways() {
        let said = sort(&lines(&[r#"{"unsupported": "scan-can"}"#]));
        let done = ProcessEnd::Exited { code: 0 };
        assert!(unsupported(&said, &done, "scan-can").is_some());
        let nothing = Printed::default();
        assert_eq!(unsupported(&nothing, &done, "scan-can"), None);
        assert!(unsupported(&nothing, &ProcessEnd::Exited { code: 77 }, "scan-can").is_some());
    }

    #[test]
    fn who_never_connects_is_told_with_how_the_process_ended() {
        let found = conduct(ProcessEnd::Exited { code: 3 }, &[]);
        assert_eq!(found[0].field, "exit code");
        assert_eq!(found[1].why, "the client ended with exit code 3");
    }
}
