//! Results for people and for programs; nothing here waits or decides about colour.

pub mod json;
pub mod pack;
pub mod scenarios;
