//! Why a device does not answer. There is no error reply in this protocol, so only the journal says it.

use std::time::Duration;

use veschub_wire::{CommandId, DecodeError};

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Silence {
    /// A node on the CAN bus is silent.
    #[error("CAN node {can_id}: {why}")]
    Node {
        /// The node's CAN id.
        can_id: u8,
        /// Why.
        why: Box<Self>,
    },

    /// It was held at a breakpoint, and somebody dropped it.
    #[error("it was held at a breakpoint and dropped")]
    Dropped,

    /// The request ends before an argument that it must have.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The argument is too short.
    #[error("it is too short")]
    TooShort,
    /// A request that is passed on without a payload.
    #[error("it is empty")]
    Empty,

    /// The firmware does not know the command.
    #[error("{0} does not handle it")]
    Unknown(&'static str),
    /// The firmware may answer; the simulator does not play it.
    #[error("{0} handles it, this simulator does not")]
    NotPlayed(&'static str),
    /// The firmware acts on it without an answer.
    #[error("{0} takes it and never answers")]
    NeverAnswered(&'static str),
    /// The firmware knows the command, but has no answer to this request.
    #[error("{0} has nothing to say to it")]
    NothingToSay(&'static str),
    /// It is for an application, and there is none.
    #[error("no application takes it")]
    NoApplication,
    /// The application does not answer it.
    #[error("the application does not answer it")]
    AppIgnores,
    /// It is about a device that was never heard of.
    #[error("no device with that id was ever heard")]
    NeverHeard,
    /// It is for a config that an application registers, and there is none.
    #[error("no application has registered a config")]
    NoConfigRegistered,
    /// The firmware has a configuration, of which neither the signature is known nor a scenario tells anything.
    #[error(
        "what a configuration of {0} looks like is not known; give it with `mcconf` or `appconf`"
    )]
    NoMotorConfig(&'static str),
    /// The hardware keeps its configuration as it is.
    #[error("its hardware lets nobody change this configuration")]
    ReadOnlyConfig,
    /// The terminal has no command with this name.
    #[error("its terminal has nothing to print")]
    NothingToPrint,
    /// A motor controller does not know where its prints go.
    #[error(
        "no terminal command or other long command has come since its start, so it drops what it prints"
    )]
    NobodyToPrintTo,
    /// A controller with two motors takes no firmware by way of its own bus.
    #[error("it takes no firmware that it sends to itself")]
    NoFirmwareFromItself,
    /// The request asks for no acknowledgement.
    #[error("no acknowledgement was asked for")]
    NoAcknowledgement,

    /// The device shows no custom config.
    #[error("it has no custom config")]
    NoCustomConfig,
    /// The request has to do with something else.
    #[error("it is not about a custom config")]
    NotAboutConfig,
    /// There is one config, and another one was asked for.
    #[error("there is no config but number 0")]
    NoSuchConfig,
    /// A part of the config's description that is not there or does not fit a reply.
    #[error("the XML of {size} bytes has no such part, or it is too long for a reply")]
    NoSuchPart {
        /// How long the description is.
        size: usize,
    },

    /// A part of stored code that is not there or does not fit a reply.
    #[error("the code of {size} bytes has no such part, or it is too long for a reply")]
    NoSuchCode {
        /// How long the code is.
        size: usize,
    },
    /// The hardware brings no page in QML.
    #[error("its hardware has no page in QML")]
    NoHardwarePage,
    /// No page in QML is stored, and the firmware is too old to say so.
    #[error("no page in QML is stored")]
    NoStoredPage,
    /// There is no script.
    #[error("no script runs")]
    NoScript,
    /// A text came too soon behind another one.
    #[error("it evaluates another text, or did so within the last 0.5 s")]
    EvaluatesStill,
    /// A command about a log.
    #[error("the log takes it; such commands are never acknowledged")]
    Logged,
    /// A command about new firmware names another hardware.
    #[error("it is for other hardware")]
    ForOtherHardware,
    /// New firmware is whole and starts.
    #[error("it restarts with the new firmware, whose size and CRC are right")]
    StartsNewFirmware,
    /// New firmware is not whole, and the bootloader starts the old one.
    #[error("it restarts with the old firmware: size or CRC of the new one are wrong")]
    StartsOldFirmware,
    /// New firmware is not whole, and nothing happens.
    #[error("size or CRC of the new firmware are wrong, and it goes on with the old one")]
    NewFirmwareRefused,

    /// One blocking command is done at a time.
    #[error("the worker is busy with another command")]
    Busy,
    /// Too many requests wait.
    #[error("too many requests wait for an answer")]
    Crowded,
    /// The request makes the device restart.
    #[error("it restarts")]
    Restarts,
    /// The device has not restarted yet.
    #[error("it is restarting")]
    Restarting,

    /// The CAN bus does not work.
    #[error("the CAN driver is not started")]
    BusOff,
    /// Nobody answers to its own id on the bus.
    #[error("{0} is its own id, and what it sends to the bus does not come back")]
    OwnId(u8),
    /// No node has the id.
    #[error("nobody on the CAN bus has the id {0}")]
    NoSuchNode(u8),
    /// The node has restarted since.
    #[error("CAN node {0} is gone")]
    NodeGone(u8),
    /// A node asks all others at once.
    #[error("a node's broadcast is not played here")]
    NodeBroadcast,

    /// There is no BMS on the bus.
    #[error("no BMS was ever heard")]
    NoBms,
    /// The BMS on the bus has not told its values for too long.
    #[error(
        "the data of BMS {can_id} are {:.1} s old, and only within 2 s a command is sent on",
        age.as_secs_f64()
    )]
    StaleBms {
        /// The CAN id of the BMS.
        can_id: u8,
        /// How old its values are.
        age: Duration,
    },
    /// The pack obeyed.
    #[error("the pack took it; such commands are never acknowledged")]
    Obeyed,

    /// The motor turns, and only a forced command switches it off.
    #[error("the motor turns")]
    Turning,
    /// The motor does not turn for a command at this moment.
    #[error("{0}")]
    MotorIgnores(MotorIgnores),
    /// The request switches the device off.
    #[error("it switches itself off")]
    SwitchesOff,
    /// The device has switched itself off.
    #[error("it is switched off")]
    Off,

    /// The scenario says so.
    #[error("the scenario keeps it silent")]
    Scripted,
    /// The recording does not hold the request.
    #[error("the recording has no such request")]
    NotRecorded,
    /// The recording goes on with another request.
    #[error("the recording goes on with {0}")]
    OutOfOrder(CommandId),
    /// The recording holds no further answer.
    #[error("the recording is over")]
    RecordingOver,
    /// The recorded device did not answer.
    #[error("it was not answered in the recording")]
    RecordedSilence,
}

/// Why a motor does not turn for a command. The command counts for the time-out all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MotorIgnores {
    /// There is a fault, and for half a second after its cause.
    #[error("there is a fault, {}", veschub_wire::command::fault_name(*.0).unwrap_or("unknown"))]
    Fault(u8),
    /// An emergency stop, a write to flash or a stop in the terminal is not long enough ago.
    #[error("it ignores commands for a time")]
    Locked,
    /// Applications, of which a nunchuk is one, must not drive.
    #[error("applications must not drive")]
    OutputDisabled,
}

impl Silence {
    /// Whether the device restarts instead of answering, as after REBOOT.
    pub(crate) fn restarts(&self) -> bool {
        matches!(
            self,
            Self::Restarts | Self::StartsNewFirmware | Self::StartsOldFirmware
        )
    }
}
