//! What keys, entries and foreign texts do to the page.

use std::time::Duration;

use ratatui::style::Color;
use serde_json::json;
use veschub_control::{Act, Batch, Refused};
use veschub_hub::journal::JournalEvent;

use super::{MOTORS, Seat, a_session};
use crate::{
    keys::Key,
    look::{About, Look},
    page::Page,
};

#[test]
fn a_filter_shows_some_entries_and_a_wrong_one_says_what_it_takes() {
    let mut seat = Seat::demo();
    seat.types("2/command=");
    seat.types("bms-get-values");
    // Behind a new filter the journal is read anew.
    assert_eq!(seat.page.after(), 0);
    a_session(&mut seat);
    let drawn = seat.drawn(80, 24);
    assert!(drawn.contains("Wire: 2 entries"), "{drawn}");
    assert!(drawn.contains("filter: command=bms-get-values"), "{drawn}");
    seat.presses([Key::Enter]);
    assert!(seat.drawn(80, 24).contains("only command=bms-get-values"));
    seat.presses([Key::Esc]);
    seat.types("/x=1");
    let drawn = seat.drawn(80, 24);
    assert!(drawn.contains("unknown key `x`"), "{drawn}");
    assert!(drawn.contains("not a filter: x=1"), "{drawn}");
    seat.presses([Key::Esc]);
    assert!(!seat.drawn(80, 24).contains("only"), "{drawn}");
}

#[test]
fn who_reads_an_entry_keeps_it_while_others_come_and_the_oldest_go() {
    let mut seat = Seat::demo();
    seat.types("2");
    for _ in 0..100 {
        seat.happens("DEMO-0001", JournalEvent::Request(vec![0]));
    }
    seat.happens("DEMO-0001", JournalEvent::Attached);
    seat.drawn(80, 24);
    seat.presses([Key::Char(' ')]);
    for _ in 0..100 {
        seat.happens("DEMO-0001", JournalEvent::Request(vec![0]));
    }
    let drawn = seat.drawn(80, 24);
    assert!(
        drawn.contains("attached") && drawn.contains("stopped"),
        "{drawn}"
    );
    // The hub has forgotten all but the last 150.
    seat.page.happened(&Batch {
        last: 201,
        first: 52,
        lost: 51,
        is_end: true,
        ..Batch::default()
    });
    let drawn = seat.drawn(80, 24);
    assert!(
        drawn.contains("attached") && drawn.contains("Wire: 150 entries"),
        "{drawn}"
    );
    assert!(drawn.contains("51 older"), "{drawn}");
    seat.presses([Key::Char(' ')]);
    assert!(!seat.drawn(80, 24).contains("attached"));
}

#[test]
fn keys_ask_for_what_the_footer_says() {
    let mut seat = Seat::demo();
    assert_eq!(seat.types("p"), [Act::Pause(true)]);
    assert_eq!(seat.types("s"), [Act::Listen(false)]);
    assert_eq!(seat.types("u"), [Act::Unplug("DEMO-0001".to_owned())]);
    assert_eq!(seat.types("d"), []);
    assert!(
        seat.drawn(80, 24)
            .contains("not done: DEMO-0001 has no client to drop")
    );
    assert_eq!(seat.types("2x"), [Act::Forget]);
    let error = Refused {
        error: "no device has the id DEMO-0002".to_owned(),
        help: Some("did you mean `DEMO-0001`?".to_owned()),
        is_end: false,
    };
    seat.page
        .done(&Act::Plug("DEMO-0002".to_owned()), Err(error));
    let drawn = seat.drawn(80, 24);
    assert!(
        drawn.contains("not done: no device has the id DEMO-0002; did you mean"),
        "{drawn}"
    );
    assert!(!seat.page.is_over());
    seat.types("/q");
    assert!(!seat.page.is_over(), "it is typed");
    seat.presses([Key::Interrupt]);
    assert!(seat.page.is_over());
}

