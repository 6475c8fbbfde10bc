//! Break it: faults and quirks, each with a key that switches it on and off.

use std::collections::VecDeque;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use serde_json::{Value, json};
use veschub_control::Act;
use veschub_hub::{
    fault::{self, FaultInfo},
    hub::steer::{FaultView, Origin, QuirkView},
    quirk,
};

use crate::{
    keys::Key,
    look::Look,
    text::{fit, put, rule, scrolled, shown, split, width, wrap},
    theme::Theme,
};

/// How many of those that were switched off here are remembered.
const MOST: usize = 64;
/// How many lines the chosen one is described in.
const ABOUT: u16 = 6;

/// What is chosen, and what was switched off here and can be switched on again.
#[derive(Debug, Default)]
pub(crate) struct BreakIt {
    chosen: Option<Chosen>,
    top: usize,
    /// Whether a fault that is switched on harms the chosen device alone.
    is_for_one: bool,
    /// Faults of the scenario that were switched off here.
    off_faults: VecDeque<FaultView>,
    /// Quirks of the scenario that were switched off here: device, name, parameters.
    off_quirks: VecDeque<(String, &'static str, Value)>,
    height: usize,
}

/// Which line is chosen: it stays the same while others come and go.
#[derive(Clone, Debug, PartialEq)]
enum Chosen {
    /// A fault of the scenario.
    Own(&'static str, Option<String>, Value),
    Kind(&'static str),
    Quirk(&'static str),
}

/// A line of the list.
enum Row<'a> {
    Head(String),
    /// A fault of the scenario, and the one that is on in its place.
    Own(&'a FaultView, Option<&'a FaultView>),
    /// A kind of fault, and the last of those that were switched on by hand.
    Kind(&'static FaultInfo, Option<&'a FaultView>),
    Quirk(&'a QuirkView),
}

impl Row<'_> {
    fn chosen(&self) -> Option<Chosen> {
        match self {
            Self::Head(_) => None,
            Self::Own(fault, _) => {
                let device = fault.device.clone();
                Some(Chosen::Own(fault.name, device, fault.parameters.clone()))
            }
            Self::Kind(info, _) => Some(Chosen::Kind(info.name)),
            Self::Quirk(quirk) => Some(Chosen::Quirk(quirk.name)),
        }
    }
}

fn is_same(one: &FaultView, other: &FaultView) -> bool {
    (one.name, &one.device, &one.parameters) == (other.name, &other.device, &other.parameters)
}

impl BreakIt {
    fn rows<'a>(&'a self, look: &'a Look, device: Option<&str>) -> Vec<Row<'a>> {
        let is_off = |fault: &FaultView| self.off_faults.iter().any(|off| is_same(off, fault));
        let own = look
            .faults
            .iter()
            .filter(|one| one.by == Origin::Scenario || is_off(one));
        let own: Vec<_> = own.map(|one| Row::Own(one, Some(one))).collect();
        let is_on = |off: &FaultView| look.faults.iter().any(|on| is_same(off, on));
        let gone = self.off_faults.iter().filter(|off| !is_on(off));
        let mut rows = vec![Row::Head("Faults of the scenario".to_owned())];
        rows.extend(own);
        rows.extend(gone.map(|off| Row::Own(off, None)));
        if rows.len() == 1 {
            rows.clear();
        }
        if let Some(device) = device {
            rows.push(Row::Head(format!("Quirks of {}", shown(device))));
            rows.extend(look.quirks.iter().map(Row::Quirk));
            if look.quirks.is_empty() {
                rows.push(Row::Head("  none: it is not played here".to_owned()));
            }
        }
        let whom = match (self.is_for_one, device) {
            (true, Some(device)) => format!("at {} (a: at all devices)", shown(device)),
            (_, Some(device)) => format!("at all devices (a: at {})", shown(device)),
            (_, None) => "at all devices".to_owned(),
        };
        rows.push(Row::Head(format!("Faults, {whom}")));
        let by_hand = |name| {
            let mut faults = look.faults.iter().rev();
            faults.find(|one| one.name == name && one.by == Origin::Control && !is_off(one))
        };
        let kinds = fault::catalogue().iter();
        rows.extend(kinds.map(|info| Row::Kind(info, by_hand(info.name))));
        rows
    }

    /// Where the chosen line is, or the first that can be.
    fn place(&self, rows: &[Row<'_>]) -> Option<usize> {
        let chosen = self.chosen.as_ref();
        let place = chosen.and_then(|chosen| {
            rows.iter()
                .position(|row| row.chosen().as_ref() == Some(chosen))
        });
        place.or_else(|| rows.iter().position(|row| row.chosen().is_some()))
    }

    /// Whether a key meant something here, and what is to be done.
    pub(crate) fn key(
        &mut self,
        key: Key,
        look: &Look,
        device: Option<&str>,
    ) -> (bool, Option<Act>) {
        let page = isize::try_from(self.height.max(2) - 1).unwrap_or(isize::MAX);
        let by = match key {
            Key::Up => -1,
            Key::Down => 1,
            Key::PageUp => -page,
            Key::PageDown => page,
            Key::Home => isize::MIN,
            Key::End => isize::MAX,
            Key::Char('a') => {
                self.is_for_one = !self.is_for_one;
                return (true, None);
            }
            Key::Char(' ') | Key::Enter => return (true, self.switch(look, device)),
            _ => return (false, None),
        };
        let rows = self.rows(look, device);
        let can: Vec<Chosen> = rows.iter().filter_map(Row::chosen).collect();
        let now = self.place(&rows).and_then(|at| rows[at].chosen());
        let now = can.iter().position(|one| Some(one) == now.as_ref());
        if let (Some(now), Some(last)) = (now, can.len().checked_sub(1)) {
            self.chosen = Some(can[now.saturating_add_signed(by).min(last)].clone());
        }
        (true, None)
    }

    /// Switches the chosen one on or off.
    fn switch(&mut self, look: &Look, device: Option<&str>) -> Option<Act> {
        let rows = self.rows(look, device);
        let row = &rows[self.place(&rows)?];
        let chosen = row.chosen();
        let (mut off_fault, mut off_quirk) = (None, None);
        let act = match row {
            Row::Head(_) => None,
            Row::Own(fault, Some(on)) => {
                off_fault = Some((*fault).clone());
                Some(Act::FaultOff(on.id.0))
            }
            Row::Own(fault, None) => Some(Act::FaultOn {
                device: fault.device.clone(),
                fault: json!({ fault.name: fault.parameters }),
            }),
            Row::Kind(_, Some(on)) => Some(Act::FaultOff(on.id.0)),
            Row::Kind(info, None) => Some(Act::FaultAsInExample {
                device: device.filter(|_| self.is_for_one).map(str::to_owned),
                name: info.name,
            }),
            Row::Quirk(quirk) => device.map(|device| {
                let device = device.to_owned();
                let name = quirk.name.to_owned();
                match quirk.on {
                    true => {
                        if let (Some(Origin::Scenario), Some(parameters)) =
                            (quirk.by, &quirk.parameters)
                        {
                            off_quirk = Some((device.clone(), quirk.name, parameters.clone()));
                        }
                        Act::QuirkOff { device, name }
                    }
                    false => {
                        let mut known = self.off_quirks.iter().rev();
                        let known =
                            known.find(|(of, name, _)| *of == device && *name == quirk.name);
                        Act::QuirkOn {
                            device,
                            name,
                            parameters: known.map(|(.., parameters)| parameters.clone()),
                        }
                    }
                }
            }),
        };
        self.chosen = chosen;
        if let Some(off) =
            off_fault.filter(|off| !self.off_faults.iter().any(|known| is_same(known, off)))
        {
            remember(&mut self.off_faults, off);
        }
        if let Some(off) = off_quirk.filter(|off| !self.off_quirks.contains(off)) {
            remember(&mut self.off_quirks, off);
        }
        act
    }

    pub(crate) fn draw(
        &mut self,
        look: &Look,
        device: Option<&str>,
        theme: Theme,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let about = ABOUT.min(area.height / 3);
        let list = Rect {
            height: area.height - about,
            ..area
        };
        let rows = self.rows(look, device);
        let place = self.place(&rows);
        let height = usize::from(list.height);
        let mut top = scrolled(self.top, place.unwrap_or_default(), rows.len(), height);
        // The heading above the first one that can be chosen is seen with it.
        if place.is_some_and(|place| place <= top && top == 1) {
            top = 0;
        }
        for (row, (at, one)) in list.rows().zip(rows.iter().enumerate().skip(top)) {
            let mut line = line_of(one, theme, list.width.into());
            if Some(at) == place {
                line = line.style(theme.chosen());
                buffer.set_style(row, theme.chosen());
            }
            buffer.set_line(row.x, row.y, &line, row.width);
        }
        if let Some((at, row)) = place.and_then(|at| Some((at, rows.get(at)?))) {
            let below = Rect {
                y: list.bottom(),
                height: about,
                ..area
            };
            let [head, rest] = split(below);
            let can = |rows: &[Row<'_>]| rows.iter().filter(|row| row.chosen().is_some()).count();
            let text = format!("── {} of {} ", can(&rows[..=at]), can(&rows));
            rule(buffer, head, &text, theme.quiet());
            put(buffer, rest, &about_row(row, theme, rest.width.into()), 0);
        }
        (self.top, self.height) = (top, height);
    }
}

fn remember<T>(kept: &mut VecDeque<T>, one: T) {
    kept.push_back(one);
    if kept.len() > MOST {
        kept.pop_front();
    }
}

fn line_of(row: &Row<'_>, theme: Theme, columns: usize) -> Line<'static> {
    let line = |is_on: bool, name: &str, rest: String, style: Style| {
        let mark = if is_on { "[x] " } else { "[ ] " };
        let name = fit(name, width(name).max(24));
        Line::from(vec![
            Span::styled(mark, style),
            Span::styled(name, style),
            Span::raw(fit(&format!(" {rest}"), columns.saturating_sub(28))),
        ])
    };
    let look_of = |is_on| match is_on {
        true => theme.harm(),
        false => theme.plain(),
    };
    match row {
        Row::Head(text) => Line::styled(text.clone(), theme.strong()),
        Row::Own(fault, on) => {
            let whom = fault
                .device
                .as_deref()
                .map_or_else(|| "all devices".to_owned(), shown);
            let acted = on.map_or_else(|| "off".to_owned(), |on| acted(on.fired));
            line(
                on.is_some(),
                fault.name,
                format!("{acted}, at {whom}"),
                look_of(on.is_some()),
            )
        }
        Row::Kind(info, on) => {
            let rest = match on {
                Some(on) => {
                    let whom = on
                        .device
                        .as_deref()
                        .map_or_else(|| "all devices".to_owned(), shown);
                    format!("{}, by hand, at {whom}", acted(on.fired))
                }
                None => info.about.to_owned(),
            };
            line(on.is_some(), info.name, rest, look_of(on.is_some()))
        }
        Row::Quirk(quirk) => {
            let rest = match (quirk.on, quirk.by) {
                (true, Some(Origin::Control)) => format!("{}, by hand", acted(quirk.fired)),
                (true, _) => format!("{}, by the scenario", acted(quirk.fired)),
                (false, _) => quirk.about.to_owned(),
            };
            let rest = format!("{}: {rest}", quirk.provenance);
            line(quirk.on, quirk.name, rest, look_of(quirk.on))
        }
    }
}

fn acted(count: u64) -> String {
    format!("acted {count}×")
}

/// The chosen one in words, with its parameters and where it was seen.
fn about_row(row: &Row<'_>, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let info = |name: &str| fault::catalogue().iter().find(|info| info.name == name);
    let (about, with, seen) = match row {
        Row::Head(_) => return Vec::new(),
        Row::Own(fault, _) => {
            let about = info(fault.name).map_or("", |info| info.about);
            (about, words(&fault.parameters), None)
        }
        Row::Kind(info, Some(on)) => (info.about, words(&on.parameters), None),
        Row::Kind(info, None) => (
            info.about,
            format!("Space switches it on as {}", example(info)),
            None,
        ),
        Row::Quirk(quirk) => {
            let info = quirk::catalogue()
                .iter()
                .find(|info| info.name == quirk.name);
            let with = match (&quirk.parameters, info) {
                (Some(parameters), _) => words(parameters),
                (None, Some(info)) => {
                    format!("Space switches it on with {}", info.parameters.trim())
                }
                (None, None) => String::new(),
            };
            (
                quirk.about,
                with,
                info.map(|info| format!("{}: {}", info.provenance, info.seen)),
            )
        }
    };
    let mut lines: Vec<Line<'static>> = wrap(about, columns).into_iter().map(Line::raw).collect();
    lines.extend(
        wrap(&shown(&with), columns)
            .into_iter()
            .map(|text| Line::styled(text, theme.strong())),
    );
    if let Some(seen) = seen {
        lines.extend(
            wrap(&seen, columns)
                .into_iter()
                .map(|text| Line::styled(text, theme.quiet())),
        );
    }
    lines
}

fn example(info: &FaultInfo) -> &'static str {
    info.example.trim_start_matches("- ")
}

/// Parameters in a few words.
fn words(parameters: &Value) -> String {
    let Value::Object(all) = parameters else {
        return String::new();
    };
    let there = all.iter().filter(|(_, value)| !value.is_null());
    let words = there.map(|(key, value)| match value {
        Value::String(text) => format!("{key}: {text}"),
        other => format!("{key}: {other}"),
    });
    words.collect::<Vec<_>>().join(", ")
}
