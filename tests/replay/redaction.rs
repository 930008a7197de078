//! What is left out of a journal is not in it, and a replay of the rest goes the same way.

use hubcast::replay::{Entry, Input, JournalConfig, JournalReader, Recorder, Redaction, Replay};
use hubcast::testing::{Step, strategy};
use hubcast::{
    Action, Admission, Answer, Audience, Closed, Command, Config, Data, EventHandler, HubConfig,
    Incoming, Open, Protocol, Recovery, Response, SendOptions, SlowConsumer, Time,
};
use proptest::prelude::*;

use crate::host::{Host, SECRETS, entropy, hex};

const SECRETS_GONE: JournalConfig =
    JournalConfig { bytes: 1 << 30, redaction: Redaction::Secrets, digests: true };
const PAYLOADS_GONE: JournalConfig =
    JournalConfig { redaction: Redaction::SecretsAndPayloads, ..SECRETS_GONE };

#[track_caller]
fn assert_absent(journal: &[u8], secret: &[u8]) {
    let found = journal.windows(secret.len()).any(|each| each == secret);
    assert!(!found, "{:?} is in the journal", String::from_utf8_lossy(secret));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is done: no secret is in the journal, and a replay has the same keys, as many actions and answers, and
    /// ends in the same state.
    #[test]
    fn no_secret_is_left(
        setup in strategy::setup(),
        steps in prop::collection::vec(strategy::step(), 1..60),
    ) {
        check(&mut Host::new(&setup, Some(SECRETS_GONE)), &steps);
    }

    /// The same without quotas and closed handshakes.
    #[test]
    fn no_secret_is_left_of_a_lively_run(
        setup in strategy::lively_setup(),
        steps in prop::collection::vec(strategy::lively_step(), 1..60),
    ) {
        check(&mut Host::new(&setup, Some(SECRETS_GONE)), &steps);
    }

    /// Without payloads too, as long as clients keep to the protocol.
    #[test]
    fn payloads_keep_their_shape(
        setup in strategy::lively_setup(),
        steps in prop::collection::vec(strategy::lively_step(), 1..60),
    ) {
        check(&mut Host::new(&setup, Some(PAYLOADS_GONE)), &steps);
    }

    /// And if they do not, nothing panics and the journal is good.
    #[test]
    fn anything_can_be_redacted(
        setup in strategy::setup(),
        steps in prop::collection::vec(strategy::step(), 1..60),
    ) {
        let mut host = Host::new(&setup, Some(PAYLOADS_GONE));
        let journal = host.run(&steps);
        let mut replay = Replay::new(&journal).unwrap();
        replay.run().unwrap();
        prop_assert_eq!(replay.inputs(), host.outcomes.len() as u64);
        replay.engine().check();
    }
}

fn check(host: &mut Host, steps: &[Step]) {
    let journal = host.run(steps);
    for secret in SECRETS {
        assert_absent(&journal, secret.as_bytes());
    }
    let reader = JournalReader::new(&journal).unwrap();
    assert_eq!(reader.header().settings.to_config().seed, 0);
    for entry in reader {
        if let Entry::Input { input: Input::Reconfigure(settings), .. } = entry.unwrap() {
            assert_eq!(settings.to_config().seed, 0);
        }
    }
    for number in 0..host.ids.len() {
        let entropy = entropy(number);
        assert_absent(&journal, &entropy[..12]);
        assert_absent(&journal, &entropy[16..]);
        assert_absent(&journal, hex(&entropy[16..]).as_bytes());
        if let Some(secret) = host.ids[number].get(8..) {
            assert_absent(&journal, secret.as_bytes());
        }
    }
    let replayed = crate::host::replay(&journal);
    assert_eq!(replayed.actions.len(), host.actions.len());
    assert_eq!(replayed.outcomes.len(), host.outcomes.len());
    for (redacted, real) in replayed.actions.iter().zip(&host.actions) {
        // The kind of the action; and all has its length but the names of handlers and listeners.
        assert_eq!(redacted[0], real[0]);
        let [notify, call] = [4, 5];
        if ![notify, call].contains(&real[0]) {
            assert_eq!(redacted.len(), real.len());
        }
    }
}

