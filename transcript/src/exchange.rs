//! Which request a reply answers.
//!
//! VESC replies carry no sequence numbers, so the order and the times have to tell. This is the one place in the project
//! that decides it; everything that measures, replays, drafts, compares or waits feeds its requests and replies in here,
//! one [`Exchanges`] for each connection.
//!
//! 1. **The oldest first.** A device answers in order, so a reply answers the oldest open request of its command.
//! 2. **FORWARD_CAN.** The reply of a device on the CAN bus comes back bare, so it answers a FORWARD_CAN that passed on
//!    its command just as it answers a direct request; of both, the oldest.
//! 3. **Other ids.** Most commands about new firmware are acknowledged with the id of the plain one, see [`answered_as`].
//! 4. **Masks.** The replies to GET_VALUES_SELECTIVE, GET_VALUES_SETUP_SELECTIVE, GET_IMU_DATA and GET_STATS echo the
//!    mask of the request. Such a reply answers the oldest request with its mask; only if there is none, the oldest with another.
//! 5. **Unsolicited replies.** A reply without an open request of its command answers nothing.
//! 6. **Late replies.** A request that was given up is no longer open. If its reply comes after all, nobody can tell it
//!    from the reply to the next request of the same command, and it answers that one; without one, it is unsolicited.
//! 7. **Lost replies** leave a request open, and every later reply would then seem to answer the request before its own.
//!    What ends that is the [`Policy`]:
//!    * The caller may [withdraw](Exchanges::withdraw) a request, as a client does that gives up waiting.
//!    * [`Policy::as_a_tool`] closes a request when the same command is asked again after its [`patience`].
//!    * [`Policy::measuring`] also notices that replies have slipped: eight replies in a row do not fit the usual time
//!      from request to reply, and all would fit if the same one, two or three oldest requests had been lost. Those
//!      are closed then. Until then the times shown are too long, by the time between two requests. A device that from
//!      one reply to the next becomes slower by just that time looks the same; nobody can tell these two apart.
//!
//! Comparing what a client understood with the replies that it was sent is another question, because a client does not
//! say which reply it read: there the best fit decides.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::{sync::LazyLock, time::Duration};

use veschub_wire::{
    CommandId,
    command::{answered_as, reply_parts, request_parts, table::Part},
};

/// After this long, VESC Tool takes a request for lost and asks again (`VT commands.cpp:2342-2372`).
const LOST_AFTER: Duration = Duration::from_secs(1);
/// The same for PING_CAN (`VT commands.cpp:2358-2364`), and long enough for other work in the background.
const SLOW_LOST_AFTER: Duration = Duration::from_secs(5);
/// How many requests are open at most while times are measured.
const MEASURED: usize = 64;
/// How many replies in a row must have slipped, and past how many requests at most.
const SLIPPED_REPLIES: u32 = 8;
const SLIPPED_REQUESTS: usize = 3;
/// How many kinds of requests are remembered that have nothing open.
const KINDS: usize = 256;

/// How long a tool waits for the reply to a command before it takes the request for lost.
#[must_use]
pub fn patience(reply: CommandId) -> Duration {
    match reply.is_blocking() {
        true => SLOW_LOST_AFTER,
        false => LOST_AFTER,
    }
}

/// What a request asks for: its command, for FORWARD_CAN with the one inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The command itself.
    pub command: CommandId,
    /// The command that FORWARD_CAN passes on.
    pub inner: Option<CommandId>,
}

impl Asked {
    /// What the payload of a request asks for.
    #[must_use]
    pub fn by(request: &[u8]) -> Self {
        let command = command(request);
        let inner = inside(request).first().copied().map(CommandId);
        Self {
            command,
            inner: inner.filter(|_| command == CommandId::FORWARD_CAN),
        }
    }

    /// The command of the reply: replies from the CAN bus come back bare, and some commands are answered as others.
    #[must_use]
    pub fn reply(&self) -> CommandId {
        let command = self.inner.unwrap_or(self.command);
        answered_as(command).unwrap_or(command)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inner {
            Some(inner) => write!(f, "{}({inner})", self.command),
            None => self.command.fmt(f),
        }
    }
}

/// What closes a request that gets no reply, and what counts as a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    gives_up: bool,
    measures: bool,
    terminal: bool,
    limit: usize,
}

impl Policy {
    /// A request stays open until it is answered or withdrawn.
    #[must_use]
    pub fn patient() -> Self {
        Self {
            gives_up: false,
            measures: false,
            terminal: false,
            limit: usize::MAX,
        }
    }

