//! What the control API says when it cannot do what was asked.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use veschub_hub::hub::steer::{SteerError, SteerErrorKind};
use veschub_scenario::ScenarioError;

/// What was wrong with a request, and what to do about it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({
    "error": "no device has the id DEMO-0002",
    "help": "did you mean `DEMO-0001`?",
    "code": "no-such-device",
}))]
pub(crate) struct ErrorBody {
    /// What is wrong, in a sentence.
    pub(crate) error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
    /// What kind of mistake it is; where the body holds words of a scenario, as `veschub-sim check --json` tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// Where in the body the mistake is.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Spot>,
}

/// A place in the body of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Spot {
    /// Counted from 1.
    pub(crate) line: usize,
    /// In characters, counted from 1.
    pub(crate) column: usize,
    /// The body from there to the end of the line, at most 80 characters.
    pub(crate) text: String,
}

impl Spot {
    /// A place in a body.
    pub(crate) fn new(body: &str, line: usize, column: usize) -> Self {
        let on_line = body.split('\n').nth(line.saturating_sub(1));
        let rest = on_line.unwrap_or_default().trim_end().chars();
        Self {
            line,
            column,
            text: rest.skip(column.saturating_sub(1)).take(80).collect(),
        }
    }
}

/// A request that is refused: the status, and the words.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) body: Box<ErrorBody>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        let body = ErrorBody {
            error: error.into(),
            ..ErrorBody::default()
        };
        Self {
            status,
            body: Box::new(body),
        }
    }

    /// The body or the query is not what the route takes.
    pub(crate) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// The hub does not run any more.
    pub(crate) fn ended() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the hub has ended")
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.body.help = Some(help.into());
        self
    }

    /// Says where in the body it is, if that is known.
    #[must_use]
    pub(crate) fn at(mut self, place: Option<Spot>) -> Self {
        self.body.place = place.or(self.body.place);
        self
    }

    /// A mistake of the scenario language, at its place in the body; `lines_before` stand before the body in the text
    /// that was read.
    pub(crate) fn of_scenario(error: &ScenarioError, body: &str, lines_before: usize) -> Self {
        let place = error.line().zip(error.column());
        let place = place.and_then(|(line, column)| {
            let line = line.checked_sub(lines_before).filter(|line| *line > 0)?;
            Some(Spot::new(body, line, column))
        });
        let refusal = Self::bad(error.message());
        Self {
            status: refusal.status,
            body: Box::new(ErrorBody {
                help: Some(error.helps().join("; ")).filter(|help| !help.is_empty()),
                code: Some(error.code().id().to_owned()),
                place,
                ..*refusal.body
            }),
        }
    }

    /// A text that is no JSON.
    pub(crate) fn of_json(error: &serde_json::Error, body: &str) -> Self {
        let message = error.to_string();
        // The place is told apart from the words.
        let (message, _) = message.rsplit_once(" at line ").unwrap_or((&message, ""));
        let mut refusal = Self::bad(if error.is_data() {
            message.to_owned()
        } else {
            format!("the body is not JSON: {message}")
        });
        if error.line() > 0 {
            refusal.body.place = Some(Spot::new(body, error.line(), error.column().max(1)));
        }
        refusal
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}{}", .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct Refused {
    /// What is wrong, in a sentence.
    pub error: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether the hub has ended, and will answer nobody any more.
    pub is_end: bool,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            is_end: refusal.is_ended(),
            error: refusal.body.error,
            help: refusal.body.help,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut text = serde_json::to_string(&self.body).unwrap_or_default();
        text.push('\n');
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/json")],
            text,
        )
            .into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // Whoever is one too many does not keep a connection.
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

impl From<SteerError> for Refusal {
    fn from(error: SteerError) -> Self {
        let status = match error.kind() {
            SteerErrorKind::NotFound => StatusCode::NOT_FOUND,
            SteerErrorKind::Conflict => StatusCode::CONFLICT,
            SteerErrorKind::Wrong => StatusCode::BAD_REQUEST,
        };
        let text = error.to_string();
        // What is wrong, and what to do about it.
        let mut refusal = match text.split_once("; ") {
            Some((error, help)) => Self::new(status, error).help(help),
            None => Self::new(status, text),
        };
        refusal.body.code = Some(error.code().to_owned());
        refusal
    }
}
