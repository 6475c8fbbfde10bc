//! The GitHub Action and the workflows that show its use: their shape, and that what they run does run.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_yaml::Value;
use tempfile::TempDir;

/// Whether to run what takes a while; says so loudly if not.
fn is_wanted() -> bool {
    let wanted = std::env::var_os("VESCHUB_THOROUGH").is_some();
    if !wanted {
        eprintln!("SKIPPED: set VESCHUB_THOROUGH to run what the examples run");
    }
    wanted
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("action")
}

fn yaml(file: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn keys(mapping: &Value) -> BTreeSet<String> {
    let keys = mapping.as_mapping().unwrap().keys();
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn assert_only(mapping: &Value, allowed: &[&str]) {
    for key in keys(mapping) {
        assert!(
            allowed.contains(&key.as_str()),
            "`{key}` is none of {allowed:?}"
        );
    }
}

/// All words of a text that start with this.
fn words<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let parts = text.split(start).skip(1);
    parts
        .map(|rest| rest.split(|c| !is_part(c)).next().unwrap())
        .collect()
}

/// Both programs, found on PATH as in a job.
fn programs() -> PathBuf {
    let harness = PathBuf::from(env!("CARGO_BIN_EXE_veschub-harness"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // A test of one package does not build another's programs.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "veschub-sim"])
        .current_dir(root)
        .status();
    assert!(built.unwrap().success());
    harness.parent().unwrap().to_owned()
}

// The script

struct Step {
    code: Option<i32>,
    log: String,
    outputs: String,
    summary: String,
    folder: TempDir,
}

/// The script as a runner starts it, in an empty folder.
fn step(orders: &[(&str, &str)]) -> Step {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let harness = PathBuf::from(env!("CARGO_BIN_EXE_veschub-harness"));
    fs::write(path("summary"), "what an earlier step said\n").unwrap();
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!(
            "exec 2>&1; bash '{}'",
            here().join("run.sh").display()
        ))
        .current_dir(folder.path())
        .env("GITHUB_STEP_SUMMARY", path("summary"))
        .env("GITHUB_OUTPUT", path("outputs"))
        .env("VESCHUB_PATH", harness.parent().unwrap())
        .envs(orders.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let read = |name| fs::read_to_string(path(name)).unwrap_or_default();
    Step {
        code: output.status.code(),
        log: String::from_utf8(output.stdout).unwrap(),
        outputs: read("outputs"),
        summary: read("summary"),
        folder,
    }
}

#[test]
fn a_step_that_passes_writes_all_files_and_its_outputs() {
    let step = step(&[
        ("VESCHUB_SECTIONS", " 1/1  5/17"),
        ("VESCHUB_REPORTS", "my reports"),
    ]);
    assert_eq!(step.code, Some(0), "{}", step.log);
    assert_eq!(
        step.outputs,
        "exit-code=0\nhtml=my reports/report.html\njunit=my reports/junit.xml\njson=my reports/report.json\n"
    );
    for name in ["report.html", "junit.xml", "report.json", "summary.md"] {
        assert!(
            step.folder.path().join("my reports").join(name).exists(),
            "{name}"
        );
    }
    assert!(
        step.summary
            .starts_with("what an earlier step said\n## ✅ Conformance")
    );
    assert!(step.log.contains(
        "::notice title=Conformance of the reference client::every case that counts passed"
    ));
    assert!(step.log.contains("2 passed, 0 failed"), "{}", step.log);
}

#[test]
fn a_step_that_fails_says_so_in_code_log_and_summary_and_a_client_cannot_give_orders() {
    let harness = env!("CARGO_BIN_EXE_veschub-harness");
    let client = format!(
        "sh -c 'echo ::error::mine >&2; echo ::add-mask::5 >&2; exec {harness} client --defect unsigned-temperatures'"
    );
    let step = step(&[
        ("VESCHUB_CLIENT", client.as_str()),
        ("VESCHUB_SECTIONS", "5/17"),
    ]);
    assert_eq!(step.code, Some(1), "{}", step.log);
    assert!(step.outputs.starts_with("exit-code=1\n"));
    assert!(step.summary.contains("## ❌ Conformance") && step.summary.contains("<b>5/17</b>"));
    // What comes between the two is only text for the runner.
    let token = step
        .log
        .split("::stop-commands::")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    assert_eq!(token.len(), 32);
    let (told, after) = step.log.split_once(&format!("\n::{token}::\n")).unwrap();
    assert!(
        told.contains("::error::mine")
            && !after
                .lines()
                .any(|line| line.trim().starts_with("::error::mine")),
        "{}",
        step.log
    );
    let errors: Vec<&str> = after
        .lines()
        .filter(|line| line.starts_with("::error"))
        .collect();
    assert_eq!(errors.len(), 1, "{after}");
    assert!(errors[0].starts_with("::error title=5/17 "));
}

#[test]
fn a_step_that_judges_nothing_does_not_pass() {
    let step = step(&[
        ("VESCHUB_CLIENT", "sh -c 'exit 77'"),
        ("VESCHUB_SECTIONS", "1/1"),
    ]);
    assert_eq!(step.code, Some(3), "{}", step.log);
    assert!(step.summary.contains("no case was judged"));
}

#[test]
fn a_step_that_cannot_run_ends_with_2_and_a_reason() {
    for (name, value, reason) in [
        ("VESCHUB_PATH", "/no/such/folder", "set the input path"),
        (
            "VESCHUB_VERSION",
            "v99.0",
            "the input version asks for 99.0, but ",
        ),
        (
            "VESCHUB_STRICT",
            "yes",
            "the input strict must be true or false, not 'yes'",
        ),
        (
            "VESCHUB_SECTIONS",
            "*",
            "the battery could not be run, exit code 2",
        ),
        (
            "VESCHUB_SECTIONS",
            "--help",
            "the battery could not be run, exit code 2",
        ),
        (
            "VESCHUB_SHARD",
            "5/4",
            "the battery could not be run, exit code 2",
        ),
        (
            "VESCHUB_KNOWN_DEFECTS",
            "none.toml",
            "the battery could not be run, exit code 2",
        ),
    ] {
        let step = step(&[("VESCHUB_SECTIONS", "1/1"), (name, value)]);
        assert_eq!(step.code, Some(2), "{name}={value}: {}", step.log);
        assert!(step.log.contains(reason), "{name}={value}: {}", step.log);
        assert_eq!(step.outputs, "", "{name}={value}");
    }
}

// The action

/// The shape that the service wants of a composite action.
#[test]
fn the_action_has_the_shape_of_a_composite_action() {
    let action = yaml(&here().join("action.yml"));
    assert_only(
        &action,
        &[
            "name",
            "description",
            "author",
            "branding",
            "inputs",
            "outputs",
            "runs",
        ],
    );
    for key in ["name", "description", "author"] {
        assert!(action[key].is_string(), "{key}");
    }
    assert_only(&action["branding"], &["icon", "color"]);
    let colours = [
        "white",
        "black",
        "yellow",
        "blue",
        "green",
        "orange",
        "red",
        "purple",
        "gray-dark",
    ];
    assert!(colours.contains(&action["branding"]["color"].as_str().unwrap()));
    for name in keys(&action["inputs"]) {
        let input = &action["inputs"][name.as_str()];
        assert_only(
            input,
            &["description", "required", "default", "deprecationMessage"],
        );
        assert!(
            input["description"].is_string() && input["required"].is_bool(),
            "{name}"
        );
        assert!(
            input["default"].is_string(),
            "the default of {name} is a string, as all inputs are"
        );
    }
    for name in keys(&action["outputs"]) {
        let output = &action["outputs"][name.as_str()];
        assert_only(output, &["description", "value"]);
        assert!(
            output["description"].is_string() && output["value"].is_string(),
            "{name}"
        );
    }
    assert_only(&action["runs"], &["using", "steps"]);
    assert_eq!(action["runs"]["using"], "composite");
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        assert_only(
            step,
            &[
                "id",
                "name",
                "if",
                "shell",
                "env",
                "run",
                "working-directory",
                "continue-on-error",
            ],
        );
        // In a composite action, a step that runs something has to name its shell.
        assert!(step["shell"].is_string() && step["run"].is_string());
        assert!(
            !step["run"].as_str().unwrap().contains("${{"),
            "an expression in a script can be an injection"
        );
    }
}

#[test]
fn the_action_and_its_script_speak_of_the_same_things() {
    let file = fs::read_to_string(here().join("action.yml")).unwrap();
    let script = fs::read_to_string(here().join("run.sh")).unwrap();
    let action = yaml(&here().join("action.yml"));
    let step = &action["runs"]["steps"][0];
    let declared = keys(&action["inputs"]);
    let used: BTreeSet<String> = words(&file, "inputs.")
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(declared, used);
    let given = keys(&step["env"]);
    let read = words(&script, "${VESCHUB_")
        .into_iter()
        .map(|name| format!("VESCHUB_{name}"));
    assert_eq!(
        given,
        read.map(|name| name.split('-').next().unwrap().to_owned())
            .filter(|name| given.contains(name))
            .collect()
    );
    let id = step["id"].as_str().unwrap();
    for name in keys(&action["outputs"]) {
        let value = format!("${{{{ steps.{id}.outputs.{name} }}}}");
        assert_eq!(
            action["outputs"][name.as_str()]["value"].as_str().unwrap(),
            value
        );
        assert!(script.contains(&format!("\"{name}=$")), "{name} is written");
    }
    assert!(
        step["run"]
            .as_str()
            .unwrap()
            .contains("$GITHUB_ACTION_PATH/run.sh")
    );
}

// The examples

/// A job's folder: a client, and the checkout beside it with one scenario in place of all.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap();
    let checkout = folder.path().join("veschub-sim");
    fs::create_dir_all(checkout.join("scenarios")).unwrap();
    for name in ["captures", "harness"] {
        symlink(root.join(name), checkout.join(name)).unwrap();
    }
    let scenario = "scenarios/pack-of-20-cells.yaml";
    symlink(root.join(scenario), checkout.join(scenario)).unwrap();
    fs::create_dir_all(checkout.join("target")).unwrap();
    symlink(programs(), checkout.join("target/release")).unwrap();
    // The client is the one that the page for authors shows.
    let page = fs::read_to_string(root.join("docs/clients.md")).unwrap();
    let client = page
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    fs::write(folder.path().join("my_client.py"), client).unwrap();
    folder
}

fn shell(folder: &Path, script: &str) -> (bool, String) {
    let path = format!(
        "{}:{}",
        programs().display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new("bash")
        // As a runner does it.
        .args(["-e", "-o", "pipefail", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("GITHUB_WORKSPACE", folder)
        .env("GITHUB_PATH", folder.join("path"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn jobs(workflow: &Value) -> Vec<&Value> {
    workflow["jobs"].as_mapping().unwrap().values().collect()
}

fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = jobs(workflow).into_iter();
    jobs.flat_map(|job| job["steps"].as_sequence().unwrap())
        .collect()
}

const EXAMPLES: [&str; 3] = ["regression.yml", "conformance.yml", "replay.yml"];

#[test]
fn the_examples_have_the_shape_of_workflows_and_use_the_action_as_it_is() {
    let inputs = keys(&yaml(&here().join("action.yml"))["inputs"]);
    let mut uses = 0;
    for name in EXAMPLES {
        let workflow = yaml(&here().join("examples").join(name));
        assert_only(&workflow, &["name", "on", "permissions", "jobs"]);
        assert_eq!(workflow["permissions"]["contents"], "read", "{name}");
        for job in jobs(&workflow) {
            assert_only(
                job,
                &[
                    "runs-on",
                    "timeout-minutes",
                    "strategy",
                    "steps",
                    "if",
                    "needs",
                ],
            );
            assert!(job["runs-on"].is_string(), "{name}");
        }
        for step in steps(&workflow) {
            assert_only(
                step,
                &["name", "uses", "with", "run", "working-directory", "if"],
            );
            assert_ne!(
                step.get("uses").is_some(),
                step.get("run").is_some(),
                "{name}: {step:?}"
            );
            match step.get("uses").and_then(Value::as_str) {
                Some("./veschub-sim/harness/action") => {
                    uses += 1;
                    assert!(keys(&step["with"]).is_subset(&inputs), "{name}");
                }
                Some(other) => assert!(
                    other.starts_with("actions/") && other.contains('@'),
                    "{other}"
                ),
                None => {}
            }
        }
    }
    let found = fs::read_dir(here().join("examples")).unwrap().count();
    assert_eq!((uses, found), (1, EXAMPLES.len()));
}

/// Every script of every example is run, but for building the programs, which are there.
#[test]
fn what_the_examples_run_does_run() {
    if !is_wanted() {
        return;
    }
    let folder = workspace();
    let folder = folder.path();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for shard in 1..=3 {
        let reports = folder.join(format!("conformance-{shard}"));
        fs::create_dir(&reports).unwrap();
        let run = format!(
            "veschub-harness conformance --json --shard {shard}/3 1 > '{}/report.json'",
            reports.display()
        );
        let (passed, said) = shell(folder, &run);
        assert!(passed, "{said}");
    }
    let mut count = 0;
    for name in EXAMPLES {
        let workflow = yaml(&here().join("examples").join(name));
        for script in steps(&workflow)
            .into_iter()
            .filter_map(|step| step.get("run"))
        {
            let script = script.as_str().unwrap();
            assert!(
                !script.contains("${{"),
                "an expression in a script can be an injection: {script}"
            );
            if script.starts_with("cargo build ") {
                continue;
            }
            // A job's processes end with it.
            let here = script.replace("127.0.0.1:65101", &format!("127.0.0.1:{free}"));
            let here = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{here}");
            let (passed, said) = shell(folder, &here);
            assert!(passed, "{name}: {script}\n{said}");
            count += 1;
        }
    }
    assert!(count >= 7, "{count}");
    assert!(folder.join("report.html").exists());
}

/// The action of the example, as the runner would start it, with the client of the example and one case.
#[test]
fn the_conformance_example_judges_its_client() {
    if !is_wanted() {
        return;
    }
    let folder = workspace();
    let folder = folder.path();
    let workflow = yaml(&here().join("examples/conformance.yml"));
    let steps = steps(&workflow);
    let with = steps
        .iter()
        .find_map(|step| step.get("with").filter(|with| with.get("client").is_some()))
        .unwrap();
    let mut orders = "export VESCHUB_SECTIONS=1/1".to_owned();
    for (name, value) in with.as_mapping().unwrap() {
        let name = name.as_str().unwrap().to_uppercase().replace('-', "_");
        let value = value
            .as_str()
            .unwrap()
            .replace("${{ matrix.shard }}/3", "1/1")
            .replace("${{ matrix.shard }}", "1");
        orders.push_str(&format!(" VESCHUB_{name}='{value}'"));
    }
    let (passed, said) = shell(
        folder,
        &format!("{orders}\nbash veschub-sim/harness/action/run.sh"),
    );
    assert!(passed, "{said}");
    assert!(said.contains("1 passed, 0 failed"), "{said}");
    assert!(folder.join("conformance-1/report.html").exists());
}

// The container

#[test]
fn the_container_recipe_is_built_in_two_stages_and_runs_as_nobody() {
    let recipe = fs::read_to_string(here().join("Containerfile")).unwrap();
    let lines: Vec<&str> = recipe
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let stages: Vec<&&str> = lines
        .iter()
        .filter(|line| line.starts_with("FROM "))
        .collect();
    assert_eq!(stages.len(), 2);
    assert!(stages[0].ends_with(" AS build"));
    let last = lines
        .iter()
        .rposition(|line| line.starts_with("FROM "))
        .unwrap();
    let at = |start: &str| {
        lines
            .iter()
            .rposition(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    assert!(at("USER 10001") > last && at("ENTRYPOINT [\"veschub-harness\"]") > at("USER"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for line in lines.iter().filter(|line| line.starts_with("COPY ")) {
        let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
        words.pop();
        if words[0] == "--from=build" {
            let programs = [
                "/src/target/release/veschub-sim",
                "/src/target/release/veschub-harness",
            ];
            assert_eq!(words[1..], programs);
        } else {
            assert!(words.iter().all(|word| root.join(word).exists()), "{line}");
        }
    }
}
