//! An outside witness: what tshark reads from a capture is what we read, and what we write, tshark and capinfos read
//! without complaint.
//!
//! Without the two programs these tests do nothing and say so; with VESCHUB_NEED_TSHARK set they fail instead.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use veschub_transcript::Side;
use veschub_transcript::Side::{Initiator, Responder};
use veschub_transcript::read::Stamp;
use veschub_transcript::read::link::{self, Inner};
use veschub_transcript::read::pcap::Records;
use veschub_transcript::read::segment::{self, Packet};
use veschub_transcript::read::tcp::{Event, EventKind, Reassembler};
use veschub_transcript::write::{Endpoints, SessionWriter};

/// Whether the programs are there.
fn witnesses() -> bool {
    let missing: Vec<&str> = ["tshark", "capinfos"]
        .into_iter()
        .filter(|program| Command::new(program).arg("--version").output().is_err())
        .collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(" and ");
    assert!(
        std::env::var_os("VESCHUB_NEED_TSHARK").is_none(),
        "VESCHUB_NEED_TSHARK is set and there is no {missing}"
    );
    eprintln!(
        "SKIPPED: no {missing} to compare with; install tshark, or set VESCHUB_NEED_TSHARK to insist"
    );
    false
}

/// What a program writes to stdout; it must end well and complain of nothing.
fn run(program: &str, args: &[&str], file: &Path) -> String {
    let output = Command::new(program)
        .args(args)
        .arg(file)
        .output()
        .expect("a program that was there before");
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints = complaints
        .lines()
        .filter(|line| !line.starts_with("Running as user \"root\"") && !line.is_empty());
    let complaints: Vec<&str> = complaints.collect();
    assert!(
        output.status.success() && complaints.is_empty(),
        "{program} about {}: {complaints:?}",
        file.display()
    );
    String::from_utf8(output.stdout).expect("text")
}

fn captures() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    let extra = std::env::var_os("VESCHUB_EXTRA_CAPTURES").map(PathBuf::from);
    let mut files = Vec::new();
    for folder in [Some(own), extra].into_iter().flatten() {
        let entries = fs::read_dir(folder).expect("a folder with captures");
        files.extend(entries.map(|entry| entry.expect("a readable folder").path()));
    }
    files.retain(|path| {
        path.extension()
            .is_some_and(|end| end == "pcap" || end == "pcapng")
    });
    files.sort();
    files
}

/// What each end of each connection sent.
type Streams = BTreeMap<(u32, SocketAddr), Vec<u8>>;

fn our_streams(file: &Path) -> Streams {
    let file = fs::File::open(file).expect("a readable file");
    let mut records = Records::new(file).expect("a capture");
    let mut tcp = Reassembler::new();
    let mut ends = BTreeMap::new();
    let mut streams = Streams::new();
    let mut hear = |event: Event<'_>| match event.kind {
        EventKind::Opened {
            initiator,
            responder,
            ..
        } => {
            ends.insert((event.connection, Initiator), initiator);
            ends.insert((event.connection, Responder), responder);
        }
        EventKind::Data { side, bytes, .. } => {
            let from = ends[&(event.connection, side)];
            let stream = streams.entry((event.connection, from)).or_default();
            stream.extend_from_slice(&bytes);
        }
        _ => {}
    };
    while let Some(record) = records.next_record().expect("a readable file") {
        let stamp = Stamp {
            record: record.number,
            at_ns: record.at_ns,
        };
        if let Inner::Ip(ip) = link::strip(record.link, record.data)
            && let Packet::Tcp(segment) = segment::parse(ip)
        {
            tcp.push(stamp, &segment, &mut hear);
        }
    }
    tcp.finish(&mut hear);
    streams
}

/// The same from `tshark -z follow`: two nodes, and lines of hex, those of the second node behind a tab.
fn their_streams(file: &Path, connections: u32) -> Streams {
    let mut streams = Streams::new();
    for number in 1..=connections {
        let follow = format!("follow,tcp,raw,{}", number - 1);
        let page = run("tshark", &["-q", "-z", &follow, "-r"], file);
        let mut nodes = Vec::new();
        for line in page.lines() {
            if let Some((_, node)) = line
                .strip_prefix("Node ")
                .and_then(|line| line.split_once(": "))
            {
                nodes.push(node.parse::<SocketAddr>().expect("an address"));
                continue;
            }
            let text = line.trim_start_matches('\t');
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            let node = nodes[usize::from(line.starts_with('\t'))];
            let stream = streams.entry((number, node)).or_default();
            stream.extend(
                (0..text.len()).step_by(2).map(|at| {
                    u8::from_str_radix(&text[at..at + 2], 16).expect("hex, as just seen")
                }),
            );
        }
    }
    streams
}

