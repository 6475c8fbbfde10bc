//! Which requests are sent to a device, in which order, and which replies the client waits for.

use std::{collections::VecDeque, io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Defect, Defects, Dial, Orders,
    framing::{Framer, frame},
    values::{
        self, BMS_GET_VALUES, FORWARD_CAN, FW_VERSION, GET_CUSTOM_CONFIG, GET_VALUES,
        GET_VALUES_SETUP, PING_CAN, PRINT,
    },
};

/// The pause after the login line, as the hub discards what comes together with it. It is longer than VESC Tool's
/// 50 ms, so that the hub reads the two separately even on a busy machine.
const PAUSE: Duration = Duration::from_millis(120);
/// How long to wait for the reply to a poll before the request is sent again.
const GUARD: Duration = Duration::from_secs(1);
/// How soon a client that floods sends the request again.
const FLOOD: Duration = Duration::from_millis(20);
/// How often a client that hammers connects again.
const HAMMERS: usize = 20;

/// Why a task was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is over.
    Closed,
    /// A reply did not come.
    NoReply,
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

pub(super) type Done = Result<(), Failure>;

/// Does a task.
pub(super) async fn run<D: Dial>(
    dial: &D,
    orders: &Orders,
    defects: Defects,
    print: &mut dyn FnMut(&str),
) -> Done {
    let mut left = match defects.has(Defect::HammersWhenClosed) {
        true => HAMMERS,
        false => 0,
    };
    loop {
        let mut session = TaskRun::open(dial, orders, defects, print).await?;
        match session.task().await {
            Err(Failure::Closed) if left > 0 => left -= 1,
            done => return done,
        }
    }
}

pub(super) struct TaskRun<'a, D: Dial> {
    pub(super) dial: &'a D,
    pub(super) orders: &'a Orders,
    defects: Defects,
    print: &'a mut dyn FnMut(&str),
    pub(super) stream: D::Stream,
    pub(super) framer: Framer,
    /// Payloads that came and were not used yet.
    pub(super) inbox: VecDeque<Vec<u8>>,
    heard: Instant,
    idle_reads: u64,
    /// The last line that was printed.
    line: Option<String>,
    /// The last reply of a node.
    told: Option<Vec<u8>>,
    /// Needless requests that nothing answered.
    in_vain: Vec<&'static [u8]>,
    /// Whether a request was answered.
    pub(super) was_answered: bool,
    /// Whether the other side has ended the connection.
    pub(super) is_over: bool,
}

impl<'a, D: Dial> TaskRun<'a, D> {
    async fn open(
        dial: &'a D,
        orders: &'a Orders,
        defects: Defects,
        print: &'a mut dyn FnMut(&str),
    ) -> Result<Self, Failure> {
        let mut session = Self {
            stream: dial.dial().await?,
            dial,
            orders,
            defects,
            print,
            framer: Framer::new(defects),
            inbox: VecDeque::new(),
            heard: Instant::now(),
            idle_reads: 0,
            line: None,
            told: None,
            in_vain: Vec::new(),
            was_answered: false,
            is_over: false,
        };
        match session.log_in().await {
            Err(Failure::Closed) if session.has(Defect::ShowsWhatItHasNot) => {
                session.show_nothing_as_values();
                Err(Failure::Closed)
            }
            done => done.map(|()| session),
        }
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defects.has(defect)
    }

    pub(super) async fn log_in(&mut self) -> Done {
        if !self.orders.logs_in {
            return Ok(());
        }
        let Orders { id, password, .. } = self.orders;
        let mut line = format!("VESCTOOL:{id}:{password}\n").into_bytes();
        if self.has(Defect::SendsWithTheLogin) {
            line.extend(frame(&[FW_VERSION], self.defects));
        }
        self.stream.write_all(&line).await?;
        let pause = if self.has(Defect::WaitsForALoginReply) {
            Duration::from_secs(3)
        } else if self.has(Defect::SendsWithTheLogin) {
            Duration::ZERO
        } else {
            PAUSE
        };
        let until = Instant::now() + pause;
        while Instant::now() < until {
            match self.listen(until).await {
                // The hub refuses a login by closing the connection.
                Err(_) if self.has(Defect::AssumesSuccess) => return Ok(()),
                Err(_) if self.has(Defect::HammersWhenClosed) => return Ok(()),
                done => done?,
            }
        }
        Ok(())
    }

