//! The Wireshark dissector says what our own decoder says, of every capture and of sessions made for it.
//!
//! Needs `tshark`; without it the tests are skipped, or fail if `VESCHUB_NEED_TSHARK` is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use veschub_transcript::{
    Direction, Entry, Kind, Options, Transcript,
    tcp::Side,
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
            line.contains("Lua Error") || line.contains("Lua: Error") || line.contains("_ws.lua.error")
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
            let port = layers.get("tcp").unwrap().text(&format!("tcp.{port}")).unwrap();
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
    fields.retain(|name, _| !["vesc.bad_crc", "vesc.is_", "vesc.has_"].iter().any(|expert| name.starts_with(expert)));
    let mut take = |name: &str| Some(fields.remove(&format!("vesc.{name}"))?.remove(0));
    let kind = take("kind").unwrap();
    let direction = take("direction").unwrap();
    let bytes = take("noise").map(|bytes| from_hex(&bytes)).unwrap_or_default();
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
    let name = name.strip_prefix("get_").or_else(|| name.strip_prefix("set_")).unwrap_or(&name);
    let name = name.strip_suffix("_selective").unwrap_or(name);
    name.strip_suffix("_default").unwrap_or(name).to_owned()
}

fn tell(family: &str, fields: &Fields, out: &mut Told<Value>) {
    for (name, value) in fields.iter() {
        let path = match name {
            "arguments" | "trailing" | "undecoded" => format!("vesc.{name}"),
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
        Value::Text(text) => text == theirs,
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
        let context = format!("{}: {} to {}", capture.display(), way.0, way.1);
        for entry in &transcript.entries {
            let ends = transcript.connections.iter().find(|ends| ends.number == entry.connection);
            let to_device = entry.direction == Some(Direction::ToDevice);
            let from_here = ends.is_some_and(|ends| {
                entry.direction.is_some()
                    && way == if to_device { (ends.tool, ends.device) } else { (ends.device, ends.tool) }
            });
            match &entry.kind {
                _ if !from_here => {}
                // Noise is cut differently, and Wireshark shows a frame without an end as TCP's.
                Kind::Noise(told) => noise.extend(&told.bytes[..told.bytes.len() - told.unfinished]),
                Kind::Frame(_) | Kind::Login(_) => {
                    assert_eq!(hex(&take_noise(&mut shown)), hex(&std::mem::take(&mut noise)), "{context}");
                    let Some(theirs) = shown.next() else {
                        panic!("{context}: not shown: {}", entry.fields());
                    };
                    let ours = expected(entry);
                    assert_eq!(theirs.kind, entry.kind_name(), "{context}");
                    assert_eq!(theirs.to_device, to_device, "{context}, packet {}", theirs.packet);
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
        assert_eq!(hex(&take_noise(&mut shown)), hex(&noise), "{context}");
        assert!(shown.next().is_none(), "{context}: shown and not heard");
    }
    assert!(theirs.is_empty(), "{}: {:?} is not ours", capture.display(), theirs.keys());
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
        secrets.insert(login.line.as_ref().unwrap().password.reveal().as_bytes().to_vec());
    }
    for entry in &transcript.entries {
        let Some(frame) = entry.frame() else { continue };
        let config = match Reply::decode(&frame.payload).map(|told| told.body) {
            Ok(Reply::CustomConfig(config)) if entry.direction == Some(Direction::ToTool) => config,
            _ => continue,
        };
        if let Some(config) = config.express() {
            for secret in [config.station_key, config.access_point_key, config.hub_password] {
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
    assert!(own.contains("vesc."), "{}: nothing dissected", capture.display());
    for secret in &secrets {
        let text = String::from_utf8_lossy(secret);
        for (what, output) in [("PDML", &pdml), ("JSON", &json), ("tree", &tree), ("columns", &columns)] {
            assert!(!output.contains(&*text), "{}: a secret in the {what}", capture.display());
        }
        assert!(!own.contains(&hex(secret)), "{}: a secret in hex", capture.display());
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
            let bytes = text.lines().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
            samples.push((side, bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()));
        }
    }
    samples.sort_by_key(|(side, payload): &(Side, Vec<u8>)| (*side as u8, payload.clone()));
    samples
}

/// Every sample, whole and cut short at every place, and with a byte too many.
fn sample_script() -> Script {
    let mut script = vec![login()];
    // The first frame tells who is who, at ports and without a login.
    script.push((Side::Initiator, encode(&[0]).unwrap()));
    for (side, payload) in samples() {
        for len in 1..=payload.len() {
            script.push((side, encode(&payload[..len]).unwrap()));
        }
        script.push((side, encode(&[&payload[..], &[7]].concat()).unwrap()));
        if side == Side::Initiator && payload.len() < 500 {
            script.push((side, encode(&[&[34, 84], &payload[..]].concat()).unwrap()));
            script.push((side, encode(&[&[34, 84, 34, 85], &payload[..]].concat()).unwrap()));
        }
    }
    script
}

/// Payloads of every command in both directions with any bytes, some noise, bad CRCs and long frames.
fn wild_script(seed: u64) -> Script {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut script = vec![login(), (Side::Initiator, encode(&[0]).unwrap())];
    for id in 0..=255 {
        for side in [Side::Initiator, Side::Responder] {
            for most in [8, 100, 400] {
                let mut payload = vec![id];
                let len = rng.random_range(0..most);
                // Printable in texts: how others are escaped is Wireshark's affair.
                payload.extend((0..len).map(|_| match id {
                    20 | 21 => rng.random_range(b' '..=b'~'),
                    0 | 93..=96 if rng.random_bool(0.5) => rng.random_range(0..=b'~'),
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
            Some((last, together)) if last == side && together.len() < 4000 => together.extend(bytes),
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
    for path in folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
        let path = path.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if matches!(ending, Some("pcap" | "pcapng")) {
            assert!(compare(&path, &[]) > 0, "{}: no frame", path.display());
            assert!(assert_no_secret(&path) > 0, "{}: no secret to look for", path.display());
            captures += 1;
        }
    }
    assert!(captures > 0);
}

#[test]
fn samples_of_every_command_are_told_the_same_however_they_end_and_are_cut() {
    if !there_is_tshark() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("samples.pcapng");
    let script = sample_script();
    for (script, mss) in [(&script, 1460), (&merged(&script), 1460), (&merged(&script), 97)] {
        write(&path, script, 65101, mss);
        assert!(compare(&path, &[]) > 1000);
    }
    assert!(assert_no_secret(&path) > 0);
}

#[test]
fn any_bytes_are_told_the_same_split_at_every_byte_or_merged() {
    if !there_is_tshark() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wild.pcapng");
    for (seed, mss) in [(0, 1460), (1, 1460), (2, 64), (3, 7), (4, 1)] {
        let script = wild_script(seed);
        for script in [&script, &merged(&script)] {
            write(&path, script, 65101, mss);
            let frames = compare(&path, &[]);
            assert!(frames > 1000, "seed {seed}: {frames} frames");
        }
    }
}
