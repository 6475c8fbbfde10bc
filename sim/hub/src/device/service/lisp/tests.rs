use std::collections::BTreeMap;

use veschub_wire::command::{CodeErase, CodeRequest, CodeWrite, LispStatsRequest};

use super::*;
use crate::duration::Duration;

fn at(ms: u64) -> Time {
    Time::ZERO + Span::from_millis(ms)
}

fn settings(code: Option<&str>) -> LispSettings {
    LispSettings {
        code: code.map(str::to_owned),
        variables: BTreeMap::from([("count".to_owned(), 3.0), ("vt-a".to_owned(), 0.5)]),
        prints: vec![
            LispPrint {
                after: Duration::from_millis(0),
                text: "hello".to_owned(),
            },
            LispPrint {
                after: Duration::from_millis(100),
                text: "later".to_owned(),
            },
        ],
        repl: vec![ReplAnswer {
            command: "(+ 1 2)".to_owned(),
            prints: vec!["> 3".to_owned()],
            after: Duration::from_millis(20),
        }],
        ..LispSettings::default()
    }
}

fn motor(code: Option<&str>) -> Lisp {
    Lisp::new(LispOn::Motor, settings(code))
}

fn ask(lisp: &mut Lisp, ms: u64, command: LispCommand) -> Result<Vec<Vec<u8>>, Silence> {
    let request = Request::Lisp(command);
    let answers = lisp.request(at(ms), &request, &MotorState::default());
    let answers = answers.unwrap()?;
    Ok(answers
        .into_iter()
        .map(|(_, answer)| answer.payload)
        .collect())
}

/// What it prints by itself up to then.
fn heard(lisp: &mut Lisp, ms: u64) -> Vec<String> {
    let said = lisp.handle_timeout(at(ms), &MotorState::default());
    let told = said.into_iter().map(|(_, answer)| text(&answer.payload));
    told.collect()
}

fn text(payload: &[u8]) -> String {
    assert_eq!(payload[0], 135);
    String::from_utf8_lossy(&payload[1..]).into_owned()
}

fn repl(lisp: &mut Lisp, ms: u64, command: &str) -> Result<Vec<String>, Silence> {
    let text_of = |payload: &Vec<u8>| text(payload);
    let asked = command.as_bytes().to_vec();
    let payloads = ask(lisp, ms, LispCommand::Repl { text: asked })?;
    Ok(payloads.iter().map(text_of).collect())
}

fn set_running(lisp: &mut Lisp, running: u8) -> Vec<u8> {
    let mut said = ask(lisp, 0, LispCommand::SetRunning { running }).unwrap();
    said.remove(0)
}

fn stats(lisp: &mut Lisp, all: Option<u8>) -> Result<LispStats, Silence> {
    let payloads = ask(lisp, 0, LispCommand::Stats(LispStatsRequest { all }))?;
    match Reply::decode(&payloads[0]).unwrap().body {
        Reply::Lisp(LispReply::Stats(stats)) => Ok(stats),
        other => panic!("{other:?}"),
    }
}

fn stream(lisp: &mut Lisp, offset: i32, total: i32, mode: i8, data: &[u8]) -> Vec<Vec<u8>> {
    let piece = LispStream {
        offset,
        total,
        mode,
        data: data.to_vec(),
    };
    ask(lisp, 0, LispCommand::Stream(piece)).unwrap()
}

#[test]
fn a_stored_script_runs_from_the_start_and_prints_at_its_times() {
    let mut lisp = motor(Some("(print 1)"));
    assert_eq!(lisp.poll_timeout(), Some(at(0)));
    assert_eq!(heard(&mut lisp, 0), ["hello"]);
    assert_eq!(heard(&mut lisp, 200), ["later"]);
    assert_eq!(lisp.poll_timeout(), None);
    lisp.restart(at(1000));
    assert_eq!(heard(&mut lisp, 1000), ["hello"]);
    let mut idle = motor(None);
    assert_eq!((idle.poll_timeout(), heard(&mut idle, 500)), (None, vec![]));
}

