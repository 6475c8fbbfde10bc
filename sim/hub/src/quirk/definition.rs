//! What each quirk says of itself, and what the hub's switches and the devices' ways say of theirs.

use std::fmt;

use veschub_wire::CommandId;

use super::Quirk;
use crate::definition::Described;

/// A quirk of the list under `quirks` as its file defines it: parameters that a scenario writes, and the state that it
/// has in one session.
pub trait Definition: Described + Quirk + Clone + 'static {
    /// Its name in scenarios and reports, kebab-case.
    const NAME: &'static str;
    /// How well it is known to be real.
    const PROVENANCE: Provenance;
    /// Where it was seen.
    const SEEN: &'static str;
    /// Its parameters with their defaults, as YAML.
    const DEFAULTS: &'static str;
    /// The scenario that shows it, or the test, where it takes several connections.
    const SHOWN_BY: Shown;
    /// The commands that it is about: it never fires where none of them is sent. None, if it needs no request.
    const COMMANDS: &'static [CommandId];
    /// What of it can be read from a recording.
    const TRACE: Trace = Trace::None;
    /// Whether replies come with it that nobody in the session asked for.
    const MAKES_UP_REPLIES: bool = false;

    /// The command that its parameters name, with the key.
    fn command(&self) -> Option<(&'static str, CommandId)> {
        None
    }
}

/// How well a quirk is known to be real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It can be read in published source code.
    Source,
    /// It was measured on a device or a hub.
    Measured,
    /// Somebody concluded it from what they saw; it may be wrong.
    Inferred,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Measured => "measured",
            Self::Inferred => "inferred",
        })
    }
}

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

/// What the recording of a tool's session can tell of a quirk, and so how evidence for and against it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Nothing: it takes several connections, or shows only at the hub.
    None,
    /// Polls of the BMS after a gap are answered or not.
    PollsAfterAGap,
    /// Polls of the BMS without a set-up are answered or not.
    PollsWithoutSetup,
    /// Replies come that nobody asked for.
    UnaskedReplies,
    /// Requests for a config are answered or not.
    LostConfigs,
    /// Requests right behind the login line are answered or not.
    RequestsWithTheLogin,
    /// A second scan of the CAN bus is answered or not.
    SecondScans,
    /// Commands are never answered.
    IgnoredCommands,
}

/// What is known of a quirk.
#[derive(Clone, Copy, Debug)]
pub struct QuirkInfo {
    /// Its name: kebab-case, or the key of `hub`.
    pub name: &'static str,
    /// What it does, in a sentence.
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
    /// What of it can be read from a recording.
    pub trace: Trace,
    /// The commands that it is about, if it is about some only.
    pub commands: &'static [CommandId],
    /// Whether replies come with it that nobody in the session asked for.
    pub makes_up_replies: bool,
}

impl QuirkInfo {
    pub(super) const fn of<Q: Definition>() -> Self {
        Self {
            name: Q::NAME,
            about: Q::ABOUT,
            provenance: Q::PROVENANCE,
            seen: Q::SEEN,
            switch: Switch::Quirk,
            parameters: Q::DEFAULTS,
            shown_by: Q::SHOWN_BY,
            trace: Q::TRACE,
            commands: Q::COMMANDS,
            makes_up_replies: Q::MAKES_UP_REPLIES,
        }
    }
}

/// Makes [`QuirkEntry`](super::QuirkEntry) and everything that goes through all quirks from the list of them.
macro_rules! quirks {
    ($( $Quirk:ident($definition:ty), )+) => {
        /// An odd behaviour of the real hub or firmware, or what is believed to be one.
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(rename = "Quirk"))]
        #[serde(rename_all = "kebab-case")]
        pub enum QuirkEntry {
            $(
                #[doc = concat!("The quirk `", stringify!($Quirk), "`.")]
                #[cfg_attr(feature = "schema", schemars(description = <$definition as $crate::definition::Described>::ABOUT))]
                $Quirk($definition),
            )+
        }

        const QUIRKS: &[QuirkInfo] = &[$( QuirkInfo::of::<$definition>(), )+];

        impl QuirkEntry {
            /// What is known of it.
            #[must_use]
            pub fn info(&self) -> QuirkInfo {
                match self { $( Self::$Quirk(_) => QuirkInfo::of::<$definition>(), )+ }
            }

            /// The quirk for one device.
            #[must_use]
            pub fn arm(&self) -> Box<dyn Quirk> {
                match self { $( Self::$Quirk(quirk) => Box::new(quirk.clone()), )+ }
            }

            /// The command that its parameters name, with the key.
            #[must_use]
            pub fn command(&self) -> Option<(&'static str, CommandId)> {
                match self { $( Self::$Quirk(quirk) => Definition::command(quirk), )+ }
            }
        }
    };
}

/// Makes the struct of a quirk.
macro_rules! quirk {
    ($($definition:tt)*) => {
        $crate::definition::definition! { common {} $($definition)* }
    };
}

pub(super) use {quirk, quirks};
