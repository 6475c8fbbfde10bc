//! The page as a state machine: keys and what is known of the hub go in, what to do to the hub comes out, and it can be
//! drawn at any size.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use veschub_control::{Act, Batch, Refused};

use crate::{
    breakit::BreakIt,
    devices::Devices,
    frame,
    keys::{self, Key},
    look::{About, Look, VIEWS, View, Wants},
    text::{bar, put, shown, wrap},
    theme::Theme,
    wire::Wire,
};

/// What lies over a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Over {
    #[default]
    Nothing,
    Help,
    Messages,
}

/// What became of what was last done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Done(String),
    Refused(String),
    /// A message of the program, in its first line.
    Message(String),
}

/// What is shown, and what a key does.
#[derive(Debug)]
pub(crate) struct Page {
    about: About,
    theme: Theme,
    view: View,
    over: Over,
    look: Look,
    devices: Devices,
    wire: Wire,
    break_it: BreakIt,
    /// The words that devices, and entries, are looked for with.
    found: [String; 2],
    /// What the words were before somebody began to type others.
    typing: Option<String>,
    said: Option<Said>,
    messages: Vec<String>,
    is_over: bool,
    /// Whether it looks other than when it was drawn.
    has_changed: bool,
}

impl Page {
    pub(crate) fn new(about: About) -> Self {
        Self {
            theme: Theme::new(about.has_colours),
            about,
            view: View::default(),
            over: Over::default(),
            look: Look::default(),
            devices: Devices::default(),
            wire: Wire::default(),
            break_it: BreakIt::default(),
            found: Default::default(),
            typing: None,
            said: None,
            messages: Vec::new(),
            is_over: false,
            has_changed: true,
        }
    }

    /// Whether somebody wants to end the hub.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether it has to be drawn again.
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// What it has to know of the hub.
    pub(crate) fn wants(&self) -> Wants {
        let chosen = self.devices.chosen().map(str::to_owned);
        Wants {
            device: chosen.map(|id| (id, self.devices.node())),
            values: self.view == View::Devices,
            quirks: self.view == View::BreakIt,
        }
    }

    /// Behind which number of the journal to go on.
    pub(crate) fn after(&self) -> u64 {
        self.wire.after()
    }

    /// Takes in how the hub is.
    pub(crate) fn take(&mut self, mut look: Look) {
        // What is drawn has no parts of seconds.
        look.hub.at = look.hub.at.floor();
        if look != self.look {
            self.look = look;
            self.devices.take(&self.look.devices);
            self.has_changed = true;
        }
    }

    /// Takes in what happened at the hub.
    pub(crate) fn happened(&mut self, batch: &Batch) {
        if self.wire.take(batch) && self.view == View::Wire {
            self.has_changed = true;
        }
    }

    /// Takes in what the program has to say.
    pub(crate) fn told(&mut self, messages: Vec<String>) {
        let first = messages.last().and_then(|last| last.lines().next());
        self.said = first.map(|first| Said::Message(first.to_owned()));
        self.messages = messages;
        self.has_changed = true;
    }

    /// Takes in what became of something that was to be done.
    pub(crate) fn done(&mut self, act: &Act, result: Result<(), Refused>) {
        self.said = Some(match result {
            Ok(()) => {
                if *act == Act::Forget {
                    self.wire.find(&self.found[1]);
                }
                Said::Done(in_words(act))
            }
            Err(refused) => Said::Refused(refused.to_string()),
        });
        self.has_changed = true;
    }

    /// The terminal has another size, or has to be drawn anew for another reason.
    pub(crate) fn resized(&mut self) {
        self.has_changed = true;
    }

    /// What a key does; what is to be done to the hub.
    pub(crate) fn key(&mut self, key: Key) -> Option<Act> {
        self.has_changed = true;
        if key == Key::Interrupt {
            self.is_over = true;
            return None;
        }
        if self.typing.is_some() {
            self.type_key(key);
            return None;
        }
        self.said = None;
        if self.over != Over::Nothing {
            match key {
                Key::Char('q') => self.is_over = true,
                _ => self.over = Over::Nothing,
            }
            return None;
        }
        let device = self.devices.chosen().map(str::to_owned);
        let (is_known, act) = match self.view {
            View::Devices => (self.devices.key(key, &self.look), None),
            View::Wire => (self.wire.key(key), None),
            View::BreakIt => self.break_it.key(key, &self.look, device.as_deref()),
        };
        match is_known {
            true => act,
            false => self.key_of_all(key),
        }
    }

