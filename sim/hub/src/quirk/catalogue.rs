//! All quirks in one table: what `veschub-sim quirks` lists.

use super::Provenance;

/// How a quirk is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// By an entry under `quirks`, for every session.
    Quirk,
    /// By a key of `hub`; the reference profile has it, the ideal one does not.
    Hub,
    /// Always on: simulated devices are like that.
    Always,
}

/// Where a quirk is seen to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// In the scenario with this name.
    Scenario(&'static str),
    /// In the test of the hub with this name.
    Test(&'static str),
}

/// What is known of a quirk.
#[derive(Clone, Copy, Debug)]
pub struct QuirkInfo {
    /// Its name: kebab-case, or the key of `hub`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// How well it is known to be real.
    pub provenance: Provenance,
    /// Where it was seen.
    pub seen: &'static str,
    /// How it is switched on.
    pub switch: Switch,
    /// Its parameters with their defaults, as YAML.
    pub parameters: &'static str,
    /// The scenario that shows it, or the test, where it takes several connections.
    pub shown_by: Shown,
}

/// Every quirk: first those under `quirks`, then the hub's, then the devices'.
#[must_use]
pub fn catalogue() -> &'static [QuirkInfo] {
    &QUIRKS
}

const QUIRKS: [QuirkInfo; 12] = [
    QuirkInfo {
        name: "session-reset",
        about: "a session that is too slow between two requests is forgotten",
        provenance: Provenance::Inferred,
        seen: "concluded by a client's authors; the one public recording contradicts it",
        switch: Switch::Quirk,
        parameters: "{ max_gap: 250ms }",
        shown_by: Shown::Scenario("waiting-resets-the-session"),
    },
    QuirkInfo {
        name: "needs-setup",
        about: "the BMS answers only after GET_CUSTOM_CONFIG and PING_CAN were sent",
        provenance: Provenance::Inferred,
        seen: "VESC Tool sends them first; EX main/bms.c:298-360 does not ask for it",
        switch: Switch::Quirk,
        parameters: "{}",
        shown_by: Shown::Scenario("the-bms-needs-a-setup"),
    },
    QuirkInfo {
        name: "stale-reply",
        about: "a reply to an earlier tool's request comes in the new tool's session",
        provenance: Provenance::Source,
        seen: "VT tcphub.cpp:140-150",
        switch: Switch::Quirk,
        parameters: "{ command: BMS_GET_VALUES }",
        shown_by: Shown::Scenario("a-reply-to-an-earlier-tool-comes-first"),
    },
    QuirkInfo {
        name: "config-goes-elsewhere",
        about: "replies to GET_CUSTOM_CONFIG go to another interface",
        provenance: Provenance::Source,
        seen: "EX main/commands.c:421",
        switch: Switch::Quirk,
        parameters: "{ every: 1 }",
        shown_by: Shown::Scenario("the-config-goes-elsewhere"),
    },
    QuirkInfo {
        name: "login_swallows",
        about: "bytes that are read together with the login line are lost",
        provenance: Provenance::Measured,
        seen: "VT utility.cpp:2389-2401, and run",
        switch: Switch::Hub,
        parameters: "true",
        shown_by: Shown::Scenario("a-request-with-the-login-is-lost"),
    },
    QuirkInfo {
        name: "silent_connection_stalls",
        about: "a silent connection that was opened later holds up an earlier login until it fails",
        provenance: Provenance::Measured,
        seen: "VT utility.cpp:2379-2415, and run",
        switch: Switch::Hub,
        parameters: "true",
        shown_by: Shown::Test(
            "a_silent_connection_that_comes_later_holds_up_a_login_until_it_fails",
        ),
    },
    QuirkInfo {
        name: "replacement_deletes",
        about: "the late end of a replaced device's connection deletes its successor's entry",
        provenance: Provenance::Measured,
        seen: "VT tcphub.cpp:110-129, and run",
        switch: Switch::Hub,
        parameters: "true",
        shown_by: Shown::Test("a_replaced_device_with_bytes_unsent_takes_the_new_entry_with_it"),
    },
    QuirkInfo {
        name: "keeps_early_bytes",
        about: "what an outside device says before its first tool comes is kept for it",
        provenance: Provenance::Measured,
        seen: "VT tcphub.cpp:146-150, and run",
        switch: Switch::Hub,
        parameters: "true",
        shown_by: Shown::Test("what_is_said_before_the_first_tool_is_kept_up_to_a_limit"),
    },
    QuirkInfo {
        name: "late_replies",
        about: "a reply to one tool's request reaches the tool that has taken its place",
        provenance: Provenance::Source,
        seen: "VT tcphub.cpp:140-150",
        switch: Switch::Hub,
        parameters: "true",
        shown_by: Shown::Test("a_late_reply_reaches_the_tool_that_has_taken_over"),
    },
    QuirkInfo {
        name: "half_frames_stay",
        about: "half a frame that a tool leaves in a device's parser is still there for the next tool",
        provenance: Provenance::Measured,
        seen: "EX main/comm_wifi.c:206-221, and run",
        switch: Switch::Hub,
        parameters: "true",
        shown_by: Shown::Test("half_a_request_left_by_one_tool_delays_the_next_ones_requests"),
    },
    QuirkInfo {
        name: "blocking-command-dropped",
        about: "a second PING_CAN while a scan runs is dropped without a word",
        provenance: Provenance::Source,
        seen: "EX main/commands.c:1088-1099",
        switch: Switch::Always,
        parameters: "",
        shown_by: Shown::Scenario("a-second-scan-is-dropped"),
    },
    QuirkInfo {
        name: "unknown-commands-are-ignored",
        about: "a command that a device does not handle is never answered",
        provenance: Provenance::Source,
        seen: "EX main/commands.c:1101-1103",
        switch: Switch::Always,
        parameters: "",
        shown_by: Shown::Scenario("nobody-at-that-can-id"),
    },
];
