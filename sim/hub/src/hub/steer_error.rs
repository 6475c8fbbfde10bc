//! Why the hub does not do what somebody wants of it.

use crate::{device::SetError, fault::FaultId, hub::stops};

/// Why the hub does not do what somebody wants of it: in plain words, with what to do instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SteerError {
    /// There is no such connection.
    #[error("no open connection has the number {connection}")]
    NoSuchSession {
        /// What was asked for.
        connection: u32,
    },
    /// There is no such device.
    #[error("no device has the id {id}{}", meant(.closest.as_deref()))]
    NoSuchDevice {
        /// What was asked for, as the hub spells it.
        id: String,
        /// What was probably meant.
        closest: Option<String>,
    },
    /// There is a device with this id.
    #[error("there is a device with the id {id} already; remove it first, or take another id")]
    DeviceExists {
        /// The id, as the hub spells it.
        id: String,
    },
    /// The device logged in from outside, and only its own program can do that to it.
    #[error("{id} is a device from outside: the hub only passes on its bytes")]
    Outside {
        /// The id.
        id: String,
    },
    /// Without a hub there is one device.
    #[error("this device serves directly, without a hub: it stays, and there is no other")]
    ServesDirectly,
    /// It is made of a recording, or of something else that knows no restart.
    #[error("{id} cannot restart: it is made of a recording")]
    CannotReboot {
        /// The id.
        id: String,
    },
    /// There is no such fault.
    #[error("no fault has the number {0}")]
    NoSuchFault(FaultId),
    /// There are as many faults as there can be.
    #[error("there are {0} faults already; remove one first")]
    TooManyFaults(usize),
    /// There is no such quirk.
    #[error("{id} has no quirk `{name}` that is on{}", meant(*.closest))]
    NoSuchQuirk {
        /// The device.
        id: String,
        /// What was asked for.
        name: String,
        /// What was probably meant.
        closest: Option<&'static str>,
    },
    /// There is no such breakpoint.
    #[error("no breakpoint has the number {0}")]
    NoSuchBreakpoint(stops::BreakpointId),
    /// There are as many breakpoints as there can be.
    #[error("there are {0} breakpoints already; remove one first")]
    TooManyBreakpoints(usize),
    /// No such request is held.
    #[error(
        "no request is held under the number {0}; its breakpoint, its device or somebody else has let it go"
    )]
    NotHeld(stops::HeldId),
    /// What a payload is replaced with, or answered with, cannot be sent.
    #[error("a payload of {bytes} bytes cannot be sent; it may have 1 to {most}")]
    Payload {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// About a value that is set or released.
    #[error(transparent)]
    Value(#[from] SetError),
}

fn meant(closest: Option<&str>) -> String {
    match closest {
        Some(closest) => format!("; did you mean `{closest}`?"),
        None => String::new(),
    }
}

/// What kind of error it is, for whoever passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SteerErrorKind {
    /// What was asked for is not there.
    NotFound,
    /// It does not fit what is there.
    Conflict,
    /// It can never be done.
    Wrong,
}

impl SteerError {
    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> SteerErrorKind {
        match self {
            Self::NoSuchSession { .. }
            | Self::NoSuchDevice { .. }
            | Self::NoSuchFault(_)
            | Self::NoSuchQuirk { .. }
            | Self::NoSuchBreakpoint(_)
            | Self::NotHeld(_)
            | Self::Value(SetError::NoSuchNode { .. } | SetError::NotSet(_)) => {
                SteerErrorKind::NotFound
            }
            Self::DeviceExists { .. }
            | Self::Outside { .. }
            | Self::ServesDirectly
            | Self::CannotReboot { .. }
            | Self::TooManyFaults(_)
            | Self::TooManyBreakpoints(_)
            | Self::Value(SetError::NothingToSet { .. }) => SteerErrorKind::Conflict,
            Self::Payload { .. } | Self::Value(_) => SteerErrorKind::Wrong,
        }
    }

    /// A name of the error for programs, kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchSession { .. } => "no-such-connection",
            Self::NoSuchDevice { .. } => "no-such-device",
            Self::DeviceExists { .. } => "device-exists",
            Self::Outside { .. } => "device-from-outside",
            Self::ServesDirectly => "serves-directly",
            Self::CannotReboot { .. } => "cannot-reboot",
            Self::NoSuchFault(_) => "no-such-fault",
            Self::TooManyFaults(_) => "too-many-faults",
            Self::NoSuchQuirk { .. } => "no-such-quirk",
            Self::NoSuchBreakpoint(_) => "no-such-breakpoint",
            Self::TooManyBreakpoints(_) => "too-many-breakpoints",
            Self::NotHeld(_) => "not-held",
            Self::Payload { .. } => "payload-size",
            Self::Value(SetError::NoSuchNode { .. }) => "no-such-node",
            Self::Value(SetError::NothingToSet { .. }) => "nothing-to-set",
            Self::Value(SetError::NoSuchField { .. }) => "no-such-field",
            Self::Value(SetError::NotSet(_)) => "not-set",
            Self::Value(SetError::Wrong { .. }) => "wrong-value",
        }
    }
}
