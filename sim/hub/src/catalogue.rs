//! All quirks in one list, however they are switched on: what `veschub-sim quirks` shows.

use crate::{
    hub,
    quirk::{self, Provenance, QuirkInfo, Shown, Switch, Trace},
};

/// Every quirk: first those under `quirks`, then the hub's, then the devices'.
pub fn quirks() -> impl Iterator<Item = &'static QuirkInfo> {
    let listed = quirk::catalogue().iter();
    listed.chain(hub::SWITCHES).chain(ALWAYS)
}

/// Simulated devices are like that, and cannot be otherwise.
const ALWAYS: &[QuirkInfo] = &[
    QuirkInfo {
        name: "blocking-command-dropped",
        about: "A second PING_CAN while a scan runs is dropped without a word.",
        provenance: Provenance::Source,
        seen: "vesc_express main/commands.c:1088-1099",
        switch: Switch::Always,
        parameters: "",
        shown_by: Shown::Scenario("a-second-scan-is-dropped"),
        trace: Trace::SecondScans,
        commands: &[],
        makes_up_replies: false,
    },
    QuirkInfo {
        name: "unknown-commands-are-ignored",
        about: "A command that a device does not handle is never answered.",
        provenance: Provenance::Source,
        seen: "vesc_express main/commands.c:1101-1103",
        switch: Switch::Always,
        parameters: "",
        shown_by: Shown::Scenario("nobody-at-that-can-id"),
        trace: Trace::IgnoredCommands,
        commands: &[],
        makes_up_replies: false,
    },
];
