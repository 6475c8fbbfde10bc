//! Which commands each firmware handles: for each kind of device one table, with a line for each range of ids.
//!
//! A line tells since which firmware a dispatcher handles the ids, and in which firmware it no longer does. Only tagged
//! firmware was read, so an id may have come a little before the version that is told here.

#![expect(
    clippy::inconsistent_digit_grouping,
    reason = "dates: year, month and day"
)]

use veschub_wire::{CommandId, Firmware};

use super::{Kind, Profile};

/// The age of a firmware: its version and, where several builds tell the same version, the day of the build. A release
/// that is older than all of those has none.
pub(super) type Age = (Firmware, u32);

/// A range of ids with both ends, since when they are handled, and since when no more.
#[derive(Clone, Copy, Debug)]
struct Line {
    ids: (u8, u8),
    since: Age,
    removed: Option<Firmware>,
}

/// These ids are handled since this version.
const fn ids(first: u8, last: u8, major: i8, minor: i8) -> Line {
    Line {
        ids: (first, last),
        since: (Firmware::new(major, minor), 0),
        removed: None,
    }
}

/// This id is handled since this version.
const fn id(id: u8, major: i8, minor: i8) -> Line {
    ids(id, id, major, minor)
}

impl Line {
    /// Of the builds that tell this version, only those since this day.
    const fn day(mut self, day: u32) -> Self {
        self.since.1 = day;
        self
    }

    /// This version handles them no more.
    const fn removed_in(mut self, major: i8, minor: i8) -> Self {
        self.removed = Some(Firmware::new(major, minor));
        self
    }
}

/// `MC comm/commands.c` of each tag; the oldest that was read is 2.18. 38 and 40 to 46 came between 3.10 and 3.48.
#[rustfmt::skip]
const MOTOR: &[Line] = &[
    ids(0, 9, 0, 0),
    id(10, 3, 10),
    ids(11, 20, 0, 0),
    ids(24, 36, 0, 0),
    id(37, 3, 10),
    id(38, 3, 48).removed_in(6, 5),
    ids(40, 46, 3, 48).removed_in(6, 5),
    ids(47, 52, 3, 48),
    id(55, 3, 48),
    ids(57, 63, 3, 48),
    ids(64, 70, 3, 54),
    ids(71, 74, 3, 60),
    id(79, 3, 67).removed_in(6, 5),
    ids(80, 84, 3, 67),
    id(85, 4, 0),
    // 5.00, and put into the tag v4.02 later.
    id(86, 4, 2),
    ids(87, 88, 6, 0),
    ids(89, 90, 5, 0),
    id(91, 5, 2),
    ids(92, 95, 6, 0),
    ids(96, 101, 5, 2),
    id(110, 5, 2),
    ids(111, 112, 5, 3),
    id(115, 5, 3),
    ids(117, 125, 5, 3),
    ids(128, 129, 5, 3),
    ids(130, 134, 6, 0),
    ids(138, 139, 6, 0),
    ids(149, 150, 6, 0),
    id(152, 6, 5),
    id(156, 6, 5),
    ids(157, 159, 6, 6),
];

/// `EX main/commands.c`: release_6_05 (4a2fcd9), and what came later (f0f7397, 008e59b, 794333e).
#[rustfmt::skip]
const EXPRESS: &[Line] = &[
    ids(0, 3, 0, 0),
    id(20, 0, 0),
    id(29, 0, 0),
    id(34, 0, 0),
    id(36, 0, 0),
    id(62, 0, 0),
    id(65, 6, 5).day(2024_01_31),
    id(85, 0, 0),
    ids(92, 101, 0, 0),
    // Not in release_6_05.
    id(117, 6, 6),
    id(118, 0, 0),
    ids(120, 124, 0, 0),
    ids(130, 134, 0, 0),
    ids(138, 148, 0, 0),
    ids(150, 152, 0, 0),
    id(157, 6, 6).day(2024_12_11),
    id(158, 6, 6).day(2025_01_26),
];

/// `BM commands.c`: release_6_00 (36cedd7), and what came later under the same number.
#[rustfmt::skip]
const BMS: &[Line] = &[
    ids(0, 3, 0, 0),
    id(20, 0, 0),
    id(29, 0, 0),
    id(34, 0, 0),
    id(36, 0, 0),
    id(62, 0, 0),
    id(64, 0, 0),
    ids(66, 73, 0, 0),
    id(80, 0, 0),
    id(83, 0, 0),
    ids(92, 109, 0, 0),
    ids(111, 112, 0, 0),
    id(114, 0, 0),
    ids(123, 127, 0, 0),
    ids(136, 137, 0, 0),
    id(157, 6, 0).day(2024_12_11),
    id(158, 6, 0).day(2025_01_26),
];

