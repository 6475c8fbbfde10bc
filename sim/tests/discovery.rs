//! Discovery datagrams: what they say, to whom and how often.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Command as Process, Stdio},
    time::{Duration, Instant},
};

use snapbox::{
    cmd::{Command, cargo_bin},
    str,
};
use tokio::{net::UdpSocket, time::timeout};
use veschub_drive::discovery::{DISCOVERY_INTERVAL, Discovery, datagram};

/// Far above what anything here takes; what takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// An app that waits for devices.
struct App(UdpSocket);

impl App {
    async fn new() -> Self {
        Self(UdpSocket::bind("127.0.0.1:0").await.unwrap())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    async fn hears(&self) -> Vec<u8> {
        let mut bytes = [0; 256];
        let count = timeout(PATIENCE, self.0.recv(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        bytes[..count].to_vec()
    }
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

#[test]
fn a_datagram_is_name_address_and_port_and_a_nul() {
    let ip = Ipv4Addr::new(192, 168, 4, 1);
    assert_eq!(
        datagram("Express", ip, 65102),
        b"Express::192.168.4.1::65102\0"
    );
}

#[test]
fn a_name_is_cut_to_what_an_express_can_have() {
    let told = datagram("DEMO-0001", Ipv4Addr::LOCALHOST, 1);
    assert_eq!(told, b"DEMO-000::127.0.0.1::1\0");
}

#[tokio::test]
async fn it_is_told_every_second() {
    let app = App::new().await;
    let discovery = Discovery::new("Express", at("127.0.0.1:65102"), app.address())
        .await
        .unwrap();
    assert_eq!(discovery.text(), "Express::127.0.0.1::65102");
    let task = tokio::spawn(discovery.run());
    assert_eq!(app.hears().await, b"Express::127.0.0.1::65102\0");
    let first = Instant::now();
    assert_eq!(app.hears().await, b"Express::127.0.0.1::65102\0");
    // The first one may have waited for us a little.
    assert!(first.elapsed() > DISCOVERY_INTERVAL / 2);
    task.abort();
}

#[tokio::test]
async fn a_device_that_listens_everywhere_tells_the_address_that_can_be_reached() {
    let app = App::new().await;
    let discovery = Discovery::new("Express", at("0.0.0.0:65102"), app.address())
        .await
        .unwrap();
    assert_eq!(discovery.text(), "Express::127.0.0.1::65102");
}

#[tokio::test]
async fn an_address_with_colons_cannot_be_told() {
    let app = App::new().await;
    let refused = Discovery::new("Express", at("[::1]:65102"), app.address()).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "discovery datagrams can only tell an IPv4 address"
    );
}

#[tokio::test]
async fn the_command_tells_where_it_listens() {
    let app = App::new().await;
    let mut child = Process::new(cargo_bin!("veschub-sim"))
        .args(["serve", "--demo", "--direct", "--listen", "127.0.0.1:0"])
        .args(["--discover", &app.address().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let told = String::from_utf8(app.hears().await).unwrap();
    child.kill().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.wait().unwrap();
    let port = line.trim_end().strip_prefix("listening on 127.0.0.1:");
    assert_eq!(told, format!("DEMO-000::127.0.0.1::{}\0", port.unwrap()));
}

#[test]
fn a_hub_is_not_told_of() {
    Command::new(cargo_bin!("veschub-sim"))
        .args(["serve", "--demo", "--discover"])
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: --discover is for one device without a hub: add --direct for the first device, or --direct ID

"#]]);
}
