//! Conditions that an index answers, conditions for which the hub is walked through, and both of them joined.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::pool::{group, user};
use crate::protocol::Protocol;
use crate::testing::condition::Condition;

/// Draws a condition on connections, up to four levels deep: what an index answers, what it does not, and both joined
/// and turned round.
pub fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![3 => narrowed(), 2 => walked()].prop_recursive(3, 8, 3, |inner| {
        let several = || vec(inner.clone(), 0..4);
        prop_oneof![
            4 => several().prop_map(Condition::All),
            2 => several().prop_map(Condition::Any),
            1 => inner.clone().prop_map(|it| Condition::Not(Box::new(it))),
        ]
    })
}

fn narrowed() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => user().prop_map(Condition::User),
        2 => vec(user(), 0..4).prop_map(Condition::Users),
        4 => group().prop_map(Condition::Group),
        3 => (0usize..7).prop_map(Condition::Connection),
        3 => vec(0usize..7, 0..6).prop_map(Condition::Connections),
    ]
}

fn walked() -> impl Strategy<Value = Condition> {
    prop_oneof![
        Just(Condition::Anonymous),
        select(vec!["", "a", "bob", "z"])
            .prop_map(|prefix| Condition::UserPrefix(prefix.to_owned())),
        (0usize..4).prop_map(Condition::GroupsOver),
        select(Protocol::ALL.to_vec()).prop_map(Condition::Protocol),
    ]
}
