//! Connection ids in a filter, changed.

use alloc::boxed::Box;
use alloc::string::String;

use super::tree::{Expression, Property};

/// Gives another id for each connection id that is known.
pub(super) type Renaming<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Expression {
    /// Changes the literals that are compared with the connection id.
    pub(super) fn rename_connections(&mut self, rename: Renaming<'_>) {
        match self {
            Self::Not(operand) => operand.rename_connections(rename),
            Self::Joined(_, terms) | Self::Call(_, terms) => {
                for term in terms {
                    term.rename_connections(rename);
                }
            }
            Self::Compared(_, sides) => {
                let [left, right] = &mut **sides;
                let (is_left, is_right) = (left.is_connection_id(), right.is_connection_id());
                left.rename_side(is_right, rename);
                right.rename_side(is_left, rename);
            }
            Self::InList(value, items) => {
                let is_id = value.is_connection_id();
                value.rename_side(false, rename);
                for item in items {
                    item.rename_side(is_id, rename);
                }
            }
            Self::InCollection(sides) => {
                for side in &mut **sides {
                    side.rename_connections(rename);
                }
            }
            // The check lets nothing unknown through.
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Text(_)
            | Self::Property(_)
            | Self::Unknown(_) => {}
        }
    }

    fn is_connection_id(&self) -> bool {
        matches!(self, Self::Property(Property::ConnectionId))
    }

    fn rename_side(&mut self, is_id: bool, rename: Renaming<'_>) {
        match self {
            Self::Text(text) if is_id => {
                if let Some(renamed) = rename(text) {
                    *text = Box::from(renamed);
                }
            }
            other => other.rename_connections(rename),
        }
    }
}
