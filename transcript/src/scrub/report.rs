//! What was replaced, blanked and left out: kinds, places and counts, never a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// The kinds of secrets that are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Secret {
    /// The id of a device at a hub.
    LoginId,
    /// A password at a hub.
    Password,
    /// The name of a Wi-Fi network.
    NetworkName,
    /// The key of a Wi-Fi network.
    NetworkKey,
    /// The host name of a hub, but for the public one.
    HubHost,
    /// The Bluetooth name of a device, which it also announces.
    DeviceName,
    /// A Bluetooth pin.
    Pin,
    /// The unique id of a chip.
    Uuid,
    /// The address of a network card.
    Mac,
    /// An IP address.
    Ip,
    /// When the recording was made.
    Date,
}

/// Where a secret stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Place {
    /// A login line.
    Login,
    /// An Express' config, in either direction.
    Config,
    /// A reply to FW_VERSION.
    FwVersion,
    /// Anywhere else in a payload, such as a PRINT.
    Payload,
    /// Bytes outside of frames.
    Noise,
    /// A discovery datagram.
    Discovery,
    /// The link's header of a packet.
    LinkHeader,
    /// The IP header of a packet.
    IpHeader,
    /// The packets' times.
    Times,
}

/// What was overwritten with zeros, because nobody can tell what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Blank {
    /// Bytes outside of frames.
    Noise,
    /// What follows the known fields of a command, or the id of an unknown one.
    Unknown,
    /// The fields of a config that is not an Express'.
    Config,
    /// Bytes of packets that are not part of their stream, and padding.
    Unused,
    /// IP options, and TCP options that may hold addresses or keys.
    Options,
}

/// Which packets were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Dropped {
    /// Of TCP connections that are no VESC session.
    OtherConnections,
    /// UDP, but for discovery datagrams.
    OtherDatagrams,
    /// ARP, ICMP and whatever else is neither TCP nor UDP.
    OtherProtocols,
    /// IP fragments, and IPv6 with extension headers.
    Unsupported,
    /// Cut so short that nobody can tell whose they are.
    Cut,
}

/// One kind of secret at one kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// What it was.
    pub what: Secret,
    /// Where it stood.
    pub place: Place,
    /// How many different ones there were.
    pub distinct: u64,
    /// How often they were replaced.
    pub count: u64,
}

/// Something that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted<T> {
    /// What it was.
    pub what: T,
    /// How many of them.
    pub count: u64,
}

/// What scrubbing did to a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Packets that were kept.
    pub packets: u64,
    /// Secrets that got placeholders.
    pub replaced: Vec<Replaced>,
    /// How many bytes were overwritten with zeros (options: with no-operations).
    pub blanked_bytes: Vec<Counted<Blank>>,
    /// How many packets were left out.
    pub dropped_packets: Vec<Counted<Dropped>>,
    /// Parts of the file around the packets that were left out.
    pub removed: Vec<Counted<&'static str>>,
    /// Where the file ended before its time, if it did.
    pub truncated: Option<String>,
}

impl Report {
    /// Whether a scrubbed file would hold the same packets with the same contents.
    ///
    /// Blanked bytes do not count: they are a precaution, and whoever scrubs may ask to keep them.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.replaced.is_empty() && self.dropped_packets.is_empty() && self.removed.is_empty()
    }
}

/// The different secrets of a kind, and how often they were seen.
type Seen = (BTreeSet<Vec<u8>>, u64);

/// Counts while the work is done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    replaced: BTreeMap<(Secret, Place), Seen>,
    blanked: BTreeMap<Blank, u64>,
    dropped: BTreeMap<Dropped, u64>,
}

impl Tally {
    pub(super) fn replaced(&mut self, what: Secret, place: Place, secret: &[u8]) {
        let (distinct, count) = self.replaced.entry((what, place)).or_default();
        if !distinct.contains(secret) {
            distinct.insert(secret.to_vec());
        }
        *count += 1;
    }

    /// Overwrites bytes and counts those that change.
    pub(super) fn blank(&mut self, what: Blank, bytes: &mut [u8], with: u8) {
        let changed = bytes.iter().filter(|&&byte| byte != with).count() as u64;
        bytes.fill(with);
        if changed > 0 {
            *self.blanked.entry(what).or_default() += changed;
        }
    }

    pub(super) fn dropped(&mut self, what: Dropped) {
        *self.dropped.entry(what).or_default() += 1;
    }

    pub(super) fn into_report(self) -> Report {
        let replaced = self.replaced.into_iter();
        Report {
            replaced: replaced
                .map(|((what, place), (distinct, count))| Replaced {
                    what,
                    place,
                    distinct: distinct.len() as u64,
                    count,
                })
                .collect(),
            blanked_bytes: counted(self.blanked),
            dropped_packets: counted(self.dropped),
            ..Report::default()
        }
    }
}

pub(super) fn counted<T>(counts: BTreeMap<T, u64>) -> Vec<Counted<T>> {
    let counts = counts.into_iter();
    counts
        .map(|(what, count)| Counted { what, count })
        .collect()
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LoginId => "login id",
            Self::Password => "password",
            Self::NetworkName => "Wi-Fi name",
            Self::NetworkKey => "Wi-Fi key",
            Self::HubHost => "hub host",
            Self::DeviceName => "device name",
            Self::Pin => "Bluetooth pin",
            Self::Uuid => "UUID",
            Self::Mac => "MAC address",
            Self::Ip => "IP address",
            Self::Date => "date",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "login lines",
            Self::Config => "configs",
            Self::FwVersion => "FW_VERSION replies",
            Self::Payload => "other payloads",
            Self::Noise => "bytes outside of frames",
            Self::Discovery => "discovery datagrams",
            Self::LinkHeader => "link headers",
            Self::IpHeader => "IP headers",
            Self::Times => "packet times",
        })
    }
}

impl fmt::Display for Blank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noise => "outside of frames",
            Self::Unknown => "of commands and fields that are not known",
            Self::Config => "of configs that are not known",
            Self::Unused => "of packets, outside of their streams",
            Self::Options => "of IP and TCP options",
        })
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherConnections => "of other TCP connections",
            Self::OtherDatagrams => "of UDP that are no discovery",
            Self::OtherProtocols => "of other protocols",
            Self::Unsupported => "that are fragments or have headers that are not supported",
            Self::Cut => "that were cut short",
        })
    }
}
