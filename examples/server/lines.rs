//! Lines for files and for stdout, written by a thread of its own: a slow disk or a full pipe holds up nobody else.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time;

/// The most lines that wait.
const LINES: usize = 16 * 1024;
/// The most bytes of those lines, but for a line that waits alone.
const BYTES: usize = 64 * 1024 * 1024;
/// How much is gathered for one write.
const GATHERED_BYTES: usize = 64 * 1024;
/// How far two complaints lie apart at least.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a stop waits for what has not been written.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// What becomes a line. It is put together in the thread that writes it.
pub(crate) trait Line: Send + 'static {
    /// Returns about how many bytes it keeps.
    fn size(&self) -> usize;

    /// Appends the line, without the line break at its end. It has none within.
    fn write(&self, to: &mut Vec<u8>);
}

/// Where lines go.
#[derive(Debug)]
pub(crate) struct Output {
    path: String,
    /// `None` is stdout.
    file: Option<File>,
    /// Whether a write failed, maybe in the middle of a line.
    is_torn: AtomicBool,
}

impl Output {
    /// Opens a file to append to it; `-` is stdout.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong and what to do.
    pub(crate) fn open(path: &str) -> Result<Arc<Self>, String> {
        let file = match path {
            "-" => None,
            _ => Some(OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
                format!(
                    "{path}: cannot be opened to append to it: {error}: name a file in a directory that exists and \
                     that the server may write to, or - for stdout"
                )
            })?),
        };
        Ok(Arc::new(Self { path: path.to_owned(), file, is_torn: AtomicBool::new(false) }))
    }

    /// Writes whole lines. After a failure they begin a new line, so that no more than the one that was torn is lost.
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        let new_line: &[u8] = if self.is_torn.load(Ordering::Relaxed) { b"\n" } else { b"" };
        let written = match &self.file {
            Some(file) => write_all(file, new_line, lines),
            None => write_all(io::stdout().lock(), new_line, lines),
        };
        self.is_torn.store(written.is_err(), Ordering::Relaxed);
        written
    }
}

fn write_all(mut to: impl Write, new_line: &[u8], lines: &[u8]) -> io::Result<()> {
    to.write_all(new_line)?;
    to.write_all(lines)?;
    to.flush()
}

/// The way to a thread that writes lines. Nobody waits for it: what has no room is left out, counted, and now and then
/// complained about on stderr.
#[derive(Debug)]
pub(crate) struct LineWriter<L> {
    queue: SyncSender<Job<L>>,
    state: Arc<State>,
}

#[derive(Debug)]
enum Job<L> {
    Write(Arc<Output>, L),
    Finish(oneshot::Sender<()>),
}

#[derive(Debug)]
struct State {
    /// Whose lines they are, for complaints.
    whose: &'static str,
    waiting_bytes: AtomicUsize,
    left_out: AtomicU64,
    complaints: Mutex<Complaints>,
}

#[derive(Debug, Default)]
struct Complaints {
    /// How many lines have been complained about.
    said: u64,
    quiet_until: Option<Instant>,
}

impl<L: Line> LineWriter<L> {
    /// Starts the thread. It ends when nobody is left to send it lines.
    pub(crate) fn start(whose: &'static str) -> Self {
        let (queue, jobs) = sync_channel(LINES);
        let state = Arc::new(State {
            whose,
            waiting_bytes: AtomicUsize::new(0),
            left_out: AtomicU64::new(0),
            complaints: Mutex::default(),
        });
        let writing =
            Writing { state: Arc::clone(&state), gathered: Vec::new(), lines: 0, to: None };
        thread::spawn(move || writing.run(&jobs));
        Self { queue, state }
    }

    /// Has a line written, unless too many wait already.
    pub(crate) fn write(&self, to: &Arc<Output>, line: L) {
        let size = line.size();
        let before = self.state.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        let has_room = before == 0 || before.saturating_add(size) <= BYTES;
        if has_room && self.queue.try_send(Job::Write(Arc::clone(to), line)).is_ok() {
            return;
        }
        self.state.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
        self.state.left_out.fetch_add(1, Ordering::Relaxed);
        self.state.complain(&"too many wait to be written");
    }

    /// Returns how many lines were left out, because too many waited or because they could not be written.
    pub(crate) fn left_out(&self) -> u64 {
        self.state.left_out.load(Ordering::Relaxed)
    }

    /// Waits until all lines are written, but not for ever.
    pub(crate) async fn finish(&self) {
        let finished = async {
            let (mut finish, finished) = oneshot::channel();
            while let Err(TrySendError::Full(Job::Finish(again))) =
                self.queue.try_send(Job::Finish(finish))
            {
                finish = again;
                time::sleep(Duration::from_millis(10)).await;
            }
            let _ = finished.await;
        };
        let _ = time::timeout(FINISH_TIMEOUT, finished).await;
    }
}

