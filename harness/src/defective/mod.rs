//! A second, small client that can have defects on purpose. It tests the conformance battery itself.
//!
//! It does not use the `wire` crate: its framing and decoding are written separately, as a second opinion on the
//! protocol. Without a defect it must pass every case that counts. With a defect it must fail the cases that are meant
//! for this defect, and no others. It reads its task from the environment like any outside client
//! (`veschub-harness client`), or runs in memory for tests.
//!
//! * [`framing`]: bytes and frames; [`values`]: their contents; `session`: which requests are sent, and in which order.

mod again;
mod child;
mod drive;
pub mod framing;
mod session;
pub mod values;

use std::{fmt, future::Future, io, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::unix::pipe;

use crate::outside::task::AGAIN;

/// The exit code for a task that cannot be done.
const UNSUPPORTED: u8 = 77;

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A mistake that the client makes on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect {
            $($(#[$doc])* $variant,)*
        }

        impl Defect {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

defects! {
    /// Every command id is one too large; everything else is right.
    CommandIdsOff = "command-ids-off",
    /// The first request is sent together with the login line.
    SendsWithTheLogin = "sends-with-the-login",
    /// Waits for an answer to the login, which never comes.
    WaitsForALoginReply = "waits-for-a-login-reply",
    /// Reports success even if the login was refused.
    AssumesSuccess = "assumes-success",
    /// Reports a failure even if everything went well.
    SaysItFailed = "says-it-failed",
    /// Ends when the first request has no reply.
    NeedsTheFirstReply = "needs-the-first-reply",
    /// Connects again at once when the hub closes the connection, again and again.
    HammersWhenClosed = "hammers-when-closed",

    /// Shows zeros as values when the login is refused.
    ShowsWhatItHasNot = "shows-what-it-has-not",

    /// The length byte is read as signed: lengths of 128 and more are refused.
    LengthThreshold128 = "length-threshold-128",
    /// A payload of one byte is refused as too short.
    RefusesSingleBytes = "refuses-single-bytes",
    /// A payload of 255 bytes is accepted in the short form only.
    ShortFormTo256 = "short-form-to-256",
    /// The start byte 3 is unknown.
    IgnoresLongFrames = "ignores-long-frames",
    /// The two length bytes of a long frame are read in the wrong order.
    LittleEndianLength = "little-endian-length",
    /// Every frame with a stop byte is accepted; the CRC is not checked.
    NoCrcCheck = "no-crc-check",
    /// The stop byte is not checked.
    NoStopCheck = "no-stop-check",
    /// After a byte that starts no frame, nothing is understood any more.
    NoResync = "no-resync",
    /// A broken frame is skipped as a whole, together with good frames inside it.
    SkipsBrokenFrames = "skips-broken-frames",
    /// Each read is taken for one reply, and the rest of its bytes is discarded.
    OneReadIsOneReply = "one-read-is-one-reply",
    /// Every length is accepted.
    NoLengthLimit = "no-length-limit",
    /// Ends when a frame without a payload comes.
    DiesOfAnEmptyFrame = "dies-of-an-empty-frame",
    /// No more than 127 bytes of a request are sent.
    SendsOnly127 = "sends-only-127",
    /// Long requests are sent in the short form, whose length then overflows.
    SendsShortForms = "sends-short-forms",
    /// No payload of more than 300 bytes is accepted.
    LengthThreshold300 = "length-threshold-300",
    /// No more than eight frames are taken out of one read.
    EightFramesAtMost = "eight-frames-at-most",
    /// What is left behind a frame at the end of a read is discarded.
    DropsTheTail = "drops-the-tail",
    /// Looks for the bytes `02 xx 60` and takes them for the start of a BMS reply.
    SearchesForTheReply = "searches-for-the-reply",

    /// The first frame is taken for the reply, whatever its command is.
    FirstFrameIsTheReply = "first-frame-is-the-reply",
    /// A reply that came before it was asked for is taken for the answer.
    KeepsOldReplies = "keeps-old-replies",
    /// A PRINT is taken for an error.
    DiesOfAPrint = "dies-of-a-print",
    /// Waits for ever for a reply that does not come.
    WaitsForEver = "waits-for-ever",
    /// Prints the last line again when a reply does not come.
    RepeatsReadings = "repeats-readings",

    /// Waits at most one second for any reply.
    GivesUpAfterOneSecond = "gives-up-after-one-second",
    /// Half a frame is discarded when nothing comes for 100 ms.
    ForgetsHalfFrames = "forgets-half-frames",
    /// Ends when nothing comes for five seconds.
    ClosesWhenIdle = "closes-when-idle",

    /// Temperatures are read without their sign.
    UnsignedTemperatures = "unsigned-temperatures",
    /// The current is read without its sign.
    UnsignedCurrent = "unsigned-current",
    /// Temperatures are read as tenths of a degree.
    TenthsOfADegree = "tenths-of-a-degree",
    /// Currents, and the voltage at the charger, are read as IEEE floats.
    Floats = "floats",
    /// The totals are read as integers.
    IntegerTotals = "integer-totals",
    /// Cell voltages are read in the wrong byte order.
    LittleEndianCells = "little-endian-cells",
    /// The balancing flags are kept in 32 bits.
    BalanceMask32 = "balance-mask-32",
    /// No more than 24 cells are kept.
    CellsCappedAt24 = "cells-capped-at-24",
    /// No more than 32 cells are kept.
    CellsCappedAt32 = "cells-capped-at-32",
    /// No more than 20 temperatures are kept.
    TemperaturesCapped = "temperatures-capped",
    /// Temperatures that look like fillers are left out.
    FiltersTemperatures = "filters-temperatures",
    /// All offsets are those of 20 cells.
    TwentyCellsAlways = "twenty-cells-always",
    /// A state of charge of 0 is replaced by one that is computed from the voltage.
    InventsStateOfCharge = "invents-state-of-charge",
    /// The CAN id is read with a sign.
    SignedCanId = "signed-can-id",
    /// The pressure is taken for Pascals.
    PressureInTens = "pressure-in-tens",
    /// Ends when a count in a BMS reply is below 0.
    DiesOfANegativeCount = "dies-of-a-negative-count",
    /// Counters are read without their sign.
    UnsignedCounters = "unsigned-counters",
    /// The minor version loses its leading 0.
    MinorVersion = "minor-version",
    /// The status text is read as ASCII, and other characters are dropped.
    AsciiStatus = "ascii-status",

    /// The electrical speed of a motor is reported with its sign turned.
    TurnedErpm = "turned-erpm",
    /// All values of a motor are read without their signs.
    UnsignedMotorValues = "unsigned-motor-values",
    /// The duty cycle of a motor is divided by 100, not by 1000.
    DutyInHundredths = "duty-in-hundredths",
    /// The current of a motor is divided by 10, not by 100.
    MotorCurrentInTenths = "motor-current-in-tenths",
    /// Every value is read from one byte before its place.
    ShiftedValues = "shifted-values",
    /// The electrical speed loses its sign.
    ErpmWithoutSign = "erpm-without-sign",
    /// Every scaled value of a motor is ten times too large.
    MotorScales = "motor-scales",
    /// A value of -1 is taken for nothing and reported as 0.
    MinusOneIsNothing = "minus-one-is-nothing",
    /// A value of 0 is taken for nothing, and another one is reported.
    ZeroIsOld = "zero-is-old",
    /// Of 32 bits only the lower 16 are read.
    SixteenBits = "sixteen-bits",
    /// Fault codes that the client does not know are reported as no fault.
    KnownFaultsOnly = "known-faults-only",
    /// Fault codes are not reported at all.
    HidesFaults = "hides-faults",
    /// Single bytes and unsigned integers are read with a sign.
    SignedBytes = "signed-bytes",
    /// A byte with flags is taken for one flag.
    FlagsAreOne = "flags-are-one",
    /// Replies that end early, as those of older firmware do, are refused.
    NeedsWholeReplies = "needs-whole-replies",
    /// Replies of a motor that go on behind the last known field are refused.
    RefusesLongerReplies = "refuses-longer-replies",
    /// A selective reply is read as if all fields were there.
    IgnoresTheMask = "ignores-the-mask",
    /// The sizes of the masks of GET_IMU_DATA and GET_STATS are mixed up.
    MasksSwapped = "masks-swapped",
    /// The same version is reported of every device, paired and no test.
    KnowsOneFirmware = "knows-one-firmware",
    /// The id of the chip is read as a text, up to its first zero.
    ZeroEndsTheUuid = "zero-ends-the-uuid",

    /// Waits for a reply with the command FORWARD_CAN, not for the inner reply.
    ExpectsWrappedReplies = "expects-wrapped-replies",
    /// CAN ids above 127 are ignored, and not asked.
    CanIdsTo127 = "can-ids-to-127",
    /// A node that says the same as another one is not reported.
    MergesNodesAlike = "merges-nodes-alike",
    /// The CAN id 0 is ignored.
    IgnoresCanIdZero = "ignores-can-id-zero",

    /// Keeps reading after the end of the connection.
    SpinsAtEof = "spins-at-eof",
    /// Connects again without logging in again.
    ForgetsTheLoginAgain = "forgets-the-login-again",

    /// Scans the CAN bus at every poll.
    RescansAtEveryPoll = "rescans-at-every-poll",
    /// Opens a connection for every poll.
    ConnectsForEveryPoll = "connects-for-every-poll",
    /// Asks for the config, which has passwords in it, at every poll.
    ConfigAtEveryPoll = "config-at-every-poll",
    /// Asks again every 20 ms when there is no reply.
    Floods = "floods",
    /// Asks for the firmware version at every poll.
    FirmwareAtEveryPoll = "firmware-at-every-poll",

    /// Sets a current in microamperes, 1000 times too large.
    CurrentInMicroamperes = "current-in-microamperes",
    /// Sets a current in amperes, 1000 times too small.
    CurrentInAmperes = "current-in-amperes",
    /// Sets the speed of the motor where the electrical speed is meant.
    RpmForErpm = "rpm-for-erpm",
    /// Sets a duty cycle with the scale of the reply.
    DutyInThousandths = "duty-in-thousandths",
    /// Loses the sign of what it sets.
    DrivesForwardsOnly = "drives-forwards-only",
    /// Sends what it sets to the device itself, although it was told a node.
    DrivesWithoutForwarding = "drives-without-forwarding",
    /// Sets half as much again at first.
    Overshoots = "overshoots",
    /// Sets without a pause.
    SetsInABusyLoop = "sets-in-a-busy-loop",
    /// Sets once and never again.
    SetsOnce = "sets-once",
    /// Sets once more behind the stop.
    SetsAfterTheStop = "sets-after-the-stop",
    /// Sets a current when it is told to read.
    SetsWhenItReads = "sets-when-it-reads",
    /// Does not stop the motor at its end.
    NeverStops = "never-stops",
    /// Ends at SIGTERM without stopping the motor.
    DiesOfSigterm = "dies-of-sigterm",
    /// Has a child send ALIVE, which goes on when the client is dead.
    ChildKeepsAlive = "child-keeps-alive",
    /// Drives on as before when it has lost its link and connected again.
    ResumesAfterALoss = "resumes-after-a-loss",
}

/// Any number of defects at once; none at all is a client that is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Defects(u128);

// Each defect has a bit.
const _: () = assert!(Defect::ALL.len() <= u128::BITS as usize);

impl Defects {
    /// A client without a defect.
    pub const NONE: Self = Self(0);

    /// Whether this defect is one of them.
    #[must_use]
    pub fn has(self, defect: Defect) -> bool {
        self.0 & Self::bit(defect) != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        let all = Defect::ALL.iter().copied();
        all.filter(move |defect| self.has(*defect))
    }

    fn bit(defect: Defect) -> u128 {
        1 << (defect as u32)
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<T: IntoIterator<Item = Defect>>(defects: T) -> Self {
        let bits = defects.into_iter().map(Self::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

impl From<Defect> for Defects {
    fn from(defect: Defect) -> Self {
        Self(Self::bit(defect))
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Defect::name).collect();
        f.write_str(&names.join(" and "))
    }
}

/// A name that is not that of a defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no defect `{0}`; there are {names}", names = names())]
pub struct UnknownDefect(String);

fn names() -> String {
    let names: Vec<&str> = Defect::ALL.iter().map(|defect| defect.name()).collect();
    names.join(", ")
}

impl std::str::FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(name: &str) -> Result<Self, UnknownDefect> {
        let found = Self::ALL.iter().find(|defect| defect.name() == name);
        found.copied().ok_or_else(|| UnknownDefect(name.to_owned()))
    }
}

/// The task of a client, as the environment tells an outside client.
#[derive(Clone, Debug, PartialEq)]
pub struct Orders {
    /// Whether there is a hub to log in to.
    pub logs_in: bool,
    /// The id to log in with.
    pub id: String,
    /// The password to log in with.
    pub password: String,
    /// How long to wait for a reply.
    pub timeout: Duration,
    /// The name of the task.
    pub task: String,
    /// `read`: the request, as it is sent to the device that is asked.
    pub request: Vec<u8>,
    /// How often to ask.
    pub count: u32,
    /// The time from one request to the next.
    pub period: Duration,
    /// The CAN id to ask, if not the device itself.
    pub can_id: Option<u8>,
    /// `read-bms`: whether all requests are sent at once.
    pub rapid_fire: bool,
    /// `drive`, `keep-alive`: what is set: `current`, `duty` or `erpm`.
    pub set: String,
    /// `drive`, `keep-alive`: how much: A, a share of 1, or electrical revolutions per minute.
    pub value: f64,
    /// `keep-alive`: `alive` or `set`.
    pub keep: String,
}

impl Orders {
    /// Reads the orders from variables. A missing variable gets the value of the simplest task.
    #[must_use]
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| get(name).and_then(|text| text.parse::<u32>().ok());
        let milliseconds = |name| number(name).map(|ms| Duration::from_millis(ms.into()));
        Self {
            logs_in: get("VESC_LINK").is_none_or(|link| link == "hub"),
            id: get("VESC_ID").unwrap_or_default(),
            password: get("VESC_PASSWORD").unwrap_or_default(),
            timeout: milliseconds("VESC_TIMEOUT_MS").unwrap_or(Duration::from_secs(5)),
            task: get("VESC_TASK").unwrap_or_default(),
            count: number("VESC_COUNT").unwrap_or(1),
            period: milliseconds("VESC_PERIOD_MS").unwrap_or_default(),
            request: bytes(&get("VESC_REQUEST").unwrap_or_default()),
            can_id: number("VESC_CAN_ID").and_then(|id| u8::try_from(id).ok()),
            rapid_fire: get("VESC_ASK").is_none_or(|ask| ask == "rapid-fire"),
            set: get("VESC_SET").unwrap_or_default(),
            value: get("VESC_VALUE")
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            keep: get("VESC_KEEP").unwrap_or_default(),
        }
    }
}

/// Bytes from hex; what is no hex counts as nothing.
fn bytes(text: &str) -> Vec<u8> {
    let pairs = (0..text.len() / 2).filter_map(|pair| text.get(2 * pair..2 * pair + 2));
    let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16));
    bytes.collect::<Result<_, _>>().unwrap_or_default()
}

/// How the client reaches a hub.
pub trait Dial {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin;
    /// How often a client that keeps reading after the end does so before it ends; `None` means for ever.
    const IDLE_READS: Option<u64>;

    /// Connects.
    ///
    /// # Errors
    /// If the hub cannot be reached.
    fn dial(&self) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Waits until the client is told to end: SIGTERM.
    fn told_to_end(&self) -> impl Future<Output = ()>;

    /// Waits until the client is dead and only its child goes on; a real process never sees that.
    fn killed(&self) -> impl Future<Output = ()>;

    /// Starts a child that shares the connection and sends this payload again and again.
    ///
    /// # Errors
    /// If it cannot be started.
    fn start_child(&self, stream: &Self::Stream, payload: &[u8]) -> io::Result<()>;
}

/// The tasks that the client can do.
const TASKS: [&str; 9] = [
    "read-bms",
    "poll-bms",
    "read-motor",
    "scan-can",
    "read",
    "drive",
    "keep-alive",
    "read-config",
    "read-app",
];

/// Does the task; returns the exit code.
pub async fn run<D: Dial>(
    dial: &D,
    orders: &Orders,
    defects: Defects,
    print: &mut dyn FnMut(&str),
) -> u8 {
    if !TASKS.contains(&orders.task.as_str()) {
        return UNSUPPORTED;
    }
    let ended = session::run(dial, orders, defects, print).await;
    let is_well = (ended.is_ok() || defects.has(Defect::AssumesSuccess))
        && !defects.has(Defect::SaysItFailed);
    u8::from(!is_well)
}

/// A hub that is reached over TCP.
#[derive(Debug)]
struct Tcp {
    address: String,
    child: child::Held,
}

impl Dial for Tcp {
    type Stream = tokio::net::TcpStream;
    const IDLE_READS: Option<u64> = None;

    async fn dial(&self) -> io::Result<Self::Stream> {
        let stream = tokio::net::TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn told_to_end(&self) {
        child::told_to_end().await;
    }

    async fn killed(&self) {
        std::future::pending().await
    }

    fn start_child(&self, stream: &Self::Stream, payload: &[u8]) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            self.child.start(stream.as_fd(), payload)
        }
        #[cfg(not(unix))]
        {
            let _ = (stream, payload);
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

/// A device on a terminal.
#[cfg(unix)]
#[derive(Debug)]
struct Serial {
    path: String,
    child: child::Held,
}

#[cfg(unix)]
impl Dial for Serial {
    type Stream = tokio::io::Join<pipe::Receiver, pipe::Sender>;
    const IDLE_READS: Option<u64> = None;

    async fn dial(&self) -> io::Result<Self::Stream> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let terminal = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK)
            .open(&self.path)?;
        // Tokio's pipes carry whatever can be polled.
        let from = pipe::Receiver::from_owned_fd_unchecked(terminal.try_clone()?.into())?;
        let to = pipe::Sender::from_owned_fd_unchecked(terminal.into())?;
        Ok(tokio::io::join(from, to))
    }

    async fn told_to_end(&self) {
        child::told_to_end().await;
    }

    async fn killed(&self) {
        std::future::pending().await
    }

    fn start_child(&self, stream: &Self::Stream, payload: &[u8]) -> io::Result<()> {
        use std::os::fd::AsFd as _;
        self.child.start(stream.writer().as_fd(), payload)
    }
}

/// The client as a process of its own, with the orders of an outside client. Returns the exit code.
///
/// # Errors
/// If it cannot be started.
pub fn main(defects: Defects) -> io::Result<u8> {
    #[cfg(unix)]
    if let Some(payload) = std::env::var_os(child::PAYLOAD) {
        return Ok(child::main(&bytes(&payload.to_string_lossy())));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let variable = |name: &str| std::env::var(name).ok();
    let orders = Orders::from_variables(variable);
    let mut print = |line: &str| {
        use io::Write as _;
        // Stdout is the pipe to the harness. An error means that the harness has ended.
        let mut stdout = io::stdout().lock();
        let _ = writeln!(stdout, "{line}");
        let _ = stdout.flush();
    };
    #[cfg(unix)]
    if let Some(path) = variable("VESC_PTY") {
        let child = child::Held::default();
        let dial = Serial { path, child };
        return Ok(runtime.block_on(run(&dial, &orders, defects, &mut print)));
    }
    let does_it_again = variable(AGAIN).is_some();
    let host = variable("VESC_HOST").unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = variable("VESC_PORT").unwrap_or_default();
    let dial = Tcp {
        address: format!("{host}:{port}"),
        child: child::Held::default(),
    };
    loop {
        let code = runtime.block_on(run(&dial, &orders, defects, &mut print));
        if !does_it_again || code == UNSUPPORTED {
            return Ok(code);
        }
        print(r#"{"again": true}"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let set: Defects = [Defect::Floods, Defect::TurnedErpm].into_iter().collect();
        assert_eq!(set.iter().count(), 2);
        assert!(set.has(Defect::Floods) && !set.has(Defect::Floats));
        assert_eq!(set.to_string(), "turned-erpm and floods");
        let all: Defects = Defect::ALL.iter().copied().collect();
        assert!(all.iter().eq(Defect::ALL.iter().copied()));
        assert_eq!(Defects::NONE.iter().next(), None);
    }
}