#[test]
fn without_a_script_stats_are_silent_and_it_does_not_start() {
    let mut lisp = motor(None);
    assert_eq!(stats(&mut lisp, None), Err(Silence::NoScript));
    assert_eq!(set_running(&mut lisp, 1), [133, 0]);
    assert_eq!(set_running(&mut lisp, 0), [133, 1]);
    let whole = CodeRequest {
        length: 10,
        offset: 0,
    };
    let none = ask(&mut lisp, 0, LispCommand::Read(whole)).unwrap();
    assert_eq!(none, [[130, 0, 0, 0, 0, 0, 0, 0, 0]]);
}

#[test]
fn stats_name_all_variables_or_those_for_the_page() {
    let mut lisp = motor(Some("(print 1)"));
    let all = stats(&mut lisp, None).unwrap();
    assert_eq!(all.names, [Text::from("count"), Text::from("vt-a")]);
    assert_eq!(all.cpu_percent.value(), 1.5);
    let some = stats(&mut lisp, Some(0)).unwrap();
    assert_eq!(some.names, [Text::from("vt-a")]);
    set_running(&mut lisp, 0);
    assert_eq!(stats(&mut lisp, None).unwrap().cpu_percent.value(), 0.0);
    lisp.settings.variables = (0..200).map(|n| (format!("name-{n}"), 1.0)).collect();
    let request = LispCommand::Stats(LispStatsRequest::default());
    let payload = ask(&mut lisp, 0, request).unwrap().remove(0);
    assert!((STATS_BYTES..STATS_BYTES + 20).contains(&payload.len()));
}

#[test]
fn code_is_erased_written_read_and_run() {
    let mut lisp = motor(Some("(old)"));
    let erased = ask(&mut lisp, 0, LispCommand::Erase(CodeErase::default()));
    assert_eq!(erased, Ok(vec![vec![132, 1]]));
    assert_eq!(stats(&mut lisp, None), Err(Silence::NoScript));
    let packed = StoredCode::script(b"(new)").pack();
    for (offset, data) in [(0, &packed[..7]), (7, &packed[7..])] {
        let piece = CodeWrite {
            offset,
            data: data.to_vec(),
        };
        let ack = ask(&mut lisp, 0, LispCommand::Write(piece)).unwrap();
        assert_eq!(ack, [[131, 1, 0, 0, 0, offset as u8]]);
    }
    let whole = CodeRequest {
        length: 6,
        offset: 0,
    };
    let read = ask(&mut lisp, 0, LispCommand::Read(whole)).unwrap();
    assert_eq!(&read[0][9..], b"(new)\0");
    assert_eq!(set_running(&mut lisp, 1), [133, 1]);
    assert_eq!(heard(&mut lisp, 0), ["hello"]);
    let far = CodeWrite {
        offset: MOTOR_CAPACITY as u32,
        data: vec![1],
    };
    assert_eq!(ask(&mut lisp, 0, LispCommand::Write(far)).unwrap()[0][1], 0);
}

#[test]
fn an_expression_is_printed_and_another_one_within_half_a_second_is_ignored() {
    let mut lisp = motor(None);
    assert_eq!(repl(&mut lisp, 0, ""), Ok(vec![">".to_owned()]));
    assert_eq!(repl(&mut lisp, 0, "(+ 1 2)\0"), Ok(vec!["> 3".to_owned()]));
    assert_eq!(repl(&mut lisp, 519, "count"), Err(Silence::EvaluatesStill));
    assert_eq!(repl(&mut lisp, 520, "count"), Ok(vec!["> 3".to_owned()]));
    assert_eq!(repl(&mut lisp, 2000, "42"), Ok(vec!["> 42".to_owned()]));
    assert!(repl(&mut lisp, 3000, "(unknown)").unwrap()[0].contains("repl"));
    // It has started what evaluates.
    assert!(stats(&mut lisp, None).is_ok());
}

