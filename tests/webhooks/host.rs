//! The host of a transcript: an engine and its webhooks, driven by lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use hubcast::rest::webhook::{
    RequestId, SendFailure, WebhookAction, WebhookLimits, WebhookRequest, WebhookSettings, Webhooks,
};
use hubcast::token::{AccessKey, AccessKeys};
use hubcast::{
    Action, Audience, Certificate, Closed, Command, Config, ConnectionKey, Engine, Incoming, Open,
    Protocol, Time,
};

use super::line::{Line, bytes, duration, lend, lend_pairs, parse};
use super::settings;
use super::show::{body, finish, headers, hexadecimal, moment, words};

pub(crate) const START: Time = Time::from_secs(1_790_000_000);
const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

pub(crate) struct Host {
    config: Config,
    service: WebhookSettings,
    bearer: Option<String>,
    validation_shown: bool,
    headers_shown: bool,
    running: Option<(Engine, Webhooks)>,
    now: Time,
    peers: Vec<Peer>,
    /// The requests in the order in which they were shown, from 1 on.
    requests: BTreeMap<RequestId, usize>,
    calls: u8,
}

struct Peer {
    name: String,
    key: ConnectionKey,
    /// The public id, once it is known.
    id: Option<String>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            config: Config::new(7),
            service: WebhookSettings {
                keys: AccessKeys::from(AccessKey::new(KEY).unwrap()),
                origin: "hub.example".into(),
                limits: WebhookLimits::default(),
            },
            bearer: None,
            validation_shown: false,
            headers_shown: false,
            running: None,
            now: START,
            peers: Vec::new(),
            requests: BTreeMap::new(),
            calls: 0,
        }
    }
}

impl Host {
    /// Does what a line says and returns what comes out.
    pub(crate) fn take_in(&mut self, line: &str) -> Result<Vec<String>, String> {
        let line = expand(line)?;
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        if let Some(peer) = self.peers.iter().find(|peer| peer.name == verb) {
            self.hear(peer.key, rest)?;
            return Ok(self.poll());
        }
        let mut words = Line::read(rest)?;
        if self.running.is_none() {
            if verb == "service" {
                self.set(&mut words)?;
                return words.end().map(|()| Vec::new());
            }
            if settings::apply(&mut self.config, verb, &mut words)? {
                return words.end().map(|()| Vec::new());
            }
            let engine = Engine::new(self.config.clone()).map_err(|error| error.to_string())?;
            let webhooks =
                Webhooks::new(self.service.clone()).map_err(|error| error.to_string())?;
            self.running = Some((engine, webhooks));
        }
        let answer = self.obey(verb, &mut words)?;
        words.end()?;
        let mut shown = self.poll();
        shown.extend(answer.map(|answer| format!("= {answer}")));
        Ok(shown)
    }

    fn set(&mut self, line: &mut Line) -> Result<(), String> {
        let limits = &mut self.service.limits;
        for (name, value) in line.options() {
            match name.as_str() {
                "keys" => {
                    let mut keys = value.split('|').map(AccessKey::new);
                    let mut key = || keys.next().transpose().map_err(|error| error.to_string());
                    self.service.keys =
                        AccessKeys { primary: key()?.ok_or("no key")?, secondary: key()? };
                }
                "origin" => self.service.origin = value,
                "bearer" => self.bearer = Some(value),
                "validation" => self.validation_shown = value == "shown",
                "headers" => self.headers_shown = value == "shown",
                "calls" => limits.calls = parse(&value)?,
                "bytes" => limits.bytes = parse(&value)?,
                "notifications" => limits.notifications = parse(&value)?,
                "notification_wait" => limits.notification_wait = duration(&value)?,
                "handlers" => limits.handlers = parse(&value)?,
                "timeout" => limits.timeout = duration(&value)?,
                _ => return Err(format!("there is no setting {name:?}")),
            }
        }
        Ok(())
    }

    fn hear(&mut self, key: ConnectionKey, what: &str) -> Result<(), String> {
        let (engine, _) = self.running.as_mut().ok_or("nobody is there")?;
        let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
        match verb {
            "->" => engine.receive(key, Incoming::Text(rest), self.now),
            "=>" => engine.receive(key, Incoming::Binary(&bytes(rest)?), self.now),
            "closes" => {
                engine.close(key, Closed::Clean { code: 1000, reason: rest }, self.now);
            }
            "lost" => engine.close(key, Closed::Lost, self.now),
            _ => return Err(format!("{verb:?} means nothing")),
        }
        Ok(())
    }

