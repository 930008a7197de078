//! A second evaluator, as simple as it can be: owned values, texts as UTF-16, nothing lazy.

use hubcast::Filter;
use hubcast::internals::Portrait;
use proptest::prelude::*;
use proptest::sample::select;

/// An expression that the strategies make.
#[derive(Clone, Debug)]
enum Tree {
    Value(Value),
    Property(&'static str),
    Not(Box<Tree>),
    Binary(&'static str, Box<Tree>, Box<Tree>),
    List(Box<Tree>, Vec<Tree>),
    Call(&'static str, Vec<Tree>),
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Int(i32),
    /// In UTF-16.
    Text(Vec<u16>),
    Groups(Vec<Vec<u16>>),
}

/// Somebody to ask about.
#[derive(Clone, Debug)]
struct Person {
    user: Option<&'static str>,
    id: &'static str,
    groups: Vec<&'static str>,
    protocol: Option<&'static str>,
}

const TEXTS: [&str; 10] =
    ["", "a", "Ab", " é ", "🦀", "it's", "room", "ſıİß", "a🦀B", "json.webpubsub.azure.v1"];

impl Tree {
    fn value(&self, person: &Person) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Property(name) => match name.to_ascii_lowercase().as_str() {
                "userid" => person.user.map_or(Value::Null, units),
                "connectionid" => units(person.id),
                "protocol" => person.protocol.map_or(Value::Null, units),
                _ => {
                    let groups = person.groups.iter();
                    Value::Groups(groups.map(|group| group.encode_utf16().collect()).collect())
                }
            },
            Self::Not(tree) => Value::Bool(tree.value(person) == Value::Bool(false)),
            Self::List(value, items) => {
                let value = value.value(person);
                Value::Bool(items.iter().any(|item| item.value(person) == value))
            }
            Self::Binary(operator, left, right) => {
                Value::Bool(binary(operator, &left.value(person), &right.value(person)))
            }
            Self::Call(name, arguments) => {
                call(name, arguments.iter().map(|argument| argument.value(person)).collect())
            }
        }
    }

    /// Writes it with as few parentheses as can be.
    fn text(&self, gap: &str) -> String {
        match self {
            Self::Value(Value::Null) => "null".into(),
            Self::Value(Value::Bool(value)) => value.to_string(),
            Self::Value(Value::Int(value)) => value.to_string(),
            Self::Value(Value::Text(units)) => {
                format!("'{}'", String::from_utf16(units).unwrap().replace('\'', "''"))
            }
            Self::Value(Value::Groups(_)) => unreachable!("there is no literal for groups"),
            Self::Property(name) => (*name).into(),
            Self::Not(tree) => format!("not {gap}{}", tree.within(3, gap)),
            Self::Binary(operator, left, right) => {
                let level = self.level();
                let (left, right) = (left.within(level, gap), right.within(level + 1, gap));
                format!("{left}{gap} {operator} {gap}{right}")
            }
            Self::List(value, items) => {
                format!("{} in{gap}({})", value.within(4, gap), list(items, gap))
            }
            Self::Call(name, arguments) => format!("{name}({})", list(arguments, gap)),
        }
    }

    fn within(&self, level: u8, gap: &str) -> String {
        let text = self.text(gap);
        if self.level() < level { format!("({gap}{text})") } else { text }
    }

    /// How tightly it holds together.
    fn level(&self) -> u8 {
        match self {
            Self::Binary("or", ..) => 0,
            Self::Binary("and", ..) => 1,
            Self::Not(_) => 3,
            Self::Binary("in", ..) | Self::List(..) => 4,
            Self::Binary(..) => 2,
            Self::Value(_) | Self::Property(_) | Self::Call(..) => 5,
        }
    }
}

fn list(items: &[Tree], gap: &str) -> String {
    let items: Vec<_> = items.iter().map(|item| format!("{gap}{}", item.text(gap))).collect();
    items.join(",")
}

fn units(text: &str) -> Value {
    Value::Text(text.encode_utf16().collect())
}

fn binary(operator: &str, left: &Value, right: &Value) -> bool {
    match (operator, left, right) {
        ("and", Value::Bool(left), Value::Bool(right)) => *left && *right,
        ("or", Value::Bool(left), Value::Bool(right)) => *left || *right,
        ("eq", ..) => left == right,
        ("ne", ..) => left != right,
        ("gt", Value::Int(left), Value::Int(right)) => left > right,
        ("ge", Value::Int(left), Value::Int(right)) => left >= right,
        ("lt", Value::Int(left), Value::Int(right)) => left < right,
        ("le", Value::Int(left), Value::Int(right)) => left <= right,
        ("in", Value::Text(text), Value::Groups(groups)) => groups.contains(text),
        ("gt" | "ge" | "lt" | "le" | "in", ..) => false,
        _ => unreachable!("{left:?} {operator} {right:?}"),
    }
}

fn call(name: &str, arguments: Vec<Value>) -> Value {
    let mut arguments = arguments.into_iter();
    let first = arguments.next().unwrap();
    let rest: Vec<_> = arguments.collect();
    match (name, first, rest.as_slice()) {
        ("length", Value::Groups(groups), []) => count(groups.len()),
        ("length", Value::Text(text), []) => count(text.len()),
        ("tolower", Value::Text(text), []) => mapped(&text, |c| c.to_lowercase().collect()),
        ("toupper", Value::Text(text), []) => {
            mapped(&text, |c| if c == 'ı' { vec![c] } else { c.to_uppercase().collect() })
        }
        ("trim", Value::Text(text), []) => units(String::from_utf16(&text).unwrap().trim()),
        ("contains", Value::Text(text), [Value::Text(part)]) => {
            Value::Bool(find(&text, part).is_some())
        }
        ("startswith", Value::Text(text), [Value::Text(part)]) => {
            Value::Bool(text.starts_with(part))
        }
        ("endswith", Value::Text(text), [Value::Text(part)]) => Value::Bool(text.ends_with(part)),
        ("contains" | "startswith" | "endswith", ..) => Value::Bool(false),
        ("indexof", Value::Text(text), [Value::Text(part)]) => {
            find(&text, part).map_or(Value::Int(-1), count)
        }
        ("indexof", ..) => Value::Int(-1),
        ("concat", Value::Text(text), [Value::Text(other)]) => {
            Value::Text([text.as_slice(), other].concat())
        }
        ("concat", Value::Null, [other]) => other.clone(),
        ("concat", text, [Value::Null]) => text,
        ("substring", Value::Text(text), [Value::Int(start)]) => part(&text, *start, None),
        ("substring", Value::Text(text), [Value::Int(start), Value::Int(length)]) => {
            part(&text, *start, Some(*length))
        }
        _ => Value::Null,
    }
}

fn find(text: &[u16], part: &[u16]) -> Option<usize> {
    (0..=text.len()).find(|&place| text[place..].starts_with(part))
}

fn part(text: &[u16], start: i32, length: Option<i32>) -> Value {
    let Ok(start) = usize::try_from(start) else { return Value::Null };
    let end = match length.map(usize::try_from) {
        None => text.len(),
        Some(Ok(length)) => start + length,
        Some(Err(_)) => return Value::Null,
    };
    let Some(part) = text.get(start..end) else { return Value::Null };
    // Half a character is no text.
    if [&text[..start], part, &text[end..]].iter().any(|piece| String::from_utf16(piece).is_err()) {
        return Value::Null;
    }
    Value::Text(part.to_vec())
}

fn count(number: usize) -> Value {
    Value::Int(number.try_into().unwrap())
}

fn mapped(text: &[u16], map: impl Fn(char) -> Vec<char>) -> Value {
    let characters = String::from_utf16(text).unwrap();
    let mapped = characters.chars().map(|c| match map(c)[..] {
        [single] => single,
        _ => c,
    });
    units(&mapped.collect::<String>())
}

fn text() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => select(&TEXTS[..]).prop_map(|text| Tree::Value(units(text))),
        1 => Just(Tree::Value(Value::Null)),
        4 => select(vec!["userId", "USERID", "connectionId", "protocol"]).prop_map(Tree::Property),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let forms = select(vec!["tolower", "toupper", "trim"]);
        prop_oneof![
            (forms, inner.clone()).prop_map(|(name, text)| Tree::Call(name, vec![text])),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::Call("concat", vec![a, b])),
            (inner.clone(), place()).prop_map(|(text, a)| Tree::Call("substring", vec![text, a])),
            (inner, place(), place())
                .prop_map(|(text, a, b)| Tree::Call("substring", vec![text, a, b])),
        ]
    })
}

