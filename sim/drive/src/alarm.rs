//! Waits for a moment, more exactly than the runtime's timers do: their grain is 1 ms, and they are late rather than
//! early, so a reply that is due in 57 ms would leave after 58 to 59.
//!
//! A thread sleeps until the moment and then wakes the task: threads sleep to some 0.1 ms. It starts when something is
//! due for the first time, and ends with its alarm. It goes by the real clock: virtual time has its own way to wait.

use std::{
    future::pending,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant as StdInstant,
};

use tokio::{
    sync::Notify,
    task::coop::consume_budget,
    time::{Instant, sleep_until},
};

/// Goes off at one moment after the other.
#[derive(Default)]
pub(super) struct Alarm {
    bell: Option<Arc<Bell>>,
}

/// What the thread and the task share.
struct Bell {
    order: Mutex<Order>,
    changed: Condvar,
    rings: Notify,
}

enum Order {
    /// Nobody waits.
    Idle,
    At(StdInstant),
    /// The alarm is gone.
    Over,
}

impl Alarm {
    /// Waits until something is due, for ever if nothing is. Nothing is lost if this is dropped halfway.
    pub(super) async fn wait_until(&mut self, due: Option<Instant>) {
        let Some(due) = due else {
            return pending().await;
        };
        if due <= Instant::now() {
            // Others get their turn even if something is due again and again.
            return consume_budget().await;
        }
        if self.bell.is_none() {
            self.bell = Bell::start();
        }
        match &self.bell {
            Some(bell) => {
                bell.set(due.into_std());
                // It may have rung for something that was due before.
                while due > Instant::now() {
                    bell.rings.notified().await;
                }
            }
            // Without a thread, a little late.
            None => sleep_until(due).await,
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(bell) = &self.bell {
            *bell.order() = Order::Over;
            bell.changed.notify_one();
        }
    }
}

impl Bell {
    fn start() -> Option<Arc<Self>> {
        let bell = Arc::new(Self {
            order: Mutex::new(Order::Idle),
            changed: Condvar::new(),
            rings: Notify::new(),
        });
        let for_thread = Arc::clone(&bell);
        let thread = thread::Builder::new().name("alarm".to_owned());
        thread.spawn(move || for_thread.ring()).ok()?;
        Some(bell)
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, due: StdInstant) {
        let mut order = self.order();
        // Who wakes too early looks again.
        let is_earlier = match *order {
            Order::At(before) => due < before,
            Order::Idle | Order::Over => true,
        };
        *order = Order::At(due);
        drop(order);
        if is_earlier {
            self.changed.notify_one();
        }
    }

    /// What the thread does.
    fn ring(&self) {
        let mut order = self.order();
        loop {
            let left = match *order {
                Order::Over => return,
                Order::Idle => None,
                Order::At(due) => Some(due.saturating_duration_since(StdInstant::now())),
            };
            order = match left {
                None => self
                    .changed
                    .wait(order)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => {
                    *order = Order::Idle;
                    self.rings.notify_one();
                    order
                }
                Some(left) => {
                    let waited = self.changed.wait_timeout(order, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_never_goes_off_early_whatever_it_was_set_to_before() {
        let mut alarm = Alarm::default();
        let far = Instant::now() + Duration::from_secs(3600);
        for millis in [3, 1, 2] {
            // Something else happens first, and then something is due earlier.
            tokio::select! {
                biased;
                () = alarm.wait_until(Some(far)) => unreachable!("an hour is not over"),
                () = tokio::task::yield_now() => {}
            }
            let due = Instant::now() + Duration::from_millis(millis);
            alarm.wait_until(Some(due)).await;
            assert!(Instant::now() >= due);
            alarm.wait_until(Some(due)).await;
        }
    }

    #[tokio::test]
    async fn what_is_due_again_and_again_lets_others_work() {
        let others = tokio::spawn(async {});
        let mut alarm = Alarm::default();
        let due = Instant::now();
        while !others.is_finished() {
            alarm.wait_until(Some(due)).await;
        }
    }

    #[tokio::test]
    async fn its_thread_ends_with_it() {
        let mut alarm = Alarm::default();
        alarm
            .wait_until(Some(Instant::now() + Duration::from_millis(1)))
            .await;
        let bell = alarm.bell.clone().unwrap();
        drop(alarm);
        while Arc::strong_count(&bell) > 1 {
            thread::yield_now();
        }
    }
}
