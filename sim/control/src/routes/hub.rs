//! The hub as a whole: how it is, whether it listens, its connections and its time.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use veschub_drive::clock::{Clock, ClockChange, ClockView, SCALES};
use veschub_hub::{ConnId, duration::Duration, hub::steer::SessionView};

use crate::{
    app::{App, Text},
    body::Body,
    changes::Topic,
    error::{ErrorBody, Refusal},
};

/// The hub as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct HubAnswer {
    /// The version of the program.
    pub version: String,
    /// Which run this is: after a restart it is another.
    pub run: String,
    /// Where the hub listens.
    #[schema(example = "127.0.0.1:65101")]
    pub listening: String,
    /// Whether it does: not after `POST /v1/hub/stop`.
    pub accepts: bool,
    /// What time it is at the hub, in seconds since its start.
    pub at: f64,
    /// How much faster than the machine's its time goes.
    pub scale: f64,
    /// Whether its time stands still.
    pub paused: bool,
    /// What decided all that is random.
    pub seed: Option<u64>,
    /// How many devices there are.
    pub devices: usize,
    /// How many connections there are.
    pub sessions: usize,
    /// Whether there is no hub: the only device serves itself.
    pub direct: bool,
    /// What the journal holds.
    pub journal: JournalExtent,
}

/// What the journal holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct JournalExtent {
    /// How many entries.
    pub entries: usize,
    /// About how much memory they take.
    pub bytes: usize,
    /// The number of the last one; 0 before the first.
    pub last: u64,
    /// How many were dropped since it was last forgotten, as there were too many.
    pub dropped: u64,
}

/// How the hub is
#[utoipa::path(get, path = "/v1/hub", tag = "hub", responses((status = 200, body = HubAnswer)))]
pub(crate) async fn hub(State(app): State<Arc<App>>) -> Result<Json<HubAnswer>, Refusal> {
    let (devices, sessions) = app
        .ask(|hub, _| (hub.device_ids().count(), hub.load().connections))
        .await?;
    let clock = app.remote.clock().await.map_err(|_| Refusal::ended())?;
    let accepts = app.remote.listening().await.map_err(|_| Refusal::ended())?;
    let extent = app.store.extent();
    Ok(Json(HubAnswer {
        version: app.about.version.clone(),
        run: app.run.clone(),
        listening: app.listening.to_string(),
        accepts: accepts.is_some(),
        at: seconds(clock.at),
        scale: clock.scale,
        paused: clock.paused,
        seed: app.about.seed,
        devices,
        sessions,
        direct: app.about.direct,
        journal: JournalExtent {
            entries: extent.entries,
            bytes: extent.bytes,
            last: extent.last,
            dropped: extent.dropped,
        },
    }))
}

/// A time of the hub as the journal writes it.
pub(crate) fn seconds(at: veschub_hub::time::Time) -> f64 {
    at.as_nanos() as f64 / 1e9
}

/// Whether to drop connections.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct Stop {
    /// Whether connections that are open are dropped as well: true unless given.
    drop: Option<bool>,
}

/// Whether the hub listens.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepts {
    /// Whether it does.
    accepts: bool,
}

/// Stop listening
///
/// Whoever connects is refused, as by a hub that is down. Connections that are open are dropped, unless `drop` is false.
#[utoipa::path(post, path = "/v1/hub/stop", tag = "hub", request_body(content = Stop, example = json!({"drop": true})),
    responses((status = 200, body = Accepts), (status = 400, body = ErrorBody)))]
pub(crate) async fn stop(
    State(app): State<Arc<App>>,
    Text(text): Text,
) -> Result<Json<Accepts>, Refusal> {
    let drops = Body::read(&text, &["drop"])?.get("drop")?.unwrap_or(true);
    let stopped = app.remote.stop_listening(drops).await;
    stopped.map_err(|_| Refusal::ended())?;
    let at = app.ask(|_, now| now).await?;
    app.steered.remark(at, "the hub stopped listening");
    app.mark(&[Topic::Hub, Topic::Sessions]);
    Ok(Json(Accepts { accepts: false }))
}

