//! What a motor does over time, one claim a test.

use std::time::Duration;

use veschub_wire::{CommandId, Request};

use super::{
    battery::Battery,
    fault::{FaultAt, FaultCode},
    field::Field,
    heat::Heat,
    limits::MotorLimits,
    load::Load,
    machine::Machine,
    model::{Model, Parameters},
};
use crate::{
    device::course::{Course, Setting},
    duration,
    silence::MotorIgnores,
    time::Time,
};

fn parameters() -> Parameters {
    Parameters {
        machine: Machine::default(),
        load: Load::default(),
        battery: Battery::default(),
        heat: Heat::default(),
        limits: MotorLimits::default(),
        timeout: Duration::from_secs(1),
        timeout_brake_a: 0.0,
        faults: Vec::new(),
        odometer_m: 0.0,
        set: Vec::new().into(),
    }
}

fn motor(change: impl FnOnce(&mut Parameters)) -> Model {
    let mut given = parameters();
    change(&mut given);
    Model::new(given)
}

fn ms(count: u64) -> Time {
    Time::ZERO + Duration::from_millis(count)
}

fn request(words: &str) -> Request {
    let mut words = words.split(' ');
    let id: CommandId = words.next().unwrap().parse().unwrap();
    Request::from_args(id, &words.collect::<Vec<_>>()).unwrap()
}

/// Repeats a command every 500 ms from one time to another.
fn drive(model: &mut Model, words: &str, from: u64, to: u64) {
    for at in (from..to).step_by(500) {
        model.command(ms(at), &request(words)).unwrap();
    }
}

fn pin(field: Field, at: u64, course: Course) -> Setting<Field> {
    Setting {
        field,
        item: None,
        at: ms(at),
        course,
    }
}

#[test]
fn a_motor_turns_while_it_is_commanded_and_rolls_when_it_is_not() {
    let mut model = motor(|_| {});
    drive(&mut model, "SET_CURRENT 10", 0, 3000);
    let fast = model.state(ms(3000));
    assert!(
        fast.erpm > 5000.0 && fast.duty > 0.0 && !fast.timed_out,
        "{fast:?}"
    );
    assert_eq!(fast.motor_current_a, 10.0);
    // The last command came at 2.5 s: the first look after 3.5 s is at 3.51 s.
    assert!(!model.state(ms(3509)).timed_out);
    let rolling = model.state(ms(3511));
    assert!(rolling.timed_out);
    assert_eq!(
        (rolling.motor_current_a, rolling.input_current_a),
        (0.0, 0.0)
    );
    let slower = model.state(ms(6000));
    assert!(0.0 < slower.erpm && slower.erpm < rolling.erpm);
}

#[test]
fn alive_keeps_what_was_asked_for_going() {
    let mut model = motor(|_| {});
    model.command(ms(0), &request("SET_CURRENT 10")).unwrap();
    drive(&mut model, "ALIVE", 500, 5000);
    assert_eq!(model.state(ms(5000)).motor_current_a, 10.0);
}

#[test]
fn a_timeout_can_brake_and_the_next_command_works_at_once() {
    let mut model = motor(|given| given.timeout_brake_a = 15.0);
    drive(&mut model, "SET_CURRENT 20", 0, 3000);
    let braking = model.state(ms(4000));
    assert_eq!((braking.motor_current_a, braking.timed_out), (-15.0, true));
    assert!(braking.input_current_a < 0.0);
    model.command(ms(4001), &request("SET_CURRENT 5")).unwrap();
    let again = model.state(ms(4005));
    assert_eq!((again.motor_current_a, again.timed_out), (5.0, true));
    assert!(!model.state(ms(4010)).timed_out);
}

#[test]
fn what_is_read_does_not_depend_on_how_often_somebody_reads() {
    let run = |every: u64| {
        let mut model = motor(|_| {});
        for at in 0..9000 {
            if at % 700 == 0 && at < 5000 {
                model.command(ms(at), &request("SET_RPM 8000")).unwrap();
            }
            if at % every == 0 {
                model.read(ms(at) + Duration::from_micros(300), 0);
            }
        }
        model.state(ms(9000))
    };
    let seldom = run(9000);
    for every in [1, 7, 500] {
        assert_eq!(run(every), seldom, "every {every} ms");
    }
}

