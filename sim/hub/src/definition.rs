//! How a fault or a quirk defines its parameters: once, with their documentation, for the code and for people.

/// A parameter, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in a scenario.
    pub key: &'static str,
    /// What it says, in a sentence.
    pub about: &'static str,
}

/// What the documentation of a definition says.
pub trait Described {
    /// What it does.
    const ABOUT: &'static str;
    /// Its parameters in their order.
    const PARAMETERS: &'static [Parameter];
}

/// The parameters as a scenario writes them, without those that it leaves out.
pub(crate) fn written(definition: &impl serde::Serialize) -> serde_json::Value {
    let mut value = serde_json::to_value(definition).unwrap_or_default();
    drop_nulls(&mut value);
    value
}

fn drop_nulls(value: &mut serde_json::Value) {
    if let serde_json::Value::Object(map) = value {
        map.retain(|_, value| !value.is_null());
        map.values_mut().for_each(drop_nulls);
    }
}

/// The key of a field whose name is a word of Rust: `r#for` is `for`.
pub(crate) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Makes a struct of parameters that serde reads and, with the feature `schema`, schemars describes; `state` are
/// fields that no scenario sees. `with` takes the parameters in their order. The documentation is kept for
/// [`Described`].
macro_rules! definition {
    (
        common { $( $(#[$($meta:tt)+])+ pub $shared:ident: $shared_type:ty, )* }
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $(#[serde($($serde:tt)+)])? $key:ident: $type:ty, )*
        }
        $( state { $( $(#[doc = $note:literal])* $state:ident: $state_type:ty, )* } )?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[$($meta)+])+ pub $shared: $shared_type, )*
            $( $(#[doc = $doc])+ $(#[serde($($serde)+)])? pub $key: $type, )*
            $( $( $(#[doc = $note])* #[serde(skip)] $state: $state_type, )* )?
        }

        impl $name {
            /// With these parameters, and before anything has happened.
            #[must_use]
            pub fn with($( $key: $type ),*) -> Self {
                Self {
                    $( $shared: Default::default(), )*
                    $( $key, )*
                    $( $( $state: Default::default(), )* )?
                }
            }
        }

        impl $crate::definition::Described for $name {
            const ABOUT: &'static str = concat!($($about),+).trim_ascii();
            const PARAMETERS: &'static [$crate::Parameter] = &[
                $( $crate::Parameter {
                    key: $crate::definition::plain(stringify!($key)),
                    about: concat!($($doc),+).trim_ascii(),
                }, )*
            ];
        }
    };
}

pub(crate) use definition;