/// Listen again
///
/// At the same port.
#[utoipa::path(post, path = "/v1/hub/start", tag = "hub",
    responses((status = 200, body = Accepts), (status = 409, body = ErrorBody)))]
pub(crate) async fn start(State(app): State<Arc<App>>) -> Result<Json<Accepts>, Refusal> {
    app.remote.start_listening().await.map_err(|error| {
        let error = format!("cannot listen at {}: {error}", app.listening);
        Refusal::new(StatusCode::CONFLICT, error).help("see who has taken the port")
    })?;
    let at = app.ask(|_, now| now).await?;
    app.steered.remark(at, "the hub listened again");
    app.mark(&[Topic::Hub]);
    Ok(Json(Accepts { accepts: true }))
}

/// A connection.
#[derive(ToSchema)]
#[schema(as = SessionView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct SessionAnswer {
    /// Its number.
    connection: u32,
    /// `tool`, `device`, or `none` before it has logged in.
    role: String,
    /// The device that it is at.
    device: Option<String>,
    /// When it was attached, in seconds of the hub.
    since: Option<f64>,
    /// How many requests it sent.
    requests: u64,
    /// How many replies it was sent.
    replies: u64,
    /// How many bytes faults hold back.
    held_bytes: usize,
}

/// Who is connected
#[utoipa::path(get, path = "/v1/sessions", tag = "hub", responses((status = 200, body = Vec<SessionAnswer>)))]
pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<SessionView>>, Refusal> {
    app.ask(|hub, _| hub.sessions()).await.map(Json)
}

/// Kick a connection
///
/// It is closed in an orderly way.
#[utoipa::path(delete, path = "/v1/sessions/{connection}", tag = "hub",
    params(("connection" = u32, Path, description = "Its number", example = 1)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn kick(
    State(app): State<Arc<App>>,
    Path(connection): Path<String>,
) -> Result<StatusCode, Refusal> {
    let number = number(&connection, "connection")?;
    let (_, at) = app
        .change(&[Topic::Sessions], move |hub, now| {
            hub.kick(now, ConnId(number))
        })
        .await?;
    app.steered
        .remark(at, format!("connection {number} was kicked"));
    Ok(StatusCode::NO_CONTENT)
}

/// A number in a path.
pub(crate) fn number(text: &str, what: &str) -> Result<u32, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad(format!("{text:?} is not the number of a {what}")))
}

/// How the time of the hub goes.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClockAnswer {
    /// What time it is, in seconds since the start.
    at: f64,
    /// Whether it stands still.
    paused: bool,
    /// How much faster than the machine's it goes when it does not.
    scale: f64,
}

impl From<ClockView> for ClockAnswer {
    fn from(clock: ClockView) -> Self {
        Self {
            at: seconds(clock.at),
            paused: clock.paused,
            scale: clock.scale,
        }
    }
}

/// What is to become of the time of the hub; what is not given stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct ClockWords {
    /// Whether it stands still.
    paused: Option<bool>,
    /// How much faster than the machine's it goes: 0.001 to 1000.
    scale: Option<f64>,
    /// How far it jumps ahead, e.g. `250ms`; what would have happened meanwhile happens at once.
    step: Option<String>,
}

/// What time it is at the hub
#[utoipa::path(get, path = "/v1/clock", tag = "clock", responses((status = 200, body = ClockAnswer)))]
pub(crate) async fn clock(State(app): State<Arc<App>>) -> Result<Json<ClockAnswer>, Refusal> {
    let clock = app.remote.clock().await.map_err(|_| Refusal::ended())?;
    Ok(Json(clock.into()))
}

/// Pause, scale or step the time of the hub
#[utoipa::path(post, path = "/v1/clock", tag = "clock",
    request_body(content = ClockWords, example = json!({"paused": true, "step": "250ms"})),
    responses((status = 200, body = ClockAnswer), (status = 400, body = ErrorBody)))]
