//! Where the secrets of a session are: the fields of login lines, payloads and discovery datagrams that hold them.
//!
//! A session that is written while it goes on ([`crate::live`]) is masked by this, and so is a capture that is scrubbed
//! afterwards.

mod free;
mod kinds;

use std::net::Ipv4Addr;
use std::ops::Range;

use veschub_wire::command::{CustomConfig, ExpressConfig, MotorConfig};
use veschub_wire::{CommandId, Reply, Request};

use crate::entry::{Direction, Kind};
use crate::listen::Heard;
pub use kinds::{Location, Secret, Unparsed};

/// Some bytes of a stream, and what was found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where in the stream.
    pub at: Range<u64>,
    /// What was found.
    pub what: Found,
}

/// What bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A field that holds a secret.
    Field(Secret, Location),
    /// Bytes that may hold a secret, because their content is not known.
    Unparsed(Unparsed),
    /// Bytes in which known secrets may stand.
    Search(Location),
    /// A part of the XML that describes a config.
    ConfigXml(ConfigXmlPart),
    /// A frame's payload, whose CRC follows; it comes after all else in the frame.
    Crc,
}

/// Which part of which XML it is. The whole is text with its size before it, as Qt's `qCompress` packs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigXmlPart {
    /// Which config, as the reply says.
    pub index: u8,
    /// Size of the whole, in bytes.
    pub total: u32,
    /// Where the part starts.
    pub offset: u32,
}

/// What is found in one direction of a session.
///
/// If the direction is only guessed, a frame that makes sense only in the other direction is read in that one.
#[must_use]
pub fn spans(heard: &[Heard<()>], direction: Direction, is_guessed: bool) -> Vec<Span> {
    let mut spans = Spans::default();
    for heard in heard {
        match &heard.kind {
            Kind::Login(login) => spans.login(heard.offset, login.raw.reveal()),
            Kind::Frame(frame) => {
                let at = heard.offset + u64::from(frame.start);
                let makes_sense = |way| is_understood(&frame.payload, way);
                let reverse = direction.reverse();
                let way = match is_guessed && !makes_sense(direction) && makes_sense(reverse) {
                    true => reverse,
                    false => direction,
                };
                match way {
                    Direction::ToDevice => spans.request(at, &frame.payload),
                    Direction::ToTool => spans.reply(at, &frame.payload),
                }
                let len = frame.payload.len();
                spans.push(at, 0..len, Found::Search(Location::Payload));
                spans.push(at, 0..len, Found::Crc);
            }
            // What a hub answers a PING with.
            Kind::Noise(noise) if matches!(noise.bytes.as_slice(), b"PONG\n" | b"NULL\n") => {}
            Kind::Noise(noise) => spans.noise(heard.offset, noise.bytes.len()),
            _ => {}
        }
    }
    spans.0
}

/// Where a login line holds its password, or bytes that may belong to it, whether a hub accepts the line or not.
#[must_use]
pub(crate) fn login_credentials(line: &[u8]) -> Vec<Range<usize>> {
    let mut spans = Spans::default();
    spans.login(0, line);
    let places = spans.credentials().into_iter();
    places.map(|(place, _)| place).collect()
}

/// How a credential is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    /// With a mask of one length, however long it is.
    Fixed,
    /// Byte by byte, as its length says nothing.
    SameLength,
}

/// Where a payload holds passwords, keys and pins, or a config that may hold some; and how to mask them.
#[must_use]
pub(crate) fn credentials(payload: &[u8], direction: Direction) -> Vec<(Range<usize>, Mask)> {
    if !may_have_credentials(payload) {
        return Vec::new();
    }
    if is_login(payload) {
        let places = login_credentials(payload).into_iter();
        return places.map(|place| (place, Mask::Fixed)).collect();
    }
    decoded_credentials(payload, direction)
}

