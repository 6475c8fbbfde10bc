//! A receiver that tells where the vehicle is.

use serde::Deserialize;
use veschub_wire::{
    command::Gnss,
    number::{F64, Float},
};

use crate::{mistake::Mistakes, time::Time};

/// A day, ms.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Where the vehicle is, and when: the clock goes on from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GnssSettings {
    /// Latitude, degrees; south is negative.
    pub latitude_deg: f64,
    /// Longitude, degrees; west is negative.
    pub longitude_deg: f64,
    /// Height, m.
    pub height_m: f64,
    /// Speed, m/s.
    pub speed_m_s: f64,
    /// How the satellites stand: the lower, the better.
    pub hdop: f64,
    /// Year.
    pub year: i16,
    /// Month, from 1.
    pub month: u8,
    /// Day, from 1.
    pub day: u8,
    /// Time of the day at the start of the run, ms.
    pub time_of_day_ms: u32,
    /// How long ago this was heard, s.
    pub age_s: f64,
}

impl Default for GnssSettings {
    fn default() -> Self {
        Self {
            latitude_deg: 0.0,
            longitude_deg: 0.0,
            height_m: 0.0,
            speed_m_s: 0.0,
            hdop: 1.0,
            year: 2026,
            month: 1,
            day: 1,
            time_of_day_ms: 0,
            age_s: 0.2,
        }
    }
}

impl GnssSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        for (key, value, least, most) in [
            ("latitude_deg", self.latitude_deg, -90.0, 90.0),
            ("longitude_deg", self.longitude_deg, -180.0, 180.0),
            ("height_m", self.height_m, -1e6, 1e6),
            ("speed_m_s", self.speed_m_s, 0.0, 1e5),
            ("hdop", self.hdop, 0.0, 1e3),
            ("month", self.month.into(), 1.0, 12.0),
            ("day", self.day.into(), 1.0, 31.0),
            (
                "time_of_day_ms",
                self.time_of_day_ms.into(),
                0.0,
                (DAY_MS - 1) as f64,
            ),
            ("age_s", self.age_s, 0.0, 1e6),
        ] {
            mistakes.range(key, value, least..=most);
        }
    }
}

/// What a device tells; one that never heard of a place tells zeros, and the time since it runs.
pub(super) fn values(settings: Option<&GnssSettings>, at: Time) -> Gnss {
    let float = |value: Option<f64>| Some(Float::packed(value.unwrap_or_default()));
    let since_start = at.since_start().as_millis() as i64;
    let time = settings.map(|gnss| (i64::from(gnss.time_of_day_ms) + since_start) % DAY_MS);
    let age_s = settings.map_or(at.as_secs_f64(), |gnss| gnss.age_s);
    let degrees = |value: Option<f64>| Some(F64::truncated(value.unwrap_or_default()));
    Gnss {
        latitude_deg: degrees(settings.map(|gnss| gnss.latitude_deg)),
        longitude_deg: degrees(settings.map(|gnss| gnss.longitude_deg)),
        height_m: float(settings.map(|gnss| gnss.height_m)),
        speed_m_s: float(settings.map(|gnss| gnss.speed_m_s)),
        hdop: float(settings.map(|gnss| gnss.hdop)),
        time_of_day_ms: Some(time.unwrap_or_default() as i32),
        year: Some(settings.map(|gnss| gnss.year).unwrap_or_default()),
        month: Some(settings.map(|gnss| gnss.month).unwrap_or_default()),
        day: Some(settings.map(|gnss| gnss.day).unwrap_or_default()),
        age_s: float(Some(age_s)),
    }
}
