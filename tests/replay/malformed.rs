//! Journals that are broken: every one is an error that says where, or a journal of something else; never more.

use hubcast::replay::{Entry, JournalProblem, JournalReader, JournalWriter, Replay, ReplayError};

use crate::same::WHOLE;
use crate::story;

fn journal() -> Vec<u8> {
    let mut writer = JournalWriter::new(&story::config(), WHOLE).unwrap();
    for (now, input) in story::every_input() {
        writer.write(input, None, now);
    }
    writer.take_bytes()
}

/// Cut off anywhere, it reads up to the last whole entry, and then tells where it ends.
#[test]
fn every_truncation() {
    let journal = journal();
    let mut whole = Vec::new();
    let mut reader = JournalReader::new(&journal).unwrap();
    let start = reader.offset();
    while reader.next().is_some() {
        whole.push(reader.offset());
    }
    for end in 0..journal.len() {
        let reader = match JournalReader::new(&journal[..end]) {
            Ok(reader) => reader,
            Err(error) => {
                assert!(end < start);
                let problem =
                    if end == 0 { JournalProblem::NoJournal } else { JournalProblem::CutOff };
                assert_eq!((error.entry, error.offset, error.problem), (0, 0, problem));
                continue;
            }
        };
        let before = whole.iter().filter(|&&each| each <= end).count();
        let entries: Vec<_> = reader.collect();
        let good = entries.iter().filter(|entry| entry.is_ok()).count();
        assert_eq!(good, before);
        let cut = end != start && !whole.contains(&end);
        assert_eq!(entries.len() - good, usize::from(cut));
        if cut {
            let error = entries.last().unwrap().as_ref().unwrap_err();
            let offset = whole[..before].last().copied().unwrap_or(start);
            let expected = (before as u64 + 1, offset, JournalProblem::CutOff);
            assert_eq!((error.entry, error.offset, error.problem), expected);
        }
    }
}

/// With any byte changed it is played to the end or to an error, and the engine stays sound.
#[test]
fn every_byte_changed() {
    let journal = journal();
    for place in 0..journal.len() {
        for change in [1 << (place % 8), 0x80, 0xff] {
            let mut broken = journal.clone();
            broken[place] ^= change;
            let Ok(mut replay) = Replay::new(&broken) else { continue };
            let played = replay.run();
            replay.engine().check();
            if let Err(ReplayError::Journal(error)) = played {
                assert!(error.entry > 0 && error.offset <= place.max(journal.len()));
                assert!(replay.step().unwrap().is_none(), "it is over");
            }
        }
    }
}

/// Each problem has its text, with the entry and the offset.
#[test]
fn problems() {
    let journal = journal();
    let start = JournalReader::new(&journal).unwrap().offset();
    let header = &journal[..start];
    let error = |bytes: &[u8]| match JournalReader::new(bytes) {
        Err(error) => error.to_string(),
        Ok(reader) => reader.last().unwrap().unwrap_err().to_string(),
    };
    let behind = |entries: &[u8]| error(&[header, entries].concat());
    assert_eq!(error(b"{}"), "the header at byte 0: this is no journal of hubcast");
    let mut newer = journal.clone();
    newer[8] = 9;
    let format = "the journal has format 9, this version of hubcast reads format 1";
    assert_eq!(error(&newer), format!("the header at byte 0: {format}"));
    // Pauses of a connection that nobody knows: variant, time, verb, index, generation.
    let pause = [5, 0, 0, 4, 3, 1];
    assert_eq!(
        behind(&[&pause[..], &[5, 0]].concat()),
        format!("entry 2 at byte {}: the journal ends within it", start + 6),
    );
    let entry = |problem: &str| format!("entry 1 at byte {start}: {problem}");
    assert_eq!(behind(&[5, 0, 0, 4, 3, 0]), entry("it is malformed"));
    assert_eq!(behind(&[1, 77]), entry("it is malformed"));
    assert_eq!(behind(&[0]), entry("it is malformed"));
    assert_eq!(behind(&[6, 0, 0, 4, 3, 1, 1]), entry("it has bytes left over"));
    assert_eq!(behind(&[0xff; 9]), entry("its length is malformed"));
    assert_eq!(behind(&[0x80, 0x80, 0x80, 0x80, 0x10]), entry("its length is malformed"));
    assert_eq!(behind(&[0xff, 0xff, 0xff, 0xff, 0x0f]), entry("the journal ends within it"));
    let end = [2, 2, 0];
    assert_eq!(
        behind(&[&end[..], &pause].concat()),
        format!("entry 2 at byte {}: it comes behind the end", start + 3),
    );
    let read: Vec<_> = JournalReader::new(&[header, &pause].concat()).unwrap().collect();
    assert!(matches!(read[..], [Ok(Entry::Input { .. })]));
}

/// A list that claims to be endless takes no memory that the journal does not have.
#[test]
fn claims_are_not_believed() {
    let journal = journal();
    let start = JournalReader::new(&journal).unwrap().offset();
    // An open whose roles claim 2^60 texts: hub "h", plain, no event mode, not anonymous, no user.
    let claim =
        [0, 0, 0, 1, b'h', 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    let bytes = [&journal[..start], &[claim.len() as u8], &claim].concat();
    let error = JournalReader::new(&bytes).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.problem, JournalProblem::Malformed);
}

/// A configuration that no engine takes is named as what it is.
#[test]
fn configuration_that_breaks_a_rule() {
    let mut config = story::config();
    config.limits.ack_cache = 0;
    let bytes = JournalWriter::new(&config, WHOLE).unwrap().take_bytes();
    let error = Replay::new(&bytes).unwrap_err().to_string();
    assert_eq!(error, "the configuration in the header: limits: ack_cache must be at least 1");
}
