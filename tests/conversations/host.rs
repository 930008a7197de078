//! The host of an engine, which does what the lines of a conversation say.

mod open;
mod server;

use hubcast::{Action, Closed, Config, ConnectionKey, Engine, Incoming, Time};

use super::counters::counter;
use super::line::{Line, bytes, duration, parse};
use super::show::{Names, moment};
use super::{protobuf, settings};

pub(crate) struct Host {
    config: Config,
    /// What the engine is to be told when it is to be configured anew.
    next: Config,
    /// Made with the first input that is no setting.
    engine: Option<Engine>,
    now: Time,
    /// Actions are left where they are.
    held: bool,
    names: Names,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            config: Config::new(1),
            next: Config::new(1),
            engine: None,
            now: Time::EPOCH,
            held: false,
            names: Names::default(),
        }
    }
}

type Shown = Result<Vec<String>, String>;

impl Host {
    /// Does what a line says and returns what comes out.
    pub(crate) fn take_in(&mut self, line: &str) -> Shown {
        let Some(repeat) = line.strip_prefix("repeat ") else { return self.take_in_one(line) };
        let (range, input) = repeat.split_once(' ').ok_or("repeat what?")?;
        let (first, last) = range.split_once("..").ok_or("repeat from where to where?")?;
        let mut turns = Vec::new();
        for n in parse::<u64>(first)?..=parse(last)? {
            turns.push(self.take_in_one(&input.replace("$n", &n.to_string()))?);
        }
        let shape = |turn: &[String]| {
            let turn = turn.join(" ");
            let words =
                turn.split(' ').filter(|word| !word.contains(|c: char| !c.is_ascii_hexdigit()));
            let hexadecimal: Vec<_> = words.filter(|word| word.len() >= 8).collect();
            let turn = hexadecimal.iter().fold(turn.clone(), |turn, word| turn.replace(word, ""));
            turn.replace(|c: char| c.is_ascii_digit(), "")
        };
        let alike = turns.iter().all(|turn| shape(turn) == shape(&turns[0]));
        if turns.len() > 3 && alike && !turns[0].is_empty() {
            let between = format!("... {} more times ...", turns.len() - 2);
            turns.splice(1..turns.len() - 1, [vec![between]]);
        }
        Ok(turns.concat())
    }

    fn take_in_one(&mut self, line: &str) -> Shown {
        let line = self.expand(line)?;
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let mut shown = Vec::new();
        if let Some(peer) = self.names.peers.get(verb) {
            self.hear(peer.key, rest)?;
        } else {
            let mut words = Line::read(rest)?;
            shown = self.obey(verb, &mut words)?;
            words.end()?;
        }
        self.poll(&mut shown);
        Ok(shown)
    }

