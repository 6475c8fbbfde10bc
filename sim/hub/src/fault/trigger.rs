//! What sets a fault off: frames, time, chance, and what the client did.
//!
//! All conditions that are given must hold. They are looked at in one order: command, time and client first; `nth` and
//! `every` count the frames that meet those; chance is drawn last. So `nth: 1` beside anything means: the first time.

use std::time::Duration as Span;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use veschub_wire::CommandId;

use super::{Behaviour, MAX_RECENT};
use crate::{
    check::{counted, lasting, range},
    command_name::CommandName,
    duration::Duration,
    mistake::{Mistake, Mistakes},
    rng::Rng,
};

/// What sets a fault off: all that is given must hold, and without anything it is always done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "When"))]
#[serde(deny_unknown_fields, default)]
pub struct Trigger {
    /// Only frames of this command. A request to a node on the CAN bus is a FORWARD_CAN; the reply to it has the command
    /// of what is inside.
    pub command: Option<CommandName>,
    /// Only this one of the frames that meet the other conditions, counted from 1; with `every`, the first one.
    pub nth: Option<u64>,
    /// Only each one of so many frames.
    pub every: Option<u64>,
    /// Only from this time after the session began.
    pub after: Option<Duration>,
    /// Only for this time, from `after` or from when the session began.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// Only with this probability, 0 to 1, drawn each time.
    pub probability: Option<f64>,
    /// Only if the client did this.
    pub client: Option<ClientDid>,
}

/// What a client did. Gaps and counts are those of its last request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ClientDid {
    /// More than this time passed between its last two requests.
    pub too_slow: Option<Duration>,
    /// It sent more requests than it should.
    pub too_chatty: Option<TooChatty>,
    /// It wrote more in one go with its login line, or did not.
    pub wrote_with_login: Option<bool>,
    /// It asked for anything else before it was told the firmware version, or did not.
    pub polled_before_firmware: Option<bool>,
    /// The device had a session before, ended by this one or earlier, or had not.
    pub attached_twice: Option<bool>,
    /// It is this session with the device, counted from 1.
    pub session: Option<u32>,
}

/// Too many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TooChatty {
    /// More than this many.
    pub more_than: usize,
    /// Within this time, counted back from the last one.
    pub within: Duration,
}

/// What a trigger looks at.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Time since the session began.
    pub elapsed: Span,
    /// The command of the frame, if it is about one.
    pub frame: Option<CommandId>,
    /// What the client has done so far.
    pub did: &'a Behaviour,
}

impl Trigger {
    /// Whether it can only be judged frame by frame.
    #[must_use]
    pub fn needs_frames(&self) -> bool {
        self.command.is_some() || self.nth.is_some() || self.every.is_some()
    }

    /// The time after the session's begin at which it holds, if nothing but time and chance are asked for.
    #[must_use]
    pub fn time_alone(&self) -> Option<Span> {
        if self.needs_frames() || self.client.is_some() {
            return None;
        }
        self.after.map(Duration::get)
    }

