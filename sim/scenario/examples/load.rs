//! How long scenarios take to read, check and build: `cargo run --release -p veschub-sim --example load`.

use std::{error::Error, fmt::Write as _, time::Instant};

use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;

const DEVICES: usize = 1000;
const ROUNDS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut written = "version: 1\ndevices:\n".to_owned();
    for n in 0..DEVICES {
        writeln!(written, "  - express:\n      id: demo-{n:04}")?;
        writeln!(written, "      password: not-a-secret")?;
        writeln!(written, "      bms: {{ cells: 20, cell_voltage_v: 4.1 }}")?;
        writeln!(written, "      can:\n        - motor: {{ can_id: 84 }}")?;
    }
    let template = format!(
        "version: 1\ndevices:\n  - express:\n      id: \"demo-{{n:04}}\"\n      count: {DEVICES}\n      \
         password: not-a-secret\n      bms: {{ cells: 20, cell_voltage_v: 4.1 }}\n"
    );
    let set = ["about=set from outside".to_owned()];
    measure("written out", &written, &[])?;
    measure("written out, one value set", &written, &set)?;
    measure("from a template", &template, &[])
}

fn measure(name: &str, text: &str, settings: &[String]) -> Result<(), Box<dyn Error>> {
    let (mut read, mut built) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let loaded = Loaded::parse_with("load.yaml", text, settings)?;
        read.push(start.elapsed());
        let world = loaded.build(Seed(0))?;
        built.push(start.elapsed());
        assert_eq!(world.targets.len(), DEVICES);
    }
    read.sort();
    built.sort();
    println!(
        "{DEVICES} devices, {name} ({} KiB): read and checked in {:.1?}, with building {:.1?} (median of {ROUNDS})",
        text.len() / 1024,
        read[ROUNDS / 2],
        built[ROUNDS / 2],
    );
    Ok(())
}
