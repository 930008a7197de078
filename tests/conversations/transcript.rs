//! A transcript: playing it, and telling how two of them differ.

use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::host::Host;

/// Plays a conversation and returns its text with what really happened, or why that was not possible.
pub(crate) fn play(written: &str) -> Result<String, String> {
    let number = Cell::new(0);
    let played = catch_unwind(AssertUnwindSafe(|| play_lines(written, &number)));
    let played = played.unwrap_or_else(|_| Err("panicked, see above".into()));
    played.map_err(|problem| format!("line {}: {problem}\n", number.get()))
}

fn play_lines(written: &str, number: &Cell<usize>) -> Result<String, String> {
    let mut host = Host::default();
    let mut played = String::new();
    for (line, place) in written.lines().zip(1..) {
        number.set(place);
        if line.starts_with("  ") {
            continue;
        }
        played.push_str(line);
        played.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            for output in host.take_in(line)? {
                played.push_str("  ");
                played.push_str(&output);
                played.push('\n');
            }
        }
    }
    Ok(played)
}

/// Tells what a conversation lacks.
pub(crate) fn flaw(played: &str) -> Option<String> {
    if !played.starts_with("# ") {
        Some("does not start with a comment\n".into())
    } else if !played.contains("\n  ") {
        Some("nothing comes out\n".into())
    } else {
        None
    }
}

/// Shows where two texts differ: `-` is what is written, `+` what happened.
pub(crate) fn difference(written: &str, played: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (written.lines().collect(), played.lines().collect());
    // For each pair of places, how many lines the rests have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut shown = String::from("went otherwise\n");
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            let input = !old[i].starts_with("  ");
            let differs_below = old.get(i + 1) != new.get(j + 1);
            if input && differs_below {
                let _ = writeln!(shown, "{:>5}   {}", i + 1, old[i]);
            }
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            let _ = writeln!(shown, "{:>5} - {}", i + 1, old[i]);
            i += 1;
        } else {
            let _ = writeln!(shown, "      + {}", new[j]);
            j += 1;
        }
    }
    shown
}
