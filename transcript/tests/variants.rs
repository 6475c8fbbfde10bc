//! One session, recorded in every way that there is, and over networks that split, reorder and repeat: it always
//! reads the same. The variants are made here from the committed capture; none is stored.

mod common;

use std::io::Write;

use common::{big_endian_section, pcap, records, said, session_records_as_pcapng};
use etherparse::{NetHeaders, PacketBuilder, PacketHeaders, TransportHeader};
use flate2::{Compression, write::GzEncoder};
use veschub_transcript::read::link::LinkType;
use veschub_transcript::read::pcap::Record;
use veschub_transcript::{Entry, Kind, Options, Transcript};

const SESSION: &[u8] = include_bytes!("../../captures/vesctool-session-rebuilt.pcapng");
const ETHERNET: usize = 14;

fn read(file: &[u8]) -> Transcript {
    Transcript::from_capture(file, &Options::default()).expect("a capture")
}

/// All entries with their times, but for those that tell what was sent again.
fn told(transcript: &Transcript) -> Vec<Entry> {
    let told = transcript.entries.iter();
    told.filter(|entry| !matches!(entry.kind, Kind::Repeated { .. }))
        .cloned()
        .collect()
}

/// Makes a file of packets.
type File = fn(&[Record]) -> Vec<u8>;
/// Does to packets what a network may do.
type Network = fn(&[Record]) -> Vec<Record>;

/// How packets are put into a file.
const FILES: [(&str, File); 8] = [
    ("pcap us little endian", |all| pcap(all, false, false)),
    ("pcap us big endian", |all| pcap(all, true, false)),
    ("pcap ns little endian", |all| pcap(all, false, true)),
    ("pcap ns big endian", |all| pcap(all, true, true)),
    ("pcapng us big endian", |all| {
        big_endian_section(all, 6, 1_000_000)
    }),
    ("pcapng 2^-32 s big endian", |all| {
        big_endian_section(all, 0x80 | 32, 1 << 32)
    }),
    ("pcap gzip", |all| gzip(&pcap(all, false, true))),
    ("pcapng gzip", |all| {
        gzip(&big_endian_section(all, 9, 1_000_000_000))
    }),
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Which headers stand before the IP packet.
const LINKS: [(LinkType, &[u8]); 13] = [
    (
        LinkType::ETHERNET,
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0],
    ),
    // One VLAN tag, and one within another.
    (
        LinkType::ETHERNET,
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 7, 8, 0],
    ),
    (
        LinkType::ETHERNET,
        &[
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0xA8, 0, 7, 0x81, 0, 0, 9, 8, 0,
        ],
    ),
    (
        LinkType::LINUX_SLL,
        &[0, 4, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0],
    ),
    (
        LinkType::LINUX_SLL2,
        &[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
    (LinkType::RAW, &[]),
    (LinkType::DLT_RAW_12, &[]),
    (LinkType::DLT_RAW_14, &[]),
    (LinkType::IPV4, &[]),
    (LinkType::NULL, &[2, 0, 0, 0]),
    (LinkType::NULL, &[0, 0, 0, 2]),
    (LinkType::LOOP, &[0, 0, 0, 2]),
    (LinkType::LOOP, &[2, 0, 0, 0]),
];

fn with_link(all: &[Record], link: LinkType, header: &[u8]) -> Vec<Record> {
    let relinked = all.iter().map(|record| {
        let data = [header, &record.data[ETHERNET..]].concat();
        Record {
            link,
            original_len: data.len() as u32,
            data,
            ..record.clone()
        }
    });
    relinked.collect()
}

/// What a network may do to packets.
const NETWORKS: [(&str, Network); 6] = [
    ("split", split),
    ("split and swapped", |all| swapped(&split(all))),
    ("duplicated", |all| {
        let doubled = all
            .iter()
            .flat_map(|record| [record.clone(), record.clone()]);
        doubled.collect()
    }),
    ("retransmitted", retransmitted),
    ("split, swapped, retransmitted", |all| {
        retransmitted(&swapped(&split(all)))
    }),
    ("retransmitted whole after it came in two", |all| {
        let halves = split(all);
        let mut again = Vec::new();
        for record in halves {
            let whole = all
                .iter()
                .find(|other| other.at_ns == record.at_ns && is_data(other));
            again.push(record);
            again.extend(whole.cloned());
        }
        again
    }),
];

fn is_data(record: &Record) -> bool {
    !parts(record).payload.slice().is_empty()
}

fn parts(record: &Record) -> PacketHeaders<'_> {
    PacketHeaders::from_ethernet_slice(&record.data).expect("a packet of ours")
}

