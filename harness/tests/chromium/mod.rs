//! Headless Chromium that a test drives as a person would: with a pointer and with keys that the browser itself makes.
//!
//! It speaks the DevTools protocol over a pipe: messages in JSON, each with a NUL behind it. The shell gives the browser
//! our pipes as the descriptors 3 and 4, where it looks for them.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    orders: ChildStdin,
    told: Receiver<Value>,
    session: Option<String>,
    number: u64,
    events: VecDeque<Value>,
    folder: tempfile::TempDir,
}

impl Browser {
    /// Starts one, which looks up no names and asks nobody but loopback.
    pub(crate) fn start(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null",
                "sh",
                program,
            ])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-sync",
                "--disable-extensions",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"])
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (tell, told) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for message in out.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else {
                    continue;
                };
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
        let orders = child.stdin.take().unwrap();
        let mut browser = Self {
            child,
            orders,
            told,
            session: None,
            number: 0,
            events: VecDeque::new(),
            folder,
        };
        let targets = browser.call("Target.getTargets", json!({}));
        let mut targets = targets["targetInfos"].as_array().unwrap().iter();
        let page = targets.find(|target| target["type"] == "page").unwrap();
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Has the browser do something, and waits for the answer.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut order = json!({"id": self.number, "method": method, "params": params});
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&order).unwrap();
        bytes.push(0);
        self.orders.write_all(&bytes).unwrap();
        loop {
            let message = self.told.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|error| panic!("{method}: {error}"));
            if message["id"] == self.number {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            if message["method"].is_string() {
                self.events.push_back(message);
            }
        }
    }

    /// Opens a page.
    pub(crate) fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({"url": url}));
        assert!(opened["errorText"].is_null(), "{opened}");
    }

    /// What an expression is in the page; a promise is awaited.
    pub(crate) fn read(&mut self, expression: &str) -> Value {
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let told = self.call("Runtime.evaluate", ask);
        assert!(told["exceptionDetails"].is_null(), "{expression}: {told}");
        told["result"]["value"].clone()
    }

    /// Waits until an expression holds in the page.
    pub(crate) fn until(&mut self, expression: &str) {
        let promise = format!(
            "new Promise((done) => {{ let left = 400; const look = () => {{ let holds = false; try {{ holds = Boolean({expression}); }} \
             catch {{ }} if (holds || !left--) done(holds); else setTimeout(look, 25); }}; look(); }})"
        );
        let holds = self.read(&promise) == json!(true);
        let page = if holds {
            Value::Null
        } else {
            self.read("document.body.innerText")
        };
        assert!(holds, "{expression} never holds; the page says: {page}");
    }

    /// The middle of an element, which is scrolled to.
    pub(crate) fn middle(&mut self, element: &str) -> (f64, f64) {
        let place = self.read(&format!(
            "(() => {{ const one = {element}; one.scrollIntoView({{block: 'nearest'}}); const at = one.getBoundingClientRect(); \
             return [at.x + at.width / 2, at.y + at.height / 2]; }})()"
        ));
        (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
    }

    fn mouse(&mut self, what: &str, (x, y): (f64, f64)) {
        let buttons = u8::from(what != "mouseReleased");
        let event = json!({"type": what, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1});
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Clicks on an element, as soon as nothing else covers its middle.
    pub(crate) fn click(&mut self, element: &str) {
        self.until(&format!(
            "(() => {{ const one = {element}; one.scrollIntoView({{block: 'nearest'}}); const at = one.getBoundingClientRect(); \
             return one.contains(document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2)); }})()"
        ));
        let place = self.middle(element);
        self.mouse("mousePressed", place);
        self.mouse("mouseReleased", place);
    }

    /// Presses the button at a place, goes to another in some steps, and lets go there.
    pub(crate) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.mouse("mousePressed", from);
        for step in 1..=8 {
            let part = f64::from(step) / 8.0;
            let place = (
                from.0 + (to.0 - from.0) * part,
                from.1 + (to.1 - from.1) * part,
            );
            self.mouse("mouseMoved", place);
        }
        self.mouse("mouseReleased", to);
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyDown", "key": key}),
        );
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key}),
        );
    }

    /// Writes text where the page listens for it.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Makes the page so wide and high, in the light or in the dark.
    pub(crate) fn look(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Writes a picture of the page, as PNG.
    pub(crate) fn picture(&mut self, to: &Path) {
        use base64::Engine as _;
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let picture = picture["data"].as_str().unwrap();
        let picture = base64::engine::general_purpose::STANDARD.decode(picture);
        std::fs::write(to, picture.unwrap()).unwrap();
    }

    /// Fails if the page complained of anything, or asked anybody but the server at this address.
    pub(crate) fn is_content(&mut self, server: &str) {
        self.read("1");
        for event in &self.events {
            let complains = matches!(
                event["method"].as_str(),
                Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded")
            );
            assert!(!complains, "{event:#}");
            if event["method"] == "Network.requestWillBeSent" {
                let url = event["params"]["request"]["url"].as_str().unwrap();
                assert!(url.starts_with(server) || url.starts_with("data:"), "{url}");
            }
        }
    }

    /// What happened in the browser since it was last asked.
    pub(crate) fn forget_events(&mut self) {
        self.events.clear();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its pipe; what does not end is ended.
        let close = b"{\"id\":0,\"method\":\"Browser.close\"}\0";
        let _ = self.orders.write_all(close);
        while self.told.recv_timeout(Duration::from_secs(5)).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.folder.path();
    }
}
