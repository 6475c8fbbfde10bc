//! Bodies that hold words of scenarios, read by the scenario language with the places of the body.
//!
//! JSON is YAML. The part of a body that holds scenario words becomes the value of a key in a small scenario; all that
//! stands around it in the body becomes blanks. So a mistake is on the line of the body that it is on in the scenario,
//! less the lines before it, in the same column.

use std::ops::Range;

use serde::de::DeserializeOwned;
use serde_json::Value;
use veschub_scenario::Loaded;

use crate::error::{Refusal, Spot};

/// A body that is a JSON object.
pub(crate) struct Body<'a> {
    text: &'a str,
    members: Vec<(String, Range<usize>)>,
}

impl<'a> Body<'a> {
    /// A body in which only these keys may stand; without any text it is an empty object.
    pub(crate) fn read(text: &'a str, keys: &[&str]) -> Result<Self, Refusal> {
        let text = if text.trim().is_empty() { "{}" } else { text };
        let value: Value =
            serde_json::from_str(text).map_err(|error| Refusal::of_json(&error, text))?;
        if !value.is_object() {
            return Err(
                Refusal::bad("the body has to be a JSON object").help(match keys {
                    [] => "write {}".to_owned(),
                    _ => format!("its keys are {}", keys.join(", ")),
                }),
            );
        }
        let members = members(text);
        let mut seen: Vec<&str> = Vec::new();
        for (key, span) in &members {
            let wrong = if !keys.contains(&key.as_str()) {
                format!("unknown key `{key}`")
            } else if seen.contains(&key.as_str()) {
                format!("`{key}` is written twice")
            } else {
                seen.push(key);
                continue;
            };
            let mut refusal = Refusal::bad(wrong);
            refusal.body.place = Some(spot(text, span.start));
            return Err(match veschub_scenario::closest(key, keys.iter().copied()) {
                Some(close) if close != key => refusal.help(format!("did you mean `{close}`?")),
                _ if keys.is_empty() => refusal.help("no key is known here"),
                _ => refusal.help(format!("known are {}", keys.join(", "))),
            });
        }
        Ok(Self { text, members })
    }

    /// The value of a key, if it is written and not null.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Refusal> {
        let Some(span) = self.span(key) else {
            return Ok(None);
        };
        let text = self.text.get(span.clone()).unwrap_or_default();
        serde_json::from_str(text).map(Some).map_err(|error| {
            let mut refusal = Refusal::of_json(&error, text);
            refusal.body.error = format!("`{key}`: {}", refusal.body.error);
            refusal.body.place = Some(spot(self.text, span.start));
            refusal
        })
    }

    /// The value of a key that has to be there.
    pub(crate) fn need<T: DeserializeOwned>(&self, key: &str) -> Result<T, Refusal> {
        self.get(key)?
            .ok_or_else(|| Refusal::bad(format!("the key `{key}` is missing")))
    }

    /// Reads the value of a key as part of a scenario: `before` and `behind` are what stands around it there. `before`
    /// may have one line only, as the whole must be written in braces. The settings are those of `--set`.
    pub(crate) fn scenario(
        &self,
        key: &str,
        before: &str,
        behind: &str,
        settings: &[String],
    ) -> Result<Option<Loaded>, Refusal> {
        let Some(span) = self.span(key) else {
            return Ok(None);
        };
        scenario(self.text, span, (before, behind), settings).map(Some)
    }

    /// Where the value of a key stands.
    pub(crate) fn spot(&self, key: &str) -> Option<Spot> {
        Some(spot(self.text, self.span(key)?.start))
    }

    fn span(&self, key: &str) -> Option<Range<usize>> {
        let (_, span) = self.members.iter().find(|(known, _)| known == key)?;
        let is_null = self.text.get(span.clone()) == Some("null");
        (!is_null).then(|| span.clone())
    }
}

/// A whole body as part of a scenario, as [`Body::scenario`] reads a part of one.
pub(crate) fn whole(text: &str, before: &str, behind: &str) -> Result<Loaded, Refusal> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    // What is no JSON is told as such.
    serde_json::from_str::<Value>(text).map_err(|error| Refusal::of_json(&error, text))?;
    scenario(text, 0..text.len(), (before, behind), &[])
}

fn scenario(
    text: &str,
    span: Range<usize>,
    (before, behind): (&str, &str),
    settings: &[String],
) -> Result<Loaded, Refusal> {
    let blank = |part: &str| -> String {
        let blanked = part.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        blanked.collect()
    };
    let around = blank(text.get(..span.start).unwrap_or_default());
    let value = in_yaml(text.get(span).unwrap_or_default());
    let scenario = format!("{before}\n{around}{value}{behind}");
    Loaded::parse_with("body", &scenario, settings)
        .map_err(|error| Refusal::of_scenario(&error, text, 1))
}

