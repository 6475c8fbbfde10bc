//! What stands around the views: the header, the keys, the help.

use ratatui::text::{Line, Span};
use veschub_control::HubView;

use crate::{
    keys::{self, Hint},
    look::{About, VIEWS, View},
    text::{shown, width, wrap},
    theme::Theme,
};

/// The views and how time goes, and below it where the hub listens.
pub(crate) fn head(
    hub: &HubView,
    about: &About,
    view: View,
    theme: Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    let style = theme.chosen();
    let mut spans = Vec::new();
    for (number, (one, name)) in VIEWS.iter().enumerate() {
        let text = match *one == view {
            true => format!("[{} {name}]", number + 1),
            false => format!(" {} {name} ", number + 1),
        };
        let style = match *one == view {
            true => style.patch(theme.strong()),
            false => style,
        };
        spans.push(Span::styled(text, style));
    }
    let time = time(hub);
    let taken: usize = spans.iter().map(Span::width).sum();
    let gap = columns.saturating_sub(taken + width(&time) + 1);
    if gap > 0 {
        spans.push(Span::styled(" ".repeat(gap), style));
        spans.push(Span::styled(format!("{time} "), style));
    }
    let listens = match (hub.accepts, hub.listening.is_empty()) {
        (_, true) => "starts".to_owned(),
        (true, _) => format!("listening on {}", hub.listening),
        (false, _) => format!("does not listen (s listens on {})", hub.listening),
    };
    let mut facts = vec![listens];
    facts.extend(
        about
            .control
            .as_ref()
            .map(|url| format!("control on {url}")),
    );
    facts.push(match hub.sessions {
        1 => "1 connection".to_owned(),
        count => format!("{count} connections"),
    });
    facts.extend(hub.seed.map(|seed| format!("seed {seed}")));
    let mut lines = vec![Line::from(spans)];
    let style = match hub.accepts {
        true => theme.plain(),
        false => theme.trouble(),
    };
    let facts = wrap(&shown(&facts.join(", ")), columns).into_iter();
    lines.extend(facts.map(|text| Line::styled(text, style)));
    lines
}

/// What time it is at the hub, and how it goes.
fn time(hub: &HubView) -> String {
    let seconds = hub.at as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let clock = format!("{hours}:{minutes:02}:{seconds:02}");
    match (hub.paused, hub.scale == 1.0) {
        (true, _) => format!("PAUSED at {clock}"),
        (false, true) => clock,
        (false, false) => format!("×{} {clock}", hub.scale),
    }
}

/// Keys with what they do, in as many lines as they need; what a key would do now, where that is not always the same.
pub(crate) fn hints(
    all: &[Hint],
    hub: &HubView,
    theme: Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut taken = 0;
    for (key, what) in all {
        let what = match *key {
            "p" if hub.paused => "go on",
            "s" if !hub.accepts => "listen",
            _ => what,
        };
        let more = width(key) + 1 + width(what);
        if taken > 0 && taken + 2 + more > columns {
            lines.push(Line::from(std::mem::take(&mut spans)));
            taken = 0;
        }
        if taken > 0 {
            spans.push(Span::raw("  "));
            taken += 2;
        }
        spans.push(Span::styled(*key, theme.strong()));
        spans.push(Span::styled(format!(" {what}"), theme.quiet()));
        taken += more;
    }
    lines.push(Line::from(spans));
    lines
}

/// What this is, all keys, and what to try.
pub(crate) fn help(about: &About, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut section = |name: &'static str, all: &[Hint]| {
        lines.push(Line::styled(name, theme.strong()));
        let each = 26;
        let items: Vec<_> = all
            .iter()
            .map(|(key, what)| {
                vec![
                    Span::styled(format!(" {key:<9} "), theme.strong()),
                    Span::raw(*what),
                ]
            })
            .collect();
        lines.extend(crate::text::in_columns(&items, each, columns));
    };
    section(
        "Everywhere (Tab: next view, Ctrl-C: quit)",
        keys::EVERYWHERE,
    );
    section("1 Devices", keys::DEVICES);
    section("2 Wire", keys::WIRE);
    section("3 Break it", keys::BREAK_IT);
    lines.push(Line::styled("Marks on the wire", theme.strong()));
    for text in [
        " > to the device   < to the tool   ! a fault or a quirk acted",
        " ? got no answer, or cannot be read   * somebody steered the hub",
    ] {
        lines.extend(
            wrap(text, columns.saturating_sub(1))
                .into_iter()
                .map(|text| Line::raw(format!(" {text}"))),
        );
    }
    if !about.hints.is_empty() {
        lines.push(Line::styled("To try", theme.strong()));
        for hint in &about.hints {
            let rows = wrap(&shown(hint), columns.saturating_sub(1)).into_iter();
            lines.extend(rows.map(|text| Line::raw(format!(" {text}"))));
        }
    }
    lines
}
