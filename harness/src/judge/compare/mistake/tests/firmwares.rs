//! Clients that were made for one firmware and meet another.

use super::*;
use crate::judge::layout::{FIRMWARES, Form, layout_of, layout_without_mask, sends};

/// How long the replies of each firmware are, as `docs/protocol-motor.md` has it; 0 where it does not answer.
struct Lengths {
    firmware: Firmware,
    /// FW_VERSION with a hardware name of two letters and without a firmware name.
    version: usize,
    values: usize,
    setup: usize,
    /// GET_IMU_DATA with three fields.
    imu: usize,
}

fn lengths() -> [Lengths; 13] {
    let rows = [
        (3, 56, 0, 0),
        (18, 59, 0, 0),
        (19, 73, 62, 15),
        (19, 73, 62, 15),
        (20, 73, 62, 15),
        (22, 73, 66, 15),
        (25, 74, 70, 15),
        (27, 74, 70, 15),
        (27, 74, 70, 15),
        (31, 74, 70, 16),
        (31, 74, 70, 16),
        (31, 74, 70, 16),
        (31, 74, 70, 16),
    ];
    let mut firmwares = FIRMWARES.into_iter();
    rows.map(|(version, values, setup, imu)| Lengths {
        firmware: firmwares.next().unwrap(),
        version,
        values,
        setup,
        imu,
    })
}

/// A payload of so many bytes, in which no field looks like another one.
fn payload(command: CommandId, head: &[u8], length: usize) -> Vec<u8> {
    let numbers = (0..).map(|index: u32| (index * 89 + 7) as u8 % 120 + 1);
    let mut payload = vec![command.0];
    payload.extend(head.iter().copied().chain(numbers).take(length - 1));
    payload
}

/// What a client shows that was made for a firmware and takes what is missing for 0.
fn shown_by(firmware: Firmware, payload: &[u8]) -> Map<String, Json> {
    let command = CommandId(payload[0]);
    let mut padded = payload.to_vec();
    padded.resize(payload.len() + 100, 0);
    let mut fields: Map<String, Json> = Map::new();
    for slot in layout_of(command, &padded, firmware) {
        let value = slot.read(&padded).unwrap();
        let value = match slot.form {
            Form::Flag => json!(value != 0.0),
            _ => json!(value),
        };
        match fields.get_mut(slot.field) {
            None => {
                fields.insert(slot.field.to_owned(), value);
            }
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.clone(), value]),
        }
    }
    // Flags have no numbers in the tables.
    if sends(command, payload, "timeout_active", firmware) {
        let byte = padded[73];
        fields.insert("timeout_active".to_owned(), json!(byte & 1 != 0));
    }
    fields
}

/// The layout of a firmware as far as a client can show it.
fn shape(firmware: Firmware, payload: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = shown_by(firmware, payload).keys().cloned().collect();
    names.sort();
    names
}

