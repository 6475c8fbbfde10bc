//! Placeholders: what they look like, and which secret got which.
//!
//! | secret | placeholder |
//! |---|---|
//! | ids, names, hosts | `demo-` and a number; shorter than 7 bytes: `x` and a number |
//! | passwords, keys | `not-a-` and a number; shorter than 8 bytes as above |
//! | UUID | `not-a-uuid` and a number; one that is a MAC and zeros: that MAC's placeholder |
//! | MAC | 02:DE:30 and a number: locally administered, so of no real card |
//! | IPv4 | one whose text is as long: of a network for documentation, or of 0/8 or 240/4 |
//! | IPv6 | 2001:db8:: and a number |
//!
//! What looks like a placeholder is never replaced, which makes scrubbing idempotent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use veschub_transcript::secret::Secret;

use crate::address::{Addresses, ipv4_of_len};
use crate::pattern::{Pattern, Sort};

/// Shorter texts are replaced only where a field holds them, because they may stand anywhere by chance.
pub const MIN_SEARCHED: usize = 4;
/// The same for texts in another case, and with blanks in them, unless they are ids.
const MIN_LOOSE: usize = 6;
const PUBLIC_HUB: &str = "veschub.vedder.se";
const PINS: u32 = 111_111;
const PIN_COUNT: u32 = 100;
/// The pin that VESC Tool suggests.
const DEFAULT_PIN: u32 = 123_456;

/// Whether a text says of itself that it is no secret.
///
/// True for nothing at all, for what starts with `demo-`, `not-a-` or `not-an-`, for the names that RFC 2606 sets
/// aside, for the public hub, for a single `x` or `*` repeated, and for `x` with up to five digits; in either case.
#[must_use]
pub fn is_placeholder(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let repeated = |wanted: char| text.chars().all(|found| found == wanted);
    let numbered = |rest: &str| rest.len() < 6 && rest.bytes().all(|byte| byte.is_ascii_digit());
    ["demo-", "not-a-", "not-an-"]
        .iter()
        .any(|start| text.starts_with(start))
        || [".invalid", ".example", ".test"]
            .iter()
            .any(|end| text.ends_with(end))
        || text == PUBLIC_HUB
        || repeated('x')
        || repeated('*')
        || text.strip_prefix('x').is_some_and(numbered)
}

pub(crate) fn is_mac_placeholder(mac: [u8; 6]) -> bool {
    // Group addresses name no card.
    mac == [0; 6] || mac[0] & 1 == 1 || mac.starts_with(&[2, 0, 0]) || mac.starts_with(&MAC_PREFIX)
}

pub(crate) fn is_ip_placeholder(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => matches!(ip.octets()[0], 0 | 127 | 224..) || ip.is_documentation(),
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.segments().starts_with(&[0x2001, 0xDB8])
        }
    }
}

fn is_uuid_placeholder(uuid: [u8; 12]) -> bool {
    uuid.starts_with(b"not-a-")
        || uuid.starts_with(b"demo-")
        || uuid == [0xFF; 12]
        || mac_of(uuid).is_some_and(is_mac_placeholder)
}

fn is_pin_placeholder(pin: u32) -> bool {
    pin == 0 || pin == DEFAULT_PIN || (PINS..PINS + PIN_COUNT).contains(&pin)
}

/// An Express' UUID is its MAC and six zeros.
fn mac_of(uuid: [u8; 12]) -> Option<[u8; 6]> {
    match uuid {
        [a, b, c, d, e, f, 0, 0, 0, 0, 0, 0] => Some([a, b, c, d, e, f]),
        _ => None,
    }
}

const MAC_PREFIX: [u8; 3] = [2, 0xDE, 0x30];

/// Which secret got which placeholder.
#[derive(Debug, Default)]
pub(crate) struct Words {
    texts: BTreeMap<Vec<u8>, (Vec<u8>, Secret)>,
    /// Ids by what a hub compares, without blanks.
    ids: BTreeMap<Vec<u8>, Vec<u8>>,
    uuids: BTreeMap<[u8; 12], [u8; 12]>,
    macs: BTreeMap<[u8; 6], [u8; 6]>,
    ips: BTreeMap<IpAddr, IpAddr>,
    pins: BTreeMap<u32, u32>,
    /// Placeholders that are in use, as they were found or given.
    taken: BTreeSet<Vec<u8>>,
}

