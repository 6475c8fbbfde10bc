//! What a motor controller does with its configurations.

use veschub_wire::command::MotorConfig;

use super::*;

const MOTOR: &str = include_str!("../../../../../../scenarios/parameters/own-mcconf.xml");
const APPLICATION: &str = include_str!("../../../../../../scenarios/parameters/own-appconf.xml");

fn at() -> Time {
    Time::ZERO
}

fn ask(configs: &mut Configs, request: Request) -> Result<Vec<(u128, Reply)>, String> {
    let answers = configs
        .request(at(), &request, &MotorState::default())
        .unwrap()
        .map_err(|why| why.to_string())?;
    let told = answers.into_iter();
    Ok(told
        .map(|(after, answer)| {
            (
                after.as_millis(),
                Reply::decode(&answer.payload).unwrap().body,
            )
        })
        .collect())
}

fn motor_config(configs: &mut Configs) -> MotorConfig {
    match ask(configs, Request::GetMcconf).unwrap().remove(0) {
        (0, Reply::Mcconf(config)) => config,
        other => unreachable!("{other:?}"),
    }
}

/// A motor with values by name.
fn described() -> Configs {
    let most = Limits {
        least: None,
        most: Some(100.0),
    };
    let motor = ConfigSettings {
        values: BTreeMap::from([("l_current_max".to_owned(), GivenValue::Whole(80))]),
        limits: BTreeMap::from([("l_current_max".to_owned(), most)]),
        ..ConfigSettings::default()
    };
    motor
        .load(ConfigKind::Motor, Some(MOTOR), None, &[])
        .unwrap();
    let application = ConfigSettings {
        values: BTreeMap::from([("timeout_msec".to_owned(), GivenValue::Whole(500))]),
        ..ConfigSettings::default()
    };
    let kind = ConfigKind::Application;
    application
        .load(kind, Some(APPLICATION), None, &[])
        .unwrap();
    Configs::new(Some(&motor), Some(&application), 42, &Profile::MOTOR_6_05)
}

#[test]
fn without_a_description_it_has_the_signature_and_the_length_of_its_firmware() {
    let mut configs = Configs::new(None, None, 84, &Profile::MOTOR_6_05);
    let config = motor_config(&mut configs);
    assert_eq!((config.signature, config.data.len()), (1_065_524_471, 473));
    let application = ask(&mut configs, Request::GetAppconfDefault).unwrap();
    let (_, Reply::AppconfDefault(config)) = &application[0] else {
        unreachable!("{application:?}");
    };
    assert_eq!((config.signature, config.data.len()), (2_099_347_128, 274));
    assert!(
        configs
            .request(at(), &Request::GetValues, &MotorState::default())
            .is_none()
    );
    // A firmware whose signature is not known has nothing to show.
    let old = Profile {
        major: 3,
        minor: 40,
        ..Profile::MOTOR_6_05
    };
    let mut configs = Configs::new(None, None, 84, &old);
    assert!(ask(&mut configs, Request::GetMcconf).is_err());
}

#[test]
fn values_by_name_are_sent_and_are_there_for_the_motor() {
    let mut configs = described();
    let number = |configs: &Configs, kind, name: &str| configs.number(kind, name).unwrap();
    assert_eq!(number(&configs, ConfigKind::Motor, "l_current_max"), 80.0);
    assert_eq!(
        number(&configs, ConfigKind::Application, "timeout_msec"),
        500.0
    );
    assert_eq!(
        number(&configs, ConfigKind::Application, "controller_id"),
        42.0
    );
    assert_eq!(configs.number(ConfigKind::Motor, "no_such"), None);
    let description = ConfigDescription::from_xml(MOTOR).unwrap();
    let config = motor_config(&mut configs);
    assert_eq!(config.signature, description.signature());
    let values = description.read(&config.data).unwrap();
    assert_eq!(values.number("l_current_max"), Some(80.0));
    // The defaults are the description's.
    let default = ask(&mut configs, Request::GetMcconfDefault).unwrap();
    let (_, Reply::McconfDefault(default)) = &default[0] else {
        unreachable!("{default:?}");
    };
    let default = description.read(&default.data).unwrap();
    assert_eq!(default.number("l_current_max"), Some(60.0));
}

