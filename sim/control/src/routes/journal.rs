//! The journal: look, count, wait, forget; and what went over the wire.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use utoipa::{IntoParams, ToSchema};
use veschub_hub::duration;

use super::{
    entries::{Entries, Found, JournalAnswer, answer, find, json, limit, query},
    events::Pieces,
    near::{Differs, NearMiss, nearest},
};
use crate::{
    app::{App, MOST_DOWNLOADS, Params},
    error::Refusal,
    filter::{Filter, Words},
    line,
};

/// How long is waited unless the query says otherwise, and at most.
const WITHIN: duration::Duration = duration::Duration(5_000_000_000);
const LONGEST: Duration = Duration::from_secs(60);
/// Whoever was woken looks again after so long at the earliest: a hub at work would wake it for each entry.
const PAUSE: Duration = Duration::from_millis(5);
/// So much of a capture is handed out at once.
const PIECE: usize = 64 << 10;
/// Whoever takes nothing of a capture for so long does not get the rest.
const IDLE: Duration = Duration::from_secs(30);

query! {
    /// Which entries to count.
    Counted {
        /// Only entries behind this number.
        after: Option<u64>,
    }
}

query! {
    /// What to wait for.
    Awaited {
        /// Only entries behind this number; without it, those count that are there already.
        after: Option<u64>,
        /// Until so many were seen: 1 unless given, at most 10,000.
        count: Option<usize>,
        /// How long to wait: 5s unless given, at most 60s.
        #[param(value_type = Option<String>, example = "5s")]
        within: Option<duration::Duration>,
    }
}

/// How many there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Count {
    /// Entries that fit, among those that are kept.
    #[schema(example = 3)]
    count: u64,
}

/// What was forgotten.
#[derive(Serialize, ToSchema)]
pub(crate) struct Forgotten {
    /// How many entries.
    forgotten: usize,
    /// The number of the last one: to ask for what comes behind it.
    next: u64,
}

/// What was not seen in time.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is written piece by piece")]
pub(crate) struct NotSeen {
    /// What is wrong, in a sentence.
    #[schema(example = "seen 0 of 1 within 5s")]
    error: String,
    /// How many entries fit.
    seen: usize,
    /// The entries that are the most like it, the latest first.
    near_misses: Vec<NearMiss>,
}

/// Entries of the journal
///
/// In the order in which things happened, each as a line of `--journal` with its number `seq`. Passwords and keys are
/// masked. 100,000 entries or 64 MiB are kept, the latest.
#[utoipa::path(get, path = "/v1/journal", tag = "journal", params(Entries),
    responses((status = 200, body = JournalAnswer), (status = 400, body = crate::error::ErrorBody)))]
pub(crate) async fn journal(
    State(app): State<Arc<App>>,
    Params(query): Params<Entries>,
) -> Result<Response, Refusal> {
    let filter = query.filter()?;
    let limit = limit(query.limit)?;
    let after = query.after.unwrap_or_default();
    let found = find(&app.store, after, limit, |record| {
        filter.fits(&record.entry)
    })
    .await;
    Ok(answer(&found))
}

/// How many entries there are
#[utoipa::path(get, path = "/v1/journal/count", tag = "journal", params(Counted),
    responses((status = 200, body = Count), (status = 400, body = crate::error::ErrorBody)))]
pub(crate) async fn count_journal(
    State(app): State<Arc<App>>,
    Params(query): Params<Counted>,
) -> Result<Json<Count>, Refusal> {
    let filter = query.filter()?;
    let mut next = query.after.unwrap_or_default();
    let mut count = 0;
    loop {
        let batch = app.store.after(next);
        let fitting = batch.records.iter();
        count += fitting.filter(|record| filter.fits(&record.entry)).count() as u64;
        next = batch.last;
        if batch.is_end {
            return Ok(Json(Count { count }));
        }
        tokio::task::yield_now().await;
    }
}

/// Wait until something was seen
///
/// Answers as soon as so many entries fit: those that are in the journal already count, so forget it first, or ask for
/// those behind a number with `after`. If not enough came in time, the answer is 408, with the entries that are the most
/// like it and what of them does not fit.
#[utoipa::path(get, path = "/v1/journal/wait", tag = "journal", params(Awaited),
    responses(
        (status = 200, body = JournalAnswer),
        (status = 400, body = crate::error::ErrorBody),
        (status = 408, description = "Not seen in time", body = NotSeen),
    ))]
