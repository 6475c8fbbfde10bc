//! Logging in: what becomes of a connection once its login line is read.

use veschub_wire::{LoginKind, LoginLine};

use super::{
    core::{Hub, Role},
    lobby::Verdict,
    relay::Relay,
    room::Room,
};
use crate::{
    conn::ConnId,
    journal::{Closed, JournalEvent},
    time::Time,
};

impl Hub {
    pub(super) fn attach_directly(&mut self, now: Time, conn: ConnId) {
        let Some(direct) = &mut self.direct else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&direct.id) else {
            return;
        };
        if !room.is_here() {
            return self.close(now, conn, Closed::DeviceLeft);
        }
        if room.answers_the_last() {
            self.members.insert(conn, (Role::Tool, direct.id.clone()));
            return;
        }
        if let Some(turned_away) = room.turns_away(now, false) {
            self.note(now, conn, turned_away);
            return self.close(now, conn, Closed::BrokenOff);
        }
        if room.tool().is_some() {
            direct.waiting.push(conn);
            return self.note(now, conn, JournalEvent::NotServed);
        }
        self.members.insert(conn, (Role::Tool, direct.id.clone()));
        room.attach(now, conn, &self.rules, false, &mut self.outbox);
        self.note(now, conn, JournalEvent::Attached);
    }

    pub(super) fn poll_lobby(&mut self, now: Time) {
        while let Some((conn, verdict)) = self.lobby.poll(now) {
            self.judge(now, conn, verdict);
        }
    }

    pub(super) fn judge(&mut self, now: Time, conn: ConnId, verdict: Verdict) {
        match verdict {
            Verdict::Refused(reason) => self.refuse(now, conn, reason.to_string()),
            Verdict::TooLong => {
                let limit = self.rules.config.max_login_line;
                let reason = format!("no line feed within the first {limit} bytes");
                self.refuse(now, conn, reason);
            }
            Verdict::NoRoom => {
                let limit = self.rules.config.max_login_bytes;
                let reason = format!(
                    "the unfinished login lines of all connections take more than {limit} bytes"
                );
                self.refuse(now, conn, reason);
            }
            Verdict::TimedOut => {
                let limit = self.rules.config.login_timeout.as_secs_f64();
                self.refuse(now, conn, format!("no login line within {limit} s"));
            }
            Verdict::HeldUp { by } => {
                let reason = format!(
                    "connection #{} was opened later, stayed silent and held it up for too long",
                    by.0
                );
                self.refuse(now, conn, reason);
            }
            Verdict::Line {
                login,
                swallowed,
                rest,
            } => {
                self.note(now, conn, JournalEvent::Login(login.clone()));
                if swallowed > 0 {
                    self.note(
                        now,
                        conn,
                        JournalEvent::LoginBytesDiscarded { bytes: swallowed },
                    );
                }
                let with_login = swallowed > 0 || !rest.is_empty();
                self.admit(now, conn, &login, with_login);
                if !rest.is_empty() && self.members.contains_key(&conn) {
                    self.bytes(now, conn, &rest);
                }
            }
        }
    }

    pub(super) fn admit(&mut self, now: Time, conn: ConnId, login: &LoginLine, with_login: bool) {
        let room = self.rooms.get_mut(&login.id).filter(|room| room.is_here());
        match (login.kind, room) {
            (LoginKind::Ping, room) => {
                let answer: &[u8] = if room.is_some() { b"PONG\n" } else { b"NULL\n" };
                self.send(now, conn, answer.to_vec());
                self.close(now, conn, Closed::Answered);
            }
            (LoginKind::Tool, Some(room)) if room.allows(login.password.reveal()) => {
                let replaced = room.attach(now, conn, &self.rules, with_login, &mut self.outbox);
                self.collect(now);
                self.members.insert(conn, (Role::Tool, login.id.clone()));
                self.note(now, conn, JournalEvent::Attached);
                if let Some(old) = replaced {
                    self.drain(now, old, Closed::Replaced { by: conn });
                }
            }
            (LoginKind::Tool, Some(_)) => self.refuse(now, conn, "wrong password".to_owned()),
            (LoginKind::Tool, None) => {
                self.refuse(now, conn, format!("no device with the id {}", login.id));
            }
            (LoginKind::Device, _) => self.register(now, conn, login),
        }
    }

    /// Takes in a device from outside, in the place of one with the same id.
    pub(super) fn register(&mut self, now: Time, conn: ConnId, login: &LoginLine) {
        if let Some(old) = self.rooms.remove(&login.id) {
            self.evict(now, conn, &login.id, old);
        }
        let password = login.password.reveal().to_owned();
        let relay = Relay::new(now, conn, password, self.rules.config.keeps_early_bytes);
        let room = Room::of_relay(login.id.clone(), relay);
        self.rooms.insert(&login.id, room);
        self.members.insert(conn, (Role::Device, login.id.clone()));
        self.note(now, conn, JournalEvent::Registered);
    }

    fn refuse(&mut self, now: Time, conn: ConnId, reason: String) {
        self.note(now, conn, JournalEvent::LoginRefused { reason });
        self.close(now, conn, Closed::Refused);
    }
}
