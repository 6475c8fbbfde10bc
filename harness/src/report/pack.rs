//! A pack as a table for people, at most 80 columns wide.
//!
//! A field that the device did not report is shown as not reported, never as 0. A reported value is shown as it is. A
//! remark says where it often means something else: devices put 0 into fields that they do not measure, and 0 or 99 °C
//! into the fields of sensors that they do not have.
//!
//! Texts come from a device, so they are cleaned before they reach a terminal. The caller decides about colours.

use std::fmt::{self, Display, Write as _};

use anstyle::{AnsiColor, Style};
use veschub_transcript::foreign::excerpt;
use veschub_wire::{
    Reply,
    command::{BmsValues, FwVersion, hardware_type_name},
    number::F16,
};

/// Cells that differ by no more than this are balanced, mV: a full lithium pack stops balancing here.
pub const BALANCED_MV: i32 = 10;
/// Cells that differ by no more than this are fair, mV; a pack with a larger spread loses capacity noticeably.
pub const FAIR_MV: i32 = 30;
/// The total voltage agrees with the sum of the cells within this share: some devices measure it with a divider.
pub const AGREES_WITHIN: f64 = 0.005;
/// A sensor that reports this or less is broken or absent, °C (as in VESC Tool, `pages/pagebms.cpp:129-136`).
pub const BROKEN_C: f64 = -280.0;

/// Columns of the table.
const WIDTH: usize = 80;
/// Columns of the labels.
const LABEL: usize = 19;
/// Cells in a row of the grid.
const CELLS_A_ROW: usize = 5;
/// From this many sensors in a row with the same value on, the value is shown once.
const RUN: usize = 3;
/// What firmware reports for a sensor that does not exist, hundredths of °C.
const PLACEHOLDER: i16 = 9900;
/// The names of the first sensors if the data version is 1 (as in VESC Tool, `pages/pagebms.cpp:116-119`).
const SENSORS_V1: [&str; 5] = ["IC", "cell min", "cell max", "MOSFET", "ambient"];

const NOT_REPORTED: &str = "not reported";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const SO_SO: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const BALANCING: Style = AnsiColor::Cyan.on_default();

/// What is known of a pack; `None` for a request without a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pack {
    /// The name and firmware of the device.
    pub firmware: Option<FwVersion>,
    /// The CAN ids that answered on its bus.
    pub can_ids: Option<Vec<u8>>,
    /// What its BMS measures.
    pub bms: Option<BmsValues>,
}

impl Pack {
    /// Adds the values of a reply.
    pub fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::FwVersion(firmware) => self.firmware = Some(firmware.clone()),
            Reply::PingCan { can_ids } => self.can_ids = Some(can_ids.clone()),
            Reply::BmsValues(bms) => self.bms = Some(bms.clone()),
            _ => {}
        }
    }
}

impl Display for Pack {
    /// The table without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&table(self, false))
    }
}

/// How far the cells of a pack are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The lowest cell, mV.
    pub lowest_mv: i32,
    /// The highest cell, mV.
    pub highest_mv: i32,
    /// The mean of all cells, mV.
    pub average_mv: f64,
}

impl Spread {
    /// The spread of these cells, if there are any.
    #[must_use]
    pub fn of(cells: &[F16<1000>]) -> Option<Self> {
        let millivolts = || cells.iter().map(|cell| i32::from(cell.raw()));
        Some(Self {
            lowest_mv: millivolts().min()?,
            highest_mv: millivolts().max()?,
            average_mv: f64::from(millivolts().sum::<i32>()) / cells.len() as f64,
        })
    }

    /// Highest minus lowest, mV.
    #[must_use]
    pub fn mv(&self) -> i32 {
        self.highest_mv - self.lowest_mv
    }

    /// How good the spread is.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mv = self.mv();
        if mv <= BALANCED_MV {
            Verdict::Balanced
        } else if mv <= FAIR_MV {
            Verdict::Fair
        } else {
            Verdict::Uneven
        }
    }
}

/// How good the spread of a pack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Up to [`BALANCED_MV`].
    Balanced,
    /// Up to [`FAIR_MV`].
    Fair,
    /// More than that.
    Uneven,
}

