//! Results for people and for programs. Nothing here waits; the callers decide about colours.

pub mod battery;
pub mod differences;
pub mod json;
pub mod matrix;
#[cfg(unix)]
pub mod outside;
pub mod pack;
pub mod scenarios;
