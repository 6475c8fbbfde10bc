//! From a session to its recording, and from the recording to everything that can be made of it: what is recorded,
//! replayed, drafted and scrubbed gives a client the same readings as the device did.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{cell::RefCell, net::SocketAddr, process::Stdio};

use serde_json::Value;
use snapbox::cmd::cargo_bin;
use tokio::{net::TcpListener, process::Command, sync::oneshot};
use veschub_draft::{DraftOptions, draft};
use veschub_drive::{record, server};
use veschub_hub::{
    device::{
        Replay,
        replay::{Pace, Recording},
    },
    hub::{Access, Hub, HubConfig, Resident},
    journal::JournalEntry,
    rng::Seed,
};
use veschub_scenario::Loaded;
use veschub_scrub::{Keep, scrub};
use veschub_transcript::{Options, Transcript, live::LiveCapture};

/// A pack at rest: what is read of it does not depend on when.
const PACK: &str = "version: 1\n\
    hub: { profile: ideal }\n\
    devices:\n  - express: { id: shed-0042, password: a-real-secret, bus: 'off', reply_after: 5ms, \
    bms: { cells: 20, cell_voltage_v: 4.18, spread_mv: 8, temperatures_c: [27.5, 26.5] } }\n";

/// Runs something beside a server, which is then ended.
async fn beside<T>(
    serve: impl AsyncFnOnce(TcpListener, oneshot::Receiver<()>),
    visit: impl AsyncFnOnce(SocketAddr) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let visiting = async {
        let seen = visit(address).await;
        drop(stop);
        seen
    };
    tokio::join!(serve(listener, stopped), visiting).1
}

async fn ended(stopped: oneshot::Receiver<()>) {
    // An error means that the sender is gone, which is the end as well.
    let _ = stopped.await;
}

fn serving(hub: Hub) -> impl AsyncFnOnce(TcpListener, oneshot::Receiver<()>) {
    async |listener, stopped| {
        server::serve(listener, hub, 8, |_: JournalEntry| {}, ended(stopped)).await;
    }
}

/// What the reference client reads, as a program: each command with its fields.
async fn readings(hub: SocketAddr, id: &str, password: &str) -> Vec<(Value, Value)> {
    let output = Command::new(cargo_bin!("veschub-harness"))
        .args(["read", "--json", "--hub", &hub.to_string(), "--id", id])
        .env("VESC_PASSWORD", password)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let (told, said) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}");
    let lines = told
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| (line["command"].clone(), line["fields"].clone()))
        .collect()
}

fn transcript(capture: &[u8]) -> Transcript {
    Transcript::from_capture(capture, &Options::default()).unwrap()
}

fn replayed(transcript: &Transcript, password: &str) -> (String, Hub) {
    let recording = Recording::from_transcript(transcript);
    let id = recording.login.as_ref().unwrap().id.clone();
    let resident = Resident {
        id: id.clone(),
        access: Access::Password(password.to_owned()),
        device: Box::new(Replay::new(recording, Pace::Recorded)),
        link: None,
        quirks: Vec::new(),
    };
    (id, Hub::new(HubConfig::ideal(), vec![resident]))
}

/// What a device says of its BMS, and of itself as far as nobody is named by it.
fn without_names(readings: &[(Value, Value)]) -> Vec<(Value, Value)> {
    let mut readings = readings.to_vec();
    for (_, fields) in &mut readings {
        if let Some(fields) = fields.as_object_mut() {
            fields.remove("uuid");
        }
    }
    readings.retain(|(command, _)| command != "GET_CUSTOM_CONFIG");
    // Asked all at once, they may come in another order.
    readings.sort_by_key(|(command, _)| command.to_string());
    readings
}

#[tokio::test]
async fn a_session_that_is_recorded_replayed_drafted_and_scrubbed_is_read_the_same() {
    let loaded = Loaded::parse("pack.yaml", PACK).unwrap();
    let hub = loaded.build(Seed(3)).unwrap().into_hub();

    // Recorded between the client and the hub.
    let capture = RefCell::new(LiveCapture::new(Vec::new(), 65101, 0).unwrap());
    let read = beside(serving(hub), async |hub| {
        let recorder = async |listener, stopped| {
            let report = |passed: record::Relayed| {
                let event = passed.event.for_capture().unwrap();
                let at = passed.at.as_nanos();
                let mut capture = capture.borrow_mut();
                capture.event(at, passed.connection, event).unwrap();
            };
            record::pass_on(listener, &hub.to_string(), report, ended(stopped)).await;
        };
        beside(recorder, async |through| {
            readings(through, "shed-0042", "a-real-secret").await
        })
        .await
    })
    .await;
    assert!(read.iter().any(|(command, fields)| {
        command == "BMS_GET_VALUES" && fields["cell_voltages_v"].as_array().unwrap().len() == 20
    }));
    let capture = capture.into_inner().finish().unwrap();
    let recorded = transcript(&capture);

    let (id, hub) = replayed(&recorded, "a-real-secret");
    assert_eq!(id, "SHED-0042");
    let again = beside(serving(hub), async |hub| {
        readings(hub, &id, "a-real-secret").await
    });
    // But for what the recorder masks.
    assert_eq!(without_names(&again.await), without_names(&read));

    let options = DraftOptions {
        series: false,
        ..DraftOptions::default()
    };
    let draft = draft(&recorded, &options).unwrap();
    let hub = draft.build(Seed(0)).unwrap().into_hub();
    let drafted = beside(serving(hub), async |hub| {
        readings(hub, &id, "not-a-secret").await
    });
    assert_eq!(without_names(&drafted.await), without_names(&read));

    let scrubbed = scrub(&capture[..], Keep::default()).unwrap();
    let text = |text: &[u8]| scrubbed.file.windows(text.len()).any(|part| part == text);
    assert!(!text(b"shed-0042") && !text(b"SHED-0042"));
    let (id, hub) = replayed(&transcript(&scrubbed.file), "whatever");
    let clean = beside(serving(hub), async |hub| {
        readings(hub, &id, "whatever").await
    });
    assert_eq!(without_names(&clean.await), without_names(&read));
}
