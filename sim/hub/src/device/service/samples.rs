//! SAMPLE_PRINT: currents and voltages of single control cycles, one reply for each.
//!
//! The samples are computed from what the motor does when they are taken: sines of its current and voltage at its speed.
//! One leaves every millisecond.

use std::{f64::consts::TAU, time::Duration};

use veschub_wire::{
    CommandId, Reply, Request,
    command::{Sample, SampleRequest},
    number::Float,
};

use super::Service;
use crate::{
    device::{
        Silence,
        answer::{Answer, Answers},
        motor_state::MotorState,
        profile::Profile,
    },
    time::Time,
};

/// What is done here.
pub(in crate::device) const COMMANDS: &[CommandId] = &[CommandId::SAMPLE_PRINT];

/// The most samples that there is room for (`MC motor/mc_interface.c`, ADC_SAMPLE_MAX_LEN).
const MAX_SAMPLES: u16 = 2000;
/// The control cycles in a second.
const CYCLES_HZ: f64 = 30_000.0;
/// From one sample on the link to the next.
const PACE: Duration = Duration::from_millis(1);
/// How often a trigger is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// The steps of a turn in which the rotor's phase is told.
const PHASE_STEPS: f64 = 250.0;
/// The state of a motor that is driven.
const RUNNING: u8 = 2;

/// What starts the samples (`MC datatypes.h`, debug_sampling_mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trigger {
    Now,
    Start,
    Fault,
}

impl Trigger {
    fn has_come(self, motor: &MotorState) -> bool {
        match self {
            Self::Now => true,
            Self::Start => motor.duty != 0.0 || motor.motor_current_a != 0.0,
            Self::Fault => motor.fault != 0,
        }
    }
}

/// What was taken: how many samples, how many cycles apart, and what the motor did then.
#[derive(Clone, Debug, Default)]
struct Taken {
    samples: u16,
    decimation: u8,
    motor: MotorState,
}

#[derive(Debug)]
enum State {
    Idle,
    /// It looks for a trigger, at this time the next time.
    Waiting {
        for_: Trigger,
        sends: bool,
        request: SampleRequest,
        next: Time,
    },
    /// This sample is sent next, at this time.
    Sending {
        sample: u16,
        next: Time,
    },
}

/// The samples of a motor controller.
#[derive(Debug)]
pub(in crate::device) struct Samples {
    profile: Profile,
    state: State,
    taken: Taken,
}

impl Samples {
    pub(in crate::device) fn new(profile: Profile) -> Self {
        Self {
            profile,
            state: State::Idle,
            taken: Taken::default(),
        }
    }

    fn ask(&mut self, at: Time, request: SampleRequest, motor: &MotorState) {
        let (for_, sends) = match request.mode {
            1 => (Trigger::Now, true),
            2 | 3 => (Trigger::Start, true),
            4 => (Trigger::Fault, true),
            5 => (Trigger::Start, false),
            6 => (Trigger::Fault, false),
            7 => {
                self.state = State::Sending {
                    sample: 0,
                    next: at,
                };
                return;
            }
            _ => {
                self.state = State::Idle;
                return;
            }
        };
        self.state = State::Waiting {
            for_,
            sends,
            request,
            next: at + LOOK,
        };
        self.look(at, motor);
    }

    /// Takes the samples if what it waits for has come.
    fn look(&mut self, at: Time, motor: &MotorState) {
        let State::Waiting {
            for_,
            sends,
            request,
            next,
        } = &mut self.state
        else {
            return;
        };
        if !for_.has_come(motor) {
            *next = at + LOOK;
            return;
        }
        self.taken = Taken {
            samples: request.samples.min(MAX_SAMPLES),
            decimation: request.decimation.max(1),
            motor: motor.clone(),
        };
        self.state = match sends {
            true => State::Sending {
                sample: 0,
                next: at,
            },
            false => State::Idle,
        };
    }

    fn sample(&self, sample: u16) -> Sample {
        let Taken {
            decimation, motor, ..
        } = &self.taken;
        let since = f64::from(sample) * f64::from(*decimation) / CYCLES_HZ;
        let turns = (motor.erpm / 60.0 * since).rem_euclid(1.0);
        // A third of a turn apart.
        let wave = |phase: f64| (TAU * (turns - phase / 3.0)).cos();
        let current = |phase| Float::packed(motor.iq_current_a * wave(phase));
        let zero_v = motor.input_voltage_v / 2.0;
        let voltage = |phase| Float::packed(zero_v + motor.vq_v * wave(phase));
        Sample {
            phase_1_a: current(0.0),
            phase_2_a: current(1.0),
            phase_3_a: (self.profile.major >= 6).then(|| current(2.0)),
            phase_1_v: voltage(0.0),
            phase_2_v: voltage(1.0),
            phase_3_v: voltage(2.0),
            zero_v: Float::packed(zero_v),
            total_current_a: Float::packed(motor.motor_current_a),
            switching_frequency_hz: Float::packed(CYCLES_HZ),
            status: match Trigger::Start.has_come(motor) {
                true => RUNNING,
                false => 0,
            },
            phase: (turns * PHASE_STEPS) as u8,
        }
    }
}

