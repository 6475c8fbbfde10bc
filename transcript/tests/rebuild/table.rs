//! The table of facts: one row a message, its time, and for a BMS reply what it says.
//!
//! ```text
//! time_s   | direction | message                  | total_voltage_v ... pressure_pa
//! 0.000000 | to-device | SYN, ACK, FIN, LOGIN, or a request as `veschub-sim encode` takes it
//! 6.848843 | to-tool   | SYN-ACK, ACK, FIN, FW_VERSION, FW_VERSION from 84, GET_CUSTOM_CONFIG,
//!                        PING_CAN 84, or BMS_GET_VALUES with its values, in the units of the columns
//! ```
//!
//! Several values stand in one cell with blanks between them; `20*0.00` is twenty times `0.00`. Rows are
//! counted as a spreadsheet counts them: the header is row 1.

use csv::{ReaderBuilder, StringRecord};
use veschub_transcript::Side;
use veschub_wire::command::{BmsTotals, BmsValues, CommandId, MAX_ELEMENTS};
use veschub_wire::number::{Float, Raw, Scaled};
use veschub_wire::{Reply, Request, encode};

use super::identity;

/// The columns, in order; from the fourth on they belong to BMS replies.
pub(crate) const COLUMNS: [&str; 24] = [
    "time_s",
    "direction",
    "message",
    "total_voltage_v",
    "charge_voltage_v",
    "current_a",
    "chip_current_a",
    "counter_ah",
    "counter_wh",
    "cell_voltages_v",
    "balancing",
    "temperatures_c",
    "chip_temperature_c",
    "humidity_temperature_c",
    "humidity_percent",
    "highest_cell_temperature_c",
    "state_of_charge",
    "state_of_health",
    "can_id",
    "total_charged_ah",
    "total_charged_wh",
    "total_discharged_ah",
    "total_discharged_wh",
    "pressure_pa",
];
const BMS_COLUMNS: &[&str] = COLUMNS.split_at(3).1;

/// What is wrong with a table, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("{0}")]
    Csv(#[from] csv::Error),
    #[error("row {row}: {reason}")]
    Row { row: u64, reason: String },
    #[error("row {row}, column {column}: {reason}")]
    Cell {
        row: u64,
        column: &'static str,
        reason: String,
    },
}

/// A row: when it happened, and what.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) at_ns: u64,
    pub(crate) side: Side,
    pub(crate) act: Act,
}

#[derive(Debug)]
pub(crate) enum Act {
    Syn,
    SynAck,
    Ack,
    Data(Vec<u8>),
    Fin,
}

/// Reads a whole table.
pub(crate) fn read(csv: &str) -> Result<Vec<Step>, TableError> {
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .from_reader(csv.as_bytes());
    if !reader.headers()?.iter().eq(COLUMNS) {
        return Err(TableError::Row {
            row: 1,
            reason: format!("the columns must be {}", COLUMNS.join(",")),
        });
    }
    let mut steps: Vec<Step> = Vec::new();
    for record in reader.records() {
        let record = record?;
        let row = Row {
            number: record.position().map_or(0, csv::Position::line),
            record: &record,
        };
        let step = row.step()?;
        match steps.last() {
            None if !matches!(step.act, Act::Syn) => {
                return Err(row.error("a session starts with SYN"));
            }
            Some(last) if step.at_ns < last.at_ns => {
                return Err(row.at("time_s", "this is before the row above"));
            }
            _ => steps.push(step),
        }
    }
    if steps.is_empty() {
        return Err(TableError::Row {
            row: 2,
            reason: "there are no messages".to_owned(),
        });
    }
    Ok(steps)
}

