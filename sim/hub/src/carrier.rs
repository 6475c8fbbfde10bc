//! What carries the bytes between a client and a device: Bluetooth, USB or datagrams, which cut a stream into pieces.
//!
//! ```text
//!  client -> faults -> pieces -> (frames) -> device        frames: a module that passes only whole ones
//!  client <- pieces <- (frames) <- faults <- device
//! ```
//!
//! Pieces keep no boundaries of frames, and nothing is merged: two pieces never go out at one time. Nothing here waits;
//! each piece has its time. Facts: `docs/protocol-motor.md`, section 8.

use std::time::Duration as Span;

use serde::Deserialize;
use veschub_transcript::Direction;
use veschub_wire::{DEVICE_MAX_PAYLOAD, Decoder, Item, encode};

use crate::{
    check::{lasting, range},
    duration::Duration,
    mistake::{Mistake, Mistakes},
    time::Time,
};

/// What a Bluetooth link carries before a larger size was negotiated, and always with an nRF51.
const SMALLEST: usize = 20;
/// What Bluetooth takes of its size for itself.
const HEAD: usize = 3;
/// The smallest and the largest size that can be negotiated.
const MTU: [usize; 2] = [23, 517];
/// The most that an Express takes for one piece (`vesc_express main/comm_ble.c:514-522`).
const EXPRESS_MTU: usize = 255;
/// The most that an nRF52 negotiates (`nrf52_vesc sdk_config.h`).
const NRF52_MTU: usize = 247;
/// A packet of USB.
const USB: usize = 64;
/// How long a module waits for the rest of a frame (`nrf52_vesc main.c:696-717`: 100 ticks, of which each is taken for 1 ms).
const MODULE_PATIENCE: Span = Span::from_millis(100);
/// A byte between a module and the controller: 10 bits at 115200 a second.
const UART_BYTE_NS: u64 = 10_000_000_000 / 115_200;
/// The longest tail of an old frame: a frame with 512 bytes of payload has 518.
const MAX_TAIL: usize = 517;

/// What carries the bytes of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Bluetooth: pieces of 20 bytes, or up to the size that was negotiated, in both directions.
    Ble,
    /// USB as a serial port: packets of 64 bytes in both directions.
    Serial,
    /// Datagrams: a reply is one, and goes to the sender of the last datagram. `serve --direct` opens a UDP port for it.
    Udp,
}

/// The radio in front of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BleModule {
    /// That of a VESC Express: the bytes go on as they come.
    #[default]
    Express,
    /// An nRF52 beside a motor controller: only whole frames with the right checksum go on, up to 512 bytes of payload.
    Nrf52,
    /// An nRF51, which does the same and never has more than 20 bytes.
    Nrf51,
}

/// What becomes of the 3 bytes more that an Express hands to Bluetooth than fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// They come with the next piece: pieces of `mtu` - 3.
    #[default]
    Kept,
    /// They are lost at the end of every full piece.
    Lost,
}

/// What carries the bytes between a client and the device, besides a stream without pieces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Link"))]
#[serde(deny_unknown_fields)]
pub struct LinkKeys {
    /// Bluetooth, USB or datagrams.
    pub kind: LinkKind,
    /// `ble`: the radio. Default: `express`.
    #[serde(default)]
    pub module: Option<BleModule>,
    /// `ble`: the size that client and device negotiated, 23 to 517 (247 with an nRF52); without it, pieces have 20 bytes.
    #[serde(default)]
    pub mtu: Option<usize>,
    /// `ble` with an Express and `mtu`: what becomes of the bytes that do not fit. What real ones do is not known.
    /// Default: `kept`.
    #[serde(default)]
    pub excess: Option<Excess>,
    /// `serial`: so many bytes of the end of an old frame come first when the port is opened: of the last frame that an
    /// earlier client was sent, or of a text that nobody has read.
    #[serde(default)]
    pub old_tail: Option<usize>,
    /// The time from one piece to the next: `1ms` unless given.
    #[serde(default)]
    pub gap: Option<Duration>,
}

