//! Why a case was not judged.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{carrier::Carrier, name::Id};

/// Why a case was not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotJudged {
    /// A case that it needs failed; what is wrong is told there.
    Failed {
        /// Which.
        #[schemars(with = "String")]
        because: Id,
        /// What that case is about.
        title: String,
    },
    /// A case that it needs was not judged either.
    NotJudged {
        /// Which.
        #[schemars(with = "String")]
        because: Id,
        /// What that case is about.
        title: String,
    },
    /// The client read the reply, but none of its values is right, so nothing shows which reply it read.
    WrongValues {
        /// The case about these values.
        #[schemars(with = "String")]
        because: Id,
    },
    /// The client says that it cannot do the task.
    Unsupported {
        /// How it says so.
        told: String,
    },
    /// No outside client can do the task.
    NoTask {
        /// Why.
        told: String,
    },
    /// The client prints no readings, so only what it sends can be judged.
    Silent,
    /// The client prints no reading of the reply that the case is about, and need not.
    NoReading {
        /// The command.
        of: String,
    },
    /// The client leaves out the fields that the case is about.
    FieldsLeftOut {
        /// Which.
        fields: Vec<String>,
        /// The names that the client gives and no field has, each with the one that it may mean.
        #[serde(default)]
        unknown: Vec<(String, Option<String>)>,
    },
    /// The client asked once, although it was told to ask again and again.
    AskedOnce,
    /// The case cannot show anything with what is carried.
    Carrier {
        /// What is carried.
        carried: Carrier,
    },
}

impl fmt::Display for NotJudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { because, title } => {
                write!(f, "not judged because of {because}, which failed: {title}")
            }
            Self::NotJudged { because, title } => {
                write!(f, "not judged because {because} was not: {title}")
            }
            Self::WrongValues { because } => write!(
                f,
                "not judged because of {because}: none of the values that the client read is right, so they do not \
                 show whether this reply arrived"
            ),
            Self::Unsupported { told } | Self::NoTask { told } => f.write_str(told),
            Self::Silent => {
                f.write_str("the client prints no readings, so only what it sends can be judged")
            }
            Self::NoReading { of } => write!(f, "the client prints no reading of {of}"),
            Self::FieldsLeftOut { fields, unknown } => {
                write!(f, "the client does not report {}", fields.join(", "))?;
                unknown.iter().try_for_each(|(name, meant)| match meant {
                    Some(meant) => write!(f, "; `{name}`: did you mean `{meant}`?"),
                    None => write!(f, "; `{name}` is no field"),
                })
            }
            Self::AskedOnce => f.write_str(
                "the client asked once, and the case needs a client that asks again and again (VESC_COUNT)",
            ),
            Self::Carrier { carried } => {
                write!(f, "{carried} cannot show what the case is about")
            }
        }
    }
}
