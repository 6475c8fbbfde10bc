//! What VESC Tool makes of replies that end where no firmware ends them.
//!
//! It looks at each field, or each block of fields, on its own: is there room for it, then it is read, else the next one
//! is tried (`vesc_tool commands.cpp:109-168, 249-288, 457-536, 709-772`). This crate stops at the first that is missing.
//! So the two read the same bytes as different fields.

use alloc::{format, string::String, vec::Vec};

use super::{CommandId, Reply};
use crate::error::DecodeError;

/// Fields that VESC Tool reads if so many bytes are left. A text takes what there is.
type Block = (&'static str, usize);

const TEXT: usize = usize::MAX;

/// The blocks behind the fields that a reply always has, and where they begin.
fn blocks(payload: &[u8]) -> Option<(usize, &'static [Block])> {
    Some(match CommandId(*payload.first()?) {
        CommandId::FW_VERSION => {
            let name = payload.get(3..)?.iter().position(|&byte| byte == 0)?;
            (
                4 + name,
                &[
                    ("uuid", 12),
                    ("paired", 1),
                    ("test_version", 1),
                    ("hardware_type", 1),
                    ("custom_configs", 1),
                    ("phase_filters", 1),
                    ("qml_hardware and qml_app", 2),
                    ("nrf_flags", 1),
                    ("firmware_name", TEXT),
                    ("config_crc", 4),
                ],
            )
        }
        CommandId::GET_VALUES => (
            54,
            &[
                ("pid_position_deg", 4),
                ("can_id", 1),
                ("fet_temperatures_c", 6),
                ("vd_v and vq_v", 8),
                ("flags", 1),
            ],
        ),
        CommandId::GET_VALUES_SETUP => (62, &[("odometer_m", 4), ("uptime_ms", 4)]),
        CommandId::BMS_GET_VALUES => {
            let count = |at: usize| {
                Some(usize::try_from(i8::from_be_bytes([*payload.get(at)?])).unwrap_or(0))
            };
            let cells = count(25)?;
            let sensors = count(26 + 3 * cells)?;
            (
                35 + 3 * cells + 2 * sensors,
                &[
                    ("state_of_charge", 2),
                    ("state_of_health", 2),
                    ("can_id", 1),
                    ("the four totals", 16),
                    ("pressure_pa", 2),
                    ("data_version", 1),
                    ("status", TEXT),
                ],
            )
        }
        _ => return None,
    })
}

/// What VESC Tool makes of the end of a reply, where that differs from what [`Reply::decode`] says.
///
/// ```
/// use veschub_wire::command::vesc_tool_reads;
///
/// let mut cut = [0; 43];
/// cut[0] = 96;
/// assert_eq!(
///     vesc_tool_reads(&cut).as_deref(),
///     Some("VESC Tool reads the last 3 bytes as pressure_pa (2 bytes), data_version (1 byte)")
/// );
/// ```
#[must_use]
pub fn vesc_tool_reads(payload: &[u8]) -> Option<String> {
    let (start, blocks) = blocks(payload)?;
    let mut at = start;
    // Up to here, this crate reads the same.
    let mut same = start;
    let mut agreed = true;
    let mut read = Vec::new();
    let mut zero = Vec::new();
    for &(name, wanted) in blocks {
        let left = payload.len().saturating_sub(at);
        let size = match wanted {
            TEXT => {
                let rest = payload.get(at..).unwrap_or_default();
                let end = rest.iter().position(|&byte| byte == 0);
                agreed &= end.is_some();
                end.map_or(left, |end| end + 1)
            }
            wanted => wanted,
        };
        if left == 0 || left < size {
            agreed = false;
            zero.push(name);
            continue;
        }
        at += size;
        match agreed {
            true => same = at,
            false => read.push((name, size)),
        }
    }
    // Every block is there and nothing follows, as almost always: nobody reads this otherwise.
    if agreed && same == payload.len() {
        return None;
    }
    match Reply::decode(payload) {
        Ok(decoded) if decoded.trailing.is_empty() => return None,
        Ok(_) | Err(DecodeError::Length { .. }) => {}
        Err(_) => return Some("VESC Tool reads the fields that are missing as 0".into()),
    }
    // These two are read together here.
    if payload.first() == Some(&CommandId::BMS_GET_VALUES.0) && same == start + 2 {
        same = start;
        read.insert(0, ("state_of_charge", 2));
    }
    let rest = payload.len().saturating_sub(same);
    if rest == 0 {
        return None;
    }
    let last = match rest {
        1 => "the last byte".into(),
        more => format!("the last {more} bytes"),
    };
    let mut text = if read.is_empty() {
        format!("VESC Tool ignores {last}")
    } else {
        let read: Vec<String> = read
            .iter()
            .map(|&(name, size)| {
                format!("{name} ({size} byte{})", if size == 1 { "" } else { "s" })
            })
            .collect();
        format!("VESC Tool reads {last} as {}", read.join(", "))
    };
    if payload.first() == Some(&CommandId::GET_VALUES_SETUP.0) && !zero.is_empty() {
        text += &format!(" and shows {} as 0", zero.join(" and "));
    }
    Some(text)
}
