//! Bodies whose fields are chosen by the bits of a mask.

/// Declares a struct with one optional field per bit, lowest bit first, and all that follows from that order.
///
/// `field: type => function` shows the field through a function instead of under its name.
macro_rules! masked_fields {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty $(=> $show:path)?,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
        }

        impl $name {
            /// The bits of the fields that are there.
            #[must_use]
            pub fn mask(&self) -> u32 {
                let present = [$(self.$field.is_some()),*];
                (0..).zip(present).map(|(bit, there)| u32::from(there) << bit).sum()
            }

            /// The same values without the fields whose bit is not set.
            #[must_use]
            pub fn select(mut self, mask: u32) -> Self {
                let mut bits = (0..32).map(|bit| mask >> bit & 1 == 1);
                $(if bits.next() != Some(true) {
                    self.$field = None;
                })*
                self
            }

            /// Reads the fields of the known bits; bits beyond them have none.
            pub(super) fn read_masked(
                &mut self,
                mask: u32,
                reader: &mut crate::reader::Reader<'_>,
            ) -> Result<(), crate::error::DecodeError> {
                let mut bits = (0..32).map(|bit| mask >> bit & 1 == 1);
                $(if bits.next() == Some(true) {
                    self.$field = Some(reader.get(stringify!($field))?);
                })*
                Ok(())
            }

            /// Writes the fields of the known bits; one that is not there is written as 0.
            pub(super) fn write_masked(&self, mask: u32, out: &mut Vec<u8>) {
                let mut bits = (0..32).map(|bit| mask >> bit & 1 == 1);
                $(if bits.next() == Some(true) {
                    crate::reader::Wire::write(&self.$field.unwrap_or_default(), out);
                })*
            }

            /// Adds the fields that are there.
            pub(super) fn show(&self, fields: &mut crate::view::Fields) {
                $(if let Some(value) = self.$field {
                    masked_fields!(@show fields, stringify!($field), value $(, $show)?);
                })*
            }
        }

        impl crate::view::View for $name {
            fn fields(&self) -> crate::view::Fields {
                let mut fields = crate::view::Fields::new();
                self.show(&mut fields);
                fields
            }
        }
    };
    (@show $fields:ident, $name:expr, $value:ident) => { $fields.push($name, $value) };
    (@show $fields:ident, $name:expr, $value:ident, $show:path) => { $show($fields, $value) };
}

/// The same bodies without a mask: as many groups of fields, from the first, as the firmware is new.
macro_rules! grown_fields {
    ($name:ident, $groups:expr) => {
        impl $name {
            /// The bits that came into being together, oldest first; only the first are always there.
            const GROUPS: &[u32] = &$groups;

            pub(super) fn read(
                reader: &mut crate::reader::Reader<'_>,
            ) -> Result<Self, crate::error::DecodeError> {
                let mut this = Self::default();
                for (age, &group) in Self::GROUPS.iter().enumerate() {
                    let (mut grown, mut ahead) = (this, reader.clone());
                    match grown.read_masked(group, &mut ahead) {
                        Ok(()) => (this, *reader) = (grown, ahead),
                        Err(error) if age == 0 => return Err(error),
                        Err(_) => break,
                    }
                }
                Ok(this)
            }

            /// Writes all fields up to the newest group that has one.
            pub(super) fn write(&self, out: &mut Vec<u8>) {
                let present = self.mask();
                for (age, &group) in Self::GROUPS.iter().enumerate() {
                    if age == 0 || present >> group.trailing_zeros() != 0 {
                        self.write_masked(group, out);
                    }
                }
            }
        }
    };
}

pub(super) use {grown_fields, masked_fields};
