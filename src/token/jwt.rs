//! JSON Web Tokens with HS256: signature and lifetime, whatever else the claims say.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Number, Value};

use super::TokenError;
use super::key::{AccessKey, AccessKeys};
use crate::time::Time;

/// The claims of a token by name.
pub(super) type Claims = Map<String, Value>;

/// The most bytes of a token.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// How far the clocks of issuer and host may be apart (`webpubsub.md` 2.2).
const SKEW: Duration = Duration::from_secs(5 * 60);

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Signs claims.
pub(super) fn sign(claims: Claims, key: &AccessKey) -> String {
    let mut token = URL_SAFE_NO_PAD.encode(HEADER);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(Value::Object(claims).to_string(), &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// Checks form, signature and lifetime of a token and returns its claims.
pub(super) fn verify(token: &str, keys: &AccessKeys, now: Time) -> Result<Claims, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    check_header(&object(header)?)?;
    let signature = decode(signature)?;
    // The payload is looked at last, when it is known to come from the holder of a key.
    if !keys.each().any(|key| key.signed(signed.as_bytes(), &signature)) {
        return Err(TokenError::Signature);
    }
    let claims = object(payload)?;
    check_lifetime(&claims, now)?;
    Ok(claims)
}

/// Checks form and lifetime of a token, not its signature, and returns its claims.
#[cfg(feature = "rest")]
pub(super) fn read_unverified(token: &str, now: Time) -> Result<Claims, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let mut segments = token.split('.');
    let (Some(header), Some(payload), Some(_), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(TokenError::Malformed);
    };
    object(header)?;
    let claims = object(payload)?;
    check_lifetime(&claims, now)?;
    Ok(claims)
}

fn check_header(header: &Claims) -> Result<(), TokenError> {
    if header.get("alg").and_then(Value::as_str) != Some("HS256") {
        return Err(TokenError::Algorithm);
    }
    // RFC 7515 4.1.11: who does not know the extensions listed here must refuse the token.
    if header.contains_key("crit") {
        return Err(TokenError::Malformed);
    }
    Ok(())
}

fn check_lifetime(claims: &Claims, now: Time) -> Result<(), TokenError> {
    let at = time(claims, "exp")?.ok_or(TokenError::NoExpiry)?;
    if at + SKEW < now {
        return Err(TokenError::Expired { at });
    }
    if let Some(from) = time(claims, "nbf")?
        && from > now + SKEW
    {
        return Err(TokenError::NotYetValid { from });
    }
    Ok(())
}

/// Reads a `NumericDate`: seconds since the Unix epoch, whole or not. `null` counts as absent.
fn time(claims: &Claims, name: &'static str) -> Result<Option<Time>, TokenError> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(seconds)) => Ok(Some(time_of(seconds))),
        Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            Err(TokenError::Claim { name })
        }
    }
}

fn time_of(seconds: &Number) -> Time {
    if let Some(seconds) = seconds.as_u64() {
        return Time::from_secs(seconds);
    }
    let millis = seconds.as_f64().unwrap_or_default() * 1000.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates: before the epoch is the epoch, and too late is the end of time"
    )]
    Time::from_millis(millis as u64)
}

fn object(segment: &str) -> Result<Claims, TokenError> {
    serde_json::from_slice(&decode(segment)?).map_err(|_| TokenError::Malformed)
}

fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| TokenError::Malformed)
}
