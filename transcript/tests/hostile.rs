//! Files that lie: an error or a part of the transcript that says so, never a panic, and never much memory.
//!
//! One test in a process of its own, because the system counts the memory of a process and not of a test.

mod common;

use std::io::{self, Read, Write};

use common::{big_endian_section, endpoints, pcap, records, session};
use flate2::{Compression, write::GzEncoder};
use veschub_transcript::read::{Summary, read_capture};
use veschub_transcript::render::{JsonWriter, Stats, TextOptions, TextWriter};
use veschub_transcript::{Entry, EntrySink, Options, Transcript};

/// What reading any file may take.
const LIMIT_KIB: u64 = 64 << 10;

/// The most memory that this process ever had, in KiB; `None` where the system does not say.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The frame of BMS_GET_VALUES.
const POLL: [u8; 6] = [2, 1, 96, 0x6C, 0xA6, 3];

struct Nobody;

impl EntrySink for Nobody {
    fn connection(&mut self, _: &veschub_transcript::Connection) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, _: Entry) -> io::Result<()> {
        Ok(())
    }
}

/// A pcap file whose packets are made while it is read.
struct Endless<F> {
    ready: Vec<u8>,
    at: usize,
    left: u64,
    next: u32,
    packet: F,
}

fn endless<F: FnMut(u32) -> Vec<u8>>(megabytes: u64, packet: F) -> Endless<F> {
    Endless {
        ready: pcap(&[], false, true),
        at: 0,
        left: megabytes << 20,
        next: 0,
        packet,
    }
}

