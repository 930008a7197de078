//! A host: an engine with the REST API before it, and clients whose frames are written down.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Response};
use hubcast::rest::Api;
use hubcast::token::{ClientAudience, verify_client};
use hubcast::{
    Action, Closed, Config, ConnectionKey, Engine, HubConfig, Incoming, Open, Protocol, UnknownHubs,
};

use crate::request::{NOW, keys, request};

/// The shortest run of one character that is counted rather than shown.
const LONG: usize = 40;

pub(crate) struct Host {
    config: Config,
    engine: Option<Engine>,
    api: Api,
    clients: Vec<Client>,
    /// The path of the last link to a next page.
    next: String,
    /// How many requests there were.
    pub rows: usize,
}

struct Client {
    name: String,
    key: ConnectionKey,
    id: String,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            config: Config::new(1),
            engine: None,
            api: Api::new(keys()),
            clients: Vec::new(),
            next: String::new(),
            rows: 0,
        }
    }
}

impl Host {
    /// Takes an input in and returns what it causes.
    pub(crate) fn take_in(&mut self, line: &str, details: &[&str]) -> Vec<String> {
        let (first, rest) = line.split_once(' ').expect("an input has two words");
        match first {
            "limit" => self.limit(rest),
            "refuse" => {
                self.config.unknown_hubs = UnknownHubs::Refuse;
                self.config.hubs.push(("chat".into(), HubConfig::default()));
            }
            "api" => match rest.split_once('=').unwrap_or((rest, "")) {
                ("endpoint", url) => self.api.endpoint = Some(url.into()),
                ("generate_with_key", _) => self.api.generate_with_key = true,
                ("allow_unvalidated_entra", _) => self.api.allow_unvalidated_entra = true,
                other => panic!("unknown: {other:?}"),
            },
            "open" => self.open(rest),
            "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS" => {
                return self.request(line, details);
            }
            name => {
                let client = self.clients.iter().find(|it| it.name == name);
                let key = client.expect("a client that was opened").key;
                let engine = self.engine();
                match rest.split_once(' ') {
                    Some(("->", text)) => engine.receive(key, Incoming::Text(text), NOW),
                    _ => engine.close(key, Closed::Lost, NOW),
                }
                return self.actions();
            }
        }
        Vec::new()
    }

    fn engine(&mut self) -> &mut Engine {
        let config = &self.config;
        self.engine
            .get_or_insert_with(|| Engine::new(config.clone()).expect("a good configuration"))
    }

    fn limit(&mut self, setting: &str) {
        let (name, value) = setting.split_once('=').expect("a setting has a value");
        let value: usize = value.parse().expect("a limit is a number");
        let limits = &mut self.config.limits;
        match name {
            "literals_per_permission" => limits.literals_per_permission = value,
            "groups_per_connection" => limits.groups_per_connection = value,
            "message_bytes" => limits.message_bytes = value,
            "messages_per_second" => limits.messages_per_second = Some(value as u64),
            other => panic!("unknown: {other}"),
        }
    }

    fn open(&mut self, line: &str) {
        let mut words = line.split(' ');
        let name = words.next().expect("a client has a name");
        let mut open = Open { hub: "chat", ..Open::default() };
        open.entropy[..name.len()].copy_from_slice(name.as_bytes());
        let (mut groups, mut roles) = (Vec::new(), Vec::new());
        for word in words {
            match word.split_once('=').expect("a property has a value") {
                ("user", user) => open.user = Some(user),
                ("hub", hub) => open.hub = hub,
                ("groups", names) => groups = names.split(',').collect(),
                ("roles", names) => roles = names.split(',').collect(),
                ("protocol", "json") => open.protocol = Protocol::Json,
                ("protocol", "reliable") => open.protocol = Protocol::ReliableJson,
                other => panic!("unknown: {other:?}"),
            }
        }
        (open.groups, open.roles) = (&groups, &roles);
        let engine = self.engine();
        let key = engine.open(open, NOW);
        while engine.poll_action().is_some() {}
        let id = engine.connection(key).expect("it is open").id().to_string();
        self.clients.push(Client { name: name.into(), key, id });
    }

    /// Makes a request and returns the response and what it caused.
    fn request(&mut self, first: &str, details: &[&str]) -> Vec<String> {
        self.rows += 1;
        let details: Vec<_> = details.iter().map(|detail| self.replaced(detail)).collect();
        let request = request(&self.replaced(first), &details);
        self.engine();
        let engine = self.engine.as_mut().expect("it was just made");
        let response = self.api.serve(engine, &request, NOW);
        let versions = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";
        assert_eq!(response.headers()["api-supported-versions"], versions);
        if request.method() == Method::HEAD {
            assert!(response.body().is_empty(), "HEAD has no body");
        }
        let mut shown = self.response(&response);
        shown.extend(self.actions());
        shown
    }

