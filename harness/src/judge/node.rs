//! Which node on the CAN bus a task names, and whether the client asks this one.

use veschub_hub::{
    fault::Harm,
    journal::{JournalEntry, JournalEvent},
};
use veschub_scenario::{Scenario, schema::Client};
use veschub_wire::{CommandId, view::hex};

use super::{
    Difference,
    compare::{Match, Understood},
};

/// What a client that forwards sends in front of a request (`docs/protocol.md`, section 4.7).
const FORWARD_CAN: u8 = CommandId::FORWARD_CAN.0;

/// The node that a task names.
pub(super) struct Node {
    /// The id of the device itself.
    own: u8,
    meant: u8,
}

impl Node {
    /// The node with this id, or the device itself; `None` if nobody knows the device's own id.
    pub(super) fn of(scenario: &Scenario, can_id: Option<u8>) -> Option<Self> {
        let [own, _] = scenario.devices.first()?.outfit()?.can_ids;
        let (own, _) = own?;
        Some(Self {
            own,
            meant: can_id.unwrap_or(own),
        })
    }

    /// Whether it is the one to whom something was sent. Who forwards to the device's own id speaks to the device.
    pub(super) fn is_it(&self, can_id: Option<u8>) -> bool {
        can_id.unwrap_or(self.own) == self.meant
    }

    /// Its name: `the node with CAN id 84`.
    pub(super) fn name(&self) -> String {
        self.name_of(Some(self.meant))
    }

    /// The name of the one to whom something was sent.
    pub(super) fn name_of(&self, can_id: Option<u8>) -> String {
        match can_id.unwrap_or(self.own) {
            255 => "all nodes on the CAN bus (id 255)".to_owned(),
            id if id == self.own => format!("the device itself (id {id})"),
            id => format!("the node with CAN id {id}"),
        }
    }

    /// How to speak to it.
    pub(super) fn advice(&self) -> String {
        match self.meant == self.own {
            true => "send it without FORWARD_CAN".to_owned(),
            false => format!("send it inside FORWARD_CAN, behind 22 {:02x}", self.meant),
        }
    }
}

/// What a payload asks, and which node if it is forwarded.
pub(super) fn address(payload: &[u8]) -> (Option<u8>, &[u8]) {
    match payload {
        [FORWARD_CAN, can_id, inner @ ..] => (Some(*can_id), inner),
        inner => (None, inner),
    }
}

/// The node that a client was told to read, and with which commands.
fn told(scenario: &Scenario) -> Option<(Node, Vec<CommandId>)> {
    let (can_id, commands) = match &scenario.client {
        Client::ReadMotor(read) => (
            read.can_id,
            vec![
                CommandId::GET_VALUES,
                CommandId::GET_VALUES_SETUP,
                CommandId::GET_VALUES_SELECTIVE,
                CommandId::GET_VALUES_SETUP_SELECTIVE,
            ],
        ),
        Client::ReadConfig(read) => (read.can_id, vec![read.command()]),
        Client::ReadApp(read) => (read.can_id, vec![CommandId::CUSTOM_APP_DATA]),
        Client::Read(read) => {
            let id = read.request.0.id();
            // A scenario may forward by itself.
            let is_plain = id != CommandId::FORWARD_CAN;
            (read.can_id, is_plain.then_some(id).into_iter().collect())
        }
        _ => return None,
    };
    Some((Node::of(scenario, can_id)?, commands))
}

/// Marks the readings of other nodes, where the client read the one that its task names as well.
pub(super) fn mark_others(readings: &mut [Understood], scenario: &Scenario) {
    let Some((node, commands)) = told(scenario) else {
        return;
    };
    for command in commands {
        let about = |one: &&mut Understood| one.command == Some(command);
        let mut replies: Vec<&mut Match> = readings
            .iter_mut()
            .filter(about)
            .filter_map(|one| one.reply.as_mut())
            .collect();
        if replies.iter().any(|reply| node.is_it(reply.can_id)) {
            for reply in &mut replies {
                reply.elsewhere = !node.is_it(reply.can_id);
            }
        }
    }
}

