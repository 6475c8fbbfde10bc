//! The CPU time and the memory of processes, as Linux tells them in `/proc`. Elsewhere nothing is known of them.

use std::{collections::BTreeMap, fs, time::Duration};

/// A process and all that it started, without the process itself.
pub(super) fn family(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let parents: BTreeMap<u32, u32> = ids.filter_map(|id| Some((id, parent(id)?))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&one) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| **parent == one)
                .map(|(id, _)| *id),
        );
        next += 1;
    }
    found.split_off(1)
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // `id (name) state parent ...`, and the name may hold blanks and brackets.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// The CPU time of all their threads so far.
pub(super) fn cpu(ids: &[u32]) -> Duration {
    let threads = ids
        .iter()
        .filter_map(|id| fs::read_dir(format!("/proc/{id}/task")).ok());
    let times = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// The most resident memory that they had so far, KiB.
pub(super) fn peak_kib(ids: &[u32]) -> u64 {
    let peak = |id: &u32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    ids.iter().filter_map(peak).sum()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_the_family_of_its_parent_and_takes_time_and_memory() {
        let own = std::process::id();
        let found = family(parent(own).unwrap());
        assert!(found.contains(&own));
        assert!(cpu(&[own]) > Duration::ZERO && peak_kib(&[own]) > 0);
        assert_eq!(peak_kib(&[]), 0);
    }
}
