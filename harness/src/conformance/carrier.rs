//! What is carried in a case that is not about values: BMS values, motor values or the firmware version.
//!
//! Framing, matching, timing and connections are the same whatever is carried. So such a case is written once, with
//! placeholders, and played with what the client can ask for:
//!
//! | in the YAML | becomes |
//! | --- | --- |
//! | `<ask>`, a key under `client` | the carrier's task: `poll-bms`, `read-motor`, `read` |
//! | `<reply>` | the command of the reply |
//! | `<device>` | a device whose reply has no value that stands for nothing, such as 0 |
//! | `<changing device>` | a device whose values change from reply to reply |
//! | `<device, reply of 255 bytes>` | a device whose reply has a payload of this length |
//! | `<device that restarts>` | a device that restarts at the second request for its values, and is back after a second |
//! | `<device, password p>`, `<device, answers after 1s>`, `<device, prints after 1s>` | a device with this setting |
//! | `<hex: ...>` | bytes, made of `decoy`, a frame like a reply but with other values in each field; see `hex_of` |

use serde_yaml::{Mapping, Value};
use veschub_wire::{CommandId, encode, view::hex};

pub use crate::report::carrier::Carrier;

/// The CAN id of the motor that is asked.
const MOTOR: u8 = 84;

/// A placeholder that does not exist, or stands where it cannot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no placeholder `{0}`")]
pub struct UnknownPlaceholder(String);