impl Words {
    /// The same for what a field holds, if it is a placeholder.
    pub(crate) fn keep_if_placeholder(&mut self, what: Secret, bytes: &[u8]) {
        let is_one = match what {
            Secret::Uuid => bytes.try_into().is_ok_and(is_uuid_placeholder),
            Secret::Pin => bytes
                .try_into()
                .is_ok_and(|pin| is_pin_placeholder(u32::from_be_bytes(pin))),
            Secret::Ip => std::str::from_utf8(bytes)
                .is_ok_and(|text| text.parse().is_ok_and(is_ip_placeholder)),
            _ => is_placeholder(bytes),
        };
        if is_one {
            self.keep(what, bytes);
        }
    }

    /// Keeps a placeholder that the capture has already from being given to something else.
    pub(crate) fn keep(&mut self, what: Secret, bytes: &[u8]) {
        self.taken.insert(match what {
            Secret::Uuid | Secret::Mac | Secret::Pin => bytes.to_vec(),
            _ => normalised(bytes),
        });
        if let Ok(uuid) = <[u8; 12]>::try_from(bytes)
            && let Some(mac) = mac_of(uuid)
        {
            self.taken.insert(mac.to_vec());
        }
    }

    /// The placeholder of what a field holds; `None` if it is no secret.
    pub(crate) fn replace(&mut self, what: Secret, bytes: &[u8]) -> Option<Vec<u8>> {
        match what {
            Secret::Uuid => {
                let uuid = <[u8; 12]>::try_from(bytes).ok()?;
                self.uuid(uuid).map(|uuid| uuid.to_vec())
            }
            Secret::Mac => {
                let mac = <[u8; 6]>::try_from(bytes).ok()?;
                self.mac(mac).map(|mac| mac.to_vec())
            }
            Secret::Pin => {
                let pin = u32::from_be_bytes(<[u8; 4]>::try_from(bytes).ok()?);
                self.pin(pin).map(|pin| pin.to_be_bytes().to_vec())
            }
            Secret::Ip => {
                let ip = std::str::from_utf8(bytes).ok()?.parse().ok()?;
                // Only IPv4 addresses have placeholders whose texts are as long.
                self.ip(ip).map(|ip| ip.to_string().into_bytes())
            }
            _ => self.text(what, bytes),
        }
    }

    fn text(&mut self, what: Secret, text: &[u8]) -> Option<Vec<u8>> {
        if is_placeholder(text) {
            return None;
        }
        if let Some((placeholder, _)) = self.texts.get(text) {
            return Some(placeholder.clone());
        }
        let placeholder = match what {
            Secret::LoginId => self.id(text)?,
            _ => self.new_text(what, text.len()),
        };
        self.texts
            .insert(text.to_vec(), (placeholder.clone(), what));
        Some(placeholder)
    }

    /// Ids that a hub takes for the same get the same, each with its own blanks.
    fn id(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let key = normalised(text);
        if is_placeholder(&key) {
            return None;
        }
        if !self.ids.contains_key(&key) {
            let new = self.new_text(Secret::LoginId, key.len());
            self.ids.insert(key.clone(), new);
        }
        let mut new = self.ids.get(&key)?.iter().copied();
        let spread = text.iter().map(|&byte| match byte {
            b' ' => b' ',
            _ => new.next().unwrap_or(b'x'),
        });
        Some(spread.collect())
    }

    /// The next free one of this length; when there are no more, the number 0 is shared.
    fn new_text(&mut self, what: Secret, len: usize) -> Vec<u8> {
        let prefix = match what {
            Secret::Password | Secret::NetworkKey if len >= 8 => "not-a-",
            _ if len >= 7 => "demo-",
            _ => "x",
        };
        let digits = len.saturating_sub(prefix.len());
        let numbers = 10u64.saturating_pow(u32::try_from(digits).unwrap_or(u32::MAX));
        for number in (1..numbers.max(2)).chain([0]) {
            let digits = match digits {
                0 => String::new(),
                _ => format!("{number:0digits$}"),
            };
            let mut text = format!("{prefix}{digits}").into_bytes();
            text.truncate(len);
            // A hub compares ids in upper case.
            if number == 0 || self.taken.insert(normalised(&text)) {
                return text;
            }
        }
        vec![b'x'; len]
    }

