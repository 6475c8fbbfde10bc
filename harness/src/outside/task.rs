//! Tells an outside client what to do: the task of a scenario, as environment variables.

use std::time::Duration;

use veschub_scenario::{Target, duration::Duration as Lasting, schema};
use veschub_wire::{Request, view::hex};

use super::{
    Variable,
    link::{Address, Link},
};
use crate::client::Options;

/// Time that a task takes besides its requests, as a program has to start.
const START: Duration = Duration::from_secs(10);

/// Why an outside client cannot do the task of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The task is to play a recording.
    #[error("only the reference client can do play-recording: it sends the recorded requests")]
    PlayRecording,
    /// The task is to send given requests.
    #[error("only the reference client can do send: it sends the requests of the scenario")]
    Send,
    /// The scenario says how long to pause after the login.
    #[error("only the reference client can be told how long to pause after the login")]
    PauseAfterLogin,
    /// The task takes longer than the user allows.
    #[error(
        "its task takes {lasts:?} in real time, more than {longest:?}; allow more with --longest"
    )]
    TooLong {
        /// How long it takes.
        lasts: Duration,
        /// How long it may take.
        longest: Duration,
    },
}

/// A task as an outside client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name in scenarios: `read-bms`.
    pub name: &'static str,
    /// How long to wait for a reply.
    pub timeout: Duration,
    /// How long the task goes on, if it says so.
    pub lasts: Duration,
    /// How often the client asks for what the task is about.
    pub count: usize,
    /// Variables for this task only.
    more: Vec<Variable>,
    id: Option<String>,
    password: Option<String>,
}

impl Task {
    /// The task of a scenario's client.
    ///
    /// # Errors
    /// If an outside client cannot do this task.
    pub fn of(client: &schema::Client) -> Result<Self, TaskError> {
        let name = match client {
            schema::Client::ReadBms(_) => "read-bms",
            schema::Client::PollBms(_) => "poll-bms",
            schema::Client::ReadMotor(_) => "read-motor",
            schema::Client::Drive(_) => "drive",
            schema::Client::KeepAlive(_) => "keep-alive",
            schema::Client::ReadConfig(_) => "read-config",
            schema::Client::ReadApp(_) => "read-app",
            schema::Client::ScanCan(_) => "scan-can",
            schema::Client::Read(_) => "read",
            schema::Client::PlayRecording(_) => return Err(TaskError::PlayRecording),
            schema::Client::Send(_) => return Err(TaskError::Send),
        };
        let login = client.login();
        if login.pause_after.is_some() {
            return Err(TaskError::PauseAfterLogin);
        }
        let mut task = Self {
            name,
            timeout: client
                .give_up_after()
                .map_or_else(|| Options::default().reply_timeout, lasting),
            lasts: Duration::ZERO,
            count: 1,
            more: Vec::new(),
            id: login.id.clone(),
            password: login.password.clone(),
        };
        match client {
            schema::Client::ReadBms(read) => {
                let ask = match read.ask {
                    schema::Ask::RapidFire => "rapid-fire",
                    schema::Ask::OneAtATime => "one-at-a-time",
                };
                task.more.push(("VESC_ASK", ask.to_owned()));
            }
            schema::Client::PollBms(poll) => {
                task.again(Some(poll.every), Some(poll.lasts));
            }
            schema::Client::ReadMotor(read) => {
                task.node(read.can_id);
                task.again(read.every, read.lasts);
            }
            schema::Client::Drive(drive) => {
                task.node(drive.can_id);
                task.set(drive.setting());
                task.again(Some(drive.every), Some(drive.lasts));
            }
            schema::Client::KeepAlive(keep) => {
                task.node(keep.can_id);
                task.set(keep.setting());
                let by = match keep.by {
                    schema::KeepBy::Alive => "alive",
                    schema::KeepBy::Set => "set",
                };
                task.more.push(("VESC_KEEP", by.to_owned()));
                task.again(Some(keep.every), Some(keep.lasts));
            }
            schema::Client::ReadConfig(read) => {
                task.request(read.request().as_ref());
                task.node(read.can_id);
            }
            schema::Client::ReadApp(read) => {
                task.request(read.request().as_ref());
                task.node(read.can_id);
                task.again(read.every, read.lasts);
            }
            schema::Client::Read(read) => {
                task.request(Some(&read.request.0));
                task.node(read.can_id);
                task.again(read.every, read.lasts);
            }
            _ => {}
        }
        Ok(task)
    }

    /// Tells which node to ask; without one, the client asks the device itself.
    fn node(&mut self, can_id: Option<u8>) {
        let can_id = can_id.map(|can_id| can_id.to_string());
        self.more.extend(can_id.map(|id| ("VESC_CAN_ID", id)));
    }

    /// Tells what to ask.
    fn request(&mut self, request: Option<&Request>) {
        let Some(request) = request else {
            return;
        };
        self.more.push(("VESC_COMMAND", request.id().to_string()));
        self.more.push(("VESC_REQUEST", hex(&request.encode())));
    }

