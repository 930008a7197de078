//! Strings of JSON and their escapes.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::scan::skip_plain;

/// What stands between the quotes of a string that the scanner has checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text<'a> {
    content: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(content: &'a str, escaped: bool) -> Self {
        Self { content, escaped }
    }

    /// Returns what stands between the quotes, as it is spelled.
    #[cfg(feature = "replay")]
    pub(super) fn content(self) -> &'a str {
        self.content
    }

    /// Returns the text where it is spelled without escapes.
    #[inline]
    pub(super) fn plain(self) -> Option<&'a str> {
        (!self.escaped).then_some(self.content)
    }

    /// Returns the text, or `None` where half of a surrogate pair stands alone.
    #[inline]
    pub(super) fn decode(self) -> Option<Cow<'a, str>> {
        match self.plain() {
            Some(text) => Some(Cow::Borrowed(text)),
            None => self.decode_escaped(),
        }
    }

    #[inline(never)]
    fn decode_escaped(self) -> Option<Cow<'a, str>> {
        let mut decoded = Vec::with_capacity(self.content.len());
        self.decode_into(&mut decoded)?;
        Some(Cow::Owned(String::from_utf8(decoded).ok()?))
    }

    /// Appends the text as UTF-8, or returns `None` where half of a surrogate pair stands alone.
    pub(super) fn decode_into(self, output: &mut Vec<u8>) -> Option<()> {
        let bytes = self.content.as_bytes();
        output.reserve(bytes.len());
        let mut start = 0;
        loop {
            // Quotes and control characters only ever stand behind a backslash in here.
            let end = skip_plain(bytes, start);
            output.extend_from_slice(&bytes[start..end]);
            let Some(&escape) = bytes.get(end + 1) else { return Some(()) };
            start = end + 2;
            match escape {
                b'b' => output.push(0x08),
                b'f' => output.push(0x0C),
                b'n' => output.push(b'\n'),
                b'r' => output.push(b'\r'),
                b't' => output.push(b'\t'),
                b'u' => {
                    let character;
                    (character, start) = decode_character(bytes, start)?;
                    output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                quote_backslash_or_slash => output.push(quote_backslash_or_slash),
            }
        }
    }
}

/// Decodes the character whose first four hexadecimal digits stand at `at`; returns also where it ends.
fn decode_character(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let first = decode_unit(bytes, at)?;
    if !matches!(first, 0xD800..0xE000) {
        return Some((char::from_u32(first)?, at + 4));
    }
    if bytes.get(at + 4..at + 6) != Some(b"\\u") {
        return None;
    }
    let second = decode_unit(bytes, at + 6)?;
    let pair = matches!(first, 0xD800..0xDC00) && matches!(second, 0xDC00..0xE000);
    let character = pair.then(|| 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    Some((char::from_u32(character)?, at + 10))
}

fn decode_unit(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .iter()
        .try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}
