//! A journal that was written once, and what a replay of it gave. When this fails, the format of journals, the canonical
//! form of actions, or what the engine does has changed.
//!
//! `UPDATE=1 cargo test --features replay,testing --test replay golden` writes both anew. A change of the format, or of
//! the canonical form, also needs a new format version.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use hubcast::replay::{Entry, JournalReader, JournalWriter, Recorder, Replay};
use hubcast::testing::strategy;
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::host::Host;
use crate::same::WHOLE;
use crate::story;

/// The journal gives what it gave, and is written as it was.
#[test]
fn golden() {
    let (journal, digests) = (folder().join("golden.journal"), folder().join("golden.digests"));
    if std::env::var_os("UPDATE").is_some() {
        let bytes = tell();
        fs::write(&digests, digests_of(&bytes)).unwrap();
        fs::write(&journal, bytes).unwrap();
    }
    let bytes = fs::read(&journal).unwrap();
    assert_eq!(digests_of(&bytes), fs::read_to_string(&digests).unwrap());
    // The header names the version of the crate.
    let (reader, again) = (JournalReader::new(&bytes).unwrap(), rewrite(&bytes));
    let start = JournalReader::new(&again).unwrap().offset();
    assert_eq!(again[start..], bytes[reader.offset()..]);
}

/// Journals of many operations, to be played elsewhere: `JOURNALS=DIRECTORY` keeps them, with their digests beside them.
#[test]
fn journals_for_other_platforms() {
    let mut runner = TestRunner::deterministic();
    for number in 0..6 {
        let steps = vec(strategy::step(), 200).new_tree(&mut runner).unwrap().current();
        let lively = vec(strategy::lively_step(), 400).new_tree(&mut runner).unwrap().current();
        let setup = if number % 2 == 0 {
            strategy::setup().new_tree(&mut runner).unwrap().current()
        } else {
            strategy::lively_setup().new_tree(&mut runner).unwrap().current()
        };
        let steps = if number % 2 == 0 { steps } else { lively };
        let journal = Host::new(&setup, Some(WHOLE)).run(&steps);
        let digests = digests_of(&journal);
        assert!(digests.lines().count() > 100, "much happens");
        if let Some(directory) = std::env::var_os("JOURNALS") {
            let path = PathBuf::from(directory).join(format!("random-{number}.journal"));
            fs::write(path.with_extension("digests"), digests).unwrap();
            fs::write(path, journal).unwrap();
        }
    }
}

/// Returns the digest of each step and of all, one in a line.
fn digests_of(journal: &[u8]) -> String {
    let mut replay = Replay::new(journal).unwrap();
    let mut lines = String::new();
    while let Some(step) = replay.step().unwrap() {
        while replay.poll_action().is_some() {}
        writeln!(lines, "{} {} {}", step.number, step.input.name(), replay.step_digest()).unwrap();
    }
    assert_eq!(replay.divergence(), None);
    writeln!(lines, "total {}", replay.digest()).unwrap();
    lines
}

/// Records every input that there is.
fn tell() -> Vec<u8> {
    let mut engine = Recorder::new(story::config(), Some(WHOLE)).unwrap();
    for (now, input) in story::every_input() {
        engine.apply(&input, now);
        while engine.poll_action().is_some() {}
    }
    engine.finish()
}

fn rewrite(journal: &[u8]) -> Vec<u8> {
    let reader = JournalReader::new(journal).unwrap();
    let mut writer = JournalWriter::new(&reader.header().settings.to_config(), WHOLE).unwrap();
    for entry in reader {
        match entry.unwrap() {
            Entry::Input { now, input } => writer.write(input, None, now),
            Entry::Drained(checkpoint) => writer.drained(checkpoint),
            Entry::Truncated { .. } => panic!("there is room for all"),
        }
    }
    writer.take_bytes()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay")
}
