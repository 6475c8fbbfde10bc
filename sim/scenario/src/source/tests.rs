//! One test for each kind of mistake: where it is found and what is said about it.

use std::fmt::Write as _;
use std::thread;
use std::time::Instant;

use serde::{Deserialize, Deserializer, de};

use super::{MAX_BYTES, MAX_DEPTH, Place, Source, parse, read};
use crate::duration::Duration;
use crate::error::ScenarioError;

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
    assert!(drawn.contains(error.message()), "{drawn}");
    assert!(
        error
            .helps()
            .iter()
            .all(|help| drawn.contains(help.as_str())),
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

#[test]
fn an_unknown_key_names_the_closest_one() {
    let error = refused(&good_but("password:", "pasword:"));
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `pasword` in `express`
     --> demo.yaml:6:7
      |
    6 |       pasword: not-a-secret
      |       ^^^^^^^ not a key of `express`
      |
      = help: did you mean `password`?
      = help: keys of `express`: `id`, `password`, `firmware`, `bms`, `can`
    ");
}

#[test]
fn an_unknown_key_in_a_mapping_on_one_line() {
    let error = refused(&good_but("spread_mv", "spread"));
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `spread` in `bms`
     --> demo.yaml:8:48
      |
    8 |       bms: { cells: 20, cell_voltage_v: 4.180, spread: 8, temperatures_c: [27.5, 26.5] }
      |                                                ^^^^^^ not a key of `bms`
      |
      = help: did you mean `spread_mv`?
      = help: keys of `bms`: `cells`, `cell_voltage_v`, `spread_mv`, `temperatures_c`
    ");
}

#[test]
fn an_unknown_key_at_the_top_level() {
    let error = refused(&good_but("quirks:", "quirk:"));
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `quirk` at the top level
      --> demo.yaml:11:1
       |
    11 | quirk:
       | ^^^^^ not a key at the top level
       |
       = help: did you mean `quirks`?
       = help: keys at the top level: `version`, `about`, `strict`, `range`, `devices`, `quirks`, `steps`, `client`, `expect`
    ");
}

#[test]
fn an_unknown_key_deep_inside_enums_and_lists() {
    let error = refused(&good_but("hardware:", "hardwre:"));
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `hardwre` in `motor`
      --> demo.yaml:10:32
       |
    10 |         - motor: { can_id: 84, hardwre: ADV500 }
       |                                ^^^^^^^ not a key of `motor`
       |
       = help: did you mean `hardware`?
       = help: keys of `motor`: `can_id`, `hardware`
    ");
}

#[test]
fn a_merge_key_is_not_read() {
    let error = refused(
        "version: 1\ndevices:\n  - express: &one { id: a }\n  - express:\n      <<: *one\n      id: b\n",
    );
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `<<` in `express`
     --> demo.yaml:5:7
      |
    5 |       <<: *one
      |       ^^ not a key of `express`
      |
      = help: merge keys are not read; mark a whole value with `&name` and repeat it with `*name`
    ");
}

#[test]
fn a_missing_key_points_at_the_mapping_that_lacks_it() {
    let error = refused(&good_but("      id: demo-0001\n", ""));
    insta::assert_snapshot!(error, @"
    error[E005]: missing key `id` in `express`
     --> demo.yaml:4:5
      |
    4 |   - express:
      |     ^^^^^^^ `id` is missing here
      |
      = help: add `id: ...` to `express`
    ");
}

#[test]
fn a_missing_key_at_the_top_level() {
    let error = refused("about: nothing\ndevices: []\n");
    insta::assert_snapshot!(error, @"
    error[E005]: missing key `version` at the top level
     --> demo.yaml:1:1
      |
    1 | about: nothing
      | ^^^^^ `version` is missing here
      |
      = help: add `version: ...`
    ");
}

#[test]
fn a_missing_key_in_a_list_item() {
    let error = refused("version: 1\nsteps:\n  - { wait: 1s }\n  - { note: x }\n");
    insta::assert_snapshot!(error, @"
    error[E005]: missing key `wait` in item 2 of `steps`
     --> demo.yaml:4:5
      |
    4 |   - { note: x }
      |     ^^^^^^^^^^^ `wait` is missing here
      |
      = help: add `wait: ...`
    ");
}

#[test]
fn a_key_that_slipped_out_of_its_mapping() {
    let error = refused("version: 1\ndevices:\n  - express:\n    id: demo-0001\n");
    insta::assert_snapshot!(error, @"
    error[E005]: missing key `id` in `express`
     --> demo.yaml:3:5
      |
    3 |   - express:
      |     ^^^^^^^ `id` is missing here
    4 |     id: demo-0001
      |     -- stands beside `express`, not in it
      |
      = help: indent `id` further, so that it belongs to `express`
    ");
}

#[test]
fn two_names_where_one_is_wanted() {
    let error =
        refused("version: 1\ndevices:\n  - express:\n      id: a\n    motor: { can_id: 1 }\n");
    insta::assert_snapshot!(error, @"
    error[E006]: one name is wanted here, found two: `express` and `motor`
     --> demo.yaml:5:5
      |
    3 |   - express:
      |     ------- the first name
    4 |       id: a
    5 |     motor: { can_id: 1 }
      |     ^^^^^ stands beside `express`
      |
      = help: indent `motor` further if it belongs to `express`
      = help: start a new item with `- ` if it does not
    ");
}

#[test]
fn no_name_where_one_is_wanted() {
    let error = refused("version: 1\ndevices:\n  - {}\n");
    insta::assert_snapshot!(error, @"
    error[E006]: a name is missing here
     --> demo.yaml:3:5
      |
    3 |   - {}
      |     ^^ empty
      |
      = help: write `name: value`
    ");
}

#[test]
fn text_instead_of_a_whole_number() {
    let error = refused(&good_but("cells: 20", "cells: soon"));
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `cells`: wanted a whole number, found the text "soon"
     --> demo.yaml:8:21
      |
    8 |       bms: { cells: soon, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                     ^^^^ wanted a whole number
    "#);
}

#[test]
fn a_number_with_a_unit() {
    let error = refused(&good_but("4.180", "4.18V"));
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `cell_voltage_v`: wanted a number, found the text "4.18V"
     --> demo.yaml:8:41
      |
    8 |       bms: { cells: 20, cell_voltage_v: 4.18V, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                                         ^^^^^ wanted a number
      |
      = help: write the number alone: `4.18`
    "#);
}

#[test]
fn a_number_in_quotes() {
    let error = refused(&good_but("cells: 20", "cells: \"20\""));
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `cells`: wanted a whole number, found the text "20"
     --> demo.yaml:8:21
      |
    8 |       bms: { cells: "20", cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                     ^^^^ wanted a whole number
      |
      = help: write it without quotes: `20`
    "#);
}

#[test]
fn a_fraction_instead_of_a_whole_number() {
    let error = refused(&good_but("cells: 20", "cells: 20.5"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `cells`: wanted a whole number, found 20.5
     --> demo.yaml:8:21
      |
    8 |       bms: { cells: 20.5, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                     ^^^^ wanted a whole number
    ");
}

#[test]
fn a_number_out_of_range() {
    let error = refused(&good_but("can_id: 84", "can_id: 700"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong value for `can_id`: wanted a whole number from 0 to 255, found 700
      --> demo.yaml:10:28
       |
    10 |         - motor: { can_id: 700, hardware: ADV500 }
       |                            ^^^ wanted a whole number from 0 to 255
    ");
}

#[test]
fn a_negative_number() {
    let error = refused(&good_but("cells: 20", "cells: -1"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong value for `cells`: wanted a whole number from 0 to 65535, found -1
     --> demo.yaml:8:21
      |
    8 |       bms: { cells: -1, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                     ^^ wanted a whole number from 0 to 65535
    ");
}

#[test]
fn nothing_instead_of_a_number() {
    let error =
        refused("version: 1\ndevices:\n  - express:\n      id: a\n      bms:\n        cells:\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `cells`: wanted a whole number, found nothing
     --> demo.yaml:6:9
      |
    6 |         cells:
      |         ^^^^^ wanted a whole number
    ");
}

#[test]
fn text_in_an_item_of_a_list() {
    let error = refused(&good_but("26.5]", "hot]"));
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for item 2 of `temperatures_c`: wanted a number, found the text "hot"
     --> demo.yaml:8:85
      |
    8 |       bms: { cells: 20, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, hot] }
      |                                                                                     ^^^ wanted a number
    "#);
}

#[test]
fn a_list_instead_of_text() {
    let error = refused(&good_but("\"6.05\"", "[6, 5]"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `firmware`: wanted text, found a list
     --> demo.yaml:7:17
      |
    7 |       firmware: [6, 5]
      |                 ^^^^^^ wanted text
    ");
}

#[test]
fn a_mapping_instead_of_a_list() {
    let error = refused("version: 1\ndevices:\n  express:\n    id: a\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `devices`: wanted a list, found a mapping
     --> demo.yaml:2:1
      |
    2 | devices:
      | ^^^^^^^ wanted a list
      |
      = help: start each item with `- `
    ");
}

#[test]
fn a_single_value_instead_of_a_list() {
    let error = refused(&good_but("[27.5, 26.5]", "27.5"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `temperatures_c`: wanted a list, found 27.5
     --> demo.yaml:8:78
      |
    8 |       bms: { cells: 20, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: 27.5 }
      |                                                                              ^^^^ wanted a list
      |
      = help: write `[...]`, also around a single item
    ");
}

#[test]
fn text_instead_of_a_mapping() {
    let error = refused(&good_but(
        "{ cells: 20, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }",
        "twenty",
    ));
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `bms`: wanted a mapping, found the text "twenty"
     --> demo.yaml:8:12
      |
    8 |       bms: twenty
      |            ^^^^^^ wanted a mapping
      |
      = help: write `key: value` in the lines below it, indented, or `{ key: value }`
    "#);
}

#[test]
fn a_list_instead_of_a_mapping() {
    let error = refused("version: 1\ndevices:\n  - express:\n      - id: a\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `express`: wanted a mapping, found a list
     --> demo.yaml:4:9
      |
    4 |       - id: a
      |         ^^^^^ wanted a mapping
      |
      = help: leave out the `- ` and write `key: value`
    ");
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
fn text_instead_of_a_boolean() {
    let error = refused("version: 1\nstrict: yes\n");
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `strict`: wanted `true` or `false`, found the text "yes"
     --> demo.yaml:2:9
      |
    2 | strict: yes
      |         ^^^ wanted `true` or `false`
    "#);
}

#[test]
fn a_list_instead_of_the_whole_scenario() {
    let error = refused("- version: 1\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for the file: wanted a mapping, found a list
     --> demo.yaml:1:3
      |
    1 | - version: 1
      |   ^^^^^^^^^^ wanted a mapping
      |
      = help: leave out the `- ` and write `key: value`
    ");
}

#[test]
fn an_unknown_enum_key() {
    let error = refused(&good_but("- express:", "- expres:"));
    insta::assert_snapshot!(error, @"
    error[E004]: unknown name `expres` in `devices`
     --> demo.yaml:4:5
      |
    4 |   - expres:
      |     ^^^^^^ not a name that is known here
      |
      = help: did you mean `express`?
      = help: known here: `express`, `motor`
    ");
}

#[test]
fn an_unknown_enum_value() {
    let error = refused(&good_but("ask: one-at-a-time", "ask: one-at-time"));
    insta::assert_snapshot!(error, @"
    error[E004]: unknown name `one-at-time` in `ask`
      --> demo.yaml:14:20
       |
    14 |   read-bms: { ask: one-at-time, give_up_after: 5s }
       |                    ^^^^^^^^^^^ not a name that is known here
       |
       = help: did you mean `one-at-a-time`?
       = help: known here: `one-at-a-time`, `all-at-once`
    ");
}

#[test]
fn an_unknown_enum_value_in_a_list() {
    let error = refused("version: 1\nexpect:\n  - nothing-els\n");
    insta::assert_snapshot!(error, @"
    error[E004]: unknown name `nothing-els` in `expect`
     --> demo.yaml:3:5
      |
    3 |   - nothing-els
      |     ^^^^^^^^^^^ not a name that is known here
      |
      = help: did you mean `nothing-else`?
      = help: known here: `no-reply-to`, `fired`, `nothing-else`
    ");
}

#[test]
fn an_unknown_name_unlike_any_other() {
    let error = refused(&good_but("- session-reset:", "- zebra:"));
    insta::assert_snapshot!(error, @"
    error[E004]: unknown name `zebra` in `quirks`
      --> demo.yaml:12:5
       |
    12 |   - zebra: { max_gap: 250ms }
       |     ^^^^^ not a name that is known here
       |
       = help: known here: `session-reset`, `late-replies`
    ");
}

#[test]
fn a_name_that_needs_a_value() {
    let error = refused("version: 1\ndevices:\n  - express\n");
    insta::assert_snapshot!(error, @"
    error[E006]: `express` needs a value
     --> demo.yaml:3:5
      |
    3 |   - express
      |     ^^^^^^^ a name without a value
      |
      = help: write `express: ...`
    ");
}

#[test]
fn a_name_that_takes_no_value() {
    let error = refused("version: 1\nexpect:\n  - nothing-else: { really: true }\n");
    insta::assert_snapshot!(error, @"
    error[E006]: `nothing-else` takes no value
     --> demo.yaml:3:5
      |
    3 |   - nothing-else: { really: true }
      |     ^^^^^^^^^^^^ a plain name is enough
      |
      = help: write `nothing-else` without the colon and what follows
    ");
}

#[test]
fn a_duration_without_a_unit() {
    let error = refused(&good_but("250ms", "250"));
    insta::assert_snapshot!(error, @"
    error[E006]: a duration needs a unit, e.g. 150ms or 2.6s
      --> demo.yaml:12:31
       |
    12 |   - session-reset: { max_gap: 250 }
       |                               ^^^
    ");
}

#[test]
fn a_duration_with_an_unknown_unit() {
    let error = refused(&good_but("250ms", "250millis"));
    insta::assert_snapshot!(error, @"
    error[E006]: unknown unit `millis` in `250millis`, expected ns, us, ms, s, m or h
      --> demo.yaml:12:31
       |
    12 |   - session-reset: { max_gap: 250millis }
       |                               ^^^^^^^^^
    ");
}

#[test]
fn a_list_instead_of_a_duration() {
    let error = refused(&good_but("250ms", "[250ms]"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `max_gap`: wanted a duration such as `150ms`, found a list
      --> demo.yaml:12:31
       |
    12 |   - session-reset: { max_gap: [250ms] }
       |                               ^^^^^^^ wanted a duration such as `150ms`
    ");
}

#[test]
fn nothing_instead_of_a_duration() {
    let error = refused("version: 1\nquirks:\n  - session-reset:\n      max_gap:\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for `max_gap`: wanted a duration such as `150ms`, found nothing
     --> demo.yaml:4:7
      |
    4 |       max_gap:
      |       ^^^^^^^ wanted a duration such as `150ms`
    ");
}

#[test]
fn a_custom_error_is_shown_as_it_is() {
    let error = refused(&good_but("BMS_GET_VALUES", "BMS_SING_SONG"));
    insta::assert_snapshot!(error, @"
    error[E004]: no command is called `BMS_SING_SONG`
      --> demo.yaml:16:18
       |
    16 |   - no-reply-to: BMS_SING_SONG
       |                  ^^^^^^^^^^^^^
       |
       = help: `veschub commands` lists them
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
fn a_key_given_twice() {
    let error = refused(&good_but(
        "firmware: \"6.05\"",
        "firmware: \"6.05\"\n      id: demo-0002",
    ));
    insta::assert_snapshot!(error, @"
    error[E002]: key `id` is given twice
     --> demo.yaml:8:7
      |
    5 |       id: demo-0001
      |       -- first given here
    ...
    8 |       id: demo-0002
      |       ^^ given again here
      |
      = help: remove one of the two
    ");
}

#[test]
fn a_key_given_twice_in_one_line() {
    let error = refused(&good_but("spread_mv: 8", "cells: 8"));
    insta::assert_snapshot!(error, @"
    error[E002]: key `cells` is given twice
     --> demo.yaml:8:48
      |
    8 |       bms: { cells: 20, cell_voltage_v: 4.180, cells: 8, temperatures_c: [27.5, 26.5] }
      |              ----- first given here            ^^^^^ given again here
      |
      = help: remove one of the two
    ");
}

#[test]
fn a_key_that_is_a_list() {
    let error = refused("version: 1\n? [a, b]\n: 1\n");
    insta::assert_snapshot!(error, @"
    error[E002]: a key has to be a plain name
     --> demo.yaml:2:3
      |
    2 | ? [a, b]
      |   ^ not a name
      |
      = help: put quotes around it if it is one, or write it as `name: value`
    ");
}

#[test]
fn a_key_that_is_an_alias() {
    let error = refused("version: &v 1\n*v : 1\n");
    insta::assert_snapshot!(error, @"
    error[E002]: a key has to be a plain name
     --> demo.yaml:2:1
      |
    2 | *v : 1
      | ^^ not a name
      |
      = help: put quotes around it if it is one, or write it as `name: value`
    ");
}

#[test]
fn a_mistake_inside_a_repeated_value() {
    let error = refused(
        "version: 1\ndevices:\n  - express: { id: a, bms: &pack { cels: 20 } }\n  - express: { id: b, bms: *pack }\n",
    );
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `cels` in `bms`
     --> demo.yaml:3:36
      |
    3 |   - express: { id: a, bms: &pack { cels: 20 } }
      |                                    ^^^^ not a key of `bms`
      |
      = help: did you mean `cells`?
      = help: keys of `bms`: `cells`, `cell_voltage_v`, `spread_mv`, `temperatures_c`
    ");
}

#[test]
fn a_mistake_only_where_a_value_is_repeated() {
    let error = refused(
        "version: 1\nabout: &words some words\ndevices:\n  - express:\n      id: b\n      bms: { cells: *words }\n",
    );
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `cells`: wanted a whole number, found the text "some words"
     --> demo.yaml:2:8
      |
    2 | about: &words some words
      |        ^^^^^^^^^^^^^^^^^ wanted a whole number
    ...
    6 |       bms: { cells: *words }
      |                     ------ repeated here
    "#);
}

#[test]
fn a_yaml_tag() {
    let error = refused("version: 1\ndevices:\n  - !express { id: a }\n");
    insta::assert_snapshot!(error, @"
    error[E002]: tag `!express` is not used in scenarios
     --> demo.yaml:3:5
      |
    3 |   - !express { id: a }
      |     ^^^^^^^^^^ a YAML tag
      |
      = help: write the name as a key: `express: ...`
    ");
}

#[test]
fn an_empty_file() {
    let error = refused("");
    insta::assert_snapshot!(error, @"
    error[E002]: the file is empty
    --> demo.yaml:1:1
     = help: a scenario starts with `version: 1`
    ");
}

#[test]
fn a_file_of_comments() {
    let error = refused("# nothing\n\n# here\n");
    insta::assert_snapshot!(error, @"
    error[E002]: the file is empty
     --> demo.yaml:1:1
      |
    1 | # nothing
      | ^
      |
      = help: a scenario starts with `version: 1`
    ");
}

#[test]
fn an_empty_document() {
    let error = refused("---\n");
    insta::assert_snapshot!(error, @"
    error[E002]: the file is empty
     --> demo.yaml:1:1
      |
    1 | ---
      | ^
      |
      = help: a scenario starts with `version: 1`
    ");
}

#[test]
fn two_documents() {
    let error = refused("version: 1\n---\nversion: 2\n");
    insta::assert_snapshot!(error, @"
    error[E002]: only one document is allowed in a file
     --> demo.yaml:2:1
      |
    2 | ---
      | ^^^ a second document starts here
      |
      = help: put it into a file of its own, or remove the `---`
    ");
}

#[test]
fn a_tab_as_indentation() {
    let error = refused("version: 1\ndevices:\n\t- express:\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a tab as indentation
     --> demo.yaml:3:1
      |
    3 |     - express:
      | ^ a tab
      |
      = help: indent with spaces
    ");
}

#[test]
fn a_colon_inside_text() {
    let error = refused("version: 1\nabout: this: that\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a `:` stands where no key can be
     --> demo.yaml:2:12
      |
    2 | about: this: that
      |            ^ here
      |
      = help: put quotes around text with `: ` in it, and indent the line like its neighbours
    ");
}

#[test]
fn a_bracket_never_closed() {
    let error = refused("version: 1\nrange: [1, 2\nabout: x\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a bracket is not closed, or a comma is missing
     --> demo.yaml:3:6
      |
    3 | about: x
      |      ^ here
      |
      = help: close every `[` and `{`, separate by commas
    ");
}

#[test]
fn a_quote_never_closed() {
    let error = refused("version: 1\nabout: \"endless\nrange: [1, 2]\n");
    insta::assert_snapshot!(error, @r#"
    error[E002]: not valid YAML: the quote is not closed, or its next line is not indented
     --> demo.yaml:2:8
      |
    2 | about: "endless
      |        ^ here
      |
      = help: add the closing quote, or indent the lines that belong to the text
    "#);
}

#[test]
fn a_key_without_a_colon() {
    let error = refused("version: 1\nabout\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a key without a colon
     --> demo.yaml:2:1
      |
    2 | about
      | ^^^^^ here
      |
      = help: write `key: value`, with a space after the colon
    ");
}

#[test]
fn an_odd_character() {
    let error = refused("version: 1\nabout: @home\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: text cannot start with this character
     --> demo.yaml:2:8
      |
    2 | about: @home
      |        ^ here
      |
      = help: put quotes around the text
    ");
}

#[test]
fn an_alias_without_an_anchor() {
    let error = refused("version: 1\nabout: *nothing\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: no earlier value is marked with this name
     --> demo.yaml:2:8
      |
    2 | about: *nothing
      |        ^ here
      |
      = help: mark the value with `&name` before it is repeated
    ");
}

#[test]
fn an_unknown_escape() {
    let error = refused("version: 1\nabout: \"C:\\data\"\n");
    insta::assert_snapshot!(error, @r#"
    error[E002]: not valid YAML: a `\` in double quotes starts an escape
     --> demo.yaml:2:8
      |
    2 | about: "C:\data"
      |        ^ here
      |
      = help: use single quotes, or write `\\`
    "#);
}

#[test]
fn a_top_level_key_too_far_left() {
    let error = refused("  version: 1\nabout: x\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: the line belongs to nothing above it
     --> demo.yaml:2:1
      |
    2 | about: x
      | ^ here
      |
      = help: start every top-level key in the first column
    ");
}

#[test]
fn a_key_too_far_right() {
    let error = refused("version: 1\n about: x\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a `:` stands where no key can be
     --> demo.yaml:2:7
      |
    2 |  about: x
      |       ^ here
      |
      = help: put quotes around text with `: ` in it, and indent the line like its neighbours
    ");
}

#[test]
fn a_control_character() {
    let error = refused("version: 1\nabout: \"be\u{1b}[31mll\"\n");
    insta::assert_snapshot!(error, @r#"
    error[E002]: control character U+001B is not allowed
     --> demo.yaml:2:11
      |
    2 | about: "be␛[31mll"
      |           ^ not visible, but here
      |
      = help: remove it, or write it as an escape in double quotes
    "#);
}

#[test]
fn an_alias_inside_its_own_value() {
    let error = refused("version: 1\ndevices: &all [*all]\n");
    insta::assert_snapshot!(error, @"
    error[E002]: an alias stands inside the very value that it repeats
     --> demo.yaml:2:16
      |
    2 | devices: &all [*all]
      |                ^^^^ this would never end
      |
      = help: write the value out
    ");
}

#[test]
fn umlauts_before_the_mistake_do_not_shift_the_column() {
    let error = refused(
        "version: 1\nabout: Prüfstand für Ärger\ndevices:\n  - express: { id: \"größer 🚲\", pasword: x }\n",
    );
    insta::assert_snapshot!(error, @r#"
    error[E003]: unknown key `pasword` in `express`
     --> demo.yaml:4:32
      |
    4 |   - express: { id: "größer 🚲", pasword: x }
      |                                 ^^^^^^^ not a key of `express`
      |
      = help: did you mean `password`?
      = help: keys of `express`: `id`, `password`, `firmware`, `bms`, `can`
    "#);
}

#[test]
fn windows_line_ends_do_not_shift_the_line() {
    let error =
        refused("version: 1\r\ndevices:\r\n  - express:\r\n      id: a\r\n      cels: 3\r\n");
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `cels` in `express`
     --> demo.yaml:5:7
      |
    5 |       cels: 3
      |       ^^^^ not a key of `express`
      |
      = help: keys of `express`: `id`, `password`, `firmware`, `bms`, `can`
    ");
}

#[test]
fn a_byte_order_mark_does_not_shift_the_column() {
    let error = refused("\u{feff}version: one\n");
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `version`: wanted a whole number, found the text "one"
     --> demo.yaml:1:10
      |
    1 | version: one
      |          ^^^ wanted a whole number
    "#);
}

#[test]
fn a_key_that_is_a_number() {
    let error = refused("version: 1\n7: x\n");
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `7` at the top level
     --> demo.yaml:2:1
      |
    2 | 7: x
      | ^ not a key at the top level
      |
      = help: keys at the top level: `version`, `about`, `strict`, `range`, `devices`, `quirks`, `steps`, `client`, `expect`
    ");
}

#[test]
fn control_characters_in_a_key_are_not_printed() {
    let error = refused("version: 1\n\"\\e[31m\": x\n");
    insta::assert_snapshot!(error, @r#"
    error[E003]: unknown key `\u{1b}[31m` at the top level
     --> demo.yaml:2:1
      |
    2 | "\e[31m": x
      | ^^^^^^^^ not a key at the top level
      |
      = help: keys at the top level: `version`, `about`, `strict`, `range`, `devices`, `quirks`, `steps`, `client`, `expect`
    "#);
}

#[test]
fn a_block_text_of_several_lines() {
    let error = refused("version: 1\nstrict: |\n  yes\n  no\n");
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `strict`: wanted `true` or `false`, found the text "yes\nno\n"
     --> demo.yaml:2:1
      |
    2 | strict: |
      | ^^^^^^ wanted `true` or `false`
    "#);
}

#[test]
fn text_of_serde_in_a_text() {
    let error = refused("version: \"x, expected y \\\" z\"\n");
    insta::assert_snapshot!(error, @r#"
    error[E006]: wrong type for `version`: wanted a whole number, found the text "x, expected y \" z"
     --> demo.yaml:1:10
      |
    1 | version: "x, expected y \" z"
      |          ^^^^^^^^^^^^^^^^^^^^ wanted a whole number
    "#);
}

#[test]
fn a_number_too_large_for_any_type() {
    let error = refused(&good_but("cells: 20", "cells: 99999999999999999999"));
    insta::assert_snapshot!(error, @"
    error[E006]: wrong value for `cells`: wanted a whole number from 0 to 65535, found 99999999999999999999
     --> demo.yaml:8:21
      |
    8 |       bms: { cells: 99999999999999999999, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                     ^^^^^^^^^^^^^^^^^^^^ wanted a whole number from 0 to 65535
    ");
}

#[test]
fn a_number_without_its_unit_in_the_name() {
    let error = refused(&good_but("cell_voltage_v", "cell_voltage"));
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `cell_voltage` in `bms`
     --> demo.yaml:8:25
      |
    8 |       bms: { cells: 20, cell_voltage: 4.180, spread_mv: 8, temperatures_c: [27.5, 26.5] }
      |                         ^^^^^^^^^^^^ not a key of `bms`
      |
      = help: did you mean `cell_voltage_v`?
      = help: keys of `bms`: `cells`, `cell_voltage_v`, `spread_mv`, `temperatures_c`
    ");
}

#[test]
fn a_colon_with_a_tab() {
    let error = refused("version:\t1\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a colon without a space after it
     --> demo.yaml:1:10
      |
    1 | version:    1
      |             ^ here
      |
      = help: write `key: value`, with a space and no tab
    ");
}

#[test]
fn text_after_a_quote() {
    let error = refused("version: 1\nabout: \"this\" and that\n");
    insta::assert_snapshot!(error, @r#"
    error[E002]: not valid YAML: more text after the closing quote
     --> demo.yaml:2:15
      |
    2 | about: "this" and that
      |               ^ here
      |
      = help: put the whole text into one pair of quotes
    "#);
}

#[test]
fn a_list_in_the_middle_of_a_line() {
    let error = refused("version: 1\nsteps: - wait: 1s\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a list cannot start in the middle of a line
     --> demo.yaml:2:8
      |
    2 | steps: - wait: 1s
      |        ^ here
      |
      = help: start the list in the next line
    ");
}

#[test]
fn a_closing_bracket_too_many() {
    let error = refused("version: 1\nrange: [1, 2]]\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a bracket closes what was never opened
     --> demo.yaml:2:14
      |
    2 | range: [1, 2]]
      |              ^ here
      |
      = help: remove it, or put quotes around the text
    ");
}

#[test]
fn a_mapping_closed_wrongly() {
    let error = refused("version: 1\nrange: [1, 2}\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a bracket is not closed, or a comma is missing
     --> demo.yaml:2:13
      |
    2 | range: [1, 2}
      |             ^ here
      |
      = help: close every `[` and `{`, separate by commas
    ");
}

#[test]
fn a_missing_comma() {
    let error = refused("version: 1\ndevices:\n  - motor: { can_id: 84 hardware: x }\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a bracket is not closed, or a comma is missing
     --> demo.yaml:3:33
      |
    3 |   - motor: { can_id: 84 hardware: x }
      |                                 ^ here
      |
      = help: close every `[` and `{`, separate by commas
    ");
}

#[test]
fn a_bracket_open_to_the_end() {
    let error = refused("version: 1\nrange: [1, 2\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a bracket is not closed, or a comma is missing
     --> demo.yaml:2:12
      |
    2 | range: [1, 2
      |            ^ here
      |
      = help: close every `[` and `{`, separate by commas
    ");
}

#[test]
fn an_item_too_far_left() {
    let error =
        refused("version: 1\ndevices:\n    - motor: { can_id: 1 }\n  - motor: { can_id: 2 }\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: the line belongs to nothing above it
     --> demo.yaml:4:3
      |
    4 |   - motor: { can_id: 2 }
      |   ^ here
      |
      = help: indent it like the keys or items beside it
    ");
}

#[test]
fn a_key_between_two_indentations() {
    let error =
        refused("version: 1\ndevices:\n  - express:\n        id: a\n      bms: { cells: 1 }\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: the line belongs to nothing above it
     --> demo.yaml:5:7
      |
    5 |       bms: { cells: 1 }
      |       ^ here
      |
      = help: indent it like the keys or items beside it
    ");
}

#[test]
fn what_only_the_second_parser_refuses() {
    let error = refused("version: 1\nabout: &größe x\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: this character cannot be part of an anchor's name
     --> demo.yaml:2:11
      |
    2 | about: &größe x
      |           ^ here
      |
      = help: use letters without accents, digits, `-` and `_`
    ");
}

#[test]
fn a_yaml_version_that_is_unknown() {
    let error = refused("%YAML 1.3\n---\nversion: 1\n");
    insta::assert_snapshot!(error, @"
    error[E002]: not valid YAML: a version of YAML that is not known
     --> demo.yaml:1:1
      |
    1 | %YAML 1.3
      | ^ here
      |
      = help: remove the `%YAML` line
    ");
}

#[test]
fn a_lone_carriage_return() {
    let error = refused("version: 1\nabout: x\rcels: 3\n");
    insta::assert_snapshot!(error, @"
    error[E003]: unknown key `cels` at the top level
     --> demo.yaml:2:10
      |
    2 | about: x␍cels: 3
      |          ^^^^ not a key at the top level
      |
      = help: keys at the top level: `version`, `about`, `strict`, `range`, `devices`, `quirks`, `steps`, `client`, `expect`
    ");
}

#[test]
fn brackets_over_several_lines() {
    let error = refused(
        "version: 1\ndevices: [\n  { motor: { can_id: 1 } },\n  { moter: { can_id: 2 } },\n]\n",
    );
    insta::assert_snapshot!(error, @"
    error[E004]: unknown name `moter` in `devices`
     --> demo.yaml:4:5
      |
    4 |   { moter: { can_id: 2 } },
      |     ^^^^^ not a name that is known here
      |
      = help: did you mean `motor`?
      = help: known here: `express`, `motor`
    ");
}

#[test]
fn a_list_of_lists() {
    let error = refused("version: 1\nsteps:\n  -\n    - wait: 1s\n");
    insta::assert_snapshot!(error, @"
    error[E006]: wrong type for item 1 of `steps`: wanted a mapping, found a list
     --> demo.yaml:4:7
      |
    4 |     - wait: 1s
      |       ^^^^^^^^ wanted a mapping
      |
      = help: leave out the `- ` and write `key: value`
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
    let error = source
        .error_at(
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
    let error = source.error_at(
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
        drawn.len() < 4_000,
        "{} bytes are drawn for {begin:?}",
        drawn.len()
    );
    // Far above what it takes without optimisation on a busy machine, far below what a quadratic parser takes.
    assert!(taken.as_secs() < 20, "{taken:?} for {begin:?}");
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

fn unreadable(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    drawn_for(&path, folder.path())
}

fn drawn_for(path: &std::path::Path, folder: &std::path::Path) -> String {
    let error = read(path).unwrap_err();
    check(&error);
    error
        .to_string()
        .replace(&format!("{}/", folder.display()), "")
}

#[test]
fn a_file_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.yaml");
    std::fs::write(&path, GOOD).unwrap();
    assert_eq!(read(&path).unwrap(), GOOD);
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = drawn_for(&folder.path().join("none.yaml"), folder.path());
    insta::assert_snapshot!(drawn, @"
    error[E001]: no such file
    --> none.yaml
     = help: check the path, which starts from the current directory
    ");
}

#[test]
fn a_directory_is_not_a_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    std::fs::create_dir(&path).unwrap();
    let drawn = drawn_for(&path, folder.path());
    insta::assert_snapshot!(drawn, @"
    error[E001]: a directory is not a scenario
    --> all.yaml
     = help: name a YAML file in it
    ");
}

#[test]
fn a_file_that_is_too_large_is_refused_by_its_size() {
    let drawn = unreadable("large.yaml", &vec![b'#'; MAX_BYTES + 1]);
    insta::assert_snapshot!(drawn, @"
    error[E007]: the file is too large: 1048577 bytes or more, at most 1048576 are read
    --> large.yaml
     = help: split it into several scenarios
    ");
}

#[test]
fn a_file_in_another_encoding_shows_the_first_bad_byte() {
    let drawn = unreadable("latin.yaml", b"version: 1\nabout: Pr\xfcfstand\n");
    insta::assert_snapshot!(drawn, @"
    error[E001]: the file is not UTF-8: byte 0xfc
     --> latin.yaml:2:10
      |
    2 | about: Pr�fstand
      |          ^ this character is in another encoding
      |
      = help: save the file again with the encoding UTF-8
    ");
}

#[test]
fn a_file_in_utf_16_is_recognised() {
    let drawn = unreadable("wide.yaml", b"\xff\xfev\0e\0r\0");
    insta::assert_snapshot!(drawn, @"
    error[E001]: the file is UTF-16, wanted UTF-8
    --> wide.yaml
     = help: save it again with the encoding UTF-8
    ");
}
