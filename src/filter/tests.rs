//! What cannot be seen from outside: which conditions go to the indexes.

use alloc::format;

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
