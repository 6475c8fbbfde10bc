//! What a motor controller reports, as a table for the terminal.

use std::fmt::{Display, Write as _};

use veschub_transcript::foreign::excerpt;
use veschub_wire::{
    Reply,
    command::{FwVersion, Values, ValuesSetup, fault_name},
};

/// What is known of a motor controller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Motor {
    /// Who it is.
    pub firmware: Option<FwVersion>,
    /// What it measures.
    pub values: Option<Values>,
    /// What it and its neighbours do together.
    pub setup: Option<ValuesSetup>,
}

impl Motor {
    /// Takes in what a reply says of it.
    pub fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::FwVersion(firmware) => self.firmware = Some(firmware.clone()),
            Reply::Values(values) => self.values = Some(*values),
            Reply::ValuesSetup(setup) => self.setup = Some(*setup),
            _ => {}
        }
    }

    /// Whether this firmware is that of a motor controller: hardware type 0, or older than hardware types.
    #[must_use]
    pub fn is_motor(firmware: &FwVersion) -> bool {
        firmware.hardware_type.unwrap_or(0) == 0
    }
}

/// The table, every line ended by a line feed. What was not sent is left out.
#[must_use]
pub fn table(motor: &Motor) -> String {
    let mut page = Page(String::new());
    match &motor.firmware {
        None => page.0.push_str("FW_VERSION was not answered\n"),
        Some(firmware) => {
            let hardware = firmware.hardware.as_ref().map(ToString::to_string);
            let hardware = hardware.unwrap_or_else(|| "a device without a name".to_owned());
            let hardware = excerpt(&hardware, 40).to_string();
            let version = firmware.version();
            let _ = writeln!(page.0, "{hardware}, firmware {version}, motor controller");
        }
    }
    let Some(values) = &motor.values else {
        page.0.push_str("GET_VALUES was not answered\n");
        return page.0;
    };
    page.0.push('\n');
    page.number("speed", values.erpm, |v| v.value(), 0, "ERPM");
    page.number("duty", values.duty, |v| v.value() * 100.0, 1, "%");
    page.number(
        "motor current",
        values.motor_current_a,
        |v| v.value(),
        2,
        "A",
    );
    page.number(
        "input current",
        values.input_current_a,
        |v| v.value(),
        2,
        "A",
    );
    page.number(
        "input voltage",
        values.input_voltage_v,
        |v| v.value(),
        1,
        "V",
    );
    page.number(
        "transistors",
        values.fet_temperature_c,
        |v| v.value(),
        1,
        "°C",
    );
    page.number("motor", values.motor_temperature_c, |v| v.value(), 1, "°C");
    page.number("drawn", values.drawn_wh, |v| v.value(), 3, "Wh");
    page.number("given back", values.charged_wh, |v| v.value(), 3, "Wh");
    if let Some(setup) = &motor.setup {
        page.number("vehicle", setup.speed_m_s, |v| v.value(), 2, "m/s");
        page.number("distance", setup.distance_m, |v| v.value(), 1, "m");
        page.number(
            "battery",
            setup.battery_level,
            |v| v.value() * 100.0,
            1,
            "%",
        );
    }
    if let Some(fault) = values.fault {
        let name = fault_name(fault).map_or_else(|| fault.to_string(), str::to_owned);
        let _ = writeln!(page.0, "{:<18} {name:>10}", "fault");
    }
    page.0
}

/// The most important values on one line, without a line feed.
#[must_use]
pub fn line(values: &Values) -> String {
    fn shown(value: Option<impl Display>, unit: &str) -> Option<String> {
        Some(format!("{} {unit}", value?))
    }
    let parts = [
        shown(values.erpm.map(|v| format!("{:.0}", v.value())), "ERPM"),
        shown(
            values.duty.map(|v| format!("{:.1}", v.value() * 100.0)),
            "%",
        ),
        shown(
            values.motor_current_a.map(|v| format!("{:.2}", v.value())),
            "A",
        ),
        shown(
            values.input_voltage_v.map(|v| format!("{:.1}", v.value())),
            "V",
        ),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

struct Page(String);

impl Page {
    fn number<T>(
        &mut self,
        name: &str,
        value: Option<T>,
        number: impl Fn(T) -> f64,
        digits: usize,
        unit: &str,
    ) {
        if let Some(value) = value {
            let number = number(value);
            let _ = writeln!(self.0, "{name:<18} {number:>10.digits$} {unit}");
        }
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::number::{F16, F32, Text};

    use super::*;

    #[test]
    fn a_turning_motor_is_shown_with_its_units() {
        let mut motor = Motor::default();
        assert_eq!(
            table(&motor),
            "FW_VERSION was not answered\nGET_VALUES was not answered\n"
        );
        motor.note(&Reply::FwVersion(FwVersion {
            major: 6,
            minor: 5,
            hardware: Some(Text::from("DEMO-MOTOR")),
            ..FwVersion::default()
        }));
        motor.note(&Reply::Values(Values {
            erpm: Some(F32::truncated(-9800.0)),
            duty: Some(F16::truncated(-0.41)),
            input_voltage_v: Some(F16::truncated(80.2)),
            fault: Some(1),
            ..Values::default()
        }));
        let shown = table(&motor);
        assert_eq!(
            shown,
            "DEMO-MOTOR, firmware 6.05, motor controller\n\n\
             speed                   -9800 ERPM\n\
             duty                    -41.0 %\n\
             input voltage            80.2 V\n\
             fault              OVER_VOLTAGE\n"
        );
        let values = motor.values.unwrap();
        assert_eq!(line(&values), "-9800 ERPM  -41.0 %  80.2 V");
    }
}
