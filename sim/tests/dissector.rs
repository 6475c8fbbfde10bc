//! The Wireshark dissector says what our own decoder says, of every capture and of sessions made for it.
//!
//! Needs `tshark`. Without it the tests are skipped, or fail if `VESCHUB_NEED_TSHARK` is set; only then all are run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rand::{RngExt, SeedableRng};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use veschub_drive::discovery::{DISCOVERY_PORT, datagram};
use veschub_hub::rng::Rng;
use veschub_transcript::{
    Direction, Entry, Kind, Options, Side, Transcript,
    write::{Endpoints, SessionWriter},
};
use veschub_wire::{
    CommandId, LoginKind, LoginLine, Reply, encode,
    view::{Fields, Value, hex},
};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

// ---------------------------------------------------------------------------------------------------
// tshark

/// Whether there is a tshark; says so loudly if not.
fn there_is_tshark() -> bool {
    let found = Command::new("tshark")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        assert!(
            env::var_os("VESCHUB_NEED_TSHARK").is_none(),
            "VESCHUB_NEED_TSHARK is set, and there is no tshark: install it (Debian: apt install tshark)"
        );
        eprintln!("SKIPPED: the Wireshark dissector was not tested, because there is no tshark");
    }
    found
}

/// Whether to run what takes a while; says so loudly if not.
fn is_wanted() -> bool {
    let wanted = env::var_os("VESCHUB_NEED_TSHARK").is_some();
    if !wanted {
        eprintln!("SKIPPED: set VESCHUB_NEED_TSHARK to test all of the Wireshark dissector");
    }
    wanted && there_is_tshark()
}

/// What tshark prints of a capture with the dissector, no settings of the user's in the way.
fn tshark(capture: &Path, args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let script = folder("../captures/wireshark/veschub.lua");
    let output = Command::new("tshark")
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .arg("-X")
        .arg(format!("lua_script:{}", script.display()))
        .arg("-n")
        .arg("-r")
        .arg(capture)
        .args(args)
        .output()
        .unwrap();
    let (out, talk) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}: {talk}", capture.display());
    for text in [&*out, &*talk] {
        let trouble = text.lines().find(|line| {
            line.contains("Lua Error")
                || line.contains("Lua: Error")
                || line.contains("_ws.lua.error")
        });
        assert_eq!(trouble, None, "{}", capture.display());
    }
    out
}

/// JSON as it stands: tshark repeats keys, and their order counts.
#[derive(Debug)]
enum Json {
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON without numbers")
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Text(String::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element()? {
                    list.push(element);
                }
                Ok(Json::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut object = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    object.push(entry);
                }
                Ok(Json::Object(object))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Json {
    fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Object(entries) => entries,
            other => panic!("not an object: {other:?}"),
        }
    }

