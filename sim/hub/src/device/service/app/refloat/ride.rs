//! What a board does at a moment: the scenario's values where it has some, and else what follows from the motor.

use super::{
    TICKS_PER_S,
    settings::{
        Footpad, RefloatSettings, RefloatVersion, RideMode, RideState, SetpointType, StopCondition,
    },
};
use crate::{device::motor_state::MotorState, time::Time};

/// A wheel that turns slower stands (ERPM).
const STANDS: f64 = 10.0;
/// What a pressed pad reads, V.
const PRESSED_V: f64 = 3.0;
/// The alert that a fault of the firmware is.
pub(super) const FIRMWARE_FAULT: u8 = 1;

/// What clients have changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changed {
    /// Whether a fatal error was cleared.
    pub(super) cleared: bool,
    /// Whether it is locked; none is as the scenario says.
    pub(super) locked: Option<bool>,
    /// Whether it is tested by hand; none is as the scenario says.
    pub(super) by_hand: Option<bool>,
}

/// A board at a moment.
#[derive(Debug)]
pub(super) struct Ride<'a> {
    pub(super) settings: &'a RefloatSettings,
    pub(super) motor: &'a MotorState,
    pub(super) state: RideState,
    pub(super) mode: RideMode,
    pub(super) footpad: Footpad,
    /// Whether an error keeps it from running.
    pub(super) fatal: bool,
    pub(super) at: Time,
}

impl<'a> Ride<'a> {
    pub(super) fn new(
        settings: &'a RefloatSettings,
        changed: Changed,
        at: Time,
        motor: &'a MotorState,
    ) -> Self {
        let turns = motor.erpm.abs() >= STANDS;
        let footpad = settings.footpad.unwrap_or(match turns {
            true => Footpad::Both,
            false => Footpad::None,
        });
        let fatal = settings.fatal_error && !changed.cleared;
        let follows = match footpad {
            Footpad::Both if !fatal && !settings.charging => RideState::Running,
            _ => RideState::Ready,
        };
        let state = match (changed.locked, settings.state) {
            (Some(true), _) => RideState::Disabled,
            (None, Some(state)) => state,
            (Some(false), Some(state)) if state != RideState::Disabled => state,
            _ => follows,
        };
        let mode = match changed.by_hand {
            Some(true) => RideMode::Handtest,
            Some(false) => RideMode::Normal,
            None => settings.mode,
        };
        Self {
            settings,
            motor,
            state,
            mode,
            footpad,
            fatal,
            at,
        }
    }

    pub(super) fn is(&self, first: RefloatVersion) -> bool {
        self.settings.version >= first
    }

    pub(super) fn is_running(&self) -> bool {
        self.state == RideState::Running
    }

    /// The clock.
    pub(super) fn ticks(&self) -> u32 {
        ticks(self.at.since_start())
    }

    /// State and reason for it as one number, as older clients know it (`RF src/state.c:57-122`).
    pub(super) fn compatible_state(&self) -> u8 {
        let settings = self.settings;
        if settings.charging {
            return 14;
        }
        match self.state {
            RideState::Disabled => 15,
            RideState::Startup => 0,
            RideState::Ready => match settings.stop {
                StopCondition::None => 11,
                StopCondition::Pitch => 6,
                StopCondition::Roll => 7,
                StopCondition::HalfSwitch => 8,
                StopCondition::FullSwitch => 9,
                StopCondition::Reverse => 12,
                StopCondition::Quickstop => 13,
            },
            RideState::Running if settings.setpoint_type as u8 > SetpointType::Duty as u8 => 2,
            RideState::Running if settings.wheelslip => 3,
            RideState::Running if settings.darkride => 4,
            RideState::Running if self.mode == RideMode::Flywheel => 5,
            RideState::Running => 1,
        }
    }

