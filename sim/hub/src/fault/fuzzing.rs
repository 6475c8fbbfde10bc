//! Body of a fuzz target: whatever the faults and the bytes, a link keeps its promises.
//!
//! ```text
//!  seed u8 | piece u8 | count u8 | count × (fault u8, parameter u8, trigger u8) | stream
//! ```
//!
//! The stream is pushed in pieces of `piece + 1` bytes, one every 7 ms. `count` is taken modulo 5; what is left of it
//! chooses what carries the bytes.

use veschub_transcript::Direction;
use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD};

use super::{
    Armed, Behaviour, ClientDid, FaultDirection, FaultEntry, Harm, Link, LinkOutput,
    MAX_HELD_BYTES, OVERFULL, TooChatty, Trigger,
};
use crate::{
    carrier::{BleModule, Excess, LinkKeys, LinkKind},
    command_name::CommandName,
    duration::Duration,
    rng::Seed,
    time::Time,
};

const MAX_FAULTS: u8 = 5;
const STEP: Duration = Duration::from_millis(7);
/// More calls than this without an end mean that a link asks to be called for nothing.
const MAX_CALLS: usize = 1 << 20;

/// Runs a link with faults over a stream and checks everything that must hold for any bytes.
///
/// # Panics
/// If something does not hold.
pub fn faulty_link(data: &[u8]) {
    let [seed, piece, count, rest @ ..] = data else {
        return;
    };
    let plans = usize::from(count % MAX_FAULTS) * 3;
    let Some((plans, stream)) = rest.split_at_checked(plans) else {
        return;
    };
    let draw = |plan: &[u8]| {
        let direction = FaultDirection::default();
        FaultEntry::draw(plan[0], plan[1], direction, trigger(plan[2])).arm()
    };
    let faults = || plans.chunks(3).map(draw);
    let seed = Seed(u64::from(*seed));
    let size = usize::from(*piece) + 1;

    let carried = CARRIERS[usize::from(count / MAX_FAULTS) % CARRIERS.len()].map(carrier);

    let outputs = run(faults().collect(), carried.as_ref(), stream, size, seed);
    let again = run(faults().collect(), carried.as_ref(), stream, size, seed);
    assert_eq!(outputs, again, "the same seed gave something else");
    assert_in_order(&outputs);

    let loses = |keys: &LinkKeys| keys.module.is_some() || keys.excess.is_some();
    let sound =
        faults().all(|armed| armed.info.harm == Harm::Late) && !carried.as_ref().is_some_and(loses);
    if sound && !matches!(outputs.last(), Some(LinkOutput::Reset(_))) {
        assert_eq!(bytes(&outputs), stream, "bytes were lost or changed");
    }
}

/// What carries the bytes, and the keys that matter for it.
type Carried = (LinkKind, Option<BleModule>, Option<Excess>);

/// A stream without pieces, then one of each kind.
const CARRIERS: [Option<Carried>; 6] = [
    None,
    Some((LinkKind::Serial, None, None)),
    Some((LinkKind::Udp, None, None)),
    Some((LinkKind::Ble, None, None)),
    Some((LinkKind::Ble, None, Some(Excess::Lost))),
    Some((LinkKind::Ble, Some(BleModule::Nrf52), None)),
];

fn carrier((kind, module, excess): Carried) -> LinkKeys {
    LinkKeys {
        kind,
        module,
        mtu: excess.map(|_| 30),
        excess,
        old_tail: None,
        gap: None,
    }
}

