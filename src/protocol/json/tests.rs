//! Decoding, against the wire vectors and the field rules.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::decode;
use crate::protocol::{Data, Metadata, Protocol, Request, UserError, Violation, problem};

fn is_ok(frame: &str) -> bool {
    decode(frame, &mut Vec::new()).is_some()
}

/// The frames of the vectors are accepted, or refused with the one violation there is.
#[test]
fn vectors() {
    let vectors = include_str!("../../../tests/vectors/json-subprotocol-vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    for vector in vectors["valid"].as_array().unwrap() {
        let frame = vector["frame"].as_str().unwrap();
        assert!(is_ok(frame), "{frame}");
    }
    for frame in vectors["invalid_close_1007"].as_array().unwrap() {
        assert_eq!(decode(frame.as_str().unwrap(), &mut Vec::new()), None, "{frame}");
    }
}

/// Every field rule holds, whichever member comes first.
#[test]
fn field_rules() {
    let mut header = "";
    for line in include_str!("../../../tests/vectors/json-field-rules.txt").lines().skip(1) {
        if let Some(inner) = line.strip_prefix('[') {
            header = inner.strip_suffix(']').unwrap();
            continue;
        }
        let (sign, rule) = line.split_at(2);
        assert_eq!(is_ok(&format!("{{{header},{rule}}}")), sign == "+ ", "{header} {line}");
        assert_eq!(is_ok(&format!(" {{ {rule} , {header} }} ")), sign == "+ ", "{line} {header}");
    }
}