#[test]
fn streams_are_put_together_as_tshark_does() {
    if !witnesses() {
        return;
    }
    let files = captures();
    assert!(!files.is_empty());
    for file in files {
        let ours = our_streams(&file);
        let connections = ours.keys().map(|(number, _)| *number).max().unwrap_or(0);
        let theirs = their_streams(&file, connections);
        // Without the bytes, which may be somebody's.
        let lengths =
            |streams: &Streams| -> Vec<usize> { streams.values().map(Vec::len).collect() };
        assert_eq!(lengths(&ours), lengths(&theirs), "{}", file.display());
        assert!(ours == theirs, "{}: the bytes differ", file.display());
        assert!(lengths(&ours).iter().sum::<usize>() > 0);
    }
}

fn write(end: fn(&mut SessionWriter<Vec<u8>>) -> std::io::Result<()>, mss: u16) -> Vec<u8> {
    let ends = Endpoints {
        mss,
        initiator_seq: u32::MAX - 20,
        ..Endpoints::new(
            "192.0.2.10:40000".parse().expect("an address"),
            "198.51.100.20:65101".parse().expect("an address"),
        )
    };
    let write = || -> std::io::Result<Vec<u8>> {
        let mut session = SessionWriter::new(Vec::new(), ends, 1_700_000_000_000_000_000)?;
        session.open(0)?;
        for poll in 1..40 {
            let at = poll * 100_000_000;
            session.data(at, Initiator, b"\x02\x01\x60\x6C\xA6\x03")?;
            session.ack(at + 36_000_000, Responder)?;
            session.data(
                at + 90_000_000,
                Responder,
                &vec![poll as u8; 1 + 97 * poll as usize],
            )?;
            session.ack(at + 91_000_000, Initiator)?;
        }
        end(&mut session)?;
        session.finish()
    };
    write().expect("memory takes all")
}

fn closed(session: &mut SessionWriter<Vec<u8>>) -> std::io::Result<()> {
    let close = |session: &mut SessionWriter<Vec<u8>>, side: Side| {
        session.close(5_000_000_000, side)?;
        session.ack(5_000_000_000, side.other())
    };
    close(session, Initiator)?;
    close(session, Responder)
}

#[test]
fn what_we_write_is_read_without_complaint() {
    if !witnesses() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [
        ("whole", write(closed, 1460)),
        ("small-segments", write(closed, 100)),
        ("open-end", write(|_| Ok(()), 1460)),
        (
            "reset",
            write(|session| session.reset(5_000_000_000, Responder), 1460),
        ),
    ] {
        let file = folder.path().join(format!("{name}.pcapng"));
        fs::write(&file, &bytes).expect("a writable folder");
        run("capinfos", &[], &file);
        let checked = [
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
        ];
        let fields = [
            "-T",
            "fields",
            "-e",
            "ip.checksum.status",
            "-e",
            "tcp.checksum.status",
            "-r",
        ];
        let page = run("tshark", &[&checked[..], &fields].concat(), &file);
        assert!(page.lines().count() > 100);
        assert!(page.lines().all(|line| line == "1\t1"), "{name}: {page}");
        // A reset is worth a warning to tshark, whoever sends it.
        if name != "reset" {
            let experts = ["-q", "-z", "expert,warn", "-r"];
            let page = run("tshark", &[&checked[..], &experts].concat(), &file);
            assert_eq!(page.trim(), "", "{name}");
            // Lost, repeated or overtaken segments are only notes.
            let analysed = ["-Y", "tcp.analysis.flags", "-r"];
            assert_eq!(
                run("tshark", &[&checked[..], &analysed].concat(), &file),
                "",
                "{name}"
            );
        }
        assert!(our_streams(&file) == their_streams(&file, 1), "{name}");
    }
}
