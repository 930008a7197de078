//! New tokens, for a host that issues them itself.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use thiserror::Error;

use super::jwt::{self, Claims};
use super::key::AccessKeys;
use crate::name;
use crate::time::Time;

/// How long a client may use a token to connect, unless said otherwise (`service.md`).
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The longest lifetime that is not asked for twice (`service.md`).
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What has to be escaped in a segment of a path: all but the unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A token for a client, to be signed (`webpubsub.md` 2.2).
///
/// ```
/// use core::time::Duration;
/// use hubcast::Time;
/// use hubcast::token::{AccessKey, AccessKeys, ClientToken};
///
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
/// let url = ClientToken {
///     endpoint: "https://example.local",
///     hub: "chat",
///     user: Some("bob"),
///     roles: &["webpubsub.sendToGroup.news"],
///     groups: &["news"],
///     lifetime: Duration::from_secs(5 * 60),
///     ..ClientToken::default()
/// }
/// .url(&keys, Time::from_secs(1_790_000_000))?;
/// assert!(url.starts_with("wss://example.local/client/hubs/chat?access_token=eyJ"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientToken<'a> {
    /// Where the client will connect to: scheme (`http`, `https`, `ws` or `wss`), host and maybe port,
    /// without a path.
    pub endpoint: &'a str,
    /// The hub.
    pub hub: &'a str,
    /// The user.
    pub user: Option<&'a str>,
    /// The roles.
    pub roles: &'a [&'a str],
    /// The groups to be in from the start.
    pub groups: &'a [&'a str],
    /// How long it may be used to connect: above zero, by default 60 minutes, at most 24 hours without
    /// [`allow_long`](Self::allow_long).
    pub lifetime: Duration,
    /// Whether a lifetime above 24 hours is meant.
    pub allow_long: bool,
}

impl Default for ClientToken<'_> {
    fn default() -> Self {
        Self {
            endpoint: "",
            hub: "",
            user: None,
            roles: &[],
            groups: &[],
            lifetime: LIFETIME,
            allow_long: false,
        }
    }
}

impl ClientToken<'_> {
    /// Signs the token with the primary key.
    ///
    /// # Errors
    ///
    /// Returns the rule that a field breaks.
    pub fn mint(&self, keys: &AccessKeys, now: Time) -> Result<String, MintError> {
        let (scheme, host) = endpoint(self.endpoint)?;
        self.check()?;
        let mut claims = Claims::new();
        claims.insert("aud".into(), format!("{scheme}://{host}{}", self.path()).into());
        insert_lifetime(&mut claims, self.lifetime, now);
        if let Some(user) = self.user {
            claims.insert("sub".into(), user.into());
        }
        if !self.roles.is_empty() {
            claims.insert("role".into(), self.roles.into());
        }
        if !self.groups.is_empty() {
            claims.insert("webpubsub.group".into(), self.groups.into());
        }
        Ok(jwt::sign(claims, &keys.primary))
    }

    /// Signs the token and returns the URL that the client connects to:
    /// `wss://{host}/client/hubs/{hub}?access_token={token}`, or `ws` for an `http` endpoint.
    ///
    /// # Errors
    ///
    /// Returns the rule that a field breaks.
    pub fn url(&self, keys: &AccessKeys, now: Time) -> Result<String, MintError> {
        let token = self.mint(keys, now)?;
        let (scheme, host) = endpoint(self.endpoint)?;
        let secure = matches!(scheme, "https" | "wss");
        let scheme = if secure { "wss" } else { "ws" };
        Ok(format!("{scheme}://{host}{}?access_token={token}", self.path()))
    }

    fn path(&self) -> String {
        format!("/client/hubs/{}", utf8_percent_encode(self.hub, SEGMENT))
    }

    fn check(&self) -> Result<(), MintError> {
        if !name::is_hub(self.hub) {
            return Err(MintError::Hub);
        }
        if !self.groups.iter().all(|group| name::is_group(group)) {
            return Err(MintError::Group);
        }
        if self.lifetime.is_zero() || (self.lifetime > LIFETIME_MAX && !self.allow_long) {
            return Err(MintError::Lifetime);
        }
        Ok(())
    }
}

/// Signs a token for one REST request with the primary key (`webpubsub.md` 2.3).
///
/// `url` is the full URL of the request; its query may be left out. `lifetime` is above zero and at most
/// 24 hours.
///
/// ```
/// use core::time::Duration;
/// use hubcast::Time;
/// use hubcast::token::{AccessKey, AccessKeys, mint_rest};
///
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
/// let now = Time::from_secs(1_790_000_000);
/// let url = "http://localhost:8080/api/hubs/chat/:closeConnections?api-version=2024-12-01";
/// let header = format!("Bearer {}", mint_rest(url, Duration::from_secs(60), &keys, now)?);
/// # let _ = header;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns [`MintError::Endpoint`] for a URL that is not `http` or `https`, and [`MintError::Lifetime`].
pub fn mint_rest(
    url: &str,
    lifetime: Duration,
    keys: &AccessKeys,
    now: Time,
) -> Result<String, MintError> {
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    if !is_http {
        return Err(MintError::Endpoint);
    }
    if lifetime.is_zero() || lifetime > LIFETIME_MAX {
        return Err(MintError::Lifetime);
    }
    let mut claims = Claims::new();
    claims.insert("aud".into(), url.into());
    insert_lifetime(&mut claims, lifetime, now);
    Ok(jwt::sign(claims, &keys.primary))
}

/// Why a token cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MintError {
    /// The endpoint is not a scheme and a host, or the URL is not one of HTTP.
    #[error("the endpoint must be http, https, ws or wss, a host and no path")]
    Endpoint,
    /// The hub breaks the rules for hub names.
    #[error("the hub must be a letter and then up to 127 letters, digits or any of _ ` , . [ ]")]
    Hub,
    /// A group breaks the rules for group names.
    #[error("a group must have 1 to 1024 UTF-16 units and not be blank")]
    Group,
    /// The lifetime is zero, or longer than 24 hours without being allowed to.
    #[error(
        "the lifetime must be above zero and, unless a longer one is allowed, at most 24 hours"
    )]
    Lifetime,
}

/// Splits an endpoint into scheme and host with port; a trailing slash is fine.
fn endpoint(text: &str) -> Result<(&str, &str), MintError> {
    let (scheme, rest) = text.split_once("://").ok_or(MintError::Endpoint)?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._~:[]".contains(&b);
    let valid = matches!(scheme, "http" | "https" | "ws" | "wss")
        && !host.is_empty()
        && host.bytes().all(is_host);
    if valid { Ok((scheme, host)) } else { Err(MintError::Endpoint) }
}

fn insert_lifetime(claims: &mut Claims, lifetime: Duration, now: Time) {
    // Rounded up, so that a lifetime below a second does not end before it began.
    let expires = (now + lifetime).as_millis().div_ceil(1000);
    claims.insert("iat".into(), now.as_secs().into());
    claims.insert("exp".into(), Value::from(expires));
}
