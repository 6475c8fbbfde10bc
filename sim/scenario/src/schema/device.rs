//! Devices: what is at the hub, and what each of them is like.

use schemars::JsonSchema;
use serde::Deserialize;
use veschub_hub::device::service::{
    app::AppSettings,
    side_devices::{GnssSettings, IoBoardSettings},
};

use super::{
    Alone, BmsSettings, CanNode, Carriage, ExpressFirmware, FileSettings, LinkKeys, LispSettings,
    PrintAt, QmlSettings, ScriptedReply, TerminalAnswer,
};
use crate::duration::Duration;
use veschub_hub::device::{NodeSettings, bms_node::BmsNodeSettings, motor::MotorSettings};

/// A device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A VESC Express.
    Express(Box<Express>),
    /// A motor controller of its own, at a hub or reached directly.
    Motor(Box<Alone<MotorSettings>>),
    /// A VESC BMS of its own, at a hub or reached directly.
    Bms(Box<Alone<BmsNodeSettings>>),
    /// The device side of a recorded session.
    Replay(Replay),
}

/// What devices of our own have in common, whatever they are.
#[derive(Clone, Copy, Debug)]
pub struct Outfit<'a> {
    /// The name of the kind.
    pub kind: &'static str,
    /// The id that tools log in with, if there is a hub.
    pub id: Option<&'a str>,
    /// The password that tools log in with, if there is a hub.
    pub password: Option<&'a str>,
    /// How many of them there are.
    pub count: Option<usize>,
    /// Its own CAN ids, and the keys that have them.
    pub can_ids: [Option<(u8, &'static str)>; 2],
    /// Hardware name.
    pub hardware: &'a str,
    /// What carries its bytes, where that cuts them into pieces.
    pub link: Option<&'a Carriage>,
    /// The pack that it measures itself, and the key that describes it.
    pub pack: Option<(&'a BmsSettings, &'static str)>,
    /// The nodes on the CAN bus.
    pub can: &'a [CanNode],
    /// Replies by the bytes of the request.
    pub replies: &'a [ScriptedReply],
    /// Replies to commands of the terminal.
    pub terminal: &'a [TerminalAnswer],
    /// Texts that nobody asks for.
    pub prints: &'a [PrintAt],
}

impl Device {
    /// What it has in common with others; none for a recording.
    #[must_use]
    pub fn outfit(&self) -> Option<Outfit<'_>> {
        match self {
            Self::Express(express) => Some(express.outfit()),
            Self::Motor(motor) => Some(Outfit::alone("motor", &motor.node, &motor.link)),
            Self::Bms(bms) => Some(Outfit::alone("bms", &bms.node, &bms.link)),
            Self::Replay(_) => None,
        }
    }
}

impl<'a> Outfit<'a> {
    fn alone(kind: &'static str, node: &'a impl NodeSettings, link: &'a LinkKeys) -> Self {
        let second = node.second_can_id().map(|id| (id, "second_can_id"));
        Self {
            kind,
            id: link.id.as_deref(),
            password: link.password.as_deref(),
            count: link.count,
            can_ids: [Some((node.can_id(), "can_id")), second],
            hardware: node.hardware(),
            link: link.link.as_ref(),
            pack: node.pack().map(|pack| (pack, "pack")),
            can: &link.can,
            replies: &link.replies,
            terminal: &link.terminal,
            prints: &link.prints,
        }
    }

    /// Whether no hub is in front of it: it has neither id nor password.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.id.is_none() && self.password.is_none()
    }
}

impl Express {
    /// What it has in common with other devices.
    #[must_use]
    pub fn outfit(&self) -> Outfit<'_> {
        Outfit {
            kind: "express",
            id: Some(&self.id),
            password: Some(&self.password),
            count: self.count,
            can_ids: [Some((self.can_id, "can_id")), None],
            hardware: &self.hardware,
            link: self.link.as_ref(),
            pack: self.bms.as_ref().map(|bms| (bms, "bms")),
            can: &self.can,
            replies: &self.replies,
            terminal: &self.terminal,
            prints: &self.prints,
        }
    }
}