    fn get(&self, key: &str) -> Option<&Self> {
        let mut entries = self.entries().iter();
        entries.find_map(|(name, value)| (name == key).then_some(value))
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All `vesc.` leaves at any depth.
    fn leaves(&self, out: &mut Told) {
        for (key, value) in self.entries() {
            match value {
                Self::Text(text) if key.starts_with("vesc.") => {
                    out.entry(key.clone()).or_default().push(text.clone());
                }
                Self::Object(_) => value.leaves(out),
                _ => {}
            }
        }
    }
}

/// Values by field, as tshark or as we tell them.
type Told<T = String> = BTreeMap<String, Vec<T>>;

/// One login, frame or piece of noise as tshark tells it.
#[derive(Debug)]
struct Shown {
    kind: String,
    to_device: bool,
    fields: Told,
    bytes: Vec<u8>,
    /// In which packet, and what the matching of replies says.
    packet: String,
    request_in: Option<String>,
    reply_in: Option<String>,
}

/// Who said it to whom.
type Way = (SocketAddr, SocketAddr);

/// What a capture holds, each direction of each connection in its order.
fn dissect(capture: &Path, args: &[&str]) -> BTreeMap<Way, Vec<Shown>> {
    let json = tshark(capture, &[&["-T", "json", "-Y", "vesc"], args].concat());
    let Json::List(packets) = serde_json::from_str(&json).unwrap() else {
        panic!("tshark's JSON is not a list");
    };
    let mut ways: BTreeMap<Way, Vec<Shown>> = BTreeMap::new();
    for packet in &packets {
        let layers = packet.get("_source").unwrap().get("layers").unwrap();
        let end = |ip: &str, port: &str| {
            let net = layers.get("ip").or_else(|| layers.get("ipv6")).unwrap();
            let address = net.text(&format!("ip.{ip}"));
            let address = address.or_else(|| net.text(&format!("ipv6.{ip}"))).unwrap();
            let port = layers
                .get("tcp")
                .unwrap()
                .text(&format!("tcp.{port}"))
                .unwrap();
            SocketAddr::new(address.parse().unwrap(), port.parse().unwrap())
        };
        let way = (end("src", "srcport"), end("dst", "dstport"));
        let number = layers.get("frame").unwrap().text("frame.number").unwrap();
        for (layer, told) in layers.entries() {
            if layer == "vesc" {
                ways.entry(way).or_default().push(shown(told, number));
            }
        }
    }
    ways
}

fn shown(layer: &Json, packet: &str) -> Shown {
    let mut fields = Told::new();
    layer.leaves(&mut fields);
    fields.retain(|name, _| {
        !["vesc.bad_crc", "vesc.is_", "vesc.has_"]
            .iter()
            .any(|expert| name.starts_with(expert))
    });
    let mut take = |name: &str| Some(fields.remove(&format!("vesc.{name}"))?.remove(0));
    let kind = take("kind").unwrap();
    let direction = take("direction").unwrap();
    let bytes = take("noise")
        .map(|bytes| from_hex(&bytes))
        .unwrap_or_default();
    let (request_in, reply_in) = (take("request_in"), take("reply_in"));
    for name in ["stop", "crc", "latency", "noise.length"] {
        take(name);
    }
    Shown {
        kind,
        to_device: direction == "to-device",
        fields,
        bytes,
        packet: packet.to_owned(),
        request_in,
        reply_in,
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.replace(':', "");
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

// ---------------------------------------------------------------------------------------------------
// Our own decoder, told under Wireshark's names

/// `vesc.` and the command in lower case, without the verb and without what asks for less of it.
fn family(command: CommandId) -> String {
    let name = command.to_string().to_lowercase();
    if name.starts_with("bms_") {
        return "bms".to_owned();
    }
    let name = name
        .strip_prefix("get_")
        .or_else(|| name.strip_prefix("set_"))
        .unwrap_or(&name);
    let name = name.strip_suffix("_selective").unwrap_or(name);
    name.strip_suffix("_default").unwrap_or(name).to_owned()
}

fn tell(family: &str, fields: &Fields, out: &mut Told<Value>) {
    for (name, value) in fields.iter() {
        let path = match name {
            // What VESC Tool does is no part of the dissection.
            "note" => continue,
            "arguments" | "trailing" | "undecoded" | "not_there" => format!("vesc.{name}"),
            _ => format!("vesc.{family}.{name}"),
        };
        let mut push = |value: &Value| out.entry(path.clone()).or_default().push(value.clone());
        match value {
            // Nothing to point at.
            Value::Bytes(bytes) if bytes.is_empty() => {}
            Value::List(values) => values.iter().for_each(push),
            Value::Masked => {
                let secrets = out.entry("vesc.masked".to_owned()).or_default();
                secrets.push(Value::Text(name.to_owned()));
            }
            Value::Fields(inner) if name == "fields" => {
                let Some(Value::Text(command)) = fields.get("command") else {
                    panic!("fields of no command: {fields}");
                };
                tell(&self::family(command.parse().unwrap()), inner, out);
            }
            Value::Fields(inner) => tell(&format!("{family}.{name}"), inner, out),
            value => push(value),
        }
    }
}

fn expected(entry: &Entry) -> Told<Value> {
    let mut out = Told::new();
    match entry.frame() {
        Some(frame) => {
            let number = |number: usize| vec![Value::Int(number as i64)];
            out.insert("vesc.command".into(), number(frame.command().0.into()));
            out.insert("vesc.start".into(), number(frame.start.into()));
            out.insert("vesc.length".into(), number(frame.payload.len()));
            tell(&family(frame.command()), &entry.fields(), &mut out);
        }
        None => tell("login", &entry.fields(), &mut out),
    }
    out
}

fn is_same(ours: &Value, theirs: &str) -> bool {
    match ours {
        Value::Bool(flag) => match theirs {
            "1" | "True" | "true" => *flag,
            "0" | "False" | "false" => !flag,
            _ => false,
        },
        Value::Int(number) => theirs.parse() == Ok(*number),
        // Wireshark prints 15 digits.
        Value::Number(number) => {
            let theirs: f64 = theirs.parse().unwrap();
            *number == theirs || (number - theirs).abs() <= number.abs() * 1e-14
        }
        // Wireshark ends a text at a NUL, so that the dissector shows it as a picture.
        Value::Text(text) => text.replace('\0', "␀") == theirs,
        Value::Bytes(bytes) => *bytes == from_hex(theirs),
        other => panic!("not a leaf: {other}"),
    }
}

fn is_same_told(ours: &Told<Value>, theirs: &Told) -> bool {
    let mut pairs = ours.iter().zip(theirs);
    ours.len() == theirs.len()
        && pairs.all(|((name, ours), (other, theirs))| {
            let mut values = ours.iter().zip(theirs);
            name == other
                && ours.len() == theirs.len()
                && values.all(|(ours, theirs)| is_same(ours, theirs))
        })
}

/// Compares everything that was said, in both directions; says how many frames there were.
fn compare(capture: &Path, args: &[&str]) -> usize {
    let file = fs::File::open(capture).unwrap();
    let transcript = Transcript::from_capture(file, &Options::default()).unwrap();
    let mut theirs = dissect(capture, args);
    let ways: BTreeSet<Way> = transcript
        .connections
        .iter()
        .flat_map(|ends| [(ends.tool, ends.device), (ends.device, ends.tool)])
        .collect();
    let mut frames = 0;
    for way in ways {
        let shown = theirs.remove(&way).unwrap_or_default();
        let mut shown = shown.iter().peekable();
        let mut noise = Vec::new();
        let mut late = false;
        let context = format!("{}: {} to {}", capture.display(), way.0, way.1);
        for entry in &transcript.entries {
            let ends = transcript
                .connections
                .iter()
                .find(|ends| ends.number == entry.connection);
            let to_device = entry.direction == Some(Direction::ToDevice);
            let from_here = ends.is_some_and(|ends| {
                entry.direction.is_some()
                    && way
                        == if to_device {
                            (ends.tool, ends.device)
                        } else {
                            (ends.device, ends.tool)
                        }
            });
            match &entry.kind {
                _ if !from_here || late => {}
                // Wireshark waits for the end of the false start before this one, and shows nothing from there on.
                Kind::Frame(frame) if frame.waits_for > 0 => late = true,
                // Noise is cut differently, and Wireshark shows a frame without an end as TCP's.
                Kind::Noise(told) => {
                    noise.extend(&told.bytes[..told.bytes.len() - told.unfinished])
                }
                Kind::Frame(_) | Kind::Login(_) => {
                    assert_eq!(
                        hex(&take_noise(&mut shown)),
                        hex(&std::mem::take(&mut noise)),
                        "{context}"
                    );
                    let Some(theirs) = shown.next() else {
                        panic!("{context}: not shown: {}", entry.fields());
                    };
                    let ours = expected(entry);
                    assert_eq!(theirs.kind, entry.kind_name(), "{context}");
                    assert_eq!(
                        theirs.to_device, to_device,
                        "{context}, packet {}",
                        theirs.packet
                    );
                    assert!(
                        is_same_told(&ours, &theirs.fields),
                        "{context}, packet {}:\nours   {ours:?}\ntheirs {:?}",
                        theirs.packet,
                        theirs.fields,
                    );
                    frames += usize::from(entry.frame().is_some());
                }
                _ => {}
            }
        }
        let shown_noise = take_noise(&mut shown);
        if late {
            assert!(noise.starts_with(&shown_noise), "{context}");
        } else {
            assert_eq!(hex(&shown_noise), hex(&noise), "{context}");
        }
        assert!(shown.next().is_none(), "{context}: shown and not heard");
    }
    assert!(
        theirs.is_empty(),
        "{}: {:?} is not ours",
        capture.display(),
        theirs.keys()
    );
    frames
}

fn take_noise<'a>(shown: &mut std::iter::Peekable<impl Iterator<Item = &'a Shown>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(noise) = shown.next_if(|shown| shown.kind == "noise") {
        bytes.extend(&noise.bytes);
    }
    bytes
}

// ---------------------------------------------------------------------------------------------------
// Secrets

/// The passwords and keys in a capture.
fn secrets(capture: &Path) -> BTreeSet<Vec<u8>> {
    let file = fs::File::open(capture).unwrap();
    let transcript = Transcript::from_capture(file, &Options::default()).unwrap();
    let mut secrets = BTreeSet::new();
    for login in transcript.logins() {
        secrets.insert(
            login
                .line
                .as_ref()
                .unwrap()
                .password
                .reveal()
                .as_bytes()
                .to_vec(),
        );
    }
    for entry in &transcript.entries {
        let Some(frame) = entry.frame() else { continue };
        let config = match Reply::decode(&frame.payload).map(|told| told.body) {
            Ok(Reply::CustomConfig(config)) if entry.direction == Some(Direction::ToTool) => config,
            _ => continue,
        };
        if let Some(config) = config.express() {
            for secret in [
                config.station_key,
                config.access_point_key,
                config.hub_password,
            ] {
                secrets.insert(secret.as_bytes().to_vec());
            }
        }
    }
    // Shorter ones stand in any text by chance.
    secrets.retain(|secret| secret.len() >= 4);
    secrets
}

/// Looks for secrets in everything that tshark can print, but for bytes that are not the dissector's.
fn assert_no_secret(capture: &Path) -> usize {
    let secrets = secrets(capture);
    let pdml = tshark(capture, &["-T", "pdml"]);
    let json = tshark(capture, &["-T", "json"]);
    let tree = tshark(capture, &["-V"]);
    let columns = tshark(capture, &[]);
    // Bytes of the dissector's own fields, in hex; those of TCP and of the file hold everything.
    let mut own = String::new();
    for layer in pdml.split("<proto name=\"vesc\"").skip(1) {
        own.push_str(layer.split("</proto>").next().unwrap());
    }
    assert!(
        own.contains("vesc."),
        "{}: nothing dissected",
        capture.display()
    );
    for secret in &secrets {
        let text = String::from_utf8_lossy(secret);
        for (what, output) in [
            ("PDML", &pdml),
            ("JSON", &json),
            ("tree", &tree),
            ("columns", &columns),
        ] {
            assert!(
                !output.contains(&*text),
                "{}: a secret in the {what}",
                capture.display()
            );
        }
        assert!(
            !own.contains(&hex(secret)),
            "{}: a secret in hex",
            capture.display()
        );
    }
    secrets.len()
}

// ---------------------------------------------------------------------------------------------------
// Sessions to dissect

/// What is said, in order: who, and the bytes.
type Script = Vec<(Side, Vec<u8>)>;

fn write(path: &Path, script: &Script, port: u16, mss: u16) {
    let mut ends = Endpoints::new(
        "192.0.2.10:40000".parse().unwrap(),
        format!("198.51.100.20:{port}").parse().unwrap(),
    );
    ends.mss = mss;
    let mut session = SessionWriter::new(Vec::new(), ends, 1_700_000_000_000_000_000).unwrap();
    session.open(0).unwrap();
    let mut at = 0;
    for (side, bytes) in script {
        at += 10_000_000;
        session.data(at, *side, bytes).unwrap();
        session.ack(at, side.other()).unwrap();
    }
    session.close(at, Side::Initiator).unwrap();
    session.close(at, Side::Responder).unwrap();
    session.ack(at, Side::Initiator).unwrap();
    fs::write(path, session.finish().unwrap()).unwrap();
}

fn login() -> (Side, Vec<u8>) {
    let login = LoginLine::new(LoginKind::Tool, "demo-0001", "not-a-secret");
    (Side::Initiator, login.encode())
}

/// The sample payloads of the wire crate, with their directions.
fn samples() -> Vec<(Side, Vec<u8>)> {
    let mut samples = Vec::new();
    for command in fs::read_dir(folder("../wire/testdata")).unwrap() {
        for file in fs::read_dir(command.unwrap().path()).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            let side = match text.contains("# direction: to-device") {
                true => Side::Initiator,
                false => Side::Responder,
            };
            let bytes = text
                .lines()
                .flat_map(|line| line.split('#').next().unwrap().split_whitespace());
            samples.push((
                side,
                bytes
                    .map(|byte| u8::from_str_radix(byte, 16).unwrap())
                    .collect(),
            ));
        }
    }
    samples.sort_by_key(|(side, payload): &(Side, Vec<u8>)| (*side as u8, payload.clone()));
    samples
}

/// Every sample, whole, cut short, with a byte too many and inside FORWARD_CAN.
fn sample_script() -> Script {
    let mut script = vec![login()];
    // The first frame tells who is who, at ports and without a login.
    script.push((Side::Initiator, encode(&[0]).unwrap()));
    for (side, payload) in samples() {
        // Of the long ones some places are enough.
        for len in (1..=payload.len()).filter(|len| *len < 70 || len % 7 == 0) {
            script.push((side, encode(&payload[..len]).unwrap()));
        }
        script.push((side, encode(&[&payload[..], &[7]].concat()).unwrap()));
        if side == Side::Initiator && payload.len() < 500 {
            script.push((side, encode(&[&[34, 84], &payload[..]].concat()).unwrap()));
            script.push((
                side,
                encode(&[&[34, 84, 34, 85], &payload[..]].concat()).unwrap(),
            ));
        }
    }
    script
}

/// Payloads of every `step`th command in both directions with any bytes, some noise, bad CRCs and long frames.
fn wild_script(seed: u64, step: usize) -> Script {
    let mut rng = Rng::seed_from_u64(seed);
    let mut script = vec![login(), (Side::Initiator, encode(&[0]).unwrap())];
    for id in (0..=255).step_by(step) {
        for side in [Side::Initiator, Side::Responder] {
            for most in [8, 100, 400] {
                let mut payload = vec![id];
                let len = rng.random_range(0..most);
                // Printable in texts: how others are escaped is Wireshark's affair.
                payload.extend((0..len).map(|_| match id {
                    20 | 21 | 135 | 138 => rng.random_range(b' '..=b'~'),
                    0 | 93..=96 | 102..=109 | 134 | 140..=144 | 147 if rng.random_bool(0.5) => {
                        rng.random_range(0..=b'~')
                    }
                    _ => rng.random(),
                }));
                let mut bytes = encode(&payload).unwrap();
                match rng.random_range(0..20) {
                    0 => bytes.insert(0, 3),
                    1 => *bytes.last_mut().unwrap() = 4,
                    2 => bytes.extend((0..rng.random_range(1..40)).map(|_| rng.random::<u8>())),
                    3 => {
                        let at = rng.random_range(0..bytes.len());
                        bytes[at] ^= 1 << rng.random_range(0..8);
                    }
                    _ => {}
                }
                script.push((side, bytes));
            }
        }
    }
    // What a false start makes a parser wait for.
    for side in [Side::Initiator, Side::Responder] {
        script.push((side, [0; 600].to_vec()));
        script.push((side, encode(&vec![21; 500]).unwrap()));
    }
    script
}

/// The same with everything that one side says in a row in one piece.
fn merged(script: &Script) -> Script {
    let mut merged: Script = Vec::new();
    for (side, bytes) in script {
        match merged.last_mut() {
            Some((last, together)) if last == side && together.len() < 4000 => {
                together.extend(bytes)
            }
            _ => merged.push((*side, bytes.clone())),
        }
    }
    merged
}

// ---------------------------------------------------------------------------------------------------

#[test]
fn every_capture_is_told_as_our_own_decoder_tells_it() {
    if !there_is_tshark() {
        return;
    }
    let mut folders = vec![folder("../captures")];
    folders.extend(env::var_os("VESCHUB_EXTRA_CAPTURES").map(PathBuf::from));
    let mut captures = 0;
    for path in folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
    {
        let path = path.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if matches!(ending, Some("pcap" | "pcapng")) {
            assert!(compare(&path, &[]) > 0, "{}: no frame", path.display());
            assert!(
                assert_no_secret(&path) > 0,
                "{}: no secret to look for",
                path.display()
            );
            captures += 1;
        }
    }
    assert!(captures > 0);
}

#[test]
fn samples_of_every_command_are_told_the_same_however_they_end_and_are_cut() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("samples.pcapng");
    write(&path, &merged(&sample_script()), 65101, 97);
    assert!(compare(&path, &[]) > 1000);
    assert!(assert_no_secret(&path) > 0);
}

