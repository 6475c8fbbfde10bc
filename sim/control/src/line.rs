//! Entries as the lines of a journal, each with its number.

use veschub_hub::journal::json;

use crate::store::Record;

/// Appends an entry as a JSON object: `seq`, then the keys of a line of `--journal`.
pub(crate) fn append(out: &mut Vec<u8>, record: &Record) {
    out.extend_from_slice(format!("{{\"seq\":{},", record.seq).as_bytes());
    let mut line = Vec::with_capacity(256);
    // Writing to memory cannot fail.
    let _ = json::write(&mut line, &record.entry);
    let rest = line.strip_prefix(b"{").unwrap_or(&line);
    out.extend_from_slice(rest.trim_ascii_end());
}

/// Several entries as a JSON array.
pub(crate) fn append_all<'a>(out: &mut Vec<u8>, records: impl IntoIterator<Item = &'a Record>) {
    out.push(b'[');
    for (index, record) in records.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append(out, record);
    }
    out.push(b']');
}
