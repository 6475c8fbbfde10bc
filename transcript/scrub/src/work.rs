//! The work of scrubbing: each packet is given to its stream, the streams are edited, and the packets are written again.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::Range;

use veschub_transcript::listen::Heard;
use veschub_transcript::read::link::{self, Inner};
use veschub_transcript::read::pcap::{Record, Records};
use veschub_transcript::read::roles;
use veschub_transcript::read::segment::{self, Packet};
use veschub_transcript::secret::{self, Found, Location, Secret, Span, Unparsed};
use veschub_transcript::{CaptureError, Kind, Options, Side};
use veschub_wire::crc16;

use crate::error::{MAX_FILE, ScrubError};
use crate::file::{self, Form};
use crate::flow::{Flows, Session, Stream, Stretch};
use crate::forms::Forms;
use crate::packet::{Address, Layout, Protocol};
use crate::report::{Dropped, ScrubReport, Tally};
use crate::texts::{self, Place};
use crate::words::Words;
use crate::xml::Xmls;

/// When every scrubbed recording begins: 2026-01-01 00:00:00 UTC, in nanoseconds since the epoch.
pub const START_NS: u64 = 1_767_225_600_000_000_000;
/// Where devices and apps announce themselves (`EX main/comm_wifi.c:326`).
const DISCOVERY_PORT: u16 = 65_109;

/// What is kept although it may hold secrets; those that are known from elsewhere are replaced all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Bytes outside of frames.
    pub noise: bool,
    /// Arguments of unknown commands, what follows the known fields of others, configs that are not an Express'.
    pub unknown: bool,
}

/// A scrubbed capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// The file.
    pub file: Vec<u8>,
    /// What was done.
    pub report: ScrubReport,
}

/// A capture while it is scrubbed.
pub(crate) struct Work {
    keep: Keep,
    file: Vec<u8>,
    form: Form,
    pub(crate) records: Vec<Record>,
    truncated: Option<String>,
    options: Options,
    words: Words,
    tally: Tally,
}

/// A packet that stays, if its connection does.
enum Ours {
    Segment,
    Discovery(Stretch, Vec<Span>),
}

impl Work {
    pub(crate) fn read(input: impl Read, keep: Keep) -> Result<Self, ScrubError> {
        let mut file = Vec::new();
        let mut input = input.take(MAX_FILE + 1);
        input.read_to_end(&mut file).map_err(|source| {
            ScrubError::Capture(CaptureError::Io {
                offset: file.len() as u64,
                source,
            })
        })?;
        if file.len() as u64 > MAX_FILE {
            return Err(ScrubError::TooLarge);
        }
        let mut reader = Records::new(file.as_slice())?;
        let form = Form::of(&file).ok_or(ScrubError::Packed)?;
        let mut truncated = None;
        let mut records = Vec::new();
        for record in reader.by_ref() {
            match record {
                Ok(record) => records.push(record),
                Err(error) => match error.truncated() {
                    Some(place) => truncated = Some(place.to_string()),
                    None => return Err(error.into()),
                },
            }
        }
        let truncated = truncated.or_else(|| reader.truncated().map(ToString::to_string));
        Ok(Self {
            keep,
            file,
            form,
            records,
            truncated,
            options: Options::default(),
            words: Words::default(),
            tally: Tally::default(),
        })
    }

    pub(crate) fn run(&mut self) -> Result<Scrubbed, ScrubError> {
        let mut flows = Flows::new(&self.options);
        let mut packets = self.sort_packets(&mut flows);
        flows.finish();
        self.edit(&mut flows, &mut packets)?;
        let kept = self.write_packets(&flows, packets)?;
        self.move_times(&kept);
        let kept: Vec<Record> = kept
            .into_iter()
            .map(|index| self.records[index].clone())
            .collect();
        let file = self.form.write(&kept).ok_or(ScrubError::Times)?;
        let tally = std::mem::take(&mut self.tally);
        let report = ScrubReport {
            packets: kept.len() as u64,
            removed: file::besides_packets(&self.file),
            truncated: self.truncated.take(),
            ..tally.into_report()
        };
        Ok(Scrubbed { file, report })
    }

    /// Gives segments to their connections and picks out discovery; says what each record is.
    fn sort_packets(&mut self, flows: &mut Flows) -> Vec<Option<(Layout, Ours)>> {
        let mut packets = Vec::with_capacity(self.records.len());
        for (index, record) in self.records.iter().enumerate() {
            packets.push(match sort_packet(index, record, flows) {
                Ok(packet) => Some(packet),
                Err(reason) => {
                    self.tally.dropped(reason);
                    None
                }
            });
        }
        packets
    }