#[test]
fn any_bytes_are_told_the_same_merged_or_split_at_every_byte() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wild.pcapng");
    for (seed, step, mss) in [(0, 3, 1460), (1, 20, 7), (2, 60, 1)] {
        let script = wild_script(seed, step);
        for script in [&script, &merged(&script)] {
            write(&path, script, 65101, mss);
            // Two passes, as in Wireshark's window; its first one knows less.
            for passes in [&[][..], &["-2"]] {
                let frames = compare(&path, passes);
                assert!(frames > 500 / step, "seed {seed}: {frames} frames");
            }
        }
    }
}

#[test]
fn a_capture_with_every_segment_split_is_told_the_same() {
    if !is_wanted() {
        return;
    }
    let file = fs::File::open(folder("../captures/vesctool-session-rebuilt.pcapng")).unwrap();
    let transcript = Transcript::from_capture(file, &Options::default()).unwrap();
    let mut script = Script::new();
    for entry in &transcript.entries {
        let bytes = match &entry.kind {
            Kind::Login(login) => login.raw.reveal().to_vec(),
            Kind::Frame(frame) => encode(&frame.payload).unwrap(),
            _ => continue,
        };
        let side = match entry.direction {
            Some(Direction::ToDevice) => Side::Initiator,
            _ => Side::Responder,
        };
        script.push((side, bytes));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("split.pcapng");
    for mss in [1, 50] {
        write(&path, &script, 65101, mss);
        assert_eq!(
            compare(&path, &[]),
            transcript.count().frames as usize,
            "mss {mss}"
        );
    }
    assert!(assert_no_secret(&path) > 0);
}

#[test]
fn every_command_has_our_name_for_it() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("names.pcapng");
    let requests = (0..=255).map(|id| (Side::Initiator, encode(&[id]).unwrap()));
    write(&path, &requests.collect(), 65101, 1460);
    let pdml = tshark(&path, &["-T", "pdml"]);
    let names = pdml.lines().filter_map(|line| {
        let told = line
            .split_once("name=\"vesc.command\" showname=\"command: ")?
            .1;
        Some(told.split('"').next().unwrap().to_owned())
    });
    let wanted = (0..=255).map(|id| match CommandId(id).name() {
        Some(name) => format!("{name} ({id})"),
        None => format!("Unknown ({id})"),
    });
    assert_eq!(names.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}

#[test]
fn a_session_is_found_at_any_port_and_its_sides_by_login_or_contents() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ports.pcapng");
    let talk = [
        (Side::Initiator, encode(&[0]).unwrap()),
        (Side::Responder, encode(b"\x00\x06\x05demo\0").unwrap()),
        (Side::Initiator, encode(&[34, 84, 96]).unwrap()),
        (Side::Responder, encode(&[62, 1, 2]).unwrap()),
    ];
    let to_hub = |kind| {
        let login = LoginLine::new(kind, "demo-0001", "not-a-secret");
        (Side::Initiator, login.encode())
    };
    // A device behind a hub is the one that calls.
    let called = talk
        .iter()
        .map(|(side, bytes)| (side.other(), bytes.clone()));
    for (port, script) in [
        (65102, talk.to_vec()),
        (4711, talk.to_vec()),
        (60_000, [&[to_hub(LoginKind::Tool)], &talk[..]].concat()),
        (
            50_123,
            [vec![to_hub(LoginKind::Device)], called.collect()].concat(),
        ),
        (
            65101,
            vec![
                to_hub(LoginKind::Ping),
                (Side::Responder, b"PONG\n".to_vec()),
            ],
        ),
        (
            65101,
            vec![(Side::Initiator, b"VESCTOOL:a:b:not-a-secret\n".to_vec())],
        ),
        (
            65101,
            vec![(Side::Initiator, b"vesc tool:a b:not-a-secret\n".to_vec())],
        ),
    ] {
        write(&path, &script, port, 20);
        compare(&path, &[]);
        let columns = tshark(&path, &[]);
        assert!(columns.contains(" VESC "), "{port}: {columns}");
        assert!(
            !columns.contains("not-a-secret") && !columns.contains("noise (2"),
            "{port}: {columns}"
        );
    }
    write(&path, &talk.to_vec(), 4711, 1460);
    let preference = [
        "-o",
        "vesc.tcp_ports:4000-5000",
        "--disable-heuristic",
        "vesc_tcp",
    ];
    assert_eq!(compare(&path, &preference), 4);
}

