//! Every seed and every input that once broke something, and the seeds that are made here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../../../fuzz/kept.rs"]
mod kept;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use rand::RngExt;
use veschub_hub::{fuzzing, rng::Seed};

#[test]
fn every_target_passes_its_seeds_and_regressions() {
    replay::replay(fuzzing::TARGETS);
}

/// A step of `session`, as the head of `session.rs` lays it out, of the connection at this place.
fn step(kind: u8, which: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind, which][..], rest].concat()
}

fn request(which: u8, payload: &[u8]) -> Vec<u8> {
    step(4, which, &[&[payload.len() as u8], payload].concat())
}

/// Sessions in which somebody steers all the time, drawn from seeds: about half of the steps are those of peers.
#[test]
fn whoever_steers_breaks_nothing() {
    for seed in 0..100 {
        let mut rng = Seed(seed).stream(0);
        let mut input: Vec<u8> = vec![rng.random(), rng.random(), rng.random_range(0..3)];
        for _ in 0..3 * usize::from(input[2]) {
            input.push(rng.random());
        }
        for who in [0, 0x40, 2] {
            input.extend(step(0, 0, &[]));
            input.extend(step(1 + u8::from(who == 2), 255, &[who]));
        }
        for _ in 0..60 {
            let rest: [u8; 2] = rng.random();
            let which = rng.random();
            match rng.random_range(0..16) {
                0 => input.extend(step(0, 0, &[])),
                1 => input.extend(step(1, which, &[rest[0] % 3])),
                2 | 3 => input.extend(request(
                    which,
                    &[[0, 96, 93, 62][usize::from(rest[0] % 4)], 0],
                )),
                4 => input.extend(step(5, which, &[])),
                5 => input.extend(step(8, 0, &[rest[0] % 11])),
                6 => input.extend(step(9, 0, &[])),
                7 => input.extend(step(10 + which % 2, which, &[])),
                _ => input.extend(step(240 + rng.random_range(0..12), which, &rest)),
            }
        }
        let played = std::panic::catch_unwind(|| fuzzing::session(&input));
        assert!(played.is_ok(), "seed {seed}: {input:?}");
    }
}

