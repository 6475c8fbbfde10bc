//! The battery: a sound catalogue, a reference client that passes, and a second client that is caught with each of its
//! defects by the cases meant for it and by no others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod conformance_table;
mod frozen;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::LazyLock,
};

use conformance_table::TABLE;
use frozen::assert_frozen;
use sha2::{Digest as _, Sha256};
use veschub_harness::{
    conformance::{
        Battery, Carrier,
        catalogue::{self, Id, Level},
        run,
        select::{self, Selection},
    },
    defective::{Defect, Defects},
    outside::link::Link,
    report::{
        model::{self, CaseReport, Outcome, Report},
        not_judged::NotJudged,
        text,
    },
    run::player::Player,
};

fn judge(player: Player) -> Report {
    judge_carrying(player, None)
}

fn judge_carrying(player: Player, carrier: Option<Carrier>) -> Report {
    let mut cases = select::select(&Selection::default()).unwrap();
    // A case with a task of its own is the same whatever is carried in others.
    if carrier.is_some_and(|carrier| carrier != Carrier::Bms) {
        cases.retain(|case| case.is_carried());
    }
    let battery = Battery {
        player,
        link: Link::Hub,
        cases,
        carrier,
        seed: 0,
        strict: true,
        fail_fast: false,
        jobs: 2,
    };
    run(&battery, &|_, _| {}).unwrap()
}

/// Both good clients, which several tests look at.
static GOOD: LazyLock<[Report; 2]> =
    LazyLock::new(|| [Player::Reference, Player::Defective(Defects::NONE)].map(judge));

fn with(report: &Report, outcome: Outcome) -> BTreeSet<String> {
    let cases = report.cases.iter();
    let found = cases.filter(|case| case.outcome == outcome);
    found.map(|case| case.id.to_string()).collect()
}

/// A client's line in the frozen table: one character a case, in the order of the catalogue.
fn line(name: &str, report: &Report) -> String {
    let mut line = format!("{name:31}");
    let mut section = None;
    for case in &report.cases {
        if case.id.section() != section {
            section = case.id.section();
            line.push(' ');
        }
        line.push(match case.outcome {
            Outcome::Passed => '.',
            Outcome::Failed => 'F',
            Outcome::Known => 'K',
            Outcome::Skipped => 's',
            Outcome::Info => 'i',
            Outcome::TimedOut => 'T',
            Outcome::Crashed => 'C',
            Outcome::NotApplicable => 'n',
        });
    }
    line.push('\n');
    line
}

/// The list is a promise: a number stands for one and the same case for ever.
#[test]
fn the_catalogue_is_as_it_was() {
    let list = catalogue::list(catalogue::sections().unwrap(), |_| true);
    insta::assert_snapshot!("conformance_list", list);
}

#[test]
fn the_catalogue_is_sound() {
    let sections = catalogue::sections().unwrap();
    let mut ids = BTreeSet::new();
    for (index, section) in sections.iter().enumerate() {
        assert_eq!(section.section as usize, index + 1);
        for case in &section.cases {
            assert!(ids.insert(case.id()), "{} twice", case.id());
            let texts = [&case.title, &case.requirement, &case.source, &case.matters];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", case.id());
            for carrier in Carrier::ALL {
                case.load(carrier).unwrap();
            }
        }
    }
    for case in sections.iter().flat_map(|section| &section.cases) {
        for needed in case.needed() {
            assert!(ids.contains(&needed), "{} needs {needed}", case.id());
        }
        // If two cases explained each other's failure, neither would be told.
        let mut before = case.spoiled_by.clone();
        while let Some(id) = before.pop() {
            assert_ne!(id, case.id(), "{} spoils itself", case.id());
            before.extend(&catalogue::find(id).unwrap().spoiled_by);
        }
        // What nobody reports cannot be compared.
        let compare = case.compare().into_iter();
        for (of, field) in compare.flat_map(|one| {
            let of = one.of(Carrier::Bms);
            one.named().iter().map(move |field| (of, field))
        }) {
            // Of other commands any field may be reported.
            let names = veschub_harness::judge::schema::names(of);
            assert!(
                names.is_none_or(|names| names.contains(field.as_str())),
                "{}: {field}",
                case.id()
            );
        }
    }
    assert!(ids.len() >= 80, "{}", ids.len());
}

#[test]
fn both_good_clients_pass_all_that_counts() {
    for report in &*GOOD {
        let told = text::text(report);
        assert_eq!(report.exit_code(), 0, "{told}");
        assert!(with(report, Outcome::Failed).is_empty(), "{told}");
        assert!(with(report, Outcome::Skipped).is_empty(), "{told}");
    }
}

/// What is carried in a case about something else makes no difference to a good client.
#[test]
fn both_good_clients_pass_whatever_is_carried() {
    for carrier in [Carrier::Motor, Carrier::Firmware] {
        for player in [Player::Reference, Player::Defective(Defects::NONE)] {
            let report = judge_carrying(player, Some(carrier));
            let told = text::text(&report);
            assert_eq!(report.exit_code(), 0, "{carrier}: {told}");
            assert!(
                with(&report, Outcome::Failed).is_empty(),
                "{carrier}: {told}"
            );
            // Some cases need values that change, or another request than the one that is carried.
            let other = |case: &&CaseReport| {
                let why = case.not_judged.as_ref();
                why.is_some_and(|why| !matches!(why, NotJudged::Carrier { .. }))
            };
            let others: Vec<_> = report
                .cases
                .iter()
                .filter(other)
                .map(|case| case.id.clone())
                .collect();
            assert!(others.is_empty(), "{carrier}: {told}");
        }
    }
}

