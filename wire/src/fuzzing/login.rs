//! `login_line`: any line is refused for the first reason that applies, or read so that it is written again the same.
//!
//! An input is what a peer sends: the line is what stands before the first line feed.

use alloc::{
    format,
    string::{String, ToString},
};

use crate::login::{LoginKind, LoginLine, LoginRefusal, normalise_id};

/// Reads a login line and compares it with the rules of the hub (docs/protocol.md, section 2.2), told plainly.
///
/// # Panics
/// If something does not hold.
pub fn login_line(data: &[u8]) {
    let line = data.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = line.split(|&byte| byte == 0).next().unwrap_or_default();
    let colons = text.iter().filter(|&&byte| byte == b':').count();
    let login = match LoginLine::parse(line) {
        Ok(login) => login,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            return match refusal {
                LoginRefusal::Empty => assert!(text.is_empty()),
                LoginRefusal::Parts(parts) => {
                    assert!(!text.is_empty() && colons != 2);
                    assert_eq!(parts, colons + 1);
                }
                LoginRefusal::ShortId(id) => {
                    assert_eq!(colons, 2);
                    assert!(id.encode_utf16().count() < 3);
                }
                LoginRefusal::UnknownKind(kind) => {
                    assert_eq!(colons, 2);
                    assert!(!["VESC", "VESCTOOL", "PING"].contains(&&*kind));
                }
            };
        }
    };
    assert_eq!(colons, 2);
    assert!(login.id.encode_utf16().count() >= 3 && !login.id.contains([' ', ':', '\n', '\0']));
    assert_eq!(
        normalise_id(&login.id),
        login.id,
        "an id is not normalised at once"
    );
    let wanted = text.split(|&byte| byte == b':').nth(2).unwrap_or_default();
    let password = login.password.reveal();
    assert_eq!(password, String::from_utf8_lossy(wanted));

    let again = login.encode();
    assert_eq!(again.last(), Some(&b'\n'));
    assert_eq!(
        LoginLine::parse(&again[..again.len() - 1]).as_ref(),
        Ok(&login)
    );
    let other = LoginLine::new(login.kind, &login.id, "another");
    assert_eq!(
        format!("{login:?}"),
        format!("{other:?}"),
        "a password is printed"
    );
    let known = [LoginKind::Device, LoginKind::Tool, LoginKind::Ping];
    assert!(known.contains(&login.kind));
}
