//! Quirks and faults that can never fire.

use veschub_hub::{fault::Leaves, quirk::QuirkInfo};
use veschub_wire::CommandId;

use super::Lint;
use crate::{
    code::Code,
    schema::{FaultDirection, FaultEntry, QuirkEntry, Trigger},
    source::Place,
};

impl Lint<'_> {
    pub(super) fn check_firing(&mut self) {
        for (index, quirk) in self.scenario.quirks.iter().enumerate() {
            self.check_quirk(quirk, Place::root().key("quirks").index(index));
        }
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            let place = Place::root().key("faults").index(index).only();
            self.check_fault(index, fault, &place);
        }
    }

    fn check_quirk(&mut self, quirk: &QuirkEntry, place: Place) {
        let QuirkInfo {
            name,
            commands: needed,
            ..
        } = quirk.info();
        if needed.is_empty() {
            return;
        }
        let Some(program) = &self.facts.program else {
            return;
        };
        if needed.iter().any(|id| program.asks(*id)) {
            return;
        }
        let message = format!(
            "the quirk `{name}` never fires: it is about {}",
            names(needed)
        );
        let help = format!("this client sends {}", program.listed());
        let finding = self.odd(Code::NeverFires, place, message).help(help);
        self.found.push(finding);
    }

    fn check_fault(&mut self, index: usize, fault: &FaultEntry, place: &Place) {
        let (name, when) = (fault.info().name, fault.when());
        let at = |key: &str| place.clone().key("when").key(key);
        if when.probability == Some(0.0) {
            let message = format!("the fault `{name}` never fires with a probability of 0");
            let finding = self.odd(Code::NeverFires, at("probability"), message);
            self.found.push(finding);
        }
        self.check_dropped(index, fault, place);
        self.check_frames(index, fault, &at);
        self.check_behaviour(name, when, &at);
    }

    /// Whether what the fault looks for never passes.
    fn check_frames(&mut self, index: usize, fault: &FaultEntry, at: &dyn Fn(&str) -> Place) {
        let (name, direction, when) = (fault.info().name, fault.direction(), fault.when());
        let Some(program) = &self.facts.program else {
            return;
        };
        let before = &self.scenario.faults[..index];
        let made_up = before.iter().any(|other| other.direction() == direction);
        if let Some(command) = when.command {
            let (possible, listed) = match direction {
                FaultDirection::ToDevice => (program.sends(command.0) > 0, program.listed()),
                FaultDirection::ToTool => (
                    self.facts.may_be_replied(command.0),
                    program.replies_listed(),
                ),
            };
            if !possible && !made_up {
                let message = format!("the fault `{name}` never fires: no {} passes", command.0);
                let help = match direction {
                    FaultDirection::ToDevice => format!("this client sends {listed}"),
                    FaultDirection::ToTool => format!("this client is answered with {listed}"),
                };
                let finding = self.odd(Code::NeverFires, at("command"), message);
                self.found.push(finding.help(help));
                return;
            }
        }
        // How many replies come is the device's affair, so only requests can be counted.
        let most = match when.command {
            Some(command) => program.sends(command.0),
            None => program.length(),
        };
        if let Some(nth) = when.nth
            && direction == FaultDirection::ToDevice
            && !made_up
            && usize::try_from(nth).is_ok_and(|nth| nth > most)
        {
            let message =
                format!("the fault `{name}` never fires: there are no {nth} such requests");
            let help = format!("this client sends {most} at most");
            let finding = self.odd(Code::NeverFires, at("nth"), message).help(help);
            self.found.push(finding);
        }
    }

    /// Whether a fault before this one lets no frame through.
    fn check_dropped(&mut self, index: usize, fault: &FaultEntry, place: &Place) {
        let wall = self.scenario.faults[..index].iter().position(|other| {
            other.direction() == fault.direction() && other.leaves() == Leaves::Nothing
        });
        let Some(wall) = wall else {
            return;
        };
        if fault.needs_frames() {
            let (name, wall_name) = (fault.info().name, self.scenario.faults[wall].info().name);
            let message = format!(
                "the fault `{name}` never fires: `{wall_name}` before it lets no frame through"
            );
            let wall = Place::root().key("faults").index(wall).only().at_key();
            let finding = self.odd(Code::NeverFires, place.clone().at_key(), message);
            self.found.push(finding.also(wall, "lets no frame through"));
        }
    }

    /// Whether the client never does what the fault waits for: it has one session, and pauses after its login line.
    fn check_behaviour(&mut self, name: &str, when: &Trigger, at: &dyn Fn(&str) -> Place) {
        let Some(client) = &when.client else {
            return;
        };
        let at = |key: &str| at("client").key(key);
        if client.attached_twice == Some(true) || client.session.is_some_and(|session| session > 1)
        {
            let key = if client.session.is_some() {
                "session"
            } else {
                "attached_twice"
            };
            let message = format!("the fault `{name}` never fires: the client has one session");
            let finding = self.odd(Code::NeverFires, at(key), message);
            self.found.push(finding);
        }
        let pause = self.scenario.client.login().pause_after;
        if client.wrote_with_login == Some(true) && pause.is_none_or(|pause| pause.0 > 0) {
            let message = format!(
                "the fault `{name}` never fires: the client pauses between login and requests"
            );
            let finding = self
                .odd(Code::NeverFires, at("wrote_with_login"), message)
                .help("`login: { pause_after: 0ms }` makes it write both in one go");
            self.found.push(finding);
        }
    }
}

fn names(ids: &[CommandId]) -> String {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    names.join(" and ")
}
