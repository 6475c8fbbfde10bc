//! The command line: help, messages, exit codes, and what is on stdout.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command as Process, Stdio},
};

use common::{PATIENCE, Served, ask, frame};

use snapbox::{
    IntoData,
    cmd::{Command, OutputAssert, cargo_bin},
    str,
};
use tempfile::TempDir;
use veschub_transcript::{
    Side::{Initiator, Responder},
    write::{Endpoints, SessionWriter},
};
use veschub_wire::Reply;

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";

fn sim(args: &[&str]) -> Command {
    // Without a terminal, help is as wide as this.
    Command::new(cargo_bin!("veschub-sim"))
        .env("COLUMNS", "100")
        .env_remove("CLICOLOR_FORCE")
        .timeout(PATIENCE)
        .args(args)
}

fn sim_in(folder: &TempDir, args: &[&str]) -> Command {
    sim(args).current_dir(folder.path())
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// A session of a tool that asks who is there and what is on the CAN bus.
fn session(login: Option<&[u8]>) -> Vec<u8> {
    const MS: u64 = 1_000_000;
    let ends = Endpoints::new(
        "192.0.2.10:40000".parse().unwrap(),
        "198.51.100.20:65101".parse().unwrap(),
    );
    let mut session = SessionWriter::new(Vec::new(), ends, 1_700_000_000_000_000_000).unwrap();
    session.open(0).unwrap();
    if let Some(line) = login {
        session.data(100 * MS, Initiator, line).unwrap();
    }
    session.data(150 * MS, Initiator, &frame(&[0])).unwrap();
    session
        .data(300 * MS, Responder, &frame(b"\x00\x06\x05demo\0"))
        .unwrap();
    session.data(400 * MS, Initiator, &frame(&[62])).unwrap();
    session
        .data(500 * MS, Responder, &frame(&[62, 84]))
        .unwrap();
    session.close(600 * MS, Initiator).unwrap();
    session.close(610 * MS, Responder).unwrap();
    session.finish().unwrap()
}

/// Input that cannot be used: exit code 2, nothing on stdout, and these words on stderr.
fn refuses(command: Command, stderr: impl IntoData) -> OutputAssert {
    command.assert().code(2).stdout_eq("").stderr_eq(stderr)
}

mod help {
    use super::*;

    #[test]
    fn of_the_program() {
        sim(&["--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(str![[r#"
A fake VESCHub for testing clients of VESC devices: it plays devices that a YAML file describes, or
the device side of a recorded session.

Usage: veschub-sim <COMMAND>

Commands:
  serve        Serve the devices of a scenario until Ctrl-C
  replay       Serve the device side of a recorded session until Ctrl-C
  device       Play the devices of a scenario at somebody else's hub until Ctrl-C
  record       Record a client's session with a real hub or device into a capture file
  decode       Show the logins, frames and fields in a capture or in raw bytes
  draft        Write a first scenario from a recorded session: it runs unchanged, and you can edit
               it
  scrub        Copy a capture without its logins, keys, names, addresses and dates
  check        Check scenarios without running them, and captures for secrets
  schema       Print the JSON Schema of scenarios, for editors
  encode       Print a request as a frame in hex
  quirks       List the odd behaviours of real hubs and devices, and where each was seen
  faults       List the ways to harm a link, with their parameters
  commands     List every command: which devices have it, and what is decoded, played and judged of
               it
  completions  Print completions for a shell, to be sourced or put where the shell looks for them
  man          Write man pages into a folder
  help         Print this message or the help of the given subcommand(s)

Options:
  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version

A first session, in two terminals:
  veschub-sim serve --demo
  veschub-harness read --hub 127.0.0.1:65101 --id demo-0001 --password not-a-secret

Exit codes: 0 success, 2 the input or the command line is wrong.

"#]]);
    }

    #[test]
    fn of_serve() {
        sim(&["serve", "--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(str![[r#"
Serve the devices of a scenario until Ctrl-C

Usage: veschub-sim serve [OPTIONS] [SCENARIO]
       veschub-sim serve [OPTIONS] --demo
       veschub-sim serve [OPTIONS] --demo-motor

Arguments:
  [SCENARIO]  The scenario, a YAML file; without one, the hub is empty and relays between devices
              and tools that log in

Options:
      --demo                       Serve a built-in device: a 20-cell battery in use
      --demo-motor                 Serve a built-in motor controller without a hub: a motor that
                                   turns, and that clients can drive
      --direct [<DEVICE>]          Serve one device as its own TCP server, without a hub and a
                                   login: the first, or the one with this id; listens at port 65102
                                   by default
      --pty                        Without a hub: serve on a pseudo-terminal, for clients that speak
                                   serial; prints its path
      --discover [<ADDR:PORT>]     Without a hub: announce the device to apps, as an Express does,
                                   with a UDP datagram every second to this address [default:
                                   127.0.0.1:65109]
      --can-log <FILE>             Write what goes over the CAN bus of the first device, or of the
                                   one with --direct: a file that ends in `.log` is text as candump
                                   writes it, one that ends in `.pcap` or `.pcapng` is a capture for
                                   Wireshark; `decode` reads both
      --seed <N>                   The seed of everything that is random; without it, a seed is
                                   drawn and printed
      --time-scale <FACTOR>        How many times as fast as the clock on the wall the time of the
                                   hub and its devices goes: 0.001 to 1000 [default: 1]
      --watch                      Take the scenario anew when one of its files is saved, or at
                                   SIGHUP: its devices and faults are exchanged, and their tools are
                                   disconnected. A file with a mistake changes nothing
      --set <PATH=VALUE>           Replace a value of the scenario, e.g.
                                   devices.0.express.bms.cells=12; can be repeated
      --listen <ADDR>              Address and port to listen on; port 0 picks a free one [default:
                                   127.0.0.1:65101]
      --max-connections <N>        The most connections at a time; further ones are closed at once
                                   [default: as many as the system allows this process]
      --control <ADDR>             Serve the control API and its page over HTTP at this address and
                                   port: watch and steer the hub while it runs; port 0 picks a free
                                   one
      --control-token-file <FILE>  Let only those use the control API who know the token in this
                                   file, or in VESCHUB_CONTROL_TOKEN; needed unless it listens at a
                                   loopback address
      --tui                        Show the hub in this terminal while it runs, and steer it with
                                   keys: its devices, the wire, faults and quirks; what would go to
                                   stderr is shown there
      --save <FILE>                Save all traffic as a pcapng file, which Wireshark and `decode`
                                   can read
      --journal <FILE>             Write each event as it happens, one JSON object per line, each
                                   reply with the values that the device held; `-` writes to stdout,
                                   after the line that says where the hub listens
      --keep-credentials           Save passwords and keys unmasked: in login lines, in configs, and
                                   in the first line and the payloads of a journal
      --force                      Overwrite files that exist
      --until-stdin-ends           Also stop when stdin is closed, so that the hub ends together
                                   with the program that started it
  -v, --verbose                    Show every request and reply on stderr, not only who comes and
                                   goes
  -q, --quiet                      Show nothing on stderr but errors
  -h, --help                       Print help

Prints `listening on ADDR:PORT` on stdout when it is ready, and nothing else; with --pty it is
`listening on PATH`, a terminal that clients can open and close at any time. With --control
a second line says `control on http://ADDR:PORT/`, and with --journal - the journal follows.
With --tui both are in the terminal before the page, and in the page: q ends it, ? lists its keys.
Without a scenario it serves an empty hub: devices log in with `VESC:ID:PASSWORD`, tools with
`VESCTOOL:ID:PASSWORD`, and the hub passes their bytes on unchanged.
The demo's device has the id demo-0001 and the password not-a-secret.
A scenario whose only device has neither id nor password is served as with --direct.

"#]]);
    }

    #[test]
    fn of_replay() {
        sim(&["replay", "--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(str![[r#"
Serve the device side of a recorded session until Ctrl-C

Usage: veschub-sim replay [OPTIONS] <CAPTURE>...

Arguments:
  <CAPTURE>...
          The recorded sessions, pcap or pcapng files

Options:
      --direct
          Serve the device as its own TCP server, without a hub and a login; listens at port 65102
          by default

      --id <ID>
          The id that tools log in with; with several devices, give it once for each, in their order

      --password <PASSWORD>
          The password that tools log in with

      --pace <PACE>
          When replies are sent

          Possible values:
          - recorded:  As long after the request as in the recording
          - immediate: At once
          
          [default: recorded]

      --speed <FACTOR>
          Play faster or slower than recorded by this factor, e.g. 2 or 0.5

      --order <ORDER>
          Which requests are answered

          Possible values:
          - by-request: Every request that was recorded, in any order
          - strict:     Only the request that came next in the recording
          
          [default: by-request]

      --at-end <WHAT>
          The reply when a request comes more often than in the recording

          Possible values:
          - hold:   The last reply again
          - wrap:   The recorded replies again, from the first
          - silent: Nothing
          
          [default: hold]

      --unknown <WHAT>
          How requests that were not recorded are handled

          Possible values:
          - silent:    They get no reply
          - synthetic: A synthetic device of the same kind and firmware answers them, with the
            values recorded last
          
          [default: silent]

      --listen <ADDR>
          Address and port to listen on; port 0 picks a free one [default: 127.0.0.1:65101]

      --max-connections <N>
          The most connections at a time; further ones are closed at once [default: as many as the
          system allows this process]

      --control <ADDR>
          Serve the control API and its page over HTTP at this address and port: watch and steer the
          hub while it runs; port 0 picks a free one

      --control-token-file <FILE>
          Let only those use the control API who know the token in this file, or in
          VESCHUB_CONTROL_TOKEN; needed unless it listens at a loopback address

      --tui
          Show the hub in this terminal while it runs, and steer it with keys: its devices, the
          wire, faults and quirks; what would go to stderr is shown there

      --save <FILE>
          Save all traffic as a pcapng file, which Wireshark and `decode` can read

      --journal <FILE>
          Write each event as it happens, one JSON object per line, each reply with the values that
          the device held; `-` writes to stdout, after the line that says where the hub listens

      --keep-credentials
          Save passwords and keys unmasked: in login lines, in configs, and in the first line and
          the payloads of a journal

      --force
          Overwrite files that exist

      --until-stdin-ends
          Also stop when stdin is closed, so that the hub ends together with the program that
          started it

  -v, --verbose
          Show every request and reply on stderr, not only who comes and goes

  -q, --quiet
          Show nothing on stderr but errors

  -h, --help
          Print help (see a summary with '-h')

Tools log in with the recorded id and password, unless --id or --password say otherwise. The hub has
every device that received a request in one of the captures.
A request matches a recorded one if the whole payload is equal. When a client sends it for the
k-th time in a session, the device sends the k-th recorded reply. Replies that nobody asked for
come as long after the login as in the recording.
Prints `listening on ADDR:PORT` on stdout when it is ready, and nothing else.

"#]]);
    }

    #[test]
    fn of_decode() {
        sim(&["decode", "--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(str![[r#"
Show the logins, frames and fields in a capture or in raw bytes

Usage: veschub-sim decode [OPTIONS] <FILE>

Arguments:
  <FILE>
          A pcap or pcapng file or a log of candump, or with --raw the bytes of a stream; `-` reads
          stdin

Options:
      --json
          Print one JSON object per line

      --stats
          Print a table: for each command the count, the bytes, the time until the reply and the
          time between requests; with --json one object per row

      --hex
          Show the bytes of each entry below it, with their offset in the stream; bytes with secrets
          are left out

      --port <PORT>
          Show all connections to or from this TCP port of a hub or device, VESC or not

      --connection <N>
          Show the connection with this number, VESC or not; connections are counted from 1 in the
          order of their first packets, and `decode` lists the numbers of those that it leaves out

      --raw <WAY>
          FILE holds the bytes of a stream in this direction

          Possible values:
          - to-device: From a tool to a device: a login line and requests
          - to-tool:   From a device to a tool: replies

      --from-hex
          With --raw: FILE holds the bytes as pairs of hex digits, the form that they have in
          reports; blanks, commas, `0x` and comments behind `#` may be among them

      --max-payload <N>
          The largest payload in bytes [default: 512 to a device, 10000 to a tool]

      --unfold
          Show every exchange instead of counting repeats

      --config-description <XML>
          Show the fields of MCCONF and APPCONF by name, as this parameter file of VESC Tool
          describes them (`parameters_mcconf.xml` or `parameters_appconf.xml` of the firmware); give
          it again for each further file

      --full
          Show long lists and texts in full

  -h, --help
          Print help (see a summary with '-h')

Reads pcap and pcapng files and logs of candump, of any length, gzipped or not; memory does not grow
with the file. It shows the connections whose content is VESC; --port and --connection choose
others. Of a CAN
bus it shows what nodes tell, and the commands that it puts together from fragments.

A line of text is: seconds since the first entry, seconds since the previous entry of the same
connection, the direction, what it is, for a reply the time since its request, and the fields.
A reply answers the oldest open request with its command. A request whose reply was lost is
given up once later replies show it.

If a capture is cut off, everything before the cut is shown and the exit code is 2.
Passwords and keys are masked, except in the payloads that --json prints.

Examples:
  veschub-sim decode session.pcapng               what was said; repeats are counted
  veschub-sim decode --stats session.pcap.gz      how often, how fast, how much
  veschub-sim decode --unfold --hex --connection 2 session.pcap
  veschub-sim decode --json session.pcap | jq 'select(.latency > 0.2)'
  tcpdump -i any -w - tcp port 65101 | veschub-sim decode -
  echo '02 01 04 40 84 03' | veschub-sim decode --raw to-device --from-hex -

"#]]);
    }

    #[test]
    fn of_check() {
        sim(&["check", "--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(str![[r#"
Check scenarios without running them, and captures for secrets

Usage: veschub-sim check [OPTIONS] <SCENARIO>...
       veschub-sim check --explain <CODE>

Arguments:
  [SCENARIO]...  The scenarios, YAML files, and captures, whose names end in .pcap or .pcapng

Options:
      --strict            Treat warnings as mistakes
      --json              Print one JSON object per finding, and nothing else
      --explain <CODE>    Explain a code
      --set <PATH=VALUE>  Replace a value of the scenario, e.g. devices.0.express.bms.cells=12; can
                          be repeated
  -h, --help              Print help

A scenario with mistakes (codes that start with E) exits with 2; one with warnings (W) only does
with
--strict. Codes never change their meaning.
A capture that was not scrubbed gives a warning, so this command refuses one:
  veschub-sim check --strict captures/*.pcap*

"#]]);
    }

    #[test]
    fn of_encode() {
        // Raw, because a backslash is no path here.
        sim(&["encode", "--help"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(
                str![[r#"
Print a request as a frame in hex

Usage: veschub-sim encode [OPTIONS] <COMMAND> [ARGS]...
       veschub-sim encode --list

Arguments:
  [COMMAND]  The command: a name such as BMS_GET_VALUES, or a number
  [ARGS]...  The command's arguments; `--list` shows them

Options:
      --config-description <XML>  With SET_MCCONF, SET_APPCONF or SET_APPCONF_NO_STORE: the
                                  arguments are NAME=VALUE, and this parameter file of VESC Tool
                                  describes the fields; one that is not named has its default
      --binary                    Write the bytes themselves instead of hex
      --list                      List all commands with their arguments
  -h, --help                      Print help

Examples:
  veschub-sim encode BMS_GET_VALUES
  veschub-sim encode FORWARD_CAN 84 GET_VALUES
  veschub-sim encode --config-description parameters_mcconf.xml SET_MCCONF l_current_max=60
  veschub-sim encode --list

A request by hand, to a hub that runs `serve --demo` (wait after the login line: a hub throws
away what arrives together with it):
  (printf 'VESCTOOL:demo-0001:not-a-secret\n'; sleep 1
   veschub-sim encode --binary BMS_GET_VALUES; sleep 1) | nc 127.0.0.1 65101 \
   | veschub-sim decode --raw to-tool -

"#]]
                .raw(),
            );
    }

    #[test]
    fn is_shown_where_no_command_is_named() {
        let shown = sim(&[]).assert().code(2).stdout_eq("");
        let text = String::from_utf8_lossy(&shown.get_output().stderr).into_owned();
        assert!(text.contains("Usage: veschub-sim <COMMAND>"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_a_hundred_characters() {
        for command in [
            &["--help"][..],
            &["serve", "--help"],
            &["replay", "--help"],
            &["decode", "--help"],
            &["encode", "--help"],
        ] {
            let output = sim(command).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(
                text.lines().all(|line| line.chars().count() <= 100),
                "{text}"
            );
        }
    }

    #[test]
    fn the_version_is_one_line() {
        let version = concat!("veschub-sim ", env!("CARGO_PKG_VERSION"), "\n");
        sim(&["--version"])
            .assert()
            .success()
            .stderr_eq("")
            .stdout_eq(version);
    }
}

mod a_bad_command_line {
    use super::*;

    #[test]
    fn names_an_unknown_command() {
        refuses(
            sim(&["frobnicate"]),
            str![[r#"
error: unrecognized subcommand 'frobnicate'

Usage: veschub-sim <COMMAND>

For more information, try '--help'.

"#]],
        );
    }

    #[test]
    fn serves_the_demo_or_a_scenario_not_both() {
        refuses(
            sim(&["serve", "--demo", "a.yaml"]),
            str![[r#"
error: the argument '--demo' cannot be used with '[SCENARIO]'

Usage: veschub-sim serve [OPTIONS] [SCENARIO]
       veschub-sim serve [OPTIONS] --demo
       veschub-sim serve [OPTIONS] --demo-motor

For more information, try '--help'.

"#]],
        );
    }

    #[test]
    fn listens_at_an_address_with_a_port() {
        refuses(
            sim(&["serve", "--demo", "--listen", "localhost"]),
            str![[r#"
error: invalid value 'localhost' for '--listen <ADDR>': wanted an IP address and a port, e.g. 127.0.0.1:65101 or [::1]:0

For more information, try '--help'.

"#]],
        );
    }

    #[test]
    fn has_a_seed_that_is_a_number() {
        refuses(
            sim(&["serve", "--demo", "--seed", "lucky"]),
            str![[r#"
error: invalid value 'lucky' for '--seed <N>': wanted a whole number from 0 to 18446744073709551615

For more information, try '--help'.

"#]],
        );
    }

    #[test]
    fn decodes_payloads_of_at_least_a_byte() {
        refuses(
            sim(&["decode", "--max-payload", "0", "a.pcap"]),
            str![[r#"
error: invalid value '0' for '--max-payload <N>': 0 is not in 1..=16777215

For more information, try '--help'.

"#]],
        );
        let most = sim(&["decode", "--max-payload", "16777216", "a.pcap"])
            .assert()
            .code(2)
            .stdout_eq("");
        let text = String::from_utf8_lossy(&most.get_output().stderr).into_owned();
        assert!(text.contains("16777216 is not in 1..=16777215"), "{text}");
    }

    #[test]
    fn decodes_a_stream_that_goes_one_of_two_ways() {
        refuses(
            sim(&["decode", "--raw", "sideways", "a.bin"]),
            str![[r#"
error: invalid value 'sideways' for '--raw <WAY>'
  [possible values: to-device, to-tool]

For more information, try '--help'.

"#]],
        );
    }

    #[test]
    fn replays_under_an_id_that_a_tool_can_log_in_with() {
        let folder = folder(&[("session.pcapng", &session(Some(LOGIN)))]);
        refuses(
            sim_in(&folder, &["replay", "session.pcapng", "--id", " a b "]),
            str![[r#"
error: --id: the id ` a b ` has fewer than 3 characters; hubs refuse shorter ids; blanks do not count

"#]],
        );
        refuses(
            sim_in(&folder, &["replay", "session.pcapng", "--id", "demo:0001"]),
            str![[r#"
error: --id: the id holds a colon, a line feed or a NUL; a hub cuts the login line at every colon: such a login can never succeed

"#]],
        );
    }

    #[test]
    fn does_not_repeat_a_password() {
        let folder = folder(&[("session.pcapng", &session(Some(LOGIN)))]);
        refuses(
            sim_in(
                &folder,
                &["replay", "session.pcapng", "--password", "not:a:secret"],
            ),
            str![[r#"
error: --password: the password holds a colon, a line feed or a NUL; a hub cuts the login line at every colon: such a login can never succeed

"#]],
        );
    }
}

mod decode {
    use super::*;

    #[test]
    fn shows_what_was_said() {
        let folder = folder(&[("session.pcapng", &session(Some(LOGIN)))]);
        let shown = sim_in(&folder, &["decode", "session.pcapng"]).assert();
        shown.success().stderr_eq("").stdout_eq(str![[r#"
  0.000                     opened                 192.0.2.10:40000 -> 198.51.100.20:65101
  0.100           > device  login                  type="VESCTOOL" id="DEMO-0001" password=***
  0.150   +0.050  > device  FW_VERSION
  0.300   +0.150  < tool    FW_VERSION   150.0 ms  firmware="6.05" hardware="demo"
  0.400   +0.100  > device  PING_CAN
  0.500   +0.100  < tool    PING_CAN     100.0 ms  can_ids=[84]
  0.600           > device  closed                 fin
  0.610           < tool    closed                 fin
1 login, 4 frames, 0 noise bytes; to device: FW_VERSION 1, PING_CAN 1; to tool: FW_VERSION 1, PING_CAN 1

"#]]);
    }

    #[test]
    fn prints_an_object_a_line() {
        let folder = folder(&[("session.pcapng", &session(Some(LOGIN)))]);
        let shown = sim_in(&folder, &["decode", "--json", "session.pcapng"]).assert();
        shown.success().stderr_eq("").stdout_eq(str![[r#"
{"at":0.0,"kind":"opened","fields":{"from":"192.0.2.10:40000","to":"198.51.100.20:65101"},"connection":1}
{"at":0.1,"direction":"to-device","offset":0,"kind":"login","fields":{"type":"VESCTOOL","id":"DEMO-0001","password":"***"},"connection":1}
{"at":0.15,"direction":"to-device","offset":32,"kind":"frame","command":"FW_VERSION","payload":"00","fields":{},"connection":1,"gap":0.05}
{"at":0.3,"direction":"to-tool","offset":0,"kind":"frame","command":"FW_VERSION","payload":"00060564656d6f00","fields":{"firmware":"6.05","hardware":"demo"},"connection":1,"gap":0.15,"latency":0.15}
{"at":0.4,"direction":"to-device","offset":38,"kind":"frame","command":"PING_CAN","payload":"3e","fields":{},"connection":1,"gap":0.1}
{"at":0.5,"direction":"to-tool","offset":13,"kind":"frame","command":"PING_CAN","payload":"3e54","fields":{"can_ids":[84]},"connection":1,"gap":0.1,"latency":0.1}
{"at":0.6,"direction":"to-device","offset":44,"kind":"closed","fields":{"how":"fin"},"connection":1}
{"at":0.61,"direction":"to-tool","offset":20,"kind":"closed","fields":{"how":"fin"},"connection":1}

"#]]);
    }

    #[test]
    fn reads_a_bare_stream_to_a_device() {
        let stream = [
            LOGIN,
            &frame(&[0]),
            b"\r\n",
            &frame(&[34, 84, 0]),
            &[2, 5, 96],
        ]
        .concat();
        let folder = folder(&[("stream.bin", &stream)]);
        let shown = sim_in(
            &folder,
            &["decode", "--json", "--raw", "to-device", "stream.bin"],
        )
        .assert();
        shown.success().stderr_eq("").stdout_eq(str![[r#"
{"at":null,"direction":"to-device","offset":0,"kind":"login","fields":{"type":"VESCTOOL","id":"DEMO-0001","password":"***"}}
{"at":null,"direction":"to-device","offset":32,"kind":"frame","command":"FW_VERSION","payload":"00","fields":{}}
{"at":null,"direction":"to-device","offset":38,"kind":"noise","payload":"0d0a"}
{"at":null,"direction":"to-device","offset":40,"kind":"frame","command":"FORWARD_CAN","payload":"225400","fields":{"can_id":84,"command":"FW_VERSION"}}
{"at":null,"direction":"to-device","offset":48,"kind":"noise","payload":"020560","fields":{"nearly":"never-ended","why":"a frame that never ended: 3 of 10 bytes","unfinished":3}}

"#]]);
    }

    #[test]
    fn reads_a_bare_stream_to_a_tool_from_stdin_without_looking_for_a_login_line() {
        let stream = [LOGIN, &frame(&[62, 62, 84]), b"x"].concat();
        let shown = sim(&["decode", "--json", "--raw", "to-tool", "-"])
            .stdin(stream)
            .assert();
        shown.success().stderr_eq("").stdout_eq(str![[r#"
{"at":null,"direction":"to-tool","offset":0,"kind":"noise","payload":"56455343544f4f4c3a64656d6f2d303030313a6e6f742d612d7365637265740a","fields":{"nearly":"login","why":"a login line in the middle of a session, where no hub reads it"}}
{"at":null,"direction":"to-tool","offset":32,"kind":"frame","command":"PING_CAN","payload":"3e3e54","fields":{"can_ids":[62,84]}}
{"at":null,"direction":"to-tool","offset":40,"kind":"noise","payload":"78"}

"#]]);
    }

    #[test]
    fn reads_a_capture_from_stdin() {
        let shown = sim(&["decode", "-"])
            .stdin(session(Some(LOGIN)))
            .assert()
            .success();
        let text = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
        assert!(
            text.ends_with("PING_CAN 1\n") && text.contains("1 login, 4 frames"),
            "{text}"
        );
    }

    #[test]
    fn every_line_of_json_has_a_kind_and_a_time_or_null() {
        for (args, input) in [
            (&["decode", "--json", "-"][..], session(Some(LOGIN))),
            (&["decode", "--json", "-"], session(None)[..700].to_vec()),
            (
                &["decode", "--json", "--raw", "to-device", "-"],
                [LOGIN, &[0; 2000]].concat(),
            ),
            (
                &["decode", "--json", "--raw", "to-device", "-"],
                b"VESCTOOL:x\n".to_vec(),
            ),
            (
                &["decode", "--json", "--raw", "to-tool", "-"],
                vec![2; 3000],
            ),
        ] {
            let output = sim(args).stdin(input).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.is_empty());
            for line in text.lines() {
                let object: serde_json::Value = serde_json::from_str(line).unwrap();
                assert!(object["kind"].is_string(), "{line}");
                assert!(object["at"].is_number() || object["at"].is_null(), "{line}");
                assert!(object.get("at").is_some(), "{line}");
                let payload = object["payload"].as_str().unwrap_or_default();
                assert!(
                    payload
                        .chars()
                        .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn limits_payloads_as_it_is_told() {
        let stream = frame(&[21; 600]);
        let kinds = |args: &[&str]| {
            let output = sim(args).stdin(stream.clone()).output().unwrap();
            String::from_utf8(output.stdout)
                .unwrap()
                .matches(r#""kind":"frame""#)
                .count()
        };
        assert_eq!(
            kinds(&["decode", "--json", "--raw", "to-device", "-"]),
            0,
            "512 to a device"
        );
        assert_eq!(
            kinds(&["decode", "--json", "--raw", "to-tool", "-"]),
            1,
            "10000 to a tool"
        );
        assert_eq!(
            kinds(&[
                "decode",
                "--json",
                "--raw",
                "to-device",
                "-",
                "--max-payload",
                "600"
            ]),
            1
        );
        assert_eq!(
            kinds(&[
                "decode",
                "--json",
                "--raw",
                "to-tool",
                "-",
                "--max-payload",
                "599"
            ]),
            0
        );
    }

    #[test]
    fn never_prints_a_password() {
        for args in [&["decode", "-"][..], &["decode", "--json", "-"]] {
            let output = sim(args).stdin(session(Some(LOGIN))).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_missing_file() {
        refuses(
            sim_in(&folder(&[]), &["decode", "none.pcap"]),
            str![[r#"
error: none.pcap: no such file: check the path; a relative path starts at the current directory

"#]],
        );
    }

    #[test]
    fn an_empty_file() {
        let folder = folder(&[("empty.pcap", b"")]);
        refuses(
            sim_in(&folder, &["decode", "empty.pcap"]),
            str![[r#"
error: empty.pcap: the capture is empty (0 bytes): record again, or check the path

"#]],
        );
        refuses(
            sim_in(&folder, &["decode", "--raw", "to-tool", "empty.pcap"]),
            str![[r#"
error: empty.pcap: the stream is empty (0 bytes): record again, or check the path

"#]],
        );
        refuses(
            sim(&["decode", "--raw", "to-tool", "-"]).stdin(""),
            str![[r#"
error: standard input: the stream is empty (0 bytes): record again, or check the path

"#]],
        );
    }

    #[test]
    fn a_directory() {
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("captures")).unwrap();
        refuses(
            sim_in(&folder, &["decode", "captures"]),
            str![[r#"
error: captures is a directory: name a capture in it

"#]],
        );
    }

    #[test]
    fn a_text_file_as_capture() {
        let folder = folder(&[("notes.pcap", b"The scooter was parked.\n")]);
        refuses(
            sim_in(&folder, &["decode", "notes.pcap"]),
            str![[r#"
error: notes.pcap: not a capture: the file starts with the text "The scoo"…, wanted pcap, pcapng or a log of candump; a bare byte stream is read with `--raw to-device` or `--raw to-tool`

"#]],
        );
    }

    #[test]
    fn a_capture_that_ends_too_early_is_shown_as_far_as_it_goes() {
        let whole = session(Some(LOGIN));
        let folder = folder(&[("cut.pcapng", &whole[..whole.len() - 250])]);
        let shown = sim_in(&folder, &["decode", "cut.pcapng"]).assert().code(2);
        shown.stdout_eq(str![[r#"
  0.000                     opened                 192.0.2.10:40000 -> 198.51.100.20:65101
  0.100           > device  login                  type="VESCTOOL" id="DEMO-0001" password=***
  0.150   +0.050  > device  FW_VERSION
  0.300   +0.150  < tool    FW_VERSION   150.0 ms  firmware="6.05" hardware="demo"
  0.400   +0.100  > device  PING_CAN
      -           !         the capture is readable only up to file offset 758, after packet 7: it ends within a block
1 login, 3 frames, 0 noise bytes; to device: FW_VERSION 1, PING_CAN 1; to tool: FW_VERSION 1

"#]]).stderr_eq(str![[r#"
error: cut.pcapng: the capture is readable only up to file offset 758, after packet 7: it ends within a block

"#]]);
        let shown = sim_in(&folder, &["decode", "--json", "cut.pcapng"])
            .assert()
            .code(2);
        shown.stdout_eq(str![[r#"
{"at":0.0,"kind":"opened","fields":{"from":"192.0.2.10:40000","to":"198.51.100.20:65101"},"connection":1}
{"at":0.1,"direction":"to-device","offset":0,"kind":"login","fields":{"type":"VESCTOOL","id":"DEMO-0001","password":"***"},"connection":1}
{"at":0.15,"direction":"to-device","offset":32,"kind":"frame","command":"FW_VERSION","payload":"00","fields":{},"connection":1,"gap":0.05}
{"at":0.3,"direction":"to-tool","offset":0,"kind":"frame","command":"FW_VERSION","payload":"00060564656d6f00","fields":{"firmware":"6.05","hardware":"demo"},"connection":1,"gap":0.15,"latency":0.15}
{"at":0.4,"direction":"to-device","offset":38,"kind":"frame","command":"PING_CAN","payload":"3e","fields":{},"connection":1,"gap":0.1}
{"at":null,"kind":"notice","text":"the capture is readable only up to file offset 758, after packet 7: it ends within a block"}

"#]]).stderr_eq(str![[r#"
error: cut.pcapng: the capture is readable only up to file offset 758, after packet 7: it ends within a block

"#]]);
    }

    #[test]
    fn a_capture_cut_anywhere_is_no_crash() {
        let whole = session(Some(LOGIN));
        for length in (1..whole.len()).step_by(61) {
            let output = sim(&["decode", "--json", "-"])
                .stdin(whole[..length].to_vec())
                .output()
                .unwrap();
            let code = output.status.code();
            assert!(
                code == Some(2) || code == Some(0),
                "{code:?} of {length} bytes"
            );
            assert_eq!(
                code == Some(2),
                output.stderr.starts_with(b"error: standard input: ")
            );
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let folder = folder(&[("stream.bin", &frame(&[0]).repeat(20_000))]);
        let mut child = Process::new(cargo_bin!("veschub-sim"))
            .args(["decode", "--json", "--raw", "to-device", "stream.bin"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        assert!(first.contains("FW_VERSION"), "{first}");
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    }
}

mod encode_command {
    use super::*;

    #[test]
    fn gives_the_published_frames() {
        for (words, hex) in [
            ("FW_VERSION", "020100000003"),
            ("GET_VALUES", "020104408403"),
            ("REBOOT", "02011dc39c03"),
            ("ALIVE", "02011ef3ff03"),
            ("GET_VALUES_SETUP", "02012fd58d03"),
            ("PING_CAN", "02013ed79d03"),
            ("BMS_GET_VALUES", "0201606ca603"),
            ("GET_CUSTOM_CONFIG 0", "02025d0078e303"),
            ("GET_CUSTOM_CONFIG_DEFAULT 0", "02025e002db003"),
            (
                "GET_CUSTOM_CONFIG_XML 0 10 0",
                "020a5c000000000a00000000475c03",
            ),
            ("FORWARD_CAN 84 FW_VERSION", "02032254002add03"),
            ("FORWARD_CAN 84 BMS_GET_VALUES", "0203225460467b03"),
            ("BMS_SET_CHARGE_ALLOWED 1", "02026101283a03"),
            ("BMS_SET_BALANCE_OVERRIDE 3 1", "0203620301b07903"),
            ("BMS_RESET_COUNTERS 1 0", "0203630100f10a03"),
            ("BMS_FORCE_BALANCE 1", "02026401d7cf03"),
            ("BMS_ZERO_CURRENT_OFFSET", "0201653c0303"),
            ("bms-get-values", "0201606ca603"),
            ("96", "0201606ca603"),
            ("0x60", "0201606ca603"),
        ] {
            let args: Vec<&str> = ["encode"].into_iter().chain(words.split(' ')).collect();
            sim(&args)
                .assert()
                .success()
                .stderr_eq("")
                .stdout_eq(format!("{hex}\n"));
        }
    }

    #[test]
    fn writes_the_bytes_themselves() {
        let output = sim(&["encode", "--binary", "BMS_GET_VALUES"])
            .output()
            .unwrap();
        assert_eq!(output.stdout, [2, 1, 0x60, 0x6C, 0xA6, 3]);
    }

    #[test]
    fn lists_every_command_with_what_it_needs() {
        let shown = sim(&["encode", "--list"]).assert().success().stderr_eq("");
        let text = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 160);
        assert_eq!(lines[0], "  0  FW_VERSION");
        assert_eq!(lines[34], " 34  FORWARD_CAN CAN_ID COMMAND [ARGS...]");
        assert_eq!(lines[159], "159  MOTOR_ESTOP TIME_MS");
    }

    #[test]
    fn asks_whether_another_command_was_meant() {
        refuses(
            sim(&["encode", "BMS_GET_VALUE"]),
            str![[r#"
error: no command is called `BMS_GET_VALUE`; wanted a name such as BMS_GET_VALUES or a number from 0 to 255; did you mean BMS_GET_VALUES?

"#]],
        );
        refuses(
            sim(&["encode", "make-coffee"]),
            str![[r#"
error: no command is called `make-coffee`; wanted a name such as BMS_GET_VALUES or a number from 0 to 255; `veschub-sim encode --list` shows all names

"#]],
        );
        refuses(
            sim(&["encode", "256"]),
            str![[r#"
error: no command is called `256`; wanted a name such as BMS_GET_VALUES or a number from 0 to 255; `veschub-sim encode --list` shows all names

"#]],
        );
    }

    #[test]
    fn says_which_argument_is_wrong() {
        refuses(
            sim(&["encode", "FORWARD_CAN", "84"]),
            str![[r#"
error: FORWARD_CAN: `command` is missing, wanted the name or number of a command; usage: FORWARD_CAN CAN_ID COMMAND [ARGS...]

"#]],
        );
        refuses(
            sim(&["encode", "FORWARD_CAN", "256", "FW_VERSION"]),
            str![[r#"
error: FORWARD_CAN: `can_id` is `256`, wanted a whole number from 0 to 255; usage: FORWARD_CAN CAN_ID COMMAND [ARGS...]

"#]],
        );
        refuses(
            sim(&["encode", "FW_VERSION", "1"]),
            str![[r#"
error: FW_VERSION: `1` is one argument too many; it takes none

"#]],
        );
        refuses(
            sim(&["encode", "200", "abc"]),
            str![[r#"
error: 0xc8: `hex` is `abc`, wanted bytes as pairs of hex digits; usage: 0xc8 [HEX...]

"#]],
        );
    }

    #[test]
    fn wants_a_command() {
        refuses(
            sim(&["encode"]),
            str![[r#"
error: the following required arguments were not provided:
  <COMMAND>

Usage: veschub-sim encode [OPTIONS] <COMMAND> [ARGS]...
       veschub-sim encode --list

For more information, try '--help'.

"#]],
        );
    }
}

mod check {
    use super::*;

    const GOOD: &[u8] =
        b"version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret }\n";

    fn checked(scenario: &str, stderr: impl IntoData) {
        let folder = folder(&[("bad.yaml", scenario.as_bytes())]);
        refuses(sim_in(&folder, &["check", "bad.yaml"]), stderr);
    }

    #[test]
    fn says_ok_to_each_good_scenario() {
        let folder = folder(&[("a.yaml", GOOD), ("b.yaml", GOOD)]);
        let shown = sim_in(&folder, &["check", "a.yaml", "b.yaml"]).assert();
        shown
            .success()
            .stderr_eq("")
            .stdout_eq("a.yaml: ok\nb.yaml: ok\n");
    }

    #[test]
    fn goes_on_after_a_bad_one() {
        let folder = folder(&[("a.yaml", b"version: 2\ndevices: []\n"), ("b.yaml", GOOD)]);
        let shown = sim_in(&folder, &["check", "a.yaml", "none.yaml", "b.yaml"]).assert();
        shown.code(2).stdout_eq("b.yaml: ok\n").stderr_eq(str![[r#"
error[E010]: version 2 of the language is not known
 --> a.yaml:1:10
  |
1 | version: 2
  |          ^
  |
  = help: this program reads version 1
error[E001]: no such file
--> none.yaml
 = help: check the path, which starts from the current directory

"#]]);
    }

    #[test]
    fn a_typo_in_a_key() {
        checked(
            "version: 1\ndevices:\n  - express: { id: demo-0001, pasword: not-a-secret }\n",
            str![[r#"
error[E003]: unknown key `pasword` in `express`
 --> bad.yaml:3:31
  |
3 |   - express: { id: demo-0001, pasword: not-a-secret }
  |                               ^^^^^^^ not a key of `express`
  |
  = help: did you mean `password`?
  = help: keys of `express`: `id`, `password`, `count`, `firmware`, `hardware`, `can_id`, `custom_configs`, `reply_after`, `link`, `bms`, `bus`, `can`, `files`, `lisp`, `qml`, `app`, `io_boards`, `gnss`, `replies`, `terminal`, `prints`

"#]],
        );
    }

    #[test]
    fn two_devices_with_one_id() {
        checked(
            "version: 1\ndevices:\n  - express: { id: demo-0001, password: a }\n  - express: { id: Demo - 0001, password: b }\n",
            str![[r#"
error[E010]: two devices have the id `DEMO-0001`
 --> bad.yaml:4:20
  |
3 |   - express: { id: demo-0001, password: a }
  |                    --------- the first one
4 |   - express: { id: Demo - 0001, password: b }
  |                    ^^^^^^^^^^^ the second one
  |
  = help: give each device an id of its own; hubs ignore case and blanks in ids

"#]],
        );
    }

    #[test]
    fn fifty_one_cells() {
        checked(
            "version: 1\ndevices:\n  - express: { id: demo-0001, password: a, bms: { cells: 51 } }\n",
            str![[r#"
error[E010]: 51 cells are too many: firmware holds up to 50
 --> bad.yaml:3:58
  |
3 |   - express: { id: demo-0001, password: a, bms: { cells: 51 } }
  |                                                          ^^

"#]],
        );
    }

    #[test]
    fn an_unknown_quirk() {
        checked(
            "version: 1\ndevices:\n  - express: { id: demo-0001, password: a }\nquirks:\n  - sesion-reset: { max_gap: 250ms }\n",
            str![[r#"
error[E004]: unknown name `sesion-reset` in `quirks`
 --> bad.yaml:5:5
  |
5 |   - sesion-reset: { max_gap: 250ms }
  |     ^^^^^^^^^^^^ not a name that is known here
  |
  = help: did you mean `session-reset`?
  = help: known here: `session-reset`, `needs-setup`, `stale-reply`, `config-goes-elsewhere`, `reconnect-reset`

"#]],
        );
    }

    #[test]
    fn all_mistakes_are_told_to_people_and_to_programs() {
        let text = "version: 1\ndevices:\n  - express: { id: demo-0001, pasword: a }\nquirks:\n  - sesion-reset: {}\n";
        checked(
            text,
            str![[r#"
error[E003]: unknown key `pasword` in `express`
 --> bad.yaml:3:31
  |
3 |   - express: { id: demo-0001, pasword: a }
  |                               ^^^^^^^ not a key of `express`
  |
  = help: did you mean `password`?
  = help: keys of `express`: `id`, `password`, `count`, `firmware`, `hardware`, `can_id`, `custom_configs`, `reply_after`, `link`, `bms`, `bus`, `can`, `files`, `lisp`, `qml`, `app`, `io_boards`, `gnss`, `replies`, `terminal`, `prints`

error[E004]: unknown name `sesion-reset` in `quirks`
 --> bad.yaml:5:5
  |
5 |   - sesion-reset: {}
  |     ^^^^^^^^^^^^ not a name that is known here
  |
  = help: did you mean `session-reset`?
  = help: known here: `session-reset`, `needs-setup`, `stale-reply`, `config-goes-elsewhere`, `reconnect-reset`

"#]],
        );
        let folder = folder(&[("bad.yaml", text.as_bytes())]);
        let shown = sim_in(&folder, &["check", "--json", "bad.yaml"]).assert();
        shown.code(2).stderr_eq("").stdout_eq(str![[r#"
{"file":"bad.yaml","line":3,"column":31,"code":"E003","level":"error","message":"unknown key `pasword` in `express`","helps":["did you mean `password`?","keys of `express`: `id`, `password`, `count`, `firmware`, `hardware`, `can_id`, `custom_configs`, `reply_after`, `link`, `bms`, `bus`, `can`, `files`, `lisp`, `qml`, `app`, `io_boards`, `gnss`, `replies`, `terminal`, `prints`"]}
{"file":"bad.yaml","line":5,"column":5,"code":"E004","level":"error","message":"unknown name `sesion-reset` in `quirks`","helps":["did you mean `session-reset`?","known here: `session-reset`, `needs-setup`, `stale-reply`, `config-goes-elsewhere`, `reconnect-reset`"]}

"#]]);
    }

    #[test]
    fn an_empty_scenario() {
        checked(
            "",
            str![[r#"
error[E002]: the file is empty
--> bad.yaml:1:1
 = help: a scenario starts with `version: 1`

"#]],
        );
    }

    #[test]
    fn a_capture_that_is_not_there() {
        checked(
            "version: 1\ndevices:\n  - replay: { capture: none.pcapng }\n",
            str![[r#"
error[E011]: cannot open none.pcapng: No such file or directory (os error 2); a relative path starts at the scenario's folder
 --> bad.yaml:3:24
  |
3 |   - replay: { capture: none.pcapng }
  |                        ^^^^^^^^^^^

"#]],
        );
    }

    #[test]
    fn two_recordings_of_one_device() {
        let scenario = b"version: 1\ndevices:\n  - replay: { capture: a.pcapng }\n  - replay: { capture: a.pcapng }\n";
        let folder = folder(&[("a.pcapng", &session(Some(LOGIN))), ("two.yaml", scenario)]);
        refuses(
            sim_in(&folder, &["check", "two.yaml"]),
            str![[r#"
error[E011]: two devices have the id `DEMO-0001`
 --> two.yaml:4:5
  |
3 |   - replay: { capture: a.pcapng }
  |     ------ the first one
4 |   - replay: { capture: a.pcapng }
  |     ^^^^^^ the second one
  |
  = help: give each device an id of its own; hubs ignore case and blanks in ids

"#]],
        );
    }

    #[test]
    fn a_recording_without_a_login_needs_an_id() {
        let scenario = b"version: 1\ndevices:\n  - replay: { capture: a.pcapng }\n";
        let folder = folder(&[("a.pcapng", &session(None)), ("no-id.yaml", scenario)]);
        refuses(
            sim_in(&folder, &["check", "no-id.yaml"]),
            str![[r#"
error[E011]: the recording holds no login, so the device has no id
 --> no-id.yaml:3:13
  |
3 |   - replay: { capture: a.pcapng }
  |             ^^^^^^^^^^^^^^^^^^^^^
  |
  = help: give it an `id`

"#]],
        );
    }

    #[test]
    fn a_capture_is_looked_for_beside_its_scenario() {
        let folder = folder(&[("a.pcapng", &session(Some(LOGIN)))]);
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(
            inner.join("s.yaml"),
            "version: 1\ndevices:\n  - replay: { capture: ../a.pcapng }\n",
        )
        .unwrap();
        let shown = sim_in(&folder, &["check", "inner/s.yaml"]).assert();
        shown
            .success()
            .stderr_eq("")
            .stdout_eq("inner/s.yaml: ok\n");
    }
}

fn is_refused(mut stream: TcpStream, line: &[u8]) -> bool {
    stream.write_all(line).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).is_ok_and(|count| count == 0)
}

/// With no clone around: in an empty folder.
mod installed {
    use super::*;

    fn in_an_empty_folder(args: &[&str]) -> OutputAssert {
        let folder = tempfile::tempdir().unwrap();
        sim(args).current_dir(folder.path()).assert()
    }

    #[test]
    fn the_scenarios_of_the_documentation_are_there() {
        let replayed = "scenarios/recorded-session-replayed.yaml";
        in_an_empty_folder(&["check", "scenarios/pack-of-20-cells.yaml", replayed])
            .success()
            .stdout_eq("scenarios/pack-of-20-cells.yaml: ok\nscenarios/recorded-session-replayed.yaml: ok\n");
    }

    #[test]
    fn a_folder_of_the_user_comes_first_even_where_it_lacks_the_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scenarios")).unwrap();
        let checked = sim(&["check", "scenarios/pack-of-20-cells.yaml"])
            .current_dir(folder.path())
            .assert()
            .code(2);
        let told = String::from_utf8(checked.get_output().stderr.clone()).unwrap();
        assert!(told.contains("no such file"), "{told}");
    }

    #[test]
    fn completions_and_man_pages_come_from_the_command_line_itself() {
        for shell in ["bash", "zsh", "fish"] {
            let printed = sim(&["completions", shell]).assert().success();
            let script = String::from_utf8(printed.get_output().stdout.clone()).unwrap();
            assert!(script.contains("until-stdin-ends"), "{shell}: {script}");
        }
        let folder = tempfile::tempdir().unwrap();
        let man = folder.path().join("man/man1");
        sim(&["man", man.to_str().unwrap()]).assert().success();
        let page = fs::read_to_string(man.join("veschub-sim-serve.1")).unwrap();
        assert!(page.contains("until\\-stdin\\-ends"), "{page}");
    }
}

mod serve {
    use super::*;

    #[test]
    fn prints_one_line_and_ends_on_a_signal_with_code_0() {
        for signal in ["-TERM", "-INT"] {
            let mut served = Served::start(&["serve", "--demo"]);
            assert_eq!(served.address.ip().to_string(), "127.0.0.1");
            assert_ne!(served.address.port(), 0);
            let mut tool = served.login(LOGIN);
            assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
            let _silent = served.connect();
            served.signal(signal);
            let (status, stdout, _) = served.end();
            assert_eq!(status.code(), Some(0), "{signal}");
            assert_eq!(stdout, "", "nothing but the first line");
            let mut rest = Vec::new();
            assert_eq!(tool.read_to_end(&mut rest).unwrap(), 0);
        }
    }

    #[test]
    fn says_the_seed_the_devices_and_who_comes_and_goes() {
        let mut served = Served::start(&["serve", "--demo", "--seed", "7"]);
        let tool = served.login(LOGIN);
        drop(tool);
        let mut said = served.says("left");
        assert!(is_refused(served.connect(), b"VESCTOOL:demo-0001:wrong\n"));
        said += &served.says("closed");
        assert!(said.contains("#1   left"), "{said}");
        assert!(
            said.contains("#2   login refused: wrong password"),
            "{said}"
        );
        assert!(
            !said.contains("connected") && !said.contains("secret"),
            "{said}"
        );
    }

    #[test]
    fn starts_with_seed_and_devices_on_stderr() {
        let mut served = Served::start(&["serve", "--demo", "--seed", "7"]);
        assert_eq!(
            served.says("values"),
            "seed 7\ndevice DEMO-0001\nto see its values: veschub-harness read --hub ADDRESS --id demo-0001 --password not-a-secret\n"
        );
    }

    /// How many cells the pack tells a tool that logs in now.
    fn cells(served: &mut Served) -> u8 {
        let mut tool = served.login(LOGIN);
        ask(&mut tool, &[96])[25]
    }

    #[test]
    fn takes_a_scenario_anew_when_it_is_saved_and_keeps_the_old_one_where_the_new_one_has_a_mistake()
     {
        let scenario = |cells: &str| {
            format!(
                "version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: not-a-secret\n      bms: {{ cells: {cells} }}\n"
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack.yaml");
        let save = |cells: &str| {
            // As editors do: a new file in the place of the old one.
            let draft = folder.path().join(".draft");
            fs::write(&draft, scenario(cells)).unwrap();
            fs::rename(&draft, &path).unwrap();
        };
        save("3");
        let mut served = Served::start_in(&folder, &["serve", "pack.yaml", "--watch"]);
        assert_eq!(cells(&mut served), 3);
        let mut tool = served.login(LOGIN);
        save("5");
        served.says("pack.yaml was read again");
        assert_eq!(tool.read(&mut [0]).unwrap(), 0, "it is disconnected");
        assert_eq!(cells(&mut served), 5);
        save("none");
        let said = served.says("the devices stay as they are");
        assert!(said.contains("pack.yaml:6"), "{said}");
        assert_eq!(cells(&mut served), 5);
        save("7");
        served.says("pack.yaml was read again");
        served.signal("-HUP");
        served.says("pack.yaml was read again");
        assert_eq!(cells(&mut served), 7);
    }

    #[test]
    fn shows_every_request_if_it_is_to_be_verbose() {
        let mut served = Served::start(&["serve", "--demo", "--verbose"]);
        let mut tool = served.login(LOGIN);
        ask(&mut tool, &[62]);
        let said = served.says("< PING_CAN");
        assert!(
            said.contains("> PING_CAN") && said.ends_with("can_ids=[84]\n"),
            "{said}"
        );
    }

    #[test]
    fn says_nothing_if_it_is_to_be_quiet() {
        let served = Served::start(&["serve", "--demo", "--quiet"]);
        assert!(is_refused(served.connect(), b"VESCTOOL:demo-0001:wrong\n"));
        served.signal("-TERM");
        let (status, stdout, stderr) = served.end();
        assert_eq!(
            (status.code(), stdout.as_str(), stderr.as_str()),
            (Some(0), "", "")
        );
    }

    #[test]
    fn gives_the_same_data_for_the_same_seed() {
        let identity = |seed: &str| {
            let mut served = Served::start(&["serve", "--demo", "--seed", seed]);
            let mut tool = served.login(LOGIN);
            ask(&mut tool, &[0])
        };
        assert_eq!(identity("7"), identity("7"));
        assert_ne!(identity("7"), identity("8"));
    }

    #[test]
    fn gives_cells_that_depend_on_the_seed_alone() {
        let scenario = b"version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: not-a-secret\n      reply_after: 0s\n      bms: { cells: 20, noise_mv: 0, spread_mv: 4 }\n";
        let folder = folder(&[("still.yaml", scenario)]);
        let cells = |seed: &str| {
            let mut served = Served::start_in(&folder, &["serve", "still.yaml", "--seed", seed]);
            let mut tool = served.login(LOGIN);
            match Reply::decode(&ask(&mut tool, &[96])).unwrap().body {
                Reply::BmsValues(values) => values.cell_voltages_v,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(cells("7"), cells("7"));
        assert_ne!(cells("7"), cells("8"));
    }

    #[test]
    fn goes_on_when_nobody_reads_its_stderr_any_more() {
        let mut served = Served::start(&["serve", "--demo", "--verbose"]);
        let mut tool = served.login(LOGIN);
        // What a closed terminal or a dead parent does.
        served.stderr = None;
        assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
        assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
    }

    #[test]
    fn is_an_empty_hub_without_a_scenario() {
        let mut served = Served::start(&["serve"]);
        served.says("an empty hub");
        let mut peer = served.connect();
        peer.write_all(b"PING:demo-0001:0\n").unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "NULL\n");
    }

    #[test]
    fn serves_one_device_without_a_login_if_it_is_to_be_direct() {
        let served = Served::start(&["serve", "--demo", "--direct"]);
        let mut tool = served.connect();
        assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
    }

    #[test]
    fn serves_a_motor_controller_without_a_login() {
        for more in [&["--direct"][..], &[]] {
            let args = [&["serve", "--demo-motor"], more].concat();
            let served = Served::start(&args);
            let mut tool = served.connect();
            assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 5], "{args:?}");
            let values = ask(&mut tool, &[4]);
            let erpm: [u8; 4] = values[23..27].try_into().unwrap();
            assert!(i32::from_be_bytes(erpm) > 1000, "it turns: {values:?}");
        }
    }

    #[test]
    fn a_direct_device_that_is_not_there() {
        refuses(
            sim(&[
                "serve",
                "--demo",
                "--direct",
                "other",
                "--listen",
                "127.0.0.1:0",
                "--quiet",
            ]),
            str![[r#"
error: no device has the id OTHER: the scenario has DEMO-0001

"#]],
        );
        refuses(
            sim(&["serve", "--direct"]),
            str![[r#"
error: --direct needs a scenario, or --demo

"#]],
        );
    }

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let output = sim(&["serve", "--demo", "--quiet", "--listen", &address])
            .output()
            .unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        let text = String::from_utf8(output.stderr)
            .unwrap()
            .replace(&address, "127.0.0.1:PORT");
        snapbox::assert_data_eq!(
            text,
            str![[r#"
error: cannot listen at 127.0.0.1:PORT: the port is in use: stop the other program, or use `--listen 127.0.0.1:0` for a free port (Address already in use (os error 98))

"#]]
        );
    }

    #[test]
    fn a_missing_scenario() {
        refuses(
            sim_in(
                &folder(&[]),
                &["serve", "none.yaml", "--listen", "127.0.0.1:0"],
            ),
            str![[r#"
error[E001]: no such file
--> none.yaml
 = help: check the path, which starts from the current directory

"#]],
        );
    }

    #[test]
    fn a_directory_as_scenario() {
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("all")).unwrap();
        refuses(
            sim_in(&folder, &["serve", "all", "--listen", "127.0.0.1:0"]),
            str![[r#"
error[E001]: a directory is not a scenario
--> all
 = help: name a YAML file in it

"#]],
        );
    }

    #[test]
    fn those_who_are_attached_are_served_while_the_system_has_no_room_for_more() {
        let mut program = Process::new("sh");
        let script = "ulimit -n 24; exec \"$0\" \"$@\"";
        program
            .args(["-c", script])
            .arg(cargo_bin!("veschub-sim"))
            .args(["serve", "--demo"]);
        let mut served = Served::spawn(program);
        let mut tool = served.login(LOGIN);
        let crowd: Vec<TcpStream> = (0..60).map(|_| served.connect()).collect();
        for _ in 0..3 {
            assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
        }
        drop(crowd);
        let mut next = served.login(LOGIN);
        assert_eq!(ask(&mut next, &[0])[..3], [0, 6, 6]);
    }
}

mod replay {
    use super::*;

    fn recorded(login: Option<&[u8]>) -> TempDir {
        folder(&[("session.pcapng", &session(login))])
    }

    #[test]
    fn plays_devices_of_several_captures_on_one_hub() {
        let login = |id: &str| format!("VESCTOOL:{id}:not-a-secret\n").into_bytes();
        let one = session(Some(&login("demo-0001")));
        let two = session(Some(&login("demo-0002")));
        let folder = folder(&[("one.pcapng", &one), ("two.pcapng", &two)]);
        let mut served = Served::start_in(&folder, &["replay", "one.pcapng", "two.pcapng"]);
        for id in ["demo-0001", "demo-0002"] {
            let mut tool = served.login(&login(id));
            assert_eq!(ask(&mut tool, &[0])[0], 0);
        }
        let same = ["replay", "one.pcapng", "one.pcapng"];
        sim_in(&folder, &same).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
2 requests and 2 replies recorded
tools log in as DEMO-0001 with the recorded password
2 requests and 2 replies recorded
tools log in as DEMO-0001 with the recorded password
error: one.pcapng: another device has the id DEMO-0001 already; give each its own: repeat --id once per device

"#]]);
        let named = [&same[..], &["--id", "demo-0001", "--id", "demo-0003"]].concat();
        let mut served = Served::start_in(&folder, &named);
        served.login(&login("demo-0003"));
        let too_many = [&named[..], &["--id", "demo-0004", "--quiet"]].concat();
        sim_in(&folder, &too_many)
            .assert()
            .code(2)
            .stdout_eq("")
            .stderr_eq(str![[r#"
error: --id demo-0004: there is no device for it, only 2 devices

"#]]);
    }

    #[test]
    fn plays_at_a_speed_that_is_one() {
        for speed in ["0", "-1", "inf", "fast"] {
            let told = sim(&["replay", "a.pcapng", &format!("--speed={speed}")])
                .assert()
                .code(2);
            let told = String::from_utf8(told.get_output().stderr.clone()).unwrap();
            assert!(told.contains("wanted a number above 0"), "{told}");
        }
    }

    #[test]
    fn accepts_the_recorded_login_and_says_so() {
        let folder = recorded(Some(LOGIN));
        let mut served = Served::start_in(
            &folder,
            &["replay", "session.pcapng", "--pace", "immediate"],
        );
        snapbox::assert_data_eq!(
            served.says("tools log in"),
            str![[r#"
2 requests and 2 replies recorded
tools log in as DEMO-0001 with the recorded password

"#]]
        );
        assert!(is_refused(served.connect(), b"VESCTOOL:demo-0001:wrong\n"));
        let mut tool = served.login(LOGIN);
        assert_eq!(ask(&mut tool, &[62]), [62, 84]);
        assert_eq!(ask(&mut tool, &[0]), b"\x00\x06\x05demo\0");
        served.signal("-TERM");
        assert_eq!(served.end().0.code(), Some(0));
    }

    #[test]
    fn accepts_another_login_if_it_is_told() {
        let folder = recorded(Some(LOGIN));
        let args = [
            "replay",
            "session.pcapng",
            "--id",
            "my scooter",
            "--password",
            "Also: no",
        ];
        refuses(
            sim_in(&folder, &args),
            str![[r#"
error: --password: the password holds a colon, a line feed or a NUL; a hub cuts the login line at every colon: such a login can never succeed

"#]],
        );
        let args = [
            "replay",
            "session.pcapng",
            "--id",
            "my scooter",
            "--password",
            "also none",
        ];
        let mut served = Served::start_in(&folder, &args);
        snapbox::assert_data_eq!(
            served.says("tools log in"),
            str![[r#"
2 requests and 2 replies recorded
tools log in as MYSCOOTER with the given password

"#]]
        );
        assert!(is_refused(served.connect(), LOGIN));
        assert!(is_refused(
            served.connect(),
            b"VESCTOOL:my scooter:not-a-secret\n"
        ));
        let mut tool = served.login(b"VESCTOOL:My Scooter:also none\n");
        assert_eq!(ask(&mut tool, &[62]), [62, 84]);
    }

    #[test]
    fn keeps_the_recorded_password_under_another_id() {
        let folder = recorded(Some(LOGIN));
        let mut served = Served::start_in(&folder, &["replay", "session.pcapng", "--id", "other"]);
        snapbox::assert_data_eq!(
            served.says("tools log in"),
            str![[r#"
2 requests and 2 replies recorded
tools log in as OTHER with the recorded password

"#]]
        );
        assert!(is_refused(served.connect(), b"VESCTOOL:other:x\n"));
        served.login(b"VESCTOOL:other:not-a-secret\n");
    }

    #[test]
    fn says_what_it_accepts_where_the_recording_has_no_login() {
        let folder = recorded(None);
        let mut served = Served::start_in(&folder, &["replay", "session.pcapng"]);
        snapbox::assert_data_eq!(
            served.says("tools log in"),
            str![[r#"
2 requests and 2 replies recorded
tools log in as REPLAY with any password, as the recording holds no login; --direct serves it without one

"#]]
        );
        let mut tool = served.login(b"VESCTOOL:replay:whatever\n");
        assert_eq!(ask(&mut tool, &[62]), [62, 84]);
    }

    #[test]
    fn warns_of_a_capture_that_ends_too_early_and_plays_the_rest() {
        let whole = session(Some(LOGIN));
        let folder = folder(&[("cut.pcapng", &whole[..whole.len() - 250])]);
        let mut served = Served::start_in(&folder, &["replay", "cut.pcapng"]);
        snapbox::assert_data_eq!(
            served.says("tools log in"),
            str![[r#"
warning: cut.pcapng: the capture is readable only up to file offset 758, after packet 7: it ends within a block
2 requests and 1 reply recorded
tools log in as DEMO-0001 with the recorded password

"#]]
        );
        let mut tool = served.login(LOGIN);
        assert_eq!(ask(&mut tool, &[0]), b"\x00\x06\x05demo\0");
    }

    #[test]
    fn a_missing_an_empty_and_a_text_file() {
        let folder = folder(&[
            ("empty.pcap", b""),
            ("notes.pcap", b"The scooter was parked.\n"),
        ]);
        refuses(
            sim_in(&folder, &["replay", "none.pcap"]),
            str![[r#"
error: none.pcap: no such file: check the path; a relative path starts at the current directory

"#]],
        );
        refuses(
            sim_in(&folder, &["replay", "empty.pcap"]),
            str![[r#"
error: empty.pcap: the capture is empty (0 bytes): record again, or check the path

"#]],
        );
        refuses(
            sim_in(&folder, &["replay", "notes.pcap"]),
            str![[r#"
error: notes.pcap: not a capture: the file starts with the text "The scoo"…, wanted pcap, pcapng or a log of candump; a bare byte stream is read with `--raw to-device` or `--raw to-tool`

"#]],
        );
    }

    #[test]
    fn a_capture_without_a_request() {
        let ends = Endpoints::new(
            "192.0.2.10:40000".parse().unwrap(),
            "198.51.100.20:80".parse().unwrap(),
        );
        let mut other = SessionWriter::new(Vec::new(), ends, 0).unwrap();
        other.open(0).unwrap();
        other.data(0, Initiator, b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let folder = folder(&[("web.pcapng", &other.finish().unwrap())]);
        refuses(
            sim_in(&folder, &["replay", "web.pcapng"]),
            str![[r#"
error: web.pcapng has no request to a VESC device; `veschub-sim decode web.pcapng` shows what it contains

"#]],
        );
    }
}
