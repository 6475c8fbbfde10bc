//! Each mistake is found in what a client that has it says of real bytes.

mod configs;
mod firmwares;
mod lists;
mod motor;
mod names;

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use veschub_hub::{
    journal::{JournalEntry, JournalEvent},
    time::Time,
};
use veschub_wire::{
    Reply, Request,
    command::{BmsTotals, BmsValues, FwVersion},
    number::{F16, F32, Float, Scaled},
};

use super::{
    super::{Tolerance, Understood, compare, delivered},
    *,
};
use crate::judge::{layout::layout, reading::Reading};

fn pack(volts: i32) -> BmsValues {
    let cell = |index: i16| F16::from_raw(4100 + 7 * index);
    BmsValues {
        total_voltage_v: F32::from_raw(volts),
        charge_voltage_v: F32::from_raw(1_234_567),
        current_a: F32::from_raw(-2_500_000),
        chip_current_a: F32::from_raw(-2_400_000),
        counter_ah: F32::from_raw(12_345),
        cell_voltages_v: (0..40).map(cell).collect(),
        balancing: (0..40).map(|index| u8::from(index % 3 == 0)).collect(),
        temperatures_c: vec![F16::from_raw(-512), F16::from_raw(2345)],
        chip_temperature_c: F16::from_raw(-1000),
        humidity_percent: F16::from_raw(4321),
        state_of_charge: Some(F16::from_raw(871)),
        state_of_health: Some(F16::from_raw(990)),
        can_id: Some(255),
        totals: Some(BmsTotals {
            charged_ah: Float::packed(123.5),
            ..BmsTotals::default()
        }),
        pressure_pa: Some(Scaled::from_raw(10_132)),
        ..BmsValues::default()
    }
}

/// FW_VERSION, then two polls, the second one at a higher voltage.
fn journal() -> Vec<JournalEntry> {
    let firmware = FwVersion {
        major: 6,
        minor: 5,
        hardware: Some("VESC Express T with a long name, so that there are bytes".into()),
        ..FwVersion::default()
    };
    let said = [
        (Request::FwVersion, Reply::FwVersion(firmware)),
        (Request::BmsGetValues, Reply::BmsValues(pack(83_123_456))),
        (Request::BmsGetValues, Reply::BmsValues(pack(83_774_000))),
    ];
    journal_of(&said)
}

fn entry(second: u64, event: JournalEvent) -> JournalEntry {
    JournalEntry {
        at: Time::from(Duration::from_secs(second)),
        conn: None,
        device: None,
        event,
    }
}

/// A journal of requests, each with its reply, one thing a second.
fn journal_of(said: &[(Request, Reply)]) -> Vec<JournalEntry> {
    let happened = said.iter().flat_map(|(request, reply)| {
        let payload = reply.encode();
        [
            JournalEvent::Request(request.encode()),
            JournalEvent::Reply {
                payload,
                truth: None,
            },
        ]
    });
    (0..)
        .zip(happened)
        .map(|(second, event)| entry(second, event))
        .collect()
}

/// What a reading is worth that comes at the end of this journal.
fn understood_of(
    journal: &[JournalEntry],
    command: CommandId,
    can_id: Option<u8>,
    fields: Json,
) -> Understood {
    let Json::Object(fields) = fields else {
        unreachable!("{fields}");
    };
    let reading = Reading {
        line: 1,
        at: Duration::from_secs(9),
        after: usize::MAX,
        command: Some(command),
        can_id,
        fields,
    };
    compare(&reading, &delivered(journal), false, &Tolerance::default())
}

fn understood_at(after: usize, command: Option<CommandId>, fields: Json) -> Understood {
    let fields = match fields {
        Json::Object(fields) => fields,
        _ => Map::new(),
    };
    let reading = Reading {
        line: 1,
        at: Duration::from_secs(9),
        after,
        command,
        can_id: None,
        fields,
    };
    let journal = journal();
    compare(&reading, &delivered(&journal), false, &Tolerance::default())
}

fn understood(fields: Json) -> Understood {
    understood_at(usize::MAX, Some(CommandId::BMS_GET_VALUES), fields)
}

fn judgement(understood: &Understood, field: &str) -> Judgement {
    let mut fields = understood.fields.iter();
    fields
        .find(|one| one.field == field)
        .unwrap()
        .judgement
        .clone()
}