/// A segment of its own for some of the bytes, with right lengths and checksums.
fn piece(record: &Record, from: usize, to: usize) -> Record {
    let headers = parts(record);
    let (Some(NetHeaders::Ipv4(ip, _)), Some(TransportHeader::Tcp(mut tcp))) =
        (headers.net, headers.transport)
    else {
        unreachable!("the session is TCP over IPv4");
    };
    let payload = &headers.payload.slice()[from..to];
    tcp.sequence_number = tcp.sequence_number.wrapping_add(from as u32);
    let mut data = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(ip.source, ip.destination, ip.time_to_live)
        .tcp_header(tcp)
        .write(&mut data, payload)
        .expect("memory takes all");
    Record {
        original_len: data.len() as u32,
        data,
        ..record.clone()
    }
}

/// Every segment with two bytes or more in two, at a place that wanders.
fn split(all: &[Record]) -> Vec<Record> {
    let mut out = Vec::new();
    for (index, record) in all.iter().enumerate() {
        let len = parts(record).payload.slice().len();
        if len < 2 {
            out.push(record.clone());
            continue;
        }
        let at = 1 + index % (len - 1);
        out.push(piece(record, 0, at));
        out.push(piece(record, at, len));
    }
    out
}

/// Pieces that follow each other at the same time overtake each other.
fn swapped(all: &[Record]) -> Vec<Record> {
    let mut out = all.to_vec();
    let mut at = 0;
    while at + 1 < out.len() {
        if out[at].at_ns == out[at + 1].at_ns && is_data(&out[at]) && is_data(&out[at + 1]) {
            out.swap(at, at + 1);
            at += 1;
        }
        at += 1;
    }
    out
}

/// Every segment with data comes again, behind what came next.
fn retransmitted(all: &[Record]) -> Vec<Record> {
    let mut out = Vec::new();
    let mut again: Option<Record> = None;
    for record in all {
        out.push(record.clone());
        if let Some(again) = again.take() {
            out.push(Record {
                at_ns: record.at_ns,
                ..again
            });
        }
        again = is_data(record).then(|| record.clone());
    }
    out
}

#[test]
fn every_file_with_every_link_reads_the_same() {
    let all = records(SESSION);
    let wanted = read(SESSION);
    for (link, header) in LINKS {
        let all = with_link(&all, link, header);
        for (name, file) in FILES {
            assert!(
                read(&file(&all)) == wanted,
                "{link} in {name} reads differently"
            );
        }
    }
    assert!(read(&session_records_as_pcapng(&all)) == wanted);
}

#[test]
fn every_network_reads_the_same_over_every_link() {
    let all = records(SESSION);
    let wanted = read(SESSION);
    for (name, network) in NETWORKS {
        let disturbed = network(&all);
        assert!(disturbed.len() > all.len());
        for (link, header) in LINKS {
            let file = pcap(&with_link(&disturbed, link, header), false, true);
            let transcript = read(&file);
            assert!(
                told(&transcript) == wanted.entries,
                "{name} over {link} reads differently"
            );
            let again = transcript.count().repeated_bytes;
            assert_eq!(
                again > 0,
                name.contains("dup") || name.contains("retr"),
                "{name}"
            );
        }
    }
}

#[test]
fn ipv6_with_and_without_tags_reads_the_same() {
    let all = records(SESSION);
    let wanted = said(&read(SESSION));
    let over_ipv6 = all.iter().map(|record| {
        let headers = parts(record);
        let (Some(NetHeaders::Ipv4(ip, _)), Some(TransportHeader::Tcp(tcp))) =
            (headers.net, headers.transport)
        else {
            unreachable!("the session is TCP over IPv4");
        };
        let address = |v4: [u8; 4]| std::net::Ipv4Addr::from(v4).to_ipv6_mapped().octets();
        let mut data = Vec::new();
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .single_vlan(7.try_into().expect("an id"))
            .ipv6(address(ip.source), address(ip.destination), 64)
            .tcp_header(tcp)
            .write(&mut data, headers.payload.slice())
            .expect("memory takes all");
        Record {
            original_len: data.len() as u32,
            data,
            ..record.clone()
        }
    });
    let all: Vec<Record> = over_ipv6.collect();
    assert_eq!(said(&read(&pcap(&all, true, false))), wanted);
    // The family of IPv6 has another number on each system; the VLAN tag takes four bytes more.
    for (link, header) in [
        (LinkType::IPV6, &[][..]),
        (LinkType::RAW, &[]),
        (LinkType::NULL, &[30, 0, 0, 0]),
        (LinkType::NULL, &[0, 0, 0, 28]),
        (LinkType::LOOP, &[0, 0, 0, 24]),
    ] {
        let mut all = with_link(&all, link, header);
        for record in &mut all {
            record.data.drain(header.len()..header.len() + 4);
            record.original_len = record.data.len() as u32;
        }
        assert_eq!(said(&read(&pcap(&all, true, false))), wanted, "{link}");
    }
}