#[test]
fn a_bad_crc_is_told_and_what_follows_is_found() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crc.pcapng");
    let script = vec![
        login(),
        (
            Side::Initiator,
            b"\x02\x01\x60\x6C\xA7\x03\x02\x01\x60\x6C\xA6\x03".to_vec(),
        ),
    ];
    write(&path, &script, 65101, 1460);
    assert_eq!(compare(&path, &[]), 1);
    let tree = tshark(&path, &["-O", "vesc"]);
    assert!(
        tree.contains("CRC is 0x6ca7, 0x6ca6 would be right"),
        "{tree}"
    );
    assert_eq!(tshark(&path, &["-Y", "vesc.bad_crc"]).lines().count(), 1);
}

#[test]
fn replies_are_matched_to_their_requests() {
    if !is_wanted() {
        return;
    }
    // Two passes, or a request does not know of its reply yet.
    let ways = dissect(
        &folder("../captures/vesctool-session-rebuilt.pcapng"),
        &["-2"],
    );
    let all: Vec<&Shown> = ways
        .values()
        .flatten()
        .filter(|shown| shown.kind == "frame")
        .collect();
    let (requests, replies): (Vec<&Shown>, Vec<&Shown>) =
        all.iter().partition(|shown| shown.to_device);
    assert_eq!((requests.len(), replies.len()), (144, 144));
    for reply in &replies {
        let request = requests
            .iter()
            .find(|request| Some(&request.packet) == reply.request_in.as_ref());
        let request = request.unwrap_or_else(|| panic!("packet {}: no request", reply.packet));
        assert_eq!(request.reply_in.as_ref(), Some(&reply.packet));
        // A command inside FORWARD_CAN is answered bare.
        if request.fields["vesc.command"] != ["34"] {
            assert_eq!(request.fields["vesc.command"], reply.fields["vesc.command"]);
        }
    }
    let matched: BTreeSet<_> = replies.iter().map(|reply| &reply.request_in).collect();
    assert_eq!(matched.len(), 144);
}

