//! Small inputs that once got a wrong verdict, with the right one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    time::Duration,
};

use veschub_harness::{
    Hub,
    defective::{Defect, Defects},
    judge::{Outcome, Run},
    report::scenarios,
    run::{Mode, Way, player::Player, run_file_with},
};
use veschub_hub::rng::Seed;
use veschub_transcript::{Direction, Options, Transcript};
use veschub_wire::{CommandId, view::Value};

fn input(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/inputs")
        .join(name)
        .with_extension("yaml")
}

fn run(name: &str, player: Player) -> Run {
    let way = Way {
        player,
        ..Way::reference(Seed(0), Mode::Virtual)
    };
    run_file_with(&input(name), &[], &way).unwrap()
}

/// Logs in to a hub that takes what comes with the login, sends some bytes, and reads until nothing comes.
fn send(hub: &Hub, bytes: &[u8]) {
    let mut client = TcpStream::connect(hub.address()).unwrap();
    client
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    writeln!(client, "VESCTOOL:{}:{}", hub.id(), hub.password()).unwrap();
    client.write_all(bytes).unwrap();
    let mut buffer = [0; 512];
    while let Ok(1..) = client.read(&mut buffer) {}
}

#[test]
fn who_never_reads_an_expected_value_fails() {
    let hub = Hub::builder()
        .scenario(input("expected-value-never-read"))
        .set("hub.profile", "ideal")
        .start()
        .unwrap();
    // PING_CAN, and nothing about the motor.
    send(&hub, &[2, 1, 62, 0xD7, 0x9D, 3]);
    let verdict = hub.finish();
    assert_eq!(verdict.outcome(), Outcome::Failed);
    let [missed] = &verdict.understood[..] else {
        unreachable!("{verdict:?}");
    };
    assert_eq!(missed.field, "GET_VALUES.input_voltage_v");
    assert_eq!(missed.decoded, "never read");
    assert_eq!(missed.why, "your client never asked for GET_VALUES");
}

#[test]
fn each_wrong_motor_client_fails_by_the_name_of_its_mistake() {
    let right = run(
        "motor-values-only-run-judges",
        Player::Defective(Defects::NONE),
    );
    assert!(right.verdict.passed(), "{}", scenarios::story(&right));
    for (defect, field, why) in [
        (Defect::TurnedErpm, "GET_VALUES.erpm", "the sign is turned"),
        (
            Defect::UnsignedMotorValues,
            "GET_VALUES.motor_current_a",
            "read without its sign",
        ),
        (
            Defect::DutyInHundredths,
            "GET_VALUES.duty",
            "divide the raw number by 1000, not by 100",
        ),
        (
            Defect::MotorCurrentInTenths,
            "GET_VALUES.motor_current_a",
            "divide the raw number by 100, not by 10",
        ),
    ] {
        let run = run(
            "motor-values-only-run-judges",
            Player::Defective(defect.into()),
        );
        let told = scenarios::failure(&run);
        assert_eq!(run.outcome(), Outcome::Failed, "{}", defect.name());
        let named =
            |one: &&veschub_harness::judge::Difference| one.field == field && one.why.contains(why);
        assert!(run.verdict.differences().any(|one| named(&one)), "{told}");
    }
}

#[test]
fn a_motor_that_is_alone_on_a_link_is_read_without_a_login() {
    for mode in [Mode::Virtual, Mode::Real] {
        let way = Way::reference(Seed(0), mode);
        let run = run_file_with(&input("motor-attached-directly"), &[], &way).unwrap();
        assert!(run.verdict.passed(), "{}", scenarios::story(&run));
        let saved = Transcript::from_capture(run.capture(), &Options::default()).unwrap();
        let frames = saved.entries.iter().filter_map(|one| one.frame());
        let first = frames.map(|frame| frame.payload[0]).collect::<Vec<_>>();
        assert_eq!(first, [0, 0, 4, 4], "{mode:?}");
        let logins = scenarios::story(&run).matches("VESCTOOL").count();
        assert_eq!(logins, 0, "{mode:?}");
    }
}

#[test]
fn a_request_that_comes_again_gets_the_next_reply_of_the_scenario() {
    let run = run("reply-changes-at-second-request", Player::Reference);
    let saved = Transcript::from_capture(run.capture(), &Options::default()).unwrap();
    let replies = saved
        .entries
        .iter()
        .filter(|one| one.direction == Some(Direction::ToTool))
        .filter_map(|one| one.frame())
        .map(|frame| frame.payload.clone());
    assert_eq!(
        replies.collect::<Vec<_>>(),
        [[4, 0, 0xFD], [4, 1, 0x0A]].map(|bytes| bytes.to_vec())
    );
}

#[test]
fn of_a_poll_with_one_damaged_reply_only_that_one_is_missing() {
    let run = run("bms-damaged-reply-hides-next", Player::Reference);
    let saved = Transcript::from_capture(run.capture(), &Options::default()).unwrap();
    let count = |direction: Direction| {
        let frames = saved
            .entries
            .iter()
            .filter(|one| one.direction == Some(direction));
        let ids = frames.filter_map(|one| one.frame());
        ids.filter(|frame| frame.payload.first() == Some(&CommandId::BMS_GET_VALUES.0))
            .count()
    };
    let (asked, answered) = (count(Direction::ToDevice), count(Direction::ToTool));
    assert_eq!(answered + 1, asked, "{asked} polls");
    assert!(asked >= 7);
}

#[test]
fn who_sends_only_wrong_checksums_is_told_the_right_one() {
    let yaml = "version: 1\nhub: { profile: ideal }\ndevices:\n  \
        - express: { id: demo-0001, password: not-a-secret }\n";
    let hub = Hub::builder().yaml(yaml).start().unwrap();
    send(&hub, &[2, 1, 4, 0xF7, 0x29, 3].repeat(3));
    let verdict = hub.finish();
    assert_eq!(verdict.outcome(), Outcome::Failed);
    let [none] = &verdict.sent[..] else {
        unreachable!("{verdict:?}");
    };
    assert_eq!((&*none.field, &*none.decoded), ("requests", "none"));
    assert!(
        none.why.contains("length 1, checksum f729, should be 4084"),
        "{}",
        none.why
    );
}

/// What the judge says that a client must have read last of a command, in the field of this name.
fn truth(run: &Run, command: CommandId, field: &str) -> Option<Value> {
    let replies = run.verdict.replies.iter().rev();
    let mut of_it = replies.filter(|reply| reply.command == command);
    of_it.find_map(|reply| reply.truth.as_ref()?.get(field).cloned())
}

#[test]
fn a_client_that_reads_old_firmware_right_is_right() {
    for player in [Player::Reference, Player::Defective(Defects::NONE)] {
        let run = run("fw218-right-client-judged-wrong", player);
        assert!(run.verdict.passed(), "{}", scenarios::story(&run));
        let volts = truth(&run, CommandId::GET_VALUES, "input_voltage_v");
        assert_eq!(volts, Some(Value::Number(23.9)));
    }
}

#[test]
fn a_motor_controller_may_have_old_firmware() {
    for player in [Player::Reference, Player::Defective(Defects::NONE)] {
        let run = run("motor-old-firmware", player);
        assert!(run.verdict.passed(), "{}", scenarios::story(&run));
    }
}
