//! Counts instructions by running this program again under callgrind.

use std::env;
use std::process::Command;

use crate::scenarios::ROUNDS;

/// The variable that names the scenario to the program that is counted.
pub(crate) const SCENARIO: &str = "HUBCAST_SCENARIO";

/// Returns how many instructions one round of a scenario takes.
///
/// # Errors
///
/// One line that says why they could not be counted, and what to do.
pub(crate) fn count(scenario: &str) -> Result<u64, String> {
    let program = env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        // Counted is what happens within this function.
        .arg("--toggle-collect=*scenarios::measured*")
        .arg(program)
        .env(SCENARIO, scenario)
        .output()
        .map_err(|error| {
            format!("valgrind: {error}: install it, on Debian with apt-get install valgrind")
        })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = said.lines().rev().take(20).collect::<Vec<_>>();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(format!("{scenario}: {}:\n{last}", output.status));
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let collected = collected.and_then(|(_, count)| count.trim().parse::<u64>().ok());
    match collected {
        Some(count @ 1..) => Ok(count / ROUNDS),
        _ => Err(format!("{scenario}: callgrind counted nothing:\n{said}")),
    }
}