impl Carrier {
    /// The scenario of a case with this carrier.
    ///
    /// # Errors
    /// If the scenario has a placeholder that does not exist.
    pub fn fill(self, scenario: &Value) -> Result<Value, UnknownPlaceholder> {
        Ok(match scenario {
            Value::String(text) if text.starts_with('<') => self.stand_in(text)?,
            Value::Sequence(items) => Value::Sequence(
                items
                    .iter()
                    .map(|item| self.fill(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Mapping(keys) => {
                let mut filled = Mapping::new();
                for (key, value) in keys {
                    let value = self.fill(value)?;
                    match key.as_str() {
                        Some("<ask>") => {
                            let (task, settings) = self.ask(value);
                            filled.insert(task.into(), settings);
                        }
                        _ => drop(filled.insert(key.clone(), value)),
                    }
                }
                Value::Mapping(filled)
            }
            other => other.clone(),
        })
    }

    fn stand_in(self, text: &str) -> Result<Value, UnknownPlaceholder> {
        let unknown = || UnknownPlaceholder(text.to_owned());
        let inner = text.trim_start_matches('<').trim_end_matches('>');
        if let Some(bytes) = inner.strip_prefix("hex: ") {
            return Ok(spaced(&self.hex_of(bytes).ok_or_else(unknown)?).into());
        }
        if let Some(bytes) = inner.strip_prefix("motor hex: ") {
            return Ok(spaced(&Self::Motor.hex_of(bytes).ok_or_else(unknown)?).into());
        }
        for (start, key) in [
            ("device, password ", "password"),
            ("device, answers after ", "reply_after"),
            ("device, prints after ", "prints"),
        ] {
            let Some(value) = inner.strip_prefix(start) else {
                continue;
            };
            let mut device = self.device(false);
            let value = match key {
                "prints" => prints(value),
                _ => value.into(),
            };
            if let Some(settings) = device.get_mut("express").and_then(Value::as_mapping_mut) {
                settings.insert(key.into(), value);
            }
            return Ok(device);
        }
        if let Some(length) = inner.strip_prefix("device, reply of ") {
            let length = length.trim_end_matches(" bytes").parse();
            let length = length.map_err(|_| unknown())?;
            return Ok(self.scripted(&self.payload(length)));
        }
        Ok(match inner {
            "reply" => self.reply().to_string().into(),
            "device" => self.device(false),
            "changing device" => self.device(true),
            "device that restarts" => self.restarting(),
            _ => return Err(unknown()),
        })
    }

    /// The task, from what a case says about how often to ask and how long to wait.
    fn ask(self, settings: Value) -> (&'static str, Value) {
        let mut settings = match settings {
            Value::Mapping(settings) => settings,
            _ => Mapping::new(),
        };
        let polls = settings.contains_key("every");
        let task = match self {
            Self::Bms if polls => {
                // This task has a limit of its own, and no setting for it.
                settings.remove("give_up_after");
                "poll-bms"
            }
            Self::Bms => {
                settings.insert("ask".into(), "one-at-a-time".into());
                "read-bms"
            }
            Self::Motor => {
                settings.insert("can_id".into(), MOTOR.into());
                "read-motor"
            }
            Self::Firmware => {
                settings.insert("request".into(), "FW_VERSION".into());
                "read"
            }
        };
        if polls && self != Self::Bms && !settings.contains_key("give_up_after") {
            settings.insert("give_up_after".into(), "1s".into());
        }
        (task, Value::Mapping(settings))
    }

    /// A device that is simulated: no value of its reply is one that a client could have made up.
    fn device(self, changes: bool) -> Value {
        let changes_to = |from: &str, to: &str| match changes {
            true => format!("from: {from}, to: {to}, over: 12s"),
            false => format!("to: {from}"),
        };
        let inside = match self {
            Self::Bms => {
                let cells = (0..4).map(|item| {
                    let cell = changes_to(&format!("3.75{item}"), &format!("4.15{item}"));
                    format!("{{ field: cell_voltages_v, item: {item}, {cell} }}")
                });
                let cells: Vec<String> = cells.collect();
                format!(
                    "bus: 'off'\nbms: {{ cells: 4, temperatures_c: [21.5, 22.5], set: [\
                     {{ field: total_voltage_v, {} }}, {}, {{ field: current_a, to: 1.25 }}, \
                     {{ field: state_of_charge, to: 0.25 }}] }}",
                    changes_to("15.006", "16.606"),
                    cells.join(", ")
                )
            }
            Self::Motor => motor(),
            Self::Firmware => "bus: 'off'\nhardware: VESC EXPRESS FOR DEMONSTRATION".to_owned(),
        };
        express(&inside)
    }

    /// A device that sends these bytes.
    fn scripted(self, payload: &[u8]) -> Value {
        self.replying(&[format!("reply: ['{}']", spaced(payload))])
    }

    /// A device that restarts at the second request, and has other values later.
    fn restarting(self) -> Value {
        let reply = |number| format!("reply: ['{}']", spaced(&self.sample(number)));
        self.replying(&[reply(1), "reply: [], restart: true".to_owned(), reply(5)])
    }

    /// A device that replies in turn with what each of these rules says.
    fn replying(self, rules: &[String]) -> Value {
        let (request, more) = match self {
            Self::Bms => ("60".to_owned(), "bus: 'off'".to_owned()),
            Self::Motor => (format!("22 {MOTOR:02x} 04"), motor()),
            Self::Firmware => ("00".to_owned(), "bus: 'off'".to_owned()),
        };
        let rules = rules.iter();
        let rules: Vec<String> = rules
            .map(|rule| format!("{{ request: '{request}', {rule} }}"))
            .collect();
        express(&format!("{more}\nreplies: [{}]", rules.join(", ")))
    }

    /// A payload of a length: with a longer text at its end, or with more bytes behind the last field that is known.
    fn payload(self, length: usize) -> Vec<u8> {
        let mut payload = self.sample(1);
        let text =
            |length: usize, tail: usize| "x".repeat(length.saturating_sub(tail)).into_bytes();
        match self {
            Self::Bms => {
                // Data version, then the status with its NUL.
                payload.push(1);
                payload.extend(text(length, payload.len() + 1));
                payload.push(0);
            }
            Self::Motor => payload.resize(length, 0),
            Self::Firmware => {
                // The name of the firmware stands before its NUL and the CRC of the config.
                let tail = payload.split_off(payload.len() - 5);
                payload.extend(text(length, payload.len() + tail.len()));
                payload.extend(tail);
            }
        }
        payload
    }

    /// The payload of a reply; another number gives other values in each field. It has no 02 or 03, which would look
    /// like the start of a frame to a client that reads a damaged one again from its second byte.
    fn sample(self, number: u8) -> Vec<u8> {
        let n = i32::from(number);
        let mut payload = vec![self.reply().0];
        let short = |payload: &mut Vec<u8>, value: i32| {
            payload.extend((value as i16).to_be_bytes());
        };
        let long = |payload: &mut Vec<u8>, value: i32| payload.extend(value.to_be_bytes());
        match self {
            Self::Bms => {
                let micros = [11_020_000, 1_250_000, -7_500_000, -7_250_000, 3_333, 4_444];
                for value in micros {
                    long(&mut payload, value + n * 111);
                }
                payload.push(4);
                for cell in 0..4 {
                    short(&mut payload, 2_700 + 50 * cell + 11 * n);
                }
                payload.extend([1, 0, number % 2, 1]);
                payload.push(4);
                for value in [
                    3_110, 3_220, 3_350, 3_480, 4_310, 4_420, 1_230, 3_340, 111, 222,
                ] {
                    short(&mut payload, value + 13 * n);
                }
                payload.push(70 + number);
                for value in [41.5_f32, 32.5, 33.5, 34.5] {
                    payload.extend((value + f32::from(number)).to_bits().to_be_bytes());
                }
                short(&mut payload, 9_000 + n);
            }
            Self::Motor => {
                short(&mut payload, 301 + 10 * n);
                short(&mut payload, 352 + 10 * n);
                for value in [1_234, 367, 189, 1_230] {
                    long(&mut payload, value + 100 * n);
                }
                short(&mut payload, 210 + 10 * n);
                long(&mut payload, 4_321 + 100 * n);
                short(&mut payload, 110 + 10 * n);
                for value in [12_345, 2_345, 987_654, 87_654, 4_567, 9_876] {
                    long(&mut payload, value + 1_000 * n);
                }
                payload.push(4 + number);
                long(&mut payload, 81_000_000 + 1_000_000 * n);
                payload.push(70 + number);
                for value in [311, 322, 333] {
                    short(&mut payload, value + 10 * n);
                }
                for value in [1_111, 2_222] {
                    long(&mut payload, value + 100 * n);
                }
                payload.push(0);
            }
            Self::Firmware => {
                payload.extend([5, 40 + number]);
                payload.extend(format!("DECOY {number}\0").bytes());
                payload.extend([0xD0 + number; 12]);
                // Paired, test version, kind, configs, filters, two user interfaces, radio.
                payload.extend([1, 7 + number, 1, 3 + number, 1, 1, 1, 1]);
                payload.push(0);
                payload.extend([0xDE, 0xC0, 0x01, number]);
            }
        }
        payload
    }

    /// Bytes by name; names are joined by `+`.
    ///
    /// * `text`: a PRINT; `3 times 55`: a byte again and again;
    /// * `decoy`: a frame like a reply, with other values; `decoy with a wrong CRC`, `decoy with a wrong stop byte`,
    ///   `decoy in a text`, `decoy in a text of 512 bytes`, `decoy in a config of 600 bytes`;
    /// * `header in a text`: a text that contains the first bytes of a reply;
    /// * `another reply`: the reply to a command that the client did not ask for;
    /// * `the reply of 255 bytes in the long form`;
    /// * `half a decoy`; and bytes themselves, such as `02 03`.
    fn hex_of(self, names: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for name in names.split(" + ") {
            bytes.extend(self.bytes_of(name)?);
        }
        Some(bytes)
    }

    fn bytes_of(self, name: &str) -> Option<Vec<u8>> {
        let mut decoy = encode(&self.sample(9))?;
        let (last, crc) = (decoy.len() - 1, decoy.len() - 2);
        let text = |inside: &[u8], length: usize| {
            let mut payload = vec![CommandId::PRINT.0];
            payload.extend(b"log: ");
            payload.extend(inside);
            payload.resize(payload.len().max(length), b'.');
            encode(&payload)
        };
        if let Some((times, byte)) = name.split_once(" times ") {
            let byte = u8::from_str_radix(byte, 16).ok()?;
            return Some(vec![byte; times.parse().ok()?]);
        }
        match name {
            "text" => text(b"a text that nobody asked for", 0),
            "decoy" => Some(decoy),
            "decoy with a wrong CRC" => {
                decoy[crc] ^= 0x01;
                Some(decoy)
            }
            "decoy with a wrong stop byte" => {
                decoy[last] = 4;
                Some(decoy)
            }
            "half a decoy" => Some(decoy[..decoy.len() / 2].to_vec()),
            "decoy in a text" => text(&decoy, 0),
            "header in a text" => {
                let length = u8::try_from(self.sample(9).len()).ok()?;
                text(&[2, length, self.reply().0, b' ', b'a', b'n', b'd'], 120)
            }
            "another reply" => match self {
                Self::Firmware => encode(&Self::Bms.sample(9)),
                _ => encode(&Self::Firmware.sample(9)),
            },
            "the reply of 255 bytes in the long form" => {
                let payload = self.payload(255);
                let short = encode(&payload)?;
                let mut long = vec![3, 0, 255];
                long.extend(short.get(2..)?);
                Some(long)
            }
            _ => {
                let text_of = |of: &str| {
                    let length = name.strip_prefix(of)?.strip_suffix(" bytes")?;
                    length.parse::<usize>().ok()
                };
                if let Some(length) = text_of("decoy in a text of ") {
                    return text(&decoy, length);
                }
                if let Some(length) = text_of("decoy in a config of ") {
                    let mut payload = vec![CommandId::GET_MCCONF.0];
                    payload.extend(&decoy);
                    payload.resize(payload.len().max(length), 0x11);
                    return encode(&payload);
                }
                let byte = |word: &str| u8::from_str_radix(word, 16).ok();
                name.split(' ').map(byte).collect()
            }
        }
    }
}

fn motor() -> String {
    format!(
        "can: [motor: {{ can_id: {MOTOR}, hardware: MOTOR DEMO, motor_current_a: 12.5, input_current_a: 6.25, \
         duty: 0.45, erpm: 5400, input_voltage_v: 46.8, speed_m_s: 5, fet_temperature_c: 31.5, \
         motor_temperature_c: 41.5 }}]"
    )
}

/// The setting for a text that the device prints by itself.
fn prints(after: &str) -> Value {
    let mut print = Mapping::new();
    print.insert("at".into(), after.into());
    print.insert("text".into(), "a text that nobody asked for".into());
    Value::Sequence(vec![Value::Mapping(print)])
}

fn express(inside: &str) -> Value {
    let text = format!(
        "express:\n  id: demo-0001\n  password: not-a-secret\n  reply_after: 10ms\n  {}\n",
        inside.replace('\n', "\n  ")
    );
    // The text is made here, and a test reads it.
    serde_yaml::from_str(&text).unwrap_or(Value::Null)
}

/// Bytes as people write them: `02 3a 60`.
fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use veschub_wire::{
        Reply,
        view::{Value as Field, View as _},
    };

    use super::*;

    fn fields(payload: &[u8]) -> Vec<(String, Field)> {
        let reply = Reply::decode(payload).unwrap();
        assert!(reply.trailing.is_empty(), "{reply:?}");
        let fields = reply.fields();
        let pairs = fields.iter();
        pairs
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// What a client reads of a decoy must not fit the reply.
    #[test]
    fn two_samples_have_no_telling_value_in_common() {
        for carrier in Carrier::ALL {
            let (one, other) = (fields(&carrier.sample(1)), fields(&carrier.sample(9)));
            assert!(one.len() > 10, "{carrier}: {one:?}");
            for (name, value) in one {
                let same = other.contains(&(name.clone(), value.clone()));
                let flag = matches!(value, Field::Bool(_) | Field::Int(0..=3) | Field::List(_));
                let empty = value == Field::Text(String::new());
                assert!(
                    !same || flag || empty,
                    "{carrier}: {name} is {value:?} in both"
                );
            }
        }
    }

    #[test]
    fn nothing_in_a_sample_looks_like_the_start_of_a_frame() {
        for carrier in Carrier::ALL {
            for frame in [carrier.sample(9), carrier.payload(90)] {
                let inside = &encode(&frame).unwrap()[1..frame.len() + 4];
                assert!(
                    !inside.iter().any(|byte| [2, 3].contains(byte)),
                    "{carrier}: {inside:02x?}"
                );
            }
        }
    }

    #[test]
    fn a_payload_of_any_length_is_a_reply() {
        for carrier in Carrier::ALL {
            for length in [127, 128, 129, 254, 255, 256, 257, 512] {
                let payload = carrier.payload(length);
                assert_eq!(payload.len(), length, "{carrier}");
                assert!(Reply::decode(&payload).is_ok(), "{carrier} {length}");
            }
        }
    }

    #[test]
    fn a_placeholder_that_does_not_exist_is_an_error() {
        let fill = |text: &str| Carrier::Motor.fill(&Value::from(text));
        assert_eq!(fill("<reply>"), Ok(Value::from("GET_VALUES")));
        assert_eq!(fill("<hex: 02 03>"), Ok(Value::from("02 03")));
        assert!(fill("<hex: nothing>").is_err() && fill("<replies>").is_err());
    }
}
