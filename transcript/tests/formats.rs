//! Every kind of capture file gives the same transcript, and no damaged one brings the reader down.

mod common;

use std::io::Read;

use common::{big_endian_section, endpoints, pcap, read, records, session};
use veschub_transcript::read::link::LinkType;
use veschub_transcript::read::pcap::{Record, Records};
use veschub_transcript::{CaptureError, Kind, Options, Transcript};

/// The packets of the session behind another header of the link.
fn with_link(link: LinkType, header: &[u8]) -> Vec<Record> {
    let mut all = records(&session(endpoints()));
    for record in &mut all {
        record.link = link;
        record.data.splice(..14, header.iter().copied());
        record.original_len = record.data.len() as u32;
    }
    all
}

#[test]
fn both_byte_orders_and_clocks_of_pcap_read_the_same() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    for (big_endian, nanoseconds) in [(false, false), (false, true), (true, false), (true, true)] {
        let again = read(&pcap(&records(&file), big_endian, nanoseconds)).unwrap();
        assert_eq!(
            again, wanted,
            "big endian {big_endian}, nanoseconds {nanoseconds}"
        );
    }
}

#[test]
fn pcapng_clocks_interfaces_and_unknown_blocks_are_understood() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    for (resolution, ticks_per_s) in [
        (6, 1_000_000),
        (9, 1_000_000_000),
        (3, 1_000),
        (0x80 | 32, 1 << 32),
    ] {
        let again = read(&big_endian_section(
            &records(&file),
            resolution,
            ticks_per_s,
        ))
        .unwrap();
        assert_eq!(again, wanted, "resolution {resolution}");
    }
}

#[test]
fn sections_follow_each_other() {
    let file = session(endpoints());
    let all = records(&file);
    let (first, second) = all.split_at(9);
    let joined = [
        big_endian_section(first, 9, 1_000_000_000),
        common::session_records_as_pcapng(second),
    ]
    .concat();
    assert_eq!(read(&joined).unwrap(), read(&file).unwrap());
}

#[test]
fn every_supported_link_reads_the_same() {
    let wanted = read(&session(endpoints())).unwrap();
    let cooked = [&[0; 14][..], &[8, 0]].concat();
    let cooked_2 = [&[8, 0][..], &[0; 18]].concat();
    let vlan = [&[0; 12][..], &[0x81, 0, 0, 7, 8, 0]].concat();
    for (link, header) in [
        (LinkType::ETHERNET, &vlan[..]),
        (LinkType::LINUX_SLL, &cooked),
        (LinkType::LINUX_SLL2, &cooked_2),
        (LinkType::RAW, &[]),
        (LinkType::IPV4, &[]),
        (LinkType::DLT_RAW_12, &[]),
        (LinkType::DLT_RAW_14, &[]),
        (LinkType::NULL, &[2, 0, 0, 0]),
        (LinkType::NULL, &[0, 0, 0, 2]),
        (LinkType::LOOP, &[0, 0, 0, 2]),
    ] {
        let again = read(&pcap(&with_link(link, header), false, true)).unwrap();
        assert_eq!(again, wanted, "{link}");
    }
}

#[test]
fn a_link_that_is_not_supported_is_noticed_once() {
    let transcript = read(&pcap(&with_link(LinkType(105), &[]), false, true)).unwrap();
    let [notice] = &transcript.entries[..] else {
        panic!("{:?}", transcript.entries);
    };
    let Kind::Notice(text) = &notice.kind else {
        panic!("{notice:?}");
    };
    assert!(text.contains("link type 105 is not supported"), "{text}");
}

#[test]
fn a_capture_cut_at_any_byte_gives_what_was_readable_and_says_where_it_ends() {
    let file = session(endpoints());
    let files = [
        pcap(&records(&file), false, false),
        big_endian_section(&records(&file), 6, 1_000_000),
        file,
    ];
    for file in files {
        let whole = read(&file).unwrap();
        let mut ends = 0;
        for len in 0..file.len() {
            match read(&file[..len]) {
                Ok(part) => {
                    let count = part.count();
                    assert!(count.frames <= whole.count().frames);
                    match &part.truncated {
                        Some(truncated) => {
                            assert_eq!(truncated.offset, len as u64);
                            assert!(matches!(part.entries.last().unwrap().kind, Kind::Notice(_)));
                        }
                        // Between two records nobody can tell.
                        None => ends += 1,
                    }
                }
                Err(error) => {
                    assert!(len < 4, "{len}: {error}");
                    assert!(matches!(
                        error,
                        CaptureError::Empty | CaptureError::NotACapture { .. }
                    ));
                }
            }
        }
        assert!(ends >= records(&file).len() - 1);
    }
}