    fn obey(&mut self, verb: &str, line: &mut Line) -> Result<Option<String>, String> {
        let (engine, webhooks) = self.running.as_mut().ok_or("it does not run")?;
        match verb {
            "open" => self.open(line)?,
            "join" | "leave" => {
                let name = line.word()?;
                let peer = self.peers.iter().find(|peer| peer.name == name).ok_or("nobody")?;
                let groups = line.word()?;
                let groups: Vec<&str> = groups.split(',').collect();
                let id = peer.id.as_deref().ok_or("has no id yet")?;
                let (who, groups) = (Audience::Connection("chat", id), groups.as_slice());
                let command = match verb {
                    "join" => Command::Join { who, groups },
                    _ => Command::Leave { who, groups },
                };
                engine.execute(command, self.now).map_err(|error| error.to_string())?;
            }
            "respond" => {
                let id = request(&self.requests, line)?;
                let mut response = Response::builder().status(parse::<u16>(&line.word()?)?);
                let body = match line.data() {
                    None => Vec::new(),
                    Some((kind, data)) if kind == "binary" => bytes(&data)?,
                    Some((_, data)) => data.into_bytes(),
                };
                for (name, value) in line.options() {
                    response = response.header(name, value.as_bytes());
                }
                let response = response.body(body.into()).map_err(|error| error.to_string())?;
                webhooks.respond(id, &response, self.now);
            }
            "fail" => {
                let id = request(&self.requests, line)?;
                let failure = match line.word()?.as_str() {
                    "network" => SendFailure::Network,
                    "timeout" => SendFailure::Timeout,
                    "toolarge" => SendFailure::BodyTooLarge,
                    other => return Err(format!("{other:?} is no failure")),
                };
                webhooks.fail(id, failure, self.now);
            }
            "at" => {
                self.now = START + duration(&line.word()?)?;
                engine.advance(self.now);
                webhooks.advance(self.now);
            }
            "deadline" => {
                return Ok(Some(webhooks.next_deadline().map_or("none".into(), moment)));
            }
            "pending" => return Ok(Some(webhooks.pending().to_string())),
            "metrics" => return Ok(Some(format!("{:?}", webhooks.metrics()))),
            _ => return Err(format!("{verb:?} means nothing")),
        }
        Ok(None)
    }

    fn open(&mut self, line: &mut Line) -> Result<(), String> {
        let (engine, _) = self.running.as_mut().ok_or("it does not run")?;
        let name = line.word()?;
        let roles = line.list("roles").unwrap_or_default();
        let groups = line.list("groups").unwrap_or_default();
        let offers = line.list("offers").unwrap_or_default();
        let (claims, query) = (line.pairs("claims")?, line.pairs("query")?);
        let (headers, certificates) = (line.pairs("headers")?, line.pairs("certificates")?);
        let certificates: Vec<Certificate<'_>> = certificates
            .iter()
            .map(|(thumbprint, content)| Certificate { thumbprint, content })
            .collect();
        let user = line.option("user");
        let protocol = match line.option("protocol").as_deref() {
            None => Protocol::Json,
            Some("plain") => Protocol::Plain,
            Some("protobuf") => Protocol::Protobuf,
            Some(other) => return Err(format!("{other:?} is no protocol")),
        };
        let key = engine.open(
            Open {
                hub: "Chat",
                protocol,
                user: user.as_deref(),
                roles: &lend(&roles),
                groups: &lend(&groups),
                subprotocols: &lend(&offers),
                claims: &lend_pairs(&claims),
                query: &lend_pairs(&query),
                headers: &lend_pairs(&headers),
                certificates: &certificates,
                entropy: [self.peers.len() as u8 + 1; 32],
                ..Open::default()
            },
            self.now,
        );
        self.peers.push(Peer { name, key, id: None });
        Ok(())
    }

