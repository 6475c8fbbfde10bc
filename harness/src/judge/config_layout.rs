//! Configurations that a client reads with the layout of another firmware.
//!
//! MCCONF and APPCONF have no names on the wire, and each firmware has its own order of fields. A client that knows one
//! firmware and reads another's goes wrong from the first field that one of the two does not have. Given descriptions
//! of both, the harness reads the bytes with each of them and sees which one gives the client's values. Without the other
//! description it looks for the number of bytes by which the client was off.
//!
//! Where the fields are and what their bytes mean is computed here, without the reader of the wire crate.

use std::{fmt, sync::Arc};

use serde_json::Value as Json;
use veschub_wire::{
    command::{config_of_signature, table::Kind},
    description::{ConfigDescription, FieldForm},
    view::Value,
};

/// What a value tells for a layout, if it is the value that this layout reads: place, name, value.
type Matching<'a> = &'a dyn Fn(Option<usize>, &str, f64) -> Option<u32>;

/// So many bytes to either side are tried.
const MAX_SHIFT: i32 = 64;
/// What the matching values must tell at least: see [`tells`].
const ENOUGH: u32 = 4;

/// What explains the values of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutMistake {
    /// What the client did.
    pub used: Used,
    /// The first field that it read wrong, in the order of the wire.
    pub first: String,
    /// How many wrong values this explains.
    pub explains: usize,
    /// How many values are wrong.
    pub wrong: usize,
    /// The signature that the device sent.
    pub right: u32,
}

/// Where a client looked for the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Used {
    /// Where the firmware with this signature has them.
    Layout(u32),
    /// From some field on, this many bytes behind the right place; before it, if negative.
    Shift(i32),
}

/// What a configuration says of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The value, in the form in which the client gives it: a choice as its text, if the client gives a text.
    pub truth: Value,
    /// Whether the client gives this value.
    pub is_right: bool,
    /// The client's value as a number, if it is one.
    pub number: Option<f64>,
}

/// What the bytes of a configuration say of a field of this name, beside what a client says. `None` if there is no such
/// field, or its bytes are not there.
#[must_use]
pub fn said(
    data: &[u8],
    description: &ConfigDescription,
    name: &str,
    given: &Json,
) -> Option<Said> {
    let field = description.field(name)?;
    let fields = placed(description);
    let place = fields.iter().find(|placed| placed.name == name)?;
    let (form, raw) = (place.form, place.form.raw(data, place.offset)?);
    let value = form.value(raw);
    let choice = usize::try_from(raw).ok();
    let choice = choice.and_then(|at| field.choices.get(at));
    let (truth, is_right) = match (field.form, given, choice) {
        (FieldForm::Flag, Json::Bool(given), _) => (Value::Bool(raw != 0), *given == (raw != 0)),
        (FieldForm::Choice, Json::String(given), Some(choice)) => {
            (Value::Text(choice.clone()), given == choice)
        }
        _ => {
            let is_right = given
                .as_f64()
                .is_some_and(|given| is_same(form, value, given));
            let whole = matches!(form, Form::Unsigned(_)) || form.step() == 1.0;
            // A whole number of 32 bits fits.
            let truth = match whole {
                true => Value::Int(value as i64),
                false => Value::Number(value),
            };
            (truth, is_right)
        }
    };
    let number = match given {
        Json::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Json::String(text) => {
            let at = field.choices.iter().position(|choice| choice == text);
            at.map(|at| at as f64)
        }
        other => other.as_f64(),
    };
    Some(Said {
        truth,
        is_right,
        number,
    })
}

/// What a layout is called: by the releases that have it, if some have.
pub(super) fn called(signature: u32) -> String {
    match config_of_signature(signature) {
        Some(one) => format!("{} of {}", one.kind.name(), one.firmware.join(" and ")),
        None => format!("signature {signature}"),
    }
}

impl LayoutMistake {
    /// The name of the mistake in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.used {
            Used::Layout(_) => "another-firmwares-layout",
            Used::Shift(_) => "shifted",
        }
    }
}

