//! Where a reply to BMS_GET_VALUES ends: firmware has lengthened it over the years.

use serde::Deserialize;
use veschub_wire::{
    command::{BmsTotals, BmsValues},
    number::{F16, Scaled, Text},
};

/// Where a BMS reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplyEnd {
    /// Before 5.02.
    HighestCellTemperature,
    /// 5.02.
    StateOfHealth,
    /// 5.03 test 6.
    CanId,
    /// 5.03 test 18.
    Totals,
    /// 6.05.
    Pressure,
    /// 6.06 test 3.
    DataVersion,
    /// 6.06.
    Status,
}

impl ReplyEnd {
    /// The same values in a reply that ends here: what stands behind the end goes, what is missing before it is 0.
    pub(in crate::device) fn cut(self, mut values: BmsValues) -> BmsValues {
        fn keep<T: Default>(field: &mut Option<T>, reached: bool) {
            *field = reached.then(|| field.take().unwrap_or_default());
        }
        let reaches = |part| self >= part;
        keep::<F16<1000>>(&mut values.state_of_charge, reaches(Self::StateOfHealth));
        keep::<F16<1000>>(&mut values.state_of_health, reaches(Self::StateOfHealth));
        keep::<u8>(&mut values.can_id, reaches(Self::CanId));
        keep::<BmsTotals>(&mut values.totals, reaches(Self::Totals));
        keep::<Scaled<i16, 1, 10>>(&mut values.pressure_pa, reaches(Self::Pressure));
        keep::<u8>(&mut values.data_version, reaches(Self::DataVersion));
        keep::<Text>(&mut values.status, reaches(Self::Status));
        values
    }
}