impl LinkKeys {
    /// Looks for mistakes.
    pub fn check(&self, mistakes: &mut Mistakes) {
        let module = self.module.unwrap_or_default();
        let is = |kind| self.kind == kind;
        for (key, given, fits, whose) in [
            ("module", self.module.is_some(), is(LinkKind::Ble), "ble"),
            ("mtu", self.mtu.is_some(), is(LinkKind::Ble), "ble"),
            ("excess", self.excess.is_some(), is(LinkKind::Ble), "ble"),
            (
                "old_tail",
                self.old_tail.is_some(),
                is(LinkKind::Serial),
                "serial",
            ),
        ] {
            if given && !fits {
                let mut mistake = Mistake::at(key, format!("only a `{whose}` link has `{key}`"));
                mistake.at_key = true;
                mistakes.note(Some(
                    mistake
                        .beside("kind", "this one has not")
                        .helped("leave it out"),
                ));
            }
        }
        if !is(LinkKind::Ble) {
            mistakes.note(range("old_tail", self.old_tail, 1, MAX_TAIL));
        } else if module == BleModule::Nrf51 && self.mtu.is_some() {
            let mistake = Mistake::at(
                "mtu",
                "an nRF51 negotiates no size: its pieces have 20 bytes",
            );
            mistakes.note(Some(mistake.helped("leave it out, or take another module")));
        } else {
            let most = if module == BleModule::Nrf52 {
                NRF52_MTU
            } else {
                MTU[1]
            };
            mistakes.note(range("mtu", self.mtu, MTU[0], most));
        }
        let has_excess = module == BleModule::Express && self.mtu.is_some();
        if is(LinkKind::Ble) && self.excess.is_some() && !has_excess {
            let mistake = Mistake::at(
                "excess",
                "only an Express sends more than fits, and only with an `mtu`",
            );
            mistakes.note(Some(mistake.helped("leave it out")));
        }
        mistakes.note(lasting("gap", self.gap, "would make all pieces one"));
    }

    /// Whether each frame is a datagram, and answers go to who sent the last one.
    #[must_use]
    pub fn is_udp(&self) -> bool {
        self.kind == LinkKind::Udp
    }

    /// What carries the bytes in one direction of a session.
    #[must_use]
    pub fn carrier(&self, direction: Direction) -> Carrier {
        let module = self.module.unwrap_or_default();
        let mtu = self.mtu.unwrap_or(SMALLEST + HEAD).max(SMALLEST + HEAD);
        let fits = mtu - HEAD;
        // How many bytes a piece is cut to, and how many of them arrive.
        let (cut, arrive) = match (self.kind, module, direction) {
            (LinkKind::Udp, _, _) => (usize::MAX, usize::MAX),
            (LinkKind::Serial, _, _) => (USB, USB),
            (LinkKind::Ble, BleModule::Nrf51, _) => (SMALLEST, SMALLEST),
            (LinkKind::Ble, BleModule::Nrf52, _) => {
                let fits = fits.min(NRF52_MTU - HEAD);
                (fits, fits)
            }
            // What a client writes has the size that fits.
            (LinkKind::Ble, BleModule::Express, Direction::ToDevice) => (fits, fits),
            (LinkKind::Ble, BleModule::Express, Direction::ToTool) => match self.excess {
                _ if self.mtu.is_none() => (SMALLEST, SMALLEST),
                Some(Excess::Lost) => (mtu.min(EXPRESS_MTU), fits),
                _ => (fits.min(EXPRESS_MTU), fits),
            },
        };
        let reframes = self.kind == LinkKind::Ble && module != BleModule::Express;
        Carrier {
            direction,
            cut,
            arrive,
            gap: self.gap.map_or(Span::from_millis(1), Duration::get),
            free_at: Time::ZERO,
            lost: 0,
            module: reframes.then(Module::new),
        }
    }

    /// The end of a frame of earlier that an opened port still has.
    #[must_use]
    pub fn tail_of(&self, last: Option<&[u8]>) -> Vec<u8> {
        let Some(length) = self.old_tail else {
            return Vec::new();
        };
        let unread = || encode(&[&[PRINT][..], UNREAD].concat()).unwrap_or_default();
        let frame = last.map_or_else(unread, <[u8]>::to_vec);
        // A whole frame is no tail.
        let length = length.min(frame.len().saturating_sub(1));
        frame[frame.len() - length..].to_vec()
    }

    /// Whether the last frame must be kept for that.
    #[must_use]
    pub fn keeps_the_last(&self) -> bool {
        self.old_tail.is_some()
    }
}

/// `COMM_PRINT`, and what a device printed while nobody had the port open.
const PRINT: u8 = 21;
const UNREAD: &[u8] = b"nobody has read this text, which was printed before the port was opened";

/// Cuts what goes one way into pieces.
pub struct Carrier {
    direction: Direction,
    cut: usize,
    arrive: usize,
    gap: Span,
    /// When the next piece can go at the earliest.
    free_at: Time,
    /// Bytes that were cut off since somebody asked.
    lost: usize,
    module: Option<Module>,
}

impl Carrier {
    /// What arrives of these bytes, in pieces, each with its time.
    pub fn carry(&mut self, at: Time, bytes: &[u8]) -> Vec<(Time, Vec<u8>)> {
        let mut carried = Vec::new();
        match self.direction {
            Direction::ToTool => {
                for (at, frame) in self.through_the_module(at, bytes.to_vec()) {
                    self.cut_up(at, &frame, &mut carried);
                }
            }
            Direction::ToDevice => {
                let mut pieces = Vec::new();
                self.cut_up(at, bytes, &mut pieces);
                for (at, piece) in pieces {
                    carried.extend(self.through_the_module(at, piece));
                }
            }
        }
        carried
    }

