//! The page in headless Chromium: what its script does, and that nothing goes wrong or out.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// What a person does with the page; the result goes where the test finds it.
const VISIT: &str = r##"<script>addEventListener("load", () => {
  const $ = (what) => document.querySelector(what), all = (what) => [...document.querySelectorAll(what)];
  const shown = () => all("details.case:not([hidden])");
  const said = [];
  const note = (what, fits) => said.push(`${what}: ${fits ? "yes" : "NO"}`);
  const count = all("details.case").length;
  note("all cases are shown", shown().length === count && count > 30);
  note("the filter is there", !$("form.filters").hidden);
  const failed = $("details.case.failed");
  note("a case is closed", !failed.open && !failed.querySelector(".about").checkVisibility());
  failed.querySelector(":scope > summary").click();
  note("a click opens it", failed.open && failed.querySelector(".about").checkVisibility());
  note("its drawing has a size", failed.querySelector("svg").getBoundingClientRect().height > 100);
  const box = $("input[name=outcome][value=passed]");
  box.click();
  note("the filter hides what passed", shown().length < count && shown().every((one) => one.dataset.outcome !== "passed"));
  note("the number is told", $("output").textContent === `${shown().length} of ${count}`);
  box.click();
  const text = $("input[type=search]");
  text.value = "UNSIGNED";
  text.dispatchEvent(new Event("input", { bubbles: true }));
  note("text finds a mistake", shown().length > 0 && shown().length < count && shown().every((one) => one.textContent.includes("unsigned")));
  text.value = "nothing has this";
  text.dispatchEvent(new Event("input", { bubbles: true }));
  note("no case is said to be left", shown().length === 0 && !$(".nothing").hidden);
  text.value = "";
  text.dispatchEvent(new Event("input", { bubbles: true }));
  const row = failed.querySelector("details.frame[open] .dissected tr[data-k]"), key = row.dataset.k;
  row.focus();
  // A window that nobody looks at has no focus to tell of.
  if (!document.hasFocus()) row.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
  const bytes = [...row.closest(".dissected").querySelectorAll(`b[data-k="${key}"]`)];
  note("a focused field marks its bytes", bytes.length > 0 && bytes.every((one) => one.classList.contains("on")));
  row.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  note("arrows go from field to field", document.activeElement === row.nextElementSibling && row.tabIndex === -1);
  const piece = row.closest(".dissected").querySelector("b[data-k='2']");
  piece.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  note("a pointer on bytes marks the field", row.closest(".dissected").querySelector("tr[data-k='2']").classList.contains("on"));
  note("a command can be copied", !failed.querySelector("button[data-do=copy]").hidden);
  $("button[data-do=open]").click();
  note("all open at once", shown().every((one) => one.open));
  note("nothing wider than the page", document.documentElement.scrollWidth <= innerWidth);
  note("no script of a client ran", !window.hacked);
  note("nothing was fetched", performance.getEntriesByType("resource").length === 0);
  document.documentElement.dataset.visit = said.join("; ");
});</script>"##;

/// Looks at both pages, or says loudly that it cannot.
pub(crate) fn check(page: &str, large: &str) {
    let Some(browser) = browser() else {
        assert!(
            std::env::var_os("VESCHUB_NEED_CHROMIUM").is_none(),
            "VESCHUB_NEED_CHROMIUM is set and there is no chromium: apt-get install chromium"
        );
        eprintln!(
            "SKIPPED: there is no chromium, so nobody has looked at the page; apt-get install chromium"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();

    // As it is, with its own policy: a link that filters and opens.
    fs::write(folder.join("page.html"), page).unwrap();
    let dom = dump(&browser, folder, "page.html#outcome=failed&open=5/20", 1280);
    let failed = details(&dom, "5-20");
    assert!(
        failed.contains(" open") && !failed.contains(" hidden"),
        "{failed}"
    );
    assert!(details(&dom, "7-1").contains(" hidden"));
    assert!(dom.contains("autocomplete=\"off\"") && !dom.contains("class=\"filters\" hidden"));

    // With somebody who uses it; only for that, its policy lets this one script run as well.
    let hash = format!(
        "script-src '{}'",
        veschub_harness::report::html::SCRIPT_HASH
    );
    let open = page.replace(&hash, "script-src 'unsafe-inline'");
    assert_ne!(open, page);
    for width in [1280, 400] {
        fs::write(
            folder.join("visit.html"),
            open.replace("</body>", &format!("{VISIT}</body>")),
        )
        .unwrap();
        let dom = dump(&browser, folder, "visit.html", width);
        let said = dom
            .split("data-visit=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let said = said.unwrap_or("the visit did not come to its end: NO");
        assert!(!said.contains("NO"), "{width} px wide: {said}");
        assert_eq!(said.matches(": yes").count(), 17, "{said}");
    }

    fs::write(folder.join("large.html"), large).unwrap();
    let dom = dump(&browser, folder, "large.html#open=4/25", 1280);
    assert!(details(&dom, "4-25").contains(" open"));
}

/// The start tag of a case.
fn details<'a>(dom: &'a str, case: &str) -> &'a str {
    let tags = dom
        .split("<details ")
        .skip(1)
        .map(|tag| tag.split('>').next().unwrap());
    let id = format!("id=\"case-{case}\"");
    let mut found = tags.into_iter().filter(|tag| tag.contains(&id));
    found.next().unwrap()
}

/// A picture of the page, as wide and high as it is told.
pub(crate) fn picture(page: &str, place: &str, (width, height): (u32, u32), to: &Path) {
    let browser = browser().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), page).unwrap();
    let output = headless(&browser, folder.path())
        .args(["--hide-scrollbars", "--force-device-scale-factor=1"])
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--screenshot={}", to.display()))
        .arg(format!(
            "file://{}/page.html#{place}",
            folder.path().display()
        ))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A browser that stays in this folder and off the network.
fn headless(browser: &str, folder: &Path) -> Command {
    let mut command = Command::new(browser);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
        ])
        .args([
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=5000",
            "--enable-logging=stderr",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .stdin(Stdio::null());
    command
}

/// What the page has become; fails if the browser complains of anything or wants anything from a network.
pub(crate) fn dump(browser: &str, folder: &Path, page: &str, width: u32) -> String {
    let log = folder.join("net.json");
    let output = headless(browser, folder)
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("--window-size={width},900"))
        .arg("--dump-dom")
        .arg(format!("file://{}/{page}", folder.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let asked = fs::read_to_string(log).unwrap();
    let from_the_page = asked
        .split('"')
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"));
    // The browser itself may look for news of its own; the page may not.
    let from_the_page: Vec<&str> = from_the_page
        .filter(|url| {
            !["google", "gvt1.com", "chromium", "~notfound"]
                .iter()
                .any(|own| url.contains(own))
        })
        .collect();
    assert!(from_the_page.is_empty(), "{from_the_page:?}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn browser() -> Option<String> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let works = |name: &&&str| {
        let output = Command::new(name)
            .arg("--version")
            .stdin(Stdio::null())
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    names.iter().find(works).map(|name| (*name).to_owned())
}
