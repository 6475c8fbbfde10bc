//! A VESC Express: the radio module that logs in to hubs, with a BMS of its own or one that it hears on the CAN bus.

use std::fmt;

use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsValues, FwVersion},
};

use super::{
    Silence,
    answer::{Answer, Answers, fw_info},
    bms::Bms,
    custom_config::Configs,
    imu::standing_still,
    motor_state::MotorState,
    node::Node,
    profile::Profile,
    service::{
        Card, FileSettings, Lisp, LispOn, LispSettings, Qml, QmlSettings, READ_OVER_WIFI, Services,
        Upload, UploadTo,
        app::{App, AppSettings},
        side_devices::{GnssSettings, IoBoardSettings, SideDevices},
    },
    steer::{Release, SetCommand, SetError, Told},
};
use crate::time::Time;

/// What an Express plays, beside what every board does.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::FW_VERSION,
    CommandId::GET_IMU_DATA,
    CommandId::GET_CUSTOM_CONFIG_XML,
    CommandId::GET_CUSTOM_CONFIG,
    CommandId::GET_CUSTOM_CONFIG_DEFAULT,
    CommandId::SET_CUSTOM_CONFIG,
    CommandId::BMS_GET_VALUES,
    CommandId::BMS_SET_CHARGE_ALLOWED,
    CommandId::BMS_SET_BALANCE_OVERRIDE,
    CommandId::BMS_RESET_COUNTERS,
    CommandId::BMS_FORCE_BALANCE,
    CommandId::BMS_ZERO_CURRENT_OFFSET,
    CommandId::FW_INFO,
];

/// Who an Express says it is.
#[derive(Clone, Debug)]
pub struct ExpressIdentity {
    /// Its firmware.
    pub profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    pub firmware: FwVersion,
    /// Its config.
    pub configs: Configs,
}

/// Where an Express has its BMS data from.
#[derive(Clone, Debug)]
pub enum Pack {
    /// From a script of its own, which takes the commands as well.
    Own(Box<Bms>),
    /// From a BMS on the CAN bus; as long as none was heard, there are no cells and all is 0.
    OverCan,
}

/// What an Express stores: the files on its memory card, its script and its page for VESC Tool.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The files; none without a card.
    pub files: Option<Vec<FileSettings>>,
    /// The script.
    pub lisp: LispSettings,
    /// The page.
    pub qml: QmlSettings,
}

/// A simulated VESC Express, without its link.
pub struct Express {
    identity: ExpressIdentity,
    pack: Pack,
    /// What does commands of its own.
    services: Services,
}

impl fmt::Debug for Express {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Express")
            .field("firmware", &self.identity.profile.name)
            .finish_non_exhaustive()
    }
}

impl Express {
    /// An Express, what it knows of a battery, and what it stores.
    #[must_use]
    pub fn new(identity: ExpressIdentity, pack: Pack, stored: Stored) -> Self {
        let hardware = identity.firmware.hardware.clone().unwrap_or_default();
        let services = Services::default()
            .with(Card::new(stored.files.as_deref(), READ_OVER_WIFI))
            .with(Lisp::new(LispOn::Express, stored.lisp))
            .with(Qml::new(&stored.qml))
            .with(Upload::new(UploadTo::Express, &hardware.to_string()));
        Self {
            identity,
            pack,
            services,
        }
    }

    /// With a script that answers CUSTOM_APP_DATA, and with what it hears of.
    #[must_use]
    pub fn with_services(
        mut self,
        app: &AppSettings,
        io_boards: &[IoBoardSettings],
        gnss: Option<GnssSettings>,
    ) -> Self {
        let name = self.identity.profile.name;
        self.services = std::mem::take(&mut self.services)
            .with(App::new(app))
            .with(SideDevices::new(name, io_boards, &[], gnss));
        self
    }

    fn bms_values(&self, at: Time, heard: Option<BmsValues>) -> BmsValues {
        match &self.pack {
            Pack::Own(bms) => bms.values(at),
            Pack::OverCan => {
                let end = self.identity.profile.bms_end;
                end.cut(heard.unwrap_or_else(nothing_heard))
            }
        }
    }
}

impl Node for Express {
    fn profile(&self) -> &Profile {
        &self.identity.profile
    }

    fn can_id(&self) -> u8 {
        self.identity.configs.can_id()
    }

    fn hardware(&self) -> String {
        let hardware = self.identity.firmware.hardware.as_ref();
        hardware.map(ToString::to_string).unwrap_or_default()
    }

    fn told(&self, at: Time, heard: Option<BmsValues>) -> Told {
        Told {
            bms: Some(Reply::BmsValues(self.bms_values(at, heard))),
            pinned: match &self.pack {
                Pack::Own(bms) => bms.pinned(at),
                Pack::OverCan => Vec::new(),
            },
            ..Told::default()
        }
    }

    fn set(&mut self, at: Time, command: &SetCommand) -> Result<(), SetError> {
        match &mut self.pack {
            Pack::Own(bms) => bms.steer(at, command),
            Pack::OverCan => Err(SetError::nothing(self.identity.profile.name)),
        }
    }

    fn release(&mut self, _at: Time, release: &Release) -> Result<(), SetError> {
        match &mut self.pack {
            Pack::Own(bms) => bms.release(release),
            Pack::OverCan => Err(SetError::nothing(self.identity.profile.name)),
        }
    }

    fn obeys_bms(&self) -> bool {
        matches!(self.pack, Pack::Own(_))
    }

    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        heard: Option<BmsValues>,
    ) -> Result<Answers, Silence> {
        let no_motor = MotorState::default();
        if let Some(result) = self.services.request(at, request, &no_motor) {
            return result;
        }
        let profile = self.identity.profile;
        let reply = match request {
            Request::FwVersion => {
                let mut version = self.identity.firmware.clone();
                self.services.tell_version(&mut version);
                Reply::FwVersion(profile.cut_fw_version(version))
            }
            Request::BmsGetValues => Reply::BmsValues(self.bms_values(at, heard)),
            Request::Bms(command) => {
                if let Pack::Own(bms) = &mut self.pack {
                    bms.command(at, *command);
                }
                return Err(Silence::Obeyed);
            }
            Request::GetImuData { mask } => Reply::ImuData {
                mask: *mask,
                values: standing_still().select((*mask).into()),
                can_id: Some(self.can_id()),
            },
            Request::Other(other) if other.id == CommandId::FW_INFO => fw_info(&profile),
            _ => {
                let answer = self.identity.configs.answer(request, profile.max_print);
                return answer.map(Into::into);
            }
        };
        Ok(reply.into())
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.services.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(Time, Answer)> {
        self.services.handle_timeout(now, &MotorState::default())
    }

    fn restart(&mut self, at: Time) {
        self.services.restart(at);
    }
}

/// What an Express tells that has heard of no BMS.
fn nothing_heard() -> BmsValues {
    BmsValues {
        can_id: Some(255),
        ..BmsValues::default()
    }
}