    /// A request is closed when its command is asked again after the time that a tool waits.
    #[must_use]
    pub fn as_a_tool() -> Self {
        Self {
            gives_up: true,
            ..Self::patient()
        }
    }

    /// The same, and requests whose replies were lost are found by how the later replies slip. At most 64 requests are
    /// open; the oldest is closed when there is one more.
    #[must_use]
    pub fn measuring() -> Self {
        Self {
            measures: true,
            limit: MEASURED,
            ..Self::as_a_tool()
        }
    }

    /// At most so many requests are open; the oldest is closed when there is one more.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// A PRINT answers a TERMINAL_CMD: a terminal has no other reply.
    #[must_use]
    pub fn with_terminal(self) -> Self {
        Self {
            terminal: true,
            ..self
        }
    }

    /// Whether a reply with this command can answer a request.
    #[must_use]
    pub fn answers(&self, request: &[u8], reply: CommandId) -> bool {
        let wanted = Asked::by(request).reply();
        wanted == reply || self.is_print(reply) && wanted == CommandId::TERMINAL_CMD
    }

    fn is_print(&self, reply: CommandId) -> bool {
        self.terminal && reply == CommandId::PRINT
    }
}

/// A request without a reply so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open<T> {
    /// When it was asked.
    pub at: Duration,
    /// What it asks for.
    pub asked: Asked,
    /// What the caller attached to it.
    pub attached: T,
}

/// The open requests of one connection: takes requests and replies in the order of time.
#[derive(Debug)]
pub struct Exchanges<T> {
    policy: Policy,
    queues: BTreeMap<Kind, Queue<T>>,
    count: usize,
}

/// Requests whose replies cannot be told apart: by the command of the reply, and the mask.
type Kind = (CommandId, Option<u32>);

#[derive(Debug)]
struct Queue<T> {
    open: VecDeque<Open<T>>,
    /// How long a reply usually takes.
    usual: Option<Duration>,
    /// How many of the last replies seemed to have slipped, and past how many requests.
    slipped: (u32, usize),
}

impl<T> Exchanges<T> {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            queues: BTreeMap::new(),
            count: 0,
        }
    }

    /// Takes the payload of a request and what belongs to it.
    pub fn ask(&mut self, at: Duration, request: &[u8], attached: T) {
        let asked = Asked::by(request);
        let inner = match asked.inner {
            Some(_) => inside(request),
            None => request,
        };
        let kind = (asked.reply(), asked_mask(inner));
        if self.queues.len() >= KINDS && !self.queues.contains_key(&kind) {
            self.queues.retain(|_, queue| !queue.open.is_empty());
        }
        let queue = self.queues.entry(kind).or_insert_with(|| Queue {
            open: VecDeque::new(),
            usual: None,
            slipped: (0, 0),
        });
        let before = queue.open.len();
        if self.policy.gives_up {
            let patience = patience(asked.reply());
            let in_time = |open: &Open<T>| open.at + patience > at;
            let lost = queue.open.iter().position(in_time);
            queue.open.drain(..lost.unwrap_or(before));
        }
        queue.open.push_back(Open {
            at,
            asked,
            attached,
        });
        self.count = self.count - before + queue.open.len();
        if self.count > self.policy.limit {
            self.close_oldest();
        }
    }

    /// Takes the payload of a reply; gives out the request that it answers, which is then closed.
    pub fn answer(&mut self, at: Duration, reply: &[u8]) -> Option<Open<T>> {
        let kind = self.kind_of(reply)?;
        let queue = self.queues.get_mut(&kind)?;
        if self.policy.measures {
            let lost = queue.find_lost(at);
            queue.open.drain(..lost);
            self.count -= lost;
        }
        self.count -= 1;
        queue.open.pop_front()
    }

    /// Closes the first request of which this is true. The caller no longer waits for its reply.
    pub fn withdraw(&mut self, mut is_it: impl FnMut(&T) -> bool) -> Option<Open<T>> {
        self.queues.values_mut().find_map(|queue| {
            let index = queue.open.iter().position(|open| is_it(&open.attached))?;
            self.count -= 1;
            queue.open.remove(index)
        })
    }

    /// The open requests: by command, the oldest first.
    pub fn open(&self) -> impl Iterator<Item = &Open<T>> {
        self.queues.values().flat_map(|queue| &queue.open)
    }

    /// The same, to keep them.
    pub fn into_open(self) -> impl Iterator<Item = Open<T>> {
        self.queues.into_values().flat_map(|queue| queue.open)
    }

    /// The kind of the oldest open request that a reply can answer.
    fn kind_of(&self, reply: &[u8]) -> Option<Kind> {
        let id = command(reply);
        let masked = (id, Some(u32::MIN))..=(id, Some(u32::MAX));
        let is_masked = self.queues.range(masked).next().is_some();
        let exact = (id, is_masked.then(|| echoed_mask(reply)).flatten());
        let is_open = |kind: &Kind| {
            let queue = self.queues.get(kind);
            queue.is_some_and(|queue| !queue.open.is_empty())
        };
        if is_open(&exact) {
            return Some(exact);
        }
        let terminal = (CommandId::TERMINAL_CMD, None);
        if self.policy.is_print(id) && is_open(&terminal) {
            return Some(terminal);
        }
        let same_id = (id, None)..=(id, Some(u32::MAX));
        let fronts = self.queues.range(same_id);
        let fronts = fronts.filter_map(|(kind, queue)| Some((queue.open.front()?.at, kind)));
        fronts.min().map(|(_, kind)| *kind)
    }

    fn close_oldest(&mut self) {
        let fronts = self.queues.values_mut();
        let fronts = fronts.filter_map(|queue| Some((queue.open.front()?.at, queue)));
        if let Some((_, queue)) = fronts.min_by_key(|(at, _)| *at) {
            queue.open.pop_front();
            self.count -= 1;
        }
    }
}

