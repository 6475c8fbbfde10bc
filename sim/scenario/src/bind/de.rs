//! serde's view of a tree: what a type asks for, and what is there.
//!
//! A kind (an enum) is a plain name, or a mapping with one key, its name. A value that is left empty is an empty list
//! or mapping where one of these is wanted.

use std::{collections::HashSet, slice};

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    failure::{Failure, Needs, Problem, Wanted},
    scalar::{self, Scalar},
};
use crate::source::{Entry, Kind, Node, NodeId, Step, Tree};

type Result<T> = std::result::Result<T, Failure>;

/// A document, without the values that were left out because they cannot be bound.
#[derive(Clone, Copy)]
pub(super) struct Document<'de> {
    pub(super) tree: &'de Tree,
    pub(super) dropped: &'de HashSet<NodeId>,
}

/// One value of a document.
#[derive(Clone, Copy)]
pub(super) struct Value<'de> {
    document: Document<'de>,
    node: &'de Node,
    /// Whether it may be left out, so that one without any text is a slip.
    optional: bool,
}

/// What a kind without parameters is tried with.
static EMPTY: Node = Node {
    span: 0..0,
    kind: Kind::Mapping(Vec::new()),
    plain: false,
    size: 1,
    height: 1,
};

impl<'de> Document<'de> {
    pub(super) fn root(self) -> Value<'de> {
        self.value(self.tree.root())
    }

    fn child(self, id: NodeId) -> Value<'de> {
        self.value(self.tree.resolved(id))
    }

    fn value(self, node: Option<&'de Node>) -> Value<'de> {
        Value {
            document: self,
            node: node.unwrap_or(&EMPTY),
            optional: false,
        }
    }
}

impl<'de> Value<'de> {
    fn scalar(&self) -> Option<Scalar<'de>> {
        match &self.node.kind {
            Kind::Scalar(text) => Some(Scalar::of(text, self.node.plain)),
            _ => None,
        }
    }

    /// The text of a scalar, whatever it stands for.
    fn text(&self) -> Option<&'de str> {
        match &self.node.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// Whether nothing at all is written.
    fn is_empty(&self) -> bool {
        self.node.plain && self.text() == Some("")
    }

    fn items<V: Visitor<'de>>(self, wanted: Wanted, visitor: V) -> Result<V::Value> {
        let items: &[NodeId] = match &self.node.kind {
            Kind::Sequence(items) => items,
            _ if self.is_empty() && !self.optional => &[],
            _ => return Err(wrong(wanted)),
        };
        let fixed = matches!(wanted, Wanted::Items(_));
        if let Wanted::Items(count) = wanted
            && count != items.len()
        {
            let found = items.len();
            return Err(Failure::new(Problem::WrongLength { wanted, found }));
        }
        visitor.visit_seq(Items {
            document: self.document,
            items: items.iter().enumerate(),
            fixed,
        })
    }

    fn entries<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let entries: &[Entry] = match &self.node.kind {
            Kind::Mapping(entries) => entries,
            _ if self.is_empty() => &[],
            _ => return Err(wrong(Wanted::Mapping)),
        };
        visitor.visit_map(Entries {
            document: self.document,
            entries: entries.iter(),
            current: None,
        })
    }
}