#[test]
fn a_new_configuration_is_acknowledged_after_it_is_stored_and_limits_hold_it_back() {
    let mut configs = described();
    let description = ConfigDescription::from_xml(MOTOR).unwrap();
    let mut values = description.defaults();
    for (name, number) in [("l_current_max", 250.0), ("l_max_duty", 0.3001)] {
        let value = Value::Number(number);
        values.set(name, &value, Rounding::Nearest).unwrap();
    }
    let new = MotorConfig {
        signature: description.signature(),
        data: values.to_bytes(),
    };
    let request = Request::SetMcconf(new.clone());
    let answers = configs
        .request(at(), &request, &MotorState::default())
        .unwrap()
        .unwrap();
    assert!(answers.releases());
    assert_eq!(
        ask(&mut configs, request).unwrap(),
        [(200, Reply::McconfSet)]
    );
    let now = motor_config(&mut configs);
    let now = description.read(&now.data).unwrap();
    assert_eq!(now.number("l_current_max"), Some(100.0));
    // Firmware cuts off what it kept as a single: 3001 counts come back as they were, or as 3000.
    let duty = now.number("l_max_duty").unwrap();
    assert!(duty == 0.3001 || duty == 0.3, "{duty}");
    // A payload that is too short changes only what is in it.
    let short = MotorConfig {
        data: vec![2],
        ..new.clone()
    };
    ask(&mut configs, Request::SetMcconf(short)).unwrap();
    let now = motor_config(&mut configs);
    assert_eq!((now.data[0], now.data.len()), (2, new.data.len()));
    configs.restart(at());
    assert_eq!(motor_config(&mut configs), now, "it was stored");
}

#[test]
fn another_signature_is_not_taken_and_only_a_print_says_so() {
    let mut configs = described();
    let before = motor_config(&mut configs);
    let new = MotorConfig {
        signature: 1,
        data: vec![9; before.data.len()],
    };
    let told = ask(&mut configs, Request::SetMcconf(new)).unwrap();
    let [(0, Reply::Print(text))] = &told[..] else {
        unreachable!("{told:?}");
    };
    let text = String::from_utf8_lossy(text);
    assert_eq!(
        text,
        "the new MCCONF is not taken: its signature is 1, wanted 4076786715"
    );
    assert_eq!(motor_config(&mut configs), before);
}

#[test]
fn what_is_not_stored_is_gone_after_a_restart() {
    let mut configs = described();
    let description = ConfigDescription::from_xml(APPLICATION).unwrap();
    let mut values = description.defaults();
    let value = Value::Int(2000);
    values
        .set("timeout_msec", &value, Rounding::Nearest)
        .unwrap();
    let new = MotorConfig {
        signature: description.signature(),
        data: values.to_bytes(),
    };
    let timeout = |configs: &Configs| configs.number(ConfigKind::Application, "timeout_msec");
    let told = ask(&mut configs, Request::SetAppconfNoStore(new.clone())).unwrap();
    assert_eq!(told, [(0, Reply::AppconfSetNoStore)]);
    assert_eq!(timeout(&configs), Some(2000.0));
    configs.restart(at());
    assert_eq!(timeout(&configs), Some(500.0));
    let told = ask(&mut configs, Request::SetAppconf(new)).unwrap();
    assert_eq!(told, [(200, Reply::AppconfSet)]);
    configs.restart(at());
    assert_eq!(timeout(&configs), Some(2000.0));
}

