//! What must hold of everything that a hub says and sends, whatever its peers do.
//!
//! The witness knows what happened only from the journal and from what was put in, and so is a second opinion on the hub:
//! a reply needs a request, what one tool or device said reaches its partner only, and what is held is bounded.

use std::collections::BTreeMap;

use veschub_wire::{CommandId, Decoder, Item, TOOL_MAX_PAYLOAD, command::answered_as, encode};

use super::world::{IDS, Plan, STALE};
use crate::{
    conn::ConnId,
    fault::MAX_HELD_BYTES,
    hub::{HubConfig, Load, Output},
    journal::{JournalEntry, JournalEvent},
    quirk::{Definition, StaleReply},
};

/// A command that no device of our own answers, with a mark behind it.
const TAG: CommandId = CommandId::CUSTOM_APP_DATA;
/// A mark is a number that nothing else makes up.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// What is known of a connection, from its opening to the end of the run.
struct Known {
    is_open: bool,
    /// Nothing more may be written.
    is_finished: bool,
    role: Role,
    /// Finds frames in what is written to it.
    decoder: Decoder,
    /// What its own device has told it, and how much of that has come.
    told: Vec<u8>,
    came: usize,
}

#[derive(Clone, PartialEq, Eq)]
enum Role {
    Unknown,
    /// Of a device of our own, or of the one with this connection.
    Tool {
        partner: Option<ConnId>,
    },
    /// With its id.
    Device(String),
}

/// What the devices of an id were asked and have answered.
#[derive(Default)]
struct Asked {
    /// The connection of the device, if it is from outside.
    device: Option<ConnId>,
    tool: Option<ConnId>,
    had_tool: bool,
    /// How many replies each command may still get.
    open: BTreeMap<CommandId, u64>,
}

/// More replies than any run has.
const ANY: u64 = 1 << 40;

/// Sees everything.
pub(super) struct Witness {
    config: HubConfig,
    is_sound: bool,
    known: BTreeMap<ConnId, Known>,
    rooms: BTreeMap<String, Asked>,
    /// Who sent each mark, and who may see it.
    marks: BTreeMap<u64, (ConnId, Wanted)>,
}

/// Who may hear what somebody says.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Nobody,
    /// Whoever is its partner once there is one.
    Partner,
    Only(ConnId),
}

