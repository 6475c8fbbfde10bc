//! Reads a parameter file of VESC Tool (`vesc_tool configparams.cpp:1343-1430`).
//!
//! ```text
//! <ConfigParams>
//!   <Params>
//!     <NAME><type>1</type> <vTx>7</vTx> <vTxDoubleScale>10</vTxDoubleScale> <enumNames>..</enumNames>...</NAME>
//!     ...
//!   </Params>
//!   <SerOrder><ser>NAME</ser>...</SerOrder>
//! </ConfigParams>
//! ```

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::str::FromStr;

use crc::{CRC_32_ISCSI, Crc, Table};
use roxmltree::{Document, Node, ParsingOptions};

use super::{ConfigDescription, ConfigField, FieldForm, FieldValue, Rounding};
use crate::{
    kind::Kind,
    number::{Float, Text},
    view::Value,
};

static CRC_32C: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// The most bytes that a file may have; the files of VESC Tool have half a megabyte.
pub const MAX_XML: usize = 8 << 20;
/// The most elements and texts in it.
const MAX_NODES: u32 = 400_000;
/// The most fields that a configuration may have.
pub const MAX_FIELDS: usize = 4096;

/// What is wrong with a parameter file, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct DescriptionError {
    /// The line, counted from 1.
    pub line: u32,
    /// What is there, and what was wanted.
    pub problem: String,
}

impl ConfigDescription {
    /// Reads the text of a parameter file.
    ///
    /// # Errors
    /// If it is no XML, is too large, or describes a field in a way that cannot be written; with the line, and what was wanted.
    pub fn from_xml(text: &str) -> Result<Self, DescriptionError> {
        if text.len() > MAX_XML {
            return Err(DescriptionError {
                line: 1,
                problem: format!(
                    "the file has {} bytes, wanted at most {MAX_XML}",
                    text.len()
                ),
            });
        }
        let options = ParsingOptions {
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document =
            Document::parse_with_options(text, options).map_err(|error| DescriptionError {
                line: error.pos().row,
                problem: format!("the file cannot be read as XML: {error}"),
            })?;
        File(&document).read()
    }
}

struct File<'a>(&'a Document<'a>);

/// An element.
type Element<'a> = Node<'a, 'a>;

impl<'a> File<'a> {
    fn line(&self, element: Element<'_>) -> u32 {
        self.0.text_pos_at(element.range().start).row
    }

    fn wrong<T>(&self, at: Element<'_>, problem: String) -> Result<T, DescriptionError> {
        Err(DescriptionError {
            line: self.line(at),
            problem,
        })
    }

