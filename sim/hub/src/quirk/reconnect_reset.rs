//! `reconnect-reset`: a client that comes back too soon is broken off.
//!
//! The TCP server of an Express takes one client. When that leaves, the Express closes the socket that listens as well,
//! waits 10 ms, and listens again (`vesc_express main/comm_wifi.c:241-272`). Whoever connects in between is refused, and
//! whoever was queued already is reset before its first reply. A public client measured it on firmware 6.05.

use std::time::Duration as Span;

use super::{Definition, Provenance, Quirk, Ruling, Shown, definition::quirk};
use crate::{definition::written, duration::Duration, time::Time};

quirk! {
    /// A client that comes back too soon to a device that serves directly is broken off, and so is one that was waiting.
    ReconnectReset {
        /// From the end of a connection until the device listens again.
        #[serde(default = "pause")]
        pause: Duration,
    }
    state {
        left_at: Option<Time>,
    }
}

fn pause() -> Duration {
    Duration::from_millis(10)
}

impl Definition for ReconnectReset {
    const NAME: &'static str = "reconnect-reset";
    const PROVENANCE: Provenance = Provenance::Measured;
    const SEEN: &'static str =
        "vesc_express main/comm_wifi.c:241-272, and measured by a public client on 6.05";
    const DEFAULTS: &'static str = "{ pause: 10ms }";
    const SHOWN_BY: Shown = Shown::Test("a_client_that_reconnects_too_soon_is_broken_off");
    const COMMANDS: &'static [veschub_wire::CommandId] = &[];
}

impl Quirk for ReconnectReset {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn parameters(&self) -> serde_json::Value {
        written(self)
    }

    fn session_begins(&mut self, _now: Time) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn request(&mut self, _now: Time, _payload: &[u8]) -> Ruling {
        Ruling::Pass
    }

    fn session_ends(&mut self, now: Time) {
        self.left_at = Some(now);
    }

    fn turns_away(&mut self, now: Time, waited: bool) -> Option<String> {
        if waited {
            return Some(
                "the device closes the socket on which it waited with that of the client before it"
                    .to_owned(),
            );
        }
        let passed = now - self.left_at?;
        let pause = self.pause.get();
        let ms = |span: Span| span.as_secs_f64() * 1000.0;
        (passed < pause).then(|| {
            format!(
                "it comes {:.1} ms after the client before it left, and the device listens again after {:.1} ms",
                ms(passed),
                ms(pause)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_within_the_pause_after_a_client_has_left() {
        let ms = |ms: u64| Time::from_nanos(ms * 1_000_000);
        let mut quirk = ReconnectReset::with(Duration::from_millis(10));
        assert_eq!(quirk.turns_away(ms(0), false), None);
        quirk.session_ends(ms(100));
        assert_eq!(
            quirk.turns_away(ms(104), false).unwrap(),
            "it comes 4.0 ms after the client before it left, and the device listens again after 10.0 ms"
        );
        assert_eq!(quirk.turns_away(ms(110), false), None);
        assert!(quirk.turns_away(ms(110), true).is_some());
    }
}
