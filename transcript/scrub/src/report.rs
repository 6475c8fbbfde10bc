//! What was replaced, blanked and left out: kinds, places and counts, never a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use veschub_transcript::secret::{Location, Secret, Unparsed};

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
    /// Cut so short that their connection is not known.
    Cut,
}

/// One kind of secret at one kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// What it was.
    pub what: Secret,
    /// Where it stood.
    pub place: Location,
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
pub struct ScrubReport {
    /// Packets that were kept.
    pub packets: u64,
    /// Secrets that got placeholders.
    pub replaced: Vec<Replaced>,
    /// How many bytes were overwritten with zeros (options: with no-operations).
    pub blanked_bytes: Vec<Counted<Unparsed>>,
    /// How many packets were left out.
    pub dropped_packets: Vec<Counted<Dropped>>,
    /// Parts of the file around the packets that were left out.
    pub removed: Vec<Counted<&'static str>>,
    /// Where the file ended before its time, if it did.
    pub truncated: Option<String>,
}

impl ScrubReport {
    /// Whether a scrubbed file would hold the same packets with the same contents.
    ///
    /// Blanked bytes do not count: they are a precaution, and a user may ask to keep them.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.replaced.is_empty() && self.dropped_packets.is_empty() && self.removed.is_empty()
    }
}

impl ScrubReport {
    /// Adds what was done when the file was scrubbed again.
    pub(crate) fn add(&mut self, again: Self) {
        self.packets = again.packets;
        for more in again.replaced {
            let mut known = self.replaced.iter_mut();
            match known.find(|one| (one.what, one.place) == (more.what, more.place)) {
                Some(one) => {
                    one.distinct += more.distinct;
                    one.count += more.count;
                }
                None => self.replaced.push(more),
            }
        }
        self.replaced.sort_by_key(|one| (one.what, one.place));
        add_counts(&mut self.blanked_bytes, again.blanked_bytes);
        add_counts(&mut self.dropped_packets, again.dropped_packets);
    }
}

fn add_counts<T: Ord + Copy>(counts: &mut Vec<Counted<T>>, again: Vec<Counted<T>>) {
    let mut all: BTreeMap<T, u64> = BTreeMap::new();
    for Counted { what, count } in counts.drain(..).chain(again) {
        *all.entry(what).or_default() += count;
    }
    *counts = counted(all);
}

/// The different secrets of a kind, and how often they were seen.
type Seen = (BTreeSet<Vec<u8>>, u64);

/// Counts while the work is done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    replaced: BTreeMap<(Secret, Location), Seen>,
    blanked: BTreeMap<Unparsed, u64>,
    dropped: BTreeMap<Dropped, u64>,
}

impl Tally {
    pub(crate) fn replaced(&mut self, what: Secret, place: Location, secret: &[u8]) {
        let (distinct, count) = self.replaced.entry((what, place)).or_default();
        if !distinct.contains(secret) {
            distinct.insert(secret.to_vec());
        }
        *count += 1;
    }

    /// Overwrites bytes and counts those that change.
    pub(crate) fn blank(&mut self, what: Unparsed, bytes: &mut [u8], with: u8) {
        let changed = bytes.iter().filter(|&&byte| byte != with).count() as u64;
        bytes.fill(with);
        if changed > 0 {
            *self.blanked.entry(what).or_default() += changed;
        }
    }

    pub(crate) fn dropped(&mut self, what: Dropped) {
        *self.dropped.entry(what).or_default() += 1;
    }

    pub(crate) fn into_report(self) -> ScrubReport {
        let replaced = self.replaced.into_iter();
        ScrubReport {
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
            ..ScrubReport::default()
        }
    }
}

pub(crate) fn counted<T>(counts: BTreeMap<T, u64>) -> Vec<Counted<T>> {
    let counts = counts.into_iter();
    counts
        .map(|(what, count)| Counted { what, count })
        .collect()
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