#[test]
fn the_seeds_of_session_are_sessions_that_the_protocol_page_speaks_of() {
    let connect = || step(0, 0, &[]);
    let tool = |which, who| step(1, which, &[who]);
    let device = |which, who| step(2, which, &[who]);
    let tagged = |which| step(5, which, &[]);
    // 2^10 ms.
    let (second, due, eof, reset) = (step(8, 0, &[10]), step(9, 0, &[]), 10, 11);
    let four = [
        request(0, &[0]),
        request(0, &[93, 0]),
        request(0, &[62]),
        request(0, &[96]),
    ]
    .concat();
    let minutes = second.repeat(4);
    let setup = [connect(), tool(0, 0), second.clone()].concat();
    let relay = [connect(), device(0, 2), connect(), tool(1, 2)].concat();
    let plan = |switches: u8, quirks: u8, faults: &[[u8; 3]]| {
        [
            &[switches, quirks, faults.len() as u8][..],
            &faults.concat(),
        ]
        .concat()
    };
    let (reference, ideal, small, direct) = (0x3F, 0, 0x7F, 0xBF);
    let mut seeds: Vec<(String, Vec<u8>)> = [
        (
            "four-requests",
            reference,
            0,
            vec![setup.clone(), four.clone(), minutes.clone()],
        ),
        (
            "four-requests-to-an-ideal-hub",
            ideal,
            0,
            vec![setup.clone(), four.clone(), minutes.clone()],
        ),
        (
            "served-directly",
            direct,
            0,
            vec![
                connect(),
                connect(),
                four.clone(),
                minutes.clone(),
                step(eof, 0, &[]),
            ],
        ),
        (
            "a-forwarded-request",
            reference,
            0,
            vec![
                setup.clone(),
                request(0, &[34, 84, 4]),
                request(0, &[34, 255, 0]),
                minutes.clone(),
            ],
        ),
        (
            "a-terminal-command",
            reference,
            0,
            vec![setup.clone(), request(0, b"\x14help"), minutes.clone()],
        ),
        (
            "a-reboot",
            reference,
            0,
            vec![
                setup.clone(),
                request(0, &[29]),
                due.clone(),
                minutes.clone(),
                minutes.clone(),
            ],
        ),
        (
            "all-quirks",
            reference,
            0x5F,
            vec![
                setup.clone(),
                four.clone(),
                minutes.clone(),
                four.clone(),
                minutes.clone(),
            ],
        ),
        (
            "a-take-over",
            reference,
            0,
            vec![
                setup.clone(),
                four.clone(),
                connect(),
                tool(1, 0),
                minutes.clone(),
            ],
        ),
        (
            "a-take-over-at-an-ideal-hub",
            ideal,
            0,
            vec![
                setup.clone(),
                four.clone(),
                connect(),
                tool(1, 0),
                minutes.clone(),
            ],
        ),
        (
            "half-a-request-left",
            reference,
            0,
            vec![
                setup.clone(),
                step(7, 0, &[1, 96, 3]),
                step(reset, 0, &[]),
                connect(),
                tool(0, 0),
                second.clone(),
                four.clone(),
                minutes.clone(),
            ],
        ),
        (
            "refused-and-pinged",
            reference,
            0,
            vec![
                connect(),
                tool(0, 0x80),
                connect(),
                tool(1, 2),
                connect(),
                step(3, 2, &[0]),
                connect(),
                step(3, 3, &[2]),
            ],
        ),
        (
            "a-request-with-the-login",
            ideal,
            0,
            vec![connect(), tool(0, 0x40), minutes.clone()],
        ),
        (
            "a-silent-connection-stalls",
            reference,
            0,
            vec![
                connect(),
                connect(),
                tool(0, 0),
                request(0, &[0]),
                minutes.clone(),
                minutes.clone(),
            ],
        ),
        (
            "a-login-in-pieces",
            small,
            0,
            vec![
                connect(),
                step(6, 0, &[4, b'V', b'E', b'S', b'C']),
                second.clone(),
                connect(),
                step(6, 1, &[&[70][..], &[b'A'; 70]].concat()),
            ],
        ),
        (
            "a-device-from-outside",
            reference,
            0,
            vec![
                relay.clone(),
                tagged(0),
                tagged(1),
                tagged(0),
                step(eof, 1, &[]),
                tagged(0),
                connect(),
                tool(1, 2),
                tagged(0),
            ],
        ),
        (
            "early-words-of-a-device",
            reference,
            0,
            vec![
                connect(),
                device(0, 2),
                tagged(0),
                request(0, &[1, 2, 3]),
                connect(),
                tool(1, 2),
                tagged(0),
            ],
        ),
        (
            "a-replaced-device",
            reference,
            0,
            vec![
                relay.clone(),
                tagged(1),
                connect(),
                device(2, 2),
                connect(),
                tool(3, 2),
                tagged(2),
                step(12, 0, &[255, 0]),
                tagged(3),
            ],
        ),
        (
            "a-device-of-our-own-replaced",
            reference,
            0,
            vec![
                setup.clone(),
                connect(),
                device(1, 0),
                tagged(1),
                connect(),
                tool(2, 0),
                tagged(2),
            ],
        ),
        (
            "nobody-reads",
            small,
            0,
            vec![
                setup.clone(),
                [four.clone(), second.clone()].concat().repeat(9),
            ],
        ),
    ]
    .into_iter()
    .map(|(name, switches, quirks, steps)| {
        (
            name.to_owned(),
            [plan(switches, quirks, &[]), steps.concat()].concat(),
        )
    })
    .collect();
    // Each fault once in each direction, always and with a trigger.
    for kind in 0..15 {
        for direction in [0, 0x80] {
            let fault = [kind | direction, 3, 7];
            let steps = [&setup[..], &four, &minutes, &four, &minutes].concat();
            let way = if direction == 0 {
                "to-tool"
            } else {
                "to-device"
            };
            seeds.push((
                format!("fault-{kind}-{way}"),
                [plan(reference, 0, &[fault]), steps].concat(),
            ));
            let steps = [
                &relay[..],
                &tagged(0),
                &tagged(1),
                &second,
                &tagged(0),
                &step(eof, 0, &[]),
                &minutes,
            ]
            .concat();
            seeds.push((
                format!("relay-fault-{kind}-{way}"),
                [plan(reference, 0, &[fault]), steps].concat(),
            ));
        }
    }
    kept::assert_kept("seeds/session", &seeds);
}
