//! A session as a drawing: time runs to the right, frames cross between the lanes of tools, hub and device.
//!
//! The times of a session differ by orders of magnitude. So long gaps are cut and labelled with their length, and the
//! rest is to scale. Steps of one instant are side by side. The times below are those of the steps above them.

use maud::{Markup, html};

use super::{super::plain_line, counted, kind};
use crate::report::model::{CaseReport, EntryReport};

/// The margins at the left, for names, and at the right.
const MARGIN: (f64, f64) = (84.0, 90.0);
/// Room for the names of commands above the first lane.
const TOP: f64 = 108.0;
/// From lane to lane.
const LANE: f64 = 46.0;
/// The width of the drawing, between the margins.
const WIDTH: f64 = 830.0;
/// The width of a gap that was cut.
const CUT: f64 = 76.0;
/// A gap is cut if it has this share of the time that is left, and at least this many seconds.
const LONG: (f64, f64) = (0.25, 0.04);
/// The most gaps that are cut.
const CUTS: usize = 6;
/// The most lanes for tools; further tools share the last lane.
const TOOLS: usize = 4;
/// A drawing with more steps than this has no words at each step.
const WORDY: usize = 120;

pub(super) fn diagram(case: &CaseReport, most: usize) -> Markup {
    let steps = &case.transcript[..];
    if steps.len() < 2 {
        return html! {};
    }
    let places = Places::of(steps, case.left_out);
    let lanes = Lanes {
        tools: tools(steps),
    };
    // A case with too many steps for words is still drawn.
    let wordy = steps.len() <= most.min(WORDY);
    let width = MARGIN.0 + places.width() + MARGIN.1;
    let height = lanes.device() + 58.0;
    let told = format!(
        "{} in {:.3} s on {}",
        counted(steps.len() + case.left_out, "step"),
        case.session_s,
        counted(lanes.tools.len(), "connection")
    );
    html! {
        figure.diagram {
            div.wide tabindex="0" role="region" aria-label="timing diagram" {
                svg width=(px(width)) height=(px(height)) viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img" {
                    title { "Timing of the session: " (told) "; the transcript lists the same steps in words" }
                    (lanes.draw(steps, &places, width))
                    (gaps(steps, &places, &lanes))
                    @if wordy {
                        (arrows(steps, &places, &lanes))
                    } @else {
                        (ticks(steps, &places, &lanes))
                    }
                    (labels(steps, &places, wordy))
                    (clock(steps, &places, &lanes))
                }
            }
            figcaption { (told) ". Long gaps are cut; a label says how long each was." }
        }
    }
}

fn px(number: f64) -> String {
    format!("{}", (number * 10.0).round() / 10.0)
}

/// Where each step stands, and which gaps before them are cut.
struct Places {
    x: Vec<f64>,
    cut: Vec<bool>,
    /// Before which step some are left out of the report, and how many.
    left_out: Option<(usize, usize)>,
}

impl Places {
    fn of(steps: &[EntryReport], left_out: usize) -> Self {
        // A report keeps as many steps of the start as of the end.
        let left_out = (left_out > 0).then_some((steps.len() / 2, left_out));
        let gaps: Vec<f64> = std::iter::once(0.0)
            .chain(
                steps
                    .windows(2)
                    .map(|two| (two[1].at_s - two[0].at_s).max(0.0)),
            )
            .collect();
        let mut cut = cuts(&gaps);
        if let Some((index, _)) = left_out {
            cut[index] = true;
        }
        let least = match steps.len() {
            0..=60 => 16.0,
            61..=150 => 8.0,
            _ => 3.0,
        };
        let count = cut.iter().filter(|cut| **cut).count();
        let left: f64 = gaps
            .iter()
            .zip(&cut)
            .filter(|(_, cut)| !**cut)
            .map(|(gap, _)| gap)
            .sum();
        let cut_room = |index| match left_out {
            Some((one, _)) if one == index => 2.0 * CUT,
            _ => CUT,
        };
        let room = WIDTH - CUT * count as f64 - least * steps.len() as f64;
        let scale = if left > 0.0 {
            room.max(0.0) / left
        } else {
            0.0
        };
        let mut at = MARGIN.0 + 10.0;
        let mut x = Vec::with_capacity(gaps.len());
        for (index, (gap, cut)) in gaps.iter().zip(&cut).enumerate() {
            at += match (index, cut) {
                (0, _) => 0.0,
                (index, true) => cut_room(index),
                (_, false) => least + gap * scale,
            };
            x.push(at);
        }
        Self { x, cut, left_out }
    }

    fn width(&self) -> f64 {
        self.x.last().map_or(0.0, |last| last - MARGIN.0)
    }
}

