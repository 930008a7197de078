//! The words of a filter.

use super::error::FilterProblem;

/// A piece of text with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    Comma,
    /// A name or a keyword; paths such as `groups/any` are one.
    Word(&'a str),
    /// What begins like a number; also dates and the like.
    Number(&'a str),
    /// A string without its outer quotes; those inside are still doubled.
    Text(&'a str),
    /// A character that begins none of these.
    Other(&'a str),
    End,
}

impl Token<'_> {
    /// Complains about a token that is not expected where it stands.
    pub(super) fn unexpected(self, at: usize) -> FilterProblem {
        let found = match self {
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
            Self::Word(text) | Self::Number(text) | Self::Text(text) | Self::Other(text) => text,
            Self::End => return FilterProblem::End,
        };
        FilterProblem::Unexpected { found: found.into(), at }
    }
}

/// Cuts a text into tokens, one at a time.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// How much is read.
    read: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, read: 0 }
    }

    /// Reads the next token, and where it begins.
    pub(super) fn next(&mut self) -> Result<(usize, Token<'a>), FilterProblem> {
        let rest = self.text[self.read..].trim_start();
        let at = self.text.len() - rest.len();
        let (length, token) = token(rest, at)?;
        self.read = at + length;
        Ok((at, token))
    }
}

/// Reads the token at the start of a text, and how long it is there.
fn token(rest: &str, at: usize) -> Result<(usize, Token<'_>), FilterProblem> {
    let Some(first) = rest.chars().next() else { return Ok((0, Token::End)) };
    let second = rest[first.len_utf8()..].chars().next();
    Ok(match first {
        '(' => (1, Token::Open),
        ')' => (1, Token::Close),
        ',' => (1, Token::Comma),
        '\'' => {
            let length = string(&rest[1..]).ok_or(FilterProblem::NoEnd { at })?;
            (length + 2, Token::Text(&rest[1..=length]))
        }
        _ if first.is_ascii_digit()
            || first == '-' && second.is_some_and(|c| c.is_ascii_digit()) =>
        {
            let number = &rest[..=span(&rest[1..], is_in_number)];
            (number.len(), Token::Number(number))
        }
        _ if is_in_word(first) => {
            let word = &rest[..span(rest, is_in_word)];
            (word.len(), Token::Word(word))
        }
        _ => (first.len_utf8(), Token::Other(&rest[..first.len_utf8()])),
    })
}

/// Returns the length of a string up to the quote that ends it.
fn string(text: &str) -> Option<usize> {
    let mut end = 0;
    loop {
        end += text[end..].find('\'')?;
        if !text[end + 1..].starts_with('\'') {
            return Some(end);
        }
        end += 2;
    }
}

fn span(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is(c)).unwrap_or(text.len())
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '$' | '@')
}

fn is_in_number(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | ':' | '_')
}
