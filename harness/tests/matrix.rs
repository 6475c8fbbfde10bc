//! Clients beside each other: what the table says, in every form, and the page in a browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[expect(dead_code, reason = "the other users of this module use the rest")]
mod reports_browser;

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use veschub_harness::{
    conformance::{
        Battery,
        known::KnownDefects,
        run,
        select::{self, Selection},
    },
    defective::Defect,
    outside::link::Link,
    report::{
        matrix::{Entry, Matrix, html, markdown},
        model::{Outcome, Report},
    },
    run::player::Player,
};

const URL: &str = "https://example.org/client/issues/7";

fn judged(player: Player, link: Link, picks: &[&str]) -> Report {
    let picks = picks.iter().map(|pick| pick.parse().unwrap()).collect();
    let selection = Selection {
        picks,
        ..Selection::default()
    };
    let battery = Battery {
        player,
        link,
        carrier: None,
        cases: select::select(&selection).unwrap(),
        seed: 0,
        strict: false,
        fail_fast: false,
        jobs: 2,
    };
    run(&battery, &|_, _| {}).unwrap()
}

/// Three clients: one that is right but has no hub, one with a new and a known defect, one that did one section.
static MATRIX: LazyLock<Matrix> = LazyLock::new(|| {
    let direct = judged(Player::Reference, Link::Direct, &["1", "5/17", "7"]);
    let defect: Defect = "unsigned-temperatures".parse().unwrap();
    let mut defective = judged(Player::Defective(defect.into()), Link::Hub, &["1", "5"]);
    let list = format!(
        "[[defect]]\ncase = \"5/17\"\nreason = \"no sign\"\nplace = \"values.rs\"\nurl = \"{URL}\"\n"
    );
    KnownDefects::parse(&list).unwrap().apply(&mut defective);
    defective.client_name = Some("<b>old</b> | client".to_owned());
    defective.client_version = Some("1.2 (abc1234)".to_owned());
    defective.cases[3].outcome = Outcome::Crashed;
    defective.cases[4].outcome = Outcome::TimedOut;
    defective.cases[5].outcome = Outcome::Skipped;
    let framing = judged(Player::Reference, Link::Hub, &["2/1", "2/12"]);
    let entry = |report, page: &str| Entry {
        report,
        page: page.to_owned(),
    };
    Matrix::of(&[
        entry(direct, "direct.html"),
        entry(defective, "old%20client.html"),
        entry(framing, "https://example.org/framing.html"),
    ])
});

