//! How a motor turns: from a current to torque to speed, and from speed to voltage, a small step of time at once.
//!
//! ```text
//! T = 1.5 pp λ i                 torque of the current
//! J dω/dt = T - T_load           speed of the rotor
//! v = R i + pp ω λ               voltage that it takes; duty = v √3 / V_in
//! ```
//!
//! (`bldc motor/virtual_motor.c:289-350`, `motor/mcpwm_foc.c:3817-3820`, in the steady state and with the whole current across
//! the rotor's field.) What depends on the speed is taken at the end of a step, so that no step is too long to be stable.

use super::{battery::Supply, control::Control, limits::Bounds, load::Load, machine::Machine};

/// The square root of 3.
pub(super) const ROOT_3: f64 = 1.732_050_807_568_877_2;
/// Below this electrical speed a motor is not made to turn, and one that turns is braked
/// (`bldc motor/mcconf_default.h`, s_pid_min_erpm).
const LEAST_ERPM: f64 = 900.0;
/// How fast a wanted speed is approached, revolutions per minute each second (`bldc` since 5.03).
const RAMP_ERPM_S: f64 = 25_000.0;
/// How fast a position is approached: the speed for each degree that is missing, 1/s.
const POSITION_GAIN: f64 = 15.0;

/// A motor with what it turns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plant {
    pub(super) machine: Machine,
    pub(super) load: Load,
}

/// What there is at the beginning of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// Speed of the rotor, rad/s.
    pub(super) speed: f64,
    /// Angle of the rotor, degrees.
    pub(super) angle_deg: f64,
    pub(super) supply: Supply,
    pub(super) bounds: Bounds,
    /// Length of the step, s.
    pub(super) seconds: f64,
}

/// What there is at the end of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct End {
    /// Speed of the rotor, rad/s.
    pub(super) speed: f64,
    /// Current across the rotor's field, A; it makes the torque.
    pub(super) iq_a: f64,
    /// Current along the rotor's field, A.
    pub(super) id_a: f64,
    /// Voltage across the rotor's field, V.
    pub(super) vq_v: f64,
    /// Voltage along the rotor's field, V.
    pub(super) vd_v: f64,
    pub(super) duty: f64,
    /// Current from the supply, A.
    pub(super) input_a: f64,
    /// Voltage of the supply, V.
    pub(super) input_v: f64,
}

/// A torque that pulls, one that only holds back, and what resists a change of speed.
#[derive(Clone, Copy, Debug)]
struct Balance {
    pull_nm: f64,
    grip_nm: f64,
    /// Nm for each rad/s.
    inertia: f64,
}

impl Balance {
    /// The speed in the end, and how much of the grip it took, Nm.
    fn settle(&self) -> (f64, f64) {
        let free = self.pull_nm / self.inertia;
        let reach = self.grip_nm / self.inertia;
        if free.abs() <= reach {
            (0.0, self.pull_nm.abs())
        } else {
            (free - free.signum() * reach, self.grip_nm)
        }
    }
}

impl Plant {
    /// One step; `ramp_erpm` is how far the wanted speed has got.
    pub(super) fn step(&self, start: &Start, control: Control, ramp_erpm: &mut Option<f64>) -> End {
        if !matches!(control, Control::Speed(_)) {
            *ramp_erpm = None;
        }
        match control {
            Control::Released => self.roll(start),
            Control::Current(current) => self.driven(start, self.within(start, current)),
            Control::Brake(current) => {
                let current = current.min(self.brake_a(start));
                self.held(start, current, 0.0)
            }
            Control::Handbrake(current) => {
                let current = current.min(start.bounds.forwards_a);
                self.held(start, current, current)
            }
            Control::Duty(duty) => self.at_duty(start, duty),
            Control::Speed(erpm) => self.at_speed(start, erpm, ramp_erpm),
            Control::Position(angle) => self.to_position(start, angle),
        }
    }

    /// A current cut to what the limits leave.
    fn within(&self, start: &Start, current: f64) -> f64 {
        let brakes = current * start.speed < 0.0;
        let most = match current > 0.0 {
            _ if brakes => self.brake_a(start),
            true => self.drive_a(start, start.bounds.forwards_a),
            false => self.drive_a(start, start.bounds.backwards_a),
        };
        current.clamp(-most, most)
    }