impl<L> Clone for LineWriter<L> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), state: Arc::clone(&self.state) }
    }
}

impl State {
    /// Says how many lines are lost that nobody was told of, unless something was said a moment ago.
    fn complain(&self, why: &dyn std::fmt::Display) {
        let mut complaints =
            self.complaints.lock().expect("nothing panics while it holds the lock");
        let now = Instant::now();
        let left_out = self.left_out.load(Ordering::Relaxed);
        let more = left_out.saturating_sub(complaints.said);
        if more == 0 || complaints.quiet_until.is_some_and(|until| now < until) {
            return;
        }
        *complaints = Complaints { said: left_out, quiet_until: Some(now + PAUSE) };
        drop(complaints);
        let line = format!("server: {}: {why}: lines left out: {more}\n", self.whose);
        // Nobody reads it, so nobody misses it.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// What the thread works with.
struct Writing {
    state: Arc<State>,
    /// Lines for one output.
    gathered: Vec<u8>,
    /// How many those are.
    lines: u64,
    to: Option<Arc<Output>>,
}

impl Writing {
    fn run<L: Line>(mut self, jobs: &Receiver<Job<L>>) {
        loop {
            let job = match jobs.try_recv() {
                Ok(job) => job,
                Err(TryRecvError::Empty) => {
                    self.write();
                    self.state.complain(&"too many waited to be written");
                    let Ok(job) = jobs.recv() else { return };
                    job
                }
                Err(TryRecvError::Disconnected) => return self.write(),
            };
            match job {
                Job::Write(to, line) => self.gather(to, &line),
                Job::Finish(finished) => {
                    self.write();
                    let _ = finished.send(());
                }
            }
        }
    }

    fn gather<L: Line>(&mut self, to: Arc<Output>, line: &L) {
        if self.to.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &to)) {
            self.write();
            self.to = Some(to);
        }
        line.write(&mut self.gathered);
        self.gathered.push(b'\n');
        self.lines += 1;
        self.state.waiting_bytes.fetch_sub(line.size(), Ordering::Relaxed);
        if self.gathered.len() >= GATHERED_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        if let Some(to) = self.to.take_if(|_| self.lines > 0)
            && let Err(error) = to.write(&self.gathered)
        {
            self.state.left_out.fetch_add(self.lines, Ordering::Relaxed);
            self.state.complain(&format_args!("{}: {error}", to.path));
        }
        self.gathered.clear();
        self.gathered.shrink_to(2 * GATHERED_BYTES);
        self.lines = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of this many bytes that can only be put together while nobody holds the gate.
    struct Gated(usize, Arc<Mutex<()>>);

    impl Line for Gated {
        fn size(&self) -> usize {
            self.0
        }

        fn write(&self, to: &mut Vec<u8>) {
            drop(self.1.lock().expect("nobody panics"));
            to.push(b'x');
        }
    }

    /// Sends that many lines of that many bytes while none can be written, and returns how many are left out and how
    /// many are in the file in the end.
    async fn left_out_and_written(lines: usize, bytes: usize) -> (u64, usize) {
        let name = format!("hubcast-test-{}-{lines}-lines", std::process::id());
        let path = std::env::temp_dir().join(name);
        let output = Output::open(path.to_str().expect("a path in UTF-8")).expect("a file");
        let (writer, gate) = (LineWriter::start("tests"), Arc::new(Mutex::new(())));
        let closed = gate.lock().expect("nobody panics");
        for _ in 0..lines {
            writer.write(&output, Gated(bytes, Arc::clone(&gate)));
        }
        drop(closed);
        writer.finish().await;
        let content = std::fs::read_to_string(&path).expect("the file");
        std::fs::remove_file(&path).expect("removed");
        assert!(content.lines().all(|line| line == "x"));
        (writer.left_out(), content.lines().count())
    }

    /// So many lines wait and no more, whether the thread has already taken one or not, and all that waited are
    /// written.
    #[tokio::test]
    async fn lines_are_bounded() {
        let (left_out, written) = left_out_and_written(LINES + 11, 1).await;
        assert!((10..=11).contains(&left_out), "{left_out}");
        assert_eq!(left_out as usize + written, LINES + 11);
    }

    /// Their bytes are bounded too; a line that waits alone may be of any length.
    #[tokio::test]
    async fn bytes_are_bounded() {
        let (left_out, written) = left_out_and_written(7, BYTES / 4).await;
        assert_eq!((left_out, written), (3, 4));
        assert_eq!(left_out_and_written(1, 2 * BYTES).await, (0, 1));
    }

    /// A file in no directory is refused with what to do.
    #[test]
    fn no_file() {
        let error = Output::open("no/such/directory/file").expect_err("no directory");
        assert!(
            error.starts_with("no/such/directory/file: ") && error.contains("or - for stdout"),
            "{error}"
        );
    }
}