    async fn task(&mut self) -> Done {
        match self.orders.task.as_str() {
            "read-bms" => self.read_bms().await,
            "poll-bms" => self.poll_bms().await,
            "read-motor" => self.read_motor().await,
            "read" | "read-config" | "read-app" => self.read().await,
            "drive" | "keep-alive" => self.drive().await,
            _ => self.scan_can().await,
        }
    }

    async fn read_bms(&mut self) -> Done {
        let requests = [
            vec![FW_VERSION],
            vec![GET_CUSTOM_CONFIG, 0],
            vec![PING_CAN],
            vec![BMS_GET_VALUES],
        ];
        if self.orders.rapid_fire {
            return self.all_at_once(&requests).await;
        }
        let mut done = Ok(());
        for request in &requests {
            match self.ask(request, None).await {
                Err(Failure::NoReply) => done = Err(Failure::NoReply),
                other => drop(other?),
            }
        }
        done
    }

    async fn all_at_once(&mut self, requests: &[Vec<u8>]) -> Done {
        let mut open: Vec<u8> = requests.iter().map(|request| request[0]).collect();
        for request in requests {
            self.send(request).await?;
        }
        let until = Instant::now() + self.patience();
        while !open.is_empty() {
            let Some(payload) = self.next(until).await? else {
                return Err(Failure::NoReply);
            };
            let index = match self.has(Defect::FirstFrameIsTheReply) {
                true => Some(0),
                false => open.iter().position(|id| payload.first() == Some(id)),
            };
            if let Some(index) = index {
                let command = open.remove(index);
                self.tell(command, &payload, None);
            }
        }
        Ok(())
    }

    async fn poll_bms(&mut self) -> Done {
        let done = self.ask(&[FW_VERSION], None).await.map(drop);
        if matches!(done, Err(Failure::Closed)) {
            return done;
        }
        match self.poll(&[BMS_GET_VALUES], None).await {
            Ok(()) => done,
            failed => failed,
        }
    }

    /// Sends a request as often as it was ordered.
    async fn poll(&mut self, request: &[u8], can_id: Option<u8>) -> Done {
        let mut done = Ok(());
        // What it asks before the first poll may have to wait for a reply in vain; its polls are counted from there.
        let mut start = Instant::now();
        for tick in 0..self.orders.count {
            let due = start + self.orders.period * tick;
            // Ticks that have passed are skipped.
            if tick > 0 && due + self.orders.period < Instant::now() {
                continue;
            }
            let is_last = tick + 1 == self.orders.count;
            if tick == 0 {
                self.before_poll(tick).await?;
                start = Instant::now();
            }
            match self.one_poll(request, can_id, tick, due).await {
                Ok(()) => {}
                Err(Failure::NoReply) => done = Err(Failure::NoReply),
                Err(Failure::Closed) if !is_last => self.come_back().await?,
                closed => return closed,
            }
        }
        done
    }

    async fn one_poll(
        &mut self,
        request: &[u8],
        can_id: Option<u8>,
        tick: u32,
        due: Instant,
    ) -> Done {
        while Instant::now() < due {
            self.listen(due).await?;
        }
        if tick > 0 {
            self.before_poll(tick).await?;
        }
        self.ask(request, can_id).await.map(drop)
    }