    /// Whether it holds for everything that passes.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// Looks for mistakes.
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(counted("nth", self.nth));
        mistakes.note(counted("every", self.every));
        mistakes.note(lasting("for", self.lasts, "is over before it begins"));
        if let Some(chance) = self.probability
            && !(0.0..=1.0).contains(&chance)
        {
            let message = format!("{chance} is out of range: wanted 0 to 1");
            mistakes
                .add("probability", message)
                .help("0.2 is one time out of five");
        }
        if let Some(client) = &self.client {
            mistakes.inside("client", |mistakes| client.check(mistakes));
        }
    }

    /// Why it fires now, in words, or nothing if it does not. `met` counts the frames that met the conditions;
    /// `rng` is asked for only if there is something to draw.
    pub fn fires(
        &self,
        moment: Moment<'_>,
        met: &mut u64,
        rng: impl FnOnce() -> Rng,
    ) -> Option<String> {
        if self.needs_frames() && moment.frame.is_none() {
            return None;
        }
        if self.command.is_some() && self.command.map(|name| name.0) != moment.frame {
            return None;
        }
        let client = self.client.as_ref();
        if !self.is_time(moment.elapsed) || !client.is_none_or(|client| client.holds(moment.did)) {
            return None;
        }
        *met += 1;
        if !self.is_turn(*met) {
            return None;
        }
        let drawn = self
            .probability
            .is_none_or(|chance| (0.0..=1.0).contains(&chance) && rng().random_bool(chance));
        drawn.then(|| self.why(*met, moment.did))
    }

    fn is_time(&self, elapsed: Span) -> bool {
        let after = self.after.unwrap_or_default().get();
        elapsed >= after
            && self
                .lasts
                .is_none_or(|lasts| elapsed < after.saturating_add(lasts.get()))
    }

    fn is_turn(&self, count: u64) -> bool {
        match (self.nth, self.every) {
            (None, None) => true,
            (Some(nth), None) => count == nth,
            (nth, Some(every)) => {
                let first = nth.unwrap_or(every);
                count >= first && (count - first).is_multiple_of(every.max(1))
            }
        }
    }

    fn why(&self, count: u64, did: &Behaviour) -> String {
        let mut words = Vec::new();
        let frame = self
            .command
            .map_or_else(|| "frame".to_owned(), |command| command.0.to_string());
        if self.nth.is_some() || self.every.is_some() {
            words.push(format!("the {} {frame}", ordinal(count)));
        } else if self.command.is_some() {
            words.push(format!("each {frame}"));
        }
        if let Some(every) = self.every {
            words.push(format!("one of every {every}"));
        }
        if let Some(after) = self.after {
            words.push(format!("from {:?} after the session began", after.get()));
        }
        if let Some(lasts) = self.lasts {
            words.push(format!("for {:?}", lasts.get()));
        }
        if let Some(client) = &self.client {
            client.why(did, &mut words);
        }
        if let Some(chance) = self.probability {
            words.push(format!("drawn with probability {chance}"));
        }
        if words.is_empty() {
            return "always".to_owned();
        }
        words.join(", ")
    }
}

impl ClientDid {
    fn check(&self, mistakes: &mut Mistakes) {
        if *self == Self::default() {
            mistakes
                .add_here("`client` does not say what the client did")
                .help("e.g. `client: { too_slow: 500ms }`");
        }
        if let Some(chatty) = self.too_chatty {
            mistakes.inside("too_chatty", |mistakes| {
                mistakes.note(range("more_than", chatty.more_than, 1, MAX_RECENT - 1));
                mistakes.note(lasting("within", chatty.within, "holds one request only"));
            });
        }
        mistakes.note(counted("session", self.session.map(u64::from)));
        if let (Some(session), Some(twice)) = (self.session, self.attached_twice)
            && (session > 1) != twice
        {
            let message =
                format!("session {session} and `attached_twice: {twice}` contradict each other");
            let mistake = Mistake::at("session", message)
                .beside("attached_twice", "is true from the second session on");
            mistakes.note(Some(mistake.helped("keep one of them")));
        }
    }

    fn holds(&self, did: &Behaviour) -> bool {
        let slow = self
            .too_slow
            .is_none_or(|most| did.last_gap > Some(most.get()));
        let chatty = self
            .too_chatty
            .is_none_or(|limit| did.requests_within(limit.within.get()) > limit.more_than);
        let flags = [
            (self.wrote_with_login, did.wrote_with_login),
            (self.polled_before_firmware, did.polled_before_firmware),
            (self.attached_twice, attached_twice(did)),
        ];
        slow && chatty
            && flags
                .iter()
                .all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == *is))
            && self.session.is_none_or(|session| session == did.session)
    }

    fn why(&self, did: &Behaviour, words: &mut Vec<String>) {
        if let Some(most) = self.too_slow {
            let gap = did.last_gap.unwrap_or_default();
            words.push(format!(
                "{gap:?} passed between two requests, more than {:?}",
                most.get()
            ));
        }
        if let Some(TooChatty {
            more_than: most,
            within,
        }) = self.too_chatty
        {
            let per = within.get();
            let count = did.requests_within(per);
            words.push(format!("{count} requests within {per:?}, more than {most}"));
        }
        let flags = [
            (
                self.wrote_with_login,
                "the client wrote in one go with its login",
                "the client wrote nothing with its login",
            ),
            (
                self.polled_before_firmware,
                "the client asked before it was told the firmware version",
                "the client asked for the firmware version first",
            ),
            (
                self.attached_twice,
                "the device had a session before",
                "the device had no session before",
            ),
        ];
        for (wanted, yes, no) in flags {
            words.extend(wanted.map(|wanted| if wanted { yes } else { no }.to_owned()));
        }
        if let Some(session) = self.session {
            let which = ordinal(u64::from(session));
            words.push(format!("the {which} session with the device"));
        }
    }
}

