//! A device that is a node as on a CAN bus, with what a device on a link has besides: both in one mapping.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::OnceLock};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};
use veschub_hub::device::{bms_node::BmsNodeSettings, motor::MotorSettings};

use super::{CanNode, Carriage, PrintAt, ScriptedReply, TerminalAnswer};
use crate::duration::Duration;

/// A motor controller or a BMS that is a device of its own: the keys that it has as a node on a CAN bus, and those of
/// its link.
#[derive(Clone, Debug)]
pub struct Alone<S> {
    /// What it is like.
    pub node: S,
    /// How it is reached, and what else it says.
    pub link: LinkKeys,
}

/// How a device is reached, and what a scenario makes it say.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct LinkKeys {
    /// The id that tools log in with at a hub; with `count`, one with `{n}` in it. Without id and password, there is no
    /// hub, and a client is connected to the device directly.
    #[serde(default)]
    pub id: Option<String>,
    /// The password that tools log in with at a hub.
    #[serde(default)]
    pub password: Option<String>,
    /// How many of them there are, numbered from 1.
    #[serde(default)]
    pub count: Option<usize>,
    /// The time from a request's arrival to the reply's departure; `55ms` at a hub and `5ms` without one, unless given.
    #[serde(default)]
    pub reply_after: Option<Duration>,
    /// What carries its bytes, where that cuts them into pieces: Bluetooth, USB or datagrams.
    #[serde(default)]
    pub link: Option<Carriage>,
    /// The other nodes on its CAN bus.
    #[serde(default)]
    pub can: Vec<CanNode>,
    /// Replies that are sent instead of the built-in ones, chosen by the bytes of the request.
    #[serde(default)]
    pub replies: Vec<ScriptedReply>,
    /// What the device prints when a tool sends a terminal command.
    #[serde(default)]
    pub terminal: Vec<TerminalAnswer>,
    /// Texts that the device prints without being asked.
    #[serde(default)]
    pub prints: Vec<PrintAt>,
}

/// The keys of [`LinkKeys`].
const LINK_KEYS: [&str; 9] = [
    "id",
    "password",
    "count",
    "reply_after",
    "link",
    "can",
    "replies",
    "terminal",
    "prints",
];

impl LinkKeys {
    /// Reads the value of one of the keys.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = map.next_value()?,
            "password" => self.password = map.next_value()?,
            "count" => self.count = map.next_value()?,
            "reply_after" => self.reply_after = map.next_value()?,
            "link" => self.link = map.next_value()?,
            "can" => self.can = map.next_value()?,
            "replies" => self.replies = map.next_value()?,
            "terminal" => self.terminal = map.next_value()?,
            _ => self.prints = map.next_value()?,
        }
        Ok(())
    }
}

/// Settings of a node that can be a device of its own.
pub trait CanBeAlone {
    /// The keys of the settings, `own`, and those of the link.
    fn keys(own: &'static [&'static str]) -> &'static [&'static str];
}

macro_rules! can_be_alone {
    ($($settings:ty),+) => {$(
        impl CanBeAlone for $settings {
            fn keys(own: &'static [&'static str]) -> &'static [&'static str] {
                static KEYS: OnceLock<Vec<&str>> = OnceLock::new();
                KEYS.get_or_init(|| [own, &LINK_KEYS].concat())
            }
        }
    )+};
}

can_be_alone!(MotorSettings, BmsNodeSettings);

impl<'de, S: Deserialize<'de> + CanBeAlone> Deserialize<'de> for Alone<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Whole(PhantomData))
    }
}

/// Reads the whole mapping.
struct Whole<S>(PhantomData<S>);

impl<'de, S: Deserialize<'de> + CanBeAlone> Visitor<'de> for Whole<S> {
    type Value = Alone<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Alone<S>, A::Error> {
        let mut link = LinkKeys::default();
        let split = Split {
            map,
            link: &mut link,
            own: &[],
            all: S::keys,
        };
        let node = S::deserialize(split)?;
        Ok(Alone { node, link })
    }
}

/// The mapping as the node's settings see it. The keys of the link are read on the way.
struct Split<'a, A> {
    map: A,
    link: &'a mut LinkKeys,
    /// The keys of the node's settings.
    own: &'static [&'static str],
    /// These and those of the link, for a key that is neither.
    all: fn(&'static [&'static str]) -> &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Split<'_, A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        own: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.own = own;
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Split<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            let key = Key {
                seed: &mut seed,
                own: self.own,
                all: self.all,
            };
            match self.map.next_key_seed(key)? {
                None => return Ok(None),
                Some(Ok(key)) => return Ok(Some(key)),
                Some(Err(of_link)) => self.link.take(of_link, &mut self.map)?,
            }
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A key: one of the node's, or one of the link's by its name.
struct Key<'a, K> {
    seed: &'a mut Option<K>,
    own: &'static [&'static str],
    all: fn(&'static [&'static str]) -> &'static [&'static str],
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, K> {
    type Value = Result<K::Value, &'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Key<'_, K> {
    type Value = Result<K::Value, &'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        if let Some(of_link) = LINK_KEYS.iter().find(|&&of_link| of_link == key) {
            return Ok(Err(of_link));
        }
        match self.seed.take() {
            Some(seed) if self.own.contains(&key) => {
                let key: StrDeserializer<'_, E> = key.into_deserializer();
                seed.deserialize(key).map(Ok)
            }
            _ => Err(E::unknown_field(key, (self.all)(self.own))),
        }
    }
}

impl<S: JsonSchema> JsonSchema for Alone<S> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Alone", S::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = S::json_schema(generator);
        let link = LinkKeys::json_schema(generator);
        let keys = |schema: &Schema| {
            schema
                .get("properties")
                .and_then(|keys| keys.as_object().cloned())
        };
        let mut all = keys(&schema).unwrap_or_default();
        all.extend(keys(&link).unwrap_or_default());
        schema.insert("properties".to_owned(), all.into());
        let about = "A device of its own: the keys that it has as a node on a CAN bus, and those of its link.";
        schema.insert("description".to_owned(), about.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_the_link_are_those_that_are_read() {
        let schema = schemars::schema_for!(LinkKeys);
        let keys = schema.get("properties").unwrap().as_object().unwrap();
        let mut keys: Vec<&str> = keys.keys().map(String::as_str).collect();
        let mut listed = LINK_KEYS.to_vec();
        keys.sort_unstable();
        listed.sort_unstable();
        assert_eq!(keys, listed);
    }
}
