//! The battery's result in all its forms, of a real run with hostile words put into it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod reports_browser;

use std::{fs, path::Path, process::Output, sync::LazyLock, time::Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use snapbox::cmd::cargo_bin;
use veschub_harness::{
    conformance::{Battery, run, select},
    defective::Defect,
    report::{
        github, html, junit, markdown,
        model::{Capture, Counts, EntryReport, Outcome, Report},
        name::Level,
        saved::{merge, parse},
    },
    run::player::Player,
};

/// What a client may say to hurt whoever looks at it: markup, a command for a runner, colours, a bell, a direction.
const HOSTILE: &str = "\u{1b}[31mred\u{1b}[0m <script>alert(1)</script> ]]> \"' | a `b` &amp;\u{7}\u{202e}gpj \u{ffff}\r\n::error::no";

/// A client that reads temperatures without their sign.
fn judged(picks: &[&str]) -> Report {
    let defect = Defect::ALL
        .iter()
        .find(|one| one.name() == "unsigned-temperatures");
    let picks = picks.iter().map(|pick| pick.parse().unwrap()).collect();
    let battery = Battery {
        player: Player::Defective(defect.copied().into_iter().collect()),
        link: veschub_harness::outside::link::Link::Hub,
        cases: select::select(&select::Selection {
            picks,
            ..Default::default()
        })
        .unwrap(),
        seed: 0,
        carrier: None,
        strict: false,
        fail_fast: false,
        jobs: 2,
    };
    run(&battery, &|_, _| {}).unwrap()
}

/// A client that passes, fails, is skipped, known or informed.
static REPORT: LazyLock<Report> = LazyLock::new(|| {
    let mut report = judged(&["1/1", "2/1", "2/3", "2/22", "5", "7/1", "7/2"]);
    let failed = report
        .cases
        .iter()
        .position(|case| case.outcome == Outcome::Failed)
        .unwrap();
    let case = &mut report.cases[failed];
    case.stderr = vec![HOSTILE.to_owned(), "invalid \u{fffd} UTF-8".to_owned()];
    case.title = format!("{} {HOSTILE}", case.title);
    case.differences[0].decoded = HOSTILE.to_owned();
    case.transcript.push(EntryReport {
        text: HOSTILE.to_owned(),
        ..case.transcript[0].clone()
    });
    case.reproduce = format!("veschub-harness conformance {} # ```{HOSTILE}", case.id);
    for (index, outcome, reason) in [
        (0, Outcome::Info, "only worth knowing"),
        (1, Outcome::Known, HOSTILE),
        (2, Outcome::Skipped, "not asked | for"),
    ] {
        report.cases[index].outcome = outcome;
        report.cases[index].reasons = vec![reason.to_owned()];
    }
    report.counts = Counts::of(&report.cases);
    report
});

/// The report with every case failed, many more steps, and bytes that differ in each.
fn large() -> Report {
    let mut report = REPORT.clone();
    let model = report
        .cases
        .iter()
        .find(|case| case.outcome == Outcome::Failed)
        .unwrap()
        .clone();
    let reply = model
        .transcript
        .iter()
        .rfind(|step| step.hex.as_deref().is_some_and(|hex| hex.len() > 80));
    let reply = reply.unwrap().clone();
    report.cases.clear();
    for index in 0..100_u32 {
        let mut case = model.clone();
        case.id = format!("{}/{}", index / 25 + 1, index % 25 + 1)
            .parse()
            .unwrap();
        case.left_out = 37;
        case.transcript = (0..400_u32)
            .map(|step| EntryReport {
                at_s: f64::from(step) / 20.0,
                hex: reply
                    .hex
                    .as_ref()
                    .map(|hex| format!("{}{:08x}{}", &hex[..2], index * 400 + step, &hex[10..])),
                ..reply.clone()
            })
            .collect();
        report.cases.push(case);
    }
    report.counts = Counts::of(&report.cases);
    report
}

fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| {
        let allowed = matches!(c, '\n' | '\t') || !c.is_control();
        allowed && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    })
}

fn harness(args: &[&str]) -> Output {
    std::process::Command::new(cargo_bin!("veschub-harness"))
        .args(args)
        .output()
        .unwrap()
}

