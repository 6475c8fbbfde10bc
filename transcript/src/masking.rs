//! What of a session's bytes may be shown and saved: one place decides it for every output.
//!
//! A credential - a password, a key, a pin - becomes [`MASK`], however long it was, so that its length is not told
//! either. Where the credentials are, [`crate::secret`] knows. Only a pin, and bytes whose content is not known, keep
//! their length: a pin has always four bytes, and of the others it says nothing about a single field.
//!
//! Noise is read as well: a login line that no hub reads, or a broken frame with a config, has the same credentials.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use veschub_wire::{CommandId, LoginLine, Nearly, from_hex_text};

use crate::{
    entry::{Direction, Entry, Kind},
    secret::{Mask, credentials, login_credentials, may_have_credentials},
};

/// What stands for a credential.
pub const MASK: &[u8] = b"***";
/// The same for each byte where the length stays.
pub(crate) const MASK_BYTE: u8 = b'*';

/// Whether this stands for a credential that was masked when its session was saved.
#[must_use]
pub fn is_masked(credential: &str) -> bool {
    !credential.is_empty() && credential.bytes().all(|byte| byte == MASK_BYTE)
}

/// Whether a payload has passwords, keys or pins in it, or a config that may have some.
#[must_use]
pub fn has_credentials(payload: &[u8], direction: Direction) -> bool {
    !places(payload, direction).is_empty()
}

/// Where they are. If there are none, the payload may go the other way: a device may be at either end.
fn places(payload: &[u8], direction: Direction) -> Vec<(Range<usize>, Mask)> {
    if !may_have_credentials(payload) {
        return Vec::new();
    }
    let places = credentials(payload, direction);
    match places.is_empty() {
        true => credentials(payload, direction.reverse()),
        false => places,
    }
}

/// The payload of a frame with its credentials masked. It can be decoded as before.
#[must_use]
pub fn payload(payload: &[u8], direction: Direction) -> Cow<'_, [u8]> {
    let places = places(payload, direction);
    if places.is_empty() {
        return Cow::Borrowed(payload);
    }
    let edits = places.into_iter().map(|(at, mask)| Edit::new(0, at, mask));
    Cow::Owned(apply(payload, &edits.collect::<Vec<_>>()))
}

/// Other bytes for a place in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The place.
    pub(crate) at: Range<u64>,
    /// What stands there instead.
    pub(crate) bytes: Vec<u8>,
}

impl Edit {
    /// Masks a place, which is counted from `base`.
    pub(crate) fn new(base: u64, at: Range<usize>, mask: Mask) -> Self {
        let bytes = match mask {
            Mask::Fixed => MASK.to_vec(),
            Mask::SameLength => vec![MASK_BYTE; at.len()],
        };
        Self {
            at: base + at.start as u64..base + at.end as u64,
            bytes,
        }
    }

    /// How many of the new bytes come before this place: the last one stands where the last old one stood.
    pub(crate) fn told_before(&self, at: u64) -> usize {
        let left = self.at.end.saturating_sub(at) as usize;
        match at <= self.at.start {
            true => 0,
            false => self.bytes.len().saturating_sub(left),
        }
    }
}

/// Bytes, from the start of a stream on, with others in some places, which are in order.
pub(crate) fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let (mut out, mut from) = (Vec::with_capacity(bytes.len()), 0);
    for edit in edits {
        out.extend_from_slice(bytes.get(from..edit.at.start as usize).unwrap_or_default());
        out.extend_from_slice(&edit.bytes);
        from = edit.at.end as usize;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out
}

/// Masks what a line that should be a login has of a password, whether it is a good login or not. The line may be one of
/// its first parts; `noise` then knows how to go on.
pub(crate) fn login_edits(line: &[u8], noise: &mut Noise) -> Vec<Edit> {
    let whole = line.strip_suffix(b"\n").unwrap_or(line);
    let kind = whole.split(|&byte| byte == b':').next();
    let is_known = kind.is_some_and(|kind| [&b"VESC"[..], b"VESCTOOL", b"PING"].contains(&kind));
    let is_login = LoginLine::parse(whole).is_ok() || (is_known && !whole.contains(&b';'));
    if !is_login {
        return noise.read(0, line);
    }
    let places = login_credentials(line);
    // A password that goes on later is masked already.
    noise.is_told = places.last().is_some_and(|place| place.end == line.len());
    places
        .into_iter()
        .map(|at| Edit::new(0, at, Mask::Fixed))
        .collect()
}

/// How many bytes of a reply with a config, or of a request that sets one, come before what its fields are.
const CONFIG_HEAD: usize = 1 + 1 + 4;

/// What was said outside of frames in one direction of a connection, and whether it may be a credential: a login that
/// comes twice, after a frame or behind a byte that is none of it; a config whose frame is broken. It may come in pieces.
#[derive(Debug)]
pub(crate) struct Noise {
    /// Whether it may have a login.
    has_words: bool,
    /// Everything behind a separator is taken for a credential until the line or the text ends, or a frame may begin.
    is_secret: bool,
    /// Whether a mask stands for it already.
    is_told: bool,
    /// The last byte, if it was the command of a config.
    is_config_command: bool,
    /// After how many more bytes there may be fields of a config.
    config_in: Option<usize>,
    /// A login that is told in other characters.
    other: OtherText,
}

