//! Every seed and every input that once broke something, and the seeds that are made here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../../fuzz/kept.rs"]
mod kept;
#[path = "../../fuzz/replay.rs"]
mod replay;

use std::{fs, path::Path};

use veschub_wire::{CommandId, encode, from_hex_text, fuzzing};

#[test]
fn every_target_passes_its_seeds_and_regressions() {
    replay::replay(fuzzing::TARGETS);
}

/// The sample payloads by name.
fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut samples = Vec::new();
    for command in fs::read_dir(folder).unwrap() {
        let command = command.unwrap().path();
        for sample in fs::read_dir(&command).unwrap() {
            let path = sample.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let name = format!(
                "{}__{}",
                command.file_name().unwrap().to_string_lossy(),
                path.file_stem().unwrap().to_string_lossy()
            );
            samples.push((name, from_hex_text(&text).unwrap()));
        }
    }
    samples.sort();
    samples
}

#[test]
fn the_seeds_of_command_round_trip_are_the_samples_and_a_payload_for_every_other_command() {
    let mut seeds = samples();
    for id in 0..=u8::MAX {
        if !seeds
            .iter()
            .any(|(_, payload)| payload.first() == Some(&id))
        {
            seeds.push((format!("{}", CommandId(id)), vec![id, 1, 2, 3]));
        }
    }
    kept::assert_kept("seeds/command_round_trip", &seeds);
}

/// As the head of `bms.rs` lays it out.
fn pack(cells: i8, sensors: i8, end: u8, behind: &[u8]) -> Vec<u8> {
    let list = |count: i8| 0..usize::try_from(count).unwrap_or(0);
    let mut out = Vec::new();
    for number in [83_774_000_i32, 84_000_000, -12_500_000, 145_000, 0, -1] {
        out.extend(number.to_le_bytes());
    }
    out.push(cells.cast_unsigned());
    out.extend(list(cells).flat_map(|at| (4180 + at as i16).to_le_bytes()));
    out.extend(list(cells).map(|at| (at % 3) as u8));
    out.push(sensors.cast_unsigned());
    out.extend(list(sensors).flat_map(|at| (at as i16 * 100 - 1500).to_le_bytes()));
    for number in [4432_i16, 0, 4500, -28_100] {
        out.extend(number.to_le_bytes());
    }
    out.push(end);
    out.extend([999_i16, 1000].into_iter().flat_map(i16::to_le_bytes));
    out.push(255);
    out.extend(
        [0x42A7_8C4A_u32, 0, 0xBFC0_0000, 1]
            .into_iter()
            .flat_map(u32::to_le_bytes),
    );
    out.extend(10_132_i16.to_le_bytes());
    out.extend([1, 2, b'o', b'k']);
    out.extend(behind);
    out
}

#[test]
fn the_seeds_of_bms_reply_are_packs_that_end_where_firmware_ends() {
    let mut seeds = vec![
        ("no-pack".to_owned(), pack(0, 0, 6, b"")),
        ("50-cells".to_owned(), pack(50, 50, 6, b"")),
        ("127-cells".to_owned(), pack(127, 127, 6, b"")),
        ("negative-counts".to_owned(), pack(-1, -128, 6, b"")),
        ("bytes-behind-it".to_owned(), pack(3, 4, 6, b"newer")),
    ];
    seeds.extend((0..=6).map(|end| (format!("{end}-parts"), pack(20, 24, end, b""))));
    kept::assert_kept("seeds/bms_reply", &seeds);
}

