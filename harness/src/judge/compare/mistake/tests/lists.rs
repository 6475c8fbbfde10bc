use super::*;

/// Which mistake explains these values of temperature sensors.
fn named(sent: &[i16], given: &[f64]) -> Option<Mistake> {
    let values = BmsValues {
        temperatures_c: sent.iter().map(|&raw| F16::from_raw(raw)).collect(),
        ..pack(83_774_000)
    };
    let said = [(Request::BmsGetValues, Reply::BmsValues(values))];
    let understood = understood_of(
        &journal_of(&said),
        CommandId::BMS_GET_VALUES,
        None,
        json!({ "temperatures_c": given }),
    );
    match judgement(&understood, "temperatures_c") {
        Judgement::Wrong(mistake) => mistake,
        other => unreachable!("{other:?}"),
    }
}

fn dropped(rule: Rule, count: usize, first: usize) -> Option<Mistake> {
    Some(Mistake::Dropped { rule, count, first })
}

#[test]
fn what_a_list_leaves_out_is_told_with_the_rule() {
    let sent = [2500, -512, 0, 12_000, 2345, -28_100];
    let negative = named(&sent, &[25.0, 0.0, 120.0, 23.45]);
    assert_eq!(negative, dropped(Rule::Negative, 2, 1));
    let zero = named(&sent, &[25.0, -5.12, 120.0, 23.45, -281.0]);
    assert_eq!(zero, dropped(Rule::Zero, 1, 2));
    assert_eq!(
        named(&sent, &[25.0, 120.0, 23.45]),
        dropped(Rule::NotPositive, 3, 1)
    );
    let hot = named(&sent, &[25.0, -5.12, 0.0, 23.45, -281.0]);
    assert_eq!(hot, dropped(Rule::Above100, 1, 3));
    let some = named(&sent, &[25.0, -5.12, 120.0, 23.45]);
    assert_eq!(some, dropped(Rule::Unknown, 2, 2));
    assert_eq!(
        negative.unwrap().to_string(),
        "2 elements are missing, the first is [1]: all that are negative are left out"
    );
}

#[test]
fn a_list_that_is_cut_off_is_told_with_its_length() {
    let sent = [2500, 2600, 2700, 2800];
    assert_eq!(named(&sent, &[25.0, 26.0]), Some(Mistake::Capped(2)));
}

#[test]
fn an_empty_list_is_not_called_cut_off() {
    let empty = named(&[2500, 2600], &[]);
    assert_eq!(empty, Some(Mistake::EmptyList));
    assert_eq!(
        empty.unwrap().to_string(),
        "the list is empty, but the device sent elements"
    );
}

#[test]
fn elements_that_were_never_sent_have_no_rule() {
    assert_eq!(named(&[2500, 2600, 2700], &[11.5, 12.5]), None);
}