#[test]
fn a_recorded_reply_is_played_as_it_was_and_may_have_no_signature() {
    let recorded = |kind, bytes: &str, description: Option<&str>| {
        let settings = ConfigSettings {
            bytes: Some(bytes.to_owned()),
            ..ConfigSettings::default()
        };
        settings
            .load(kind, description, None, &[])
            .map(|()| settings)
            .map_err(|error| error.to_string())
    };
    let settings = recorded(ConfigKind::Motor, "0e 00 01 02 03 04 05", None).unwrap();
    let old = Profile {
        major: 2,
        minor: 18,
        ..Profile::MOTOR_6_05
    };
    let mut configs = Configs::new(Some(&settings), None, 84, &old);
    let config = motor_config(&mut configs);
    assert_eq!(config.to_bytes(), [0, 1, 2, 3, 4, 5]);

    for (kind, bytes, description, why) in [
        (
            ConfigKind::Motor,
            "11 00 01 02 03 04",
            None,
            "the bytes start with 11 (GET_APPCONF), wanted 0e or 0f, a reply to GET_MCCONF",
        ),
        (
            ConfigKind::Application,
            "0e 00 01 02 03 04",
            None,
            "the bytes start with 0e (GET_MCCONF), wanted 11 or 12, a reply to GET_APPCONF",
        ),
        (
            ConfigKind::Motor,
            "0e 00 01",
            None,
            "GET_MCCONF: `signature` at offset 1 needs 4 bytes, 2 are there",
        ),
        (
            ConfigKind::Application,
            "11 00 00 00 01 04",
            Some(APPLICATION),
            "the signature of the bytes is 1, and that of the description is 1580085314",
        ),
    ] {
        let told = recorded(kind, bytes, description).unwrap_err();
        assert_eq!(told, why);
    }
    assert!(recorded(ConfigKind::Motor, "xyz", None).is_err());
    let nameless = ConfigSettings {
        values: BTreeMap::from([("l_current_max".to_owned(), GivenValue::Whole(1))]),
        ..ConfigSettings::default()
    };
    let error = nameless
        .load(ConfigKind::Motor, None, None, &[])
        .unwrap_err();
    assert_eq!(error.place(false), ["values"]);
}

#[test]
fn the_second_motor_of_a_controller_shows_its_own_id_and_keeps_it() {
    let application = ConfigSettings {
        values: BTreeMap::from([("controller_id".to_owned(), GivenValue::Whole(7))]),
        ..ConfigSettings::default()
    };
    let kind = ConfigKind::Application;
    application
        .load(kind, Some(APPLICATION), None, &[])
        .unwrap();
    let profile = Profile::MOTOR_6_05;
    let second = application.clone().of_second_motor(85);
    let mut first = Configs::new(None, Some(&application), 84, &profile);
    let mut second = Configs::new(None, Some(&second), 85, &profile);
    let description = ConfigDescription::from_xml(APPLICATION).unwrap();
    let mut values = description.defaults();
    let value = Value::Int(20);
    values
        .set("controller_id", &value, Rounding::Nearest)
        .unwrap();
    let new = MotorConfig {
        signature: description.signature(),
        data: values.to_bytes(),
    };
    for (configs, before, after) in [(&mut first, 7.0, 20.0), (&mut second, 85.0, 85.0)] {
        assert_eq!(configs.number(kind, "controller_id"), Some(before));
        ask(configs, Request::SetAppconf(new.clone())).unwrap();
        assert_eq!(configs.number(kind, "controller_id"), Some(after));
    }
}

#[test]
fn the_defaults_keep_what_was_measured_at_the_start() {
    let field = |name: &str, value: u8| {
        format!("<{name}><type>1</type><vTx>9</vTx><valDouble>{value}</valDouble></{name}>")
    };
    let names = ["foc_offsets_current__0", "l_current_max"];
    let order: String = names
        .iter()
        .map(|name| format!("<ser>{name}</ser>"))
        .collect();
    let xml = format!(
        "<ConfigParams><Params>{}{}</Params><SerOrder>{order}</SerOrder></ConfigParams>",
        field(names[0], 1),
        field(names[1], 60)
    );
    let values = names.map(|name| (name.to_owned(), GivenValue::Whole(5)));
    let motor = ConfigSettings {
        values: BTreeMap::from(values),
        ..ConfigSettings::default()
    };
    motor
        .load(ConfigKind::Motor, Some(&xml), None, &[])
        .unwrap();
    let mut configs = Configs::new(Some(&motor), None, 84, &Profile::MOTOR_6_05);
    let told = ask(&mut configs, Request::GetMcconfDefault).unwrap();
    let (_, Reply::McconfDefault(config)) = &told[0] else {
        unreachable!("{told:?}");
    };
    let description = ConfigDescription::from_xml(&xml).unwrap();
    let values = description.read(&config.data).unwrap();
    assert_eq!(values.number(names[0]), Some(5.0));
    assert_eq!(values.number(names[1]), Some(60.0));
}
