//! Who may talk to the control API: who knows the token, if there is one, and no page of somebody else.
//!
//! A browser sends requests for any page that it shows, to loopback too. It says in `Origin` which page wants it, so a
//! foreign one is refused. A page can also give its own name the address 127.0.0.1 (DNS rebinding) and so become the
//! origin; then `Host` is that name, so without a token only `localhost` and addresses are taken.

use std::{fmt, net::IpAddr};

use axum::{
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::error::Refusal;

/// The cookie that holds the token, for the page.
const COOKIE: &str = "veschub-control";

/// A secret that whoever uses the control API must know.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Why a text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It would keep nobody out.
    #[error("the token is empty")]
    Empty,
    /// It could not be sent in a header.
    #[error("the token has a character that is not a letter, a digit or one of - . _ ~ + / =")]
    Unsendable,
}

impl Token {
    /// A token without the blanks around it.
    ///
    /// # Errors
    /// If it is empty, or cannot stand behind `Authorization: Bearer`.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        let text = text.trim();
        let sendable = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
        match text {
            "" => Err(BadToken::Empty),
            _ if !text.chars().all(sendable) => Err(BadToken::Unsendable),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// In a time that does not depend on where they differ.
    fn is(&self, other: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), other.as_bytes());
        let differing = own.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
        own.len() == other.len() && differing == 0
    }
}

/// What a request has to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(pub(crate) Option<Token>);

impl Guard {
    /// Refuses a request of a foreign page, or without the token.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = text(headers, header::HOST);
        self.check_host(host)?;
        if headers.contains_key(header::ORIGIN) {
            let origin = text(headers, header::ORIGIN).unwrap_or_default();
            let (_, name) = origin.split_once("://").unwrap_or(("", ""));
            if name.is_empty() || Some(name) != host {
                return Err(foreign(&format!(
                    "the page {origin:?} is not of this server"
                )));
            }
        }
        // A browser that sends no Origin says this; older ones say neither, and cannot read the answer.
        if let Some("cross-site" | "same-site") = text(headers, "sec-fetch-site".parse().ok())
            .filter(|_| text(headers, "sec-fetch-mode".parse().ok()) != Some("navigate"))
        {
            return Err(foreign("a page of another server wants this"));
        }
        let Some(token) = &self.0 else {
            return Ok(());
        };
        if matches!(uri.path(), "/health" | "/ready") {
            return Ok(());
        }
        let given = given_token(headers);
        match given {
            Some(given) if token.is(given) => Ok(()),
            Some(_) => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "this is not the token",
            )),
            None => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "this server wants a token",
            )),
        }
        .map_err(|refusal| {
            refusal
                .help("send `Authorization: Bearer TOKEN`; for the page, open /?token=TOKEN once")
        })
    }

    fn check_host(&self, host: Option<&str>) -> Result<(), Refusal> {
        // Who knows the token may come by any name.
        if self.0.is_some() {
            return Ok(());
        }
        let name = host.map(|host| match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        });
        let is_local = name.is_some_and(|name| {
            let address = name.trim_start_matches('[').trim_end_matches(']');
            name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
        });
        if is_local {
            return Ok(());
        }
        Err(foreign(&format!(
            "the host {:?} is not the name of this machine",
            host.unwrap_or_default()
        ))
        .help("use localhost or the address, or start the server with --control-token-file"))
    }

    /// The answer to a page that is opened with the right token: a cookie, and the page without the token.
    pub(crate) fn welcome(&self, uri: &Uri) -> Option<Response> {
        let token = self.0.as_ref().filter(|_| uri.path() == "/")?;
        let mut pairs = uri.query()?.split('&');
        let given = pairs.find_map(|pair| pair.strip_prefix("token="))?;
        // A token may have a letter that a query writes with a percent sign.
        let given = given
            .replace("%2B", "+")
            .replace("%2F", "/")
            .replace("%3D", "=");
        if !token.is(&given) {
            return None;
        }
        let cookie = format!("{COOKIE}={given}; Path=/; HttpOnly; SameSite=Strict");
        let headers = [
            (header::LOCATION, "/".to_owned()),
            (header::SET_COOKIE, cookie),
        ];
        Some((StatusCode::SEE_OTHER, headers).into_response())
    }
}