    /// Puts in what stands for something longer.
    fn expand(&self, line: &str) -> Result<String, String> {
        let mut parts = line.split('$');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            if let Some((what, rest)) = part.strip_prefix('(').and_then(|part| part.split_once(')'))
            {
                if let Some(code) = what.strip_prefix("U+") {
                    let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                    expanded.push(code.ok_or_else(|| format!("{what:?} is no character"))?);
                } else {
                    let (text, times) = what.rsplit_once('*').ok_or("$(text*times)")?;
                    expanded.push_str(&text.repeat(parse(times)?));
                }
                expanded.push_str(rest);
                continue;
            }
            let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            if name.is_empty() {
                expanded.push('$');
            } else {
                let peer = self.names.peers.get(name).map(|peer| &peer.secrets);
                let peer = peer.ok_or_else(|| format!("{name:?} is nobody"))?;
                let (secret, rest) = match rest.strip_prefix(".token") {
                    Some(rest) => (&peer.token, rest),
                    None => (&peer.id, rest),
                };
                let secret = secret.as_deref();
                expanded.push_str(secret.ok_or_else(|| format!("{name:?} has none yet"))?);
                expanded.push_str(rest);
                continue;
            }
            expanded.push_str(rest);
        }
        Ok(expanded)
    }

    /// Something comes from a peer.
    fn hear(&mut self, key: ConnectionKey, what: &str) -> Result<(), String> {
        let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
        let now = self.now;
        let engine = self.engine.as_mut().expect("somebody was opened");
        let binary;
        let message = match verb {
            "->" => Incoming::Text(rest),
            "=>" => {
                let text = rest.contains('{');
                binary = if text { protobuf::write("Upstream", rest)? } else { bytes(rest)? };
                Incoming::Binary(&binary)
            }
            "alive" => Incoming::Alive,
            "toolarge" => Incoming::TooLarge,
            "malformed" => Incoming::Malformed,
            "notutf8" => Incoming::NotUtf8,
            "closes" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                engine.close(key, Closed::Clean { code: parse(code)?, reason }, now);
                return Ok(());
            }
            "lost" => {
                engine.close(key, Closed::Lost, now);
                return Ok(());
            }
            "slow" => {
                engine.close(key, Closed::SlowConsumer, now);
                return Ok(());
            }
            _ => return Err(format!("a peer cannot {verb:?}")),
        };
        engine.receive(key, message, now);
        Ok(())
    }

    /// Everything that no peer does.
    fn obey(&mut self, verb: &str, line: &mut Line) -> Shown {
        if self.engine.is_none() && settings::apply(&mut self.config, verb, line)? {
            let error = Engine::new(self.config.clone()).err();
            return Ok(error.iter().map(|error| format!("! {error}")).collect());
        }
        self.start()?;
        let now = self.now;
        if settings::apply(&mut self.next, verb, line)? {
            return Ok(Vec::new());
        }
        let engine = self.engine.as_mut().expect("just made");
        let shown = match verb {
            "open" => return self.open(line),
            "answer" => return self.answer(line),
            "at" | "clock" => {
                self.now = Time::EPOCH + duration(&line.word()?)?;
                if verb == "at" {
                    engine.advance(self.now);
                }
                return Ok(Vec::new());
            }
            "reconfigure" => {
                let next = std::mem::replace(&mut self.next, Config::new(1));
                let error = engine.reconfigure(next, now).err();
                return Ok(error.iter().map(|error| format!("! {error}")).collect());
            }
            "stop" => {
                engine.stop(&line.text(), now);
                return Ok(Vec::new());
            }
            "key" => return self.look_up(line),
            "pause" | "resume" => {
                let peer = self.names.peers.get(&line.word()?).ok_or("nobody has this name")?;
                if verb == "pause" {
                    engine.pause(peer.key, now);
                } else {
                    engine.resume(peer.key, now);
                }
                return Ok(Vec::new());
            }
            "hold" => {
                self.held = true;
                return Ok(Vec::new());
            }
            "poll" => {
                self.held = false;
                return Ok(Vec::new());
            }
            "deadline" => {
                let deadline = engine.next_deadline().map(moment);
                format!("= {}", deadline.as_deref().unwrap_or("never"))
            }
            "view" => {
                let name = line.word()?;
                let peer = self.names.peers.get(&name).ok_or("nobody has this name")?;
                self.names.view(engine.connection(peer.key))
            }
            "find" => {
                let hub = line.option("hub");
                let found = engine.find(hub.as_deref().unwrap_or("chat"), &line.word()?);
                format!("= {}", found.map_or("nobody", |key| self.names.of(key)))
            }
            "metrics" => {
                let names = line.text();
                let counters = names.split(' ').map(|name| {
                    counter(engine.metrics(), name).map(|count| format!("{name}={count}"))
                });
                format!("= {}", counters.collect::<Result<Vec<_>, _>>()?.join(" "))
            }
            _ => return self.execute(verb, line),
        };
        Ok(vec![shown])
    }

    fn start(&mut self) -> Result<(), String> {
        if self.engine.is_none() {
            let engine = Engine::new(self.config.clone());
            self.engine = Some(engine.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    /// Shows all that there is to do, and checks that the engine is sound.
    fn poll(&mut self, shown: &mut Vec<String>) {
        let Some(engine) = &mut self.engine else { return };
        engine.check();
        while !self.held
            && let Some(action) = engine.poll_action()
        {
            match &action {
                Action::Accept(accept) => {
                    self.names.learn(accept.connection, &accept.connection_id);
                }
                Action::Call(call) => {
                    self.names.learn(call.connection, &call.event.connection_id);
                    if let Some(id) = call.id {
                        let name = self.names.of(call.connection);
                        let name = format!("{name}#{}", call.event.number);
                        self.names.calls.insert(name, id);
                    }
                }
                Action::Deliver(deliver) => self.names.note(deliver),
                _ => {}
            }
            shown.extend(self.names.action(&action));
        }
    }
}
