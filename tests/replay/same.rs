//! What was recorded comes out again.

use hubcast::replay::{Input, JournalConfig, JournalReader, Redaction, Replay};
use hubcast::testing::strategy;
use proptest::prelude::*;

use crate::host::{Host, replay};

pub(crate) const WHOLE: JournalConfig =
    JournalConfig { bytes: 1 << 30, redaction: Redaction::None, digests: true };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is done to an engine: a replay gives the same actions and the same answers, byte for byte, and every
    /// digest that was recorded on the way is its own. Also where actions are held back for long.
    #[test]
    fn actions_are_the_same(
        setup in strategy::setup(),
        steps in prop::collection::vec(strategy::step(), 1..60),
    ) {
        compare(&mut Host::new(&setup, Some(WHOLE)), &steps);
    }

    /// The same where more works, so that more comes out.
    #[test]
    fn lively_actions_are_the_same(
        setup in strategy::lively_setup(),
        steps in prop::collection::vec(strategy::lively_step(), 1..60),
    ) {
        compare(&mut Host::new(&setup, Some(WHOLE)), &steps);
    }

    /// Recording changes nothing, and an engine that is not recorded has no journal.
    #[test]
    fn recording_changes_nothing(
        setup in strategy::setup(),
        steps in prop::collection::vec(strategy::step(), 1..30),
    ) {
        let (mut recorded, mut other) = (Host::new(&setup, Some(WHOLE)), Host::new(&setup, None));
        prop_assert!(!recorded.run(&steps).is_empty());
        prop_assert!(other.run(&steps).is_empty());
        prop_assert_eq!(&recorded.actions, &other.actions);
        prop_assert_eq!(&recorded.outcomes, &other.outcomes);
    }
}

fn compare(host: &mut Host, steps: &[hubcast::testing::Step]) {
    let journal = host.run(steps);
    let replayed = replay(&journal);
    assert_eq!(replayed.inputs, host.outcomes.len() as u64);
    assert_eq!(replayed.outcomes, host.outcomes);
    assert_eq!(replayed.actions, host.actions);
    let again = replay(&journal);
    assert_eq!(again.digest, replayed.digest);
}

/// Where a replay gets something else, it names the input: here one that was changed after it was recorded.
#[test]
fn divergence_names_the_input() {
    use hubcast::replay::{Entry, JournalWriter, Message};
    use hubcast::{Config, Incoming, Open, Protocol, Time};

    let mut engine = hubcast::replay::Recorder::new(Config::new(1), Some(WHOLE)).unwrap();
    let open = Open { hub: "chat", protocol: Protocol::Json, ..Open::default() };
    let key = engine.open(open, Time::EPOCH);
    while engine.poll_action().is_some() {}
    for ack in 1..6 {
        let join = format!(r#"{{"type":"joinGroup","group":"g","ackId":{ack}}}"#);
        engine.receive(key, Incoming::Text(&join), Time::from_secs(ack));
        while engine.poll_action().is_some() {}
    }
    let journal = engine.finish();
    let changed = |from: &str, to: &str| {
        let mut writer = JournalWriter::new(&Config::new(1), WHOLE).unwrap();
        for entry in JournalReader::new(&journal).unwrap() {
            match entry.unwrap() {
                Entry::Input { now, mut input } => {
                    if let Input::Receive { message: Message::Text(text), .. } = &mut input {
                        *text = text.replace(from, to).into();
                    }
                    writer.write(input, None, now);
                }
                Entry::Drained(checkpoint) => writer.drained(checkpoint),
                Entry::Truncated { .. } => panic!("there is room for all"),
            }
        }
        let bytes = writer.take_bytes();
        let mut replay = Replay::new(&bytes).unwrap();
        replay.run().unwrap();
        replay.divergence().map(|it| (it.first, it.last, it.to_string()))
    };
    assert_eq!(changed("same", "same"), None);
    let other = "the replay differs at input 4: as many actions as recorded, but other ones";
    assert_eq!(changed(r#""ackId":3"#, r#""ackId":9"#), Some((4, 4, other.into())));
    let fewer = "the replay differs at input 6: 0 actions, recorded were 1";
    assert_eq!(changed(r#","ackId":5"#, ""), Some((6, 6, fewer.into())));
}
