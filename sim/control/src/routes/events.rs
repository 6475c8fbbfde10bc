//! What happens, as it happens: server-sent events.
//!
//! A listener is a number in the journal, not a queue: it is given what lies behind that number, and what it does not
//! take in time is in the journal until there is too much of it. So a listener that never reads costs one piece of text.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_core::Stream;
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, sleep, sleep_until},
};
use utoipa::IntoParams;

use super::entries::query;
use crate::{
    app::{App, MOST_LISTENERS, Params},
    error::Refusal,
    filter::{Filter, Words},
    line,
};

/// About so much is given at a time.
const PIECE: usize = 64 << 10;
/// Whoever was woken looks again after so long at the earliest.
const PAUSE: Duration = Duration::from_millis(10);
/// What changed is told at most once in this time.
const STATE_EVERY: Duration = Duration::from_millis(250);
/// A comment is sent when nothing else was for so long, so that both ends notice when the other is gone.
const SILENCE: Duration = Duration::from_secs(15);

query! {
    /// Which entries to hear of.
    Listened {
        /// Begin behind this number; without it, and without `Last-Event-ID`, with what comes next.
        after: Option<u64>,
    }
}

/// What happens, as it happens
///
/// Server-sent events. `hello` comes first: `{run, next}`, another `run` is another server. `journal` is an entry of the
/// journal as `GET /v1/journal` gives it, with `seq` as its id: with the header `Last-Event-ID` the entries behind it come
/// first. `lost` says that entries were dropped before this listener took them: `{entries}`. `state` says at most four times
/// a second what changed and is worth looking at again: `{changed: [hub, sessions, devices, quirks, faults, breakpoints,
/// held, clock]}`. At most 64 listen at a time.
#[utoipa::path(get, path = "/v1/events", tag = "journal", params(Listened,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was taken")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 400, body = crate::error::ErrorBody),
        (status = 429, description = "Too many listen", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Params(query): Params<Listened>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let filter = query.filter()?;
    let slot = Arc::clone(&app.listeners).try_acquire_owned();
    let slot = slot.map_err(|_| {
        let error = format!("{MOST_LISTENERS} listen already, and there may be no more");
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, error).help("close one of them")
    })?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let end = app.store.last();
    let after = match last.map(str::parse::<u64>) {
        // A number that is yet to come is of an earlier server at this address.
        Some(Ok(last)) if last > end => 0,
        Some(Ok(last)) => last,
        Some(Err(_)) => return Err(Refusal::bad("Last-Event-ID is not the id of an event")),
        None => query.after.unwrap_or(end),
    };
    let (pieces, taken) = mpsc::channel(1);
    tokio::spawn(feed(app, filter, after, pieces, slot));
    let headers = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((headers, Body::from_stream(Pieces(taken))).into_response())
}

/// A body that comes piece by piece.
pub(super) struct Pieces(pub(super) mpsc::Receiver<Bytes>);

impl Stream for Pieces {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}

/// Gives a listener what happens until it is gone.
async fn feed(
    app: Arc<App>,
    filter: Filter,
    mut after: u64,
    pieces: mpsc::Sender<Bytes>,
    _slot: OwnedSemaphorePermit,
) {
    let hello = format!(
        "retry: 1000\n\nevent: hello\ndata: {{\"run\":\"{}\",\"next\":{after}}}\n\n",
        app.run
    );
    if pieces.send(Bytes::from(hello)).await.is_err() {
        return;
    }
    let mut told = app.changes.now();
    let mut next_state = Instant::now();
    loop {
        let waiting = app.store.waiting();
        let mut piece = Vec::new();
        let is_end = take(&app, &filter, &mut after, &mut piece);
        let now = app.changes.now();
        let changed = now.since(&told);
        let is_due = Instant::now() >= next_state;
        if !changed.is_empty() && is_due {
            let changed = serde_json::to_string(&changed).unwrap_or_default();
            let event = format!("event: state\ndata: {{\"changed\":{changed}}}\n\n");
            piece.extend_from_slice(event.as_bytes());
            (told, next_state) = (now, Instant::now() + STATE_EVERY);
        }
        if !piece.is_empty() && pieces.send(Bytes::from(piece)).await.is_err() {
            return;
        }
        if !is_end {
            continue;
        }
        tokio::select! {
            biased;
            () = pieces.closed() => return,
            () = waiting.news() => sleep(PAUSE).await,
            () = sleep_until(next_state), if !changed.is_empty() && !is_due => {}
            () = sleep(SILENCE) => {
                if pieces.send(Bytes::from_static(b": nothing new\n\n")).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Appends the entries behind a number as events, about a piece of them; whether that is all for now.
fn take(app: &App, filter: &Filter, after: &mut u64, piece: &mut Vec<u8>) -> bool {
    let batch = app.store.after(*after);
    if batch.lost > 0 {
        let lost = format!("event: lost\ndata: {{\"entries\":{}}}\n\n", batch.lost);
        piece.extend_from_slice(lost.as_bytes());
    }
    for record in &batch.records {
        if piece.len() >= PIECE {
            return false;
        }
        *after = record.seq;
        if filter.fits(&record.entry) {
            let start = format!("id: {}\nevent: journal\ndata: ", record.seq);
            piece.extend_from_slice(start.as_bytes());
            line::append(piece, record);
            piece.extend_from_slice(b"\n\n");
        }
    }
    *after = batch.last;
    batch.is_end
}
