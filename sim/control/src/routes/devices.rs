//! Devices: look, create, remove, unplug; and their values.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use veschub_hub::{
    hub::{
        Hub, Resident,
        steer::{DeviceView, DeviceWithValues, Release, SetCommand, SteerError},
    },
    quirk::QuirkEntry,
    time::Time,
};
use veschub_scenario::Written;
use veschub_wire::login::normalise_id;

use super::words::{DeviceWords, FaultWords, QuirkWords};
use crate::{
    app::{App, Params, Text},
    body::Body,
    changes::Topic,
    error::{ErrorBody, Refusal},
};

/// A scenario around the words of a body that need a device to be at.
pub(crate) const SOMEBODY: &str =
    "{version: 1, devices: [{express: {id: somebody, password: somebody}}], ";
/// The password of a device that is created without one.
const PASSWORD: &str = "not-a-secret";
/// How often a free id is looked for: somebody else may take it meanwhile.
const TRIES: usize = 100;

/// A device.
#[derive(ToSchema)]
#[schema(as = DeviceView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct DeviceAnswer {
    /// The id that tools log in with.
    #[schema(example = "DEMO-0001")]
    id: String,
    /// `express`, `motor`, `bms`, `replay`, `outside` for one that logged in itself, or `other`.
    kind: String,
    /// Its firmware.
    firmware: Option<String>,
    /// The name of its hardware.
    hardware: Option<String>,
    /// Its CAN id.
    can_id: Option<u8>,
    /// What is on its CAN bus.
    nodes: Vec<NodeAnswer>,
    /// Whether it is plugged in: not after `unplug`.
    plugged: bool,
    /// Whether tools can reach it: not while it is unplugged or restarts.
    reachable: bool,
    /// The connection of its tool.
    tool: Option<u32>,
}

/// A node on a CAN bus.
#[derive(ToSchema)]
#[schema(as = NodeView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct NodeAnswer {
    /// Its CAN id.
    can_id: u8,
    /// `motor` or `bms`.
    kind: String,
    /// Its firmware.
    firmware: String,
    /// The name of its hardware.
    hardware: String,
}

/// A device with what it would tell now.
#[derive(ToSchema)]
#[schema(as = DeviceWithValuesView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct ValuesAnswer {
    #[schema(inline)]
    #[serde(flatten)]
    device: DeviceAnswer,
    /// Its values by their names in readings: `bms` and `motor`, if it has them.
    #[schema(value_type = Object)]
    values: Value,
    /// What is set, whatever the device does.
    pinned: Vec<PinnedAnswer>,
}

/// A value that is set.
#[derive(ToSchema)]
#[schema(as = PinnedView)]
#[expect(dead_code, reason = "describes what the hub tells")]
pub(crate) struct PinnedAnswer {
    /// The field, by its name in readings.
    field: String,
    /// Which element; without it all of them.
    item: Option<usize>,
    /// What it is set to now.
    to: f64,
    /// `scenario` or `control`.
    by: String,
}

/// A device to create.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct NewDevice {
    /// An entry of a scenario's `devices`: `express`, `motor` or `bms` with their words. Without an `id`, it gets a free
    /// one; without a `password`, `not-a-secret`.
    #[schema(inline)]
    device: DeviceWords,
    /// Entries of a scenario's `faults`, for this device alone.
    #[schema(inline)]
    faults: Option<Vec<FaultWords>>,
    /// Entries of a scenario's `quirks`, for this device alone.
    #[schema(inline)]
    quirks: Option<Vec<QuirkWords>>,
}

/// How tools log in to a new device.
#[derive(Serialize, ToSchema)]
pub(crate) struct Created {
    /// The id.
    #[schema(example = "DEVICE-0001")]
    id: String,
    /// The password.
    #[schema(example = "not-a-secret")]
    password: String,
}

/// Which node's values.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfNode {
    /// The CAN id of a node on its bus; without it, the device itself.
    pub(crate) can_id: Option<u8>,
}

/// The devices
#[utoipa::path(get, path = "/v1/devices", tag = "devices", responses((status = 200, body = Vec<DeviceAnswer>)))]
pub(crate) async fn devices(State(app): State<Arc<App>>) -> Result<Json<Vec<DeviceView>>, Refusal> {
    app.ask(|hub, _| hub.devices()).await.map(Json)
}

/// A device with its values
///
/// What it would tell now: the fields of its replies, with `truth` before any fault.
#[utoipa::path(get, path = "/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "Its id", example = "demo-0001"), OfNode),
    responses((status = 200, body = ValuesAnswer), (status = 404, body = ErrorBody)))]
pub(crate) async fn device(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Params(of): Params<OfNode>,
) -> Result<Json<DeviceWithValues>, Refusal> {
    let found = app
        .ask(move |hub, now| hub.device(now, &id, of.can_id))
        .await?;
    Ok(Json(found?))
}