/// Finds the word that a login begins with in hex digits and in UTF-16: how much of it the last bytes were.
#[derive(Debug, Default)]
struct OtherText {
    hex: usize,
    wide: usize,
    /// Whether it was there, so that all is masked until the line ends.
    is_secret: bool,
}

impl OtherText {
    /// `VESC` in hex digits.
    const HEX: &[u8] = b"56455343";
    /// `VESC` in UTF-16, whichever byte of each character comes first, without the zeros around it.
    const WIDE: &[u8] = b"V\0E\0S\0C";

    fn next(&mut self, byte: u8) -> bool {
        if byte == b'\n' || (2..=4).contains(&byte) {
            *self = Self::default();
            return false;
        }
        let was_secret = self.is_secret;
        for (word, known) in [(Self::HEX, &mut self.hex), (Self::WIDE, &mut self.wide)] {
            *known = match word.get(*known) {
                Some(&wanted) if wanted == byte => *known + 1,
                _ => usize::from(word[0] == byte),
            };
            if *known == word.len() {
                (*known, self.is_secret) = (0, true);
            }
        }
        was_secret
    }
}

impl Noise {
    pub(crate) fn new(direction: Direction) -> Self {
        Self {
            has_words: direction == Direction::ToDevice,
            is_secret: false,
            is_told: false,
            is_config_command: false,
            config_in: None,
            other: OtherText::default(),
        }
    }

    /// What a tool says goes this way after all: the device at this end has logged in itself.
    pub(crate) fn expect_words(&mut self) {
        self.has_words = true;
    }

    /// A frame came, and what is said behind it is something new.
    pub(crate) fn frame(&mut self) {
        *self = Self {
            has_words: self.has_words,
            ..Self::new(Direction::ToTool)
        };
    }

    /// The rest of a login line may follow.
    pub(crate) fn login_goes_on(&mut self) {
        self.is_secret = true;
    }

    /// What to mask in these bytes, which stand at `offset` of the stream.
    pub(crate) fn read(&mut self, offset: u64, bytes: &[u8]) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut run: Option<(usize, Mask)> = None;
        for (at, &byte) in bytes.iter().enumerate() {
            let mask = self.next(byte);
            match run {
                Some((start, old)) if mask != Some(old) => {
                    self.push(offset, start..at, old, &mut edits);
                    run = mask.map(|mask| (at, mask));
                }
                None => run = mask.map(|mask| (at, mask)),
                Some(_) => {}
            }
            if mask.is_none() {
                self.is_told = false;
            }
        }
        if let Some((start, mask)) = run {
            self.push(offset, start..bytes.len(), mask, &mut edits);
        }
        edits
    }

    fn push(&mut self, offset: u64, at: Range<usize>, mask: Mask, edits: &mut Vec<Edit>) {
        let mut edit = Edit::new(offset, at, mask);
        if mask == Mask::Fixed && std::mem::replace(&mut self.is_told, true) {
            edit.bytes.clear();
        }
        edits.push(edit);
    }

    /// Looks for a config in bytes that are masked as something else.
    pub(crate) fn look_for_config(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.is_in_config(byte);
        }
    }

    fn is_in_config(&mut self, byte: u8) -> bool {
        match &mut self.config_in {
            Some(0) => return true,
            Some(more) => *more -= 1,
            None if self.is_config_command && byte == 0 => self.config_in = Some(CONFIG_HEAD - 2),
            None => {}
        }
        self.is_config_command =
            (CommandId::GET_CUSTOM_CONFIG.0..=CommandId::SET_CUSTOM_CONFIG.0).contains(&byte);
        false
    }

    fn next(&mut self, byte: u8) -> Option<Mask> {
        if self.is_in_config(byte) {
            return Some(Mask::SameLength);
        }
        if !self.has_words {
            return None;
        }
        if self.other.next(byte) {
            return Some(Mask::Fixed);
        }
        match byte {
            b':' | b';' => {
                self.is_secret = true;
                None
            }
            0 | b'\n' | 2..=4 => {
                self.is_secret = false;
                None
            }
            _ => self.is_secret.then_some(Mask::Fixed),
        }
    }
}

/// Reads along with sessions and masks what is shown of them. Connections are told apart by a key of type `K`.
#[derive(Debug)]
pub struct Masking<K> {
    noise: BTreeMap<(K, Direction), Noise>,
}

impl<K: Ord> Default for Masking<K> {
    fn default() -> Self {
        Self {
            noise: BTreeMap::new(),
        }
    }
}

