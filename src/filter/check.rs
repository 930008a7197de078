//! Whether each operator and function gets what it takes. It is done once, before anything is evaluated.

use alloc::string::{String, ToString};

use super::error::{FilterError, FilterProblem};
use super::print::Terms;
use super::tree::{Comparison, Connective, Expression, Function, Property};

/// Checks a whole filter, which was parsed from a text.
pub(super) fn check(root: &Expression, text: &str) -> Result<(), FilterError> {
    let checked = type_of(root).and_then(|found| {
        found.expect(Type::Bool).map_err(|problem| Mistake::within(root.to_string(), problem))
    });
    checked.map_err(|mistake| match mistake.fragment {
        Some(fragment) => FilterError::new(fragment, mistake.problem),
        None => FilterError::of_text(text, mistake.problem),
    })
}

/// What an expression evaluates to. All but booleans may also be null; `Null` is never anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Bool,
    Int,
    Text,
    Collection,
}

/// What is wrong, and in which part; that is not known before an operator or a function around it is reached.
struct Mistake {
    fragment: Option<String>,
    problem: FilterProblem,
}

impl Mistake {
    fn within(fragment: String, problem: FilterProblem) -> Self {
        Self { fragment: Some(fragment), problem }
    }
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Text => "string",
            Self::Collection => "collection",
        }
    }

    fn expect(self, expected: Self) -> Result<(), FilterProblem> {
        if self == expected {
            return Ok(());
        }
        Err(FilterProblem::Type { found: self.name(), expected: expected.name() })
    }

    fn expect_or_null(self, expected: Self) -> Result<(), FilterProblem> {
        if self == Self::Null { Ok(()) } else { self.expect(expected) }
    }
}

fn type_of(expression: &Expression) -> Result<Type, Mistake> {
    match expression {
        Expression::Null => Ok(Type::Null),
        Expression::Bool(_) => Ok(Type::Bool),
        Expression::Int(_) => Ok(Type::Int),
        Expression::Text(_) => Ok(Type::Text),
        Expression::Property(property) => Ok(match property {
            Property::UserId | Property::ConnectionId | Property::Protocol => Type::Text,
            Property::Groups => Type::Collection,
        }),
        Expression::Not(operand) => {
            // A mistake inside that has no place yet is one of what is around the `not` (`emulator.md` 11).
            let checked = type_of(operand)?.expect(Type::Bool);
            checked.map_err(|problem| Mistake::within(expression.to_string(), problem))?;
            Ok(Type::Bool)
        }
        Expression::Joined(connective, terms) => joined(*connective, terms),
        Expression::Compared(comparison, sides) => {
            let [left, right] = &**sides;
            let (left, right) = (part(expression, left)?, part(expression, right)?);
            let checked = compared(*comparison, left, right);
            checked.map_err(|problem| Mistake::within(expression.to_string(), problem))?;
            Ok(Type::Bool)
        }
        Expression::InList(value, items) => {
            part(expression, value)?;
            for item in items {
                part(expression, item)?;
            }
            Ok(Type::Bool)
        }
        Expression::InCollection(sides) => {
            let [value, collection] = &**sides;
            part(expression, value)?;
            let checked = part(expression, collection)?.expect(Type::Collection);
            checked.map_err(|problem| Mistake::within(expression.to_string(), problem))?;
            Ok(Type::Bool)
        }
        Expression::Call(function, arguments) => {
            let called = call(*function, arguments, expression)?;
            called.map_err(|problem| Mistake::within(expression.to_string(), problem))
        }
        Expression::Unknown(unknown) => {
            let text = unknown.to_string();
            let problem = FilterProblem::NotSupported(text.clone().into());
            let fragment = unknown.arguments.is_some().then_some(text);
            Err(Mistake { fragment, problem })
        }
    }
}

/// Checks a part of an operator or function; that is to blame for what is not blamed on something further inside.
fn part(whole: &Expression, part: &Expression) -> Result<Type, Mistake> {
    type_of(part).map_err(|mistake| {
        let fragment = mistake.fragment.or_else(|| Some(whole.to_string()));
        Mistake { fragment, ..mistake }
    })
}

/// Checks terms from the left. To blame is everything up to the one that is wrong, because that is one operator's
/// operand.
fn joined(connective: Connective, terms: &[Expression]) -> Result<Type, Mistake> {
    for (place, term) in terms.iter().enumerate() {
        let blamed = || Terms(connective, &terms[..=place.max(1)]).to_string();
        let found = type_of(term).map_err(|mistake| {
            let fragment = mistake.fragment.or_else(|| Some(blamed()));
            Mistake { fragment, ..mistake }
        })?;
        found.expect(Type::Bool).map_err(|problem| Mistake::within(blamed(), problem))?;
    }
    Ok(Type::Bool)
}

fn compared(comparison: Comparison, left: Type, right: Type) -> Result<(), FilterProblem> {
    match comparison {
        Comparison::Equal | Comparison::NotEqual => Ok(()),
        Comparison::Greater
        | Comparison::GreaterOrEqual
        | Comparison::Less
        | Comparison::LessOrEqual => {
            if left == Type::Null || right == Type::Null {
                return Ok(()); // false, whatever the other is
            }
            left.expect(Type::Int)?;
            right.expect(Type::Int)
        }
    }
}

/// Checks a call. The outer error is of an argument, the inner one of the call itself.
fn call(
    function: Function,
    arguments: &[Expression],
    whole: &Expression,
) -> Result<Result<Type, FilterProblem>, Mistake> {
    let counts = match function {
        Function::Length | Function::ToLower | Function::ToUpper | Function::Trim => 1..=1,
        Function::Contains
        | Function::StartsWith
        | Function::EndsWith
        | Function::IndexOf
        | Function::Concat => 2..=2,
        Function::Substring => 2..=3,
    };
    if !counts.contains(&arguments.len()) {
        return Ok(Err(FilterProblem::Call(whole.to_string().into())));
    }
    let mut types = [Type::Null; 3];
    for (found, argument) in types.iter_mut().zip(arguments) {
        *found = part(whole, argument)?;
    }
    Ok(result_of(function, &types[..arguments.len()], whole))
}

/// Returns what a function makes of arguments of these types, as many as it takes.
fn result_of(
    function: Function,
    types: &[Type],
    whole: &Expression,
) -> Result<Type, FilterProblem> {
    match function {
        Function::Length => match types[0] {
            Type::Null => Ok(Type::Null),
            Type::Text | Type::Collection => Ok(Type::Int),
            Type::Bool | Type::Int => Err(FilterProblem::Call(whole.to_string().into())),
        },
        Function::ToLower | Function::ToUpper | Function::Trim => {
            types[0].expect_or_null(Type::Text)?;
            Ok(types[0])
        }
        Function::Contains | Function::StartsWith | Function::EndsWith => {
            types.iter().try_for_each(|each| each.expect_or_null(Type::Text))?;
            Ok(Type::Bool)
        }
        Function::IndexOf => {
            types.iter().try_for_each(|each| each.expect_or_null(Type::Text))?;
            Ok(Type::Int)
        }
        Function::Concat => {
            types.iter().try_for_each(|each| each.expect_or_null(Type::Text))?;
            let null = types.iter().all(|each| *each == Type::Null);
            Ok(if null { Type::Null } else { Type::Text })
        }
        Function::Substring => {
            types[1..].iter().try_for_each(|each| each.expect(Type::Int))?;
            types[0].expect_or_null(Type::Text)?;
            Ok(types[0])
        }
    }
}
