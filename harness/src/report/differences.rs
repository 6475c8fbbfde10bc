//! What is wrong, as text and as JSON; the same for every kind of client.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::judge::{Candidate, CandidateField, Difference, Nearest};

/// Columns of a table.
const WIDTH: u16 = 120;

/// The differences as a table, followed by what came nearest to each.
#[must_use]
pub fn table(differences: &[Difference]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["field", "truth", "decoded", "why"]);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    for one in differences {
        table.add_row([&one.field, &one.truth, &one.decoded, &one.why]);
    }
    let mut out = table.trim_fmt();
    out.push('\n');
    for one in differences {
        tell_nearest(&mut out, one);
    }
    out
}

fn tell_nearest(out: &mut String, difference: &Difference) {
    let Nearest {
        candidates,
        circumstances,
    } = &difference.nearest;
    if candidates.is_empty() && circumstances.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n nearest to {}", difference.field);
    for candidate in candidates {
        let _ = writeln!(out, "   {}", told(candidate));
    }
    for circumstance in circumstances {
        let _ = writeln!(out, "   {circumstance}");
    }
}

/// `reply at 2.645 s: command BMS_GET_VALUES, total_voltage_v 16 instead of 99`
fn told(candidate: &Candidate) -> String {
    let field = |one: &CandidateField| match one.fits {
        true => format!("{} {}", one.field, one.found),
        false => format!("{} {} instead of {}", one.field, one.found, one.wanted),
    };
    let fields: Vec<String> = candidate.fields.iter().map(field).collect();
    let at = candidate.at.as_secs_f64();
    format!("{} at {at:.3} s: {}", candidate.what, fields.join(", "))
}

/// A difference as JSON.
#[derive(Serialize)]
pub(super) struct DifferenceJson<'a> {
    field: &'a str,
    truth: &'a str,
    decoded: &'a str,
    why: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nearest: Vec<CandidateJson<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    circumstances: &'a [String],
}

#[derive(Serialize)]
struct CandidateJson<'a> {
    at: f64,
    what: &'a str,
    fields: Vec<FieldJson<'a>>,
}

#[derive(Serialize)]
struct FieldJson<'a> {
    field: &'a str,
    wanted: &'a str,
    found: &'a str,
    fits: bool,
}

impl<'a> From<&'a Difference> for DifferenceJson<'a> {
    fn from(difference: &'a Difference) -> Self {
        Self {
            field: &difference.field,
            truth: &difference.truth,
            decoded: &difference.decoded,
            why: &difference.why,
            nearest: difference
                .nearest
                .candidates
                .iter()
                .map(Into::into)
                .collect(),
            circumstances: &difference.nearest.circumstances,
        }
    }
}

impl<'a> From<&'a Candidate> for CandidateJson<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        let field = |one: &'a CandidateField| FieldJson {
            field: &one.field,
            wanted: &one.wanted,
            found: &one.found,
            fits: one.fits,
        };
        Self {
            at: candidate.at.as_secs_f64(),
            what: candidate.what,
            fields: candidate.fields.iter().map(field).collect(),
        }
    }
}