    /// How many bytes did not arrive since this was asked last, because they were more than fit.
    pub fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    /// How many bytes wait for the rest of a frame.
    #[must_use]
    pub fn held(&self) -> usize {
        self.module
            .as_ref()
            .map_or(0, |module| module.frames.waiting())
    }

    /// What it carried goes out this much sooner, and so can what follows.
    pub(crate) fn hurry(&mut self, by: Span) {
        self.free_at = self.free_at.earlier(by);
        if let Some(module) = &mut self.module {
            module.free_at = module.free_at.earlier(by);
        }
    }

    fn cut_up(&mut self, at: Time, bytes: &[u8], carried: &mut Vec<(Time, Vec<u8>)>) {
        for piece in bytes.chunks(self.cut) {
            let at = at.max(self.free_at);
            self.free_at = at + self.gap;
            let arrives = &piece[..piece.len().min(self.arrive)];
            self.lost += piece.len() - arrives.len();
            carried.push((at, arrives.to_vec()));
        }
    }

    fn through_the_module(&mut self, at: Time, bytes: Vec<u8>) -> Vec<(Time, Vec<u8>)> {
        match &mut self.module {
            Some(module) => module.pass(at, &bytes),
            None => vec![(at, bytes)],
        }
    }
}

/// Passes on only frames that are whole, and each only when it is: the way over its serial line takes its time.
struct Module {
    frames: Decoder,
    /// When something came last.
    last: Time,
    /// When the serial line is free.
    free_at: Time,
}

impl Module {
    fn new() -> Self {
        Self {
            frames: Decoder::new(DEVICE_MAX_PAYLOAD),
            last: Time::ZERO,
            free_at: Time::ZERO,
        }
    }

