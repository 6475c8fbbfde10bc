//! Which entries of the journal a route gives, and how they are written.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    error::Refusal,
    filter::{Filter, Words},
    line,
    store::{Record, Store},
};

/// How many entries are given unless the query says otherwise, and at most.
const LIMIT: usize = 1000;
const MOST: usize = 10_000;
/// Makes the query of a route: what entries are wanted, and more.
macro_rules! query {
    ($(#[doc = $about:literal])+ $name:ident { $( $(#[$($meta:tt)+])+ $key:ident: $type:ty, )* }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            /// Only of this device.
            #[param(example = "demo-0001")]
            device: Option<String>,
            /// Only about this command, by its name or number.
            #[param(example = "BMS_GET_VALUES")]
            command: Option<String>,
            /// Only of this kind, by its name in the journal.
            #[param(example = "frame")]
            kind: Option<String>,
            /// Only on this connection.
            connection: Option<u32>,
            /// Only in this direction: `to-device` or `to-tool`.
            direction: Option<String>,
            /// Only of the quirk, fault or near miss with this name.
            name: Option<String>,
            /// Only entries whose `text` has this in it.
            text: Option<String>,
            $( $(#[$($meta)+])+ pub(super) $key: $type, )*
        }

        impl $name {
            pub(super) fn filter(&self) -> Result<Filter, Refusal> {
                let said = self.clone();
                let words = Words {
                    device: said.device,
                    command: said.command,
                    kind: said.kind,
                    connection: said.connection,
                    direction: said.direction,
                    name: said.name,
                    text: said.text,
                };
                words.read()
            }
        }
    };
}
pub(crate) use query;

query! {
    /// Which entries of the journal.
    Entries {
        /// Only entries behind this number: the `next` of an earlier answer.
        after: Option<u64>,
        /// At most so many: 1,000 unless given, at most 10,000.
        #[param(example = 100)]
        limit: Option<usize>,
    }
}

/// Entries of the journal.
#[derive(ToSchema)]
#[schema(as = Journal)]
#[expect(dead_code, reason = "describes what is written piece by piece")]
pub(crate) struct JournalAnswer {
    /// In their order.
    entries: Vec<JournalLine>,
    /// The number to ask for with `after`, to go on behind these.
    next: u64,
    /// How many of those asked for are not kept any more, as there were too many.
    dropped: u64,
}

/// An entry: a line of `--journal` with a number. Which keys there are depends on the kind; docs/journal.md has all.
#[derive(ToSchema)]
#[schema(example = json!({
    "seq": 7, "at": 1.25, "connection": 1, "device": "DEMO-0001", "kind": "frame", "direction": "to-device",
    "command": "BMS_GET_VALUES", "payload": "60", "fields": {}, "text": "> BMS_GET_VALUES",
}))]
#[expect(dead_code, reason = "describes what the journal writes")]
pub(crate) struct JournalLine {
    /// The number: one more than that of the entry before.
    seq: u64,
    /// When, in seconds of the hub.
    at: f64,
    /// On which connection, if on one.
    connection: Option<u32>,
    /// At which device, if at one.
    device: Option<String>,
    /// What kind of event it is.
    kind: String,
    /// `to-device` or `to-tool`.
    direction: Option<String>,
    /// The command that it is about.
    command: Option<String>,
    /// The bytes in hex.
    payload: Option<String>,
    /// What was sent, decoded.
    #[schema(value_type = Option<Object>)]
    fields: Option<serde_json::Value>,
    /// What the device held, decoded.
    #[schema(value_type = Option<Object>)]
    truth: Option<serde_json::Value>,
    /// The name of the quirk, the fault, or of what noise nearly is.
    name: Option<String>,
    /// The reason.
    why: Option<String>,
    /// The entry in words.
    text: String,
}

/// What was found of a journal.
pub(super) struct Found {
    pub(super) records: Vec<Record>,
    pub(super) next: u64,
    pub(super) dropped: u64,
}

/// The entries that fit behind a number, at most so many.
pub(super) async fn find(
    store: &Store,
    after: u64,
    most: usize,
    fits: impl Fn(&Record) -> bool,
) -> Found {
    let mut found = Found {
        records: Vec::new(),
        next: after,
        dropped: 0,
    };
    loop {
        let batch = store.after(found.next);
        found.dropped += batch.lost;
        for record in batch.records {
            if found.records.len() == most {
                return found;
            }
            found.next = record.seq;
            if fits(&record) {
                found.records.push(record);
            }
        }
        if batch.is_end {
            found.next = batch.last;
            return found;
        }
        // Others are served between batches.
        tokio::task::yield_now().await;
    }
}

pub(super) fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked {
        None => Ok(LIMIT),
        Some(asked @ 1..=MOST) => Ok(asked),
        Some(asked) => Err(Refusal::bad(format!(
            "{asked} is out of range: wanted 1 to {MOST}"
        ))),
    }
}

pub(super) fn answer(found: &Found) -> Response {
    let mut text = b"{\"entries\":".to_vec();
    line::append_all(&mut text, &found.records);
    end(&mut text, found);
    json(StatusCode::OK, text)
}

pub(super) fn end(text: &mut Vec<u8>, found: &Found) {
    let Found { next, dropped, .. } = found;
    text.extend_from_slice(format!(",\"next\":{next},\"dropped\":{dropped}}}\n").as_bytes());
}

pub(super) fn json(status: StatusCode, text: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