/// Create a device
///
/// With its faults and quirks, in one step, in the words of a scenario.
#[utoipa::path(post, path = "/v1/devices", tag = "devices",
    request_body(content = NewDevice, example = json!({
        "device": {"express": {"id": "pack-7", "bms": {"cells": 14, "cell_voltage_v": 3.9}}},
        "faults": [{"delay": {"by": "250ms"}}],
    })),
    responses(
        (status = 201, body = Created),
        (status = 400, description = "A mistake, with its place in the body", body = ErrorBody),
        (status = 409, description = "The id is taken, or the only device serves itself", body = ErrorBody),
    ))]
pub(crate) async fn create_device(
    State(app): State<Arc<App>>,
    Text(text): Text,
) -> Result<(StatusCode, Json<Created>), Refusal> {
    let body = Body::read(&text, &["device", "faults", "quirks"])?;
    let words: Value = body.need("device")?;
    let faults = body.scenario("faults", &format!("{SOMEBODY}faults: "), "}", &[])?;
    let faults = faults.map(|read| read.scenario.faults).unwrap_or_default();
    let quirks = body.scenario("quirks", &format!("{SOMEBODY}quirks: "), "}", &[])?;
    let quirks = quirks.map(|read| read.scenario.quirks).unwrap_or_default();
    let kind = words.as_object().and_then(|kinds| kinds.iter().next());
    let (kind, inner) = match kind {
        Some((kind, inner)) => (kind.clone(), Some(inner)),
        None => ("express".to_owned(), None),
    };
    // What is no map gets the message of the scenario language.
    let can_add = inner.is_some_and(|inner| inner.is_object() || inner.is_null())
        && kind.chars().all(|c| c.is_ascii_lowercase());
    let is_missing = |key: &str| can_add && inner.is_some_and(|inner| inner[key].is_null());
    let draws = is_missing("id") && kind != "replay";
    let mut settings = Vec::new();
    if is_missing("password") && kind != "replay" {
        settings.push(format!("devices.0.{kind}.password={PASSWORD}"));
    }
    for _ in 0..TRIES {
        let mut settings = settings.clone();
        if draws {
            let id = app.ask(|hub, _| free_id(hub)).await?;
            settings.push(format!("devices.0.{kind}.id={id}"));
        }
        let read = body.scenario("device", "{version: 1, devices: [", "]}", &settings)?;
        let Some(read) = read else {
            return Err(Refusal::bad("the key `device` is missing"));
        };
        let world = read
            .build(app.seed())
            .map_err(|error| Refusal::of_scenario(&error, &text, 1))?;
        let mut residents = world.residents.into_iter();
        let (Some(mut resident), None) = (residents.next(), residents.next()) else {
            return Err(Refusal::bad("the device is not one device")
                .help("leave `count` out, and create each with a request of its own")
                .at(body.spot("device")));
        };
        let password = world
            .targets
            .into_iter()
            .next()
            .and_then(|target| target.password);
        resident.quirks = quirks.iter().map(QuirkEntry::arm).collect();
        let (insert, with_faults) = (resident, faults.clone());
        let inserted = app
            .change(
                &[Topic::Devices, Topic::Faults, Topic::Quirks],
                move |hub, now| hub.insert(now, insert, with_faults),
            )
            .await;
        let (id, at) = match inserted {
            Err(refusal)
                if draws
                    && refusal.status == StatusCode::CONFLICT
                    && refusal.body.code.as_deref() == Some("device-exists") =>
            {
                continue;
            }
            other => other?,
        };
        let mut written = read.written();
        let device = written.at("devices").items().pop();
        let harm: Vec<Written> = body
            .get::<Vec<Value>>("faults")?
            .iter()
            .flatten()
            .map(Written::from)
            .collect();
        let odd: Vec<Written> = body
            .get::<Vec<Value>>("quirks")?
            .iter()
            .flatten()
            .map(Written::from)
            .collect();
        app.steered.device_came(at, &id, device, harm, odd);
        let password = password.unwrap_or_default();
        return Ok((StatusCode::CREATED, Json(Created { id, password })));
    }
    Err(Refusal::new(StatusCode::CONFLICT, "no id is free").help("give the device an `id`"))
}

/// An id that no device has.
fn free_id(hub: &Hub) -> String {
    let known: HashSet<&str> = hub.device_ids().collect();
    let mut number = 1_u64;
    loop {
        let id = format!("DEVICE-{number:04}");
        if !known.contains(id.as_str()) {
            return id;
        }
        number += 1;
    }
}

