//! Values of a configuration that a client reads by name.

use std::sync::Arc;

use veschub_wire::{
    command::MotorConfig,
    description::{ConfigDescription, Rounding},
    view::Value,
};

use super::*;

const OLDER: &str = include_str!("../../../../../../scenarios/parameters/own-mcconf.xml");
const NEWER: &str = include_str!("../../../../../../scenarios/parameters/own-mcconf-newer.xml");

fn described(xml: &str) -> Arc<ConfigDescription> {
    Arc::new(ConfigDescription::from_xml(xml).unwrap())
}

/// What a client is worth that reads this of a motor with the newer firmware, where these descriptions are given.
fn read(fields: Json, configs: &[Arc<ConfigDescription>]) -> Understood {
    let newer = described(NEWER);
    let mut values = newer.defaults();
    let set = values.set("l_current_max", &Value::Int(82), Rounding::CutOff);
    set.unwrap();
    let reply = Reply::Mcconf(MotorConfig {
        signature: newer.signature(),
        data: values.to_bytes(),
    });
    let journal = [Request::GetMcconf.encode(), reply.encode()];
    let journal = journal.map(|payload| JournalEntry {
        at: Time::ZERO,
        conn: None,
        device: None,
        event: match payload.len() {
            1 => JournalEvent::Request(payload),
            _ => JournalEvent::Reply {
                payload,
                truth: None,
            },
        },
    });
    let Json::Object(fields) = fields else {
        unreachable!("{fields}");
    };
    let reading = Reading {
        line: 1,
        at: Duration::from_secs(9),
        after: usize::MAX,
        command: Some(CommandId::GET_MCCONF),
        can_id: None,
        fields,
    };
    let tolerance = Tolerance {
        configs: configs.to_vec(),
        ..Tolerance::default()
    };
    compare(&reading, &delivered(&journal), false, &tolerance)
}

fn judged<'a>(read: &'a Understood, name: &str) -> &'a FieldUnderstood {
    read.fields.iter().find(|one| one.field == name).unwrap()
}

/// What a client says that takes the bytes for what the older firmware sends.
fn with_the_older_layout() -> Json {
    let (newer, older) = (described(NEWER), described(OLDER));
    let mut values = newer.defaults();
    let set = values.set("l_current_max", &Value::Int(82), Rounding::CutOff);
    set.unwrap();
    let data = values.to_bytes();
    let values = older.read(&data).unwrap();
    let names = [
        "l_current_max",
        "foc_motor_flux_linkage",
        "si_wheel_diameter",
        "si_battery_cells",
    ];
    let read = names.map(|name| (name.to_owned(), json!(values.number(name).unwrap())));
    Json::Object(read.into_iter().collect())
}

#[test]
fn values_by_name_are_right_as_numbers_choices_and_flags() {
    let fields = json!({
        "l_current_max": 82, "motor_type": "Field & vectors", "m_invert_direction": false, "l_temp_fet_start": 85.0,
    });
    let read = read(fields, &[described(NEWER)]);
    assert!(read.is_right(), "{read:?}");
    assert_eq!(
        judged(&read, "motor_type").truth,
        Some(Value::Text("Field & vectors".into()))
    );
    // A client reads some of two hundred values: what it leaves out is no finding.
    assert_eq!(read.unread().collect::<Vec<_>>(), ["signature", "data"]);
}

#[test]
fn a_wrong_value_by_name_is_wrong_and_without_a_description_nothing_is_said() {
    let wrong = json!({ "l_current_max": 80, "motor_type": "Brushed", "signature": 691_252_605 });
    let known = read(wrong.clone(), &[described(NEWER)]);
    for name in ["l_current_max", "motor_type"] {
        assert_eq!(
            judged(&known, name).judgement,
            Judgement::Wrong(None),
            "{name}"
        );
    }
    assert_eq!(
        judged(&known, "l_current_max").truth,
        Some(Value::Number(82.0))
    );
    assert_eq!(judged(&known, "signature").judgement, Judgement::Right);
    for configs in [&[][..], &[described(OLDER)]] {
        let unknown = read(wrong.clone(), configs);
        assert_eq!(
            judged(&unknown, "l_current_max").judgement,
            Judgement::NotJudged
        );
        assert!(unknown.is_right(), "{unknown:?}");
    }
    let no_field = read(json!({ "l_curent_max": 82 }), &[described(NEWER)]);
    assert_eq!(
        judged(&no_field, "l_curent_max").judgement,
        Judgement::Invented(None)
    );
}

#[test]
fn the_layout_of_another_firmware_and_bytes_beside_the_right_place_are_named() {
    let (newer, older) = (described(NEWER), described(OLDER));
    let told = read(with_the_older_layout(), &[newer.clone(), older.clone()]);
    let (used, right) = (older.signature(), newer.signature());
    let mistake = Mistake::OtherConfig { used, right };
    assert_eq!(judged(&told, "l_current_max").judgement, Judgement::Right);
    for name in [
        "foc_motor_flux_linkage",
        "si_wheel_diameter",
        "si_battery_cells",
    ] {
        assert_eq!(
            judged(&told, name).judgement,
            Judgement::Wrong(Some(mistake)),
            "{name}"
        );
    }
    assert_eq!(mistake.name(), "another-firmwares-layout");
    assert_eq!(
        mistake.to_string(),
        "read with the layout of signature 4076786715, but the device has that of signature 691252605"
    );
    let alone = read(with_the_older_layout(), &[newer]);
    let judgement = &judged(&alone, "si_wheel_diameter").judgement;
    assert_eq!(*judgement, Judgement::Wrong(Some(Mistake::Shifted(-2))));
}
