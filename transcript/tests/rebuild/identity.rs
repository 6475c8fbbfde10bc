//! Who takes part in the rebuilt session. All of it is invented: no value comes from a recording.
//!
//! The shape is that of the real session: the same fields, and replies as long as the real ones.

use std::net::{Ipv4Addr, SocketAddrV4};

use veschub_transcript::write::Endpoints;
use veschub_wire::command::{CustomConfig, ExpressConfig, FwVersion};
use veschub_wire::login::LoginKind;
use veschub_wire::{LoginLine, Reply};

/// 2026-01-01 00:00:00 UTC.
pub(crate) const START_NS: u64 = 1_767_225_600_000_000_000;
/// The motor controller on the Express' CAN bus.
pub(crate) const MOTOR_CAN_ID: u8 = 84;

const HUB_PORT: u16 = 65_101;
const ID: &str = "DEMO-0001";
const PASSWORD: &str = "not-a-secret";
/// Stands for the config's format in firmware 6.05.
const SIGNATURE: u32 = 2_626_561_514;

/// A tool and a hub, in networks that are set aside for documentation.
pub(crate) fn endpoints() -> Endpoints {
    Endpoints::new(
        SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 33), 50_500),
        SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 77), HUB_PORT),
    )
}

pub(crate) fn login() -> LoginLine {
    LoginLine::new(LoginKind::Tool, ID, PASSWORD)
}

/// The FW_VERSION reply of the Express.
pub(crate) fn express() -> Reply {
    Reply::FwVersion(FwVersion {
        hardware: Some("VESC Express T".into()),
        uuid: Some([0x02, 0xDE, 0x30, 0x12, 0x34, 0x56, 0, 0, 0, 0, 0, 0]),
        hardware_type: Some(2),
        qml_app: Some(0),
        config_crc: Some(0xDEC0_DE01),
        ..firmware()
    })
}

/// The FW_VERSION reply of the motor controller.
pub(crate) fn motor_controller() -> Reply {
    Reply::FwVersion(FwVersion {
        hardware: Some("ADV500".into()),
        uuid: Some(*b"not-a-serial"),
        hardware_type: Some(0),
        qml_app: Some(1),
        config_crc: Some(0xDEC0_DE02),
        ..firmware()
    })
}

/// What the two have in common.
fn firmware() -> FwVersion {
    FwVersion {
        major: 6,
        minor: 5,
        paired: Some(0),
        test_version: Some(0),
        custom_configs: Some(1),
        phase_filters: Some(0),
        qml_hardware: Some(0),
        nrf_flags: Some(0),
        firmware_name: Some("".into()),
        ..FwVersion::default()
    }
}

/// The GET_CUSTOM_CONFIG reply of the Express.
pub(crate) fn config() -> Reply {
    let config = ExpressConfig {
        can_id: 2,
        can_baud_index: 2,
        status_rate_hz: 20,
        wifi_mode: 1,
        station_ssid: "demo-home".into(),
        station_key: "not-a-wifi-key".into(),
        access_point_ssid: "demo-bike".into(),
        access_point_key: "not-an-ap-key".into(),
        local_tcp: 1,
        hub: 1,
        hub_url: "veschub.invalid".into(),
        hub_port: HUB_PORT,
        hub_id: ID.into(),
        hub_password: PASSWORD.into(),
        ble_mode: 1,
        ble_name: "demo-remote".into(),
        ble_pin: 111_111,
        ble_service_capacity: 0,
        ble_attribute_capacity: 0,
    };
    Reply::CustomConfig(CustomConfig {
        index: 0,
        signature: SIGNATURE,
        data: config.pack(),
    })
}
