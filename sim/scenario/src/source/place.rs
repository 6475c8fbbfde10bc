//! Places in a scenario, as the checks name them: `devices`, item 0, `express`, `id`.

/// Where in a scenario: a path of keys and item numbers, and whether the key or the value is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub(crate) steps: Vec<Step>,
    pub(crate) at_key: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key, or an item by its number in words.
    Name(String),
    /// An item of a list, counted from 0.
    Index(usize),
    /// The value of the only key.
    Only,
}

impl Place {
    /// The document as a whole.
    pub fn root() -> Self {
        Self::default()
    }

    /// Goes on to the value of a key.
    #[must_use]
    pub fn key(self, name: impl Into<String>) -> Self {
        self.step(Step::Name(name.into()))
    }

    /// Goes on to an item of a list, counted from 0.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// Goes on to the value of the only key, whatever its name: what an enum holds in `- express: {...}`.
    #[must_use]
    pub fn only(self) -> Self {
        self.step(Step::Only)
    }

    /// Means the last key itself, not its value.
    #[must_use]
    pub fn at_key(mut self) -> Self {
        self.at_key = true;
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

/// Keys, and item numbers from 0, as plain words: `&["devices", "1", "express", "id"]`.
impl From<&[&str]> for Place {
    fn from(words: &[&str]) -> Self {
        let steps = words
            .iter()
            .map(|word| Step::Name((*word).to_owned()))
            .collect();
        Self {
            steps,
            at_key: false,
        }
    }
}

/// Keys, and item numbers from 0, as plain words: `&["devices", "1", "express", "id"]`.
impl<const N: usize> From<&[&str; N]> for Place {
    fn from(words: &[&str; N]) -> Self {
        Self::from(words.as_slice())
    }
}
