//! Bodies of the fuzz targets, and of the test that replays what they once found: everything that this program reads.
//!
//! An input is a file or the lines of a client, as they are.

mod journal;
mod reading;
mod report;
mod scenario;

use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;
use veschub_wire::fuzzing::Target;

pub use self::{
    journal::journal_file, reading::reading_line, report::report_file, scenario::scenario_file,
};
use crate::{
    judge::Played,
    run::{self, Mode, RunError, Way},
};

/// The targets of this crate, and what each does with an input.
pub const TARGETS: &[Target] = &[
    ("journal_file", journal_file),
    ("reading_line", reading_line),
    ("report_file", report_file),
    ("scenario_file", scenario_file),
];

/// A session in which a client is told all that a reading can be about.
const SESSION: &str = "
version: 1
devices:
  - express:
      id: demo-0001
      password: not-a-secret
      firmware: \"6.06\"
      bms: { cells: 3, temperatures_c: [27.5, -5.25], status: ok }
      can:
        - motor: { can_id: 84, hardware: DEMO-MOTOR, erpm: 9800 }
client:
  send:
    requests:
      - FW_VERSION
      - PING_CAN
      - BMS_GET_VALUES
      - FORWARD_CAN 84 GET_VALUES
      - FORWARD_CAN 84 GET_VALUES_SETUP
";

/// That session as the reference client plays it: its journal and its lines, which are seeds as well.
///
/// # Errors
/// If it cannot be played.
pub fn played() -> Result<Played, RunError> {
    let loaded = Loaded::parse("session.yaml", SESSION)?;
    let way = Way::reference(Seed(0), Mode::Virtual);
    let played = run::run("session", &loaded, &way)?.played;
    played.ok_or(RunError::OnlyReference)
}

/// Checks that a text is one value of JSON.
fn assert_json(text: &str) {
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    assert!(value.is_ok(), "this is no JSON: {text}");
}
