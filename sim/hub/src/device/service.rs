//! A part of a node that does some commands of its own, such as its files, its scripts or its configs.
//!
//! A node asks each of its services before it looks at a request itself. The first whose command it is decides.

pub mod app;
pub(in crate::device) mod config;
pub(in crate::device) mod files;
mod flash;
pub mod imu;
pub mod inputs;
pub(in crate::device) mod lisp;
mod log;
mod lzo;
pub mod plots;
pub(in crate::device) mod qml;
pub mod samples;
pub mod side_devices;
mod tree;
pub(in crate::device) mod upload;

use std::fmt;

use veschub_wire::{Request, command::FwVersion};

pub(in crate::device) use self::{
    files::{Card, READ_OVER_WIFI},
    lisp::Lisp,
    qml::Qml,
    upload::{Upload, UploadTo},
};
pub use self::{
    lisp::{LispOn, LispPrint, LispSettings, ReplAnswer},
    qml::QmlSettings,
    tree::FileSettings,
};

use super::{
    Silence,
    answer::{Answer, Answers},
    motor_state::MotorState,
};
use crate::{mistake::Mistakes, time::Time};

/// A part of a node. On a node without a motor, `motor` is [`MotorState::default`].
pub(in crate::device) trait Service: Send + fmt::Debug {
    /// What it does with a request; none where the command is not its own.
    fn request(
        &mut self,
        at: Time,
        request: &Request,
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>>;

    /// When it wants to do something without being asked.
    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Does what was due by `now`, and tells what it says without being asked; what is due then lies later.
    fn handle_timeout(&mut self, _now: Time, _motor: &MotorState) -> Vec<(Time, Answer)> {
        Vec::new()
    }

    /// The node restarts: the service forgets what it does not store.
    fn restart(&mut self, _at: Time) {}

    /// Adds to FW_VERSION what the node has through it.
    fn tell_version(&mut self, _version: &mut FwVersion) {}
}

/// Looks for mistakes in the settings that every kind of device with services has.
pub fn check_services(
    app: &app::AppSettings,
    io_boards: &[side_devices::IoBoardSettings],
    gnss: Option<&side_devices::GnssSettings>,
    mistakes: &mut Mistakes,
) {
    mistakes.inside("app", |mistakes| app.check(mistakes));
    if let Some(gnss) = gnss {
        mistakes.inside("gnss", |mistakes| gnss.check(mistakes));
    }
    mistakes.each("io_boards", io_boards, side_devices::IoBoardSettings::check);
}

/// The services of a node.
#[derive(Debug, Default)]
pub(in crate::device) struct Services(Vec<Box<dyn Service>>);

impl Services {
    /// Adds one; earlier ones are asked first.
    pub(in crate::device) fn with(mut self, service: impl Service + 'static) -> Self {
        self.0.push(Box::new(service));
        self
    }

    /// What the first does whose command it is.
    pub(in crate::device) fn request(
        &mut self,
        at: Time,
        request: &Request,
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        self.0
            .iter_mut()
            .find_map(|service| service.request(at, request, motor))
    }

    /// When the first of them wants to do something without being asked.
    pub(in crate::device) fn poll_timeout(&self) -> Option<Time> {
        self.0.iter().filter_map(|one| one.poll_timeout()).min()
    }

    /// Lets those do something whose time has come.
    pub(in crate::device) fn handle_timeout(
        &mut self,
        now: Time,
        motor: &MotorState,
    ) -> Vec<(Time, Answer)> {
        let is_due = |one: &&mut Box<dyn Service>| one.poll_timeout().is_some_and(|at| at <= now);
        let due = self.0.iter_mut().filter(is_due);
        due.flat_map(|one| one.handle_timeout(now, motor)).collect()
    }

    /// Adds to FW_VERSION what all of them add.
    pub(in crate::device) fn tell_version(&mut self, version: &mut FwVersion) {
        for service in &mut self.0 {
            service.tell_version(version);
        }
    }

    /// All of them restart.
    pub(in crate::device) fn restart(&mut self, at: Time) {
        for service in &mut self.0 {
            service.restart(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use veschub_wire::Reply;

    use super::*;

    /// Answers every PING_CAN, and says something once, at its time.
    #[derive(Debug)]
    struct Echo(Option<Time>);

    impl Service for Echo {
        fn request(
            &mut self,
            _: Time,
            request: &Request,
            _: &MotorState,
        ) -> Option<Result<Answers, Silence>> {
            (*request == Request::PingCan).then(|| {
                let can_ids = Vec::new();
                Ok(Reply::PingCan { can_ids }.into())
            })
        }

        fn poll_timeout(&self) -> Option<Time> {
            self.0
        }

        fn handle_timeout(&mut self, now: Time, _: &MotorState) -> Vec<(Time, Answer)> {
            self.0 = None;
            vec![(now, Answer::raw(&[21]))]
        }
    }

    #[test]
    fn the_service_whose_command_it_is_answers_and_only_the_one_whose_time_has_come_speaks() {
        let at = |ms| Time::ZERO + Duration::from_millis(ms);
        let none = MotorState::default();
        let mut services = Services::default()
            .with(Echo(Some(at(7))))
            .with(Echo(Some(at(5))));
        assert!(services.request(at(0), &Request::Reboot, &none).is_none());
        assert!(matches!(
            services.request(at(0), &Request::PingCan, &none),
            Some(Ok(_))
        ));
        assert_eq!(services.poll_timeout(), Some(at(5)));
        assert_eq!(services.handle_timeout(at(5), &none).len(), 1);
        assert_eq!(services.poll_timeout(), Some(at(7)));
    }
}
