//! Somebody steers the hub of the target `session`, which is not to fall over by it.
//!
//! ```text
//!  kind, modulo 12, and `which`:
//!   0 kicks a connection    1 unplugs, 2 plugs in, 3 restarts a device
//!   4 pins a value: field u8, to u8    5 releases all values    6 a fault that makes late: kind u8, parameter u8
//!   7 ends a fault    8 a quirk on: which u8    9 a quirk off    10 a breakpoint: command u8    11 lets a request go
//! ```

use std::fmt::Debug;

use arbitrary::{Arbitrary, Result, Unstructured};
use veschub_wire::CommandId;

use super::world::IDS;
use crate::{
    conn::ConnId,
    fault::{FaultDirection, FaultEntry, FaultId, Harm, Trigger},
    hub::{
        Hub,
        steer::{BreakpointId, HeldId, Release, SetCommand, SteerError, Verdict},
    },
    quirk::QuirkEntry,
    time::Time,
};

const KINDS: u8 = 12;
const FIELDS: [&str; 4] = ["cell_voltages_v", "current_a", "erpm", "no_such_field"];
/// Those that make up no replies.
const QUIRKS: [&str; 4] = [
    r#"{"session-reset": {"max_gap": "250ms"}}"#,
    r#"{"needs-setup": {}}"#,
    r#"{"config-goes-elsewhere": {}}"#,
    r#"{"reconnect-reset": {}}"#,
];

/// One step of whoever steers; that something is refused is no mistake.
pub(super) fn steer(
    hub: &mut Hub,
    now: Time,
    kind: u8,
    which: u8,
    u: &mut Unstructured<'_>,
) -> Result<()> {
    let id = IDS[usize::from(which) % IDS.len()];
    let number = u32::from(which) + 1;
    match kind % KINDS {
        0 => fine(hub.kick(now, ConnId(number))),
        1 => fine(hub.unplug(now, id)),
        2 => fine(hub.plug(now, id)),
        3 => fine(hub.reboot(now, id)),
        4 => {
            let [field, to] = <[u8; 2]>::arbitrary(u)?;
            let item = (field > 127).then_some(1);
            let field = FIELDS[usize::from(field) % FIELDS.len()];
            let can_id = [None, Some(84), Some(10)][usize::from(to) % 3];
            let command = SetCommand::pin(field, item, f64::from(to) / 16.0);
            fine(hub.set(now, id, can_id, &command));
        }
        5 => fine(hub.release(now, id, None, &Release::default())),
        6 => {
            let [kind, parameter] = <[u8; 2]>::arbitrary(u)?;
            let direction = match kind >> 7 {
                0 => FaultDirection::ToTool,
                _ => FaultDirection::ToDevice,
            };
            let fault = FaultEntry::draw(kind & 0x7F, parameter, direction, Trigger::default());
            // What else is lost or doubled, the witness could not tell.
            if fault.info().harm == Harm::Late {
                let device = (which < 128).then_some(id);
                fine(hub.add_fault(now, device, fault));
            }
        }
        7 => fine(hub.remove_fault(now, FaultId(number % 8))),
        8 => {
            let quirk = QUIRKS[usize::from(u8::arbitrary(u)?) % QUIRKS.len()];
            if let Ok(quirk) = serde_json::from_str::<QuirkEntry>(quirk) {
                fine(hub.set_quirk(now, id, &quirk));
            }
        }
        9 => fine(hub.remove_quirk(now, id, "needs-setup")),
        10 => {
            let command = Some(CommandId(u8::arbitrary(u)?)).filter(|id| id.0 < 128);
            fine(hub.add_breakpoint(now, None, command, which < 128));
        }
        _ => {
            let verdict = match which >> 7 {
                0 => Verdict::Pass,
                _ => Verdict::Drop,
            };
            let oldest = hub.held().first().map_or(HeldId(0), |held| held.id);
            fine(hub.let_go(now, oldest, verdict));
            if which & 0x40 != 0 {
                fine(hub.remove_breakpoint(now, BreakpointId(number % 8)));
            }
        }
    }
    // Whoever looks is told the same twice.
    for id in IDS {
        let seen = hub.device(now, id, None).ok();
        assert_eq!(seen, hub.device(now, id, None).ok(), "looking changes it");
    }
    assert_eq!(hub.sessions().len(), hub.load().connections);
    assert!(hub.held().len() <= crate::hub::steer::MAX_HELD);
    Ok(())
}

/// A refusal says what is wrong.
fn fine<T: Debug>(done: std::result::Result<T, SteerError>) {
    if let Err(error) = done {
        assert!(!error.to_string().is_empty() && !error.code().is_empty());
    }
}
