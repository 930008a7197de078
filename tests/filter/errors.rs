//! What is refused, in which words.

use hubcast::{Filter, FilterProblem};

#[track_caller]
fn refused(text: &str) -> FilterProblem {
    Filter::parse(text).expect_err(text).problem().clone()
}

/// The texts that the emulator's tests hold (`emulator.md` 11).
#[test]
fn messages() {
    for (text, message) in [
        (
            "( not 'a' )",
            "Invalid syntax for 'not 'a'': Type 'string', expect 'bool'. (Parameter 'filter')",
        ),
        (
            "userId lt 1",
            "Invalid syntax for 'userId lt 1': Type 'string', expect 'int'. (Parameter 'filter')",
        ),
        (
            "ab eq 1",
            "Invalid syntax for 'ab eq 1': Token 'ab' is not supported. (Parameter 'filter')",
        ),
        (
            "invalid(ab,c)",
            "Invalid syntax for 'invalid(ab,c)': Token 'invalid(ab,c)' is not supported. (Parameter 'filter')",
        ),
    ] {
        assert_eq!(Filter::parse(text).unwrap_err().to_string(), message);
    }
}

/// To blame is the innermost operator or function around a mistake, or the whole text where there is none.
#[test]
fn fragments() {
    for (text, fragment) in [
        ("true and (userId lt 1 or false)", "userId lt 1"),
        ("true and true and 1 and false", "true and true and 1"),
        ("1 and true and true", "1 and true"),
        ("age and true and true", "age and true"),
        ("userId", "userId"),
        ("not age", "not age"),
        ("not age eq 1", "(not age) eq 1"),
        ("length(age) gt 1", "length(age)"),
        ("userId in ('a',age)", "userId in ('a',age)"),
        ("'a' in ( 'b' , c ) or true", "'a' in ('b',c)"),
        ("  userId  eq  ", "  userId  eq  "),
        ("length() eq 1", "length()"),
    ] {
        assert_eq!(Filter::parse(text).unwrap_err().fragment(), fragment, "{text}");
    }
}

/// Operators and functions take what they take, on both sides of `and` and `or` (`emulator.md` 11).
#[test]
fn types() {
    for (text, found, expected) in [
        ("1", "int", "bool"),
        ("null", "null", "bool"),
        ("userId", "string", "bool"),
        ("groups", "collection", "bool"),
        ("true or 1", "int", "bool"),
        ("false and 'a'", "string", "bool"),
        ("true and null", "null", "bool"),
        ("not groups", "collection", "bool"),
        ("1 lt 'a'", "string", "int"),
        ("true gt 1", "bool", "int"),
        ("groups ge 1", "collection", "int"),
        ("length(userId) le '5'", "string", "int"),
        ("not userId eq 'a'", "string", "bool"),
        ("userId in 'a'", "string", "collection"),
        ("'a' in userId", "string", "collection"),
        ("tolower(1) eq 'a'", "int", "string"),
        ("toupper(groups) eq 'a'", "collection", "string"),
        ("trim(true) eq 'a'", "bool", "string"),
        ("contains(userId,1)", "int", "string"),
        ("startswith(groups,'a')", "collection", "string"),
        ("endswith('a',true)", "bool", "string"),
        ("indexof(1,'a') eq 0", "int", "string"),
        ("concat('a',1) eq 'a'", "int", "string"),
        ("substring(1,1) eq 'a'", "int", "string"),
        ("substring('a','1') eq 'a'", "string", "int"),
        ("substring('a',null) eq 'a'", "null", "int"),
        ("substring('a',length(null)) eq 'a'", "null", "int"),
        ("substring('a',1,true) eq 'a'", "bool", "int"),
        ("concat('a','b')", "string", "bool"),
        ("length(null) and true", "null", "bool"),
    ] {
        assert_eq!(refused(text), FilterProblem::Type { found, expected }, "{text}");
    }
}

/// Names, operators and literals that mean nothing here.
#[test]
fn unsupported() {
    for (text, token) in [
        ("age eq 1", "age"),
        ("LENGTH(userId) eq 1", "LENGTH(userId)"),
        ("any(groups)", "any(groups)"),
        ("userId EQ 'a'", "EQ"),
        ("length(userId) add 1 eq 2", "add"),
        ("userId has 'a'", "has"),
        ("userId eq NULL", "NULL"),
        ("TRUE", "TRUE"),
        ("1.5 eq 1.5", "1.5"),
        ("2147483648 gt 1", "2147483648"),
        ("-2147483649 lt 1", "-2147483649"),
        ("1L eq 1", "1L"),
        ("2020-01-01 eq null", "2020-01-01"),
        ("groups/$count gt 1", "groups/$count"),
        ("$it eq 'a'", "$it"),
        ("and eq 1", "and"),
    ] {
        assert_eq!(refused(text), FilterProblem::NotSupported(token.into()), "{text}");
    }
}

