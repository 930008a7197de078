//! Texts that are cut and composed without an allocation of their own.

use alloc::string::String;

/// A text: lent by the filter or the connection, or composed in the scratch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a> {
    Lent(&'a str),
    Made {
        /// Where it lies in the scratch.
        start: usize,
        end: usize,
    },
}

impl<'a> Text<'a> {
    pub(super) fn get<'b>(self, scratch: &'b str) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Self::Lent(text) => text,
            Self::Made { start, end } => &scratch[start..end],
        }
    }

    /// Returns it in lower case. What lies behind the mark in the scratch may be overwritten.
    pub(super) fn lower(self, mark: usize, scratch: &mut String) -> Self {
        self.mapped(lower, mark, scratch)
    }

    /// Returns it in upper case. What lies behind the mark in the scratch may be overwritten.
    pub(super) fn upper(self, mark: usize, scratch: &mut String) -> Self {
        self.mapped(upper, mark, scratch)
    }

    /// Returns it without the white space around it.
    pub(super) fn trim(self, scratch: &str) -> Self {
        let text = self.get(scratch);
        let start = text.len() - text.trim_start().len();
        self.cut(start, start + text.trim().len())
    }

    /// Returns the part from a unit on, so many units long or all that follow, when it is all there and cuts no
    /// character in half.
    pub(super) fn part(self, start: i32, length: Option<i32>, scratch: &str) -> Option<Self> {
        let text = self.get(scratch);
        let start = place(text, usize::try_from(start).ok()?)?;
        let end = match length {
            Some(length) => start + place(&text[start..], usize::try_from(length).ok()?)?,
            None => text.len(),
        };
        Some(self.cut(start, end))
    }

    /// Returns it with another behind it. What lies behind the mark in the scratch may be overwritten.
    pub(super) fn then(self, other: Self, mark: usize, scratch: &mut String) -> Self {
        let made = scratch.len();
        for text in [self, other] {
            match text {
                Self::Lent(text) => scratch.push_str(text),
                Self::Made { start, end } => scratch.extend_from_within(start..end),
            }
        }
        settle(mark, made, scratch)
    }

    fn mapped(self, map: fn(char) -> char, mark: usize, scratch: &mut String) -> Self {
        if self.get(scratch).chars().all(|c| map(c) == c) {
            return self;
        }
        let made = scratch.len();
        match self {
            Self::Lent(text) => scratch.extend(text.chars().map(map)),
            Self::Made { start, end } => {
                let mut next = start;
                while next < end {
                    let c = scratch[next..].chars().next().expect("it ends where a character does");
                    next += c.len_utf8();
                    scratch.push(map(c));
                }
            }
        }
        settle(mark, made, scratch)
    }

    fn cut(self, from: usize, to: usize) -> Self {
        match self {
            Self::Lent(text) => Self::Lent(&text[from..to]),
            Self::Made { start, .. } => Self::Made { start: start + from, end: start + to },
        }
    }
}

/// Moves what was made to the mark, over what it was made of: the scratch never holds more than the texts that are
/// still needed, and the one being made.
fn settle(mark: usize, made: usize, scratch: &mut String) -> Text<'static> {
    scratch.drain(mark..made);
    Text::Made { start: mark, end: scratch.len() }
}

/// Returns how many UTF-16 units a text has.
pub(super) fn length(text: &str) -> i32 {
    i32::try_from(units(text)).unwrap_or(i32::MAX)
}

/// Returns how many UTF-16 units stand before a part of a text.
pub(super) fn offset(text: &str, part: &str) -> Option<i32> {
    text.find(part).map(|place| length(&text[..place]))
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// Finds the byte at which so many UTF-16 units have passed.
fn place(text: &str, units: usize) -> Option<usize> {
    if text.is_ascii() {
        return (units <= text.len()).then_some(units);
    }
    let (mut left, mut place) = (units, 0);
    let mut characters = text.chars();
    while left > 0 {
        let c = characters.next()?;
        left = left.checked_sub(c.len_utf16())?;
        place += c.len_utf8();
    }
    Some(place)
}

/// Returns the lower-case form, where that is one character (so not of the capital I with a dot).
fn lower(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { single(c, c.to_lowercase()) }
}

/// Returns the upper-case form, where that is one character. The dotless i has none: its capital would be that of
/// another letter.
fn upper(c: char) -> char {
    match c {
        _ if c.is_ascii() => c.to_ascii_uppercase(),
        '\u{131}' => c,
        _ => single(c, c.to_uppercase()),
    }
}

fn single(c: char, mut forms: impl Iterator<Item = char>) -> char {
    match (forms.next(), forms.next()) {
        (Some(form), None) => form,
        _ => c,
    }
}
