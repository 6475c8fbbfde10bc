//! What all routes share, and how they take what a request says.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use veschub_drive::remote::Remote;
use veschub_hub::{
    hub::{Hub, steer::SteerError},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;

use crate::{
    changes::{Changes, Topic},
    error::Refusal,
    guard::Guard,
    steered::Steered,
    store::Store,
    wire::Wire,
};

/// The most that listen to events at a time.
pub(crate) const MOST_LISTENERS: usize = 64;
/// The most who fetch the session as a capture at a time: each has a copy until all of it was sent.
pub(crate) const MOST_DOWNLOADS: usize = 4;
/// The largest body that is read.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// What is known of the hub from the start.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The version of the program.
    pub version: String,
    /// What decided all that is random, if something does.
    pub seed: Option<u64>,
    /// The scenario that the hub was made of, if one was.
    pub scenario: Option<Loaded>,
    /// Whether there is no hub: the only device serves itself.
    pub direct: bool,
}

/// What all routes share.
pub(crate) struct App {
    pub(crate) about: About,
    /// Where the hub listens.
    pub(crate) listening: SocketAddr,
    /// Which run this is: another server at the same address has another.
    pub(crate) run: String,
    pub(crate) store: Arc<Store>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) remote: Remote,
    pub(crate) guard: Guard,
    pub(crate) listeners: Arc<Semaphore>,
    pub(crate) downloads: Arc<Semaphore>,
    pub(crate) steered: Steered,
}

impl App {
    /// Has the hub do something, and waits until it is done.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Hub, Time) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.remote.ask(what).await.map_err(|_| Refusal::ended())
    }

    /// Has the hub change something, and says afterwards that it did; with the time at which it was done.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        topics: &[Topic],
        what: impl FnOnce(&mut Hub, Time) -> Result<T, SteerError> + Send + 'static,
    ) -> Result<(T, Time), Refusal> {
        let done = self.ask(|hub, now| (what(hub, now), now)).await?;
        let done = (done.0.map_err(Refusal::from)?, done.1);
        self.mark(topics);
        Ok(done)
    }

    /// Says that these changed.
    pub(crate) fn mark(&self, topics: &[Topic]) {
        for topic in topics {
            self.changes.mark(*topic);
        }
        self.store.wake();
    }

    /// The seed of what is added while the hub runs.
    pub(crate) fn seed(&self) -> Seed {
        Seed(self.about.seed.unwrap_or_default())
    }
}

/// What the query of a request says.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(said)) => Ok(Self(said)),
            Err(error) => {
                let text = error.body_text();
                let text = text.strip_prefix("Failed to deserialize query string: ");
                let text = text.map_or_else(|| error.body_text(), str::to_owned);
                Err(match text.split_once(", expected ") {
                    Some((what, expected)) => {
                        Refusal::bad(what).help(format!("in the query, expected {expected}"))
                    }
                    None => Refusal::bad(format!("in the query: {text}")),
                })
            }
        }
    }
}

/// The body of a request as text; such a request has no query.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        // What a body says is in the body alone.
        if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
            let refusal = Refusal::bad(format!("this request takes no query, here ?{query}"));
            return Err(refusal.help("write it into the body, as a key of its own"));
        }
        let too_large = || {
            let error = format!("the body is larger than {MAX_BODY} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error)
        };
        // What says that it is too large is not waited for.
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > MAX_BODY) {
            return Err(too_large());
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            status => Refusal::new(status, rejection.body_text()),
        })?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Self(text)),
            Err(_) => Err(Refusal::bad("the body is not UTF-8")),
        }
    }
}
