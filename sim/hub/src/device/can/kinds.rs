//! The kinds of nodes on a CAN bus: each is described in its own module, and this is the list.

use serde::Deserialize;

use crate::{
    device::{
        bms::Series,
        bms_node::BmsNodeSettings,
        motor::MotorSettings,
        node::{Node, NodeSettings},
    },
    rng::Seed,
};

/// Makes an enum of the kinds, and of each its settings.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($settings:ty),)+) => {
        /// A node on a CAN bus.
        #[derive(Clone, Debug, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum CanNode {
            $($(#[$doc])* $kind(Box<$settings>),)+
        }

        impl CanNode {
            /// What it is like.
            #[must_use]
            pub fn settings(&self) -> &dyn NodeSettings {
                match self {
                    $(Self::$kind(settings) => &**settings,)+
                }
            }

            /// Makes it; the seed decides what is random about it, and the series hold the files that it names.
            pub(in crate::device) fn make(&self, seed: Seed, series: &Series) -> Box<dyn Node> {
                match self {
                    $(Self::$kind(settings) => Box::new(settings.make(seed, series)),)+
                }
            }

            /// Makes its second motor, if it has one, with the same settings and an id of its own.
            pub(in crate::device) fn make_second(
                &self,
                seed: Seed,
                series: &Series,
            ) -> Option<Box<dyn Node>> {
                let seed = seed.derive("second");
                match self {
                    $(Self::$kind(settings) => {
                        let second = settings.second()?;
                        Some(Box::new(second.make(seed, series)))
                    })+
                }
            }
        }
    };
}

kinds! {
    /// A motor controller.
    Motor(MotorSettings),
    /// A VESC BMS.
    Bms(BmsNodeSettings),
}