#[track_caller]
fn is_told(field: &str, given: Json, mistake: Mistake) {
    let understood = understood(json!({ field: given }));
    assert_eq!(
        judgement(&understood, field),
        Judgement::Wrong(Some(mistake))
    );
    assert!(!understood.is_right());
}

#[test]
fn a_value_within_one_count_is_right_and_so_is_single_precision() {
    for value in [83.774, 83.774_001, f64::from(83.774_f32)] {
        assert!(
            understood(json!({ "total_voltage_v": value })).is_right(),
            "{value}"
        );
    }
    assert!(!understood(json!({ "total_voltage_v": 83.774_01 })).is_right());
}

#[test]
fn signs_are_told() {
    is_told("chip_temperature_c", json!(645.36), Mistake::Unsigned);
    is_told("temperatures_c", json!([650.24, 23.45]), Mistake::Unsigned);
    is_told("current_a", json!(4_292.467_296), Mistake::Unsigned);
    is_told("can_id", json!(-1), Mistake::Signed);
}

#[test]
fn scales_are_told_with_their_factor() {
    let divisor = |used, right| Mistake::Divisor { used, right };
    is_told("humidity_percent", json!(432.1), divisor(10, 100));
    is_told("total_voltage_v", json!(83_774_000), divisor(1, 1_000_000));
    is_told(
        "total_voltage_v",
        json!(8.3774),
        divisor(10_000_000, 1_000_000),
    );
    is_told("pressure_pa", json!(10_132), Mistake::Scale(-1));
    assert_eq!(
        divisor(10, 100).to_string(),
        "10 times too large: divide the raw number by 100, not by 10"
    );
    assert_eq!(
        Mistake::Scale(-1).to_string(),
        "10 times too small: multiply it by 10"
    );
}

#[test]
fn floats_and_integers_that_are_mixed_up_are_told() {
    let raw = 83_774_000_u32;
    is_told(
        "total_voltage_v",
        json!(f64::from(f32::from_bits(raw))),
        Mistake::FloatForInteger,
    );
    let bits = 123.5_f32.to_bits();
    is_told(
        "total_charged_ah",
        json!(f64::from(bits) / 1e3),
        Mistake::IntegerForFloat,
    );
}

#[test]
fn bytes_in_the_wrong_order_are_told() {
    is_told(
        "humidity_percent",
        json!(f64::from(4321_i16.swap_bytes()) / 100.0),
        Mistake::LittleEndian,
    );
    is_told(
        "counter_ah",
        json!(f64::from(12_345_i32.swap_bytes()) / 1e3),
        Mistake::LittleEndian,
    );
}

#[test]
fn lists_of_the_wrong_length_are_told() {
    let cells: Vec<f64> = (0..40)
        .map(|index| f64::from(4100 + 7 * index) / 1e3)
        .collect();
    assert!(understood(json!({ "cell_voltages_v": cells })).is_right());
    is_told("cell_voltages_v", json!(cells[..32]), Mistake::Capped(32));
    let padded: Vec<f64> = cells.iter().copied().chain([0.0; 10]).collect();
    is_told("cell_voltages_v", json!(padded), Mistake::Padded(50));
}

#[test]
fn a_mask_of_32_bits_is_told() {
    let lost: Vec<bool> = (0..40).map(|index| index % 3 == 0 && index < 32).collect();
    is_told("balancing", json!(lost), Mistake::MaskOf32);
    let wrapped: Vec<bool> = (0..40).map(|index| (index % 32) % 3 == 0).collect();
    is_told("balancing", json!(wrapped), Mistake::MaskOf32);
}

#[test]
fn an_offset_is_told_in_bytes() {
    let payload = Reply::BmsValues(pack(83_774_000)).encode();
    let at = |offset: usize| {
        let bytes = payload[offset..offset + 4].try_into().unwrap();
        f64::from(i32::from_be_bytes(bytes)) / 1e6
    };
    let fields =
        json!({ "total_voltage_v": at(3), "charge_voltage_v": at(7), "current_a": at(11) });
    let understood = understood(fields);
    for field in ["total_voltage_v", "charge_voltage_v", "current_a"] {
        assert_eq!(
            judgement(&understood, field),
            Judgement::Wrong(Some(Mistake::Shifted(2)))
        );
    }
}

