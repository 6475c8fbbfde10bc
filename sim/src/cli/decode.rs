//! `veschub-sim decode`: what was said in a capture or in a bare stream.

use std::{
    borrow::Cow,
    io::{self, BufWriter, Read},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use veschub_transcript::{
    Choice, Connection, Direction, Entry, EntrySink, Kind, Options,
    read::{ReadError, Summary, read_capture, read_raw},
    render::{JsonWriter, Naming, Stats, TextOptions, TextWriter},
};

use veschub_wire::{Nearly, from_hex_text};

use super::{Failure, capture, description, process::say, written};

#[derive(Debug, Args)]
#[command(
    after_help = "Reads pcap and pcapng files and logs of candump, of any length, gzipped or not; memory does not grow\n\
    with the file. It shows the connections whose content is VESC; --port and --connection choose others. Of a CAN\n\
    bus it shows what nodes tell, and the commands that it puts together from fragments.\n\n\
    A line of text is: seconds since the first entry, seconds since the previous entry of the same\n\
    connection, the direction, what it is, for a reply the time since its request, and the fields.\n\
    A reply answers the oldest open request with its command. A request whose reply was lost is\n\
    given up once later replies show it.\n\n\
    If a capture is cut off, everything before the cut is shown and the exit code is 2.\n\
    Passwords and keys are masked, except in the payloads that --json prints.\n\n\
    Examples:\n  \
    veschub-sim decode session.pcapng               what was said; repeats are counted\n  \
    veschub-sim decode --stats session.pcap.gz      how often, how fast, how much\n  \
    veschub-sim decode --unfold --hex --connection 2 session.pcap\n  \
    veschub-sim decode --json session.pcap | jq 'select(.latency > 0.2)'\n  \
    tcpdump -i any -w - tcp port 65101 | veschub-sim decode -\n  \
    echo '02 01 04 40 84 03' | veschub-sim decode --raw to-device --from-hex -"
)]
pub(super) struct DecodeArgs {
    /// A pcap or pcapng file or a log of candump, or with --raw the bytes of a stream; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Print a table: for each command the count, the bytes, the time until the reply and the time between
    /// requests; with --json one object per row
    #[arg(long)]
    stats: bool,
    /// Show the bytes of each entry below it, with their offset in the stream; bytes with secrets are left out
    #[arg(long, conflicts_with_all = ["json", "stats"])]
    hex: bool,
    /// Show all connections to or from this TCP port of a hub or device, VESC or not
    #[arg(long, value_name = "PORT", conflicts_with_all = ["raw", "connection"])]
    port: Option<u16>,
    /// Show the connection with this number, VESC or not; connections are counted from 1 in the order of
    /// their first packets, and `decode` lists the numbers of those that it leaves out
    #[arg(long, value_name = "N", conflicts_with = "raw", value_parser = clap::value_parser!(u32).range(1..))]
    connection: Option<u32>,
    /// FILE holds the bytes of a stream in this direction
    #[arg(long, value_name = "WAY", value_enum)]
    raw: Option<Way>,
    /// With --raw: FILE holds the bytes as pairs of hex digits, the form that they have in reports; blanks, commas, `0x`
    /// and comments behind `#` may be among them
    #[arg(long, requires = "raw")]
    from_hex: bool,
    /// The largest payload in bytes [default: 512 to a device, 10000 to a tool]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=0xFF_FFFF))]
    max_payload: Option<u32>,
    /// Show every exchange instead of counting repeats
    #[arg(long, conflicts_with_all = ["json", "stats"])]
    unfold: bool,
    /// Show the fields of MCCONF and APPCONF by name, as this parameter file of VESC Tool describes them
    /// (`parameters_mcconf.xml` or `parameters_appconf.xml` of the firmware); give it again for each further file
    #[arg(
        long = "config-description",
        value_name = "XML",
        conflicts_with = "stats"
    )]
    descriptions: Vec<PathBuf>,
    /// Show long lists and texts in full
    #[arg(long, conflicts_with_all = ["json", "stats"])]
    full: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    /// From a tool to a device: a login line and requests
    ToDevice,
    /// From a device to a tool: replies
    ToTool,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::ToDevice => Self::ToDevice,
            Way::ToTool => Self::ToTool,
        }
    }
}

/// How a reading ended: all of it told, or why not.
type Ended = Result<(), Failure>;

