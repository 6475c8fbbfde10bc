//! Breakpoints: hold a request, look at it, and say what becomes of it.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until, timeout_at};
use utoipa::{IntoParams, ToSchema};
use veschub_hub::{
    duration,
    hex::Hex,
    hub::steer::{BreakpointId, BreakpointView, HeldId, HeldView, Verdict},
};

use super::hub::number;
use crate::{
    app::{App, Params, Text},
    body::Body,
    changes::Topic,
    error::{ErrorBody, Refusal},
    filter,
};

/// How long is waited at most.
const LONGEST: Duration = Duration::from_secs(60);
/// Whoever was woken looks again after so long at the earliest.
const PAUSE: Duration = Duration::from_millis(5);

/// A breakpoint.
#[derive(ToSchema)]
#[schema(as = BreakpointView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct BreakpointAnswer {
    /// Its number.
    id: u32,
    /// Only requests to this device.
    device: Option<String>,
    /// Only requests of this command.
    command: Option<String>,
    /// Whether it goes with the first request that it holds.
    once: bool,
    /// How many requests it held.
    hits: u64,
}

/// A breakpoint to set.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct NewBreakpoint {
    /// Only requests to this device; without it, to all.
    device: Option<String>,
    /// Only requests of this command, by its name or number; without it, of all.
    command: Option<String>,
    /// Whether it goes with the first request that it holds: false unless given.
    once: Option<bool>,
}

/// A breakpoint that was set.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewBreakpointId {
    /// Its number.
    #[schema(example = 1)]
    id: u32,
}

/// The breakpoints
#[utoipa::path(get, path = "/v1/breakpoints", tag = "breakpoints", responses((status = 200, body = Vec<BreakpointAnswer>)))]
pub(crate) async fn breakpoints(
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<BreakpointView>>, Refusal> {
    app.ask(|hub, _| hub.breakpoints()).await.map(Json)
}

/// Set a breakpoint
///
/// Requests that fit are held before quirks and the device see them, until somebody lets them go. Requests behind a held
/// one go on. At most 64 are held; further ones pass.
#[utoipa::path(post, path = "/v1/breakpoints", tag = "breakpoints",
    request_body(content = NewBreakpoint, example = json!({"device": "demo-0001", "command": "BMS_GET_VALUES", "once": true})),
    responses(
        (status = 201, body = NewBreakpointId),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "There are too many", body = ErrorBody),
    ))]
pub(crate) async fn add_breakpoint(
    State(app): State<Arc<App>>,
    Text(text): Text,
) -> Result<(StatusCode, Json<NewBreakpointId>), Refusal> {
    let body = Body::read(&text, &["device", "command", "once"])?;
    let device: Option<String> = body.get("device")?;
    let command = match body.get::<serde_json::Value>("command")? {
        None => None,
        Some(serde_json::Value::String(name)) => Some(filter::command(&name)),
        Some(number) => Some(filter::command(&number.to_string())),
    };
    let command = command
        .transpose()
        .map_err(|refusal| refusal.at(body.spot("command")))?;
    let once = body.get("once")?.unwrap_or(false);
    let done = app
        .change(&[Topic::Breakpoints], move |hub, now| {
            hub.add_breakpoint(now, device.as_deref(), command, once)
        })
        .await;
    let (id, at) = done.map_err(|refusal| refusal.at(body.spot("device")))?;
    app.steered.remark(at, format!("breakpoint {id} was set"));
    Ok((StatusCode::CREATED, Json(NewBreakpointId { id: id.0 })))
}

