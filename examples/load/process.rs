//! What Linux knows of a process: `/proc`.

use std::fs;
use std::time::Duration;

/// A process, this one or another.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// Its directory in `/proc`.
    directory: String,
}

/// What a process has used since it started. Many kernels know the sum exactly and divide it by what they saw at each of
/// their ticks, so short runs say little about the shares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Time in its own code.
    pub(crate) user: Duration,
    /// Time in the kernel.
    pub(crate) system: Duration,
    /// How often one of its threads gave way to another.
    pub(crate) switches: u64,
}

impl Process {
    /// This process; its figures are missing where there is no `/proc`.
    pub(crate) fn this() -> Self {
        Self { directory: "/proc/self".to_owned() }
    }

    /// Another process.
    ///
    /// # Errors
    ///
    /// One line that says why nothing is known of it.
    pub(crate) fn of(id: u32) -> Result<Self, String> {
        let process = Self { directory: format!("/proc/{id}") };
        if process.usage().is_none() {
            return Err(format!(
                "--server-pid {id}: no such process, or no Linux: try --server-pid \"$(pgrep -f examples/server)\""
            ));
        }
        Ok(process)
    }

    /// Returns what it has used.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let stat = fs::read_to_string(format!("{}/stat", self.directory)).ok()?;
        // The name of the program may hold spaces and brackets; after it come the state and ten more fields.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace().skip(11);
        let mut time = || fields.next().and_then(|ticks| ticks.parse().ok()).map(of_ticks);
        let (user, system) = (time()?, time()?);
        Some(Usage { user, system, switches: self.switches().unwrap_or(0) })
    }

    /// Returns how many bytes of memory it has.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("{}/status", self.directory)).ok()?;
        let kibibytes = line(&status, "VmRSS:")?.trim().strip_suffix("kB")?;
        Some(kibibytes.trim().parse::<u64>().ok()? * 1024)
    }

    /// Returns how many files it may open.
    pub(crate) fn files(&self) -> Option<u64> {
        let limits = fs::read_to_string(format!("{}/limits", self.directory)).ok()?;
        line(&limits, "Max open files")?.split_whitespace().next()?.parse().ok()
    }

    fn switches(&self) -> Option<u64> {
        let mut switches = 0;
        for thread in fs::read_dir(format!("{}/task", self.directory)).ok()? {
            let status = fs::read_to_string(thread.ok()?.path().join("status")).ok()?;
            for name in ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"] {
                switches += line(&status, name)?.trim().parse::<u64>().ok()?;
            }
        }
        Some(switches)
    }
}

impl Usage {
    /// Returns what was used since an earlier time.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            // A thread that ended took its number with it.
            switches: self.switches.saturating_sub(earlier.switches),
        }
    }
}

/// Returns the rest of the line that begins with a name.
fn line<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

/// Linux counts in hundredths of a second here, whatever its own clock does.
fn of_ticks(ticks: u64) -> Duration {
    Duration::from_millis(10 * ticks)
}
