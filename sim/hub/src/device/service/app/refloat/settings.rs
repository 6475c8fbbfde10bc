//! What a scenario says of a Refloat.

use serde::Deserialize;

use crate::{duration::Duration, mistake::Mistakes};

/// Refloat on a self-balancing board. What is not given follows from what the motor does.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RefloatSettings {
    /// Its version; newer ones know more commands.
    pub version: RefloatVersion,
    /// The third number of the version.
    pub patch: u8,
    /// What stands behind the version: up to 20 characters.
    pub suffix: String,
    /// What the board does; without it, it runs while somebody stands on both pads, and is ready else.
    pub state: Option<RideState>,
    /// In which mode.
    pub mode: RideMode,
    /// Why it stopped, while it is ready.
    pub stop: StopCondition,
    /// Why the setpoint changes; without it, it does not while the board runs.
    pub setpoint_type: SetpointType,
    /// Whether the wheel slips.
    pub wheelslip: bool,
    /// Whether it is ridden upside down.
    pub darkride: bool,
    /// Which foot pads are pressed; without it, both while the motor turns, and none else.
    pub footpad: Option<Footpad>,
    /// The voltage of the left pad, V; without it, 3 if it is pressed, and 0 else.
    pub adc_left_v: Option<f64>,
    /// The voltage of the right pad, V; the same.
    pub adc_right_v: Option<f64>,
    /// Pitch, degrees.
    pub pitch_deg: f64,
    /// Pitch as the balance filter sees it, degrees; without it, the pitch.
    pub balance_pitch_deg: Option<f64>,
    /// Roll, degrees.
    pub roll_deg: f64,
    /// The setpoint, degrees.
    pub setpoint_deg: f64,
    /// What ATR adds to the setpoint, degrees.
    pub atr_deg: f64,
    /// What the brake tilt adds to the setpoint, degrees.
    pub brake_tilt_deg: f64,
    /// What the torque tilt adds to the setpoint, degrees.
    pub torque_tilt_deg: f64,
    /// What the turn tilt adds to the setpoint, degrees.
    pub turn_tilt_deg: f64,
    /// What the remote adds to the setpoint, degrees.
    pub remote_deg: f64,
    /// Where the remote's stick is, -1 to 1.
    pub remote_input: f64,
    /// What it asks of the motor, A; without it, the motor's own current.
    pub balance_current_a: Option<f64>,
    /// What the booster adds, A.
    pub booster_current_a: f64,
    /// How the acceleration differs from what ATR expects.
    pub atr_accel_diff: f64,
    /// What ATR adds because of the speed.
    pub atr_speed_boost: f64,
    /// Why it beeps, as a number: 0 is no reason.
    pub beep_reason: u8,
    /// Whether a charger is connected.
    pub charging: bool,
    /// Current of the charger, A.
    pub charge_current_a: f64,
    /// Voltage of the charger, V.
    pub charge_voltage_v: f64,
    /// What lights it has.
    pub leds: RefloatLeds,
    /// Which of them are on at the start: 1 the LEDs, 2 the headlights, 3 both.
    pub lights: u8,
    /// What went wrong before; a fault of the motor is there by itself.
    pub alerts: Vec<RefloatAlert>,
    /// Whether an error keeps it from running until a client clears it.
    pub fatal_error: bool,
}

/// An entry in the list of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefloatAlert {
    /// When it came, since the start of the run.
    pub at: Duration,
    /// What it is; 1 is a fault of the firmware.
    #[serde(default = "firmware_fault")]
    pub alert: u8,
    /// Whether it began then, or ended.
    #[serde(default = "yes")]
    pub active: bool,
    /// The number of the fault.
    #[serde(default)]
    pub code: u8,
}

fn firmware_fault() -> u8 {
    1
}

fn yes() -> bool {
    true
}

/// A version of Refloat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RefloatVersion {
    /// 1.0.
    #[serde(rename = "1.0")]
    V1_0,
    /// 1.1: with REALTIME_DATA (31) and its ids.
    #[serde(rename = "1.1")]
    V1_1,
    /// 1.2: with alerts, and LIGHTS_CONTROL under its own number.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// 1.3: with REALTIME_DATA (33) by masks.
    #[serde(rename = "1.3")]
    V1_3,
}

impl RefloatVersion {
    /// Major and minor version.
    pub(super) fn numbers(self) -> (u8, u8) {
        match self {
            Self::V1_0 => (1, 0),
            Self::V1_1 => (1, 1),
            Self::V1_2 => (1, 2),
            Self::V1_3 => (1, 3),
        }
    }
}

/// Makes an enum whose variants have numbers.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }
    };
}

