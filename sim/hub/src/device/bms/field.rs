//! The fields of a reply that hold numbers, by their names in readings.

use serde::{Deserialize, Deserializer, de};

use super::reply_end::ReplyEnd;
use crate::device::course::Named;

/// A field of the reply that holds numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Voltage of the whole pack, V.
    TotalVoltage,
    /// Voltage at the charge input, V.
    ChargeVoltage,
    /// Current of the pack, A.
    Current,
    /// Current as the BMS chip measures it, A.
    ChipCurrent,
    /// Charge counter, Ah.
    CounterAh,
    /// Energy counter, Wh.
    CounterWh,
    /// Cell voltages, V.
    CellVoltages,
    /// Whether each cell is being balanced, 0 or 1.
    Balancing,
    /// Temperature sensors, °C.
    Temperatures,
    /// Temperature of the BMS chip, °C.
    ChipTemperature,
    /// Temperature of the humidity sensor, °C.
    HumidityTemperature,
    /// Humidity, %.
    Humidity,
    /// Highest cell temperature, °C.
    HighestCellTemperature,
    /// State of charge, 0 to 1.
    StateOfCharge,
    /// State of health, 0 to 1.
    StateOfHealth,
    /// CAN id.
    CanId,
    /// Total charge taken in, Ah.
    TotalChargedAh,
    /// Total energy taken in, Wh.
    TotalChargedWh,
    /// Total charge given, Ah.
    TotalDischargedAh,
    /// Total energy given, Wh.
    TotalDischargedWh,
    /// Air pressure, Pa.
    Pressure,
    /// Version of the data's meaning.
    DataVersion,
}

impl Field {
    /// Every field with its name in readings, in the order of the reply.
    pub const ALL: [(&'static str, Self); 22] = [
        ("total_voltage_v", Self::TotalVoltage),
        ("charge_voltage_v", Self::ChargeVoltage),
        ("current_a", Self::Current),
        ("chip_current_a", Self::ChipCurrent),
        ("counter_ah", Self::CounterAh),
        ("counter_wh", Self::CounterWh),
        ("cell_voltages_v", Self::CellVoltages),
        ("balancing", Self::Balancing),
        ("temperatures_c", Self::Temperatures),
        ("chip_temperature_c", Self::ChipTemperature),
        ("humidity_temperature_c", Self::HumidityTemperature),
        ("humidity_percent", Self::Humidity),
        ("highest_cell_temperature_c", Self::HighestCellTemperature),
        ("state_of_charge", Self::StateOfCharge),
        ("state_of_health", Self::StateOfHealth),
        ("can_id", Self::CanId),
        ("total_charged_ah", Self::TotalChargedAh),
        ("total_charged_wh", Self::TotalChargedWh),
        ("total_discharged_ah", Self::TotalDischargedAh),
        ("total_discharged_wh", Self::TotalDischargedWh),
        ("pressure_pa", Self::Pressure),
        ("data_version", Self::DataVersion),
    ];

    /// The field with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|&(_, field)| field)
    }

    /// Its name in readings.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, field)| *field == self);
        found.map_or("", |&(name, _)| name)
    }

    /// Whether it has elements.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(
            self,
            Self::CellVoltages | Self::Balancing | Self::Temperatures
        )
    }

    /// The shortest reply that holds it.
    #[must_use]
    pub fn needs(self) -> ReplyEnd {
        match self {
            Self::StateOfCharge | Self::StateOfHealth => ReplyEnd::StateOfHealth,
            Self::CanId => ReplyEnd::CanId,
            Self::TotalChargedAh
            | Self::TotalChargedWh
            | Self::TotalDischargedAh
            | Self::TotalDischargedWh => ReplyEnd::Totals,
            Self::Pressure => ReplyEnd::Pressure,
            Self::DataVersion => ReplyEnd::DataVersion,
            _ => ReplyEnd::HighestCellTemperature,
        }
    }
}

const NAMES: [&str; Field::ALL.len()] = {
    let mut names = [""; Field::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Field::ALL[index].0;
        index += 1;
    }
    names
};

impl Named for Field {
    const NAMES: &'static [&'static str] = &NAMES;

    fn name(self) -> &'static str {
        self.name()
    }

    fn named(name: &str) -> Option<Self> {
        Self::named(name)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == "status" {
            return Err(de::Error::custom(
                "no value of a BMS is called `status`\nhelp: the status is a text: give it as `status` of the BMS",
            ));
        }
        Self::named(&name).ok_or_else(|| de::Error::unknown_variant(&name, &NAMES))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Field {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A value of a BMS by its name in readings.",
            "enum": NAMES,
        })
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::{
        command::{BmsTotals, BmsValues},
        number::{F16, Scaled},
        view::View,
    };

    use super::*;

    #[test]
    fn the_fields_are_those_of_a_reading_that_hold_numbers() {
        let full = BmsValues {
            state_of_charge: Some(F16::default()),
            state_of_health: Some(F16::default()),
            can_id: Some(0),
            totals: Some(BmsTotals::default()),
            pressure_pa: Some(Scaled::default()),
            data_version: Some(0),
            ..BmsValues::default()
        };
        let fields = full.fields();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
        let known: Vec<&str> = Field::ALL.iter().map(|&(name, _)| name).collect();
        assert_eq!(known, names);
        assert!(Field::ALL.iter().all(|&(name, field)| field.name() == name));
        assert_eq!(Field::named("can_id"), Some(Field::CanId));
        assert_eq!(Field::named("status"), None);
    }
}
