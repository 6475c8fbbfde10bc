//! What is searched, put together: a text may be split over several frames, such as a line over two PRINTs.

use std::collections::BTreeMap;
use std::ops::Range;

use veschub_transcript::secret::{Found, Location, Secret, Span};
use veschub_wire::CommandId;

use crate::flow::Stretch;
use crate::forms::Forms;
use crate::pattern::Text;

/// Bytes without a gap, and what was found there.
pub(crate) struct Place<'a> {
    /// Which stream they belong to.
    pub(crate) stream: usize,
    pub(crate) stretch: &'a mut Stretch,
    pub(crate) spans: Vec<Span>,
}

impl Place<'_> {
    /// Where in the stretch a span is.
    pub(crate) fn range(&self, span: &Span) -> Range<usize> {
        let start = (span.at.start - self.stretch.offset) as usize;
        let end = (span.at.end - self.stretch.offset) as usize;
        start..end
    }
}

/// What belongs together: of one stream, and of one command.
type Group = (usize, Location, Option<u8>);

/// Bytes of a frame, or of noise.
struct Piece {
    place: usize,
    at: Range<usize>,
    /// How many of the first bytes are the command, and where it is forwarded to.
    head: usize,
}

/// How many bytes may stand between a command and its data: nothing, an offset, a size and an offset, and these behind
/// an index.
const HEADS: [usize; 4] = [0, 4, 8, 9];

/// Searches all texts for known secrets and replaces them.
pub(crate) fn replace(
    places: &mut [Place<'_>],
    forms: &Forms,
    found: &mut dyn FnMut(Secret, Location, &[u8]),
) {
    for ((_, location, command), pieces) in groups(places) {
        let mut search = |pieces: &[(usize, Range<usize>)]| {
            search_joined(places, pieces, forms, &mut |what, secret| {
                found(what, location, secret);
            });
        };
        let whole: Vec<_> = pieces
            .iter()
            .map(|one| (one.place, one.at.clone()))
            .collect();
        search(&whole);
        if pieces.len() == 1 {
            continue;
        }
        let is_text = [CommandId::PRINT, CommandId::TERMINAL_CMD]
            .iter()
            .any(|id| command == Some(id.0));
        let heads = if is_text { &HEADS[..1] } else { &HEADS };
        for head in heads {
            let inner = pieces.iter().filter_map(|one| {
                let at = one.at.start + one.head + head..one.at.end;
                (!at.is_empty()).then_some((one.place, at))
            });
            let inner: Vec<_> = inner.collect();
            search(&inner);
        }
    }
}

fn groups(places: &[Place<'_>]) -> BTreeMap<Group, Vec<Piece>> {
    let mut groups: BTreeMap<Group, Vec<Piece>> = BTreeMap::new();
    for (index, place) in places.iter().enumerate() {
        for span in &place.spans {
            let Found::Search(location) = span.what else {
                continue;
            };
            let at = place.range(span);
            let (command, head) = match location {
                Location::Payload => command(&place.stretch.bytes[at.clone()]),
                _ => (None, 0),
            };
            let group = groups.entry((place.stream, location, command)).or_default();
            group.push(Piece {
                place: index,
                at,
                head,
            });
        }
    }
    groups
}

/// The command of a payload, or of the one that is forwarded; and how many bytes stand before its arguments.
fn command(payload: &[u8]) -> (Option<u8>, usize) {
    let mut head = 0;
    while payload.get(head) == Some(&CommandId::FORWARD_CAN.0) && payload.len() > head + 2 {
        head += 2;
    }
    (payload.get(head).copied(), head + 1)
}

/// Searches these bytes as if they were one text. What ends a line at the borders is left out.
fn search_joined(
    places: &mut [Place<'_>],
    pieces: &[(usize, Range<usize>)],
    forms: &Forms,
    found: &mut dyn FnMut(Secret, &[u8]),
) {
    let (mut bytes, mut done) = (Vec::new(), Vec::new());
    let mut parts = Vec::with_capacity(pieces.len());
    for (place, at) in pieces {
        let stretch = &places[*place].stretch;
        let part = trimmed(&stretch.bytes, at.clone());
        bytes.extend_from_slice(&stretch.bytes[part.clone()]);
        done.extend_from_slice(&stretch.done[part.clone()]);
        parts.push((*place, part));
    }
    let mut is_changed = false;
    let mut text = Text {
        bytes: &mut bytes,
        done: &mut done,
    };
    forms.replace(&mut text, &mut |pattern| {
        is_changed = true;
        found(pattern.what, &pattern.origin);
    });
    if !is_changed {
        return;
    }
    let mut from = 0;
    for (place, part) in parts {
        let to = from + part.len();
        let stretch = &mut places[place].stretch;
        stretch.bytes[part.clone()].copy_from_slice(&bytes[from..to]);
        stretch.done[part].copy_from_slice(&done[from..to]);
        from = to;
    }
}

fn trimmed(bytes: &[u8], at: Range<usize>) -> Range<usize> {
    let ends_line = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n');
    let text = &bytes[at.clone()];
    let end = text.iter().rposition(|byte| !ends_line(byte));
    let end = end.map_or(0, |last| last + 1);
    let start = text[..end]
        .iter()
        .take_while(|byte| ends_line(byte))
        .count();
    at.start + start..at.start + end
}
