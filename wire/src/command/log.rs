//! A log of numbers that somebody measures and an Express writes to its memory card.
//!
//! ```text
//! start    91 | fields i16 | rate f32a | time u8 | GNSS u8 | GNSS time u8
//! stop     92
//! field    93 | index i16 | key str | name str | unit str | precision u8 | relative u8 | timestamp u8
//! data     94 | first i16 | f32a ...          97 | first i16 | f64a ...
//! ```
//!
//! Nothing of this is ever acknowledged. A device may send it to a tool too, which then writes the log
//! (`vesc_express main/log.c:520-595`, `vesc_tool commands.cpp:1117-1160`).

use super::prelude::*;
use crate::number::{Double, Float, Text};

body! {
    /// What a log will hold.
    #[derive(Copy)]
    pub struct LogStart {
        always {
            /// How many fields.
            fields: i16,
            /// Lines a second, Hz.
            rate_hz: Float,
            /// Whether each line ends with the time of day.
            time: u8 = Shown::Flag,
            /// Whether each line ends with the position.
            gnss: u8 = Shown::Flag,
            /// Whether each line ends with the time of the position.
            gnss_time: u8 = Shown::Flag,
        }
    }
}

body! {
    /// What a field of a log is.
    pub struct LogField {
        always {
            /// Which field, from 0.
            index: i16,
            /// A name for programs.
            key: Text,
            /// A name for people.
            name: Text,
            /// The unit.
            unit: Text,
            /// How many decimals are written.
            precision: u8,
            /// Whether it is shown relative to its first value.
            relative: u8 = Shown::Flag,
            /// Whether it is a time of day, s.
            timestamp: u8 = Shown::Flag,
        }
    }
}

body! {
    /// New values of some fields of a log.
    pub struct LogValues {
        always {
            /// The field of the first value.
            first: i16,
        }
        repeated {
            /// The values, in the order of the fields.
            values: Float,
        }
    }
}

body! {
    /// The same, each in twice the bytes.
    pub struct LogDoubles {
        always {
            /// The field of the first value.
            first: i16,
        }
        repeated {
            /// The values, in the order of the fields.
            values: Double,
        }
    }
}

commands! {
    /// A command about a log, in either direction. Nobody answers it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum LogCommand {
        /// 145: a log begins.
        LOG_START => Start(LogStart),
        /// 146: the log ends.
        LOG_STOP => Stop,
        /// 147: what a field is.
        LOG_CONFIG_FIELD => Field(LogField),
        /// 148: new values.
        LOG_DATA_F32 => Values(LogValues),
        /// 151: new values, more exact.
        LOG_DATA_F64 => Doubles(LogDoubles),
    } or {}
}