    /// The keys that mean the same in all views.
    fn key_of_all(&mut self, key: Key) -> Option<Act> {
        let at = VIEWS
            .iter()
            .position(|(view, _)| *view == self.view)
            .unwrap_or_default();
        let hub = &self.look.hub;
        let chosen = self.devices.chosen();
        let chosen = self
            .look
            .devices
            .iter()
            .find(|one| Some(one.id.as_str()) == chosen);
        match key {
            Key::Char(number @ '1'..='3') => {
                self.view = VIEWS[number as usize - '1' as usize].0;
            }
            Key::Tab => self.view = VIEWS[(at + 1) % VIEWS.len()].0,
            Key::BackTab => self.view = VIEWS[(at + VIEWS.len() - 1) % VIEWS.len()].0,
            Key::Char('q') => self.is_over = true,
            Key::Char('?') => self.over = Over::Help,
            Key::Char('m') => self.over = Over::Messages,
            Key::Char('p') => return Some(Act::Pause(!hub.paused)),
            Key::Char('s') => return Some(Act::Listen(!hub.accepts)),
            Key::Char('x') if self.view == View::Wire => return Some(Act::Forget),
            Key::Char('d') => match chosen.map(|one| (&one.id, one.tool)) {
                Some((_, Some(tool))) => return Some(Act::Kick(tool)),
                Some((id, None)) => self.refuse(format!("{id} has no client to drop")),
                None => self.refuse("no device is chosen".to_owned()),
            },
            Key::Char('u') => match chosen {
                Some(one) if one.plugged => return Some(Act::Unplug(one.id.clone())),
                Some(one) => return Some(Act::Plug(one.id.clone())),
                None => self.refuse("no device is chosen".to_owned()),
            },
            Key::Left if self.view == View::BreakIt => self.devices.step(-1, &self.look.devices),
            Key::Right if self.view == View::BreakIt => self.devices.step(1, &self.look.devices),
            Key::Char('/') => self.typing = self.words().map(|words| words.clone()),
            Key::Esc => {
                if let Some(words) = self.words() {
                    words.clear();
                    self.find();
                }
            }
            _ => {}
        }
        None
    }

    fn refuse(&mut self, why: String) {
        self.said = Some(Said::Refused(why));
    }

    /// The words that are looked for in this view.
    fn words(&mut self) -> Option<&mut String> {
        match self.view {
            View::Devices => Some(&mut self.found[0]),
            View::Wire => Some(&mut self.found[1]),
            View::BreakIt => None,
        }
    }

    fn type_key(&mut self, key: Key) {
        let before = self.typing.clone().unwrap_or_default();
        let Some(words) = self.words() else {
            self.typing = None;
            return;
        };
        match key {
            Key::Enter => self.typing = None,
            Key::Esc => {
                *words = before;
                self.typing = None;
                self.find();
            }
            Key::Backspace => {
                words.pop();
                self.find();
            }
            Key::Char(c) if words.len() < 200 => {
                words.push(c);
                self.find();
            }
            _ => {}
        }
    }

    fn find(&mut self) {
        match self.view {
            View::Devices => self.devices.find(&self.found[0], &self.look.devices),
            View::Wire => self.wire.find(&self.found[1]),
            View::BreakIt => {}
        }
    }

    /// Draws all of it.
    pub(crate) fn draw(&mut self, area: Rect, buffer: &mut Buffer) {
        self.has_changed = false;
        buffer.set_style(area, self.theme.plain());
        let footer = self.footer(area.width.into());
        let most = usize::from(area.height / 3).max(1);
        let footer = &footer[..footer.len().min(most)];
        let head = frame::head(
            &self.look.hub,
            &self.about,
            self.view,
            self.theme,
            area.width.into(),
        );
        let [top, rest] = cut(area, head.len());
        bar(
            buffer,
            Rect {
                height: top.height.min(1),
                ..top
            },
            &Line::raw(""),
            self.theme.chosen(),
        );
        put(buffer, top, &head, 0);
        let below = u16::try_from(footer.len() + 1)
            .unwrap_or(u16::MAX)
            .min(rest.height);
        let middle = Rect {
            height: rest.height - below,
            ..rest
        };
        match (self.over, self.view) {
            (Over::Help, _) => put(
                buffer,
                middle,
                &frame::help(&self.about, self.theme, middle.width.into()),
                0,
            ),
            (Over::Messages, _) => {
                let lines = self.message_lines(middle.width.into());
                let from = lines.len().saturating_sub(middle.height.into());
                put(buffer, middle, &lines, from);
            }
            (Over::Nothing, View::Devices) => {
                self.devices.draw(&self.look, self.theme, middle, buffer)
            }
            (Over::Nothing, View::Wire) => {
                let has_ids = self.look.devices.len() != 1;
                self.wire
                    .draw(&self.found[1], has_ids, self.theme, middle, buffer);
            }
            (Over::Nothing, View::BreakIt) => {
                let device = self.devices.chosen();
                self.break_it
                    .draw(&self.look, device, self.theme, middle, buffer);
            }
        }
        let [said, keys] = cut(
            Rect {
                y: middle.bottom(),
                height: below,
                ..rest
            },
            1,
        );
        put(buffer, said, &[self.said_line()], 0);
        put(buffer, keys, footer, 0);
    }

