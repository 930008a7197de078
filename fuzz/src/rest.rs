//! Requests of the REST API: nothing that a stranger can send makes it panic, only signed requests do something, and
//! one that fails does nothing.

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request};
use hubcast::rest::{Api, Trusted};
use hubcast::token::{AccessKey, AccessKeys, mint_rest};
use hubcast::{
    Audience, Command, CommandError, Config, Engine, Limits, Open, Protocol, Reply, Time,
};

const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
const NOW: Time = Time::from_secs(1_790_000_000);

/// The most requests that are made.
const REQUESTS_MAX: usize = 32;

/// What paths are made of.
const WORDS: [&str; 24] = [
    "api",
    "hubs",
    "chat",
    "health",
    "groups",
    "users",
    "connections",
    "permissions",
    ":send",
    ":closeConnections",
    ":addToGroups",
    ":removeFromGroups",
    ":generateToken",
    "sendToGroup",
    "joinLeaveGroup",
    "1",
    "2",
    "room",
    "ann",
    "a%2Fb",
    "%20",
    "%FF",
    "lobby",
    "",
];

/// What a single word behind [`WORDS`] stands for: a method, and a path below a hub with a place for a connection.
const ROUTES: [(&str, &str); 24] = [
    ("PUT", "permissions/sendToGroup/connections/{}"),
    ("DELETE", "permissions/joinLeaveGroup/connections/{}"),
    ("HEAD", "permissions/2/connections/{}"),
    ("PUT", "permissions/other/connections/{}"),
    ("PUT", "permissions/1/connections/nobody"),
    ("PUT", "groups/lobby/connections/{}"),
    ("DELETE", "groups/room/connections/{}"),
    ("GET", "groups/room/connections"),
    ("HEAD", "groups/lobby"),
    ("HEAD", "connections/{}"),
    ("DELETE", "connections/{}"),
    ("POST", "connections/{}/:send"),
    ("DELETE", "connections/{}/groups"),
    ("PUT", "users/ann/groups/lobby"),
    ("DELETE", "users/bob/groups/room"),
    ("DELETE", "users/ann/groups"),
    ("HEAD", "users/nobody"),
    ("POST", "users/ann/:send"),
    ("POST", "users/ann/:closeConnections"),
    ("POST", "groups/room/:send"),
    ("POST", "groups/room/:closeConnections"),
    ("POST", ":addToGroups"),
    ("POST", ":removeFromGroups"),
    ("POST", ":generateToken"),
];

/// What queries are made of.
const PARAMETERS: [&str; 28] = [
    "api-version=2024-12-01",
    "api-version=1",
    "filter=userId%20eq%20'ann'",
    "filter=",
    "excluded=a",
    "messageTtlSeconds=5",
    "messageTtlSeconds=301",
    "targetName=room",
    "targetName=*",
    "reason=why",
    "maxpagesize=1",
    "top=2",
    "minutesToExpire=5",
    "clientType=default",
    "role=webpubsub.sendToGroup",
    "group=room",
    NEXT,
    "maxpagesize=2",
    "top=1",
    "top=0",
    "clientType=mqtt",
    "clientType=socketIO",
    "clientType=other",
    "group=%20",
    "minutesToExpire=0",
    "minutesToExpire=2147483647",
    "userId=ann",
    "filter='room'%20in%20groups",
];

/// Stands for where the page that was listed last ended.
const NEXT: &str = "continuationToken=";

/// What a body of one byte stands for.
const BODIES: [&str; 12] = [
    r#"{"groups":["lobby","room","lobby"],"filter":"userId eq 'ann'"}"#,
    r#"{"Groups":["lobby"],"Filter":null,"more":[]}"#,
    r#"{"groups":["1","2","3","4","5"]}"#,
    r#"{"groups":["lobby"],"filter":""}"#,
    r#"{"groups":["lobby"],"filter":" "}"#,
    r#"{"groups":["lobby"],"filter":"userId eq"}"#,
    r#"{"groups":["lobby"],"filter":1}"#,
    r#"{"groups":[]}"#,
    r#"{"groups":[1]}"#,
    r#"{"groups":[" "]}"#,
    r#"{"filter":"true"}"#,
    "[]",
];

/// What a type of content of one byte stands for.
const KINDS: [&str; 12] = [
    "text/plain; charset=utf-16le",
    "Text/Plain; Charset=\"UTF-16BE\"",
    "text/plain;charset=latin1",
    "text/plain; charset=other",
    "application/json; charset=utf-16",
    "application/json; charset=utf-16be",
    "application/json; charset=iso-8859-1",
    "application/json; x=y; charset=us-ascii",
    "application/octet-stream",
    "application/x-protobuf",
    "application/vnd.more+json",
    "text/json",
];

