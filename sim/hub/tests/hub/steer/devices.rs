use veschub_hub::{
    fault::FaultEntry,
    hub::{
        ConnId, HubConfig, Output,
        steer::{SessionRole, SteerErrorKind},
    },
    journal::{Closed, JournalEvent},
};

use super::*;

#[test]
fn who_is_kicked_is_closed_in_an_orderly_way_and_may_come_back() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.ask(tool, &[0]);
    bench.until(ms(100));
    let sessions = bench.hub.sessions();
    assert_eq!(sessions.len(), 1);
    let seen = &sessions[0];
    assert_eq!((seen.connection, seen.role), (tool.0, SessionRole::Tool));
    assert_eq!(seen.device.as_deref(), Some("DEMO-0001"));
    assert_eq!((seen.requests, seen.replies), (1, 1));
    assert_eq!((seen.since, seen.held_bytes), (Some(0.0), 0));
    bench.steer(|hub, now| hub.kick(now, tool)).unwrap();
    assert_eq!(bench.ended.get(&tool), Some(&Output::Close));
    assert!(bench.happened(tool, &JournalEvent::Closed(Closed::Kicked)));
    assert!(bench.hub.sessions().is_empty());
    let (message, kind) = bench.refused(|hub, now| hub.kick(now, tool));
    assert_eq!(message, "no open connection has the number 1");
    assert_eq!(kind, SteerErrorKind::NotFound);
    let again = bench.login();
    bench.ask(again, &[0, 1]);
    bench.until(ms(300));
    assert_eq!(bench.replies(again), [[0, 1]]);
}

#[test]
fn a_connection_that_has_not_logged_in_and_a_device_from_outside_are_kicked_as_well() {
    let mut bench = Bench::new();
    let silent = bench.open();
    let device = bench.say(b"VESC:demo-0009:not-a-secret\n");
    let tool = bench.say(b"VESCTOOL:demo-0009:not-a-secret\n");
    let roles: Vec<_> = bench.hub.sessions().iter().map(|one| one.role).collect();
    let expected = [SessionRole::None, SessionRole::Device, SessionRole::Tool];
    assert_eq!(roles, expected);
    for conn in [silent, device] {
        bench.steer(|hub, now| hub.kick(now, conn)).unwrap();
        assert!(bench.happened(conn, &JournalEvent::Closed(Closed::Kicked)));
    }
    assert!(bench.happened(tool, &JournalEvent::Closed(Closed::DeviceLeft)));
    assert_eq!(bench.hub.devices().len(), 1, "its entry is gone");
}

#[test]
fn an_unplugged_device_is_unknown_until_it_is_plugged_in() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.ask(tool, &[0]);
    bench.until(ms(10));
    bench
        .steer(|hub, now| hub.unplug(now, "demo-0001"))
        .unwrap();
    assert!(bench.happened(tool, &JournalEvent::Closed(Closed::DeviceLeft)));
    let late = bench.say(LOGIN);
    assert!(bench.was_refused_without_a_byte(late));
    let told = bench.told().join("\n");
    assert!(told.contains("no device with the id DEMO-0001"), "{told}");
    let ping = bench.say(b"PING:demo-0001:0\n");
    assert_eq!(bench.heard[&ping], b"NULL\n");
    let device = &bench.hub.devices()[0];
    assert_eq!((device.plugged, device.reachable), (false, false));
    bench.until(ms(100));
    // It went on, and nobody was there to hear it.
    assert_eq!(
        bench.count(|what| *what == JournalEvent::ReplyDiscarded(vec![0])),
        1
    );
    bench
        .steer(|hub, now| hub.unplug(now, "demo-0001"))
        .unwrap();
    bench.steer(|hub, now| hub.plug(now, "demo-0001")).unwrap();
    bench.steer(|hub, now| hub.plug(now, "demo-0001")).unwrap();
    assert_eq!(bench.steered(), ["unplugged", "plugged in"]);
    let tool = bench.login();
    bench.ask(tool, &[0, 2]);
    bench.until(ms(200));
    assert_eq!(bench.replies(tool), [[0, 2]]);
    let (message, _) = bench.refused(|hub, now| hub.plug(now, "demo-0002"));
    assert_eq!(
        message,
        "no device has the id DEMO-0002; did you mean `DEMO-0001`?"
    );
}

