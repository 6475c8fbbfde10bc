//! The built-in commands of a motor controller's terminal (`bldc terminal.c`), in the form of the firmware and in words
//! of our own.
//!
//! Each text is a PRINT, and nothing says that the last one came: a client can only wait for silence. The echo, which
//! comes first, is the worker's.

use std::time::Duration;

use veschub_wire::command::{FwVersion, fault_name};

use crate::{
    device::{motor_state::MotorState, profile::Profile},
    time::Time,
};

/// What the commands look at.
pub(super) struct Screen<'a> {
    /// The firmware.
    pub(super) profile: &'a Profile,
    /// Its reply to FW_VERSION.
    pub(super) firmware: &'a FwVersion,
    /// What the motor does.
    pub(super) state: &'a MotorState,
    /// The faults since the start, the oldest first.
    pub(super) faults: &'a [(Time, u8)],
    /// The time since the start of the firmware.
    pub(super) uptime: Duration,
}

/// A command: its name, and what `help` says of it.
const COMMANDS: [(&str, &str); 10] = [
    ("help", "Lists the commands."),
    ("mem", "Shows how much memory is free."),
    ("threads", "Lists the threads and their times."),
    ("fault", "Shows the fault of this moment."),
    ("faults", "Lists the faults since the start."),
    ("volt", "Shows the voltage of the supply."),
    ("hw_status", "Shows what is known of the hardware."),
    ("uptime", "Shows the time since the start."),
    ("fw_info", "Shows where the firmware comes from."),
    ("stop", "Stops the motor, and ignores input for a second."),
];

/// The name of the command in a line; it may be written in any case.
pub(super) fn name(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let word = line.split_whitespace().next().unwrap_or_default();
    word.to_ascii_lowercase()
}

/// What a command prints.
pub(super) fn prints(line: &[u8], screen: &Screen<'_>) -> Vec<String> {
    let state = screen.state;
    match name(line).as_str() {
        "fault" => vec![format!("{}\n", constant(state.fault))],
        "faults" => screen.faults(),
        "volt" => vec![format!("Input voltage: {:.2}\n", state.input_voltage_v)],
        "mem" => [
            "core free memory : 4096 bytes",
            "heap fragments   : 1",
            "heap free total  : 2048 bytes\n",
        ]
        .map(str::to_owned)
        .to_vec(),
        "threads" => threads(screen.uptime),
        "hw_status" => screen.hardware(),
        "uptime" => vec![format!("Uptime: {:.2} s\n", screen.uptime.as_secs_f64())],
        "fw_info" => [
            "Git branch: simulated",
            "Git hash  : simulated",
            "Compiler  : simulated\n",
        ]
        .map(str::to_owned)
        .to_vec(),
        "stop" => vec!["Motor stopped\n".to_owned()],
        "help" => help(),
        word => vec![format!(
            "There is no command: {word}\nType help for a list of all commands.\n"
        )],
    }
}

/// The name of a fault as the firmware's constant has it.
fn constant(fault: u8) -> String {
    match fault_name(fault) {
        Some(name) => format!("FAULT_CODE_{name}"),
        None => "Unknown fault".to_owned(),
    }
}

fn help() -> Vec<String> {
    let of = |(name, about): (&str, &str)| [name.to_owned(), format!("  {about}")];
    let mut lines: Vec<String> = COMMANDS.into_iter().flat_map(of).collect();
    lines.push(" ".to_owned());
    lines
}

/// Heading, rule, and a line for each thread.
fn threads(uptime: Duration) -> Vec<String> {
    let thread = |name: &str, priority: u8, share: f64| {
        let ticks = (uptime.as_secs_f64() * share * 100.0) as u64;
        format!(
            "20000000 20000400 {priority:>4}    1 READY     {name:<14} 0 256 {ticks:>10} {:.1} %",
            share * 100.0
        )
    };
    vec![
        "    addr    stack prio refs state     name      motor stackmin      time    ".to_owned(),
        "------------------------------------------------------------------------".to_owned(),
        thread("main", 64, 0.05),
        thread("idle", 1, 0.9),
        thread("comm_block", 64, 0.05),
        " ".to_owned(),
    ]
}