    fn uuid(&mut self, uuid: [u8; 12]) -> Option<[u8; 12]> {
        if is_uuid_placeholder(uuid) {
            return None;
        }
        if let Some(known) = self.uuids.get(&uuid) {
            return Some(*known);
        }
        let mut new = *b"not-a-uuid00";
        match mac_of(uuid) {
            Some(mac) => {
                new = [0; 12];
                new[..6].copy_from_slice(&self.mac(mac)?);
            }
            None => {
                for number in 1..1_000_000 {
                    let text = match number {
                        ..100 => format!("not-a-uuid{number:02}"),
                        _ => format!("not-a-{number:06}"),
                    };
                    if self.taken.insert(text.clone().into_bytes()) {
                        new.copy_from_slice(text.as_bytes());
                        break;
                    }
                }
            }
        }
        self.uuids.insert(uuid, new);
        Some(new)
    }

    pub(crate) fn mac(&mut self, mac: [u8; 6]) -> Option<[u8; 6]> {
        if is_mac_placeholder(mac) {
            return None;
        }
        if let Some(known) = self.macs.get(&mac) {
            return Some(*known);
        }
        let mut new = [0; 6];
        for number in 1..1u32 << 24 {
            new[..3].copy_from_slice(&MAC_PREFIX);
            new[3..].copy_from_slice(&number.to_be_bytes()[1..]);
            if self.taken.insert(new.to_vec()) {
                break;
            }
        }
        self.macs.insert(mac, new);
        Some(new)
    }

    fn pin(&mut self, pin: u32) -> Option<u32> {
        if is_pin_placeholder(pin) {
            return None;
        }
        if let Some(known) = self.pins.get(&pin) {
            return Some(*known);
        }
        let mut free = (PINS..PINS + PIN_COUNT)
            .filter(|new| !self.taken.contains(new.to_be_bytes().as_slice()));
        let new = free.next().unwrap_or(PINS);
        self.taken.insert(new.to_be_bytes().to_vec());
        self.pins.insert(pin, new);
        Some(new)
    }

    pub(crate) fn ip(&mut self, ip: IpAddr) -> Option<IpAddr> {
        if is_ip_placeholder(ip) {
            return None;
        }
        if let Some(known) = self.ips.get(&ip) {
            return Some(*known);
        }
        let len = ip.to_string().len();
        let mut free: Box<dyn Iterator<Item = IpAddr>> = match ip {
            IpAddr::V4(_) => Box::new(ipv4_of_len(len).map(IpAddr::V4)),
            IpAddr::V6(_) => Box::new((1..=u32::MAX).map(|number| {
                let [high, low] = [(number >> 16) as u16, number as u16];
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, high, low))
            })),
        };
        let new = free.find(|new| !self.taken.contains(new.to_string().as_bytes()))?;
        self.taken.insert(new.to_string().into_bytes());
        self.ips.insert(ip, new);
        Some(new)
    }

    /// All that was replaced, the longest first.
    pub(crate) fn patterns(&self) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        let mut push = |origin: &[u8], secret: Vec<u8>, placeholder: Vec<u8>, what, sort| {
            if secret.len() >= MIN_SEARCHED && secret.len() == placeholder.len() {
                patterns.push(Pattern {
                    origin: origin.to_vec(),
                    secret,
                    placeholder,
                    what,
                    sort,
                });
            }
        };
        for (text, (placeholder, what)) in &self.texts {
            let is_id = *what == Secret::LoginId;
            let (mut secret, mut new) = (text.clone(), placeholder.clone());
            if is_id {
                secret.retain(|&byte| byte != b' ');
                new.retain(|&byte| byte != b' ');
            }
            let sort = Sort::Text {
                ignores_case: is_id || secret.len() >= MIN_LOOSE,
                skips_blanks: is_id && (secret.len() >= MIN_LOOSE || secret.len() < text.len()),
            };
            push(text, secret, new, *what, sort);
        }
        let raw = self.macs.iter().map(|(a, b)| (&a[..], &b[..], Secret::Mac));
        let uuids = self.uuids.iter();
        let raw = raw.chain(uuids.map(|(a, b)| (&a[..], &b[..], Secret::Uuid)));
        for (secret, new, what) in raw {
            push(secret, secret.to_vec(), new.to_vec(), what, Sort::Raw);
        }
        for (ip, new) in &self.ips {
            let text = ip.to_string().into_bytes();
            match (ip, new) {
                (IpAddr::V4(ip), IpAddr::V4(new)) => {
                    let told = new.to_string().into_bytes();
                    push(&text, text.clone(), told, Secret::Ip, Sort::EXACT);
                    let (ip, new) = (ip.octets().to_vec(), new.octets().to_vec());
                    push(&text, ip, new, Secret::Ip, Sort::Coded);
                }
                (IpAddr::V6(ip), IpAddr::V6(new)) => {
                    let (ip, new) = (ip.octets().to_vec(), new.octets().to_vec());
                    push(&text, ip, new, Secret::Ip, Sort::Raw);
                }
                _ => {}
            }
        }
        for (pin, new) in &self.pins {
            // Shorter numbers stand anywhere by chance; other lengths have no placeholder.
            let origin = pin.to_be_bytes();
            let [text, told] = [pin, new].map(|pin| pin.to_string().into_bytes());
            push(&origin, text, told, Secret::Pin, Sort::EXACT);
            if *pin > 0xFFFF {
                let (pin, new) = (origin.to_vec(), new.to_be_bytes().to_vec());
                push(&origin, pin, new, Secret::Pin, Sort::Coded);
            }
        }
        patterns.sort_by(|a, b| {
            let longest = b.secret.len().cmp(&a.secret.len());
            longest.then_with(|| a.secret.cmp(&b.secret))
        });
        patterns.dedup_by(|a, b| a.secret == b.secret);
        patterns
    }

    /// The addresses that were replaced.
    pub(crate) fn addresses(&self) -> Addresses {
        Addresses {
            ips: self.ips.clone(),
            macs: self.macs.clone(),
        }
    }
}

