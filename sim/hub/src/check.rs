//! Mistakes in the parameters of a fault or a quirk. Whoever read the parameters knows where they stand and points
//! there; a definition only names the key.

use crate::duration::Duration;

/// A mistake in parameters: where it is, what is wrong, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where it is.
    pub at: Spot,
    /// What is wrong.
    pub message: String,
    /// Another place that has to do with it, and how.
    pub also: Option<(Spot, &'static str)>,
    /// What helps.
    pub help: Option<&'static str>,
}

/// What a check says.
pub type Checked = Result<(), Wrong>;

/// A place in parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The way there; without a step, all the parameters.
    pub steps: Vec<Step>,
    /// Whether the key itself is meant, and not its value.
    pub at_key: bool,
}

/// One step to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the value of this key.
    Key(&'static str),
    /// To this element of a list.
    Index(usize),
}

impl Spot {
    fn key(key: &'static str) -> Self {
        Self {
            steps: vec![Step::Key(key)],
            at_key: false,
        }
    }
}

impl Wrong {
    /// A mistake that is not in a single key.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            at: Spot::default(),
            message: message.into(),
            also: None,
            help: None,
        }
    }

    /// A mistake in the value of a key.
    pub(crate) fn at(key: &'static str, message: impl Into<String>) -> Self {
        Self {
            at: Spot::key(key),
            ..Self::new(message)
        }
    }

    /// The same mistake in an element of the key's list.
    pub(crate) fn item(mut self, index: usize) -> Self {
        self.at.steps.push(Step::Index(index));
        self
    }

    pub(crate) fn also(mut self, key: &'static str, how: &'static str) -> Self {
        self.also = Some((Spot::key(key), how));
        self
    }

    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// The same mistake, seen from the map that has these parameters under a key.
    pub(crate) fn inside(mut self, key: &'static str) -> Self {
        self.at.steps.insert(0, Step::Key(key));
        if let Some((spot, _)) = &mut self.also {
            spot.steps.insert(0, Step::Key(key));
        }
        self
    }
}

/// Refuses a number that is given and outside of a range.
pub(crate) fn range(
    key: &'static str,
    given: impl Into<Option<usize>>,
    least: usize,
    most: usize,
) -> Checked {
    match given.into() {
        Some(number) if !(least..=most).contains(&number) => Err(Wrong::at(
            key,
            format!("{number} is out of range: wanted {least} to {most}"),
        )),
        _ => Ok(()),
    }
}

/// Refuses a count of nothing.
pub(crate) fn counted(key: &'static str, given: Option<u64>) -> Checked {
    match given {
        Some(0) => Err(
            Wrong::at(key, format!("`{key}` counts from 1, so 0 never comes"))
                .help("the first one is 1"),
        ),
        _ => Ok(()),
    }
}

/// Refuses a time of no length, `so` that nothing comes of it.
pub(crate) fn lasting(key: &'static str, given: impl Into<Option<Duration>>, so: &str) -> Checked {
    match given.into() {
        Some(Duration(0)) => Err(Wrong::at(key, format!("a time of 0 s {so}"))),
        _ => Ok(()),
    }
}

/// Refuses two keys that are given and exclude each other.
pub(crate) fn not_both(keys: [(&'static str, bool); 2]) -> Checked {
    let [(first, first_given), (second, second_given)] = keys;
    if !first_given || !second_given {
        return Ok(());
    }
    let message = format!("`{first}` and `{second}` contradict each other");
    let mut wrong = Wrong::at(second, message)
        .also(first, "the other one")
        .help("keep one of them");
    wrong.at.at_key = true;
    if let Some((spot, _)) = &mut wrong.also {
        spot.at_key = true;
    }
    Err(wrong)
}
