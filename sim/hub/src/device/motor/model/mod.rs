//! A motor over time: what was asked of it, what the scenario does to it, and what has added up.
//!
//! ```text
//! commands -> control --> plant (a step) -> speed, currents, voltages -> sums, counters, heat, statistics
//!                ^          ^                                              |
//!          time-out, faults limits <---------------- temperatures, supply -+
//! ```
//!
//! Time goes on in steps of 1 ms after a change, which grow while nothing much changes. The steps do not depend on who asks
//! when: a question between two steps is answered from a copy that takes a shorter one. So the same commands at the same
//! times give the same values, however often they are read, and an hour of them is soon done.

mod step;

use std::time::Duration;

use veschub_wire::{Request, command::Stats};

use self::step::{Counters, Run, SHORT};
use super::{
    averages::{Reads, Sums},
    battery::Battery,
    control::{Control, Shares, stick},
    fault::{FaultAt, FaultCode, Faults},
    field::Field,
    heat::Heat,
    limits::MotorLimits,
    load::Load,
    machine::Machine,
    plant::{End, ROOT_3},
    statistics::Statistics,
    timeout::Timeout,
};
use crate::{
    device::{
        bms::Curve,
        course::{SetValue, Setting, Settings},
        motor_state::MotorState,
        service::config::Configs,
        steer::{Pinned, Release, SetError},
    },
    silence::MotorIgnores,
    time::Time,
};

/// Below this electrical speed the rotor stands, revolutions per minute.
const STANDS_ERPM: f64 = 1.0;
/// How often firmware looks whether it does, as far as an acknowledgement shows it.
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// What a motor is like.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) machine: Machine,
    pub(super) load: Load,
    pub(super) battery: Battery,
    pub(super) heat: Heat,
    pub(super) limits: MotorLimits,
    /// Without a command for this long the motor stops; 0 is never.
    pub(super) timeout: Duration,
    /// The current that brakes it then, A; 0 lets it roll.
    pub(super) timeout_brake_a: f64,
    pub(super) faults: Vec<FaultAt>,
    pub(super) odometer_m: f64,
    /// Values that are what the scenario says.
    pub(super) set: Settings<Field>,
}

/// A motor and what it has done.
#[derive(Clone, Debug)]
pub(super) struct Model {
    given: Parameters,
    curve: Curve,
    run: Run,
    reads: Reads,
    /// The limits after the next start.
    stored: MotorLimits,
}

impl Model {
    /// A motor that nobody drives, at rest unless its load says otherwise.
    pub(super) fn new(given: Parameters) -> Self {
        let curve = given.battery.curve();
        let mut given = given;
        let start = Setting::last(&given.set, Field::InputVoltage, Time::ZERO);
        let open_v = given.battery.supply(&curve, given.battery.level).open_v;
        let start_v = start.unwrap_or(open_v);
        given.limits.fit_to(start_v);
        let run = Run {
            at: Time::ZERO,
            booted_at: Time::ZERO,
            step: SHORT,
            control: Control::Released,
            limits: given.limits,
            timeout: Timeout::new(given.timeout, Time::ZERO),
            faults: Faults::new(&given.faults),
            locked_until: Time::ZERO,
            disabled_until: Time::ZERO,
            nunchuk: None,
            ramp_erpm: None,
            angle_deg: 0.0,
            end: End {
                speed: given.machine.rad_s_of(given.load.start_erpm),
                input_v: start_v,
                ..End::default()
            },
            erpm: 0.0,
            slow_v: start_v,
            rises_c: (0.0, 0.0),
            level: given.battery.level,
            sums: Sums::default(),
            statistics: Statistics::since(Time::ZERO),
            counters: Counters::default(),
            odometer_m: given.odometer_m,
        };
        let mut this = Self {
            stored: given.limits,
            given,
            curve,
            run,
            reads: Reads::default(),
        };
        let start_erpm = this.given.load.start_erpm;
        this.run.erpm = this.pinned(Field::Erpm, Time::ZERO).unwrap_or(start_erpm);
        let mut run = this.run.clone();
        this.happen(&mut run);
        this.run = run;
        this
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.given.machine
    }

    pub(super) fn limits(&self) -> &MotorLimits {
        &self.run.limits
    }

    /// Takes what the configurations say now; what the scenario or a client set besides stays.
    pub(super) fn configure(&mut self, at: Time, configs: &Configs) {
        self.go_to(at);
        let before = self.given.limits;
        self.given.configure(configs);
        if self.given.limits != before {
            self.run.limits = self.given.limits;
            self.stored = self.given.limits;
        }
        self.run.timeout.set(self.given.timeout);
    }