impl Verdict {
    /// The verdict in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Fair => "fair",
            Self::Uneven => "uneven",
        }
    }

    fn limits(self) -> String {
        match self {
            Self::Balanced => format!("up to {BALANCED_MV} mV"),
            Self::Fair => format!("{} to {FAIR_MV} mV", BALANCED_MV + 1),
            Self::Uneven => format!("more than {FAIR_MV} mV"),
        }
    }

    fn painted(self, colour: bool) -> String {
        let style = match self {
            Self::Balanced => GOOD,
            Self::Fair => SO_SO,
            Self::Uneven => BAD,
        };
        painted(colour, style, self.as_str())
    }
}

/// The table, every line ended by a line feed.
#[must_use]
pub fn table(pack: &Pack, colour: bool) -> String {
    let mut page = Page {
        text: String::new(),
        colour,
    };
    page.device(pack);
    match &pack.bms {
        None => page.plain("BMS", "BMS_GET_VALUES was not answered"),
        Some(bms) if is_no_bms(bms) => {
            page.plain("BMS", "the device reports no BMS (0 cells)");
            page.gap();
            page.about(bms);
        }
        Some(bms) => {
            page.cells(bms);
            page.electric(bms);
            page.thermal(bms);
            page.counters(bms);
            page.about(bms);
        }
    }
    page.text
}

/// The most important values on one line, without a line feed.
#[must_use]
pub fn line(bms: &BmsValues, colour: bool) -> String {
    let mut text = format!(
        "{:.3} V  {:.3} A",
        bms.total_voltage_v.value(),
        bms.current_a.value()
    );
    if let Some(spread) = Spread::of(&bms.cell_voltages_v) {
        let _ = write!(
            text,
            "  cells {:.3} to {:.3} V  spread {} mV {}",
            f64::from(spread.lowest_mv) / 1000.0,
            f64::from(spread.highest_mv) / 1000.0,
            spread.mv(),
            spread.verdict().painted(colour),
        );
        let balancing = bms.balancing.iter().filter(|&&flag| flag != 0).count();
        if balancing > 0 {
            let _ = write!(text, "  {balancing} balancing");
        }
    } else {
        text.push_str("  no cells");
    }
    text
}

/// Whether these are the values of an Express that has no BMS.
fn is_no_bms(bms: &BmsValues) -> bool {
    bms.cell_voltages_v.is_empty()
        && bms.temperatures_c.is_empty()
        && bms.total_voltage_v.raw() == 0
}

