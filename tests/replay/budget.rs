//! A journal is never longer than it may be, and says where it ends.

use hubcast::Time;
use hubcast::replay::{
    Entry, JournalConfig, JournalReader, JournalWriter, Recorder, RecorderError, Redaction, Replay,
};

use crate::same::WHOLE;
use crate::story;

/// Records the story within so many bytes, and hands the bytes out one entry at a time.
fn record(bytes: u64) -> Result<Vec<u8>, RecorderError> {
    let journal = JournalConfig { bytes, ..WHOLE };
    let mut engine = Recorder::new(story::config(), Some(journal))?;
    let key = engine.open(hubcast::Open { hub: "chat", ..Default::default() }, Time::EPOCH);
    while engine.poll_action().is_some() {}
    let mut written = engine.take_bytes();
    for second in 1..20 {
        let text = "x".repeat(second as usize);
        engine.receive(key, hubcast::Incoming::Text(&text), Time::from_secs(second));
        while engine.poll_action().is_some() {}
        let recorded = engine.recorded();
        let bytes = engine.take_bytes();
        assert_eq!((bytes.len(), engine.recorded()), (recorded, 0));
        written.extend(bytes);
    }
    assert_eq!(engine.is_truncated(), truncated(&written));
    Ok(written)
}

fn truncated(journal: &[u8]) -> bool {
    let last = JournalReader::new(journal).unwrap().last();
    matches!(last, Some(Ok(Entry::Truncated { .. })))
}

/// For every budget there is: the journal keeps within it; what is there is what the whole journal begins with; and if
/// anything is missing, the last entry says from when on.
#[test]
fn every_budget() {
    let whole = record(WHOLE.bytes).unwrap();
    assert!(!truncated(&whole));
    let mut least = None;
    for bytes in 0..=whole.len() as u64 + 12 {
        let journal = match record(bytes) {
            Ok(journal) => journal,
            Err(error) => {
                let RecorderError::Budget(error) = error else { panic!("{error}") };
                assert!(bytes < error.least);
                least = Some(error.least);
                continue;
            }
        };
        assert!(least.is_some_and(|least| least <= bytes));
        assert!(journal.len() as u64 <= bytes);
        let mut replay = Replay::new(&journal).unwrap();
        replay.run().unwrap();
        assert_eq!(replay.divergence(), None);
        assert_eq!(replay.truncated().is_some(), truncated(&journal));
        if let Some(now) = replay.truncated() {
            let seconds = replay.inputs().saturating_sub(1);
            assert!([seconds, seconds + 1].contains(&now.as_secs()), "{seconds} {now}");
            assert!(replay.inputs() <= 20);
        } else {
            assert_eq!(journal, whole);
        }
    }
}

/// Nothing is written behind the last entry, whatever comes.
#[test]
fn the_last_entry_is_the_last() {
    let mut writer = JournalWriter::new(
        &story::config(),
        JournalConfig { bytes: 400, redaction: Redaction::None, digests: false },
    )
    .unwrap();
    for (now, input) in story::every_input() {
        writer.write(input, None, now);
    }
    assert!(writer.is_truncated());
    let written = writer.take_bytes();
    assert!(written.len() <= 400 && truncated(&written));
    writer.drained(hubcast::replay::Checkpoint { actions: 1, digest: None });
    assert!(writer.is_empty());
    assert_eq!(writer.len(), 0);
}