/// Cuts long gaps until no gap is much longer than the rest.
fn cuts(gaps: &[f64]) -> Vec<bool> {
    let mut cut = vec![false; gaps.len()];
    loop {
        let left: f64 = gaps
            .iter()
            .zip(&cut)
            .filter(|(_, cut)| !**cut)
            .map(|(gap, _)| gap)
            .sum();
        let is_long = |gap: f64| gap >= LONG.1 && gap > left * LONG.0;
        let long: Vec<usize> = (0..gaps.len())
            .filter(|&i| !cut[i] && is_long(gaps[i]))
            .collect();
        let count = cut.iter().filter(|cut| **cut).count();
        if long.is_empty() || count + long.len() > CUTS {
            return cut;
        }
        for index in long {
            cut[index] = true;
        }
    }
}

/// The connections in the order in which they came.
fn tools(steps: &[EntryReport]) -> Vec<u32> {
    let mut tools = Vec::new();
    for connection in steps.iter().filter_map(|step| step.connection) {
        if !tools.contains(&connection) {
            tools.push(connection);
        }
    }
    tools
}

struct Lanes {
    tools: Vec<u32>,
}

impl Lanes {
    fn count(&self) -> usize {
        self.tools.len().clamp(1, TOOLS)
    }

    fn tool(&self, connection: Option<u32>) -> f64 {
        let position = self.tools.iter().position(|one| Some(*one) == connection);
        let lane = position.unwrap_or(0).min(TOOLS - 1);
        TOP + lane as f64 * LANE * 0.6
    }

    fn hub(&self) -> f64 {
        TOP + (self.count() - 1) as f64 * LANE * 0.6 + LANE
    }

    fn device(&self) -> f64 {
        self.hub() + LANE
    }

    /// From where to where a step goes.
    fn span(&self, step: &EntryReport) -> (f64, f64) {
        let tool = self.tool(step.connection);
        // A login ends at the hub.
        let far = match step.command.is_none() && step.hex.is_none() {
            true => self.hub(),
            false => self.device(),
        };
        match step.direction.as_deref() {
            Some("to-device") => (tool, far),
            _ => (far, tool),
        }
    }

    fn draw(&self, steps: &[EntryReport], places: &Places, width: f64) -> Markup {
        let end = px(width - 20.0);
        let start = px(MARGIN.0);
        let name = |y: f64, text: &str| {
            html! { text.lane x=(px(MARGIN.0 - 10.0)) y=(px(y + 4.0)) { (text) } }
        };
        let lane = |y: f64| {
            html! { line.lane x1=(start) x2=(end) y1=(px(y)) y2=(px(y)) {} }
        };
        html! {
            @for &connection in self.tools.iter().take(TOOLS) {
                @let y = self.tool(Some(connection));
                (lane(y))
                @let stands = bounds(steps, places, connection);
                line.open x1=(px(stands.0)) x2=(px(stands.1)) y1=(px(y)) y2=(px(y)) {}
                (name(y, &format!("tool #{connection}")))
            }
            @if self.tools.is_empty() { (lane(TOP)) (name(TOP, "tool")) }
            (lane(self.hub())) (name(self.hub(), "hub"))
            (lane(self.device())) (name(self.device(), "device"))
        }
    }
}

/// From the first step of a connection to its last.
fn bounds(steps: &[EntryReport], places: &Places, connection: u32) -> (f64, f64) {
    let of_it = || (0..steps.len()).filter(|&index| steps[index].connection == Some(connection));
    let x = |index: Option<usize>| index.and_then(|index| places.x.get(index)).copied();
    let (first, last) = (x(of_it().next()), x(of_it().next_back()));
    (first.unwrap_or_default(), last.unwrap_or_default())
}

/// Labels for the gaps that are wide enough.
fn gaps(steps: &[EntryReport], places: &Places, lanes: &Lanes) -> Markup {
    const ROOM: f64 = 54.0;
    let y = lanes.device() + 16.0;
    html! {
        @for index in 1..steps.len() {
            @let (from, to) = (places.x[index - 1], places.x[index]);
            @let gap = steps[index].at_s - steps[index - 1].at_s;
            @if to - from >= ROOM && (gap >= 0.001 || places.cut[index]) {
                @let middle = f64::midpoint(from, to);
                @if places.cut[index] {
                    rect.cut x=(px(middle - 7.0)) y=(px(TOP - 12.0)) width="14" height=(px(lanes.device() - TOP + 20.0)) {}
                    path.cut d={ (zigzag(middle - 7.0, lanes)) (zigzag(middle + 7.0, lanes)) } {}
                }
                line.gap x1=(px(from + 4.0)) x2=(px(to - 4.0)) y1=(px(y)) y2=(px(y)) {}
                text.gap x=(px(middle)) y=(px(y - 4.0)) {
                    (duration(gap))
                    @match places.left_out {
                        Some((one, count)) if one == index => { ", " (counted(count, "step")) " left out" }
                        _ => {}
                    }
                }
            }
        }
    }
}

fn zigzag(x: f64, lanes: &Lanes) -> String {
    const STEP: f64 = 8.0;
    let mut path = format!("M{} {}", px(x), px(TOP - 12.0));
    let steps = ((lanes.device() - TOP + 20.0) / STEP).floor() as i32;
    for step in 0..steps {
        let dx = if step % 2 == 0 { 3 } else { -3 };
        path.push_str(&format!("l{dx} {STEP}"));
    }
    path
}