pub(crate) async fn wait_for_journal(
    State(app): State<Arc<App>>,
    Params(query): Params<Awaited>,
) -> Result<Response, Refusal> {
    let filter = query.filter()?;
    let count = limit(Some(query.count.unwrap_or(1)))?;
    let within = query.within.unwrap_or(WITHIN);
    if within.get() > LONGEST {
        return Err(Refusal::bad(format!(
            "{within} is too long: the longest wait is 60s"
        )));
    }
    let deadline = Instant::now() + within.get();
    let start = query.after.unwrap_or_default();
    let mut seen = Found {
        records: Vec::new(),
        next: start,
        dropped: 0,
    };
    loop {
        let waiting = app.store.waiting();
        let wanted = count - seen.records.len();
        let more = find(&app.store, seen.next, wanted, |record| {
            filter.fits(&record.entry)
        });
        let more = more.await;
        seen.records.extend(more.records);
        (seen.next, seen.dropped) = (more.next, seen.dropped + more.dropped);
        if seen.records.len() >= count {
            return Ok(answer(&seen));
        }
        if timeout_at(deadline, waiting.news()).await.is_err() {
            break;
        }
        sleep_until(deadline.min(Instant::now() + PAUSE)).await;
    }
    let error = format!("seen {} of {count} within {within}", seen.records.len());
    let error = serde_json::to_string(&error).unwrap_or_default();
    let mut text = format!(
        "{{\"error\":{error},\"seen\":{},\"near_misses\":[",
        seen.records.len()
    )
    .into_bytes();
    let near = nearest(&app.store, start, &filter).await;
    for (index, (record, differences)) in near.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(b"{\"entry\":");
        line::append(&mut text, record);
        let differs: Vec<Differs> = differences.iter().map(Differs::from).collect();
        text.extend_from_slice(b",\"differs\":");
        text.extend_from_slice(&serde_json::to_vec(&differs).unwrap_or_default());
        text.push(b'}');
    }
    text.extend_from_slice(b"]}\n");
    Ok(json(StatusCode::REQUEST_TIMEOUT, text))
}

/// Forget the journal
///
/// What happened so far is not seen any more, here and in `/v1/session.pcapng`. Numbers go on.
#[utoipa::path(delete, path = "/v1/journal", tag = "journal",
    responses((status = 200, body = Forgotten)))]
pub(crate) async fn forget_journal(State(app): State<Arc<App>>) -> Json<Forgotten> {
    app.wire.forget();
    let forgotten = app.store.forget();
    Json(Forgotten {
        forgotten,
        next: app.store.last(),
    })
}

/// What went over the wire
///
/// A pcapng file, as `--save` writes it, without passwords and keys: faults included. The latest 32 MiB; the header
/// `veschub-dropped` says how many packets before them are not kept any more. Bytes of which it is not certain yet
/// whether they hold a password come later.
#[utoipa::path(get, path = "/v1/session.pcapng", tag = "journal",
    responses(
        (status = 200, content_type = "application/x-pcapng", body = Vec<u8>),
        (status = 429, description = "Too many fetch it", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn session_capture(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let slot = Arc::clone(&app.downloads).try_acquire_owned();
    let slot = slot.map_err(|_| {
        let error = format!("{MOST_DOWNLOADS} fetch the session already, and there may be no more");
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, error).help("ask again when one is done")
    })?;
    let now = app.ask(|_, now| now).await?;
    let (file, dropped) = app.wire.file(now);
    let headers = [
        (header::CONTENT_TYPE, "application/x-pcapng".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"session.pcapng\"".to_owned(),
        ),
        (header::CONTENT_LENGTH, file.len().to_string()),
        (
            header::HeaderName::from_static("veschub-dropped"),
            dropped.to_string(),
        ),
    ];
    let (pieces, taken) = mpsc::channel(1);
    tokio::spawn(hand_out(Bytes::from(file), pieces, slot));
    Ok((headers, Body::from_stream(Pieces(taken))).into_response())
}

/// Gives somebody a file, as fast as it is taken.
async fn hand_out(mut file: Bytes, pieces: mpsc::Sender<Bytes>, _slot: OwnedSemaphorePermit) {
    while !file.is_empty() {
        let piece = file.split_to(file.len().min(PIECE));
        match timeout(IDLE, pieces.send(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
