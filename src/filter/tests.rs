//! What cannot be seen from outside: which conditions go to the indexes, and that journals can read what they print.

use alloc::format;
#[cfg(feature = "replay")]
use alloc::string::ToString;

use smallvec::smallvec;

use super::{Filter, Handle};

#[track_caller]
fn answered(text: &str, expected: &[Handle<'_>]) {
    let filter = Filter::parse(text).unwrap();
    // As text, because what is expected lives longer than the filter.
    assert_eq!(format!("{:?}", filter.handles()), format!("{expected:?}"), "{text}");
}

/// Each form that an index answers is found, whichever side the property is on.
#[test]
fn forms_that_an_index_answers() {
    answered("userId eq 'a'", &[Handle::Users(smallvec!["a"])]);
    answered("'a' eq USERID", &[Handle::Users(smallvec!["a"])]);
    answered("userId in ('b','a','b')", &[Handle::Users(smallvec!["a", "b"])]);
    answered("connectionId eq 'c'", &[Handle::Connections(smallvec!["c"])]);
    answered("connectionId in ('d','c')", &[Handle::Connections(smallvec!["c", "d"])]);
    answered("'g' in groups", &[Handle::Group("g")]);
    answered("userId in ()", &[Handle::Users(smallvec![])]);
}

/// All terms that have to hold are looked through, however they are nested.
#[test]
fn terms_that_all_have_to_hold() {
    answered(
        "length(userId) gt 1 and ('g' in groups and not (userId eq 'x')) and userId eq 'a'",
        &[Handle::Group("g"), Handle::Users(smallvec!["a"])],
    );
}

/// What does not bound the connections, or not by a literal, is none of an index's business.
#[test]
fn forms_that_no_index_answers() {
    for text in [
        "userId eq 'a' or 'g' in groups",
        "not (userId eq 'a')",
        "userId ne 'a'",
        "userId eq null",
        "userId in ('a',null)",
        "userId in ('a',connectionId)",
        "userId eq connectionId",
        "tolower(userId) eq 'a'",
        "protocol eq 'p'",
        "groups eq 'g'",
        "userId in groups",
        "'g' in groups eq true",
        "true",
    ] {
        answered(text, &[]);
    }
}

/// What is printed is read again, also where it has more parentheses than what was read, at the deepest.
#[cfg(feature = "replay")]
#[test]
fn printed_deeper_than_read() {
    // What is innermost is one level, too.
    let pairs = (Filter::DEPTH_MAX - 1) / 2;
    let text = "not protocol in (".repeat(pairs) + "null" + &")".repeat(pairs);
    let filter = Filter::parse(&text).unwrap();
    let printed = filter.to_string();
    assert!(Filter::parse(&printed).is_err(), "the parentheses are levels of their own");
    assert_eq!(Filter::parse_printed(&printed).unwrap(), filter);
}
