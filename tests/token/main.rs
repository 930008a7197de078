//! Tokens, signed here without the library, so that it is not tested with itself.

#![cfg(feature = "jwt")]

mod audience;
mod claims;
mod hostile;
mod keys;
mod lifetime;
mod mint;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use hubcast::Time;
use hubcast::token::{
    AccessKey, AccessKeys, ClientAudience, ClientClaims, TokenError, verify_client,
};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
pub(crate) const OTHER_KEY: &str = "secondary-key-0123456789-0123456789-abcd";
pub(crate) const HOST: &str = "localhost:8080";
pub(crate) const NOW: Time = Time::from_secs(1_790_000_000);
pub(crate) const CHAT: ClientAudience<'_> = ClientAudience { host: HOST, hub: "chat" };

pub(crate) fn keys() -> AccessKeys {
    AccessKeys::from(AccessKey::new(KEY).unwrap())
}

/// Signs a token.
pub(crate) fn signed(header: &str, payload: &str, key: &str) -> String {
    let head = URL_SAFE_NO_PAD.encode(header);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(payload));
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    hmac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
}

pub(crate) fn token(claims: &Value) -> String {
    signed(r#"{"alg":"HS256"}"#, &claims.to_string(), KEY)
}

/// Verifies a token for the hub `chat` that has these claims and, unless they say otherwise, a good expiry
/// and audience.
pub(crate) fn client(mut claims: Value) -> Result<ClientClaims, TokenError> {
    let fields = claims.as_object_mut().unwrap();
    fields.entry("exp").or_insert(json!(NOW.as_secs() + 60));
    fields.entry("aud").or_insert(json!("http://localhost:8080/client/hubs/chat"));
    verify_client(&token(&claims), &keys(), CHAT, NOW)
}