#[test]
fn a_field_of_the_reply_before_is_told() {
    let fields = json!({ "total_voltage_v": 83.123_456, "humidity_percent": 43.21, "can_id": 255 });
    let reading = understood(fields);
    // All of it fits the first reply: the whole reading is stale.
    let reply = reading.reply.unwrap();
    assert_eq!((reply.number, reply.latest, reply.stale), (1, 2, true));
    assert!(!reading.is_right());
}

#[test]
fn a_reading_counts_from_when_its_line_came() {
    let first = json!({ "total_voltage_v": 83.123_456 });
    let command = Some(CommandId::BMS_GET_VALUES);
    // Before the second reply.
    assert!(understood_at(5, command, first.clone()).is_right());
    assert!(!understood_at(6, command, first.clone()).is_right());
    // Before any.
    let early = understood_at(3, command, first);
    assert_eq!(early.reply, None);
    assert_eq!(early.fields[0].judgement, Judgement::Invented(None));
}

#[test]
fn another_commands_reply_is_told() {
    let journal = journal();
    let replies = delivered(&journal);
    let firmware = replies[0].payload;
    let misread = layout(CommandId::BMS_GET_VALUES, firmware);
    let mut fields = Map::new();
    for slot in misread.iter().take(3) {
        fields.insert(slot.field.to_owned(), json!(slot.read(firmware).unwrap()));
    }
    let understood = understood(Json::Object(fields));
    let mistake = Mistake::AnotherReply(CommandId::FW_VERSION);
    assert_eq!(
        judgement(&understood, "total_voltage_v"),
        Judgement::Wrong(Some(mistake))
    );
    assert_eq!(
        judgement(&understood, "current_a"),
        Judgement::Wrong(Some(mistake))
    );
}

#[test]
fn rounding_and_types_are_told() {
    is_told("state_of_charge", json!(0.9), Mistake::Rounded(1));
    is_told("state_of_charge", json!(0.8), Mistake::Rounded(1));
    is_told("charge_voltage_v", json!(1.23), Mistake::Rounded(2));
    is_told("current_a", json!("-2.5"), Mistake::Type("a number"));
    is_told("temperatures_c", json!(-5.12), Mistake::Type("a list"));
    is_told(
        "balancing",
        json!(vec![0; 40]),
        Mistake::Type("true or false"),
    );
}

#[test]
fn a_version_without_its_zero_is_told() {
    let reading = understood_at(usize::MAX, None, json!({ "firmware": "6.5" }));
    // Nothing fits, so the latest reply is taken; with the command named, it is compared with the right one.
    assert_eq!(reading.command, Some(CommandId::BMS_GET_VALUES));
    let reading = understood_at(
        usize::MAX,
        Some(CommandId::FW_VERSION),
        json!({ "firmware": "6.5" }),
    );
    assert_eq!(
        judgement(&reading, "firmware"),
        Judgement::Wrong(Some(Mistake::MinorVersion))
    );
}

#[test]
fn a_zero_is_blamed_on_nothing_that_happens_to_be_zero() {
    // Zeros stand behind the chip's temperature; nothing else says that this was read there.
    let understood = understood(json!({ "chip_temperature_c": 0.0 }));
    assert_eq!(
        judgement(&understood, "chip_temperature_c"),
        Judgement::Wrong(None)
    );
}

#[test]
fn what_is_left_out_is_missing_and_what_was_not_sent_is_invented() {
    let understood = understood(json!({ "current_a": -2.5, "status": "" }));
    assert_eq!(judgement(&understood, "current_a"), Judgement::Right);
    assert_eq!(
        judgement(&understood, "total_voltage_v"),
        Judgement::Missing
    );
    let newer = Mistake::OtherLayout(Firmware::new(6, 6));
    assert_eq!(
        judgement(&understood, "status"),
        Judgement::Invented(Some(newer))
    );
}

#[test]
fn without_a_command_the_reply_is_found_by_its_fields() {
    let reading = understood_at(
        usize::MAX,
        None,
        json!({ "hardware": "VESC Express T with a long name, so that there are bytes" }),
    );
    assert_eq!(reading.command, Some(CommandId::FW_VERSION));
    assert!(reading.is_right());
}