    /// Edits the streams and datagrams.
    fn edit(
        &mut self,
        flows: &mut Flows,
        packets: &mut [Option<(Layout, Ours)>],
    ) -> Result<(), ScrubError> {
        let addresses = self.addresses(flows, packets);
        for address in &addresses {
            address.keep_placeholder(&mut self.words);
        }
        let mut streams = Vec::new();
        for session in flows.sessions() {
            let Session {
                roles,
                is_guessed,
                streams: halves,
            } = session;
            for (side, stream) in [Side::Initiator, Side::Responder].into_iter().zip(halves) {
                let direction = roles::direction(side, roles.tool);
                let has_login = roles.login == Some(side);
                let limit = self.options.limit(direction);
                let heard = stream.listen(has_login, limit);
                let spans = secret::spans(&heard, direction, is_guessed);
                streams.push((stream, has_login, limit, shape(&heard), spans));
            }
        }
        let mut places = Vec::new();
        for (number, (stream, _, _, _, spans)) in streams.iter_mut().enumerate() {
            places.extend(by_stretch(number, stream, std::mem::take(spans)));
        }
        for (_, ours) in packets.iter_mut().flatten() {
            if let Ours::Discovery(stretch, spans) = ours {
                let spans = std::mem::take(spans);
                // Each is on its own.
                let stream = usize::MAX;
                places.push(Place {
                    stream,
                    stretch,
                    spans,
                });
            }
        }
        self.edit_places(&mut places, &addresses);
        drop(places);
        let same = streams
            .iter()
            .all(|(stream, login, limit, was, _)| shape(&stream.listen(*login, *limit)) == *was);
        match same {
            true => Ok(()),
            false => Err(ScrubError::Lost(
                "the scrubbed session would read differently",
            )),
        }
    }

    /// The addresses of the packets that stay, each once, in the order in which they come.
    fn addresses(&self, flows: &Flows, packets: &[Option<(Layout, Ours)>]) -> Vec<Address> {
        let mut stays = vec![false; packets.len()];
        for (index, _) in flows.packets() {
            stays[index] = true;
        }
        let (mut seen, mut addresses) = (BTreeSet::new(), Vec::new());
        for (index, packet) in packets.iter().enumerate() {
            let Some((layout, ours)) = packet else {
                continue;
            };
            if stays[index] || matches!(ours, Ours::Discovery(..)) {
                let found = layout.addresses(&self.records[index].data);
                addresses.extend(found.into_iter().filter(|address| seen.insert(*address)));
            }
        }
        addresses
    }