    /// Tells what to set.
    fn set(&mut self, setting: Option<schema::Setting>) {
        let (what, value) = match setting {
            Some(schema::Setting::CurrentA(current)) => ("current", current.to_string()),
            Some(schema::Setting::Duty(duty)) => ("duty", duty.to_string()),
            Some(schema::Setting::Erpm(erpm)) => ("erpm", erpm.to_string()),
            None => return,
        };
        self.more.push(("VESC_SET", what.to_owned()));
        self.more.push(("VESC_VALUE", value));
    }

    /// Tells how often to ask; without both, the client asks once.
    fn again(&mut self, every: Option<Lasting>, lasts: Option<Lasting>) {
        let (Some(every), Some(lasts)) = (every.map(lasting), lasts.map(lasting)) else {
            return;
        };
        let count = lasts.as_nanos().div_ceil(every.as_nanos().max(1));
        self.lasts = lasts;
        self.count = usize::try_from(count).unwrap_or(usize::MAX);
        self.more.push(("VESC_COUNT", count.to_string()));
        self.more
            .push(("VESC_PERIOD_MS", every.as_millis().to_string()));
    }

    /// How long a client may take that gets no reply at all.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.lasts + 4 * self.timeout + START
    }

    /// The password to log in with.
    #[must_use]
    pub fn password(&self, target: Option<&Target>) -> String {
        let own = self.password.clone();
        own.or_else(|| target?.password.clone()).unwrap_or_default()
    }

    /// The environment variables for a client that does this task there. Only a hub wants a login.
    #[must_use]
    pub fn environment(&self, address: &Address, target: Option<&Target>) -> Vec<Variable> {
        let mut environment = address.variables();
        if address.link() == Link::Hub {
            let id = self.id.clone().or_else(|| Some(target?.id.clone()));
            environment.push(("VESC_ID", id.unwrap_or_default()));
            environment.push(("VESC_PASSWORD", self.password(target)));
        }
        environment.extend([
            ("VESC_TIMEOUT_MS", self.timeout.as_millis().to_string()),
            ("VESC_TASK", self.name.to_owned()),
            // A reading counts from when its line arrives.
            ("PYTHONUNBUFFERED", "1".to_owned()),
        ]);
        environment.extend(self.more.iter().cloned());
        environment
    }
}

/// Every variable that some client is told. What a client is not told, it must not inherit either.
pub const VARIABLES: [&str; 18] = [
    "VESC_LINK",
    "VESC_HOST",
    "VESC_PORT",
    "VESC_PTY",
    "VESC_ID",
    "VESC_PASSWORD",
    "VESC_TIMEOUT_MS",
    "VESC_TASK",
    "VESC_ASK",
    "VESC_COUNT",
    "VESC_PERIOD_MS",
    "VESC_CAN_ID",
    "VESC_COMMAND",
    "VESC_REQUEST",
    "VESC_SET",
    "VESC_VALUE",
    "VESC_KEEP",
    AGAIN,
];

/// The variable of a client that may do its task again and again.
pub const AGAIN: &str = "VESC_AGAIN";

fn lasting(duration: Lasting) -> Duration {
    Duration::from_nanos(duration.0)
}

#[cfg(test)]
mod tests {
    use veschub_scenario::Loaded;

    use super::*;

    fn task(client: &str) -> Result<Task, TaskError> {
        let text = format!(
            "version: 1\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret }}\nclient:\n  {client}\n"
        );
        Task::of(&Loaded::parse("test", &text).unwrap().scenario.client)
    }

    fn variable(task: &Task, name: &str) -> Option<String> {
        variable_at(&Address::Hub(4711), task, name)
    }

    fn variable_at(address: &Address, task: &Task, name: &str) -> Option<String> {
        let target = Target {
            id: "DEMO-0001".to_owned(),
            password: Some("not-a-secret".to_owned()),
            recording: None,
        };
        let found = task
            .environment(address, Some(&target))
            .into_iter()
            .find(|(one, _)| *one == name);
        found.map(|(_, value)| value)
    }

    #[test]
    fn a_poll_says_how_often_and_how_far_apart() {
        let poll = task("poll-bms: { every: 300ms, for: 1s }").unwrap();
        let told = |name| variable(&poll, name).unwrap();
        assert_eq!(
            [
                told("VESC_TASK"),
                told("VESC_COUNT"),
                told("VESC_PERIOD_MS"),
                told("VESC_PORT")
            ],
            ["poll-bms", "4", "300", "4711"]
        );
    }

    #[test]
    fn a_request_is_told_by_its_name_and_its_bytes() {
        let read =
            task("read: { request: GET_VALUES_SELECTIVE 0x81, can_id: 84, every: 1s, for: 3s }");
        let read = read.unwrap();
        let told = |name| variable(&read, name).unwrap();
        assert_eq!(
            [
                told("VESC_TASK"),
                told("VESC_COMMAND"),
                told("VESC_REQUEST"),
                told("VESC_CAN_ID"),
                told("VESC_COUNT")
            ],
            ["read", "GET_VALUES_SELECTIVE", "3200000081", "84", "3"]
        );
    }