    /// Carries everything out until nothing is left, and shows it.
    fn poll(&mut self) -> Vec<String> {
        let mut shown = Vec::new();
        let Some((mut engine, mut webhooks)) = self.running.take() else { return shown };
        loop {
            if let Some(action) = engine.poll_action() {
                self.carry_out(&action, &mut webhooks, &mut shown);
            } else if let Some(action) = webhooks.poll_action() {
                match action {
                    WebhookAction::Send(send) => self.send(&send, &mut webhooks, &mut shown),
                    WebhookAction::Abort(id) => {
                        shown.push(format!("abort {}", self.requests[&id]));
                    }
                    WebhookAction::Finish(outcome) => {
                        shown.push(finish(&outcome));
                        if let Some((call, answer)) = outcome.answer {
                            answer.with_answer(|answer| engine.answer(call, answer, self.now));
                        }
                    }
                    other => unreachable!("{other:?} is new"),
                }
            } else {
                break;
            }
        }
        self.running = Some((engine, webhooks));
        shown
    }

    fn carry_out(&mut self, action: &Action<'_>, webhooks: &mut Webhooks, shown: &mut Vec<String>) {
        match action {
            Action::Accept(it) => {
                let peer = self.peers.iter_mut().find(|peer| peer.key == it.connection);
                let peer = peer.expect("it was opened");
                peer.id = Some(it.connection_id.to_string());
                shown.push(words(["accept", &peer.name, it.subprotocol.unwrap_or("-")]));
            }
            Action::Refuse(it) => {
                let status = it.status.to_string();
                shown.push(words(["refuse", self.name(it.connection), &status, it.reason]));
            }
            Action::Deliver(it) => {
                for to in it.to {
                    let parts: Vec<_> = it.frame.payload(to.sequence).collect();
                    let payload = parts.concat();
                    let name = self.name(to.connection);
                    shown.push(match str::from_utf8(&payload) {
                        Ok(text) if it.frame.is_text() => format!("{name} <- {text}"),
                        _ => format!("{name} <= {}", hexadecimal(&payload)),
                    });
                }
            }
            Action::Close(it) => {
                let code = it.code.to_string();
                shown.push(words(["close", self.name(it.connection), &code, it.reason]));
            }
            Action::Call(it) => {
                self.calls += 1;
                webhooks.call(it, [self.calls; 16], self.bearer.as_deref(), self.now);
            }
            Action::Cancel(it) => webhooks.cancel(*it, self.now),
            other => unreachable!("{other:?} is new"),
        }
    }

    fn send(&mut self, send: &WebhookRequest, webhooks: &mut Webhooks, shown: &mut Vec<String>) {
        let WebhookRequest { id, request, deadline, .. } = send;
        if request.method() != "POST" && !self.validation_shown {
            let response = Response::builder().header("WebHook-Allowed-Origin", "*");
            return webhooks.respond(*id, &response.body(Bytes::new()).unwrap(), self.now);
        }
        let number = self.requests.len() + 1;
        self.requests.insert(*id, number);
        let (method, url) = (request.method(), request.uri());
        let mut line = format!("send {number} {method} {url} until={}", moment(*deadline));
        if self.headers_shown {
            shown.push(line);
            shown.extend(headers(request).into_iter().map(|header| format!("  {header}")));
            shown.push(format!("  | {}", body(request)));
            return;
        }
        if let Some(cookie) = request.headers().get("cookie") {
            let _ = write!(line, " cookie={:?}", cookie.to_str().unwrap());
        }
        shown.push(words([&line, &body(request)]));
    }

    fn name(&self, key: ConnectionKey) -> &str {
        &self.peers.iter().find(|peer| peer.key == key).expect("it was opened").name
    }
}

fn request(requests: &BTreeMap<RequestId, usize>, line: &mut Line) -> Result<RequestId, String> {
    let number = parse::<usize>(&line.word()?)?;
    let found = requests.iter().find(|(_, each)| **each == number);
    found.map(|(id, _)| *id).ok_or_else(|| format!("there is no request {number}"))
}

/// Puts in what stands for something longer.
fn expand(line: &str) -> Result<String, String> {
    let mut parts = line.split("$(");
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (what, rest) = part.split_once(')').ok_or("$( without )")?;
        if let Some(code) = what.strip_prefix("U+") {
            let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            expanded.push(code.ok_or_else(|| format!("{what:?} is no character"))?);
        } else {
            let (text, times) = what.rsplit_once('*').ok_or("$(text*times)")?;
            expanded.push_str(&text.repeat(parse(times)?));
        }
        expanded.push_str(rest);
    }
    Ok(expanded)
}