/// Whether to look for credentials. Most frames are of other commands, and to decode each of them would be most of what
/// masking costs.
#[must_use]
pub(crate) fn may_have_credentials(payload: &[u8]) -> bool {
    let Some(&id) = payload.first() else {
        return false;
    };
    let id = CommandId(id);
    // Of a part of an XML, only one whose sizes make no sense is masked.
    may_hold_credentials(id) || id == CommandId::GET_CUSTOM_CONFIG_XML || is_login(payload)
}

/// Whether a client has put its login line into a frame.
fn is_login(payload: &[u8]) -> bool {
    payload.starts_with(b"VESC") && payload.contains(&b':')
}

fn decoded_credentials(payload: &[u8], direction: Direction) -> Vec<(Range<usize>, Mask)> {
    let mut spans = Spans::default();
    match direction {
        Direction::ToDevice => spans.request(0, payload),
        Direction::ToTool => spans.reply(0, payload),
    }
    spans.credentials()
}

/// Whether a frame that begins with this command may hold credentials.
#[must_use]
pub(crate) fn may_hold_credentials(command: CommandId) -> bool {
    matches!(
        command,
        CommandId::FORWARD_CAN
            | CommandId::GET_CUSTOM_CONFIG
            | CommandId::GET_CUSTOM_CONFIG_DEFAULT
            | CommandId::SET_CUSTOM_CONFIG
            | CommandId::SET_BLE_PIN
    )
}

fn is_understood(payload: &[u8], direction: Direction) -> bool {
    match direction {
        Direction::ToDevice => Request::decode(payload)
            .is_ok_and(|told| told.trailing.is_empty() && !matches!(told.body, Request::Other(_))),
        Direction::ToTool => Reply::decode(payload)
            .is_ok_and(|told| told.trailing.is_empty() && !matches!(told.body, Reply::Other(_))),
    }
}

/// What is found in a discovery datagram, `NAME::IP::PORT`; `None` if it is something else.
#[must_use]
pub fn discovery(datagram: &[u8]) -> Option<Vec<Span>> {
    let text = std::str::from_utf8(datagram).ok()?;
    let mut parts = text.trim_end_matches('\0').split("::");
    let (name, ip, port) = (parts.next()?, parts.next()?, parts.next()?);
    ip.parse::<Ipv4Addr>().ok()?;
    port.parse::<u16>().ok()?;
    if parts.next().is_some() {
        return None;
    }
    let mut spans = Spans::default();
    let field = |secret| Found::Field(secret, Location::Discovery);
    spans.push(0, 0..name.len(), field(Secret::DeviceName));
    let at = name.len() + 2;
    spans.push(0, at..at + ip.len(), field(Secret::Ip));
    Some(spans.0)
}

#[derive(Default)]
struct Spans(Vec<Span>);

impl Spans {
    fn push(&mut self, base: u64, at: Range<usize>, what: Found) {
        if !at.is_empty() {
            let at = base + at.start as u64..base + at.end as u64;
            self.0.push(Span { at, what });
        }
    }

    /// The passwords, keys and pins among them.
    fn credentials(self) -> Vec<(Range<usize>, Mask)> {
        let spans = self.0.into_iter().filter_map(|span| {
            let mask = match span.what {
                Found::Field(Secret::Password | Secret::NetworkKey, _) => Mask::Fixed,
                Found::Field(Secret::Pin, _)
                | Found::Unparsed(Unparsed::Config | Unparsed::Noise) => Mask::SameLength,
                _ => return None,
            };
            Some((span.at.start as usize..span.at.end as usize, mask))
        });
        spans.collect()
    }

    /// The line as it is, whether a hub takes it or not.
    fn login(&mut self, base: u64, line: &[u8]) {
        let end = line.iter().position(|&byte| byte == b'\n');
        let end = end.unwrap_or(line.len());
        let text_end = line[..end].iter().position(|&byte| byte == 0);
        let text_end = text_end.unwrap_or(end);
        let is_ping = line.to_ascii_uppercase().starts_with(b"PING");
        let mut at = 0;
        for (index, part) in line[..text_end].split(|&byte| byte == b':').enumerate() {
            // A carriage return that is taken for a part of the password.
            let part_end = at + part.strip_suffix(b"\r").unwrap_or(part).len();
            let what = match index {
                0 => None,
                1 => Some(Secret::LoginId),
                // The password of a ping is ignored, and this is what VESC Tool sends for it.
                _ if is_ping && part == b"0" => None,
                _ => Some(Secret::Password),
            };
            if let Some(what) = what {
                self.push(base, at..part_end, Found::Field(what, Location::Login));
            }
            at += part.len() + 1;
        }
        self.push(base, text_end..end, Found::Unparsed(Unparsed::Noise));
    }