#[test]
fn a_page_is_drawn_again_only_if_something_has_changed() {
    let mut seat = Seat::demo();
    seat.drawn(80, 24);
    seat.looks();
    assert!(!seat.page.has_changed());
    seat.at = seat.at + Duration::from_millis(3);
    // Nobody sees the wire.
    seat.happens("DEMO-0001", JournalEvent::Attached);
    assert!(!seat.page.has_changed());
    seat.types("2");
    seat.drawn(80, 24);
    seat.happens("DEMO-0001", JournalEvent::Attached);
    assert!(seat.page.has_changed());
}

#[test]
fn nothing_that_others_say_acts_on_the_terminal() {
    let hostile = "\u{1b}[2Jbad\u{202e}\u{9b}\u{7}";
    let mut seat = Seat::demo();
    let mut devices = seat.hub.devices();
    devices[0].id = hostile.to_owned();
    devices[0].about.hardware = Some(hostile.to_owned());
    let mut told = seat.hub.device(seat.at, "demo-0001", None).unwrap();
    told.device = devices[0].clone();
    told.values.bms = Some(json!({ "status": hostile, "other": hostile }));
    let look = || Look {
        devices: devices.clone(),
        device: Some(told.clone()),
        ..Look::default()
    };
    seat.page.take(look());
    seat.page.told(vec![hostile.to_owned()]);
    for text in [vec![20], hostile.as_bytes().to_vec()] {
        let payload = [&[21_u8][..], &text].concat();
        seat.happens(
            hostile,
            JournalEvent::Reply {
                payload,
                truth: None,
            },
        );
    }
    seat.happens(
        hostile,
        JournalEvent::Steered {
            text: hostile.to_owned(),
        },
    );
    let is_treacherous = veschub_transcript::foreign::is_treacherous;
    for keys in [
        vec![],
        vec![Key::Char('2')],
        vec![Key::Enter],
        vec![Key::Esc, Key::Char('3')],
        vec![Key::Char('m')],
        vec![
            Key::Esc,
            Key::Char('2'),
            Key::Char('/'),
            Key::Char('\u{1b}'),
            Key::Char('\u{202e}'),
        ],
    ] {
        for key in keys {
            seat.page.key(key);
        }
        seat.page.take(look());
        let terminal = seat.terminal(120, 40);
        for cell in terminal.backend().buffer().content() {
            assert!(
                !cell.symbol().chars().any(is_treacherous),
                "{:?}",
                cell.symbol()
            );
        }
        // It is told, not left out.
        let drawn = terminal.backend().to_string();
        assert!(drawn.contains(r"\u{1b}"), "{drawn}");
    }
}

#[test]
fn without_colours_words_and_marks_say_all() {
    let mut seat = Seat::of(MOTORS);
    seat.page = Page::new(About::default());
    seat.next = 1;
    seat.looks();
    a_session(&mut seat);
    for view in ["1", "2", "3"] {
        seat.types(view);
        let terminal = seat.terminal(80, 24);
        let cells = terminal.backend().buffer().content();
        assert!(
            cells
                .iter()
                .all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset))
        );
    }
    seat.types("2");
    let drawn = seat.drawn(80, 24);
    for mark in ["!", "?", "*"] {
        assert!(
            drawn
                .lines()
                .any(|line| line.starts_with(&format!("\"{mark} "))),
            "{mark} {drawn}"
        );
    }
}

#[test]
fn a_terminal_of_any_size_is_drawn_on() {
    let mut seat = Seat::of(MOTORS);
    a_session(&mut seat);
    for view in ["1", "2", "3", "?"] {
        seat.types(view);
        for columns in [1, 7, 27, 59, 60, 200] {
            for rows in [1, 2, 4, 9, 50] {
                seat.drawn(columns, rows);
            }
        }
        seat.presses([Key::Enter, Key::PageDown, Key::PageUp, Key::End]);
    }
}
