//! `journal_file`: a journal with the lines of a client between its entries is refused with the number of a line, or
//! read, judged, and read again the same once it is written anew.

use veschub_hub::journal::{JournalEvent, json};

use super::reading::judge;
use crate::outside::journal;

/// Reads a journal and judges the readings in it.
///
/// # Panics
/// If something does not hold.
pub fn journal_file(data: &[u8]) {
    let input = match journal::read(data) {
        Ok(input) => input,
        Err(error) => {
            assert!(error.line >= 1 && error.to_string().starts_with("line "));
            return;
        }
    };
    let all = data.split(|&byte| byte == b'\n').count();
    assert!(input.journal.len() + input.lines.len() <= all);
    for (index, line) in input.lines.iter().enumerate() {
        assert_eq!(line.number, index + 1);
        assert!(line.after <= input.journal.len());
    }
    judge(&input.lines, &input.journal);

    let mut written = Vec::new();
    for entry in &input.journal {
        assert!(json::write(&mut written, entry).is_ok());
    }
    let again = journal::read(&written[..]).unwrap_or_default();
    assert!(again.lines.is_empty());
    assert_eq!(
        again.journal.len(),
        input.journal.len(),
        "an entry is not read again"
    );
    for (again, entry) in again.journal.iter().zip(&input.journal) {
        let same = match (&again.event, &entry.event) {
            // The time of it may be a little off: it is written in seconds.
            (JournalEvent::FaultFired(one), JournalEvent::FaultFired(two)) => {
                one.fault == two.fault
            }
            (one, two) => one == two,
        };
        assert!(same, "{:?} is read again as {:?}", entry.event, again.event);
    }
}
