//! Each rule of the language, by examples.

use hubcast::Filter;
use hubcast::internals::Portrait;

const ALICE: Portrait<'_> = Portrait {
    user: Some("alice"),
    connection_id: "c1",
    groups: &["room", "den"],
    protocol: Some("json.webpubsub.azure.v1"),
};

/// Nobody in particular, on a plain connection, in no group.
const ANONYMOUS: Portrait<'_> =
    Portrait { user: None, connection_id: "c2", groups: &[], protocol: None };

#[track_caller]
fn is(portrait: &Portrait<'_>, text: &str, expected: bool) {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut scratch = String::from("what others left here");
    assert_eq!(portrait.matches(&filter, &mut scratch), expected, "{text}");
    assert_eq!(scratch, "what others left here", "{text}");
}

#[track_caller]
fn holds(texts: &[&str]) {
    for text in texts {
        is(&ALICE, text, true);
    }
}

#[track_caller]
fn fails(texts: &[&str]) {
    for text in texts {
        is(&ALICE, text, false);
    }
}

/// The empty text is no filter (`webpubsub.md` 9.8); a constant is one.
#[test]
fn constants() {
    holds(&["", "true", "not false", " ( true ) "]);
    fails(&["false", "not true"]);
}

/// The names of properties are in any case, the values are not.
#[test]
fn properties() {
    holds(&["userid eq 'alice'", "CONNECTIONID eq 'c1'", "'den' in Groups", "PROTOCOL ne null"]);
    fails(&["userId eq 'ALICE'", "'Den' in groups"]);
}

/// A connection without user and subprotocol has null for both.
#[test]
fn absent_properties() {
    for text in ["userId eq null", "protocol eq null", "length(groups) eq 0", "userId eq protocol"]
    {
        is(&ANONYMOUS, text, true);
    }
    for text in ["userId ne null", "userId eq ''", "'room' in groups", "null in groups"] {
        is(&ANONYMOUS, text, false);
    }
}

/// Values of different types are not the same, which is no error; the groups are the same as themselves.
#[test]
fn equality() {
    holds(&["1 eq 1", "1 ne '1'", "null eq null", "true ne 1", "true eq (1 eq 1)"]);
    holds(&["groups eq groups", "groups ne 'room'", "null ne ''"]);
    fails(&["1 eq 2", "'1' eq 1", "null eq false", "groups eq null"]);
}

/// Integers are in order; with null nothing is.
#[test]
fn order() {
    holds(&["1 lt 2", "2 gt 1", "2 ge 2", "2 le 2", "-1 lt 0", "-2147483648 lt 2147483647"]);
    fails(&["2 lt 1", "1 gt 2", "1 ge 2", "2 le 1", "1 gt 1"]);
    fails(&["null lt 1", "1 ge null", "null le null", "length(null) lt 1", "null lt 'a'"]);
    is(&ANONYMOUS, "length(userId) ge 0", false);
}

/// From tight to loose: `in`, `not`, comparisons, `and`, `or`; the same from the left.
#[test]
fn precedence() {
    holds(&["true or true and false", "not false and true", "not 'x' in groups", "not not true"]);
    holds(&["1 eq 1 eq true", "1 lt 2 eq true", "not true eq false", "'room' in groups eq true"]);
    fails(&["(true or true) and false", "not (false or true)", "not false eq false"]);
}

/// Lists have items of any kind; empty ones are skipped (`webpubsub.md` 9.8).
#[test]
fn lists() {
    holds(&[
        "userId in ('a', 'alice')",
        "1 in ('1',1)",
        "null in (null)",
        "'c1' in (connectionId)",
    ]);
    holds(&["userId in ('Doe, John','alice')", "userId in (,'b',,'alice',)", "groups in (groups)"]);
    holds(&["userId in (concat('al','ice'))", "(userId in ('alice')) in (true)"]);
    fails(&["userId in ()", "userId in (,)", "userId in ('b',userid eq 'alice')"]);
}

/// A collection has its items and nothing else.
#[test]
fn collections() {
    holds(&["'room' in groups", "concat('ro','om') in groups"]);
    fails(&["'roo' in groups", "1 in groups", "groups in groups", "userId in groups"]);
}

/// Quotes are doubled inside of strings; white space between words is of any kind and amount.
#[test]
fn spelling() {
    holds(&[
        "'it''s' eq concat('it', '''s')",
        "''''eq''''",
        "\tuserId\n eq\u{a0}'alice' ",
        "not(false)",
    ]);
    holds(&["length ('') eq 0", "'' eq trim('  ')"]);
}

