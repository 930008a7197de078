//! The journal of the server, and what a replay makes of it.

use std::path::PathBuf;
use std::{env, fs, process};

use hubcast::Action;
use hubcast::replay::{Redaction, Replay};

use crate::support::Server;

/// A file that is gone when the test is over.
struct Journal(PathBuf);

impl Journal {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("hubcast-{}-{name}.journal", process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path of ours")
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Serves alice, who says something to a group, and returns the journal of that and what the server said at its end.
async fn journal_of_alice(name: &str, flags: &[&str]) -> (Vec<u8>, String) {
    let journal = Journal::new(name);
    let flags = [&["--journal", journal.path()], flags].concat();
    let server = Server::start(&flags).await;
    let mut alice = server.member("alice").await;
    alice.send(r#"{"type":"sendToGroup","group":"g","data":"said-by-alice"}"#).await;
    assert!(alice.text().await.contains("said-by-alice"));
    server.signal("-TERM").await;
    assert_eq!(alice.closed().await.1, 1001);
    let (code, stderr) = server.ended().await;
    assert_eq!(code, Some(0), "{stderr}");
    (fs::read(&journal.0).expect("the journal is there"), stderr)
}

/// Plays a journal and returns the frames that went out.
fn frames(journal: &[u8]) -> Vec<String> {
    let mut replay = Replay::new(journal).expect("a journal");
    let mut frames = Vec::new();
    while let Some(_step) = replay.step().expect("a whole journal") {
        while let Some(action) = replay.poll_action() {
            if let Action::Deliver(deliver) = action {
                frames.push(String::from_utf8_lossy(&deliver.frame.bytes(0)).into_owned());
            }
        }
    }
    assert_eq!(replay.divergence(), None);
    frames
}

/// What happened comes out again, down to the last frame, and what a token said is not in the file.
#[tokio::test]
async fn replayed() {
    let (journal, _) = journal_of_alice("replayed", &[]).await;
    let frames = frames(&journal);
    assert!(frames.iter().any(|frame| frame.contains("said-by-alice")), "{frames:?}");
    assert!(frames.last().expect("a farewell").contains("The server is stopping."), "{frames:?}");
    let text = String::from_utf8_lossy(&journal);
    // How every token begins.
    assert!(!text.contains("eyJ") && text.contains("said-by-alice"));
    let replay = Replay::new(&journal).expect("a journal");
    assert_eq!(replay.header().redaction, Redaction::Secrets);
}

/// What people said can be left out, too; or nothing, and then the replay checks every byte.
#[tokio::test]
async fn by_choice() {
    let (journal, _) = journal_of_alice("payloads", &["--journal-without", "payloads"]).await;
    assert!(!String::from_utf8_lossy(&journal).contains("said-by-alice"));
    frames(&journal);
    let (journal, _) = journal_of_alice("nothing", &["--journal-without", "nothing"]).await;
    let replay = Replay::new(&journal).expect("a journal");
    assert_eq!(replay.header().redaction, Redaction::None);
    frames(&journal);
}

/// A journal that is full says so, in itself and on stderr, and the server goes on.
#[tokio::test]
async fn bounded() {
    let (journal, stderr) = journal_of_alice("bounded", &["--journal-bytes", "500"]).await;
    assert!(stderr.contains("try a larger --journal-bytes"), "{stderr}");
    assert!(journal.len() <= 500);
    let mut replay = Replay::new(&journal).expect("a journal");
    while replay.step().expect("whole as far as it goes").is_some() {
        while replay.poll_action().is_some() {}
    }
    assert!(replay.truncated().is_some());
}
