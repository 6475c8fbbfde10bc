//! The wire: what happened, newest last, as it happens.

use std::collections::VecDeque;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use veschub_control::{Batch, Record, Refused, Typed};
use veschub_hub::journal::{JournalEntry, JournalEvent};

use crate::{
    entry,
    keys::Key,
    text::{fit, put, rule, say, scrolled, shown, split},
    theme::Theme,
};

/// The most entries that are kept here; the journal of the hub keeps more.
const MOST: usize = 10_000;
/// How wide the column of device ids is, and from which width of the terminal on there is one.
const ID: usize = 12;
const WITH_ID: u16 = 60;

/// Entries that fit a filter, and which of them are looked at.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    filter: Typed,
    /// Why the text of the filter is not one.
    problem: Option<Refused>,
    fitting: VecDeque<Record>,
    /// The number of the last entry that was taken in.
    last: u64,
    /// How many there were that fit no more, as they are too old.
    lost: u64,
    /// Which one is looked at; the last one while nobody has stopped.
    stopped_at: Option<usize>,
    top: usize,
    /// Whether its bytes are shown.
    is_open: bool,
    /// The first line of it that is seen.
    scroll: usize,
    /// As it was drawn last: the lines of the list, those of the entry, and how many there are of it.
    seen: (usize, usize, usize),
}

impl Wire {
    /// Behind which number of the journal to go on.
    pub(crate) fn after(&self) -> u64 {
        self.last
    }

    pub(crate) fn problem(&self) -> Option<&Refused> {
        self.problem.as_ref()
    }

