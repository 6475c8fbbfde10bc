//! BMS_GET_VALUES and the five commands that change a pack.
//!
//! ```text
//! →  60
//! ←  60 | 4 × f32×1e6: total V, charge V, current A, chip current A | 2 × f32×1e3: Ah, Wh
//!       | c u8 | c × f16×1e3 cell V | c × u8 balancing | t u8 | t × f16×1e2 sensor °C
//!       | f16×1e2: chip °C, humidity sensor °C, humidity %, highest cell °C
//!       | f16×1e3 SoC, SoH | CAN id u8 | 4 × f32a totals | pressure f16×1e-1 | data version u8 | status str
//! ```
//!
//! From the last line on, a reply may end after each part, by the age of the firmware
//! (`EX main/bms.c:298-360`, `MC bms.c`, `BM commands.c:257-317`; read by `VT commands.cpp:709-772`).

use super::CommandId;
use crate::{
    error::DecodeError,
    number::{F16, F32, Float, Scaled, Text},
    reader::{Reader, Wire, write_tail},
    view::{Fields, Value, View},
};

/// The most cells or temperature sensors that firmware can hold (`EX main/datatypes.h:27-29`).
pub const MAX_ELEMENTS: usize = 50;
/// The longest status text that firmware can hold, in bytes (`EX main/datatypes.h:27-29`).
pub const MAX_STATUS: usize = 40;

/// Lifetime totals of a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BmsTotals {
    /// Charge taken in, Ah.
    pub charged_ah: Float,
    /// Energy taken in, Wh.
    pub charged_wh: Float,
    /// Charge given, Ah.
    pub discharged_ah: Float,
    /// Energy given, Wh.
    pub discharged_wh: Float,
}

/// The reply to BMS_GET_VALUES; what the device did not send is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BmsValues {
    /// Voltage of the whole pack, V.
    pub total_voltage_v: F32<1_000_000>,
    /// Voltage at the charge input, V.
    pub charge_voltage_v: F32<1_000_000>,
    /// Current of the pack, A.
    pub current_a: F32<1_000_000>,
    /// Current as the BMS chip measures it, A.
    pub chip_current_a: F32<1_000_000>,
    /// Charge counter, Ah.
    pub counter_ah: F32<1000>,
    /// Energy counter, Wh.
    pub counter_wh: F32<1000>,
    /// Voltage of each cell, V; no more than 127 are written.
    pub cell_voltages_v: Vec<F16<1000>>,
    /// Whether each cell is being balanced: not 0. One byte a cell, not a bit mask; a missing one is written as 0.
    pub balancing: Vec<u8>,
    /// The temperature sensors, °C; -281 and below means a broken one; no more than 127 are written.
    pub temperatures_c: Vec<F16<100>>,
    /// Temperature of the BMS chip, °C.
    pub chip_temperature_c: F16<100>,
    /// Temperature of the humidity sensor, °C.
    pub humidity_temperature_c: F16<100>,
    /// Humidity, %.
    pub humidity_percent: F16<100>,
    /// Highest cell temperature, °C.
    pub highest_cell_temperature_c: F16<100>,
    /// State of charge, 0 to 1; 0 often means that nobody computes it; since 5.02.
    pub state_of_charge: Option<F16<1000>>,
    /// State of health, 0 to 1; since 5.02.
    pub state_of_health: Option<F16<1000>>,
    /// CAN id of the BMS, 255 for none; since 5.03.
    pub can_id: Option<u8>,
    /// Lifetime totals; since 5.03.
    pub totals: Option<BmsTotals>,
    /// Air pressure, Pa, in steps of 10; since 6.05.
    pub pressure_pa: Option<Scaled<i16, 1, 10>>,
    /// Version of the data's meaning; since 6.06.
    pub data_version: Option<u8>,
    /// What the BMS says of itself; since 6.06.
    pub status: Option<Text>,
    /// A cell count below 0, which a script on the device can set: then no cells follow.
    pub negative_cell_count: Option<i8>,
    /// A sensor count below 0, the same way.
    pub negative_temperature_count: Option<i8>,
}