#[derive(Clone, Copy)]
struct Row<'a> {
    number: u64,
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    fn error(self, reason: impl Into<String>) -> TableError {
        TableError::Row {
            row: self.number,
            reason: reason.into(),
        }
    }

    fn at(self, column: &'static str, reason: impl Into<String>) -> TableError {
        TableError::Cell {
            row: self.number,
            column,
            reason: reason.into(),
        }
    }

    fn cell(self, column: &'static str) -> &'a str {
        let index = COLUMNS.iter().position(|&name| name == column);
        index
            .and_then(|index| self.record.get(index))
            .unwrap_or_default()
    }

    fn step(self) -> Result<Step, TableError> {
        if self.record.len() != COLUMNS.len() {
            let (got, wanted) = (self.record.len(), COLUMNS.len());
            return Err(self.error(format!("it has {got} columns, wanted {wanted}")));
        }
        let side = match self.cell("direction") {
            "to-device" => Side::Initiator,
            "to-tool" => Side::Responder,
            other => {
                let reason = format!("`{other}` is neither to-device nor to-tool");
                return Err(self.at("direction", reason));
            }
        };
        let message = self.cell("message");
        let is_bms_reply = (side, message) == (Side::Responder, "BMS_GET_VALUES");
        for &column in BMS_COLUMNS {
            match (self.cell(column).is_empty(), is_bms_reply) {
                (true, true) => return Err(self.at(column, "this value is missing")),
                (false, false) => {
                    return Err(self.at(column, "only a BMS_GET_VALUES to the tool has values"));
                }
                _ => {}
            }
        }
        let words: Vec<&str> = message.split_ascii_whitespace().collect();
        let act = match (side, &words[..]) {
            (Side::Initiator, ["SYN"]) => Act::Syn,
            (Side::Responder, ["SYN-ACK"]) => Act::SynAck,
            (_, ["ACK"]) => Act::Ack,
            (_, ["FIN"]) => Act::Fin,
            (Side::Initiator, ["LOGIN"]) => Act::Data(identity::login().encode()),
            (Side::Initiator, [command, args @ ..]) => self.frame(&self.request(command, args)?)?,
            (Side::Responder, words) => self.frame(&self.reply(words)?.encode())?,
            (Side::Initiator, []) => return Err(self.at("message", "there is none")),
        };
        let at_ns = self.time()?;
        Ok(Step { at_ns, side, act })
    }

    /// Microseconds are written out, so that a time has one way to be written.
    fn time(self) -> Result<u64, TableError> {
        let text = self.cell("time_s");
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        text.split_once('.')
            .filter(|(s, us)| digits(s) && digits(us) && us.len() == 6)
            .and_then(|(s, us)| {
                let seconds = s.parse::<u64>().ok()?.checked_mul(1_000_000)?;
                let micros = seconds.checked_add(us.parse().ok()?)?;
                micros.checked_mul(1000)
            })
            .ok_or_else(|| {
                let reason = format!("`{text}` is no number of seconds with 6 decimals");
                self.at("time_s", reason)
            })
    }

    fn frame(self, payload: &[u8]) -> Result<Act, TableError> {
        encode(payload)
            .map(Act::Data)
            .ok_or_else(|| self.at("message", "no frame can hold it"))
    }

    fn request(self, command: &str, args: &[&str]) -> Result<Vec<u8>, TableError> {
        let command: CommandId = command
            .parse()
            .map_err(|error| self.at("message", format!("{error}, SYN, ACK, LOGIN or FIN")))?;
        let request = Request::from_args(command, args)
            .map_err(|error| self.at("message", error.to_string()))?;
        Ok(request.encode())
    }

    fn reply(self, words: &[&str]) -> Result<Reply, TableError> {
        Ok(match words {
            ["FW_VERSION"] => identity::express(),
            ["FW_VERSION", "from", can_id] if self.can_id(can_id)? == identity::MOTOR_CAN_ID => {
                identity::motor_controller()
            }
            ["GET_CUSTOM_CONFIG"] => identity::config(),
            ["PING_CAN", can_ids @ ..] => Reply::PingCan {
                can_ids: can_ids
                    .iter()
                    .map(|can_id| self.can_id(can_id))
                    .collect::<Result<_, _>>()?,
            },
            ["BMS_GET_VALUES"] => Reply::BmsValues(self.bms()?),
            _ => {
                let message = words.join(" ");
                return Err(self.at("message", format!("`{message}` is no reply known here")));
            }
        })
    }

    fn can_id(self, text: &str) -> Result<u8, TableError> {
        text.parse()
            .map_err(|_| self.at("message", format!("`{text}` is no CAN id from 0 to 255")))
    }

    /// The reply of firmware 6.05, which ends behind the air pressure.
    fn bms(self) -> Result<BmsValues, TableError> {
        let cell_voltages_v = self.list("cell_voltages_v")?;
        let balancing = self.balancing()?;
        if balancing.len() != cell_voltages_v.len() {
            let (flags, cells) = (balancing.len(), cell_voltages_v.len());
            return Err(self.at("balancing", format!("{flags} digits for {cells} cells")));
        }
        Ok(BmsValues {
            total_voltage_v: self.scaled("total_voltage_v")?,
            charge_voltage_v: self.scaled("charge_voltage_v")?,
            current_a: self.scaled("current_a")?,
            chip_current_a: self.scaled("chip_current_a")?,
            counter_ah: self.scaled("counter_ah")?,
            counter_wh: self.scaled("counter_wh")?,
            cell_voltages_v,
            balancing,
            temperatures_c: self.list("temperatures_c")?,
            chip_temperature_c: self.scaled("chip_temperature_c")?,
            humidity_temperature_c: self.scaled("humidity_temperature_c")?,
            humidity_percent: self.scaled("humidity_percent")?,
            highest_cell_temperature_c: self.scaled("highest_cell_temperature_c")?,
            state_of_charge: Some(self.scaled("state_of_charge")?),
            state_of_health: Some(self.scaled("state_of_health")?),
            can_id: Some(self.cell("can_id").parse().map_err(|_| {
                let reason = "this is no CAN id from 0 to 255";
                self.at("can_id", reason)
            })?),
            totals: Some(BmsTotals {
                charged_ah: self.packed("total_charged_ah")?,
                charged_wh: self.packed("total_charged_wh")?,
                discharged_ah: self.packed("total_discharged_ah")?,
                discharged_wh: self.packed("total_discharged_wh")?,
            }),
            pressure_pa: Some(self.scaled("pressure_pa")?),
            ..BmsValues::default()
        })
    }

    fn balancing(self) -> Result<Vec<u8>, TableError> {
        let flags = self.cell("balancing").chars().map(|digit| match digit {
            '0' => Ok(0),
            '1' => Ok(1),
            _ => Err(self.at("balancing", format!("`{digit}` is neither 0 nor 1"))),
        });
        flags.collect()
    }

    fn list<R: Raw, const PER_UNIT: u32>(
        self,
        column: &'static str,
    ) -> Result<Vec<Scaled<R, PER_UNIT>>, TableError> {
        let mut values = Vec::new();
        for word in self.cell(column).split_ascii_whitespace() {
            let (times, value) = word.split_once('*').unwrap_or(("1", word));
            let times: usize = times
                .parse()
                .map_err(|_| self.at(column, format!("`{word}` is no number, nor 20*number")))?;
            if times > MAX_ELEMENTS - values.len() {
                return Err(self.at(column, format!("more than {MAX_ELEMENTS} values")));
            }
            let value = self.exact(column, value)?;
            values.extend(std::iter::repeat_n(value, times));
        }
        Ok(values)
    }

    fn scaled<R: Raw, const PER_UNIT: u32, const UNITS: u32>(
        self,
        column: &'static str,
    ) -> Result<Scaled<R, PER_UNIT, UNITS>, TableError> {
        self.exact(column, self.cell(column))
    }

    /// A value that the field on the wire can hold without a loss.
    fn exact<R: Raw, const PER_UNIT: u32, const UNITS: u32>(
        self,
        column: &'static str,
        text: &str,
    ) -> Result<Scaled<R, PER_UNIT, UNITS>, TableError> {
        let value = self.number(column, text)?;
        let scaled = Scaled::rounded(value);
        if (scaled.value() - value).abs() > 1e-9 {
            let step = Scaled::<R, PER_UNIT, UNITS>::step();
            let reason = format!(
                "`{text}` does not fit: the field has steps of {step}, the nearest is {}",
                scaled.value()
            );
            return Err(self.at(column, reason));
        }
        Ok(scaled)
    }

    fn packed(self, column: &'static str) -> Result<Float, TableError> {
        Ok(Float::packed(self.number(column, self.cell(column))?))
    }

    fn number(self, column: &'static str, text: &str) -> Result<f64, TableError> {
        text.parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| self.at(column, format!("`{text}` is no number")))
    }
}
