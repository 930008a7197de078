//! The journal: all that goes into the engine, in a file that the example `replay` steps through.
//!
//! A thread of its own writes it. Nothing of it is lost while the file can be written, because a journal with a gap is
//! none; it is bounded by its budget instead.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use hubcast::replay::Recorder;
use tokio::sync::oneshot;

/// The way to the file. What was appended is written when all is done, at the latest.
#[derive(Debug)]
pub(crate) struct JournalFile {
    pieces: mpsc::Sender<Vec<u8>>,
    has_said_that_it_is_full: bool,
}

/// Ends when all of the journal is written.
#[derive(Debug)]
pub(crate) struct Written(oneshot::Receiver<()>);

impl JournalFile {
    /// Makes the file anew.
    ///
    /// # Errors
    ///
    /// One line that says why it cannot be made.
    pub(crate) fn create(path: &Path) -> Result<(Self, Written), String> {
        let place = path.display().to_string();
        let file = File::create(path).map_err(|error| {
            format!("--journal {place}: {error}: name a file in a directory that can be written")
        })?;
        let (pieces, to_write) = mpsc::channel();
        let (done, written) = oneshot::channel();
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                write_all(file, &to_write, &place);
                // Nobody has to wait for it.
                let _ = done.send(());
            })
            .map_err(|error| format!("--journal: no thread for it: {error}"))?;
        Ok((Self { pieces, has_said_that_it_is_full: false }, Written(written)))
    }

    /// Appends what was recorded since the last time.
    pub(crate) fn append(&mut self, engine: &mut Recorder) {
        if engine.recorded() > 0 {
            // A thread that gave up has said why.
            let _ = self.pieces.send(engine.take_bytes());
        }
        if engine.is_truncated() && !self.has_said_that_it_is_full {
            self.has_said_that_it_is_full = true;
            eprintln!(
                "server: the journal is as long as it may be: nothing more is recorded: try a larger --journal-bytes"
            );
        }
    }
}

impl Written {
    pub(crate) async fn wait(self) {
        let _ = self.0.await;
    }
}

fn write_all(mut file: File, pieces: &mpsc::Receiver<Vec<u8>>, place: &str) {
    for piece in pieces {
        if let Err(error) = file.write_all(&piece) {
            eprintln!("server: --journal {place}: {error}: nothing more is recorded");
            return;
        }
    }
}
