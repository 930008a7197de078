//! Why a text is no filter.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use thiserror::Error;

/// How many characters of a text that is too long are shown.
const SHOWN_MAX: usize = 64;

/// A text that is no [`Filter`](crate::Filter).
///
/// What it says has the form that the service gives it (`emulator.md` 11); the words of the details are its own only
/// for types and for what is not supported.
///
/// ```
/// use hubcast::{Filter, FilterProblem};
///
/// let error = Filter::parse("userId eq 'a' and age gt 17").unwrap_err();
/// assert_eq!(error.fragment(), "age gt 17");
/// assert_eq!(error.problem(), &FilterProblem::NotSupported("age".into()));
/// assert_eq!(
///     error.to_string(),
///     "Invalid syntax for 'age gt 17': Token 'age' is not supported. (Parameter 'filter')",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Invalid syntax for '{fragment}': {problem} (Parameter 'filter')")]
pub struct FilterError {
    fragment: Box<str>,
    problem: FilterProblem,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FilterProblem {
    /// An operator or a function gets what it does not take, or the whole is no boolean.
    #[error("Type '{found}', expect '{expected}'.")]
    Type {
        /// What it gets: `null`, `bool`, `int`, `string` or `collection`.
        found: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// A name, an operator or a literal that means nothing here.
    #[error("Token '{0}' is not supported.")]
    NotSupported(Box<str>),
    /// A function with the wrong number of arguments, or the length of what has none.
    #[error("Invalid token '{0}'.")]
    Call(Box<str>),
    /// Something stands where something else has to stand.
    #[error("'{found}' at byte {at} is not expected there.")]
    Unexpected {
        /// What stands there.
        found: Box<str>,
        /// Where, in bytes from the start.
        at: usize,
    },
    /// The text ends too early.
    #[error("The end comes too early.")]
    End,
    /// A string in quotes has no end.
    #[error("The string at byte {at} has no end.")]
    NoEnd {
        /// Where it begins, in bytes from the start.
        at: usize,
    },
    /// The parts lie too deep in each other.
    #[error("It is more than {most} levels deep.")]
    TooDeep {
        /// The most that is allowed.
        most: usize,
    },
    /// The text is too long.
    #[error("It has {bytes} bytes, the most is {most}.")]
    TooLong {
        /// The bytes of the text.
        bytes: usize,
        /// The most that is allowed.
        most: usize,
    },
}

impl FilterError {
    /// Returns the part of the filter that is wrong. Where it can be told, that is the operator or function around
    /// the mistake; otherwise the whole text, or the start of one that is too long.
    pub fn fragment(&self) -> &str {
        &self.fragment
    }

    /// Returns what is wrong.
    pub fn problem(&self) -> &FilterProblem {
        &self.problem
    }

    pub(super) fn new(fragment: String, problem: FilterProblem) -> Self {
        Self { fragment: fragment.into(), problem }
    }

    /// Blames a whole text.
    pub(super) fn of_text(text: &str, problem: FilterProblem) -> Self {
        let fragment = if let FilterProblem::TooLong { .. } = problem {
            text.chars().take(SHOWN_MAX).chain("...".chars()).collect()
        } else {
            text.to_string()
        };
        Self::new(fragment, problem)
    }
}
