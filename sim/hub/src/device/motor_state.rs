//! What a motor does at a moment, as its controller measures it.

/// The state of a motor: plain numbers without noise. A node without a motor has the default: all is 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::device) struct MotorState {
    /// Electrical speed, revolutions per minute.
    pub(in crate::device) erpm: f64,
    /// Duty cycle, -1 to 1.
    pub(in crate::device) duty: f64,
    /// Current of the motor, A.
    pub(in crate::device) motor_current_a: f64,
    /// Current of the supply, A; negative while the motor brakes.
    pub(in crate::device) input_current_a: f64,
    /// Current of the d axis, A.
    pub(in crate::device) id_current_a: f64,
    /// Current of the q axis, A.
    pub(in crate::device) iq_current_a: f64,
    /// Voltage of the d axis, V.
    pub(in crate::device) vd_v: f64,
    /// Voltage of the q axis, V.
    pub(in crate::device) vq_v: f64,
    /// Voltage of the supply, V.
    pub(in crate::device) input_voltage_v: f64,
    /// Temperature of the power transistors, °C.
    pub(in crate::device) fet_temperature_c: f64,
    /// Temperature of the motor, °C.
    pub(in crate::device) motor_temperature_c: f64,
    /// Charge left in the battery, 0 to 1.
    pub(in crate::device) battery_level: f64,
    /// Energy left in the battery, Wh.
    pub(in crate::device) battery_left_wh: f64,
    /// Speed of the vehicle, m/s.
    pub(in crate::device) speed_m_s: f64,
    /// Distance since the start, m; driving backwards takes from it.
    pub(in crate::device) distance_m: f64,
    /// Distance since the start in both directions, m.
    pub(in crate::device) distance_absolute_m: f64,
    /// Distance in both directions over the motor's life, m.
    pub(in crate::device) odometer_m: f64,
    /// Charge drawn from the battery, Ah.
    pub(in crate::device) drawn_ah: f64,
    /// Charge given back, Ah.
    pub(in crate::device) charged_ah: f64,
    /// Energy drawn from the battery, Wh.
    pub(in crate::device) drawn_wh: f64,
    /// Energy given back, Wh.
    pub(in crate::device) charged_wh: f64,
    /// Steps of the tachometer, six an electrical revolution.
    pub(in crate::device) tachometer: f64,
    /// The same, in both directions.
    pub(in crate::device) tachometer_absolute: f64,
    /// Position of the position control, degrees.
    pub(in crate::device) pid_position_deg: f64,
    /// Fault code; 0 is none.
    pub(in crate::device) fault: u8,
    /// Whether no command came in time.
    pub(in crate::device) timed_out: bool,
    /// Whether the kill switch stopped the motor.
    pub(in crate::device) killed: bool,
    /// How far a nunchuk's stick is from its middle, -1 to 1.
    pub(in crate::device) nunchuk: f64,
}