fn run(
    faults: Vec<Armed>,
    carried: Option<&LinkKeys>,
    stream: &[u8],
    size: usize,
    seed: Seed,
) -> Vec<LinkOutput> {
    let carrier = carried.map(|keys| keys.carrier(Direction::ToTool));
    let mut link = Link::new(faults, DEVICE_MAX_PAYLOAD, Time::ZERO, seed).carried_by(carrier);
    let mut did = Behaviour::attached(2, true);
    let (mut now, mut outputs) = (Time::ZERO, Vec::new());
    for piece in stream.chunks(size) {
        did.note_request(now, piece);
        link.push(now, piece, &did);
        drain(&mut link, now, &mut outputs);
        now = now + STEP.get();
    }
    link.eof(now);
    for _ in 0..MAX_CALLS {
        let Some(due) = link.poll_timeout() else {
            let overfull = std::iter::from_fn(|| link.poll_fired()).any(|it| it.fault == OVERFULL);
            let reset = matches!(outputs.last(), Some(LinkOutput::Reset(_)));
            assert!(!overfull || reset, "an overfull link goes on");
            return outputs;
        };
        link.handle_timeout(due);
        drain(&mut link, due, &mut outputs);
    }
    assert!(link.poll_timeout().is_none(), "a link never comes to rest");
    outputs
}

fn drain(link: &mut Link, now: Time, outputs: &mut Vec<LinkOutput>) {
    assert!(link.held() <= MAX_HELD_BYTES, "too much is held");
    while let Some(output) = link.poll_output(now) {
        assert!(output.at() <= now, "an output came early");
        outputs.push(output);
    }
}

fn assert_in_order(outputs: &[LinkOutput]) {
    for pair in outputs.windows(2) {
        assert!(pair[0].at() <= pair[1].at(), "{pair:?} go back in time");
        let ordered = match pair[0] {
            LinkOutput::Bytes(..) => true,
            LinkOutput::Fin(_) => matches!(pair[1], LinkOutput::Reset(_)),
            LinkOutput::Reset(_) => false,
        };
        assert!(ordered, "{pair:?}: something follows the end");
    }
}

fn bytes(outputs: &[LinkOutput]) -> Vec<u8> {
    let written = outputs.iter().filter_map(|output| match output {
        LinkOutput::Bytes(_, bytes) => Some(&bytes[..]),
        LinkOutput::Fin(_) | LinkOutput::Reset(_) => None,
    });
    written.collect::<Vec<_>>().concat()
}

/// What sets a fault off.
pub(crate) fn trigger(when: u8) -> Trigger {
    let number = u64::from(when / 8);
    let mut trigger = Trigger::default();
    match when % 8 {
        0 => trigger.command = Some(CommandName(CommandId(when / 8))),
        1 => trigger.nth = Some(number),
        2 => trigger.every = Some(number),
        3 => trigger.after = Some(Duration::from_millis(number)),
        4 => trigger.lasts = Some(Duration::from_millis(number)),
        5 => trigger.probability = Some(f64::from(when) / 255.0),
        6 => {
            trigger.client = Some(ClientDid {
                too_slow: Some(Duration::from_millis(number)),
                too_chatty: Some(TooChatty {
                    more_than: usize::from(when) / 64,
                    within: Duration::from_millis(20),
                }),
                ..ClientDid::default()
            });
        }
        _ => {}
    }
    trigger
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, RngExt};
    use veschub_wire::encode;

    use super::*;

    #[test]
    fn drawn_faults_on_drawn_bytes_keep_every_promise() {
        for round in 0..3000 {
            let mut rng = Seed(2024).stream(round);
            let mut data = vec![0; rng.random_range(3..20)];
            rng.fill_bytes(&mut data);
            for _ in 0..rng.random_range(0..12) {
                let mut part = vec![0; rng.random_range(1..60)];
                rng.fill_bytes(&mut part);
                part[0] %= 8;
                if rng.random_bool(0.7) {
                    part = encode(&part).unwrap();
                }
                data.extend(part);
            }
            faulty_link(&data);
        }
    }

    #[test]
    fn inputs_that_are_too_short_do_nothing() {
        for data in [&b""[..], b"\0", b"\0\0\x04\0\0"] {
            faulty_link(data);
        }
    }
}
