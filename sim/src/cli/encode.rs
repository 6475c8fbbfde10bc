//! `veschub-sim encode`: a request as a frame.

use std::io::{self, Write};

use veschub_wire::{
    CommandId, Request,
    command::{ConfigKind, MotorConfig, usage},
    description::{ConfigDescription, Rounding, ValueError},
    encode as frame,
    view::{Value, hex},
};

use super::{EncodeArgs, Failure, description, written};
use veschub_scenario::closest;

pub(super) fn encode(args: &EncodeArgs) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let Some(command) = &args.command else {
        return written(CommandId::named().try_for_each(|id| {
            let line = format!("{:>3}  {id} {}", id.0, usage(id));
            writeln!(stdout, "{}", line.trim_end())
        }));
    };
    let command: CommandId = command.parse().map_err(|error| {
        let names = CommandId::named().filter_map(CommandId::name);
        let advice = match closest(command, names) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "`veschub-sim encode --list` shows all names".to_owned(),
        };
        Failure::Text(format!("{error}; {advice}"))
    })?;
    let arguments: Vec<&str> = args.args.iter().map(String::as_str).collect();
    let named;
    let arguments = match &args.description {
        None => arguments,
        Some(path) => {
            named = by_name(command, &arguments, &description::read(path)?)?;
            named.iter().map(String::as_str).collect()
        }
    };
    let request = Request::from_args(command, &arguments).map_err(Failure::text)?;
    let payload = request.encode();
    let Some(frame) = frame(&payload) else {
        let len = payload.len();
        return Err(Failure::Text(format!("{len} bytes do not fit a frame")));
    };
    written(if args.binary {
        stdout.write_all(&frame).and_then(|()| stdout.flush())
    } else {
        writeln!(stdout, "{}", hex(&frame))
    })
}

/// The same words with a configuration's signature and bytes instead of `NAME=VALUE`. What is not named is what the
/// description has as default.
fn by_name(
    command: CommandId,
    words: &[&str],
    described: &ConfigDescription,
) -> Result<Vec<String>, Failure> {
    let is_set =
        |id: CommandId| ConfigKind::of_command(id).is_some() && id.to_string().starts_with("SET_");
    // It may stand inside a FORWARD_CAN.
    let inner = words.iter().position(|word| word.parse().is_ok_and(is_set));
    let start = match inner {
        Some(at) => at + 1,
        None if is_set(command) => 0,
        None => {
            return Err(Failure::Text(format!(
                "`--config-description` is for SET_MCCONF, SET_APPCONF and SET_APPCONF_NO_STORE, not for {command}"
            )));
        }
    };
    let mut values = described.defaults();
    for word in &words[start..] {
        let Some((name, value)) = word.split_once('=') else {
            return Err(Failure::Text(format!(
                "`{word}` is no argument, wanted NAME=VALUE, as in l_current_max=60"
            )));
        };
        // As VESC Tool writes it: this is what a tool sends.
        let set = values.set(name, &typed(value), Rounding::Nearest);
        set.map_err(|error| unnamed(&error, described))?;
    }
    let config = MotorConfig {
        signature: described.signature(),
        data: values.to_bytes(),
    };
    let mut words: Vec<String> = words[..start].iter().map(ToString::to_string).collect();
    words.push(config.signature.to_string());
    words.push(hex(&config.data));
    Ok(words)
}

/// A number, true or false, or text.
fn typed(word: &str) -> Value {
    if let Ok(int) = word.parse() {
        Value::Int(int)
    } else if let Ok(number) = word.parse() {
        Value::Number(number)
    } else if let Ok(flag) = word.parse() {
        Value::Bool(flag)
    } else {
        Value::Text(word.to_owned())
    }
}

fn unnamed(error: &ValueError, described: &ConfigDescription) -> Failure {
    let meant = match error {
        ValueError::Unknown(name) => closest(
            name,
            described.fields().iter().map(|field| field.name.as_str()),
        ),
        _ => None,
    };
    match meant {
        Some(meant) => Failure::Text(format!("{error}; did you mean {meant}?")),
        None => Failure::text(error),
    }
}