    fn pass(&mut self, at: Time, mut bytes: &[u8]) -> Vec<(Time, Vec<u8>)> {
        if at - self.last > MODULE_PATIENCE {
            self.frames = Decoder::new(DEVICE_MAX_PAYLOAD);
        }
        self.last = at;
        let mut passed = Vec::new();
        while let Some(item) = self.frames.next(&mut bytes) {
            if let Item::Frame(frame) = item {
                let took = Span::from_nanos(frame.bytes.len() as u64 * UART_BYTE_NS);
                self.free_at = at.max(self.free_at) + took;
                passed.push((self.free_at, frame.bytes.to_vec()));
            }
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: Option<usize> = None;

    fn keys(kind: LinkKind, mtu: Option<usize>) -> LinkKeys {
        LinkKeys {
            kind,
            module: None,
            mtu,
            excess: None,
            old_tail: None,
            gap: None,
        }
    }

    fn ble(module: BleModule, mtu: Option<usize>) -> LinkKeys {
        LinkKeys {
            module: Some(module),
            ..keys(LinkKind::Ble, mtu)
        }
    }

    fn ms(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn frame(payload: usize) -> Vec<u8> {
        encode(&vec![7; payload]).unwrap()
    }

    /// The lengths of the pieces that arrive of one frame.
    fn lengths(keys: &LinkKeys, direction: Direction, payload: usize) -> Vec<usize> {
        let carried = keys.carrier(direction).carry(ms(5), &frame(payload));
        carried.iter().map(|(_, piece)| piece.len()).collect()
    }

    #[test]
    fn pieces_have_the_size_of_the_link() {
        use BleModule::{Express, Nrf51, Nrf52};
        use Direction::{ToDevice, ToTool};
        let lost = LinkKeys {
            excess: Some(Excess::Lost),
            ..ble(Express, Some(50))
        };
        for (keys, direction, pieces) in [
            (keys(LinkKind::Serial, NO), ToTool, vec![64, 42]),
            (keys(LinkKind::Serial, NO), ToDevice, vec![64, 42]),
            (keys(LinkKind::Udp, NO), ToTool, vec![106]),
            (ble(Express, NO), ToTool, vec![20, 20, 20, 20, 20, 6]),
            (ble(Express, NO), ToDevice, vec![20, 20, 20, 20, 20, 6]),
            (ble(Express, Some(50)), ToTool, vec![47, 47, 12]),
            (ble(Express, Some(50)), ToDevice, vec![47, 47, 12]),
            // Of each full piece of 50, three bytes are lost.
            (lost.clone(), ToTool, vec![47, 47, 6]),
            (lost, ToDevice, vec![47, 47, 12]),
            (ble(Nrf52, Some(50)), ToTool, vec![47, 47, 12]),
            (ble(Nrf51, NO), ToTool, vec![20, 20, 20, 20, 20, 6]),
            // To a device behind such a module, a frame comes as a whole.
            (ble(Nrf52, NO), ToDevice, vec![106]),
            (ble(Nrf51, NO), ToDevice, vec![106]),
        ] {
            assert_eq!(
                lengths(&keys, direction, 101),
                pieces,
                "{keys:?} {direction}"
            );
        }
        // An Express takes no more than 255 for a piece, whatever was negotiated.
        assert_eq!(lengths(&ble(Express, Some(517)), ToTool, 300), [255, 51]);
        assert_eq!(lengths(&ble(Nrf52, Some(247)), ToTool, 300), [244, 62]);
    }

    #[test]
    fn no_two_pieces_go_out_at_one_time_and_none_is_merged_with_the_next_frame() {
        let mut carrier = keys(LinkKind::Ble, NO).carrier(Direction::ToTool);
        let mut times = Vec::new();
        for at in [ms(5), ms(5), ms(6), ms(100)] {
            let carried = carrier.carry(at, &frame(20));
            times.extend(
                carried
                    .iter()
                    .map(|(at, piece)| (at.as_nanos(), piece.len())),
            );
        }
        let expected = [5, 6, 7, 8, 9, 10, 100, 101];
        let lengths = [20, 5].into_iter().cycle();
        let expected: Vec<(u64, usize)> = expected
            .map(|ms| ms * 1_000_000)
            .into_iter()
            .zip(lengths)
            .collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn a_module_passes_no_broken_frame_and_no_half_one_that_waits_too_long() {
        let mut carrier = ble(BleModule::Nrf52, NO).carrier(Direction::ToDevice);
        let good = frame(5);
        let mut broken = good.clone();
        broken[4] ^= 1;
        assert_eq!(carrier.carry(ms(0), &broken), []);
        let carried = carrier.carry(ms(10), &good);
        assert_eq!(carried.len(), 1);
        assert_eq!(carried[0].1, good);
        // 10 bytes take 0.87 ms.
        assert_eq!(carried[0].0.as_nanos(), 10_000_000 + 10 * UART_BYTE_NS);
        assert_eq!(carrier.carry(ms(20), &good[..4]), []);
        assert_eq!(carrier.held(), 4);
        assert_eq!(carrier.carry(ms(121), &good[4..]), []);
        assert_eq!(carrier.carry(ms(300), &good).len(), 1);
    }

    #[test]
    fn a_module_passes_no_payload_of_more_than_512_bytes() {
        let mut carrier = ble(BleModule::Nrf52, NO).carrier(Direction::ToTool);
        assert_eq!(carrier.carry(ms(0), &frame(513)), []);
        assert!(!carrier.carry(ms(500), &frame(512)).is_empty());
    }

    #[test]
    fn the_tail_is_that_of_the_last_frame_and_never_a_whole_one() {
        let serial = |old_tail| LinkKeys {
            old_tail,
            ..keys(LinkKind::Serial, NO)
        };
        assert_eq!(serial(Some(3)).tail_of(Some(&[1, 2, 3, 4, 5])), [3, 4, 5]);
        assert_eq!(serial(Some(9)).tail_of(Some(&[1, 2, 3])), [2, 3]);
        assert_eq!(serial(Some(1)).tail_of(None), [3]);
        assert!(serial(None).tail_of(Some(&[1, 2, 3])).is_empty());
    }

    #[test]
    fn keys_of_another_link_and_sizes_that_nothing_has_are_refused() {
        let problems = |keys: LinkKeys| {
            let mut mistakes = Mistakes::default();
            keys.check(&mut mistakes);
            let found = mistakes.found().into_iter().map(|mistake| mistake.message);
            found.collect::<Vec<_>>()
        };
        assert_eq!(
            problems(keys(LinkKind::Serial, Some(50))),
            ["only a `ble` link has `mtu`"]
        );
        assert_eq!(
            problems(ble(BleModule::Nrf51, Some(50))),
            ["an nRF51 negotiates no size: its pieces have 20 bytes"]
        );
        assert_eq!(
            problems(ble(BleModule::Nrf52, Some(248))),
            ["248 is out of range: wanted 23 to 247"]
        );
        assert_eq!(
            problems(LinkKeys {
                excess: Some(Excess::Lost),
                ..ble(BleModule::Express, NO)
            }),
            ["only an Express sends more than fits, and only with an `mtu`"]
        );
        assert_eq!(
            problems(LinkKeys {
                gap: Some(Duration(0)),
                old_tail: Some(4),
                ..keys(LinkKind::Ble, NO)
            }),
            [
                "only a `serial` link has `old_tail`",
                "a time of 0 s would make all pieces one"
            ]
        );
        assert!(problems(ble(BleModule::Express, Some(517))).is_empty());
    }
}