    /// Each step in all places before the next: a placeholder must be known everywhere.
    fn edit_places(&mut self, places: &mut [Place<'_>], addresses: &[Address]) {
        let mut xmls = Xmls::of(places);
        step(places, |stretch, at, what| {
            if let Found::Field(secret, _) = what {
                self.words.keep_if_placeholder(secret, &stretch.bytes[at]);
            }
        });
        xmls.keep_placeholders(&mut self.words);
        step(places, |stretch, at, what| match what {
            Found::Field(secret, place) => {
                let old = stretch.bytes[at.clone()].to_vec();
                stretch.done[at.clone()].fill(true);
                if let Some(new) = self.words.replace(secret, &old) {
                    stretch.bytes[at].copy_from_slice(&new);
                    self.tally.replaced(secret, place, &old);
                }
            }
            Found::Unparsed(unparsed) if !self.keep.keeps(unparsed) => {
                self.tally
                    .blank(unparsed, &mut stretch.bytes[at.clone()], 0);
                stretch.done[at].fill(true);
            }
            _ => {}
        });
        xmls.replace_fields(&mut self.words, &mut self.tally);
        // The addresses of the packets' headers may stand in texts as well.
        for address in addresses {
            address.learn(&mut self.words);
        }
        let forms = Forms::of(&self.words);
        xmls.search(&forms, &mut self.tally);
        xmls.write(places, self.keep.keeps(Unparsed::Config), &mut self.tally);
        texts::replace(places, &forms, &mut |what, place, secret| {
            self.tally.replaced(what, place, secret);
        });
        step(places, |stretch, at, what| {
            if what == Found::Crc {
                let crc = crc16(&stretch.bytes[at.clone()]);
                stretch.bytes[at.end..at.end + 2].copy_from_slice(&crc.to_be_bytes());
            }
        });
    }

    /// Puts the edited streams and addresses into the packets; returns which packets stay.
    fn write_packets(
        &mut self,
        flows: &Flows,
        packets: Vec<Option<(Layout, Ours)>>,
    ) -> Result<Vec<usize>, ScrubError> {
        let mut kept = vec![false; packets.len()];
        let (records, tally) = (&mut self.records, &mut self.tally);
        for (index, pieces) in flows.packets() {
            kept[index] = true;
            let data = &mut records[index].data;
            for (at, stream) in pieces {
                match stream {
                    Some(bytes) => data[at].copy_from_slice(bytes),
                    None => tally.blank(Unparsed::Unused, &mut data[at], 0),
                }
            }
        }
        for (index, packet) in packets.into_iter().enumerate() {
            let Some((layout, ours)) = packet else {
                continue;
            };
            let data = &mut self.records[index].data;
            match ours {
                Ours::Discovery(stretch, _) => {
                    kept[index] = true;
                    data[layout.payload.clone()].copy_from_slice(&stretch.bytes);
                }
                Ours::Segment if kept[index] => {}
                Ours::Segment => {
                    self.tally.dropped(Dropped::OtherConnections);
                    continue;
                }
            }
            layout.blank_rest(data, &mut self.tally);
            if !layout.replace_addresses(data, &mut self.words, &mut self.tally) {
                return Err(ScrubError::TooManyAddresses);
            }
            layout.write_checksums(data);
        }
        let kept = kept.into_iter().enumerate();
        Ok(kept
            .filter_map(|(index, is_kept)| is_kept.then_some(index))
            .collect())
    }

    /// Moves the times so that the earliest is [`START_NS`]; a packet without a time gets that.
    fn move_times(&mut self, kept: &[usize]) {
        let times = kept.iter().map(|&index| self.records[index].at_ns);
        let first = times.filter(|&at| at > 0).min().unwrap_or(0);
        for &index in kept {
            let record = &mut self.records[index];
            let at = record.at_ns.saturating_sub(first).saturating_add(START_NS);
            if at != record.at_ns {
                record.at_ns = at;
                let start = first.to_be_bytes();
                self.tally.replaced(Secret::Date, Location::Times, &start);
            }
        }
    }
}

impl Keep {
    fn keeps(self, unparsed: Unparsed) -> bool {
        match unparsed {
            Unparsed::Noise => self.noise,
            Unparsed::Unknown | Unparsed::Config => self.unknown,
            Unparsed::Unused | Unparsed::Options => false,
        }
    }
}

fn sort_packet(
    index: usize,
    record: &Record,
    flows: &mut Flows,
) -> Result<(Layout, Ours), Dropped> {
    let layout = Layout::of(record)?;
    let payload = layout.payload.clone();
    let ours = match layout.protocol {
        Protocol::Tcp => {
            let Inner::Ip(packet) = link::strip(record.link, &record.data) else {
                return Err(Dropped::OtherProtocols);
            };
            let Packet::Tcp(segment) = segment::parse(packet) else {
                return Err(Dropped::OtherProtocols);
            };
            flows.push(index, record.at_ns, &segment, payload);
            Ours::Segment
        }
        Protocol::Udp => {
            let bytes = &record.data[payload];
            let (_, to) = layout.ports(&record.data);
            let spans = secret::discovery(bytes).filter(|_| to == DISCOVERY_PORT);
            let spans = spans.ok_or(Dropped::OtherDatagrams)?;
            Ours::Discovery(Stretch::new(bytes.to_vec()), spans)
        }
    };
    Ok((layout, ours))
}

/// Where the logins, frames and gaps of a stream are, which scrubbing must not change.
fn shape(heard: &[Heard<()>]) -> Vec<(u64, u64, bool)> {
    let told = heard.iter().filter_map(|heard| {
        let is_login = match &heard.kind {
            Kind::Noise(_) => return None,
            Kind::Login(login) => login.line.is_ok(),
            _ => false,
        };
        Some((heard.offset, heard.kind.stream_len(), is_login))
    });
    told.collect()
}

/// Does something to everything that was found.
fn step(places: &mut [Place<'_>], mut work: impl FnMut(&mut Stretch, Range<usize>, Found)) {
    for place in places {
        for span in std::mem::take(&mut place.spans) {
            let at = place.range(&span);
            work(place.stretch, at, span.what);
            place.spans.push(span);
        }
    }
}

/// Gives each span to the stretch that it lies in: nothing that was heard spans a gap.
fn by_stretch(
    number: usize,
    stream: &mut Stream,
    spans: Vec<Span>,
) -> impl Iterator<Item = Place<'_>> {
    let mut spans = spans.into_iter().peekable();
    stream.stretches.iter_mut().map(move |stretch| {
        let mut mine = Vec::new();
        while let Some(span) = spans.next_if(|span| span.at.start < stretch.end()) {
            mine.push(span);
        }
        Place {
            stream: number,
            stretch,
            spans: mine,
        }
    })
}
