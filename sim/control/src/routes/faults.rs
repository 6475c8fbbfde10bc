//! Faults and quirks: look, switch on, switch off.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use veschub_hub::{
    fault::FaultId,
    hub::steer::{FaultView, Origin, QuirkView},
    quirk,
};
use veschub_scenario::{Written, closest};
use veschub_wire::login::normalise_id;

use super::{
    devices::SOMEBODY,
    hub::{number, seconds},
    words::FaultWords,
};
use crate::{
    app::{App, Text},
    body::{Body, whole},
    changes::Topic,
    error::{ErrorBody, Refusal},
};

/// A fault that is on.
#[derive(ToSchema)]
#[schema(as = FaultView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct FaultAnswer {
    /// Its number.
    id: u32,
    /// The device that it is at; null for all.
    device: Option<String>,
    /// `to-tool` or `to-device`.
    direction: String,
    /// What kind of fault it is.
    #[schema(example = "delay")]
    name: String,
    /// Its parameters, with `direction` and `when`.
    #[schema(value_type = Object)]
    parameters: Value,
    /// `scenario` or `control`.
    by: String,
    /// How often it acted.
    fired: u64,
}

/// A fault to switch on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct NewFault {
    /// The device that it is at; without it, all.
    device: Option<String>,
    /// An entry of a scenario's `faults`.
    #[schema(inline)]
    fault: FaultWords,
}

/// A fault that was switched on.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewFaultId {
    /// Its number, to switch it off with.
    #[schema(example = 1)]
    id: u32,
}

/// How many were removed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Removed {
    /// How many.
    removed: usize,
}

/// The faults that are on
#[utoipa::path(get, path = "/v1/faults", tag = "faults and quirks", responses((status = 200, body = Vec<FaultAnswer>)))]
pub(crate) async fn faults(State(app): State<Arc<App>>) -> Result<Json<Vec<FaultView>>, Refusal> {
    app.ask(|hub, _| hub.faults()).await.map(Json)
}

/// Switch a fault on
///
/// In the words of a scenario. It acts at once, on sessions that are open and on later ones, until it is removed.
#[utoipa::path(post, path = "/v1/faults", tag = "faults and quirks",
    request_body(content = NewFault, example = json!({"device": "demo-0001", "fault": {"delay": {"by": "250ms"}}})),
    responses(
        (status = 201, body = NewFaultId),
        (status = 400, description = "A mistake, with its place in the body", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "There are too many", body = ErrorBody),
    ))]
pub(crate) async fn add_fault(
    State(app): State<Arc<App>>,
    Text(text): Text,
) -> Result<(StatusCode, Json<NewFaultId>), Refusal> {
    let body = Body::read(&text, &["device", "fault"])?;
    let device: Option<String> = body.get("device")?;
    let words: Value = body.need("fault")?;
    let read = body.scenario("fault", &format!("{SOMEBODY}faults: ["), "]}", &[])?;
    let Some(fault) = read.and_then(|read| read.scenario.faults.into_iter().next()) else {
        return Err(Refusal::bad("the key `fault` is missing"));
    };
    let spelt = device.as_deref().map(normalise_id);
    let of = spelt.clone();
    let done = app
        .change(&[Topic::Faults], move |hub, now| {
            let id = hub.add_fault(now, of.as_deref(), fault)?;
            // Triggers count from when a session began.
            let sessions = hub.sessions();
            let fitting = sessions
                .iter()
                .filter(|one| of.is_none() || one.device == of)
                .filter_map(|one| one.since);
            let began: Vec<f64> = fitting.collect();
            let after = match began[..] {
                [began] => Some(seconds(now) - began),
                _ => None,
            };
            Ok((id, after))
        })
        .await;
    let ((id, after), at) = done.map_err(|refusal| refusal.at(body.spot("device")))?;
    let written = Written::from(&words);
    app.steered.fault_came(at, id.0, spelt, after, written);
    Ok((StatusCode::CREATED, Json(NewFaultId { id: id.0 })))
}

