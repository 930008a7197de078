//! The example that steps through journals, as its users see it. `cargo test` builds it first, unless only some tests
//! are asked for.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the example; returns its exit code, what it wrote, and what it complained of.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut path = std::env::current_exe().expect("a path");
    path.pop();
    path.pop();
    let output = Command::new(path.join("examples").join("replay"))
        .args(arguments)
        .output()
        .expect("the example is built: cargo build --features replay --example replay");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/golden.journal")
}

/// Each input is a line with its actions below, and what is asked for is what is shown.
#[test]
fn steps() {
    let golden = golden();
    let golden = golden.to_str().unwrap();
    let (code, all, _) = run(&[golden]);
    assert_eq!(code, Some(0));
    assert!(all.contains("\n#2 +0.250 open hub \"open\", Plain -> 1v1\n    record "));
    assert!(all.contains("\n    deliver to 1v1, text 3 bytes hé\n"));
    let (_, two, _) = run(&["--until", "2", "--state", golden]);
    assert!(two.contains("hub open: 1 connections, 0 groups, 0 users\n  connection 1v1: id 0000"));
    assert!(!two.contains("#3 "));
    let (_, half, _) = run(&["--until", "+0.5", golden]);
    assert!(half.contains("#3 ") && !half.contains("#4 "));
    let (_, dated, _) = run(&["--until", "2026-09-21T14:13:20.750Z", golden]);
    assert_eq!(dated, half);
    let by_key = run(&["--connection", "1v1", golden]).1;
    assert!(by_key.contains("\n#44 ") && !by_key.contains("\n#1 ") && !by_key.contains("0v1"));
    let by_id = run(&["--connection", "00000001000000000000000000000000", golden]).1;
    assert!(by_id.contains("\n#2 ") && by_id.contains("\n#44 ") && !by_id.contains("0v1"));
    let (code, checked, _) = run(&["--check", golden]);
    assert_eq!((code, checked.ends_with("the same as recorded\n")), (Some(0), true));
    let (_, digests, _) = run(&["--digests", golden]);
    let expected = Path::new(golden).with_extension("digests");
    assert_eq!(digests, std::fs::read_to_string(expected).unwrap());
}

/// What cannot be done is told with what to do, and with an exit code.
#[test]
fn failures() {
    let (code, help, _) = run(&["--help"]);
    assert_eq!((code, help.contains("--connection ID|KEY")), (Some(0), true));
    for (arguments, complaint) in [
        (&[][..], "which journal? Give its file; see --help\n"),
        (&["--until", "soon", "x"], "--until soon: expected the number of an input (1200)"),
        (&["--nonsense"], "invalid option '--nonsense'; see --help\n"),
        (&["/nowhere/x.journal"], "cannot read /nowhere/x.journal: "),
    ] {
        let (code, _, error) = run(arguments);
        assert_eq!((code, error.starts_with(complaint)), (Some(2), true), "{error}");
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (code, _, error) = run(&[manifest]);
    let complaint = "the header at byte 0: this is no journal of hubcast\nIs it compressed";
    assert_eq!((code, error.starts_with(complaint)), (Some(1), true), "{error}");
}
