//! What payloads say: requests to a device and replies from it.
//!
//! Which of the two a payload is, only its direction tells. There are no sequence numbers and no addresses: a
//! reply is matched to its request by the command id alone, and a reply to a command inside FORWARD_CAN comes
//! back bare (`EX main/commands.c:375-378`).
//!
//! Decoding keeps everything: a command without a known body is [`Request::Other`] or [`Reply::Other`], bytes
//! behind the last known field stand in [`Decoded::trailing`], and encoding gives the same payload again.

mod args;
mod bms;
mod config;
mod fw_version;
mod id;
mod imu;
mod masked;
mod stats;
mod values;
mod values_setup;

pub use args::{ArgsError, usage};
pub use bms::{BmsCommand, BmsTotals, BmsValues, MAX_ELEMENTS, MAX_STATUS};
pub use config::{ConfigXml, ConfigXmlRequest, CustomConfig, ExpressConfig};
pub use fw_version::{FwVersion, hardware_type_name};
pub use id::{CommandId, UnknownCommand};
pub use imu::ImuData;
pub use stats::Stats;
pub use values::{Values, fault_name};
pub use values_setup::ValuesSetup;

use crate::{
    error::DecodeError,
    reader::{Reader, Wire, write_tail},
    view::{Fields, Value, View},
};

/// A body and what stood behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<T> {
    /// What was understood.
    pub body: T,
    /// Bytes behind the last known field, usually none.
    pub trailing: Vec<u8>,
}

impl<T: View> View for Decoded<T> {
    fn fields(&self) -> Fields {
        let mut fields = self.body.fields();
        if !self.trailing.is_empty() {
            let trailing = match self.body.is_about_secrets() {
                true => Value::Masked,
                false => Value::Bytes(self.trailing.clone()),
            };
            fields.push("trailing", trailing);
        }
        fields
    }
}

/// A payload on its way to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// 0: who are you?
    FwVersion,
    /// 4: what does the motor do?
    GetValues,
    /// 20: a line for the device's terminal, answered by any number of PRINT.
    TerminalCmd(Vec<u8>),
    /// 29: restart; not answered.
    Reboot,
    /// 30: keeps a motor running; not answered.
    Alive,
    /// 34: a payload for another device on the CAN bus, whose reply comes back bare.
    ForwardCan {
        /// The other device, 255 for all.
        can_id: u8,
        /// The payload for it; see [`Request::forwarded`].
        payload: Vec<u8>,
    },
    /// 47: what does the vehicle do?
    GetValuesSetup,
    /// 50: some of the fields of GET_VALUES.
    GetValuesSelective {
        /// One bit per field: see [`Values`].
        mask: u32,
    },
    /// 51: some of the fields of GET_VALUES_SETUP.
    GetValuesSetupSelective {
        /// One bit per field: see [`ValuesSetup`].
        mask: u32,
    },
    /// 62: who is on the CAN bus?
    PingCan,
    /// 65: some fields of the attitude.
    GetImuData {
        /// One bit per field: see [`ImuData`].
        mask: u16,
    },
    /// 92: a part of the XML that describes a custom config.
    GetCustomConfigXml(ConfigXmlRequest),
    /// 93: a custom config.
    GetCustomConfig {
        /// Which; 0 is the only one there is.
        index: i8,
    },
    /// 94: the defaults of a custom config.
    GetCustomConfigDefault {
        /// Which; 0 is the only one there is.
        index: i8,
    },
    /// 95: a new custom config.
    SetCustomConfig(CustomConfig),
    /// 96: what does the BMS measure?
    BmsGetValues,
    /// 97 to 101: changes to a pack.
    Bms(BmsCommand),
    /// 128: some of the statistics.
    GetStats {
        /// One bit per field: see [`Stats`].
        mask: u16,
    },
    /// Any other command.
    Other(Opaque),
}

