//! The page at several sizes, of hubs that are played in memory.

mod steps;

use std::time::Duration;

use insta::assert_snapshot;
use ratatui::{Terminal, backend::TestBackend};
use serde_json::json;
use veschub_control::{Act, Batch, HubView, Record};
use veschub_hub::{
    Silence,
    fault::{FaultFired, Harm, catalogue},
    hub::{ConnId, Hub, HubConfig, steer::Origin},
    journal::{JournalEntry, JournalEvent},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_wire::{CommandId, LoginLine};

use crate::{
    keys::Key,
    look::{About, Look},
    page::Page,
};

/// A page that shows a hub.
struct Seat {
    hub: Hub,
    page: Page,
    at: Time,
    next: u64,
}

impl Seat {
    fn at(hub: Hub) -> Self {
        let about = About {
            control: None,
            hints: vec!["to see its values: veschub-harness read --hub 127.0.0.1:65101".to_owned()],
            has_colours: true,
        };
        let mut seat = Self {
            hub,
            page: Page::new(about),
            at: Time::ZERO + Duration::from_secs(12),
            next: 1,
        };
        seat.looks();
        seat
    }

    fn of(scenario: &str) -> Self {
        let loaded = Loaded::parse("test.yaml", scenario).unwrap();
        Self::at(loaded.build(Seed(7)).unwrap().into_hub())
    }

    fn demo() -> Self {
        Self::at(Loaded::demo().unwrap().build(Seed(7)).unwrap().into_hub())
    }

    /// Looks at the hub, as often as the page wants to know something else.
    fn looks(&mut self) {
        loop {
            let wants = self.page.wants();
            let id = wants.device.as_ref();
            let device = id.filter(|_| wants.values);
            let device = device.and_then(|(id, node)| self.hub.device(self.at, id, *node).ok());
            let quirks = id.filter(|_| wants.quirks);
            let quirks = quirks.and_then(|(id, _)| self.hub.quirks(id).ok());
            let look = Look {
                hub: HubView {
                    listening: "127.0.0.1:65101".to_owned(),
                    accepts: true,
                    at: self.at.as_secs_f64(),
                    scale: 1.0,
                    seed: Some(7),
                    ..HubView::default()
                },
                devices: self.hub.devices(),
                device,
                faults: self.hub.faults(),
                quirks: quirks.unwrap_or_default(),
            };
            self.page.take(look);
            if self.page.wants() == wants {
                return;
            }
        }
    }

    /// What the keys ask for; what they change is looked at.
    fn presses(&mut self, keys: impl IntoIterator<Item = Key>) -> Vec<Act> {
        let acts = keys
            .into_iter()
            .filter_map(|key| self.page.key(key))
            .collect();
        self.looks();
        acts
    }

    fn types(&mut self, text: &str) -> Vec<Act> {
        self.presses(text.chars().map(Key::Char))
    }

    fn happens(&mut self, device: &str, event: JournalEvent) {
        let entry = JournalEntry {
            at: Time::ZERO + Duration::from_millis(self.next * 125),
            conn: Some(ConnId(3)),
            device: Some(device.into()),
            event,
        };
        let record = Record {
            seq: self.next,
            entry: entry.into(),
        };
        self.page.happened(&Batch {
            records: vec![record],
            last: self.next,
            is_end: true,
            first: 1,
            lost: 0,
        });
        self.next += 1;
    }

    fn terminal(&mut self, columns: u16, rows: u16) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let page = &mut self.page;
        terminal
            .draw(|frame| page.draw(frame.area(), frame.buffer_mut()))
            .unwrap();
        terminal
    }

    fn drawn(&mut self, columns: u16, rows: u16) -> String {
        self.terminal(columns, rows).backend().to_string()
    }
}

const MOTORS: &str = "version: 1
devices:
  - express:
      id: demo-0001
      password: not-a-secret
      bms: { cells: 14, cell_voltage_v: 3.9, spread_mv: 12 }
      can:
        - motor: { can_id: 84, hardware: DEMO-MOTOR }
        - motor: { can_id: 85 }
quirks: [{ session-reset: { max_gap: 250ms } }]
faults: [{ delay: { by: 200ms } }, { drop: { when: { nth: 3 } } }]
";

fn a_session(seat: &mut Seat) {
    let device = "DEMO-0001";
    let login = LoginLine::parse(b"VESCTOOL:demo-0001:***\n");
    if let Ok(login) = login {
        seat.happens(device, JournalEvent::Login(login));
    }
    seat.happens(device, JournalEvent::Attached);
    seat.happens(device, JournalEvent::Request(vec![0]));
    let fw = b"\x00\x06\x06VESC Express T\x00".to_vec();
    seat.happens(
        device,
        JournalEvent::Reply {
            payload: fw,
            truth: None,
        },
    );
    seat.happens(device, JournalEvent::Request(vec![96]));
    seat.happens(
        device,
        JournalEvent::FaultFired(FaultFired {
            at: Time::ZERO,
            id: None,
            fault: "delay",
            harm: Harm::Late,
            command: Some(CommandId::BMS_GET_VALUES),
            why: "200 ms later".to_owned(),
        }),
    );
    seat.happens(
        device,
        JournalEvent::Noise {
            bytes: vec![2, 1, 0, 0, 0, 3],
            nearly: None,
        },
    );
    seat.happens(
        device,
        JournalEvent::NotAnswered {
            command: CommandId(200),
            why: Silence::Unknown("firmware 6.06"),
        },
    );
    seat.happens(
        device,
        JournalEvent::Steered {
            text: "fault 3 on: drop".to_owned(),
        },
    );
}