    /// The most current, A, that drives: P = 1.5 (R i² + E i) is what the supply may give.
    fn drive_a(&self, start: &Start, most: f64) -> f64 {
        let (resistance, emf) = (self.machine.resistance_ohm, self.emf_v(start));
        let root = (emf * emf + 4.0 * resistance * start.bounds.power_w / 1.5).sqrt();
        most.min((root - emf) / (2.0 * resistance)).max(0.0)
    }

    /// The most current, A, that brakes: P = 1.5 (E i - R i²) is what the supply may get.
    fn brake_a(&self, start: &Start) -> f64 {
        let (resistance, emf) = (self.machine.resistance_ohm, self.emf_v(start));
        let square = emf * emf - 4.0 * resistance * start.bounds.returned_w / 1.5;
        let most = match square > 0.0 {
            true => (emf - square.sqrt()) / (2.0 * resistance),
            false => f64::INFINITY,
        };
        start.bounds.brake_a.min(most).max(0.0)
    }

    /// What the rotor makes at the beginning of a step, V.
    fn emf_v(&self, start: &Start) -> f64 {
        self.machine.back_emf_v_s() * start.speed.abs()
    }

    /// The balance of torques without any current.
    fn balance(&self, start: &Start) -> Balance {
        let inertia = self.machine.inertia_kg_m2 / start.seconds;
        let load = &self.load;
        Balance {
            pull_nm: inertia * start.speed - load.slope_nm,
            grip_nm: load.friction_nm,
            inertia: inertia + load.drag_nm_s + load.air_nm_s2 * start.speed.abs(),
        }
    }

    fn roll(&self, start: &Start) -> End {
        let (speed, _) = self.balance(start).settle();
        self.end(start, speed, 0.0, 0.0)
    }

    /// With a current that is within the limits, unless the supply's voltage is too low for it.
    fn driven(&self, start: &Start, current: f64) -> End {
        let mut balance = self.balance(start);
        balance.pull_nm += self.machine.torque_nm_per_a() * current;
        let (speed, _) = balance.settle();
        let way = current.signum();
        let most = self.current_at(start, way * start.bounds.duty, speed);
        if (current - most) * way <= 0.0 {
            return self.end(start, speed, current, 0.0);
        }
        let (speed, current) = self.with_duty(start, way * start.bounds.duty);
        if current * way <= 0.0 {
            // It turns faster than the voltage could make it.
            return self.roll(start);
        }
        self.end(start, speed, current, 0.0)
    }

    /// With a current that only holds back, and one along the field.
    fn held(&self, start: &Start, current: f64, id_a: f64) -> End {
        let torque = self.machine.torque_nm_per_a();
        let mut balance = self.balance(start);
        let friction = balance.grip_nm;
        balance.grip_nm += torque * current;
        let way = balance.pull_nm.signum();
        let (speed, used) = balance.settle();
        let iq_a = -way * (used - friction).max(0.0) / torque;
        self.end(start, speed, iq_a, id_a)
    }

    /// Resistance, ohms, that a duty cycle works against: that of the winding, and what the supply's looks like from there.
    fn resistance(&self, start: &Start, duty: f64) -> f64 {
        self.machine.resistance_ohm + duty * duty * start.supply.resistance_ohm / 2.0
    }

    /// The current at a duty cycle and a speed.
    fn current_at(&self, start: &Start, duty: f64, speed: f64) -> f64 {
        let voltage = duty * start.supply.open_v / ROOT_3 - self.machine.back_emf_v_s() * speed;
        voltage / self.resistance(start, duty)
    }

    /// Speed and current in the end at a duty cycle, whatever the limits.
    fn with_duty(&self, start: &Start, duty: f64) -> (f64, f64) {
        let torque_per_v = self.machine.torque_nm_per_a() / self.resistance(start, duty);
        let mut balance = self.balance(start);
        balance.pull_nm += torque_per_v * duty * start.supply.open_v / ROOT_3;
        balance.inertia += torque_per_v * self.machine.back_emf_v_s();
        let (speed, _) = balance.settle();
        (speed, self.current_at(start, duty, speed))
    }

