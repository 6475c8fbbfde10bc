//! What is named, what is not, and what people read.

use super::*;

fn named(field: &str, given: Json) -> Option<Mistake> {
    match judgement(&understood(json!({ field: given })), field) {
        Judgement::Wrong(mistake) => mistake,
        other => unreachable!("{field}: {other:?}"),
    }
}

#[test]
fn a_short_number_is_blamed_on_nothing() {
    // 0 and small numbers stand in many bytes, and come from many mistakes.
    for (field, given) in [
        ("state_of_health", json!(0)),
        ("state_of_health", json!(0.0)),
        ("state_of_charge", json!(1)),
        ("chip_temperature_c", json!(1)),
        ("humidity_percent", json!(2.0)),
        ("can_id", json!(4)),
    ] {
        assert_eq!(named(field, given.clone()), None, "{field} {given}");
    }
}

#[test]
fn one_byte_of_255_is_told_and_not_called_rounded() {
    // A state of charge of 871 is 03 67, a state of health of 990 is 03 DE.
    let byte = |byte: u8| json!(f64::from(byte) / 255.0);
    assert_eq!(named("state_of_charge", byte(3)), Some(Mistake::ByteOf255));
    assert_eq!(
        named("state_of_health", byte(0x67)),
        Some(Mistake::ByteOf255)
    );
    assert_eq!(
        named("state_of_health", byte(0xDE)),
        Some(Mistake::ByteOf255)
    );
    assert_eq!(
        named("state_of_health", json!(0.404)),
        Some(Mistake::ByteOf255)
    );
    let both = understood(json!({ "state_of_charge": 0.0118, "state_of_health": 0.01 }));
    for field in ["state_of_charge", "state_of_health"] {
        assert_eq!(
            judgement(&both, field),
            Judgement::Wrong(Some(Mistake::ByteOf255)),
            "{field}"
        );
    }
    assert_eq!(
        Mistake::ByteOf255.to_string(),
        "one byte of 255 read for a scaled integer"
    );
}

#[test]
fn percent_and_parts_of_one_are_told_apart_and_so_is_a_pressure_in_hectopascals() {
    let unit = |shown, right| Some(Mistake::Unit { shown, right });
    assert_eq!(
        named("state_of_charge", json!(87.1)),
        unit("%", "parts of 1")
    );
    assert_eq!(
        named("humidity_percent", json!(0.4321)),
        unit("parts of 1", "%")
    );
    assert_eq!(named("pressure_pa", json!(1013.2)), unit("hPa", "Pa"));
    assert_eq!(
        named("chip_temperature_c", json!(14.0)),
        None,
        "14 is too short to tell that it is in °F"
    );
    assert_eq!(named("highest_cell_temperature_c", json!(32.0)), None);
}

#[test]
fn a_word_that_is_no_number_is_told() {
    assert_eq!(
        named("state_of_charge", json!("NaN")),
        Some(Mistake::NotANumber("NaN"))
    );
    assert_eq!(
        named("temperatures_c", json!([1.5, "-Infinity"])),
        Some(Mistake::NotANumber("-Infinity"))
    );
    assert_eq!(
        named("state_of_charge", json!("oops")),
        Some(Mistake::Type("a number"))
    );
}

#[test]
fn every_mistake_has_a_name_a_text_and_advice_in_sentences() {
    let all = [
        Mistake::NotANumber("NaN"),
        Mistake::Type("a number"),
        Mistake::TurnedSign,
        Mistake::Unsigned,
        Mistake::Signed,
        Mistake::Scale(1),
        Mistake::Divisor { used: 1, right: 10 },
        Mistake::Unit {
            shown: "mV",
            right: "V",
        },
        Mistake::PolePairs(7),
        Mistake::FloatForInteger,
        Mistake::IntegerForFloat,
        Mistake::LittleEndian,
        Mistake::ByteOf255,
        Mistake::EmptyList,
        Mistake::Dropped {
            rule: Rule::Zero,
            count: 1,
            first: 0,
        },
        Mistake::Dropped {
            rule: Rule::Unknown,
            count: 1,
            first: 0,
        },
        Mistake::Capped(24),
        Mistake::Padded(50),
        Mistake::MaskOf32,
        Mistake::Rounded(1),
        Mistake::MinorVersion,
        Mistake::OtherField("current_a"),
        Mistake::Stale(1),
        Mistake::OtherDevice(None),
        Mistake::AnotherReply(CommandId::FW_VERSION),
        Mistake::Shifted(2),
    ];
    for mistake in all {
        let advice = mistake.advice();
        assert!(advice.ends_with('.') && !advice.contains("  "), "{advice}");
        assert!(
            advice.len() > 40 && advice.len() < 260,
            "{}: {advice}",
            advice.len()
        );
        assert!(!mistake.to_string().ends_with('.') && !mistake.name().contains(' '));
    }
}

#[test]
fn a_null_and_an_unknown_name_are_not_right() {
    assert!(understood(json!({ "current_a": -2.5 })).is_right());
    let null = understood(json!({ "current_a": -2.5, "total_voltage_v": null }));
    assert_eq!(judgement(&null, "total_voltage_v"), Judgement::Missing);
    assert!(!null.is_right() && null.unread().any(|field| field == "total_voltage_v"));
    let unknown = understood(json!({ "current_a": -2.5, "total_volts_v": 83.774 }));
    let nearest = Judgement::UnknownName(Some("total_voltage_v"));
    assert_eq!(judgement(&unknown, "total_volts_v"), nearest);
    assert!(!unknown.is_right());
    // A reply does not have this field, and the client says so.
    assert!(understood(json!({ "current_a": -2.5, "status": null })).is_right());
}

#[test]
fn only_a_value_that_says_something_proves_that_a_reply_arrived() {
    assert!(understood(json!({ "current_a": -2.5 })).proves_arrival());
    assert!(understood(json!({ "current_a": 7.5, "state_of_health": 0.99 })).proves_arrival());
    assert!(!understood(json!({ "current_a": 7.5 })).proves_arrival());
    assert!(!understood(json!({ "counter_wh": 0.0 })).proves_arrival());
    assert!(!understood(json!({ "current_a": null })).proves_arrival());
    let nothing = [
        entry(0, JournalEvent::Request(vec![62])),
        entry(
            1,
            JournalEvent::Reply {
                payload: vec![62],
                truth: None,
            },
        ),
    ];
    let empty = understood_of(
        &nothing,
        CommandId::PING_CAN,
        None,
        json!({ "can_ids": [] }),
    );
    assert!(empty.proves_arrival());
}
