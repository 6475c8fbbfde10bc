//! What a motor is asked for: the setting commands, with the clamps that the firmware puts on them at once.

use veschub_wire::{Request, command::Nunchuk};

/// Below this current the motor is released (`bldc motor/mcconf_default.h`, cc_min_current), A.
const LEAST_CURRENT_A: f64 = 0.05;
/// From this duty cycle on, a share of the highest current can mean braking (`bldc motor/mc_interface.c:733-749`).
const TURNING_DUTY: f64 = 0.02;
/// How far a nunchuk's stick may be from its middle without a meaning, as a share of its way.
const STICK_REST: f64 = 0.15;

/// What a motor is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Control {
    /// Nothing: it rolls.
    #[default]
    Released,
    /// A current, A; backwards below 0.
    Current(f64),
    /// A current that brakes, A.
    Brake(f64),
    /// A duty cycle; 0 shorts the phases, which brakes.
    Duty(f64),
    /// An electrical speed, revolutions per minute.
    Speed(f64),
    /// An angle of the rotor, degrees, 0 to 360.
    Position(f64),
    /// To stay where it is, with a current, A.
    Handbrake(f64),
}

/// What a share of the highest current depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    /// The duty cycle now.
    pub(super) duty: f64,
    /// Highest driving current, A.
    pub(super) drive_a: f64,
    /// Highest braking current, A.
    pub(super) brake_a: f64,
}

impl Control {
    /// What a request asks for; none if it asks for nothing that turns a motor.
    pub(super) fn asked(request: &Request, shares: Shares) -> Option<Self> {
        Some(match *request {
            Request::SetDuty { duty } => Self::Duty(duty.value().clamp(-1.0, 1.0)),
            Request::SetCurrent { current_a } => Self::current(current_a.value()),
            Request::SetCurrentBrake { current_a } => Self::brake(current_a.value()),
            Request::SetRpm { erpm } => Self::Speed(erpm.into()),
            Request::SetPos { position_deg } => {
                Self::Position(position_deg.value().rem_euclid(360.0))
            }
            Request::SetHandbrake { current_a } => Self::Handbrake(current_a.value().abs()),
            Request::SetCurrentRel { share } => {
                Self::current(shares.current_a(share.value().clamp(-1.0, 1.0)))
            }
            Request::SetChuckData(nunchuk) => shares.nunchuk(&nunchuk),
            _ => return None,
        })
    }

    fn current(current_a: f64) -> Self {
        match current_a.abs() < LEAST_CURRENT_A {
            true => Self::Released,
            false => Self::Current(current_a),
        }
    }

    /// A current that brakes; the sign means nothing.
    pub(super) fn brake(current_a: f64) -> Self {
        match current_a.abs() < LEAST_CURRENT_A {
            true => Self::Released,
            false => Self::Brake(current_a.abs()),
        }
    }
}

impl Shares {
    /// What a share of the highest current is, A.
    fn current_a(&self, share: f64) -> f64 {
        let brakes = self.duty.abs() >= TURNING_DUTY && share * self.duty < 0.0;
        share * if brakes { self.brake_a } else { self.drive_a }
    }

    /// Forwards the stick drives, backwards it brakes, as a nunchuk does that controls a current without reverse.
    fn nunchuk(&self, nunchuk: &Nunchuk) -> Control {
        let level = stick(nunchuk);
        if level > 0.0 {
            Control::current(level * self.drive_a)
        } else {
            Control::brake(level * self.brake_a)
        }
    }
}

/// How far the stick of a nunchuk is from its middle, -1 to 1.
pub(super) fn stick(nunchuk: &Nunchuk) -> f64 {
    let level = ((f64::from(nunchuk.stick_y) - 128.0) / 127.0).clamp(-1.0, 1.0);
    match level.abs() < STICK_REST {
        true => 0.0,
        false => level.signum() * (level.abs() - STICK_REST) / (1.0 - STICK_REST),
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::CommandId;

    use super::*;

    fn asked(duty: f64, words: &[&str]) -> Option<Control> {
        let id: CommandId = words[0].parse().unwrap();
        let request = Request::from_args(id, &words[1..]).unwrap();
        let shares = Shares {
            duty,
            drive_a: 60.0,
            brake_a: 40.0,
        };
        Control::asked(&request, shares)
    }

    #[test]
    fn what_is_asked_for_is_clamped_at_once() {
        for (words, control) in [
            (["SET_DUTY", "1.5"], Control::Duty(1.0)),
            (["SET_DUTY", "-3"], Control::Duty(-1.0)),
            (["SET_CURRENT", "-12.5"], Control::Current(-12.5)),
            (["SET_CURRENT", "0.049"], Control::Released),
            (["SET_CURRENT_BRAKE", "-8"], Control::Brake(8.0)),
            (["SET_CURRENT_BRAKE", "0.04"], Control::Released),
            (["SET_RPM", "-900"], Control::Speed(-900.0)),
            (["SET_POS", "-90"], Control::Position(270.0)),
            (["SET_HANDBRAKE", "-5"], Control::Handbrake(5.0)),
            (["SET_CURRENT_REL", "2"], Control::Current(60.0)),
        ] {
            assert_eq!(asked(0.0, &words), Some(control), "{words:?}");
        }
        assert_eq!(asked(0.0, &["SET_SERVO_POS", "1"]), None);
    }

    #[test]
    fn a_share_against_the_motor_is_one_of_the_braking_current() {
        let rel = |duty, share| asked(duty, &["SET_CURRENT_REL", share]);
        assert_eq!(rel(0.3, "-0.5"), Some(Control::Current(-20.0)));
        assert_eq!(rel(-0.3, "-0.5"), Some(Control::Current(-30.0)));
        assert_eq!(rel(0.01, "-0.5"), Some(Control::Current(-30.0)));
    }

    #[test]
    fn a_nunchuk_drives_forwards_and_brakes_backwards() {
        let push = |y| asked(0.3, &["SET_CHUCK_DATA", "128", y, "0", "0", "0", "0", "0"]);
        assert_eq!(push("140"), Some(Control::Released));
        assert_eq!(push("255"), Some(Control::Current(60.0)));
        assert_eq!(push("1"), Some(Control::Brake(40.0)));
    }
}
