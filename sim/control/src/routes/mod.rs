//! All routes, with what OpenAPI says of them.

#[expect(
    unused_qualifications,
    reason = "utoipa's macro writes the path of a query"
)]
mod breakpoints;
mod catalogue;
#[expect(
    unused_qualifications,
    reason = "utoipa's macro writes the path of a query"
)]
pub(crate) mod devices;
mod entries;
#[expect(
    unused_qualifications,
    reason = "utoipa's macro writes the path of a query"
)]
mod events;
pub(crate) mod faults;
pub(crate) mod hub;
#[expect(
    unused_qualifications,
    reason = "utoipa's macro writes the path of a query"
)]
pub(crate) mod journal;
mod near;
mod page;
mod save;
mod words;

use std::sync::{Arc, LazyLock};

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// What stands before the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "veschub-sim control",
        description = "Watches and steers a hub of veschub-sim while it runs. Times are seconds of the hub as numbers, with \
                       the key `at`, as in the journal. Durations are written as in scenarios: `250ms`, `2.6s`. Bodies \
                       that hold words of a scenario are read by the scenario language, and a mistake gets its message, \
                       with the place in the body.",
        version = "1",
        license(name = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "hub", description = "The hub and its connections"),
        (name = "devices", description = "Devices and their values"),
        (name = "faults and quirks", description = "Harm to links, and odd behaviour of devices"),
        (name = "breakpoints", description = "Requests that are held"),
        (name = "clock", description = "The time of the hub"),
        (name = "journal", description = "What happened, and what is happening"),
        (name = "page", description = "The page for people"),
    ),
)]
struct Document;

/// All routes.
pub(crate) fn all() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(page::page))
        .routes(routes!(page::page_file))
        .routes(routes!(openapi))
        .routes(routes!(hub::health))
        .routes(routes!(hub::ready))
        .routes(routes!(hub::metrics))
        .routes(routes!(hub::hub))
        .routes(routes!(hub::stop))
        .routes(routes!(hub::start))
        .routes(routes!(hub::sessions))
        .routes(routes!(hub::kick))
        .routes(routes!(devices::devices, devices::create_device))
        .routes(routes!(devices::device, devices::remove_device))
        .routes(routes!(devices::unplug))
        .routes(routes!(devices::plug))
        .routes(routes!(devices::reboot))
        .routes(routes!(devices::set_value, devices::release_values))
        .routes(routes!(faults::quirks))
        .routes(routes!(faults::set_quirk, faults::remove_quirk))
        .routes(routes!(
            faults::faults,
            faults::add_fault,
            faults::remove_faults
        ))
        .routes(routes!(faults::remove_fault))
        .routes(routes!(catalogue::catalogue))
        .routes(routes!(hub::clock, hub::change_clock))
        .routes(routes!(
            breakpoints::breakpoints,
            breakpoints::add_breakpoint
        ))
        .routes(routes!(breakpoints::remove_breakpoint))
        .routes(routes!(breakpoints::held))
        .routes(routes!(breakpoints::let_go))
        .routes(routes!(journal::journal, journal::forget_journal))
        .routes(routes!(journal::count_journal))
        .routes(routes!(journal::wait_for_journal))
        .routes(routes!(near::near_misses))
        .routes(routes!(events::events))
        .routes(routes!(journal::session_capture))
        .routes(routes!(save::scenario))
}

/// The OpenAPI document of all routes, as JSON.
///
/// The words of scenarios are in it as schemas of their own: `Device`, `Fault`, `Quirk`, and what they are made of.
#[must_use]
pub fn openapi_json() -> String {
    let (_, document) = all().split_for_parts();
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    let schemas = &mut document["components"]["schemas"];
    for (name, schema) in words::schemas() {
        schemas[name] = schema;
    }
    // The same, whatever order of keys other crates ask serde_json for.
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The paths of all routes.
pub(crate) fn paths() -> &'static [String] {
    static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let (_, document) = all().split_for_parts();
        document.paths.paths.into_keys().collect()
    });
    &PATHS
}

/// What there is
///
/// This document: OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "hub", responses((status = 200, content_type = "application/json", body = Object)))]
pub(crate) async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(openapi_json);
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, TEXT.as_str()).into_response()
}