    #[test]
    fn a_drive_is_told_what_to_set_how_often_and_where() {
        let drive = task("drive: { can_id: 84, current_a: -2.5, every: 50ms, for: 1s }").unwrap();
        let told = |name| variable(&drive, name);
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(told("VESC_TASK"), word("drive"));
        assert_eq!(told("VESC_SET"), word("current"));
        assert_eq!(told("VESC_VALUE"), word("-2.5"));
        assert_eq!(told("VESC_COUNT"), word("20"));
        assert_eq!(told("VESC_PERIOD_MS"), word("50"));
        assert_eq!(told("VESC_CAN_ID"), word("84"));
        let keep = task("keep-alive: { erpm: 3000, for: 1s }").unwrap();
        let told = |name| variable(&keep, name);
        assert_eq!(told("VESC_KEEP"), word("alive"));
        assert_eq!(told("VESC_SET"), word("erpm"));
        assert_eq!(told("VESC_PERIOD_MS"), word("200"));
        assert_eq!(told("VESC_CAN_ID"), None);
    }

    #[test]
    fn a_configuration_and_an_application_are_asked_by_a_request() {
        let told = |client, name| variable(&task(client).unwrap(), name).unwrap();
        let config = "read-config: { of: motor }";
        assert_eq!(told(config, "VESC_COMMAND"), "GET_MCCONF");
        assert_eq!(told(config, "VESC_REQUEST"), "0e");
        let app = "read-app: { data: '65 00' }";
        assert_eq!(told(app, "VESC_COMMAND"), "CUSTOM_APP_DATA");
        assert_eq!(told(app, "VESC_REQUEST"), "246500");
    }

    #[test]
    fn the_login_is_the_devices_unless_the_scenario_wants_another() {
        let read = task("read-bms: { login: { password: other }, give_up_after: 700ms }").unwrap();
        let told = |name| variable(&read, name).unwrap();
        assert_eq!(
            [
                told("VESC_ID"),
                told("VESC_PASSWORD"),
                told("VESC_TIMEOUT_MS"),
                told("VESC_ASK")
            ],
            ["DEMO-0001", "other", "700", "rapid-fire"]
        );
        assert_eq!(variable(&read, "VESC_CAN_ID"), None);
    }

    #[test]
    fn without_a_hub_there_are_no_credentials_and_on_a_terminal_no_port() {
        let read = task("read-bms: {}").unwrap();
        let told = |address: &Address| {
            ["LINK", "HOST", "PORT", "PTY", "ID", "PASSWORD"]
                .map(|name| variable_at(address, &read, &format!("VESC_{name}")))
        };
        let [none, own] = [None, Some("127.0.0.1".to_owned())];
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(
            told(&Address::Hub(7)),
            [
                word("hub"),
                own.clone(),
                word("7"),
                none.clone(),
                word("DEMO-0001"),
                word("not-a-secret")
            ]
        );
        assert_eq!(
            told(&Address::Direct(7)),
            [
                word("direct"),
                own,
                word("7"),
                none.clone(),
                none.clone(),
                none.clone()
            ]
        );
        assert_eq!(
            told(&Address::Pty("/dev/pts/7".into())),
            [
                word("pty"),
                none.clone(),
                none.clone(),
                word("/dev/pts/7"),
                none.clone(),
                none
            ]
        );
    }

    #[test]
    fn every_variable_that_is_told_is_in_the_list_of_variables() {
        for client in [
            "read-bms: {}",
            "poll-bms: { every: 1s, for: 2s }",
            "read-motor: { can_id: 7 }",
            "read-motor: {}",
            "drive: { can_id: 7, current_a: 5, for: 1s }",
            "keep-alive: { duty: -0.1, by: set, for: 1s }",
            "read-config: { of: app, can_id: 7 }",
            "read-app: { data: '65 00', every: 1s, for: 2s }",
            "scan-can: {}",
            "read: { request: FW_VERSION, can_id: 7, every: 1s, for: 3s }",
        ] {
            for address in [
                Address::Hub(1),
                Address::Direct(1),
                Address::Pty("/dev/pts/1".into()),
            ] {
                for (name, _) in task(client).unwrap().environment(&address, None) {
                    assert!(
                        !name.starts_with("VESC_") || VARIABLES.contains(&name),
                        "{name}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_only_the_reference_client_can_do_has_a_reason() {
        for (client, why) in [
            ("send: { requests: [FW_VERSION] }", TaskError::Send),
            (
                "read-bms: { login: { pause_after: 0ms } }",
                TaskError::PauseAfterLogin,
            ),
        ] {
            assert_eq!(task(client), Err(why), "{client}");
        }
    }
}
