//! Access tokens: who a peer is and what it may do, signed with an access key (`webpubsub.md` 2).
//!
//! A token is a JSON Web Token signed with HS256. Nothing here reads a clock: the caller passes `now`.
//!
//! ```
//! use hubcast::Time;
//! use hubcast::token::{AccessKey, AccessKeys, ClientAudience, ClientToken, verify_client};
//!
//! let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
//! let now = Time::from_secs(1_790_000_000);
//!
//! let token = ClientToken {
//!     endpoint: "http://localhost:8080",
//!     hub: "chat",
//!     user: Some("alice"),
//!     roles: &["webpubsub.joinLeaveGroup"],
//!     ..ClientToken::default()
//! }
//! .mint(&keys, now)?;
//!
//! let audience = ClientAudience { host: "localhost:8080", hub: "chat" };
//! let claims = verify_client(&token, &keys, audience, now)?;
//! assert_eq!(claims.user.as_deref(), Some("alice"));
//! assert_eq!(claims.roles, ["webpubsub.joinLeaveGroup"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audience;
mod claims;
mod jwt;
mod key;
mod mint;

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

pub use self::audience::{ClientAudience, RestAudience};
pub use self::claims::ClientClaims;
pub use self::key::{AccessKey, AccessKeys, KeyError};
pub use self::mint::{ClientToken, MintError, mint_rest};
use crate::time::Time;

/// Verifies the token of a client and returns what it says (`webpubsub.md` 2.2, 2.4).
///
/// Either key may have signed it. `exp` and `nbf` are judged with five minutes of skew. Group names are
/// not checked here. Tokens over 64 KiB are malformed.
///
/// ```
/// use hubcast::Time;
/// use hubcast::token::{AccessKey, AccessKeys, ClientAudience, TokenError, verify_client};
///
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
/// let audience = ClientAudience { host: "localhost:8080", hub: "chat" };
/// let result = verify_client("not a token", &keys, audience, Time::from_secs(1_790_000_000));
/// assert_eq!(result, Err(TokenError::Malformed));
/// # Ok::<(), hubcast::token::KeyError>(())
/// ```
///
/// # Errors
///
/// Returns what is wrong with the token. That is for the host's log: the peer only sees status 401.
pub fn verify_client(
    token: &str,
    keys: &AccessKeys,
    audience: ClientAudience<'_>,
    now: Time,
) -> Result<ClientClaims, TokenError> {
    let claims = jwt::verify(token, keys, now)?;
    audience.check(&claims)?;
    claims::read_client(claims)
}

/// Verifies the token of a REST request (`webpubsub.md` 2.3, 2.4).
///
/// Either key may have signed it. `exp` and `nbf` are judged with five minutes of skew. Tokens over
/// 64 KiB are malformed.
///
/// ```
/// use core::time::Duration;
/// use hubcast::Time;
/// use hubcast::token::{AccessKey, AccessKeys, RestAudience, mint_rest, verify_rest};
///
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
/// let now = Time::from_secs(1_790_000_000);
/// let url = "http://localhost:8080/api/hubs/chat/:send?api-version=2024-12-01";
/// let token = mint_rest(url, Duration::from_secs(60), &keys, now)?;
///
/// let asked = RestAudience { host: "localhost:8080", path: "/api/hubs/chat/:send" };
/// assert_eq!(verify_rest(&token, &keys, asked, now), Ok(()));
///
/// let other = RestAudience { host: "localhost:8080", path: "/api/hubs/lobby/:send" };
/// assert!(verify_rest(&token, &keys, other, now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns what is wrong with the token. That is for the host's log: the peer only sees status 401.
pub fn verify_rest(
    token: &str,
    keys: &AccessKeys,
    audience: RestAudience<'_>,
    now: Time,
) -> Result<(), TokenError> {
    let claims = jwt::verify(token, keys, now)?;
    audience.check(&claims)
}

/// Checks that a token of Microsoft Entra ID is for the service and in its time. Nothing else: neither who made it nor
/// whether it was changed.
#[cfg(feature = "rest")]
pub(crate) fn verify_entra_lifetime(token: &str, now: Time) -> Result<(), TokenError> {
    let claims = jwt::read_unverified(token, now)?;
    audience::check_entra(&claims)
}

/// What is wrong with a token.
///
/// Its text holds neither the token nor a key, so it may be logged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is not a JSON Web Token, is over 64 KiB, or needs an extension that nobody here knows.
    #[error("the token is malformed")]
    Malformed,
    /// It is not signed with HS256.
    #[error("the token is not signed with HS256")]
    Algorithm,
    /// Neither key signed it.
    #[error("the token is not signed with one of the access keys")]
    Signature,
    /// Its time is over.
    #[error("the token expired at {at}")]
    Expired {
        /// When, without the skew.
        at: Time,
    },
    /// Its time has not come.
    #[error("the token is not valid before {from}")]
    NotYetValid {
        /// When it will be, without the skew.
        from: Time,
    },
    /// It has no `exp`.
    #[error("the token has no expiry")]
    NoExpiry,
    /// It was made for something else.
    #[error("the token is for another audience: expected {expected:?}, actual {actual:?}")]
    Audience {
        /// What was asked for, without the scheme.
        expected: String,
        /// Every audience of the token.
        actual: Vec<String>,
    },
    /// A claim has the wrong type.
    #[error("the claim {name:?} of the token has the wrong type")]
    Claim {
        /// The claim.
        name: &'static str,
    },
}
