//! Every input there is, written and read.

use hubcast::Config;
use hubcast::replay::{Entry, Input, JournalReader, JournalWriter};

use crate::same::WHOLE;
use crate::story;

/// Each variant of each type comes back as it was, from a journal and from JSON; and writing it again gives the same
/// bytes.
#[test]
fn every_input_round_trips() {
    let inputs = story::every_input();
    let mut writer = JournalWriter::new(&Config::new(1), WHOLE).unwrap();
    for (now, input) in &inputs {
        writer.write(input.clone(), None, *now);
    }
    let journal = writer.take_bytes();
    let mut again = JournalWriter::new(&Config::new(1), WHOLE).unwrap();
    let mut count = 0;
    for (entry, (now, input)) in JournalReader::new(&journal).unwrap().zip(&inputs) {
        let Entry::Input { now: read_now, input: read } = entry.unwrap() else {
            panic!("only inputs were written");
        };
        assert_eq!(read_now, *now);
        assert_eq!(format!("{read:?}"), format!("{input:?}"));
        let json = serde_json::to_string(input).unwrap();
        let from_json: Input<'static> = serde_json::from_str(&json).unwrap();
        assert_eq!(format!("{from_json:?}"), format!("{input:?}"), "{json}");
        assert_eq!(format!("{:?}", input.clone().into_owned()), format!("{input:?}"));
        again.write(read, None, read_now);
        count += 1;
    }
    assert_eq!(count, inputs.len());
    assert_eq!(again.take_bytes(), journal);
}

/// The list has every verb in it, so nothing can be forgotten there.
#[test]
fn every_verb_is_there() {
    let mut verbs: Vec<_> = story::every_input().iter().map(|(_, input)| input.name()).collect();
    verbs.sort_unstable();
    verbs.dedup();
    let expected = [
        "advance",
        "answer",
        "close",
        "execute",
        "open",
        "pause",
        "receive",
        "reconfigure",
        "resume",
        "stop",
    ];
    assert_eq!(verbs, expected);
}
