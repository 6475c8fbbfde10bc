//! The devices: the list, and which of them is chosen.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use veschub_hub::hub::steer::DeviceView;

use crate::{
    detail,
    keys::Key,
    look::Look,
    text::{fit, put, rule, say, scrolled, shown, split, split_last},
    theme::Theme,
};

/// How wide the list is beside a device, and from which width of the terminal on it stands there.
const LIST: u16 = 26;
const BESIDE: u16 = 60;

/// Which device is chosen, among those that are looked for.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    chosen: Option<String>,
    /// The node on its bus whose values are shown.
    node: Option<u8>,
    /// Whether bars begin near the lowest cell.
    is_closer: bool,
    words: Vec<String>,
    /// The places of those that fit, among all.
    fitting: Vec<usize>,
    top: usize,
    /// The first line of the device that is seen.
    scroll: usize,
    /// As it was drawn last: the lines of the list, those of the device, and how many there are of it.
    seen: (usize, usize, usize),
}

impl Devices {
    pub(crate) fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    pub(crate) fn node(&self) -> Option<u8> {
        self.node
    }

    /// Looks for those that have all words of a text.
    pub(crate) fn find(&mut self, text: &str, all: &[DeviceView]) {
        self.words = text.split_whitespace().map(str::to_lowercase).collect();
        self.take(all);
    }

    /// Takes in which devices there are.
    pub(crate) fn take(&mut self, all: &[DeviceView]) {
        let before = self.place(all).unwrap_or_default();
        let fits = |device: &DeviceView| {
            self.words.is_empty() || {
                let text = words_of(device);
                self.words.iter().all(|word| text.contains(word))
            }
        };
        self.fitting = (0..all.len()).filter(|&at| fits(&all[at])).collect();
        if self.place(all).is_none() {
            // The next one in the place of a device that is gone.
            let next = self.fitting.get(before).or_else(|| self.fitting.last());
            self.choose(next.map(|&at| all[at].id.clone()));
        }
    }

    fn choose(&mut self, id: Option<String>) {
        if id != self.chosen {
            (self.chosen, self.node, self.scroll) = (id, None, 0);
        }
    }

    /// Where the chosen one stands in the list.
    fn place(&self, all: &[DeviceView]) -> Option<usize> {
        let chosen = self.chosen.as_deref()?;
        let mut fitting = self.fitting.iter();
        fitting.position(|&at| all.get(at).is_some_and(|device| device.id == chosen))
    }

    /// Chooses the one that stands so many places away.
    pub(crate) fn step(&mut self, by: isize, all: &[DeviceView]) {
        let Some(last) = self.fitting.len().checked_sub(1) else {
            return;
        };
        let place = self.place(all).unwrap_or_default();
        let place = place.saturating_add_signed(by).min(last);
        self.choose(all.get(self.fitting[place]).map(|one| one.id.clone()));
    }

    pub(crate) fn key(&mut self, key: Key, look: &Look) -> bool {
        let (listed, height, lines) = self.seen;
        let page = isize::try_from(listed.max(2) - 1).unwrap_or(isize::MAX);
        let most = lines.saturating_sub(height);
        match key {
            Key::Up => self.step(-1, &look.devices),
            Key::Down => self.step(1, &look.devices),
            Key::Home => self.step(isize::MIN, &look.devices),
            Key::End => self.step(isize::MAX, &look.devices),
            Key::Char('c') => self.is_closer = !self.is_closer,
            Key::Left => self.other_node(look, -1),
            Key::Right => self.other_node(look, 1),
            // What is longer than the terminal is scrolled; else the list is.
            Key::PageDown if most > 0 => self.scroll = (self.scroll + height).min(most),
            Key::PageUp if most > 0 => self.scroll = self.scroll.saturating_sub(height),
            Key::PageDown => self.step(page, &look.devices),
            Key::PageUp => self.step(-page, &look.devices),
            _ => return false,
        }
        true
    }

    /// The device itself, then the nodes on its bus.
    fn other_node(&mut self, look: &Look, by: isize) {
        let device = look
            .devices
            .iter()
            .find(|one| Some(&one.id) == self.chosen.as_ref());
        let Some(device) = device else {
            return;
        };
        let nodes = device.about.nodes.iter().map(|node| Some(node.can_id));
        let all: Vec<Option<u8>> = std::iter::once(None).chain(nodes).collect();
        let now = all
            .iter()
            .position(|node| *node == self.node)
            .unwrap_or_default();
        let next = now.saturating_add_signed(by).min(all.len() - 1);
        (self.node, self.scroll) = (all[next], 0);
    }

