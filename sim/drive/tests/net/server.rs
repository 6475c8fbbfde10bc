//! What only TCP can show: ends, floods, crowds, and a recorded session asked over a socket.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use veschub_hub::{
    device::{
        Replay,
        replay::{Pace, Recording},
    },
    hub::{Access, HubConfig, Resident},
    journal::{Closed, JournalEvent},
};
use veschub_transcript::{Options, Transcript};
use veschub_wire::{LoginKind, LoginLine};

use crate::house::{BMS, House, LOGIN, MOST, PATIENCE, deaf, frame, parrot};

fn garbage() -> Vec<u8> {
    let byte = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..1_000_000)
        .map(byte)
        .filter(|&byte| byte != b'\n')
        .collect()
}

#[tokio::test]
async fn a_tool_logs_in_asks_and_is_answered() {
    let mut house = House::open().await;
    let mut tool = house.login(LOGIN).await;
    assert_eq!(tool.asks(&[BMS]).await, [BMS]);
    assert_eq!(tool.asks(&[7; 512]).await, [7; 512]);
    house.shut_down().await;
}

#[tokio::test]
async fn a_ping_is_answered_and_ended() {
    let house = House::open().await;
    let mut peer = house.connect().await;
    peer.send(b"PING:demo-0001:0\n").await;
    assert_eq!(peer.rest().await.unwrap(), b"PONG\n");
    house.shut_down().await;
}

#[tokio::test]
async fn a_refused_login_is_a_clean_end() {
    let house = House::open().await;
    let mut tool = house.connect().await;
    tool.send(b"VESCTOOL:demo-0001:wrong\n").await;
    assert_eq!(tool.rest().await.unwrap(), b"");
    house.shut_down().await;
}

#[tokio::test]
async fn a_refused_login_is_a_clean_end_also_when_more_was_sent_with_it() {
    let house = House::open().await;
    let mut tool = house.connect().await;
    tool.send(b"VESCTOOL:demo-0001:wrong\n").await;
    for _ in 0..10 {
        tool.send(&[0x55; 50_000]).await;
    }
    assert_eq!(tool.rest().await.unwrap(), b"");
    house.shut_down().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_ended_at_the_limit() {
    let limit = Duration::from_millis(80);
    let config = HubConfig {
        login_timeout: limit,
        ..HubConfig::default()
    };
    let house = House::with(config, vec![parrot("demo-0001", 1)]).await;
    let start = Instant::now();
    let mut silent = house.connect().await;
    assert_eq!(silent.rest().await.unwrap(), b"");
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    house.shut_down().await;
}

#[tokio::test]
async fn a_megabyte_of_garbage_stops_nobody_else() {
    let mut house = House::open().await;
    let mut other = house.login(b"VESCTOOL:demo-0002:not-a-secret\n").await;

    let mut before_login = house.connect().await;
    // The hub may have enough before all is sent.
    let _ = before_login.stream.write_all(&garbage()).await;
    let refused = house
        .happens(|what| matches!(what, JournalEvent::LoginRefused { .. }))
        .await;
    assert!(refused.to_string().contains("no line feed"), "{refused}");
    assert_eq!(other.asks(&[BMS, 1]).await, [BMS, 1]);

    let mut after_login = house.login(LOGIN).await;
    after_login.send(&garbage()).await;
    assert_eq!(other.asks(&[BMS, 2]).await, [BMS, 2]);
    // Once what looked like the head of a frame is filled up, the same tool is served too.
    after_login.send(&[0; 520]).await;
    after_login.send(&frame(&[BMS, 3])).await;
    while after_login.reply().await != [BMS, 3] {}
    house.shut_down().await;
}

#[tokio::test]
async fn leaving_in_the_middle_of_a_frame_stops_nobody_else() {
    let mut house = House::open().await;
    let mut leaver = house.login(LOGIN).await;
    leaver.send(&frame(&[BMS])[..4]).await;
    drop(leaver);
    house
        .happens(|what| matches!(what, JournalEvent::PartialFrameLeft { bytes: 4, .. }))
        .await;
    house
        .happens(|what| matches!(what, JournalEvent::Closed(_)))
        .await;
    let mut next = house.login(LOGIN).await;
    assert_eq!(next.asks(&[BMS]).await, [BMS]);
    house.shut_down().await;
}

#[tokio::test]
async fn a_newer_tool_takes_over() {
    let mut house = House::open().await;
    let mut older = house.login(LOGIN).await;
    assert_eq!(older.asks(&[1]).await, [1]);
    let mut newer = house.login(LOGIN).await;
    assert_eq!(older.rest().await.unwrap(), b"");
    assert_eq!(newer.asks(&[2]).await, [2]);
    house.shut_down().await;
}

#[tokio::test]
async fn a_peer_that_floods_and_never_reads_is_dropped() {
    let config = HubConfig {
        max_unsent: 1024 * 1024,
        ..HubConfig::default()
    };
    let mut house = House::with(
        config,
        vec![parrot("demo-0001", 100), parrot("demo-0002", 1)],
    )
    .await;
    let mut flooder = house.login(LOGIN).await;
    let request = frame(&[BMS; 500]);
    // The system's own buffers take some megabytes before anything is unsent.
    let flood = async { while flooder.stream.write_all(&request).await.is_ok() {} };
    let dropped = house.happens(|what| *what == JournalEvent::Closed(Closed::Flooded));
    timeout(PATIENCE, async { tokio::join!(flood, dropped) })
        .await
        .unwrap();
    let mut other = house.login(b"VESCTOOL:demo-0002:not-a-secret\n").await;
    assert_eq!(other.asks(&[BMS]).await, [BMS]);
    house.shut_down().await;
}

#[tokio::test]
async fn many_that_come_and_go_leave_nothing_behind() {
    let mut house = House::open().await;
    for _ in 0..2 * MOST {
        let mut peer = house.connect().await;
        peer.send(b"PING:demo-0001:0\n").await;
        assert_eq!(peer.rest().await.unwrap(), b"PONG\n");
    }
    let mut tool = house.login(LOGIN).await;
    assert_eq!(tool.asks(&[BMS]).await, [BMS]);
    house.shut_down().await;
}

/// Whoever floods the hub waits for the others, and not they for it.
#[tokio::test]
async fn a_flood_lets_others_have_their_turn() {
    let residents = vec![deaf("demo-0001"), parrot("demo-0002", 1)];
    let mut house = House::with(HubConfig::default(), residents).await;
    let mut flooder = house.login(LOGIN).await;
    let mut good = house.login(b"VESCTOOL:demo-0002:not-a-secret\n").await;
    let flood = frame(&[7]).repeat(200_000);
    let flooding = tokio::spawn(async move {
        let _ = flooder.stream.write_all(&flood).await;
    });
    house
        .happens(|what| matches!(what, JournalEvent::Request(_)))
        .await;
    for _ in 0..20 {
        house.forget_requests();
        good.send(&frame(&[BMS])).await;
        let at_once = house.requests_until(&[BMS]).await;
        // A share is 170 of these requests. Some shares pass until the runtime looks at the sockets again.
        assert!(at_once < 20_000, "{at_once} requests were taken first");
        assert_eq!(good.reply().await, [BMS]);
    }
    flooding.abort();
    house.shut_down().await;
}

/// Too many connections are closed at once, and whoever watches the hub is told.
#[tokio::test]
async fn a_connection_too_many_is_closed_and_told() {
    let mut house = House::open().await;
    let mut peers = Vec::new();
    for _ in 0..MOST {
        peers.push(house.connect().await);
        house.happens(|what| *what == JournalEvent::Opened).await;
    }
    let mut further = house.connect().await;
    assert!(further.rest().await.map_or(true, |bytes| bytes.is_empty()));
    assert_eq!(house.refused().await, 1);
    house.shut_down().await;
}

#[tokio::test]
async fn shutting_down_ends_every_connection() {
    let mut house = House::open().await;
    let mut tool = house.login(LOGIN).await;
    let mut silent = house.connect().await;
    house.happens(|what| *what == JournalEvent::Opened).await;
    let address = house.address;
    house.shut_down().await;
    for peer in [&mut tool, &mut silent] {
        assert!(peer.rest().await.is_ok_and(|bytes| bytes.is_empty()));
    }
    assert!(TcpStream::connect(address).await.is_err());
}

/// Our own captures and those in the folder that the user names.
fn captures() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let extra = std::env::var_os("VESCHUB_EXTRA_CAPTURES").map(PathBuf::from);
    if extra.is_none() {
        eprintln!("skipped: VESCHUB_EXTRA_CAPTURES names no folder with more captures");
    }
    let folders = [Some(own), extra].into_iter().flatten();
    let files = folders
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let paths = files.map(|file| file.unwrap().path());
    let mut captures: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "pcap" || ending == "pcapng")
        })
        .collect();
    captures.sort();
    captures
}