#[test]
fn devices_come_and_go_with_their_faults() {
    let mut bench = Bench::with(HubConfig::default(), Vec::new());
    let delay = || serde_json::from_str::<FaultEntry>(r#"{"delay": {"by": "10ms"}}"#).unwrap();
    let id = bench
        .steer(|hub, now| hub.insert(now, resident("demo-0001", "not-a-secret"), vec![delay()]));
    assert_eq!(id.unwrap(), "DEMO-0001");
    let tool = bench.login();
    bench.ask(tool, &[7]);
    bench.until(ms(59));
    assert!(bench.replies(tool).is_empty());
    bench.until(ms(60));
    assert_eq!(bench.replies(tool), [[7]]);
    let (message, kind) =
        bench.refused(|hub, now| hub.insert(now, resident("demo-0001", "x"), Vec::new()));
    assert!(message.starts_with("there is a device with the id DEMO-0001"));
    assert_eq!(kind, SteerErrorKind::Conflict);
    let device = &bench.hub.devices()[0];
    assert_eq!((device.about.kind, device.tool), ("other", Some(tool.0)));
    let faults = bench.hub.faults();
    assert_eq!(faults[0].device.as_deref(), Some("DEMO-0001"));
    assert_eq!(faults[0].fired, 1);
    bench
        .steer(|hub, now| hub.remove(now, "demo-0001"))
        .unwrap();
    // The end of the connection is late as well.
    bench.until(ms(70));
    assert!(bench.happened(tool, &JournalEvent::Closed(Closed::DeviceLeft)));
    assert!(bench.hub.faults().is_empty() && bench.hub.devices().is_empty());
    assert!(bench.refused(|hub, now| hub.remove(now, "demo-0001")).1 == SteerErrorKind::NotFound);
    assert_eq!(bench.steered(), ["added", "removed"]);
}

#[test]
fn an_express_that_is_restarted_drops_its_link_for_a_second() {
    let mut bench = battery("", "");
    let tool = bench.login();
    bench.until(ms(500));
    bench
        .steer(|hub, now| hub.reboot(now, "demo-0001"))
        .unwrap();
    assert!(bench.happened(tool, &JournalEvent::Closed(Closed::DeviceLeft)));
    bench.until(ms(1499));
    assert!(!bench.hub.devices()[0].reachable);
    bench.until(ms(1500));
    assert!(bench.hub.devices()[0].reachable);
    let tail: Vec<_> = bench
        .journal
        .iter()
        .skip_while(|entry| entry.at < ms(500))
        .collect();
    let tail: Vec<String> = tail.iter().map(|entry| entry.event.to_string()).collect();
    let expected = [
        "steered: restarted",
        "the device drops its link",
        "closed: its device is gone",
        "the device is back",
    ];
    assert_eq!(tail, expected);
    // Something that is no board cannot.
    let mut bench = Bench::new();
    let (message, _) = bench.refused(|hub, now| hub.reboot(now, "demo-0001"));
    assert!(message.starts_with("DEMO-0001 cannot restart"), "{message}");
}

#[test]
fn a_device_from_outside_is_shown_and_not_changed() {
    let mut bench = Bench::with(HubConfig::default(), Vec::new());
    let device = bench.say(b"VESC:demo-0009:not-a-secret\n");
    let view = bench.hub.device(ms(0), "demo-0009", None).unwrap();
    assert_eq!(view.device.about.kind, "outside");
    let outside = "DEMO-0009 is a device from outside: the hub only passes on its bytes";
    assert_eq!(
        bench.refused(|hub, now| hub.reboot(now, "demo-0009")).0,
        outside
    );
    assert_eq!(bench.refused(|hub, _| hub.quirks("demo-0009")).0, outside);
    let tool = bench.say(b"VESCTOOL:demo-0009:not-a-secret\n");
    bench
        .steer(|hub, now| hub.unplug(now, "demo-0009"))
        .unwrap();
    assert!(bench.ended.contains_key(&tool) && !bench.ended.contains_key(&device));
    bench.steer(|hub, now| hub.plug(now, "demo-0009")).unwrap();
    let tool = bench.say(b"VESCTOOL:demo-0009:not-a-secret\n");
    bench.ask(device, &[5]);
    assert_eq!(bench.replies(tool), [[5]]);
    bench
        .steer(|hub, now| hub.remove(now, "demo-0009"))
        .unwrap();
    assert!(bench.ended.contains_key(&device) && bench.ended.contains_key(&tool));
}

#[test]
fn a_device_that_serves_directly_stays() {
    let hub = Hub::direct(HubConfig::default(), resident("demo-0001", "x"));
    let mut bench = Bench::of(hub);
    let tool = bench.open();
    let (message, kind) = bench.refused(|hub, now| hub.remove(now, "demo-0001"));
    assert!(
        message.starts_with("this device serves directly"),
        "{message}"
    );
    assert_eq!(kind, SteerErrorKind::Conflict);
    bench
        .steer(|hub, now| hub.unplug(now, "demo-0001"))
        .unwrap();
    assert_eq!(bench.ended.get(&tool), Some(&Output::Close));
    let late = bench.open();
    assert!(bench.ended.contains_key(&late));
    bench.steer(|hub, now| hub.plug(now, "demo-0001")).unwrap();
    let tool = bench.open();
    bench.ask(tool, &[3]);
    bench.until(ms(50));
    assert_eq!(bench.replies(tool), [[3]]);
    assert_eq!(tool, ConnId(3));
}
