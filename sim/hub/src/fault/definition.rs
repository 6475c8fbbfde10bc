//! What each fault says of itself, and who it harms.

use serde::{Deserialize, Serialize};
use veschub_transcript::Direction;

use super::Fault;
use crate::{
    definition::{Described, Parameter},
    mistake::Mistakes,
};

/// A fault as its file defines it: parameters that a scenario writes, and the state that the harm has in one direction
/// of one session.
pub trait Definition: Described + Fault + Clone + Sync + 'static {
    /// Its name in scenarios and journals, kebab-case.
    const NAME: &'static str;
    /// One entry of a scenario's `faults` that uses it.
    const EXAMPLE: &'static str;
    /// What becomes of the bytes.
    const HARM: Harm;

    /// Looks for mistakes in the parameters.
    fn check(&self, _: &mut Mistakes) {}

    /// One of its kind for the fuzzer, which need not pass the checks.
    fn draw(parameter: u8) -> Self;
}

/// What becomes of the bytes that a fault is done to: what a judge may conclude who sees only what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// All of them arrive, unchanged and in order, at other times or in other pieces.
    Late,
    /// The frame does not arrive; what comes before and behind it does, at its time.
    Lost,
    /// The frame does not arrive as it was sent. A parser may take what follows for a part of it, and find the next frame
    /// late.
    Broken,
    /// Nothing more arrives.
    Silence,
    /// They arrive twice, out of order or among others; or too late for anybody to wait.
    Disorder,
}

/// What a fault that is done to everything leaves for the faults behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Frames, harmed or not.
    Frames,
    /// Bytes, but no frame whole.
    Pieces,
    /// Nothing.
    Nothing,
}

/// A fault, for people and for whoever judges what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// Its name in scenarios and journals.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Its parameters, besides `direction` and `when`, which all have.
    pub parameters: &'static [Parameter],
    /// One entry of a scenario's `faults` that uses it.
    pub example: &'static str,
    /// What becomes of the bytes.
    pub harm: Harm,
}

impl Harm {
    /// Whether it takes away the frame that it is done to, and no other.
    #[must_use]
    pub fn takes_the_frame(self) -> bool {
        matches!(self, Self::Lost | Self::Broken)
    }
}

impl FaultInfo {
    pub(super) const fn of<F: Definition>() -> Self {
        Self {
            name: F::NAME,
            about: F::ABOUT,
            parameters: F::PARAMETERS,
            example: F::EXAMPLE,
            harm: F::HARM,
        }
    }
}

/// The direction that a fault harms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FaultDirection {
    /// From the device to the tool: replies.
    #[default]
    ToTool,
    /// From the tool to the device: requests.
    ToDevice,
}

impl From<FaultDirection> for Direction {
    fn from(direction: FaultDirection) -> Self {
        match direction {
            FaultDirection::ToTool => Self::ToTool,
            FaultDirection::ToDevice => Self::ToDevice,
        }
    }
}

/// Makes the struct of a fault: its own parameters behind those that all faults have.
macro_rules! fault {
    ($($definition:tt)*) => {
        $crate::definition::definition! {
            common {
                /// The direction that it harms.
                #[serde(default)]
                pub direction: $crate::fault::FaultDirection,
                /// What sets it off.
                #[serde(default, skip_serializing_if = "crate::fault::Trigger::is_always")]
                pub when: $crate::fault::Trigger,
            }
            $($definition)*
        }
    };
}

/// Makes [`FaultEntry`](super::FaultEntry) and everything that goes through all faults from the list of them.
macro_rules! faults {
    ($( $Fault:ident($definition:ty), )+) => {
        /// Harm to a link.
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(rename = "Fault"))]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultEntry {
            $(
                #[doc = concat!("The fault `", stringify!($Fault), "`.")]
                #[cfg_attr(feature = "schema", schemars(description = <$definition as $crate::definition::Described>::ABOUT))]
                $Fault($definition),
            )+
        }

        const CATALOGUE: &[FaultInfo] = &[$( FaultInfo::of::<$definition>(), )+];

        impl FaultEntry {
            /// What is known of it.
            #[must_use]
            pub fn info(&self) -> FaultInfo {
                match self { $( Self::$Fault(_) => FaultInfo::of::<$definition>(), )+ }
            }

            /// The direction that it harms.
            #[must_use]
            pub fn direction(&self) -> FaultDirection {
                match self { $( Self::$Fault(fault) => fault.direction, )+ }
            }

            /// What sets it off.
            #[must_use]
            pub fn when(&self) -> &Trigger {
                match self { $( Self::$Fault(fault) => &fault.when, )+ }
            }

            /// The harm itself, before it was done for the first time.
            #[must_use]
            pub fn fault(&self) -> &dyn Fault {
                match self { $( Self::$Fault(fault) => fault, )+ }
            }

            /// The fault for one direction of one session.
            #[must_use]
            pub fn arm(&self) -> Armed {
                match self { $( Self::$Fault(fault) => Armed::new(fault.clone(), fault.when.clone()), )+ }
            }

            /// What a scenario writes of it, without its name.
            #[must_use]
            pub fn parameters(&self) -> serde_json::Value {
                match self { $( Self::$Fault(fault) => $crate::definition::written(fault), )+ }
            }

            fn check_parameters(&self, mistakes: &mut Mistakes) {
                match self { $( Self::$Fault(fault) => fault.check(mistakes), )+ }
            }

            /// One for the fuzzer.
            pub(crate) fn draw(
                kind: u8,
                parameter: u8,
                direction: FaultDirection,
                when: Trigger,
            ) -> Self {
                let all: &[&dyn Fn(Trigger) -> Self] = &[
                    $( &|when| {
                        let mut fault = <$definition>::draw(parameter);
                        (fault.direction, fault.when) = (direction, when);
                        Self::$Fault(fault)
                    }, )+
                ];
                all[usize::from(kind) % all.len()](when)
            }
        }
    };
}

pub(super) use {fault, faults};
