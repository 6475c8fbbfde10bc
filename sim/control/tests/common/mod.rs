//! A hub with its control API on free ports, a small HTTP client, and a tool.

#![allow(dead_code, reason = "each test uses some of it")]

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::oneshot;
use veschub_control::{About, Control, Desk, Token, Watch};
use veschub_drive::{
    observe::Observer,
    remote::{Steering, remote},
    server,
};
use veschub_hub::{
    hub::{ConnId, Event, Output},
    journal::{JournalEntry, Masked},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_transcript::render::FieldsJson;
use veschub_wire::{Decoder, Item, Reply, TOOL_MAX_PAYLOAD, encode, view::View};

/// Far above what anything here takes; what takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Two packs that answer at once, and a motor on the bus of the first.
pub(crate) const SCENARIO: &str = "
version: 1
hub: { profile: ideal }
devices:
- express:
    id: demo-0001
    password: not-a-secret
    reply_after: 1ms
    bms: { cells: 4, cell_voltage_v: 4.0 }
    can: [motor: { can_id: 84, hardware: DEMO-MOTOR, erpm: 5000 }]
- express: { id: demo-0002, password: not-a-secret, reply_after: 1ms, bms: { cells: 4 } }
";

struct Watched {
    watch: Watch,
    masked: Masked,
}

impl Observer for Watched {
    fn happened(&mut self, entry: JournalEntry) {
        let entry = self.masked.entry(&entry).into_owned();
        self.watch.happened(entry);
    }

    fn came(&mut self, at: Time, conn: ConnId, event: &Event<'_>) {
        self.watch.came(at, conn, event);
    }

    fn goes(&mut self, at: Time, conn: ConnId, output: &Output) {
        self.watch.goes(at, conn, output);
    }
}

/// A hub at work, with its control API.
pub(crate) struct Served {
    pub(crate) hub: SocketAddr,
    pub(crate) control: SocketAddr,
    pub(crate) desk: Desk,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::of(SCENARIO, None)
    }

    pub(crate) fn of(scenario: &str, token: Option<&str>) -> Self {
        let loaded = Loaded::parse("test.yaml", scenario).unwrap_or_else(|error| panic!("{error}"));
        let token = token.map(|token| Token::new(token).unwrap());
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let listener = tokio::net::TcpListener::bind(any).await.unwrap();
                let hub = listener.local_addr().unwrap();
                let control = Control::bind(any, token, hub.port()).unwrap();
                let address = control.address().unwrap();
                let observe = Watched {
                    watch: control.watch(),
                    masked: Masked::default(),
                };
                let (remote, orders) = remote();
                let world = loaded.build(Seed(0)).unwrap();
                let about = About {
                    version: "test".to_owned(),
                    seed: Some(0),
                    scenario: Some(loaded),
                    direct: false,
                };
                let running = control.start(remote, about, hub).unwrap();
                tell.send((hub, address, running.desk())).unwrap();
                let steering = Steering {
                    orders: Some(orders),
                    ..Steering::default()
                };
                let stopped = async {
                    let _ = stopped.await;
                };
                server::serve_steered(listener, world.into_hub(), 1000, observe, steering, stopped)
                    .await;
                drop(running);
            });
        };
        let thread = thread::spawn(serve);
        let (hub, control, desk) = told.recv_timeout(PATIENCE).unwrap();
        Self {
            hub,
            control,
            desk,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &[])
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body, &[])
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        self.send("PUT", path, body, &[])
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "", &[])
    }

    /// Sends a request with these headers beside the usual ones; a `Host` among them is sent instead of the usual one.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str, headers: &[&str]) -> Answer {
        let mut stream = self.open(method, path, body, headers);
        Answer::read(&mut stream)
    }

    /// Sends a request and does not wait for the answer.
    pub(crate) fn open(&self, method: &str, path: &str, body: &str, headers: &[&str]) -> TcpStream {
        let mut stream = TcpStream::connect(self.control).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            text += &format!("Host: {}\r\n", self.control);
        }
        for header in headers {
            text += &format!("{header}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// A tool that is attached to a device.
    pub(crate) fn tool(&self, id: &str) -> Tool {
        let after = self.get("/v1/hub").json()["journal"]["last"].clone();
        let mut stream = TcpStream::connect(self.hub).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let login = format!("VESCTOOL:{id}:not-a-secret\n");
        stream.write_all(login.as_bytes()).unwrap();
        let path = format!("/v1/journal/wait?kind=attached&device={id}&after={after}&within=30s");
        assert_eq!(self.get(&path).status, 200, "{id} was not attached");
        Tool {
            stream,
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
            buffer: Vec::new(),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// An answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn read(stream: &mut TcpStream) -> Self {
        let (mut bytes, mut piece) = (Vec::new(), [0; 64 << 10]);
        let start = Instant::now();
        // A server that refuses a body may reset the connection behind its answer.
        while let Ok(1..) = stream
            .read(&mut piece)
            .inspect(|count| bytes.extend(&piece[..*count]))
        {
            assert!(start.elapsed() < PATIENCE, "the answer does not end");
        }
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
        let headers = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut body = bytes[end + 4..].to_vec();
        if headers
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked")
        {
            body = joined(&body);
        }
        Self {
            status: headers[9..12].parse().unwrap(),
            headers,
            body,
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body, if the status is this.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        match self.body.is_empty() {
            true => Value::Null,
            false => self.json(),
        }
    }

    /// What is wrong, with the help, if the status is this.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> String {
        let body = self.is(status);
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        format!("{}; {}", text("error"), text("help"))
    }
}

/// The pieces of a chunked body that came so far.
pub(crate) fn joined(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let Some(piece) = bytes.get(end + 2..end + 2 + size) else {
            break;
        };
        body.extend_from_slice(piece);
        bytes = bytes.get(end + 4 + size..).unwrap_or_default();
    }
    body
}

/// A tool that is attached.
pub(crate) struct Tool {
    pub(crate) stream: TcpStream,
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl Tool {
    pub(crate) fn send(&mut self, payload: &[u8]) {
        self.stream.write_all(&encode(payload).unwrap()).unwrap();
    }

    /// The next payload.
    pub(crate) fn payload(&mut self) -> Vec<u8> {
        loop {
            let mut rest = &self.buffer[..];
            let payload = match self.decoder.next(&mut rest) {
                Some(Item::Frame(frame)) => Some(Some(frame.payload.to_vec())),
                Some(_) => Some(None),
                None => None,
            };
            let used = self.buffer.len() - rest.len();
            self.buffer.drain(..used);
            match payload {
                Some(Some(payload)) => return payload,
                Some(None) => continue,
                None => {}
            }
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).unwrap();
            assert!(count > 0, "the hub closed the connection");
            self.buffer.extend_from_slice(&bytes[..count]);
        }
    }

    /// What comes back, decoded.
    pub(crate) fn ask(&mut self, payload: &[u8]) -> Value {
        self.send(payload);
        fields(&self.payload())
    }

    /// Whether the hub ended the connection; what came before is thrown away.
    pub(crate) fn is_over(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// A reply's fields.
pub(crate) fn fields(payload: &[u8]) -> Value {
    let reply = Reply::decode(payload).unwrap();
    serde_json::to_value(FieldsJson(&reply.fields())).unwrap()
}

/// BMS_GET_VALUES.
pub(crate) const BMS: &[u8] = &[96];
/// FW_VERSION.
pub(crate) const FIRMWARE: &[u8] = &[0];
