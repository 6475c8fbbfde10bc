//! From elsewhere to a hub at work: orders that its driver carries out between two events.

use std::{io, net::SocketAddr};

use tokio::sync::{mpsc, oneshot};
use veschub_hub::{hub::Hub, time::Time};

use crate::clock::{Clock, ClockChange, ClockView};

/// How many orders may wait.
const MAX_ORDERS: usize = 64;

/// Something to do to a hub at that time.
pub(crate) type Order = Box<dyn FnOnce(&mut Hub, Time) + Send>;

/// What somebody wants of a driver.
pub(crate) enum Wish {
    Order(Order),
    Clock(ClockChange, oneshot::Sender<ClockView>),
    Listen(ListenWish),
}

/// What somebody wants of whoever listens.
pub(crate) enum ListenWish {
    Stop {
        drop_connections: bool,
        done: oneshot::Sender<()>,
    },
    Start(oneshot::Sender<io::Result<SocketAddr>>),
    Ask(oneshot::Sender<Option<SocketAddr>>),
}

/// The hub is not at work any more, or what serves it does not know the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the hub has ended")
    }
}

impl std::error::Error for Ended {}

/// Steers a hub that a driver has; as many as one likes may steer one hub.
#[derive(Clone)]
pub struct Remote {
    wishes: mpsc::Sender<Wish>,
}

/// The other end of a [`Remote`], for whoever serves the hub.
pub struct Orders(pub(crate) mpsc::Receiver<Wish>);

/// A remote, and its other end.
#[must_use]
pub fn remote() -> (Remote, Orders) {
    let (wishes, orders) = mpsc::channel(MAX_ORDERS);
    (Remote { wishes }, Orders(orders))
}

impl Remote {
    /// Does something to the hub, at its time now. What the hub has to say and to send is delivered before the answer
    /// comes.
    ///
    /// # Errors
    /// If the hub is not at work any more.
    pub async fn ask<T: Send + 'static>(
        &self,
        order: impl FnOnce(&mut Hub, Time) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let (done, answer) = oneshot::channel();
        let order = move |hub: &mut Hub, now: Time| {
            let _ = done.send(order(hub, now));
        };
        self.wish(Wish::Order(Box::new(order))).await?;
        answer.await.map_err(|_| Ended)
    }

    /// Changes how the hub's time goes; nothing, if a factor is out of [`SCALES`](crate::clock::SCALES).
    ///
    /// # Errors
    /// If the hub is not at work any more.
    pub async fn change_clock(&self, change: ClockChange) -> Result<ClockView, Ended> {
        let change = match Clock::allows(&change) {
            true => change,
            false => ClockChange::default(),
        };
        let (done, answer) = oneshot::channel();
        self.wish(Wish::Clock(change, done)).await?;
        answer.await.map_err(|_| Ended)
    }

    /// What time it is at the hub, and how it goes.
    ///
    /// # Errors
    /// If the hub is not at work any more.
    pub async fn clock(&self) -> Result<ClockView, Ended> {
        self.change_clock(ClockChange::default()).await
    }

    /// Closes the socket that listens: whoever connects is refused. Connections stay, unless they are to be dropped as
    /// well. Nothing happens if it is closed already.
    ///
    /// # Errors
    /// If the hub is not at work any more, or serves no TCP port.
    pub async fn stop_listening(&self, drop_connections: bool) -> Result<(), Ended> {
        let (done, answer) = oneshot::channel();
        let wish = ListenWish::Stop {
            drop_connections,
            done,
        };
        self.wish(Wish::Listen(wish)).await?;
        answer.await.map_err(|_| Ended)
    }

    /// Listens again, at the same address; nothing happens if it does.
    ///
    /// # Errors
    /// If the hub is not at work any more, serves no TCP port, or somebody else has taken the address.
    pub async fn start_listening(&self) -> io::Result<SocketAddr> {
        let ended = |_| io::Error::new(io::ErrorKind::NotConnected, Ended);
        let (done, answer) = oneshot::channel();
        let wish = Wish::Listen(ListenWish::Start(done));
        self.wish(wish).await.map_err(ended)?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(ended(Ended)),
        }
    }

    /// Where the hub listens, if it does.
    ///
    /// # Errors
    /// If the hub is not at work any more, or serves no TCP port.
    pub async fn listening(&self) -> Result<Option<SocketAddr>, Ended> {
        let (done, answer) = oneshot::channel();
        self.wish(Wish::Listen(ListenWish::Ask(done))).await?;
        answer.await.map_err(|_| Ended)
    }

    async fn wish(&self, wish: Wish) -> Result<(), Ended> {
        self.wishes.send(wish).await.map_err(|_| Ended)
    }
}

/// How a hub at work is steered.
pub struct Steering {
    /// How its time goes.
    pub clock: Clock,
    /// What others want of it.
    pub orders: Option<Orders>,
}

impl Default for Steering {
    /// By nobody, and its time is that of the machine.
    fn default() -> Self {
        Self {
            clock: Clock::starting_now(1.0),
            orders: None,
        }
    }
}