    fn child(&self, of: Element<'a>, name: &str) -> Result<Element<'a>, DescriptionError> {
        let parent = of.tag_name().name();
        match elements(of).find(|child| child.has_tag_name(name)) {
            Some(child) => Ok(child),
            None => self.wrong(of, format!("`{parent}` has no `{name}`")),
        }
    }

    fn read(&self) -> Result<ConfigDescription, DescriptionError> {
        let root = self.0.root_element();
        if !root.has_tag_name("ConfigParams") {
            let found = root.tag_name().name();
            return self.wrong(
                root,
                format!(
                    "the file starts with `{found}`, wanted `ConfigParams`: a parameter file of VESC Tool, such as \
                     res/config/6.05/parameters_mcconf.xml"
                ),
            );
        }
        let params: BTreeMap<&str, Element<'a>> = elements(self.child(root, "Params")?)
            .map(|param| (param.tag_name().name(), param))
            .collect();
        let mut description = ConfigDescription {
            fields: Vec::new(),
            places: BTreeMap::new(),
            signature: 0,
        };
        let order = self.child(root, "SerOrder")?;
        let mut signed = String::new();
        for ser in elements(order).filter(|child| child.has_tag_name("ser")) {
            let name = ser.text().unwrap_or_default();
            if name.trim().is_empty() {
                return self.wrong(ser, "`ser` is empty, wanted the name of a field".to_owned());
            }
            let place = description.fields.len();
            if place == MAX_FIELDS {
                return self.wrong(ser, format!("more than {MAX_FIELDS} fields"));
            }
            if description.places.insert(name.to_owned(), place).is_some() {
                return self.wrong(ser, format!("`{name}` is in the order twice"));
            }
            signed += name;
            // A name without a description is not written, and counts for the signature.
            description.fields.push(match params.get(name) {
                Some(param) => self.field(name, *param, &mut signed)?,
                None => ConfigField {
                    name: name.to_owned(),
                    form: FieldForm::Nothing,
                    choices: Vec::new(),
                    default: FieldValue::Nothing,
                    limits: None,
                    line: 0,
                },
            });
        }
        if description.fields.is_empty() {
            return self.wrong(
                order,
                "`SerOrder` names no field, wanted `ser` elements".to_owned(),
            );
        }
        description.signature = CRC_32C.checksum(signed.as_bytes());
        Ok(description)
    }

    fn field(
        &self,
        name: &str,
        param: Element<'a>,
        signed: &mut String,
    ) -> Result<ConfigField, DescriptionError> {
        let kind: u8 = self
            .number(param, "type", "a number from 0 to 6")?
            .unwrap_or(0);
        let wire: u8 = self
            .number(param, "vTx", "a number from 0 to 9")?
            .unwrap_or(0);
        *signed += &kind.to_string();
        *signed += &wire.to_string();
        let names = elements(param).filter(|child| child.has_tag_name("enumNames"));
        let choices: Vec<String> = names
            .map(|name| name.text().unwrap_or_default().to_owned())
            .collect();
        *signed += &choices.concat();
        let form = self.form(name, param, kind, wire)?;
        let limits = match kind {
            1 => self.number(param, "minDouble", A_NUMBER)?.zip(self.number(
                param,
                "maxDouble",
                A_NUMBER,
            )?),
            2 => self
                .number(param, "minInt", A_NUMBER)?
                .zip(self.number(param, "maxInt", A_NUMBER)?),
            _ => None,
        };
        let mut field = ConfigField {
            name: name.to_owned(),
            form,
            choices,
            default: FieldValue::Nothing,
            limits,
            line: self.line(param),
        };
        field.default = self.default(&field, param, kind)?;
        Ok(field)
    }

    fn form(
        &self,
        name: &str,
        param: Element<'a>,
        kind: u8,
        wire: u8,
    ) -> Result<FieldForm, DescriptionError> {
        Ok(match (kind, wire) {
            (0, _) | (1 | 2, 0) => FieldForm::Nothing,
            (1, 7 | 8) => {
                let what = "vTxDoubleScale";
                let counts: f64 = match self.number(param, what, A_NUMBER)? {
                    Some(counts) => counts,
                    None => {
                        let problem =
                            format!("`{name}` has no `{what}`, wanted one for `vTx` {wire}");
                        return self.wrong(param, problem);
                    }
                };
                if !(counts.is_finite() && counts != 0.0) {
                    let problem =
                        format!("`{what}` of `{name}` is {counts}, wanted a number that is not 0");
                    return self.wrong(param, problem);
                }
                match wire {
                    7 => FieldForm::Scaled16(counts),
                    _ => FieldForm::Scaled32(counts),
                }
            }
            (1, 9) => FieldForm::Float,
            (2, 1) => FieldForm::Int(Kind::U8),
            (2, 2) => FieldForm::Int(Kind::I8),
            (2, 3) => FieldForm::Int(Kind::U16),
            (2, 4) => FieldForm::Int(Kind::I16),
            (2, 5) => FieldForm::Int(Kind::U32),
            (2, 6) => FieldForm::Int(Kind::I32),
            (3, _) => FieldForm::Text,
            (4, _) => FieldForm::Choice,
            (5, _) => FieldForm::Flag,
            (6, _) => FieldForm::Bits,
            (1, _) => {
                let problem = format!("`vTx` of `{name}` is {wire}, wanted 7, 8 or 9 for `type` 1");
                return self.wrong(param, problem);
            }
            (2, _) => {
                let problem = format!("`vTx` of `{name}` is {wire}, wanted 1 to 6 for `type` 2");
                return self.wrong(param, problem);
            }
            _ => {
                let problem = format!("`type` of `{name}` is {kind}, wanted a number from 0 to 6");
                return self.wrong(param, problem);
            }
        })
    }

    /// What a field is unless somebody sets it. One that is not told, or that the field cannot hold, is 0.
    fn default(
        &self,
        field: &ConfigField,
        param: Element<'a>,
        kind: u8,
    ) -> Result<FieldValue, DescriptionError> {
        let given = match kind {
            1 => self
                .number(param, "valDouble", A_NUMBER)?
                .map(Value::Number),
            2 | 4 | 5 | 6 => self.number(param, "valInt", A_NUMBER)?.map(Value::Int),
            3 => text(param, "valString").map(|text| Value::Text(text.to_owned())),
            _ => None,
        };
        // 255 and -1 are both in use for a full byte.
        let given = match (given, field.form.size()) {
            (Some(Value::Int(-1)), Some(1)) if field.form != FieldForm::Int(Kind::I8) => {
                Some(Value::Int(255))
            }
            (given, _) => given,
        };
        let value = given.and_then(|value| field.form.parse(field, &value, Rounding::CutOff));
        Ok(value.unwrap_or_else(|| match field.form {
            FieldForm::Text => FieldValue::Text(Text::default()),
            FieldForm::Float => FieldValue::Float(Float::default()),
            FieldForm::Scaled16(_) | FieldForm::Scaled32(_) => FieldValue::Counts(0),
            FieldForm::Nothing => FieldValue::Nothing,
            _ => FieldValue::Int(0),
        }))
    }

    /// The number in a child, if there is such a child.
    fn number<T: FromStr>(
        &self,
        param: Element<'a>,
        what: &str,
        wanted: &str,
    ) -> Result<Option<T>, DescriptionError> {
        let Some(child) = elements(param).find(|child| child.has_tag_name(what)) else {
            return Ok(None);
        };
        let text = child.text().unwrap_or_default().trim();
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                let name = param.tag_name().name();
                self.wrong(
                    child,
                    format!("`{what}` of `{name}` is `{text}`, wanted {wanted}"),
                )
            }
        }
    }
}

const A_NUMBER: &str = "a number";

fn elements<'a>(of: Element<'a>) -> impl Iterator<Item = Element<'a>> {
    of.children().filter(Node::is_element)
}

fn text<'a>(of: Element<'a>, name: &str) -> Option<&'a str> {
    elements(of)
        .find(|child| child.has_tag_name(name))
        .map(|child| child.text().unwrap_or_default())
}
