//! Who a device says it is: its FW_VERSION, its hardware's name and its CAN id.

use rand::RngExt;
use veschub_wire::{command::FwVersion, number::Text};

use crate::{mistake::Mistakes, rng::Seed};

/// What fits the firmware's buffer of 65 bytes for the reply to FW_VERSION (`EX main/commands.c:238-290`).
pub const MAX_HARDWARE: usize = 36;

/// Bytes that the seed decides.
#[must_use]
pub fn random_bytes<const N: usize>(seed: Seed) -> [u8; N] {
    let mut rng = seed.stream(0);
    std::array::from_fn(|_| rng.random())
}

/// A reply to FW_VERSION with everything in it; the profile says which version it is and how much of it is sent.
#[must_use]
pub fn firmware(hardware: &str, uuid: [u8; 12], hardware_type: u8) -> FwVersion {
    FwVersion {
        hardware: Some(Text::from(hardware)),
        uuid: Some(uuid),
        paired: Some(0),
        test_version: Some(0),
        hardware_type: Some(hardware_type),
        custom_configs: Some(0),
        phase_filters: Some(0),
        qml_hardware: Some(0),
        qml_app: Some(0),
        nrf_flags: Some(0),
        firmware_name: Some(Text::default()),
        config_crc: Some(0),
        ..FwVersion::default()
    }
}

/// Refuses a name under `hardware` that the firmware cannot hold.
pub fn check_hardware(name: &str, limit: usize, mistakes: &mut Mistakes) {
    if name.len() > limit || name.contains('\0') {
        let message = format!("the hardware name has {} bytes", name.len());
        mistakes
            .add("hardware", message)
            .help(format!("firmware holds up to {limit} bytes, and no NUL"));
    }
}

/// Refuses an id under `can_id` that is nobody's.
pub fn check_can_id(can_id: u8, mistakes: &mut Mistakes) {
    if can_id == 255 {
        mistakes
            .add(
                "can_id",
                "255 addresses all nodes and cannot be one node's id",
            )
            .help("take an id from 0 to 254");
    }
}
