//! A try: what the device says to each request of the client, and how that is written as a scenario.

use std::{fmt::Write as _, time::Duration};

use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_scenario::schema;
use veschub_wire::{CommandId, encode, view::hex};

/// The command that reaches a node on the CAN bus.
const FORWARD: u8 = CommandId::FORWARD_CAN.0;
/// How long a client waits for a reply.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);

/// What the client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    ReadBms,
    ReadBmsOneByOne,
    PollBms,
    ReadMotor { can_id: u8 },
    ScanCan,
    ReadFirmware,
}

impl Job {
    /// What a client of a scenario does, as far as there is a job for it.
    pub(crate) fn of(client: &schema::Client) -> Option<Self> {
        Some(match client {
            schema::Client::ReadBms(read) if read.ask == schema::Ask::OneAtATime => {
                Self::ReadBmsOneByOne
            }
            // A recorded session is one of VESC Tool that reads a BMS.
            schema::Client::ReadBms(_) | schema::Client::PlayRecording(_) => Self::ReadBms,
            // What it reads is the same, and a client that polls waits for seconds.
            schema::Client::PollBms(_) => Self::ReadBmsOneByOne,
            schema::Client::ReadMotor(read) => Self::ReadMotor {
                can_id: read.can_id?,
            },
            schema::Client::ScanCan(_) => Self::ScanCan,
            schema::Client::Read(read)
                if read.request.0.id() == CommandId::FW_VERSION && read.can_id.is_none() =>
            {
                Self::ReadFirmware
            }
            _ => return None,
        })
    }

    /// Its name, as a client is told it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadBms | Self::ReadBmsOneByOne => "read-bms",
            Self::PollBms => "poll-bms",
            Self::ReadMotor { .. } => "read-motor",
            Self::ScanCan => "scan-can",
            Self::ReadFirmware => "read",
        }
    }

    /// The commands that it is about.
    fn asks(self) -> &'static [&'static str] {
        match self {
            Self::ReadBms | Self::ReadBmsOneByOne => &[
                "FW_VERSION",
                "GET_CUSTOM_CONFIG",
                "PING_CAN",
                "BMS_GET_VALUES",
            ],
            Self::PollBms => &["FW_VERSION", "BMS_GET_VALUES"],
            Self::ReadMotor { .. } => &["FW_VERSION", "GET_VALUES", "GET_VALUES_SETUP"],
            Self::ScanCan => &["PING_CAN", "FW_VERSION"],
            Self::ReadFirmware => &["FW_VERSION"],
        }
    }

    /// The client of a scenario that does it soon.
    pub(crate) fn yaml(self) -> String {
        let patience = PATIENCE.as_millis();
        match self {
            Self::ReadBms => format!("read-bms: {{ give_up_after: {patience}ms }}"),
            Self::ReadBmsOneByOne => {
                format!("read-bms: {{ ask: one-at-a-time, give_up_after: {patience}ms }}")
            }
            Self::PollBms => "poll-bms: { every: 20ms, for: 60ms }".to_owned(),
            Self::ReadMotor { can_id } => {
                format!("read-motor: {{ can_id: {can_id}, give_up_after: {patience}ms }}")
            }
            Self::ScanCan => format!("scan-can: {{ give_up_after: {patience}ms }}"),
            Self::ReadFirmware => {
                format!("read: {{ request: FW_VERSION, give_up_after: {patience}ms }}")
            }
        }
    }
}

/// Something that the device says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    /// A payload, in a frame.
    Payload(Vec<u8>),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

