//! `report_file`: a saved report is refused, or shown in every form, joined with itself, and read again the same once it
//! is written anew. No text in it can bring an element of its own into a page.

use super::assert_json;
use crate::report::{
    github, html, junit, markdown,
    matrix::{self, Entry, Matrix},
    saved, text, visible_styled,
};

/// An element that no page has: where it stands, a text was taken for more than a text.
const ELEMENT: &str = "<fuzz";

/// Reads a report and shows it in every form.
///
/// # Panics
/// If something does not hold.
pub fn report_file(data: &[u8]) {
    let Ok(json) = str::from_utf8(data) else {
        return;
    };
    let report = match saved::parse(json) {
        Ok(report) => report,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = serde_json::to_string(&report).unwrap_or_default();
    let again = saved::parse(&written);
    assert!(
        again.is_ok_and(|again| again == report),
        "{written} is another report"
    );

    let _ = visible_styled(&text::text(&report));
    let _ = (text::summary(&report), markdown::markdown(&report));
    let annotations = github::annotations(&report);
    assert!(
        annotations.lines().all(|line| line.starts_with("::")),
        "{annotations}"
    );
    for page in [html::html(&report), junit::junit(&report)] {
        assert!(!page.contains(ELEMENT), "a text is an element: {page}");
    }
    let (code, cases) = (report.exit_code(), report.cases.len());
    let joined = saved::merge([report.clone(), report.clone()]);
    assert!(joined.is_err() || cases == 0, "a case is there twice");
    assert!(code <= 4, "an exit code that no page names");

    let entry = |page: &str| Entry {
        report: report.clone(),
        page: page.to_owned(),
    };
    let matrix = Matrix::of(&[entry("one.html"), entry("<fuzz>\" onclick")]);
    let page = matrix::html::html(&matrix);
    assert!(!page.contains(ELEMENT), "a text is an element: {page}");
    let _ = matrix::markdown::markdown(&matrix);
    assert_json(&serde_json::to_string(&matrix).unwrap_or_default());
}
