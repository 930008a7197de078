//! Reads the settings again, and opens files anew, each time the process gets a SIGHUP.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubcast::Config;
use tokio::sync::oneshot;

use crate::input::{Input, Inputs};
use crate::listeners::ListenerOutputs;
use crate::logs::Logs;
use crate::options::Options;
use crate::room::{Room, SharedRoom};
use crate::settings;

/// What follows the settings.
#[derive(Debug)]
pub(crate) struct Reload {
    pub(crate) options: Options,
    /// The settings in force.
    pub(crate) config: Config,
    pub(crate) message_bytes: Arc<AtomicUsize>,
    pub(crate) room: Arc<SharedRoom>,
    pub(crate) logs: Logs,
    /// The way to the engine task.
    pub(crate) inputs: Inputs,
}

/// Tells when the process gets a SIGHUP.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct HangUps(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl HangUps {
    /// Starts to listen for them, if there is something to read or to open again. Otherwise a SIGHUP ends the process,
    /// as it does when somebody closes the terminal.
    pub(crate) fn listen(options: &Options) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let Options { config, listeners, logs, .. } = options;
        let has_files = config.is_some() || !listeners.is_empty() || logs.is_some();
        Ok(Self(has_files.then(|| signal(SignalKind::hangup())).transpose()?))
    }

    async fn next(&mut self) {
        let came = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        // There will be none any more.
        if came.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// There is no SIGHUP here.
#[cfg(windows)]
#[derive(Debug)]
pub(crate) struct HangUps;

#[cfg(windows)]
impl HangUps {
    #[expect(clippy::unnecessary_wraps, reason = "where there are signals, it can fail")]
    pub(crate) fn listen(_options: &Options) -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl Reload {
    /// Reloads at each signal, and says on stderr what came of it.
    pub(crate) async fn run(mut self, mut hang_ups: HangUps) -> Infallible {
        loop {
            hang_ups.next().await;
            match self.reload().await {
                Ok(changes) => eprintln!("server: SIGHUP: settings are read again: {changes}"),
                Err(error) => {
                    eprintln!("server: SIGHUP: the settings stay as they are: {error}");
                }
            }
        }
    }

    /// Takes on new settings, all of them or none, and says what changed.
    async fn reload(&mut self) -> Result<String, String> {
        let config = settings::read(&self.options, self.config.seed)?;
        let outputs = ListenerOutputs::open(&config)?;
        let log_output = Logs::output(self.options.logs.as_deref())?;
        // The engine may hand over more as soon as it has the new limits.
        self.room.grow(Room::for_all_of(&config));
        let (done, outcome) = oneshot::channel();
        let input = Input::Reconfigure { config: Box::new(config.clone()), outputs, done };
        let gone = || "the engine is gone".to_owned();
        self.inputs.send(input).await.map_err(|_| gone())?;
        let outcome = outcome.await.map_err(|_| gone())?;
        outcome.map_err(|error| error.to_string())?;
        self.message_bytes.store(settings::message_bytes(&config), Ordering::Relaxed);
        self.logs.replace(log_output);
        settings::warn(&config);
        let changes = settings::changes(&self.config, &config);
        self.config = config;
        Ok(changes)
    }
}
