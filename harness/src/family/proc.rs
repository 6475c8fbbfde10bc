//! What the system says of its processes, in `/proc`. A system without it knows no process but the client.

use std::fs;

/// The ids of all processes, the oldest first as a rule.
pub(super) fn all() -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The id that the system gave away last.
pub(super) fn newest() -> Option<i32> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.split_whitespace().nth(4)?.parse().ok()
}

/// The children of a process with one thread, also those that have ended and are not reaped.
pub(super) fn children(id: i32) -> Vec<i32> {
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

/// Whether a process runs, or would run if nobody had stopped it: whether it has not ended.
pub(super) fn is_alive(id: i32) -> bool {
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
    fn the_system_is_asked_in_words_that_it_knows() {
        let own = Pid::this().as_raw();
        assert!(all().contains(&own));
        assert!(newest().is_some_and(|id| id > 0));
        assert!(out_of_memory().is_some());
        assert!(is_alive(own) && !is_stopped(own.cast_unsigned()));
    }
}
