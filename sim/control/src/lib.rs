//! Watches and steers a fake hub that runs: HTTP and JSON, server-sent events, a page, and a desk for
//! whoever is in the same process.
//!
//! ```text
//!  hub's thread                           control's thread
//!   journal  -- watch --> store (bounded) <-- routes <-- server <-- guard <-- HTTP
//!   bytes    -- watch --> wire  (bounded) <--   |
//!   hub      <-------------- Remote ------------+--- body: words of a scenario, with their places
//!                                               +--- steered: what was done, as a scenario
//! ```
//!
//! The hub's thread puts what happened into the store and goes on. All else is done in a thread of its own: what an entry
//! reads like is worked out when somebody asks for it.

mod app;
mod body;
mod changes;
mod chunks;
mod desk;
mod error;
mod filter;
mod guard;
mod line;
mod routes;
mod server;
mod steered;
mod store;
mod watch;
mod wire;

pub use app::About;
pub use changes::Seen;
pub use desk::{Act, Desk};
pub use error::Refused;
pub use filter::Typed;
pub use guard::{BadToken, Token};
pub use routes::{
    hub::{HubAnswer as HubView, JournalExtent},
    openapi_json,
};
pub use server::{Control, MOST_CONNECTIONS, Running};
pub use store::{Batch, Record};
pub use watch::Watch;
