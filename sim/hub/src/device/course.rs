//! Values that somebody sets: pinned, ramped or given as a series, whatever the device does.

use std::{collections::BTreeMap, ops::Deref, sync::Arc, time::Duration};

use serde::Deserialize;

use super::steer::{Origin, Pinned, Release, SetCommand, SetError};
use crate::{duration, mistake::Mistakes, time::Time};

/// A value that is reported whatever the device does: `to` pins it, `from`, `to` and `over` ramp it, `series` reads it
/// from a file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetValue<F> {
    /// The field, by its name in readings.
    pub field: F,
    /// Which element, for a list; the first is 0, as in `expect`. Without it, all of them.
    #[serde(default)]
    pub item: Option<usize>,
    /// From when on, from the start of the run.
    #[serde(default)]
    pub at: duration::Duration,
    /// The value, or a ramp's last one.
    #[serde(default)]
    pub to: Option<f64>,
    /// A ramp's first value.
    #[serde(default)]
    pub from: Option<f64>,
    /// How long a ramp takes.
    #[serde(default)]
    pub over: Option<duration::Duration>,
    /// A CSV file with the columns `time_s` and `value`, times from `at` on; a relative path starts at the scenario's
    /// folder. Between two rows the value goes straight, after the last row it stays.
    #[serde(default)]
    pub series: Option<String>,
}

impl<F> SetValue<F> {
    /// What is set from now on, as a scenario would say it.
    pub(in crate::device) fn steered(command: &SetCommand, now: Time) -> Result<Self, SetError>
    where
        F: Named,
    {
        Ok(Self {
            field: F::find(&command.field)?,
            item: command.item,
            at: duration::Duration(now.as_nanos()),
            to: command.to,
            from: command.from,
            over: command.over,
            series: None,
        })
    }

    /// Refuses what says neither a value, a ramp nor a series.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        for (key, number) in [("to", self.to), ("from", self.from)] {
            if number.is_some_and(|number| !number.is_finite()) {
                mistakes.add(key, "not a finite number");
            }
        }
        let given = (
            self.to.is_some(),
            self.from.is_some(),
            self.over.is_some(),
            self.series.is_some(),
        );
        if !matches!(
            given,
            (true, false, false, false) | (true, true, true, false) | (false, false, false, true)
        ) {
            mistakes
                .add_here("this says neither a value, a ramp nor a series")
                .help("pin it with `to`, ramp it with `from`, `to` and `over`, or name a CSV file with `series`");
        }
    }

    /// Refuses an item of a field that has none or not so many; `count` is how many a list has.
    pub(in crate::device) fn check_item(
        &self,
        item: usize,
        name: &str,
        count: Option<usize>,
        mistakes: &mut Mistakes,
    ) {
        match count {
            None => {
                let message = format!("`{name}` is one value and has no items");
                mistakes.add("item", message).at_key();
            }
            Some(count) if item >= count => {
                let message =
                    format!("`{name}` has {count} items, and none with the number {item}");
                mistakes.add("item", message).help("the first item is 0");
            }
            Some(_) => {}
        }
    }
}

/// Moments since a series was set, earliest first, and the values then; many devices may play one series.
pub type Points = Arc<[(Duration, f64)]>;

/// The series that devices play, by the files that scenarios name.
pub type Series = BTreeMap<String, Points>;

/// How a value goes on from the moment it is set.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::device) enum Course {
    /// The same from now on.
    Pinned(f64),
    /// From one value to another, then the same from then on.
    Ramp {
        /// The first value.
        from: f64,
        /// The last value.
        to: f64,
        /// The time between them.
        over: Duration,
    },
    /// Through these points, earliest first, straight from each to the next, then the last one's value.
    Series(Points),
}

