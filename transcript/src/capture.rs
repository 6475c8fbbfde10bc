//! From a capture file to a transcript: all steps in their order.
//!
//! ```text
//!  records -> connections -> who is who -> each direction listened to -> merged by record number
//! ```
//!
//! What a connection says is kept until the file ends, because who is who may show late; a
//! connection that says a lot and nothing of it in our protocol is forgotten early.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;

use crate::entry::{Direction, Entry, Kind};
use crate::error::CaptureError;
use crate::link::{self, Inner, LinkType};
use crate::listen::{Heard, Listener};
use crate::pcap::{Record, Records};
use crate::roles::{self, Roles};
use crate::segment::{self, Packet};
use crate::tcp::{Close, Event, Reassembler, Side, Stamp, What};
use crate::transcript::{Connection, Options, Transcript};

/// A connection without a login or a frame in this many bytes is none of ours.
const MAX_UNDECIDED: u64 = 1 << 20;
/// How many of the connections that are left out are named.
const NAMED_LEFT_OUT: usize = 3;

impl Transcript {
    /// Reads a pcap or pcapng file.
    ///
    /// A file that is readable only up to some place gives what was readable, a notice at the end
    /// and [`Transcript::truncated`].
    ///
    /// # Errors
    /// When nothing at all can be read.
    pub fn from_capture(input: impl Read, options: &Options) -> Result<Self, CaptureError> {
        let mut capture = Capture::new(*options);
        let mut records = Records::new(input)?;
        let mut truncated = None;
        for record in records.by_ref() {
            match record {
                Ok(record) => capture.record(&record),
                Err(error) => {
                    truncated = error.truncated();
                    if truncated.is_none() {
                        return Err(error);
                    }
                }
            }
        }
        let mut transcript = capture.finish();
        transcript.truncated = truncated.or_else(|| records.truncated().cloned());
        if let Some(truncated) = &transcript.truncated {
            let notice = truncated.to_string();
            transcript.entries.push(notice_entry(notice));
        }
        Ok(transcript)
    }
}

/// What one side of a connection did.
#[derive(Debug)]
pub(crate) enum Said {
    Data { side: Side, bytes: Vec<u8> },
    Gap { side: Side, len: u64 },
    Closed { side: Side, how: Close },
}

#[derive(Debug)]
struct Talk {
    initiator: SocketAddr,
    responder: SocketAddr,
    from_start: bool,
    opened: Stamp,
    said: Vec<(Stamp, Said)>,
    bytes: u64,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Undecided,
    Ours,
    NotOurs,
}

/// Packets that could not be used, by reason: how many, and the first of them.
type Unused = BTreeMap<Reason, (u64, u64)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Link(LinkType),
    Fragment,
    Cut,
}

struct Capture {
    options: Options,
    tcp: Reassembler,
    events: Vec<Event>,
    talks: Vec<Talk>,
    unused: Unused,
}

impl Capture {
    fn new(options: Options) -> Self {
        Self {
            options,
            tcp: Reassembler::new(),
            events: Vec::new(),
            talks: Vec::new(),
            unused: Unused::new(),
        }
    }

    fn record(&mut self, record: &Record) {
        let ip = match link::strip(record.link, &record.data) {
            Inner::Ip(ip) => ip,
            Inner::Other => return,
            Inner::Short => return self.note(record, Reason::Cut),
            Inner::Unsupported => return self.note(record, Reason::Link(record.link)),
        };
        let segment = match segment::parse(ip) {
            Packet::Tcp(segment) => segment,
            Packet::Other => return,
            Packet::Fragment => return self.note(record, Reason::Fragment),
            Packet::Short => return self.note(record, Reason::Cut),
        };
        if segment.cut > 0 {
            self.note(record, Reason::Cut);
        }
        let stamp = Stamp {
            record: record.number,
            at_ns: record.at_ns,
        };
        self.tcp.push(stamp, &segment, &mut self.events);
        self.sort_events();
    }

    fn note(&mut self, record: &Record, reason: Reason) {
        let (count, _) = self.unused.entry(reason).or_insert((0, record.number));
        *count += 1;
    }

    /// Gives each event to its connection.
    fn sort_events(&mut self) {
        for event in self.events.drain(..) {
            let index = event.connection as usize - 1;
            let stamp = event.stamp;
            let said = match event.what {
                What::Opened {
                    initiator,
                    responder,
                    from_start,
                } => {
                    self.talks.push(Talk {
                        initiator,
                        responder,
                        from_start,
                        opened: stamp,
                        said: Vec::new(),
                        bytes: 0,
                        verdict: Verdict::Undecided,
                    });
                    continue;
                }
                What::Data { side, bytes, .. } => Said::Data { side, bytes },
                What::Gap { side, len, .. } => Said::Gap { side, len },
                What::Closed { side, how, .. } => Said::Closed { side, how },
            };
            if let Some(talk) = self.talks.get_mut(index) {
                talk.hear(stamp, said, &self.options);
            }
        }
    }

    fn finish(mut self) -> Transcript {
        self.tcp.finish(&mut self.events);
        self.sort_events();
        let mut transcript = Transcript::new();
        let mut told: Vec<(Stamp, Entry)> = Vec::new();
        let mut left_out = Vec::new();
        for talk in self.talks {
            match talk.roles(&self.options) {
                Some(roles) => {
                    let number = transcript.connections.len() as u32 + 1;
                    transcript.connections.push(talk.connection(number, roles));
                    talk.tell(number, roles, &self.options, &mut told);
                }
                None => left_out.push(talk),
            }
        }
        // Stable: within one record the order of telling stays.
        told.sort_by_key(|(stamp, _)| stamp.record);
        let start = told.first().map_or(0, |(stamp, _)| stamp.at_ns);
        transcript.start_ns = (!told.is_empty()).then_some(start);
        transcript.entries = told
            .into_iter()
            .map(|(stamp, entry)| Entry {
                at_ns: Some(stamp.at_ns.saturating_sub(start)),
                ..entry
            })
            .collect();
        transcript
            .entries
            .extend(self.unused.into_iter().map(unused_notice));
        transcript.entries.extend(left_out_notice(&left_out));
        transcript
    }
}