/// Lengths count in UTF-16 units for groups and in bytes for the rest.
#[test]
fn lengths() {
    let group = |name: &str| is_ok(&format!(r#"{{"type":"joinGroup","group":"{name}"}}"#));
    assert!(group(&"é".repeat(1024)) && group(&"😀".repeat(512)));
    assert!(!group(&"a".repeat(1025)) && !group(&"😀".repeat(513)));

    let event = |name: &str| is_ok(&format!(r#"{{"type":"event","event":"{name}","data":1}}"#));
    assert!(event(&"a".repeat(128)) && !event(&"a".repeat(129)));

    let metadata =
        |pairs: &str| is_ok(&format!(r#"{{"type":"event","event":"e","metadata":{{{pairs}}}}}"#));
    let pair = |key: usize, value: usize, name: char| {
        format!(r#""{}":"{}""#, format!("{name}").repeat(key), "v".repeat(value))
    };
    assert!(metadata(&pair(256, 1024, 'k')));
    assert!(!metadata(&pair(257, 0, 'k')) && !metadata(&pair(1, 1025, 'k')));
    let mut pairs: Vec<_> = ('a'..='h').map(|name| pair(1, 1023, name)).collect();
    assert!(metadata(&pairs.join(",")));
    pairs.push(pair(1, 0, 'i'));
    assert!(!metadata(&pairs.join(",")));
    assert!(!metadata(&alloc::vec!["\"\":\"\""; 9000].join(",")));
}

/// Nothing is lost or changed on the way into a request.
#[test]
fn requests() {
    let mut scratch = b"left from before".to_vec();
    let frame = r#"{"data": {"a" : 1.0e+2} ,"ackId":7,"metadata":{"k":"\u0076"},"ttlSeconds":300,
        "noEcho":true,"group":"\"\ud83d\uDe00","type":"sendToGroup"}"#;
    let request = Request::SendToGroup {
        group: Cow::Borrowed("\"😀"),
        data: Data::Json(r#"{"a" : 1.0e+2}"#),
        metadata: [("k".into(), "v".into())].into_iter().collect(),
        no_echo: true,
        ttl_seconds: 300,
        ack_id: Some(7),
    };
    assert_eq!(decode(frame, &mut scratch), Some(request));

    let mut data = |data: &str| {
        let frame = format!(r#"{{"type":"event","event":"e",{data}}}"#);
        match decode(&frame, &mut scratch) {
            Some(Request::Event { data, .. }) => format!("{data:?}"),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(data(r#""dataType":"text","data":"\b\f\n\r\t\/\\é\u00e9""#), {
        format!("{:?}", Data::Text("\u{8}\u{c}\n\r\t/\\éé"))
    });
    assert_eq!(data(r#""dataType":"binary","data":"AAH\/""#), "Binary([0, 1, 255])");
    assert_eq!(data(r#""dataType":"binary","data":"AAH/""#), "Binary([0, 1, 255])");
    assert_eq!(data(r#""dataType":"binary","metadata":{}"#), r#"Text("")"#);
}

/// Ids of streams and invocations have at most 1,024 bytes.
#[test]
fn ids() {
    let stream = |id: &str| is_ok(&format!(r#"{{"type":"streamData","streamId":"{id}"}}"#));
    let start = |id: &str| {
        is_ok(&format!(r#"{{"type":"sendToGroup","group":"g","stream":{{"streamId":"{id}"}}}}"#))
    };
    let cancel =
        |id: &str| is_ok(&format!(r#"{{"type":"cancelInvocation","invocationId":"{id}"}}"#));
    for is_id in [&stream as &dyn Fn(&str) -> bool, &start, &cancel] {
        assert!(is_id(&"é".repeat(512)) && is_id(&"\\u00e9".repeat(512)));
        assert!(!is_id(&"é".repeat(513)) && !is_id(&"a".repeat(1025)));
    }
}

#[track_caller]
fn check(frame: &str, expected: &Request<'_>) {
    // As text, because a request is invariant over its lifetime.
    let decoded = format!("{:?}", decode(frame, &mut Vec::new()));
    assert_eq!(decoded, format!("{:?}", Some(expected)), "{frame}");
}

/// Invocations carry what an event carries; what cannot be invoked is told to the client.
#[test]
fn invocations() {
    let invoke = r#"{"type":"invoke","invocationId":"1","target":"event","event":"sum""#;
    let request = |data, metadata| Request::Invoke {
        invocation_id: "1".into(),
        event: "sum".into(),
        data,
        metadata,
    };
    check(
        &format!(r#"{invoke},"data":[1,2],"metadata":{{"k":"v"}}}}"#),
        &request(Data::Json("[1,2]"), [("k".into(), "v".into())].into_iter().collect()),
    );
    check(&format!("{invoke}}}"), &request(Data::Text(""), Metadata::new()));
    let bad = |problem| Request::BadInvoke { invocation_id: "1".into(), problem };
    check(&format!(r#"{invoke},"stream":1}}"#), &bad(problem::STREAM_IN_INVOCATION));
    check(r#"{"type":"invoke","invocationId":"1","target":"Event"}"#, &bad(problem::TARGET));
    check(
        r#"{"type":"cancelInvocation","invocationId":"1"}"#,
        &Request::CancelInvocation { invocation_id: "1".into() },
    );
}

/// A stream starts with its own members; what is wrong with it alone is told to the client.
#[test]
fn stream_starts() {
    let start = |stream: &str, more: &str| {
        format!(r#"{{"type":"sendToGroup","group":"g","stream":{{{stream}}}{more}}}"#)
    };
    let request = |no_echo, ttl_seconds, idle_timeout| Request::StartStream {
        stream_id: "s".into(),
        group: "g".into(),
        metadata: Metadata::new(),
        no_echo,
        ttl_seconds,
        idle_timeout,
    };
    let plain = |stream: &str| start(stream, "");
    check(&plain(r#""streamId":"s""#), &request(false, 0, 300_000));
    check(&plain(r#""streamId":"s","idleTimeoutMs":null,"x":{}"#), &request(false, 0, 300_000));
    check(&plain(r#""\u0073treamId":"\u0073","idleTimeoutMs":1"#), &request(false, 0, 1));
    check(&plain(r#""streamId":"s","idleTimeoutMs":4294967295"#), &request(false, 0, u32::MAX));
    let more = r#","noEcho":true,"ttlSeconds":9,"ackId":null"#;
    check(&start(r#""streamId":"s""#, more), &request(true, 9, 300_000));

    let bad = |problem| Request::BadStart { stream_id: "s".into(), problem };
    for wrong in ["0", "-1", "1.0", "4294967296", "\"1\"", "{}"] {
        let stream = format!(r#""streamId":"s","idleTimeoutMs":{wrong}"#);
        check(&plain(&stream), &bad(problem::IDLE_TIMEOUT));
    }
    for data in [r#","data":1"#, r#","data":null"#, r#","dataType":"text""#, r#","dataType":7"#] {
        check(&start(r#""streamId":"s""#, data), &bad(problem::DATA_IN_START));
    }
    check(&start(r#""streamId":"s""#, r#","ackId":0"#), &bad(problem::ACK_ID_IN_START));
    check(
        &plain(r#""streamId":"""#),
        &Request::BadStart { stream_id: "".into(), problem: problem::EMPTY_STREAM_ID },
    );
}

/// Data of a stream has all its members, or none to keep the stream alive.
#[test]
fn stream_data() {
    let data = |members: &str| format!(r#"{{"type":"streamData","streamId":"s"{members}}}"#);
    check(&data(""), &Request::StreamKeepAlive { stream_id: "s".into() });
    check(
        &data(r#","streamSequenceId":18446744073709551615,"dataType":"Text","data":"a""#),
        &Request::StreamData {
            stream_id: "s".into(),
            sequence_id: u64::MAX,
            data: Data::Text("a"),
        },
    );
    let bad = |problem| Request::BadStream { stream_id: "s".into(), problem };
    for members in [
        r#","dataType":"json","data":1"#,
        r#","data":1"#,
        r#","dataType":"text""#,
        r#","streamSequenceId":null"#,
        r#","streamSequenceId":-1,"dataType":"json","data":1"#,
        r#","streamSequenceId":"1","dataType":"json","data":1"#,
    ] {
        check(&data(members), &bad(problem::STREAM_SEQUENCE_ID));
    }
    for members in [
        "",
        r#","data":1"#,
        r#","dataType":"text""#,
        r#","dataType":"json","data":null"#,
        r#","dataType":"xml","data":1"#,
        r#","dataType":null,"data":1"#,
        r#","dataType":"text","data":1"#,
        r#","dataType":"text","data":"\ud800""#,
        r#","dataType":"binary","data":"?""#,
    ] {
        check(&data(&format!(r#","streamSequenceId":1{members}"#)), &bad(problem::STREAM_DATA));
    }
}

/// The end of a stream may say what went wrong, in texts.
#[test]
fn stream_ends() {
    let end = |error: &str| format!(r#"{{"type":"streamEnd","streamId":"s"{error}}}"#);
    let request = |error| Request::EndStream { stream_id: "s".into(), error };
    check(&end(""), &request(None));
    check(&end(r#","error":null"#), &request(None));
    check(&end(r#","error":{}"#), &request(Some(UserError::default())));
    check(
        &end(r#","error":{"message":"\u006do","userErrorCode":"E","x":1}"#),
        &request(Some(UserError { message: Some("mo".into()), code: Some("E".into()) })),
    );
    check(
        &end(r#","error":{"message":null,"userErrorCode":""}"#),
        &request(Some(UserError { message: None, code: Some("".into()) })),
    );
    let bad = Request::BadStream { stream_id: "s".into(), problem: problem::STREAM_ERROR };
    for error in ["7", "[]", "\"x\"", r#"{"message":1}"#, r#"{"userErrorCode":"\ud800"}"#] {
        check(&end(&format!(r#","error":{error}"#)), &bad);
    }
}

/// A state has each key once, whatever comes in.
#[test]
fn group_states() {
    let set = |state: &str| format!(r#"{{"type":"setGroupState","group":"g"{state},"ackId":1}}"#);
    let request = |state: Option<&[(&'static str, &'static str)]>| Request::SetGroupState {
        group: "g".into(),
        state: state
            .map(|state| state.iter().map(|&(key, value)| (key.into(), value.into())).collect()),
        ack_id: Some(1),
    };
    check(&set(""), &request(None));
    check(&set(r#","state":null"#), &request(None));
    check(&set(r#","state":{}"#), &request(Some(&[])));
    check(
        &set(r#","state":{"b":"1","a":"2","\u0062":"3"}"#),
        &request(Some(&[("b", "3"), ("a", "2")])),
    );
    check(
        &set(&format!(r#","state":{{{}"k":"v"}}"#, r#""k":"","#.repeat(100_000))),
        &request(Some(&[("k", "v")])),
    );
    let many: Vec<_> = (0..100_000).map(|index| format!(r#""{index}":"""#)).collect();
    assert!(!is_ok(&set(&format!(r#","state":{{{}}}"#, many.join(",")))));
    assert!(is_ok(&set(&format!(r#","state":{{{}}}"#, many[..8192].join(",")))));
}

/// A binary message is the wrong type of frame for JSON; a text may be no message of the protocol.
#[test]
fn violations() {
    let mut scratch = Vec::new();
    for (message, code, reason) in [
        (Data::Binary(b"{}"), 1003, "The JSON subprotocol requires text messages."),
        (Data::Text("{}"), 1007, "The client message is not a valid JSON protocol message."),
    ] {
        for protocol in [Protocol::Json, Protocol::ReliableJson] {
            assert_eq!(protocol.decode(message, &mut scratch), None);
            assert_eq!(protocol.broken_by(message), Violation { code, reason });
        }
    }
}
