//! The keys, as the page knows them and as the footer lists them.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    /// Ctrl-C.
    Interrupt,
}

/// A key's name, and what it does.
pub(crate) type Hint = (&'static str, &'static str);

/// What every view has.
pub(crate) const EVERYWHERE: &[Hint] = &[
    ("1 2 3", "view"),
    ("p", "pause time"),
    ("s", "stop listening"),
    ("m", "messages"),
    ("?", "help"),
    ("q", "quit"),
];

pub(crate) const DEVICES: &[Hint] = &[
    ("↑↓", "device"),
    ("←→", "CAN node"),
    ("PgDn", "scroll"),
    ("c", "closer"),
    ("/", "find"),
    ("d", "drop client"),
    ("u", "unplug"),
];

pub(crate) const WIRE: &[Hint] = &[
    ("↑↓", "entry"),
    ("Enter", "bytes"),
    ("Space", "follow"),
    ("/", "filter"),
    ("x", "forget"),
    ("d", "drop client"),
];

pub(crate) const BREAK_IT: &[Hint] = &[
    ("↑↓", "choose"),
    ("Space", "on/off"),
    ("←→", "device"),
    ("a", "all/one"),
    ("d", "drop client"),
    ("u", "unplug"),
];

pub(crate) const PROMPT: &[Hint] = &[("Enter", "keep"), ("Esc", "take back")];

pub(crate) const OVERLAY: &[Hint] = &[("Esc", "back"), ("q", "quit")];
