//! A small session, and capture files of every kind made from its packets.

#![expect(dead_code, reason = "each test file uses a part of it")]

use veschub_transcript::Side::{Initiator, Responder};
use veschub_transcript::read::pcap::{Record, Records};
use veschub_transcript::write::{Endpoints, SessionWriter};
use veschub_transcript::{CaptureError, Entry, Kind, Options, Transcript};
use veschub_wire::encode;

pub(crate) const START_NS: u64 = 1_700_000_000_000_000_000;
pub(crate) const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";

pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).expect("a payload that fits")
}

/// A reply without a BMS on the bus: no cells, no temperatures, all zero.
pub(crate) fn bms_reply(volts: i32) -> Vec<u8> {
    let mut payload = vec![0; 58];
    payload[0] = 96;
    payload[1..5].copy_from_slice(&(volts * 1_000_000).to_be_bytes());
    payload[39] = 255;
    payload
}

pub(crate) fn fw_version_reply() -> Vec<u8> {
    let mut payload = vec![0, 6, 5];
    payload.extend_from_slice(b"demo\0");
    payload.extend(1..=12);
    payload.extend_from_slice(&[0, 0, 2, 1]);
    payload
}

pub(crate) fn endpoints() -> Endpoints {
    Endpoints::new(
        "192.0.2.10:40000".parse().expect("an address"),
        "198.51.100.20:65101".parse().expect("an address"),
    )
}

/// A tool logs in, asks who is there, polls the BMS and leaves; something of everything happens.
pub(crate) fn session(ends: Endpoints) -> Vec<u8> {
    const MS: u64 = 1_000_000;
    let write = || -> std::io::Result<Vec<u8>> {
        let mut session = SessionWriter::new(Vec::new(), ends, START_NS)?;
        session.syn(0)?;
        session.syn_ack(36 * MS)?;
        session.ack(36 * MS, Initiator)?;
        session.data(104 * MS, Initiator, LOGIN)?;
        session.ack(140 * MS, Responder)?;
        session.data(154 * MS, Initiator, &frame(&[0]))?;
        session.data(301 * MS, Responder, &frame(&fw_version_reply()))?;
        session.data(305 * MS, Initiator, &frame(&[34, 84, 0]))?;
        session.data(400 * MS, Responder, &frame(&[0, 6]))?;
        session.data(500 * MS, Initiator, b"\r\n")?;
        session.data(501 * MS, Initiator, &frame(&[200, 1, 2]))?;
        for poll in 0..5 {
            let at = (1_000 + 100 * poll) * MS;
            session.data(at, Initiator, &frame(&[96]))?;
            session.ack(at + 36 * MS, Responder)?;
            session.data(
                at + 90 * MS,
                Responder,
                &frame(&bms_reply(80 + poll as i32)),
            )?;
        }
        let print = [&[21][..], &b"some text ".repeat(30)].concat();
        session.data(2_000 * MS, Responder, &frame(&print))?;
        session.data(2_100 * MS, Initiator, &[2, 200, 1])?;
        session.close(2_200 * MS, Initiator)?;
        session.close(2_236 * MS, Responder)?;
        session.ack(2_236 * MS, Initiator)?;
        session.finish()
    };
    write().expect("memory takes all")
}

pub(crate) fn read(file: &[u8]) -> Result<Transcript, CaptureError> {
    Transcript::from_capture(file, &Options::default())
}

pub(crate) fn records(file: &[u8]) -> Vec<Record> {
    Records::new(file)
        .expect("a capture")
        .collect::<Result<_, _>>()
        .expect("all records")
}

