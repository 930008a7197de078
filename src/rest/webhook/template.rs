//! Where events go: URLs with places for the hub and the event (`webpubsub.md` 8.1).

use alloc::string::String;
use alloc::vec::Vec;

use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// The URL of an event handler, with places for the hub and the event.
///
/// It is an absolute `http` or `https` URL. `{hub}` and `{event}`, in any case, may stand in its path and its query
/// as often as one likes; what is put in is percent-encoded. A fragment is left out.
///
/// ```
/// use hubcast::rest::webhook::UrlTemplate;
///
/// let template = UrlTemplate::parse("https://shop.example/hooks/{HUB}?on={event}&code=s3cret")?;
/// let url = template.resolve("chat", "connect")?;
/// assert_eq!(url, "https://shop.example/hooks/chat?on=connect&code=s3cret");
/// assert!(UrlTemplate::parse("https://{hub}.shop.example/").is_err());
/// # Ok::<(), hubcast::rest::webhook::UrlTemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hub,
    Event,
}

/// Why a text is not the URL of an event handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlTemplateError {
    /// It does not start with `http://` or `https://`.
    #[error("the URL of a handler must be absolute, with http or https")]
    Scheme,
    /// It has no host, or one that is none.
    #[error("the URL of a handler must have a host")]
    Host,
    /// It has `{..}` in its host.
    #[error("the URL of a handler cannot have parameters in its host")]
    ParameterInHost,
    /// It has `{..}` with something else than `hub` or `event`, a reference to a key vault for example.
    #[error("the URL of a handler can only have the parameters {{hub}} and {{event}}")]
    UnknownParameter,
    /// It is longer than 65,534 bytes, as it is or with the hub and the event put in.
    #[error("the URL of a handler is too long")]
    TooLong,
}

/// What cannot stand in a URL as it is. A percent sign can: whoever writes a template encodes it himself.
const UNFIT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Everything that means nothing in a URL stays; the rest is encoded where it is put in.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The most bytes of a URL.
const URL_BYTES_MAX: usize = 65_534;

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlTemplateError> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlTemplateError::TooLong);
        }
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").ok_or(UrlTemplateError::Scheme)?;
        let known = ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme));
        let scheme = known.ok_or(UrlTemplateError::Scheme)?;
        let (host, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if host.contains(['{', '}']) {
            return Err(UrlTemplateError::ParameterInHost);
        }
        let mut start = [scheme, "://", host].concat();
        start
            .parse::<Uri>()
            .ok()
            .filter(|uri| uri.host().is_some())
            .ok_or(UrlTemplateError::Host)?;
        if !rest.starts_with('/') {
            start.push('/');
        }
        let mut template = Self(Vec::new());
        template.0.push(Piece::Text(start));
        template.read_rest(rest)?;
        Ok(template)
    }

    fn read_rest(&mut self, mut rest: &str) -> Result<(), UrlTemplateError> {
        while let Some((before, after)) = rest.split_once('{') {
            self.push_text(before);
            let (name, after) = after.split_once('}').ok_or(UrlTemplateError::UnknownParameter)?;
            self.0.push(match name.to_ascii_lowercase().as_str() {
                "hub" => Piece::Hub,
                "event" => Piece::Event,
                _ => return Err(UrlTemplateError::UnknownParameter),
            });
            rest = after;
        }
        self.push_text(rest);
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push(Piece::Text(utf8_percent_encode(text, UNFIT).collect()));
        }
    }

    /// Puts a hub and an event in.
    ///
    /// # Errors
    ///
    /// Returns [`UrlTemplateError::TooLong`] where the URL gets longer than 65,534 bytes.
    pub fn resolve(&self, hub: &str, event: &str) -> Result<Uri, UrlTemplateError> {
        self.text(hub, event).parse().map_err(|_| UrlTemplateError::TooLong)
    }

    /// Returns the URL that a handler is asked at whether it wants events of a hub (`webpubsub.md` 8.8).
    pub(super) fn validation(&self, hub: &str) -> Result<String, UrlTemplateError> {
        let url = self.text(hub, "validate");
        if url.len() > URL_BYTES_MAX { Err(UrlTemplateError::TooLong) } else { Ok(url) }
    }

    fn text(&self, hub: &str, event: &str) -> String {
        let mut url = String::with_capacity(128);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => url.push_str(text),
                Piece::Hub => url.extend(utf8_percent_encode(hub, RESERVED)),
                Piece::Event => url.extend(utf8_percent_encode(event, RESERVED)),
            }
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn resolve(template: &str, hub: &str, event: &str) -> Result<String, UrlTemplateError> {
        Ok(UrlTemplate::parse(template)?.resolve(hub, event)?.to_string())
    }

    /// Parameters go into path and query, in any case, encoded.
    #[test]
    fn parameters() {
        for (template, url) in [
            ("http://h", "http://h/"),
            ("HTTPS://H:8443", "https://H:8443/"),
            ("http://h?a={event}", "http://h/?a=a.b-c_d"),
            ("http://h/{hub}/{Event}/{HUB}", "http://h/ch%60%2C%5B%5D/a.b-c_d/ch%60%2C%5B%5D"),
            (
                "http://h/a b/ü/%20?q=\"<{event}>\"",
                "http://h/a%20b/%C3%BC/%20?q=%22%3Ca.b-c_d%3E%22",
            ),
            ("http://h/x#{nothing}", "http://h/x"),
            ("http://[::1]:80/{event}", "http://[::1]:80/a.b-c_d"),
            ("http://h/a}b", "http://h/a%7Db"),
        ] {
            assert_eq!(resolve(template, "ch`,[]", "a.b-c_d").as_deref(), Ok(url), "{template}");
        }
    }

    /// What is put in cannot leave its place.
    #[test]
    fn nothing_escapes() {
        let url = resolve("http://h/{event}/x?{hub}", "?#&=/..", "../%2e?x#y\r\né").unwrap();
        assert_eq!(url, "http://h/..%2F%252e%3Fx%23y%0D%0A%C3%A9/x?%3F%23%26%3D%2F..");
    }

    /// Everything that is wrong has a name.
    #[test]
    fn errors() {
        use UrlTemplateError as Error;
        let long = ["http://h/", &"x".repeat(URL_BYTES_MAX)].concat();
        for (template, error) in [
            ("", Error::Scheme),
            ("/eventhandler", Error::Scheme),
            ("tunnel:///x", Error::Scheme),
            ("ftp://h/x", Error::Scheme),
            ("http://", Error::Host),
            ("http:///x", Error::Host),
            ("http://a b/x", Error::Host),
            ("http://{hub}.h/x", Error::ParameterInHost),
            ("http://h/{user}", Error::UnknownParameter),
            ("http://h/{hub", Error::UnknownParameter),
            ("http://h/{@Microsoft.KeyVault(SecretUri=https://v/s)}", Error::UnknownParameter),
            (&long, Error::TooLong),
        ] {
            assert_eq!(resolve(template, "chat", "e"), Err(error), "{template:.60}");
        }
        let many = ["http://h/", &"{event}".repeat(700)].concat();
        assert_eq!(resolve(&many, "chat", &"x".repeat(128)), Err(Error::TooLong));
    }
}
