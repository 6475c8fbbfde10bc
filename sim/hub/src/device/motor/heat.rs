//! Temperatures of a controller's transistors and of its motor: they follow the square of the current, late.

use serde::Deserialize;

use crate::{device::bms::Thermal, duration::Duration, mistake::Mistakes};

/// How a controller and its motor warm up. The firmware only measures, so all of it is our own.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Heat {
    /// What the transistors show without a current, °C.
    pub fet_rest_c: f64,
    /// How much warmer they get, °C for each A² of the motor's current.
    pub fet_rise_c_per_a2: f64,
    /// After this time, 63 % of a change are done.
    pub fet_time_constant: Duration,
    /// What the motor shows without a current, °C.
    pub motor_rest_c: f64,
    /// How much warmer it gets, °C for each A² of its current.
    pub motor_rise_c_per_a2: f64,
    /// After this time, 63 % of a change are done.
    pub motor_time_constant: Duration,
}

/// 36 °C and 72 °C warmer at 60 A, after minutes.
impl Default for Heat {
    fn default() -> Self {
        Self {
            fet_rest_c: 30.0,
            fet_rise_c_per_a2: 0.01,
            fet_time_constant: Duration::from_millis(60_000),
            motor_rest_c: 35.0,
            motor_rise_c_per_a2: 0.02,
            motor_time_constant: Duration::from_millis(300_000),
        }
    }
}

impl Heat {
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        for (key, value, range) in [
            ("fet_rest_c", self.fet_rest_c, -327.0..=3276.0),
            ("fet_rise_c_per_a2", self.fet_rise_c_per_a2, 0.0..=1000.0),
            ("motor_rest_c", self.motor_rest_c, -327.0..=3276.0),
            (
                "motor_rise_c_per_a2",
                self.motor_rise_c_per_a2,
                0.0..=1000.0,
            ),
        ] {
            mistakes.range(key, value, range);
        }
    }

    /// How much warmer transistors and motor are after some seconds with a current, A.
    pub(super) fn rises(
        &self,
        (fet, motor): (f64, f64),
        current_a: f64,
        seconds: f64,
    ) -> (f64, f64) {
        let part = |rise_c_per_w, time_constant: Duration| Thermal {
            ambient_c: None,
            rise_c_per_w,
            time_constant: time_constant.get(),
        };
        let square = current_a * current_a;
        (
            part(self.fet_rise_c_per_a2, self.fet_time_constant).rise_c(fet, square, seconds),
            part(self.motor_rise_c_per_a2, self.motor_time_constant).rise_c(motor, square, seconds),
        )
    }
}