#[test]
fn a_capture_with_wrong_bytes_never_brings_the_reader_down() {
    let file = session(endpoints());
    let files = [
        pcap(&records(&file), false, false),
        big_endian_section(&records(&file), 6, 1_000_000),
        file,
    ];
    let mut state = 1u32;
    let mut draw = |below: usize| {
        // Numerical Recipes' generator: any would do.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for round in 0..1_500 {
        let mut bytes = files[round % files.len()].clone();
        for _ in 0..=draw(4) {
            let at = draw(bytes.len());
            bytes[at] = draw(256) as u8;
        }
        let _ = read(&bytes);
    }
}

#[test]
fn a_damaged_block_ends_the_transcript_and_not_the_reading_of_what_was_before() {
    let mut file = session(endpoints());
    let third_block = 28 + 32;
    let len = u32::from_le_bytes(file[third_block + 4..third_block + 8].try_into().unwrap());
    let fourth = third_block + len as usize;
    file[fourth + 4..fourth + 8].copy_from_slice(&7u32.to_le_bytes());
    let transcript = read(&file).unwrap();
    let truncated = transcript.truncated.unwrap();
    assert_eq!(
        (truncated.offset, truncated.after_record),
        (fourth as u64, 1)
    );
    assert_eq!(
        truncated.to_string(),
        format!(
            "the capture is readable only up to file offset {fourth}, after packet 1: \
             the next block is damaged, its length must be a multiple of 4, 12 or more"
        )
    );
}

#[test]
fn a_huge_length_is_refused_before_memory_is_taken() {
    let mut file = pcap(&records(&session(endpoints())), false, false);
    file[24 + 8..24 + 12].copy_from_slice(&0x7FFF_FFFFu32.to_le_bytes());
    assert_eq!(
        read(&file).unwrap_err().to_string(),
        "a packet at file offset 24, after packet 0, is 2147483663 bytes long, \
         the limit is 4194304: the file is damaged from there on"
    );
}

#[test]
fn what_is_no_capture_is_told_with_the_next_step() {
    let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(
        message(b""),
        "the capture is empty (0 bytes): record again, or check the path"
    );
    assert_eq!(
        message(b"version: 1\nabout: a scenario\n"),
        "not a capture: the file starts with the text \"version:\"…, wanted pcap, pcapng or a log of candump; \
         a bare byte stream is read with `--raw to-device` or `--raw to-tool`"
    );
    assert_eq!(
        message(b"\x02\x01"),
        "not a capture: the file starts with the bytes 02 01, wanted pcap, pcapng or a log of candump; \
         a bare byte stream is read with `--raw to-device` or `--raw to-tool`"
    );
    assert_eq!(
        message(b"\x1F\x8B\x08\0\0\0"),
        "nothing of the compressed capture can be unpacked: the compressed data are cut off; \
         try `gzip -t` on it"
    );
    assert!(message(b"\x28\xB5\x2F\xFD\0\0").contains("unpack it first"));
}

#[test]
fn no_secret_of_a_bare_stream_is_quoted() {
    let message = read(common::LOGIN).unwrap_err().to_string();
    assert!(
        message.contains("VESCTOOL") && !message.contains("demo"),
        "{message}"
    );
}

#[test]
fn a_reader_that_gives_one_byte_at_a_time_gives_the_same_records() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let count = out.len().min(1).min(self.0.len());
            let (now, later) = self.0.split_at(count);
            out[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }
    let file = session(endpoints());
    let slowly: Result<Vec<_>, _> = Records::new(Slow(&file)).unwrap().collect();
    assert_eq!(slowly.unwrap(), records(&file));
}

#[test]
fn a_reader_that_fails_is_an_error_with_the_place() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let error = Transcript::from_capture(Broken, &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the capture at file offset 0: the disk is gone"
    );
}

#[test]
fn a_snap_length_is_noticed_and_what_it_cut_is_a_gap() {
    let mut all = records(&session(endpoints()));
    for record in &mut all {
        record.data.truncate(100);
    }
    let transcript = read(&pcap(&all, false, true)).unwrap();
    let notices: Vec<_> = transcript
        .entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            Kind::Notice(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        notices,
        [
            "6 packets cut short by the snap length (first: packet 14); \
          record with `-s 0` to keep all bytes"
        ]
    );
    // 54 bytes of headers: five BMS replies and the long text were longer.
    assert_eq!(
        transcript.count().missing_bytes,
        5 * (54 + 63 - 100) + (54 + 307 - 100)
    );
}