    fn request(&mut self, mut base: u64, mut payload: &[u8]) {
        loop {
            let Ok(told) = Request::decode(payload) else {
                return self.push(base, 1..payload.len(), Found::Unparsed(Unparsed::Unknown));
            };
            match &told.body {
                // As deep as it goes.
                Request::ForwardCan { payload: inner, .. } => {
                    base += (payload.len() - inner.len()) as u64;
                    payload = &payload[payload.len() - inner.len()..];
                    if payload.is_empty() {
                        return;
                    }
                    continue;
                }
                Request::SetCustomConfig(config) => self.config(base, payload, config),
                Request::SetBleName { .. } => {
                    let found = Found::Field(Secret::DeviceName, Location::Payload);
                    self.push(base, 1..payload.len(), found);
                }
                Request::SetBlePin { .. } => {
                    let found = Found::Field(Secret::Pin, Location::Payload);
                    self.push(base, 1..payload.len(), found);
                }
                Request::SetAppconf(config) | Request::SetAppconfNoStore(config) => {
                    self.application(base, payload, config);
                }
                other if free::in_request(other) => {
                    self.push(base, 1..payload.len(), Found::Unparsed(Unparsed::Unknown));
                    return;
                }
                // What an app or another device on the bus means by its bytes, nobody knows here.
                Request::Other(_) | Request::CustomAppData { .. } | Request::CanFwdFrame { .. } => {
                    self.push(base, 1..payload.len(), Found::Unparsed(Unparsed::Unknown));
                }
                _ => {}
            }
            return self.trailing(base, payload, &told.trailing);
        }
    }

    fn reply(&mut self, base: u64, payload: &[u8]) {
        let Ok(told) = Reply::decode(payload) else {
            return self.push(base, 1..payload.len(), Found::Unparsed(Unparsed::Unknown));
        };
        match &told.body {
            Reply::FwVersion(version) => {
                if let (Some(hardware), Some(uuid)) = (&version.hardware, &version.uuid) {
                    // The id, the version, the name and its NUL.
                    let at = 1 + 2 + hardware.as_bytes().len() + 1;
                    let found = Found::Field(Secret::Uuid, Location::FwVersion);
                    self.push(base, at..at + uuid.len(), found);
                }
            }
            Reply::CustomConfig(config) | Reply::CustomConfigDefault(config) => {
                self.config(base, payload, config);
            }
            Reply::Appconf(config) | Reply::AppconfDefault(config) => {
                self.application(base, payload, config);
            }
            Reply::CustomConfigXml(part) => {
                let start = payload.len() - part.data.len();
                let found = match (u32::try_from(part.total), u32::try_from(part.offset)) {
                    (Ok(total), Ok(offset)) => Found::ConfigXml(ConfigXmlPart {
                        index: part.index,
                        total,
                        offset,
                    }),
                    _ => Found::Unparsed(Unparsed::Config),
                };
                self.push(base, start..payload.len(), found);
            }
            other if free::in_reply(other) => {
                return self.push(base, 1..payload.len(), Found::Unparsed(Unparsed::Unknown));
            }
            // A place is as good as an address.
            other if matches!(other, Reply::Other(_)) || other.id().is_private() => {
                self.push(base, 1..payload.len(), Found::Unparsed(Unparsed::Unknown));
            }
            _ => {}
        }
        self.trailing(base, payload, &told.trailing);
    }

