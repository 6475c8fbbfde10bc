//! The bytes of a session's frames, with the fields marked.
//!
//! [`layout`] says where a number is; the decoder of the wire crate gives its name and value. Each different frame is
//! shown once, with the times at which it passed. Replies that may hold secrets are not shown.

use maud::{Markup, html};
use veschub_transcript::{Direction, masking::has_credentials};
use veschub_wire::{
    CommandId, Reply, Request,
    view::{Fields, Value, View as _},
};

use super::{super::plain_line, budget::Share, counted, kind};
use crate::{
    judge::layout::{Slot, layout},
    report::model::{CaseReport, EntryReport},
};

/// Bytes a line.
const LINE: usize = 16;
/// How many bytes of a frame are shown.
const LONGEST: usize = 1024;
/// How many of its times are shown.
const TIMES: usize = 6;
/// The number of tints that take turns, so that neighbours differ.
const TINTS: usize = 4;

/// A frame that passed once or more.
struct Frame<'a> {
    step: &'a EntryReport,
    hex: &'a str,
    times: Vec<f64>,
    /// Whether the client misunderstood something in it.
    suspect: bool,
}

pub(super) fn frames(case: &CaseReport, share: Share) -> Markup {
    let frames = different(case);
    let mut marked: Vec<usize> = (0..frames.len())
        .filter(|&index| frames[index].step.direction.as_deref() == Some("to-tool"))
        .collect();
    // First frames that were misunderstood, then long ones, which have the most to explain.
    marked.sort_by_key(|&index| (!frames[index].suspect, usize::MAX - frames[index].hex.len()));
    marked.truncate(share.marked);
    let is_shown = |index: &usize| marked.contains(index);
    let mut plain = share.plain;
    let shown: Vec<usize> = (0..frames.len())
        .filter(|index| {
            is_shown(index) || {
                let has = plain > 0;
                plain = plain.saturating_sub(1);
                has
            }
        })
        .collect();
    let left_out = frames.len() - shown.len();
    html! {
        @if !frames.is_empty() {
            details.bytes open[frames.iter().any(|frame| frame.suspect)] {
                summary { "bytes, " (counted(frames.len(), "different frame")) }
                @for index in shown {
                    (told(case, &frames[index], is_shown(&index)))
                }
                @if left_out > 0 {
                    p.left-out { (counted(left_out, "other frame")) " left out" }
                }
            }
        }
    }
}

fn different(case: &CaseReport) -> Vec<Frame<'_>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for step in &case.transcript {
        let Some(hex) = step.hex.as_deref().filter(|hex| !hex.is_empty()) else {
            continue;
        };
        let index = *known
            .entry((step.direction.as_deref(), hex))
            .or_insert_with(|| {
                let suspect = step.direction.as_deref() == Some("to-tool")
                    && step.command.as_deref().is_some_and(|command| {
                        let start = format!("{command}.");
                        case.differences
                            .iter()
                            .any(|one| one.field.starts_with(&start))
                    });
                let times = Vec::new();
                frames.push(Frame {
                    step,
                    hex,
                    times,
                    suspect,
                });
                frames.len() - 1
            });
        frames[index].times.push(step.at_s);
    }
    frames
}

fn told(case: &CaseReport, frame: &Frame<'_>, marked: bool) -> Markup {
    let step = frame.step;
    let bytes = decode_hex(frame.hex);
    let what = step.command.as_deref().unwrap_or("no frame");
    let arrow = match step.direction.as_deref() {
        Some("to-device") => "→",
        _ => "←",
    };
    let length = frame.hex.len() / 2;
    html! {
        details.frame open[frame.suspect && marked] {
            summary {
                span.(kind(step)) { (arrow) " " b { (plain_line(what)) } }
                " " (counted(length, "byte")) " at " (times(&frame.times))
            }
            @match bytes {
                None => p { "not hex: " code { (plain_line(frame.hex)) } },
                Some(bytes) => (dissected(case, step, &bytes, marked)),
            }
        }
    }
}

fn times(times: &[f64]) -> String {
    let told: Vec<String> = times
        .iter()
        .take(TIMES)
        .map(|at| format!("{at:.3}"))
        .collect();
    match times.len() {
        count if count > TIMES => format!("{} … ({count} times)", told.join(", ")),
        _ => told.join(", "),
    }
}

fn decode_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks_exact(2)
            .map(|two| two[0] << 4 | two[1])
            .collect(),
    )
}

/// A number of a frame, as it is shown.
struct Number {
    slot: Slot,
    name: String,
    value: String,
    /// What the client read instead.
    wrong: Option<String>,
}