impl<T> Queue<T> {
    /// How many of the oldest were lost, by how the replies slipped.
    fn find_lost(&mut self, at: Duration) -> usize {
        let age = |index: usize| self.open.get(index).map(|open| at.saturating_sub(open.at));
        let Some(oldest) = age(0) else {
            return 0;
        };
        let usual = self.usual.unwrap_or(oldest);
        // Close to the usual time, measured by the time between this request and its neighbour.
        let fits = |index: usize| {
            let neighbour = age(if index == 0 { 1 } else { index - 1 });
            age(index).zip(neighbour).is_some_and(|(age, neighbour)| {
                age.abs_diff(usual).saturating_mul(4) <= age.abs_diff(neighbour)
            })
        };
        let past = match fits(0) {
            true => None,
            false => (1..=SLIPPED_REQUESTS).find(|&index| fits(index)),
        };
        let Some(past) = past else {
            self.slipped = (0, 0);
            self.usual = Some((usual.saturating_mul(3).saturating_add(oldest)) / 4);
            return 0;
        };
        let replies = match self.slipped {
            (replies, same) if same == past => replies + 1,
            _ => 1,
        };
        self.slipped = (replies, past);
        if replies < SLIPPED_REPLIES {
            return 0;
        }
        self.slipped = (0, 0);
        past
    }
}

/// The command that a payload begins with.
fn command(payload: &[u8]) -> CommandId {
    CommandId(payload.first().copied().unwrap_or_default())
}

/// What FORWARD_CAN passes on: behind its own id and the address.
fn inside(request: &[u8]) -> &[u8] {
    request.get(2..).unwrap_or_default()
}

/// How many bytes the mask behind the id has, in a selective request and in the replies to it, by the id; 0 for all
/// other commands.
static MASKS: LazyLock<[[usize; 2]; 256]> = LazyLock::new(|| {
    let size = |parts: Option<Vec<Part>>| match parts?.first()? {
        Part::Field(mask) if mask.name == "mask" => mask.kind.size(),
        _ => None,
    };
    let mut sizes = [[0; 2]; 256];
    for id in CommandId::named() {
        let sides = [size(request_parts(id)), size(reply_parts(id))];
        if let [Some(request), Some(reply)] = sides {
            sizes[usize::from(id.0)] = [request, reply];
        }
    }
    sizes
});

/// The mask of a selective request.
fn asked_mask(request: &[u8]) -> Option<u32> {
    let [size, _] = MASKS[usize::from(command(request).0)];
    mask(request, size)
}

/// The mask of the request that a selective reply echoes.
fn echoed_mask(reply: &[u8]) -> Option<u32> {
    let [_, size] = MASKS[usize::from(command(reply).0)];
    mask(reply, size)
}