/// A VESC Express, or many of one kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Express {
    /// The id that tools log in with; with `count`, one with `{n}` in it, or `{n:03}` for 001, 002 and so on.
    pub id: String,
    /// The password that tools log in with.
    pub password: String,
    /// How many of them there are, numbered from 1.
    #[serde(default)]
    pub count: Option<usize>,
    /// Firmware version.
    #[serde(default)]
    pub firmware: ExpressFirmware,
    /// Hardware name.
    #[serde(default = "express_hardware")]
    pub hardware: String,
    /// Its own CAN id: 0 to 254.
    #[serde(default = "express_can_id")]
    pub can_id: u8,
    /// How many custom configs it has: 1, or 0 to have it silent about them.
    #[serde(default = "custom_configs")]
    pub custom_configs: u8,
    /// The time from a request's arrival at the hub to the reply's departure.
    #[serde(default = "reply_after")]
    pub reply_after: Duration,
    /// What carries its bytes, where that cuts them into pieces: Bluetooth, USB or datagrams.
    #[serde(default)]
    pub link: Option<Carriage>,
    /// The BMS; without one, the device reports one on the CAN bus, or that it knows of none.
    #[serde(default)]
    pub bms: Option<BmsSettings>,
    /// Whether the CAN bus works at all.
    #[serde(default)]
    pub bus: Bus,
    /// The nodes on the CAN bus.
    #[serde(default)]
    pub can: Vec<CanNode>,
    /// The files on its memory card; without them, it has no card.
    #[serde(default)]
    pub files: Option<Vec<FileSettings>>,
    /// Its script, and what that prints and holds.
    #[serde(default)]
    pub lisp: LispSettings,
    /// Its page for VESC Tool.
    #[serde(default)]
    pub qml: QmlSettings,
    /// A script that answers CUSTOM_APP_DATA.
    #[serde(default)]
    pub app: AppSettings,
    /// The I/O boards that it hears.
    #[serde(default)]
    pub io_boards: Vec<IoBoardSettings>,
    /// Where a receiver says that it is; without it, it has heard of no place.
    #[serde(default)]
    pub gnss: Option<GnssSettings>,
    /// Replies that are sent instead of the built-in ones, chosen by the bytes of the request.
    #[serde(default)]
    pub replies: Vec<ScriptedReply>,
    /// What the device prints when a tool sends a terminal command.
    #[serde(default)]
    pub terminal: Vec<TerminalAnswer>,
    /// Texts that the device prints without being asked.
    #[serde(default)]
    pub prints: Vec<PrintAt>,
}

/// Whether a CAN bus works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bus {
    /// The bus works.
    #[default]
    On,
    /// The driver is not started: a scan ends at once and finds no node.
    Off,
}

/// The device side of a recorded session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The capture file; a relative path starts at the scenario's folder.
    pub capture: String,
    /// The id that tools log in with; the recorded one unless given.
    #[serde(default)]
    pub id: Option<String>,
    /// The password that tools log in with; the recorded one unless given.
    #[serde(default)]
    pub password: Option<String>,
    /// When replies are sent.
    #[serde(default)]
    pub pace: Pace,
    /// How much faster than recorded replies come, e.g. `2` for twice as fast; only with `pace: recorded`.
    #[serde(default)]
    pub speed: Option<f64>,
    /// Which requests are answered.
    #[serde(default)]
    pub order: ReplayOrder,
    /// What the device answers when a request comes more often than in the recording.
    #[serde(default)]
    pub at_end: AtEnd,
    /// What the device does with a request that was not recorded.
    #[serde(default)]
    pub unknown: Unknown,
}

/// What a replayed device does with a request that is not in its recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// It does not answer.
    #[default]
    Silent,
    /// A synthetic device of the same kind and firmware answers it, with the values recorded last.
    Synthetic,
}

/// Which requests a replayed device answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayOrder {
    /// Every request that was recorded, in any order; the k-th time it is asked, its k-th answer comes.
    #[default]
    ByRequest,
    /// Only the request that came next in the recording.
    Strict,
}

/// What a replayed device answers when a request comes more often than in the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// The last answer again.
    #[default]
    Hold,
    /// The first answer again, and so on.
    Wrap,
    /// Nothing.
    Silent,
}

/// When something recorded is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// With the recorded times.
    #[default]
    Recorded,
    /// As fast as possible.
    Immediate,
}

fn express_hardware() -> String {
    "VESC Express T".to_owned()
}

fn express_can_id() -> u8 {
    2
}

fn custom_configs() -> u8 {
    1
}

/// What was measured between a hub and its device, without the way from the hub to the tool: 50 to 60 ms.
fn reply_after() -> Duration {
    Duration(55_000_000)
}
