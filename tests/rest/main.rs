//! Golden tables of the REST API: requests in, responses and frames out.
//!
//! Each file beside this one starts with comments: a sentence of intent and where the rule comes from. A line at the
//! margin is an input; the indented lines below it are everything that it caused, in order.
//! `UPDATE=1 cargo test --test rest` writes the indented lines anew; then the diff is to be reviewed against the source
//! of the rule.
//!
//! # Inputs
//!
//! Settings come first; the engine is made with the first input that is none.
//! ```text
//! limit literals_per_permission=2                 also message_bytes, groups_per_connection, messages_per_second
//! refuse unknown hubs, but chat
//! api endpoint=https://example.local              generate_with_key, allow_unvalidated_entra
//! open ann user=ann protocol=json groups=g,h roles=r hub=chat          plain is the usual protocol
//! ann -> a text frame                             ann lost
//! ```
//! A request is its first line, the headers that differ from the usual ones, and its body behind bars.
//! ```text
//! POST /api/hubs/chat/groups/g/:send?excluded=$ann
//! content-type: text/plain
//! | hello
//! ```
//! The usual headers are `host: localhost:8080`, `content-length` where there is a body, and `authorization` with a
//! token for the URL. `name: -` leaves a header out. `|= 00ff` is a body of bytes. `token: secondary`, `token: other`,
//! `token: expired`, `token: entra`, `token: expired entra`, `token: trusted` are other callers, `token: for URL` has
//! another audience. `$ann` is the connection id of ann, `$next` the path of the last link to a next page, `$page` its token, `$(x*1025)` a
//! text of so many x.
//!
//! # Outputs
//!
//! ```text
//! 404 x-ms-error-code=Error.Connection.NotExisted content-type=application/json
//! | the body
//! ann <- a text frame        ann <= 00ff, a binary one        close ann 1000
//! ```
//! That every response has `api-supported-versions` is checked without being shown.

#![cfg(feature = "rest")]

mod bulk;
mod host;
mod request;
mod secrets;

use std::path::Path;
use std::{env, fs};

use host::Host;

/// Every table is answered as it is written, and together they have enough rows.
#[test]
fn requests_are_answered_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rest");
    let update = env::var_os("UPDATE").is_some();
    let (mut failures, mut rows) = (Vec::new(), 0);
    let mut files: Vec<_> = fs::read_dir(&root)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().expect("it is a file").display().to_string();
        let written = fs::read_to_string(&file).expect("a table is UTF-8");
        assert!(written.starts_with("# "), "{name} starts with a sentence of intent");
        let mut host = Host::default();
        let played = play(&written, &mut host);
        rows += host.rows;
        if update {
            fs::write(&file, &played).expect("the table can be written");
        } else if let Some(line) = first_difference(&written, &played) {
            failures.push(format!("{name}:{line}"));
        }
    }
    assert!(failures.is_empty(), "{}\n\nUPDATE=1 writes what happened", failures.join("\n"));
    assert!(rows >= 200, "only {rows} requests: some are missing");
}

/// Plays a table and returns its text with what really happened.
fn play(written: &str, host: &mut Host) -> String {
    let inputs: Vec<_> = written.lines().filter(|line| !line.starts_with("  ")).collect();
    let mut played = String::new();
    let mut lines = inputs.into_iter().peekable();
    while let Some(line) = lines.next() {
        played.extend([line, "\n"]);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut details = Vec::new();
        while let Some(detail) = lines.next_if(|next| request::is_detail(next)) {
            played.extend([detail, "\n"]);
            details.push(detail);
        }
        for output in host.take_in(line, &details) {
            played.extend(["  ", output.trim_end(), "\n"]);
        }
    }
    played
}

fn first_difference(written: &str, played: &str) -> Option<String> {
    let (old, new): (Vec<_>, Vec<_>) = (written.lines().collect(), played.lines().collect());
    let place = (0..old.len().max(new.len())).find(|&at| old.get(at) != new.get(at))?;
    let show = |lines: &[&str]| lines.get(place).map_or("nothing", |line| *line).to_owned();
    Some(format!("{}\n  - {}\n  + {}", place + 1, show(&old), show(&new)))
}