    fn at_duty(&self, start: &Start, duty: f64) -> End {
        let duty = duty.clamp(-start.bounds.duty, start.bounds.duty);
        let (speed, current) = self.with_duty(start, duty);
        let within = self.within(start, current);
        if within == current {
            self.end(start, speed, current, 0.0)
        } else {
            self.driven(start, within)
        }
    }

    fn at_speed(&self, start: &Start, erpm: f64, ramp_erpm: &mut Option<f64>) -> End {
        let now = self.machine.erpm_of(start.speed);
        if erpm.abs() < LEAST_ERPM {
            *ramp_erpm = None;
            return if now == 0.0 {
                self.roll(start)
            } else {
                self.at_duty(start, 0.0)
            };
        }
        let before = ramp_erpm.unwrap_or(now);
        let most = RAMP_ERPM_S * start.seconds;
        let wanted = before + (erpm - before).clamp(-most, most);
        *ramp_erpm = Some(wanted);
        self.to_speed(start, self.machine.rad_s_of(wanted))
    }

    fn to_position(self, start: &Start, angle_deg: f64) -> End {
        let missing = (angle_deg - start.angle_deg + 180.0).rem_euclid(360.0) - 180.0;
        // No faster than half of the torque can stop in time.
        let torque = self.machine.torque_nm_per_a() * start.bounds.forwards_a;
        let slowing = 0.5 * torque / self.machine.inertia_kg_m2;
        let way = missing.to_radians();
        let most = (2.0 * slowing * way.abs()).sqrt();
        self.to_speed(start, (POSITION_GAIN * way).clamp(-most, most))
    }

    /// With the current that reaches a speed within the step, if the limits let it.
    fn to_speed(self, start: &Start, speed: f64) -> End {
        let balance = self.balance(start);
        let friction = if speed == 0.0 { 0.0 } else { balance.grip_nm };
        let torque = balance.inertia * speed + speed.signum() * friction - balance.pull_nm;
        self.driven(
            start,
            self.within(start, torque / self.machine.torque_nm_per_a()),
        )
    }

    fn end(&self, start: &Start, speed: f64, iq_a: f64, id_a: f64) -> End {
        let resistance = self.machine.resistance_ohm;
        let back_emf = self.machine.back_emf_v_s() * speed;
        let vq_v = resistance * iq_a + back_emf;
        let vd_v = resistance * id_a;
        let input_a = start.supply.current_a(1.5 * (vq_v * iq_a + vd_v * id_a));
        let input_v = start.supply.voltage_v(input_a);
        let duty = vq_v.hypot(vd_v) * ROOT_3 / input_v.max(0.1);
        End {
            speed,
            iq_a,
            id_a,
            vq_v,
            vd_v,
            duty: if vq_v == 0.0 && vd_v == 0.0 {
                0.0
            } else {
                duty.min(1.0).copysign(vq_v)
            },
            input_a,
            input_v,
        }
    }