/// All of what is looked for is found where nothing is left out.
#[test]
fn secrets_are_there_otherwise() {
    use hubcast::testing::{Opening, Operation, Recovering, Setup};

    let setup = Setup {
        idle_seconds: None,
        handshake_seconds: 10,
        per_second: None,
        per_day: None,
        close_on_failure: false,
        refuse_unknown_hubs: false,
        slow_consumer: SlowConsumer::Disconnect,
        handlers: Vec::new(),
    };
    let opening = Opening {
        hub: "first".into(),
        protocol: Protocol::ReliableJson,
        anonymous: false,
        user: None,
        roles: Vec::new(),
        groups: Vec::new(),
        subprotocols: Vec::new(),
        target: None,
    };
    let recovering =
        Recovering { hub: "first".into(), whose: 0, token_of: 0, subprotocols: Vec::new() };
    let step = |operation| Step { millis: 0, punctual: true, operation, hold: false };
    let steps = [
        step(Operation::Open(opening)),
        step(Operation::Recover(recovering)),
        step(Operation::Advance),
    ];
    let whole = JournalConfig { redaction: Redaction::None, ..SECRETS_GONE };
    let mut host = Host::new(&setup, Some(whole));
    let journal = host.run(&steps);
    let entropy = entropy(0);
    let token = hex(&entropy[16..]);
    let secrets = SECRETS.iter().map(|secret| secret.as_bytes());
    for secret in secrets.chain([&entropy[..12], &entropy[16..], token.as_bytes()]) {
        let found = journal.windows(secret.len()).any(|each| each == secret);
        assert!(found, "{:?}", String::from_utf8_lossy(secret));
    }
    assert_ne!(JournalReader::new(&journal).unwrap().header().settings.to_config().seed, 0);
    check(&mut Host::new(&setup, Some(SECRETS_GONE)), &steps);
}

/// A connection is recovered in a replay too: its id and its token are others, and the same ones everywhere.
#[test]
fn recovery_goes_on() {
    let mut config = Config::new(3);
    config.records = hubcast::Records::Connections;
    for journal in [SECRETS_GONE, PAYLOADS_GONE] {
        let mut engine = Recorder::new(config.clone(), Some(journal)).unwrap();
        let request = Open {
            hub: "chat",
            protocol: Protocol::ReliableJson,
            entropy: entropy(1),
            ..Open::default()
        };
        let lost = engine.open(request, Time::EPOCH);
        let id = engine.connection(lost).unwrap().id();
        engine.close(lost, Closed::Lost, Time::EPOCH);
        let token = hex(&entropy(1)[16..]);
        let recovery = Some(Recovery { connection_id: &id, token: &token });
        let request = Open { hub: "chat", recovery, entropy: entropy(2), ..Open::default() };
        engine.open(request, Time::EPOCH);
        let bytes = engine.finish();
        let mut replay = Replay::new(&bytes).unwrap();
        replay.run().unwrap();
        assert_eq!((replay.engine().metrics().recovered, engine.metrics().recovered), (1, 1));
        assert_ne!(
            replay
                .engine()
                .connection(replay.engine().hubs().next().unwrap().connections().next().unwrap())
                .unwrap()
                .id(),
            id
        );
    }
}