// JUnit

/// The shape that CI systems read: what may be where, with which attributes, and numbers that agree.
#[test]
fn junit_is_well_formed_and_its_numbers_agree() {
    let xml = junit::junit(&REPORT);
    assert!(is_harmless(&xml));
    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> usize {
        node.attribute(name).unwrap_or("0").parse().unwrap()
    };
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for suite in root.children().filter(roxmltree::Node::is_element) {
        assert_eq!(suite.tag_name().name(), "testsuite");
        assert!(suite.attribute("name").is_some_and(|name| !name.is_empty()));
        suite.attribute("time").unwrap().parse::<f64>().unwrap();
        let is = |name: &'static str| move |node: &roxmltree::Node<'_, '_>| node.has_tag_name(name);
        let cases: Vec<_> = suite.children().filter(is("testcase")).collect();
        assert_eq!(number(suite, "tests"), cases.len());
        for (attribute, element) in [
            ("failures", "failure"),
            ("skipped", "skipped"),
            ("errors", "error"),
        ] {
            let found = suite.descendants().filter(is(element)).count();
            let told = suite
                .attribute(attribute)
                .or_else(|| suite.attribute("disabled"));
            assert_eq!(
                told.unwrap_or("0").parse::<usize>().unwrap(),
                found,
                "{attribute}"
            );
        }
        for case in &cases {
            for attribute in ["name", "classname"] {
                assert!(
                    case.attribute(attribute)
                        .is_some_and(|text| !text.is_empty())
                );
            }
            case.attribute("time").unwrap().parse::<f64>().unwrap();
            for part in case.children().filter(roxmltree::Node::is_element) {
                let parts = [
                    "properties",
                    "failure",
                    "skipped",
                    "system-out",
                    "system-err",
                ];
                assert!(parts.contains(&part.tag_name().name()), "{part:?}");
                if part.has_tag_name("failure") {
                    assert!(
                        part.attribute("message").is_some() && part.attribute("type").is_some()
                    );
                    assert!(part.text().is_some_and(|text| text.contains("rerun")));
                }
            }
            for property in case.descendants().filter(is("property")) {
                assert!(
                    property.attribute("name").is_some() && property.attribute("value").is_some()
                );
            }
        }
        tests += cases.len();
        failures += suite.descendants().filter(is("failure")).count();
        skipped += suite.descendants().filter(is("skipped")).count();
    }
    let counts = REPORT.counts;
    assert_eq!(
        (tests, number(root, "tests")),
        (REPORT.cases.len(), REPORT.cases.len())
    );
    assert!(counts.failed > 0);
    assert_eq!(
        (failures, number(root, "failures")),
        (counts.failed, counts.failed)
    );
    assert_eq!(skipped, counts.skipped + counts.known);
}

#[test]
fn junit_fails_exactly_when_the_report_does() {
    let failures = |report: &Report| junit::junit(report).matches("<failure").count();
    let mut report = REPORT.clone();
    for case in &mut report.cases {
        case.level = Level::Should;
    }
    assert_eq!((failures(&report), report.exit_code()), (0, 0));
    report.strict = true;
    assert_eq!(
        (failures(&report), report.exit_code()),
        (report.counts.failed, 1)
    );
    report.strict = false;
    report.stale_known_defects = vec![format!("2/1 passed {HOSTILE}")];
    assert_eq!((failures(&report), report.exit_code()), (1, 1));
}

#[test]
fn what_a_client_said_is_in_the_xml_as_text() {
    let xml = junit::junit(&REPORT);
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert!(
        !document
            .descendants()
            .any(|node| node.has_tag_name("script"))
    );
    let said = document
        .descendants()
        .find(|node| node.has_tag_name("system-err"))
        .unwrap();
    let said = said.text().unwrap();
    assert!(said.contains("red <script>alert(1)</script> ]]>"), "{said}");
    assert!(said.contains("⟨U+202E⟩gpj ⟨U+FFFF⟩␍"), "{said}");
}

// Markdown

