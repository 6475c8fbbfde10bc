//! What a case is about, so that it is not held against a client that a link cannot show it.

use veschub_hub::journal::EventKind;
use veschub_scenario::Scenario;

use super::catalogue::{BASIS, Case};
use crate::outside::link::Subject;

/// What a case is about: what its scenario is about, and what its header looks at.
#[must_use]
pub fn subject(case: &Case, scenario: &Scenario) -> Subject {
    let of_the_scenario = Subject::of(scenario);
    // The basis is the first session of any client, with a login or without one.
    let in_the_login_section = case.id().section == BASIS.section && case.id() != BASIS;
    let login_events = [
        EventKind::LoginBytesDiscarded,
        EventKind::LoginRefused,
        EventKind::Login,
    ];
    Subject {
        login: of_the_scenario.login
            || in_the_login_section
            || case.first_request_within().is_some()
            || case.logs_in_again
            || case.never.iter().any(|kind| login_events.contains(kind)),
        second: of_the_scenario.second || case.second.is_some(),
        connections: of_the_scenario.connections || case.connections.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::{carrier::Carrier, catalogue::sections},
        *,
    };
    use crate::outside::link::{Lack, Link};

    /// The cases that a link cannot show, and why.
    fn lacking(link: Link) -> Vec<(&'static Case, Lack)> {
        let cases = sections()
            .unwrap()
            .iter()
            .flat_map(|section| &section.cases);
        let lack = |case: &'static Case| {
            let scenario = &case.load(Carrier::Bms).unwrap().scenario;
            Some((case, link.lacks(subject(case, scenario))?))
        };
        cases.filter_map(lack).collect()
    }

    fn ids(cases: &[(&Case, Lack)]) -> BTreeSet<String> {
        cases
            .iter()
            .map(|(case, _)| case.id().to_string())
            .collect()
    }

    #[test]
    fn a_hub_shows_every_case() {
        assert!(lacking(Link::Hub).is_empty());
    }

    #[test]
    fn a_direct_link_shows_all_but_logins_and_second_tools() {
        let lacking = lacking(Link::Direct);
        let ids = ids(&lacking);
        assert!(!ids.contains("1/1"));
        for id in ["1/2", "1/5", "1/6", "1/8", "7/1", "7/2"] {
            assert!(ids.contains(id), "{id}: {ids:?}");
        }
        for (case, lack) in lacking {
            let fits = match lack {
                Lack::Login(Link::Direct) => {
                    case.id().section == BASIS.section || case.logs_in_again
                }
                Lack::Second(Link::Direct) => case.second.is_some(),
                _ => false,
            };
            assert!(fits, "{}: {lack}", case.id());
        }
    }

    #[test]
    fn a_serial_line_also_lacks_what_is_about_connections() {
        let lacking = lacking(Link::Pty);
        let ids = ids(&lacking);
        let direct = self::ids(&self::lacking(Link::Direct));
        assert!(direct.is_subset(&ids));
        for id in ["7/3", "7/4", "7/5", "7/6", "7/8", "8/2"] {
            assert!(ids.contains(id), "{id}: {ids:?}");
        }
        for id in ["1/1", "2/1", "3/6", "7/7", "7/9", "8/5"] {
            assert!(!ids.contains(id), "{id}: {ids:?}");
        }
    }
}
