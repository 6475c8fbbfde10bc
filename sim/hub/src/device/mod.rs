//! Devices: what answers behind a hub.
//!
//! A device outlives the sessions of its tools and may speak at any time: a reply that a tool asked for can
//! come out when another tool is attached. Like everything here it is told the time and never waits.

mod answer;
pub mod bms;
pub mod bms_node;
mod board;
pub mod can;
pub mod config_xml;
mod course;
pub mod coverage;
mod custom_config;
mod express;
mod fate;
pub mod identity;
mod imu;
pub mod motor;
mod motor_state;
mod node;
mod output;
pub mod profile;
mod queue;
pub mod replay;
pub mod script;
pub mod service;
mod steer;
mod worker;

pub use crate::Silence;
pub use board::{Board, Wiring};
pub use course::SetValue;
pub use custom_config::Configs;
pub use express::{Express, ExpressIdentity, Pack, Stored};
pub use node::NodeSettings;
pub use output::{Device, DeviceEvent, Out};
pub use replay::Replay;
pub use service::{
    FileSettings, LispOn, LispPrint, LispSettings, QmlSettings, ReplAnswer,
    config::{ConfigSettings, Configured, GivenValue, Limits, LoadError},
};
pub use steer::{About, NodeAbout, Origin, Pinned, Release, SetCommand, SetError, Told};