/// Lengths and places count UTF-16 units.
#[test]
fn lengths_and_places() {
    holds(&[
        "length('🦀') eq 2",
        "length('é') eq 1",
        "length(groups) eq 2",
        "length(null) eq null",
    ]);
    holds(&["indexof('a🦀b', 'b') eq 3", "indexof('abab','b') eq 1", "indexof('a','x') eq -1"]);
    holds(&["indexof('a','') eq 0", "indexof(null,'a') eq -1", "indexof('a',null) eq -1"]);
}

/// Parts are where they are asked for, and null where they are not.
#[test]
fn substrings() {
    holds(&[
        "substring('abc',1) eq 'bc'",
        "substring('abc',0,2) eq 'ab'",
        "substring('abc',3) eq ''",
    ]);
    holds(&[
        "substring('abc',4) eq null",
        "substring('abc',-1) eq null",
        "substring('abc',1,3) eq null",
    ]);
    holds(&[
        "substring('abc',1,-1) eq null",
        "substring('abc',3,0) eq ''",
        "substring(null,0) eq null",
    ]);
    holds(&["substring('é🦀b',3) eq 'b'", "substring('é🦀b',1,2) eq '🦀'"]);
    holds(&["substring('🦀',1) eq null", "substring('🦀',0,1) eq null"]);
    is(&ANONYMOUS, "substring('abc',length(userId)) eq null", true);
    is(&ANONYMOUS, "substring('abc',0,length(userId)) eq null", true);
}

/// Case and white space.
#[test]
fn forms_of_texts() {
    holds(&["toupper('straße É') eq 'STRAßE É'", "tolower('ÀB') eq 'àb'", "tolower(null) eq null"]);
    holds(&["toupper('ı') eq 'ı'", "tolower('İ') eq 'İ'", "toupper('ǆ') eq 'Ǆ'"]);
    holds(&["trim(' \u{2003}a b\t') eq 'a b'", "trim(null) eq null", "toupper(userId) eq 'ALICE'"]);
}

/// A text in another: null is in nothing and has nothing.
#[test]
fn searches() {
    holds(&["contains(userId,'lic')", "startswith(userId,'al')", "endswith(userId,'ice')"]);
    holds(&["contains('','')", "startswith('a','')", "endswith('a','')"]);
    fails(&["contains(userId,'LIC')", "startswith(userId,'lice')", "endswith(userId,'alic')"]);
    fails(&["contains(null,'')", "startswith('a',null)", "endswith(null,null)"]);
}

/// One null is nothing to add; two are null.
#[test]
fn concatenation() {
    holds(&["concat('a','b') eq 'ab'", "concat('a',null) eq 'a'", "concat(null,'a') eq 'a'"]);
    holds(&["concat(null,null) eq null", "concat(userId,concat('-',connectionId)) eq 'alice-c1'"]);
}

/// What is composed out of what was composed is right, wherever it lies.
#[test]
fn compositions() {
    holds(&[
        "concat(toupper(userId),tolower(concat('A','B'))) eq 'ALICEab'",
        "substring(concat(toupper(userId),'xyz'),3,3) eq concat(toupper(concat('c','e')),'x')",
        "trim(concat(' ',concat(toupper('a'),' '))) eq 'A'",
        "contains(concat('ab','cd'),toupper('BC')) eq contains('abcd',concat('b','d'))",
        "toupper(substring(concat('ab','cd'),1,2)) in ('x',concat('B','x'),concat('B','C'))",
        "concat(concat('a','b'),null) eq concat(null,concat('a','b'))",
        "tolower(concat(concat('A','B'),concat('C','D'))) eq 'abcd'",
        "length(concat(toupper('a'),'b')) eq indexof(concat('xy','z'),toupper('Z')) or \
            length(concat(toupper('a'),'b')) eq indexof(concat('xy','z'),tolower('Z'))",
    ]);
}

/// What a filter prints is read as the same filter.
#[test]
fn printing() {
    for (text, printed) in [
        ("", "true"),
        ("USERID  eq 'o''hara'", "userId eq 'o''hara'"),
        ("(true and (false))and true", "true and false and true"),
        ("true and (false and true)", "true and (false and true)"),
        ("not not 'a' in groups", "not not ('a' in groups)"),
        ("connectionId in ( 'a' ,, null,-1)", "connectionId in ('a',null,-1)"),
        ("substring( userId,1 , 2 )ne null", "substring(userId,1,2) ne null"),
        ("1 eq 1 eq true", "(1 eq 1) eq true"),
    ] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(filter.to_string(), printed);
        assert_eq!(Filter::parse(printed).unwrap(), filter);
    }
}