impl<F: FnMut(u32) -> Vec<u8>> Read for Endless<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() && self.left > 0 {
            let packet = (self.packet)(self.next);
            self.ready.clear();
            for number in [self.next, 0, packet.len() as u32, packet.len() as u32] {
                self.ready.extend(number.to_le_bytes());
            }
            self.ready.extend(packet);
            self.at = 0;
            self.left = self.left.saturating_sub(self.ready.len() as u64);
            self.next += 1;
        }
        let count = out.len().min(self.ready.len() - self.at);
        out[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// A packet from one of many senders; nobody looks at its checksums.
fn packet(sender: u32, seq: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = sender.to_be_bytes();
    let mut out = vec![0; 54];
    out[12..14].copy_from_slice(&[8, 0]);
    let ip_len = (40 + payload.len() as u16).to_be_bytes();
    out[14..20].copy_from_slice(&[0x45, 0, ip_len[0], ip_len[1], 0, 0]);
    out[22..24].copy_from_slice(&[64, 6]);
    out[26..34].copy_from_slice(&[10, a, b, c, 192, 0, 2, 1]);
    out[34..38].copy_from_slice(&[0x9C, 0x40, 0xFE, 0x4D]);
    out[38..42].copy_from_slice(&seq.to_be_bytes());
    out[46..48].copy_from_slice(&[0x50, if syn { 2 } else { 0 }]);
    out.extend_from_slice(payload);
    out
}

fn read(input: impl Read) -> Summary {
    read_capture(input, &Options::default(), &mut Nobody).expect("a capture")
}

/// The figures of a length in all bytes, in both byte orders.
const LENGTHS: [u32; 7] = [
    0,
    u32::MAX,
    u32::MAX - 3,
    i32::MAX as u32,
    0xFCFF_FFFF,
    0xFFFF_FF7F,
    12,
];

/// Every number of 32 bits in the file becomes each of the lengths that lie.
fn every_length_lies() {
    let all: Vec<_> = records(&session(endpoints())).into_iter().take(9).collect();
    for file in [
        pcap(&all, false, false),
        pcap(&all, true, true),
        big_endian_section(&all, 6, 1_000_000),
        common::session_records_as_pcapng(&all),
    ] {
        for at in (0..file.len() - 4).step_by(4) {
            for length in LENGTHS {
                let mut file = file.clone();
                file[at..at + 4].copy_from_slice(&length.to_le_bytes());
                let _ = Transcript::from_capture(&file[..], &Options::default());
            }
        }
    }
}

/// Blocks of no length, and of nearly four gigabytes.
fn blocks_lie_about_their_size() {
    let head = &session(endpoints())[..60];
    for kind in [1u32, 2, 3, 4, 5, 6, 0x0BAD, 0x0A0D_0D0A] {
        for length in LENGTHS {
            for bytes in [0, 8, 5_000] {
                let block = [
                    &kind.to_le_bytes()[..],
                    &length.to_le_bytes(),
                    &vec![0; bytes],
                ]
                .concat();
                let file = [head, &block].concat();
                // Nothing was read before it, so it may be an error.
                if let Ok(told) = read_capture(&file[..], &Options::default(), &mut Nobody) {
                    let whole = length == 12 && bytes >= 8 || bytes == 0;
                    assert!(told.truncated.is_some() || whole, "{kind} {length} {bytes}");
                }
            }
        }
    }
}

/// Nothing that waits for something waits without a limit.
fn endless_files() {
    let much = vec![b'x'; 1_400];
    // Everybody opens a connection, and nobody says anything.
    read(endless(3, |n| packet(n, 1, true, b"")));
    // Everybody opens a connection and sends something behind a hole.
    read(endless(70, |n| {
        packet(n / 4, 1 + n % 4 * 2_000, n.is_multiple_of(4), &much)
    }));
    // A thousand senders that are never decided on.
    read(endless(70, |n| {
        packet(n % 1_000, n / 1_000 * 1_400, false, &much)
    }));
    // One byte at a time, each behind a hole.
    read(endless(5, |n| packet(0, 2 * n, false, b"x")));
    // Login lines without an end.
    let login = [b"VESCTOOL:", &much[..]].concat();
    read(endless(70, |n| {
        packet(n % 1_000, n / 1_000 * 1_409, false, &login)
    }));
    // A frame of ten thousand bytes that never ends holds up what others say.
    let bogus = [3, 0x27, 0x10];
    let held = |n: u32| match n {
        0 => packet(1, 0, true, b""),
        1 => packet(1, 1, false, &[&POLL[..], &bogus].concat()),
        _ => packet(2 + n % 50, 1 + n / 50 * 600, false, &POLL.repeat(100)),
    };
    read(endless(70, held));
}

/// What is shown as it is read does not pile up either.
fn endless_pages() {
    let all = |n: u32| packet(1, n * 600, false, &POLL.repeat(100));
    let noise = |n: u32| {
        packet(
            n % 3,
            n / 3 * 600,
            false,
            &[&POLL[..], &[n as u8; 594]].concat(),
        )
    };
    let options = Options::default();
    for file in [all as fn(u32) -> Vec<u8>, noise] {
        let text = TextOptions {
            fold: false,
            hex: true,
            timing: true,
            ..TextOptions::default()
        };
        let mut page = TextWriter::new(io::sink(), text);
        read_capture(endless(1, file), &options, &mut page).expect("a capture");
        page.finish().expect("a sink takes all");
        let mut lines = JsonWriter::new(io::sink());
        read_capture(endless(1, file), &options, &mut lines).expect("a capture");
        let mut stats = Stats::default();
        read_capture(endless(2, file), &options, &mut stats).expect("a capture");
        assert!(stats.rows().len() <= 300);
    }
}

/// A small file that unpacks to a large one.
fn a_bomb() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(&session(endpoints())[..60])
        .expect("memory takes all");
    let zeros = vec![0; 1 << 20];
    let length = 120u32 << 20;
    for number in [0x0BAD_u32, length] {
        encoder
            .write_all(&number.to_le_bytes())
            .expect("memory takes all");
    }
    for _ in 0..120 {
        encoder.write_all(&zeros).expect("memory takes all");
    }
    let packed = encoder.finish().expect("memory takes all");
    assert!(packed.len() < 200 << 10);
    let told = read(&packed[..]);
    assert_eq!((told.records, told.connections), (0, 0));
}

#[test]
fn no_file_takes_more_than_64_mib() {
    for (name, hostile) in [
        ("lengths", every_length_lies as fn()),
        ("blocks", blocks_lie_about_their_size),
        ("endless files", endless_files),
        ("endless pages", endless_pages),
        ("a bomb", a_bomb),
    ] {
        hostile();
        if let Some(peak) = peak_kib() {
            println!("after {name}: {} KiB at the most", peak);
            assert!(peak < LIMIT_KIB, "{name}: {peak} KiB");
        }
    }
}
