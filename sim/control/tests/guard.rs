//! What is refused: pages of others, wrong tokens, bodies that are too large, listeners that are too many.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use socket2::{Domain, Socket, Type};

use common::{Answer, BMS, PATIENCE, SCENARIO, Served};

#[test]
fn a_page_of_somebody_else_is_refused_and_changes_nothing() {
    let served = Served::start();
    let stop = |headers: &[&str]| served.send("POST", "/v1/hub/stop", "{}", headers);
    for origin in ["Origin: http://attacker.invalid", "Origin: null"] {
        assert!(
            stop(&[origin])
                .refused(403)
                .contains("is not of this server")
        );
    }
    // DNS rebinding: the name of the foreign page leads to this address.
    let port = served.control.port();
    let host = format!("Host: attacker.invalid:{port}");
    let origin = format!("Origin: http://attacker.invalid:{port}");
    assert!(
        stop(&[&host, &origin])
            .refused(403)
            .contains("attacker.invalid")
    );
    assert_eq!(served.get("/v1/hub").json()["accepts"], true);
    let own = format!("Origin: http://{}", served.control);
    assert_eq!(stop(&[&own]).is(200)["accepts"], false);
}

#[test]
fn with_a_token_nothing_but_health_is_told_to_strangers() {
    let served = Served::of(SCENARIO, Some("t0ken"));
    for path in [
        "/",
        "/v1/hub",
        "/openapi.json",
        "/metrics",
        "/page/page.js",
        "/nowhere",
    ] {
        let answer = served.get(path);
        assert!(
            answer.refused(401).contains("Authorization: Bearer"),
            "{path}"
        );
        assert!(
            answer
                .headers
                .to_ascii_lowercase()
                .contains("www-authenticate: bearer")
        );
        let wrong = served.send("GET", path, "", &["Authorization: Bearer token"]);
        assert!(
            wrong.refused(401).contains("this is not the token"),
            "{path}"
        );
    }
    assert_eq!(served.get("/health").status, 200);
    let right = served.send("GET", "/v1/hub", "", &["Authorization: Bearer t0ken"]);
    right.is(200);
    let welcome = served.get("/?token=t0ken");
    assert_eq!(welcome.status, 303);
    assert!(
        welcome.headers.contains("HttpOnly; SameSite=Strict"),
        "{}",
        welcome.headers
    );
    let page = served.send("GET", "/", "", &["Cookie: veschub-control=t0ken"]);
    assert_eq!(page.status, 200);
    assert_eq!(served.get("/?token=other").status, 401);
}

#[test]
fn a_body_that_is_too_large_or_no_json_is_refused_and_the_server_goes_on() {
    let served = Served::start();
    // Said to be too large: it need not be sent.
    let mut stream = TcpStream::connect(served.control).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /v1/faults HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n",
        served.control
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert!(Answer::read(&mut stream).refused(413).contains("1048576"));

    // Sent, and of a length that nobody told.
    let mut stream = TcpStream::connect(served.control).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /v1/faults HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n",
        served.control
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b' '; 0x10_0001]).unwrap();
    assert!(Answer::read(&mut stream).refused(413).contains("1048576"));

    let refused = served
        .post("/v1/faults", "{\"fault\": {\"drop\": {}}")
        .is(400);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .starts_with("the body is not JSON")
    );
    assert_eq!(refused["where"]["line"], 1);
    let mut bytes = served.open(
        "POST",
        "/v1/faults",
        "",
        &["Content-Type: application/json"],
    );
    assert!(
        Answer::read(&mut bytes)
            .refused(400)
            .contains("`fault` is missing")
    );
    assert!(
        served
            .post("/v1/faults", "[1]")
            .refused(400)
            .contains("JSON object")
    );
    let deep = "[".repeat(5000);
    assert_eq!(served.post("/v1/faults", &deep).status, 400);
    assert_eq!(served.get("/health").status, 200);
}

/// Reads until something was said.
fn until(stream: &mut TcpStream, words: &str) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains(words) {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "ended before {words:?}: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    text
}

#[test]
fn of_sixty_five_listeners_the_last_one_is_refused_until_another_goes() {
    let served = Served::start();
    let mut listeners: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = served.open("GET", "/v1/events", "", &[]);
            until(&mut stream, "event: hello");
            stream
        })
        .collect();
    assert!(
        served
            .get("/v1/events")
            .refused(429)
            .contains("64 listen already")
    );
    // Who does not listen is served as before.
    served.get("/v1/hub").is(200);
    listeners.pop();
    let start = Instant::now();
    loop {
        let mut stream = served.open("GET", "/v1/events", "", &[]);
        let mut bytes = [0; 12];
        stream.read_exact(&mut bytes).unwrap();
        if bytes == *b"HTTP/1.1 200" {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "the place is not free again");
    }
}

/// A listener with a small buffer that never reads.
fn deaf(served: &Served) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&served.control.into()).unwrap();
    let request = format!(
        "GET /v1/events?after=0 HTTP/1.1\r\nHost: {}\r\n\r\n",
        served.control
    );
    (&socket).write_all(request.as_bytes()).unwrap();
    socket
}

#[test]
fn listeners_that_never_read_keep_nobody_waiting() {
    let served = Served::start();
    let deaf: Vec<Socket> = (0..8).map(|_| deaf(&served)).collect();
    let mut tool = served.tool("demo-0001");
    // Each exchange is some kilobytes of events: together more than these sockets hold.
    for _ in 0..300 {
        tool.ask(BMS);
    }
    let hub = served.get("/v1/hub").is(200);
    assert_eq!(hub["journal"]["dropped"], 0);
    assert!(hub["journal"]["last"].as_u64().unwrap() > 600);
    drop(deaf);
}
