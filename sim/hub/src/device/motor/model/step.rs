//! How a motor goes on: step after step, and what happens by itself between them.

use std::time::Duration;

use super::Model;
use crate::{
    device::{
        course::Setting,
        motor::{
            averages::{Averaged, Sums},
            battery::Supply,
            control::Control,
            fault::{FaultCode, Faults},
            field::Field,
            limits::{Conditions, MotorLimits},
            plant::{End, Plant, Start},
            statistics::{Sample, Statistics},
            timeout::Timeout,
        },
    },
    time::Time,
};

/// The first step after a change.
pub(super) const SHORT: Duration = Duration::from_millis(1);
/// The longest step while the motor turns or is driven.
const LONG: Duration = Duration::from_millis(64);
/// The longest step while a value is ramped or read from a file.
const FOLLOWING: Duration = Duration::from_millis(10);
/// The longest step while only temperatures change, and those exactly.
const AGES: Duration = Duration::from_secs(3600 * 24 * 365);
/// Below these changes in a step, A and revolutions per minute, the next one may be longer.
const QUIET: (f64, f64) = (0.01, 0.5);
/// How late the battery cut-off sees the voltage: after this time, 63 % of a change.
const CUT_S: f64 = 0.5;
/// A current of the motor from which on charge and energy are counted, A (`bldc motor/mc_interface.c:2034-2043`).
const COUNTED_A: f64 = 1.0;
/// How long a nunchuk is believed (`bldc applications/app_nunchuk.c:105-115`).
const NUNCHUK_STAYS: Duration = Duration::from_secs(2);

/// All that changes in a step.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) at: Time,
    pub(super) booted_at: Time,
    pub(super) step: Duration,
    pub(super) control: Control,
    pub(super) limits: MotorLimits,
    pub(super) timeout: Timeout,
    pub(super) faults: Faults,
    /// Commands are ignored until then.
    pub(super) locked_until: Time,
    /// Applications do not drive until then.
    pub(super) disabled_until: Time,
    /// When a nunchuk was heard last and how its stick was, while it drives.
    pub(super) nunchuk: Option<(Time, f64)>,
    pub(super) ramp_erpm: Option<f64>,
    pub(super) angle_deg: f64,
    pub(super) end: End,
    /// The speed that is measured, which may be one that is set, revolutions per minute.
    pub(super) erpm: f64,
    /// Voltage of the supply as the cut-off sees it, V.
    pub(super) slow_v: f64,
    pub(super) rises_c: (f64, f64),
    pub(super) level: f64,
    pub(super) sums: Sums,
    pub(super) statistics: Statistics,
    pub(super) counters: Counters,
    pub(super) odometer_m: f64,
}

/// How much a step changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Neither speed nor current, and nothing drives.
    None,
    Little,
    Much,
}

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) drawn_ah: f64,
    pub(super) charged_ah: f64,
    pub(super) drawn_wh: f64,
    pub(super) charged_wh: f64,
    pub(super) turns: f64,
    pub(super) turns_absolute: f64,
    pub(super) distance_m: f64,
    pub(super) distance_absolute_m: f64,
}

impl Counters {
    fn add_charge(&mut self, input_a: f64, input_v: f64, seconds: f64) {
        let ah = input_a * seconds / 3600.0;
        let (charge, energy) = match ah > 0.0 {
            true => (&mut self.drawn_ah, &mut self.drawn_wh),
            false => (&mut self.charged_ah, &mut self.charged_wh),
        };
        *charge += ah.abs();
        *energy += (ah * input_v).abs();
    }
}

impl Model {
    /// Other values are set now: short steps, and what follows at once.
    pub(super) fn steered(&mut self) {
        let mut run = self.run.clone();
        run.step = SHORT;
        run.erpm = self.pinned(Field::Erpm, run.at).unwrap_or(run.erpm);
        self.happen(&mut run);
        self.run = run;
    }

    /// Goes on by whole steps, as long as they end by then.
    pub(super) fn advance(&mut self, to: Time) {
        let mut run = self.run.clone();
        self.whole_steps(&mut run, to);
        self.run = run;
    }

