//! The thread that owns the terminal: all that waits, for keys, for the hub and for the terminal.

use std::{
    io::{self, Stdout},
    panic,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crossterm::{
    cursor::Show,
    event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, layout::Rect};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::tcgetwinsize,
};
use tokio::sync::oneshot;
use veschub_control::{Desk, Refused, Seen};
use veschub_hub::hub::steer::{DeviceView, FaultView};

use crate::{
    keys::Key,
    look::{About, Look, Wants},
    notices::Notices,
    page::Page,
};

/// How long is waited for a key before the hub is looked at again.
const TICK: Duration = Duration::from_millis(100);
/// The least time between two drawings: a terminal may be far away.
const BETWEEN: Duration = Duration::from_millis(100);
/// How often values are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often devices are looked at though nothing has told that they changed.
const LIST: Duration = Duration::from_secs(1);
/// How many parts of the journal are read before keys are looked at again.
const BATCHES: usize = 32;
/// How long a terminal that takes nothing has at the end.
const REST: Duration = Duration::from_secs(1);

/// Whether the terminal is in our hands.
static IS_UP: AtomicBool = AtomicBool::new(false);

/// A page that is shown in the terminal until this is dropped.
#[derive(Debug)]
pub struct Tui {
    stop: Arc<AtomicBool>,
    quit: Option<oneshot::Receiver<()>>,
    end: Option<mpsc::Receiver<io::Result<()>>>,
}

impl Tui {
    /// Takes the terminal of stdin and stdout, which both have to be one, and shows the hub in it from now on.
    ///
    /// # Errors
    /// If the terminal cannot be used, or the system refuses a thread.
    pub fn start(desk: Desk, about: About, notices: Notices) -> io::Result<Self> {
        let held = Held::take()?;
        let size = size();
        let viewport = Viewport::Fixed(size);
        let backend = CrosstermBackend::new(io::stdout());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        let stop = Arc::new(AtomicBool::new(false));
        let (quitting, quit) = oneshot::channel();
        let (ending, end) = mpsc::channel();
        let stopped = Arc::clone(&stop);
        let show = move || {
            let mut shown = Shown {
                page: Page::new(about),
                desk,
                notices,
                heard: 0,
                terminal,
                size,
                known: Known::default(),
            };
            let result = shown.run(&stopped);
            drop(shown);
            drop(held);
            let _ = ending.send(result);
            // Whoever serves the hub hears of it in any case, after a panic too.
            let _ = quitting.send(());
        };
        thread::Builder::new().name("tui".to_owned()).spawn(show)?;
        Ok(Self {
            stop,
            quit: Some(quit),
            end: Some(end),
        })
    }

    /// Ready when somebody at the terminal wants to end the hub, or the terminal is gone.
    pub fn quit(&mut self) -> impl Future<Output = ()> + use<> {
        let quit = self.quit.take();
        async move {
            match quit {
                // The sender is dropped if the thread ends otherwise.
                Some(quit) => drop(quit.await),
                None => std::future::pending().await,
            }
        }
    }

    /// Gives the terminal back as it was.
    ///
    /// # Errors
    /// Why the page ended, if it did by itself: the terminal is gone, or takes nothing.
    pub fn finish(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(end) = self.end.take() else {
            return Ok(());
        };
        match end.recv_timeout(REST) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(io::Error::other(
                "the page in the terminal ended by a mistake of this program",
            )),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // What it was to be sent before stays where it is; it must not stay in raw mode.
                let _ = disable_raw_mode();
                Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the terminal takes nothing",
                ))
            }
        }
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The terminal while it is ours: without lines, echo and signals, and on its other screen.
struct Held;

impl Held {
    fn take() -> io::Result<Self> {
        enable_raw_mode()?;
        let held = Self;
        if !IS_UP.swap(true, Ordering::SeqCst) {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        }
        execute!(io::stdout(), EnterAlternateScreen)?;
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        give_back();
    }
}

