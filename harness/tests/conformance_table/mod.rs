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

/// Most are a matter of one section. Values are the matter of several, as the same form is read in each of them.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row(CommandIdsOff, &[1], &["1/1"], &[]),
    row(SendsWithTheLogin, &[1], &["1/5"], &[]),
    row(WaitsForALoginReply, &[1], &["1/6"], &[]),
    row(AssumesSuccess, &[1], &["1/2", "1/3", "1/9", "1/10", "1/11"], &[]),
    row(NeedsTheFirstReply, &[1], &["1/12"], &[]),
    row(HammersWhenClosed, &[1, 7], &["1/4", "7/4"], &[]),
    row(LengthThreshold128, &[2], &["2/3", "2/4", "2/5", "2/6"], &[]),
    row(RefusesSingleBytes, &[2], &["2/1"], &[]),
    row(ShortFormTo256, &[2], &["2/7"], &[]),
    row(IgnoresLongFrames, &[2], &["2/7", "2/8", "2/9", "2/10", "2/37"], &[]),
    row(LittleEndianLength, &[2], &["2/7", "2/8", "2/10", "2/37"], &[]),
    row(NoCrcCheck, &[2], &["2/22"], &[]),
    row(NoStopCheck, &[2], &["2/23"], &[]),
    row(NoResync, &[2], &[
        "2/15", "2/16", "2/19", "2/20", "2/21", "2/22", "2/23", "2/24", "2/25", "2/27",
        
    ], &[]),
    row(SkipsBrokenFrames, &[2], &["2/17", "2/18", "2/26", "2/27", "2/30", "2/41"], &[]),
    row(OneReadIsOneReply, &[2], &["2/11", "2/12", "2/13", "2/14", "2/32"], &[]),
    row(NoLengthLimit, &[2], &["2/19", "2/20"], &[]),
    row(DiesOfAnEmptyFrame, &[2], &["2/24", "2/25"], &[]),
    row(SearchesForTheReply, &[2], &["2/10", "2/22", "2/23", "2/28", "2/29", "2/37", "2/38"], &[]),
    row(FirstFrameIsTheReply, &[3], &["3/1", "3/2", "3/8", "3/9", "3/11"], &[]),
    row(KeepsOldReplies, &[3], &["3/4", "3/5"], &["stale"]),
    row(DiesOfAPrint, &[3], &["3/1", "3/10", "3/11"], &[]),
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
    row(FiltersTemperatures, &[5], &["5/18", "5/20", "5/21"], &["dropped"]),
    row(TwentyCellsAlways, &[5], &["5/11", "5/12", "5/13", "5/14", "5/16", "5/36"], &["capped"]),
    row(InventsStateOfCharge, &[5], &["5/24"], &[]),
    row(SignedCanId, &[5, 6, 9], &["5/23", "6/19", "9/16", "9/33"], &["signed"]),
    row(PressureInTens, &[5], &["5/5", "5/32"], &["scale"]),
    row(DiesOfANegativeCount, &[5], &["5/39"], &[]),
    row(UnsignedCounters, &[5], &["5/30"], &["unsigned"]),
    row(MinorVersion, &[5, 10], &["5/37", "10/13", "10/14", "10/17"], &["minor-version"]),
    row(AsciiStatus, &[5], &["5/34"], &[]),
    row(ExpectsWrappedReplies, &[6], &["6/1", "6/14", "6/15", "6/17"], &[]),
    row(IgnoresCanIdZero, &[6], &["6/3"], &["dropped"]),
    row(TurnedErpm, &[9], &["9/2", "9/21", "9/23", "9/24", "9/26", "9/28", "9/37"], &["turned-sign"]),
    row(SpinsAtEof, &[7], &["7/1", "7/2", "7/3", "7/4", "7/5"], &[]),
    row(RescansAtEveryPoll, &[8], &["8/1"], &[]),
    row(ConnectsForEveryPoll, &[8], &["8/2"], &[]),
    row(ConfigAtEveryPoll, &[8], &["8/3"], &[]),
    row(Floods, &[8], &["8/4", "8/8"], &[]),
    row(FirmwareAtEveryPoll, &[8], &["8/6"], &[]),
    row(ShiftedValues, &[2, 3, 4, 5, 6, 9, 10], &[
        "2/1", "3/11", "4/1", "5/1", "5/2", "5/3", "5/4", "5/5", "5/6", "5/7", "5/9", "5/10", "5/15", "5/17",
        "5/18", "5/19", "5/20", "5/21", "5/22", "5/23", "5/24", "5/25", "5/26", "5/27", "5/28", "5/29", "5/30",
        "5/31", "5/32", "5/33", "5/34", "5/35", "5/36", "5/37", "5/38", "5/40", "6/3", "6/6", "6/14", "6/15",
        "6/16", "6/19", "9/1", "9/2", "9/3", "9/4", "9/5", "9/6", "9/7", "9/8", "9/9", "9/10", "9/11", "9/12",
        "9/13", "9/14", "9/15", "9/16", "9/17", "9/18", "9/19", "9/20", "9/21", "9/22", "9/23", "9/24", "9/25",
        "9/26", "9/27", "9/28", "9/29", "9/30", "9/31", "9/32", "9/33", "9/34", "9/35", "9/36", "9/37", "9/39",
        "9/41", "10/2", "10/3", "10/4", "10/5", "10/6", "10/7", "10/8", "10/9", "10/10", "10/11", "10/12",
        "10/13", "10/14", "10/15", "10/16", "10/17",
    ], &["empty-list", "padded", "shifted"]),
    row(UnsignedMotorValues, &[9], &[
        "9/2", "9/3", "9/4", "9/5", "9/6", "9/7", "9/9", "9/12", "9/15", "9/17", "9/18", "9/21", "9/23", "9/27",
        "9/28", "9/30", "9/32", "9/34", "9/37", "9/40",
    ], &["unsigned"]),
    row(ErpmWithoutSign, &[9], &["9/2", "9/21", "9/28", "9/37"], &["turned-sign"]),
    row(DutyInHundredths, &[9], &["9/3", "9/21", "9/28"], &["scale"]),
    row(MotorCurrentInTenths, &[9], &["9/4", "9/21", "9/23", "9/38"], &["scale"]),
    row(MotorScales, &[9], &[
        "9/3", "9/4", "9/5", "9/6", "9/7", "9/8", "9/9", "9/10", "9/11", "9/15", "9/17", "9/18", "9/21",
        "9/23", "9/24", "9/25", "9/26", "9/27", "9/28", "9/29", "9/30", "9/31", "9/32", "9/34", "9/36", "9/37",
        "9/38", "9/39", "9/40",
    ], &["scale"]),
    row(MinusOneIsNothing, &[9], &["9/21"], &[]),
    row(ZeroIsOld, &[9], &["9/22"], &[]),
    row(SixteenBits, &[9], &["9/11", "9/12", "9/15", "9/23", "9/31", "9/32", "9/34", "9/35", "9/36", "9/38"], &[]),
    row(KnownFaultsOnly, &[9], &["9/14", "9/33"], &[]),
    row(HidesFaults, &[9], &["9/13", "9/14", "9/33"], &[]),
    row(SignedBytes, &[6, 9, 10], &["6/19", "9/14", "9/16", "9/33", "9/35", "10/13", "10/14", "10/18", "10/20"], &["signed"]),
    row(FlagsAreOne, &[9], &["9/19", "9/20"], &[]),
    row(NeedsWholeReplies, &[9, 10], &[
        "9/24", "9/25", "9/36", "10/2", "10/3", "10/4", "10/5", "10/6", "10/7", "10/8", "10/9", "10/10", "10/11",
        "10/12",
    ], &[]),
    row(RefusesLongerReplies, &[9], &["9/26"], &[]),
    row(IgnoresTheMask, &[9], &["9/38"], &[]),
    row(MasksSwapped, &[9], &["9/41", "9/42"], &[]),
    row(KnowsOneFirmware, &[5, 10], &["5/37", "10/1", "10/2", "10/3", "10/6", "10/13", "10/14", "10/17", "10/21", "10/22"], &[]),
    row(ZeroEndsTheUuid, &[10], &["10/19"], &[]),
    row(SendsOnly127, &[11], &["11/1", "11/2", "11/3", "11/4", "11/5"], &[]),
    row(SendsShortForms, &[11], &["11/3", "11/4", "11/5"], &[]),
    row(LengthThreshold300, &[2], &["2/10", "2/37", "2/38"], &[]),
    row(EightFramesAtMost, &[2], &["2/40"], &[]),
    row(DropsTheTail, &[2], &["2/33", "2/34", "2/35", "2/36"], &[]),
    row(CanIdsTo127, &[6], &["6/14", "6/15", "6/16", "6/19"], &["dropped"]),
    row(MergesNodesAlike, &[6], &["6/18"], &[]),
];