#[test]
fn commands_with_a_colon_do_what_they_say() {
    let mut lisp = motor(Some("(print 1)"));
    assert!(repl(&mut lisp, 0, ":help").unwrap().len() > 5);
    assert_eq!(repl(&mut lisp, 0, ":pause").unwrap().len(), 1);
    assert_eq!(lisp.poll_timeout(), None);
    assert_eq!(
        repl(&mut lisp, 0, ":continue"),
        Err(Silence::NothingToPrint)
    );
    assert_eq!(lisp.poll_timeout(), Some(at(0)));
    assert!(
        repl(&mut lisp, 0, ":env")
            .unwrap()
            .contains(&"  vt-a = 0.5".to_owned())
    );
    repl(&mut lisp, 0, ":undef count").unwrap();
    assert_eq!(repl(&mut lisp, 0, ":symbols"), Ok(vec!["vt-a".to_owned()]));
    for command in [":info", ":ctxs", ":reset", ":verb", ":undef none"] {
        assert!(
            !repl(&mut lisp, 0, command).unwrap().is_empty(),
            "{command}"
        );
    }
}

#[test]
fn a_script_is_streamed_and_runs_when_it_is_whole() {
    let mut lisp = motor(None);
    assert_eq!(
        stream(&mut lisp, 0, 9, 1, b"(prin"),
        [[139, 0, 0, 0, 0, 0, 0]]
    );
    // A repeat is answered with two bytes of garbage and not executed.
    let repeat = stream(&mut lisp, 0, 9, 0, b"(prin");
    assert_eq!(repeat, [[139, 0, 0, 0, 0, 0, 0, 0, 0]]);
    assert_eq!(lisp.poll_timeout(), None);
    let last = stream(&mut lisp, 5, 9, 0, b"t 1)");
    assert_eq!(last[0], [139, 0, 0, 0, 5, 0, 0]);
    assert!(text(&last[1]).contains("done"));
    assert_eq!(heard(&mut lisp, 0), ["hello"]);
    // What comes behind the end is for nobody.
    let behind = stream(&mut lisp, 9, 12, 0, b"(x)");
    assert_eq!(behind[0], [139, 0, 0, 0, 9, 0xFF, 0xFA]);
}

#[test]
fn a_stream_into_nothing_has_its_error_and_two_bytes_of_garbage() {
    let mut lisp = motor(None);
    let stopped = stream(&mut lisp, 5, 9, 0, b"t 1)");
    assert_eq!(stopped[0], [139, 0, 0, 0, 5, 0xFF, 0xFF, 0, 0]);
    let no_code = stream(&mut lisp, 0, 9, 2, b"(prin");
    assert_eq!(no_code[0], [139, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]);
    let mut lisp = motor(Some("(print 1)"));
    let no_stream = stream(&mut lisp, 5, 9, 0, b"t 1)");
    assert_eq!(no_stream[0], [139, 0, 0, 0, 5, 0xFF, 0xF1, 0, 0]);
}

#[test]
fn an_express_stores_more_and_tells_less() {
    let mut settings = settings(Some("(print 1)"));
    settings.result = "t".to_owned();
    let mut lisp = Lisp::new(LispOn::Express, settings.clone());
    let told = stats(&mut lisp, None).unwrap();
    assert_eq!(
        (told.result, told.stack_percent.value()),
        (Text::default(), 0.0)
    );
    let far = CodeWrite {
        offset: MOTOR_CAPACITY as u32,
        data: vec![1],
    };
    assert_eq!(ask(&mut lisp, 0, LispCommand::Write(far)).unwrap()[0][1], 1);
    for (size, runs) in [(Some(-2), true), (Some(100), false)] {
        ask(&mut lisp, 0, LispCommand::Erase(CodeErase { size })).unwrap();
        assert_eq!(stats(&mut lisp, None).is_ok(), runs);
    }
    settings.code = Some("x".repeat(MOTOR_CAPACITY));
    for (on, mistakes) in [(LispOn::Motor, 1), (LispOn::Express, 0)] {
        let mut found = crate::mistake::Mistakes::default();
        settings.check(on, &mut found);
        assert_eq!(found.found().len(), mistakes);
    }
}
