//! The source itself: which module may know which, and what none of them may use.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from left to right: each may use those that stand left of it, and nothing else.
///
/// First the plain values (`time`, `name`), what a host sets up (`config`), the codecs and tokens, which are
/// functions of bytes. Then what the engine knows (`state`), which sees neither JSON nor commands. Then what
/// goes in and out, the queue of it, and the engine that ties all together. `rest` never touches the state:
/// it makes values that the engine takes. Some of these modules are still to come.
const ORDER: [&str; 22] = [
    "time",
    "name",
    "config",
    "protocol",
    "filter",
    "token",
    "input",
    "metrics",
    "state",
    "event",
    "command",
    "record",
    "explanation",
    "action",
    "outbox",
    "batch",
    "engine",
    "internals",
    "rest",
    "snapshot",
    "replay",
    "testing",
];

/// What would bring in a clock, chance, threads or I/O, or an order that depends on a hash.
const FORBIDDEN: [&str; 17] = [
    "std::time",
    "SystemTime",
    "Instant",
    "std::thread",
    "thread_local",
    "std::net",
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "getrandom",
    "println!",
    "HashMap",
    "HashSet",
    "RandomState",
    "unsafe ",
    "todo!",
];

/// Ways to go through a table in the order of its hashes.
const WALKS: [&str; 7] = [
    "table.iter",
    "index.iter",
    "table.drain",
    "table.retain",
    "index.retain",
    "into_iter",
    ".values()",
];

/// Dependencies go one way.
#[test]
fn modules_know_only_what_stands_left_of_them() {
    let place = |module: &str| ORDER.iter().position(|each| *each == module);
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(own) = place(&source.module) else {
            if source.module != "lib" {
                wrong.push(format!("{} has no place in the order", source.module));
            }
            continue;
        };
        for used in source.uses() {
            match place(&used) {
                Some(used) if used <= own => {}
                Some(_) => wrong.push(format!("{} uses {used}", source.path.display())),
                None => wrong.push(format!("{used}, which has no place in the order")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The library is a pure function of what it is told.
#[test]
fn no_clock_no_chance_no_io() {
    for source in sources() {
        for forbidden in FORBIDDEN {
            let found = source.code.contains(forbidden);
            assert!(!found, "{} uses {forbidden}", source.path.display());
        }
    }
}

/// The order in a hash table depends on its seed, so nothing goes through one.
#[test]
fn nobody_walks_through_a_hash_table() {
    let mut tables = 0;
    for source in sources().iter().filter(|source| source.code.contains("HashTable")) {
        tables += 1;
        for walk in WALKS {
            let found = source.code.contains(walk);
            assert!(!found, "{} has a hash table and {walk}", source.path.display());
        }
    }
    assert!(tables > 0, "hash tables are found where they are");
}

/// The oldest compiler is the same wherever it is named.
#[test]
fn the_readme_names_the_oldest_compiler() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = version.expect("Cargo.toml has a rust-version").trim_matches('"');
    let readme = fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let named = readme.lines().any(|line| line.contains("Rust") && line.contains(version));
    assert!(
        named,
        "README.md must say on one line that it takes Rust {version}, as Cargo.toml does"
    );
}

struct Source {
    path: PathBuf,
    /// The module right under the root that the file belongs to.
    module: String,
    /// The text without its comments.
    code: String,
}

impl Source {
    /// Returns the modules of this crate that the file names.
    fn uses(&self) -> Vec<String> {
        let ends = |c: char| !(c.is_ascii_lowercase() || c == '_');
        let after = self.code.split("crate::").skip(1);
        after.map(|rest| rest.split(ends).next().unwrap_or_default().to_owned()).collect()
    }
}

fn sources() -> Vec<Source> {
    let source = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let inside = path.strip_prefix(&source).unwrap();
                let first = inside.iter().next().unwrap().to_str().unwrap();
                let module = first.trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                found.push(Source { module, code: code.collect::<Vec<_>>().join("\n"), path });
            }
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
