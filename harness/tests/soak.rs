//! A soak as a process of its own, so that all its descriptors and tasks are those of the soak.

use snapbox::cmd::{Command, cargo_bin};

fn soak(arguments: &[&str]) -> snapbox::cmd::OutputAssert {
    Command::new(cargo_bin!("veschub-harness"))
        .arg("soak")
        .args(arguments)
        .assert()
}

#[test]
fn a_short_soak_loses_nothing_and_leaves_nothing() {
    let ran = soak(&[
        "--minutes",
        "0.01",
        "--devices",
        "8",
        "--tools",
        "9",
        "--seed",
        "7",
        "--json",
    ]);
    let ran = ran.success().stderr_eq("");
    let report: serde_json::Value = serde_json::from_slice(&ran.get_output().stdout).unwrap();
    assert!(
        report["tally"]["replies"].as_u64().unwrap() > 0,
        "{report:#}"
    );
    for count in ["lost", "wrong", "misplaced", "miscounted"] {
        assert_eq!(report["tally"][count], 0, "{report:#}");
    }
    assert_eq!(
        (&report["left"]["tasks"], &report["left"]["held"]),
        (&0.into(), &0.into())
    );
    assert_eq!(report["hubs"].as_array().unwrap().len(), 4);
}

#[test]
fn numbers_that_make_no_soak_are_refused() {
    for (arguments, told) in [
        (["--minutes", "0"], "a number of minutes above 0"),
        (["--minutes", "NaN"], "a number of minutes above 0"),
        (["--devices", "7"], "a whole number from 8 to 10000"),
        (["--tools", "0"], "a whole number from 1 to 10000"),
    ] {
        let ran = soak(&arguments).code(2);
        let stderr = String::from_utf8(ran.get_output().stderr.clone()).unwrap();
        assert!(stderr.contains(told), "{stderr}");
    }
}
