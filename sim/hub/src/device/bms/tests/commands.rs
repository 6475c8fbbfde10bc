//! What commands 97 to 101 change, and what they leave alone.

use super::*;

#[test]
fn forbidding_to_charge_ends_the_charge_until_it_is_allowed_again() {
    let mut bms = under(&[(0.0, -10.0), (100.0, 10.0)]);
    bms.command(seconds(36.0), BmsCommand::SetChargeAllowed { allowed: 0 });
    assert_eq!(bms.values(seconds(36.0)).current_a.value(), 0.0);
    assert_eq!(bms.values(seconds(99.0)).counter_ah.raw(), -100);
    assert_eq!(bms.values(seconds(100.0)).current_a.value(), 10.0);
    let mut again = under(&[(0.0, -10.0)]);
    again.command(seconds(36.0), BmsCommand::SetChargeAllowed { allowed: 0 });
    again.command(seconds(72.0), BmsCommand::SetChargeAllowed { allowed: 1 });
    assert_eq!(again.values(seconds(72.0)).current_a.value(), -10.0);
    assert_eq!(again.values(seconds(108.0)).counter_ah.raw(), -200);
}

#[test]
fn forbidding_to_charge_leaves_a_discharge_alone() {
    let mut bms = under(RIDE);
    let before = bms.clone();
    bms.command(seconds(100.0), BmsCommand::SetChargeAllowed { allowed: 0 });
    let (now, then) = (bms.values(seconds(150.0)), before.values(seconds(150.0)));
    assert_eq!(now.current_a, then.current_a);
    close(now.counter_wh.value(), then.counter_wh.value(), 0.001);
}

#[test]
fn reset_counters_count_from_zero_and_the_totals_go_on() {
    let mut bms = under(&[(0.0, 36.0)]);
    bms.command(seconds(100.0), BmsCommand::ResetCounters { ah: 1, wh: 0 });
    let values = bms.values(seconds(100.0));
    assert_eq!(values.counter_ah.raw(), 0);
    assert!(values.counter_wh.value() > 30.0);
    bms.command(seconds(200.0), BmsCommand::ResetCounters { ah: 0, wh: 1 });
    let values = bms.values(seconds(300.0));
    close(values.counter_ah.value(), 2.0, 0.0011);
    close(values.counter_wh.value(), total(&values), 1.0);
    close(totals(&values)[2], 3.0, 1e-6);
}

#[test]
fn zeroing_the_current_offset_corrects_the_chip_and_nothing_else() {
    let mut bms = pack(|settings| {
        settings.chip_offset_a = 0.7;
        settings.current_a = segments(&[(0.0, 3.0)]);
    });
    let values = bms.values(seconds(1.0));
    close(values.chip_current_a.value(), 3.7, 0.011);
    assert_eq!(values.current_a.value(), 3.0);
    bms.command(seconds(2.0), BmsCommand::ZeroCurrentOffset);
    let values = bms.values(seconds(2.0));
    close(values.chip_current_a.value(), 3.0, 0.011);
    assert_eq!(values.current_a.value(), 3.0);
}

#[test]
fn overrides_take_balancing_out_of_the_packs_hands() {
    let mut bms = pack(|settings| {
        settings.cell_voltages_v = Some(vec![3.70, 3.75, 3.80]);
        settings.balancing = Balancing::Automatic;
    });
    let flags = |bms: &Bms, at| bms.values(seconds(at)).balancing;
    let set = |cell, mode| BmsCommand::SetBalanceOverride { cell, mode };
    assert_eq!(flags(&bms, 0.0), [0, 1, 1]);
    bms.command(seconds(60.0), set(0, 2));
    assert_eq!(flags(&bms, 61.0), [1, 0, 0]);
    let cells = bms.values(seconds(660.0)).cell_voltages_v;
    close(cells[0].value(), 3.69, 0.0011);
    close(cells[1].value(), 3.749, 0.0011);
    bms.command(seconds(660.0), set(0, 0));
    assert_eq!(flags(&bms, 661.0), [0, 1, 1]);
    bms.command(seconds(700.0), BmsCommand::ForceBalance { enabled: 0 });
    assert_eq!(flags(&bms, 701.0), [0, 0, 0]);
}

#[test]
fn commands_that_change_nothing_change_no_value() {
    let mut bms = pack(|settings| {
        settings.current_a = segments(RIDE);
        settings.spread_mv = Some(50.0);
        settings.balancing = Balancing::Automatic;
    });
    let before = bms.clone();
    for at in [10.0, 35.0, 35.0, 70.0] {
        bms.command(seconds(at), BmsCommand::SetChargeAllowed { allowed: 1 });
        bms.command(seconds(at), BmsCommand::ForceBalance { enabled: 1 });
        bms.command(seconds(at), BmsCommand::ResetCounters { ah: 0, wh: 0 });
        bms.command(seconds(at), BmsCommand::ZeroCurrentOffset);
        let mode = 2;
        bms.command(
            seconds(at),
            BmsCommand::SetBalanceOverride { cell: 10, mode },
        );
    }
    for at in [70.0, 100.5, 1000.0] {
        assert_eq!(bms.values(seconds(at)), before.values(seconds(at)));
    }
}

#[test]
fn a_flood_of_commands_neither_grows_the_pack_nor_loses_charge() {
    let mut bms = under(&[(0.0, -1.0), (1e6, 1.0)]);
    for step in 0..20_000_u32 {
        let allowed = u8::from(step % 2 == 1);
        let at = seconds(f64::from(step) * 0.1);
        bms.command(at, BmsCommand::SetChargeAllowed { allowed });
    }
    // Allowed half of the time.
    close(
        bms.values(seconds(2000.0)).counter_ah.value(),
        -1000.0 / 3600.0,
        0.0011,
    );
}