    fn config(&mut self, base: u64, payload: &[u8], config: &CustomConfig) {
        let start = payload.len() - config.data.len();
        match config.express() {
            Some(express) => {
                for (at, secret) in express_fields(&express) {
                    let at = start + at.start..start + at.end;
                    self.push(base, at, Found::Field(secret, Location::Config));
                }
            }
            None => self.push(
                base,
                start..payload.len(),
                Found::Unparsed(Unparsed::Config),
            ),
        }
    }

    /// The configuration of a motor controller's applications: the address of its radio is in it, and where, only the
    /// firmware knows. So it is kept while it is recorded, and not when it is given away. That of the motor names nobody.
    fn application(&mut self, base: u64, payload: &[u8], config: &MotorConfig) {
        let start = payload.len() - config.data.len();
        let found = Found::Unparsed(Unparsed::Unknown);
        self.push(base, start..payload.len(), found);
    }

    fn trailing(&mut self, base: u64, payload: &[u8], trailing: &[u8]) {
        let start = payload.len() - trailing.len();
        self.push(
            base,
            start..payload.len(),
            Found::Unparsed(Unparsed::Unknown),
        );
    }

    /// Noise comes in pieces; what may be kept is searched as a whole.
    fn noise(&mut self, base: u64, len: usize) {
        let end = base + len as u64;
        for what in [
            Found::Unparsed(Unparsed::Noise),
            Found::Search(Location::Noise),
        ] {
            let before = self.0.iter_mut().rev().take(2);
            let mut same = before.filter(|span| span.what == what && span.at.end == base);
            if let Some(before) = same.next() {
                before.at.end = end;
            } else {
                self.push(base, 0..len, what);
            }
        }
    }
}

/// Where an Express' config holds what (`EX main/config/confparser.c:8-42`).
fn express_fields(config: &ExpressConfig) -> Vec<(Range<usize>, Secret)> {
    let mut fields = Vec::new();
    // CAN id, baud rate, status rate, Wi-Fi mode.
    let mut at = 2 + 1 + 2 + 1;
    let mut text = |at: &mut usize, text: &[u8], secret| {
        fields.push((*at..*at + text.len(), secret));
        *at += text.len() + 1;
    };
    text(&mut at, config.station_ssid.as_bytes(), Secret::NetworkName);
    text(&mut at, config.station_key.as_bytes(), Secret::NetworkKey);
    text(
        &mut at,
        config.access_point_ssid.as_bytes(),
        Secret::NetworkName,
    );
    text(
        &mut at,
        config.access_point_key.as_bytes(),
        Secret::NetworkKey,
    );
    // Local TCP, hub.
    at += 1 + 1;
    text(&mut at, config.hub_url.as_bytes(), Secret::HubHost);
    // The hub's port.
    at += 2;
    text(&mut at, config.hub_id.as_bytes(), Secret::LoginId);
    text(&mut at, config.hub_password.as_bytes(), Secret::Password);
    // Bluetooth mode.
    at += 1;
    text(&mut at, config.ble_name.as_bytes(), Secret::DeviceName);
    fields.push((at..at + 4, Secret::Pin));
    fields
}

#[cfg(test)]
mod tests {
    use veschub_wire::CommandId;
    use veschub_wire::command::{LispReply, Opaque as Arguments};

    use super::*;

