//! What must not change by accident: texts beside this file, each line of which is a result.

use std::{collections::BTreeSet, fs, path::Path};

/// Compares a result with the file of that name; `VESCHUB_UPDATE=1` writes the file anew.
#[track_caller]
pub(crate) fn assert_frozen(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen");
    let path = path.join(name);
    if std::env::var_os("VESCHUB_UPDATE").is_some() {
        fs::write(&path, found).unwrap();
    }
    let frozen = fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &'_ str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (now, before) = (lines(found), lines(&frozen));
    let only = |mark, one: &BTreeSet<String>, other| {
        let lines = one.difference(other);
        lines
            .map(|line| format!("{mark} {line}\n"))
            .collect::<String>()
    };
    assert!(
        found == frozen,
        "{} no longer holds; if that is meant, run this test with VESCHUB_UPDATE=1\n{}{}",
        path.display(),
        only('-', &before, &now),
        only('+', &now, &before),
    );
}
