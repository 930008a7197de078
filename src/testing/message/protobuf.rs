//! Messages read from protobuf (`webpubsub.md` 5.2).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Message, Received, StateItem, StreamPlace};
use crate::testing::payload::{Entries, Payload};

/// Reads a message.
pub(super) fn read(bytes: &[u8]) -> Result<Received, String> {
    let outer = Fields::read(bytes)?;
    let [(number, Value::Bytes(inner))] = outer.0.as_slice() else {
        return Err("a message is one of its kinds".to_owned());
    };
    let inner = Fields::read(inner)?;
    let mut sequence = None;
    let message = match number {
        1 => Message::Ack { id: inner.number(1), error: inner.outcome(2, 3)? },
        2 => {
            sequence = inner.maybe_number(4);
            inner.data_message()?
        }
        3 => match inner.0.as_slice() {
            [(1, Value::Bytes(connected))] => {
                let connected = Fields::read(connected)?;
                Message::Connected {
                    connection_id: connected.text(1)?,
                    user: Some(connected.text(2)?).filter(|user| !user.is_empty()),
                    token: connected.maybe_text(3)?,
                }
            }
            [(2, Value::Bytes(gone))] => {
                Message::Disconnected { message: Fields::read(gone)?.text(2)? }
            }
            _ => return Err("a system message is one of its kinds".to_owned()),
        },
        4 => Message::Pong,
        5 => Message::InvokeResponse {
            id: inner.text(1)?,
            error: inner.outcome(2, 4)?,
            payload: inner.bytes(3).map(payload).transpose()?,
            metadata: inner.entries(5)?,
        },
        6 => Message::StreamAck { id: inner.text(1)?, expected: inner.number(2) },
        7 => Message::StreamNack {
            id: inner.text(1)?,
            expected: inner.number(4),
            name: inner.text(2)?,
        },
        8 => Message::StreamClosed { id: inner.text(1)?, error: inner.error_name(2)? },
        9 | 10 => {
            sequence = inner.maybe_number(3);
            let items = inner.all(2).map(|bytes| item(&Fields::read(bytes)?));
            Message::State {
                group: inner.text(1)?,
                snapshot: *number == 10,
                items: items.collect::<Result<_, _>>()?,
            }
        }
        other => return Err(format!("an unknown kind {other}")),
    };
    Ok(Received { sequence, message })
}

fn payload(bytes: &[u8]) -> Result<Payload, String> {
    let fields = Fields::read(bytes)?;
    match fields.0.as_slice() {
        [(1, Value::Bytes(text))] => utf8(text).map(Payload::Text),
        [(2, Value::Bytes(bytes))] => Ok(Payload::Binary(bytes.to_vec())),
        [(3, Value::Bytes(any))] => Ok(Payload::Protobuf(any.to_vec())),
        [(4, Value::Bytes(text))] => utf8(text).map(Payload::Json),
        _ => Err("data is one of its kinds".to_owned()),
    }
}

fn item(fields: &Fields<'_>) -> Result<StateItem, String> {
    let state = fields.bytes(3).map(|state| Fields::read(state)?.entries(1)).transpose()?;
    Ok(StateItem {
        connection_id: fields.text(1)?,
        user: fields.maybe_text(2)?.filter(|user| !user.is_empty()),
        state: state.map(|mut entries| {
            entries.sort();
            entries
        }),
        updated_at: fields.number(4),
    })
}

/// The fields of a message in their order.
struct Fields<'a>(Vec<(u64, Value<'a>)>);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    fn read(mut bytes: &'a [u8]) -> Result<Self, String> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes)?;
            let value = match tag & 7 {
                0 => Value::Number(varint(&mut bytes)?),
                2 => {
                    let length = varint(&mut bytes)? as usize;
                    let (value, rest) = bytes.split_at_checked(length).ok_or("it ends too soon")?;
                    bytes = rest;
                    Value::Bytes(value)
                }
                other => return Err(format!("an unknown wire type {other}")),
            };
            fields.push((tag >> 3, value));
        }
        Ok(Self(fields))
    }

    fn maybe_number(&self, number: u64) -> Option<u64> {
        self.0.iter().rev().find_map(|(each, value)| match value {
            Value::Number(value) if *each == number => Some(*value),
            Value::Number(_) | Value::Bytes(_) => None,
        })
    }

    fn number(&self, number: u64) -> u64 {
        self.maybe_number(number).unwrap_or(0)
    }

    fn all(&self, number: u64) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.0.iter().filter_map(move |(each, value)| match value {
            Value::Bytes(value) if *each == number => Some(*value),
            Value::Number(_) | Value::Bytes(_) => None,
        })
    }

    fn bytes(&self, number: u64) -> Option<&'a [u8]> {
        self.all(number).next_back()
    }

    fn maybe_text(&self, number: u64) -> Result<Option<String>, String> {
        self.bytes(number).map(utf8).transpose()
    }

    fn text(&self, number: u64) -> Result<String, String> {
        Ok(self.maybe_text(number)?.unwrap_or_default())
    }

    fn entries(&self, number: u64) -> Result<Entries, String> {
        let entry = |bytes| {
            let fields = Fields::read(bytes)?;
            Ok((fields.text(1)?, fields.text(2)?))
        };
        self.all(number).map(entry).collect()
    }

    /// Reads the sign of success and the name of the error that goes with failure.
    fn outcome(&self, success: u64, error: u64) -> Result<Option<String>, String> {
        let error = self.error_name(error)?;
        if (self.number(success) == 1) == error.is_some() {
            return Err("success and error do not fit".to_owned());
        }
        Ok(error)
    }

    fn error_name(&self, number: u64) -> Result<Option<String>, String> {
        self.bytes(number).map(|error| Fields::read(error)?.text(1)).transpose()
    }

    fn data_message(&self) -> Result<Message, String> {
        let payload = payload(self.bytes(3).ok_or("a message has data")?)?;
        let metadata = self.entries(5)?;
        match &*self.text(1)? {
            "server" => Ok(Message::Server { payload, metadata }),
            "group" => Ok(Message::Group {
                group: self.text(2)?,
                from_user: None,
                payload,
                metadata,
                stream: self.bytes(6).map(|place| read_place(&Fields::read(place)?)).transpose()?,
            }),
            other => Err(format!("from {other:?}")),
        }
    }
}

fn read_place(fields: &Fields<'_>) -> Result<StreamPlace, String> {
    let error = fields.bytes(4).map(|error| {
        let error = Fields::read(error)?;
        Ok::<_, String>((error.text(1)?, error.text(2)?, error.text(3)?))
    });
    Ok(StreamPlace {
        id: fields.text(1)?,
        sequence: fields.number(2),
        end: fields.number(3) == 1,
        error: error.transpose()?,
    })
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or("it ends too soon")?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".to_owned())
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| format!("{error}"))
}