fn int() -> impl Strategy<Value = Tree> {
    (-1..4).prop_map(|value| Tree::Value(Value::Int(value)))
}

/// An integer, or what is one unless there is no user.
fn place() -> impl Strategy<Value = Tree> {
    let user = || Tree::Property("userId");
    let found = move |text| Tree::Call("indexof", vec![user(), Tree::Value(units(text))]);
    prop_oneof![
        4 => int(),
        1 => Just(Tree::Call("length", vec![user()])),
        1 => select(&TEXTS[..]).prop_map(found),
    ]
}

fn number() -> impl Strategy<Value = Tree> {
    prop_oneof![
        int(),
        text().prop_map(|text| Tree::Call("length", vec![text])),
        Just(Tree::Call("length", vec![Tree::Property("groups")])),
        (text(), text()).prop_map(|(a, b)| Tree::Call("indexof", vec![a, b])),
        Just(Tree::Value(Value::Null)),
    ]
}

fn condition() -> impl Strategy<Value = Tree> {
    let two = |operators: Vec<&'static str>, left: BoxedStrategy<Tree>, right| {
        (select(operators), left, right)
            .prop_map(|(operator, a, b)| Tree::Binary(operator, Box::new(a), Box::new(b)))
            .boxed()
    };
    let (text, number) = (|| text().boxed(), || number().boxed());
    let groups = || Just(Tree::Property("Groups")).boxed();
    let searches = select(vec!["contains", "startswith", "endswith"]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| Tree::Value(Value::Bool(value))),
        two(vec!["eq", "ne"], text(), text()),
        two(vec!["eq", "ne"], number(), prop_oneof![text(), number(), groups()].boxed()),
        two(vec!["lt", "le", "gt", "ge"], number(), number()),
        two(vec!["in"], prop_oneof![text(), number()].boxed(), groups()),
        (searches, text(), text()).prop_map(|(name, a, b)| Tree::Call(name, vec![a, b])),
        (text(), prop::collection::vec(prop_oneof![text(), number()], 0..4))
            .prop_map(|(value, items)| Tree::List(Box::new(value), items)),
    ];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let inner = inner.boxed();
        prop_oneof![
            3 => two(vec!["and", "or"], inner.clone(), inner.clone()),
            1 => two(vec!["eq", "ne"], inner.clone(), inner.clone()),
            1 => inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            1 => (inner.clone(), prop::collection::vec(inner, 0..3))
                .prop_map(|(value, items)| Tree::List(Box::new(value), items)),
        ]
    })
}