    fn message_lines(&self, columns: usize) -> Vec<Line<'static>> {
        let mut lines = vec![Line::styled("Messages", self.theme.strong())];
        for text in self.messages.iter().flat_map(|text| text.lines()) {
            let rows = wrap(&shown(text), columns).into_iter();
            lines.extend(rows.map(Line::raw));
        }
        if self.messages.is_empty() {
            lines.push(Line::styled("There are none.", self.theme.quiet()));
        }
        lines
    }

    /// What is being typed, or what became of what was last done.
    fn said_line(&self) -> Line<'static> {
        let theme = self.theme;
        if self.typing.is_some() {
            let (what, words) = match self.view {
                View::Wire => ("filter", &self.found[1]),
                _ => ("find", &self.found[0]),
            };
            let mut spans = vec![
                Span::styled(format!("{what}: "), theme.strong()),
                Span::raw(shown(words)),
                Span::styled(" ", theme.chosen()),
            ];
            match (self.view, self.wire.problem()) {
                (View::Wire, Some(problem)) => {
                    let text = format!("  {}", shown(&problem.to_string()));
                    spans.push(Span::styled(text, theme.trouble()));
                }
                (View::Wire, None) if words.is_empty() => spans.push(Span::styled(
                    "  words, device=ID, command=NAME, kind=, direction=, name=",
                    theme.quiet(),
                )),
                _ => {}
            }
            return Line::from(spans);
        }
        match &self.said {
            None => Line::raw(""),
            Some(Said::Done(text)) => Line::styled(shown(text), theme.steered()),
            Some(Said::Refused(text)) => {
                Line::styled(format!("not done: {}", shown(text)), theme.harm())
            }
            Some(Said::Message(text)) => {
                Line::styled(format!("{}  (m shows all)", shown(text)), theme.trouble())
            }
        }
    }

    fn footer(&self, columns: usize) -> Vec<Line<'static>> {
        let (of_view, everywhere) = match (self.over, self.typing.is_some(), self.view) {
            (Over::Nothing, true, _) => (keys::PROMPT, None),
            (Over::Nothing, false, View::Devices) => (keys::DEVICES, Some(keys::EVERYWHERE)),
            (Over::Nothing, false, View::Wire) => (keys::WIRE, Some(keys::EVERYWHERE)),
            (Over::Nothing, false, View::BreakIt) => (keys::BREAK_IT, Some(keys::EVERYWHERE)),
            _ => (keys::OVERLAY, None),
        };
        let groups = [Some(of_view), everywhere].into_iter().flatten();
        groups
            .flat_map(|all| frame::hints(all, &self.look.hub, self.theme, columns))
            .collect()
    }
}

/// So many rows, and the others.
fn cut(area: Rect, rows: usize) -> [Rect; 2] {
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height);
    let first = Rect { height, ..area };
    let rest = Rect {
        y: first.bottom(),
        height: area.height - height,
        ..area
    };
    [first, rest]
}

fn in_words(act: &Act) -> String {
    let at = |device: &Option<String>| match device {
        Some(id) => format!("at {id}"),
        None => "at all devices".to_owned(),
    };
    match act {
        Act::Kick(connection) => format!("connection #{connection} was closed"),
        Act::Unplug(id) => format!("{id} is unplugged"),
        Act::Plug(id) => format!("{id} is plugged in"),
        Act::FaultOn { device, fault } => {
            let name = fault.as_object().and_then(|kinds| kinds.keys().next());
            format!("{} is on {}", name.map_or("it", String::as_str), at(device))
        }
        Act::FaultAsInExample { device, name } => format!("{name} is on {}", at(device)),
        Act::FaultOff(id) => format!("fault {id} is off"),
        Act::QuirkOn { device, name, .. } => format!("{name} is on at {device}"),
        Act::QuirkOff { device, name } => format!("{name} is off at {device}"),
        Act::Pause(true) => "the time of the hub stands still".to_owned(),
        Act::Pause(false) => "the time of the hub goes on".to_owned(),
        Act::Listen(true) => "the hub listens again".to_owned(),
        Act::Listen(false) => {
            "the hub does not listen any more, and dropped all connections".to_owned()
        }
        Act::Forget => "the journal was forgotten".to_owned(),
    }
}
