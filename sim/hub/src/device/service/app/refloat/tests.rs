use super::*;

fn refloat(settings: serde_json::Value) -> Refloat {
    Refloat::new(serde_json::from_value(settings).unwrap())
}

fn riding() -> MotorState {
    MotorState {
        erpm: 3000.0,
        duty: 0.25,
        motor_current_a: 12.5,
        input_current_a: 2.5,
        iq_current_a: 12.5,
        id_current_a: -2.0,
        input_voltage_v: 63.5,
        fet_temperature_c: 40.5,
        motor_temperature_c: 55.0,
        battery_level: 0.75,
        speed_m_s: 2.5,
        distance_m: -100.0,
        odometer_m: 70_000.0,
        drawn_ah: 1.5,
        charged_ah: 0.25,
        drawn_wh: 90.0,
        charged_wh: 15.0,
        ..MotorState::default()
    }
}

fn at(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

#[test]
fn it_says_who_it_is_in_the_form_that_the_client_knows() {
    let mut one = refloat(
        serde_json::json!({ "version": "1.2", "patch": 1, "suffix": "beta1", "leds": "external" }),
    );
    let mut ask = |arguments: &[u8]| {
        let data = [&[101, 0], arguments].concat();
        one.answer(at(0), &data, &riding()).unwrap()
    };
    assert_eq!(ask(&[]), [101, 0, 12, 1, 3]);
    assert_eq!(ask(&[1]), [101, 0, 12, 1, 3]);
    let long = ask(&[2, 1]);
    assert_eq!(long.len(), 60);
    assert_eq!(long[..4], [101, 0, 2, 1]);
    assert_eq!(&long[4..12], b"Refloat\0");
    assert_eq!(long[24..27], [1, 2, 1]);
    assert_eq!(&long[27..33], b"beta1\0");
    assert_eq!(long[47..51], [0; 4]);
    assert_eq!(long[51..55], 10_000_u32.to_be_bytes());
    assert_eq!(long[55..], [0, 0, 0, 3, 0]);
    // A version that it does not know is its latest.
    assert_eq!(ask(&[9]).len(), 60);
}

#[test]
fn real_time_data_have_their_place() {
    let mut one = refloat(serde_json::json!({
        "pitch_deg": 1.5, "balance_pitch_deg": 2.0, "roll_deg": -0.5, "setpoint_deg": 0.25,
        "atr_deg": 0.5, "remote_deg": 3.0, "booster_current_a": 4.0, "remote_input": -0.5,
        "beep_reason": 6, "mode": "handtest", "setpoint_type": "duty",
    }));
    let said = one.answer(at(0), &[101, 1], &riding()).unwrap();
    assert_eq!(said.len(), 72);
    let float = |at: usize| f32::from_be_bytes(said[at..at + 4].try_into().unwrap());
    for (at, value) in [
        (2, 12.5),
        (6, 2.0),
        (10, -0.5),
        (16, 3.0),
        (20, 3.0),
        (24, 0.25),
        (28, 0.5),
        (44, 3.0),
        (48, 1.5),
        (52, 12.5),
        (60, 4.0),
        (64, 12.5),
        (68, -0.5),
    ] {
        assert_eq!(float(at), value, "at {at}");
    }
    assert_eq!(said[14], 1 | 3 << 4);
    assert_eq!(said[15], 2 | 8 | 6 << 4);
}

#[test]
fn all_data_have_the_length_of_their_mode_and_four_bytes_with_a_fault() {
    let mut one = refloat(serde_json::json!({ "pitch_deg": -1.25, "charge_voltage_v": 84.0 }));
    let mut motor = riding();
    for (mode, length) in [(1, 34), (2, 41), (3, 54), (4, 58), (200, 58), (0, 34)] {
        let said = one.answer(at(0), &[101, 10, mode], &motor).unwrap();
        assert_eq!((said.len(), said[2]), (length, mode));
    }
    let said = one.answer(at(0), &[101, 10, 4], &motor).unwrap();
    let short = |at: usize| i16::from_be_bytes(said[at..at + 2].try_into().unwrap());
    for (at, value) in [
        (3, 125),
        (5, -12),
        (19, -12),
        (22, 635),
        (24, 3000),
        (26, 25),
        (28, 125),
        (30, 25),
        (45, 15),
        (47, 2),
        (49, 90),
        (51, 15),
        (56, 840),
    ] {
        assert_eq!(short(at), value, "at {at}");
    }
    assert_eq!(said[11..13], [150, 150]);
    assert_eq!(said[13..19], [128; 6]);
    assert_eq!(said[21], 128);
    assert_eq!(said[32..34], [153, 6]);
    assert_eq!(said[34..38], 100_f32.to_be_bytes());
    assert_eq!(said[38..41], [81, 110, 0]);
    assert_eq!(said[41..45], 70_000_u32.to_be_bytes());
    assert_eq!(said[53], 150);
    motor.fault = 5;
    let said = one.answer(at(0), &[101, 10, 2], &motor);
    assert_eq!(said, Some(vec![101, 10, 69, 5]));
}

#[test]
fn it_is_silent_about_what_it_does_not_know_and_what_only_changes_something() {
    let mut one = refloat(serde_json::json!({ "version": "1.1" }));
    for data in [
        &[][..],
        &[101],
        &[102, 0],
        &[101, 10],
        &[101, 10, 1, 0],
        &[101, 2, 1, 2, 3, 4],
        &[101, 12, 1],
        &[101, 20],
        &[101, 33, 0, 0, 0, 0, 0],
        &[101, 35],
        &[101, 36, 1],
        &[101, 99],
    ] {
        assert_eq!(one.answer(at(0), data, &riding()), None, "{data:?}");
    }
    let mut newest = refloat(serde_json::json!({ "version": "1.3" }));
    assert_eq!(
        newest.answer(at(0), &[101, 33, 0, 0, 0, 0], &riding()),
        None
    );
    assert_eq!(newest.answer(at(0), &[101, 202], &riding()), None);
}

#[test]
fn lights_are_switched_by_a_mask_and_always_told() {
    for (version, id, mask) in [("1.2", 20, &[0, 0, 0, 2][..]), ("1.0", 202, &[2])] {
        let mut one = refloat(serde_json::json!({ "version": version, "lights": 1 }));
        let mut ask = |arguments: &[u8]| {
            let data = [&[101, id], arguments].concat();
            one.answer(at(0), &data, &riding())
        };
        assert_eq!(ask(&[]), Some(vec![101, id, 1]));
        assert_eq!(ask(&[mask, &[3]].concat()), Some(vec![101, id, 3]));
        assert_eq!(ask(&[mask, &[0]].concat()), Some(vec![101, id, 1]));
    }
}

#[test]
fn half_floats_come_in_the_order_of_their_ids_and_more_of_them_while_it_runs() {
    let mut one = refloat(serde_json::json!({ "version": "1.3", "mode": "flywheel" }));
    let names = one.answer(at(0), &[101, 32], &riding()).unwrap();
    assert_eq!((names[2], &names[3..14]), (18, &b"\x0acontrol.dt"[..]));
    let said = one.answer(at(2500), &[101, 31], &riding()).unwrap();
    assert_eq!(said.len(), 12 + 2 * (18 + 11));
    assert_eq!(said[2..4], [1, 0]);
    assert_eq!(said[4..8], 25_000_u32.to_be_bytes());
    // Flywheel, running, both pads.
    assert_eq!(said[8..12], [0x23, 0xC0, 0, 0]);
    // Speed in km/h, ERPM.
    assert_eq!(said[16..20], [0x48, 0x80, 0x69, 0xDC]);

    let standing = MotorState::default();
    let mut charging = refloat(serde_json::json!({
        "version": "1.2", "charging": true, "charge_current_a": 2.0, "charge_voltage_v": 84.0, "fatal_error": true,
        "alerts": [{ "at": "1s", "code": 5 }, { "at": "3s", "active": false }],
    }));
    let said = charging.answer(at(2000), &[101, 31], &standing).unwrap();
    assert_eq!(said[2..4], [2 | 4, 8]);
    assert_eq!(said.len(), 12 + 2 * 18 + 4 + 9);
    assert_eq!(said[12 + 36..12 + 40], [0x40, 0, 0x55, 0x40]);
    assert_eq!(said[52..], [0, 0, 0, 1, 0, 0, 0, 0, 0]);
    // A client clears the error; the alert ends by itself.
    assert_eq!(charging.answer(at(2500), &[101, 36, 1], &standing), None);
    let said = charging.answer(at(3000), &[101, 31], &standing).unwrap();
    assert_eq!(said[2..4], [2, 0]);
}

#[test]
fn the_fields_of_real_time_data_are_chosen_by_two_masks_in_two_sizes() {
    let mut one = refloat(serde_json::json!({ "version": "1.3", "pitch_deg": 1.5 }));
    let mut ask = |flags: u8, first: u32, second: &[u8]| {
        let data = [&[101, 33, flags], &first.to_be_bytes()[..], second].concat();
        one.answer(at(1), &data, &riding()).unwrap()
    };
    let said = ask(0, 1 << 17 | 1, &[]);
    let head = [101, 33, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 10];
    assert_eq!(said, [&head[..], &[0, 0x3E, 0]].concat());
    let said = ask(1, 1 << 17, &[0, 0, 2, 1]);
    let fields = [
        &1.5_f32.to_be_bytes()[..],
        &70_000_u32.to_be_bytes(),
        &[0; 8],
    ]
    .concat();
    assert_eq!(said[15..], fields);
    // Bits without a meaning send nothing.
    assert_eq!(ask(0, 1 << 2 | 1 << 31, &[0xFF, 0xFF, 0x80, 0]).len(), 15);
}

#[test]
fn alerts_are_listed_since_a_time_with_the_fault_of_the_motor_by_name() {
    let mut one = refloat(serde_json::json!({
        "alerts": [{ "at": "1s", "code": 5 }, { "at": "2s", "active": false }, { "at": "9s", "alert": 2 }],
    }));
    let mut motor = riding();
    let said = one
        .answer(at(3000), &[101, 35, 0, 0, 39, 17], &motor)
        .unwrap();
    // The first is too old, the last has not come yet.
    let wanted = [
        &[101, 35, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..],
        &20_000_u32.to_be_bytes(),
        &[1, 0, 0],
        b"\x0fFAULT_CODE_NONE",
    ];
    assert_eq!(said, wanted.concat());
    motor.fault = 1;
    let said = one.answer(at(500), &[101, 35], &motor).unwrap();
    let wanted = [
        &[101, 35, 0, 0, 0, 1, 0, 0, 0, 0, 1][..],
        b"\x17FAULT_CODE_OVER_VOLTAGE",
        &[0],
    ];
    assert_eq!(said, wanted.concat());
}

#[test]
fn a_lock_is_taken_while_it_does_not_run_and_stays_and_a_test_by_hand_is_for_a_board_that_is_ready()
{
    let mut one = refloat(serde_json::json!({ "version": "1.2" }));
    let stands = MotorState::default();
    // State and mode, the last two of the state's flags.
    let told = |one: &mut Refloat, motor: &MotorState| {
        let data = one.answer(at(0), &[101, 31], motor).unwrap();
        (data[8] & 15, data[8] >> 4)
    };
    let silent = |one: &mut Refloat, data: &[u8], motor: &MotorState| {
        assert_eq!(one.answer(at(0), data, motor), None, "{data:?}");
    };
    const READY: (u8, u8) = (2, 0);
    assert_eq!(told(&mut one, &stands), READY);
    silent(&mut one, &[101, 12, 1], &riding());
    assert_eq!(told(&mut one, &riding()), (3, 0), "it runs");
    silent(&mut one, &[101, 12], &stands);
    assert_eq!(told(&mut one, &stands), READY);
    silent(&mut one, &[101, 13, 1], &stands);
    assert_eq!(told(&mut one, &stands), (2, 1));
    silent(&mut one, &[101, 12, 1], &stands);
    assert_eq!(told(&mut one, &stands), (0, 1));
    // Not ready: the test by hand cannot be ended; a restart forgets it, and keeps the lock.
    silent(&mut one, &[101, 13, 0], &stands);
    assert_eq!(told(&mut one, &stands), (0, 1));
    one.restart();
    assert_eq!(told(&mut one, &stands), (0, 0));
    silent(&mut one, &[101, 12, 0], &stands);
    assert_eq!(told(&mut one, &stands), READY);
    // What the scenario locks, a client unlocks.
    let mut locked = refloat(serde_json::json!({ "version": "1.2", "state": "disabled" }));
    assert_eq!(told(&mut locked, &stands), (0, 0));
    silent(&mut locked, &[101, 12, 0], &stands);
    assert_eq!(told(&mut locked, &stands), READY);
}
