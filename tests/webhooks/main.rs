//! Golden transcripts of webhooks: an engine, its event handlers behind HTTP, and what goes over the wire.
//!
//! Each file below this folder is a transcript. It starts with comments: a sentence of intent and where the rule
//! comes from. A line at the margin is an input; the indented lines below it are everything that it caused, in
//! order. `UPDATE=1 cargo test --test webhooks` writes the indented lines anew; then the diff is to be reviewed
//! against the source of the rule.
//!
//! # Inputs
//!
//! Settings come first: `config`, `hub` and `handler` as in the conversations, and
//! ```text
//! service keys=a|b origin=h bearer=t calls=2 notifications=1   also every other limit of webhooks, by its field
//! service validation=shown headers=shown     otherwise handlers are validated unseen, and requests shown in short
//! ```
//! What happens.
//! ```text
//! open alice user=alice roles=r,s groups=g offers=x,y claims=k:v query=k:v headers=k:v certificates=t:pem
//! alice -> a text message          alice => 00ff, a binary one
//! alice closes why                 alice lost
//! join alice g,h                   leave alice g,h
//! respond 1 200 content-type=text/plain set-cookie="a=b; Path=/" text hello
//! respond 1 200 binary 00ff        fail 1 network|timeout|toolarge
//! at 30s                           deadline     pending     metrics
//! ```
//! `$(x*1025)` is a text of so many x, `$(U+000A)` a character.
//!
//! # Outputs
//!
//! ```text
//! send 1 POST http://h/connect until=100s cookie="a=b" {}      abort 1
//! finish connect 200 attempts=1                                finish echo failed after 9s attempts=4: why
//! accept alice json.webpubsub.azure.v1                         refuse alice 401 why
//! alice <- a text frame            alice <= 00ff               close alice 1000 why
//! ```

#![cfg(feature = "rest")]

mod bounds;
mod host;
#[path = "../conversations/line.rs"]
#[allow(dead_code, reason = "the conversations use all of it")]
mod line;
mod secrets;
#[path = "../conversations/settings.rs"]
mod settings;
mod show;
#[path = "../conversations/transcript.rs"]
mod transcript;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Every transcript goes as it is written.
#[test]
fn transcripts_go_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks");
    let files = transcripts(&root);
    let update = env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    let mut rows = 0;
    for file in &files {
        let name = file.strip_prefix(&root).expect("it was found there").display().to_string();
        let written = fs::read_to_string(file).expect("a transcript is UTF-8");
        let failure = match transcript::play(&written) {
            Err(problem) => Some(problem),
            Ok(played) if update => {
                if played != written {
                    fs::write(file, &played).expect("the transcript can be written");
                }
                transcript::flaw(&played)
            }
            Ok(played) if played != written => Some(transcript::difference(&written, &played)),
            Ok(played) => transcript::flaw(&played),
        };
        failures.extend(failure.map(|failure| format!("{name}: {failure}")));
        rows += written.lines().filter(|line| line.starts_with("respond")).count();
        rows += written.lines().filter(|line| line.starts_with("  send")).count();
    }
    assert!(
        failures.is_empty(),
        "{} of {} transcripts went otherwise. If that is right:\n    \
         UPDATE=1 cargo test --test webhooks\n\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
    assert!(rows >= 200, "only {rows} requests and responses: some are missing");
}

/// Finds the transcripts in a folder and those below it, in order of their names.
fn transcripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.append(&mut transcripts(&path));
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
    found.sort();
    found
}