impl fmt::Display for LayoutMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.used {
            Used::Layout(signature) => write!(
                f,
                "read with the layout of {}, but the device has that of {}",
                called(signature),
                called(self.right)
            )?,
            Used::Shift(bytes) => {
                let (count, where_to) = (
                    bytes.unsigned_abs(),
                    if bytes > 0 { "after" } else { "before" },
                );
                let plural = if count == 1 { "" } else { "s" };
                write!(
                    f,
                    "from `{}` on, read {count} byte{plural} {where_to} the right place, as with the layout of another firmware",
                    self.first
                )?;
            }
        }
        write!(
            f,
            "; this explains {} of {} wrong values",
            self.explains, self.wrong
        )
    }
}

/// How a number is written, big endian.
#[derive(Clone, Copy)]
enum Form {
    /// This many bytes.
    Unsigned(usize),
    /// This many bytes with a sign; this many counts are one unit.
    Signed(usize, f64),
    /// An IEEE single.
    Float,
}

impl Form {
    fn size(self) -> usize {
        match self {
            Self::Unsigned(size) | Self::Signed(size, _) => size,
            Self::Float => 4,
        }
    }

    /// What one count is worth.
    fn step(self) -> f64 {
        match self {
            Self::Signed(_, counts) => 1.0 / counts.abs(),
            _ => 0.0,
        }
    }

    fn raw(self, data: &[u8], offset: usize) -> Option<u32> {
        let bytes = data.get(offset..offset.checked_add(self.size())?)?;
        Some(
            bytes
                .iter()
                .fold(0, |raw, &byte| raw << 8 | u32::from(byte)),
        )
    }

    fn value(self, raw: u32) -> f64 {
        match self {
            Self::Unsigned(_) => f64::from(raw),
            Self::Signed(size, counts) => {
                let unused = 32 - 8 * size as u32;
                f64::from((raw << unused).cast_signed() >> unused) / counts
            }
            Self::Float => f64::from(f32::from_bits(raw)),
        }
    }
}

/// A field of a description, and where it stands.
struct Placed<'a> {
    name: &'a str,
    form: Form,
    offset: usize,
}

/// The fields up to the first whose place depends on what stands before it.
fn placed(description: &ConfigDescription) -> Vec<Placed<'_>> {
    let mut offset = 0;
    let mut fields = Vec::new();
    for field in description.fields() {
        let form = match field.form {
            FieldForm::Int(Kind::U8) | FieldForm::Choice | FieldForm::Flag | FieldForm::Bits => {
                Form::Unsigned(1)
            }
            FieldForm::Int(Kind::I8) => Form::Signed(1, 1.0),
            FieldForm::Int(Kind::U16) => Form::Unsigned(2),
            FieldForm::Int(Kind::I16) => Form::Signed(2, 1.0),
            FieldForm::Int(Kind::U32) => Form::Unsigned(4),
            FieldForm::Int(_) => Form::Signed(4, 1.0),
            FieldForm::Scaled16(counts) => Form::Signed(2, counts),
            FieldForm::Scaled32(counts) => Form::Signed(4, counts),
            FieldForm::Float => Form::Float,
            FieldForm::Nothing => continue,
            _ => break,
        };
        fields.push(Placed {
            name: &field.name,
            form,
            offset,
        });
        offset += form.size();
    }
    fields
}

/// Whether a client's value is this one, as far as a client prints digits.
fn is_same(form: Form, true_value: f64, value: f64) -> bool {
    let slack = (form.step() * 0.51).max(true_value.abs() * 1e-5).max(TINY);
    (true_value - value).abs() <= slack || true_value == value
}

/// Floats of which firmware, and many a client, makes something of its own.
const TINY: f64 = 2.4e-38;

/// How much it tells that a value matches: nothing if it is 0, more the more bytes it has.
fn tells(form: Form, raw: u32) -> u32 {
    match form.size() {
        _ if form.value(raw).abs() <= TINY => 0,
        1 => 1,
        2 => 3,
        _ => 5,
    }
}

