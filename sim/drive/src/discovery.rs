//! Datagrams that tell apps on the network where a device listens (`EX main/comm_wifi.c:315-344`).

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    time::{MissedTickBehavior, interval},
};

/// The port that apps listen at.
pub const DISCOVERY_PORT: u16 = 65109;
/// From one datagram to the next.
pub const DISCOVERY_INTERVAL: Duration = Duration::from_secs(1);
/// The longest name that an Express can have.
const MAX_NAME: usize = 8;

/// What a datagram says: name, address and port between colons, and the NUL that an Express sends with it.
///
/// Of the name only as many characters are told as an Express can have.
#[must_use]
pub fn datagram(name: &str, ip: Ipv4Addr, port: u16) -> Vec<u8> {
    let name: String = name.chars().take(MAX_NAME).collect();
    format!("{name}::{ip}::{port}\0").into_bytes()
}

/// Tells again and again where a device listens.
#[derive(Debug)]
pub struct Discovery {
    socket: UdpSocket,
    datagram: Vec<u8>,
}

impl Discovery {
    /// Gets ready to tell `to` that the device with this name listens at `listening`.
    ///
    /// A device that listens at every address is said to be at the one from which `to` is reached.
    ///
    /// # Errors
    /// If there is no way to `to`, or if the address is of IPv6, which the datagrams have no form for.
    pub async fn new(name: &str, listening: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.set_broadcast(true)?;
        socket.connect(to).await?;
        let ip = match listening.ip() {
            ip if ip.is_unspecified() => socket.local_addr()?.ip(),
            ip => ip,
        };
        let IpAddr::V4(ip) = ip else {
            let reason = "discovery datagrams can only tell an IPv4 address";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        };
        let datagram = datagram(name, ip, listening.port());
        Ok(Self { socket, datagram })
    }

    /// What it tells, without the NUL.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.datagram)
            .trim_end_matches('\0')
            .to_owned()
    }

    /// Tells it every second.
    pub async fn run(self) -> Infallible {
        let mut ticks = interval(DISCOVERY_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // That nobody listens may be reported as an error of the next datagram.
            let _ = self.socket.send(&self.datagram).await;
        }
    }
}