pub(crate) async fn change_clock(
    State(app): State<Arc<App>>,
    Text(text): Text,
) -> Result<Json<ClockAnswer>, Refusal> {
    let body = Body::read(&text, &["paused", "scale", "step"])?;
    let step: Option<Duration> = body.get("step")?;
    let change = ClockChange {
        paused: body.get("paused")?,
        scale: body.get("scale")?,
        step: step.map(Duration::get),
    };
    if !Clock::allows(&change) {
        let (least, most) = SCALES.into_inner();
        let scale = change.scale.unwrap_or_default();
        return Err(
            Refusal::bad(format!("{scale} is out of range: wanted {least} to {most}"))
                .at(body.spot("scale")),
        );
    }
    let clock = app.remote.change_clock(change).await;
    let clock = clock.map_err(|_| Refusal::ended())?;
    let text = format!("the clock was changed: {}", text.trim().replace('\n', " "));
    app.steered.remark(clock.at, text);
    app.mark(&[Topic::Clock]);
    Ok(Json(clock.into()))
}

/// Whether the server runs
#[utoipa::path(get, path = "/health", tag = "hub", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn health() -> &'static str {
    "ok\n"
}

/// Whether the hub takes connections
#[utoipa::path(get, path = "/ready", tag = "hub",
    responses(
        (status = 200, content_type = "text/plain", body = String),
        (status = 503, content_type = "text/plain", description = "It does not", body = String),
    ))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.remote.listening().await {
        Ok(Some(_)) => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

/// Numbers for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "hub", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let (load, faults, held, at) = app
        .ask(|hub, now| (hub.load(), hub.faults(), hub.held().len(), now))
        .await?;
    let accepts = app.remote.listening().await.map_err(|_| Refusal::ended())?;
    let (extent, traffic) = (app.store.extent(), app.wire.traffic());
    let listeners = crate::app::MOST_LISTENERS - app.listeners.available_permits();
    let mut out = String::new();
    let mut one = |name: &str, kind: &str, about: &str, value: f64| {
        // Writing to memory cannot fail.
        let _ = write!(
            out,
            "# HELP veschub_{name} {about}\n# TYPE veschub_{name} {kind}\nveschub_{name} {value}\n"
        );
    };
    one(
        "time_seconds",
        "gauge",
        "What time it is at the hub.",
        seconds(at),
    );
    one(
        "accepts",
        "gauge",
        "Whether the hub listens.",
        f64::from(u8::from(accepts.is_some())),
    );
    for (name, about, value) in [
        ("connections", "Connections to the hub.", load.connections),
        (
            "sessions",
            "Tools that are attached to a device.",
            load.sessions,
        ),
        ("devices", "Devices that tools can log in to.", load.rooms),
        (
            "unsent_bytes",
            "Bytes that have not left for the network.",
            load.unsent,
        ),
        ("held_bytes", "Bytes that faults hold back.", load.held),
        ("held_requests", "Requests that breakpoints hold.", held),
        (
            "journal_entries",
            "Entries that the journal keeps.",
            extent.entries,
        ),
        (
            "journal_bytes",
            "About how much memory they take.",
            extent.bytes,
        ),
        ("listeners", "Who listens to events.", listeners),
    ] {
        one(name, "gauge", about, value as f64);
    }
    for (name, about, value) in [
        (
            "journal_dropped_total",
            "Entries that were dropped, as there were too many.",
            extent.dropped,
        ),
        (
            "received_bytes_total",
            "Bytes from tools and from devices that log in.",
            traffic.received,
        ),
        ("sent_bytes_total", "Bytes that the hub sent.", traffic.sent),
    ] {
        one(name, "counter", about, value as f64);
    }
    out.push_str("# HELP veschub_events_total Events at the hub by kind.\n# TYPE veschub_events_total counter\n");
    for (kind, total) in &extent.totals {
        let _ = writeln!(out, "veschub_events_total{{kind=\"{kind}\"}} {total}");
    }
    out.push_str("# HELP veschub_fault_fired_total How often a fault acted.\n# TYPE veschub_fault_fired_total counter\n");
    for fault in faults {
        let _ = writeln!(
            out,
            "veschub_fault_fired_total{{id=\"{}\",name=\"{}\"}} {}",
            fault.id, fault.name, fault.fired
        );
    }
    let headers = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((headers, out).into_response())
}
