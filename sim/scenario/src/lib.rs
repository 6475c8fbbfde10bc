//! Scenarios: YAML files that say what is at a hub, how it behaves, what a client does and what must be seen.
//!
//! ```text
//!  bytes -> yaml -> source (a tree with places) -> compose (include, --set) -> bind -> schema -> compile -> a hub
//!                                                                                         \-> lint -> warnings
//! ```
//!
//! * `source`: a text and the place of everything in it; `yaml` reads it, `compose` puts several together.
//! * `bind`: from the tree to the types of [`schema`], the words of the language; `error`: mistakes with their place.
//! * [`compile`]: what the words mean; `json_schema`: the words for editors.
//! * `lint`: what is odd, though it can be used; `code`: the stable codes of mistakes and oddities.
//! * `files`: where all files come from; `written`: a scenario that was changed, as a text again.

mod bind;
mod code;
pub mod compile;
mod compose;
mod error;
mod files;
mod json_schema;
mod lint;
pub mod schema;
mod source;
mod written;
mod yaml;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub use code::Code;
pub use compile::{Target, World};
pub use error::ScenarioError;
pub use files::Files;
pub use json_schema::json_schema;
pub use schema::Scenario;
pub use source::{Place, Source};
pub use veschub_hub::{duration, suggest::closest};
pub use written::Written;
pub use yaml::{MAX_BYTES, MAX_DEPTH};

use files::NoFiles;
use veschub_hub::{rng::Seed, suggest};

/// The scenario that needs no file.
const DEMO: &str = include_str!("demo.yaml");
/// The motor controller of `serve --demo-motor`.
const DEMO_MOTOR: &str = include_str!("demo-motor.yaml");

/// A scenario that was read and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub scenario: Scenario,
    source: Source,
    /// Where relative paths start.
    folder: PathBuf,
    files: Arc<dyn Files>,
}

impl Loaded {
    /// Reads a scenario file with some values replaced: `path=value`, as in `devices.0.express.bms.cells=12`.
    ///
    /// # Errors
    /// All mistakes, each with its place in the file or the setting: what cannot be read, is not a scenario, or
    /// contradicts itself.
    pub fn open(
        files: Arc<dyn Files>,
        path: &Path,
        settings: &[String],
    ) -> Result<Self, ScenarioError> {
        let text = files::read_text(&*files, path)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        Self::read(files, &path.display().to_string(), &text, folder, settings)
    }

    /// The scenario that needs no file: a pack, a motor controller, and a little current.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn demo() -> Result<Self, ScenarioError> {
        Self::demo_with(&[])
    }

    /// The scenario that needs no file, with some values replaced: `path=value`.
    ///
    /// # Errors
    /// With the place in a setting that cannot be applied.
    pub fn demo_with(settings: &[String]) -> Result<Self, ScenarioError> {
        Self::parse_with("demo.yaml", DEMO, settings)
    }

    /// A motor controller without a hub that needs no file, with some values replaced: `path=value`.
    ///
    /// # Errors
    /// With the place in a setting that cannot be applied.
    pub fn demo_motor_with(settings: &[String]) -> Result<Self, ScenarioError> {
        Self::parse_with("demo-motor.yaml", DEMO_MOTOR, settings)
    }

    /// Reads a scenario from text that names no files; `name` is what messages call it.
    ///
    /// # Errors
    /// All mistakes, each with its place in the text: what is not a scenario, or contradicts itself.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        Self::parse_with(name, text, &[])
    }

    /// Reads a scenario from text that names no files, with some values replaced: `path=value`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), also for the settings.
    pub fn parse_with(name: &str, text: &str, settings: &[String]) -> Result<Self, ScenarioError> {
        Self::read(Arc::new(NoFiles), name, text, Path::new("."), settings)
    }

    /// Reads a scenario from text with some values replaced; the files that it names are found from `folder` on.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(
        files: Arc<dyn Files>,
        name: &str,
        text: &str,
        folder: &Path,
        settings: &[String],
    ) -> Result<Self, ScenarioError> {
        let main = yaml::read(name, text)?;
        let source = compose::compose(main, folder, settings, &*files)?;
        let bound = bind::bind::<Scenario>(&source);
        let mut mistakes = bound.mistakes;
        if let Some(scenario) = &bound.value {
            let mut found = compile::check(scenario, &bound.source, &bound.broken);
            found.forget_in(&bound.broken);
            mistakes.append(found);
        }
        match (mistakes.into_error(), bound.value) {
            (None, Some(scenario)) => Ok(Self {
                scenario,
                source: bound.source,
                folder: folder.to_owned(),
                files,
            }),
            (Some(error), _) => Err(error),
            // Nothing is left out without a mistake.
            (None, None) => Err(ScenarioError::new(&source, None, "the file cannot be used")),
        }
    }

    /// Makes the hub and the devices; the seed decides all that is random in them.
    ///
    /// # Errors
    /// If a capture or a series that the scenario names cannot be used.
    pub fn build(&self, seed: Seed) -> Result<World, ScenarioError> {
        let surroundings = (self.folder.as_path(), &*self.files);
        compile::compile(&self.scenario, &self.source, surroundings, seed)
            .map_err(ScenarioError::while_building)
    }

    /// What is odd about the scenario, though it can be used.
    ///
    /// # Errors
    /// If the scenario cannot be built.
    pub fn warnings(&self) -> Result<Vec<ScenarioError>, ScenarioError> {
        let world = self.build(Seed(0))?;
        Ok(lint::lint(&self.scenario, &self.source, world))
    }

    /// What the scenario says, to be changed and written again: what it includes and what was set is in place.
    #[must_use]
    pub fn written(&self) -> Written {
        Written::of(&self.source)
    }

    /// The scenario's text, for pointing at places in it.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}
