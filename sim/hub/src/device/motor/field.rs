//! The values of a motor that can be set, by their names in readings.

use serde::{Deserialize, Deserializer, de};

use crate::device::{course::Named, motor_state::MotorState};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:literal $field:ident => |$state:ident, $value:ident| $set:expr,)+) => {
        /// A value of a motor that can be set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $($(#[$doc])* $field,)+
        }

        const ALL: &[(&str, Field)] = &[$(($name, Field::$field)),+];

        const NAMES: &[&str] = &[$($name),+];

        impl Named for Field {
            const NAMES: &'static [&'static str] = NAMES;

            fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }

            fn named(name: &str) -> Option<Self> {
                let found = ALL.iter().find(|(known, _)| *known == name);
                found.map(|&(_, field)| field)
            }
        }

        impl Field {
            /// Sets it in a state.
            pub(super) fn set(self, state: &mut MotorState, value: f64) {
                match self {
                    $(Self::$field => {
                        let ($state, $value) = (state, value);
                        $set;
                    })+
                }
            }
        }
    };
}

fields! {
    /// Temperature of the power transistors, °C.
    "fet_temperature_c" FetTemperature => |state, value| state.fet_temperature_c = value,
    /// Temperature of the motor, °C.
    "motor_temperature_c" MotorTemperature => |state, value| state.motor_temperature_c = value,
    /// Current of the motor, A.
    "motor_current_a" MotorCurrent => |state, value| state.motor_current_a = value,
    /// Current of the supply, A.
    "input_current_a" InputCurrent => |state, value| state.input_current_a = value,
    /// Current along the rotor's field, A.
    "id_current_a" IdCurrent => |state, value| state.id_current_a = value,
    /// Current across the rotor's field, A.
    "iq_current_a" IqCurrent => |state, value| state.iq_current_a = value,
    /// Duty cycle, -1 to 1.
    "duty" Duty => |state, value| state.duty = value,
    /// Electrical speed, revolutions per minute.
    "erpm" Erpm => |state, value| state.erpm = value,
    /// Voltage of the supply, V.
    "input_voltage_v" InputVoltage => |state, value| state.input_voltage_v = value,
    /// Charge drawn, Ah.
    "drawn_ah" DrawnAh => |state, value| state.drawn_ah = value,
    /// Charge given back, Ah.
    "charged_ah" ChargedAh => |state, value| state.charged_ah = value,
    /// Energy drawn, Wh.
    "drawn_wh" DrawnWh => |state, value| state.drawn_wh = value,
    /// Energy given back, Wh.
    "charged_wh" ChargedWh => |state, value| state.charged_wh = value,
    /// Position counter, steps.
    "tachometer" Tachometer => |state, value| state.tachometer = value,
    /// Distance counter, steps.
    "tachometer_absolute" TachometerAbsolute => |state, value| state.tachometer_absolute = value,
    /// Fault code.
    "fault" Fault => |state, value| state.fault = value as u8,
    /// Position that the position controller sees, degrees.
    "pid_position_deg" PidPosition => |state, value| state.pid_position_deg = value,
    /// Voltage along the rotor's field, V.
    "vd_v" Vd => |state, value| state.vd_v = value,
    /// Voltage across the rotor's field, V.
    "vq_v" Vq => |state, value| state.vq_v = value,
    /// Whether the time-out stopped the motor, 0 or 1.
    "timeout_active" TimeoutActive => |state, value| state.timed_out = value != 0.0,
    /// Whether the kill switch stopped the motor, 0 or 1.
    "kill_switch_active" KillSwitchActive => |state, value| state.killed = value != 0.0,
    /// Speed of the vehicle, m/s.
    "speed_m_s" Speed => |state, value| state.speed_m_s = value,
    /// Charge left in the battery, 0 to 1.
    "battery_level" BatteryLevel => |state, value| state.battery_level = value,
    /// Energy left in the battery, Wh.
    "battery_left_wh" BatteryLeft => |state, value| state.battery_left_wh = value,
    /// Distance since the start, m.
    "distance_m" Distance => |state, value| state.distance_m = value,
    /// Distance in both directions since the start, m.
    "distance_absolute_m" DistanceAbsolute => |state, value| state.distance_absolute_m = value,
    /// Distance ever, m.
    "odometer_m" Odometer => |state, value| state.odometer_m = value,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| de::Error::unknown_variant(&name, NAMES))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Field {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MotorFieldName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A value of a motor by its name in readings.",
            "enum": NAMES,
        })
    }
}
