//! One device: what it is, its CAN bus, and what it would tell now.

use ratatui::text::{Line, Span};
use serde_json::Value;
use veschub_hub::hub::steer::{DeviceView, DeviceWithValues, Origin, Pinned};

use crate::{
    text::{fit, in_columns, shown, wrap},
    theme::Theme,
};

/// The field of the cells' voltages, which have a place of their own.
const CELLS: &str = "cell_voltages_v";
const BALANCING: &str = "balancing";
/// The voltages from the left to the right of a bar: those of a cell at work.
const RANGE: [f64; 2] = [2.5, 4.3];
/// How far a closer look goes beyond the cells, V.
const CLOSE: f64 = 0.003;
/// How wide a cell is without its bar, and how long a bar is at least and at most.
const CELL: usize = 13;
const BARS: [usize; 2] = [4, 12];
/// How wide a value with its name is.
const TILE: usize = 26;

/// Values with a name, a unit and how many digits they have behind the point.
type Tile<'a> = (&'a str, f64, &'a str, usize);

/// All that is told of a device, in lines of so many columns.
pub(crate) fn lines(
    told: &DeviceWithValues,
    node: Option<u8>,
    is_closer: bool,
    theme: Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut lines = head(&told.device, theme, columns);
    bus(&mut lines, &told.device, node, theme);
    let (bms, motor) = (&told.values.bms, &told.values.motor);
    let has_cells = bms
        .as_ref()
        .is_some_and(|bms| !numbers(&bms[CELLS]).is_empty());
    if let Some(bms) = bms.as_ref().filter(|_| has_cells) {
        pack(&mut lines, bms, &told.pinned, is_closer, theme, columns);
    }
    if let Some(motor) = motor {
        motor_lines(&mut lines, motor, theme, columns);
    }
    if bms.is_some() && !has_cells && motor.is_none() {
        lines.push(Line::styled("It has heard of no pack.", theme.quiet()));
    }
    if bms.is_none() && motor.is_none() {
        lines.push(Line::styled("It tells no values.", theme.quiet()));
    }
    pins(&mut lines, &told.pinned, theme);
    for (name, values) in [("BMS_GET_VALUES", bms), ("GET_VALUES", motor)] {
        if let Some(Value::Object(values)) = values {
            lines.push(Line::raw(""));
            lines.push(Line::styled(format!("All of {name}"), theme.strong()));
            for (name, value) in values {
                all_of(&mut lines, name, value, columns);
            }
        }
    }
    lines
}

fn head(device: &DeviceView, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let (state, style) = match (device.plugged, device.reachable, device.tool) {
        (false, ..) => ("unplugged".to_owned(), theme.trouble()),
        (true, false, _) => ("restarts".to_owned(), theme.trouble()),
        (true, true, Some(tool)) => (format!("in use by #{tool}"), theme.good()),
        (true, true, None) => ("nobody is connected".to_owned(), theme.quiet()),
    };
    let about = &device.about;
    let mut what = vec![about.kind.to_owned()];
    what.extend(about.hardware.as_deref().map(shown));
    what.extend(about.firmware.as_deref().map(shown));
    what.extend(about.can_id.map(|id| format!("CAN {id}")));
    let mut lines = vec![Line::from(vec![
        Span::styled(shown(&device.id), theme.strong()),
        Span::raw("  "),
        Span::styled(state, style),
    ])];
    lines.extend(wrap(&what.join(" · "), columns).into_iter().map(Line::raw));
    lines
}

/// The nodes on its bus; the one whose values are shown is marked.
fn bus(lines: &mut Vec<Line<'static>>, device: &DeviceView, node: Option<u8>, theme: Theme) {
    let nodes = &device.about.nodes;
    if nodes.is_empty() {
        return;
    }
    let mark = |shows| if shows { "▸" } else { " " };
    lines.push(Line::from(vec![
        Span::styled("CAN bus", theme.strong()),
        Span::styled("  ← → shows another one's values", theme.quiet()),
    ]));
    lines.push(Line::raw(format!(
        "{} the device itself",
        mark(node.is_none())
    )));
    for (at, one) in nodes.iter().enumerate() {
        let branch = if at + 1 == nodes.len() { "└" } else { "├" };
        let is = node == Some(one.can_id);
        let text = format!(
            "{} {branch} {:>3}  {} · {} · {}",
            mark(is),
            one.can_id,
            one.kind,
            shown(&one.hardware),
            shown(&one.firmware)
        );
        let style = if is { theme.strong() } else { theme.plain() };
        lines.push(Line::styled(text, style));
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_f64).collect()
}