/// Finds what explains the wrong values among those that a client read from a configuration.
///
/// `data` are the bytes behind the signature, `device` describes what the device sent, and `others` are the layouts that
/// the client may have used instead. `client` has its values by name. `None` if nothing is wrong, or nothing explains enough
/// of it.
#[must_use]
pub fn explain(
    data: &[u8],
    device: &ConfigDescription,
    others: &[Arc<ConfigDescription>],
    client: &[(&str, f64)],
) -> Option<LayoutMistake> {
    let right = placed(device);
    // In the order of the wire; a name that the device does not have comes last.
    let place_of = |name: &str| right.iter().position(|field| field.name == name);
    let mut wrong: Vec<(Option<usize>, &str, f64)> = client
        .iter()
        .map(|&(name, value)| (place_of(name), name, value))
        .filter(|&(place, _, value)| {
            let field = place.and_then(|at| right.get(at));
            let raw =
                field.and_then(|field| Some((field.form, field.form.raw(data, field.offset)?)));
            !raw.is_some_and(|(form, raw)| is_same(form, form.value(raw), value))
        })
        .collect();
    wrong.sort_by_key(|&(place, ..)| place.unwrap_or(usize::MAX));
    let &(_, first, _) = wrong.first()?;

    let found = |used: Used, matching: Matching<'_>| {
        let matches: Vec<u32> = wrong
            .iter()
            .filter_map(|&(place, name, value)| matching(place, name, value))
            .collect();
        let told: u32 = matches.iter().sum();
        let enough = told >= ENOUGH && matches.len() * 2 > wrong.len();
        enough.then(|| {
            let mistake = LayoutMistake {
                used,
                first: first.to_owned(),
                explains: matches.len(),
                wrong: wrong.len(),
                right: device.signature(),
            };
            (matches.len(), mistake)
        })
    };
    let at = |form: Form, offset: usize, value: f64| {
        let raw = form.raw(data, offset)?;
        is_same(form, form.value(raw), value).then(|| tells(form, raw))
    };
    let layouts = others
        .iter()
        .filter(|other| other.signature() != device.signature())
        .filter_map(|other| {
            let fields = placed(other);
            found(Used::Layout(other.signature()), &|_, name, value| {
                let field = fields.iter().find(|field| field.name == name)?;
                at(field.form, field.offset, value)
            })
        });
    // Nearer places first, so that a tie goes to the smaller mistake.
    let shifts = (1..=MAX_SHIFT).flat_map(|by| [by, -by]).filter_map(|by| {
        found(Used::Shift(by), &|place, _, value| {
            let field = right.get(place?)?;
            let offset = field.offset.checked_add_signed(isize::try_from(by).ok()?)?;
            at(field.form, offset, value)
        })
    });
    // The first of those that explain most: a layout that was given tells more than a number of bytes.
    let mut best: Option<(usize, LayoutMistake)> = None;
    for (explains, mistake) in layouts.chain(shifts) {
        if best.as_ref().is_none_or(|(most, _)| explains > *most) {
            best = Some((explains, mistake));
        }
    }
    best.map(|(_, mistake)| mistake)
}

#[cfg(test)]
mod tests {
    use veschub_wire::description::Rounding;

    use super::*;

    const MOTOR: &str = include_str!("../../../scenarios/parameters/own-mcconf.xml");
    const NEWER: &str = include_str!("../../../scenarios/parameters/own-mcconf-newer.xml");

    fn read(xml: &str) -> Arc<ConfigDescription> {
        Arc::new(ConfigDescription::from_xml(xml).unwrap())
    }

    /// What a client reads that takes these bytes for what the description says.
    fn client<'a>(
        data: &[u8],
        with: &'a ConfigDescription,
        names: &[&'a str],
    ) -> Vec<(&'a str, f64)> {
        let values = with.read(data).unwrap();
        let number = |name: &&'a str| (*name, values.number(name).unwrap());
        names.iter().map(number).collect()
    }

