//! What the client understood: its readings beside the reply that the case is about.

use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::Scenario;
use veschub_wire::CommandId;

use super::{BAD_LINES, Judge, Values};
use crate::{
    conformance::{
        carrier::Carrier,
        catalogue::{Compare, Fields, Id},
    },
    judge::{
        Difference, Verdict,
        compare::{FieldUnderstood, Judgement, Mistake, Tolerance, Understood},
        readings::{self, Printed},
    },
    report::{
        model::{About, DifferenceReport},
        not_judged::NotJudged,
    },
};

/// How many values are shown of a reading that fits no reply.
const SHOWN: usize = 3;

impl Judge<'_> {
    pub(super) fn understood(&mut self, scenario: &Scenario, printed: Printed) {
        let bad_lines = printed.bad_lines.clone();
        self.compared(scenario, printed);
        // A bad line costs a case only if it may be the reading that the case misses.
        let misses = self
            .judged
            .differences
            .iter()
            .any(|one| one.about == About::Understood);
        for bad in bad_lines.iter().filter(|_| misses).take(BAD_LINES) {
            let field = format!("line {}", bad.number);
            let difference = Difference::new(field, "a reading", &*bad.text, &*bad.why);
            self.note(About::Understood, difference, None);
        }
        self.judged.bad_lines = bad_lines.iter().map(ToString::to_string).collect();
    }

    fn compared(&mut self, scenario: &Scenario, printed: Printed) {
        let carried = self.context.carrier.reply();
        let compare = self.case.compare();
        if compare.is_none() && self.context.values.is_some() {
            return;
        }
        if self.context.values == Some(Values::None) {
            self.judged.not_judged.get_or_insert(NotJudged::Silent);
            return;
        }
        let mut verdict = Verdict::default();
        let tolerance = Tolerance {
            once: true,
            ..readings::tolerance(scenario)
        };
        readings::understand(&mut verdict, printed, &self.seen.journal, &tolerance);
        let read = |of: CommandId| {
            let readings = verdict.readings.iter();
            let same = readings.filter(move |reading| reading.command == Some(of));
            let again = |one: &&Understood| one.reply.is_some_and(|reply| reply.repeated);
            same.partition::<Vec<&Understood>, _>(again)
        };
        self.judged.values = match (verdict.readings.is_empty(), read(carried).1) {
            (true, _) => Values::None,
            (_, readings) if readings.iter().any(|reading| reading.proves_arrival()) => {
                Values::Right
            }
            _ => Values::Wrong,
        };
        let Some(compare) = compare else {
            return;
        };
        let of = compare.of(self.context.carrier);
        let (again, readings) = read(of);
        if compare.once && !again.is_empty() {
            self.note_repeats(of, again.len());
        }
        self.judged.readings = readings.len();
        // FW_VERSION is not what the client was asked to read in most tasks, so it need not report it.
        let is_beside = of == CommandId::FW_VERSION && self.context.task.name != "read";
        if is_beside && readings.is_empty() && !verdict.readings.is_empty() {
            let of = of.to_string();
            self.judged.not_judged = Some(NotJudged::NoReading { of });
            return;
        }
        match &compare.fields {
            Fields::Any => self.check_any(compare, &readings),
            Fields::Named(names) => {
                self.check_count(compare, &readings);
                self.check_reply(compare, &readings);
                self.check_fields(compare, names, &readings);
            }
        }
    }

    /// One right value shows which reply was read, whatever else is wrong in the reading.
    fn check_any(&mut self, compare: &Compare, readings: &[&Understood]) {
        let (proven, others): (Vec<&Understood>, Vec<&Understood>) = readings
            .iter()
            // A line with nothing but right zeros proves nothing and is no stranger: the rest of the reply may stand in
            // another line.
            .filter(|reading| reading.proves_arrival() || !reading.is_right())
            .partition(|reading| reading.proves_arrival());
        if let Some(because) = self.distrusts(compare)
            && proven.is_empty()
            && !others.is_empty()
        {
            self.judged.not_judged = Some(NotJudged::WrongValues { because });
            return;
        }
        // A reading that is not proven is told as what it is, and not also as one that is missing.
        if others.is_empty() {
            self.check_count(compare, &proven);
        }
        self.check_reply(compare, &proven);
        for reading in others {
            self.note_stranger(compare, reading);
        }
    }

    /// Tells of a reading whose values are not those of any reply.
    fn note_stranger(&mut self, compare: &Compare, reading: &Understood) {
        let of = compare.of(self.context.carrier).to_string();
        if reading.reply.is_none() {
            return self.note_unsent(compare);
        }
        let given = |field: &FieldUnderstood| {
            let decoded = field.decoded.as_ref()?;
            Some(format!("{} {decoded}", field.field))
        };
        let told: Vec<String> = reading.fields.iter().filter_map(given).collect();
        if told.is_empty() {
            let why = "the client printed a reading without a value, so nothing shows which reply it read";
            let difference = Difference::new(of, "a reading with values", "no values", why);
            return self.note_once(difference, None);
        }
        let some = told.get(..SHOWN).unwrap_or(&told).join(", ");
        let why = "none of these values is in the reply that the device sent: the client took other bytes for it";
        let difference = Difference::new(of, "a reading of the reply", some, why);
        // A known mistake would only explain them by chance.
        self.note_once(difference, None);
    }

    fn note_repeats(&mut self, of: CommandId, count: usize) {
        let decoded = match count {
            1 => "1 more reading".to_owned(),
            more => format!("{more} more readings"),
        };
        let field = of.to_string();
        let difference = Difference::new(
            field,
            "at most one for each reply",
            decoded,
            readings::REPEATED,
        );
        self.note(About::Understood, difference, None);
    }

    fn note_unsent(&mut self, compare: &Compare) {
        let of = compare.of(self.context.carrier).to_string();
        let difference = Difference::new(of, "nothing", "a reading", readings::NO_SUCH_REPLY);
        self.note_once(difference, None);
    }

    /// The case about the values of a reply, if nothing has shown yet that the client reads one of them rightly. Where
    /// it has, a reading without a right value is no reading of the reply that was sent.
    fn distrusts(&self, compare: &Compare) -> Option<Id> {
        let carrier = self.context.carrier;
        let of = compare.of(carrier);
        let because = Carrier::of(of)?.values();
        let is_known = (of == carrier.reply() && self.context.values == Some(Values::Right))
            || self.case.needs.contains(&because)
            || self.case.id() == because;
        (!is_known).then_some(because)
    }

    fn check_count(&mut self, compare: &Compare, readings: &[&Understood]) {
        let of = compare.of(self.context.carrier);
        let wanted = self.wanted_readings(compare, of);
        if readings.len() < wanted {
            let field = format!("readings of {of}");
            let wanted = format!("at least {wanted}");
            let count = readings.len().to_string();
            let why = "the client printed too few readings: it did not understand a reply, or did not report it";
            let difference = Difference::new(field, wanted, count, why);
            self.note(About::Understood, difference, None);
        }
    }

    /// On a busy machine a client skips polls now and then, of many: then there is no more to read than what the device
    /// sent.
    fn wanted_readings(&self, compare: &Compare, of: CommandId) -> usize {
        let reply = |entry: &&JournalEntry| match &entry.event {
            JournalEvent::Reply { payload, .. } => payload.first() == Some(&of.0),
            _ => false,
        };
        let replies = self.seen.journal.iter().filter(reply).count();
        match replies >= compare.readings - compare.readings / 4 {
            true => compare.readings.min(replies),
            false => compare.readings,
        }
    }

    fn check_reply(&mut self, compare: &Compare, readings: &[&Understood]) {
        let Some(wanted) = compare.reply.filter(|_| !readings.is_empty()) else {
            return;
        };
        let numbers = readings.iter().filter_map(|reading| reading.reply);
        let latest = numbers.map(|reply| reply.number).max();
        if latest < Some(wanted) {
            let field = format!("{}: latest reply read", compare.of(self.context.carrier));
            let told = latest.map_or_else(|| "none".to_owned(), |latest| format!("reply {latest}"));
            let why = "the client took an older reply for the answer to its request";
            let difference = Difference::new(field, format!("reply {wanted}"), told, why);
            let stale = Mistake::Stale(latest.unwrap_or_default());
            self.note(About::Understood, difference, Some(stale));
        }
    }

    fn check_fields(&mut self, compare: &Compare, names: &[String], readings: &[&Understood]) {
        let mut told = false;
        for reading in readings {
            if reading.reply.is_none() {
                self.note_unsent(compare);
                continue;
            }
            let named = |field: &&FieldUnderstood| names.iter().any(|name| *name == field.field);
            for field in reading.fields.iter().filter(named) {
                told |= field.judgement != Judgement::Missing;
                if let Some((difference, mistake)) = self.wrong(compare, field) {
                    self.note_once(difference, mistake);
                }
            }
        }
        let about_readings = |one: &DifferenceReport| one.about == About::Understood;
        let judged = told || self.judged.differences.iter().any(about_readings);
        if !readings.is_empty() && !names.is_empty() && !judged {
            let fields = names.to_vec();
            let unknown = misnamed(readings);
            self.judged.not_judged = Some(NotJudged::FieldsLeftOut { fields, unknown });
        }
    }

    fn wrong(
        &self,
        compare: &Compare,
        field: &FieldUnderstood,
    ) -> Option<(Difference, Option<Mistake>)> {
        let why = readings::why(&field.judgement)?;
        let mistake = match field.judgement {
            Judgement::Wrong(mistake) | Judgement::Invented(mistake) => mistake,
            _ => None,
        };
        let (item, truth, decoded) = readings::shown(field.truth.as_ref(), field.decoded.as_ref());
        let of = compare.of(self.context.carrier);
        let name = format!("{of}.{}{item}", field.field);
        Some((Difference::new(name, truth, decoded, why), mistake))
    }

    /// Notes a mistake that occurs in every reading of a poll only once.
    fn note_once(&mut self, difference: Difference, mistake: Option<Mistake>) {
        let known = |one: &DifferenceReport| {
            one.about == About::Understood
                && one.field == difference.field
                && one.mistake.as_deref() == mistake.map(Mistake::name)
        };
        if !self.judged.differences.iter().any(known) {
            self.note(About::Understood, difference, mistake);
        }
    }
}

/// The names that a client gives and no field has, each with the one that it may mean.
fn misnamed(readings: &[&Understood]) -> Vec<(String, Option<String>)> {
    let fields = readings.iter().flat_map(|reading| &reading.fields);
    let mut names: Vec<_> = fields
        .filter_map(|field| match &field.judgement {
            Judgement::UnknownName(meant) => {
                Some((field.field.to_string(), meant.map(ToOwned::to_owned)))
            }
            _ => None,
        })
        .collect();
    names.dedup();
    names.truncate(BAD_LINES);
    names
}