impl<K: Ord> Masking<K> {
    /// The payload of the next frame. Without noise before it, nobody asks for the key.
    pub fn frame<'a>(
        &mut self,
        key: impl FnOnce() -> K,
        direction: Direction,
        payload: &'a [u8],
    ) -> Cow<'a, [u8]> {
        if !self.noise.is_empty() {
            self.noise.remove(&(key(), direction));
        }
        self::payload(payload, direction)
    }

    /// The next bytes that are no frame, and what they nearly were.
    pub fn noise<'a>(
        &mut self,
        key: K,
        direction: Direction,
        bytes: &'a [u8],
        nearly: Option<&Nearly>,
    ) -> Cow<'a, [u8]> {
        let noise = self.noise.entry((key, direction));
        let noise = noise.or_insert_with(|| Noise::new(direction));
        if let Some(Nearly::HexText { .. }) = nearly
            && let Ok(text) = std::str::from_utf8(bytes)
            && let Ok(told) = from_hex_text(text)
            && !Noise::new(direction).read(0, &told).is_empty()
        {
            return Cow::Borrowed(MASK);
        }
        let edits = noise.read(0, bytes);
        match edits.is_empty() {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned(apply(bytes, &edits)),
        }
    }

    /// The connection has ended.
    pub fn closed(&mut self, key: K)
    where
        K: Clone,
    {
        self.noise.remove(&(key.clone(), Direction::ToDevice));
        self.noise.remove(&(key, Direction::ToTool));
    }
}

impl Masking<u32> {
    /// The next entry of a transcript. Logins stay as they are: nothing shows their bytes.
    #[must_use]
    pub fn entry(&mut self, mut entry: Entry) -> Entry {
        let connection = entry.connection;
        let direction = entry.direction.unwrap_or(Direction::ToDevice);
        match &mut entry.kind {
            Kind::Frame(frame) => {
                if let Cow::Owned(new) = self.frame(|| connection, direction, &frame.payload) {
                    frame.payload = new;
                }
            }
            Kind::Noise(noise) => {
                let nearly = noise.nearly.as_ref();
                // The direction may be a guess.
                let known = self.noise.entry((connection, direction));
                known.or_insert_with(|| Noise::new(direction)).has_words = true;
                let new = self
                    .noise(connection, direction, &noise.bytes, nearly)
                    .into_owned();
                noise.unfinished = noise.unfinished.min(new.len());
                noise.bytes = new;
            }
            Kind::Login(_) => {
                self.noise.remove(&(connection, direction));
            }
            _ => {}
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(direction: Direction, pieces: &[&[u8]]) -> Vec<u8> {
        let mut masking = Masking::default();
        let told = pieces
            .iter()
            .map(|piece| masking.noise(1, direction, piece, None).into_owned());
        told.collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_login_in_noise_is_masked_in_however_many_pieces_it_comes() {
        for password in ["pw", "pass-word", "a much longer pass word"] {
            let line = format!("x\x01VESCTOOL:DEMO-0001:{password}\nnext");
            for cut in 0..=line.len() {
                let (one, two) = line.as_bytes().split_at(cut);
                let told = shown(Direction::ToDevice, &[one, two]);
                assert_eq!(
                    String::from_utf8_lossy(&told),
                    "x\x01VESCTOOL:***:***\nnext",
                    "{cut}"
                );
            }
        }
    }

    #[test]
    fn a_config_in_noise_is_masked_in_however_many_pieces_it_comes() {
        let config = b"\x5D\0sign\0\x02\x01\x00\x00\x01my network\0my secret key\0";
        for cut in 0..=config.len() {
            let (one, two) = config.split_at(cut);
            let told = shown(Direction::ToTool, &[b"\x06\x40", one, two]);
            assert!(!told.windows(3).any(|part| part == b"key"), "{cut}");
            assert_eq!(told.len(), 2 + config.len());
        }
        // A broken request for a config has none in it.
        let request = b"\x02\x02\x5D\x00\x12\x34\x03";
        assert_eq!(shown(Direction::ToDevice, &[request]), request);
    }

    #[test]
    fn a_login_in_hex_or_in_utf_16_is_masked_in_however_many_pieces_it_comes() {
        let login = "VESCTOOL:DEMO-0001:pass-word";
        let hex: String = login.bytes().map(|byte| format!("{byte:02x}")).collect();
        let wide =
            |to: fn(u16) -> [u8; 2]| -> Vec<u8> { login.encode_utf16().flat_map(to).collect() };
        for (text, secret) in [
            (hex.clone().into_bytes(), &b"776f7264"[..]),
            (hex.to_uppercase().into_bytes(), b"776F7264"),
            (wide(u16::to_le_bytes), b"w\0o\0r\0d"),
            (wide(u16::to_be_bytes), b"w\0o\0r\0d"),
            (
                [&b"\xFF\xFE"[..], &wide(u16::to_le_bytes)].concat(),
                b"w\0o",
            ),
        ] {
            for cut in 0..=text.len() {
                let (one, two) = text.split_at(cut);
                let told = shown(Direction::ToDevice, &[one, two, b"\nnext"]);
                let is_there = told.windows(secret.len()).any(|part| part == secret);
                assert!(!is_there && told.ends_with(b"\nnext"), "{cut}: {told:?}");
            }
        }
    }

    #[test]
    fn a_masked_credential_is_known() {
        assert!(is_masked("*****") && is_masked("***"));
        assert!(!is_masked("") && !is_masked("a***"));
    }
}
