//! Replays of journals in WebAssembly, for a host that can pass numbers only.
//!
//! The host pushes the bytes of a journal, calls `play`, and then reads the text of the digests byte by byte.

use std::fmt::Write as _;
use std::sync::Mutex;

use hubcast::replay::Replay;

static JOURNAL: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static DIGESTS: Mutex<String> = Mutex::new(String::new());

/// Appends a byte to the journal.
#[no_mangle]
pub extern "C" fn push(byte: u32) {
    JOURNAL.lock().unwrap().push(byte as u8);
}

/// Plays the journal, forgets it, and returns how many bytes the text of the digests has.
#[no_mangle]
pub extern "C" fn play() -> u32 {
    let journal = std::mem::take(&mut *JOURNAL.lock().unwrap());
    let digests = digests(&journal).unwrap_or_else(|error| error);
    let length = digests.len() as u32;
    *DIGESTS.lock().unwrap() = digests;
    length
}

/// Returns a byte of the text.
#[no_mangle]
pub extern "C" fn byte(place: u32) -> u32 {
    DIGESTS.lock().unwrap().as_bytes()[place as usize].into()
}

/// Writes the lines that `cargo run --example replay -- --digests` writes.
fn digests(journal: &[u8]) -> Result<String, String> {
    let mut replay = Replay::new(journal).map_err(|error| error.to_string())?;
    let mut lines = String::new();
    while let Some(step) = replay.step().map_err(|error| error.to_string())? {
        while replay.poll_action().is_some() {}
        let digest = replay.step_digest();
        _ = writeln!(lines, "{} {} {digest}", step.number, step.input.name());
    }
    if let Some(divergence) = replay.divergence() {
        _ = writeln!(lines, "{divergence}");
    }
    _ = writeln!(lines, "total {}", replay.digest());
    Ok(lines)
}
