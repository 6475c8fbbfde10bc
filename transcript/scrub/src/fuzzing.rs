//! Body of a fuzz target: whatever a capture holds, scrubbing it twice is scrubbing it once, and no secret is left.
//!
//! An input is a capture file, as it is. It is scrubbed, and so are its packets together with those of a session in which
//! an id, a password and other secrets stand in many forms, between bytes of the input.

use veschub_transcript::Side::{Initiator, Responder};
use veschub_transcript::read::pcap::{Record, Records};
use veschub_transcript::write::{Endpoints, SessionWriter};
use veschub_transcript::{CaptureError, Kind, Options, Transcript};
use veschub_wire::command::{CustomConfig, ExpressConfig};
use veschub_wire::{CommandId, Reply, Request, encode};
use veschub_wire::{fuzzing::Target, view::hex};

use crate::error::ScrubError;
use crate::file::Form;
use crate::settle::{audit, scrub};
use crate::work::Keep;
use crate::zlib;

/// The targets of this crate, and what each does with an input.
pub const TARGETS: &[Target] = &[("scrub", scrub_capture)];

const ID: &str = "Bike-4711";
const PASSWORD: &str = "hunter2-hunter2";
const KEY: &str = "correct horse";
/// More packets say nothing new.
const MOST: usize = 500;
/// So many bytes of the input stand beside a secret.
const BESIDE: usize = 6;
/// The longest XML that a reply takes part of.
const XML_PART: usize = 400;

/// Scrubs a capture and checks everything that must hold for any bytes.
///
/// # Panics
/// If something does not hold.
pub fn scrub_capture(data: &[u8]) {
    settled(data);
    let Ok(mut records) = planted(data) else {
        return;
    };
    if let Ok(reader) = Records::new(data) {
        records.extend(reader.map_while(Result::ok).take(MOST));
    }
    let Some(file) = (Form::PcapNg { big: false }).write(&records) else {
        return;
    };
    if let Some(new) = settled(&file) {
        assert_nothing_left(&new);
    }
}

/// The file, scrubbed; scrubbing it again changes nothing.
fn settled(file: &[u8]) -> Option<Vec<u8>> {
    for keep in [true, false] {
        let keep = Keep {
            noise: keep,
            unknown: keep,
        };
        let new = match scrub(file, keep) {
            Ok(new) => new.file,
            Err(ScrubError::Lost(why)) => unreachable!("{why}"),
            Err(_) => return None,
        };
        let again = scrub(new.as_slice(), keep).map(|again| again.file);
        assert!(again.is_ok_and(|again| again == new), "again is another");
        if !keep.noise {
            let report = audit(new.as_slice());
            assert!(report.is_ok_and(|report| report.is_clean()), "not clean");
            return Some(new);
        }
    }
    None
}

/// The packets of a session with secrets in it.
fn planted(data: &[u8]) -> Result<Vec<Record>, CaptureError> {
    let io = |source| CaptureError::Io { offset: 0, source };
    let ends = Endpoints {
        mss: u16::from(data.first().copied().unwrap_or(99)) + 1,
        ..Endpoints::new(
            std::net::SocketAddrV4::new([192, 168, 178, 21].into(), 40_000),
            std::net::SocketAddrV4::new([10, 8, 0, 7].into(), 65_101),
        )
    };
    let mut session =
        SessionWriter::new(Vec::new(), ends, 1_700_000_000_000_000_000).map_err(io)?;
    session.open(0).map_err(io)?;
    for (at, (side, bytes)) in said(data).into_iter().enumerate() {
        session
            .data(at as u64 * 1_000_000, side, &bytes)
            .map_err(io)?;
    }
    let file = session.finish().map_err(io)?;
    Records::new(file.as_slice())?.collect()
}

