//! What is nearly what was wanted: entries that almost fit, and requests that got no answer.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;
use veschub_hub::journal::JournalEvent;

use super::entries::{Entries, JournalLine, end, find, json, limit};
use crate::{
    app::{App, Params},
    error::Refusal,
    filter::{Difference, Filter},
    line,
    store::{Record, Store},
};

/// How many near misses are told.
const NEAR: usize = 5;
/// An entry that is nearly the one that was waited for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is written piece by piece")]
pub(crate) struct NearMiss {
    entry: JournalLine,
    /// What of it does not fit.
    differs: Vec<Differs>,
}

/// A key that does not fit.
#[derive(Serialize, ToSchema)]
pub(crate) struct Differs {
    /// The key of the query.
    key: &'static str,
    /// What the query wants.
    wanted: String,
    /// What the entry has, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
}

/// Requests that got no answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is written piece by piece")]
pub(crate) struct NearMisses {
    entries: Vec<Unanswered>,
    /// The number to ask for with `after`, to go on behind these.
    next: u64,
    /// How many of those asked for are not kept any more.
    dropped: u64,
}

/// Why something got no answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is written piece by piece")]
pub(crate) struct Unanswered {
    /// What kept the answer back.
    reason: Reason,
    entry: JournalLine,
}

/// What kept an answer back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// The device does not answer such a request.
    Silence,
    /// A quirk kept the request from the device.
    Quirk,
    /// A fault acted on the request or the reply.
    Fault,
    /// Bytes are no frame; `name` and `why` tell what they nearly are.
    Noise,
    /// A frame never became whole.
    HalfFrame,
    /// Bytes came with the login line and were lost.
    CameWithLogin,
    /// The hub refused the login.
    LoginRefused,
    /// The device serves somebody else.
    NotServed,
    /// The tool was gone when the reply came.
    NobodyThere,
}

impl From<&Difference> for Differs {
    fn from(difference: &Difference) -> Self {
        Self {
            key: difference.key,
            wanted: difference.wanted.clone(),
            found: difference.found.clone(),
        }
    }
}

/// The entries that fit in most keys, the best first, of those the latest; none that fits in no key.
pub(super) async fn nearest(
    store: &Store,
    after: u64,
    filter: &Filter,
) -> Vec<(Record, Vec<Difference>)> {
    let mut best: Vec<(Record, Vec<Difference>)> = Vec::new();
    let mut next = after;
    loop {
        let batch = store.after(next);
        for record in batch.records {
            let differences = filter.differences(&record.entry);
            if !(1..filter.keys()).contains(&differences.len()) {
                continue;
            }
            let place = best.partition_point(|(_, other)| other.len() < differences.len());
            if place < NEAR {
                best.insert(place, (record, differences));
                best.truncate(NEAR);
            }
        }
        next = batch.last;
        if batch.is_end {
            return best;
        }
        tokio::task::yield_now().await;
    }
}

/// Requests that got no answer
///
/// What a client sent or asked for, and got nothing, each with the reason: the device is silent about it, a quirk or a
/// fault kept it back, or the bytes were no frame, and what they nearly were.
#[utoipa::path(get, path = "/v1/near-misses", tag = "journal", params(Entries),
    responses((status = 200, body = NearMisses), (status = 400, body = crate::error::ErrorBody)))]
pub(crate) async fn near_misses(
    State(app): State<Arc<App>>,
    Params(query): Params<Entries>,
) -> Result<Response, Refusal> {
    let filter = query.filter()?;
    let limit = limit(query.limit)?;
    let after = query.after.unwrap_or_default();
    let found = find(&app.store, after, limit, |record| {
        reason(&record.entry.event).is_some() && filter.fits(&record.entry)
    })
    .await;
    let mut text = b"{\"entries\":[".to_vec();
    for (index, record) in found.records.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        let reason = reason(&record.entry.event);
        text.extend_from_slice(b"{\"reason\":");
        text.extend_from_slice(&serde_json::to_vec(&reason).unwrap_or_default());
        text.extend_from_slice(b",\"entry\":");
        line::append(&mut text, record);
        text.push(b'}');
    }
    text.push(b']');
    end(&mut text, &found);
    Ok(json(StatusCode::OK, text))
}

fn reason(event: &JournalEvent) -> Option<Reason> {
    Some(match event {
        JournalEvent::NotAnswered { .. } => Reason::Silence,
        JournalEvent::QuirkFired { .. } => Reason::Quirk,
        JournalEvent::FaultFired(_) => Reason::Fault,
        JournalEvent::Noise { .. } => Reason::Noise,
        JournalEvent::PartialFrameLeft { .. } => Reason::HalfFrame,
        JournalEvent::LoginBytesDiscarded { .. } => Reason::CameWithLogin,
        JournalEvent::LoginRefused { .. } => Reason::LoginRefused,
        JournalEvent::NotServed => Reason::NotServed,
        JournalEvent::ReplyDiscarded(_) => Reason::NobodyThere,
        _ => return None,
    })
}
