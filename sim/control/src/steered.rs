//! What was steered, in the words of a scenario as far as they go.

use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use veschub_hub::{duration::Duration, fault::MAX_FAULTS, time::Time};
use veschub_scenario::{Loaded, Written};
use veschub_wire::login::normalise_id;

/// The most things that are remembered.
const MOST: usize = 10_000;

/// What the hub was made of, and what was done to it since.
#[derive(Debug, Default)]
pub(crate) struct Steered(Mutex<Acts>);

#[derive(Debug, Default)]
struct Acts {
    base: Option<Written>,
    acts: Vec<(Time, Act)>,
    left_out: u64,
}

#[derive(Debug)]
enum Act {
    Device {
        id: String,
        written: Option<Written>,
        faults: Vec<Written>,
        quirks: Vec<Written>,
    },
    Set {
        device: String,
        can_id: Option<u8>,
        words: Written,
    },
    Fault {
        id: u32,
        device: Option<String>,
        /// How long after a session began, if it was one session.
        after: Option<f64>,
        words: Written,
        gone: Option<Time>,
    },
    Quirk {
        device: String,
        words: Option<Written>,
    },
    QuirkGone {
        device: String,
        name: String,
    },
    Remark(String),
}

impl Steered {
    /// Nothing was done yet to a hub that was made of this scenario, or of something else.
    pub(crate) fn new(scenario: Option<&Loaded>) -> Self {
        Self(Mutex::new(Acts {
            base: scenario.map(Loaded::written),
            ..Acts::default()
        }))
    }

    /// The hub was made anew of this scenario. Of what was done before, only faults on all devices are still there.
    pub(crate) fn begin_anew(&self, scenario: &Loaded) {
        let base = Some(scenario.written());
        let mut acts = self.lock();
        acts.base = base;
        acts.left_out = 0;
        acts.acts.retain(|(_, act)| {
            matches!(
                act,
                Act::Fault {
                    device: None,
                    gone: None,
                    ..
                }
            )
        });
    }

    /// Something happened for which scenarios have no word.
    pub(crate) fn remark(&self, at: Time, text: impl Into<String>) {
        self.push(at, Act::Remark(text.into()));
    }

    pub(crate) fn device_came(
        &self,
        at: Time,
        id: &str,
        written: Option<Written>,
        faults: Vec<Written>,
        quirks: Vec<Written>,
    ) {
        let id = id.to_owned();
        self.push(
            at,
            Act::Device {
                id,
                written,
                faults,
                quirks,
            },
        );
    }

    pub(crate) fn set(&self, at: Time, device: &str, can_id: Option<u8>, words: &Value) {
        let mut set = vec![("at".to_owned(), Written::Plain(duration(at.as_nanos())))];
        if let Written::Map(keys) = Written::from(words) {
            let given = keys
                .into_iter()
                .filter(|(_, value)| value.text() != Some("null"));
            set.splice(0..0, given);
        }
        let act = Act::Set {
            device: device.to_owned(),
            can_id,
            words: Written::Map(set),
        };
        self.push(at, act);
    }

    pub(crate) fn fault_came(
        &self,
        at: Time,
        id: u32,
        device: Option<String>,
        after: Option<f64>,
        words: Written,
    ) {
        let act = Act::Fault {
            id,
            device,
            after,
            words,
            gone: None,
        };
        self.push(at, act);
    }

    pub(crate) fn fault_went(&self, at: Time, id: u32) {
        let mut acts = self.lock();
        let known = acts.acts.iter_mut().find_map(|(_, act)| match act {
            Act::Fault {
                id: known, gone, ..
            } if *known == id => Some(gone),
            _ => None,
        });
        match known {
            Some(gone) => *gone = Some(at),
            None => {
                drop(acts);
                self.remark(at, format!("fault {id} of the scenario was switched off"));
            }
        }
    }

    pub(crate) fn quirk_came(&self, at: Time, device: &str, words: Option<Written>) {
        let device = device.to_owned();
        self.push(at, Act::Quirk { device, words });
    }

    pub(crate) fn quirk_went(&self, at: Time, device: &str, name: &str) {
        let (device, name) = (device.to_owned(), name.to_owned());
        self.push(at, Act::QuirkGone { device, name });
    }

