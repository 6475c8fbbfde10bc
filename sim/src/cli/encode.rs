//! `veschub-sim encode`: a request as a frame.

use std::io::{self, Write};

use veschub_wire::{CommandId, Request, command::usage, encode as frame, view::hex};

use super::{EncodeArgs, Failure, written};
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