fn pack(
    lines: &mut Vec<Line<'static>>,
    bms: &Value,
    pinned: &[Pinned],
    is_closer: bool,
    theme: Theme,
    columns: usize,
) {
    let volts = numbers(&bms[CELLS]);
    let balancing = bms[BALANCING].as_array();
    let balances = |at| balancing.and_then(|all| all.get(at)) == Some(&Value::Bool(true));
    let low = volts.iter().copied().fold(f64::INFINITY, f64::min);
    let high = volts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let many = (0..volts.len()).filter(|&at| balances(at)).count();
    let mut stat = vec![Span::styled("Pack", theme.strong())];
    if !volts.is_empty() {
        stat.push(Span::raw(format!(
            "  {} cells, {low:.3} to {high:.3} V, spread {:.0} mV",
            volts.len(),
            (high - low) * 1000.0
        )));
    }
    lines.push(Line::from(stat));
    let number = |name: &str| bms[name].as_f64().unwrap_or(f64::NAN);
    tiles(
        lines,
        &[
            ("Voltage", number("total_voltage_v"), "V", 2),
            ("Current", number("current_a"), "A", 2),
            ("Charge", number("state_of_charge") * 100.0, "%", 1),
            ("Chip", number("chip_temperature_c"), "°C", 1),
            ("Humidity", number("humidity_percent"), "%", 0),
            ("Hottest", number("highest_cell_temperature_c"), "°C", 1),
        ],
        theme,
        columns,
    );
    let beside = (columns / (CELL + BARS[0])).max(1);
    let bar_columns = (columns / beside)
        .saturating_sub(CELL)
        .clamp(BARS[0], BARS[1]);
    let range = match is_closer {
        true => [low - CLOSE, high + CLOSE],
        false => [RANGE[0].min(low), RANGE[1].max(high)],
    };
    let cells: Vec<_> = volts
        .iter()
        .enumerate()
        .map(|(at, &volt)| {
            let is_pinned = pinned
                .iter()
                .any(|one| one.field == CELLS && one.item.is_none_or(|item| item == at));
            let extreme = match () {
                () if low == high => " ",
                () if volt == low => "▼",
                () if volt == high => "▲",
                () => " ",
            };
            let style = if is_pinned {
                theme.steered()
            } else {
                theme.good()
            };
            vec![
                Span::styled(format!("{:>3} ", at + 1), theme.quiet()),
                Span::raw(format!("{volt:.3}{extreme}")),
                Span::styled(bar(volt, range, bar_columns), style),
                Span::raw(if balances(at) { "●" } else { " " }),
                Span::styled(if is_pinned { "p" } else { " " }, theme.steered()),
            ]
        })
        .collect();
    lines.extend(in_columns(&cells, CELL + bar_columns, columns));
    let mut legend = Vec::new();
    if many > 0 {
        legend.push(format!("● balancing: {many}"));
    }
    if low < high {
        legend.push("▼ lowest ▲ highest".to_owned());
    }
    if is_closer && !volts.is_empty() {
        legend.push(format!("bars from {:.3} to {:.3} V", range[0], range[1]));
    }
    if pinned.iter().any(|one| one.field == CELLS) {
        legend.push("p pinned".to_owned());
    }
    let legend = wrap(&legend.join("   "), columns).into_iter();
    lines.extend(legend.map(|text| Line::styled(text, theme.quiet())));
    let sensors = numbers(&bms["temperatures_c"]);
    if !sensors.is_empty() {
        let all: Vec<String> = sensors.iter().map(|one| format!("{one:.1}")).collect();
        let text = format!("Sensors {} °C", all.join("  "));
        lines.extend(wrap(&text, columns).into_iter().map(Line::raw));
    }
    if let Some(status) = bms["status"].as_str().filter(|status| !status.is_empty()) {
        lines.extend(wrap(&shown(status), columns).into_iter().map(Line::raw));
    }
}

