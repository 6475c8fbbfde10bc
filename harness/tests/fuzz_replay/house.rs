//! Whether everything that belongs to a fuzz target is there: its file, its seeds, its replay, its line on the page, and
//! its place in what builds and runs all of them.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_yaml::Value as Yaml;

use super::file;

type Names = BTreeSet<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `cargo fuzz list` prints: the programs of the fuzz crate.
fn targets() -> Names {
    let manifest: toml::Value = toml::from_str(&file("fuzz/Cargo.toml")).unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter();
    programs
        .map(|program| program["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The names in a folder, without this ending.
fn names(folder: &str, ending: &str) -> Names {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.strip_suffix(ending).unwrap_or(&name).to_owned())
        .collect()
}

#[test]
fn every_target_has_a_file_seeds_a_replay_and_a_line_on_the_page() {
    let targets = targets();
    assert_eq!(names("fuzz/fuzz_targets", ".rs"), targets, "files");
    assert_eq!(names("fuzz/seeds", ""), targets, "folders of seeds");
    assert_eq!(
        names("fuzz/regressions", ""),
        targets,
        "folders of regressions"
    );
    for target in &targets {
        let source = file(&format!("fuzz/fuzz_targets/{target}.rs"));
        assert!(
            source.contains(&format!("cargo fuzz run {target}")),
            "{target}"
        );
        let seeds = fs::read_dir(root().join("fuzz/seeds").join(target)).unwrap();
        assert_ne!(seeds.count(), 0, "{target} has no seeds");
    }

    let replayed = [
        veschub_wire::fuzzing::TARGETS,
        veschub_transcript::fuzzing::TARGETS,
        veschub_hub::fuzzing::TARGETS,
        veschub_scrub::fuzzing::TARGETS,
        veschub_draft::fuzzing::TARGETS,
        veschub_harness::fuzzing::TARGETS,
    ];
    let replayed: Names = replayed
        .concat()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(replayed, targets, "what the tests called `fuzz_replay` run");

    let page = file("fuzz/README.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let rows: Names = rows.map(ToOwned::to_owned).collect();
    assert_eq!(rows, targets, "the table in fuzz/README.md");
}

#[test]
fn every_dictionary_is_of_a_target_and_can_be_read_by_the_fuzzer() {
    let dictionaries = names("fuzz/dictionaries", ".dict");
    assert!(dictionaries.is_subset(&targets()), "{dictionaries:?}");
    for name in dictionaries {
        for line in file(&format!("fuzz/dictionaries/{name}.dict")).lines() {
            let token = line.split_once('"').map_or(line, |(_, token)| token);
            let is_token = is_token(token.strip_suffix('"').unwrap_or_default());
            let is_entry = line.contains('"') && token.ends_with('"') && is_token;
            assert!(
                line.is_empty() || line.starts_with('#') || is_entry,
                "{name}: {line}"
            );
        }
    }
}

/// Printable characters; a quote, a backslash and any other byte behind a backslash.
fn is_token(token: &str) -> bool {
    let mut rest = token;
    while let Some(first) = rest.chars().next() {
        let len = match rest.as_bytes() {
            [b'\\', b'"' | b'\\', ..] => 2,
            [b'\\', b'x', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 4,
            _ if first == '"' || first == '\\' || !(' '..='~').contains(&first) => return false,
            _ => 1,
        };
        rest = &rest[len..];
    }
    !token.is_empty()
}

fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/usr/bin/env bash\nset -eu\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the build script of ClusterFuzzLite with a `cargo` that only notes what it is asked for, and a `zip` that makes
/// empty files.
#[test]
fn clusterfuzzlite_gets_every_target_with_its_seeds_and_its_dictionary() {
    let targets = targets();
    let folder = tempfile::tempdir().unwrap();
    let [bin, out, built] = ["bin", "out", "target"].map(|name| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    });
    let all = targets
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let release = "$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release";
    let build = format!("mkdir -p {release}; for one in {all}; do : >{release}/$one; done");
    program(
        &bin,
        "cargo",
        &format!(
            "case \"$*\" in 'fuzz list') printf '%s\\n' {all} ;; 'fuzz build'*) {build} ;; *) exit 9 ;; esac"
        ),
    );
    // As `zip -q -j FILE INPUT...`; the inputs must be there.
    program(
        &bin,
        "zip",
        "shift 2; : >\"$1\"; shift; for one; do test -e \"$one\"; done",
    );
    let path = std::env::var("PATH").unwrap();
    let ran = Command::new("bash")
        .arg(root().join(".clusterfuzzlite/build.sh"))
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("CARGO_TARGET_DIR", &built)
        .env("OUT", &out)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );

    let mut wanted = targets.clone();
    wanted.extend(
        targets
            .iter()
            .map(|target| format!("{target}_seed_corpus.zip")),
    );
    let dictionaries = names("fuzz/dictionaries", ".dict");
    wanted.extend(dictionaries.iter().map(|name| format!("{name}.dict")));
    let made = fs::read_dir(&out).unwrap();
    let made: Names = made
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(made, wanted);
}

#[test]
fn clusterfuzzlite_finds_what_its_files_name() {
    let project: Yaml = serde_yaml::from_str(&file(".clusterfuzzlite/project.yaml")).unwrap();
    assert_eq!(project["language"].as_str(), Some("rust"));
    let image = file(".clusterfuzzlite/Dockerfile");
    let copied = image.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copied: Vec<&str> = copied.filter_map(|words| words.split(' ').next()).collect();
    assert!(copied.contains(&".clusterfuzzlite/build.sh"), "{copied:?}");
    for path in copied {
        assert!(root().join(path).exists(), "the image copies {path}");
    }
}

#[test]
fn the_workflows_fuzz_pull_requests_and_by_night() {
    let mut modes = Names::new();
    for (name, event) in [
        ("cflite-pr", "pull_request"),
        ("cflite-batch", "schedule"),
        ("cflite-prune", "schedule"),
        ("cflite-coverage", "schedule"),
    ] {
        let text = file(&format!(".github/workflows/{name}.yml"));
        let workflow: Yaml = serde_yaml::from_str(&text).unwrap();
        let events = &workflow["on"];
        assert!(events.get(event).is_some(), "{name} runs on {events:?}");
        if event == "schedule" {
            let cron = events[event][0]["cron"].as_str().unwrap();
            assert_eq!(cron.split(' ').count(), 5, "{name}: {cron}");
        }
        let jobs = workflow["jobs"].as_mapping().unwrap();
        for job in jobs.values() {
            let steps = job["steps"].as_sequence().unwrap();
            let uses = |action: &str| {
                let action = format!("google/clusterfuzzlite/actions/{action}@v1");
                let step = steps
                    .iter()
                    .find(|step| step["uses"].as_str() == Some(&action));
                step.unwrap_or_else(|| panic!("{name} does not use {action}"))
            };
            let (build, run) = (&uses("build_fuzzers")["with"], &uses("run_fuzzers")["with"]);
            assert_eq!(build["language"].as_str(), Some("rust"), "{name}");
            assert_eq!(build["sanitizer"], run["sanitizer"], "{name}");
            let mode = run["mode"].as_str().unwrap();
            assert_eq!(
                mode == "coverage",
                run["sanitizer"].as_str() == Some("coverage")
            );
            assert!(run["fuzz-seconds"].as_u64().is_some(), "{name}");
            modes.insert(mode.to_owned());
        }
    }
    let all = ["batch", "code-change", "coverage", "prune"].map(ToOwned::to_owned);
    assert_eq!(modes, Names::from(all));
}