    /// The same with the type of the setpoint in the upper half.
    pub(super) fn state_byte(&self) -> u8 {
        self.compatible_state() & 0xF | self.settings.setpoint_type.compatible() << 4
    }

    /// The pads, whether it is tested by hand, and why it beeps.
    pub(super) fn switch_byte(&self) -> u8 {
        let pads = match self.footpad {
            Footpad::None => 0,
            Footpad::Left | Footpad::Right => 1,
            Footpad::Both => 2,
        };
        let by_hand = match self.mode {
            RideMode::Handtest => 8,
            _ => 0,
        };
        pads | by_hand | self.settings.beep_reason << 4
    }

    /// All of it as newer clients know it.
    pub(super) fn state_flags(&self) -> u32 {
        let settings = self.settings;
        let has_fatal = self.fatal && self.is(RefloatVersion::V1_3);
        u32::from(self.mode as u8) << 28
            | u32::from(self.state as u8) << 24
            | u32::from(self.footpad as u8) << 22
            | u32::from(settings.charging) << 21
            | u32::from(has_fatal) << 20
            | u32::from(settings.darkride) << 17
            | u32::from(settings.wheelslip) << 16
            | u32::from(settings.setpoint_type as u8) << 12
            | u32::from(settings.stop as u8) << 8
            | u32::from(settings.beep_reason)
    }

    /// Until 1.2, a fatal error is told here.
    pub(super) fn extra_flags(&self) -> u8 {
        match self.is(RefloatVersion::V1_3) {
            true => 0,
            false => u8::from(self.fatal) << 3,
        }
    }

    /// The alerts that are active, a bit for each.
    pub(super) fn active_alerts(&self) -> u32 {
        let mut mask = u32::from(self.motor.fault != 0);
        for alert in &self.settings.alerts {
            if Time::ZERO + alert.at.get() <= self.at {
                let bit = 1_u32
                    .checked_shl(u32::from(alert.alert).saturating_sub(1))
                    .unwrap_or_default();
                // A fault of the motor that is there is active.
                let is_there = alert.alert == FIRMWARE_FAULT && self.motor.fault != 0;
                match alert.active || is_there {
                    true => mask |= bit,
                    false => mask &= !bit,
                }
            }
        }
        mask
    }

    pub(super) fn balance_pitch_deg(&self) -> f64 {
        let settings = self.settings;
        settings.balance_pitch_deg.unwrap_or(settings.pitch_deg)
    }

    /// The current with the sign of its direction.
    pub(super) fn directional_current_a(&self) -> f64 {
        self.motor.iq_current_a
    }

    pub(super) fn balance_current_a(&self) -> f64 {
        let settings = self.settings;
        settings
            .balance_current_a
            .unwrap_or_else(|| self.directional_current_a())
    }

    pub(super) fn adc_left_v(&self) -> f64 {
        let is_pressed = matches!(self.footpad, Footpad::Left | Footpad::Both);
        self.settings
            .adc_left_v
            .unwrap_or(if is_pressed { PRESSED_V } else { 0.0 })
    }

    pub(super) fn adc_right_v(&self) -> f64 {
        let is_pressed = matches!(self.footpad, Footpad::Right | Footpad::Both);
        self.settings
            .adc_right_v
            .unwrap_or(if is_pressed { PRESSED_V } else { 0.0 })
    }

    /// The setpoint and what is added to it, in the order of all messages.
    pub(super) fn setpoints_deg(&self) -> [f64; 6] {
        let settings = self.settings;
        [
            settings.setpoint_deg,
            settings.atr_deg,
            settings.brake_tilt_deg,
            settings.torque_tilt_deg,
            settings.turn_tilt_deg,
            settings.remote_deg,
        ]
    }
}

/// A span in ticks of the clock, which starts anew after five days.
pub(super) fn ticks(span: std::time::Duration) -> u32 {
    (span.as_nanos() * u128::from(TICKS_PER_S) / 1_000_000_000) as u32
}
