use std::{fs, sync::Arc};

use super::*;
use crate::{Loaded, files::memory::Memory, schema};

const DEVICE: &str = "version: 1
devices:
  - express: { id: demo-0001, password: x, bms: { cells: 20, spread_mv: 8 } }
quirks:
  - session-reset: { max_gap: 250ms }
";

fn set(settings: &[&str]) -> Result<Loaded, ScenarioError> {
    let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
    Loaded::parse_with("demo.yaml", DEVICE, &settings)
}

fn express(loaded: &Loaded) -> &schema::Express {
    match &loaded.scenario.devices[0] {
        schema::Device::Express(express) => express,
        _ => panic!("no Express"),
    }
}

fn cells(loaded: &Loaded) -> Option<usize> {
    express(loaded).bms.as_ref()?.cells
}

fn refused(settings: &[&str]) -> String {
    let Err(error) = set(settings) else {
        panic!("accepted: {settings:?}");
    };
    error.to_string()
}

#[test]
fn a_set_value_takes_the_place_of_the_written_one() {
    let loaded = set(&[
        "devices.0.express.bms.cells=12",
        "quirks.0.session-reset.max_gap=1s",
    ])
    .unwrap();
    assert_eq!(cells(&loaded), Some(12));
    let schema::QuirkEntry::SessionReset(quirk) = &loaded.scenario.quirks[0] else {
        panic!("another quirk");
    };
    assert_eq!(quirk.max_gap.to_string(), "1s");
    assert_eq!(express(&loaded).bms.as_ref().unwrap().spread_mv, Some(8.0));
}

#[test]
fn what_is_not_written_down_can_be_set_as_well() {
    let loaded = set(&[
        "hub.profile=ideal",
        "about=a set = sign",
        "devices.0.express.firmware='6.06'",
        "devices.1.express={ id: demo-0002, password: '12', bms: { cells: 4 } }",
        "expect.0.reply-to=FW_VERSION",
    ])
    .unwrap();
    assert_eq!(loaded.scenario.hub.profile, schema::HubProfile::Ideal);
    assert_eq!(loaded.scenario.about, "a set = sign");
    assert_eq!(loaded.scenario.devices.len(), 2);
    assert_eq!(loaded.scenario.expect.len(), 1);
}

#[test]
fn the_last_setting_of_a_value_wins() {
    let loaded = set(&[
        "devices.0.express.bms={ cells: 3 }",
        "devices.0.express.bms.cells=5",
    ])
    .unwrap();
    assert_eq!(cells(&loaded), Some(5));
    assert_eq!(express(&loaded).bms.as_ref().unwrap().spread_mv, None);
}

#[test]
fn a_setting_inside_a_repeated_value_leaves_the_other_one_alone() {
    let text = "version: 1
devices:
  - express: { id: demo-0001, password: x, bms: &pack { cells: 20 } }
  - express: { id: demo-0002, password: x, bms: *pack }
";
    let settings = ["devices.1.express.bms.cells=2".to_owned()];
    let loaded = Loaded::parse_with("demo.yaml", text, &settings).unwrap();
    assert_eq!(cells(&loaded), Some(20));
}

