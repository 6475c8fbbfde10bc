//! Makes the fields of a reading from a payload: takes each value from the place that the table of layouts names, and
//! misreads it as the defect demands.

use serde_json::{Map, Value, json};
use veschub_wire::CommandId;

use super::{Defect, Defects};
use crate::judge::layout::{self, Form, Slot, layout, texts};

/// A command, by its number.
pub const FW_VERSION: u8 = 0;
/// Motor values.
pub const GET_VALUES: u8 = 4;
/// A text that nobody asked for.
pub const PRINT: u8 = 21;
/// Passes a request on over CAN.
pub const FORWARD_CAN: u8 = 34;
/// Motor values with totals.
pub const GET_VALUES_SETUP: u8 = 47;
/// Scans the CAN bus.
pub const PING_CAN: u8 = 62;
/// The config, with its passwords.
pub const GET_CUSTOM_CONFIG: u8 = 93;
/// All that a BMS measures.
pub const BMS_GET_VALUES: u8 = 96;

/// A reading of a reply as a line of JSON; `None` if the reply cannot be read, or need not be.
#[must_use]
pub fn reading(
    command: u8,
    payload: &[u8],
    can_id: Option<u8>,
    defects: Defects,
) -> Option<String> {
    // Nobody needs to see the config.
    let command = CommandId(command);
    let is_known = layout::TABLES.iter().any(|table| table.command == command);
    let name = command
        .name()
        .filter(|_| is_known && command.0 != GET_CUSTOM_CONFIG)?;
    let mut reading = Reading {
        command,
        payload: payload.to_vec(),
        defects,
        fields: Map::new(),
    };
    reading.read()?;
    let mut line = json!({ "command": name, "fields": reading.fields });
    if let Some(can_id) = can_id {
        line["can_id"] = can_id.into();
    }
    Some(line.to_string())
}

/// The CAN ids that a scan has found.
#[must_use]
pub fn can_ids(payload: &[u8], defects: Defects) -> Vec<u8> {
    let ids = payload.iter().skip(1).copied();
    ids.filter(|&id| id != 0 || !defects.has(Defect::IgnoresCanIdZero))
        .collect()
}

/// The values of a motor that most people want.
const MOTOR: &[&str] = &[
    "fet_temperature_c",
    "motor_temperature_c",
    "motor_current_a",
    "input_current_a",
    "duty",
    "erpm",
    "input_voltage_v",
];
const SETUP: &[&str] = &["input_voltage_v", "battery_level"];
/// The fields that every BMS reply has. It may end anywhere after these, depending on the firmware.
const BMS: &[&str] = &[
    "total_voltage_v",
    "charge_voltage_v",
    "current_a",
    "chip_current_a",
    "counter_ah",
    "counter_wh",
];

struct Reading {
    command: CommandId,
    payload: Vec<u8>,
    defects: Defects,
    fields: Map<String, Value>,
}

impl Reading {
    fn has(&self, defect: Defect) -> bool {
        self.defects.has(defect)
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// `None` if something is missing that must be there.
    fn read(&mut self) -> Option<()> {
        match self.command.0 {
            FW_VERSION => self.firmware(),
            GET_VALUES => self.numbers(MOTOR),
            GET_VALUES_SETUP => self.numbers(SETUP),
            PING_CAN => {
                self.put("can_ids", can_ids(&self.payload, self.defects));
                Some(())
            }
            _ => self.bms(),
        }
    }

    fn firmware(&mut self) -> Option<()> {
        let &[_, major, minor, ..] = &self.payload[..] else {
            return None;
        };
        let (major, minor) = (major as i8, minor as i8);
        self.put(
            "firmware",
            match self.has(Defect::MinorVersion) {
                true => format!("{major}.{minor}"),
                false => format!("{major}.{minor:02}"),
            },
        );
        self.texts(&["hardware"]);
        Some(())
    }

    fn texts(&mut self, wanted: &[&str]) {
        let payload = self.payload.clone();
        for (name, text) in texts(self.command, &payload) {
            let mut text = String::from_utf8_lossy(text).into_owned();
            if self.has(Defect::AsciiStatus) {
                text.retain(|c| c.is_ascii());
            }
            if wanted.contains(&name) {
                self.put(name, text);
            }
        }
    }

    /// Fields that must be there.
    fn numbers(&mut self, names: &[&str]) -> Option<()> {
        let slots = layout(self.command, &self.payload);
        for name in names {
            let slot = slots.iter().find(|slot| slot.field == *name)?;
            let value = self.misread(slot)?;
            self.put(name, value);
        }
        Some(())
    }

    fn bms(&mut self) -> Option<()> {
        let counts = layout::counts(self.command, &self.payload);
        let cell_count = counts.first().and_then(|&at| self.payload.get_mut(at));
        let mut sent = None;
        if let Some(byte) = cell_count {
            sent = Some(*byte as i8);
            if self.defects.has(Defect::TwentyCellsAlways) {
                *byte = 20;
            }
        }
        self.numbers(BMS)?;
        if let Some(count) = sent.filter(|&count| count < 0) {
            self.put("negative_cell_count", count);
        }
        let slots = layout(self.command, &self.payload);
        let of = |name: &'static str| slots.iter().filter(move |slot| slot.field == name);
        // A list is reported only if it is complete.
        let counts = layout::counts(self.command, &self.payload);
        let complete = |which: usize, name| {
            self.count(*counts.get(which)?)
                .filter(|&count| of(name).count() == count)
        };
        let (cells, temperatures) = (complete(0, "balancing"), complete(1, "temperatures_c"));
        if cells.is_some() {
            self.cells(of("cell_voltages_v"), of("balancing"));
        }
        if temperatures.is_some() {
            self.temperatures(of("temperatures_c"));
        }
        let lists = [
            "cell_voltages_v",
            "balancing",
            "temperatures_c",
            "negative_cell_count",
        ];
        for slot in slots.iter().filter(|slot| !lists.contains(&slot.field)) {
            if let Some(value) = self.misread(slot) {
                self.put(slot.field, value);
            }
        }
        self.texts(&["status"]);
        if self.has(Defect::InventsStateOfCharge)
            && self.fields.get("state_of_charge").and_then(Value::as_f64) == Some(0.0)
        {
            self.put("state_of_charge", 0.5);
        }
        Some(())
    }

    /// A count; below 0 there is nothing.
    fn count(&self, at: usize) -> Option<usize> {
        let count = *self.payload.get(at)? as i8;
        Some(usize::try_from(count).unwrap_or(0))
    }

    fn cells<'a>(
        &mut self,
        voltages: impl Iterator<Item = &'a Slot>,
        balancing: impl Iterator<Item = &'a Slot>,
    ) {
        let cap = if self.has(Defect::CellsCappedAt24) {
            24
        } else if self.has(Defect::CellsCappedAt32) {
            32
        } else {
            usize::MAX
        };
        let voltages: Vec<Value> = voltages
            .take(cap)
            .filter_map(|slot| self.misread(slot))
            .collect();
        let flags = balancing.take(cap).filter_map(|slot| self.misread(slot));
        let mut flags: Vec<Value> = flags.collect();
        if self.has(Defect::BalanceMask32) {
            flags
                .iter_mut()
                .skip(32)
                .for_each(|flag| *flag = false.into());
        }
        self.put("cell_voltages_v", voltages);
        self.put("balancing", flags);
    }

