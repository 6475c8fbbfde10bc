//! What the system says of its processes, in `/proc`. A system without it knows no process but the client, and no memory.

use std::{collections::BTreeMap, fmt, fs, time::Duration};

/// The ids of all processes, the oldest first as a rule.
pub(crate) fn all() -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The id that the system gave away last.
pub(crate) fn newest() -> Option<i32> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.split_whitespace().nth(4)?.parse().ok()
}

/// The children of a process with one thread, also those that have ended and are not reaped.
pub(crate) fn children(id: i32) -> Vec<i32> {
    // This is quick, but some kernels are built without it.
    match fs::read_to_string(format!("/proc/{id}/task/{id}/children")) {
        Ok(children) => {
            let ids = children.split_whitespace();
            ids.filter_map(|id| id.parse().ok()).collect()
        }
        Err(_) => all()
            .into_iter()
            .filter(|child| stat(*child).is_some_and(|(_, parent)| parent == id))
            .collect(),
    }
}

/// All processes below a process, whichever of its threads started them.
pub(crate) fn descendants(root: u32) -> Vec<u32> {
    let below = |id: i32| Some((u32::try_from(id).ok()?, u32::try_from(stat(id)?.1).ok()?));
    let parents: BTreeMap<u32, u32> = all().into_iter().filter_map(below).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&one) = found.get(next) {
        let children = parents.iter().filter(|(_, parent)| **parent == one);
        found.extend(children.map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

/// Whether a process runs, or would run if nobody had stopped it: whether it has not ended.
pub(crate) fn is_alive(id: i32) -> bool {
    stat(id).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Whether a signal has stopped a process. A debugger that looks at it, such as `strace -f`, does not count.
pub(crate) fn is_stopped(id: u32) -> bool {
    let id = i32::try_from(id).ok();
    id.and_then(stat).is_some_and(|(state, _)| state == 'T')
}

/// The state and the parent of a process.
fn stat(id: i32) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // `id (name) state parent ...`, and the name may hold blanks and brackets.
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    let state = words.next()?.chars().next()?;
    Some((state, words.next()?.parse().ok()?))
}

/// The CPU time of all threads of these processes so far.
pub(crate) fn cpu(ids: &[u32]) -> Duration {
    let threads = ids
        .iter()
        .filter_map(|id| fs::read_dir(format!("/proc/{id}/task")).ok());
    let times = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// The most resident memory that each of these processes had so far, together, KiB.
pub(crate) fn peak_kib(ids: &[u32]) -> u64 {
    ids.iter().filter_map(|id| memory_kib(id, "VmHWM:")).sum()
}

/// The resident memory of this process, KiB.
pub(crate) fn rss_kib() -> Option<u64> {
    memory_kib("self", "VmRSS:")
}

fn memory_kib(id: impl fmt::Display, name: &str) -> Option<u64> {
    // In kB, so that the size of a page need not be known.
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> Option<usize> {
    // The folder's own is among them, at each count.
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// How often the system has killed a process because memory ran out.
pub(crate) fn out_of_memory() -> Option<u64> {
    let counts = fs::read_to_string("/proc/vmstat").ok()?;
    let kills = counts
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "));
    kills?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use nix::unistd::Pid;

    use super::*;

    #[test]
    fn the_parent_of_a_process_is_found_whatever_its_name() {
        let own = Pid::this().as_raw();
        let parent = stat(own).map(|(_, parent)| parent);
        assert_eq!(parent, Some(Pid::parent().as_raw()));
        assert_eq!(stat(0), None);
    }

    #[test]
    fn this_process_is_below_its_parent_and_takes_time_and_memory() {
        let own = std::process::id();
        let parent = Pid::parent().as_raw().cast_unsigned();
        assert!(descendants(parent).contains(&own));
        assert!(cpu(&[own]) > Duration::ZERO && peak_kib(&[own]) > 0);
        assert_eq!(peak_kib(&[]), 0);
        assert!(rss_kib().is_some_and(|kib| kib > 0));
        assert!(descriptors().is_some_and(|count| count > 2));
    }

    #[test]
    fn the_system_is_asked_in_words_that_it_knows() {
        let own = Pid::this().as_raw();
        assert!(all().contains(&own));
        assert!(newest().is_some_and(|id| id > 0));
        assert!(out_of_memory().is_some());
        assert!(is_alive(own) && !is_stopped(own.cast_unsigned()));
    }
}
