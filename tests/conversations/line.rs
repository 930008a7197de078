//! The words of an input line.

use std::time::Duration;

/// A line in parts: words, options like `user=alice`, flags among the words, and data to the end of the line.
pub(crate) struct Line {
    words: Vec<String>,
    options: Vec<(String, Value)>,
    data: Option<(String, String)>,
}

struct Value {
    text: String,
    /// In quotes, so that an empty text is one value and not none.
    quoted: bool,
}

impl Line {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut line = Self { words: Vec::new(), options: Vec::new(), data: None };
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let end = rest.find([' ', '=']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if let Some(value) = after.strip_prefix('=') {
                let (value, after) = Value::read(value)?;
                line.options.push((word.into(), value));
                rest = after.trim_start();
                continue;
            }
            let after = after.strip_prefix(' ').unwrap_or(after);
            if matches!(word, "text" | "json" | "binary" | "protobuf") {
                line.data = Some((word.into(), after.into()));
                break;
            }
            line.words.push(word.into());
            rest = after.trim_start();
        }
        line.words.reverse();
        Ok(line)
    }

    /// Takes the next word.
    pub(crate) fn word(&mut self) -> Result<String, String> {
        self.words.pop().ok_or_else(|| "a word is missing".into())
    }

    /// Takes the words that are left as one text.
    pub(crate) fn text(&mut self) -> String {
        let mut words = std::mem::take(&mut self.words);
        words.reverse();
        words.join(" ")
    }

    /// Takes a word that may be there or not.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    pub(crate) fn option(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|value| value.text)
    }

    /// Takes a list with commas between its items.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.take(name)?;
        if value.text.is_empty() && !value.quoted {
            return Some(Vec::new());
        }
        Some(value.text.split(',').map(Into::into).collect())
    }

    /// Takes a list of pairs with a colon between name and value.
    pub(crate) fn pairs(&mut self, name: &str) -> Result<Vec<(String, String)>, String> {
        let pair = |item: &String| {
            let pair = item.split_once(':').map(|(name, value)| (name.into(), value.into()));
            pair.ok_or_else(|| format!("{name}: {item:?} has no colon"))
        };
        self.list(name).unwrap_or_default().iter().map(pair).collect()
    }

    pub(crate) fn data(&mut self) -> Option<(String, String)> {
        self.data.take()
    }

    /// Takes all options that are left.
    pub(crate) fn options(&mut self) -> Vec<(String, String)> {
        let options = std::mem::take(&mut self.options);
        options.into_iter().map(|(name, value)| (name, value.text)).collect()
    }

    /// Fails when something is left.
    pub(crate) fn end(self) -> Result<(), String> {
        let words = self.words.into_iter();
        let options = self.options.into_iter().map(|(name, _)| name);
        let data = self.data.into_iter().map(|(kind, _)| kind);
        match words.chain(options).chain(data).next() {
            Some(left) => Err(format!("{left:?} means nothing here")),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.options.iter().position(|(each, _)| each == name)?;
        Some(self.options.remove(place).1)
    }
}

impl Value {
    /// Reads a value and returns what follows it.
    fn read(text: &str) -> Result<(Self, &str), String> {
        if !text.starts_with('"') {
            let end = text.find(' ').unwrap_or(text.len());
            return Ok((Self { text: text[..end].into(), quoted: false }, &text[end..]));
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let value = values.next().expect("it starts with a quote");
        let value = value.map_err(|error| format!("{text}: {error}"))?;
        Ok((Self { text: value, quoted: true }, &text[values.byte_offset()..]))
    }
}

/// Reads a duration such as `500ms`, `30s`, `5m` or `24h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{text:?} is no duration")),
    };
    Ok(Duration::from_millis(parse::<u64>(number)? * factor))
}

/// Reads a number.
pub(crate) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number that fits"))
}

/// Reads bytes in hexadecimal.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let pair = |pair: &[u8]| {
        let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<_> = text.as_bytes().chunks(2).map(pair).collect();
    bytes.ok_or_else(|| format!("{text:?} is not hexadecimal"))
}

/// Lends out texts.
pub(crate) fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Lends out pairs of texts.
pub(crate) fn lend_pairs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
