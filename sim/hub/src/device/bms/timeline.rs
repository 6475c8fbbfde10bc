//! What flows through a pack over time, and what has flowed: spans of constant current, each in closed form.
//!
//! ```text
//! current   ┌──────┐                 a profile, cut where a pack is full or empty
//!           │      │      ┌───       or where a command forbids charging
//!         ──┘      └──────┘
//! span      0      1      2
//! ```
//!
//! At the start of each span stands what has flowed until then, so any moment is one search and one formula away,
//! whatever was asked before. A command replaces the spans from its moment on and forgets those before it: there are
//! never more than the profile makes, however long a run lasts.

use std::{iter, time::Duration};

use super::{
    balance::Balance,
    pack::Pack,
    settings::{Current, CurrentSegment},
    thermal::Thermal,
};
use crate::time::Time;

/// A current that flows from a moment on, until the next one begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    at: Time,
    current_a: f64,
}

impl Segment {
    /// The current from the start on, and what it becomes later.
    pub(super) fn of(current: &Current) -> Vec<Self> {
        let first = |current_a| Self {
            at: Time::ZERO,
            current_a,
        };
        let later = |segment: &CurrentSegment| Self {
            at: segment.at.get().into(),
            current_a: segment.current_a,
        };
        match current {
            Current::Constant(current_a) => vec![first(*current_a)],
            Current::Profile(segments) => iter::once(first(0.0))
                .chain(segments.iter().map(later))
                .collect(),
        }
    }
}

/// What has flowed since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flow {
    /// Charge given less charge taken in, Ah.
    pub(super) drawn_ah: f64,
    /// Charge taken in, Ah.
    pub(super) charged_ah: f64,
    /// Charge given, Ah.
    pub(super) discharged_ah: f64,
    /// Energy taken in, Wh.
    pub(super) charged_wh: f64,
    /// Energy given, Wh.
    pub(super) discharged_wh: f64,
    /// How much warmer than without any load the cells are, °C.
    pub(super) rise_c: f64,
}

impl Flow {
    /// Energy given less energy taken in, Wh.
    pub(super) fn drawn_wh(&self) -> f64 {
        self.discharged_wh - self.charged_wh
    }
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from: Time,
    current_a: f64,
    /// What had flowed at its beginning.
    before: Flow,
}

/// What everything is computed from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) pack: &'a Pack,
    pub(super) balance: &'a Balance,
    pub(super) thermal: &'a Thermal,
    /// The current that the load and the charger want, earliest first.
    pub(super) profile: &'a [Segment],
    pub(super) charge_allowed: bool,
}

/// The spans since the last command.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    /// At least one; the first begins at the last command or the start of the run.
    spans: Vec<Span>,
}

impl Timeline {
    /// Plans everything from a moment on, at which this had flowed.
    pub(super) fn plan(rules: Rules<'_>, from: Time, before: Flow) -> Self {
        let mut this = Self { spans: Vec::new() };
        let begun = rules.profile.partition_point(|segment| segment.at <= from);
        let now = begun
            .checked_sub(1)
            .map_or(0.0, |last| rules.profile[last].current_a);
        let later = &rules.profile[begun..];
        let mut flow = this.add(rules, from, now, before, later.first());
        for (index, segment) in later.iter().enumerate() {
            let next = later.get(index + 1);
            flow = this.add(rules, segment.at, segment.current_a, flow, next);
        }
        this
    }

    /// Adds a current until the next segment, cut where the pack is full or empty; what has flowed by then.
    fn add(
        &mut self,
        rules: Rules<'_>,
        from: Time,
        wanted_a: f64,
        before: Flow,
        next: Option<&Segment>,
    ) -> Flow {
        let wanted_a = if wanted_a < 0.0 && !rules.charge_allowed {
            0.0
        } else {
            wanted_a
        };
        let mut span = Span {
            from,
            current_a: wanted_a,
            before,
        };
        let room = rules.room(before, wanted_a);
        // A room of ages saturates at the end of time, where it does not matter.
        let full = room
            .map(|room| from + room)
            .filter(|&full| next.is_none_or(|next| full < next.at));
        if let Some(full) = full {
            if full > from {
                self.spans.push(span);
            }
            span = Span {
                from: full,
                current_a: 0.0,
                before: span.at(rules, full),
            };
        }
        self.spans.push(span);
        next.map_or(before, |next| span.at(rules, next.at))
    }

    /// The current at this moment, A, and what has flowed; a moment before the last command is answered as of that.
    pub(super) fn at(&self, rules: Rules<'_>, at: Time) -> (f64, Flow) {
        let after = self.spans.partition_point(|span| span.from <= at);
        let span = &self.spans[after.saturating_sub(1)];
        (span.current_a, span.at(rules, at.max(span.from)))
    }
}

impl Rules<'_> {
    /// How long this current can flow until a cell is full or empty; `None` is for ever.
    fn room(&self, before: Flow, current_a: f64) -> Option<Duration> {
        let (full_ah, empty_ah) = self.pack.limits_ah();
        let left_ah = if current_a > 0.0 {
            empty_ah - before.drawn_ah
        } else if current_a < 0.0 {
            full_ah - before.drawn_ah
        } else {
            return None;
        };
        let seconds = (left_ah / current_a * 3600.0).max(0.0);
        let room = Duration::try_from_secs_f64(seconds).ok()?;
        // Cut down to a whole nanosecond, an absurd current would leave charge behind.
        let short = room.as_secs_f64() + 1e-12 < seconds;
        room.checked_add(Duration::from_nanos(u64::from(short)))
    }
}

impl Span {
    /// What has flowed at a moment of this span.
    fn at(&self, rules: Rules<'_>, at: Time) -> Flow {
        let before = self.before;
        let current_a = self.current_a;
        let seconds = (at - self.from).as_secs_f64();
        let rise_c = rules
            .thermal
            .rise_c(before.rise_c, rules.pack.heat_w(current_a), seconds);
        if current_a == 0.0 {
            return Flow { rise_c, ..before };
        }
        // The moment of being full is a whole nanosecond, the charge then is not.
        let (full_ah, empty_ah) = rules.pack.limits_ah();
        let drawn_ah = (before.drawn_ah + current_a * seconds / 3600.0).clamp(full_ah, empty_ah);
        let ah = drawn_ah - before.drawn_ah;
        let levels_wh = current_a * rules.balance.volt_seconds(self.from, at) / 3600.0;
        let wh = rules.pack.energy_wh(before.drawn_ah, drawn_ah, current_a) + levels_wh;
        let mut flow = Flow {
            drawn_ah,
            rise_c,
            ..before
        };
        if current_a > 0.0 {
            flow.discharged_ah += ah;
            flow.discharged_wh += wh;
        } else {
            flow.charged_ah -= ah;
            flow.charged_wh -= wh;
        }
        flow
    }
}
