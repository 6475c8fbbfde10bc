//! `--control` of the live commands: the hub can be watched and steered over HTTP.

use std::{env, fs, io, net::SocketAddr, path::PathBuf};

use clap::Args;
use veschub_control::{About, BadToken, Control, MOST_CONNECTIONS, Running, Token};
use veschub_drive::{
    clock::Clock,
    remote::{Remote, Steering, remote},
};

use super::Failure;

/// The environment variable that may hold the token.
const TOKEN: &str = "VESCHUB_CONTROL_TOKEN";

/// Where the control API listens, and who may use it.
#[derive(Debug, Args)]
pub(super) struct ControlArgs {
    /// Serve the control API and its page over HTTP at this address and port: watch and steer the hub while it runs;
    /// port 0 picks a free one
    #[arg(long, value_name = "ADDR", value_parser = super::address)]
    control: Option<SocketAddr>,
    /// Let only those use the control API who know the token in this file, or in VESCHUB_CONTROL_TOKEN; needed unless
    /// it listens at a loopback address
    #[arg(long, value_name = "FILE", requires = "control")]
    control_token_file: Option<PathBuf>,
}

impl ControlArgs {
    /// Whether the control API is wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.control.is_some()
    }

    /// Refuses what is not served on a TCP port.
    pub(super) fn needs_tcp(&self, what: &str) -> Result<(), Failure> {
        match self.control {
            Some(_) => Err(Failure::Text(format!(
                "--control serves what listens on a TCP port, and this is {what}"
            ))),
            None => Ok(()),
        }
    }

    /// Listens, if that is wanted; the hub listens at `hub`.
    pub(super) fn bind(&self, hub: SocketAddr) -> Result<Option<Control>, Failure> {
        let Some(address) = self.control else {
            return Ok(None);
        };
        let token = self.token()?;
        if token.is_none() && !address.ip().is_loopback() {
            return Err(Failure::Text(format!(
                "--control {address}: others can reach this address, so the control API needs a token: name a file that \
                 holds one with --control-token-file, or set {TOKEN}"
            )));
        }
        let bound = Control::bind(address, token, hub.port());
        bound.map(Some).map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => "the port is in use: use port 0 for a free one",
                io::ErrorKind::PermissionDenied => "not allowed: take a port above 1023",
                io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
                _ => "check the address",
            };
            Failure::Text(format!("--control {address}: {advice} ({error})"))
        })
    }

    fn token(&self) -> Result<Option<Token>, Failure> {
        let (text, source) = match (&self.control_token_file, env::var(TOKEN)) {
            (Some(path), _) => {
                let name = path.display().to_string();
                let text = fs::read_to_string(path).map_err(|error| {
                    Failure::Text(format!("cannot read the token in {name}: {error}"))
                })?;
                (text, name)
            }
            (None, Ok(text)) => (text, TOKEN.to_owned()),
            (None, Err(env::VarError::NotPresent)) => return Ok(None),
            (None, Err(env::VarError::NotUnicode(_))) => {
                return Err(Failure::Text(format!("{TOKEN}: {}", BadToken::Unsendable)));
            }
        };
        Token::new(&text)
            .map(Some)
            .map_err(|error| Failure::Text(format!("{source}: {error}")))
    }
}

/// How a hub is steered, by the control API, if there is one, or by whoever has the remote.
pub(super) struct Steered {
    /// Runs the control API.
    pub(super) running: Option<Running>,
    pub(super) remote: Option<Remote>,
    pub(super) steering: Steering,
}

/// Starts the control API, if there is one. Without it, and unless `others` steer the hub too, nothing steers it.
pub(super) fn start(
    control: Option<Control>,
    about: About,
    hub: SocketAddr,
    time_scale: f64,
    others: bool,
) -> Result<Steered, Failure> {
    let clock = Clock::starting_now(time_scale);
    if control.is_none() && !others {
        return Ok(Steered {
            running: None,
            remote: None,
            steering: Steering {
                clock,
                orders: None,
            },
        });
    }
    let (remote, orders) = remote();
    let running = control.map(|control| control.start(remote.clone(), about, hub));
    let running = running
        .transpose()
        .map_err(|error| Failure::Text(format!("cannot start the control API: {error}")))?;
    Ok(Steered {
        running,
        remote: Some(remote),
        steering: Steering {
            clock,
            orders: Some(orders),
        },
    })
}

/// The most connections to the hub, of those that the system allows: some are left for the control API.
pub(super) fn most_connections(allowed: usize, args: &ControlArgs) -> usize {
    match args.is_wanted() {
        true => allowed.saturating_sub(MOST_CONNECTIONS).max(1),
        false => allowed,
    }
}