/// The id as a hub compares it.
fn normalised(id: &[u8]) -> Vec<u8> {
    let mut key = id.to_ascii_uppercase();
    key.retain(|&byte| byte != b' ');
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_as_long_as_the_secret_and_is_none_itself() {
        let mut words = Words::default();
        for what in [Secret::LoginId, Secret::Password, Secret::NetworkName] {
            for len in 1..70 {
                let secret = vec![b'a' + what as u8; len];
                let new = words.replace(what, &secret).unwrap();
                assert_eq!(new.len(), len);
                assert!(is_placeholder(&new), "{len}");
                assert_eq!(words.replace(what, &secret), Some(new.clone()));
                assert_eq!(words.replace(what, &new), None);
            }
        }
    }

    #[test]
    fn different_secrets_of_one_length_stay_different() {
        let mut words = Words::default();
        let new: BTreeSet<_> = (0..99)
            .map(|number| format!("secret-{number:02}"))
            .map(|secret| words.replace(Secret::LoginId, secret.as_bytes()))
            .collect();
        assert_eq!(new.len(), 99);
    }

    #[test]
    fn ids_that_a_hub_takes_for_one_stay_one() {
        let mut words = Words::default();
        let one = words.replace(Secret::LoginId, b"my bike 7").unwrap();
        let other = words.replace(Secret::LoginId, b"MYBIKE7").unwrap();
        assert_eq!((one[2], one[7]), (b' ', b' '));
        assert_eq!(normalised(&one), normalised(&other));
    }

    #[test]
    fn an_ipv4_placeholder_has_a_text_of_the_same_length() {
        let mut words = Words::default();
        for ip in [
            "8.8.8.8",
            "10.0.0.7",
            "10.0.0.77",
            "192.168.4.1",
            "192.168.1.14",
            "192.168.100.101",
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            let new = words.ip(ip).unwrap();
            assert_eq!(new.to_string().len(), ip.to_string().len(), "{new}");
            assert!(is_ip_placeholder(new));
        }
    }

    #[test]
    fn what_is_in_use_is_not_given_again() {
        let mut words = Words::default();
        words.keep(Secret::LoginId, b"DEMO-0001");
        words.keep(Secret::Mac, &[2, 0xDE, 0x30, 0, 0, 1]);
        assert_eq!(
            words.replace(Secret::LoginId, b"real-0001").unwrap(),
            b"demo-0002"
        );
        assert_eq!(
            words.mac([4, 1, 2, 3, 4, 5]),
            Some([2, 0xDE, 0x30, 0, 0, 2])
        );
    }
}