#[test]
fn a_pack_has_a_bar_for_each_cell() {
    let mut seat = Seat::demo();
    assert_snapshot!("devices-80x24", seat.drawn(80, 24));
    assert_snapshot!("devices-120x40", seat.drawn(120, 40));
    assert_snapshot!("devices-40x24", seat.drawn(40, 24));
    seat.types("c");
    assert_snapshot!("closer-80x24", seat.drawn(80, 24));
}

#[test]
fn a_node_on_the_bus_is_chosen_with_the_arrows() {
    let mut seat = Seat::of(MOTORS);
    seat.presses([Key::Right]);
    assert_snapshot!("node-80x24", seat.drawn(80, 24));
    assert_eq!(
        seat.page.wants().device,
        Some(("DEMO-0001".to_owned(), Some(84)))
    );
    seat.presses([Key::Left, Key::Left]);
    assert_eq!(
        seat.page.wants().device,
        Some(("DEMO-0001".to_owned(), None))
    );
}

#[test]
fn the_wire_shows_both_directions_with_a_mark_at_what_is_out_of_the_ordinary() {
    let mut seat = Seat::demo();
    a_session(&mut seat);
    seat.types("2");
    assert_snapshot!("wire-80x24", seat.drawn(80, 24));
    assert_snapshot!("wire-120x40", seat.drawn(120, 40));
    assert_snapshot!("wire-40x24", seat.drawn(40, 24));
    // The reply, with its fields and bytes.
    seat.drawn(80, 24);
    for _ in 0..20 {
        seat.presses([Key::Up]);
    }
    seat.presses([Key::Down, Key::Down, Key::Down, Key::Enter]);
    assert_snapshot!("entry-80x24", seat.drawn(80, 24));
}

#[test]
fn faults_and_quirks_are_switched_with_one_key() {
    let mut seat = Seat::of(MOTORS);
    seat.types("3");
    assert_snapshot!("break-it-80x24", seat.drawn(80, 24));
    assert_snapshot!("break-it-120x40", seat.drawn(120, 40));
    assert_snapshot!("break-it-40x24", seat.drawn(40, 24));
    // The fault of the scenario is still listed when it is off, and comes back as it was.
    let delay = seat.hub.faults()[0].clone();
    assert_eq!(seat.types(" "), [Act::FaultOff(delay.id.0)]);
    seat.hub.remove_fault(seat.at, delay.id).unwrap();
    seat.looks();
    let drawn = seat.drawn(80, 24);
    assert!(
        drawn.contains("[ ] delay                    off, at all devices"),
        "{drawn}"
    );
    let on = Act::FaultOn {
        device: None,
        fault: json!({ "delay": delay.parameters }),
    };
    assert_eq!(seat.types(" "), [on]);
    // A kind of fault, at the chosen device alone.
    let one = Act::FaultAsInExample {
        device: Some("DEMO-0001".to_owned()),
        name: "bandwidth",
    };
    seat.presses([Key::End]);
    for _ in 1..catalogue().len() {
        seat.presses([Key::Up]);
    }
    assert_eq!(seat.types("a "), [one]);
    // A quirk of the scenario keeps its parameters.
    seat.presses([Key::Up]);
    let quirks = seat.hub.quirks("DEMO-0001").unwrap();
    let place = quirks.iter().position(|quirk| quirk.on).unwrap();
    for _ in place + 1..quirks.len() {
        seat.presses([Key::Up]);
    }
    let (device, name) = ("DEMO-0001".to_owned(), "session-reset".to_owned());
    let off = Act::QuirkOff {
        device: device.clone(),
        name: name.clone(),
    };
    assert_eq!(seat.types(" "), [off]);
    seat.hub.remove_quirk(seat.at, &device, &name).unwrap();
    seat.looks();
    let parameters = quirks[place].parameters.clone();
    assert!(parameters.is_some() && quirks[place].by == Some(Origin::Scenario));
    assert_eq!(
        seat.types(" "),
        [Act::QuirkOn {
            device,
            name,
            parameters
        }]
    );
}

#[test]
fn a_thousand_devices_are_scrolled_and_found() {
    let devices = "version: 1
devices: [{ express: { id: 'pack-{n:04}', password: not-a-secret, count: 1000, bms: { cells: 4 } } }]
";
    let mut seat = Seat::of(devices);
    seat.drawn(80, 24);
    seat.presses([Key::End]);
    assert_snapshot!("thousand-80x24", seat.drawn(80, 24));
    let last = seat.page.wants().device;
    seat.presses([Key::Up, Key::Down]);
    assert_eq!(seat.page.wants().device, last);
    seat.types("/0500");
    let drawn = seat.drawn(80, 24);
    assert!(drawn.contains("Devices: 1 of 1000"), "{drawn}");
    seat.presses([Key::Esc]);
    assert!(seat.drawn(80, 24).contains("Devices: 1000"));
}

#[test]
fn an_empty_hub_says_how_devices_come() {
    let mut seat = Seat::at(Hub::new(HubConfig::default(), Vec::new()));
    assert_snapshot!("empty-80x24", seat.drawn(80, 24));
    for key in ["d", "u", " ", "3 ", "2 x", "?", "m"] {
        seat.types(key);
        seat.drawn(80, 24);
    }
}

#[test]
fn help_lists_every_key_and_any_key_closes_it() {
    let mut seat = Seat::demo();
    seat.types("?");
    assert_snapshot!("help-80x24", seat.drawn(80, 24));
    seat.types("p");
    assert!(seat.drawn(80, 24).contains("20 cells"));
}
