//! A JSON scanner that builds nothing: it checks the grammar of RFC 8259 and cuts slices.
//!
//! All of the positions in here are byte offsets; a function that skips something takes the offset of its
//! first byte and returns the offset after its last, or `None` where the grammar is broken.

#[cfg(feature = "rest")]
use alloc::borrow::Cow;

use super::text::Text;

/// How many bytes are looked at together where a string is long.
const BLOCK: usize = 64;
/// The same where it is not: what one vector register holds.
const PIECE: usize = 16;

/// The deepest nesting of arrays and objects in one value.
pub(super) const DEPTH_MAX: u32 = 128;

/// Tells whether this is one JSON value, with nothing but white space around it.
pub(crate) fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    skip_value(bytes, skip_space(bytes, 0)).is_some_and(|end| skip_space(bytes, end) == bytes.len())
}

/// One JSON value as it was spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub raw: &'a str,
    pub kind: Kind,
}

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    False,
    True,
    Number,
    Text { escaped: bool },
    Array,
    Object,
}

impl<'a> Value<'a> {
    /// Returns the string that this value is.
    pub(super) fn text(&self) -> Option<Text<'a>> {
        let Kind::Text { escaped } = self.kind else { return None };
        Some(Text::new(self.raw.get(1..self.raw.len() - 1)?, escaped))
    }
}

/// Hands out the members of the object that is the whole text, in their order and repeated ones included, until
/// one is refused; returns `None` then, and where the text is anything else than an object.
///
/// It takes a visitor rather than being an iterator because members are too big to be returned in registers:
/// going through memory took a third of the time of a small frame.
#[inline]
pub(super) fn visit_members<'a>(
    text: &'a str,
    mut visit: impl FnMut(Text<'a>, Value<'a>) -> Option<()>,
) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if *bytes.get(at)? != b'{' {
        return None;
    }
    at = skip_space(bytes, at + 1);
    let mut more = *bytes.get(at)? != b'}';
    while more {
        let start = at + 1;
        let (end, escaped) = skip_string(bytes, at)?;
        let name = Text::new(text.get(start..end - 1)?, escaped);
        at = skip_colon(bytes, end)?;
        let start = at;
        let kind = kind_of(*bytes.get(at)?);
        let mut escaped = false;
        match kind {
            Kind::Text { .. } => (at, escaped) = skip_string(bytes, at)?,
            Kind::Number => at = skip_number(bytes, at)?,
            Kind::Null | Kind::False | Kind::True | Kind::Array | Kind::Object => {
                at = skip_value(bytes, at)?;
            }
        }
        let kind = if escaped { Kind::Text { escaped } } else { kind };
        visit(name, Value { raw: text.get(start..at)?, kind })?;
        at = skip_space(bytes, at);
        more = match *bytes.get(at)? {
            b',' => true,
            b'}' => false,
            _ => return None,
        };
        if more {
            at = skip_space(bytes, at + 1);
        }
    }
    (skip_space(bytes, at + 1) == bytes.len()).then_some(())
}

/// Hands out the members of the object that is the whole text, with their values as they are spelled; returns
/// `None` where it is anything else.
#[cfg(feature = "rest")]
pub(crate) fn visit_object<'a>(
    text: &'a str,
    mut visit: impl FnMut(Cow<'a, str>, &'a str),
) -> Option<()> {
    visit_members(text, |name, value| {
        visit(name.decode()?, value.raw);
        Some(())
    })
}

/// Tells what a value is that begins with this byte, if it is one: all that is nothing else counts as a number.
#[inline]
fn kind_of(first: u8) -> Kind {
    match first {
        b'"' => Kind::Text { escaped: false },
        b'n' => Kind::Null,
        b'f' => Kind::False,
        b't' => Kind::True,
        b'[' => Kind::Array,
        b'{' => Kind::Object,
        _ => Kind::Number,
    }
}

/// Skips what may stand in a JSON string as it is; stops at a quote, a backslash or a control character.
#[inline]
pub(super) fn skip_plain(bytes: &[u8], at: usize) -> usize {
    // Most strings are shorter than a word: they are settled in place, without a call.
    match first_special(bytes, at) {
        Some(offset @ 0..8) => at + offset,
        Some(_) => skip_plain_long(bytes, at + 8),
        None => skip_plain_long(bytes, at),
    }
}

#[inline(never)]
fn skip_plain_long(bytes: &[u8], mut at: usize) -> usize {
    let blocks = at + BLOCK;
    loop {
        match first_special(bytes, at) {
            Some(offset @ 0..8) => return at + offset,
            Some(_) => at += 8,
            None => break,
        }
        while at >= blocks
            && let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk)
            && is_plain_piece::<BLOCK>(block)
        {
            at += BLOCK;
        }
    }
    while bytes.get(at).is_some_and(|&byte| !is_special(byte)) {
        at += 1;
    }
    at
}

/// Tells whether the whole of a string may stand in JSON as it is.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    // The last piece overlaps the one before, so that no byte is looked at alone.
    let Some(last) = bytes.last_chunk() else { return is_plain_short(bytes) };
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let (pieces, _) = rest.as_chunks();
    blocks.iter().all(is_plain_piece::<BLOCK>)
        && pieces.iter().all(is_plain_piece::<PIECE>)
        && is_plain_piece::<PIECE>(last)
}

