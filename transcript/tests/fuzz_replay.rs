//! Every seed and every input that once broke something, and the seeds that are made here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod common;
#[path = "../../fuzz/kept.rs"]
mod kept;
#[path = "../../fuzz/replay.rs"]
mod replay;

use std::io::Write;

use common::{big_endian_section, endpoints, pcap, read, records, session};
use flate2::{Compression, write::GzEncoder};
use veschub_transcript::can::{Frame, LogFormat, LogWriter, Packet, SendType, fragments, measured};
use veschub_transcript::fuzzing;
use veschub_transcript::read::link::LinkType;
use veschub_transcript::read::pcap::Record;

#[test]
fn every_target_passes_its_seeds_and_regressions() {
    replay::replay(fuzzing::TARGETS);
}

/// Small captures that between them touch everything that the reader knows.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    // The opening, the login, and a few of the packets behind it.
    let all: Vec<Record> = records(&session(endpoints()))
        .into_iter()
        .take(12)
        .collect();
    let relinked = |link, header: &[u8]| -> Vec<u8> {
        let relinked = all.iter().map(|record| {
            let data = [header, &record.data[14..]].concat();
            Record {
                link,
                original_len: data.len() as u32,
                data,
                ..record.clone()
            }
        });
        pcap(&relinked.collect::<Vec<_>>(), false, true)
    };
    let mut cut = all.clone();
    cut.iter_mut().for_each(|record| record.data.truncate(60));
    let lost: Vec<Record> = all
        .iter()
        .filter(|record| record.number != 6)
        .cloned()
        .collect();
    let twice: Vec<Record> = all
        .iter()
        .flat_map(|record| [record.clone(), record.clone()])
        .collect();
    let mut reversed = all[3..].to_vec();
    reversed.reverse();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let plain = pcap(&all, false, false);
    encoder.write_all(&plain).expect("memory takes all");
    let packed = encoder.finish().expect("memory takes all");
    vec![
        ("pcap-little-endian", pcap(&all, false, false)),
        ("pcap-nanoseconds-big-endian", pcap(&all, true, true)),
        ("pcap-gzip", packed),
        ("pcapng-big-endian", big_endian_section(&all, 6, 1_000_000)),
        (
            "pcapng-little-endian",
            common::session_records_as_pcapng(&all),
        ),
        (
            "pcapng-two-sections",
            [
                big_endian_section(&all[..5], 9, 1_000_000_000),
                common::session_records_as_pcapng(&all[5..]),
            ]
            .concat(),
        ),
        ("link-raw", relinked(LinkType::RAW, &[])),
        ("link-loopback", relinked(LinkType::NULL, &[2, 0, 0, 0])),
        (
            "link-cooked-1",
            relinked(
                LinkType::LINUX_SLL,
                &[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0],
            ),
        ),
        (
            "link-cooked-2",
            relinked(
                LinkType::LINUX_SLL2,
                &[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ),
        ),
        (
            "link-vlan-in-vlan",
            relinked(
                LinkType::ETHERNET,
                &[
                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0xA8, 0, 7, 0x81, 0, 0, 9, 8, 0,
                ],
            ),
        ),
        ("can-candump", bus(LogFormat::Candump)),
        ("can-pcapng", bus(LogFormat::Pcapng)),
        ("begun-in-the-middle", pcap(&all[5..], false, false)),
        ("a-packet-lost", pcap(&lost, false, false)),
        ("every-packet-twice", pcap(&twice, false, false)),
        ("backwards", pcap(&reversed, false, false)),
        ("cut-by-the-snap-length", pcap(&cut, false, false)),
        ("cut-off", pcap(&all, false, false)[..500].to_vec()),
    ]
}

/// A bus with something of everything: values, a command in fragments, one without its close, another's frame.
fn bus(format: LogFormat) -> Vec<u8> {
    let mut frames = vec![
        measured(Packet::STATUS, 84, &[3200.0, 1.5, 0.1]),
        measured(Packet::BMS_V_TOT, 10, &[83.7, 0.0]),
        Frame::new(Packet::PING, 84, &[2]),
        Frame::new(Packet(200), 84, &[1, 2, 3]),
    ];
    frames.extend(fragments(2, 84, SendType::REQUEST, &[4]));
    frames.extend(fragments(84, 2, SendType::REPLY, &[4; 270]));
    let mut lost = fragments(84, 2, SendType::REPLY, &[4; 20]);
    lost.pop();
    frames.extend(lost);
    let mut log = LogWriter::new(Vec::new(), format, "vcan0", common::START_NS).unwrap();
    for (index, frame) in frames.iter().enumerate() {
        log.frame(index as u64 * 1_000_000, frame).unwrap();
    }
    log.finish().unwrap()
}

#[test]
fn the_seeds_of_capture_file_are_what_they_are_named_for() {
    let seeds = seeds().into_iter().map(|(name, bytes)| {
        assert!(read(&bytes).is_ok(), "{name} is no capture");
        (name.to_owned(), bytes)
    });
    kept::assert_kept("seeds/capture_file", &seeds.collect::<Vec<_>>());
}