impl Talk {
    fn hear(&mut self, stamp: Stamp, said: Said, options: &Options) {
        if let Said::Data { bytes, .. } = &said {
            self.bytes += bytes.len() as u64;
        }
        if self.verdict == Verdict::NotOurs {
            return;
        }
        self.said.push((stamp, said));
        if self.verdict == Verdict::Undecided && self.bytes > MAX_UNDECIDED {
            self.verdict = match self.roles(options) {
                Some(_) => Verdict::Ours,
                None => Verdict::NotOurs,
            };
            if self.verdict == Verdict::NotOurs {
                self.said = Vec::new();
            }
        }
    }

    fn roles(&self, options: &Options) -> Option<Roles> {
        let higher_port = match self.initiator.port() >= self.responder.port() {
            true => Side::Initiator,
            false => Side::Responder,
        };
        let limit = options.to_device.max(options.to_tool);
        roles::find(&self.said, self.from_start, higher_port, limit)
    }

    fn connection(&self, number: u32, roles: Roles) -> Connection {
        let (tool, device) = match roles.tool {
            Side::Initiator => (self.initiator, self.responder),
            Side::Responder => (self.responder, self.initiator),
        };
        Connection {
            number,
            tool,
            device,
            from_start: self.from_start,
            by_login: roles.login.is_some(),
        }
    }

    /// Listens to both directions and appends what was heard.
    fn tell(&self, number: u32, roles: Roles, options: &Options, told: &mut Vec<(Stamp, Entry)>) {
        let direction_of = |side: Side| match side == roles.tool {
            true => Direction::ToDevice,
            false => Direction::ToTool,
        };
        let mut listeners = [Side::Initiator, Side::Responder].map(|side| {
            let limit = options.limit(direction_of(side));
            match roles.login == Some(side) {
                true => Listener::with_login(limit),
                false => Listener::new(limit),
            }
        });
        told.push((self.opened, self.opening(number)));
        let mut heard = Vec::new();
        let mut tell = |side: Side, heard: &mut Vec<Heard<Stamp>>| {
            told.extend(heard.drain(..).map(|heard| {
                let entry = Entry {
                    at_ns: None,
                    connection: number,
                    direction: Some(direction_of(side)),
                    offset: heard.offset,
                    kind: heard.kind,
                };
                (heard.at, entry)
            }));
        };
        for (stamp, said) in &self.said {
            match said {
                Said::Data { side, bytes } => {
                    listeners[*side as usize].bytes(*stamp, bytes, &mut heard);
                    tell(*side, &mut heard);
                }
                Said::Gap { side, len } => {
                    listeners[*side as usize].gap(*stamp, *len, &mut heard);
                    tell(*side, &mut heard);
                }
                Said::Closed { side, how } => {
                    let other = (*how == Close::Reset).then(|| side.other());
                    for ended in [Some(*side), other].into_iter().flatten() {
                        listeners[ended as usize].finish(&mut heard);
                        tell(ended, &mut heard);
                    }
                    heard.push(Heard {
                        at: *stamp,
                        offset: listeners[*side as usize].len(),
                        kind: Kind::Closed { how: *how },
                    });
                    tell(*side, &mut heard);
                }
            }
        }
        for side in [Side::Initiator, Side::Responder] {
            listeners[side as usize].finish(&mut heard);
            tell(side, &mut heard);
        }
    }

    fn opening(&self, number: u32) -> Entry {
        let kind = match self.from_start {
            true => Kind::Opened {
                initiator: self.initiator,
                responder: self.responder,
            },
            false => Kind::Notice(format!(
                "the recording starts in the middle of the connection {} - {}",
                self.initiator, self.responder
            )),
        };
        Entry {
            at_ns: None,
            connection: number,
            direction: None,
            offset: 0,
            kind,
        }
    }
}

fn notice_entry(text: String) -> Entry {
    Entry {
        at_ns: None,
        connection: 0,
        direction: None,
        offset: 0,
        kind: Kind::Notice(text),
    }
}

fn unused_notice((reason, (count, first)): (Reason, (u64, u64))) -> Entry {
    let packets = if count == 1 { "packet" } else { "packets" };
    notice_entry(match reason {
        Reason::Link(link) => format!(
            "{count} {packets} left out: {link} is not supported (first: packet {first}); \
             record on an Ethernet, Wi-Fi or `any` interface"
        ),
        Reason::Fragment => format!(
            "{count} {packets} left out: IP fragments are not put together (first: packet {first})"
        ),
        Reason::Cut => format!(
            "{count} {packets} cut short by the snap length (first: packet {first}); \
             record with `-s 0` to keep all bytes"
        ),
    })
}

fn left_out_notice(talks: &[Talk]) -> Option<Entry> {
    if talks.is_empty() {
        return None;
    }
    let named = talks.iter().take(NAMED_LEFT_OUT).map(|talk| {
        format!(
            "{} - {} ({} bytes)",
            talk.initiator, talk.responder, talk.bytes
        )
    });
    let named: Vec<String> = named.collect();
    let connections = match talks.len() {
        1 => "1 connection".to_owned(),
        count => format!("{count} connections"),
    };
    let more = match talks.len().saturating_sub(NAMED_LEFT_OUT) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(notice_entry(format!(
        "{connections} left out, without a login or a frame: {}{more}",
        named.join(", ")
    )))
}
