//! Devices that a motor controller hears of: I/O boards, power switches and a GNSS receiver.
//!
//! What was never heard of is not answered, but for GNSS, whose values are then 0 and as old as the run
//! (`MC comm/commands.c:1475-1518`, `MC comm/commands.c:1577`).

mod gnss;
mod io_board;
mod power_switch;

use veschub_wire::{CommandId, Reply, Request, command::PowerSwitch};

pub use gnss::GnssSettings;
pub use io_board::IoBoardSettings;
pub use power_switch::PowerSwitchSettings;

use super::Service;
use crate::{
    device::{Silence, answer::Answers, motor_state::MotorState},
    time::Time,
};

/// What is done here, on motor controllers and on an Express.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::IO_BOARD_GET_ALL,
    CommandId::IO_BOARD_SET_PWM,
    CommandId::IO_BOARD_SET_DIGITAL,
    CommandId::GET_GNSS,
];
/// What is done here, on motor controllers alone.
pub(in crate::device) const OF_MOTORS: &[CommandId] =
    &[CommandId::PSW_GET_STATUS, CommandId::PSW_SWITCH];

/// What a device hears of.
#[derive(Debug)]
pub(in crate::device) struct SideDevices {
    name: &'static str,
    io_boards: Vec<IoBoardSettings>,
    switches: Vec<PowerSwitchSettings>,
    /// Which of the switches are on.
    on: Vec<bool>,
    gnss: Option<GnssSettings>,
}

impl SideDevices {
    /// With the name of the firmware, for why it is silent.
    pub(in crate::device) fn new(
        name: &'static str,
        io_boards: &[IoBoardSettings],
        switches: &[PowerSwitchSettings],
        gnss: Option<GnssSettings>,
    ) -> Self {
        Self {
            name,
            io_boards: io_boards.to_vec(),
            on: switches.iter().map(|switch| switch.on).collect(),
            switches: switches.to_vec(),
            gnss,
        }
    }

    fn switch_at(&self, by_id: bool, id: i16) -> Option<usize> {
        match by_id {
            true => self.switches.iter().position(|switch| switch.id == id),
            false => {
                let index = usize::try_from(id).ok();
                index.filter(|&index| index < self.switches.len())
            }
        }
    }

    fn switch_status(&self, by_id: bool, id: i16, motor: &MotorState) -> Option<PowerSwitch> {
        let at = self.switch_at(by_id, id)?;
        let is_on = *self.on.get(at)?;
        let known = i16::try_from(self.switches.len()).unwrap_or(i16::MAX);
        Some(self.switches.get(at)?.status(known, is_on, motor))
    }
}

impl Service for SideDevices {
    fn request(
        &mut self,
        at: Time,
        request: &Request,
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let reply = match *request {
            Request::IoBoardGetAll { id } => {
                let board = self.io_boards.iter().find(|board| board.id == id);
                board.and_then(IoBoardSettings::values)
            }
            Request::IoBoardSetPwm { .. } | Request::IoBoardSetDigital { .. } => {
                return Some(Err(Silence::NeverAnswered(self.name)));
            }
            Request::PswGetStatus { by_id, id } => self
                .switch_status(by_id != 0, id, motor)
                .map(Reply::PowerSwitch),
            Request::PswSwitch { id, on, .. } => {
                if let Some(at) = self.switch_at(true, id)
                    && let Some(switch) = self.on.get_mut(at)
                {
                    *switch = on != 0;
                }
                return Some(Err(Silence::NeverAnswered(self.name)));
            }
            Request::GetGnss { mask } => Some(Reply::Gnss {
                mask: mask.into(),
                values: gnss::values(self.gnss.as_ref(), at).select(mask.into()),
            }),
            _ => return None,
        };
        Some(match reply {
            Some(reply) => Ok(reply.into()),
            None => Err(Silence::NeverHeard),
        })
    }