#[test]
fn the_firmware_that_a_device_told_decides_how_its_values_are_read() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("firmware.pcapng");
    let values = |len: usize| [&[4][..], &vec![7; len - 1]].concat();
    let mut script = vec![login()];
    let mut say = |side: Side, payload: &[u8]| script.push((side, encode(payload).unwrap()));
    for version in [
        &[0, 2, 18][..],
        &[0, 3, 40],
        &[0, 3, 7],
        &[0, 3, 0],
        &[0, 255, 9],
        &[0, 6],
    ] {
        for node in [&[34, 84][..], &[34, 85], &[]] {
            say(Side::Initiator, &[node, &[0]].concat());
            say(Side::Responder, version);
            for len in [54, 56, 74] {
                say(Side::Initiator, &[node, &[4]].concat());
                say(Side::Responder, &values(len));
            }
            // Nobody asked.
            say(Side::Responder, &values(56));
        }
        say(Side::Initiator, &[34, 9, 4]);
        say(Side::Responder, &values(56));
    }
    write(&path, &script, 65101, 1460);
    for passes in [&[][..], &["-2"]] {
        assert!(compare(&path, passes) > 100);
    }
}

/// A capture of datagrams to a port: bare IPv4.
fn write_datagrams(path: &Path, port: u16, datagrams: &[&[u8]]) {
    let mut file = b"\xD4\xC3\xB2\xA1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x65\0\0\0".to_vec();
    for text in datagrams {
        let mut packet = b"\x45\0\0\0\0\0\0\0\x40\x11\0\0\xC0\0\x02\x01\xFF\xFF\xFF\xFF".to_vec();
        packet[2..4].copy_from_slice(&(28 + text.len() as u16).to_be_bytes());
        packet.extend(40_000_u16.to_be_bytes());
        packet.extend(port.to_be_bytes());
        packet.extend((8 + text.len() as u16).to_be_bytes());
        packet.extend([0; 2]);
        packet.extend(*text);
        file.extend([0; 8]);
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend(packet);
    }
    fs::write(path, file).unwrap();
}

