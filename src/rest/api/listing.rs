//! The members of a group, page by page (`webpubsub.md` 9.5, `emulator.md` 10).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::parameters::{Parameters, VERSIONS};
use crate::command::Members;

/// The most characters of a token that is looked at.
const TOKEN_CHARACTERS_MAX: usize = 2048;
/// How many bytes of its hash a token begins with.
const HASH_BYTES: usize = 16;

/// A page that is asked for.
#[derive(Clone)]
pub(super) struct Page {
    group: String,
    /// The id of the last member before it.
    pub(super) after: Option<String>,
    size: u32,
    /// The most members of this page and those that follow.
    top: Option<u32>,
    /// The URL of the request without its query.
    url: String,
}

impl Page {
    pub(super) fn read(
        hub: &str,
        group: &str,
        token: Option<&str>,
        parameters: &Parameters,
        url: String,
    ) -> Result<Self, Fault> {
        let invalid = || Fault::bad_request("Invalid continuationToken.");
        let after = token.map(|token| read_token(hub, group, token).ok_or_else(invalid));
        Ok(Self {
            group: group.to_owned(),
            after: after.transpose()?,
            size: parameters.page_size,
            top: parameters.top,
            url,
        })
    }

    pub(super) fn group(&self) -> &str {
        &self.group
    }

    /// Returns the most members that this page may have.
    pub(super) fn limit(&self) -> usize {
        self.top.map_or(self.size, |top| top.min(self.size)) as usize
    }

    /// Writes the page.
    pub(super) fn write(&self, hub: &str, members: &Members) -> String {
        let mut text = String::from(r#"{"value":["#);
        for (place, member) in members.members.iter().enumerate() {
            let id = Value::from(member.connection_id.as_str());
            let user = Value::from(member.user.as_deref());
            let comma = if place == 0 { "" } else { "," };
            write!(text, r#"{comma}{{"connectionId":{id},"userId":{user}}}"#)
                .expect("a String takes any text");
        }
        let next = Value::from(self.next(hub, members));
        write!(text, r#"],"nextLink":{next}}}"#).expect("a String takes any text");
        text
    }

    /// Returns the URL of the next page, if there is one.
    fn next(&self, hub: &str, members: &Members) -> Option<String> {
        let last = members.members.last().filter(|_| members.more)?;
        let left = match self.top {
            Some(top) => match top.saturating_sub(members.members.len() as u32) {
                0 => return None,
                left => format!("&top={left}"),
            },
            None => String::new(),
        };
        let token = write_token(hub, &self.group, last.connection_id.as_str());
        let [.., newest] = VERSIONS;
        Some(format!(
            "{}?api-version={newest}&maxpagesize={}&continuationToken={token}{left}",
            self.url, self.size
        ))
    }
}

/// Writes where a page ended: a hash that binds it to its group, and the last id.
fn write_token(hub: &str, group: &str, id: &str) -> String {
    let mut bytes = Vec::from(&hash(hub, group, id)[..]);
    bytes.extend_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_token(hub: &str, group: &str, token: &str) -> Option<String> {
    if token.len() > TOKEN_CHARACTERS_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (found, id) = bytes.split_at_checked(HASH_BYTES)?;
    let id = str::from_utf8(id).ok()?;
    (found == hash(hub, group, id)).then(|| id.to_owned())
}

/// Hashes what a token is bound to. No key is needed: who makes a token up only skips members that he may list anyway.
fn hash(hub: &str, group: &str, id: &str) -> [u8; HASH_BYTES] {
    let mut hash = Sha256::new();
    for text in [&*hub.to_ascii_lowercase(), group, id] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let hash = hash.finalize();
    core::array::from_fn(|place| hash[place])
}
