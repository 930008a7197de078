//! Encoding, byte for byte.

use alloc::boxed::Box;

use super::*;
use crate::protocol::{AckError, Format};

#[track_caller]
fn check(message: &Outgoing<'_>, expected: &str) {
    let frame = Format::Json.encode(message, &mut BytesMut::new()).unwrap();
    assert!(frame.is_text());
    assert_eq!(&frame.shared().unwrap()[..], expected.as_bytes(), "{expected}");
    assert!(frame.len() <= size_hint(message));
}

/// Messages about the connection have exactly the documented bytes.
#[test]
fn system_messages() {
    let connected =
        |user| Outgoing::Connected { connection_id: "0f1e", user, reconnection_token: None };
    let alice = r#"{"type":"system","event":"connected","userId":"alice","connectionId":"0f1e"}"#;
    let nobody = r#"{"type":"system","event":"connected","userId":null,"connectionId":"0f1e"}"#;
    check(&connected(Some("alice")), alice);
    check(&connected(None), nobody);
    check(
        &Outgoing::Disconnected { message: "Service reload" },
        r#"{"type":"system","event":"disconnected","message":"Service reload"}"#,
    );
    check(&Outgoing::Pong, r#"{"type":"pong"}"#);
}

/// Acknowledgements have exactly the documented bytes over the whole range of ids.
#[test]
fn acks() {
    let ack = |ack_id, error| Outgoing::Ack { ack_id, error };
    check(&ack(0, None), r#"{"type":"ack","ackId":0,"success":true}"#);
    check(&ack(u64::MAX, None), r#"{"type":"ack","ackId":18446744073709551615,"success":true}"#);
    check(
        &ack(70, Some((AckError::InternalServerError, "Internal server error"))),
        concat!(
            r#"{"type":"ack","ackId":70,"success":false,"error":"#,
            r#"{"name":"InternalServerError","message":"Internal server error"}}"#
        ),
    );
}

/// Data messages have exactly the documented bytes; escapes are the fewest that there can be.
#[test]
fn data_messages() {
    let group = |from_user, data| Outgoing::Group {
        group: "g",
        from_user,
        data,
        metadata: &[],
        stream: None,
    };
    check(
        &group(Some(Some("alice")), Data::Text("hi")),
        r#"{"type":"message","from":"group","group":"g","fromUserId":"alice","dataType":"text","data":"hi"}"#,
    );
    check(
        &group(Some(None), Data::Json("{ \"a\":1.0}")),
        r#"{"type":"message","from":"group","group":"g","fromUserId":null,"dataType":"json","data":{ "a":1.0}}"#,
    );
    check(
        &group(None, Data::Text("")),
        r#"{"type":"message","from":"group","group":"g","dataType":"text","data":""}"#,
    );
    let metadata = &[("k", "v"), ("l", "w")];
    check(
        &Outgoing::Server { data: Data::Binary(&[0, 1, 255]), metadata },
        r#"{"type":"message","from":"server","dataType":"binary","data":"AAH/","metadata":{"k":"v","l":"w"}}"#,
    );
    let message =
        Outgoing::Disconnected { message: "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é\u{2028}" };
    let mut buffer = BytesMut::new();
    encode(&message, &mut buffer);
    let expected = "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é\u{2028}\"}";
    assert!(buffer.ends_with(expected.as_bytes()), "{buffer:?}");
}

/// The answers to invocations and streams have exactly the documented bytes.
#[test]
fn invocations_and_streams() {
    let response =
        |outcome, metadata| Outgoing::InvokeResponse { invocation_id: "1", outcome, metadata };
    check(
        &response(Ok(Some(Data::Json("3"))), &[("k", "v")]),
        r#"{"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":3,"metadata":{"k":"v"}}"#,
    );
    check(
        &response(Ok(None), &[]),
        r#"{"type":"invokeResponse","invocationId":"1","success":true}"#,
    );
    check(
        &response(Err(("BadRequest", "no such event")), &[]),
        r#"{"type":"invokeResponse","invocationId":"1","success":false,"error":{"name":"BadRequest","message":"no such event"}}"#,
    );
    check(
        &Outgoing::StreamAck { stream_id: "s-1", expected: 1 },
        r#"{"type":"streamAck","streamId":"s-1","expectedSequenceId":1}"#,
    );
    check(
        &Outgoing::StreamNack {
            stream_id: "s-1",
            expected: u64::MAX,
            name: "InvalidSequenceId",
            message: "expected 2",
        },
        r#"{"type":"streamNack","streamId":"s-1","expectedSequenceId":18446744073709551615,"name":"InvalidSequenceId","message":"expected 2"}"#,
    );
    let closed = |error| Outgoing::StreamClosed { stream_id: "s-1", error };
    check(&closed(None), r#"{"type":"streamClosed","streamId":"s-1"}"#);
    check(
        &closed(Some(("IdleTimeout", "no activity"))),
        r#"{"type":"streamClosed","streamId":"s-1","error":{"name":"IdleTimeout","message":"no activity"}}"#,
    );
}

/// The place in a stream comes last in a message, and says how the stream ended.
#[test]
fn stream_parts() {
    let check_end = |end, expected: &str| {
        let message = Outgoing::Group {
            group: "g",
            from_user: Some(Some("alice")),
            data: Data::Text(""),
            metadata: &[("k", "v")],
            stream: Some(&StreamPart { stream_id: "s-1", sequence_id: u64::MAX, end }),
        };
        let before = concat!(
            r#"{"type":"message","from":"group","group":"g","fromUserId":"alice","dataType":"text","data":"","#,
            r#""metadata":{"k":"v"},"stream":{"streamId":"s-1","streamSequenceId":18446744073709551615"#
        );
        check(&message, &alloc::format!("{before}{expected}}}}}"));
    };
    let failed = |message, code| Some(StreamEnd::Failed { name: "UserError", message, code });
    check_end(None, "");
    check_end(Some(StreamEnd::Done), r#","endOfStream":true"#);
    check_end(
        failed(Some("model failed"), Some("E42")),
        r#","endOfStream":true,"error":{"name":"UserError","message":"model failed","userErrorCode":"E42"}"#,
    );
    check_end(failed(None, None), r#","endOfStream":true,"error":{"name":"UserError"}"#);
    check_end(
        failed(Some(""), None),
        r#","endOfStream":true,"error":{"name":"UserError","message":""}"#,
    );
}

/// The states of members have exactly the documented bytes; what there is not has no member.
#[test]
fn group_states() {
    let state: [(Box<str>, Box<str>); 2] =
        [("typing".into(), "1".into()), ("\"".into(), "".into())];
    let item = |user, state| StateItem { connection_id: "c1", user, state, updated_at: 1_790 };
    let check_items = |items: &[_], snapshot, expected: &str| {
        check(&Outgoing::GroupState { group: "room", items, snapshot }, expected);
    };
    check_items(
        &[item(Some("alice"), Some(&state)), item(None, Some(&[]))],
        true,
        concat!(
            r#"{"type":"groupStateSnapshot","group":"room","items":[{"connectionId":"c1","userId":"alice","#,
            r#""state":{"typing":"1","\"":""},"updatedAt":1790},{"connectionId":"c1","state":{},"updatedAt":1790}]}"#
        ),
    );
    check_items(
        &[item(Some(""), None)],
        false,
        r#"{"type":"groupStateUpdate","group":"room","items":[{"connectionId":"c1","userId":"","updatedAt":1790}]}"#,
    );
    check_items(&[], true, r#"{"type":"groupStateSnapshot","group":"room","items":[]}"#);
}
