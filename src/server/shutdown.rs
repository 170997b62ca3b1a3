//! Signals.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::stop::Stop;

/// Waits for SIGTERM or SIGINT.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over. From here on they end nothing by themselves.
    pub(crate) fn take() -> Result<Self, Stop> {
        let take =
            |kind| signal(kind).map_err(|error| Stop::failed(format!("signals cannot be received: {error}")));
        Ok(Self { terminate: take(SignalKind::terminate())?, interrupt: take(SignalKind::interrupt())? })
    }

    /// The first signal. The second ends the process at once, whatever is under way: what was answered is durable already.
    pub(crate) async fn first(mut self) {
        self.next().await;
        tracing::info!("stopping: requests under way may end; a second signal stops at once");
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
