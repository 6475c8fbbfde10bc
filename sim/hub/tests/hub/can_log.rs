//! What goes over the CAN bus of a simulated device, for who listens.

use std::collections::BTreeMap;

use veschub_hub::{
    hub::{Event, Hub},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_transcript::can::{Assembler, Command, Frame, Heard, Packet, SendType};

use crate::bench::{Bench, frame, ms};

const DEVICES: &str = "
version: 1
devices:
  - express:
      id: demo-0001
      password: not-a-secret
      can:
        - motor:
            can_id: 84
            erpm: 3200
            status: { group_1: [1, 4], rate_1_hz: 50, group_2: [2], rate_2_hz: 5 }
        - motor: { can_id: 85, pong_after: 4ms }
        - bms: { can_id: 10, pack: { cells: 7, cell_voltage_v: 3.9 } }
";

/// The device of a scenario alone, and whether somebody listens to its bus.
fn direct(text: &str, listens: bool) -> Bench {
    let loaded = Loaded::parse("test.yaml", text).unwrap();
    let device = loaded.build(Seed(1)).unwrap().into_device().unwrap();
    let mut bench = Bench::new();
    bench.hub = match listens {
        true => device.listening_to_can("demo-0001"),
        false => device,
    };
    bench
}

fn frames(hub: &mut Hub) -> Vec<(Time, Frame)> {
    std::iter::from_fn(|| hub.poll_can()).collect()
}

/// How often each packet of each node went, or was for each node.
fn counted(frames: &[(Time, Frame)]) -> BTreeMap<(Packet, u8), usize> {
    let mut counts = BTreeMap::new();
    for (_, frame) in frames {
        *counts.entry(frame.vesc().unwrap()).or_default() += 1;
    }
    counts
}

#[test]
fn nodes_tell_their_values_at_their_rates_and_no_two_frames_at_one_time() {
    let mut bench = direct(DEVICES, true);
    bench.until(ms(1000));
    let frames = frames(&mut bench.hub);
    let counts = counted(&frames);
    let of = |packet, node| counts.get(&(packet, node)).copied().unwrap_or_default();
    assert_eq!(of(Packet::STATUS, 84), 50);
    assert_eq!(of(Packet::STATUS_4, 84), 50);
    assert_eq!(of(Packet::STATUS_2, 84), 5);
    assert_eq!(of(Packet::BMS_V_TOT, 10), 10);
    // Seven cells are three frames.
    assert_eq!(of(Packet::BMS_V_CELL, 10), 30);
    // Firmware tells nothing unless its configuration says so.
    assert_eq!(of(Packet::STATUS, 85), 0);
    assert!(frames.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let first = &frames[0];
    assert_eq!(first.0, ms(20));
    // 3200 ERPM, no current, and the duty cycle of its back EMF: 1.7 %.
    assert_eq!(
        first.1,
        Frame::new(Packet::STATUS, 84, &[0, 0, 12, 128, 0, 0, 0, 17])
    );
}

#[test]
fn a_command_that_is_passed_on_goes_in_fragments_and_so_does_its_reply() {
    let mut bench = direct(DEVICES, true);
    let tool = bench.open();
    bench.send(tool, &frame(&[34, 85, 4]));
    bench.until(ms(500));
    let mut assembler = Assembler::new();
    let mut commands: Vec<Command> = Vec::new();
    for (_, frame) in frames(&mut bench.hub) {
        match assembler.push(&frame) {
            Some(Heard::Command(command)) => commands.push(command),
            Some(Heard::Noise { misfit, .. }) => panic!("{misfit}"),
            _ => {}
        }
    }
    let [request, reply] = &commands[..] else {
        panic!("{commands:?}");
    };
    assert_eq!(
        (request.from, request.to, &*request.payload),
        (2, 85, &[4][..])
    );
    assert_eq!(
        (reply.from, reply.to, reply.send_type),
        (85, 2, SendType::REPLY)
    );
    assert_eq!(bench.replies(tool), std::slice::from_ref(&reply.payload));
}

#[test]
fn a_scan_pings_every_id_and_who_is_there_answers() {
    let mut bench = direct(DEVICES, true);
    let tool = bench.open();
    bench.send(tool, &frame(&[62]));
    bench.until(ms(4000));
    assert_eq!(bench.replies(tool), [[62, 10, 84, 85]]);
    let frames = frames(&mut bench.hub);
    let pings: Vec<(Time, u8)> = frames
        .iter()
        .filter_map(|(at, frame)| match frame.vesc() {
            Some((Packet::PING, node)) => Some((*at, node)),
            _ => None,
        })
        .collect();
    assert_eq!(pings.len(), 255);
    assert!(pings.iter().zip(0..).all(|(ping, id)| ping.1 == id));
    let pongs: Vec<&[u8]> = frames
        .iter()
        .filter(|(_, frame)| frame.vesc() == Some((Packet::PONG, 2)))
        .map(|(_, frame)| frame.data())
        .collect();
    assert_eq!(pongs, [[10, 1], [84, 0], [85, 0]]);
}

#[test]
fn a_password_in_a_command_is_not_in_the_log() {
    let mut bench = direct(DEVICES, true);
    let tool = bench.open();
    let config = [
        &[34, 84, 95, 0, 1, 2, 3, 4, 0, 2, 2, 0, 20, 1][..],
        b"net\0my-secret-key\0",
    ]
    .concat();
    bench.send(tool, &frame(&config));
    bench.until(ms(90));
    let mut assembler = Assembler::new();
    let heard: Vec<Heard> = frames(&mut bench.hub)
        .iter()
        .filter_map(|(_, frame)| assembler.push(frame))
        .collect();
    let command = heard.iter().find_map(|heard| match heard {
        Heard::Command(command) => Some(command),
        _ => None,
    });
    let payload = &command.unwrap().payload;
    assert_eq!(payload[0], 95);
    assert!(
        !payload.windows(6).any(|part| part == b"secret"),
        "{payload:?}"
    );
}

#[test]
fn nobody_who_does_not_listen_is_told_anything_and_a_bus_that_is_off_is_silent() {
    let mut bench = direct(DEVICES, false);
    let tool = bench.open();
    bench.send(tool, &frame(&[34, 84, 4]));
    bench.until(ms(500));
    assert!(frames(&mut bench.hub).is_empty());
    let off = DEVICES.replace("      can:\n", "      bus: \"off\"\n      can:\n");
    let mut bench = direct(&off, true);
    bench.event(tool, Event::Opened);
    bench.send(tool, &frame(&[62]));
    bench.until(ms(500));
    assert!(frames(&mut bench.hub).is_empty());
}
