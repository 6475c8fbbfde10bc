//! The devices as state machines: what is answered, when, and with which values.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    io::{self, ErrorKind, Read},
    path::Path,
    sync::Arc,
    time::Duration,
};

use veschub_hub::{
    device::{
        Device, DeviceEvent, Out, Replay,
        bms::{BALANCE_MARGIN_V, Balancing, Bms, BmsSettings, Current, ReplyEnd},
        replay::{AtEnd, Order, Pace, Recording, Rules},
    },
    rng::Seed,
    time::Time,
};
use veschub_scenario::{Files, Loaded};
use veschub_transcript::{
    Direction::{self, ToDevice, ToTool},
    Entry, FrameEntry, Kind, Options, Side, Transcript,
    write::{Endpoints, SessionWriter},
};
use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsValues, MotorConfig, Values, ValuesSetup},
    description::{ConfigDescription, Rounding},
    encode,
    view::Value,
};

const FW: &[u8] = &[0];
const PING: &[u8] = &[62];
const CONFIG: &[u8] = &[93, 0];
const BMS: &[u8] = &[96];
const REPLY_AFTER: u64 = 55;

fn ms(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// A device and what it said.
struct Desk<D: ?Sized> {
    device: Box<D>,
    out: Out,
    replies: Vec<(Time, Vec<u8>, Option<Reply>)>,
    ignored: Vec<(Time, CommandId, String)>,
}

impl<D: Device + ?Sized> Desk<D> {
    fn new(device: Box<D>) -> Self {
        Self {
            device,
            out: Out::default(),
            replies: Vec::new(),
            ignored: Vec::new(),
        }
    }

    fn until(&mut self, then: Time) {
        self.collect();
        while let Some(due) = self.device.poll_timeout().filter(|&due| due <= then) {
            self.device.handle_timeout(due, &mut self.out);
            assert!(self.device.poll_timeout().is_none_or(|next| next > due));
            self.collect();
        }
    }

    fn collect(&mut self) {
        while let Some((at, event)) = self.out.pop() {
            match event {
                DeviceEvent::Reply { payload, truth } => {
                    self.replies.push((at, payload, truth.map(|truth| *truth)));
                }
                DeviceEvent::NotAnswered { command, why } => {
                    self.ignored.push((at, command, why.to_string()));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, at: Time, payload: &[u8]) {
        self.until(at);
        self.device.handle(at, payload, &mut self.out);
    }

    /// Asks and gives what comes back within an hour.
    fn answers(&mut self, at: Time, payload: &[u8]) -> Vec<Vec<u8>> {
        self.until(at);
        self.replies.clear();
        self.ask(at, payload);
        self.until(at + Duration::from_secs(3600));
        self.replies
            .drain(..)
            .map(|(_, payload, _)| payload)
            .collect()
    }

    /// Command ids and times of the replies.
    fn told(&self) -> Vec<(u8, u64)> {
        let told = self.replies.iter();
        told.map(|(at, payload, _)| (payload[0], at.as_nanos() / 1_000_000))
            .collect()
    }

    fn reasons(&self) -> Vec<&str> {
        self.ignored
            .iter()
            .map(|(_, _, why)| why.as_str())
            .collect()
    }
}

fn pack() -> BmsSettings {
    BmsSettings {
        cells: Some(20),
        cell_voltage_v: Some(3.9),
        spread_mv: Some(20.0),
        cell_voltages_v: None,
        noise_mv: 0.5,
        current_a: Current::Constant(0.0),
        capacity_ah: 20.0,
        state_of_charge: Some(0.7),
        state_of_health: Some(0.98),
        charge_voltage_v: 84.0,
        balancing: Balancing::Off,
        temperatures_c: vec![27.5, 26.5],
        chip_temperature_c: 32.0,
        humidity_temperature_c: 0.0,
        humidity_percent: 41.5,
        pressure_pa: Some(100_900.0),
        data_version: Some(1),
        status: Some("riding".to_owned()),
        reply_ends_after: Some(ReplyEnd::Pressure),
        // So that a cell shows what it was given, whatever flows.
        resistance_mohm: 0.0,
        ..BmsSettings::default()
    }
}

/// A device as a scenario describes it; these are the keys after its id and password.
fn described(keys: &str) -> Desk<dyn Device> {
    let text = format!(
        "version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: not-a-secret\n      {keys}\n"
    );
    let loaded = Loaded::parse("test.yaml", &text).unwrap();
    let mut world = loaded.build(Seed(1)).unwrap();
    Desk::new(world.residents.remove(0).device)
}

fn express(nodes: &[u8]) -> Desk<dyn Device> {
    let motor = |can_id: &u8| {
        format!(
            "motor: {{ can_id: {can_id}, hardware: DEMO-MOTOR, motor_current_a: 21, input_current_a: 8.5, \
             duty: 0.41, erpm: 9800, speed_m_s: 6.2, input_voltage_v: 80.2 }}"
        )
    };
    let nodes: Vec<String> = nodes.iter().map(motor).collect();
    described(&format!(
        "reply_after: {REPLY_AFTER}ms\n      bms: {{ cells: 20, noise_mv: 0.5 }}\n      can: [{}]",
        nodes.join(", ")
    ))
}

const MOTOR: &str = include_str!("../../../scenarios/parameters/own-mcconf.xml");
const APPLICATION: &str = include_str!("../../../scenarios/parameters/own-appconf.xml");

/// The descriptions that scenarios name.
#[derive(Debug)]
struct Descriptions;

impl Files for Descriptions {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let text = match path.to_str() {
            Some("mcconf.xml") => MOTOR,
            Some("appconf.xml") => APPLICATION,
            _ => return Err(ErrorKind::NotFound.into()),
        };
        Ok(Box::new(text.as_bytes()))
    }
}

/// A device of a scenario that names descriptions.
fn with_descriptions(devices: &str) -> Result<Desk<dyn Device>, String> {
    let text = format!("version: 1\ndevices:\n{devices}");
    let loaded = Loaded::read(
        Arc::new(Descriptions),
        "test.yaml",
        &text,
        Path::new(""),
        &[],
    );
    let mut world = loaded
        .unwrap()
        .build(Seed(1))
        .map_err(|error| error.to_string())?;
    Ok(Desk::new(world.residents.remove(0).device))
}

/// The values of a configuration that node 84 tells.
fn configured(
    desk: &mut Desk<dyn Device>,
    at: Time,
    request: &Request,
    xml: &str,
) -> Vec<(String, f64)> {
    let description = ConfigDescription::from_xml(xml).unwrap();
    let replies = desk.answers(at, &forward(84, request));
    let data = &replies[0][5..];
    let values = description.read(data).unwrap();
    let numbers = values.iter().filter_map(|(field, _)| {
        let number = values.number(&field.name)?;
        Some((field.name.clone(), number))
    });
    numbers.collect()
}

fn forward(can_id: u8, request: &Request) -> Vec<u8> {
    Request::forward(can_id, request).encode()
}

fn values_at(bms: &Bms, at: Duration) -> BmsValues {
    bms.values(Time::from(at))
}

fn cells(values: &BmsValues) -> Vec<f64> {
    values
        .cell_voltages_v
        .iter()
        .map(|cell| cell.value())
        .collect()
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

mod an_express {
    use super::*;

    #[test]
    fn answers_what_an_express_handles_after_its_time() {
        for (request, first) in [
            (FW, &[0, 6, 5][..]),
            (CONFIG, &[93, 0]),
            (&[94, 0], &[94, 0]),
            (BMS, &[96]),
            (&[96, 1, 2, 3], &[96]),
        ] {
            let mut desk = express(&[84]);
            desk.ask(ms(1000), request);
            desk.until(ms(60_000));
            assert_eq!(desk.told(), [(request[0], 1000 + REPLY_AFTER)]);
            let (_, payload, truth) = &desk.replies[0];
            assert!(payload.starts_with(first), "{payload:?}");
            assert_eq!(truth.as_ref().unwrap().encode(), *payload);
            assert!(desk.ignored.is_empty());
        }
    }

    #[test]
    fn is_silent_on_everything_else_and_says_why() {
        let requests = [
            Request::GetValues,
            Request::GetValuesSetup,
            Request::Alive,
            Request::GetStats { mask: 0xFFFF },
            Request::GetValuesSelective { mask: 1 },
        ];
        let mut desk = express(&[84]);
        for (request, at) in requests.iter().zip((0..).step_by(1000)) {
            desk.ask(ms(at), &request.encode());
        }
        desk.ask(ms(20_000), &[200, 1, 2]);
        desk.until(ms(60_000));
        assert_eq!(desk.told(), []);
        assert_eq!(
            desk.reasons(),
            vec!["Express 6.05 does not handle it"; requests.len() + 1]
        );
        let commands: Vec<CommandId> = desk
            .ignored
            .iter()
            .map(|(_, command, _)| *command)
            .collect();
        assert_eq!(commands[0], CommandId::GET_VALUES);
        assert_eq!(commands[requests.len()], CommandId(200));
    }

    #[test]
    fn knows_of_one_custom_config() {
        let mut desk = express(&[]);
        desk.ask(ms(0), &[93, 1]);
        desk.ask(ms(0), &[94, 0xFF]);
        desk.until(ms(1000));
        assert_eq!(desk.told(), []);
        assert_eq!(desk.reasons(), ["there is no config but number 0"; 2]);
    }

    #[test]
    fn is_silent_on_requests_that_are_cut_short() {
        for request in [&[93][..], &[34], &[34, 84], &[50, 0, 0]] {
            let mut desk = express(&[84]);
            desk.ask(ms(0), request);
            desk.until(ms(1000));
            assert_eq!(desk.told(), [], "{request:?}");
            assert_eq!(desk.ignored.len(), 1, "{request:?}");
        }
    }

    #[test]
    fn answers_in_the_order_of_the_requests() {
        let mut desk = express(&[]);
        for request in [BMS, FW, CONFIG, BMS, FW] {
            desk.ask(ms(10), request);
        }
        desk.ask(ms(11), CONFIG);
        desk.until(ms(1000));
        assert_eq!(
            desk.told(),
            [(96, 65), (0, 65), (93, 65), (96, 65), (0, 65), (93, 66)]
        );
    }

    #[test]
    fn scans_ten_milliseconds_for_every_id_that_does_not_answer() {
        for (nodes, found, took) in [
            (&[][..], &[62][..], 2550),
            (&[84], &[62, 84], 2540),
            (&[200, 0, 84], &[62, 0, 84, 200], 2520),
        ] {
            let mut desk = express(nodes);
            desk.ask(ms(7), PING);
            desk.until(ms(60_000));
            assert_eq!(desk.told(), [(62, 7 + took + REPLY_AFTER)], "{nodes:?}");
            assert_eq!(desk.replies[0].1, found);
        }
    }

    #[test]
    fn answers_other_requests_during_a_scan_and_drops_a_second_one() {
        let mut desk = express(&[84]);
        desk.ask(ms(0), PING);
        desk.ask(ms(100), BMS);
        desk.ask(ms(200), PING);
        desk.ask(ms(2500), &forward(84, &Request::FwVersion));
        desk.ask(ms(2594), PING);
        desk.until(ms(60_000));
        assert_eq!(desk.told(), [(96, 155), (0, 2557), (62, 2595)]);
        assert_eq!(
            desk.reasons(),
            ["the worker is busy with another command"; 2]
        );

        desk.ask(ms(70_000), PING);
        desk.until(ms(80_000));
        assert_eq!(desk.told()[3], (62, 72_595), "the worker is free again");
    }

    #[test]
    fn scans_again_after_a_flood_that_had_no_room_for_the_scan() {
        let mut desk = express(&[84]);
        for _ in 0..10_000 {
            desk.ask(ms(0), BMS);
        }
        desk.ask(ms(0), PING);
        desk.until(ms(60_000));
        assert!(
            desk.replies.len() >= 1000,
            "a flood is answered for a while"
        );
        assert_eq!(desk.replies.len() + desk.ignored.len(), 10_001);
        assert_eq!(
            desk.reasons().last(),
            Some(&"too many requests wait for an answer")
        );
        assert_eq!(desk.answers(ms(70_000), PING), [[62, 84]]);
    }

    #[test]
    fn hands_over_a_can_nodes_reply_unwrapped() {
        let mut desk = express(&[62, 84]);
        desk.ask(ms(0), &forward(84, &Request::FwVersion));
        desk.until(ms(1000));
        assert_eq!(desk.told(), [(0, REPLY_AFTER + 2)]);
        let (_, payload, _) = &desk.replies[0];
        assert!(payload.starts_with(b"\x00\x06\x05DEMO-MOTOR\0"));
    }

    #[test]
    fn hears_nothing_from_an_absent_node() {
        let mut desk = express(&[84]);
        for can_id in [0, 2, 83] {
            desk.ask(ms(0), &forward(can_id, &Request::FwVersion));
        }
        desk.until(ms(60_000));
        assert_eq!(desk.told(), []);
        assert_eq!(desk.reasons()[2], "nobody on the CAN bus has the id 83");
    }

    #[test]
    fn gets_a_reply_of_every_node_to_a_broadcast() {
        let mut desk = express(&[62, 84, 99]);
        let replies = desk.answers(ms(0), &forward(255, &Request::GetImuData { mask: 0 }));
        let ids: Vec<u8> = replies
            .iter()
            .filter_map(|reply| reply.last().copied())
            .collect();
        assert_eq!(ids, [62, 84, 99]);
    }

    #[test]
    fn gives_the_same_values_at_the_same_moment_whatever_was_asked_before() {
        let at_ten_seconds = |before: &[(u64, &[u8])]| {
            let mut desk = express(&[84]);
            for (at, request) in before {
                desk.ask(ms(*at), request);
            }
            desk.ask(ms(10_000), BMS);
            desk.ask(ms(10_000), &forward(84, &Request::GetValues));
            desk.until(ms(60_000));
            desk.replies.split_off(desk.replies.len() - 2)
        };
        let polled: Vec<(u64, &[u8])> = (0..100).map(|n| (n * 100, BMS)).collect();
        let quiet = at_ten_seconds(&[]);
        assert_eq!(at_ten_seconds(&polled), quiet);
        assert_eq!(
            at_ten_seconds(&[(10, PING), (20, FW), (10_000, CONFIG)]),
            quiet
        );
    }
}

mod a_motor {
    use super::*;

    fn reply(request: &Request, at: Time) -> Reply {
        let mut desk = express(&[84]);
        let [payload] = &desk.answers(at, &forward(84, request))[..] else {
            panic!("one reply to {request:?}");
        };
        let reply = Reply::decode(payload).unwrap();
        assert!(reply.trailing.is_empty());
        reply.body
    }

    fn values(at: Time) -> Values {
        match reply(&Request::GetValues, at) {
            Reply::Values(values) => values,
            other => panic!("{other:?}"),
        }
    }

    fn setup(at: Time) -> ValuesSetup {
        match reply(&Request::GetValuesSetup, at) {
            Reply::ValuesSetup(values) => values,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reports_what_it_was_set_to() {
        let values = values(ms(0));
        let near = |is: f64, wanted: f64, within: f64| {
            assert!((is - wanted).abs() <= within, "{is} {wanted}")
        };
        near(values.fet_temperature_c.unwrap().value(), 30.0, 0.3);
        near(values.motor_temperature_c.unwrap().value(), 35.0, 0.3);
        near(values.motor_current_a.unwrap().value(), 21.0, 0.06);
        near(values.input_current_a.unwrap().value(), 8.5, 0.06);
        near(values.duty.unwrap().value(), 0.41, 0.001);
        near(values.erpm.unwrap().value(), 9800.0, 20.0);
        near(values.input_voltage_v.unwrap().value(), 80.2, 0.1);
        assert_eq!(values.can_id, Some(84));
        assert_eq!(values.fault, Some(0));
        assert_eq!(values.mask(), (1 << 22) - 1);
    }

    #[test]
    fn counts_charge_energy_and_distance_with_time() {
        let hour = Time::from(hours(1));
        let (values, setup) = (values(hour), setup(hour));
        let near =
            |is: f64, wanted: f64| assert!((is / wanted - 1.0).abs() < 0.001, "{is} {wanted}");
        near(values.drawn_ah.unwrap().value(), 8.5);
        near(values.drawn_wh.unwrap().value(), 8.5 * 80.2);
        assert_eq!(values.charged_ah.unwrap().raw(), 0);
        near(f64::from(values.tachometer.unwrap()), 9800.0 * 6.0 * 60.0);
        near(setup.distance_m.unwrap().value(), 6.2 * 3600.0);
        near(f64::from(setup.odometer_m.unwrap()), 6.2 * 3600.0);
        near(f64::from(setup.uptime_ms.unwrap()), 3_600_000.0);
    }

    #[test]
    fn gives_exactly_the_fields_of_a_mask() {
        let masks = (0..24).map(|bit| 1 << bit).chain([
            0,
            0x0000_FFFF,
            0x003F_FFFF,
            0xFFFF_FFFF,
            0x0018_0080,
        ]);
        for asked in masks {
            let whole = values(ms(1000)).select(asked);
            let Reply::ValuesSelective { mask, values } =
                reply(&Request::GetValuesSelective { mask: asked }, ms(1000))
            else {
                panic!("another reply");
            };
            assert_eq!((mask, values.mask()), (asked, asked & 0x3F_FFFF));
            assert_eq!(values, whole);

            let whole = setup(ms(1000)).select(asked);
            let request = Request::GetValuesSetupSelective { mask: asked };
            let Reply::ValuesSetupSelective { mask, values } = reply(&request, ms(1000)) else {
                panic!("another reply");
            };
            assert_eq!((mask, values.mask()), (asked, asked & 0x3F_FFFF));
            assert_eq!(values, whole);
        }
    }

    #[test]
    fn gives_statistics_and_attitude_by_mask() {
        let Reply::Stats { mask, values } = reply(&Request::GetStats { mask: 0b101 }, ms(1000))
        else {
            panic!("another reply");
        };
        assert_eq!((mask, values.mask()), (0b101, 0b101));
        let Reply::ImuData {
            mask,
            values,
            can_id,
        } = reply(&Request::GetImuData { mask: 0x1FF }, ms(0))
        else {
            panic!("another reply");
        };
        assert_eq!((mask, values.mask(), can_id), (0x1FF, 0x1FF, Some(84)));
        assert!((values.acceleration_z_g.unwrap().value() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn knows_of_no_bms() {
        let Reply::BmsValues(values) = reply(&Request::BmsGetValues, ms(0)) else {
            panic!("another reply");
        };
        assert_eq!(values.can_id, Some(255));
        assert_eq!(Reply::BmsValues(values).encode().len(), 58);
    }

    #[test]
    fn runs_for_years() {
        let mut last = 0;
        for years in [1, 10, 500] {
            let at = Time::from(hours(years * 8766));
            let (values, setup) = (values(at), setup(at));
            assert_eq!(values.tachometer, Some(i32::MAX));
            let odometer = setup.odometer_m.unwrap();
            assert!(odometer > last, "{odometer} m after {years} years");
            last = odometer;
        }
    }

    #[test]
    fn holds_the_end_of_the_range_when_a_value_does_not_fit() {
        let keys = "can: [motor: { can_id: 84, fet_temperature_c: 3276, motor_current_a: 10000, \
                    input_current_a: -10000, duty: -1, erpm: -1e6, speed_m_s: -1000, input_voltage_v: 3276 }]";
        for request in [
            Request::GetValues,
            Request::GetValuesSetup,
            Request::GetStats { mask: 0xFFFF },
        ] {
            for at in [ms(0), ms(1), Time::from_nanos(u64::MAX / 2)] {
                let replies = described(keys).answers(at, &forward(84, &request));
                assert!(Reply::decode(&replies[0]).unwrap().trailing.is_empty());
            }
        }
    }
}

mod a_bms {
    use super::*;

    #[test]
    fn gives_the_same_values_for_the_same_seed_and_moment() {
        let (one, two) = (Bms::new(pack(), Seed(5)), Bms::new(pack(), Seed(5)));
        for seconds in [0, 1, 1_000_000] {
            let at = Duration::from_secs(seconds);
            assert_eq!(values_at(&one, at), values_at(&two, at));
        }
    }

    #[test]
    fn has_other_noise_and_other_cells_with_another_seed() {
        let quiet = BmsSettings {
            noise_mv: 0.0,
            ..pack()
        };
        let at = |settings: &BmsSettings, seed| {
            cells(&Bms::new(settings.clone(), Seed(seed)).values(Time::ZERO))
        };
        assert_ne!(at(&quiet, 1), at(&quiet, 2), "other cells");
        let even = BmsSettings {
            spread_mv: Some(0.0),
            noise_mv: 10.0,
            ..pack()
        };
        assert_ne!(at(&even, 1), at(&even, 2), "other noise");
    }

    #[test]
    fn measures_anew_about_three_times_a_second() {
        let bms = Bms::new(pack(), Seed(5));
        let at = |ms| values_at(&bms, Duration::from_millis(ms));
        assert_eq!(at(0), at(332));
        assert_ne!(at(332), at(333));
        let mut seen: Vec<BmsValues> = (0..100).map(|n| at(n * 100)).collect();
        seen.dedup();
        assert!((29..=32).contains(&seen.len()), "{} in 10 s", seen.len());
    }

    #[test]
    fn keeps_its_cells_within_spread_and_noise() {
        let settings = BmsSettings {
            noise_mv: 0.0,
            ..pack()
        };
        let cells = cells(&Bms::new(settings, Seed(9)).values(Time::ZERO));
        let low = cells.iter().copied().fold(f64::INFINITY, f64::min);
        let high = cells.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!((high - low - 0.020).abs() < 0.0021, "{low} to {high}");
        assert!(low > 3.888 && high < 3.912, "{low} to {high}");
        let noisy = Bms::new(
            BmsSettings {
                noise_mv: 5.0,
                spread_mv: Some(0.0),
                ..pack()
            },
            Seed(9),
        );
        for second in 0..100 {
            for cell in super::cells(&values_at(&noisy, Duration::from_secs(second))) {
                assert!((3.894..=3.906).contains(&cell), "{cell}");
            }
        }
    }

    #[test]
    fn reports_voltages_that_were_given_one_by_one_within_a_count() {
        let given: Vec<f64> = (0..50).map(|n| 2.5 + f64::from(n) * 0.0371).collect();
        for balancing in [Balancing::Off, Balancing::All, Balancing::Automatic] {
            let settings = BmsSettings {
                cells: Some(0),
                cell_voltages_v: Some(given.clone()),
                noise_mv: 0.0,
                balancing,
                ..pack()
            };
            let values = Bms::new(settings, Seed(3)).values(Time::ZERO);
            for (cell, given) in cells(&values).iter().zip(&given) {
                assert!(cell <= given && given - cell < 0.002, "{cell} of {given}");
            }
            assert_eq!(values.cell_voltages_v.len(), 50);
            let sum: f64 = given.iter().sum();
            assert!((values.total_voltage_v.value() - sum).abs() < 1e-4);
        }
    }

    #[test]
    fn falls_while_it_is_discharged() {
        let bms = Bms::new(
            BmsSettings {
                current_a: Current::Constant(5.0),
                noise_mv: 0.0,
                ..pack()
            },
            Seed(1),
        );
        let (start, later) = (values_at(&bms, hours(0)), values_at(&bms, hours(2)));
        assert!(later.total_voltage_v.value() < start.total_voltage_v.value() - 1.0);
        assert!((start.state_of_charge.unwrap().value() - 0.7).abs() < 0.002);
        assert!((later.state_of_charge.unwrap().value() - 0.2).abs() < 0.002);
        assert_eq!(later.current_a.raw(), 5_000_000);
        assert_eq!(later.counter_ah.raw(), 10_000);
        assert!(later.counter_wh.value() > 10.0 * 60.0);
        let totals = later.totals.unwrap();
        assert!((totals.discharged_ah.value() - 10.0).abs() < 1e-5);
        assert_eq!((totals.charged_ah.bits(), totals.charged_wh.bits()), (0, 0));
    }

    #[test]
    fn rises_while_it_is_charged() {
        let bms = Bms::new(
            BmsSettings {
                current_a: Current::Constant(-5.0),
                noise_mv: 0.0,
                ..pack()
            },
            Seed(1),
        );
        let (start, later) = (values_at(&bms, hours(0)), values_at(&bms, hours(1)));
        assert!(later.total_voltage_v.value() > start.total_voltage_v.value() + 0.5);
        assert!((later.state_of_charge.unwrap().value() - 0.95).abs() < 0.002);
        assert_eq!(later.counter_ah.raw(), -5000);
        let totals = later.totals.unwrap();
        assert!((totals.charged_ah.value() - 5.0).abs() < 1e-5);
        assert_eq!(
            (totals.discharged_ah.bits(), totals.discharged_wh.bits()),
            (0, 0)
        );
    }

    #[test]
    fn is_never_emptier_than_empty_nor_fuller_than_full() {
        for (current_a, charge) in [(5.0, 0.0), (-5.0, 1.0)] {
            let bms = Bms::new(
                BmsSettings {
                    current_a: Current::Constant(current_a),
                    noise_mv: 0.0,
                    ..pack()
                },
                Seed(1),
            );
            let (end, later) = (values_at(&bms, hours(10)), values_at(&bms, hours(1000)));
            assert_eq!(end.cell_voltages_v, later.cell_voltages_v);
            for values in [end, later] {
                assert!((values.state_of_charge.unwrap().value() - charge).abs() < 1e-9);
                assert!(cells(&values).iter().all(|cell| (2.9..4.4).contains(cell)));
            }
        }
    }

    #[test]
    fn starts_at_the_charge_that_its_voltage_stands_for_and_reports_0_where_nobody_computes_it() {
        let settings = BmsSettings {
            state_of_charge: None,
            cell_voltage_v: Some(4.2),
            spread_mv: Some(0.0),
            current_a: Current::Constant(10.0),
            noise_mv: 0.0,
            ..pack()
        };
        let bms = Bms::new(settings, Seed(1));
        assert_eq!(values_at(&bms, hours(1)).state_of_charge.unwrap().raw(), 0);
        let mean = |values: BmsValues| cells(&values).iter().sum::<f64>() / 20.0;
        // Half of 20 Ah are gone.
        assert!((mean(values_at(&bms, hours(1))) - 3.72).abs() < 0.002);
        assert!((mean(values_at(&bms, hours(2))) - 3.00).abs() < 0.002);
    }

    #[test]
    fn balances_none_all_or_the_cells_that_stand_out() {
        let voltages = vec![4.100, 4.104, 4.106, 4.150];
        let at = |balancing, at| {
            let settings = BmsSettings {
                cell_voltages_v: Some(voltages.clone()),
                noise_mv: 0.0,
                balancing,
                ..pack()
            };
            Bms::new(settings, Seed(1)).values(Time::from(at))
        };
        assert_eq!(at(Balancing::Off, hours(5)).balancing, [0, 0, 0, 0]);
        assert_eq!(at(Balancing::All, hours(5)).balancing, [1, 1, 1, 1]);
        assert_eq!(at(Balancing::Automatic, hours(0)).balancing, [0, 0, 1, 1]);

        // A millivolt a minute.
        let later = at(Balancing::Automatic, Duration::from_secs(600));
        assert_eq!(later.balancing, [0, 0, 0, 1]);
        assert!((cells(&later)[3] - 4.140).abs() < 0.002);
        assert!((cells(&later)[0] - 4.100).abs() < 0.002, "the others stay");
        let done = at(Balancing::Automatic, hours(10));
        assert_eq!(done.balancing, [0, 0, 0, 0]);
        assert!((cells(&done)[3] - 4.100 - BALANCE_MARGIN_V).abs() < 0.002);
    }

    #[test]
    fn holds_0_to_50_cells_and_sensors() {
        for count in [0, 1, 20, 50] {
            let settings = BmsSettings {
                cells: Some(count),
                temperatures_c: vec![25.0; count],
                reply_ends_after: Some(ReplyEnd::Status),
                status: Some("x".repeat(40)),
                ..pack()
            };
            let values = Bms::new(settings, Seed(1)).values(ms(1234));
            assert_eq!(values.cell_voltages_v.len(), count);
            assert_eq!(
                (values.balancing.len(), values.temperatures_c.len()),
                (count, count)
            );
            let payload = Reply::BmsValues(values.clone()).encode();
            assert_eq!(payload.len(), 60 + 5 * count + 40);
            let decoded = Reply::decode(&payload).unwrap();
            assert_eq!(
                (decoded.body, decoded.trailing),
                (Reply::BmsValues(values), vec![])
            );
        }
        let none = BmsSettings {
            cells: Some(0),
            temperatures_c: Vec::new(),
            ..pack()
        };
        let values = Bms::new(none, Seed(1)).values(ms(0));
        assert_eq!(
            (
                values.total_voltage_v.raw(),
                values.highest_cell_temperature_c.raw()
            ),
            (0, 0)
        );
    }

    #[test]
    fn ends_its_reply_where_the_firmware_does() {
        use ReplyEnd::{
            CanId, DataVersion, HighestCellTemperature, Pressure, StateOfHealth, Status, Totals,
        };
        for (reply_end, length) in [
            (HighestCellTemperature, 35),
            (StateOfHealth, 39),
            (CanId, 40),
            (Totals, 56),
            (Pressure, 58),
            (DataVersion, 59),
            (Status, 60 + "riding".len()),
        ] {
            let values = Bms::new(
                BmsSettings {
                    reply_ends_after: Some(reply_end),
                    ..pack()
                },
                Seed(1),
            )
            .values(ms(0));
            let has = [
                values.state_of_charge.is_some(),
                values.state_of_health.is_some(),
                values.can_id.is_some(),
                values.totals.is_some(),
                values.pressure_pa.is_some(),
                values.data_version.is_some(),
                values.status.is_some(),
            ];
            let needs = [
                StateOfHealth,
                StateOfHealth,
                CanId,
                Totals,
                Pressure,
                DataVersion,
                Status,
            ];
            assert_eq!(
                has,
                needs.map(|needed| reply_end >= needed),
                "{reply_end:?}"
            );
            let payload = Reply::BmsValues(values.clone()).encode();
            assert_eq!(payload.len(), length + 3 * 20 + 2 * 2, "{reply_end:?}");
            assert_eq!(
                Reply::decode(&payload).unwrap().body,
                Reply::BmsValues(values)
            );
        }
    }

    #[test]
    fn keeps_dummy_sensors_free_of_noise_and_out_of_the_highest() {
        let settings = BmsSettings {
            temperatures_c: vec![27.5, 99.0, 0.0, -281.0, -12.0],
            ..pack()
        };
        for second in 0..20 {
            let values = Bms::new(settings.clone(), Seed(1)).values(ms(1000 * second));
            let raw: Vec<i16> = values
                .temperatures_c
                .iter()
                .map(|sensor| sensor.raw())
                .collect();
            assert_eq!(raw[1..4], [9900, 0, -28_100]);
            assert!(
                (raw[0] - 2750).abs() <= 3 && (raw[4] + 1200).abs() <= 3,
                "{raw:?}"
            );
            assert_eq!(values.highest_cell_temperature_c.raw(), raw[0]);
        }
    }

    #[test]
    fn is_hot_or_cold_as_it_was_set() {
        let settings = BmsSettings {
            temperatures_c: vec![-40.0, 150.0, 320.0],
            ..pack()
        };
        let values = Bms::new(settings, Seed(1)).values(ms(0));
        let near = |index: usize, wanted: f64| {
            (values.temperatures_c[index].value() - wanted).abs() < 0.05
        };
        assert!(
            near(0, -40.0) && near(1, 150.0) && near(2, 320.0),
            "{:?}",
            values.temperatures_c
        );
    }

    #[test]
    fn runs_for_years() {
        for current_a in [-3.0, 0.0, 3.0] {
            for balancing in [Balancing::Off, Balancing::All, Balancing::Automatic] {
                let settings = BmsSettings {
                    current_a: Current::Constant(current_a),
                    balancing,
                    ..pack()
                };
                let bms = Bms::new(settings, Seed(1));
                for at in [hours(8766), hours(876_600), Duration::MAX] {
                    let values = values_at(&bms, at);
                    assert!(cells(&values).iter().all(|cell| (2.5..4.5).contains(cell)));
                    let payload = Reply::BmsValues(values.clone()).encode();
                    assert_eq!(
                        Reply::decode(&payload).unwrap().body,
                        Reply::BmsValues(values)
                    );
                }
            }
        }
    }

    #[test]
    fn holds_the_end_of_the_range_when_a_value_does_not_fit() {
        for (current_a, end) in [(1e12, i32::MAX), (-1e12, i32::MIN), (2147.0, 2_147_000_000)] {
            let settings = BmsSettings {
                current_a: Current::Constant(current_a),
                noise_mv: 1e12,
                charge_voltage_v: current_a,
                ..pack()
            };
            let bms = Bms::new(settings, Seed(1));
            // Later the pack is full or empty, and no current flows.
            let first = values_at(&bms, hours(0)).current_a;
            let rounding = 100;
            assert!(first.raw().abs_diff(end) < rounding, "{first:?}");
            let values = values_at(&bms, hours(100_000));
            assert_eq!(values.current_a.raw(), 0);
            assert!(values.charge_voltage_v.raw().abs_diff(end) < rounding);
            let charge = values.state_of_charge.unwrap().raw();
            assert!(charge == 0 || charge == 1000, "{charge}");
            let payload = Reply::BmsValues(values.clone()).encode();
            assert_eq!(
                Reply::decode(&payload).unwrap().body,
                Reply::BmsValues(values)
            );
        }
    }
}

mod a_replayed_device {
    use super::*;

    /// A transcript of frames: when in ms, which way, the payload.
    fn recording(frames: &[(u64, Direction, &[u8])]) -> Recording {
        let entry = |&(at, direction, payload): &(u64, Direction, &[u8])| Entry {
            at_ns: Some(ms(at).as_nanos()),
            connection: 1,
            direction: Some(direction),
            offset: 0,
            kind: Kind::Frame(FrameEntry {
                payload: payload.to_vec(),
                start: 2,
                waits_for: 0,
                firmware: None,
            }),
        };
        Recording::from_transcript(&Transcript {
            entries: frames.iter().map(entry).collect(),
            ..Transcript::default()
        })
    }

    fn replay(pace: Pace, frames: &[(u64, Direction, &[u8])]) -> Desk<Replay> {
        let mut desk = Desk::new(Box::new(Replay::new(recording(frames), pace)));
        desk.device.session_begins(Time::ZERO);
        desk
    }

    const POLLS: &[(u64, Direction, &[u8])] = &[
        (0, ToDevice, BMS),
        (90, ToTool, &[96, 1]),
        (100, ToDevice, BMS),
        (195, ToTool, &[96, 2]),
        (200, ToDevice, BMS),
        (680, ToTool, &[96, 3]),
    ];

    #[test]
    fn gives_the_kth_reply_to_the_kth_asking_and_then_the_last_one_again() {
        let mut desk = replay(Pace::Recorded, POLLS);
        for second in 0..5 {
            desk.ask(ms(second * 1000), BMS);
        }
        desk.until(ms(60_000));
        let told: Vec<(u8, u64)> = desk
            .replies
            .iter()
            .map(|(at, reply, _)| (reply[1], at.as_nanos() / 1_000_000))
            .collect();
        assert_eq!(told, [(1, 90), (2, 1095), (3, 2480), (3, 3480), (3, 4480)]);
    }

    #[test]
    fn answers_at_once_if_told_so() {
        let mut desk = replay(Pace::Immediate, POLLS);
        for _ in 0..4 {
            desk.ask(ms(7), BMS);
        }
        desk.until(ms(7));
        let told: Vec<(u64, u8)> = desk
            .replies
            .iter()
            .map(|(at, reply, _)| (at.as_nanos(), reply[1]))
            .collect();
        assert_eq!(
            told,
            [
                (7_000_000, 1),
                (7_000_000, 2),
                (7_000_000, 3),
                (7_000_000, 3)
            ]
        );
    }

    #[test]
    fn counts_anew_in_a_new_session() {
        let mut desk = replay(Pace::Immediate, POLLS);
        assert_eq!(desk.answers(ms(0), BMS), [[96, 1]]);
        assert_eq!(desk.answers(ms(0), BMS), [[96, 2]]);
        desk.device.session_begins(ms(1));
        assert_eq!(desk.answers(ms(1), BMS), [[96, 1]]);
    }

    #[test]
    fn keeps_a_reply_that_is_on_its_way_for_the_next_session() {
        let mut desk = replay(Pace::Recorded, POLLS);
        desk.ask(ms(0), BMS);
        desk.device.session_begins(ms(10));
        desk.until(ms(1000));
        assert_eq!(desk.told(), [(96, 90)]);
    }

    #[test]
    fn tells_requests_apart_by_their_whole_payload() {
        let mut desk = replay(
            Pace::Immediate,
            &[
                (0, ToDevice, &[93, 0]),
                (10, ToTool, &[93, 0, 1]),
                (20, ToDevice, &[93, 1]),
                (30, ToTool, &[93, 1, 2]),
            ],
        );
        assert_eq!(desk.answers(ms(0), &[93, 1]), [[93, 1, 2]]);
        assert_eq!(desk.answers(ms(0), &[93, 0]), [[93, 0, 1]]);
        assert!(desk.answers(ms(0), &[93]).is_empty());
        assert!(desk.answers(ms(0), &[93, 0, 0]).is_empty());
        assert_eq!(desk.reasons(), ["the recording has no such request"; 2]);
    }

    #[test]
    fn gives_an_unwrapped_reply_to_its_forward_can() {
        // The device's own FW_VERSION, asked later, is answered after the forwarded one.
        let mut desk = replay(
            Pace::Immediate,
            &[
                (0, ToDevice, &[34, 84, 0]),
                (10, ToDevice, FW),
                (20, ToTool, &[0, 6, 84]),
                (30, ToTool, &[0, 6, 2]),
            ],
        );
        assert_eq!(desk.answers(ms(0), FW), [[0, 6, 2]]);
        assert_eq!(desk.answers(ms(0), &[34, 84, 0]), [[0, 6, 84]]);
        assert!(desk.answers(ms(0), &[34, 85, 0]).is_empty());
    }

    #[test]
    fn keeps_replies_that_overtook_one_another_with_their_requests() {
        let frames: &[(u64, Direction, &[u8])] = &[
            (0, ToDevice, PING),
            (10, ToDevice, BMS),
            (100, ToTool, &[96, 1]),
            (2640, ToTool, &[62, 84]),
        ];
        let mut desk = replay(Pace::Recorded, frames);
        desk.ask(ms(0), BMS);
        desk.ask(ms(0), PING);
        desk.until(ms(60_000));
        assert_eq!(desk.told(), [(96, 90), (62, 2640)]);
    }

    #[test]
    fn says_what_came_unasked_when_it_came_and_at_once_with_the_request_that_it_came_after() {
        let frames: &[(u64, Direction, &[u8])] = &[
            (0, ToDevice, FW),
            (50, ToTool, &[0, 6, 5]),
            (70, ToTool, &[21, b'h', b'i']),
            (100, ToDevice, BMS),
            (190, ToTool, &[96, 1]),
            (200, ToDevice, &[20, b'x']),
            (210, ToTool, &[21, b'a']),
            (220, ToTool, &[21, b'b']),
        ];
        let mut desk = replay(Pace::Immediate, frames);
        desk.until(ms(500));
        assert_eq!(desk.told(), []);
        assert_eq!(desk.answers(ms(500), FW), [&[0, 6, 5][..], b"\x15hi"]);
        let mut desk = replay(Pace::Recorded, frames);
        desk.until(ms(500));
        assert_eq!(desk.told(), [(21, 70)]);
        desk.ask(ms(1000), BMS);
        desk.ask(ms(2000), FW);
        desk.ask(ms(3000), &[20, b'x']);
        desk.until(ms(60_000));
        assert_eq!(
            desk.told(),
            [(21, 70), (96, 1090), (0, 2050), (21, 3010), (21, 3020)]
        );
        assert_eq!(desk.replies[4].1, [21, b'b']);
    }

    #[test]
    fn says_unasked_things_in_every_session_and_faster_if_told_so() {
        let frames: &[(u64, Direction, &[u8])] = &[(0, ToDevice, FW), (70, ToTool, b"\x15hi")];
        let mut desk = replay(Pace::Scaled(2.0), frames);
        desk.until(ms(1000));
        desk.device.session_begins(ms(1000));
        desk.until(ms(2000));
        assert_eq!(desk.told(), [(21, 35), (21, 1035)]);
    }

    #[test]
    fn plays_at_another_speed() {
        let mut desk = replay(Pace::Scaled(0.5), POLLS);
        desk.ask(ms(0), BMS);
        desk.until(ms(60_000));
        assert_eq!(desk.told(), [(96, 180)]);
    }

    fn replay_by(rules: Rules, frames: &[(u64, Direction, &[u8])]) -> Desk<Replay> {
        let rules = Rules {
            pace: Pace::Immediate,
            ..rules
        };
        let mut desk = Desk::new(Box::new(Replay::new(recording(frames), rules)));
        desk.device.session_begins(Time::ZERO);
        desk
    }

    const SETUP: &[(u64, Direction, &[u8])] = &[
        (0, ToDevice, FW),
        (10, ToTool, &[0, 6, 5]),
        (20, ToDevice, BMS),
        (30, ToTool, &[96, 1]),
        (40, ToDevice, BMS),
        (50, ToTool, &[96, 2]),
    ];

    #[test]
    fn answers_only_what_came_next_if_the_order_is_strict() {
        let rules = |at_end| Rules {
            order: Order::Strict,
            at_end,
            ..Rules::default()
        };
        let mut desk = replay_by(rules(AtEnd::Hold), SETUP);
        assert!(desk.answers(ms(0), BMS).is_empty());
        assert_eq!(desk.answers(ms(0), FW), [[0, 6, 5]]);
        assert!(desk.answers(ms(0), FW).is_empty());
        assert_eq!(
            desk.reasons(),
            [
                "the recording goes on with FW_VERSION",
                "the recording goes on with BMS_GET_VALUES"
            ]
        );
        assert_eq!(desk.answers(ms(0), BMS), [[96, 1]]);
        assert_eq!(desk.answers(ms(0), BMS), [[96, 2]]);
        // Over: whatever is asked is answered as it was last.
        assert_eq!(desk.answers(ms(0), FW), [[0, 6, 5]]);
        assert_eq!(desk.answers(ms(0), BMS), [[96, 2]]);

        let mut desk = replay_by(rules(AtEnd::Wrap), SETUP);
        for _ in 0..2 {
            assert_eq!(desk.answers(ms(0), FW), [[0, 6, 5]]);
            assert_eq!(desk.answers(ms(0), BMS), [[96, 1]]);
            assert_eq!(desk.answers(ms(0), BMS), [[96, 2]]);
        }

        let mut desk = replay_by(rules(AtEnd::Silent), SETUP);
        for request in [FW, BMS, BMS] {
            assert_eq!(desk.answers(ms(0), request).len(), 1);
        }
        assert!(desk.answers(ms(0), FW).is_empty());
        assert_eq!(desk.reasons(), ["the recording is over"]);
    }

    #[test]
    fn begins_again_or_falls_silent_at_the_end_if_told_so() {
        let rules = |at_end| Rules {
            at_end,
            ..Rules::default()
        };
        let mut desk = replay_by(rules(AtEnd::Wrap), SETUP);
        for value in [1, 2, 1, 2, 1] {
            assert_eq!(desk.answers(ms(0), BMS), [[96, value]]);
        }
        let mut desk = replay_by(rules(AtEnd::Silent), SETUP);
        assert_eq!(desk.answers(ms(0), BMS), [[96, 1]]);
        assert_eq!(desk.answers(ms(0), BMS), [[96, 2]]);
        assert!(desk.answers(ms(0), BMS).is_empty());
        assert_eq!(desk.reasons(), ["the recording is over"]);
    }

    #[test]
    fn leaves_what_was_not_recorded_to_its_stand_in() {
        let stand_in = Replay::new(
            recording(&[(0, ToDevice, PING), (40, ToTool, &[62, 84])]),
            Pace::Recorded,
        );
        let device =
            Replay::new(recording(SETUP), Pace::Immediate).with_stand_in(Box::new(stand_in));
        let mut desk = Desk::new(Box::new(device));
        assert_eq!(desk.answers(ms(0), FW), [[0, 6, 5]]);
        desk.ask(ms(10), PING);
        desk.ask(ms(10), &[30]);
        desk.until(ms(1000));
        assert_eq!(desk.told().last(), Some(&(62, 50)));
        assert_eq!(desk.reasons(), ["the recording has no such request"]);
    }

    #[test]
    fn stays_silent_where_the_recording_did() {
        let mut desk = replay(
            Pace::Immediate,
            &[
                (0, ToDevice, &[30]),
                (10, ToDevice, BMS),
                (20, ToTool, &[96, 1]),
                (30, ToDevice, BMS),
            ],
        );
        assert!(desk.answers(ms(0), &[30]).is_empty());
        assert!(desk.answers(ms(1), &[30]).is_empty());
        assert_eq!(desk.reasons(), ["it was not answered in the recording"; 2]);
        assert_eq!(desk.answers(ms(2), BMS), [[96, 1]]);
        // The recording ended before the second reply; asked a third time, the first is the last there is.
        assert!(desk.answers(ms(3), BMS).is_empty());
        assert_eq!(desk.answers(ms(4), BMS), [[96, 1]]);
    }

    #[test]
    fn does_not_say_what_came_before_any_request() {
        let recording = recording(&[
            (0, ToTool, &[21, b'x']),
            (10, ToDevice, FW),
            (20, ToTool, &[0, 6, 5]),
        ]);
        assert_eq!((recording.dropped, recording.replies.len()), (1, 2));
        let mut desk = Desk::new(Box::new(Replay::new(recording, Pace::Immediate)));
        assert_eq!(desk.answers(ms(0), FW), [[0, 6, 5]]);
    }

    #[test]
    fn does_not_grow_with_the_requests_that_a_client_invents() {
        let mut desk = replay(Pace::Immediate, POLLS);
        let size = |desk: &Desk<Replay>| format!("{:?}", desk.device).len();
        let before = size(&desk);
        for n in 0..5000u32 {
            desk.ask(ms(0), &[&[200][..], &n.to_be_bytes()].concat());
            desk.until(ms(0));
        }
        assert_eq!(size(&desk), before);
        assert_eq!(desk.ignored.len(), 5000);
    }

    #[test]
    fn bounds_the_replies_that_wait() {
        let mut desk = replay(Pace::Recorded, POLLS);
        for _ in 0..10_000 {
            desk.ask(ms(0), BMS);
        }
        desk.until(ms(60_000));
        assert_eq!(desk.replies.len() + desk.ignored.len(), 10_000);
        assert_eq!(desk.reasons()[0], "too many requests wait for an answer");
        assert_eq!(desk.answers(ms(70_000), BMS), [[96, 3]]);
    }

    #[test]
    fn tells_the_truth_of_a_reply_only_if_all_of_it_is_understood() {
        let mut desk = replay(
            Pace::Immediate,
            &[
                (0, ToDevice, PING),
                (10, ToTool, &[62, 84]),
                (20, ToDevice, BMS),
                (30, ToTool, &[96, 1]),
            ],
        );
        desk.ask(ms(0), PING);
        desk.ask(ms(0), BMS);
        desk.until(ms(0));
        let truths: Vec<Option<Reply>> = desk
            .replies
            .into_iter()
            .map(|(_, _, truth)| truth)
            .collect();
        assert_eq!(truths, [Some(Reply::PingCan { can_ids: vec![84] }), None]);
    }

    #[test]
    fn is_the_first_connection_that_carries_requests() {
        let mut entries = Vec::new();
        for (connection, direction, payload) in [
            (1, ToTool, &[96, 9][..]),
            (2, ToDevice, BMS),
            (3, ToDevice, FW),
            (3, ToTool, &[0, 6, 5]),
            (2, ToTool, &[96, 1]),
        ] {
            entries.push(Entry {
                at_ns: None,
                connection,
                direction: Some(direction),
                offset: 0,
                kind: Kind::Frame(FrameEntry {
                    payload: payload.to_vec(),
                    start: 2,
                    waits_for: 0,
                    firmware: None,
                }),
            });
        }
        let recording = Recording::from_transcript(&Transcript {
            entries,
            ..Transcript::default()
        });
        assert_eq!(recording.requests, [(Duration::ZERO, BMS.to_vec())]);
        assert_eq!(recording.replies, [[96, 1]]);
    }

    #[test]
    fn takes_login_times_and_frames_from_a_capture_file() {
        const MS: u64 = 1_000_000;
        let frame = |payload: &[u8]| encode(payload).unwrap();
        let ends = Endpoints::new(
            "192.0.2.1:40000".parse().unwrap(),
            "192.0.2.2:65101".parse().unwrap(),
        );
        let mut session = SessionWriter::new(Vec::new(), ends, 0).unwrap();
        session.open(0).unwrap();
        session
            .data(
                100 * MS,
                Side::Initiator,
                b"VESCTOOL:demo-0001:not-a-secret\n",
            )
            .unwrap();
        session.data(150 * MS, Side::Initiator, &frame(FW)).unwrap();
        session
            .data(300 * MS, Side::Responder, &frame(&[0, 6, 5]))
            .unwrap();
        session
            .data(
                400 * MS,
                Side::Initiator,
                &[frame(BMS), frame(BMS)].concat(),
            )
            .unwrap();
        session
            .data(
                500 * MS,
                Side::Responder,
                &[frame(&[96, 1]), frame(&[96, 2])].concat(),
            )
            .unwrap();
        session.close(600 * MS, Side::Initiator).unwrap();
        let file = session.finish().unwrap();
        let transcript = Transcript::from_capture(&file[..], &Options::default()).unwrap();
        let recording = Recording::from_transcript(&transcript);
        let login = recording.login.as_ref().unwrap();
        assert_eq!(
            (login.id.as_str(), login.password.reveal()),
            ("DEMO-0001", "not-a-secret")
        );
        let times: Vec<u128> = recording
            .requests
            .iter()
            .map(|(since, _)| since.as_millis())
            .collect();
        assert_eq!(times, [50, 300, 300]);
        let mut desk = Desk::new(Box::new(Replay::new(recording, Pace::Recorded)));
        desk.ask(ms(0), BMS);
        desk.ask(ms(0), BMS);
        desk.ask(ms(0), FW);
        desk.until(ms(1000));
        assert_eq!(desk.told(), [(96, 100), (96, 100), (0, 150)]);
    }
}

#[test]
fn what_a_scenario_writes_of_a_motor_stands_in_its_configuration_too() {
    let at = |count| Time::ZERO + hours(count);
    let mut desk = with_descriptions(
        "
  - express:
      id: demo-0001
      password: not-a-secret
      can:
        - motor:
            can_id: 84
            # Written is written, even if it is the default: 10 V.
            limits: { current_max_a: 33, battery_cut_start_v: 10, erpm_min: -500, power_max_w: 900 }
            machine: { poles: 28 }
            timeout: 700ms
            mcconf: { description: mcconf.xml, values: { l_min_erpm: -900 } }
            appconf: { description: appconf.xml }
",
    )
    .unwrap();
    let told = configured(&mut desk, at(0), &Request::GetMcconf, MOTOR);
    let number = |told: &[(String, f64)], name: &str| {
        let found = told.iter().find(|(field, _)| field == name);
        found.map(|&(_, number)| number)
    };
    for (name, wanted) in [
        ("l_current_max", Some(33.0)),
        ("l_battery_cut_start", Some(10.0)),
        // Not written: as the description has it, and not as the model would.
        ("l_battery_cut_end", Some(36.0)),
        // A value by name goes before.
        ("l_min_erpm", Some(-900.0)),
        ("si_motor_poles", Some(28.0)),
        // The description has no such field.
        ("l_watt_max", None),
    ] {
        assert_eq!(number(&told, name), wanted, "{name}");
    }
    let told = configured(&mut desk, at(2), &Request::GetAppconf, APPLICATION);
    assert_eq!(number(&told, "timeout_msec"), Some(700.0));
    // The limits of the motor are those that its configuration tells.
    let limits = desk.answers(at(4), &forward(84, &Request::GetBatteryCut));
    assert_eq!(limits, [vec![115, 0, 0, 39, 16, 0, 0, 140, 160]]);
    // The defaults stay the description's.
    let told = configured(&mut desk, at(6), &Request::GetMcconfDefault, MOTOR);
    assert_eq!(number(&told, "l_current_max"), Some(60.0));
}

#[test]
fn a_limit_that_the_configuration_cannot_hold_is_shown_where_it_stands() {
    let error = with_descriptions(
        "
  - motor:
      can_id: 84
      timeout: 5000000s
      appconf: { description: appconf.xml }
",
    );
    let error = error.err().unwrap();
    assert!(error.contains("timeout_msec"), "{error}");
    assert!(error.contains("test.yaml:6"), "{error}");
}

/// A configuration with the defaults of a description, but for one value.
fn changed(xml: &str, name: &str, number: f64) -> MotorConfig {
    let description = ConfigDescription::from_xml(xml).unwrap();
    let mut values = description.defaults();
    values
        .set(name, &Value::Number(number), Rounding::Nearest)
        .unwrap();
    MotorConfig {
        signature: description.signature(),
        data: values.to_bytes(),
    }
}

#[test]
fn before_a_configuration_is_stored_the_motor_stands_or_three_seconds_are_over() {
    let acknowledged = |erpm: u32, friction_nm: f64, request: &Request| {
        let mut desk = with_descriptions(&format!(
            "
  - motor:
      can_id: 84
      noise: 0
      load: {{ start_erpm: {erpm}, friction_nm: {friction_nm}, drag_nm_s: 0 }}
      mcconf: {{ description: mcconf.xml }}
      appconf: {{ description: appconf.xml }}
"
        ))
        .unwrap();
        desk.ask(ms(0), &request.encode());
        // It ignores commands meanwhile.
        let drive = Request::from_args(CommandId::SET_CURRENT, &["20"]).unwrap();
        desk.ask(ms(100), &drive.encode());
        desk.until(ms(9000));
        let ignored = desk.reasons().join("\n");
        assert!(ignored.contains("ignores commands for a time"), "{ignored}");
        let (_, after) = desk.told()[0];
        after
    };
    let motor = Request::SetMcconf(changed(MOTOR, "l_current_max", 20.0));
    let application = Request::SetAppconf(changed(APPLICATION, "timeout_msec", 900.0));
    let stands = acknowledged(0, 0.05, &motor);
    assert!((200..300).contains(&stands), "{stands} ms");
    // 0.05 Nm take 668 ERPM in a second off a rotor of 0.005 kg m² with 7 pole pairs.
    let soon = acknowledged(668, 0.05, &motor);
    assert!((stands + 990..=stands + 1020).contains(&soon), "{soon} ms");
    assert_eq!(acknowledged(668, 0.05, &application), soon);
    assert_eq!(acknowledged(9000, 0.0, &application), stands + 3000);
}

#[test]
fn what_the_hardware_keeps_as_it_is_is_told_and_not_changed() {
    let mut desk = with_descriptions(
        "
  - motor:
      can_id: 84
      mcconf: { description: mcconf.xml, read_only: true }
      appconf: { read_only: true }
",
    )
    .unwrap();
    let at = |count| Time::ZERO + hours(count);
    let before = desk.answers(at(0), &[14]);
    let motor = Request::SetMcconf(changed(MOTOR, "l_current_max", 20.0)).encode();
    assert_eq!(desk.answers(at(2), &motor), [] as [Vec<u8>; 0]);
    assert_eq!(desk.answers(at(4), &[14]), before);
    let application = changed(APPLICATION, "timeout_msec", 900.0);
    let application = Request::SetAppconfNoStore(application).encode();
    assert_eq!(desk.answers(at(6), &application), [] as [Vec<u8>; 0]);
    let why = "its hardware lets nobody change this configuration";
    assert_eq!(desk.reasons(), [why, why]);
}

#[test]
fn a_node_that_is_given_another_id_answers_there_and_only_for_good_if_it_is_stored() {
    let mut desk = with_descriptions(
        "
  - express:
      id: demo-0001
      password: not-a-secret
      can:
        - motor: { can_id: 84, appconf: { description: appconf.xml } }
        - motor: { can_id: 90, appconf: { description: appconf.xml } }
",
    )
    .unwrap();
    let at = |count| Time::ZERO + hours(count);
    let renamed = |can_id: f64| changed(APPLICATION, "controller_id", can_id);
    let there = |desk: &mut Desk<dyn Device>, hour| desk.answers(at(hour), PING).remove(0);
    assert_eq!(there(&mut desk, 0), [62, 84, 90]);
    let request = Request::SetAppconf(renamed(20.0));
    assert_eq!(desk.answers(at(2), &forward(84, &request)), [[16]]);
    assert_eq!(there(&mut desk, 4), [62, 20, 90]);
    let values = Request::GetValuesSelective { mask: 1 << 17 };
    let asked = |desk: &mut Desk<dyn Device>, hour, can_id| {
        let told = desk.answers(at(hour), &forward(can_id, &values));
        told.iter().map(|reply| reply[5]).collect::<Vec<_>>()
    };
    assert_eq!(asked(&mut desk, 6, 20), [20]);
    assert_eq!(asked(&mut desk, 8, 84), [] as [u8; 0]);
    // A restart brings back what was stored.
    let request = Request::SetAppconfNoStore(renamed(30.0));
    assert_eq!(desk.answers(at(10), &forward(20, &request)), [[149]]);
    assert_eq!(there(&mut desk, 12), [62, 30, 90]);
    desk.answers(at(14), &forward(30, &Request::Reboot));
    assert_eq!(there(&mut desk, 16), [62, 20, 90]);
    // Two with one id answer both.
    let request = Request::SetAppconf(renamed(90.0));
    assert_eq!(desk.answers(at(18), &forward(20, &request)), [[16]]);
    assert_eq!(asked(&mut desk, 20, 90), [90, 90]);
    assert_eq!(there(&mut desk, 22), [62, 90]);
}
