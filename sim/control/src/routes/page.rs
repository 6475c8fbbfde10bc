//! The page, from memory: nothing of it comes from elsewhere.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

use crate::error::Refusal;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The files of the page: their names, what they are, and what is in them.
const FILES: &[(&str, &str, &str)] = &[
    ("index.html", HTML, include_str!("../../page/index.html")),
    ("api.js", SCRIPT, include_str!("../../page/api.js")),
    ("app.js", SCRIPT, include_str!("../../page/app.js")),
    ("breakit.js", SCRIPT, include_str!("../../page/breakit.js")),
    ("clock.js", SCRIPT, include_str!("../../page/clock.js")),
    ("device.js", SCRIPT, include_str!("../../page/device.js")),
    ("devices.js", SCRIPT, include_str!("../../page/devices.js")),
    ("dom.js", SCRIPT, include_str!("../../page/dom.js")),
    ("entry.js", SCRIPT, include_str!("../../page/entry.js")),
    ("form.js", SCRIPT, include_str!("../../page/form.js")),
    ("hold.js", SCRIPT, include_str!("../../page/hold.js")),
    ("motor.js", SCRIPT, include_str!("../../page/motor.js")),
    ("pack.js", SCRIPT, include_str!("../../page/pack.js")),
    ("plot.js", SCRIPT, include_str!("../../page/plot.js")),
    ("tiles.js", SCRIPT, include_str!("../../page/tiles.js")),
    ("wire.js", SCRIPT, include_str!("../../page/wire.js")),
    ("style.css", STYLE, include_str!("../../page/style.css")),
    ("views.css", STYLE, include_str!("../../page/views.css")),
];

/// What a browser may do with the page: run and show what this server has, and talk to it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page
///
/// Shows the devices and the wire of the hub. It is made of files in the program, and asks nobody but this server.
#[utoipa::path(get, path = "/", tag = "page",
    responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn page() -> Result<Response, Refusal> {
    file("index.html")
}

/// A file of the page
#[utoipa::path(get, path = "/page/{file}", tag = "page",
    params(("file" = String, Path, description = "Its name", example = "app.js")),
    responses(
        (status = 200, description = "The file", body = String),
        (status = 404, body = crate::error::ErrorBody),
    ))]
pub(crate) async fn page_file(Path(name): Path<String>) -> Result<Response, Refusal> {
    file(&name)
}

fn file(name: &str) -> Result<Response, Refusal> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let Some((_, kind, text)) = found else {
        return Err(Refusal::not_found(format!("the page has no file {name:?}")));
    };
    let headers = [
        (header::CONTENT_TYPE, *kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((headers, *text).into_response())
}
