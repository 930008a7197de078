use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec;
use core::num::NonZeroU32;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::action::Recipients;
use crate::protocol::Seam;
use crate::state::Arena;

/// What was handed out of a batch: the text of each frame, its sequence id, its time and its delivery.
type Handed = Vec<(ConnectionKey, Vec<(Bytes, u64, Option<Time>, usize)>)>;

/// Returns keys with the indexes from 0 on, in their first generation.
fn keys(count: usize) -> Vec<ConnectionKey> {
    let mut arena = Arena::new();
    (0..count).map(|_| arena.insert(())).collect()
}

fn later(key: ConnectionKey, generation: u32) -> ConnectionKey {
    key.of_generation(NonZeroU32::new(generation).unwrap())
}

fn push(batch: &mut Batch, text: &str, connections: &[ConnectionKey], sequences: &[u64]) {
    let frame = Frame::text(Bytes::copy_from_slice(text.as_bytes()), Seam::None);
    let expires = (text.len() > 1).then_some(Time::from_secs(text.len() as u64));
    let to = Recipients { connections, sequences };
    batch.push(&Deliver { frame: &frame, to, expires });
}

fn drain(batch: &mut Batch) -> Handed {
    let mut handed = Handed::new();
    batch.drain(|connection, frames| {
        let frames = frames.map(|it| (it.frame.bytes(0), it.sequence, it.expires, it.delivery));
        handed.push((connection, frames.collect()));
    });
    assert!(batch.is_empty());
    handed
}

/// Every connection gets its own frames, in order, with what belongs to them.
#[test]
fn frames_by_connection() {
    let keys = keys(3);
    let mut batch = Batch::default();
    assert_eq!(drain(&mut batch), []);
    push(&mut batch, "a", &keys[..2], &[]);
    push(&mut batch, "bb", &keys[1..], &[7, 9]);
    assert_eq!(batch.len(), 4);
    let a = || Bytes::from_static(b"a");
    let b = || Bytes::from_static(b"bb");
    let time = Some(Time::from_secs(2));
    let expected = [
        (keys[0], vec![(a(), 0, None, 0)]),
        (keys[1], vec![(a(), 0, None, 0), (b(), 7, time, 1)]),
        (keys[2], vec![(b(), 9, time, 1)]),
    ];
    assert_eq!(drain(&mut batch), expected);
}

/// A batch that was drained starts over with the memory that it has.
#[test]
fn memory_is_used_again() {
    let keys = keys(100);
    let mut batch = Batch::default();
    let memory = |batch: &Batch| {
        let Batch { latest, queues, places, deliveries } = batch;
        (latest.capacity(), queues.capacity(), places.capacity(), deliveries.capacity())
    };
    let mut before = None;
    for _ in 0..3 {
        push(&mut batch, "a", &keys, &[]);
        push(&mut batch, "b", &keys[50..], &[]);
        let handed = drain(&mut batch);
        assert_eq!((handed.len(), handed[49].1.len(), handed[50].1.len()), (100, 1, 2));
        assert_eq!(*before.get_or_insert(memory(&batch)), memory(&batch));
    }
}

/// A connection that was recovered has the same index and another generation: the two get frames of their own, in
/// whatever order they come.
#[test]
fn generations_are_told_apart() {
    let key = keys(1)[0];
    let mut batch = Batch::default();
    for (text, generation) in [("1", 1), ("2", 2), ("3", 3), ("4", 1), ("5", 3), ("6", 2)] {
        push(&mut batch, text, &[later(key, generation)], &[]);
    }
    let texts: Vec<_> = drain(&mut batch)
        .into_iter()
        .map(|(key, frames)| (key, frames.into_iter().map(|it| it.0).collect::<Vec<_>>().concat()))
        .collect();
    let expected = [(1, b"14"), (2, b"26"), (3, b"35")];
    assert_eq!(texts, expected.map(|(generation, text)| (later(key, generation), text.to_vec())));
}

proptest! {
    /// A batch does what a map of lists does, tick after tick.
    #[test]
    fn as_a_map_of_lists(
        ticks in prop::collection::vec(
            prop::collection::vec(
                prop::collection::btree_map((0_usize..6, 1_u32..4), any::<u64>(), 1..8),
                0..12,
            ),
            1..4,
        )
    ) {
        let keys = keys(6);
        let mut batch = Batch::default();
        for tick in ticks {
            let mut expected: BTreeMap<(usize, u32), Vec<(Bytes, u64)>> = BTreeMap::new();
            let mut order = Vec::new();
            for (number, to) in tick.iter().enumerate() {
                let text = number.to_string();
                let connections: Vec<_> =
                    to.keys().map(|(index, generation)| later(keys[*index], *generation)).collect();
                let sequences: Vec<_> = to.values().copied().collect();
                push(&mut batch, &text, &connections, &sequences);
                for (name, sequence) in to {
                    let list = expected.entry(*name).or_insert_with(|| {
                        order.push(*name);
                        Vec::new()
                    });
                    list.push((Bytes::from(text.clone()), *sequence));
                }
            }
            prop_assert_eq!(batch.len(), tick.iter().map(BTreeMap::len).sum::<usize>());
            let handed: Vec<_> = drain(&mut batch)
                .into_iter()
                .map(|(key, frames)| {
                    let frames = frames.into_iter().map(|(text, sequence, ..)| (text, sequence));
                    (key, frames.collect::<Vec<_>>())
                })
                .collect();
            let expected: Vec<_> = order
                .iter()
                .map(|name| (later(keys[name.0], name.1), expected[name].clone()))
                .collect();
            prop_assert_eq!(handed, expected);
        }
    }
}