/// One request.
#[derive(Arbitrary, Debug)]
struct Attempt<'a> {
    method: Verb,
    path: Path<'a>,
    query: Vec<Parameter<'a>>,
    /// Who asks, and of which API: some of the bits below.
    caller: u8,
    kind: Kind<'a>,
    headers: Vec<(&'a str, &'a [u8])>,
    length: Length,
    body: &'a [u8],
}

/// There is a token that was signed with the key.
const SIGNED: u8 = 1;
/// The host trusts whoever asks.
const TRUSTED: u8 = 2;
/// There is a token of Entra, if there is no other; nobody signed it.
const OF_ENTRA: u8 = 4;
/// The API takes tokens of Entra.
const TAKES_ENTRA: u8 = 8;
/// The API makes tokens also for those who have the key.
const GENERATES: u8 = 16;
/// The API is told where it is reached.
const KNOWS_ENDPOINT: u8 = 32;

#[derive(Arbitrary, Debug)]
enum Verb {
    Get,
    Head,
    Post,
    Put,
    Delete,
}

impl Verb {
    fn text(&self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Path<'a> {
    /// Below a hub.
    Usual(Vec<Segment<'a>>),
    Other(&'a str),
}

impl Path<'_> {
    /// Returns the method and the path that a single word stands for, if it stands for them.
    fn route(&self) -> Option<(&'static str, &'static str)> {
        let Self::Usual(segments) = self else { return None };
        let [Segment::Word(place)] = segments[..] else { return None };
        Some(ROUTES[usize::from(place).checked_sub(WORDS.len())? % ROUTES.len()])
    }
}

#[derive(Arbitrary, Debug)]
enum Segment<'a> {
    Word(u8),
    /// The id of a connection.
    Connection(u8),
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Parameter<'a> {
    Usual(u8),
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Kind<'a> {
    Absent,
    Text,
    Json,
    Other(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Length {
    True,
    Absent,
    Said(u32),
}

/// Reads requests from the bytes and makes them.
pub fn run(data: &[u8]) {
    let keys = AccessKeys::from(AccessKey::new(KEY).expect("it is long enough"));
    let mut api = Api::new(keys);
    let (mut engine, ids) = engine();
    let mut next = String::new();
    let mut input = Unstructured::new(data);
    for _ in 0..REQUESTS_MAX {
        if input.is_empty() {
            return;
        }
        let Ok(attempt) = Attempt::arbitrary(&mut input) else { return };
        api.allow_unvalidated_entra = attempt.caller & TAKES_ENTRA != 0;
        api.generate_with_key = attempt.caller & GENERATES != 0;
        let endpoint = attempt.caller & KNOWS_ENDPOINT != 0;
        api.endpoint = endpoint.then(|| "https://elsewhere/".to_owned());
        if let Some(request) = request(&attempt, &ids, &next, &api.keys) {
            let body = make(&api, &mut engine, &request, attempt.caller);
            if let Some((_, token)) = body.split_once(NEXT) {
                next = token.split(['&', '"']).take(1).collect();
            }
        }
    }
}

/// Makes a request and returns the body of the response.
fn make(api: &Api, engine: &mut Engine, request: &Request<Bytes>, caller: u8) -> String {
    let before = who_is_there(engine);
    let response = api.serve(engine, request, NOW);
    assert!(response.headers().contains_key("api-supported-versions"));
    assert!(request.method() != Method::HEAD || response.body().is_empty(), "HEAD has no body");
    let body = str::from_utf8(response.body()).expect("bodies are UTF-8");
    assert!(!body.contains(KEY), "the key never shows");
    if caller & SIGNED != 0 {
        let token = request.headers()["authorization"].to_str().expect("tokens are ASCII");
        assert!(!body.contains(token.trim_start_matches("Bearer ")), "the token never shows");
    }
    if !body.is_empty() {
        serde_json::from_str::<&serde_json::value::RawValue>(body).expect("bodies are JSON");
    }
    let status = response.status();
    let is_health = request.uri().path().to_ascii_lowercase().starts_with("/api/health");
    let is_known =
        caller & (SIGNED | TRUSTED) != 0 || (caller & OF_ENTRA != 0 && api.allow_unvalidated_entra);
    assert!(is_known || is_health || status.is_client_error(), "who is nobody gets nothing");
    let mut actions = 0;
    while engine.poll_action().is_some() {
        actions += 1;
    }
    if !status.is_success() {
        assert_eq!(actions, 0, "what fails does nothing");
        assert_eq!(who_is_there(engine), before, "what fails changes nothing");
    }
    body.to_owned()
}

/// Returns how many connections there are, and the members of a group.
fn who_is_there(engine: &mut Engine) -> [Result<Reply, CommandError>; 2] {
    let count = Command::Count { who: Audience::Hub("chat") };
    let list = Command::List { hub: "chat", group: "room", after: None, limit: 200 };
    [count, list].map(|command| engine.execute(command, NOW))
}

fn engine() -> (Engine, Vec<String>) {
    let limits =
        Limits { groups_per_connection: 4, literals_per_permission: 3, ..Limits::default() };
    let mut engine =
        Engine::new(Config { limits, ..Config::new(1) }).expect("a good configuration");
    let mut ids = Vec::new();
    for (user, protocol) in
        [("ann", Protocol::Json), ("ann", Protocol::ReliableJson), ("bob", Protocol::Plain)]
    {
        let open = Open {
            hub: "chat",
            protocol,
            user: Some(user),
            groups: &["room"],
            entropy: [ids.len() as u8; 32],
            ..Open::default()
        };
        let key = engine.open(open, NOW);
        while engine.poll_action().is_some() {}
        ids.push(engine.connection(key).expect("it is open").id().to_string());
    }
    (engine, ids)
}

/// Makes a request, where the parts can be in one at all.
fn request(
    attempt: &Attempt<'_>,
    ids: &[String],
    next: &str,
    keys: &AccessKeys,
) -> Option<Request<Bytes>> {
    let route = attempt.path.route();
    let method = route.map_or(attempt.method.text(), |(method, _)| method);
    let path = match (route, &attempt.path) {
        (Some((_, path)), _) => {
            let id = &ids[usize::from(attempt.caller >> 6) % ids.len()];
            format!("/api/hubs/chat/{}", path.replace("{}", id))
        }
        (None, Path::Usual(segments)) => {
            let segments = segments.iter().map(|segment| match segment {
                Segment::Word(place) => WORDS[usize::from(*place) % WORDS.len()],
                Segment::Connection(place) => &ids[usize::from(*place) % ids.len()],
                Segment::Other(text) => text,
            });
            segments.fold("/api/hubs/chat".to_owned(), |path, segment| format!("{path}/{segment}"))
        }
        (None, Path::Other(path)) => format!("/{path}"),
    };
    let query = attempt.query.iter().map(|parameter| match parameter {
        Parameter::Usual(place) => match PARAMETERS[usize::from(*place) % PARAMETERS.len()] {
            NEXT => format!("{NEXT}{next}"),
            other => other.to_owned(),
        },
        Parameter::Other(text) => (*text).to_owned(),
    });
    let target = format!("{path}?{}", query.collect::<Vec<_>>().join("&"));
    let mut request = Request::builder().method(method).uri(&target).header("host", "localhost");
    if attempt.caller & SIGNED != 0 {
        let url = format!("http://localhost{target}");
        let token = mint_rest(&url, Duration::from_secs(60), keys, NOW).expect("a good URL");
        request = request.header("authorization", format!("Bearer {token}"));
    } else if attempt.caller & OF_ENTRA != 0 {
        request = request.header("authorization", format!("Bearer {}", entra_token()));
    }
    if attempt.caller & TRUSTED != 0 {
        request = request.extension(Trusted);
    }
    let body = match *attempt.body {
        [place] => BODIES[usize::from(place) % BODIES.len()].as_bytes(),
        _ => attempt.body,
    };
    request = match attempt.kind {
        Kind::Absent => request,
        Kind::Text => request.header("content-type", "text/plain"),
        Kind::Json => request.header("content-type", "application/json"),
        Kind::Other([place]) => {
            request.header("content-type", KINDS[usize::from(*place) % KINDS.len()])
        }
        Kind::Other(kind) => request.header("content-type", kind),
    };
    request = match attempt.length {
        Length::True => request.header("content-length", body.len()),
        Length::Absent => request,
        Length::Said(length) => request.header("content-length", length),
    };
    for (name, value) in &attempt.headers {
        let name = if *name == "m" { "x-webpubsub-metadata-k" } else { name };
        request = request.header(name, *value);
    }
    request.body(Bytes::copy_from_slice(body)).ok()
}

/// Makes a token as Entra would, but for the signature.
fn entra_token() -> String {
    let claims =
        format!(r#"{{"aud":"https://webpubsub.azure.com/","exp":{}}}"#, NOW.as_secs() + 60);
    let [header, claims] = [r#"{"alg":"RS256"}"#, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.nobody")
}
