//! Results for people and for programs; nothing here waits or decides about colour.

pub mod battery;
pub mod differences;
pub mod json;
#[cfg(unix)]
pub mod outside;
pub mod pack;
pub mod scenarios;