/// The same of less than a piece.
#[inline]
fn is_plain_short(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let special = |word: &[u8; 8]| special_bytes(u64::from_le_bytes(*word));
        return special(first) | special(last) == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let half = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
        return special_bytes(half(last) << 32 | half(first)) == 0;
    }
    bytes.iter().all(|&byte| !is_special(byte))
}

/// No early exit inside a piece: the compiler turns the whole of it into vector instructions.
#[inline]
fn is_plain_piece<const SIZE: usize>(piece: &[u8; SIZE]) -> bool {
    !piece.iter().fold(false, |any, &byte| any | is_special(byte))
}

/// Returns the offset of the first special byte in the word at `at`, 8 or more where there is none; `None`
/// where less than a word is left.
#[inline]
fn first_special(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some((special_bytes(u64::from_le_bytes(*word)).trailing_zeros() / 8) as usize)
}

#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "branches would keep it from being vectorised")]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// Sets the top bit of every byte that is special. Bytes above the first special one may be wrong, because
/// subtraction borrows upwards; the first is exact.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    // Flipping one bit puts the quote right above the control characters, so that one test finds both.
    let quote_or_control = below(word ^ (ONES * 2), 0x21);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (quote_or_control | backslash) & (ONES * 0x80)
}

fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut nesting = Nesting { depth: 0, objects: 0 };
    let mut name_first = false;
    loop {
        if name_first {
            let (end, _) = skip_string(bytes, at)?;
            at = skip_colon(bytes, end)?;
        }
        match *bytes.get(at)? {
            b'"' => (at, _) = skip_string(bytes, at)?,
            b'{' => {
                nesting.enter(true)?;
                at = skip_space(bytes, at + 1);
                if bytes.get(at) != Some(&b'}') {
                    name_first = true;
                    continue;
                }
            }
            b'[' => {
                nesting.enter(false)?;
                at = skip_space(bytes, at + 1);
                if bytes.get(at) != Some(&b']') {
                    name_first = false;
                    continue;
                }
            }
            b'n' => at = skip_literal(bytes, at, b"null")?,
            b't' => at = skip_literal(bytes, at, b"true")?,
            b'f' => at = skip_literal(bytes, at, b"false")?,
            _ => at = skip_number(bytes, at)?,
        }
        // A value has ended, or an array or object without anything in it is about to.
        loop {
            if nesting.depth == 0 {
                return Some(at);
            }
            at = skip_space(bytes, at);
            let byte = *bytes.get(at)?;
            at += 1;
            if byte == b',' {
                break;
            }
            nesting.leave(byte)?;
        }
        at = skip_space(bytes, at);
        name_first = nesting.in_object();
    }
}

/// Which of the open arrays and objects are objects: one bit each, the innermost lowest.
struct Nesting {
    depth: u32,
    objects: u128,
}

impl Nesting {
    #[inline]
    fn enter(&mut self, object: bool) -> Option<()> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        Some(())
    }

    #[inline]
    fn leave(&mut self, closing: u8) -> Option<()> {
        if closing != if self.in_object() { b'}' } else { b']' } {
            return None;
        }
        self.depth -= 1;
        self.objects >>= 1;
        Some(())
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.objects & 1 != 0
    }
}

#[inline]
fn skip_colon(bytes: &[u8], at: usize) -> Option<usize> {
    let at = skip_space(bytes, at);
    (*bytes.get(at)? == b':').then(|| skip_space(bytes, at + 1))
}

/// Skips a string with its quotes; tells also whether there are escapes in it.
#[inline]
fn skip_string(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let at = skip_plain(bytes, at + 1);
    match *bytes.get(at)? {
        b'"' => Some((at + 1, false)),
        b'\\' => Some((skip_escaped_rest(bytes, at)?, true)),
        _ => None,
    }
}

fn skip_escaped_rest(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = skip_escape(bytes, at)?,
            _ => return None,
        }
        at = skip_plain(bytes, at);
    }
}

#[inline]
fn skip_escape(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let digits = bytes.get(at + 2..at + 6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)
        }
        _ => None,
    }
}

#[inline]
fn skip_number(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at)? {
        b'0' => at + 1,
        _ => skip_digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = skip_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = skip_digits(bytes, at)?;
    }
    Some(at)
}

#[inline]
fn skip_digits(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    (at > start).then_some(at)
}

#[inline]
fn skip_literal(bytes: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(literal).then_some(at + literal.len())
}

#[inline]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    // Between most tokens there is nothing: one comparison tells.
    while let Some(&byte) = bytes.get(at)
        && byte <= b' '
        && matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
    {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// One special byte is found wherever it stands in strings of every length around words and blocks, and
    /// nothing else is taken for one.
    #[test]
    fn plain_strings() {
        let bytes = [0, 0x1F, 0x20, b'!', b'"', b'#', b'[', b'\\', b']', 0x7F, 0x80, 0xFF];
        for length in 0..150 {
            let mut text = vec![b'x'; length];
            assert!(is_plain(&text), "{length}");
            assert_eq!(skip_plain(&text, 0), length);
            for (place, byte) in (0..length).flat_map(|place| bytes.map(|byte| (place, byte))) {
                text[place] = byte;
                let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(is_plain(&text), !special, "{byte} at {place} of {length}");
                assert_eq!(skip_plain(&text, 0), if special { place } else { length });
                text[place] = b'x';
            }
        }
    }
}
