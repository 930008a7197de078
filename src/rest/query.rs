//! The query of a request.

use alloc::string::String;
use alloc::vec::Vec;

/// The parameters of a query in order, decoded; their names are compared without regard to case
/// (`emulator.md` 2).
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query. What is not valid UTF-8 is replaced.
    pub(super) fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Returns the last value of a parameter.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter().rev();
        pairs.find_map(|(each, value)| each.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }

    /// Returns the last value of a parameter; an empty one counts as absent.
    pub(super) fn last_filled(&self, name: &str) -> Option<&str> {
        self.last(name).filter(|value| !value.is_empty())
    }

    /// Returns all values of a parameter in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(each, _)| each.eq_ignore_ascii_case(name));
        pairs.map(|(_, value)| value.as_str())
    }

    /// Returns all parameters but the ones of this name.
    pub(super) fn without(mut self, name: &str) -> Vec<(String, String)> {
        self.0.retain(|(each, _)| !each.eq_ignore_ascii_case(name));
        self.0
    }
}
