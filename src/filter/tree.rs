//! What a filter says, as a tree.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A filter or a part of one. It is at most [`Filter::DEPTH_MAX`](crate::Filter::DEPTH_MAX) deep, so that going
/// through it may recurse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Null,
    Bool(bool),
    Int(i32),
    Text(Box<str>),
    Property(Property),
    Not(Box<Expression>),
    /// Two terms or more. A chain of the same connective is one list, so that long ones are not deep.
    Joined(Connective, Vec<Expression>),
    Compared(Comparison, Box<[Expression; 2]>),
    /// Whether a value is one of the items.
    InList(Box<Expression>, Vec<Expression>),
    /// Whether a value is in a collection.
    InCollection(Box<[Expression; 2]>),
    Call(Function, Vec<Expression>),
    /// What the language has a form for, but nobody knows. The check refuses it.
    Unknown(Box<Unknown>),
}

/// A name or a literal without meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub name: Box<str>,
    /// What stands in parentheses behind it, if there are any.
    pub arguments: Option<Vec<Expression>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
    UserId,
    ConnectionId,
    Groups,
    Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connective {
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    ToLower,
    ToUpper,
    Trim,
    Contains,
    StartsWith,
    EndsWith,
    IndexOf,
    Concat,
    Substring,
}

impl Property {
    const ALL: [Self; 4] = [Self::UserId, Self::ConnectionId, Self::Groups, Self::Protocol];

    /// Finds a property by its name in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|property| property.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UserId => "userId",
            Self::ConnectionId => "connectionId",
            Self::Groups => "groups",
            Self::Protocol => "protocol",
        }
    }
}

impl Connective {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

impl Comparison {
    const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

impl Function {
    const ALL: [Self; 10] = [
        Self::Length,
        Self::ToLower,
        Self::ToUpper,
        Self::Trim,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::IndexOf,
        Self::Concat,
        Self::Substring,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
            Self::Trim => "trim",
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
            Self::IndexOf => "indexof",
            Self::Concat => "concat",
            Self::Substring => "substring",
        }
    }
}
