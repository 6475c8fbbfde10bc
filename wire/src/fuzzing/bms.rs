//! `bms_reply`: a reply to BMS_GET_VALUES that is put together by the table in docs/protocol.md, section 4.6, is read as
//! what was put in, wherever firmware ends it.
//!
//! ```text
//!  6 × i32 | cells i8 | cells × i16 | cells × u8 | sensors i8 | sensors × i16 | 4 × i16
//!  | end u8 | charge i16, health i16 | CAN id u8 | 4 × u32 | pressure i16 | version u8 | size u8, status
//!  | bytes behind it
//! ```
//!
//! Numbers are little endian, as `arbitrary` reads them. `end`, modulo 7, is how many of the six parts behind it the
//! firmware sends. Only a reply with all of them has bytes behind it.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::{
    command::{BmsTotals, BmsValues, CommandId, Reply},
    number::{Float, Scaled, Text},
};

const PARTS: u8 = 6;

struct Pack {
    head: [i32; 6],
    cell_count: i8,
    cells: Vec<i16>,
    balancing: Vec<u8>,
    sensor_count: i8,
    sensors: Vec<i16>,
    single: [i16; 4],
    end: u8,
    charge_and_health: [i16; 2],
    can_id: u8,
    totals: [u32; 4],
    pressure: i16,
    version: u8,
    status: Vec<u8>,
    behind: Vec<u8>,
}

impl<'a> Arbitrary<'a> for Pack {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let head = Arbitrary::arbitrary(u)?;
        let cell_count = i8::arbitrary(u)?;
        let cells = list(u, cell_count)?;
        let balancing = list(u, cell_count)?;
        let sensor_count = i8::arbitrary(u)?;
        let sensors = list(u, sensor_count)?;
        let single = Arbitrary::arbitrary(u)?;
        let end = u8::arbitrary(u)? % (PARTS + 1);
        let charge_and_health = Arbitrary::arbitrary(u)?;
        let can_id = u8::arbitrary(u)?;
        let totals = Arbitrary::arbitrary(u)?;
        let pressure = i16::arbitrary(u)?;
        let version = u8::arbitrary(u)?;
        let size = usize::from(u8::arbitrary(u)?).min(u.len());
        let mut status = u.bytes(size)?.to_vec();
        status.retain(|&byte| byte != 0);
        let behind = u.bytes(u.len())?.to_vec();
        Ok(Self {
            head,
            cell_count,
            cells,
            balancing,
            sensor_count,
            sensors,
            single,
            end,
            charge_and_health,
            can_id,
            totals,
            pressure,
            version,
            status,
            behind: if end == PARTS { behind } else { Vec::new() },
        })
    }
}

/// As many as a count says that is signed on the device: none below 0.
fn list<'a, T: Arbitrary<'a>>(u: &mut Unstructured<'a>, count: i8) -> Result<Vec<T>> {
    (0..count).map(|_| T::arbitrary(u)).collect()
}

impl Pack {
    fn payload(&self) -> Vec<u8> {
        let mut out = Vec::from([CommandId::BMS_GET_VALUES.0]);
        let put16 = |out: &mut Vec<u8>, numbers: &[i16]| {
            out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        };
        out.extend(self.head.iter().flat_map(|number| number.to_be_bytes()));
        out.push(self.cell_count.cast_unsigned());
        put16(&mut out, &self.cells);
        out.extend(&self.balancing);
        out.push(self.sensor_count.cast_unsigned());
        put16(&mut out, &self.sensors);
        put16(&mut out, &self.single);
        for part in 0..self.end {
            match part {
                0 => put16(&mut out, &self.charge_and_health),
                1 => out.push(self.can_id),
                2 => out.extend(self.totals.iter().flat_map(|number| number.to_be_bytes())),
                3 => put16(&mut out, &[self.pressure]),
                4 => out.push(self.version),
                _ => {
                    out.extend(&self.status);
                    out.push(0);
                }
            }
        }
        out.extend(&self.behind);
        out
    }

    /// What stands in one of the parts that firmware may leave out.
    fn sent<T>(&self, part: u8, value: T) -> Option<T> {
        (part < self.end).then_some(value)
    }

    fn values(&self) -> BmsValues {
        let [total, charge, current, chip, ah, wh] = self.head;
        let [chip_temperature, humidity_temperature, humidity, highest] = self.single;
        let [soc, soh] = self.charge_and_health;
        let [charged_ah, charged_wh, discharged_ah, discharged_wh] =
            self.totals.map(Float::from_bits);
        let totals = BmsTotals {
            charged_ah,
            charged_wh,
            discharged_ah,
            discharged_wh,
        };
        BmsValues {
            total_voltage_v: Scaled::from_raw(total),
            charge_voltage_v: Scaled::from_raw(charge),
            current_a: Scaled::from_raw(current),
            chip_current_a: Scaled::from_raw(chip),
            counter_ah: Scaled::from_raw(ah),
            counter_wh: Scaled::from_raw(wh),
            cell_voltages_v: self.cells.iter().copied().map(Scaled::from_raw).collect(),
            balancing: self.balancing.clone(),
            negative_cell_count: (self.cell_count < 0).then_some(self.cell_count),
            temperatures_c: self.sensors.iter().copied().map(Scaled::from_raw).collect(),
            negative_temperature_count: (self.sensor_count < 0).then_some(self.sensor_count),
            chip_temperature_c: Scaled::from_raw(chip_temperature),
            humidity_temperature_c: Scaled::from_raw(humidity_temperature),
            humidity_percent: Scaled::from_raw(humidity),
            highest_cell_temperature_c: Scaled::from_raw(highest),
            state_of_charge: self.sent(0, Scaled::from_raw(soc)),
            state_of_health: self.sent(0, Scaled::from_raw(soh)),
            can_id: self.sent(1, self.can_id),
            totals: self.sent(2, totals),
            pressure_pa: self.sent(3, Scaled::from_raw(self.pressure)),
            data_version: self.sent(4, self.version),
            status: self.sent(5, Text::from_bytes(&self.status)),
        }
    }
}

/// Writes a reply by the table, and reads and writes it with the codec.
///
/// # Panics
/// If the two differ.
pub fn bms_reply(data: &[u8]) {
    let Ok(pack) = Pack::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let (payload, values) = (pack.payload(), pack.values());
    let decoded = Reply::decode(&payload);
    let same = matches!(
        &decoded,
        Ok(decoded) if decoded.body == Reply::BmsValues(values.clone()) && decoded.trailing == pack.behind
    );
    assert!(same, "{values:?} was read as {decoded:?}");
    let written = Reply::BmsValues(values).encode();
    assert_eq!([written, pack.behind].concat(), payload);
}
