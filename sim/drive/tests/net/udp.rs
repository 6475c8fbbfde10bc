//! A device on a UDP port.

use std::net::SocketAddr;

use tokio::{net::UdpSocket, sync::oneshot, time::timeout};
use veschub_drive::udp;
use veschub_hub::{
    carrier::{LinkKeys, LinkKind},
    hub::{Hub, HubConfig, Resident},
    journal::JournalEntry,
};

use crate::house::{PATIENCE, frame, parrot};

/// A device that says everything again, and where it listens; it stops when the sender is dropped.
async fn served() -> (SocketAddr, oneshot::Sender<()>) {
    let resident = Resident {
        link: Some(LinkKeys {
            kind: LinkKind::Udp,
            module: None,
            mtu: None,
            excess: None,
            old_tail: None,
            gap: None,
        }),
        ..parrot("demo-0001", 1)
    };
    let device = Hub::direct(HubConfig::default(), resident);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        udp::serve(socket, device, |_: JournalEntry| {}, stopped)
            .await
            .unwrap();
    });
    (address, stop)
}

async fn client(device: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(device).await.unwrap();
    socket
}

async fn said_to(client: &UdpSocket) -> Vec<u8> {
    let mut datagram = [0; 2048];
    let length = timeout(PATIENCE, client.recv(&mut datagram)).await;
    datagram[..length.unwrap().unwrap()].to_vec()
}

#[tokio::test]
async fn each_reply_is_a_datagram_to_the_sender_of_the_last_one() {
    let (device, _stop) = served().await;
    let (one, other) = (client(device).await, client(device).await);
    let requests = [frame(&[1]), frame(&[2, 3])];
    // Two frames in one datagram are two replies.
    one.send(&requests.concat()).await.unwrap();
    assert_eq!(said_to(&one).await, requests[0]);
    assert_eq!(said_to(&one).await, requests[1]);
    // Half a frame of one client is completed by another, who gets the answer: there is one parser.
    let request = frame(&[4; 300]);
    one.send(&request[..100]).await.unwrap();
    one.send(&[]).await.unwrap();
    let probe = frame(&[5]);
    other.send(&request[100..]).await.unwrap();
    assert_eq!(said_to(&other).await, request);
    one.send(&probe).await.unwrap();
    assert_eq!(said_to(&one).await, probe);
}

#[tokio::test]
async fn a_client_that_is_gone_and_many_new_ones_stop_nothing() {
    let (device, _stop) = served().await;
    let gone = client(device).await;
    gone.send(&frame(&[1])).await.unwrap();
    drop(gone);
    let mut clients = Vec::new();
    for number in 0..100 {
        let client = client(device).await;
        let request = frame(&[2, number]);
        client.send(&request).await.unwrap();
        assert_eq!(said_to(&client).await, request);
        clients.push(client);
    }
    // The first is forgotten by now, and is served like a new one.
    let request = frame(&[3]);
    clients[0].send(&request).await.unwrap();
    assert_eq!(said_to(&clients[0]).await, request);
}
