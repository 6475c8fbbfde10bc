//! What the client does when its connection has ended, or is refused.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{
    Defect, Dial,
    session::{Done, Failure, TaskRun},
    values::{BMS_GET_VALUES, FW_VERSION, GET_VALUES},
};

/// How long a client that polls waits before it connects again: at first, and each time twice as long as before.
const BEFORE_RETURN: Duration = Duration::from_millis(500);
/// How often it connects again in a row.
const RETURNS: u32 = 3;

impl<D: Dial> TaskRun<'_, D> {
    /// Prints the values that it begins with, as if they had been read.
    pub(super) fn show_nothing_as_values(&mut self) {
        let command = match self.orders.task.as_str() {
            "read-bms" | "poll-bms" => BMS_GET_VALUES,
            "read-motor" => GET_VALUES,
            _ => FW_VERSION,
        };
        // A reply of zeros is longer than any that these commands have.
        let zeros = [&[command][..], &[0; 120]].concat();
        self.tell(command, &zeros, None);
    }

    /// Connects again after the other side has ended the connection of a client that was answered on it. Nothing of the
    /// old connection is left: the login comes first, and half a frame is forgotten.
    pub(super) async fn come_back(&mut self) -> Done {
        let may = self.is_over && self.was_answered && !self.has(Defect::HammersWhenClosed);
        let mut pause = BEFORE_RETURN;
        for _ in 0..RETURNS {
            if !may {
                break;
            }
            sleep_until(Instant::now() + pause).await;
            pause *= 2;
            self.stream = self.dial.dial().await?;
            self.framer.forget();
            self.inbox.clear();
            self.is_over = false;
            let forgets = self.has(Defect::ForgetsTheLoginAgain);
            match if forgets { Ok(()) } else { self.log_in().await } {
                Ok(()) => return Ok(()),
                // The device is not there yet.
                Err(_) if self.is_over => {}
                failed => return failed,
            }
        }
        Err(Failure::Closed)
    }
}