/// A payload on its way to a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// 0: who the device is.
    FwVersion(FwVersion),
    /// 4: what the motor does.
    Values(Values),
    /// 21: a text of the device's, asked for or not; no NUL.
    Print(Vec<u8>),
    /// 47: what the vehicle does.
    ValuesSetup(ValuesSetup),
    /// 50: some of the fields of GET_VALUES.
    ValuesSelective {
        /// The request's mask; its bits decide which fields are written.
        mask: u32,
        /// The fields; one that the mask names and that is not there is written as 0.
        values: Values,
    },
    /// 51: some of the fields of GET_VALUES_SETUP.
    ValuesSetupSelective {
        /// The request's mask; its bits decide which fields are written.
        mask: u32,
        /// The fields; one that the mask names and that is not there is written as 0.
        values: ValuesSetup,
    },
    /// 62: the ids that answered on the CAN bus, ascending.
    PingCan {
        /// The ids; the scanning device is not among them.
        can_ids: Vec<u8>,
    },
    /// 65: some fields of the attitude.
    ImuData {
        /// The request's mask; its bits decide which fields are written.
        mask: u16,
        /// The fields; one that the mask names and that is not there is written as 0.
        values: ImuData,
        /// CAN id of the device; since 2023-10-15.
        can_id: Option<u8>,
    },
    /// 92: a part of the XML that describes a custom config.
    CustomConfigXml(ConfigXml),
    /// 93: a custom config.
    CustomConfig(CustomConfig),
    /// 94: the defaults of a custom config.
    CustomConfigDefault(CustomConfig),
    /// 95: the new custom config was taken; nothing else is said.
    CustomConfigSet,
    /// 96: what the BMS measures.
    BmsValues(BmsValues),
    /// 128: some of the statistics.
    Stats {
        /// The request's mask, widened; its bits decide which fields are written.
        mask: u32,
        /// The fields; one that the mask names and that is not there is written as 0.
        values: Stats,
    },
    /// Any other command.
    Other(Opaque),
}

/// A command whose body is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opaque {
    /// Which command.
    pub id: CommandId,
    /// What follows the id.
    pub arguments: Vec<u8>,
}

impl View for Opaque {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        if !self.arguments.is_empty() {
            fields.push("arguments", Value::Bytes(self.arguments.clone()));
        }
        fields
    }
}

impl Request {
    /// Reads a payload that goes to a device.
    ///
    /// # Errors
    /// If the payload is empty or ends before an argument that its command must have.
    pub fn decode(payload: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        let (id, mut reader) = open(payload)?;
        let body = Self::read(id, &mut reader)?;
        Ok(close(body, reader))
    }

