//! How the second client drives a motor, and what it gets wrong about that.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    Defect, Dial,
    session::{Done, Failure, TaskRun},
    values::{FORWARD_CAN, FW_VERSION, GET_VALUES},
};

/// Command 5: sets a duty cycle.
const SET_DUTY: u8 = 5;
/// Command 6: sets a current.
const SET_CURRENT: u8 = 6;
/// Command 8: sets an electrical speed.
const SET_RPM: u8 = 8;
/// Command 30: keeps the motor doing what it does.
const ALIVE: u8 = 30;
/// The bytes that let go of the motor: a current of 0.
const STOP: [u8; 5] = [SET_CURRENT, 0, 0, 0, 0];
/// How often the child of a client sends ALIVE.
pub(super) const CHILD: Duration = Duration::from_millis(100);
/// How long a client that sets without a pause does so: for ever would take the tests too long.
const BUSY: Duration = Duration::from_millis(500);
/// How many pole pairs a client that confuses the speeds takes the motor to have.
const POLE_PAIRS: f64 = 7.0;

/// How driving ended.
enum Over {
    Done(Done),
    Told,
    Killed,
}

impl<D: Dial> TaskRun<'_, D> {
    /// Drives the motor, and stops it on every way out.
    pub(super) async fn drive(&mut self) -> Done {
        let dial = self.dial;
        if self.has(Defect::ChildKeepsAlive) {
            dial.start_child(&self.stream, &self.payload(&[ALIVE]))?;
        }
        let over = {
            let mut told = pin!(dial.told_to_end());
            let mut killed = pin!(dial.killed());
            tokio::select! {
                biased;
                () = &mut killed => Over::Killed,
                () = &mut told => Over::Told,
                done = self.feed() => Over::Done(done),
            }
        };
        match over {
            // What runs on now stands for the child of a real client.
            Over::Killed => loop {
                self.send(&self.payload(&[ALIVE])).await?;
                sleep(CHILD).await;
            },
            Over::Told if self.has(Defect::DiesOfSigterm) => Err(Failure::Closed),
            Over::Told => self.stop().await,
            Over::Done(Err(Failure::Closed)) if self.has(Defect::ResumesAfterALoss) => {
                sleep(Duration::from_millis(200)).await;
                self.stream = dial.dial().await?;
                self.framer.forget();
                self.log_in().await?;
                self.feed().await?;
                self.stop().await
            }
            Over::Done(done) => {
                let stopped = self.stop().await;
                done.and(stopped)
            }
        }
    }

    async fn stop(&mut self) -> Done {
        if self.has(Defect::NeverStops) {
            return Ok(());
        }
        self.send(&self.payload(&STOP)).await?;
        if self.has(Defect::SetsAfterTheStop) {
            self.send(&self.payload(&self.set(1.0))).await?;
        }
        Ok(())
    }

    /// Sends the command again and again, or once and then ALIVE, until the time is up.
    async fn feed(&mut self) -> Done {
        let reads = self.orders.task == "drive";
        if reads {
            self.ask(&self.payload(&[FW_VERSION]), self.orders.can_id)
                .await?;
        }
        let start = Instant::now();
        let end = start + self.orders.period * self.orders.count;
        let (mut due, mut heard) = (start, false);
        while due < end {
            let is_first = due == start;
            let is_busy = self.has(Defect::SetsInABusyLoop) && due < start + BUSY;
            let command = match &*self.orders.keep {
                "alive" if !is_first => vec![ALIVE],
                _ if is_first && self.has(Defect::Overshoots) => self.set(1.5),
                _ => self.set(1.0),
            };
            if is_first || !self.has(Defect::SetsOnce) {
                // The clock of a test has no finer grain than a millisecond.
                let times = if is_busy { 2 } else { 1 };
                for _ in 0..times {
                    self.send(&self.payload(&command)).await?;
                }
            }
            if reads {
                self.send(&self.payload(&[GET_VALUES])).await?;
            }
            let period = match is_busy {
                true => Duration::from_millis(1),
                false => self.orders.period,
            };
            due = (due + period).min(end);
            while let Some(payload) = self.next(due).await? {
                if payload.first() == Some(&GET_VALUES) {
                    heard = true;
                    self.tell(GET_VALUES, &payload, self.orders.can_id);
                }
            }
        }
        match heard || !reads {
            true => Ok(()),
            false => Err(Failure::NoReply),
        }
    }

    /// A command to the motor that is driven.
    fn payload(&self, command: &[u8]) -> Vec<u8> {
        let reads = matches!(command, [FW_VERSION | GET_VALUES]);
        let node = self.orders.can_id;
        match node.filter(|_| reads || !self.has(Defect::DrivesWithoutForwarding)) {
            Some(can_id) => [&[FORWARD_CAN, can_id], command].concat(),
            None => command.to_vec(),
        }
    }

    /// The command that sets a share of what was ordered.
    #[expect(clippy::cast_possible_truncation, reason = "the orders are in range")]
    fn set(&self, share: f64) -> Vec<u8> {
        let value = self.orders.value * share;
        let (id, number) = match &*self.orders.set {
            "duty" if self.has(Defect::DutyInThousandths) => (SET_DUTY, value * 1e3),
            "duty" => (SET_DUTY, value * 1e5),
            "erpm" if self.has(Defect::RpmForErpm) => (SET_RPM, value / POLE_PAIRS),
            "erpm" => (SET_RPM, value),
            _ if self.has(Defect::CurrentInMicroamperes) => (SET_CURRENT, value * 1e6),
            _ if self.has(Defect::CurrentInAmperes) => (SET_CURRENT, value),
            _ => (SET_CURRENT, value * 1e3),
        };
        let number = match self.has(Defect::DrivesForwardsOnly) {
            true => number.abs(),
            false => number,
        };
        let mut command = vec![id];
        command.extend((number.round() as i32).to_be_bytes());
        command
    }
}