fn foreign(error: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, error)
}

fn given_token(headers: &HeaderMap) -> Option<&str> {
    let bearer = text(headers, header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer.or_else(|| {
        let cookies = text(headers, header::COOKIE)?.split(';');
        let mut named = cookies.filter_map(|one| one.trim().split_once('='));
        named.find_map(|(name, value)| (name == COOKIE).then_some(value))
    })
}

fn text(headers: &HeaderMap, name: impl Into<Option<header::HeaderName>>) -> Option<&str> {
    headers.get(name.into()?)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn status(token: Option<&str>, path: &str, headers: &[(&'static str, &'static str)]) -> u16 {
        let guard = Guard(token.map(|token| Token::new(token).unwrap()));
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        match guard.check(&path.parse().unwrap(), &headers) {
            Ok(()) => 200,
            Err(refusal) => refusal.status.as_u16(),
        }
    }

    #[test]
    fn pages_of_others_are_refused_and_programs_are_not() {
        let local = ("host", "127.0.0.1:8080");
        assert_eq!(status(None, "/v1/hub", &[local]), 200);
        assert_eq!(status(None, "/v1/hub", &[("host", "localhost:1")]), 200);
        assert_eq!(status(None, "/v1/hub", &[("host", "[::1]:1")]), 200);
        let own = ("origin", "http://127.0.0.1:8080");
        assert_eq!(status(None, "/v1/hub", &[local, own]), 200);
        for origin in [
            "http://127.0.0.1:8081",
            "http://attacker.invalid",
            "null",
            "",
            "http://127.0.0.1:8080.attacker.invalid",
        ] {
            assert_eq!(
                status(None, "/v1/hub", &[local, ("origin", origin)]),
                403,
                "{origin}"
            );
        }
        // DNS rebinding: the page's own name leads here.
        let name = ("host", "attacker.invalid:8080");
        let origin = ("origin", "http://attacker.invalid:8080");
        assert_eq!(status(None, "/v1/hub", &[name, origin]), 403);
        assert_eq!(status(None, "/v1/hub", &[name]), 403);
        assert_eq!(status(None, "/v1/hub", &[]), 403);
        assert_eq!(
            status(None, "/", &[local, ("sec-fetch-site", "cross-site")]),
            403
        );
        let link = ("sec-fetch-mode", "navigate");
        assert_eq!(
            status(None, "/", &[local, ("sec-fetch-site", "cross-site"), link]),
            200
        );
    }

    #[test]
    fn with_a_token_only_who_knows_it_comes_in() {
        let local = ("host", "somewhere.invalid:8080");
        let token = Some("s3cret");
        assert_eq!(status(token, "/v1/hub", &[local]), 401);
        assert_eq!(
            status(
                token,
                "/v1/hub",
                &[local, ("authorization", "Bearer s3cret")]
            ),
            200
        );
        for wrong in [
            "Bearer s3cre",
            "Bearer s3cret2",
            "Basic s3cret",
            "s3cret",
            "Bearer ",
        ] {
            assert_eq!(
                status(token, "/v1/hub", &[local, ("authorization", wrong)]),
                401,
                "{wrong}"
            );
        }
        let cookie = ("cookie", "other=1; veschub-control=s3cret");
        assert_eq!(status(token, "/v1/hub", &[local, cookie]), 200);
        let foreign = ("origin", "http://attacker.invalid");
        assert_eq!(status(token, "/v1/hub", &[local, cookie, foreign]), 403);
        assert_eq!(status(token, "/health", &[local]), 200);
        let guard = Guard(Token::new("a+b=").ok());
        assert!(
            guard
                .welcome(&"/?token=a%2Bb%3D".parse().unwrap())
                .is_some()
        );
        assert!(guard.welcome(&"/?token=a".parse().unwrap()).is_none());
        assert!(
            guard
                .welcome(&"/v1/hub?token=a+b=".parse().unwrap())
                .is_none()
        );
        assert_eq!(Token::new(" \n").unwrap_err(), BadToken::Empty);
        assert_eq!(Token::new("a b").unwrap_err(), BadToken::Unsendable);
    }
}