/// Meets each firmware's reply with a client for each firmware; says how many clients were right, and how many named.
fn each_by_each(reply: impl Fn(&Lengths) -> Option<Vec<u8>>, request: &[u8]) -> (usize, usize) {
    let (mut right, mut named) = (0, 0);
    for lengths in lengths() {
        let Some(payload) = reply(&lengths) else {
            continue;
        };
        let told = lengths.firmware;
        let version = vec![0, told.major as u8, told.minor as u8];
        let mut happened = vec![
            JournalEvent::Request(vec![0]),
            JournalEvent::Reply {
                payload: version,
                truth: None,
            },
            JournalEvent::Request(request.to_vec()),
        ];
        happened.push(JournalEvent::Reply {
            payload: payload.clone(),
            truth: None,
        });
        let journal: Vec<JournalEntry> = (0..)
            .zip(happened)
            .map(|(second, event)| entry(second, event))
            .collect();
        let command = CommandId(payload[0]);
        let own = shape(told, &payload);
        for client in FIRMWARES {
            let fields = shown_by(client, &payload);
            let meant = shape(client, &payload);
            // Firmware that does not know the command has nothing to read it with.
            if meant.is_empty() || meant == ["mask"] {
                continue;
            }
            let understood = understood_of(&journal, command, None, Json::Object(fields));
            let what = format!("{command} of {told}, read as {client}");
            let is_prefix = meant.iter().all(|name| own.contains(name))
                && (told < Firmware::new(3, 7)) == (client < Firmware::new(3, 7));
            if is_prefix {
                assert!(understood.is_right(), "{what}: {understood:#?}");
                right += 1;
                continue;
            }
            named += 1;
            let mut mistakes = understood
                .fields
                .iter()
                .filter_map(|one| match one.judgement {
                    Judgement::Wrong(mistake) | Judgement::Invented(mistake) => Some(mistake),
                    _ => None,
                });
            let Some(Some(Mistake::OtherLayout(firmware))) =
                mistakes.find(|mistake| matches!(mistake, Some(Mistake::OtherLayout(_))))
            else {
                panic!("{what}: {understood:#?}");
            };
            // Firmwares with the same layout share the name of the oldest.
            assert_eq!(shape(firmware, &payload), meant, "{what}");
            assert!(firmware <= client, "{what}: {firmware}");
        }
    }
    (right, named)
}

#[test]
fn a_client_of_each_firmware_is_right_or_is_told_whose_layout_it_has() {
    let values = |one: &Lengths| Some(payload(CommandId::GET_VALUES, &[], one.values));
    // One layout for 2.18, one for 3.40, one for four firmwares up to 5.02, one for the seven newer ones.
    let right = 1 + 1 + 4 * (1 + 4) + 7 * (1 + 4 + 7);
    assert_eq!(each_by_each(values, &[4]), (right, 13 * 13 - right));
}

#[test]
fn totals_of_the_vehicle_are_told_apart_too() {
    let setup = |one: &Lengths| {
        (one.setup > 0).then(|| payload(CommandId::GET_VALUES_SETUP, &[], one.setup))
    };
    let (right, named) = each_by_each(setup, &[47]);
    assert_eq!(right + named, 11 * 11);
    assert_eq!(named, 3 * 8 + 7);
}

#[test]
fn selected_values_are_told_apart_by_the_fields_that_were_asked_and_are_not_there() {
    // The temperatures of the transistors, vd, and the flags.
    let selected = |one: &Lengths| {
        let length = match one.firmware {
            old if old < Firmware::new(3, 48) => return None,
            old if old < Firmware::new(5, 3) => 5 + 6 + 4,
            _ => 5 + 6 + 4 + 1,
        };
        let mask = &[0, 0x2C, 0, 0];
        Some(payload(CommandId::GET_VALUES_SELECTIVE, mask, length))
    };
    let (right, named) = each_by_each(selected, &[50, 0, 0x2C, 0, 0]);
    assert!(right > 0 && named >= 4 * 7, "{right} {named}");
}

#[test]
fn the_can_id_behind_the_attitude_tells_firmwares_apart() {
    let imu = |one: &Lengths| {
        let floats = [1.5_f32, -0.25, 9.75].map(f32::to_be_bytes).concat();
        let head = [&[0, 7][..], &floats].concat();
        (one.imu > 0).then(|| payload(CommandId::GET_IMU_DATA, &head, one.imu))
    };
    let (right, named) = each_by_each(imu, &[65, 0, 7]);
    assert_eq!(named, 7 * 4);
    assert!(right > 60, "{right}");
}

#[test]
fn versions_are_told_apart_by_what_they_end_with() {
    let version = |one: &Lengths| {
        let Firmware { major, minor } = one.firmware;
        let mut payload = vec![0, major as u8, minor as u8, b'H', b'W', 0];
        payload.extend((1..=24).map(|number| number * 3 % 100 + 1));
        // The firmware name is empty.
        payload.insert(4 + 2 + 20, 0);
        payload.truncate(one.version);
        Some(payload)
    };
    let (right, named) = each_by_each(version, &[0]);
    assert!(right > 70 && named > 50, "{right} {named}");
}