    fn read(id: CommandId, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if let Some(command) = BmsCommand::read(id, reader)? {
            return Ok(Self::Bms(command));
        }
        Ok(match id {
            FwVersion::ID => Self::FwVersion,
            CommandId::GET_VALUES => Self::GetValues,
            CommandId::TERMINAL_CMD => Self::TerminalCmd(reader.rest().to_vec()),
            CommandId::REBOOT => Self::Reboot,
            CommandId::ALIVE => Self::Alive,
            CommandId::FORWARD_CAN => Self::ForwardCan {
                can_id: reader.get("can_id")?,
                payload: reader.rest().to_vec(),
            },
            CommandId::GET_VALUES_SETUP => Self::GetValuesSetup,
            CommandId::GET_VALUES_SELECTIVE => Self::GetValuesSelective {
                mask: reader.get("mask")?,
            },
            CommandId::GET_VALUES_SETUP_SELECTIVE => Self::GetValuesSetupSelective {
                mask: reader.get("mask")?,
            },
            CommandId::PING_CAN => Self::PingCan,
            CommandId::GET_IMU_DATA => Self::GetImuData {
                mask: reader.get("mask")?,
            },
            CommandId::GET_CUSTOM_CONFIG_XML => {
                Self::GetCustomConfigXml(ConfigXmlRequest::read(reader)?)
            }
            CommandId::GET_CUSTOM_CONFIG => Self::GetCustomConfig {
                index: reader.get("index")?,
            },
            CommandId::GET_CUSTOM_CONFIG_DEFAULT => Self::GetCustomConfigDefault {
                index: reader.get("index")?,
            },
            CommandId::SET_CUSTOM_CONFIG => Self::SetCustomConfig(CustomConfig::read(reader)?),
            BmsValues::ID => Self::BmsGetValues,
            CommandId::GET_STATS => Self::GetStats {
                mask: reader.get("mask")?,
            },
            _ => Self::Other(Opaque {
                id,
                arguments: reader.rest().to_vec(),
            }),
        })
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.id().0];
        match self {
            Self::FwVersion
            | Self::GetValues
            | Self::Reboot
            | Self::Alive
            | Self::GetValuesSetup
            | Self::PingCan
            | Self::BmsGetValues => {}
            Self::TerminalCmd(text) => out.extend_from_slice(text),
            Self::ForwardCan { can_id, payload } => {
                out.push(*can_id);
                out.extend_from_slice(payload);
            }
            Self::GetValuesSelective { mask } | Self::GetValuesSetupSelective { mask } => {
                mask.write(&mut out);
            }
            Self::GetImuData { mask } | Self::GetStats { mask } => mask.write(&mut out),
            Self::GetCustomConfigXml(request) => request.write(&mut out),
            Self::GetCustomConfig { index } | Self::GetCustomConfigDefault { index } => {
                index.write(&mut out);
            }
            Self::SetCustomConfig(config) => config.write(&mut out),
            Self::Bms(command) => command.write(&mut out),
            Self::Other(opaque) => out.extend_from_slice(&opaque.arguments),
        }
        out
    }

    /// The command id.
    #[must_use]
    pub fn id(&self) -> CommandId {
        match self {
            Self::FwVersion => FwVersion::ID,
            Self::GetValues => CommandId::GET_VALUES,
            Self::TerminalCmd(_) => CommandId::TERMINAL_CMD,
            Self::Reboot => CommandId::REBOOT,
            Self::Alive => CommandId::ALIVE,
            Self::ForwardCan { .. } => CommandId::FORWARD_CAN,
            Self::GetValuesSetup => CommandId::GET_VALUES_SETUP,
            Self::GetValuesSelective { .. } => CommandId::GET_VALUES_SELECTIVE,
            Self::GetValuesSetupSelective { .. } => CommandId::GET_VALUES_SETUP_SELECTIVE,
            Self::PingCan => CommandId::PING_CAN,
            Self::GetImuData { .. } => CommandId::GET_IMU_DATA,
            Self::GetCustomConfigXml(_) => CommandId::GET_CUSTOM_CONFIG_XML,
            Self::GetCustomConfig { .. } => CommandId::GET_CUSTOM_CONFIG,
            Self::GetCustomConfigDefault { .. } => CommandId::GET_CUSTOM_CONFIG_DEFAULT,
            Self::SetCustomConfig(_) => CommandId::SET_CUSTOM_CONFIG,
            Self::BmsGetValues => BmsValues::ID,
            Self::Bms(command) => command.id(),
            Self::GetStats { .. } => CommandId::GET_STATS,
            Self::Other(opaque) => opaque.id,
        }
    }

    /// Wraps a request for another device on the CAN bus.
    #[must_use]
    pub fn forward(can_id: u8, request: &Self) -> Self {
        Self::ForwardCan {
            can_id,
            payload: request.encode(),
        }
    }

    /// The request inside FORWARD_CAN, decoded on demand: nesting has no bottom otherwise.
    #[must_use]
    pub fn forwarded(&self) -> Option<Result<Decoded<Self>, DecodeError>> {
        match self {
            Self::ForwardCan { payload, .. } => Some(Self::decode(payload)),
            _ => None,
        }
    }

    /// Whether no firmware ever answers this request, or the one inside FORWARD_CAN.
    #[must_use]
    pub fn is_never_answered(&self) -> bool {
        let is_silent = |request: &Self| {
            matches!(
                request,
                Self::Alive | Self::Reboot | Self::TerminalCmd(_) | Self::Bms(_)
            )
        };
        // One level: nesting has no bottom.
        match self.forwarded() {
            Some(Ok(inner)) => is_silent(&inner.body),
            _ => is_silent(self),
        }
    }

    /// The id that the reply to this request will have: for FORWARD_CAN that of the command inside.
    #[must_use]
    pub fn reply_id(&self) -> Option<CommandId> {
        match self {
            Self::ForwardCan { payload, .. } => payload.first().copied().map(CommandId),
            other => Some(other.id()),
        }
    }
}

impl Reply {
    /// Reads a payload that goes to a tool.
    ///
    /// # Errors
    /// If the payload is empty or ends before a field that its command has had from the start.
    pub fn decode(payload: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        let (id, mut reader) = open(payload)?;
        let body = Self::read(id, &mut reader)?;
        Ok(close(body, reader))
    }