fn mask(payload: &[u8], size: usize) -> Option<u32> {
    let bytes = payload
        .get(1..)?
        .get(..size)
        .filter(|bytes| !bytes.is_empty())?;
    Some(
        bytes
            .iter()
            .fold(0, |mask, &byte| mask << 8 | u32::from(byte)),
    )
}

#[cfg(test)]
mod tests {
    use veschub_wire::{Reply, Request};

    use super::*;

    const BMS: &[u8] = &[96];

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Requests every `period`, each answered after `latency` but for the lost ones; returns the latencies that come out.
    fn poll(policy: Policy, period: u64, latency: u64, count: u64, lost: &[u64]) -> Vec<u64> {
        let mut events: Vec<(u64, bool)> = Vec::new();
        for turn in 0..count {
            events.push((turn * period, true));
            if !lost.contains(&turn) {
                events.push((turn * period + latency, false));
            }
        }
        events.sort_by_key(|&(at, is_request)| (at, !is_request));
        let mut exchanges = Exchanges::new(policy);
        let mut told = Vec::new();
        for (at, is_request) in events {
            match is_request {
                true => exchanges.ask(ms(at), BMS, ()),
                false => {
                    let open = exchanges.answer(ms(at), BMS).unwrap();
                    told.push((ms(at) - open.at).as_millis() as u64);
                }
            }
        }
        told
    }

    #[test]
    fn a_pipelined_poll_has_the_latency_that_its_client_measured() {
        assert_eq!(poll(Policy::measuring(), 20, 57, 500, &[]), [57; 500]);
    }

    #[test]
    fn lost_replies_do_not_lengthen_the_later_latencies_for_ever() {
        for (period, lost) in [
            (20, vec![100]),
            (20, vec![100, 101, 102]),
            (100, vec![100]),
            (500, vec![100]),
            (20, (1..50).map(|turn| turn * 17).collect()),
        ] {
            let told = poll(Policy::measuring(), period, 57, 1_000, &lost);
            let wrong = told.iter().filter(|&&latency| latency != 57).count();
            assert!(wrong <= 8 * lost.len(), "{period}, {lost:?}: {wrong}");
            assert_eq!(told.last(), Some(&57));
        }
    }

    #[test]
    fn a_device_that_answers_all_at_once_after_a_while_has_lost_nothing() {
        let mut exchanges = Exchanges::new(Policy::measuring());
        let mut told = Vec::new();
        for turn in 0..100 {
            exchanges.ask(ms(turn * 20), BMS, turn);
            let stalled = (40..60).contains(&turn);
            while !stalled && exchanges.open().count() > 2 {
                told.push(exchanges.answer(ms(turn * 20 + 17), BMS).unwrap().attached);
            }
        }
        assert!(told.iter().copied().eq(0..98), "{told:?}");
    }

    #[test]
    fn a_device_that_becomes_slower_is_told_to_be_slower() {
        let mut exchanges = Exchanges::new(Policy::measuring());
        let mut slow = Duration::ZERO;
        let mut replies = VecDeque::new();
        for turn in 0..200 {
            let now = turn * 50;
            while let Some(at) = replies.front().copied().filter(|at| *at <= now) {
                replies.pop_front();
                slow = ms(at) - exchanges.answer(ms(at), BMS).unwrap().at;
            }
            exchanges.ask(ms(now), BMS, ());
            replies.push_back(now + 30 + turn);
        }
        assert!((ms(200)..ms(240)).contains(&slow), "{slow:?}");
    }

    #[test]
    fn a_request_that_a_tool_would_repeat_is_lost_when_it_does() {
        assert_eq!(
            poll(Policy::as_a_tool(), 1_000, 90, 5, &[0]),
            [90, 90, 90, 90]
        );
        // A scan takes longer, so it is waited for longer.
        let mut exchanges = Exchanges::new(Policy::as_a_tool());
        exchanges.ask(ms(0), &[62], 'a');
        exchanges.ask(ms(2_000), &[62], 'b');
        assert_eq!(exchanges.answer(ms(2_600), &[62]).unwrap().attached, 'a');
    }

    #[test]
    fn a_request_without_a_successor_is_answered_however_late() {
        let mut exchanges = Exchanges::new(Policy::measuring());
        exchanges.ask(ms(0), BMS, ());
        assert!(exchanges.answer(ms(90_000), BMS).is_some());
        assert!(exchanges.answer(ms(90_000), BMS).is_none());
    }