impl Screen<'_> {
    fn faults(&self) -> Vec<String> {
        if self.faults.is_empty() {
            return vec!["There were no faults since the start\n".to_owned()];
        }
        let mut lines = vec![
            format!("Fault now: {}", constant(self.state.fault)),
            "Faults since the start:".to_owned(),
        ];
        for &(at, fault) in self.faults {
            lines.extend(self.record(at, fault));
            lines.push(" ".to_owned());
        }
        lines
    }

    /// What was measured at a fault; of an earlier one, what is measured now.
    fn record(&self, at: Time, fault: u8) -> Vec<String> {
        let state = self.state;
        let line = |label: &str, value: String| format!("{label:<16} : {value}");
        vec![
            line("Fault", constant(fault)),
            line("Time", format!("{:.2} s", at.as_secs_f64())),
            line("Motor", "1".to_owned()),
            line("Current", format!("{:.1}", state.motor_current_a)),
            line("Current filtered", format!("{:.1}", state.motor_current_a)),
            line("Voltage", format!("{:.2}", state.input_voltage_v)),
            line("Duty", format!("{:.3}", state.duty)),
            line("RPM", format!("{:.1}", state.erpm)),
            line("Tacho", format!("{:.0}", state.tachometer)),
            line("Cycles running", "0".to_owned()),
            line("TIM duty", format!("{:.0}", state.duty.abs() * 1000.0)),
            line("TIM val samp", "0".to_owned()),
            line("TIM current samp", "0".to_owned()),
            line("TIM top", "1000".to_owned()),
            line("Comm step", "0".to_owned()),
            line("Temperature", format!("{:.2}", state.fet_temperature_c)),
        ]
    }

    fn hardware(&self) -> Vec<String> {
        let (firmware, state) = (self.firmware, self.state);
        let hardware = firmware.hardware.as_ref().map(ToString::to_string);
        let uuid = firmware.uuid.unwrap_or_default();
        let uuid: Vec<String> = uuid.iter().map(|byte| format!("{byte:02X}")).collect();
        let (major, minor) = (self.profile.major, self.profile.minor);
        [
            format!("Firmware: {major}.{minor:02}"),
            format!("Hardware: {}", hardware.unwrap_or_default()),
            format!("UUID: {}", uuid.join(" ")),
            "Permanent NRF found: No".to_owned(),
            format!("Odometer : {:.0} m", state.odometer_m),
            format!("Runtime  : {:.0} s", self.uptime.as_secs_f64()),
            "FOC Current Offsets: 2048.00 2048.00 2048.00".to_owned(),
            "FOC Voltage Offsets: 0.0000 0.0000 0.0000".to_owned(),
            "COMM uart 0: ok".to_owned(),
            "Mempool mcconf now: 0 highest: 0 (max 3)".to_owned(),
            "Mempool appconf now: 0 highest: 0 (max 3)".to_owned(),
            " ".to_owned(),
        ]
        .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, fault: u8) -> Vec<String> {
        let state = MotorState {
            input_voltage_v: 80.204,
            fault,
            ..MotorState::default()
        };
        let faults = [(Time::ZERO, fault)];
        let screen = Screen {
            profile: &Profile::MOTOR_6_05,
            firmware: &FwVersion::default(),
            state: &state,
            faults: if fault == 0 { &[] } else { &faults },
            uptime: Duration::from_millis(3456),
        };
        prints(line.as_bytes(), &screen)
    }

    #[test]
    fn each_command_prints_in_the_form_of_the_firmware() {
        assert_eq!(shown("FAULT", 0), ["FAULT_CODE_NONE\n"]);
        assert_eq!(shown("fault now", 1), ["FAULT_CODE_OVER_VOLTAGE\n"]);
        assert_eq!(shown("volt", 0), ["Input voltage: 80.20\n"]);
        assert_eq!(shown("uptime", 0), ["Uptime: 3.46 s\n"]);
        let lines = |line| shown(line, 0).len();
        assert_eq!(
            [
                lines("mem"),
                lines("faults"),
                lines("stop"),
                lines("fw_info")
            ],
            [3, 1, 1, 3]
        );
        // The fault of now, a heading, and 16 lines and a blank for each fault.
        assert_eq!(shown("faults", 1).len(), 2 + 17);
        assert_eq!(lines("help"), 2 * COMMANDS.len() + 1);
        let unknown = shown("ping", 0);
        assert_eq!((unknown.len(), unknown[0].lines().count()), (1, 2));
        assert!(unknown[0].contains("ping"));
    }
}