    fn read(id: CommandId, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match id {
            FwVersion::ID => Self::FwVersion(FwVersion::read(reader)?),
            CommandId::GET_VALUES => Self::Values(Values::read(reader)?),
            CommandId::PRINT => Self::Print(reader.rest().to_vec()),
            CommandId::GET_VALUES_SETUP => Self::ValuesSetup(ValuesSetup::read(reader)?),
            CommandId::GET_VALUES_SELECTIVE => {
                let (mask, mut values) = (reader.get("mask")?, Values::default());
                values.read_masked(mask, reader)?;
                Self::ValuesSelective { mask, values }
            }
            CommandId::GET_VALUES_SETUP_SELECTIVE => {
                let (mask, mut values) = (reader.get("mask")?, ValuesSetup::default());
                values.read_masked(mask, reader)?;
                Self::ValuesSetupSelective { mask, values }
            }
            CommandId::PING_CAN => Self::PingCan {
                can_ids: reader.rest().to_vec(),
            },
            CommandId::GET_IMU_DATA => {
                let (mask, mut values) = (reader.get("mask")?, ImuData::default());
                values.read_masked(u32::from(mask), reader)?;
                Self::ImuData {
                    mask,
                    values,
                    can_id: reader.tail("can_id")?,
                }
            }
            CommandId::GET_CUSTOM_CONFIG_XML => Self::CustomConfigXml(ConfigXml::read(reader)?),
            CommandId::GET_CUSTOM_CONFIG => Self::CustomConfig(CustomConfig::read(reader)?),
            CommandId::GET_CUSTOM_CONFIG_DEFAULT => {
                Self::CustomConfigDefault(CustomConfig::read(reader)?)
            }
            CommandId::SET_CUSTOM_CONFIG => Self::CustomConfigSet,
            BmsValues::ID => Self::BmsValues(BmsValues::read(reader)?),
            CommandId::GET_STATS => {
                let (mask, mut values) = (reader.get("mask")?, Stats::default());
                values.read_masked(mask, reader)?;
                Self::Stats { mask, values }
            }
            _ => Self::Other(Opaque {
                id,
                arguments: reader.rest().to_vec(),
            }),
        })
    }

    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.id().0];
        match self {
            Self::FwVersion(version) => version.write(&mut out),
            Self::Values(values) => values.write(&mut out),
            Self::ValuesSetup(values) => values.write(&mut out),
            Self::ValuesSelective { mask, values } => {
                mask.write(&mut out);
                values.write_masked(*mask, &mut out);
            }
            Self::ValuesSetupSelective { mask, values } => {
                mask.write(&mut out);
                values.write_masked(*mask, &mut out);
            }
            Self::ImuData {
                mask,
                values,
                can_id,
            } => {
                mask.write(&mut out);
                values.write_masked(u32::from(*mask), &mut out);
                write_tail(can_id, &mut out);
            }
            Self::Stats { mask, values } => {
                mask.write(&mut out);
                values.write_masked(*mask, &mut out);
            }
            Self::Print(text) => out.extend_from_slice(text),
            Self::PingCan { can_ids } => out.extend_from_slice(can_ids),
            Self::CustomConfigXml(xml) => xml.write(&mut out),
            Self::CustomConfig(config) | Self::CustomConfigDefault(config) => {
                config.write(&mut out);
            }
            Self::CustomConfigSet => {}
            Self::BmsValues(values) => values.write(&mut out),
            Self::Other(opaque) => out.extend_from_slice(&opaque.arguments),
        }
        out
    }

    /// The command id.
    #[must_use]
    pub fn id(&self) -> CommandId {
        match self {
            Self::FwVersion(_) => FwVersion::ID,
            Self::Values(_) => CommandId::GET_VALUES,
            Self::ValuesSetup(_) => CommandId::GET_VALUES_SETUP,
            Self::ValuesSelective { .. } => CommandId::GET_VALUES_SELECTIVE,
            Self::ValuesSetupSelective { .. } => CommandId::GET_VALUES_SETUP_SELECTIVE,
            Self::ImuData { .. } => CommandId::GET_IMU_DATA,
            Self::Stats { .. } => CommandId::GET_STATS,
            Self::Print(_) => CommandId::PRINT,
            Self::PingCan { .. } => CommandId::PING_CAN,
            Self::CustomConfigXml(_) => CommandId::GET_CUSTOM_CONFIG_XML,
            Self::CustomConfig(_) => CommandId::GET_CUSTOM_CONFIG,
            Self::CustomConfigDefault(_) => CommandId::GET_CUSTOM_CONFIG_DEFAULT,
            Self::CustomConfigSet => CommandId::SET_CUSTOM_CONFIG,
            Self::BmsValues(_) => BmsValues::ID,
            Self::Other(opaque) => opaque.id,
        }
    }
}

