//! The control API for somebody in this process: the same answers and the same acts, without HTTP.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};
use veschub_hub::{
    fault::{self, FaultEntry},
    hub::steer::{DeviceView, DeviceWithValues, FaultView, QuirkView},
};
use veschub_scenario::Loaded;

use crate::{
    app::{App, Params, Text},
    changes::Seen,
    error::{Refusal, Refused},
    routes::{devices, faults, hub, journal},
    store::Batch,
};

/// Watches and steers a hub that runs, and waits for it: not for the thread that serves it, nor for one that runs tasks.
#[derive(Clone)]
pub struct Desk {
    app: Arc<App>,
}

/// Wakes a thread that waits.
struct Waiter(Thread);

impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer in this thread: what is asked of the hub needs no timers and no sockets, and so no runtime.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Waiter(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut answer = pin!(answer);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}

/// Something to do to a hub.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Close a connection.
    Kick(u32),
    /// Unplug a device.
    Unplug(String),
    /// Plug a device in again.
    Plug(String),
    /// Switch a fault on: an entry of a scenario's `faults`, at one device or at all.
    FaultOn {
        /// The device, if it is one.
        device: Option<String>,
        /// The kind, and its parameters.
        fault: Value,
    },
    /// Switch a fault on with the parameters of the example in the catalogue.
    FaultAsInExample {
        /// The device, if it is one.
        device: Option<String>,
        /// What kind of fault.
        name: &'static str,
    },
    /// Switch the fault with this number off.
    FaultOff(u32),
    /// Switch a quirk of a device on.
    QuirkOn {
        /// The device.
        device: String,
        /// The quirk.
        name: String,
        /// Its parameters; without them, what stands for them.
        parameters: Option<Value>,
    },
    /// Switch a quirk of a device off.
    QuirkOff {
        /// The device.
        device: String,
        /// The quirk.
        name: String,
    },
    /// Let the time of the hub stand still, or go on.
    Pause(bool),
    /// Close the port and drop all connections, or open it again.
    Listen(bool),
    /// Forget the journal.
    Forget,
}

impl Desk {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    fn state(&self) -> State<Arc<App>> {
        State(Arc::clone(&self.app))
    }

    /// How the hub is: `GET /v1/hub`.
    ///
    /// # Errors
    /// If the hub has ended.
    pub fn hub(&self) -> Result<hub::HubAnswer, Refused> {
        let Json(hub) = wait(hub::hub(self.state()))?;
        Ok(hub)
    }

    /// The devices: `GET /v1/devices`.
    ///
    /// # Errors
    /// If the hub has ended.
    pub fn devices(&self) -> Result<Vec<DeviceView>, Refused> {
        let Json(devices) = wait(devices::devices(self.state()))?;
        Ok(devices)
    }

    /// A device with what it would tell now, or what a node on its CAN bus would: `GET /v1/devices/{id}`.
    ///
    /// # Errors
    /// If there is no such device or node, or the hub has ended.
    pub fn device(&self, id: &str, can_id: Option<u8>) -> Result<DeviceWithValues, Refused> {
        let of = Params(devices::OfNode { can_id });
        let Json(device) = wait(devices::device(self.state(), Path(id.to_owned()), of))?;
        Ok(device)
    }

    /// The faults that are on: `GET /v1/faults`.
    ///
    /// # Errors
    /// If the hub has ended.
    pub fn faults(&self) -> Result<Vec<FaultView>, Refused> {
        let Json(faults) = wait(faults::faults(self.state()))?;
        Ok(faults)
    }

    /// All quirks of a device, on or off: `GET /v1/devices/{id}/quirks`.
    ///
    /// # Errors
    /// If there is no such device, it is one from outside, or the hub has ended.
    pub fn quirks(&self, id: &str) -> Result<Vec<QuirkView>, Refused> {
        let Json(quirks) = wait(faults::quirks(self.state(), Path(id.to_owned())))?;
        Ok(quirks)
    }

    /// The entries of the journal behind a number, a bounded number of them.
    #[must_use]
    pub fn entries_after(&self, seq: u64) -> Batch {
        self.app.store.after(seq)
    }

    /// How often what this shows had changed until now: while it stays the same, all but values is as it was.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.app.changes.now()
    }

    /// Does something to the hub.
    ///
    /// # Errors
    /// If it cannot be done, or the hub has ended.
    pub fn carry_out(&self, act: &Act) -> Result<(), Refused> {
        Ok(wait(self.act(act))?)
    }

    async fn act(&self, act: &Act) -> Result<(), Refusal> {
        let app = self.state();
        let path = |name: &String| Path(name.clone());
        match act {
            Act::Kick(connection) => {
                hub::kick(app, Path(connection.to_string())).await?;
            }
            Act::Unplug(id) => {
                devices::unplug(app, path(id)).await?;
            }
            Act::Plug(id) => {
                devices::plug(app, path(id)).await?;
            }
            Act::FaultOn { device, fault } => {
                let body = json!({ "device": device, "fault": fault });
                let _ = faults::add_fault(app, Text(body.to_string())).await?;
            }
            Act::FaultAsInExample { device, name } => {
                let fault = example(name)?;
                let body = json!({ "device": device, "fault": fault });
                let _ = faults::add_fault(app, Text(body.to_string())).await?;
            }
            Act::FaultOff(id) => {
                faults::remove_fault(app, Path(id.to_string())).await?;
            }
            Act::QuirkOn {
                device,
                name,
                parameters,
            } => {
                let body = parameters.as_ref().map(Value::to_string);
                let of = Path((device.clone(), name.clone()));
                faults::set_quirk(app, of, Text(body.unwrap_or_default())).await?;
            }
            Act::QuirkOff { device, name } => {
                faults::remove_quirk(app, Path((device.clone(), name.clone()))).await?;
            }
            Act::Pause(paused) => {
                let body = json!({ "paused": paused });
                let _ = hub::change_clock(app, Text(body.to_string())).await?;
            }
            Act::Listen(true) => {
                let _ = hub::start(app).await?;
            }
            Act::Listen(false) => {
                let _ = hub::stop(app, Text(String::new())).await?;
            }
            Act::Forget => {
                let _ = journal::forget_journal(app).await;
            }
        }
        Ok(())
    }
}

/// The words of the example of a fault.
fn example(name: &str) -> Result<Value, Refusal> {
    let info = fault::catalogue().iter().find(|info| info.name == name);
    let words = info.map(|info| info.example.trim_start_matches("- "));
    let words = words.ok_or_else(|| Refusal::not_found(format!("no fault is called {name:?}")))?;
    let scenario = format!("{}faults: [{{{words}}}]}}", devices::SOMEBODY);
    let read = Loaded::parse("example", &scenario)
        .map_err(|error| Refusal::of_scenario(&error, words, 0))?;
    let fault = read.scenario.faults.first();
    Ok(json!({ name: fault.map(FaultEntry::parameters) }))
}
