//! Temperatures: sensors that start where they are told, drift to their surroundings and follow the cells' heat late.

use std::time::Duration;

/// How a pack warms up and cools down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::device) struct Thermal {
    /// What the sensors settle at without a load, °C; `None` is where each of them starts.
    pub(in crate::device) ambient_c: Option<f64>,
    /// How much warmer than its surroundings a cell ends up for each watt of heat in it, °C.
    pub(in crate::device) rise_c_per_w: f64,
    /// After this time, 63 % of a change are done.
    pub(in crate::device) time_constant: Duration,
}

impl Thermal {
    /// What is left of a difference after some seconds, 1 to 0.
    fn left_after(&self, seconds: f64) -> f64 {
        let time_constant = self.time_constant.as_secs_f64();
        if time_constant > 0.0 {
            (-seconds / time_constant).exp()
        } else {
            0.0
        }
    }

    /// How much warmer than without a load the cells are, °C, some seconds after they were that much warmer, with
    /// this heat in each of them, W.
    pub(in crate::device) fn rise_c(&self, before_c: f64, heat_w: f64, seconds: f64) -> f64 {
        let settled = heat_w * self.rise_c_per_w;
        settled + (before_c - settled) * self.left_after(seconds)
    }

    /// What a sensor shows, °C, that started at `start_c` these seconds ago and is warmed by `rise_c`.
    pub(super) fn sensor_c(&self, start_c: f64, rise_c: f64, seconds: f64) -> f64 {
        if is_dummy(start_c) {
            return start_c;
        }
        let ambient = self.ambient_c.unwrap_or(start_c);
        ambient + (start_c - ambient) * self.left_after(seconds) + rise_c
    }
}

/// Sensors that measure nothing: broken (-280 °C and below), filler (99 °C) or absent (0 °C).
pub(super) fn is_dummy(temperature_c: f64) -> bool {
    temperature_c <= -280.0 || temperature_c == 99.0 || temperature_c == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: Thermal = Thermal {
        ambient_c: Some(20.0),
        rise_c_per_w: 10.0,
        time_constant: Duration::from_secs(600),
    };

    #[test]
    fn after_its_time_constant_a_pack_has_gone_63_percent_of_its_way() {
        assert!((PACK.rise_c(0.0, 2.0, 600.0) - 20.0 * 0.632_12).abs() < 1e-3);
        assert!((PACK.sensor_c(30.0, 0.0, 600.0) - (20.0 + 10.0 * 0.367_88)).abs() < 1e-3);
    }

    #[test]
    fn a_long_step_is_as_good_as_many_short_ones() {
        let stepped = (0..600).fold(5.0, |rise, _| PACK.rise_c(rise, 3.0, 1.0));
        assert!((stepped - PACK.rise_c(5.0, 3.0, 600.0)).abs() < 1e-9);
    }

    #[test]
    fn heat_ends_at_its_rise_however_long_it_lasts() {
        assert_eq!(PACK.rise_c(0.0, 2.0, 1e12), 20.0);
        assert_eq!(PACK.rise_c(20.0, 0.0, 1e12), 0.0);
        assert_eq!(PACK.sensor_c(35.0, 20.0, 1e12), 40.0);
    }

    #[test]
    fn without_an_ambient_temperature_nothing_drifts() {
        let pack = Thermal {
            ambient_c: None,
            ..PACK
        };
        assert_eq!(pack.sensor_c(35.0, 0.0, 12_345.0), 35.0);
    }

    #[test]
    fn a_sensor_that_measures_nothing_never_changes() {
        for dummy in [99.0, 0.0, -281.0, -300.0] {
            assert_eq!(PACK.sensor_c(dummy, 25.0, 3600.0), dummy);
        }
    }

    #[test]
    fn no_time_constant_means_at_once() {
        let pack = Thermal {
            time_constant: Duration::ZERO,
            ..PACK
        };
        assert_eq!(pack.rise_c(0.0, 2.0, 0.0), 20.0);
    }
}
