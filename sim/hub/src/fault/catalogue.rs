//! The faults by name, for people: what each does, its parameters, and a scenario line that uses it.

/// A fault, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// Its name in scenarios and journals.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Its parameters by name, besides `direction` and `when`, which all have.
    pub parameters: &'static [(&'static str, &'static str)],
    /// One entry of a scenario's `faults` that uses it.
    pub example: &'static str,
}

/// All faults, in alphabetical order.
#[must_use]
pub fn catalogue() -> &'static [FaultInfo] {
    CATALOGUE
}

const CATALOGUE: &[FaultInfo] = &[
    FaultInfo {
        name: "bandwidth",
        about: "Bytes trickle out at a limited rate.",
        parameters: &[(
            "bytes_per_second",
            "how many bytes the link carries in a second",
        )],
        example: "- bandwidth: { bytes_per_second: 400 }",
    },
    FaultInfo {
        name: "corrupt",
        about: "One bit of a frame is flipped, so that no parser accepts it.",
        parameters: &[(
            "part",
            "payload, crc, length or stop; which bit of it is drawn",
        )],
        example: "- corrupt: { part: crc, when: { command: BMS_GET_VALUES, nth: 3 } }",
    },
    FaultInfo {
        name: "delay",
        about: "Everything comes later by the same time.",
        parameters: &[("by", "how much later")],
        example: "- delay: { by: 200ms, when: { probability: 0.2 } }",
    },
    FaultInfo {
        name: "drop",
        about: "A frame never arrives.",
        parameters: &[],
        example: "- drop: { when: { command: FW_VERSION, nth: 1 } }",
    },
    FaultInfo {
        name: "duplicate",
        about: "A frame arrives more than once.",
        parameters: &[("times", "how many copies come behind it; 1 unless given")],
        example: "- duplicate: { when: { every: 5 } }",
    },
    FaultInfo {
        name: "garbage",
        about: "Bytes that belong to no frame come before or behind a frame.",
        parameters: &[
            ("kind", "random, nuls or false-start (02 ff); or give `hex`"),
            ("hex", "the bytes themselves, in hex"),
            ("bytes", "how many, if random or nuls; 8 unless given"),
            ("position", "before or after the frame; before unless given"),
        ],
        example: "- garbage: { kind: false-start, when: { nth: 2 } }",
    },
    FaultInfo {
        name: "half-close",
        about: "Nothing more is sent and the other side is told so (FIN), while it may go on sending.",
        parameters: &[(
            "keep",
            "how many bytes of what set it off still come; all unless given",
        )],
        example: "- half-close: { when: { after: 2s } }",
    },
    FaultInfo {
        name: "jitter",
        about: "Everything comes later, each by a time of its own that is drawn.",
        parameters: &[("up_to", "the longest delay")],
        example: "- jitter: { up_to: 80ms }",
    },
    FaultInfo {
        name: "merge",
        about: "What were several writes arrives as one.",
        parameters: &[
            (
                "frames",
                "how many frames are held until they come together",
            ),
            ("within", "how long the first of them waits at most"),
        ],
        example: "- merge: { frames: 3, within: 100ms }",
    },
    FaultInfo {
        name: "reorder",
        about: "A frame comes behind frames that were sent after it.",
        parameters: &[
            ("behind", "behind how many; 1 unless given"),
            ("within", "how long it waits at most; for ever unless given"),
        ],
        example: "- reorder: { when: { command: FW_VERSION } }",
    },
    FaultInfo {
        name: "reset",
        about: "The connection is broken off (RST).",
        parameters: &[(
            "keep",
            "how many bytes of what set it off still come; none unless given",
        )],
        example: "- reset: { when: { client: { too_slow: 500ms } } }",
    },
    FaultInfo {
        name: "slow-close",
        about: "The end of the stream (FIN) comes late.",
        parameters: &[("by", "how much later")],
        example: "- slow-close: { by: 5s }",
    },
    FaultInfo {
        name: "split",
        about: "What was one write arrives in pieces; give one of `at`, `every_byte` and `pieces`.",
        parameters: &[
            ("at", "offsets in the frame before which it is cut"),
            ("every_byte", "true for single bytes"),
            (
                "pieces",
                "into how many pieces, cut at places that are drawn",
            ),
            (
                "gap",
                "the time from one piece to the next; 1ms unless given",
            ),
        ],
        example: "- split: { every_byte: true, gap: 2ms }",
    },
    FaultInfo {
        name: "stall",
        about: "Nothing comes for a time, then everything at once; or nothing ever again.",
        parameters: &[("for", "for how long; for ever unless given")],
        example: "- stall: { for: 3s, when: { after: 1s } }",
    },
    FaultInfo {
        name: "truncate",
        about: "Only the first bytes of a frame arrive.",
        parameters: &[("keep", "how many, the frame's header counted")],
        example: "- truncate: { keep: 40, when: { command: BMS_GET_VALUES, nth: 1 } }",
    },
];
