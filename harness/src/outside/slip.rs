//! Tells a mistake in a client's code from a failure that the client means to report with an exception or a panic.

/// What a report says of a login that is refused, of a connection that is gone, or of a reply that does not come. Nothing
/// of that is a mistake.
const ABOUT_THE_LINK: &[&str] = &[
    "connection",
    "broken pipe",
    "brokenpipe",
    "timeout",
    "timed out",
    "reset by peer",
    "socket",
    "econnreset",
    "epipe",
    "eof",
    "incompleteread",
    "closed",
    "reply",
    "answer",
    "respon",
    "os {",
    "login",
    "refuse",
    "password",
    "auth",
    "device",
    "hub",
];
/// Python's exceptions that code raises by mistake. A `ValueError` is not among them: clients raise it on purpose.
const PYTHON: &[&str] = &[
    "struct.error",
    "IndexError",
    "KeyError",
    "TypeError",
    "AttributeError",
    "NameError",
    "UnboundLocalError",
    "ZeroDivisionError",
    "OverflowError",
    "UnicodeDecodeError",
    "RecursionError",
    "MemoryError",
];
/// What Rust says of code that panics by mistake, and not because it was told to.
const RUST: &[&str] = &[
    "index out of bounds",
    "out of range",
    "with overflow",
    "divide by zero",
    "mid > len",
    "slice length",
    "copy_from_slice",
    "not a char boundary",
];
/// Those of JavaScript.
const NODE: [&str; 3] = ["RangeError", "TypeError", "ReferenceError"];
/// Parts of the names of Java's.
const JAVA: [&str; 7] = [
    "IndexOutOfBounds",
    "NullPointer",
    "NumberFormat",
    "BufferUnderflow",
    "ClassCast",
    "Arithmetic",
    "NegativeArraySize",
];

/// Whether the gist of a crash, `Python: IndexError: list index out of range`, tells of a mistake in the client.
#[must_use]
pub fn is_slip(report: &str) -> bool {
    let lower = report.to_lowercase();
    if ABOUT_THE_LINK.iter().any(|words| lower.contains(words)) {
        return false;
    }
    let Some((language, gist)) = report.split_once(": ") else {
        return false;
    };
    let name = gist.split(':').next().unwrap_or_default();
    match language {
        "Python" => PYTHON.contains(&name),
        "Rust panic" => RUST.iter().any(|one| gist.contains(one)),
        "Node.js" => NODE.iter().any(|one| name.contains(one)),
        "Go" => gist.contains("runtime error"),
        "Java" => JAVA.iter().any(|one| gist.contains(one)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_out_of_range_is_a_mistake_and_a_lost_connection_is_none() {
        for report in [
            "Python: struct.error: unpack_from requires a buffer of at least 28 bytes",
            "Python: IndexError: index out of range",
            "Rust panic: index out of bounds: the len is 3 but the index is 25",
            "Node.js: RangeError: The value of \"offset\" is out of range",
            "Go: panic: runtime error: index out of range [3]",
            "Java: Exception in thread \"main\" java.lang.ArrayIndexOutOfBoundsException: 3",
        ] {
            assert!(is_slip(report), "{report}");
        }
        for report in [
            "Python: ConnectionResetError: [Errno 104] Connection reset by peer",
            "Python: RuntimeError: the device does not answer",
            "Python: ValueError: no reply to BMS_GET_VALUES",
            "Python: ValueError: wrong credentials",
            "Python: KeyError: 'the device refused the login'",
            "Rust panic: wrong credentials",
            "Rust panic: called `Result::unwrap()` on an `Err` value: Os { code: 104, kind: ConnectionReset }",
            "Node.js: Error: read ECONNRESET",
        ] {
            assert!(!is_slip(report), "{report}");
        }
    }
}