/// What is said in it.
fn said(data: &[u8]) -> Vec<(veschub_transcript::Side, Vec<u8>)> {
    let config = ExpressConfig {
        station_key: KEY.into(),
        hub_id: ID.into(),
        hub_password: PASSWORD.into(),
        ..ExpressConfig::default()
    };
    let config = Reply::CustomConfig(CustomConfig {
        index: 0,
        signature: 1,
        data: config.pack(),
    });
    let frame = |payload: &[u8]| encode(payload).unwrap_or_default();
    let login = format!("VESCTOOL:{ID}:{PASSWORD}\n").into_bytes();
    let mut said = vec![
        (Initiator, login),
        (Initiator, frame(&[CommandId::FW_VERSION.0])),
        (Responder, frame(&config.encode())),
    ];
    let xml = xml();
    for (index, part) in xml.chunks(XML_PART).enumerate() {
        let mut reply = vec![CommandId::GET_CUSTOM_CONFIG_XML.0, 0];
        reply.extend((xml.len() as i32).to_be_bytes());
        reply.extend(((index * XML_PART) as i32).to_be_bytes());
        reply.extend(part);
        said.push((Responder, frame(&reply)));
    }
    let mut beside = data.chunks(BESIDE).cycle();
    for (index, form) in forms(&[ID, PASSWORD, KEY]).into_iter().enumerate() {
        let mut next = || beside.next().unwrap_or_default();
        let [before, behind] = [next(), next()].map(|bytes| {
            let bytes = bytes.iter().copied();
            // A digit would belong to the first or the last number of a list.
            bytes.filter(|byte| !form.ends_with(b"]") || !byte.is_ascii_digit())
        });
        let text: Vec<u8> = before.chain(form.iter().copied()).chain(behind).collect();
        let cut = usize::from(data.get(index).copied().unwrap_or(7)) % text.len();
        let (one, two) = text.split_at(cut);
        let whole = [&[CommandId::TERMINAL_CMD.0], &text[..]].concat();
        said.push((Initiator, frame(&whole)));
        for part in [one, two] {
            let print = [&[CommandId::PRINT.0], part].concat();
            said.push((Responder, frame(&print)));
            said.push((Responder, frame(&[CommandId::GET_DECODED_PPM.0; 9])));
        }
    }
    said.push((Initiator, frame(&Request::PingCan.encode())));
    said
}

fn xml() -> Vec<u8> {
    let text = format!(
        "<ConfigParams><Params><a_key><valString>{KEY}</valString></a_key>\
         <hub_password><valString>{PASSWORD}</valString></hub_password>\
         <note><description>{ID} or {}</description></note></Params></ConfigParams>",
        "a long text, as there are many. ".repeat(20)
    );
    zlib::pack_to(text.as_bytes(), 400).unwrap_or_default()
}

/// The ways in which these texts are looked for.
fn forms(texts: &[&str]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for text in texts {
        let bytes = text.as_bytes();
        let pairs: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
        let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
        forms.push(text.to_string());
        forms.push(text.to_uppercase());
        forms.push(text.to_lowercase());
        forms.push(hex(bytes));
        forms.push(pairs.join(":").to_uppercase());
        forms.push(pairs.join(" "));
        forms.push(format!("[{}]", numbers.join(" ")));
        forms.push(format!("[{}]", numbers.join(", ")));
        for before in ["", "a", "ab"] {
            forms.push(base64(format!("{before}{text}").as_bytes()));
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (0..(bytes.len() * 8).div_ceil(6))
        .map(|letter| (0..6).fold(0, |sum, at| sum << 1 | bit(letter * 6 + at)))
        .map(|value: u8| char::from(LETTERS[usize::from(value)]))
        .collect()
}

fn assert_nothing_left(file: &[u8]) {
    let mut texts = vec![file.to_vec()];
    let mut prints = Vec::new();
    if let Ok(transcript) = Transcript::from_capture(file, &Options::default()) {
        for entry in transcript.entries {
            match entry.kind {
                Kind::Frame(frame) if frame.command() == CommandId::PRINT => {
                    prints.extend_from_slice(&frame.payload[1..]);
                    texts.push(frame.payload);
                }
                Kind::Frame(frame) => texts.push(frame.payload),
                Kind::Noise(noise) => texts.push(noise.bytes),
                Kind::Login(login) => texts.push(login.raw.reveal().to_vec()),
                _ => {}
            }
        }
    }
    texts.push(prints);
    for form in forms(&[ID, PASSWORD, KEY]) {
        for text in &texts {
            let found = text.windows(form.len()).any(|part| part == form);
            assert!(!found, "{} is left", form.escape_ascii());
        }
    }
}
