//! Makes the fields of a reading from a payload: takes each value from the place that the table of layouts names, and
//! misreads it as the defect demands.

use serde_json::{Map, Value, json};
use veschub_wire::{CommandId, view::hex};

use super::{Defect, Defects};
use crate::judge::layout::{self, Form, Item, Slot, TABLES, Table, Written, layout, texts};

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
/// Some motor values.
pub const GET_VALUES_SELECTIVE: u8 = 50;
/// Some motor values with totals.
pub const GET_VALUES_SETUP_SELECTIVE: u8 = 51;
/// Attitude and motion.
pub const GET_IMU_DATA: u8 = 65;
/// Averages and peaks.
pub const GET_STATS: u8 = 128;
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
    let is_known = table_of(command.0).is_some();
    let name = command
        .name()
        .filter(|_| is_known && command.0 != GET_CUSTOM_CONFIG)?;
    let mut reading = Reading {
        command,
        payload: match defects.has(Defect::ShiftedValues) {
            true => [&payload[..1], &[0x55], &payload[1..]].concat(),
            false => payload.to_vec(),
        },
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
        .filter(|&id| id < 128 || !defects.has(Defect::CanIdsTo127))
        .collect()
}

/// How many bytes a reply to GET_VALUES has at least: every firmware sends the fields up to the fault code.
const LEAST_OF_MOTOR: usize = 54;
/// How many bytes the newest firmware sends.
const WHOLE_MOTOR: usize = 74;
const WHOLE_SETUP: usize = 70;
/// The fields that every BMS reply has. It may end anywhere after these, depending on the firmware.
const BMS: &[&str] = &[
    "total_voltage_v",
    "charge_voltage_v",
    "current_a",
    "chip_current_a",
    "counter_ah",
    "counter_wh",
];

/// Whether a BMS reply says that there are fewer than no cells.
#[must_use]
pub fn has_negative_count(payload: &[u8]) -> bool {
    let counts = layout::counts(CommandId(BMS_GET_VALUES), payload);
    let count = counts.first().and_then(|&at| payload.get(at));
    payload.first() == Some(&BMS_GET_VALUES) && count.is_some_and(|&count| count > 127)
}

fn table_of(command: u8) -> Option<&'static Table> {
    TABLES
        .iter()
        .find(|table| table.command == CommandId(command))
}