impl Course {
    /// The value this long after it was set; `None` before a series begins.
    fn value(&self, since: Duration) -> Option<f64> {
        match self {
            Self::Pinned(value) => Some(*value),
            Self::Ramp { from, to, over } if since < *over => {
                let share = since.as_secs_f64() / over.as_secs_f64();
                Some(from + (to - from) * share)
            }
            Self::Ramp { to, .. } => Some(*to),
            Self::Series(points) => {
                let after = points.partition_point(|(at, _)| *at <= since);
                let (start, from) = *points.get(after.checked_sub(1)?)?;
                let Some((end, to)) = points.get(after) else {
                    return Some(from);
                };
                let share = (since - start).as_secs_f64() / (*end - start).as_secs_f64();
                Some(from + (to - from) * share)
            }
        }
    }
}

/// A field that is set from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::device) struct Setting<F> {
    pub(in crate::device) field: F,
    /// Which element of a list, the first is 0; `None` is all of them.
    pub(in crate::device) item: Option<usize>,
    pub(in crate::device) at: Time,
    pub(in crate::device) course: Course,
}

/// The files that values name, each with the place of its value in the list.
pub(in crate::device) fn files<F>(set: &[SetValue<F>]) -> Vec<(usize, &str)> {
    let all = set.iter().enumerate();
    all.filter_map(|(index, value)| Some((index, value.series.as_deref()?)))
        .collect()
}

impl<F: Copy> Setting<F> {
    /// A value that is the same from the start on.
    pub(in crate::device) fn pinned(field: F, value: f64) -> Self {
        Self {
            field,
            item: None,
            at: Time::ZERO,
            course: Course::Pinned(value),
        }
    }

    /// The value that a field is set to at a moment; of several settings the last one that began.
    pub(in crate::device) fn last(settings: &[Self], field: F, at: Time) -> Option<f64>
    where
        F: PartialEq,
    {
        let settings = settings.iter().rev();
        settings
            .filter(|setting| setting.field == field)
            .find_map(|setting| setting.value(at))
    }

    /// What a scenario sets. A series that is not among these never begins.
    pub(in crate::device) fn new(value: &SetValue<F>, series: &Series) -> Self {
        let course = match (&value.series, value.from, value.to, value.over) {
            (Some(file), ..) => {
                Course::Series(series.get(file).cloned().unwrap_or_else(|| Arc::new([])))
            }
            (None, Some(from), Some(to), Some(over)) => Course::Ramp {
                from,
                to,
                over: over.into(),
            },
            (None, _, to, _) => Course::Pinned(to.unwrap_or_default()),
        };
        Self {
            field: value.field,
            item: value.item,
            at: value.at.get().into(),
            course,
        }
    }

    /// The moments at which it begins and ends to change the value.
    pub(in crate::device) fn changes(&self) -> impl Iterator<Item = Time> {
        let ends = match &self.course {
            Course::Pinned(_) => None,
            Course::Ramp { over, .. } => Some(*over),
            Course::Series(points) => points.last().map(|&(at, _)| at),
        };
        [Some(self.at), ends.map(|span| self.at + span)]
            .into_iter()
            .flatten()
    }

    /// Whether it changes the value at this moment all the time.
    pub(in crate::device) fn moves(&self, now: Time) -> bool {
        let ends = self.changes().max();
        self.at <= now && ends.is_some_and(|ends| now < ends)
    }

    /// The value at a moment; `None` before it is set.
    pub(in crate::device) fn value(&self, now: Time) -> Option<f64> {
        if now < self.at {
            return None;
        }
        self.course.value(now - self.at)
    }
}

/// A field, with its name in readings.
pub(in crate::device) trait Named: Copy + PartialEq + 'static {
    /// All names.
    const NAMES: &'static [&'static str];

    /// Its name.
    fn name(self) -> &'static str;

    /// The field with this name.
    fn named(name: &str) -> Option<Self>;

    /// The same, or who could be meant.
    fn find(name: &str) -> Result<Self, SetError> {
        Self::named(name).ok_or_else(|| SetError::no_field(name, Self::NAMES))
    }
}