    #[test]
    fn a_reply_from_the_can_bus_answers_forward_can_or_a_direct_request() {
        let mut exchanges = Exchanges::new(Policy::patient());
        exchanges.ask(ms(0), &[34, 84, 0], "forwarded");
        exchanges.ask(ms(1), &[0], "direct");
        let first = exchanges.answer(ms(5), &[0, 6, 5]).unwrap();
        assert_eq!(
            (first.attached, first.asked.to_string().as_str()),
            ("forwarded", "FORWARD_CAN(FW_VERSION)")
        );
        assert_eq!(exchanges.answer(ms(6), &[0]).unwrap().attached, "direct");
    }

    #[test]
    fn an_echoed_mask_tells_selective_replies_apart() {
        let mut exchanges = Exchanges::new(Policy::patient());
        exchanges.ask(ms(0), &[50, 0, 0, 0, 1], 'a');
        exchanges.ask(ms(1), &[34, 84, 50, 0, 0, 0, 2], 'b');
        exchanges.ask(ms(2), &[50, 0, 0, 0, 1], 'c');
        let mut answer = |mask| exchanges.answer(ms(3), &[50, 0, 0, 0, mask, 0, 0, 0, 0]);
        assert_eq!(answer(2).unwrap().attached, 'b');
        // No request has this mask: the oldest.
        assert_eq!(answer(9).unwrap().attached, 'a');
        assert_eq!(answer(1).unwrap().attached, 'c');
        assert!(answer(1).is_none());
    }

    #[test]
    fn a_mask_that_comes_back_wider_is_the_same() {
        let mut exchanges = Exchanges::new(Policy::patient());
        exchanges.ask(ms(0), &Request::GetStats { mask: 2 }.encode(), 'a');
        exchanges.ask(ms(0), &Request::GetStats { mask: 1 }.encode(), 'b');
        let values = Default::default();
        let reply = Reply::Stats { mask: 1, values }.encode();
        assert_eq!(exchanges.answer(ms(1), &reply).unwrap().attached, 'b');
    }

    #[test]
    fn every_reply_with_chosen_fields_is_told_apart_by_its_mask() {
        for id in CommandId::named() {
            let parts = reply_parts(id).unwrap_or_default();
            let is_selective = parts.iter().any(|part| matches!(part, Part::Chosen { .. }));
            assert_eq!(MASKS[usize::from(id.0)] != [0, 0], is_selective, "{id}");
        }
        let mut exchanges = Exchanges::new(Policy::patient());
        exchanges.ask(ms(0), &[CommandId::GET_GNSS.0, 0, 1], 'a');
        exchanges.ask(ms(0), &[CommandId::GET_GNSS.0, 0, 2], 'b');
        let reply = [&[CommandId::GET_GNSS.0, 0, 0, 0, 2][..], &[0; 8]].concat();
        assert_eq!(exchanges.answer(ms(1), &reply).unwrap().attached, 'b');
    }

    #[test]
    fn a_withdrawn_request_is_not_answered() {
        let mut exchanges = Exchanges::new(Policy::patient());
        exchanges.ask(ms(0), BMS, 1);
        exchanges.ask(ms(1), BMS, 2);
        assert!(exchanges.withdraw(|&number| number == 1).is_some());
        assert_eq!(exchanges.answer(ms(2), BMS).unwrap().attached, 2);
        assert!(exchanges.answer(ms(3), BMS).is_none());
        assert_eq!(exchanges.count, 0);
    }

    #[test]
    fn a_print_answers_a_terminal_only_where_that_is_wanted() {
        for (policy, wanted) in [
            (Policy::patient(), false),
            (Policy::patient().with_terminal(), true),
        ] {
            let mut exchanges = Exchanges::new(policy);
            exchanges.ask(ms(0), &[20, b'x'], ());
            assert_eq!(exchanges.answer(ms(1), &[21, b'y']).is_some(), wanted);
            assert_eq!(policy.answers(&[20, b'x'], CommandId::PRINT), wanted);
        }
    }

    #[test]
    fn what_is_open_has_a_limit_while_times_are_measured() {
        let mut exchanges = Exchanges::new(Policy::measuring());
        for number in 0..5_000_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            exchanges.ask(ms(0), &[50, a, b, c, d], ());
            exchanges.ask(ms(0), BMS, ());
        }
        assert_eq!(exchanges.open().count(), exchanges.count);
        assert!(exchanges.count <= MEASURED && exchanges.queues.len() <= KINDS);
    }
}
