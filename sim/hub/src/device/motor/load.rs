//! What holds a motor back.

use serde::Deserialize;

use crate::mistake::Mistakes;

/// The load, as the rotor feels it. The default is that of a wheel on a stand, or of a light vehicle on a level road.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Friction that does not depend on the speed, Nm; it also holds a motor that stands.
    pub friction_nm: f64,
    /// Drag that grows with the speed, Nm for each rad/s of the rotor.
    pub drag_nm_s: f64,
    /// Drag that grows with the square of the speed, such as that of air, Nm for each (rad/s)² of the rotor.
    pub air_nm_s2: f64,
    /// A torque that always pulls backwards, such as that of a slope, Nm; below 0 it pulls forwards.
    pub slope_nm: f64,
    /// Electrical speed at the start of the run, revolutions per minute, as of a vehicle that rolls.
    pub start_erpm: f64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            friction_nm: 0.05,
            drag_nm_s: 0.0001,
            air_nm_s2: 0.0,
            slope_nm: 0.0,
            start_erpm: 0.0,
        }
    }
}

impl Load {
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        mistakes.range("friction_nm", self.friction_nm, 0.0..=10_000.0);
        mistakes.range("drag_nm_s", self.drag_nm_s, 0.0..=1000.0);
        mistakes.range("air_nm_s2", self.air_nm_s2, 0.0..=100.0);
        mistakes.range("slope_nm", self.slope_nm, -10_000.0..=10_000.0);
        mistakes.range("start_erpm", self.start_erpm, -1e6..=1e6);
    }
}
