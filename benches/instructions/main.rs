//! How many instructions fixed scenarios take, so that no commit makes them slower unseen.
//!
//! `cargo bench --bench instructions` runs each scenario under callgrind, which counts the same on a busy machine as on
//! an idle one, and compares with `benches/instructions/counts.txt`. More than 3 % away, up or down, is an error: a
//! change that is meant updates the file in the same commit, with `UPDATE=1 cargo bench --bench instructions`.
//!
//! It needs valgrind. With `-- --test` each scenario runs without it and nothing is counted. The
//! counts belong to one version of the compiler, which the file names; with another one they are shown and not
//! compared.

mod callgrind;
mod counts;
mod scenarios;

use std::env;
use std::process::ExitCode;

use self::counts::Counts;
use self::scenarios::SCENARIOS;

/// How far a count may be from the one in the file, in thousandths.
const TOLERANCE: i64 = 30;

fn main() -> ExitCode {
    if let Some(name) = env::var_os(callgrind::SCENARIO) {
        scenarios::run(&name.to_string_lossy());
        return ExitCode::SUCCESS;
    }
    if env::args().any(|argument| argument == "--test") {
        for (name, _) in SCENARIOS {
            scenarios::run(name);
        }
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all scenarios and tells whether their counts are those of the file.
///
/// # Errors
///
/// One line that says why they cannot be compared, and what to do.
fn compare() -> Result<bool, String> {
    let known = Counts::read()?;
    let mut now = Counts::of_this_compiler();
    let mut is_as_known = true;
    for (name, _) in SCENARIOS {
        let count = callgrind::count(name)?;
        now.set(name, count);
        let change = known.change(name, count);
        is_as_known &= change.is_within(TOLERANCE);
        println!("{name:44} {count:>8} instructions  {change}");
    }
    if env::var_os("UPDATE").is_some() {
        now.write()?;
        return Ok(true);
    }
    if known.compiler() != now.compiler() {
        let (theirs, ours) = (known.compiler(), now.compiler());
        println!("the counts of the file are those of {theirs}, this is {ours}: not compared");
        return Ok(true);
    }
    if !is_as_known {
        println!(
            "more than {TOLERANCE} % away: if that is meant, UPDATE=1 cargo bench --bench instructions"
        );
    }
    Ok(is_as_known)
}
