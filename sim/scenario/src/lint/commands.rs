//! Commands by number that no firmware knows.

use super::Lint;
use crate::{
    code::Code,
    schema::{CommandName, Expectation},
    source::Place,
};

impl Lint<'_> {
    pub(super) fn check_commands(&mut self) {
        let scenario = self.scenario;
        for (index, quirk) in scenario.quirks.iter().enumerate() {
            let place = Place::root().key("quirks").index(index).only();
            if let Some((key, command)) = quirk.command() {
                self.check_command(CommandName(command), place.key(key));
            }
        }
        for (index, fault) in scenario.faults.iter().enumerate() {
            let place = Place::root().key("faults").index(index).only();
            if let Some(command) = fault.when().command {
                self.check_command(command, place.key("when").key("command"));
            }
        }
        for (index, expectation) in scenario.expect.iter().enumerate() {
            let place = Place::root().key("expect").index(index).only();
            match expectation {
                Expectation::Value(value) => self.check_command(value.of, place.key("of")),
                Expectation::Trend(trend) => self.check_command(trend.of, place.key("of")),
                Expectation::RequestCount(count) => self.check_command(count.of, place.key("of")),
                Expectation::ReplyLength(length) => self.check_command(length.of, place.key("of")),
                Expectation::ReplyTo(name) | Expectation::NoReplyTo(name) => {
                    self.check_command(*name, place);
                }
                Expectation::Requests(names) | Expectation::ReplyOrder(names) => {
                    for (index, name) in names.iter().enumerate() {
                        self.check_command(*name, place.clone().index(index));
                    }
                }
                _ => {}
            }
        }
    }

    fn check_command(&mut self, command: CommandName, place: Place) {
        if command.0.name().is_none() {
            let message = format!("no command is known with the number {}", command.0.0);
            let finding = self.odd(Code::NamelessCommand, place, message);
            self.found.push(finding);
        }
    }
}
