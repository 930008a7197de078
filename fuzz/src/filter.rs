//! Filters: no text makes reading or evaluating one panic, and what a filter prints is read as the same one.

use arbitrary::{Arbitrary, Unstructured};
use hubcast::internals::Portrait;
use hubcast::{Filter, FilterProblem};

/// Somebody whom a filter may be asked about.
#[derive(Arbitrary, Debug)]
struct Person<'a> {
    user: Option<&'a str>,
    connection_id: &'a str,
    groups: Vec<&'a str>,
    protocol: Option<&'a str>,
}

/// What an expression begins with that is to be written as a filter; no text does.
const EXPRESSION: u8 = 255;

/// Reads a text up to a zero byte, or all of it, as a filter, or writes the expression that the bytes are; what follows
/// are people to ask about.
pub fn run(data: &[u8]) {
    if let Some(data) = data.strip_prefix(&[EXPRESSION]) {
        let mut data = Unstructured::new(data);
        let Ok(expression) = Expression::arbitrary(&mut data) else { return };
        return ask(&expression.text(), data);
    }
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (text, rest) = data.split_at(end);
    if let Ok(text) = core::str::from_utf8(text) {
        ask(text, Unstructured::new(rest));
    }
}

fn ask(text: &str, people: Unstructured<'_>) {
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with("Invalid syntax for '"), "{shown}");
            assert!(shown.ends_with(" (Parameter 'filter')"), "{shown}");
            return;
        }
    };
    match Filter::parse(&filter.to_string()) {
        Ok(again) => assert_eq!(again, filter, "{text:?}"),
        // What is printed has parentheses that were not needed.
        Err(error) => assert!(
            matches!(
                error.problem(),
                FilterProblem::TooLong { .. } | FilterProblem::TooDeep { .. }
            ),
            "{text:?} prints {filter}: {error}"
        ),
    }

    let negated = Filter::parse(&format!("not ({text})"));
    let mut scratch = String::new();
    let nobody = Person { user: None, connection_id: "", groups: Vec::new(), protocol: None };
    let people = Vec::<Person<'_>>::arbitrary_take_rest(people);
    for person in people.unwrap_or_default().into_iter().chain([nobody]) {
        let Person { user, connection_id, groups, protocol } = &person;
        let portrait = Portrait { user: *user, connection_id, groups, protocol: *protocol };
        let matches = portrait.matches(&filter, &mut scratch);
        assert!(scratch.is_empty(), "nothing is left behind: {text:?}");
        assert_eq!(matches, portrait.matches(&filter, &mut scratch), "{text:?}");
        if let Ok(negated) = &negated {
            assert_ne!(matches, portrait.matches(negated, &mut scratch), "{text:?}");
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Expression<'a> {
    Property(u8),
    Text(&'a str),
    Number(i32),
    Word(u8),
    Call(u8, Vec<Expression<'a>>),
    Compared(Box<Expression<'a>>, u8, Box<Expression<'a>>),
    OneOf(Box<Expression<'a>>, Vec<Expression<'a>>),
    Member(Box<Expression<'a>>),
    Not(Box<Expression<'a>>),
    Grouped(Box<Expression<'a>>),
}

const PROPERTIES: [&str; 5] = ["userId", "connectionId", "groups", "protocol", "USERID"];
const WORDS: [&str; 4] = ["true", "false", "null", "-0"];
const OPERATORS: [&str; 8] = ["eq", "ne", "gt", "ge", "lt", "le", "and", "or"];
const FUNCTIONS: [&str; 10] = [
    "length",
    "tolower",
    "toupper",
    "trim",
    "contains",
    "startswith",
    "endswith",
    "indexof",
    "concat",
    "substring",
];

impl Expression<'_> {
    fn text(&self) -> String {
        match self {
            Self::Property(place) => choose(&PROPERTIES, *place).into(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Number(number) => number.to_string(),
            Self::Word(place) => choose(&WORDS, *place).into(),
            Self::Call(function, arguments) => {
                format!("{}({})", choose(&FUNCTIONS, *function), list(arguments))
            }
            Self::Compared(one, operator, other) => {
                format!("{} {} {}", one.text(), choose(&OPERATORS, *operator), other.text())
            }
            Self::OneOf(one, several) => format!("{} in ({})", one.text(), list(several)),
            Self::Member(one) => format!("{} in groups", one.text()),
            Self::Not(one) => format!("not {}", one.text()),
            Self::Grouped(one) => format!("({})", one.text()),
        }
    }
}

fn list(expressions: &[Expression<'_>]) -> String {
    expressions.iter().map(Expression::text).collect::<Vec<_>>().join(",")
}

fn choose(texts: &[&'static str], place: u8) -> &'static str {
    texts[usize::from(place) % texts.len()]
}