#[test]
fn markdown_has_a_row_for_each_section_and_a_block_for_each_failure() {
    let told = markdown::markdown(&REPORT);
    assert!(is_harmless(&told));
    // In a fence, a text is a text.
    let (fenced, open): (Vec<&str>, Vec<&str>) = told
        .lines()
        .partition(|line| line.starts_with("veschub-harness "));
    assert!(fenced.iter().any(|line| line.contains("<script")));
    assert!(!open.iter().any(|line| line.contains("<script")), "{told}");
    let rows = told.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let bars = row.matches('|').count();
        assert!([5, 8].contains(&bars), "{bars} bars in {row}");
    }
    let blocks = told.matches("<details><summary><b>").count();
    assert_eq!(blocks, REPORT.counts.failed + REPORT.counts.info);
    assert_eq!(
        told.matches("<details>").count(),
        told.matches("</details>").count()
    );
    let failed = REPORT
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Failed);
    for case in failed {
        let about = told.split(&format!("<b>{}</b>", case.id)).nth(1).unwrap();
        let about = about.split("</details>").next().unwrap();
        for part in [
            "**Requirement**",
            "**Why it matters**",
            "| field | truth | seen | why |",
            "sh\nveschub-harness",
        ] {
            assert!(about.contains(part), "{part} of {}", case.id);
        }
    }
    // The text has three backticks, so its fence has four, and nothing of it closes that.
    assert_eq!(told.matches("````").count(), 2);
}

#[test]
fn a_summary_never_exceeds_a_mebibyte_and_names_what_it_leaves_out() {
    let mut report = large();
    for case in &mut report.cases {
        let one = case.differences[0].clone();
        case.differences = vec![one; 20];
        for one in &mut case.differences {
            one.why = "<".repeat(5000);
        }
    }
    let told = markdown::markdown(&report);
    assert!(told.len() <= 1024 * 1024, "{}", told.len());
    let last = told.lines().last().unwrap();
    assert!(
        last.starts_with("**Left out**") && last.contains(" 4/25"),
        "{last}"
    );
    let shown = told.matches("<details><summary><b>").count();
    let left_out: usize = last
        .split("MiB: ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(shown + left_out, 100);
    assert!(shown > 10);
}

// GitHub

#[test]
fn an_annotation_is_one_line_whatever_is_in_it() {
    let told = github::annotations(&REPORT);
    assert!(is_harmless(&told));
    for line in told.lines() {
        let kinds = ["::error title=", "::warning title=", "::notice title="];
        assert!(kinds.iter().any(|kind| line.starts_with(kind)), "{line}");
    }
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("::error"))
        .collect();
    assert_eq!(errors.len(), REPORT.counts.failed);
    let title = errors[0]
        .strip_prefix("::error title=")
        .unwrap()
        .split("::")
        .next()
        .unwrap();
    assert!(
        !title.contains([':', ',']) && title.contains("%3A%3Aerror%3A%3Ano"),
        "{title}"
    );
    assert!(errors[0].contains("%0Arerun: "));
}

#[test]
fn more_failures_than_github_shows_are_told_in_the_last_annotation() {
    let told = github::annotations(&large());
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("::error"))
        .collect();
    assert_eq!(errors.len(), 10);
    assert!(
        errors[9].starts_with("::error title=91 more::1/10 "),
        "{}",
        errors[9]
    );
}

// HTML