#[tokio::test]
async fn a_replayed_capture_gives_back_its_replies_byte_for_byte() {
    let captures = captures();
    if captures.is_empty() {
        eprintln!("skipped: there is no capture");
    }
    for path in captures {
        let name = path.display();
        let file = fs::read(&path).unwrap();
        let transcript = Transcript::from_capture(&file[..], &Options::default()).unwrap();
        let recording = Recording::from_transcript(&transcript);
        if recording.requests.is_empty() {
            eprintln!("skipped: {name} holds no request");
            continue;
        }
        let count = replay(&recording).await;
        eprintln!("{name}: {count} replies came again");
    }
}

/// Asks what was asked, one request after the other, and compares what comes back.
async fn replay(recording: &Recording) -> usize {
    let recorded = recording.login.clone();
    let login =
        recorded.unwrap_or_else(|| LoginLine::new(LoginKind::Tool, "demo-0001", "not-a-secret"));
    let resident = Resident {
        id: login.id.clone(),
        access: Access::Password(login.password.reveal().to_owned()),
        device: Box::new(Replay::new(recording.clone(), Pace::Immediate)),
        link: None,
        quirks: Vec::new(),
    };
    let mut house = House::with(HubConfig::default(), vec![resident]).await;
    let mut tool = house.login(&login.encode()).await;
    let mut count = 0;
    for (_, request) in &recording.requests {
        tool.send(&frame(request)).await;
        let outcome = house.happens(|what| {
            matches!(
                what,
                JournalEvent::Reply { .. } | JournalEvent::NotAnswered { .. }
            )
        });
        count += usize::from(matches!(outcome.await.event, JournalEvent::Reply { .. }));
    }
    let wanted = &recording.replies[recording.dropped..];
    assert!(count <= wanted.len());
    let mut got = Vec::new();
    for _ in wanted {
        got.push(tool.reply().await);
    }
    // Replies of different commands may have overtaken one another in the recording; asked one by one, they cannot.
    let by_command = |replies: &[Vec<u8>]| {
        let mut replies = replies.to_vec();
        replies.sort_by_key(|reply| reply.first().copied());
        replies
    };
    assert_eq!(by_command(&got), by_command(wanted));
    house.shut_down().await;
    got.len()
}