impl View for Request {
    fn is_about_secrets(&self) -> bool {
        is_about_config(self.id())
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        match self {
            Self::FwVersion
            | Self::GetValues
            | Self::Reboot
            | Self::Alive
            | Self::GetValuesSetup
            | Self::PingCan
            | Self::BmsGetValues => {}
            Self::TerminalCmd(text) => fields.push("text", latin1(text)),
            Self::ForwardCan { can_id, payload } => {
                fields.push("can_id", *can_id);
                if let Some(id) = self.reply_id() {
                    fields.push("command", Value::Text(id.to_string()));
                }
                match Self::decode(payload) {
                    // One level is shown in full, deeper ones as bytes.
                    Ok(inner) if !matches!(inner.body, Self::ForwardCan { .. }) => {
                        let inner = inner.fields();
                        if !inner.is_empty() {
                            fields.push("fields", inner);
                        }
                    }
                    _ if carries_config(payload) => fields.push("payload", Value::Masked),
                    _ => fields.push("payload", Value::Bytes(payload.clone())),
                }
            }
            Self::GetValuesSelective { mask } | Self::GetValuesSetupSelective { mask } => {
                fields.push("mask", *mask);
            }
            Self::GetImuData { mask } | Self::GetStats { mask } => fields.push("mask", *mask),
            Self::GetCustomConfigXml(request) => fields = request.fields(),
            Self::GetCustomConfig { index } | Self::GetCustomConfigDefault { index } => {
                fields.push("index", *index);
            }
            Self::SetCustomConfig(config) => fields = config.fields(),
            Self::Bms(command) => fields = command.fields(),
            Self::Other(opaque) => fields = opaque.fields(),
        }
        fields
    }
}

impl View for Reply {
    fn is_about_secrets(&self) -> bool {
        is_about_config(self.id())
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        match self {
            Self::FwVersion(version) => fields = version.fields(),
            Self::Values(values) => values.show(&mut fields),
            Self::ValuesSetup(values) => values.show(&mut fields),
            Self::ValuesSelective { mask, values } => {
                fields.push("mask", *mask);
                values.show(&mut fields);
            }
            Self::ValuesSetupSelective { mask, values } => {
                fields.push("mask", *mask);
                values.show(&mut fields);
            }
            Self::ImuData {
                mask,
                values,
                can_id,
            } => {
                fields.push("mask", *mask);
                values.show(&mut fields);
                fields.push_some("can_id", *can_id);
            }
            Self::Stats { mask, values } => {
                fields.push("mask", *mask);
                values.show(&mut fields);
            }
            Self::Print(text) => fields.push("text", latin1(text)),
            Self::PingCan { can_ids } => fields.push("can_ids", can_ids.clone()),
            Self::CustomConfigXml(xml) => fields = xml.fields(),
            Self::CustomConfig(config) | Self::CustomConfigDefault(config) => {
                fields = config.fields();
            }
            Self::CustomConfigSet => {}
            Self::BmsValues(values) => fields = values.fields(),
            Self::Other(opaque) => fields = opaque.fields(),
        }
        fields
    }
}

/// Whether there is a command about a custom config under any number of FORWARD_CANs.
fn carries_config(mut payload: &[u8]) -> bool {
    while let [id, _, inner @ ..] = payload
        && CommandId(*id) == CommandId::FORWARD_CAN
    {
        payload = inner;
    }
    let id = payload.first().copied().map(CommandId);
    id.is_some_and(is_about_config)
}

fn is_about_config(id: CommandId) -> bool {
    (CommandId::GET_CUSTOM_CONFIG..=CommandId::SET_CUSTOM_CONFIG).contains(&id)
}

fn open(payload: &[u8]) -> Result<(CommandId, Reader<'_>), DecodeError> {
    let &id = payload.first().ok_or(DecodeError::Empty)?;
    let id = CommandId(id);
    Ok((id, Reader::new(id, payload)))
}

fn close<T>(body: T, mut reader: Reader<'_>) -> Decoded<T> {
    Decoded {
        body,
        trailing: reader.rest().to_vec(),
    }
}

/// Device texts are Latin-1 (`EX main/commands.c:1148-1156`).
fn latin1(text: &[u8]) -> Value {
    Value::Text(text.iter().copied().map(char::from).collect())
}
