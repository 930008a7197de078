//! The counts that are kept with the source.

use std::fmt::{self, Write as _};
use std::fs;
use std::process::Command;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/counts.txt");

/// Instructions of a round of each scenario, and the compiler that they belong to.
pub(crate) struct Counts {
    compiler: String,
    counts: Vec<(String, u64)>,
}

/// How a count is to the one in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// There is none in the file.
    New,
    /// So many in a thousand more, or less.
    Permille(i64),
}

impl Counts {
    pub(crate) fn of_this_compiler() -> Self {
        let rustc = option_env!("RUSTC").unwrap_or("rustc");
        let said = Command::new(rustc).arg("--version").output().map(|output| output.stdout);
        let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
        let version = said.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        Self { compiler: version, counts: Vec::new() }
    }

    /// Reads the file; one that is not there has no counts.
    ///
    /// # Errors
    ///
    /// One line that says which line of the file is none.
    pub(crate) fn read() -> Result<Self, String> {
        let text = fs::read_to_string(FILE).unwrap_or_default();
        let mut counts = Self { compiler: String::new(), counts: Vec::new() };
        for (line, number) in text.lines().zip(1..) {
            match line.rsplit_once(": ") {
                Some(("compiler", version)) => counts.compiler = version.into(),
                Some((name, count)) => {
                    let count =
                        count.parse().map_err(|error| format!("{FILE}:{number}: {error}"))?;
                    counts.set(name, count);
                }
                None if line.is_empty() || line.starts_with('#') => {}
                None => return Err(format!("{FILE}:{number}: is no count: {line}")),
            }
        }
        Ok(counts)
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// One line that says why it cannot be written.
    pub(crate) fn write(&self) -> Result<(), String> {
        let mut text = String::from("# Instructions of one round; see main.rs.\n");
        let _ = writeln!(text, "compiler: {}", self.compiler);
        for (name, count) in &self.counts {
            let _ = writeln!(text, "{name}: {count}");
        }
        fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))
    }

    pub(crate) fn compiler(&self) -> &str {
        &self.compiler
    }

    pub(crate) fn set(&mut self, name: &str, count: u64) {
        self.counts.push((name.into(), count));
    }

    pub(crate) fn change(&self, name: &str, count: u64) -> Change {
        let known = self.counts.iter().find(|(known, _)| known == name);
        known.map_or(Change::New, |&(_, known)| {
            let change = count.abs_diff(known) * 1000 / known.max(1);
            let change = i64::try_from(change).unwrap_or(i64::MAX);
            Change::Permille(if count < known { -change } else { change })
        })
    }
}

impl Change {
    /// Tells whether it is no more than so many in a thousand.
    pub(crate) fn is_within(self, permille: i64) -> bool {
        match self {
            Self::New => false,
            Self::Permille(change) => change.abs() <= permille,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("not in the file"),
            Self::Permille(change) => {
                let sign = if *change < 0 { '-' } else { '+' };
                write!(f, "{sign}{}.{} %", change.abs() / 10, change.abs() % 10)
            }
        }
    }
}
