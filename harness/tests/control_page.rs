//! The page of the control API in headless Chromium: a person with a pointer and keys, a real hub and a real client.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so"
)]

mod chromium;
#[expect(dead_code, reason = "only its search for a browser is needed here")]
mod reports_browser;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use chromium::Browser;
use serde_json::Value;
use veschub_wire::{Decoder, Item, TOOL_MAX_PAYLOAD, encode};

/// How many entries the page has, shown or dropped as older, by what it says: "10,000 entries, 20,000 older dropped".
const TAKEN_IN: &str = "document.querySelector('#view-wire .count').textContent.match(/[\\d,]+/g).map((one) => Number(one.replaceAll(',', '')))\
    .reduce((all, one) => all + one)";
const HARNESS: &str = env!("CARGO_BIN_EXE_veschub-harness");
/// How long a program may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that ends with the test, and the lines that it prints.
struct Program(Child, Receiver<String>);

impl Program {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(HARNESS)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (tell, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            lines
                .take_while(|line| tell.send(line.clone()).is_ok())
                .count()
        });
        Self(child, lines)
    }

    fn line(&mut self) -> String {
        self.1
            .recv_timeout(PATIENCE)
            .expect("the program says nothing")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A hub that plays this, and where its page is.
fn hub(what: &[&str]) -> (Program, String, String) {
    let mut args = vec!["sim", "serve", "--seed", "1", "--quiet"];
    args.extend(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
    args.extend(what);
    let mut hub = Program::start(&args);
    let (first, second) = (hub.line(), hub.line());
    let listening = first.strip_prefix("listening on ").unwrap().to_owned();
    let control = second.strip_prefix("control on ").unwrap().to_owned();
    (hub, listening, control)
}

/// A client that reads a pack again and again.
fn client(hub: &str) -> Program {
    let login = ["--id", "demo-0001", "--password", "not-a-secret"];
    let mut args = vec!["read", "--hub", hub, "--json", "--watch", "--every", "50ms"];
    args.extend(login);
    Program::start(&args)
}

/// The next reading of the pack: when, and the voltages.
fn reading(client: &mut Program) -> (f64, Vec<f64>) {
    loop {
        let line: Value = serde_json::from_str(&client.line()).unwrap();
        if let Some(volts) = line["fields"]["cell_voltages_v"].as_array() {
            let at = line["at"].as_f64().unwrap();
            return (at, volts.iter().map(|one| one.as_f64().unwrap()).collect());
        }
    }
}

/// The voltages of the next reading that began after now: the first may have been on its way.
fn next_reading(client: &mut Program) -> Vec<f64> {
    while client.1.try_recv().is_ok() {}
    reading(client);
    reading(client).1
}

/// A browser, or a loud word that there is none.
fn browser() -> Option<Browser> {
    let Some(program) = reports_browser::browser() else {
        assert!(
            std::env::var_os("VESCHUB_NEED_CHROMIUM").is_none(),
            "VESCHUB_NEED_CHROMIUM is set and there is no chromium: apt-get install chromium"
        );
        eprintln!(
            "SKIPPED: there is no chromium, so nobody has used the page; apt-get install chromium"
        );
        return None;
    };
    Some(Browser::start(&program))
}

#[test]
fn what_is_done_on_the_page_is_what_the_client_sees() {
    let Some(mut browser) = browser() else {
        return;
    };
    let (_hub, listening, page) = hub(&["--demo"]);
    let mut client = client(&listening);
    assert!(reading(&mut client).1[3] > 3.9);
    browser.look(1280, 860, "light");
    browser.open(&page);
    browser.until("document.querySelectorAll('.cell').length === 20");
    browser.until("document.querySelector('#listening').textContent.startsWith('127.0.0.1:')");

    // The fourth cell is pulled down to 3.100 V.
    let well = "document.querySelectorAll('.cell .well')[3]";
    let (x, _) = browser.middle(well);
    let height = |volts: &str| {
        format!(
            "(() => {{ const well = {well}.getBoundingClientRect(), bar = document.querySelectorAll('.cell')[3]; \
             const foot = Number(bar.ariaValueMin), top = Number(bar.ariaValueMax); \
             return well.bottom - ({volts} - foot) / (top - foot) * well.height; }})()"
        )
    };
    let from = browser
        .read(&height("Number(bar.ariaValueNow)"))
        .as_f64()
        .unwrap();
    let to = browser.read(&height("3.1")).as_f64().unwrap();
    browser.drag((x, from), (x, to));
    browser.until(
        "document.querySelector('.chip')?.textContent.startsWith('cell_voltages_v[3] = 3.1')",
    );
    browser.until("document.querySelectorAll('.cell')[3].matches('.pinned')");
    let volts = next_reading(&mut client);
    assert!((volts[3] - 3.1).abs() < 1e-9 && volts[2] > 3.9, "{volts:?}");

    // The keyboard takes it up a step, and lets it go.
    browser.press("ArrowUp");
    browser.until(
        "document.querySelector('.chip')?.textContent.startsWith('cell_voltages_v[3] = 3.11')",
    );
    browser.press("Delete");
    browser.until("!document.querySelector('.chip')");
    let volts = next_reading(&mut client);
    assert!(volts[3] > 3.9, "{volts:?}");

    // The keys go from view to view, and each shows what was done.
    let shown = |view: &str| {
        format!(
            "[...document.querySelectorAll('main > section')].filter((one) => !one.hidden)[0].id === 'view-{view}'"
        )
    };
    browser.press("3");
    browser.until(&shown("break"));
    browser.click("document.querySelector('[data-name=delay] summary')");
    browser.until("document.querySelector('[data-name=delay] .field input').checkVisibility()");
    browser.read("document.querySelector('[data-name=delay] .field input').select()");
    browser.write("400ms");
    browser.click("document.querySelector('[data-name=delay] button')");
    browser.until("document.querySelector('#active li')?.textContent.includes('by 400ms')");
    browser.until("/acted [1-9]/.test(document.querySelector('#active .count').textContent)");
    next_reading(&mut client);
    let (mut before, mut slow) = (reading(&mut client).0, false);
    for _ in 0..4 {
        let (at, _) = reading(&mut client);
        slow |= at - before >= 0.4;
        before = at;
    }
    assert!(slow, "no reading took 400 ms");
    browser.press("2");
    browser.until(&shown("wire"));
    browser.until("[...document.querySelectorAll('#timeline .harm .text')].some((one) => one.textContent.includes('delay'))");
    // What moves is hard to hit.
    browser.click("document.querySelector('#view-wire .bar .main')");
    browser.until("document.querySelector('#view-wire').matches('.paused')");
    browser.click("[...document.querySelectorAll('#timeline .harm')].pop()");
    browser.until("document.querySelector('.detail .why')?.textContent.startsWith('delay')");
    browser.press("Escape");
    browser.until("document.querySelector('.detail').hidden");
    browser.press("/");
    browser.write("pinned cell");
    browser.until(
        "[...document.querySelectorAll('#timeline .row')].every((one) => one.matches('.steered'))",
    );
    browser.until("[...document.querySelectorAll('#timeline .row')].some((one) => one.textContent.includes('[3] to 3.1'))");
    browser.press("Escape");
    browser.press("Escape");
    browser.press("3");
    browser.until(&shown("break"));
    browser.click("document.querySelector('#active button')");
    browser.until("!document.querySelector('#active li')");

    // A request that is held waits for somebody.
    browser.read("document.querySelector('.hold [list=commands]').focus()");
    browser.write("BMS_GET_VALUES");
    browser.click("document.querySelector('.hold form button')");
    browser.until("document.querySelector('.request')?.textContent.includes('BMS_GET_VALUES')");
    browser.click("document.querySelector('.hold .active button')");
    browser.until("!document.querySelector('.request')");
    reading(&mut client);
    browser.press("1");
    browser.until(&shown("devices"));
    browser.is_content(&page);

    // Nothing is wider than a phone.
    browser.look(360, 740, "dark");
    for view in ["devices", "devices/DEMO-0001", "wire", "break"] {
        browser.read(&format!("location.hash = '{view}'"));
        browser.until(&shown(view.split('/').next().unwrap()));
        browser.until("document.documentElement.scrollWidth <= 360 && [...document.querySelectorAll('main > section:not([hidden])')].every((one) => one.scrollWidth <= 360)");
    }
    browser.is_content(&page);
}

#[test]
fn the_page_says_that_the_server_is_away_and_comes_back() {
    let Some(mut browser) = browser() else {
        return;
    };
    let (first, _, page) = hub(&["--demo"]);
    browser.open(&page);
    browser.until("document.querySelectorAll('.cell').length === 20");
    drop(first);
    browser.until("document.querySelector('#link').matches('.off')");
    let address = page.trim_start_matches("http://").trim_end_matches('/');
    let mut args = vec![
        "sim",
        "serve",
        "--quiet",
        "--demo-motor",
        "--listen",
        "127.0.0.1:0",
    ];
    args.extend(["--control", address]);
    let mut second = Program::start(&args);
    second.line();
    // What went wrong meanwhile is no complaint.
    browser.until("!document.querySelector('#link').matches('.off')");
    browser.until("document.querySelector('.device h2').textContent !== 'DEMO-0001' && document.querySelector('.gauge')?.checkVisibility()");
    browser.forget_events();
    browser.is_content(&page);
}

/// Asks for the firmware so many times, with 25 requests on their way at a time. As the device takes 50 ms for each, that
/// is 500 requests and 500 replies a second.
fn hurry(listening: &str, requests: usize) {
    let mut stream = TcpStream::connect(listening).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let login = b"VESCTOOL:demo-0001:not-a-secret\n";
    let request = encode(&[0]).unwrap();
    stream.write_all(login).unwrap();
    let mut decoder = Decoder::new(TOOL_MAX_PAYLOAD);
    let (mut sent, mut answered) = (0, 0);
    let mut bytes = [0; 4096];
    // What comes with the login is lost, so the first request is sent until it is answered.
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut first = loop {
        stream.write_all(&request).unwrap();
        if let Ok(count) = stream.read(&mut bytes) {
            break count;
        }
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    while answered < requests {
        let count = match std::mem::take(&mut first) {
            0 => stream.read(&mut bytes).unwrap(),
            count => count,
        };
        assert!(count > 0, "the hub closed the connection");
        let mut input = &bytes[..count];
        while let Some(item) = decoder.next(&mut input) {
            answered += usize::from(matches!(item, Item::Frame(_)));
        }
        while sent < requests && sent < answered + 25 {
            stream.write_all(&request).unwrap();
            sent += 1;
        }
    }
}

#[test]
fn the_page_takes_in_a_thousand_messages_a_second_and_loses_none() {
    let Some(mut browser) = browser() else {
        return;
    };
    let (_hub, listening, page) = hub(&["--demo"]);
    browser.look(1280, 860, "light");
    browser.open(&format!("{page}#wire"));
    browser.until("document.querySelector('#link').textContent === 'connected'");
    let seconds = match std::env::var_os("VESCHUB_THOROUGH") {
        Some(_) => 30,
        None => 2,
    };
    hurry(&listening, 500 * seconds);
    // What is shown, and what was dropped as older, are all entries of the journal, which itself has dropped none.
    let journal =
        browser.read("fetch('/v1/hub').then((one) => one.json()).then((hub) => hub.journal)");
    assert_eq!(journal["dropped"], 0, "{journal}");
    let last = journal["last"].as_u64().unwrap();
    assert!(last >= 1000 * seconds as u64, "{journal}");
    browser.until(&format!("{TAKEN_IN} === {last}"));
    browser.call("HeapProfiler.collectGarbage", serde_json::json!({}));
    let heap = browser.read("performance.memory.usedJSHeapSize");
    assert!(heap.as_f64().unwrap() < 64e6, "{heap}");
    browser.is_content(&page);
}

/// Pictures of all views are kept in the folder for what tests leave, for somebody to look at:
/// `target/tmp/control-page`.
#[test]
fn every_view_has_a_picture_in_the_light_in_the_dark_and_on_a_phone() {
    let Some(mut browser) = browser() else {
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("control-page");
    std::fs::create_dir_all(&folder).unwrap();
    let (_hub, listening, page) = hub(&["--demo"]);
    let mut client = client(&listening);
    reading(&mut client);
    for (name, width, height, scheme) in [
        ("light", 1280, 860, "light"),
        ("dark", 1280, 860, "dark"),
        ("phone", 420, 860, "light"),
    ] {
        browser.look(width, height, scheme);
        for (view, is_ready) in [
            (
                "devices/DEMO-0001",
                "document.querySelectorAll('.cell').length === 20",
            ),
            (
                "wire",
                "document.querySelectorAll('#timeline .row').length > 5",
            ),
            (
                "break",
                "document.querySelectorAll('#view-break .kind').length > 10",
            ),
        ] {
            browser.open("about:blank");
            browser.open(&format!("{page}#{view}"));
            browser.until(is_ready);
            browser.until("document.querySelector('#listening').textContent.startsWith('127.')");
            for _ in 0..5 {
                reading(&mut client);
            }
            let file = format!("{}-{name}.png", view.split('/').next().unwrap());
            let picture = folder.join(file);
            browser.picture(&picture);
            // A page that shows nothing is a small picture.
            let size = std::fs::metadata(&picture).unwrap().len();
            assert!(size > 20_000, "{}: {size} bytes", picture.display());
        }
    }
    browser.is_content(&page);
}