    /// Requests before a poll that a good client does not send.
    async fn before_poll(&mut self, tick: u32) -> Done {
        if self.orders.task != "poll-bms" {
            return Ok(());
        }
        if self.has(Defect::ConnectsForEveryPoll) && tick > 0 {
            self.stream = self.dial.dial().await?;
            self.framer.forget();
            self.log_in().await?;
        }
        let needless: [(Defect, &'static [u8]); 3] = [
            (Defect::RescansAtEveryPoll, &[PING_CAN]),
            (Defect::ConfigAtEveryPoll, &[GET_CUSTOM_CONFIG, 0]),
            (Defect::FirmwareAtEveryPoll, &[FW_VERSION]),
        ];
        for (defect, request) in needless {
            if self.has(defect) {
                if self.in_vain.contains(&request) {
                    self.send(request).await?;
                    continue;
                }
                match self.ask(request, None).await {
                    // The poll itself goes on, and the next one does not wait for this again.
                    Err(Failure::NoReply) => self.in_vain.push(request),
                    other => drop(other?),
                }
            }
        }
        Ok(())
    }

    async fn read_motor(&mut self) -> Done {
        let can_id = self.orders.can_id;
        let mut done = Ok(());
        if self.has(Defect::SetsWhenItReads) {
            let set = [&[FORWARD_CAN, can_id.unwrap_or(255)][..], &[6, 0, 0, 4, 0]].concat();
            self.send(if can_id.is_some() { &set } else { &set[2..] })
                .await?;
        }
        let mut version = None;
        for command in [FW_VERSION, GET_VALUES, GET_VALUES_SETUP] {
            let request = match can_id {
                Some(can_id) => vec![FORWARD_CAN, can_id, command],
                None => vec![command],
            };
            // Firmware before 3.48 does not know it, and stays silent.
            if command == GET_VALUES_SETUP && version.is_some_and(|version| version < [3, 48]) {
                continue;
            }
            let asked = match command {
                GET_VALUES => self.poll(&request, can_id).await,
                _ => self.ask(&request, can_id).await.map(|reply| {
                    if let (FW_VERSION, &[_, major, minor, ..]) = (command, &reply[..]) {
                        version = Some([major, minor]);
                    }
                }),
            };
            match asked {
                Err(Failure::NoReply) => done = Err(Failure::NoReply),
                other => other?,
            }
        }
        done
    }

    async fn read(&mut self) -> Done {
        let can_id = self.orders.can_id;
        let mut request = self.orders.request.clone();
        if let Some(can_id) = can_id {
            request.splice(0..0, [FORWARD_CAN, can_id]);
        }
        self.poll(&request, can_id).await
    }

    async fn scan_can(&mut self) -> Done {
        let found = self.ask(&[PING_CAN], None).await?;
        let ids = values::can_ids(&found, self.defects);
        for id in ids {
            self.ask(&[FORWARD_CAN, id, FW_VERSION], Some(id)).await?;
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        if self.has(Defect::WaitsForEver) {
            Duration::from_secs(3600)
        } else if self.has(Defect::GivesUpAfterOneSecond) {
            GUARD
        } else {
            self.orders.timeout
        }
    }

    /// Sends a request, waits for the reply and prints it.
    pub(super) async fn ask(
        &mut self,
        request: &[u8],
        can_id: Option<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let place = if can_id.is_some() { 2 } else { 0 };
        let command = request.get(place).copied().unwrap_or_default();
        if !self.has(Defect::KeepsOldReplies) {
            self.inbox.clear();
        }
        let mut others = VecDeque::new();
        let is_poll = match self.orders.task.as_str() {
            "poll-bms" => command == BMS_GET_VALUES,
            _ => self.orders.count > 1,
        };
        let is_patient = self.has(Defect::WaitsForEver);
        let patience = match is_poll && !is_patient {
            true => self.patience().min(GUARD),
            false => self.patience(),
        };
        let until = Instant::now() + patience;
        if self.has(Defect::CanIdsTo127) && can_id.is_some_and(|id| id > 127) {
            return Err(Failure::NoReply);
        }
        self.send(request).await?;
        let wanted = match can_id {
            Some(_) if self.has(Defect::ExpectsWrappedReplies) => FORWARD_CAN,
            _ => command,
        };
        loop {
            let look = match self.has(Defect::Floods) {
                true => until.min(Instant::now() + FLOOD),
                false => until,
            };
            match self.next(look).await? {
                Some(payload)
                    if payload.first() == Some(&wanted)
                        || self.has(Defect::FirstFrameIsTheReply) =>
                {
                    self.was_answered = true;
                    self.tell(command, &payload, can_id);
                    if self.has(Defect::KeepsOldReplies) {
                        others.append(&mut self.inbox);
                        self.inbox = others;
                    }
                    return Ok(payload);
                }
                Some(other) => others.push_back(other),
                None if look < until => self.send(request).await?,
                None if self.has(Defect::NeedsTheFirstReply) && !self.was_answered => {
                    return Err(Failure::Closed);
                }
                None => {
                    if self.has(Defect::RepeatsReadings)
                        && let Some(line) = &self.line
                    {
                        (self.print)(line);
                    }
                    return Err(Failure::NoReply);
                }
            }
        }
    }

    pub(super) async fn send(&mut self, request: &[u8]) -> Done {
        let mut request = request.to_vec();
        if self.has(Defect::CommandIdsOff) {
            request[0] += 1;
        }
        let written = self.stream.write_all(&frame(&request, self.defects)).await;
        self.is_over = written.is_err();
        Ok(written?)
    }

    pub(super) fn tell(&mut self, command: u8, payload: &[u8], can_id: Option<u8>) {
        if self.has(Defect::MergesNodesAlike) && can_id.is_some() {
            if self.told.as_deref() == Some(payload) {
                return;
            }
            self.told = Some(payload.to_vec());
        }
        if let Some(line) = values::reading(command, payload, can_id, self.defects) {
            (self.print)(&line);
            self.line = Some(line);
        }
    }

    /// The next payload; `None` if none came in time.
    pub(super) async fn next(&mut self, until: Instant) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some(payload) = self.inbox.pop_front() {
                return Ok(Some(payload));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            self.listen(until).await?;
        }
    }

    /// Waits for one read, but not longer than this.
    async fn listen(&mut self, until: Instant) -> Done {
        let mut buffer = [0; 1024];
        let silence = self.heard + Duration::from_secs(5);
        let until = match self.has(Defect::ClosesWhenIdle) {
            true if Instant::now() >= silence => return Err(Failure::Closed),
            true => until.min(silence),
            false => until,
        };
        let Ok(read) = timeout_at(until, self.stream.read(&mut buffer)).await else {
            return Ok(());
        };
        self.is_over = read.is_err();
        let count = read?;
        if count == 0 {
            return self.over(until).await;
        }
        if self.has(Defect::ForgetsHalfFrames) && self.heard.elapsed() >= Duration::from_millis(100)
        {
            self.framer.forget();
        }
        self.heard = Instant::now();
        for payload in self.framer.push(&buffer[..count]) {
            let is_print = payload.first() == Some(&PRINT);
            let is_deadly = (payload.is_empty() && self.has(Defect::DiesOfAnEmptyFrame))
                || (is_print && self.has(Defect::DiesOfAPrint))
                || (values::has_negative_count(&payload) && self.has(Defect::DiesOfANegativeCount));
            if is_deadly {
                return Err(Failure::Closed);
            }
            self.inbox.push_back(payload);
        }
        Ok(())
    }

    /// The other side closed the connection.
    async fn over(&mut self, until: Instant) -> Done {
        if self.has(Defect::AssumesSuccess) {
            // This defect ignores the end.
            sleep_until(until).await;
            return Ok(());
        }
        self.idle_reads += 1;
        let is_enough = D::IDLE_READS.is_some_and(|most| self.idle_reads > most);
        if self.has(Defect::SpinsAtEof) {
            return match is_enough {
                true => Err(Failure::Closed),
                false => Ok(()),
            };
        }
        self.is_over = true;
        Err(Failure::Closed)
    }
}