/// What is wrong if a client asks other nodes for what it was told to read, and never the one that was named.
pub(super) fn asked_elsewhere(scenario: &Scenario, journal: &[JournalEntry]) -> Option<Difference> {
    let (node, commands) = told(scenario)?;
    let asked: Vec<(Option<u8>, &[u8])> = journal
        .iter()
        .filter_map(|entry| match &entry.event {
            JournalEvent::Request(payload) => Some(address(payload)),
            _ => None,
        })
        .filter(|(_, inner)| {
            inner
                .first()
                .is_some_and(|id| commands.contains(&CommandId(*id)))
        })
        .collect();
    // Of a request that a fault took away, nobody knows whom it asked.
    let is_lost = |entry: &JournalEntry| match &entry.event {
        JournalEvent::FaultFired(fired) => fired.harm != Harm::Late,
        _ => false,
    };
    if asked.iter().any(|(can_id, _)| node.is_it(*can_id)) || journal.iter().any(is_lost) {
        return None;
    }
    let (can_id, inner) = asked.first()?;
    let id = CommandId(inner.first().copied().unwrap_or_default());
    Some(Difference::new(
        "requests",
        format!("to {}", node.name()),
        format!("{id} ({}) to {}", hex(inner), node.name_of(*can_id)),
        format!(
            "your client reads another node than the task names: {}",
            node.advice()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use veschub_hub::time::Time;
    use veschub_scenario::Loaded;

    use super::*;

    /// An Express with two motors behind it, and this task.
    fn scenario(task: &str) -> Scenario {
        let text = format!(
            "version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: x\n      can: [motor: {{ can_id: 84 }}, \
             motor: {{ can_id: 85 }}]\nclient: {task}\n"
        );
        Loaded::parse("test", &text).unwrap().scenario
    }

    /// What is wrong with these requests, if the task is this one.
    fn wrong(task: &str, requests: &[&[u8]]) -> Option<String> {
        let scenario = scenario(task);
        let requests = requests.iter().map(|payload| JournalEntry {
            at: Time::ZERO,
            conn: None,
            device: None,
            event: JournalEvent::Request(payload.to_vec()),
        });
        let journal: Vec<JournalEntry> = requests.collect();
        asked_elsewhere(&scenario, &journal)
            .map(|found| format!("{}: {}", found.decoded, found.why))
    }

    #[test]
    fn who_asks_another_node_only_reads_another_node() {
        let told = wrong(
            "{ read-motor: { can_id: 84 } }",
            &[&[34, 85, 0], &[34, 85, 4]],
        )
        .unwrap();
        assert_eq!(
            told,
            "GET_VALUES (04) to the node with CAN id 85: your client reads another node than the task names: send it inside \
             FORWARD_CAN, behind 22 54"
        );
        assert!(wrong("{ read-motor: { can_id: 84 } }", &[&[4]]).is_some());
        let read = "{ read: { request: FW_VERSION, can_id: 84 } }";
        assert!(wrong(read, &[&[34, 85, 0], &[34, 85, 0]]).is_some());
    }

    #[test]
    fn what_other_nodes_say_does_not_count_where_the_named_one_was_read() {
        let scenario = scenario("{ read-motor: { can_id: 84 } }");
        let reading = |can_id| Understood {
            line: 1,
            at: Duration::ZERO,
            command: Some(CommandId::GET_VALUES),
            reply: Some(Match {
                entry: 0,
                at: Duration::ZERO,
                can_id,
                number: 1,
                latest: 1,
                stale: false,
                elsewhere: false,
                repeated: false,
            }),
            fields: Vec::new(),
        };
        let marked = |can_ids: &[Option<u8>]| {
            let mut readings: Vec<Understood> = can_ids.iter().copied().map(reading).collect();
            mark_others(&mut readings, &scenario);
            let replies = readings.iter().filter_map(|one| one.reply);
            replies.map(|reply| reply.elsewhere).collect::<Vec<bool>>()
        };
        assert_eq!(marked(&[Some(84), Some(85), None]), [false, true, true]);
        // Who reads others only is told so, and what it read still counts.
        assert_eq!(marked(&[Some(85), None]), [false, false]);
    }

    #[test]
    fn who_asks_the_named_node_may_look_at_others_too() {
        let read = "{ read-motor: { can_id: 84 } }";
        assert_eq!(wrong(read, &[&[34, 84, 0], &[34, 84, 4]]), None);
        assert_eq!(wrong(read, &[&[34, 85, 4], &[34, 84, 4]]), None);
        // It is judged elsewhere that nothing was asked.
        assert_eq!(wrong(read, &[&[0]]), None);
        // The device's own id means the device.
        assert_eq!(
            wrong("{ read: { request: FW_VERSION } }", &[&[34, 2, 0]]),
            None
        );
    }
}
