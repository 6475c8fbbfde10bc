//! The words of scenarios in the OpenAPI document: they are defined elsewhere, and only referred to here.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Schema},
};
use veschub_hub::{fault::FaultEntry, quirk::QuirkEntry};
use veschub_scenario::schema::Device;

/// Makes types that stand for words of scenarios.
macro_rules! words {
    ($($(#[doc = $about:literal])+ $name:ident = $words:ty,)+) => {
        $(
            $(#[doc = $about])+
            pub(super) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let name = <$words as JsonSchema>::schema_name();
                    RefOr::Ref(Ref::from_schema_name(name))
                }
            }

            impl ToSchema for $name {}
        )+

        /// All of them, and what they are made of, by their names.
        pub(super) fn schemas() -> Vec<(String, Value)> {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            });
            let mut generator = settings.into_generator();
            $( generator.subschema_for::<$words>(); )+
            generator.take_definitions(true).into_iter().collect()
        }
    };
}

words! {
    /// An entry of `devices`.
    DeviceWords = Device,
    /// An entry of `faults`.
    FaultWords = FaultEntry,
    /// An entry of `quirks`.
    QuirkWords = QuirkEntry,
}
