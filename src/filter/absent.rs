//! What stands for a filter where none can be made.

use alloc::string::String;
use core::fmt;

use super::{Handles, Subject};

/// No tree at all.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Expression {}

impl Expression {
    pub(super) fn holds(&self, _: &impl Subject, _: &mut String) -> bool {
        match *self {}
    }

    pub(super) fn handles<'a>(&'a self, _: &mut Handles<'a>) {
        match *self {}
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}
