//! What a filter makes of a connection. It has been checked, so nothing fails: what fits no rule is null.

use alloc::string::String;
use core::cmp::Ordering;

use super::Subject;
use super::text::{Text, length, offset};
use super::tree::{Comparison, Connective, Expression, Function, Property};

/// What an expression is for one connection.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Null,
    Bool(bool),
    Int(i32),
    Text(Text<'a>),
    /// The groups of the connection, the only collection there is.
    Groups,
}

impl Expression {
    /// Tells whether it is true.
    pub(super) fn holds(&self, subject: &impl Subject, scratch: &mut String) -> bool {
        let mark = scratch.len();
        let holds = matches!(self.value(subject, scratch), Value::Bool(true));
        scratch.truncate(mark);
        holds
    }

    /// Evaluates it. What had to be composed lies at the end of the scratch, for the caller to cut off.
    fn value<'a>(&'a self, subject: &'a impl Subject, scratch: &mut String) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Text(text) => Value::Text(Text::Lent(text)),
            Self::Property(property) => property.value(subject),
            Self::Not(operand) => Value::Bool(!operand.holds(subject, scratch)),
            Self::Joined(Connective::And, terms) => {
                Value::Bool(terms.iter().all(|term| term.holds(subject, scratch)))
            }
            Self::Joined(Connective::Or, terms) => {
                Value::Bool(terms.iter().any(|term| term.holds(subject, scratch)))
            }
            Self::Compared(comparison, sides) => {
                let mark = scratch.len();
                let [left, right] = &**sides;
                let (left, right) = (left.value(subject, scratch), right.value(subject, scratch));
                let holds = comparison.holds(left, right, scratch);
                scratch.truncate(mark);
                Value::Bool(holds)
            }
            Self::InList(value, items) => {
                let mark = scratch.len();
                let value = value.value(subject, scratch);
                let found = items.iter().any(|item| {
                    let mark = scratch.len();
                    let item = item.value(subject, scratch);
                    let same = value.is(item, scratch);
                    scratch.truncate(mark);
                    same
                });
                scratch.truncate(mark);
                Value::Bool(found)
            }
            Self::InCollection(sides) => {
                let mark = scratch.len();
                let found = match sides[0].value(subject, scratch) {
                    Value::Text(text) => subject.is_in(text.get(scratch)),
                    Value::Null | Value::Bool(_) | Value::Int(_) | Value::Groups => false,
                };
                scratch.truncate(mark);
                Value::Bool(found)
            }
            Self::Call(function, arguments) => function.call(arguments, subject, scratch),
            // The check lets none through.
            Self::Unknown(_) => unreachable!("a checked filter has nothing unknown"),
        }
    }
}

impl Property {
    fn value(self, subject: &impl Subject) -> Value<'_> {
        match self {
            Self::UserId => Value::text(subject.user()),
            Self::ConnectionId => Value::text(Some(subject.connection_id())),
            Self::Groups => Value::Groups,
            Self::Protocol => Value::text(subject.protocol()),
        }
    }
}

impl Comparison {
    fn holds(self, left: Value<'_>, right: Value<'_>, scratch: &str) -> bool {
        let order = || left.as_int().zip(right.as_int()).map(|(left, right)| left.cmp(&right));
        match self {
            Self::Equal => left.is(right, scratch),
            Self::NotEqual => !left.is(right, scratch),
            Self::Greater => order().is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Self::Less => order().is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order().is_some_and(Ordering::is_le),
        }
    }
}

impl<'a> Value<'a> {
    fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Text::Lent(text)))
    }

    /// Tells whether two values are the same; those of different types are not.
    fn is(self, other: Self, scratch: &str) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) | (Self::Groups, Self::Groups) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one.get(scratch) == other.get(scratch),
            (Self::Null | Self::Bool(_) | Self::Int(_) | Self::Text(_) | Self::Groups, _) => false,
        }
    }

    fn as_text(self) -> Option<Text<'a>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Groups => None,
        }
    }

    fn as_int(self) -> Option<i32> {
        match self {
            Self::Int(number) => Some(number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Groups => None,
        }
    }
}

impl Function {
    fn call<'a>(
        self,
        arguments: &'a [Expression],
        subject: &'a impl Subject,
        scratch: &mut String,
    ) -> Value<'a> {
        let mark = scratch.len();
        let first = arguments[0].value(subject, scratch);
        match self {
            Self::Length => {
                let length = match first {
                    Value::Text(text) => Value::Int(length(text.get(scratch))),
                    Value::Groups => {
                        Value::Int(i32::try_from(subject.groups()).unwrap_or(i32::MAX))
                    }
                    Value::Null | Value::Bool(_) | Value::Int(_) => Value::Null,
                };
                scratch.truncate(mark);
                length
            }
            Self::ToLower => changed(first, |text| text.lower(mark, scratch)),
            Self::ToUpper => changed(first, |text| text.upper(mark, scratch)),
            Self::Trim => changed(first, |text| text.trim(scratch)),
            Self::Contains | Self::StartsWith | Self::EndsWith | Self::IndexOf => {
                let second = arguments[1].value(subject, scratch);
                let texts = first.as_text().zip(second.as_text());
                let texts = texts.map(|(text, part)| (text.get(scratch), part.get(scratch)));
                let found = self.search(texts);
                scratch.truncate(mark);
                found
            }
            Self::Concat => {
                let second = arguments[1].value(subject, scratch);
                match (first.as_text(), second.as_text()) {
                    (Some(one), Some(other)) => Value::Text(one.then(other, mark, scratch)),
                    (Some(only), None) | (None, Some(only)) => Value::Text(only),
                    (None, None) => Value::Null,
                }
            }
            Self::Substring => {
                let start = arguments[1].value(subject, scratch).as_int();
                let length = arguments.get(2).map(|length| length.value(subject, scratch).as_int());
                let (Some(text), Some(start), None | Some(Some(_))) =
                    (first.as_text(), start, length)
                else {
                    return Value::Null;
                };
                text.part(start, length.flatten(), scratch).map_or(Value::Null, Value::Text)
            }
        }
    }

    /// Looks for the second text in the first, where there are both.
    fn search<'a>(self, texts: Option<(&str, &str)>) -> Value<'a> {
        match self {
            Self::Contains => Value::Bool(texts.is_some_and(|(text, part)| text.contains(part))),
            Self::StartsWith => {
                Value::Bool(texts.is_some_and(|(text, part)| text.starts_with(part)))
            }
            Self::EndsWith => Value::Bool(texts.is_some_and(|(text, part)| text.ends_with(part))),
            Self::IndexOf => {
                Value::Int(texts.and_then(|(text, part)| offset(text, part)).unwrap_or(-1))
            }
            Self::Length
            | Self::ToLower
            | Self::ToUpper
            | Self::Trim
            | Self::Concat
            | Self::Substring => unreachable!("it does not search"),
        }
    }
}

fn changed<'a>(value: Value<'a>, change: impl FnOnce(Text<'a>) -> Text<'a>) -> Value<'a> {
    value.as_text().map_or(Value::Null, |text| Value::Text(change(text)))
}
