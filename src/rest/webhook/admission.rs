//! What a handler may say about a connection that it lets in (`webpubsub.md` 8.3).

use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use crate::event::Admission;
use crate::protocol::json::visit_object;

/// An [`Admission`] with its texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnedAdmission {
    user: Option<String>,
    roles: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    subprotocol: Option<String>,
    pub(super) state: Option<String>,
}

/// The most bytes of one member of the answer. A list of short texts takes much more room than it has bytes.
const MEMBER_BYTES_MAX: usize = 1024 * 1024;

impl OwnedAdmission {
    /// Reads the body of an answer: nothing, `null` or an object; `None` for anything else.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        let mut admission = Self::default();
        let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
        if body.is_empty() || trimmed == "null" {
            return Some(admission);
        }
        let mut sensible = true;
        visit_object(text, |name, value| {
            sensible &= admission.read_member(&name, value).is_some();
        })?;
        sensible.then_some(admission)
    }

    /// Reads a member. Names count in any case, those that nobody knows do not count (`emulator.md` 12).
    fn read_member(&mut self, name: &str, value: &str) -> Option<()> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("userId") {
            self.user = text(value)?;
        } else if is("subprotocol") {
            self.subprotocol = text(value)?;
        } else if is("roles") {
            self.roles = texts(value)?;
        } else if is("groups") {
            self.groups = texts(value)?;
        }
        Some(())
    }

    pub(super) fn with_admission<R>(&self, admission: impl FnOnce(Admission<'_>) -> R) -> R {
        let roles = self.roles.as_deref().map(lend);
        let groups = self.groups.as_deref().map(lend);
        admission(Admission {
            user: self.user.as_deref(),
            roles: roles.as_deref(),
            groups: groups.as_deref(),
            subprotocol: self.subprotocol.as_deref(),
            state: self.state.as_deref(),
        })
    }
}

fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Reads a text or `null`; `None` for anything else.
fn text(value: &str) -> Option<Option<String>> {
    serde_json::from_str(short(value)?).ok()
}

/// Reads a list of texts or `null`; `None` for anything else, also for `null` in a list.
fn texts(value: &str) -> Option<Option<Vec<String>>> {
    serde_json::from_str(short(value)?).ok()
}

fn short(value: &str) -> Option<&str> {
    (value.len() <= MEMBER_BYTES_MAX).then_some(value)
}
