//! The tables beside the decoder of the wire crate, and the firmwares beside each other.

use std::{fs, path::Path};

use veschub_wire::{
    Reply,
    view::{Value, View as _},
};

use super::*;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
        Value::Int(number) => vec![*number as f64],
        Value::Number(number) => vec![*number],
        Value::List(values) => values.iter().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_layout_finds_what_the_decoder_finds_in_every_sample() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/testdata");
    let mut compared = 0;
    for command in TABLES.iter().map(|table| table.command) {
        let folder = samples.join(command.name().unwrap().to_lowercase());
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            if !text.contains("# direction: to-tool") {
                continue;
            }
            let words = text.lines().flat_map(|line| {
                line.split('#')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
            });
            let payload: Vec<u8> = words
                .map(|word| u8::from_str_radix(word, 16).unwrap())
                .collect();
            let slots = layout(command, &payload);
            for (name, value) in Reply::decode(&payload).unwrap().fields().iter() {
                // Bits of one byte.
                if ["timeout_active", "kill_switch_active"].contains(&name) {
                    continue;
                }
                let found = slots.iter().filter(|slot| slot.field == name);
                let found: Vec<f64> = found.filter_map(|slot| slot.read(&payload)).collect();
                let truth = numbers(value);
                let same = found.len() == truth.len()
                    && found
                        .iter()
                        .zip(&truth)
                        .all(|(a, b)| (*a as f32).to_bits() == (*b as f32).to_bits());
                assert!(same, "{command} {name}: {found:?} {truth:?}");
                compared += found.len();
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn a_payload_cut_anywhere_has_a_layout() {
    let payload = [96; 300];
    for length in 0..payload.len() {
        for command in TABLES.iter().map(|table| table.command) {
            let slots = layout(command, &payload[..length]);
            assert!(
                slots
                    .iter()
                    .all(|slot| slot.read(&payload[..length]).is_some())
            );
        }
    }
}

#[test]
fn a_code_and_its_name_are_twins_and_two_bits_of_one_byte_are_not() {
    let of = |field| twin(CommandId::GET_VALUES, field);
    assert_eq!(
        (of("fault"), of("fault_name")),
        (Some("fault_name"), Some("fault"))
    );
    assert_eq!((of("timeout_active"), of("erpm")), (None, None));
    assert_eq!(twin(CommandId::GET_CUSTOM_CONFIG, "signature"), None);
}

#[test]
fn each_firmware_lays_out_its_replies_as_long_as_it_sends_them() {
    let end = |command: u8, firmware: Firmware| {
        let mut payload = vec![0xFF; 200];
        payload[0] = command;
        let slots = layout_of(CommandId(command), &payload, firmware);
        slots
            .last()
            .map_or(0, |slot| slot.offset + slot.form.size())
    };
    // GET_VALUES has a byte of flags since 5.03, which are no numbers.
    let lengths = [56, 59, 73, 73, 73, 73, 73, 73, 73, 73, 73, 73, 73];
    for (firmware, length) in FIRMWARES.into_iter().zip(lengths) {
        assert_eq!(end(4, firmware), length, "{firmware}");
        let has_flags = sends(CommandId::GET_VALUES, &[4], "timeout_active", firmware);
        assert_eq!(has_flags, firmware >= Firmware::new(5, 3), "{firmware}");
    }
    let lengths = [0, 0, 62, 62, 62, 66, 70, 70, 70, 70, 70, 70, 70];
    for (firmware, length) in FIRMWARES.into_iter().zip(lengths) {
        assert_eq!(end(47, firmware), length, "{firmware}");
    }
    // All 16 floats, and the CAN id.
    assert_eq!(end(65, Firmware::new(6, 2)), 3 + 64);
    assert_eq!(end(65, Firmware::new(6, 5)), 3 + 64 + 1);
}

#[test]
fn the_firmware_decides_which_layout_a_reply_has_and_else_its_length() {
    let of = |length: usize, firmware: Option<Firmware>| {
        let slots = layout_by(CommandId::GET_VALUES, &vec![4; length], firmware);
        slots.first().map(|slot| slot.field)
    };
    let (old, new) = (Some(Firmware::new(2, 18)), Some(Firmware::new(3, 40)));
    assert_eq!(of(56, None), Some("board_temperatures_c"));
    assert_eq!(of(54, None), Some("fet_temperature_c"));
    assert_eq!(of(54, old), Some("board_temperatures_c"));
    assert_eq!(of(54, new), Some("fet_temperature_c"));
    assert_eq!(of(56, new), None);
}