/// Switch a fault off
///
/// What it holds back comes out.
#[utoipa::path(delete, path = "/v1/faults/{id}", tag = "faults and quirks",
    params(("id" = u32, Path, description = "Its number", example = 1)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove_fault(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = number(&id, "fault")?;
    let (_, at) = app
        .change(&[Topic::Faults], move |hub, now| {
            hub.remove_fault(now, FaultId(id))
        })
        .await?;
    app.steered.fault_went(at, id);
    Ok(StatusCode::NO_CONTENT)
}

/// Switch off all faults that were switched on here
///
/// Those of the scenario stay.
#[utoipa::path(delete, path = "/v1/faults", tag = "faults and quirks", responses((status = 200, body = Removed)))]
pub(crate) async fn remove_faults(State(app): State<Arc<App>>) -> Result<Json<Removed>, Refusal> {
    let (gone, at) = app
        .change(&[Topic::Faults], |hub, now| {
            let own = hub.faults().into_iter();
            let own = own.filter(|fault| fault.by == Origin::Control);
            own.map(|fault| hub.remove_fault(now, fault.id).map(|()| fault.id.0))
                .collect::<Result<Vec<u32>, _>>()
        })
        .await?;
    for id in &gone {
        app.steered.fault_went(at, *id);
    }
    Ok(Json(Removed {
        removed: gone.len(),
    }))
}

/// A quirk of a device.
#[derive(ToSchema)]
#[schema(as = QuirkView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct QuirkAnswer {
    /// Its name.
    #[schema(example = "session-reset")]
    name: String,
    /// What it does, in a sentence.
    about: String,
    /// How well it is known to be real: `source`, `measured` or `inferred`.
    provenance: String,
    /// Whether it is on.
    on: bool,
    /// Its parameters, if it is on.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
    /// Who switched it on: `scenario` or `control`.
    by: Option<String>,
    /// How often it fired.
    fired: u64,
}

/// The quirks of a device
///
/// All that there are, on or off.
#[utoipa::path(get, path = "/v1/devices/{id}/quirks", tag = "faults and quirks",
    params(("id" = String, Path, description = "The id of the device", example = "demo-0001")),
    responses((status = 200, body = Vec<QuirkAnswer>), (status = 404, body = ErrorBody)))]
pub(crate) async fn quirks(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<QuirkView>>, Refusal> {
    Ok(Json(app.ask(move |hub, _| hub.quirks(&id)).await??))
}

/// Switch a quirk on
///
/// The body has its parameters, as in a scenario; without one, what stands for them.
#[utoipa::path(put, path = "/v1/devices/{id}/quirks/{name}", tag = "faults and quirks",
    params(
        ("id" = String, Path, description = "The id of the device", example = "demo-0001"),
        ("name" = String, Path, description = "The name of the quirk", example = "session-reset"),
    ),
    request_body(content = Option<Value>, example = json!({"max_gap": "250ms"})),
    responses(
        (status = 204),
        (status = 400, description = "A mistake, with its place in the body", body = ErrorBody),
        (status = 404, description = "No such device or quirk", body = ErrorBody),
    ))]
pub(crate) async fn set_quirk(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(String, String)>,
    Text(text): Text,
) -> Result<StatusCode, Refusal> {
    let names = || quirk::catalogue().iter().map(|info| info.name);
    if !names().any(|known| known == name) {
        let refusal = Refusal::not_found(format!("no quirk is called {name:?}"));
        return Err(match closest(&name, names()) {
            Some(close) => refusal.help(format!("did you mean `{close}`?")),
            None => refusal.help("GET /v1/catalogue lists them"),
        });
    }
    let before = format!("{SOMEBODY}quirks: [{{{name}: ");
    let read = whole(&text, &before, "}]}")?;
    let mut written = read.written();
    let written = written.at("quirks").items().pop();
    let Some(entry) = read.scenario.quirks.into_iter().next() else {
        return Err(Refusal::bad("this is no quirk"));
    };
    let spelt = normalise_id(&id);
    let (_, at) = app
        .change(&[Topic::Quirks], move |hub, now| {
            hub.set_quirk(now, &id, &entry)
        })
        .await?;
    app.steered.quirk_came(at, &spelt, written);
    Ok(StatusCode::NO_CONTENT)
}

/// Switch a quirk off
#[utoipa::path(delete, path = "/v1/devices/{id}/quirks/{name}", tag = "faults and quirks",
    params(
        ("id" = String, Path, description = "The id of the device", example = "demo-0001"),
        ("name" = String, Path, description = "The name of the quirk", example = "session-reset"),
    ),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove_quirk(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (spelt, gone) = (normalise_id(&id), name.clone());
    let (_, at) = app
        .change(&[Topic::Quirks], move |hub, now| {
            hub.remove_quirk(now, &id, &name)
        })
        .await?;
    app.steered.quirk_went(at, &spelt, &gone);
    Ok(StatusCode::NO_CONTENT)
}