fn painted(colour: bool, style: Style, text: impl Display) -> String {
    if colour {
        format!("{style}{text}{style:#}")
    } else {
        text.to_string()
    }
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn device(&mut self, pack: &Pack) {
        let device = pack.firmware.as_ref().map_or_else(
            || "FW_VERSION was not answered".to_owned(),
            |firmware| {
                let hardware = firmware.hardware.as_ref().map(ToString::to_string);
                let hardware = hardware.unwrap_or_else(|| "a device without a name".to_owned());
                let mut text = format!(
                    "{}, firmware {}",
                    excerpt(&hardware, 40),
                    firmware.version()
                );
                if let Some(test) = firmware.test_version.filter(|&test| test > 0) {
                    let _ = write!(text, " test {test}");
                }
                if let Some(name) = firmware.hardware_type.and_then(hardware_type_name) {
                    let _ = write!(text, ", {name}");
                }
                text
            },
        );
        let device = self.paint(BOLD, device);
        let _ = writeln!(self.text, "{device}");
        match pack.can_ids.as_deref() {
            None => self.plain("CAN bus", NOT_REPORTED),
            Some([]) => self.plain("CAN bus", "no device answered"),
            Some(ids) => self.wrapped("CAN bus", ids.iter().map(ToString::to_string)),
        }
        self.gap();
    }

    fn cells(&mut self, bms: &BmsValues) {
        let Some(spread) = Spread::of(&bms.cell_voltages_v) else {
            let count = bms.negative_cell_count.map_or(0, i32::from);
            self.row("cells", count, "", "the device reports no cells");
            self.gap();
            return;
        };
        let count = bms.cell_voltages_v.len();
        let balancing = bms.balancing.iter().filter(|&&flag| flag != 0).count();
        self.row("cells", count, "", &format!("{balancing} being balanced"));
        self.grid(bms, spread);
        self.gap();
        self.row("average", volts(spread.average_mv), "V", "");
        for (label, millivolts) in [("lowest", spread.lowest_mv), ("highest", spread.highest_mv)] {
            let remark = match spread.mv() {
                0 => String::new(),
                _ => which(bms, millivolts),
            };
            self.row(label, volts(millivolts.into()), "V", &remark);
        }
        let verdict = spread.verdict();
        let remark = format!("{} ({})", verdict.painted(self.colour), verdict.limits());
        self.row("spread", spread.mv(), "mV", &remark);
    }

    /// Every cell: its number, its voltage and its marks.
    fn grid(&mut self, bms: &BmsValues, spread: Spread) {
        let numbered: Vec<_> = bms
            .cell_voltages_v
            .iter()
            .zip(&bms.balancing)
            .enumerate()
            .collect();
        for row in numbered.chunks(CELLS_A_ROW) {
            let mut line = String::new();
            for (index, (cell, balancing)) in row {
                let (mark, style) = match i32::from(cell.raw()) {
                    _ if spread.mv() == 0 => (' ', None),
                    mv if mv == spread.highest_mv => ('▲', Some(BOLD)),
                    mv if mv == spread.lowest_mv => ('▼', Some(BOLD)),
                    _ => (' ', None),
                };
                let number = self.paint(DIM, format_args!("{:>4}", index + 1));
                let mut voltage = format!("{:>8.3} {mark}", cell.value());
                if let Some(style) = style {
                    voltage = self.paint(style, voltage);
                }
                let dot = if **balancing != 0 {
                    self.paint(BALANCING, '●')
                } else {
                    " ".to_owned()
                };
                line += &format!("{number}{voltage}{dot}");
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
        let mut legend = Vec::new();
        if spread.mv() > 0 {
            legend.extend(["▲ highest", "▼ lowest"]);
        }
        if bms.balancing.iter().any(|&flag| flag != 0) {
            legend.push("● being balanced");
        }
        if !legend.is_empty() {
            let legend = self.paint(DIM, legend.join("   "));
            let _ = writeln!(self.text, "{:>4} {legend}", "");
        }
    }

    fn electric(&mut self, bms: &BmsValues) {
        let total = bms.total_voltage_v.value();
        let remark = agreement(total, &bms.cell_voltages_v);
        self.row(
            "total voltage",
            format_args!("{:.3}", bms.total_voltage_v.value()),
            "V",
            &remark,
        );
        self.row(
            "charge input",
            format_args!("{:.3}", bms.charge_voltage_v.value()),
            "V",
            "",
        );
        self.row(
            "current",
            format_args!("{:.3}", bms.current_a.value()),
            "A",
            "",
        );
        self.row(
            "chip current",
            format_args!("{:.3}", bms.chip_current_a.value()),
            "A",
            "as the BMS chip measures it",
        );
        let power = total * bms.current_a.value();
        self.row(
            "power",
            format_args!("{power:.1}"),
            "W",
            "total voltage × current",
        );
        self.share("state of charge", bms.state_of_charge);
        self.share("state of health", bms.state_of_health);
        self.gap();
    }

    fn share(&mut self, label: &str, share: Option<F16<1000>>) {
        let Some(share) = share else {
            return self.row(label, NOT_REPORTED, "", "");
        };
        let remark = if share.raw() == 0 {
            "often means: not computed"
        } else {
            ""
        };
        self.row(
            label,
            format_args!("{:.1}", share.value() * 100.0),
            "%",
            remark,
        );
    }

    fn thermal(&mut self, bms: &BmsValues) {
        let sensors = &bms.temperatures_c;
        if sensors.is_empty() {
            let count = bms.negative_temperature_count;
            let count = count.map_or_else(String::new, |count| format!(" (count {count})"));
            self.plain("temperatures", &format!("{NOT_REPORTED}{count}"));
        } else {
            let names: &[&str] = match bms.data_version {
                Some(1) => &SENSORS_V1,
                _ => &[],
            };
            self.wrapped("temperatures, °C", sensor_texts(sensors, names));
            for note in sensor_notes(sensors) {
                let note = self.paint(DIM, note);
                self.plain("", &note);
            }
        }
        self.row("BMS chip", bms.chip_temperature_c, "°C", "");
        self.row("highest cell", bms.highest_cell_temperature_c, "°C", "");
        self.row("humidity sensor", bms.humidity_temperature_c, "°C", "");
        self.row("humidity", bms.humidity_percent, "%", "");
        match bms.pressure_pa {
            Some(pressure) => self.row("pressure", pressure, "Pa", ""),
            None => self.row("pressure", NOT_REPORTED, "", ""),
        }
        self.gap();
    }

    fn counters(&mut self, bms: &BmsValues) {
        self.row(
            "counter",
            bms.counter_ah,
            "Ah",
            &format!("{} Wh", bms.counter_wh),
        );
        let (charged, discharged) = ("charged in all", "discharged in all");
        let Some(totals) = bms.totals else {
            self.row(charged, NOT_REPORTED, "", "");
            self.row(discharged, NOT_REPORTED, "", "");
            return self.gap();
        };
        for (label, ah, wh) in [
            (charged, totals.charged_ah, totals.charged_wh),
            (discharged, totals.discharged_ah, totals.discharged_wh),
        ] {
            self.row(
                label,
                amount(ah.value()),
                "Ah",
                &format!("{} Wh", amount(wh.value())),
            );
        }
        self.gap();
    }

    fn about(&mut self, bms: &BmsValues) {
        match bms.can_id {
            None => self.row("CAN id of the BMS", NOT_REPORTED, "", ""),
            Some(255) => self.row("CAN id of the BMS", "none (255)", "", ""),
            Some(id) => self.row("CAN id of the BMS", id, "", ""),
        }
        match bms.data_version {
            None => self.row("data version", NOT_REPORTED, "", ""),
            Some(version) => self.row("data version", version, "", ""),
        }
        match &bms.status {
            None => self.row("status", NOT_REPORTED, "", ""),
            Some(status) if status.as_bytes().is_empty() => self.row("status", "empty", "", ""),
            Some(status) => self.plain("status", &excerpt(&status.to_string(), WIDTH - LABEL)),
        }
    }

    /// A label, a value to the right of its column, its unit and a remark.
    fn row(&mut self, label: &str, value: impl Display, unit: &str, remark: &str) {
        let label = self.label(label);
        // Formatted first, as not every Display respects a width.
        let value = value.to_string();
        let line = format!("{label}{value:>12} {unit:<2}  {remark}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A label and a text.
    fn plain(&mut self, label: &str, text: &str) {
        let label = self.label(label);
        let _ = writeln!(self.text, "{label}{text}");
    }

    /// A label and items, on as many lines as they need.
    fn wrapped(&mut self, label: &str, items: impl Iterator<Item = String>) {
        let mut label = label;
        let mut line = String::new();
        for item in items {
            let width = line.chars().count() + 2 + item.chars().count();
            if !line.is_empty() && LABEL + width > WIDTH {
                self.plain(std::mem::take(&mut label), &line);
                line.clear();
            }
            if !line.is_empty() {
                line.push_str("  ");
            }
            line.push_str(&item);
        }
        self.plain(label, &line);
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn label(&self, label: &str) -> String {
        self.paint(DIM, format_args!("{label:<LABEL$}"))
    }

    fn paint(&self, style: Style, text: impl Display) -> String {
        painted(self.colour, style, text)
    }
}

fn volts(millivolts: f64) -> String {
    format!("{:.3}", millivolts / 1000.0)
}

/// A packed float can have any size; an implausibly large one is shown in scientific notation.
fn amount(value: f64) -> String {
    if value.abs() < 1e7 {
        format!("{value:.3}")
    } else {
        format!("{value:.3e}")
    }
}

/// Which cells have a voltage: `cell 1`, `cells 4, 5`, `12 cells`.
fn which(bms: &BmsValues, millivolts: i32) -> String {
    let cells: Vec<String> = (1..)
        .zip(&bms.cell_voltages_v)
        .filter(|(_, cell)| i32::from(cell.raw()) == millivolts)
        .map(|(number, _): (usize, _)| number.to_string())
        .collect();
    match cells.len() {
        1 => format!("cell {}", cells[0]),
        2..=6 => format!("cells {}", cells.join(", ")),
        count => format!("{count} cells"),
    }
}

fn agreement(total: f64, cells: &[F16<1000>]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let sum = f64::from(cells.iter().map(|cell| i32::from(cell.raw())).sum::<i32>()) / 1000.0;
    let apart = (total - sum).abs();
    if apart <= sum.abs() * AGREES_WITHIN {
        format!("agrees with the cells' sum, {sum:.3} V")
    } else {
        format!("{apart:.3} V off the cells' sum, {sum:.3} V")
    }
}

/// `#1 28.00`, `#5-24 20 × 0.00`, `#2 broken`.
fn sensor_texts<'a>(
    sensors: &'a [F16<100>],
    names: &'a [&'a str],
) -> impl Iterator<Item = String> + 'a {
    let mut number = 0;
    sensors
        .chunk_by(|a, b| a == b)
        .flat_map(move |run| {
            let collapse = run.len() >= RUN;
            run.chunks(if collapse { run.len() } else { 1 })
        })
        .map(move |run| {
            let first = number + 1;
            number += run.len();
            let value = sensor_text(run[0]);
            match (run.len(), names.get(first - 1)) {
                (1, Some(name)) => format!("{name} {value}"),
                (1, None) => format!("#{first} {value}"),
                (count, _) => format!("#{first}-{number} {count} × {value}"),
            }
        })
}

fn sensor_text(sensor: F16<100>) -> String {
    if is_broken(sensor) {
        "broken".to_owned()
    } else {
        sensor.to_string()
    }
}

fn is_broken(sensor: F16<100>) -> bool {
    sensor.value() <= BROKEN_C
}

fn sensor_notes(sensors: &[F16<100>]) -> impl Iterator<Item = &'static str> {
    let filler = sensors.last().is_some_and(|last| last.raw() == 0);
    let placeholder = sensors.iter().any(|sensor| sensor.raw() == PLACEHOLDER);
    let broken = sensors.iter().copied().any(is_broken);
    [
        (filler, "0.00 at the end often means: no such sensor"),
        (placeholder, "99.00 often means: no such sensor"),
        (broken, "broken: it reports -280 °C or less"),
    ]
    .into_iter()
    .filter_map(|(applies, note)| applies.then_some(note))
}

#[cfg(test)]
mod tests {
    use veschub_wire::{
        command::{BmsTotals, MAX_ELEMENTS},
        number::{F32, Float, Scaled, Text},
    };

    use super::*;
    use crate::client::testing::{firmware, pack};

    fn shown(bms: &BmsValues) -> String {
        let pack = Pack {
            firmware: Some(firmware()),
            can_ids: Some(vec![62, 84]),
            bms: Some(bms.clone()),
        };
        let text = table(&pack, false);
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert_eq!(line.trim_end(), line);
        }
        let coloured = table(&pack, true);
        assert_eq!(
            anstream::adapter::strip_str(&coloured)
                .to_string()
                .replace(" \n", "\n"),
            text
        );
        text
    }

    #[test]
    fn a_typical_pack() {
        insta::assert_snapshot!(shown(&pack()), @r"
        VESC Express T, firmware 6.05, custom module
        CAN bus            62  84

        cells                        20     7 being balanced
           1   4.180 ▼●   2   4.187      3   4.181      4   4.188  ●   5   4.182
           6   4.189      7   4.183  ●   8   4.190      9   4.184     10   4.191  ●
          11   4.185     12   4.192 ▲   13   4.186  ●  14   4.180 ▼   15   4.187
          16   4.181  ●  17   4.188     18   4.182     19   4.189  ●  20   4.183
             ▲ highest   ▼ lowest   ● being balanced

        average                   4.185 V
        lowest                    4.180 V   cells 1, 14
        highest                   4.192 V   cell 12
        spread                       12 mV  fair (11 to 30 mV)
        total voltage            83.708 V   agrees with the cells' sum, 83.708 V
        charge input             84.000 V
        current                   0.000 A
        chip current              0.145 A   as the BMS chip measures it
        power                       0.0 W   total voltage × current
        state of charge             0.0 %   often means: not computed
        state of health             0.0 %   often means: not computed

        temperatures, °C   #1 28.00  #2 27.18  #3 27.00  #4 99.00  #5-24 20 × 0.00
                           0.00 at the end often means: no such sensor
                           99.00 often means: no such sensor
        BMS chip                  44.32 °C
        highest cell               0.00 °C
        humidity sensor            0.00 °C
        humidity                   0.00 %
        pressure                      0 Pa

        counter                   0.000 Ah  0.000 Wh
        charged in all            0.000 Ah  0.000 Wh
        discharged in all         0.000 Ah  0.000 Wh

        CAN id of the BMS    none (255)
        data version       not reported
        status             not reported
        ");
    }

    #[test]
    fn no_bms_is_said_and_no_zeros_are_shown() {
        let bms = BmsValues {
            can_id: Some(255),
            totals: Some(BmsTotals::default()),
            pressure_pa: Some(Scaled::default()),
            ..BmsValues::default()
        };
        insta::assert_snapshot!(shown(&bms), @r"
        VESC Express T, firmware 6.05, custom module
        CAN bus            62  84

        BMS                the device reports no BMS (0 cells)

        CAN id of the BMS    none (255)
        data version       not reported
        status             not reported
        ");
    }

    #[test]
    fn fifty_cells_and_fifty_sensors_with_everything_reported() {
        let cells: Vec<i16> = (0..MAX_ELEMENTS as i16)
            .map(|cell| 3300 + cell * 37 % 50)
            .collect();
        let sum: i32 = cells.iter().copied().map(i32::from).sum();
        let bms = BmsValues {
            total_voltage_v: F32::from_raw(sum * 1000 - 2_000_000),
            charge_voltage_v: F32::truncated(-0.3),
            current_a: F32::truncated(-123.456),
            chip_current_a: F32::truncated(-123.4),
            counter_ah: F32::truncated(12.345),
            counter_wh: F32::truncated(2074.0),
            cell_voltages_v: cells.into_iter().map(F16::from_raw).collect(),
            balancing: vec![0; MAX_ELEMENTS],
            temperatures_c: (0..MAX_ELEMENTS as i16)
                .map(|n| F16::from_raw(n * 317 - 4000))
                .collect(),
            chip_temperature_c: F16::truncated(125.25),
            humidity_temperature_c: F16::truncated(-12.5),
            humidity_percent: F16::truncated(41.5),
            highest_cell_temperature_c: F16::truncated(115.3),
            state_of_charge: Some(F16::truncated(0.825)),
            state_of_health: Some(F16::truncated(1.0)),
            can_id: Some(10),
            totals: Some(BmsTotals {
                charged_ah: Float::packed(1234.5),
                charged_wh: Float::packed(207_396.25),
                discharged_ah: Float::packed(3.0e38),
                discharged_wh: Float::packed(1.5),
            }),
            pressure_pa: Some(Scaled::truncated(101_320.0)),
            data_version: Some(1),
            status: Some(Text::from("charging \u{1b}[31m till full")),
            ..BmsValues::default()
        };
        insta::assert_snapshot!(shown(&bms), @r"
        VESC Express T, firmware 6.05, custom module
        CAN bus            62  84

        cells                        50     0 being balanced
           1   3.300 ▼    2   3.337      3   3.324      4   3.311      5   3.348
           6   3.335      7   3.322      8   3.309      9   3.346     10   3.333
          11   3.320     12   3.307     13   3.344     14   3.331     15   3.318
          16   3.305     17   3.342     18   3.329     19   3.316     20   3.303
          21   3.340     22   3.327     23   3.314     24   3.301     25   3.338
          26   3.325     27   3.312     28   3.349 ▲   29   3.336     30   3.323
          31   3.310     32   3.347     33   3.334     34   3.321     35   3.308
          36   3.345     37   3.332     38   3.319     39   3.306     40   3.343
          41   3.330     42   3.317     43   3.304     44   3.341     45   3.328
          46   3.315     47   3.302     48   3.339     49   3.326     50   3.313
             ▲ highest   ▼ lowest

        average                   3.325 V
        lowest                    3.300 V   cell 1
        highest                   3.349 V   cell 28
        spread                       49 mV  uneven (more than 30 mV)
        total voltage           164.225 V   2.000 V off the cells' sum, 166.225 V
        charge input             -0.300 V
        current                -123.456 A
        chip current           -123.400 A   as the BMS chip measures it
        power                  -20274.6 W   total voltage × current
        state of charge            82.5 %
        state of health           100.0 %

        temperatures, °C   IC -40.00  cell min -36.83  cell max -33.66  MOSFET -30.49
                           ambient -27.32  #6 -24.15  #7 -20.98  #8 -17.81  #9 -14.64
                           #10 -11.47  #11 -8.30  #12 -5.13  #13 -1.96  #14 1.21
                           #15 4.38  #16 7.55  #17 10.72  #18 13.89  #19 17.06
                           #20 20.23  #21 23.40  #22 26.57  #23 29.74  #24 32.91
                           #25 36.08  #26 39.25  #27 42.42  #28 45.59  #29 48.76
                           #30 51.93  #31 55.10  #32 58.27  #33 61.44  #34 64.61
                           #35 67.78  #36 70.95  #37 74.12  #38 77.29  #39 80.46
                           #40 83.63  #41 86.80  #42 89.97  #43 93.14  #44 96.31
                           #45 99.48  #46 102.65  #47 105.82  #48 108.99  #49 112.16
                           #50 115.33
        BMS chip                 125.25 °C
        highest cell             115.30 °C
        humidity sensor          -12.50 °C
        humidity                  41.50 %
        pressure                 101320 Pa

        counter                  12.345 Ah  2074.000 Wh
        charged in all         1234.500 Ah  207396.250 Wh
        discharged in all      3.000e38 Ah  1.500 Wh

        CAN id of the BMS            10
        data version                  1
        status             charging �[31m till full
        ");
    }

    #[test]
    fn a_broken_sensor_is_not_a_temperature() {
        let bms = BmsValues {
            temperatures_c: [2150, -28_100, -28_100, -28_100, 9900, 9900, -27_999]
                .map(F16::from_raw)
                .to_vec(),
            ..pack()
        };
        let text = shown(&bms);
        let lines = text.lines();
        let lines = lines.skip_while(|line| !line.starts_with("temperatures"));
        let lines = lines.take_while(|line| !line.starts_with("BMS chip"));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
        temperatures, °C   #1 21.50  #2-4 3 × broken  #5 99.00  #6 99.00  #7 -279.99
                           99.00 often means: no such sensor
                           broken: it reports -280 °C or less
        ");
    }

    #[test]
    fn what_an_old_firmware_does_not_report_is_not_shown_as_zero() {
        let bms = BmsValues {
            cell_voltages_v: [4100, 4100].map(F16::from_raw).to_vec(),
            balancing: vec![0, 0],
            total_voltage_v: F32::truncated(8.2),
            ..BmsValues::default()
        };
        let pack = Pack {
            bms: Some(bms),
            ..Pack::default()
        };
        insta::assert_snapshot!(pack, @r"
        FW_VERSION was not answered
        CAN bus            not reported

        cells                         2     0 being balanced
           1   4.100      2   4.100

        average                   4.100 V
        lowest                    4.100 V
        highest                   4.100 V
        spread                        0 mV  balanced (up to 10 mV)
        total voltage             8.200 V   agrees with the cells' sum, 8.200 V
        charge input              0.000 V
        current                   0.000 A
        chip current              0.000 A   as the BMS chip measures it
        power                       0.0 W   total voltage × current
        state of charge    not reported
        state of health    not reported

        temperatures       not reported
        BMS chip                   0.00 °C
        highest cell               0.00 °C
        humidity sensor            0.00 °C
        humidity                   0.00 %
        pressure           not reported

        counter                   0.000 Ah  0.000 Wh
        charged in all     not reported
        discharged in all  not reported

        CAN id of the BMS  not reported
        data version       not reported
        status             not reported
        ");
    }

    #[test]
    fn without_a_reply_the_table_says_so() {
        insta::assert_snapshot!(Pack::default(), @r"
        FW_VERSION was not answered
        CAN bus            not reported

        BMS                BMS_GET_VALUES was not answered
        ");
    }

    #[test]
    fn the_verdict_follows_its_thresholds() {
        for (spread, verdict) in [
            (0, "balanced"),
            (10, "balanced"),
            (11, "fair"),
            (30, "fair"),
            (31, "uneven"),
        ] {
            let cells = [4000, 4000 + spread].map(F16::from_raw);
            assert_eq!(Spread::of(&cells).unwrap().verdict().as_str(), verdict);
        }
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_line_has_the_most_important_values() {
        insta::assert_snapshot!(line(&pack(), false), @"83.708 V  0.000 A  cells 4.180 to 4.192 V  spread 12 mV fair  7 balancing");
        insta::assert_snapshot!(line(&BmsValues::default(), false), @"0.000 V  0.000 A  no cells");
    }
}
