//! The rules of states, one by one.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{Audience, Command};
use crate::config::SystemEvents;
use crate::engine::stage::Stage;
use crate::input::Closed;
use crate::protocol::Protocol;

/// Three members that may do everything.
fn stage() -> Stage {
    let mut stage = Stage::new(SystemEvents::NONE, |_| {});
    for user in [Some("u"), None, None] {
        stage.open(user, Protocol::Json, true);
    }
    stage.lines();
    stage
}

fn set(state: &str) -> String {
    format!(r#"{{"type":"setGroupState","group":"g"{state}}}"#)
}

const TYPING: &str = r#","state":{"typing":"1"}"#;
const SUBSCRIBE: &str = r#"{"type":"subscribeGroupState","group":"g"}"#;
const UNSUBSCRIBE: &str = r#"{"type":"unsubscribeGroupState","group":"g","ackId":9}"#;
const LEAVE: &str = r#"{"type":"leaveGroup","group":"g"}"#;

fn update(to: &str, item: &str) -> [String; 1] {
    [format!(r#"{to} <- {{"type":"groupStateUpdate","group":"g","items":[{item}]}}"#)]
}

fn snapshot(to: &str, items: &str) -> [String; 1] {
    [format!(r#"{to} <- {{"type":"groupStateSnapshot","group":"g","items":[{items}]}}"#)]
}

fn item(who: usize, state: &str, at: u64) -> String {
    let user = if who == 0 { r#","userId":"u""# } else { "" };
    format!(r#"{{"connectionId":"${who}"{user}{state},"updatedAt":{at}}}"#)
}

/// A subscriber gets all there is, in the order of ids, and then each change, its own too.
#[test]
fn snapshot_and_updates() {
    let mut stage = stage();
    assert!(stage.say(1, &set(TYPING)).is_empty());
    assert!(stage.say(0, &set(r#","state":{}"#)).is_empty());
    let both = format!("{},{}", item(0, r#","state":{}"#, 1000), item(1, TYPING, 1000));
    let acked = SUBSCRIBE.replace('}', r#","ackId":7}"#);
    let lines = stage.say(1, &acked);
    assert_eq!(lines[0], r#"1 <- {"type":"ack","ackId":7,"success":true}"#);
    assert_eq!(lines[1..], snapshot("1", &both));
    // Times grow even where the clock stands still.
    assert_eq!(stage.say(0, &set(TYPING)), update("1", &item(0, TYPING, 1001)));
    assert_eq!(stage.say(1, &set(TYPING)), update("1", &item(1, TYPING, 1001)));
    stage.wait(5000);
    assert_eq!(stage.say(0, &set("")), update("1", &item(0, "", 6000)));
    assert!(stage.say(0, &set("")).is_empty());
    assert_eq!(stage.say(2, SUBSCRIBE), snapshot("2", &item(1, TYPING, 1001)));
    assert_eq!(stage.say(0, &set(TYPING)), update("1,2", &item(0, TYPING, 6001)));
    stage.say(1, UNSUBSCRIBE);
    assert_eq!(stage.say(0, &set(TYPING)), update("2", &item(0, TYPING, 6002)));
}

/// Whoever leaves or goes has no state any more, and is told nothing more.
#[test]
fn leaving() {
    let mut stage = stage();
    for who in 0..3 {
        stage.say(who, SUBSCRIBE);
        stage.say(who, &set(TYPING));
    }
    assert_eq!(stage.say(0, LEAVE), update("1,2", &item(0, "", 1001)));
    let close = Closed::Clean { code: 1000, reason: "" };
    assert_eq!(stage.close(1, close), update("2", &item(1, "", 1001)));
    // The group goes with its last member and knows nothing when it comes back.
    assert!(stage.say(2, LEAVE).is_empty());
    let join = r#"{"type":"joinGroup","group":"g"}"#;
    stage.say(2, join);
    assert_eq!(stage.say(2, SUBSCRIBE), snapshot("2", ""));
    stage.say(0, join);
    stage.say(0, &set(TYPING));
    let lines = stage.execute(0, |id| Command::LeaveAll { who: Audience::Connection("h", id) });
    assert_eq!(lines, update("2", &item(0, "", 1003)));
}

/// Many who leave at once by a command do not tell each other.
#[test]
fn leaving_together() {
    for leave in 0..3 {
        let mut stage = stage();
        for who in 0..3 {
            stage.say(who, SUBSCRIBE);
            stage.say(who, &set(TYPING));
        }
        let lines = stage.execute_all(|who| match leave {
            0 => Command::Leave { who, groups: &["g"] },
            1 => Command::LeaveAll { who },
            _ => Command::Close { who, except: &[], reason: "" },
        });
        assert!(lines.iter().all(|line| !line.contains("groupState")), "{lines:?}");
    }
}

/// Permission comes before membership, that before the size; nothing changes on a failure.
#[test]
fn refusals() {
    let mut stage = stage();
    stage.open(None, Protocol::Json, false);
    stage.say(0, SUBSCRIBE);
    let refused = |name: &str, message: &str, who: usize| {
        [format!(
            r#"{who} <- {{"type":"ack","ackId":2,"success":false,"error":{{"name":"{name}","message":"{message}"}}}}"#
        )]
    };
    let acked = |message: &str| message.replace(r#""group":"g""#, r#""group":"g","ackId":2"#);
    let denied = refused("Forbidden", "Permission denied.", 3);
    let long = format!(r#","state":{{"k":"{}"}}"#, "x".repeat(512));
    assert_eq!(stage.say(3, &acked(&set(&long))), denied);
    let denied = refused("Forbidden", "No permission to get states of group g.", 3);
    assert_eq!(stage.say(3, &acked(SUBSCRIBE)), denied);
    stage.say(1, LEAVE);
    let stranger = refused("Forbidden", "Not a member of group.", 1);
    assert_eq!(stage.say(1, &acked(&set(&long))), stranger);
    assert_eq!(stage.say(1, &acked(SUBSCRIBE)), stranger);
    let large = refused("BadRequest", "State payload exceeds maximum size 512 bytes.", 2);
    assert_eq!(stage.say(2, &acked(&set(&long))), large);
    let fits = format!(r#","state":{{"k":"{}"}}"#, "x".repeat(511));
    assert_eq!(stage.say(2, &set(&fits)), update("0", &item(2, &fits, 1000)));
    // To unsubscribe is always fine.
    assert_eq!(stage.say(3, UNSUBSCRIBE), [r#"3 <- {"type":"ack","ackId":9,"success":true}"#]);
    let unknown = UNSUBSCRIBE.replace(r#""g""#, r#""x""#).replace('9', "8");
    assert_eq!(stage.say(3, &unknown).len(), 1);
}

/// A snapshot has at most 200 items; plain clients and others who cannot subscribe cost nothing.
#[test]
fn large_groups() {
    let mut stage = stage();
    let mut last = 2;
    while last < 210 {
        last = stage.join();
        stage.say(last, &set(TYPING));
    }
    let lines: Vec<_> = stage.say(0, SUBSCRIBE);
    assert_eq!(lines[0].matches("connectionId").count(), 200);
}

/// A reliable subscriber that was away gets the updates that it missed, numbered like messages.
#[test]
fn absence() {
    let mut stage = stage();
    let away = stage.open(None, Protocol::ReliableJson, true);
    stage.lines();
    assert!(stage.say(away, SUBSCRIBE)[0].contains(r#"{"sequenceId":1,"#));
    stage.say(away, &set(TYPING));
    stage.close(away, Closed::Lost);
    assert!(stage.say(0, &set(TYPING)).is_empty());
    // Its own state stays as long as it does.
    assert!(stage.say(1, SUBSCRIBE)[0].contains(&format!("${away}")));
    assert_eq!(stage.wait(30_000), update("1", &item(away, "", 31_000)));
    assert_eq!(stage.say(0, &set("")), update("1", &item(0, "", 31_000)));
}
