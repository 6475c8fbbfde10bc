//! How connections are told apart.

/// A connection to the hub, numbered in the order of arrival from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);
