//! The filter language of the REST API, a subset of `OData` (`webpubsub.md` 9.8, `emulator.md` 11).
//!
//! A text becomes tokens ([`lexer`]), a tree ([`parser`]), and is checked once ([`check`]), so that evaluating it for a
//! connection ([`evaluate`]) cannot fail. What it says about indexes is read off the tree ([`narrow`]).

// The type is there in every combination of features, so that `SendOptions` and `Audience` have one shape; without the
// feature its tree is a type without values, so there is no filter, and what takes one compiles to nothing.
#[cfg(not(feature = "filter"))]
mod absent;
#[cfg(feature = "filter")]
mod check;
#[cfg(feature = "filter")]
mod error;
#[cfg(feature = "filter")]
mod evaluate;
#[cfg(feature = "filter")]
mod lexer;
#[cfg(feature = "filter")]
mod narrow;
#[cfg(feature = "filter")]
mod parser;
#[cfg(feature = "filter")]
mod print;
#[cfg(feature = "replay")]
mod redact;
mod subject;
#[cfg(feature = "filter")]
mod text;
#[cfg(feature = "filter")]
mod tree;

#[cfg(all(test, feature = "filter"))]
mod tests;

use alloc::string::String;
use core::fmt;

#[cfg(not(feature = "filter"))]
use self::absent::Expression;
#[cfg(feature = "filter")]
pub use self::error::{FilterError, FilterProblem};
pub(crate) use self::subject::{Handle, Handles, Subject};
#[cfg(feature = "filter")]
use self::tree::Expression;

/// A condition on connections, parsed and checked. Feature `filter` makes them from text.
///
/// | to ask for | write |
/// |---|---|
/// | a property, its name in any case | `userId`, `connectionId`, `protocol` (the subprotocol; null for plain clients), `groups` |
/// | a value | `'text'` (`''` is one quote), an integer of 32 bits, `true`, `false`, `null` |
/// | whether values are the same | `eq`, `ne`: of any types; different types are simply not the same |
/// | which integer is larger | `gt`, `ge`, `lt`, `le`: false where one is null |
/// | whether it is one of several | `userId in ('a','b')`, `'room' in groups` |
/// | more than one thing | `and`, `or`, `not`, parentheses |
/// | something about a text | `length`, `tolower`, `toupper`, `trim`, `contains`, `startswith`, `endswith`, `indexof`, `concat`, `substring` |
///
/// From tight to loose: parentheses and functions, `in`, `not`, comparisons, `and`, `or`. So `not 'a' in groups` needs
/// no parentheses, and `not userId eq 'a'` is an error. Keywords and functions are in lower case. Texts are compared
/// byte by byte; lengths and positions count UTF-16 units, from 0. `tolower` and `toupper` turn one character into
/// one, in no language's way. `length` takes `groups` too.
///
/// A null makes `contains`, `startswith`, `endswith` false, `indexof` -1, and the others null; only `concat` gives the
/// other text. `substring` is null where it would reach out of the text or cut a character in half.
///
/// # Cost
/// Parsing takes time and memory in proportion to the text. A connection costs some ten nanoseconds for each term,
/// and no allocation. When one of the terms that a filter joins by `and` at its top is `userId eq 'a'`,
/// `userId in ('a','b')`, `connectionId eq 'c'`, `connectionId in ('c','d')` or `'room' in groups`, with literals as
/// here, only the connections that the index has for it are looked at (for the smallest of such terms), and not the
/// whole hub. In a hub of 100,000 that is some 300 nanoseconds for a user instead of some milliseconds.
///
/// `and` and `or` are checked on both sides (`emulator.md` 11). Whether both are evaluated cannot be seen, because
/// after the check no evaluation fails.
///
/// ```
/// # #[cfg(feature = "filter")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hubcast::{Audience, Command, Config, Data, Engine, Filter, Open, Reply, SendOptions, Time};
///
/// let mut engine = Engine::new(Config::new(1))?;
/// for user in ["eu-ann", "eu-bob", "us-cid"] {
///     engine.open(Open { hub: "chat", user: Some(user), ..Open::default() }, Time::EPOCH);
/// }
/// let europe = Filter::parse("startswith(userId, 'eu-') and userId ne 'eu-bob'")?;
/// let options = SendOptions { filter: Some(&europe), ..SendOptions::default() };
/// let send = Command::Send { to: Audience::Hub("chat"), data: Data::Text("hi"), options };
/// assert_eq!(engine.execute(send, Time::EPOCH)?, Reply::Affected(1));
///
/// let close = Command::Close { who: Audience::Matching("chat", &europe), except: &[], reason: "" };
/// assert_eq!(engine.execute(close, Time::EPOCH)?, Reply::Affected(1));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "filter"))]
/// # fn main() {}
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    root: Expression,
}

#[cfg(feature = "filter")]
impl Filter {
    /// The most bytes of a text that is parsed. The service's own limit is not known.
    pub const BYTES_MAX: usize = 8192;
    /// How deep operators, functions and parentheses may lie in each other; terms that are joined by `and` or `or`
    /// lie beside each other (`webpubsub.md` 9.8).
    pub const DEPTH_MAX: usize = 100;

    /// Reads a filter and checks it. The empty text is a filter that lets everything through.
    ///
    /// # Errors
    /// When the text is not in the language, has something in it that is not supported, gives an operator or a function
    /// what it does not take, is no boolean, or is too long or too deep.
    ///
    /// ```
    /// use hubcast::Filter;
    ///
    /// let filter = Filter::parse("( USERID eq 'o''hara' )")?;
    /// assert_eq!(filter.to_string(), "userId eq 'o''hara'");
    /// let error = Filter::parse("userId lt 1").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "Invalid syntax for 'userId lt 1': Type 'string', expect 'int'. (Parameter 'filter')",
    /// );
    /// # Ok::<(), hubcast::FilterError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_within(text, Self::BYTES_MAX, Self::DEPTH_MAX)
    }

    /// Reads what was printed, which can be longer than what was read, and has up to two levels open for one of the
    /// tree: `not` and the parentheses around its operand.
    #[cfg(feature = "replay")]
    pub(crate) fn parse_printed(text: &str) -> Result<Self, FilterError> {
        Self::parse_within(text, 4 * Self::BYTES_MAX, 2 * Self::DEPTH_MAX)
    }

    fn parse_within(text: &str, most: usize, levels: usize) -> Result<Self, FilterError> {
        if text.is_empty() {
            return Ok(Self { root: Expression::Bool(true) });
        }
        let root = parser::parse(text, most, levels)
            .map_err(|problem| FilterError::of_text(text, problem))?;
        check::check(&root, text)?;
        Ok(Self { root })
    }
}

impl Filter {
    /// Returns the filter with other literals where it compares with the connection id.
    #[cfg(feature = "replay")]
    pub(crate) fn with_connections_renamed(&self, rename: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut root = self.root.clone();
        root.rename_connections(rename);
        Self { root }
    }

    /// Tells whether it lets a connection through. What is composed on the way lies in `scratch`, which keeps its
    /// memory from one connection to the next.
    pub(crate) fn matches(&self, subject: &impl Subject, scratch: &mut String) -> bool {
        self.root.holds(subject, scratch)
    }

    /// Returns conditions that hold for whatever it lets through, and for which there is an index.
    pub(crate) fn handles(&self) -> Handles<'_> {
        let mut handles = Handles::new();
        self.root.handles(&mut handles);
        handles
    }
}

/// Writes the filter in its own language; reading that gives the same filter, unless parentheses that were not there
/// before make it too long or too deep.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({self})")
    }
}
