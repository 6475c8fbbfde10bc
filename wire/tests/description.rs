//! What parameter files say, and configurations by name.

#![cfg(feature = "xml")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::fmt::Write as _;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed},
};
use veschub_wire::{
    description::{
        ConfigDescription, FieldForm, FieldValue, MAX_FIELDS, MAX_XML, Rounding, ValueError,
    },
    view::Value,
};

const MOTOR: &str = include_str!("../../scenarios/parameters/own-mcconf.xml");
const NEWER: &str = include_str!("../../scenarios/parameters/own-mcconf-newer.xml");
const APPLICATION: &str = include_str!("../../scenarios/parameters/own-appconf.xml");

fn motor() -> ConfigDescription {
    ConfigDescription::from_xml(MOTOR).unwrap()
}

/// CRC-32C, bit by bit.
fn crc32c(text: &str) -> u32 {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1 == 1;
            crc = crc >> 1 ^ if carry { 0x82F6_3B78 } else { 0 };
        }
    }
    !crc
}

#[test]
fn the_order_of_the_wire_is_that_of_the_file_and_what_is_not_in_it_is_not_sent() {
    let motor = motor();
    assert_eq!(motor.fields().len(), 29);
    assert_eq!(motor.fields()[0].name, "motor_type");
    assert!(motor.field("config_name").is_none());
    assert_eq!(motor.data_len(), Some(85));
    assert_eq!(motor.defaults().to_bytes().len(), 85);
    let newer = ConfigDescription::from_xml(NEWER).unwrap();
    assert_eq!(newer.data_len(), Some(87));
    assert_ne!(newer.signature(), motor.signature());
    assert_eq!(motor.release(), None);
}

#[test]
fn the_signature_is_a_crc_over_names_types_and_choices() {
    assert_eq!(crc32c("123456789"), 0xE306_9283);
    let mut told = String::new();
    for (name, rest) in [
        ("controller_id", "21"),
        ("timeout_msec", "25"),
        ("timeout_brake_current", "19"),
        ("can_baud_rate", "40125K250K500K1M"),
        ("can_mode", "40VESCUAVCANBridgeUnusedBoth"),
        ("app_to_use", "40NothingPulsesVoltagesUART"),
        ("permanent_uart_enabled", "50"),
        ("shutdown_mode", "21"),
    ] {
        told += name;
        told += rest;
    }
    let signature = |xml: &str| ConfigDescription::from_xml(xml).unwrap().signature();
    assert_eq!(signature(APPLICATION), crc32c(&told));
    // Defaults, limits and scales are no part of it; texts of choices and names are.
    let same = APPLICATION.replace("<valInt>84</valInt>", "<valInt>85</valInt>");
    assert_ne!(same, APPLICATION);
    assert_eq!(signature(&same), crc32c(&told));
    assert_ne!(
        signature(&APPLICATION.replace("125K", "125k")),
        crc32c(&told)
    );
    let scaled = MOTOR.replace(">10000<", ">1000<");
    assert_eq!(signature(&scaled), motor().signature());
    // A name that nothing describes counts, and is not written.
    let more = APPLICATION.replace("<SerOrder>", "<SerOrder><ser>ghost</ser>");
    assert_eq!(signature(&more), crc32c(&format!("ghost{told}")));
    let ghost = ConfigDescription::from_xml(&more).unwrap();
    assert_eq!(ghost.fields()[0].form, FieldForm::Nothing);
    assert_eq!(ghost.defaults().to_bytes().len(), 14);
    assert_eq!(ghost.defaults().named().len(), 8);
}

