//! The stable codes of what is found in scenarios: `E` for what is refused, `W` for what is only odd.
//!
//! A code never changes its meaning and is never used again for another one.

use std::fmt;

/// What kind of finding something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// `E001`
    Unreadable,
    /// `E002`
    NotYaml,
    /// `E003`
    UnknownKey,
    /// `E004`
    UnknownName,
    /// `E005`
    MissingKey,
    /// `E006`
    WrongValue,
    /// `E007`
    TooMuch,
    /// `E008`
    BadOverride,
    /// `E009`
    BadInclude,
    /// `E010`
    Impossible,
    /// `E011`
    CannotBuild,
    /// `W001`
    NeverFires,
    /// `W002`
    NeverMet,
    /// `W003`
    NoEffect,
    /// `W004`
    NobodyAnswers,
    /// `W005`
    NamelessCommand,
    /// `W006`
    Unscrubbed,
    /// `W007`
    Misread,
}

/// What `veschub-sim check --explain` says about a code.
struct Entry {
    code: Code,
    id: &'static str,
    title: &'static str,
    explanation: &'static str,
}

const TABLE: [Entry; 18] = [
    Entry {
        code: Code::Unreadable,
        id: "E001",
        title: "the file cannot be read",
        explanation: "There is no such file, it may not be read, it is a directory, or it is not UTF-8 text.",
    },
    Entry {
        code: Code::NotYaml,
        id: "E002",
        title: "not the YAML that scenarios are written in",
        explanation: "The text is not valid YAML, or it uses a part of YAML that scenarios do not use: tags, several \
                      documents in a file, the same key twice, a key that is not a plain name.",
    },
    Entry {
        code: Code::UnknownKey,
        id: "E003",
        title: "unknown key",
        explanation: "A block can have only the keys that `docs/scenarios.md` lists for it. Usually the key is \
                      misspelt, or it is indented so that it belongs to another block.",
    },
    Entry {
        code: Code::UnknownName,
        id: "E004",
        title: "unknown name",
        explanation: "There is no device, quirk, fault, client, expectation, setting or command with this name. Names \
                      of kinds are written in kebab-case (`session-reset`), commands as in the firmware \
                      (`BMS_GET_VALUES`).",
    },
    Entry {
        code: Code::MissingKey,
        id: "E005",
        title: "missing key",
        explanation: "The block needs this key.",
    },
    Entry {
        code: Code::WrongValue,
        id: "E006",
        title: "a value of the wrong type or form",
        explanation: "For example a text where a number is needed, a duration without a unit, or a number that is too \
                      large.",
    },
    Entry {
        code: Code::TooMuch,
        id: "E007",
        title: "too large, too deep or too often repeated",
        explanation: "A scenario together with the files that it includes may have up to 1 MiB of text, 64 levels of \
                      nesting and 100,000 values repeated by aliases. The limits protect you from hostile files; \
                      no real scenario comes near them. Of one scenario, the first 100 mistakes are shown.",
    },
    Entry {
        code: Code::BadOverride,
        id: "E008",
        title: "`--set` cannot be applied",
        explanation: "`--set PATH=VALUE` replaces what stands at PATH, or adds a key to the mapping there. PATH is \
                      made of keys and of item numbers from 0, with dots between them: \
                      `devices.0.express.bms.cells=12`. VALUE is YAML.",
    },
    Entry {
        code: Code::BadInclude,
        id: "E009",
        title: "`include` cannot be followed",
        explanation: "`include` is a list of files, relative to the file that it stands in. A file may include \
                      others, 8 deep, but never itself.",
    },
    Entry {
        code: Code::Impossible,
        id: "E010",
        title: "the scenario contradicts itself or the firmware",
        explanation: "The scenario is well formed, but it asks for something impossible: more than the firmware or a \
                      frame can hold, a number out of range, an id that no hub accepts, keys that exclude each other, \
                      two devices with one id.",
    },
    Entry {
        code: Code::CannotBuild,
        id: "E011",
        title: "the scenario cannot be built",
        explanation: "The scenario itself is fine, but a file that it names is not: a capture or a series is missing or \
                      cannot be read.",
    },
    Entry {
        code: Code::NeverFires,
        id: "W001",
        title: "a quirk or fault that can never fire",
        explanation: "The client of this scenario never does what sets the quirk or fault off: it never sends that \
                      command, or the fault waits for the 9th of 4 requests. The run is the same as without the quirk \
                      or fault. You see this warning only in a scenario with a `client` or with `expect`; a scenario \
                      without them is meant for `serve`, where any client may connect.",
    },
    Entry {
        code: Code::NeverMet,
        id: "W002",
        title: "an expectation that can never be met",
        explanation: "The run always fails, whatever the hub does: the client never sends the request, the reply does \
                      not have the field at this firmware, the value has another type, or the time is shorter than \
                      the client's own pauses.",
    },
    Entry {
        code: Code::NoEffect,
        id: "W003",
        title: "a setting without effect",
        explanation: "Another setting overrules this one, or the thing that it describes does not exist: a voltage where \
                      there are 0 cells, a fault behind one that lets nothing through.",
    },
    Entry {
        code: Code::NobodyAnswers,
        id: "W004",
        title: "the client asks what nobody answers",
        explanation: "The client waits for a reply that cannot come, and no expectation says so: the run fails. \
                      Add a `no-reply-to` to `expect`, or add the device that should answer.",
    },
    Entry {
        code: Code::NamelessCommand,
        id: "W005",
        title: "a command number without a name",
        explanation: "No firmware that this program knows has a command with this number. The hub passes it on, and no \
                      device answers.",
    },
    Entry {
        code: Code::Unscrubbed,
        id: "W006",
        title: "a capture that names people",
        explanation: "The capture holds what `veschub-sim scrub` would replace or leave out: logins, Wi-Fi names and \
                      keys, UUIDs, addresses, dates, the clocks of hosts, other traffic, comments. No secret is what looks like a \
                      placeholder: a text that begins with `demo-`, `not-a-` or `not-an-`, or ends with `.invalid`, \
                      `.example` or `.test`; a UUID or MAC that begins with 02:DE:30; an address for documentation; \
                      a recording that begins at 2026-01-01 00:00 UTC. Bytes outside of frames and unknown commands \
                      are not looked into.",
    },
    Entry {
        code: Code::Misread,
        id: "W007",
        title: "a name that VESC Tool misreads",
        explanation: "The hardware name has letters outside of ASCII. VESC Tool counts the letters of a name where it \
                      must count the bytes, so it reads every field behind the name from the wrong place: UUID, hardware \
                      type, custom configs. A client that counts bytes is right and shows something else.",
    },
];

impl Code {
    /// All codes, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| entry.code)
    }

    /// The code with this id, in either case.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        let same = |entry: &&Entry| entry.id.eq_ignore_ascii_case(id);
        TABLE.iter().find(same).map(|entry| entry.code)
    }

    /// Letter and number, as in `W001`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.entry().title
    }

    /// What it means and what to do, in a few sentences.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        self.entry().explanation
    }

    /// Whether the scenario can be used all the same.
    #[must_use]
    pub fn is_warning(self) -> bool {
        self.id().starts_with('W')
    }

    fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, TABLE};

    #[test]
    fn every_code_stands_at_its_own_place_in_the_table() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.code as usize, index, "{}", entry.id);
        }
    }

    #[test]
    fn ids_ascend_so_that_none_is_there_twice() {
        assert!(TABLE.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn a_code_is_found_by_its_id_in_either_case() {
        assert_eq!(Code::find("w001"), Some(Code::NeverFires));
        assert_eq!(Code::find("E010"), Some(Code::Impossible));
        assert_eq!(Code::find("X010"), None);
    }
}
