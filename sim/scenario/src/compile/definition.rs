//! Mistakes that the definition of a device or a fault finds in its parameters, shown where they stand in the text.

use veschub_hub::mistake::{self, Step};

use crate::{
    error::{Mistakes, ScenarioError},
    source::{Place, Source},
};

/// Notes the mistakes that a definition finds in its parameters, which stand at this place.
pub(super) fn check_definition(
    place: &Place,
    source: &Source,
    mistakes: &mut Mistakes,
    look: impl FnOnce(&mut mistake::Mistakes),
) {
    let at = |path: &[Step], at_key: bool| {
        let place = path.iter().fold(place.clone(), |place, step| match *step {
            Step::Key(key) => place.key(key),
            Step::Index(index) => place.index(index),
        });
        if at_key { place.at_key() } else { place }
    };
    let mut found = mistake::Mistakes::default();
    look(&mut found);
    for mistake in found.found() {
        let mut error =
            ScenarioError::at(source, at(&mistake.path, mistake.at_key), mistake.message);
        if let Some(label) = mistake.label {
            error = error.label(label);
        }
        if let Some((path, at_key, label)) = mistake.also {
            error = error.also(at(&path, at_key), label);
        }
        mistakes.push(mistake.help.into_iter().fold(error, ScenarioError::help));
    }
}