/// Only what was chosen goes: a payload stays unless it is to go, and everything stays in a whole journal.
#[test]
fn what_is_kept_is_kept() {
    for (redaction, secret, payload) in [
        (Redaction::None, true, true),
        (Redaction::Secrets, false, true),
        (Redaction::SecretsAndPayloads, false, false),
    ] {
        let journal = JournalConfig { redaction, ..SECRETS_GONE };
        let mut engine = Recorder::new(Config::new(3), Some(journal)).unwrap();
        let query = &[("access_token", "top secret")];
        let request = Open { hub: "chat", protocol: Protocol::Json, query, ..Open::default() };
        let key = engine.open(request, Time::EPOCH);
        let text = r#"{"type":"sendToGroup","group":"the group","data":"the payload"}"#;
        engine.receive(key, Incoming::Text(text), Time::EPOCH);
        let bytes = engine.finish();
        let has = |text: &str| bytes.windows(text.len()).any(|each| each == text.as_bytes());
        assert_eq!(
            (has("top secret"), has("the payload"), has("the group")),
            (secret, payload, true)
        );
        assert_eq!(JournalReader::new(&bytes).unwrap().header().redaction, redaction);
    }
}

/// Wherever there is a payload, it goes.
#[test]
fn every_payload_goes() {
    let mut config = Config::new(1);
    let handlers = vec![EventHandler::all("here")];
    config.hubs = vec![("handled".into(), HubConfig { handlers, ..HubConfig::default() })];
    let any = b"\x0a\x06secret\x12\x06secret";
    let mut engine = Recorder::new(config, Some(PAYLOADS_GONE)).unwrap();
    let open = |hub, protocol| Open { hub, protocol, ..Open::default() };
    let now = Time::EPOCH;
    let handled = engine.open(open("handled", Protocol::Json), now);
    let mut call = None;
    while let Some(action) = engine.poll_action() {
        if let Action::Call(it) = action {
            call = it.id.or(call);
        }
    }
    let metadata = &[("key", "secret")];
    let state = Some("secret");
    let admission = Admission { state, ..Admission::default() };
    engine.answer(call.unwrap(), Answer::Accept(admission), now);
    let data = Some(Data::Json(r#"{"secret":"secret"}"#));
    engine.answer(call.unwrap(), Answer::Reply(Response { data, metadata, state }), now);
    let plain = engine.open(open("other", Protocol::Plain), now);
    let protobuf = engine.open(open("other", Protocol::Protobuf), now);
    for text in [
        r#"{"type":"event","event":"e","data":["secret"],"metadata":{"k":"secret"}}"#,
        r#"{"type":"event","event":"e","dataType":"text","data":"\u0073ecret secret"}"#,
        r#"{"type":"event","event":"e","data":1,"secret":"secret"}"#,
        r#"{"type":"event","event":"e" secret"#,
    ] {
        engine.receive(handled, Incoming::Text(text), now);
        engine.receive(plain, Incoming::Text(text), now);
        engine.receive(protobuf, Incoming::Text(text), now);
    }
    let event = b"\x2a\x0d\x0a\x01e\x12\x08\x0a\x06secret";
    for key in [handled, plain, protobuf] {
        engine.receive(key, Incoming::Binary(event), now);
        engine.receive(key, Incoming::Binary(b"secret"), now);
        engine.close(key, Closed::Clean { code: 1000, reason: "secret" }, now);
        // Of one that is gone nobody knows what it spoke.
        engine.receive(key, Incoming::Text(r#"{"type":"event","event":"secret"}"#), now);
    }
    for data in [
        Data::Text("secret"),
        Data::Json(r#""secret""#),
        Data::Json("no JSON: secret"),
        Data::Binary(b"secret"),
        Data::Protobuf(any),
        Data::Protobuf(b"secret"),
    ] {
        let options = SendOptions { metadata, ..SendOptions::default() };
        let send = Command::Send { to: Audience::Hub("other"), data, options };
        _ = engine.execute(send, now);
    }
    while engine.poll_action().is_some() {}
    let journal = engine.finish();
    assert_absent(&journal, b"secret");
    let mut replay = Replay::new(&journal).unwrap();
    replay.run().unwrap();
    assert_eq!(replay.divergence(), None);
}
