//! `veschub-sim` as a program that serves, for tests that talk to it.

#![allow(dead_code, reason = "each test uses some of it")]

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command as Process, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use snapbox::cmd::cargo_bin;
use tempfile::TempDir;
use veschub_wire::{Decoder, Item, TOOL_MAX_PAYLOAD, encode};

/// Far above what anything here takes; what takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

/// A program that serves, and what it says.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
    stdout: BufReader<ChildStdout>,
    pub(crate) stderr: Option<BufReader<ChildStderr>>,
}

impl Served {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut program = Process::new(cargo_bin!("veschub-sim"));
        program.args(args);
        Self::spawn(program)
    }

    pub(crate) fn start_in(folder: &TempDir, args: &[&str]) -> Self {
        let mut program = Process::new(cargo_bin!("veschub-sim"));
        program.args(args).current_dir(folder.path());
        Self::spawn(program)
    }

    pub(crate) fn spawn(mut program: Process) -> Self {
        program
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = child.stderr.take().map(BufReader::new);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").unwrap().trim_end();
        Self {
            address: address.parse().unwrap(),
            child,
            stdout,
            stderr,
        }
    }

    /// What is said on stderr up to and with a line that holds this.
    pub(crate) fn says(&mut self, words: &str) -> String {
        // Reading has no time limit, so a program that says nothing is ended.
        let (_said, waiting) = mpsc::channel::<()>();
        let id = self.child.id().to_string();
        thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Process::new("kill").args(["-KILL", &id]).status();
            }
        });
        let stderr = self.stderr.as_mut().unwrap();
        let mut said = String::new();
        loop {
            let start = said.len();
            assert!(
                stderr.read_line(&mut said).unwrap() > 0,
                "never said {words}: {said}"
            );
            if said[start..].contains(words) {
                return said;
            }
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A tool that is attached: success is silence, so stderr has to tell.
    pub(crate) fn login(&mut self, line: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(line).unwrap();
        self.says("attached");
        stream
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Process::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// How the program ends though nobody reads what it says, and how many bytes of its stderr are left then.
    pub(crate) fn end_unread(mut self) -> (ExitStatus, usize) {
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            let status = self.child.wait().unwrap();
            let mut rest = Vec::new();
            self.stderr.take().unwrap().read_to_end(&mut rest).unwrap();
            let _ = ended.send((status, rest.len()));
        });
        end.recv_timeout(PATIENCE).expect("it goes on")
    }

    /// How the program ends, and what it said meanwhile.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let (ended, end) = mpsc::channel();
        let id = self.child.id().to_string();
        thread::spawn(move || {
            let (mut stdout, mut stderr) = (String::new(), String::new());
            self.stdout.read_to_string(&mut stdout).unwrap();
            if let Some(rest) = &mut self.stderr {
                rest.read_to_string(&mut stderr).unwrap();
            }
            let _ = ended.send((self.child.wait().unwrap(), stdout, stderr));
        });
        end.recv_timeout(PATIENCE)
            .unwrap_or_else(|_| unreachable!("process {id} goes on"))
    }
}

/// Ends the program where a test did not.
impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn ask(stream: &mut TcpStream, payload: &[u8]) -> Vec<u8> {
    stream.write_all(&frame(payload)).unwrap();
    let mut decoder = Decoder::new(TOOL_MAX_PAYLOAD);
    let mut bytes = [0; 4096];
    loop {
        let count = match stream.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count.unwrap(),
        };
        assert!(count > 0, "closed instead of a reply");
        let mut input = &bytes[..count];
        if let Some(Item::Frame(reply)) = decoder.next(&mut input) {
            return reply.payload.to_vec();
        }
    }
}