fn dissected(case: &CaseReport, step: &EntryReport, bytes: &[u8], marked: bool) -> Markup {
    let is_frame = step.command.is_some();
    let direction = match step.direction.as_deref() {
        Some("to-device") => Direction::ToDevice,
        _ => Direction::ToTool,
    };
    if is_frame && has_credentials(bytes, direction) {
        return html! { p.left-out { "These bytes are not shown, as they may hold something secret." } };
    }
    let fields = match step.direction.as_deref() {
        _ if !is_frame => Fields::new(),
        Some("to-device") => Request::decode(bytes)
            .map(|request| request.fields())
            .unwrap_or_default(),
        _ => Reply::decode(bytes)
            .map(|reply| reply.fields())
            .unwrap_or_default(),
    };
    let numbers = match (marked && is_frame, bytes.first()) {
        (true, Some(&id)) => numbers(case, CommandId(id), bytes, &fields),
        _ => Vec::new(),
    };
    let others = fields
        .iter()
        .filter(|(name, _)| !numbers.iter().any(|one| one.slot.field == *name));
    html! {
        div.dissected {
            pre.hex { (dump(bytes, &numbers, is_frame)) }
            @if !numbers.is_empty() {
                div.numbers {
                    table aria-label="fields" {
                        @for (index, one) in numbers.iter().enumerate() {
                            tr tabindex=(if index == 0 { "0" } else { "-1" }) data-k=(index) class=[one.wrong.as_ref().map(|_| "wrong")] {
                                td { (one.slot.offset) }
                                th scope="row" class={ "t" (index % TINTS) } { (one.name) }
                                td {
                                    (one.value)
                                    @if let Some(wrong) = &one.wrong { " " em { "read as " (wrong) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        dl.others {
            @for (name, value) in others {
                div { dt { (name) } dd { (plain_line(&value.to_string())) } }
            }
        }
    }
}

fn numbers(case: &CaseReport, command: CommandId, bytes: &[u8], fields: &Fields) -> Vec<Number> {
    let slots = layout(command, bytes);
    let mut seen: Vec<(&str, usize)> = Vec::new();
    let mut numbers = Vec::with_capacity(slots.len());
    for slot in slots {
        let index = match seen.iter_mut().find(|(field, _)| *field == slot.field) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                seen.push((slot.field, 0));
                0
            }
        };
        let found = fields.get(slot.field);
        let (name, value) = match found {
            Some(Value::List(values)) => (format!("{}[{index}]", slot.field), values.get(index)),
            value => (slot.field.to_owned(), value),
        };
        let read = || {
            slot.read(bytes)
                .map_or_else(String::new, |value| value.to_string())
        };
        let value = value.map_or_else(read, |value| plain_line(&value.to_string()));
        let full = format!("{command}.{name}");
        let difference = case.differences.iter().find(|one| one.field == full);
        let wrong = difference.map(|one| plain_line(&one.decoded));
        numbers.push(Number {
            slot,
            name,
            value,
            wrong,
        });
    }
    numbers
}

/// Sixteen bytes in a line, after their offset; a field is one element for each line that it is on.
fn dump(bytes: &[u8], numbers: &[Number], is_frame: bool) -> Markup {
    let shown = &bytes[..bytes.len().min(LONGEST)];
    let mut owner: Vec<Option<usize>> = vec![None; shown.len()];
    for (index, one) in numbers.iter().enumerate() {
        for at in one.slot.offset..one.slot.offset + one.slot.form.size() {
            if let Some(owner) = owner.get_mut(at) {
                *owner = Some(index);
            }
        }
    }
    html! {
        @for (line, row) in shown.chunks(LINE).enumerate() {
            i { (format!("{:03x}", line * LINE)) } " "
            @let start = line * LINE;
            @for run in runs(&owner[start..start + row.len()]) {
                @let text = spaced(&row[run.clone()]);
                @match owner[start + run.start] {
                    Some(index) => {
                        " " b data-k=(index) class={ "t" (index % TINTS) @if numbers[index].wrong.is_some() { " wrong" } }
                            title={ (numbers[index].name) " = " (numbers[index].value) } { (text) }
                    }
                    None if is_frame && start + run.start == 0 => {
                        " " u title="the command" { (spaced(&row[..1])) }
                        @if run.len() > 1 { " " (spaced(&row[1..run.end])) }
                    }
                    None => { " " (text) }
                }
            }
            "\n"
        }
        @if bytes.len() > LONGEST {
            "… " (bytes.len() - LONGEST) " more bytes\n"
        }
    }
}

/// Runs of bytes that belong to the same field.
fn runs(owner: &[Option<usize>]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, one) in owner.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if owner[run.start] == *one => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
