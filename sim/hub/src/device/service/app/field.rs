//! What a reply of an app, or a plot, can take from the state of the motor.

use serde::Deserialize;

use crate::device::motor_state::MotorState;

/// Makes an enum of the fields of [`MotorState`] that a scenario can name.
macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident $field:ident,)*) => {
        /// A value of the motor's state, by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum MotorField {
            $($(#[$doc])* $variant,)*
        }

        impl MotorField {
            /// All names.
            pub(super) const NAMES: &[&str] = &[$(stringify!($field)),*];

            /// The field with this name.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($field) => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name.
            pub(in crate::device) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)*
                }
            }

            /// The value at a moment; a fault is its code, and a flag is 0 or 1.
            pub(in crate::device) fn value(self, motor: &MotorState) -> f64 {
                match self {
                    $(Self::$variant => motor.$field.into(),)*
                }
            }
        }
    };
}

fields! {
    /// Electrical speed, revolutions per minute.
    Erpm erpm,
    /// Duty cycle, -1 to 1.
    Duty duty,
    /// Current of the motor, A.
    MotorCurrentA motor_current_a,
    /// Current of the supply, A.
    InputCurrentA input_current_a,
    /// Current of the d axis, A.
    IdCurrentA id_current_a,
    /// Current of the q axis, A.
    IqCurrentA iq_current_a,
    /// Voltage of the d axis, V.
    VdV vd_v,
    /// Voltage of the q axis, V.
    VqV vq_v,
    /// Voltage of the supply, V.
    InputVoltageV input_voltage_v,
    /// Temperature of the power transistors, °C.
    FetTemperatureC fet_temperature_c,
    /// Temperature of the motor, °C.
    MotorTemperatureC motor_temperature_c,
    /// Charge left in the battery, 0 to 1.
    BatteryLevel battery_level,
    /// Speed of the vehicle, m/s.
    SpeedMS speed_m_s,
    /// Distance since the start, m.
    DistanceM distance_m,
    /// Distance over the motor's life, m.
    OdometerM odometer_m,
    /// Charge drawn from the battery, Ah.
    DrawnAh drawn_ah,
    /// Charge given back, Ah.
    ChargedAh charged_ah,
    /// Energy drawn from the battery, Wh.
    DrawnWh drawn_wh,
    /// Energy given back, Wh.
    ChargedWh charged_wh,
    /// Steps of the tachometer.
    Tachometer tachometer,
    /// The same, in both directions.
    TachometerAbsolute tachometer_absolute,
    /// Position of the position control, degrees.
    PidPositionDeg pid_position_deg,
    /// Fault code; 0 is none.
    Fault fault,
    /// Whether no command came in time: 0 or 1.
    TimedOut timed_out,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_called_as_in_the_state() {
        for name in [
            "erpm",
            "motor_current_a",
            "speed_m_s",
            "vd_v",
            "drawn_wh",
            "timed_out",
        ] {
            let field: MotorField = serde_json::from_value(name.into()).unwrap();
            assert_eq!(field.name(), name);
        }
        let motor = MotorState {
            fault: 3,
            timed_out: true,
            ..MotorState::default()
        };
        assert_eq!(MotorField::Fault.value(&motor), 3.0);
        assert_eq!(MotorField::TimedOut.value(&motor), 1.0);
    }
}
