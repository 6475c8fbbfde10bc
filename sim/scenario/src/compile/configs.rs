//! The files that the configurations of motor controllers name: descriptions of their fields, and recorded bytes.

use std::{io::Read as _, path::Path};

use crate::{
    error::ScenarioError,
    files::Files,
    source::{Place, Source},
};
use veschub_hub::device::{ConfigSettings, Configured, LoadError, NodeSettings};
use veschub_wire::{command::ConfigKind, description::MAX_XML};

/// Makes the configurations of a node; `place` is where the node's keys stand, and relative paths start at the folder.
pub(super) fn load_configs(
    node: &dyn NodeSettings,
    place: &Place,
    source: &Source,
    world: (&Path, &dyn Files),
) -> Result<(), ScenarioError> {
    for (key, kind, config) in node.configs() {
        // What is not written down has defaults there and in the description, and those of the description win.
        let mut beside = node.configured(kind);
        beside.retain(|one| source.has(&below(place, one.keys)));
        load(kind, (key, config), &beside, place, source, world)?;
    }
    Ok(())
}

fn below(place: &Place, keys: &[&str]) -> Place {
    keys.iter()
        .fold(place.clone(), |place, key| place.key(*key))
}

fn load(
    kind: ConfigKind,
    (key, config): (&str, &ConfigSettings),
    beside: &[Configured],
    node: &Place,
    source: &Source,
    (folder, files): (&Path, &dyn Files),
) -> Result<(), ScenarioError> {
    let place = node.clone().key(key);
    let text = |key: &str, name: &Option<String>| {
        let Some(name) = name else {
            return Ok(None);
        };
        let path = folder.join(name);
        read(files, &path).map(Some).map_err(|problem| {
            let message = format!("{}: {problem}", path.display());
            ScenarioError::at(source, place.clone().key(key), message)
                .help("a relative path starts at the scenario's folder")
        })
    };
    let description = text("description", &config.description)?;
    let bytes = text("bytes_file", &config.bytes_file)?;
    config
        .load(kind, description.as_deref(), bytes.as_deref(), beside)
        .map_err(|error| {
            let steps = error.place(bytes.is_some());
            let place = match error {
                LoadError::Beside { keys, .. } => below(node, keys),
                _ => below(&place, &steps),
            };
            let message = match (&config.description, steps.first()) {
                (Some(name), Some(&"description")) => format!("{name}: {error}"),
                _ => error.to_string(),
            };
            let mistake = ScenarioError::at(source, place, message);
            match error.meant(config.description.as_deref().and(description.as_deref())) {
                Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
                None => mistake,
            }
        })
}

/// The text of a file, if it is not too large.
fn read(files: &dyn Files, path: &Path) -> Result<String, String> {
    let file = files
        .open(path)
        .map_err(|error| format!("cannot open it: {error}"))?;
    let mut text = String::new();
    // One byte more than is taken, so that a file that is too large is noticed.
    file.take(MAX_XML as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot read it as text: {error}"))?;
    Ok(text)
}
