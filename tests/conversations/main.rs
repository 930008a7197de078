//! Golden conversations: what goes into an engine and what comes out, as transcripts.
//!
//! Each file beside this one is a conversation. It starts with comments: a sentence of intent and where the
//! rule comes from. A line at the margin is an input; the indented lines below it are everything that it
//! caused, in order. `UPDATE=1 cargo test --test conversations` writes the indented lines anew; then the diff
//! is to be reviewed against the source of the rule.
//!
//! # Inputs
//!
//! Settings come first; the engine is made with the first input that is none.
//! ```text
//! config unknown_hubs=refuse hubs_max=2 call_timeout=5s      also every other limit, by its field
//! hub chat anonymous=allow failed_event=close connections=2  the same for one hub
//! hub chat slow_consumer=drop_oldest                         or disconnect, drop_newest, keep_latest
//! handler chat local events=a,b system=connect,connected     a handler of a hub, with any text as its URL
//! listener chat log events=* system=connected,disconnected   a listener of a hub, with any text as its target
//! config records=connections                                 or messages: what happens is reported, too
//! ```
//! What happens to the engine. The hub is `chat` and the protocol JSON where a line does not say otherwise.
//! ```text
//! open alice user=alice roles=r,s groups=g offers=x,y claims=k:v query=k:v headers=k:v
//! open bob protocol=plain anonymous mode=sendToGroup:room no_echo certificates=thumb:pem
//! open carol protocol=reliable-json        or reliable-protobuf, protobuf, json, plain
//! open carol2 recovery=$carol:$carol.token
//! alice -> a text message          alice => 00ff, a binary one
//! bob => join_group_message { group: "room" ack_id: 0 }       the same as protobuf, see `protobuf.rs`
//! alice alive|toolarge|malformed|notutf8|lost|slow
//! alice closes 1000 why
//! answer alice#0 accept user=u roles=r groups=g subprotocol=x state=s
//! answer alice#0 refuse 403 why
//! answer alice#1 reply state=s metadata=k:v text hello
//! answer alice#1 fail
//! at 30s                           time passes       clock 30s: it does, and nobody calls `advance`
//! pause alice                      resume alice
//! stop why
//! reconfigure                      with the settings since the start or the last `reconfigure`, and no others
//! ```
//! What the server asks. An audience is `group=`, `user=` or `connection=`, or else the whole hub, or those of it that
//! a `filter=` lets through. A send has a filter beside its audience.
//! ```text
//! send group=room except=$alice filter="userId ne 'bob'" ttl=5 metadata=k:v json {"a":1}
//! join user=alice groups=g,h       leave ...         leave_all user=alice
//! close group=room except=$alice reason=why
//! grant connection=$alice sendToGroup=room           revoke ...       check ...
//! exists user=alice                count group=room  list group=room limit=2 after=$alice
//! key room                         publish group=room text hello     by the key that was looked up last
//! explain send group=room text hello                                 or any other of these; nothing is done
//! ```
//! What is so, and how the file is told.
//! ```text
//! deadline     view alice     find $alice     metrics acks.success refused
//! hold         inputs are taken in, but no action is polled until
//! poll
//! repeat 1..1000 alice -> {"type":"ping","ackId":$n}   what is alike but for numbers is shown twice
//! ```
//! `$alice` is the connection id of alice, `$alice.token` her reconnection token, `$(x*1025)` a text of so many x,
//! `$(U+000A)` a character. Values with spaces have quotes, as in JSON. Data is `text ...`, `json ...`, `binary 00ff` or
//! `protobuf 0a0174`, an Any.
//!
//! # Outputs
//!
//! ```text
//! accept alice json.webpubsub.azure.v1             refuse alice 401 why
//! alice, bob <- a text frame                       alice until=5s <= 00ff, a binary one that expires
//! alice:1, bob:1 <- a frame with a sequence id     & carol:7 <- the same one with another's
//! bob <= 2200 pong_message {}                      what protobuf says
//! close alice 1000 why                             call local alice#1 user echo hub=chat text hello
//! cancel alice#1                                    notify log alice#1 user echo hub=chat text hello
//! record alice ConnectionEnded hub=chat id=$alice cause=Normal reason="bye"           record - MessageSent ...
//! = the answer to a question                       ! why a command was not carried out
//! ```

mod answers;
mod counters;
mod host;
mod line;
mod protobuf;
mod settings;
mod show;
mod transcript;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Every conversation goes as it is written.
#[test]
fn conversations_go_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let files = conversations(&root);
    let update = env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&root).expect("it was found there").display().to_string();
        let written = fs::read_to_string(file).expect("a conversation is UTF-8");
        let failure = match transcript::play(&written) {
            Err(problem) => Some(problem),
            Ok(played) if update => {
                if played != written {
                    fs::write(file, &played).expect("the conversation can be written");
                }
                transcript::flaw(&played)
            }
            Ok(played) if played != written => Some(transcript::difference(&written, &played)),
            Ok(played) => transcript::flaw(&played),
        };
        failures.extend(failure.map(|failure| format!("{name}: {failure}")));
    }
    assert!(
        failures.is_empty(),
        "{} of {} conversations went otherwise. If that is right:\n    \
         UPDATE=1 cargo test --test conversations\n\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
    assert!(files.len() >= 380, "only {} conversations: some are missing", files.len());
}

/// Finds the conversations in a folder and those below it, in order of their names.
fn conversations(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.append(&mut conversations(&path));
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
    found.sort();
    found
}
