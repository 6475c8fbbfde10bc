//! A run that was steered by hand, as a scenario.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::app::App;

/// The run so far as a scenario
///
/// The scenario of the hub with what was changed since: devices that were created, values as `set` with the time as `at`,
/// faults with `after` and `for`, quirks. What the language has no word for is a comment. Played again, it begins at 0.
#[utoipa::path(get, path = "/v1/scenario.yaml", tag = "hub",
    responses((status = 200, content_type = "application/yaml", body = String)))]
pub(crate) async fn scenario(State(app): State<Arc<App>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/yaml"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"steered.yaml\"",
        ),
    ];
    (headers, app.steered.scenario()).into_response()
}
