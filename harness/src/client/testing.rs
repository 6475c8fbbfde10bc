//! A peer for tests: the other end of an in-memory stream. It reads requests and sends the replies that a test wants.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::{Instant, sleep_until},
};
use veschub_wire::{
    DEVICE_MAX_PAYLOAD, Decoder, Item, LoginKind, LoginLine, Reply, Request,
    command::{BmsValues, CustomConfig, FwVersion, Values},
    encode,
    number::{F16, F32, Text},
};

/// A made-up login.
pub(crate) fn login() -> LoginLine {
    LoginLine::new(LoginKind::Tool, "demo-0001", "not-a-secret")
}

/// The FW_VERSION reply of a made-up device.
pub(crate) fn firmware() -> FwVersion {
    FwVersion {
        major: 6,
        minor: 5,
        hardware: Some(Text::from("VESC Express T")),
        uuid: Some([0; 12]),
        paired: Some(0),
        test_version: Some(0),
        hardware_type: Some(2),
        custom_configs: Some(1),
        ..FwVersion::default()
    }
}

/// A made-up pack of 20 cells, as firmware 6.05 reports it.
pub(crate) fn pack() -> BmsValues {
    let cells: Vec<i16> = (0..20).map(|cell| 4180 + cell * 7 % 13).collect();
    let total: i32 = cells.iter().copied().map(i32::from).sum();
    BmsValues {
        total_voltage_v: F32::from_raw(total * 1000),
        charge_voltage_v: F32::truncated(84.0),
        chip_current_a: F32::truncated(0.145),
        balancing: (0..20).map(|cell| u8::from(cell % 3 == 0)).collect(),
        cell_voltages_v: cells.into_iter().map(F16::from_raw).collect(),
        temperatures_c: [2800, 2718, 2700, 9900]
            .into_iter()
            .chain([0; 20])
            .map(F16::from_raw)
            .collect(),
        chip_temperature_c: F16::from_raw(4432),
        state_of_charge: Some(F16::from_raw(0)),
        state_of_health: Some(F16::from_raw(0)),
        can_id: Some(255),
        totals: Some(Default::default()),
        pressure_pa: Some(Default::default()),
        ..BmsValues::default()
    }
}

/// The reply of a made-up device.
pub(crate) fn reply_to(request: &Request) -> Reply {
    match request {
        Request::FwVersion => Reply::FwVersion(firmware()),
        Request::PingCan => Reply::PingCan {
            can_ids: vec![62, 84],
        },
        Request::GetCustomConfig { .. } => Reply::CustomConfig(CustomConfig {
            index: 0,
            signature: 1,
            data: Vec::new(),
        }),
        Request::BmsGetValues => Reply::BmsValues(pack()),
        Request::GetValues => Reply::Values(Values::default()),
        Request::ForwardCan { payload, .. } if payload[..] == [0] => Reply::FwVersion(FwVersion {
            hardware: Some(Text::from("ADV500")),
            ..firmware()
        }),
        other => panic!("the made-up device has no reply to {other:?}"),
    }
}

/// Replies as bytes, one frame after the other.
pub(crate) fn frames(replies: &[Reply]) -> Vec<u8> {
    replies
        .iter()
        .flat_map(|reply| encode(&reply.encode()).unwrap())
        .collect()
}

/// The other end of a client's stream.
pub(crate) struct Peer {
    stream: DuplexStream,
    decoder: Decoder,
    requests: VecDeque<Request>,
}

/// A stream for the client, and its other end.
pub(crate) fn pair() -> (DuplexStream, Peer) {
    let (near, far) = duplex(64 * 1024);
    let peer = Peer {
        stream: far,
        decoder: Decoder::new(DEVICE_MAX_PAYLOAD),
        requests: VecDeque::new(),
    };
    (near, peer)
}

impl Peer {
    /// Reads the login line.
    pub(crate) async fn login(&mut self) -> LoginLine {
        let mut line = Vec::new();
        loop {
            match self.stream.read_u8().await.unwrap() {
                b'\n' => return LoginLine::parse(&line).unwrap(),
                byte => line.push(byte),
            }
        }
    }

    /// The next request, `None` when the client is gone. May be dropped and called again.
    pub(crate) async fn request(&mut self) -> Option<Request> {
        let mut space = [0; 1024];
        while self.requests.is_empty() {
            let count = self.stream.read(&mut space).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            let mut bytes = &space[..count];
            while let Some(item) = self.decoder.next(&mut bytes) {
                if let Item::Frame(frame) = item {
                    let request = Request::decode(frame.payload).unwrap();
                    self.requests.push_back(request.body);
                }
            }
        }
        self.requests.pop_front()
    }

    /// Writes bytes as they are.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Writes replies in one piece.
    pub(crate) async fn say(&mut self, replies: &[Reply]) {
        self.bytes(&frames(replies)).await;
    }

    /// Reads requests and answers each after a delay, out of order if need be, until the client is gone.
    ///
    /// Returns the requests and when they came.
    pub(crate) async fn serve(
        mut self,
        mut delay: impl FnMut(&Request) -> Option<Duration>,
    ) -> Vec<(Duration, Request)> {
        let started = Instant::now();
        let mut log = Vec::new();
        let mut due: Vec<(Instant, Reply)> = Vec::new();
        loop {
            due.sort_by_key(|(at, _)| *at);
            let next = due.first().map(|(at, _)| *at);
            tokio::select! {
                biased;
                request = self.request() => {
                    let Some(request) = request else { return log };
                    if let Some(delay) = delay(&request) {
                        due.push((Instant::now() + delay, reply_to(&request)));
                    }
                    log.push((started.elapsed(), request));
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let (_, reply) = due.remove(0);
                    self.say(&[reply]).await;
                }
            }
        }
    }
}
