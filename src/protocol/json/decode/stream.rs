//! Streams of messages to a group (`webpubsub.md` 3.8).
//!
//! An id that is none breaks the protocol. What else is wrong concerns one stream only, and is answered there.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::super::scan::{Value, visit_members};
use super::fields::{Fields, id, integer, present};
use crate::protocol::message::{IDLE_TIMEOUT, Request, UserError};
use crate::protocol::problem;

impl<'a> Fields<'a> {
    #[inline(never)]
    pub(super) fn start_stream(
        &self,
        stream: Value<'a>,
        ack_id: Option<u64>,
    ) -> Option<Request<'a>> {
        let (mut stream_id, mut idle_timeout) = (None, None);
        visit_members(stream.raw, |name, value| {
            match &*name.decode().unwrap_or_default() {
                "streamId" => stream_id = Some(value),
                "idleTimeoutMs" => idle_timeout = Some(value),
                _ => {}
            }
            Some(())
        })?;
        let (stream_id, group, metadata) = (id(stream_id)?, self.group()?, self.metadata()?);
        let (no_echo, ttl_seconds) = (self.no_echo()?, self.ttl_seconds()?);
        let idle_timeout = match present(idle_timeout) {
            None => Some(IDLE_TIMEOUT),
            Some(value) => integer(value).and_then(|timeout| u32::try_from(timeout).ok()),
        };
        let bad = |problem| Some(Request::BadStart { stream_id: stream_id.clone(), problem });
        if stream_id.is_empty() {
            return bad(problem::EMPTY_STREAM_ID);
        }
        if self.data.is_some() || self.data_type.is_some() {
            return bad(problem::DATA_IN_START);
        }
        if ack_id.is_some() {
            return bad(problem::ACK_ID_IN_START);
        }
        let Some(idle_timeout @ 1..) = idle_timeout else { return bad(problem::IDLE_TIMEOUT) };
        Some(Request::StartStream {
            stream_id,
            group,
            metadata,
            no_echo,
            ttl_seconds,
            idle_timeout,
        })
    }

    #[inline(never)]
    pub(super) fn stream_data_or_keep_alive(
        &self,
        scratch: &'a mut Vec<u8>,
    ) -> Option<Request<'a>> {
        let stream_id = id(self.stream_id)?;
        let payload = [self.stream_sequence_id, self.data_type, self.data];
        if payload.iter().all(Option::is_none) {
            return Some(Request::StreamKeepAlive { stream_id });
        }
        let Some(sequence_id) = self.stream_sequence_id.and_then(integer) else {
            return Some(Request::BadStream { stream_id, problem: problem::STREAM_SEQUENCE_ID });
        };
        let Some(data) = self.stream_data(scratch) else {
            return Some(Request::BadStream { stream_id, problem: problem::STREAM_DATA });
        };
        Some(Request::StreamData { stream_id, sequence_id, data })
    }

    #[inline(never)]
    pub(super) fn end_stream(&self) -> Option<Request<'a>> {
        let stream_id = id(self.stream_id)?;
        let Some(error) = present(self.error) else {
            return Some(Request::EndStream { stream_id, error: None });
        };
        Some(match read_error(error) {
            Some(error) => Request::EndStream { stream_id, error: Some(error) },
            None => Request::BadStream { stream_id, problem: problem::STREAM_ERROR },
        })
    }
}

fn read_error(value: Value<'_>) -> Option<UserError<'_>> {
    let (mut message, mut code) = (None, None);
    visit_members(value.raw, |name, value| {
        match &*name.decode().unwrap_or_default() {
            "message" => message = Some(value),
            "userErrorCode" => code = Some(value),
            _ => {}
        }
        Some(())
    })?;
    Some(UserError { message: optional_text(message)?, code: optional_text(code)? })
}

fn optional_text(value: Option<Value<'_>>) -> Option<Option<Cow<'_, str>>> {
    let Some(value) = present(value) else { return Some(None) };
    value.text()?.decode().map(Some)
}