#[test]
fn datagrams_tell_where_a_device_listens() {
    if !is_wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("discovery.pcap");
    let sent = datagram("demo-remote", Ipv4Addr::new(192, 0, 2, 7), 65102);
    write_datagrams(&path, DISCOVERY_PORT, &[&sent, b"none::of::ours"]);
    let fields = [
        "-T",
        "fields",
        "-e",
        "vesc.discovery.name",
        "-e",
        "vesc.discovery.address",
    ];
    let told = tshark(
        &path,
        &[
            &fields[..],
            &["-e", "vesc.discovery.port", "-e", "vesc.noise.length"],
        ]
        .concat(),
    );
    assert_eq!(told, "demo-rem\t192.0.2.7\t65102\t\n\t\t\t14\n");
    // Frames in datagrams, at ports of one's own.
    write_datagrams(&path, 4712, &[&encode(&[96]).unwrap(), b"\x02\x05\x00"]);
    let port = [
        "-o",
        "vesc.udp_ports:4712",
        "-T",
        "fields",
        "-e",
        "vesc.command",
        "-e",
        "vesc.unfinished",
    ];
    assert_eq!(tshark(&path, &port), "96\t\n\t3\n");
}

#[test]
fn the_readme_shows_what_one_sees() {
    if !is_wanted() {
        return;
    }
    let readme = fs::read_to_string(folder("../captures/wireshark/README.md")).unwrap();
    let capture = folder("../captures/vesctool-session-rebuilt.pcapng");
    let columns = tshark(&capture, &["-Y", "vesc"]);
    let (mut lines, mut filters) = (0, 0);
    for line in readme.lines() {
        if line.contains(" VESC ") && line.contains("192.0.2.33") {
            assert!(
                columns.lines().any(|other| other.trim() == line.trim()),
                "not printed: {line}"
            );
            lines += 1;
        }
        if let Some(filter) = line
            .strip_prefix("| `vesc")
            .and_then(|rest| rest.split('`').next())
        {
            let shown = format!("vesc{filter}");
            let found = tshark(&capture, &["-2", "-Y", &shown]);
            let is_right_at_once = tshark(&capture, &["-Y", &shown]) == found;
            assert_eq!(is_right_at_once, !line.contains("`-2`"), "{line}");
            // What the session does not have.
            let is_absent = [".noise", ".bad_crc"].contains(&filter) || filter.contains('!');
            assert_eq!(found.is_empty(), is_absent, "vesc{filter}");
            filters += 1;
        }
    }
    assert!(lines > 3 && filters > 3, "{lines} lines, {filters} filters");
}
