//! Compares a reading with the reply that it was made from: each field is right, wrong, missing, invented or unknown.
//!
//! A client does not say which reply it read. So the harness takes the reply that fits best, of those that were
//! delivered before the line came; if several fit equally well, the latest of them. If there is a later reply, the
//! reading is stale. (Which request a reply answers is another question, which `veschub_transcript::exchange` decides.)
//! A number is right if it is off by no more than one count of its scale, or by single precision.

mod config;
mod delivered;
pub mod mistake;

use std::{borrow::Cow, cmp::Reverse, fmt, sync::Arc, time::Duration};

use serde_json::Value as Json;
use veschub_wire::{
    CommandId,
    description::ConfigDescription,
    view::{Value, hex},
};

pub use self::{
    delivered::{Delivered, delivered},
    mistake::Mistake,
};
use super::{reading::Reading, schema};

/// How many replies a line may lie behind the one that it tells of.
const LOOK_BACK: usize = 256;
/// Among how many replies before the line, whatever their command, a mistake is looked for.
const NEAR: usize = 4 * LOOK_BACK;

/// How many counts, or how much of a unit, a number may be away.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// Counts of the field's scale.
    pub counts: f64,
    /// What is allowed for single fields, in their unit: in the replies to a command, or in all that have the field.
    pub fields: Vec<(Option<CommandId>, String, f64)>,
    /// What names the fields of configurations.
    pub configs: Vec<Arc<ConfigDescription>>,
    /// Whether a client may tell of each reply only once.
    pub once: bool,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            counts: 1.0,
            fields: Vec::new(),
            configs: Vec::new(),
            once: false,
        }
    }
}

impl Tolerance {
    /// How far off a field with this step may be.
    fn of(&self, reply: &Delivered<'_>, field: &str, step: f64) -> f64 {
        let allowed = self.fields.iter().filter(|(command, name, _)| {
            command.is_none_or(|command| command == reply.command) && name == field
        });
        allowed.fold(self.counts * step, |most, (_, _, within)| most.max(*within))
    }
}

/// What became of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// The client has it right.
    Right,
    /// The client says something else, by this mistake, if it is a known one.
    Wrong(Option<Mistake>),
    /// The client does not show it, which it need not: it leaves the field out, or prints null for it. This is not
    /// right; it is unread.
    Missing,
    /// The reply does not have it. A known mistake may have brought it in.
    Invented(Option<Mistake>),
    /// No reply has a field of this name; the name that the client probably means.
    UnknownName(Option<&'static str>),
    /// It is secret, or its meaning is not known.
    NotJudged,
}

impl Judgement {
    /// The judgement in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong(_) => "wrong",
            Self::Missing => "missing",
            Self::Invented(_) => "invented",
            Self::UnknownName(_) => "unknown-name",
            Self::NotJudged => "not-judged",
        }
    }
}

/// A field of a reading and of the reply.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldUnderstood {
    /// Its name.
    pub field: Cow<'static, str>,
    /// What the device sent.
    pub truth: Option<Value>,
    /// What the client says; null means that it does not show the field.
    pub decoded: Option<Json>,
    /// What to think of it.
    pub judgement: Judgement,
}

impl FieldUnderstood {
    /// Whether the client names the field and gives null for it, although the device sent a value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.judgement == Judgement::Missing && self.decoded.is_some()
    }

    /// Whether the reply has the field and the client does not show it.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.judgement == Judgement::Missing
    }
}

/// A reading, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// The client's line, counted from 1.
    pub line: usize,
    /// When the line came.
    pub at: Duration,
    /// The command, if the client or the best match tells it.
    pub command: Option<CommandId>,
    /// The reply that fits; none, if none had been sent.
    pub reply: Option<Match>,
    /// Each field, in the order of the wire; invented ones last.
    pub fields: Vec<FieldUnderstood>,
}

/// The reply that a reading was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Its place in the journal.
    pub entry: usize,
    /// When it was sent.
    pub at: Duration,
    /// The CAN id of the device that was asked, if through FORWARD_CAN: as the client says, or as the requests show.
    pub can_id: Option<u8>,
    /// Which reply to its command it is, counted from 1.
    pub number: usize,
    /// The number of the latest reply to the command when the line came.
    pub latest: usize,
    /// Whether an older reply than the latest fits better.
    pub stale: bool,
    /// Whether it is of another node than the task names, although there are readings of that one: what is expected of
    /// the values is not expected of this one's.
    pub elsewhere: bool,
    /// Whether the client had told of every reply before; not known where a reply may be told more than once.
    pub repeated: bool,
}