#[test]
fn every_kind_of_field_is_written_as_firmware_writes_it() {
    let xml = "<ConfigParams><Params>\
        <a><type>1</type><vTx>7</vTx><vTxDoubleScale>100</vTxDoubleScale></a>\
        <b><type>1</type><vTx>8</vTx><vTxDoubleScale>1000</vTxDoubleScale></b>\
        <c><type>1</type><vTx>9</vTx></c>\
        <d><type>2</type><vTx>1</vTx></d><e><type>2</type><vTx>2</vTx></e>\
        <f><type>2</type><vTx>3</vTx></f><g><type>2</type><vTx>4</vTx></g>\
        <h><type>2</type><vTx>5</vTx></h><i><type>2</type><vTx>6</vTx></i>\
        <j><type>3</type></j>\
        <k><type>4</type><vTx>6</vTx><enumNames>No</enumNames><enumNames>Yes</enumNames></k>\
        <l><type>5</type></l><m><type>6</type></m><n><type>1</type><vTx>0</vTx></n>\
        </Params><SerOrder>\
        <ser>a</ser><ser>b</ser><ser>c</ser><ser>d</ser><ser>e</ser><ser>f</ser><ser>g</ser><ser>h</ser><ser>i</ser>\
        <ser>j</ser><ser>k</ser><ser>l</ser><ser>m</ser><ser>n</ser></SerOrder></ConfigParams>";
    let description = ConfigDescription::from_xml(xml).unwrap();
    assert_eq!(description.data_len(), None, "there is text");
    let mut values = description.defaults();
    let number = Value::Number;
    for (name, value) in [
        ("a", number(-2.81)),
        ("b", number(83.774)),
        ("c", number(83.774)),
        ("d", Value::Int(255)),
        ("e", Value::Int(-128)),
        ("f", Value::Int(65535)),
        ("g", Value::Int(-32768)),
        ("h", Value::Int(4_294_967_295)),
        ("i", Value::Int(-2_147_483_648)),
        ("j", Value::Text("hi".into())),
        ("k", Value::Text("Yes".into())),
        ("l", Value::Bool(true)),
        ("m", Value::Int(5)),
    ] {
        values.set(name, &value, Rounding::Nearest).unwrap();
    }
    let bytes = b"\xFE\xE7\x00\x01\x47\x3E\x42\xA7\x8C\x4A\xFF\x80\xFF\xFF\x80\x00\xFF\xFF\xFF\xFF\x80\x00\x00\x00hi\0\x01\x01\x05";
    assert_eq!(values.to_bytes(), bytes);
    let read = description.read(bytes).unwrap();
    assert_eq!(read, values);
    let named = read.named();
    assert_eq!(named.len(), 13, "what is not on the wire has no value");
    assert_eq!(named[0].1, Value::Number(-2.81));
    assert_eq!(named[2].1, Value::Number(83.774));
    assert_eq!(named[10].1, Value::Text("Yes".into()));
    assert_eq!(named[11].1, Value::Bool(true));
    // A number for which there is no text, and a flag that is neither, are numbers.
    let mut odd = bytes.to_vec();
    odd[27] = 9;
    odd[28] = 2;
    let odd = description.read(&odd).unwrap().named();
    assert_eq!((&odd[10].1, &odd[11].1), (&Value::Int(9), &Value::Int(2)));
}

#[test]
fn firmware_cuts_off_and_vesc_tool_rounds() {
    let description = motor();
    let mut values = description.defaults();
    let counts = |values: &veschub_wire::description::ConfigValues<'_>| {
        let found = values.iter().find(|(field, _)| field.name == "l_max_duty");
        found.map(|(_, value)| value.clone()).unwrap()
    };
    for (rounding, raw) in [(Rounding::CutOff, 8765), (Rounding::Nearest, 8766)] {
        let value = Value::Number(0.87656);
        values.set("l_max_duty", &value, rounding).unwrap();
        assert_eq!(counts(&values), FieldValue::Counts(raw));
    }
    // What VESC Tool wrote may come back one count smaller.
    let mut lost = 0;
    for raw in 1000..=9500 {
        let value = Value::Number(f64::from(raw) / 10_000.0);
        values.set("l_max_duty", &value, Rounding::Nearest).unwrap();
        assert_eq!(counts(&values), FieldValue::Counts(raw));
        values.as_firmware_returns();
        match counts(&values) {
            FieldValue::Counts(back) if back == raw - 1 => lost += 1,
            same => assert_eq!(same, FieldValue::Counts(raw)),
        }
    }
    assert!(lost > 0, "none came back smaller");
}

