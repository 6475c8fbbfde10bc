//! What is in a payload, read from front to back, and told as the fields of a reading.

use serde_json::{Map, Value, json};

use super::Defect;

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

/// The name of a command in readings.
fn name(command: u8) -> Option<&'static str> {
    Some(match command {
        FW_VERSION => "FW_VERSION",
        GET_VALUES => "GET_VALUES",
        GET_VALUES_SETUP => "GET_VALUES_SETUP",
        PING_CAN => "PING_CAN",
        BMS_GET_VALUES => "BMS_GET_VALUES",
        _ => return None,
    })
}

/// A reading of a reply as a line of JSON; nothing, if it cannot be read, or need not be.
#[must_use]
pub fn reading(
    command: u8,
    payload: &[u8],
    can_id: Option<u8>,
    defect: Option<Defect>,
) -> Option<String> {
    let mut payload = Payload {
        bytes: payload.get(1..)?,
        defect,
    };
    let fields = match command {
        FW_VERSION => payload.firmware(),
        GET_VALUES => payload.values(),
        GET_VALUES_SETUP => payload.setup(),
        PING_CAN => payload.scan(),
        BMS_GET_VALUES => payload.bms(),
        _ => None,
    }?;
    let mut line = json!({ "command": name(command)?, "fields": fields });
    if let Some(can_id) = can_id {
        line["can_id"] = can_id.into();
    }
    Some(line.to_string())
}

/// The CAN ids that a scan has found.
#[must_use]
pub fn can_ids(payload: &[u8], defect: Option<Defect>) -> Vec<u8> {
    let ids = payload.iter().skip(1).copied();
    ids.filter(|&id| id != 0 || defect != Some(Defect::IgnoresCanIdZero))
        .collect()
}

type Fields = Map<String, Value>;

struct Payload<'a> {
    bytes: &'a [u8],
    defect: Option<Defect>,
}

