//! Access keys and what is signed with them besides tokens.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

/// The least UTF-8 bytes of an access key.
const KEY_BYTES_MIN: usize = 32;

/// A key that signs tokens. The bytes of its text are the secret: it is not decoded (`webpubsub.md` 2.1).
///
/// ```
/// use hubcast::token::{AccessKey, KeyError};
///
/// let key = AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?;
/// assert_eq!(format!("{key:?}"), "AccessKey(..)");
/// assert_eq!(AccessKey::new("short").err(), Some(KeyError::TooShort));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone)]
pub struct AccessKey(String);

impl AccessKey {
    /// Makes a key from a text of at least 32 UTF-8 bytes without `;`, control characters and outer white
    /// space.
    ///
    /// # Errors
    ///
    /// Returns the rule that the text breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        if text.len() < KEY_BYTES_MIN {
            return Err(KeyError::TooShort);
        }
        if text.contains(';') {
            return Err(KeyError::Semicolon);
        }
        if text.chars().any(char::is_control) {
            return Err(KeyError::ControlCharacter);
        }
        if text.trim().len() != text.len() {
            return Err(KeyError::OuterWhitespace);
        }
        Ok(Self(text))
    }

    /// Returns the connection string that service clients are configured with; it holds the key.
    ///
    /// `endpoint` is an `http` or `https` URL without a path.
    ///
    /// ```
    /// use hubcast::token::AccessKey;
    ///
    /// let key = AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?;
    /// assert_eq!(
    ///     key.connection_string("http://localhost:8080"),
    ///     "Endpoint=http://localhost:8080;AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH;Version=1.0;",
    /// );
    /// # Ok::<(), hubcast::token::KeyError>(())
    /// ```
    pub fn connection_string(&self, endpoint: &str) -> String {
        format!("Endpoint={endpoint};AccessKey={};Version=1.0;", self.0)
    }

    /// Returns the HMAC-SHA-256 of a message.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.hmac(message).finalize().into_bytes().into()
    }

    /// Tells, in constant time, whether this is the HMAC-SHA-256 of a message.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.hmac(message).verify_slice(signature).is_ok()
    }

    fn hmac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length");
        hmac.update(message);
        hmac
    }
}

impl fmt::Debug for AccessKey {
    /// Writes that there is a key, not which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(..)")
    }
}

/// The keys in force: either may have signed a token, the primary one signs new ones.
///
/// Two keys let a host change one at a time without refusing anybody.
#[derive(Clone, Debug)]
pub struct AccessKeys {
    /// The key that new tokens are signed with.
    pub primary: AccessKey,
    /// The other key, if there is one.
    pub secondary: Option<AccessKey>,
}

impl AccessKeys {
    /// Returns the value of the header `ce-signature` for events of a connection (`webpubsub.md` 8.4).
    ///
    /// ```
    /// use hubcast::token::{AccessKey, AccessKeys};
    ///
    /// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
    /// assert_eq!(
    ///     keys.signature("0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ///     "sha256=31f8e6b3dc22eb05c140cfc25b924fe875f1f204a284234dc93f5c6cf81b4175",
    /// );
    /// # Ok::<(), hubcast::token::KeyError>(())
    /// ```
    pub fn signature(&self, connection_id: &str) -> String {
        let mut header = String::with_capacity(2 * 72);
        for key in self.each() {
            header.push_str(if header.is_empty() { "sha256=" } else { ",sha256=" });
            for byte in key.sign(connection_id.as_bytes()) {
                write!(header, "{byte:02x}").expect("a String takes any text");
            }
        }
        header
    }

    /// Goes through the keys, the primary one first.
    pub(super) fn each(&self) -> impl Iterator<Item = &AccessKey> {
        [&self.primary].into_iter().chain(&self.secondary)
    }
}

impl From<AccessKey> for AccessKeys {
    /// Makes keys of a primary one alone.
    fn from(primary: AccessKey) -> Self {
        Self { primary, secondary: None }
    }
}

/// Why a text is not an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has fewer than 32 UTF-8 bytes.
    #[error("an access key must have at least 32 UTF-8 bytes")]
    TooShort,
    /// It holds a `;`, which would end it in a connection string.
    #[error("an access key must not contain ';'")]
    Semicolon,
    /// It holds a control character.
    #[error("an access key must not contain control characters")]
    ControlCharacter,
    /// It starts or ends with white space.
    #[error("an access key must not start or end with white space")]
    OuterWhitespace,
}
