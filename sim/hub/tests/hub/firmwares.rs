//! What each firmware answers to the same requests: how long its replies are, and what it is silent about.

use veschub_hub::{
    device::{
        Device, DeviceEvent, Out,
        profile::{BmsFirmware, ExpressFirmware, MotorFirmware},
    },
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_wire::{Firmware, Reply};

/// What a device of this scenario says to a request, within a minute.
fn reply(device: &str, request: &[u8]) -> Option<Vec<u8>> {
    let text = format!("version: 1\ndevices: [{device}]\n");
    let loaded = Loaded::parse("demo.yaml", &text).unwrap();
    let mut world = loaded.build(Seed(0)).unwrap();
    let device: &mut dyn Device = &mut *world.residents[0].device;
    let mut out = Out::default();
    device.handle(Time::ZERO, request, &mut out);
    device.handle_timeout(Time::from_nanos(60_000_000_000), &mut out);
    std::iter::from_fn(|| out.pop()).find_map(|(_, event)| match event {
        DeviceEvent::Reply { payload, .. } => Some(payload),
        _ => None,
    })
}

fn express(keys: &str) -> String {
    format!("express: {{ id: demo-0001, password: not-a-secret, {keys} }}")
}

/// What a node on the bus says; it is asked through FORWARD_CAN.
fn node(kind: &str, firmware: &str, request: &[u8]) -> Option<Vec<u8>> {
    let keys = format!("can: [{kind}: {{ can_id: 84, firmware: \"{firmware}\", hardware: HW }}]");
    reply(&express(&keys), &[&[34, 84], request].concat())
}

const FW_VERSION: &[u8] = &[0];
const VALUES: &[u8] = &[4];
const SETUP: &[u8] = &[47];
const ALL_VALUES: &[u8] = &[50, 0xFF, 0xFF, 0xFF, 0xFF];
const ALL_SETUP: &[u8] = &[51, 0xFF, 0xFF, 0xFF, 0xFF];
const ROLL: &[u8] = &[65, 0, 1];
const BMS: &[u8] = &[96];
const QML_APP: &[u8] = &[118, 0, 0, 1, 0x90, 0, 0, 0, 0];
const STATS: &[u8] = &[128, 0x07, 0xFF];
const FW_INFO: &[u8] = &[157];
const NEW_BAUD: &[u8] = &[158, 1, 0xF4, 0, 100];

#[test]
fn each_firmware_of_a_motor_controller_has_replies_of_its_own_length() {
    // FW_VERSION, GET_VALUES, _SETUP, both selective, GET_IMU_DATA, BMS_GET_VALUES, GET_QML_UI_APP, GET_STATS, FW_INFO; 0
    // is silence. The BMS was not heard.
    #[rustfmt::skip]
    let lengths: [(&str, [usize; 10]); 13] = [
        ("2.18", [ 3, 56,  0,  0,  0, 0,  0, 0,  0,  0]),
        ("3.40", [18, 59,  0,  0,  0, 0,  0, 0,  0,  0]),
        ("3.66", [19, 73, 62, 77, 66, 7,  0, 0,  0,  0]),
        ("4.02", [19, 73, 62, 77, 66, 7,  0, 0,  0,  0]),
        ("5.01", [20, 73, 62, 77, 66, 7,  0, 0,  0,  0]),
        ("5.02", [22, 73, 66, 77, 70, 7, 39, 0,  0,  0]),
        ("5.03", [25, 74, 70, 78, 74, 7, 56, 0, 49,  0]),
        ("6.00", [27, 74, 70, 78, 74, 7, 56, 9, 49,  0]),
        ("6.02", [27, 74, 70, 78, 74, 7, 56, 9, 49,  0]),
        ("6.05", [31, 74, 70, 78, 74, 8, 58, 9, 49,  0]),
        ("6.06", [31, 74, 70, 78, 74, 8, 60, 9, 49, 15]),
        ("7.00", [31, 74, 70, 78, 74, 8, 60, 9, 49, 15]),
        ("7.01", [31, 74, 70, 78, 74, 8, 60, 9, 49, 15]),
    ];
    let names: Vec<&str> = MotorFirmware::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(lengths.map(|(name, _)| name), names[..]);
    let requests = [
        FW_VERSION, VALUES, SETUP, ALL_VALUES, ALL_SETUP, ROLL, BMS, QML_APP, STATS, FW_INFO,
    ];
    for (name, lengths) in lengths {
        for (request, length) in requests.into_iter().zip(lengths) {
            let said = node("motor", name, request).unwrap_or_default();
            assert_eq!(said.len(), length, "{name}: {request:?}");
            let (major, minor) = name.split_once('.').unwrap();
            let firmware = Firmware::new(major.parse().unwrap(), minor.parse().unwrap());
            if length > 0 {
                let told = Reply::decode_from(&said, Some(firmware)).unwrap();
                assert!(told.trailing.is_empty(), "{name}: {request:?}");
            }
        }
    }
}

#[test]
fn a_selective_reply_echoes_the_whole_mask_and_has_the_fields_that_the_firmware_knows() {
    // vd, vq and the flags.
    let request = &[50, 0x00, 0x38, 0x00, 0x00];
    for (firmware, length) in [("3.66", 5 + 8), ("5.02", 5 + 8), ("5.03", 5 + 9)] {
        let said = node("motor", firmware, request).unwrap();
        assert_eq!((&said[..5], said.len()), (&request[..], length));
    }
}

#[test]
fn what_is_not_stored_is_told_by_zeros_since_6_00() {
    let zeros = [&[118][..], &[0; 8]].concat();
    assert_eq!(node("motor", "6.00", QML_APP), Some(zeros.clone()));
    assert_eq!(reply(&express(""), QML_APP), Some(zeros));
    assert_eq!(node("motor", "5.03", QML_APP), None);
}

#[test]
fn the_release_6_05_is_silent_about_what_came_after_it() {
    for request in [FW_INFO, NEW_BAUD] {
        assert_eq!(node("motor", "6.05", request), None);
        assert!(node("motor", "6.06", request).is_some());
    }
    // FW_VERSION, GET_IMU_DATA, BMS_GET_VALUES, FW_INFO, CAN_UPDATE_BAUD_ALL.
    #[rustfmt::skip]
    let lengths: [(&str, [usize; 5]); 6] = [
        ("6.05-2023-03", [25, 0, 58,  0, 0]),
        ("6.05-2024-01", [25, 8, 58,  0, 0]),
        ("6.05",         [31, 8, 58,  0, 0]),
        ("6.06-2024-08", [31, 8, 58,  0, 0]),
        ("6.06",         [31, 8, 60, 15, 2]),
        ("7.00",         [31, 8, 60, 15, 2]),
    ];
    let names: Vec<&str> = ExpressFirmware::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(lengths.map(|(name, _)| name), names[..]);
    for (firmware, lengths) in lengths {
        let device = express(&format!("firmware: \"{firmware}\", hardware: HW"));
        let requests = [FW_VERSION, ROLL, BMS, FW_INFO, NEW_BAUD];
        for (request, length) in requests.into_iter().zip(lengths) {
            let said = reply(&device, request).unwrap_or_default();
            assert_eq!(said.len(), length, "{firmware}: {request:?}");
        }
    }
}

#[test]
fn a_bms_tells_the_totals_since_5_03_and_the_pressure_since_6_00() {
    let lengths = [
        ("5.03", [22, 56, 0]),
        ("6.00", [22, 58, 0]),
        ("6.00-main", [22, 58, 15]),
    ];
    let names: Vec<&str> = BmsFirmware::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(lengths.map(|(name, _)| name), names[..]);
    for (firmware, lengths) in lengths {
        for (request, length) in [FW_VERSION, BMS, FW_INFO].into_iter().zip(lengths) {
            let keys = format!(
                "can: [bms: {{ can_id: 84, firmware: \"{firmware}\", hardware: HW, \
                 pack: {{ cells: 0, temperatures_c: [] }} }}]"
            );
            let said = reply(&express(&keys), &[&[34, 84], request].concat());
            assert_eq!(
                said.unwrap_or_default().len(),
                length,
                "{firmware}: {request:?}"
            );
        }
    }
}