#[test]
fn the_page_needs_nothing_else_and_its_policy_lets_nothing_else_in() {
    let page = html::html(&REPORT);
    assert!(is_harmless(&page));
    let between = |start: &str, end: &str| {
        let parts: Vec<&str> = page.split(start).collect();
        assert_eq!(parts.len(), 2, "one {start} in the page");
        parts[1].split(end).next().unwrap()
    };
    for (start, end, hash) in [
        ("<style>", "</style>", html::STYLE_HASH),
        ("<script>", "</script>", html::SCRIPT_HASH),
    ] {
        let found = BASE64_STANDARD.encode(Sha256::digest(between(start, end)));
        assert_eq!(
            hash,
            format!("sha256-{found}"),
            "write this hash into html/mod.rs"
        );
    }
    assert!(
        between("Content-Security-Policy\" content=\"", "\"").starts_with("default-src 'none'")
    );
    for foreign in [
        "http:", "https:", " src=", "url(", "@import", "<link", "<img", "<iframe", " style=",
        " onclick",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let links = page.split("href=\"").skip(1);
    assert!(links.into_iter().all(|link| link.starts_with('#')));
}

#[test]
fn every_case_stands_in_the_page_with_all_that_is_known_of_it() {
    let page = html::html(&REPORT);
    for case in &REPORT.cases {
        let id = format!("id=\"case-{}\"", case.id.slug());
        let about = page
            .split(&id)
            .nth(1)
            .unwrap()
            .split("<details class=\"case")
            .next()
            .unwrap();
        for part in [
            "requirement",
            "why it matters",
            "veschub-harness conformance",
        ] {
            assert!(about.contains(part), "{part} of {}", case.id);
        }
        if !case.transcript.is_empty() {
            for part in ["<svg", "transcript, ", "bytes, "] {
                assert!(about.contains(part), "{part} of {}", case.id);
            }
        }
    }
    assert!(page.contains("red &lt;script&gt;alert(1)&lt;/script&gt; ]]&gt;"));
    assert!(page.contains("⟨U+202E⟩gpj ⟨U+FFFF⟩␍"));
    assert!(page.contains("invalid \u{fffd} UTF-8"));
}

/// 5/20 has a sensor at -281 °C, which the client reads without its sign.
#[test]
fn the_bytes_of_a_misread_field_are_marked_with_its_name_its_value_and_what_was_read() {
    let page = html::html(&REPORT);
    let case = REPORT
        .cases
        .iter()
        .find(|case| case.id.to_string() == "5/20")
        .unwrap();
    let difference = &case.differences[0];
    let name = difference.field.strip_prefix("BMS_GET_VALUES.").unwrap();
    let about = page.split("id=\"case-5-20\"").nth(1).unwrap();
    let about = about.split("<details class=\"case").next().unwrap();
    let title = format!("title=\"{name} = {}\">92 3c</b>", difference.truth);
    // -281.00 is -28100 counts, 0x923c.
    let bytes = about.split("<b data-k=").find(|part| part.contains(&title));
    assert!(bytes.unwrap().contains(" wrong\""), "{bytes:?}");
    assert!(about.contains(&format!("<em>read as {}</em>", difference.decoded)));
}

#[test]
fn a_hundred_long_sessions_are_a_few_megabytes() {
    let report = large();
    let start = Instant::now();
    let page = html::html(&report);
    assert!(
        page.len() < 6_000_000,
        "{} bytes in {:?}",
        page.len(),
        start.elapsed()
    );
    assert!(
        page.contains("377 steps left out"),
        "what is left out is said"
    );
    assert!(page.contains("37 steps left out"), "in the drawing as well");
}

#[test]
fn replies_that_may_hold_secrets_are_not_shown() {
    let mut report = REPORT.clone();
    let case = &mut report.cases[0];
    // A reply to GET_CUSTOM_CONFIG: command, index, signature, and a config with who knows what in it.
    let secret = "5d000000000168756e746572322068756e74657232";
    case.transcript.push(EntryReport {
        at_s: 1.0,
        connection: Some(1),
        direction: Some("to-tool".to_owned()),
        command: Some("GET_CUSTOM_CONFIG".to_owned()),
        hex: Some(secret.to_owned()),
        text: "GET_CUSTOM_CONFIG".to_owned(),
        harm: false,
    });
    let page = html::html(&report);
    assert!(page.contains("may hold something secret"));
    assert!(!page.contains("68 75 6e") && !page.contains(secret) && !page.contains("hunter2"));
}

// The command

fn saved(folder: &Path, name: &str, report: &Report) -> String {
    let path = folder.join(name);
    fs::write(&path, serde_json::to_string(report).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_saved_report_is_written_in_every_form_and_gives_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let report = saved(folder.path(), "report.json", &REPORT);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, xml, summary) = (path("r.html"), path("r.xml"), path("r.md"));
    let args = [
        "report",
        &report,
        "--html",
        &page,
        "--junit",
        &xml,
        "--markdown",
        &summary,
        "--github",
    ];
    let output = harness(&args);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        github::annotations(&REPORT)
    );
    assert_eq!(fs::read_to_string(page).unwrap(), html::html(&REPORT));
    assert_eq!(fs::read_to_string(xml).unwrap(), junit::junit(&REPORT));
    assert_eq!(
        fs::read_to_string(summary).unwrap(),
        markdown::markdown(&REPORT)
    );

    let told = String::from_utf8(harness(&["report", &report]).stdout).unwrap();
    assert!(told.contains("FAILED"), "{told}");
}

