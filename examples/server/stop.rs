//! The orderly stop.

use std::io;
use std::time::Duration;

use tokio::{signal, time};

/// How long a stop may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts to listen for SIGINT and SIGTERM, and returns what waits for one of them and names it.
#[cfg(unix)]
pub(crate) fn requested() -> io::Result<impl Future<Output = &'static str>> {
    use signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

/// Starts to listen for Ctrl+C, and returns what waits for it.
#[cfg(windows)]
pub(crate) fn requested() -> io::Result<impl Future<Output = &'static str>> {
    let mut pressed = signal::windows::ctrl_c()?;
    Ok(async move {
        pressed.recv().await;
        "Ctrl+C"
    })
}

/// Waits until everybody is gone and every event is with its webhook, but not for ever, and says so on stderr.
pub(crate) async fn drain(everybody_gone: impl Future<Output = ()>) {
    match time::timeout(DRAIN_TIMEOUT, everybody_gone).await {
        Ok(()) => eprintln!("server: stopped"),
        Err(_) => {
            let seconds = DRAIN_TIMEOUT.as_secs();
            eprintln!(
                "server: stopped, although some connections or events were not done after {seconds} s"
            );
        }
    }
}
