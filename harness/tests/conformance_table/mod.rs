//! For each defect the cases that must catch it, and the mistakes that the judgement must name.

use veschub_harness::defective::Defect::{self, *};

/// A defect and who catches it.
pub(crate) struct Row {
    /// What the client gets wrong.
    pub(crate) defect: Defect,
    /// The sections whose matter it is.
    pub(crate) sections: &'static [u32],
    /// The cases that fail: these, and no others.
    pub(crate) cases: &'static [&'static str],
    /// The mistakes that are named: these, and no others.
    pub(crate) mistakes: &'static [&'static str],
}

const fn row(
    defect: Defect,
    sections: &'static [u32],
    cases: &'static [&'static str],
    mistakes: &'static [&'static str],
) -> Row {
    Row {
        defect,
        sections,
        cases,
        mistakes,
    }
}

/// Hammering is a matter of the login and of the connection; all others have one section.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row(CommandIdsOff, &[1], &["1/1"], &[]),
    row(SendsWithTheLogin, &[1], &["1/5"], &[]),
    row(WaitsForALoginReply, &[1], &["1/6"], &[]),
    row(AssumesSuccess, &[1], &["1/2", "1/3"], &[]),
    row(HammersWhenClosed, &[1, 7], &["1/4", "7/4"], &[]),
    row(LengthThreshold128, &[2], &["2/3", "2/4", "2/5", "2/6"], &[]),
    row(RefusesSingleBytes, &[2], &["2/1"], &[]),
    row(ShortFormTo256, &[2], &["2/7"], &[]),
    row(IgnoresLongFrames, &[2], &["2/7", "2/8", "2/9", "2/10"], &[]),
    row(LittleEndianLength, &[2], &["2/7", "2/8", "2/10"], &[]),
    row(NoCrcCheck, &[2], &["2/22"], &[]),
    row(NoStopCheck, &[2], &["2/23"], &[]),
    row(NoResync, &[2], &[
        "2/15", "2/16", "2/17", "2/18", "2/19", "2/20", "2/21", "2/22", "2/23", "2/24", "2/25", "2/26",
        "2/27", "2/30", "2/31",
    ], &[]),
    row(SkipsBrokenFrames, &[2], &["2/17", "2/18", "2/26", "2/27", "2/30"], &[]),
    row(OneReadIsOneReply, &[2], &["2/11", "2/12", "2/13", "2/14"], &[]),
    row(NoLengthLimit, &[2], &["2/19", "2/20"], &[]),
    row(DiesOfAnEmptyFrame, &[2], &["2/24", "2/25"], &[]),
    row(SearchesForTheReply, &[2], &["2/10", "2/22", "2/23", "2/28", "2/29"], &[]),
    row(FirstFrameIsTheReply, &[3], &["3/1", "3/2", "3/8", "3/9"], &[]),
    row(KeepsOldReplies, &[3], &["3/4", "3/5"], &["stale"]),
    row(DiesOfAPrint, &[3], &["3/1", "3/10"], &[]),
    row(WaitsForEver, &[3], &["3/6", "3/7"], &["stale"]),
    row(GivesUpAfterOneSecond, &[4], &["4/1", "4/3"], &[]),
    row(ForgetsHalfFrames, &[4], &["4/3", "4/8"], &[]),
    row(ClosesWhenIdle, &[4], &["4/4"], &[]),
    row(UnsignedTemperatures, &[5], &["5/17", "5/20", "5/22"], &["unsigned"]),
    row(UnsignedCurrent, &[5], &["5/26"], &["unsigned"]),
    row(TenthsOfADegree, &[5], &["5/1", "5/16", "5/17", "5/18", "5/19", "5/20", "5/21", "5/22", "5/33"], &["scale"]),
    row(Floats, &[5], &["5/26", "5/27", "5/28"], &["float-for-integer"]),
    row(IntegerTotals, &[5], &["5/4", "5/31"], &["integer-for-float"]),
    row(LittleEndianCells, &[5], &["5/9", "5/10", "5/11", "5/12", "5/13", "5/14", "5/35"], &["little-endian"]),
    row(BalanceMask32, &[5], &["5/13", "5/14"], &["mask-of-32"]),
    row(CellsCappedAt24, &[5], &["5/12", "5/13", "5/14"], &["capped"]),
    row(CellsCappedAt32, &[5], &["5/13", "5/14"], &["capped"]),
    row(TemperaturesCapped, &[5], &["5/16"], &["capped"]),
    row(FiltersTemperatures, &[5], &["5/18", "5/20", "5/21"], &[]),
    row(TwentyCellsAlways, &[5], &["5/11", "5/12", "5/13", "5/14", "5/16", "5/36"], &["capped"]),
    row(InventsStateOfCharge, &[5], &["5/24"], &[]),
    row(SignedCanId, &[5], &["5/23"], &["signed"]),
    row(PressureInTens, &[5], &["5/5", "5/32"], &["scale"]),
    row(UnsignedCounters, &[5], &["5/30"], &["unsigned"]),
    row(MinorVersion, &[5], &["5/37"], &["minor-version"]),
    row(AsciiStatus, &[5], &["5/34"], &[]),
    row(ExpectsWrappedReplies, &[6], &["6/1"], &[]),
    row(IgnoresCanIdZero, &[6], &["6/3"], &[]),
    row(SpinsAtEof, &[7], &["7/1", "7/2", "7/3", "7/4", "7/5"], &[]),
    row(RescansAtEveryPoll, &[8], &["8/1"], &[]),
    row(ConnectsForEveryPoll, &[8], &["8/2"], &[]),
    row(ConfigAtEveryPoll, &[8], &["8/3"], &[]),
    row(Floods, &[8], &["8/4", "8/8"], &[]),
    row(FirmwareAtEveryPoll, &[8], &["8/6"], &[]),
];