    /// How long a step may be, s, so that a limit that falls with the speed does not overshoot.
    pub(super) fn longest_step(&self, current_max_a: f64, erpm_max: f64) -> f64 {
        let torque = self.machine.torque_nm_per_a() * current_max_a;
        let band = 0.2 * self.machine.rad_s_of(erpm_max);
        0.25 * self.machine.inertia_kg_m2 * band / torque.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::motor::{
        battery::Battery,
        limits::{Conditions, MotorLimits},
    };

    /// Steps of 1 ms for a time, without any heat.
    fn run(plant: &Plant, control: Control, seconds: f64, from_erpm: f64) -> End {
        run_at(plant, control, seconds, from_erpm, 0.001)
    }

    fn run_at(plant: &Plant, control: Control, seconds: f64, from_erpm: f64, step: f64) -> End {
        let battery = Battery::default();
        let supply = battery.supply(&battery.curve(), 0.8);
        let mut end = End {
            speed: plant.machine.rad_s_of(from_erpm),
            ..End::default()
        };
        let mut ramp = None;
        let mut angle_deg: f64 = 0.0;
        for _ in 0..(seconds / step) as usize {
            let now = Conditions {
                erpm: plant.machine.erpm_of(end.speed),
                fet_c: 30.0,
                motor_c: 30.0,
                supply_v: 80.0,
            };
            let start = Start {
                speed: end.speed,
                angle_deg,
                supply,
                bounds: MotorLimits::default().bounds(now),
                seconds: step,
            };
            end = plant.step(&start, control, &mut ramp);
            angle_deg = (angle_deg + end.speed.to_degrees() * step).rem_euclid(360.0);
        }
        end
    }

    fn plant() -> Plant {
        Plant {
            machine: Machine::default(),
            load: Load::default(),
        }
    }

    fn erpm(end: &End) -> f64 {
        Machine::default().erpm_of(end.speed)
    }

    #[test]
    fn the_supply_gives_no_more_than_its_power_either_way() {
        let plant = plant();
        let battery = Battery::default();
        let mut start = Start {
            speed: plant.machine.rad_s_of(30_000.0),
            angle_deg: 0.0,
            supply: battery.supply(&battery.curve(), 0.8),
            bounds: MotorLimits {
                power_max_w: 300.0,
                power_min_w: -100.0,
                ..MotorLimits::default()
            }
            .bounds(Conditions {
                erpm: 30_000.0,
                fet_c: 30.0,
                motor_c: 30.0,
                supply_v: 80.0,
            }),
            seconds: 1e-6,
        };
        for speed in [start.speed, -start.speed] {
            start.speed = speed;
            let way = speed.signum();
            let driven = plant.step(&start, Control::Current(60.0 * way), &mut None);
            let power = driven.input_a * driven.input_v;
            assert!((power - 300.0).abs() < 0.1, "{driven:?}");
            for control in [Control::Brake(60.0), Control::Current(-60.0 * way)] {
                let braked = plant.step(&start, control, &mut None);
                let power = braked.input_a * braked.input_v;
                assert!((power + 100.0).abs() < 0.1, "{braked:?}");
            }
        }
    }

    #[test]
    fn a_current_makes_torque_and_torque_makes_speed() {
        let end = run(&plant(), Control::Current(20.0), 1.0, 0.0);
        // 20 A make 0.5145 Nm, of which friction takes 0.05 and drag little.
        let expected = (0.5145 - 0.05) / 0.005 * 7.0 * 60.0 / std::f64::consts::TAU;
        assert!((erpm(&end) - expected).abs() < 0.015 * expected, "{end:?}");
        assert_eq!(end.iq_a, 20.0);
        // The supply gives what the motor takes: 0.866 duty i.
        let supply = 0.5 * ROOT_3 * end.duty * end.iq_a;
        assert!((end.input_a - supply).abs() < 1e-9, "{end:?}");
    }

    #[test]
    fn a_duty_cycle_ends_at_its_speed() {
        let light = Plant {
            load: Load {
                friction_nm: 0.0,
                drag_nm_s: 0.0,
                ..Load::default()
            },
            ..plant()
        };
        let end = run(&light, Control::Duty(0.2), 20.0, 0.0);
        let no_load = 0.2 * 80.0 / ROOT_3 / 0.00245 * 60.0 / std::f64::consts::TAU;
        assert!((erpm(&end) - no_load).abs() < 1.0, "{end:?}");
        assert!((end.duty - 0.2).abs() < 1e-6 && end.iq_a.abs() < 0.01);
    }

    #[test]
    fn duty_0_brakes_and_a_released_motor_rolls() {
        let rolling = run(&plant(), Control::Released, 1.0, 10_000.0);
        let shorted = run(&plant(), Control::Duty(0.0), 0.2, 10_000.0);
        assert!((9000.0..9500.0).contains(&erpm(&rolling)), "{rolling:?}");
        assert!(rolling.duty > 0.0 && rolling.iq_a == 0.0 && rolling.input_a == 0.0);
        assert!(erpm(&shorted) < 6500.0 && shorted.iq_a < 0.0, "{shorted:?}");
    }

    #[test]
    fn a_speed_is_held_whatever_the_load_and_too_small_ones_are_none() {
        for slope_nm in [0.0, 0.4, -0.4] {
            let sloped = Plant {
                load: Load {
                    slope_nm,
                    ..Load::default()
                },
                ..plant()
            };
            for wanted in [6000.0, -6000.0] {
                let end = run(&sloped, Control::Speed(wanted), 5.0, 0.0);
                assert!((erpm(&end) - wanted).abs() < 1.0, "{slope_nm} {end:?}");
            }
        }
        assert_eq!(run(&plant(), Control::Speed(899.0), 5.0, 0.0).speed, 0.0);
        let braked = run(&plant(), Control::Speed(899.0), 3.0, 10_000.0);
        assert!(erpm(&braked) < 700.0, "{braked:?}");
    }

    #[test]
    fn a_brake_stops_both_ways_and_never_turns_back() {
        for from in [10_000.0, -10_000.0] {
            let braking = run(&plant(), Control::Brake(30.0), 0.1, from);
            assert_eq!(braking.iq_a, -30.0_f64.copysign(from));
            assert!(braking.input_a < 0.0, "it gives back: {braking:?}");
            let end = run(&plant(), Control::Brake(30.0), 3.0, from);
            assert_eq!((end.speed, end.iq_a), (0.0, 0.0));
        }
    }

    #[test]
    fn a_brake_holds_on_a_slope_as_far_as_its_current_goes() {
        let sloped = Plant {
            load: Load {
                slope_nm: 0.3,
                ..Load::default()
            },
            ..plant()
        };
        assert!(run(&sloped, Control::Released, 1.0, 0.0).speed < -10.0);
        let held = run(&sloped, Control::Brake(20.0), 1.0, 0.0);
        assert_eq!(held.speed, 0.0);
        // 0.25 Nm, as friction holds the rest.
        assert!((held.iq_a - 0.25 / 0.025_725).abs() < 1e-6, "{held:?}");
        assert!(run(&sloped, Control::Brake(5.0), 1.0, 0.0).speed < -1.0);
        let handbrake = run(&sloped, Control::Handbrake(15.0), 1.0, 0.0);
        assert_eq!((handbrake.speed, handbrake.id_a), (0.0, 15.0));
    }

    #[test]
    fn the_voltage_and_the_highest_speed_end_what_a_current_can_do() {
        let end = run(&plant(), Control::Current(60.0), 120.0, 0.0);
        // From 80 % of 100,000 on, the current falls until it just overcomes the load.
        assert!((90_000.0..100_000.0).contains(&erpm(&end)), "{end:?}");
        let slow = Plant {
            machine: Machine {
                flux_linkage_wb: 0.02,
                ..Machine::default()
            },
            ..plant()
        };
        let end = run(&slow, Control::Current(60.0), 120.0, 0.0);
        assert!(
            (end.duty - 0.95).abs() < 0.001 && end.iq_a < 60.0,
            "{end:?}"
        );
    }

    #[test]
    fn long_steps_end_where_short_ones_do() {
        for control in [
            Control::Current(10.0),
            Control::Duty(0.3),
            Control::Speed(20_000.0),
            Control::Brake(10.0),
        ] {
            let short = run_at(&plant(), control, 64.0, 5000.0, 0.001);
            let long = run_at(&plant(), control, 64.0, 5000.0, 0.064);
            let apart = (erpm(&short) - erpm(&long)).abs();
            assert!(apart < 100.0, "{control:?}: {short:?} {long:?}");
        }
    }

    #[test]
    fn a_position_is_reached_and_held() {
        for angle in [90.0, 300.0, 179.0] {
            let plant = plant();
            let battery = Battery::default();
            let supply = battery.supply(&battery.curve(), 0.8);
            let (mut speed, mut angle_deg) = (0.0, 0.0_f64);
            for _ in 0..3000 {
                let now = Conditions {
                    erpm: plant.machine.erpm_of(speed),
                    fet_c: 30.0,
                    motor_c: 30.0,
                    supply_v: 80.0,
                };
                let start = Start {
                    speed,
                    angle_deg,
                    supply,
                    bounds: MotorLimits::default().bounds(now),
                    seconds: 0.001,
                };
                speed = plant
                    .step(&start, Control::Position(angle), &mut None)
                    .speed;
                angle_deg = (angle_deg + speed.to_degrees() * 0.001).rem_euclid(360.0);
            }
            assert!((angle_deg - angle).abs() < 0.5, "{angle_deg} for {angle}");
        }
    }
}
