//! How a client reaches the device: through a hub, directly, or on a serial line; and what a link cannot show.

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use veschub_hub::{fault::FaultEntry, hub::Hub};
use veschub_scenario::{Scenario, World, schema::Expectation};

use super::Variable;

/// What is between the client and the device.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// A VESCHub: TCP, with a login
    #[default]
    Hub,
    /// TCP to the device itself, or to a bridge: no login, and one tool at a time
    Direct,
    /// A pseudo-terminal, for clients that speak serial: no login and no connection
    Pty,
}

/// Where a client finds the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A hub on this port of 127.0.0.1.
    Hub(u16),
    /// The device on this port of 127.0.0.1.
    Direct(u16),
    /// The device on this terminal.
    Pty(PathBuf),
}

/// What a scenario or a case is about, as far as some link may lack it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The login to a hub.
    pub login: bool,
    /// A second tool or device at the hub.
    pub second: bool,
    /// How often the client connects, or that a connection ends.
    pub connections: bool,
}

/// What a link does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// There is no login.
    Login(Link),
    /// There is no second tool or device.
    Second(Link),
    /// There is nothing that can be opened, closed or reset.
    Connections(Link),
}

impl Link {
    /// Its name, as the command line and VESC_LINK have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Direct => "direct",
            Self::Pty => "pty",
        }
    }

    /// Why nothing about this subject can be seen on this link.
    #[must_use]
    pub fn lacks(self, subject: Subject) -> Option<Lack> {
        let Subject {
            login,
            second,
            connections,
        } = subject;
        match self {
            Self::Hub => None,
            Self::Direct | Self::Pty if login => Some(Lack::Login(self)),
            Self::Direct | Self::Pty if second => Some(Lack::Second(self)),
            Self::Pty if connections => Some(Lack::Connections(self)),
            Self::Direct | Self::Pty => None,
        }
    }

    /// How a client reaches the devices of this world: where the scenario has no hub, there is none.
    #[must_use]
    pub fn to(self, world: &World) -> Self {
        match self {
            Self::Hub if world.is_direct => Self::Direct,
            link => link,
        }
    }

    /// What serves the client: the hub, or its first device; `None` if there is no device.
    pub(crate) fn server(self, world: World) -> Option<Hub> {
        match self {
            Self::Hub => Some(world.into_hub()),
            Self::Direct | Self::Pty => world.into_device(),
        }
    }
}

impl Address {
    /// The link that leads there.
    #[must_use]
    pub fn link(&self) -> Link {
        match self {
            Self::Hub(_) => Link::Hub,
            Self::Direct(_) => Link::Direct,
            Self::Pty(_) => Link::Pty,
        }
    }

    /// The environment variables that say where it is.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let link = ("VESC_LINK", self.link().name().to_owned());
        match self {
            Self::Hub(port) | Self::Direct(port) => vec![
                link,
                ("VESC_HOST", "127.0.0.1".to_owned()),
                ("VESC_PORT", port.to_string()),
            ],
            Self::Pty(path) => vec![link, ("VESC_PTY", path.display().to_string())],
        }
    }
}

impl Subject {
    /// What a scenario is about.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let login = scenario.client.login();
        let refused = |one: &Expectation| matches!(one, Expectation::LoginRefused);
        let ends = |fault: &FaultEntry| {
            matches!(
                fault,
                FaultEntry::HalfClose(_) | FaultEntry::Reset(_) | FaultEntry::SlowClose(_)
            )
        };
        Self {
            login: login.id.is_some()
                || login.password.is_some()
                || login.pause_after.is_some()
                || scenario.expect.iter().any(refused),
            second: false,
            connections: scenario.faults.iter().any(ends),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(link) => write!(
                f,
                "it is about the login to a hub, and with --link {link} there is none"
            ),
            Self::Second(link) => write!(
                f,
                "it needs a second tool or device at a hub, and with --link {link} there is no hub"
            ),
            Self::Connections(link) => write!(
                f,
                "it is about connections, and with --link {link} there are none"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use veschub_scenario::Loaded;

    use super::*;

    fn subject(more: &str) -> Subject {
        let text = format!(
            "version: 1\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret, bms: {{ cells: 4 }} }}\n{more}\n"
        );
        Subject::of(&Loaded::parse("test", &text).unwrap().scenario)
    }

    #[test]
    fn a_link_without_a_hub_cannot_show_a_login_and_a_serial_line_no_connection() {
        let login = "client: { read-bms: { login: { password: wrong } } }";
        let refused = "expect: [login-refused]";
        let reset = "faults: [reset: {}]";
        let closed = "faults: [half-close: { keep: 0 }]";
        let slow = "faults: [slow-close: { by: 5s }]";
        let values =
            "client: { poll-bms: { every: 1s, for: 2s } }\nfaults: [drop: { when: { every: 2 } }]";
        for (more, direct, pty) in [
            (values, None, None),
            (
                login,
                Some(Lack::Login(Link::Direct)),
                Some(Lack::Login(Link::Pty)),
            ),
            (
                refused,
                Some(Lack::Login(Link::Direct)),
                Some(Lack::Login(Link::Pty)),
            ),
            (reset, None, Some(Lack::Connections(Link::Pty))),
            (closed, None, Some(Lack::Connections(Link::Pty))),
            (slow, None, Some(Lack::Connections(Link::Pty))),
        ] {
            let subject = subject(more);
            assert_eq!(Link::Hub.lacks(subject), None, "{more}");
            assert_eq!(Link::Direct.lacks(subject), direct, "{more}");
            assert_eq!(Link::Pty.lacks(subject), pty, "{more}");
        }
    }

    #[test]
    fn without_a_hub_there_is_no_second_tool() {
        let subject = Subject {
            second: true,
            ..Subject::default()
        };
        assert_eq!(Link::Hub.lacks(subject), None);
        assert_eq!(
            Link::Direct.lacks(subject),
            Some(Lack::Second(Link::Direct))
        );
        assert_eq!(Link::Pty.lacks(subject), Some(Lack::Second(Link::Pty)));
    }
}
