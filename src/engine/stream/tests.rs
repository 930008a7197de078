//! The rules of streams, one by one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::command::{Command, GroupPermission};
use crate::config::SystemEvents;
use crate::engine::stage::Stage;
use crate::event::Answer;
use crate::input::Closed;
use crate::protocol::Protocol;
use crate::state::Permission;

/// A publisher 0, who is the user `u`, and a member 1.
fn stage() -> Stage {
    let mut stage = Stage::new(SystemEvents::NONE, |config| {
        config.limits.streams_per_connection = 2;
    });
    stage.open(Some("u"), Protocol::Json, true);
    stage.join();
    stage
}

fn start(id: &str, more: &str) -> String {
    format!(
        r#"{{"type":"sendToGroup","group":"g","noEcho":true,"stream":{{"streamId":"{id}"{more}}}}}"#
    )
}

fn data(id: &str, sequence: u64) -> String {
    format!(
        r#"{{"type":"streamData","streamId":"{id}","streamSequenceId":{sequence},"dataType":"text","data":"x"}}"#
    )
}

fn end(id: &str) -> String {
    format!(r#"{{"type":"streamEnd","streamId":"{id}"}}"#)
}

fn ack(id: &str, expected: u64) -> String {
    format!(r#"0 <- {{"type":"streamAck","streamId":"{id}","expectedSequenceId":{expected}}}"#)
}

fn closed(id: &str, error: Option<(&str, &str)>) -> String {
    let error = error
        .map(|(name, message)| format!(r#","error":{{"name":"{name}","message":"{message}"}}"#));
    let error = error.unwrap_or_default();
    format!(r#"0 <- {{"type":"streamClosed","streamId":"{id}"{error}}}"#)
}

/// What the member gets: a part with the text `x`, or the end with what is told of it.
fn part(id: &str, sequence: u64, end: Option<&str>) -> String {
    let text = if end.is_some() { "" } else { "x" };
    let end = end.map(|error| format!(r#","endOfStream":true{error}"#)).unwrap_or_default();
    format!(
        r#"1 <- {{"type":"message","from":"group","group":"g","fromUserId":"u","dataType":"text","data":"{text}","stream":{{"streamId":"{id}","streamSequenceId":{sequence}{end}}}}}"#
    )
}

fn broken(name: &str, message: &str) -> String {
    format!(r#","error":{{"name":"{name}","message":"{message}"}}"#)
}

/// Messages count from 1; an earlier one is acknowledged again, a later one refused; the end takes the next
/// number, and then the id is free.
#[test]
fn order() {
    let mut stage = stage();
    assert_eq!(stage.say(0, &start("s", "")), [ack("s", 1)]);
    assert_eq!(stage.say(0, &data("s", 1)), [part("s", 1, None), ack("s", 2)]);
    assert_eq!(stage.say(0, &data("s", 1)), [ack("s", 2)]);
    assert_eq!(stage.say(0, &data("s", 0)), [ack("s", 2)]);
    let nack = r#"0 <- {"type":"streamNack","streamId":"s","expectedSequenceId":2,"name":"InvalidSequenceId","message":"expected 2"}"#;
    assert_eq!(stage.say(0, &data("s", 3)), [nack]);
    assert_eq!(stage.say(0, &data("s", u64::MAX)).len(), 1);
    assert_eq!(stage.say(0, &data("s", 2)), [part("s", 2, None), ack("s", 3)]);
    assert_eq!(stage.say(0, &end("s")), [part("s", 3, Some("")), closed("s", None)]);
    assert_eq!(stage.say(0, &start("s", "")), [ack("s", 1)]);
    let failed =
        r#"{"type":"streamEnd","streamId":"s","error":{"message":"m","userErrorCode":"E"}}"#;
    let error = r#","error":{"name":"UserError","message":"m","userErrorCode":"E"}"#;
    assert_eq!(stage.say(0, failed), [part("s", 1, Some(error)), closed("s", None)]);
}

/// Without `noEcho` the publisher gets its own parts before their acks; metadata goes with each.
#[test]
fn echo() {
    let mut stage = stage();
    let start =
        r#"{"type":"sendToGroup","group":"g","metadata":{"k":"v"},"stream":{"streamId":"s"}}"#;
    assert_eq!(stage.say(0, start), [ack("s", 1)]);
    let lines = stage.say(0, &data("s", 1));
    assert!(lines[0].starts_with("0,1 <- ") && lines[0].contains(r#""metadata":{"k":"v"}"#));
    assert_eq!(lines[1], ack("s", 2));
    let lines = stage.say(0, &end("s"));
    assert!(lines[0].starts_with("0,1 <- ") && lines[1] == closed("s", None));
}

/// A start may be refused, which leaves alone what is open.
#[test]
fn refused_starts() {
    let mut stage = stage();
    stage.say(0, &start("s", ""));
    let error = Some(("BadRequest", "A stream with this id is open."));
    assert_eq!(stage.say(0, &start("s", "")), [closed("s", error)]);
    let zero = stage.say(0, &start("s", r#","idleTimeoutMs":0"#));
    assert!(zero[0].contains("streamClosed") && zero[0].contains("BadRequest"));
    stage.say(0, &start("t", ""));
    let error = Some(("BadRequest", "Too many streams are open."));
    assert_eq!(stage.say(0, &start("third", "")), [closed("third", error)]);
    assert_eq!(stage.say(0, &data("s", 1)), [part("s", 1, None), ack("s", 2)]);
    stage.open(None, Protocol::Json, false);
    stage.lines();
    let lines = stage.say(2, &start("s", ""));
    let message = "The client does not have permission to send to group 'g'.";
    assert_eq!(lines, [closed("s", Some(("Forbidden", message))).replace("0 <-", "2 <-")]);
}

/// What is said of a stream that is not open is answered with `StreamNotFound`; nonsense breaks an open one.
#[test]
fn unknown_and_broken() {
    let mut stage = stage();
    let unknown = [closed("s", Some(("StreamNotFound", "No stream with this id is open.")))];
    let alive = r#"{"type":"streamData","streamId":"s"}"#;
    let nonsense = r#"{"type":"streamData","streamId":"s","streamSequenceId":1}"#;
    for message in [&*data("s", 1), &end("s"), alive, nonsense] {
        assert_eq!(stage.say(0, message), unknown);
    }
    stage.say(0, &start("s", ""));
    assert!(stage.say(0, alive).is_empty());
    let lines = stage.say(0, nonsense);
    let error = broken("Cancelled", "The publisher broke the protocol.");
    assert_eq!(lines[0], part("s", 1, Some(&error)));
    assert!(lines[1].contains(r#""streamClosed","streamId":"s","error":{"name":"BadRequest""#));
    assert_eq!(stage.say(0, alive), unknown);
}

/// A silent stream ends. Every message of it counts as a sign of life; other traffic does not.
#[test]
fn idle() {
    let mut stage = stage();
    stage.say(0, &start("s", r#","idleTimeoutMs":1000"#));
    stage.say(0, &start("t", r#","idleTimeoutMs":1500"#));
    stage.wait(900);
    stage.say(0, r#"{"type":"streamData","streamId":"s"}"#);
    assert!(stage.wait(599).is_empty());
    stage.say(0, r#"{"type":"ping"}"#);
    let message = "The stream was idle for too long.";
    let error = broken("IdleTimeout", message);
    let ended = |id| [part(id, 1, Some(&error)), closed(id, Some(("IdleTimeout", message)))];
    assert_eq!(stage.wait(1), ended("t"));
    assert!(stage.wait(399).is_empty());
    assert_eq!(stage.wait(1), ended("s"));
    assert_eq!(stage.engine.next_deadline(), None);
}

/// While its connection waits for an event handler, a stream cannot be heard of.
#[test]
fn waiting_is_not_idle() {
    let mut stage = stage();
    stage.say(0, &start("s", r#","idleTimeoutMs":1000"#));
    stage.say(0, r#"{"type":"event","event":"ask","dataType":"text","data":""}"#);
    assert!(stage.wait(5000).is_empty());
    assert!(stage.answer(0, Answer::Fail).is_empty());
    assert!(stage.wait(999).is_empty());
    assert_eq!(stage.wait(1).len(), 2);
}

/// A used up second makes the publisher try again; a used up day ends the connection, not its last words.
#[test]
fn quotas() {
    let mut stage = Stage::new(SystemEvents::NONE, |config| {
        config.limits.messages_per_second = Some(1);
        config.limits.messages_per_day = Some(2);
    });
    stage.open(Some("u"), Protocol::Json, true);
    stage.join();
    stage.say(0, &start("s", ""));
    assert_eq!(stage.say(0, &data("s", 1)).len(), 2);
    let nack = r#"0 <- {"type":"streamNack","streamId":"s","expectedSequenceId":2,"name":"TransientError","message":"Message count reaches limit"}"#;
    assert_eq!(stage.say(0, &data("s", 2)), [nack]);
    stage.wait(1000);
    assert_eq!(stage.say(0, &data("s", 2)).len(), 2);
    let error = broken("Cancelled", "The connection of the publisher ended.");
    let last = part("s", 3, Some(&error));
    assert_eq!(stage.say(0, &data("s", 3)), ["close 0 1008".to_string(), last]);
}

/// Who may not send any more cannot go on with a stream to that group; others go on.
#[test]
fn revoked() {
    let mut stage = stage();
    stage.say(0, &start("s", ""));
    stage.say(0, &start("t", "").replace(r#""g""#, r#""other""#));
    let lines = stage.execute(0, |connection_id| {
        let permission = Permission::SendToGroup;
        Command::Revoke(GroupPermission { hub: "h", connection_id, permission, group: "g" })
    });
    let message = "The permission to send to the group was revoked.";
    let last = part("s", 1, Some(&broken("Forbidden", message)));
    assert_eq!(lines, [last, closed("s", Some(("Forbidden", message)))]);
    assert_eq!(stage.say(0, &data("t", 1)), [ack("t", 2)]);
}

/// With its publisher a stream breaks off, which the others are told; a reliable one comes back to it.
#[test]
fn the_end_of_the_publisher() {
    let mut stage = stage();
    stage.say(0, &start("s", "").replace("true", "false"));
    let error = broken("Cancelled", "The connection of the publisher ended.");
    let last = [part("s", 1, Some(&error))];
    assert_eq!(stage.close(0, Closed::Lost), last);
    stage.open(Some("u"), Protocol::ReliableJson, true);
    stage.lines();
    stage.say(2, &start("s", ""));
    assert!(stage.close(2, Closed::Lost).is_empty());
    assert_eq!(stage.wait(30_000), last);
}

/// Who is closed together is not told of each other's streams.
#[test]
fn closed_together() {
    let mut stage = stage();
    stage.say(0, &start("s", ""));
    let lines = stage.execute_all(|who| Command::Close { who, except: &[], reason: "" });
    let streams: Vec<_> = lines.iter().filter(|line| line.contains("stream")).collect();
    assert!(streams.is_empty() && lines.len() == 3, "{lines:?}");
}