/// Functions have their numbers of arguments, and only texts and collections a length.
#[test]
fn calls() {
    for text in [
        "length() eq 1",
        "length(userId,1) eq 1",
        "length(1) eq 1",
        "length(true) eq 1",
        "tolower('a','b') eq 'a'",
        "contains('a')",
        "concat('a','b','c') eq 'a'",
        "substring('a') eq 'a'",
        "substring('a',1,1,1) eq 'a'",
    ] {
        let FilterProblem::Call(call) = refused(text) else { panic!("{text}") };
        assert!(text.starts_with(&*call), "{text}: {call}");
    }
}

/// What stands where it must not, and where that is.
#[test]
fn forms() {
    let unexpected = |found: &str, at| FilterProblem::Unexpected { found: found.into(), at };
    for (text, problem) in [
        (" ", FilterProblem::End),
        ("userId eq", FilterProblem::End),
        ("(userId eq 'a'", FilterProblem::End),
        ("userId in ('a'", FilterProblem::End),
        ("not", FilterProblem::End),
        ("userId eq 'unterminated", FilterProblem::NoEnd { at: 10 }),
        ("'a' eq 'b''", FilterProblem::NoEnd { at: 7 }),
        ("userId eq 'a')", unexpected(")", 13)),
        ("()", unexpected(")", 1)),
        ("true false", FilterProblem::NotSupported("false".into())),
        ("true 'a'", unexpected("a", 5)),
        ("true (true)", FilterProblem::NotSupported("true(true)".into())),
        ("'é' = 'é'", unexpected("=", 5)),
        ("- 1 lt 2", unexpected("-", 0)),
        ("contains('a',)", unexpected(")", 13)),
        ("contains(,'a')", unexpected(",", 9)),
        ("contains('a' 'b')", unexpected("b", 13)),
        ("groups/any(g: g eq 'a')", unexpected(":", 12)),
        ("userId in 'a','b'", unexpected(",", 13)),
        ("\u{0}", unexpected("\u{0}", 0)),
    ] {
        assert_eq!(refused(text), problem, "{text}");
    }
}

/// Depth is bounded, whatever it is made of; length beside each other is not depth (`webpubsub.md` 9.8).
#[test]
fn depth() {
    let most = Filter::DEPTH_MAX;
    let nested = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    let texts: [(&str, &dyn Fn(usize) -> String); 5] = [
        ("parentheses", &|levels| nested("(", "true", ")", levels)),
        ("negations", &|levels| nested("not ", "true", "", levels - 1)),
        ("functions", &|levels| format!("{} eq 'a'", nested("trim(", "'a'", ")", levels - 2))),
        ("lists", &|levels| nested("1 in (", "1", ")", levels - 1)),
        ("comparisons", &|levels| format!("true{}", " eq true".repeat(levels - 1))),
    ];
    for (name, text) in texts {
        let deepest = Filter::parse(&text(most)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(Filter::parse(&deepest.to_string()).as_ref(), Ok(&deepest), "{name}");
        assert_eq!(refused(&text(most + 1)), FilterProblem::TooDeep { most }, "{name}");
    }
    for word in ["and", "or"] {
        let long = format!("true{}", format!(" {word} true").repeat(800));
        assert!(Filter::parse(&long).is_ok(), "{word}");
    }
    assert!(Filter::parse(&"(".repeat(Filter::BYTES_MAX)).is_err());
}

/// Length is bounded, and what is too long is not repeated in full.
#[test]
fn length() {
    let most = Filter::BYTES_MAX;
    let text = |bytes| format!("userId eq '{}'", "é".repeat((bytes - 12) / 2));
    assert!(Filter::parse(&text(most)).is_ok());
    let error = Filter::parse(&text(most + 2)).unwrap_err();
    assert_eq!(error.problem(), &FilterProblem::TooLong { bytes: most + 2, most });
    assert_eq!(error.fragment().chars().count(), 64 + 3);
    assert!(error.to_string().contains("has 8194 bytes, the most is 8192."), "{error}");
}