/// The fields that replies have gained over time, in order.
fn grown(table: Option<&'static Table>) -> impl Iterator<Item = Item> {
    let groups = table.map_or(&[][..], |table| table.groups);
    groups.iter().flat_map(|group| group.items).copied()
}

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
            GET_VALUES => self.motor(GET_VALUES, WHOLE_MOTOR),
            GET_VALUES_SETUP => self.motor(GET_VALUES_SETUP, WHOLE_SETUP),
            GET_VALUES_SELECTIVE => self.selected(GET_VALUES),
            GET_VALUES_SETUP_SELECTIVE => self.selected(GET_VALUES_SETUP),
            GET_IMU_DATA => self.floats(2),
            GET_STATS => self.floats(4),
            PING_CAN => {
                self.put("can_ids", can_ids(&self.payload, self.defects));
                Some(())
            }
            _ => self.bms(),
        }
    }

    fn firmware(&mut self) -> Option<()> {
        if self.has(Defect::KnowsOneFirmware) {
            self.put("firmware", "9.99");
            self.put("test_version", 0);
            self.put("paired", true);
            return Some(());
        }
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
        let whole = layout(self.command, &self.payload)
            .iter()
            .any(|slot| slot.field == "config_crc");
        if self.has(Defect::NeedsWholeReplies) && !whole {
            return None;
        }
        self.texts(&["hardware", "firmware_name"]);
        let name = texts(self.command, &self.payload);
        let behind_name = 3 + name.first().map_or(0, |(_, name)| name.len() + 1);
        if let Some(uuid) = self.payload.get(behind_name..behind_name + 12) {
            let uuid = match self.has(Defect::ZeroEndsTheUuid) {
                true => uuid.split(|&byte| byte == 0).next().unwrap_or_default(),
                false => uuid,
            };
            let uuid = hex(uuid);
            self.put("uuid", uuid);
        }
        for slot in layout(self.command, &self.payload) {
            if let Some(value) = self.misread(&slot) {
                self.put(slot.field, value);
            }
        }
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

    /// The fields of GET_VALUES or GET_VALUES_SETUP, as far as the payload goes.
    fn motor(&mut self, of: u8, whole: usize) -> Option<()> {
        let length = self.payload.len();
        let is_refused = (self.has(Defect::NeedsWholeReplies) && length < whole)
            || (self.has(Defect::RefusesLongerReplies) && length > whole);
        if is_refused || length < LEAST_OF_MOTOR {
            return None;
        }
        let table = table_of(of);
        let old = table.and_then(|table| table.old);
        match old.filter(|old| old.length() == length) {
            Some(old) => self.walk(old.items.iter().copied(), u32::MAX, 1),
            None => self.walk(grown(table), u32::MAX, 1),
        }
        Some(())
    }

    /// The fields whose bits are set in the mask at the start.
    fn selected(&mut self, of: u8) -> Option<()> {
        let mask = match self.has(Defect::IgnoresTheMask) {
            true => u32::MAX,
            false => Form::U32.raw(&self.payload, 1)?,
        };
        self.walk(grown(table_of(of)), mask, 5);
        Some(())
    }

    /// Reads the fields of these bits one after the other; a field that is not whole ends the reply.
    fn walk(&mut self, items: impl Iterator<Item = Item>, mask: u32, start: usize) {
        let written = items.filter(|item| item.is_sent());
        let mut at = start;
        for (_, item) in written.enumerate().filter(|(bit, _)| mask >> bit & 1 == 1) {
            let (form, count) = match item.written {
                Written::Number(form) => (form, 1),
                Written::Whole => (Form::I32(1.0), 1),
                Written::Fixed(count, form) => (form, count),
                _ => (Form::U8, 1),
            };
            if self.payload.len() < at + count * form.size() {
                return;
            }
            let slots = (0..count).map(|index| Slot {
                field: item.name,
                offset: at + index * form.size(),
                form,
            });
            let values: Vec<Value> = slots.filter_map(|slot| self.misread(&slot)).collect();
            match item.written {
                Written::Flags => {
                    let byte = self.payload.get(at).copied().unwrap_or_default();
                    let of = |bit: u8| match self.has(Defect::FlagsAreOne) {
                        true => byte != 0,
                        false => byte & bit != 0,
                    };
                    let (timeout, switch) = (of(1), of(2));
                    self.put("timeout_active", timeout);
                    self.put("kill_switch_active", switch);
                }
                Written::Fixed(..) => self.put(item.name, values),
                _ => {
                    for value in values {
                        self.put(item.name, value);
                    }
                }
            }
            at += count * form.size();
        }
    }

    /// Packed floats, one for each bit of a mask of so many bytes.
    fn floats(&mut self, mask_size: usize) -> Option<()> {
        let mask = match mask_size {
            2 => u32::from(u16::from_be_bytes([
                *self.payload.get(1)?,
                *self.payload.get(2)?,
            ])),
            _ => Form::U32.raw(&self.payload, 1)?,
        };
        // The other size, of which one is twice the other.
        let mut at = match self.has(Defect::MasksSwapped) {
            true => 1 + 8 / mask_size,
            false => 1 + mask_size,
        };
        let chosen = grown(table_of(self.command.0)).enumerate();
        for (_, item) in chosen.filter(|(bit, _)| mask >> bit & 1 == 1) {
            let value = Form::Float.value(Form::Float.raw(&self.payload, at)?);
            self.put(item.name, value);
            at += 4;
        }
        Some(())
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
        let is_motor = [
            GET_VALUES,
            GET_VALUES_SETUP,
            GET_VALUES_SELECTIVE,
            GET_VALUES_SETUP_SELECTIVE,
        ]
        .contains(&self.command.0);
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
        if is_motor && let Some(value) = self.misread_motor(slot, raw, number) {
            return Some(value);
        }
        Some(match form {
            Form::U32 if self.has(Defect::SignedBytes) => raw.cast_signed().into(),
            Form::U8 if self.has(Defect::SignedCanId) && slot.field == "can_id" => {
                (raw as u8 as i8).into()
            }
            Form::U8 => raw.into(),
            Form::I8 => (raw as u8 as i8).into(),
            Form::Flag => (raw != 0).into(),
            _ if self.has(Defect::TurnedErpm) && slot.field == "erpm" => (-number).into(),
            _ => number.into(),
        })
    }

    /// A value of a motor that is read right, and then taken for something else; `None` if no defect does that.
    fn misread_motor(&self, slot: &Slot, raw: u32, number: f64) -> Option<Value> {
        let per_unit = slot.form.per_unit();
        let is_signed = matches!(slot.form, Form::I16(_) | Form::I32(_));
        let field = slot.field;
        let is_one = |defect: Defect, is_meant: bool| is_meant && self.has(defect);
        Some(if is_one(Defect::ErpmWithoutSign, field == "erpm") {
            number.abs().into()
        } else if is_one(Defect::MotorScales, is_signed && per_unit > 1.0) {
            (number * 10.0).into()
        } else if is_one(Defect::MinusOneIsNothing, is_signed && number == -1.0) {
            0.into()
        } else if is_one(Defect::ZeroIsOld, is_signed && raw == 0) {
            0.1.into()
        } else if is_one(Defect::SixteenBits, slot.form.size() == 4) {
            (f64::from(raw as u16 as i16) / per_unit).into()
        } else if is_one(Defect::KnownFaultsOnly, field == "fault" && raw > 33)
            || is_one(Defect::HidesFaults, field == "fault")
        {
            0.into()
        } else if is_one(Defect::SignedBytes, slot.form == Form::U8) {
            (raw as u8 as i8).into()
        } else {
            return None;
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