    fn push(&self, at: Time, act: Act) {
        let mut acts = self.lock();
        if acts.acts.len() < MOST {
            acts.acts.push((at, act));
        } else {
            acts.left_out += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Acts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it as a scenario.
    pub(crate) fn scenario(&self) -> String {
        let acts = self.lock();
        let mut saved = Saved::new(acts.base.clone());
        for (at, act) in &acts.acts {
            saved.add(*at, act);
        }
        if acts.left_out > 0 {
            saved
                .remarks
                .push(format!("{} further changes are not here", acts.left_out));
        }
        saved.text()
    }
}

struct Saved {
    scenario: Written,
    remarks: Vec<String>,
}

impl Saved {
    fn new(base: Option<Written>) -> Self {
        let mut remarks = Vec::new();
        let scenario = base.unwrap_or_else(|| {
            remarks.push(
                "the hub was not made of a scenario: only devices that were created since are here"
                    .to_owned(),
            );
            let version = ("version".to_owned(), Written::Plain("1".to_owned()));
            let devices = ("devices".to_owned(), Written::List(Vec::new()));
            Written::Map(vec![version, devices])
        });
        Self { scenario, remarks }
    }

    fn remark(&mut self, at: Time, text: &str) {
        self.remarks
            .push(format!("{}: {text}", duration(at.as_nanos())));
    }

    fn add(&mut self, at: Time, act: &Act) {
        match act {
            Act::Remark(text) => self.remark(at, text),
            Act::Device {
                id,
                written,
                faults,
                quirks,
            } => {
                let Some(device) = written else {
                    return;
                };
                let devices = self.scenario.at("devices").items();
                let before = devices.len();
                devices.retain(|other| !has_id(other, id));
                let came = match devices.len() < before {
                    true => "came again; here the last one is there from the start",
                    false => "came; here it is there from the start",
                };
                devices.push(device.clone());
                self.remark(at, &format!("{id} {came}"));
                for (key, list) in [("faults", faults), ("quirks", quirks)] {
                    if list.is_empty() {
                        continue;
                    }
                    if !self.is_only(id) {
                        self.remark(
                            at,
                            &format!("the {key} of {id} alone act on all devices here"),
                        );
                    }
                    for words in list {
                        match key {
                            "quirks" => self.push_quirk(words),
                            _ => self.push_fault(at, words.clone()),
                        }
                    }
                }
            }
            Act::Set {
                device,
                can_id,
                words,
            } => match place(&mut self.scenario, device, *can_id) {
                Some(node) => node.at("set").items().push(words.clone()),
                None => {
                    let one_line = line(words);
                    self.remark(
                        at,
                        &format!("{device}: a value was set that has no place here: {one_line}"),
                    );
                }
            },
            Act::Fault {
                device,
                after,
                words,
                gone,
                ..
            } => self.add_fault(at, device.as_deref(), *after, words, *gone),
            Act::Quirk { device, words } => {
                let Some(words) = words else {
                    return;
                };
                let text = line(words);
                self.remark(
                    at,
                    &format!("{device}: {text} was switched on; here it is on from the start"),
                );
                if !self.is_only(device) {
                    self.remark(
                        at,
                        &format!("that quirk of {device} alone acts on all devices here"),
                    );
                }
                self.push_quirk(words);
            }
            Act::QuirkGone { device, name } if self.is_only(device) => {
                self.remark(
                    at,
                    &format!(
                        "{device}: the quirk {name} was switched off; here it is not there at all"
                    ),
                );
                let quirks = self.scenario.at("quirks").items();
                quirks.retain(|other| quirk_name(other) != Some(name));
            }
            Act::QuirkGone { device, name } => {
                self.remark(at, &format!("{device}: the quirk {name} was switched off"));
            }
        }
    }

    fn add_fault(
        &mut self,
        at: Time,
        device: Option<&str>,
        after: Option<f64>,
        words: &Written,
        gone: Option<Time>,
    ) {
        let (mut words, text) = (words.clone(), line(words));
        let Written::Map(kinds) = &mut words else {
            return;
        };
        let Some((_, parameters)) = kinds.first_mut() else {
            return;
        };
        let lasted = gone.map(|gone| gone.as_nanos().saturating_sub(at.as_nanos()));
        if lasted == Some(0) {
            return;
        }
        let when = parameters.at("when");
        if when.get("after").is_some() || when.get("for").is_some() {
            self.remark(
                at,
                &format!("{text} was switched on; here it counts from when a session begins"),
            );
        } else {
            match after {
                Some(after) => {
                    *when.at("after") = Written::Plain(duration((after.max(0.0) * 1e9) as u64));
                }
                None => self.remark(
                    at,
                    &format!("{text} was switched on; here it is on from when a session begins"),
                ),
            }
            if let Some(lasted) = lasted {
                *parameters.at("when").at("for") = Written::Plain(duration(lasted));
            }
        }
        if let Written::Map(kinds) = &mut words
            && let Some((_, Written::Map(keys))) = kinds.first_mut()
        {
            // A trigger that says nothing is none.
            keys.retain(|(key, value)| key != "when" || *value != Written::List(Vec::new()));
        }
        if let Some(device) = device.filter(|device| !self.is_only(device)) {
            self.remark(
                at,
                &format!("{text} of {device} alone acts on all devices here"),
            );
        }
        self.push_fault(at, words);
    }

    fn push_quirk(&mut self, words: &Written) {
        let quirks = self.scenario.at("quirks").items();
        // A quirk that is on already has these parameters now.
        quirks.retain(|other| quirk_name(other) != quirk_name(words));
        quirks.push(words.clone());
    }

    fn push_fault(&mut self, at: Time, words: Written) {
        let faults = self.scenario.at("faults").items();
        if faults.len() < MAX_FAULTS {
            faults.push(words);
            return;
        }
        let text = line(&words);
        self.remark(
            at,
            &format!("{text} was switched on; a scenario has at most {MAX_FAULTS} faults"),
        );
    }

    /// Whether this is the only device.
    fn is_only(&mut self, id: &str) -> bool {
        match &self.scenario.at("devices").items()[..] {
            [device] => has_id(device, id),
            _ => false,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.remarks.is_empty() {
            text.push_str("# Saved by veschub-sim. What the scenario cannot say:\n");
        }
        for remark in &self.remarks {
            let words: Vec<&str> = remark.split_whitespace().collect();
            // Writing to memory cannot fail.
            let _ = writeln!(text, "# - {}", words.join(" "));
        }
        let _ = write!(text, "{}", self.scenario);
        text
    }
}

fn has_id(device: &Written, id: &str) -> bool {
    let Written::Map(kinds) = device else {
        return false;
    };
    let id_of = |(_, keys): &(String, Written)| keys.get("id")?.text().map(normalise_id);
    kinds.first().and_then(id_of).as_deref() == Some(id)
}

/// Where the `set` of a device, or of a node on its bus, stands.
fn place<'a>(
    scenario: &'a mut Written,
    device: &str,
    can_id: Option<u8>,
) -> Option<&'a mut Written> {
    let devices = scenario.at("devices").items();
    let device = devices.iter_mut().find(|one| has_id(one, device))?;
    let Written::Map(kinds) = device else {
        return None;
    };
    let (kind, keys) = kinds.first_mut()?;
    let has_can_id = |keys: &Written, wanted: u8| {
        let text = keys.get("can_id").and_then(Written::text);
        text.and_then(|text| text.parse().ok()) == Some(wanted)
    };
    let is_own = can_id.is_none_or(|wanted| has_can_id(keys, wanted));
    match kind.as_str() {
        "motor" if is_own => return Some(keys),
        "bms" if is_own => return Some(keys.at("pack")),
        "express" if is_own && keys.get("bms").is_some() => return Some(keys.at("bms")),
        _ => {}
    }
    keys.get("can")?;
    let nodes = keys.at("can").items().iter_mut();
    let mut nodes = nodes.filter_map(|node| match node {
        Written::Map(kinds) => kinds.first_mut(),
        _ => None,
    });
    let (kind, node) = nodes.find(|(kind, node)| match can_id {
        Some(wanted) => has_can_id(node, wanted),
        // The pack that an Express without one of its own reports.
        None => kind == "bms",
    })?;
    match kind.as_str() {
        "motor" => Some(node),
        "bms" => Some(node.at("pack")),
        _ => None,
    }
}

/// The name of an entry of `quirks`: it stands alone, or before parameters.
fn quirk_name(entry: &Written) -> Option<&str> {
    match entry {
        Written::Plain(name) | Written::Text(name) => Some(name),
        Written::Map(keys) => keys.first().map(|(name, _)| name.as_str()),
        _ => None,
    }
}

fn duration(nanos: u64) -> String {
    Duration(nanos).to_string()
}

/// A value in one line, for a remark.
fn line(written: &Written) -> String {
    let text = written.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration as Span;

    use serde_json::json;

    use super::*;

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    #[test]
    fn a_scenario_that_is_taken_anew_is_what_is_saved_with_the_faults_that_stay() {
        let steered = Steered::new(Some(&Loaded::demo().unwrap()));
        let cell = json!({"field": "cell_voltages_v", "to": 3.1});
        steered.set(at(1.0), "DEMO-0001", None, &cell);
        steered.remark(at(1.0), "DEMO-0001 was unplugged");
        let delay = |by| Written::from(&json!({"delay": {"by": by}}));
        steered.fault_came(at(2.0), 1, Some("DEMO-0001".to_owned()), None, delay("1s"));
        steered.fault_came(at(2.0), 2, None, None, delay("2s"));
        steered.fault_came(at(2.0), 3, None, None, delay("3s"));
        steered.fault_went(at(3.0), 3);
        let cells = ["devices.0.express.bms.cells=7".to_owned()];
        steered.begin_anew(&Loaded::demo_with(&cells).unwrap());
        let text = steered.scenario();
        let saved =
            Loaded::parse("saved.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(text.contains("cells: 7"), "{text}");
        assert!(
            !text.contains("cell_voltages_v") && !text.contains("unplugged"),
            "{text}"
        );
        assert_eq!(saved.scenario.faults.len(), 1, "{text}");
        assert!(text.contains("by: \"2s\""), "{text}");
    }

    #[test]
    fn what_was_steered_is_a_scenario_that_can_be_read() {
        let loaded = Loaded::demo().unwrap();
        let steered = Steered::new(Some(&loaded));
        let cell =
            json!({"field": "cell_voltages_v", "item": 3, "to": 3.1, "from": null, "over": null});
        steered.set(at(1.5), "DEMO-0001", None, &cell);
        let speed =
            json!({"field": "erpm", "item": null, "to": 1000.0, "from": null, "over": null});
        steered.set(at(2.0), "DEMO-0001", Some(84), &speed);
        steered.set(at(2.0), "DEMO-0001", Some(99), &speed);
        let delay = Written::from(&json!({"delay": {"by": "250ms"}}));
        steered.fault_came(
            at(3.0),
            1,
            Some("DEMO-0001".to_owned()),
            Some(2.5),
            delay.clone(),
        );
        steered.fault_went(at(4.0), 1);
        steered.fault_came(at(5.0), 2, None, None, delay);
        steered.remark(at(6.0), "DEMO-0001 was unplugged");
        let text = steered.scenario();
        let again =
            Loaded::parse("saved.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(again.scenario.faults.len(), 2, "{text}");
        for expected in [
            "field: \"cell_voltages_v\"",
            "at: 1.5s",
            "after: 2.5s",
            "for: 1s",
            "# - 6s: DEMO-0001 was unplugged",
            "# - 2s: DEMO-0001: a value was set that has no place here",
            "# - 5s: delay: by: \"250ms\" was switched on; here it is on from when a session begins",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn a_quirk_stands_in_a_saved_scenario_once_and_not_at_all_after_it_was_switched_off() {
        let steered = Steered::new(Some(&Loaded::demo().unwrap()));
        let reset = |gap| Some(Written::from(&json!({"session-reset": {"max_gap": gap}})));
        let saved = || {
            let text = steered.scenario();
            let loaded = Loaded::parse("saved.yaml", &text);
            let loaded = loaded.unwrap_or_else(|error| panic!("{error}\n{text}"));
            (loaded.scenario.quirks.len(), text)
        };
        steered.quirk_came(at(1.0), "DEMO-0001", reset("1s"));
        steered.quirk_came(at(2.0), "DEMO-0001", reset("250ms"));
        let (quirks, text) = saved();
        assert_eq!(quirks, 1, "{text}");
        assert!(
            text.contains("max_gap: \"250ms\"") && !text.contains("max_gap: \"1s\"\n"),
            "{text}"
        );
        steered.quirk_went(at(3.0), "DEMO-0001", "session-reset");
        let (quirks, text) = saved();
        assert_eq!(quirks, 0, "{text}");
        assert!(
            text.contains("# - 3s: DEMO-0001: the quirk session-reset was switched off"),
            "{text}"
        );
    }

    #[test]
    fn a_device_that_came_again_stands_there_once_and_of_many_faults_the_rest_is_told() {
        let steered = Steered::new(None);
        let device = |cells: u8| {
            let keys = json!({"express": {"id": "bike", "password": "b", "bms": {"cells": cells}}});
            Some(Written::from(&keys))
        };
        let reset = || vec![Written::from(&json!({"session-reset": {}}))];
        for cells in [3, 7] {
            steered.device_came(at(1.0), "BIKE", device(cells), Vec::new(), reset());
        }
        for number in 1..=40 {
            let delay = Written::from(&json!({"delay": {"by": format!("{number}ms")}}));
            steered.fault_came(at(2.0), number, None, None, delay);
        }
        let text = steered.scenario();
        let saved = Loaded::parse("saved.yaml", &text);
        let saved = saved
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
            .scenario;
        assert_eq!(
            (saved.devices.len(), saved.faults.len(), saved.quirks.len()),
            (1, MAX_FAULTS, 1)
        );
        assert!(
            text.contains("cells: 7") && text.contains("BIKE came again"),
            "{text}"
        );
        let told = "by: \"40ms\" was switched on; a scenario has at most 32 faults";
        assert!(text.contains(told), "{text}");
    }

    #[test]
    fn a_hub_without_a_scenario_is_saved_with_what_came() {
        let steered = Steered::new(None);
        let device = Written::from(&json!({"express": {"id": "somebody", "password": "b"}}));
        steered.device_came(at(1.0), "SOMEBODY", Some(device), Vec::new(), Vec::new());
        let text = steered.scenario();
        assert_eq!(
            Loaded::parse("saved.yaml", &text)
                .unwrap()
                .scenario
                .devices
                .len(),
            1
        );
    }
}