#[test]
fn a_value_that_a_field_cannot_hold_is_refused_and_what_it_can_hold_is_told() {
    let description = motor();
    let mut values = description.defaults();
    let before = values.clone();
    for (name, value, text) in [
        (
            "l_max_duty",
            Value::Number(3.3),
            "`l_max_duty` is 3.3, wanted a number from -3.2768 to 3.2767",
        ),
        (
            "l_current_max",
            Value::Number(f64::NAN),
            "`l_current_max` is NaN, wanted a number that fits a single",
        ),
        (
            "l_current_max",
            Value::Number(1e39),
            "wanted a number that fits a single",
        ),
        (
            "si_motor_poles",
            Value::Int(256),
            "`si_motor_poles` is 256, wanted a whole number from 0 to 255",
        ),
        (
            "si_motor_poles",
            Value::Number(1.5),
            "`si_motor_poles` is 1.5, wanted a whole number from 0 to 255",
        ),
        (
            "m_invert_direction",
            Value::Text("yes".into()),
            "wanted true, false or a number from 0 to 255",
        ),
        (
            "motor_type",
            Value::Text("FOC".into()),
            r#"`motor_type` is "FOC", wanted a number from 0 to 255 or one of ["Blocks", "Field & vectors", "Brushed"]"#,
        ),
        (
            "l_curent_max",
            Value::Int(1),
            "the description has no field `l_curent_max`",
        ),
    ] {
        let error = values
            .set(name, &value, Rounding::CutOff)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(text), "{error}");
        assert_eq!(values, before);
    }
    assert_eq!(values.beyond_limits().count(), 0);
    values
        .set("l_current_max", &Value::Int(501), Rounding::CutOff)
        .unwrap();
    let beyond: Vec<&str> = values
        .beyond_limits()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(beyond, ["l_current_max"]);
}