impl BmsValues {
    pub(super) const ID: CommandId = CommandId::BMS_GET_VALUES;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut this = Self {
            total_voltage_v: reader.get("total_voltage_v")?,
            charge_voltage_v: reader.get("charge_voltage_v")?,
            current_a: reader.get("current_a")?,
            chip_current_a: reader.get("chip_current_a")?,
            counter_ah: reader.get("counter_ah")?,
            counter_wh: reader.get("counter_wh")?,
            ..Self::default()
        };
        let (cells, negative) = read_count(reader, "cell_count")?;
        this.negative_cell_count = negative;
        for _ in 0..cells {
            this.cell_voltages_v.push(reader.get("cell_voltages_v")?);
        }
        this.balancing = reader.bytes("balancing", cells)?.to_vec();
        let (sensors, negative) = read_count(reader, "temperature_count")?;
        this.negative_temperature_count = negative;
        for _ in 0..sensors {
            this.temperatures_c.push(reader.get("temperatures_c")?);
        }
        this.chip_temperature_c = reader.get("chip_temperature_c")?;
        this.humidity_temperature_c = reader.get("humidity_temperature_c")?;
        this.humidity_percent = reader.get("humidity_percent")?;
        this.highest_cell_temperature_c = reader.get("highest_cell_temperature_c")?;
        // These two came together; with fewer bytes left, what follows has no known meaning.
        if reader.left() < 4 {
            return Ok(this);
        }
        this.state_of_charge = reader.tail("state_of_charge")?;
        this.state_of_health = reader.tail("state_of_health")?;
        this.can_id = reader.tail("can_id")?;
        // All four or none, the same way.
        if reader.left() < 4 * Float::SIZE {
            return Ok(this);
        }
        this.totals = Some(BmsTotals {
            charged_ah: reader.get("total_charged_ah")?,
            charged_wh: reader.get("total_charged_wh")?,
            discharged_ah: reader.get("total_discharged_ah")?,
            discharged_wh: reader.get("total_discharged_wh")?,
        });
        this.pressure_pa = reader.tail("pressure_pa")?;
        if this.pressure_pa.is_some() {
            this.data_version = reader.tail("data_version")?;
            this.status = reader.tail_text("status");
        }
        Ok(this)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.total_voltage_v.write(out);
        self.charge_voltage_v.write(out);
        self.current_a.write(out);
        self.chip_current_a.write(out);
        self.counter_ah.write(out);
        self.counter_wh.write(out);
        let cells = write_list(&self.cell_voltages_v, self.negative_cell_count, out);
        for cell in 0..cells {
            out.push(self.balancing.get(cell).copied().unwrap_or(0));
        }
        write_list(&self.temperatures_c, self.negative_temperature_count, out);
        self.chip_temperature_c.write(out);
        self.humidity_temperature_c.write(out);
        self.humidity_percent.write(out);
        self.highest_cell_temperature_c.write(out);
        write_tail(&self.state_of_charge, out);
        write_tail(&self.state_of_health, out);
        write_tail(&self.can_id, out);
        if let Some(totals) = &self.totals {
            totals.charged_ah.write(out);
            totals.charged_wh.write(out);
            totals.discharged_ah.write(out);
            totals.discharged_wh.write(out);
        }
        write_tail(&self.pressure_pa, out);
        write_tail(&self.data_version, out);
        if let Some(status) = &self.status {
            status.write_terminated(out);
        }
    }
}

/// A count byte is signed on the device: below 0, nothing follows it.
fn read_count(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<(usize, Option<i8>), DecodeError> {
    let count: i8 = reader.get(field)?;
    Ok(usize::try_from(count).map_or((0, Some(count)), |count| (count, None)))
}

/// Writes as many values as a signed count can tell, or none behind a negative one; says how many.
fn write_list<T: Wire>(values: &[T], negative: Option<i8>, out: &mut Vec<u8>) -> usize {
    let count = i8::try_from(values.len()).unwrap_or(i8::MAX);
    let count = negative.unwrap_or(count);
    count.write(out);
    let written = usize::try_from(count).unwrap_or(0).min(values.len());
    for value in &values[..written] {
        value.write(out);
    }
    written
}

impl View for BmsValues {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("total_voltage_v", self.total_voltage_v);
        fields.push("charge_voltage_v", self.charge_voltage_v);
        fields.push("current_a", self.current_a);
        fields.push("chip_current_a", self.chip_current_a);
        fields.push("counter_ah", self.counter_ah);
        fields.push("counter_wh", self.counter_wh);
        fields.push("cell_voltages_v", self.cell_voltages_v.clone());
        let balancing: Vec<bool> = self.balancing.iter().map(|&flag| flag != 0).collect();
        fields.push("balancing", balancing);
        fields.push("temperatures_c", self.temperatures_c.clone());
        fields.push("chip_temperature_c", self.chip_temperature_c);
        fields.push("humidity_temperature_c", self.humidity_temperature_c);
        fields.push("humidity_percent", self.humidity_percent);
        fields.push(
            "highest_cell_temperature_c",
            self.highest_cell_temperature_c,
        );
        fields.push_some("state_of_charge", self.state_of_charge);
        fields.push_some("state_of_health", self.state_of_health);
        fields.push_some("can_id", self.can_id);
        if let Some(totals) = self.totals {
            fields.push("total_charged_ah", totals.charged_ah);
            fields.push("total_charged_wh", totals.charged_wh);
            fields.push("total_discharged_ah", totals.discharged_ah);
            fields.push("total_discharged_wh", totals.discharged_wh);
        }
        fields.push_some("pressure_pa", self.pressure_pa);
        fields.push_some("data_version", self.data_version);
        fields.push_some("status", self.status.as_ref());
        fields.push_some("negative_cell_count", self.negative_cell_count);
        fields.push_some(
            "negative_temperature_count",
            self.negative_temperature_count,
        );
        fields
    }
}

