//! Shows a fake hub that runs in a terminal, and steers it.
//!
//! ```text
//!  hub's thread                  this thread
//!   journal -- store <--+
//!   hub  <-- Remote <-- desk <-- screen --- keys, what is known --> page (decides)
//!                                screen <-- what to do, what to draw --+
//! ```
//!
//! All that is shown and done goes over the [`Desk`](veschub_control::Desk) of the control API, so both always agree.
//! The page decides and never waits; the screen waits and decides nothing.

mod breakit;
mod detail;
mod devices;
mod entry;
mod frame;
mod keys;
mod look;
mod notices;
mod page;
mod screen;
mod text;
mod theme;
mod wire;

#[cfg(test)]
mod tests;

pub use look::About;
pub use notices::Notices;
pub use screen::Tui;