    const NAMES: [&str; 7] = [
        "l_current_max",
        "l_max_duty",
        "foc_motor_flux_linkage",
        "si_motor_poles",
        "si_wheel_diameter",
        "si_battery_cells",
        "m_dead_time_ns",
    ];

    #[test]
    fn the_layout_of_another_firmware_is_named_if_it_is_given() {
        let (older, newer) = (read(MOTOR), read(NEWER));
        let mut values = newer.defaults();
        values
            .set("l_current_max", &Value::Int(80), Rounding::CutOff)
            .unwrap();
        let data = values.to_bytes();
        let right = client(&data, &newer, &NAMES);
        assert_eq!(
            explain(&data, &newer, std::slice::from_ref(&older), &right),
            None
        );

        let wrong = client(&data, &older, &NAMES);
        let others = [newer.clone(), older.clone()];
        let mistake = explain(&data, &newer, &others, &wrong).unwrap();
        assert_eq!(mistake.used, Used::Layout(older.signature()));
        assert_eq!(mistake.first, "foc_motor_flux_linkage");
        assert_eq!((mistake.explains, mistake.wrong), (5, 5));
        assert_eq!(mistake.name(), "another-firmwares-layout");
        assert_eq!(
            mistake.to_string(),
            "read with the layout of signature 4076786715, but the device has that of signature 691252605; this explains 5 \
             of 5 wrong values"
        );
        // The other way round: the client knows a field that the device does not have.
        let data = [&older.defaults().to_bytes()[..], &[0; 2]].concat();
        let names = [&NAMES[..], &["l_temp_fet_start"]].concat();
        let wrong = client(&data, &newer, &names);
        let mistake = explain(&data, &older, std::slice::from_ref(&newer), &wrong).unwrap();
        assert_eq!(mistake.used, Used::Layout(newer.signature()));
        assert_eq!((mistake.explains, mistake.wrong), (6, 6));
    }

    #[test]
    fn without_the_other_layout_the_number_of_bytes_is_told() {
        let (older, newer) = (read(MOTOR), read(NEWER));
        let data = newer.defaults().to_bytes();
        let wrong = client(&data, &older, &NAMES);
        let mistake = explain(&data, &newer, &[], &wrong).unwrap();
        assert_eq!(mistake.used, Used::Shift(-2));
        assert_eq!(mistake.name(), "shifted");
        assert_eq!(
            mistake.to_string(),
            "from `foc_motor_flux_linkage` on, read 2 bytes before the right place, as with the layout of another firmware; \
             this explains 5 of 5 wrong values"
        );
        // Who forgets the signature reads everything 4 bytes early.
        let with_signature = [&newer.signature().to_be_bytes()[..], &data].concat();
        let wrong = client(&with_signature, &newer, &NAMES);
        let mistake = explain(&data, &newer, &[older], &wrong).unwrap();
        assert_eq!(mistake.used, Used::Shift(-4));
        assert_eq!(mistake.first, "l_current_max");
    }

    #[test]
    fn values_that_nothing_explains_are_not_explained() {
        let (older, newer) = (read(MOTOR), read(NEWER));
        let data = newer.defaults().to_bytes();
        for wrong in [
            &[("l_current_max", 12.5)][..],
            // Zeros and single bytes are everywhere.
            &[("si_motor_poles", 0.0), ("m_invert_direction", 255.0)],
            &[("no_such_field", 3.0)],
            &[("l_current_max", f64::NAN), ("l_max_duty", f64::INFINITY)],
        ] {
            assert_eq!(
                explain(&data, &newer, std::slice::from_ref(&older), wrong),
                None,
                "{wrong:?}"
            );
        }
        assert_eq!(
            explain(&[], &newer, &[older], &[("l_current_max", 60.0)]),
            None
        );
        assert_eq!(explain(&data, &newer, &[], &[]), None);
    }
}
