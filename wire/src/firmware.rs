//! Versions of firmware, by which a reply that firmware has changed is read.

use core::fmt;

/// The version of a firmware, as FW_VERSION tells it. Later firmware is greater.
///
/// ```
/// use veschub_wire::Firmware;
///
/// let firmware = Firmware::new(6, 5);
/// assert_eq!(firmware.to_string(), "6.05");
/// assert!(firmware > Firmware::new(3, 40));
/// assert!(!firmware.has_old_values());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Firmware {
    /// Major version.
    pub major: i8,
    /// Minor version, decimal: 6.05 is minor 5.
    pub minor: i8,
}

impl Firmware {
    /// The first firmware of motor controllers that knows GET_VALUES_SETUP; older firmware does not answer it
    /// (`docs/protocol-motor.md`, section 2.5).
    pub const FIRST_WITH_VALUES_SETUP: Self = Self::new(3, 48);

    /// The first firmware of motor controllers that lays out GET_VALUES as all later firmware does. The one before it
    /// that has a tag is 3.00 (`bldc` tags 3.00 and 3.07, `commands.c`).
    pub const NEW_VALUES: Self = Self::new(3, 7);

    /// A version by its two numbers.
    #[must_use]
    pub const fn new(major: i8, minor: i8) -> Self {
        Self { major, minor }
    }

    /// Whether a motor controller with this firmware lays out GET_VALUES in the old way: see
    /// [`OldValues`](crate::command::OldValues).
    #[must_use]
    pub fn has_old_values(self) -> bool {
        self < Self::NEW_VALUES
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.major, self.minor)
    }
}