pub(super) fn decode(args: &DecodeArgs) -> Ended {
    let naming = args.naming()?;
    let input = args.input()?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    match (args.stats, args.json) {
        (true, json) => {
            let mut stats = Stats::default();
            let ended = args.read(input, &mut stats);
            args.close(ended, || match json {
                true => stats.json_lines(&mut stdout),
                false => stats.text(&mut stdout),
            })
        }
        (false, true) => {
            let mut writer = JsonWriter::new(stdout).with_naming(naming);
            let ended = args.read(input, &mut writer);
            args.close(ended, || writer.finish())
        }
        (false, false) => {
            let mut writer = TextWriter::new(stdout, args.text()).with_naming(naming);
            let ended = args.read(input, &mut writer);
            args.close(ended, || writer.finish())
        }
    }
}

/// Passes entries on, and notices bytes that somebody wrote as text.
struct Noticing<'a, S> {
    sink: &'a mut S,
    hex_text: bool,
}

impl<S: EntrySink> EntrySink for Noticing<'_, S> {
    fn connection(&mut self, connection: &Connection) -> io::Result<()> {
        self.sink.connection(connection)
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        if let Kind::Noise(noise) = &entry.kind {
            self.hex_text |= matches!(noise.nearly, Some(Nearly::HexText { .. }));
        }
        self.sink.entry(entry)
    }
}

impl DecodeArgs {
    fn naming(&self) -> Result<Naming, Failure> {
        let descriptions = self.descriptions.iter().map(|path| description::read(path));
        descriptions.collect::<Result<_, _>>().map(Naming::new)
    }

    fn input(&self) -> Result<Box<dyn Read>, Failure> {
        let mut input = capture::open(&self.file)?;
        if !self.from_hex {
            return Ok(input);
        }
        let name = self.name();
        let mut text = String::new();
        input
            .read_to_string(&mut text)
            .map_err(|error| Failure::Text(format!("{name}: cannot read it as text: {error}")))?;
        let bytes =
            from_hex_text(&text).map_err(|error| Failure::Text(format!("{name}: {error}")))?;
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn read(&self, input: impl Read, sink: &mut impl EntrySink) -> Result<Summary, ReadError> {
        let options = self.options();
        let Some(way) = self.raw else {
            return read_capture(input, &options, sink);
        };
        let way = Direction::from(way);
        let mut sink = Noticing {
            sink,
            hex_text: false,
        };
        let bytes = read_raw(input, way, options.limit(way), &mut sink)?;
        if sink.hex_text {
            say(format_args!(
                "{}: looks like hex written as text; `--from-hex` reads it",
                self.name()
            ));
        }
        Ok(Summary {
            bytes,
            ..Summary::default()
        })
    }

    /// Writes what is still to be written, and says what was wrong with the input.
    fn close(
        &self,
        ended: Result<Summary, ReadError>,
        finish: impl FnOnce() -> io::Result<()>,
    ) -> Ended {
        let name = self.name();
        let told = match ended {
            Ok(told) => told,
            Err(ReadError::Sink(error)) => return written(Err(error)),
            Err(error) => return Err(Failure::Text(format!("{name}: {error}"))),
        };
        let missing = match self.options().choice {
            _ if self.raw.is_some() && told.bytes == 0 => {
                Some("the stream is empty (0 bytes): record again, or check the path".to_owned())
            }
            Choice::Port(port) if told.connections == 0 => Some(format!(
                "no TCP connection to or from port {port}; without --port, connections are recognised by their content"
            )),
            Choice::Connection(number) if told.connections == 0 => Some(format!(
                "no TCP connection has the number {number}; without --connection, `decode` shows those with a login or a \
                 frame and lists the numbers of the others"
            )),
            _ => None,
        };
        if let Some(missing) = missing {
            return Err(Failure::Text(format!("{name}: {missing}")));
        }
        written(finish())?;
        match &told.truncated {
            Some(truncated) => Err(Failure::Text(format!("{name}: {truncated}"))),
            None => Ok(()),
        }
    }

    fn name(&self) -> Cow<'_, str> {
        match self.file.to_str() {
            Some("-") => "standard input".into(),
            _ => self.file.to_string_lossy(),
        }
    }

    fn options(&self) -> Options {
        let limits = self
            .max_payload
            .map_or_else(Options::default, |limit| Options::both(limit as usize));
        let choice = match (self.port, self.connection) {
            (Some(port), _) => Choice::Port(port),
            (None, Some(number)) => Choice::Connection(number),
            (None, None) => Choice::ByContent,
        };
        Options { choice, ..limits }
    }

    fn text(&self) -> TextOptions {
        let default = TextOptions::default();
        TextOptions {
            fold: !self.unfold,
            timing: self.raw.is_none(),
            hex: self.hex,
            preview: default.preview.filter(|_| !self.full),
            ..default
        }
    }
}
