//! Plain WebSocket clients: bare payloads, no envelope (`webpubsub.md` 1.6).

use crate::protocol::message::{Data, Outgoing, StreamPart};

/// Returns the payload that stands for the message, or `None` where plain clients get nothing. Metadata is
/// dropped, and what is JSON or text arrives as text.
pub(crate) fn payload<'a>(message: &Outgoing<'a>) -> Option<Data<'a>> {
    match message {
        Outgoing::Group { data, stream: None | Some(StreamPart { end: None, .. }), .. }
        | Outgoing::Server { data, .. } => Some(*data),
        // The end of a stream says nothing that a payload could.
        Outgoing::Group { stream: Some(StreamPart { end: Some(_), .. }), .. }
        | Outgoing::Connected { .. }
        | Outgoing::Disconnected { .. }
        | Outgoing::Ack { .. }
        | Outgoing::Pong
        | Outgoing::InvokeResponse { .. }
        | Outgoing::StreamAck { .. }
        | Outgoing::StreamNack { .. }
        | Outgoing::StreamClosed { .. }
        | Outgoing::GroupState { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use crate::protocol::{Data, Format, Outgoing};

    /// Plain clients get the bytes of the payload and nothing else.
    #[test]
    fn bare_payloads() {
        let mut buffer = BytesMut::new();
        let mut encode = |message| Format::Plain.encode(&message, &mut buffer);
        let metadata = &[("k", "v")];
        for data in [Data::Text("a\"b"), Data::Json("\"a\" "), Data::Binary(&[1, 2])] {
            let frame = encode(Outgoing::Server { data, metadata }).unwrap();
            assert_eq!(frame.is_text(), !matches!(data, Data::Binary(_)));
            assert_eq!(frame.len(), data.len());
            let from_user = Some(None);
            assert_eq!(
                encode(Outgoing::Group { group: "g", from_user, data, metadata, stream: None }),
                Some(frame)
            );
        }
        let frame = encode(Outgoing::Server { data: Data::Json("\"a\" "), metadata }).unwrap();
        assert_eq!(&frame.shared().unwrap()[..], b"\"a\" ");
        assert_eq!(encode(Outgoing::Pong), None);
        assert_eq!(
            encode(Outgoing::Connected {
                connection_id: "c",
                user: None,
                reconnection_token: None
            }),
            None
        );
        assert_eq!(encode(Outgoing::Disconnected { message: "" }), None);
        assert_eq!(encode(Outgoing::Ack { ack_id: 1, error: None }), None);
    }
}