#[test]
fn an_hour_takes_few_steps_and_is_exact() {
    let mut model = motor(|given| given.timeout = Duration::ZERO);
    model.command(ms(0), &request("SET_RPM 6000")).unwrap();
    let state = model.state(ms(3_600_000));
    // 6 steps a turn, 100 turns a second, less the start.
    assert!((state.tachometer - 2_160_000.0).abs() < 200.0, "{state:?}");
    assert!((state.distance_m - state.speed_m_s * 3600.0).abs() < 5.0);
    assert!((state.motor_temperature_c - 35.0 - 0.02 * state.motor_current_a.powi(2)).abs() < 0.01);
}

#[test]
fn averages_are_over_the_time_since_the_last_read() {
    let mut model = motor(|given| given.timeout = Duration::ZERO);
    model.command(ms(0), &request("SET_CURRENT 10")).unwrap();
    model.read(ms(1000), u32::MAX);
    model.command(ms(2000), &request("SET_CURRENT 20")).unwrap();
    let read = model.read(ms(3000), u32::MAX);
    assert!((read.motor_current_a - 15.0).abs() < 1e-6, "{read:?}");
    // A read of nothing resets nothing, and another one does.
    model.read(ms(4000), 1);
    assert!((model.read(ms(5000), 1 << 2).motor_current_a - 20.0).abs() < 1e-6);
    assert_eq!(model.read(ms(5000), 1 << 2).motor_current_a, 0.0);
}

#[test]
fn charge_and_energy_are_counted_above_1_a_each_way() {
    let mut model = motor(|given| given.timeout = Duration::ZERO);
    model.command(ms(0), &request("SET_CURRENT 0.9")).unwrap();
    assert_eq!(model.state(ms(60_000)).drawn_ah, 0.0);
    model
        .command(ms(60_000), &request("SET_CURRENT 20"))
        .unwrap();
    let driven = model.state(ms(70_000));
    assert!(
        driven.drawn_ah > 0.0 && driven.charged_ah == 0.0,
        "{driven:?}"
    );
    assert!(
        (driven.drawn_wh / driven.drawn_ah - 79.0).abs() < 1.5,
        "{driven:?}"
    );
    assert!(driven.battery_level < 0.8);
    model
        .command(ms(70_000), &request("SET_CURRENT_BRAKE 20"))
        .unwrap();
    let braked = model.state(ms(71_000));
    assert!(
        braked.charged_ah > 0.0 && braked.charged_wh > 0.0,
        "{braked:?}"
    );
    assert!(braked.battery_level > driven.battery_level);
}

#[test]
fn a_fault_releases_the_motor_ignores_commands_and_goes_by_itself() {
    let mut model = motor(|given| {
        given.faults = vec![FaultAt {
            fault: FaultCode(3),
            at: duration::Duration::from_millis(2000),
            lasts: duration::Duration::from_millis(100),
        }];
    });
    drive(&mut model, "SET_CURRENT 10", 0, 2000);
    assert_eq!(model.state(ms(1999)).fault, 0);
    let faulty = model.state(ms(2000));
    assert_eq!(faulty.fault, 3);
    assert_eq!(model.state(ms(2001)).motor_current_a, 0.0);
    let ignored = model.command(ms(2500), &request("SET_CURRENT 10"));
    assert_eq!(ignored, Err(MotorIgnores::Fault(3)));
    assert_eq!(model.state(ms(2600)).fault, 0);
    // It stays released until somebody commands it, and what was ignored fed the time-out.
    assert_eq!(model.state(ms(3000)).motor_current_a, 0.0);
    assert!(!model.state(ms(3400)).timed_out);
    model.command(ms(3400), &request("SET_CURRENT 10")).unwrap();
    assert_eq!(model.state(ms(3401)).motor_current_a, 10.0);
    assert_eq!(model.faults(), [(ms(2000), FaultCode(3))]);
}