    fn response(&mut self, response: &Response<Bytes>) -> Vec<String> {
        let mut first = response.status().as_u16().to_string();
        for name in ["x-ms-error-code", CONTENT_TYPE.as_str(), ALLOW.as_str()] {
            if let Some(value) = response.headers().get(name) {
                let _ = write!(first, " {name}={}", value.to_str().expect("ASCII"));
            }
        }
        let known = ["x-ms-error-code", "content-type", "allow", "api-supported-versions"];
        assert!(response.headers().keys().all(|name| known.contains(&name.as_str())));
        let body = str::from_utf8(response.body()).expect("bodies are UTF-8");
        if body.is_empty() {
            return vec![first];
        }
        let value: serde_json::Value = serde_json::from_str(body).expect("bodies are JSON");
        if let Some(next) = value["nextLink"].as_str() {
            let path = next.find("/api/").expect("it leads to the API");
            next[path..].clone_into(&mut self.next);
        }
        match value["token"].as_str() {
            Some(token) => vec![first, format!("| {{\"token\": of {}}}", claims(token))],
            None => vec![first, format!("| {}", self.abridge(body))],
        }
    }

    fn actions(&mut self) -> Vec<String> {
        let mut engine = self.engine.take().expect("it was made");
        let mut shown = Vec::new();
        while let Some(action) = engine.poll_action() {
            match action {
                Action::Deliver(deliver) => {
                    for to in deliver.to {
                        let payload = deliver.frame.payload(to.sequence).collect::<Vec<_>>();
                        let payload = payload.concat();
                        let name = self.name(to.connection);
                        shown.push(if deliver.frame.is_text() {
                            let text = str::from_utf8(&payload).expect("a text frame is UTF-8");
                            format!("{name} <- {}", self.abridge(text))
                        } else {
                            let bytes = payload.iter().map(|byte| format!("{byte:02x}"));
                            format!("{name} <= {}", bytes.collect::<String>())
                        });
                    }
                }
                Action::Close(close) => {
                    let shut = format!(
                        "close {} {} {}",
                        self.name(close.connection),
                        close.code,
                        close.reason
                    );
                    shown.push(shut.trim_end().to_owned());
                }
                other => panic!("not in these tables: {other:?}"),
            }
        }
        self.engine = Some(engine);
        shown
    }

    fn name(&self, key: ConnectionKey) -> &str {
        &self.clients.iter().find(|client| client.key == key).expect("it was opened").name
    }

    /// Returns the token of the last link to a next page.
    fn page(&self) -> &str {
        let token = self.next.split("continuationToken=").nth(1).unwrap_or_default();
        token.split('&').next().unwrap_or_default()
    }

    /// Puts in what the names stand for.
    fn replaced(&self, text: &str) -> String {
        let mut text = text.replace("$next", &self.next).replace("$page", self.page());
        for client in &self.clients {
            text = text.replace(&format!("${}", client.name), &client.id);
        }
        while let Some(start) = text.find("$(") {
            let end = start + text[start..].find(')').expect("it is closed");
            let (what, times) = text[start + 2..end].split_once('*').expect("a text and a number");
            let long = what.repeat(times.parse().expect("a number"));
            text.replace_range(start..=end, &long);
        }
        text
    }

    /// Names the connections, and counts long runs of one character.
    fn abridge(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for client in &self.clients {
            text = text.replace(&client.id, &format!("${}", client.name));
        }
        let mut short = String::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let mut run = 1;
            while chars.next_if_eq(&char).is_some() {
                run += 1;
            }
            if run >= LONG {
                let _ = write!(short, "$({char}*{run})");
            } else {
                short.extend(std::iter::repeat_n(char, run));
            }
        }
        short
    }
}

/// Shows what a token that the keys signed says.
fn claims(token: &str) -> String {
    let payload = token.split('.').nth(1).expect("a token has a payload");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("it is base64");
    let text = String::from_utf8(payload).expect("claims are UTF-8");
    let value: serde_json::Value = serde_json::from_str(&text).expect("claims are JSON");
    let audience = value["aud"].as_str().expect("it has an audience");
    let (host, hub) = audience
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once("/client/hubs/"))
        .expect("it is for clients");
    verify_client(token, &keys(), ClientAudience { host, hub }, NOW).expect("it is a good token");
    text
}