/// Whoever misreads every value is told so where values are the matter, and is not accused of anything else.
#[test]
fn a_client_without_a_right_value_is_not_accused_of_its_framing() {
    let mut cases = select::select(&Selection::default()).unwrap();
    cases.retain(|case| ["2/22", "3/1", "5/40"].contains(&case.id().to_string().as_str()));
    let battery = Battery {
        player: Player::Defective(Defect::ShiftedValues.into()),
        link: Link::Hub,
        cases,
        carrier: None,
        seed: 0,
        strict: true,
        fail_fast: false,
        jobs: 1,
    };
    let report = run(&battery, &|_, _| {}).unwrap();
    let because = Carrier::Bms.values();
    for case in &report.cases {
        match case.id == because {
            true => assert_eq!(case.outcome, Outcome::Failed),
            false => assert_eq!(case.not_judged, Some(NotJudged::WrongValues { because })),
        }
    }
}

/// The firmware accepts 512 bytes, VESC Tool 10,000, and a parser without a limit of its own 65,535: a MUST is what all
/// of them fulfil, unless the case is about longer replies.
#[test]
fn a_must_does_not_depend_on_the_limit_for_payloads() {
    for carrier in Carrier::ALL {
        for limit in [512, 1024, 10_000, 65_535] {
            let report = judge_carrying(Player::ReferenceWithLimit(limit), Some(carrier));
            let failed = report.cases.iter().filter(|case| {
                let longest = catalogue::find(case.id.id().unwrap()).unwrap().longest;
                case.outcome == Outcome::Failed
                    && case.level == Level::Must
                    && longest.is_none_or(|longest| longest <= limit)
            });
            let failed: Vec<String> = failed.map(|case| case.id.to_string()).collect();
            assert!(failed.is_empty(), "{carrier}, {limit} bytes: {failed:?}");
        }
    }
}

#[test]
fn the_reference_client_puts_the_same_bytes_on_the_wire_and_its_report_comes_back_whole() {
    let [report, _] = &*GOOD;
    let mut captures = String::new();
    for case in &report.cases {
        let hash = Sha256::digest(&case.capture.0);
        writeln!(captures, "{:5} {hash:x}", case.id.to_string()).unwrap();
    }
    assert_frozen("conformance-captures.txt", &captures);
    let json = serde_json::to_value(report).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler
        .add_resource("mem:///report", model::json_schema())
        .unwrap();
    let schema = compiler.compile("mem:///report", &mut schemas).unwrap();
    schemas
        .validate(&json, schema)
        .map_err(|error| error.to_string())
        .unwrap();
    assert_eq!(
        serde_json::from_value::<Report>(json).unwrap().counts,
        report.counts
    );
}

#[test]
fn every_defect_is_caught_by_the_cases_meant_for_it_and_by_no_others() {
    let table: BTreeMap<Defect, &conformance_table::Row> =
        TABLE.iter().map(|row| (row.defect, row)).collect();
    assert_eq!(
        table.len(),
        Defect::ALL.len(),
        "a defect without a row, or twice"
    );
    assert!(table.len() >= 25);
    let mut wrong = String::new();
    let mut frozen = "\
# One line a client, one character a case, in the order of the catalogue and with a blank between its sections:
# . passed, F failed, T still running at the time limit, s skipped, i a MAY that is not fulfilled.
"
    .to_owned();
    frozen.push_str(&line("(reference)", &GOOD[0]));
    frozen.push_str(&line("(no defect)", &GOOD[1]));
    for &defect in Defect::ALL {
        let row = table[&defect];
        let report = judge(Player::Defective(defect.into()));
        frozen.push_str(&line(defect.name(), &report));
        let mut failed = with(&report, Outcome::Failed);
        failed.extend(with(&report, Outcome::TimedOut));
        let meant: BTreeSet<String> = row.cases.iter().map(|&id| id.to_owned()).collect();
        let by_id = |id: &String| id.parse::<Id>().unwrap();
        if failed != meant {
            let mut failed: Vec<&String> = failed.iter().collect();
            failed.sort_by_key(|id| by_id(id));
            wrong.push_str(&format!("{}: {failed:?}\n", defect.name()));
        }
        let named = report.cases.iter().flat_map(|case| &case.differences);
        let named: BTreeSet<&str> = named.filter_map(|one| one.mistake.as_deref()).collect();
        if row.mistakes.iter().copied().collect::<BTreeSet<_>>() != named {
            wrong.push_str(&format!("{}: named {named:?}\n", defect.name()));
        }
    }
    assert!(wrong.is_empty(), "seen, and not in the table:\n{wrong}");
    assert_frozen("conformance.txt", &frozen);
}

/// The table itself: a defect is a matter of one section, or says why not.
#[test]
fn a_defect_is_caught_in_its_own_section() {
    for row in TABLE {
        assert!(!row.cases.is_empty(), "{}", row.defect.name());
        let sections: BTreeSet<u32> = row
            .cases
            .iter()
            .map(|id| id.parse::<Id>().unwrap().section)
            .collect();
        let allowed: BTreeSet<u32> = row.sections.iter().copied().collect();
        assert!(sections.is_subset(&allowed), "{}", row.defect.name());
    }
}