#[test]
fn conditions_raise_their_faults() {
    for (field, value, fault) in [
        (Field::InputVoltage, 120.0, FaultCode::OVER_VOLTAGE),
        (Field::InputVoltage, 7.0, FaultCode::UNDER_VOLTAGE),
        (Field::FetTemperature, 100.0, FaultCode::OVER_TEMP_FET),
        (Field::MotorTemperature, 101.0, FaultCode::OVER_TEMP_MOTOR),
    ] {
        let model = motor(|given| {
            given.set = vec![
                pin(field, 1000, Course::Pinned(value)),
                pin(field, 2000, Course::Pinned(50.0)),
            ]
            .into();
        });
        assert_eq!(model.state(ms(999)).fault, 0, "{field:?}");
        assert_eq!(FaultCode(model.state(ms(1010)).fault), fault);
        assert_eq!(FaultCode(model.state(ms(2400)).fault), fault);
        assert_eq!(model.state(ms(2600)).fault, 0, "{field:?}");
    }
    let mut model = motor(|given| given.limits.absolute_current_a = 30.0);
    model.command(ms(0), &request("SET_CURRENT 40")).unwrap();
    assert_eq!(
        FaultCode(model.state(ms(5)).fault),
        FaultCode::ABS_OVER_CURRENT
    );
}

#[test]
fn heat_takes_the_current_away() {
    let mut model = motor(|given| {
        given.timeout = Duration::ZERO;
        given.heat.fet_rise_c_per_a2 = 0.1;
        given.heat.fet_time_constant = duration::Duration::from_millis(5000);
        given.load.drag_nm_s = 0.002;
    });
    model.command(ms(0), &request("SET_CURRENT 50")).unwrap();
    assert_eq!(model.state(ms(500)).motor_current_a, 50.0);
    let hot = model.state(ms(120_000));
    // It settles where the current that is left keeps the temperature.
    assert!((85.0..100.0).contains(&hot.fet_temperature_c), "{hot:?}");
    assert!(hot.motor_current_a < 30.0 && hot.fault == 0, "{hot:?}");
    let rise = 0.1 * hot.motor_current_a.powi(2);
    assert!((hot.fet_temperature_c - 30.0 - rise).abs() < 0.5, "{hot:?}");
}

#[test]
fn a_low_battery_is_cut_off() {
    let mut model = motor(|given| {
        given.timeout = Duration::ZERO;
        given.limits.battery_cut_start_v = 70.0;
        given.limits.battery_cut_end_v = 60.0;
        given.set = vec![pin(
            Field::InputVoltage,
            0,
            Course::Ramp {
                from: 80.0,
                to: 55.0,
                over: Duration::from_secs(25),
            },
        )]
        .into();
        given.load.drag_nm_s = 0.002;
    });
    model.command(ms(0), &request("SET_CURRENT 40")).unwrap();
    assert_eq!(model.state(ms(8000)).motor_current_a, 40.0);
    assert_eq!(model.state(ms(25_000)).motor_current_a, 0.0);
}

#[test]
fn pinned_values_are_reported_and_counted() {
    let mut model = motor(|given| {
        given.set = vec![
            pin(Field::Erpm, 0, Course::Pinned(6000.0)),
            pin(Field::MotorCurrent, 0, Course::Pinned(21.0)),
            pin(Field::InputCurrent, 0, Course::Pinned(10.0)),
            pin(Field::Duty, 0, Course::Pinned(0.4)),
        ]
        .into();
    });
    let state = model.read(ms(36_000), u32::MAX);
    assert_eq!(
        (state.erpm, state.duty, state.motor_current_a),
        (6000.0, 0.4, 21.0)
    );
    assert!((state.tachometer - 6.0 * 100.0 * 36.0).abs() < 1e-6);
    assert!((state.drawn_ah - 0.1).abs() < 1e-9 && (state.drawn_wh - 8.0).abs() < 1e-6);
    assert!((state.vq_v - 0.4 * 80.0 / 3.0_f64.sqrt()).abs() < 1e-9);
    assert_eq!(state.fet_temperature_c, 30.0);
}