    #[test]
    fn other_commands_hold_no_credentials_whatever_their_bytes_are() {
        for id in 0..=u8::MAX {
            for length in 0..80_u8 {
                for fill in [|_| 0, |_| 0xFF, |_| b'a', |at: u8| at.wrapping_mul(89)] {
                    let payload: Vec<u8> = [id].into_iter().chain((0..length).map(fill)).collect();
                    for direction in [Direction::ToDevice, Direction::ToTool] {
                        assert_eq!(
                            credentials(&payload, direction),
                            decoded_credentials(&payload, direction),
                            "{payload:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_login_line_in_a_frame_is_one() {
        let places = credentials(b"VESCTOOL:demo-0001:pw\n", Direction::ToDevice);
        assert_eq!(places, [(19..21, Mask::Fixed)]);
    }

    #[test]
    fn the_fields_of_a_config_lie_where_they_are_said_to_lie() {
        let config = ExpressConfig {
            station_ssid: "name-1".into(),
            station_key: "key-1".into(),
            access_point_ssid: "".into(),
            access_point_key: "key-22".into(),
            hub_url: "host.name".into(),
            hub_id: "an-id".into(),
            hub_password: "pass".into(),
            ble_name: "ble".into(),
            ble_pin: 0x6162_6364,
            ..ExpressConfig::default()
        };
        let packed = config.pack();
        let told: Vec<_> = express_fields(&config)
            .into_iter()
            .map(|(at, _)| String::from_utf8_lossy(&packed[at]).into_owned())
            .collect();
        let wanted = [
            "name-1",
            "key-1",
            "",
            "key-22",
            "host.name",
            "an-id",
            "pass",
            "ble",
            "abcd",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn forwarding_has_no_depth_at_which_a_config_is_missed() {
        let config = CustomConfig {
            index: 0,
            signature: 1,
            data: ExpressConfig {
                station_key: "12345678".into(),
                ..ExpressConfig::default()
            }
            .pack(),
        };
        let mut request = Request::SetCustomConfig(config);
        for _ in 0..20 {
            request = Request::forward(3, &request);
        }
        let payload = request.encode();
        let mut spans = Spans::default();
        spans.request(0, &payload);
        let key = spans
            .0
            .iter()
            .find(|span| span.what == Found::Field(Secret::NetworkKey, Location::Config));
        let at = key.unwrap().at.clone();
        assert_eq!(&payload[at.start as usize..at.end as usize], b"12345678");
    }

    #[test]
    fn what_is_not_understood_is_opaque_behind_its_id() {
        let other = Request::Other(Arguments {
            id: CommandId(200),
            arguments: vec![1, 2],
        });
        let mut spans = Spans::default();
        spans.request(10, &other.encode());
        assert_eq!(
            spans.0,
            [Span {
                at: 11..13,
                what: Found::Unparsed(Unparsed::Unknown)
            }]
        );
    }

    #[test]
    fn a_pin_is_a_credential_and_a_place_and_an_apps_bytes_are_not_known() {
        let pin = [&[CommandId::SET_BLE_PIN.0][..], b"123456"].concat();
        let wanted = vec![(1..7, Mask::SameLength)];
        assert_eq!(credentials(&pin, Direction::ToDevice), wanted);
        let forwarded = [&[CommandId::FORWARD_CAN.0, 3][..], &pin].concat();
        let wanted = vec![(3..9, Mask::SameLength)];
        assert_eq!(credentials(&forwarded, Direction::ToDevice), wanted);
        let place = [&[CommandId::GET_GNSS.0, 0, 0, 0, 1][..], &[1; 8]].concat();
        let app = [CommandId::CUSTOM_APP_DATA.0, 101, 0];
        for payload in [&place[..], &app] {
            let mut spans = Spans::default();
            spans.reply(0, payload);
            let what = Found::Unparsed(Unparsed::Unknown);
            let at = 1..payload.len() as u64;
            assert_eq!(spans.0, [Span { at, what }]);
        }
    }

    #[test]
    fn what_people_put_into_files_and_scripts_is_opaque_although_its_fields_are_known() {
        let print = Reply::Lisp(LispReply::Print {
            text: b"mine".to_vec(),
        });
        let mut spans = Spans::default();
        spans.request(0, b"\x8Dmine\0\0\0\0\0");
        spans.request(100, b"\x85\x01");
        spans.reply(200, &print.encode());
        let at: Vec<_> = spans.0.into_iter().map(|span| span.at).collect();
        assert_eq!(at, [1..10, 201..205]);
    }

    #[test]
    fn only_three_parts_are_a_discovery() {
        assert_eq!(discovery(b"bike::10.0.0.7::65102\0").unwrap().len(), 2);
        for other in [
            &b"bike::10.0.0.7"[..],
            b"a::b::c",
            b"a::1.2.3.4::1::2",
            b"\xFF",
        ] {
            assert_eq!(discovery(other), None);
        }
    }
}