impl Witness {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            config: plan.config.clone(),
            is_sound: plan.is_sound(),
            known: BTreeMap::new(),
            rooms: BTreeMap::new(),
            marks: BTreeMap::new(),
        }
    }

    pub(super) fn opened(&mut self, conn: ConnId) {
        let known = Known {
            is_open: true,
            is_finished: false,
            role: Role::Unknown,
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
            told: Vec::new(),
            came: 0,
        };
        self.known.insert(conn, known);
    }

    /// Whether what a peer sends cannot be taken for the words of a device.
    pub(super) fn may_forge(&self, conn: ConnId) -> bool {
        let known = self.known.get(&conn);
        known.is_none_or(|known| !matches!(known.role, Role::Device(_)))
    }

    /// A frame of this peer that is known again wherever it comes out.
    pub(super) fn tagged(&mut self, conn: ConnId) -> Vec<u8> {
        let mark = (self.marks.len() as u64 + 1).wrapping_mul(SPREAD);
        let role = self.known.get(&conn).map(|known| known.role.clone());
        let wanted = match role {
            Some(Role::Tool { partner }) => partner.map_or(Wanted::Nobody, Wanted::Only),
            Some(Role::Device(id)) => {
                match self.rooms.get(&id).filter(|room| room.device == Some(conn)) {
                    Some(room) if room.had_tool => room.tool.map_or(Wanted::Nobody, Wanted::Only),
                    // Before there was a tool, what a device says may be kept for the first one.
                    Some(_) if self.config.keeps_early_bytes => Wanted::Partner,
                    _ => Wanted::Nobody,
                }
            }
            // It may be kept until the login is through.
            Some(Role::Unknown) | None => Wanted::Partner,
        };
        self.marks.insert(mark, (conn, wanted));
        encode(&[&[TAG.0][..], &mark.to_be_bytes()].concat()).unwrap_or_default()
    }

    /// An entry of the journal.
    pub(super) fn happened(&mut self, entry: &JournalEntry) {
        let _ = entry.to_string();
        let room = entry.device.as_deref().unwrap_or_default();
        match (&entry.event, entry.conn) {
            (JournalEvent::Registered, Some(conn)) => {
                let asked = Asked {
                    device: Some(conn),
                    ..Asked::default()
                };
                self.rooms.insert(room.to_owned(), asked);
                self.take_role(conn, Role::Device(room.to_owned()));
            }
            (JournalEvent::Attached, Some(conn)) => {
                let late_replies = self.config.late_replies;
                let asked = self.rooms.entry(room.to_owned()).or_default();
                (asked.tool, asked.had_tool) = (Some(conn), true);
                if !late_replies {
                    // What an earlier tool asked for must not be answered any more.
                    asked.open.clear();
                }
                let partner = asked.device;
                self.take_role(conn, Role::Tool { partner });
            }
            (JournalEvent::EntryDeleted { id }, _) => {
                self.rooms.remove(id);
            }
            (JournalEvent::Closed(_), Some(conn)) => {
                for room in self.rooms.values_mut() {
                    room.tool = room.tool.filter(|&tool| tool != conn);
                }
            }
            (JournalEvent::Request(payload), _) => self.asked(room, payload),
            (JournalEvent::QuirkFired { quirk, command, .. }, _) if *quirk == StaleReply::NAME => {
                assert_eq!(*command, Some(STALE));
                self.asked(room, &[STALE.0]);
            }
            (JournalEvent::Reply { payload, .. }, conn) => {
                self.answered(room, payload);
                self.will_be_told(room, conn, payload);
            }
            (JournalEvent::ReplyDiscarded(payload), _) => self.answered(room, payload),
            _ => {}
        }
    }

    fn take_role(&mut self, conn: ConnId, role: Role) {
        if let Some(known) = self.known.get_mut(&conn) {
            let was = std::mem::replace(&mut known.role, role);
            assert!(was == Role::Unknown, "{conn:?} logged in twice");
        }
    }

    /// Notes which replies may come of a request, however deep it is wrapped.
    fn asked(&mut self, room: &str, payload: &[u8]) {
        let open = &mut self.rooms.entry(room.to_owned()).or_default().open;
        let (mut payload, mut count) = (payload, 1);
        while let [id, rest @ ..] = payload {
            let id = CommandId(*id);
            let many = match id {
                CommandId::TERMINAL_CMD => Some(CommandId::PRINT),
                CommandId::LISP_REPL_CMD | CommandId::LISP_STREAM_CODE => {
                    Some(CommandId::LISP_PRINT)
                }
                CommandId::SAMPLE_PRINT => Some(id),
                _ => None,
            };
            if let Some(reply) = many {
                *open.entry(reply).or_default() += ANY;
            }
            if id != CommandId::FORWARD_CAN {
                // A config that is refused is answered with a text as well.
                *open.entry(CommandId::PRINT).or_default() += count;
                *open.entry(answered_as(id).unwrap_or(id)).or_default() += count;
                return;
            }
            let Some((to, inner)) = rest.split_first() else {
                return;
            };
            if *to == 255 {
                count = ANY;
            }
            payload = inner;
        }
    }

    fn answered(&mut self, room: &str, payload: &[u8]) {
        let asked = self.rooms.entry(room.to_owned()).or_default();
        let id = CommandId(payload.first().copied().unwrap_or_default());
        let speaks_unasked = room == IDS[0] && id == CommandId::PRINT;
        if asked.device.is_some() || speaks_unasked {
            return;
        }
        let open = asked.open.entry(id).or_default();
        assert!(*open > 0, "{room} answers {id}, which nobody asked for");
        *open -= 1;
    }

    /// What a device of our own says reaches its tool byte for byte, unless a fault harms it.
    fn will_be_told(&mut self, room: &str, conn: Option<ConnId>, payload: &[u8]) {
        let is_own = self
            .rooms
            .get(room)
            .is_some_and(|room| room.device.is_none());
        if let Some(known) = conn.and_then(|conn| self.known.get_mut(&conn))
            && is_own
        {
            known.told.extend(encode(payload).unwrap_or_default());
        }
    }

    /// Something that the hub does to a connection.
    pub(super) fn goes(&mut self, conn: ConnId, output: &Output) {
        let Some(known) = self.known.get_mut(&conn) else {
            unreachable!("{conn:?} was never opened");
        };
        assert!(known.is_open, "{conn:?} is over: {output:?}");
        match output {
            Output::Write(bytes) => {
                assert!(!known.is_finished, "{conn:?} was shut down: {output:?}");
                self.written(conn, bytes);
            }
            Output::Shutdown => known.is_finished = true,
            Output::Close | Output::Abort => known.is_open = false,
        }
    }

    fn written(&mut self, conn: ConnId, mut bytes: &[u8]) {
        let Some(known) = self.known.get_mut(&conn) else {
            return;
        };
        if known.role == Role::Unknown {
            let answers: [&[u8]; 2] = [b"PONG\n", b"NULL\n"];
            return assert!(answers.contains(&bytes), "{conn:?} is not logged in");
        }
        if known.role == (Role::Tool { partner: None }) && self.is_sound {
            let came = known.came..known.came + bytes.len();
            assert_eq!(
                known.told.get(came.clone()),
                Some(bytes),
                "{conn:?} gets something else"
            );
            known.came = came.end;
        }
        let mut heard = Vec::new();
        while let Some(item) = known.decoder.next(&mut bytes) {
            if let Item::Frame(frame) = item
                && let Some((&id, mark)) = frame.payload.split_first()
                && CommandId(id) == TAG
                && let Ok(mark) = <[u8; 8]>::try_from(mark)
            {
                heard.extend(self.marks.get(&u64::from_be_bytes(mark)).copied());
            }
        }
        for (sender, wanted) in heard {
            let is_wanted = match wanted {
                Wanted::Nobody => false,
                Wanted::Partner => true,
                Wanted::Only(wanted) => wanted == conn,
            };
            let is_pair = self.are_partners(conn, sender) || self.are_partners(sender, conn);
            assert!(
                is_wanted && is_pair,
                "{conn:?} hears what {sender:?} said to {wanted:?}"
            );
        }
    }

    /// Whether a tool was attached to the device with this connection.
    fn are_partners(&self, tool: ConnId, device: ConnId) -> bool {
        let partner = Some(device);
        let tool = self.known.get(&tool);
        tool.is_some_and(|known| known.role == Role::Tool { partner })
    }

    /// What the hub holds is bounded by what is there.
    pub(super) fn weigh(&self, load: &Load) {
        let open = self.known.values().filter(|known| known.is_open).count();
        let config = &self.config;
        assert_eq!(load.connections, open, "{load:?}");
        assert_eq!(load.outputs, 0);
        // Of readers whose peers are gone only the last one waits on.
        assert!(load.lobby <= open + 1, "{load:?}");
        let others = load.members + load.draining + load.waiting;
        assert!(others <= open, "{load:?}");
        let lines = config.max_login_bytes + load.lobby * config.max_kept;
        assert!(load.login_bytes <= lines, "{load:?}");
        assert!(load.unsent <= open * config.max_unsent, "{load:?}");
        assert!(load.ending <= self.known.len(), "{load:?}");
        // Two devices of our own, and one for each connection.
        assert!(load.rooms <= 2 + open, "{load:?}");
        assert!(load.sessions <= load.members, "{load:?}");
        let links = 2 * load.sessions + load.draining;
        assert!(load.held <= links * MAX_HELD_BYTES, "{load:?}");
        assert!(load.early <= load.rooms * config.max_kept, "{load:?}");
        let parsers = 2 * load.rooms * (TOOL_MAX_PAYLOAD + 7);
        assert!(load.unparsed <= parsers, "{load:?}");
    }
}
