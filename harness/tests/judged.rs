//! What `veschub-sim commands` says is judged is what the battery looks at.
//!
//! `VESCHUB_UPDATE=1 cargo test -p veschub-harness --test judged` writes the list anew.

use std::{collections::BTreeSet, env, error::Error, fs, path::Path};

use veschub_harness::conformance::{Carrier, Case, sections};
use veschub_hub::CommandName;
use veschub_scenario::schema::{Client, Expectation, KeepBy};
use veschub_wire::CommandId;

/// The commands that a case looks at by itself. A case that any reply can carry looks at none of them in particular.
fn commands(case: &Case) -> Result<BTreeSet<CommandId>, Box<dyn Error>> {
    let mut commands = BTreeSet::new();
    if let Some(compare) = case.compare().filter(|_| !case.is_carried()) {
        commands.insert(compare.of(Carrier::Bms));
    }
    let scenario = &case.load(Carrier::Bms)?.scenario;
    let (set, kept_by) = match &scenario.client {
        Client::Drive(drive) => (drive.setting(), None),
        Client::KeepAlive(keep) => (keep.setting(), Some(keep.by)),
        _ => (None, None),
    };
    commands.extend(set.map(|setting| CommandId(setting.payload()[0])));
    commands.extend((kept_by == Some(KeepBy::Alive)).then_some(CommandId::ALIVE));
    for expectation in &scenario.expect {
        match expectation {
            Expectation::Value(value) => drop(commands.insert(value.of.0)),
            Expectation::Trend(trend) => drop(commands.insert(trend.of.0)),
            Expectation::Requests(names) | Expectation::ReplyOrder(names) => {
                commands.extend(names.iter().map(|CommandName(id)| *id));
            }
            Expectation::RequestCount(count) | Expectation::Unanswered(count) => {
                commands.insert(count.of.0);
            }
            Expectation::ReplyLength(length) => drop(commands.insert(length.of.0)),
            Expectation::ReplyTo(name) | Expectation::NoReplyTo(name) => {
                commands.insert(name.0);
            }
            _ => {}
        }
    }
    Ok(commands)
}

#[test]
fn the_list_of_judged_commands_is_that_of_the_battery() -> Result<(), Box<dyn Error>> {
    let mut list = String::new();
    for case in sections()?.iter().flat_map(|section| &section.cases) {
        for command in commands(case)? {
            list += &format!("{} {command}\n", case.id());
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/src/cli/judged.txt");
    if env::var_os("VESCHUB_UPDATE").is_some() {
        fs::write(&path, list)?;
        return Ok(());
    }
    assert!(
        list == fs::read_to_string(&path)?,
        "{} is out of date: run this with VESCHUB_UPDATE=1",
        path.display()
    );
    Ok(())
}
