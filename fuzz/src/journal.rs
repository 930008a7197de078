//! Journals from bytes: reading and playing them never panics, the engine stays sound whatever they say, and what was read
//! can be written, with and without what is secret. What an engine does is recorded so that it is played the same.

use core::time::Duration;

use hubcast::replay::{
    Entry, Input, JournalConfig, JournalReader, JournalWriter, Recorder, Redaction, Replay,
};
use hubcast::{Config, Time};

/// The most inputs of one run.
const INPUTS_MAX: u64 = 300;

/// What inputs begin with that are to be recorded; no entry is as long as this would say.
const BARE: u8 = 255;

/// Plays the bytes as a journal, as the entries of one whose header is good, or as inputs that are recorded before.
pub fn run(data: &[u8]) {
    if data.starts_with(b"hubcast") {
        play(data);
        return;
    }
    if let Some(inputs) = data.strip_prefix(&[BARE]) {
        let journal = record(inputs);
        let mut replay = Replay::new(&journal).expect("it was just recorded");
        replay.run().expect("the same inputs give the same actions");
        play(&journal);
        return;
    }
    let mut journal = writer().take_bytes();
    journal.extend_from_slice(data);
    play(&journal);
}

/// Records inputs, each behind a number: how many milliseconds it comes later, twice, and 1 if the actions are polled
/// then.
fn record(mut inputs: &[u8]) -> Vec<u8> {
    let mut engine = Recorder::new(config(), Some(whole())).expect("it is good");
    let mut now = Time::EPOCH;
    for _ in 0..INPUTS_MAX {
        let Ok(((number, input), rest)) = postcard::take_from_bytes::<(u32, Input<'_>)>(inputs)
        else {
            break;
        };
        now = now + Duration::from_millis(u64::from(number / 2));
        engine.apply(&input, now);
        if number % 2 == 1 {
            while engine.poll_action().is_some() {}
        }
        inputs = rest;
    }
    engine.finish()
}

fn play(journal: &[u8]) {
    let Ok(mut replay) = Replay::new(journal) else { return };
    while replay.inputs() < INPUTS_MAX && matches!(replay.step(), Ok(Some(_))) {
        while replay.poll_action().is_some() {}
        replay.engine().check();
    }
    let digest = replay.digest();
    let mut again = Replay::new(journal).expect("it was good before");
    while again.inputs() < INPUTS_MAX && matches!(again.step(), Ok(Some(_))) {}
    while again.poll_action().is_some() {}
    assert_eq!(again.digest(), digest, "the same inputs give the same actions");
    rewrite(journal);
    redact(journal);
}

/// What was read and is written comes out the same.
fn rewrite(journal: &[u8]) {
    let reader = JournalReader::new(journal).expect("it was good before");
    let entries: Vec<_> = reader.map_while(Result::ok).take(INPUTS_MAX as usize).collect();
    let mut writer = writer();
    for entry in &entries {
        match entry {
            Entry::Input { now, input } => writer.write(input.clone(), None, *now),
            Entry::Drained(checkpoint) => writer.drained(*checkpoint),
            Entry::Truncated { .. } => {}
        }
    }
    let written = writer.take_bytes();
    let again = JournalReader::new(&written).expect("it was just written");
    let entries = entries.iter().filter(|entry| !matches!(entry, Entry::Truncated { .. }));
    let mut count = 0;
    for (entry, other) in entries.clone().zip(again) {
        let other = other.expect("it was just written");
        assert_eq!(format!("{other:?}"), format!("{entry:?}"));
        count += 1;
    }
    assert_eq!(count, entries.count());
}

/// Anything can be redacted, and the rest is a journal.
fn redact(journal: &[u8]) {
    let reader = JournalReader::new(journal).expect("it was good before");
    let config = reader.header().settings.to_config();
    let redaction = Redaction::SecretsAndPayloads;
    let without = JournalConfig { bytes: u64::MAX, redaction, digests: true };
    let mut engine = Recorder::new(config, Some(without)).expect("it was good before");
    let mut inputs = 0;
    for entry in reader.map_while(Result::ok).take(INPUTS_MAX as usize) {
        match entry {
            Entry::Input { now, input } => {
                engine.apply(&input, now);
                inputs += 1;
            }
            Entry::Drained(_) => while engine.poll_action().is_some() {},
            Entry::Truncated { .. } => {}
        }
    }
    let redacted = engine.finish();
    let mut replay = Replay::new(&redacted).expect("it was just written");
    replay.run().expect("it was just written");
    assert_eq!(replay.inputs(), inputs);
    replay.engine().check();
}

fn writer() -> JournalWriter {
    JournalWriter::new(&config(), whole()).expect("there is room for everything")
}

fn whole() -> JournalConfig {
    JournalConfig { bytes: u64::MAX, redaction: Redaction::None, digests: true }
}

fn config() -> Config {
    let mut config = Config::new(1);
    config.limits.paused_messages = 2;
    config.limits.groups_per_connection = 3;
    config
}
