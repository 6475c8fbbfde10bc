//! The XML that describes a config: sent in parts, and compressed as a whole.
//!
//! ```text
//!  parts of replies -> u32 size | zlib -> XML -> placeholders -> zlib of the same length -> the same parts
//! ```
//!
//! The new XML takes exactly as many bytes as the old one, so that sizes, offsets and frames stay. Empty blocks of
//! deflate fill what is left over. What cannot be unpacked, as a part was not recorded, becomes zeros.

use std::collections::BTreeMap;
use std::ops::Range;

use veschub_transcript::secret::{ConfigXmlPart, Found, Location, Secret, Unparsed};

use crate::forms::Forms;
use crate::pattern::Text;
use crate::report::Tally;
use crate::texts::Place;
use crate::words::Words;
use crate::zlib;

/// A larger XML is no config.
const MAX_PACKED: u32 = 1 << 20;
const MAX_TEXT: usize = 1 << 24;

/// All XML of a capture.
#[derive(Debug, Default)]
pub(crate) struct Xmls(Vec<Xml>);

/// An XML and where its parts are.
#[derive(Debug)]
struct Xml {
    parts: Vec<Part>,
    packed: Vec<u8>,
    /// Which bytes of it are there.
    known: Vec<bool>,
    content: Option<Content>,
}

#[derive(Debug)]
struct Part {
    place: usize,
    at: Range<usize>,
    offset: usize,
}

/// An XML that was unpacked.
#[derive(Debug)]
struct Content {
    text: Vec<u8>,
    done: Vec<bool>,
    is_changed: bool,
}