    /// Goes to a moment, from which new steps begin; one that has gone by is now.
    pub(super) fn go_to(&mut self, at: Time) {
        self.run = self.seen(at);
    }

    pub(super) fn whole_steps(&self, run: &mut Run, to: Time) {
        loop {
            let event = self.next_event(run);
            let end = event.map_or(run.at + run.step, |event| event.min(run.at + run.step));
            if end > to {
                return;
            }
            self.step(run, end);
            if event == Some(end) {
                run.step = SHORT;
            }
            self.happen(run);
        }
    }

    /// When something happens by itself.
    fn next_event(&self, run: &Run) -> Option<Time> {
        let settings = self.given.set.iter().flat_map(Setting::changes);
        let nunchuk = run.nunchuk.map(|(at, _)| at + NUNCHUK_STAYS);
        let timers = [run.timeout.next(), run.faults.next(run.at), nunchuk];
        settings
            .chain(timers.into_iter().flatten())
            .filter(|&at| at > run.at)
            .min()
    }

    /// What is due now: faults, the time-out, and a nunchuk that is not heard any more.
    pub(super) fn happen(&self, run: &mut Run) {
        let before = run.control;
        if run
            .nunchuk
            .is_some_and(|(at, _)| run.at - at >= NUNCHUK_STAYS)
        {
            run.nunchuk = None;
            run.control = Control::Released;
        }
        if run.timeout.run(run.at) {
            run.control = Control::brake(self.given.timeout_brake_a);
        }
        if run.faults.look(run.at, self.caused(run)) {
            run.control = Control::Released;
        }
        if run.control != before {
            run.step = SHORT;
        }
    }

    /// The fault whose cause is there.
    fn caused(&self, run: &Run) -> Option<FaultCode> {
        let limits = &run.limits;
        let (fet_c, motor_c) = self.temperatures(run);
        let code = self
            .pinned(Field::Fault, run.at)
            .map(|code| FaultCode(code as u8));
        if let Some(pinned) = code.filter(|&code| code != FaultCode::default()) {
            return Some(pinned);
        }
        let causes = [
            (limits.is_over(run.end.input_v), FaultCode::OVER_VOLTAGE),
            (limits.is_under(run.end.input_v), FaultCode::UNDER_VOLTAGE),
            (
                run.end.iq_a.hypot(run.end.id_a) > limits.absolute_current_a,
                FaultCode::ABS_OVER_CURRENT,
            ),
            (fet_c >= limits.fet_end_c, FaultCode::OVER_TEMP_FET),
            (motor_c >= limits.motor_end_c, FaultCode::OVER_TEMP_MOTOR),
        ];
        causes
            .into_iter()
            .find(|(there, _)| *there)
            .map(|(_, code)| code)
    }

    /// The value that a scenario sets; of several the last one that began.
    pub(super) fn pinned(&self, field: Field, at: Time) -> Option<f64> {
        Setting::last(&self.given.set, field, at)
    }

    pub(super) fn temperatures(&self, run: &Run) -> (f64, f64) {
        let heat = &self.given.heat;
        let fet = self.pinned(Field::FetTemperature, run.at);
        let motor = self.pinned(Field::MotorTemperature, run.at);
        (
            fet.unwrap_or(heat.fet_rest_c + run.rises_c.0),
            motor.unwrap_or(heat.motor_rest_c + run.rises_c.1),
        )
    }

