//! A hub that is steered from elsewhere while it serves.

use std::{io, time::Duration};

use tokio::{net::TcpStream, time::timeout};
use veschub_drive::{
    clock::{Clock, ClockChange},
    remote::{Remote, Steering, remote},
};
use veschub_hub::{
    hub::{Hub, HubConfig, steer::Verdict},
    journal::{Closed, JournalEvent},
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_wire::CommandId;

use super::house::*;

async fn house(hub: Hub, scale: f64) -> (House, Remote) {
    let (remote, orders) = remote();
    let steering = Steering {
        clock: Clock::starting_now(scale),
        orders: Some(orders),
    };
    (House::steered(hub, steering).await, remote)
}

async fn parrots() -> (House, Remote) {
    let residents = vec![parrot("demo-0001", 1)];
    house(Hub::new(HubConfig::default(), residents), 1.0).await
}

#[tokio::test]
async fn an_order_is_carried_out_while_nobody_says_anything_and_its_effects_are_there_first() {
    let (mut house, remote) = parrots().await;
    let mut tool = house.login(LOGIN).await;
    let hold =
        |hub: &mut Hub, now: Time| hub.add_breakpoint(now, None, Some(CommandId::GET_VALUES), true);
    remote.ask(hold).await.unwrap().unwrap();
    tool.send(&frame(&[4, 1])).await;
    house
        .happens(|what| matches!(what, JournalEvent::Held { .. }))
        .await;
    assert_eq!(tool.asks(&[0, 2]).await, [0, 2]);
    let let_go = |hub: &mut Hub, now: Time| {
        let id = hub.held()[0].id;
        hub.let_go(now, id, Verdict::Answer(vec![vec![4, 9]]))
    };
    remote.ask(let_go).await.unwrap().unwrap();
    assert_eq!(tool.reply().await, [4, 9]);
    let sessions = remote.ask(|hub: &mut Hub, _| hub.sessions()).await.unwrap();
    assert_eq!((sessions.len(), sessions[0].requests), (1, 2));
    let conn = veschub_hub::hub::ConnId(sessions[0].connection);
    remote
        .ask(move |hub: &mut Hub, now| hub.kick(now, conn))
        .await
        .unwrap()
        .unwrap();
    house
        .happens(|what| *what == JournalEvent::Closed(Closed::Kicked))
        .await;
    assert!(tool.rest().await.unwrap().is_empty());
    house.shut_down().await;
    assert!(remote.ask(|hub: &mut Hub, _| hub.sessions()).await.is_err());
}

#[tokio::test]
async fn a_port_closes_and_opens_again_at_the_same_address() {
    let (mut house, remote) = parrots().await;
    let address = house.address;
    let mut tool = house.login(LOGIN).await;
    assert_eq!(remote.listening().await.unwrap(), Some(address));
    remote.stop_listening(false).await.unwrap();
    assert_eq!(remote.listening().await.unwrap(), None);
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(tool.asks(&[1]).await, [1], "who is connected stays");
    remote.stop_listening(true).await.unwrap();
    assert!(tool.rest().await.unwrap().is_empty());
    assert_eq!(remote.start_listening().await.unwrap(), address);
    assert_eq!(remote.start_listening().await.unwrap(), address);
    let mut tool = house.login(LOGIN).await;
    assert_eq!(tool.asks(&[2]).await, [2]);
    house.shut_down().await;
    assert!(remote.start_listening().await.is_err());
}

/// A hub whose device answers 100 s after it was asked.
fn slow() -> Hub {
    let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, reply_after: 100s }\n";
    let loaded = Loaded::parse("test.yaml", text)
        .unwrap_or_else(|error| unreachable!("{}", error.render(false)));
    loaded.build(veschub_hub::rng::Seed(1)).unwrap().into_hub()
}

#[tokio::test]
async fn time_stands_still_jumps_and_goes_on() {
    let (mut house, remote) = house(slow(), 1.0).await;
    let mut tool = house.login(LOGIN).await;
    let paused = Some(true);
    let pause = ClockChange {
        paused,
        ..ClockChange::default()
    };
    let then = remote.change_clock(pause).await.unwrap();
    assert!(then.paused);
    tool.send(&frame(&[0])).await;
    let asked = house
        .happens(|what| matches!(what, JournalEvent::Request(_)))
        .await;
    assert_eq!(asked.at, then.at, "time stands still");
    let step = Some(Duration::from_secs(99));
    let jump = ClockChange {
        step,
        ..ClockChange::default()
    };
    let now = remote.change_clock(jump).await.unwrap();
    assert_eq!(now.at, then.at + Duration::from_secs(99));
    assert!(tool.hears_nothing());
    let now = remote.change_clock(jump).await.unwrap();
    assert_eq!(now.at, then.at + Duration::from_secs(198));
    let replied = house
        .happens(|what| matches!(what, JournalEvent::Reply { .. }))
        .await;
    assert_eq!(
        replied.at,
        then.at + Duration::from_secs(100),
        "at its own time"
    );
    tool.reply().await;
    let change = ClockChange {
        paused: Some(false),
        scale: Some(1000.0),
        ..ClockChange::default()
    };
    remote.change_clock(change).await.unwrap();
    // 100 s of the hub are a tenth of a second.
    timeout(PATIENCE, tool.asks(&[0])).await.unwrap();
    let wrong = ClockChange {
        scale: Some(0.0),
        ..ClockChange::default()
    };
    assert!(!Clock::allows(&wrong));
    assert_eq!(remote.change_clock(wrong).await.unwrap().scale, 1000.0);
    house.shut_down().await;
}

#[tokio::test]
async fn the_time_of_a_hub_may_go_faster_from_the_start() {
    let (mut house, _) = house(slow(), 1000.0).await;
    let mut tool = house.login(LOGIN).await;
    timeout(PATIENCE, tool.asks(&[0])).await.unwrap();
    let asked = house
        .happens(|what| matches!(what, JournalEvent::Request(_)))
        .await;
    let replied = house
        .happens(|what| matches!(what, JournalEvent::Reply { .. }))
        .await;
    assert_eq!(replied.at - asked.at, Duration::from_secs(100));
    house.shut_down().await;
}