/// The table of a kind.
fn table(kind: Kind) -> &'static [Line] {
    match kind {
        Kind::Express => EXPRESS,
        Kind::Motor => MOTOR,
        Kind::Bms => BMS,
    }
}

fn line(kind: Kind, id: CommandId) -> Option<&'static Line> {
    let in_range = |line: &&Line| (line.ids.0..=line.ids.1).contains(&id.0);
    table(kind).iter().find(in_range)
}

/// Since which firmware a kind of device handles a command, and in which it no longer does. `None` for a command that it
/// never handled; version 0.00 stands for the oldest firmware that was read.
#[must_use]
pub fn handled_since(kind: Kind, id: CommandId) -> Option<(Firmware, Option<Firmware>)> {
    line(kind, id).map(|line| (line.since.0, line.removed))
}

impl Profile {
    /// Whether the firmware's dispatcher handles a command.
    #[must_use]
    pub fn handles(&self, id: CommandId) -> bool {
        line(self.kind, id).is_some_and(|line| {
            let age: Age = (self.firmware(), self.build);
            let removed = line.removed.is_some_and(|gone| age.0 >= gone);
            age >= line.since && !removed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_table_are_in_order_and_do_not_overlap() {
        for kind in [Kind::Express, Kind::Motor, Kind::Bms] {
            for pair in table(kind).windows(2) {
                assert!(pair[0].ids.1 < pair[1].ids.0, "{kind:?}: {pair:?}");
            }
            assert!(table(kind).iter().all(|line| line.ids.0 <= line.ids.1));
        }
    }

    #[test]
    fn a_command_is_handled_from_the_firmware_that_brought_it_to_the_one_that_dropped_it() {
        for (profile, handled, not) in [
            (
                Profile::MOTOR_2_18,
                &[0, 4, 9, 11, 30, 34][..],
                &[10, 37, 47, 50, 62, 65][..],
            ),
            (Profile::MOTOR_3_40, &[10, 37], &[38, 47, 50, 62, 96]),
            (Profile::MOTOR_3_66, &[47, 50, 62, 65, 74], &[79, 84, 85]),
            (Profile::MOTOR_4_02, &[79, 84, 85, 86], &[89, 91, 96]),
            (Profile::MOTOR_5_01, &[86, 89, 90], &[91, 96, 110]),
            (Profile::MOTOR_5_02, &[91, 96, 101, 110], &[111, 118, 128]),
            (Profile::MOTOR_5_03, &[118, 128, 129], &[87, 93, 130, 150]),
            (Profile::MOTOR_6_00, &[79, 87, 93, 130, 150], &[152, 157]),
            (Profile::MOTOR_6_02, &[40, 79, 149], &[152, 156]),
            (Profile::MOTOR_6_05, &[152, 156], &[40, 79, 157, 158, 159]),
            (Profile::MOTOR_6_06, &[157, 158, 159], &[79, 140]),
            (Profile::EXPRESS_6_05, &[65, 140], &[4, 117, 157, 158]),
            (Profile::EXPRESS_6_05_2023_03, &[62, 96], &[65, 157]),
            (Profile::EXPRESS_6_05_2024_01, &[65], &[117, 157]),
            (Profile::EXPRESS_6_06_2024_08, &[65], &[157, 158]),
            (Profile::EXPRESS_6_06, &[117, 157, 158], &[159]),
            (Profile::EXPRESS_7_00, &[117, 157, 158], &[159]),
            (Profile::BMS_6_00, &[96, 109], &[157, 158]),
            (Profile::BMS_6_00_MAIN, &[157, 158], &[159]),
        ] {
            for &id in handled {
                assert!(profile.handles(CommandId(id)), "{} {id}", profile.name);
            }
            for &id in not {
                assert!(!profile.handles(CommandId(id)), "{} {id}", profile.name);
            }
        }
    }

    #[test]
    fn it_is_told_since_when_a_command_is_handled() {
        let balance = handled_since(Kind::Motor, CommandId::GET_DECODED_BALANCE);
        let (from, to) = (Firmware::new(3, 67), Firmware::new(6, 5));
        assert_eq!(balance, Some((from, Some(to))));
        assert_eq!(handled_since(Kind::Motor, CommandId::FILE_LIST), None);
    }
}
