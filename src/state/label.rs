//! Names of groups and users, kept where they are needed.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use arrayvec::ArrayString;

/// How many bytes a name may have that needs no memory of its own.
const SHORT_MAX: usize = 24;

/// A name. A short one lies in its group or user itself, so that to compare it is no look at another place in memory:
/// in a large world that costs as much as all the instructions of a lookup.
#[derive(Clone)]
pub(crate) enum Label {
    Short(ArrayString<SHORT_MAX>),
    Long(Box<str>),
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        ArrayString::from(name).map_or_else(|_| Self::Long(name.into()), Self::Short)
    }
}

impl Deref for Label {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Short(name) => name,
            Self::Long(name) => name,
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of every length, of whatever characters, come out as they went in.
    #[test]
    fn any_length() {
        for character in ["a", "é", "€", "𝄞"] {
            for times in 0..40 {
                let name = character.repeat(times);
                let label = Label::from(&*name);
                assert_eq!(&*label, name);
                assert_eq!(matches!(label, Label::Short(_)), name.len() <= SHORT_MAX);
            }
        }
        assert_eq!(size_of::<Label>(), 32);
    }
}