#[test]
fn a_pinned_speed_is_one_that_commands_work_against() {
    let mut model = motor(|given| {
        given.timeout = Duration::ZERO;
        given.set = vec![pin(Field::Erpm, 0, Course::Pinned(6000.0))].into();
    });
    let rolling = model.state(ms(10));
    assert!(rolling.duty > 0.0 && rolling.motor_current_a == 0.0);
    model
        .command(ms(100), &request("SET_CURRENT_BRAKE 10"))
        .unwrap();
    let braked = model.state(ms(2000));
    assert_eq!((braked.erpm, braked.motor_current_a), (6000.0, -10.0));
    model.command(ms(2000), &request("SET_DUTY 0.9")).unwrap();
    let driven = model.state(ms(2100));
    assert_eq!((driven.erpm, driven.motor_current_a), (6000.0, 60.0));
}

#[test]
fn an_estop_releases_and_ignores_for_its_time() {
    let mut model = motor(|_| {});
    model.command(ms(0), &request("SET_CURRENT 10")).unwrap();
    model.command(ms(100), &request("MOTOR_ESTOP 300")).unwrap();
    assert_eq!(model.state(ms(101)).motor_current_a, 0.0);
    let ignored = model.command(ms(399), &request("SET_CURRENT 10"));
    assert_eq!(ignored, Err(MotorIgnores::Locked));
    model.command(ms(400), &request("SET_CURRENT 10")).unwrap();
    assert_eq!(model.state(ms(401)).motor_current_a, 10.0);
}

#[test]
fn a_nunchuk_is_believed_for_2_s_and_not_while_output_is_disabled() {
    let forwards = "SET_CHUCK_DATA 128 255 0 0 0 0 0";
    let mut model = motor(|given| given.timeout = Duration::ZERO);
    model.command(ms(0), &request(forwards)).unwrap();
    assert_eq!(model.state(ms(1999)).motor_current_a, 60.0);
    assert_eq!(model.state(ms(2002)).motor_current_a, 0.0);
    model
        .command(ms(3000), &request("APP_DISABLE_OUTPUT 0 500"))
        .unwrap();
    let ignored = model.command(ms(3400), &request(forwards));
    assert_eq!(ignored, Err(MotorIgnores::OutputDisabled));
    model.command(ms(3500), &request(forwards)).unwrap();
    model
        .command(ms(3500), &request("APP_DISABLE_OUTPUT 0 -1"))
        .unwrap();
    let ignored = model.command(ms(900_000), &request(forwards));
    assert_eq!(ignored, Err(MotorIgnores::OutputDisabled));
}

#[test]
fn a_restart_begins_anew_and_keeps_the_odometer() {
    let mut model = motor(|given| given.odometer_m = 1000.0);
    drive(&mut model, "SET_CURRENT 20", 0, 5000);
    let before = model.state(ms(5000));
    assert!(before.odometer_m > 1005.0 && before.drawn_ah > 0.0);
    model.restart(ms(5000));
    let after = model.state(ms(5000));
    assert_eq!(
        (after.drawn_ah, after.tachometer, after.distance_m),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(after.odometer_m, before.odometer_m);
    assert_eq!(after.erpm, before.erpm);
    assert_eq!(model.state(ms(5001)).motor_current_a, 0.0);
    assert_eq!(model.uptime(ms(6000)), Duration::from_secs(1));
    model
        .command(ms(6000), &request("SET_ODOMETER 77"))
        .unwrap();
    assert!((model.state(ms(6000)).odometer_m - 77.0).abs() < 1e-9);
}

#[test]
fn limits_are_forgotten_at_a_start_unless_they_are_stored() {
    let mut model = motor(|_| {});
    let half = MotorLimits {
        current_scale_max: 0.5,
        ..MotorLimits::default()
    };
    model.set_limits(ms(0), half, false);
    model.command(ms(0), &request("SET_CURRENT 60")).unwrap();
    assert_eq!(model.state(ms(10)).motor_current_a, 30.0);
    model.restart(ms(20));
    assert_eq!(model.limits().current_scale_max, 1.0);
    model.set_limits(ms(30), half, true);
    model.restart(ms(40));
    assert_eq!(model.limits().current_scale_max, 0.5);
}