/// Does something to a device.
async fn act(
    app: &App,
    id: String,
    said: &str,
    act: fn(&mut Hub, Time, &str) -> Result<(), SteerError>,
) -> Result<StatusCode, Refusal> {
    let spelt = normalise_id(&id);
    let topics = [Topic::Devices, Topic::Sessions];
    let (_, at) = app
        .change(&topics, move |hub, now| act(hub, now, &id))
        .await?;
    app.steered.remark(at, format!("{spelt} {said}"));
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the route that does something to a device.
macro_rules! acts {
    ($($name:ident $method:ident $path:literal $said:literal = $act:expr, $(#[$doc:meta])+)+) => {
        $(
            $(#[$doc])+
            #[utoipa::path($method, path = $path, tag = "devices",
                params(("id" = String, Path, description = "Its id", example = "demo-0001")),
                responses(
                    (status = 204),
                    (status = 404, body = ErrorBody),
                    (status = 409, description = "It cannot be done to this device", body = ErrorBody),
                ))]
            pub(crate) async fn $name(
                State(app): State<Arc<App>>,
                Path(id): Path<String>,
            ) -> Result<StatusCode, Refusal> {
                act(&app, id, $said, $act).await
            }
        )+
    };
}

acts! {
    unplug post "/v1/devices/{id}/unplug" "was unplugged" = Hub::unplug,
    /// Unplug a device
    ///
    /// The hub closes its tool, and refuses logins to it as to an unknown device, until it is plugged in again.
    plug post "/v1/devices/{id}/plug" "was plugged in" = Hub::plug,
    /// Plug a device in again
    reboot post "/v1/devices/{id}/reboot" "restarted" = Hub::reboot,
    /// Restart a device
    ///
    /// As by a command: it is away for a moment, and begins anew.
    remove_device delete "/v1/devices/{id}" "was removed" = Hub::remove,
    /// Remove a device
    ///
    /// With its faults and breakpoints. The hub closes its tool.
}

/// A value to set, in the words of a scenario's `set`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct SetWords {
    /// The field, by its name in readings.
    field: String,
    /// Which element of a list; the first is 0. Without it all of them.
    item: Option<usize>,
    /// The CAN id of a node on its bus; without it, the device itself.
    can_id: Option<u8>,
    /// The value, or a ramp's last one.
    to: f64,
    /// A ramp's first value.
    from: Option<f64>,
    /// How long a ramp takes, e.g. `20s`.
    over: Option<String>,
}

/// Pin or ramp a value
///
/// From now on, whatever the device does: `to` pins it, `from`, `to` and `over` ramp it.
#[utoipa::path(post, path = "/v1/devices/{id}/values", tag = "devices",
    params(("id" = String, Path, description = "The id of the device", example = "demo-0001")),
    request_body(content = SetWords, example = json!({"field": "cell_voltages_v", "item": 3, "to": 3.1})),
    responses(
        (status = 204),
        (status = 400, description = "No such field, or a value that cannot be", body = ErrorBody),
        (status = 404, description = "No such device or node", body = ErrorBody),
        (status = 409, description = "It has nothing that can be set", body = ErrorBody),
    ))]
pub(crate) async fn set_value(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Text(text): Text,
) -> Result<StatusCode, Refusal> {
    let keys = ["field", "item", "can_id", "to", "from", "over"];
    let body = Body::read(&text, &keys)?;
    let can_id: Option<u8> = body.get("can_id")?;
    let command = SetCommand {
        field: body.need("field")?,
        item: body.get("item")?,
        to: body.get("to")?,
        from: body.get("from")?,
        over: body.get("over")?,
    };
    let spelt = normalise_id(&id);
    let words = serde_json::to_value(&command).unwrap_or_default();
    let done = app
        .change(&[Topic::Devices], move |hub, now| {
            hub.set(now, &id, can_id, &command)
        })
        .await;
    let (_, at) = done.map_err(|refusal| {
        let place = match refusal.body.code.as_deref() {
            Some("no-such-field") => body.spot("field"),
            Some("no-such-node") => body.spot("can_id"),
            _ => None,
        };
        refusal.at(place)
    })?;
    app.steered.set(at, &spelt, can_id, &words);
    Ok(StatusCode::NO_CONTENT)
}

/// Which values to release: without any of these, all.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Released {
    /// Only this field.
    #[param(example = "cell_voltages_v")]
    field: Option<String>,
    /// Only this element of it.
    item: Option<usize>,
    /// The CAN id of a node on its bus; without it, the device itself.
    can_id: Option<u8>,
}

/// Release values
///
/// What was pinned or ramped here; what the scenario sets comes back.
#[utoipa::path(delete, path = "/v1/devices/{id}/values", tag = "devices",
    params(("id" = String, Path, description = "The id of the device", example = "demo-0001"), Released),
    responses((status = 204), (status = 404, description = "No such device, or nothing was set", body = ErrorBody)))]
pub(crate) async fn release_values(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Params(said): Params<Released>,
) -> Result<StatusCode, Refusal> {
    let text = match (&said.field, said.item) {
        (Some(field), Some(item)) => format!("{field}[{item}] was released"),
        (Some(field), None) => format!("{field} was released"),
        _ => "all values were released".to_owned(),
    };
    let remark = format!("{} {text}", normalise_id(&id));
    let release = Release {
        field: said.field,
        item: said.item,
    };
    let (_, at) = app
        .change(&[Topic::Devices], move |hub, now| {
            hub.release(now, &id, said.can_id, &release)
        })
        .await?;
    app.steered.remark(at, remark);
    Ok(StatusCode::NO_CONTENT)
}

/// Never made: says that a resident can be handed to the hub's thread.
const _: fn(Resident) = |resident| {
    fn sendable<T: Send>(_: T) {}
    sendable(resident);
};
