//! The login line: `TYPE:ID:PASSWORD`, ended by a line feed.
//!
//! The rules are the reference hub's (`vesc_tool tcphub.cpp:81-182`): the line is cut at every colon and must give
//! exactly three parts; type and id are upper-cased and lose their blanks, the password is compared as it is.
//! An accepted login is answered with silence, a refused one with a closed connection.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

/// Who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoginKind {
    /// `VESC`: a device, which waits for tools under its id.
    Device,
    /// `VESCTOOL`: a tool, which wants to talk to the device with that id.
    Tool,
    /// `PING`: somebody who asks whether a device with that id is there.
    Ping,
}

impl LoginKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "VESC",
            Self::Tool => "VESCTOOL",
            Self::Ping => "PING",
        }
    }
}

impl fmt::Display for LoginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A password, which is never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Password(String);

impl Password {
    /// Wraps a password as it is: case and blanks count.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password in clear, for comparing it or sending it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A login line that a hub can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginLine {
    /// Who logs in.
    pub kind: LoginKind,
    /// The device's id, normalised: see [`normalise_id`].
    pub id: String,
    /// The password as it was sent.
    pub password: Password,
}

/// Why a hub closes the connection instead of accepting a login line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// Nothing before the line feed, which the reference hub treats like a time-out.
    #[error("the login line is empty")]
    Empty,
    /// Not exactly three parts between colons.
    #[error(
        "the login line needs 3 parts between colons (TYPE:ID:PASSWORD) and has {0}; \
         an id or password with a colon can never log in"
    )]
    Parts(usize),
    /// An id that is too short once it is normalised.
    #[error("the id `{0}` has fewer than 3 characters")]
    ShortId(String),
    /// A type that the hub does not know.
    #[error("the login type `{0}` is none of VESC, VESCTOOL and PING")]
    UnknownKind(String),
}

impl LoginLine {
    /// A login line for this device id.
    pub fn new(kind: LoginKind, id: &str, password: impl Into<String>) -> Self {
        Self {
            kind,
            id: normalise_id(id),
            password: Password::new(password),
        }
    }

    /// Reads a line, given without its line feed.
    ///
    /// Text that is not UTF-8 is read with replacement characters, and a NUL ends the line early, as in
    /// the reference hub.
    ///
    /// # Errors
    /// The reason for which a hub closes the connection.
    pub fn parse(line: &[u8]) -> Result<Self, LoginRefusal> {
        let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
        if line.is_empty() {
            return Err(LoginRefusal::Empty);
        }
        let text = String::from_utf8_lossy(line);
        let parts: Vec<&str> = text.split(':').collect();
        let [kind, id, password] = parts[..] else {
            return Err(LoginRefusal::Parts(parts.len()));
        };
        let id = normalise_id(id);
        // Qt counts UTF-16 units.
        if id.encode_utf16().count() < 3 {
            return Err(LoginRefusal::ShortId(id));
        }
        let kind = match normalise_id(kind).as_str() {
            "VESC" => LoginKind::Device,
            "VESCTOOL" => LoginKind::Tool,
            "PING" => LoginKind::Ping,
            other => return Err(LoginRefusal::UnknownKind(other.to_owned())),
        };
        Ok(Self {
            kind,
            id,
            password: Password::new(password),
        })
    }

    /// The line with its line feed, as VESC Tool sends it: no carriage return, no NUL.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        format!("{}:{}:{}\n", self.kind, self.id, self.password.reveal()).into_bytes()
    }
}

/// An id as a hub compares it: upper case, without blanks (`vesc_tool tcphub.cpp:99-100`).
#[must_use]
pub fn normalise_id(id: &str) -> String {
    id.to_uppercase().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_id_are_normalised_and_the_password_is_not() {
        let login = LoginLine::parse(b"vesc tool: my-Id 1 :Pass Word").unwrap();
        assert_eq!(login.kind, LoginKind::Tool);
        assert_eq!(login.id, "MY-ID1");
        assert_eq!(login.password.reveal(), "Pass Word");
        assert_eq!(
            LoginLine::parse(b"pi ng:abc:0").unwrap().kind,
            LoginKind::Ping
        );
    }

    #[test]
    fn a_carriage_return_becomes_part_of_the_password() {
        let login = LoginLine::parse(b"VESCTOOL:ABC:secret\r").unwrap();
        assert_eq!(login.password.reveal(), "secret\r");
    }

    #[test]
    fn what_follows_a_nul_is_not_part_of_the_line() {
        let login = LoginLine::parse(b"VESC:ABC:secret\0:rest").unwrap();
        assert_eq!(login.password.reveal(), "secret");
    }

    #[test]
    fn each_malformed_line_has_its_reason() {
        for (line, reason) in [
            (&b""[..], LoginRefusal::Empty),
            (b"VESCTOOL:ABC", LoginRefusal::Parts(2)),
            (b"VESCTOOL:ABC:pass:word", LoginRefusal::Parts(4)),
            (b"VESCTOOL:a b:x", LoginRefusal::ShortId("AB".into())),
            (b"HTTP:ABC:x", LoginRefusal::UnknownKind("HTTP".into())),
        ] {
            assert_eq!(LoginLine::parse(line), Err(reason), "{line:?}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let login = LoginLine::new(LoginKind::Tool, "demo-0001", "not-a-secret");
        assert!(!format!("{login:?}").contains("secret"));
        assert_eq!(format!("{0} {0:?}", login.password), "*** ***");
        assert_eq!(login.encode(), b"VESCTOOL:DEMO-0001:not-a-secret\n");
    }
}