    /// Shows what a filter asks for, of all that the hub still knows.
    pub(crate) fn find(&mut self, text: &str) {
        match Typed::read(text) {
            Ok(filter) => {
                *self = Self {
                    filter,
                    ..Self::default()
                }
            }
            // What was found before stays while the text is no filter.
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Takes in entries; whether something changed.
    pub(crate) fn take(&mut self, batch: &Batch) -> bool {
        let was = (self.last, self.fitting.len());
        self.last = batch.last;
        self.lost += batch.lost;
        for record in &batch.records {
            if self.filter.fits(&record.entry) {
                self.fitting.push_back(record.clone());
            }
        }
        // What the hub has forgotten is not kept here either.
        let gone = self
            .fitting
            .iter()
            .take_while(|one| one.seq < batch.first)
            .count();
        let gone = gone.max(self.fitting.len().saturating_sub(MOST));
        self.fitting.drain(..gone);
        self.top = self.top.saturating_sub(gone);
        if let Some(at) = &mut self.stopped_at {
            *at = at.saturating_sub(gone);
        }
        if self.fitting.is_empty() {
            (self.stopped_at, self.is_open) = (None, false);
        }
        was != (self.last, self.fitting.len())
    }

    fn chosen(&self) -> Option<usize> {
        let last = self.fitting.len().checked_sub(1)?;
        Some(self.stopped_at.map_or(last, |at| at.min(last)))
    }

    /// Moves on by so many entries, and stops there; at the end it goes on.
    fn step(&mut self, by: isize) {
        let Some(chosen) = self.chosen() else {
            return;
        };
        let last = self.fitting.len() - 1;
        let next = chosen.saturating_add_signed(by).min(last);
        let runs_on = next == last && by > 0 && !self.is_open;
        self.stopped_at = (!runs_on).then_some(next);
        self.scroll = 0;
    }

    pub(crate) fn key(&mut self, key: Key) -> bool {
        let (listed, height, lines) = self.seen;
        let page = isize::try_from(listed.max(2) - 1).unwrap_or(isize::MAX);
        let most = lines.saturating_sub(height);
        match key {
            Key::Up => self.step(-1),
            Key::Down => self.step(1),
            Key::PageDown if self.is_open && most > 0 => {
                self.scroll = (self.scroll + height).min(most);
            }
            Key::PageUp if self.is_open && most > 0 => {
                self.scroll = self.scroll.saturating_sub(height);
            }
            Key::PageUp => self.step(-page),
            Key::PageDown => self.step(page),
            Key::Home => self.step(isize::MIN),
            Key::End => self.step(isize::MAX),
            Key::Char(' ') => {
                self.stopped_at = match self.stopped_at {
                    Some(_) => None,
                    None => self.chosen(),
                };
            }
            Key::Enter if self.chosen().is_some() => {
                self.is_open = !self.is_open;
                self.stopped_at = self.chosen();
                self.scroll = 0;
            }
            Key::Esc if self.is_open => self.is_open = false,
            _ => return false,
        }
        true
    }

    pub(crate) fn draw(
        &mut self,
        text: &str,
        has_ids: bool,
        theme: Theme,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let [title, rest] = split(area);
        put(buffer, title, &[self.title(text, theme)], 0);
        let (list, entry) = match self.is_open {
            false => (rest, Rect::ZERO),
            true => {
                let height = (rest.height / 2).max(1).min(rest.height);
                let list = Rect {
                    height: rest.height - height,
                    ..rest
                };
                (
                    list,
                    Rect {
                        y: list.bottom(),
                        height,
                        ..rest
                    },
                )
            }
        };
        let height = usize::from(list.height);
        let chosen = self.chosen();
        let count = self.fitting.len();
        self.top = scrolled(self.top, chosen.unwrap_or_default(), count, height);
        let ids = has_ids && area.width >= WITH_ID;
        let seen = self.fitting.iter().enumerate().skip(self.top);
        for (row, (at, record)) in list.rows().zip(seen) {
            let mut line = row_of(&record.entry, ids, theme);
            if Some(at) == chosen && (self.stopped_at.is_some() || self.is_open) {
                line = line.style(theme.chosen());
                buffer.set_style(row, theme.chosen());
            }
            buffer.set_line(row.x, row.y, &line, row.width);
        }
        if count == 0 && height > 0 {
            let text = match text.is_empty() {
                true => "Nothing has happened yet.",
                false => "Nothing that fits the filter has happened. / then Esc shows all.",
            };
            say(buffer, list, text, theme.quiet());
        }
        self.seen = (height, 0, 0);
        if let Some(record) = chosen
            .and_then(|at| self.fitting.get(at))
            .filter(|_| self.is_open)
        {
            let [head, body] = split(entry);
            let lines = entry::lines(record, theme, body.width.into());
            self.seen = (height, body.height.into(), lines.len());
            self.scroll = self
                .scroll
                .min(lines.len().saturating_sub(body.height.into()));
            let more = match lines.len() > usize::from(body.height) {
                true => ", PgUp PgDn scroll",
                false => "",
            };
            let text = format!("── entry {}: Esc closes{more} ", record.seq);
            rule(buffer, head, &text, theme.quiet());
            put(buffer, body, &lines, self.scroll);
        }
    }

    fn title(&self, text: &str, theme: Theme) -> Line<'static> {
        let state = match self.stopped_at {
            None => Span::styled("following", theme.good()),
            Some(_) => Span::styled("stopped: Space follows", theme.trouble()),
        };
        let mut spans = vec![
            Span::styled(
                format!("Wire: {} entries  ", self.fitting.len()),
                theme.strong(),
            ),
            state,
        ];
        match (&self.problem, text.is_empty()) {
            (Some(_), _) => {
                let text = format!("  not a filter: {}", shown(text));
                spans.push(Span::styled(text, theme.trouble()));
            }
            (None, true) => {}
            (None, false) => spans.push(Span::raw(format!("  only {}", shown(text)))),
        }
        if self.lost > 0 {
            let lost = format!("  {} older ones are gone", self.lost);
            spans.push(Span::styled(lost, theme.quiet()));
        }
        Line::from(spans)
    }
}

/// An entry on a line, in the words of `--verbose`, with a mark in front of what is out of the ordinary.
fn row_of(entry: &JournalEntry, has_ids: bool, theme: Theme) -> Line<'static> {
    let (line, event) = (entry.to_string(), entry.event.to_string());
    let before = line.strip_suffix(event.as_str()).unwrap_or_default();
    let (mark, style) = look_of(&entry.event, theme);
    let mut spans = vec![
        Span::styled(mark, style),
        Span::styled(shown(before), theme.quiet()),
    ];
    if has_ids {
        let id = shown(entry.device.as_deref().unwrap_or_default());
        spans.push(Span::raw(format!("{} ", fit(&id, ID))));
    }
    spans.push(Span::styled(shown(&event), style));
    Line::from(spans)
}

/// The mark and the look of an event: `!` for a fault or a quirk that acted, `?` for what got no answer or cannot be
/// read, `*` for what somebody did to the hub.
fn look_of(event: &JournalEvent, theme: Theme) -> (&'static str, Style) {
    match event {
        JournalEvent::QuirkFired { .. } | JournalEvent::FaultFired(_) => ("!", theme.harm()),
        JournalEvent::Noise { .. }
        | JournalEvent::DeviceNoise { .. }
        | JournalEvent::NotAnswered { .. }
        | JournalEvent::LoginRefused { .. }
        | JournalEvent::LoginBytesDiscarded { .. }
        | JournalEvent::DeviceBytesDiscarded { .. }
        | JournalEvent::ReplyDiscarded(_)
        | JournalEvent::PartialFrameLeft { .. }
        | JournalEvent::NotServed
        | JournalEvent::EntryDeleted { .. } => ("?", theme.trouble()),
        JournalEvent::Steered { .. } | JournalEvent::Held { .. } => ("*", theme.steered()),
        JournalEvent::Request(_) => (" ", theme.to_device()),
        _ => (" ", theme.plain()),
    }
}