fn wrong(wanted: Wanted) -> Failure {
    Failure::new(Problem::WrongValue(wanted))
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $number:ty)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let number = match self.scalar() {
                Some(Scalar::Whole(number)) => <$number>::try_from(number).ok(),
                _ => None,
            };
            match number {
                Some(number) => visitor.$visit(number),
                None => Err(wrong(Wanted::Whole(<$number>::MIN.into(), <$number>::MAX.into()))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match (self.scalar(), &self.node.kind) {
            (Some(Scalar::Nothing), _) => visitor.visit_unit(),
            (Some(Scalar::Flag(flag)), _) => visitor.visit_bool(flag),
            (Some(Scalar::Whole(number)), _) => {
                if let Ok(number) = u64::try_from(number) {
                    visitor.visit_u64(number)
                } else if let Ok(number) = i64::try_from(number) {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_i128(number)
                }
            }
            (Some(Scalar::Number(number)), _) => visitor.visit_f64(number),
            (Some(Scalar::Text(text)), _) => visitor.visit_borrowed_str(text),
            (None, Kind::Sequence(_)) => self.items(Wanted::List, visitor),
            (None, _) => self.entries(visitor),
        }
    }

    whole_numbers! {
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let text = self.text().filter(|_| self.node.plain);
        match text.and_then(scalar::number) {
            Some(number) => visitor.visit_f64(number),
            None => Err(wrong(Wanted::Number)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.scalar() {
            Some(Scalar::Flag(flag)) => visitor.visit_bool(flag),
            _ => Err(wrong(Wanted::Flag)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.text() {
            Some(text) if !(self.optional && self.is_empty()) => visitor.visit_borrowed_str(text),
            _ => Err(wrong(Wanted::Text)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        let is_null = |text: &str| self.node.plain && scalar::is_null(text);
        if self.text().is_some_and(is_null) {
            return visitor.visit_none();
        }
        self.optional = true;
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.scalar() {
            Some(Scalar::Nothing) => visitor.visit_unit(),
            _ => Err(wrong(Wanted::Nothing)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.items(Wanted::List, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value> {
        self.items(Wanted::Items(count), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.items(Wanted::Items(count), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.entries(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.entries(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let (name, content, is_one) = match (&self.node.kind, self.scalar()) {
            (Kind::Mapping(entries), _) => {
                let [entry, beside @ ..] = entries.as_slice() else {
                    return Err(Failure::new(Problem::NotOneName));
                };
                let content = self.document.child(entry.value);
                // Beside an empty value stand, as a rule, keys that belong into it.
                if !beside.is_empty() && !content.is_empty() {
                    return Err(Failure::new(Problem::NotOneName));
                }
                (entry.key.as_str(), Some(content), beside.is_empty())
            }
            (Kind::Scalar(name), Some(Scalar::Text(_))) => (name.as_str(), None, true),
            (Kind::Scalar(name), Some(Scalar::Flag(_) | Scalar::Whole(_) | Scalar::Number(_))) => {
                if names.contains(&name.as_str()) {
                    return Err(Failure::new(Problem::NeedsQuotes));
                }
                (name.as_str(), None, true)
            }
            _ => return Err(wrong(Wanted::Name)),
        };
        let value = visitor.visit_enum(Choice {
            document: self.document,
            name,
            content,
        })?;
        match is_one {
            true => Ok(value),
            false => Err(Failure::new(Problem::NotOneName)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { bytes byte_buf }
}

/// The items of a list.
struct Items<'de> {
    document: Document<'de>,
    items: std::iter::Enumerate<slice::Iter<'de, NodeId>>,
    /// Whether none of them can be left out.
    fixed: bool,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let dropped = self.document.dropped;
        let Some((index, &id)) = self.items.find(|(_, id)| !dropped.contains(id)) else {
            return Ok(None);
        };
        let value = seed.deserialize(self.document.child(id));
        let step = Step::Index(index);
        match value {
            Ok(value) => Ok(Some(value)),
            Err(failure) if self.fixed => Err(failure.within(step)),
            Err(failure) => Err(failure.inside(step, id)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The keys of a mapping with their values.
struct Entries<'de> {
    document: Document<'de>,
    entries: slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let dropped = self.document.dropped;
        self.current = self.entries.find(|entry| !dropped.contains(&entry.value));
        let Some(entry) = self.current else {
            return Ok(None);
        };
        seed.deserialize(Name(&entry.key))
            .map(Some)
            .map_err(|failure| failure.of_key(&entry.key, entry.value))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let Some(entry) = self.current else {
            return Err(wrong(Wanted::Nothing));
        };
        seed.deserialize(self.document.child(entry.value))
            .map_err(|failure| failure.inside(Step::Name(entry.key.clone()), entry.value))
    }
}

/// A key, or the name of a kind.
struct Name<'de>(&'de str);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The kind that a value is of, and its parameters.
struct Choice<'de> {
    document: Document<'de>,
    name: &'de str,
    content: Option<Value<'de>>,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        match seed.deserialize(Name(self.name)) {
            Ok(variant) => Ok((variant, self)),
            Err(failure) if self.content.is_some() => Err(failure.of_name(self.name)),
            Err(failure) => Err(failure),
        }
    }
}

impl<'de> Choice<'de> {
    /// Reads the parameters, or says what they would have to be.
    fn content<T>(self, read: impl FnOnce(Value<'de>) -> Result<T>) -> Result<T> {
        let Some(content) = self.content else {
            let needs = match read(self.document.value(Some(&EMPTY))) {
                Ok(_) => Needs::Nothing,
                Err(failure) => match failure.problem {
                    Problem::MissingKey(key) => Needs::Key(key),
                    _ => Needs::Value,
                },
            };
            return Err(Failure::new(Problem::ValueMissing(needs)));
        };
        read(content).map_err(|failure| failure.within(Step::Name(self.name.to_owned())))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<()> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Failure::new(Problem::ValueTooMuch)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        self.content(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value> {
        self.content(|content| content.items(Wanted::Items(count), visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.content(|content| content.entries(visitor))
    }
}