#[test]
fn the_seeds_of_login_line_are_lines_that_the_protocol_page_speaks_of() {
    let lines: [(&str, &[u8]); 14] = [
        ("tool", b"VESCTOOL:demo-0001:not-a-secret\n"),
        ("device-with-nul", b"VESC:demo-0001:not-a-secret\n\0"),
        ("ping", b"PING:demo-0001:0\n"),
        ("lower-case-and-blanks", b"pi ng: my id 1 :Pass Word\n"),
        ("carriage-return", b"VESCTOOL:ABC:secret\r\n"),
        ("nul-in-the-line", b"VESC:ABC:secret\0:rest\n"),
        ("empty", b"\n"),
        ("two-parts", b"VESCTOOL:ABC\n"),
        ("four-parts", b"VESCTOOL:ABC:pass:word\n"),
        ("short-id", b"VESCTOOL:a b:x\n"),
        ("unknown-type", b"HTTP:ABC:x\n"),
        ("not-utf-8", b"VESC:a\xFFb\xC3\x28:\xE9\n"),
        ("grows-in-upper-case", "VESC:ßŉǅ𐐨:ß\n".as_bytes()),
        ("no-line-feed", b"VESCTOOL:demo-0001"),
    ];
    let seeds = lines.map(|(name, line)| (name.to_owned(), line.to_vec()));
    kept::assert_kept("seeds/login_line", &seeds);
}

/// The head of an input of `decoder_model`, as the head of `model.rs` lays it out.
fn stream(limit: u32, pieces: &[u16], parts: &[&[u8]]) -> Vec<u8> {
    let mut out = limit.to_le_bytes().to_vec();
    out.push(pieces.len() as u8);
    out.extend(pieces.iter().flat_map(|piece| piece.to_le_bytes()));
    out.extend(parts.concat());
    out
}

#[test]
fn the_seeds_of_decoder_model_have_every_part_and_limits_at_every_edge() {
    let raw = |bytes: &[u8]| [&[0, bytes.len() as u8], bytes].concat();
    let filled = |size: u32| [&[1][..], &((size - 1) as u16).to_le_bytes(), &[7]].concat();
    let (poll, long): (&[u8], &[u8]) = (&[2, 1, 0x60], &[3, 2, 0, 0]);
    let harmed = |at: u8, flip: u8| vec![4, 1, 0x60, at, 0, flip];
    let head = |start: u8, size: u32| [&[5, start - 2][..], &size.to_le_bytes()].concat();
    let nested = [&[2, 12][..], &encode(&[0x60]).unwrap(), &[0; 12]].concat();
    let polls = poll.repeat(40);
    let seeds = [
        ("polls", stream(512, &[], &[poll, poll])),
        (
            "byte-by-byte",
            stream(512, &[0], &[poll, &raw(b"\r\nnoise"), poll]),
        ),
        (
            "noise-of-512",
            stream(512, &[99], &[&raw(&[0; 255]).repeat(3), poll]),
        ),
        (
            "255-in-both-forms",
            stream(255, &[9], &[&filled(255), long]),
        ),
        (
            "254-in-long-form",
            stream(512, &[9], &[&raw(&[3, 0, 254]), &filled(254)]),
        ),
        (
            "above-the-limit",
            stream(512, &[200], &[&filled(513), poll]),
        ),
        (
            "at-the-limit",
            stream(512, &[200, 0], &[&filled(512), poll]),
        ),
        (
            "start-4",
            stream(70_000, &[65_535], &[&filled(65_536), poll]),
        ),
        (
            "start-4-not-known",
            stream(65_535, &[1000], &[&raw(&[4, 0, 255, 255]), poll]),
        ),
        ("bad-crc", stream(512, &[3], &[&harmed(3, 1), poll])),
        ("bad-stop-byte", stream(512, &[3], &[&harmed(5, 7), poll])),
        (
            "bad-length",
            stream(512, &[3], &[&harmed(1, 4), poll, poll]),
        ),
        (
            "nested-in-a-broken-frame",
            stream(512, &[2], &[&raw(&nested), poll]),
        ),
        (
            "head-that-waits",
            stream(512, &[5], &[&head(2, 200), &polls]),
        ),
        (
            "head-of-a-long-one",
            stream(10_000, &[5], &[&head(3, 0x0201), &polls]),
        ),
        ("limit-0", stream(0, &[0], &[poll])),
        (
            "largest-limit",
            stream(u32::MAX, &[0], &[&head(4, 0xFF_FFFF), poll]),
        ),
        (
            "ends-with-hidden-frames",
            stream(
                512,
                &[7],
                &[&raw(b"xx"), &head(3, 300), poll, &raw(b"y"), poll],
            ),
        ),
    ];
    let seeds = seeds.map(|(name, bytes)| (name.to_owned(), bytes));
    kept::assert_kept("seeds/decoder_model", &seeds);
}
