//! What a capture file may hold besides the plain case: compression, rare blocks, datagrams, fragments, tags, and
//! more connections than one.

mod common;

use std::io::Write;

use common::{big_endian_section, endpoints, frame, pcap, read, records, session};
use etherparse::PacketBuilder;
use flate2::{Compression, write::GzEncoder};
use veschub_transcript::read::link::LinkType;
use veschub_transcript::read::pcap::{Record, Records};
use veschub_transcript::{CaptureError, Choice, Kind, Options, Transcript};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn notices(transcript: &Transcript) -> Vec<&str> {
    let notices = transcript
        .entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            Kind::Notice(text) => Some(text.as_str()),
            _ => None,
        });
    notices.collect()
}

fn block(kind: u32, big_endian: bool, body: &[u8]) -> Vec<u8> {
    let number = |value: u32| match big_endian {
        true => value.to_be_bytes(),
        false => value.to_le_bytes(),
    };
    let padded = body.len().next_multiple_of(4);
    let len = number(padded as u32 + 12);
    let mut out = [&number(kind)[..], &len, body].concat();
    out.resize(8 + padded, 0);
    out.extend(len);
    out
}

/// An Ethernet packet with a UDP datagram.
fn datagram(number: u64, at_ns: u64, payload: &[u8]) -> Record {
    let builder = PacketBuilder::ethernet2([2; 6], [0xFF; 6])
        .ipv4([192, 0, 2, 7], [192, 0, 2, 255], 64)
        .udp(50_000, 65_109);
    let mut data = Vec::new();
    builder.write(&mut data, payload).expect("memory takes all");
    Record {
        number,
        at_ns,
        link: LinkType::ETHERNET,
        original_len: data.len() as u32,
        data,
    }
}

#[test]
fn a_compressed_capture_reads_the_same() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    assert_eq!(read(&gzip(&file)).unwrap(), wanted);
    assert_eq!(
        read(&gzip(&pcap(&records(&file), true, true))).unwrap(),
        wanted
    );
}

#[test]
fn several_compressed_pieces_are_one_file() {
    let file = session(endpoints());
    let wanted = read(&file).unwrap();
    for at in [1, 10, file.len() / 2, file.len() - 1] {
        let (first, second) = file.split_at(at);
        let joined = [gzip(first), gzip(b""), gzip(second)].concat();
        assert_eq!(read(&joined).unwrap(), wanted, "cut at {at}");
    }
}

#[test]
fn a_compressed_capture_that_is_cut_off_anywhere_gives_what_was_readable() {
    let file = session(endpoints());
    // Without compression, so that the whole of what was written can be unpacked.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&file).unwrap();
    let packed = encoder.finish().unwrap();
    let mut frames = 0;
    for len in 2..packed.len() {
        match read(&packed[..len]) {
            Ok(part) => {
                let truncated = part.truncated.as_ref().expect("cut off and not said");
                assert_eq!(truncated.cause, "the compressed data are cut off");
                assert!(truncated.unpacked && truncated.to_string().contains("(unpacked)"));
                frames = frames.max(part.count().frames);
            }
            Err(CaptureError::Gzip { cause }) => assert!(cause.contains("cut off")),
            Err(CaptureError::NotACapture { .. }) => assert!(len < 40),
            Err(error) => panic!("{len}: {error}"),
        }
    }
    assert_eq!(frames, read(&file).unwrap().count().frames);
}

#[test]
fn damaged_compression_says_so() {
    let file = session(endpoints());
    let mut packed = [gzip(&file), gzip(b"more")].concat();
    let first = gzip(&file).len();
    packed[first] = b'?';
    let transcript = read(&packed).unwrap();
    assert_eq!(
        transcript.truncated.unwrap().cause,
        "the compressed data are damaged"
    );
    assert_eq!(transcript.connections.len(), 1);
}

#[test]
fn packet_blocks_of_old_files_are_read_in_both_byte_orders() {
    let all = records(&session(endpoints()));
    let wanted = read(&session(endpoints())).unwrap();
    for big_endian in [false, true] {
        let number = |value: u32| match big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let short = |value: u16| match big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let head = [&number(0x1A2B_3C4D)[..], &short(1), &short(0), &[0xFF; 8]].concat();
        let mut file = block(0x0A0D_0D0A, big_endian, &head);
        // The second interface has the packets; its times are in nanoseconds.
        let interface = |link: u16, resolution: u8| {
            let option = [&short(9)[..], &short(1), &[resolution, 0, 0, 0], &[0; 4]].concat();
            let body = [&short(link)[..], &[0; 6], &option].concat();
            block(1, big_endian, &body)
        };
        file.extend(interface(105, 6));
        file.extend(interface(1, 9));
        for record in &all {
            let body = [
                &short(1)[..],
                // Packets that were dropped before this one.
                &short(77),
                &number((record.at_ns >> 32) as u32),
                &number(record.at_ns as u32),
                &number(record.data.len() as u32),
                &number(record.original_len),
                &record.data,
            ];
            file.extend(block(2, big_endian, &body.concat()));
        }
        assert_eq!(read(&file).unwrap(), wanted, "big endian {big_endian}");
    }
}

