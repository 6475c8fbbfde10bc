//! The command of a client under test: words as a shell splits them, with places to fill in. No shell is started.

use std::ffi::OsString;

use super::{Variable, link::Link};

/// The names that can stand in braces, each with the environment variable that holds the same.
pub const PLACES: [(&str, &str); 8] = [
    ("link", "VESC_LINK"),
    ("host", "VESC_HOST"),
    ("port", "VESC_PORT"),
    ("pty", "VESC_PTY"),
    ("id", "VESC_ID"),
    ("password", "VESC_PASSWORD"),
    ("timeout_ms", "VESC_TIMEOUT_MS"),
    ("task", "VESC_TASK"),
];

/// Why a text is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It cannot be split into words.
    #[error("a quote is not closed, or the last character is a backslash: {0}")]
    Unclosed(String),
    /// It has no words.
    #[error("the command is empty; write the program and its arguments")]
    Empty,
    /// The link has nothing that could be filled in for a place.
    #[error(
        "with --link {link} nothing can be filled in for {{{place}}}; it is empty without {needs}"
    )]
    NotOnThisLink {
        /// The place.
        place: &'static str,
        /// The link.
        link: Link,
        /// Where it is filled in.
        needs: &'static str,
    },
    /// Nothing can be filled in for a place.
    #[error("nothing can be filled in for {{{0}}}; there are {places}", places = places())]
    UnknownPlace(String),
}

fn places() -> String {
    let names = PLACES.iter().map(|(name, _)| format!("{{{name}}}"));
    names.collect::<Vec<_>>().join(", ")
}

/// A client's command, before its places are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    words: Vec<String>,
}

impl Template {
    /// Splits a command.
    ///
    /// # Errors
    /// If there is no command, a quote is not closed, or nothing can be filled in for a place.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let words = shlex::split(text).ok_or_else(|| CommandError::Unclosed(text.to_owned()))?;
        if words.is_empty() {
            return Err(CommandError::Empty);
        }
        if let Some(name) = words.iter().find_map(|word| unknown_place(word)) {
            return Err(CommandError::UnknownPlace(name.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            words,
        })
    }

    /// The command as the user wrote it, with its places.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks that everything that is to be filled in exists on a link.
    ///
    /// # Errors
    /// If a place has no value there.
    pub fn check(&self, link: Link) -> Result<(), CommandError> {
        let missing: &[(&str, &str)] = match link {
            Link::Hub => &[("pty", "--link pty")],
            Link::Direct => &[
                ("id", "--link hub"),
                ("password", "--link hub"),
                ("pty", "--link pty"),
            ],
            Link::Pty => &[
                ("host", "--link hub or direct"),
                ("port", "--link hub or direct"),
                ("id", "--link hub"),
                ("password", "--link hub"),
            ],
        };
        let used = |place: &str| {
            let place = format!("{{{place}}}");
            self.words.iter().any(|word| word.contains(&place))
        };
        match missing.iter().find(|(place, _)| used(place)) {
            Some(&(place, needs)) => Err(CommandError::NotOnThisLink { place, link, needs }),
            None => Ok(()),
        }
    }

    /// The words with everything filled in.
    #[must_use]
    pub fn fill(&self, environment: &[Variable]) -> Vec<OsString> {
        let fill = |word: &String| {
            let filled = PLACES.iter().fold(word.clone(), |word, (place, variable)| {
                let value = environment.iter().find(|(name, _)| name == variable);
                let value = value.map_or("", |(_, value)| value.as_str());
                word.replace(&format!("{{{place}}}"), value)
            });
            OsString::from(filled)
        };
        self.words.iter().map(fill).collect()
    }
}

/// The first `{word}` in a word that is not in [`PLACES`]. Other braces, as in JSON or awk, stay as they are.
fn unknown_place(word: &str) -> Option<&str> {
    word.split('{').skip(1).find_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        (is_name && !PLACES.iter().any(|(place, _)| *place == name)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Vec<OsString> {
        let environment = [
            ("VESC_HOST", "127.0.0.1".to_owned()),
            ("VESC_PORT", "4711".to_owned()),
            ("VESC_PASSWORD", "a b {host}".to_owned()),
        ];
        Template::parse(text).unwrap().fill(&environment)
    }

    #[test]
    fn words_are_split_as_a_shell_does_and_nothing_else_of_a_shell_happens() {
        assert_eq!(
            fill("my-client --hub '{host}:{port}' \"two words\" $HOME | cat"),
            [
                "my-client",
                "--hub",
                "127.0.0.1:4711",
                "two words",
                "$HOME",
                "|",
                "cat"
            ]
        );
    }

    #[test]
    fn what_is_filled_in_is_never_split_again() {
        assert_eq!(
            fill("c {password}")[1].to_str().unwrap().split(' ').count(),
            3
        );
    }

    #[test]
    fn braces_that_are_no_place_are_let_alone() {
        assert_eq!(fill("awk '{ print $1 }' '{}' '{\"a\": 1}'").len(), 4);
    }

    #[test]
    fn a_mistake_in_the_command_is_told() {
        let told = |text| Template::parse(text).unwrap_err().to_string();
        assert!(told("").contains("is empty"));
        assert!(told("a 'b").contains("not closed"));
        assert!(told("a {hots}").contains("{hots}; there are {link}, {host}, {port}"));
    }

    #[test]
    fn a_place_that_the_link_leaves_empty_is_told() {
        let check = |text, link| Template::parse(text).unwrap().check(link);
        assert_eq!(
            check("c {host} {port} {id} {password} {link}", Link::Hub),
            Ok(())
        );
        assert_eq!(check("c {host} {port} {timeout_ms}", Link::Direct), Ok(()));
        assert_eq!(check("c {pty} {task}", Link::Pty), Ok(()));
        for (text, link, told) in [
            (
                "c {pty}",
                Link::Hub,
                "with --link hub nothing can be filled in for {pty}",
            ),
            ("c {port} {password}", Link::Direct, "for {password}"),
            (
                "c {host}",
                Link::Pty,
                "for {host}; it is empty without --link hub or direct",
            ),
        ] {
            let error = check(text, link).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