    fn restart(&mut self, _: Time) {
        self.on = self.switches.iter().map(|switch| switch.on).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(settings: serde_json::Value) -> SideDevices {
        let part = |key: &str| settings.get(key).cloned().unwrap_or_default();
        let boards: Vec<IoBoardSettings> = serde_json::from_value(part("io_boards")).unwrap();
        let switches: Vec<PowerSwitchSettings> = serde_json::from_value(part("switches")).unwrap();
        let gnss = serde_json::from_value(part("gnss")).unwrap();
        SideDevices::new("motor controller", &boards, &switches, gnss)
    }

    fn ask(devices: &mut SideDevices, request: Request) -> Result<Vec<u8>, Silence> {
        let motor = MotorState {
            input_voltage_v: 50.5,
            ..MotorState::default()
        };
        let said = devices.request(Time::from_nanos(2_000_000_000), &request, &motor);
        let (_, answer) = said.unwrap()?.into_iter().next().unwrap();
        Ok(answer.payload)
    }

    #[test]
    fn an_io_board_tells_what_was_heard_of_it() {
        let mut devices = devices(serde_json::json!({
            "io_boards": [
                { "id": 5, "adc_v": [1.23, 2.5, 0, 0, 3.3], "inputs_on": [1, 33], "age_s": 0.25 },
                { "id": 6, "inputs_on": [2] },
                { "id": 7 },
            ],
            "switches": [],
        }));
        let all = ask(&mut devices, Request::IoBoardGetAll { id: 5 }).unwrap();
        assert_eq!(all.len(), 3 + 13 + 13 + 13);
        assert_eq!(all[..10], [122, 0, 5, 1, 0x3E, 0x80, 0, 0, 0, 0x7B]);
        assert_eq!(all[29..], [3, 0x3E, 0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        let inputs = ask(&mut devices, Request::IoBoardGetAll { id: 6 }).unwrap();
        assert_eq!((inputs.len(), inputs[3], inputs[15]), (16, 3, 2));
        for id in [7, 8] {
            let said = ask(&mut devices, Request::IoBoardGetAll { id });
            assert_eq!(said, Err(Silence::NeverHeard));
        }
    }

    #[test]
    fn a_power_switch_is_found_by_its_id_or_its_index_and_can_be_switched() {
        let mut devices = devices(serde_json::json!({
            "io_boards": [],
            "switches": [{ "id": 9 }, { "id": 3, "on": true, "temperature_c": 31.5 }],
        }));
        let status = |devices: &mut SideDevices, by_id, id| {
            ask(devices, Request::PswGetStatus { by_id, id })
        };
        let by_id = status(&mut devices, 1, 3).unwrap();
        assert_eq!(by_id.len(), 24);
        assert_eq!(by_id[..5], [111, 0, 3, 0, 2]);
        assert_eq!(by_id[9..17], [0x42, 0x4A, 0, 0, 0x42, 0x4A, 0, 0]);
        assert_eq!(by_id[21..], [1, 0, 0]);
        assert_eq!(status(&mut devices, 0, 1).unwrap(), by_id);
        for (by_id, id) in [(1, 4), (0, 2), (0, -1)] {
            assert_eq!(status(&mut devices, by_id, id), Err(Silence::NeverHeard));
        }
        let off = Request::PswSwitch {
            id: 3,
            on: 0,
            plot: 0,
        };
        assert!(ask(&mut devices, off).is_err());
        let by_id = status(&mut devices, 1, 3).unwrap();
        assert_eq!(by_id[13..17], [0; 4]);
        assert_eq!(by_id[21], 0);
        devices.restart(Time::ZERO);
        assert_eq!(status(&mut devices, 1, 3).unwrap()[21], 1);
    }

    #[test]
    fn a_place_is_told_and_without_one_it_is_zero_and_old() {
        let mut none = devices(serde_json::json!({ "io_boards": [], "switches": [] }));
        let said = ask(&mut none, Request::GetGnss { mask: 0x0201 }).unwrap();
        assert_eq!(
            said,
            [150, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0]
        );
        let mut some = devices(serde_json::json!({
            "io_boards": [], "switches": [],
            "gnss": { "latitude_deg": 59.5, "longitude_deg": -70.625, "year": 2026, "time_of_day_ms": 86399000 },
        }));
        let said = ask(&mut some, Request::GetGnss { mask: 0xFFFF }).unwrap();
        assert_eq!(said.len(), 1 + 4 + 16 + 12 + 4 + 2 + 1 + 1 + 4);
        assert_eq!(said[5..13], 595_000_000_000_000_000_i64.to_be_bytes());
        // Two seconds later, and past midnight.
        assert_eq!(said[33..37], 1000_i32.to_be_bytes());
    }
}