    /// New limits, which a start forgets unless they are stored.
    pub(super) fn set_limits(&mut self, at: Time, limits: MotorLimits, store: bool) {
        self.go_to(at);
        self.run.limits = limits;
        if store {
            self.stored = limits;
        }
    }

    /// Takes in a setting command; why it does nothing, if it does not.
    pub(super) fn command(&mut self, at: Time, request: &Request) -> Result<(), MotorIgnores> {
        self.go_to(at);
        let at = self.run.at;
        self.run.step = SHORT;
        match *request {
            Request::Alive => self.run.timeout.feed(at),
            Request::SetOdometer { odometer_m } => {
                self.run.timeout.feed(at);
                self.run.odometer_m = odometer_m.into();
            }
            Request::AppDisableOutput { time_ms, .. } => {
                self.run.disabled_until = match u64::try_from(time_ms) {
                    Ok(ms) => at + Duration::from_millis(ms),
                    // Below 0 is for ever.
                    Err(_) => at + Duration::MAX,
                };
            }
            Request::MotorEstop { time_ms } => {
                self.lock(at, Duration::from_millis(time_ms.into()));
            }
            _ => return self.drive(at, request),
        }
        Ok(())
    }

    fn drive(&mut self, at: Time, request: &Request) -> Result<(), MotorIgnores> {
        let limits = &self.run.limits;
        let shares = Shares {
            duty: self.run.end.duty,
            drive_a: limits.current_max_a * limits.current_scale_max,
            brake_a: -limits.current_min_a * limits.current_scale_min,
        };
        let Some(control) = Control::asked(request, shares) else {
            return Ok(());
        };
        let run = &mut self.run;
        run.timeout.feed(at);
        run.nunchuk = None;
        if let Request::SetChuckData(nunchuk) = request {
            run.nunchuk = Some((at, stick(nunchuk)));
            if at < run.disabled_until {
                return Err(MotorIgnores::OutputDisabled);
            }
        }
        if run.faults.now() != FaultCode::default() {
            return Err(MotorIgnores::Fault(run.faults.now().0));
        }
        if at < run.locked_until {
            return Err(MotorIgnores::Locked);
        }
        run.control = match control {
            Control::Speed(erpm) => {
                Control::Speed(erpm.clamp(run.limits.erpm_min, run.limits.erpm_max))
            }
            other => other,
        };
        Ok(())
    }

    /// Releases the motor and ignores commands for a time.
    pub(super) fn lock(&mut self, at: Time, time: Duration) {
        self.go_to(at);
        self.run.control = Control::Released;
        self.run.locked_until = self.run.locked_until.max(self.run.at + time);
        self.run.step = SHORT;
    }

    /// How long the rotor turns on if the motor is released now, as firmware looks at it, and at most so long.
    pub(super) fn rolls_on(&self, at: Time, most: Duration) -> Duration {
        let mut released = self.clone();
        released.lock(at, most);
        let mut rolls = Duration::ZERO;
        while rolls < most && released.run.erpm.abs() >= STANDS_ERPM {
            rolls = most.min(rolls + LOOKS_EVERY);
            released.go_to(at + rolls);
        }
        rolls
    }

    /// Statistics begin anew.
    pub(super) fn reset_statistics(&mut self, at: Time) {
        self.go_to(at);
        self.run.statistics = Statistics::since(self.run.at);
    }

    /// Starts again: counters, limits and faults are new, the rotor goes on turning, and the odometer stays.
    pub(super) fn restart(&mut self, at: Time) {
        self.go_to(at);
        let at = self.run.at;
        let run = &mut self.run;
        run.booted_at = at;
        run.step = SHORT;
        run.control = Control::Released;
        run.limits = self.stored;
        run.timeout = Timeout::new(self.given.timeout, at);
        run.faults.restart();
        run.locked_until = at;
        run.disabled_until = at;
        run.nunchuk = None;
        run.sums = Sums::default();
        run.statistics = Statistics::since(at);
        run.counters = Counters::default();
        self.reads = Reads::begun(at);
    }

    /// The faults since the start, the oldest first.
    pub(super) fn faults(&self) -> &[(Time, FaultCode)] {
        self.run.faults.happened()
    }

    /// How long it has been running.
    pub(super) fn uptime(&self, at: Time) -> Duration {
        at - self.run.booted_at
    }

    /// What it does at this moment.
    pub(super) fn state(&self, at: Time) -> MotorState {
        self.shown(&self.seen(at))
    }

