//! What is bound, where it stands, and what is refused before it is bound. What is said about mistakes is in
//! `tests/mistakes`.

use std::fmt::Write as _;
use std::thread;
use std::time::Instant;

use serde::{Deserialize, Deserializer, de};

use super::bind;
use crate::{
    duration::Duration,
    error::ScenarioError,
    source::{Place, Source},
    yaml::{self, MAX_BYTES, MAX_DEPTH},
};

/// Shaped like a scenario, but only for these tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Sketch {
    version: u32,
    about: Option<String>,
    strict: Option<bool>,
    range: Option<(f64, f64)>,
    #[serde(default)]
    devices: Vec<Device>,
    #[serde(default)]
    quirks: Vec<Quirk>,
    #[serde(default)]
    steps: Vec<Step>,
    client: Option<Client>,
    #[serde(default)]
    expect: Vec<Expect>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Device {
    Express(Express),
    Motor(Motor),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Express {
    id: String,
    password: Option<String>,
    firmware: Option<String>,
    bms: Option<Bms>,
    #[serde(default)]
    can: Vec<Device>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Bms {
    cells: u16,
    cell_voltage_v: Option<f64>,
    spread_mv: Option<u32>,
    #[serde(default)]
    temperatures_c: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Motor {
    can_id: u8,
    hardware: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Quirk {
    #[serde(rename_all = "snake_case")]
    SessionReset { max_gap: Duration },
    #[expect(dead_code, reason = "read by serde only")]
    LateReplies { by: Duration },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Step {
    wait: Duration,
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Client {
    #[serde(rename_all = "snake_case")]
    ReadBms {
        ask: Ask,
        #[serde(alias = "timeout")]
        give_up_after: Duration,
    },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ask {
    OneAtATime,
    AllAtOnce,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expect {
    NoReplyTo(Command),
    Fired(Fired),
    NothingElse,
}

#[derive(Debug)]
struct Command;

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == "BMS_GET_VALUES" {
            return Ok(Self);
        }
        Err(de::Error::custom(format!(
            "no command is called `{name}`\nhelp: `veschub commands` lists them"
        )))
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "FiredText")]
struct Fired;

#[derive(Deserialize)]
struct FiredText {
    quirk: String,
}

impl TryFrom<FiredText> for Fired {
    type Error = &'static str;

    fn try_from(text: FiredText) -> Result<Self, Self::Error> {
        if text.quirk.is_empty() {
            Err("an expectation that nothing can meet")
        } else {
            Ok(Self)
        }
    }
}

const GOOD: &str = r#"version: 1
about: Asking one request at a time is too slow for a hub that forgets.
devices:
  - express:
      id: demo-0001
      password: not-a-secret
      firmware: "6.05"
      bms: { cells: 20, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      can:
        - motor: { can_id: 84, hardware: ADV500 }
quirks:
  - session-reset: { max_gap: 250ms }
client:
  read-bms: { ask: one-at-a-time, give_up_after: 5s }
expect:
  - no-reply-to: BMS_GET_VALUES
  - fired: { quirk: session-reset }
"#;

/// The good scenario with one thing changed.
fn good_but(from: &str, to: &str) -> String {
    assert_eq!(
        GOOD.matches(from).count(),
        1,
        "`{from}` should be there once"
    );
    GOOD.replace(from, to)
}

fn parse<T: de::DeserializeOwned>(name: &str, text: &str) -> Result<(T, Source), ScenarioError> {
    let bound = bind(&yaml::read(name, text)?);
    match (bound.mistakes.into_error(), bound.value) {
        (None, Some(value)) => Ok((value, bound.source)),
        (error, _) => Err(error.unwrap()),
    }
}

fn accepted(text: &str) -> (Sketch, Source) {
    parse("demo.yaml", text).unwrap()
}

/// What is said about a text that is refused; the accessors have to agree with what is drawn.
fn refused(text: &str) -> ScenarioError {
    let error = parse::<Sketch>("demo.yaml", text).unwrap_err();
    check(&error);
    error
}

fn check(error: &ScenarioError) {
    let drawn = error.to_string();
    for error in error.each() {
        assert!(drawn.contains(error.message()), "{drawn}");
        let helps = error.helps();
        assert!(
            helps.iter().all(|help| drawn.contains(help.as_str())),
            "{drawn}"
        );
        let place = match (error.line(), error.column()) {
            (Some(line), Some(column)) => format!("--> {}:{line}:{column}\n", error.file()),
            _ => format!("--> {}\n", error.file()),
        };
        assert!(
            format!("{drawn}\n").contains(&place),
            "{place} is not in\n{drawn}"
        );
    }
}

#[test]
fn a_list_of_the_wrong_length() {
    let error = refused("version: 1\nrange: [1, 2, 3]\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong number of items for `range`: wanted a list of 2 items, found 3
     --> demo.yaml:2:8
      |
    2 | range: [1, 2, 3]
      |        ^^^^^^^^^ wanted a list of 2 items
    ");
}

#[test]
fn a_list_that_is_too_short() {
    let error = refused("version: 1\nrange: [1]\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong number of items for `range`: wanted a list of 2 items, found 1
     --> demo.yaml:2:8
      |
    2 | range: [1]
      |        ^^^ wanted a list of 2 items
    ");
}

#[test]
fn a_custom_error_of_a_whole_mapping() {
    let error = refused(&good_but("quirk: session-reset }", "quirk: \"\" }"));
    insta::assert_snapshot!(error, @r#"
    error[E006]: an expectation that nothing can meet
      --> demo.yaml:17:12
       |
    17 |   - fired: { quirk: "" }
       |            ^^^^^^^^^^^^^
    "#);
}

#[test]
fn one_key_under_two_names() {
    let error = refused(&good_but(
        "give_up_after: 5s",
        "give_up_after: 5s, timeout: 5s",
    ));
    insta::assert_snapshot!(error, @"
    error[E002]: key `give_up_after` is given twice in `read-bms`, under two names
      --> demo.yaml:14:13
       |
    14 |   read-bms: { ask: one-at-a-time, give_up_after: 5s, timeout: 5s }
       |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: remove one of the two
    ");
}

#[test]
fn a_good_scenario_is_read_as_written() {
    let (sketch, source) = accepted(GOOD);
    assert_eq!(sketch.version, 1);
    assert_eq!(source.name(), "demo.yaml");
    assert_eq!(source.text(), GOOD);
    let Device::Express(express) = &sketch.devices[0] else {
        panic!("not an express: {:?}", sketch.devices[0])
    };
    assert_eq!(express.id, "demo-0001");
    assert_eq!(express.bms.as_ref().map(|bms| bms.cells), Some(20));
    assert!(matches!(
        express.can[0],
        Device::Motor(Motor { can_id: 84, .. })
    ));
    assert!(matches!(
        sketch.quirks[0],
        Quirk::SessionReset {
            max_gap: Duration(250_000_000)
        }
    ));
    let Some(Client::ReadBms { ask, give_up_after }) = sketch.client else {
        panic!("no client")
    };
    assert_eq!(
        (ask, give_up_after),
        (Ask::OneAtATime, Duration(5_000_000_000))
    );
    assert_eq!(sketch.expect.len(), 2);
}

#[test]
fn text_needs_no_quotes_even_if_it_looks_like_a_number() {
    let (sketch, _) = accepted(
        "version: 1\ndevices:\n  - express: { id: 0001, firmware: 6.10, password: true }\n",
    );
    let Device::Express(express) = &sketch.devices[0] else {
        panic!("not an express")
    };
    assert_eq!(
        (express.id.as_str(), express.firmware.as_deref()),
        ("0001", Some("6.10"))
    );
    assert_eq!(express.password.as_deref(), Some("true"));
}

#[test]
fn anchors_and_aliases_repeat_whole_values() {
    let text = "version: 1\ndevices:\n  - express: { id: a, bms: &pack { cells: 20 } }\n  - express: { id: b, bms: *pack }\n";
    let (sketch, _) = accepted(text);
    let cells = |device: &Device| match device {
        Device::Express(express) => express.bms.as_ref().map(|bms| bms.cells),
        Device::Motor(_) => None,
    };
    assert_eq!(
        sketch.devices.iter().map(cells).collect::<Vec<_>>(),
        [Some(20), Some(20)]
    );
}

#[test]
fn a_place_is_a_key_or_a_value() {
    let (_, source) = accepted(GOOD);
    let id = Place::root()
        .key("devices")
        .index(0)
        .key("express")
        .key("id");
    assert_eq!(source.position(&id), Some((5, 11)));
    assert_eq!(source.position(id.at_key()), Some((5, 7)));
    assert_eq!(
        source.position(&["devices", "0", "express", "id"]),
        Some((5, 11))
    );
    assert_eq!(
        source.position(Place::root().key("devices").index(0).only().key("id")),
        Some((5, 11))
    );
    assert_eq!(
        source.position(&["devices", "0", "express", "bms", "temperatures_c", "1"]),
        Some((8, 85))
    );
    assert_eq!(source.position(Place::root()), Some((1, 1)));
}

#[test]
fn a_value_of_several_lines_is_pointed_at_by_its_key() {
    let (_, source) = accepted(GOOD);
    assert_eq!(source.position(&["devices", "0", "express"]), Some((4, 5)));
    assert_eq!(source.position(&["devices"]), Some((3, 1)));
    assert_eq!(source.position(&["devices", "0"]), Some((4, 5)));
    assert_eq!(source.position(&["client", "read-bms"]), Some((14, 13)));
}

#[test]
fn a_place_that_was_left_out_is_pointed_at_by_what_surrounds_it() {
    let (_, source) = accepted(GOOD);
    assert_eq!(
        source.position(&["devices", "0", "express", "bms", "balance", "from"]),
        Some((8, 7))
    );
    assert_eq!(source.position(&["devices", "7", "express"]), Some((3, 1)));
    assert_eq!(source.position(&["hub"]), Some((1, 1)));
}

#[test]
fn a_later_check_points_at_several_places() {
    let text = "version: 1\ndevices:\n  - express: { id: demo-0001 }\n  - express: { id: demo-0002 }\n  - express: { id: demo-0001 }\n";
    let (_, source) = accepted(text);
    let error = ScenarioError::at(
        &source,
        &["devices", "2", "express", "id"],
        "two devices are called `demo-0001`",
    )
    .label("the name is taken")
    .also(&["devices", "0", "express", "id"], "first used here")
    .help("give one of them another id");
    check(&error);
    assert_eq!(
        (error.file(), error.line(), error.column()),
        ("demo.yaml", Some(5), Some(20))
    );
    assert_eq!(error.message(), "two devices are called `demo-0001`");
    assert_eq!(error.helps(), ["give one of them another id"]);
    insta::assert_snapshot!(error, @"
    error[E010]: two devices are called `demo-0001`
     --> demo.yaml:5:20
      |
    3 |   - express: { id: demo-0001 }
      |                    --------- first used here
    4 |   - express: { id: demo-0002 }
    5 |   - express: { id: demo-0001 }
      |                    ^^^^^^^^^ the name is taken
      |
      = help: give one of them another id
    ");
}

#[test]
fn a_later_check_of_a_repeated_value_shows_both_places() {
    let text = "version: 1\ndevices:\n  - express: { id: a, bms: &pack { cells: 20 } }\n  - express: { id: b, bms: *pack }\n";
    let (_, source) = accepted(text);
    let error = ScenarioError::at(
        &source,
        &["devices", "1", "express", "bms", "cells"],
        "an express has at most 18 cells",
    );
    check(&error);
    insta::assert_snapshot!(error, @"
    error[E010]: an express has at most 18 cells
     --> demo.yaml:3:43
      |
    3 |   - express: { id: a, bms: &pack { cells: 20 } }
      |                                           ^^
    4 |   - express: { id: b, bms: *pack }
      |                            ----- repeated here
    ");
}

#[test]
fn colour_is_only_used_when_asked_for() {
    let error = refused("version: one\n");
    assert!(!error.render(false).contains('\u{1b}'));
    assert!(error.render(true).contains('\u{1b}'));
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn no_slip_of_a_finger_gets_a_place_that_is_not_there() {
    let slips = [
        " ", "\t", "\n", ":", "-", "[", "}", "\"", "'", "&a ", "*a", "!", "#", "é", "9", "x", "",
    ];
    for ((at, c), slip) in GOOD.char_indices().zip(slips.iter().cycle()) {
        let (before, after) = (&GOOD[..at], &GOOD[at + c.len_utf8()..]);
        if let Err(error) = parse::<Sketch>("demo.yaml", &format!("{before}{slip}{after}")) {
            check(&error);
        }
    }
}

#[test]
fn the_depth_that_is_allowed_is_also_bound() {
    let nested = |depth: usize| {
        format!(
            "version: 1\nabout: {}{}\n",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    // The document's own mapping is the first level.
    let deepest = refused(&nested(MAX_DEPTH - 1));
    assert!(
        deepest.message().starts_with("wrong type for `about`"),
        "{deepest}"
    );
    let error = refused(&nested(MAX_DEPTH));
    assert_eq!(
        (error.line(), error.column()),
        (Some(2), Some(7 + MAX_DEPTH))
    );
    assert_eq!(error.message(), "nested too deeply, more than 64 levels");
    assert_eq!(
        refused(&"[".repeat(10_000)).message(),
        "nested too deeply, more than 64 levels"
    );
}

#[test]
fn aliases_do_not_get_around_the_depth() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..80 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    let error = refused(&text);
    assert_eq!(error.message(), "nested too deeply, more than 64 levels");
    assert_eq!(error.line(), Some(64));
}

#[test]
fn an_alias_bomb_is_refused_where_it_gets_too_big() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        writeln!(
            text,
            "a{level}: &a{level} [{}]",
            below.trim_end_matches(", ")
        )
        .unwrap();
    }
    let error = refused(&text);
    insta::assert_snapshot!(error, @"
    error[E007]: aliases repeat too much, more than 100000 values
     --> demo.yaml:5:45
      |
    5 | a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
      |                                             ^^^ too much with this one
      |
      = help: write the values out, or repeat smaller ones
    ");
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let filled = |start: &str, piece: &str| {
        format!(
            "{start}{}",
            piece.repeat((MAX_BYTES - start.len()) / piece.len())
        )
    };
    let fill = |piece: &str| filled("", piece);
    let keys: String = (0..30_000).map(|n| format!("k{n}: \n")).collect();
    let texts = [
        "[".repeat(10_000),
        fill("["),
        fill("{"),
        fill("{a: "),
        fill("- "),
        fill("? "),
        "-\n".repeat(100_000),
        fill("a"),
        fill("\"a"),
        fill("&a "),
        fill("!a "),
        fill("[],"),
        fill("a: &a x\n"),
        filled("about: ", "a "),
        format!("about: [{}]", "x,".repeat(100_000)),
        format!("about: \"{}\"", "\\n".repeat(300_000)),
        format!("about: &a x\nall: [{}]", "*a,".repeat(200_000)),
        format!("{}: x", "a".repeat(1_000_000)),
        keys,
    ];
    // Every text on a thread of its own: parsers and drawing are slow without optimisation.
    thread::scope(|scope| {
        for text in &texts {
            scope.spawn(|| refuse_quickly(text));
        }
    });
}

fn refuse_quickly(text: &str) {
    let begin: String = text.chars().take(20).collect();
    let start = Instant::now();
    let error = parse::<Sketch>("demo.yaml", text).unwrap_err();
    let (drawn, taken) = (error.to_string(), start.elapsed());
    assert!(!drawn.contains("too large"), "{begin:?} was not even read");
    assert!(
        drawn.len() < 4_000 * error.each().count(),
        "{} bytes are drawn for {begin:?}",
        drawn.len()
    );
    // Far above what it takes without optimisation on a busy machine, far below what a quadratic parser takes.
    assert!(taken.as_secs() < 120, "{taken:?} for {begin:?}");
}

#[test]
fn a_thousand_devices_are_read() {
    let mut text = "version: 1\ndevices:\n".to_owned();
    for n in 0..1000 {
        write!(
            text,
            "  - express:\n      id: demo-{n:04}\n      bms: {{ cells: 20, cell_voltage_v: 4.1 }}\n"
        )
        .unwrap();
    }
    let (sketch, source) = accepted(&text);
    assert_eq!(sketch.devices.len(), 1000);
    assert_eq!(
        source.position(&["devices", "999", "express", "id"]),
        Some((3001, 11))
    );
}

#[test]
fn a_text_that_is_too_large_is_refused_before_it_is_parsed() {
    let error = refused(&"#".repeat(MAX_BYTES + 1));
    assert_eq!((error.line(), error.column()), (None, None));
    insta::assert_snapshot!(error, @"
    error[E007]: the file is too large: 1048577 bytes or more, at most 1048576 are read
    --> demo.yaml
     = help: split it into several scenarios
    ");
}

#[test]
fn a_key_without_a_value_is_a_slip_and_null_is_none() {
    let express = |keys: &str| {
        let text = format!("version: 1\ndevices:\n  - express:\n      id: a\n      {keys}\n");
        parse::<Sketch>("demo.yaml", &text).map(|(mut sketch, _)| sketch.devices.remove(0))
    };
    for none in ["~", "null"] {
        let device = express(&format!("bms: {none}")).unwrap();
        assert!(matches!(device, Device::Express(Express { bms: None, .. })));
    }
    let error = express("password:").unwrap_err();
    assert!(
        error.message().ends_with("wanted text, found nothing"),
        "{error}"
    );
    let error = express("bms:").unwrap_err();
    assert_eq!(error.message(), "missing key `cells` in `bms`");
    let device = express("can:").unwrap();
    assert!(matches!(device, Device::Express(express) if express.can.is_empty()));
}

#[test]
fn no_more_than_a_hundred_mistakes_are_told() {
    let mut text = "version: 1\ndevices:\n".to_owned();
    for _ in 0..200 {
        text.push_str("  - zebra: {}\n");
    }
    let error = refused(&text);
    assert_eq!(error.each().count(), 101);
    let last = error.each().last().unwrap();
    assert_eq!(
        last.message(),
        "there are more than 100 mistakes, these are the first"
    );
}