#[test]
fn bytes_that_end_too_early_name_the_field_and_more_of_them_survive() {
    let description = motor();
    let bytes = description.defaults().to_bytes();
    for len in 0..bytes.len() {
        let error = description.read(&bytes[..len]).unwrap_err();
        let ValueError::Short {
            offset,
            wanted,
            have,
            ..
        } = &error
        else {
            unreachable!("{error}");
        };
        assert!(offset + have == len && wanted > have, "{error}");
    }
    assert_eq!(
        description.read(&bytes[..3]).unwrap_err().to_string(),
        "`l_current_max` (field 2) at offset 1 needs 4 bytes, 2 are there"
    );
    let more = [&bytes[..], b"xyz"].concat();
    let values = description.read(&more).unwrap();
    assert_eq!(
        (&values.trailing[..], values.to_bytes()),
        (&b"xyz"[..], more)
    );
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line_and_what_was_wanted() {
    let swap = |from: &str, to: &str| {
        let xml = APPLICATION.replacen(from, to, 1);
        assert_ne!(xml, APPLICATION, "{from}");
        ConfigDescription::from_xml(&xml).unwrap_err().to_string()
    };
    for (from, to, text) in [
        (
            "<ConfigParams>",
            "<ConfigParameters>",
            "line 74: the file cannot be read as XML: expected 'ConfigParameters' tag, not 'ConfigParams' at 74:1",
        ),
        (
            "<type>2</type>",
            "<type>two</type>",
            "line 7: `type` of `controller_id` is `two`, wanted a number from 0 to 6",
        ),
        (
            "<type>2</type>",
            "<type>9</type>",
            "line 6: `type` of `controller_id` is 9, wanted a number from 0 to 6",
        ),
        (
            "<vTx>1</vTx>",
            "<vTx>9</vTx>",
            "line 6: `vTx` of `controller_id` is 9, wanted 1 to 6 for `type` 2",
        ),
        (
            "<vTx>9</vTx>",
            "<vTx>7</vTx>",
            "`timeout_brake_current` has no `vTxDoubleScale`, wanted one for `vTx` 7",
        ),
        (
            "<vTx>9</vTx>",
            "<vTx>7</vTx><vTxDoubleScale>0</vTxDoubleScale>",
            "`vTxDoubleScale` of `timeout_brake_current` is 0, wanted a number that is not 0",
        ),
        (
            "<vTx>9</vTx>",
            "<vTx>5</vTx>",
            "is 5, wanted 7, 8 or 9 for `type` 1",
        ),
        (
            "<ser>can_mode</ser>",
            "<ser>controller_id</ser>",
            "`controller_id` is in the order twice",
        ),
        (
            "<ser>can_mode</ser>",
            "<ser/>",
            "`ser` is empty, wanted the name of a field",
        ),
    ] {
        let error = swap(from, to);
        assert!(
            error.starts_with("line ") && error.ends_with(text),
            "{error}"
        );
    }
    for (xml, text) in [
        ("", "line 1: the file cannot be read as XML"),
        (
            "<Other/>",
            "line 1: the file starts with `Other`, wanted `ConfigParams`",
        ),
        ("<ConfigParams/>", "line 1: `ConfigParams` has no `Params`"),
        (
            "<ConfigParams><Params/></ConfigParams>",
            "line 1: `ConfigParams` has no `SerOrder`",
        ),
        (
            "<ConfigParams>\n<Params/>\n<SerOrder/></ConfigParams>",
            "line 3: `SerOrder` names no field, wanted `ser` elements",
        ),
        (
            "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>",
            "line 1: the file cannot be read as XML",
        ),
    ] {
        let error = ConfigDescription::from_xml(xml).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[test]
fn a_file_that_is_too_large_or_too_deep_is_refused() {
    let error = ConfigDescription::from_xml(&" ".repeat(MAX_XML + 1)).unwrap_err();
    assert!(
        error.to_string().contains("wanted at most 8388608"),
        "{error}"
    );
    let deep = "<a>".repeat(100_000);
    assert!(ConfigDescription::from_xml(&deep).is_err());
    let closed = deep + &"</a>".repeat(100_000);
    assert!(ConfigDescription::from_xml(&closed).is_err());
    let many = format!("<a>{}</a>", "<b/>".repeat(400_001));
    assert!(ConfigDescription::from_xml(&many).is_err());
    let mut fields = "<ConfigParams><Params/><SerOrder>".to_owned();
    for n in 0..=MAX_FIELDS {
        let _ = write!(fields, "<ser>f{n}</ser>");
    }
    fields += "</SerOrder></ConfigParams>";
    let error = ConfigDescription::from_xml(&fields).unwrap_err();
    assert!(
        error.to_string().ends_with("more than 4096 fields"),
        "{error}"
    );
}

/// A description with a field of each pair of numbers, good or not.
fn described(fields: &[(u8, u8, f64)]) -> String {
    let mut xml = "<ConfigParams><Params>".to_owned();
    for (n, (kind, wire, scale)) in fields.iter().enumerate() {
        let _ = write!(
            xml,
            "<f{n}><type>{kind}</type><vTx>{wire}</vTx><vTxDoubleScale>{scale}</vTxDoubleScale>\
             <enumNames>A</enumNames><enumNames>B</enumNames><valInt>{n}</valInt><valDouble>{n}</valDouble></f{n}>"
        );
    }
    xml += "</Params><SerOrder>";
    for n in 0..fields.len() {
        let _ = write!(xml, "<ser>f{n}</ser>");
    }
    xml + "</SerOrder></ConfigParams>"
}

#[test]
fn a_file_of_more_elements_than_any_has_is_refused() {
    let text = format!("<a>{}</a>", "<b/>".repeat(400_000));
    let error = ConfigDescription::from_xml(&text).unwrap_err().to_string();
    assert!(error.contains("nodes limit"), "{error}");
}

proptest! {
    #![proptest_config(Config {
        cases: 150,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x5645_5343),
        ..Config::default()
    })]

    #[test]
    fn any_bytes_that_are_read_are_written_again_the_same(
        fields in vec((0_u8..8, 0_u8..11, prop_oneof![Just(1.0), Just(0.1), Just(1e6), -1e9..1e9]), 1..40),
        bytes in vec(any::<u8>(), 0..200),
    ) {
        let Ok(description) = ConfigDescription::from_xml(&described(&fields)) else {
            return Ok(());
        };
        if let Ok(values) = description.read(&bytes) {
            prop_assert_eq!(values.to_bytes(), bytes);
            let named = values.named();
            prop_assert!(named.len() <= fields.len());
            let mut again = values.clone();
            for (name, value) in &named {
                // What was read can be given again.
                let is_odd = match value {
                    Value::Number(number) => !number.is_finite(),
                    Value::Text(text) => text.contains(char::REPLACEMENT_CHARACTER),
                    _ => false,
                };
                if !is_odd {
                    let set = again.set(name, value, Rounding::Nearest);
                    prop_assert!(set.is_ok(), "{set:?}");
                }
            }
            again.as_firmware_returns();
            prop_assert_eq!(again.to_bytes().len(), values.to_bytes().len());
            let _ = values.beyond_limits().count();
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_with_a_line_of_it(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = MOTOR.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(MOTOR.len()));
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = ConfigDescription::from_xml(&text) {
            let lines = text.split('\n').count() as u32;
            prop_assert!((1..=lines).contains(&error.line), "{error} of {lines} lines");
        }
    }
}