impl Service for Samples {
    fn request(
        &mut self,
        at: Time,
        request: &Request,
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let Request::SamplePrint(request) = request else {
            return None;
        };
        self.ask(at, *request, motor);
        Some(Ok(Answers::none()))
    }

    fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Idle => None,
            State::Waiting { next, .. } => Some(next),
            State::Sending { sample, next } => (sample < self.taken.samples).then_some(next),
        }
    }

    fn handle_timeout(&mut self, now: Time, motor: &MotorState) -> Vec<(Time, Answer)> {
        let mut out = Vec::new();
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            match self.state {
                State::Idle => {}
                State::Waiting { .. } => self.look(due, motor),
                State::Sending { sample, .. } => {
                    out.push((due, Reply::Sample(self.sample(sample)).into()));
                    self.state = State::Sending {
                        sample: sample + 1,
                        next: due + PACE,
                    };
                }
            }
        }
        out
    }

    fn restart(&mut self, _: Time) {
        self.state = State::Idle;
        self.taken = Taken::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn ask(samples: &mut Samples, ms: u64, mode: u8, motor: &MotorState) {
        let request = Request::SamplePrint(SampleRequest {
            mode,
            samples: 3,
            decimation: 10,
            raw: None,
        });
        let said = samples.request(at(ms), &request, motor);
        assert_eq!(said, Some(Ok(Answers::none())));
    }

    fn told(samples: &mut Samples, until: u64, motor: &MotorState) -> Vec<(Time, Vec<u8>)> {
        let mut told = Vec::new();
        while let Some(due) = samples.poll_timeout().filter(|&due| due <= at(until)) {
            told.extend(samples.handle_timeout(due, motor));
        }
        told.into_iter()
            .map(|(at, answer)| (at, answer.payload))
            .collect()
    }

    fn turning() -> MotorState {
        MotorState {
            erpm: 60_000.0,
            duty: 0.5,
            iq_current_a: 10.0,
            motor_current_a: 10.0,
            vq_v: 12.0,
            input_voltage_v: 48.0,
            ..MotorState::default()
        }
    }

    #[test]
    fn a_stream_of_samples_leaves_one_a_millisecond_with_a_third_current_since_6() {
        for (profile, length) in [(Profile::MOTOR_5_03, 35), (Profile::MOTOR_7_01, 39)] {
            let mut samples = Samples::new(profile);
            ask(&mut samples, 5, 1, &turning());
            let told = told(&mut samples, 1000, &turning());
            let times: Vec<Time> = told.iter().map(|(at, _)| *at).collect();
            assert_eq!(times, [at(5), at(6), at(7)]);
            assert!(told.iter().all(|(_, payload)| payload.len() == length));
            assert_eq!(told[0].1[1..5], 10_f32.to_be_bytes());
            // A third of a turn later: 10 cycles of 1/30000 s at 1000 turns a second.
            let phase_2 = f32::from_be_bytes(told[1].1[5..9].try_into().unwrap());
            assert!((phase_2 - 10.0).abs() < 1e-3, "{phase_2}");
        }
    }

    #[test]
    fn a_trigger_is_waited_for_and_what_was_not_sent_can_be_asked_for() {
        let mut samples = Samples::new(Profile::MOTOR_7_01);
        let standing = MotorState::default();
        ask(&mut samples, 0, 3, &standing);
        assert_eq!(told(&mut samples, 100, &standing), []);
        assert_eq!(told(&mut samples, 200, &turning()).len(), 3);
        ask(&mut samples, 300, 6, &turning());
        let fault = MotorState {
            fault: 4,
            ..turning()
        };
        assert_eq!(told(&mut samples, 400, &fault), []);
        assert_eq!(samples.poll_timeout(), None);
        ask(&mut samples, 500, 7, &standing);
        assert_eq!(told(&mut samples, 600, &standing).len(), 3);
        ask(&mut samples, 700, 1, &turning());
        ask(&mut samples, 701, 0, &turning());
        assert_eq!(told(&mut samples, 900, &turning()), []);
    }
}