/// JSON as YAML, which has no pairs of escapes for one character: those become the character itself.
fn in_yaml(json: &str) -> String {
    let mut yaml = String::new();
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        yaml.push_str(before);
        let pair = escape
            .get(..12)
            .filter(|pair| pair.get(6..8) == Some("\\u"));
        let quoted = pair.map(|pair| serde_json::from_str::<String>(&format!("\"{pair}\"")));
        let (kept, len) = match quoted {
            Some(Ok(one)) if one.chars().count() == 1 => (one, 12),
            // The escape and what it escapes, which may be another backslash.
            _ => {
                let len = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                (escape.get(..len).unwrap_or_default().to_owned(), len)
            }
        };
        yaml.push_str(&kept);
        rest = escape.get(len..).unwrap_or_default();
    }
    yaml.push_str(rest);
    yaml
}

/// The place of a byte.
fn spot(text: &str, at: usize) -> Spot {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    Spot::new(text, line, column)
}

/// The members of an object that is known to be JSON: each key, and where its value stands.
fn members(text: &str) -> Vec<(String, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut depth, mut at) = (0_usize, 0);
    let mut key: Option<String> = None;
    let mut value: Option<usize> = None;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        let mut is_key = None;
        match byte {
            b'"' => {
                while let Some(&inner) = bytes.get(at) {
                    at += if inner == b'\\' { 2 } else { 1 };
                    if inner == b'"' {
                        break;
                    }
                }
                if depth == 1 && key.is_none() {
                    is_key = text.get(start..at);
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' | b'\n' | b':' => continue,
            _ => {}
        }
        if let Some(written) = is_key {
            key = serde_json::from_str(written).ok();
            value = None;
        } else if (byte == b',' && depth == 1) || (byte == b'}' && depth == 0) {
            if let (Some(key), Some(value)) = (key.take(), value.take()) {
                let written = text.get(value..start).unwrap_or_default().trim_end();
                found.push((key, value..value + written.len()));
            }
        } else if key.is_some() && value.is_none() {
            value = Some(start);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_with_their_places() {
        let text = r#" { "a\"b" : [1, {"x": 2}], "c":"}," ,"d" : null } "#;
        let found: Vec<(String, &str)> = members(text)
            .into_iter()
            .map(|(key, span)| (key, &text[span]))
            .collect();
        let expected = [
            ("a\"b", r#"[1, {"x": 2}]"#),
            ("c", r#""},""#),
            ("d", "null"),
        ];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value)));
        assert!(members("{}").is_empty());
    }

    #[test]
    fn a_character_in_two_escapes_is_one_character() {
        for (json, yaml) in [
            (r#""\ud83d\ude00 \u00e9""#, "\"\u{1f600} \\u00e9\""),
            (r#""\\ud83d\\ude00""#, r#""\\ud83d\\ude00""#),
            (r#""\u0041\u0042\n""#, r#""\u0041\u0042\n""#),
            ("\"\u{1f600}\"", "\"\u{1f600}\""),
        ] {
            assert_eq!(in_yaml(json), yaml);
        }
        let text = r#"{"device": {"express": {"id": "pack-\ud83d\ude00", "password": "x"}}}"#;
        let body = Body::read(text, &["device"]).unwrap();
        let read = body.scenario("device", "{version: 1, devices: [", "]}", &[]);
        assert!(
            read.is_ok(),
            "{:?}",
            read.err().map(|refusal| refusal.body.error)
        );
    }

    #[test]
    fn a_mistake_of_the_scenario_language_is_shown_where_it_is_in_the_body() {
        let text = "{\n  \"device\": \"x\",\n  \"fault\": {\"delay\": {\"bye\": \"250ms\"}}\n}";
        let body = Body::read(text, &["device", "fault"]).unwrap();
        let before = "{version: 1, devices: [express: {id: somebody, password: x}], faults: [";
        let refusal = body.scenario("fault", before, "]}", &[]).unwrap_err();
        let place = refusal.body.place.unwrap();
        assert_eq!((place.line, place.column), (3, 23), "{place:?}");
        assert!(place.text.starts_with("\"bye\""), "{place:?}");
        assert!(refusal.body.code.is_some());
    }

    #[test]
    fn keys_that_nobody_knows_are_refused_with_the_closest_one() {
        let refusal = Body::read("{\"devise\": 1}", &["device"])
            .map(|_| ())
            .unwrap_err();
        assert_eq!(refusal.body.error, "unknown key `devise`");
        assert_eq!(refusal.body.help.as_deref(), Some("did you mean `device`?"));
        assert!(Body::read("[]", &["device"]).is_err());
        assert!(Body::read("{", &["device"]).is_err());
        assert!(Body::read("{\"device\": 1, \"device\": 2}", &["device"]).is_err());
        assert!(
            Body::read("", &["device"])
                .unwrap()
                .spot("device")
                .is_none()
        );
    }
}