/// The start of a name, if it is too long.
fn short(name: &str) -> String {
    const LENGTH: usize = 18;
    match name.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s => format!("{s:.2} s"),
    }
}

/// An arrow for each frame and a mark for each event, with its text as a tooltip.
fn arrows(steps: &[EntryReport], places: &Places, lanes: &Lanes) -> Markup {
    html! {
        @for (step, &x) in steps.iter().zip(&places.x) {
            g.(kind(step)) {
                title { (format!("{:.3} s  ", step.at_s)) (plain_line(&step.text)) }
                @if step.direction.is_some() {
                    @let (from, to) = lanes.span(step);
                    @let back = if to > from { -7.0 } else { 7.0 };
                    path d={ "M" (px(x)) " " (px(from)) "V" (px(to)) "m-3.5 " (px(back)) "l3.5 " (px(-back)) "l3.5 " (px(back)) } {}
                } @else if kind(step) == "harm" {
                    @let y = lanes.hub();
                    path d={ "M" (px(x)) " " (px(y - 6.0)) "l6 6l-6 6l-6 -6z" } {}
                } @else {
                    @let y = if step.connection.is_some() { lanes.tool(step.connection) } else { lanes.hub() };
                    circle cx=(px(x)) cy=(px(y)) r="3.5" {}
                }
            }
        }
    }
}

/// One path for all steps of a kind, so that a session with hundreds of steps stays small.
fn ticks(steps: &[EntryReport], places: &Places, lanes: &Lanes) -> Markup {
    html! {
        @for wanted in ["to-device", "to-tool", "noise", "harm", "event"] {
            @let of_kind = steps.iter().zip(&places.x).filter(|(step, _)| kind(step) == wanted);
            @let path: String = of_kind.map(|(step, &x)| match step.direction {
                Some(_) => {
                    let (from, to) = lanes.span(step);
                    format!("M{} {}V{}", px(x), px(from), px(to))
                }
                None => format!("M{} {}v8", px(x), px(lanes.hub() - 4.0)),
            }).collect();
            @if !path.is_empty() { g.(wanted) { path d=(path) {} } }
        }
    }
}

/// The names of frames, slanted, if there is room for them.
fn labels(steps: &[EntryReport], places: &Places, wordy: bool) -> Markup {
    const ROOM: f64 = 15.0;
    let mut last = f64::NEG_INFINITY;
    let y = TOP - 12.0;
    let mut before = None;
    let mut told = Vec::new();
    for (step, &x) in steps.iter().zip(&places.x) {
        let name = match (&step.command, step.direction.as_deref()) {
            (Some(command), _) => plain_line(command),
            (None, Some(_)) if step.hex.is_some() => "noise".to_owned(),
            (None, Some(_)) => "login".to_owned(),
            (None, None) if kind(step) == "harm" => plain_line(
                &step
                    .text
                    .split([':', ' '])
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            _ => continue,
        };
        let key = (name.clone(), step.direction.clone());
        // In a long session, one name stands for a run of the same.
        if x - last < ROOM || !wordy && before.as_ref() == Some(&key) {
            continue;
        }
        last = x;
        told.push((kind(step), x, name));
        before = Some(key);
    }
    html! {
        @for (kind, x, name) in told {
            text.name.(kind) transform={ "translate(" (px(x + 3.0)) " " (px(y)) ") rotate(-50)" } { (short(&name)) }
        }
    }
}

/// Times below the steps, if there is room for them.
fn clock(steps: &[EntryReport], places: &Places, lanes: &Lanes) -> Markup {
    const ROOM: f64 = 52.0;
    let y = lanes.device() + 38.0;
    let mut last = f64::NEG_INFINITY;
    let mut told = Vec::new();
    for (index, (step, &x)) in steps.iter().zip(&places.x).enumerate() {
        if x - last >= ROOM && (index == 0 || step.at_s > steps[index - 1].at_s) {
            told.push((x, step.at_s));
            last = x;
        }
    }
    html! {
        @for (x, at) in told {
            line.clock x1=(px(x)) x2=(px(x)) y1=(px(y - 14.0)) y2=(px(y - 10.0)) {}
            text.clock x=(px(x)) y=(px(y)) { (format!("{at:.3}")) }
        }
        text.clock x=(px(MARGIN.0 - 16.0)) y=(px(y)) { "s" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_that_dwarfs_the_rest_is_cut_and_an_even_poll_is_not() {
        assert_eq!(
            cuts(&[0.0, 0.05, 10.0, 0.05, 2.6, 0.01])
                .iter()
                .filter(|cut| **cut)
                .count(),
            4
        );
        let even = [vec![0.0], vec![1.0; 20]].concat();
        assert!(!cuts(&even).contains(&true));
        assert!(!cuts(&[0.0; 5]).contains(&true));
    }
}
