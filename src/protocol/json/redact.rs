//! JSON without what it says.

use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::scan::{Value, visit_members};
use super::text::Text;
use crate::protocol::redact::{BLANK, blank_any};

/// Returns a message of a client without its payloads, or `None` where it is no JSON object.
pub(crate) fn message(text: &str) -> Option<String> {
    // Of a repeated member the last one counts.
    let mut data_type = None;
    visit_members(text, |name, value| {
        if Member::named(name) == Member::DataType {
            data_type = value.text().and_then(Text::plain);
        }
        Some(())
    })?;
    let mut blank = Vec::from(text);
    visit_members(text, |name, value| {
        match Member::named(name) {
            Member::DataType | Member::Envelope => {}
            Member::Data => blank_data(slice(&mut blank, text, value.raw), value, data_type),
            Member::Entries => blank_entries(&mut blank, text, value),
            Member::Unknown => {
                blank_string(slice(&mut blank, text, name.content()));
                blank_value(slice(&mut blank, text, value.raw));
            }
        }
        Some(())
    })?;
    String::from_utf8(blank).ok()
}

/// What a member of a message is to a redaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    /// It says what is meant, and stays.
    Envelope,
    /// It says that too, and how data is spelled.
    DataType,
    Data,
    /// An object whose keys stay.
    Entries,
    Unknown,
}

impl Member {
    fn named(name: Text<'_>) -> Self {
        let Some(name) = name.decode() else { return Self::Unknown };
        match &*name {
            "type" | "ackId" | "group" | "event" | "noEcho" | "ttlSeconds" | "sequenceId"
            | "stream" | "streamId" | "streamSequenceId" | "invocationId" | "target" => {
                Self::Envelope
            }
            "dataType" => Self::DataType,
            "data" => Self::Data,
            "metadata" | "state" | "error" => Self::Entries,
            _ => Self::Unknown,
        }
    }
}

/// Finds the same bytes in the copy of a text.
fn slice<'a>(copy: &'a mut [u8], text: &str, part: &str) -> &'a mut [u8] {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    &mut copy[start..start + part.len()]
}

fn blank_data(blank: &mut [u8], value: Value<'_>, data_type: Option<&str>) {
    let content = value.text().and_then(Text::plain);
    match (data_type, content) {
        (Some("binary"), Some(_)) => {
            let end = blank.len() - 1;
            blank_base64(&mut blank[1..end]);
        }
        (Some("protobuf"), Some(content)) => {
            let end = blank.len() - 1;
            match STANDARD.decode(content) {
                Ok(any) => {
                    let encoded = STANDARD.encode(blank_any(&any));
                    blank[1..end].copy_from_slice(encoded.as_bytes());
                }
                Err(_) => blank_base64(&mut blank[1..end]),
            }
        }
        _ => blank_value(blank),
    }
}

/// Blanks out base64 of the same length: zeros, so that the bits left over in the last digit are those that must be.
fn blank_base64(blank: &mut [u8]) {
    let padding = blank.iter().rev().take(2).take_while(|digit| **digit == b'=').count();
    let end = blank.len() - padding;
    blank[..end].fill(b'A');
}

fn blank_entries(blank: &mut [u8], text: &str, value: Value<'_>) {
    let is_object = visit_members(value.raw, |_, _| Some(())).is_some();
    if !is_object {
        return blank_value(slice(blank, text, value.raw));
    }
    let _all: Option<()> = visit_members(value.raw, |_, value| {
        blank_value(slice(blank, text, value.raw));
        Some(())
    });
}

/// Blanks out one JSON value in place, names included. It has to be one.
pub(crate) fn blank_value(json: &mut [u8]) {
    let mut at = 0;
    while at < json.len() {
        at = match json[at] {
            b'"' => {
                let end = at + 1 + string_length(&json[at + 1..]);
                blank_string(&mut json[at + 1..end]);
                end + 1
            }
            b'n' => at + 4,
            b't' => blank_digits(json, at, 4),
            b'f' => blank_digits(json, at, 5),
            b'0'..=b'9' => blank_digits(json, at, 1),
            _ => at + 1,
        };
    }
}

fn blank_digits(json: &mut [u8], at: usize, count: usize) -> usize {
    json[at..at + count].fill(b'1');
    at + count
}

/// Returns how long a string is up to its closing quote.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

/// Blanks out what stands between quotes. Characters keep their width, as they are spelled and as they are meant.
fn blank_string(content: &mut [u8]) {
    let mut at = 0;
    while at < content.len() {
        let width = match content[at] {
            b'\\' if content[at + 1] == b'u' => blank_escape(&mut content[at + 2..]),
            b'\\' => {
                // What is spelled with an escape without need takes one byte when it goes out.
                if content[at + 1] != b'/' {
                    content[at + 1] = b'n';
                }
                2
            }
            0..0x80 => {
                content[at] = BLANK;
                1
            }
            first => {
                let width = first.leading_ones() as usize;
                let character = &mut content[at..at + width];
                character.copy_from_slice(blank_wide(width));
                width
            }
        };
        at += width;
    }
}

/// Returns the character that stands for one of 2 bytes or more.
fn blank_wide(width: usize) -> &'static [u8] {
    match width {
        2 => "é",
        3 => "€",
        _ => "😀",
    }
    .as_bytes()
}

/// Blanks out the digits behind `\u`, and those of the second half of a pair; returns the length of all.
fn blank_escape(digits: &mut [u8]) -> usize {
    let unit = |digits: &[u8]| {
        str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    let (first, behind) = digits.split_at_mut(4);
    let blank = match unit(first).unwrap_or(0) {
        0x08 | 0x09 | 0x0A | 0x0C | 0x0D | 0x22 | 0x5C => b"000a",
        0..0x20 => b"0001",
        0x20..0x80 => b"0041",
        0x80..0x800 => b"00e9",
        0xD800..0xDC00 => {
            if let [b'\\', b'u', second @ ..] = behind
                && let Some(second) = second.first_chunk_mut::<4>()
                && let Some(0xDC00..0xE000) = unit(second)
            {
                first.copy_from_slice(b"d83d");
                second.copy_from_slice(b"de00");
                return 12;
            }
            b"d800"
        }
        0xDC00..0xE000 => b"dc00",
        _ => b"20ac",
    };
    first.copy_from_slice(blank);
    6
}