fn motor_lines(lines: &mut Vec<Line<'static>>, motor: &Value, theme: Theme, columns: usize) {
    let number = |name: &str| motor[name].as_f64();
    let first = |names: [&str; 2]| names.into_iter().find_map(number).unwrap_or(f64::NAN);
    let one = |name| number(name).unwrap_or(f64::NAN);
    let mut title = vec![Span::styled("Motor", theme.strong())];
    if let Some(fault) = motor["fault_name"].as_str().filter(|name| *name != "NONE") {
        title.push(Span::styled(format!("  {}", shown(fault)), theme.harm()));
    }
    lines.push(Line::from(title));
    for (name, field) in [("Duty", "duty"), ("Battery", "battery_level")] {
        if let Some(share) = number(field) {
            lines.push(Line::from(vec![
                Span::styled(fit(name, 14), theme.quiet()),
                Span::styled(bar(share.abs(), [0.0, 1.0], 20), theme.good()),
                Span::raw(format!(" {:.1} %", share * 100.0)),
            ]));
        }
    }
    tiles(
        lines,
        &[
            ("Speed", one("speed_m_s") * 3.6, "km/h", 1),
            ("Turns", one("erpm"), "erpm", 0),
            (
                "Motor current",
                first(["motor_current_a", "total_motor_current_a"]),
                "A",
                1,
            ),
            (
                "Input current",
                first(["input_current_a", "total_input_current_a"]),
                "A",
                1,
            ),
            ("Input", one("input_voltage_v"), "V", 1),
            ("Transistors", one("fet_temperature_c"), "°C", 1),
            ("Motor", one("motor_temperature_c"), "°C", 1),
            ("Distance", one("distance_m"), "m", 0),
        ],
        theme,
        columns,
    );
}

/// Values with their names; those that there are not are left out.
fn tiles(lines: &mut Vec<Line<'static>>, tiles: &[Tile<'_>], theme: Theme, columns: usize) {
    let there = tiles.iter().filter(|(_, value, ..)| value.is_finite());
    let items: Vec<_> = there
        .map(|(name, value, unit, digits)| {
            vec![
                Span::styled(fit(name, 14), theme.quiet()),
                Span::raw(format!("{} {unit}", number_text(*value, *digits))),
            ]
        })
        .collect();
    lines.extend(in_columns(&items, TILE, columns));
}

/// A number with so many digits behind the point; what is cut to 0 has no sign.
fn number_text(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

fn pins(lines: &mut Vec<Line<'static>>, pinned: &[Pinned], theme: Theme) {
    for one in pinned {
        let item = one.item.map(|item| format!("[{item}]")).unwrap_or_default();
        let by = match one.by {
            Origin::Scenario => "the scenario",
            Origin::Control => "hand",
        };
        let text = format!("pinned by {by}: {}{item} = {:.4}", one.field, one.to);
        lines.push(Line::styled(text, theme.steered()));
    }
}

fn all_of(lines: &mut Vec<Line<'static>>, name: &str, value: &Value, columns: usize) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(Value::to_string).collect();
            all.join(" ")
        }
        other => other.to_string(),
    };
    let name = fit(&shown(name), 28);
    let mut rows = wrap(&shown(&text), columns.saturating_sub(30).max(8)).into_iter();
    let first = rows.next().unwrap_or_default();
    lines.push(Line::raw(format!("{name}  {first}")));
    lines.extend(rows.map(|row| Line::raw(format!("{:30}{row}", ""))));
}

/// A value as a bar of so many columns, to an eighth of one.
fn bar(value: f64, [foot, top]: [f64; 2], columns: usize) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let share = ((value - foot) / (top - foot)).clamp(0.0, 1.0);
    let eighths = match share.is_nan() {
        true => 0,
        false => (share * columns as f64 * 8.0).round() as usize,
    };
    let mut bar = "█".repeat(eighths / 8);
    if eighths / 8 < columns {
        bar.push(PARTS[eighths % 8]);
    }
    fit(&bar, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_to_nothing_has_no_sign() {
        assert_eq!(number_text(-0.04, 1), "0.0");
        assert_eq!(number_text(-0.06, 1), "-0.1");
        assert_eq!(number_text(12.0, 0), "12");
    }

    #[test]
    fn a_bar_is_as_long_as_its_value_and_never_longer_than_it_may_be() {
        let of = |value| bar(value, [0.0, 1.0], 4);
        assert_eq!(of(0.0), "    ");
        assert_eq!(of(0.5), "██  ");
        assert_eq!(of(0.53), "██▏ ");
        assert_eq!(of(1.0), "████");
        assert_eq!(of(7.0), "████");
        assert_eq!(of(f64::NAN), "    ");
    }
}
