//! The macro that makes groups of items.

/// Groups of items, each in brackets: the firmware that brought them, then each field with its name, how it is written,
/// and what it means.
macro_rules! groups {
    ($([
        $major:literal, $minor:literal;
        $($name:ident: $written:expr, $about:literal;)*
    ])*) => {
        &[$(Group {
            since: Firmware::new($major, $minor),
            items: items![$($name: $written, $about;)*],
        }),*]
    };
}

/// Items, each with its name, how it is written, and what it means.
macro_rules! items {
    ($($name:ident: $written:expr, $about:literal;)*) => {
        &[$(Item {
            name: stringify!($name),
            written: $written,
            about: $about,
        }),*]
    };
}

pub(super) use {groups, items};
