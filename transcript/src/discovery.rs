//! The datagram that tells apps where a device listens.
//!
//! Text `NAME::IP::PORT`, broadcast once a second; an Express puts a NUL behind it (`EX main/comm_wifi.c:315-344`),
//! VESC Tool does not (`VT vescinterface.cpp:227-239`). A receiver wants exactly three parts
//! (`VT pages/pageconnection.cpp:84-108`). As everywhere here, contents decide and not the port, which is usually 65109.

use std::net::{IpAddr, SocketAddr};

use veschub_wire::view::{Fields, Value, View};

/// Longer datagrams are not looked into.
const MAX_LEN: usize = 256;

/// Where a device says that it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Who sent the datagram.
    pub from: SocketAddr,
    /// Whom it was sent to, mostly everybody.
    pub to: SocketAddr,
    /// The device's name.
    pub name: String,
    /// Where its TCP server listens.
    pub listens: SocketAddr,
}

impl Discovery {
    /// Reads a datagram, `None` if it is something else.
    #[must_use]
    pub fn parse(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Option<Self> {
        if payload.len() > MAX_LEN {
            return None;
        }
        let text = payload.strip_suffix(b"\0").unwrap_or(payload);
        let text = std::str::from_utf8(text).ok()?;
        let parts: Vec<&str> = text.split("::").collect();
        let [name, address, port] = parts[..] else {
            return None;
        };
        let address: IpAddr = address.parse().ok()?;
        let listens = SocketAddr::new(address, port.parse().ok()?);
        let printable = !name.chars().any(char::is_control);
        printable.then(|| Self {
            from,
            to,
            name: name.to_owned(),
            listens,
        })
    }
}

impl View for Discovery {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("name", Value::Text(self.name.clone()));
        fields.push("listens", Value::Text(self.listens.to_string()));
        fields.push("from", Value::Text(self.from.to_string()));
        fields.push("to", Value::Text(self.to.to_string()));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(payload: &[u8]) -> Option<Discovery> {
        let from = "192.0.2.7:50000".parse().unwrap();
        let to = "192.0.2.255:65109".parse().unwrap();
        Discovery::parse(from, to, payload)
    }

    #[test]
    fn what_an_express_and_what_vesc_tool_send_are_read() {
        for payload in [
            &b"VESC abc::192.0.2.7::65102\0"[..],
            b"VESC abc::192.0.2.7::65102",
        ] {
            let told = parse(payload).unwrap();
            assert_eq!(told.name, "VESC abc");
            assert_eq!(told.listens, "192.0.2.7:65102".parse().unwrap());
        }
    }

    #[test]
    fn anything_else_is_not() {
        for payload in [
            &b""[..],
            b"::",
            b"name::192.0.2.7",
            b"name::192.0.2.7::65536",
            b"name::somewhere::65102",
            b"a::b::192.0.2.7::65102",
            b"na\nme::192.0.2.7::65102",
            b"\xFF::192.0.2.7::65102",
            &[b'x'; 300],
        ] {
            assert_eq!(parse(payload), None);
        }
    }
}