/// Once, however often it is called.
fn give_back() {
    if IS_UP.swap(false, Ordering::SeqCst) {
        // There is nobody to tell.
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

struct Shown {
    page: Page,
    desk: Desk,
    notices: Notices,
    /// How many notices were seen.
    heard: u64,
    terminal: Terminal<CrosstermBackend<Stdout>>,
    size: Rect,
    known: Known,
}

/// What was last seen of the hub.
#[derive(Default)]
struct Known {
    wants: Option<Wants>,
    looked: Option<Instant>,
    seen: Option<Seen>,
    listed: Option<Instant>,
    devices: Vec<DeviceView>,
    faults: Vec<FaultView>,
}

fn is_due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

impl Shown {
    fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        self.clear()?;
        let mut drawn: Option<Instant> = None;
        let mut is_behind = false;
        while !stop.load(Ordering::Relaxed) && IS_UP.load(Ordering::SeqCst) {
            let to_wait = match (is_behind, self.page.has_changed()) {
                (true, _) => Duration::ZERO,
                (false, true) => {
                    drawn.map_or(Duration::ZERO, |at| BETWEEN.saturating_sub(at.elapsed()))
                }
                (false, false) => TICK,
            };
            wait_for_keys(to_wait)?;
            self.take_keys()?;
            let size = size();
            if self.size != size {
                self.size = size;
                self.clear()?;
                self.page.resized();
            }
            if self.page.is_over() {
                return Ok(());
            }
            match self.look() {
                // Whoever serves the hub ends this as well.
                Err(refused) if refused.is_end => return Ok(()),
                _ => {}
            }
            is_behind = !self.read_journal();
            if let Some((messages, count)) = self.notices.since(self.heard) {
                self.heard = count;
                self.page.told(messages);
            }
            if self.page.has_changed() && is_due(drawn, BETWEEN) {
                let page = &mut self.page;
                self.terminal
                    .draw(|frame| page.draw(frame.area(), frame.buffer_mut()))?;
                drawn = Some(Instant::now());
            }
        }
        Ok(())
    }

    /// Empties the screen: not every terminal has another one, and others may have written to it. The terminal itself
    /// would be asked for its cursor by ratatui's own `clear`, and not all answer.
    fn clear(&mut self) -> io::Result<()> {
        self.terminal.resize(self.size)
    }

    fn take_keys(&mut self) -> io::Result<()> {
        while event::poll(Duration::ZERO)? {
            let Event::Key(key) = event::read()? else {
                continue;
            };
            if key.code == KeyCode::Char('l') && key.modifiers.contains(KeyModifiers::CONTROL) {
                self.clear()?;
                self.page.resized();
            }
            if let Some(act) = key_of(key).and_then(|key| self.page.key(key)) {
                let result = self.desk.carry_out(&act);
                self.page.done(&act, result);
                self.known.looked = None;
                self.known.listed = None;
            }
        }
        Ok(())
    }

    /// Looks at the hub, if it is time to.
    fn look(&mut self) -> Result<(), Refused> {
        let wants = self.page.wants();
        let known = &mut self.known;
        if known.wants.as_ref() == Some(&wants) && !is_due(known.looked, LOOK) {
            return Ok(());
        }
        let seen = self.desk.seen();
        if known.seen != Some(seen) || is_due(known.listed, LIST) {
            known.devices = self.desk.devices()?;
            known.faults = self.desk.faults()?;
            known.seen = Some(seen);
            known.listed = Some(Instant::now());
        }
        let id = wants.device.as_ref();
        let device = id
            .filter(|_| wants.values)
            .map(|(id, node)| self.desk.device(id, *node));
        let quirks = id
            .filter(|_| wants.quirks)
            .map(|(id, _)| self.desk.quirks(id));
        let hub = self.desk.hub()?;
        self.page.take(Look {
            hub,
            devices: known.devices.clone(),
            // One that is gone is not in the list any more, or soon will not be.
            device: device.and_then(Result::ok),
            faults: known.faults.clone(),
            quirks: quirks.and_then(Result::ok).unwrap_or_default(),
        });
        (known.wants, known.looked) = (Some(wants), Some(Instant::now()));
        Ok(())
    }

    /// Takes in what happened; whether that is all.
    fn read_journal(&mut self) -> bool {
        for _ in 0..BATCHES {
            let batch = self.desk.entries_after(self.page.after());
            self.page.happened(&batch);
            if batch.is_end {
                return true;
            }
        }
        false
    }
}

/// How large the terminal is that stdout is: crossterm would ask the one that the process was started from.
fn size() -> Rect {
    let (columns, rows) = match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        // A terminal that does not know is a serial one.
        _ => (80, 24),
    };
    Rect::new(0, 0, columns, rows)
}

/// Waits until a key was pressed, but not for long.
fn wait_for_keys(most: Duration) -> io::Result<()> {
    let stdin = io::stdin();
    let mut keys = [PollFd::new(&stdin, PollFlags::IN)];
    let most = Timespec::try_from(most).unwrap_or_default();
    match poll(&mut keys, Some(&most)) {
        // A signal came, such as the one that tells of another size.
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    match keys[0]
        .revents()
        .intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    {
        true => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the terminal is gone",
        )),
        false => Ok(()),
    }
}

fn key_of(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Key::Interrupt);
    }
    Some(match key.code {
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