#[test]
fn the_exit_code_is_never_0_when_something_failed_or_nothing_was_judged() {
    let folder = tempfile::tempdir().unwrap();
    let code = |name: &str, change: &dyn Fn(&mut Report)| {
        let mut report = REPORT.clone();
        change(&mut report);
        harness(&["report", &saved(folder.path(), name, &report)])
            .status
            .code()
    };
    let all = |outcome| {
        move |report: &mut Report| {
            report
                .cases
                .iter_mut()
                .for_each(|case| case.outcome = outcome)
        }
    };
    assert_eq!(code("passed", &all(Outcome::Passed)), Some(0));
    assert_eq!(code("skipped", &all(Outcome::Skipped)), Some(3));
    assert_eq!(code("none", &|report| report.cases.clear()), Some(3));
    assert_eq!(code("failed", &|_| ()), Some(1));
    // What a file says of its own numbers is not believed.
    assert_eq!(
        code("lies", &|report| report.counts = Counts::default()),
        Some(1)
    );
}

#[test]
fn what_is_no_report_is_said_with_its_name_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let output = harness(&["report", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let other = refused("other.json", "{\"version\": 1, \"client\": 3}");
    assert!(
        other.contains("other.json: is not what `veschub-harness conformance --json` prints"),
        "{other}"
    );
    assert!(other.contains("line 1 column"), "{other}");
    let newer = refused("newer.json", "{\"version\": 7}");
    assert!(
        newer.contains("version 7") && newer.contains("knows version 1"),
        "{newer}"
    );
    assert!(refused("empty.json", "").contains("EOF"));

    let missing = harness(&["report", "no-such-report.json"]);
    assert_eq!(missing.status.code(), Some(2));
    let report = saved(folder.path(), "report.json", &REPORT);
    let nowhere = folder.path().join("no/such/folder.html");
    let unwritten = harness(&["report", &report, "--html", nowhere.to_str().unwrap()]);
    assert_eq!(unwritten.status.code(), Some(2));
    assert!(
        String::from_utf8(unwritten.stderr)
            .unwrap()
            .contains("folder.html")
    );
}

#[test]
fn shards_are_joined_and_strangers_are_not() {
    let whole = REPORT.clone();
    let (mut first, mut second) = (whole.clone(), whole.clone());
    second.cases = first.cases.split_off(5);
    let both = merge([second.clone(), first.clone()]).unwrap();
    assert_eq!(
        (both.cases.len(), both.counts),
        (whole.cases.len(), whole.counts)
    );
    assert_eq!(both.cases, whole.cases);

    let twice = merge([first.clone(), first.clone()]).unwrap_err();
    assert!(twice.to_string().contains("is in two reports"), "{twice}");
    second.client = "another".to_owned();
    let strangers = merge([first, second]).unwrap_err();
    assert!(strangers.to_string().contains("`another`"), "{strangers}");
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let mut written = REPORT.clone();
    let json = serde_json::to_string(&written).unwrap();
    // What went over the wire is no part of it.
    for case in &mut written.cases {
        case.capture = Capture::default();
    }
    assert_eq!(parse(&json).unwrap(), written);
}

// The browser

#[test]
fn the_page_works_in_a_browser() {
    reports_browser::check(&html::html(&REPORT), &html::html(&large()));
}

/// `VESCHUB_UPDATE=1` takes it anew, where there is a browser.
#[test]
fn the_docs_have_a_picture_of_the_page() {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.png");
    if std::env::var_os("VESCHUB_UPDATE").is_some() {
        let mut report = judged(&["5/16", "5/17"]);
        // The same each time, so that the picture only changes with the page.
        report.wall_s = 0.0;
        for case in &mut report.cases {
            case.wall_s = 0.0;
        }
        let place = "outcome=failed&open=5/17";
        reports_browser::picture(&html::html(&report), place, (1000, 2100), &picture);
    }
    let bytes = fs::read(picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
}
