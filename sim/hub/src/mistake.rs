//! Mistakes in the parameters of a device or a fault, as its definition finds them. Whoever read the parameters from a text knows
//! where each of them stands, and shows the mistake there.

use std::ops::RangeInclusive;

/// One step on the way to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(&'static str),
    /// To an item of a list; the first is 0.
    Index(usize),
}

impl From<&'static str> for Step {
    fn from(key: &'static str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A mistake: what is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The way to what is wrong.
    pub path: Vec<Step>,
    /// Whether the last key itself is wrong, and not its value.
    pub at_key: bool,
    /// What is wrong.
    pub message: String,
    /// A few words for the place.
    pub label: Option<&'static str>,
    /// The way to another parameter that has to do with it, whether its key is meant, and a few words for it.
    pub also: Option<(Vec<Step>, bool, &'static str)>,
    /// What to do.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake that is not in a single key.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            at_key: false,
            message: message.into(),
            label: None,
            also: None,
            help: None,
        }
    }

    /// A mistake in the value of a key.
    pub(crate) fn at(key: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: vec![Step::Key(key)],
            ..Self::new(message)
        }
    }

    /// The same mistake in an element of the key's list.
    pub(crate) fn item(mut self, index: usize) -> Self {
        self.path.push(Step::Index(index));
        self
    }

    /// The same mistake, and a key that has to do with it.
    pub(crate) fn beside(mut self, key: &'static str, how: &'static str) -> Self {
        self.also = Some((vec![Step::Key(key)], false, how));
        self
    }

    /// The same mistake, and what to do about it.
    pub(crate) fn helped(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The last key is wrong, not its value.
    pub fn at_key(&mut self) -> &mut Self {
        self.at_key = true;
        self
    }

    /// A few words for the place.
    pub fn label(&mut self, label: &'static str) -> &mut Self {
        self.label = Some(label);
        self
    }

    /// What to do.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }
}

/// The mistakes that were found so far, in the order of the checks.
#[derive(Debug, Default)]
pub struct Mistakes {
    here: Vec<Step>,
    found: Vec<Mistake>,
}

impl Mistakes {
    /// What was found.
    #[must_use]
    pub fn found(self) -> Vec<Mistake> {
        self.found
    }

    /// Looks at what stands below a key or an item.
    pub fn inside(&mut self, step: impl Into<Step>, look: impl FnOnce(&mut Self)) {
        self.here.push(step.into());
        look(self);
        self.here.pop();
    }

    /// Looks at each item of a list.
    pub(crate) fn each<T>(&mut self, key: &'static str, items: &[T], look: impl Fn(&T, &mut Self)) {
        self.inside(key, |mistakes| {
            for (index, item) in items.iter().enumerate() {
                mistakes.inside(index, |mistakes| look(item, mistakes));
            }
        });
    }

    /// Adds a mistake in the value of a key or in an item.
    pub fn add(&mut self, step: impl Into<Step>, message: impl Into<String>) -> &mut Mistake {
        let path = self.way_to(step);
        self.push(path, message)
    }

    /// Adds a mistake in what is looked at as a whole.
    pub fn add_here(&mut self, message: impl Into<String>) -> &mut Mistake {
        let path = self.here.clone();
        self.push(path, message)
    }

    /// Adds the mistake that a check found, if it found one; its way starts at what is looked at.
    pub(crate) fn note(&mut self, checked: Option<Mistake>) {
        if let Some(mut mistake) = checked {
            let from_here = |way: Vec<Step>| [&self.here[..], &way].concat();
            mistake.path = from_here(mistake.path);
            mistake.also = mistake
                .also
                .map(|(way, at_key, how)| (from_here(way), at_key, how));
            self.found.push(mistake);
        }
    }

    fn push(&mut self, path: Vec<Step>, message: impl Into<String>) -> &mut Mistake {
        self.found.push(Mistake {
            path,
            ..Mistake::new(message)
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// The way to a key or an item of what is looked at.
    #[must_use]
    pub fn way_to(&self, step: impl Into<Step>) -> Vec<Step> {
        let mut path = self.here.clone();
        path.push(step.into());
        path
    }

    /// Refuses a number out of range, `NaN` too.
    pub fn range(&mut self, step: impl Into<Step>, value: f64, range: RangeInclusive<f64>) {
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            let message = format!("{value} is out of range: wanted {low} to {high}");
            self.add(step, message);
        }
    }
}
