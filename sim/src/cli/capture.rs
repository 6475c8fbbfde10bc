//! `veschub-sim decode`: what was said in a capture or in a bare stream.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use veschub_transcript::{
    Options, Transcript,
    render::{self, TextOptions},
};

use super::{DecodeArgs, Failure, written};

/// The largest bare stream that is read; a capture has no such limit.
const MAX_RAW: u64 = 1 << 30;

pub(super) fn decode(args: &DecodeArgs) -> Result<(), Failure> {
    let input = open(&args.file)?;
    let name = match args.file.to_str() {
        Some("-") => "standard input".into(),
        _ => args.file.to_string_lossy(),
    };
    let limits = args
        .max_payload
        .map_or_else(Options::default, |limit| Options::both(limit as usize));
    let transcript = match args.raw {
        Some(way) => {
            let mut bytes = Vec::new();
            let read = input.take(MAX_RAW + 1).read_to_end(&mut bytes);
            read.map_err(|error| Failure::Text(format!("{name}: cannot read it: {error}")))?;
            if bytes.len() as u64 > MAX_RAW {
                return Err(Failure::Text(format!("{name}: more than {MAX_RAW} bytes")));
            }
            if bytes.is_empty() {
                return Err(Failure::Text(format!(
                    "{name}: the stream is empty (0 bytes): record again, or check the path"
                )));
            }
            Transcript::from_raw(&bytes, way.into(), limits.limit(way.into()))
        }
        None => Transcript::from_capture(input, &limits)
            .map_err(|error| Failure::Text(format!("{name}: {error}")))?,
    };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let shown = if args.json {
        render::json_lines(&mut stdout, &transcript)
    } else {
        render::text(&mut stdout, &transcript, &text_options(args))
    };
    written(shown.and_then(|()| stdout.flush()))?;
    match &transcript.truncated {
        Some(truncated) => Err(Failure::Text(format!("{name}: {truncated}"))),
        None => Ok(()),
    }
}

fn text_options(args: &DecodeArgs) -> TextOptions {
    let default = TextOptions::default();
    TextOptions {
        fold: !args.unfold,
        preview: default.preview.filter(|_| !args.full),
        ..default
    }
}

pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let fail = |error: io::Error| {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => {
                "no such file: check the path, which starts from the current directory".to_owned()
            }
            _ => format!("cannot open it: {error}"),
        };
        Failure::Text(format!("{}: {advice}", path.display()))
    };
    let file = File::open(path).map_err(fail)?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(Failure::Text(format!(
            "{}: a directory, wanted a file: name a capture in it",
            path.display()
        )));
    }
    Ok(Box::new(BufReader::new(file)))
}
