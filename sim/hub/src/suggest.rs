//! Finds the name that was probably meant. Knows spelling, not meaning.

/// The candidate closest to a misspelt name, if one is close enough to be worth asking about.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = spelling(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    let unlikeness = |candidate: &str| {
        let candidate = spelling(candidate);
        let lacks_unit = candidate
            .strip_prefix(&wanted)
            .is_some_and(|rest| rest.starts_with('_'));
        if lacks_unit {
            return Some(0);
        }
        let slips = strsim::damerau_levenshtein(&wanted, &candidate);
        let slips = (slips <= allowed).then_some(slips);
        [slips, words_apart(&wanted, &candidate)]
            .into_iter()
            .flatten()
            .min()
    };
    candidates
        .into_iter()
        .filter_map(|candidate| Some((unlikeness(candidate)?, candidate)))
        .min_by_key(|(unlikeness, _)| *unlikeness)
        .map(|(_, candidate)| candidate)
}

/// How far a name of several words is from one that has all of them, in another order or with more between them.
fn words_apart(wanted: &str, candidate: &str) -> Option<usize> {
    let mut left: Vec<&str> = candidate.split('_').collect();
    let words = wanted.split('_');
    if words.clone().count() < 2 {
        return None;
    }
    for word in words {
        let index = left.iter().position(|other| *other == word)?;
        left.remove(index);
    }
    Some(2 * left.len())
}

/// The name without what people get wrong first: case, and `-` for `_`.
fn spelling(name: &str) -> String {
    name.chars()
        .take(64)
        .map(|c| if c == '-' { '_' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let keys = ["id", "password", "firmware", "cell_voltage_v"];
        assert_eq!(closest("pasword", keys), Some("password"));
        assert_eq!(closest("frimware", keys), Some("firmware"));
        assert_eq!(closest("Cell-Voltage-V", keys), Some("cell_voltage_v"));
        assert_eq!(closest("di", keys), Some("id"));
    }

    #[test]
    fn a_name_without_its_unit_finds_the_full_one() {
        assert_eq!(closest("spread", ["cells", "spread_mv"]), Some("spread_mv"));
        assert_eq!(closest("cell", ["cells", "cellar_door"]), Some("cells"));
    }

    #[test]
    fn the_right_words_in_the_wrong_order_or_too_few_of_them_find_their_name() {
        let commands = ["GET_VALUES", "BMS_GET_VALUES", "BMS_GET_BATT_TYPE"];
        assert_eq!(closest("GET_BMS_VALUES", commands), Some("BMS_GET_VALUES"));
        assert_eq!(closest("BMS_VALUES", commands), Some("BMS_GET_VALUES"));
        assert_eq!(closest("GET_VALUE", commands), Some("GET_VALUES"));
    }

    #[test]
    fn a_name_unlike_all_others_finds_nothing() {
        assert_eq!(closest("zebra", ["id", "password"]), None);
        assert_eq!(closest("x", []), None);
    }

    #[test]
    fn the_closest_of_two_wins() {
        assert_eq!(
            closest("session-rest", ["session-reset", "session-test"]),
            Some("session-reset")
        );
    }
}