    fn temperatures<'a>(&mut self, slots: impl Iterator<Item = &'a Slot>) {
        let mut temperatures: Vec<Value> = slots.filter_map(|slot| self.misread(slot)).collect();
        if self.has(Defect::TemperaturesCapped) {
            temperatures.truncate(20);
        }
        if self.has(Defect::FiltersTemperatures) {
            let is_likely = |celsius: f64| celsius > -280.0 && celsius != 0.0 && celsius != 99.0;
            temperatures.retain(|value| value.as_f64().is_some_and(is_likely));
        }
        self.put("temperatures_c", temperatures);
    }

    /// A value, read with the defects.
    fn misread(&self, slot: &Slot) -> Option<Value> {
        let mut raw = slot.form.raw(&self.payload, slot.offset)?;
        let is_motor = [GET_VALUES, GET_VALUES_SETUP].contains(&self.command.0);
        let is_temperature = slot.field.contains("temperature") && slot.form == Form::I16(100.0);
        let is_current = ["current_a", "chip_current_a"].contains(&slot.field);
        let is_counter = ["counter_ah", "counter_wh"].contains(&slot.field);
        if self.has(Defect::LittleEndianCells) && slot.field == "cell_voltages_v" {
            raw = (raw as u16).swap_bytes().into();
        }
        let form = self.form(slot, is_temperature, is_current);
        let is_unsigned = (self.has(Defect::UnsignedTemperatures) && is_temperature)
            || (self.has(Defect::UnsignedCurrent) && is_current)
            || (self.has(Defect::UnsignedCounters) && is_counter)
            || (self.has(Defect::UnsignedMotorValues) && is_motor);
        let number = match form {
            Form::I16(per_unit) if is_unsigned => f64::from(raw as u16) / per_unit,
            Form::I32(per_unit) if is_unsigned => f64::from(raw) / per_unit,
            form => form.value(raw),
        };
        Some(match form {
            Form::U8 if self.has(Defect::SignedCanId) && slot.field == "can_id" && !is_motor => {
                (raw as u8 as i8).into()
            }
            Form::U8 => raw.into(),
            Form::I8 => (raw as u8 as i8).into(),
            Form::Flag => (raw != 0).into(),
            _ if self.has(Defect::TurnedErpm) && slot.field == "erpm" => (-number).into(),
            _ => number.into(),
        })
    }

    /// How the client believes that a value is written.
    fn form(&self, slot: &Slot, is_temperature: bool, is_current: bool) -> Form {
        let wrong = [
            (Defect::TenthsOfADegree, is_temperature, Form::I16(10.0)),
            (
                Defect::Floats,
                is_current || slot.field == "charge_voltage_v",
                Form::Float,
            ),
            (
                Defect::IntegerTotals,
                slot.form == Form::Float,
                Form::I32(1e3),
            ),
            (
                Defect::PressureInTens,
                slot.field == "pressure_pa",
                Form::I16(1.0),
            ),
            (
                Defect::DutyInHundredths,
                slot.field == "duty",
                Form::I16(100.0),
            ),
            (
                Defect::MotorCurrentInTenths,
                slot.field == "motor_current_a",
                Form::I32(10.0),
            ),
        ];
        let believed = wrong
            .into_iter()
            .find(|(defect, is_meant, _)| *is_meant && self.has(*defect));
        believed.map_or(slot.form, |(_, _, form)| form)
    }
}