fn person() -> impl Strategy<Value = Person> {
    let groups = prop::sample::subsequence(&TEXTS[1..], 0..4);
    let text = || prop::option::of(select(&TEXTS[..]));
    (text(), select(&TEXTS[..]), groups, text()).prop_map(|(user, id, groups, protocol)| Person {
        user,
        id,
        groups,
        protocol,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Both evaluators agree, and so does the filter that is read from what a filter prints.
    #[test]
    fn evaluators_agree(
        tree in condition(),
        people in prop::collection::vec(person(), 1..8),
        gap in select(vec!["", " ", "\t\n"]),
    ) {
        let text = tree.text(gap);
        let filter = Filter::parse(&text);
        prop_assert!(filter.is_ok(), "{text}: {}", filter.unwrap_err());
        let filter = filter.unwrap();
        let again = Filter::parse(&filter.to_string());
        prop_assert_eq!(again.as_ref(), Ok(&filter));
        let mut scratch = String::new();
        for person in &people {
            let expected = tree.value(person) == Value::Bool(true);
            let Person { user, id, groups, protocol } = person;
            let portrait =
                Portrait { user: *user, connection_id: id, groups, protocol: *protocol };
            prop_assert_eq!(portrait.matches(&filter, &mut scratch), expected, "{}", text);
        }
    }
}
