//! Clients of a motor controller, with the bytes of `wire/testdata/get_values/motor-6.05.hex` or bytes like them.

use super::*;

/// A motor that runs backwards and brakes, in the cold: what FW 6.05 sends.
const SENT: &str = "04 FF CE FE 85 FF FF FF A9 FF FF FF F4 FF FF FF E7 00 00 04 CE FF 13 FF FF F7 5E 01 75 \
    00 00 30 39 00 00 03 E8 00 09 62 58 00 00 C3 50 FF FF FB 2E 00 00 DD D5 02 00 00 00 00 54 01 3A 01 3C 01 3E \
    FF FF FF F6 00 00 2E E0 00";

fn sent() -> Vec<u8> {
    let bytes = SENT.split_whitespace();
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// What each field of the reply is called when the client gives these values.
fn understood(fields: Json) -> Understood {
    let journal = [
        entry(0, JournalEvent::Request(vec![34, 84, 4])),
        entry(
            1,
            JournalEvent::Reply {
                payload: sent(),
                truth: None,
            },
        ),
    ];
    understood_of(&journal, CommandId::GET_VALUES, Some(84), fields)
}

#[track_caller]
fn is_told(field: &str, given: f64, mistake: Mistake) {
    let understood = understood(json!({ field: given }));
    assert_eq!(
        judgement(&understood, field),
        Judgement::Wrong(Some(mistake))
    );
}

#[test]
fn a_client_that_reads_all_of_it_right_is_right() {
    let right = json!({
        "fet_temperature_c": -5.0, "motor_temperature_c": -37.9, "motor_current_a": -0.87, "input_current_a": -0.12,
        "duty": -0.237, "erpm": -2210, "input_voltage_v": 37.3,
    });
    assert!(understood(right).is_right());
}

#[test]
fn a_turned_sign_is_told_in_either_direction() {
    is_told("erpm", 2210.0, Mistake::TurnedSign);
    is_told("iq_current_a", -12.3, Mistake::TurnedSign);
}

#[test]
fn values_without_their_signs_are_told() {
    let understood = understood(json!({
        "fet_temperature_c": 6548.6, "motor_temperature_c": 6515.7, "motor_current_a": 42_949_672.09,
        "input_current_a": 42_949_672.84, "duty": 65.299, "erpm": 4_294_965_086_u32,
    }));
    for field in [
        "fet_temperature_c",
        "motor_temperature_c",
        "motor_current_a",
        "input_current_a",
        "duty",
        "erpm",
    ] {
        assert_eq!(
            judgement(&understood, field),
            Judgement::Wrong(Some(Mistake::Unsigned)),
            "{field}"
        );
    }
}

#[test]
fn a_wrong_divisor_is_told_with_the_right_one() {
    is_told(
        "duty",
        -2.37,
        Mistake::Divisor {
            used: 100,
            right: 1000,
        },
    );
    is_told(
        "motor_current_a",
        -8.7,
        Mistake::Divisor {
            used: 10,
            right: 100,
        },
    );
    is_told(
        "input_voltage_v",
        3.73,
        Mistake::Divisor {
            used: 100,
            right: 10,
        },
    );
    assert_eq!(
        Mistake::Divisor {
            used: 100,
            right: 10
        }
        .to_string(),
        "10 times too small: divide the raw number by 10, not by 100"
    );
}

#[test]
fn another_unit_is_told_with_both_units() {
    let unit = |shown, right| Mistake::Unit { shown, right };
    is_told("motor_temperature_c", -36.22, unit("°F", "°C"));
    is_told("motor_temperature_c", 235.25, unit("K", "°C"));
    is_told("duty", -23.7, unit("%", "parts of 1"));
    is_told("input_voltage_v", 37_300.0, unit("mV", "V"));
    is_told("motor_current_a", -870.0, unit("mA", "A"));
    assert_eq!(
        unit("°F", "°C").to_string(),
        "given in °F: the field is in °C"
    );
}

#[test]
fn mechanical_revolutions_are_told_with_the_pole_pairs() {
    is_told("erpm", -2210.0 / 7.0, Mistake::PolePairs(7));
    is_told("erpm", -315.0, Mistake::PolePairs(7));
    // Too short a number to tell.
    assert_eq!(
        judgement(&understood(json!({ "erpm": -79 })), "erpm"),
        Judgement::Wrong(None)
    );
}

#[test]
fn the_value_of_another_field_is_told_with_its_name() {
    is_told("motor_current_a", 12.3, Mistake::OtherField("iq_current_a"));
    is_told("charged_wh", 61.5, Mistake::OtherField("drawn_wh"));
    // Too short a number to tell.
    let short = understood(json!({ "input_current_a": -0.25 }));
    assert_eq!(judgement(&short, "input_current_a"), Judgement::Wrong(None));
}

#[test]
fn floats_are_told_before_another_place() {
    let raw = [0xFFFF_FFA9_u32, 0x0000_3039, 0x0009_6258];
    let [amps, drawn_ah, drawn_wh] = raw.map(|raw| f64::from(f32::from_bits(raw)));
    assert!(amps.is_nan());
    let understood =
        understood(json!({ "motor_current_a": "NaN", "drawn_ah": drawn_ah, "drawn_wh": drawn_wh }));
    for field in ["motor_current_a", "drawn_ah", "drawn_wh"] {
        assert_eq!(
            judgement(&understood, field),
            Judgement::Wrong(Some(Mistake::FloatForInteger)),
            "{field}"
        );
    }
}

#[test]
fn a_reply_of_another_device_is_told_with_its_can_id() {
    let mut other = sent();
    other[27..29].copy_from_slice(&[1, 0xF8]);
    let journal = [
        entry(0, JournalEvent::Request(vec![34, 7, 4])),
        entry(
            1,
            JournalEvent::Reply {
                payload: other,
                truth: None,
            },
        ),
        entry(2, JournalEvent::Request(vec![34, 84, 4])),
        entry(
            3,
            JournalEvent::Reply {
                payload: sent(),
                truth: None,
            },
        ),
    ];
    let fields = json!({ "input_voltage_v": 50.4 });
    let understood = understood_of(&journal, CommandId::GET_VALUES, Some(84), fields);
    let mistake = Mistake::OtherDevice(Some(7));
    assert_eq!(
        judgement(&understood, "input_voltage_v"),
        Judgement::Wrong(Some(mistake))
    );
    assert_eq!(
        mistake.to_string(),
        "this is the value of another device: CAN id 7"
    );
}

#[test]
fn a_speed_in_another_unit_is_told() {
    let mut payload = vec![47];
    payload.resize(70, 0);
    // The speed is behind two temperatures, two currents, the duty cycle and the electrical speed.
    let at = layout(CommandId::GET_VALUES_SETUP, &payload);
    let at = at
        .iter()
        .find(|slot| slot.field == "speed_m_s")
        .unwrap()
        .offset;
    payload[at..at + 4].copy_from_slice(&7_250_i32.to_be_bytes());
    let journal = [
        entry(0, JournalEvent::Request(vec![47])),
        entry(
            1,
            JournalEvent::Reply {
                payload,
                truth: None,
            },
        ),
    ];
    for (given, shown) in [(26.1, "km/h"), (16.218, "mph")] {
        let fields = json!({ "speed_m_s": given });
        let understood = understood_of(&journal, CommandId::GET_VALUES_SETUP, None, fields);
        let mistake = Mistake::Unit {
            shown,
            right: "m/s",
        };
        assert_eq!(
            judgement(&understood, "speed_m_s"),
            Judgement::Wrong(Some(mistake))
        );
    }
}
