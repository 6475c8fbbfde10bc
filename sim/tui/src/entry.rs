//! An entry of the journal with all that is known of it.

use ratatui::text::{Line, Span};
use veschub_control::Record;
use veschub_hub::journal::json::Told;
use veschub_transcript::Direction;

use crate::{
    text::{fit, shown, wrap},
    theme::Theme,
};

/// How wide the name of a field is.
const NAME: usize = 28;
/// How many bytes stand on a line.
const BYTES: usize = 16;

/// An entry in lines of so many columns: its words, its reason, its fields, its bytes.
pub(crate) fn lines(record: &Record, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let entry = &record.entry;
    let told = Told::of(&entry.event);
    let mut lines = Vec::new();
    let device = entry
        .device
        .as_deref()
        .map(|id| format!(", device {}", shown(id)));
    let way = told.direction.map(|direction| match direction {
        Direction::ToDevice => ", to the device",
        Direction::ToTool => ", to the tool",
    });
    let at = format!(
        "at {:.6} s{}{}{}",
        entry.at.as_secs_f64(),
        entry
            .conn
            .map(|conn| format!(", connection #{}", conn.0))
            .unwrap_or_default(),
        device.unwrap_or_default(),
        way.unwrap_or_default(),
    );
    push(&mut lines, &at, columns, |text| {
        Line::styled(text, theme.quiet())
    });
    match (told.name, &told.why) {
        (None, None) if told.fields.is_some() => {}
        (None, None) => push(
            &mut lines,
            &shown(&entry.event.to_string()),
            columns,
            Line::raw,
        ),
        (name, why) => {
            let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
            let why = format!("{name}{}", why.as_deref().unwrap_or_default());
            push(
                &mut lines,
                &shown(&entry.event.to_string()),
                columns,
                Line::raw,
            );
            push(
                &mut lines,
                &format!("why: {}", shown(&why)),
                columns,
                |text| Line::styled(text, theme.harm()),
            );
        }
    }
    if let Some(fields) = &told.fields {
        let what = told.command.map(|command| command.to_string());
        let what = what.unwrap_or_else(|| entry.event.to_string());
        let none = if fields.is_empty() { ", no fields" } else { "" };
        lines.push(Line::styled(
            format!("{}{none}", shown(&what)),
            theme.strong(),
        ));
        for (name, value) in fields.iter() {
            let value = value.to_string();
            let held = told.truth.as_ref().and_then(|truth| truth.get(name));
            let held = held.map(ToString::to_string).filter(|held| *held != value);
            let mut rows =
                wrap(&shown(&value), columns.saturating_sub(NAME + 2).max(8)).into_iter();
            let first = rows.next().unwrap_or_default();
            lines.push(Line::from(vec![
                Span::styled(fit(name, NAME), theme.quiet()),
                Span::raw(format!("  {first}")),
            ]));
            lines.extend(rows.map(|row| Line::raw(format!("{:1$}{row}", "", NAME + 2))));
            if let Some(held) = held {
                let text = format!("{:1$}the device held {2}", "", NAME + 2, shown(&held));
                lines.push(Line::styled(text, theme.trouble()));
            }
        }
    }
    if let Some(bytes) = told.payload.filter(|bytes| !bytes.is_empty()) {
        let s = if bytes.len() == 1 { "" } else { "s" };
        lines.push(Line::styled(
            format!("{} byte{s}", bytes.len()),
            theme.strong(),
        ));
        let each = if columns < 74 { BYTES / 2 } else { BYTES };
        lines.extend(bytes.chunks(each).enumerate().map(|(row, chunk)| {
            let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = chunk.iter().map(|&byte| match byte {
                b' '..=b'~' => char::from(byte),
                _ => '·',
            });
            Line::from(vec![
                Span::styled(format!("{:04x}  ", row * each), theme.quiet()),
                Span::raw(fit(&hex.join(" "), each * 3)),
                Span::raw(" "),
                Span::styled(text.collect::<String>(), theme.quiet()),
            ])
        }));
    }
    lines
}

fn push(
    lines: &mut Vec<Line<'static>>,
    text: &str,
    columns: usize,
    line: impl Fn(String) -> Line<'static>,
) {
    lines.extend(wrap(text, columns).into_iter().map(line));
}