#[test]
fn a_mistake_in_a_setting_points_into_the_option() {
    insta::assert_snapshot!(refused(&["devices.0.express.bms.cells=soon"]), @r#"
    error[E006]: wrong type for `cells`: wanted a whole number, found the text "soon"
     --> --set devices.0.express.bms.cells:1:29
      |
    1 | devices.0.express.bms.cells=soon
      |                             ^^^^ wanted a whole number
    "#);
    insta::assert_snapshot!(refused(&["devices.0.express.bms.cells=51"]), @"
    error[E010]: 51 cells are too many: firmware holds up to 50
     --> --set devices.0.express.bms.cells:1:29
      |
    1 | devices.0.express.bms.cells=51
      |                             ^^
    ");
    insta::assert_snapshot!(refused(&["hub={profile: [a, }"]), @"
    error[E002]: not valid YAML: a value is missing, or a bracket is closed by one of the other kind
     --> --set hub:1:19
      |
    1 | hub={profile: [a, }
      |                   ^ here
      |
      = help: close every `[` with `]` and every `{` with `}`
    ");
}

#[test]
fn an_unknown_key_in_a_path_is_told_with_the_closest_one() {
    let drawn = refused(&["devices.0.express.bms.cels=12"]);
    assert!(
        drawn.starts_with("error[E003]: unknown key `cels` in `bms`"),
        "{drawn}"
    );
    assert!(drawn.contains("help: did you mean `cells`?"), "{drawn}");
    let drawn = refused(&["quirk.0.session-reset.max_gap=1s"]);
    assert!(drawn.contains("help: did you mean `quirks`?"), "{drawn}");
}

#[test]
fn a_path_that_leads_nowhere_says_where_it_ends() {
    for (setting, message) in [
        ("devices.2.express.id=x", "there is no item 2 in `devices`"),
        (
            "devices.express.id=x",
            "`devices` is a list, and `express` no number",
        ),
        (
            "devices.0.express.id.x=1",
            "there is nothing inside of `id`: it is a plain value",
        ),
        ("devices.0.express.id", "a `=` is missing"),
        (
            "devices..express=1",
            "the path has an empty step or a blank in it",
        ),
        ("=1", "the path has an empty step or a blank in it"),
        ("about=", "a value is missing"),
    ] {
        let drawn = refused(&[setting]);
        assert!(
            drawn.starts_with(&format!("error[E008]: {message}")),
            "{drawn}"
        );
        assert!(drawn.contains(&format!("1 | {setting}\n")), "{drawn}");
    }
}

#[test]
fn a_contradiction_between_file_and_setting_shows_both() {
    let drawn = refused(&["devices.0.express.bms.cell_voltages_v=[4.1]"]);
    insta::assert_snapshot!(drawn, @"
    error[E010]: `cells` and `cell_voltages_v` contradict each other
     --> demo.yaml:3:51
      |
    3 |   - express: { id: demo-0001, password: x, bms: { cells: 20, spread_mv: 8 } }
      |                                                   ^^^^^ says what the list says already
      |
     ::: --set devices.0.express.bms.cell_voltages_v:1:23
      |
    1 | devices.0.express.bms.cell_voltages_v=[4.1]
      |                       --------------- the list of all cells
      |
      = help: keep one of them

    error[E010]: `spread_mv` and `cell_voltages_v` contradict each other
     --> demo.yaml:3:62
      |
    3 |   - express: { id: demo-0001, password: x, bms: { cells: 20, spread_mv: 8 } }
      |                                                              ^^^^^^^^^ says what the list says already
      |
     ::: --set devices.0.express.bms.cell_voltages_v:1:23
      |
    1 | devices.0.express.bms.cell_voltages_v=[4.1]
      |                       --------------- the list of all cells
      |
      = help: keep one of them
    ");
}

/// What is bound after a text was taken apart and put together is what is bound from the text itself.
#[test]
fn a_composed_text_says_the_same_as_the_text_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut compared = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("include:") {
            continue;
        }
        let direct = Loaded::parse("direct.yaml", &text).unwrap();
        let about = serde_json::to_string(&direct.scenario.about).unwrap();
        let composed = Loaded::parse_with("set.yaml", &text, &[format!("about={about}")]).unwrap();
        let shown = |loaded: &Loaded| format!("{:?}", loaded.scenario);
        assert_eq!(shown(&composed), shown(&direct), "{}", path.display());
        compared += 1;
    }
    assert!(compared > 20);
}

#[test]
fn odd_scalars_survive_composition() {
    let odd = [
        "12",
        "'12'",
        "1e3",
        "\"a: b\"",
        "'#'",
        "~x",
        "null x",
        "\"\\n\\t\\\"\"",
        "yes",
        "0x1f",
        "é ü",
        "\"\\u0085 \\u2028\\ufeff\\x7f\\0\"",
        "'- a'",
        "a, b",
        "|-\n    two\n    lines",
        "on",
        "=",
        ".5",
        "1_000",
    ];
    for text in odd {
        let yaml = format!("{DEVICE}about: {text}\n");
        let direct = Loaded::parse("odd.yaml", &yaml).unwrap();
        let settings = ["hub.profile=reference".to_owned()];
        let composed = Loaded::parse_with("odd.yaml", &yaml, &settings).unwrap();
        assert_eq!(composed.scenario.about, direct.scenario.about, "{text}");
    }
}

struct Folder(Arc<Memory>);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        Self(Arc::new(Memory::of(files)))
    }

    fn open(&self) -> Result<Loaded, ScenarioError> {
        Loaded::open(self.0.clone(), Path::new("main.yaml"), &[])
    }

    fn refused(&self) -> String {
        let Err(error) = self.open() else {
            panic!("accepted");
        };
        error.to_string()
    }
}

const INCLUDED: &str = "version: 1
about: from below
devices:
  - express: { id: demo-0001, password: x, bms: { cells: 20 } }
hub: { profile: ideal, login_timeout: 3s }
client: { poll-bms: { every: 1s, for: 5s } }
quirks: [session-reset: { max_gap: 1s }]
";

#[test]
fn the_including_file_wins_and_mappings_are_merged() {
    let folder = Folder::of(&[
        ("common/pack.yaml", INCLUDED),
        (
            "main.yaml",
            "include: [common/pack.yaml]\nversion: 1\nhub: { login_timeout: 2s }\nquirks: []\n\
             client: { poll-bms: { every: 500ms, for: 5s } }\n",
        ),
    ]);
    let loaded = folder.open().unwrap();
    let scenario = &loaded.scenario;
    assert_eq!(cells(&loaded), Some(20));
    assert_eq!(scenario.about, "from below");
    assert_eq!(scenario.hub.profile, schema::HubProfile::Ideal);
    assert_eq!(scenario.hub.login_timeout.unwrap().to_string(), "2s");
    assert!(scenario.quirks.is_empty());
    let schema::Client::PollBms(poll) = &scenario.client else {
        panic!("another client");
    };
    assert_eq!(poll.every.to_string(), "500ms");
}

#[test]
fn another_task_replaces_the_included_one() {
    let folder = Folder::of(&[
        ("pack.yaml", INCLUDED),
        (
            "main.yaml",
            "version: 1\ninclude: [pack.yaml]\nclient: { read-bms: {} }\n",
        ),
    ]);
    let loaded = folder.open().unwrap();
    assert!(matches!(loaded.scenario.client, schema::Client::ReadBms(_)));
}

#[test]
fn of_two_included_files_the_later_one_wins_and_paths_start_at_each_file() {
    let folder = Folder::of(&[
        ("common/pack.yaml", INCLUDED),
        ("common/both.yaml", "include: [pack.yaml]\nabout: both\n"),
        ("other.yaml", "about: other\n"),
        (
            "main.yaml",
            "version: 1\ninclude: [common/both.yaml, other.yaml]\n",
        ),
    ]);
    let loaded = folder.open().unwrap();
    assert_eq!(loaded.scenario.about, "other");
    assert_eq!(loaded.scenario.include, ["common/both.yaml", "other.yaml"]);
    assert_eq!(cells(&loaded), Some(20));
}

#[test]
fn a_mistake_in_an_included_file_points_into_it() {
    let folder = Folder::of(&[
        (
            "common/pack.yaml",
            "devices:\n  - express: { id: demo-0001, pasword: x }\n",
        ),
        (
            "main.yaml",
            "version: 1\n# a line more\ninclude: [common/pack.yaml]\n",
        ),
    ]);
    let drawn: Vec<String> = folder
        .refused()
        .lines()
        .take(7)
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(drawn.join("\n"), @"
    error[E003]: unknown key `pasword` in `express`
     --> common/pack.yaml:2:31
      |
    2 |   - express: { id: demo-0001, pasword: x }
      |                               ^^^^^^^ not a key of `express`
      |
      = help: did you mean `password`?
    ");
}

#[test]
fn what_cannot_be_included_is_refused_where_it_is_named() {
    let main = ("main.yaml", "version: 1\ninclude: [part.yaml]\n");
    for (part, message) in [
        (None, "cannot include `part.yaml`: no such file"),
        (Some("- a list\n"), "`part.yaml` holds no mapping"),
        (
            Some("include: [main.yaml]\n"),
            "`main.yaml` includes itself",
        ),
        (
            Some("include: [part.yaml]\n"),
            "`part.yaml` includes itself",
        ),
        (
            Some("include: part.yaml\n"),
            "`include` wants a list of file names",
        ),
        (
            Some("include: [[part.yaml]]\n"),
            "`include` wants a list of file names",
        ),
    ] {
        let files: Vec<_> = [Some(main), part.map(|text| ("part.yaml", text))]
            .into_iter()
            .flatten()
            .collect();
        let drawn = Folder::of(&files).refused();
        assert!(
            drawn.starts_with(&format!("error[E009]: {message}")),
            "{drawn}"
        );
    }
}

#[test]
fn a_circle_is_refused_with_all_files_on_it() {
    let circle = |last: &str| {
        Folder::of(&[
            ("main.yaml", "version: 1\ninclude: [a.yaml]\n"),
            ("a.yaml", "include: [b.yaml]\n"),
            ("b.yaml", last),
        ])
    };
    // The first path leads out of the folder and to nothing.
    let folder = circle("include: [./../b.yaml, main.yaml]\n");
    assert!(folder.refused().contains("cannot include `./../b.yaml`"));
    let folder = circle("include: [./main.yaml]\n");
    insta::assert_snapshot!(folder.refused(), @"
    error[E009]: `./main.yaml` includes itself
     --> b.yaml:1:11
      |
    1 | include: [./main.yaml]
      |           ^^^^^^^^^^^ closes the circle
      |
      = help: the circle is main.yaml > a.yaml > b.yaml > main.yaml
    ");
}

#[test]
fn limits_count_for_all_files_together() {
    let mut files = vec![("main.yaml".to_owned(), "include: [0.yaml]\n".to_owned())];
    for n in 0..10 {
        files.push((format!("{n}.yaml"), format!("include: [{}.yaml]\n", n + 1)));
    }
    let borrowed = |files: &[(String, String)]| {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        Folder::of(&files).refused()
    };
    let drawn = borrowed(&files);
    assert!(drawn.contains("more than 8 deep"), "{drawn}");

    let half = format!("about: {}\n", "a".repeat(MAX_BYTES / 2));
    let drawn = borrowed(&[
        ("main.yaml".to_owned(), format!("include: [a.yaml]\n{half}")),
        ("a.yaml".to_owned(), half),
    ]);
    assert!(
        drawn.starts_with("error[E007]: all files together are too large"),
        "{drawn}"
    );

    let many = vec!["a.yaml"; 100].join(", ");
    let drawn = borrowed(&[
        ("main.yaml".to_owned(), format!("include: [{many}]\n")),
        ("a.yaml".to_owned(), "version: 1\n".to_owned()),
    ]);
    assert!(drawn.contains("more than 64 files are included"), "{drawn}");

    let bomb = |n: usize| {
        let items = vec!["*a"; 60_000 / 2].join(", ");
        format!("k{n}: [&a [x], {items}]\n")
    };
    let drawn = borrowed(&[
        (
            "main.yaml".to_owned(),
            format!("include: [a.yaml]\n{}", bomb(1)),
        ),
        ("a.yaml".to_owned(), bomb(2)),
    ]);
    assert!(
        drawn.starts_with("error[E007]: aliases repeat too much"),
        "{drawn}"
    );
}

#[test]
fn a_path_as_deep_as_a_well_is_refused() {
    let setting = format!("{}=1", vec!["a"; 10_000].join("."));
    assert!(refused(&[&setting]).starts_with("error[E007]: nested too deeply"));
}