impl Understood {
    /// Whether the client showed something, and all that it named is right: nothing is wrong, invented, stale, told
    /// again, null or of an unknown name. Fields that it left out do not matter.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let right = |one: &FieldUnderstood| match one.judgement {
            Judgement::Wrong(_) | Judgement::Invented(_) | Judgement::UnknownName(_) => false,
            Judgement::Missing => !one.is_null(),
            Judgement::Right | Judgement::NotJudged => true,
        };
        let shown = |one: &FieldUnderstood| one.judgement != Judgement::Missing;
        self.reply
            .is_some_and(|reply| !reply.stale && !reply.repeated)
            && self.fields.iter().all(right)
            && self.fields.iter().any(shown)
    }

    /// The fields of the reply that the client does not show.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        let unread = self.fields.iter().filter(|field| field.is_unread());
        unread.map(|field| &*field.field)
    }

    /// Whether this reading shows that the reply arrived: a field is right whose value a client does not have by
    /// chance. A 0, a false, or an empty text or list is no proof, unless the reply has nothing else that is judged.
    #[must_use]
    pub fn proves_arrival(&self) -> bool {
        let judged = || {
            let fields = self.fields.iter();
            fields.filter(|one| one.truth.is_some() && one.judgement != Judgement::NotJudged)
        };
        let says_something = |one: &FieldUnderstood| one.truth.as_ref().is_some_and(is_telling);
        let only_nothing = !judged().any(says_something);
        self.reply.is_some()
            && judged().any(|one| {
                one.judgement == Judgement::Right && (only_nothing || says_something(one))
            })
    }
}

/// Whether a value is more than what a client shows before it has read anything.
fn is_telling(truth: &Value) -> bool {
    match truth {
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Number(number) => *number != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::Bytes(bytes) => bytes.iter().any(|&byte| byte != 0),
        Value::List(values) => values.iter().any(is_telling),
        _ => false,
    }
}

/// Compares a reading with what was delivered. `held_up` says that something held up replies on the link: then nobody
/// knows when a reply arrived, and nothing is called stale.
#[must_use]
pub fn compare(
    reading: &Reading,
    delivered: &[Delivered<'_>],
    held_up: bool,
    tolerance: &Tolerance,
) -> Understood {
    // Replies are in the order of the journal.
    let count = delivered.partition_point(|reply| reply.entry < reading.after);
    let before = delivered.get(..count).unwrap_or_default();
    let fits = |reply: &&Delivered<'_>| {
        reading
            .command
            .is_none_or(|command| command == reply.command)
            && reading
                .can_id
                .is_none_or(|id| reply.can_be_of(id) || reading.command.is_none())
    };
    // The latest first.
    let candidates = || before.iter().rev().filter(fits).take(LOOK_BACK);
    let right = |reply: &Delivered<'_>| {
        let own = judged(reading, reply, tolerance).filter(|(.., is_right)| *is_right);
        let by_name = reading.fields.iter().filter(|(name, given)| {
            config::is_right(reply, tolerance, name, given) && reply.fields.get(name).is_none()
        });
        own.count() + by_name.count()
    };
    // Nothing fits better than a reply that fits in every field. Of equals, the latest counts.
    let all = reading.fields.len();
    let best = candidates().find(|reply| right(reply) == all);
    let best = best.or_else(|| candidates().min_by_key(|reply| Reverse(right(reply))));
    let Some(mut best) = best else {
        return without_reply(reading);
    };
    let newer = |one: &&Delivered<'_>| !one.is_lost && one.is_like(best);
    let latest = match best.is_lost {
        true => best,
        false => candidates().find(newer).unwrap_or(best),
    };
    let mut fields = explained(reading, best, before, tolerance);
    // Who reads everything wrong may be right in more fields of an older reply by chance. The latest it is, if known
    // mistakes explain more of what differs from that.
    if latest.number != best.number && unexplained(&fields) > 0 {
        let instead = explained(reading, latest, before, tolerance);
        if unexplained(&instead) < unexplained(&fields) {
            (best, fields) = (latest, instead);
        }
    }
    let latest = latest.number;
    Understood {
        line: reading.line,
        at: reading.at,
        command: Some(best.command),
        reply: Some(Match {
            entry: best.entry,
            at: best.at,
            number: best.number,
            latest,
            stale: latest != best.number && !held_up,
            can_id: reading.can_id.or(best.can_id),
            elsewhere: false,
            repeated: false,
        }),
        fields,
    }
}