#[test]
fn a_client_that_takes_all_fields_for_chosen_is_told_so() {
    // FET temperature, duty and voltage.
    let reply = payload(CommandId::GET_VALUES_SELECTIVE, &[0, 0, 0x01, 0x41], 5 + 6);
    let journal = [
        entry(0, JournalEvent::Request(vec![50, 0, 0, 0x01, 0x41])),
        entry(
            1,
            JournalEvent::Reply {
                payload: reply.clone(),
                truth: None,
            },
        ),
    ];
    let mut padded = reply;
    padded.resize(100, 0);
    let slots = layout_without_mask(CommandId::GET_VALUES_SELECTIVE, &padded);
    let read = |field: &str| {
        let slot = slots.iter().find(|slot| slot.field == field).unwrap();
        slot.read(&padded).unwrap()
    };
    let fields = json!({
        "fet_temperature_c": read("fet_temperature_c"), "motor_temperature_c": read("motor_temperature_c"),
    });
    let understood = understood_of(&journal, CommandId::GET_VALUES_SELECTIVE, None, fields);
    assert_eq!(
        judgement(&understood, "fet_temperature_c"),
        Judgement::Right
    );
    assert_eq!(
        judgement(&understood, "motor_temperature_c"),
        Judgement::Invented(Some(Mistake::IgnoredMask))
    );
    assert_eq!(
        Mistake::IgnoredMask.to_string(),
        "read as if the mask chose all fields"
    );
}

#[test]
fn a_right_client_of_old_firmware_is_right_and_one_of_newer_firmware_is_named() {
    let read = |firmware| {
        let length = lengths()[0].values;
        let fields = shown_by(firmware, &payload(CommandId::GET_VALUES, &[], length));
        fields.get("motor_current_a").cloned()
    };
    assert_ne!(read(Firmware::new(2, 18)), read(Firmware::new(6, 5)));
    let mistake = Mistake::OtherLayout(Firmware::new(3, 40));
    assert_eq!(mistake.to_string(), "read with the layout of firmware 3.40");
    assert!(mistake.advice().contains("FW_VERSION"));
}

#[test]
fn a_wrong_layout_is_named_although_an_older_reply_fits_by_chance_in_a_field() {
    let newest = payload(CommandId::GET_VALUES, &[], 74);
    let mut fields = shown_by(Firmware::new(2, 18), &newest);
    fields.retain(|name, _| {
        ["motor_current_a", "duty", "erpm", "input_voltage_v"].contains(&&**name)
    });
    // At rest before: the erpm that the client reads at the wrong place happens to be what it was then.
    let mut older = newest.clone();
    let layout = layout_of(CommandId::GET_VALUES, &newest, Firmware::new(6, 5));
    let erpm = layout
        .iter()
        .find(|slot| slot.field == "erpm")
        .unwrap()
        .offset;
    let wrong = fields["erpm"].as_f64().unwrap() as i32;
    older[erpm..erpm + 4].copy_from_slice(&wrong.to_be_bytes());
    let said = [older, newest].map(|payload| JournalEvent::Reply {
        payload,
        truth: None,
    });
    let happened = said
        .into_iter()
        .flat_map(|reply| [JournalEvent::Request(vec![4]), reply]);
    let journal: Vec<JournalEntry> = (0..)
        .zip(happened)
        .map(|(second, event)| entry(second, event))
        .collect();
    let understood = understood_of(&journal, CommandId::GET_VALUES, None, Json::Object(fields));
    assert!(
        understood.reply.is_some_and(|reply| !reply.stale),
        "{understood:#?}"
    );
    let mistake = Some(Mistake::OtherLayout(Firmware::new(2, 18)));
    for field in ["motor_current_a", "erpm", "input_voltage_v"] {
        assert_eq!(
            judgement(&understood, field),
            Judgement::Wrong(mistake),
            "{field}"
        );
    }
}