impl Said {
    /// What goes onto the link.
    pub(crate) fn on_link(&self) -> Vec<u8> {
        match self {
            // An empty payload, or one that is too long for any frame, has no frame of its own.
            Self::Payload(payload) => encode(payload).unwrap_or_default(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// What the device says to a request, each time it comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    /// The payload of the request; none stands for any request.
    pub(crate) request: Vec<u8>,
    pub(crate) said: Vec<Said>,
    /// Whether the device then restarts, so that the connection ends.
    pub(crate) restart: bool,
}

impl Answer {
    pub(crate) fn fits(&self, payload: &[u8]) -> bool {
        self.request.is_empty() || self.request == payload
    }
}

/// A session: the client's job, and what the device says. A try is one that was changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    pub(crate) job: Job,
    pub(crate) answers: Vec<Answer>,
    /// The time between two pieces that are sent as they are.
    pub(crate) gap: Duration,
}

impl Case {
    /// What the device says to a request.
    fn answer_to(&self, payload: &[u8]) -> Option<&Answer> {
        let exact = self.answers.iter().find(|answer| answer.fits(payload));
        exact.or_else(|| {
            self.any_node()
                .filter(|_| payload.first() == Some(&FORWARD))
        })
    }

    /// What every other node on the CAN bus says: a scan may find two hundred of them.
    fn any_node(&self) -> Option<&Answer> {
        let forward = |answer: &&Answer| answer.request.first() == Some(&FORWARD);
        self.answers
            .iter()
            .find(forward)
            .filter(|_| self.job == Job::ScanCan)
    }

    /// All that the client can have got in a session, in order.
    pub(crate) fn stream(&self, journal: &[JournalEntry]) -> Vec<u8> {
        let asked = journal.iter().filter_map(|entry| match &entry.event {
            JournalEvent::Request(payload) => self.answer_to(payload),
            _ => None,
        });
        asked
            .flat_map(|answer| answer.said.iter().flat_map(Said::on_link))
            .collect()
    }

    /// The scenario, which `veschub-harness run` plays.
    pub(crate) fn yaml(&self, about: &str) -> String {
        let mut text = format!(
            "version: 1
about: {}
hub: {{ profile: ideal }}
devices:
  - express:
      id: demo-0001
      password: not-a-secret
      reply_after: 1ms
      replies:
",
            // A text in JSON is one in YAML.
            serde_json::Value::from(about)
        );
        for answer in &self.answers {
            let request = match &answer.request[..] {
                [] => "*".to_owned(),
                request => spaced(request),
            };
            self.write_answer(&mut text, &request, answer);
        }
        if let Some(answer) = self.any_node() {
            self.write_answer(&mut text, &format!("{FORWARD:02x} *"), answer);
        }
        if !self.answers.iter().any(|answer| answer.request.is_empty()) {
            text.push_str("        - request: \"*\"\n          reply: []\n");
        }
        let _ = write!(
            text,
            "client:
  {}
expect:
  # Whatever stays without a reply, the client may say so with its exit code.
",
            self.job.yaml()
        );
        for command in self.job.asks() {
            let _ = writeln!(text, "  - unanswered: {{ of: {command}, at_least: 0 }}");
        }
        text
    }

    fn write_answer(&self, text: &mut String, request: &str, answer: &Answer) {
        let all_whole = answer
            .said
            .iter()
            .all(|said| matches!(said, Said::Payload(_)));
        let pieces: Vec<String> = answer
            .said
            .iter()
            .map(|said| match said {
                Said::Payload(payload) if all_whole => payload.clone(),
                // Between pieces that are sent as they are, so are frames: the order must stay.
                other => other.on_link(),
            })
            .filter(|piece| !piece.is_empty())
            .map(|piece| format!("\"{}\"", spaced(&piece)))
            .collect();
        let pieces = pieces.join(", ");
        // Writing to text cannot fail.
        let _ = writeln!(text, "        - request: \"{request}\"");
        let _ = match all_whole {
            true => writeln!(text, "          reply: [{pieces}]"),
            false => writeln!(text, "          reply: []\n          bytes: [{pieces}]"),
        };
        if !all_whole && !self.gap.is_zero() {
            let _ = writeln!(text, "          gap: {}ms", self.gap.as_millis());
        }
        if answer.restart {
            let _ = writeln!(text, "          restart: true");
        }
    }

    /// How much of it there is: what is smaller shows more.
    pub(crate) fn size(&self) -> usize {
        let said = self.answers.iter().flat_map(|answer| &answer.said);
        said.map(|said| said.on_link().len()).sum()
    }
}

/// `60 01 ff`
pub(crate) fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use veschub_scenario::Loaded;

    use super::*;

    fn case(said: Vec<Said>) -> Case {
        Case {
            job: Job::ReadBms,
            answers: vec![Answer {
                request: vec![0],
                said,
                restart: true,
            }],
            gap: Duration::from_millis(2),
        }
    }

    #[test]
    fn every_job_and_every_answer_is_a_scenario_without_mistakes() {
        let jobs = [
            Job::ReadBms,
            Job::ReadBmsOneByOne,
            Job::PollBms,
            Job::ReadMotor { can_id: 7 },
            Job::ScanCan,
            Job::ReadFirmware,
        ];
        for job in jobs {
            for said in [
                vec![],
                vec![Said::Payload(vec![0, 6, 5])],
                vec![Said::Payload(vec![0, 6, 5]), Said::Bytes(vec![2, 0xFF])],
            ] {
                let case = Case { job, ..case(said) };
                let loaded =
                    Loaded::parse("case", &case.yaml("It says \"so\".\nTwice: yes")).unwrap();
                let same = Job::of(&loaded.scenario.client).map(Job::name);
                assert!(job == Job::PollBms || same == Some(job.name()));
            }
        }
    }

    #[test]
    fn a_frame_beside_raw_bytes_stays_in_its_place() {
        let case = case(vec![Said::Bytes(vec![2]), Said::Payload(vec![62])]);
        let yaml = case.yaml("x");
        assert!(
            yaml.contains(r#"bytes: ["02", "02 01 3e d7 9d 03"]"#),
            "{yaml}"
        );
        assert!(
            yaml.contains("gap: 2ms") && yaml.contains("restart: true"),
            "{yaml}"
        );
    }
}