/// Compares a reading with a reply, and names the mistakes.
fn explained(
    reading: &Reading,
    reply: &Delivered<'_>,
    before: &[Delivered<'_>],
    tolerance: &Tolerance,
) -> Vec<FieldUnderstood> {
    let mut fields = judge(reading, reply, tolerance);
    let before = before.get(before.len().saturating_sub(NEAR)..);
    let before = before.unwrap_or_default();
    if fields.iter().any(|field| {
        matches!(
            field.judgement,
            Judgement::Wrong(_) | Judgement::Invented(_)
        )
    }) {
        mistake::name(&mut fields, reply, before);
        config::name(&mut fields, reply, tolerance);
    }
    fields
}

/// How many fields are wrong by no known mistake.
fn unexplained(fields: &[FieldUnderstood]) -> usize {
    let unexplained = |one: &&FieldUnderstood| {
        matches!(
            one.judgement,
            Judgement::Wrong(None) | Judgement::Invented(None)
        )
    };
    fields.iter().filter(unexplained).count()
}

/// The fields of a reply: name, truth, what the client says, and whether that is the same.
fn judged<'a>(
    reading: &'a Reading,
    reply: &'a Delivered<'_>,
    tolerance: &Tolerance,
) -> impl Iterator<Item = (&'static str, &'a Value, Option<&'a Json>, bool)> {
    let fields = reply.fields.iter().zip(&reply.steps);
    fields.map(|((name, truth), step)| {
        let given = reading.fields.get(name);
        let within = tolerance.of(reply, name, *step);
        let is_right = given.is_some_and(|given| same(truth, given, within));
        (name, truth, given, is_right)
    })
}

fn judge(reading: &Reading, reply: &Delivered<'_>, tolerance: &Tolerance) -> Vec<FieldUnderstood> {
    let mut fields: Vec<FieldUnderstood> = Vec::with_capacity(reading.fields.len());
    for (name, truth, decoded, is_right) in judged(reading, reply, tolerance) {
        let judgement = match (truth, decoded) {
            (Value::Masked, _) => Judgement::NotJudged,
            (_, None | Some(Json::Null)) => Judgement::Missing,
            _ if is_right => Judgement::Right,
            _ => Judgement::Wrong(None),
        };
        fields.push(FieldUnderstood {
            field: Cow::Borrowed(name),
            truth: Some(truth.clone()),
            decoded: decoded.cloned(),
            judgement,
        });
    }
    let invented = reading
        .fields
        .iter()
        .filter(|(name, _)| reply.fields.get(name).is_none());
    fields.extend(invented.filter_map(|(name, given)| {
        match config::judge(reply, tolerance, name, given) {
            Some(judged) => Some(judged),
            None => further(reply.command, name, given),
        }
    }));
    fields
}

fn without_reply(reading: &Reading) -> Understood {
    Understood {
        line: reading.line,
        at: reading.at,
        command: reading.command,
        reply: None,
        fields: reading
            .fields
            .iter()
            .filter_map(|(name, given)| further(reading.command, name, given))
            .collect(),
    }
}

/// A field that the reply does not have; nothing, if the client says just that.
fn further(
    command: impl Into<Option<CommandId>>,
    name: &str,
    given: &Json,
) -> Option<FieldUnderstood> {
    let judgement = match schema::check_name(command.into(), name) {
        Err(nearest) => Judgement::UnknownName(nearest),
        Ok(()) if given.is_null() => return None,
        Ok(()) => Judgement::Invented(None),
    };
    Some(FieldUnderstood {
        field: Cow::Owned(name.to_owned()),
        truth: None,
        decoded: Some(given.clone()),
        judgement,
    })
}

/// Whether the client says the same.
pub(super) fn same(truth: &Value, given: &Json, within: f64) -> bool {
    match (truth, given) {
        (Value::Bool(truth), Json::Bool(given)) => truth == given,
        (Value::Int(truth), Json::Number(given)) => given.as_f64() == Some(*truth as f64),
        (Value::Number(truth), Json::Number(given)) => given
            .as_f64()
            .is_some_and(|given| near(*truth, given, within)),
        (Value::Text(truth), Json::String(given)) => truth == given,
        (Value::Bytes(truth), Json::String(given)) => {
            let digits: String = given
                .chars()
                .filter(|c| !matches!(c, ' ' | ':' | '-'))
                .collect();
            digits.eq_ignore_ascii_case(&hex(truth))
        }
        (Value::List(truth), Json::Array(given)) => {
            truth.len() == given.len()
                && truth
                    .iter()
                    .zip(given)
                    .all(|(truth, given)| same(truth, given, within))
        }
        (Value::Masked, _) => true,
        (Value::Fields(truth), Json::Object(given)) => truth.iter().all(|(name, truth)| {
            let given = given.get(name);
            given.is_some_and(|given| same(truth, given, within))
        }),
        _ => false,
    }
}

/// Within a tolerance, or what single precision makes of it.
pub(super) fn near(truth: f64, given: f64, within: f64) -> bool {
    // A little more, as one count is no binary fraction.
    (truth - given).abs() <= within * (1.0 + 1e-6)
        || (truth as f32).to_bits() == (given as f32).to_bits()
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.as_secs_f64();
        write!(f, "reply {} of {} at {at:.3} s", self.number, self.latest)
    }
}