impl Xmls {
    /// Puts the parts together and unpacks them.
    pub(crate) fn of(places: &[Place<'_>]) -> Self {
        let mut all: Vec<Xml> = Vec::new();
        let mut open: BTreeMap<(usize, u8, u32), usize> = BTreeMap::new();
        for (index, place) in places.iter().enumerate() {
            for span in &place.spans {
                let Found::ConfigXml(told) = span.what else {
                    continue;
                };
                let at = place.range(span);
                let bytes = &place.stretch.bytes[at.clone()];
                let key = (place.stream, told.index, told.total);
                let fitting = open.get(&key).filter(|&&xml| all[xml].fits(told, bytes));
                let xml = fitting.copied().unwrap_or_else(|| {
                    // The first part, or one of another XML of the same size.
                    all.push(Xml::new(told.total));
                    open.insert(key, all.len() - 1);
                    all.len() - 1
                });
                all[xml].take(index, at, told, bytes);
            }
        }
        for xml in &mut all {
            xml.content = xml.unpack();
        }
        Self(all)
    }

    /// Has placeholders that are in use kept.
    pub(crate) fn keep_placeholders(&self, words: &mut Words) {
        for content in self.0.iter().filter_map(|xml| xml.content.as_ref()) {
            for (what, at) in fields(&content.text) {
                if let Some(value) = value(what, &content.text[at]) {
                    words.keep_if_placeholder(what, &value);
                }
            }
        }
    }

    /// Replaces what the XML says of itself to be a secret.
    pub(crate) fn replace_fields(&mut self, words: &mut Words, tally: &mut Tally) {
        for content in self.0.iter_mut().filter_map(|xml| xml.content.as_mut()) {
            content.replace_fields(words, tally);
        }
    }

    /// Replaces known secrets.
    pub(crate) fn search(&mut self, forms: &Forms, tally: &mut Tally) {
        for content in self.0.iter_mut().filter_map(|xml| xml.content.as_mut()) {
            let mut text = Text {
                bytes: &mut content.text,
                done: &mut content.done,
            };
            let is_changed = &mut content.is_changed;
            forms.replace(&mut text, &mut |pattern| {
                *is_changed = true;
                tally.replaced(pattern.what, Location::ConfigXml, &pattern.origin);
            });
        }
    }

    /// Puts it back, packed to the same length; what cannot be is blanked, unless it is to be kept.
    pub(crate) fn write(self, places: &mut [Place<'_>], keep: bool, tally: &mut Tally) {
        for xml in self.0 {
            let packed = match &xml.content {
                Some(content) if content.is_changed => {
                    zlib::pack_to(&content.text, xml.packed.len()).or_else(|| {
                        zlib::pack_to(&without_descriptions(&content.text), xml.packed.len())
                    })
                }
                Some(_) => Some(xml.packed),
                None if keep => continue,
                None => None,
            };
            for part in xml.parts {
                let stretch = &mut places[part.place].stretch;
                let bytes = &mut stretch.bytes[part.at.clone()];
                match &packed {
                    Some(packed) => {
                        let end = part.offset + bytes.len();
                        bytes.copy_from_slice(&packed[part.offset..end]);
                    }
                    None => tally.blank(Unparsed::Config, bytes, 0),
                }
                stretch.done[part.at].fill(true);
            }
        }
    }
}

impl Xml {
    fn new(total: u32) -> Self {
        let len = if total > MAX_PACKED {
            0
        } else {
            total as usize
        };
        Self {
            parts: Vec::new(),
            packed: vec![0; len],
            known: vec![false; len],
            content: None,
        }
    }

    /// Whether the part says nothing else than parts before it.
    fn fits(&self, part: ConfigXmlPart, bytes: &[u8]) -> bool {
        let from = part.offset as usize;
        let (Some(packed), Some(known)) = (self.packed.get(from..), self.known.get(from..)) else {
            return false;
        };
        let old = packed.iter().zip(known);
        bytes.len() <= packed.len()
            && bytes
                .iter()
                .zip(old)
                .all(|(new, (old, known))| !known || old == new)
    }

    fn take(&mut self, place: usize, at: Range<usize>, part: ConfigXmlPart, bytes: &[u8]) {
        let offset = part.offset as usize;
        let end = offset.saturating_add(bytes.len());
        if let (Some(packed), Some(known)) = (
            self.packed.get_mut(offset..end),
            self.known.get_mut(offset..end),
        ) {
            packed.copy_from_slice(bytes);
            known.fill(true);
        } else {
            // It cannot be a part of this, so that nobody knows what it all is.
            self.packed.clear();
            self.known.clear();
        }
        self.parts.push(Part { place, at, offset });
    }

    fn unpack(&self) -> Option<Content> {
        if self.known.contains(&false) {
            return None;
        }
        let text = zlib::unpack(&self.packed, MAX_TEXT)?;
        Some(Content {
            done: vec![false; text.len()],
            text,
            is_changed: false,
        })
    }
}

impl Content {
    fn replace_fields(&mut self, words: &mut Words, tally: &mut Tally) {
        let (mut text, mut done, mut told) = (Vec::new(), Vec::new(), 0);
        let mut push = |bytes: &[u8], is_done: bool| {
            text.extend_from_slice(bytes);
            done.resize(text.len(), is_done);
        };
        for (what, at) in fields(&self.text) {
            let Some(old) = value(what, &self.text[at.clone()]) else {
                continue;
            };
            push(&self.text[told..at.start], false);
            match words.replace(what, &old) {
                Some(new) => {
                    push(&written(what, &new), true);
                    tally.replaced(what, Location::ConfigXml, &old);
                    self.is_changed = true;
                }
                None => push(&self.text[at.clone()], true),
            }
            told = at.end;
        }
        push(&self.text[told..], false);
        (self.text, self.done) = (text, done);
    }
}

/// The values in it that are secrets by the name of their parameter.
fn fields(xml: &[u8]) -> Vec<(Secret, Range<usize>)> {
    let mut fields = Vec::new();
    let mut open: Vec<&[u8]> = Vec::new();
    let mut at = 0;
    while let Some(start) = xml[at..].iter().position(|&byte| byte == b'<') {
        let text = at..at + start;
        let tag_start = text.end + 1;
        let Some(len) = xml[tag_start..].iter().position(|&byte| byte == b'>') else {
            break;
        };
        let tag = &xml[tag_start..tag_start + len];
        at = tag_start + len + 1;
        match tag.first() {
            Some(b'/') => {
                let what = open.split_last().and_then(|(leaf, above)| {
                    kind_of(leaf).or_else(|| match *leaf {
                        b"valString" | b"valInt" => above.last().and_then(|name| kind_of(name)),
                        _ => None,
                    })
                });
                if let Some(what) = what.filter(|_| !text.is_empty()) {
                    fields.push((what, text));
                }
                open.pop();
            }
            Some(b'?' | b'!') => {}
            Some(_) if tag.ends_with(b"/") => {}
            Some(_) => {
                let name = tag.split(u8::is_ascii_whitespace).next();
                open.push(name.unwrap_or_default());
            }
            None => {}
        }
    }
    fields
}

/// What a parameter of this name holds.
fn kind_of(name: &[u8]) -> Option<Secret> {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let has = |part: &str| name.contains(part);
    let ends = |part: &str| name.ends_with(part);
    Some(match () {
        () if has("ssid") => Secret::NetworkName,
        () if has("pass") || ends("_pw") || ends("_pwd") => Secret::Password,
        () if ends("key") || ends("_psk") => Secret::NetworkKey,
        () if ends("hub_id") || ends("login_id") => Secret::LoginId,
        () if ends("url") || ends("host") => Secret::HubHost,
        () if ends("ble_name") => Secret::DeviceName,
        () if ends("_pin") => Secret::Pin,
        () => return None,
    })
}

/// Markup and what it stands for.
const ESCAPES: [(&str, char); 5] = [
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&amp;", '&'),
];

/// A value as a config holds it; `None` if it cannot be one.
fn value(what: Secret, text: &[u8]) -> Option<Vec<u8>> {
    if what == Secret::Pin {
        let pin: u32 = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
        return Some(pin.to_be_bytes().to_vec());
    }
    let mut value = Vec::new();
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let escape = ESCAPES
            .iter()
            .find(|(markup, _)| rest.starts_with(markup.as_bytes()));
        match escape {
            Some((markup, letter)) => {
                value.extend(letter.to_string().bytes());
                rest = &rest[markup.len()..];
            }
            None => {
                value.push(first);
                rest = behind;
            }
        }
    }
    Some(value)
}

/// A placeholder as it stands in XML.
fn written(what: Secret, value: &[u8]) -> Vec<u8> {
    match (what, <[u8; 4]>::try_from(value)) {
        (Secret::Pin, Ok(pin)) => u32::from_be_bytes(pin).to_string().into_bytes(),
        _ => value.to_vec(),
    }
}

/// The same without the explanations of its parameters, which is shorter. Its signature stays the same.
fn without_descriptions(xml: &[u8]) -> Vec<u8> {
    let (start, end) = (&b"<description>"[..], &b"</description>"[..]);
    let find = |from: usize, wanted: &[u8]| {
        let mut windows = xml.get(from..)?.windows(wanted.len());
        windows
            .position(|window| window == wanted)
            .map(|at| from + at)
    };
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(from) = find(at, start).map(|from| from + start.len())
        && let Some(to) = find(from, end)
    {
        out.extend_from_slice(&xml[at..from]);
        at = to;
    }
    out.extend_from_slice(&xml[at..]);
    out
}
