//! What is odd about a scenario that can be used: warnings, each only where it is certain.
//!
//! A scenario without a client and without expectations is meant for `serve`, where any client may come, so nothing is
//! concluded from what the client does.

mod commands;
mod expect;
mod fire;
mod program;
mod sample;
mod settings;
#[cfg(test)]
mod tests;

use veschub_wire::{CommandId, LoginKind, LoginLine, command::comes_unasked, login::normalise_id};

use super::{
    code::Code,
    compile::World,
    error::ScenarioError,
    schema::{Client, Device, Login, Outfit, Scenario},
    source::{Place, Source},
};
use program::Program;
use sample::Sample;

/// All that is odd about a scenario, in the order of the file.
pub(super) fn lint(scenario: &Scenario, source: &Source, world: World) -> Vec<ScenarioError> {
    let mut lint = Lint {
        scenario,
        source,
        facts: Facts::gather(scenario, world),
        found: Vec::new(),
    };
    lint.check_settings();
    lint.check_commands();
    if source.has(&Place::root().key("client")) || source.has(&Place::root().key("expect")) {
        lint.check_firing();
        lint.check_expectations();
        lint.check_answers();
    }
    lint.found
        .sort_by_key(|finding| (finding.line(), finding.column()));
    lint.found
}

struct Lint<'a> {
    scenario: &'a Scenario,
    source: &'a Source,
    facts: Facts,
    found: Vec<ScenarioError>,
}

impl Lint<'_> {
    fn odd(&self, code: Code, place: Place, message: impl Into<String>) -> ScenarioError {
        ScenarioError::at(self.source, place, message).coded(code)
    }
}

/// What is certain about a run.
struct Facts {
    /// What the client sends, if that is known.
    program: Option<Program>,
    /// Whether the hub lets the client in.
    login: Admission,
    /// What the device answers to each request of the program, if it can be asked.
    sample: Option<Sample>,
    /// Whether replies can come that nobody asked for, or others than the command has.
    surprises: bool,
    /// Whether requests can be lost, doubled or made up on the way.
    requests_harmed: bool,
}

/// Whether a hub lets a client in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    Accepted,
    Refused,
}

impl Facts {
    fn gather(scenario: &Scenario, world: World) -> Self {
        use super::schema::FaultDirection::ToDevice;
        let login = scenario.client.login();
        let admission = admission(login, &world);
        let device = device_of(scenario, login, &world);
        let mut program = Program::of(&scenario.client);
        let id = logged_in_id(login, &world);
        let mut resident = world
            .residents
            .into_iter()
            .find(|resident| Some(&resident.id) == id.as_ref());
        let mut sample = match (&program, &mut resident, device) {
            (Some(program), Some(resident), Some(_)) => {
                Sample::ask(resident.device.as_mut(), &program.requests())
            }
            _ => None,
        };
        if let (Client::ReadMotor(_), Some(program), Some(sample)) =
            (&scenario.client, &mut program, &mut sample)
            && let Some(firmware) = sample.firmware()
        {
            program.spare(firmware);
            sample.only(&program.requests());
        }
        Self {
            surprises: device.is_none_or(talks_by_itself)
                || scenario
                    .quirks
                    .iter()
                    .any(|quirk| quirk.info().makes_up_replies),
            requests_harmed: scenario
                .faults
                .iter()
                .any(|fault| fault.direction() == ToDevice),
            program,
            login: admission,
            sample,
        }
    }

    /// Whether a reply of this command may come; what no request asks for, such as PRINT, comes when the device likes.
    fn may_be_replied(&self, id: CommandId) -> bool {
        let asked = self
            .program
            .as_ref()
            .is_none_or(|program| program.replies(id));
        let came = |sample: &Sample| sample.answers(id).next().is_some();
        asked || self.surprises || comes_unasked(id) || self.sample.as_ref().is_some_and(came)
    }
}

/// The id that the client logs in with, as hubs compare ids.
fn logged_in_id(login: &Login, world: &World) -> Option<String> {
    match &login.id {
        Some(id) => Some(normalise_id(id)),
        None => Some(world.targets.first()?.id.clone()),
    }
}

fn admission(login: &Login, world: &World) -> Admission {
    if world.is_direct {
        return Admission::Accepted;
    }
    let first = world.targets.first();
    let id = logged_in_id(login, world);
    let Some(target) = world
        .targets
        .iter()
        .find(|target| Some(&target.id) == id.as_ref())
    else {
        return Admission::Refused;
    };
    // Without a password of its own, the client takes the first device's.
    let given = login
        .password
        .as_ref()
        .or_else(|| first?.password.as_ref())
        .map_or("", String::as_str);
    let line = LoginLine::new(LoginKind::Tool, &target.id, given).encode();
    // The line feed does not count.
    let length = line.len().saturating_sub(1);
    if length
        > world
            .config
            .max_login_line
            .min(world.config.max_login_bytes)
    {
        return Admission::Refused;
    }
    match &target.password {
        Some(wanted) if wanted != given => Admission::Refused,
        _ => Admission::Accepted,
    }
}

/// The description of the device that the client talks to, if it is one that is simulated.
fn device_of<'a>(scenario: &'a Scenario, login: &Login, world: &World) -> Option<Outfit<'a>> {
    if login.id.is_some() {
        // Ids by pattern are made when devices are built, so only a plain one is recognised.
        let wanted = logged_in_id(login, world)?;
        let mut outfits = scenario.devices.iter().filter_map(Device::outfit);
        return outfits.find(|outfit| outfit.id.map(normalise_id).as_ref() == Some(&wanted));
    }
    scenario.devices.first()?.outfit()
}

fn talks_by_itself(outfit: Outfit<'_>) -> bool {
    !outfit.replies.is_empty() || !outfit.prints.is_empty() || !outfit.terminal.is_empty()
}
