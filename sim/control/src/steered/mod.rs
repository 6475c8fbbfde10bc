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
mod tests;