/// Remove a breakpoint
///
/// What it holds passes.
#[utoipa::path(delete, path = "/v1/breakpoints/{id}", tag = "breakpoints",
    params(("id" = u32, Path, description = "Its number", example = 1)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove_breakpoint(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = number(&id, "breakpoint")?;
    let topics = [Topic::Breakpoints, Topic::Held];
    app.change(&topics, move |hub, now| {
        hub.remove_breakpoint(now, BreakpointId(id))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A request that is held.
#[derive(ToSchema)]
#[schema(as = HeldView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct HeldAnswer {
    /// Its number.
    id: u32,
    /// The breakpoint that holds it.
    breakpoint: u32,
    /// The device that it is for.
    device: String,
    /// The connection that it came on.
    connection: Option<u32>,
    /// When it came, in seconds of the hub.
    at: f64,
    /// Its command.
    command: String,
    /// Its payload in hex.
    payload: String,
}

/// How long to wait.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// Wait so long until a request is held, at most 60s; without it, answer at once.
    #[param(value_type = Option<String>, example = "5s")]
    wait: Option<duration::Duration>,
}

/// The requests that are held
///
/// With `wait`, the answer comes as soon as there is one, or after that time without any.
#[utoipa::path(get, path = "/v1/held", tag = "breakpoints", params(Wait),
    responses((status = 200, body = Vec<HeldAnswer>), (status = 400, body = ErrorBody)))]
pub(crate) async fn held(
    State(app): State<Arc<App>>,
    Params(query): Params<Wait>,
) -> Result<Json<Vec<HeldView>>, Refusal> {
    let wait = query.wait.unwrap_or_default();
    if wait.get() > LONGEST {
        return Err(Refusal::bad(format!(
            "{wait} is too long: the longest wait is 60s"
        )));
    }
    let deadline = Instant::now() + wait.get();
    loop {
        let waiting = app.store.waiting();
        let held = app.ask(|hub, _| hub.held()).await?;
        if !held.is_empty() || timeout_at(deadline, waiting.news()).await.is_err() {
            return Ok(Json(held));
        }
        sleep_until(deadline.min(Instant::now() + PAUSE)).await;
    }
}

/// What becomes of a held request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct VerdictWords {
    /// `pass`: on to the device. `drop`: nobody sees it. `change`: another payload goes on in its place. `answer`: these
    /// replies come back, and the device does not see it.
    r#do: String,
    /// For `change`: the payload in hex, command first.
    payload: Option<String>,
    /// For `answer`: the payloads of the replies in hex.
    replies: Option<Vec<String>>,
}

/// Let a held request go
#[utoipa::path(post, path = "/v1/held/{id}", tag = "breakpoints",
    params(("id" = u32, Path, description = "Its number", example = 1)),
    request_body(content = VerdictWords, example = json!({"do": "answer", "replies": ["00 06 06"]})),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn let_go(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Text(text): Text,
) -> Result<StatusCode, Refusal> {
    let id = number(&id, "held request")?;
    let body = Body::read(&text, &["do", "payload", "replies"])?;
    let verdict: String = body.need("do")?;
    let unfit = |key: &str| match body.spot(key) {
        Some(place) => {
            let error = format!("`{key}` says nothing where `do` is `{verdict}`");
            Err(Refusal::bad(error).at(Some(place)))
        }
        None => Ok(()),
    };
    if verdict != "change" {
        unfit("payload")?;
    }
    if verdict != "answer" {
        unfit("replies")?;
    }
    let verdict = match verdict.as_str() {
        "pass" => Verdict::Pass,
        "drop" => Verdict::Drop,
        "change" => Verdict::Change(body.need::<Hex>("payload")?.0),
        "answer" => {
            let replies: Vec<Hex> = body.need("replies")?;
            Verdict::Answer(replies.into_iter().map(|hex| hex.0).collect())
        }
        other => {
            return Err(
                Refusal::bad(format!("`{other}` cannot be done to a request"))
                    .help("write pass, drop, change or answer")
                    .at(body.spot("do")),
            );
        }
    };
    let (_, at) = app
        .change(&[Topic::Held, Topic::Breakpoints], move |hub, now| {
            hub.let_go(now, HeldId(id), verdict)
        })
        .await?;
    let words = text.trim().replace('\n', " ");
    app.steered
        .remark(at, format!("held request {id}: {words}"));
    Ok(StatusCode::NO_CONTENT)
}