#[test]
fn a_client_is_a_row_and_a_section_is_a_column() {
    let json = serde_json::to_value(&*MATRIX).unwrap();
    let sections: Vec<u64> = json["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["section"].as_u64().unwrap())
        .collect();
    assert_eq!(sections, [1, 2, 5, 7]);
    let [direct, old, framing] = &json["clients"].as_array().unwrap()[..] else {
        unreachable!("{json}");
    };
    assert_eq!(direct["link"], "direct");
    assert_eq!(direct["sections"][0]["not_applicable"], 12);
    assert_eq!(direct["sections"][1], Value::Null);
    assert_eq!(direct["passed"], true);
    assert_eq!(
        (&old["version"], &old["passed"]),
        (&"1.2 (abc1234)".into(), &false.into())
    );
    let counts = &old["counts"];
    assert_eq!(
        (&counts["crashed"], &counts["timed_out"], &counts["known"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(old["known"][0]["url"], URL);
    assert_eq!(old["known"][0]["reason"], "no sign (values.rs)");
    assert_eq!(framing["page"], "https://example.org/framing.html");
    let case = json["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["case"] == "5/17")
        .unwrap();
    assert_eq!(
        case["outcomes"],
        serde_json::json!(["passed", "known", null])
    );
}

#[test]
fn every_case_has_a_place_that_never_changes_and_leads_to_the_clients_page() {
    let page = html::html(&MATRIX);
    assert!(page.contains("id=\"case-2-12\""));
    assert!(page.contains("href=\"https://example.org/framing.html#case-2-12\""));
    assert!(page.contains("href=\"old%20client.html#section-5\""));
    assert!(page.contains("href=\"old%20client.html#case-5-17\""));
    assert!(page.contains(&format!("href=\"{URL}\"")));
    // Each id once.
    let ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = html::html(&MATRIX);
    let style = page
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert_eq!(
        html::STYLE_HASH,
        format!("sha256-{hash}"),
        "write this hash into matrix/html.rs"
    );
    for foreign in [
        "<script", " src=", "url(", "@import", "<link", "<img", " style=", "<b>old",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("&lt;b&gt;old&lt;/b&gt; | client"));
}

#[test]
fn what_was_not_judged_looks_different_from_what_a_link_cannot_show() {
    let page = html::html(&MATRIX);
    for class in [
        "mark skipped",
        "mark not-applicable",
        "mark crashed",
        "mark timed-out",
        "mark known",
    ] {
        // In the legend and in the table.
        assert!(
            page.matches(&format!("class=\"{class}\"")).count() >= 2,
            "{class}"
        );
    }
}

#[test]
fn markdown_has_a_row_for_each_client() {
    let told = markdown::markdown(&MATRIX);
    let rows: Vec<&str> = told
        .lines()
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), 2 + 3);
    assert!(
        rows.iter().all(|row| row.matches('|').count() == 7),
        "{told}"
    );
    assert!(
        rows[2].starts_with("| ✅ [the reference client](<direct.html>), direct |"),
        "{told}"
    );
    assert!(
        rows[3].contains("&lt;b&gt;old&lt;/b&gt; &#124; client"),
        "{told}"
    );
    assert!(rows[3].contains("1.2 (abc1234)"), "{told}");
    assert!(told.contains(&format!("([reported](<{URL}>))")), "{told}");
}

#[test]
fn the_command_makes_every_form_of_saved_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let harness = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_veschub-harness"))
            .args(args)
            .output()
            .unwrap()
    };
    let named = ["--client-name", "one", "--client-version", "0.1"];
    let report = harness(&[&["conformance", "--json", "5/17"], &named[..]].concat());
    fs::write(path("one.json"), &report.stdout).unwrap();
    let (page, summary) = (path("m.html"), path("m.md"));
    let made = harness(&[
        "matrix",
        &path("one.json"),
        "--html",
        &page,
        "--markdown",
        &summary,
        "--json",
        "--link-to",
        "../{stem}/",
    ]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let json: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(json["clients"][0]["page"], "../one/");
    assert_eq!(
        (&json["clients"][0]["name"], &json["clients"][0]["version"]),
        (&"one".into(), &"0.1".into())
    );
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .starts_with("<!DOCTYPE html>")
    );
    assert!(
        fs::read_to_string(summary)
            .unwrap()
            .contains("[one](<../one/>) 0.1")
    );
    fs::write(path("bad.json"), "{}").unwrap();
    assert_eq!(
        harness(&["matrix", &path("bad.json")]).status.code(),
        Some(2)
    );
}

/// What a person does with the page; the result goes where the test finds it.
const VISIT: &str = r##"<script>addEventListener("load", () => {
  const all = (what) => [...document.querySelectorAll(what)], said = [];
  const note = (what, fits) => said.push(`${what}: ${fits ? "yes" : "NO"}`);
  note("nothing is wider than the window", document.documentElement.scrollWidth <= innerWidth);
  note("all clients are shown", all(".clients tbody tr").every((row) => row.getBoundingClientRect().height > 20));
  const cell = document.querySelector("a.cell");
  cell.focus();
  note("a cell can be reached with the keyboard", document.activeElement === cell);
  const look = (what) => getComputedStyle(document.querySelector(`.clients .mark.${what}`));
  note("skipped and not applicable differ", look("skipped").backgroundImage !== look("not-applicable").backgroundImage);
  note("failed and crashed differ", look("crashed").borderTopStyle !== look("timed-out").borderTopStyle);
  const closed = document.querySelector("details");
  closed.querySelector("summary").click();
  note("a click shows the cases", closed.open && closed.querySelector("table").checkVisibility());
  document.body.dataset.visit = said.join("; ");
});</script>"##;

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = reports_browser::browser() else {
        assert!(
            std::env::var_os("VESCHUB_NEED_CHROMIUM").is_none(),
            "VESCHUB_NEED_CHROMIUM is set and there is no chromium: apt-get install chromium"
        );
        eprintln!("SKIPPED: there is no chromium, so nobody has looked at the page");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder: &Path = folder.path();
    let page = html::html(&MATRIX);
    fs::write(folder.join("page.html"), &page).unwrap();
    reports_browser::dump(&browser, folder, "page.html#case-5-17", 1280);

    // With somebody who uses it; only for that, its policy lets this one script run as well.
    let open = page.replace(
        "default-src 'none';",
        "default-src 'none'; script-src 'unsafe-inline';",
    );
    assert_ne!(open, page);
    fs::write(
        folder.join("visit.html"),
        open.replace("</body>", &format!("{VISIT}</body>")),
    )
    .unwrap();
    for width in [1280, 500] {
        let dom = reports_browser::dump(&browser, folder, "visit.html", width);
        let said = dom
            .split("data-visit=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let said = said.unwrap_or("the visit did not come to its end: NO");
        assert!(!said.contains("NO"), "{width} px wide: {said}");
        assert_eq!(said.matches(": yes").count(), 6, "{said}");
    }
}