#[test]
fn simple_packet_blocks_have_no_time_and_the_transcript_says_so() {
    let all = records(&session(endpoints()));
    let mut file = session(endpoints())[..60].to_vec();
    for record in &all {
        let body = [&record.original_len.to_le_bytes()[..], &record.data].concat();
        file.extend(block(3, false, &body));
    }
    let transcript = read(&file).unwrap();
    assert_eq!(
        common::said(&transcript),
        common::said(&read(&session(endpoints())).unwrap())
    );
    let [notice] = notices(&transcript)[..] else {
        panic!("{:?}", notices(&transcript));
    };
    let wanted = format!("{} packets without a time (first: packet 1)", all.len());
    assert!(notice.starts_with(&wanted), "{notice}");
}

#[test]
fn a_simple_packet_block_is_as_long_as_the_snap_length_says() {
    let all = records(&session(endpoints()));
    let mut file = session(endpoints())[..28].to_vec();
    file.extend(block(1, false, &[1, 0, 0, 0, 70, 0, 0, 0]));
    let body = [
        &all[3].original_len.to_le_bytes()[..],
        &all[3].data[..70],
        &[0; 2],
    ]
    .concat();
    file.extend(block(3, false, &body));
    let kept = records(&file);
    assert_eq!(kept[0].data, all[3].data[..70]);
    assert_eq!(kept[0].original_len, all[3].original_len);
}

#[test]
fn a_block_that_nobody_needs_may_be_longer_than_any_limit() {
    let file = session(endpoints());
    let (head, packets) = file.split_at(60);
    let huge = block(0x0BAD_0001, false, &vec![7; 9 << 20]);
    let joined = [head, &huge, packets].concat();
    assert_eq!(read(&joined).unwrap(), read(&file).unwrap());
}

#[test]
fn two_lengths_of_a_block_that_differ_are_damage() {
    let mut file = session(endpoints());
    let last = file.len() - 4;
    file[last] ^= 4;
    let truncated = read(&file).unwrap().truncated.unwrap();
    assert_eq!(
        truncated.cause,
        "the next block is damaged, its two lengths differ"
    );
}

#[test]
fn the_old_pcap_variant_with_longer_packet_headers_is_read() {
    let all = records(&session(endpoints()));
    for big_endian in [false, true] {
        let plain = pcap(&all, big_endian, false);
        let magic = 0xA1B2_CD34_u32;
        let magic = match big_endian {
            true => magic.to_be_bytes(),
            false => magic.to_le_bytes(),
        };
        let mut file = [&magic[..], &plain[4..24]].concat();
        let mut at = 24;
        for record in &all {
            file.extend_from_slice(&plain[at..at + 16]);
            file.extend_from_slice(&[9; 8]);
            file.extend_from_slice(&record.data);
            at += 16 + record.data.len();
        }
        assert_eq!(read(&file).unwrap(), read(&session(endpoints())).unwrap());
    }
}

#[test]
fn fragments_are_left_out_with_the_place_and_the_number() {
    let mut all = records(&session(endpoints()));
    for index in [5, 6] {
        // "More fragments", in the IPv4 header behind 14 bytes of Ethernet.
        all[index].data[14 + 6] = 0x20;
    }
    let transcript = read(&pcap(&all, false, true)).unwrap();
    assert_eq!(
        notices(&transcript),
        ["2 packets left out: IP fragments are not put together \
             (first: packet 6, 192.0.2.10 -> 198.51.100.20)"]
    );
}

#[test]
fn discovery_datagrams_are_entries_of_their_own() {
    let mut all = records(&session(endpoints()));
    let text = b"VESC abc::192.0.2.7::65102\0";
    all.insert(4, datagram(0, all[4].at_ns, text));
    all.push(datagram(0, common::START_NS + 5_000_000_000, text));
    all.push(datagram(
        0,
        common::START_NS + 6_000_000_000,
        b"something else",
    ));
    let transcript = read(&pcap(&all, false, true)).unwrap();
    let found: Vec<_> = transcript
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Discovery(_)))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].connection, found[1].direction), (0, None));
    assert_eq!(found[1].at_ns, Some(5_000_000_000));
    let line = veschub_transcript::render::json_line(found[1], false);
    assert_eq!(
        line,
        r#"{"at":5.0,"kind":"discovery","fields":{"name":"VESC abc","listens":"192.0.2.7:65102","from":"192.0.2.7:50000","to":"192.0.2.255:65109"}}"#
    );
    assert!(notices(&transcript).is_empty());
}