/// The values of a device that are set: first what its scenario sets, then what was set while it ran, which wins.
#[derive(Clone, Debug)]
pub(in crate::device) struct Settings<F> {
    all: Vec<Setting<F>>,
    /// How many of them the scenario brought.
    given: usize,
}

impl<F> From<Vec<Setting<F>>> for Settings<F> {
    fn from(all: Vec<Setting<F>>) -> Self {
        Self {
            given: all.len(),
            all,
        }
    }
}

impl<F> Deref for Settings<F> {
    type Target = [Setting<F>];

    fn deref(&self) -> &[Setting<F>] {
        &self.all
    }
}

impl<F: Named> Settings<F> {
    /// Sets a value; what was set there before while the device ran is forgotten.
    pub(in crate::device) fn set(&mut self, value: &SetValue<F>) {
        let new = Setting::new(value, &Series::new());
        let steered = self.all.split_off(self.given).into_iter();
        let covered = |old: &Setting<F>| {
            old.field == new.field && (new.item.is_none() || old.item == new.item)
        };
        self.all.extend(steered.filter(|old| !covered(old)));
        self.all.push(new);
    }

    /// Forgets values that were set while the device ran.
    pub(in crate::device) fn release(&mut self, release: &Release) -> Result<(), SetError> {
        let field = release.field.as_deref().map(F::find).transpose()?;
        let before = self.all.len();
        let steered = self.all.split_off(self.given).into_iter();
        let is_meant = |old: &Setting<F>| {
            field.is_none_or(|field| old.field == field)
                && (release.item.is_none() || old.item == release.item)
        };
        self.all.extend(steered.filter(|old| !is_meant(old)));
        match (self.all.len() == before, field) {
            (true, Some(field)) => Err(SetError::NotSet(field.name().to_owned())),
            _ => Ok(()),
        }
    }

    /// The values that are set at this moment.
    pub(in crate::device) fn pinned(&self, now: Time) -> Vec<Pinned> {
        let pinned = |(index, setting): (usize, &Setting<F>)| {
            Some(Pinned {
                field: setting.field.name(),
                item: setting.item,
                to: setting.value(now)?,
                by: match index < self.given {
                    true => Origin::Scenario,
                    false => Origin::Control,
                },
            })
        };
        self.all.iter().enumerate().filter_map(pinned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: f64) -> Time {
        Time::ZERO + Duration::from_secs_f64(count)
    }

    fn setting(at: f64, course: Course) -> Setting<()> {
        Setting {
            field: (),
            item: None,
            at: seconds(at),
            course,
        }
    }

    #[test]
    fn a_ramp_begins_at_its_time_goes_straight_and_holds_its_end() {
        let ramp = Course::Ramp {
            from: 4.0,
            to: 3.0,
            over: Duration::from_secs(10),
        };
        let ramp = setting(5.0, ramp);
        assert_eq!(ramp.value(seconds(4.999)), None);
        assert_eq!(ramp.value(seconds(5.0)), Some(4.0));
        assert_eq!(ramp.value(seconds(10.0)), Some(3.5));
        assert_eq!(ramp.value(seconds(15.0)), Some(3.0));
        assert_eq!(ramp.value(seconds(1e9)), Some(3.0));
    }

    #[test]
    fn a_series_goes_straight_from_point_to_point_and_holds_the_last() {
        let point = |at, value| (Duration::from_secs(at), value);
        let points = vec![point(1, 0.0), point(3, 10.0), point(3, 20.0), point(5, 0.0)];
        let series = setting(1.0, Course::Series(points.into()));
        assert_eq!(series.value(seconds(1.5)), None);
        assert_eq!(series.value(seconds(2.0)), Some(0.0));
        assert_eq!(series.value(seconds(3.0)), Some(5.0));
        assert_eq!(series.value(seconds(4.0)), Some(20.0));
        assert_eq!(series.value(seconds(5.0)), Some(10.0));
        assert_eq!(series.value(seconds(99.0)), Some(0.0));
    }
}