fn attached_twice(did: &Behaviour) -> bool {
    did.took_over || did.session > 1
}

fn ordinal(count: u64) -> String {
    let ending = match (count % 100, count % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{count}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rng::Seed, time::Time};

    const FRAMES: [CommandId; 4] = [
        CommandId::FW_VERSION,
        CommandId::BMS_GET_VALUES,
        CommandId::BMS_GET_VALUES,
        CommandId::PING_CAN,
    ];

    /// What a trigger says to each of ten frames, one every 100 ms, of the commands in turn.
    fn ask(trigger: &Trigger, did: &Behaviour) -> Vec<Option<String>> {
        let mut met = 0;
        let ask = |index: u64| {
            let moment = Moment {
                elapsed: Span::from_millis(index * 100),
                frame: Some(FRAMES[index as usize % FRAMES.len()]),
                did,
            };
            trigger.fires(moment, &mut met, || Seed(1).stream(index))
        };
        (0..10).map(ask).collect()
    }

    fn fires_at(trigger: &Trigger) -> Vec<usize> {
        let said = ask(trigger, &Behaviour::default());
        (0..10).filter(|&index| said[index].is_some()).collect()
    }

    fn first_why(trigger: &Trigger, did: &Behaviour) -> Option<String> {
        ask(trigger, did).into_iter().flatten().next()
    }

    #[test]
    fn each_condition_holds_exactly_when_it_should() {
        let bms = Some(CommandName(CommandId::BMS_GET_VALUES));
        let ms = |ms| Some(Duration::from_millis(ms));
        let none = Trigger::default;
        let cases = [
            (none(), vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (
                Trigger {
                    command: bms,
                    ..none()
                },
                vec![1, 2, 5, 6, 9],
            ),
            (
                Trigger {
                    nth: Some(3),
                    ..none()
                },
                vec![2],
            ),
            (
                Trigger {
                    every: Some(4),
                    ..none()
                },
                vec![3, 7],
            ),
            (
                Trigger {
                    nth: Some(1),
                    every: Some(4),
                    ..none()
                },
                vec![0, 4, 8],
            ),
            (
                Trigger {
                    command: bms,
                    nth: Some(3),
                    ..none()
                },
                vec![5],
            ),
            (
                Trigger {
                    after: ms(700),
                    ..none()
                },
                vec![7, 8, 9],
            ),
            (
                Trigger {
                    lasts: ms(200),
                    ..none()
                },
                vec![0, 1],
            ),
            (
                Trigger {
                    after: ms(300),
                    lasts: ms(200),
                    ..none()
                },
                vec![3, 4],
            ),
            (
                Trigger {
                    after: ms(300),
                    nth: Some(2),
                    ..none()
                },
                vec![4],
            ),
            (
                Trigger {
                    probability: Some(0.0),
                    ..none()
                },
                vec![],
            ),
            (
                Trigger {
                    probability: Some(1.0),
                    nth: Some(2),
                    ..none()
                },
                vec![1],
            ),
            (
                Trigger {
                    probability: Some(f64::NAN),
                    ..none()
                },
                vec![],
            ),
        ];
        for (trigger, expected) in cases {
            assert_eq!(fires_at(&trigger), expected, "{trigger:?}");
        }
    }

    #[test]
    fn a_probability_is_kept_in_the_long_run() {
        let trigger = Trigger {
            probability: Some(0.2),
            ..Trigger::default()
        };
        let did = Behaviour::default();
        let moment = Moment {
            elapsed: Span::ZERO,
            frame: None,
            did: &did,
        };
        let fired = (0..10_000).filter(|&index| {
            trigger
                .fires(moment, &mut 0, || Seed(7).stream(index))
                .is_some()
        });
        assert!((1900..2100).contains(&fired.count()));
    }

    #[test]
    fn bytes_that_are_no_frame_are_not_counted() {
        let did = Behaviour::default();
        let moment = |frame| Moment {
            elapsed: Span::ZERO,
            frame,
            did: &did,
        };
        let trigger = Trigger {
            nth: Some(1),
            ..Trigger::default()
        };
        let (mut met, rng) = (0, || Seed(0).stream(0));
        assert_eq!(trigger.fires(moment(None), &mut met, rng), None);
        let frame = moment(Some(CommandId::ALIVE));
        assert!(trigger.fires(frame, &mut met, rng).is_some());
    }

    /// What a client did, the condition on it, and why it then fires.
    fn deeds() -> Vec<(Behaviour, ClientDid, &'static str)> {
        let ms = Duration::from_millis;
        let behaviour = |requests: &[u64]| {
            let mut did = Behaviour::attached(1, false);
            did.note_reply(&[0]);
            for &at in requests {
                did.note_request(Time::from_nanos(at * 1_000_000), &[96]);
            }
            did
        };
        let none = ClientDid::default;
        let mut eager = behaviour(&[]);
        eager.note_wrote_with_login();
        let mut hasty = Behaviour::attached(1, false);
        hasty.note_request(Time::ZERO, &[96]);
        let mut second = behaviour(&[]);
        second.took_over = true;
        let mut third = behaviour(&[]);
        third.session = 3;
        vec![
            (
                behaviour(&[0, 612]),
                ClientDid {
                    too_slow: Some(ms(500)),
                    ..none()
                },
                "612ms passed between two requests, more than 500ms",
            ),
            (
                behaviour(&[0, 10, 20]),
                ClientDid {
                    too_chatty: Some(TooChatty {
                        more_than: 2,
                        within: ms(50),
                    }),
                    ..none()
                },
                "3 requests within 50ms, more than 2",
            ),
            (
                eager,
                ClientDid {
                    wrote_with_login: Some(true),
                    ..none()
                },
                "the client wrote in one go with its login",
            ),
            (
                hasty,
                ClientDid {
                    polled_before_firmware: Some(true),
                    ..none()
                },
                "the client asked before it was told the firmware version",
            ),
            (
                second,
                ClientDid {
                    attached_twice: Some(true),
                    ..none()
                },
                "the device had a session before",
            ),
            (
                third,
                ClientDid {
                    session: Some(3),
                    ..none()
                },
                "the 3rd session with the device",
            ),
        ]
    }

    #[test]
    fn each_deed_of_a_client_fires_its_own_trigger_and_no_other() {
        let deeds = deeds();
        for (row, (did, _, _)) in deeds.iter().enumerate() {
            for (column, (_, client, why)) in deeds.iter().enumerate() {
                let trigger = Trigger {
                    client: Some(client.clone()),
                    ..Trigger::default()
                };
                let expected = (row == column).then(|| (*why).to_owned());
                // The third session is one after another as well.
                if (row, column) != (5, 4) {
                    assert_eq!(first_why(&trigger, did), expected, "{did:?} {client:?}");
                }
            }
        }
    }

    #[test]
    fn a_limit_is_not_yet_too_much() {
        let (did, client, _) = deeds().swap_remove(0);
        let client = ClientDid {
            too_slow: did.last_gap.map(|gap| Duration(gap.as_nanos() as u64)),
            ..client
        };
        let trigger = Trigger {
            client: Some(client),
            ..Trigger::default()
        };
        assert_eq!(first_why(&trigger, &did), None);
        let (did, client, _) = deeds().swap_remove(1);
        let client = ClientDid {
            too_chatty: Some(TooChatty {
                more_than: 3,
                within: Duration::from_millis(50),
            }),
            ..client
        };
        let trigger = Trigger {
            client: Some(client),
            ..Trigger::default()
        };
        assert_eq!(first_why(&trigger, &did), None);
    }

    #[test]
    fn the_reason_names_every_condition() {
        let trigger = Trigger {
            command: Some(CommandName(CommandId::BMS_GET_VALUES)),
            nth: Some(2),
            every: Some(2),
            after: Some(Duration::from_millis(100)),
            lasts: Some(Duration::from_millis(5000)),
            probability: Some(1.0),
            client: Some(ClientDid {
                wrote_with_login: Some(false),
                ..ClientDid::default()
            }),
        };
        assert_eq!(
            first_why(&trigger, &Behaviour::default()).as_deref(),
            Some(
                "the 2nd BMS_GET_VALUES, one of every 2, from 100ms after the session began, for 5s, \
                 the client wrote nothing with its login, drawn with probability 1"
            )
        );
        assert_eq!(
            first_why(&Trigger::default(), &Behaviour::default()).as_deref(),
            Some("always")
        );
    }

    #[test]
    fn ordinals_are_english() {
        for (count, text) in [
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (12, "12th"),
            (13, "13th"),
            (21, "21st"),
            (112, "112th"),
        ] {
            assert_eq!(ordinal(count), text);
        }
    }
}
