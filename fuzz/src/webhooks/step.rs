//! Steps as they are read from bytes. Connections, requests and names are small numbers, so that most of what is read
//! concerns something that exists.

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::Response;
use http::header::HeaderValue;
use hubcast::rest::webhook::SendFailure;

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub(super) enum Step<'a> {
    Open,
    Event {
        of: u8,
        name: u8,
        text: &'a str,
    },
    Invoke {
        of: u8,
        name: u8,
    },
    CancelInvocation(u8),
    Join(u8, u8),
    Leave(u8, u8),
    Close(u8),
    Respond(u8, Reply<'a>),
    Fail(u8, Failure),
    /// The engine gives up a call, or one that is over, or is heard of twice.
    Cancel(u8),
    Forget(u8),
    /// Milliseconds.
    Pass(u16),
    /// Seconds.
    PassLong(u8),
    /// Until something is due.
    Wait,
    /// Four times as many milliseconds, of which the webhooks hear with the next step only.
    Oversleep(u16),
}

/// What a handler answers.
#[derive(Arbitrary, Debug)]
pub(super) struct Reply<'a> {
    status: Status,
    headers: Vec<(Header, Value<'a>)>,
    body: Body<'a>,
}

#[derive(Arbitrary, Debug)]
enum Status {
    Fine,
    NoContent,
    Moved,
    Missing,
    Busy,
    Broken,
    Other(u16),
}

#[derive(Arbitrary, Debug)]
enum Header {
    Allowed,
    ContentType,
    State,
    Cookie,
    Metadata,
}

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Star,
    Origin,
    Text,
    Json,
    Protobuf,
    Cookie,
    Expired,
    Other(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Empty,
    Null,
    Admission,
    BadGroup,
    Other(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Failure {
    Network,
    Timeout,
    BodyTooLarge,
}

/// What a body of one byte stands for.
const BODIES: [&str; 8] = [
    r#"{"subprotocol":"JSON.webpubsub.azure.v1"}"#,
    r#"{"subprotocol":"other","USERID":"v"}"#,
    r#"{"subprotocol":"mqtt"}"#,
    r#"{"subprotocol":1}"#,
    r#"{"roles":["webpubsub.joinLeaveGroup","r"],"groups":["g","h"],"more":{}}"#,
    r#"{"roles":[1]}"#,
    r#"{"userId":null,"groups":null,"roles":null}"#,
    "[]",
];

/// What a value of one byte stands for.
const COOKIES: [&str; 14] = [
    "a=1; Path=/; Max-Age=60",
    "b=2; Path=/elsewhere; Secure",
    "b=3; Path=no; HttpOnly",
    "a=4; Expires=Mon, 21 Sep 2026 15:00:00 GMT",
    "a=5; Expires=Wednesday, 21-Oct-15 07:28:00 GMT",
    "c=6; expires=Feb 31 2027 1:2:3",
    "c=7; Expires=sometime",
    "d=8; Domain=a",
    "d=9; domain=.A; Path=/",
    "d=10; Domain=elsewhere",
    "e=11; Max-Age=soon",
    "e=12; Max-Age=-1",
    "=13",
    "f",
];

impl Reply<'_> {
    /// Returns the response; what cannot be in one is left out.
    pub(super) fn response(&self) -> Response<Bytes> {
        let status = match self.status {
            Status::Fine => 200,
            Status::NoContent => 204,
            Status::Moved => 307,
            Status::Missing => 404,
            Status::Busy => 408,
            Status::Broken => 503,
            Status::Other(status) => 100 + status % 900,
        };
        let body = match &self.body {
            Body::Empty => b"".as_slice(),
            Body::Null => b"null",
            Body::Admission => {
                br#"{"userId":"u","groups":["g"],"roles":["webpubsub.sendToGroup"]}"#.as_slice()
            }
            Body::BadGroup => br#"{"groups":[" "]}"#,
            Body::Other([place]) => BODIES[usize::from(*place) % BODIES.len()].as_bytes(),
            Body::Other(bytes) => bytes,
        };
        let mut response = Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = status.try_into().expect("it has three digits");
        for (header, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_bytes(value.bytes()) {
                response.headers_mut().append(header.name(), value);
            }
        }
        response
    }
}

impl Header {
    fn name(&self) -> &'static str {
        match self {
            Self::Allowed => "webhook-allowed-origin",
            Self::ContentType => "content-type",
            Self::State => "ce-connectionstate",
            Self::Cookie => "set-cookie",
            Self::Metadata => "x-webpubsub-metadata-k",
        }
    }
}

impl Value<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Star => b"*",
            Self::Origin => b"HUB.example:80",
            Self::Text => b"text/plain; charset=utf-8",
            Self::Json => b"application/json",
            Self::Protobuf => b"application/x-protobuf",
            Self::Cookie => b"a=b",
            Self::Expired => b"a=; Max-Age=0",
            Self::Other([place]) => COOKIES[usize::from(*place) % COOKIES.len()].as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }
}

impl Failure {
    pub(super) fn failure(&self) -> SendFailure {
        match self {
            Self::Network => SendFailure::Network,
            Self::Timeout => SendFailure::Timeout,
            Self::BodyTooLarge => SendFailure::BodyTooLarge,
        }
    }
}