impl Payload<'_> {
    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*first)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn i16(&mut self, per_unit: f64) -> Option<f64> {
        Some(f64::from(i16::from_be_bytes(self.take()?)) / per_unit)
    }

    fn i32(&mut self, per_unit: f64) -> Option<f64> {
        Some(f64::from(i32::from_be_bytes(self.take()?)) / per_unit)
    }

    fn i32_or_float(&mut self, per_unit: f64) -> Option<f64> {
        match self.has(Defect::Floats) {
            true => Some(f64::from(f32::from_be_bytes(self.take()?))),
            false => self.i32(per_unit),
        }
    }

    fn u32(&mut self, per_unit: f64) -> Option<f64> {
        Some(f64::from(u32::from_be_bytes(self.take()?)) / per_unit)
    }

    fn temperature(&mut self) -> Option<f64> {
        let bytes = self.take()?;
        let signed = f64::from(i16::from_be_bytes(bytes));
        Some(match self.defect {
            Some(Defect::UnsignedTemperatures) => f64::from(u16::from_be_bytes(bytes)) / 100.0,
            Some(Defect::TenthsOfADegree) => signed / 10.0,
            _ => signed / 100.0,
        })
    }

    fn total(&mut self) -> Option<f64> {
        let bytes = self.take()?;
        Some(match self.has(Defect::IntegerTotals) {
            true => f64::from(i32::from_be_bytes(bytes)) / 1000.0,
            false => f64::from(f32::from_be_bytes(bytes)),
        })
    }

    fn text(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|&byte| byte == 0)?;
        let text = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes = &self.bytes[end + 1..];
        Some(text)
    }

    fn firmware(&mut self) -> Option<Fields> {
        let mut fields = Fields::new();
        let (major, minor) = (self.u8()? as i8, self.u8()? as i8);
        let version = match self.has(Defect::MinorVersion) {
            true => format!("{major}.{minor}"),
            false => format!("{major}.{minor:02}"),
        };
        fields.insert("firmware".to_owned(), version.into());
        if let Some(hardware) = self.text() {
            fields.insert("hardware".to_owned(), hardware.into());
        }
        Some(fields)
    }

    fn scan(&mut self) -> Option<Fields> {
        let ids = self.bytes.iter().copied();
        let ids: Vec<u8> = ids
            .filter(|&id| id != 0 || !self.has(Defect::IgnoresCanIdZero))
            .collect();
        Some(Fields::from_iter([("can_ids".to_owned(), ids.into())]))
    }

    /// Motor values: of those that stand at fixed places, the ones that most people want.
    fn values(&mut self) -> Option<Fields> {
        let mut fields = Fields::new();
        for (name, scale) in [("fet_temperature_c", 10.0), ("motor_temperature_c", 10.0)] {
            fields.insert(name.to_owned(), self.i16(scale)?.into());
        }
        for name in ["motor_current_a", "input_current_a"] {
            fields.insert(name.to_owned(), self.i32(100.0)?.into());
        }
        // The two currents of the field-oriented control.
        self.take::<8>()?;
        fields.insert("duty".to_owned(), self.i16(1000.0)?.into());
        fields.insert("erpm".to_owned(), self.i32(1.0)?.into());
        fields.insert("input_voltage_v".to_owned(), self.i16(10.0)?.into());
        Some(fields)
    }

    fn setup(&mut self) -> Option<Fields> {
        let mut fields = Fields::new();
        // What GET_VALUES has as well.
        self.take::<22>()?;
        fields.insert("input_voltage_v".to_owned(), self.i16(10.0)?.into());
        fields.insert("battery_level".to_owned(), self.i16(1000.0)?.into());
        Some(fields)
    }

    fn bms(&mut self) -> Option<Fields> {
        let mut fields = Fields::new();
        fields.insert("total_voltage_v".to_owned(), self.i32(1e6)?.into());
        let charge = self.i32_or_float(1e6)?;
        fields.insert("charge_voltage_v".to_owned(), charge.into());
        for name in ["current_a", "chip_current_a"] {
            let value = match self.has(Defect::UnsignedCurrent) {
                true => self.u32(1e6)?,
                false => self.i32_or_float(1e6)?,
            };
            fields.insert(name.to_owned(), value.into());
        }
        for name in ["counter_ah", "counter_wh"] {
            let value = match self.has(Defect::UnsignedCounters) {
                true => self.u32(1e3)?,
                false => self.i32(1e3)?,
            };
            fields.insert(name.to_owned(), value.into());
        }
        // Older firmware ends anywhere from here on, which is fine: what was read is told.
        let _ = self.lists_and_rest(&mut fields);
        if self.has(Defect::InventsStateOfCharge)
            && fields.get("state_of_charge").and_then(Value::as_f64) == Some(0.0)
        {
            fields.insert("state_of_charge".to_owned(), 0.5.into());
        }
        Some(fields)
    }

    fn lists_and_rest(&mut self, fields: &mut Fields) -> Option<()> {
        self.cells(fields)?;
        self.temperatures(fields)?;
        self.rest(fields)
    }

    fn cells(&mut self, fields: &mut Fields) -> Option<()> {
        let count = self.u8()? as i8;
        if count < 0 {
            fields.insert("negative_cell_count".to_owned(), count.into());
        }
        let count = match self.has(Defect::TwentyCellsAlways) {
            true => 20,
            false => usize::try_from(count).unwrap_or(0),
        };
        let mut voltages = Vec::new();
        for _ in 0..count {
            let bytes = self.take()?;
            let raw = match self.has(Defect::LittleEndianCells) {
                true => i16::from_le_bytes(bytes),
                false => i16::from_be_bytes(bytes),
            };
            voltages.push(f64::from(raw) / 1000.0);
        }
        let mut mask: u32 = 0;
        let mut balancing = Vec::new();
        for index in 0..count {
            let flag = self.u8()? != 0;
            if flag {
                mask |= 1_u32.checked_shl(index as u32).unwrap_or(0);
            }
            balancing.push(flag);
        }
        if self.has(Defect::BalanceMask32) {
            let bit = |index| 1_u32.checked_shl(index).is_some_and(|bit| mask & bit != 0);
            balancing = (0..count as u32).map(bit).collect();
        }
        let cap = match self.defect {
            Some(Defect::CellsCappedAt24) => 24,
            Some(Defect::CellsCappedAt32) => 32,
            _ => usize::MAX,
        };
        voltages.truncate(cap);
        balancing.truncate(cap);
        fields.insert("cell_voltages_v".to_owned(), voltages.into());
        fields.insert("balancing".to_owned(), balancing.into());
        Some(())
    }

    fn temperatures(&mut self, fields: &mut Fields) -> Option<()> {
        let count = self.u8()? as i8;
        if count < 0 {
            fields.insert("negative_temperature_count".to_owned(), count.into());
        }
        let mut temperatures = Vec::new();
        for _ in 0..count.max(0) {
            temperatures.push(self.temperature()?);
        }
        if self.has(Defect::TemperaturesCapped) {
            temperatures.truncate(20);
        }
        if self.has(Defect::FiltersTemperatures) {
            temperatures.retain(|&celsius| celsius > -280.0 && celsius != 0.0 && celsius != 99.0);
        }
        fields.insert("temperatures_c".to_owned(), temperatures.into());
        Some(())
    }

    fn rest(&mut self, fields: &mut Fields) -> Option<()> {
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("chip_temperature_c", self.temperature()?.into());
        put("humidity_temperature_c", self.temperature()?.into());
        put("humidity_percent", self.i16(100.0)?.into());
        put("highest_cell_temperature_c", self.temperature()?.into());
        put("state_of_charge", self.i16(1000.0)?.into());
        put("state_of_health", self.i16(1000.0)?.into());
        let can_id = self.u8()?;
        match self.has(Defect::SignedCanId) {
            true => put("can_id", (can_id as i8).into()),
            false => put("can_id", can_id.into()),
        };
        put("total_charged_ah", self.total()?.into());
        put("total_charged_wh", self.total()?.into());
        put("total_discharged_ah", self.total()?.into());
        put("total_discharged_wh", self.total()?.into());
        let pressure = match self.has(Defect::PressureInTens) {
            true => self.i16(1.0)?,
            false => self.i16(0.1)?,
        };
        put("pressure_pa", pressure.into());
        put("data_version", self.u8()?.into());
        let mut status = self.text()?;
        if self.has(Defect::AsciiStatus) {
            status.retain(|c| c.is_ascii());
        }
        put("status", status.into());
        Some(())
    }
}
