//! What there is to break, for whoever offers it.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use veschub_hub::{
    fault::{self, FaultEntry, Harm},
    quirk::{self, QuirkEntry, Shown},
};

/// The faults and quirks that there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Catalogue {
    /// What `POST /v1/faults` takes.
    faults: Vec<FaultKind>,
    /// What `PUT /v1/devices/{id}/quirks/{name}` takes.
    quirks: Vec<QuirkKind>,
}

/// A kind of fault.
#[derive(Serialize, ToSchema)]
pub(crate) struct FaultKind {
    /// Its name.
    #[schema(example = "delay")]
    name: &'static str,
    /// What it does, in a sentence.
    about: &'static str,
    /// What becomes of the bytes: `late`, `lost`, `silence` or `disorder`.
    harm: &'static str,
    /// Its parameters, besides `direction` and `when`, which all have.
    parameters: Vec<ParameterKind>,
    /// One entry of a scenario's `faults`, in YAML.
    example: &'static str,
    /// All of its parameters as a JSON Schema.
    #[schema(value_type = Object)]
    schema: Value,
}

/// A kind of quirk.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuirkKind {
    /// Its name.
    #[schema(example = "session-reset")]
    name: &'static str,
    /// What it does, in a sentence.
    about: &'static str,
    /// How well it is known to be real: `source`, `measured` or `inferred`.
    provenance: String,
    /// Where it was seen.
    seen: &'static str,
    /// Its parameters with what stands for them if they are not given, in YAML.
    defaults: &'static str,
    /// The scenario or the test that shows it.
    shown_by: String,
    /// All of its parameters as a JSON Schema.
    #[schema(value_type = Object)]
    schema: Value,
}

/// A parameter.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParameterKind {
    /// Its key.
    key: &'static str,
    /// What it says.
    about: &'static str,
}

/// What there is to break
///
/// All faults and quirks with their parameters, what is known of them, and an example.
#[utoipa::path(get, path = "/v1/catalogue", tag = "faults and quirks",
    responses((status = 200, body = Catalogue)))]
pub(crate) async fn catalogue() -> Response {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string(&list()).unwrap_or_default());
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, TEXT.as_str()).into_response()
}

fn list() -> Catalogue {
    let (faults, quirks) = (schema_of::<FaultEntry>(), schema_of::<QuirkEntry>());
    Catalogue {
        faults: fault::catalogue()
            .iter()
            .map(|info| FaultKind {
                name: info.name,
                about: info.about,
                harm: match info.harm {
                    Harm::Late => "late",
                    Harm::Lost | Harm::Broken => "lost",
                    Harm::Silence => "silence",
                    Harm::Disorder => "disorder",
                },
                parameters: info
                    .parameters
                    .iter()
                    .map(|one| ParameterKind {
                        key: one.key,
                        about: one.about,
                    })
                    .collect(),
                example: info.example,
                schema: parameters(&faults, info.name),
            })
            .collect(),
        quirks: quirk::catalogue()
            .iter()
            .map(|info| QuirkKind {
                name: info.name,
                about: info.about,
                provenance: info.provenance.to_string(),
                seen: info.seen,
                defaults: info.parameters,
                shown_by: match info.shown_by {
                    Shown::Scenario(name) => format!("scenarios/{name}.yaml"),
                    Shown::Test(name) => name.to_owned(),
                },
                schema: parameters(&quirks, info.name),
            })
            .collect(),
    }
}

/// The words of the scenario language for one of these, with everything in place.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The schema of the parameters of one kind, among those of all.
fn parameters(all: &Value, name: &str) -> Value {
    let choices = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| all[*key].as_array());
    let mut parameters = choices
        .flatten()
        .filter_map(|choice| choice["properties"].get(name));
    parameters.next().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_and_quirk_has_a_schema_of_its_parameters() {
        let list = list();
        assert!(list.faults.len() >= 10 && list.quirks.len() >= 3);
        for fault in &list.faults {
            let known = &fault.schema["properties"];
            assert!(
                known["when"].is_object(),
                "{}: {}",
                fault.name,
                fault.schema
            );
            for parameter in &fault.parameters {
                assert!(known[parameter.key].is_object(), "{}", parameter.key);
            }
        }
        for quirk in &list.quirks {
            assert!(quirk.schema.is_object(), "{}", quirk.name);
        }
    }
}
