//! `scenario_file`: a scenario is refused with the place of each mistake, or it is built, checked, run and judged.
//!
//! The reference client plays it in virtual time, but not for long.

use std::time::Duration;

use veschub_hub::rng::Seed;
use veschub_scenario::{Loaded, schema};

use super::assert_json;
use crate::{
    report::{scenario_json, scenarios},
    run::{self, Bounds, Mode, Way},
};

/// The most devices: a scenario may have thousands, which take their time to make.
const MAX_DEVICES: usize = 20;
/// How far a run goes.
const BOUNDS: Bounds = Bounds {
    longest: Duration::from_secs(20),
    entries: 2000,
    bytes: 1 << 20,
};

/// Reads a scenario, looks for what is odd about it, and runs it.
///
/// # Panics
/// If something does not hold.
pub fn scenario_file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let loaded = match Loaded::parse("fuzz.yaml", text) {
        Ok(loaded) => loaded,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let devices = loaded.scenario.devices.iter().map(|device| match device {
        schema::Device::Express(express) => express.count.unwrap_or(1),
        _ => 1,
    });
    if devices.sum::<usize>() > MAX_DEVICES {
        return;
    }
    for odd in loaded.warnings().unwrap_or_default() {
        assert!(!odd.to_string().is_empty());
    }
    let way = Way::reference(Seed(0), Mode::Virtual);
    match run::run_within("fuzz", &loaded, &way, BOUNDS) {
        Ok(run) => {
            assert_json(&scenario_json::json_line(&run));
            let runs = [run];
            let _ = (scenarios::story(&runs[0]), scenarios::failure(&runs[0]));
            let _ = (
                scenarios::table(&runs),
                scenarios::summary(&runs),
                scenarios::unread(&runs),
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