/// Two sessions at once and a stranger; the second session talks on another port.
fn three_connections() -> Vec<u8> {
    let mut other = endpoints();
    other.initiator.set_port(40_001);
    other.responder.set_port(7_000);
    let mut all = records(&session(endpoints()));
    all.extend(records(&session(other)));
    let stranger = PacketBuilder::ethernet2([2; 6], [2; 6])
        .ipv4([192, 0, 2, 9], [192, 0, 2, 8], 64)
        .tcp(5_555, 443, 1, 1_000);
    let mut data = Vec::new();
    stranger
        .write(&mut data, b"neither login nor frame")
        .expect("memory takes all");
    all.push(Record {
        number: 0,
        at_ns: common::START_NS + 1,
        link: LinkType::ETHERNET,
        original_len: data.len() as u32,
        data,
    });
    all.sort_by_key(|record| record.at_ns);
    pcap(&all, false, true)
}

fn chosen(choice: Choice) -> Transcript {
    let options = Options {
        choice,
        ..Options::default()
    };
    Transcript::from_capture(&three_connections()[..], &options).expect("a capture")
}

#[test]
fn connections_are_found_by_content_and_numbered_as_they_came() {
    let transcript = chosen(Choice::ByContent);
    let numbers = transcript.connections.iter().map(|found| found.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        notices(&transcript),
        ["1 connection left out, without a login or a frame: \
             #3 192.0.2.9:5555 - 192.0.2.8:443 (23 bytes)"]
    );
}

#[test]
fn a_port_or_a_number_chooses_whatever_the_contents_are() {
    let by_port = chosen(Choice::Port(7_000));
    let by_number = chosen(Choice::Connection(2));
    assert_eq!(by_port, by_number);
    assert_eq!(by_port.connections.len(), 1);
    assert_eq!(by_port.connections[0].device.port(), 7_000);
    assert_eq!(by_port.count().frames, 16);
    assert!(notices(&by_port).is_empty());

    let stranger = chosen(Choice::Port(443));
    assert_eq!(stranger.connections[0].tool.port(), 5_555);
    assert_eq!(stranger.count().noise_bytes, 23);
    assert_eq!(stranger, chosen(Choice::Connection(3)));
    assert!(chosen(Choice::Port(1)).entries.is_empty());
}

#[test]
fn a_chosen_connection_with_a_device_login_still_has_its_roles_from_the_login() {
    let mut all = records(&session(endpoints()));
    for record in &mut all {
        let at = record.data.windows(9).position(|text| text == b"VESCTOOL:");
        if let Some(at) = at {
            record.data[at..at + 9].copy_from_slice(b"    VESC:");
        }
    }
    let options = Options {
        choice: Choice::Port(65_101),
        ..Options::default()
    };
    let file = pcap(&all, false, true);
    let transcript = Transcript::from_capture(&file[..], &options).unwrap();
    assert_eq!(transcript.connections[0].device.port(), 40_000);
    assert!(transcript.connections[0].by_login);
}

#[test]
fn changed_bytes_that_are_sent_again_are_reported_and_the_first_ones_count() {
    let mut all = records(&session(endpoints()));
    let wanted = common::said(&read(&pcap(&all, false, true)).unwrap());
    let at = all
        .iter()
        .position(|record| record.data.ends_with(&frame(&[0])))
        .unwrap();
    let mut again = all[at].clone();
    let last = again.data.len() - 1;
    again.data[last] = 9;
    all.insert(at + 1, again);
    let transcript = read(&pcap(&all, false, true)).unwrap();
    assert_eq!(common::said(&transcript), wanted);
    let repeated = transcript
        .entries
        .iter()
        .find(|entry| matches!(entry.kind, Kind::Repeated { .. }));
    assert_eq!(
        repeated.unwrap().kind,
        Kind::Repeated {
            len: 6,
            differing: 1
        }
    );
}

#[test]
fn a_reader_gives_records_one_by_one_without_copies() {
    let file = big_endian_section(&records(&session(endpoints())), 9, 1_000_000_000);
    let mut reader = Records::new(&file[..]).unwrap();
    let mut kept = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        kept.push(record.to_record());
    }
    assert_eq!(kept, records(&file));
    assert_eq!(reader.given(), kept.len() as u64);
}