    /// The same with averages since the last read for what GET_VALUES averages; reads those that a mask of it chooses.
    pub(super) fn read(&mut self, at: Time, mask: u32) -> MotorState {
        self.advance(at);
        let run = self.seen(at);
        let mut state = self.shown(&run);
        let averages = self.reads.read(run.at, run.sums, mask);
        state.motor_current_a = averages.motor_current;
        state.input_current_a = averages.input_current;
        state.id_current_a = averages.id_current;
        state.iq_current_a = averages.iq_current;
        state.vd_v = averages.vd;
        state.vq_v = averages.vq;
        self.set(&mut state, run.at);
        state
    }

    /// What GET_STATS tells.
    pub(super) fn statistics(&self, at: Time) -> Stats {
        let run = self.seen(at);
        run.statistics.told(run.at)
    }

    /// What it is at a moment, without going there.
    fn seen(&self, at: Time) -> Run {
        let mut run = self.run.clone();
        self.whole_steps(&mut run, at);
        if run.at < at {
            self.step(&mut run, at);
        }
        run
    }

    /// What [`read`](Self::read) of everything would give, without reading: the next read averages as if nobody had looked.
    pub(super) fn peek(&self, at: Time) -> MotorState {
        self.clone().read(at, u32::MAX)
    }

    /// Sets a value from this moment on.
    pub(super) fn steer(&mut self, at: Time, value: &SetValue<Field>) {
        self.go_to(at);
        self.given.set.set(value);
        self.steered();
    }

    /// Releases what was set while it ran.
    pub(super) fn release(&mut self, at: Time, release: &Release) -> Result<(), SetError> {
        self.go_to(at);
        self.given.set.release(release)?;
        self.steered();
        Ok(())
    }

    /// The values that are set.
    pub(super) fn pinned_now(&self, at: Time) -> Vec<Pinned> {
        self.given.set.pinned(at)
    }

    /// What is measured of it.
    fn shown(&self, run: &Run) -> MotorState {
        let end = &run.end;
        let machine = &self.given.machine;
        let counters = &run.counters;
        let (fet_temperature_c, motor_temperature_c) = self.temperatures(run);
        let current = end.iq_a.hypot(end.id_a);
        let drives = end.vq_v * end.iq_a >= 0.0;
        let mut state = MotorState {
            erpm: run.erpm,
            duty: end.duty,
            motor_current_a: if drives { current } else { -current },
            input_current_a: end.input_a,
            id_current_a: end.id_a,
            iq_current_a: end.iq_a,
            vd_v: end.vd_v,
            vq_v: end.vq_v,
            input_voltage_v: end.input_v,
            fet_temperature_c,
            motor_temperature_c,
            battery_level: run.level,
            battery_left_wh: run.level * self.given.battery.capacity_wh,
            speed_m_s: machine.speed_m_s(run.erpm),
            distance_m: counters.distance_m,
            distance_absolute_m: counters.distance_absolute_m,
            odometer_m: run.odometer_m,
            drawn_ah: counters.drawn_ah,
            charged_ah: counters.charged_ah,
            drawn_wh: counters.drawn_wh,
            charged_wh: counters.charged_wh,
            tachometer: counters.turns * 6.0,
            tachometer_absolute: counters.turns_absolute * 6.0,
            pid_position_deg: run.angle_deg,
            fault: run.faults.now().0,
            timed_out: run.timeout.is_active(),
            killed: false,
            nunchuk: run.nunchuk.map_or(0.0, |(_, stick)| stick),
        };
        self.set(&mut state, run.at);
        state
    }

    /// Sets what a scenario sets, and what follows from it.
    fn set(&self, state: &mut MotorState, at: Time) {
        if self.given.set.is_empty() {
            return;
        }
        for setting in self.given.set.iter() {
            if let Some(value) = setting.value(at) {
                setting.field.set(state, value);
            }
        }
        let pinned = |field| self.pinned(field, at).is_some();
        if pinned(Field::Duty) && !pinned(Field::Vq) {
            state.vq_v = state.duty * state.input_voltage_v / ROOT_3;
        }
        if pinned(Field::MotorCurrent) && !pinned(Field::IqCurrent) {
            let backwards = state.duty < 0.0 || state.duty == 0.0 && state.erpm < 0.0;
            let way = if backwards { -1.0 } else { 1.0 };
            state.iq_current_a = way * state.motor_current_a;
        }
        if pinned(Field::BatteryLevel) && !pinned(Field::BatteryLeft) {
            state.battery_left_wh = state.battery_level * self.given.battery.capacity_wh;
        }
    }
}