    pub(crate) fn draw(&mut self, look: &Look, theme: Theme, area: Rect, buffer: &mut Buffer) {
        let is_beside = area.width >= BESIDE;
        let (list, device) = if is_beside {
            let list = Rect {
                width: LIST,
                ..area
            };
            let x = area.x + LIST + 1;
            let width = area.width - LIST - 1;
            (list, Rect { x, width, ..area })
        } else {
            let most = (area.height / 3).max(1);
            let count = u16::try_from(self.fitting.len()).unwrap_or(u16::MAX);
            let height = count.clamp(1, most) + 1;
            let list = Rect {
                height: height.min(area.height),
                ..area
            };
            let y = area.y + list.height;
            let height = area.height - list.height;
            (list, Rect { y, height, ..area })
        };
        self.draw_list(look, theme, list, buffer);
        if is_beside {
            for y in area.top()..area.bottom() {
                buffer.set_stringn(area.x + LIST, y, "│", 1, theme.quiet());
            }
        }
        let device = Rect {
            x: device.x + u16::from(is_beside),
            width: device.width.saturating_sub(u16::from(is_beside)),
            ..device
        };
        let lines = match (&look.device, self.chosen()) {
            (Some(told), Some(chosen)) if told.device.id == chosen => {
                detail::lines(told, self.node, self.is_closer, theme, device.width.into())
            }
            (_, Some(_)) => Vec::new(),
            (_, None) => self.nothing(look, theme),
        };
        // What does not fit is told in the last row.
        let is_long = lines.len() > usize::from(device.height) && device.height > 1;
        let seen = Rect {
            height: device.height - u16::from(is_long),
            ..device
        };
        let height = usize::from(seen.height);
        self.scroll = self.scroll.min(lines.len().saturating_sub(height));
        let listed = usize::from(list.height).saturating_sub(1);
        self.seen = (listed, height, lines.len());
        put(buffer, seen, &lines, self.scroll);
        if is_long {
            let below = lines.len().saturating_sub(self.scroll + height);
            let note = match below {
                0 => "── end, PgUp goes back ".to_owned(),
                _ => format!("── {below} more lines: PgDn "),
            };
            let [_, row] = split_last(device);
            rule(buffer, row, &note, theme.quiet());
        }
    }

    fn nothing(&self, look: &Look, theme: Theme) -> Vec<Line<'static>> {
        if !look.devices.is_empty() {
            return vec![Line::styled(
                "No device has these words. Esc shows all.",
                theme.quiet(),
            )];
        }
        vec![
            Line::styled("There are no devices yet.", theme.strong()),
            Line::raw(""),
            Line::raw("A device comes when it logs in:"),
            Line::raw("  VESC:ID:PASSWORD"),
            Line::raw("and a tool reaches it with:"),
            Line::raw("  VESCTOOL:ID:PASSWORD"),
        ]
    }

    fn draw_list(&mut self, look: &Look, theme: Theme, area: Rect, buffer: &mut Buffer) {
        let [count, all] = [self.fitting.len(), look.devices.len()];
        let title = match count == all {
            true => format!("Devices: {all}"),
            false => format!("Devices: {count} of {all}"),
        };
        let [title_row, rows] = split(area);
        say(buffer, title_row, &title, theme.strong());
        let place = self.place(&look.devices).unwrap_or_default();
        let height = usize::from(rows.height);
        self.top = scrolled(self.top, place, count, height);
        let shown_ones = self.fitting.iter().enumerate().skip(self.top);
        for (row, (at, &index)) in rows.rows().zip(shown_ones) {
            let Some(device) = look.devices.get(index) else {
                continue;
            };
            let mut line = list_line(device, theme, row.width.into());
            if at == place {
                line = line.style(theme.chosen());
                buffer.set_style(row, theme.chosen());
            }
            buffer.set_line(row.x, row.y, &line, row.width);
        }
    }
}

/// Its state as a mark, its id, and who uses it.
fn list_line(device: &DeviceView, theme: Theme, columns: usize) -> Line<'static> {
    let (mark, style) = match (device.plugged, device.reachable) {
        (false, _) => ("○ ", theme.trouble()),
        (true, false) => ("◌ ", theme.trouble()),
        (true, true) => ("● ", theme.good()),
    };
    let tool = device
        .tool
        .map(|tool| format!(" #{tool}"))
        .unwrap_or_default();
    let rest = columns.saturating_sub(2 + tool.len());
    Line::from(vec![
        Span::styled(mark, style),
        Span::raw(fit(&shown(&device.id), rest)),
        Span::styled(tool, theme.good()),
    ])
}

/// All that one may look for, in lower case.
fn words_of(device: &DeviceView) -> String {
    let about = &device.about;
    let mut words = vec![device.id.as_str(), about.kind];
    words.extend(about.hardware.as_deref());
    words.extend(about.firmware.as_deref());
    for node in &about.nodes {
        words.extend([node.kind, &node.hardware]);
    }
    if !device.plugged {
        words.push("unplugged");
    }
    if device.tool.is_some() {
        words.push("in use");
    }
    words.join(" ").to_lowercase()
}