    pub(super) fn step(&self, run: &mut Run, to: Time) {
        let given = &self.given;
        let seconds = (to - run.at).as_secs_f64();
        let (fet_c, motor_c) = self.temperatures(run);
        let volts = self.pinned(Field::InputVoltage, to);
        let supply = match volts {
            Some(open_v) => Supply {
                open_v,
                resistance_ohm: 0.0,
            },
            None => given.battery.supply(&self.curve, run.level),
        };
        let mut plant = Plant {
            machine: given.machine,
            load: given.load,
        };
        let mut speed = run.end.speed;
        let pinned_erpm = self.pinned(Field::Erpm, to);
        if let Some(erpm) = pinned_erpm {
            // Nothing can change the speed of a rotor that is so heavy.
            plant.machine.inertia_kg_m2 = 1e12;
            speed = plant.machine.rad_s_of(erpm);
        }
        let start = Start {
            speed,
            angle_deg: run.angle_deg,
            supply,
            bounds: run.limits.bounds(Conditions {
                erpm: plant.machine.erpm_of(speed),
                fet_c,
                motor_c,
                supply_v: run.slow_v,
            }),
            seconds,
        };
        let end = plant.step(&start, run.control, &mut run.ramp_erpm);
        let erpm = pinned_erpm.unwrap_or_else(|| plant.machine.erpm_of(end.speed));
        let change = match ((end.iq_a - run.end.iq_a).abs(), (erpm - run.erpm).abs()) {
            (0.0, 0.0) if run.control == Control::Released => Change::None,
            (current, speed) if current < QUIET.0 && speed < QUIET.1 => Change::Little,
            _ => Change::Much,
        };
        let mean_erpm = (erpm + run.erpm) / 2.0;
        run.angle_deg = (run.angle_deg + mean_erpm / given.machine.pole_pairs() * 6.0 * seconds)
            .rem_euclid(360.0);
        run.level = given
            .battery
            .drained(run.level, supply.open_v * end.input_a * seconds / 3600.0);
        run.rises_c = given
            .heat
            .rises(run.rises_c, end.iq_a.hypot(end.id_a), seconds);
        run.slow_v += (end.input_v - run.slow_v) * (1.0 - (-seconds / CUT_S).exp());
        run.at = to;
        run.end = end;
        run.erpm = erpm;
        self.count(run, mean_erpm, seconds);
        run.step = self.next_step(run, change);
    }

    /// Adds up what is measured.
    fn count(&self, run: &mut Run, mean_erpm: f64, seconds: f64) {
        let state = self.shown(run);
        run.sums.add(
            Averaged {
                motor_current: state.motor_current_a,
                input_current: state.input_current_a,
                id_current: state.id_current_a,
                iq_current: state.iq_current_a,
                vd: state.vd_v,
                vq: state.vq_v,
            },
            seconds,
        );
        let (fet_c, motor_c) = (state.fet_temperature_c, state.motor_temperature_c);
        run.statistics.add(
            Sample {
                speed_m_s: state.speed_m_s,
                power_w: state.input_current_a * state.input_voltage_v,
                current_a: state.motor_current_a,
                fet_c,
                motor_c,
            },
            seconds,
        );
        let counters = &mut run.counters;
        if state.motor_current_a.abs() > COUNTED_A {
            counters.add_charge(state.input_current_a, state.input_voltage_v, seconds);
        }
        let turns = mean_erpm / 60.0 * seconds;
        counters.turns += turns;
        counters.turns_absolute += turns.abs();
        let speed = self.pinned(Field::Speed, run.at);
        let distance = speed.unwrap_or_else(|| self.given.machine.speed_m_s(mean_erpm)) * seconds;
        counters.distance_m += distance;
        counters.distance_absolute_m += distance.abs();
        run.odometer_m += distance.abs();
    }

    /// How long the next step is.
    fn next_step(&self, run: &Run, change: Change) -> Duration {
        let following = self.given.set.iter().any(|setting| setting.moves(run.at));
        let limits = &run.limits;
        let slope = Plant {
            machine: self.given.machine,
            load: self.given.load,
        }
        .longest_step(limits.current_max_a, limits.erpm_max.min(-limits.erpm_min));
        let cools = run.faults.is_held() && run.rises_c.0.max(run.rises_c.1) > 0.1;
        let longest = match change {
            Change::Much => return SHORT,
            _ if following => FOLLOWING,
            Change::Little => LONG.min(Duration::from_secs_f64(slope.clamp(0.001, 1.0))),
            Change::None if cools => LONG,
            Change::None => AGES,
        };
        (run.step * 2).min(longest)
    }
}
