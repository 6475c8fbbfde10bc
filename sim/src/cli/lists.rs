//! `veschub-sim quirks` and `faults`: what a scenario can switch on.

use std::io::{self, Write};

use super::{Failure, written};
use veschub_hub::{
    Parameter, catalogue, fault,
    quirk::{QuirkInfo, Shown, Switch},
};

pub(super) fn quirks() -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let sections = [
        (
            Switch::Quirk,
            "Under `quirks:` in a scenario, off unless listed",
        ),
        (
            Switch::Hub,
            "Under `hub:`, on with `profile: reference` and off with `profile: ideal`",
        ),
        (
            Switch::Always,
            "Always on: every simulated device behaves like this",
        ),
    ];
    written(sections.iter().try_for_each(|(switch, title)| {
        writeln!(stdout, "{title}\n")?;
        for info in catalogue::quirks().filter(|info| info.switch == *switch) {
            tell_quirk(&mut stdout, info)?;
        }
        Ok(())
    }))
}

fn tell_quirk(out: &mut impl Write, info: &QuirkInfo) -> io::Result<()> {
    let blank = if info.parameters.is_empty() { "" } else { " " };
    writeln!(out, "  {}{blank}{}", info.name, info.parameters)?;
    writeln!(out, "      {}", info.about)?;
    writeln!(out, "      {}: {}", info.provenance, info.seen)?;
    match info.shown_by {
        Shown::Scenario(name) => writeln!(out, "      shown by scenarios/{name}.yaml\n"),
        Shown::Test(name) => writeln!(out, "      shown by the test {name}\n"),
    }
}

pub(super) fn faults() -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let common = "Each takes `direction` (to-tool, to-device) and `when`: command, nth, every, after, for,\n\
                  probability, client (too_slow, too_chatty, wrote_with_login, polled_before_firmware,\n\
                  attached_twice, session). They apply in the written order.";
    written((|| {
        writeln!(stdout, "Under `faults:` in a scenario. {common}\n")?;
        for info in fault::catalogue() {
            writeln!(stdout, "  {}\n      {}", info.name, info.about)?;
            for Parameter { key, about } in info.parameters {
                writeln!(stdout, "      {key}: {about}")?;
            }
            writeln!(stdout, "      {}\n", info.example)?;
        }
        Ok(())
    })())
}
