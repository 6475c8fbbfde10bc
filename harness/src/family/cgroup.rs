//! A control group for one client (cgroup v2).

use std::{
    convert::Infallible,
    fmt, fs, io,
    path::{Path, PathBuf},
    process,
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

/// The control group of this process, if there is one.
static OWN: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    own(&mounts, &groups)
});

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A control group that was made for a client, by its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes a control group below our own; none where the system does not let us, or cannot kill groups.
    pub(crate) fn create() -> Option<Self> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("veschub-client-{}-{count}", process::id());
        let group = Self(OWN.as_ref()?.join(name));
        fs::create_dir(&group.0).ok()?;
        if fs::exists(group.0.join("cgroup.kill")).unwrap_or_default() {
            return Some(group);
        }
        let _ = fs::remove_dir(&group.0);
        None
    }

    /// Moves this process into the group, and with it all that it starts.
    pub(crate) fn enter(&self) -> io::Result<()> {
        move_to(&self.0)
    }

    /// Moves this process back to the group that this one is part of.
    pub(crate) fn leave(&self) -> io::Result<()> {
        self.0.parent().map_or(Ok(()), move_to)
    }

    /// Kills all processes in the group, and in groups that they have made below it.
    pub(crate) fn kill(&self) -> io::Result<()> {
        fs::write(self.0.join("cgroup.kill"), "1")
    }

    /// Kills what is in the group, and removes it as soon as nothing is.
    pub(crate) fn end(&self, time_up: Instant) {
        while fs::exists(&self.0).unwrap_or_default() {
            let _ = self.kill();
            remove(&self.0);
            if Instant::now() >= time_up {
                return;
            }
            thread::sleep(super::PAUSE);
        }
    }
}

/// Moves this process into a group.
fn move_to(group: &Path) -> io::Result<()> {
    // 0 stands for the process that writes.
    fs::write(group.join("cgroup.procs"), "0")
}

/// Removes a group and all groups below it, if no process is in them.
fn remove(group: &Path) {
    // Most groups have none below them. The files in a group go with it.
    if fs::remove_dir(group).is_ok() {
        return;
    }
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// The folder of the control group of this process.
fn own(mounts: &str, groups: &str) -> Option<PathBuf> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        // `id parent device root place options ... - type source options`
        let (mount, kind) = line.split_once(" - ")?;
        if !kind.starts_with("cgroup2 ") {
            return None;
        }
        let mut words = mount.split(' ').skip(3);
        let (root, place) = (words.next()?, words.next()?);
        let below = Path::new(path).strip_prefix(root).ok()?;
        // A path with `..` leads out of what is mounted; one with `\` is written in octal digits.
        let is_plain = !place.contains('\\') && !path.contains("..");
        is_plain.then(|| Path::new(place).join(below))
    })
}

impl fmt::Display for Cgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl FromStr for Cgroup {
    type Err = Infallible;

    fn from_str(folder: &str) -> Result<Self, Self::Err> {
        Ok(Self(folder.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_below_its_mount() {
        let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let hybrid = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:7 - cgroup2 cgroup2 rw\n";
        let part = "30 23 0:26 /box/7 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        for (mounts, groups, found) in [
            (
                unified,
                "0::/user.slice/a\n",
                Some("/sys/fs/cgroup/user.slice/a"),
            ),
            (hybrid, "1:cpu:/\n0::/\n", Some("/sys/fs/cgroup/unified/")),
            (part, "0::/box/7/b\n", Some("/sys/fs/cgroup/b")),
            (part, "0::/elsewhere\n", None),
            (unified, "0::/../a\n", None),
            (unified, "1:cpu:/\n", None),
            ("", "0::/a\n", None),
        ] {
            let found = found.map(PathBuf::from);
            assert_eq!(own(mounts, groups), found, "{mounts}{groups}");
        }
    }

    #[test]
    fn a_group_ends_with_all_groups_below_it() {
        // Not every machine lets us make groups.
        let Some(group) = Cgroup::create() else {
            return;
        };
        let below = group.0.join("below");
        fs::create_dir(&below).unwrap();
        let script = format!("echo 0 >{}/cgroup.procs && exec sleep 20", below.display());
        let mut child = process::Command::new("sh")
            .args(["-c", &script])
            .spawn()
            .unwrap();
        while !fs::read_to_string(below.join("cgroup.events"))
            .is_ok_and(|events| events.contains("populated 1"))
        {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it could not enter the group"
            );
            thread::yield_now();
        }
        group.end(Instant::now() + std::time::Duration::from_secs(20));
        assert!(!group.0.exists());
        assert_eq!(child.wait().unwrap().code(), None);
    }
}
