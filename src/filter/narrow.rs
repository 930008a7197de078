//! What a filter says that an index answers.

use smallvec::{SmallVec, smallvec};

use super::tree::{Comparison, Connective, Expression, Property};
use super::{Handle, Handles};

impl Expression {
    /// Adds the conditions among the terms that all have to hold.
    pub(super) fn handles<'a>(&'a self, handles: &mut Handles<'a>) {
        match self {
            Self::Joined(Connective::And, terms) => {
                for term in terms {
                    term.handles(handles);
                }
            }
            Self::Compared(Comparison::Equal, sides) => match &**sides {
                [Self::Property(property), Self::Text(text)]
                | [Self::Text(text), Self::Property(property)] => {
                    handles.extend(property.handle(smallvec![&**text]));
                }
                _ => {}
            },
            Self::InList(value, items) => {
                if let Self::Property(property) = **value
                    && let Some(texts) = items.iter().map(Self::literal).collect()
                {
                    handles.extend(property.handle(texts));
                }
            }
            Self::InCollection(sides) => {
                if let [Self::Text(group), Self::Property(Property::Groups)] = &**sides {
                    handles.push(Handle::Group(group));
                }
            }
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Text(_)
            | Self::Property(_)
            | Self::Not(_)
            | Self::Joined(Connective::Or, _)
            | Self::Compared(..)
            | Self::Call(..)
            | Self::Unknown(_) => {}
        }
    }

    fn literal(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl Property {
    /// Returns the condition that it is one of these texts, each once.
    fn handle(self, mut texts: SmallVec<[&str; 4]>) -> Option<Handle<'_>> {
        texts.sort_unstable();
        texts.dedup();
        match self {
            Self::UserId => Some(Handle::Users(texts)),
            Self::ConnectionId => Some(Handle::Connections(texts)),
            Self::Groups | Self::Protocol => None,
        }
    }
}