numbered! {
    /// What a board does.
    RideState {
        /// It is locked.
        Disabled = 0,
        /// It starts.
        Startup = 1,
        /// It waits for somebody to step on.
        #[default]
        Ready = 2,
        /// It balances.
        Running = 3,
    }
}

numbered! {
    /// In which mode a board is.
    RideMode {
        /// It is ridden.
        #[default]
        Normal = 0,
        /// It is tested by hand.
        Handtest = 1,
        /// It turns its wheel for show.
        Flywheel = 2,
    }
}

numbered! {
    /// Why a board stopped.
    StopCondition {
        /// It has not run yet.
        #[default]
        None = 0,
        /// It leant too far forward or back.
        Pitch = 1,
        /// It leant too far to a side.
        Roll = 2,
        /// One foot left its pad.
        HalfSwitch = 3,
        /// Both feet left the pads.
        FullSwitch = 4,
        /// It rolled back too far.
        Reverse = 5,
        /// It was stopped by the pads at once.
        Quickstop = 6,
    }
}

numbered! {
    /// Why the setpoint changes.
    SetpointType {
        /// It does not.
        #[default]
        None = 0,
        /// The board rights itself at the start.
        Centering = 1,
        /// It stops because it rolls back.
        ReverseStop = 2,
        /// It pushes back: the duty cycle is too high.
        Duty = 6,
        /// It pushes back: the voltage is too high.
        HighVoltage = 10,
        /// It pushes back: the voltage is too low.
        LowVoltage = 11,
        /// It pushes back: something is too hot.
        Temperature = 12,
    }
}

impl SetpointType {
    /// Its number in GET_RTDATA and GET_ALLDATA.
    pub(super) fn compatible(self) -> u8 {
        match self {
            Self::Centering => 0,
            Self::ReverseStop => 1,
            Self::None => 2,
            Self::Duty => 3,
            Self::HighVoltage => 4,
            Self::LowVoltage => 5,
            Self::Temperature => 6,
        }
    }
}

numbered! {
    /// Which foot pads are pressed.
    Footpad {
        /// None of them.
        #[default]
        None = 0,
        /// The left one.
        Left = 1,
        /// The right one.
        Right = 2,
        /// Both.
        Both = 3,
    }
}

numbered! {
    /// What lights a board has.
    RefloatLeds {
        /// None.
        #[default]
        None = 0,
        /// Of its own.
        Internal = 1,
        /// Those of a light module.
        External = 2,
    }
}

impl RefloatLeds {
    /// The number in the short form of INFO.
    pub(super) fn in_version_1(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Internal => 1,
            Self::External => 3,
        }
    }

    /// The bits in the long form of INFO.
    pub(super) fn capabilities(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Internal => 1,
            // LEDs, and that they are somebody else's.
            Self::External => 1 | 2,
        }
    }
}

impl RefloatSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        if self.suffix.len() > 20 {
            mistakes.add("suffix", "there is room for 20 characters");
        }
        mistakes.range("lights", self.lights.into(), 0.0..=3.0);
        mistakes.range("beep_reason", self.beep_reason.into(), 0.0..=15.0);
        mistakes.range("remote_input", self.remote_input, -1.0..=1.0);
        for (key, value) in [
            ("pitch_deg", Some(self.pitch_deg)),
            ("balance_pitch_deg", self.balance_pitch_deg),
            ("roll_deg", Some(self.roll_deg)),
            ("setpoint_deg", Some(self.setpoint_deg)),
            ("atr_deg", Some(self.atr_deg)),
            ("brake_tilt_deg", Some(self.brake_tilt_deg)),
            ("torque_tilt_deg", Some(self.torque_tilt_deg)),
            ("turn_tilt_deg", Some(self.turn_tilt_deg)),
            ("remote_deg", Some(self.remote_deg)),
        ] {
            mistakes.range(key, value.unwrap_or_default(), -360.0..=360.0);
        }
        for (key, value) in [
            ("adc_left_v", self.adc_left_v),
            ("adc_right_v", self.adc_right_v),
        ] {
            mistakes.range(key, value.unwrap_or_default(), 0.0..=5.0);
        }
        for (key, value) in [
            (
                "balance_current_a",
                self.balance_current_a.unwrap_or_default(),
            ),
            ("booster_current_a", self.booster_current_a),
            ("atr_accel_diff", self.atr_accel_diff),
            ("atr_speed_boost", self.atr_speed_boost),
            ("charge_current_a", self.charge_current_a),
            ("charge_voltage_v", self.charge_voltage_v),
        ] {
            mistakes.range(key, value, -1000.0..=1000.0);
        }
        mistakes.each("alerts", &self.alerts, |alert, mistakes| {
            mistakes.range("alert", alert.alert.into(), 1.0..=32.0);
        });
    }
}