/// A classic pcap file; the numbers of the records are not used.
pub(crate) fn pcap(records: &[Record], big_endian: bool, nanoseconds: bool) -> Vec<u8> {
    let u32_of = |value: u32| match big_endian {
        true => value.to_be_bytes(),
        false => value.to_le_bytes(),
    };
    let u16_of = |value: u16| match big_endian {
        true => value.to_be_bytes(),
        false => value.to_le_bytes(),
    };
    let magic = if nanoseconds {
        0xA1B2_3C4D
    } else {
        0xA1B2_C3D4
    };
    let mut out = u32_of(magic).to_vec();
    out.extend(u16_of(2));
    out.extend(u16_of(4));
    out.extend([0; 8]);
    out.extend(u32_of(65_535));
    out.extend(u32_of(
        records.first().map_or(1, |record| u32::from(record.link.0)),
    ));
    for record in records {
        let unit = if nanoseconds { 1 } else { 1_000 };
        out.extend(u32_of((record.at_ns / 1_000_000_000) as u32));
        out.extend(u32_of((record.at_ns % 1_000_000_000 / unit) as u32));
        out.extend(u32_of(record.data.len() as u32));
        out.extend(u32_of(record.original_len));
        out.extend_from_slice(&record.data);
    }
    out
}

/// A pcapng section of its own, big endian, with blocks in it that nobody knows.
pub(crate) fn big_endian_section(records: &[Record], tsresol: u8, ticks_per_s: u64) -> Vec<u8> {
    let mut out = ng_block(
        0x0A0D_0D0A,
        &[
            &0x1A2B_3C4D_u32.to_be_bytes()[..],
            &[0, 1, 0, 0],
            &[0xFF; 8],
        ],
    );
    out.extend(ng_block(0x0BAD_0001, &[b"some"]));
    // The second interface is the one that is used; the first has another link.
    out.extend(ng_block(1, &[&[0, 105, 0, 0], &[0; 4]]));
    let link = records.first().map_or(1, |record| record.link.0);
    out.extend(ng_block(
        1,
        &[
            &link.to_be_bytes()[..],
            &[0; 6],
            &[0, 9, 0, 1, tsresol, 0, 0, 0],
            &[0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 10],
            &[0; 4],
        ],
    ));
    for record in records {
        // The interface's clock is ten seconds off, as its description says.
        let ns = u128::from(record.at_ns - 10_000_000_000);
        let ticks = (ns * u128::from(ticks_per_s)).div_ceil(1_000_000_000) as u64;
        let len = (record.data.len() as u32).to_be_bytes();
        out.extend(ng_block(
            6,
            &[
                &[0, 0, 0, 1],
                &ticks.to_be_bytes(),
                &len,
                &record.original_len.to_be_bytes(),
                &record.data,
            ],
        ));
        out.extend(ng_block(5, &[&[0; 12]]));
    }
    out
}

/// A section of these records in the byte order of our own writer.
pub(crate) fn session_records_as_pcapng(records: &[Record]) -> Vec<u8> {
    // A section header and an interface, as they stand at the front of a written file.
    let mut out = session(endpoints())[..60].to_vec();
    for record in records {
        let len = record.data.len() as u32;
        let total = len.next_multiple_of(4) + 32;
        for number in [
            6,
            total,
            0,
            (record.at_ns >> 32) as u32,
            record.at_ns as u32,
            len,
            record.original_len,
        ] {
            out.extend(number.to_le_bytes());
        }
        out.extend_from_slice(&record.data);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(total.to_le_bytes());
    }
    out
}

fn ng_block(kind: u32, parts: &[&[u8]]) -> Vec<u8> {
    let mut body = parts.concat();
    body.resize(body.len().next_multiple_of(4), 0);
    let len = (body.len() as u32 + 12).to_be_bytes();
    [&kind.to_be_bytes()[..], &len, &body, &len].concat()
}

/// The parts of the transcript that must not depend on how packets were recorded.
pub(crate) fn said(transcript: &Transcript) -> Vec<Entry> {
    let said = transcript
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Login(_) | Kind::Frame(_) | Kind::Noise(_)));
    let untimed = said.map(|entry| Entry {
        at_ns: None,
        ..entry.clone()
    });
    let mut entries: Vec<Entry> = untimed.collect();
    entries.sort_by_key(|entry| (entry.direction, entry.offset));
    entries
}
