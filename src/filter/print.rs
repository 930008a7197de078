//! A tree as text: for error messages, and for people.

use core::fmt;

use super::tree::{Connective, Expression, Unknown};

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Text(text) => {
                f.write_str("'")?;
                for (place, piece) in text.split('\'').enumerate() {
                    f.write_str(if place == 0 { "" } else { "''" })?;
                    f.write_str(piece)?;
                }
                f.write_str("'")
            }
            Self::Property(property) => f.write_str(property.name()),
            // No parentheses between the two, so that what is printed is no deeper than what was read.
            Self::Not(operand) if matches!(**operand, Self::Not(_)) => write!(f, "not {operand}"),
            Self::Not(operand) => write!(f, "not {}", Operand(operand)),
            Self::Joined(connective, terms) => Terms(*connective, terms).fmt(f),
            Self::Compared(comparison, sides) => {
                let [left, right] = &**sides;
                write!(f, "{} {} {}", Operand(left), comparison.name(), Operand(right))
            }
            Self::InList(value, items) => write!(f, "{} in ({})", Operand(value), List(items)),
            Self::InCollection(sides) => {
                let [value, collection] = &**sides;
                write!(f, "{} in {}", Operand(value), Operand(collection))
            }
            Self::Call(function, arguments) => {
                write!(f, "{}({})", function.name(), List(arguments))
            }
            Self::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.arguments {
            Some(arguments) => write!(f, "({})", List(arguments)),
            None => Ok(()),
        }
    }
}

/// Terms with a connective between them.
pub(super) struct Terms<'a>(pub Connective, pub &'a [Expression]);

impl fmt::Display for Terms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(connective, terms) = self;
        for (place, term) in terms.iter().enumerate() {
            if place > 0 {
                write!(f, " {} ", connective.name())?;
            }
            Operand(term).fmt(f)?;
        }
        Ok(())
    }
}

/// An operand, in parentheses where it has operators itself.
struct Operand<'a>(&'a Expression);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::Not(_)
            | Expression::Joined(..)
            | Expression::Compared(..)
            | Expression::InList(..)
            | Expression::InCollection(_) => write!(f, "({})", self.0),
            Expression::Null
            | Expression::Bool(_)
            | Expression::Int(_)
            | Expression::Text(_)
            | Expression::Property(_)
            | Expression::Call(..)
            | Expression::Unknown(_) => self.0.fmt(f),
        }
    }
}

/// Items with commas between them.
struct List<'a>(&'a [Expression]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, item) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            item.fmt(f)?;
        }
        Ok(())
    }
}
