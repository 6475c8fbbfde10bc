//! Scenarios: YAML files that say what is at a hub, how it behaves, what a client does and what must be seen.
//!
//! * `source`: YAML text with the place of everything in it; `error`: mistakes that point at their place.
//! * [`schema`]: the words of the language; [`compile`]: what they mean; `json_schema`: the words for editors.
//! * `lint`: what is odd, though it can be used; `code`: the stable codes of mistakes and oddities.

mod code;
pub mod compile;
mod error;
mod json_schema;
mod lint;
pub mod schema;
mod source;

use std::{
    error::Error,
    path::{Path, PathBuf},
};

pub use code::Code;
pub use compile::{Target, World};
pub use error::ScenarioError;
pub use json_schema::json_schema;
pub use schema::Scenario;
pub use source::{MAX_BYTES, MAX_DEPTH, Place, Source};
pub use veschub_hub::{duration, suggest::closest};

use veschub_hub::{device::Device, rng::Seed, suggest};
use veschub_transcript::Transcript;

/// The scenario that needs no file.
const DEMO: &str = include_str!("demo.yaml");

/// A scenario that was read and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub scenario: Scenario,
    source: Source,
    /// Where relative paths start.
    folder: PathBuf,
    /// Infers what a recording does not say; see [`with_stand_in`](Self::with_stand_in).
    stand_in: Option<StandIn>,
}

/// Infers a device from a recording, so that it can answer what the recording does not hold: the transcript, the
/// device's id in it, and the seed.
pub type StandIn = fn(&Transcript, Option<&str>, Seed) -> Result<Box<dyn Device>, Box<dyn Error>>;

impl Loaded {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// With the place in the file, if it cannot be read, is not a scenario or contradicts itself.
    pub fn open(path: &Path) -> Result<Self, ScenarioError> {
        Self::open_with(path, &[])
    }

    /// Reads a scenario file with some values replaced: `path=value`, as in `devices.0.express.bms.cells=12`.
    ///
    /// # Errors
    /// With the place in the file or the setting, if either cannot be read, or together they are not a scenario or
    /// contradict themselves.
    pub fn open_with(path: &Path, settings: &[String]) -> Result<Self, ScenarioError> {
        let text = source::read(path)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        Self::parse_with(&path.display().to_string(), &text, folder, settings)
    }

    /// The scenario that needs no file: a pack, a motor controller, and a little current.
    ///
    /// # Errors
    /// None; the type is the same as for a file's sake.
    pub fn demo() -> Result<Self, ScenarioError> {
        Self::demo_with(&[])
    }

    /// The scenario that needs no file, with some values replaced: `path=value`.
    ///
    /// # Errors
    /// With the place in a setting that cannot be applied.
    pub fn demo_with(settings: &[String]) -> Result<Self, ScenarioError> {
        Self::parse_with("demo.yaml", DEMO, Path::new("."), settings)
    }

    /// Reads a scenario from text; `name` is what messages call it.
    ///
    /// # Errors
    /// With the place in the text, if it is not a scenario or contradicts itself.
    pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Self, ScenarioError> {
        Self::parse_with(name, text, folder, &[])
    }

    /// Reads a scenario from text with some values replaced: `path=value`.
    ///
    /// # Errors
    /// With the place in the text or the setting, if either cannot be read, or together they are not a scenario or
    /// contradict themselves.
    pub fn parse_with(
        name: &str,
        text: &str,
        folder: &Path,
        settings: &[String],
    ) -> Result<Self, ScenarioError> {
        let (scenario, source) = source::parse_whole(name, text, folder, settings)?;
        compile::check(&scenario, &source)?;
        Ok(Self {
            scenario,
            source,
            folder: folder.to_owned(),
            stand_in: None,
        })
    }

    /// The same scenario, able to play `replay: { unknown: synthetic }`: this infers the devices for it.
    #[must_use]
    pub fn with_stand_in(mut self, stand_in: StandIn) -> Self {
        self.stand_in = Some(stand_in);
        self
    }

    /// Makes the hub and the devices; the seed decides all that is random in them.
    ///
    /// # Errors
    /// If a capture that the scenario names cannot be used.
    pub fn build(&self, seed: Seed) -> Result<World, ScenarioError> {
        compile::compile(
            &self.scenario,
            &self.source,
            &self.folder,
            seed,
            self.stand_in,
        )
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

    /// The scenario's text, for pointing at places in it.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}