/// A command that changes a pack. None of them is ever answered (`EX main/bms.c:366-395`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BmsCommand {
    /// 97: allows or forbids charging.
    SetChargeAllowed {
        /// Not 0 to allow it.
        allowed: u8,
    },
    /// 98: takes the balancing of one cell out of the BMS' hands.
    SetBalanceOverride {
        /// The channel of the hardware.
        cell: u8,
        /// 0 automatic, 1 forced off, 2 forced on.
        mode: u8,
    },
    /// 99: sets counters to 0.
    ResetCounters {
        /// Not 0 for the charge counter.
        ah: u8,
        /// Not 0 for the energy counter.
        wh: u8,
    },
    /// 100: starts or stops balancing now.
    ForceBalance {
        /// Not 0 to start.
        enabled: u8,
    },
    /// 101: takes the present current as zero.
    ZeroCurrentOffset,
}

impl BmsCommand {
    pub(super) fn id(self) -> CommandId {
        match self {
            Self::SetChargeAllowed { .. } => CommandId::BMS_SET_CHARGE_ALLOWED,
            Self::SetBalanceOverride { .. } => CommandId::BMS_SET_BALANCE_OVERRIDE,
            Self::ResetCounters { .. } => CommandId::BMS_RESET_COUNTERS,
            Self::ForceBalance { .. } => CommandId::BMS_FORCE_BALANCE,
            Self::ZeroCurrentOffset => CommandId::BMS_ZERO_CURRENT_OFFSET,
        }
    }

    /// Reads the arguments; `None` if the id is not one of the five.
    pub(super) fn read(
        id: CommandId,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match id {
            CommandId::BMS_SET_CHARGE_ALLOWED => Self::SetChargeAllowed {
                allowed: reader.get("allowed")?,
            },
            CommandId::BMS_SET_BALANCE_OVERRIDE => Self::SetBalanceOverride {
                cell: reader.get("cell")?,
                mode: reader.get("mode")?,
            },
            CommandId::BMS_RESET_COUNTERS => Self::ResetCounters {
                ah: reader.get("ah")?,
                wh: reader.get("wh")?,
            },
            CommandId::BMS_FORCE_BALANCE => Self::ForceBalance {
                enabled: reader.get("enabled")?,
            },
            CommandId::BMS_ZERO_CURRENT_OFFSET => Self::ZeroCurrentOffset,
            _ => return Ok(None),
        }))
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::SetChargeAllowed { allowed } => out.push(allowed),
            Self::SetBalanceOverride { cell, mode } => out.extend([cell, mode]),
            Self::ResetCounters { ah, wh } => out.extend([ah, wh]),
            Self::ForceBalance { enabled } => out.push(enabled),
            Self::ZeroCurrentOffset => {}
        }
    }
}

impl View for BmsCommand {
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        match *self {
            Self::SetChargeAllowed { allowed } => fields.push("allowed", allowed != 0),
            Self::SetBalanceOverride { cell, mode } => {
                fields.push("cell", cell);
                let name = match mode {
                    0 => "automatic",
                    1 => "off",
                    2 => "on",
                    _ => "unknown",
                };
                fields.push("mode", Value::Text(name.to_owned()));
            }
            Self::ResetCounters { ah, wh } => {
                fields.push("ah", ah != 0);
                fields.push("wh", wh != 0);
            }
            Self::ForceBalance { enabled } => fields.push("enabled", enabled != 0),
            Self::ZeroCurrentOffset => {}
        }
        fields
    }
}
