//! The motor itself, and from it to the road: magnets, winding, inertia, gear and wheel.

use std::f64::consts::{PI, TAU};

use serde::Deserialize;

use crate::mistake::Mistakes;

/// A motor and what it turns. Magnets, winding, gear and wheel have the defaults of the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    /// Magnets on the rotor, twice the pole pairs.
    pub poles: u8,
    /// Turns of the motor for one turn of the wheel.
    pub gear_ratio: f64,
    /// Diameter of the wheel, m.
    pub wheel_diameter_m: f64,
    /// Flux linkage of the magnets, Wb.
    pub flux_linkage_wb: f64,
    /// Resistance of the winding, ohms.
    pub resistance_ohm: f64,
    /// Moment of inertia of all that turns, as the rotor feels it, kg m².
    pub inertia_kg_m2: f64,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            poles: 14,
            gear_ratio: 3.0,
            wheel_diameter_m: 0.083,
            flux_linkage_wb: 0.00245,
            resistance_ohm: 0.015,
            inertia_kg_m2: 0.005,
        }
    }
}

impl Machine {
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        if self.poles < 2 || !self.poles.is_multiple_of(2) {
            let message = format!(
                "a motor with {} poles: wanted an even number from 2 on",
                self.poles
            );
            mistakes.add("poles", message);
        }
        mistakes.range("gear_ratio", self.gear_ratio, 0.001..=1000.0);
        mistakes.range("wheel_diameter_m", self.wheel_diameter_m, 0.001..=100.0);
        mistakes.range("flux_linkage_wb", self.flux_linkage_wb, 1e-5..=10.0);
        mistakes.range("resistance_ohm", self.resistance_ohm, 1e-4..=100.0);
        mistakes.range("inertia_kg_m2", self.inertia_kg_m2, 1e-5..=1e6);
    }

    /// Electrical turns for one of the rotor.
    pub(super) fn pole_pairs(&self) -> f64 {
        f64::from(self.poles) / 2.0
    }

    /// Torque of one ampere, Nm (`bldc motor/virtual_motor.c:337`).
    pub(super) fn torque_nm_per_a(&self) -> f64 {
        1.5 * self.pole_pairs() * self.flux_linkage_wb
    }

    /// Voltage that the rotor makes at a speed of 1 rad/s, V.
    pub(super) fn back_emf_v_s(&self) -> f64 {
        self.pole_pairs() * self.flux_linkage_wb
    }

    /// The electrical speed, revolutions per minute, of a rotor that turns with rad/s.
    pub(super) fn erpm_of(&self, rad_s: f64) -> f64 {
        rad_s * self.pole_pairs() * 60.0 / TAU
    }

    /// The rotor's speed, rad/s, at an electrical one.
    pub(super) fn rad_s_of(&self, erpm: f64) -> f64 {
        erpm / self.pole_pairs() / 60.0 * TAU
    }

    /// How far the vehicle gets with one electrical turn, m.
    fn metres_per_turn(&self) -> f64 {
        PI * self.wheel_diameter_m / self.gear_ratio / self.pole_pairs()
    }

    /// The vehicle's speed at an electrical one, m/s (`bldc motor/mc_interface.c:1618-1631`).
    pub(super) fn speed_m_s(&self, erpm: f64) -> f64 {
        erpm / 60.0 * self.metres_per_turn()
    }

    /// The electrical speed at one of the vehicle's, revolutions per minute.
    pub(super) fn erpm(&self, speed_m_s: f64) -> f64 {
        speed_m_s * 60.0 / self.metres_per_turn()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_electrical_speed_fit_together() {
        let machine = Machine::default();
        // 7,000 ERPM are 1,000 turns of the motor and 333.3 of the wheel a minute.
        let speed = machine.speed_m_s(7000.0);
        assert!((speed - 1000.0 / 3.0 / 60.0 * PI * 0.083).abs() < 1e-9);
        assert!((machine.erpm(speed) - 7000.0).abs() < 1e-9);
    }
}
